"""Work spread over threads, or over processes: one pool, whose workers leave signals to who started them.

An :class:`Engine` does jobs: :class:`Here` in this process, :class:`Pool` in processes of this machine,
:class:`paging.cluster.Cluster` in those of a Dask cluster.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from itertools import count, islice
from multiprocessing.synchronize import Event
from threading import Thread
from types import TracebackType
from typing import NamedTuple, Protocol, TypeVar

from paging.errors import LayeredPagingError
from paging.signals import UNWATCHED, Count, StoppedError, Watch

Job = TypeVar("Job")
Result = TypeVar("Result")

ASK_EVERY, PATIENCE = 0.2, 0.5
"""Seconds between two questions whether to stop, and those that workers get to end what they are doing."""

unwanted: ContextVar[Callable[[], bool]] = ContextVar("unwanted", default=lambda: False)
"""In a worker: says whether whoever started it wants no more."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stopped() -> bool:
    """Say, in a worker, whether to give up what is under way: for :attr:`paging.signals.Watch.stop`."""
    return unwanted.get()()


class Failure(NamedTuple):
    """What came of a job instead of a result."""

    reason: str
    """In one line."""
    memory: bool = False
    """Whether the lack of memory may be the reason: alone it may succeed."""


class Engine(Protocol):
    """What jobs are done by."""

    def as_finished(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Yield every job with its result as they come; where a worker was lost in the middle, a failure.

        Parameters
        ----------
        work : callable
            Raises nothing. It asks :func:`stopped` now and then.
        jobs : iterable
            Read only so far ahead that no worker is idle, so later jobs may depend on earlier results.
        stop : callable
            Asked now and then; True begins no further jobs and makes :func:`stopped` true in the workers.
            What they have not finished soon after is given up.
        """
        ...


class Here:
    """This process: no worker, no start-up time, and nothing that can be lost."""

    def as_finished(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Yield every job with its result, as :class:`Engine` says."""
        before = unwanted.set(stop)
        try:
            for job in jobs:
                if stop():
                    return
                yield job, work(job)
        finally:
            unwanted.reset(before)


LOST = "a worker process was killed, perhaps for lack of memory"
"""What is known of a job whose worker is gone."""


class LostWorkerError(LayeredPagingError, RuntimeError):
    """A worker process was killed, and with it the work that was under way."""

    def __init__(self) -> None:
        super().__init__(f"{LOST}; run the command again")


class WorkerStartError(LayeredPagingError, RuntimeError):
    """Worker processes end before they could do anything."""

    def __init__(self) -> None:
        super().__init__(
            "worker processes cannot be started: they ended before they could do anything, perhaps for lack "
            "of memory or processes; a script that uses them does so under if __name__ == '__main__', and is "
            "a file"
        )


@contextmanager
def _no_worker_lost() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise LostWorkerError from error


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # nobody is left who could want the result


def _begin(stop: Event, begun: Event) -> None:
    begun.set()
    unwanted.set(stop.is_set)
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends the work
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep Ctrl-C from processes started meanwhile: they import before they can say that they ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _import(module: str) -> None:
    import_module(module)


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
        self._begun = context.Event()
        self._start = partial(ProcessPoolExecutor, workers, context, _begin, (self._stop, self._begun))
        self._executor = self._start()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        busy = kind is not None or self._stop.is_set()
        self._stop.set()
        if busy:  # nobody wants what they are doing, and they may be doing it for long
            for worker in list((self._executor._processes or {}).values()):
                worker.terminate()
        self._executor.shutdown(cancel_futures=True)
        # A process that is left without Python's own end frees the events' semaphores only here.
        del self._executor, self._start, self._stop, self._begun

    def prepare(self, module: str) -> None:
        """Let every worker start and import a module, while this process does something else."""
        for _ in range(self.workers):
            self._submit(_import, module)

    def in_order(
        self, work: Callable[[Job], Result], jobs: Sequence[Job], stop: Callable[[], bool] = UNWATCHED.stop
    ) -> Iterator[Result]:
        """Yield the results of all jobs in their order.

        Raises
        ------
        LostWorkerError
            A worker was killed.
        StoppedError
            Asked now and then, ``stop`` said so.
        """
        with _no_worker_lost():
            with _unheard():
                futures = [self._executor.submit(work, job) for job in jobs]
            for future in futures:
                while not wait([future], timeout=ASK_EVERY).done:
                    if stop():
                        raise StoppedError
                yield future.result()

    def as_finished(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Yield every job with its result, as :class:`Engine` says.

        Who kills a worker ends all of them, and what they are doing has failed; others take their place.

        Raises
        ------
        WorkerStartError
            No worker could begin.
        """
        waiting = iter(jobs)
        running: dict[Future[Result], Job] = {}
        asked = 0.0
        while True:
            if not self._stop.is_set():
                for job in islice(waiting, 2 * self.workers - len(running)):
                    running[self._submit(work, job)] = job
            if not running:
                return
            for future in wait(running, timeout=ASK_EVERY, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                try:
                    outcome: Result | Failure = future.result()
                except BrokenProcessPool as error:
                    if not self._begun.is_set():
                        raise WorkerStartError from error
                    outcome = Failure(LOST, memory=True)
                yield job, outcome
            if stop():
                self._stop.set()
                asked = asked or time.monotonic()
                if time.monotonic() - asked > PATIENCE:
                    return

    def _submit(self, work: Callable[[Job], Result], job: Job) -> Future[Result]:
        with _unheard():
            try:
                return self._executor.submit(work, job)
            except BrokenProcessPool:
                self._executor.shutdown(wait=False)
                self._executor = self._start()
                return self._executor.submit(work, job)


def each(
    pool: Pool | None, work: Callable[[Job], Result], jobs: Sequence[Job], watch: Watch = UNWATCHED
) -> Iterator[Result]:
    """Yield the results of all jobs in their order; without a pool they are done in this process.

    Raises
    ------
    StoppedError
        Whoever watches wants no more.
    LostWorkerError
        A worker was killed.
    """
    watch.look(Count(0, len(jobs)))
    results = map(work, jobs) if pool is None else pool.in_order(work, jobs, watch.stop)
    for done, result in enumerate(results, start=1):
        watch.look(Count(done, len(jobs)))
        yield result


def in_threads(
    jobs: Sequence[Callable[[], Result]], workers: int | None = None, watch: Watch = UNWATCHED
) -> list[Result | None]:
    """Do all jobs in threads (compiled code holds no interpreter lock); results come in the jobs' order.

    Parameters
    ----------
    jobs : sequence of callable
    workers : int, optional
        Threads; default one for every core this process may use.
    watch : Watch
        Told how many are done.

    Returns
    -------
    list
        None for a job that was not finished when whoever watches wanted no more.
    """
    pool = ThreadPoolExecutor(min(workers or cores(), max(1, len(jobs))))
    try:
        futures: list[Future[Result]] = [pool.submit(job) for job in jobs]
        running, counted = set(futures), count(1)
        while running and not watch.stop():
            finished, running = wait(running, timeout=ASK_EVERY, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                watch.tell(Count(next(counted), len(jobs)))
        return [future.result() if future.done() else None for future in futures]
    finally:
        # After an error or an interrupt nobody wants the jobs that have not begun.
        pool.shutdown(wait=False, cancel_futures=True)
