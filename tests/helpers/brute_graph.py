"""The graph of a policy against OPT in plain Python: no labels for OPT, no symmetries.

An atomic visit is one edge.
"""

from __future__ import annotations

from functools import cache as remembered
from itertools import combinations, permutations

import numpy as np

from paging import LayeredInstance, Policy

Costs = frozenset[tuple[frozenset[int], int]]
Labels = tuple[int, ...]


@remembered
def the_one(costs: Costs) -> Costs:
    """Return the first of equal costs: to compare it with itself takes no time."""
    return costs


@remembered  # policies share what OPT may do
def served(costs: Costs, visit: frozenset[int], cache: int) -> tuple[Costs, int]:
    """OPT's cost of every cache it may hold once some pages are cached together, less the least; and that."""
    after: dict[frozenset[int], int] = {}
    for cached, cost in costs:
        paid = cost + len(visit - cached)
        others = sorted(cached - visit)
        for kept in combinations(others, min(len(others), cache - len(visit))):
            new = visit.union(kept)
            after[new] = min(paid, after.get(new, paid))
    # A cache may also be reached by loading what it lacks: no cost is far above the least.
    costs_now = {new: min(cost + len(new - old) for old, cost in after.items()) for new in after}
    least = min(costs_now.values())
    return the_one(frozenset((cached, cost - least) for cached, cost in costs_now.items())), least


def answered(
    policy: Policy, instance: LayeredInstance, labels: Labels, pages: tuple[int, ...], slot: int
) -> tuple[Labels, int]:
    """Labels and faults after some requests of a visit; those that hit come first."""
    now, faults, waiting = np.array(labels, dtype=np.int64), 0, list(pages)
    atomic = instance.visits == "atomic"
    frame = instance.frame.served_together() if atomic else instance.frame
    for hits in (True, False):
        for page in list(waiting):
            if hits and now[page] <= 0:
                continue
            waiting.remove(page)
            faults += int(now[page] <= 0)
            policy.serve(now, page, slot, frame)
            if atomic:
                frame.held[page] = True
            slot += 1
    assert all(now[page] > 0 for page in pages)
    return tuple(now.tolist()), faults


def brute_graph(
    policy: Policy, instance: LayeredInstance, opt_cache: int, most: int | None = None
) -> list[list[tuple[int, int, int]]] | None:
    """Edges (target, policy faults, OPT's increment) of every state reachable from the cold start.

    An edge is a request or, where visits are atomic, a whole visit in some order; that a sequence may end
    within a visit is an edge to a state of its own. None where there are more than ``most`` states.
    """
    group, length = instance.per_visit, instance.round_length
    together = group if instance.visits == "atomic" else 1
    Start = tuple[int, frozenset[int], Labels, Costs]
    start: Start = (0, frozenset(), (0,) * instance.total_pages, frozenset({(frozenset[int](), 0)}))
    number, waiting, edges = {start: 0}, [start], []
    known: dict[tuple[Labels, tuple[int, ...], int], tuple[Labels, int]] = {}
    for slot, visit, labels, costs in waiting:
        if most is not None and len(waiting) > most:
            return None
        out = []
        for count in range(1, together + 1) if slot >= 0 else ():
            for pages in permutations(set(instance.pages_of(slot // group)) - visit, count):
                asked_for = labels, pages, slot
                if asked_for not in known:
                    known[asked_for] = answered(policy, instance, *asked_for)
                answer, faults = known[asked_for]
                following, increment = served(costs, frozenset(pages), opt_cache)
                then = (slot + count) % length
                asked = visit.union(pages) if then % group else frozenset[int]()
                state: Start = (then, asked, answer, following)
                if count < together:
                    state = (-1, frozenset(), (), frozenset())
                if state not in number:
                    number[state] = len(number)
                    waiting.append(state)
                out.append((number[state], faults, increment))
        edges.append(out)
    return edges
