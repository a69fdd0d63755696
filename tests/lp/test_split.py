"""Fault curves in one pass, and the best fixed split, against running every cache size by itself."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from lp.curves import ONE_PASS, fault_curve
from lp.optimum import optimum
from lp.split import allocate, best_static_split
from paging import (
    LayeredInstance,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    farthest_in_future,
    simulate,
)
from tests.helpers.offline import random_sequence


@pytest.mark.parametrize("policy", ONE_PASS)
@pytest.mark.parametrize("seed", range(25))
def test_one_pass_agrees_with_every_cache_size_by_itself(policy, seed):
    sequence = random_sequence(np.random.default_rng(seed))
    limit = sequence.instance.total_pages + 1
    for k, faults in enumerate(fault_curve(sequence, policy, limit), start=1):
        alone = sequence.with_cache(k)
        run = farthest_in_future(alone) if policy == "opt" else simulate(policy, alone, engine="labels")
        assert faults == run.faults, (policy, k, sequence)


@pytest.mark.parametrize("seed", range(25))
def test_optimum_with_bypassing_in_one_pass(seed):
    forced = random_sequence(np.random.default_rng(seed))
    sequence = RequestSequence(replace(forced.instance, bypassing=True), forced.requests)
    for k, faults in enumerate(fault_curve(sequence, "opt", 6), start=1):
        assert faults == farthest_in_future(sequence.with_cache(k)).faults


def test_a_policy_without_one_pass_is_served_once_per_size():
    sequence = random_sequence(np.random.default_rng(3), per_visit=1)
    curve = fault_curve(sequence, "fifo", 5)
    assert curve == tuple(simulate("fifo", sequence.with_cache(k)).faults for k in range(1, 6))


def test_curve_ends_flat_at_the_compulsory_faults():
    sequence = RequestSequence(LayeredInstance(1, 4, 2), [0, 1, 2, 3, 0, 1, 2, 3])
    assert fault_curve(sequence, "opt", 9)[3:] == (4,) * 6
    assert fault_curve(RequestSequence(sequence.instance, []), "opt", 3) == (0, 0, 0)


@pytest.mark.parametrize("policy", ["opt", "lru", "fifo"])
@pytest.mark.parametrize("seed", range(20))
def test_best_split_against_all_splits(policy, seed):
    rng = np.random.default_rng(seed)
    sequence = random_sequence(rng).with_cache(5)
    instance = sequence.instance
    if len(sequence) < instance.round_length:
        pytest.skip("a layer is not requested")
    layers = [sequence.of_layer(j, 1) for j in range(instance.layers)]

    def cost(layer: RequestSequence, share: int) -> int:
        alone = layer.with_cache(share)
        return farthest_in_future(alone).faults if policy == "opt" else simulate(policy, alone).faults

    def best(slots: int) -> int:
        shares = (s for s in product(range(1, slots + 1), repeat=len(layers)) if sum(s) <= slots)
        return min(sum(map(cost, layers, split)) for split in shares)

    split = best_static_split(sequence, policy)
    assert split.faults == sum(split.faults_by_layer) == best(5)
    assert split.faults_by_layer == tuple(map(cost, layers, split.shares))
    assert sum(split.shares) <= 5
    assert split.curve == tuple(None if c < len(layers) else best(c) for c in range(1, 6))


@pytest.mark.parametrize("seed", range(10))
def test_the_best_split_is_certified_as_the_optimum_of_its_shares(seed):
    sequence = random_sequence(np.random.default_rng(seed)).with_cache(6)
    split = best_static_split(sequence)
    found = optimum(sequence, shares=split.shares)
    assert found.value == split.faults >= optimum(sequence).value


def test_allocation_is_exact_where_greed_is_not():
    # One slot more helps nowhere, two slots more help the first layer a lot.
    assert allocate([[9, 9, 9, 0], [9, 8, 7, 6]], needed=[1, 1], slots=4)[0] == (3, 1)


def test_a_layer_never_requested_needs_no_slot():
    sequence = RequestSequence(LayeredInstance(3, 2, 2), [0, 2])
    assert best_static_split(sequence).shares == (1, 1, 0)
    assert best_static_split(RequestSequence(sequence.instance, [])).faults == 0


def test_bad_input():
    sequence = RequestSequence(LayeredInstance(2, 2, 1), [0, 2])
    with pytest.raises(UnsupportedModelError, match="k ≥ 2 is needed"):
        best_static_split(sequence)
    with pytest.raises(ModelError, match="max_cache"):
        fault_curve(sequence, "opt", 0)
    with pytest.raises(UnsupportedModelError, match="randomised"):
        fault_curve(sequence, "random", 2)
    atomic = RequestSequence(LayeredInstance(1, 3, 2, per_visit=2, visits="atomic"), [0, 1])
    with pytest.raises(UnsupportedModelError, match="sequential"):
        fault_curve(atomic)
    with pytest.raises(UnsupportedModelError, match="sequential"):
        best_static_split(atomic)
