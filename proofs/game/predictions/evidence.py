"""What proves a trade-off with predictions: victims from above, an adversary's requests from below."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import Numbers, Objective, best_cycle
from adversary.cycles.predicted_graph import Coefficients
from paging.certificate import packed
from paging.kernels.state_set import Rows
from paging.model import LayeredInstance
from proofs.game import kernels as game_kernels
from proofs.game.evidence import Pieces
from proofs.game.game_graph import Frozen
from proofs.game.kernels import Index
from proofs.game.predictions import kernels
from proofs.game.predictions.graph import PredictionGraph, Successors


@dataclass(frozen=True)
class Listed:
    """States of the game as a certificate lists them, and where the moves between them lead.

    Attributes
    ----------
    cached, bits : ndarray, shape (S, N)
        Per page: whether the policy has it; whether its bit is 1, where somebody worth asking has it.
    layers : ndarray, shape (S,)
    counts : ndarray, shape (S,)
        Caches of every state.
    caches, values : ndarray, shape (pairs,)
        State by state the caches as bit masks, each with a number of units.
    targets, orders : ndarray, shape (moves,), (moves, N)
        State by state, move by move: the next state, and which page stands at which place of it.
    """

    cached: Numbers
    bits: Numbers
    layers: Numbers
    counts: Numbers
    caches: Numbers
    values: Numbers
    targets: Index
    orders: NDArray[np.int8]

    def plain(self) -> dict[str, object]:
        """Return all of it as the checker reads it."""
        return {
            "cached": packed(self.cached.ravel()),
            "bits": packed(self.bits.ravel()),
            "layers": packed(self.layers),
            "counts": packed(self.counts),
            "caches": packed(self.caches),
            "values": packed(self.values),
            "targets": packed(self.targets),
            "orders": packed(self.orders.ravel()),
        }


@dataclass(frozen=True)
class Answers:
    """What proves that coefficients can be attained: a victim for every request that can arise.

    Attributes
    ----------
    listed : Listed
        Moves: every page of the layer in order, with bit 0 and with bit 1.
    victims : ndarray of int16, shape (moves,)
        The page that leaves, −1 for none.
    """

    listed: Listed
    victims: NDArray[np.int16]

    def plain(self) -> dict[str, object]:
        """Return them as the checker reads them."""
        return {**self.listed.plain(), "victims": packed(self.victims)}


@dataclass(frozen=True)
class Demands:
    """What proves that a coefficient cannot be smaller: a request with a bit for every state that can arise.

    Attributes
    ----------
    bound : Fraction or float
        Of the coefficient that is free; ``inf`` where no number of it does.
    listed : Listed
        Moves: every victim in ascending order, or one where nothing leaves.
    requests, request_bits : ndarray, shape (S,)
    steps : ndarray of int64, shape (pairs,)
    """

    bound: Fraction | float
    listed: Listed
    requests: Numbers
    request_bits: Numbers
    steps: Numbers

    def plain(self) -> dict[str, object]:
        """Return them as the checker reads them."""
        return {
            **self.listed.plain(),
            "requests": packed(self.requests),
            "request_bits": packed(self.request_bits),
            "steps": packed(self.steps),
        }

    def lifted(self, smaller: LayeredInstance, instance: LayeredInstance) -> Demands:
        """Return the same demands where there are more pages, which are never requested."""
        if smaller.pages_by_layer == instance.pages_by_layer:
            return self
        own = self.listed
        # The pages that are new come last in their layer.
        place = np.concatenate(
            [
                first + np.arange(n)
                for first, n in zip(instance.first_page, smaller.pages_by_layer, strict=False)
            ]
        )
        wide = np.zeros((2, len(own.layers), instance.total_pages), dtype=np.int64)
        wide[0][:, place], wide[1][:, place] = own.cached, own.bits
        # Layers turn with their pages where all have equally many: then new pages follow those of the place.
        layer_of = instance.frame.layer_of
        turned = np.array(instance.first_page)[layer_of[place[own.orders[:, smaller.first_page[:-1]]]]]
        orders = (
            turned[:, layer_of] + np.arange(instance.total_pages) - np.array(instance.first_page)[layer_of]
        )
        orders = orders.astype(np.int8)
        orders[:, place] = place[own.orders]
        caches = np.zeros_like(own.caches)
        for q, p in enumerate(place.tolist()):
            caches |= (own.caches >> q & 1) << p
        listed = Listed(wide[0], wide[1], own.layers, own.counts, caches, own.values, own.targets, orders)
        return Demands(self.bound, listed, place[self.requests], self.request_bits, self.steps)


class NotWonError(Exception):
    """Requests that win at some coefficients do not at others."""


def _starts(ends: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    return np.concatenate([[0], ends[:-1]]).astype(np.int64)


def _states(
    graph: PredictionGraph, rows: Rows, values: Numbers, targets: Index, orders: NDArray[np.int8]
) -> Listed:
    """Return states with their caches; the value of a cache is that of the row and one more per pair."""
    pages = graph.instance.total_pages
    codes, worth = rows[:, :pages].astype(np.int64), rows[:, pages:-1]
    counts = np.maximum(np.count_nonzero(worth, axis=1), 1)
    cached = codes & kernels.CACHED
    at = np.nonzero(worth)[1]
    caches = np.zeros(int(counts.sum()), dtype=np.int64)
    warming = np.repeat(np.count_nonzero(worth, axis=1) == 0, counts)
    held = cached @ (1 << np.arange(pages, dtype=np.int64))
    caches[warming] = np.repeat(held, counts)[warming]
    caches[~warming] = graph.tables.masks[at]
    return Listed(
        cached,
        codes // kernels.WRONG_IF_HIT,
        rows[:, -1].astype(np.int64),
        counts,
        caches,
        values,
        targets,
        orders,
    )


def _worth(rows: Rows, pages: int) -> Numbers:
    """Return the values that rows give to caches; 0 to the one cache of a state whose row gives none."""
    worth = rows[:, pages:-1]
    counts = np.maximum(np.count_nonzero(worth, axis=1), 1)
    warming = np.repeat(np.count_nonzero(worth, axis=1) == 0, counts)
    values = np.zeros(int(counts.sum()), dtype=np.int64)
    values[~warming] = worth[np.nonzero(worth)] - 1
    return values


def answers_of(graph: PredictionGraph, frozen: Frozen, value: Numbers) -> Answers:
    """Return the best victim of every request in every state that can arise under them."""
    game_kernels.best_first(frozen.target_ends, frozen.targets, frozen.victims, value)
    place = np.full(graph.states, -1, dtype=np.int32)
    found = np.empty(graph.states, dtype=np.int32)
    count = game_kernels.policy_closure(
        0, frozen.request_ends, frozen.target_ends, frozen.targets, place, found
    )
    states = found[:count]
    pages = graph.instance.total_pages
    rows = graph.rows(states)
    requests = Pieces(_starts(frozen.request_ends)[states], frozen.request_ends[states])
    best = _starts(frozen.target_ends)[requests.index]
    chosen = frozen.victims[best, 0].astype(np.int64)
    moves = graph.successors(rows)
    # The successor with the chosen victim, among those of the same request.
    lengths = moves.target_ends - _starts(moves.target_ends)
    same = moves.victims.astype(np.int64) == np.repeat(chosen, lengths)
    victims = np.where(chosen == pages, -1, chosen).astype(np.int16)
    worth = _worth(rows, pages)
    own = np.maximum(np.count_nonzero(rows[:, pages:-1], axis=1), 1)
    listed = _states(
        graph, rows, worth + np.repeat(value[states], own), place[frozen.targets[best]], moves.orders[same]
    )
    return Answers(listed, victims)


def demands_of(
    graph: PredictionGraph,
    frozen: Frozen,
    choice: Numbers,
    states: Index,
    free: int,
    coefficients: Coefficients | None = None,
) -> Demands:
    """Return the best bound on the free coefficient that a closed set of requests proves.

    Every cache after a move comes from one before it; so pairs of a state and one of its caches make a graph
    in which every cycle is a policy's play beside a reference. The bound is its least ratio. It may be asked
    for at other ``coefficients`` than those of the graph, of which γ is larger: of equals a reference then
    avoids wrong 1s.

    Raises
    ------
    NotWonError
        At these other coefficients, and with 0 for the free one, some policy holds its own.
    """
    rows = graph.rows(states)
    pages = graph.instance.total_pages
    requested = frozen.requested[choice[states]].astype(np.int32)
    moves = graph.successors(rows)
    wanted, owner = _chosen(moves, requested)
    targets = np.empty(graph.states, dtype=np.int32)
    targets[states] = np.arange(len(states), dtype=np.int32)
    targets = targets[graph.number(moves.rows[wanted])]
    orders = moves.orders[wanted]
    counts = np.maximum(np.count_nonzero(rows[:, pages:-1], axis=1), 1)
    first_pair = _starts(np.cumsum(counts)).astype(np.int32)
    links = np.empty((int(counts[targets].sum()), 3), dtype=np.int32)
    if kernels.sources(
        rows, requested, owner, targets, orders, first_pair, graph.instance.cache, graph.tables.masks,
        graph.tables.index, *graph.coefficients.scaled, 2 if coefficients else free, links,
    ) != len(links):  # fmt: skip
        raise AssertionError("every cache worth having comes from one that was")
    bound, values, steps = _least_ratio(links, int(counts.sum()), coefficients or graph.coefficients, free)
    listed = _states(graph, rows, values, targets, orders)
    return Demands(bound, listed, requested.astype(np.int64) // 2, requested.astype(np.int64) % 2, steps)


def _chosen(moves: Successors, requested: Index) -> tuple[NDArray[np.bool_], Index]:
    """Return which successors belong to the chosen requests, and the states that these leave."""
    state_of = np.repeat(np.arange(len(requested)), moves.request_ends - _starts(moves.request_ends))
    taken = moves.requested == requested[state_of]
    lengths = moves.target_ends - _starts(moves.target_ends)
    wanted = np.repeat(taken, lengths)
    return wanted, np.repeat(state_of, lengths)[wanted].astype(np.int32)


def _least_ratio(
    links: Index, pairs: int, coefficients: Coefficients, free: int
) -> tuple[Fraction | float, Numbers, Numbers]:
    """Return what every cycle of pairs proves of the free coefficient, and two potentials that show it."""
    order = np.argsort(links[:, 0], kind="stable")
    source, target, paid = links[order].T
    ends = np.searchsorted(source, np.arange(pairs), side="right")
    table = Pieces(_starts(ends), ends)
    targets = table.table(np.ascontiguousarray(target))
    codes = table.table(paid.astype(np.int8))
    wanted = coefficients.objective(free)
    gain, price = wanted.price, wanted.gain
    # No cycle is longer than there are pairs, so this is positive on those where the price is not.
    lost = Objective("lost", tuple(1 - pairs * x for x in price), (0,) * 16)
    if best_cycle(targets, codes, lost).potential is None:
        raise NotWonError
    found = best_cycle(targets, codes, Objective("inverse", gain, price))
    if found.cycle is None:
        # Nothing of the free kind is ever paid again: first that, then what the policy pays beyond the rest.
        bound: Fraction | float = float("inf")
        first, second = gain, price
    else:
        bound = Fraction(found.cycle.price, found.cycle.gain * coefficients.without(free).unit)
        exact = coefficients._replace(**{coefficients._fields[free]: bound})
        first, second = tuple(-x for x in exact.payoff), gain
    values = best_cycle(targets, codes, Objective("first", first, (0,) * 16)).potential
    if values is None:
        raise AssertionError("no cycle is better than the best")
    # Where the first is tight, the second grows on every cycle, which is no longer than there are pairs.
    slack = values[np.maximum(targets, 0)] - values[:, None] - np.array(first)[np.maximum(codes, 0)]
    tight = np.where(slack == 0, targets, -1).astype(np.int32)
    second = tuple(1 - pairs * x for x in second)
    steps = best_cycle(tight, codes, Objective("second", second, (0,) * 16)).potential
    if steps is None:
        raise AssertionError("an adversary that is better off at less wins at it")
    return bound, values - values.min(), steps - steps.min()
