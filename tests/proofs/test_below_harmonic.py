"""The proofs of "Below H_k" in docs/randomized.md, step by step on complete state graphs, in fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest

from paging import LayeredInstance, farthest_in_future
from paging.policies.equitable import victim_chances
from paging.work_function import update_work_function
from proofs import get_bound
from tests.helpers.offline import small_sequences

Cache = frozenset[int]
Chances = dict[Cache, Fraction]
Flow = dict[tuple[Cache, Cache], Fraction]
Labels = tuple[int, ...]


@lru_cache(None)
def bases(labels: Labels, k: int) -> frozenset[Cache]:
    """All optimal caches of k pages, by definition of the labels."""
    return frozenset(
        frozenset(chosen)
        for chosen in combinations(range(len(labels)), k)
        if all(sum(labels[page] <= c for page in chosen) <= c for c in range(k))
    )


def served(labels: Labels, page: int, k: int) -> tuple[Labels, int]:
    after = np.array(labels)
    increment = update_work_function(after, page, k)
    return tuple(after.tolist()), increment


def equitable(chances: Chances, labels: Labels, page: int) -> Flow:
    """How EQUITABLE moves from a distribution over caches when a page is requested."""
    flow: Flow = defaultdict(Fraction)
    for cache, chance in chances.items():
        if page in cache:
            flow[cache, cache] += chance
            continue
        cached = np.isin(np.arange(len(labels)), list(cache))
        for victim, share in victim_chances(np.array(labels), cached, page).items():
            flow[cache, cache - {victim} | {page}] += chance * share
    return dict(flow)


def ends(flow: Flow, side: int) -> Chances:
    """The distribution a flow comes from (0) or leads to (1), without what has no chance."""
    total: Chances = defaultdict(Fraction)
    for caches, chance in flow.items():
        total[caches[side]] += chance
    return {cache: chance for cache, chance in total.items() if chance}


def cost(flow: Flow, page: int) -> Fraction:
    assert all(page in after and after - before <= {page} for (before, after), m in flow.items() if m)
    return sum((chance for (before, _), chance in flow.items() if page not in before), Fraction(0))


Increment = tuple[Labels, int, int, Chances]
"""Work function before, the dead page p, the page x, and EQUITABLE's distribution before."""


def increments(instance: LayeredInstance) -> Iterator[Increment]:
    """Every increment of every reachable state whose page x exists."""
    k, layers = instance.cache, instance.layers
    layer_of = np.repeat(np.arange(layers), instance.pages_by_layer).tolist()
    start = (0,) * len(layer_of), 0, None, None
    reached = {start}
    pending: list = [(start, {frozenset(): Fraction(1)})]
    while pending:
        (labels, layer, last, last_but_one), chances = pending.pop()
        full = np.count_nonzero(labels) >= k
        for page in (p for p in range(len(labels)) if layer_of[p] == layer):
            after, increment = served(labels, page, k)
            moved = (
                ends(equitable(chances, labels, page), 1)
                if full
                else {c | {page}: m for c, m in chances.items()}
            )
            x = last if layers > 2 else last_but_one
            if full and increment and x is not None:
                yield labels, page, x, chances
            state = after, (layer + 1) % layers, page, last
            if state not in reached:
                reached.add(state)
                pending.append((state, moved))


CASES = [
    (2, 2, 3),
    (2, (2, 3), 3),
    (2, (4, 1), 3),
    (3, 2, 2),
    (3, 2, 3),
    (3, 2, 4),
    (3, (1, 2, 1), 2),
    (3, (2, 1, 2), 3),
    pytest.param(2, 3, 3, marks=pytest.mark.slow),
    pytest.param(2, (2, 4), 4, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("layers", "pages", "k"), CASES)
def test_the_tilt_gains_at_every_open_page_and_costs_nothing_otherwise(
    layers: int, pages: int | tuple[int, ...], k: int
) -> None:
    instance = LayeredInstance(layers, pages, k)
    layer_of = np.repeat(np.arange(layers), instance.pages_by_layer).tolist()
    gains = 0
    for labels, p, x, chances in increments(instance):
        flow = equitable(chances, labels, p)
        after, _ = served(labels, p, k)
        assert set(chances) == bases(labels, k)
        coming = [q for q in range(len(labels)) if layer_of[q] == (layer_of[p] + 1) % layers]
        opened = [q for q in coming if after[q] > 0]
        assert x != p
        assert x not in opened
        assert all(after[q] < k for q in opened)
        terms = [(u, min((B for B in bases(labels, k) if {x, u} <= B), key=sorted)) for u in opened]
        then = {q: equitable(ends(flow, 1), after, q) for q in coming}
        least = min(min(flow.values()), *(min(plan.values()) for plan in then.values()))
        epsilon = least / (4 * len(labels))
        for u, B in terms:
            assert flow[B, B - {u} | {p}] > 0
            assert flow[B, B - {x} | {p}] > 0
            move(flow, B, B - {u} | {p}, -epsilon)
            move(flow, B, B - {x} | {p}, epsilon)
        tilt = ends(flow, 1)
        assert cost(flow, p) == 1
        for q in coming:
            plan, (_, again) = dict(then[q]), served(after, q, k)
            for u, B in terms:
                for before, to, sign in rerouted(labels, k, (p, x, u, q), B, dead=bool(again)):
                    assert sign > 0 or then[q][before, to] > 0
                    move(plan, before, to, sign * epsilon)
            assert min(plan.values()) >= 0
            assert (ends(plan, 0), ends(plan, 1)) == (tilt, ends(then[q], 1))
            saved = cost(then[q], q) - cost(plan, q)
            assert saved == (epsilon if q in opened else 0)
            assert not again or cost(plan, q) == 1
            gains += saved > 0
    assert gains


def move(flow: Flow, before: Cache, after: Cache, chance: Fraction) -> None:
    flow[before, after] = flow.get((before, after), Fraction(0)) + chance


def rerouted(
    labels: Labels, k: int, pages: tuple[int, int, int, int], B: Cache, *, dead: bool
) -> list[tuple[Cache, Cache, int]]:
    """The flows that the lemma takes away (−1) and puts in their place (1), for one open page u."""
    p, x, u, q = pages
    A, A_ = B - {u} | {p}, B - {x} | {p}
    if dead:
        return [(A, A - {x} | {q}, -1), (A_, A_ - {u} | {q}, 1)]
    if q == u:
        return [(A, A_, -1), (A_, A_, 1)]
    if q in B:
        Y = B - {q} | {p}
        return [(A, A, -1), (Y, A_, -1), (A_, A_, 1), (Y, Y - {u} | {q}, 1)]
    old = bases(labels, k)
    if any(B - {u, x} | {q} <= basis for basis in old):
        return [(A, A - {x} | {q}, -1), (A_, A_ - {u} | {q}, 1)]
    v = min(v for v in B - {u, x} if B - {v} | {q} in old)
    Y = B - {v} | {p}
    return [
        (A, A - {v} | {q}, -1),
        (Y, Y - {x} | {q}, -1),
        (A_, A_ - {v} | {q}, 1),
        (Y, Y - {u} | {q}, 1),
    ]


def two_by_two(chances: Chances, labels: Labels, last: int | None, page: int) -> Flow:
    """How the policy of Theorem 2 moves; ``last`` is the page requested before."""
    flow: Flow = {}
    for cache, chance in chances.items():
        if page in cache:
            flow[cache, cache] = chance
        elif len(cache) < 2:
            flow[cache, cache | {page}] = chance
        elif labels[page]:
            (sure,) = (q for q in cache if labels[q] == 2)
            flow[cache, frozenset({sure, page})] = chance
        else:
            (other,) = cache - {last}
            first = {1: Fraction(1, 3), 2: Fraction(1, 2) if chance == Fraction(2, 3) else Fraction(1)}
            keeps_other = first.get(len(chances), Fraction(len(chances), len(chances) + 1))
            flow[cache, frozenset({other, page})] = chance * keeps_other
            flow[cache, frozenset({last, page})] = chance * (1 - keeps_other)
    return flow


@pytest.mark.slow
def test_two_layers_and_two_slots_cost_at_most_four_thirds_of_opt() -> None:
    bound = get_bound("two-by-two")
    most = Fraction(0)
    for short in small_sequences(10):
        if short.instance.layers == 1:
            continue
        sequence = short.with_cache(2)
        labels: Labels = (0,) * sequence.instance.total_pages
        chances: Chances = {frozenset(): Fraction(1)}
        last, paid = None, Fraction(0)
        for page in sequence.requests.tolist():
            flow = two_by_two(chances, labels, last, page)
            assert ends(flow, 0) == chances
            paid += cost(flow, page)
            labels, _ = served(labels, page, 2)
            chances, last = ends(flow, 1), page
        best = farthest_in_future(sequence).faults
        assert paid <= bound.at(sequence.instance) * best
        most = max(most, Fraction(paid - 2, best - 2)) if best > 2 else most
    assert most == Fraction(4, 3)  # beyond the two faults of the cold start
