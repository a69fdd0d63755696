"""Cost over error: policies with predictions beside those without, from true predictions to wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from paging.compare import Comparison, compare
from paging.model import Kind, RequestSequence
from paging.numbers import number
from paging.parallel import Pool, each
from paging.predictors import Predictor, get_predictor
from paging.signals import UNWATCHED, Watch
from proofs.bounds.claims import allowances
from proofs.report.studies import StudySource

POLICIES: dict[Kind, tuple[str, ...]] = {
    "discard": ("flush-when-kept", "flush-when-kept-lazy", "mark0", "cheaper:flush-when-kept-lazy,lru"),
    "phase": ("mark-predict-lru", "mark-predict"),
    "next-arrival": ("blind-oracle", "guard:blind-oracle", "predictive-marker", "lmarker"),
}
"""Who is told what."""

BESIDE = ("lru", "llru", "mark")
"""Policies that are told nothing."""

SHARES, ALONE = (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1), (0, 0.1, 0.3, 0.6, 1)
"""Shares of wrong bits: of both kinds alike, and of one kind."""

SIGMAS = (0, 0.25, 0.5, 1, 1.5, 2, 3)
"""Noise of next arrivals."""

SWEEPS: dict[Kind, tuple[tuple[str, str, tuple[float, ...]], ...]] = {
    "discard": (
        ("discard:p0={0},p1={0}", "share of wrong bits p0 = p1", SHARES),
        ("discard:p0={0}", "share p0 of 1s told as 0s", ALONE),
        ("discard:p1={0}", "share p1 of 0s told as 1s", ALONE),
    ),
    "phase": (
        ("phase:p0={0},p1={0}", "share of wrong bits p0 = p1", SHARES),
        ("phase:p0={0}", "share p0 of 1s told as 0s", ALONE),
        ("phase:p1={0}", "share p1 of 0s told as 1s", ALONE),
    ),
    "next-arrival": (("next-arrival:sigma={0}", "noise σ of log distances", SIGMAS),),
}
"""By kind: the predictor with a place for its error, what that is, and the errors."""

LONGEST = 12_000
"""Requests of a source that are served: bounds and costs are sums, and a part shows as much as the whole."""


def told_studies(
    sources: Sequence[StudySource],
    *,
    runs: int,
    seed: int,
    quick: bool,
    pool: Pool | None = None,
    watch: Watch = UNWATCHED,
) -> list[dict[str, Any]]:
    """Serve sources with all policies at every error, and return the numbers as plain data.

    Parameters
    ----------
    sources : sequence of StudySource
    runs : int
        Sampled runs of randomised policies.
    seed : int
        Seed of predictors and randomised policies.
    quick : bool
        Whether a third of the requests is enough.
    pool : Pool, optional
        Where panels are computed; default in this process.
    watch : Watch
        Told how many panels are done.

    Returns
    -------
    list of dict
        A panel for each source and kind of prediction: in ``sweeps``, one for each way to be wrong,
        ``points`` by error with the errors counted, ``rows`` as :meth:`paging.compare.Row.as_dict` writes
        them, and ``allowed``: what the bounds allow, over OPT.
    """
    longest = LONGEST // 3 if quick else LONGEST
    jobs = [(source, kind, runs, seed, longest) for source in sources for kind in POLICIES]
    return list(each(pool, _panel, jobs, watch))


def _panel(job: tuple[StudySource, Kind, int, int, int]) -> dict[str, Any]:
    source, kind, runs, seed, longest = job
    whole = source.sequence
    length = min(len(whole), longest) // whole.instance.round_length * whole.instance.round_length
    cache_size = max(2, whole.instance.total_pages * 3 // 8)
    sequence = whole.prefix(length).with_cache(cache_size)
    plain = compare(sequence, chosen=BESIDE, runs=runs, seed=seed)

    @cache  # all sweeps begin with predictions that are true
    def point(predictor: Predictor) -> dict[str, Any]:
        return _point(sequence, predictor, kind, runs, seed)

    return {
        "id": f"{source.id}-{kind}",
        "study": source.id,
        "title": source.title,
        "kind": kind,
        "k": cache_size,
        "requests": length,
        "instance": sequence.instance.plain,
        "beside": [row.as_dict() for row in plain.rows],
        "sweeps": [
            {
                "meaning": meaning,
                "points": [{"value": value, **point(get_predictor(form.format(value)))} for value in values],
            }
            for form, meaning, values in SWEEPS[kind]
        ],
    }


def _point(
    sequence: RequestSequence, predictor: Predictor, kind: Kind, runs: int, seed: int
) -> dict[str, Any]:
    found = compare(sequence, chosen=POLICIES[kind], runs=runs, seed=seed, predictors=[predictor])
    rows = [row for row in found.rows if row.errors is not None]
    errors = rows[0].errors
    return {
        "predictor": predictor.spec,
        "errors": {} if errors is None else errors.given,
        "rows": [row.as_dict() for row in rows],
        "allowed": _allowed(found),
    }


def _allowed(found: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "policy": row.policy,
            "bound": bound,
            "form": form,
            "status": status,
            "allowed": number(allowed),
            "over_opt": float(allowed / row.optimum),
            "kept": row.faults <= allowed,
        }
        for row in found.rows
        if row.errors is not None and row.optimum
        for bound, form, status, allowed, _ in allowances(row.policy, found.instance, row.optimum, row.errors)
    ]
