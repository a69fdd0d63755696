"""Where a run lost against the optimum: every eviction that made the rest of the requests dearer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from paging.arguments import checked
from paging.errors import ModelError
from paging.model import PageArray, RequestSequence, whole_number
from paging.run import Run


@dataclass(frozen=True)
class Mistake:
    """An eviction after which serving the remaining requests optimally costs one fault more than before it.

    Attributes
    ----------
    time, page : int
        The request on which the page was evicted.
    victim, best : int
        Who left, and whom farthest-in-future would have evicted from the same cache.
    victim_next, best_next : int or None
        When each of the two is requested next; None for never again.
    """

    time: int
    page: int
    victim: int
    best: int
    victim_next: int | None
    best_next: int | None


@checked
def optimum_from(sequence: RequestSequence, start: int, cached: Iterable[int]) -> int:
    """Return the fewest faults on the requests from time ``start`` on, beginning with a given cache.

    Parameters
    ----------
    sequence : RequestSequence
        Sequential visits; with or without bypassing.
    start : int
        A time in 0 … T; from T on nothing is requested.
    cached : iterable of int
        At most k distinct pages.

    Raises
    ------
    ModelError
        The time or a page is out of range, a page comes twice, or there are more than k.
    UnsupportedModelError
        Visits are atomic.

    Guarantee
    ---------
    Exact: farthest-in-future from this cache.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
    >>> optimum_from(sequence, 0, []), optimum_from(sequence, 2, [0, 1]), optimum_from(sequence, 3, [1, 2])
    (3, 1, 1)
    """
    from paging.kernels import farthest

    instance = sequence.instance
    instance.require("OPT from a given cache", visits="sequential", cost="unit")
    start = whole_number(start, "start", 0, len(sequence))
    warm = [whole_number(page, "a cached page", 0, instance.total_pages - 1) for page in cached]
    if len(set(warm)) < len(warm) or len(warm) > instance.cache:
        raise ModelError(
            f"cached must be at most {instance.cache} distinct pages, got {len(warm)}: {warm[:9]}"
        )
    # Requests to the cached pages come first: each takes a free slot, and nothing leaves.
    requests: PageArray = np.concatenate([np.array(warm, dtype=np.int32), sequence.requests[start:]])
    none = np.zeros(0, dtype=np.int32)
    faults = farthest(requests, instance.total_pages, instance.cache, none, instance.bypassing)
    return int(faults) - len(warm)


@checked
def mistakes(run: Run) -> list[Mistake]:
    """Return the evictions of a recorded run that cost a fault each.

    Parameters
    ----------
    run : Run
        Forced service, sequential visits, demand paging, recorded.

    Returns
    -------
    list of Mistake
        In the order of time. Their number is exactly the run's faults minus OPT.

    Raises
    ------
    UnsupportedModelError
        The run allows bypassing or has atomic visits.
    ModelError
        The run was not recorded, or moved several pages in one step.

    Examples
    --------
    >>> from paging import LayeredInstance, simulate
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1])
    >>> [(m.time, m.victim, m.best) for m in mistakes(simulate("lru", sequence, record=True))]
    [(3, 1, 2)]
    """
    sequence = run.sequence
    sequence.instance.require("the count of mistakes", service="forced", visits="sequential", cost="unit")
    found = []
    cached: frozenset[int] = frozenset()
    for step in run.schedule.steps():
        if step.victims:
            time, victim = step.time, step.entry
            if 1 + optimum_from(sequence, time + 1, step.cache) > optimum_from(sequence, time, cached):
                wait = {q: _next(sequence, time, q) for q in cached}
                best = max(cached, key=lambda q: (wait[q] or len(sequence), -q))
                found.append(Mistake(time, step.page, victim, best, wait[victim], wait[best]))
        cached = step.cache
    return found


def _next(sequence: RequestSequence, time: int, page: int) -> int | None:
    """Return when a page is requested next after ``time``, or None."""
    later = np.flatnonzero(sequence.requests[time + 1 :] == page)
    return time + 1 + int(later[0]) if len(later) else None
