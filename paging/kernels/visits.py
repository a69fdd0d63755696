"""Atomic visits in kernels: the hits of a visit are served before its faults."""

from typing import Any

from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import PageArray


@compiled
def hits_first(
    order: PageArray, place: NDArray[Any], start: int, per_visit: int, state: NDArray[Any]
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
        At least 0 for cached pages.
    """
    hits = start
    for t in range(start, min(start + per_visit, len(order))):
        page = order[t]
        place[t - start] = t
        if state[page] >= 0:
            for later in range(t, hits, -1):
                order[later] = order[later - 1]
                place[later - start] = place[later - 1 - start]
            order[hits] = page
            place[hits - start] = t
            hits += 1
