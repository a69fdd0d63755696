"""Minimum-cost flow: slots flow along the time line, and a kept gap is a detour that saves a fault.

Node u lies before step u. Arc u → u + 1 carries the free slots of step u at no cost; a gap over steps a … b
is an arc a → b + 1 of capacity 1 and cost −w. All slots of step u cross between node u and node u + 1, so at
most that many gaps are kept there. Where the number of slots changes, the difference enters or leaves.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from lp.gaps import Flags, Gaps, Integers
from lp.result import OPTIMAL, Solution, SolverError
from paging.errors import ModelError


def node_supplies(gaps: Gaps) -> Integers:
    """Return what enters the network at every node, shape (steps + 1,)."""
    return np.diff(gaps.slots, prepend=0, append=0)


def flow_network(gaps: Gaps) -> nx.MultiDiGraph:
    """Return the network as a NetworkX graph: node demands, arc capacities and weights, Python ints only.

    Gap i is the arc with key i; the arc of free slots has key ``"free"``.
    """
    graph = nx.MultiDiGraph()
    # Python ints throughout: with floats or numpy numbers the network simplex may loop for ever.
    for node, supply in enumerate(node_supplies(gaps).tolist()):
        graph.add_node(node, demand=-supply)
    for step, slots in enumerate(gaps.slots.tolist()):
        graph.add_edge(step, step + 1, key="free", capacity=slots, weight=0)
    arcs = zip(gaps.first.tolist(), gaps.last.tolist(), gaps.saving.tolist(), strict=True)
    for gap, (first, last, saving) in enumerate(arcs):
        if first <= last:
            graph.add_edge(first, last + 1, key=gap, capacity=1, weight=-saving)
    return graph


def networkx_flow(gaps: Gaps, time_limit: float | None = None) -> Solution:
    """Solve by NetworkX's network simplex: for reading, and for some thousand requests."""
    _no_limit("flow", time_limit)
    kept = ~gaps.covering
    if gaps.steps:
        _, flow = nx.network_simplex(flow_network(gaps))
        for gap in np.flatnonzero(gaps.covering).tolist():
            kept[gap] = flow[int(gaps.first[gap])][int(gaps.last[gap]) + 1][gap] == 1
    return Solution(kept, OPTIMAL)


def ortools_flow(gaps: Gaps, time_limit: float | None = None) -> Solution:
    """Solve by OR-tools' SimpleMinCostFlow (cost scaling): for size; needs the extra ``ortools``.

    Raises
    ------
    SolverError
        OR-tools is not installed, or does not report an optimum.
    """
    _no_limit("flow-ortools", time_limit)
    try:
        from ortools.graph.python import min_cost_flow  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise SolverError(
            f"route flow-ortools needs OR-tools ({error}): pip install 'layered-paging[ortools]'"
        ) from None
    solver = min_cost_flow.SimpleMinCostFlow()
    chosen = np.flatnonzero(gaps.covering)
    steps = np.arange(gaps.steps)
    solver.add_arcs_with_capacity_and_unit_cost(steps, steps + 1, gaps.slots, np.zeros_like(gaps.slots))
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        gaps.first[chosen].astype(np.int64),
        gaps.last[chosen].astype(np.int64) + 1,
        np.ones(len(chosen), dtype=np.int64),
        -gaps.saving[chosen],
    )
    solver.set_nodes_supplies(np.arange(gaps.steps + 1), node_supplies(gaps))
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise SolverError(f"OR-tools reports the status {status} instead of an optimum")
    return Solution(_with_flow(gaps, chosen, solver.flows(arcs)), OPTIMAL)


def _with_flow(gaps: Gaps, chosen: np.ndarray, flows: np.ndarray) -> Flags:
    kept = ~gaps.covering
    kept[chosen] = flows == 1
    return kept


def _no_limit(route: str, time_limit: float | None) -> None:
    if time_limit is not None:
        raise ModelError(f"route {route} cannot be stopped after a time limit; take lp or ilp")
