"""Kernels of segmented LRU, 2Q, ARC and S3-FIFO: doubly linked queues over the pages."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.kernels.visits import Held, hits_first, lock, may_leave, release
from paging.model import FREE, HIT, PageArray

Links = NDArray[np.int32]
"""A row (newer, older, where, hits) per page, then one per queue, which closes its ring."""

NEWER, OLDER, WHERE, HITS = 0, 1, 2, 3


@compiled
def _queues(pages_total: int, queues: int) -> Links:
    """Return empty queues; every page stands nowhere, in queue number −1."""
    links = np.zeros((pages_total + queues, 4), dtype=np.int32)
    for page in range(pages_total):
        links[page, WHERE] = -1
    for queue in range(pages_total, pages_total + queues):
        links[queue, NEWER] = links[queue, OLDER] = queue
    return links


@compiled
def _leave(links: Links, page: int) -> None:
    """Take a page out of its queue."""
    newer, older = links[page, NEWER], links[page, OLDER]
    links[older, NEWER] = newer
    links[newer, OLDER] = older


@compiled
def _enter(links: Links, page: int, ring: int, queue: int) -> None:
    """Put a page at the head of a queue, whose own row is ``ring``."""
    head = links[ring, OLDER]
    links[head, NEWER] = page
    links[page, OLDER] = head
    links[page, NEWER] = ring
    links[page, WHERE] = queue
    links[ring, OLDER] = page


@compiled
def _remember(links: Links, page: int, memory: int, queue: int, held: int, most: int) -> int:
    """Let a queue of ghosts remember a page, and forget its oldest if it is full; return its new length."""
    if most == 0:
        return 0
    if held == most:
        forgotten = links[memory, NEWER]
        _leave(links, forgotten)
        links[forgotten, WHERE] = -1
        held -= 1
    _enter(links, page, memory, queue)
    return held + 1


@compiled
def _oldest(links: Links, ring: int, held: Held) -> int:
    """Return the page that entered a queue first of those that may leave, or the queue's own row."""
    page = links[ring, NEWER]
    while page != ring and not may_leave(held, page):
        page = links[page, NEWER]
    return int(page)


@compiled
def slru(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    segments: int,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with segmented LRU; O(1) per request once the cache is full.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``segments`` ≥ 1.
    """
    count = min(segments, cache)
    share = cache // count
    links = _queues(pages_total, count)
    room = np.full(count, share, dtype=np.int64)
    room[0] = cache - (count - 1) * share
    faults = 0
    order = requests.copy()
    place, held = lock(per_visit, pages_total, atomic)
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, links[:, WHERE], 0, count - 1)
        page = order[t]
        segment = links[page, WHERE]
        entry = HIT
        if segment >= 0:
            _leave(links, page)
            above = segment + 1 if segment + 1 < count else segment
            _enter(links, page, pages_total + above, above)
            if above > segment:
                room[segment] += 1
                room[above] -= 1
                if room[above] < 0:
                    cooled = links[pages_total + above, NEWER]
                    _leave(links, cooled)
                    _enter(links, cooled, pages_total + segment, segment)
                    room[segment] -= 1
                    room[above] += 1
        else:
            entry = FREE
            lowest = 0
            if faults >= cache:
                entry = _oldest(links, pages_total, held)
                while entry == pages_total + lowest:
                    lowest += 1
                    entry = _oldest(links, pages_total + lowest, held)
                _leave(links, entry)
                links[entry, WHERE] = -1
                room[lowest] += 1
            while room[lowest] == 0:
                lowest += 1
            room[lowest] -= 1
            _enter(links, page, pages_total + lowest, lowest)
            faults += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def two_queues(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    inside: int,
    outside: int,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with 2Q; O(1) per request.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``inside`` < k pages that A1in keeps,
    ``outside`` pages that A1out remembers.
    """
    links = _queues(pages_total, 3)
    a1in, am, a1out = pages_total, pages_total + 1, pages_total + 2
    waiting = remembered = faults = 0
    order = requests.copy()
    place, held = lock(per_visit, pages_total, atomic)
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, links[:, WHERE], 0, 1)
        page = order[t]
        where = links[page, WHERE]
        entry = HIT
        if where == 1:
            _leave(links, page)
            _enter(links, page, am, 1)
        elif where != 0:
            entry = FREE
            if where == 2:
                _leave(links, page)
                remembered -= 1
            if faults >= cache:
                queue = a1in if waiting > inside else am
                entry = _oldest(links, queue, held)
                if entry == queue:
                    queue = a1in + am - queue
                    entry = _oldest(links, queue, held)
                _leave(links, entry)
                links[entry, WHERE] = -1
                if queue == a1in:
                    waiting -= 1
                    remembered = _remember(links, entry, a1out, 2, remembered, outside)
            if where == 2:
                _enter(links, page, am, 1)
            else:
                _enter(links, page, a1in, 0)
                waiting += 1
            faults += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def arc(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with ARC; O(1) per request.

    Parameters and result as for :func:`~paging.kernels.recency.lru`.
    """
    links = _queues(pages_total, 4)  # T1, T2, B1, B2
    size = np.zeros(4, dtype=np.int64)
    target = 0.0
    faults = 0
    order = requests.copy()
    place, held = lock(per_visit, pages_total, atomic)
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, links[:, WHERE], 0, 1)
        page = order[t]
        where = links[page, WHERE]
        entry = HIT
        if where >= 0:
            _leave(links, page)
        if where < 0 or where > 1:
            entry = FREE
            if where == 2:
                target = min(target + max(size[3] / size[2], 1.0), float(cache))
            elif where == 3:
                target = max(target - max(size[2] / size[3], 1.0), 0.0)
            if faults >= cache:
                queue = 1
                if (size[0] > target or (size[0] == target and where == 3)) and size[0] > 0:
                    queue = 0
                if size[1] == 0:
                    queue = 0
                remembered = True
                if where < 0:
                    forgetting = -1
                    if size[0] + size[2] >= cache:
                        remembered = size[2] > 0
                        if remembered:
                            forgetting = 2
                        else:
                            queue = 0
                    elif size[2] + size[3] >= cache:
                        forgetting = 3
                    if forgetting >= 0:
                        forgotten = links[pages_total + forgetting, NEWER]
                        _leave(links, forgotten)
                        links[forgotten, WHERE] = -1
                        size[forgetting] -= 1
                entry = _oldest(links, pages_total + queue, held)
                if entry == pages_total + queue:
                    queue = 1 - queue
                    entry = _oldest(links, pages_total + queue, held)
                _leave(links, entry)
                size[queue] -= 1
                links[entry, WHERE] = -1
                if remembered:
                    _enter(links, entry, pages_total + 2 + queue, 2 + queue)
                    size[2 + queue] += 1
            faults += 1
        into = 0 if where < 0 else 1
        if where >= 0:
            size[where] -= 1
        _enter(links, page, pages_total + into, into)
        size[into] += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def s3_fifo(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    small: int,
    ghosts: int,
    threshold: int,
    per_visit: int = 1,
    atomic: bool = False,
) -> int:
    """Serve a sequence with S3-FIFO; O(1) amortised per request.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``small`` ≥ 1 slots of the small queue,
    ``ghosts`` pages remembered, and the hits from which a page goes to the main queue.
    """
    links = _queues(pages_total, 3)
    sieve, main, memory = pages_total, pages_total + 1, pages_total + 2
    waiting = remembered = faults = 0
    order = requests.copy()
    place, held = lock(per_visit, pages_total, atomic)
    for t in range(len(order)):
        if atomic and t % per_visit == 0:
            release(order, t, per_visit, held)
            hits_first(order, place, t, per_visit, links[:, WHERE], 0, 1)
        page = order[t]
        where = links[page, WHERE]
        entry = HIT
        if where == 0 or where == 1:
            if links[page, HITS] < 3:
                links[page, HITS] += 1
        else:
            entry = FREE
            if where == 2:
                _leave(links, page)
                remembered -= 1
            full = faults >= cache
            searching = full
            while searching:
                first = _oldest(links, sieve, held)
                if first == sieve or waiting < small:
                    oldest = _oldest(links, main, held)
                    while searching and oldest != main:
                        _leave(links, oldest)
                        searching = links[oldest, HITS] > 0
                        if searching:
                            links[oldest, HITS] -= 1
                            _enter(links, oldest, main, 1)
                            oldest = _oldest(links, main, held)
                        else:
                            links[oldest, WHERE] = -1
                            entry = oldest
                while searching and first != sieve:
                    oldest = first
                    _leave(links, oldest)
                    waiting -= 1
                    searching = links[oldest, HITS] >= threshold
                    if searching:
                        links[oldest, HITS] = 0
                        _enter(links, oldest, main, 1)
                        first = _oldest(links, sieve, held)
                        continue
                    entry = oldest
                    links[oldest, WHERE] = -1
                    remembered = _remember(links, oldest, memory, 2, remembered, ghosts)
            links[page, HITS] = 0
            if where == 2 or (not full and waiting >= small):
                _enter(links, page, main, 1)
            else:
                _enter(links, page, sieve, 0)
                waiting += 1
            faults += 1
        if atomic:
            held[page] = True
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults
