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
