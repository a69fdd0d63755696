"""Where a bound says it speaks, it is true: every upper bound against all short sequences."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paging import (
    LayeredInstance,
    PredictedSequence,
    RequestSequence,
    get_policy,
    prediction_errors,
    simulate,
)
from proofs.bounds.claims import right_side
from proofs.bounds.measuring import optimum as optimum_of
from proofs.bounds.registry import BOUNDS, get_bound
from proofs.bounds.verdicts import Case, check_upper

SMALL = (
    LayeredInstance(1, 3, 1),
    LayeredInstance(1, 3, 2),
    LayeredInstance(1, 4, 3),
    LayeredInstance(2, 2, 2),
    LayeredInstance(2, 2, 3),
    LayeredInstance(2, (1, 3), 2),
    LayeredInstance(2, (3, 2), 3),
    LayeredInstance(2, (2, 3), 4),
    LayeredInstance(2, 1, 3),
    LayeredInstance(3, 2, 2),
    LayeredInstance(3, (2, 1, 2), 4),
    LayeredInstance(3, 2, 3),
    LayeredInstance(3, 2, 4),
    LayeredInstance(3, 2, 5),
    LayeredInstance(1, 3, 2, per_visit=2),
    LayeredInstance(1, 4, 3, per_visit=2),
    LayeredInstance(2, 2, 3, per_visit=2),
    LayeredInstance(2, (2, 3), 3, per_visit=2),
    LayeredInstance(1, 3, 2, bypassing=True),
    LayeredInstance(2, 2, 3, bypassing=True),
    LayeredInstance(2, 2, 3, per_visit=2, visits="atomic"),
)
LENGTH = 11
MOST = 300
"""Requests of the longest sequences, and situations after which no longer ones are tried."""

SEQUENTIAL = [bound for bound in BOUNDS.values() if "sequential" in bound.range.visits]
"""The others, about atomic visits alone, are tested in test_visits."""

CERTAIN = [bound for bound in SEQUENTIAL if bound.kind != "lower" and bound.additive is not None]

UPPER = [bound for bound in CERTAIN if not bound.errors]
"""What holds whatever is predicted; test_bounds_with_errors_hold_for_all_bits has the others."""

BITS = ((LayeredInstance(1, 3, 2), 4), (LayeredInstance(2, 2, 2), 5), (LayeredInstance(2, 2, 3), 5))
"""Instances, and requests of sequences that are tried with all bits."""

VISITS = ("visits-lower", "visits-lower-late", "visits-lower-one-layer", "bypassing-lower")
"""What is forced with several pages a visit; test_visits compares it with exact values."""

Costs = tuple[tuple[int, int], ...]


@cache
def serve_all(costs: Costs, page: int, slots: int, bypassing: bool) -> tuple[Costs, int]:
    """Serve a page from all caches (bit sets) at once; return their costs above the least, and the least."""
    after: dict[int, int] = {}
    for held, cost in costs:
        if held >> page & 1:
            ways = [(held, cost)]
        else:
            ways = [(held, cost + 1)] if bypassing else []
            room = [0] if held.bit_count() < slots else [1 << q for q in range(held.bit_length())]
            ways += [((held ^ q) | 1 << page, cost + 1) for q in room if q & held == q]
        for found, paid in ways:
            after[found] = min(paid, after.get(found, paid))
    least = min(after.values())
    return tuple(sorted((held, cost - least) for held, cost in after.items())), least


States = tuple[tuple[tuple[int, ...], Fraction | int], ...]
"""Label vectors, each with its probability; certainty is the integer 1, with which Python is faster."""


@lru_cache(maxsize=1)
def server_of(
    policy: str, instance: LayeredInstance
) -> Callable[[States, int, int, int], tuple[States, Fraction | int]]:
    """Return what serves a page, with a prediction, in a slot: the states after it and the chance of a fault.

    It remembers its answers, which do not depend on OPT.
    """
    answer = get_policy(policy)
    frames = [instance.frame._replace(prediction=bit) for bit in range(2)]

    @cache
    def outcomes(labels: tuple[int, ...], page: int, slot: int, bit: int) -> States:
        told = answer.outcomes(np.array(labels), page, slot, frames[bit])
        return tuple((tuple(after.tolist()), 1 if share == 1 else share) for share, after in told)

    @cache
    def served(states: States, page: int, slot: int, bit: int) -> tuple[States, Fraction | int]:
        found: dict[tuple[int, ...], Fraction | int] = defaultdict(int)
        for labels, chance in states:
            for after, share in outcomes(labels, page, slot, bit):
                found[after] += chance * share
        return tuple(sorted(found.items())), sum(chance for labels, chance in states if labels[page] <= 0)

    return served


def worst_costs(
    policy: str, instance: LayeredInstance, opt_cache: int, most: int = MOST
) -> Iterator[tuple[Fraction | int, int]]:
    """Yield (largest cost of the policy, OPT's cost) over all short sequences and all bits predicted."""
    kind = get_policy(policy).predictions
    assert kind in (None, "discard", "phase")
    bits = range(1 if kind is None else 2)
    serve = server_of(policy, instance)
    start: States = (((0,) * instance.total_pages, 1),)
    level: dict[Any, Fraction | int] = {(start, ((0, 0),), 0, frozenset[int]()): 0}
    for time in range(LENGTH):
        if len(level) > most:
            return
        following: dict[Any, Fraction | int] = {}
        slot = time % instance.round_length
        for (states, costs, optimum, visit), paid in level.items():
            used = visit if time % instance.per_visit else frozenset()
            for page, bit in product(set(instance.pages_of(instance.layer_at(time))) - used, bits):
                after, fault = serve(states, page, slot, bit)
                above, least = serve_all(costs, page, opt_cache, instance.bypassing)
                key = (after, above, optimum + least, used | {page})
                following[key] = max(following.get(key, 0), paid + fault)
        level = following
        for (_, _, optimum, _), paid in level.items():
            yield paid, optimum


@pytest.mark.slow
@pytest.mark.parametrize("instance", SMALL, ids=str)
def test_upper_bounds_hold_wherever_they_speak(instance: LayeredInstance) -> None:
    claims = defaultdict(list)
    for bound in UPPER:
        for opt_cache in range(1, instance.cache + 1):
            if bound.excluded(instance, opt_cache, "upper") is None:
                for policy in bound.policies:
                    claims[policy, opt_cache].append(bound)
    assert bool(claims) == (instance.visits == "sequential")
    for (policy, opt_cache), bounds in sorted(claims.items()):  # a policy's answers are remembered
        limits = [(b.id, b.at(instance, opt_cache), b.additive_at(instance, opt_cache)) for b in bounds]
        for paid, optimum in worst_costs(policy, instance, opt_cache):
            for name, value, additive in limits:
                assert paid <= value * optimum + additive, (name, policy, opt_cache)


@pytest.mark.slow
@pytest.mark.parametrize(("instance", "length"), BITS, ids=str)
def test_bounds_with_errors_hold_for_all_bits(instance: LayeredInstance, length: int) -> None:
    claims = [
        (bound, policy, get_policy(policy).predictions)
        for bound in CERTAIN
        if bound.errors
        for policy in bound.policies
        if get_policy(policy).predictions in ("discard", "phase")
    ]
    assert {kind for _, _, kind in claims} == {"discard", "phase"}
    allowed = cache(right_side)
    layers = [list(instance.pages_of(instance.layer_at(time))) for time in range(length)]
    for requests in product(*layers):
        plain = RequestSequence(instance, list(requests))
        paid = optimum_of(plain, instance.cache)
        for bits in product((0, 1), repeat=length):
            told = {kind: PredictedSequence(plain, kind, bits) for _, _, kind in claims if kind is not None}
            errors = {kind: prediction_errors(sequence) for kind, sequence in told.items()}
            for bound, policy, kind in claims:
                assert kind is not None
                most = allowed(bound, instance, paid, errors[kind])
                assert simulate(policy, told[kind]).faults <= most, (bound.id, policy, requests, bits)


def test_every_upper_bound_speaks_of_a_small_instance() -> None:
    for bound in CERTAIN:
        assert any(bound.excluded(instance, None, "upper") is None for instance in SMALL), bound.id


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "policy", "instance"),
    [
        ("marking-upper", "lru", LayeredInstance(1, 3, 2, bypassing=True)),
        ("conservative-upper", "fifo", LayeredInstance(1, 3, 2, bypassing=True)),
        ("random-upper", "random", LayeredInstance(1, 3, 1, bypassing=True)),
    ],
)
def test_with_bypassing_classical_bounds_are_false_and_silent(
    name: str, policy: str, instance: LayeredInstance
) -> None:
    bound = get_bound(name)
    assert bound.excluded(instance) == "forced service"
    value = bound.at(instance)
    assert any(
        paid > value * optimum for paid, optimum in worst_costs(policy, instance, instance.cache, 3000)
    )


def test_a_true_theorem_is_not_reported_as_violated(tmp_path: Path) -> None:
    instance = LayeredInstance(layers=1, pages=3, cache=2, bypassing=True)
    case = Case("cyclic", RequestSequence(instance, [0, 1, 2] * 100), 2)
    finding = check_upper(get_bound("marking-upper"), "lru", [case], directory=tmp_path)
    assert (finding.outcome, finding.runs) == ("does not speak here", 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", [bound.id for bound in SEQUENTIAL if bound.kind == "lower" and bound.id not in VISITS]
)
def test_what_is_forced_is_claimed_for_one_page_a_visit(name: str) -> None:
    # (ℓ, n, k, g) = (2, 2, 3, 2): L2 would say 2, but 3/2 is possible; (1, 4, 3, 4): 3, but 2 is possible.
    for shape in ((2, 2, 3, 2), (3, 2, 5, 2), (1, 4, 3, 4), (2, 8, 7, 2)):
        assert get_bound(name).excluded(LayeredInstance(*shape)) == "g = 1"


def test_an_opt_with_more_slots_is_out_of_range() -> None:
    for bound in SEQUENTIAL:
        bypassing = "forced" not in bound.range.service
        assert bound.excluded(LayeredInstance(1, 12, 6, bypassing=bypassing), 7) == "h ≤ k"
