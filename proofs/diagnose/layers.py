"""What the requests of every layer look like, whatever serves them: skew, repetition, reuse distance."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp.kernels.gaps import previous_requests
from paging.traces import Trace
from paging.traces.trace import repeat_rates


def percentile(values: NDArray[Any], percent: int) -> int | None:
    """Return the smallest value that at least so many percent of the values do not exceed; None of none.

    >>> percentile(np.array([3, 1, 2, 9]), 50), percentile(np.array([3, 1, 2, 9]), 99)
    (2, 9)
    """
    if not len(values):
        return None
    place = max(0, ceil(Fraction(percent * len(values), 100)) - 1)
    return int(np.partition(values, place)[place])


def layer_facts(trace: Trace) -> list[dict[str, Any]]:
    """Describe the requests of every layer.

    Returns
    -------
    list of dict
        One per layer: ``layer``; ``distinct_pages``; ``entropy_bits`` of how often each page is requested, at
        most log2 n; ``hottest_share``: the share of a visit slot that the most requested page takes, so that
        1/n is no skew at all and 1/g the most; ``repeat_rate``: the share of a visit's pages that the layer's
        previous visit of the same sequence requested too (None without a second visit); ``reuse_rounds_p50``
        and ``reuse_rounds_p95``: rounds from a request of a page to its next one (None without one).

    Examples
    --------
    >>> layer_facts(Trace.from_experts([[[0]], [[0]], [[1]], [[0]]]))[0]["reuse_rounds_p95"]
    2
    """
    instance = trace.instance
    layer_at = np.arange(trace.requests) // instance.per_visit % instance.layers
    counts = np.bincount(trace.page_ids, minlength=instance.total_pages)
    previous = previous_requests(trace.page_ids, instance.total_pages)
    again = np.flatnonzero(previous >= 0)
    rounds = again // instance.round_length - previous[again] // instance.round_length
    # Sorted by layer once, so that each layer is a slice.
    order = np.argsort(layer_at[again], kind="stable")
    edges = np.searchsorted(layer_at[again][order], np.arange(instance.layers + 1))
    repeats = repeat_rates(trace)
    facts = []
    for layer in range(instance.layers):
        pages = instance.pages_of(layer)
        used = counts[pages.start : pages.stop]
        used = used[used > 0]
        shares = used / max(1, used.sum())
        distances = rounds[order[edges[layer] : edges[layer + 1]]]
        facts.append(
            {
                "layer": layer,
                "distinct_pages": len(used),
                "entropy_bits": float((shares * np.log2(1 / shares)).sum()),
                "hottest_share": float(shares.max(initial=0)),
                "repeat_rate": float(repeats[layer]) if len(repeats) else None,
                "reuse_rounds_p50": percentile(distances, 50),
                "reuse_rounds_p95": percentile(distances, 95),
            }
        )
    return facts
