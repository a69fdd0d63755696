"""The invariants of paging policies, by name.

A check takes a policy and one request sequence and raises AssertionError with what went wrong, or
UnjudgedError where the invariant says nothing about the sequence. It looks at every branch of a randomised
policy (at up to ``BRANCHES`` label vectors at a time).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis.strategies import SearchStrategy

from paging.errors import IllegalAnswerError, UnsupportedModelError
from paging.expectation import expected_cost
from paging.model import (
    APPEARED,
    BYPASS,
    FREE,
    HIT,
    LEFT_ON_HIT,
    MISSING,
    SEVERAL,
    TOO_MANY,
    LayeredInstance,
    RequestSequence,
)
from paging.offline import farthest_in_future, phase_starts
from paging.policy import TRAITS, Policy
from paging.predicted import PredictedSequence
from paging.run import Run
from paging.simulate import Engine, simulate
from paging.testing.branches import (
    Fan,
    Labels,
    Level,
    UnjudgedError,
    cached,
    chances_problem,
    fan_of,
    fault_windows,
    fewest_faults,
    legal_levels,
    levels,
    pages_text,
    request_name,
    verdict,
)
from paging.testing.strategies import Bounds, sequences

Check = Callable[[Policy, RequestSequence], None]

USUAL: Mapping[str, Bounds] = {
    "layers": (1, 2),
    "pages": (1, 4),
    "cache": (1, 4),
    "per_visit": (1, 2),
    "length": 40,
}
"""Bounds on which planted errors show up soonest; what is found is shortened afterwards."""

LARGEST_CLOSURE = 4, 3, 5_000
"""Pages and slots up to which reachable label vectors are enumerated, and how many there may be."""


@dataclass(frozen=True)
class Invariant:
    """A statement about policies that can be checked.

    Attributes
    ----------
    name : str
        Key in :data:`INVARIANTS`; for a trait the name of the trait.
    statement : str
        One sentence.
    check : callable
        ``check(policy, sequence)``; raises AssertionError where the statement is broken.
    traits : frozenset of str
        Policies it is for: those that declare any of these traits; all policies when empty.
    bounds : mapping
        Bounds of :func:`~paging.testing.sequences` that the statement is checked on by default.
    """

    name: str
    statement: str
    check: Check
    traits: frozenset[str] = frozenset()
    bounds: Mapping[str, Bounds] = field(default_factory=dict)

    def applies(self, policy: Policy) -> bool:
        """Whether a policy claims this."""
        return not self.traits or bool(self.traits & policy.traits)

    def cases(self) -> SearchStrategy[RequestSequence]:
        """Return the sequences that the statement is checked on by default."""
        return sequences(**dict[str, Any](self.bounds))


_found: dict[str, Invariant] = {}
INVARIANTS: Mapping[str, Invariant] = MappingProxyType(_found)
"""All invariants by name, in the order in which they are checked."""


def _invariant(
    name: str, statement: str = "", *, traits: tuple[str, ...] | None = None, **bounds: Bounds
) -> Callable[[Check], Check]:
    """Register a check; without a statement it is that of the trait of this name."""

    def register(check: Check) -> Check:
        claimed = frozenset((name,) if traits is None and name in TRAITS else traits or ())
        usual = {**USUAL, **bounds}
        _found[name] = Invariant(name, statement or TRAITS[name], check, claimed, usual)
        return check

    return register


@_invariant("probabilities", "the outcomes of every request are an exact probability distribution")
def _probabilities(policy: Policy, sequence: RequestSequence) -> None:
    asked: list[tuple[Level, Labels, Fan]] = []
    for level in _judged(levels(policy, sequence)):
        for labels, fan in level.fans.items():
            problem = chances_problem(fan)
            if problem:
                where = f"{request_name(sequence, level.time)}, labels {labels}"
                raise AssertionError(f"{where}: {problem}")
            asked.append((level, labels, fan))
    if policy.randomized:
        _same_again(policy, sequence, asked)


@_invariant("legal", "the requested page is cached afterwards, and no other page appears")
def _legal(policy: Policy, sequence: RequestSequence) -> None:
    instance = sequence.instance
    problems = {
        MISSING: "the requested page is missing afterwards",
        APPEARED: "a page that was not requested appeared",
    }
    for level in levels(policy, sequence):
        for move in level.moves:
            problem = problems.get(verdict(move, level.page, instance))
            if problem is not None:
                where = request_name(sequence, level.time)
                raise AssertionError(f"{where}: {problem}: labels {move.before} became {move.after}")


@_invariant("at-most-k", "never more than k pages are cached")
def _at_most_k(policy: Policy, sequence: RequestSequence) -> None:
    instance = sequence.instance
    for level in _judged(levels(policy, sequence)):
        codes = {verdict(move, level.page, instance): move for move in level.moves}
        if TOO_MANY in codes:
            kept = cached(codes[TOO_MANY].after)
            raise AssertionError(
                f"{request_name(sequence, level.time)}: {len(kept)} pages are cached, "
                f"k = {instance.cache}: {pages_text(instance, kept)}"
            )
        if min(codes) <= MISSING:
            raise UnjudgedError("an answer is illegal")


def _judged(given: Iterator[Level]) -> Iterator[Level]:
    """Leave answers that are no label vectors to the invariant ``legal``."""
    try:
        yield from given
    except AssertionError as error:
        raise UnjudgedError(str(error)) from error


@_invariant("compulsory", "every distinct page faults at least once")
def _compulsory(policy: Policy, sequence: RequestSequence) -> None:
    least, distinct = _fewest_faults(policy, sequence), sequence.distinct_pages
    if least < distinct:
        raise AssertionError(f"{least} faults on {distinct} distinct pages")


@_invariant("opt", "never fewer faults than the offline optimum")
def _opt(policy: Policy, sequence: RequestSequence) -> None:
    least, optimum = _fewest_faults(policy, sequence), farthest_in_future(sequence).faults
    if least < optimum:
        raise AssertionError(f"{least} faults, but OPT has {optimum}")


def _fewest_faults(policy: Policy, sequence: RequestSequence) -> int:
    """Return the fewest faults of any branch, and of the engine that counts by itself."""
    return min(fewest_faults(policy, sequence), _served(policy, sequence, "auto").faults)


def _served(policy: Policy, sequence: RequestSequence, engine: Engine) -> Run:
    try:
        return simulate(policy, sequence, record=True, engine=engine)
    except IllegalAnswerError as error:
        raise UnjudgedError(str(error)) from error


@_invariant("engines", "a kernel, and the definition compiled, answer as the definition does")
def _engines(policy: Policy, sequence: RequestSequence) -> None:
    engines: tuple[Engine, ...] = ("kernel",) if policy.randomized else ("kernel", "compiled")
    definition = _served(policy, sequence, "labels")
    assert definition.entries is not None
    wanted = definition.entries.tolist()
    for engine in engines:
        try:
            run = _served(policy, sequence, engine)
        except UnsupportedModelError:
            continue  # there is no such engine
        if policy.randomized:
            _follows_a_branch(policy, run)
            continue
        assert run.entries is not None
        for time, (entry, expected) in enumerate(zip(run.entries.tolist(), wanted, strict=True)):
            if entry != expected:
                raise AssertionError(
                    f"{request_name(sequence, time)}: engine {engine} says {_entry_text(sequence, entry)}, "
                    f"the definition {_entry_text(sequence, expected)}"
                )
        for faults in (run.faults, simulate(policy, sequence, engine=engine).faults):
            if faults != definition.faults:
                raise AssertionError(
                    f"engine {engine} counts {faults} faults, the definition {definition.faults}"
                )


def _follows_a_branch(policy: Policy, run: Run) -> None:
    """Check that every victim of a sampled run is one that the exact outcomes allow."""
    sequence, instance = run.sequence, run.sequence.instance
    assert run.entries is not None
    states: set[Labels] = {(0,) * instance.total_pages}
    for time, (entry, frame) in enumerate(zip(run.entries.tolist(), sequence.frames, strict=True)):
        page, slot = int(sequence.requests[time]), time % instance.round_length
        following = set()
        for labels in states:
            for _, after in fan_of(policy, labels, page, slot, frame):
                left = [q for q, label in enumerate(labels) if label > 0 and after[q] <= 0]
                if entry == (HIT if labels[page] > 0 else left[0] if left else FREE):
                    following.add(after)
        if not following:
            raise AssertionError(
                f"{request_name(sequence, time)}: the kernel says {_entry_text(sequence, entry)}, "
                f"which has probability 0"
            )
        states = following
    faults = int(np.count_nonzero(run.entries != HIT))
    if run.faults != faults:
        raise AssertionError(f"the kernel counts {run.faults} faults and records {faults}")


def _entry_text(sequence: RequestSequence, entry: int) -> str:
    names = {
        HIT: "hit",
        FREE: "fault into a free slot",
        BYPASS: "bypassed",
        SEVERAL: "several pages leave",
        LEFT_ON_HIT: "a page leaves on a hit",
    }
    return names.get(entry) or f"victim {sequence.instance.page_name(entry)}"


@_invariant("deterministic")
def _deterministic(policy: Policy, sequence: RequestSequence) -> None:
    asked: list[tuple[Level, Labels, Fan]] = []
    for level in legal_levels(policy, sequence):
        for labels, fan in level.fans.items():
            if len(fan) != 1:
                raise AssertionError(f"{request_name(sequence, level.time)}: {len(fan)} outcomes")
            asked.append((level, labels, fan))
    _same_again(policy, sequence, asked)


def _same_again(policy: Policy, sequence: RequestSequence, asked: list[tuple[Level, Labels, Fan]]) -> None:
    """Ask for the same answers once more, last one first: what is not in the labels then shows."""
    for level, labels, fan in reversed(asked):
        slot = level.time % sequence.instance.round_length
        again = fan_of(policy, labels, level.page, slot, level.frame)
        if again != fan:
            raise AssertionError(
                f"{request_name(sequence, level.time)}, labels {labels}: the answer was {_fan_text(fan)}; "
                f"asked again it is {_fan_text(again)}"
            )


@_invariant("online")
def _online(policy: Policy, sequence: RequestSequence) -> None:
    whole = _decisions(policy, sequence)
    for length in {len(sequence) // 2, len(sequence)}:
        for time, decisions in enumerate(_decisions(policy, sequence.prefix(length))):
            if decisions != whole[time]:
                raise AssertionError(
                    f"{request_name(sequence, time)}: served again as a prefix of {length} requests, "
                    f"the policy decides otherwise"
                )


def _decisions(policy: Policy, sequence: RequestSequence) -> list[object]:
    """Return what happens to the cache at every request, on all branches."""
    return [
        {
            (cached(before), chance, cached(after))
            for before, fan in level.fans.items()
            for chance, after in fan
        }
        for level in legal_levels(policy, sequence)
    ]


@_invariant("criteria", "whoever leaves is one that the policy's own criteria name")
def _criteria(policy: Policy, sequence: RequestSequence) -> None:
    instance = sequence.instance
    for level in legal_levels(policy, sequence):
        slot = level.time % instance.round_length
        for move in filter(lambda move: move.left, level.moves):
            named = np.flatnonzero(np.array(move.before) > 0)
            for one in policy.criteria(np.array(move.before), level.page, slot, instance.frame):
                named = one.among(named)
            others = set(move.left).difference(named.tolist())
            if others:
                raise AssertionError(
                    f"{request_name(sequence, level.time)}: {pages_text(instance, others)} left, "
                    f"the criteria name {pages_text(instance, named.tolist())}"
                )


@_invariant("demand")
def _demand(policy: Policy, sequence: RequestSequence) -> None:
    instance = sequence.instance
    for level in legal_levels(policy, sequence):
        for move in level.moves:
            free = instance.cache - len(cached(move.before))
            if move.left and move.before[level.page] > 0:
                problem = "a hit, but {} left the cache"
            elif len(move.left) > 1:
                problem = f"{len(move.left)} pages left at once: {{}}"
            elif move.left and free:
                problem = f"{{}} left with {free} free slots"
            else:
                continue
            where = request_name(sequence, level.time)
            raise AssertionError(f"{where}: {problem.format(pages_text(instance, move.left))}")


@_invariant("conservative")
def _conservative(policy: Policy, sequence: RequestSequence) -> None:
    cache = sequence.instance.cache
    for end, window in enumerate(fault_windows(policy, sequence, max)):
        seen: set[int] = set()
        for start in range(end, -1, -1):
            seen.add(int(sequence.requests[start]))
            if len(seen) > cache:
                break
            if window[start] > cache:
                raise AssertionError(
                    f"{window[start]} faults on requests {start} … {end}, which go to {len(seen)} pages: "
                    f"{pages_text(sequence.instance, seen)}, k = {cache}"
                )


@_invariant("marking")
def _marking(policy: Policy, sequence: RequestSequence) -> None:
    starts = set(phase_starts(sequence, sequence.instance.cache))
    phase: set[int] = set()
    for level in legal_levels(policy, sequence):
        if level.time in starts:
            phase.clear()
        phase.add(level.page)
        for move in level.moves:
            marked = phase.intersection(move.left)
            if marked:
                raise AssertionError(
                    f"{request_name(sequence, level.time)}: {pages_text(sequence.instance, marked)} left, "
                    f"requested in the phase under way"
                )


@_invariant(
    "phase-faults",
    "at most k faults in every k-phase (marking and conservative policies)",
    traits=("marking", "conservative"),
)
def _phase_faults(policy: Policy, sequence: RequestSequence) -> None:
    cache = sequence.instance.cache
    windows = fault_windows(policy, sequence, max)
    starts = phase_starts(sequence, cache)
    for start, end in pairwise([*starts, len(sequence)]):
        faults = windows[end - 1][start]
        if faults > cache:
            raise AssertionError(
                f"{faults} faults in the k-phase of requests {start} … {end - 1}, k = {cache}"
            )


@_invariant("stack")
def _stack(policy: Policy, sequence: RequestSequence) -> None:
    if policy.randomized:
        raise AssertionError("inclusion is defined for deterministic policies")
    larger = sequence.with_cache(sequence.instance.cache + 1)
    policy.check(larger.instance)
    for small, large in zip(legal_levels(policy, sequence), legal_levels(policy, larger), strict=True):
        for one, two in zip(small.moves, large.moves, strict=True):
            missing = cached(one.after) - cached(two.after)
            if missing:
                raise AssertionError(
                    f"after {request_name(sequence, small.time)}: {pages_text(sequence.instance, missing)} "
                    f"cached with k = {sequence.instance.cache}, but not with k = {larger.instance.cache}"
                )


@_invariant("symmetric", per_visit=1, pages=(2, 4))
def _symmetric(policy: Policy, sequence: RequestSequence) -> None:
    if sequence.instance.per_visit > 1:
        raise UnjudgedError("several pages a visit come in an order, which renaming changes")
    for _ in legal_levels(policy, sequence):
        pass
    usual = _expected(policy, sequence)
    for words, renamed in _renamings(sequence):
        other = _expected(policy, renamed)
        for time, (before, after) in enumerate(zip(usual, other, strict=True)):
            if before != after:
                raise AssertionError(
                    f"{request_name(sequence, time)} faults with probability {before}, "
                    f"and with {after} when {words}"
                )


def _expected(policy: Policy, sequence: RequestSequence) -> tuple[Fraction, ...]:
    return expected_cost(policy, sequence, max_states=2_000).per_request


def _renamings(sequence: RequestSequence) -> Iterator[tuple[str, RequestSequence]]:
    """Swap the first two pages of a layer, and shift all of them: together these make every renaming."""
    instance = sequence.instance
    for layer in range(instance.layers):
        own = list(instance.pages_of(layer))
        ways = {"the first two pages of layer {} are swapped": [own[1], own[0], *own[2:]]} if own[1:] else {}
        if own[2:]:
            ways["the pages of layer {} are shifted by one"] = [*own[1:], own[0]]
        for words, images in ways.items():
            names = np.arange(instance.total_pages)
            names[own] = images
            renamed = RequestSequence(instance, names[sequence.requests])
            if isinstance(sequence, PredictedSequence):
                renamed = PredictedSequence(renamed, sequence.kind, sequence.predictions)
            yield words.format(layer), renamed


@_invariant("finite-state", length=0, pages=(1, 2), cache=(1, 3))
def _finite_state(policy: Policy, sequence: RequestSequence) -> None:
    instance = sequence.instance
    pages, slots, limit = LARGEST_CLOSURE
    if instance.total_pages > pages or instance.cache > slots:
        raise UnjudgedError("label vectors are enumerated on tiny instances only")
    start = (0, frozenset[int](), (0,) * instance.total_pages)
    reached, waiting = {start}, deque([start])
    while waiting:
        for state in _successors(policy, instance, *waiting.popleft()):
            if state not in reached:
                reached.add(state)
                waiting.append(state)
        largest = max(max(map(abs, labels)) for _, _, labels in waiting) if waiting else 0
        if len(reached) > limit:
            raise AssertionError(
                f"{limit} label vectors reached, and no end; the largest label so far is {largest}"
            )


State = tuple[int, frozenset[int], Labels]
"""A slot of the round, the pages its visit has had, and the labels."""


def _successors(
    policy: Policy, instance: LayeredInstance, slot: int, visit: frozenset[int], labels: Labels
) -> Iterator[State]:
    following = (slot + 1) % instance.round_length
    for page in instance.pages_of(slot // instance.per_visit):
        if page in visit:
            continue
        had = visit | {page} if following % instance.per_visit else frozenset[int]()
        for prediction in (0, 1) if policy.predictions else (0,):
            frame = instance.frame._replace(prediction=prediction)
            try:
                fan = fan_of(policy, labels, page, slot, frame)
            except AssertionError as error:
                raise UnjudgedError(str(error)) from error
            for _, after in fan:
                if min(after) < 0 or len(cached(after)) > instance.cache:
                    raise UnjudgedError("an answer is illegal")
                yield following, had, after


@_invariant("atomic", per_visit=(1, 3))
def _atomic(policy: Policy, sequence: RequestSequence) -> None:
    for _ in legal_levels(policy, sequence):
        pass
    instance = sequence.instance
    size = max(instance.cache, instance.round_length if policy.per_layer else instance.per_visit)
    together = RequestSequence(replace(instance, visits="atomic", cache=size), sequence.requests)
    try:
        simulate(policy, together, engine="labels")
    except (IllegalAnswerError, UnsupportedModelError) as error:
        raise AssertionError(f"with atomic visits and k = {size}: {error}") from error


def _fan_text(fan: Fan) -> str:
    return "; ".join(str(labels) if chance == 1 else f"{labels} with {chance}" for chance, labels in fan)
