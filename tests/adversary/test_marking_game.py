"""Marking algorithms: the trap against all of them, and the value of the game for the smallest instances."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from adversary import get_construction
from paging import LayeredInstance, ModelError, Policy, farthest_in_future
from paging.model import Frame, LabelArray

MARKING = ("lru", "mark-lru", "mark-fifo", "mark-layer", "fwf")


class AnyMarking(Policy):
    """Marking with an arbitrary choice among the unmarked pages. Label: 1 cached, 2 marked as well."""

    id, title = "any-marking", "marking, arbitrary among the unmarked pages"
    traits = frozenset({"deterministic", "online", "demand", "marking", "finite-state"})

    def __init__(self, salt: int) -> None:
        self.salt = salt

    def __str__(self) -> str:
        return f"{self.id}-{self.salt}"

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            if not (labels == 1).any():
                labels[labels == 2] = 1
            unmarked = np.flatnonzero(labels == 1)
            chance = zlib.crc32(bytes([self.salt, page, slot]) + labels.tobytes())
            labels[unmarked[chance % len(unmarked)]] = 0
        labels[page] = 2


@pytest.mark.parametrize("layers", [3, 4, 5])
@pytest.mark.parametrize("policy", [*MARKING, *map(AnyMarking, range(15))], ids=str)
def test_every_marking_algorithm_falls_into_the_trap(policy: str | Policy, layers: int) -> None:
    for pages in (2, 3, (2, 3, 2, 5, 2)[:layers]):
        instance = LayeredInstance(layers, pages, layers + 1)
        made = get_construction("marking-trap")(instance, policy=policy, rounds=80)
        run = made.run(policy)
        made.check(run)
        assert made.limit == Fraction(5, 2) > instance.cache - layers + 1
        assert made.periods > 5
        opt = farthest_in_future(made.sequence).faults
        assert opt <= made.offline.faults
        assert 2 * (run.faults - instance.cache) >= 5 * (opt - instance.cache) - 10


def test_the_trap_speaks_of_marking_algorithms_alone() -> None:
    trap = get_construction("marking-trap")
    for policy, says in (("fifo", "fifo is none"), ("llru", "llru is none"), ("mark", "mark is randomised")):
        with pytest.raises(ModelError, match=says):
            trap(policy=policy)
    for shape, says in (((2, 3, 3), "ℓ ≥ 3"), ((3, 3, 5), "k = ℓ"), ((4, (2, 2, 1, 2), 5), "n ≥ 2")):
        with pytest.raises(ModelError, match=says):
            trap(LayeredInstance(*shape))


@pytest.mark.parametrize("shape", [(1, 4, 3), (2, 2, 3), (2, 3, 5), (3, 2, 5), (2, (2, 4), 5)])
def test_marking_by_layer_reaches_l2_on_k_plus_one_pages(shape: tuple[int, int, int]) -> None:
    from adversary.cycles.search import Search

    search = Search("mark-layer", LayeredInstance(*shape))
    search.run()
    assert search.progress.exhausted
    assert search.best is not None
    assert search.best.ratio == shape[2] - shape[0] + 1


# The game. A page is (mark, label): mark 0 not cached, 1 cached, 2 marked; label of the work function.
# A position: the pages of every layer, that served next first, sorted inside; and the empty slots' label.

Layer = tuple[tuple[int, int], ...]
Position = tuple[tuple[Layer, ...], int]


def moves(position: Position, cache: int) -> Iterator[tuple[int, int, list[Position]]]:
    """Yield for every request the algorithm's fault, OPT's, and the positions the algorithm can choose."""
    layers, empty = position
    for place, (mark, label) in enumerate(layers[0]):
        paid = int(label == 0)

        def lowered(other: int, mine: int = label) -> int:
            drops = other == cache if mine == 0 else mine <= other < cache
            return other - drops

        pages = [[[m, lowered(c)] for m, c in layer] for layer in layers]
        pages[0][place][1] = cache
        after_empty = lowered(empty)
        flat = [page for layer in pages for page in layer]
        full = sum(m > 0 for m, _ in flat) == cache
        if mark == 0 and full and all(m != 1 for m, _ in flat):
            for page in flat:
                page[0] = min(page[0], 1)
        victims = [page for page in flat if page[0] == 1] if mark == 0 and full else [None]
        pages[0][place][0] = 2
        choices = []
        for victim in victims:
            if victim is not None:
                victim[0] = 0
            turned = tuple(tuple(sorted(map(tuple, layer))) for layer in [*pages[1:], pages[0]])
            choices.append((turned, after_empty))
            if victim is not None:
                victim[0] = 1
        yield int(mark == 0), paid, choices  # type: ignore[misc]


def settles(shape: tuple[int, int, int], ratio: Fraction) -> bool:
    """Whether some marking algorithm has this ratio: whether value iteration settles.

    Settled values are a potential. A value beyond what a path without repetition can gain never settles.
    """
    layers, pages, cache = shape
    start: Position = ((((0, 0),) * pages,) * layers, cache)
    number, edges = {start: 0}, []
    todo = [start]
    for position in todo:
        rows = []
        for fault, paid, choices in moves(position, cache):
            for choice in choices:
                if choice not in number:
                    number[choice] = len(number)
                    todo.append(choice)
            gain = ratio.denominator * fault - ratio.numerator * paid
            rows.append((gain, {number[choice] for choice in choices}))
        edges.append(rows)
    value = [0] * len(edges)
    most = ratio.denominator * len(edges)
    changed = True
    while changed and max(value) <= most:
        changed = False
        for state in range(len(edges) - 1, -1, -1):
            best = max(gain + min(value[t] for t in targets) for gain, targets in edges[state])
            if best > value[state]:
                value[state], changed = best, True
    return not changed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "ratio"),
    [
        ((1, 3, 2), Fraction(2)),
        ((2, 2, 3), Fraction(2)),
        ((3, 2, 5), Fraction(3)),
        ((2, 3, 3), Fraction(5, 2)),
        pytest.param((3, 2, 4), Fraction(5, 2), marks=pytest.mark.slow),
    ],
)
def test_value_of_the_game_for_marking_algorithms(shape: tuple[int, int, int], ratio: Fraction) -> None:
    assert settles(shape, ratio)
    assert not settles(shape, ratio - Fraction(1, 8))
