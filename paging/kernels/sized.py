"""Kernel of caches that are counted in bytes."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.fractional import Reals
from paging.kernels.heap import push, sift_down
from paging.kernels.jit import compiled
from paging.model import HIT, PageArray

Integers = NDArray[np.int64]

LOADED = -1
"""Entry of a request whose page was loaded, whoever had to leave."""

TOO_LARGE = -3
"""Entry of a request for a page larger than the cache, served past it."""


@compiled
def sized(
    requests: PageArray,
    sizes: Integers,
    density: Reals,
    capacity: int,
    renews: bool,
    counts: bool,
    entries: PageArray,
) -> int:
    """Serve a sequence with a cache of ``capacity`` bytes; return the most bytes it held.

    A page stands under the key rent + uses · density; who has the least leaves, least recent first, until the
    new page fits, and the rent becomes the key of the last one that left.

    Parameters
    ----------
    requests : ndarray of int32, shape (T,)
    sizes : ndarray of int64, shape (n,)
        Bytes of every page.
    density : ndarray of float64, shape (n,)
        What a page's key is above the rent: cost per byte, or 0 for an order of time alone.
    capacity : int
        Bytes of the cache.
    renews : bool
        Whether a hit renews key and time.
    counts : bool
        Whether the density counts once for every use since the page was loaded.
    entries : ndarray of int32, shape (T,)
        Receives HIT, LOADED or TOO_LARGE.
    """
    total = len(sizes)
    key_of, last, uses = np.zeros(total), np.full(total, -1, dtype=np.int64), np.zeros(total, dtype=np.int64)
    keys, times = np.empty(total), np.empty(total, dtype=np.int64)
    held, used, most = 0, 0, 0
    rent = 0.0
    for t in range(len(requests)):
        page = requests[t]
        if last[page] >= 0:
            entries[t] = HIT
            if renews:
                last[page] = t
                uses[page] += 1
                key_of[page] = rent + density[page] * (uses[page] if counts else 1)
            continue
        if sizes[page] > capacity:
            entries[t] = TOO_LARGE
            continue
        entries[t] = LOADED
        while used + sizes[page] > capacity:
            first = requests[times[0]]
            if times[0] != last[first]:
                sift_down(keys, times, held, key_of[first], last[first])
            else:
                rent = keys[0]
                used -= sizes[first]
                last[first] = -1
                held -= 1
                sift_down(keys, times, held, keys[held], times[held])
        uses[page] = 1
        last[page] = t
        key_of[page] = rent + density[page]
        push(keys, times, held, key_of[page], t)
        held += 1
        used += sizes[page]
        most = max(most, used)
    return most
