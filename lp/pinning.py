"""The best static pinning, in hindsight: which pages to load once and never let go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paging.arguments import checked
from paging.model import RequestSequence


@dataclass(frozen=True)
class Pinning:
    """A best set of pinned pages and what it costs.

    Attributes
    ----------
    pages : tuple of int
        Ids of the pinned pages, ascending.
    faults : int
        One fault for every pinned page, and one for every request to another page.
    """

    pages: tuple[int, ...]
    faults: int


@checked
def best_static_pinning(sequence: RequestSequence) -> Pinning:
    """Choose the pages that stay cached from their first request on so that the faults are fewest.

    A page that is not pinned is fetched at each of its requests and never kept. Under bypassing k pages can
    be pinned. Under forced service the others pass through a slot, which leaves k − 1, unless all requested
    pages fit.

    Parameters
    ----------
    sequence : RequestSequence
        The requests and the cache size k.

    Returns
    -------
    Pinning
        Of equally good sets the one with the lowest page ids; pages requested once are not pinned, for it
        would save nothing.

    Raises
    ------
    UnsupportedModelError
        Visits are atomic: how many slots the other pages of a visit need then depends on the choice.

    Notes
    -----
    Exact: pinning a page that is requested c times saves c − 1 faults whatever else is pinned, so the pages
    requested most often are a best choice.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 2, 0])
    >>> best_static_pinning(sequence)
    Pinning(pages=(0,), faults=4)
    """
    instance = sequence.instance
    instance.require("the best pinning", visits="sequential", cost="unit")
    fits = sequence.distinct_pages <= instance.cache
    slots = instance.cache if fits or instance.bypassing else instance.cache - 1
    counts = np.bincount(sequence.requests, minlength=instance.total_pages)
    chosen = np.argsort(-counts, kind="stable")[:slots]
    chosen = chosen[counts[chosen] > 1]
    saved = int((counts[chosen] - 1).sum())
    return Pinning(tuple(sorted(chosen.tolist())), len(sequence) - saved)
