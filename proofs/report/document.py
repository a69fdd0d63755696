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
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sympy.printing.latex import LatexPrinter

from adversary import Construction, constructions, get_construction
from paging.bibliography import cite
from paging.errors import LayeredPagingError
from paging.model import LayeredInstance
from paging.numbers import jsonable
from paging.parallel import Pool, cores, each
from paging.policy import get_policy
from paging.signals import UNWATCHED, Watch
from proofs.bounds.registry import BOUNDS, describe
from proofs.bounds.verdicts import LEVEL, Verdict, growth, pairs, verdict_on
from proofs.ratio.competitive import competitive_ratio
from proofs.report.claims import SAID_BY, TOLERANCE, judge_claims
from proofs.report.studies import SYNTHETIC, Source, Synthetic, study

EXACT_STATES = 20_000
"""Largest product graph that is searched for the exact ratio beside an observed one."""

SCHEMA = "layered-paging report 1"
"""First entry of every report.json; a folder with it may be replaced by a new report."""

PACKAGES = (
    *("layered-paging", "numpy", "scipy", "numba", "sympy", "networkx", "pulp"),
    *("matplotlib", "jinja2", "click", "rich"),
)

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
    quick: bool = False

    @classmethod
    def reduced(cls, seed: int = 0) -> Settings:
        """Return the settings of ``--quick``: shorter inputs, fewer cache sizes, the same contents."""
        return cls(seed, 200, 5000, 1000, 6, 4, SYNTHETIC[:3], True)


def silent(label: str) -> AbstractContextManager[Watch]:
    """Show no progress."""
    return nullcontext(UNWATCHED)


def compute(
    settings: Settings,
    traces: Sequence[Source] = (),
    *,
    directory: Path,
    stage: Stage = silent,
    pool: Pool | None = None,
) -> dict[str, Any]:
    """Compute everything the report shows, as plain data.

    Parameters
    ----------
    settings : Settings
    traces : sequence of Source
        Routing traces beside the synthetic workloads.
    directory : Path
        Where counterexamples to bounds are saved, should there be any.
    stage : callable
        Opens a progress bar.
    pool : Pool, optional
        Where bounds and constructions are computed; default in this process. The numbers do not depend on
        it.

    Returns
    -------
    dict
        The document of report.json without the ``environment``: equal for equal settings and traces. As in
        JSON, exact fractions are text ``"p/q"`` and infinity is ``"inf"``.
    """
    with stage("judging bounds") as watch:
        judging = [(b.id, p, settings.verdict_rounds, settings.seed, directory) for b, p in pairs()]
        verdicts = list(each(pool, _verdict, judging, watch))
    with stage("growing constructions") as watch:
        grown = list(each(pool, _grow, list(_growth_jobs(settings)), watch))
    studies = []
    sources = [s.draw(settings.workload_rounds, settings.seed) for s in settings.synthetic]
    for source in (*sources, *traces):
        with stage(f"serving {source.id}") as watch:
            studies.append(
                study(source, points=settings.points, runs=settings.runs, seed=settings.seed, watch=watch)
            )
    found = {
        "schema": SCHEMA,
        "model": LayeredInstance(1, 1, 1).model,
        "bounds": [_summary(describe(bound), verdicts) for bound in BOUNDS.values()],
        "verdicts": verdicts,
        "growth": _panels(grown),
        "studies": studies,
        "claims": judge_claims(studies),
        "claims_said_by": SAID_BY,
        "claims_tolerance": TOLERANCE,
        "provenance": _provenance(settings, traces),
    }
    document: dict[str, Any] = jsonable(found)
    return document


def _verdict(job: tuple[str, str, int, int, Path]) -> dict[str, Any]:
    bound, policy, rounds, seed, directory = job
    verdict = verdict_on(BOUNDS[bound], policy, rounds=rounds, seed=seed, directory=directory)
    return _verdict_row(verdict)


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
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
        "exact": instance and exact_value(verdict.policy, instance, verdict.opt_cache),
        "measure": verdict.measure,
        "sharing": _sharing(verdict.policy),
        "runs": verdict.runs,
    }
    if verdict.measure == "sampled":
        row |= {"half_width": verdict.half_width, "confidence": LEVEL}
    return row


@lru_cache(maxsize=1024)
def exact_value(policy: str, instance: LayeredInstance, opt_cache: int | None) -> Fraction | float | None:
    """Return a policy's exact competitive ratio where its product graph is small, else None."""
    try:
        return competitive_ratio(policy, instance, opt_cache=opt_cache, max_states=EXACT_STATES).ratio
    except LayeredPagingError:
        return None  # a variant of the model that has no such graph


def _why(verdict: Verdict) -> str:
    """Say why a bound was not checked, or what a verdict lacks."""
    if verdict.outcome == "not checked":
        missing = not verdict.bound.policies
        return verdict.bound.evidence if missing else "no small instance meets its conditions"
    if verdict.outcome == "open":
        return "a run above value·OPT; the additive constant is not known"
    return ""


def _sharing(policy: str) -> str:
    return "per-layer" if get_policy(policy).per_layer else "shared"


SEVERITY = ("violated", "not reached", "open", "not checked", "holds", "reached", "holds and reached")
"""Outcomes, the gravest first."""


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
        "checked_for": [row["policy"] for row in rows if row["verdict"] != "not checked"],
        "runs": sum(row["runs"] for row in rows),
        "shown": shown,
    }


def growth_panels(settings: Settings) -> list[dict[str, Any]]:
    """Return the growth of every construction as the document of the report holds it."""
    panels: list[dict[str, Any]] = jsonable(_panels([_grow(job) for job in _growth_jobs(settings)]))
    return panels


def _growth_jobs(settings: Settings) -> Iterator[tuple[str, str, dict[str, Any], int, int]]:
    """Every construction on its demonstration instance for its victims; with h < k too where it can."""
    for found in constructions().values():
        variants: list[dict[str, Any]] = [{}]
        if found.smaller_opt:
            variants.append({"opt_cache": (found.demo.cache + 1) // 2})
        rounds = max(1, settings.growth_requests // found.demo.layers)
        for options in variants:
            for policy in found.victims:
                yield found.id, policy, options, rounds, settings.seed


def _grow(job: tuple[str, str, dict[str, Any], int, int]) -> dict[str, Any]:
    id, policy, options, rounds, seed = job
    found = get_construction(id)
    built = found(rounds=rounds, policy=policy, seed=seed, **options)
    built.offline.check()
    instance = built.sequence.instance
    randomized = get_policy(policy).randomized
    return {
        "construction": id,
        "title": found.title,
        "bound": built.bound,
        "kind": found.kind,
        "policy": policy,
        "sharing": _sharing(policy),
        "layers": instance.layers,
        "pages": instance.pages,
        "k": instance.cache,
        "h": built.offline.sequence.instance.cache,
        "seed": seed if randomized or built.seed is not None else None,
        "measure": "one sampled run" if randomized else "counted",
        "offline_is": "construction's schedule",
        "limit": built.limit,
        "limit_form": _limit_form(built),
        "promise": _promise(built),
        "points": _points(built, policy, seed),
    }


def _limit_form(built: Construction) -> str | None:
    """The closed form of the limit for display as mathematics, where it has symbols."""
    form = built.promise.limit
    if built.promise.in_expectation or not getattr(form, "free_symbols", None):
        return None
    return str(_FieldLatex().doprint(form))


class _FieldLatex(LatexPrinter):  # type: ignore[misc]
    """Prints sums as the field writes them: positive symbols first, numbers last."""

    def _as_ordered_terms(self, expr: Any, order: object = None) -> list[Any]:  # noqa: ARG002
        return sorted(expr.args, key=lambda t: (t.is_number, t.could_extract_minus_sign(), str(t)))


def _promise(built: Construction) -> dict[str, Any]:
    promise = built.promise
    return {
        "period": promise.period,
        "online_at_least": built.value(promise.online),
        "offline_at_most": built.value(promise.offline),
        "offline_start_at_most": built.value(promise.start),
        "in_expectation": promise.in_expectation,
    }


def _points(built: Construction, policy: str, seed: int) -> list[dict[str, Any]]:
    periods = np.array(built.boundaries)
    rows = []
    for point in growth(built, policy, seed=seed):
        complete = max(0, int(np.searchsorted(periods, point.requests, side="right")) - 1)
        rows.append(
            {
                "requests": point.requests,
                "online": point.online,
                "offline": point.offline,
                "ratio": point.ratio,
                "promised": None if built.promise.in_expectation else _promised(built, complete),
            }
        )
    return rows


def _promised(built: Construction, periods: int) -> Fraction:
    """The ratio that the promise guarantees after so many complete periods."""
    online, offline, start = (
        Fraction(built.value(form))
        for form in (built.promise.online, built.promise.offline, built.promise.start)
    )
    return periods * online / (start + periods * offline)


def _panels(grown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gather the curves of one construction at one h: what they share, then one curve a policy."""
    own = ("policy", "sharing", "seed", "measure", "points")
    panels: dict[tuple[str, int], dict[str, Any]] = {}
    for row in grown:
        shared = {key: value for key, value in row.items() if key not in own}
        panel = panels.setdefault((row["construction"], row["h"]), {**shared, "curves": []})
        panel["curves"].append({key: row[key] for key in own})
    for (id, small), panel in panels.items():
        alone = sum(other == id for other, _ in panels) == 1
        panel["id"] = id if alone else f"{id}-h{small}"
    return list(panels.values())


def _provenance(settings: Settings, traces: Sequence[Source]) -> dict[str, Any]:
    chosen = {key: value for key, value in asdict(settings).items() if key != "synthetic"}
    return {
        "seed": settings.seed,
        "settings": {**chosen, "synthetic": [source.spec for source in settings.synthetic]},
        "traces": [
            {"name": source.id, "requests": len(source.sequence), **source.facts} for source in traces
        ],
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
