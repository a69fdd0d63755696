"""Duals of kept gaps by complementary slackness: the least solution of difference constraints.

Write Y(u) for the sum of the dual over steps up to u. A choice of kept gaps is optimal if and only if there
is a nondecreasing Y that rises only at *full* steps (as many kept gaps as slots), rises by at least w over
every dropped gap of weight w, and by at most w over every kept one (docs/offline-optimum.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import PageArray

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@compiled
def cut_bounds(first: PageArray, last: PageArray, kept: Flags, full: Flags) -> tuple[PageArray, PageArray]:
    """Return how late a cut may come after its predecessor, and before its successor.

    With unit weights the least Y is a list of cuts: full steps, each dropped gap over at least one of them,
    each kept gap over at most one. Both bounds are nondecreasing:

    - ``ahead[x]``, shape (steps + 1,): if no cut lies in the steps from x to the next cut, that cut comes no
      later than this (the earliest end of a dropped gap that begins at x or later); ``steps`` if free.
    - ``behind[x]``, shape (steps,): if a cut lies at x, the cut before it comes no later than this (before
      the earliest beginning of a kept gap that ends at x or later); ``steps`` if free.

    Both are rounded down to full steps, −1 if there is none.
    """
    steps = len(full)
    ahead = np.full(steps + 1, steps, dtype=np.int32)
    behind = np.full(steps, steps, dtype=np.int32)
    for gap in range(len(first)):
        a, b = first[gap], last[gap]
        if a > b:
            continue
        if kept[gap]:
            behind[b] = min(behind[b], a - 1)
        else:
            ahead[a] = min(ahead[a], b)
    for step in range(steps - 1, -1, -1):
        ahead[step] = min(ahead[step], ahead[step + 1])
        if step + 1 < steps:
            behind[step] = min(behind[step], behind[step + 1])
    floor = np.empty(steps, dtype=np.int32)
    nearest = -1
    for step in range(steps):
        if full[step]:
            nearest = step
        floor[step] = nearest
    for step in range(steps):
        if ahead[step] < steps:
            ahead[step] = floor[ahead[step]]
        if 0 <= behind[step] < steps:
            behind[step] = floor[behind[step]]
    return ahead, behind


@compiled
def latest_cuts(ahead: PageArray, behind: PageArray, work: Integers) -> PageArray:
    """Return the cuts, each as late as possible; an array holding only −1 if there are none that fit.

    A new cut is put as late as ``ahead`` allows; if it asks its predecessor to come earlier, that one is
    moved, and whatever depends on it in turn. Cuts only ever move to the left, and no further than any
    solution has them, so this stops at the latest solution, which is the least Y. ``work[0]`` counts moves.
    """
    steps = len(behind)
    cuts = np.empty(steps + 1, dtype=np.int32)
    nowhere = np.full(1, -1, dtype=np.int32)
    count = 0
    while True:
        new = ahead[cuts[count - 1] + 1] if count > 0 else ahead[0]
        if new == steps:
            return cuts[:count].copy()
        if new < 0 or count > steps:
            return nowhere
        cuts[count] = new
        count += 1
        # All cuts up to i are right among themselves; cut i is new or was moved.
        i = count - 1
        while True:
            while i > 0 and cuts[i - 1] > behind[cuts[i]]:
                cuts[i - 1] = behind[cuts[i]]
                work[0] += 1
                i -= 1
                if cuts[i] < 0:
                    return nowhere
            # Cut i is the first one moved: those after it may have to follow.
            i += 1
            while i < count and cuts[i] <= ahead[cuts[i - 1] + 1]:
                i += 1
            if i == count:
                break
            cuts[i] = ahead[cuts[i - 1] + 1]
            work[0] += 1
            if cuts[i] < 0:
                return nowhere


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
