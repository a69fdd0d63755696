"""The diagnosis of a trace as one document of plain numbers, which the terminal, JSON and the page show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from paging.compare import BASELINE, OPT, Row, compare
from paging.errors import ModelError
from paging.model import RequestSequence
from paging.signals import UNWATCHED, Watch
from paging.traces import Trace
from paging.weights import Weights
from proofs.diagnose.advice import LABELS, lru_of, parts_of, recommendation, sharing, spread, whose
from proofs.diagnose.cost import CostModel, Misses
from proofs.diagnose.layers import layer_facts, percentile
from proofs.diagnose.prefetch import Prefetched, Prefetcher, precisions, simulate_prefetching
from proofs.diagnose.serving import Runs, Served, SizeRuns, serve

Phase = Literal["all", "prompt", "decode"]

LAYERED = "llru"
"""Shown per layer beside LRU and OPT, whether it is best or not."""

WEIGHTED = ("landlord", "landlord-fifo", "lru-weighted", "lfu-weighted")
"""Tried where faults have weights, beside LRU and the best causal policies: those that look at them."""

WINDOWS = 120
"""Parts that the tokens are divided into for what is shown over time."""

PERCENTILES = (50, 95, 99)


def diagnose(
    trace: Trace,
    sizes: Sequence[int],
    *,
    visits: Literal["sequential", "atomic"] = "sequential",
    phase: Phase = "all",
    cost: CostModel | None = None,
    prefetcher: Prefetcher | None = None,
    weights: Weights | Iterable[object] | None = None,
    watch: Watch = UNWATCHED,
) -> dict[str, Any]:
    """Diagnose a routing trace: whose the misses are, which policy to run, and what it costs.

    Parameters
    ----------
    trace : Trace
    sizes : sequence of int
        Cache sizes k in experts, each at least g.
    visits : {"sequential", "atomic"}, default "sequential"
        Whether the experts of a visit are needed one after the other or all together. With atomic visits
        there are neither fault curves nor static rules, and some policies are left out; ``skipped`` says why.
    phase : {"all", "prompt", "decode"}, default "all"
        Tokens that percentiles and cost are about. All tokens are served in any case.
    cost : CostModel, optional
        For bytes and times.
    prefetcher : Prefetcher, optional
        For what predictive prefetching is worth; needs ``cost``.
    weights : Weights or iterable, optional
        What a miss of every page costs: ``weighted`` of every size then holds costs, while all else counts
        misses as before.
    watch : Watch
        Told how many of the runs are done.

    Returns
    -------
    dict
        Plain values; counts are ints, what is observed is a float, what is exact and no count a Fraction.
        ``sizes`` has one entry per cache size, in the order given. See docs/engineers.md for all fields.

    Raises
    ------
    ModelError
        No size, one below a visit, a phase that the trace does not mark or that has no token, or a cost model
        of another number of layers, or a prefetcher without a cost model.

    Guarantee
    ---------
    Faults are exact integers. OPT is certified: its schedule and an integer dual agree. Weighted costs are
    exact, and so is the least one, a minimum-cost flow.

    Examples
    --------
    >>> trace = Trace.from_experts([[[0]], [[1]], [[2]], [[0]], [[1]], [[2]]])
    >>> found = diagnose(trace, [2])["sizes"][0]
    >>> found["lru"], found["opt"], found["best_policy"], found["working_set_share"]
    (6, 4, 'mru', 0.6666666666666666)
    """
    counted = _counted(trace, phase)
    if cost is not None:
        cost.sizes(trace.layers)
    elif prefetcher is not None:
        raise ModelError("prefetching is about times, which need a cost model")
    if not sizes:
        raise ModelError("a diagnosis needs at least one cache size")
    sequence = trace.sequence(max(sizes), visits=visits)
    weighted = None if weights is None else sequence.with_weights(weights)  # refused before any work
    runs = serve(sequence, sizes, watch)
    costs = {} if weighted is None else _costs(weighted, runs, watch)
    return {
        "trace": _trace_facts(trace),
        "model": sequence.instance.model,
        "phase": phase,
        "tokens_counted": int(np.count_nonzero(counted)),
        "labels": dict(LABELS),
        "cost_model": None if cost is None else cost.plain,
        "prefetcher": None if prefetcher is None else prefetcher.text,
        "layers": layer_facts(trace),
        "curves": {name: list(curve) for name, curve in runs.curves.items()},
        "sizes": [
            {
                **_size(trace, sequence, runs, size, counted, cost),
                "weighted": costs.get(size.cache),
                "prefetch": None
                if cost is None or prefetcher is None
                else _prefetch(sequence.with_cache(size.cache), cost, prefetcher, counted, watch),
            }
            for size in runs.sizes
        ],
        "skipped": [{"what": s.what, "k": list(s.caches), "reason": s.reason} for s in runs.skipped],
    }


def _counted(trace: Trace, phase: Phase) -> NDArray[np.bool_]:
    """Return which tokens belong to a phase."""
    if phase == "all":
        return np.ones(trace.tokens, dtype=np.bool_)
    if trace.decode is None:
        raise ModelError(
            f"the trace does not mark generated tokens, so its {phase} tokens are not known; "
            "record the array 'decode', or count all tokens"
        )
    chosen = trace.decode if phase == "decode" else ~trace.decode
    if not chosen.any():
        raise ModelError(f"the trace has no {phase} token")
    return chosen


def _trace_facts(trace: Trace) -> dict[str, Any]:
    decode = None if trace.decode is None else int(np.count_nonzero(trace.decode))
    return {
        "name": trace.name,
        "digest": trace.digest,
        "requests": trace.requests,
        "tokens": trace.tokens,
        "layers": trace.layers,
        "pages": trace.pages,
        "top_k": trace.per_visit,
        "distinct_pages": len(np.unique(trace.page_ids)),
        "total_pages": trace.instance.total_pages,
        "sequences": None if trace.seq_id is None else len(np.unique(trace.seq_id)),
        "prompt_tokens": None if decode is None else trace.tokens - decode,
        "decode_tokens": decode,
    }


def _size(
    trace: Trace,
    sequence: RequestSequence,
    runs: Runs,
    size: SizeRuns,
    counted: NDArray[np.bool_],
    cost: CostModel | None,
) -> dict[str, Any]:
    instance = sequence.instance.with_cache(size.cache)
    compulsory, requests = sequence.distinct_pages, len(sequence)
    parts = parts_of(size, compulsory)
    lru, opt, best = lru_of(size), size.opt, size.best
    split = {name: curve[min(size.cache, len(curve)) - 1] for name, curve in runs.splits.items()}
    shown = {BASELINE: lru, "best": best, OPT: opt}
    by_layer = {**shown, LAYERED: size.policy(LAYERED)}
    return {
        "k": size.cache,
        "opt": opt.faults,
        "opt_bypassing": size.opt_bypassing,
        "lru": lru.faults,
        "best_policy": best.name,
        "best": best.faults,
        "compulsory": compulsory,
        "best_static_split": {"lru": split.get(BASELINE), "opt": split.get(OPT)},
        "best_static_pinning": size.pinning,
        "policies": [
            Row(r.name, size.cache, r.faults, requests, r.sharing, None, opt.faults, lru.faults).as_dict()
            for r in size.policies
        ],
        "miss_rate": lru.faults / requests,
        "working_set_share": float(parts.working_set),
        "policy_share": float(parts.policy),
        "parts": {name: float(share) for name, share in asdict(parts).items()},
        "whose": whose(size, parts, requests),
        "differ": spread(size),
        "sharing": sharing(size, split.get(BASELINE)),
        "misses_per_token": {name: _per_token(run.misses[counted]) for name, run in shown.items()},
        "layers": [
            {"layer": j, **{n: None if r is None else int(r.misses[:, j].sum()) for n, r in by_layer.items()}}
            for j in range(trace.layers)
        ],
        "phases": list(_phases(trace, shown)),
        "sequences": list(_sequences(trace, shown)),
        "over_time": list(_over_time(shown)),
        "recommendation": recommendation(size, parts, instance, runs.curves.get(BASELINE)),
        "cost": None
        if cost is None
        else {name: _cost(cost, run.misses[counted]) for name, run in shown.items()},
    }


def _per_token(misses: Misses) -> dict[str, Any]:
    totals = misses.sum(axis=1)
    return {
        "mean": Fraction(int(totals.sum()), len(totals)),
        **{f"p{percent}": percentile(totals, percent) for percent in PERCENTILES},
        "max": int(totals.max()),
    }


def _phases(trace: Trace, shown: dict[str, Served]) -> Iterator[dict[str, Any]]:
    """Yield the misses of prompt and generated tokens, where the trace marks some."""
    if trace.decode is None:
        return
    for phase, chosen in (("prompt", ~trace.decode), ("decode", trace.decode)):
        if chosen.any():
            totals = {name: int(run.misses[chosen].sum()) for name, run in shown.items()}
            yield {"phase": phase, "tokens": int(np.count_nonzero(chosen)), **totals}


def _sequences(trace: Trace, shown: dict[str, Served]) -> Iterator[dict[str, Any]]:
    """Yield the misses of every sequence in the order of first appearance, where the trace marks them."""
    if trace.seq_id is None:
        return
    ids, first, place = np.unique(trace.seq_id, return_index=True, return_inverse=True)
    tokens = np.bincount(place)
    totals = {
        name: np.bincount(place, weights=run.misses.sum(axis=1)).astype(np.int64)
        for name, run in shown.items()
    }
    for i in np.argsort(first).tolist():
        yield {
            "seq_id": int(ids[i]),
            "tokens": int(tokens[i]),
            **{name: int(total[i]) for name, total in totals.items()},
        }


def _over_time(shown: dict[str, Served]) -> Iterator[dict[str, Any]]:
    """Yield the misses of consecutive tokens in at most :data:`WINDOWS` parts as equal as can be."""
    totals = {name: run.misses.sum(axis=1) for name, run in shown.items()}
    tokens = len(totals[OPT])
    edges = np.linspace(0, tokens, min(WINDOWS, tokens) + 1).astype(np.int64).tolist()
    for start, end in pairwise(edges):
        yield {
            "first_token": start,
            "tokens": end - start,
            **{name: int(total[start:end].sum()) for name, total in totals.items()},
        }


def _costs(sequence: RequestSequence, runs: Runs, watch: Watch) -> dict[int, dict[str, Any]]:
    """Return for every cache size what LRU, the best causal policies and those that look at weights cost."""
    watch.look("weighing misses")
    tried = dict.fromkeys([BASELINE, *(size.best.name for size in runs.sizes), *WEIGHTED])
    found = compare(sequence, [size.cache for size in runs.sizes], tried, watch=watch)
    costs = {}
    for size in runs.sizes:
        rows = {row.policy: row for row in found.rows if row.cache == size.cache}
        policies = sorted((rows[name] for name in tried if name in rows), key=lambda row: row.paid)
        paid = {name: row.paid for name, row in rows.items()}
        costs[size.cache] = {
            "lru": paid[BASELINE],
            "fewest_misses": {"policy": size.best.name, "cost": paid[size.best.name]},
            "best_policy": policies[0].policy,
            "best": policies[0].paid,
            "opt": paid.get(OPT),
            "policies": [row.as_dict() for row in policies],
        }
    return costs


def _cost(cost: CostModel, misses: Misses) -> dict[str, Any]:
    price = cost.price(misses)
    rate = price.tokens_per_second
    by_token = np.sort(cost.token_ms(misses))
    return {
        "bytes_moved": price.bytes_moved,
        "gigabytes_moved": price.bytes_moved / 10**9,
        "ms_per_token": float(price.ms_per_token),
        **{f"ms_p{p}": float(by_token[max(0, -(-p * len(by_token) // 100) - 1)]) for p in PERCENTILES},
        "tokens_per_second": None if rate is None else float(rate),
        "loading_ms_per_token": float(1000 * price.loading / price.tokens),
        "computing_ms_per_token": float(1000 * price.computing / price.tokens),
        "least_ms_per_token": float(price.least_ms_per_token),
    }


def _prefetch(
    sequence: RequestSequence,
    cost: CostModel,
    prefetcher: Prefetcher,
    counted: NDArray[np.bool_],
    watch: Watch,
) -> dict[str, Any]:
    """Return what a prefetcher does at one cache size, and from which precision on it hurts."""
    watch.look(f"prefetching at k = {sequence.instance.cache}")
    without = simulate_prefetching(sequence, cost, None, counted)
    served = simulate_prefetching(sequence, cost, prefetcher, counted)
    tried = {} if prefetcher.repeats else precisions(sequence, cost, prefetcher, counted)
    hurting = [precision for precision, run in tried.items() if run.token_seconds > without.token_seconds]
    return {
        "without": _prefetched(without),
        "with": _prefetched(served),
        "precisions": [{"precision": float(p), **_prefetched(run)} for p, run in tried.items()],
        "hurts_at_precision": float(max(hurting)) if hurting else None,
        "text": _worth(prefetcher, without, served, max(hurting, default=None), bool(tried)),
    }


def _prefetched(run: Prefetched) -> dict[str, Any]:
    rate = run.tokens_per_second
    counts = {name: value for name, value in asdict(run).items() if isinstance(value, int)}
    return {
        **counts,
        "ms_per_token": float(run.ms_per_token),
        "tokens_per_second": None if rate is None else float(rate),
        "seconds": float(run.seconds),
        "stall_seconds": float(run.stalls),
    }


def _worth(
    prefetcher: Prefetcher, without: Prefetched, served: Prefetched, hurts: Fraction | None, tried: bool
) -> str:
    """Say what prefetching is worth in one sentence or two."""
    before, after = without.token_seconds, served.token_seconds
    if after == before:
        change = "changes nothing"
    else:
        share = 100 * float(abs(before - after) / before)
        change = f"{'saves' if after < before else 'costs'} {share:.1f} % of the time of LRU on demand"
    text = f"Prefetching ({prefetcher.text}) {change}"
    text += f" and loads {served.bytes_wasted / 10**9:,.1f} GB in vain."
    if not tried:
        return text
    recall = f"{100 * float(prefetcher.recall):g} %"
    if hurts is None:
        return f"{text} With recall {recall} it hurts at none of the precisions tried, 10 % … 100 %."
    if hurts == 1:
        return f"{text} With recall {recall} it hurts at every precision tried, even at 100 %."
    return f"{text} With recall {recall} it begins to hurt at precision {100 * float(hurts):g} %."
