"""Duals of kept gaps by complementary slackness: the least solution of difference constraints.

Write Y(u) for the sum of the dual over steps up to u. A choice of kept gaps is optimal if and only if there
is a nondecreasing Y that rises only at *full* steps (as many kept gaps as slots), rises by at least w over
every dropped gap of weight w, and by at most w over every kept one (docs/offline-optimum.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, contains
from paging.kernels.jit import compiled
from paging.model import PageArray

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@compiled
def cut_bounds(
    first: PageArray, last: PageArray, kept: Flags, full: Flags
) -> tuple[Integers, Integers, Integers, Integers]:
    """Return how late a cut may come after its predecessor, and before its successor.

    With unit weights the least Y is a list of cuts: full steps, each dropped gap over at least one of them,
    each kept gap over at most one. Both bounds are step functions, each a pair of nondecreasing arrays:

    - ``starts``, ``ahead``: if no cut lies in the steps from x to the next cut, that cut comes no later than
      the entry of the first start ≥ x (the earliest end of a dropped gap that begins at x or later);
    - ``ends``, ``behind``: if a cut lies at x, the cut before it comes no later than the entry of the first
      end ≥ x (before the earliest beginning of a kept gap that ends at x or later).

    Both are rounded down to full steps, −1 if there is none.
    """
    steps = len(full)
    ahead = np.full(steps, steps, dtype=np.int32)
    behind = np.full(steps, steps, dtype=np.int32)
    for gap in range(len(first)):
        a, b = first[gap], last[gap]
        if a > b:
            continue
        if kept[gap]:
            behind[b] = min(behind[b], a - 1)
        else:
            ahead[a] = min(ahead[a], b)
    floor = np.empty(steps, dtype=np.int32)
    nearest = -1
    for step in range(steps):
        if full[step]:
            nearest = step
        floor[step] = nearest
    starts, until = _records(ahead, floor)
    ends, before = _records(behind, floor)
    return starts, until, ends, before


@compiled
def _records(earliest: PageArray, floor: PageArray) -> tuple[Integers, Integers]:
    """Return where the least entry from there on changes, and that entry, rounded down."""
    steps = len(earliest)
    least, count = steps, 0
    for step in range(steps - 1, -1, -1):
        if earliest[step] < least:
            least = earliest[step]
            count += 1
    places, values = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    least = steps
    for step in range(steps - 1, -1, -1):
        if earliest[step] < least:
            least = earliest[step]
            count -= 1
            places[count] = step
            values[count] = floor[least] if least >= 0 else -1
    return places, values


@compiled
def cut_bounds_from(
    requests: NDArray[Any],
    begin: int,
    following: NDArray[Any],
    hits: Words,
    slots: int,
    bypassing: bool,
    last: Integers,
    counters: Integers,
    found: Integers,
) -> bool:
    """Find what :func:`cut_bounds` finds, of sequential visits, among the gaps that begin or end in a part.

    Parameters
    ----------
    requests, following : ndarray of int
        The part, from time ``begin`` on, and its next uses.
    hits : ndarray of int64
        Bitmap of the hits, of all times.
    slots : int
        Gaps that can be kept at a step.
    last : ndarray of int64, shape (pages,)
        Time of every page's last request, or −1.
    counters : ndarray of int64, shape (6,)
        Kept gaps that are open (0), the last full step (−1), the latest beginning of a dropped gap (−1), the
        latest end of a kept one (−1), and how many entries were found of either kind.
    found : ndarray of int64, shape (4, requests)
        Receives starts, ahead, ends, behind of the part.

    Returns
    -------
    bool
        Whether nowhere more gaps are kept than there are slots.
    """
    open_gaps, nearest, latest_start, latest_end, starts, ends = counters
    starts = ends = 0
    lead = 0 if bypassing else 1
    never = len(hits) << 6  # at least T
    for i in range(len(requests)):
        t = begin + i
        page = requests[i]
        before = last[page]
        last[page] = t
        if before >= 0:
            if contains(hits, t):
                open_gaps -= 1
            elif before + lead > latest_start:
                latest_start = before + lead
                found[0, starts], found[1, starts] = latest_start, nearest
                starts += 1
        again = following[i]
        # Never again: the bit asked for then lies behind the last one, or is not set.
        kept = again < never and contains(hits, again)
        floor = nearest
        open_gaps += bypassing and kept
        if open_gaps > slots:
            return False
        if open_gaps == slots:
            nearest = t
        open_gaps += kept and not bypassing
        if not bypassing:
            floor = nearest
        if kept and again > latest_end and t + lead < again:
            latest_end = again
            found[2, ends], found[3, ends] = again - 1, floor
            ends += 1
    counters[:] = open_gaps, nearest, latest_start, latest_end, starts, ends
    return True


@compiled
def latest_cuts(
    starts: Integers, ahead: Integers, ends: Integers, behind: Integers, work: Integers
) -> Integers:
    """Return the cuts, each as late as possible; an array holding only −1 if there are none that fit.

    A new cut is put as late as ``ahead`` allows; if it asks its predecessor to come earlier, that one is
    moved, and whatever depends on it in turn. Cuts only ever move to the left, and no further than any
    solution has them, so this stops at the latest solution, which is the least Y. ``work[0]`` counts moves.
    """
    cuts = np.empty(64, dtype=np.int64)
    nowhere = np.full(1, -1, dtype=np.int64)
    count = 0
    while True:
        previous = cuts[count - 1] if count > 0 else -1
        place = np.searchsorted(starts, previous + 1)
        if place == len(starts):
            return cuts[:count].copy()
        if ahead[place] <= previous:
            return nowhere
        if count == len(cuts):
            cuts = np.concatenate((cuts, np.empty_like(cuts)))
        cuts[count] = ahead[place]
        count += 1
        # All cuts up to i are right among themselves; cut i is new or was moved.
        i = count - 1
        while True:
            while i > 0:
                place = np.searchsorted(ends, cuts[i])
                if place == len(ends) or cuts[i - 1] <= behind[place]:
                    break
                cuts[i - 1] = behind[place]
                work[0] += 1
                i -= 1
                if cuts[i] < 0:
                    return nowhere
            # Cut i is the first one moved: those after it may have to follow.
            i += 1
            while i < count:
                place = np.searchsorted(starts, cuts[i - 1] + 1)
                if place == len(starts) or cuts[i] <= ahead[place]:
                    i += 1
                else:
                    break
            if i == count:
                break
            cuts[i] = ahead[place]
            work[0] += 1
            if cuts[i] < 0:
                return nowhere


@compiled
def unit_bound_from(
    requests: NDArray[Any],
    begin: int,
    steps: Integers,
    values: Integers,
    slots: int,
    bypassing: bool,
    since: Integers,
    sums: Integers,
) -> None:
    """Add to what a dual proves at unit cost what belongs to the requests from time ``begin`` on.

    ``since`` is the sum of y up to the beginning of every page's last gap (−1 before its first request), and
    ``sums`` the sum of y so far, how many of its steps are done, and the bound so far.
    """
    level, place, bound = sums
    for i in range(len(requests)):
        page = requests[i]
        bound += 1 - max(0, 1 - (level - since[page]))
        since[page] = level
        if place < len(steps) and steps[place] == begin + i:
            level += values[place]
            bound -= slots * values[place]
            place += 1
            if not bypassing:
                since[page] = level
    sums[:] = level, place, bound


@compiled
def least_potential(
    first: PageArray, last: PageArray, weight: Integers, kept: Flags, full: Flags, limit: int, effort: int
) -> Integers:
    """Return the least Y for weighted gaps, shape (steps + 1,) with Y before step u at entry u.

    Longest paths from the left by alternating sweeps that look only at entries raised since the last sweep.
    An empty array if an entry exceeds ``limit``, or after ``effort`` looks: then the choice is not optimal
    (or this is not the way to prove it).
    """
    steps = len(full)
    opening, from_left = grouped(first, steps)
    closing, from_right = grouped(last + 1, steps)
    level = np.zeros(steps + 1, dtype=np.int64)
    forward, backward = np.ones(steps + 1, dtype=np.bool_), np.ones(steps + 1, dtype=np.bool_)
    changed = True
    while changed:
        changed = False
        for u in range(steps + 1):
            if not forward[u]:
                continue
            forward[u] = False
            effort -= 1
            if u < steps and level[u + 1] < level[u]:
                level[u + 1] = level[u]
                forward[u + 1] = backward[u + 1] = changed = True
            for i in range(from_left[u], from_left[u + 1]):
                gap = opening[i]
                if first[gap] <= last[gap] and not kept[gap]:
                    v = last[gap] + 1
                    if level[v] < level[u] + weight[gap]:
                        level[v] = level[u] + weight[gap]
                        forward[v] = backward[v] = changed = True
            if level[u] > limit or effort < 0:
                return np.zeros(0, dtype=np.int64)
        for v in range(steps, -1, -1):
            if not backward[v]:
                continue
            backward[v] = False
            effort -= 1
            if v > 0 and not full[v - 1] and level[v - 1] < level[v]:
                level[v - 1] = level[v]
                forward[v - 1] = backward[v - 1] = changed = True
            for i in range(from_right[v], from_right[v + 1]):
                gap = closing[i]
                if first[gap] <= last[gap] and kept[gap]:
                    u = first[gap]
                    if level[u] < level[v] - weight[gap]:
                        level[u] = level[v] - weight[gap]
                        forward[u] = backward[u] = changed = True
    return level


@compiled
def grouped(node: PageArray, steps: int) -> tuple[Integers, Integers]:
    """Return gap numbers sorted by node, and where each node's begin, shape (steps + 2,)."""
    begin = np.zeros(steps + 2, dtype=np.int64)
    for gap in range(len(node)):
        begin[min(node[gap], steps) + 1] += 1
    for u in range(steps + 1):
        begin[u + 1] += begin[u]
    place = begin.copy()
    order = np.empty(len(node), dtype=np.int64)
    for gap in range(len(node)):
        u = min(node[gap], steps)
        order[place[u]] = gap
        place[u] += 1
    return order, begin
