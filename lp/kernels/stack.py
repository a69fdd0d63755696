"""Stack distances: one pass for all cache sizes of an algorithm with the inclusion property.

The stack lists pages so that the cache of size k is its first k pages, for every k at once (Mattson, Gecsei,
Slutz and Traiger 1970). A request for page p puts p on top; the page that stood there is carried down, and at
every place the page that would be evicted first is carried on, down to the place p came from. A stack cut off
at depth K is exact for k ≤ K.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, bit, bits_below, bits_set
from paging.kernels.jit import compiled
from paging.model import PageArray

Integers = NDArray[np.int64]


@compiled
def opt_depths(
    requests: NDArray[Any],
    following: NDArray[Any],
    bypassing: bool,
    until: Integers,
    stack: PageArray,
    depths: Integers,
    size: int,
) -> int:
    """Count the requests at every depth 1 … limit of the optimum's stack; entry 0 counts all others.

    ``following`` are next uses, and ``until`` (pages,) those of the pages on the stack, of which there are
    ``size`` before and as many as are returned after these requests.
    """
    for t in range(len(requests)):
        page = requests[t]
        until[page] = following[t]
        carried, first = page, 0
        if not bypassing and size > 0:
            # Forced service: the requested page is cached whatever its next request.
            carried, first = stack[0], 1
            stack[0] = page
            if carried == page:
                depths[1] += 1
                continue
        found = 0
        for i in range(first, size):
            other = stack[i]
            if other == page:
                stack[i] = carried
                found = i + 1
                break
            if until[other] > until[carried]:
                stack[i] = carried
                carried = other
        depths[found] += 1
        if found == 0 and size < len(stack):
            stack[size] = carried
            size += 1
    return size


@compiled
def recency_depths(
    order: PageArray, begin: int, last: PageArray, live: Words, counts: PageArray, depths: Integers
) -> None:
    """Count the requests of ``order`` from ``begin`` on by the depth of LRU's stack at which they are found.

    Parameters
    ----------
    order : ndarray of int32
        The last requests of the pages seen so far, in their order, then the requests.
    last : ndarray of int32, shape (pages,)
        Time of every page's last request, or −1.
    live : ndarray of int64
        Bitmap of these times: the depth of a page is the number of bits from its own on.
    counts : ndarray of int32, shape (words + 1,)
        A Fenwick tree over the bits of words.
    depths : ndarray of int64, shape (limit + 1,)
        Requests at depth 1 … limit; entry 0 counts all others.

    References
    ----------
    Bennett and Kruskal 1975; Olken 1981.
    """
    limit = len(depths) - 1
    pages = begin
    for t in range(begin, len(order)):
        page = order[t]
        before = last[page]
        last[page] = t
        depth = 0
        if before >= 0:
            word = before >> 6
            older = bits_set(live[word] & bits_below(before & 63))
            place = word
            while place > 0:
                older += counts[place]
                place &= place - 1
            depth = pages - older
            _add(live, counts, before, -1)
        else:
            pages += 1
        depths[depth if depth <= limit else 0] += 1
        _add(live, counts, t, 1)


@compiled
def _add(live: Words, counts: PageArray, time: int, change: int) -> None:
    """Put a time into the bitmap or take it out, and count it in the tree."""
    word = time >> 6
    live[word] ^= bit(time & 63)
    place = word + 1
    while place < len(counts):
        counts[place] += change
        place += place & -place


@compiled
def counted(live: Words) -> PageArray:
    """Return a Fenwick tree over the bits of words."""
    counts = np.zeros(len(live) + 1, dtype=np.int32)
    for place in range(1, len(counts)):
        counts[place] += bits_set(live[place - 1])
        above = place + (place & -place)
        if above < len(counts):
            counts[above] += counts[place]
    return counts


@compiled
def layered_depths(
    requests: NDArray[Any],
    begin: int,
    layer_of: PageArray,
    layers: int,
    per_visit: int,
    variant: int,
    last_round: Integers,
    stack: PageArray,
    depths: Integers,
    size: int,
) -> int:
    """Count the requests at every depth 1 … limit of the LLRU family's stack; entry 0 counts all others.

    ``variant`` is 0 for ``llru``, 1 for ``llru-lazy``, 2 for ``llru-token``. The page with the largest
    (age, next) is evicted first, ties to the lowest page id. Layer j is visited once a round, so its next
    visit and a page's last one lie a whole number of rounds apart: ages are differences of round numbers.
    The requests begin at time ``begin`` with ``size`` pages on the stack; how many it has then is returned.
    """
    for t in range(len(requests)):
        page = requests[t]
        visit = (begin + t) // per_visit
        layer, turn = visit % layers, visit // layers
        found = 0
        carried = page
        for i in range(size):
            other = stack[i]
            if i == 0:
                stack[0] = page
                carried = other
                if other == page:
                    found = 1
                    break
                continue
            if other == page:
                stack[i] = carried
                found = i + 1
                break
            # Rounds ahead of the next visit: the layers up to the one being served come in the next round.
            first, second = layer_of[carried], layer_of[other]
            first_age, second_age = -last_round[carried], -last_round[other]
            if variant == 0:
                first_age += first <= layer
                second_age += second <= layer
            elif variant == 1:
                first_age += first < layer
                second_age += second < layer
            first_next = first + layers * (first <= layer)
            second_next = second + layers * (second <= layer)
            if second_age != first_age:
                evict_second = second_age > first_age
            elif second_next != first_next:
                evict_second = second_next > first_next
            else:
                evict_second = other < carried
            if evict_second:
                stack[i] = carried
                carried = other
        depths[found] += 1
        if found == 0 and size < len(stack):
            stack[size] = carried
            size += 1
        last_round[page] = turn
    return size
