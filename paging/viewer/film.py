"""A run as a film: what there is to see after every request, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib.metadata import entry_points
from itertools import islice
from typing import Any, Literal, NamedTuple

from paging.arguments import checked
from paging.errors import LimitError, ModelError
from paging.html import table
from paging.model import SEVERAL, SHOWN, LayeredInstance, RequestSequence, Schedule, Step, whole_number
from paging.numbers import exact_text
from paging.offline import farthest_in_future
from paging.run import Run
from paging.simulate import steps
from paging.work_function import WorkFunction

ABSENT, CACHED, MARKED, POSSIBLE = "-", "c", "m", "s"
"""One letter per page: not cached; cached; cached and requested in the k-phase under way; and, in OPT's
picture alone, cached by some optimal schedules of the requests so far but not by all."""

MAX_CELLS = 400_000
"""Requests × pages of a film at most: it is meant for looking at single requests."""

GUIDES = "paging.guides"
"""Entry-point group of functions ``(instance, policy, opt_cache) -> list of Guide``."""


@dataclass(frozen=True)
class Guide:
    """A proven bound on the ratio, drawn beside the observed one.

    Attributes
    ----------
    id, kind : str
        The bound, and whether it bounds the policy's ratio from above (``upper``) or says what an adversary
        can force (``lower``).
    value : Fraction or float
        Its value at the instance; ``inf`` for a policy that is not competitive.
    formula, statement : str
        The value as the field writes it, and the sentence.
    additive : str or None
        The additive constant of an upper bound; None where it is not stated.
    in_expectation : bool
        Whether it speaks of expected faults against an oblivious adversary.
    """

    id: str
    kind: Literal["upper", "lower"]
    value: Fraction | float
    formula: str
    statement: str
    additive: str | None = None
    in_expectation: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; ``height`` is None where the value is infinite."""
        finite = self.value != float("inf")
        return {
            "id": self.id,
            "kind": self.kind,
            "text": exact_text(self.value),
            "height": float(self.value) if finite else None,
            "formula": self.formula,
            "statement": self.statement,
            "additive": self.additive,
            "in_expectation": self.in_expectation,
        }


@cache
def _guide_makers() -> tuple[Any, ...]:
    return tuple(point.load() for point in entry_points(group=GUIDES))


def guides(instance: LayeredInstance, policy: str, opt_cache: int | None = None) -> list[Guide]:
    """Return the best bounds that the installed packages know for a policy on an instance.

    Examples
    --------
    >>> [(guide.id, guide.value) for guide in guides(LayeredInstance(2, 4, 7), "lru")]
    [('L3-tight', Fraction(7, 1)), ('L3', Fraction(7, 1))]
    """
    return [guide for make in _guide_makers() for guide in make(instance, policy, opt_cache)]


class Picture(NamedTuple):
    """What there is to see after one request.

    ``cells`` and ``optimum_cells`` hold one letter per page; ``optimum_cells`` is empty where OPT's cache is
    not shown.
    """

    page: int
    hit: bool
    victims: tuple[int, ...]
    cells: str
    optimum_cells: str
    faults: int
    optimum: int
    phase: int


@dataclass
class Film:
    """The frames of a run and what stands above them.

    Attributes
    ----------
    instance : LayeredInstance
    policy, title : str
        The policy's name, and its name in the field's words.
    opt_cache : int
        OPT's cache size h.
    optimum_title : str
        What the picture of OPT's cache shows.
    guides : list of Guide
        Bounds beside the ratio curve.
    remark : str
        One more line, such as where the requests come from.
    seed : int or None
        Seed of a randomised policy, whose run is one sample.
    frames : list of Picture
    """

    instance: LayeredInstance
    policy: str
    title: str
    opt_cache: int
    optimum_title: str
    guides: list[Guide] = field(default_factory=list)
    remark: str = ""
    seed: int | None = None
    frames: list[Picture] = field(default_factory=list)
    _phase: set[int] = field(default_factory=set, repr=False)

    def add(self, step: Step, optimum_cells: str, optimum: int) -> None:
        """Add the frame of one served request."""
        last = self.frames[-1] if self.frames else None
        phase = last.phase if last else 1
        if step.page not in self._phase and len(self._phase) == self.instance.cache:
            self._phase.clear()
            phase += 1
        self._phase.add(step.page)
        cells = "".join(
            ABSENT if q not in step.cache else MARKED if q in self._phase else CACHED
            for q in range(self.instance.total_pages)
        )
        faults = (last.faults if last else 0) + (not step.hit)
        self.frames.append(
            Picture(step.page, step.hit, step.victims, cells, optimum_cells, faults, optimum, phase)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        instance = self.instance
        return {
            "layers": instance.layers,
            "pages_by_layer": list(instance.pages_by_layer),
            "cache": instance.cache,
            "per_visit": instance.per_visit,
            "variant": f"{instance.service} service · cold start · shared cache",
            "policy": self.policy,
            "title": self.title,
            "opt_cache": self.opt_cache,
            "optimum_title": self.optimum_title,
            "guides": [guide.as_dict() for guide in self.guides],
            "remark": self.remark,
            "seed": self.seed,
            "frames": [frame._asdict() for frame in self.frames],
        }

    def _repr_html_(self) -> str:
        instance = self.instance
        frames = list(enumerate(self.frames))
        shown = frames if len(frames) <= SHOWN else [*frames[: SHOWN - 1], frames[-1]]
        rows = [
            [
                str(time),
                instance.page_name(frame.page),
                "hit" if frame.hit else "fault",
                _names(instance, frame.victims),
                _names(instance, _held(frame.cells)),
                _names(instance, _held(frame.optimum_cells)),
                f"{frame.faults} / {frame.optimum}",
            ]
            for time, frame in shown
        ]
        header = [
            "request",
            "page",
            "",
            "leaves",
            f"cache of {self.policy}",
            "OPT's cache",
            "faults / OPT so far",
        ]
        note = "" if len(shown) == len(frames) else f" · {SHOWN - 1} of {len(frames):,} requests and the last"
        return table(f"{self.policy} on {instance}{note}", header, rows)


def work_function_cells(work: WorkFunction) -> str:
    """Return which pages every, some or no optimal cache holds after the requests so far."""
    return "".join(CACHED if label == work.cache else POSSIBLE if label else ABSENT for label in work.labels)


@checked
def film_of(
    run: Run,
    *,
    first: int | None = None,
    opt_cache: int | None = None,
    remark: str = "",
) -> Film:
    """Return the film of a run, beside a farthest-in-future schedule of the same requests.

    Parameters
    ----------
    run : Run
        Sequential visits. A run that was not recorded is served again.
    first : int, optional
        Show the first so many requests only. OPT is then the optimum of these.
    opt_cache : int, optional
        OPT's cache size h; default k.
    remark : str
        One more line above the picture.

    Returns
    -------
    Film
        Farthest-in-future is optimal on every prefix, so its faults after a request are OPT so far.

    Raises
    ------
    LimitError
        More than 400,000 cells: requests × pages.
    ModelError
        The run was not recorded and serving again gives another number of faults.

    Examples
    --------
    >>> from paging import simulate
    >>> film = film_of(simulate("lru", RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])))
    >>> film.frames[-1]
    Picture(page=2, hit=False, victims=(0,), cells='-cm', optimum_cells='c-c', faults=3, optimum=3, phase=2)
    """
    instance = run.sequence.instance
    run.sequence.require_full_visits("a film")
    length = len(run.sequence) if first is None else min(whole_number(first, "first", 0), len(run.sequence))
    if length * instance.total_pages > MAX_CELLS:
        raise LimitError(
            f"{length:,} requests × {instance.total_pages:,} pages are too many to show one by one: at most "
            f"{MAX_CELLS:,} cells; show at most the first {MAX_CELLS // instance.total_pages:,} requests"
        )
    size = instance.cache if opt_cache is None else whole_number(opt_cache, "opt_cache (h)", 1)
    sequence = run.sequence.prefix(length)
    best = farthest_in_future(sequence.with_cache(size), record=True)
    title = "farthest in future" if run.served_by is None else run.served_by.title
    film = Film(
        instance, run.policy, title, size, "OPT's cache (farthest in future)",
        guides(instance, run.policy, size), remark, run.seed,
    )  # fmt: skip
    optimum = 0
    for step, other in zip(_steps(run, sequence), best.schedule.steps(), strict=True):
        optimum += not other.hit
        film.add(step, _plain_cells(other.cache, instance.total_pages), optimum)
    return film


def _plain_cells(cached: frozenset[int], pages: int) -> str:
    return "".join(CACHED if q in cached else ABSENT for q in range(pages))


def _steps(run: Run, sequence: RequestSequence) -> Iterator[Step]:
    """Return the steps of a run's first requests: from its record, or served again."""
    if run.entries is not None:
        shown = run.entries[: len(sequence)]
        if not (shown <= SEVERAL).any():
            return Schedule(sequence, shown).steps()
    return _served_again(run, sequence)


def _served_again(run: Run, sequence: RequestSequence) -> Iterator[Step]:
    if run.served_by is None:  # it knows all requests, of which the first are shown
        return islice(farthest_in_future(run.sequence, record=True).schedule.steps(), len(sequence))
    again = list(steps(run.served_by, sequence, seed=run.seed or 0))
    if len(sequence) == len(run.sequence) and _faults(again) != run.faults:
        raise ModelError(
            f"the run of {run.policy} was not recorded, and serving again gives {_faults(again)} instead of "
            f"{run.faults} faults: record it with simulate(…, record=True)"
        )
    return iter(again)


def _faults(served: Iterable[Step]) -> int:
    return sum(not step.hit for step in served)


def _held(cells: str) -> list[int]:
    return [page for page, letter in enumerate(cells) if letter in "cm"]


def _names(instance: LayeredInstance, pages: Iterable[int]) -> str:
    return " ".join(instance.page_name(page) for page in pages)
