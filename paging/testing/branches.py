"""Serving with all branches of a policy at once: what the invariants look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from paging.errors import LayeredPagingError
from paging.judge import judge
from paging.model import MISSING, Frame, LayeredInstance, RequestSequence
from paging.policy import Policy

Labels = tuple[int, ...]
Fan = tuple[tuple[Fraction, Labels], ...]

BRANCHES = 48
"""Label vectors followed at one time; of a randomised policy that reaches more, the first ones are."""


class UnjudgedError(Exception):
    """An invariant says nothing about this case: it is about legal runs, or about other instances."""


class Transition(NamedTuple):
    """One possible step: label vectors before and after it."""

    before: Labels
    after: Labels

    @property
    def left(self) -> list[int]:
        """Pages that left the cache."""
        return [q for q, label in enumerate(self.before) if label > 0 >= self.after[q]]


class Level(NamedTuple):
    """One request and every answer to it: a fan of outcomes for every label vector that can be there."""

    time: int
    page: int
    frame: Frame
    fans: dict[Labels, Fan]

    @property
    def moves(self) -> Iterator[Transition]:
        """All steps."""
        return (Transition(before, after) for before, fan in self.fans.items() for _, after in fan)


def cached(labels: Labels) -> frozenset[int]:
    """Return the pages cached in a label vector."""
    return frozenset(q for q, label in enumerate(labels) if label > 0)


def fan_of(policy: Policy, labels: Labels, page: int, slot: int, frame: Frame) -> Fan:
    """Ask a policy for the outcomes of one request.

    Raises
    ------
    AssertionError
        The policy raised an exception, or answered with something that is no label vector.
    """
    given = np.array(labels, dtype=np.int64)
    try:
        answers = policy.outcomes(given, page, slot, frame)
        fan = tuple((chance, np.asarray(after)) for chance, after in answers)
    except LayeredPagingError:
        raise
    except Exception as error:  # whatever a policy under test may raise
        raise AssertionError(f"the policy raised {type(error).__name__}: {error}") from error
    for _, after in fan:
        if after.shape != given.shape or after.dtype.kind not in "iu":
            raise AssertionError(
                f"an outcome is no integer array of {len(given)} labels: shape {after.shape}, {after.dtype}"
            )
    return tuple((chance, tuple(after.tolist())) for chance, after in fan)


def levels(policy: Policy, sequence: RequestSequence) -> Iterator[Level]:
    """Yield every request with all answers a policy may give to it, legal or not.

    Raises
    ------
    AssertionError
        As for :func:`fan_of`, with the request.
    """
    instance = sequence.instance
    states: list[Labels] = [(0,) * instance.total_pages]
    for time, (page, frame) in enumerate(zip(sequence, sequence.frames, strict=True)):
        slot = time % instance.round_length
        try:
            fans = {labels: fan_of(policy, labels, page, slot, frame) for labels in states}
        except AssertionError as error:
            raise AssertionError(f"{request_name(sequence, time)}: {error}") from error
        level = Level(time, page, frame, fans)
        yield level
        states = list(dict.fromkeys(move.after for move in level.moves))[:BRANCHES]


def legal_levels(policy: Policy, sequence: RequestSequence) -> Iterator[Level]:
    """Yield what :func:`levels` yields; a policy that answers illegally is not judged any further."""
    instance = sequence.instance
    ahead = levels(policy, sequence)
    while True:
        try:
            level = next(ahead)
        except StopIteration:
            return
        except AssertionError as error:
            raise UnjudgedError(str(error)) from error
        if any(map(chances_problem, level.fans.values())):
            raise UnjudgedError("the outcomes are no distribution")
        if any(verdict(move, level.page, instance) <= MISSING for move in level.moves):
            raise UnjudgedError("an answer is illegal")
        yield level


def chances_problem(fan: Fan) -> str:
    """Say why the probabilities of a fan are no exact distribution, or return the empty string."""
    chances = [chance for chance, _ in fan]
    if len(chances) == 1 and chances[0] == 1:
        return ""
    if not all(isinstance(chance, Fraction | int) for chance in chances):
        return f"probabilities must be Fractions, got {chances}"
    listed = ", ".join(map(str, chances))
    if any(chance <= 0 for chance in chances):
        return f"a probability is not positive: {listed}"
    return "" if sum(chances) == 1 else f"probabilities {listed} add up to {sum(chances)}"


def verdict(move: Transition, page: int, instance: LayeredInstance) -> int:
    """Return what the engine says about a step; see :func:`paging.judge.judge`."""
    return judge(move.before, move.after, page, instance.cache, instance.bypassing)


def fault_windows(
    policy: Policy, sequence: RequestSequence, choose: Callable[[int, int], int]
) -> list[list[int]]:
    """Return ``windows[t][s]``: the most (``choose=max``) or fewest faults among requests s … t."""
    counts: dict[Labels, list[int]] = {(0,) * sequence.instance.total_pages: []}
    windows = []
    for level in legal_levels(policy, sequence):
        following: dict[Labels, list[int]] = {}
        for before, after in level.moves:
            fault = int(before[level.page] <= 0)
            here = [count + fault for count in counts[before]] + [fault]
            known = following.get(after, here)
            following[after] = [choose(a, b) for a, b in zip(known, here, strict=True)]
        counts = following
        ends = list(counts.values())
        windows.append([choose(column) for column in zip(*ends, strict=True)])  # type: ignore[call-arg,arg-type]
    return windows


def fewest_faults(policy: Policy, sequence: RequestSequence) -> int:
    """Return the fewest faults on the whole sequence, over all branches."""
    counts: dict[Labels, int] = {(0,) * sequence.instance.total_pages: 0}
    for level in legal_levels(policy, sequence):
        following: dict[Labels, int] = {}
        for before, after in level.moves:
            faults = counts[before] + (before[level.page] <= 0)
            following[after] = min(faults, following.get(after, faults))
        counts = following
    return min(counts.values())


def request_name(sequence: RequestSequence, time: int) -> str:
    """Name a request in a message."""
    page = int(sequence.requests[time])
    return f"request {time} (page {sequence.instance.page_name(page)})"


def pages_text(instance: LayeredInstance, pages: frozenset[int] | set[int] | list[int]) -> str:
    """Write pages as ``layer.index``."""
    return "{" + ", ".join(instance.page_name(page) for page in sorted(pages)) + "}"
