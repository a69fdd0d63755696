"""Kernels of the policies of today's engines."""

from math import inf

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import empty_set, flip, lowest_bit, signed, unsigned
from paging.kernels.due import (
    BESIDE,
    LAST,
    NEAR,
    OLDEST,
    PLAYS,
    STATE,
    UNKNOWN,
    USES,
    come,
    empty_ring,
    largest,
    leave,
    most_uses,
    threshold_of,
    use,
    wait,
)
from paging.kernels.heap import push, sift_down
from paging.kernels.jit import compiled, helper
from paging.kernels.visits import hits_first
from paging.model import BYPASS, FREE, HIT, PageArray

Numbers = NDArray[np.int64]

HALF_LIFE = 128
"""Tokens after which ``class-lru`` counts a use half."""

SPARED = 1 << 60
"""What a page of the present visit is worth more than any other."""

ONE_USE = 1 << 16
"""A use in the fixed-point numbers of ``class-lru``."""

HALVING = tuple(round(2 ** (30 - token / HALF_LIFE)) for token in range(HALF_LIFE))
"""2³⁰·2^(−token/128): what is left of 2³⁰ after so many tokens."""

_halving = np.array(HALVING, dtype=np.int64)


@helper
def decayed(uses: int, requests: int, length: int) -> int:
    """Return fixed-point uses after so many requests without one, ``length`` of them a token."""
    tokens = requests // length
    if tokens >= 30 * HALF_LIFE:
        return 0
    return int(uses * _halving[tokens % HALF_LIFE] >> (30 + tokens // HALF_LIFE))


@helper
def class_of(uses: int) -> int:
    """Return min(7, ⌊log₂ uses⌋) of fixed-point uses that are at least one."""
    found = 0
    uses >>= 17
    while uses > 0 and found < 7:
        uses >>= 1
        found += 1
    return found


@compiled
def lfru(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, per_visit: int, atomic: bool
) -> int:
    """Serve a sequence with LFRU; O(1) for a hit.

    The page that leaves has the largest age/uses: it is the oldest page of one of the few classes above a
    threshold, where pages of as many uses are a class. When all fall below it, all classes are looked at.
    Where only pages of the present visit are cached, one of them leaves.

    Parameters and result as for :func:`~paging.kernels.recency.lru`.
    """
    order = requests.copy()
    place = np.zeros(per_visit, dtype=np.int64)
    pages = np.zeros((pages_total, 4), dtype=np.int32)
    cached = np.full(pages_total, -1, dtype=np.int8)
    most = most_uses(requests, pages_total)
    classes = np.zeros((most + 1, 4), dtype=np.int32)
    listed = np.empty(most, dtype=np.int32)
    slots = min(cache, pages_total)
    near = np.empty((2 * slots + 4 * NEAR, 2), dtype=np.int32)
    quotients = np.empty(slots, dtype=np.float64)
    ring = empty_ring(slots, per_visit)
    threshold = inf
    names = count = faults = begun = clock = 0
    for t in range(len(requests)):
        if t == begun + per_visit:
            begun = t
        if atomic and t == begun:
            hits_first(order, place, t, per_visit, cached)
        page = signed(order[t])
        entry = HIT
        if cached[page] >= 0:
            leave(pages, classes, page)
        else:
            entry = FREE
            if faults >= cache:
                now = t + 1
                while clock < now:
                    clock += 1
                    uses = ring[clock & (len(ring) - 1)]
                    ring[clock & (len(ring) - 1)] = 0
                    while uses > 0:
                        following = classes[uses, BESIDE]
                        count = come(
                            uses, near, count, ring, pages, classes, threshold, begun, per_visit, now
                        )
                        uses = following
                if count > 3 * NEAR:
                    among = near[:count, USES].copy()
                    threshold = max(threshold, threshold_of(among, pages, classes, now, begun, quotients))
                    count = 0
                    for uses in among:
                        count = come(
                            uses, near, count, ring, pages, classes, threshold, begun, per_visit, now
                        )
                while entry == FREE:
                    if count == 0:
                        left = 0
                        for i in range(names):
                            uses = listed[i]
                            if classes[uses, OLDEST] > 0:
                                listed[left] = uses
                                left += 1
                            else:
                                classes[uses, STATE] = UNKNOWN
                        names = left
                        threshold = threshold_of(listed[:names], pages, classes, now, begun, quotients)
                        ring[:] = 0
                        for uses in listed[:names]:
                            count = come(
                                uses, near, count, ring, pages, classes, threshold, begun, per_visit, now
                            )
                    if count == 0:
                        for i in range(names):
                            near[i, USES] = listed[i]
                            near[i, LAST] = pages[classes[listed[i], OLDEST] - 1, LAST]
                        uses = near[largest(near, names, now), USES]
                        entry = signed(classes[uses, OLDEST] - 1)
                        leave(pages, classes, entry)
                        break
                    best = largest(near, count, now)
                    uses = near[best, USES]
                    oldest = classes[uses, OLDEST] - 1
                    right = oldest >= 0 and near[best, LAST] == pages[oldest, LAST]
                    if right:
                        entry = signed(oldest)
                        leave(pages, classes, entry)
                    count -= 1
                    near[best] = near[count]
                    count = come(uses, near, count, ring, pages, classes, threshold, begun, per_visit, now)
                cached[entry] = -1
            cached[page] = 0
            faults += 1
        uses = use(pages, classes, page, t)
        if classes[uses, STATE] != PLAYS:
            if classes[uses, STATE] == UNKNOWN:
                listed[names] = uses
                names += 1
            classes[uses, STATE] = PLAYS
            wait(ring, classes, uses, t, threshold, max(begun + per_visit, clock + 1))
        if len(entries) > 0:
            entries[place[t - begun] if atomic else t] = entry
    return faults


@compiled
def least_stale(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    round_length: int,
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve a sequence with least-stale; O(g) amortised per request.

    Cached pages form a ring in the order of loading. In a token the search for an untouched page only moves
    on: a page that it passed stays touched until the token ends.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``round_length`` requests are a token.
    """
    order = requests.copy()
    place = np.zeros(per_visit, dtype=np.int64)
    last = np.full(pages_total, -1, dtype=np.int32)
    newer = np.full(pages_total + 1, pages_total, dtype=np.int32)
    older = np.full(pages_total + 1, pages_total, dtype=np.int32)
    cached = np.full(pages_total, -1, dtype=np.int8)
    faults = token = 0
    search = pages_total
    for t in range(len(requests)):
        if atomic and t % per_visit == 0:
            hits_first(order, place, t, per_visit, cached)
        page = order[t]
        if t % round_length == 0:
            token = t
            search = newer[pages_total]
        entry = HIT
        if cached[page] < 0:
            entry = FREE
            if faults >= cache:
                while search != pages_total and last[search] >= token:
                    search = newer[search]
                entry = search
                if search != pages_total:
                    search = newer[search]
                else:
                    entry = newer[pages_total]
                    while entry != pages_total and last[entry] >= t - t % per_visit:
                        entry = newer[entry]
                    if entry == pages_total:
                        entry = newer[pages_total]
                newer[older[entry]] = newer[entry]
                older[newer[entry]] = older[entry]
                cached[entry] = -1
            head = older[pages_total]
            newer[head] = page
            older[page] = head
            newer[page] = pages_total
            older[pages_total] = page
            cached[page] = 0
            faults += 1
        last[page] = t
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def class_lru(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    round_length: int,
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve a sequence with class-lru; O(1) amortised per request.

    Every class is a bitmap over time, a bit at the last request of each of its cached pages.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``round_length`` requests are a token,
    ``per_visit`` a visit.
    """
    order = requests.copy()
    place = np.zeros(per_visit, dtype=np.int64)
    uses = np.zeros(pages_total, dtype=np.int64)
    last = np.full(pages_total, -1, dtype=np.int64)
    rank = np.full(pages_total, -1, dtype=np.int8)
    live = np.zeros((8, (len(requests) + 63) // 64), dtype=np.int64)
    word = np.zeros(8, dtype=np.int64)
    size = np.zeros(8, dtype=np.int64)
    faults = 0
    for t in range(len(requests)):
        if atomic and t % per_visit == 0:
            hits_first(order, place, t, per_visit, rank)
        page = order[t]
        entry = HIT
        if rank[page] >= 0:
            size[rank[page]] -= 1
            flip(live[rank[page]], last[page])
        else:
            entry = FREE
            if faults >= cache:
                best = -1
                gone = 0
                for c in range(8):
                    if size[c] > 0:
                        while live[c, word[c]] == 0:
                            word[c] += 1
                        oldest = (word[c] << 6) + lowest_bit(live[c, word[c]])
                        age = t - oldest
                        spared = age <= t % per_visit
                        worth = ((age << (7 - c)) << 3) + 7 - c + (0 if spared else SPARED)
                        if worth > best:
                            best = worth
                            gone = oldest
                entry = order[gone]
                size[rank[entry]] -= 1
                flip(live[rank[entry]], gone)
                rank[entry] = -1
            faults += 1
        left = 0
        if last[page] >= 0:
            left = decayed(uses[page], t - last[page], round_length)
        uses[page] = left + ONE_USE
        last[page] = t
        own = class_of(uses[page])
        rank[page] = own
        size[own] += 1
        flip(live[own], t)
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def heat_lru(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    hits: int,
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve a sequence with heat-lru; O(1) amortised per request.

    Cold and hot pages are two bitmaps over time, a bit at the last request of each.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; more than ``hits`` hits make hot.
    """
    order = requests.copy()
    place = np.zeros(per_visit, dtype=np.int64)
    last = np.full(pages_total, -1, dtype=np.int32)
    heat = np.zeros(pages_total, dtype=np.int32)
    cold = empty_set(len(requests))
    hot = empty_set(len(requests))
    cold_word = hot_word = 0
    colds = 0
    faults = 0
    for t in range(len(requests)):
        if atomic and t % per_visit == 0:
            hits_first(order, place, t, per_visit, last)
        page = order[t]
        before = last[page]
        entry = HIT
        if before >= 0:
            if heat[page] > hits:
                flip(hot, before)
            else:
                flip(cold, before)
                colds -= 1
                heat[page] += 1
        else:
            entry = FREE
            if faults >= cache:
                begun = t - t % per_visit
                oldest_cold = oldest_hot = len(requests)
                if colds > 0:
                    while cold[cold_word] == 0:
                        cold_word += 1
                    oldest_cold = (cold_word << 6) + lowest_bit(cold[cold_word])
                if colds < cache:
                    while hot[hot_word] == 0:
                        hot_word += 1
                    oldest_hot = (hot_word << 6) + lowest_bit(hot[hot_word])
                if oldest_cold < begun or (colds > 0 and oldest_hot >= begun):
                    gone = oldest_cold
                    flip(cold, gone)
                    colds -= 1
                else:
                    gone = oldest_hot
                    flip(hot, gone)
                entry = order[gone]
                last[entry] = -1
            heat[page] = 0
            faults += 1
        if heat[page] > hits:
            flip(hot, t)
        else:
            flip(cold, t)
            colds += 1
        last[page] = t
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults


@compiled
def hobbit(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    first_page: PageArray,
    recent: int,
    uses: int,
    layer: int,
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve a sequence with HOBBIT's weighted sum; O(ℓ + log k) amortised per fault, O(1) per hit.

    Within a layer nearness is the same for all pages, so the order is that of the other two terms, which only
    grow. Every layer has a heap of its cached pages by their sum, token and number; a hit changes the page
    alone, and the heap is put right when the page comes to the top. A page of the present visit is taken
    out there, or is not put in when it is loaded, until the visit is over.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; weights of recency, uses, nearness.
    """
    order = requests.copy()
    place = np.zeros(per_visit, dtype=np.int64)
    cached = np.full(pages_total, -1, dtype=np.int8)
    count = np.zeros(pages_total, dtype=np.int64)
    last = np.zeros(pages_total, dtype=np.int64)
    layers = len(first_page) - 1
    keys = np.empty(pages_total, dtype=np.int64)
    names = np.empty(pages_total, dtype=np.int64)  # token · 2³² + page
    size = np.zeros(layers, dtype=np.int64)
    present = np.empty(per_visit, dtype=np.int64)  # pages of the present visit that are in no heap
    held = slot = token = now = faults = 0
    for t in range(len(requests)):
        if slot == per_visit:
            for i in range(held):
                page = present[i]
                heap = slice(first_page[now], first_page[now + 1])
                key = recent * (last[page] + 1) + uses * count[page]
                push(keys[heap], names[heap], size[now], key, (last[page] << 32) + page)
                size[now] += 1
            held = slot = 0
            now += 1
            if now == layers:
                now = 0
                token += 1
        if atomic and slot == 0:
            hits_first(order, place, t, per_visit, cached)
        page = signed(order[t])
        entry = HIT
        if cached[page] < 0:
            entry = FREE
            if faults >= cache:
                best = -1
                least = 0
                for ahead in range(layers - 1, -1, -1):  # of equals the layer furthest ahead
                    j = now + ahead - (layers if now + ahead >= layers else 0)
                    base = first_page[j]
                    heap = slice(base, first_page[j + 1])
                    near = layer * (token + 1) * (layers - ahead)
                    # A sum out of date is too small: where it is larger than another, it need not be right.
                    while size[j] > 0 and (best < 0 or keys[base] * layers + near <= least):
                        other = signed(unsigned(names[base]))
                        key = recent * (last[other] + 1) + uses * count[other]
                        name = (last[other] << 32) + other
                        if names[base] == name and keys[base] == key:
                            break
                        if ahead == 0 and last[other] == token:
                            present[held] = other
                            held += 1
                            size[j] -= 1
                            key, name = keys[base + size[j]], names[base + size[j]]
                        sift_down(keys[heap], names[heap], size[j], key, name)
                    if size[j] > 0:
                        worth = keys[base] * layers + near
                        older = best < 0 or names[base] >> 32 < names[first_page[best]] >> 32
                        if best < 0 or worth < least or (worth == least and older):
                            best, least = j, worth
                if best >= 0:
                    base = first_page[best]
                    heap = slice(base, first_page[best + 1])
                    entry = signed(unsigned(names[base]))
                    size[best] -= 1
                    gone = base + size[best]
                    sift_down(keys[heap], names[heap], size[best], keys[gone], names[gone])
                else:
                    chosen = 0
                    for i in range(1, held):
                        ours, theirs = count[present[i]] * uses, count[present[chosen]] * uses
                        if ours < theirs or (ours == theirs and present[i] < present[chosen]):
                            chosen = i
                    entry = signed(present[chosen])
                    held -= 1
                    present[chosen] = present[held]
                cached[entry] = -1
            cached[page] = 0
            present[held] = page
            held += 1
            faults += 1
        count[page] += 1
        last[page] = token
        if len(entries) > 0:
            entries[place[slot] if atomic else t] = entry
        slot += 1
    return faults


@compiled
def admit_lru(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, per_visit: int, loads: int
) -> int:
    """Serve a sequence with LRU and at most ``loads`` loads per visit; O(1) amortised per request.

    Parameters and result as for :func:`~paging.kernels.recency.lru`, with BYPASS among the entries;
    ``per_visit`` requests are a visit.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    live = empty_set(len(requests))
    faults = loaded = size = 0
    word = 0
    for t in range(len(requests)):
        page = requests[t]
        gone = last[page]
        entry = HIT
        if t % per_visit == 0:
            loaded = 0
        if gone < 0:
            faults += 1
            entry = FREE
            if loaded == loads:
                entry = BYPASS
            elif size == cache:
                while live[word] == 0:
                    word += 1
                gone = (word << 6) + lowest_bit(live[word])
                entry = requests[gone]
                last[entry] = -1
            else:
                size += 1
            loaded += entry != BYPASS
        if gone >= 0:
            flip(live, gone)
        if entry != BYPASS:
            flip(live, t)
            last[page] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults
