"""Policies of several queues, with ghosts: segmented LRU, 2Q, ARC and S3-FIFO, as libCacheSim has them.

A page's label says in which queue it stands and at which place, 1 = entered last. Ghosts, pages that left the
cache and are remembered, stand in queues of their own under negative labels.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from paging.errors import ModelError
from paging.kernels.jit import helper
from paging.kernels.visits import may_leave
from paging.model import Frame, LabelArray, PageArray, RequestSequence, Serve, whole_number
from paging.policies.recency import ORDINARY, visits_of
from paging.policy import Criterion, Policy, run_kernel

CACHED, GHOST = 1, -1
"""Sign of the labels of a queue; within a sign queues have numbers from 0."""


@helper
def _size(labels: LabelArray, sign: int, queue: int, base: int) -> int:
    """Return how many pages stand in a queue; ``base`` is more than any queue holds."""
    size = 0
    for q in range(len(labels)):
        if sign * labels[q] > queue * base and sign * labels[q] < (queue + 1) * base:
            size += 1
    return size


@helper
def _last(labels: LabelArray, sign: int, queue: int, base: int) -> int:
    """Return the page that entered a queue first, or −1."""
    last, place = -1, queue * base
    for q in range(len(labels)):
        if sign * labels[q] > place and sign * labels[q] < (queue + 1) * base:
            last, place = q, sign * labels[q]
    return last


@helper
def _victim(labels: LabelArray, queue: int, base: int, frame: Frame) -> int:
    """Return the page that entered a queue first of those that may leave, or −1."""
    last, place = -1, queue * base
    for q in range(len(labels)):
        if labels[q] > place and labels[q] < (queue + 1) * base and may_leave(frame.held, q):
            last, place = q, labels[q]
    return last


@helper
def _leave(labels: LabelArray, page: int, base: int) -> None:
    """Take a page out of its queue."""
    sign = 1 if labels[page] > 0 else -1
    place = sign * labels[page]
    for q in range(len(labels)):
        other = sign * labels[q]
        if other > place and other // base == place // base:
            labels[q] -= sign
    labels[page] = 0


@helper
def _enter(labels: LabelArray, page: int, sign: int, queue: int, base: int) -> None:
    """Put a page, which stands in no queue, at the head of one."""
    for q in range(len(labels)):
        if sign * labels[q] > queue * base and sign * labels[q] < (queue + 1) * base:
            labels[q] += sign
    labels[page] = sign * (queue * base + 1)


@helper
def _remember(labels: LabelArray, page: int, most: int, base: int) -> None:
    """Let a page that leaves the cache be a ghost, of which there are at most ``most``, oldest out first."""
    _leave(labels, page, base)
    if most > 0:
        if _size(labels, GHOST, 0, base) == most:
            labels[_last(labels, GHOST, 0, base)] = 0
        _enter(labels, page, GHOST, 0, base)


def share_of(value: object, name: str) -> float:
    """Return a share of the cache as a float, 0 ≤ share < 1.

    Raises
    ------
    ModelError
        It is no number, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ModelError(f"{name} must be a number ≥ 0 and < 1, got {value!r}")
    return float(value)


def _last_of(
    labels: LabelArray, base: int, queues: tuple[str, ...], leaving: int, words: str
) -> tuple[Criterion, ...]:
    """Return the choice of the last page of one of two queues."""
    which = Criterion(
        labels // base, "largest" if leaving else "smallest", "queue", words, text=lambda queue: queues[queue]
    )
    return which, Criterion(labels % base, "largest", "place", "the last there")


@cache
def _slru(segments: int) -> Serve:
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = frame.cache + 1
        count = min(segments, frame.cache)
        share = frame.cache // count
        room = frame.cache - (count - 1) * share
        if labels[page] > 0:
            above = min(labels[page] // base + 1, count - 1)
            _leave(labels, page, base)
            _enter(labels, page, CACHED, above, base)
            if above > 0 and _size(labels, CACHED, above, base) > share:
                cooled = _last(labels, CACHED, above, base)
                _leave(labels, cooled, base)
                _enter(labels, cooled, CACHED, above - 1, base)
            return
        if np.count_nonzero(labels) == frame.cache:
            segment, victim = 0, -1
            while victim < 0:
                victim = _victim(labels, segment, base, frame)
                segment += 1
            _leave(labels, victim, base)
        lowest = 0
        while _size(labels, CACHED, lowest, base) == (room if lowest == 0 else share):
            lowest += 1
        _enter(labels, page, CACHED, lowest, base)

    return serve


class SLRU(Policy):
    """Segmented LRU: a hit lifts a page one segment up, and only the lowest segment gives pages away.

    The cache is divided into equal segments, each an LRU list; the lowest takes what is left over. A hit
    moves a page to the head of the segment above (in the highest: to its head); the last page of a segment
    that has become too long goes to the head of the one below. The victim is the last page of the lowest
    segment; a new page enters the lowest segment that has room. With fewer slots than segments every slot is
    a segment.

    libCacheSim does the same where the number of segments divides k; otherwise it drops pages on hits, and
    this does not.

    Parameters
    ----------
    segments : int, default 4

    Label
    -----
    segment·(k + 1) + recency rank in the segment, 1 = most recent.

    Guarantee
    ---------
    None for k ≥ 2, not competitive (``slru-unbounded``).

    Bad for
    -------
    ``protected``: pages hit often enough are never let go.

    References
    ----------
    KLW1994: two segments
    LibCacheSim2025: four segments, read in its code
    """

    id, title = "slru", "segmented LRU"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True
    serve = staticmethod(_slru(4))  # type: ignore[assignment]

    def __init__(self, segments: int = 4) -> None:
        self.segments = whole_number(segments, "segments of slru", 1, 64)
        self.serve = _slru(self.segments)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        base = frame.cache + 1
        return (
            Criterion(labels // base, "smallest", "segment", "of the lowest segment"),
            Criterion(labels % base, "largest", "place", "the last there"),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("slru", sequence, entries, self.segments, *visits_of(sequence.instance))


@cache
def _two_queues(inside: float, outside: float) -> Serve:
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = frame.cache + 1
        if labels[page] > 0:
            if labels[page] > base:
                _leave(labels, page, base)
                _enter(labels, page, CACHED, 1, base)
            return
        known = labels[page] < 0
        if known:
            _leave(labels, page, base)
        if np.count_nonzero(labels > 0) == frame.cache:
            waiting, kept = _victim(labels, 0, base, frame), _victim(labels, 1, base, frame)
            longer = _size(labels, CACHED, 0, base) > int(frame.cache * inside)
            if kept < 0 or (longer and waiting >= 0):
                _remember(labels, waiting, int(frame.cache * outside), base)
            else:
                _leave(labels, kept, base)
        _enter(labels, page, CACHED, 1 if known else 0, base)

    return serve


class TwoQ(Policy):
    """2Q: new pages pass through a FIFO queue; those requested again after it are kept by recency.

    A new page enters the queue A1in, a page remembered in A1out the LRU list Am; hits reorder Am alone. With
    a full cache A1in gives its oldest page away, which A1out then remembers, if A1in holds more than its
    share of the cache; otherwise Am gives its least recent. A page found in A1out leaves it before another is
    remembered there.

    Parameters
    ----------
    inside : float, default 0.25
        Share of the cache, rounded down, that A1in keeps.
    outside : float, default 0.5
        Pages that A1out remembers, as a share of the cache, rounded down.

    Label
    -----
    Rank in A1in, k + 1 + rank in Am, −rank in A1out; 1 = entered or requested last.

    Guarantee
    ---------
    None for k ≥ 5, not competitive (``2q-unbounded``).

    Bad for
    -------
    ``outrun-ghosts``: a cycle longer than both queues, no longer than the cache.

    References
    ----------
    JohnsonShasha1994
    LibCacheSim2025: sizes of the queues, read in its code
    """

    id, title = "2q", "2Q (A1in, A1out, Am)"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True
    serve = staticmethod(_two_queues(0.25, 0.5))  # type: ignore[assignment]

    def __init__(self, inside: float = 0.25, outside: float = 0.5) -> None:
        self.inside = share_of(inside, "inside of 2q")
        self.outside = share_of(outside, "outside of 2q")
        self.serve = _two_queues(self.inside, self.outside)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        base = frame.cache + 1
        share = int(frame.cache * self.inside)
        if _size(labels, CACHED, 0, base) > share:
            return _last_of(labels, base, ("in", "Am"), 0, f"A1in holds more than {share}")
        return _last_of(labels, base, ("in", "Am"), 1, f"A1in holds no more than {share}, so Am gives")

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        cache = sequence.instance.cache
        return run_kernel(
            "two_queues",
            sequence,
            entries,
            int(cache * self.inside),
            int(cache * self.outside),
            *visits_of(sequence.instance),
        )


@helper
def _target_of(code: int) -> float:
    """Return the number that :func:`_code_of` wrote."""
    target = float(code // 53)
    for _ in range(code % 53):
        target /= 2
    return target


@helper
def _code_of(target: float) -> int:
    """Write a float that is 0 or at least 2⁻⁵² as a whole number, small where it has few binary digits."""
    halvings = 0
    while target != np.floor(target):
        target *= 2
        halvings += 1
    return int(target) * 53 + halvings


class ARC(Policy):
    """ARC: pages requested once and more than once in two LRU lists, with a target size learnt from ghosts.

    T1 holds pages requested once since they came, T2 the others; B1 and B2 remember what left them. A request
    of a page in B1 raises the target p of T1 by max(1, |B2|/|B1|), one in B2 lowers it by max(1, |B1|/|B2|);
    p stays in 0 … k, a binary floating-point number. A fault with a full cache takes the last page of T1 if
    |T1| > p, or |T1| = p and the page is in B2, or T2 is empty, else that of T2. Before, if the page is in
    neither ghost list and |T1| + |B1| ≥ k, the last of B1 is forgotten (with B1 empty, the last page of T1
    leaves without being remembered); else if all four hold 2k pages, the last of B2 is.

    Label
    -----
    Place in its list, 1 = last requested: rank in T1, 2k + 1 + rank in T2; negative for B1 and B2. The page
    requested last, whose place is 1, carries p as well.

    Guarantee
    ---------
    None proved here; lower bounds from cycles are in docs/production.md.

    References
    ----------
    MegiddoModha2003
    LibCacheSim2025: p as a floating-point number, read in its code
    """

    id, title = "arc", "ARC (adaptive replacement cache)"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        cache, base, target = frame.cache, 2 * frame.cache + 1, 0.0
        for q in range(len(labels)):
            if labels[q] >= 2 * base:
                target = _target_of((labels[q] - 2 * base) // 2)
                labels[q] = labels[q] % 2 * base + 1
        again = 1 if labels[page] != 0 else 0
        if labels[page] > 0:
            _leave(labels, page, base)
        else:
            ghosts_1, ghosts_2 = _size(labels, GHOST, 0, base), _size(labels, GHOST, 1, base)
            in_second = labels[page] < -base
            if again == 1:
                if in_second:
                    target = max(target - max(ghosts_1 / ghosts_2, 1.0), 0.0)
                else:
                    target = min(target + max(ghosts_2 / ghosts_1, 1.0), float(cache))
                _leave(labels, page, base)
            if np.count_nonzero(labels > 0) == cache:
                first = _size(labels, CACHED, 0, base)
                queue = 1
                if (first > 0 and (first > target or (first == target and in_second))) or first == cache:
                    queue = 0
                remembered = True
                if again == 0:
                    if first + ghosts_1 >= cache:
                        remembered = ghosts_1 > 0
                        if remembered:
                            labels[_last(labels, GHOST, 0, base)] = 0
                        else:
                            queue = 0
                    elif ghosts_1 + ghosts_2 >= cache:
                        labels[_last(labels, GHOST, 1, base)] = 0
                victim = _victim(labels, queue, base, frame)
                if victim < 0:
                    queue = 1 - queue
                    victim = _victim(labels, queue, base, frame)
                _leave(labels, victim, base)
                if remembered:
                    _enter(labels, victim, GHOST, queue, base)
        _enter(labels, page, CACHED, again, base)
        labels[page] = 2 * base + 2 * _code_of(target) + again

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        base, target = 2 * frame.cache + 1, 0.0
        placed = labels.copy()
        for q in np.flatnonzero(labels >= 2 * base):
            target = _target_of(int(labels[q] - 2 * base) // 2)
            placed[q] = labels[q] % 2 * base + 1
        first, ghosts_1, ghosts_2 = (
            _size(placed, sign, queue, base) for sign, queue in ((CACHED, 0), (GHOST, 0), (GHOST, 1))
        )
        known = page is not None and labels[page] < 0
        in_second = page is not None and labels[page] < -base
        if in_second:
            target = max(target - max(ghosts_1 / ghosts_2, 1.0), 0.0)
        elif known:
            target = min(target + max(ghosts_2 / ghosts_1, 1.0), float(frame.cache))
        above = first > 0 and (first > target or (first == target and in_second))
        forced = not known and first + ghosts_1 >= frame.cache and ghosts_1 == 0
        size = f"T1 holds {first}, its target is {target:g}"
        return _last_of(placed, base, ("T1", "T2"), 0 if above or forced or first == frame.cache else 1, size)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("arc", sequence, entries, *visits_of(sequence.instance))


@cache
def _s3_fifo(small: float, ghost: float, threshold: int) -> Serve:
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = frame.cache + 1
        if labels[page] > 0:
            if labels[page] % 4 < 3:
                labels[page] += 1
            return
        hits = np.zeros(len(labels), dtype=np.int64)
        for q in range(len(labels)):
            if labels[q] > 0:
                hits[q] = labels[q] % 4
                labels[q] //= 4
        most = max(1, int(frame.cache * small))
        known = labels[page] < 0
        if known:
            _leave(labels, page, base)
        full = np.count_nonzero(labels > 0) == frame.cache
        searching = full
        while searching:
            first = _victim(labels, 0, base, frame)
            if first < 0 or _size(labels, CACHED, 0, base) < most:
                q = _victim(labels, 1, base, frame)
                while searching and q >= 0:
                    _leave(labels, q, base)
                    searching = hits[q] > 0
                    if searching:
                        _enter(labels, q, CACHED, 1, base)
                        hits[q] -= 1
                        q = _victim(labels, 1, base, frame)
            while searching and first >= 0:
                q = first
                searching = hits[q] >= threshold
                if searching:
                    _leave(labels, q, base)
                    _enter(labels, q, CACHED, 1, base)
                    hits[q] = 0
                    first = _victim(labels, 0, base, frame)
                else:
                    _remember(labels, q, int(frame.cache * ghost), base)
        to_main = known or (not full and _size(labels, CACHED, 0, base) >= most)
        _enter(labels, page, CACHED, 1 if to_main else 0, base)
        hits[page] = 0
        for q in range(len(labels)):
            if labels[q] > 0:
                labels[q] = 4 * labels[q] + hits[q]

    return serve


class S3FIFO(Policy):
    """S3-FIFO: a small FIFO queue sifts new pages, a main one with counters keeps those that were hit.

    Hits only count, up to 3. A new page enters the small queue, one that a ghost remembers the main queue
    (and so does a new one while the cache fills and the small queue has its share). On a fault with a full
    cache the small queue, if it holds its share, gives its oldest page away, remembered as a ghost; pages hit
    often enough since they came go to the main queue instead, their count 0. Otherwise the main queue
    gives its oldest page away, those with a count going round with one less.

    Parameters
    ----------
    small : float, default 0.1
        Share of the cache, rounded down but at least one slot, for the small queue.
    ghost : float, default 0.9
        Ghosts as a share of the cache, rounded down.
    threshold : int, default 2
        Hits after which a page of the small queue goes to the main one, 1 … 3.

    Label
    -----
    4·(place in the small queue, or k + 1 + place in the main one) + hits; −place among the ghosts. 1 = last.

    Guarantee
    ---------
    None for k > 10 that 10 does not divide, not competitive (``s3-fifo-unbounded``).

    Bad for
    -------
    ``outrun-sieve``: k new pages in turn are forgotten just before they come again.

    References
    ----------
    YZQYR2023
    LibCacheSim2025: from k = 20 on the same, read in its code; below, its small queue takes no page
    """

    id, title = "s3-fifo", "S3-FIFO"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True
    serve = staticmethod(_s3_fifo(0.1, 0.9, 2))  # type: ignore[assignment]

    def __init__(self, small: float = 0.1, ghost: float = 0.9, threshold: int = 2) -> None:
        self.small = share_of(small, "small of s3-fifo")
        self.ghost = share_of(ghost, "ghost of s3-fifo")
        self.threshold = whole_number(threshold, "threshold of s3-fifo", 1, 3)
        self.serve = _s3_fifo(self.small, self.ghost, self.threshold)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        base = frame.cache + 1

        def place(label: int) -> str:
            queue, rank = divmod(label // 4, base)
            return f"{'SM'[queue]}{rank}/{label % 4}"

        words = "the oldest of its queue that hits did not save"
        return (Criterion(labels, "", "queue and place / hits", words, text=place),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        cache = sequence.instance.cache
        small, ghosts = max(1, int(cache * self.small)), int(cache * self.ghost)
        visits = visits_of(sequence.instance)
        return run_kernel("s3_fifo", sequence, entries, small, ghosts, self.threshold, *visits)
