"""The least coefficient with which a given policy can live with discard predictions, exactly.

A policy is (α, β, γ)-competitive if its faults are at most α·reference + β·η0 + γ·η1 + a constant, whatever
is requested, predicted, and done by a lazy offline schedule, the *reference*. That holds if and only if no
cycle of the policy's graph beside all references has a larger left side; so with two coefficients given the
least third one is a largest cycle ratio. See docs/wrong-bits.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.cycle import NoCycleError
from adversary.cycles.max_ratio import GraphCycle, best_cycle
from adversary.cycles.predicted_graph import COUNTS, Coefficients, PredictedGraph
from adversary.cycles.product_graph import Symmetry
from paging.arguments import checked
from paging.certificate import Certificate, certificate_of_bounds, packed
from paging.errors import LimitError, ModelError
from paging.html import facts_table
from paging.model import FREE, HIT, LayeredInstance, whole_number
from paging.numbers import exact_text, number
from paging.policy import Policy
from paging.signals import UNWATCHED, StoppedError, Watch

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
        What comes once, and what is repeated: page, bit, schedule entry of the reference.
    faults, reference, wrong0, wrong1 : int
        What a repetition counts: faults of the policy and of the reference, wrong bits 0 and 1.
    """

    prefix: tuple[tuple[int, int, int], ...]
    cycle: tuple[tuple[int, int, int], ...]
    faults: int
    reference: int
    wrong0: int
    wrong1: int

    @property
    def inequality(self) -> str:
        """What it says of the coefficients.

        >>> TradeOffCycle((), (), 6, 2, 4, 0).inequality
        'α + 2·β ≥ 3'
        """
        common = gcd(self.faults, self.reference, self.wrong0, self.wrong1)
        parts = zip((self.reference, self.wrong0, self.wrong1), "αβγ", strict=True)
        named = [(count // common, name) for count, name in parts if count]
        left = " + ".join(name if count == 1 else f"{count}·{name}" for count, name in named)
        return f"{left or 0} ≥ {self.faults // common}"

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
    _graph: PredictedGraph = field(repr=False)
    _potential: NDArray[np.int64] | None = field(repr=False)

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
            "predictions": "discard",
            **{name: exact_text(self.given.get(name, self.value)) for name in NAMES},
            "least": self.free,
            "lower": exact_text(self.lower),
            "upper": exact_text(self.value),
            "exact": self.value is not None,
            "prefix": None if cycle is None else [list(step) for step in cycle.prefix],
            "cycle": None if cycle is None else [list(step) for step in cycle.cycle],
            **{name: None if cycle is None else getattr(cycle, name) for name in counts},
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
            Neither bound is.
        """
        claim: dict[str, object] = {
            "instance": self.instance.plain,
            "policy": self.spec,
            "predictions": "discard",
            **{name: number(value) for name, value in self.given.items()},
            "least": self.free,
        }
        below = None if self.cycle is None else (self.lower, _lower(self.cycle))
        above = None if self._potential is None else (self.lower, self._upper())
        return certificate_of_bounds("trade-off", claim, below, above, provenance)

    def _upper(self) -> dict[str, object]:
        assert self._potential is not None
        labels, held, layers = self._graph.label_rows()
        words = zip(("pages", "layers"), self._graph.symmetry, strict=True)
        return {
            "alike": [word for word, on in words if on],
            "labels": packed(labels.ravel()),
            "reference": packed(held.ravel()),
            "layers": packed(layers),
            "potential": packed(self._potential.max() - self._potential),
        }


def _lower(cycle: TradeOffCycle) -> dict[str, object]:
    pages, bits, entries = np.array(cycle.prefix + cycle.cycle, dtype=np.int64).T
    return {
        "prefix": len(cycle.prefix),
        "requests": packed(pages),
        "bits": packed(bits),
        "schedule": packed(entries),
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
    """Return the least third coefficient of a policy that is given discard bits, with what proves it.

    Parameters
    ----------
    policy : str or Policy
        Deterministic, with finitely many states, told ``discard`` predictions.
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
        Not exactly two coefficients, a negative one, a policy without such predictions, randomised or with
        infinitely many states, or the instance is outside the range.

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
    """
    given = two_of(alpha, beta, gamma)
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    for symmetry in (None, NO_SYMMETRY):
        solver = _PolicySolver(PredictedGraph(policy, instance, symmetry), given, max_states, watch)
        try:
            return solver.solve()
        except NoCycleError:
            if solver.graph.symmetry == NO_SYMMETRY:
                raise
    raise AssertionError("unreachable")


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
        self, graph: PredictedGraph, given: dict[str, Fraction], max_states: int | None, watch: Watch
    ) -> None:
        self.graph, self.given, self.max_states, self.watch = graph, given, max_states, watch
        self.free = next(name for name in NAMES if name not in given)
        self.coefficients = Coefficients(*(given.get(name, Fraction(0)) for name in NAMES))
        self.objective = self.coefficients.objective(NAMES.index(self.free))
        self.best: GraphCycle | None = None
        self.iterations = 0
        self.potential: NDArray[np.int64] | None = None

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
        found = best_cycle(
            self.graph.targets, self.graph.codes, self.objective, watch=Watch(lambda ratio: self.look())
        )
        self.best, self.iterations = found.cycle, found.iterations
        if potential and found.potential is not None:
            self.potential = self.in_units(found.potential)

    def in_units(self, potential: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a potential at the best ratio in the least units that make all coefficients whole."""
        lower = Fraction(self.lower)
        exact = self.coefficients._replace(**{self.free: lower})
        scale, rest = divmod(
            self.coefficients.unit * (lower * self.coefficients.unit).denominator, exact.unit
        )
        if rest:
            raise AssertionError("the unit of all coefficients divides that of the search")
        return potential // scale

    @property
    def lower(self) -> Fraction | float:
        """What the best cycle proves."""
        return Fraction(0) if self.best is None else self.best.ratio / self.coefficients.unit

    def look(self) -> None:
        graph = self.graph
        self.watch.look(TradeOffSearch(graph.states, graph.states - graph.expanded, self.free, self.lower))


def literal(graph: PredictedGraph, found: GraphCycle) -> TradeOffCycle:
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
    seen: dict[object, tuple[int, NDArray[np.int64]]] = {}
    for _ in range(MAX_REPEATS):
        begin, counts = seen.setdefault(play.state, (len(play.steps), play.counts.copy()))
        if begin < len(play.steps):
            steps = tuple(play.steps)
            return TradeOffCycle(steps[:begin], steps[begin:], *(play.counts - counts).tolist())
        for state, edge in found.steps:
            play.follow(state, edge)
    raise LimitError(f"{graph.policy.name}: no cycle within {MAX_REPEATS:,} repetitions")


class _SideBySide:
    """A policy and a reference, served side by side from the cold start."""

    def __init__(self, graph: PredictedGraph) -> None:
        self.graph = graph
        self.labels = np.zeros(graph.instance.total_pages, dtype=np.int64)
        self.held = np.zeros(graph.instance.total_pages, dtype=np.int64)
        self.steps: list[tuple[int, int, int]] = []
        self.counts = np.zeros(len(COUNTS), dtype=np.int64)

    @property
    def layer(self) -> int:
        return len(self.steps) % self.graph.instance.layers

    @property
    def state(self) -> object:
        return self.layer, self.labels.tobytes(), self.held.tobytes()

    def follow(self, state: int, edge: int) -> None:
        """Serve what an edge of the graph stands for."""
        graph, instance = self.graph, self.graph.instance
        inside, rotation = graph.symmetry
        order: list[int] = []
        for step in range(instance.layers):
            own: list[int] = list(instance.pages_of((self.layer * rotation + step) % instance.layers))
            if inside:
                own.sort(key=lambda q: (self.labels[q], self.held[q], q))
            order += own
        move = graph.moves(state)[edge].tolist()
        layer_turned = order[move[0]] in instance.pages_of(self.layer)
        if not layer_turned:
            raise NoCycleError(f"{graph.policy.name}: the cycle found in the graph cannot be replayed")
        self.serve(order[move[0]], move[1], None if move[2] < 0 else order[move[2]])

    def serve(self, page: int, bit: int, victim: int | None) -> None:
        """Serve a request with a bit; count what is paid."""
        instance, held = self.graph.instance, self.held
        fault = self.labels[page] <= 0
        self.graph.policy.serve(self.labels, page, self.layer, instance.frame._replace(prediction=bit))
        paid = (fault, held[page] == 0, victim is not None and held[victim] == 1, held[page] == 2)
        entry = HIT if held[page] else FREE if victim is None else victim
        if victim is not None:
            held[victim] = 0
        held[page] = 1 + bit
        if np.count_nonzero(held) > instance.cache:
            raise NoCycleError(f"{self.graph.policy.name}: the cycle found in the graph cannot be replayed")
        self.counts += paid
        self.steps.append((page, bit, entry))
