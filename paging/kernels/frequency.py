"""Kernel of LFU."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.kernels.visits import hits_first, lock, may_leave, release
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
    per_visit: int = 1,
    atomic: bool = False,
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
    order = requests.copy()
    return lfu_from(order, 0, cache, entries, most, renewed, perfect, keys, heap, 0, 0, per_visit, atomic)


@compiled
def lfu_from(
    order: PageArray,
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
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve the requests from time ``begin`` on with LFU, given what came of those before; return all faults.

    Parameters
    ----------
    order : ndarray of int32
        Requests; before ``begin`` they only need to be right at the times in the keys of cached pages.
    keys : ndarray of int64, shape (pages,)
        Changed in place; without ``perfect`` those of absent pages are 0.
    heap, size
        Room for k keys, and how many there are; it holds pages requested more than once. Changed in place.
    """
    tail = 0
    place, held = lock(per_visit, len(keys), atomic)
    passed = np.empty(per_visit if atomic else 0, dtype=np.int64)
    for t in range(begin, len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, keys, 1)
        page = order[t]
        key = keys[page]
        entry = HIT
        if key <= 0:
            faults += 1
            entry = FREE
            if faults > cache:
                while tail < t and keys[order[tail]] != ONCE + tail:
                    tail += 1
                once = tail
                if atomic:
                    while once < t and (keys[order[once]] != ONCE + once or held[order[once]]):
                        once += 1
                if once < t:
                    entry = order[once]
                else:
                    spared = 0
                    while True:
                        top = order[heap[0] % ONCE]
                        if keys[top] != heap[0]:
                            _sift_down(heap, size, keys[top])
                            continue
                        size -= 1
                        if may_leave(held, top):
                            break
                        passed[spared] = heap[0]
                        spared += 1
                        _sift_down(heap, size, heap[size])
                    entry = top
                    _sift_down(heap, size, heap[size])
                    for i in range(spared):
                        _push(heap, size, passed[i])
                        size += 1
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
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[(place[t % per_visit] if atomic else t) - begin] = entry
    return faults
