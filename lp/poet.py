"""Recompute it, or page it in? POET's integer program over stages and nodes, written to be read.

The nodes of a computation are computed in their order, one new node a *stage*. What a node needs must be in
memory; what is not there any more is computed again or fetched from storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Rational
from typing import NamedTuple

import numpy as np
import pulp
from numpy.typing import NDArray

from lp.ilp import Variable, run_solver
from lp.result import OPTIMAL, SolverError
from paging.arguments import checked
from paging.errors import InfeasibleScheduleError, ModelError
from paging.model import RequestSequence, whole_number

Flags = NDArray[np.bool_]
Number = int | Fraction

MOST_NODES = 60
"""Nodes that are taken: there are about 6·N²/2 variables for N of them."""


class Computation(NamedTuple):
    """A node: one result to be computed; costs are exact and ≥ 0.

    Attributes
    ----------
    name : str
        For display.
    inputs : tuple of int
        Numbers of earlier nodes whose results it needs in memory.
    memory : int
        Units of memory that its result takes.
    compute : int or Fraction
        Cost of computing it once.
    page_in, page_out : int, Fraction or None
        Cost of fetching its result from storage, and of writing it there; None: it cannot be.
    time : int or Fraction
        What computing it takes of the deadline.
    """

    name: str
    inputs: tuple[int, ...] = ()
    memory: int = 1
    compute: Number = 1
    page_in: Number | None = None
    page_out: Number = 0
    time: Number = 1


@dataclass(frozen=True, eq=False)
class StagePlan:
    """What happens in every stage, and what it costs.

    Attributes
    ----------
    nodes : tuple of Computation
        What is computed.
    budget : int
        Units of memory.
    computed, kept, stored, fetched, written : ndarray of bool, shape (stages, nodes)
        R, S_RAM and S_SD at the beginning of the stage, M_in and M_out of the program.
    status : str
        ``"optimal"``, or what stopped the solver.
    """

    nodes: tuple[Computation, ...]
    budget: int
    computed: Flags = field(repr=False)
    kept: Flags = field(repr=False)
    stored: Flags = field(repr=False)
    fetched: Flags = field(repr=False)
    written: Flags = field(repr=False)
    status: str = OPTIMAL

    @property
    def cost(self) -> Number:
        """Σ compute + page-in + page-out, counted anew."""
        total = Fraction(0)
        for i, node in enumerate(self.nodes):
            total += int(self.computed[:, i].sum()) * Fraction(node.compute)
            total += int(self.fetched[:, i].sum()) * Fraction(node.page_in or 0)
            total += int(self.written[:, i].sum()) * Fraction(node.page_out)
        return total.numerator if total.denominator == 1 else total

    def check(self) -> int:
        """Carry the plan out and return the most memory that it takes.

        Raises
        ------
        InfeasibleScheduleError
            Something is needed that is not there, or the memory does not suffice.
        """
        count, most = len(self.nodes), 0
        memory, storage = set[int](), set[int]()
        for t in range(count):
            here, after = _numbers(self.kept[t]), _numbers(self.kept[t + 1]) if t + 1 < count else set[int]()
            self._need(here <= memory, t, "keeps what is not in memory")
            self._need(_numbers(self.stored[t]) <= storage, t, "stores what was not written")
            storage = _numbers(self.stored[t])
            memory = set(here)
            order = sorted(_numbers(self.computed[t]))
            self._need(t in order, t, "does not compute its own node")
            for place, i in enumerate(order):
                self._need(set(self.nodes[i].inputs) <= memory, t, f"lacks an input of {self.nodes[i].name}")
                memory.add(i)
                most = max(most, sum(self.nodes[q].memory for q in memory))
                later = set().union(*(self.nodes[j].inputs for j in order[place + 1 :]))
                ended = {i, *self.nodes[i].inputs} - later - after
                memory -= ended
            self._need(_numbers(self.fetched[t]) <= storage, t, "fetches what is not stored")
            self._need(_numbers(self.written[t]) <= here, t, "writes what is not in memory")
            memory |= _numbers(self.fetched[t])
            storage |= _numbers(self.written[t])
        self._need(most <= self.budget, count - 1, f"takes {most} units of memory of {self.budget}")
        return most

    def _need(self, holds: bool, stage: int, problem: str) -> None:
        if not holds:
            raise InfeasibleScheduleError(f"stage {stage} {problem}")

    def __str__(self) -> str:
        """Return a picture: a row a stage, a column a node.

        ``C`` computed, ``c`` computed again, ``·`` in memory, ``<`` fetched from storage for the next stage,
        ``>`` in memory and written to storage.
        """
        width = max(len(node.name) for node in self.nodes) + 1
        lines = ["stage " + "".join(node.name.rjust(width) for node in self.nodes)]
        for t in range(len(self.nodes)):
            marks = []
            for i in range(len(self.nodes)):
                mark = " "
                if self.kept[t, i]:
                    mark = "·"
                if self.written[t, i]:
                    mark = ">"
                if self.computed[t, i]:
                    mark = "C" if i == t else "c"
                if self.fetched[t, i]:
                    mark = "<"
                marks.append(mark.rjust(width))
            lines.append(f"{t:>5} " + "".join(marks).rstrip())
        return "\n".join(lines)


def _numbers(flags: Flags) -> set[int]:
    return set(np.flatnonzero(flags).tolist())


class Variables(NamedTuple):
    """The variables of the program by stage and node; None where there is none, which counts as 0."""

    computed: list[list[Variable | None]]
    kept: list[list[Variable | None]]
    stored: list[list[Variable | None]]
    fetched: list[list[Variable | None]]
    written: list[list[Variable | None]]


def poet_model(
    nodes: Sequence[Computation], budget: int, deadline: Number | None = None
) -> tuple[pulp.LpProblem, Variables]:
    """Return POET's program: R, S_RAM, S_SD, M_in, M_out, Free and U; docs/poet.md states the constraints."""
    problem, count = pulp.LpProblem("poet", pulp.LpMinimize), len(nodes)
    stages = range(count)
    paged = [node.page_in is not None for node in nodes]

    def table(name: str, lead: int, wanted: Sequence[bool]) -> list[list[Variable | None]]:
        # Nothing is known of a node before its stage: entry (t, i) exists for i ≤ t − lead.
        return [
            [
                problem.add_variable(f"{name}_{t}_{i}", cat="Binary") if i <= t - lead and wanted[i] else None
                for i in stages
            ]
            for t in stages
        ]

    everything = [True] * count
    r, ram = table("R", 0, everything), table("SRam", 1, everything)
    disk, fetched, written = table("SSd", 1, paged), table("MIn", 1, paged), table("MOut", 1, paged)
    users = [[v for v in stages if u in nodes[v].inputs] for u in stages]
    problem += pulp.lpSum(
        float(cost) * variable
        for t in stages
        for i, node in enumerate(nodes)
        for cost, variable in (
            (node.compute, r[t][i]),
            (node.page_in or 0, fetched[t][i]),
            (node.page_out, written[t][i]),
        )
        if variable is not None
    )
    for t in stages:
        problem += _of(r[t][t]) == 1
        for v in range(t + 1):
            for u in nodes[v].inputs:
                problem += _of(r[t][v]) <= _of(r[t][u]) + _of(ram[t][u])
        for i in range(t + 1):
            if t + 1 < count:
                problem += _of(ram[t + 1][i]) <= _of(ram[t][i]) + _of(r[t][i]) + _of(fetched[t][i])
                if disk[t + 1][i] is not None:
                    problem += _of(disk[t + 1][i]) <= _of(disk[t][i]) + _of(written[t][i])
            if fetched[t][i] is not None:
                problem += _of(fetched[t][i]) <= _of(disk[t][i])
                problem += _of(written[t][i]) <= _of(ram[t][i])
        used = pulp.lpSum(nodes[i].memory * _of(ram[t][i]) for i in range(t))
        for i in range(t + 1):
            used = used + nodes[i].memory * _of(r[t][i])
            problem += used <= budget
            for u in (*nodes[i].inputs, i):
                free = problem.add_variable(f"Free_{t}_{i}_{u}", cat="Binary")
                later = [v for v in users[u] if i < v <= t]
                kept = _of(ram[t + 1][u]) if t + 1 < count else 0
                hazard = 1 - _of(r[t][i]) + kept + pulp.lpSum(_of(r[t][v]) for v in later)
                problem += 1 - free <= hazard
                problem += hazard <= (2 + len(later)) * (1 - free)
                used = used - nodes[u].memory * free
    if deadline is not None:
        problem += pulp.lpSum(
            float(node.time) * _of(r[t][i]) for t in stages for i, node in enumerate(nodes[: t + 1])
        ) <= float(deadline)
    return problem, Variables(r, ram, disk, fetched, written)


def _of(variable: Variable | None) -> Variable | int:
    return 0 if variable is None else variable


@checked
def best_plan(
    nodes: Sequence[Computation],
    budget: int,
    *,
    deadline: int | Fraction | None = None,
    solver: str = "cbc",
    time_limit: float | None = None,
) -> StagePlan:
    """Return the cheapest way to compute all nodes within a memory budget.

    Parameters
    ----------
    nodes : sequence of Computation
        In the order in which they are computed.
    budget : int
        Units of memory.
    deadline : int or Fraction, optional
        Most time of all computations together.
    solver : {"cbc", "highs"}
        Solver of the integer program.
    time_limit : float, optional
        Seconds for the solver.

    Returns
    -------
    StagePlan
        Carried out and counted anew here; that no other is cheaper is the solver's word, unless ``status``
        says that it was stopped.

    Raises
    ------
    ModelError
        A node needs one that is not before it, a number is out of range, or there are too many nodes.
    SolverError
        The budget or the deadline allows no plan, or a solver is not installed or failed.

    Examples
    --------
    A result that is needed again at the end, memory for two: it is computed twice, or kept in storage.

    >>> chain = [Computation("a"), Computation("b", (0,)), Computation("c", (1,))]
    >>> chain.append(Computation("d", (0, 2), memory=0))
    >>> best_plan(chain, 2).cost, best_plan(chain, 3).cost
    (5, 4)
    >>> chain[0] = Computation("a", page_in=Fraction(1, 4))
    >>> plan = best_plan(chain, 2)
    >>> plan.cost
    Fraction(17, 4)
    >>> print(plan)
    stage  a b c d
        0  C
        1  > C
        2  < · C
        3  ·   · C

    References
    ----------
    PJDSG2022: the integer program
    """
    listed = _checked_nodes(nodes)
    budget = whole_number(budget, "budget", 0, 2**31 - 1)
    if deadline is not None and deadline < 0:
        raise ModelError(f"deadline must be a number ≥ 0, got {deadline}")
    if time_limit is not None and not time_limit > 0:
        raise ModelError(f"the time limit must be a positive number of seconds, got {time_limit}")
    problem, variables = poet_model(listed, budget, deadline)
    try:
        status = run_solver(problem, solver, time_limit)
    except SolverError as error:
        if problem.status == pulp.LpStatusInfeasible:
            also = "" if deadline is None else f" and a deadline of {deadline}"
            raise SolverError(f"no plan fits a memory of {budget} units{also}") from None
        raise error
    if variables.computed[0][0].value() is None:  # type: ignore[union-attr]
        raise SolverError(f"{solver} found no plan: {status}")
    computed, kept, stored, fetched, written = (
        np.array([[v is not None and v.value() > 0.5 for v in row] for row in table], dtype=np.bool_)
        for table in variables
    )
    plan = StagePlan(listed, budget, computed, kept, stored, fetched, written, status)
    plan.check()
    return plan


def _checked_nodes(nodes: Sequence[Computation]) -> tuple[Computation, ...]:
    if not 1 <= len(nodes) <= MOST_NODES:
        raise ModelError(f"1 … {MOST_NODES} nodes are taken, got {len(nodes)}")
    for i, node in enumerate(nodes):
        if not isinstance(node, Computation):
            raise ModelError(f"node {i} must be a Computation, got {node!r}")
        for u in node.inputs:
            whole_number(u, f"an input of node {i} ({node.name})", 0, i - 1)
        whole_number(node.memory, f"memory of node {i} ({node.name})", 0, 2**31 - 1)
        for name in ("compute", "page_in", "page_out", "time"):
            value = getattr(node, name)
            if value is None and name == "page_in":
                continue
            if isinstance(value, bool) or not isinstance(value, Rational) or value < 0:
                raise ModelError(
                    f"{name} of node {i} ({node.name}) must be a whole number or a Fraction ≥ 0, "
                    f"got {value!r}"
                )
    return tuple(nodes)


@checked
def nodes_of_paging(
    sequence: RequestSequence, compute: int | Fraction = 1, page_in: int | Fraction | None = None
) -> list[Computation]:
    """Return paging as a computation: a page is a node before its first request, a request one that needs it.

    The memory budget is the cache. Computing a page is loading it, so at cost 1, without storage, the best
    plan costs OPT; with storage a later miss is served the cheaper way.

    Parameters
    ----------
    sequence : RequestSequence
        Forced service, sequential visits.
    compute, page_in : int or Fraction
        Cost of loading a page, and of fetching from storage a page that was loaded before (writing it there
        is free); None: there is no storage.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
    >>> best_plan(nodes_of_paging(sequence), sequence.instance.cache).cost
    3
    """
    sequence.instance.require("paging as a computation", service="forced", visits="sequential")
    nodes: list[Computation] = []
    of_page: dict[int, int] = {}
    for t, page in enumerate(sequence):
        if page not in of_page:
            of_page[page] = len(nodes)
            nodes.append(Computation(sequence.instance.page_name(page), (), 1, compute, page_in))
        nodes.append(Computation(f"t{t}", (of_page[page],), 0, 0))
    return nodes
