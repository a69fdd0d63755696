"""Both sides of the game with discard bits at play: the policy with the least coefficient, its adversary."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError, UnsupportedModelError
from paging.model import Frame, LabelArray, LayeredInstance, whole_number
from paging.policy import Criterion, Policy
from proofs.game.players import require_game

if TYPE_CHECKING:
    from proofs.game.predictions.evidence import Answers
    from proofs.game.predictions.trade_off import TradeOff

Given = int | float | tuple[int, int]
"""A coefficient as a spec says it: 1, 1.25 or 5/4."""


class DiscardOptimal(Policy):
    """An optimal deterministic policy that is told discard bits: plays the solved game with bits.

    Of all deterministic policies it has the least β at the given α and γ: faults ≤ α·R + β·η0 + γ·η1 + a
    constant for every lazy schedule R. The game is solved when first asked (docs/wrong-bits.md). Where the
    least β is not known within the limits, or the model is not the game's, the policy refuses to serve.

    Parameters
    ----------
    alpha, gamma : int, float or a fraction, default 1
        The coefficients that are given, such as 5/4; γ ≤ α.
    max_pages, max_states : int, default 10 and 50000
        Number of pages, and states of a graph, beyond which the game is not tried.

    Label
    -----
    1 + N·(number of the state) + the page's place in it, of N places; negative while not cached.

    Guarantee
    ---------
    No deterministic policy has a smaller β on the instance.

    Bad for
    -------
    ``missing-page-kept``, as every deterministic policy (``wrong-bits-phases``).

    References
    ----------
    here
    """

    id, title = "discard-optimal", "plays the solved game with discard bits: no policy has a smaller β"
    traits = frozenset({"deterministic", "online", "demand", "finite-state"})
    predictions = "discard"

    def __init__(
        self, alpha: Given = 1, gamma: Given = 1, max_pages: int = 10, max_states: int = 50_000
    ) -> None:
        self.alpha, self.gamma = alpha, gamma
        self.given = _fraction(alpha, "alpha"), _fraction(gamma, "gamma")
        if self.given[1] > self.given[0]:
            raise ModelError(f"gamma must be at most alpha, got {self.given[1]} > {self.given[0]}")
        self.max_pages = whole_number(max_pages, "max_pages", 1)
        self.max_states = whole_number(max_states, "max_states", 1)

    def check(self, instance: LayeredInstance) -> None:
        """Raise UnsupportedModelError where the game is not defined or not solved within the limits."""
        super().check(instance)
        require_game(self.id, instance, self.max_pages)
        if instance.cache < instance.total_pages:
            self._moves(instance)

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        """Serve a request; see :meth:`paging.Policy.serve`."""
        counts = tuple(np.diff(frame.first_page).tolist())
        instance = LayeredInstance(frame.layers, counts, frame.cache)
        if frame.cache >= instance.total_pages:
            labels[page] = 1
            return
        pages, moves = instance.total_pages, self._moves(instance)
        state, places = 0, np.arange(pages)
        if labels.any():
            known = np.abs(labels) - 1
            state, places = int(known[0]) // pages, known % pages
        standing = np.argsort(places)  # the page that stands at every place
        cached = labels > 0
        move = moves.at(state, int(places[page]), frame.prediction)
        victim = int(moves.victims[move])
        cached[page] = True
        if victim >= 0:
            cached[standing[victim]] = False
        standing = standing[moves.orders[move]]
        places[standing] = np.arange(pages)
        following = 1 + pages * int(moves.targets[move]) + places
        labels[:] = np.where(cached, following, -following)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        """Return whose word decides; the labels are the solution's own."""
        return (Criterion(labels, "", "", "so the solution of the game says", shown=False),)

    def _moves(self, instance: LayeredInstance) -> _Moves:
        moves = _moves(instance, *self.given, self.max_states)
        if isinstance(moves, str):
            raise UnsupportedModelError(f"policy discard-optimal cannot serve this: {moves}")
        return moves


class _Moves:
    """The answers of a solved game, by state, place of the requested page, and bit."""

    def __init__(self, instance: LayeredInstance, answers: Answers) -> None:
        listed = answers.listed
        self.first_page = instance.first_page
        self.layers = listed.layers
        sizes = 2 * np.array(instance.pages_by_layer)[self.layers]
        self.begins = np.cumsum(sizes) - sizes
        self.targets, self.orders, self.victims = listed.targets, listed.orders, answers.victims

    def at(self, state: int, place: int, bit: int) -> int:
        """Return the number of a move."""
        first: int = self.first_page[int(self.layers[state])]
        return int(self.begins[state]) + 2 * (place - first) + bit


class DiscardAdversary:
    """An adversary who forces the least coefficient of the game with bits on whoever plays against it.

    Parameters
    ----------
    solution : TradeOff
        With a positive lower bound.

    Raises
    ------
    ModelError
        The solution has no adversary: its lower bound is 0.

    Examples
    --------
    >>> from paging import Session
    >>> from proofs.game.predictions.trade_off import solve_trade_off
    >>> instance = LayeredInstance(layers=1, pages=4, cache=3)
    >>> adversary = DiscardAdversary(solve_trade_off(instance, alpha=1, gamma=1))
    >>> session = Session("flush-when-kept", instance)
    >>> for _ in range(100):
    ...     page, bit = adversary.next(session.cache)
    ...     step = session.serve(page, prediction=bit)
    >>> session.faults > 60
    True
    """

    def __init__(self, solution: TradeOff) -> None:
        if solution.demands is None:
            raise ModelError(f"nothing is forced on a policy here: {solution.free} may be 0")
        self.demands, self.instance = solution.demands, solution.instance
        self._state = 0
        self._standing = np.arange(self.instance.total_pages)
        self._lazy: frozenset[int] = frozenset()
        self._asked: int | None = None

    def next(self, cached: AbstractSet[int]) -> tuple[int, int]:
        """Return the page and the bit requested of a policy with these pages cached.

        Called once per request. What a policy drops without need is kept for it, until a slot is needed.
        """
        if self._asked is not None:
            self._follow(self._asked, cached)
        state = self._state
        self._asked = int(self._standing[int(self.demands.requests[state])])
        return self._asked, int(self.demands.request_bits[state])

    def _follow(self, page: int, cached: AbstractSet[int]) -> None:
        """Go where the request leads that a lazy policy answers as this one did."""
        listed = self.demands.listed
        move = int(self._begins[self._state])
        if page not in self._lazy and len(self._lazy) == self.instance.cache:
            victim = min(self._lazy - cached)
            places = np.argsort(self._standing)
            move += sorted(places[sorted(self._lazy)].tolist()).index(int(places[victim]))
            self._lazy -= {victim}
        self._lazy |= {page}
        self._state = int(listed.targets[move])
        self._standing = self._standing[listed.orders[move]]

    @cached_property
    def _begins(self) -> NDArray[np.int64]:
        """Where the moves of every state begin: one, or one for every cached page that may leave."""
        listed, states = self.demands.listed, np.arange(len(self.demands.requests))
        cached = listed.cached.astype(bool)
        fault = ~cached[states, self.demands.requests]
        full = np.count_nonzero(cached, axis=1) == self.instance.cache
        sizes = np.where(fault & full, self.instance.cache, 1)
        begins: NDArray[np.int64] = np.cumsum(sizes) - sizes
        return begins


def _fraction(value: Given, name: str) -> Fraction:
    """Return a coefficient, or refuse it."""
    if isinstance(value, tuple):
        if len(value) != 2 or value[1] == 0 or not all(type(part) is int for part in value):
            raise ModelError(f"{name} must be a number such as 1, 1.25 or 5/4, got {value!r}")
        number = Fraction(*value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ModelError(f"{name} must be a number such as 1, 1.25 or 5/4, got {value!r}")
    else:
        number = Fraction(str(value))
    if number < 0:
        raise ModelError(f"{name} must not be negative, got {number}")
    return number


@lru_cache(maxsize=64)
def _moves(instance: LayeredInstance, alpha: Fraction, gamma: Fraction, max_states: int) -> _Moves | str:
    """Return the answers of the solved game of an instance, or why there are none."""
    from proofs.game.predictions.trade_off import solve_trade_off

    found = solve_trade_off(instance, alpha=alpha, gamma=gamma, max_states=max_states)
    if found.answers is not None and found.value is not None:
        return _Moves(instance, found.answers)
    if found.lower == float("inf"):
        return "no β is large enough"
    return f"its game has more than {max_states:,} states (a larger max_states may do)"
