"""MARK's lower bound 2H_k − 1: every phase of the construction, in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adversary import get_construction
from paging import LayeredInstance, ModelError, expected_cost
from proofs.bounds.known import known_ratio
from proofs.checker.randomized import PROCESSES
from proofs.ratio.randomized import randomized_exact

GRID = [
    LayeredInstance(layers, pages, k)
    for layers, sizes in {1: (4, 5, 8), 2: (3, 4), 3: (2, 3, 4, (2, 4, 3)), 4: (2, 3), 5: (2,)}.items()
    for pages in sizes
    for k in range(1, 13)
    if k < LayeredInstance(layers, pages, 1).total_pages
]


def covered(instance: LayeredInstance) -> bool:
    """The three conditions of Theorem 3, typed a second time."""
    layers, k, total, least = (
        instance.layers,
        instance.cache,
        instance.total_pages,
        min(instance.pages_by_layer),
    )
    return (
        (layers == 1 and 2 <= k <= total - 2)
        or (layers >= 2 and least >= 3 and 3 * layers - 2 <= k <= total - 2)
        or (layers >= 3 and least >= 2 and layers < k <= total - layers + 1)
    )


def harmonic(k: int) -> Fraction:
    return sum((Fraction(1, i) for i in range(1, k + 1)), Fraction(0))


def chances(instance: LayeredInstance, requests: list[int]) -> list[Fraction]:
    """MARK's probability of a fault at every request, by the labels of its distribution."""
    labels, found, mark = [0] * instance.total_pages, [], PROCESSES["mark"]
    for page in requests:
        found.append(mark.chance(labels, page, instance.cache))
        labels = mark.serve(labels, page, instance.cache)
    return found


def test_every_phase_costs_mark_what_is_promised_and_opt_one_fault() -> None:
    built = 0
    for instance in filter(covered, GRID):
        made = get_construction("missing-pair")(instance, rounds=8 * instance.cache + 8)
        made.check()
        assert len(made.boundaries) >= 4, instance
        paid = chances(instance, made.sequence.requests.tolist())
        offline = np.diff(made.offline.fault_counts[np.array(made.boundaries) - 1])
        for begin, end in zip(made.boundaries, made.boundaries[1:], strict=False):
            assert sum(paid[begin:end]) == 2 * harmonic(instance.cache) - 1, instance
        assert set(offline.tolist()) == {1}
        assert made.limit == 2 * harmonic(instance.cache) - 1
        built += 1
    assert built == 36


def test_the_engine_pays_the_same() -> None:
    made = get_construction("missing-pair")(LayeredInstance(3, 2, 4), rounds=12)
    requests = made.sequence.requests.tolist()
    assert list(expected_cost("mark", made.sequence).per_request) == chances(made.sequence.instance, requests)


@pytest.mark.parametrize("instance", [i for i in GRID if not covered(i)][::4])
def test_elsewhere_it_is_refused(instance: LayeredInstance) -> None:
    with pytest.raises(ModelError, match="ℓ = 1 and 2 ≤ k"):
        get_construction("missing-pair")(instance)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 4, 2), (1, 5, 3), (2, 3, 4), (3, 2, 4), (4, 2, 5)])
def test_theorem_and_solver_agree(shape: tuple[int, int, int]) -> None:
    instance = LayeredInstance(*shape)
    known = known_ratio("mark", instance)
    assert (known.below.id, known.above.id) == ("mark-lower", "mark-upper")
    assert known.value == randomized_exact("mark", instance).ratio == 2 * harmonic(instance.cache) - 1
