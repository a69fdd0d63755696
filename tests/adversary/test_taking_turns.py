"""RANDOM's lower bound k: what every turn of the construction costs, in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adversary import get_construction
from paging import LayeredInstance, ModelError, expected_cost
from paging.cli.main import run as paging_run
from proofs.bounds.known import known_ratio


@pytest.mark.parametrize("shape", [(1, 3, 2), (1, 5, 3), (2, 2, 2), (2, 2, 3), (2, (1, 3), 3), (3, 2, 4)])
def test_a_turn_costs_as_much_as_the_proof_says(shape: tuple[int, int | tuple[int, ...], int]) -> None:
    instance = LayeredInstance(*shape)
    k = instance.cache
    made = get_construction("taking-turns")(instance, rounds=60)
    made.check()
    paid = expected_cost("random", made.sequence).per_request
    stays = 1 - Fraction(1, k)
    turns = list(zip(made.boundaries, made.boundaries[1:], strict=False))
    assert len(turns) >= 3
    for number, (begin, end) in enumerate(turns, start=2):
        at_least = (1 - stays ** (number - 1)) * k * (1 - stays**number)
        assert at_least <= sum(paid[begin:end]) <= k
    assert set(np.diff(made.offline.fault_counts[np.array(made.boundaries) - 1]).tolist()) == {1}
    assert made.limit == known_ratio("random", instance).value == k


@pytest.mark.parametrize(("shape", "needs"), [((3, 2, 2), "k ≥ ℓ"), ((2, 2, 4), "k < number of pages")])
def test_what_it_needs_is_named(shape: tuple[int, int, int], needs: str) -> None:
    with pytest.raises(ModelError, match=needs):
        get_construction("taking-turns")(LayeredInstance(*shape))


def test_theorems_close_what_no_graph_can(capsys: pytest.CaptureFixture[str]) -> None:
    assert paging_run(["exact", "random", "-l", "1", "-n", "3", "-k", "2", "--json"]) == 0
    assert '"ratio": "2"' in capsys.readouterr().out
