"""L3: cycle through (k + 1)/ℓ pages of every layer."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import phase_schedule
from paging.model import LayeredInstance, RequestSequence


@construction(
    id="cyclic",
    title="cycle through k + 1 pages, (k + 1)/ℓ per layer",
    bound="L3",
    bad_for="LRU, FIFO, CLOCK, FWF and marking with a fixed order",
    source="reported of arXiv:2509.02408; rebuilt by us",
    status="proved in docs/bounds.md",
    victims=("lru", "fifo", "clock", "fwf", "mark-fifo"),
    kind="cyclic",
    demo=LayeredInstance(layers=2, pages=4, cache=7),
)
def cyclic(instance: LayeredInstance, rounds: int) -> Construction:
    """Request page r mod (k + 1)/ℓ of every layer in round r.

    Bad for whom
    ------------
    LRU and its kin: the requested page is always the one of k + 1 pages that left last.

    Promise
    -------
    Every request is a fault; a k-phase has k requests, and the offline schedule faults once in it.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ divides k + 1 and every layer has at least (k + 1)/ℓ pages.
    """
    layers, cache = instance.layers, instance.cache
    require(
        instance,
        ("ℓ to divide k + 1", (cache + 1) % layers == 0),
        ("n ≥ (k + 1)/ℓ in every layer", min(instance.pages_by_layer) * layers >= cache + 1),
    )
    times = np.arange(rounds * layers)
    requests = instance.first_page[times % layers] + times // layers % ((cache + 1) // layers)
    sequence = RequestSequence(instance, requests)
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", k, sympy.Integer(1), k)
    return Construction(sequence, offline, promise, starts[1:], {"k": cache})
