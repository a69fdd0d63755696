"""The answer to "what is OPT here, and how do I know?": an interval with a schedule and a dual behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from lp.dual import Dual, dual_of_kept, no_dual
from lp.gaps import Flags, Gaps
from lp.kernels.gaps import keep_earliest_ends
from paging.errors import InfeasibleScheduleError, LayeredPagingError, LimitError
from paging.model import RequestSequence, Schedule

OPTIMAL = "optimal"


class SolverError(LayeredPagingError, RuntimeError):
    """A solver is not installed, or failed."""


@dataclass(frozen=True)
class Solution:
    """What a route found: the kept gaps (None: nothing), its status in words, a dual if it has one."""

    kept: Flags | None
    status: str
    dual: Dual | None = None
    schedule: Schedule | None = None


Route = Callable[[Gaps, float | None], Solution]
"""A route takes the problem and a time limit in seconds (None: no limit)."""


class BetweenBounds:
    """An optimum that lies between two bounds, of which a subclass says how they were found."""

    lower: int | Fraction
    upper: int | Fraction
    status: str
    seconds: float

    @property
    def found_by(self) -> str:
        """How the bounds were found."""
        return ""

    @property
    def exact(self) -> bool:
        """Whether the bounds meet."""
        return self.lower == self.upper

    @property
    def value(self) -> int | Fraction:
        """The optimum.

        Raises
        ------
        LimitError
            The bounds do not meet: an interval is not a number.
        """
        if not self.exact:
            how = f" ({self.found_by})" if self.found_by else ""
            raise LimitError(f"OPT is only known to lie in {self.lower} … {self.upper}{how}")
        return self.upper


@dataclass(frozen=True, eq=False)
class Optimum(BetweenBounds):
    """The offline optimum of a sequence, or an interval around it.

    The bounds never rest on a solver's word: ``upper`` is counted from the schedule and ``lower`` is added up
    from the dual.

    Attributes
    ----------
    gaps : Gaps
        The problem: sequence, weights, shares.
    route : str
        How it was solved.
    status : str
        ``"optimal"``, or what stopped the route; the bounds may meet all the same.
    lower, upper : int or Fraction
        OPT lies in between; equal once solved.
    schedule : Schedule
        Costs ``upper``.
    dual : Dual
        Proves ``lower``.
    seconds : float
        Wall-clock time of the route and of building its proof.
    """

    gaps: Gaps = field(repr=False)
    route: str
    status: str
    lower: int | Fraction
    upper: int | Fraction
    schedule: Schedule = field(repr=False)
    dual: Dual = field(repr=False)
    seconds: float

    @property
    def sequence(self) -> RequestSequence:
        """The requests."""
        return self.gaps.sequence

    @property
    def found_by(self) -> str:
        """The route, and its status."""
        return f"route {self.route}: {self.status}"


def solve(gaps: Gaps, name: str, route: Route, time_limit: float | None) -> Optimum:
    """Run a route and turn what it found into bounds that stand by themselves."""
    start = time.perf_counter()
    found = route(gaps, time_limit)
    schedule = _best_schedule(gaps, found)
    upper = gaps.cost(schedule)
    lower, dual = _best_dual(gaps, found, schedule, upper)
    status = found.status
    if lower < upper and status == OPTIMAL:
        status = "the solver reports an optimum, but its solution could not be proved optimal"
    seconds = time.perf_counter() - start
    return Optimum(
        gaps, name, status, _unscaled(lower, gaps), _unscaled(upper, gaps), schedule, dual, seconds
    )


def _unscaled(value: int, gaps: Gaps) -> int | Fraction:
    return value if gaps.weights is None else gaps.weights.unscaled(value)


def _best_schedule(gaps: Gaps, found: Solution) -> Schedule:
    """Return the route's schedule, or a cheaper one of a simple rule if the route did not finish."""
    candidates = [] if found.schedule is None else [found.schedule]
    if found.kept is not None and not candidates:
        try:
            candidates = [gaps.schedule(found.kept)]
        except InfeasibleScheduleError:
            if found.status == OPTIMAL:
                raise SolverError("the solver's optimum keeps more pages than there are slots") from None
    if found.status != OPTIMAL:
        candidates.append(gaps.schedule(keep_earliest_ends(gaps.first, gaps.last, gaps.slots)))
    return min(candidates, key=gaps.cost)


def _best_dual(gaps: Gaps, found: Solution, schedule: Schedule, cost: int) -> tuple[int, Dual]:
    """Return the largest lower bound at hand, with its dual; the first that meets the cost will do."""
    best = -1, no_dual()
    for dual in _duals(gaps, found, schedule):
        bound = dual.bound(gaps)
        if bound > best[0]:
            best = bound, dual
        if bound == cost:
            break
    return best


def _duals(gaps: Gaps, found: Solution, schedule: Schedule) -> Iterator[Dual]:
    if found.dual is not None:
        yield found.dual
    if found.status == OPTIMAL:
        # The gaps kept by the schedule, not by the solver: it may keep more by chance.
        proof = dual_of_kept(gaps, gaps.hits(schedule))
        if proof is not None:
            yield proof
    yield _unit_dual(gaps)
    yield no_dual()


def _unit_dual(gaps: Gaps) -> Dual:
    """Return the dual of the unit-cost problem, scaled by the least weight: a bound without any solver."""
    kept = keep_earliest_ends(gaps.first, gaps.last, gaps.slots)
    unit = Gaps(gaps.sequence.with_weights(None), gaps.shares, gaps.ends, gaps.first, gaps.last, gaps.slots)
    dual = dual_of_kept(unit, kept)
    assert dual is not None, "the greedy choice is optimal at unit cost"
    least = 1 if gaps.weights is None else int(gaps.weights.scaled.min())
    return Dual(dual.steps, dual.values * np.int64(least))
