"""Jobs whose results stay: each is done once, whoever asks for it and whatever is killed in between.

A job is pure: what it gives depends on what it is alone, so its *address*, a digest of what it is, stands for
its result. A result lands in a folder completely or not at all; what has landed is never computed again.
Several processes may work at one folder: what one of them is doing, the others leave to it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from paging.errors import LayeredPagingError
from paging.files import atomic_write
from paging.parallel import ASK_EVERY, Engine, Failure
from paging.policy import failed_policy
from paging.signals import Pace, StoppedError, Watch

if sys.platform != "win32":
    import fcntl

Job = TypeVar("Job")
Result = TypeVar("Result")
J = TypeVar("J", contravariant=True)
R = TypeVar("R", contravariant=True)

CLAIMS = ".claims"
"""File of a folder whose bytes are locked: one for every job that a living process is doing."""


class FolderError(LayeredPagingError, ValueError):
    """A folder holds something else than what is to be written there."""


def open_folder(folder: str | Path, mark: str, about: str) -> Path:
    """Make an empty folder one for results, or continue one.

    Parameters
    ----------
    folder : path
    mark : str
        What the first line of its README.txt says, from which it is known again.
    about : str
        What else stands there.

    Raises
    ------
    FolderError
        It holds something else.
    """
    root = Path(folder)
    sign = root / "README.txt"
    if sign.is_file() and sign.read_text(encoding="utf-8", errors="replace").startswith(mark):
        return root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise FolderError(f"{folder}: neither a {mark} nor an empty folder; nothing is written there")
    root.mkdir(parents=True, exist_ok=True)
    with atomic_write(sign) as stream:
        stream.write(f"{mark}\n\n{about}\n")
    return root


def address_of(plain: object) -> str:
    """Return the address of a job: sha256, in hex, of what it is, given as plain values.

    >>> address_of({"policy": "lru", "k": 2}) == address_of({"k": 2, "policy": "lru"})
    True
    """
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Ledger(Protocol[J, R]):
    """The results that are there already."""

    root: Path
    """The folder that they lie in."""

    def address(self, job: J) -> str:
        """Return the address of a job."""
        ...

    def known(self, job: J) -> bool:
        """Say whether nothing is left to be done: its result has landed, or none is wanted any more."""
        ...

    def land(self, job: J, result: R) -> None:
        """Store a result, completely or not at all."""
        ...


@dataclass
class Tally(Generic[Job]):
    """What became of jobs.

    Attributes
    ----------
    computed : int
        How many were done now.
    known : int
        How many had been done already, or were done by somebody else meanwhile.
    failed : list of (job, reason)
        Those that gave no result; asked for again they are tried again.
    """

    computed: int = 0
    known: int = 0
    failed: list[tuple[Job, str]] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """How many are done with."""
        return self.computed + self.known + len(self.failed)


def carry_out(
    jobs: Iterable[Job],
    work: Callable[[Job], Result | None],
    ledger: Ledger[Job, Result],
    engine: Engine,
    watch: Watch,
    total: int,
) -> Tally[Job]:
    """Do every job whose result is not there yet.

    A job that may have failed for lack of memory is tried once more when all others are done, with nothing
    beside it; whatever else goes wrong in one job, the others are done.

    Parameters
    ----------
    jobs : iterable
        In the order in which they shall be begun; read only as far as needed.
    work : callable
        Returns None when it was stopped before it knew the result. What it raises is the reason of a failure.
    ledger : Ledger
    engine : Engine
    watch : Watch
        Told the :class:`~paging.signals.Pace`; asked to stop, what is under way is given up.
    total : int
        How many jobs there are.
    """
    tally: Tally[Job] = Tally()
    begun = time.monotonic()
    suspects: list[Job] = []
    elsewhere: list[Job] = []

    def settle() -> None:
        watch.tell(Pace(tally.settled, total, tally.computed, time.monotonic() - begun))

    with _claims(ledger.root / CLAIMS) as claims:

        def missing(wanted: Iterable[Job]) -> Iterator[Job]:
            for job in wanted:
                if ledger.known(job):
                    tally.known += 1
                elif not claims.take(ledger.address(job)):
                    elsewhere.append(job)
                elif ledger.known(job):  # it landed before it was claimed
                    tally.known += 1
                    claims.give_back(ledger.address(job))
                else:
                    yield job

        def do(wanted: Iterable[Job], *, alone: bool = False) -> None:
            for job, outcome in engine.as_finished(partial(attempt, work), wanted, watch.stop):
                if isinstance(outcome, Failure):
                    if outcome.memory and not alone:
                        suspects.append(job)
                        continue
                    tally.failed.append((job, outcome.reason))
                elif outcome is not None:
                    ledger.land(job, outcome)
                    tally.computed += 1
                claims.give_back(ledger.address(job))
                settle()

        do(missing(jobs))
        while elsewhere and not watch.stop():
            time.sleep(ASK_EVERY)
            again, elsewhere[:] = list(elsewhere), []
            do(missing(again))
            settle()
        for job in suspects if not watch.stop() else ():
            do([job], alone=True)
    settle()
    return tally


def attempt(work: Callable[[Job], Result], job: Job) -> Result | Failure:
    """Do a job; what goes wrong becomes its outcome, in one line that every process can read."""
    try:
        return work(job)
    except StoppedError:
        raise
    except MemoryError:
        return Failure("out of memory", memory=True)
    except LayeredPagingError as error:
        return Failure(" ".join(str(error).split()))
    except Exception as error:  # of whoever wrote the policy, or of ours: the other jobs shall be done
        return Failure(failed_policy(error) or f"{type(error).__name__}: {error}")


class _Claims:
    """Which jobs this process is doing, told to all others by locks that end with it."""

    def __init__(self, opened: int | None) -> None:
        self._opened = opened

    def take(self, address: str) -> bool:
        """Say that this process does a job, unless another one does."""
        if self._opened is None:
            return True
        try:
            fcntl.lockf(self._opened, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(address))
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)  # a file system without locks
        return True

    def give_back(self, address: str) -> None:
        """Say that this process has done a job."""
        if self._opened is not None:
            try:
                fcntl.lockf(self._opened, fcntl.LOCK_UN, 1, _place(address))
            except OSError:
                return


def _place(address: str) -> int:
    """Return the byte that stands for a job: 60 bits of its address, as file systems count at most 63."""
    return int(address[:15], 16)


@contextmanager
def _claims(path: Path) -> Iterator[_Claims]:
    if sys.platform == "win32":
        yield _Claims(None)
        return
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        yield _Claims(opened)
    finally:
        os.close(opened)
