"""Randomised weighted paging: a fractional solution rounded to equally likely caches, weights known or not.

One of the caches is drawn at the start and is the randomised policy; what it pays in expectation is the
average over all of them, which is counted exactly. With unknown weights every page has a distribution on (0,
1] (times the largest weight) of which evicting it shows one sample: lower confidence bounds drive the
fractional part, upper ones sort the pages into classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError
from paging.fractional import BrokenInvariantError, prices
from paging.html import facts_table
from paging.model import RequestSequence, generator, whole_number

Samples = Literal["fixed", "uniform", "two-point"]

KINDS: dict[Samples, int] = {"fixed": 0, "uniform": 1, "two-point": 2}
"""Distributions of samples: always the mean; uniform around it; half of it, or the largest weight."""

SHORTEST = 64
"""Requests of the first stretch where the length is not known in advance; further ones double."""

LARGEST_TABLE = 1 << 28
"""Bytes of the table of all caches."""

BREACHES = {
    1: "the caches do not add up",
    2: "the caches do not agree with the fractions",
    4: "the caches are not balanced",
    8: "a cache is too full or misses the requested page",
}


@dataclass(frozen=True, eq=False)
class RoundedRun:
    """A sequence served by equally likely caches that follow a fractional solution.

    Attributes
    ----------
    sequence : RequestSequence
        What was served.
    known : bool
        Whether weights were known in advance.
    rows : int
        Number of caches.
    horizon : int or None
        Number of requests known in advance; None where it was doubled. It matters to unknown weights only.
    evictions, extra, held : ndarray of int64, shape (n,)
        Over all caches: evictions of every page, evictions for nothing but a sample, pages held at the end.
    fractional_cost, fractional_upper : float
        Fractional cost at the (mean) weights, and at the upper confidence bounds.
    samples : int
        Samples that the fractional solution asked for.
    deviation : float
        Largest distance between a missing fraction and the part of the caches that lack the page.
    row : int
        The cache that was drawn.
    hits : ndarray of bool, shape (T,)
        Its hits.
    """

    sequence: RequestSequence
    known: bool
    rows: int
    horizon: int | None
    evictions: NDArray[np.int64] = field(repr=False)
    extra: NDArray[np.int64] = field(repr=False)
    held: NDArray[np.int64] = field(repr=False)
    fractional_cost: float
    fractional_upper: float
    samples: int
    deviation: float
    row: int
    hits: NDArray[np.bool_] = field(repr=False)

    @property
    def expected_cost(self) -> Fraction:
        """Expected cost of all loads, exactly: what other policies' costs are compared with."""
        return self._worth(self.evictions + self.extra + self.held)

    @property
    def evicted_cost(self) -> Fraction:
        """Expected cost of all evictions, exactly, as the guarantees count it."""
        return self._worth(self.evictions + self.extra)

    @property
    def cost(self) -> int | Fraction:
        """Cost of the loads of the cache that was drawn, without those made only for a sample."""
        return self.sequence.instance.cost_of(self.sequence.requests[~self.hits])

    @property
    def regret_bound(self) -> float:
        """What the fractional cost at upper bounds may exceed 2 ln(1 + k)·OPT by, if the bounds hold.

        2·√(2nT·ln(4n³T³)) + 2n·ln(1 + k), times the largest weight; 0 where weights are known.
        """
        if self.known:
            return 0.0
        instance, length = self.sequence.instance, max(1, len(self.sequence))
        pages, largest = instance.total_pages, float(prices(self.sequence).max())
        root = math.sqrt(2 * pages * length * math.log(4 * (pages * length) ** 3))
        return largest * (2 * root + 2 * pages * math.log(1 + instance.cache))

    def _worth(self, times: NDArray[np.int64]) -> Fraction:
        weights = self.sequence.instance.weights
        exact = times.tolist()
        if weights is None:
            return Fraction(sum(exact), self.rows)
        total = sum(count * weight for count, weight in zip(exact, weights.scaled.tolist(), strict=True))
        return Fraction(total, self.rows * weights.scale)

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "expected cost": self.expected_cost,
            "fractional cost": self.fractional_cost,
            "caches": self.rows,
        }
        return facts_table(f"rounded fractional paging on {self.sequence.instance}", facts)


@checked
def serve_rounded(
    sequence: RequestSequence,
    *,
    known: bool = True,
    samples: Samples = "two-point",
    horizon: int | None = None,
    rows: int = 256,
    seed: int | np.random.Generator = 0,
    check: bool = False,
) -> RoundedRun:
    """Serve a sequence by the randomised rounding of fractional weighted paging.

    Parameters
    ----------
    sequence : RequestSequence
        Forced, sequential service; fewer slots than pages.
    known : bool, default True
        Whether the weights are known. If not, they are the means of distributions that evicting a page
        samples.
    samples : {"two-point", "uniform", "fixed"}, default "two-point"
        Half the mean or the largest weight; uniform around the mean; always the mean.
    horizon : int, optional
        Requests known in advance, at least T. When absent, the algorithm for unknown weights begins with 64
        and starts afresh with twice as many whenever they are served.
    rows : int, default 256
        Equally likely caches, 2 … 65536: fractions are followed to the nearest parts of 1/rows or so.
    seed : int or numpy.random.Generator, default 0
        Draws the samples, and the cache whose hits are kept.
    check : bool, default False
        Whether the caches are counted anew after every request, in time n·rows. Otherwise their numbers alone
        are checked after every request.

    Returns
    -------
    RoundedRun

    Raises
    ------
    UnsupportedModelError, ModelError
        The variant of the model, the cache size or an argument is not allowed.
    BrokenInvariantError
        The caches are not consistent, balanced or valid after some request.

    Guarantee
    ---------
    O(log k)-competitive in expectation with known weights. With unknown ones the fractional cost at upper
    bounds is at most 2 ln(1 + k)·OPT + ``regret_bound`` with probability 1 − 1/(nT) (bound
    ``unknown-weights-upper``).

    References
    ----------
    LTR2024, BBN2012

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2, weights=[1, 1, 4])
    >>> run = serve_rounded(RequestSequence(instance, [0, 1, 2] * 4), check=True)
    >>> run.evicted_cost < run.expected_cost, run.deviation < 0.01
    (True, True)
    """
    from paging.kernels.rounding import rounded

    instance = sequence.instance
    instance.require("rounded fractional paging", service="forced", visits="sequential")
    pages, cache, length = instance.total_pages, instance.cache, len(sequence)
    if cache >= pages:
        raise ModelError(f"rounded fractional paging needs cache (k) < pages: {cache} ≥ {pages}")
    rows = whole_number(rows, "rows", 2, 1 << 16)
    if rows * pages > LARGEST_TABLE:
        raise ModelError(f"rows × pages must be at most {LARGEST_TABLE}, got {rows} × {pages}")
    if horizon is not None:
        horizon = whole_number(horizon, "horizon (requests)", max(1, length))
    rng = generator(seed)
    row = int(rng.integers(rows))
    weights = prices(sequence)
    largest = float(weights.max())
    hits, costs = np.zeros(length, dtype=np.uint8), np.zeros(2)
    evictions, extra = np.zeros(pages, dtype=np.int64), np.zeros(pages, dtype=np.int64)
    held = np.zeros(pages, dtype=np.int64)
    used, deviation, begin = 0, 0.0, 0
    for stretch in _stretches(length, known, horizon):
        # A new stretch begins with empty caches: what they held is dropped.
        evictions += held
        costs += float(held @ weights) / largest / rows
        end = min(length, begin + stretch)
        absent, missing = np.ones((rows, pages), dtype=np.uint8), np.ones(pages)
        problem, asked, apart = rounded(
            sequence.requests[begin:end], weights / largest, cache, 1 / cache, known, float(stretch),
            KINDS[samples], rng.random(end - begin + pages + 1), absent, missing, row, hits[begin:end],
            costs, evictions, extra, check,
        )  # fmt: skip
        if problem:
            told = " and ".join(text for bit, text in BREACHES.items() if problem & bit)
            raise BrokenInvariantError(f"between requests {begin} and {end}: {told}")
        held = rows - absent.sum(axis=0, dtype=np.int64)
        used, deviation, begin = used + asked, max(deviation, apart / rows), end
    fractional, upper = (costs * largest).tolist()
    return RoundedRun(
        *(sequence, known, rows, horizon, evictions, extra, held, fractional, upper),
        *(int(used), float(deviation), row, hits.astype(np.bool_)),
    )


def _stretches(length: int, known: bool, horizon: int | None) -> list[int]:
    """Return for how many requests the algorithm is started, time after time."""
    if known or horizon is not None:
        return [max(1, length) if horizon is None else horizon]
    found = [SHORTEST]
    while sum(found) < length:
        found.append(2 * found[-1])
    return found
