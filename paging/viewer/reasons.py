"""Why this victim: the numbers that a policy decides by, and the reason for every eviction in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError
from paging.model import Frame, LabelArray, LayeredInstance, RequestSequence, Step
from paging.policy import Criterion, Outcomes, Policy

ABSENT = "-"
"""Number of a page that has none."""

MAX_DRAWN = 48
"""Pages up to which the exact chances of a randomised policy are computed while somebody waits."""

NEVER = "∞"
"""The next request of a page that is not requested again."""


class Reason(NamedTuple):
    """What is said of one request.

    Attributes
    ----------
    numbers : str
        One word per page: what the policy decides by after the request; of a victim, what it left with; ``-``
        of any other page that is not cached.
    why : str
        Why the victims left; empty where none did.
    """

    numbers: str
    why: str


class Reasons:
    """Follows a policy from a cold cache and gives the reason for everything that it does.

    Parameters
    ----------
    policy : Policy
        Whoever serves.
    instance : LayeredInstance
        Sequential, full visits.

    Examples
    --------
    >>> from paging import get_policy, steps
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 0, 2])
    >>> reasons = Reasons(get_policy("lru"), sequence.instance)
    >>> [reasons.of(step) for step in steps("lru", sequence)][-1]
    Reason(numbers='2 2 1', why='least recently used, last asked for at request 2')
    """

    def __init__(self, policy: Policy, instance: LayeredInstance) -> None:
        self.policy = policy
        self.instance = instance
        self.labels: LabelArray = np.zeros(instance.total_pages, dtype=np.int64)
        self._last: dict[int, int] = {}
        self._loaded: dict[int, int] = {}

    @property
    def title(self) -> str:
        """What the numbers are, and which of them leaves; empty where there are none."""
        criteria = self.policy.criteria(self.labels, None, 0, self.instance.frame)
        shown = [one for one in criteria if one.shown]
        names = " / ".join(one.name for one in shown)
        decides = len(shown) == 1 and shown[0] is criteria[0] and shown[0].leaves
        return f"{names}, the {decides} leaves" if decides else names

    def of(self, step: Step) -> Reason:
        """Take a further step, and return the numbers after it and why its victims left.

        Raises
        ------
        ModelError
            The policy's definition would not have done this.
        """
        slot, frame = step.time % self.instance.round_length, self._told(step)
        words, why = [ABSENT] * self.instance.total_pages, ""
        if step.victims:
            criteria = self.policy.criteria(self.labels, step.page, slot, frame)
            drawn = _drawn(self._outcomes(step), step.victims) if self.policy.randomized else ()
            why = "; ".join([*self._reasons(criteria, step.victims), *drawn])
            for q in step.victims:
                words[q] = _number(criteria, q)
        self.take(step)
        now = self.policy.criteria(self.labels, None, (step.time + 1) % self.instance.round_length, frame)
        for q in step.cache:
            words[q] = _number(now, q)
        return Reason(" ".join(words), why)

    def take(self, step: Step) -> None:
        """Take a further step of which nothing is said."""
        self.labels = np.array(step.labels or self._followed(step), dtype=np.int64)
        self._last[step.page] = step.time + 1
        if not step.hit:
            self._loaded[step.page] = step.time + 1

    def _outcomes(self, step: Step) -> Outcomes:
        slot = step.time % self.instance.round_length
        return self.policy.outcomes(self.labels.copy(), step.page, slot, self._told(step))

    def _told(self, step: Step) -> Frame:
        return self.instance.frame._replace(prediction=step.prediction)

    def _followed(self, step: Step) -> LabelArray:
        """Return the labels after a step of which only the cache is known."""
        for _, after in self._outcomes(step):
            if set(np.flatnonzero(after > 0).tolist()) == step.cache:
                return after
        raise ModelError(
            f"request {step.time}: the definition of {self.policy.name} does not leave the cache "
            f"{sorted(step.cache)}, but the run did"
        )

    def _reasons(self, criteria: tuple[Criterion, ...], victims: tuple[int, ...]) -> Iterator[str]:
        """Yield the first criterion with words, and all that tell the victim from pages still equal."""
        cached = left = np.flatnonzero(self.labels > 0)
        said: list[Criterion] = []
        for one in criteria:
            kept = one.among(left)
            if len(kept) < len(left) or (not said and (one.words or not one.leaves)):
                said.append(one)
            left = kept
        if not set(victims) <= set(left.tolist()):  # the policy does not do as it says
            said = list(Policy.criteria(self.policy, self.labels, None, 0, self.instance.frame))
        for one in said:
            number = int(one.values[victims[0]])
            words = one.words or _position(one, number, cached)
            yield words.format(
                value=one.text(number), last=self._last.get(victims[0]), loaded=self._loaded.get(victims[0])
            )


def _position(one: Criterion, number: int, cached: NDArray[np.intp]) -> str:
    """Say where a number stands among those of the cached pages."""
    least, most = int(one.values[cached].min()), int(one.values[cached].max())
    if least == most:
        return f"{one.name} {one.text(number)}, like all others"
    place = {least: "the smallest", most: "the largest"}.get(number, "in between")
    return f"{one.name} {one.text(number)}, {place} of {one.text(least)} … {one.text(most)}"


def _drawn(outcomes: Outcomes, victims: tuple[int, ...]) -> Iterator[str]:
    """Say with which chance a randomised policy evicts these pages."""
    if len(outcomes) > 1:
        chance = sum(chance for chance, after in outcomes if (after[list(victims)] <= 0).all())
        yield f"drawn with chance {chance}"


def _number(criteria: tuple[Criterion, ...], page: int) -> str:
    return "/".join(one.text(int(one.values[page])) for one in criteria if one.shown) or ABSENT


def reasons_of(policy: Policy, instance: LayeredInstance) -> Reasons | None:
    """Return who gives a policy's reasons; None where it has none, or they would take too long."""
    if instance.visits == "atomic":  # its hits are served first: the steps of a picture are not the policy's
        return None
    if policy.randomized:
        return Reasons(policy, instance) if instance.total_pages <= MAX_DRAWN else None
    nothing = np.zeros(instance.total_pages, dtype=np.int64)
    return Reasons(policy, instance) if policy.criteria(nothing, None, 0, instance.frame) else None


class Farthest(Policy):
    """Farthest in future as :class:`Reasons` sees it: the label of a cached page is its next request.

    It serves nothing itself; :func:`with_future` gives the labels to the steps of an optimal schedule.

    Parameters
    ----------
    requests : int
        How many there are; a page that none of them asks for again has a label beyond.
    """

    traits = frozenset({"deterministic"})

    def __init__(self, requests: int) -> None:
        self.requests = requests

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        """Return the next requests of the cached pages, the last of which leaves."""
        over = (labels > self.requests).any()
        words = "not asked for again" if over else "asked for again last, at request {value}"
        return (Criterion(labels, "largest", "next request", words, text=self._written),)

    def _written(self, time: int) -> str:
        return NEVER if time > self.requests else str(time)


def with_future(sequence: RequestSequence, taken: Iterable[Step]) -> Iterator[Step]:
    """Yield steps with the next request of every cached page, counted from 1, as its label."""
    length, pages = len(sequence), sequence.instance.total_pages
    following = np.full(length, length + 1)
    coming = np.full(pages, length + 1)
    for time in range(length - 1, -1, -1):
        page = sequence.requests[time]
        following[time], coming[page] = coming[page], time + 1
    labels = np.zeros(pages, dtype=np.int64)
    for step in taken:
        labels[list(step.victims)] = 0
        labels[step.page] = following[step.time] if step.page in step.cache else 0
        yield step._replace(labels=tuple(labels.tolist()))
