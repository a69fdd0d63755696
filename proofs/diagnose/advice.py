"""What the numbers of one cache size say in words: whose misses, whether policies differ, what to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import oo

from paging.compare import BASELINE, COMPULSORY, OPT
from paging.model import LayeredInstance
from paging.policy import get_policy
from proofs.bounds.bound import Bound
from proofs.bounds.known import best_bound
from proofs.bounds.registry import BOUNDS
from proofs.diagnose.serving import Served, SizeRuns

SMALL = Fraction(1, 100)
"""Share of LRU's misses that makes a difference: what saves less is not recommended instead of it."""

MOSTLY = Fraction(9, 10)
"""From this share of LRU's misses on that OPT has too, they are said to be the working set's."""


@dataclass(frozen=True)
class Parts:
    """The misses of LRU in parts that add up to 1, exactly.

    Attributes
    ----------
    compulsory : Fraction
        First requests: every algorithm has them from a cold cache.
    capacity : Fraction
        What OPT has beyond them: the cache is too small whoever manages it.
    recovered : Fraction
        What the best causal policy saves over LRU.
    foresight : Fraction
        What is left between that policy and OPT: it takes knowledge of the future, or a policy not tried.
    """

    compulsory: Fraction
    capacity: Fraction
    recovered: Fraction
    foresight: Fraction

    @property
    def working_set(self) -> Fraction:
        """The share of LRU's misses that OPT has too."""
        return self.compulsory + self.capacity

    @property
    def policy(self) -> Fraction:
        """The share that OPT does not have."""
        return self.recovered + self.foresight


def lru_of(runs: SizeRuns) -> Served:
    """Return LRU's run: it serves every variant."""
    run = runs.policy(BASELINE)
    assert run is not None
    return run


def parts_of(runs: SizeRuns, compulsory: int) -> Parts:
    """Split LRU's misses into what is the working set's and what is the policy's."""
    lru, opt, best = lru_of(runs).faults, runs.opt.faults, runs.best.faults
    return Parts(
        Fraction(compulsory, lru),
        Fraction(opt - compulsory, lru),
        Fraction(lru - best, lru),
        Fraction(best - opt, lru),
    )


def percent(share: Fraction) -> str:
    """Return a share as percent with one decimal.

    >>> percent(Fraction(1, 3))
    '33.3 %'
    """
    return f"{100 * float(share):.1f} %"


def whose(runs: SizeRuns, parts: Parts, requests: int) -> str:
    """Say in one sentence how much of LRU's miss rate is the working set's and how much the policy's."""
    begin = (
        f"At k = {runs.cache} LRU misses {percent(Fraction(lru_of(runs).faults, requests))} of the requests"
    )
    if parts.policy == 0:
        return f"{begin}, and all of it is the working set's: OPT misses as often."
    if parts.recovered:
        gain = f"{runs.best.name}, the best causal policy tried, recovers {percent(parts.recovered)}"
    else:
        gain = "no causal policy tried recovers any of it"
    return (
        f"{begin}; {percent(parts.working_set)} of these misses are the working set's (OPT has them too) and "
        f"{percent(parts.policy)} the policy's ({gain})."
    )


def spread(runs: SizeRuns) -> dict[str, Any]:
    """Say whether the causal policies differ at all: best, worst and LRU, as shares of LRU's misses."""
    lru, best = lru_of(runs), runs.best
    worst = max(runs.policies, key=lambda run: run.faults)  # the first of equals: LRU
    gain = Fraction(lru.faults - best.faults, lru.faults)
    width = Fraction(worst.faults - best.faults, lru.faults)
    if width == 0:
        text = "All policies tried miss equally often."
    elif width < SMALL:
        text = f"The policies hardly differ: all lie within {percent(width)} of LRU's misses."
    else:
        text = (
            f"The policies differ: {best.name} misses least and {worst.name} most, {percent(width)} of LRU's "
            f"misses apart; the best saves {percent(gain)} over LRU."
        )
    return {
        "best": best.name,
        "worst": worst.name,
        "saving_over_lru": float(gain),
        "spread": float(width),
        "differ": width >= SMALL,
        "text": text,
    }


def sharing(runs: SizeRuns, split: int | None) -> dict[str, Any]:
    """Compare one shared cache with a fixed part for every layer.

    Parameters
    ----------
    runs : SizeRuns
    split : int or None
        Faults of LRU under the best static split, which is known in hindsight only.
    """
    shared = next(run for run in runs.policies if run.sharing == "shared")
    fixed = next((run for run in runs.policies if run.sharing == "per-layer"), None)
    facts: dict[str, Any] = {
        "shared": {"policy": shared.name, "faults": shared.faults},
        "per_layer": None if fixed is None else {"policy": fixed.name, "faults": fixed.faults},
        "best_static_split_lru": split,
    }
    lru = lru_of(runs).faults
    known = {"an equal split": fixed.faults} if fixed is not None else {}
    if split is not None:
        known["the best split (known in hindsight)"] = split
    if not known:
        return facts | {"better": "shared", "text": "A fixed split is not possible here: share the cache."}
    name, faults = min(known.items(), key=lambda item: item[1])
    alike = Fraction(lru - faults, lru)
    if abs(alike) < SMALL:
        text = f"With LRU {name} of the cache over the layers makes no difference"
    else:
        text = (
            f"With LRU {name} of the cache over the layers {'saves' if alike > 0 else 'costs'} "
            f"{percent(abs(alike))} of the misses"
        )
    gain = Fraction(shared.faults - faults, lru)
    better = "per-layer" if gain >= SMALL else "shared"
    if shared.name != BASELINE:
        text += f"; {shared.name} on a shared cache saves {percent(Fraction(lru - shared.faults, lru))}"
    verdict = "Split the cache" if better == "per-layer" else "Share the cache"
    return facts | {"better": better, "text": f"{verdict}: {text[0].lower()}{text[1:]}."}


def guarantee(policy: str, instance: LayeredInstance) -> dict[str, Any]:
    """Return what is proved about a policy's worst case on the instance.

    Returns
    -------
    dict
        ``upper`` and ``lower``: the best bounds that speak here (``id``, ``value`` as an exact number,
        ``statement``, ``status``), or None; ``text``: both in words.
    """
    served = get_policy(policy)
    upper, lower = (best_bound(half, instance, served) for half in ("upper", "lower"))
    if upper is not None:
        text = f"never more than {_value(upper, instance)} times OPT's misses ({upper.id})"
        if upper.additive_at(instance) != 0:
            text += " beyond a constant"
    else:
        text = f"no worst-case guarantee is proved for {policy} in this variant"
    if lower is not None:
        text += f"; an adversary forces {_value(lower, instance)} ({lower.id})"
    return {
        "upper": None if upper is None else _facts(upper, instance),
        "lower": None if lower is None else _facts(lower, instance),
        "text": text,
    }


def _value(bound: Bound, instance: LayeredInstance) -> str:
    value = bound.at(instance)
    return "any ratio" if isinstance(value, float) else str(value)


def _facts(bound: Bound, instance: LayeredInstance) -> dict[str, Any]:
    return {
        "id": bound.id,
        "value": bound.at(instance),
        "statement": bound.statement,
        "status": bound.status,
    }


def recommendation(
    runs: SizeRuns, parts: Parts, instance: LayeredInstance, curve: Sequence[int] | None
) -> dict[str, Any]:
    """Recommend a policy for one cache size, with the reason and its worst-case guarantee.

    LRU is recommended unless another causal policy saves at least :data:`SMALL` of its misses on this trace.

    Parameters
    ----------
    runs : SizeRuns
    parts : Parts
        Whose LRU's misses are.
    instance : LayeredInstance
        With this cache size.
    curve : sequence of int or None
        LRU's faults for k = 1 … K, where known.
    """
    best = runs.best
    if parts.recovered >= SMALL:
        policy = best.name
        reason = f"it saves {percent(parts.recovered)} of LRU's misses on this trace, the most of all tried"
    else:
        policy = BASELINE
        reason = f"no policy tried saves even {percent(SMALL)} of its misses on this trace"
    if parts.compulsory == 1:
        reason = "every miss is the first request of an expert: everything fits"
        more = ""
    elif parts.working_set >= MOSTLY:
        more = (
            "What remains is the working set's: only more memory or smaller experts save it, and prefetching "
            "hides its time."
        )
    else:
        more = (
            f"Evicting with foresight could save at most {percent(parts.foresight)} of LRU's misses more; "
            "prefetching saves none, it hides their time."
        )
    sizes = {
        "lru_size_for_best": _size_with(curve, best.faults),
        "lru_size_for_opt": _size_with(curve, runs.opt.faults),
    }
    proved = guarantee(policy, instance)
    if policy != BASELINE and sizes["lru_size_for_best"]:
        reason += f"; LRU would need k = {sizes['lru_size_for_best']} to miss as seldom"
    if policy != BASELINE and proved["upper"] is None:
        safe = guarantee(BASELINE, instance)
        if safe["upper"] is not None:
            proved["text"] += f". For LRU: {safe['text']}"
    sentences = [f"Use {policy}: {reason}.", f"Worst case: {proved['text']}."]
    unbounded = _not_competitive(policy)
    if unbounded is not None:
        sentences.append(
            f"Warning: {policy} is not competitive ({unbounded.id}): other requests exist on which it misses "
            "arbitrarily more often than OPT. Watch its misses when traffic changes."
        )
    sentences += [more] if more else []
    if runs.pinning is not None and Fraction(best.faults - runs.pinning, lru_of(runs).faults) >= SMALL:
        sentences.append(
            f"Pinning the experts requested most, known in hindsight, would miss less: {runs.pinning:,} "
            f"times against {best.faults:,}; a profile of your own traffic may be worth a try."
        )
    said = {"text": " ".join(sentences), "sentences": sentences}
    return {"policy": policy, "reason": reason, "guarantee": proved, **sizes, **said}


def _not_competitive(policy: str) -> Bound | None:
    """Return the theorem that a policy has no bounded ratio, whether or not it speaks of this variant."""
    served = get_policy(policy)
    lower = (b for b in BOUNDS.values() if b.kind == "lower" and b.subject.includes(served))
    return next((bound for bound in lower if bound.value == oo), None)


def _size_with(curve: Sequence[int] | None, faults: int) -> int | None:
    """Return the least k with at most so many faults, where the curve reaches it."""
    return next((k for k, value in enumerate(curve or (), start=1) if value <= faults), None)


LABELS: Mapping[str, str] = {
    BASELINE: "counted on this trace; causal",
    "best": "counted on this trace; causal, the best of the policies tried",
    OPT: "exact: certified by a schedule and a dual that agree",
    "opt_bypassing": "exact: certified; a page may be served without being cached",
    "best_static_split": "exact, in hindsight: fixed slots per layer, LRU or OPT inside",
    "best_static_pinning": "exact, in hindsight: pinned experts stay, all others are fetched every time",
    COMPULSORY: "exact: first requests from a cold cache",
    "working_set_share": "observed: misses of OPT over misses of LRU",
    "misses_per_token": "counted; OPT's are of one optimal schedule, others may spread them differently",
    "prefetch": "estimated by an event simulation: LRU, atomic visits, one link with one load at a time",
    "cost": "estimated by the cost model from counted misses",
}
"""What kind of number each of them is, shown beside them."""
