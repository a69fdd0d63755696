"""Serving a trace for a diagnosis: causal policies with kernels, the certified optimum, hindsight rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from lp import best_static_pinning, best_static_split, fault_curve, optimum
from paging.compare import BASELINE, OPT
from paging.errors import ModelError, UnsupportedModelError
from paging.model import HIT, LEFT_ON_HIT, LayeredInstance, PageArray, RequestSequence
from paging.parallel import in_threads
from paging.policy import Policy, get_policy, registered_policies
from paging.signals import UNWATCHED, Watch
from paging.simulate import simulate
from proofs.diagnose.cost import Misses

LONGEST_CURVE = 4096
"""Cache sizes of a fault curve beyond the largest one that was asked for: a pass takes O(T·K)."""

REFERENCES = (OPT, BASELINE)
"""What has a fault curve and a best static split beside it."""


@dataclass(frozen=True, eq=False)
class Served:
    """A schedule of the trace, by what it misses.

    Attributes
    ----------
    name : str
        The policy, or ``"opt"``.
    misses : ndarray of int64, shape (tokens, layers)
        Misses of every token in every layer.
    sharing : {"shared", "per-layer"}
        Whether all layers share the cache or each owns a part of it.
    """

    name: str
    misses: Misses
    sharing: Literal["shared", "per-layer"] = "shared"

    @property
    def faults(self) -> int:
        """Misses of all tokens and layers together."""
        return int(self.misses.sum())


@dataclass(frozen=True, eq=False)
class SizeRuns:
    """What one cache size costs under every rule; None where a rule does not serve the variant.

    Attributes
    ----------
    policies : tuple of Served
        Every causal policy that was run, fewest faults first.
    opt : Served
        An optimal schedule; its faults are certified.
    opt_bypassing : int or None
        OPT's faults where a page may be served without caching it; certified.
    pinning : int or None
        Faults of the best static pinning.
    """

    cache: int
    policies: tuple[Served, ...]
    opt: Served
    opt_bypassing: int | None
    pinning: int | None

    def policy(self, name: str) -> Served | None:
        """Return one of the policies, or None where it was left out."""
        return next((run for run in self.policies if run.name == name), None)

    @property
    def best(self) -> Served:
        """The causal policy with the fewest faults; of equals LRU, then the first registered."""
        return self.policies[0]


class LeftOut(NamedTuple):
    """What does not serve the variant of the model or these cache sizes, and why."""

    what: str
    caches: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Runs:
    """All that was served.

    Attributes
    ----------
    sizes : tuple of SizeRuns
        One per cache size, in the order given.
    curves : mapping of str to tuple of int
        Faults of OPT and LRU for every k = 1 … K; empty where visits are atomic.
    splits : mapping of str to tuple of (int or None)
        Faults of the best static split of k slots, ``"opt"`` or ``"lru"`` inside the layers, for k = 1 … K;
        more slots than that change nothing.
    skipped : tuple of LeftOut
        What was left out, and why.
    """

    sizes: tuple[SizeRuns, ...]
    curves: Mapping[str, tuple[int, ...]]
    splits: Mapping[str, tuple[int | None, ...]]
    skipped: tuple[LeftOut, ...]


def candidates() -> list[Policy]:
    """Return the policies that are tried: deterministic, causal, and with a kernel; LRU first.

    Those that need a profile or bypassing, and so refuse even a cache for all pages, are not; nor are those
    that take predictions: a diagnosis knows none.
    """
    known = [get_policy(cls) for cls in registered_policies().values() if cls.kernel is not Policy.kernel]
    causal = [policy for policy in known if not policy.randomized and "online" in policy.traits]
    alone = [policy for policy in causal if policy.predictions is None]
    return [policy for policy in alone if _serves(policy, LayeredInstance(1, 2, 2))]


def _serves(policy: Policy, instance: LayeredInstance) -> bool:
    try:
        policy.check(instance)
    except UnsupportedModelError:
        return False
    return True


def misses_of(entries: PageArray, instance: LayeredInstance) -> Misses:
    """Count the misses of every token in every layer; the last token may be incomplete.

    Parameters
    ----------
    entries : ndarray of int32, shape (T,)
        Schedule entries.

    Returns
    -------
    ndarray of int64, shape (tokens, layers)

    Examples
    --------
    >>> misses_of(np.array([-1, -1, -2], np.int32), LayeredInstance(layers=2, pages=3, cache=2)).tolist()
    [[1, 1], [0, 0]]
    """
    length = instance.round_length
    missed = np.zeros(-(-len(entries) // length) * length, dtype=np.int64)
    missed[: len(entries)] = (entries != HIT) & (entries != LEFT_ON_HIT)
    misses: Misses = missed.reshape(-1, instance.layers, instance.per_visit).sum(axis=2)
    return misses


def serve(sequence: RequestSequence, sizes: Sequence[int], watch: Watch = UNWATCHED) -> Runs:
    """Serve the requests with every candidate and every cache size, and find the optima beside them.

    Parameters
    ----------
    sequence : RequestSequence
        The requests, forced service.
    sizes : sequence of int
        Cache sizes k.
    watch : Watch
        Told how many of the runs are done.

    Raises
    ------
    ModelError
        There is no cache size, or one holds less than a visit.
    """
    group = sequence.instance.per_visit
    for cache in sizes:
        if cache < group:
            raise ModelError(f"a cache of {cache} does not hold one visit: k ≥ g = {group} is needed")
    if not sizes:
        raise ModelError("a diagnosis needs at least one cache size")
    # More slots than pages, also in an equal split, change nothing but the memory that it takes to say so.
    enough = sequence.instance.layers * max(sequence.instance.pages_by_layer)
    sequences = {cache: sequence.with_cache(min(cache, enough)) for cache in dict.fromkeys(sizes)}
    largest = sequences[max(sequences)]
    longest = min(sequence.distinct_pages, max(largest.instance.cache, LONGEST_CURVE))
    refused = dict[tuple[str, str], set[int]]()
    policies = candidates()
    if sequence.instance.visits == "atomic":
        apart = [policy.name for policy in policies if "atomic" not in policy.traits]
        refused[", ".join(apart), "they do not keep the pages of an atomic visit together"] = set(sequences)
        policies = [policy for policy in policies if "atomic" in policy.traits]

    def unless_refused(
        what: str, caches: Iterable[int], work: Callable[..., object], *given: object
    ) -> Callable[[], Any]:
        def attempt() -> Any:
            try:
                return work(*given)
            except UnsupportedModelError as refusal:
                refused.setdefault((what, str(refusal)), set()).update(caches)
                return None

        return attempt

    jobs: dict[tuple[str, object], Callable[[], Any]] = {}
    for name in REFERENCES:
        jobs["curve", name] = unless_refused(
            f"fault curve of {name}", sequences, fault_curve, sequence, name, longest
        )
        jobs["split", name] = unless_refused(
            f"best static split, {name}", sequences, best_static_split, largest, name
        )
    for cache, here in sequences.items():
        jobs["opt", cache] = partial(_optimal, here)
        jobs["bypassing", cache] = unless_refused("OPT with bypassing", [cache], _bypassing, here)
        jobs["pinning", cache] = unless_refused("best static pinning", [cache], best_static_pinning, here)
        for policy in policies:
            jobs[policy.name, cache] = unless_refused(policy.name, [cache], _run, policy, here)
    done: dict[tuple[str, object], Any] = {}
    done.update(zip(jobs, in_threads(list(jobs.values()), watch=watch), strict=True))
    watch.look("all served")

    by_size = []
    for cache in sequences:
        # Sorting is stable: of equals the first registered comes first, which is LRU.
        runs = sorted(filter(None, (done[p.name, cache] for p in policies)), key=lambda run: run.faults)
        pinned = done["pinning", cache]
        by_size.append(
            SizeRuns(
                cache,
                tuple(runs),
                done["opt", cache],
                done["bypassing", cache],
                None if pinned is None else pinned.faults,
            )
        )
    curves = {name: done["curve", name] for name in REFERENCES if done["curve", name] is not None}
    splits = {name: done["split", name].curve for name in REFERENCES if done["split", name] is not None}
    skipped = (LeftOut(what, tuple(sorted(ks)), reason) for (what, reason), ks in sorted(refused.items()))
    return Runs(tuple(by_size), curves, splits, tuple(skipped))


def _run(policy: Policy, sequence: RequestSequence) -> Served:
    entries = simulate(policy, sequence, record=True).entries
    assert entries is not None
    sharing: Literal["shared", "per-layer"] = "per-layer" if policy.per_layer else "shared"
    return Served(policy.name, misses_of(entries, sequence.instance), sharing)


def _optimal(sequence: RequestSequence) -> Served:
    """Return an optimal schedule; ``value`` refuses one that its dual does not prove optimal."""
    found = optimum(sequence)
    served = Served(OPT, misses_of(found.schedule.entries, sequence.instance))
    assert served.faults == found.value
    return served


def _bypassing(sequence: RequestSequence) -> int:
    free = replace(sequence.instance, bypassing=True)
    return int(optimum(RequestSequence(free, sequence.requests)).value)
