"""Kernels of policies that look at weights: Landlord, LRU and LFU.

Pages of one weight are a class. Within a class the order is that of time, so that one page of each, the
oldest, can be the next to leave: what is searched are classes, not pages. Every class has *places* of its own
in one bitmap, as many as it is requested and in whole words; a page has the place of the request that it
stands for, and the oldest page of a class is its first bit.
"""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, count_between, empty_set, flip, lowest_bit, signed, unsigned
from paging.kernels.heap import push, sift_down
from paging.kernels.jit import compiled, inlined
from paging.model import FREE, HIT, LEFT_ON_HIT, PageArray

Numbers = NDArray[np.int64]

CODE, VALUE = 0, 1
"""Columns of a page, side by side as both are needed: class · 2³² + place + 1, or + 0 where it has none; and
a number that is the policy's own."""

NEXT, WORD, HELD = 0, 1, 2
"""Columns of a class: its next place; a word before which its bits are 0; how many bits are set."""


@compiled
def _lay_out(
    requests: PageArray, pages_total: int, class_of: PageArray, classes: int
) -> tuple[Numbers, Numbers, int]:
    """Return the table of the pages, that of the classes, and the number of all places."""
    pages = np.zeros((pages_total, 2), dtype=np.int64)
    for page in range(pages_total):
        pages[page, CODE] = signed(class_of[page]) << 32
    requested = np.zeros(classes, dtype=np.int64)
    for t in range(len(requests)):
        requested[class_of[unsigned(requests[t])]] += 1
    table = np.zeros((classes, 3), dtype=np.int64)
    places = 0
    for c in range(classes):
        table[c, NEXT] = places
        table[c, WORD] = places >> 6
        places += (requested[c] + 63) >> 6 << 6
    return pages, table, places


@inlined
def _place(pages: Numbers, table: Numbers, live: Words, times: PageArray, page: int, time: int) -> None:
    """Give a page the next place of its class; ``times`` says when the request of every place was."""
    own = unsigned(pages[page, CODE] >> 32)
    place = table[own, NEXT]
    table[own, NEXT] = place + 1
    flip(live, place)
    times[place] = time
    pages[page, CODE] = (signed(own) << 32) + place + 1


@compiled
def _oldest(table: Numbers, live: Words, group: int) -> int:
    """Return the first place of a class, which has one."""
    word = table[group, WORD]
    while live[word] == 0:
        word += 1
    table[group, WORD] = word
    return int((word << 6) + lowest_bit(live[word]))


@compiled
def landlord(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    class_of: PageArray,
    weights: Numbers,
    renews: bool,
) -> int:
    """Serve a sequence with Landlord; O(1) for a hit, O(log c) amortised per fault with c different weights.

    Nobody's credit is lowered: the rent paid so far is one number, and a page's value is its credit plus the
    rent when it got it. In a class values grow with time. The oldest pages of the classes stand in a heap
    under value, time and class; values and times only grow, so the heap is put right when a class comes to
    the top.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`.
    class_of : ndarray of int32, shape (pages,)
        Class of every page.
    weights : ndarray of int64, shape (c,)
        Weight of every class. The sum over the requests fits int64.
    renews : bool
        Whether a hit renews the credit; otherwise it changes nothing.

    Returns
    -------
    int
        Number of faults.
    """
    pages, table, places = _lay_out(requests, pages_total, class_of, len(weights))
    live = empty_set(places)
    times = np.empty(places, dtype=np.int32)
    keys = np.empty(len(weights), dtype=np.int64)
    names = np.empty(len(weights), dtype=np.int64)  # time · 2³² + class
    listed = np.zeros(len(weights), dtype=np.bool_)
    size = faults = rent = 0
    for t in range(len(requests)):
        page = unsigned(requests[t])
        own = unsigned(pages[page, CODE] >> 32)
        place = signed(unsigned(pages[page, CODE])) - 1
        entry = HIT
        if place < 0:
            entry = FREE
            if faults >= cache:
                while True:
                    group = unsigned(names[0])
                    if table[group, HELD] == 0:
                        listed[group] = False
                        size -= 1
                        sift_down(keys, names, size, keys[size], names[size])
                        continue
                    gone = _oldest(table, live, group)
                    time = signed(times[gone])
                    victim = unsigned(requests[time])
                    if time == names[0] >> 32:
                        break
                    sift_down(keys, names, size, pages[victim, VALUE], (time << 32) + signed(group))
                rent = keys[0]
                entry = signed(victim)
                pages[victim, CODE] = signed(group) << 32
                flip(live, gone)
                table[group, HELD] -= 1
            faults += 1
            table[own, HELD] += 1
        elif renews:
            flip(live, place)
        if place < 0 or renews:
            _place(pages, table, live, times, page, t)
            pages[page, VALUE] = rent + weights[own]
            if not listed[own]:
                listed[own] = True
                push(keys, names, size, rent + weights[own], (signed(t) << 32) + signed(own))
                size += 1
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def lru_weighted(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    class_of: PageArray,
    weights: Numbers,
) -> int:
    """Serve a sequence with LRU by rank over weight; O(c) amortised per request with c different weights.

    Of a class the oldest page has the largest rank. These ranks are kept: one grows by 1 when a younger page
    becomes the most recent one, and where the oldest page goes, the ranks up to the next one are counted in a
    bitmap of the times of last requests, which are the pages' values.

    Parameters and result as for :func:`landlord`.
    """
    pages, table, places = _lay_out(requests, pages_total, class_of, len(weights))
    live = empty_set(places)
    times = np.empty(places, dtype=np.int32)
    last = empty_set(len(requests))
    rank = np.zeros(len(weights), dtype=np.int64)  # of the oldest page of every class, 0 where there is none
    oldest = np.full(len(weights), -1, dtype=np.int64)  # time of its last request
    faults = 0
    for t in range(len(requests)):
        page = unsigned(requests[t])
        own = signed(pages[page, CODE]) >> 32
        place = signed(unsigned(pages[page, CODE])) - 1
        group = own
        gone = -1
        entry = HIT
        if place >= 0:
            gone = pages[page, VALUE]
        else:
            entry = FREE
            if faults >= cache:
                group = -1
                for c in range(len(weights)):
                    if rank[c] > 0:
                        ahead = signed(1)
                        if group >= 0:
                            ahead = rank[c] * weights[group] - rank[group] * weights[c]
                        if ahead > 0 or (ahead == 0 and rank[c] > rank[group]):
                            group = c
                gone = oldest[group]
                entry = requests[gone]
                place = signed(unsigned(pages[entry, CODE])) - 1
                pages[entry, CODE] = group << 32
            faults += 1
            table[own, HELD] += 1
        if gone >= 0:
            flip(live, place)
            flip(last, gone)
            table[group, HELD] -= entry != HIT
            if oldest[group] == gone:
                following = -1
                # A page that was the only one of its class is put in again below.
                if table[group, HELD] > (entry == HIT or group == own):
                    following = signed(times[_oldest(table, live, group)])
                    rank[group] -= 1 + count_between(last, gone, following)
                else:
                    rank[group] = 0
                oldest[group] = following
        for c in range(len(weights)):
            rank[c] += oldest[c] > gone
        _place(pages, table, live, times, page, t)
        pages[page, VALUE] = t
        flip(last, t)
        if rank[own] == 0:
            rank[own] = 1
            oldest[own] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def lfu_weighted(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    class_of: PageArray,
    weights: Numbers,
) -> int:
    """Serve a sequence with LFU by count times weight; O(log k) amortised per fault, O(1) for most hits.

    Pages requested once since they were loaded leave a class in the order of loading: they alone have places.
    The oldest of every class stands in a heap under value and time, and so does every page requested more
    than once. Values, count times weight, and times only grow, so a hit writes them aside, and the heap is
    put right when a page comes to the top.

    Parameters and result as for :func:`landlord`.
    """
    pages, table, places = _lay_out(requests, pages_total, class_of, len(weights))
    live = empty_set(places)
    times = np.empty(places, dtype=np.int32)
    last = np.full(pages_total, -1, dtype=np.int32)
    room = min(cache, pages_total) + len(weights)
    keys = np.empty(room, dtype=np.int64)
    names = np.empty(room, dtype=np.int32)  # times
    listed = np.zeros(len(weights), dtype=np.bool_)
    size = faults = 0
    for t in range(len(requests)):
        page = unsigned(requests[t])
        own = unsigned(pages[page, CODE] >> 32)
        value = pages[page, VALUE]
        entry = HIT
        if value > 0:
            pages[page, VALUE] = value + weights[own]
            place = signed(unsigned(pages[page, CODE])) - 1
            if place >= 0:
                flip(live, place)
                pages[page, CODE] = signed(own) << 32
                table[own, HELD] -= 1
                push(keys, names, size, 2 * value, t)
                size += 1
        else:
            entry = FREE
            if faults >= cache:
                while entry == FREE:
                    first = requests[names[0]]
                    time = signed(last[first])
                    group = signed(pages[first, CODE]) >> 32
                    once = keys[0] == weights[group]
                    if time == names[0]:
                        entry = first
                        time = -1
                        if once:
                            flip(live, signed(unsigned(pages[first, CODE])) - 1)
                            pages[first, CODE] = group << 32
                            table[group, HELD] -= 1
                    if once:
                        listed[group] = table[group, HELD] > 0
                        time = signed(times[_oldest(table, live, group)]) if listed[group] else -1
                    if time >= 0:
                        sift_down(keys, names, size, pages[requests[time], VALUE], time)
                    else:
                        size -= 1
                        sift_down(keys, names, size, keys[size], names[size])
                pages[entry, VALUE] = 0
            pages[page, VALUE] = weights[own]
            _place(pages, table, live, times, page, t)
            table[own, HELD] += 1
            if not listed[own]:
                listed[own] = True
                push(keys, names, size, weights[own], t)
                size += 1
            faults += 1
        last[page] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def paid(requests: PageArray, entries: PageArray, weights: Numbers) -> tuple[int, int]:
    """Return the faults of a run, and what they cost by the weights of all pages."""
    faults = cost = 0
    for t in range(len(requests)):
        # No branch: hits and faults alternate too wildly to be predicted.
        fault = (entries[t] != HIT) & (entries[t] != LEFT_ON_HIT)
        faults += fault
        cost += weights[unsigned(requests[t])] * fault
    return faults, cost
