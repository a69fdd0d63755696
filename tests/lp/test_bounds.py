"""Lower bounds that need no solve never exceed OPT, and reach it where they should."""

import numpy as np
import pytest

from lp import compulsory_bound, lower_bounds, optimum, phase_bound, window_bound
from paging import LayeredInstance, RequestSequence, UnsupportedModelError, optimum_so_far, phase_starts
from tests.helpers.offline import random_sequence, zipf_sequence


@pytest.mark.slow
@pytest.mark.parametrize("variant", [{}, {"bypassing": True}, {"visits": "atomic"}])
@pytest.mark.parametrize("seed", range(40))
def test_no_bound_exceeds_the_optimum(seed, variant):
    rng = np.random.default_rng(seed)
    sequence = random_sequence(rng, **variant)
    best = optimum(sequence).value
    assert all(0 <= bound <= best for bound in lower_bounds(sequence).values())
    if not variant:
        for length in range(1, 12):
            assert window_bound(sequence, length) <= best
    pages = sequence.instance.total_pages
    weighted = sequence.with_weights([f"{1 + p % 3}/2" for p in range(pages)])
    assert compulsory_bound(weighted) <= optimum(weighted).value


def test_a_smaller_cache_for_the_optimum():
    sequence = zipf_sequence(500, 2, 4, 6)
    for h in range(1, 7):
        best = optimum_so_far(sequence, h)[-1]
        assert phase_bound(sequence, h) <= best
        assert window_bound(sequence, cache=h) <= best


def test_phases_are_counted_like_the_definition():
    for seed in range(30):
        sequence = random_sequence(np.random.default_rng(seed))
        k = sequence.instance.cache
        starts = phase_starts(sequence, k)
        assert phase_bound(sequence) == (min(k, sequence.distinct_pages) + len(starts) - 1 if starts else 0)


def test_phase_bound_is_reached_by_the_cycle_over_k_plus_one_pages():
    k = 4
    sequence = RequestSequence(LayeredInstance(1, k + 1, k), [t % (k + 1) for t in range(101)])
    assert phase_bound(sequence) == optimum(sequence).value == k + 25


def test_empty_sequence_and_refusals():
    empty = RequestSequence(LayeredInstance(1, 2, 1), [])
    assert lower_bounds(empty) == {"compulsory": 0, "phases": 0, "windows": 0}
    bypassing = RequestSequence(LayeredInstance(1, 2, 1, bypassing=True), [0, 1])
    for bound in (phase_bound, window_bound):
        with pytest.raises(UnsupportedModelError, match="forced"):
            bound(bypassing)
