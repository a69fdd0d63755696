"""L1: a fixed split of the cache over layers is unboundedly bad."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, l, m, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule
from paging.policies.layered import Partitioned
from paging.simulate import Session


def _poor_layer(instance: LayeredInstance, split: Partitioned) -> tuple[int, int]:
    """Return the layer i with the least k_i that can be starved, and k_i; refuse what is excluded.

    It needs k_i + 1 pages of the layer, and room for the k_i + ℓ pages in play.
    """
    layers, cache = instance.layers, instance.cache
    require(instance, ("ℓ ≥ 2", layers >= 2), ("k ≥ ℓ + 1", cache >= layers + 1))
    shares = split.split(instance)
    poor = [j for j, n in enumerate(instance.pages_by_layer) if shares[j] < n and shares[j] + layers <= cache]
    require(instance, ("n > k/ℓ", bool(poor)))
    layer = min(poor, key=shares.__getitem__)
    return layer, shares[layer]


def _finish(
    instance: LayeredInstance, requests: list[int], slots: int, promise: Promise, step: int
) -> Construction:
    """Attach the schedule that loads every requested page once and never evicts; ``step`` rounds a period."""
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32))
    entries = np.full(len(requests), HIT, dtype=np.int32)
    entries[np.unique(sequence.requests, return_index=True)[1]] = FREE
    start = (slots + 1) * instance.layers
    boundaries = tuple(range(start, len(requests) + 1, step * instance.layers))
    values = {"ell": instance.layers, "m": slots}
    return Construction(sequence, Schedule(sequence, entries), promise, boundaries, values)


@construction(
    id="fixed-split",
    title="starve the layer with the smallest share, adaptively",
    bound="L1",
    bad_for="every fixed split of the cache over layers with a deterministic policy in each layer",
    source="for Theorem 1 of arXiv:2509.02408; ours",
    status="proved in docs/bounds.md",
    victims=("partitioned", "partitioned:policy=fifo", "partitioned:policy=lfu"),
    kind="adaptive",
    demo=LayeredInstance(layers=2, pages=4, cache=4),
    split_only=True,
)
def fixed_split(instance: LayeredInstance, rounds: int, policy: Partitioned) -> Construction:
    """Ask the poorest layer i for one of k_i + 1 fixed pages it lacks; the other layers repeat one page.

    Bad for whom
    ------------
    Every fixed split: layer i can hold only k_i of the k_i + 1 pages.

    Promise
    -------
    A fault in every round online; offline at most k_i + ℓ in total, written m + ℓ with m = k_i. The ratio
    grows without bound.

    Offline schedule in words
    -------------------------
    Load each of the k_i + ℓ ≤ k pages once and keep them all.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ ℓ + 1, n > k/ℓ.
    policy : Partitioned
        The split, with a deterministic policy inside.
    """
    poor, slots = _poor_layer(instance, policy)
    session = Session(policy, instance)
    pages = instance.pages_of(poor)[: slots + 1]
    requests = []
    for _ in range(rounds):
        for layer in range(instance.layers):
            page = instance.page(layer, 0)
            if layer == poor:
                page = next(p for p in pages if not session.cached(p))
            requests.append(page)
            session.serve(page)
    promise = Promise("a round", sympy.Integer(1), sympy.Integer(0), m + l)
    return _finish(instance, requests, slots, promise, 1)


@construction(
    id="fixed-split-cyclic",
    title="starve the layer with the smallest share, obliviously: even an offline optimum per layer suffers",
    bound="L1",
    bad_for="every fixed split, even with an optimal offline algorithm in each layer",
    source="for Theorem 1 of arXiv:2509.02408; ours",
    status="proved in docs/bounds.md",
    victims=("partitioned", "partitioned:policy=mark", "partitioned:policy=llru"),
    kind="cyclic",
    demo=LayeredInstance(layers=2, pages=4, cache=4),
    split_only=True,
)
def fixed_split_cyclic(instance: LayeredInstance, rounds: int, policy: Partitioned) -> Construction:
    """Cycle through k_i + 1 pages of the poorest layer i; the other layers repeat one page.

    Bad for whom
    ------------
    Every fixed split, deterministic or not, online or offline: k_i + 1 distinct pages pass through k_i slots.

    Promise
    -------
    At least one fault in every k_i + 1 = m + 1 rounds; offline with a shared cache at most m + ℓ in total.

    Offline schedule in words
    -------------------------
    Load each of the k_i + ℓ ≤ k pages once and keep them all.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ ℓ + 1, n > k/ℓ.
    policy : Partitioned
        The split; the policy inside does not matter.
    """
    poor, slots = _poor_layer(instance, policy)
    times = np.arange(rounds * instance.layers)
    requests = instance.first_page[times % instance.layers].astype(np.int64)
    requests[poor :: instance.layers] += np.arange(rounds) % (slots + 1)
    promise = Promise("k_i + 1 rounds", sympy.Integer(1), sympy.Integer(0), m + l)
    return _finish(instance, requests.tolist(), slots, promise, slots + 1)
