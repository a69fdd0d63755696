"""Policies that count requests: LFU."""

import numpy as np

from paging.model import Frame, LabelArray, PageArray, RequestSequence
from paging.policy import Policy, run_kernel


class LFU(Policy):
    """Least frequently used, counting while cached; ties go to the least recently used.

    The count restarts at 1 when a page is loaded. Label: count·(k + 1) + recency rank, where the least
    recent cached page has rank 1; the smallest label is the next victim. Counts grow without bound, so the
    policy is not finite-state.

    Guarantee: none, not competitive (``not-competitive``). Bad for: two new pages in turn beside k − 1 pages
    requested twice (``alternating``). Source: Sleator and Tarjan 1985.
    """

    id, title = "lfu", "least frequently used (in-cache counts, ties to least recent)"
    traits = frozenset({"deterministic", "online", "demand", "symmetric"})

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = frame.cache + 1
        size = np.count_nonzero(labels)
        moved = page
        if labels[page] == 0 and size == frame.cache:
            for q in range(len(labels)):
                if labels[q] > 0 and (moved == page or labels[q] < labels[moved]):
                    moved = q
        count = labels[page] // base
        if labels[moved] > 0:
            gap = labels[moved] % base
            for q in range(len(labels)):
                if labels[q] % base > gap:
                    labels[q] -= 1
            labels[moved] = 0
            size -= 1
        labels[page] = (count + 1) * base + size + 1

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("lfu", sequence, entries)
