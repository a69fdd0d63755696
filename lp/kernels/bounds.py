"""Counting loops of the lower bounds on OPT."""

from __future__ import annotations

import numpy as np

from paging.kernels.jit import compiled
from paging.model import PageArray


@compiled
def phases(requests: PageArray, pages: int, cache: int) -> int:
    """Return the number of k-phases: maximal stretches of at most k distinct pages, cut from the start."""
    seen_in = np.zeros(pages, dtype=np.int64)
    phase, distinct = 0, cache
    for page in requests:
        if phase > 0 and seen_in[page] == phase:
            continue
        if distinct == cache:
            phase += 1
            distinct = 0
        seen_in[page] = phase
        distinct += 1
    return phase


@compiled
def windows(requests: PageArray, pages: int, cache: int, length: int) -> int:
    """Return the sum of what windows of ``length`` requests must load beyond what was cached before."""
    seen_in = np.zeros(pages, dtype=np.int64)
    total, window = 0, 0
    for start in range(0, len(requests), length):
        window += 1
        distinct = 0
        for t in range(start, min(start + length, len(requests))):
            if seen_in[requests[t]] != window:
                seen_in[requests[t]] = window
                distinct += 1
        if start == 0:
            total += distinct
            continue
        # The page served last is cached; if it is not requested here, it helps nothing.
        useful = cache if seen_in[requests[start - 1]] == window else cache - 1
        total += max(0, distinct - useful)
    return total
