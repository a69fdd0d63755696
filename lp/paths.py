"""Weighted optimum by successive shortest paths: exact integers, no solver, and the whole curve over k."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from lp.curves import LONGEST_CURVE
from lp.dual import dual_of_levels
from lp.gaps import Gaps, gaps_of
from lp.kernels.paths import successive_paths
from lp.result import OPTIMAL, Solution, solve
from paging.arguments import checked
from paging.errors import ModelError
from paging.model import RequestSequence, whole_number
from paging.weights import Weights


def shortest_paths(gaps: Gaps, time_limit: float | None = None) -> Solution:
    """Solve by sending one slot after the other along a shortest path; with the dual of its potentials.

    O(k · T log T) time in the worst case, far less as measured.
    """
    if time_limit is not None:
        raise ModelError("route paths cannot be stopped after a time limit; take lp or ilp")
    kept = np.ones(len(gaps), dtype=np.bool_)
    levels = np.zeros(gaps.steps + 1, dtype=np.int64)
    for begin, end in _stretches(gaps):
        inside = np.flatnonzero((gaps.first >= begin) & (gaps.last < end) & gaps.covering)
        # One slot more than there are gaps: then the last path finds that slots are worth nothing.
        slots = min(int(gaps.slots[begin]), len(inside) + 1)
        kept[inside], level, _ = successive_paths(
            gaps.first[inside] - np.int32(begin),
            gaps.last[inside] - np.int32(begin),
            gaps.saving[inside],
            end - begin,
            slots,
        )
        levels[begin : end + 1] = levels[begin] + level
    return Solution(kept, OPTIMAL, dual_of_levels(levels))


def _stretches(gaps: Gaps) -> Iterator[tuple[int, int]]:
    """Yield stretches of steps with equally many slots; no gap leads from one into another."""
    changes = np.flatnonzero(np.diff(gaps.slots)) + 1
    bounds = [0, *changes.tolist(), gaps.steps]
    yield from ((begin, end) for begin, end in pairwise(bounds) if begin < end)


def least_cost(sequence: RequestSequence, start: int = 0) -> tuple[int, int | Fraction]:
    """Return faults and cost of a cheapest schedule of the requests from number ``start`` on.

    The cache may begin with any pages that were requested before, as
    :func:`paging.offline.optimum_from_warm` has it. Among cheapest schedules some may have fewer faults.
    """
    instance = sequence.instance
    warm = sequence.requests[:0]
    if start:
        instance.require("the weighted optimum after a warm-up", visits="sequential")
        # Every page that was seen is requested once, the last one last: a fault each, and any choice is left.
        last = sequence.requests[start - 1]
        seen = np.unique(sequence.requests[:start])
        warm = np.append(seen[seen != last], last)
        pages = instance.total_pages
        instance = replace(instance, layers=1, pages=pages, per_visit=1, names=None)
        sequence = RequestSequence(instance, np.concatenate([warm, sequence.requests[start:]]))
    gaps = gaps_of(sequence)
    schedule = solve(gaps, "paths", shortest_paths, None).schedule
    return schedule.faults - len(warm), schedule.cost - instance.cost_of(warm)


@checked
def weighted_curve(
    sequence: RequestSequence,
    weights: Weights | Iterable[object] | None = None,
    max_cache: int | None = None,
) -> tuple[int | Fraction, ...]:
    """Return the weighted optimum for every cache size k = 1 … K, from one run.

    Parameters
    ----------
    sequence : RequestSequence
        Sequential visits; the cache size of their instance is only the default of ``max_cache``.
    weights : Weights or iterable of int, Fraction or str, optional
        Cost of a fault per page, positive and exact (see :func:`paging.exact_weights`); default those of the
        instance.
    max_cache : int, optional
        Largest cache size K ≥ 1; default the cache size of the instance.

    Raises
    ------
    UnsupportedModelError
        Visits are atomic.

    Notes
    -----
    After i shortest paths the flow is optimal for i slots, so the curve costs no more than its last value.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=3), [0, 1, 2, 0, 1, 2])
    >>> weighted_curve(sequence, [5, 1, 1])
    (14, 8, 7)
    """
    instance = sequence.instance
    instance.require("a cost curve", visits="sequential")
    limit = whole_number(
        instance.cache if max_cache is None else max_cache, "max_cache (K)", 1, LONGEST_CURVE
    )
    gaps = gaps_of(sequence.with_cache(limit), weights)
    own = 0 if instance.bypassing else 1
    chosen = np.flatnonzero(gaps.covering)
    slots = min(limit - own, len(chosen) + 1)
    _, _, saved = successive_paths(
        gaps.first[chosen], gaps.last[chosen], gaps.saving[chosen], gaps.steps, slots
    )
    always = gaps.total - int(gaps.saving[~gaps.covering].sum())
    costs = [always] * own + [always - value for value in saved.tolist()]
    costs += costs[-1:] * (limit - len(costs))
    exact = (Fraction(cost, gaps.scale) for cost in costs)
    return tuple(cost.numerator if cost.denominator == 1 else cost for cost in exact)
