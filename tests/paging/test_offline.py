"""OPT by independent routes, which must agree: brute force, farthest-in-future, the work function."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paging import (
    LayeredInstance,
    ModelError,
    OfflineAlgorithm,
    RequestSequence,
    UnsupportedModelError,
    WorkFunction,
    expected_faults,
    farthest_in_future,
    get_policy,
    optimum_so_far,
    phase_starts,
    registered_policies,
    simulate,
)
from paging.testing import sequences
from paging.work_function import update_work_function_of_visit
from tests.helpers.offline import brute_force as optimum_of_the_model
from tests.helpers.policies import PLAIN

Cache = frozenset[int]
SMALL = {"layers": (1, 2), "pages": (1, 3), "cache": (1, 4), "per_visit": (1, 2)}


def cost_by_cache(sequence: RequestSequence) -> Iterator[dict[Cache, int]]:
    """Yield after every request the least cost of having served it and now holding a cache, for all caches.

    Straight from the model: the cache holds k pages, of which empty slots are pages that nobody requests.
    Any pages may be exchanged at any time, each that enters costs 1, and the requested page must be inside
    (or is paid for and passes by).
    """
    instance = sequence.instance
    pages = range(instance.total_pages)
    sizes = range(min(instance.cache, len(pages)) + 1)
    caches = [frozenset(chosen) for size in sizes for chosen in combinations(pages, size)]
    cost: dict[Cache, int] = {frozenset(): 0}
    for page in sequence:
        following: dict[Cache, int] = {}
        for after in caches:
            if page in after or instance.bypassing:
                least = min(paid + entered(before, after) for before, paid in cost.items())
                following[after] = least + (page not in after)
        cost = following
        yield cost


def entered(before: Cache, after: Cache) -> int:
    """Count the pages that enter, empty slots among them."""
    return len(after - before) + max(0, len(before) - len(after))


def brute_force(sequence: RequestSequence) -> int:
    costs = list(cost_by_cache(sequence))
    return min(costs[-1].values()) if costs else 0


@given(sequences(**SMALL, length=(0, 14)))
def test_farthest_in_future_is_optimal(sequence: RequestSequence) -> None:
    run = farthest_in_future(sequence, record=True)
    assert run.faults == brute_force(sequence)
    run.schedule.check()
    assert run.schedule.faults == run.faults == farthest_in_future(sequence).faults


@given(sequences(**SMALL, length=(0, 14), bypassing=True))
def test_farthest_in_future_with_bypassing_is_optimal(sequence: RequestSequence) -> None:
    run = farthest_in_future(sequence, record=True)
    assert optimum_so_far(sequence).tolist() == [min(cost.values()) for cost in cost_by_cache(sequence)]
    assert run.faults == brute_force(sequence)
    run.schedule.check()
    assert run.schedule.faults == run.faults == farthest_in_future(sequence).faults


def test_bypassing_can_save_faults() -> None:
    # k = 1: 0 stays while 1 and 2 pass by, so 0 faults once.
    requests = [0, 1, 0, 2, 0]
    assert farthest_in_future(RequestSequence(LayeredInstance(1, 3, 1), requests)).faults == 5
    assert farthest_in_future(RequestSequence(LayeredInstance(1, 3, 1, bypassing=True), requests)).faults == 3


@given(sequences(**SMALL, length=(0, 14)))
def test_work_function_counts_opt_after_every_request(sequence: RequestSequence) -> None:
    work = WorkFunction(sequence.instance)
    counted = np.cumsum([work.serve(page) for page in sequence]).tolist()
    assert counted == [min(cost.values()) for cost in cost_by_cache(sequence)]
    assert optimum_so_far(sequence).tolist() == counted
    assert work.cost == farthest_in_future(sequence).faults


def fullest_optimal(cost: dict[frozenset[int], int]) -> set[frozenset[int]]:
    """The optimal caches that leave the fewest slots empty, out of the least cost of ending in each."""
    optimal = [cache for cache, paid in cost.items() if paid == min(cost.values())]
    return {cache for cache in optimal if len(cache) == max(map(len, optimal))}


@given(sequences(**SMALL, length=(0, 10)))
def test_labels_describe_exactly_the_optimal_caches(sequence: RequestSequence) -> None:
    work = WorkFunction(sequence.instance)
    for page, cost in zip(sequence, cost_by_cache(sequence), strict=True):
        work.serve(page)
        assert set(work.optimal_caches()) == fullest_optimal(cost)


@given(sequences(layers=(1, 2), pages=(1, 4), cache=(2, 5), length=(0, 14)), st.data())
def test_work_function_with_a_smaller_cache(sequence: RequestSequence, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, sequence.instance.cache))
    work = WorkFunction(sequence.instance, size)
    for page in sequence:
        work.serve(page)
    smaller = sequence.with_cache(size)
    assert work.cost == farthest_in_future(smaller).faults
    if len(sequence):
        assert optimum_so_far(sequence, size)[-1] == work.cost
    assert all(0 <= label <= size for label in work.labels)


@given(sequences(layers=(1, 4), pages=(1, 6), cache=(1, 9), per_visit=(1, 3), length=(0, 80)))
def test_all_routes_agree_on_longer_sequences(sequence: RequestSequence) -> None:
    work = WorkFunction(sequence.instance)
    assert np.cumsum([work.serve(page) for page in sequence]).tolist() == optimum_so_far(sequence).tolist()
    assert farthest_in_future(sequence, record=True).faults == work.cost


@given(sequences(layers=(1, 3), pages=(1, 5), cache=(1, 6), per_visit=(1, 2), length=(0, 40)))
def test_a_larger_cache_never_raises_opt(sequence: RequestSequence) -> None:
    for variant in (False, True):
        faults = []
        for cache in range(1, sequence.instance.total_pages + 2):
            instance = LayeredInstance(
                sequence.instance.layers,
                sequence.instance.pages,
                cache,
                sequence.instance.per_visit,
                bypassing=variant,
            )
            faults.append(farthest_in_future(RequestSequence(instance, sequence.requests)).faults)
        assert all(more >= less for more, less in pairwise(faults))
        assert faults[-1] == sequence.distinct_pages


@given(
    sequences(layers=(1, 3), pages=(2, 5), cache=(1, 6), length=(0, 40)), st.randoms(use_true_random=False)
)
def test_renaming_pages_inside_layers_leaves_opt_alone(sequence: RequestSequence, rng: object) -> None:
    instance = sequence.instance
    names = np.arange(instance.total_pages)
    for layer in range(instance.layers):
        own = list(instance.pages_of(layer))
        images = own.copy()
        rng.shuffle(images)  # type: ignore[attr-defined]
        names[own] = images
    renamed = RequestSequence(instance, names[sequence.requests])
    assert optimum_so_far(renamed).tolist() == optimum_so_far(sequence).tolist()
    assert farthest_in_future(renamed).faults == farthest_in_future(sequence).faults


# Exhaustive: every sequence up to renaming, ℓ ≤ 2, n ≤ 3, k ≤ 3, T ≤ 8


def canonical_sequences(layers: int, pages: int, length: int) -> Iterator[list[int]]:
    """All sequences in which the pages of every layer appear first in the order of their ids."""

    def extend(requests: list[int], known: tuple[int, ...]) -> Iterator[list[int]]:
        if len(requests) == length:
            yield requests
            return
        layer = len(requests) % layers
        for place in range(min(known[layer] + 1, pages)):
            grown = list(known)
            grown[layer] = max(known[layer], place + 1)
            yield from extend([*requests, layer * pages + place], tuple(grown))

    return extend([], (0,) * layers)


SHAPES = list(product((1, 2), (1, 2, 3), (1, 2, 3)))


def test_canonical_sequences_are_all_sequences_up_to_renaming() -> None:
    # One layer, three pages, T = 4: partitions of 4 requests into at most 3 classes: 1 + 7 + 6.
    assert len(list(canonical_sequences(1, 3, 4))) == 14
    # Two layers: independent, so 1 + 1 = 2 ways for two requests each.
    assert len(list(canonical_sequences(2, 3, 4))) == 4
    assert len(list(canonical_sequences(2, 3, 8))) == 14**2


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "pages", "cache"), SHAPES)
def test_every_small_sequence(layers: int, pages: int, cache: int) -> None:
    instance = LayeredInstance(layers, pages, cache)
    plain = {name: get_policy(name) for name in PLAIN}
    deterministic = {name: policy for name, policy in plain.items() if not policy.randomized}
    for requests in canonical_sequences(layers, pages, 8):
        sequence = RequestSequence(instance, requests)
        least = [min(cost.values()) for cost in cost_by_cache(sequence)]
        assert optimum_so_far(sequence).tolist() == least
        assert farthest_in_future(sequence).faults == least[-1]
        phases = len(phase_starts(sequence, cache))
        for name, policy in deterministic.items():
            if name == "partitioned" and cache < layers:
                continue
            counts = simulate(policy, sequence, record=True).fault_counts
            assert (counts >= least).all(), (name, requests)
            if {"marking", "conservative"} & policy.traits:
                assert counts[-1] <= cache * phases, (name, requests)
            if name == "llru":
                assert counts[-1] <= (cache + layers - 1) * phases, requests


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "pages", "cache"), SHAPES)
def test_every_small_sequence_in_expectation(layers: int, pages: int, cache: int) -> None:
    instance = LayeredInstance(layers, pages, cache)
    for requests in canonical_sequences(layers, pages, 7):
        sequence = RequestSequence(instance, requests)
        least = farthest_in_future(sequence).faults
        phases = len(phase_starts(requests, cache))
        for policy in ("random", "mark"):
            assert expected_faults(policy, sequence) >= least
        assert expected_faults("mark", sequence) <= cache * phases


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "pages", "cache"), [s for s in SHAPES if s[1] > 1])
def test_optimal_caches_of_every_small_sequence(layers: int, pages: int, cache: int) -> None:
    instance = LayeredInstance(layers, pages, cache)
    for requests in canonical_sequences(layers, pages, 6):
        work = WorkFunction(instance)
        for page in requests:
            work.serve(page)
        *_, cost = cost_by_cache(RequestSequence(instance, requests))
        assert set(work.optimal_caches()) == fullest_optimal(cost), requests


# Atomic visits


@pytest.mark.parametrize(("pages", "cache", "group"), [(4, 2, 2), (4, 3, 2), (5, 3, 2), (5, 4, 3), (5, 3, 3)])
def test_work_function_of_atomic_visits_is_that_of_all_caches(pages: int, cache: int, group: int) -> None:
    # All sets may follow one another, so that every sequence of visits is tried, up to equal states.
    caches = [frozenset(c) for size in range(cache + 1) for c in combinations(range(pages), size)]
    work = WorkFunction(LayeredInstance(1, pages, cache, group, visits="atomic"))
    start = (0,) * pages, tuple(len(c) for c in caches)
    seen, waiting = {start}, [start]
    for labels, costs in waiting:
        for visit in combinations(range(pages), group):
            after = np.array(labels, dtype=np.int64)
            paid = update_work_function_of_visit(after, np.array(visit), cache)
            now = {
                new: min(cost + len(new - old) for old, cost in zip(caches, costs, strict=True))
                for new in caches
                if set(visit) <= new
            }
            assert paid == min(now.values())
            work._labels[:] = after
            assert set(work.optimal_caches()) == fullest_optimal(now)
            # Other caches are reached by exchanging pages once the visit is over.
            least = [min(cost + len(new - old) for old, cost in now.items()) - paid for new in caches]
            state = tuple(after.tolist()), tuple(least)
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    # Equal labels, equal costs of every cache: the labels are a state.
    assert len({labels for labels, _ in seen}) == len(seen)


ATOMIC = {"layers": (1, 2), "pages": (2, 4), "cache": (2, 5), "per_visit": 2, "visits": "atomic"}


@settings(max_examples=40)
@given(sequences(**ATOMIC, length=(0, 9)))
def test_routes_to_opt_of_atomic_visits_agree(sequence: RequestSequence) -> None:
    work = WorkFunction(sequence.instance)
    least = optimum_of_the_model(sequence)
    assert sum(work.serve(page) for page in sequence) == least
    run = farthest_in_future(sequence, record=True)
    run.schedule.check()
    assert run.faults == run.schedule.faults == least


# Phases and refusals


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 4))
def test_phases_are_maximal(requests: list[int], cache: int) -> None:
    starts = phase_starts(requests, cache)
    assert (starts[:1] == [0]) == bool(requests)
    bounds = [*starts, len(requests)]
    for start, end in pairwise(bounds):
        assert len(set(requests[start:end])) <= cache
        if end < len(requests):
            assert len(set(requests[start : end + 1])) == cache + 1


@given(sequences(layers=(1, 3), pages=(1, 4), cache=(1, 4), length=(1, 40)))
def test_opt_faults_in_every_phase(sequence: RequestSequence) -> None:
    # From the second request of a phase to the first of the next one there are k pages other than the one
    # that began the phase and is cached: one of them faults. And the very first request does.
    starts = phase_starts(sequence, sequence.instance.cache)
    assert farthest_in_future(sequence).faults >= len(starts)


def test_from_a_cold_start_no_page_leaves_before_the_cache_is_full() -> None:
    work = WorkFunction(LayeredInstance(1, 3, 2))
    assert work.labels == (0, 0, 0)
    assert set(work.optimal_caches()) == {frozenset()}
    assert [work.serve(page) for page in (0, 0, 1)] == [1, 0, 1]
    assert set(work.optimal_caches()) == {frozenset({0, 1})}
    assert work.serve(2) == 1
    assert set(work.optimal_caches()) == {frozenset({0, 2}), frozenset({1, 2})}


def test_variants_without_a_route_to_opt_here_are_refused() -> None:
    bypassing = LayeredInstance(1, 3, 2, bypassing=True)
    atomic = LayeredInstance(1, 3, 2, per_visit=2, visits="atomic")
    with pytest.raises(UnsupportedModelError, match=r"work function needs forced service .* bypassing"):
        WorkFunction(bypassing)
    with pytest.raises(ModelError, match=r"cache \(h\) must be an integer in 2 … "):
        WorkFunction(atomic, 1)
    with pytest.raises(UnsupportedModelError, match=r"needs .*sequential visits .* atomic visits"):
        optimum_so_far(RequestSequence(atomic, [0, 1]))
    both = replace(atomic, bypassing=True)
    with pytest.raises(UnsupportedModelError, match=r"atomic visits needs forced service"):
        farthest_in_future(RequestSequence(both, [0, 1]))


def test_pages_and_cache_sizes_out_of_range_are_refused() -> None:
    work = WorkFunction(LayeredInstance(1, 3, 2))
    with pytest.raises(ModelError, match="page must be an integer in 0 … 2, got 3"):
        work.serve(3)
    with pytest.raises(ModelError, match=r"cache \(h\) must be an integer in 1 … 2147483647, got 0"):
        WorkFunction(LayeredInstance(1, 3, 2), 0)


def test_looking_ahead_is_a_type_of_its_own() -> None:
    # An offline algorithm takes the whole sequence; an online policy's serve has no place for it.
    algorithm: OfflineAlgorithm = farthest_in_future
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 0])
    assert algorithm(sequence).faults == 3
    for cls in registered_policies().values():
        parameters = list(inspect.signature(cls().serve).parameters)
        assert parameters == ["labels", "page", "slot", "frame"], cls.id
