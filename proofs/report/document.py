"""The numbers of the report: verdicts, growth of the constructions, studies, claims, provenance.

Everything shown anywhere (HTML, CSV, figures, terminal) is read from the one document made here.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from paging.bibliography import cite
from paging.errors import LayeredPagingError, UnknownNameError
from paging.model import LayeredInstance
from paging.numbers import jsonable
from paging.parallel import Pool, cores, each
from paging.policy import get_policy
from paging.signals import UNWATCHED, Watch
from proofs.bounds.bound import Bound, describe
from proofs.bounds.measuring import ALGORITHMS, LEVEL
from proofs.bounds.registry import BOUNDS
from proofs.bounds.verdicts import Judgement, pairs, verdict_on
from proofs.ratio.competitive import competitive_ratio
from proofs.ratio.distributions import PROCESSES
from proofs.report.claims import CLAIMS, SAID_BY, TOLERANCE, judge_claims
from proofs.report.errors import told_studies
from proofs.report.folder import SCHEMA
from proofs.report.growth import grow, growth_jobs, panels_of, sharing_of
from proofs.report.studies import SYNTHETIC, StudySource, Synthetic, read_source, study
from proofs.report.weights import weights_study

PACKAGES = (
    *("layered-paging", "numpy", "scipy", "numba", "sympy", "networkx", "pulp"),
    *("matplotlib", "jinja2", "click", "rich"),
)

EXACT_PAGES = 12
"""Most pages of an instance whose product graphs are searched; those of the larger ones have no end here."""

Stage = Callable[[str], AbstractContextManager[Watch]]
"""Opens a progress bar for a named stage of the work."""


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    seed : int
        Seed of everything random.
    verdict_rounds : int
        Length of the inputs on which bounds are judged, in rounds.
    growth_requests : int
        Length of the constructions whose growth is shown, in requests.
    workload_rounds : int
        Length of the synthetic workloads.
    points : int
        Cache sizes per study.
    runs : int
        Sampled runs of randomised policies in a study.
    synthetic : tuple of Synthetic
        The synthetic workloads.
    told : int, optional
        How many of them predictions are told about; default all.
    exact_states, exact_weights : int
        Largest product graph that is searched for the exact ratio beside an observed one, of a deterministic
        policy and of a randomised one, whose states cost many times as much; 0 searches none.
    solver_states : int
        Largest game that ``discard-optimal`` solves to be judged; where it is larger, nothing is judged.
    weighted_requests : int
        Length of the sequences in the section on weights.
    quick : bool
        Whether these are reduced settings.
    """

    seed: int = 0
    verdict_rounds: int = 600
    growth_requests: int = 20_000
    workload_rounds: int = 4000
    points: int = 12
    runs: int = 10
    synthetic: tuple[Synthetic, ...] = SYNTHETIC
    told: int | None = None
    exact_states: int = 20_000
    exact_weights: int = 5_000
    solver_states: int = 50_000
    weighted_requests: int = 8_000
    quick: bool = False

    @classmethod
    def reduced(cls, seed: int = 0) -> Settings:
        """Return the settings of ``--quick``: bounds and constructions on shorter inputs, no exact ratios.

        There are fewer studies; those there are keep their lengths and cache sizes, because the published
        numbers are judged on them.
        """
        return cls(
            seed, verdict_rounds=40, growth_requests=1000, runs=2, synthetic=SYNTHETIC[:2], told=1,
            exact_states=0, exact_weights=0, solver_states=8_000, weighted_requests=1600, quick=True,
        )  # fmt: skip


def silent(_label: str) -> AbstractContextManager[Watch]:
    """Show no progress."""
    return nullcontext(UNWATCHED)


def compute(
    settings: Settings,
    traces: Sequence[StudySource] = (),
    *,
    directory: Path,
    stage: Stage = silent,
    pool: Pool | None = None,
    judged: Sequence[tuple[Bound, str]] | None = None,
) -> dict[str, Any]:
    """Compute everything the report shows, as plain data.

    Parameters
    ----------
    settings : Settings
    traces : sequence of StudySource
        Routing traces beside the synthetic workloads.
    directory : Path
        Where counterexamples to bounds are saved, should there be any.
    stage : callable
        Opens a progress bar.
    pool : Pool, optional
        Where bounds and constructions are computed; default in this process. The numbers do not depend on
        it.
    judged : sequence of (Bound, str), optional
        Which bounds are judged for which policies; default all (:func:`proofs.bounds.verdicts.pairs`).

    Returns
    -------
    dict
        The document of report.json without the ``environment``: equal for equal settings and traces. As in
        JSON, an exact number is text (:mod:`paging.numbers`).
    """
    with stage("judging bounds") as watch:
        rows = _verdicts(settings, pairs() if judged is None else judged, directory, pool, watch)
    with stage("exact ratios") as watch:
        _add_exact(settings, rows, pool, watch)
    with stage("growing constructions") as watch:
        grown = list(each(pool, grow, list(growth_jobs(settings.growth_requests, settings.seed)), watch))
    studies = list(_studies(settings, traces, stage))
    with stage("telling predictions") as watch:
        told = told_studies(
            _told_about(settings, traces), runs=settings.runs, seed=settings.seed, quick=settings.quick,
            pool=pool, watch=watch,
        )  # fmt: skip
    with stage("weighted paging") as watch:
        weights = weights_study(settings.weighted_requests, settings.seed, traces, pool, watch)
    found = {
        "schema": SCHEMA,
        "model": LayeredInstance(1, 1, 1).model,
        "bounds": _summaries(rows),
        "verdicts": rows,
        "growth": panels_of(grown),
        "studies": studies,
        "predictions": told,
        "weights": weights,
        "claims": judge_claims(studies),
        "claims_said_by": SAID_BY,
        "claims_tolerance": TOLERANCE,
        "provenance": _provenance(settings, traces),
    }
    document: dict[str, Any] = jsonable(found)
    return document


def repeat(
    claim: str, settings: Settings, traces: Callable[[], Sequence[StudySource]], watch: Watch = UNWATCHED
) -> tuple[str, list[Row]]:
    """Compute one claim of the report again.

    Parameters
    ----------
    claim : str
        The id of a bound, or of a published number.
    settings : Settings
    traces : callable
        Reads the traces; a bound needs none.
    watch : Watch

    Returns
    -------
    str, list
        ``"bound"`` with a verdict for each policy, or ``"published"`` with a row for each reading and source.

    Raises
    ------
    UnknownNameError
        There is no such claim.
    """
    published = [one.id for one in CLAIMS]
    if claim in BOUNDS:
        judged = [(bound, policy) for bound, policy in pairs() if bound.id == claim]
        with TemporaryDirectory() as folder:
            rows = _verdicts(settings, judged, Path(folder), None, watch)
            _add_exact(settings, rows, None, UNWATCHED)
        kind = "bound"
    elif claim in published:
        measured = {"points": settings.points, "runs": settings.runs, "seed": settings.seed}
        studies = [study(source, **measured, watch=watch) for source in (*_workloads(settings), *traces())]
        rows = [row for row in judge_claims(studies) if row["claim"] == claim]
        kind = "published"
    else:
        raise UnknownNameError("claim", claim, [*BOUNDS, *published])
    plain: list[Row] = jsonable(rows)
    return kind, plain


def _told_about(settings: Settings, traces: Sequence[StudySource]) -> list[StudySource]:
    """Return what predictions are told about: every source, and the package's own trace if none is given."""
    own = [] if traces or not settings.synthetic else [read_source("sample:tiny-mixtral")]
    return [*_workloads(settings)[: settings.told], *traces, *own]


def _workloads(settings: Settings) -> list[StudySource]:
    return [source.draw(settings.workload_rounds, settings.seed) for source in settings.synthetic]


def _studies(settings: Settings, traces: Sequence[StudySource], stage: Stage) -> Iterator[dict[str, Any]]:
    """Serve the synthetic workloads, then the traces."""
    for source in (*_workloads(settings), *traces):
        with stage(f"serving {source.id}") as watch:
            yield study(source, points=settings.points, runs=settings.runs, seed=settings.seed, watch=watch)


Judging = tuple[str, tuple[str, ...], int, int, Path]
"""A policy, the ids of the bounds it is held against, rounds, seed, directory."""

SOLVER = "discard-optimal"
"""The policy that solves a game for every instance."""

Row = dict[str, Any]


def _verdicts(
    settings: Settings, judged: Sequence[tuple[Bound, str]], directory: Path, pool: Pool | None, watch: Watch
) -> list[Row]:
    """Judge bounds, policy by policy: the inputs of a policy are made once for all of its bounds."""
    of: dict[str, list[str]] = {}
    for bound, policy in judged:
        of.setdefault(policy, []).append(bound.id)
    # What takes longest begins first: a game to be solved, then costs that are sampled or expected over.
    order = sorted(of, key=lambda policy: (policy != SOLVER, not _randomized(policy), -len(of[policy])))
    limited = {SOLVER: f"{SOLVER}:max_states={settings.solver_states}"}
    jobs: list[Judging] = [
        (limited.get(policy, policy), tuple(of[policy]), settings.verdict_rounds, settings.seed, directory)
        for policy in order
    ]
    found = {
        (row["bound"], policy): {**row, "policy": policy or row["policy"]}
        for policy, rows in zip(order, each(pool, _judge_policy, jobs, watch), strict=True)
        for row in rows
    }
    return [found[bound.id, policy] for bound, policy in judged]


def _randomized(policy: str) -> bool:
    return bool(policy) and policy not in ALGORITHMS and get_policy(policy).randomized


def _judge_policy(job: Judging) -> list[Row]:
    policy, bounds, rounds, seed, directory = job
    return [
        _verdict_row(verdict_on(BOUNDS[id], policy, rounds=rounds, seed=seed, directory=directory))
        for id in bounds
    ]


Case = tuple[str, LayeredInstance, int | None]
"""A policy, the instance on which it was seen, and OPT's cache."""


def _add_exact(settings: Settings, rows: Sequence[Row], pool: Pool | None, watch: Watch) -> None:
    """Set the exact ratio beside each observed one, each searched once."""
    cases = [None if row["k"] is None or row["policy"] in ALGORITHMS else _case(row) for row in rows]
    jobs = [
        (*case, states)
        for case in dict.fromkeys(filter(None, cases))
        if (states := settings.exact_weights if _randomized(case[0]) else settings.exact_states)
    ]
    exact = {job[:3]: value for job, value in zip(jobs, each(pool, exact_value, jobs, watch), strict=True)}
    for row, case in zip(rows, cases, strict=True):
        row["exact"] = case and exact.get(case)


def _case(row: Row) -> Case:
    visits, bypassing = row.get("visits", "sequential"), row.get("service") == "bypassing"
    instance = LayeredInstance(row["layers"], row["pages"], row["k"], row.get("g", 1), visits, bypassing)
    return row["policy"], instance.with_weights(row.get("weights")), row["h"]


def _verdict_row(verdict: Judgement) -> dict[str, Any]:
    instance = verdict.instance
    row: dict[str, Any] = {
        "bound": verdict.bound.id,
        "policy": verdict.policy,
        "verdict": verdict.outcome,
        "why": _why(verdict),
        "on": verdict.on,
        "layers": instance and instance.layers,
        "pages": instance and instance.pages,
        "k": instance and instance.cache,
        "h": verdict.opt_cache,
        "claim": verdict.claim,
        "limit": verdict.limit,
        "online": verdict.online,
        "offline": verdict.offline,
        "offline_is": verdict.offline_is,
        "ratio": verdict.ratio,
        "exact": None,
        "measure": verdict.measure,
        **_weights_of(instance),
        **_variant_of(instance),
        "sharing": sharing_of(verdict.policy) if verdict.bound.policies else "–",
        "runs": verdict.runs,
    }
    if verdict.measure == "sampled":
        row |= {"half_width": verdict.half_width, "confidence": LEVEL}
    return row


def _variant_of(instance: LayeredInstance | None) -> dict[str, Any]:
    """Return the visits and the service of an instance as a row states them; nothing where they are usual."""
    variant: dict[str, Any] = {}
    if instance is not None and (instance.per_visit, instance.visits) != (1, "sequential"):
        variant |= {"g": instance.per_visit, "visits": instance.visits}
    if instance is not None and instance.bypassing:
        variant["service"] = instance.service
    return variant


def _weights_of(instance: LayeredInstance | None) -> dict[str, Any]:
    """Return the weights of an instance as a row states them; nothing at unit cost."""
    return {} if instance is None or instance.weights is None else {"weights": instance.weights.plain}


def exact_value(job: tuple[str, LayeredInstance, int | None, int]) -> Fraction | float | None:
    """Return a policy's exact competitive ratio where its product graph is small enough, else None."""
    policy, instance, opt_cache, states = job
    if not _ends(policy, instance):
        return None
    try:
        return competitive_ratio(policy, instance, opt_cache=opt_cache, max_states=states).ratio
    except LayeredPagingError:
        return None  # a variant of the model that has no such graph


def _ends(policy: str, instance: LayeredInstance) -> bool:
    """Say whether a search may come to an end: it goes on longest where it finds nothing.

    The distributions of a policy that is no label process never close.
    """
    if instance.total_pages > EXACT_PAGES:
        return False
    return not _randomized(policy) or policy in PROCESSES


def _why(verdict: Judgement) -> str:
    """Say why a bound was not checked, or what a verdict lacks."""
    if verdict.outcome == "not checked":
        return verdict.bound.evidence
    if verdict.outcome == "does not speak here":
        return "no small instance meets its conditions"
    if verdict.outcome == "open":
        return "a run above value·OPT; the additive constant is not known"
    return ""


SEVERITY = (
    "violated", "not reached", "open", "not checked", "does not speak here", "holds", "reached",
    "holds and reached",
)  # fmt: skip
"""Outcomes, the gravest first."""

UNJUDGED = ("not checked", "does not speak here")
"""Outcomes that are no verdict."""


def _summaries(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    judged = {row["bound"] for row in verdicts}
    return [_summary(describe(bound), verdicts) for bound in BOUNDS.values() if bound.id in judged]


def _summary(facts: dict[str, object], verdicts: list[dict[str, Any]]) -> dict[str, Any]:
    """Add to a bound its gravest verdict and the run that shows it best."""
    rows = [row for row in verdicts if row["bound"] == facts["id"]]
    gravest = min((row["verdict"] for row in rows), key=SEVERITY.index)
    shown = next(row for row in rows if row["verdict"] == gravest)
    bound = BOUNDS[str(facts["id"])]
    return {
        **facts,
        "cited": f"{cite(bound.source)}: {bound.locator}",
        "verdict": gravest,
        "why": shown["why"],
        "checked_for": [row["policy"] for row in rows if row["verdict"] not in UNJUDGED],
        "runs": sum(row["runs"] for row in rows),
        "shown": shown,
    }


def _provenance(settings: Settings, traces: Sequence[StudySource]) -> dict[str, Any]:
    chosen = {key: value for key, value in asdict(settings).items() if key != "synthetic"}
    return {
        "seed": settings.seed,
        "settings": {**chosen, "synthetic": [source.spec for source in settings.synthetic]},
        "traces": [{"id": source.id, "requests": len(source.sequence), **source.facts} for source in traces],
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def environment(command: str, seconds: float) -> dict[str, Any]:
    """Return what differs from run to run and from machine to machine, apart from every number."""
    return {
        "command": command,
        "finished": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": cores(),
        "implementation": sys.implementation.name,
    }
