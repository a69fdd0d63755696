"""Integer programs in PuLP, written to be read: which gaps to keep, and which pages to hold at every step."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import pulp

from lp.gaps import Flags, Gaps
from lp.result import OPTIMAL, Solution, SolverError

Variable: TypeAlias = pulp.LpVariable


def interval_model(gaps: Gaps, name: str = "intervals") -> tuple[pulp.LpProblem, list[Variable]]:
    """Return the interval formulation: x_i = 1 if gap i is kept.

    Maximise the saved faults Σ w·x, with at every step no more kept gaps than slots. Steps whose gaps fit in
    any case get no constraint.
    """
    problem = pulp.LpProblem(name, pulp.LpMaximize)
    kept = [problem.add_variable(f"{name}_keep_{end}", cat="Binary") for end in gaps.ends.tolist()]
    problem += pulp.lpSum(w * x for w, x in zip(gaps.saving.tolist(), kept, strict=True))
    covering = _covering(gaps)
    for step, slots in enumerate(gaps.slots.tolist()):
        if len(covering[step]) > slots:
            problem += pulp.lpSum(kept[i] for i in covering[step]) <= slots, f"{name}_step_{step}"
    return problem, kept


def _covering(gaps: Gaps) -> list[list[int]]:
    covering: list[list[int]] = [[] for _ in range(gaps.steps)]
    for i, (first, last) in enumerate(zip(gaps.first.tolist(), gaps.last.tolist(), strict=True)):
        for step in range(first, last + 1):
            covering[step].append(i)
    return covering


def time_expanded_model(gaps: Gaps, name: str = "caches") -> tuple[pulp.LpProblem, list[dict[int, Variable]]]:
    """Return the time-expanded formulation: c[v][p] = 1 if page p is cached after visit v.

    It knows nothing of gaps: after a visit its pages are cached (not so with bypassing), a page that was
    neither cached before nor requested is not cached, and at most k pages are. The cost is w(p) for every
    requested page that was not cached before the visit. For atomic visits all pages of a visit are present
    at once; for sequential ones every request is a visit of its own.
    """
    sequence, instance = gaps.sequence, gaps.sequence.instance
    group = instance.per_visit if instance.visits == "atomic" else 1
    requests = sequence.requests.tolist()
    pages = sorted(set(requests))
    weight = dict.fromkeys(pages, 1)
    if gaps.weights is not None:
        weight = {page: int(gaps.weights.scaled[page]) for page in pages}
    problem = pulp.LpProblem(name, pulp.LpMinimize)
    caches: list[dict[int, Variable]] = []
    cost = []
    for visit, start in enumerate(range(0, len(requests), group)):
        requested = set(requests[start : start + group])
        cached = {p: problem.add_variable(f"{name}_{visit}_{p}", cat="Binary") for p in pages}
        for page in pages:
            before = caches[-1][page] if caches else 0
            if page not in requested:
                problem += cached[page] <= before
            else:
                cost.append(weight[page] * (1 - before))
                if not instance.bypassing:
                    problem += cached[page] == 1
        for members, slots in _parts(gaps, pages):
            problem += pulp.lpSum(cached[p] for p in members) <= slots
        caches.append(cached)
    problem.setObjective(pulp.lpSum(cost))
    return problem, caches


def _parts(gaps: Gaps, pages: list[int]) -> Iterable[tuple[list[int], int]]:
    """Yield the groups of pages that share slots, and how many."""
    instance = gaps.sequence.instance
    if gaps.shares is None:
        yield pages, instance.cache
        return
    for layer, share in enumerate(gaps.shares):
        yield [p for p in pages if instance.layer_of[p] == layer], share


def solver_named(name: str, time_limit: float | None) -> pulp.LpSolver:
    """Return the PuLP solver ``cbc`` (as shipped with PuLP) or ``highs`` (extra ``highs``).

    Raises
    ------
    SolverError
        It is not installed.
    """
    if name == "cbc":
        # Up to PuLP 3 CBC comes with PuLP, from PuLP 4 on as the extra pulp[cbc].
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            shipped = getattr(pulp, "PULP_CBC_CMD", pulp.COIN_CMD)
            solver = shipped(msg=False, timeLimit=time_limit)
        hint = "the CBC shipped with PuLP does not run here; take another route"
    else:
        solver = pulp.HiGHS(msg=False, timeLimit=time_limit)
        hint = "HiGHS is not installed: pip install 'layered-paging[highs]'"
    if not solver.available():
        raise SolverError(hint)
    return solver


def run_solver(problem: pulp.LpProblem, name: str, time_limit: float | None) -> str:
    """Solve, and return ``"optimal"`` or what else happened; PuLP's problem status alone proves nothing."""
    try:
        problem.solve(solver_named(name, time_limit))
    except pulp.PulpSolverError as error:
        raise SolverError(f"{name}: {error}") from error
    if problem.sol_status == pulp.LpSolutionOptimal:
        return OPTIMAL
    if time_limit is not None:
        return f"the time limit of {time_limit} s struck"
    raise SolverError(f"{name} stopped with the status {pulp.LpStatus[problem.status]!r}")


def interval_ilp(gaps: Gaps, time_limit: float | None = None, solver: str = "cbc") -> Solution:
    """Solve the interval formulation."""
    if not gaps.covering.any():
        return Solution(np.ones(len(gaps), dtype=np.bool_), OPTIMAL)
    problem, kept = interval_model(gaps)
    status = run_solver(problem, solver, time_limit)
    return Solution(_taken(kept), status)


def time_expanded_ilp(gaps: Gaps, time_limit: float | None = None, solver: str = "cbc") -> Solution:
    """Solve the time-expanded formulation."""
    if not gaps.steps:
        return Solution(np.zeros(0, dtype=np.bool_), OPTIMAL)
    problem, caches = time_expanded_model(gaps)
    status = run_solver(problem, solver, time_limit)
    return Solution(kept_in_caches(gaps, caches), status)


def _taken(variables: Sequence[Variable]) -> Flags | None:
    values = [variable.value() for variable in variables]
    if any(value is None for value in values):
        return None
    return np.array([value > 0.5 for value in values], dtype=np.bool_)


def kept_in_caches(gaps: Gaps, caches: list[dict[int, Variable]]) -> Flags | None:
    """Return which gaps a solution of the time-expanded formulation keeps, or None without a solution."""
    requests, instance = gaps.sequence.requests.tolist(), gaps.sequence.instance
    group = instance.per_visit if instance.visits == "atomic" else 1
    kept = []
    for end in gaps.ends.tolist():
        # A page cannot appear unrequested, so cached just before the request means kept over the gap.
        value = caches[end // group - 1][requests[end]].value()
        if value is None:
            return None
        kept.append(value > 0.5)
    return np.array(kept, dtype=np.bool_)
