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
from .problem import HIT, Problem, Proved, read_opt_cache, read_plain
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
from .rules import landlord, rule_of, serving
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
    small: int  # OPT's cache h
    cost: list[int]  # of a fault on every page, times the common denominator
    scale: int


def read_weighted(claim: Json, requests: Integers) -> Weighted:
    """Read instance, weights and OPT's cache."""
    shape = claim["instance"]
    if not isinstance(shape, dict) or "weights" not in shape:
        raise Incomplete("claim.instance must state weights")
    plain = {name: value for name, value in shape.items() if name != "weights"}
    problem = read_plain({"instance": plain}, requests)
    small = read_opt_cache(claim, problem)
    weights = rationals(shape["weights"], "claim.instance.weights")
    if len(weights) != len(problem.layer_of) or min(weights) <= 0:
        raise Incomplete(
            f"claim.instance.weights must be {len(problem.layer_of)} positive numbers, one per page"
        )
    if problem.capacity[0] >= len(weights):
        raise Incomplete("a ratio with weights needs fewer slots than pages")
    scale = common_denominator(weights)
    return Weighted(problem, small, [int(weight * scale) for weight in weights], scale)


def check_weighted(claim: Json, evidence: Json) -> Proved:
    """Check the type ``weighted-exact``: a cycle from below and a potential from above meet."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    sides = ("prefix", "cycle", "start", "periods", "schedule"), ("functions", "labels", "works", "layers")
    members(evidence, "evidence", (*sides[0], *sides[1], "potential"))
    prefix, cycle = (integers(evidence[name], f"evidence.{name}") for name in ("prefix", "cycle"))
    setting = read_weighted(claim, [*prefix, *cycle])
    ratio, additive = (rational(claim[name], f"claim.{name}") for name in ("ratio", "additive"))
    policy = claim["policy"]
    serve = rule_with_weights(policy, setting)
    check_below(ratio, setting, serve, prefix, cycle, evidence)
    found = check_above(ratio, setting, serve, evidence)
    if additive != found:
        raise Refuted(f"the claim says additive = {additive}, but the potential proves {found}")
    reason = (
        f"policy {policy}: the competitive ratio with these weights is exactly {ratio}; "
        f"cost ≤ {ratio}·OPT + {found}, and a cycle reaches {ratio}"
    )
    return Proved(reason, assumed(setting))


def assumed(setting: Weighted) -> tuple[str, ...]:
    """Return the model that a claim is about, and the theorems that it rests on."""
    model = (*setting.problem.model[:4], "weighted faults", f"OPT has {setting.small} pages")
    return (*model, PREPAID, DOMINATED)


Serve = Callable[[Labels, int], Labels]


def rule_with_weights(policy: Json, setting: Weighted) -> Serve:
    """Return the rule of a policy; without one nothing can be checked."""
    problem, name = setting.problem, str(policy)
    if name in LANDLORDS:
        cache, cost, renews = problem.capacity[0], setting.cost, LANDLORDS[name]
        return lambda labels, page: landlord(labels, page, cache, cost[page], renews=renews)
    rule = rule_of(name, problem)
    if rule is None or rule.unit:
        raise Incomplete(f"this checker has no rule of policy {name[:200]}, which a claim with weights needs")
    known = serving(rule, problem)
    return lambda labels, page: known(labels, page, problem.layer_of[page])


LANDLORDS = {"landlord": True, "landlord-fifo": False}
"""Whether a hit renews the credit."""


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
        raise Refuted("the state of the policy after the cycle is not the one before")
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
        self.prices: dict[int, int] = {}
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
        known = self.prices.get(cache)
        if known is None:
            spend("work functions", len(self.cost), 100)
            known = self.prices[cache] = sum(cost for q, cost in enumerate(self.cost) if cache >> q & 1)
        return known

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
        spend("work functions", len(function) ** 2 + 4 * len(function) * len(self.cost))
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


def columns(evidence: Json, *names: str) -> list[Integers]:
    """Read arrays that have one number for every state."""
    found: list[Integers] = [integers(evidence[name], f"evidence.{name}") for name in names]
    if len({len(column) for column in found}) > 1:
        raise Refuted(f"evidence: {', '.join(names)} must have one number for every state")
    return found


def check_names(works: Integers, layers: Integers, functions: Functions, problem: Problem) -> None:
    """Refuse states of a layer or a work function that does not exist."""
    for s, (work, layer) in enumerate(zip(works, layers, strict=True)):
        if not 0 <= layer < problem.layers or not 0 <= work < len(functions.listed):
            raise Refuted(f"state {s} names a layer or a work function that does not exist")


def first_pages(problem: Problem) -> list[int]:
    """Return the first page of every layer, then the number of pages."""
    return [sum(problem.counts[:layer]) for layer in range(problem.layers + 1)]


def check_above(ratio: Fraction, setting: Weighted, serve: Serve, evidence: Json) -> Fraction:
    """Refuse unless no request leads out of the list and the potential pays; return the additive constant."""
    problem, cost = setting.problem, setting.cost
    functions = Functions(evidence, setting)
    works, layers, potential = columns(evidence, "works", "layers", "potential")
    rows = array_of(evidence, "labels", len(layers), len(cost))
    spend("the states", 40 * len(rows), 200 * len(layers) + 100 * len(rows))
    vectors = [tuple(rows[s * len(cost) : (s + 1) * len(cost)]) for s in range(len(layers))]
    states: dict[tuple[tuple[int, ...], int | None, int], int] = {
        state: s for s, state in enumerate(zip(vectors, works, layers, strict=True))
    }
    start = states.get((((0,) * len(cost)), functions.start, 0))
    if start is None:
        raise Refuted("the cold start is not among the states")
    check_names(works, layers, functions, problem)
    first = first_pages(problem)
    answers: dict[tuple[tuple[int, ...], int], tuple[tuple[int, ...], int]] = {}
    reached, pending = {start}, [start]
    for s in pending:
        labels, work, layer = vectors[s], works[s], layers[s]
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
            if target not in reached:
                reached.add(target)
                pending.append(target)
    if len(reached) < len(vectors):
        stray = next(s for s in range(len(vectors)) if s not in reached)
        raise Refuted(f"state {stray} cannot be reached from the cold start, or is listed twice")
    return Fraction(potential[start] - min(potential), ratio.denominator * setting.scale)


# ------------------------------------------------------------------------------ type "weighted-game"

SIDES = {"lower": ("requests", "steps"), "upper": ("victims",)}
"""Evidence of each side beside listed states and a potential."""


class Play(NamedTuple):
    """Listed states of the game: the algorithm's cache, a work function, the layer to be served."""

    functions: Functions
    rows: list[tuple[int, int, int]]
    states: dict[tuple[int, int | None, int], int]
    potential: Integers
    first: list[int]  # page of every layer


class Answered(NamedTuple):
    """What a request in a state costs both sides, and where each victim leads; page −1 is a free slot."""

    paid: int
    growth: int
    targets: dict[int, int | None]


def check_weighted_game(claim: Json, evidence: Json) -> Proved:
    """Check the type ``weighted-game``: the best ratio is at least ``lower``, at most ``upper``.

    On a fault with a full cache the algorithm chooses what leaves, and it never evicts otherwise: any other
    one can be made to wait, and to load a page only when it is asked for, without paying more.
    """
    members(claim, "claim", ("instance", "opt_cache"), SIDES)
    sides = [side for side in SIDES if side in claim]
    if not sides:
        raise Incomplete("claim needs lower, upper or both")
    members(evidence, "evidence", sides)
    setting = read_weighted(claim, [])
    for side in sides:
        ratio = rational(claim[side], f"claim.{side}")
        listed = members(
            evidence[side],
            f"evidence.{side}",
            ("functions", "cached", "works", "layers", "potential", *SIDES[side]),
        )
        play = read_play(listed, setting)
        if side == "lower":
            check_adversary(ratio, play, listed, setting)
        else:
            check_algorithm(ratio, play, listed, setting)
    words = {"lower": "at least", "upper": "at most"}
    text = " and ".join(f"{words[side]} {claim[side]}" for side in sides)
    return Proved(f"the best deterministic ratio with these weights is {text}", assumed(setting))


def read_play(evidence: Json, setting: Weighted) -> Play:
    """Read the states of one side; the cold start is among them."""
    functions = Functions(evidence, setting)
    cached, works, layers, potential = columns(evidence, "cached", "works", "layers", "potential")
    spend("the states", 40 * len(cached), 300 * len(cached))
    check_names(works, layers, functions, setting.problem)
    rows = list(zip(cached, works, layers, strict=True))
    # A state that is listed twice is looked at twice, and found as the last one.
    states: dict[tuple[int, int | None, int], int] = {row: s for s, row in enumerate(rows)}
    if (0, functions.start, 0) not in states:
        raise Refuted("the cold start is not among the states")
    return Play(functions, rows, states, potential, first_pages(setting.problem))


def request(play: Play, s: int, page: int, setting: Weighted) -> Answered:
    """Return what a request in a state does, whatever leaves."""
    cached, work, layer = play.rows[s]
    grown, growth = play.functions.serve(work, page)
    following = (layer + 1) % setting.problem.layers
    pages = range(len(setting.cost))
    spend("moves", 4 * len(pages))
    if cached >> page & 1:
        return Answered(0, growth, {-1: play.states.get((cached, grown, following))})
    full = sum(cached >> q & 1 for q in pages) >= setting.problem.capacity[0]
    victims = [q for q in pages if cached >> q & 1] if full else [-1]
    after = {q: (cached | 1 << page) & ~(1 << q if q >= 0 else 0) for q in victims}
    targets = {q: play.states.get((cache, grown, following)) for q, cache in after.items()}
    return Answered(setting.cost[page], growth, targets)


def check_algorithm(ratio: Fraction, play: Play, evidence: Json, setting: Weighted) -> None:
    """Refuse unless the listed victims keep to the list, and the potential pays, whatever is requested."""
    listed = iter(integers(evidence["victims"], "evidence.upper.victims"))
    for s, (_, _, layer) in enumerate(play.rows):
        for page in range(play.first[layer], play.first[layer + 1]):
            found, victim = request(play, s, page, setting), next(listed, None)
            target = None if victim is None else found.targets.get(victim)
            if target is None:
                raise Refuted(
                    f"state {s}: no victim that keeps to the list is named for a request of page {page}"
                )
            rise = play.potential[target] - play.potential[s]
            if ratio.denominator * found.paid + rise > ratio.numerator * found.growth:
                raise Refuted(f"state {s}: a request of page {page} breaks the potential")


def check_adversary(ratio: Fraction, play: Play, evidence: Json, setting: Weighted) -> None:
    """Refuse unless the listed requests keep to the list and force the ratio, whatever leaves.

    Adding up gives Q·cost ≥ P·OPT − constant. A move without cost leads to fewer steps, so one of the two
    grows for ever; as the cost is bounded only if OPT is, the cost grows: no ratio below P/Q is possible.
    """
    requests, steps, _ = columns(evidence, "requests", "steps", "layers")
    for s, page in enumerate(requests):
        layer = play.rows[s][2]
        if not play.first[layer] <= page < play.first[layer + 1]:
            raise Refuted(f"state {s}: page {page} is not in the layer to be served")
        found = request(play, s, page, setting)
        for victim, target in found.targets.items():
            if target is None:
                raise Refuted(f"state {s}: if page {victim} leaves, the next state is not listed")
            rise = play.potential[target] - play.potential[s]
            if ratio.denominator * found.paid + rise < ratio.numerator * found.growth:
                raise Refuted(f"state {s}: the request breaks the potential if page {victim} leaves")
            if not found.paid and not found.growth and steps[target] >= steps[s]:
                raise Refuted(f"state {s}: the request costs nothing, and does not lead to fewer steps")
