"""What ``paging run`` and ``paging compare`` share: serving, numbers as JSON, title and notes of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from paging.cli.options import REFERENCES, Source, runs_option
from paging.cli.streaming import source_in_chunks
from paging.cli.terminal import progress, provenance, requests_note, write_json
from paging.errors import ModelError
from paging.numbers import cell
from paging.signals import stoppable

if TYPE_CHECKING:
    from paging.compare import Comparison
    from paging.model import RequestSequence

CLAIMS = "paging.claims"
"""Entry points of the packages above that know theorems about policies with predictions."""

sampled_option = runs_option("are their mean and its 95 % interval")


def compared(
    source: Source,
    caches: tuple[int, ...] | None,
    policies: tuple[str, ...] | None,
    optimum: bool,
    runs: int,
    as_json: bool,
    predictors: tuple[str, ...] = (),
) -> tuple[Comparison, RequestSequence, dict[str, object]]:
    """Read or generate the requests and compare; ``opt`` and ``compulsory`` may be named as policies."""
    from paging.compare import compare
    from paging.policy import get_policy, plain_name
    from paging.predictors import get_predictor

    chosen = None
    sources = [get_predictor(spec) for spec in predictors]
    if policies is not None:
        policies = tuple(map(plain_name, policies))
        chosen = [get_policy(name) for name in policies if name not in REFERENCES]
        optimum = optimum or "opt" in policies
    with progress("reading requests", show=not as_json):
        sequence, origin = source.sequence(
            caches[0] if caches else None, policies or (), warm=True, predictions=True
        )
        warm_up = sequence.requests_of_rounds(source.warm_up)
        if warm_up and warm_up == len(sequence):
            raise ModelError(
                f"--warm-up {source.warm_up} leaves none of the {len(sequence):,} requests to count"
            )
    if chosen is not None:
        takes = {policy.predictions for policy in chosen}
        brought = [source.kind for source in sources] + ([] if sequence.kind is None else [sequence.kind])
        for kind in brought:
            if kind not in takes:
                names = ", ".join(policy.name for policy in chosen)
                raise ModelError(f"there are {kind} predictions, but none of {names} takes any of that kind")
    if sources:
        brought_too = [origin["predictions"]] if "predictions" in origin else []
        origin["predictions"] = ", ".join([*map(str, brought_too), *(source.spec for source in sources)])
    with stoppable() as stop, progress("serving", show=not as_json, stop=stop) as watch:
        result = compare(
            *(sequence, caches, chosen),
            optimum=optimum,
            runs=runs,
            seed=source.seed,
            warm_up=warm_up,
            predictors=sources,
            watch=watch,
        )
    return result, sequence, origin


def streamed(
    source: Source,
    cache: int | None,
    policies: tuple[str, ...],
    optimum: bool,
    runs: int,
    as_json: bool,
    write_table: Callable[[Comparison, dict[str, object]], None],
) -> None:
    """Serve a trace in chunks and write the result as if it had been read at once."""
    from paging.compare import compare_in_parts
    from paging.policy import get_policy, plain_name

    names = tuple(map(plain_name, policies))
    chosen = [get_policy(name) for name in names if name not in REFERENCES]
    with (
        progress("reading and serving", show=not as_json) as watch,
        source_in_chunks(source, cache) as opened,
    ):
        result = compare_in_parts(
            *(opened.instance, opened.trace.chunks(), chosen),
            optimum=optimum or "opt" in names,
            runs=runs,
            seed=source.seed,
            also=opened.add_to_digest,
            requests=opened.trace.requests,
            watch=watch,
        )
    origin = opened.origin
    if as_json:
        write_result(result, origin)
    else:
        write_table(result, origin)


def write_result(result: Comparison, origin: dict[str, object], **more: object) -> None:
    found = {**result.as_dict(), **more}
    if claims := claims_of(result):
        found["claims"] = [vars(claim) | {"verdict": claim.verdict} for claim in claims]
    write_json({**found, "provenance": provenance(seed=result.seed, **origin)})


LONGEST = 10_000
"""Allowances with larger denominators, harmonic numbers and rounded logarithms, are notes as decimals."""


@dataclass(frozen=True)
class Allowance:
    """What a theorem about a policy with predictions allows on a run, and what the run paid.

    Attributes
    ----------
    policy, k, bound : str, int, str
    form, status : str
        The right side of the theorem, and how surely it is known.
    errors : str
    optimum : int
    allowed : Fraction
        The right side, in numbers.
    paid, paid_at_least : int or float
        The faults, and of a sampled mean the lower end of its interval.
    complete : bool
        Whether the additive constant of the theorem is known, and part of what is allowed.
    """

    policy: str
    k: int
    bound: str
    form: str
    status: str
    errors: str
    optimum: int | Fraction
    allowed: Any
    paid: int | float
    paid_at_least: int | float
    complete: bool

    @property
    def verdict(self) -> str:
        """Whether the run keeps to it."""
        if self.paid <= self.allowed:
            return "holds"
        if self.paid_at_least <= self.allowed:
            return "not contradicted by the sample"
        return "VIOLATED" if self.complete else "open, its additive constant is not known"


def claims_of(result: Comparison) -> list[Allowance]:
    """Hold every run with predictions against what is proved of its policy."""
    points = entry_points(group=CLAIMS)
    rows = [row for row in result.rows if row.errors is not None and row.optimum is not None]
    asked = [point.load() for point in points] if rows else []
    found = []
    for row in rows:
        instance = result.instance.with_cache(row.cache)
        least = row.faults if row.estimate is None else row.estimate.interval[0]
        for allowances in asked:
            for facts in allowances(row.policy, instance, row.optimum, row.errors):
                bound, form, status, allowed, complete = facts
                found.append(
                    Allowance(
                        *(row.policy, row.cache, bound, form, status, str(row.errors)),
                        *(row.optimum or 0, allowed, row.faults, least, complete),
                    )
                )
    return found


def claim_notes(result: Comparison) -> list[str]:
    """Write errors and verdicts as notes below a table."""
    told: dict[tuple[int, str], list[str]] = {}
    for row in result.rows:
        if row.errors is not None:
            told.setdefault((row.cache, str(row.errors)), []).append(row.policy)
    notes = [f"errors, k = {cache}: {text} ({', '.join(names)})" for (cache, text), names in told.items()]
    for claim in claims_of(result):
        paid = f"{claim.paid:,}" if isinstance(claim.paid, int) else f"{claim.paid:,.1f}"
        allowed = f"= {cell(claim.allowed)}"
        if claim.allowed.denominator > LONGEST:
            allowed = f"≈ {float(claim.allowed):,.2f}"
        notes.append(
            f"{claim.policy}, k = {claim.k}: {paid} ≤ {claim.form} {allowed}: {claim.verdict} "
            f"({claim.bound}, {claim.status})"
        )
    return notes


def decimal(number: Any) -> float | None:
    return None if number is None else float(number)


def percent(share: Any) -> str | None:
    return None if share is None else f"{100 * float(share):.2f} %"


def notes_on(result: Comparison, origin: dict[str, object]) -> list[str]:
    notes = [requests_note(origin)]
    if result.warm_up:
        notes.append(
            f"warm: {result.warm_up:,} requests before these were served and not counted; opt is the least "
            "whatever they left in the cache"
        )
    split = [row.policy for row in result.rows if row.sharing == "per-layer"]
    if split:
        names = ", ".join(dict.fromkeys(split))
        notes.append(f"per-layer, a fixed split of the cache: {names}; all others share it")
    estimate = next((row.estimate for row in result.rows if row.estimate is not None), None)
    if estimate is not None:
        notes.append(
            f"randomised policies: mean of {estimate.runs} sampled runs ± half the width of the "
            f"{estimate.confidence:.0%} interval, seed {result.seed}"
        )
    notes += claim_notes(result)
    pages = result.instance.total_pages
    if min(result.caches) >= pages:
        notes.append(
            f"everything fits: all {pages:,} pages find a slot, and who evicts only from a full cache has "
            "ratio 1"
        )
    if any(row.vs_opt is not None for row in result.rows):
        notes.append("ratios to opt are observed on these requests; they bound nothing")
    reasons: dict[tuple[str, str], list[int]] = {}
    for skip in result.skipped:
        reasons.setdefault((skip.policy, skip.reason), []).append(skip.cache)
    for (policy, reason), caches in reasons.items():
        notes.append(f"left out: {policy} for k = {', '.join(map(str, caches))}: {reason}")
    return notes
