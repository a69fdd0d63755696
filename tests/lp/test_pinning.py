"""The best static pinning against every set of pages, carried out request by request."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from lp import best_static_pinning, optimum
from paging import LayeredInstance, RequestSequence, UnsupportedModelError
from tests.helpers.offline import random_sequence


def carried_out(sequence, pinned):
    """Faults of the rule "pinned pages stay, all others are fetched every time"."""
    cache, faults = set(), 0
    for page in sequence:
        faults += page not in cache
        if page in pinned:
            cache.add(page)
    return faults


def every_set(sequence):
    instance = sequence.instance
    pages = sorted(set(sequence))
    slots = instance.cache - (not instance.bypassing and len(pages) > instance.cache)
    return [set(chosen) for size in range(slots + 1) for chosen in combinations(pages, size)]


@pytest.mark.parametrize("bypassing", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_no_set_of_pages_is_better(seed, bypassing):
    drawn = random_sequence(np.random.default_rng(seed))
    sequence = RequestSequence(replace(drawn.instance, bypassing=bypassing), drawn.requests)
    found = best_static_pinning(sequence)
    assert found.faults == min(carried_out(sequence, pinned) for pinned in every_set(sequence))
    assert found.faults == carried_out(sequence, set(found.pages))
    assert set(found.pages) in every_set(sequence)
    assert found.faults >= optimum(sequence).value


def test_ties_go_to_the_lowest_pages_and_single_requests_are_not_pinned():
    # Page 0 once, 1 and 2 twice each; one of two slots is needed to pass the others through.
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 1, 2])
    assert (best_static_pinning(sequence).pages, best_static_pinning(sequence).faults) == ((1,), 4)
    everything = best_static_pinning(sequence.with_cache(3))
    assert (everything.pages, everything.faults) == ((1, 2), 3)


def test_atomic_visits_are_refused():
    atomic = RequestSequence(LayeredInstance(1, 3, 2, per_visit=2, visits="atomic"), [0, 1])
    with pytest.raises(UnsupportedModelError, match="sequential visits"):
        best_static_pinning(atomic)
