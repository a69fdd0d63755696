"""Deterministic marking algorithms with a stated order among the unmarked pages."""

import numpy as np

from paging.kernels.jit import helper
from paging.kernels.visits import may_leave
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policies.recency import LEAST_RECENT, LONGEST_CACHED, LRU, ORDINARY, visits_of
from paging.policy import Criterion, InParts, Policy, run_kernel, served_in_parts


@helper
def _mark(labels: LabelArray, page: int, frame: Frame, by_recency: bool, by_layer: bool) -> None:
    """Serve with labels 2·rank + mark; the unmarked page of highest rank leaves.

    With ``by_layer`` unmarked pages of the layer being served come before all others.
    """
    if labels[page] > 0 and not by_recency:
        labels[page] |= 1
        return
    moved = page
    if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
        if np.count_nonzero(labels & 1) == frame.cache:
            labels &= ~1
        best = 0
        for q in range(len(labels)):
            if labels[q] > 0 and labels[q] & 1 == 0 and may_leave(frame.held, q):
                near = by_layer and frame.layer_of[q] == frame.layer_of[page]
                worth = labels[q] + (2 * frame.cache if near else 0)
                if worth > best:
                    best = worth
                    moved = q
    place = labels[moved] // 2
    labels[moved] = 0
    for q in range(len(labels)):
        if labels[q] > 0 and (place == 0 or labels[q] // 2 < place):
            labels[q] += 2
    labels[page] = 3


def unmarked_first(marked: LabelArray, cached: LabelArray) -> Criterion:
    """Return the rule of every marking algorithm; the marks stand in pictures anyway."""
    phase = marked[cached].all()
    words = "all were marked, a new k-phase begins" if phase else "unmarked"
    return Criterion(marked, "smallest", "mark", words, shown=False)


def _ranked(labels: LabelArray, name: str, words: str) -> tuple[Criterion, ...]:
    return (
        unmarked_first(labels & 1, np.flatnonzero(labels > 0)),
        Criterion(labels // 2, "largest", name, words),
    )


class MarkLRU(Policy):
    """Marking, among unmarked pages the least recently used leaves.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase).

    Label
    -----
    2·(recency rank, 1 = most recent) + mark. Unmarked pages are always less recent than marked ones, so the
    decisions are those of LRU: a theorem that the tests use.

    Guarantee
    ---------
    k-competitive (``marking-upper``).

    Bad for
    -------
    The cyclic sequence over k + 1 pages.

    References
    ----------
    BorodinElYaniv1998
    """

    id, title = "mark-lru", "marking, ties to the least recently used"
    traits = ORDINARY | {"conservative", "marking", "stack", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _mark(labels, page, frame, True, False)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _ranked(labels, "recency rank", LEAST_RECENT)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return LRU().kernel(sequence, entries, rng)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LruInParts", instance)


class MarkFIFO(Policy):
    """Marking, among unmarked pages the one cached longest leaves.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase).

    Label
    -----
    2·(arrival rank, 1 = newest) + mark.

    Guarantee
    ---------
    k-competitive (``marking-upper``).

    Bad for
    -------
    The cyclic sequence over k + 1 pages.

    References
    ----------
    BorodinElYaniv1998
    """

    id, title = "mark-fifo", "marking, ties to the page cached longest"
    traits = ORDINARY | {"marking", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _mark(labels, page, frame, False, False)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _ranked(labels, "arrival rank", LONGEST_CACHED)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("mark_fifo", sequence, entries, *visits_of(sequence.instance))

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("MarkFifoInParts", instance)


class MarkLayer(Policy):
    """Marking, among unmarked pages those of the layer being served leave first, least recently used first.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase). The layer
    being served comes up again later than all others, so its pages can be spared longest.

    Label
    -----
    2·(recency rank, 1 = most recent) + mark.

    Guarantee
    ---------
    k-competitive (bound ``marking-upper``); on k + 1 pages (k − ℓ + 1)-competitive (``mark-layer-small``),
    which is best possible there (``L2``).

    Bad for
    -------
    ``marking-trap``.

    References
    ----------
    here
    """

    id, title = "mark-layer", "marking, ties to the layer being served, then the least recently used"
    traits = ORDINARY | {"marking", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _mark(labels, page, frame, True, True)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        unmarked, rank = _ranked(labels, "recency rank", LEAST_RECENT)
        served = (frame.layer_of == slot // frame.per_visit).astype(np.int64)
        near = Criterion(served, "largest", "layer being served", "of the layer being served", shown=False)
        return unmarked, near, rank

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        instance = sequence.instance
        return run_kernel("mark_layer", sequence, entries, instance.layer_of, *visits_of(instance))

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("MarkLayerInParts", instance)
