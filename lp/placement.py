"""Where every expert lives when nothing moves: the placement of experts on servers as an integer program.

A neighbour of paging: there pages move and one cache is near, here nothing moves and several places are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pulp

from lp.ilp import Variable, run_solver
from lp.result import SolverError
from paging.arguments import checked, is_kind
from paging.errors import ModelError
from paging.model import RequestSequence, whole_number

Table = Sequence[Sequence[int]]
"""Whole numbers ≥ 0, layer by layer."""

MOST = 2**31 - 1


@dataclass(frozen=True)
class Placement:
    """A best placement and what it costs.

    Attributes
    ----------
    servers : tuple of tuple of int
        The server of every expert, layer by layer.
    hops : int
        Σ frequency · hops of all experts, counted anew from ``servers``.
    """

    servers: tuple[tuple[int, ...], ...]
    hops: int


@checked
def request_counts(sequence: RequestSequence) -> tuple[tuple[int, ...], ...]:
    """Return how often every page is requested, layer by layer.

    >>> from paging.model import LayeredInstance
    >>> request_counts(RequestSequence(LayeredInstance(2, 2, 1), [0, 2, 1, 2]))
    ((1, 1), (2, 0))
    """
    instance = sequence.instance
    counts = np.bincount(sequence.requests, minlength=instance.total_pages)
    return tuple(tuple(part.tolist()) for part in np.split(counts, instance.first_page[1:-1]))


def placement_model(
    frequency: Table, hops: Table, room: Sequence[int | None], room_of_layer: Sequence[int | None]
) -> tuple[pulp.LpProblem, list[list[list[Variable]]]]:
    """Return the integer program: x[l][e][s] = 1 if expert e of layer l lives on server s.

    Minimise Σ f(l, e)·d(l, s)·x(l, e, s) with Σ_s x = 1 for every expert, Σ_e x ≤ ``room_of_layer[s]`` for
    every layer and server, and Σ_{l,e} x ≤ ``room[s]`` for every server.
    """
    problem = pulp.LpProblem("placement", pulp.LpMinimize)
    x = [
        [
            [problem.add_variable(f"x_{layer}_{expert}_{s}", cat="Binary") for s in range(len(room))]
            for expert in range(len(row))
        ]
        for layer, row in enumerate(frequency)
    ]
    problem += pulp.lpSum(
        f * d * here
        for row, distance, experts in zip(frequency, hops, x, strict=True)
        for f, places in zip(row, experts, strict=True)
        for d, here in zip(distance, places, strict=True)
    )
    for experts in x:
        for places in experts:
            problem += pulp.lpSum(places) == 1
        for s, most in enumerate(room_of_layer):
            if most is not None:
                problem += pulp.lpSum(places[s] for places in experts) <= most
    for s, most in enumerate(room):
        if most is not None:
            problem += pulp.lpSum(places[s] for experts in x for places in experts) <= most
    return problem, x


@checked
def best_placement(
    frequency: Sequence[Sequence[int]],
    hops: Sequence[Sequence[int]],
    room: Sequence[int | None],
    room_of_layer: Sequence[int | None] | None = None,
    *,
    solver: str = "cbc",
) -> Placement:
    """Place every expert on a server so that requests travel as few hops as possible.

    Parameters
    ----------
    frequency : sequence of sequence of int
        How often every expert is requested, layer by layer: :func:`request_counts` of a sequence.
    hops : sequence of sequence of int
        ``hops[l][s]``: from where layer l is routed to server s.
    room : sequence of int or None
        Most experts of each server; None for no limit.
    room_of_layer : sequence of int or None, optional
        Most experts of one layer on each server.
    solver : {"cbc", "highs"}
        Solver of the integer program.

    Returns
    -------
    Placement
        Of least cost if the solver is right; the cost is counted from the placement.

    Raises
    ------
    ModelError
        The tables do not fit one another, a number is out of range, or the experts do not fit.
    SolverError
        A solver is not installed, or failed.

    Examples
    --------
    Two servers, one hop apart; each layer is routed on its own server and has room for two experts.

    >>> best_placement([[5, 1], [4, 3]], hops=[[0, 1], [1, 0]], room=[2, 2])
    Placement(servers=((0, 0), (1, 1)), hops=0)

    With room for one near expert in all, the one requested most often is near: a cache of one page that
    never changes.

    >>> best_placement([[5, 1], [4, 3]], hops=[[0, 1], [0, 1]], room=[1, None])
    Placement(servers=((0, 1), (1, 1)), hops=8)

    References
    ----------
    SKO2025: the problem, from its description; the formulation is ours
    """
    counts = _table(frequency, "frequency")
    distances = _table(hops, "hops")
    most = [_room(value, f"room of server {s}") for s, value in enumerate(room)]
    each = [None] * len(most) if room_of_layer is None else list(room_of_layer)
    each = [_room(value, f"room of a layer on server {s}") for s, value in enumerate(each)]
    if not most or {len(row) for row in distances} != {len(most)} or len(each) != len(most):
        raise ModelError(f"hops and room_of_layer must have one number for each of {len(most)} servers")
    if len(counts) != len(distances):
        raise ModelError(f"hops lists {len(distances)} layers, frequency {len(counts)}")
    problem, x = placement_model(counts, distances, most, each)
    try:
        run_solver(problem, solver, None)
    except SolverError:
        if problem.status == pulp.LpStatusInfeasible:
            raise ModelError(f"{sum(map(len, counts))} experts do not fit the rooms of the servers") from None
        raise
    servers = tuple(
        tuple(max(range(len(places)), key=lambda s: places[s].value()) for places in experts) for experts in x
    )
    total = sum(
        f * distance[s]
        for row, distance, chosen in zip(counts, distances, servers, strict=True)
        for f, s in zip(row, chosen, strict=True)
    )
    return Placement(servers, total)


def _table(rows: Table, name: str) -> list[list[int]]:
    for j, row in enumerate(rows):
        if not is_kind(row, Iterable):
            raise ModelError(f"{name} of layer {j} must be a list of numbers, got {row!r}")
    table = [
        [whole_number(value, f"{name} of layer {j}", 0, MOST) for value in row] for j, row in enumerate(rows)
    ]
    if not table or not all(table):
        raise ModelError(f"{name} must list at least one number for every layer")
    return table


def _room(value: int | None, name: str) -> int | None:
    return None if value is None else whole_number(value, name, 0, MOST)
