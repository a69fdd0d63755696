"""What requests do to work-function states, in the prover and in the checker: written twice, and alike."""

from itertools import product

import pytest

from paging import LayeredInstance
from proofs.checker import value as checker
from proofs.game.randomized import transitions as prover
from proofs.game.randomized.policy_bound import work_graph

SHAPES = [(1, 3, 2), (1, 5, 3), (2, 2, 3), (2, 3, 3), (2, (1, 4), 3), (3, (1, 2, 1), 2), (3, 2, 4), (2, 3, 5)]
Shape = tuple[int, int | tuple[int, ...], int]


def every_count(sizes: tuple[int, ...], cache: int) -> list[tuple[int, ...]]:
    return [counts for counts in product(*(range(n + 1) for n in sizes)) if sum(counts) <= cache]


@pytest.mark.parametrize("shape", SHAPES)
def test_prover_and_checker_agree_on_every_cache(shape: Shape) -> None:
    graph = work_graph(LayeredInstance(*shape), max_states=400)
    cache = graph.cache
    for state in graph.states:
        classes = checker.classes(state)
        sizes = prover.class_sizes(state)
        assert sizes == tuple(found.size for found in classes)
        assert prover.held_by_opt(state) == tuple(found.size if found.label else 0 for found in classes)
        for counts in every_count(sizes, cache):
            assert prover.optimal(state, counts, cache) == checker.optimal(state, counts, cache)
            assert prover.cone(state, counts, cache) == checker.cone(state, counts, cache)


@pytest.mark.parametrize("shape", SHAPES)
def test_prover_and_checker_agree_on_every_request(shape: Shape) -> None:
    graph = work_graph(LayeredInstance(*shape), max_states=400)
    requests = [(state, label) for state in graph.states for label in sorted({*state[0]})]
    assert len(requests) == len(graph.edges)
    for (state, label), edge in zip(requests, graph.edges, strict=True):
        here, there = edge.asked, checker.request(state, label, graph.cache)
        assert (here.after, here.paid) == (there.after, there.paid)
        assert here.after == graph.states[edge.target]
        assert list(zip(here.sizes, here.following, strict=True)) == [
            (part.size, part.following) for part in there.parts
        ]
        assert [part.requested for part in there.parts].index(True) == here.page
        width = len(checker.classes(there.after))
        for counts in every_count(prover.class_sizes(state), graph.cache):
            split = prover.split_before(here, counts)
            assert split == checker.split_before(there, state, counts)
            for parts in split:
                assert prover.merged(here, parts) == checker.merged(there, parts, width)
        for counts in every_count(prover.class_sizes(here.after), graph.cache):
            assert prover.split_after(here, counts) == checker.split_after(there, counts)


def test_prover_and_checker_agree_on_loads() -> None:
    for before, after in product(product(range(3), repeat=3), repeat=2):
        assert prover.loads(before, after) == checker.loads(before, after)
