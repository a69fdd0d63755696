"""Kernels of LRU, MRU, FIFO, LIFO, CLOCK, SIEVE and FWF."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, bit, bits_below, bits_up_to, empty_set, flip, last_up_to, lowest_bit
from paging.kernels.jit import compiled
from paging.kernels.visits import hits_first, lock, may_leave, release
from paging.model import FREE, HIT, SEVERAL, PageArray


@compiled
def lru(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with LRU; O(1) amortised per request.

    The cached pages are a bitmap over time, a bit at the last request of each: the first bit is the least
    recently used page. T/8 bytes beside the table of pages.

    Parameters
    ----------
    requests : ndarray of int32, shape (T,)
        Page ids; T < 2³¹.
    pages_total : int
        Page ids lie in 0 … pages_total − 1.
    cache : int
        Cache size k ≥ 1 in pages; cold start.
    entries : ndarray of int32, shape (T,) or (0,)
        Receives HIT, FREE or the page that leaves, per request; left alone if empty.
    per_visit : int, default 1
        Requests per visit g, where visits are atomic.
    atomic : bool, default False
        Whether the hits of a visit are served first.

    Returns
    -------
    int
        Number of faults.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    live = empty_set(len(requests))
    return lru_from(requests.copy(), 0, cache, entries, per_visit, atomic, last, live, 0)


@compiled
def lru_from(
    order: PageArray,
    begin: int,
    cache: int,
    entries: PageArray,
    per_visit: int,
    atomic: bool,
    last: PageArray,
    live: Words,
    faults: int,
) -> int:
    """Serve the requests from time ``begin`` on with LRU, given what came of those before; return all faults.

    Parameters
    ----------
    order : ndarray of int32
        Requests; before ``begin`` they only need to be right at the last request of every cached page.
    last : ndarray of int32, shape (pages,)
        Time of the last request of a cached page, −1 for the others. Changed in place.
    live : ndarray of int64
        These times as a bitmap. Changed in place.
    """
    place = np.zeros(per_visit, dtype=np.int64)
    word = 0
    for t in range(begin, len(order)):
        if atomic and t % per_visit == 0:
            hits_first(order, place, t, per_visit, last)
        page = np.uint32(order[t])
        gone = last[page]
        entry = HIT
        if gone < 0:
            faults += 1
            entry = FREE
            if faults > cache:
                while live[word] == 0:
                    word += 1
                gone = (word << 6) + lowest_bit(live[word])
                entry = order[gone]
                last[np.uint32(entry)] = -1
        if gone >= 0:
            flip(live, gone)
        flip(live, t)
        last[page] = t
        if len(entries) > 0:
            entries[(place[t % per_visit] if atomic else t) - begin] = entry
    return faults


@compiled
def by_time(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    per_visit: int,
    renewed: bool,
    newest: bool,
) -> int:
    """Serve atomic visits with FIFO, LIFO or MRU: pages in the order of their loads or last requests.

    The cached pages are a bitmap over time, as for :func:`lru`; the pages of the visit are passed over.
    O(g + T/64/faults) amortised per fault.

    Parameters and result as for :func:`lru`; ``renewed`` if a hit gives a page a new time, ``newest`` if the
    page of the latest time leaves.
    """
    order = requests.copy()
    since = np.full(pages_total, -1, dtype=np.int32)
    live = empty_set(len(requests))
    place, held = lock(per_visit, pages_total, True)
    faults = word = 0
    for t in range(len(order)):
        if t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, since)
        page = order[t]
        gone = since[page]
        entry = HIT
        if gone < 0:
            faults += 1
            entry = FREE
            if faults > cache:
                if newest:
                    gone = last_up_to(live, t)
                    while held[order[gone]]:
                        gone = last_up_to(live, gone - 1)
                else:
                    while live[word] == 0:
                        word += 1
                    at, bits = word, live[word]
                    gone = (at << 6) + lowest_bit(bits)
                    while held[order[gone]]:
                        bits &= bits - 1
                        while bits == 0:
                            at += 1
                            bits = live[at]
                        gone = (at << 6) + lowest_bit(bits)
                entry = order[gone]
                since[entry] = -1
                flip(live, gone)
            flip(live, t)
            since[page] = t
        elif renewed:
            flip(live, gone)
            flip(live, t)
            since[page] = t
        held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit]] = entry
    return faults


@compiled
def fifo(requests: PageArray, pages_total: int, cache: int, entries: PageArray) -> int:
    """Serve a sequence with FIFO; O(1) per request.

    A page is cached as long as fewer than k loads came after its own, so the number of its last load says
    it all: no queue is kept, except to name the victims.

    Parameters and result as for :func:`lru`.
    """
    loaded = np.full(pages_total, -1, dtype=np.int32)
    ring = np.empty(min(cache, pages_total) if len(entries) > 0 else 0, dtype=np.int32)
    return fifo_from(requests, cache, entries, loaded, ring, 0)


@compiled
def fifo_from(
    requests: PageArray, cache: int, entries: PageArray, loaded: NDArray[Any], ring: PageArray, faults: int
) -> int:
    """Serve requests with FIFO after ``faults`` faults; return all faults.

    ``loaded`` holds the number of every page's last load, ``ring`` the pages by this number modulo k if the
    victims are to be named. Both are changed in place.
    """
    record = len(entries) > 0
    slot = faults % cache
    for t in range(len(requests)):
        page = requests[t]
        load = loaded[page]
        # A condition without branches: hits and faults alternate too wildly to be predicted.
        fault = (load < 0) | (load < faults - cache)
        if record:
            entry = HIT
            if fault:
                entry = FREE if faults < cache else ring[slot]
                ring[slot] = page
                slot = slot + 1 if slot + 1 < cache else 0
            entries[t] = entry
        loaded[page] = faults if fault else load
        faults += fault
    return faults


@compiled
def _pass_used(used: Words, hand: int, slots: int) -> int:
    """Move the hand to the first slot whose use bit is clear, clear the bits it passes, and return the slot.

    A whole word of use bits is passed at a time. The bits after the last slot stay set.
    """
    while True:
        word = hand >> 6
        unused = ~used[word] & -1 << (hand & 63)
        if unused != 0:
            slot = (word << 6) + lowest_bit(unused)
            used[word] &= ~bits_below(slot & 63) | bits_below(hand & 63)
            return slot
        used[word] &= bits_below(hand & 63)
        hand = (word + 1) << 6
        if hand >= slots:
            used[word] |= ~bits_up_to((slots - 1) & 63)
            hand = 0


@compiled
def clock(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    set_on_loading: bool = True,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with CLOCK (use bit set on hits, and on loading or not); O(1) amortised per request.

    Parameters and result as for :func:`lru`; the hand passes pages of an atomic visit as if they were used.
    """
    slot_of = np.full(pages_total, -1, dtype=np.int32)
    dial = np.empty(min(cache, pages_total), dtype=np.int32)
    used = np.full((len(dial) + 63) // 64, -1, dtype=np.int64)
    return clock_from(
        requests.copy(), cache, entries, set_on_loading, slot_of, dial, used, 0, 0, per_visit, atomic
    )[0]


@compiled
def clock_from(
    order: PageArray,
    cache: int,
    entries: PageArray,
    set_on_loading: bool,
    slot_of: PageArray,
    dial: PageArray,
    used: Words,
    faults: int,
    hand: int,
    per_visit: int,
    atomic: bool,
) -> tuple[int, int]:
    """Serve requests with CLOCK after ``faults`` faults; return all faults, and where the hand stands.

    ``slot_of`` is the slot of a cached page, −1 for the others; ``dial`` the page of a slot; ``used`` the use
    bits as a bitmap. All are changed in place.
    """
    place, held = lock(per_visit, len(slot_of), atomic)
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, slot_of)
        page = order[t]
        slot = slot_of[page]
        entry = HIT
        if slot < 0:
            slot = faults
            entry = FREE
            if faults >= cache:
                slot = _pass_used(used, hand, cache)
                while not may_leave(held, dial[slot]):
                    slot = _pass_used(used, slot + 1 if slot + 1 < cache else 0, cache)
                hand = slot + 1 if slot + 1 < cache else 0
                entry = dial[slot]
                slot_of[entry] = -1
            dial[slot] = page
            slot_of[page] = slot
            faults += 1
        if entry == HIT or set_on_loading:
            used[slot >> 6] |= bit(slot & 63)
        else:
            used[slot >> 6] &= ~bit(slot & 63)
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults, hand


@compiled
def mru(requests: PageArray, pages_total: int, cache: int, entries: PageArray) -> int:
    """Serve a sequence with MRU; O(1) per request: the victim is the page requested just before.

    Parameters and result as for :func:`lru`.
    """
    cached = np.zeros(pages_total, dtype=np.bool_)
    faults = 0
    for t in range(len(requests)):
        page = requests[t]
        entry = HIT
        if not cached[page]:
            faults += 1
            entry = FREE
            if faults > cache:
                entry = requests[t - 1]
                cached[entry] = False
            cached[page] = True
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def lifo(requests: PageArray, pages_total: int, cache: int, entries: PageArray) -> int:
    """Serve a sequence with LIFO; O(1) per request: the victim is the page loaded last.

    Parameters and result as for :func:`lru`.
    """
    cached = np.zeros(pages_total, dtype=np.bool_)
    faults = 0
    newest = -1
    for t in range(len(requests)):
        page = requests[t]
        entry = HIT
        if not cached[page]:
            faults += 1
            entry = FREE
            if faults > cache:
                entry = newest
                cached[entry] = False
            cached[page] = True
            newest = page
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def fwf(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with FWF; O(1) per request: pages cached before the last flush are absent.

    Parameters and result as for :func:`lru`; a flush of several pages is recorded as SEVERAL. A flush spares
    the pages of an atomic visit: these count as loaded after it.
    """
    order = requests.copy()
    last = np.full(pages_total, -1, dtype=np.int32)  # how many flushes came before a page was cached
    place, held = lock(per_visit, pages_total, atomic)
    faults = flushes = size = 0
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, last, flushes)
        page = order[t]
        entry = HIT
        if last[page] < flushes:
            entry = FREE
            if size == cache:
                kept = t % per_visit if atomic else 0
                entry = SEVERAL
                if cache - kept == 1:
                    for q in range(pages_total):
                        if last[q] == flushes and may_leave(held, q):
                            entry = q
                flushes += 1
                for i in range(t - kept, t):
                    last[order[i]] = flushes
                size = kept
            last[page] = flushes
            size += 1
            faults += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def sieve(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with SIEVE; O(1) amortised per request, as every bit cleared was set by a hit.

    The queue is a ring of slots, linked towards the head and back; the slot ``slots`` stands between head
    and tail. A victim's slot goes to the page that comes in.

    Parameters and result as for :func:`lru`; the hand passes pages of an atomic visit as if visited.
    """
    order = requests.copy()
    place, held = lock(per_visit, pages_total, atomic)
    slots = min(cache, pages_total)
    slot_of = np.full(pages_total, -1, dtype=np.int32)
    page_in = np.empty(slots, dtype=np.int32)
    visited = np.zeros(slots + 1, dtype=np.bool_)
    newer = np.full(slots + 1, slots, dtype=np.int32)
    older = np.full(slots + 1, slots, dtype=np.int32)
    faults = 0
    hand = slots
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, slot_of)
        page = order[t]
        slot = slot_of[page]
        entry = HIT
        if slot >= 0:
            visited[slot] = True
        else:
            slot = faults
            entry = FREE
            if faults >= cache:
                slot = hand if hand < slots else newer[slots]
                while visited[slot] or not may_leave(held, page_in[slot]):
                    visited[slot] = False
                    slot = newer[slot]
                    if slot == slots:
                        slot = newer[slots]
                hand = newer[slot]
                newer[older[slot]] = hand
                older[hand] = older[slot]
                entry = page_in[slot]
                slot_of[entry] = -1
            page_in[slot] = page
            slot_of[page] = slot
            head = older[slots]
            newer[head] = slot
            older[slot] = head
            newer[slot] = slots
            older[slots] = slot
            faults += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults
