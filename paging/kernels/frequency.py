"""Kernel of LFU."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import FREE, HIT, PageArray

ONCE = 1 << 32
"""A key is count · 2³² + time of the last request (or of loading); keys order pages and name a request."""

UNCAPPED = 2**31 - 1
"""A cap that no count reaches: there are fewer requests."""


@compiled
def _sift_down(heap: NDArray[np.int64], size: int, key: int) -> None:
    """Put ``key`` at the root of a heap of ``size`` keys (smallest first) and restore the order."""
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = key


@compiled
def _push(heap: NDArray[np.int64], size: int, key: int) -> None:
    """Add ``key`` to a heap of ``size`` keys (smallest first)."""
    place = size
    while place > 0 and heap[(place - 1) // 2] > key:
        heap[place] = heap[(place - 1) // 2]
        place = (place - 1) // 2
    heap[place] = key


@compiled
def lfu(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    most: int = UNCAPPED,
    renewed: bool = True,
    perfect: bool = False,
) -> int:
    """Serve a sequence with LFU (counts in cache, ties to the least recently used or to the first loaded).

    Pages requested once since they were loaded leave in the order of loading, so the request sequence is
    their queue. The others stand in a heap under a key that may be out of date: keys only grow while a page
    is cached, so it suffices to look at the key again when it comes to the top, and a hit on a page
    requested often costs one load and one store. O(log k) amortised per request, O(1) where the victims
    are pages requested once.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; counts stop at ``most`` ≥ 1.
    Without ``renewed`` a hit leaves the time in a page's key, which is then that of its loading. With
    ``perfect`` counts go on where they were when a page left; absent pages then have negative keys.
    """
    keys = np.zeros(pages_total, dtype=np.int64)
    heap = np.empty(min(cache, pages_total), dtype=np.int64)
    return lfu_from(requests, 0, cache, entries, most, renewed, perfect, keys, heap, 0, 0)


@compiled
def lfu_from(
    requests: PageArray,
    begin: int,
    cache: int,
    entries: PageArray,
    most: int,
    renewed: bool,
    perfect: bool,
    keys: NDArray[np.int64],
    heap: NDArray[np.int64],
    size: int,
    faults: int,
) -> int:
    """Serve the requests from time ``begin`` on with LFU, given what came of those before; return all faults.

    Parameters
    ----------
    requests : ndarray of int32
        Before ``begin`` they only need to be right at the times in the keys of cached pages.
    keys : ndarray of int64, shape (pages,)
        Changed in place; without ``perfect`` those of absent pages are 0.
    heap, size
        Room for k keys, and how many there are; it holds pages requested more than once. Changed in place.
    """
    tail = 0
    for t in range(begin, len(requests)):
        page = requests[t]
        key = keys[page]
        entry = HIT
        if key <= 0:
            faults += 1
            entry = FREE
            if faults > cache:
                while tail < t and keys[requests[tail]] != ONCE + tail:
                    tail += 1
                if tail < t:
                    entry = requests[tail]
                else:
                    while keys[requests[heap[0] % ONCE]] != heap[0]:
                        _sift_down(heap, size, keys[requests[heap[0] % ONCE]])
                    entry = requests[heap[0] % ONCE]
                    size -= 1
                    _sift_down(heap, size, heap[size])
                keys[entry] = -(keys[entry] // ONCE) if perfect else 0
            key = (1 - key) * ONCE + t
            keys[page] = key
            if key >= 2 * ONCE:
                _push(heap, size, key)
                size += 1
        else:
            repeated = key >= 2 * ONCE
            if renewed:
                key += t - key % ONCE
            if key < most * ONCE:
                key += ONCE
            keys[page] = key
            if not repeated and key >= 2 * ONCE:
                _push(heap, size, key)
                size += 1
        if len(entries) > 0:
            entries[t - begin] = entry
    return faults
