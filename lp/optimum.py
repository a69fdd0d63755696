"""One call for the offline optimum, by any of several independent routes."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Sequence

from lp.gaps import Gaps, gaps_of
from lp.kernels.gaps import keep_earliest_ends
from lp.result import OPTIMAL, Optimum, Route, Solution, solve
from paging.arguments import checked
from paging.errors import ModelError, UnknownNameError, UnsupportedModelError
from paging.model import RequestSequence
from paging.offline import farthest_in_future
from paging.weights import Weights


def farthest(gaps: Gaps, time_limit: float | None = None) -> Solution:
    """Solve by farthest-in-future (unit cost): a page leaves whose next request, or visit, is farthest away.

    For atomic visits and for a fixed split the same rule is applied to gaps: where too many are kept, the one
    that ends last is dropped. It never takes long enough for a time limit to matter.
    """
    if gaps.weights is not None:
        raise UnsupportedModelError("farthest-in-future is optimal at unit cost only; take lp or flow")
    if gaps.shares is None and gaps.sequence.instance.visits == "sequential":
        schedule = farthest_in_future(gaps.sequence, record=True).schedule
        return Solution(gaps.hits(schedule), OPTIMAL, schedule=schedule)
    return Solution(keep_earliest_ends(gaps.first, gaps.last, gaps.slots), OPTIMAL)


def _imported(module: str, function: str, **settings: str) -> Route:
    """Return a route whose module, and with it a solver, is imported only when the route is taken."""

    def route(gaps: Gaps, time_limit: float | None = None) -> Solution:
        solution = getattr(importlib.import_module(module), function)(gaps, time_limit, **settings)
        assert isinstance(solution, Solution)
        return solution

    return route


ROUTES: dict[str, Route] = {
    "farthest": farthest,
    "paths": _imported("lp.paths", "shortest_paths"),
    "lp": _imported("lp.relaxation", "scipy_lp"),
    "flow": _imported("lp.flow", "networkx_flow"),
    "flow-ortools": _imported("lp.flow", "ortools_flow"),
    "ilp": _imported("lp.ilp", "interval_ilp"),
    "ilp-highs": _imported("lp.ilp", "interval_ilp", solver="highs"),
    "ilp-time": _imported("lp.ilp", "time_expanded_ilp"),
    "ilp-time-highs": _imported("lp.ilp", "time_expanded_ilp", solver="highs"),
}
"""Routes by name; all give the same optimum, each with its own schedule."""


@checked
def optimum(
    sequence: RequestSequence,
    *,
    route: str = "auto",
    weights: Weights | Iterable[object] | None = None,
    shares: Sequence[int] | None = None,
    time_limit: float | None = None,
) -> Optimum:
    """Return the offline optimum of a sequence with its proof: a schedule and an integer dual.

    Parameters
    ----------
    sequence : RequestSequence
        The requests, in any variant of the model.
    route : str, default "auto"
        ``farthest`` (unit cost), ``paths`` (successive shortest paths, compiled), ``lp`` (HiGHS as shipped
        with scipy), ``flow`` (NetworkX), ``flow-ortools``, ``ilp`` (PuLP, interval formulation, CBC),
        ``ilp-highs``, ``ilp-time`` (PuLP, time-expanded formulation) or ``ilp-time-highs``. ``auto`` is
        ``farthest`` at unit cost, with weights ``paths``, or ``lp`` if there is a time limit.
    weights : Weights or iterable of int, Fraction or str, optional
        Cost of a fault per page, positive and exact (see :func:`paging.exact_weights`); default those of the
        instance.
    shares : sequence of int, optional
        Slots of every layer for a fixed split; default one shared cache.
    time_limit : float, optional
        Seconds for the solver; when it strikes, the answer is an interval.

    Returns
    -------
    Optimum
        ``lower = upper`` unless something stopped the solver.

    Raises
    ------
    UnknownNameError
        No such route.
    UnsupportedModelError
        The route does not solve this variant.
    ModelError
        Weights, shares or the time limit are not allowed.
    SolverError
        A solver is not installed, or failed.

    Notes
    -----
    Both bounds are recounted in integers, the upper one from the schedule and the lower one from the dual, so
    no solver is trusted. ``farthest`` takes about half a second for a million requests.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> found = optimum(sequence)
    >>> found.value, found.route, found.schedule.entries.tolist()
    (4, 'farthest', [-1, -1, 1, -2, 0, -2])
    >>> optimum(sequence, weights=[5, 1, 1], route="lp").value
    8
    """
    if time_limit is not None and not (time_limit > 0 and math.isfinite(time_limit)):
        raise ModelError(f"the time limit must be a positive number of seconds, got {time_limit}")
    if weights is not None:
        sequence = sequence.with_weights(weights)
    name = route
    if route == "auto":
        name = "farthest" if sequence.instance.weights is None else "paths" if time_limit is None else "lp"
    if name not in ROUTES:
        raise UnknownNameError("route", route, ["auto", *ROUTES])
    return solve(gaps_of(sequence, shares=shares), name, ROUTES[name], time_limit)
