"""Kernels of the policies that take predictions, and of counting the errors of predictions."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import empty_set, flip, lowest_bit
from paging.kernels.jit import compiled
from paging.model import FREE, HIT, SEVERAL, PageArray

Predictions = NDArray[np.int64]


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
                now = t >> 6
                while word <= now and live[word] == 0:
                    word += 1
                if word <= now:
                    gone = (word << 6) + lowest_bit(live[word])
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
                while live[word] == 0:
                    word += 1
                gone = (word << 6) + lowest_bit(live[word])
                if gone >= flushed:
                    now = t >> 6
                    while chosen <= now and discard[chosen] == 0:
                        chosen += 1
                    if chosen <= now:
                        gone = (chosen << 6) + lowest_bit(discard[chosen])
                    else:
                        flushed = t
                entry = requests[gone]
                last[entry] = -1
        if gone >= 0:
            flip(live, gone)
            if bits[gone] == 1:
                flip(discard, gone)
        flip(live, t)
        if bits[t] == 1:
            flip(discard, t)
            chosen = min(chosen, t >> 6)
        last[page] = t
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
