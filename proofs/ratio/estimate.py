"""How large a product graph will be, before it is built, and how large a one this machine can hold."""

from __future__ import annotations

from collections import Counter

import numpy as np

from adversary.cycles.product_graph import ProductGraph, askable, cold_start, served
from paging.memory import machine_memory
from paging.model import LayeredInstance
from paging.policy import Policy

STEPS = 1000
"""Requests of the walk by which a size is estimated."""

MOST_STATES = 50_000_000
"""States built at most where no limit is given, however much memory there is."""

SHARE = 4
"""The part of the memory that states may take where no limit is given: one in so many."""


def affordable_states(instance: LayeredInstance) -> int:
    """Return how many states of a product graph a quarter of this machine's memory holds, within reason.

    A state takes a packed row and three numbers for every request, and as much again while tables grow and
    the largest cycle is looked for.
    """
    per_state = 3 * (instance.total_pages + 5 * max(instance.pages_by_layer) + 16)
    return min(MOST_STATES, machine_memory() // SHARE // per_state)


def estimated_states(
    policy: str | Policy, instance: LayeredInstance, *, opt_cache: int | None = None, seed: int = 0
) -> int:
    """Return about how many states a product graph has at least, from how often a random walk meets itself.

    A walk of m steps over S states that are all equally likely has about m²/2S pairs of equal ones. They
    are not equally likely, so that the graph is rather larger; a walk that never meets itself says that there
    are m²/2 states or more.

    Examples
    --------
    >>> small, large = LayeredInstance(2, 3, 3), LayeredInstance(8, 8, 32)
    >>> estimated_states("lru", small) <= 24, estimated_states("lru", large)
    (True, 499500)
    """
    graph = ProductGraph(policy, instance, opt_cache=opt_cache)
    rng = np.random.default_rng(seed)
    state, slot = cold_start(instance), 0
    met: Counter[tuple[object, ...]] = Counter()
    for t in range(STEPS + instance.total_pages):
        choice = askable(instance, state, slot)
        if choice:
            page = choice[int(rng.integers(len(choice)))]
            state = served(graph.policy, instance, graph.opt_cache, state, page, slot)
            slot = (slot + 1) % instance.round_length
        else:  # an atomic visit that cannot be completed: begin it again, with whatever was served of it
            state[2], slot = 0, slot - slot % instance.per_visit
        if t >= instance.total_pages:  # the cold start is behind
            met[_canonical(graph, state.T.tolist(), slot)] += 1
    pairs = sum(count * (count - 1) // 2 for count in met.values())
    return STEPS * (STEPS - 1) // 2 // max(pairs, 1)


def _canonical(graph: ProductGraph, state: list[list[int]], slot: int) -> tuple[object, ...]:
    """Return a state in a form that all its renamings share."""
    layer, place = divmod(slot, graph.instance.per_visit)
    parts: list[tuple[tuple[int, ...], ...]] = []
    for j in range(graph.instance.layers):
        own = graph.instance.pages_of(j)
        rows = [tuple(state[q]) for q in own]
        parts.append(tuple(sorted(rows) if graph.symmetry.inside else rows))
    if graph.symmetry.rotation:
        return (*parts[layer:], *parts[:layer], place)
    return (*parts, layer, place)
