"""One new page topples FIFO's whole queue: its ratio is k wherever k ≥ ℓ."""

import numpy as np
import sympy

from adversary.catalogue.missing_page import even_spread
from adversary.construction import Construction, Promise, construction, k, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule


@construction(
    id="domino",
    title="replace FIFO's newest page by a new one; then request what FIFO has just evicted",
    bound="fifo-tight",
    bad_for="FIFO",
    source="ours, found by exhaustive search",
    status="proved in docs/bounds.md",
    victims=("fifo",),
    kind="cyclic",
    demo=LayeredInstance(layers=3, pages=3, cache=4),
)
def domino(instance: LayeredInstance, rounds: int) -> Construction:
    """Keep k pages in use, at least one per layer, and replace one at a time: the newest in the queue.

    The new page lies in the same layer, or in any layer where all pages of that one are in use. Until FIFO
    holds the k pages in use, the one it lacks is requested when its layer is served; before, every layer
    requests a page in use that FIFO holds.

    Bad for whom
    ------------
    FIFO, which ignores hits: the new page pushes out the oldest page, which is still in use and pushes out
    the next one, and so on, down to the page that was replaced.

    Promise
    -------
    k faults online and one offline for every page replaced.

    Offline schedule in words
    -------------------------
    Evict the page that is replaced.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < number of pages, n ≥ 2.
    """
    layers, cache = instance.layers, instance.cache
    require(
        instance,
        ("k ≥ ℓ", cache >= layers),
        ("k < number of pages", cache < instance.total_pages),
        ("n ≥ 2 in every layer", min(instance.pages_by_layer) >= 2),
    )
    counts = even_spread(instance, cache)
    requests = [
        instance.page(layer, min(r, counts[layer] - 1)) for r in range(max(counts)) for layer in range(layers)
    ]
    queue = list(dict.fromkeys(requests))  # oldest first
    entries = {requests.index(page): FREE for page in queue}
    boundaries = []
    while len(requests) < rounds * layers:
        boundaries.append(_wait(instance, requests, queue, _replacement(instance, queue)))
        entries[boundaries[-1]] = queue[-1]
        for page in queue[:-1]:
            # FIFO evicted it on the fault before, and has the other pages in use.
            _wait(instance, requests, [q for q in queue[:-1] if q != page] + [requests[boundaries[-1]]], page)
        queue = [requests[boundaries[-1]], *queue[:-1]]
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds * layers)
    return Construction(
        sequence,
        Schedule(sequence, [entries.get(t, HIT) for t in range(len(sequence))]),
        Promise("page replaced", k, sympy.Integer(1), k),
        tuple(start for start in boundaries if start <= len(sequence)),
        {"k": cache},
    )


def _replacement(instance: LayeredInstance, queue: list[int]) -> int:
    """Return a page not in use, of the newest page's layer if possible: every layer keeps a page in use."""
    layer = instance.locate(queue[-1]).layer
    candidates: list[int] = [*instance.pages_of(layer), *range(instance.total_pages)]
    return next(page for page in candidates if page not in queue)


def _wait(instance: LayeredInstance, requests: list[int], held: list[int], page: int) -> int:
    """Request held pages until the layer of ``page`` is served, then ``page``; return when that was."""
    while (layer := len(requests) % instance.layers) != instance.locate(page).layer:
        requests.append(next(q for q in instance.pages_of(layer) if q in held))
    requests.append(page)
    return len(requests) - 1
