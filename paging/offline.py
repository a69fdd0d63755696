"""Offline algorithms, which see the whole sequence: farthest-in-future and the work function (OPT so far)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError, UnsupportedModelError
from paging.model import MAX_PAGES, PageArray, RequestSequence, whole_number
from paging.run import Run

OPTIMA = "paging.optima"
"""Entry points of the packages above that compute OPT where the ground floor cannot: ``weighted``."""


class OfflineAlgorithm(Protocol):
    """An algorithm that is given the whole sequence; online policies never are (docs/decisions.md, 4)."""

    def __call__(self, sequence: RequestSequence, *, record: bool = False) -> Run:
        """Serve the sequence."""
        ...


@checked
def farthest_in_future(sequence: RequestSequence, *, record: bool = False) -> Run:
    """Serve a sequence optimally: on a fault evict the page whose next request is farthest away.

    Parameters
    ----------
    sequence : RequestSequence
        With bypassing the requested page is a candidate too: it is not cached if its own next request is the
        farthest. In an atomic visit, which needs forced service, the pages of the visit are none.
    record : bool, default False
        Whether to keep the schedule.

    Returns
    -------
    Run
        Its faults are the offline optimum at unit cost, layered or not.

    Raises
    ------
    UnsupportedModelError
        Visits are atomic and bypassing is allowed, or faults are weighted; see ``lp.optimum``.

    References
    ----------
    Belady 1966; Mattson, Gecsei, Slutz and Traiger 1970.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> farthest_in_future(sequence).faults
    4
    """
    from paging.kernels import farthest

    instance, requests = sequence.instance, sequence.requests
    instance.require("farthest-in-future, the OPT of films, phases and timelines,", cost="unit")
    first: slice | NDArray[np.int64] = slice(None)
    if instance.visits == "atomic":
        instance.require("farthest-in-future on atomic visits", service="forced")
        requests, first = _twice(requests, instance.per_visit)
    entries = np.zeros(len(requests) if record else 0, dtype=np.int32)
    faults = farthest(requests, instance.total_pages, instance.cache, entries, instance.bypassing)
    return Run(None, sequence, int(faults), None, "kernel", entries[first] if record else None)


def _twice(requests: PageArray, group: int) -> tuple[PageArray, NDArray[np.int64]]:
    """Ask for the pages of every visit twice in turn; return also where they stand the first time.

    So no page of a visit leaves before its end: its next request is nearer than that of any other page.
    """
    times = np.arange(len(requests))
    visits = requests[: len(times) // group * group].reshape(-1, group)
    rest = requests[visits.size :]
    return np.concatenate([np.hstack([visits, visits]).ravel(), rest, rest]), times + times // group * group


@checked
def optimum_from_warm(sequence: RequestSequence, start: int) -> int:
    """Return the fewest faults on the requests from number ``start`` on, whatever the warm-up left behind.

    The cache may begin with any pages that were requested before, the last of which it holds unless bypassing
    is allowed: no algorithm, not even one that fetches ahead while nothing is counted, has fewer faults.

    Raises
    ------
    UnsupportedModelError
        Faults are weighted, or visits are atomic and bypassing is allowed or a warm-up comes first.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 2, 1])
    >>> [optimum_from_warm(sequence, start) for start in (0, 3, 4)]
    [4, 1, 1]
    """
    from paging.kernels import farthest

    instance = sequence.instance
    start = whole_number(start, "start", 0, len(sequence))
    if start == 0:
        return farthest_in_future(sequence).faults
    instance.require("OPT after a warm-up", visits="sequential", cost="unit")
    last = sequence.requests[start - 1]
    # Every page that was seen is requested once, the last one last: a fault each, and any choice is left.
    seen = np.unique(sequence.requests[:start])
    warm = np.append(seen[seen != last], last)
    requests: PageArray = np.concatenate([warm, sequence.requests[start:]]).astype(np.int32)
    none = np.zeros(0, dtype=np.int32)
    faults = farthest(requests, instance.total_pages, instance.cache, none, instance.bypassing)
    return int(faults) - len(warm)


def least_cost(sequence: RequestSequence, start: int = 0) -> tuple[int, int | Fraction]:
    """Return faults and cost of a cheapest schedule with weights, where a package that computes it is there.

    Parameters
    ----------
    sequence : RequestSequence
        Of pages with weights.
    start : int
        Number of the first request that counts, as for :func:`optimum_from_warm`.

    Raises
    ------
    UnsupportedModelError
        No package that is installed computes it.
    """
    found = list(entry_points(group=OPTIMA, name="weighted"))
    if not found:
        raise UnsupportedModelError("no package is installed that computes the weighted optimum")
    return found[0].load()(sequence, start)  # type: ignore[no-any-return]


@checked
def optimum_so_far(sequence: RequestSequence, cache: int | None = None) -> NDArray[np.int64]:
    """Return OPT after every request, shape (T,), compiled; O(T) up to an inverse Ackermann factor.

    The last entry is the optimum of the whole sequence. Computed by packing kept gaps, a route independent
    of the work function, with which it agrees.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1])
    >>> optimum_so_far(sequence).tolist()
    [1, 2, 3, 3, 4]
    """
    from paging.kernels import optimum

    sequence.instance.require("OPT after every request", visits="sequential", cost="unit")
    size = sequence.instance.cache if cache is None else whole_number(cache, "cache (h)", 1, MAX_PAGES)
    increments = np.zeros(len(sequence), dtype=np.int32)
    optimum(sequence.requests, sequence.instance.total_pages, size, increments, sequence.instance.bypassing)
    return np.cumsum(increments, dtype=np.int64)


@checked
def phase_starts(requests: Iterable[int], cache: int) -> list[int]:
    """Return the start times of the k-phases: maximal stretches of at most k distinct pages, from the start.

    Examples
    --------
    >>> phase_starts([0, 1, 0, 2, 0, 1], 2)
    [0, 3, 5]
    """
    cache = whole_number(cache, "cache (k)", 1)
    starts: list[int] = []
    seen: set[int] = set()
    try:
        for time, page in enumerate(requests):
            if page not in seen and (not starts or len(seen) == cache):
                starts.append(time)
                seen.clear()
            seen.add(page)
    except (TypeError, ValueError) as error:  # what cannot be hashed is no page id
        raise ModelError(f"requests must be page ids: {error}") from error
    return starts
