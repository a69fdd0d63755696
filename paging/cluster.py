"""Jobs on a running Dask cluster (extra ``cluster``): the workers compute, this process decides and stores.

A scheduler that goes away is waited for and what was under way is handed out again; workers that come and go
are Dask's concern. Dask is imported where somebody names a scheduler, never before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from operator import call
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

from paging.errors import LayeredPagingError
from paging.parallel import ASK_EVERY, Failure, unwanted
from paging.provenance import code

Job = TypeVar("Job")
Result = TypeVar("Result")

CONNECT_WITHIN, RETURN_WITHIN = 10.0, 120.0
"""Seconds for a scheduler to answer at first, and to come back when it has gone away."""

LOOK_EVERY = 1.0
"""Seconds between two questions how many workers there are, and whether the scheduler is."""

AHEAD = 16
"""Jobs handed out for every one that a worker can do at a time, so that none waits for the network."""

AGAIN = object()
"""What came of a job that the cluster forgot."""


class ClusterError(LayeredPagingError, RuntimeError):
    """A cluster cannot be reached, or is not one that these jobs may run on."""


class OtherCodeError(LayeredPagingError, RuntimeError):
    """A worker has other code than who gave it a job."""


class Cluster:
    """A running Dask cluster, to be used as a context.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``tcp://10.0.0.1:8786``. Certificates for ``tls://`` are those of Dask's own
        configuration.
    tell : callable
        Told in a line when workers or the scheduler are waited for.

    Raises
    ------
    ClusterError
        There is no Dask, no scheduler answers, or a worker has other code than this process.
    """

    def __init__(self, address: str, tell: Callable[[str], None] = lambda line: None) -> None:
        try:
            import distributed
        except ImportError as error:
            raise ClusterError(
                f"a cluster needs Dask ({error}): pip install 'layered-paging[cluster]'"
            ) from error
        _hush()
        self.address = address
        self._tell = tell
        self._distributed = distributed
        self._client = self._connect(CONNECT_WITHIN)
        try:
            self._refuse_other_code()
        except BaseException:
            self._client.close(timeout=1)
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close(timeout=1)

    @property
    def dashboard(self) -> str:
        """Where Dask shows what the cluster does."""
        return str(self._client.dashboard_link)

    @property
    def threads(self) -> int:
        """How many jobs the workers do at the same time."""
        return sum(self._client.nthreads().values())

    def as_finished(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Yield every job with its result, as :class:`paging.parallel.Engine` says.

        Raises
        ------
        ClusterError
            The scheduler went away and has not come back, or a worker with other code has come.
        """
        waiting = iter(jobs)
        again: list[Job] = []
        running: dict[Any, Job] = {}
        finished: SimpleQueue[Any] = SimpleQueue()
        threads: int | None = None
        looked = 0.0
        while not stop():
            now = time.monotonic()
            if now - looked > LOOK_EVERY:
                looked, before = now, threads
                threads = self._look()
                if threads is None:
                    again += running.values()
                    running.clear()
                    if not self._reconnect(stop):
                        return
                    continue
                if threads == 0 != before:
                    self._tell(f"cluster {self.address} has no workers; waiting for some")
            room = AHEAD * max(1, threads or 0) - len(running)
            batch = list(islice(chain(_taken(again), waiting), max(0, room)))
            tasks = [partial(_do, code(), work, job) for job in batch]
            for job, future in zip(
                batch, self._client.map(call, tasks, pure=False, key="paging"), strict=True
            ):
                running[future] = job
                future.add_done_callback(finished.put)
            if not running:
                return
            # Of a scheduler that is gone there may be some that are not running any more.
            came = [future for future in _waiting(finished) if future in running]
            for future, outcome in zip(came, self._outcomes(came), strict=True):
                job = running.pop(future)
                if outcome is AGAIN:
                    again.append(job)
                else:
                    yield job, outcome

    def _look(self) -> int | None:
        """Return how many jobs are done at a time, None where the scheduler does not answer."""
        try:
            return self.threads if self._client.status == "running" else None
        except Exception:  # whatever it is
            return None

    def _outcomes(self, futures: list[Any]) -> list[Any]:
        """Return what came of jobs, :data:`AGAIN` for those that have to be handed out again."""
        done = [future for future in futures if future.status == "finished"]
        try:
            results = dict(zip(done, self._client.gather(done), strict=True))  # in one go
        except Exception:  # a worker or the scheduler went away with a result
            results = {}
        return [results[future] if future in results else self._problem(future) for future in futures]

    def _problem(self, future: Any) -> object:
        """Return what is wrong with a job that has no result."""
        if future.status != "error":
            return AGAIN
        try:
            error = future.exception(timeout=LOOK_EVERY)
        except Exception:  # the scheduler went away with it
            return AGAIN
        if isinstance(error, OtherCodeError):
            raise ClusterError(str(error)) from error
        if isinstance(error, self._distributed.scheduler.KilledWorker):
            return Failure("every worker that did it was killed, perhaps for lack of memory", memory=True)
        return Failure(f"{type(error).__name__}: {error}")

    def _connect(self, seconds: float) -> Any:
        try:
            # Of an address that is none, a client would be left half made, and complain late.
            self._distributed.comm.get_address_host_port(self.address)
            client = self._distributed.Client(self.address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(f"no scheduler answers at {self.address}: {_first_line(error)}") from None
        return client

    def _reconnect(self, stop: Callable[[], bool]) -> bool:
        """Wait for the scheduler; return False if asked to stop meanwhile."""
        self._client.close(timeout=1)
        self._tell(f"the scheduler at {self.address} went away; waiting for it")
        deadline = time.monotonic() + RETURN_WITHIN
        while not stop():
            try:
                self._client = self._connect(LOOK_EVERY)
            except ClusterError:
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"the scheduler at {self.address} went away; what has been computed is kept, run the "
                        "command again to go on"
                    ) from None
                time.sleep(ASK_EVERY)
            else:
                return True
        return False

    def _refuse_other_code(self) -> None:
        for worker, found in self._client.run(code, on_error="return").items():
            if found != code():
                raise ClusterError(_other_code(worker, found, code()))


def _hush() -> None:
    """Keep Dask from logging: what matters is told in one line."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _waiting(queue: SimpleQueue[Any]) -> Iterator[Any]:
    """Wait for a moment until there is something in a queue, and take all that is there."""
    with suppress(Empty):
        yield queue.get(timeout=ASK_EVERY)
        while True:
            yield queue.get_nowait()


def _taken(jobs: list[Job]) -> Iterator[Job]:
    while jobs:
        yield jobs.pop()


def _other_code(worker: str, found: object, wanted: str) -> str:
    has = f"{type(found).__name__}: {found}" if isinstance(found, Exception) else f"layered-paging {found}"
    return (
        f"worker {worker} has {has}, but this is {wanted}: it is given no jobs, and the cluster is not used"
    )


def _do(wanted: str, work: Callable[[Job], Result], job: Job) -> Result:
    """Do a job in a worker of the cluster."""
    from distributed import get_worker

    worker = get_worker()
    if code() != wanted:
        raise OtherCodeError(_other_code(worker.address, code(), wanted))
    key = worker.get_current_task()

    def given_up() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    before = unwanted.set(given_up)
    try:
        return work(job)
    finally:
        unwanted.reset(before)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
