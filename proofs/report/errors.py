"""Cost over error: policies with predictions beside those without, from true predictions to wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from paging.compare import Comparison, compare
from paging.model import Kind, RequestSequence
from paging.numbers import number
from paging.parallel import Pool, each
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

STEPS: dict[Kind, tuple[str, tuple[float, ...], str]] = {
    "discard": (
        "discard:p0={0},p1={0}",
        (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1),
        "share of wrong bits p0 = p1",
    ),
    "phase": ("phase:p0={0},p1={0}", (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1), "share of wrong bits p0 = p1"),
    "next-arrival": ("next-arrival:sigma={0}", (0, 0.25, 0.5, 1, 1.5, 2, 3), "noise σ of log distances"),
}
"""The predictor with a place for its error, the errors, and what they are."""

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
        A panel for each source and kind of prediction: ``points`` by error with the errors counted, ``rows``
        as :meth:`paging.compare.Row.as_dict` writes them, and ``allowed``: what the bounds allow, over OPT.
    """
    longest = LONGEST // 3 if quick else LONGEST
    jobs = [(source, kind, runs, seed, longest) for source in sources for kind in POLICIES]
    return list(each(pool, _panel, jobs, watch))


def _panel(job: tuple[StudySource, Kind, int, int, int]) -> dict[str, Any]:
    source, kind, runs, seed, longest = job
    whole = source.sequence
    length = min(len(whole), longest) // whole.instance.round_length * whole.instance.round_length
    cache = max(2, whole.instance.total_pages * 3 // 8)
    sequence = whole.prefix(length).with_cache(cache)
    form, values, meaning = STEPS[kind]
    plain = compare(sequence, chosen=BESIDE, runs=runs, seed=seed)
    return {
        "id": f"{source.id}-{kind}",
        "study": source.id,
        "title": source.title,
        "kind": kind,
        "meaning": meaning,
        "k": cache,
        "requests": length,
        "instance": sequence.instance.plain,
        "beside": [row.as_dict() for row in plain.rows],
        "points": [_point(sequence, form.format(value), value, kind, runs, seed) for value in values],
    }


def _point(
    sequence: RequestSequence, spec: str, value: float, kind: Kind, runs: int, seed: int
) -> dict[str, Any]:
    found = compare(sequence, chosen=POLICIES[kind], runs=runs, seed=seed, predictors=[spec])
    rows = [row for row in found.rows if row.errors is not None]
    errors = rows[0].errors
    return {
        "predictor": spec,
        "value": value,
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
