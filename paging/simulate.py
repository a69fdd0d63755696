"""The engine: it owns cache and cost, asks policies for the next labels, and checks every answer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np

from paging.errors import (
    IllegalAnswerError,
    IllegalSequenceError,
    ModelError,
    UnsupportedModelError,
)
from paging.model import (
    BYPASS,
    FREE,
    HIT,
    Frame,
    LabelArray,
    LayeredInstance,
    PageArray,
    RequestSequence,
    Schedule,
)
from paging.policy import Outcomes, Policy, Serve, get_policy

Engine = Literal["auto", "kernel", "compiled", "labels"]

Labels = LabelArray | tuple[int, ...]

MISSING, APPEARED, TOO_MANY = -10, -11, -12
"""What :func:`judge` says of illegal answers."""

SEVERAL, LEFT_ON_HIT = -4, -5
"""What it says of legal answers that are no demand steps: several pages left on a fault, or any on a hit."""

COMPILE_FROM = 2_000_000
"""Labels touched (requests × pages) from which compiling a definition costs less than running it as it is."""


def judge(before: Labels, after: Labels, page: int, cache: int, bypassing: bool) -> int:
    """Derive what an answer did: a schedule entry, ``SEVERAL``, or a negative code for an illegal answer."""
    size, left, victim = 0, 0, FREE
    for q in range(len(after)):
        if after[q] > 0:
            size += 1
            if before[q] <= 0 and q != page:
                return APPEARED
        elif before[q] > 0:
            left += 1
            victim = q
    if size > cache:
        return TOO_MANY
    if after[page] <= 0:
        return BYPASS if bypassing and before[page] <= 0 and left == 0 else MISSING
    if before[page] > 0:
        return HIT if left == 0 else LEFT_ON_HIT
    if left > 1:
        return SEVERAL
    return victim


def drive(
    serve: Serve,
    judge: Callable[[Labels, Labels, int, int, bool], int],
    requests: PageArray,
    frame: Frame,
    atomic: bool,
    bypassing: bool,
    entries: PageArray,
    labels: LabelArray,
) -> tuple[int, int, int]:
    """Serve all requests; return (faults, time of an illegal answer or −1, its code).

    Plain loops over integer arrays: the same text runs as Python and compiled.
    """
    faults = 0
    group = frame.per_visit
    before = labels.copy()
    for start in range(0, len(requests), group):
        end = min(start + group, len(requests))
        served = np.zeros(group, dtype=np.bool_)
        # An atomic visit serves its hits first, so that none of its pages has to leave for another.
        for hits_first in range(2 if atomic else 1):
            for t in range(start, end):
                page = int(requests[t])
                if served[t - start] or (atomic and hits_first == 0 and labels[page] <= 0):
                    continue
                served[t - start] = True
                before[:] = labels
                serve(labels, page, t % (frame.layers * group), frame)
                entry = judge(before, labels, page, frame.cache, bypassing)
                if entry <= MISSING:
                    labels[:] = before
                    return faults, t, entry
                if entry != HIT and entry != LEFT_ON_HIT:
                    faults += 1
                if len(entries) > 0:
                    entries[t] = entry
        if atomic:
            for t in range(start, end):
                if labels[requests[t]] <= 0:
                    return faults, t, MISSING
    return faults, -1, 0


def complaint(code: int, time: int, page: int, policy: str, cache: Iterable[int]) -> IllegalAnswerError:
    what = {
        MISSING: "the requested page is missing afterwards",
        APPEARED: "a page that was not requested appeared in the cache",
        TOO_MANY: "more than k pages are cached",
    }[code]
    return IllegalAnswerError(
        f"policy {policy}, request {time} (page {page}): {what}; the cache before was {sorted(cache)}"
    )


@dataclass(frozen=True, eq=False)
class Run:
    """The outcome of serving a sequence.

    Attributes
    ----------
    policy : str
        Name of the algorithm.
    sequence : RequestSequence
        What was served.
    faults : int
        The cost.
    seed : int or None
        Seed of a randomised policy; None for a deterministic one.
    engine : str
        ``kernel``, ``compiled`` or ``labels``: which route served the requests.
    entries : ndarray of int32 or None
        Schedule entry per request (see :class:`~paging.model.Schedule`) if recorded.
    """

    policy: str
    sequence: RequestSequence
    faults: int
    seed: int | None = None
    engine: str = "labels"
    entries: PageArray | None = field(default=None, repr=False)

    @property
    def requests(self) -> int:
        """Number of requests."""
        return len(self.sequence)

    @property
    def hits(self) -> int:
        """Number of hits."""
        return self.requests - self.faults

    @property
    def schedule(self) -> Schedule:
        """The recorded run as a schedule.

        Raises
        ------
        ModelError
            The run was not recorded, or moved several pages in one step.
        """
        if self.entries is None:
            raise ModelError("the run was not recorded; call simulate(…, record=True)")
        if (self.entries <= SEVERAL).any():
            raise ModelError(
                f"policy {self.policy} is not demand paging: its run is no schedule of one victim"
            )
        return Schedule(self.sequence, self.entries)

    @property
    def fault_counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Faults after every request, shape (T,); needs a recorded run."""
        if self.entries is None:
            raise ModelError("the run was not recorded; call simulate(…, record=True)")
        return np.cumsum((self.entries != HIT) & (self.entries != LEFT_ON_HIT))

    def _repr_html_(self) -> str:
        from paging.viewer.still import run_table

        return run_table(self)


class Step(NamedTuple):
    """One served request, as the step iterator shows it."""

    time: int
    page: int
    hit: bool
    victims: tuple[int, ...]
    cache: frozenset[int]
    labels: tuple[int, ...]


class Session:
    """A policy being served request by request: the engine for step-by-step views and adaptive adversaries.

    Parameters
    ----------
    policy : str, Policy or Policy class
        What answers.
    instance : LayeredInstance
        Sequential visits only; an atomic visit is not a sequence of single steps.
    seed : int or numpy.random.Generator, default 0
        Used by randomised policies alone.

    Examples
    --------
    >>> session = Session("lru", LayeredInstance(layers=2, pages=3, cache=2))
    >>> [session.serve(page).hit for page in (0, 3, 0, 4, 0)]
    [False, False, True, False, True]
    >>> session.faults, sorted(session.cache)
    (3, [0, 4])
    """

    def __init__(
        self,
        policy: str | Policy | type[Policy],
        instance: LayeredInstance,
        *,
        seed: int | np.random.Generator = 0,
    ) -> None:
        self.policy = get_policy(policy)
        self.policy.check(instance)
        if instance.visits == "atomic":
            raise UnsupportedModelError("steps are defined for sequential visits only")
        self.instance = instance
        self.labels: LabelArray = np.zeros(instance.total_pages, dtype=np.int64)
        self.time = 0
        self.faults = 0
        self._rng = np.random.default_rng(seed)

    @property
    def layer(self) -> int:
        """Layer of the next request."""
        return self.instance.layer_at(self.time)

    @property
    def cache(self) -> frozenset[int]:
        """The pages cached now."""
        return frozenset(np.flatnonzero(self.labels > 0).tolist())

    def cached(self, page: int) -> bool:
        """Whether a page is cached now."""
        return bool(self.labels[page] > 0)

    def serve(self, page: int) -> Step:
        """Serve one request and return what happened.

        Raises
        ------
        IllegalSequenceError
            The page is not in the layer being served.
        IllegalAnswerError
            The policy's answer broke the rules; the session stays as it was.
        """
        if page not in self.instance.pages_of(self.layer):
            raise IllegalSequenceError(f"request {self.time}: page {page} is not in layer {self.layer}")
        slot = self.time % self.instance.round_length
        frame = self.instance.frame
        if self.policy.randomized:
            outcomes = self.policy.outcomes(self.labels.copy(), page, slot, frame)
            refuse_wrong_chances(outcomes, self.policy, self.time, page, self.cache)
            following = _draw(outcomes, self._rng)
        else:
            following = self.labels.copy()
            self.policy.serve(following, page, slot, frame)
        entry = judge(self.labels, following, page, frame.cache, self.instance.bypassing)
        if entry <= MISSING:
            raise complaint(entry, self.time, page, self.policy.name, self.cache)
        hit = bool(self.labels[page] > 0)
        gone = np.flatnonzero((self.labels > 0) & (following <= 0)).tolist()
        self.labels = following
        step = Step(self.time, page, hit, tuple(gone), self.cache, tuple(following.tolist()))
        self.time += 1
        self.faults += not hit
        return step


def refuse_wrong_chances(
    outcomes: Outcomes, policy: Policy, time: int, page: int, cache: Iterable[int]
) -> None:
    """Raise IllegalAnswerError unless the probabilities are positive Fractions that add up to 1."""
    chances = [chance for chance, _ in outcomes]
    exact = all(isinstance(chance, Fraction | int) and chance > 0 for chance in chances)
    if not exact or sum(chances) != 1:
        raise IllegalAnswerError(
            f"policy {policy.name}, request {time} (page {page}): the probabilities "
            f"{', '.join(map(str, chances))} are not positive Fractions that add up to 1; "
            f"the cache before was {sorted(cache)}"
        )


def judged(
    outcomes: Outcomes,
    policy: Policy,
    before: tuple[int, ...],
    time: int,
    page: int,
    instance: LayeredInstance,
) -> Iterator[tuple[Fraction, tuple[int, ...]]]:
    """Yield the outcomes of one request with labels as tuples, or raise IllegalAnswerError."""
    cached = [q for q, label in enumerate(before) if label > 0]
    refuse_wrong_chances(outcomes, policy, time, page, cached)
    for chance, labels in outcomes:
        after = tuple(labels.tolist())
        code = judge(before, after, page, instance.cache, instance.bypassing)
        if code <= MISSING:
            raise complaint(code, time, page, policy.name, cached)
        yield chance, after


def _draw(outcomes: Outcomes, rng: np.random.Generator) -> LabelArray:
    """Draw one outcome exactly: a whole number below the common denominator of the fractions decides."""
    denominator = math.lcm(*(chance.denominator for chance, _ in outcomes))
    ticket = int(rng.integers(denominator)) if denominator > 1 else 0
    return next(labels for chance, labels in outcomes if (ticket := ticket - int(chance * denominator)) < 0)


def steps(policy: str | Policy | type[Policy], sequence: RequestSequence, *, seed: int = 0) -> Iterator[Step]:
    """Yield every step of a run: page, hit, victims, cache and labels after it.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2])
    >>> [step.victims for step in steps("lru", sequence)]
    [(), (), (0,)]
    """
    session = Session(policy, sequence.instance, seed=seed)
    for page in sequence:
        yield session.serve(page)


def simulate(
    policy: str | Policy | type[Policy],
    sequence: RequestSequence,
    *,
    record: bool = False,
    seed: int = 0,
    engine: Engine = "auto",
) -> Run:
    """Serve a sequence with a policy and count the faults.

    Parameters
    ----------
    policy : str, Policy or Policy class
        A name such as ``"lru"``, ``"partitioned:policy=fifo"`` or ``"mypackage:MyPolicy"``, or an object.
    sequence : RequestSequence
        The requests, with their instance.
    record : bool, default False
        Whether to keep what happened at every request (``run.schedule``).
    seed : int, default 0
        Seed of a randomised policy: one sampled run. See :func:`expected_faults` and :func:`sample_faults`.
    engine : {"auto", "kernel", "compiled", "labels"}, default "auto"
        ``labels`` runs the policy's definition as it is, ``compiled`` the same text compiled, ``kernel`` its
        fast twin; ``auto`` takes the fastest there is. All give the same answer.

    Returns
    -------
    Run

    Raises
    ------
    UnsupportedModelError
        The policy does not serve this variant of the model, or has no such engine.
    IllegalAnswerError
        The policy's answer broke the rules; time, page and cache are named.

    Examples
    --------
    >>> instance = LayeredInstance(layers=2, pages=3, cache=4)
    >>> simulate("lru", RequestSequence(instance, [0, 3, 1, 4, 2, 5, 0, 3])).faults
    8
    """
    entries = np.zeros(len(sequence) if record else 0, dtype=np.int32)
    answer = get_policy(policy)
    run = run_sequence(answer, sequence, entries, np.random.default_rng(seed), engine)
    return Run(
        answer.name,
        sequence,
        run.faults,
        seed if answer.randomized else None,
        run.engine,
        entries if record else None,
    )


class Outcome(NamedTuple):
    """Faults of a whole run and the engine that served it."""

    faults: int
    engine: str


def run_sequence(
    policy: Policy,
    sequence: RequestSequence,
    entries: PageArray,
    rng: np.random.Generator,
    engine: Engine = "auto",
) -> Outcome:
    """Serve a sequence by the fastest (or the named) engine, filling ``entries`` if it has length T."""
    policy.check(sequence.instance)
    atomic = sequence.instance.visits == "atomic"
    if engine in ("auto", "kernel") and not atomic:
        faults = policy.kernel(sequence, entries, rng)
        if faults is not None:
            return Outcome(faults, "kernel")
    if engine == "kernel":
        raise UnsupportedModelError(
            f"policy {policy.name} has no kernel for {sequence.instance.visits} visits"
        )
    if policy.randomized:
        return _run_randomized(policy, sequence, entries, rng)
    worth_it = len(sequence) * sequence.instance.total_pages >= COMPILE_FROM
    if engine == "compiled" or (engine == "auto" and worth_it):
        outcome = _drive_compiled(policy, sequence, entries)
        if outcome is not None:
            return outcome
        if engine == "compiled":
            raise UnsupportedModelError(f"the definition of policy {policy.name} does not compile")
    return _drive(drive, judge, policy.serve, policy, sequence, entries, "labels")


def _run_randomized(
    policy: Policy, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator
) -> Outcome:
    if sequence.instance.visits == "atomic":
        raise UnsupportedModelError(f"randomised policy {policy.name} serves sequential visits only")
    session = Session(policy, sequence.instance, seed=rng)
    for page in sequence:
        step = session.serve(page)
        if len(entries):
            entries[step.time] = _entry(step)
    return Outcome(session.faults, "labels")


def _entry(step: Step) -> int:
    """Return what :func:`judge` says about a step that was found legal."""
    if step.hit:
        return LEFT_ON_HIT if step.victims else HIT
    if step.victims:
        return step.victims[0] if len(step.victims) == 1 else SEVERAL
    return FREE if step.page in step.cache else BYPASS


def _drive(
    driver: Callable[..., tuple[int, int, int]],
    judge: Callable[..., int],
    serve: Serve,
    policy: Policy,
    sequence: RequestSequence,
    entries: PageArray,
    engine: str,
) -> Outcome:
    instance = sequence.instance
    labels = np.zeros(instance.total_pages, dtype=np.int64)
    faults, time, code = driver(
        serve,
        judge,
        sequence.requests,
        instance.frame,
        instance.visits == "atomic",
        instance.bypassing,
        entries,
        labels,
    )
    if time >= 0:
        cached = np.flatnonzero(labels > 0).tolist()
        raise complaint(code, time, int(sequence.requests[time]), policy.name, cached)
    return Outcome(int(faults), engine)


def _drive_compiled(policy: Policy, sequence: RequestSequence, entries: PageArray) -> Outcome | None:
    """Serve with the definition compiled, or return None when it does not compile."""
    if not isinstance(inspect.getattr_static(policy, "serve"), staticmethod):
        return None  # a bound method carries an object that cannot be compiled
    from paging.kernels.definitions import compiled_drive, compiled_judge, compiled_serve

    serve = compiled_serve(policy.serve)
    if serve is None:
        return None
    return _drive(compiled_drive(), compiled_judge(), serve, policy, sequence, entries, "compiled")
