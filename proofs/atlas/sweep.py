"""The sweep over subjects and instances: what is there already is not computed twice.

Every value is one job. A job writes its certificate, then its value; a sweep that was killed goes on where it
was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from paging.numbers import exact_text
from paging.parallel import Pool, stopped
from paging.signals import UNWATCHED, Count, Watch
from proofs.atlas.files import read_value, store_certificate, store_value, value_file
from proofs.atlas.shapes import Shape
from proofs.atlas.subjects import solver_of
from proofs.atlas.values import Value

Beyond = dict[tuple[str, int, int], int]
"""From how many pages a layer on the budget does not suffice, by subject, ℓ and k."""

IN_POOL = Watch(stop=stopped)
"""A worker gives up when the sweep does."""


def compute(folder: str | Path, subject: str, shape: Shape, max_states: int) -> Value | None:
    """Compute and store one value; return None when stopped before it was known."""
    root = Path(folder)
    found = solver_of(subject)(shape.instance, max_states, IN_POOL)
    if stopped() and found.value is None:
        return None
    certificate = None
    if found.value is not None and found.certificate is not None:
        certificate = store_certificate(root, subject, shape, found.certificate)
    value = Value(
        subject,
        *shape,
        exact_text(found.value),
        exact_text(found.lower),
        exact_text(found.additive),
        found.states,
        max_states,
        certificate,
    )
    store_value(root, value)
    return value


def sweep(
    folder: str | Path,
    subjects: Sequence[str],
    over: Sequence[Shape],
    *,
    max_states: int,
    workers: int,
    watch: Watch = UNWATCHED,
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
    watch : Watch
        Told how many of the values are done; asked to stop, what is under way is given up.

    Raises
    ------
    LostWorkerError
        A worker process was killed; called again, the sweep goes on where it was.
    """
    root = Path(folder)
    wanted = [(subject, shape) for shape in over for subject in subjects]
    beyond: Beyond = {}
    computed = settled = 0

    def missing() -> Iterator[tuple[Path, str, Shape, int]]:
        nonlocal settled
        for subject, shape in wanted:
            if _known(root, subject, shape, max_states, beyond):
                settled += 1
            else:
                yield root, subject, shape, max_states

    with Pool(workers) as pool:
        for value in pool.as_finished(_compute, missing(), watch.stop):
            settled += 1
            if value is not None:
                computed += 1
                _note(value, beyond)
            watch.tell(Count(settled, len(wanted)))
    return computed


def _compute(job: tuple[Path, str, Shape, int]) -> Value | None:
    return compute(*job)


def _known(root: Path, subject: str, shape: Shape, max_states: int, beyond: Beyond) -> bool:
    """Say whether a value is there, or would not be found with this budget."""
    path = value_file(root, subject, shape)
    if path.exists():
        value = read_value(path)
        if value.value is not None or value.max_states >= max_states:
            _note(value, beyond)
            return True
    return shape.pages > beyond.get((subject, shape.layers, shape.cache), shape.pages)


def _note(value: Value, beyond: Beyond) -> None:
    """Remember from how many pages a layer on the budget does not suffice."""
    if value.value is None:
        key = (value.subject, value.layers, value.cache)
        beyond[key] = min(value.pages, beyond.get(key, value.pages))
