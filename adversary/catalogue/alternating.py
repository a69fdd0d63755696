"""Two pages in turn: policies that evict what came last, or what was used least, never recover."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import loads_once
from paging.model import LayeredInstance, RequestSequence


@construction(
    id="alternating",
    title="k − 1 pages twice, then two new pages in turn",
    bound="not-competitive",
    bad_for="LIFO, MRU, LFU",
    source="folklore (Borodin and El-Yaniv 1998, deterministic paging)",
    status="proved in the source",
    victims=("lifo", "mru", "lfu", "lfu-capped"),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=5, cache=4),
)
def alternating(instance: LayeredInstance, rounds: int) -> Construction:
    """Fill the cache with k − 1 pages requested twice each, then request two further pages in turn.

    Bad for whom
    ------------
    LIFO and MRU evict one of the two pages for the other; so does LFU, since the count of a page restarts
    when it is loaded while the k − 1 pages keep count 2.

    Promise
    -------
    Two faults in every two requests; offline at most k + 1 in total. The ratio grows without bound.

    Offline schedule in words
    -------------------------
    Evict one of the k − 1 pages, which never comes again, and keep the two.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k ≥ 2, n ≥ k + 1.
    """
    cache = instance.cache
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k ≥ 2", cache >= 2),
        ("n ≥ k + 1", instance.total_pages >= cache + 1),
    )
    opening = list(range(cache - 1)) * 2
    tail = [cache - 1 + t % 2 for t in range(max(0, rounds - len(opening)))]
    sequence = RequestSequence(instance, np.array(opening + tail, dtype=np.int32)).prefix(rounds)
    start = len(opening) + 2
    promise = Promise("two requests", sympy.Integer(2), sympy.Integer(0), k + 1)
    boundaries = tuple(range(start, len(sequence) + 1, 2))
    return Construction(sequence, loads_once(sequence, [0]), promise, boundaries, {"k": cache})


@construction(
    id="alternating-layered",
    title="k − 1 pages twice, then two new pages of one layer in turn, one page in all other layers",
    bound="not-competitive-layered",
    bad_for="LIFO, MRU, LFU with several layers",
    source="ours",
    status="proved in docs/adversaries.md",
    victims=("lifo", "mru", "lfu", "lfu-capped"),
    kind="cyclic",
    demo=LayeredInstance(layers=3, pages=3, cache=5),
)
def alternating_layered(instance: LayeredInstance, rounds: int) -> Construction:
    """Fill the cache with k − 1 pages requested twice or more; then let two new pages of a layer alternate.

    Bad for whom
    ------------
    LIFO and LFU evict one of the two pages for the other. MRU always lacks one of the ℓ + 1 pages that come
    in every two rounds, since it evicts what was requested last, which is one of them.

    Promise
    -------
    At least one fault in every two rounds; offline at most k + 1 in total. The ratio grows without bound.

    Offline schedule in words
    -------------------------
    Evict one of the filling pages, which never comes again, and keep the ℓ + 1 pages.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ ℓ + 1, k < number of pages, and a layer with at least 3 pages.
    """
    layers, cache = instance.layers, instance.cache
    wide = max(range(layers), key=instance.pages_by_layer.__getitem__)
    require(
        instance,
        ("ℓ ≥ 2", layers >= 2),
        ("k ≥ ℓ + 1", cache >= layers + 1),
        ("k < number of pages", cache < instance.total_pages),
        ("n ≥ 3 in some layer", instance.pages_by_layer[wide] >= 3),
    )
    filling = _filling(instance, wide)
    most = max(map(len, filling))
    opening = [pages[min(r // 2, len(pages) - 1)] for r in range(2 * most) for pages in filling]
    pair = instance.pages_of(wide)[-2:]
    tail = [
        pair[r % 2] if layer == wide else filling[layer][-1]
        for r in range(max(0, rounds - 2 * most))
        for layer in range(layers)
    ]
    sequence = RequestSequence(instance, np.array(opening + tail, dtype=np.int32)).prefix(rounds * layers)
    start = len(opening) + 2 * layers
    return Construction(
        sequence,
        loads_once(sequence, [filling[wide][0]]),
        Promise("two rounds", sympy.Integer(1), sympy.Integer(0), k + 1),
        tuple(range(start, len(sequence) + 1, 2 * layers)),
        {"k": cache},
    )


def _filling(instance: LayeredInstance, wide: int) -> list[list[int]]:
    """Choose k − 1 pages evenly, at least one per layer, without the last two of the wide layer."""
    free = [list(instance.pages_of(layer)) for layer in range(instance.layers)]
    del free[wide][-2:]
    chosen = [pages[:1] for pages in free]
    for _ in range(instance.cache - 1 - instance.layers):
        room = [j for j in range(instance.layers) if len(chosen[j]) < len(free[j])]
        layer = min(room, key=lambda j: len(chosen[j]))
        chosen[layer].append(free[layer][len(chosen[layer])])
    return chosen
