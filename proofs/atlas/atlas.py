"""The atlas: exact competitive ratios of policies, and of the best policy, over all small instances.

Every value is one job. A job writes its certificate, then its value, each file complete or not there at all;
a sweep that was killed goes on where it was, and no value is computed twice.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from paging.certificate import Certificate, write_certificate
from paging.errors import LayeredPagingError, ModelError
from paging.files import atomic_write
from paging.model import LayeredInstance
from paging.numbers import json_text, ratio_text
from paging.policy import get_policy
from proofs.ratio.distributions import PROCESSES

DEFAULT_SUBJECTS = ("lru", "llru", "llru-lazy", "llru-token", "fifo", "clock", "fwf", "zrc")

MARK = "layered-paging atlas"
"""What the file says that makes a folder an atlas."""


class AtlasError(LayeredPagingError, ValueError):
    """A folder is no atlas, or one of its files is damaged."""


class Place(NamedTuple):
    """An instance with equal layers: ℓ, n, k."""

    layers: int
    pages: int
    cache: int

    @property
    def instance(self) -> LayeredInstance:
        """The instance."""
        return LayeredInstance(self.layers, self.pages, self.cache)

    @property
    def file(self) -> str:
        """Its name in the folders of an atlas.

        >>> Place(2, 3, 4).file
        'l2-n3-k4'
        """
        return f"l{self.layers}-n{self.pages}-k{self.cache}"


@dataclass(frozen=True)
class Value:
    """One exact value, or the interval known of it.

    Attributes
    ----------
    subject : str
        A policy, ``zrc-any-tie`` for the rule of ZRC with ties broken by the adversary, or ``game`` for the
        best deterministic policy.
    layers, pages, cache : int
        ℓ, n, k.
    value : str or None
        ``"p/q"`` or ``"unbounded"``; None where the budget did not suffice.
    lower : str or None
        What is proved from below.
    additive : str or None
        The least additive constant that goes with the value.
    states : int
        Size of the graph, or what was seen of it.
    max_states : int
        The budget.
    certificate : str or None
        File of the certificate, relative to the atlas.
    """

    subject: str
    layers: int
    pages: int
    cache: int
    value: str | None
    lower: str | None
    additive: str | None
    states: int
    max_states: int
    certificate: str | None

    @property
    def place(self) -> Place:
        """The instance it is about."""
        return Place(self.layers, self.pages, self.cache)

    @property
    def number(self) -> Fraction | float | None:
        """The value as a number; ``inf`` for unbounded."""
        return (
            None
            if self.value is None
            else float("inf")
            if self.value == "unbounded"
            else Fraction(self.value)
        )


def places(max_pages: int, layers: Iterable[int]) -> list[Place]:
    """Return all instances with n ≥ 2, ℓ·n ≤ ``max_pages`` and 1 ≤ k < ℓ·n, smaller ones first.

    >>> places(4, (1, 2))[:3]
    [Place(layers=1, pages=2, cache=1), Place(layers=1, pages=3, cache=1), Place(layers=1, pages=3, cache=2)]
    """
    found = [
        Place(ell, n, k) for ell in layers for n in range(2, max_pages // ell + 1) for k in range(1, ell * n)
    ]
    return sorted(found, key=lambda place: (place.layers * place.pages, place))


# -------------------------------------------------------------------------------------------- one value

_stop: Any = None


def _begin(event: Any) -> None:
    """Set up a worker: Ctrl-C is for the parent, which sets the event."""
    global _stop
    _stop = event
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stopped() -> bool:
    return _stop is not None and bool(_stop.is_set())


class Found(NamedTuple):
    """What a solver says of a subject on an instance."""

    value: Fraction | float | None
    lower: Fraction | float | None
    additive: Fraction | None
    states: int
    certificate: Certificate | None


def _policy_value(subject: str, instance: LayeredInstance, max_states: int) -> Found:
    from proofs.ratio.competitive import competitive_ratio

    found = competitive_ratio(subject, instance, max_states=max_states, stop=_stopped)
    proved = None if found.cycle is None else found.certificate()
    return Found(found.ratio, found.lower, found.additive, found.states, proved)


def _game_value(subject: str, instance: LayeredInstance, max_states: int) -> Found:
    from proofs.game.value import solve_game

    found = solve_game(instance, max_states=max_states, stop=_stopped)
    proved = None if found.value is None else found.certificate()
    return Found(found.value, found.lower, None, found.states, proved)


def _rule_value(subject: str, instance: LayeredInstance, max_states: int) -> Found:
    from proofs.game.value import rule_ratio

    found = rule_ratio(subject.removesuffix(ANY_TIE), instance, max_states=max_states, stop=_stopped)
    proved = found.certificate() if isinstance(found.ratio, Fraction) else None
    return Found(found.ratio, found.ratio, None, found.states, proved)


ANY_TIE = "-any-tie"

SOLVERS: dict[str, Callable[[str, LayeredInstance, int], Found]] = {
    f"zrc{ANY_TIE}": _rule_value,
    "game": _game_value,
}
"""Subjects that are no policies, with what solves them."""

ALL_SUBJECTS = (*DEFAULT_SUBJECTS, *SOLVERS)
"""What an atlas holds if nothing else is asked for."""


def compute(folder: str, subject: str, place: Place, max_states: int) -> Value | None:
    """Compute and store one value; return None when stopped before it was known."""
    root = Path(folder)
    found = SOLVERS.get(subject, _policy_value)(subject, place.instance, max_states)
    if _stopped() and found.value is None:
        return None
    certificate = None
    if found.value is not None and found.certificate is not None:
        target = root / "certificates" / slug(subject) / f"{place.file}.json.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_certificate(found.certificate, target)
        certificate = target.relative_to(root).as_posix()
    value = Value(
        subject,
        *place,
        ratio_text(found.value),
        ratio_text(found.lower),
        ratio_text(found.additive),
        found.states,
        max_states,
        certificate,
    )
    target = _value_file(root, subject, place)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as stream:
        stream.write(json_text(asdict(value)) + "\n")
    return value


def slug(subject: str) -> str:
    """Return a subject as a folder's name.

    >>> slug("partitioned:policy=fifo,shares=1/2")
    'partitioned-policy-fifo-shares-1-2'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", subject)


def _value_file(root: Path, subject: str, place: Place) -> Path:
    return root / "values" / slug(subject) / f"{place.file}.json"


# ------------------------------------------------------------------------------------------- the sweep


def open_atlas(folder: str | Path) -> Path:
    """Make a folder an atlas, or continue one.

    Raises
    ------
    AtlasError
        The folder holds something else.
    """
    root = Path(folder)
    sign = root / "README.txt"
    if sign.exists() and sign.read_text(encoding="utf-8").startswith(MARK):
        return root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise AtlasError(f"{folder}: neither an atlas nor an empty folder; nothing is written there")
    root.mkdir(parents=True, exist_ok=True)
    with atomic_write(sign) as stream:
        stream.write(
            f"{MARK}\n\nvalues/ and certificates/ hold a file per subject and instance; "
            "everything else is made from them.\n"
        )
    return root


def read_values(folder: str | Path) -> list[Value]:
    """Return all values of an atlas, ordered by subject and instance.

    Raises
    ------
    AtlasError
        A file is no value of an atlas.
    """
    values = [_read_value(path) for path in sorted(Path(folder).glob("values/*/*.json"))]
    return sorted(values, key=lambda value: (value.subject, value.place))


def _read_value(path: Path) -> Value:
    try:
        return Value(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise AtlasError(f"{path}: no value of an atlas ({error}); delete it to compute it again") from error


def check_subjects(subjects: Sequence[str]) -> None:
    """Raise unless every subject is a game, a rule or a policy with finitely many states."""
    for subject in subjects:
        if subject in SOLVERS:
            continue
        policy = get_policy(subject)
        if "finite-state" not in policy.traits or (policy.randomized and policy.name not in PROCESSES):
            raise ModelError(f"policy {policy.name} has no graph of finitely many states")


def sweep(
    folder: str | Path,
    subjects: Sequence[str],
    over: Sequence[Place],
    *,
    max_states: int,
    workers: int,
    report: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Compute every value that is not there yet; return how many were computed.

    Where a budget did not suffice for n pages a layer it is not tried for more: the smaller graph is part of
    the larger one.

    Parameters
    ----------
    folder : path
        An atlas (:func:`open_atlas`).
    subjects, over
        Whom and where.
    max_states : int
        Budget of one value; values that failed with a smaller one are tried again.
    workers : int
        Processes.
    report : callable
        Told (done, total).
    stop : callable
        Asked now and then; True ends the sweep, and what is under way is given up.
    """
    root = Path(folder)
    jobs = [(subject, place) for place in over for subject in subjects]
    beyond: dict[tuple[str, int, int], int] = {}
    computed = at = 0
    context = multiprocessing.get_context("spawn")
    event = context.Event()
    running: set[Future[Value | None]] = set()
    with ProcessPoolExecutor(workers, context, _begin, (event,)) as pool:
        while running or (at < len(jobs) and not event.is_set()):
            while at < len(jobs) and len(running) < 2 * workers and not event.is_set():
                subject, place = jobs[at]
                at += 1
                if not _known(root, subject, place, max_states, beyond):
                    running.add(pool.submit(compute, str(root), subject, place, max_states))
            finished, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            for value in filter(None, (future.result() for future in finished)):
                computed += 1
                _note(value, beyond)
            report(at - len(running), len(jobs))
            if stop():
                event.set()
    return computed


def _known(
    root: Path, subject: str, place: Place, max_states: int, beyond: dict[tuple[str, int, int], int]
) -> bool:
    """Say whether a value is there, or would not be found with this budget."""
    path = _value_file(root, subject, place)
    if path.exists():
        value = _read_value(path)
        if value.value is not None or value.max_states >= max_states:
            _note(value, beyond)
            return True
    return place.pages > beyond.get((subject, place.layers, place.cache), place.pages)


def _note(value: Value, beyond: dict[tuple[str, int, int], int]) -> None:
    """Remember from how many pages a layer on the budget does not suffice."""
    if value.value is None:
        key = (value.subject, value.layers, value.cache)
        beyond[key] = min(value.pages, beyond.get(key, value.pages))


# -------------------------------------------------------------------------------------- what it says


class Conjecture(NamedTuple):
    """A statement about one subject's values, with what it says where."""

    id: str
    subject: str
    statement: str
    value: Callable[[Place], Fraction | None]


def _lru(place: Place) -> Fraction | None:
    ell, _, k = place
    if 1 < k < ell:
        return Fraction(ell - 1, ell - k)
    if k == ell:
        return 2 - Fraction(1, ell)
    return Fraction(min(k, 2 * (k - ell) + 1)) if k > ell else None


def _best(place: Place) -> Fraction | None:
    ell, _, k = place
    if k == ell:
        return 2 - Fraction(1, ell)
    if k >= ell + 2 or (ell <= 2 and k > ell):
        return Fraction(k - ell + 1)
    return None


CONJECTURES = (
    Conjecture(
        "C1",
        "lru",
        "LRU: (ℓ−1)/(ℓ−k) for 1 < k < ℓ, 2 − 1/ℓ for k = ℓ, min(k, 2(k−ℓ)+1) for k > ℓ, with n large enough",
        _lru,
    ),
    Conjecture(
        "C2",
        "game",
        "the best deterministic ratio is k − ℓ + 1 for k ≥ ℓ + 2 (k > ℓ if ℓ ≤ 2), and 2 − 1/ℓ for k = ℓ",
        _best,
    ),
    Conjecture("C3", "zrc-any-tie", "ZRC attains the value of C2, however its ties are broken", _best),
)


class Evidence(NamedTuple):
    """A conjecture held against the atlas."""

    conjecture: Conjecture
    agree: tuple[Place, ...]
    disagree: tuple[tuple[Place, str], ...]


def evidence(values: Iterable[Value]) -> list[Evidence]:
    """Hold every conjecture against the values."""
    known = [value for value in values if value.value is not None]
    found = []
    for conjecture in CONJECTURES:
        about = [
            (value, expected)
            for value in known
            if value.subject == conjecture.subject and (expected := conjecture.value(value.place)) is not None
        ]
        found.append(
            Evidence(
                conjecture,
                tuple(value.place for value, expected in about if value.number == expected),
                tuple(
                    (value.place, str(value.value)) for value, expected in about if value.number != expected
                ),
            )
        )
    return found


def comparison(values: Iterable[Value]) -> tuple[list[str], list[list[object]]]:
    """Return header and rows of the table: per instance the value of every subject beside the bounds."""
    by_place: dict[Place, dict[str, str | None]] = defaultdict(dict)
    subjects: dict[str, None] = {}
    for value in values:
        subjects[value.subject] = None
        by_place[value.place][value.subject] = value.value
    order = [s for s in (*DEFAULT_SUBJECTS, *SOLVERS) if s in subjects]
    order += [s for s in subjects if s not in order]
    rows: list[list[object]] = [
        [
            *place,
            place.cache - place.layers + 1,
            *(found.get(s) for s in order),
            place.cache + place.layers - 1,
        ]
        for place, found in sorted(by_place.items())
    ]
    return ["ℓ", "n", "k", "k − ℓ + 1", *order, "k + ℓ − 1"], rows


def write_tables(folder: str | Path) -> list[Path]:
    """Write atlas.json, atlas.csv and atlas.md from the values that are there; return the files."""
    root = Path(folder)
    values = read_values(root)
    header, rows = comparison(values)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    contents = {
        "atlas.json": json_text({"values": [asdict(value) for value in values]}) + "\n",
        "atlas.csv": stream.getvalue(),
        "atlas.md": "\n".join(lines) + "\n",
    }
    for name, content in contents.items():
        with atomic_write(root / name) as stream_out:
            stream_out.write(content)
    return [root / name for name in contents]
