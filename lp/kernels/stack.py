"""Stack distances: one pass for all cache sizes of an algorithm with the inclusion property.

The stack lists pages so that the cache of size k is its first k pages, for every k at once (Mattson, Gecsei,
Slutz and Traiger 1970). A request for page p puts p on top; the page that stood there is carried down, and at
every place the page that would be evicted first is carried on, down to the place p came from. A stack cut off
at depth K is exact for k ≤ K.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.kernels import next_use
from paging.kernels.jit import compiled
from paging.model import PageArray


@compiled
def opt_depths(requests: PageArray, pages: int, limit: int, bypassing: bool) -> NDArray[np.int64]:
    """Count the requests at every depth 1 … limit of the optimum's stack; entry 0 counts all others."""
    following = next_use(requests, pages)
    until = np.empty(pages, dtype=np.int32)
    stack = np.empty(limit, dtype=np.int32)
    depths = np.zeros(limit + 1, dtype=np.int64)
    size = 0
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
        if found == 0 and size < limit:
            stack[size] = carried
            size += 1
    return depths


@compiled
def recency_depths(requests: PageArray, limit: int) -> NDArray[np.int64]:
    """Count the requests at every depth 1 … limit of LRU's stack; entry 0 counts all others."""
    stack = np.empty(limit, dtype=np.int32)
    depths = np.zeros(limit + 1, dtype=np.int64)
    size = 0
    for t in range(len(requests)):
        page = carried = requests[t]
        found = 0
        for i in range(size):
            other = stack[i]
            stack[i] = carried
            carried = other
            if other == page:
                found = i + 1
                break
        depths[found] += 1
        if found == 0 and size < limit:
            stack[size] = carried
            size += 1
    return depths


@compiled
def layered_depths(
    requests: PageArray, layer_of: PageArray, limit: int, layers: int, per_visit: int, variant: int
) -> NDArray[np.int64]:
    """Count the requests at every depth 1 … limit of the LLRU family's stack; entry 0 counts all others.

    ``variant`` is 0 for ``llru``, 1 for ``llru-lazy``, 2 for ``llru-token``. The page with the largest
    (age, next) is evicted first, ties to the lowest page id. Layer j is visited once a round, so its next
    visit and a page's last one lie a whole number of rounds apart: ages are differences of round numbers.
    """
    last_round = np.zeros(len(layer_of), dtype=np.int64)
    stack = np.empty(limit, dtype=np.int32)
    depths = np.zeros(limit + 1, dtype=np.int64)
    size = 0
    for t in range(len(requests)):
        page = requests[t]
        visit = t // per_visit
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
        if found == 0 and size < limit:
            stack[size] = carried
            size += 1
        last_round[page] = turn
    return depths
