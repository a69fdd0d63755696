"""L5 is tight: k-phases in which LLRU faults on all k pages, and on the first ones a second time."""

import numpy as np
import sympy

from adversary.catalogue.missing_page import even_spread
from adversary.construction import Construction, Promise, construction, k, l, require
from adversary.phases import phase_schedule
from paging.model import LayeredInstance, RequestSequence


@construction(
    id="second-faults",
    title="k-phases in which LLRU faults k times, and ℓ − 1 times more on pages that it has evicted since",
    bound="L5-lower",
    bad_for="LLRU (our reading)",
    source="ours",
    status="proved in docs/bounds.md",
    victims=("llru",),
    kind="cyclic",
    demo=LayeredInstance(layers=3, pages=4, cache=11),
)
def second_faults(instance: LayeredInstance, rounds: int) -> Construction:
    """Play k + 1 pages, at least four per layer; every k-phase is rehearsed with hits, then performed.

    A performance asks for the missing page, then for each page that has just left. The last of its k pages
    pushes out the page that the layer before the last asked for first, this one its neighbour, and so on.

    Bad for whom
    ------------
    LLRU in our reading. Among pages that are equally old in rounds it evicts one of the layer being served,
    although the only page that is not of the phase was asked for before it.

    Promise
    -------
    k + ℓ − 1 faults in every k-phase: on its k pages, and again on the first ℓ − 1 of them; offline one.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ 4ℓ − 1, k < number of pages, n ≥ 4.
    """
    return _built(instance, rounds, each=4, twice=instance.layers - 1, online=k + l - 1)


@construction(
    id="second-faults-lazy",
    title="the same for llru-lazy: k faults in a k-phase, and ℓ − 2 more",
    bound="llru-lazy-lower",
    bad_for="llru-lazy",
    source="ours",
    status="proved in docs/bounds.md",
    victims=("llru-lazy",),
    kind="cyclic",
    demo=LayeredInstance(layers=3, pages=3, cache=8),
)
def second_faults_lazy(instance: LayeredInstance, rounds: int) -> Construction:
    """Play k + 1 pages, at least three per layer; every k-phase is rehearsed with hits, then performed.

    As ``second-faults``, in an order that suits a policy to which the layer being served looks younger.

    Bad for whom
    ------------
    llru-lazy. It evicts pages of the k-phase under way, too, but not the page that was asked for in the
    layer before the last one.

    Promise
    -------
    k + ℓ − 2 faults in every k-phase: on its k pages, and again on the first ℓ − 2 of them; offline one.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ 3ℓ − 1, k < number of pages, n ≥ 3.
    """
    return _built(instance, rounds, each=3, twice=instance.layers - 2, online=k + l - 2)


def _built(
    instance: LayeredInstance, rounds: int, *, each: int, twice: int, online: sympy.Expr
) -> Construction:
    """Rehearse and perform phases in which ``twice`` pages are evicted and asked for again.

    The proof names up to ``each`` pages of a layer.
    """
    require(
        instance,
        ("ℓ ≥ 2", instance.layers >= 2),
        (f"k ≥ {each}ℓ − 1", instance.cache >= each * instance.layers - 1),
        ("k < number of pages", instance.cache < instance.total_pages),
        (f"n ≥ {each} in every layer", min(instance.pages_by_layer) >= each),
    )
    counts = even_spread(instance, instance.cache + 1)
    in_play = [list(map(int, instance.pages_of(j)[:count])) for j, count in enumerate(counts)]
    requests: list[int] = []
    missing, phase = in_play[0][0], 0
    while len(requests) < rounds * instance.layers:
        opening = -phase % instance.layers
        turned = [[p for p in pages if p != missing] for pages in in_play[opening:] + in_play[:opening]]
        missing = _phase(requests, missing, turned, opening, twice)
        phase += 1
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds * instance.layers)
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", online, sympy.Integer(1), k)
    values = {"ell": instance.layers, "k": instance.cache}
    return Construction(sequence, offline, promise, starts[1:], values)


def _phase(requests: list[int], missing: int, held: list[list[int]], opening: int, twice: int) -> int:
    """Append the rehearsal and performance of a phase; return the page that it leaves out.

    ``held`` has the pages of every layer but the missing one, from the layer on that opens the phase. Names
    are those of the proof in docs/bounds.md.
    """
    layers = len(held)
    layer_of = {page: j for j, pages in enumerate(held) for page in pages} | {missing: 0}
    q = [pages.pop() for pages in held]
    p = [missing] + [pages.pop() for pages in held[1:]]
    late_layer = layers - 1 - (twice == layers - 1)
    late = held[late_layer].pop()
    before = [held[late_layer - 1].pop()] if late_layer else []
    s = [held[j].pop() for j in range(twice)]
    rest = [page for pages in held for page in pages]
    order = [*p[1:], *s, *rest, *before, *reversed(q[: layers - 2]), late, q[layers - 2]]

    def ask(page: int, fillers: list[int], pause: int = 0) -> None:
        """Append fillers for ``pause`` requests and until the layer of the page is served, then the page."""
        while pause > 0 or (len(requests) - opening) % layers != layer_of[page]:
            requests.append(fillers[(len(requests) - opening) % layers])
            pause -= 1
        requests.append(page)

    waiting = q.copy()
    waiting[late_layer] = late
    for page in order:
        if page not in (*q, late):
            ask(page, waiting, layers)
    ask(q[0], waiting, layers)
    requests += q[1:]
    fillers = p.copy()
    requests.append(missing)
    for page in [*order, *reversed(p[:twice])]:
        ask(page, fillers)
        if page in s:
            fillers[layer_of[page]] = page
    return q[-1]
