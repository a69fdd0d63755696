"""Policies that order the cached pages by request or arrival: LRU, MRU, FIFO, LIFO, CLOCK, SIEVE, FWF."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import helper
from paging.kernels.visits import may_leave
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policy import Criterion, InParts, Policy, run_kernel, served_in_parts

ORDINARY = frozenset({"deterministic", "online", "demand", "symmetric", "finite-state"})


def visits_of(instance: LayeredInstance) -> tuple[int, bool]:
    """Return g and whether visits are atomic, as kernels want it."""
    return instance.per_visit, instance.visits == "atomic"


def by_time(sequence: RequestSequence, entries: PageArray, alone: str, *, renewed: bool, newest: bool) -> int:
    """Serve a sequence with a policy that goes by the times of requests or loads."""
    if sequence.instance.visits == "sequential":
        return run_kernel(alone, sequence, entries)
    return run_kernel("by_time", sequence, entries, sequence.instance.per_visit, renewed, newest)


LEAST_RECENT = "least recently used, last asked for at request {last}"
"""Why LRU evicts a page; others break ties so."""

LONGEST_CACHED = "in the cache longest, since request {loaded}"
"""Why FIFO evicts a page; others break ties so."""


@helper
def _let_go(labels: LabelArray, frame: Frame, newest: bool) -> int:
    """With a full cache let the page of the largest rank go, or of the smallest; return its rank, else 0."""
    victim, rank = -1, 0
    if np.count_nonzero(labels) == frame.cache:
        for q in range(len(labels)):
            if (
                labels[q] > 0
                and may_leave(frame.held, q)
                and (victim < 0 or (labels[q] < labels[victim]) == newest)
            ):
                victim = q
        rank = labels[victim]
        labels[victim] = 0
    return rank


@helper
def _advance(labels: LabelArray, page: int, rank: int) -> None:
    """Let a page take rank 1, and those move up that stood below a rank given up, 0 for none."""
    for q in range(len(labels)):
        if labels[q] > 0 and (rank == 0 or labels[q] < rank):
            labels[q] += 1
    labels[page] = 1


class LRU(Policy):
    """Least recently used: evict the page whose last request is longest ago.

    Label
    -----
    Recency rank, 1 = most recent, k = next victim.

    Guarantee
    ---------
    k-competitive (bound ``marking-upper``, with a smaller OPT ``augmentation-upper``), and no deterministic
    policy is better when ℓ = 1 (``deterministic-lower``).

    Bad for
    -------
    ``cyclic`` (``L3``) and ``rehearsed``, which reach k wherever that is possible (``L3-tight``).

    References
    ----------
    SleatorTarjan1985
    """

    id, title = "lru", "least recently used"
    traits = ORDINARY | {"conservative", "marking", "stack", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        rank = labels[page]
        for q in range(len(labels)):
            if labels[q] > 0 and (rank == 0 or labels[q] < rank):
                labels[q] += 1
                if labels[q] > frame.cache:
                    labels[q] = 0
        labels[page] = 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return (Criterion(labels, "largest", "recency rank", LEAST_RECENT),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("lru", sequence, entries, *visits_of(sequence.instance))

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LruInParts", instance)


class MRU(Policy):
    """Most recently used: evict the page requested last.

    Label
    -----
    Recency rank, 1 = most recent.

    Guarantee
    ---------
    None, not competitive (``not-competitive``).

    Bad for
    -------
    Two pages in turn (``alternating``).

    References
    ----------
    BorodinElYaniv1998
    """

    id, title = "mru", "most recently used"
    traits = ORDINARY | {"stack", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        rank = labels[page]
        if rank == 0:
            rank = _let_go(labels, frame, True)
        _advance(labels, page, rank)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        words = "most recently used, last asked for at request {last}"
        return (Criterion(labels, "smallest", "recency rank", words),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return by_time(sequence, entries, "mru", renewed=True, newest=True)


class FIFO(Policy):
    """First in, first out: evict the page that has been cached longest.

    Label
    -----
    Arrival rank, 1 = newest, k = next victim.

    Guarantee
    ---------
    k-competitive (``conservative-upper``), and no better for k ≥ ℓ (``fifo-tight``).

    Bad for
    -------
    ``domino``.

    References
    ----------
    SleatorTarjan1985
    """

    id, title = "fifo", "first in, first out"
    traits = ORDINARY | {"conservative", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0:
            _advance(labels, page, _let_go(labels, frame, False))

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return (Criterion(labels, "largest", "arrival rank", LONGEST_CACHED),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return by_time(sequence, entries, "fifo", renewed=False, newest=False)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("FifoInParts", instance)


class LIFO(Policy):
    """Last in, first out: evict the page cached last.

    Label
    -----
    Arrival rank, 1 = newest = next victim.

    Guarantee
    ---------
    None, not competitive (``not-competitive``).

    Bad for
    -------
    Two pages in turn (``alternating``).

    References
    ----------
    SleatorTarjan1985
    """

    id, title = "lifo", "last in, first out"
    traits = ORDINARY | {"stack", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0:
            _advance(labels, page, _let_go(labels, frame, True))

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        words = "the last that came in, at request {loaded}"
        return (Criterion(labels, "smallest", "arrival rank", words),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return by_time(sequence, entries, "lifo", renewed=False, newest=True)


@helper
def _tick(labels: LabelArray, page: int, frame: Frame, bit: int) -> None:
    """Serve with labels 2·(steps from the hand, 1 = next) + use bit; a page comes in with ``bit``."""
    if labels[page] > 0:
        labels[page] |= 1
        return
    size = np.count_nonzero(labels)
    searching = size == frame.cache
    under_hand = -1
    while searching:
        for q in range(len(labels)):
            if labels[q] // 2 == 1:
                under_hand = q
            elif labels[q] > 0:
                labels[q] -= 2
        searching = labels[under_hand] % 2 == 1 or not may_leave(frame.held, under_hand)
        labels[under_hand] = 2 * size if searching else 0
    labels[page] = 2 * (size if size == frame.cache else size + 1) + bit


def _spared(
    bits: LabelArray, steps: LabelArray, cached: NDArray[np.bool_], bit: str
) -> tuple[Criterion, ...]:
    """Return the choice of a hand that clears bits and stops at the first clear one."""
    words = (
        f"its {bit} is clear" if (bits[cached] == 0).any() else f"every {bit} was set and has been cleared"
    )
    return (
        Criterion(bits, "smallest", bit, words),
        Criterion(steps, "smallest", "steps from the hand", "the first that the hand came to"),
    )


def _under_hand(labels: LabelArray) -> tuple[Criterion, ...]:
    return _spared(labels & 1, labels // 2, labels > 0, "use bit")


class Clock(Policy):
    """CLOCK, also called second chance: FIFO that spares pages used since the hand last passed.

    The pages stand on a dial. A load or hit sets the page's use bit. On a fault the hand clears set bits as
    it passes and evicts the first page whose bit is clear; the new page takes the place behind the hand.

    Label
    -----
    2·(steps from the hand, 1 = next) + use bit.

    Guarantee
    ---------
    k-competitive (``conservative-upper``), which needs the bit to be set on loading: with a clear bit the
    sequence p, r, p after the cache {a, q}, q used, faults three times with k = 2.

    Bad for
    -------
    The cyclic sequence over k + 1 pages.

    References
    ----------
    Corbato1969
    """

    id, title = "clock", "CLOCK (second chance, use bit set on loading)"
    traits = ORDINARY | {"conservative", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _tick(labels, page, frame, 1)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _under_hand(labels)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("clock", sequence, entries, True, *visits_of(sequence.instance))

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("ClockInParts", instance, True)


class ClockClear(Policy):
    """CLOCK whose use bit is clear on loading: only a hit sets it.

    As ``clock`` otherwise. A page that is never hit leaves when the hand first reaches it.

    Label
    -----
    2·(steps from the hand, 1 = next) + use bit.

    Guarantee
    ---------
    None proved here. It is not conservative: with k = 2 and the cache {a, q}, q used, p, r, p are three
    faults.

    References
    ----------
    Corbato1969
    """

    id, title = "clock-clear", "CLOCK, use bit clear on loading"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _tick(labels, page, frame, 0)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _under_hand(labels)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("clock", sequence, entries, False, *visits_of(sequence.instance))

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("ClockInParts", instance, False)


class Sieve(Policy):
    """SIEVE: like CLOCK, but spared pages keep their place and new pages enter at the head.

    Pages stand in a queue, newest at the head. A hit sets the visited bit, loading does not. On a fault the
    hand moves from its place towards the head (from the tail when it has none), clears visited bits, and
    evicts the first page without; it then rests on the next page towards the head.

    Label
    -----
    4·(place, 1 = tail) + 2·(hand rests here) + visited.

    Guarantee
    ---------
    None for k ≥ 3, not competitive (``sieve-unbounded``).

    Bad for
    -------
    ``stuck-hand``.

    References
    ----------
    ZYYVR2024
    """

    id, title = "sieve", "SIEVE"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] > 0:
            labels[page] |= 1
            return
        size = np.count_nonzero(labels)
        if size == frame.cache:
            at = np.zeros(size + 1, dtype=np.int64)
            place = 1
            for q in range(len(labels)):
                if labels[q] > 0:
                    at[labels[q] // 4] = q
                    if labels[q] & 2:
                        place = labels[q] // 4
                        labels[q] -= 2
            while labels[at[place]] & 1 or not may_leave(frame.held, at[place]):
                labels[at[place]] &= ~1
                place = 1 if place == size else place + 1
            labels[at[place]] = 0
            for later in range(place + 1, size + 1):
                labels[at[later]] -= 4
            if place < size:
                labels[at[place + 1]] += 2
            size -= 1
        labels[page] = 4 * (size + 1)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        cached = labels > 0
        resting = labels[cached & (labels & 2 > 0)] // 4
        hand = int(resting[0]) if len(resting) else 1
        size = int(np.count_nonzero(cached)) or 1
        steps = (labels // 4 - hand) % size
        return _spared(labels & 1, steps + 1, cached, "visited bit")

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("sieve", sequence, entries, *visits_of(sequence.instance))


class FWF(Policy):
    """Flush when full: on a fault with a full cache evict everything.

    Label
    -----
    1 = cached.

    Guarantee
    ---------
    k-competitive (``marking-upper``).

    Bad for
    -------
    The cyclic sequence over k + 1 pages.

    References
    ----------
    KMRS1988
    """

    id, title = "fwf", "flush when full"
    traits = (ORDINARY - {"demand"}) | {"marking", "atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0 and np.count_nonzero(labels) >= frame.cache:
            for q in range(len(labels)):
                if may_leave(frame.held, q):
                    labels[q] = 0
        labels[page] = 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return (Criterion(labels, "", "label", "the cache is full, and all of it is flushed", shown=False),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("fwf", sequence, entries, *visits_of(sequence.instance))
