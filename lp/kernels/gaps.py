"""Gaps between requests: finding them, choosing the kept ones at unit cost, and carrying a choice out."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import BYPASS, FREE, HIT, PageArray

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@compiled
def previous_requests(requests: PageArray, pages: int) -> PageArray:
    """Return for every request the time of the same page's previous one, or −1; shape (T,)."""
    seen = np.full(pages, -1, dtype=np.int32)
    result = np.empty(len(requests), dtype=np.int32)
    for t in range(len(requests)):
        result[t] = seen[requests[t]]
        seen[requests[t]] = t
    return result


@compiled
def keep_earliest_ends(first: PageArray, last: PageArray, slots: Integers) -> Flags:
    """Choose as many gaps as possible: wherever too many are kept, drop the one that ends last.

    Optimal at unit cost for any slots (an exchange argument: the dropped gap blocks no less than any other
    one from there on). O(m log m).
    """
    steps = len(slots)
    order = np.argsort(first, kind="mergesort")
    kept = np.ones(len(first), dtype=np.bool_)
    leaving = np.zeros(steps + 1, dtype=np.int64)
    heap = [(np.int64(0), np.int64(0)) for _ in range(0)]
    live = 0
    place = 0
    for step in range(steps):
        live -= leaving[step]
        while place < len(order) and first[order[place]] <= step:
            gap = order[place]
            place += 1
            if first[gap] <= last[gap]:
                heapq.heappush(heap, (-np.int64(last[gap]), np.int64(gap)))
                leaving[last[gap] + 1] += 1
                live += 1
        while live > slots[step]:
            # Gaps already over end earlier than every live one, so they are never met here.
            end, gap = heapq.heappop(heap)
            kept[gap] = False
            leaving[1 - end] -= 1
            live -= 1
    return kept


@compiled
def schedule_of_kept(
    requests: PageArray,
    keep_after: Flags,
    part_of: PageArray,
    capacity: Integers,
    group: int,
    bypassing: bool,
    entries: PageArray,
) -> int:
    """Serve all requests so that a page stays cached where it is to be kept; fill ``entries``.

    ``keep_after[t]`` says whether the page requested at t is kept until its next request; ``part_of`` and
    ``capacity`` give the slots a page competes for; ``group`` requests are served as one atomic visit.
    Returns −1, or the time at which no page may leave.
    """
    pages = len(part_of)
    # The pages free to leave: one doubly linked list per part, with entry pages + part as its head.
    heads = pages + len(capacity)
    after, before = np.arange(heads), np.arange(heads)
    cached = np.zeros(pages, dtype=np.bool_)
    used = np.zeros(len(capacity), dtype=np.int64)
    for start in range(0, len(requests), group):
        end = min(start + group, len(requests))
        for t in range(start, end):
            page = requests[t]
            after[before[page]] = after[page]
            before[after[page]] = before[page]
            after[page] = before[page] = page
        for t in range(start, end):
            page = requests[t]
            part = part_of[page]
            head = pages + part
            if cached[page]:
                entries[t] = HIT
            elif used[part] < capacity[part]:
                used[part] += 1
                cached[page] = True
                entries[t] = FREE
            elif bypassing and not keep_after[t]:
                entries[t] = BYPASS
            else:
                leaving = after[head]
                if leaving == head:
                    return t
                after[head] = after[leaving]
                before[after[leaving]] = head
                after[leaving] = before[leaving] = leaving
                cached[leaving] = False
                cached[page] = True
                entries[t] = leaving
        for t in range(start, end):
            page = requests[t]
            if cached[page] and not keep_after[t]:
                head = pages + part_of[page]
                after[page] = after[head]
                before[page] = head
                before[after[head]] = page
                after[head] = page
    return -1


@compiled
def keep_what_fits(
    first: PageArray, last: PageArray, sizes: Integers, room: Integers, order: Integers
) -> Flags:
    """Keep gaps of different sizes in the given order, each if it still fits at all steps that it covers."""
    left = room.copy()
    kept = np.zeros(len(first), dtype=np.bool_)
    for gap in order:
        fits = True
        for step in range(first[gap], last[gap] + 1):
            if left[step] < sizes[gap]:
                fits = False
                break
        if fits:
            kept[gap] = True
            for step in range(first[gap], last[gap] + 1):
                left[step] -= sizes[gap]
    return kept
