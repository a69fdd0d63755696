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
from paging.viewer.reasons import Farthest, Reason, Reasons, reasons_of, with_future
from paging.work_function import WorkFunction

ABSENT, CACHED, MARKED, POSSIBLE = "-", "c", "m", "s"
"""One letter per page: not cached; cached; cached and requested in the k-phase under way; and, in OPT's
picture alone, cached by some optimal schedules of the requests so far but not by all."""

NOTHING = Reason("", "")
"""What is said where nothing is."""

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


BIT = "latest bit"
"""What the numbers are where a person is told bits."""


class Picture(NamedTuple):
    """What there is to see after one request.

    ``cells`` and ``optimum_cells`` hold one letter per page; ``numbers`` and ``optimum_numbers`` one word per
    page, and ``why`` and ``optimum_why`` a reason, as in :class:`~paging.viewer.reasons.Reason`. What is said
    of OPT is empty where its cache is not shown; ``prediction`` is what came with the request.
    """

    page: int
    hit: bool
    victims: tuple[int, ...]
    cells: str
    optimum_cells: str
    faults: int
    optimum: int
    phase: int
    numbers: str = ""
    why: str = ""
    optimum_numbers: str = ""
    optimum_why: str = ""
    prediction: int = 0


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
    start : int
        Number of requests before the first frame.
    reasons, optimum_reasons : Reasons or None
        Who says why pages leave the policy's cache and OPT's; None where nothing is said.
    predicted : str
        What is predicted with every request (:data:`paging.model.KINDS`); empty for nothing.
    beside : Film or None
        Another policy, or the same with another cache, on the same requests.
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
    start: int = 0
    predicted: str = ""
    beside: Film | None = None
    reasons: Reasons | None = field(default=None, repr=False, compare=False)
    optimum_reasons: Reasons | None = field(default=None, repr=False, compare=False)
    _faults: int = field(default=0, repr=False, compare=False)
    _phase: int = field(default=1, repr=False, compare=False)
    _marked: set[int] = field(default_factory=set, repr=False, compare=False)
    _bits: dict[int, int] = field(default_factory=dict, repr=False, compare=False)

    def add(self, step: Step, optimum_cells: str, optimum: int, other: Step | None = None) -> None:
        """Add the frame of one served request; ``other`` is what OPT did at it, where that is told."""
        if step.page not in self._marked and len(self._marked) == self.instance.cache:
            self._marked.clear()
            self._phase += 1
        self._marked.add(step.page)
        self._faults += not step.hit
        instance = self.instance
        self._bits[step.page] = step.prediction
        told = [(self.reasons, step), (self.optimum_reasons, other)]
        if step.time < self.start:
            for reasons, taken in told:
                if reasons and taken:
                    reasons.take(taken)
            return
        own, theirs = (reasons.of(taken) if reasons and taken else NOTHING for reasons, taken in told)
        if self._shows_bits:
            words = (str(self._bits[q]) if q in step.cache else ABSENT for q in range(instance.total_pages))
            own = Reason(" ".join(words), own.why)
        cells = "".join(
            ABSENT if q not in step.cache else MARKED if q in self._marked else CACHED
            for q in range(self.instance.total_pages)
        )
        self.frames.append(
            Picture(
                step.page, step.hit, step.victims, cells, optimum_cells, self._faults, optimum, self._phase,
                *own, *theirs, step.prediction,
            )
        )  # fmt: skip

    @property
    def _shows_bits(self) -> bool:
        """Whether the cells hold the pages' latest bits, as nothing else decides."""
        return self.predicted in ("discard", "phase") and not (self.reasons and self.reasons.title)

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
            "numbers_title": BIT if self._shows_bits else self.reasons.title if self.reasons else "",
            "optimum_numbers_title": self.optimum_reasons.title if self.optimum_reasons else "",
            "guides": [guide.as_dict() for guide in self.guides],
            "remark": self.remark,
            "seed": self.seed,
            "start": self.start,
            "predicted": self.predicted,
            "beside": self.beside.as_dict() if self.beside else None,
            "frames": [frame._asdict() for frame in self.frames],
        }

    def _repr_html_(self) -> str:
        instance = self.instance
        frames = list(enumerate(self.frames, self.start))
        shown = frames if len(frames) <= SHOWN else [*frames[: SHOWN - 1], frames[-1]]
        rows = [
            [
                str(time + 1),  # counted from 1, as the reasons do
                instance.page_name(frame.page),
                "hit" if frame.hit else "fault",
                _names(instance, frame.victims),
                frame.why,
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
            "because",
            f"cache of {self.policy}",
            "OPT's cache",
            "faults / OPT so far",
        ]
        note = "" if len(shown) == len(frames) else f" · {SHOWN - 1} of {len(frames):,} requests and the last"
        own = table(f"{self.policy} on {instance}{note}", header, rows)
        return own if self.beside is None else f"<div>{own}{self.beside._repr_html_()}</div>"


def work_function_cells(work: WorkFunction) -> str:
    """Return which pages every, some or no optimal cache holds after the requests so far."""
    return "".join(CACHED if label == work.cache else POSSIBLE if label else ABSENT for label in work.labels)


@checked
def film_of(
    run: Run,
    *,
    first: int | None = None,
    start: int = 0,
    opt_cache: int | None = None,
    remark: str = "",
    beside: Run | None = None,
) -> Film:
    """Return the film of a run, beside a farthest-in-future schedule of the same requests.

    Parameters
    ----------
    run : Run
        Sequential visits. A run that was not recorded is served again.
    first : int, optional
        Show so many requests only. OPT is then the optimum of the requests up to the last one shown.
    start : int, default 0
        Show none of the first so many requests, though all are served and counted.
    opt_cache : int, optional
        OPT's cache size h; default k.
    remark : str
        One more line above the picture.
    beside : Run, optional
        Another run on the same requests, to be shown in step; what is predicted may differ.

    Returns
    -------
    Film
        Farthest-in-future is optimal on every prefix, so its faults after a request are OPT so far.

    Raises
    ------
    LimitError
        More than 400,000 cells: requests × pages, of all runs.
    ModelError
        The run was not recorded and serving again gives another number of faults; ``beside`` served other
        requests; nothing comes after ``start``.

    Examples
    --------
    >>> from paging import simulate
    >>> film = film_of(simulate("lru", RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])))
    >>> film.frames[-1].cells, film.frames[-1].why
    ('-cm', 'least recently used, last asked for at request 1')
    """
    instance = run.sequence.instance
    run.sequence.require_full_visits("a film")
    start = whole_number(start, "start", 0, max(0, len(run.sequence) - 1))
    rest = len(run.sequence) - start
    length = rest if first is None else min(whole_number(first, "first", 0), rest)
    runs = 1 if beside is None else 2
    if length * instance.total_pages * runs > MAX_CELLS:
        fit = MAX_CELLS // instance.total_pages // runs
        raise LimitError(
            f"{length:,} requests × {instance.total_pages:,} pages are too many to show one by one: at most "
            f"{MAX_CELLS:,} cells; show at most {fit:,} requests at a time"
        )
    size = instance.cache if opt_cache is None else whole_number(opt_cache, "opt_cache (h)", 1)
    if beside is not None and beside.sequence.plain.with_cache(instance.cache) != run.sequence.plain:
        raise ModelError(
            f"{beside.policy} served other requests than {run.policy}: they cannot be shown in step"
        )
    film = _film(run, start, start + length, size, remark)
    if beside is not None:
        film.beside = _film(beside, start, start + length, size, "", optimum_shown=False)
    return film


def _film(run: Run, start: int, end: int, size: int, remark: str, *, optimum_shown: bool = True) -> Film:
    instance, sequence = run.sequence.instance, run.sequence.prefix(end)
    best = farthest_in_future(sequence.with_cache(size), record=True)
    title = "farthest in future" if run.served_by is None else run.served_by.title
    film = Film(
        instance, run.policy, title, size, "OPT's cache (farthest in future)",
        guides(instance, run.policy, size), remark, run.seed, start=start,
        predicted=sequence.kind or "",
        reasons=reasons_of(run.served_by or Farthest(end), instance),
        optimum_reasons=Reasons(Farthest(end), instance.with_cache(size)) if optimum_shown else None,
    )  # fmt: skip
    served = _steps(run, sequence)
    if run.served_by is None:
        served = with_future(sequence, served)
    optimum = 0
    for step, other in zip(served, with_future(sequence, best.schedule.steps()), strict=True):
        optimum += not other.hit
        shown = optimum_shown and step.time >= start
        cells = _plain_cells(other.cache, instance.total_pages) if shown else ""
        film.add(step, cells, optimum, other)
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
