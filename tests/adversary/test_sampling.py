"""Random constructions against their exact values: estimates with confidence intervals."""

from fractions import Fraction

import pytest

from adversary import get_construction, sample_ratio
from adversary.catalogue.uniform import steady_phase_length
from paging import LayeredInstance, ModelError

SURE = 0.9999
"""Confidence of every interval here: none of them should fail by chance, and all seeds are fixed."""


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mark", "lru", "mark-fifo", "fwf"])
@pytest.mark.parametrize("cache", [2, 4, 7])
def test_marking_tree_costs_marking_algorithms_exactly_h_k(policy: str, cache: int) -> None:
    estimate = sample_ratio(
        "marking-tree", policy, LayeredInstance(1, cache + 1, cache), rounds=4000, runs=40, confidence=SURE
    )
    low, high = estimate.interval
    assert low <= estimate.limit <= high if policy != "fwf" else estimate.limit <= high
    assert estimate.half_width < 0.2


@pytest.mark.parametrize("policy", ["lru", "fifo", "mark", "random", "llru"])
def test_uniform_costs_every_demand_policy_the_same_for_one_layer(policy: str) -> None:
    estimate = sample_ratio(
        "uniform", policy, LayeredInstance(1, 5, 4), rounds=4000, runs=40, seed=1, confidence=SURE
    )
    assert estimate.limit == Fraction(25, 12)
    assert estimate.interval[0] <= estimate.limit <= estimate.interval[1]


@pytest.mark.parametrize("policy", ["lru", "llru", "mark", "random", "fifo"])
@pytest.mark.parametrize("shape", [(2, 4, 5), (3, 4, 8), (3, (2, 5, 3), 6), (2, 2, 3)])
def test_no_policy_is_cheaper_than_the_limit(policy: str, shape: tuple[int, int, int]) -> None:
    estimate = sample_ratio(
        "uniform-spread", policy, LayeredInstance(*shape), rounds=3000, runs=30, seed=2, confidence=SURE
    )
    assert estimate.limit <= estimate.interval[1]


def test_the_best_online_rate_is_reached() -> None:
    # One page of the wide layer is always missing: LRU on its pages, the others stay. Ratio = the limit.
    instance = LayeredInstance(2, 4, 4)
    counts = (4, 1)
    estimate = sample_ratio(
        "uniform-spread", "lfu", instance, rounds=6000, runs=40, seed=3, confidence=SURE, spread=counts
    )
    assert estimate.limit == steady_phase_length(counts) / 8
    assert estimate.interval[0] <= estimate.limit <= estimate.interval[1]


def test_estimates_are_reproducible_and_narrow_down() -> None:
    few, again, many = (
        sample_ratio("uniform", "mark", rounds=500, runs=runs, seed=7) for runs in (10, 10, 160)
    )
    assert few == again
    assert many.half_width < few.half_width
    assert sample_ratio("uniform", "mark", rounds=500, runs=10, seed=8) != few


def test_what_cannot_be_sampled_is_refused() -> None:
    with pytest.raises(ModelError, match="not random"):
        sample_ratio("cyclic", "lru")
    with pytest.raises(ModelError, match="no complete period"):
        sample_ratio("uniform", "lru", rounds=3)
    with pytest.raises(ModelError, match="runs"):
        sample_ratio(get_construction("uniform"), "lru", runs=1)
    with pytest.raises(ModelError, match="confidence"):
        sample_ratio("uniform", "lru", confidence=1.0)
