"""Kernels of the randomised policies RANDOM and MARK: one sampled run."""

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import FREE, HIT, PageArray

BLOCK = 4096
"""Random words drawn from the generator at a time: drawing one by one costs several times the rest."""


@compiled
def _below(bound: int, pool: NDArray[np.uint32], used: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return a whole number uniform in 0 … bound − 1 and the words used so far; exact (Lemire 2019).

    The upper half of word · bound, unless the lower half lies among the few that would favour some results.
    """
    while True:
        if used == BLOCK:
            pool[:] = rng.integers(0, 2**32, BLOCK, np.uint32)
            used = 0
        product = np.int64(pool[used]) * bound
        used += 1
        rest = product & 0xFFFFFFFF
        if rest >= bound or rest >= 2**32 % bound:
            return int(product >> 32), used


@compiled
def random_eviction(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, rng: np.random.Generator
) -> int:
    """Serve a sequence with RANDOM: a uniformly random cached page leaves; O(1) per request.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`.
    rng : numpy.random.Generator
        Source of randomness; it is advanced in whole blocks.

    Returns
    -------
    int
        Number of faults.
    """
    cached = np.zeros(pages_total, dtype=np.bool_)
    slots = np.empty(min(cache, pages_total), dtype=np.int32)
    pool = np.empty(BLOCK, dtype=np.uint32)
    used = BLOCK
    faults = 0
    for t in range(len(requests)):
        page = requests[t]
        entry = HIT
        if not cached[page]:
            slot = faults
            entry = FREE
            if faults >= cache:
                slot, used = _below(cache, pool, used, rng)
                entry = slots[slot]
                cached[entry] = False
            slots[slot] = page
            cached[page] = True
            faults += 1
        if len(entries) > 0:
            entries[t] = entry
    return faults


@compiled
def mark(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, rng: np.random.Generator
) -> int:
    """Serve a sequence with MARK: a uniformly random unmarked page leaves; O(1) per request.

    The cached pages stand in slots, the marked ones first, so that a new phase only sets their number to 0.

    Parameters and result as for :func:`random_eviction`.
    """
    place = np.full(pages_total, -1, dtype=np.int32)
    slots = np.empty(min(cache, pages_total), dtype=np.int32)
    pool = np.empty(BLOCK, dtype=np.uint32)
    return mark_from(requests, cache, entries, rng, place, slots, pool, 0, 0, BLOCK)[0]


@compiled
def mark_from(
    requests: PageArray,
    cache: int,
    entries: PageArray,
    rng: np.random.Generator,
    place: PageArray,
    slots: PageArray,
    pool: NDArray[np.uint32],
    faults: int,
    marked: int,
    used: int,
) -> tuple[int, int, int]:
    """Serve requests with MARK after ``faults`` faults; return all faults, the marked pages, used words.

    ``place`` is the slot of a cached page, −1 for the others, ``slots`` the page of a slot, ``pool`` the
    random words of which ``used`` are used up. All are changed in place.
    """
    for t in range(len(requests)):
        page = requests[t]
        slot = place[page]
        entry = HIT
        if slot < 0:
            slot = marked
            entry = FREE
            if faults >= cache:
                marked = 0 if marked == cache else marked
                slot, used = _below(cache - marked, pool, used, rng)
                slot += marked
                entry = slots[slot]
                place[entry] = -1
            faults += 1
        if slot >= marked:
            # Slot `marked` becomes the page's own; what stood there (if not itself or nothing) moves.
            if slot > marked:
                slots[slot] = slots[marked]
                place[slots[slot]] = slot
            slots[marked] = page
            place[page] = marked
            marked += 1
        if len(entries) > 0:
            entries[t] = entry
    return faults, marked, used
