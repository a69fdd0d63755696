"""Work functions with weights, by number: what OPT has paid at least, for every cache that it may hold.

A function is a value per set of h pages, less the smallest one, sets that are not worth having left out
(:mod:`proofs.game.cache_values`). Functions are numbered as they are met, and what a request makes of one is
worked out once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.errors import LimitError
from paging.model import LayeredInstance
from proofs.game.cache_values import NEVER, CacheTables, Values, serve_one

LARGEST = 2**30
"""States times weight, at most: sums along paths, times a cycle's sum, fit 62 bits."""

MOST_SETS = 500
"""Caches that a function has a value for, at most."""


class WorkFunctions:
    """All work functions met so far on an instance with weights.

    OPT starts with any cache that it likes, at the price of loading it: on a sequence that costs OPT c from a
    cold start the functions grow by at most c, and by no less than c but for a constant.

    Parameters
    ----------
    instance : LayeredInstance
        One page per visit, forced service.
    opt_cache : int
        OPT's cache h, less than the number of pages.

    Attributes
    ----------
    listed : list of ndarray of int64
        The functions, in units of 1/scale; number 0 is the start.

    Examples
    --------
    >>> work = WorkFunctions(LayeredInstance(1, 3, 2, weights=[1, 1, 4]), 2)
    >>> work.listed[0].tolist(), work.serve(0, 2)
    ([0, 3, 3], (1, 3))
    """

    def __init__(self, instance: LayeredInstance, opt_cache: int) -> None:
        self.weights: NDArray[np.int64] = instance.frame.weights
        self.require_sums(1000)
        self.tables = CacheTables(instance.total_pages, opt_cache)
        if len(self.tables.masks) > MOST_SETS:
            raise LimitError(
                f"{len(self.tables.masks):,} caches of {opt_cache} pages out of {instance.total_pages}: "
                f"the work function with weights is kept for at most {MOST_SETS}"
            )
        pages = range(instance.total_pages)
        start = np.array(
            [sum(int(self.weights[q]) for q in pages if mask >> q & 1) for mask in self.tables.masks.tolist()]
        )
        self.listed: list[Values] = []
        self._number: dict[bytes, int] = {}
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}
        self.number(start - start.min())

    def require_sums(self, states: int) -> None:
        """Raise LimitError where sums over a graph of so many states might not fit the integers used."""
        most = int(self.weights.max())
        if most * states >= LARGEST:
            raise LimitError(
                f"weights over their common denominator reach {most:,}: times {states:,} states of the graph "
                f"that is more than {LARGEST:,}, beyond which sums are not exact; take rounder weights"
            )

    def number(self, values: Values) -> int:
        """Return the number of a function."""
        found = self._number.setdefault(values.tobytes(), len(self.listed))
        if found == len(self.listed):
            self.listed.append(values)
        return found

    def serve(self, function: int, page: int) -> tuple[int, int]:
        """Return the function after a request, and by how much the smallest value has grown."""
        step = self._steps.get((function, page))
        if step is None:
            swap = np.full(len(self.weights), self.weights[page])
            values, grown = serve_one(self.tables, self.listed[function], page, 0, swap, self.weights)
            self._steps[function, page] = step = self.number(values), grown
        return step

    def plain(self, functions: list[int]) -> NDArray[np.int64]:
        """Return functions as rows, shape (functions, caches); −1 for a cache that is left out."""
        rows = np.array([self.listed[f] for f in functions])
        return np.where(rows >= NEVER, -1, rows)
