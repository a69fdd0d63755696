"""The compiled loops of the workloads; imported only when requests are drawn.

Every kernel fills one block of rounds: ``requests`` (rounds, layers, g) int32 receives page ids, and
``uniforms`` of the same shape holds numbers in [0, 1), one to be used up by each request.

The law of a layer is a table ``cdf`` over ranks: it begins with 0, ends with 1 and has one entry more than
the layer has pages. The tables of all layers stand one after the other: that of layer j begins at
``first_page[j] + j``. ``page_at[first_page[j] + rank]`` is the page of a rank, ``rank_of[page]`` the rank of
a page.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

NONE = -1
"""Entry of a visit whose page is still to be drawn."""


@compiled
def draw_rank(uniform: float, cdf: Floats, taken: Ints, count: int) -> int:
    """Draw a rank from ``cdf`` given that it is none of ``taken[:count]`` (ascending)."""
    free = 1.0
    for i in range(count):
        free -= cdf[taken[i] + 1] - cdf[taken[i]]
    place = uniform * max(free, 0.0)
    for i in range(count):
        # Everything from a taken rank on moves up by that rank's share.
        if place < cdf[taken[i]]:
            break
        place += cdf[taken[i] + 1] - cdf[taken[i]]
    rank, above = 0, len(cdf) - 1
    while above - rank > 1:
        middle = (rank + above) // 2
        if cdf[middle] <= place:
            rank = middle
        else:
            above = middle
    # Rounding can still end on a taken rank, or a share can vanish: take the next free rank, round the end.
    i = 0
    while i < count:
        if taken[i] == rank:
            rank, i = (rank + 1) % (len(cdf) - 1), 0
        else:
            i += 1
    return rank


@compiled
def insert_sorted(values: Ints, count: int, value: int) -> int:
    """Insert a value into ``values[:count]`` (ascending); return the new count."""
    i = count
    while i > 0 and values[i - 1] > value:
        values[i] = values[i - 1]
        i -= 1
    values[i] = value
    return count + 1


@compiled
def fill_visit(visit: Ints, uniforms: Floats, cdf: Floats, page_at: Ints, rank_of: Ints, taken: Ints) -> None:
    """Replace every NONE in a visit by a draw from the law, given that it differs from the other pages.

    ``page_at`` is the part of the layer, ``rank_of`` that of all pages, ``taken`` (g,) is room to work in.
    """
    count = 0
    if len(visit) > 1:
        for page in visit:
            if page != NONE:
                count = insert_sorted(taken, count, rank_of[page])
    for slot in range(len(visit)):
        if visit[slot] == NONE:
            rank = draw_rank(uniforms[slot], cdf, taken, count)
            visit[slot] = page_at[rank]
            if len(visit) > 1:
                count = insert_sorted(taken, count, rank)


@compiled
def fresh(
    requests: Ints, uniforms: Floats, first_page: Ints, cdf: Floats, page_at: Ints, rank_of: Ints
) -> None:
    """Draw every visit afresh."""
    rounds, layers, group = requests.shape
    taken = np.empty(group, np.int32)
    requests[:] = NONE
    for r in range(rounds):
        for j in range(layers):
            low, high = first_page[j], first_page[j + 1]
            table = cdf[low + j : high + j + 1]
            fill_visit(requests[r, j], uniforms[r, j], table, page_at[low:high], rank_of, taken)


@compiled
def sticky(
    requests: Ints,
    uniforms: Floats,
    first_page: Ints,
    cdf: Floats,
    page_at: Ints,
    rank_of: Ints,
    stay: Flags,
    last: Ints,
) -> None:
    """Keep the page of the layer's last visit in the same slot where ``stay`` (rounds, layers, g) says so.

    ``last`` (layers, g) holds the last visits, NONE before the first; it is carried from block to block.
    """
    rounds, layers, group = requests.shape
    taken = np.empty(group, np.int32)
    for r in range(rounds):
        for j in range(layers):
            low, high = first_page[j], first_page[j + 1]
            table = cdf[low + j : high + j + 1]
            for slot in range(group):
                requests[r, j, slot] = last[j, slot] if stay[r, j, slot] else NONE
            fill_visit(requests[r, j], uniforms[r, j], table, page_at[low:high], rank_of, taken)
            last[j] = requests[r, j]


@compiled
def correlated(
    requests: Ints,
    uniforms: Floats,
    first_page: Ints,
    cdf: Floats,
    page_at: Ints,
    rank_of: Ints,
    follow: Flags,
    image: Ints,
) -> None:
    """Take the ``image`` of the page in the same slot of the layer before where ``follow`` says so.

    ``image`` gives for every page a page of the next layer. Layer 0 is always drawn afresh.
    """
    rounds, layers, group = requests.shape
    taken = np.empty(group, np.int32)
    for r in range(rounds):
        for j in range(layers):
            low, high = first_page[j], first_page[j + 1]
            table = cdf[low + j : high + j + 1]
            for slot in range(group):
                requests[r, j, slot] = NONE
                if j > 0 and follow[r, j, slot]:
                    page = image[requests[r, j - 1, slot]]
                    # Two pages may have one image; the second is then drawn afresh.
                    if page not in requests[r, j, :slot]:
                        requests[r, j, slot] = page
            fill_visit(requests[r, j], uniforms[r, j], table, page_at[low:high], rank_of, taken)


@compiled
def stack_distance(
    requests: Ints, uniforms: Floats, first_page: Ints, cdf: Floats, stack: Ints, rank_of: Ints
) -> None:
    """Draw depths from the law and request the pages at those depths of the layer's LRU stack.

    ``stack`` holds the pages of every layer, the last requested first; it is carried from block to block.
    ``rank_of`` is not read: no page is in the visit before the first depth is drawn.
    """
    rounds, layers, group = requests.shape
    taken = np.empty(group, np.int32)
    requests[:] = NONE
    for r in range(rounds):
        for j in range(layers):
            low, high = first_page[j], first_page[j + 1]
            table = cdf[low + j : high + j + 1]
            fill_visit(requests[r, j], uniforms[r, j], table, stack[low:high], rank_of, taken)
            for page in requests[r, j]:
                move_to_front(stack[low:high], page)


@compiled
def move_to_front(stack: Ints, page: int) -> None:
    """Bring a page to the front of a stack; what was before it moves down by one."""
    carried = page
    for depth in range(len(stack)):
        stack[depth], carried = carried, stack[depth]
        if carried == page:
            return
