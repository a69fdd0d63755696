"""More than one page a visit: OPT's work function of atomic visits, without labels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from paging import LayeredInstance, WorkFunction
from paging.work_function import update_work_function


@pytest.mark.parametrize(
    ("pages", "cache", "group"),
    [
        ((5,), 3, 2),
        ((6,), 4, 3),
        ((5,), 2, 2),
        ((3, 3), 4, 2),
        ((3, 3), 3, 3),
        ((2, 3, 2), 5, 2),
        ((4,), 3, 3),
    ],
)
def test_labels_served_twice_are_the_work_function_of_atomic_visits(
    pages: tuple[int, ...], cache: int, group: int
) -> None:
    """Least costs of every cache, one by one, beside those that the labels say."""
    instance = LayeredInstance(len(pages), pages, cache, group, "atomic")
    every = range(instance.total_pages)
    caches = [frozenset(c) for size in range(cache + 1) for c in combinations(every, size)]
    rng = np.random.default_rng(5)
    for _ in range(4):
        costs = {c: len(c) for c in caches}  # to hold c at the start it has to be loaded
        work = WorkFunction(LayeredInstance(len(pages), pages, cache))
        for t in range(25):
            layer = instance.pages_of(t % instance.layers)
            # Few pages often, others now and then, so that labels differ.
            few = len(layer) if rng.random() < 0.4 else group
            asked = [layer[i] for i in rng.permutation(few)[:group]]
            old = min(costs.values())
            ending = {d: cost for d, cost in costs.items() if d >= set(asked)}
            ending = {d: min(cost + len(d - c) for c, cost in costs.items()) for d in ending}
            costs = {c: min(cost + len(c - d) for d, cost in ending.items()) for c in caches}
            first, second = (sum(map(work.serve, asked)) for _ in range(2))
            assert (first, second) == (min(costs.values()) - old, 0)
            assert all(work.labels[page] == cache for page in asked)
            best = set(work.optimal_caches())
            full = {c for c, cost in costs.items() if cost == work.cost and len(c) == len(next(iter(best)))}
            assert best == full
            near = {c: work.cost + min(len(c - b) for b in best) for c in caches}
            assert near == costs
        assert update_work_function(np.array(work.labels), asked[0], cache) == 0
