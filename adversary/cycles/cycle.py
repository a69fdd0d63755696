"""Cycles as proofs: requests after which the policy's labels and OPT's work function are what they were.

Repeating one forces its ratio for ever, whatever the additive constant: a rigorous lower bound. Cycles of a
product graph, of a period and of a construction are closed by replaying them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from adversary.construction import Construction
from adversary.cycles.max_ratio import GraphCycle, Numbers
from adversary.cycles.product_graph import FREE, ProductGraph, kinds_of_marks, mark
from paging.arguments import checked
from paging.certificate import Certificate, certificate, packed
from paging.errors import IllegalSequenceError, LayeredPagingError, LimitError, ModelError
from paging.model import MAX_PAGES, LayeredInstance, RequestSequence, Schedule, Step, whole_number
from paging.numbers import number
from paging.offline import farthest_in_future
from paging.policy import Policy, get_policy
from paging.simulate import Session
from paging.work_function import WorkFunction

MAX_REPEATS = 5000
"""Repetitions after which a cycle up to renaming must have closed literally."""


class NoCycleError(LayeredPagingError, RuntimeError):
    """A cycle does not close, or does not cost what it is said to cost."""


@dataclass(frozen=True)
class Cycle:
    """Requests that can be repeated for ever at the same cost on both sides.

    Attributes
    ----------
    instance : LayeredInstance
        Forced service, cold start; k is the policy's cache.
    policy : str
        Name of the policy.
    prefix, requests : tuple of int
        What comes once, and what is repeated. The cycle has whole rounds. The pages of an atomic visit stand
        in the order in which they are served.
    online, offline : int
        Faults of the policy and of OPT in one repetition.
    opt_cache : int
        OPT's cache size h ≤ k.
    """

    instance: LayeredInstance
    policy: str
    prefix: tuple[int, ...]
    requests: tuple[int, ...]
    online: int
    offline: int
    opt_cache: int

    @property
    def ratio(self) -> Fraction | float:
        """Policy faults per OPT fault of one repetition; ``inf`` where OPT pays nothing."""
        return Fraction(self.online, self.offline) if self.offline else float("inf")

    @property
    def gap(self) -> Fraction:
        """Faults beyond OPT's, per request."""
        return Fraction(self.online - self.offline, len(self.requests))

    def value(self, objective: str) -> Fraction | float:
        """The ratio or the gap."""
        return self.ratio if objective == "ratio" else self.gap

    def sequence(self, repetitions: int = 1) -> RequestSequence:
        """Return the prefix and so many repetitions as a legal sequence."""
        return RequestSequence(
            self.instance, np.array(self.prefix + self.requests * repetitions, dtype=np.int32)
        )

    def check(self, policy: str | Policy | None = None) -> None:
        """Replay the cycle: labels and work function must return, at the stated costs.

        Parameters
        ----------
        policy : str or Policy, optional
            The object to replay; default the one of the name.

        Raises
        ------
        NoCycleError
            Something does not return, or costs something else.
        """
        pair = _Pair(get_policy(self.policy if policy is None else policy), self.instance, self.opt_cache)
        pair.serve_all(self.prefix)
        before = pair.state
        pair.serve_all(self.requests)
        found = (pair.session.faults - before[0], pair.work.cost - before[1])
        if pair.state[2:] != before[2:]:
            raise NoCycleError(f"{self.policy}: labels or work function do not return after the cycle")
        if found != (self.online, self.offline):
            raise NoCycleError(f"{self.policy}: a cycle costs {found}, not {(self.online, self.offline)}")


class _Pair:
    """A policy and OPT's work function served side by side."""

    def __init__(self, policy: Policy, instance: LayeredInstance, opt_cache: int) -> None:
        self.session = Session(policy, instance, hits_first=True)
        self.work = WorkFunction(instance, opt_cache)
        self.requests: list[int] = []
        self.marks: Numbers = np.zeros(instance.total_pages, dtype=np.int64)

    def serve(self, page: int) -> Step:
        session, slot = self.session, self.slot
        if self.marks[page] != FREE:
            raise IllegalSequenceError(
                f"request {len(self.requests)}: page {page} cannot be asked for any more in this visit"
            )
        mark(self.marks, session.labels, page, slot, session.instance.frame, kinds_of_marks(session.instance))
        step = session.serve(page)
        self.work.serve(page)
        self.requests.append(page)
        if self.slot % session.instance.per_visit == 0:
            self.marks[:] = FREE
        return step

    def serve_all(self, pages: Sequence[int]) -> None:
        """Serve requests from the beginning of a visit on; of an atomic visit the hits first."""
        instance = self.session.instance
        group = instance.per_visit if instance.visits == "atomic" else 1
        for start in range(0, len(pages), group):
            waiting = pages[start : start + group]
            for hits in (True, False):
                for page in waiting:
                    if not hits or self.session.cached(page):
                        self.serve(page)
                        waiting = [other for other in waiting if other != page]

    @property
    def slot(self) -> int:
        """Place in its round of the next request."""
        return self.session.time % self.session.instance.round_length

    @property
    def state(self) -> tuple[Any, ...]:
        """Costs so far, then what must return in a cycle."""
        session, work = self.session, self.work
        return (
            *(session.faults, work.cost),
            *(self.slot, session.labels.tobytes(), work.labels, self.marks.tobytes()),
        )

    def page_of(self, key: tuple[int, int, int]) -> int:
        """Return the lowest page of the layer being served that carries two labels and a mark."""
        labels = self.work.labels
        for page in self.session.instance.pages_of(self.session.layer):
            if (int(self.session.labels[page]), labels[page], int(self.marks[page])) == key:
                return page
        raise NoCycleError(f"{self.session.policy.name}: the cycle found in the graph cannot be replayed")


def literal(graph: ProductGraph, found: GraphCycle) -> Cycle:
    """Turn a cycle up to renaming of pages into one that returns literally, by replaying it.

    The policy itself is served, without the symmetries used in the graph: the result is rigorous even where
    the policy does not have them.

    Raises
    ------
    NoCycleError
        The policy does not have the symmetries, and the cycle cannot be replayed.
    LimitError
        It does not close within the allowed number of repetitions.
    """
    pair = _Pair(graph.policy, graph.instance, graph.opt_cache)
    first = found.steps[0][0]
    _follow(pair, graph, graph.path_to(first))
    return _close(pair, lambda: _follow(pair, graph, found.steps))


def _follow(pair: _Pair, graph: ProductGraph, steps: Sequence[tuple[int, int]]) -> None:
    for state, edge in steps:
        if graph.symmetry.inside:
            pair.serve(pair.page_of(graph.key(state, edge)))
        else:
            pair.serve(pair.session.instance.pages_of(pair.session.layer)[edge])


def _close(pair: _Pair, again: Callable[[], None], *, repeats: int = MAX_REPEATS) -> Cycle:
    """Repeat requests until labels and work function are literally what they were at an earlier boundary.

    Raises
    ------
    LimitError
        They are not within so many repetitions.
    """
    seen: dict[tuple[Any, ...], tuple[int, int, int]] = {}
    for _ in range(repeats):
        online, offline, *state = pair.state
        now = (len(pair.requests), online, offline)
        before = seen.setdefault(tuple(state), now)
        if before != now:
            # A cycle may begin anywhere: it does at the beginning of a visit.
            instance = pair.session.instance
            begin = before[0] + -before[0] % instance.per_visit
            return Cycle(
                instance,
                pair.session.policy.name,
                tuple(pair.requests[:begin]),
                tuple(pair.requests[begin:] + pair.requests[before[0] : begin]),
                online - before[1],
                offline - before[2],
                pair.work.cache,
            )
        again()
    raise LimitError(f"{pair.session.policy.name}: no cycle within {repeats:,} repetitions")


@checked
def periodic_cycle(
    policy: str | Policy,
    instance: LayeredInstance,
    period: Sequence[int],
    *,
    opt_cache: int | None = None,
    repeats: int = MAX_REPEATS,
) -> Cycle:
    """Return the cycle that repeating a period from a cold start runs into.

    Examples
    --------
    >>> periodic_cycle("lru", LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2]).ratio
    Fraction(2, 1)
    """
    pair = _Pair(get_policy(policy), instance, instance.cache if opt_cache is None else opt_cache)
    repeats = whole_number(repeats, "repeats", 1, MAX_PAGES)
    pages = [whole_number(page, "a page of the period", 0, instance.total_pages - 1) for page in period]
    if instance.visits == "atomic" and len(pages) % instance.per_visit:
        raise ModelError(
            f"a period of atomic visits has a multiple of g = {instance.per_visit} requests, not {len(pages)}"
        )

    def again() -> None:
        pair.serve_all(pages)

    return _close(pair, again, repeats=repeats)


@checked
def construction_cycle(built: Construction, policy: str | Policy | None = None) -> Cycle:
    """Return the cycle that a policy runs into on a construction, between two of its period boundaries.

    Both sides return to the same state there, so repeating the requests in between forces the ratio they cost
    for ever, whatever the rest of the construction is.

    Parameters
    ----------
    built : Construction
        OPT has the cache of its offline schedule.
    policy : str or Policy, optional
        Deterministic; default the one the construction was built against.

    Raises
    ------
    LimitError
        Labels and work function do not return within the construction's periods.

    Examples
    --------
    >>> from adversary import get_construction
    >>> construction_cycle(get_construction("cyclic")(), "lru").ratio
    Fraction(7, 1)
    """
    answer = get_policy(built.named(policy))
    if answer.randomized:
        raise ModelError(f"a cycle needs a deterministic policy; {answer.name} is randomised")
    requests = built.sequence.requests.tolist()
    pair = _Pair(answer, built.sequence.instance, built.offline.sequence.instance.cache)
    periods = pairwise((0, *built.boundaries))

    def again() -> None:
        begin, end = next(periods)
        pair.serve_all(requests[begin:end])

    if built.periods:
        again()
    return _close(pair, again, repeats=built.periods)


@dataclass(frozen=True)
class Return:
    """An offline schedule of some repetitions of a cycle that ends in the cache it started with.

    Attributes
    ----------
    start : tuple of int
        The cache before and after.
    periods : int
        Repetitions served.
    entries : tuple of int
        A schedule entry per request, as in :class:`paging.Schedule`.
    """

    start: tuple[int, ...]
    periods: int
    entries: tuple[int, ...]


def offline_return(cycle: Cycle) -> Return:
    """Return a schedule of OPT's cost that returns to its cache, from farthest-in-future on repetitions.

    Raises
    ------
    LimitError
        No cache returns within the allowed number of repetitions.
    """
    length, repetitions = len(cycle.requests), 8
    while repetitions <= MAX_REPEATS:
        sequence = cycle.sequence(repetitions).with_cache(cycle.opt_cache)
        schedule = farthest_in_future(sequence, record=True).schedule
        boundaries: dict[frozenset[int], tuple[int, int]] = {}
        for end, (cache, faults) in enumerate(_at_boundaries(schedule, len(cycle.prefix), length)):
            begin, paid = boundaries.setdefault(cache, (end, faults))
            if begin < end and faults - paid == (end - begin) * cycle.offline:
                first = len(cycle.prefix) + begin * length
                entries = schedule.entries[first : first + (end - begin) * length]
                return Return(tuple(sorted(cache)), end - begin, tuple(entries.tolist()))
        repetitions *= 4
    raise LimitError(f"no offline cache returns within {MAX_REPEATS:,} repetitions of the cycle")


def _at_boundaries(schedule: Schedule, start: int, length: int) -> Iterator[tuple[frozenset[int], int]]:
    """Yield the cache and the faults so far at the start of every repetition."""
    cache: frozenset[int] = frozenset()
    faults = 0
    for step in schedule.steps():
        if step.time >= start and (step.time - start) % length == 0:
            yield cache, faults
        faults += not step.hit
        cache = step.cache


def cycle_certificate(
    cycle: Cycle,
    policy: str | Policy | None = None,
    *,
    provenance: Mapping[str, object] | None = None,
) -> Certificate:
    """Return a certificate of type ``cycle`` (docs/certificates.md).

    Parameters
    ----------
    policy : str or Policy, optional
        The one to replay, named by its ``spec``; default the one of the cycle's name.
    provenance : mapping, optional
        Where the cycle comes from, for the reader only.
    """
    answer = get_policy(cycle.policy if policy is None else policy)
    claim = {
        "instance": cycle.instance.plain,
        "policy": answer.spec,
        "opt_cache": cycle.opt_cache,
        "ratio": number(cycle.ratio),
        **cycle_claim(cycle),
    }
    return certificate("cycle", claim, cycle_evidence(cycle, answer), provenance)


def cycle_claim(cycle: Cycle) -> dict[str, object]:
    """Return what a certificate says of the requests: prefix, cycle and what a repetition costs."""
    return {
        "prefix": list(cycle.prefix),
        "cycle": list(cycle.requests),
        "online": cycle.online,
        "offline": cycle.offline,
    }


def cycle_evidence(cycle: Cycle, policy: str | Policy | None = None) -> dict[str, object]:
    """Return what left the policy's cache at every request, and an offline schedule that returns.

    Parameters
    ----------
    policy : str or Policy, optional
        The object to replay; default the one of the cycle's name.
    """
    back = offline_return(cycle)
    answer = get_policy(cycle.policy if policy is None else policy)
    session = Session(answer, cycle.instance, hits_first=True)
    steps = [session.serve(page) for page in cycle.prefix + cycle.requests]
    return {
        "leaving": packed([len(step.victims) for step in steps]),
        "left": packed([page for step in steps for page in step.victims]),
        "start": list(back.start),
        "periods": back.periods,
        "schedule": packed(back.entries),
    }
