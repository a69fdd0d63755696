"""Kernels of the policies that take predictions, and of counting the errors of predictions."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, contains, empty_set, flip, lowest_bit
from paging.kernels.jit import compiled
from paging.kernels.randomized import BLOCK, _below
from paging.kernels.trees import empty_tree, first_from, insert, remove
from paging.model import FREE, HIT, SEVERAL, PageArray

Predictions = NDArray[np.int64]


@compiled
def _word_from(times: Words, word: int, end: int) -> int:
    """Return the first word, from ``word`` on, of a bitmap that has a bit set; ``end + 1`` if none has."""
    while word <= end and times[word] == 0:
        word += 1
    return word


@compiled
def _first_in(times: Words, word: int) -> int:
    """Return the first time in a word of a bitmap that has a bit set."""
    return (word << 6) + lowest_bit(times[word])


@compiled
def _requested_again(live: Words, ones: Words, bits: Predictions, gone: int, t: int) -> None:
    """Take a time, −1 for none, out of the bitmap of all and out of that of bits 1; put another in."""
    if gone >= 0:
        flip(live, gone)
        if bits[gone] == 1:
            flip(ones, gone)
    flip(live, t)
    if bits[t] == 1:
        flip(ones, t)


@compiled
def flush_when_kept(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, bits: Predictions
) -> int:
    """Serve a sequence with flush-when-kept; O(1) amortised per request.

    The pages to discard are a bitmap over time, a bit at the last request of each, as in
    :func:`~paging.kernels.recency.lru`; the pages to keep are those last requested since the last flush.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`.
    bits : ndarray of int64, shape (T,)
        The discard bit of every request.

    Returns
    -------
    int
        Number of faults.
    """
    discarded = np.full(pages_total, -1, dtype=np.int32)  # last request of a cached page with bit 1
    kept = np.full(pages_total, -1, dtype=np.int32)  # last request of a page with bit 0
    live = empty_set(len(requests))
    faults = word = flushed = size = 0
    for t in range(len(requests)):
        page = requests[t]
        entry = HIT
        if discarded[page] >= 0:
            flip(live, discarded[page])
            discarded[page] = -1
        elif kept[page] < flushed:
            faults += 1
            entry = FREE
            if size < cache:
                size += 1
            else:
                word = _word_from(live, word, t >> 6)
                if word <= t >> 6:
                    gone = _first_in(live, word)
                    flip(live, gone)
                    entry = requests[gone]
                    discarded[entry] = -1
                else:
                    entry = SEVERAL if cache > 1 else requests[t - 1]
                    flushed = t
                    size = 1
        if bits[t] == 1:
            kept[page] = -1
            discarded[page] = t
            flip(live, t)
            word = min(word, t >> 6)
        else:
            kept[page] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def flush_when_kept_lazy(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, bits: Predictions
) -> int:
    """Serve a sequence with flush-when-kept-lazy; O(1) amortised per request.

    Two bitmaps over time, of all cached pages and of those to discard. Those last requested before the last
    flush are flushed, whatever their bits.

    Parameters and result as for :func:`flush_when_kept`.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    live, discard = empty_set(len(requests)), empty_set(len(requests))
    faults = word = chosen = flushed = 0
    for t in range(len(requests)):
        page = requests[t]
        gone = last[page]
        entry = HIT
        if gone < 0:
            faults += 1
            entry = FREE
            if faults > cache:
                word = _word_from(live, word, t >> 6)
                gone = _first_in(live, word)
                if gone >= flushed:
                    chosen = _word_from(discard, chosen, t >> 6)
                    if chosen <= t >> 6:
                        gone = _first_in(discard, chosen)
                    else:
                        flushed = t
                entry = requests[gone]
                last[entry] = -1
        _requested_again(live, discard, bits, gone, t)
        if bits[t] == 1:
            chosen = min(chosen, t >> 6)
        last[page] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def mark_predict_lru(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, bits: Predictions
) -> int:
    """Serve a sequence with mark-predict-lru; O(1) amortised per request.

    Two bitmaps over time, of all cached pages and of those with bit 1; unmarked are those last requested
    before the phase began.

    Parameters and result as for :func:`flush_when_kept`.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    live, ones = empty_set(len(requests)), empty_set(len(requests))
    faults = word = chosen = begun = marks = 0
    for t in range(len(requests)):
        page = requests[t]
        gone = last[page]
        marks += gone < begun
        entry = HIT
        if gone < 0:
            faults += 1
            entry = FREE
            if faults > cache:
                if marks > cache:
                    begun = t
                    marks = 1
                chosen = _word_from(ones, chosen, t >> 6)
                gone = _first_in(ones, chosen) if chosen <= t >> 6 else t
                if gone >= begun:
                    word = _word_from(live, word, t >> 6)
                    gone = _first_in(live, word)
                entry = requests[gone]
                last[entry] = -1
        _requested_again(live, ones, bits, gone, t)
        if bits[t] == 1:
            chosen = min(chosen, t >> 6)
        last[page] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def _one_of(
    wanted: NDArray[np.bool_], pool: NDArray[np.uint32], used: int, rng: np.random.Generator
) -> tuple[int, int]:
    """Return the place of a true entry, all equally likely, and the random words used so far."""
    number, used = _below(int(np.count_nonzero(wanted)), pool, used, rng)
    for place in range(len(wanted)):
        if wanted[place]:
            if number == 0:
                return place, used
            number -= 1
    return -1, used


@compiled
def _put(slots: NDArray[np.int64], place: NDArray[np.int64], slot: int, page: int) -> int:
    """Put a page into a slot; return the page that leaves it, or FREE."""
    gone = int(slots[slot])
    if gone >= 0:
        place[gone] = -1
    slots[slot] = page
    place[page] = slot
    return gone if gone >= 0 else FREE


@compiled
def mark0(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    bits: Predictions,
    rng: np.random.Generator,
) -> int:
    """Serve a sequence with mark0, one sampled run; O(k) per fault.

    Parameters and result as for :func:`flush_when_kept`, with the source of randomness.
    """
    slots = np.full(min(cache, pages_total), -1, dtype=np.int64)
    place = np.full(pages_total, -1, dtype=np.int64)
    bit, marked = np.zeros(len(slots), dtype=np.int64), np.zeros(len(slots), dtype=np.bool_)
    last = np.zeros(len(slots), dtype=np.int64)
    pool, used = np.empty(BLOCK, dtype=np.uint32), BLOCK
    faults = 0
    for t in range(len(requests)):
        page = requests[t]
        slot = place[page]
        entry = HIT
        if slot < 0:
            slot = faults
            if faults >= cache:
                slot = -1
                for s in range(cache):
                    if bit[s] == 1 and (slot < 0 or last[s] < last[slot]):
                        slot = s
                if slot < 0:
                    if marked.all():
                        marked[:] = False
                    slot, used = _one_of(~marked, pool, used, rng)
            faults += 1
            entry = _put(slots, place, slot, page)
        bit[slot] = bits[t]
        marked[slot] = True
        last[slot] = t
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def mark_predict(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    bits: Predictions,
    rng: np.random.Generator,
) -> int:
    """Serve a sequence with mark-predict, one sampled run; O(k) per fault.

    Parameters and result as for :func:`mark0`.
    """
    slots = np.full(min(cache, pages_total), -1, dtype=np.int64)
    place = np.full(pages_total, -1, dtype=np.int64)
    bit, marked = np.zeros(len(slots), dtype=np.int64), np.zeros(len(slots), dtype=np.bool_)
    pool, used = np.empty(BLOCK, dtype=np.uint32), BLOCK
    faults = 0
    for t in range(len(requests)):
        page = requests[t]
        slot = place[page]
        entry = HIT
        if slot < 0:
            slot = faults
            if faults >= cache:
                if marked.all():
                    marked[:] = False
                wanted = ~marked & (bit == 1)
                slot, used = _one_of(wanted if wanted.any() else ~marked, pool, used, rng)
            faults += 1
            entry = _put(slots, place, slot, page)
        bit[slot] = bits[t]
        marked[slot] = True
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def _furthest(slots: NDArray[np.int64], arrival: Predictions, wanted: NDArray[np.bool_]) -> int:
    """Return the slot whose page is predicted to come last, of equals the lowest id."""
    best = -1
    for s in range(len(slots)):
        if wanted[s]:
            later = best < 0 or arrival[s] > arrival[best]
            if later or (arrival[s] == arrival[best] and slots[s] < slots[best]):
                best = s
    return best


@compiled
def blind_oracle(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, arrivals: Predictions
) -> int:
    """Serve a sequence with blind-oracle; O(k) per fault.

    Parameters and result as for :func:`flush_when_kept`, with predicted next requests.
    """
    slots = np.full(min(cache, pages_total), -1, dtype=np.int64)
    place = np.full(pages_total, -1, dtype=np.int64)
    arrival = np.zeros(len(slots), dtype=np.int64)
    faults = 0
    for t in range(len(requests)):
        page = requests[t]
        slot = place[page]
        entry = HIT
        if slot < 0:
            slot = faults
            if faults >= cache:
                latest = arrival.max()
                slot = -1
                for s in range(len(slots)):
                    if arrival[s] == latest and (slot < 0 or slots[s] < slots[slot]):
                        slot = s
            faults += 1
            entry = _put(slots, place, slot, page)
        arrival[slot] = arrivals[t]
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def marker(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    arrivals: Predictions,
    followed: int,
    rng: np.random.Generator,
) -> int:
    """Serve a sequence with predictive-marker or lmarker, one sampled run; O(k) per fault.

    Parameters and result as for :func:`mark0`; ``followed`` is up to which length of a chain of evictions the
    predicted next requests are followed.
    """
    slots = np.full(min(cache, pages_total), -1, dtype=np.int64)
    place = np.full(pages_total, -1, dtype=np.int64)
    arrival, marked = np.zeros(len(slots), dtype=np.int64), np.zeros(len(slots), dtype=np.bool_)
    chain, evicted = np.zeros(pages_total, dtype=np.int64), np.full(pages_total, -1, dtype=np.int64)
    pool, used = np.empty(BLOCK, dtype=np.uint32), BLOCK
    faults = phase = 0
    for t in range(len(requests)):
        page = requests[t]
        slot = place[page]
        entry = HIT
        if slot < 0:
            slot = faults
            if faults >= cache:
                if marked.all():
                    marked[:] = False
                    phase += 1
                length = 1 + (chain[page] if evicted[page] == phase else 0)
                if length <= followed:
                    slot = _furthest(slots, arrival, ~marked)
                else:
                    slot, used = _one_of(~marked, pool, used, rng)
                chain[slots[slot]] = length
                evicted[slots[slot]] = phase
            faults += 1
            entry = _put(slots, place, slot, page)
        arrival[slot] = arrivals[t]
        marked[slot] = True
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def guarded_oracle(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    arrivals: Predictions,
    rng: np.random.Generator,
) -> int:
    """Serve a sequence with guard:blind-oracle, one sampled run; O(k) per fault.

    Parameters and result as for :func:`mark0`.
    """
    slots = np.full(min(cache, pages_total), -1, dtype=np.int64)
    place = np.full(pages_total, -1, dtype=np.int64)
    arrival = np.zeros(len(slots), dtype=np.int64)
    old, guarded = np.zeros(len(slots), dtype=np.bool_), np.zeros(len(slots), dtype=np.bool_)
    evicted = np.full(pages_total, -1, dtype=np.int64)
    pool, used = np.empty(BLOCK, dtype=np.uint32), BLOCK
    faults = phase = 0
    for t in range(len(requests)):
        page = requests[t]
        slot = place[page]
        entry = HIT
        if slot < 0:
            slot = faults
            held = False
            if faults >= cache:
                if not old.any():
                    old[:] = True
                    guarded[:] = False
                    phase += 1
                held = evicted[page] == phase
                if held:
                    slot, used = _one_of(old, pool, used, rng)
                else:
                    slot = _furthest(slots, arrival, ~guarded)
                evicted[slots[slot]] = phase
            guarded[slot] = held
            faults += 1
            entry = _put(slots, place, slot, page)
        arrival[slot] = arrivals[t]
        old[slot] = False
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def follow_the_cheaper(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, one: PageArray, other: PageArray
) -> int:
    """Serve a sequence with cheaper, given the schedules of the two policies; O(log₆₄ pages) per request.

    Of either policy a tree knows the pages that are cached here and no more there: the first of these leaves.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`.
    one, other : ndarray of int32, shape (T,)
        Schedule entries of the two policies.

    Returns
    -------
    int
        Number of faults.
    """
    cached = empty_set(pages_total)
    given_up, levels = empty_tree(pages_total)
    trees = (given_up, given_up.copy())
    costs = np.zeros(2, dtype=np.int64)
    faults = follows = 0
    for t in range(len(requests)):
        page = requests[t]
        for who in range(2):
            gone = one[t] if who == 0 else other[t]
            costs[who] += gone != HIT
            remove(trees[who], levels, page)
            if gone >= 0 and contains(cached, gone):
                insert(trees[who], levels, gone)
        if costs[follows] >= 2 * costs[1 - follows]:
            follows = 1 - follows
        entry = HIT
        if not contains(cached, page):
            entry = FREE
            if faults >= cache:
                entry = first_from(trees[follows], levels, 0)
                remove(trees[0], levels, entry)
                remove(trees[1], levels, entry)
                flip(cached, entry)
            flip(cached, page)
            faults += 1
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def discard_truth(requests: PageArray, pages_total: int, entries: PageArray, bits: Predictions) -> None:
    """Write 1 for every request whose page a schedule evicts before its next request, 0 for the others.

    Parameters
    ----------
    requests, entries : ndarray of int32, shape (T,)
        A demand paging schedule: a victim's page id where there is one, see :class:`~paging.model.Entry`.
    bits : ndarray of int64, shape (T,)
        Receives the truth.
    """
    last = np.zeros(pages_total, dtype=np.int64)
    bits[:] = 0
    for t in range(len(requests)):
        if entries[t] >= 0:
            bits[last[entries[t]]] = 1
        last[requests[t]] = t


@compiled
def discard_errors(
    requests: PageArray, pages_total: int, entries: PageArray, bits: Predictions
) -> tuple[int, int]:
    """Count evictions of pages with bit 0, and requests that a schedule serves from the cache with bit 1."""
    bit = np.zeros(pages_total, dtype=np.int64)
    zeros = ones = 0
    for t in range(len(requests)):
        if entries[t] >= 0:
            zeros += 1 - bit[entries[t]]
        elif entries[t] == HIT:
            ones += bit[requests[t]]
        bit[requests[t]] = bits[t]
    return zeros, ones


@compiled
def phase_truth(requests: PageArray, starts: NDArray[np.int64], pages_total: int, bits: Predictions) -> None:
    """Write 0 for every request whose page is requested in the next k-phase, 1 for the others.

    ``starts`` are the first requests of the phases, then T.
    """
    own = np.full(pages_total, -1, dtype=np.int64)  # from the end, the last phase that asks for a page
    following = np.full(pages_total, -1, dtype=np.int64)  # and the one before, later in time
    phase = len(starts) - 2
    for t in range(len(requests) - 1, -1, -1):
        while t < starts[phase]:
            phase -= 1
        page = requests[t]
        if own[page] != phase:
            following[page] = own[page]
            own[page] = phase
        bits[t] = 0 if following[page] == phase + 1 else 1


@compiled
def phase_errors(
    requests: PageArray, starts: NDArray[np.int64], pages_total: int, bits: Predictions
) -> tuple[int, int]:
    """Count the wrong bits 0 and 1 of the last requests of every page in every k-phase but the last."""
    truth = np.zeros(len(requests), dtype=np.int64)
    phase_truth(requests, starts, pages_total, truth)
    done = np.full(pages_total, -1, dtype=np.int64)
    zeros = ones = 0
    phase = len(starts) - 2
    for t in range(len(requests) - 1, -1, -1):
        while t < starts[phase]:
            phase -= 1
        page = requests[t]
        if done[page] != phase and phase < len(starts) - 2:
            zeros += truth[t] > bits[t]
            ones += truth[t] < bits[t]
        done[page] = phase
    return zeros, ones


@compiled
def counts_so_far(requests: PageArray, pages_total: int, learnt: int, counts: Predictions) -> None:
    """Write how often every request's page was requested up to then, among the first ``learnt`` requests."""
    seen = np.zeros(pages_total, dtype=np.int64)
    for t in range(len(requests)):
        if t < learnt:
            seen[requests[t]] += 1
        counts[t] = seen[requests[t]]
