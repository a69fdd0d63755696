"""Kernels of the deterministic marking algorithms that are no LRU."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.kernels.visits import hits_first, lock, may_leave, release
from paging.model import FREE, HIT, PageArray


@compiled
def mark_fifo(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with marking, the page cached longest first; O(1) amortised per request.

    At the start of a k-phase all pages are unmarked and stand in a queue in the order of their arrival. In
    the phase victims leave from its front, past marked pages, and new pages are marked, so that the queue of
    the next phase is what is left, then the new ones. A phase has k requests or more.

    Parameters and result as for :func:`~paging.kernels.recency.lru`.
    """
    pages = np.full((pages_total, 2), -1, dtype=np.int32)
    queues = np.empty((2, min(cache, pages_total)), dtype=np.int32)
    counters = np.zeros(6, dtype=np.int64)
    return mark_fifo_from(requests.copy(), cache, entries, pages, queues, counters, per_visit, atomic)


@compiled
def mark_fifo_from(
    order: PageArray,
    cache: int,
    entries: PageArray,
    pages: PageArray,
    queues: PageArray,
    counters: NDArray[np.int64],
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve requests with marking, the page cached longest; return the faults of all so far.

    ``pages`` are rows of the phase of the last mark of a cached page and whether it is cached (0, or −1),
    ``queues`` the pages of the phase's beginning and those loaded since, ``counters`` begin with 0. All are
    changed in place.
    """
    marked, cached = pages[:, 0], pages[:, 1]
    queue, fresh = queues[0], queues[1]
    queued, first, loaded, phase, marks, faults = counters
    place, held = lock(per_visit, len(pages), atomic)
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, cached)
        page = order[t]
        entry = HIT
        if cached[page] < 0:
            entry = FREE
            if faults >= cache:
                if marks == cache:
                    kept = 0
                    for i in range(queued):
                        if queue[i] >= 0:
                            queue[kept] = queue[i]
                            kept += 1
                    queue[kept : kept + loaded] = fresh[:loaded]
                    queued = kept + loaded
                    first = loaded = marks = 0
                    phase += 1
                while queue[first] < 0 or marked[queue[first]] == phase:
                    first += 1
                chosen = first
                while (
                    queue[chosen] < 0 or marked[queue[chosen]] == phase or not may_leave(held, queue[chosen])
                ):
                    chosen += 1
                entry = queue[chosen]
                queue[chosen] = -1
                cached[entry] = -1
            cached[page] = 0
            fresh[loaded] = page
            loaded += 1
            faults += 1
            marked[page] = -1
        if marked[page] != phase:
            marked[page] = phase
            marks += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    counters[:] = (queued, first, loaded, phase, marks, faults)
    return int(faults)


@compiled
def mark_layer(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    layer_of: PageArray,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with marking, the layer being served first; O(1) amortised per request.

    Pages unmarked in a k-phase were not requested in it, so that the order of their last requests stands
    when the phase begins. They are listed in this order, and each points to the next one of its layer.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``layer_of`` is the layer of every page.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    marked = np.full(pages_total, -1, dtype=np.int32)
    lists = np.full((2, min(cache, pages_total)), -1, dtype=np.int32)
    of_layers = np.full((3, layer_of[-1] + 1), -1, dtype=np.int32)
    counters = np.zeros(5, dtype=np.int64)
    given = layer_of, last, marked, lists, of_layers, counters
    return mark_layer_from(requests.copy(), 0, cache, entries, *given, per_visit, atomic)


@compiled
def mark_layer_from(
    asked: PageArray,
    begin: int,
    cache: int,
    entries: PageArray,
    layer_of: PageArray,
    last: PageArray,
    marked: PageArray,
    lists: PageArray,
    of_layers: PageArray,
    counters: NDArray[np.int64],
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve the requests from time ``begin`` on with marking, the layer being served first.

    Parameters
    ----------
    asked : ndarray of int32
        Requests; before ``begin`` they only need to be right at the last request of every cached page.
    last, marked : ndarray of int32, shape (pages,)
        Time of the last request of a cached page, −1 for the others; the phase of its last mark.
    lists : ndarray of int32, shape (2, k)
        Unmarked pages in the order of their last requests; place of the next one of the same layer.
    of_layers : ndarray of int32, shape (3, layers)
        First and latest place of a layer in the list, and the phase in which it was listed.
    counters : ndarray of int64, shape (5,)
        Time at which the phase began, place of the first unmarked page, phase, marks, faults.

    Returns
    -------
    int
        Faults of all requests so far; the arrays are changed in place.
    """
    order, following = lists[0], lists[1]
    first, latest, listed = of_layers[0], of_layers[1], of_layers[2]
    begun, earliest, phase, marks, faults = counters
    place, held = lock(per_visit, len(last), atomic)
    for t in range(begin, len(asked)):
        if atomic and t % per_visit == 0:
            release(asked, t, per_visit, held)
            hits_first(asked, place, t, per_visit, last)
        page = asked[t]
        entry = HIT
        if last[page] < 0:
            entry = FREE
            if faults >= cache:
                if marks == cache:
                    phase += 1
                    count = 0
                    # All cached pages are marked, so that each was requested in the phase that ends.
                    for s in range(begun, t):
                        own = asked[s]
                        if last[own] == s:
                            layer = layer_of[own]
                            order[count] = own
                            following[count] = -1
                            if listed[layer] == phase:
                                following[latest[layer]] = count
                            else:
                                listed[layer] = phase
                                first[layer] = count
                            latest[layer] = count
                            count += 1
                    begun = t
                    earliest = marks = 0
                layer = layer_of[page]
                chosen = -1
                if listed[layer] == phase:
                    chosen = first[layer]
                    while chosen >= 0 and (order[chosen] < 0 or marked[order[chosen]] == phase):
                        chosen = following[chosen]
                    first[layer] = chosen
                    while chosen >= 0 and (
                        order[chosen] < 0
                        or marked[order[chosen]] == phase
                        or not may_leave(held, order[chosen])
                    ):
                        chosen = following[chosen]
                if chosen < 0:
                    while order[earliest] < 0 or marked[order[earliest]] == phase:
                        earliest += 1
                    chosen = earliest
                    while (
                        order[chosen] < 0
                        or marked[order[chosen]] == phase
                        or not may_leave(held, order[chosen])
                    ):
                        chosen += 1
                entry = order[chosen]
                order[chosen] = -1
                last[entry] = -1
            faults += 1
            marked[page] = -1
        last[page] = t
        if marked[page] != phase:
            marked[page] = phase
            marks += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[(place[t % per_visit] if atomic else t) - begin] = entry
    counters[:] = (begun, earliest, phase, marks, faults)
    return int(faults)
