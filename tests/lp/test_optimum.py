"""The optimum by every route, against brute force and against each other."""

import importlib.util
from fractions import Fraction

import numpy as np
import pulp
import pytest

import lp.ilp
import lp.result
from lp import ROUTES, SolverError, fault_curve, gaps_of, optimum, weighted_curve
from lp.dual import Dual, dual_of_kept, no_dual
from lp.ilp import interval_model, kept_in_caches, time_expanded_model
from lp.relaxation import solve_relaxation
from lp.result import OPTIMAL, Solution, solve
from paging import (
    LayeredInstance,
    LimitError,
    ModelError,
    RequestSequence,
    UnknownNameError,
    UnsupportedModelError,
    exact_weights,
    farthest_in_future,
    optimum_so_far,
    read_weights,
    simulate,
)
from tests.helpers.offline import (
    VARIANTS,
    brute_force,
    random_problem,
    random_sequence,
    small_sequences,
    zipf_sequence,
)

EXTRAS = {"flow-ortools": "ortools", "ilp-highs": "highspy", "ilp-time-highs": "highspy"}


def installed(route):
    return route not in EXTRAS or importlib.util.find_spec(EXTRAS[route]) is not None


def needs(route):
    if not installed(route):
        pytest.skip(f"{EXTRAS[route]} is not installed")


def random_gaps(seed):
    """The gaps of a random problem of any variant."""
    sequence, weights, shares = random_problem(seed, [*VARIANTS, "split"][seed % 4], weighted=seed % 8 >= 4)
    exact = None if weights is None else exact_weights(weights)
    return gaps_of(sequence, exact, shares)


def exactly(gaps):
    """The optimum by brute force, as a Fraction."""
    weights = None if gaps.weights is None else [gaps.weights[p] for p in range(len(gaps.weights))]
    return Fraction(brute_force(gaps.sequence, weights, gaps.shares))


def check(found, expected):
    """The bounds meet at the expected value, and both are what schedule and dual say."""
    found.schedule.check()
    assert found.status == OPTIMAL
    assert found.lower == found.upper == found.value == expected
    gaps = found.gaps
    assert found.upper == Fraction(gaps.cost(found.schedule), gaps.scale)
    assert found.lower == Fraction(found.dual.bound(gaps), gaps.scale)


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("variant", [*VARIANTS, "split"])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_and_variant_against_brute_force(route, variant, weighted):
    needs(route)
    if weighted and route == "farthest":
        pytest.skip("unit cost only")
    for seed in range(12):
        sequence, weights, shares = random_problem(seed, variant, weighted=weighted)
        found = optimum(sequence, route=route, weights=weights, shares=shares)
        check(found, brute_force(sequence, weights, shares))


@pytest.mark.slow
@pytest.mark.parametrize("variant", [*VARIANTS, "split"])
def test_a_thousand_random_instances(variant):
    others = [route for route in ("paths", "lp", "flow", "flow-ortools") if installed(route)]
    for seed in range(250):
        for weighted, routes in (
            ((True, others), (False, ["farthest"])) if seed % 2 else ((False, ["farthest", *others]),)
        ):
            sequence, weights, shares = random_problem(seed, variant, weighted=weighted)
            expected = brute_force(sequence, weights, shares)  # once for all routes
            for route in routes:
                check(optimum(sequence, route=route, weights=weights, shares=shares), expected)


@pytest.mark.slow
@pytest.mark.parametrize("cache", [1, 2, 3])
def test_small_sequences_exhaustively_against_brute_force(cache):
    for short in small_sequences():
        sequence = short.with_cache(cache)
        check(optimum(sequence), brute_force(sequence))


@pytest.mark.slow
@pytest.mark.parametrize("cache", [1, 2, 3])
@pytest.mark.parametrize("route", ["paths", "lp", "flow", "flow-ortools"])
def test_small_sequences_exhaustively_by_every_route(route, cache):
    needs(route)
    for short in small_sequences():
        sequence = short.with_cache(cache)
        check(optimum(sequence, route=route), farthest_in_future(sequence).faults)


def solved_together(problems, model, read):
    """Solve many independent models as one, which costs one start of CBC; return what each one keeps.

    The sum is least only if every part is, and every part is then proved by itself.
    """
    # A maximisation and a minimisation are never mixed here: all models of one call have one sense.
    # (LpProblem.extend would collect and sort all variables anew for every model.)
    parts = [(gaps, *model(gaps, name=f"p{i}")) for i, gaps in enumerate(problems)]
    joint = pulp.LpProblem("joint", parts[0][1].sense)
    joint += pulp.lpSum(single.objective for _, single, _ in parts)
    for _, single, _ in parts:
        for constraint in single.constraints():
            joint += constraint
    assert lp.ilp.run_solver(joint, "cbc", None) == OPTIMAL
    for gaps, _, variables in parts:
        kept = read(gaps, variables)
        yield gaps, solve(gaps, "ilp", lambda gaps, limit, kept=kept: Solution(kept, OPTIMAL), None)


MODELS = {
    "intervals": (interval_model, lambda gaps, variables: lp.ilp._taken(variables)),
    "time-expanded": (time_expanded_model, kept_in_caches),
}


@pytest.mark.slow
@pytest.mark.parametrize("cache", [1, 2, 3])
@pytest.mark.parametrize("formulation", MODELS)
def test_small_sequences_exhaustively_by_integer_programs(formulation, cache):
    model, read = MODELS[formulation]
    problems = [gaps_of(short.with_cache(cache)) for short in small_sequences()]
    problems = [gaps for gaps in problems if gaps.covering.any()]
    for first in range(0, len(problems), 200):
        for gaps, found in solved_together(problems[first : first + 200], model, read):
            check(found, farthest_in_future(gaps.sequence).faults)


@pytest.mark.slow
@pytest.mark.parametrize("formulation", MODELS)
def test_a_thousand_random_instances_by_integer_programs(formulation):
    model, read = MODELS[formulation]
    problems = [random_gaps(seed) for seed in range(1000)]
    problems = [gaps for gaps in problems if gaps.covering.any()]
    for first in range(0, len(problems), 200):
        for gaps, found in solved_together(problems[first : first + 200], model, read):
            by_flow = lp.optimum(gaps.sequence, weights=gaps.weights, shares=gaps.shares, route="flow")
            check(found, by_flow.value)


STRUCTURED = {
    "cycle": lambda t, k: t % (k + 1),
    "long cycle": lambda t, k: t % (2 * k),
    "zigzag": lambda t, k: np.abs(t % (6 * k) - 3 * k),
    "growing blocks": lambda t, k: t % np.maximum(1, np.sqrt(t).astype(int)) % (5 * k),
    "quadratic": lambda t, k: t * t // (3 * k) % (3 * k),
    "scans": lambda t, k: np.where(t // (7 * k) % 2 == 0, t % k, k + t % (4 * k)),
}


@pytest.mark.parametrize("cache", [1, 2, 10, 100])
@pytest.mark.parametrize("family", STRUCTURED)
def test_structured_sequences_are_certified_without_a_solver(family, cache):
    requests = STRUCTURED[family](np.arange(20_000), cache)
    for variant in VARIANTS.values():
        instance = LayeredInstance(1, 6 * cache + 1, cache, **variant)
        found = optimum(RequestSequence(instance, requests))
        check(found, found.upper)


@pytest.mark.parametrize("cache", [8, 40, 128, 255, 256])
def test_a_long_sequence_is_certified_without_a_solver(cache):
    sequence = zipf_sequence(100_000, 32, 8, cache)
    found = optimum(sequence)
    check(found, int(optimum_so_far(sequence)[-1]))
    assert found.route == "farthest"


@pytest.mark.parametrize("route", ["lp", "flow-ortools"])
def test_a_long_weighted_sequence(route):
    needs(route)
    sequence = zipf_sequence(2_000, 32, 8, 40)
    weights = np.random.default_rng(1).integers(1, 100, 256).tolist()
    check(optimum(sequence, weights=weights), optimum(sequence, weights=weights, route=route).value)


def test_equal_weights_are_unit_cost_at_length():
    sequence = zipf_sequence(10_000, 32, 8, 100)
    check(optimum(sequence, weights=[3] * 256), 3 * optimum(sequence).value)


@pytest.mark.parametrize("seed", range(30))
def test_the_weighted_curve_is_every_cache_size_by_itself(seed):
    sequence, weights, _ = random_problem(seed, ["forced", "bypassing"][seed % 2], weighted=True)
    pages = sequence.instance.total_pages
    curve = weighted_curve(sequence, weights, pages + 2)
    assert len(curve) == pages + 2
    for k, cost in enumerate(curve, start=1):
        assert cost == optimum(sequence.with_cache(k), weights=weights, route="flow").value
    if sequence.instance.bypassing:
        return
    assert weighted_curve(sequence, [1] * pages, 5) == fault_curve(sequence, "opt", 5)


def test_whoever_is_online_pays_at_least_the_optimum():
    sequence = zipf_sequence(2_000, 4, 4, 6)
    best = optimum(sequence).value
    assert all(simulate(policy, sequence).faults >= best for policy in ("lru", "llru", "clock"))


@pytest.mark.parametrize("seed", range(20))
def test_metamorphic(seed):
    rng = np.random.default_rng(seed)
    sequence = random_sequence(rng, per_visit=1)
    instance = sequence.instance
    value = optimum(sequence).value
    assert optimum(sequence.with_cache(instance.cache + 1)).value <= value
    names = np.concatenate(
        [
            first + rng.permutation(pages)
            for first, pages in zip(instance.first_page[:-1], instance.pages_by_layer, strict=True)
        ]
    )
    assert optimum(RequestSequence(instance, names[sequence.requests])).value == value
    ones = [3] * instance.total_pages
    assert optimum(sequence, weights=ones, route="flow").value == 3 * value


# Duals


def test_a_schedule_that_is_not_optimal_has_no_dual():
    sequence = zipf_sequence(3_000, 4, 4, 6)
    worse = simulate("lru", sequence, record=True).schedule
    gaps = gaps_of(sequence)
    assert worse.faults > optimum(sequence).value
    assert dual_of_kept(gaps, gaps.hits(worse)) is None
    weights = exact_weights([1 + page % 3 for page in range(16)])
    weighted = gaps_of(sequence, weights)
    assert dual_of_kept(weighted, weighted.hits(worse)) is None


@pytest.mark.slow
def test_any_nonnegative_vector_is_a_lower_bound():
    rng = np.random.default_rng(5)
    for seed in range(200):
        gaps = random_gaps(seed)
        steps = np.flatnonzero(rng.integers(2, size=gaps.steps))
        dual = Dual(steps, rng.integers(1, 4, len(steps)))
        assert Fraction(dual.bound(gaps), gaps.scale) <= exactly(gaps)
        assert Fraction(no_dual().bound(gaps), gaps.scale) <= exactly(gaps)


def test_a_wrong_solver_is_found_out():
    gaps = gaps_of(zipf_sequence(500, 4, 4, 6))
    best = optimum(gaps.sequence)
    nothing = np.zeros(len(gaps), dtype=bool)
    found = solve(gaps, "liar", lambda gaps, limit: Solution(nothing, OPTIMAL), None)
    assert found.lower <= best.value < found.upper
    assert "could not be proved" in found.status
    with pytest.raises(LimitError, match="only known to lie in"):
        _ = found.value
    with pytest.raises(SolverError, match="more pages than there are slots"):
        solve(gaps, "liar", lambda gaps, limit: Solution(~nothing, OPTIMAL), None)


# The linear program


def test_the_relaxation_is_integral_in_value():
    for seed in range(60):
        gaps = random_gaps(seed)
        assert solve_relaxation(gaps).value == pytest.approx(float(exactly(gaps)))


# Limits, missing solvers, bad input


@pytest.mark.slow
def test_a_time_limit_that_strikes_gives_an_interval():
    sequence = zipf_sequence(3_000, 8, 8, 20)
    weights = [1 + page % 7 for page in range(64)]
    best = optimum(sequence, weights=weights).value
    for route in ("lp", "ilp"):
        found = optimum(sequence, weights=weights, route=route, time_limit=1e-3)
        assert found.lower <= best <= found.upper
        if not found.exact:
            assert found.status == "the time limit of 0.001 s struck"


def test_a_time_limit_is_refused_where_a_route_cannot_be_stopped():
    for route in ("flow", "paths"):
        with pytest.raises(ModelError, match="cannot be stopped"):
            optimum(zipf_sequence(10, 2, 2, 2), route=route, time_limit=1)
    for bad in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ModelError, match="positive number of seconds"):
            optimum(zipf_sequence(10, 2, 2, 2), time_limit=bad)


def test_a_missing_solver_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ortools.graph.python", None)
    sequence = zipf_sequence(50, 2, 3, 3)
    with pytest.raises(SolverError, match=r"pip install 'layered-paging\[ortools\]'"):
        optimum(sequence, route="flow-ortools")
    monkeypatch.setattr(pulp.HiGHS, "available", lambda self: False)
    with pytest.raises(SolverError, match=r"pip install 'layered-paging\[highs\]'"):
        optimum(sequence, route="ilp-highs")


def test_a_solver_that_fails_is_reported(monkeypatch):
    monkeypatch.setattr(pulp.LpProblem, "solve", lambda self, solver: 0)
    with pytest.raises(SolverError, match="stopped with the status"):
        optimum(zipf_sequence(50, 2, 3, 3), route="ilp")


def test_simple_cases():
    instance = LayeredInstance(1, 3, 7)
    assert optimum(RequestSequence(instance, [])).value == 0
    assert optimum(RequestSequence(instance, [0, 1, 2, 0, 1, 2])).value == 3  # k > pages: compulsory faults
    assert optimum(RequestSequence(instance, [0, 0, 0]).with_cache(1)).value == 1
    for route in ROUTES:
        if installed(route):
            assert optimum(RequestSequence(instance, []), route=route).value == 0


def test_bad_input():
    sequence = RequestSequence(LayeredInstance(2, 2, 3), [0, 2, 1])
    with pytest.raises(UnknownNameError, match="did you mean flow"):
        optimum(sequence, route="flwo")
    with pytest.raises(UnsupportedModelError, match="unit cost only"):
        optimum(sequence, route="farthest", weights=[1, 1, 1, 2])
    with pytest.raises(ModelError, match="3 weights are given for 4 pages"):
        optimum(sequence, weights=[1, 1, 1])
    with pytest.raises(ModelError, match="1 shares for 2 layers"):
        optimum(sequence, shares=[1])
    with pytest.raises(ModelError, match="add up to 4"):
        optimum(sequence, shares=[2, 2])
    with pytest.raises(ModelError, match="share of layer 1"):
        optimum(sequence, shares=[2, 0])
    atomic = LayeredInstance(1, 3, 2, per_visit=2, visits="atomic", bypassing=True)
    with pytest.raises(UnsupportedModelError, match="atomic"):
        optimum(RequestSequence(atomic, [0, 1]))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "not positive"),
        (0, "not positive"),
        (0.5, "not exact"),
        (True, "not exact"),
        (None, "not exact"),
        ("x", "not a number"),
        ("1/0", "not a number"),
        (2**61, "does not fit 62 bits"),
        ("1e-30", "does not fit 62 bits"),
        ("1e999999999", "exponent"),
    ],
)
def test_weights_are_exact_or_refused(value, message):
    with pytest.raises(ModelError, match=message):
        RequestSequence(LayeredInstance(1, 2, 1, weights=[1, value]), [0, 1, 0, 1])


def test_weights_from_files(tmp_path):
    instance = LayeredInstance(2, (2, 1), 2)
    path = tmp_path / "weights.json"
    for text in ('[0.1, "1/3", 2]', '[[0.1, "1/3"], [2]]'):
        path.write_text(text)
        weights = read_weights(path, instance.pages_by_layer)
        assert [weights[page] for page in range(3)] == [Fraction(1, 10), Fraction(1, 3), Fraction(2)]
    for text in (
        "",
        "{}",
        "[1, 2]",
        "[[1], [1, 2]]",
        "[1, 2, -3]",
        "[1, 2, NaN]",
        "[1, 2, [3]]",
        "[1, 2, 1e99999999]",
        "[1, 2, 0e0]",
    ):
        path.write_text(text)
        with pytest.raises(ModelError, match="weights"):
            LayeredInstance(2, (2, 1), 2, weights=read_weights(path, instance.pages_by_layer))
    with pytest.raises(ModelError, match="No such file"):
        read_weights(tmp_path / "absent.json", instance.pages_by_layer)
