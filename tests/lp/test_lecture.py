"""Placement and recomputation as integer programs: every choice, and paging as a case of them."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from lp import optimum
from lp.pinning import best_static_pinning
from lp.placement import best_placement, request_counts
from lp.poet import Computation, best_plan, nodes_of_paging
from lp.result import SolverError
from paging import LayeredInstance, ModelError, RequestSequence
from paging.errors import InfeasibleScheduleError
from tests.helpers.offline import random_sequence

CHAIN = [Computation("a"), Computation("b", (0,)), Computation("c", (1,)), Computation("d", (0, 2), memory=0)]


def cheapest_placement(frequency, hops, room, each):
    """Every assignment of experts to servers, straight from the definition."""
    experts = [(layer, f) for layer, row in enumerate(frequency) for f in row]
    costs = []
    for servers in product(range(len(room)), repeat=len(experts)):
        held = [(s, layer) for s, (layer, _) in zip(servers, experts, strict=True)]
        fits = all(most is None or servers.count(s) <= most for s, most in enumerate(room))
        fits &= all(each[s] is None or held.count((s, layer)) <= each[s] for s, layer in held)
        if fits:
            costs.append(sum(hops[layer][s] * f for s, (layer, f) in zip(servers, experts, strict=True)))
    return min(costs, default=None)


@pytest.mark.parametrize("seed", range(8))
def test_no_placement_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frequency = rng.integers(0, 9, (2, 3)).tolist()
    hops = rng.integers(0, 4, (2, 3)).tolist()
    room = [None if size == 4 else int(size) for size in rng.integers(0, 5, 3)]
    each = [None if size == 3 else int(size) for size in rng.integers(0, 4, 3)]
    least = cheapest_placement(frequency, hops, room, each)
    if least is None:
        with pytest.raises(ModelError, match="6 experts do not fit"):
            best_placement(frequency, hops, room, each)
        return
    found = best_placement(frequency, hops, room, each)
    assert found.hops == least
    placed = [(s, layer) for layer, row in enumerate(found.servers) for s in row]
    assert all(each[s] is None or placed.count((s, layer)) <= each[s] for s, layer in placed)


@pytest.mark.parametrize("seed", range(6))
def test_a_near_place_and_a_far_one_are_the_best_pinning(seed: int) -> None:
    sequence = random_sequence(np.random.default_rng(seed), bypassing=True, length=30)
    instance = sequence.instance
    counts = request_counts(sequence)
    placed = best_placement(counts, [[0, 1]] * instance.layers, [instance.cache, None])
    loaded = sum(
        s == 0 and count > 0
        for row, servers in zip(counts, placed.servers, strict=True)
        for count, s in zip(row, servers, strict=True)
    )
    assert placed.hops + loaded == best_static_pinning(sequence).faults
    assert optimum(sequence).value <= placed.hops + loaded


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([[1, 1]], [[0, 1]], [1, 0]), "2 experts do not fit"),
        (([[1, 1]], [[0, 1]], [2, None], [1, 0]), "do not fit"),
        (([[1]], [[0]], [1, 1]), "one number for each of 2 servers"),
        (([[1], [1]], [[0, 1]], [1, 1]), "hops lists 1 layers, frequency 2"),
        (([[-1]], [[0, 1]], [1, 1]), "frequency of layer 0 must be an integer in 0"),
        (([[1]], [[0, 0.5]], [1, 1]), "hops of layer 0 must be an integer"),
        (([[]], [[0, 1]], [1, 1]), "at least one number for every layer"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(arguments: tuple, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        best_placement(*arguments)


@pytest.mark.parametrize(("seed", "storage"), [(0, None), (1, None), (2, 1), (3, Fraction(1, 4)), (4, 5)])
def test_paging_is_a_computation_without_inputs(seed: int, storage: int | Fraction | None) -> None:
    rng = np.random.default_rng(seed)
    instance = LayeredInstance(2, 2, 2)
    requests = [instance.page(t % 2, int(i)) for t, i in enumerate(rng.integers(0, 2, 7))]
    sequence = RequestSequence(instance, requests)
    plan = best_plan(nodes_of_paging(sequence, 2, storage), instance.cache)
    again = 2 if storage is None else min(2, storage)
    first = sequence.distinct_pages
    assert plan.cost == 2 * first + again * (optimum(sequence).value - first)
    assert plan.check() <= instance.cache


def test_a_third_way_to_serve_a_miss() -> None:
    assert best_plan(CHAIN, 3).cost == 4  # kept
    assert best_plan(CHAIN, 2).cost == 5  # computed again
    stored = [Computation("a", page_in=Fraction(1, 4), page_out=Fraction(1, 2)), *CHAIN[1:]]
    assert best_plan(stored, 2).cost == Fraction(19, 4)  # fetched
    with pytest.raises(SolverError, match="no plan fits a memory of 1 units"):
        best_plan(CHAIN, 1)
    with pytest.raises(SolverError, match="no plan fits"):
        best_plan(CHAIN, 2, deadline=4)


def test_a_plan_that_cannot_be_carried_out_is_noticed() -> None:
    plan = best_plan(CHAIN, 3)
    plan.kept[3, 0] = False
    with pytest.raises(InfeasibleScheduleError, match="stage 3 lacks an input of d"):
        plan.check()
    plan.kept[3, 0] = plan.kept[2, 3] = True
    with pytest.raises(InfeasibleScheduleError, match="stage 2 keeps what is not in memory"):
        plan.check()
    small = best_plan(CHAIN, 3)
    object.__setattr__(small, "budget", 2)
    with pytest.raises(InfeasibleScheduleError, match="takes 3 units of memory of 2"):
        small.check()


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "1 … 60 nodes"),
        ([Computation("a", (0,))], "an input of node 0"),
        ([Computation("a", memory=-1)], "memory of node 0"),
        ([Computation("a", compute=0.5)], "compute of node 0 .a. must be a whole number or a Fraction"),
        ([Computation("a", page_in=-1)], "page_in of node 0"),
        (["a"], "must be a Computation"),
    ],
)
def test_a_computation_that_cannot_be_is_refused(nodes: list, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        best_plan(nodes, 3)
