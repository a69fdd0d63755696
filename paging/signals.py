"""Watching long work: what it tells of itself, and stopping it between two of its steps."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple


class StoppedError(Exception):
    """Raised inside long work when whoever watches wants no more; caught where what is known is kept."""


class Count(NamedTuple):
    """News of work whose length is known."""

    done: float
    total: float
    label: str | None = None
    """What is being done now, where that changes."""

    def __str__(self) -> str:
        return f"{self.done:,} of {self.total:,}" if self.label is None else self.label


class Pace(NamedTuple):
    """News of many jobs: how many are done, how fast, and how long the rest will take.

    >>> str(Pace(120, 400, done_now=100, seconds=40.0))
    '120 of 400 done, 2.5 a second, 1 min 52 s left'
    >>> str(Pace(9, 9, 0, 0.0))
    '9 of 9 done'
    """

    done: int
    total: int
    done_now: int
    """How many were not done before."""
    seconds: float
    """Since when."""

    def __str__(self) -> str:
        text = f"{self.done:,} of {self.total:,} done"
        if not self.done_now or not self.seconds:
            return text
        rate = self.done_now / self.seconds
        speed = f"{rate:,.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"
        left = round((self.total - self.done) / rate)
        hours, minutes = divmod(left // 60, 60)
        parts = ((hours, "h"), (minutes, "min"), (left % 60, "s"))
        words = " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
        return f"{text}, {speed}, {words} left"


@dataclass(frozen=True)
class Watch:
    """Whoever watches long work: hears how it is coming along, and may ask it to stop.

    Attributes
    ----------
    tell : callable
        Told the news now and then: a :class:`Count`, or anything whose text says where the work is.
        The default says nothing.
    stop : callable
        Asked now and then; True ends the work with what is known. The default never does.

    Examples
    --------
    >>> watch = Watch(print, stop=lambda: True)
    >>> watch.tell(Count(3, 10))
    3 of 10
    >>> watch.look("nearly done")
    Traceback (most recent call last):
    ...
    paging.signals.StoppedError
    """

    tell: Callable[[Any], None] = lambda news: None
    stop: Callable[[], bool] = lambda: False

    def look(self, news: object) -> None:
        """Tell the news, then go on unless asked to stop.

        Raises
        ------
        StoppedError
            Whoever watches wants no more.
        """
        self.tell(news)
        if self.stop():
            raise StoppedError


UNWATCHED = Watch()

INTERRUPTED = 130
"""Exit code of a process that a signal ended."""


ENDING = (signal.SIGINT, signal.SIGTERM)
"""Signals that ask to end."""

STOP_AFTER, LEAVE_AFTER = 1.0, 1.8
"""Seconds after a signal when a step that is still under way is broken off, and when the process is left."""
HEARD = 8.0
"""Seconds more for work that asked since and ends by itself: ends its workers, writes its table."""


class Stop:
    """Whether a signal asked long work to stop: what :attr:`Watch.stop` asks.

    Attributes
    ----------
    news : object
        The last news of the work, told where it ends in the middle of a step that nothing breaks off.
    """

    def __init__(self) -> None:
        self.news: object = None
        self._received: list[int] = []
        self._overdue = False
        self._heard = False
        self._done = threading.Event()

    def __call__(self) -> bool:
        self._heard = bool(self._received)
        return self._heard

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._overdue:
            self._overdue = False
            raise StoppedError
        self._received.append(number)
        if len(self._received) > 1:
            raise KeyboardInterrupt

    def _listen(self, wake: socket.socket) -> None:
        """Hear of a signal even while the main thread, where Python handles it, is inside compiled code."""
        with wake:
            while number := wake.recv(1):
                if number[0] in ENDING:
                    self._insist(number[0])
                    return

    def _insist(self, number: int) -> None:
        """End work that does not look whether to stop: first in the main thread, then without it."""
        if self._done.wait(STOP_AFTER) or (self._heard and self._done.wait(HEARD)):
            return
        self._overdue = True
        signal.raise_signal(number)  # Python handles it in the main thread, between two of its operations
        if self._done.wait(LEAVE_AFTER - STOP_AFTER):
            return
        # The main thread is inside compiled code, which nothing can end.
        known = "" if self.news is None else f"; known so far: {self.news}"
        sys.stderr.write(f"paging: interrupted{known}\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED)


class _Interrupted(Stop):
    """A signal ends the work where it is, with everything that is cleaned up on the way."""

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._heard = True
        raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Collect SIGINT and SIGTERM instead of stopping in the middle of a step; a second one does stop.

    Work that does not ask within a second is broken off by a :class:`StoppedError`, and where not even that
    helps the process ends within two; work that asked has some seconds more to end by itself. Outside the
    main thread, where Python handles no signals, nothing is collected.

    Yields
    ------
    Stop
        Says whether one came: what :attr:`Watch.stop` asks.
    """
    stop = Stop()
    with _collected(stop):
        yield stop


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt, so that temporary files go either way.

    A process inside compiled code, where nothing is raised, ends within two seconds.
    """
    with _collected(_Interrupted()):
        yield


@contextmanager
def _collected(stop: Stop) -> Iterator[None]:
    """Tell of signals in the main thread, and a thread beside it that sees to it that they are heeded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wake, told = socket.socketpair()
    told.setblocking(False)
    before = {number: signal.signal(number, stop._note) for number in ENDING}
    other = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    hook = sys.unraisablehook

    def lost(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt | StoppedError):
            stop._heard = False  # a callback of compiled code went on: it is to be raised once more
        else:
            hook(unraisable)

    sys.unraisablehook = lost
    threading.Thread(target=stop._listen, args=(wake,), daemon=True).start()
    try:
        yield
    finally:
        stop._done.set()
        sys.unraisablehook = hook
        signal.set_wakeup_fd(other)
        for number, handler in before.items():
            signal.signal(number, handler)
        told.close()  # nothing more to listen to
