"""Policies that count requests: LFU, and LFU with capped counts or a memory."""

import numpy as np

from paging.kernels.jit import helper
from paging.kernels.visits import may_leave
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policies.recency import LEAST_RECENT, LONGEST_CACHED, ORDINARY, visits_of
from paging.policy import Criterion, InParts, Policy, run_kernel, served_in_parts

UNCAPPED = 2**31 - 1
"""More requests than any sequence has."""


@helper
def _count(labels: LabelArray, page: int, frame: Frame, most: int, perfect: bool) -> None:
    """Serve with labels count·(k + 1) + recency rank, 1 = least recent; the smallest label leaves.

    With ``perfect`` a page that leaves keeps its count, as −count·(k + 1).
    """
    base = frame.cache + 1
    size = np.count_nonzero(labels > 0)
    moved = page
    if labels[page] <= 0 and size == frame.cache:
        for q in range(len(labels)):
            fewer = labels[q] > 0 and (moved == page or labels[q] < labels[moved])
            if fewer and may_leave(frame.held, q):
                moved = q
    count = abs(labels[page]) // base
    if labels[moved] > 0:
        gap = labels[moved] % base
        for q in range(len(labels)):
            if labels[q] > 0 and labels[q] % base > gap:
                labels[q] -= 1
        labels[moved] = -(labels[moved] // base) * base if perfect else 0
        size -= 1
    labels[page] = min(count + 1, most) * base + size + 1


def _least_counted(labels: LabelArray, cache: int, counted: str, among: str) -> tuple[Criterion, ...]:
    return (
        Criterion(labels // (cache + 1), "smallest", "count", counted),
        Criterion(labels % (cache + 1), "smallest", "rank among equals", among, shown=False),
    )


def _counted(sequence: RequestSequence, entries: PageArray, most: int, renewed: bool, perfect: bool) -> int:
    return run_kernel("lfu", sequence, entries, most, renewed, perfect, *visits_of(sequence.instance))


FEWEST = "asked for least often since it came in, {value}×"


class LFU(Policy):
    """Least frequently used, counting while cached; ties go to the least recently used.

    The count restarts at 1 when a page is loaded.

    Label
    -----
    count·(k + 1) + recency rank, where the least recent cached page has rank 1; the smallest label is the
    next victim. Counts grow without bound, so the policy is not finite-state.

    Guarantee
    ---------
    None, not competitive (``not-competitive``).

    Bad for
    -------
    Two new pages in turn beside k − 1 pages requested twice (``alternating``).

    References
    ----------
    SleatorTarjan1985
    """

    id, title = "lfu", "least frequently used (in-cache counts, ties to least recent)"
    traits = (ORDINARY - {"finite-state"}) | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _count(labels, page, frame, UNCAPPED, False)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _least_counted(labels, frame.cache, FEWEST, LEAST_RECENT)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _counted(sequence, entries, UNCAPPED, True, False)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LfuInParts", instance)


class LFUPerfect(Policy):
    """Least frequently used, counts kept when pages leave; ties go to the least recently used.

    Label
    -----
    count·(k + 1) + recency rank, where the least recent cached page has rank 1; −count·(k + 1) for a page
    that was cached before. Counts grow without bound.

    Guarantee
    ---------
    None, not competitive (``popular-unbounded``).

    Bad for
    -------
    ``popular``: pages once requested often, then two others in turn.

    References
    ----------
    Engines2026: "LFU" of offloading engines counts since the start
    """

    id, title = "lfu-perfect", "least frequently used (counts since the start, ties to least recent)"
    traits = (ORDINARY - {"finite-state"}) | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _count(labels, page, frame, UNCAPPED, True)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _least_counted(labels, frame.cache, "asked for least often so far, {value}×", LEAST_RECENT)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _counted(sequence, entries, UNCAPPED, True, True)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LfuInParts", instance, UNCAPPED, True, True)


class LFUCapped(Policy):
    """LFU whose counts stop at k: finitely many states, so that its ratio can be computed.

    As ``lfu``, with a page requested k times or more counted as requested k times. Any cap from 2 on keeps
    LFU's flaw, that pages once popular are never let go, and a cap of 1 is LRU. At k, no count of LFU is
    changed before k requests to one page, and every cache of two pages or more has a cap of at least 2.

    Label
    -----
    count·(k + 1) + recency rank, where the least recent cached page has rank 1.

    Guarantee
    ---------
    None for k ≥ 2, not competitive (``not-competitive``).

    Bad for
    -------
    ``alternating``, as ``lfu``.

    References
    ----------
    here: capped counters are common in implementations
    """

    id, title = "lfu-capped", "LFU, counts capped at k"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _count(labels, page, frame, frame.cache, False)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        counted = f"counted least often since it came in, {{value}}× of at most {frame.cache}"
        return _least_counted(labels, frame.cache, counted, LEAST_RECENT)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _counted(sequence, entries, sequence.instance.cache, True, False)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LfuInParts", instance, instance.cache)


class LFUFirst(Policy):
    """Least frequently used, counting while cached; ties go to the page loaded first.

    The count restarts at 1 when a page is loaded.

    Label
    -----
    count·(k + 1) + arrival rank, where the cached page loaded first has rank 1; the smallest label is the
    next victim. Counts grow without bound.

    Guarantee
    ---------
    None; pages requested often are never let go, as by ``lfu``.

    Bad for
    -------
    Two new pages in turn beside k − 1 pages requested twice, as ``lfu``.

    References
    ----------
    SleatorTarjan1985
    """

    id, title = "lfu-fifo", "least frequently used (in-cache counts, ties to the first loaded)"
    traits = (ORDINARY - {"finite-state"}) | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = frame.cache + 1
        if labels[page] > 0:
            labels[page] += base
            return
        size = np.count_nonzero(labels)
        if size == frame.cache:
            victim = -1
            for q in range(len(labels)):
                fewer = labels[q] > 0 and (victim < 0 or labels[q] < labels[victim])
                if fewer and may_leave(frame.held, q):
                    victim = q
            gap = labels[victim] % base
            labels[victim] = 0
            for q in range(len(labels)):
                if labels[q] % base > gap:
                    labels[q] -= 1
            size -= 1
        labels[page] = base + size + 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _least_counted(labels, frame.cache, FEWEST, LONGEST_CACHED)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return _counted(sequence, entries, UNCAPPED, False, False)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LfuInParts", instance, UNCAPPED, False)
