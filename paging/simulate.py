"""The engine: it owns cache and cost, asks policies for the next labels, and checks every answer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import repeat
from typing import Literal, NamedTuple

import numpy as np

from paging.arguments import checked
from paging.errors import IllegalAnswerError, IllegalSequenceError, UnsupportedModelError
from paging.judge import complaint, drive, judge
from paging.model import (
    LEFT_ON_HIT,
    MISSING,
    SEVERAL,
    Frame,
    LabelArray,
    LayeredInstance,
    PageArray,
    RequestSequence,
    Serve,
    Step,
    generator,
    whole_number,
)
from paging.policy import Outcomes, Policy, get_policy
from paging.predicted import refuse_illegal
from paging.run import Run, faulted

Engine = Literal["auto", "kernel", "compiled", "labels"]


COMPILE_FROM = 2_000_000
"""Labels touched (requests × pages) from which compiling a definition costs less than running it as it is."""


class Session:
    """A policy being served request by request: the engine for step-by-step views and adaptive adversaries.

    Parameters
    ----------
    policy : str, Policy or Policy class
        What answers.
    instance : LayeredInstance
        Sequential visits, unless ``hits_first``.
    seed : int or numpy.random.Generator, default 0
        Used by randomised policies alone.
    hits_first : bool, default False
        Whether the caller asks for the pages of an atomic visit in the order in which they are served: hits
        before faults.

    Examples
    --------
    >>> session = Session("lru", LayeredInstance(layers=2, pages=3, cache=2))
    >>> [session.serve(page).hit for page in (0, 3, 0, 4, 0)]
    [False, False, True, False, True]
    >>> session.faults, sorted(session.cache)
    (3, [0, 4])
    """

    @checked
    def __init__(
        self,
        policy: str | Policy | type[Policy],
        instance: LayeredInstance,
        *,
        seed: int | np.random.Generator = 0,
        hits_first: bool = False,
    ) -> None:
        self.policy = get_policy(policy)
        self.policy.check(instance)
        if not hits_first:
            instance.require("serving step by step", visits="sequential")
        self.instance = instance
        self.labels: LabelArray = np.zeros(instance.total_pages, dtype=np.int64)
        self.time = 0
        self.faults = 0
        self._cache: frozenset[int] = frozenset()
        self._visit: list[Step] = []
        self._rng = generator(seed)

    @property
    def layer(self) -> int:
        """Layer of the next request."""
        return self.instance.layer_at(self.time)

    @property
    def cache(self) -> frozenset[int]:
        """The pages cached now."""
        return self._cache

    def cached(self, page: int) -> bool:
        """Whether a page is cached now."""
        return bool(self.labels[page] > 0)

    def run(self, sequence: RequestSequence) -> Iterator[Step]:
        """Serve the requests of a sequence one after the other, each with its prediction if it has one."""
        told = sequence.predictions.tolist() or repeat(None, len(sequence))
        for page, slot, prediction in zip(sequence, sequence.slots.tolist(), told, strict=True):
            yield self.serve(page, slot, prediction)

    def serve(self, page: int, slot: int | None = None, prediction: int | None = None) -> Step:
        """Serve one request and return what happened.

        Parameters
        ----------
        page : int
            Page id.
        slot : int, optional
            Place of the request in its round, where visits before it were shorter than g pages.
        prediction : int, optional
            What is predicted with the request, where the policy takes predictions.

        Raises
        ------
        IllegalSequenceError
            The page is not in the layer being served, the prediction is none of the policy's kind, or an
            atomic visit's hit comes after its first fault.
        UnsupportedModelError
            A prediction is missing, or the policy takes none.
        IllegalAnswerError
            The policy's answer broke the rules; the session stays as it was.
        """
        if slot is None:
            slot = self.time % self.instance.round_length
        layer = slot // self.instance.per_visit
        if page not in self.instance.pages_of(layer):
            raise IllegalSequenceError(f"request {self.time}: page {page} is not in layer {layer}")
        atomic = self.instance.visits == "atomic"
        if atomic:
            self._continue_visit(page, slot)
        frame = self._told(prediction)
        if self.policy.randomized:
            outcomes = self.policy.outcomes(self.labels.copy(), page, slot, frame)
            refuse_wrong_chances(outcomes, self.policy, self.time, page, self.cache)
            following = _draw(outcomes, self._rng)
        else:
            following = self.labels.copy()
            self.policy.serve(following, page, slot, frame)
        before, after = tuple(self.labels.tolist()), tuple(following.tolist())
        entry = judge(before, after, page, frame.cache, self.instance.bypassing)
        if entry <= MISSING:
            raise complaint(entry, self.time, page, self.policy.name, self.cache)
        if entry in (SEVERAL, LEFT_ON_HIT):
            victims = tuple(q for q in sorted(self._cache) if after[q] <= 0)
        else:
            victims = (entry,) if entry >= 0 else ()
        for earlier in self._visit:
            if earlier.page in victims:
                raise complaint(MISSING, earlier.time, earlier.page, self.policy.name, self.cache)
        self.labels = following
        self._cache = self._cache.difference(victims).union((page,) if after[page] > 0 else ())
        step = Step(self.time, page, entry, victims, self._cache, after, frame.prediction)
        if atomic:
            self._visit.append(step)
        self.time += 1
        self.faults += not step.hit
        return step

    def _told(self, prediction: int | None) -> Frame:
        kind, frame = self.policy.predictions, self.instance.frame
        if self.instance.visits == "atomic":
            frame = frame.served_together()
            frame.held[[step.page for step in self._visit]] = True
        if prediction is None:
            self.policy.check_predictions(None)
            return frame
        if kind is None:
            raise UnsupportedModelError(f"policy {self.policy.name} takes no predictions, got {prediction!r}")
        prediction = whole_number(prediction, f"request {self.time}: the prediction", 0)
        refuse_illegal(kind, prediction, self.time)
        return frame._replace(prediction=prediction)

    def _continue_visit(self, page: int, slot: int) -> None:
        """Begin an atomic visit, or refuse a page that was cached when its first fault came."""
        if slot % self.instance.per_visit == 0:
            self._visit.clear()
        first = next((step for step in self._visit if not step.hit), None)
        if first is not None and page in first.cache | {*first.victims}:
            raise IllegalSequenceError(
                f"request {self.time}: page {page} was cached when the visit's first fault came, at request "
                f"{first.time}; an atomic visit is served hits first"
            )


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


def _below(limit: int, rng: np.random.Generator) -> int:
    """Draw a whole number below a limit of any size, all equally likely."""
    if limit <= 2**63:
        return int(rng.integers(limit)) if limit > 1 else 0
    bits = (limit - 1).bit_length()
    while True:
        number = int.from_bytes(rng.bytes(-(-bits // 8)), "little") >> (-bits % 8)
        if number < limit:
            return number


def _draw(outcomes: Outcomes, rng: np.random.Generator) -> LabelArray:
    """Draw one outcome exactly: a whole number below the common denominator of the fractions decides."""
    denominator = math.lcm(*(chance.denominator for chance, _ in outcomes))
    ticket = _below(denominator, rng)
    return next(labels for chance, labels in outcomes if (ticket := ticket - int(chance * denominator)) < 0)


@checked
def steps(policy: str | Policy | type[Policy], sequence: RequestSequence, *, seed: int = 0) -> Iterator[Step]:
    """Yield every step of a run: page, hit, victims, cache and labels after it.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2])
    >>> [step.victims for step in steps("lru", sequence)]
    [(), (), (0,)]
    """
    session = Session(policy, sequence.instance, seed=seed)
    session.policy.check_requests(sequence)
    yield from session.run(sequence)


@checked
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
        fast twin; ``auto`` takes the fastest there is. All give the same answer for a deterministic policy.

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
    seed = whole_number(seed, "seed", 0)
    rng = generator(seed) if answer.randomized else NO_DRAWS
    run = run_sequence(answer, sequence, entries, rng, engine)
    return Run(
        answer,
        sequence,
        run.faults,
        seed if answer.randomized else None,
        run.engine,
        entries if record else None,
        None if sequence.instance.weights is None else run.cost,
    )


NO_DRAWS = generator(0)
"""What a deterministic policy gets and leaves alone: to make a generator may cost more than a short run."""


class Paid(NamedTuple):
    """Faults of a run, what they cost together, and the engine that served it."""

    faults: int
    cost: int | Fraction
    engine: str


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
    start: int = 0,
) -> Paid:
    """Serve a whole sequence by the fastest (or the named) engine, and count from request ``start`` on.

    ``entries`` is filled if it has length T.
    """
    counts = start > 0 or sequence.instance.weights is not None
    if counts and not len(entries):
        entries = np.zeros(len(sequence), dtype=np.int32)
    run = _served(policy, sequence, entries, rng, engine)
    if not counts:
        return Paid(run.faults, run.faults, run.engine)
    requests, counted, weights = sequence.requests[start:], entries[start:], sequence.instance.weights
    if weights is not None and run.engine == "kernel":  # what compiles is loaded: one pass, not several
        from paging.kernels.weighted import paid

        faults, cost = paid(requests, counted, weights.scaled)
        return Paid(int(faults), weights.unscaled(int(cost)), run.engine)
    pages = requests[faulted(counted)]
    return Paid(len(pages), sequence.instance.cost_of(pages), run.engine)


def _served(
    policy: Policy, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator, engine: Engine
) -> Outcome:
    policy.check_requests(sequence)
    atomic = sequence.instance.visits == "atomic"
    if engine in ("auto", "kernel") and (not atomic or policy.atomic_kernel):
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
    return _drive(drive, _judge_lists, policy.serve, policy, sequence, entries, "labels")


def _judge_lists(before: LabelArray, after: LabelArray, page: int, cache: int, bypassing: bool) -> int:
    """Judge as :func:`paging.judge.judge` does, which in Python reads lists faster than arrays."""
    return judge(before.tolist(), after.tolist(), page, cache, bypassing)


NOTHING: PageArray = np.zeros(0, dtype=np.int32)
"""Entries of a run that is not recorded."""


def _run_randomized(
    policy: Policy, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator
) -> Outcome:
    session = Session(policy, sequence.instance, seed=rng)
    for step in session.run(sequence):
        if len(entries):
            entries[step.time] = step.entry
    return Outcome(session.faults, "labels")


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
        np.zeros(0, dtype=np.int64) if sequence.places is None else sequence.slots,
        instance.frame.served_together() if instance.visits == "atomic" else instance.frame,
        sequence.predictions,
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
    if inspect.ismethod(policy.serve):
        return None  # a bound method carries an object that cannot be compiled
    from paging.kernels.definitions import compiled_drive, compiled_judge, compiled_serve

    serve = compiled_serve(policy.serve)
    if serve is None:
        return None
    return _drive(compiled_drive(), compiled_judge(), serve, policy, sequence, entries, "compiled")
