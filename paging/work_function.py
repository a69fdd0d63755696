"""The work function: OPT so far, as one label per page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.model import MAX_PAGES, LayeredInstance, whole_number


class WorkFunction:
    """Which caches are optimal after the requests so far, as one label per page; OPT's cost so far.

    Once k distinct pages have been requested, the optimal caches with no slot empty are exactly the sets C of
    k pages with ``|C ∩ {label ≤ c}| ≤ c`` for every c < k. Before that no page has to leave: whatever was
    requested has label k. (A slot left empty later on saves nothing, so full caches are all that matters.)

    Parameters
    ----------
    instance : LayeredInstance
        Forced service. In an atomic visit the labels speak of OPT once all its pages were served.
    cache : int, optional
        OPT's cache size h; default the instance's k.

    Attributes
    ----------
    cost : int
        OPT of the requests served so far.

    References
    ----------
    Koutsoupias and Papadimitriou 2000 (tiers); labels in the canonical form of OnlineMIN.

    Examples
    --------
    >>> work = WorkFunction(LayeredInstance(layers=1, pages=3, cache=2))
    >>> [work.serve(page) for page in (0, 1, 2, 0, 1)], work.cost
    ([1, 1, 1, 0, 1], 4)
    """

    @checked
    def __init__(self, instance: LayeredInstance, cache: int | None = None) -> None:
        instance.require("the work function", service="forced", cost="unit")
        self.instance = instance
        atomic = instance.visits == "atomic"
        least = instance.per_visit if atomic else 1
        self.cache = instance.cache if cache is None else whole_number(cache, "cache (h)", least, MAX_PAGES)
        self.cost = 0
        self._together = instance.per_visit if atomic else 1
        self._visit: list[int] = []
        self._labels = np.zeros(instance.total_pages, dtype=np.int64)

    @property
    def labels(self) -> tuple[int, ...]:
        """One label in 0 … k per page: 0 = in no optimal cache, k = in every one."""
        return tuple(self._labels.tolist())

    def serve(self, page: int) -> int:
        """Serve a request and return OPT's increment, 0 or 1."""
        page = whole_number(page, "page", 0, self.instance.total_pages - 1)
        increment = update_work_function(self._labels, page, self.cache)
        self.cost += increment
        self._visit.append(page)
        if len(self._visit) == self._together:
            for again in self._visit:
                update_work_function(self._labels, again, self.cache)
            self._visit.clear()
        return increment

    def optimal_caches(self) -> Iterator[frozenset[int]]:
        """Yield every optimal cache that holds k pages, or all requested ones while they are fewer.

        Exponential in the number of pages; for small instances.
        """
        labels = self._labels
        size = min(self.cache, int(np.count_nonzero(labels)))
        for chosen in combinations(range(len(labels)), size):
            if all(np.count_nonzero(labels[list(chosen)] <= c) <= c for c in range(self.cache)):
                yield frozenset(chosen)


def update_work_function_of_visit(labels: NDArray[np.int64], pages: NDArray[np.int64], cache: int) -> int:
    """Serve an atomic visit, which asks for a set of at most k pages, in place; return OPT's increment.

    Asking for the pages one after the other, twice, is the same to OPT: farthest-in-future never evicts one
    of them before the second time is over, and so serves the visit atomically at the same cost. All of the
    increment comes the first time; the second time makes every page of the visit certain to be cached.
    """
    paid = 0
    for _ in range(2):
        for i in range(len(pages)):
            paid += update_work_function(labels, pages[i], cache)
    return paid


def update_work_function(labels: NDArray[np.int64], page: int, cache: int) -> int:
    """Serve ``page`` in the label vector of a work function, in place; return OPT's increment."""
    label = labels[page]
    if label == cache:
        return 0
    if label == 0:
        if np.count_nonzero(labels) >= cache:  # otherwise a slot is free, and no page has to leave
            for q in range(len(labels)):
                if labels[q] == cache:
                    labels[q] = cache - 1
        labels[page] = cache
        return 1
    for q in range(len(labels)):
        if label <= labels[q] < cache:
            labels[q] -= 1
    labels[page] = cache
    return 0
