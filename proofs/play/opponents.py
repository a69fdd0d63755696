"""Who asks for pages when a person plays the algorithm. A further opponent is one entry of ``OPPONENTS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adversary import get_construction
from adversary.catalogue.cruel import CruelGame
from paging import LayeredInstance, RequestSequence, generate
from paging.errors import ModelError
from paging.model import LabelArray
from proofs.game.players import GameAdversary
from proofs.game.predictions.players import DiscardAdversary
from proofs.game.predictions.trade_off import solve_trade_off
from proofs.game.value import solve_game

MOST_STATES = 50_000
"""Largest graph of the game that is solved while somebody waits for the page."""


class Player(Protocol):
    """Makes one request after the other, knowing what is cached."""

    def request(self, labels: LabelArray) -> int:
        """Return the next page, in the layer whose turn it is; called once per request.

        Parameters
        ----------
        labels : ndarray of int64, shape (total pages,)
            The labels of the algorithm before the request; positive for what is cached.
        """
        ...


@dataclass(frozen=True)
class Opponent:
    """An opponent to choose.

    Attributes
    ----------
    id, title : str
        Name, and what it does in one line.
    told : bool
        Whether its requests come with discard bits: its player is a :class:`Teller`.
    adaptive : bool
        Whether it looks at the cache; an oblivious one has fixed its requests before the game.
    start : callable
        ``start(instance, rounds, seed)`` returns a player, or raises ModelError naming the violated
        condition.
    """

    id: str
    title: str
    adaptive: bool
    start: Callable[[LayeredInstance, int, int], Player]
    told: bool = False


class Teller(Player, Protocol):
    """A player whose requests come with a bit each."""

    bit: int
    """The bit of the latest request."""


class Script:
    """A player whose requests are fixed before the game."""

    def __init__(self, sequence: RequestSequence) -> None:
        self._requests: Iterator[int] = iter(sequence)

    def request(self, labels: LabelArray) -> int:
        """Return the next request of the sequence, whatever is cached."""
        return next(self._requests)


class SolvedPlayer:
    """A player who forces the value of the solved game on whoever answers."""

    def __init__(self, instance: LayeredInstance) -> None:
        solution = solve_game(instance, max_states=MOST_STATES)
        if solution.value is None:
            raise ModelError(
                f"the game of ℓ = {instance.layers}, n = {instance.pages}, k = {instance.cache} has more "
                f"than {MOST_STATES:,} states and cannot be solved while you wait; take a smaller instance"
            )
        self._adversary = GameAdversary(instance, solution)

    def request(self, labels: LabelArray) -> int:
        """Return the request that the solution of the game names for what is cached."""
        return self._adversary.next(frozenset(np.flatnonzero(labels > 0).tolist()))


class SolvedTeller:
    """A player who forces the least β at α = γ = 1 on whoever answers, in the solved game with bits."""

    def __init__(self, instance: LayeredInstance) -> None:
        found = solve_trade_off(instance, alpha=1, gamma=1, max_states=MOST_STATES)
        if found.value is None:
            raise ModelError(
                f"the game with bits of ℓ = {instance.layers}, n = {instance.pages}, k = {instance.cache} "
                f"has more than {MOST_STATES:,} states and cannot be solved while you wait; take a smaller "
                "instance"
            )
        self._adversary = DiscardAdversary(found)
        self.bit = 0

    def request(self, labels: LabelArray) -> int:
        """Return the request that the solution of the game names for what is cached."""
        page, self.bit = self._adversary.next(frozenset(np.flatnonzero(labels > 0).tolist()))
        return page


def _workload(spec: str) -> Callable[[LayeredInstance, int, int], Player]:
    return lambda instance, rounds, seed: Script(generate(spec, instance, rounds=rounds, seed=seed))


OPPONENTS: dict[str, Opponent] = {
    opponent.id: opponent
    for opponent in (
        Opponent(
            "cruel",
            "cruel: what you lack, out of k + 1 pages, at the smallest cost for OPT",
            True,
            lambda instance, rounds, seed: CruelGame(instance),
        ),
        Opponent(
            "cruel-wide",
            "cruel, with every page in play",
            True,
            lambda instance, rounds, seed: CruelGame(instance, in_play=instance.total_pages),
        ),
        Opponent(
            "game-optimal",
            "forces the best ratio any algorithm can have",
            True,
            lambda instance, rounds, seed: SolvedPlayer(instance),
        ),
        Opponent(
            "discard-optimal",
            "tells bits that may be wrong, and makes wrong ones cost the most",
            True,
            lambda instance, rounds, seed: SolvedTeller(instance),
            told=True,
        ),
        Opponent(
            "cyclic",
            "the cyclic sequence that is worst for LRU",
            False,
            lambda instance, rounds, seed: Script(
                get_construction("cyclic")(instance, rounds=rounds).sequence
            ),
        ),
        Opponent("uniform", "pages drawn uniformly at random", False, _workload("uniform")),
        Opponent("zipf", "pages drawn at random, some far more popular", False, _workload("zipf:alpha=1.2")),
    )
}
