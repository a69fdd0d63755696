"""The sweep over subjects and instances: what is there already is not computed twice.

Every value is one job. A job writes its certificate, then its value; a sweep that was killed goes on where it
was.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from paging.numbers import ratio_text
from proofs.atlas.files import read_value, store_certificate, store_value, value_file
from proofs.atlas.places import Place
from proofs.atlas.subjects import solver_of
from proofs.atlas.values import Value

Beyond = dict[tuple[str, int, int], int]
"""From how many pages a layer on the budget does not suffice, by subject, ℓ and k."""

_stop: Any = None


def _begin(event: Any) -> None:
    """Set up a worker: Ctrl-C is for the parent, which sets the event."""
    global _stop
    _stop = event
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stopped() -> bool:
    return _stop is not None and bool(_stop.is_set())


def compute(folder: str | Path, subject: str, place: Place, max_states: int) -> Value | None:
    """Compute and store one value; return None when stopped before it was known."""
    root = Path(folder)
    found = solver_of(subject)(place.instance, max_states, _stopped)
    if _stopped() and found.value is None:
        return None
    certificate = None
    if found.value is not None and found.certificate is not None:
        certificate = store_certificate(root, subject, place, found.certificate)
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
    store_value(root, value)
    return value


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
    beyond: Beyond = {}
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
                    running.add(pool.submit(compute, root, subject, place, max_states))
            finished, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            for value in filter(None, (future.result() for future in finished)):
                computed += 1
                _note(value, beyond)
            report(at - len(running), len(jobs))
            if stop():
                event.set()
    return computed


def _known(root: Path, subject: str, place: Place, max_states: int, beyond: Beyond) -> bool:
    """Say whether a value is there, or would not be found with this budget."""
    path = value_file(root, subject, place)
    if path.exists():
        value = read_value(path)
        if value.value is not None or value.max_states >= max_states:
            _note(value, beyond)
            return True
    return place.pages > beyond.get((subject, place.layers, place.cache), place.pages)


def _note(value: Value, beyond: Beyond) -> None:
    """Remember from how many pages a layer on the budget does not suffice."""
    if value.value is None:
        key = (value.subject, value.layers, value.cache)
        beyond[key] = min(value.pages, beyond.get(key, value.pages))
