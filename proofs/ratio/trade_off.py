"""The least coefficient with which a given policy can live with discard or phase bits, exactly.

A policy is (α, β, γ)-competitive if its faults are at most α·reference + β·η0 + γ·η1 + a constant, whatever
is requested, predicted, and done by a lazy offline schedule, the *reference*. That holds if and only if no
cycle of the policy's graph beside all references has a larger left side; so with two coefficients given the
least third one is a largest cycle ratio. Phase bits do not speak of the reference, which is OPT then. Of a
randomised policy the faults are expected ones, against an oblivious adversary. See docs/wrong-bits.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from adversary.cycles.cycle import NoCycleError
from adversary.cycles.expected_graph import Distribution, ExpectedGraph, missing, renamed, served
from adversary.cycles.max_ratio import GraphCycle, best_cycle
from adversary.cycles.predicted_graph import (
    Coefficients,
    GraphWithBits,
    Numbers,
    PredictedGraph,
    follow,
    objective,
)
from adversary.cycles.product_graph import Symmetry
from paging.arguments import checked
from paging.certificate import Certificate, NoCertificateError, certificate_of_bounds, packed
from paging.errors import LimitError, ModelError
from paging.html import facts_table
from paging.model import FREE, HIT, LayeredInstance, whole_number
from paging.numbers import exact_text, number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, StoppedError, Watch
from paging.work_function import update_work_function
from proofs.checker.bits import POLICIES

NAMES = Coefficients._fields
NO_SYMMETRY = Symmetry(False, False)

MAX_REPEATS = 5000
"""Repetitions after which a cycle up to renaming must have closed literally."""


@dataclass(frozen=True)
class TradeOffCycle:
    """Requests with bits and a reference's schedule, which can be repeated for ever at the same cost.

    Attributes
    ----------
    prefix, cycle : tuple of (int, int, int)
        What comes once, and what is repeated: page, bit, schedule entry of the reference. With phase bits
        the reference is OPT, and only page and bit are told.
    faults : int or Fraction
        What a repetition costs the policy, in expectation where it is randomised.
    reference, wrong0, wrong1 : int
        What a repetition counts beside: faults of the reference, wrong bits 0 and 1.
    """

    prefix: tuple[tuple[int, ...], ...]
    cycle: tuple[tuple[int, ...], ...]
    faults: int | Fraction
    reference: int
    wrong0: int
    wrong1: int

    @property
    def inequality(self) -> str:
        """What it says of the coefficients.

        >>> TradeOffCycle((), (), 6, 2, 4, 0).inequality
        'α + 2·β ≥ 3'
        """
        faults, unit = self.faults.numerator, self.faults.denominator
        counts = self.reference * unit, self.wrong0 * unit, self.wrong1 * unit
        common = gcd(faults, *counts)
        named = [(count // common, name) for count, name in zip(counts, "αβγ", strict=True) if count]
        left = " + ".join(name if count == 1 else f"{count}·{name}" for count, name in named)
        return f"{left or 0} ≥ {faults // common}"

    def least(self, given: Mapping[str, Fraction]) -> Fraction | float:
        """Return how large the third coefficient must be, ``inf`` where no number does."""
        parts = dict(zip(NAMES, (self.reference, self.wrong0, self.wrong1), strict=True))
        free = next(name for name in NAMES if name not in given)
        rest = self.faults - sum(given[name] * parts[name] for name in given)
        if parts[free] == 0:
            return float("inf") if rest > 0 else Fraction(0)
        return max(Fraction(0), Fraction(rest) / parts[free])


@dataclass(frozen=True)
class PolicyTradeOff:
    """The least value of one coefficient of a policy beside two given ones, with what proves it.

    Attributes
    ----------
    policy, spec : str
        Name of the policy, and the text that makes it.
    instance : LayeredInstance
    given : dict of str to Fraction
        The two coefficients that are given.
    free : str
        The name of the third: "alpha", "beta" or "gamma".
    lower : Fraction or float
        The policy needs at least this; ``inf`` if no number does.
    cycle : TradeOffCycle or None
        Forces ``lower``; None where that is 0.
    states, edges, iterations : int
        Size of the graph, and Newton steps.
    complete : bool
        Whether the whole graph was searched, so that ``lower`` is exact.
    """

    policy: str
    spec: str
    instance: LayeredInstance
    given: dict[str, Fraction]
    free: str
    lower: Fraction | float
    cycle: TradeOffCycle | None
    states: int
    edges: int
    iterations: int
    complete: bool
    _graph: GraphWithBits = field(repr=False)
    _potential: tuple[Numbers, int] | None = field(repr=False)

    @property
    def predictions(self) -> str:
        """What the policy is told: "discard" or "phase"."""
        return self._graph.kind

    @property
    def value(self) -> Fraction | float | None:
        """The least value, ``inf`` for none; None where only a lower bound is known."""
        return self.lower if self.complete or self.lower == float("inf") else None

    def _repr_html_(self) -> str:
        known = f"least {self.free}, exact" if self.value is not None else f"{self.free} at least"
        facts = {**self.given, known: self.lower, "states of the graph": self.states}
        return facts_table(f"trade-off of {self.policy} on {self.instance}", facts)

    def answer(self) -> dict[str, object]:
        """Return the result as plain values for JSON; "unbounded" where no number will do."""
        cycle = self.cycle
        counts = ("faults", "reference", "wrong0", "wrong1")
        return {
            "policy": self.policy,
            "randomized": self._graph.policy.randomized,
            "predictions": self.predictions,
            **{name: exact_text(self.given.get(name, self.value)) for name in NAMES},
            "least": self.free,
            "lower": exact_text(self.lower),
            "upper": exact_text(self.value),
            "exact": self.value is not None,
            "prefix": None if cycle is None else [list(step) for step in cycle.prefix],
            "cycle": None if cycle is None else [list(step) for step in cycle.cycle],
            **{name: None if cycle is None else number(getattr(cycle, name)) for name in counts},
            "instance": self.instance.plain,
            "model": self.instance.model,
            "states": self.states,
            "edges": self.edges,
            "iterations": self.iterations,
        }

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``trade-off`` with whatever is proved: both bounds, or one.

        Raises
        ------
        NoCertificateError
            Neither bound is, or the checker does not know the policy.
        """
        if self.spec not in POLICIES:
            raise NoCertificateError(
                f"the checker knows the rules of {', '.join(POLICIES)}, not of {self.spec}"
            )
        claim: dict[str, object] = {
            "instance": self.instance.plain,
            "policy": self.spec,
            "predictions": self.predictions,
            **{name: number(value) for name, value in self.given.items()},
            "least": self.free,
        }
        below = None if self.cycle is None else (self.lower, self._lower(self.cycle))
        above = None if self._potential is None else (self.lower, self._upper(*self._potential))
        return certificate_of_bounds("trade-off", claim, below, above, provenance)

    def _lower(self, cycle: TradeOffCycle) -> dict[str, object]:
        columns = np.array(cycle.prefix + cycle.cycle, dtype=np.int64).T
        names = ("requests", "bits", "schedule")
        return {
            "prefix": len(cycle.prefix),
            **{name: packed(own) for name, own in zip(names, columns, strict=False)},
        }

    def _upper(self, potential: Numbers, scale: int) -> dict[str, object]:
        graph = self._graph
        left = potential.max() - potential
        if isinstance(graph, ExpectedGraph):
            numbers, held = graph.state_rows()
            return {
                **_listed(graph),
                "distributions": packed(numbers),
                "reference": packed(held.ravel()),
                "scale": scale,
                "potential": packed_or_plain(left),
            }
        assert isinstance(graph, PredictedGraph)
        labels, held, layers = graph.label_rows()
        words = zip(("pages", "layers"), graph.symmetry, strict=True)
        return {
            "alike": [word for word, on in words if on],
            "labels": packed(labels.ravel()),
            "reference": packed(held.ravel()),
            "layers": packed(layers),
            "potential": packed_or_plain(left // (scale // self._unit)),
        }

    @property
    def _unit(self) -> int:
        """The least number that makes all coefficients whole."""
        return lcm(Fraction(self.lower).denominator, *(value.denominator for value in self.given.values()))


def packed_or_plain(numbers: Numbers) -> object:
    """Return numbers packed, or as a plain list where they are beyond 64 bits."""
    return packed(numbers) if numbers.dtype == np.int64 else numbers.tolist()


def _listed(graph: ExpectedGraph) -> dict[str, object]:
    """Return all distributions, and where every page of the layer to be served leads, with bit 0 and 1."""
    found = graph.distributions
    atoms = [sorted(distribution) for distribution in found.listed]
    steps = [step for d in range(len(atoms)) for step in found.steps(d)]
    return {
        "layers": packed(found.layers),
        "sizes": packed([len(own) for own in atoms]),
        "labels": packed(np.array([labels for own in atoms for labels, _ in own]).ravel()),
        "chances": [number(chance) for own in atoms for _, chance in own],
        "targets": packed([step.target for step in steps]),
        "orders": packed(np.array([step.order for step in steps]).ravel()),
    }


@checked
def policy_trade_off(
    policy: str | Policy,
    instance: LayeredInstance,
    *,
    alpha: Fraction | int | None = None,
    beta: Fraction | int | None = None,
    gamma: Fraction | int | None = None,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> PolicyTradeOff:
    """Return the least third coefficient of a policy that is given bits, with what proves it.

    Parameters
    ----------
    policy : str or Policy
        Told ``discard`` or ``phase`` predictions; with finitely many states, or randomised with finitely many
        distributions.
    instance : LayeredInstance
        One page per visit, forced service; layers may have different sizes.
    alpha, beta, gamma : Fraction or int, optional
        Exactly two of them, not negative.
    max_states : int, optional
        Give up beyond this many states, keeping the best cycle so far. Default: no limit.
    watch : Watch
        Told the :class:`TradeOffSearch` now and then; asked to stop, the computation ends with what is known.

    Raises
    ------
    ModelError, UnsupportedModelError
        Not exactly two coefficients, a negative one, a policy without such predictions or with infinitely
        many states, or the instance is outside the range.

    Guarantee
    ---------
    Exact. The cycle is replayed with the policy itself; the potential is checked by ``certificate()`` and
    ``paging verify``.

    Examples
    --------
    >>> instance = LayeredInstance(layers=1, pages=4, cache=3)
    >>> found = policy_trade_off("flush-when-kept", instance, alpha=1, gamma=1)
    >>> found.value, found.states
    (Fraction(2, 1), 35)
    >>> policy_trade_off("mark0", instance, alpha=1, gamma=1).value
    Fraction(5, 6)
    """
    given = two_of(alpha, beta, gamma)
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    for symmetry in (None, NO_SYMMETRY):
        solver = _PolicySolver(graph_with_bits(policy, instance, symmetry), given, max_states, watch)
        try:
            return solver.solve()
        except NoCycleError:
            if solver.graph.symmetry == NO_SYMMETRY:
                raise
    raise AssertionError("unreachable")


def graph_with_bits(
    policy: str | Policy, instance: LayeredInstance, symmetry: Symmetry | None = None
) -> GraphWithBits:
    """Return the graph of a policy, or of its distributions, beside what its bits are about."""
    answer = get_policy(policy)
    return (ExpectedGraph if answer.randomized else PredictedGraph)(answer, instance, symmetry)


def two_of(
    alpha: Fraction | int | None, beta: Fraction | int | None, gamma: Fraction | int | None
) -> dict[str, Fraction]:
    """Return the coefficients that are given, by name.

    Raises
    ------
    ModelError
        They are not two, or one is negative.
    """
    given = {
        name: Fraction(value)
        for name, value in zip(NAMES, (alpha, beta, gamma), strict=True)
        if value is not None
    }
    if len(given) != 2:
        raise ModelError(f"two of alpha, beta and gamma must be given, not {len(given)}")
    for name, value in given.items():
        if value < 0:
            raise ModelError(f"{name} must not be negative, got {value}")
    return given


@dataclass(frozen=True)
class TradeOffSearch:
    """How far a computation has come: states found and still to be expanded, the bound so far."""

    states: int
    frontier: int
    free: str
    lower: Fraction | float

    def __str__(self) -> str:
        rest = f"{self.frontier:,} to be expanded" if self.frontier else "solving"
        return f"{self.states:,} states, {rest}; {self.free} ≥ {self.lower}"


class _PolicySolver:
    """Builds the graph, then finds its best cycle and potential; keeps what is known when stopped."""

    def __init__(
        self, graph: GraphWithBits, given: dict[str, Fraction], max_states: int | None, watch: Watch
    ) -> None:
        self.graph, self.given, self.max_states, self.watch = graph, given, max_states, watch
        self.free = next(name for name in NAMES if name not in given)
        self.coefficients = Coefficients(*(given.get(name, Fraction(0)) for name in NAMES))
        self.unit = 1
        self.best: GraphCycle | None = None
        self.iterations = 0
        self.potential: tuple[Numbers, int] | None = None

    def solve(self) -> PolicyTradeOff:
        complete = False
        try:
            complete = self.explore()
            self.improve(potential=complete)
        except StoppedError:
            complete = False
        graph = self.graph
        cycle = None if self.best is None else literal(graph, self.best)
        if cycle is not None and cycle.least(self.given) != self.lower:
            raise NoCycleError(f"{graph.policy.name}: replayed, the cycle proves another bound")
        return PolicyTradeOff(
            graph.policy.name,
            graph.policy.spec,
            graph.instance,
            self.given,
            self.free,
            self.lower,
            cycle,
            graph.states,
            graph.edges,
            self.iterations,
            complete,
            graph,
            self.potential if complete else None,
        )

    def explore(self) -> bool:
        """Build the graph; return whether it is the whole one."""
        while not self.graph.complete:
            self.graph.grow()
            self.look()
            if self.max_states is not None and self.graph.states > self.max_states:
                return False
        return True

    def improve(self, *, potential: bool) -> None:
        """Find the best cycle, and the potential that shows that there is no better one."""
        wanted, self.unit = objective(self.graph.costs, self.coefficients, NAMES.index(self.free))
        found = best_cycle(
            self.graph.targets, self.graph.codes, wanted, watch=Watch(lambda ratio: self.look())
        )
        self.best, self.iterations = found.cycle, found.iterations
        if potential and found.potential is not None:
            scale = self.unit * (Fraction(self.lower) * self.unit).denominator
            self.potential = found.potential, scale

    @property
    def lower(self) -> Fraction | float:
        """What the best cycle proves."""
        return Fraction(0) if self.best is None else self.best.ratio / self.unit

    def look(self) -> None:
        graph = self.graph
        self.watch.look(TradeOffSearch(graph.states, graph.states - graph.expanded, self.free, self.lower))


def literal(graph: GraphWithBits, found: GraphCycle) -> TradeOffCycle:
    """Turn a cycle up to renaming of pages into one that returns literally, by replaying it.

    The policy itself is served, without the symmetries used in the graph: the result is rigorous even where
    the policy does not have them.

    Raises
    ------
    NoCycleError
        The policy does not have the symmetries, and the cycle cannot be replayed.
    LimitError
        It does not close within the allowed number of repetitions.
    """
    play = _SideBySide(graph)
    for state, edge in graph.path_to(found.steps[0][0]):
        play.follow(state, edge)
    seen: dict[object, tuple[int, tuple[Fraction, Numbers]]] = {}
    for _ in range(MAX_REPEATS):
        begin, (faults, paid) = seen.setdefault(
            play.state, (len(play.steps), (play.faults, play.paid.copy()))
        )
        if begin < len(play.steps):
            steps = tuple(play.steps)
            own = play.faults - faults
            whole = own.numerator if own.denominator == 1 else own
            return TradeOffCycle(steps[:begin], steps[begin:], whole, *(play.paid - paid).tolist())
        for state, edge in found.steps:
            play.follow(state, edge)
    raise LimitError(f"{graph.policy.name}: no cycle within {MAX_REPEATS:,} repetitions")


class _SideBySide:
    """A policy and what its bits are about, served side by side from the cold start."""

    def __init__(self, graph: GraphWithBits) -> None:
        self.graph = graph
        self.ours = _Distribution(graph) if isinstance(graph, ExpectedGraph) else _Labels(graph)
        self.held = np.zeros(graph.instance.total_pages, dtype=np.int64)
        self.steps: list[tuple[int, ...]] = []
        self.faults = Fraction(0)
        self.paid = np.zeros(3, dtype=np.int64)

    @property
    def layer(self) -> int:
        return len(self.steps) % self.graph.instance.layers

    @property
    def state(self) -> object:
        return self.layer, self.ours.state, self.held.tobytes()

    def follow(self, state: int, edge: int) -> None:
        """Serve what an edge of the graph stands for."""
        ours = self.ours
        order = ours.order if isinstance(ours, _Distribution) else ours.places(self.layer, self.held)
        place, bit, victim = self.graph.moves(state)[edge].tolist()
        page = order[place]
        if page not in self.graph.instance.pages_of(self.layer):
            raise self.astray()
        self.faults += ours.serve(page, bit, self.layer)
        self.serve(page, bit, -1 if victim < 0 else order[victim])
        if isinstance(ours, _Distribution) and not ours.settle(place, bit, self.held):
            raise self.astray()

    def serve(self, page: int, bit: int, victim: int) -> None:
        """Let the reference serve a request with a bit; count what it pays."""
        slots, pages = self.graph.instance.cache, len(self.held)
        then = np.zeros((slots, pages), dtype=np.int64)
        paid, leaves = np.zeros(slots, dtype=np.int64), np.zeros(slots, dtype=np.int64)
        phases = self.graph.phases
        count = follow(update_work_function, self.held, page, bit, phases, slots, then, paid, leaves)
        chosen = np.flatnonzero(leaves[:count] == victim)
        if not len(chosen):
            raise self.astray()
        code = int(paid[chosen[0]])
        self.paid += (code & 1, code >> 2, code >> 1 & 1)
        entry = HIT if not code & 1 else FREE if victim < 0 else victim
        self.held = then[chosen[0]]
        self.steps.append((page, bit) if phases else (page, bit, entry))

    def astray(self) -> NoCycleError:
        return NoCycleError(f"{self.graph.policy.name}: the cycle found in the graph cannot be replayed")


class _Labels:
    """A deterministic policy, and where its pages stand in the graph."""

    def __init__(self, graph: GraphWithBits) -> None:
        self.graph = graph
        self.labels = np.zeros(graph.instance.total_pages, dtype=np.int64)

    @property
    def state(self) -> object:
        return self.labels.tobytes()

    def places(self, layer: int, held: Numbers) -> list[int]:
        """Return the pages in the order in which the graph's state has them."""
        instance, (inside, rotation) = self.graph.instance, self.graph.symmetry
        order: list[int] = []
        for step in range(instance.layers):
            own: list[int] = list(instance.pages_of((layer * rotation + step) % instance.layers))
            if inside:
                own.sort(key=lambda q: (self.labels[q], held[q], q))
            order += own
        return order

    def serve(self, page: int, bit: int, layer: int) -> Fraction:
        """Serve a request; return the fault."""
        fault = Fraction(int(self.labels[page] <= 0))
        self.graph.policy.serve(self.labels, page, layer, self.graph.instance.frame._replace(prediction=bit))
        return fault


class _Distribution:
    """A randomised policy's distribution, and ``order``: which page stands where in the graph's state."""

    def __init__(self, graph: ExpectedGraph) -> None:
        self.graph, self.number = graph, 0
        self.order = list(range(graph.instance.total_pages))
        self.distribution: Distribution = graph.distributions.listed[0]

    @property
    def state(self) -> object:
        return self.distribution

    def serve(self, page: int, bit: int, layer: int) -> Fraction:
        """Serve a request; return how likely it was a fault."""
        chance = missing(self.distribution, page)
        graph = self.graph
        self.distribution = served(graph.policy, graph.instance, self.distribution, page, layer, bit)
        return chance

    def settle(self, place: int, bit: int, held: Numbers) -> bool:
        """Go on to the graph's next state; return whether it is what the policy has come to."""
        found = self.graph.distributions
        layer = self.graph.instance.pages_of(found.layers[self.number])
        step = found.steps(self.number)[2 * (place - layer.start) + bit]
        order = [self.order[q] for q in step.order]
        groups = found.alike[step.target]
        self.order = sorted(order, key=lambda q: (groups[order.index(q)], held[q]))
        self.number = step.target
        return renamed(self.distribution, self.order) == found.listed[self.number]
