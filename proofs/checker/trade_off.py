"""Claims about what a given policy can do with predictions: α, β and γ (coefficients.py).

From below: requests with bits and a schedule of the reference, which can be repeated for ever. From above:
states of policy and reference with a potential Φ. From the cold start on, every request with every bit and
everything that the reference may evict must lead to a listed state, and keep
faults − α·reference − β·wrong 0 − γ·wrong 1 + Φ(next) − Φ(now) ≤ 0.

Of a randomised policy the states are numbers of listed distributions over its labels, and faults are
expected. Every distribution that can arise must be listed up to a renaming of pages, which is told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from .bits import BESIDE, POLICIES, BitPolicy, Known, Paid
from .coefficients import NAMES, TradeOffClaim, prices_of, read_trade_off
from .problem import HIT, Problem, Proved, read_plain
from .reading import (
    Incomplete,
    Integers,
    Json,
    Refuted,
    bounded,
    choice,
    integers,
    members,
    rationals,
    spend,
    whole,
)
from .rules import Labels
from .states import States, array_of, read_likeness, read_states

ANSWER, ATOM = 400, 300
"""Room for an answer of a rule that is kept, and for labels with their chance."""

Distribution = dict[tuple[int, ...], Fraction]


def check_trade_off(claim: Json, evidence: Json) -> Proved:
    """Check the type ``trade-off``: the least third coefficient of a policy."""
    setting = read_trade_off(claim, evidence, "policy", kinds=tuple(BESIDE))
    kind = claim["predictions"]
    if kind == "phase" and setting.problem.capacity[0] > len(setting.problem.layer_of):
        raise Incomplete("a claim about phase bits must be about no more slots than pages")
    names = [name for name, policy in POLICIES.items() if policy.kind == kind]
    name = choice(claim["policy"], f"claim.policy (predictions: {kind})", *names)
    policy = POLICIES[name]
    words = []
    if "lower" in claim:
        words.append(check_cycle(setting, policy, evidence["lower"]))
    if "upper" in claim:
        words.append(check_upper(setting, policy, evidence["upper"]))
    proved = setting.proved(f"policy {name}", words)
    if policy.outcomes is None:
        return proved
    return proved._replace(assumptions=(*proved.assumptions, "the adversary is oblivious"))


# ------------------------------------------------------------------------- from below: a cycle of requests


def check_cycle(setting: TradeOffClaim, policy: BitPolicy, evidence: Json) -> str:
    """Refuse unless the requests can be repeated for ever, and prove the bound."""
    scheduled = ("schedule",) if setting.beside.scheduled else ()
    members(evidence, "evidence.lower", ("prefix", "requests", "bits", *scheduled))
    requests, bits, *rest = (
        integers(evidence[name], f"evidence.lower.{name}") for name in ("requests", "bits", *scheduled)
    )
    schedule = rest[0] if rest else [HIT] * len(requests)
    prefix = whole(evidence["prefix"], "evidence.lower.prefix", 0)
    if len(requests) <= prefix or (len(requests) - prefix) % setting.problem.layers:
        raise Refuted("the cycle is no whole number of rounds")
    if len(bits) != len(requests) or len(schedule) != len(requests) or not {*bits} <= {0, 1}:
        raise Refuted("evidence.lower must have one bit and one entry of a schedule for every request")
    problem = read_plain(setting.claim, requests)
    width = len(problem.layer_of)
    spend("serving the requests", 8 * width * len(requests), 100 * width)
    ours: Distribution = {(0,) * width: Fraction(1)}
    known = [0] * width
    before = (ours, known)
    faults, paid = Fraction(0), (0, 0, 0)
    for t, (page, bit, entry) in enumerate(zip(requests, bits, schedule, strict=True)):
        if t == prefix:
            before, faults, paid = (ours, known), Fraction(0), (0, 0, 0)
        faults = bounded(faults + missing(ours, page))
        ours = served(policy, ours, page, t % problem.layers, bit, problem)
        choices = dict(setting.beside.follow(known, page, bit, problem.capacity[0]))
        if entry not in choices:
            raise Refuted(f"request {t}: the entry {entry} of the schedule is not allowed")
        known, more = choices[entry]
        paid = (paid[0] + more[0], paid[1] + more[1], paid[2] + more[2])
    if (ours, known) != before:
        raise Refuted("policy or reference are not after the cycle what they were before")
    prices, free = prices_of(setting.known("lower")), paid[NAMES.index(setting.least)]
    gain = prices.unit * faults - prices.of(paid)
    if not (gain > 0 == free if setting.endless else gain >= 0 < free):
        raise Refuted(f"{faults} faults, where the reference pays {paid}, do not prove the bound")
    wrong = f"{paid[1]} wrong 0s and {paid[2]} wrong 1s"
    return f"a repetition costs it {faults} faults, the reference {paid[0]}, with {wrong}"


def missing(distribution: Distribution, page: int) -> Fraction:
    """Return how likely a page is not cached."""
    return sum((chance for labels, chance in distribution.items() if labels[page] <= 0), Fraction(0))


def served(
    policy: BitPolicy, distribution: Distribution, page: int, layer: int, bit: int, problem: Problem
) -> Distribution:
    """Return the distribution over labels after a request."""
    found: Distribution = {}
    for labels, chance in distribution.items():
        outcomes = policy.answered(list(labels), page, layer, bit, problem)
        spend("the policy's answers", 8 * len(labels) * len(outcomes))
        for share, after in outcomes:
            key = tuple(after)
            found[key] = bounded(found.get(key, Fraction(0)) + chance * share)
    return found


# -------------------------------------------------------------------------- from above: all of the states


def check_upper(setting: TradeOffClaim, policy: BitPolicy, evidence: Json) -> str:
    """Refuse unless every request keeps to the listed states and the potential."""
    prices = prices_of(setting.known("upper"))
    walk = walk_of(setting, policy, evidence)
    scale = whole(evidence["scale"], "evidence.upper.scale", 1) if "scale" in evidence else prices.unit
    more, rest = divmod(scale, prices.unit)
    if rest:
        raise Refuted(f"evidence.upper.scale must be a multiple of {prices.unit}")
    potential = rationals(evidence["potential"], "evidence.upper.potential")
    if len(potential) != walk.states:
        raise Refuted(f"evidence.upper has {len(potential)} potentials for {walk.states} states")
    reached, pending = {walk.start}, [walk.start]
    while pending:
        s = pending.pop()
        for page, fault, paid, t in walk.edges(s):
            gain = scale * fault - more * prices.of(paid)
            if t is None:
                raise Refuted(f"state {s}: a request of page {page} leads to a state that is not listed")
            if gain + potential[t] > potential[s]:
                raise Refuted(
                    f"state {s}: a request of page {page} breaks the potential: "
                    f"{gain} + {potential[t]} > {potential[s]}"
                )
            if t not in reached:
                reached.add(t)
                pending.append(t)
    return f"{walk.states} states keep to a potential"


Edge = tuple[int, Fraction | int, Paid, int | None]
"""Page, (expected) fault, what the reference paid, the next state."""


class BitWalk(ABC):
    """Works out what requests do from state to state; knows how many there are, and the cold start."""

    states: int
    start: int

    @abstractmethod
    def edges(self, s: int) -> Iterator[Edge]:
        """Yield every edge of a state."""

    @abstractmethod
    def served(self, s: int) -> tuple[int, Iterable[tuple[int, ...]]]:
        """Return the layer to be served in a state, and all labels that the policy may have there."""


def walk_of(setting: TradeOffClaim, policy: BitPolicy, evidence: Json) -> BitWalk:
    """Read the states of a policy beside what its bits are about."""
    if policy.outcomes is None:
        members(evidence, "evidence.upper", ("alike", "labels", "reference", "layers", "potential"))
        return LabelWalk(setting, policy, evidence)
    members(evidence, "evidence.upper", (*LISTED, "distributions", "reference", "scale", "potential"))
    return DistributionWalk(setting, policy, evidence)


class LabelWalk(BitWalk):
    """States are labels of a deterministic policy; remembers what the policy answers."""

    def __init__(self, setting: TradeOffClaim, policy: BitPolicy, evidence: Json) -> None:
        self.problem, self.policy, self.beside = setting.problem, policy, setting.beside
        alike, most = (
            read_likeness(evidence["alike"], self.problem),
            self.beside.most(self.problem.capacity[0]),
        )
        self.listed: States = read_states(
            {**evidence, "work": evidence["reference"]}, self.problem, most, alike
        )
        self.states, self.start = len(self.listed.listed), self.listed.start()
        self.known: dict[tuple[tuple[int, ...], int, int, int], Labels] = {}

    def edges(self, s: int) -> Iterator[Edge]:
        states, problem = self.listed, self.problem
        labels, held, layer = states.row(s)
        bounds = states.alike.bounds
        following = (layer + 1) % problem.layers
        seen = set()
        for page in range(bounds[layer], bounds[layer + 1]):
            if states.alike.pages and (labels[page], held[page]) in seen:
                continue
            seen.add((labels[page], held[page]))
            fault = int(labels[page] <= 0)
            for bit in (0, 1):
                after = [label * states.base for label in self.answer(tuple(labels), page, layer, bit)]
                for _, (left, paid) in self.beside.follow(held, page, bit, problem.capacity[0]):
                    spend("the moves of all states", len(labels))
                    codes = [label + has for label, has in zip(after, left, strict=True)]
                    yield page, fault, paid, states.find(codes, following)

    def served(self, s: int) -> tuple[int, Iterable[tuple[int, ...]]]:
        labels, _, layer = self.listed.row(s)
        return layer, [tuple(labels)]

    def answer(self, labels: tuple[int, ...], page: int, layer: int, bit: int) -> Labels:
        """Return the policy's labels after a request."""
        key = labels, page, layer, bit
        if key not in self.known:
            spend("the policy's answers", 8 * len(labels), ANSWER + 20 * len(labels))
            self.known[key] = self.policy.served(list(labels), page, layer, bit, self.problem)
        return self.known[key]


LISTED = ("layers", "sizes", "labels", "chances", "targets", "orders")
"""What tells distributions: the layer to be served, atoms, and per page and bit where they lead."""


class MoveOfDistribution(NamedTuple):
    """What a request makes of a distribution: which one it becomes, under which names, and its cost."""

    target: int
    order: list[int]  # page of the distribution before that stands at a place of the next one
    fault: Fraction


class DistributionWalk(BitWalk):
    """States are distributions over a policy's labels, by number; every step between them is worked out."""

    def __init__(self, setting: TradeOffClaim, policy: BitPolicy, evidence: Json) -> None:
        self.problem, self.policy, self.beside = setting.problem, policy, setting.beside
        self.layers, self.distributions = read_distributions(evidence, self.problem)
        bounds = [0, *accumulate(self.problem.counts)]
        self.own = [range(bounds[layer], bounds[layer + 1]) for layer in self.layers]
        self.first = [0, *accumulate(2 * len(own) for own in self.own)]
        width, where = len(self.problem.layer_of), "evidence.upper"
        self.targets: Integers = integers(evidence["targets"], f"{where}.targets")
        if len(self.targets) != self.first[-1]:
            raise Refuted(f"{where}.targets has {len(self.targets)} entries for {self.first[-1]} requests")
        if any(not 0 <= target < len(self.layers) for target in self.targets):
            raise Refuted(f"{where}.targets names a distribution that is not listed")
        self.orders: Integers = array_of(evidence, "orders", len(self.targets), width, where)
        self.groups: list[list[int]] = [self.alike(d) for d in range(len(self.layers))]
        self.step: dict[tuple[int, int], MoveOfDistribution] = {}
        self.listed, self.number = self.read_states(evidence, width)
        self.states = len(self.listed)
        start = self.number.get((0, (0,) * width))
        if start is None:
            raise Refuted("the cold start is not among the states")
        self.start = start

    def read_states(
        self, evidence: Json, width: int
    ) -> tuple[list[tuple[int, list[int]]], dict[tuple[int, tuple[int, ...]], int]]:
        """Read what is known beside the policy, and of which distribution."""
        numbers = integers(evidence["distributions"], "evidence.upper.distributions")
        known = array_of(evidence, "reference", len(numbers), width, "evidence.upper")
        most = self.beside.most(self.problem.capacity[0])
        if any(not 0 <= d < len(self.layers) for d in numbers) or any(not 0 <= x <= most for x in known):
            raise Refuted(f"evidence.upper names a distribution that is not listed, or a label beyond {most}")
        spend("the states", 4 * len(known), (ANSWER + 20 * width) * len(numbers))
        listed = [(d, [*known[s * width : (s + 1) * width]]) for s, d in enumerate(numbers)]
        number: dict[tuple[int, tuple[int, ...]], int] = {}
        for s, (d, own) in enumerate(listed):
            if number.setdefault((d, self.key(d, own)), s) != s:
                raise Refuted(f"state {s} is listed twice")
        return listed, number

    def alike(self, d: int) -> list[int]:
        """Return per page the first of those in a row that may be exchanged with it."""
        layer_of, distribution = self.problem.layer_of, self.distributions[d]
        first = [0]
        for q in range(1, len(layer_of)):
            order = list(range(len(layer_of)))
            order[q - 1 : q + 1] = q, q - 1
            spend("the distributions", 4 * len(order) * len(distribution))
            same = layer_of[q] == layer_of[q - 1] and renamed(distribution, order) == distribution
            first.append(first[-1] if same else q)
        return first

    def key(self, d: int, known: Known) -> tuple[int, ...]:
        """Return what is known beside the policy, the same for all that count as the same."""
        groups = self.groups[d]
        return tuple(value for _, value in sorted(zip(groups, known, strict=True)))

    def edges(self, s: int) -> Iterator[Edge]:
        d, known = self.listed[s]
        groups, own = self.groups[d], self.own[d]
        seen = set()
        for page in own:
            if (groups[page], known[page]) in seen:
                continue
            seen.add((groups[page], known[page]))
            for bit in (0, 1):
                target, order, fault = self.stepped(d, page, bit)
                for _, (after, paid) in self.beside.follow(known, page, bit, self.problem.capacity[0]):
                    spend("the moves of all states", 2 * len(order))
                    key = self.key(target, [after[q] for q in order])
                    yield page, fault, paid, self.number.get((target, key))

    def served(self, s: int) -> tuple[int, Iterable[tuple[int, ...]]]:
        d = self.listed[s][0]
        return self.layers[d], self.distributions[d]

    def stepped(self, d: int, page: int, bit: int) -> MoveOfDistribution:
        """Return where a request leads, or refuse: it must be what is listed."""
        move = self.first[d] + 2 * (page - self.own[d].start) + bit
        known = self.step.get((d, move))
        if known is not None:
            return known
        layer, problem, width = self.layers[d], self.problem, len(self.problem.layer_of)
        target, order = self.targets[move], [*self.orders[move * width : (move + 1) * width]]
        turn = (self.layers[target] - layer - 1) % problem.layers
        fits = sorted(order) == list(range(width)) and all(
            problem.layer_of[place] == (problem.layer_of[q] + turn) % problem.layers
            for place, q in enumerate(order)
        )
        what = f"distribution {d}, request of page {page} with bit {bit}"
        if not fits:
            raise Refuted(f"{what}: pages are renamed that are not alike")
        after = served(self.policy, self.distributions[d], page, layer, bit, problem)
        if renamed(after, order) != self.distributions[target]:
            raise Refuted(f"{what}: leads to another distribution than the listed one")
        self.step[d, move] = found = MoveOfDistribution(target, order, missing(self.distributions[d], page))
        return found


def renamed(distribution: Distribution, order: list[int]) -> Distribution:
    """Return a distribution with page ``order[q]`` at place q."""
    return {tuple(labels[q] for q in order): chance for labels, chance in distribution.items()}


def read_distributions(evidence: Json, problem: Problem) -> tuple[Integers, list[Distribution]]:
    """Read the layers to be served and distributions over labels, the cold start first."""
    where, width = "evidence.upper", len(problem.layer_of)
    layers, sizes = (integers(evidence[name], f"{where}.{name}") for name in ("layers", "sizes"))
    if not len(layers) or not 0 <= min(layers) <= max(layers) < problem.layers:
        raise Refuted(f"{where}.layers is empty, or names a layer that does not exist")
    if len(sizes) != len(layers) or min(sizes) < 1:
        raise Refuted(f"{where} must have one size for every distribution, at least 1")
    chances = rationals(evidence["chances"], f"{where}.chances")
    if len(chances) != sum(sizes):
        raise Refuted(f"{where} must have {sum(sizes)} chances, not {len(chances)}")
    labels = array_of(evidence, "labels", len(chances), width, where)
    spend(f"{where}: the distributions", 4 * len(labels), (ATOM + 30 * width) * len(chances))
    found: list[Distribution] = []
    at = 0
    for size in sizes:
        atoms = range(at, at + size)
        at += size
        found.append({tuple(labels[a * width : (a + 1) * width]): Fraction(chances[a]) for a in atoms})
    if layers[0] != 0 or found[0] != {(0,) * width: 1}:
        raise Refuted(f"{where}: distribution 0 is not the cold start")
    return layers, found
