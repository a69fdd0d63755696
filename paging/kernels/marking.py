"""Kernels of the deterministic marking algorithms that are no LRU."""

import numpy as np

from paging.kernels.jit import compiled
from paging.model import FREE, HIT, PageArray


@compiled
def mark_fifo(requests: PageArray, pages_total: int, cache: int, entries: PageArray) -> int:
    """Serve a sequence with marking, the page cached longest first; O(1) amortised per request.

    At the start of a k-phase all pages are unmarked and stand in a queue in the order of their arrival. In
    the phase victims leave from its front, past marked pages, and new pages are marked, so that the queue of
    the next phase is what is left, then the new ones. A phase has k requests or more.

    Parameters and result as for :func:`~paging.kernels.recency.lru`.
    """
    marked = np.full(pages_total, -1, dtype=np.int32)  # the phase of the last mark of a cached page
    cached = np.zeros(pages_total, dtype=np.bool_)
    slots = min(cache, pages_total)
    queue = np.empty(slots, dtype=np.int32)
    fresh = np.empty(slots, dtype=np.int32)
    queued = place = loaded = 0
    phase = marks = faults = 0
    for t in range(len(requests)):
        page = requests[t]
        entry = HIT
        if not cached[page]:
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
                    place = loaded = marks = 0
                    phase += 1
                while queue[place] < 0 or marked[queue[place]] == phase:
                    place += 1
                entry = queue[place]
                queue[place] = -1
                cached[entry] = False
            cached[page] = True
            fresh[loaded] = page
            loaded += 1
            faults += 1
            marked[page] = -1
        if marked[page] != phase:
            marked[page] = phase
            marks += 1
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def mark_layer(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, layer_of: PageArray
) -> int:
    """Serve a sequence with marking, the layer being served first; O(1) amortised per request.

    Pages unmarked in a k-phase were not requested in it, so that the order of their last requests stands
    when the phase begins. They are listed in this order, and each points to the next one of its layer.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``layer_of`` is the layer of every page.
    """
    last = np.full(pages_total, -1, dtype=np.int32)  # time of the last request of a cached page
    marked = np.full(pages_total, -1, dtype=np.int32)  # the phase of its last mark
    slots = min(cache, pages_total)
    order = np.full(slots, -1, dtype=np.int32)
    following = np.full(slots, -1, dtype=np.int32)
    layers = layer_of[-1] + 1
    first = np.full(layers, -1, dtype=np.int32)
    latest = np.full(layers, -1, dtype=np.int32)
    listed = np.full(layers, -1, dtype=np.int32)  # the phase in which the lists of a layer were made
    begun = place = 0
    phase = marks = faults = 0
    for t in range(len(requests)):
        page = requests[t]
        entry = HIT
        if last[page] < 0:
            entry = FREE
            if faults >= cache:
                if marks == cache:
                    phase += 1
                    count = 0
                    # All cached pages are marked, so that each was requested in the phase that ends.
                    for s in range(begun, t):
                        own = requests[s]
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
                    place = marks = 0
                layer = layer_of[page]
                chosen = -1
                if listed[layer] == phase:
                    chosen = first[layer]
                    while chosen >= 0 and (order[chosen] < 0 or marked[order[chosen]] == phase):
                        chosen = following[chosen]
                    first[layer] = chosen
                if chosen < 0:
                    while order[place] < 0 or marked[order[place]] == phase:
                        place += 1
                    chosen = place
                entry = order[chosen]
                order[chosen] = -1
                last[entry] = -1
            faults += 1
            marked[page] = -1
        last[page] = t
        if marked[page] != phase:
            marked[page] = phase
            marks += 1
        if len(entries) > 0:
            entries[t] = entry
    return faults
