"""The best ratio of randomised policies from above: a linear program over work-function states, then exactly.

A policy here holds a distribution over optimal caches that depends on the work function alone. Floating
point only proposes the distributions; they are rounded to fractions, the cheapest plans between them are
found by an exact flow, and the ratio and the potential by exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from math import lcm

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from adversary.cycles.max_ratio import Objective, best_cycle, longest_paths
from lp.result import SolverError
from paging.errors import LimitError
from paging.model import LayeredInstance
from paging.numbers import number
from proofs.game.randomized.transitions import (
    AskedLabel,
    Chances,
    Counts,
    State,
    held_by_opt,
    loads,
    merged,
    mixture,
    optimal,
    request,
    split_after,
    split_before,
)

ROUNDINGS = (100, 5_000)
"""Largest denominators tried for chances, before multiples of 1/FINE are taken."""
FINE = 2**36
LARGEST_UNIT = 2**400
"""Common denominator of plan costs beyond which a rounding is not worth its arithmetic."""


@dataclass(frozen=True)
class Edge:
    """A request in a state, with the number of the state that follows."""

    source: int
    target: int
    asked: AskedLabel


@dataclass(frozen=True)
class WorkGraph:
    """All work-function states of an instance up to renaming, the cold start first, and all requests."""

    cache: int
    states: list[State]
    edges: list[Edge]

    def caches(self, state: int) -> list[Counts]:
        """Return the types of the optimal caches of a state; while slots are free, of what was requested."""
        labels = self.states[state]
        held = held_by_opt(labels)
        if sum(held) < self.cache:
            return [held]
        choices = product(*(range(most + 1) for most in held))
        return [counts for counts in choices if optimal(labels, counts, self.cache)]


def work_graph(instance: LayeredInstance, max_states: int) -> WorkGraph:
    """Return all work-function states.

    Raises
    ------
    LimitError
        There are more than ``max_states``.
    """
    start: State = tuple((0,) * pages for pages in instance.pages_by_layer)
    known = {start: 0}
    states, edges = [start], []
    for source, state in enumerate(states):
        for label in sorted(set(state[0])):
            asked = request(state, label, instance.cache)
            target = known.setdefault(asked.after, len(states))
            if target == len(states):
                states.append(asked.after)
            edges.append(Edge(source, target, asked))
        if len(states) > max_states:
            raise LimitError(f"there are more than max_states = {max_states:,} work-function states")
    return WorkGraph(instance.cache, states, edges)


@dataclass(frozen=True)
class PolicyBound:
    """A randomised policy and its ratio: what a certificate needs of the upper side.

    Attributes
    ----------
    ratio, additive : Fraction
        E[faults] ≤ ratio·OPT + additive on every request sequence.
    """

    ratio: Fraction
    additive: Fraction
    graph: WorkGraph
    distributions: list[Chances]
    plans: list[dict[tuple[Counts, Counts], Fraction]]
    potential: list[Fraction]

    def evidence(self) -> list[dict[str, object]]:
        """Return the upper side of a certificate of type ``randomized-value``."""
        listed: list[dict[str, object]] = []
        plans: list[list[object]] = [[] for _ in self.graph.states]
        for edge, plan in zip(self.graph.edges, self.plans, strict=True):
            moves = [[list(old), list(new), number(chance)] for (old, new), chance in sorted(plan.items())]
            plans[edge.source].append(moves)
        for s, state in enumerate(self.graph.states):
            caches = [[list(counts), number(c)] for counts, c in sorted(self.distributions[s].items())]
            listed.append(
                {
                    "labels": [list(labels) for labels in state],
                    "caches": caches,
                    "potential": number(self.potential[s]),
                    "plans": plans[s],
                }
            )
        return listed


def policy_bound(graph: WorkGraph, look: Callable[[], None] = lambda: None) -> tuple[float, PolicyBound]:
    """Return the least ratio by the linear program, and the best one proved after rounding.

    Parameters
    ----------
    graph : WorkGraph
    look : callable
        Called now and then; what it raises ends the computation.

    Raises
    ------
    SolverError
        HiGHS fails.
    """
    estimate, shares = _solve(graph)
    best: PolicyBound | None = None
    for largest in (*ROUNDINGS, None):
        look()
        found = _proved(graph, _all_rounded(graph, shares, largest), look)
        if found is not None and (best is None or found.ratio < best.ratio):
            best = found
        if best is not None and best.ratio <= estimate + 1e-10:
            break
    assert best is not None
    return estimate, best


def _solve(graph: WorkGraph) -> tuple[float, list[dict[Counts, float]]]:
    """Solve the linear program in floating point; return the ratio and a distribution per state."""
    caches = [graph.caches(s) for s in range(len(graph.states))]
    first = np.cumsum([0, *map(len, caches)])
    states = len(caches)
    ratio = int(first[-1]) + states  # variables: chances, potentials, the ratio, then plans
    columns = ratio + 1
    equal, least = Rows(), Rows()
    for s in range(states):
        equal.add({int(first[s]) + i: 1.0 for i in range(len(caches[s]))}, 1.0)
    for edge in graph.edges:
        s, t, asked = edge.source, edge.target, edge.asked
        give: dict[Counts, dict[int, float]] = {}
        take: dict[Counts, dict[int, float]] = {}
        for i, counts in enumerate(caches[s]):
            for split, share in split_before(asked, counts).items():
                give.setdefault(split, {})[int(first[s]) + i] = -float(share)
        for i, counts in enumerate(caches[t]):
            for split, share in split_after(asked, counts).items():
                take.setdefault(split, {})[int(first[t]) + i] = -float(share)
        paying = {int(first[-1]) + t: 1.0, ratio: -float(asked.paid)}
        paying[int(first[-1]) + s] = paying.get(int(first[-1]) + s, 0.0) - 1.0
        for old in give:
            for new in take:
                cost = loads(old, new)
                if cost <= 1:
                    give[old][columns] = take[new][columns] = 1.0
                    paying[columns] = float(cost)
                    columns += 1
        for row in (*give.values(), *take.values()):
            equal.add(row, 0.0)
        least.add(paying, 0.0)
    goal = np.zeros(columns)
    goal[ratio] = 1.0
    bounds = np.zeros((columns, 2))
    bounds[:, 1] = np.inf
    bounds[first[-1] : ratio, 0] = -np.inf
    answer = linprog(
        goal,
        A_ub=least.matrix(columns),
        b_ub=least.right,
        A_eq=equal.matrix(columns),
        b_eq=equal.right,
        bounds=bounds,
        method="highs",
    )
    if answer.status:
        raise SolverError(f"HiGHS: {answer.message}")
    shares = [
        {counts: float(answer.x[first[s] + i]) for i, counts in enumerate(caches[s])} for s in range(states)
    ]
    return float(answer.fun), shares


class Rows:
    """Rows of a sparse matrix, collected."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []
        self.right: list[float] = []

    def add(self, entries: dict[int, float], right: float) -> None:
        self.rows += [len(self.right)] * len(entries)
        self.columns += entries.keys()
        self.values += entries.values()
        self.right.append(right)

    def matrix(self, columns: int) -> coo_array:
        return coo_array((self.values, (self.rows, self.columns)), shape=(len(self.right), columns)).tocsr()


def _all_rounded(graph: WorkGraph, shares: list[dict[Counts, float]], largest: int | None) -> list[Chances]:
    """Round all distributions, alike where requests lead from state to state and back at no cost to OPT.

    Such requests are for pages of label k, which every optimal cache holds; they only turn the layers. A cost
    on the way, as small as it may be, would be paid over and over.
    """
    turn = {e.source: e for e in graph.edges if graph.states[e.source] == _turned_back(e.asked.after)}
    rounded: dict[int, Chances] = {}
    layers = len(graph.states[0])
    for root in range(len(graph.states)):
        if root in rounded:
            continue
        circle = [root]
        while len(circle) < layers and circle[-1] in turn:
            circle.append(turn[circle[-1]].target)
        chances = _rounded(shares[root], largest)
        if circle[-1] not in turn:
            rounded[root] = chances
            continue
        total: dict[int, Chances] = {s: {} for s in circle}
        for s in circle:  # as many times through a state as its layers look the same when turned
            for counts, chance in chances.items():
                share = chance * Fraction(len(total), layers)
                total[s][counts] = total[s].get(counts, Fraction(0)) + share
            asked = turn[s].asked
            split = mixture(chances, partial(split_before, asked))
            chances = {merged(asked, parts): chance for parts, chance in split.items()}
        rounded |= total
    return [rounded[s] for s in range(len(graph.states))]


def _turned_back(after: State) -> State:
    """Return the state whose layers come in the order before a request."""
    return (after[-1], *after[:-1])


def _rounded(shares: dict[Counts, float], largest: int | None) -> Chances:
    """Return fractions that add up to 1: of bounded denominators, or multiples of 1/FINE."""
    chances = {}
    for counts, share in shares.items():
        exact = (
            Fraction(round(share * FINE), FINE)
            if largest is None
            else Fraction(share).limit_denominator(largest)
        )
        if share > 1e-9 and exact > 0:
            chances[counts] = exact
    most = max(chances, key=lambda counts: chances[counts])
    chances[most] += 1 - sum(chances.values())
    return chances


def _proved(graph: WorkGraph, distributions: list[Chances], look: Callable[[], None]) -> PolicyBound | None:
    """Return the ratio that given distributions prove, or None where the arithmetic would be too wide."""
    if any(chance <= 0 for chances in distributions for chance in chances.values()):
        return None
    if _unit(chance for chances in distributions for chance in chances.values()) > LARGEST_UNIT:
        return None
    plans, costs = [], []
    for edge in graph.edges:
        look()
        plan = cheapest_plan(
            mixture(distributions[edge.source], partial(split_before, edge.asked)),
            mixture(distributions[edge.target], partial(split_after, edge.asked)),
        )
        plans.append(plan)
        costs.append(sum((chance * loads(*move) for move, chance in plan.items()), Fraction(0)))
    unit = _unit(costs)
    targets, codes = _arrays(graph)
    objective = Objective(
        "expected", tuple(int(c * unit) for c in costs), tuple(edge.asked.paid for edge in graph.edges)
    )
    found = best_cycle(targets, codes, objective)
    assert found.cycle is not None
    ratio = Fraction(found.cycle.gain, found.cycle.price)
    distance = [int(d) for d in longest_paths(targets, codes, ratio, objective)]
    scale = ratio.denominator * unit
    potential = [Fraction(max(distance) - d, scale) for d in distance]
    return PolicyBound(ratio / unit, potential[0] - min(potential), graph, distributions, plans, potential)


def _unit(values: Iterable[Fraction]) -> int:
    unit = 1
    for value in values:
        unit = lcm(unit, value.denominator)
        if unit > LARGEST_UNIT * FINE:
            break
    return unit


def _arrays(graph: WorkGraph) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    degree = max(len(set(state[0])) for state in graph.states)
    targets = np.full((len(graph.states), degree), -1, dtype=np.int32)
    codes = np.full((len(graph.states), degree), -1, dtype=np.int32)
    used = [0] * len(graph.states)
    for code, edge in enumerate(graph.edges):
        place = edge.source, used[edge.source]
        targets[place], codes[place] = edge.target, code
        used[edge.source] += 1
    return targets, codes


def cheapest_plan(before: Chances, after: Chances) -> dict[tuple[Counts, Counts], Fraction]:
    """Return the cheapest way to move one distribution into another, exactly, by a flow in integers.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> sorted(cheapest_plan({(1, 0): half, (0, 1): half}, {(1, 0): Fraction(1)}).items())
    [(((0, 1), (1, 0)), Fraction(1, 2)), (((1, 0), (1, 0)), Fraction(1, 2))]
    """
    unit = lcm(*(chance.denominator for chance in (*before.values(), *after.values())))
    network = nx.DiGraph()
    for old, chance in before.items():
        network.add_node((0, old), demand=-int(chance * unit))
    for new, chance in after.items():
        network.add_node((1, new), demand=int(chance * unit))
    for old in before:
        for new in after:
            network.add_edge((0, old), (1, new), weight=loads(old, new))
    _, flow = nx.network_simplex(network)
    return {
        (old, new): Fraction(amount, unit)
        for (_, old), row in flow.items()
        for (_, new), amount in row.items()
        if amount
    }
