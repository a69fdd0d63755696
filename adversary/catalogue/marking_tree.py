"""Fiat et al.: random new pages, and between them every marked page once more."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import phase_schedule
from paging.model import LayeredInstance, RequestSequence


@construction(
    id="marking-tree",
    title="a random unmarked page of k + 1, then all marked pages once more, and so on",
    bound="randomized-lower",
    bad_for="every policy, randomised ones included",
    source="Fiat, Karp, Luby, McGeoch, Sleator and Young 1991, lower bound",
    status="proved in the source",
    victims=("mark", "random", "lru"),
    kind="random",
    demo=LayeredInstance(layers=1, pages=5, cache=4),
)
def marking_tree(instance: LayeredInstance, rounds: int, seed: int) -> Construction:
    """Reveal k of k + 1 pages per phase in random order, and sweep over the revealed ones after each.

    A phase begins with the page that the previous one left out. After its j-th new page all j pages of the
    phase are requested once more; then one of the k + 1 − j others, each equally likely, is new. The last of
    them opens the next phase. All phases have k(k + 3)/2 requests.

    Bad for whom
    ------------
    Every online policy. In step j it either faults in the sweep, or has held all j pages, so the page it
    lacks is one of the k + 1 − j others, and is requested with probability 1/(k + 1 − j).

    Promise
    -------
    In expectation at least H_k faults a phase online, exactly one offline; both rates are per request. Unlike
    independent uniform requests this holds phase by phase, not only on average over long runs.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, n ≥ k + 1.
    """
    cache = instance.cache
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("n ≥ k + 1", instance.total_pages >= cache + 1),
    )
    rng = np.random.default_rng(seed)
    requests: list[int] = []
    left_out = int(rng.integers(cache + 1))
    while len(requests) < rounds:
        order = [left_out, *rng.permutation([p for p in range(cache + 1) if p != left_out]).tolist()]
        left_out = order.pop()
        for j in range(1, cache + 1):
            requests += [order[j - 1], *order[:j]]
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds)
    offline, starts = phase_schedule(sequence)
    length = k * (k + 3) / 2
    promise = Promise("a request", sympy.harmonic(k) / length, 1 / length, k, in_expectation=True)
    return Construction(sequence, offline, promise, starts[1:], {"k": cache})
