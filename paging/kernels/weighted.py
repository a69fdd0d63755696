"""Kernel of Landlord."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import FREE, HIT, PageArray


@compiled
def _sift_down(keys: NDArray[np.int64], times: PageArray, size: int, key: int, time: int) -> None:
    """Put (key, time) at the root of a heap of ``size`` such pairs (smallest first) and restore the order."""
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        other = child + 1
        if other < size and (
            keys[other] < keys[child] or (keys[other] == keys[child] and times[other] < times[child])
        ):
            child = other
        if keys[child] > key or (keys[child] == key and times[child] > time):
            break
        keys[place] = keys[child]
        times[place] = times[child]
        place = child
    keys[place] = key
    times[place] = time


@compiled
def landlord(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    weights: NDArray[np.int64],
    renews: bool,
) -> int:
    """Serve a sequence with Landlord; O(log k) amortised per request, O(1) for a hit.

    Nobody's credit is lowered: the rent paid so far is one number, and a page stands in a heap under its
    credit plus the rent when it got it, then under the time of that request, which names the page. Both only
    grow while a page is cached, so a hit writes them aside, and the heap is put right when the page comes to
    the top.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``weights`` are those of all pages, and
    their sum over the requests fits int64. Without ``renews`` a hit changes nothing.
    """
    slots = min(cache, pages_total)
    # Time of the request that a cached page's credit is from, −1 for the others.
    last = np.full(pages_total, -1, dtype=np.int32)
    key_of = np.zeros(pages_total, dtype=np.int64)
    keys = np.empty(slots, dtype=np.int64)
    times = np.empty(slots, dtype=np.int32)
    faults = 0
    rent = 0
    for t in range(len(requests)):
        page = np.uint32(requests[t])
        entry = HIT
        if last[page] >= 0:
            if renews:
                last[page] = t
                key_of[page] = rent + weights[page]
        elif faults < cache:
            place = faults
            faults += 1
            entry = FREE
            key = rent + weights[page]
            while place > 0 and keys[(place - 1) // 2] > key:
                keys[place] = keys[(place - 1) // 2]
                times[place] = times[(place - 1) // 2]
                place = (place - 1) // 2
            keys[place] = key
            times[place] = t
            last[page] = t
            key_of[page] = key
        else:
            faults += 1
            entry = requests[times[0]]
            while last[np.uint32(entry)] != times[0]:
                _sift_down(keys, times, slots, key_of[np.uint32(entry)], last[np.uint32(entry)])
                entry = requests[times[0]]
            rent = keys[0]
            last[np.uint32(entry)] = -1
            last[page] = t
            key_of[page] = rent + weights[page]
            _sift_down(keys, times, slots, key_of[page], t)
        if len(entries) > 0:
            entries[t] = entry
    return faults
