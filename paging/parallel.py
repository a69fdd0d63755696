"""Work spread over threads, or over processes: one pool, whose workers leave signals to who started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from itertools import islice
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import TypeVar

from paging.signals import UNWATCHED, Count, Watch

Job = TypeVar("Job")
Result = TypeVar("Result")

_stop: Event | None = None
"""In a worker: set when whoever started it wants no more."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stopped() -> bool:
    """Say, in a worker, whether to give up what is under way: for :attr:`paging.signals.Watch.stop`."""
    return _stop is not None and _stop.is_set()


def _begin(stop: Event) -> None:
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends the work
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Pool:
    """Worker processes, to be used as a context: at its end those under way are asked to stop.

    Parameters
    ----------
    workers : int
        Processes.
    """

    def __init__(self, workers: int) -> None:
        # Spawned, not forked: threads and compiled code do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.workers = workers
        self._stop = context.Event()
        self._executor = ProcessPoolExecutor(workers, context, _begin, (self._stop,))

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._executor.shutdown(cancel_futures=True)

    def in_order(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Return the results of all jobs in their order."""
        return self._executor.map(work, jobs)

    def as_finished(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], stop: Callable[[], bool]
    ) -> Iterator[Result]:
        """Yield results as they come.

        Parameters
        ----------
        work : callable
            Asks :func:`stopped` now and then.
        jobs : iterable
            Read only so far ahead that no worker is idle, so later jobs may depend on earlier results.
        stop : callable
            Asked now and then; True begins no further jobs and makes :func:`stopped` true in the workers.
        """
        waiting = iter(jobs)
        running: set[Future[Result]] = set()
        while True:
            if not self._stop.is_set():
                ahead = islice(waiting, 2 * self.workers - len(running))
                running |= {self._executor.submit(work, job) for job in ahead}
            if not running:
                return
            finished, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
            if stop():
                self._stop.set()


def each(
    pool: Pool | None, work: Callable[[Job], Result], jobs: Sequence[Job], watch: Watch = UNWATCHED
) -> Iterator[Result]:
    """Yield the results of all jobs in their order; without a pool they are done in this process."""
    watch.tell(Count(0, len(jobs)))
    results = map(work, jobs) if pool is None else pool.in_order(work, jobs)
    for done, result in enumerate(results, start=1):
        watch.tell(Count(done, len(jobs)))
        yield result


def in_threads(
    jobs: Sequence[Callable[[], Result]], workers: int | None = None, watch: Watch = UNWATCHED
) -> list[Result]:
    """Do all jobs in threads (compiled code holds no interpreter lock); results come in the jobs' order.

    Parameters
    ----------
    jobs : sequence of callable
    workers : int, optional
        Threads; default one for every core this process may use.
    watch : Watch
        Told how many are done.
    """
    pool = ThreadPoolExecutor(min(workers or cores(), max(1, len(jobs))))
    try:
        futures: list[Future[Result]] = [pool.submit(job) for job in jobs]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            watch.tell(Count(done, len(jobs)))
        return [future.result() for future in futures]
    finally:
        # After an error or an interrupt nobody wants the jobs that have not begun.
        pool.shutdown(wait=False, cancel_futures=True)
