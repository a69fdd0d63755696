"""The best ratio of randomised policies from below: random requests, by a linear program, then exactly.

Yao's principle: random requests that cost every deterministic policy r times as much as OPT, in expectation,
show that no randomised policy is better than r. The requests form a tree that begins when the work function
is a *cone* (k pages are in the only optimal cache) and ends with a *sweep*: the pages of an optimal cache
are requested over and over until the policy holds them, and the work function is a cone again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache as memoised
from itertools import product

import networkx as nx
import numpy as np
from scipy.optimize import linprog

from lp.result import SolverError
from paging.model import LayeredInstance
from paging.numbers import number
from proofs.game.randomized.policy_bound import Rows
from proofs.game.randomized.transitions import (
    AskedLabel,
    Counts,
    State,
    class_sizes,
    cone,
    held_by_opt,
    merged,
    optimal,
    request,
    split_before,
)

ROUNDINGS = (12, 100, 1_000, 10**6)
"""Largest denominators tried for chances."""
PATIENCE = 3
"""Depths of the tree without a better bound after which no deeper one is tried."""
LEAST = 1e-9
"""Smaller weights of the linear program count as 0."""


@dataclass
class TreeNode:
    """What is requested next: pages of a label, or the pages of a cache over and over, each with a chance."""

    branches: list[tuple[int, Fraction, int]] = field(
        default_factory=list
    )  # label, chance, node that follows
    sweeps: list[tuple[Counts, Fraction]] = field(default_factory=list)  # an optimal cache, chance


@dataclass(frozen=True)
class RequestsBound:
    """Random requests and what they force: the lower side of a certificate.

    Attributes
    ----------
    ratio : Fraction
        No randomised policy has a smaller competitive ratio.
    columns, depth : int
        Size of the linear program, and requests between two cones.
    """

    ratio: Fraction
    columns: int
    depth: int
    roots: list[tuple[State, Fraction, int]]
    nodes: list[TreeNode]

    def evidence(self) -> dict[str, object]:
        """Return the lower side of a certificate of type ``randomized-value``."""
        return {
            "roots": [
                {"labels": [list(labels) for labels in state], "weight": number(weight), "node": node}
                for state, weight, node in self.roots
            ],
            "nodes": [
                {
                    "branches": [[label, number(chance), child] for label, chance, child in node.branches],
                    "sweeps": [[list(counts), number(chance)] for counts, chance in node.sweeps],
                }
                for node in self.nodes
            ],
        }


def requests_bound(
    instance: LayeredInstance,
    *,
    goal: float,
    max_columns: int,
    look: Callable[[RequestsBound | None, int], None] = lambda best, columns: None,
) -> RequestsBound | None:
    """Return the best random requests found, or None where no cache has a page in every layer.

    Parameters
    ----------
    instance : LayeredInstance
    goal : float
        Deeper trees are tried until this ratio is reached (or none of some depths has been better).
    max_columns : int
        Largest linear program.
    look : callable
        Told the best bound and the size of the last program after each; what it raises ends the search.

    Raises
    ------
    SolverError
        HiGHS fails.
    """
    roots = list(_roots(instance))
    best: RequestsBound | None = None
    if not roots:
        return None
    stale, depth = 0, 2
    while stale < PATIENCE:
        tree = _Tree(roots, instance.cache, depth, max_columns)
        if not tree.complete:
            break
        value = tree.solve()
        if value is not None and (best is None or value > best.ratio + Fraction(1, 10**8)):
            found = tree.proved()
            if found is not None and (best is None or found.ratio > best.ratio):
                best, stale = found, -1
        look(best, tree.columns)
        if best is not None and best.ratio >= goal - 1e-9:
            break
        stale += best is not None
        depth += 1
    return best


def _roots(instance: LayeredInstance) -> Iterator[State]:
    """Yield the cones with a page in every layer, each seen from its least side."""
    cold: State = tuple((0,) * pages for pages in instance.pages_by_layer)
    found = set()
    for counts in product(*(range(1, pages + 1) for pages in instance.pages_by_layer)):
        if sum(counts) == instance.cache:
            labels = tuple(
                (0,) * (len(layer) - held) + (instance.cache,) * held
                for layer, held in zip(cold, counts, strict=True)
            )
            turned = min(labels[i:] + labels[:i] for i in range(len(labels)))
            if turned not in found:
                found.add(turned)
                yield turned


@memoised
def _asked(state: State, label: int, cache: int) -> AskedLabel:
    return request(state, label, cache)


@memoised
def _sweeps(state: State, cache: int) -> list[tuple[Counts, State]]:
    """Return the optimal caches with a page in every layer, and the cones they lead to."""
    choices = product(*(range(most + 1) for most in held_by_opt(state)))
    found = [(c, cone(state, c, cache)) for c in choices if sum(c) == cache and optimal(state, c, cache)]
    return [(counts, root) for counts, root in found if root is not None]


@memoised
def _moves(
    state: State, label: int, held: Counts, cache: int
) -> list[tuple[Fraction, bool, tuple[Counts, ...]]]:
    """Return, for a request, chance and fault, and the caches a policy can have afterwards."""
    asked = _asked(state, label, cache)
    page = asked.page
    moves = []
    for split, share in split_before(asked, held).items():
        victims = [page] if split[page] else [i for i, count in enumerate(split) if count]
        options = {
            merged(asked, tuple(n - (i == v) + (i == page) for i, n in enumerate(split))) for v in victims
        }
        moves.append((share, not split[page], tuple(sorted(options))))
    return moves


def _missing(state: State, wanted: Counts, held: Counts) -> Fraction:
    """Return how many pages of a cache are missing in another one, in expectation."""
    sizes = class_sizes(state)
    return sum(
        (n * (1 - Fraction(h, size)) for n, h, size in zip(wanted, held, sizes, strict=True)), Fraction(0)
    )


@dataclass
class _Place:
    """A node of the tree with its columns: its weight, and the policy's cost from there per type of cache."""

    state: State
    depth: int
    weight: int
    costs: dict[Counts, int]
    branches: list[tuple[int, _Place]] = field(default_factory=list)
    sweeps: list[tuple[Counts, State, int]] = field(default_factory=list)


class _Tree:
    """The linear program of all random requests of so many steps between two cones.

    Weights of nodes and sweeps are how often they are come by; costs are multiplied by the weight of their
    node, so that everything is linear. OPT's cost per unit of time is 1, the policy's is maximised.
    """

    def __init__(self, roots: list[State], cache: int, depth: int, max_columns: int) -> None:
        self.cache, self.depth, self.max_columns = cache, depth, max_columns
        self.free: list[bool] = []
        self.least, self.equal = Rows(), Rows()
        self.paid: dict[int, float] = {}
        self.returns: dict[State, dict[int, float]] = {}
        self.roots: list[_Place] = []
        self.goal: list[int] = []
        queue: deque[_Place] = deque()
        for root in roots:
            held = held_by_opt(root)
            place = _Place(root, 0, self.column(), {held: self.column(free=True)})
            self.returns[root] = {place.weight: -1.0}
            self.goal.append(place.costs[held])
            self.roots.append(place)
            queue.append(place)
        while queue and self.complete:
            queue.extend(self.grow(queue.popleft()))
        for back in self.returns.values():
            self.equal.add(back, 0.0)
        self.equal.add(self.paid, 1.0)

    @property
    def columns(self) -> int:
        """Number of variables."""
        return len(self.free)

    @property
    def complete(self) -> bool:
        """Whether the program is within its limit."""
        return self.columns <= self.max_columns

    def column(self, *, free: bool = False) -> int:
        self.free.append(free)
        return len(self.free) - 1

    def grow(self, place: _Place) -> list[_Place]:
        """Enter a node into the program and return those that follow."""
        state = place.state
        flow = {place.weight: -1.0}
        bounds = {held: {cost: 1.0} for held, cost in place.costs.items()}
        if place.depth:
            for counts, root in _sweeps(state, self.cache):
                weight = self.column()
                flow[weight] = 1.0
                self.returns[root][weight] = 1.0
                place.sweeps.append((counts, root, weight))
                for held, row in bounds.items():
                    row[weight] = -float(_missing(state, counts, held))
        for label in sorted(set(state[0])) if place.depth < self.depth else ():
            child = self.branch(place, label, bounds)
            flow[child.weight] = 1.0
            place.branches.append((label, child))
        for row in bounds.values():
            self.least.add(row, 0.0)
        self.equal.add(flow, 0.0)
        return [child for _, child in place.branches]

    def branch(self, place: _Place, label: int, bounds: dict[Counts, dict[int, float]]) -> _Place:
        """Add a request to a node: what it adds to the policy's cost is at most the best of its answers."""
        asked = _asked(place.state, label, self.cache)
        child = _Place(asked.after, place.depth + 1, self.column(), {})
        if asked.paid:
            self.paid[child.weight] = 1.0
        for held, row in bounds.items():
            for share, fault, options in _moves(place.state, label, held, self.cache):
                for option in options:
                    if option not in child.costs:
                        child.costs[option] = self.column(free=True)
                if not fault:
                    here = child.costs[options[0]]
                else:
                    here = self.column(free=True)
                    for option in options:
                        self.least.add({here: 1.0, child.weight: -1.0, child.costs[option]: -1.0}, 0.0)
                row[here] = row.get(here, 0.0) - float(share)
        return child

    def solve(self) -> float | None:
        """Solve the program; return its value, or None if OPT pays nothing in any tree of this depth."""
        goal = np.zeros(self.columns)
        goal[self.goal] = -1.0
        bounds = np.zeros((self.columns, 2))
        bounds[:, 1] = np.inf
        bounds[self.free, 0] = -np.inf
        answer = linprog(
            goal,
            A_ub=self.least.matrix(self.columns),
            b_ub=self.least.right,
            A_eq=self.equal.matrix(self.columns),
            b_eq=self.equal.right,
            bounds=bounds,
            method="highs",
        )
        if answer.status == 2:
            return None
        if answer.status:
            raise SolverError(f"HiGHS: {answer.message}")
        self.answer = answer.x
        return -float(answer.fun)

    def proved(self) -> RequestsBound | None:
        """Return the best bound that the rounded chances prove, each rounding judged exactly."""
        candidates = (self.rounded(largest) for largest in ROUNDINGS)
        return max(
            (found for found in candidates if found is not None), key=lambda found: found.ratio, default=None
        )

    def rounded(self, largest: int) -> RequestsBound | None:
        nodes: list[TreeNode] = []
        places: list[_Place] = []

        def enter(place: _Place) -> int:
            """Number a place and what follows it, itself first."""
            here = len(nodes)
            nodes.append(TreeNode())
            places.append(place)
            ways: list[tuple[float, int, _Place | Counts]] = []
            ways += [(self.answer[child.weight], label, child) for label, child in place.branches]
            ways += [(self.answer[weight], 0, counts) for counts, _, weight in place.sweeps]
            ways = [way for way in ways if way[0] > LEAST]
            total = sum(weight for weight, _, _ in ways)
            chances = [Fraction(weight / total).limit_denominator(largest) for weight, _, _ in ways]
            most = chances.index(max(chances))
            chances[most] += 1 - sum(chances)
            for chance, (_, label, way) in zip(chances, ways, strict=True):
                if isinstance(way, _Place):
                    if chance > 0:
                        nodes[here].branches.append((label, chance, enter(way)))
                elif chance > 0:
                    nodes[here].sweeps.append((way, chance))
            return here

        numbers = {place.state: enter(place) for place in self.roots if self.answer[place.weight] > LEAST}
        return self._judged(numbers, nodes)

    def _judged(self, numbers: dict[State, int], nodes: list[TreeNode]) -> RequestsBound | None:
        """Return what random requests prove, with the weights with which they return to their cones."""
        play = _Play(nodes, self.cache)
        chain = nx.DiGraph()
        for root, node in numbers.items():
            for back, chance in play.returns(node, root)[1].items():
                chain.add_edge(root, back, chance=chance)
        best: RequestsBound | None = None
        for part in nx.attracting_components(chain):
            if not part <= numbers.keys():
                continue
            weights = stationary(chain.subgraph(part))
            paid = sum(
                (weight * play.returns(numbers[root], root)[0] for root, weight in weights.items()),
                Fraction(0),
            )
            if not paid:
                continue
            faults = Fraction(0)
            for root, weight in weights.items():
                held = held_by_opt(root)
                faults += weight * play.faults(numbers[root], root, held)
            if best is None or faults / paid > best.ratio:
                listed = [(root, weight, numbers[root]) for root, weight in weights.items()]
                best = RequestsBound(faults / paid, self.columns, self.depth, listed, nodes)
        return best


class _Play:
    """Random requests against the best deterministic policy, exactly."""

    def __init__(self, nodes: list[TreeNode], cache: int) -> None:
        self.nodes, self.cache = nodes, cache
        self.known: dict[tuple[int, State, Counts], Fraction] = {}

    def faults(self, node: int, state: State, held: Counts) -> Fraction:
        """Return the least expected faults from a node on."""
        key = node, state, held
        if key not in self.known:
            total = Fraction(0)
            for counts, chance in self.nodes[node].sweeps:
                total += chance * _missing(state, counts, held)
            for label, chance, child in self.nodes[node].branches:
                after = _asked(state, label, self.cache).after
                for share, fault, options in _moves(state, label, held, self.cache):
                    least = min(self.faults(child, after, option) for option in options)
                    total += chance * share * (fault + least)
            self.known[key] = total
        return self.known[key]

    def returns(self, node: int, state: State) -> tuple[Fraction, dict[State, Fraction]]:
        """Return what OPT pays in expectation, and the cones that follow with their chances."""
        paid, back = Fraction(0), dict[State, Fraction]()
        ends = [(cone(state, counts, self.cache), chance) for counts, chance in self.nodes[node].sweeps]
        for label, chance, child in self.nodes[node].branches:
            asked = _asked(state, label, self.cache)
            more, further = self.returns(child, asked.after)
            paid += chance * (asked.paid + more)
            ends += [(root, chance * share) for root, share in further.items()]
        for root, chance in ends:
            assert root is not None
            back[root] = back.get(root, Fraction(0)) + chance
        return paid, back


def stationary(chain: nx.DiGraph) -> dict[State, Fraction]:
    """Return the stationary distribution of an irreducible chain, exactly, by elimination of states.

    Examples
    --------
    >>> chain = nx.DiGraph()
    >>> chain.add_edge("a", "b", chance=Fraction(1))
    >>> chain.add_edge("b", "a", chance=Fraction(1, 2))
    >>> chain.add_edge("b", "b", chance=Fraction(1, 2))
    >>> {state: str(weight) for state, weight in stationary(chain).items()}
    {'a': '1/3', 'b': '2/3'}
    """
    states = list(chain)
    rest = {(s, t): chance for s, t, chance in chain.edges(data="chance")}
    steps = []
    for place in range(len(states) - 1, 0, -1):
        last, others = states[place], states[:place]
        leaving = sum((rest.get((last, t), Fraction(0)) for t in others), Fraction(0))
        into = {s: rest.get((s, last), Fraction(0)) / leaving for s in others}
        steps.append((last, into))
        for s in others:
            for t in others:
                rest[s, t] = rest.get((s, t), Fraction(0)) + into[s] * rest.get((last, t), Fraction(0))
    weights = {states[0]: Fraction(1)}
    for last, into in reversed(steps):
        weights[last] = sum((weights[s] * chance for s, chance in into.items()), Fraction(0))
    total = sum(weights.values())
    return {state: weight / total for state, weight in weights.items()}
