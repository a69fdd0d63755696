"""What every registered policy and OPT do on small sequences, as plain numbers; ``-m`` prints them."""

from __future__ import annotations

import json
import sys

from paging import (
    LayeredInstance,
    UnsupportedModelError,
    farthest_in_future,
    generate,
    registered_policies,
    simulate,
)


def every_answer() -> dict[str, list[int]]:
    """Return the schedule entries of every algorithm on a tiny instance, and on one beyond a machine word."""
    answers = {}
    for instance, workload in (
        (LayeredInstance(2, 3, 4, per_visit=1), "uniform:rounds=100"),
        (LayeredInstance(2, 60, 70, per_visit=2), "zipf:alpha=1/0.5,rounds=100"),
    ):
        sequence = generate(workload, instance, seed=1)
        for name in registered_policies():
            try:
                run = simulate(name, sequence, record=True, seed=2)
            except UnsupportedModelError:  # the best policy of the game, on the larger instance
                continue
            assert run.entries is not None
            answers[f"{name}, k = {instance.cache}"] = [run.faults, *run.entries.tolist()]
        best = farthest_in_future(sequence, record=True)
        assert best.entries is not None
        answers[f"opt, k = {instance.cache}"] = [farthest_in_future(sequence).faults, *best.entries.tolist()]
    return answers


if __name__ == "__main__":
    json.dump(every_answer(), sys.stdout)
