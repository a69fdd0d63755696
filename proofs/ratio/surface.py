"""All trade-offs of a policy with predictions at once: a polyhedron, found by cutting planes.

Every cycle of the policy's graph beside all references says faults ≤ α·reference + β·wrong 0 + γ·wrong 1 for
what it counts, and (α, β, γ) is attained if and only if none says no. So what is attained is a polyhedron,
unbounded upwards. Vertices of what is known so far are tried; a cycle that one of them fails is another side.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from adversary.cycles.max_ratio import Objective, best_cycle
from adversary.cycles.predicted_graph import Coefficients, beyond
from paging.arguments import checked
from paging.errors import LimitError
from paging.model import LayeredInstance, whole_number
from paging.numbers import exact_text, number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, Watch
from proofs.ratio.trade_off import NAMES, TradeOffCycle, TradeOffSearch, graph_with_bits, literal

Side = tuple[Fraction, Fraction, Fraction, Fraction]
"""(a, b, c, d): a·α + b·β + c·γ ≥ d."""


@dataclass(frozen=True)
class TradeOffSurface:
    """The coefficients with which a policy can live.

    Attributes
    ----------
    policy : str
    predictions : str
        What it is told: "discard" or "phase".
    instance : LayeredInstance
    vertices : tuple of Coefficients
        Those that are attained are the mixtures of these, and all that are larger.
    cycles : tuple of TradeOffCycle
        What forces them: together with α, β, γ ≥ 0 these prove that no others are attained.
    states : int
    """

    policy: str
    predictions: str
    instance: LayeredInstance
    vertices: tuple[Coefficients, ...]
    cycles: tuple[TradeOffCycle, ...]
    states: int

    def answer(self) -> dict[str, object]:
        """Return the result as plain values for JSON."""
        counts = ("faults", "reference", "wrong0", "wrong1")
        return {
            "policy": self.policy,
            "randomized": get_policy(self.policy).randomized,
            "predictions": self.predictions,
            "vertices": [
                {name: exact_text(value) for name, value in zip(NAMES, vertex, strict=True)}
                for vertex in self.vertices
            ],
            "cycles": [{name: number(getattr(cycle, name)) for name in counts} for cycle in self.cycles],
            "instance": self.instance.plain,
            "model": self.instance.model,
            "states": self.states,
        }


@checked
def trade_off_surface(
    policy: str | Policy,
    instance: LayeredInstance,
    *,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> TradeOffSurface:
    """Return all least coefficients of a policy that is given bits, exactly.

    Parameters
    ----------
    policy, instance, max_states, watch
        As for :func:`proofs.ratio.trade_off.policy_trade_off`.

    Raises
    ------
    LimitError
        The graph has more than ``max_states`` states: then nothing is known of the whole surface.

    Examples
    --------
    >>> found = trade_off_surface("flush-when-kept", LayeredInstance(layers=1, pages=4, cache=3))
    >>> [tuple(map(str, vertex)) for vertex in found.vertices]
    [('1', '2', '1'), ('3', '0', '1')]
    """
    graph = graph_with_bits(policy, instance)
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    while not graph.complete:
        graph.grow()
        frontier = graph.states - graph.expanded
        watch.look(TradeOffSearch(graph.states, frontier, "surface", Fraction(0)))
        if max_states is not None and graph.states > max_states:
            raise LimitError(f"the graph of {graph.policy.name} has more than max_states = {max_states:,}")
    targets, codes, costs = graph.targets, graph.codes, graph.costs
    one, none = Fraction(1), Fraction(0)
    sides: dict[Side, TradeOffCycle | None] = {
        (one, none, none, none): None,
        (none, one, none, none): None,
        (none, none, one, none): None,
    }
    fine: set[Coefficients] = set()
    while True:
        found = vertices_of(list(sides))
        new = [vertex for vertex in found if vertex not in fine]
        if not new:
            needed = {
                side: cycle for side, cycle in sides.items() if cycle is not None and is_facet(side, found)
            }
            cycles = tuple(cycle for cycle in needed.values() if cycle is not None)
            return TradeOffSurface(
                graph.policy.name, graph.kind, instance, tuple(found), cycles, graph.states
            )
        for vertex in new:
            watch.look(TradeOffSearch(graph.states, 0, "surface", Fraction(len(sides) - 3)))
            worst = best_cycle(
                targets, codes, Objective("beyond", beyond(costs, vertex)[0], (1,) * len(costs))
            ).cycle
            if worst is None:
                fine.add(vertex)
                continue
            cycle = literal(graph, worst)
            parts = [Fraction(cycle.reference), Fraction(cycle.wrong0), Fraction(cycle.wrong1)]
            whole = Fraction(cycle.faults)
            sides[parts[0] / whole, parts[1] / whole, parts[2] / whole, one] = cycle
            break


def is_facet(side: Side, vertices: list[Coefficients]) -> bool:
    """Say whether a side is more than an edge or a corner, by its vertices and where it goes on for ever."""
    on = [v for v in vertices if sum(a * x for a, x in zip(side, v, strict=False)) == side[3]]
    return bool(on) and len(on) + side[:3].count(Fraction(0)) >= 3


def vertices_of(sides: list[Side]) -> list[Coefficients]:
    """Return the points in which three sides meet and none is violated, in ascending order."""
    found = set()
    for three in combinations(sides, 3):
        point = meeting(*three)
        if point is not None and all(
            sum(a * x for a, x in zip(side, point, strict=False)) >= side[3] for side in sides
        ):
            found.add(point)
    return sorted(found)


def meeting(one: Side, two: Side, three: Side) -> Coefficients | None:
    """Return the point in which three sides meet, by Cramer's rule; None where there is no single one."""
    columns = list(zip(one, two, three, strict=True))
    whole = determinant(columns[0], columns[1], columns[2])
    if whole == 0:
        return None
    right = columns[3]
    return Coefficients(
        determinant(right, columns[1], columns[2]) / whole,
        determinant(columns[0], right, columns[2]) / whole,
        determinant(columns[0], columns[1], right) / whole,
    )


def determinant(a: tuple[Fraction, ...], b: tuple[Fraction, ...], c: tuple[Fraction, ...]) -> Fraction:
    """Return the determinant of three columns."""
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - b[0] * (a[1] * c[2] - a[2] * c[1])
        + c[0] * (a[1] * b[2] - a[2] * b[1])
    )
