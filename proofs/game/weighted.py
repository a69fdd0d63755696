"""The paging game where a fault costs what its page weighs: the best ratio of any deterministic algorithm.

A state is the algorithm's cache, the number of OPT's work function over all caches, and the layer to be
served. The adversary requests a page, the algorithm chooses what leaves; solved as at unit cost, by energy
value iteration at the best lower bound known. Both sides go into a certificate of type ``weighted-game``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import Objective, best_cycle
from paging.certificate import Certificate, certificate_of_bounds, packed
from paging.errors import LimitError
from paging.html import facts_table
from paging.model import LayeredInstance, whole_number
from paging.numbers import exact_text
from paging.signals import UNWATCHED, StoppedError, Watch
from proofs.game import kernels
from proofs.game.evidence import Pieces, reached, starts_of
from proofs.game.game_graph import Frozen
from proofs.game.kernels import Index, Numbers
from proofs.game.work_functions import WorkFunctions

LOOK = 4096
"""States expanded between two looks at the clock."""

MOST_COSTS = 2**15 - 1
"""Different pairs of what a request costs both sides."""

State = tuple[int, int, int]
"""The algorithm's cache as a number whose bits are its pages, the work function, the layer to be served."""


@dataclass(frozen=True)
class WeightedGameProgress:
    """How far a computation has come: states found and to be expanded, and the bound so far."""

    states: int
    frontier: int
    lower: Fraction

    def __str__(self) -> str:
        doing = f"{self.frontier:,} to be expanded" if self.frontier else "solving"
        return f"{self.states:,} states, {doing}; ratio ≥ {self.lower}"


class WeightedGameGraph:
    """The graph of the game, grown from the cold start.

    Attributes
    ----------
    states : list of State
    costs : list of (int, int)
        What a code of ``frozen`` stands for: algorithm and OPT, in units of 1/scale; the first is (0, 0).
    """

    def __init__(self, instance: LayeredInstance, opt_cache: int) -> None:
        self.instance = instance
        self.work = WorkFunctions(instance, opt_cache)
        self.states: list[State] = [(0, 0, 0)]
        self._state = {(0, 0, 0): 0}
        self.costs = [(0, 0)]
        self._code = {(0, 0): 0}
        self._request_ends: list[int] = []
        self._target_ends: list[int] = []
        self._requested: list[int] = []
        self._codes: list[int] = []
        self._targets: list[int] = []
        self._victims: list[int] = []

    @property
    def expanded(self) -> int:
        """Number of states whose requests are known."""
        return len(self._request_ends)

    def expand(self) -> None:
        """Find the requests of the next state, and what the algorithm may do on each."""
        cached, function, layer = self.states[self.expanded]
        pages = self.instance.total_pages
        for page in self.instance.pages_of(layer):
            work, grown = self.work.serve(function, page)
            fault = not cached >> page & 1
            victims = [pages]
            if fault and cached.bit_count() == self.instance.cache:
                victims = [q for q in range(pages) if cached >> q & 1]
            for victim in victims:
                after = (cached & ~(1 << victim)) | 1 << page
                self._targets.append(self._known((after, work, (layer + 1) % self.instance.layers)))
                self._victims.append(victim)
            self._target_ends.append(len(self._targets))
            self._requested.append(page)
            self._codes.append(self._cost((int(self.work.weights[page]) if fault else 0, grown)))
        self._request_ends.append(len(self._requested))

    def _known(self, state: State) -> int:
        found = self._state.setdefault(state, len(self.states))
        if found == len(self.states):
            self.states.append(state)
        return found

    def _cost(self, cost: tuple[int, int]) -> int:
        found = self._code.setdefault(cost, len(self.costs))
        if found == len(self.costs):
            if found == MOST_COSTS:
                raise LimitError(f"more than {MOST_COSTS} different costs of a request: take fewer weights")
            self.costs.append(cost)
        return found

    def frozen(self) -> Frozen:
        """Return the whole graph as arrays."""
        return Frozen(
            np.array(self._request_ends, dtype=np.int32),
            np.array(self._target_ends, dtype=np.int32),
            np.array(self._requested, dtype=np.uint8)[:, np.newaxis],
            np.array(self._codes, dtype=np.uint16),
            np.array(self._targets, dtype=np.int32),
            np.array(self._victims, dtype=np.uint8)[:, np.newaxis],
        )

    def plain(self, states: Index) -> dict[str, object]:
        """Return states as a certificate lists them."""
        chosen = [self.states[s] for s in states.tolist()]
        used = sorted({function for _, function, _ in chosen})
        place = {function: i for i, function in enumerate(used)}
        return {
            "functions": packed(self.work.plain(used).ravel()),
            "cached": packed(np.array([cached for cached, _, _ in chosen])),
            "works": packed(np.array([place[function] for _, function, _ in chosen])),
            "layers": packed(np.array([layer for _, _, layer in chosen])),
        }


@dataclass(frozen=True)
class WeightedGame:
    """The best competitive ratio with weights, or an interval for it, with what proves it.

    Attributes
    ----------
    instance : LayeredInstance
    opt_cache : int
        OPT's cache size h ≤ k.
    lower : Fraction
        No deterministic algorithm has less.
    upper : Fraction or None
        One has this; None if that is not known.
    states : int
        States of the graph.
    """

    instance: LayeredInstance
    opt_cache: int
    lower: Fraction
    upper: Fraction | None
    states: int
    _below: dict[str, object] | None = field(repr=False)
    _above: dict[str, object] | None = field(repr=False)
    _sizes: tuple[int, int] = field(repr=False)

    @property
    def value(self) -> Fraction | None:
        """The best ratio; None where only an interval is known."""
        return self.lower if self.lower == self.upper else None

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {"at least": self.lower, "at most": self.upper, "states": self.states}
        return facts_table(f"best deterministic ratio on {self.instance}", facts)

    def answer(self) -> dict[str, object]:
        """Return the result as plain values for JSON."""
        decisions, strategy = self._sizes
        return {
            "value": exact_text(self.value),
            "lower": exact_text(self.lower),
            "upper": exact_text(self.upper),
            "exact": self.value is not None,
            "adversary_states": decisions or None,
            "algorithm_states": strategy or None,
            "instance": self.instance.plain,
            "opt_cache": self.opt_cache,
            "model": self.instance.model,
            "states": self.states,
        }

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``weighted-game`` with whatever is proved: both bounds, or one.

        Raises
        ------
        NoCertificateError
            Neither bound is.
        """
        claim: dict[str, object] = {"instance": self.instance.plain, "opt_cache": self.opt_cache}
        below = None if self._below is None else (self.lower, self._below)
        above = None if self._above is None or self.upper is None else (self.upper, self._above)
        return certificate_of_bounds("weighted-game", claim, below, above, provenance)


def solve_weighted_game(
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> WeightedGame:
    """Return the best ratio of any deterministic algorithm where faults have weights, with proofs.

    Parameters
    ----------
    instance : LayeredInstance
        One page per visit, sequential, forced service, with or without weights; k < number of pages.
    opt_cache : int, optional
        OPT's cache h ≤ k; default k.
    max_states : int, optional
        Give up beyond so many states; nothing is known then.
    watch : Watch
        Told the progress now and then; asked to stop, the computation ends with what is known.

    Raises
    ------
    ModelError, UnsupportedModelError, LimitError
        The instance is outside the range, or has too many caches or different costs.

    Guarantee
    ---------
    Exact, in whole numbers.

    Examples
    --------
    >>> solve_weighted_game(LayeredInstance(layers=1, pages=3, cache=2, weights=[1, 2, 4])).value
    Fraction(2, 1)
    """
    instance.require("the game with weights", service="forced", visits="sequential", per_visit=1)
    instance.require_evictions()
    small = instance.cache if opt_cache is None else opt_cache
    whole_number(small, "opt_cache (h)", 1, instance.cache)
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    solver = _WeightedSolver(WeightedGameGraph(instance, small), max_states, watch)
    with suppress(StoppedError):
        solver.solve()
    return WeightedGame(
        instance, small, solver.lower, solver.upper, len(solver.graph.states), solver.below, solver.above,
        solver.sizes,
    )  # fmt: skip


class _WeightedSolver:
    """Raises the lower bound until the values of the game settle; keeps what is known when stopped."""

    def __init__(self, graph: WeightedGameGraph, max_states: int | None, watch: Watch) -> None:
        self.graph, self.max_states, self.watch = graph, max_states, watch
        self.lower = Fraction(0)
        self.upper: Fraction | None = None
        self.below: dict[str, object] | None = None
        self.above: dict[str, object] | None = None
        self.sizes = (0, 0)

    def look(self) -> None:
        states = len(self.graph.states)
        self.watch.look(WeightedGameProgress(states, states - self.graph.expanded, self.lower))

    def solve(self) -> None:
        graph = self.graph
        while graph.expanded < len(graph.states):
            if graph.expanded % LOOK == 0:
                self.look()
            if self.max_states is not None and len(graph.states) > self.max_states:
                return
            graph.expand()
        graph.work.require_sums(len(graph.states))
        frozen = graph.frozen()
        while True:
            value, choice, closed = self.sweep(frozen)
            if closed is None:
                break
            self.force(frozen, choice, *closed)
        self.upper = self.lower
        self.attain(frozen, value)

    def sweep(self, frozen: Frozen) -> tuple[Numbers, Numbers, tuple[Index, Index] | None]:
        """Iterate at the lower bound until the values settle or the adversary's choices close."""
        p, q = self.lower.numerator, self.lower.denominator
        payoffs = np.array([q * ours - p * opt for ours, opt in self.graph.costs], dtype=np.int64)
        states = len(self.graph.states)
        value, choice = np.zeros(states, dtype=np.int64), np.full(states, -1, dtype=np.int64)
        place, found = np.full(states, -1, dtype=np.int32), np.empty(states, dtype=np.int32)
        while kernels.improve(
            frozen.request_ends, frozen.target_ends, frozen.codes, frozen.targets, frozen.victims,
            payoffs, value, choice,
        ):  # fmt: skip
            self.look()
            count = kernels.decision_closure(0, frozen.target_ends, frozen.targets, choice, place, found)
            if count:
                return value, choice, (found[:count].copy(), place)
        return value, choice, None

    def force(self, frozen: Frozen, choice: Numbers, states: Index, place: Index) -> None:
        """Take the best bound that a closed set of requests proves: its smallest cycle ratio."""
        requests = choice[states]
        moves = Pieces(starts_of(frozen.target_ends)[requests], frozen.target_ends[requests])
        targets = moves.table(place[frozen.targets[moves.index]])
        codes = moves.table(frozen.codes[requests].astype(np.int16)[moves.owner])
        ours, opt = zip(*self.graph.costs, strict=True)
        found = best_cycle(targets, codes, Objective("OPT per cost", opt, ours))
        if found.cycle is None or found.potential is None:
            raise AssertionError("an adversary cannot do without OPT paying")
        steps = np.zeros(len(states), dtype=np.int64)
        if not kernels.zero_steps(targets, codes, steps):
            raise AssertionError("a strictly improving adversary does not waste requests for ever")
        self.lower = Fraction(found.cycle.price, found.cycle.gain)
        self.sizes = len(states), self.sizes[1]
        self.below = {
            **self.graph.plain(states),
            "potential": packed(found.potential - found.potential.min()),
            "requests": packed(frozen.requested[requests, 0].astype(np.int16)),
            "steps": packed(steps),
        }

    def attain(self, frozen: Frozen, value: Numbers) -> None:
        """Take the victims of least value, with the values as their potential."""
        kernels.best_first(frozen.target_ends, frozen.targets, frozen.victims, value)
        states = reached(frozen)
        requests = Pieces(starts_of(frozen.request_ends)[states], frozen.request_ends[states])
        victims = frozen.victims[starts_of(frozen.target_ends)[requests.index], 0].astype(np.int16)
        victims[victims == self.graph.instance.total_pages] = -1
        self.sizes = self.sizes[0], len(states)
        own: NDArray[np.int64] = value[states]
        self.above = {
            **self.graph.plain(states),
            "potential": packed(own - own.min()),
            "victims": packed(victims),
        }
