"""Policies that look at what a fault costs: Landlord, and LRU and LFU with weights."""

from fractions import Fraction

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


def _weighted_kernel(
    name: str, at_unit_cost: str, sequence: RequestSequence, entries: PageArray, *more: object
) -> int:
    """Serve a sequence with a kernel that takes weights, or with the one that it equals at unit cost."""
    weights = sequence.instance.weights
    if weights is None:
        return run_kernel(at_unit_cost, sequence, entries)
    different, class_of = np.unique(weights.scaled, return_inverse=True)
    return run_kernel(name, sequence, entries, class_of.astype(np.int32), different, *more)


def _require_products(policy: Policy, instance: LayeredInstance) -> None:
    """Raise UnsupportedModelError unless a weight times k + 1 fits 62 bits."""
    most = 1 if instance.weights is None else int(instance.weights.scaled.max())
    if (most + 1) * (instance.cache + 1) >= LARGEST_LABEL:
        raise UnsupportedModelError(
            f"policy {policy.name} multiplies weights, which reach {most} over their denominator, by "
            f"k + 1 = {instance.cache + 1}: that does not fit 62 bits"
        )


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
        _require_products(self, instance)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _least_credit(labels, frame.cache, LEAST_RECENT)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _weighted_kernel("landlord", "lru", sequence, entries, True)


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
        return _weighted_kernel("landlord", "fifo", sequence, entries, False)


def _least_credit(labels: LabelArray, cache: int, among: str) -> tuple[Criterion, ...]:
    return (
        Criterion(labels // (cache + 1), "smallest", "credit", "least credit left, {value}"),
        Criterion(labels % (cache + 1), "smallest", "rank among equals", among, shown=False),
    )


class WeightedLRU(Policy):
    """LRU with weights: evict the page whose recency rank is largest in proportion to its weight.

    A page that costs four times as much stays four ranks for another's one. Ties go to the least recently
    used. At unit cost it is LRU.

    Label
    -----
    Recency rank, 1 = most recent.

    Guarantee
    ---------
    None known; a baseline.

    Bad for
    -------
    What is bad for LRU, at unit cost: ``cyclic``, ``rehearsed``.

    References
    ----------
    here: the plainest way to weigh ranks
    """

    id, title = "lru-weighted", "LRU, recency rank over weight"
    traits = ORDINARY

    def check(self, instance: LayeredInstance) -> None:
        super().check(instance)
        _require_products(self, instance)

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        moved = page
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            for q in range(len(labels)):
                if labels[q] > 0:
                    if moved == page:
                        moved = q
                        continue
                    ahead = labels[q] * frame.weights[moved] - labels[moved] * frame.weights[q]
                    if ahead > 0 or (ahead == 0 and labels[q] > labels[moved]):
                        moved = q
        rank = labels[moved]
        labels[moved] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (rank == 0 or labels[q] < rank):
                labels[q] += 1
        labels[page] = 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        # Whole numbers in the order of rank/weight: places, equal for equal quotients.
        quotients = [Fraction(int(rank), int(w)) for rank, w in zip(labels, frame.weights, strict=True)]
        places = {quotient: place for place, quotient in enumerate(sorted(set(quotients)))}
        order = np.array([places[quotient] for quotient in quotients], dtype=np.int64)
        words = "its recency rank is the largest in proportion to its weight"
        return (
            Criterion(order, "largest", "order by rank/weight", words, shown=False),
            Criterion(labels, "largest", "recency rank", LEAST_RECENT),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _weighted_kernel("lru_weighted", "lru", sequence, entries)


class WeightedLFU(Policy):
    """LFU with weights: evict the page with the least count times weight; ties go to the least recently used.

    The count restarts at 1 when a page is loaded. At unit cost it is LFU.

    Label
    -----
    count·(k + 1) + recency rank, where the least recent cached page has rank 1. Counts grow without bound.

    Guarantee
    ---------
    None, not competitive: at unit cost it is ``lfu`` (``not-competitive``).

    Bad for
    -------
    ``alternating``, as ``lfu``.

    References
    ----------
    here: GreedyDual-Size with Frequency without ageing
    """

    id, title = "lfu-weighted", "LFU, in-cache count times weight"
    traits = ORDINARY - {"finite-state"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = frame.cache + 1
        size = np.count_nonzero(labels)
        moved = page
        if labels[page] == 0 and size == frame.cache:
            for q in range(len(labels)):
                if labels[q] > 0:
                    if moved == page:
                        moved = q
                        continue
                    ahead = (
                        labels[q] // base * frame.weights[q] - labels[moved] // base * frame.weights[moved]
                    )
                    if ahead < 0 or (ahead == 0 and labels[q] % base < labels[moved] % base):
                        moved = q
        count = labels[page] // base
        if labels[moved] > 0:
            gap = labels[moved] % base
            labels[moved] = 0
            for q in range(len(labels)):
                if labels[q] > 0 and labels[q] % base > gap:
                    labels[q] -= 1
            size -= 1
        labels[page] = (count + 1) * base + size + 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        counted = "least count times weight, {value}"
        values = labels // (frame.cache + 1) * frame.weights
        return (
            Criterion(values, "smallest", "count × weight", counted),
            Criterion(labels % (frame.cache + 1), "smallest", "rank among equals", LEAST_RECENT, shown=False),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _weighted_kernel("lfu_weighted", "lfu", sequence, entries)
