"""Watching long work: what it tells of itself, and stopping it between two of its steps."""

from __future__ import annotations

import signal
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


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Collect SIGINT and SIGTERM instead of stopping in the middle of a step; a second one does stop.

    Yields
    ------
    callable
        Says whether one came: what :attr:`Watch.stop` asks.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
