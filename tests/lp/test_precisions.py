"""The optimum for two precisions: against brute force over all caches, two of them or one budget."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from lp.precisions import budget_optimum, by_precision, cheap_pages, two_caches_optimum
from paging import LayeredInstance, ModelError, RequestSequence
from paging.cli.main import run as paging_run
from paging.errors import LimitError
from paging.traces import Trace, read_trace, write_trace

QUARTER = Fraction(1, 4)


def brute_force(requests, fits, cost):
    """Every cache after every request, straight from the model; ``fits`` says which are allowed."""
    costs = {frozenset(): Fraction(0)}
    for page in requests:
        following = {}
        for cache, paid in costs.items():
            paid += 0 if page in cache else cost(page)
            others = sorted(cache - {page})
            for size in range(len(others) + 1):
                for kept in combinations(others, size):
                    new = frozenset((*kept, page))
                    if fits(new) and following.get(new, paid + 1) > paid:
                        following[new] = paid
        costs = following
    return min(costs.values())


def random_requests(seed: int, cache: int) -> RequestSequence:
    rng = np.random.default_rng(seed)
    instance = LayeredInstance(2, 4, cache)
    return RequestSequence(
        instance, [instance.page(t % 2, int(i)) for t, i in enumerate(rng.integers(0, 4, 14))]
    )


@pytest.mark.parametrize("seed", range(4))
def test_two_caches_are_two_problems(seed: int) -> None:
    sequence = random_requests(seed, 4)
    cheap = cheap_pages(sequence)
    assert cheap.tolist() == [False, False, True, True] * 2

    def fits(cache: frozenset[int]) -> bool:
        held = sum(map(bool, cheap[list(cache)]))
        return held <= 1 and len(cache) - held <= 3

    found = two_caches_optimum(sequence, 1)
    assert found.cost == brute_force(sequence, fits, lambda page: QUARTER if cheap[page] else 1)


@pytest.mark.parametrize("seed", range(8))
def test_one_budget(seed: int) -> None:
    sequence = random_requests(seed, 6 + seed % 4)
    cheap = cheap_pages(sequence)
    sizes = np.where(cheap, 1, 4).tolist()
    weights = [QUARTER if page else 1 for page in cheap]
    found = budget_optimum(sequence, sizes, weights)
    assert found.exact
    assert found.value == brute_force(
        sequence, lambda cache: sum(sizes[q] for q in cache) <= sequence.instance.cache, weights.__getitem__
    )


def test_equal_sizes_are_weighted_paging() -> None:
    sequence = random_requests(9, 3)
    found = budget_optimum(sequence, [1] * 8, [1] * 8)
    assert (found.value, found.proof) == (
        brute_force(sequence, lambda c: len(c) <= 3, lambda page: 1),
        "dual",
    )


def test_large_inputs_are_enclosed() -> None:
    rng = np.random.default_rng(0)
    instance = LayeredInstance(2, 32, 60)
    pages = [instance.page(t % 2, int(i)) for t, i in enumerate(rng.zipf(1.3, 3000) % 32)]
    sequence = RequestSequence(instance, pages)
    sizes = np.where(cheap_pages(sequence), 1, 4).tolist()
    found = budget_optimum(sequence, sizes, [Fraction(size, 4) for size in sizes])
    assert 0 < found.lower <= found.upper < 1.1 * float(found.lower)
    if not found.exact:
        with pytest.raises(LimitError, match="only known to lie in"):
            _ = found.value


def test_what_does_not_fit_is_refused() -> None:
    sequence = random_requests(0, 3)
    with pytest.raises(ModelError, match="size of page 0 must be an integer in 1 … 3, got 4"):
        budget_optimum(sequence, [4] * 8, [1] * 8)
    with pytest.raises(ModelError, match="7 sizes and 8 weights are given for 8 pages"):
        budget_optimum(sequence, [1] * 7, [1] * 8)
    with pytest.raises(ModelError, match="weights must be positive, got 0"):
        budget_optimum(sequence, [1] * 8, [0] * 8)
    with pytest.raises(ModelError, match=r"low.* must be an integer in 1 … 2, got 3"):
        by_precision(sequence, 3)
    with pytest.raises(ModelError, match="even number of pages in every layer, got n = 3"):
        two_caches_optimum(RequestSequence(LayeredInstance(1, 3, 2), [0, 1]), 1)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    experts = rng.random((30, 3, 6)).argsort(axis=2)[:, :, :2]
    write_trace(
        Trace.from_experts(experts, pages=6, gate_weights=rng.dirichlet([0.5] * 2, (30, 3))),
        tmp_path / "t.npz",
    )
    command = ["precisions", "hobbit", "lru", "--trace", str(tmp_path / "t.npz"), "-k", "8", "--low"]
    assert paging_run([*command, "3"]) == 0
    assert "optimum, two caches" in capsys.readouterr().out
    assert paging_run([*command, "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    sequence = read_trace(tmp_path / "t.npz", precisions=(Fraction(3, 5), Fraction(9, 10))).sequence(8)
    best = two_caches_optimum(sequence, 3)
    assert told["rows"][-1]["cost"] == str(best.cost)
    assert all(row["to_optimum"] >= 1 for row in told["rows"])
    assert Fraction(told["budget"]["lower"]) <= best.cost
    assert (told["budget"]["units"], told["low_cost"]) == (23, "1/4")
    run = ["run", "hobbit:low=3", *command[3:-1], "--precisions", "0.6,0.9", "--weights", "tier:6*1,6*1/4"]
    assert paging_run([*run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["cost"] == told["rows"][0]["cost"]
    for arguments, said in {
        ("8",): "--low must be in 1 … k − 1 = 7, got 8",
        ("3", "--low-cost", "0"): "'0' is not a positive number",
        ("3", "--low-cost", "nan"): "'nan' is not a positive number",
        ("3", "--precisions", "1"): "is no pair of limits",
    }.items():
        assert paging_run([*command, *arguments]) == 2
        assert said in capsys.readouterr().err
