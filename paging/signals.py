"""Stopping long work between two of its steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StoppedError(Exception):
    """Raised inside long work when whoever watches wants no more; caught where what is known is kept."""


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of stopping in the middle of a step; a second one does stop."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


Report = Callable[[int, int], None]
"""How long work reports where it is: called with (done, total)."""
