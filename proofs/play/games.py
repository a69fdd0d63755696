"""The three modes as games on the server: every algorithm, cost and optimum is the library's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np

from adversary import get_construction
from paging import (
    LayeredInstance,
    LayeredPagingError,
    LimitError,
    ModelError,
    Policy,
    PredictedSequence,
    RequestSequence,
    Run,
    Session,
    WorkFunction,
    farthest_in_future,
    get_policy,
    mistakes,
    prediction_errors,
    simulate,
)
from paging.model import Frame, LabelArray, Step, whole_number
from paging.policy import Criterion
from paging.viewer import Film, film_of, guides
from paging.viewer.film import Guide, work_function_cells
from paging.viewer.reasons import Reasons
from proofs.bounds.guides import HUMAN
from proofs.play.opponents import Opponent, Teller

MAX_LIVE_PAGES, MAX_LIVE_REQUESTS = 48, 400
"""Largest game: OPT so far is updated over all pages at every request, and moves are taken back by replay."""

COMPARED = ("lru", "llru", "zrc", "fifo", "mark-lru")
"""Policies that serve the requests of a finished game for comparison."""


TOLD = ("flush-when-kept", "flush-when-kept-lazy")
"""And those that are told the bits, where there are any."""


class GameOverError(LayeredPagingError, RuntimeError):
    """A move in a game that has ended, or that is a film."""


class StaleMoveError(LayeredPagingError, RuntimeError):
    """A move made for another moment of the game, as a second click or a second window makes it."""


def refuse_large(instance: LayeredInstance, rounds: int) -> None:
    """Raise LimitError when OPT so far could not be kept up live."""
    requests = rounds * instance.layers
    if instance.total_pages > MAX_LIVE_PAGES or requests > MAX_LIVE_REQUESTS:
        raise LimitError(
            f"too large for a live optimum: the work function is updated over all pages at every request, "
            f"for at most {MAX_LIVE_PAGES} pages and {MAX_LIVE_REQUESTS} requests; here there are "
            f"{instance.total_pages:,} pages and {requests:,} requests"
        )


class LiveGame(ABC):
    """What the page shows and asks; a game is a function of its parameters and the moves made.

    Attributes
    ----------
    mode : str
        Name of the mode.
    film : Film
        What there is to see so far.
    moves : list of int
        Pages chosen so far.
    form : dict
        The form that asked for it: with it and the moves a game is made again.
    """

    mode: ClassVar[str]

    def __init__(self, film: Film) -> None:
        self.film = film
        self.moves: list[int] = []
        self.form: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether no further move is possible."""
        return True

    def move(self, page: int, after: int) -> None:
        """Choose a page.

        Parameters
        ----------
        page : int
            The next request, or the victim.
        after : int
            Number of requests served when the choice was made.

        Raises
        ------
        GameOverError
            Nothing is to be chosen any more.
        StaleMoveError
            The game has moved on since.
        ModelError
            The page cannot be chosen now.
        """
        if self.over:
            raise GameOverError("nothing is to be chosen any more: the game is over")
        if after != len(self.film.frames):
            raise StaleMoveError(
                f"the choice was made after {after} requests, but {len(self.film.frames)} are served"
            )
        self._play(page)
        self.moves.append(page)

    @abstractmethod
    def again(self) -> LiveGame:
        """Return the same game before its first move."""

    @abstractmethod
    def _play(self, page: int) -> None: ...

    @abstractmethod
    def turn(self) -> dict[str, Any]:
        """Return what is to be chosen and how the game stands, as plain data."""

    def taken_back(self) -> LiveGame:
        """Return the game without its last move."""
        if not self.moves:
            raise GameOverError("there is no move to take back")
        earlier = self.again()
        earlier.form = self.form
        for page in self.moves[:-1]:
            earlier.move(page, len(earlier.film.frames))
        return earlier

    def state(self) -> dict[str, Any]:
        """Return everything the page shows, as plain data."""
        made = {"form": self.form, "made": list(self.moves)}
        return {"mode": self.mode, "film": self.film.as_dict(), "over": self.over, **made, **self.turn()}


class WatchGame(LiveGame):
    """A film of a policy on given requests."""

    mode = "watch"

    def again(self) -> LiveGame:
        return self

    def _play(self, page: int) -> None:
        raise GameOverError("there is nothing to choose in a film")

    def turn(self) -> dict[str, Any]:
        return {}


def watch(
    policy: Policy,
    sequence: RequestSequence,
    *,
    seed: int,
    opt_cache: int,
    remark: str,
    beside: Policy | None = None,
    beside_cache: int | None = None,
) -> WatchGame:
    """Serve requests with a policy, and with a second one that may have another cache; return the film."""

    def run_of(who: Policy, cache: int) -> Run:
        told = sequence if who.predictions else sequence.plain
        return simulate(who, told.with_cache(cache), record=True, seed=seed)

    size = sequence.instance.cache
    run = run_of(policy, size)
    other = None if beside is None else run_of(beside, beside_cache or size)
    return WatchGame(film_of(run, opt_cache=opt_cache, remark=remark, beside=other))


class AdversaryGame(LiveGame):
    """A person asks, a policy answers, OPT so far comes from the work function.

    Parameters
    ----------
    policy : Policy
        Who answers.
    instance : LayeredInstance
        Forced service, one page per visit.
    rounds : int
        The game ends after so many rounds.
    goal : Fraction
        It is won as soon as faults ≥ goal·OPT.
    seed : int
        Of a randomised policy.
    """

    mode = "adversary"

    def __init__(
        self, policy: Policy, instance: LayeredInstance, rounds: int, goal: Fraction, seed: int
    ) -> None:
        refuse_large(instance, rounds)
        self.policy, self.instance, self.rounds, self.goal, self.seed = policy, instance, rounds, goal, seed
        self._session = Session(policy, instance, seed=seed)
        self._work = WorkFunction(instance)
        film = Film(
            instance, policy.name, policy.title, instance.cache, "Optimal caches so far",
            guides(instance, policy.name), "", seed if policy.randomized else None,
            reasons=Reasons(policy, instance),
        )  # fmt: skip
        super().__init__(film)

    @property
    def length(self) -> int:
        """Number of requests of the whole game."""
        return self.rounds * self.instance.layers

    @property
    def won(self) -> bool:
        """Whether the ratio reached the goal."""
        return self._work.cost > 0 and self._session.faults >= self.goal * self._work.cost

    @property
    def over(self) -> bool:
        return self.won or self._session.time >= self.length

    def again(self) -> LiveGame:
        return AdversaryGame(self.policy, self.instance, self.rounds, self.goal, self.seed)

    def _play(self, page: int) -> None:
        step = self._session.serve(whole_number(page, "page", 0, self.instance.total_pages - 1))
        self._work.serve(page)
        self.film.add(step, work_function_cells(self._work), self._work.cost)

    def turn(self) -> dict[str, Any]:
        layer = self._session.layer
        state: dict[str, Any] = {
            "goal": str(self.goal),
            "goal_height": float(self.goal),
            "length": self.length,
            "layer": layer,
            "choices": [] if self.over else list(self.instance.pages_of(layer)),
        }
        if self.over:
            state["outcome"] = {
                "won": self.won,
                "faults": self._session.faults,
                "optimum": self._work.cost,
                "cruel": self._cruel(),
            }
        return state

    def _cruel(self) -> dict[str, int] | None:
        """Return what the cruel adversary forces in the whole game, or None where it does not apply."""
        try:
            made = get_construction("cruel")(self.instance, rounds=self.rounds, policy=self.policy)
        except LayeredPagingError:
            return None
        online = made.run(self.policy).fault_counts
        offline = made.offline.fault_counts
        best = max(range(len(online)), key=lambda t: (Fraction(int(online[t]), int(offline[t])), -t))
        return {"faults": int(online[best]), "optimum": int(offline[best]), "requests": best + 1}


class Hand(Policy):
    """Evict the page that was chosen by hand.

    Label
    -----
    1 = cached.

    Guarantee
    ---------
    None.

    References
    ----------
    here
    """

    id, title = HUMAN, "you choose the victims"
    traits = frozenset({"deterministic", "online", "demand"})

    def __init__(self, *, told: bool = False) -> None:
        self.victim = 0
        self.predictions = "discard" if told else None

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            labels[self.victim] = 0
        labels[page] = 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        """Return nothing: a person has reasons of their own."""
        return ()


class AlgorithmGame(LiveGame):
    """An opponent asks, a person chooses the victims; in the end the losses are shown.

    Parameters
    ----------
    opponent : Opponent
        Who asks.
    instance : LayeredInstance
        Forced service, one page per visit.
    rounds : int
        Length of the game.
    seed : int
        Of an opponent that draws at random.
    """

    mode = "algorithm"

    def __init__(self, opponent: Opponent, instance: LayeredInstance, rounds: int, seed: int) -> None:
        refuse_large(instance, rounds)
        self.opponent, self.instance, self.rounds, self.seed = opponent, instance, rounds, seed
        self._player = opponent.start(instance, rounds, seed)
        self._hand = Hand(told=opponent.told)
        self._session = Session(self._hand, instance)
        self._steps: list[Step] = []
        self._work = WorkFunction(instance)
        self._pending: int | None = None
        self._bit: int | None = None
        film = Film(
            instance, HUMAN, self._hand.title, instance.cache, "OPT's cache (farthest in future)",
            self._guides, f"requests: {opponent.title}",
            predicted="discard" if opponent.told else "",
        )  # fmt: skip
        super().__init__(film)
        self._advance()

    @property
    def _guides(self) -> list[Guide]:
        """Bounds on what a person can do; what is forced on those who are told nothing is not on others."""
        return [] if self.opponent.told else guides(self.instance, HUMAN)

    @property
    def length(self) -> int:
        """Number of requests of the whole game."""
        return self.rounds * self.instance.layers

    @property
    def over(self) -> bool:
        return self._pending is None

    def again(self) -> LiveGame:
        return AlgorithmGame(self.opponent, self.instance, self.rounds, self.seed)

    def _advance(self) -> None:
        """Serve what needs no choice: hits and faults that take a free slot."""
        self._pending = None
        while self._session.time < self.length:
            page = self._player.request(self._session.labels)
            self._bit = cast("Teller", self._player).bit if self.opponent.told else None
            if not self._session.cached(page) and len(self._session.cache) == self.instance.cache:
                self._pending = page
                return
            self._serve(page)
        self.film = film_of(self.run, remark=self.film.remark)
        self.film.guides = self._guides

    def _serve(self, page: int) -> None:
        step = self._session.serve(page, prediction=self._bit)
        self._steps.append(step)
        self._work.serve(page)
        self.film.add(step, "", self._work.cost)

    def _play(self, page: int) -> None:
        assert self._pending is not None
        victim = whole_number(page, "victim", 0, self.instance.total_pages - 1)
        if not self._session.cached(victim):
            names = ", ".join(map(self.instance.page_name, sorted(self._session.cache)))
            raise ModelError(
                f"page {self.instance.page_name(victim)} is not cached; the victim is one of {names}"
            )
        self._hand.victim = victim
        self._serve(self._pending)
        self._advance()

    @property
    def run(self) -> Run:
        """What was served so far, as a recorded run."""
        sequence = RequestSequence(self.instance, [step.page for step in self._steps])
        if self.opponent.told:
            told = [step.prediction for step in self._steps]
            sequence = PredictedSequence(sequence, "discard", np.array(told, dtype=np.int64))
        entries = np.array([step.entry for step in self._steps], dtype=np.int32)
        return Run(self._hand, sequence, self._session.faults, None, "labels", entries)

    def turn(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "length": self.length,
            "layer": self._session.layer if not self.over else None,
            "pending": self._pending,
            "bit": None if self.over else self._bit,
            "choices": [] if self.over else sorted(self._session.cache),
        }
        if self.over:
            state["outcome"] = self._outcome
        return state

    @property
    def _errors(self) -> dict[str, int] | None:
        """Wrong bits by OPT's schedule, where there are any bits."""
        sequence = self.run.sequence
        return prediction_errors(sequence).given if isinstance(sequence, PredictedSequence) else None

    @cached_property
    def _outcome(self) -> dict[str, Any]:
        run = self.run
        name = self.instance.page_name
        plain = run.sequence.plain
        told = dict.fromkeys(TOLD if self.opponent.told else (), run.sequence)
        served = told | dict.fromkeys(COMPARED, plain)
        return {
            "faults": run.faults,
            "optimum": farthest_in_future(plain).faults,
            "errors": self._errors,
            "adaptive": self.opponent.adaptive,
            "others": [
                {"policy": policy, "faults": simulate(get_policy(policy), sequence).faults}
                for policy, sequence in served.items()
            ],
            "mistakes": [
                {
                    "request": found.time + 1,
                    "page": name(found.page),
                    "victim": name(found.victim),
                    "victim_next": None if found.victim_next is None else found.victim_next + 1,
                    "best": name(found.best),
                    "best_next": None if found.best_next is None else found.best_next + 1,
                }
                for found in mistakes(run)
            ],
        }
