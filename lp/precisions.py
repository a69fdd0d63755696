"""The optimum for experts in two precisions: two caches, or one budget that pages of two sizes share.

With a cache for each precision the problem falls into two. With one budget it is caching of pages with sizes:
its integer program is no longer integral, so small inputs are solved exactly, large ones are enclosed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pulp
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from lp.gaps import Flags, Gaps, gaps_of
from lp.ilp import run_solver
from lp.kernels.gaps import keep_what_fits
from lp.optimum import optimum
from lp.result import OPTIMAL, BetweenBounds, Optimum, SolverError
from paging.arguments import checked
from paging.errors import ModelError
from paging.model import RequestSequence, whole_number

LOW_COST = Fraction(1, 4)
"""What a miss in low precision costs: int4 against fp16."""

SMALL = 100_000
"""Steps that gaps cover, in all, up to which the integer program is tried."""

FINE = 2**20
"""Dual prices are rounded to multiples of 1/FINE; any prices ≥ 0 prove a bound."""


def cheap_pages(sequence: RequestSequence) -> Flags:
    """Return which pages are experts in low precision, shape (total pages,): the second half of every layer.

    Raises
    ------
    ModelError
        A layer has an odd number of pages.
    """
    instance = sequence.instance
    if any(count % 2 for count in instance.pages_by_layer):
        raise ModelError(
            f"two precisions are an even number of pages in every layer, got n = {instance.pages_text}"
        )
    place = np.arange(instance.total_pages) - instance.first_page[instance.layer_of]
    cheap: Flags = place >= np.array(instance.pages_by_layer)[instance.layer_of] // 2
    return cheap


def by_precision(sequence: RequestSequence, low: int) -> tuple[RequestSequence, RequestSequence]:
    """Return the requests in high precision with k − low slots, and those in low precision with ``low``."""
    low = whole_number(low, "slots of low precision (low)", 1, sequence.instance.cache - 1)
    cheap = cheap_pages(sequence)[sequence.requests]
    return sequence.picked(~cheap, sequence.instance.cache - low), sequence.picked(cheap, low)


@dataclass(frozen=True)
class TwoCaches:
    """The optimum of two caches: one in each, both with their proofs.

    Attributes
    ----------
    high, low : Optimum
        In misses.
    low_cost : Fraction
        What a miss in low precision costs; one in high precision costs 1.
    """

    high: Optimum
    low: Optimum
    low_cost: Fraction

    @property
    def cost(self) -> Fraction:
        """The optimal cost, exact."""
        return self.high.value + self.low_cost * self.low.value


@checked
def two_caches_optimum(sequence: RequestSequence, low: int, low_cost: Fraction = LOW_COST) -> TwoCaches:
    """Return the optimum where each precision has a cache of its own.

    Parameters
    ----------
    sequence : RequestSequence
        Of experts in two precisions (:func:`paging.traces.two_precisions`), k slots in all.
    low : int
        Slots for low precision, 1 … k − 1.
    low_cost : Fraction
        Cost of a miss in low precision.

    Notes
    -----
    Exact: no page moves between the caches, so each is a problem of its own.
    """
    high, cheap = by_precision(sequence, low)
    return TwoCaches(optimum(high), optimum(cheap), low_cost)


@dataclass(frozen=True, eq=False)
class BudgetOptimum(BetweenBounds):
    """The optimum of one budget that pages of different sizes share, or an interval around it.

    Attributes
    ----------
    lower, upper : int or Fraction
        OPT lies in between. ``upper`` is counted from ``kept``, whose fit was checked in whole numbers.
    kept : ndarray of bool
        Which gaps are kept (:class:`lp.Gaps`).
    proof : str
        What ``lower`` rests on: ``"dual"``, added up exactly from rounded prices, or ``"solver"``, an integer
        program that the solver reports as solved.
    seconds : float
        Wall-clock time.
    """

    lower: int | Fraction
    upper: int | Fraction
    kept: Flags = field(repr=False)
    proof: str
    seconds: float


@dataclass(frozen=True, eq=False)
class _Sized:
    """The gaps with their sizes, what keeping each saves, and the room at every step; whole numbers."""

    gaps: Gaps
    sizes: NDArray[np.int64]
    saving: NDArray[np.int64]
    room: NDArray[np.int64]
    total: int
    scale: int

    def cost(self, saved: int) -> int | Fraction:
        exact = Fraction(self.total - saved, self.scale)
        return exact.numerator if exact.denominator == 1 else exact


@checked
def budget_optimum(
    sequence: RequestSequence,
    sizes: Sequence[int],
    weights: Sequence[int | Fraction],
    *,
    time_limit: float | None = None,
) -> BudgetOptimum:
    """Return the optimum where the cache holds pages of k units in all.

    Parameters
    ----------
    sequence : RequestSequence
        Sequential visits; its cache size k is the budget, in units.
    sizes : sequence of int
        Units that every page takes, by page id, each 1 … k.
    weights : sequence of int or Fraction
        Cost of a miss of every page, positive.
    time_limit : float, optional
        Seconds for each solver.

    Returns
    -------
    BudgetOptimum
        The linear program gives the lower bound, and rounded the upper one. Where they differ and the input
        is small the integer program decides.

    Raises
    ------
    ModelError
        Sizes or weights do not fit the pages or the budget.
    SolverError
        HiGHS fails.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=4, cache=5), [0, 2, 3, 0, 2, 1, 3])
    >>> budget_optimum(sequence, [4, 4, 1, 1], [1, 1, Fraction(1, 4), Fraction(1, 4)]).value
    Fraction(11, 4)
    """
    start = time.perf_counter()
    problem = _sized(sequence, sizes, weights)
    kept, bound = _relaxed(problem, time_limit)
    proof = "dual"
    upper = _checked_cost(problem, kept)
    covered = int((problem.gaps.last - problem.gaps.first + 1)[problem.gaps.covering].sum())
    if bound < upper and covered <= SMALL:
        better, solved = _integer(problem, time_limit)
        if better is not None and _checked_cost(problem, better) <= upper:
            kept, upper = better, _checked_cost(problem, better)
        if solved:
            bound, proof = upper, "solver"
    return BudgetOptimum(min(bound, upper), upper, kept, proof, time.perf_counter() - start)


def _sized(sequence: RequestSequence, sizes: Sequence[int], weights: Sequence[int | Fraction]) -> _Sized:
    instance = sequence.instance
    instance.require("the optimum of a budget", visits="sequential")
    pages, budget = instance.total_pages, instance.cache
    if len(sizes) != pages or len(weights) != pages:
        raise ModelError(f"{len(sizes)} sizes and {len(weights)} weights are given for {pages} pages")
    units = [whole_number(size, f"size of page {p}", 1, budget) for p, size in enumerate(sizes)]
    costs = [Fraction(weight) for weight in weights]
    if min(costs) <= 0:
        raise ModelError(f"weights must be positive, got {min(costs)}")
    scale = int(np.lcm.reduce([cost.denominator for cost in costs]))
    scaled = np.array([int(cost * scale) for cost in costs], dtype=np.int64)
    gaps = gaps_of(sequence)
    taken = np.array(units, dtype=np.int64)
    room = np.full(len(sequence), budget, dtype=np.int64)
    if not instance.bypassing:
        room -= taken[sequence.requests]
    ends = sequence.requests[gaps.ends]
    total = int(scaled[sequence.requests].sum())
    return _Sized(gaps, taken[ends], scaled[ends], room, total, scale)


def _checked_cost(problem: _Sized, kept: Flags) -> int | Fraction:
    """Return the cost of a choice of gaps, or refuse one that does not fit."""
    load = np.zeros(problem.gaps.steps + 1, dtype=np.int64)
    chosen = kept & problem.gaps.covering
    np.add.at(load, problem.gaps.first[chosen], problem.sizes[chosen])
    np.add.at(load, problem.gaps.last[chosen] + 1, -problem.sizes[chosen])
    if (np.cumsum(load[:-1]) > problem.room).any():
        raise SolverError("a solver's choice keeps more than the budget")
    return problem.cost(int(problem.saving[kept].sum()))


def _relaxed(problem: _Sized, time_limit: float | None) -> tuple[Flags, int | Fraction]:
    """Return a choice of gaps rounded from the linear program, and the lower bound of its rounded prices."""
    gaps, room = problem.gaps, problem.room
    chosen = np.flatnonzero(gaps.covering)
    kept = ~gaps.covering
    if not len(chosen):
        return kept, problem.cost(int(problem.saving.sum()))
    count, steps = len(chosen), gaps.steps
    sizes = problem.sizes[chosen].astype(float)
    # Differences of neighbouring rows: a gap has two entries instead of one per covered step, room left two.
    rows = np.concatenate(
        [gaps.first[chosen], gaps.last[chosen] + 1, np.arange(steps), np.arange(1, steps + 1)]
    )
    columns = np.concatenate([np.arange(count), np.arange(count), *[np.arange(steps) + count] * 2])
    values = np.concatenate([sizes, -sizes, np.ones(steps), -np.ones(steps)])
    matrix = coo_array((values, (rows, columns)), shape=(steps + 1, count + steps)).tocsr()[:-1]
    answer = linprog(
        np.concatenate([-problem.saving[chosen].astype(float), np.zeros(steps)]),
        A_eq=matrix,
        b_eq=np.diff(room, prepend=0),
        bounds=np.stack([np.zeros(count + steps), np.concatenate([np.ones(count), room])], axis=1),
        method="highs",
        options={} if time_limit is None else {"time_limit": time_limit},
    )
    fractions, prices = np.zeros(count), np.zeros(steps)
    if answer.status == 0:
        fractions = answer.x[:count]
        levels = -answer.eqlin.marginals
        prices = levels - np.append(levels[1:], 0.0)
    elif answer.status != 1:
        raise SolverError(f"HiGHS: {answer.message}")
    density = problem.saving[chosen] / (problem.sizes[chosen] * (gaps.last - gaps.first + 1)[chosen])
    order = np.lexsort((-density, -np.round(fractions, 9)))
    fits = keep_what_fits(gaps.first[chosen], gaps.last[chosen], problem.sizes[chosen], room, order)
    kept[chosen] = fits
    return kept, _bound_of(problem, prices)


def _bound_of(problem: _Sized, prices: NDArray[np.float64]) -> int | Fraction:
    """Add up what prices ≥ 0 of a unit of room at every step prove, exactly."""
    whole = [max(0, round(float(price) * FINE)) for price in prices]
    level = [0]
    for price in whole:
        level.append(level[-1] + price)
    saved = sum(price * room for price, room in zip(whole, problem.room.tolist(), strict=True))
    gaps = problem.gaps
    for first, last, size, worth in zip(
        gaps.first.tolist(), gaps.last.tolist(), problem.sizes.tolist(), problem.saving.tolist(), strict=True
    ):
        paid = size * (level[last + 1] - level[first]) if first <= last else 0
        saved += max(0, worth * FINE - paid)
    # The cost is a whole number of units 1/scale.
    least = -(-(problem.total * FINE - saved) // FINE)
    return problem.cost(problem.total - least)


def _integer(problem: _Sized, time_limit: float | None) -> tuple[Flags | None, bool]:
    """Solve the integer program: Σ size·x ≤ room at every step."""
    gaps = problem.gaps
    model = pulp.LpProblem("budget", pulp.LpMaximize)
    kept = [model.add_variable(f"keep_{end}", cat="Binary") for end in gaps.ends.tolist()]
    model += pulp.lpSum(w * x for w, x in zip(problem.saving.tolist(), kept, strict=True))
    covering: list[list[int]] = [[] for _ in range(gaps.steps)]
    for i, (first, last) in enumerate(zip(gaps.first.tolist(), gaps.last.tolist(), strict=True)):
        for step in range(first, last + 1):
            covering[step].append(i)
    sizes = problem.sizes.tolist()
    for step, room in enumerate(problem.room.tolist()):
        if sum(sizes[i] for i in covering[step]) > room:
            model += pulp.lpSum(sizes[i] * kept[i] for i in covering[step]) <= room
    solved = run_solver(model, "cbc", time_limit) == OPTIMAL
    values = [variable.value() for variable in kept]
    if any(value is None for value in values):
        return None, False
    return np.array([value > 0.5 for value in values], dtype=np.bool_), solved
