"""Deterministic marking algorithms with a stated order among the unmarked pages."""

import numpy as np

from paging.kernels.jit import helper
from paging.model import Frame, LabelArray, PageArray, RequestSequence
from paging.policies.recency import LRU, ORDINARY
from paging.policy import Policy


@helper
def _mark(labels: LabelArray, page: int, cache: int, by_recency: bool) -> None:
    """Serve with labels 2·rank + mark; the unmarked page of highest rank leaves."""
    if labels[page] > 0 and not by_recency:
        labels[page] |= 1
        return
    moved = page
    if labels[page] == 0 and np.count_nonzero(labels) == cache:
        if np.count_nonzero(labels & 1) == cache:
            labels &= ~1
        for q in range(len(labels)):
            if labels[q] > 0 and labels[q] & 1 == 0 and (moved == page or labels[q] > labels[moved]):
                moved = q
    place = labels[moved] // 2
    labels[moved] = 0
    for q in range(len(labels)):
        if labels[q] > 0 and (place == 0 or labels[q] // 2 < place):
            labels[q] += 2
    labels[page] = 3


class MarkLRU(Policy):
    """Marking, among unmarked pages the least recently used leaves.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase).
    Label: 2·(recency rank, 1 = most recent) + mark. Unmarked pages are always less recent than marked ones,
    so the decisions are those of LRU: a theorem that the tests use.

    Guarantee: k-competitive (``marking-upper``). Bad for: the cyclic sequence over k + 1 pages.
    Source: Borodin and El-Yaniv 1998.
    """

    id, title = "mark-lru", "marking, ties to the least recently used"
    traits = ORDINARY | {"conservative", "marking", "stack", "atomic"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _mark(labels, page, frame.cache, True)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return LRU().kernel(sequence, entries, rng)


class MarkFIFO(Policy):
    """Marking, among unmarked pages the one cached longest leaves.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase).
    Label: 2·(arrival rank, 1 = newest) + mark.

    Guarantee: k-competitive (``marking-upper``). Bad for: the cyclic sequence over k + 1 pages.
    Source: Borodin and El-Yaniv 1998.
    """

    id, title = "mark-fifo", "marking, ties to the page cached longest"
    traits = ORDINARY | {"marking"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _mark(labels, page, frame.cache, False)
