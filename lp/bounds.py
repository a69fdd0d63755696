"""Lower bounds on OPT that need no solver: each is a few counts, and none exceeds OPT."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from lp.kernels.bounds import phases, windows
from paging.arguments import checked
from paging.model import MAX_PAGES, MAX_REQUESTS, RequestSequence, whole_number


@checked
def compulsory_bound(sequence: RequestSequence) -> int | Fraction:
    """Return the cost of loading every requested page once: from a cold cache nobody avoids it.

    Parameters
    ----------
    sequence : RequestSequence
        The requests, in any variant of the model, with weights or without.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> compulsory_bound(RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 0, 2]))
    3
    """
    return sequence.instance.cost_of(np.unique(sequence.requests))


@checked
def phase_bound(sequence: RequestSequence, cache: int | None = None) -> int:
    """Return k (or all distinct pages, if fewer) plus one fault for every k-phase after the first.

    Between the second request of a phase and the first request of the next one, k pages other than the one
    just served are requested, but only k − 1 other slots exist: OPT faults at least once there. The first
    phase is cold and costs its distinct pages.

    Parameters
    ----------
    sequence : RequestSequence
        The requests; forced service.
    cache : int, optional
        OPT's cache size h; default the instance's k.

    Raises
    ------
    UnsupportedModelError
        With bypassing the argument does not hold.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> phase_bound(RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 0, 1, 2]))
    4
    """
    sequence.instance.require("the bound by k-phases", service="forced", cost="unit")
    size = sequence.instance.cache if cache is None else whole_number(cache, "cache (h)", 1, MAX_PAGES)
    count = int(phases(sequence.requests, sequence.instance.total_pages, size))
    return 0 if count == 0 else min(sequence.distinct_pages, size) + count - 1


@checked
def window_bound(sequence: RequestSequence, length: int | None = None, cache: int | None = None) -> int:
    """Return the sum over windows of the distinct pages beyond what the cache can hold when a window begins.

    A window that requests d distinct pages costs at least d − k. With forced service the page served just
    before it is cached; if the window does not request it, the window costs at least d − k + 1. The first
    window is cold and costs d.

    Parameters
    ----------
    sequence : RequestSequence
        The requests; forced service.
    length : int, optional
        Requests per window; default the best of some lengths from k to 16·k.
    cache : int, optional
        OPT's cache size h; default the instance's k.

    Raises
    ------
    UnsupportedModelError
        With bypassing the argument does not hold.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(1, 6, 2), [0, 1, 2, 3, 4, 5])
    >>> window_bound(sequence), window_bound(sequence, length=3)
    (6, 5)
    """
    sequence.instance.require("the bound by windows", service="forced", cost="unit")
    size = sequence.instance.cache if cache is None else whole_number(cache, "cache (h)", 1, MAX_PAGES)
    if length is not None:
        lengths = [whole_number(length, "length", 1, MAX_REQUESTS)]
    else:
        lengths = sorted({min(size * factor, max(1, len(sequence))) for factor in (1, 2, 3, 4, 6, 8, 16)})
    return max(
        int(windows(sequence.requests, sequence.instance.total_pages, size, chosen)) for chosen in lengths
    )


@checked
def lower_bounds(sequence: RequestSequence) -> dict[str, int | Fraction]:
    """Return the bounds that hold for the sequence's variant of the model, by name; with weights, of cost.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> lower_bounds(RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 0, 1, 2]))
    {'compulsory': 3, 'phases': 4, 'windows': 4}
    """
    bounds = {"compulsory": compulsory_bound(sequence)}
    if not sequence.instance.bypassing and sequence.instance.weights is None:
        bounds |= {"phases": phase_bound(sequence), "windows": window_bound(sequence)}
    return bounds
