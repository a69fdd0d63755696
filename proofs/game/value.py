"""The best competitive ratio that any deterministic algorithm can have on an instance, exactly.

Two sides meet: a choice of victims with a potential on all states that can arise under it (no adversary
forces more), and a decision graph of an adversary with a potential (no algorithm gets away with less). Both
go into a certificate that :mod:`proofs.checker` judges. See docs/game.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from adversary.cycles.max_ratio import best_cycle, longest_paths
from paging.arguments import checked
from paging.certificate import Certificate, NoCertificateError, certificate, certificate_of_bounds
from paging.errors import UnknownNameError
from paging.html import facts_table
from paging.model import LayeredInstance
from paging.numbers import exact_text, number
from paging.signals import UNWATCHED, StoppedError, Watch
from paging.work_function import WorkFunction, update_work_function, update_work_function_of_visit
from proofs.game import kernels
from proofs.game.evidence import (
    Decisions,
    Requests,
    Solved,
    Strategy,
    Victims,
    all_edges,
    decisions_of,
    faults_per_opt,
    lifted,
    lower_evidence,
    reached,
    strategy_of,
    upper_evidence,
)
from proofs.game.game_graph import RULES, Frozen, GameGraph, alike, canonical, guide, together
from proofs.game.kernels import Index, Numbers


@dataclass(frozen=True)
class GameProgress:
    """How far a computation has come.

    Attributes
    ----------
    doing : str
        Which part is at work.
    states, frontier : int
        States found in this part, and those of them still to be expanded.
    lower, upper : Fraction
        The value lies between them.
    """

    doing: str
    states: int
    frontier: int
    lower: Fraction
    upper: Fraction

    def __str__(self) -> str:
        rest = f", {self.frontier:,} to be expanded" if self.frontier else ""
        return f"{self.doing}: {self.states:,} states{rest}; {self.lower} ≤ value ≤ {self.upper}"


@dataclass(frozen=True)
class GameSolution:
    """The value of the paging game on an instance, or an interval for it, with what proves it.

    Attributes
    ----------
    instance : LayeredInstance
        Forced service, cold start.
    opt_cache : int
        OPT's cache size h ≤ k.
    lower, upper : Fraction
        The best ratio of a deterministic algorithm lies between them.
    strategy : Strategy or None
        Proves ``upper``; None where nothing better is known than k/(k − h + 1), which LRU has.
    decisions : Decisions or None
        Proves ``lower``; None where that is 0.
    states : int
        States of the largest graph that was built.
    rotation : bool
        Whether states are listed up to a rotation of the layers.
    """

    instance: LayeredInstance
    opt_cache: int
    lower: Fraction
    upper: Fraction
    strategy: Strategy | None
    decisions: Decisions | None
    states: int
    rotation: bool
    _solved: Solved | None = field(repr=False, default=None)

    @property
    def value(self) -> Fraction | None:
        """The best ratio of any deterministic algorithm; None where only an interval is known."""
        return self.upper if self.lower == self.upper else None

    def _repr_html_(self) -> str:
        exact = self.value is not None
        facts: dict[str, object] = (
            {"ratio, exact": self.value} if exact else {"at least": self.lower, "at most": self.upper}
        )
        facts |= {"OPT's cache": self.opt_cache, "states": self.states}
        return facts_table(f"best deterministic ratio on {self.instance}", facts)

    def best_victim(
        self,
        cached: AbstractSet[int],
        work: WorkFunction | Sequence[int],
        page: int,
        asked: AbstractSet[int] = frozenset(),
    ) -> int:
        """Return the page to evict when ``page`` is requested, not cached, and the cache is full.

        Parameters
        ----------
        cached : set of int
            The k pages cached now.
        work : WorkFunction or sequence of int
            OPT's work function before the request, or its labels.
        page : int
            The requested page.
        asked : set of int, optional
            The pages requested before in the same visit.

        Notes
        -----
        Cold start and these victims alone never leave the states of ``strategy``. In other states the answer
        is optimal if the whole game was solved (``solve_game(…, full=True)``), and that of the rule tried
        first otherwise.
        """
        return self.best_victims(cached, work, [page], asked)[0]

    def best_victims(
        self,
        cached: AbstractSet[int],
        work: WorkFunction | Sequence[int],
        pages: Sequence[int],
        asked: AbstractSet[int] = frozenset(),
    ) -> list[int]:
        """Return the pages to evict when ``pages`` are requested together; see :meth:`best_victim`."""
        labels = _labels(work)
        layer = int(self.instance.frame.layer_of[pages[0]])
        # Victims are named for a request of the first pages among those that are alike.
        place = canonical(self.instance, self.opt_cache, cached, labels, layer, asked=asked, first=set(pages))
        for table in (self._victims, self._solved):
            chosen = (
                None if table is None else table.victims(place.row, [place.pages.index(p) for p in pages])
            )
            if chosen is not None:
                return [place.pages[q] for q in chosen]
        after = np.array(labels, dtype=np.int64)
        if len(pages) > 1:
            update_work_function_of_visit(after, np.array(pages, dtype=np.int64), self.opt_cache)
        else:
            update_work_function(after, pages[0], self.opt_cache)
        rule, layers = RULES[guide(self.instance)], self.instance.layers
        last = len(asked) + len(pages) >= self.instance.per_visit

        def rank(q: int) -> int:
            ago = (layer - int(self.instance.frame.layer_of[q])) % layers
            again = ago == 0 and not last and q not in asked
            return rule(int(after[q]), self.opt_cache, layers if again else ago, layers)

        leaving = len(cached | set(pages)) - self.instance.cache
        return sorted(cached - set(pages), key=lambda q: (rank(q), q))[: max(0, leaving)]

    def best_page(
        self,
        cached: AbstractSet[int],
        work: WorkFunction | Sequence[int],
        layer: int,
        asked: AbstractSet[int] = frozenset(),
    ) -> int:
        """Return the page of a layer that an adversary who forces ``lower`` requests.

        Notes
        -----
        Cold start and these requests alone never leave the states of ``decisions``, whatever a lazy algorithm
        evicts. In other states the answer is a guess: the request that gained last where the whole game was
        solved, else the page that OPT is surest to have, one that the algorithm lacks before others.
        """
        return self.best_pages(cached, work, layer, asked)[0]

    def best_pages(
        self,
        cached: AbstractSet[int],
        work: WorkFunction | Sequence[int],
        layer: int,
        asked: AbstractSet[int] = frozenset(),
    ) -> list[int]:
        """Return the pages that such an adversary requests together; see :meth:`best_page`."""
        labels = _labels(work)
        place = canonical(self.instance, self.opt_cache, cached, labels, layer, asked=asked)
        for table in (self._requests, self._solved):
            chosen = None if table is None else table.request(place.row)
            if chosen is not None:
                return [place.pages[q] for q in chosen]
        return sorted(
            set(self.instance.pages_of(layer)) - asked,
            key=lambda q: (q in cached or labels[q] == 0, -labels[q], q),
        )[: together(self.instance)]

    @cached_property
    def _victims(self) -> Victims | None:
        return None if self.strategy is None else Victims(self.strategy, self.instance, self.opt_cache)

    @cached_property
    def _requests(self) -> Requests | None:
        return None if self.decisions is None else Requests(self.decisions)

    def answer(self) -> dict[str, object]:
        """Return the result as plain values for JSON."""
        return {
            "value": exact_text(self.value),
            "lower": exact_text(self.lower),
            "upper": exact_text(self.upper),
            "exact": self.value is not None,
            "algorithm_states": None if self.strategy is None else len(self.strategy.rows),
            "adversary_states": None if self.decisions is None else len(self.decisions.rows),
            **_setting(self),
        }

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``game`` with whatever is proved: both bounds, or one of them.

        Raises
        ------
        NoCertificateError
            Neither bound is.
        """
        claim: dict[str, object] = {"instance": self.instance.plain, "opt_cache": self.opt_cache}
        below = above = None
        if self.decisions is not None:
            below = self.lower, lower_evidence(self.decisions, self.instance, self.opt_cache)
        if self.strategy is not None:
            above = self.upper, upper_evidence(self.strategy, self.instance, self.opt_cache)
        return certificate_of_bounds("game", claim, below, above, provenance)


@dataclass(frozen=True)
class RuleRatio:
    """The worst ratio of a rule over all ways to break its ties, or what is known of it.

    Attributes
    ----------
    rule : str
    instance : LayeredInstance
    opt_cache : int
    ratio : Fraction or float or None
        ``inf`` if it is unbounded, None if the computation was stopped.
    states : int
    strategy : Strategy or None
        The potential that proves it, on every state that can arise; the victims are one choice of many.
    """

    rule: str
    instance: LayeredInstance
    opt_cache: int
    ratio: Fraction | float | None
    states: int
    strategy: Strategy | None

    def answer(self) -> dict[str, object]:
        """Return the result as plain values for JSON."""
        exact = self.ratio is not None
        return {"rule": self.rule, "ratio": exact_text(self.ratio), "exact": exact, **_setting(self)}

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``rule``: no way to break the ties is worse than ``ratio``.

        Raises
        ------
        NoCertificateError
            The ratio is unbounded or not known.
        """
        if self.strategy is None:
            raise NoCertificateError(f"no finite upper bound on the ratio of rule {self.rule} is known")
        claim: dict[str, object] = {
            "instance": self.instance.plain,
            "opt_cache": self.opt_cache,
            "rule": self.rule,
            "upper": number(self.strategy.ratio),
        }
        evidence = upper_evidence(self.strategy, self.instance, self.opt_cache)
        del evidence["victims"]
        return certificate("rule", claim, evidence, provenance)


@checked
def solve_game(
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    full: bool = False,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> GameSolution:
    """Return the best competitive ratio of any deterministic algorithm on an instance, with proofs.

    First a rule is tried as an upper bound (ZRC; FAR-LAB if several pages of a visit are served one by one),
    and an adversary confined to few pages as a lower bound.
    Where they do not meet, the whole game is solved from that lower bound on.

    Parameters
    ----------
    instance : LayeredInstance
        Forced service, k < number of pages; layers may have different sizes.
    opt_cache : int, optional
        OPT's cache size h ≤ k; default k.
    full : bool, default False
        Solve the whole game in any case: an independent way to the same value, and best moves everywhere.
    max_states : int, optional
        Give up a graph beyond this many states. Default: no limit.
    watch : Watch
        Told the :class:`GameProgress` now and then; asked to stop, the computation ends with the interval
        known.

    Raises
    ------
    ModelError, UnsupportedModelError, LimitError
        The instance is outside the range.

    Guarantee
    ---------
    Exact, in whole numbers. Energy value iteration at the best lower bound P/Q known: if it
    settles, the values are a potential; if not, the adversary's last improving requests prove more.

    Examples
    --------
    >>> found = solve_game(LayeredInstance(layers=2, pages=2, cache=2))
    >>> found.value, found.strategy.ratio, found.decisions.ratio
    (Fraction(3, 2), Fraction(3, 2), Fraction(3, 2))
    """
    solver = _GameSolver(instance, opt_cache, max_states, watch)
    solver.solve(full)
    return solver.result()


def rule_ratio(
    rule: str,
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> RuleRatio:
    """Return the exact worst ratio of a rule over all ways to break its ties.

    Parameters
    ----------
    rule : str
        A name out of :data:`proofs.game.game_graph.RULES`.
    instance, opt_cache, max_states, watch
        As for :func:`solve_game`.

    Examples
    --------
    >>> instance = LayeredInstance(layers=2, pages=3, cache=4)
    >>> rule_ratio("zrc", instance).ratio, rule_ratio("any", instance).ratio
    (Fraction(3, 1), inf)
    """
    if rule not in RULES:
        raise UnknownNameError("rule", rule, RULES)
    solver = _GameSolver(instance, opt_cache, max_states, watch)
    return solver.rule(rule)


# ------------------------------------------------------------------------------------------- the solver


class _TooLargeError(Exception):
    """A graph has more states than wanted."""


class _GameSolver:
    """Closes in on the value from both sides; keeps what is known when stopped."""

    def __init__(
        self,
        instance: LayeredInstance,
        opt_cache: int | None,
        max_states: int | None,
        watch: Watch,
    ) -> None:
        start = GameGraph(instance, opt_cache)
        self.instance, self.opt_cache = instance, start.opt_cache
        self.max_states, self.watch = max_states, watch
        self.sweeps = Watch(lambda ratio: self.look())
        self.lower = Fraction(0)
        # Sleator and Tarjan: LRU has this ratio, layers only restrict the requests.
        self.upper = Fraction(instance.cache, instance.cache - self.opt_cache + 1)
        self.strategy: Strategy | None = None
        self.decisions: Decisions | None = None
        self.solved: Solved | None = None
        self.states = 0
        self.doing = ""
        self.graph = start

    def solve(self, full: bool) -> None:
        """Take the cheap bounds first, then the whole game if they do not meet or all of it is wanted."""
        try:
            for step in [self.confined] if full else [self.confined, self.by_rule]:
                with suppress(_TooLargeError):
                    step()
            if full or self.lower < self.upper or self.strategy is None:
                with suppress(_TooLargeError):
                    self.whole()
        except StoppedError:
            return

    def result(self) -> GameSolution:
        return GameSolution(
            self.instance,
            self.opt_cache,
            self.lower,
            self.upper,
            self.strategy,
            self.decisions,
            self.states,
            alike(self.instance),
            self.solved,
        )

    # Graphs

    def explore(self, doing: str, graph: GameGraph) -> Frozen:
        self.doing, self.graph = doing, graph
        while not graph.complete:
            graph.grow()
            self.states = max(self.states, graph.states)
            self.look()
            if self.max_states is not None and graph.states > self.max_states:
                raise _TooLargeError
        return graph.freeze()

    def look(self) -> None:
        graph = self.graph
        frontier = graph.states - graph.expanded
        self.watch.look(GameProgress(self.doing, graph.states, frontier, self.lower, self.upper))

    # A rule with all of its ties

    def rule(self, name: str) -> RuleRatio:
        """Return the worst ratio of a rule."""
        ratio: Fraction | float | None = None
        strategy = None
        with suppress(StoppedError, _TooLargeError):
            graph, frozen, ratio, potential = self.follow(name)
            if isinstance(ratio, Fraction):
                every = np.arange(graph.states, dtype=np.int32)
                strategy = strategy_of(graph, frozen, ratio, potential, every)
        return RuleRatio(name, self.instance, self.opt_cache, ratio, self.states, strategy)

    def by_rule(self) -> None:
        """Bound the value from above by a rule."""
        graph, frozen, ratio, potential = self.follow(guide(self.instance))
        if isinstance(ratio, Fraction) and ratio <= self.upper:
            self.upper = ratio
            self.strategy = strategy_of(graph, frozen, ratio, potential, reached(frozen))

    def follow(self, name: str) -> tuple[GameGraph, Frozen, Fraction | float, Numbers]:
        """Return the graph in which the adversary breaks a rule's ties, its largest cycle ratio, a potential.

        The potential means something if the ratio is finite.
        """
        graph = GameGraph(self.instance, self.opt_cache, RULES[name])
        frozen = self.explore(f"rule {name}", graph)
        targets, codes = all_edges(frozen)
        objective = faults_per_opt(graph.together)
        found = best_cycle(targets, codes, objective, watch=self.sweeps)
        if found.cycle is None:
            raise AssertionError("every algorithm faults for ever if there are more pages than slots")
        if found.cycle.price == 0:
            return graph, frozen, float("inf"), np.zeros(graph.states, dtype=np.int64)
        ratio = Fraction(found.cycle.gain, found.cycle.price)
        return graph, frozen, ratio, -longest_paths(targets, codes, ratio, objective, watch=self.sweeps)

    # The game

    def confined(self) -> None:
        """Bound the value from below by an adversary who requests few pages of every layer only."""
        counts = self.instance.pages_by_layer
        fewest = self.instance.per_visit
        most = next(m for m in range(fewest, max(counts) + 1) if _confined(counts, m) > self.instance.cache)
        pages = tuple(min(n, most) for n in counts)
        if pages == counts:
            return
        smaller = replace(self.instance, pages=pages, names=None)
        graph = GameGraph(smaller, self.opt_cache, rotation=alike(self.instance))
        self.iterate("few pages", graph)

    def whole(self) -> None:
        """Solve the game itself."""
        graph = GameGraph(self.instance, self.opt_cache)
        frozen, value, choice = self.iterate("game", graph)
        kernels.best_first(frozen.target_ends, frozen.targets, frozen.victims, value)
        self.upper = self.lower
        self.strategy = strategy_of(graph, frozen, self.upper, value, reached(frozen))
        self.solved = Solved(graph, frozen, choice)

    def iterate(self, doing: str, graph: GameGraph) -> tuple[Frozen, Numbers, Numbers]:
        """Raise the lower bound to the value of a graph's game; return the values and choices at the end."""
        frozen = self.explore(doing, graph)
        best = np.full(graph.states, -1, dtype=np.int64)
        while True:
            value, choice, closed = self.sweep(frozen, graph.states)
            best = np.where(choice >= 0, choice, best)
            if closed is None:
                return frozen, value, best
            proof = decisions_of(graph, frozen, choice, *closed)
            self.decisions, self.lower = lifted(proof, graph.instance, self.instance), proof.ratio

    def sweep(self, frozen: Frozen, states: int) -> tuple[Numbers, Numbers, tuple[Index, Index] | None]:
        """Iterate at the lower bound until the values settle or the adversary's choices close."""
        p, q = self.lower.numerator, self.lower.denominator
        ratio = faults_per_opt(together(self.instance))
        weights = q * np.array(ratio.gain, dtype=np.int64) - p * np.array(ratio.price, dtype=np.int64)
        value = np.zeros(states, dtype=np.int64)
        choice = np.full(states, -1, dtype=np.int64)
        place = np.full(states, -1, dtype=np.int32)
        found = np.empty(states, dtype=np.int32)
        while kernels.improve(
            frozen.request_ends, frozen.target_ends, frozen.codes, frozen.targets, frozen.victims,
            weights, value, choice,
        ):  # fmt: skip
            self.look()
            count = kernels.decision_closure(0, frozen.target_ends, frozen.targets, choice, place, found)
            if count:
                return value, choice, (found[:count].copy(), place)
        return value, choice, None


def _confined(counts: Sequence[int], most: int) -> int:
    return sum(min(n, most) for n in counts)


def _labels(work: WorkFunction | Sequence[int]) -> Sequence[int]:
    return work.labels if isinstance(work, WorkFunction) else work


def _setting(found: GameSolution | RuleRatio) -> dict[str, object]:
    shape = found.instance
    return {
        "instance": shape.plain,
        "opt_cache": found.opt_cache,
        "model": shape.model,
        "states": found.states,
    }
