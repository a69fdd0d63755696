"""What a request does to a work-function state and to the caches held in it, pages of a class counted only.

A state lists, for every layer from the one served next on, the sorted labels of its pages. Pages of a layer
with equal labels form a *class*; classes are ordered by layer, then label, and *counts* say how many pages of
each are cached. A distribution over counts stands for one over caches that is uniform given the counts.

The checker has all of this once more, written apart from here; a test compares the two on every state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, product
from math import comb, prod

import numpy as np

from paging.work_function import update_work_function

State = tuple[tuple[int, ...], ...]
Counts = tuple[int, ...]
Chances = dict[Counts, Fraction]


@dataclass(frozen=True)
class AskedLabel:
    """A request of a page with a given label, and the *parts* into which it divides the classes.

    Attributes
    ----------
    after : State
    paid : int
        What OPT pays, 0 or 1.
    sizes, before, following : tuple of int
        For every part its pages, its class in the state and its class in the state after. The requested page
        is a part of its own, before the rest of its class.
    page : int
        The part that is the requested page.
    """

    after: State
    paid: int
    sizes: Counts
    before: Counts
    following: Counts
    page: int


def class_sizes(state: State) -> Counts:
    """Return the number of pages of every class.

    Examples
    --------
    >>> class_sizes(((0, 0, 2), (1,)))
    (2, 1, 1)
    """
    return tuple(size for labels in state for _, size in sorted(Counter(labels).items()))


def held_by_opt(state: State) -> Counts:
    """Return the counts of the cache that holds every page with a label."""
    return tuple(size if label else 0 for labels in state for label, size in sorted(Counter(labels).items()))


def request(state: State, label: int, cache: int) -> AskedLabel:
    """Request a page with this label of the layer served next, page by page as the work function has it."""
    layer_of = [layer for layer, labels in enumerate(state) for _ in labels]
    old = [label for labels in state for label in labels]
    new, page = np.array(old, dtype=np.int64), state[0].index(label)
    paid = update_work_function(new, page, cache)
    turned = [(layer - 1) % len(state) for layer in layer_of]
    keys = list(zip(layer_of, old, strict=True)), list(zip(turned, new.tolist(), strict=True))
    before, following = (list(map(sorted(set(pairs)).index, pairs)) for pairs in keys)
    parts = Counter((before[q], q != page, following[q]) for q in range(len(old)))
    ordered = sorted(parts)
    rows = [sorted(label for layer, label in keys[1] if layer == j) for j in range(len(state))]
    return AskedLabel(
        after=tuple(map(tuple, rows)),
        paid=int(paid),
        sizes=tuple(parts[part] for part in ordered),
        before=tuple(part[0] for part in ordered),
        following=tuple(part[2] for part in ordered),
        page=next(i for i, part in enumerate(ordered) if not part[1]),
    )


def split_before(asked: AskedLabel, counts: Counts) -> Chances:
    """Return how counts in the state are divided among the parts: the requested page is cached or not."""
    chosen = asked.before[asked.page]
    size = sum(n for n, place in zip(asked.sizes, asked.before, strict=True) if place == chosen)
    cached = Fraction(counts[chosen], size)
    split = [counts[place] for place in asked.before]
    result = {}
    for own, chance in ((1, cached), (0, 1 - cached)):
        if chance:
            rest = [n - own if place == chosen else n for n, place in zip(split, asked.before, strict=True)]
            rest[asked.page] = own
            result[tuple(rest)] = chance
    return result


def split_after(asked: AskedLabel, counts: Counts) -> Chances:
    """Return how counts in the state after are divided among the parts: all choices of pages are alike."""
    groups = [[i for i, place in enumerate(asked.following) if place == c] for c in range(len(counts))]
    options = [
        [some for some in product(*(range(asked.sizes[i] + 1) for i in group)) if sum(some) == number]
        for group, number in zip(groups, counts, strict=True)
    ]
    ways: dict[Counts, int] = {}
    for chosen in product(*options):
        number_of = dict(zip(chain(*groups), chain(*chosen), strict=True))
        split = tuple(number_of[part] for part in range(len(asked.sizes)))
        ways[split] = prod(map(comb, asked.sizes, split))
    return {split: Fraction(way, sum(ways.values())) for split, way in ways.items()}


def merged(asked: AskedLabel, split: Counts) -> Counts:
    """Return the counts in the state after of a cache divided among the parts."""
    held = Counter[int]()
    for place, number in zip(asked.following, split, strict=True):
        held[place] += number
    return tuple(held[c] for c in range(max(asked.following) + 1))


def mixture(chances: Chances, split: Callable[[Counts], Chances]) -> Chances:
    """Return a distribution whose counts have been divided."""
    total: Chances = {}
    for counts, chance in chances.items():
        for divided, share in split(counts).items():
            total[divided] = total.get(divided, Fraction(0)) + chance * share
    return total


def loads(before: Counts, after: Counts) -> int:
    """Return how many pages must be loaded."""
    return sum(new - old for old, new in zip(before, after, strict=True) if new > old)


def optimal(state: State, counts: Counts, cache: int) -> bool:
    """Say whether caches are optimal: k pages, the i-th in the order of labels with a label of at least i."""
    labels = [label for row in state for label in sorted(set(row))]
    held = sorted(label for label, number in zip(labels, counts, strict=True) for _ in range(number))
    return len(held) == cache and all(label >= i for i, label in enumerate(held, start=1))


def cone(state: State, counts: Counts, cache: int) -> State | None:
    """Return the state once a cache has been requested over and over, its layers turned to the least order.

    None if the cache has no page in some layer.
    """
    numbers, rows = iter(counts), []
    for labels in state:
        held = sum(next(numbers) for _ in set(labels))
        if not held:
            return None
        rows.append((0,) * (len(labels) - held) + (cache,) * held)
    return min((*rows[i:], *rows[:i]) for i in range(len(rows)))
