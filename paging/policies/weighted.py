"""Policies that look at what a fault costs: Landlord, and LRU and LFU with weights."""

import numpy as np

from paging.errors import UnsupportedModelError
from paging.kernels.jit import helper
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policies.recency import LEAST_RECENT, LONGEST_CACHED, ORDINARY
from paging.policy import Criterion, Policy, run_kernel

LARGEST_LABEL = 2**62
"""Labels stay below this, so that none overflows."""


@helper
def _landlord(labels: LabelArray, page: int, frame: Frame, renews: bool) -> None:
    """Serve with labels credit·(k + 1) + rank; the smallest label leaves, and all pay its credit.

    Rank 1 is the page that came, or with ``renews`` was asked for, longest ago.
    """
    base = frame.cache + 1
    size = np.count_nonzero(labels)
    moved = page
    if labels[page] == 0 and size == frame.cache:
        for q in range(len(labels)):
            if labels[q] > 0 and (moved == page or labels[q] < labels[moved]):
                moved = q
        rent = labels[moved] // base
        for q in range(len(labels)):
            if labels[q] > 0:
                labels[q] -= rent * base
    if labels[moved] > 0:
        if moved == page and not renews:
            return
        gap = labels[moved] % base
        for q in range(len(labels)):
            if labels[q] > 0 and labels[q] % base > gap:
                labels[q] -= 1
        labels[moved] = 0
        size -= 1
    labels[page] = frame.weights[page] * base + size + 1


class Landlord(Policy):
    """Landlord: cached pages pay rent from a credit, and who has none left leaves; a hit renews the credit.

    A page comes in with its weight as credit. Where a slot is needed, all cached pages pay the least credit
    among them, and of those with none left the least recently used one leaves. At unit cost it is LRU.

    Label
    -----
    credit·(k + 1) + recency rank, where the least recent cached page has rank 1; the smallest label is the
    next victim. Credits are counted in units of the weights' common denominator.

    Guarantee
    ---------
    k/(k − h + 1)-competitive with any weights (``landlord-upper``), and no deterministic policy is better at
    unit cost when ℓ = 1 (``deterministic-lower``).

    Bad for
    -------
    What is bad for LRU, at unit cost: ``cyclic``, ``rehearsed``.

    References
    ----------
    Young1991, Young2002
    """

    id, title = "landlord", "Landlord, a hit renews the credit (GreedyDual)"
    traits = ORDINARY

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _landlord(labels, page, frame, True)

    def check(self, instance: LayeredInstance) -> None:
        super().check(instance)
        most = 1 if instance.weights is None else int(instance.weights.scaled.max())
        if (most + 1) * (instance.cache + 1) >= LARGEST_LABEL:
            raise UnsupportedModelError(
                f"policy {self.name} counts credits up to {most} (weights over their denominator) times "
                f"k + 1 = {instance.cache + 1}, which does not fit 62 bits"
            )

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _least_credit(labels, frame.cache, LEAST_RECENT)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("landlord", sequence, entries, sequence.instance.frame.weights, True)


class LandlordFIFO(Landlord):
    """Landlord whose credits only fall: a hit changes nothing. At unit cost it is FIFO.

    As ``landlord``, but a hit does not renew the credit, and of the pages with none left the one that was
    loaded first leaves.

    Label
    -----
    credit·(k + 1) + arrival rank, where the cached page loaded first has rank 1.

    Guarantee
    ---------
    k/(k − h + 1)-competitive with any weights (``landlord-upper``).

    Bad for
    -------
    What is bad for FIFO, at unit cost: ``domino``.

    References
    ----------
    Young2002
    """

    id, title = "landlord-fifo", "Landlord, a hit leaves the credit"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _landlord(labels, page, frame, False)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _least_credit(labels, frame.cache, LONGEST_CACHED)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("landlord", sequence, entries, sequence.instance.frame.weights, False)


def _least_credit(labels: LabelArray, cache: int, among: str) -> tuple[Criterion, ...]:
    return (
        Criterion(labels // (cache + 1), "smallest", "credit", "least credit left, {value}"),
        Criterion(labels % (cache + 1), "smallest", "rank among equals", among, shown=False),
    )
