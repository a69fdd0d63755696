"""LRU with fewer than 2ℓ slots: some layers alternate between two pages, the others repeat one."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, l, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule


@construction(
    id="two-faces",
    title="k − ℓ + 1 layers alternate between two pages, the others repeat one",
    bound="lru-layered-lower",
    bad_for="LRU",
    source="ours",
    status="proved in docs/zrc.md",
    victims=("lru", "mark-lru"),
    kind="cyclic",
    demo=LayeredInstance(layers=4, pages=2, cache=6),
)
def two_faces(instance: LayeredInstance, rounds: int) -> Construction:
    """Request page r mod 2 of k − ℓ + 1 layers in round r, and page 0 of the others: k + 1 pages in all.

    Bad for whom
    ------------
    LRU. Between two requests to a page of an alternating layer all k other pages are requested, so it has
    left. LRU wastes ℓ slots on pages that were requested in this round and will not be needed in the next.

    Promise
    -------
    2(k − ℓ) + 1 faults in as many requests to alternating layers; the offline schedule faults once in them.

    Offline schedule in words
    -------------------------
    Evict the page that an alternating layer requested last: of the 2(k − ℓ) + 2 it comes back latest.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ + 1 ≤ k ≤ 2ℓ − 1, and at least k − ℓ + 1 layers with two pages.
    """
    layers, cache = instance.layers, instance.cache
    wide = [layer for layer, pages in enumerate(instance.pages_by_layer) if pages >= 2]
    require(
        instance,
        ("k ≥ ℓ + 1", cache >= layers + 1),
        ("k ≤ 2ℓ − 1", cache <= 2 * layers - 1),
        ("n ≥ 2 in k − ℓ + 1 layers", len(wide) >= cache - layers + 1),
    )
    alternating = set(wide[: cache - layers + 1])
    pages = [
        instance.page(layer, r % 2 if layer in alternating else 0)
        for r in range(rounds)
        for layer in range(layers)
    ]
    sequence = RequestSequence(instance, np.array(pages, dtype=np.int32))
    moving = [t for t in range(len(pages)) if t % layers in alternating]
    span = 2 * (cache - layers) + 1
    return Construction(
        sequence,
        _keep_all_but_the_last(sequence, alternating),
        Promise("2(k − ℓ) + 1 requests to alternating layers", 2 * (k - l) + 1, sympy.Integer(1), k),
        tuple(moving[span::span]),
        {"ell": layers, "k": cache},
    )


def _keep_all_but_the_last(sequence: RequestSequence, alternating: set[int]) -> Schedule:
    """Evict on a fault the page that an alternating layer requested before."""
    layers, cache = sequence.instance.layers, sequence.instance.cache
    cached: set[int] = set()
    entries, before = [], -1
    for t, page in enumerate(sequence):
        entry = HIT if page in cached else FREE if len(cached) < cache else before
        cached -= {entry}
        cached.add(page)
        entries.append(entry)
        if t % layers in alternating:
            before = page
    return Schedule(sequence, entries)
