"""Claims about ratios where a fault costs what its page weighs.

With weights one label per page does not say what OPT has paid: the *work function* says it, the least cost
of a schedule so far for every cache of h pages that it may end with, less the least of them. A cache that
another one undercuts by what it lacks is left out: whoever holds the other one can follow, and load what it
lacks when it is asked for. OPT may start with any cache, at the price of loading it; so it pays no more than
from a cold start. All costs are times the weights' common denominator. States are listed as they are, none up
to renaming.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from .cycle import returning_faults
from .potential import step
from .problem import HIT, Problem, Proved, read_setting
from .reading import (
    Incomplete,
    Integers,
    Json,
    Refuted,
    common_denominator,
    integers,
    members,
    rational,
    rationals,
    spend,
    whole,
)
from .rules import answer, rule_of
from .states import array_of

Labels = list[int]
Function = dict[int, int]
"""A value for every cache that is not left out; a cache is a number whose bits are its pages."""

PREPAID = "OPT may start with any cache, at the price of loading it"
DOMINATED = (
    "OPT needs no cache that another one undercuts by what it lacks (theorem in docs/exact-weights.md)"
)


class Weighted(NamedTuple):
    """The instance of a claim with weights."""

    problem: Problem
    policy: str
    small: int  # OPT's cache h
    cost: list[int]  # of a fault on every page, times the common denominator
    scale: int


def read_weighted(claim: Json, requests: Integers) -> Weighted:
    """Read instance, weights, policy and OPT's cache."""
    shape = claim["instance"]
    if not isinstance(shape, dict) or "weights" not in shape:
        raise Incomplete("claim.instance must state weights")
    plain = {name: value for name, value in shape.items() if name != "weights"}
    problem, policy, small = read_setting({**claim, "instance": plain}, requests)
    weights = rationals(shape["weights"], "claim.instance.weights")
    if len(weights) != len(problem.layer_of) or min(weights) <= 0:
        raise Incomplete(
            f"claim.instance.weights must be {len(problem.layer_of)} positive numbers, one per page"
        )
    if problem.capacity[0] >= len(weights):
        raise Incomplete("a ratio with weights needs fewer slots than pages")
    scale = common_denominator(weights)
    return Weighted(problem, policy, small, [int(weight * scale) for weight in weights], scale)


def check_weighted(claim: Json, evidence: Json) -> Proved:
    """Check the type ``weighted-exact``: a cycle from below and a potential from above meet."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    sides = ("prefix", "cycle", "start", "periods", "schedule"), ("functions", "labels", "works", "layers")
    members(evidence, "evidence", (*sides[0], *sides[1], "potential"))
    prefix, cycle = (integers(evidence[name], f"evidence.{name}") for name in ("prefix", "cycle"))
    setting = read_weighted(claim, [*prefix, *cycle])
    ratio, additive = (rational(claim[name], f"claim.{name}") for name in ("ratio", "additive"))
    serve = rule_with_weights(setting)
    check_below(ratio, setting, serve, prefix, cycle, evidence)
    found = check_above(ratio, setting, serve, evidence)
    if additive != found:
        raise Refuted(f"the claim says additive = {additive}, but the potential proves {found}")
    reason = (
        f"policy {setting.policy}: the competitive ratio with these weights is exactly {ratio}; "
        f"cost ≤ {ratio}·OPT + {found}, and a cycle reaches {ratio}"
    )
    model = (*setting.problem.model[:4], "weighted faults", f"OPT has {setting.small} pages")
    return Proved(reason, (*model, PREPAID, DOMINATED))


Serve = Callable[[Labels, int], Labels]


def rule_with_weights(setting: Weighted) -> Serve:
    """Return the rule of the claim's policy; without one nothing can be checked."""
    problem, policy = setting.problem, setting.policy
    if policy in LANDLORDS:
        return lambda labels, page: landlord(labels, page, setting, renews=LANDLORDS[policy])
    rule = rule_of(policy, problem)
    if rule is None:
        raise Incomplete(f"this checker has no rule of policy {policy}, which a claim with weights needs")
    return lambda labels, page: answer(rule, labels, page, problem.layer_of[page], problem)


LANDLORDS = {"landlord": True, "landlord-fifo": False}
"""Whether a hit renews the credit."""


def landlord(labels: Labels, page: int, setting: Weighted, *, renews: bool) -> Labels:
    """credit·(k + 1) + rank, the longest since its renewal first; all pay the least credit, and it leaves."""
    cache = setting.problem.capacity[0]
    line = sorted((q for q, label in enumerate(labels) if label), key=lambda q: labels[q] % (cache + 1))
    credit = {q: labels[q] // (cache + 1) for q in line}
    if page not in credit and len(line) == cache:
        poorest = min(line, key=credit.__getitem__)
        rent = credit[poorest]
        credit = {q: left - rent for q, left in credit.items()}
        line.remove(poorest)
    if page not in credit or renews:
        line = [*(q for q in line if q != page), page]
        credit[page] = setting.cost[page]
    after = [0] * len(labels)
    for rank, q in enumerate(line, start=1):
        after[q] = credit[q] * (cache + 1) + rank
    return after


# ------------------------------------------------------------------------------------------ from below


def check_below(
    ratio: Fraction, setting: Weighted, serve: Serve, prefix: Integers, cycle: Integers, evidence: Json
) -> None:
    """Refuse unless the cycle costs the policy ``ratio`` times what a schedule pays that returns."""
    problem, cost = setting.problem, setting.cost
    if len(cycle) == 0 or len(cycle) % problem.layers:
        raise Refuted(f"the cycle has {len(cycle)} requests: no whole number of rounds")
    spend("serving", 8 * len(cost) * (len(prefix) + len(cycle)))
    labels, before, online = [0] * len(cost), [0] * len(cost), 0
    for t, page in enumerate([*prefix, *cycle]):
        if t == len(prefix):
            before, online = labels, 0
        after = serve(labels, page)
        online += cost[page] * step(labels, after, page, problem.capacity[0])
        labels = after
    if labels != before:
        raise Refuted(f"the state of {setting.policy} after the cycle is not the one before")
    entries = integers(evidence["schedule"], "evidence.schedule")
    periods = whole(evidence["periods"], "evidence.periods", 1)
    if len(entries) != periods * len(cycle):
        raise Refuted(f"the schedule has {len(entries)} entries for {periods} repetitions of {len(cycle)}")
    start = integers(evidence["start"], "evidence.start")
    returning_faults(cycle, entries, start, setting.small)
    offline = sum(cost[cycle[t % len(cycle)]] for t, entry in enumerate(entries) if entry != HIT)
    if ratio * offline != periods * online or not offline:
        raise Refuted(
            f"{periods} repetitions cost the policy {periods * online} and OPT {offline}: not {ratio}"
        )


# ------------------------------------------------------------------------------------------ from above


class Functions:
    """The listed work functions by number, and what requests make of them, worked out once."""

    def __init__(self, evidence: Json, setting: Weighted) -> None:
        pages, small = len(setting.cost), setting.small
        self.cost = setting.cost
        count = 1
        for i in range(min(small, pages - small)):
            count = count * (pages - i) // (i + 1)
            spend("caches", count, 200 * count)
        sets = [sum(1 << q for q in chosen) for chosen in combinations(range(pages), small)]
        flat = integers(evidence["functions"], "evidence.functions")
        if len(flat) % len(sets):
            raise Refuted(
                f"evidence.functions has {len(flat)} numbers, no multiple of the {len(sets)} caches"
            )
        rows = [flat[first : first + len(sets)] for first in range(0, len(flat), len(sets))]
        spend("evidence.functions", 2 * len(flat), 100 * len(flat))
        self.listed = [
            {cache: value for cache, value in zip(sets, row, strict=True) if value >= 0} for row in rows
        ]
        self.number = {frozenset(function.items()): f for f, function in enumerate(self.listed)}
        whole_price = {cache: self.price(cache) for cache in sets}
        least = min(whole_price.values())
        self.start = self.find({cache: price - least for cache, price in whole_price.items()})
        self.steps: dict[tuple[int, int], tuple[int | None, int]] = {}

    def price(self, cache: int) -> int:
        """Return what the pages of a cache weigh."""
        return sum(cost for q, cost in enumerate(self.cost) if cache >> q & 1)

    def find(self, function: Function) -> int | None:
        """Return the number of a function, None if it is not listed."""
        return self.number.get(frozenset(function.items()))

    def serve(self, function: int, page: int) -> tuple[int | None, int]:
        """Return the function after a request, and by how much the least value has grown."""
        known = self.steps.get((function, page))
        if known is None:
            known = self.steps[function, page] = self.moved(self.listed[function], page)
        return known

    def moved(self, function: Function, page: int) -> tuple[int | None, int]:
        """Serve a request: a cache without the page swaps one of its pages for it."""
        spend("work functions", len(function) ** 2 * 4 + 4 * len(function) * len(self.cost))
        after: Function = {}
        for cache, value in function.items():
            if cache >> page & 1:
                after[cache] = min(value, after.get(cache, value))
                continue
            for q in range(len(self.cost)):
                if cache >> q & 1:
                    other, paid = cache ^ 1 << q | 1 << page, value + self.cost[page]
                    after[other] = min(paid, after.get(other, paid))
        kept = {
            cache: value
            for cache, value in after.items()
            if not any(
                other != cache and paid + self.price(cache & ~other) <= value for other, paid in after.items()
            )
        }
        least = min(kept.values(), default=0)
        return self.find({cache: value - least for cache, value in kept.items()}), least


def check_above(ratio: Fraction, setting: Weighted, serve: Serve, evidence: Json) -> Fraction:
    """Refuse unless no request leads out of the list and the potential pays; return the additive constant."""
    problem, cost = setting.problem, setting.cost
    functions = Functions(evidence, setting)
    works, layers, potential = (
        integers(evidence[name], f"evidence.{name}") for name in ("works", "layers", "potential")
    )
    rows = array_of(evidence, "labels", len(layers), len(cost))
    if not len(works) == len(layers) == len(potential):
        raise Refuted("evidence.works, layers and potential must have one number for every state")
    spend("the states", 40 * len(rows), 200 * len(layers) + 100 * len(rows))
    vectors = [tuple(rows[s * len(cost) : (s + 1) * len(cost)]) for s in range(len(layers))]
    states: dict[tuple[tuple[int, ...], int | None, int], int] = {
        state: s for s, state in enumerate(zip(vectors, works, layers, strict=True))
    }
    start = states.get((((0,) * len(cost)), functions.start, 0))
    if start is None:
        raise Refuted("the cold start is not among the states")
    first = [sum(problem.counts[:layer]) for layer in range(problem.layers + 1)]
    answers: dict[tuple[tuple[int, ...], int], tuple[tuple[int, ...], int]] = {}
    for s, (labels, work, layer) in enumerate(zip(vectors, works, layers, strict=True)):
        if not 0 <= layer < problem.layers or not 0 <= work < len(functions.listed):
            raise Refuted(f"state {s} names a layer or a work function that does not exist")
        for page in range(first[layer], first[layer + 1]):
            if (labels, page) not in answers:
                after = serve(list(labels), page)
                fault = step(list(labels), after, page, problem.capacity[0])
                answers[labels, page] = tuple(after), cost[page] * fault
            following, paid = answers[labels, page]
            grown, growth = functions.serve(work, page)
            target = states.get((following, grown, (layer + 1) % problem.layers))
            if target is None:
                raise Refuted(f"state {s}: a request of page {page} leads to a state that is not listed")
            rise = potential[target] - potential[s]
            if ratio.denominator * paid + rise > ratio.numerator * growth:
                raise Refuted(
                    f"state {s}: a request of page {page} breaks the potential: "
                    f"{ratio.denominator}·{paid} + {rise} > {ratio.numerator}·{growth}"
                )
    return Fraction(potential[start] - min(potential), ratio.denominator * setting.scale)
