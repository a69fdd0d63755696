"""The packed set of states: against a dictionary, through every width of entries, with many collisions."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from paging.kernels.state_set import KINDS, StateSet, place_of, sort_in


class Plain:
    """The same by a dictionary."""

    def __init__(self, rows: np.ndarray) -> None:
        self.number = {tuple(row): s for s, row in enumerate(rows.tolist())}

    def add(self, rows: np.ndarray, wanted: np.ndarray) -> tuple[list[int], list[int]]:
        numbers, new = [], []
        for place, (row, asked) in enumerate(zip(rows.tolist(), wanted.tolist(), strict=True)):
            if not asked:
                numbers.append(-1)
                continue
            if tuple(row) not in self.number:
                self.number[tuple(row)] = len(self.number)
                new.append(place)
            numbers.append(self.number[tuple(row)])
        return numbers, new


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 17])
def test_numbers_are_those_of_a_dictionary(width: int) -> None:
    rng = np.random.default_rng(width)
    start = np.zeros((1, width), dtype=np.int32)
    states, plain = StateSet(start), Plain(start)
    for high in (2, 4, 256, 257, 65536, 65537, 2**31):  # entries grow beyond one byte, then beyond two
        for _ in range(4):
            rows = rng.integers(high, size=(150, width), dtype=np.int64).astype(np.int32)
            wanted = rng.random(150) < 0.8
            numbers, new = states.add(rows, wanted)
            assert (numbers.tolist(), new.tolist()) == plain.add(rows, wanted)
    assert len(states) == len(plain.number)
    assert [tuple(row) for row in states.rows().tolist()] == list(plain.number)


@pytest.mark.parametrize("largest", [255, 256, 65535, 65536, 2**31 - 1])
def test_the_largest_entry_of_every_width(largest: int) -> None:
    states = StateSet(np.array([[0, 1], [1, 0]]))
    numbers, new = states.add(np.array([[largest, 0], [0, 1], [0, largest], [largest, 0]]))
    assert (numbers.tolist(), new.tolist()) == ([2, 0, 3, 2], [0, 2])
    assert states.rows().tolist() == [[0, 1], [1, 0], [largest, 0], [0, largest]]
    # What was known stays known after the entries have become wider.
    assert states.add(np.array([[1, 0]]))[0].tolist() == [1]
    width = min(np.dtype(kind).itemsize for kind in KINDS if np.iinfo(kind).max >= largest)
    assert states._words.dtype.itemsize // width >= 2


def test_an_unwanted_row_is_not_entered() -> None:
    states = StateSet(np.array([[0]]))
    numbers, new = states.add(np.array([[5], [6]]), np.array([False, True]))
    assert (numbers.tolist(), new.tolist(), states.rows().tolist()) == ([-1, 1], [1], [[0], [6]])


def test_many_rows_that_belong_in_the_same_place() -> None:
    # The table has room for 64 · 2^i; rows that all start their search in its last places run over its end.
    candidates = np.arange(1, 200_000, dtype=np.int32)[:, None]
    words = candidates.astype(np.uint64)
    crowded = np.array([row for row in range(len(words)) if place_of(words, row, 4095) >= 4090][:250])
    assert len(crowded) > 100
    rows = np.column_stack([candidates[crowded], np.zeros(len(crowded), dtype=np.int32)])
    start = np.zeros((1, 2), dtype=np.int32)
    states, plain = StateSet(start), Plain(start)
    for part in (rows[:100], rows[50:], rows[::-1]):
        numbers, new = states.add(part)
        assert (numbers.tolist(), new.tolist()) == plain.add(part, np.ones(len(part), dtype=bool))


def test_some_rows_by_number() -> None:
    states = StateSet(np.arange(12).reshape(6, 2))
    assert states.rows([5, 0]).tolist() == [[10, 11], [0, 1]]
    assert states.rows(np.array([], dtype=np.int64)).shape == (0, 2)


def test_one_entry_is_sorted_in() -> None:
    for first in (0, 2):
        for order in permutations((1, 1, 3, 5)):
            row = np.array([9, 9][:first] + list(order), dtype=np.int32)
            for place in range(first + 1, len(row)):
                entry = row[place]
                assert row[sort_in(row, first, place)] == entry
            assert row.tolist() == [*[9, 9][:first], 1, 1, 3, 5]
