"""Fractional weighted paging, its dual as a bound on OPT, and its rounding to equally likely caches."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp import best_dual, dual_value, online_dual, optimum
from lp.certificate import dual_certificate
from paging import (
    LayeredInstance,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    generate,
    serve_fractionally,
    serve_rounded,
)
from paging.kernels.rounding import broken, class_of
from paging.testing import sequences
from proofs import checker

SMALL = st.tuples(
    sequences(layers=(1, 2), pages=(2, 4), cache=(1, 3), length=(1, 40)),
    st.lists(st.integers(1, 40), min_size=8, max_size=8),
    st.integers(1, 3),
)


def weighted(sequence, weights):
    return sequence.with_weights(weights[: sequence.instance.total_pages])


def by_bisection(sequence, opt_cache):
    """The algorithm again, in plain Python: missing fractions, cost and dual, the time found by halving."""
    instance, weights = sequence.instance, sequence.instance.frame.weights.tolist()
    pages, cache = instance.total_pages, instance.cache
    eta = (cache - opt_cache + 1) / cache
    missing, cost, dual = [1.0] * pages, 0.0, 0.0
    for page in sequence:
        missing[page] = 0.0

        def after(time, page=page, missing=tuple(missing)):
            risen = [
                min(1, (y + eta) * math.exp(min(700, time / w)) - eta)
                for y, w in zip(missing, weights, strict=True)
            ]
            return [0.0 if q == page else risen[q] for q in range(pages)]

        low, high = 0.0, 10.0 * max(weights)
        while sum(missing) < pages - cache and high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (middle, high) if sum(after(middle)) < pages - cache else (low, middle)
        if sum(missing) < pages - cache:
            full = [w * math.log((1 + eta) / (y + eta)) for y, w in zip(missing, weights, strict=True)]
            dual += (pages - opt_cache) * low - sum(max(0, low - full[q]) for q in range(pages) if q != page)
            risen = after(low)
            cost += sum(w * (b - a) for w, a, b in zip(weights, missing, risen, strict=True))
            missing = risen
    return missing, cost, dual / math.log(1 + 1 / eta)


@pytest.mark.slow
@given(SMALL)
def test_it_is_the_algorithm_and_bounds_opt_from_below(drawn):
    sequence, weights, opt_cache = drawn
    sequence = weighted(sequence, weights)
    cache = sequence.instance.cache
    if cache >= sequence.instance.total_pages:
        return
    opt_cache = min(opt_cache, cache)
    run = serve_fractionally(sequence, opt_cache=opt_cache)
    missing, cost, dual = by_bisection(sequence, opt_cache)
    assert run.missing == pytest.approx(missing, abs=1e-7)
    assert (run.cost, run.lower_bound) == pytest.approx((cost, dual), abs=1e-6)
    best = optimum(sequence.with_cache(opt_cache)).value
    assert run.lower_bound <= best + 1e-9
    assert run.cost <= run.guarantee * run.lower_bound + 1e-9
    exact = dual_value(*online_dual(run))
    assert run.lower_bound - 1e-3 <= exact <= dual_value(*best_dual(run)) <= best


def test_two_pages_and_one_slot_by_hand():
    # Each request after the first raises the other page from 0 to 1: in time ln 2, with k = 1 and η = 1.
    run = serve_fractionally(RequestSequence(LayeredInstance(1, 2, 1), [0, 1, 0, 1]))
    assert run.times == pytest.approx([0, math.log(2), math.log(2), math.log(2)])
    assert run.costs == pytest.approx([0, 1, 2, 3])
    assert run.lower_bounds == pytest.approx([0, 1, 2, 3])
    assert run.guarantee == pytest.approx(2 * math.log(2))


def test_everything_fits():
    run = serve_fractionally(RequestSequence(LayeredInstance(1, 2, 3), [0, 1, 0]))
    assert (run.cost, run.lower_bound) == (0, 0)


@pytest.mark.parametrize("opt_cache", [1, 3])
def test_the_dual_is_a_certificate(opt_cache):
    instance = LayeredInstance(2, 3, 3, weights=[1, "1/2", 3, 4, 4, 1])
    run = serve_fractionally(generate("zipf:requests=120", instance), opt_cache=opt_cache)
    certificate = dual_certificate(*online_dual(run))
    verdict = checker.verify(certificate)
    assert verdict.status == checker.VERIFIED
    assert certificate["claim"]["instance"]["cache"] == opt_cache
    certificate["claim"]["lower"] = 10**6
    assert checker.verify(certificate).status == checker.REFUTED


def test_what_is_refused():
    with pytest.raises(UnsupportedModelError, match="forced service"):
        serve_fractionally(RequestSequence(LayeredInstance(1, 3, 2, bypassing=True), [0]))
    with pytest.raises(ModelError, match="opt_cache"):
        serve_fractionally(RequestSequence(LayeredInstance(1, 3, 2), [0]), opt_cache=3)
    with pytest.raises(ModelError, match="10¹²"):
        serve_fractionally(RequestSequence(LayeredInstance(1, 2, 1, weights=[1, 10**13]), [0]))
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])
    for wrong in ({"rows": 1}, {"rows": 10**6}, {"horizon": 2}, {"seed": -1}, {"samples": "none"}):
        with pytest.raises(ModelError):
            serve_rounded(sequence, **wrong)
    with pytest.raises(ModelError, match=r"cache \(k\) < pages"):
        serve_rounded(sequence.with_cache(3))


def test_classes_of_weights():
    assert [class_of(w) for w in (1.0, 0.9, 1 / 6, 0.16, 1 / 36, 1e-300)] == [23, 22, 22, 21, 21, 0]


@given(SMALL, st.booleans(), st.sampled_from(["fixed", "uniform", "two-point"]))
def test_caches_stay_consistent_balanced_and_valid(drawn, known, samples):
    sequence, weights, number = drawn
    sequence = weighted(sequence, weights)
    if sequence.instance.cache >= sequence.instance.total_pages:
        return
    length = len(sequence) if number == 1 else None
    run = serve_rounded(sequence, known=known, samples=samples, horizon=length, rows=60, check=True)
    assert run.deviation <= 4 / 60
    best = optimum(sequence).value
    assert run.expected_cost >= best
    assert run.cost >= best
    if known:
        exact = serve_fractionally(sequence)
        assert run.fractional_cost == pytest.approx(exact.cost, abs=1e-6)
        assert (run.samples, run.regret_bound) == (0, 0.0)
    elif length is not None:
        limit = 2 * math.log(1 + sequence.instance.cache) * float(best) + run.regret_bound
        assert run.fractional_upper <= limit
        assert float(run.evicted_cost) <= 62 * limit + 50 * sequence.instance.total_pages * max(weights)


def test_the_expected_cost_is_the_average_over_the_caches():
    sequence = generate("uniform:requests=40", LayeredInstance(1, 5, 3, weights=[1, 2, 3, 10, "1/3"]))
    runs = [serve_rounded(sequence, rows=4, seed=seed) for seed in range(40)]
    costs = {run.row: run.cost for run in runs}
    assert set(costs) == set(range(4))
    assert len({run.expected_cost for run in runs}) == 1
    assert runs[0].expected_cost == Fraction(sum(costs.values()), 4)


def test_the_caches_follow_the_fractions_more_closely_with_more_rows():
    sequence = generate("uniform:requests=200", LayeredInstance(1, 6, 4, weights=[1, 2, 3, 10, 20, 7]))
    apart = [serve_rounded(sequence, rows=rows, check=True).deviation for rows in (4, 40, 4000)]
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 2 / 1000


def test_broken_caches_are_noticed():
    # Two caches of one slot, two pages: one holds page 0 alone, the other one should, too.
    absent = np.array([[0, 1], [0, 1]], dtype=np.uint8)
    counts = np.ones((2, 24), dtype=np.int64)
    classes, units = np.full(2, 23), np.array([0, 2])
    assert broken(absent, counts, classes, units, 0, 1, True) == 0
    assert broken(absent, counts, classes, units, 1, 1, True) != 0
    absent[1] = [1, 0]
    assert broken(absent, counts, classes, units, 0, 1, True) & 1
    assert broken(absent, counts, classes, np.array([0, 1]), 0, 1, False) & 2
    counts[0] = 2
    assert broken(absent, counts, classes, units, 0, 1, False) & 4
