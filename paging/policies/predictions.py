"""Policies that are told a prediction with every request."""

from __future__ import annotations

import numpy as np

from paging.kernels.jit import helper
from paging.model import Frame, LabelArray, PageArray, RequestSequence
from paging.policies.recency import LEAST_RECENT, ORDINARY
from paging.policy import Criterion, Policy, run_kernel


@helper
def _serve_by_bit(labels: LabelArray, page: int, bit: int) -> None:
    """Label the requested page: 1 = to keep; 1 + r = the r-th most recent of those to discard."""
    place = labels[page]
    for q in range(len(labels)):
        if labels[q] > place > 1:
            labels[q] -= 1
    labels[page] = 0
    if bit == 1:
        for q in range(len(labels)):
            if labels[q] > 1:
                labels[q] += 1
    labels[page] = 1 + bit


class FlushWhenKept(Policy):
    """With discard bits: evict a page to discard; where all cached pages are to be kept, evict them all.

    A page's bit is the one that came with its latest request. On a fault with a full cache the least recently
    requested page with bit 1 leaves; if there is none, some bit 0 was wrong, and the whole cache is flushed.

    Label
    -----
    1 = cached with bit 0; 1 + r = cached, the r-th most recent of the pages with bit 1.

    Guarantee
    ---------
    At most OPT + (k − 1)·η0 + η1 faults (bound ``flush-when-kept-upper``).

    Bad for
    -------
    Wrong bits 0: with all bits 0 it is ``fwf``.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "flush-when-kept", "evict a page to discard, flush where all are to be kept"
    traits = ORDINARY - {"demand"}
    predictions = "discard"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            least = labels.argmax()
            if labels[least] > 1:
                labels[least] = 0
            else:
                labels[:] = 0
        _serve_by_bit(labels, page, frame.prediction)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        flush = labels.max() <= 1
        words = "all were to be kept, and the cache is flushed" if flush else f"to discard, {LEAST_RECENT}"
        return (Criterion(labels, "" if flush else "largest", "discard rank", words, shown=not flush),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("flush_when_kept", sequence, entries, sequence.predictions)


class FlushWhenKeptLazy(Policy):
    """``flush-when-kept``, where what is flushed stays until its slot is needed.

    A page's bit is the one that came with its latest request. On a fault with a full cache the least recently
    requested page leaves: of those flushed if there are any, otherwise of those with bit 1, otherwise of all,
    and the others count as flushed from then on.

    Label
    -----
    3·(recency rank, 1 = most recent) + class: 0 = to keep, 1 = to discard, 2 = flushed.

    Guarantee
    ---------
    Its cache always holds the one of ``flush-when-kept``, so its faults are at most those:
    OPT + (k − 1)·η0 + η1 (bound ``flush-when-kept-upper``).

    Bad for
    -------
    Wrong bits 0: with all bits 0 it marks, and ``cyclic`` forces k.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "flush-when-kept-lazy", "flush-when-kept, what is flushed leaves when its slot is needed"
    traits = ORDINARY
    predictions = "discard"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        place = labels[page] // 3
        if place == 0 and np.count_nonzero(labels) == frame.cache:
            victim = page
            best = 0
            for q in range(len(labels)):
                worth = labels[q] + 4 * frame.cache * (labels[q] % 3)
                if labels[q] > 0 and worth > best:
                    best = worth
                    victim = q
            if labels[victim] % 3 == 0:
                for q in range(len(labels)):
                    if labels[q] > 0:
                        labels[q] += 2
            place = labels[victim] // 3
            labels[victim] = 0
        labels[page] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (place == 0 or labels[q] // 3 < place):
                labels[q] += 3
        labels[page] = 3 + frame.prediction

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        words = {0: "all were to be kept", 1: "to discard", 2: "flushed"}
        return (
            _class_first(labels, words),
            Criterion(labels // 3, "largest", "recency rank", LEAST_RECENT),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("flush_when_kept_lazy", sequence, entries, sequence.predictions)


def _class_first(labels: LabelArray, words: dict[int, str]) -> Criterion:
    """Return the rule of policies whose labels are 3·rank + class: the largest class leaves first."""
    classes = labels % 3
    cached = labels > 0
    return Criterion(
        classes, "largest", "class", words[int(classes[cached].max())] if cached.any() else "", shown=False
    )
