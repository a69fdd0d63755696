"""Weighted paging in the report: policies, the fractional algorithm, and what hiding weights costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from lp import best_dual, dual_value, optimum
from paging.fractional import serve_fractionally
from paging.model import LayeredInstance, RequestSequence
from paging.parallel import Pool, each
from paging.policy import get_policy
from paging.rounding import serve_rounded
from paging.signals import UNWATCHED, Watch
from paging.simulate import simulate
from paging.weights import read_weights
from paging.workloads import generate
from proofs.bounds.known import best_bound
from proofs.report.studies import StudySource

Row = dict[str, Any]

Input = tuple[str, RequestSequence, str]
"""Where requests come from, the weighted requests, and the weights as they were given."""

Maker = Callable[[int, int], list[Row]]

POLICIES = ("landlord", "landlord-fifo", "lru-weighted", "lfu-weighted", "lru", "lfu")
"""Policies whose weighted cost is shown beside OPT's."""

INPUTS = (
    (LayeredInstance(2, 8, 6), "layer:1,4"),
    (LayeredInstance(4, 8, 12), "layer:1,1,4,4"),
    (LayeredInstance(2, 8, 6), "tier:6*1,2*8"),
    (LayeredInstance(1, 16, 6), "tier:8*1/4,8*1"),
)
"""Instances and their weights: layers of two sizes, two tiers of memory, two precisions."""

WORKLOAD = "zipf:alpha=1"

ARMS = 9
"""Pages of the bandit instances: one more than slots, so that every step asks which to give up."""


def weights_study(
    requests: int,
    seed: int,
    traces: Sequence[StudySource] = (),
    pool: Pool | None = None,
    watch: Watch = UNWATCHED,
) -> dict[str, list[Row]]:
    """Return the rows of the report's section on weights.

    Parameters
    ----------
    requests : int
        Length of the sequences, of traces the most that is served; those of the bandit are from 1/8 of it
        to 64 times as long.
    seed : int
    traces : sequence of StudySource
        Served by the policies as well, where they have weights.
    pool : Pool, optional
        Where the parts are computed; default in this process.
    watch : Watch
    """
    inputs = [
        (source.title, _beginning(source, requests).with_weights(source.weights[1]), source.weights[0])
        for source in traces
        if source.weights is not None
    ]
    makers: dict[str, Maker] = {
        "policies": partial(_policies, inputs=inputs),
        "fractional": _fractional,
        "bandit": _bandit,
        "phases": _phases,
    }
    jobs = [(make, requests, seed) for make in makers.values()]
    return dict(zip(makers, each(pool, _part, jobs, watch), strict=True))


def _beginning(source: StudySource, requests: int) -> RequestSequence:
    """Return the first requests of a source, its cache as large a share of the pages as in :data:`INPUTS`."""
    instance = source.sequence.instance
    cache = max(instance.per_visit, 3 * instance.total_pages // 8)
    return source.sequence.prefix(requests).with_cache(cache)


def _part(job: tuple[Maker, int, int]) -> list[Row]:
    make, requests, seed = job
    return make(requests, seed)


def _drawn(instance: LayeredInstance, weights: str, requests: int, seed: int) -> RequestSequence:
    costs = read_weights(weights, instance.pages_by_layer)
    return generate(f"{WORKLOAD},requests={requests}", instance.with_weights(costs), seed=seed)


def _facts(sequence: RequestSequence, weights: str) -> Row:
    instance = sequence.instance
    shape = {"layers": instance.layers, "pages": instance.pages, "k": instance.cache, "weights": weights}
    return {**shape, "requests": len(sequence)}


def _policies(requests: int, seed: int, inputs: Sequence[Input] = ()) -> list[Row]:
    rows = []
    drawn = [
        (f"workload {WORKLOAD}", _drawn(instance, weights, requests, seed), weights)
        for instance, weights in INPUTS
    ]
    for number, (on, sequence, weights) in enumerate([*drawn, *inputs]):
        best = optimum(sequence).value
        for policy in POLICIES:
            cost = simulate(policy, sequence).cost
            bound = best_bound("upper", sequence.instance, get_policy(policy))
            claim = None if bound is None else bound.at(sequence.instance)
            holds = claim is None or cost <= Fraction(claim) * best
            rows.append(
                {
                    "input": number,
                    "on": on,
                    **_facts(sequence, weights),
                    "policy": policy,
                    "cost": cost,
                    "opt": best,
                    "ratio": float(cost) / float(best),
                    "bound": None if bound is None else bound.id,
                    "claim": claim,
                    "verdict": "not checked" if claim is None else "holds" if holds else "violated",
                }
            )
    return rows


def _fractional(requests: int, seed: int) -> list[Row]:
    rows = []
    for instance, weights in INPUTS:
        sequence = _drawn(instance, weights, requests, seed)
        rounded = serve_rounded(sequence, rows=64, seed=seed)
        for opt_cache in (instance.cache, instance.cache // 2):
            run = serve_fractionally(sequence, opt_cache=opt_cache)
            best = optimum(sequence.with_cache(opt_cache)).value
            below = dual_value(*best_dual(run))
            holds = run.cost <= run.guarantee * run.lower_bound * (1 + 1e-9) and below <= best
            rows.append(
                {
                    **_facts(sequence, weights),
                    "h": opt_cache,
                    "cost": run.cost,
                    "lower_bound": run.lower_bound,
                    "lower_bound_hindsight": float(below),
                    "opt": best,
                    "ratio": run.cost / float(best),
                    "claim": run.guarantee,
                    "rounded": float(rounded.evicted_cost),
                    "deviation": rounded.deviation,
                    "verdict": "holds" if holds else "violated",
                }
            )
    return rows


def _bandit(requests: int, seed: int) -> list[Row]:
    """Uniform requests, one page a little cheaper: what is paid for not knowing the weights."""
    costs = ["9/20"] + ["1/2"] * (ARMS - 2) + ["1"]
    instance = LayeredInstance(1, ARMS, ARMS - 1).with_weights(costs)
    rows = []
    for length in (requests // 8, requests, 8 * requests, 64 * requests):
        sequence = generate(f"uniform:requests={length}", instance, seed=seed)
        known = serve_rounded(sequence, rows=16, seed=seed)
        hidden = serve_rounded(sequence, known=False, horizon=length, rows=16, seed=seed)
        below = serve_fractionally(sequence).lower_bound
        limit = 2 * math.log(1 + instance.cache) * below + hidden.regret_bound
        doubt = hidden.fractional_upper - hidden.fractional_cost
        rows.append(
            {
                **_facts(sequence, "page:" + ",".join(costs)),
                "known": float(known.evicted_cost),
                "unknown": float(hidden.evicted_cost),
                "at_means": hidden.fractional_cost,
                "at_upper_bounds": hidden.fractional_upper,
                "doubt_over_root": doubt / math.sqrt(ARMS * length),
                "samples": hidden.samples,
                "opt_at_least": below,
                "claim": limit,
                "verdict": "holds" if hidden.fractional_upper <= limit else "violated",
            }
        )
    return rows


def _phases(requests: int, seed: int) -> list[Row]:
    """Uniform requests of k + 1 pages at unit cost: against OPT nobody is better than about ln k."""
    rows = []
    for cache in (2, 4, 8, 16):
        instance = LayeredInstance(1, cache + 1, cache)
        # A phase is about k·ln k requests long: about as many phases for every k.
        length = requests * cache // 2
        sequence = generate(f"uniform:requests={length}", instance, seed=seed)
        run = serve_fractionally(sequence)
        hidden = serve_rounded(sequence, known=False, samples="fixed", horizon=length, rows=64, seed=seed)
        best = optimum(sequence).value
        harmonic = float(sum(Fraction(1, j) for j in range(1, cache + 1)))
        rows.append(
            {
                **_facts(sequence, "layer:1"),
                "cost": run.cost,
                "unknown": float(hidden.evicted_cost),
                "opt": best,
                "ratio": run.cost / float(best),
                "harmonic": harmonic,
                "claim": run.guarantee,
                "verdict": "holds" if run.cost <= run.guarantee * float(best) else "violated",
            }
        )
    return rows
