"""Atomic visits: the hits of a visit are served before its faults, and its pages may not leave."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled, helper
from paging.model import PageArray

Held = NDArray[np.bool_]
"""Per page whether it may not leave; empty where all may."""


@helper
def may_leave(held: Held, page: int) -> bool:
    """Say whether a cached page may leave, for the atomic visit under way has not asked for it."""
    return len(held) == 0 or not held[page]


MOST = 2**63 - 1


@compiled
def hits_first(
    order: PageArray,
    place: NDArray[Any],
    start: int,
    per_visit: int,
    state: NDArray[Any],
    low: int = 0,
    high: int = MOST,
) -> None:
    """Move the hits of a visit before its faults, both in the order of the requests.

    Parameters
    ----------
    order : ndarray of int32, shape (T,)
        Requests as they are served; changed in place from ``start`` on.
    place : ndarray of int, shape (g,)
        Receives the time of every request of the visit.
    start, per_visit : int
        Time of its first request, and g.
    state : ndarray of int, shape (pages,)
        In ``low … high`` for cached pages.
    """
    hits = start
    for t in range(start, min(start + per_visit, len(order))):
        page = order[t]
        place[t - start] = t
        if state[page] >= low and state[page] <= high:
            for later in range(t, hits, -1):
                order[later] = order[later - 1]
                place[later - start] = place[later - 1 - start]
            order[hits] = page
            place[hits - start] = t
            hits += 1


@compiled
def lock(per_visit: int, pages_total: int, atomic: bool) -> tuple[NDArray[np.int64], Held]:
    """Return room for the times of a visit, and the pages that it holds: none yet."""
    return np.zeros(per_visit, dtype=np.int64), np.zeros(pages_total if atomic else 0, dtype=np.bool_)


@compiled
def release(order: PageArray, start: int, per_visit: int, held: Held) -> None:
    """Let the pages of the visit before time ``start`` leave again."""
    for t in range(start - per_visit, start):
        if t >= 0:
            held[order[t]] = False
