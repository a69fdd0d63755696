"""A work function as what it is: for every set of k pages, the least cost of a schedule that ends with it.

Labels (:mod:`paging.work_function`) do for unit costs. Where a swap costs what leaves, what comes, or a wrong
prediction, the function itself is kept: a number per k-set, less the smallest of them. Sets that are never
worth having are dropped, and what is left differs by a bounded amount, so with rational costs, scaled to
whole numbers, there are finitely many functions.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import LimitError
from paging.kernels.jit import compiled

Values = NDArray[np.int64]
"""A number per cache, in the order of :class:`CacheTables`."""

NEVER = 2**60
"""Value of a cache that no schedule ends with, or that is not worth having."""

MAX_PAGES = 20
"""Pages of which all sets are numbered."""


class CacheTables:
    """All sets of k out of N pages, numbered, as bit masks.

    Attributes
    ----------
    masks : ndarray of int64, shape (M,)
        The sets; bit p says whether page p is in it.
    index : ndarray of int32, shape (2**N,)
        Number of a set by its mask; −1 where it has not k pages.

    Examples
    --------
    >>> tables = CacheTables(pages=3, cache=2)
    >>> tables.masks.tolist(), tables.index[0b101]
    ([3, 5, 6], np.int32(1))
    """

    def __init__(self, pages: int, cache: int) -> None:
        if pages > MAX_PAGES:
            raise LimitError(f"values for all caches are kept for at most {MAX_PAGES} pages, not {pages}")
        sets = [sum(1 << page for page in chosen) for chosen in combinations(range(pages), cache)]
        self.pages, self.cache = pages, cache
        self.masks: NDArray[np.int64] = np.array(sets, dtype=np.int64)
        self.index: NDArray[np.int32] = np.full(1 << pages, -1, dtype=np.int32)
        self.index[self.masks] = np.arange(len(sets))


@compiled
def serve_values(
    masks: NDArray[np.int64],
    index: NDArray[np.int32],
    values: Values,
    page: int,
    hit: int,
    swap: NDArray[np.int64],
    after: Values,
) -> None:
    """Serve a request: who holds the page pays ``hit``, who does not swaps one page for it.

    Parameters
    ----------
    masks, index : ndarray
        Of :class:`CacheTables`.
    values : ndarray of int64, shape (M,)
        Before the request; ``NEVER`` for a cache that is no option.
    swap : ndarray of int64, shape (N,)
        What it costs to load the page while page q leaves.
    after : ndarray of int64, shape (M,)
        Receives the values after the request.
    """
    bit = np.int64(1) << page
    for c in range(len(masks)):
        after[c] = NEVER
        mask = masks[c]
        if not mask & bit:
            continue
        if values[c] < NEVER:
            after[c] = values[c] + hit
        for q in range(len(swap)):
            if not mask >> q & 1:
                before = values[index[mask ^ bit ^ (np.int64(1) << q)]]
                if before < NEVER and before + swap[q] < after[c]:
                    after[c] = before + swap[q]


@compiled
def normalise(masks: NDArray[np.int64], values: Values, price: NDArray[np.int64]) -> int:
    """Subtract the least value, in place, and drop dominated caches; return what was subtracted.

    A cache is dominated if another one is cheaper by at least the ``price`` of the pages that it lacks:
    whoever holds the other one can follow, and load what it lacks when it is asked for.
    """
    least = NEVER
    for c in range(len(masks)):
        least = min(least, values[c])
    dropped = np.zeros(len(masks), dtype=np.bool_)
    for c in range(len(masks)):
        if values[c] >= NEVER:
            continue
        for d in range(len(masks)):
            if d == c or values[d] > values[c]:
                continue
            lacks = masks[c] & ~masks[d]
            total = values[d]
            for q in range(len(price)):
                if lacks >> q & 1:
                    total += price[q]
            if values[c] > total or (values[c] == total and (total > values[d] or d < c)):
                dropped[c] = True
                break
    for c in range(len(masks)):
        values[c] = NEVER if dropped[c] or values[c] >= NEVER else values[c] - least
    return least


def serve_one(
    tables: CacheTables, values: Values, page: int, hit: int, swap: Any, price: Any
) -> tuple[Values, int]:
    """Return the normalised values after a request, and by how much the least of them has grown.

    Examples
    --------
    >>> tables = CacheTables(pages=3, cache=2)
    >>> start = np.array([0, NEVER, NEVER])
    >>> after, growth = serve_one(tables, start, 2, 0, [1, 1, 1], [1, 1, 1])
    >>> after.tolist() == [NEVER, 0, 0], growth
    (True, 1)
    """
    after = np.empty_like(values)
    serve_values(tables.masks, tables.index, values, page, hit, np.asarray(swap, dtype=np.int64), after)
    growth = normalise(tables.masks, after, np.asarray(price, dtype=np.int64))
    return after, int(growth)
