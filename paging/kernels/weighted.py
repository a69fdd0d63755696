"""Kernel of Landlord."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.heap import push, sift_down
from paging.kernels.jit import compiled
from paging.model import FREE, HIT, PageArray


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
            entry = FREE
            last[page] = t
            key_of[page] = rent + weights[page]
            push(keys, times, faults, key_of[page], t)
            faults += 1
        else:
            faults += 1
            entry = requests[times[0]]
            while last[np.uint32(entry)] != times[0]:
                sift_down(keys, times, slots, key_of[np.uint32(entry)], last[np.uint32(entry)])
                entry = requests[times[0]]
            rent = keys[0]
            last[np.uint32(entry)] = -1
            last[page] = t
            key_of[page] = rent + weights[page]
            sift_down(keys, times, slots, key_of[page], t)
        if len(entries) > 0:
            entries[t] = entry
    return faults
