"""Measurement against bounds: what a run says about a theorem, by the theorem's kind.

Upper: online ≤ value·OPT + additive must hold on every run. Lower: a construction must keep its promise and
force at least the value in the limit. Tight: both. A finite run only observes; what a verdict rests on is
said in its fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import cycle
from math import inf
from pathlib import Path
from typing import Literal

import numpy as np

from adversary import Adversary, BrokenPromiseError, Construction, constructions, get_construction
from adversary.formulas import Formula
from paging import (
    LayeredInstance,
    LayeredPagingError,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    exact_weights,
    generate,
    get_policy,
    predict,
)
from paging.compare import BASELINE
from paging.html import facts_table
from paging.model import Kind
from proofs.bounds.bound import Bound
from proofs.bounds.counterexample import Case, replay_command, save_counterexample, speaks_of
from proofs.bounds.measuring import ALGORITHMS, Cost, Number, online_cost, optimum
from proofs.bounds.registry import BOUNDS

Ruling = Literal[
    "holds", "reached", "holds and reached", "open", "not reached", "violated", "does not speak here",
    "not checked",
]  # fmt: skip


class BoundViolationError(LayeredPagingError, RuntimeError):
    """A run contradicts an upper bound; the counterexample was saved."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(f"{message}; repeat it with: {replay_command(path)}")
        self.what = message
        self.path = path


@dataclass(frozen=True)
class Judgement:
    """What our runs say about a bound for one policy.

    Attributes
    ----------
    bound : Bound
    policy : str
    outcome : str
        ``holds`` (upper, on every run), ``reached`` (lower), ``holds and reached`` (tight), ``open`` (a run
        above value·OPT while the additive constant is unknown), ``not reached``, ``violated`` (a run
        contradicts an upper bound; ``on`` says which), ``does not speak here`` (the bound's range or
        conditions exclude every input), ``not checked`` (there is nothing to judge it on).
    instance : LayeredInstance or None
        Where the shown numbers come from: the run with the largest ratio.
    opt_cache : int or None
        OPT's cache h there.
    claim, limit : Fraction, float or None
        The bound's value there, with errors what it allows over OPT, and the ratio the construction forces in
        the limit.
    online, offline : number or None
        Cost there (faults, or what they cost with weights); ``offline`` is ``offline_is``.
    offline_is : str
        ``OPT`` (farthest-in-future) or ``construction's schedule`` (an upper bound on OPT).
    measure : str
        ``counted``, ``exact expectation`` or ``sampled``.
    on : str
        The input of the shown run.
    runs : int
        Number of runs judged.
    half_width : float
        Half the width of the confidence interval of a sampled ``online``, at level :data:`LEVEL`.
    """

    bound: Bound
    policy: str
    outcome: Ruling
    on: str = ""
    instance: LayeredInstance | None = None
    opt_cache: int | None = None
    claim: Fraction | float | None = None
    limit: Fraction | float | None = None
    online: Number | None = None
    offline: int | Fraction | None = None
    offline_is: str = "OPT"
    measure: str = "counted"
    runs: int = 0
    half_width: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The observed ratio of the shown run."""
        if self.online is None or self.offline is None:
            return None
        return float(self.online) / float(self.offline) if self.offline else inf

    @property
    def good(self) -> bool:
        """Whether nothing speaks against the bound."""
        return self.outcome not in ("not reached", "violated")

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {"verdict": self.outcome, "bound": Formula(self.bound.value)}
        if self.instance is not None:
            facts |= {
                "on": f"{self.on} ({self.instance})",
                "value there": self.claim,
                "forced in the limit": self.limit,
                "faults": self.online,
                self.offline_is: self.offline,
                "ratio, observed": self.ratio,
                "runs": self.runs,
            }
        return facts_table(f"{self.bound.id} for {self.policy}: {self.bound.statement}", facts)


def check_upper(
    bound: Bound,
    policy: str,
    cases: Iterable[Case],
    *,
    seed: int = 0,
    directory: Path = Path(),
) -> Judgement:
    """Compare runs with an upper bound: online ≤ value·OPT + additive on each, in rational arithmetic.

    Cases of which the bound does not speak are skipped; where it speaks of none, so says the outcome. With an
    unknown additive constant a run above value·OPT proves nothing; the outcome is then ``open``.

    Raises
    ------
    BoundViolationError
        A run contradicts the bound; the counterexample is saved in ``directory``.
    """
    if bound.kind == "lower" or not speaks_of(bound, policy):
        return Judgement(bound, policy, "does not speak here")
    worst: Judgement | None = None
    given, judged, above = 0, 0, False
    for case in cases:
        given += 1
        instance = case.sequence.instance
        if bound.excluded(instance, case.opt_cache, "upper") is not None:
            continue
        judged += 1
        claim = bound.at(instance, case.opt_cache)
        cost = online_cost(policy, case.sequence, seed=seed, opt_cache=case.opt_cache)
        paid = optimum(case.sequence, case.opt_cache)
        beside = bound.beside(instance, paid, case.errors) if bound.errors else Fraction(0)
        additive = bound.additive_at(instance, case.opt_cache)
        if cost.at_least > Fraction(claim) * paid + beside + (additive or 0) + Fraction(cost.allowed):
            if additive is not None:
                path = save_counterexample(bound, policy, case, cost, paid, seed, directory)
                told = f" + {beside} for {case.errors}" if bound.errors else ""
                raise BoundViolationError(
                    f"bound {bound.id} is violated by {policy} on {case.label}: "
                    f"{cost.value} > {claim}·{paid}{told} + {additive}",
                    path,
                )
            above = True
        label = case.label
        if bound.errors and paid:
            claim, label = claim + beside / paid, f"{label}: {case.errors}"
        verdict = Judgement(
            bound, policy, "holds", label, instance, case.opt_cache, claim, None, cost.value, paid,
            "OPT", cost.measure, half_width=cost.half_width,
        )  # fmt: skip
        if worst is None or _tightness(verdict) > _tightness(worst):
            worst = verdict
    if worst is None:
        return Judgement(bound, policy, "does not speak here" if given else "not checked")
    return _with(worst, outcome="open" if above else "holds", runs=judged)


def _tightness(verdict: Judgement) -> tuple[float, float]:
    """How much of the claimed ratio a run uses, to a percent; among equals the larger claim says more."""
    claim = float(verdict.claim or 1)
    return round((verdict.ratio or 0.0) / claim, 2), claim


def _with(verdict: Judgement, **changes: object) -> Judgement:
    return Judgement(**{**vars(verdict), **changes})


def check_lower(bound: Bound, policy: str, built: Construction, *, seed: int = 0) -> Judgement:
    """Judge a lower bound on a construction: promise kept, and its limit at least the value.

    A promise in expectation is judged by its exact limit; the sampled run must not contradict it.

    Raises
    ------
    BrokenPromiseError, InfeasibleScheduleError
        The construction does not do what it promises.
    """
    run = built.run(policy, seed=seed)
    built.check(run)
    instance = built.sequence.instance
    opt_cache = built.offline.sequence.instance.cache
    foreign = bound.kind == "upper" or not bound.subject.includes(get_policy(policy))
    if foreign or bound.excluded(instance, opt_cache, "lower") is not None:
        return Judgement(bound, policy, "does not speak here")
    claim, limit = bound.at(instance, opt_cache), built.limit
    cost = Cost(run.faults, "counted")
    if run.seed is not None:
        cost = online_cost(policy, built.sequence, seed=seed)
    reached = limit >= claim and not (built.promise.in_expectation and _contradicted(built, cost))
    label = f"{built.id}, {len(built.sequence):,} requests"
    return Judgement(
        bound, policy, "reached" if reached else "not reached", label,
        instance, opt_cache, claim, limit, cost.value, built.offline.faults, "construction's schedule",
        cost.measure, 1, cost.half_width,
    )  # fmt: skip


def _contradicted(built: Construction, cost: Cost) -> bool:
    """Whether a run pays far less than the limit times what offline pays after its start (six deviations)."""
    periods = max(0, built.offline.faults - int(built.value(built.promise.start)))
    promised = float(built.limit) * periods
    return float(cost.value) + cost.half_width < promised - 6 * float(np.sqrt(promised))


GRID = (
    LayeredInstance(1, 4, 3),
    LayeredInstance(1, 6, 4),
    LayeredInstance(1, 12, 6),
    LayeredInstance(1, 23, 11),
    LayeredInstance(2, 2, 3),
    LayeredInstance(2, 4, 4),
    LayeredInstance(2, 4, 7),
    LayeredInstance(3, 3, 3),
    LayeredInstance(3, 3, 4),
    LayeredInstance(3, 3, 5),
    LayeredInstance(3, 4, 8),
    LayeredInstance(4, 4, 11),
    LayeredInstance(4, 2, 2),
)
"""Instances (ℓ, n, k) on which constructions and bounds are judged."""

ROOMY = (LayeredInstance(1, 4, 4), LayeredInstance(2, 3, 7))
"""Instances whose pages all fit, for bounds that speak of nothing else."""

ATOMIC = (
    LayeredInstance(1, 5, 4, per_visit=2, visits="atomic"),
    LayeredInstance(2, 4, 5, per_visit=2, visits="atomic"),
    LayeredInstance(2, 4, 6, per_visit=2, visits="atomic"),
)
"""Instances for bounds that speak of nothing but atomic visits."""

BYPASSING = (
    LayeredInstance(1, 3, 2, bypassing=True),
    LayeredInstance(1, 5, 4, per_visit=2, bypassing=True),
    LayeredInstance(2, 4, 5, bypassing=True),
)
"""Instances for bounds that speak of nothing but bypassing."""

ELSEWHERE = (LayeredInstance(1, 6, 5, per_visit=3), LayeredInstance(2, (2, 3), 2))
"""Instances for bounds that speak neither of the grid nor of their constructions' own instances.

The last is for policies that solve a game first, and so serve few pages."""

WEIGHTED = (
    LayeredInstance(1, 4, 3, weights=exact_weights((1, 2, 4, 8))),
    LayeredInstance(1, 6, 4, weights=exact_weights(("1/3", 1, 1, 5, 5, 25))),
    LayeredInstance(2, 4, 4, weights=exact_weights((1,) * 4 + (4,) * 4)),
    LayeredInstance(3, 3, 5, weights=exact_weights((1, "1/4", "1/4") * 3)),
)
"""Instances on which bounds for any weights are judged besides: per page, per layer and two precisions."""

WORKLOADS_FOR_UPPER = ("uniform", "zipf:alpha=1.2", "sticky:p=0.6")

PREDICTORS_FOR_UPPER: dict[Kind, tuple[str, ...]] = {
    "discard": ("discard", "discard:p0=0.2,p1=0.2", "discard:p0=1", "discard:p0=1,p1=1"),
    "phase": ("phase", "phase:p0=0.2,p1=0.2", "phase:p0=1", "phase:p0=1,p1=1"),
    "next-arrival": ("next-arrival", "next-arrival:width=5", "next-arrival:sigma=1", "frequency"),
}
"""Predictions on which bounds are judged, by what is predicted."""


def upper_cases(
    policy: str,
    *,
    rounds: int,
    seed: int,
    smaller_opt: bool = False,
    grid: tuple[LayeredInstance, ...] = GRID,
) -> Iterator[Case]:
    """Yield the inputs for upper bounds: every construction that fits, and random workloads, on the grid."""
    for instance in grid:
        caches = range(1, instance.cache + 1) if smaller_opt else (instance.cache,)
        kind = None if policy in ALGORITHMS else get_policy(policy).predictions
        inputs = _inputs(instance, policy, rounds, seed)
        if kind is not None:
            inputs += _told(instance, kind, rounds, seed)
        for label, sequence in inputs:
            for opt_cache in caches:
                yield Case(label, sequence, opt_cache)


@cache
def _inputs(
    instance: LayeredInstance, policy: str, rounds: int, seed: int
) -> tuple[tuple[str, RequestSequence], ...]:
    """Return labelled inputs; many bounds are judged on the same ones."""
    if instance.weights is not None:
        unit = _inputs(instance.with_weights(None), policy, rounds, seed)
        return tuple((label, sequence.with_weights(instance.weights)) for label, sequence in unit)
    # An algorithm that is no policy has no cache to play against: it gets what is hard for LRU.
    against = BASELINE if policy in ALGORITHMS else policy
    built = ((id, _built(id, instance, against, rounds, seed)) for id in constructions())
    kind = None if policy in ALGORITHMS else get_policy(policy).predictions
    covering = ((id, made.sequence) for id, made in built if made is not None and made.sequence.kind == kind)
    drawn = WORKLOADS_FOR_UPPER if kind is None else ()
    return (*covering, *((spec, _drawn(spec, instance, rounds, seed)) for spec in drawn))


@cache
def _told(
    instance: LayeredInstance, kind: Kind, rounds: int, seed: int
) -> tuple[tuple[str, RequestSequence], ...]:
    """Return labelled inputs with predictions: true ones, some that are wrong, and all of them wrong."""
    return tuple(
        (f"{spec}, {predictor}", predict(_drawn(spec, instance, rounds, seed), predictor, seed=seed))
        for spec, predictor in zip(cycle(WORKLOADS_FOR_UPPER), PREDICTORS_FOR_UPPER[kind], strict=False)
    )


@cache
def _drawn(spec: str, instance: LayeredInstance, rounds: int, seed: int) -> RequestSequence:
    return generate(spec, instance, rounds=rounds, seed=seed)


def _built(
    id: str,
    instance: LayeredInstance,
    policy: str,
    rounds: int,
    seed: int,
    options: tuple[tuple[str, int], ...] = (),
) -> Construction | None:
    """Return a construction, or None where it does not cover this instance or policy.

    It is built once; where it takes no notice of the policy, once for all of them.
    """
    return _build(
        id, instance, policy if get_construction(id).against_policy else None, rounds, seed, options
    )


@cache
def _build(
    id: str,
    instance: LayeredInstance,
    policy: str | None,
    rounds: int,
    seed: int,
    options: tuple[tuple[str, int], ...],
) -> Construction | None:
    try:
        return get_construction(id)(instance, rounds=rounds, policy=policy, seed=seed, **dict(options))
    except (ModelError, UnsupportedModelError):
        return None  # the conditions of the construction or of the policy are narrower than the grid


def lower_constructions(bound: Bound, policy: str, *, rounds: int, seed: int) -> Iterator[Construction]:
    """Yield the bound's constructions where both apply: on the grid, or else on one other instance."""

    def on(found: Adversary, instance: LayeredInstance) -> Iterator[Construction]:
        options: list[tuple[tuple[str, int], ...]] = [()]
        if bound.against_fewer and found.smaller_opt:
            options = [(("opt_cache", (instance.cache + 1) // 2),)]
        if "bit" in found.options:  # what is forced by wrong bits 0, and by wrong bits 1
            options = [(("bit", 0),), (("bit", 1),)]
        if bound.excluded(instance, half="lower") is None:
            made = (_built(found.id, instance, policy, rounds, seed, given) for given in options)
            yield from filter(None, made)

    for found in map(get_construction, bound.constructions):
        on_grid = [built for instance in GRID for built in on(found, instance)]
        own = (list(on(found, instance)) for instance in (found.demo, *ELSEWHERE))
        yield from on_grid or next(filter(None, own), [])


def judge(
    bound: Bound, policy: str, *, rounds: int = 600, seed: int = 0, directory: Path = Path()
) -> Judgement:
    """Return the verdict on a bound for a policy over the grid of small instances.

    Parameters
    ----------
    bound : Bound
    policy : str
        One of ``bound.policies``, or any other policy the bound speaks about.
    rounds : int, default 600
        Length of every input in rounds.
    seed : int, default 0
        For random constructions, workloads and randomised policies.
    directory : Path
        Where a counterexample would be saved.
    """
    upper = lower = None
    if bound.kind in ("upper", "tight"):
        grid: tuple[LayeredInstance, ...] = next(
            (
                grid
                for grid in (GRID, ROOMY, ATOMIC, BYPASSING)
                if any(bound.excluded(i, half="upper") is None for i in grid)
            ),
            GRID,
        )
        grid += WEIGHTED if bound.range.cost == "any" else ()
        cases = upper_cases(policy, rounds=rounds, seed=seed, smaller_opt=bound.against_fewer, grid=grid)
        upper = check_upper(bound, policy, cases, seed=seed, directory=directory)
    if bound.kind in ("lower", "tight"):
        lower = _judge_lower(bound, policy, rounds=rounds, seed=seed)
    if upper is None or lower is None:
        return upper or lower or Judgement(bound, policy, "not checked")
    if upper.outcome == "holds" and lower.outcome == "reached":
        return _with(lower, outcome="holds and reached", runs=upper.runs + lower.runs)
    return upper if lower.outcome == "reached" else lower


def _judge_lower(bound: Bound, policy: str, *, rounds: int, seed: int) -> Judgement:
    verdicts = [
        check_lower(bound, policy, built, seed=seed)
        for built in lower_constructions(bound, policy, rounds=rounds, seed=seed)
    ]
    if not verdicts:
        return Judgement(bound, policy, "does not speak here")
    failed = next((verdict for verdict in verdicts if verdict.outcome != "reached"), None)
    shown = failed or max(verdicts, key=lambda verdict: (verdict.claim or 0, verdict.ratio or 0))
    return _with(shown, runs=len(verdicts))


def pairs() -> list[tuple[Bound, str]]:
    """Return every bound with every policy or algorithm it names; with ``""`` where it names none."""
    return [
        (bound, policy)
        for bound in BOUNDS.values()
        for policy in bound.policies or (bound.subject.algorithm,)
    ]


def verdict_on(
    bound: Bound, policy: str, *, rounds: int = 600, seed: int = 0, directory: Path = Path()
) -> Judgement:
    """Judge as :func:`judge` does, but return what went against the bound as a verdict instead of raising."""
    if not policy:
        return Judgement(bound, "–", "not checked")
    try:
        return judge(bound, policy, rounds=rounds, seed=seed, directory=directory)
    except BoundViolationError as violation:
        return Judgement(bound, policy, "violated", f"{violation.what}; see {violation.path.name}")
    except BrokenPromiseError as broken:
        return Judgement(bound, policy, "not reached", str(broken))


@dataclass(frozen=True)
class GrowthPoint:
    """Online and offline cost of a construction after so many requests."""

    requests: int
    online: int
    offline: int

    @property
    def ratio(self) -> float:
        """Observed ratio."""
        return self.online / self.offline if self.offline else inf


def growth(built: Construction, policy: str, *, seed: int = 0, points: int = 40) -> list[GrowthPoint]:
    """Return the observed ratio against growing sequence length, at logarithmically spaced lengths."""
    online = built.run(policy, seed=seed).fault_counts
    offline = built.offline.fault_counts
    length = len(built.sequence)
    cuts = np.unique(np.geomspace(min(built.sequence.instance.cache, length), length, points).astype(int))
    return [GrowthPoint(int(t), int(online[t - 1]), int(offline[t - 1])) for t in cuts if t > 0]
