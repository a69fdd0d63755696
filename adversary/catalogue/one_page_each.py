"""Fewer slots than layers: one page per layer is enough for the worst case."""

import numpy as np

from adversary.construction import Construction, Promise, construction, k, l, require
from paging.model import LayeredInstance, RequestSequence
from paging.simulate import simulate


@construction(
    id="one-page-each",
    title="cycle through ℓ pages, one per layer, with a cache of k < ℓ",
    bound="small-cache",
    bad_for="LRU, FIFO, CLOCK, FWF and marking with a fixed order",
    source="ours",
    status="proved in docs/bounds.md",
    victims=("lru", "fifo", "clock", "fwf", "mark-fifo"),
    kind="cyclic",
    demo=LayeredInstance(layers=4, pages=2, cache=2),
)
def one_page_each(instance: LayeredInstance, rounds: int) -> Construction:
    """Request page 0 of every layer, round after round.

    Bad for whom
    ------------
    LRU and its kin: a page comes back after ℓ − 1 ≥ k others, when it has left.

    Promise
    -------
    After the first k requests ℓ − 1 faults in every ℓ − 1 requests, and ℓ − k offline. For k = 1 and
    k = ℓ − 1 the ratio is k; in between it is smaller.

    Offline schedule in words
    -------------------------
    Evict the page requested last: it is the one that comes back latest. In ℓ − 1 requests the other k − 1
    pages are hit once each.

    Parameters
    ----------
    instance : LayeredInstance
        k < ℓ.
    """
    layers, cache = instance.layers, instance.cache
    require(instance, ("k < ℓ", cache < layers))
    sequence = RequestSequence(instance, np.tile(instance.first_page[:layers], rounds))
    offline = simulate("mru", sequence, record=True).schedule
    return Construction(
        sequence,
        offline,
        Promise("ℓ − 1 requests", l - 1, l - k, k),
        tuple(range(cache, len(sequence) + 1, layers - 1)),
        {"ell": layers, "k": cache},
    )
