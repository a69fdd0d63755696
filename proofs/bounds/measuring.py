"""What a policy pays on a sequence, as bounds are compared with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from lp import weighted_curve
from paging import (
    LayeredInstance,
    RequestSequence,
    expected_cost,
    farthest_in_future,
    get_policy,
    sample_costs,
    serve_fractionally,
    serve_rounded,
    simulate,
)
from paging.expectation import Answers
from paging.fractional import TOLERANCE

Number = int | Fraction | float

EXACT_UP_TO = (9, 400)
"""Pages and requests up to which the expected cost of a randomised policy is computed exactly."""

LEVEL = 0.9999
"""Confidence of sampled costs in verdicts: hundreds are judged, none should fail by chance."""

RUNS = 30
"""Runs of a sampled cost."""

CACHES = 8
"""Caches of a rounding whose fractional part alone is looked at."""

REMEMBERED = 8192
"""Costs kept while a process lives; the largest inputs of verdicts have some ten thousand requests."""


@dataclass(frozen=True)
class Cost:
    """The online cost of a run: a count, an exact expectation, or a sampled mean with its half-width.

    A fractional cost is in floating point: ``half_width`` is its tolerance. ``allowed`` is what a guarantee
    lets the cost exceed its multiple of OPT by, beside an additive constant.
    """

    value: Number
    measure: Literal["counted", "exact expectation", "sampled", "fractional"]
    half_width: float = 0.0
    allowed: float = 0.0

    @property
    def at_least(self) -> Fraction:
        """What the cost surely is, at level :data:`LEVEL` where it is sampled."""
        return Fraction(self.value) - Fraction(self.half_width)


def _fractional(sequence: RequestSequence, opt_cache: int, _seed: int) -> Cost:
    """Measure fractional paging with known weights."""
    cost = serve_fractionally(sequence, opt_cache=opt_cache).cost
    return Cost(cost, "fractional", TOLERANCE * cost)


def _unknown(sequence: RequestSequence, _opt_cache: int, seed: int) -> Cost:
    """Measure fractional paging with unknown weights, at its upper confidence bounds."""
    if sequence.instance.cache >= sequence.instance.total_pages:
        return Cost(0, "fractional")
    run = serve_rounded(sequence, known=False, horizon=max(1, len(sequence)), rows=CACHES, seed=seed)
    return Cost(run.fractional_upper, "fractional", TOLERANCE * run.fractional_upper, run.regret_bound)


ALGORITHMS: dict[str, Callable[[RequestSequence, int, int], Cost]] = {
    "fractional": _fractional,
    "fractional unknown-weights": _unknown,
}
"""Algorithms that are no policies, by name: what they pay for a sequence, against OPT with h slots."""


@lru_cache(maxsize=REMEMBERED)
def online_cost(
    policy: str, sequence: RequestSequence, *, seed: int = 0, runs: int = RUNS, opt_cache: int | None = None
) -> Cost:
    """Measure what a policy pays: counted, or in expectation exactly on small and sampled on large inputs.

    Many bounds are judged on the same runs, so costs are remembered. What an algorithm of :data:`ALGORITHMS`
    does may depend on OPT's cache.
    """
    if policy in ALGORITHMS:
        return ALGORITHMS[policy](sequence, opt_cache or sequence.instance.cache, seed)
    if not get_policy(policy).randomized:
        return Cost(simulate(policy, sequence).cost, "counted")
    pages, requests = EXACT_UP_TO
    if sequence.instance.total_pages <= pages and len(sequence) <= requests:
        total = expected_cost(policy, sequence, known=_answers(policy, sequence.instance)).total
        return Cost(total, "exact expectation")
    estimate = sample_costs(policy, sequence, runs=runs, seed=seed, confidence=LEVEL)[1]
    return Cost(estimate.mean, "sampled", estimate.half_width)


@lru_cache(maxsize=1)
def _answers(_policy: str, _instance: LayeredInstance) -> Answers:
    """Return what is known of a policy on an instance: sequences of the same ones follow each other."""
    return {}


@lru_cache(maxsize=REMEMBERED)
def optimum(sequence: RequestSequence, opt_cache: int) -> int | Fraction:
    """Return what OPT pays with a cache of a given size: by farthest-in-future, or with weights by a flow."""
    if sequence.instance.weights is None:
        return farthest_in_future(sequence.with_cache(opt_cache)).faults
    return _weighted_optima(sequence)[opt_cache - 1]


@lru_cache(maxsize=REMEMBERED)
def _weighted_optima(sequence: RequestSequence) -> tuple[int | Fraction, ...]:
    return weighted_curve(sequence)
