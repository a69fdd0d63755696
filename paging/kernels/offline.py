"""Kernels of the offline side: next uses, farthest-in-future, and OPT without a schedule."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, bit, bits_up_to, contains, empty_set, flip, highest_bit
from paging.kernels.jit import compiled
from paging.kernels.trees import empty_tree, insert, remove_last
from paging.model import BYPASS, FREE, HIT, PageArray


@compiled
def next_use(requests: PageArray, pages_total: int) -> PageArray:
    """Return the time of the next request of the same page, or T if there is none; shape (T,), O(T)."""
    following = np.empty(len(requests), dtype=np.int32)
    next_use_to(requests, 0, np.full(pages_total, len(requests), dtype=np.int64), following)
    return following


@compiled
def next_use_to(requests: NDArray[Any], begin: int, seen: NDArray[np.int64], following: NDArray[Any]) -> None:
    """Fill in the next uses of the requests from time ``begin`` on, of which the later ones are done.

    ``seen`` has the first later request of every page, or T; parts are done from the last to the first.
    """
    for t in range(len(requests) - 1, -1, -1):
        page = requests[t]
        following[t] = seen[page]
        seen[page] = begin + t


@compiled
def _last_used_word(words: Words, back: PageArray, word: int) -> int:
    """Return the last word up to ``word`` that is not 0, or 0; ``back`` leads past words that are 0 for good.

    Union–find with path halving.
    """
    while word > 0 and words[word] == 0:
        before = back[word]
        if words[before] == 0:
            back[word] = back[before]
        word = before
    return word


@compiled
def optimum(requests: PageArray, pages_total: int, cache: int, increments: PageArray, bypassing: bool) -> int:
    """Return the offline optimum of a sequence and of all its prefixes; O(α(T)) amortised per request.

    A page kept from its request at time s to its next at t blocks a slot in between: one of k − 1 slots at
    s + 1 … t − 1 if service is forced (the k-th slot is the current request's), one of k slots at s … t − 1
    with bypassing. OPT keeps the most such gaps. Taken in the order of t, a gap is kept if a slot is free
    at its start, and of these it gets the one blocked last (packing of intervals by right ends, best fit).
    The times from which slots are free form a bitmap; no next use is needed, so one pass does it.

    Parameters
    ----------
    requests, pages_total, cache
        As for :func:`~paging.kernels.recency.lru`.
    increments : ndarray of int32, shape (T,) or (0,)
        Receives OPT of the requests up to t minus OPT of those before t, 0 or 1; left alone if empty.
    bypassing : bool
        Whether a fault may be served without caching the page.

    Returns
    -------
    int
        Faults of OPT.

    References
    ----------
    Carlisle and Lloyd 1995; Faigle and Nawijn 1995.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    # Slots never blocked are only counted: they are free from 0 on.
    untouched = cache if bypassing else cache - 1
    free_from = empty_set(len(requests))
    back = np.maximum(np.arange(-1, len(free_from) - 1), 0).astype(np.int32)
    nothing_before = 0
    faults = 0
    for t in range(len(requests)):
        page = requests[t]
        before = last[page]
        last[page] = t
        start = before if bypassing else before + 1
        fault = before < 0
        # A forced gap between two requests in a row blocks nothing.
        if not fault and start < t:
            word, bits = 0, 0
            if start >= nothing_before:
                word = start >> 6
                bits = free_from[word] & bits_up_to(start & 63)
                if bits == 0 and word > 0:
                    word = _last_used_word(free_from, back, word - 1)
                    bits = free_from[word]
                if bits == 0:
                    # Nor will there be: from now on slots become free at t or later.
                    nothing_before = start + 1
            if bits != 0:
                free_from[word] ^= bit(highest_bit(bits))
            elif untouched > 0:
                untouched -= 1
            else:
                fault = True
            if not fault:
                flip(free_from, t)
        faults += fault
        if len(increments) > 0:
            increments[t] = fault
    return faults


@compiled
def farthest(requests: PageArray, pages_total: int, cache: int, entries: PageArray, bypassing: bool) -> int:
    """Serve a sequence with farthest-in-future; O(log₆₄ T) per request, whatever the cache size.

    The cached pages are a bitmap over time, a bit at the next request of each: a request hits if its own
    bit is set, and the victim is the page of the last bit. Bits in the past do no harm. Pages that are never
    requested again leave first, the one requested last before the others; in one line, the victim is the
    cached page with the largest (next request, last request), "never" being the largest.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`. With ``entries`` empty the optimum is counted by
        :func:`optimum`, several times faster.
    bypassing : bool
        Whether a fault may be served without caching the page. It is (entry BYPASS) if the cache is full
        and the page is never requested again, or later than every cached page.

    Returns
    -------
    int
        Number of faults: the offline optimum.
    """
    if len(entries) == 0:
        return optimum(requests, pages_total, cache, entries, bypassing)
    following = next_use(requests, pages_total)
    words, first = empty_tree(len(requests))
    done = np.empty(min(cache, pages_total), dtype=np.int32)
    counters = np.array([-1, 0, 0, 0])
    farthest_from(requests, 0, following, cache, entries, bypassing, words, first, done, counters)
    return int(counters[3])


@compiled
def farthest_from(
    requests: NDArray[Any],
    begin: int,
    following: NDArray[Any],
    cache: int,
    entries: NDArray[Any],
    bypassing: bool,
    words: Words,
    first: Words,
    done: PageArray,
    counters: NDArray[np.int64],
) -> None:
    """Serve the requests from time ``begin`` on, as many as there are ``entries``, after those before them.

    Parameters
    ----------
    requests : ndarray of int, shape (T,)
        All requests: whom a bit belongs to is the page requested there.
    following : ndarray of int
        Next uses of the requests to be served; T for never.
    words, first
        Tree of the T times, a bit at the next request of every cached page. In the end the bits of its lowest
        level say which requests were hits.
    done : ndarray of int32, shape (min(k, pages),)
        Cached pages that are never requested again.
    counters : ndarray of int64, shape (4,)
        Last time in the tree (−1), number of pages in ``done``, of loaded pages, of faults.
    """
    never = len(requests)
    last, done_size, loaded, faults = counters
    for i in range(len(entries)):
        t = begin + i
        again = following[i]
        entry = HIT
        if not contains(words, t):
            faults += 1
            if loaded < cache:
                loaded += 1
                entry = FREE
            elif bypassing and (again == never or (done_size == 0 and again > last)):
                entry = BYPASS
            elif done_size > 0:
                done_size -= 1
                entry = done[done_size]
            else:
                entry = requests[last]
                last = remove_last(words, first, last)
        entries[i] = entry
        if entry != BYPASS:
            if again == never:
                done[done_size] = requests[t]
                done_size += 1
            else:
                insert(words, first, again)
                last = max(last, again)
    counters[:] = last, done_size, loaded, faults
