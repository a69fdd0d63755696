"""What every registered policy and OPT do on small sequences, and exact ratios; ``-m`` prints them."""

from __future__ import annotations

import json
import sys

from lp import optimum
from paging import (
    LayeredInstance,
    UnsupportedModelError,
    farthest_in_future,
    generate,
    registered_policies,
    simulate,
)
from proofs.game.randomized.value import randomized_value
from proofs.game.value import solve_game
from proofs.ratio.deterministic import exact_ratio
from proofs.ratio.randomized import randomized_exact


def every_answer() -> dict[str, list[int]]:
    """Return the schedule entries of every algorithm on tiny instances, and on one beyond a machine word."""
    answers = {}
    for instance, workload in (
        (LayeredInstance(2, 2, 3, per_visit=1), "uniform:rounds=100"),
        (LayeredInstance(2, 3, 4, per_visit=1), "uniform:rounds=100"),
        (LayeredInstance(2, 60, 70, per_visit=2), "zipf:alpha=1/0.5,rounds=100"),
    ):
        sequence = generate(workload, instance, seed=1)
        for name in registered_policies():
            if name == "discard-optimal" and instance.total_pages > 4:
                continue  # without the compiler its game takes minutes
            try:
                run = simulate(name, sequence, record=True, seed=2)
            except UnsupportedModelError:  # the best policy of the game, on the largest instance
                continue
            assert run.entries is not None
            answers[f"{name}, k = {instance.cache}"] = [run.faults, *run.entries.tolist()]
        best = farthest_in_future(sequence, record=True)
        assert best.entries is not None
        answers[f"opt, k = {instance.cache}"] = [farthest_in_future(sequence).faults, *best.entries.tolist()]
    return answers


def every_ratio() -> dict[str, str]:
    """Return what is exact about a tiny instance: ratios of policies, of the game, and two optima."""
    instance = LayeredInstance(2, 2, 3)
    answers = {}
    for name in ("lru", "llru", "zrc", "arc", "partitioned", "mark"):
        solve = randomized_exact if name == "mark" else exact_ratio
        answers[f"ratio of {name}"] = str(solve(name, instance).ratio)
    answers["game"] = str(solve_game(instance, full=True).value)
    answers["randomised game"] = str(randomized_value(instance).upper)
    sequence = generate("uniform:rounds=40", instance, seed=1)
    answers["optimum"] = str(optimum(sequence).value)
    answers["weighted optimum"] = str(optimum(sequence, weights=[1, 2, 3, 4]).value)
    return answers


if __name__ == "__main__":
    json.dump([every_answer(), every_ratio()], sys.stdout)
