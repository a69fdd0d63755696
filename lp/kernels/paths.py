"""Minimum-cost flow along the time line by successive shortest paths: exact, and for every k at once."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from lp.kernels.dual import grouped
from paging.kernels.jit import compiled
from paging.model import PageArray

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
Index = int | np.int64
Heap = list[tuple[np.int64, np.int64]]

FORWARD, BACK = -1, -2
"""How a node was reached, if not by a gap: from the node before it, from the node after it."""


@compiled
def successive_paths(
    first: PageArray, last: PageArray, weight: Integers, steps: int, slots: int
) -> tuple[Flags, Integers, Integers]:
    """Choose gaps of largest total weight, ``slots`` of them at most at every step.

    One slot after the other is sent along the network of :mod:`lp.flow` by a shortest path from node 0 to
    node ``steps`` in the residual network (Jewell; Busacker and Gowen; Edmonds and Karp): after i paths the
    choice is optimal for i slots. O(slots · m log m) time.

    Parameters
    ----------
    first, last : ndarray of int32, shape (m,)
        Steps a gap covers; ``first > last``: none, and it is kept.
    weight : ndarray of int64, shape (m,)
        Positive.
    steps, slots : int
        Length of the time line, and slots at every step.

    Returns
    -------
    kept : ndarray of bool, shape (m,)
    level : ndarray of int64, shape (steps + 1,)
        Prefix sums of an optimal dual: the potentials after the last path.
    saved : ndarray of int64, shape (slots,)
        Largest total weight for 1, 2, … slots, gaps that cover nothing left out.
    """
    arcs = (*grouped(first, steps), *grouped(last + 1, steps))
    kept = first > last
    free = np.zeros(steps, dtype=np.int64)
    level = _longest_chains(first, last, weight, steps)
    distance, via = np.empty(steps + 1, dtype=np.int64), np.empty(steps + 1, dtype=np.int64)
    saved = np.zeros(slots, dtype=np.int64)
    for path in range(slots):
        _search(first, last, weight, arcs, kept, free, level, distance, via)
        for v in range(steps + 1):
            level[v] -= min(distance[v], distance[steps])
        gain = level[steps] - level[0]
        saved[path:] += gain
        if gain == 0:
            break  # a path of free slots only: further slots save nothing
        v = steps
        while v != 0:
            how = via[v]
            if how == FORWARD:
                v -= 1
                free[v] += 1
            elif how == BACK:
                free[v] -= 1
                v += 1
            else:
                v = last[how] + 1 if kept[how] else first[how]
                kept[how] = not kept[how]
    return kept, level, saved


@compiled
def _longest_chains(first: PageArray, last: PageArray, weight: Integers, steps: int) -> Integers:
    """Return the largest weight of disjoint gaps before every step: potentials of the empty flow."""
    closing, begin = grouped(last + 1, steps)
    level = np.zeros(steps + 1, dtype=np.int64)
    for v in range(1, steps + 1):
        level[v] = level[v - 1]
        for gap in closing[begin[v] : begin[v + 1]]:
            if first[gap] <= last[gap]:
                level[v] = max(level[v], level[first[gap]] + weight[gap])
    return level


@compiled
def _search(
    first: PageArray,
    last: PageArray,
    weight: Integers,
    arcs: tuple[Integers, Integers, Integers, Integers],
    kept: Flags,
    free: Integers,
    level: Integers,
    distance: Integers,
    via: Integers,
) -> None:
    """Find shortest paths from node 0 up to the last node, in lengths reduced by ``level`` (all ≥ 0)."""
    opening, from_left, closing, from_right = arcs
    steps = len(free)
    done = np.zeros(steps + 1, dtype=np.bool_)
    distance[:] = np.iinfo(np.int64).max
    distance[0] = 0
    # Most reduced lengths are 0: nodes at the distance reached wait on a stack, only others on the heap.
    ready = np.zeros(steps + 2, dtype=np.int64)
    waiting = 1
    heap = [(np.int64(0), np.int64(0)) for _ in range(0)]
    while waiting > 0 or len(heap) > 0:
        if waiting > 0:
            waiting -= 1
            u = ready[waiting]
        else:
            _, u = heapq.heappop(heap)
        if done[u]:
            continue
        done[u] = True
        if u == steps:
            return
        waiting = _relax(u, u + 1, 0, FORWARD, level, distance, via, done, ready, waiting, heap)
        if u > 0 and free[u - 1] > 0:
            waiting = _relax(u, u - 1, 0, BACK, level, distance, via, done, ready, waiting, heap)
        for gap in opening[from_left[u] : from_left[u + 1]]:
            if not kept[gap]:
                v, cost = np.int64(last[gap]) + 1, -weight[gap]
                waiting = _relax(u, v, cost, gap, level, distance, via, done, ready, waiting, heap)
        for gap in closing[from_right[u] : from_right[u + 1]]:
            if kept[gap] and first[gap] <= last[gap]:
                v, cost = np.int64(first[gap]), weight[gap]
                waiting = _relax(u, v, cost, gap, level, distance, via, done, ready, waiting, heap)


@compiled
def _relax(
    u: Index,
    v: Index,
    cost: Index,
    how: Index,
    level: Integers,
    distance: Integers,
    via: Integers,
    done: Flags,
    ready: Integers,
    waiting: int,
    heap: Heap,
) -> int:
    """Reach v from u if that is shorter; return how many nodes are ready."""
    new = distance[u] + cost - level[u] + level[v]
    if done[v] or new >= distance[v]:
        return waiting
    via[v] = how
    distance[v] = new
    if new > distance[u]:
        heapq.heappush(heap, (new, np.int64(v)))
        return waiting
    ready[waiting] = v
    return waiting + 1
