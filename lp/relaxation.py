"""The linear program, solved by HiGHS as shipped with scipy: fractional optimum and dual prices."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from lp.dual import Dual, dual_of_levels
from lp.flow import node_supplies
from lp.gaps import Gaps
from lp.result import OPTIMAL, Solution, SolverError


@dataclass(frozen=True)
class Relaxation:
    """A solution of the linear program in floating point.

    Attributes
    ----------
    value : float
        Least fractional cost. The constraint matrix is totally unimodular, so this is OPT up to rounding.
    fractions : ndarray of float, shape (m,)
        How much of every gap is kept.
    prices : ndarray of float, shape (steps,)
        Dual price of a slot at every step.
    """

    value: float
    fractions: NDArray[np.float64] = field(repr=False)
    prices: NDArray[np.float64] = field(repr=False)


def solve_relaxation(gaps: Gaps, time_limit: float | None = None) -> Relaxation | None:
    """Solve the linear relaxation, or return None when the time limit strikes.

    Parameters
    ----------
    gaps : Gaps
        The problem, at unit cost or weighted.
    time_limit : float, optional
        Seconds.

    Raises
    ------
    SolverError
        HiGHS fails.

    Notes
    -----
    Solved in its network form (see :mod:`lp.flow`), which has two entries per gap instead of one per covered
    step.

    Examples
    --------
    >>> from lp.gaps import gaps_of
    >>> from paging.model import LayeredInstance, RequestSequence
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> round(solve_relaxation(gaps_of(sequence)).value, 6)
    4.0
    """
    chosen = np.flatnonzero(gaps.covering)
    fractions = np.where(gaps.covering, 0.0, 1.0)
    if not len(chosen):
        return Relaxation(_cost(gaps, fractions), fractions, np.zeros(gaps.steps))
    answer = linprog(
        np.concatenate([-gaps.saving[chosen] / gaps.scale, np.zeros(gaps.steps)]),
        A_eq=_incidence(gaps, chosen),
        b_eq=node_supplies(gaps),
        bounds=np.stack(
            [
                np.zeros(len(chosen) + gaps.steps),
                np.concatenate([np.ones(len(chosen)), gaps.slots]),
            ],
            axis=1,
        ),
        method="highs-ds",
        options={} if time_limit is None else {"time_limit": time_limit},
    )
    if answer.status == 1:
        return None
    if answer.status != 0:
        raise SolverError(f"HiGHS: {answer.message}")
    fractions[chosen] = answer.x[: len(chosen)]
    return Relaxation(_cost(gaps, fractions), fractions, np.diff(-answer.eqlin.marginals))


def _incidence(gaps: Gaps, chosen: NDArray[np.int64]) -> coo_array:
    """Return the node–arc matrix: columns are the gaps, then the free slots of every step."""
    steps = np.arange(gaps.steps)
    tails = np.concatenate([gaps.first[chosen], steps])
    heads = np.concatenate([gaps.last[chosen] + 1, steps + 1])
    columns = np.arange(len(tails))
    ones = np.ones(len(tails))
    return coo_array(
        (np.concatenate([ones, -ones]), (np.concatenate([tails, heads]), np.concatenate([columns, columns]))),
        shape=(gaps.steps + 1, len(tails)),
    )


def _cost(gaps: Gaps, fractions: NDArray[np.float64]) -> float:
    return float(gaps.total / gaps.scale - (gaps.saving / gaps.scale * fractions).sum())


def scipy_lp(gaps: Gaps, time_limit: float | None = None) -> Solution:
    """Solve by the linear program; schedule and dual are rounded and then counted exactly."""
    found = solve_relaxation(gaps, time_limit)
    if found is None:
        return Solution(None, f"the time limit of {time_limit} s struck")
    return Solution(found.fractions > 0.5, OPTIMAL, _rounded(gaps, found))


def _rounded(gaps: Gaps, found: Relaxation) -> Dual:
    # Rounding prefix sums, not prices, keeps an integral solution integral whatever the noise of each price.
    levels = np.rint(np.cumsum(np.concatenate([[0.0], found.prices])) * gaps.scale)
    return dual_of_levels(np.maximum.accumulate(levels.astype(np.int64)))
