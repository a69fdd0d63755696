"""Exact ratios with weights: anchors, unit weights, OPT counted another way, and the checker."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lp import optimum
from paging import LayeredInstance, LimitError, ModelError, RequestSequence, simulate
from paging.cli.main import run as paging_run
from proofs.checker import VERIFIED, verify
from proofs.game.work_functions import WorkFunctions
from proofs.ratio.competitive import competitive_ratio
from proofs.ratio.deterministic import exact_ratio
from proofs.ratio.weighted import WeightedRatio, weighted_ratio
from tests.helpers.offline import brute_force

SETS = ([1, 1, 4, 4], [1, 2, 3, 4], ["1/2", 1, 1, "7/3"])


CASES = [("landlord", weights) for weights in SETS] + [("landlord-fifo", SETS[0])]


@pytest.mark.parametrize(("policy", "weights"), CASES, ids=str)
@pytest.mark.parametrize(("cache", "small"), [(2, 2), (3, 3), (3, 2), (3, 1)])
def test_landlord_has_k_over_k_minus_h_plus_1(policy: str, cache: int, small: int, weights: list) -> None:
    found = weighted_ratio(policy, LayeredInstance(1, 4, cache, weights=weights), opt_cache=small)
    assert found.ratio == Fraction(cache, cache - small + 1)


@pytest.mark.parametrize(
    ("policy", "shape", "small"),
    [
        ("lru", (2, 2, 2), None), ("lru", (2, 2, 3), None), ("lru", (2, 3, 3), None), ("fifo", (1, 4, 3), 2),
        ("llru", (3, 2, 3), None), ("zrc", (2, 2, 3), None), ("clock", (2, (2, 1), 2), None),
    ],
)  # fmt: skip
def test_unit_weights_give_the_values_at_unit_cost(policy: str, shape: tuple, small: int | None) -> None:
    instance = LayeredInstance(*shape)
    same = weighted_ratio(policy, instance, opt_cache=small)
    assert same.ratio == exact_ratio(policy, instance, opt_cache=small).ratio
    tenth = instance.with_weights([Fraction(1, 10)] * instance.total_pages)
    assert weighted_ratio(policy, tenth, opt_cache=small).ratio == same.ratio


@pytest.mark.parametrize("seed", range(5))
def test_the_work_function_is_what_opt_pays(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = LayeredInstance(2, 2, 2, weights=[int(w) for w in rng.integers(1, 6, 4)])
    requests = [instance.page(t % 2, int(i)) for t, i in enumerate(rng.integers(0, 2, 12))]
    work, function = WorkFunctions(instance, 2), 0
    loaded = sorted(instance.frame.weights.tolist())[:2]
    paid = sum(loaded)
    for t, page in enumerate(requests):
        function, grown = work.serve(function, page)
        paid += grown
        if len(set(requests[: t + 1])) > 1:
            assert paid == optimum(RequestSequence(instance, requests[: t + 1])).value
    assert paid == brute_force(RequestSequence(instance, requests), instance.frame.weights.tolist())


@pytest.mark.parametrize(
    ("policy", "instance", "ratio"),
    [
        ("landlord", LayeredInstance(2, 2, 3, weights=[1, 1, 4, 4]), Fraction(7, 3)),
        ("landlord", LayeredInstance(2, 2, 3, weights=[1, 4, 1, 4]), None),
        ("lru", LayeredInstance(2, 2, 2, weights=["1/4", 1, "1/4", 1]), None),
        ("fifo", LayeredInstance(2, (2, 1), 2, weights=[1, 1, 4]), None),
    ],
)
def test_the_cycle_costs_what_is_said_and_the_checker_agrees(
    policy: str, instance: LayeredInstance, ratio: Fraction | None
) -> None:
    found = competitive_ratio(policy, instance)
    assert isinstance(found, WeightedRatio)
    assert ratio in (None, found.ratio)
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED
    cycle = found.cycle
    costs = [
        (simulate(policy, sequence).cost, optimum(sequence).value)
        for sequence in (RequestSequence(instance, cycle.prefix + cycle.requests * many) for many in (9, 13))
    ]
    ours, best = (Fraction(more) - less for less, more in zip(*costs, strict=True))
    assert (ours, best) == (4 * cycle.online, 4 * cycle.offline)
    assert all(cost <= found.ratio * opt + found.additive for cost, opt in costs)


def test_every_sequence_keeps_the_bound() -> None:
    instance = LayeredInstance(1, 3, 2, weights=[1, 2, 5])
    found = weighted_ratio("lru", instance)
    for seed in range(20):
        sequence = RequestSequence(instance, np.random.default_rng(seed).integers(0, 3, seed))
        assert simulate("lru", sequence).cost <= found.ratio * optimum(sequence).value + found.additive


def test_what_has_no_ratio_with_weights_is_refused() -> None:
    instance = LayeredInstance(2, 2, 3, weights=[1, 1, 4, 4])
    with pytest.raises(ModelError, match="k < number of pages"):
        weighted_ratio("lru", LayeredInstance(2, 2, 4, weights=[1, 1, 4, 4]))
    with pytest.raises(ModelError, match="does not declare the trait finite-state"):
        weighted_ratio("lfru", instance)
    with pytest.raises(ModelError, match="is of a deterministic policy; mark is randomised"):
        weighted_ratio("mark", instance)
    with pytest.raises(LimitError, match="is kept for at most 500"):
        weighted_ratio("lru", LayeredInstance(1, 16, 8, weights=range(1, 17)))
    for weights in ([1, 1, 1, 2**40], [1, Fraction(1, 10**7), 1, 1]):
        with pytest.raises(LimitError, match="beyond which sums are not exact"):
            weighted_ratio("landlord", LayeredInstance(2, 2, 3, weights=weights))
    few = weighted_ratio("lfru", instance, max_states=50)
    assert (few.ratio, few.complete) == (None, False)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "proof.json.gz"
    command = ["exact", "landlord", "-l", "2", "-n", "2", "-k", "3", "--weights"]
    assert paging_run([*command, "layer:1,4", "--certificate", str(proof)]) == 0
    assert "7/3" in capsys.readouterr().out
    assert paging_run(["verify", str(proof)]) == 0
    capsys.readouterr()
    assert paging_run([*command, "layer:1,4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ratio"], told["instance"]["weights"]) == ("7/3", [1, 1, 4, 4])
    assert told["model"]["cost"] == "weighted"
    assert paging_run([*command, "layer:1,1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ratio"] == "3"
    for spec, said in {
        "layer:1": "1 weights are given for 2 layers",
        "layer:1,0": "0 is not positive",
        "layer:1,nan": "'nan' is not a number",
        "page:1,1,4": "3 weights are given for 4 pages",
        "nowhere.json": "nowhere.json",
    }.items():
        assert paging_run([*command, spec]) == 2
        assert said in capsys.readouterr().err
