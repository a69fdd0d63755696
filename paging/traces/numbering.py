"""Numbering the page ids of a source in order of first appearance."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.model import MAX_PAGES, MAX_REQUESTS

LARGEST = 2**64 - 1
WHOLE = re.compile(r"0|[1-9][0-9]*")


class Numbering(dict[Any, int]):
    """Page ids and their numbers; one that is looked up for the first time gets the next number."""

    def __missing__(self, name: Any) -> int:
        self[name] = number = len(self)
        return number


class RequestList:
    """Requests as they are read: memory is 4 bytes each, and what the different ids take."""

    def __init__(self) -> None:
        self.numbers = array("i")
        self.names = Numbering()

    def __len__(self) -> int:
        return len(self.numbers)

    def extend(self, names: Iterable[Any]) -> None:
        """Take requests over by the ids of their pages: all whole numbers, or all text."""
        self.numbers.extend(map(self.names.__getitem__, names))
        if len(self.numbers) > MAX_REQUESTS:
            raise TraceError(f"more than {MAX_REQUESTS} requests")

    def append(self, name: Any) -> None:
        """Take one request over."""
        self.numbers.append(self.names[name])

    @property
    def values(self) -> NDArray[np.int32]:
        """Number of every request's page, shape (T,)."""
        return np.frombuffer(self.numbers, np.int32)

    @property
    def ids(self) -> Sequence[object]:
        """The ids by number: uint64 where all are whole numbers, otherwise text."""
        names = list(self.names)
        if names and isinstance(names[0], str):
            if not all(map(WHOLE.fullmatch, names)):
                return tuple(names)
            names = list(map(int, names))
            if max(names) > LARGEST:
                return tuple(map(str, names))
        return np.array(names, dtype=np.uint64)  # type: ignore[return-value]


def as_page_ids(values: NDArray[np.int32], ids: Sequence[object]) -> NDArray[Any]:
    """Return the page ids that the source states, where they are to be taken at their word.

    Raises
    ------
    TraceError
        They are text.
    """
    if isinstance(ids[0], str):
        wrong = next((name for name in map(str, ids) if not WHOLE.fullmatch(name)), ids[0])
        raise TraceError(f"{wrong!r} is not a page id in 0 … {MAX_PAGES - 1}, as pages (-n) asks for")
    pages: NDArray[Any] = np.asarray(ids)
    if pages.max() < MAX_PAGES:
        pages = pages.astype(np.int32)
    return pages[values]
