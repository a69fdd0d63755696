"""A set of states, each a row of small integers, numbered as they come: what graph searches share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled, helper

KINDS = (np.uint8, np.uint16, np.int32)
"""How entries are stored: the narrowest kind that holds all of them."""

Rows = NDArray[np.int32]


class StateSet:
    """Distinct rows of integers ≥ 0, by number: packed, in an open-addressing table.

    Parameters
    ----------
    rows : array_like of int, shape (S, W)
        The first states, distinct. Entries lie in 0 … 2³¹ − 1.

    Examples
    --------
    >>> states = StateSet(np.array([[0, 7]]))
    >>> numbers, new = states.add(np.array([[1, 2], [0, 7], [1, 2]]))
    >>> numbers.tolist(), new.tolist(), len(states), states.rows([1]).tolist()
    ([1, 0, 1], [0], 2, [[1, 2]])
    """

    def __init__(self, rows: NDArray[np.integer[Any]]) -> None:
        self.width = rows.shape[1]
        self._count = 0
        self._kind = 0
        self._words: NDArray[np.uint64] = np.zeros((0, 1), dtype=np.uint64)
        self._table: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self._set_kind(0)
        self.add(rows)

    def __len__(self) -> int:
        return self._count

    def rows(self, numbers: Any = slice(None)) -> Rows:
        """Return the rows of some states (default all), shape (numbers, W)."""
        packed = np.ascontiguousarray(self._words[: self._count][numbers])
        return packed.view(KINDS[self._kind])[:, : self.width].astype(np.int32)

    def add(
        self, rows: NDArray[np.integer[Any]], wanted: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the number of every row, −1 where it is not wanted; rows not known yet get the next numbers.

        Returns
        -------
        numbers : ndarray of int32, shape (C,)
        new : ndarray of int32
            For every new state, in order, the place in ``rows`` where it stood first.
        """
        if wanted is None:
            wanted = np.ones(len(rows), dtype=np.bool_)
        largest = int(rows.max(initial=0))
        while largest > np.iinfo(KINDS[self._kind]).max:
            self._set_kind(self._kind + 1)
        self._make_room(len(rows))
        numbers = np.empty(len(rows), dtype=np.int32)
        new = np.empty(len(rows), dtype=np.int32)
        before = self._count
        self._count = int(insert(self._words, before, self._table, self._packed(rows), wanted, numbers, new))
        return numbers, new[: self._count - before]

    def _packed(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
        kind = np.dtype(KINDS[self._kind])
        per_word = 8 // kind.itemsize
        padded = np.zeros((len(rows), -(-self.width // per_word) * per_word), dtype=kind)
        padded[:, : self.width] = rows
        return padded.view(np.uint64)

    def _set_kind(self, kind: int) -> None:
        known = self.rows() if self._count else np.zeros((0, self.width), dtype=np.int32)
        self._kind = kind
        self._words = self._packed(known)
        self._rehash(2 * self._count)

    def _make_room(self, more: int) -> None:
        needed = self._count + more
        if needed > len(self._words):
            longer = np.empty((max(needed, 2 * len(self._words)), self._words.shape[1]), dtype=np.uint64)
            longer[: self._count] = self._words[: self._count]
            self._words = longer
        # At most two thirds full: places for all of the candidates, though many are known already.
        if 2 * len(self._table) < 3 * needed:
            self._rehash(2 * needed)

    def _rehash(self, places: int) -> None:
        self._table = np.full(1 << max(6, (places - 1).bit_length()), -1, dtype=np.int32)
        rehash(self._words, self._count, self._table)


class Grown:
    """A graph that is grown state by state: its states are rows of a set, the first ``expanded`` expanded."""

    _set: StateSet
    expanded: int

    @property
    def states(self) -> int:
        """Number of states found so far."""
        return len(self._set)

    @property
    def complete(self) -> bool:
        """Whether every state has been expanded, so that the graph is the whole one."""
        return self.expanded == self.states


@compiled
def place_of(words: NDArray[np.uint64], row: int, mask: int) -> np.int64:
    """Return where a row belongs in the table."""
    mixed = np.uint64(0x9E3779B97F4A7C15)
    for j in range(words.shape[1]):
        mixed = (mixed ^ words[row, j]) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(32)
    return np.int64(mixed & np.uint64(mask))


@compiled
def rehash(words: NDArray[np.uint64], count: int, table: NDArray[np.int32]) -> None:
    """Enter all known states, which are distinct, into an empty table."""
    mask = len(table) - 1
    for s in range(count):
        place = place_of(words, s, mask)
        while table[place] >= 0:
            place = (place + 1) & mask
        table[place] = s


@compiled
def insert(
    words: NDArray[np.uint64],
    count: int,
    table: NDArray[np.int32],
    rows: NDArray[np.uint64],
    wanted: NDArray[np.bool_],
    numbers: NDArray[np.int32],
    new: NDArray[np.int32],
) -> int:
    """Number the wanted rows, entering those not known; return how many states are known now."""
    mask = len(table) - 1
    before = count
    for c in range(len(rows)):
        numbers[c] = -1
        if not wanted[c]:
            continue
        place = place_of(rows, c, mask)
        while numbers[c] < 0:
            s = table[place]
            if s < 0:
                table[place] = count
                words[count] = rows[c]
                numbers[c] = count
                new[count - before] = c
                count += 1
                break
            same = True
            for j in range(rows.shape[1]):
                if words[s, j] != rows[c, j]:
                    same = False
                    break
            if same:
                numbers[c] = s
            place = (place + 1) & mask
    return count


@helper
def sort_in(row: NDArray[np.signedinteger[Any]], first: int, place: int) -> int:
    """Move one entry of a row down among those from ``first`` on, which ascend; return its new place.

    The canonical form of a state sorts the pages of every layer; they are few, and mostly in order already.
    """
    entry = row[place]
    while place > first and row[place - 1] > entry:
        row[place] = row[place - 1]
        place -= 1
    row[place] = entry
    return place
