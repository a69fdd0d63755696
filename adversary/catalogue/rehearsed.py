"""L3 beyond ℓ | k + 1: rehearse the next k-phase with hits, then play it as faults."""

import numpy as np
import sympy

from adversary.catalogue.missing_page import checked_spread, even_spread
from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import phase_schedule
from paging.errors import ModelError
from paging.model import LayeredInstance, RequestSequence


@construction(
    id="rehearsed",
    title="request k of k + 1 pages in the order of the next phase, so that LRU faults on each in turn",
    bound="L3-tight",
    bad_for="LRU",
    source="ours",
    status="proved in docs/bounds.md",
    victims=("lru", "mark-lru"),
    kind="cyclic",
    demo=LayeredInstance(layers=2, pages=3, cache=4),
)
def rehearsed(
    instance: LayeredInstance,
    rounds: int,
    spread: tuple[int, ...] | None = None,
) -> Construction:
    """Play k + 1 pages, at least two per layer; every k-phase is performed, and the next one rehearsed.

    A performance requests k pages for the first time in the phase, the first ℓ of them one per layer; while a
    new page waits for its layer, the other layers repeat their first page. A rehearsal requests the k cached
    pages so that their last requests come in the order of the next performance. Phase i leaves out page 0 of
    layer −i − 1 modulo ℓ, which opens the next phase.

    Bad for whom
    ------------
    LRU. When the missing page opens a phase, LRU evicts the page that is due next, and so on: the page
    requested for the first time in the phase is always the one that has just left.

    Promise
    -------
    k faults in every k-phase, on the k pages of its performance; the offline schedule faults once in it.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ 2ℓ − 1, k < number of pages, n ≥ 2.
    spread : tuple of int, optional
        How many of the k + 1 pages lie in each layer, at least 2; default as even as possible.
    """
    layers, cache = instance.layers, instance.cache
    require(
        instance,
        ("ℓ ≥ 2", layers >= 2),
        ("k ≥ 2ℓ − 1", cache >= 2 * layers - 1),
        ("k < number of pages", cache < instance.total_pages),
        ("n ≥ 2 in every layer", min(instance.pages_by_layer) >= 2),
    )
    counts = even_spread(instance, cache + 1) if spread is None else checked_spread(instance, spread)
    if min(counts) < 2:
        raise ModelError(f"spread {'/'.join(map(str, counts))} must give every layer at least 2 pages")
    requests: list[int] = []
    phase = 0
    while len(requests) < rounds * layers:
        opening = -phase % layers
        requests += _performance(instance, counts, opening)
        # The layers up to the one that opens the next phase; their last pages are cached and marked.
        between = [(opening + d) % layers for d in range(layers - 1)]
        requests += [instance.page(layer, counts[layer] - 1) for layer in between]
        requests += _rehearsal(instance, counts, (opening - 1) % layers)
        phase += 1
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds * layers)
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", k, sympy.Integer(1), k)
    return Construction(sequence, offline, promise, starts[1:], {"k": cache})


def _performance(instance: LayeredInstance, counts: list[int], opening: int) -> list[int]:
    """Return requests that show all pages but page 0 of the layer before ``opening`` for the first time.

    Page e ≥ 1 of a layer with c pages comes in round R − c + e, R the most pages of a layer; page 0 before.
    """
    left_out = (opening - 1) % instance.layers
    shown = [list(range(count)) for count in counts]
    shown[left_out] = [*shown[left_out][1:], counts[left_out] - 1]
    return _rounds(instance, shown, opening, waiting=0)


def _rehearsal(instance: LayeredInstance, counts: list[int], opening: int) -> list[int]:
    """Return requests whose last ones come in the order of the performance that ``opening`` opens.

    The page that opens it is missing, so another one of its layer stands in; the page that it leaves out
    comes last.
    """
    left_out = (opening - 1) % instance.layers
    shown = [list(range(count)) for count in counts]
    shown[opening][0] = 1
    shown[left_out] = [*shown[left_out][1:], 0]
    return _rounds(instance, shown, opening, waiting=1)


def _rounds(instance: LayeredInstance, shown: list[list[int]], opening: int, *, waiting: int) -> list[int]:
    """Show lists of pages in rounds from a layer on: the first at once, the others as late as possible.

    In between a layer requests entry ``waiting`` of its list.
    """
    most = max(map(len, shown))
    requests = []
    for r in range(most):
        for d in range(instance.layers):
            layer = (opening + d) % instance.layers
            pages = shown[layer]
            place = max(waiting, r - (most - len(pages))) if r else 0
            requests.append(instance.page(layer, pages[place]))
    return requests
