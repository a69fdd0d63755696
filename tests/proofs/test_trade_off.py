"""Trade-offs with discard bits: against graphs of plain sets, with nothing dropped; anchors; commands."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from adversary.cycles.predicted_graph import PredictedGraph
from adversary.cycles.product_graph import Symmetry
from paging import (
    LayeredInstance,
    ModelError,
    Policy,
    PredictedSequence,
    RequestSequence,
    UnsupportedModelError,
    expected_faults,
    farthest_in_future,
    get_policy,
    prediction_errors,
)
from paging.cli.main import run as paging_run
from paging.signals import Watch
from proofs.certificates.reading import read_certificate
from proofs.checker import VERIFIED, verify
from proofs.game.predictions.trade_off import solve_trade_off
from proofs.game.value import solve_game
from proofs.ratio.surface import trade_off_surface
from proofs.ratio.trade_off import policy_trade_off

Cache = frozenset[int]
Bits = tuple[int, ...]
Coefficients = tuple[Fraction, Fraction, Fraction]
State = tuple[object, ...]
Edges = list[tuple[Fraction, State]]

ONE = Fraction(1)
FLUSH = ("flush-when-kept", "flush-when-kept-lazy")


# ------------------------------------------------------ a policy beside all references, as sets of pages


def flushed(cached: Cache, order: tuple[int, ...], bits: Bits, page: int, bit: int, slots: int) -> State:
    """``flush-when-kept`` in its own words; ``order``: the cached pages of bit 1, least recent first."""
    if page not in cached and len(cached) == slots:
        cached, order = (cached - {order[0]}, order[1:]) if order else (frozenset(), ())
    order = tuple(q for q in order if q != page) + (page,) * bit
    return cached | {page}, order


def beside_references(instance: LayeredInstance, coefficients: Coefficients) -> Callable[[State], Edges]:
    """The edges of a state (policy's cache and order, reference's cache, bits, layer)."""
    alpha, beta, gamma = coefficients
    k = instance.cache

    def edges(state: State) -> Edges:
        cached, order, held, bits, layer = state
        found: Edges = []
        for page, bit in product(instance.pages_of(layer), (0, 1)):  # type: ignore[arg-type]
            fault = ONE * (page not in cached)  # type: ignore[operator]
            ours = flushed(cached, order, bits, page, bit, k)  # type: ignore[arg-type]
            after = tuple(bit if q == page else b for q, b in enumerate(bits))  # type: ignore[arg-type]
            for then, cost in reference_moves(held, bits, page, k, alpha, beta, gamma):  # type: ignore[arg-type]
                found.append((fault - cost, (*ours, then, after, (layer + 1) % instance.layers)))  # type: ignore[operator]
        return found

    return edges


def reference_moves(
    held: Cache, bits: Bits, page: int, k: int, alpha: Fraction, beta: Fraction, gamma: Fraction
) -> Iterator[tuple[Cache, Fraction]]:
    """What a lazy schedule may do, and what it costs."""
    if page in held:
        yield held, gamma * bits[page]
    elif len(held) < k:
        yield held | {page}, alpha
    else:
        for q in held:
            yield held - {q} | {page}, alpha + beta * (bits[q] == 0)


def gains_for_ever(start: State, edges: Callable[[State], Edges]) -> bool:
    """Whether a cycle of positive weight can be reached: longest paths that do not settle."""
    found, pending = {start: edges(start)}, [start]
    while pending:
        for _, state in found[pending.pop()]:
            if state not in found:
                found[state] = edges(state)
                pending.append(state)
    distance = dict.fromkeys(found, Fraction(0))
    for _ in range(len(found) + 1):
        changed = False
        for state, own in found.items():
            for weight, then in own:
                if distance[state] + weight > distance[then]:
                    distance[then] = distance[state] + weight
                    changed = True
        if not changed:
            return False
        if max(distance.values()) > 20:  # more than any path without a cycle can gain here
            return True
    return True


@pytest.mark.parametrize(
    ("layers", "pages", "cache", "alpha", "gamma"),
    [(1, 3, 2, Fraction(3, 2), 1), (2, (2, 1), 2, Fraction(4, 3), 2)],
)
def test_a_policy_against_all_references_as_sets(
    layers: int, pages: int | tuple[int, ...], cache: int, alpha: Fraction, gamma: Fraction
) -> None:
    instance = LayeredInstance(layers, pages, cache)
    value = policy_trade_off("flush-when-kept", instance, alpha=alpha, gamma=gamma).value
    assert isinstance(value, Fraction)
    start = (frozenset(), (), frozenset(), (0,) * instance.total_pages, 0)
    for beta, more in ((value, False), (value - Fraction(1, 4), True)):
        assert gains_for_ever(start, beside_references(instance, (ONE * alpha, beta, ONE * gamma))) is more


def with_distributions(
    policy: Policy, instance: LayeredInstance, coefficients: Coefficients
) -> Callable[[State], Edges]:
    """The edges of a state (distribution, reference's cache, bits, page → bit of both k-phases, layer).

    Every schedule is followed, also where bits are about k-phases and the best one alone would do.
    """
    alpha, beta, gamma = coefficients
    phases, k = policy.predictions == "phase", instance.cache

    def edges(state: State) -> Edges:
        distribution, held, bits, before, now, layer = state
        found: Edges = []
        for page, bit in product(instance.pages_of(layer), (0, 1)):  # type: ignore[arg-type]
            fault = sum((chance for labels, chance in distribution if labels[page] <= 0), Fraction(0))  # type: ignore[attr-defined]
            drawn: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
            for labels, chance in distribution:  # type: ignore[attr-defined]
                frame = instance.frame._replace(prediction=bit)
                for share, then in policy.outcomes(np.array(labels), page, layer, frame):  # type: ignore[arg-type]
                    drawn[tuple(then.tolist())] += share * chance
            after = tuple(bit if q == page else b for q, b in enumerate(bits))  # type: ignore[arg-type]
            old, new, wrong = dict(before), dict(now), Fraction(0)  # type: ignore[call-overload]
            if phases and page not in new:
                if len(new) == k:
                    wrong = beta * list(old.values()).count(0)
                    old, new = new, {}
                wrong += gamma * (old.pop(page, 0) == 1)
            if phases:
                new[page] = bit
            prices = (alpha, Fraction(0), Fraction(0)) if phases else coefficients
            for cache, cost in reference_moves(held, bits, page, k, *prices):  # type: ignore[arg-type]
                said = (frozenset(old.items()), frozenset(new.items()))
                rest = (cache, after, *said, (layer + 1) % instance.layers)  # type: ignore[operator]
                found.append((fault - cost - wrong, (frozenset(drawn.items()), *rest)))
        return found

    return edges


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "layers", "pages", "given"),
    [
        ("mark-predict-lru", 2, (2, 1), {"alpha": Fraction(5, 4), "beta": Fraction(1, 3)}),
        ("mark-predict", 1, 3, {"alpha": 1, "gamma": Fraction(1, 2)}),
        ("mark0", 2, (2, 1), {"beta": Fraction(1, 4), "gamma": Fraction(6, 5)}),
    ],
)
def test_distributions_and_k_phases_against_all_references_as_sets(
    policy: str, layers: int, pages: int | tuple[int, ...], given: dict[str, Fraction]
) -> None:
    instance = LayeredInstance(layers, pages, 2)
    found = policy_trade_off(policy, instance, **given)
    assert isinstance(found.value, Fraction)
    nothing = (0,) * instance.total_pages
    start = (frozenset({(nothing, ONE)}), frozenset(), nothing, frozenset(), frozenset(), 0)
    for value, more in ((found.value, False), (found.value - Fraction(1, 24), True)):
        if value >= 0:
            known = {**given, found.free: value}
            coefficients = tuple(Fraction(known[name]) for name in ("alpha", "beta", "gamma"))
            edges = with_distributions(get_policy(policy), instance, coefficients)  # type: ignore[arg-type]
            assert gains_for_ever(start, edges) is more


@pytest.mark.parametrize(
    ("policy", "given"),
    [("mark-predict-lru", {"alpha": 1, "gamma": 1}), ("mark-predict", {"beta": 0, "gamma": 0})],
)
def test_a_cycle_with_phase_bits_counts_what_the_definitions_count(
    policy: str, given: dict[str, Fraction]
) -> None:
    instance = LayeredInstance(2, 2, 3)
    cycle = policy_trade_off(policy, instance, **given).cycle
    assert cycle is not None
    counted = []
    for repetitions in (2, 3):
        pages, bits = zip(*cycle.prefix, *cycle.cycle * repetitions, strict=True)
        sequence = RequestSequence(instance, pages)
        predicted = PredictedSequence(sequence, "phase", bits)
        errors = prediction_errors(predicted)
        cost = expected_faults(policy, predicted)
        counted.append((cost, farthest_in_future(sequence).faults, errors.eta0, errors.eta1))
    gained = tuple(more - less for less, more in zip(*counted, strict=True))  # type: ignore[operator]
    assert gained == (cycle.faults, cycle.reference, cycle.wrong0, cycle.wrong1)


# --------------------------------------------- the game, with a value for every cache and nothing dropped


def attained(instance: LayeredInstance, coefficients: Coefficients) -> bool:
    """Whether some policy has the coefficients: values of all caches, no renaming, plain iteration."""
    alpha, beta, gamma = coefficients
    k, pages = instance.cache, range(instance.total_pages)
    caches = [frozenset(c) for c in combinations(pages, k)]

    def after(values: dict[Cache, Fraction], bits: Bits, page: int) -> tuple[dict[Cache, Fraction], Fraction]:
        found: dict[Cache, Fraction] = {}
        for held, value in values.items():
            for then, cost in reference_moves(held, bits, page, k, alpha, beta, gamma):
                found[then] = min(found.get(then, value + cost), value + cost)
        least = min(found.values())
        if len(next(iter(found))) == k:  # what a cache lacks can be loaded when it is asked for
            found = {
                c: min(v + (alpha + beta) * len(c - d) for d, v in found.items()) for c in caches if page in c
            }
        return {c: v - least for c, v in found.items()}, least

    def moves(state: State) -> list[tuple[Fraction, list[State]]]:
        cached, items, bits, layer = state
        found = []
        for page, bit in product(instance.pages_of(layer), (0, 1)):  # type: ignore[arg-type]
            values, growth = after(dict(items), bits, page)  # type: ignore[call-overload, arg-type]
            then = tuple(bit if q == page else b for q, b in enumerate(bits))  # type: ignore[arg-type]
            rest = (frozenset(values.items()), then, (layer + 1) % instance.layers)  # type: ignore[operator]
            full = page not in cached and len(cached) == k  # type: ignore[operator, arg-type]
            left = [cached - {q} for q in cached] if full else [cached]  # type: ignore[operator, attr-defined]
            found.append((ONE * (page not in cached) - growth, [(c | {page}, *rest) for c in left]))  # type: ignore[operator]
        return found

    start: State = (frozenset(), frozenset({(frozenset(), Fraction(0))}), (0,) * len(pages), 0)
    known, pending = {start: moves(start)}, [start]
    while pending:
        for _, successors in known[pending.pop()]:
            for state in successors:
                if state not in known:
                    known[state] = moves(state)
                    pending.append(state)
    energy = dict.fromkeys(known, Fraction(0))
    while max(energy.values()) <= 8:  # more than any play without a cycle can gain here
        best = {
            state: max(Fraction(0), *(gain + min(energy[t] for t in then) for gain, then in own))
            for state, own in known.items()
        }
        if best == energy:
            return True
        energy = best
    return False


@pytest.mark.parametrize(
    ("layers", "pages", "cache", "alpha", "gamma"),
    [(1, 3, 2, 1, 1), (2, (2, 1), 2, 1, 1)],
)
def test_the_game_against_values_of_all_caches(
    layers: int, pages: int | tuple[int, ...], cache: int, alpha: Fraction, gamma: Fraction
) -> None:
    instance = LayeredInstance(layers, pages, cache)
    value = solve_trade_off(instance, alpha=alpha, gamma=gamma).value
    assert isinstance(value, Fraction)
    assert attained(instance, (ONE * alpha, value, ONE * gamma))
    assert value == 0 or not attained(instance, (ONE * alpha, value - Fraction(1, 4), ONE * gamma))


# ---------------------------------------------------------------------------------------------- anchors


@pytest.mark.parametrize("policy", FLUSH)
@pytest.mark.parametrize(
    ("layers", "pages", "cache"), [(1, 3, 2), (1, 5, 3), (1, 5, 4), (2, 2, 3), (3, 2, 2)]
)
def test_flush_when_kept_has_exactly_1_and_k_minus_1_and_1(
    policy: str, layers: int, pages: int, cache: int
) -> None:
    instance = LayeredInstance(layers, pages, cache)
    found = [
        policy_trade_off(policy, instance, alpha=1, gamma=1),
        policy_trade_off(policy, instance, beta=cache - 1, gamma=1),
        policy_trade_off(policy, instance, alpha=1, beta=cache - 1),
    ]
    assert [each.value for each in found] == [cache - 1, 1, 1]
    for each in found:
        assert verify(json.loads(json.dumps(each.certificate()))).status == VERIFIED


def harmonic(k: int) -> Fraction:
    """H_k."""
    return sum((Fraction(1, i) for i in range(1, k + 1)), Fraction(0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layers", "pages", "cache", "beta"),
    # One layer: MARK's ratio less 1, which is H_k with k + 1 pages and 2·H_k − 1 with more.
    [
        (1, 3, 2, harmonic(2) - 1),
        (1, 4, 2, 2 * harmonic(2) - 2),
        (1, 4, 3, harmonic(3) - 1),
        (1, 5, 3, 2 * harmonic(3) - 2),
        (2, 2, 3, harmonic(3) - 1),
        (2, 3, 3, 2 * harmonic(3) - 2),
    ],
)
def test_mark0_at_alpha_1(layers: int, pages: int, cache: int, beta: Fraction) -> None:
    found = policy_trade_off("mark0", LayeredInstance(layers, pages, cache), alpha=1, gamma=1)
    assert found.value == beta <= 2 * harmonic(cache) - 1
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED


@pytest.mark.slow
@pytest.mark.parametrize("cache", [2, 3, 4])
def test_mark_predict_keeps_what_is_reported_of_it(cache: int) -> None:
    for pages in (cache + 1, cache + 2):
        instance = LayeredInstance(1, pages, cache)
        found = policy_trade_off("mark-predict", instance, alpha=2, gamma=1)
        assert found.lower <= harmonic(cache)
        lru = policy_trade_off("mark-predict-lru", instance, alpha=2, gamma=1)
        assert lru.lower <= cache - 1


@pytest.mark.parametrize(
    ("layers", "pages", "cache", "value"),
    # One layer: k − 1. k + 1 pages: k − ℓ. k + 2 pages: k − ℓ for n ≥ 3, k − ℓ + 1 for n = 2.
    [(1, 3, 2, 1), (1, 4, 3, 2), (1, 5, 4, 3), (1, 5, 3, 2), (2, 2, 3, 1), (2, (3, 2), 4, 2), (2, 2, 2, 1)],
)
def test_the_best_policy_at_alpha_1(
    layers: int, pages: int | tuple[int, ...], cache: int, value: int
) -> None:
    found = solve_trade_off(LayeredInstance(layers, pages, cache), alpha=1, gamma=1)
    assert found.value == value
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED


@pytest.mark.parametrize(
    ("layers", "pages", "cache"), [(1, 3, 2), (1, 4, 2), (2, 2, 2), (2, 2, 3), (3, 1, 2)]
)
def test_without_bits_it_is_the_paging_game(layers: int, pages: int, cache: int) -> None:
    instance = LayeredInstance(layers, pages, cache)
    found = solve_trade_off(instance, beta=0, gamma=0)
    assert found.value == solve_game(instance).value
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED


def test_too_small_coefficients_leave_no_third() -> None:
    instance = LayeredInstance(1, 4, 3)
    for given in ({"alpha": Fraction(1, 2), "gamma": ONE}, {"alpha": ONE, "gamma": Fraction(1, 2)}):
        found = solve_trade_off(instance, **given)
        assert found.value == float("inf")
        assert "unbounded" in verify(json.loads(json.dumps(found.certificate()))).reason
    # 1·α + (k − 1)·γ ≥ k, and γ above α is worth no more than α.
    assert solve_trade_off(instance, alpha=1, beta=2).value == 1
    assert solve_trade_off(instance, alpha=1, gamma=2).value == 2


@pytest.mark.parametrize(
    ("pages", "cache", "given", "value"),
    [
        # α + (k − 1)·γ ≥ k is all that binds γ: a coarse unit shows it, one that follows the bound does not.
        (4, 3, {"alpha": Fraction(3, 2), "beta": Fraction(3, 2)}, Fraction(3, 4)),
        # γ above α is worth no more than α, also where both are fractions with nothing in common.
        (4, 3, {"alpha": Fraction(1009, 997), "gamma": Fraction(1013, 991)}, 3 - Fraction(1009, 997)),
    ],
)
def test_fractions_do_not_make_the_game_large(
    pages: int, cache: int, given: dict[str, Fraction], value: Fraction
) -> None:
    found = solve_trade_off(LayeredInstance(1, pages, cache), **given, max_states=5000)
    assert found.value == value
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED


def test_an_interval_where_the_least_gamma_is_far_down() -> None:
    found = solve_trade_off(LayeredInstance(2, 2, 3), alpha=1, beta=2, max_states=5000)
    assert Fraction(3, 4) <= found.lower < 1 == found.upper
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED


def test_the_surface_holds_every_least_coefficient() -> None:
    instance = LayeredInstance(2, 2, 3)
    found = trade_off_surface("flush-when-kept", instance)
    assert [tuple(vertex) for vertex in found.vertices] == [(1, 2, 1), (3, 0, 1)]
    assert sorted(cycle.inequality for cycle in found.cycles) == ["α + β ≥ 3", "α ≥ 1", "γ ≥ 1"]
    for alpha in (ONE, Fraction(3, 2), Fraction(3)):
        assert policy_trade_off("flush-when-kept", instance, alpha=alpha, gamma=1).value == 3 - alpha


def test_symmetry_changes_nothing() -> None:
    instance = LayeredInstance(2, 2, 2)
    sizes = []
    for symmetry in (None, Symmetry(False, False)):
        graph = PredictedGraph("flush-when-kept", instance, symmetry)
        while not graph.complete:
            graph.grow()
        sizes.append(graph.states)
    assert sizes[0] < sizes[1]


# ------------------------------------------------------------------------------------ limits, commands


def test_limits_give_intervals() -> None:
    instance = LayeredInstance(2, 3, 3)
    found = solve_trade_off(instance, alpha=1, gamma=1, max_states=10)
    assert (found.lower, found.upper, found.value) == (0, None, None)
    policy = policy_trade_off("flush-when-kept", instance, alpha=1, gamma=1, max_states=10)
    assert policy.value is None
    stopped = solve_trade_off(instance, alpha=1, gamma=1, watch=Watch(lambda _: None, lambda: True))
    assert stopped.value is None


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--predictions", "discard", "-l", "1", "-n", "3", "-k", "2"]
    for command in (["game"], ["exact", "flush-when-kept"]):
        path = tmp_path / "certificate.json"
        assert paging_run([*command, *size, "--alpha", "1", "--gamma", "1.0", "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert [shown[name] for name in ("alpha", "beta", "gamma", "least")] == ["1", "1", "1", "beta"]
        assert paging_run([*command, *size, "--beta", "1", "--gamma", "1", "--certificate", str(path)]) == 0
        assert "exact" in capsys.readouterr().out
        assert verify(read_certificate(path)).status == VERIFIED
        assert paging_run(["verify", str(path)]) == 0
        capsys.readouterr()
    assert paging_run(["exact", "flush-when-kept", *size, "--surface"]) == 0
    assert "α + β ≥ 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["game", "--predictions", "discard", "--alpha", "1"],
            "two of alpha, beta and gamma must be given, not 1",
        ),
        (["game", "--predictions", "discard", "--alpha", "-1"], "'-1' is no number ≥ 0"),
        (["game", "--alpha", "1"], "are about a game with predictions"),
        (["game", "--predictions", "discard", "--full"], "are about the game without predictions"),
        (["exact", "lru", "--predictions", "discard", "--alpha", "1", "--beta", "1"], "takes no predictions"),
        (["exact", "flush-when-kept"], "needs discard predictions"),
        (["exact", "flush-when-kept", "--surface"], "are about predictions"),
        (
            ["exact", "flush-when-kept", "--predictions", "discard", "--surface", "--beta", "1"],
            "no coefficients",
        ),
    ],
)
def test_bad_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert paging_run([*arguments, "-l", "1", "-n", "3", "-k", "2"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_refusals() -> None:
    with pytest.raises(ModelError, match="negative"):
        solve_trade_off(LayeredInstance(1, 3, 2), alpha=-1, gamma=1)
    for pairs in (LayeredInstance(1, 4, 3, 2), LayeredInstance(1, 4, 3, 2, "atomic")):
        with pytest.raises(UnsupportedModelError, match="g = 1"):
            solve_trade_off(pairs, alpha=1, gamma=1)
    with pytest.raises(UnsupportedModelError, match="g = 1"):
        policy_trade_off("flush-when-kept", LayeredInstance(1, 3, 2, per_visit=2), alpha=1, beta=1)
