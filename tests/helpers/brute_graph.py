"""The graph of a policy against OPT in plain Python: no labels for OPT, no symmetries."""

from __future__ import annotations

import numpy as np

from paging import LayeredInstance, Policy

Costs = frozenset[tuple[frozenset[int], int]]


def served(costs: Costs, page: int, cache: int) -> tuple[Costs, int]:
    """OPT's cost of every cache it may hold after a request, less the least of them; and that least one."""
    after: dict[frozenset[int], int] = {}
    for cached, cost in costs:
        fault = page not in cached
        leaving = cached if fault and len(cached) == cache else {page}
        for q in leaving:
            new = cached - {q} | {page}
            after[new] = min(cost + fault, after.get(new, cost + fault))
    # A cache may also be reached by loading what it lacks: no cost is far above the least.
    costs_now = {new: min(cost + len(new - old) for old, cost in after.items()) for new in after}
    least = min(costs_now.values())
    return frozenset((cached, cost - least) for cached, cost in costs_now.items()), least


def brute_graph(
    policy: Policy, instance: LayeredInstance, opt_cache: int, most: int | None = None
) -> list[list[tuple[int, int, int]]] | None:
    """Edges (target, policy fault, OPT's increment) of every state reachable from the cold start.

    None where there are more than ``most`` states.
    """
    start = (0, (0,) * instance.total_pages, frozenset({(frozenset[int](), 0)}))
    number, waiting, edges = {start: 0}, [start], []
    for layer, labels, costs in waiting:
        if most is not None and len(waiting) > most:
            return None
        out = []
        for page in instance.pages_of(layer):
            answer = np.array(labels, dtype=np.int64)
            policy.serve(answer, page, layer, instance.frame)
            following, increment = served(costs, page, opt_cache)
            state = ((layer + 1) % instance.layers, tuple(answer.tolist()), following)
            if state not in number:
                number[state] = len(number)
                waiting.append(state)
            out.append((number[state], int(labels[page] <= 0), increment))
        edges.append(out)
    return edges
