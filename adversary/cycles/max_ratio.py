"""The largest cycle ratio of a graph whose edges have a gain and a price, by Newton, exact in integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.signals import UNWATCHED, Watch

Codes = NDArray[np.signedinteger[Any]]
Numbers = NDArray[np.int64]

UNREACHED = -(2**60)
"""Smaller than every distance; adding weights to it along a path cannot bring it near one."""


@dataclass(frozen=True)
class Objective:
    """What a cycle is judged by: Σ gain / Σ price over its edges, as tables over the cost codes of edges."""

    name: str
    gain: tuple[int, ...]
    price: tuple[int, ...]


RATIO = Objective("ratio", (0, 1, 0, 1), (0, 0, 1, 1))
"""Policy faults per OPT fault."""

GAP = Objective("gap", (0, 1, -1, 0), (1, 1, 1, 1))
"""Policy faults beyond OPT's, per request."""


@dataclass(frozen=True)
class GraphCycle:
    """A cycle of the graph as (state, request) steps, with the sums of its objective."""

    steps: tuple[tuple[int, int], ...]
    gain: int
    price: int

    @property
    def ratio(self) -> Fraction | float:
        """Gain per price, ``inf`` for a gain that costs nothing."""
        return Fraction(self.gain, self.price) if self.price else float("inf")


@dataclass(frozen=True)
class Extremum:
    """The largest cycle ratio of a graph: the cycle that has it and the potential that bounds all others.

    Attributes
    ----------
    cycle : GraphCycle or None
        None when no cycle has a positive gain.
    potential : ndarray of int64 or None
        With the cycle's ratio P/Q (0/1 without a cycle): Q·gain + potential[now] ≤ P·price + potential[next]
        on every edge. None when the ratio is infinite.
    iterations : int
        Newton steps.
    """

    cycle: GraphCycle | None
    potential: Numbers | None
    iterations: int


def best_cycle(
    targets: NDArray[np.int32],
    codes: Codes,
    objective: Objective = RATIO,
    *,
    start: GraphCycle | None = None,
    watch: Watch = UNWATCHED,
) -> Extremum:
    """Return the cycle of largest gain per price, by Newton's method on the ratio, exactly.

    At the best ratio P/Q known, edges weigh Q·gain − P·price. In-place longest-path sweeps either settle, and
    then no cycle is better and the distances are a potential, or the edges that last improved each state
    contain a cycle of positive weight: one of larger ratio.

    Parameters
    ----------
    targets, codes : ndarray, shape (S, R)
        As in :class:`ProductGraph`; edges with target −1 are absent.
    objective : Objective
        Prices must not be negative.
    start : GraphCycle, optional
        A cycle to improve on.
    watch : Watch
        Told the best ratio known before every sweep.

    Raises
    ------
    StoppedError
        Whoever watches wants no more.
    """
    best = start
    iterations = 0
    while True:
        iterations += 1
        p, q = (best.gain, best.price) if best is not None else (0, 1)
        if q == 0:
            return Extremum(best, None, iterations)
        exact = Fraction(p, q)
        weights = _weights(exact, objective, len(targets))
        relax = _sweep_for(weights)
        distance = np.zeros(len(targets), dtype=weights.dtype)
        parent = np.full(len(targets), -1, dtype=np.int64)
        better = None
        watch.look(exact)
        while better is None and relax(targets, codes, weights, distance, parent):
            better = _best_parent_cycle(parent, codes, objective)
            watch.look(exact)
        if better is None:
            return Extremum(best, distance, iterations)
        best = better


def longest_paths(
    targets: NDArray[np.int32],
    codes: Codes,
    ratio: Fraction,
    objective: Objective = RATIO,
    *,
    watch: Watch = UNWATCHED,
) -> Numbers:
    """Return, for a ratio P/Q that no cycle exceeds, the largest Σ (Q·gain − P·price) from state 0 to each.

    Every state must be reachable from state 0. The largest entry, over Q, is the least additive constant b
    with gain ≤ P/Q·price + b on every walk from there.
    """
    weights = _weights(ratio, objective, len(targets))
    relax = _sweep_for(weights)
    unreached = UNREACHED if weights.dtype == np.int64 else -2 * len(targets) * max(map(abs, weights)) - 1
    distance = np.full(len(targets), unreached, dtype=weights.dtype)
    distance[0] = 0
    parent = np.full(len(targets), -1, dtype=np.int64)
    while relax(targets, codes, weights, distance, parent):
        watch.look(ratio)
    return distance


def _weights(ratio: Fraction, objective: Objective, states: int) -> Numbers:
    """Return Q·gain − P·price per cost code: 64-bit integers where no distance can overflow, else Python's.

    While the edges that last improved each state form no cycle, no distance exceeds the weight of a path
    through all states; one more sweep adds another such path at most.
    """
    pairs = zip(objective.gain, objective.price, strict=True)
    exact = [ratio.denominator * gain - ratio.numerator * price for gain, price in pairs]
    narrow = 2 * states * max(map(abs, exact)) < -UNREACHED
    return np.array(exact, dtype=np.int64 if narrow else object)


def _sweep_for(weights: Numbers) -> Callable[..., int]:
    """Return :func:`sweep`, compiled unless the weights are Python's integers."""
    return sweep if weights.dtype == np.int64 else cast(Any, sweep).py_func


@compiled
def sweep(
    targets: NDArray[np.int32], codes: Codes, weights: Numbers, distance: Numbers, parent: Numbers
) -> int:
    """Relax every edge once for longest paths, in place; return how many states improved.

    ``parent[t]`` becomes s·R + edge of the last improvement.
    """
    degree = targets.shape[1]
    improved = 0
    for s in range(len(targets)):
        for e in range(degree):
            t = targets[s, e]
            if t >= 0:
                reached = distance[s] + weights[codes[s, e]]
                if reached > distance[t]:
                    distance[t] = reached
                    parent[t] = s * degree + e
                    improved += 1
    return improved


@compiled
def parent_cycles(parent: Numbers, degree: int) -> Numbers:
    """Return one state on every cycle of the parent graph."""
    colour = np.zeros(len(parent), dtype=np.int64)
    found = np.zeros(len(parent), dtype=np.int64)
    count = 0
    for start in range(len(parent)):
        s = start
        while colour[s] == 0 and parent[s] >= 0:
            colour[s] = start + 1
            s = parent[s] // degree
        if colour[s] == start + 1 and parent[s] >= 0:
            found[count] = s
            count += 1
        colour[s] = max(colour[s], 1)
    return found[:count]


def _best_parent_cycle(parent: Numbers, codes: Codes, objective: Objective) -> GraphCycle | None:
    """Return the best cycle among the edges that last improved each state."""
    degree = codes.shape[1]
    best: GraphCycle | None = None
    for state in parent_cycles(parent, degree).tolist():
        steps: list[tuple[int, int]] = []
        at = state
        while not steps or at != state:
            at, edge = divmod(int(parent[at]), degree)
            steps.append((at, edge))
        found = _measured(tuple(reversed(steps)), codes, objective)
        if best is None or found.ratio > best.ratio:
            best = found
    return best


def _measured(steps: tuple[tuple[int, int], ...], codes: Codes, objective: Objective) -> GraphCycle:
    passed = [int(codes[s, e]) for s, e in steps]
    return GraphCycle(steps, sum(objective.gain[c] for c in passed), sum(objective.price[c] for c in passed))
