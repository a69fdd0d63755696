"""The least coefficient with which any deterministic policy can live with discard predictions, exactly.

A policy is (α, β, γ)-competitive if its faults are at most α·reference + β·η0 + γ·η1 + a constant, whatever
is requested, predicted, and done by a lazy offline schedule, the *reference*. Two of the coefficients are
given, the least third is found; a certificate proves both sides. See docs/wrong-bits.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, lcm

import numpy as np

from adversary.cycles.predicted_graph import Coefficients
from paging.arguments import checked
from paging.certificate import Certificate, certificate_of_bounds
from paging.errors import ModelError
from paging.html import facts_table
from paging.memory import machine_memory
from paging.model import LayeredInstance, whole_number
from paging.numbers import exact_text, number
from paging.signals import UNWATCHED, StoppedError, Watch
from proofs.game import kernels
from proofs.game.cache_values import CacheTables
from proofs.game.game_graph import Frozen, alike, check_instance
from proofs.game.kernels import Index, Numbers
from proofs.game.predictions.evidence import Answers, Demands, NotWonError, answers_of, demands_of
from proofs.game.predictions.graph import PredictionGraph

Coefficient = Fraction | int
NAMES = Coefficients._fields

MOST_STATES, SHARE = 20_000_000, 4
"""States built at most where no limit is given; the part of the memory that they may take, one in so many."""


@dataclass(frozen=True)
class TradeOffProgress:
    """How far a computation has come: pages in play, states found and to be expanded, the bound so far."""

    pages: int
    states: int
    frontier: int
    free: str
    lower: Fraction | float

    def __str__(self) -> str:
        rest = f", {self.frontier:,} to be expanded" if self.frontier else ""
        return f"{self.pages} pages: {self.states:,} states{rest}; {self.free} ≥ {self.lower}"


@dataclass(frozen=True)
class TradeOff:
    """The least value of one coefficient beside two given ones, or an interval for it, with what proves it.

    Attributes
    ----------
    instance : LayeredInstance
    given : dict of str to Fraction
        The two coefficients that are given.
    free : str
        The name of the third: "alpha", "beta" or "gamma".
    lower : Fraction or float
        No deterministic policy has less; ``inf`` if it has none at all.
    upper : Fraction or float or None
        One has this; ``inf`` if none has any, None if that is not known.
    answers : Answers or None
        Prove ``upper``.
    demands : Demands or None
        Prove ``lower``; None where that is 0.
    states : int
        States of the largest graph that was built.
    """

    instance: LayeredInstance
    given: dict[str, Fraction]
    free: str
    lower: Fraction | float
    upper: Fraction | float | None
    answers: Answers | None
    demands: Demands | None
    states: int

    @property
    def value(self) -> Fraction | float | None:
        """The least value, ``inf`` for none; None where only an interval is known."""
        return self.lower if self.lower == self.upper else None

    def _repr_html_(self) -> str:
        exact = self.value is not None
        facts: dict[str, object] = (
            {f"least {self.free}, exact": self.value}
            if exact
            else {"at least": self.lower, "at most": self.upper}
        )
        return facts_table(
            f"best trade-off on {self.instance}", {**self.given, **facts, "states": self.states}
        )

    def answer(self) -> dict[str, object]:
        """Return the result as plain values for JSON; "unbounded" where no number will do."""
        coefficients = {name: self.given.get(name, self.value) for name in NAMES}
        return {
            "predictions": "discard",
            **{name: exact_text(value) for name, value in coefficients.items()},
            "least": self.free,
            "lower": exact_text(self.lower),
            "upper": exact_text(self.upper),
            "exact": self.value is not None,
            "algorithm_states": None if self.answers is None else len(self.answers.listed.layers),
            "adversary_states": None if self.demands is None else len(self.demands.listed.layers),
            "instance": self.instance.plain,
            "model": self.instance.model,
            "states": self.states,
        }

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``trade-off-game`` with whatever is proved: both bounds, or one.

        Raises
        ------
        NoCertificateError
            Neither bound is.
        """
        claim: dict[str, object] = {
            "instance": self.instance.plain,
            "predictions": "discard",
            **{name: number(value) for name, value in self.given.items()},
            "least": self.free,
        }
        below = None if self.demands is None else (self.lower, self.demands.plain())
        above = None
        if self.answers is not None and self.upper is not None:
            above = self.upper, self.answers.plain()
        return certificate_of_bounds("trade-off-game", claim, below, above, provenance)


@checked
def solve_trade_off(
    instance: LayeredInstance,
    *,
    alpha: Coefficient | None = None,
    beta: Coefficient | None = None,
    gamma: Coefficient | None = None,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> TradeOff:
    """Return the least third coefficient that any deterministic policy can have, with proofs.

    Parameters
    ----------
    instance : LayeredInstance
        One page per visit, forced service, fewer slots than pages, at most 20 pages.
    alpha, beta, gamma : Fraction or int, optional
        Exactly two of them, not negative.
    max_states : int, optional
        Give up a graph beyond this many states. Default: no limit.
    watch : Watch
        Told the :class:`TradeOffProgress` now and then; asked to stop, the computation ends with what is
        known.

    Raises
    ------
    ModelError, UnsupportedModelError, LimitError
        Not exactly two coefficients, a negative one, or the instance is outside the range.

    Guarantee
    ---------
    Exact, in whole numbers. Energy value iteration at the best lower bound known: if it settles, the values
    are a potential; if not, the adversary's last improving requests prove more. With γ > α the upper bound is
    that of γ = α, and None where that is larger than the lower one.

    Examples
    --------
    >>> solve_trade_off(LayeredInstance(layers=1, pages=4, cache=3), alpha=1, gamma=1).value
    Fraction(2, 1)
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
    check_instance(instance)
    instance.require("the game with predictions", visits="sequential", per_visit=1)
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    solver = _GameWithBits(instance, given, max_states, watch)
    with suppress(StoppedError):
        if given.get("gamma", 0) > given.get("alpha", float("inf")):
            solver.learn_from(_GameWithBits(instance, {**given, "gamma": given["alpha"]}, max_states, watch))
        if solver.upper is None or solver.lower < solver.upper:
            solver.solve()
    return solver.result()


def affordable_states(instance: LayeredInstance) -> int:
    """Return how many states of the game a quarter of this machine's memory holds, within reason."""
    tables = CacheTables(instance.total_pages, min(instance.cache, instance.total_pages))
    moves = 2 * max(instance.pages_by_layer) * instance.cache
    per_state = 4 * (instance.total_pages + 2 * len(tables.masks)) + 12 * moves
    return min(MOST_STATES, machine_memory() // SHARE // per_state)


class _BeyondLimitError(Exception):
    """A graph has more states than wanted."""


class _GameWithBits:
    """Raises the lower bound until the values of the game settle; keeps what is known when stopped."""

    def __init__(
        self,
        instance: LayeredInstance,
        given: dict[str, Fraction],
        max_states: int | None,
        watch: Watch,
    ) -> None:
        self.instance, self.given = instance, given
        self.free = next(name for name in NAMES if name not in given)
        self.max_states, self.watch = max_states, watch
        self.lower: Fraction | float = Fraction(0)
        self.upper: Fraction | float | None = None
        self.answers: Answers | None = None
        self.demands: Demands | None = None
        self.forced: tuple[PredictionGraph, Frozen, Numbers, Index] | None = None
        self.states = 0

    def learn_from(self, kinder: _GameWithBits) -> None:
        """Solve the game of a smaller γ first: what is attained there is here, and its requests may do.

        With γ > α a reference need never pay γ: it can drop the page before it is asked for, and load it
        again. So more than γ = α is hardly ever worth anything, and has many more states.
        """
        with suppress(StoppedError):
            kinder.solve()
        self.states = kinder.states
        if kinder.answers is not None:
            self.upper, self.answers = kinder.upper, kinder.answers
        if kinder.forced is not None:
            free = NAMES.index(self.free)
            with suppress(NotWonError):
                found = demands_of(*kinder.forced, free, self.coefficients)
                if found.bound > self.lower:
                    self.demands = found.lifted(kinder.forced[0].instance, self.instance)
                    self.lower = found.bound
        if self.lower == float("inf"):
            self.upper = self.lower

    def result(self) -> TradeOff:
        return TradeOff(
            self.instance,
            self.given,
            self.free,
            self.lower,
            self.upper,
            self.answers,
            self.demands,
            self.states,
        )

    def solve(self) -> None:
        """Confine the adversary to few pages first, then to more and more."""
        with suppress(_BeyondLimitError):
            if self.free == "gamma":
                self.try_alpha()
            for smaller in growing(self.instance):
                self.raise_lower(smaller)
                if self.lower == float("inf"):
                    self.upper = self.lower
                if self.lower == self.upper:
                    return

    def try_alpha(self) -> None:
        """Look whether γ = α is attained: then an interval is known early, whatever the least γ is."""
        value = self.given["alpha"]
        graph = PredictionGraph(self.instance, self.coefficients_with(value))
        frozen, payoffs = self.explore(graph)
        energy, _, closed = self.sweep(graph, frozen, payoffs)
        if closed is None:
            self.attain(value, graph, frozen, energy)

    def raise_lower(self, smaller: LayeredInstance) -> None:
        """Raise the lower bound by requests of some pages, until it settles with them."""
        above: Fraction | None = None  # settles with these pages
        tried = set[Fraction]()
        while True:
            value = self.simple_value(above, tried)
            tried.add(value)
            turned = alike(smaller) and alike(self.instance)
            graph = PredictionGraph(smaller, self.coefficients_with(value), turned)
            frozen, payoffs = self.explore(graph)
            energy, choice, closed = self.sweep(graph, frozen, payoffs)
            if closed is None:
                if smaller == self.instance:
                    self.attain(value, graph, frozen, energy)
                if value == self.lower:
                    return
                above = value
                continue
            proof = demands_of(graph, frozen, choice, closed, NAMES.index(self.free))
            if proof.bound > self.lower:
                self.forced = graph, frozen, choice, closed
                self.demands, self.lower = proof.lifted(smaller, self.instance), proof.bound
            if self.lower in (float("inf"), self.upper, None if smaller == self.instance else above):
                return

    def simple_value(self, above: Fraction | None, tried: Set[Fraction]) -> Fraction:
        """Return what to try next: the lower bound, or a simpler number near it, below what is attained.

        A reference's costs are whole numbers of the unit of all coefficients, and the finer it is, the more
        states there are. So coarser units come first: what settles there is attained, and requests that win
        there often prove more than those that win at the lower bound, though it be larger.
        """
        lower = Fraction(self.lower)
        coarse = lcm(*(value.denominator for value in self.given.values()))
        fine, unit = lcm(coarse, lower.denominator), coarse
        while unit < fine:
            for value in (Fraction(floor(lower * unit), unit), Fraction(ceil(lower * unit), unit)):
                if value not in tried and (above is None or value < above):
                    return value
            unit *= 2
        return lower

    def attain(self, value: Fraction, graph: PredictionGraph, frozen: Frozen, energy: Numbers) -> None:
        """Prove that a value is attained, by the energies at which the game settled."""
        if self.upper is not None and self.upper <= value:
            return
        if graph.coefficients.gamma > graph.coefficients.alpha:
            kinder = graph.coefficients._replace(gamma=graph.coefficients.alpha)
            graph = PredictionGraph(self.instance, kinder)
            frozen, payoffs = self.explore(graph)
            energy, _, closed = self.sweep(graph, frozen, payoffs)
            if closed is not None:
                return
        self.upper, self.answers = value, answers_of(graph, frozen, energy)

    @property
    def coefficients(self) -> Coefficients:
        return self.coefficients_with(Fraction(self.lower))

    def coefficients_with(self, value: Fraction) -> Coefficients:
        known = {**self.given, self.free: value}
        return Coefficients(known["alpha"], known["beta"], known["gamma"])

    def explore(self, graph: PredictionGraph) -> tuple[Frozen, Numbers]:
        while not graph.complete:
            graph.grow()
            self.states = max(self.states, graph.states)
            self.look(graph)
            if self.max_states is not None and graph.states > self.max_states:
                raise _BeyondLimitError
        return graph.freeze()

    def look(self, graph: PredictionGraph) -> None:
        pages, frontier = graph.instance.total_pages, graph.states - graph.expanded
        self.watch.look(TradeOffProgress(pages, graph.states, frontier, self.free, self.lower))

    def sweep(
        self, graph: PredictionGraph, frozen: Frozen, payoffs: Numbers
    ) -> tuple[Numbers, Numbers, Index | None]:
        """Iterate until the values settle or the adversary's choices close; return them, and what closed."""
        value = np.zeros(graph.states, dtype=np.int64)
        choice = np.full(graph.states, -1, dtype=np.int64)
        place = np.full(graph.states, -1, dtype=np.int32)
        found = np.empty(graph.states, dtype=np.int32)
        while kernels.improve(
            frozen.request_ends, frozen.target_ends, frozen.codes, frozen.targets, frozen.victims,
            payoffs, value, choice,
        ):  # fmt: skip
            self.look(graph)
            count = kernels.decision_closure(0, frozen.target_ends, frozen.targets, choice, place, found)
            if count:
                return value, choice, found[:count].copy()
        return value, choice, None


def growing(instance: LayeredInstance) -> Iterator[LayeredInstance]:
    """Yield instances with ever more of the pages, evenly from all layers, from k + 1 to all of them."""
    counts = instance.pages_by_layer
    taken = [1] * len(counts)
    total = instance.total_pages
    while True:
        if sum(taken) > min(instance.cache, total - 1):
            yield LayeredInstance(instance.layers, tuple(taken), instance.cache)
        if tuple(taken) == counts:
            return
        taken[min((j for j, n in enumerate(counts) if taken[j] < n), key=lambda j: taken[j])] += 1
