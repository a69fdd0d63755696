"""The optimum straight from the model, and small sequences and problems."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np

from paging import LayeredInstance, RequestSequence

VARIANTS = {"forced": {}, "bypassing": {"bypassing": True}, "atomic": {"visits": "atomic"}}


def brute_force(
    sequence: RequestSequence, weights: Sequence[object] | None = None, shares: Sequence[int] | None = None
):
    """OPT by dynamic programming over all caches; uses nothing but the definition of the model."""
    instance = sequence.instance
    cost_of = [1] * instance.total_pages if weights is None else list(weights)
    group = instance.per_visit if instance.visits == "atomic" else 1

    def fits(cache: frozenset[int]) -> bool:
        if shares is None:
            return len(cache) <= instance.cache
        layers = [instance.locate(page).layer for page in cache]
        return all(layers.count(j) <= share for j, share in enumerate(shares))

    costs = {frozenset(): 0}
    requests = list(sequence)
    for start in range(0, len(requests), group):
        visit = frozenset(requests[start : start + group])
        following: dict[frozenset[int], object] = {}
        for cache, cost in costs.items():
            paid = cost + sum(cost_of[page] for page in visit - cache)
            others = sorted(cache - visit)
            for size in range(len(others) + 1):
                for kept in map(frozenset, combinations(others, size)):
                    for new in (kept | visit, kept) if instance.bypassing else (kept | visit,):
                        if fits(new) and following.get(new, paid + 1) > paid:
                            following[new] = paid
        costs = following
    return min(costs.values())


def random_sequence(
    rng: np.random.Generator,
    *,
    length: int = 60,
    per_visit: int | None = None,
    cache: int | None = None,
    **variant: object,
) -> RequestSequence:
    """A legal sequence of a small random instance; its length need not be whole rounds or visits."""
    layers, pages = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    group = int(rng.integers(1, pages + 1)) if per_visit is None else min(per_visit, pages)
    size = int(rng.integers(1, layers * pages + 2)) if cache is None else cache
    instance = LayeredInstance(layers, pages, max(size, group), group, **variant)
    visits = [
        [instance.page(visit % layers, int(i)) for i in rng.permutation(pages)[:group]]
        for visit in range(length)
    ]
    return RequestSequence(instance, np.ravel(visits)[: int(rng.integers(0, length))].astype(int))


def random_weights(rng, pages):
    """Whole weights, or fractions."""
    if rng.integers(2):
        return [int(w) for w in rng.integers(1, 9, pages)]
    return [Fraction(int(a), int(b)) for a, b in zip(rng.integers(1, 9, pages), rng.integers(1, 5, pages))]  # noqa: B905


def random_problem(seed, variant, *, weighted):
    """A sequence, weights (or None) and shares (or None)."""
    rng = np.random.default_rng([seed, weighted])
    sequence = random_sequence(rng, length=16, **VARIANTS.get(variant, {}))
    weights = random_weights(rng, sequence.instance.total_pages) if weighted else None
    if variant != "split":
        return sequence, weights, None
    layers = sequence.instance.layers
    shares = 1 + rng.multinomial(rng.integers(0, 4), [1 / layers] * layers)
    return sequence.with_cache(int(shares.sum())), weights, shares.tolist()


def zipf_sequence(length: int, layers: int, pages: int, cache: int, seed: int = 0) -> RequestSequence:
    """Independent requests, Zipf with exponent 1 in every layer."""
    rng = np.random.default_rng(seed)
    chance = 1 / np.arange(1, pages + 1)
    rank = rng.choice(pages, size=length, p=chance / chance.sum())
    names = np.array([rng.permutation(pages) for _ in range(layers)])
    layer = np.arange(length) % layers
    return RequestSequence(LayeredInstance(layers, pages, cache), layer * pages + names[layer, rank])


def small_sequences(longest: int = 8) -> Iterator[RequestSequence]:
    """All sequences with ℓ ≤ 2, n ≤ 3 and T ≤ longest, up to renaming pages inside layers; k = 1."""
    for layers in (1, 2):
        instance = LayeredInstance(layers, 3, 1)
        pending: list[tuple[int, ...]] = [()]
        while pending:
            requests = pending.pop()
            yield RequestSequence(instance, requests)
            if len(requests) < longest:
                layer = len(requests) % layers
                used = len({page for page in requests if page // 3 == layer})
                pending += [(*requests, 3 * layer + i) for i in range(min(used + 1, 3))]
