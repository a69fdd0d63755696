"""What proves the value of a paging game: victims from above, an adversary's requests from below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import Objective, best_cycle
from paging.certificate import packed
from paging.kernels.state_set import Rows
from paging.model import LayeredInstance
from proofs.game import kernels
from proofs.game.game_graph import Frozen, GameGraph, together
from proofs.game.kernels import Index, Numbers


def faults_per_opt(group: int) -> Objective:
    """Return the ratio by the cost codes of moves that ask for so many pages."""
    codes = range((group + 1) ** 2)
    return Objective("ratio", tuple(c % (group + 1) for c in codes), tuple(c // (group + 1) for c in codes))


def opt_per_fault(group: int) -> Objective:
    """Return the inverse of the ratio, by which the smallest cycle ratio is a largest one."""
    ratio = faults_per_opt(group)
    return Objective("OPT faults per policy fault", ratio.price, ratio.gain)


@dataclass(frozen=True)
class Strategy:
    """What proves an upper bound P/Q: victims, and a potential on every state that can arise under them.

    Attributes
    ----------
    ratio : Fraction
        P/Q: Q·fault + potential[next] ≤ P·OPT + potential[now] for every request in every state.
    rows : ndarray of int32, shape (S, N + 1)
        The states, the cold start first; see :class:`~proofs.game.game_graph.GameGraph`.
    potential : ndarray of int64, shape (S,)
    victims : ndarray of int16, shape (requests, m)
        State by state, for every kind of request in order: the places of the victims, filled up with −1.
    ends : ndarray of int32, shape (S,)
        Where each state's victims end.
    """

    ratio: Fraction
    rows: Rows
    potential: Numbers
    victims: NDArray[np.int16]
    ends: Index


@dataclass(frozen=True)
class Decisions:
    """What proves a lower bound P/Q: a request for every state that can arise under these requests.

    Attributes
    ----------
    ratio : Fraction
        P/Q: Q·fault + potential[next] ≥ P·OPT + potential[now] whatever leaves.
    rows : ndarray of int32, shape (S, N + 1)
        The states, the cold start first.
    requested : ndarray of int16, shape (S, m)
        The places of the requested pages.
    potential, steps : ndarray of int64, shape (S,)
        A move that costs neither side anything leads to a smaller number of steps.
    """

    ratio: Fraction
    rows: Rows
    requested: NDArray[np.int16]
    potential: Numbers
    steps: Numbers


# ------------------------------------------------------------------------------------ parts of the graph


class Pieces:
    """The pieces ``starts[i] … ends[i] − 1`` of an array, laid end to end."""

    def __init__(self, starts: NDArray[np.integer[Any]], ends: NDArray[np.integer[Any]]) -> None:
        lengths = (ends - starts).astype(np.int64)
        self.ends = np.cumsum(lengths)
        self.owner = np.repeat(np.arange(len(lengths)), lengths)
        self.column = np.arange(self.ends[-1]) - (self.ends - lengths)[self.owner]
        self.index = starts[self.owner] + self.column

    def table(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return one value per entry as a table with a row per piece, −1 beyond its end."""
        built = np.full((len(self.ends), int(self.column.max()) + 1), -1, dtype=values.dtype)
        built[self.owner, self.column] = values
        return built


def starts_of(ends: Index) -> Index:
    """Return where pieces begin that are laid end to end."""
    return np.concatenate([np.zeros(1, dtype=ends.dtype), ends[:-1]])


def all_edges(frozen: Frozen) -> tuple[Index, NDArray[np.int8]]:
    """Return targets and cost codes of all moves of every state, as ``best_cycle`` takes them."""
    last = frozen.target_ends[frozen.request_ends - 1]
    moves = Pieces(starts_of(last), last)
    codes = np.repeat(frozen.codes, frozen.target_ends - starts_of(frozen.target_ends)).astype(np.int8)
    return moves.table(frozen.targets), moves.table(codes)


def reached(frozen: Frozen) -> Index:
    """Return the states reached from the start by any request, each request's first victim leaving."""
    place = np.full(len(frozen.request_ends), -1, dtype=np.int32)
    found = np.empty(len(place), dtype=np.int32)
    count = kernels.policy_closure(0, frozen.request_ends, frozen.target_ends, frozen.targets, place, found)
    return found[:count]


def strategy_of(
    graph: GameGraph, frozen: Frozen, ratio: Fraction, potential: Numbers, states: Index
) -> Strategy:
    """Return the first victim of every request in some states, closed under it, with their potential."""
    requests = Pieces(starts_of(frozen.request_ends)[states], frozen.request_ends[states])
    victims = frozen.victims[starts_of(frozen.target_ends)[requests.index]].astype(np.int16)
    victims[victims == graph.instance.total_pages] = -1
    own = potential[states]
    return Strategy(ratio, graph.rows(states), own - own.min(), victims, requests.ends.astype(np.int32))


def decisions_of(graph: GameGraph, frozen: Frozen, choice: Numbers, states: Index, place: Index) -> Decisions:
    """Return the best bound that a closed set of requests proves: its smallest cycle ratio."""
    requests = choice[states]
    moves = Pieces(starts_of(frozen.target_ends)[requests], frozen.target_ends[requests])
    targets = moves.table(place[frozen.targets[moves.index]])
    codes = moves.table(frozen.codes[requests].astype(np.int8)[moves.owner])
    found = best_cycle(targets, codes, opt_per_fault(graph.together))
    if found.cycle is None or found.potential is None:
        raise AssertionError("an adversary cannot do without OPT paying")
    ratio = Fraction(found.cycle.price, found.cycle.gain)
    steps = np.zeros(len(states), dtype=np.int64)
    if not kernels.zero_steps(targets, codes, steps):
        raise AssertionError("a strictly improving adversary does not waste requests for ever")
    potential = found.potential - found.potential.min()
    return Decisions(ratio, graph.rows(states), frozen.requested[requests].astype(np.int16), potential, steps)


def lifted(proof: Decisions, smaller: LayeredInstance, instance: LayeredInstance) -> Decisions:
    """Return the same decisions where there are more pages, which are never requested."""
    missing = np.subtract(instance.pages_by_layer, smaller.pages_by_layer)
    if not missing.any():
        return proof
    rows = np.zeros((len(proof.rows), instance.total_pages + 1), dtype=np.int32)
    rows[:, -1] = proof.rows[:, -1]
    # Pages without label and slot come first in their layer.
    place = np.arange(smaller.total_pages) + np.repeat(np.cumsum(missing), smaller.pages_by_layer)
    rows[:, place] = proof.rows[:, :-1]
    return replace(proof, rows=rows, requested=place[proof.requested].astype(np.int16))


# -------------------------------------------------------------------------------------- looking moves up


class Victims:
    """The victims of a strategy, looked up by row."""

    def __init__(self, strategy: Strategy, instance: LayeredInstance, opt_cache: int) -> None:
        self._strategy, self._instance, self._opt_cache = strategy, instance, opt_cache
        self._number = {row.tobytes(): s for s, row in enumerate(strategy.rows)}

    def victims(self, row: Rows, asked: Sequence[int]) -> list[int] | None:
        """Return the places of the victims when the pages at some places are requested, or None."""
        s = self._number.get(row.tobytes())
        if s is None:
            return None
        first = int(self._strategy.ends[s - 1]) if s else 0
        kind = kinds(row, self._instance, self._opt_cache).index(_kind(row, asked))
        return [q for q in self._strategy.victims[first + kind].tolist() if q >= 0]


class Requests:
    """The requests of an adversary, looked up by row."""

    def __init__(self, decisions: Decisions) -> None:
        self._requested = decisions.requested
        self._number = {row.tobytes(): s for s, row in enumerate(decisions.rows)}

    def request(self, row: Rows) -> list[int] | None:
        """Return the places of the requested pages; None in other states."""
        s = self._number.get(row.tobytes())
        return None if s is None else self._requested[s].tolist()


class Solved:
    """Moves everywhere in a graph whose game was solved, each request's best victims coming first."""

    def __init__(self, graph: GameGraph, frozen: Frozen, choice: Numbers) -> None:
        self._graph, self._frozen, self._choice = graph, frozen, choice

    def victims(self, row: Rows, asked: Sequence[int]) -> list[int] | None:
        """Return the places of the best victims when the pages at some places are requested, or None."""
        s = self._graph.number(row)
        if s is None:
            return None
        frozen, graph = self._frozen, self._graph
        first = int(frozen.request_ends[s - 1]) if s else 0
        r = first + kinds(row, graph.instance, graph.opt_cache).index(_kind(row, asked))
        leaving = frozen.victims[frozen.target_ends[r - 1] if r else 0].tolist()
        return [q for q in leaving if q < graph.instance.total_pages]

    def request(self, row: Rows) -> list[int] | None:
        """Return the places of the pages whose request gained last; None where none ever did."""
        s = self._graph.number(row)
        return None if s is None or self._choice[s] < 0 else self._frozen.requested[self._choice[s]].tolist()


def kinds(row: Rows, instance: LayeredInstance, opt_cache: int) -> list[tuple[int, ...]]:
    """Return the different requests in a state, as a row writes their pages, in order."""
    first, end = instance.first_page[row[-1] : row[-1] + 2]
    able = [code for code in row[first:end].tolist() if code < 2 * (opt_cache + 1)]
    return sorted(set(combinations(able, together(instance))))


def _kind(row: Rows, asked: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(row[list(asked)].tolist()))


# ---------------------------------------------------------------------------------------------- evidence


def _states(rows: Rows, opt_cache: int, per_visit: int) -> dict[str, object]:
    bits, labels = np.divmod(rows[:, :-1], opt_cache + 1)
    asked = {"asked": packed((bits // 2).ravel())} if per_visit > 1 else {}
    return {
        "cached": packed((bits % 2).ravel()),
        **asked,
        "work": packed(labels.ravel()),
        "layers": packed(rows[:, -1]),
    }


def upper_evidence(strategy: Strategy, instance: LayeredInstance, opt_cache: int) -> dict[str, object]:
    """Return a strategy as the checker reads it."""
    return {
        **_states(strategy.rows, opt_cache, instance.per_visit // together(instance)),
        "potential": packed(strategy.potential),
        "victims": packed(strategy.victims.ravel()),
    }


def lower_evidence(decisions: Decisions, instance: LayeredInstance, opt_cache: int) -> dict[str, object]:
    """Return decisions as the checker reads them."""
    return {
        **_states(decisions.rows, opt_cache, instance.per_visit // together(instance)),
        "requests": packed(decisions.requested.ravel()),
        "potential": packed(decisions.potential),
        "steps": packed(decisions.steps),
    }
