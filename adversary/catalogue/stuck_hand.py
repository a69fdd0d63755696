"""SIEVE's hand never comes back: one dead page is kept for ever."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule


@construction(
    id="stuck-hand",
    title="strand a dead page behind SIEVE's hand, then cycle through k pages",
    bound="sieve-unbounded",
    bad_for="SIEVE",
    source="ours, found by search",
    status="proved in docs/adversaries.md",
    victims=("sieve",),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=5, cache=4),
)
def stuck_hand(instance: LayeredInstance, rounds: int) -> Construction:
    """Load pages 0 … k − 1, request 0 again, load k; then request 1, 2, …, k in turn.

    Found by search (``paging adversary search sieve -l 1 -n 4 -k 3``) and then understood.

    Bad for whom
    ------------
    SIEVE. Loading k clears the visited bit of page 0 at the tail and evicts 1; the hand rests on 2. From then
    on the hand evicts the page it rests on, which is requested next, and moves to the following one; new
    pages enter at the head, so it never returns to the tail. Page 0 keeps its slot for nothing, and the
    other k − 1 slots are a FIFO queue for k pages.

    Promise
    -------
    A fault at every request; offline at most k + 1 in total. The ratio grows without bound.

    Offline schedule in words
    -------------------------
    Evict page 0, which never comes again, and keep the k pages.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k ≥ 3, n ≥ k + 1.
    """
    cache = instance.cache
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k ≥ 3", cache >= 3),
        ("n ≥ k + 1", instance.total_pages >= cache + 1),
    )
    opening = [*range(cache), 0, cache]
    cycle = np.arange(max(0, rounds - len(opening))) % cache + 1
    sequence = RequestSequence(instance, np.concatenate([opening, cycle]).astype(np.int64)).prefix(rounds)
    entries = np.full(len(sequence), HIT, dtype=np.int32)
    entries[:cache] = FREE
    entries[cache + 1 : cache + 2] = 0
    promise = Promise("a request", sympy.Integer(1), sympy.Integer(0), k + 1)
    return Construction(
        sequence,
        Schedule(sequence, entries),
        promise,
        tuple(range(len(opening), len(sequence) + 1)),
        {"k": cache},
    )
