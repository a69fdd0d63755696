"""Both sides of the paging game at play: the optimal policy, and the optimal adversary step by step."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from paging.errors import UnsupportedModelError
from paging.model import Frame, LabelArray, LayeredInstance, whole_number
from paging.policy import Criterion, Policy
from paging.work_function import WorkFunction, update_work_function

if TYPE_CHECKING:
    from proofs.game.value import GameSolution


def require_game(policy: str, instance: LayeredInstance, max_pages: int) -> None:
    """Raise UnsupportedModelError where a policy that plays a solved game is not to try to solve it."""
    if instance.total_pages > max_pages:
        raise UnsupportedModelError(
            f"policy {policy} cannot serve this: {instance.total_pages} pages, "
            f"and it tries at most max_pages = {max_pages}"
        )
    instance.require(f"policy {policy}", service="forced", visits="sequential", per_visit=1)


class GameOptimal(Policy):
    """An optimal deterministic algorithm: plays the solved game of algorithm and adversary.

    On a fault the page leaves that the solution of the game names for what is cached and for OPT's work
    function (see docs/game.md); the game is solved when first asked. Where its value is not known within the
    limits, or the model is not the game's, the policy refuses to serve.

    Parameters
    ----------
    max_pages, max_states : int, default 12 and 300000
        Number of pages, and states of a graph, beyond which the game is not tried.

    Label
    -----
    Work-function label + 1 while cached, its negative while not.

    Guarantee
    ---------
    No deterministic policy has a smaller ratio on the instance.

    Bad for
    -------
    ``missing-page``, as every deterministic policy (``L2``).

    References
    ----------
    here

    Examples
    --------
    >>> from paging import RequestSequence, simulate
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> simulate(GameOptimal, sequence).faults
    5
    """

    id, title = "game-optimal", "plays the solved game: no deterministic policy has a better ratio"
    traits = frozenset({"deterministic", "online", "demand", "finite-state"})

    def __init__(self, max_pages: int = 12, max_states: int = 300_000) -> None:
        self.max_pages = whole_number(max_pages, "max_pages", 1)
        self.max_states = whole_number(max_states, "max_states", 1)

    def check(self, instance: LayeredInstance) -> None:
        """Raise UnsupportedModelError where the game is not defined or not solved within the limits."""
        super().check(instance)
        require_game(self.id, instance, self.max_pages)
        if instance.cache < instance.total_pages:
            _solution(instance, self.max_states)

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        """Serve a request; see :meth:`paging.Policy.serve`."""
        cache = frame.cache
        work = np.where(labels > 0, labels - 1, -labels)
        cached = set(np.flatnonzero(labels > 0).tolist())
        victim = None
        if page not in cached and len(cached) == cache:
            counts = tuple(np.diff(frame.first_page).tolist())
            instance = LayeredInstance(frame.layers, counts, cache)
            victim = _solution(instance, self.max_states).best_victim(cached, work.tolist(), page)
        update_work_function(work, page, cache)
        stay = (cached | {page}) - {victim}
        labels[:] = [label + 1 if q in stay else -label for q, label in enumerate(work.tolist())]

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        """Return the labels of the work function, and whose word decides."""
        work = np.where(labels > 0, labels - 1, -labels)
        return (Criterion(work, "", "label of the work function", "so the solution of the game says"),)


class GameAdversary:
    """An adversary who forces the value of the game on whoever plays against it.

    Parameters
    ----------
    instance : LayeredInstance
        One page per visit, forced service, k < number of pages.
    solution : GameSolution, optional
        Default: solved now.

    Attributes
    ----------
    work : WorkFunction
        OPT so far; its ``cost`` counts OPT's faults.
    layer : int
        The layer to be served next.

    Examples
    --------
    >>> from paging import Session
    >>> instance = LayeredInstance(layers=2, pages=2, cache=3)
    >>> adversary, session = GameAdversary(instance), Session("lru", instance)
    >>> faults = sum(not session.serve(adversary.next(session.cache)).hit for _ in range(100))
    >>> adversary.solution.value, faults >= 2 * adversary.work.cost
    (Fraction(2, 1), True)
    """

    def __init__(self, instance: LayeredInstance, solution: GameSolution | None = None) -> None:
        from proofs.game.value import solve_game

        self.solution = solve_game(instance) if solution is None else solution
        self.work = WorkFunction(instance, self.solution.opt_cache)
        self.layer = 0

    def next(self, cached: AbstractSet[int]) -> int:
        """Return the page requested of an algorithm with these pages cached, and count it as served."""
        page = self.solution.best_page(cached, self.work, self.layer)
        self.work.serve(page)
        self.layer = (self.layer + 1) % self.work.instance.layers
        return page


def _solution(instance: LayeredInstance, max_states: int) -> GameSolution:
    """Return the solved game of an instance; refuse where it is not solved within the limit."""
    found = _solved(instance, max_states)
    if found is None:
        raise UnsupportedModelError(
            f"policy game-optimal cannot serve this: its game has more than max_states = {max_states:,}"
        )
    return found


@lru_cache(maxsize=256)
def _solved(instance: LayeredInstance, max_states: int) -> GameSolution | None:
    """Return the solved game, None beyond the limit; that is remembered too."""
    from proofs.game.value import solve_game

    found = solve_game(instance, max_states=max_states)
    return None if found.value is None else found
