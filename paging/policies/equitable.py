"""EQUITABLE in the form of OnlineMIN: the distribution over caches depends on the work function alone."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from paging.model import Frame, LabelArray, PageArray, RequestSequence
from paging.policies.randomized import RANDOMIZED
from paging.policy import Criterion, Outcomes, Policy, run_kernel
from paging.work_function import update_work_function

Polynomial = list[Fraction]
"""Coefficients, lowest degree first."""


class Equitable(Policy):
    """EQUITABLE: hold the optimal cache that a uniformly random ranking of all pages prefers.

    The optimal caches for the requests so far are the bases of a matroid given by the work function
    (:class:`paging.work_function.WorkFunction`). OnlineMIN ranks the pages at random and holds the basis that
    is best by rank. Serving a request replaces one page at most: on a hit the best basis stays; on a fault
    the page of lowest rank leaves among the cached pages that may (all of them if the page is in no optimal
    cache, else those up to the first level c at or above its work-function label where c cached pages have
    labels ≤ c). The ranking itself is forgotten: the victim is drawn with its probability given the cache, so
    the cache has the distribution of OnlineMIN after every request.

    Label
    -----
    With work-function label c, c + 1 if cached and −c if not.

    Guarantee
    ---------
    H_k-competitive against oblivious adversaries (``equitable-upper``).

    References
    ----------
    ACN2000: EQUITABLE
    BMN2011: OnlineMIN
    """

    id, title = "equitable", "the optimal cache a random ranking prefers"
    traits = RANDOMIZED

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        cached = labels > 0
        work = np.where(cached, labels - 1, -labels)
        victims = {}
        if not cached[page] and np.count_nonzero(cached) == frame.cache:
            victims = victim_chances(work, cached, page)
        update_work_function(work, page, frame.cache)
        cached[page] = True
        if not victims:
            return [(Fraction(1), np.where(cached, work + 1, -work))]
        results = []
        for victim, chance in victims.items():
            cached[victim] = False
            results.append((chance, np.where(cached, work + 1, -work)))
            cached[victim] = True
        return results

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        work = np.where(labels > 0, labels - 1, -labels)
        return (Criterion(work, "", "label of the work function", "a random ranking prefers the others"),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        ranks = rng.permutation(sequence.instance.total_pages).astype(np.int32)
        return run_kernel("online_min", sequence, entries, ranks)


def victim_chances(work: LabelArray, cached: NDArray[np.bool_], page: int) -> dict[int, Fraction]:
    """Return who leaves a full cache for ``page``, with which probability.

    The cached pages fall into blocks that end at the levels c where exactly c of them have labels ≤ c. That
    a cache is preferred by a ranking means: every page outside with a label in block i ranks below all cached
    pages of the blocks 1 … i.
    """
    inside, outside = work[cached], work[~cached]
    ends = [c for c in range(1, len(inside) + 1) if np.count_nonzero(inside <= c) == c]
    block_of = np.searchsorted(ends, work)
    held, others = ([0] * len(ends), [0] * len(ends))
    for label in inside.tolist():
        held[int(np.searchsorted(ends, label))] += 1
    for label in outside[outside > 0].tolist():
        others[int(np.searchsorted(ends, label))] += 1
    last = len(ends) - 1 if work[page] == 0 else int(block_of[page])
    weights = _lowest_by_block(tuple(held), tuple(others), last)
    total = sum(weight * count for weight, count in zip(weights, held, strict=False))
    return {q: weights[block_of[q]] / total for q in np.flatnonzero(cached).tolist() if block_of[q] <= last}


@lru_cache(maxsize=100_000)
def _lowest_by_block(held: tuple[int, ...], others: tuple[int, ...], last: int) -> tuple[Fraction, ...]:
    """Return, per block up to ``last``, the weight of one page of it as the victim.

    That is the probability that the cache is preferred and the page ranks lowest among the cached pages of
    the blocks up to ``last``. With independent ranks uniform in [0, 1] a cached page of block j must exceed
    s_j, the largest rank outside in the blocks from j on. ``below`` is the measure of s_j as a polynomial:
    the weight of s_j ≤ x.
    """
    below = [Fraction(1)]
    for j in range(len(held) - 1, last, -1):
        below = _all_above(_power(below, others[j]), held[j])
    weights = []
    for block in range(last + 1):
        density = _power(below, sum(others[block : last + 1]))
        found = _integral(_times_above(density, sum(held[block : last + 1]) - 1))
        for j in range(block - 1, -1, -1):
            found = _all_above(_power(found, others[j]), held[j])
        weights.append(sum(found, Fraction(0)))
    return tuple(weights)


def _power(polynomial: Polynomial, exponent: int) -> Polynomial:
    """Multiply by x to a power."""
    return [Fraction(0)] * exponent + polynomial


def _times_above(polynomial: Polynomial, count: int) -> Polynomial:
    """Multiply by (1 − x) to a power."""
    for _ in range(count):
        polynomial = [
            a - b for a, b in zip([*polynomial, Fraction(0)], [Fraction(0), *polynomial], strict=True)
        ]
    return polynomial


def _integral(polynomial: Polynomial) -> Polynomial:
    """Integrate from 0."""
    return [Fraction(0), *(a / (d + 1) for d, a in enumerate(polynomial))]


def _all_above(below: Polynomial, count: int) -> Polynomial:
    """Let ``count`` ranks exceed the variable whose measure is given."""
    slope = [d * a for d, a in enumerate(below)][1:]
    result = _integral(_times_above(slope, count))
    result[0] += below[0]
    return result
