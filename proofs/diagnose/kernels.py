"""The event simulation of loads and prefetches on one link, in whole ticks of time."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled, helper
from paging.model import PageArray

Ints = NDArray[np.int64]

DEMAND, PREFETCHED, USEFUL, LATE, WASTED, COLLISIONS, BLOCKED, DROPPED, STALLED, STALL, MOVED, LOST = range(
    12
)
"""Places in the array of counts; the last three are in ticks, bytes and bytes."""

COUNTS = 12

NOBODY, RANDOM, REPEAT = range(3)
"""Kinds of prefetchers."""

DRAW_BITS = 53
"""Bits of a random number."""


@helper
def _draw(state: NDArray[np.uint64]) -> np.int64:
    """Return the next number of splitmix64, DRAW_BITS bits of it."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = state[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return np.int64(mixed >> np.uint64(11))


@helper
def _leave(before: Ints, after: Ints, page: int) -> None:
    after[before[page]] = after[page]
    before[after[page]] = before[page]


@helper
def _enter(before: Ints, after: Ints, page: int) -> None:
    """Put a page at the end of the list, whose last place is the sentinel."""
    end = len(after) - 1
    last = before[end]
    after[last], before[page] = page, last
    after[page], before[end] = end, page


@helper
def _victim(after: Ints, needed: Ints, step: int) -> int:
    """Return the least recently used page that a step does not need; the sentinel if there is none."""
    end = len(after) - 1
    page = after[end]
    while page != end and needed[page] == step:
        page = after[page]
    return int(page)


@compiled
def run_link(
    requests: PageArray,
    starts: Ints,
    first_page: Ints,
    cache: int,
    load: Ints,
    sizes: Ints,
    computing: int,
    beside: int,
    kind: int,
    ahead: int,
    recall: int,
    wrong: Ints,
    rest: Ints,
    seed: int,
    token_end: Ints,
    counts: Ints,
) -> int:
    """Serve all visits with LRU, loads and prefetches sharing one link, as proofs.diagnose.prefetch says.

    Parameters
    ----------
    requests : ndarray of int32, shape (T,)
        Page ids, visit by visit.
    starts : ndarray of int64, shape (visits + 1,)
        Where the requests of every visit begin; visit s is of layer s mod ℓ.
    first_page : ndarray of int64, shape (ℓ + 1,)
    cache : int
        Slots, at least the longest visit.
    load, sizes : ndarray of int64, shape (ℓ,)
        Ticks and bytes of a load, by layer.
    computing, beside : int
        Ticks of a layer's computation, and those of them that need no expert.
    kind : int
        NOBODY, RANDOM or REPEAT.
    ahead : int
        Layers from the one whose router has spoken to the one that is predicted.
    recall : int
        Of 2^DRAW_BITS, in how many cases a needed expert is predicted.
    wrong, rest : ndarray of int64, shape (g + 1,)
        Wrong experts predicted for a visit of so many, and of 2^DRAW_BITS in how many cases one more.
    seed : int
    token_end : ndarray of int64, shape (tokens,)
        Receives the tick at which every token is finished.
    counts : ndarray of int64, shape (COUNTS,)
        Receives the counts.

    Returns
    -------
    int
        The tick at which the last token is finished.
    """
    layers, pages = len(first_page) - 1, first_page[-1]
    steps = len(starts) - 1
    before = np.full(pages + 1, pages, dtype=np.int64)
    after = np.full(pages + 1, pages, dtype=np.int64)
    arrival = np.full(pages, -1, dtype=np.int64)
    needed = np.full(pages, -1, dtype=np.int64)
    guessed = np.zeros(pages, dtype=np.bool_)  # loaded by a prefetch and not used since
    robbed = np.zeros(pages, dtype=np.bool_)  # evicted by a prefetch
    marked = np.full(pages, -1, dtype=np.int64)
    most = 1
    for layer in range(layers):
        most = max(most, first_page[layer + 1] - first_page[layer])
    room = (ahead + 1) * most + 1
    queued_page, queued_for, queued_at = (
        np.zeros(room, dtype=np.int64),
        np.zeros(room, dtype=np.int64),
        np.zeros(room, dtype=np.int64),
    )
    head, length = 0, 0
    guesses = np.zeros(most, dtype=np.int64)
    state = np.array([seed], dtype=np.uint64)
    held, clock, free = 0, 0, 0
    by_prefetch = False  # whether what the link does last is a prefetch
    for step in range(steps):
        layer = step % layers
        # Prefetches that begin before this router has spoken.
        while length > 0:
            begin = max(free, queued_at[head])
            if begin >= clock:
                break
            page, target = queued_page[head], queued_for[head]
            head, length = (head + 1) % room, length - 1
            if target < step or arrival[page] >= 0:
                continue
            if held == cache:
                gone = _victim(after, needed, step - 1)
                if gone == pages:
                    counts[DROPPED] += 1
                    continue
                _leave(before, after, gone)
                arrival[gone] = -1
                robbed[gone] = True
                if guessed[gone]:
                    guessed[gone] = False
                    counts[WASTED] += 1
                    counts[LOST] += sizes[np.searchsorted(first_page, gone, side="right") - 1]
            else:
                held += 1
            _enter(before, after, page)
            free = arrival[page] = begin + load[target % layers]
            by_prefetch = True
            guessed[page], robbed[page] = True, False
            counts[PREFETCHED] += 1
            counts[MOVED] += sizes[target % layers]
        while length > 0 and queued_for[head] <= step:
            head, length = (head + 1) % room, length - 1
        # What this layer needs: first what is there or on its way, then what is missing.
        ready = clock
        for place in range(starts[step], starts[step + 1]):
            page = requests[place]
            needed[page] = step
            if arrival[page] >= 0:
                _leave(before, after, page)
                _enter(before, after, page)
                ready = max(ready, arrival[page])
                if guessed[page]:
                    guessed[page] = False
                    counts[USEFUL] += 1
                    counts[LATE] += arrival[page] > clock
        blocked = by_prefetch and free > clock
        for place in range(starts[step], starts[step + 1]):
            page = requests[place]
            if arrival[page] >= 0:
                continue
            counts[BLOCKED] += blocked
            blocked = False
            if held == cache:
                gone = _victim(after, needed, step)
                _leave(before, after, gone)
                arrival[gone] = -1
                if guessed[gone]:
                    guessed[gone] = False
                    counts[WASTED] += 1
                    counts[LOST] += sizes[np.searchsorted(first_page, gone, side="right") - 1]
            else:
                held += 1
            _enter(before, after, page)
            free = arrival[page] = max(free, clock) + load[layer]
            by_prefetch = False
            ready = max(ready, free)
            counts[COLLISIONS] += robbed[page]
            robbed[page] = False
            counts[DEMAND] += 1
            counts[MOVED] += sizes[layer]
        # What is predicted for a later layer, as this router has spoken.
        target = step + ahead
        if kind != NOBODY and target < steps:
            first, last = first_page[target % layers], first_page[target % layers + 1]
            found = 0
            if kind == REPEAT:
                earlier = target - layers
                if earlier >= 0:
                    for place in range(starts[earlier], starts[earlier + 1]):
                        guesses[found] = requests[place]
                        found += 1
            else:
                size = starts[target + 1] - starts[target]
                for place in range(starts[target], starts[target + 1]):
                    marked[requests[place]] = target
                    if _draw(state) < recall:
                        guesses[found] = requests[place]
                        found += 1
                more = wrong[size] + (_draw(state) < rest[size])
                for _ in range(min(more, last - first - size)):
                    page = first + _draw(state) % (last - first)
                    while marked[page] == target:
                        page = first + (page - first + 1) % (last - first)
                    marked[page] = target
                    guesses[found] = page
                    found += 1
                for place in range(found - 1, 0, -1):
                    other = _draw(state) % (place + 1)
                    guesses[place], guesses[other] = guesses[other], guesses[place]
            for place in range(found):
                page = guesses[place]
                if arrival[page] >= 0:
                    _leave(before, after, page)
                    _enter(before, after, page)
                else:
                    tail = (head + length) % room
                    queued_page[tail], queued_for[tail], queued_at[tail] = page, target, clock
                    length += 1
        end = max(clock + computing, ready + computing - beside)
        counts[STALL] += end - clock - computing
        counts[STALLED] += end > clock + computing
        clock = end
        if layer == layers - 1:
            token_end[step // layers] = clock
    if steps % layers != 0:
        token_end[steps // layers] = clock
    for page in range(pages):
        if guessed[page]:
            counts[WASTED] += 1
            counts[LOST] += sizes[np.searchsorted(first_page, page, side="right") - 1]
    return clock
