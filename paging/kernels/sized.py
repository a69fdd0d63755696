"""Kernel of caches that are counted in bytes."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.fractional import Reals
from paging.kernels.jit import compiled
from paging.model import HIT, PageArray

Integers = NDArray[np.int64]

LOADED = -1
"""Entry of a request whose page was loaded, whoever had to leave."""

TOO_LARGE = -3
"""Entry of a request for a page larger than the cache, served past it."""


@compiled
def _sift_down(keys: Reals, times: Integers, pages: Integers, size: int) -> None:
    """Restore the order of a heap of (key, time), smallest first, whose root may be too large."""
    place = 0
    key, time, page = keys[0], times[0], pages[0]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        other = child + 1
        if other < size and (
            keys[other] < keys[child] or (keys[other] == keys[child] and times[other] < times[child])
        ):
            child = other
        if keys[child] > key or (keys[child] == key and times[child] >= time):
            break
        keys[place], times[place], pages[place] = keys[child], times[child], pages[child]
        place = child
    keys[place], times[place], pages[place] = key, time, page


@compiled
def _push(keys: Reals, times: Integers, pages: Integers, size: int, key: float, time: int, page: int) -> None:
    """Add a page to a heap of ``size`` pages."""
    place = size
    while place > 0 and (
        keys[(place - 1) // 2] > key or (keys[(place - 1) // 2] == key and times[(place - 1) // 2] > time)
    ):
        above = (place - 1) // 2
        keys[place], times[place], pages[place] = keys[above], times[above], pages[above]
        place = above
    keys[place], times[place], pages[place] = key, time, page


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
    keys, times, pages = np.empty(total), np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
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
            first = pages[0]
            if times[0] != last[first]:
                keys[0], times[0] = key_of[first], last[first]
            else:
                rent = keys[0]
                used -= sizes[first]
                last[first] = -1
                held -= 1
                keys[0], times[0], pages[0] = keys[held], times[held], pages[held]
            _sift_down(keys, times, pages, held)
        uses[page] = 1
        last[page] = t
        key_of[page] = rent + density[page]
        _push(keys, times, pages, held, key_of[page], t, page)
        held += 1
        used += sizes[page]
        most = max(most, used)
    return most
