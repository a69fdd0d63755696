"""Two precisions: which requests of a trace ask for an expert in full, which for a cheap copy, or none.

A page is then an expert in one precision: in a layer of n experts page i < n is expert i in high precision,
page n + i the same in low precision. A request that is skipped leaves its visit shorter.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.traces.trace import Trace

HIGH_UP_TO, LOW_UP_TO = Fraction(3, 5), Fraction(9, 10)
"""HOBBIT's limits on the importance."""


def importance(trace: Trace) -> NDArray[np.float64]:
    """Return for every request the share of its visit's gate weight that ranks above it, shape (T,).

    0 for the expert of largest weight; of equal weights the one recorded first ranks higher. In a visit whose
    weights are all 0 it is 0.

    Raises
    ------
    TraceError
        The trace holds no gate weights.

    Examples
    --------
    >>> importance(Trace.from_experts([[[4, 2, 7]]], gate_weights=[[[0.25, 0.5, 0.25]]])).tolist()
    [0.5, 0.0, 0.75]
    """
    if trace.gate_weights is None:
        raise TraceError("two precisions need gate weights, and the trace holds none")
    group = trace.per_visit
    places = np.arange(trace.requests) if trace.places is None else trace.places
    visits = np.zeros((int(places[-1]) // group + 1, group))
    visits.reshape(-1)[places] = trace.gate_weights
    order = np.argsort(-visits, axis=1, kind="stable")
    ranked = np.take_along_axis(visits, order, axis=1)
    total = ranked.sum(axis=1, keepdims=True)
    above = (np.cumsum(ranked, axis=1) - ranked) / np.where(total > 0, total, 1)
    shares = np.empty_like(visits)
    np.put_along_axis(shares, order, above, axis=1)
    return shares.reshape(-1)[places]


def two_precisions(trace: Trace, high: Fraction = HIGH_UP_TO, low: Fraction = LOW_UP_TO) -> Trace:
    """Return the requests that are left, each of an expert in high or low precision.

    Parameters
    ----------
    trace : Trace
        With gate weights.
    high, low : Fraction
        An importance (:func:`importance`) up to ``high`` asks for high precision, up to ``low`` for low
        precision; a request of a larger one is skipped.

    Returns
    -------
    Trace
        Of 2n pages per layer. Its remarks tell the shares.

    Raises
    ------
    TraceError
        The trace holds no gate weights, or not 0 ≤ high ≤ low.

    Examples
    --------
    >>> weights = [[[0.5, 0.25, 0.125, 0.125]]]
    >>> both = two_precisions(Trace.from_experts([[[4, 2, 7, 0]]], pages=8, gate_weights=weights))
    >>> both.experts.tolist(), both.pages
    ([[[4, 2, 15, 8]]], 16)
    >>> fewer = Trace.from_experts([[[4, 2, 7, 0]]], gate_weights=weights)
    >>> two_precisions(fewer, low=Fraction(4, 5)).requests
    3

    References
    ----------
    TLHPWHLG2024: the rule and its limits 0.6 and 0.9
    """
    if not 0 <= high <= low:
        raise TraceError(f"precisions are two limits 0 ≤ high ≤ low of the importance, got {high} and {low}")
    if trace.ids is not None:
        raise TraceError("two precisions are of experts; a list of named pages has none")
    shares = importance(trace)
    kept = shares <= float(low)
    cheap = (shares > float(high))[kept]
    instance = trace.instance
    layer = instance.layer_of[trace.page_ids[kept]]
    counts = np.array(instance.pages_by_layer)
    # Layer j begins at twice its old first page, and its low copies n_j later.
    pages = trace.page_ids[kept] + instance.first_page[layer] + np.where(cheap, counts[layer], 0)
    places = (np.arange(trace.requests) if trace.places is None else trace.places)[kept]
    parts = {
        "high precision": int((~cheap).sum()),
        "low": int(cheap.sum()),
        "skipped": int((~kept).sum()),
    }
    told = ", ".join(f"{count / trace.requests:.1%} {name}" for name, count in parts.items())
    return Trace(
        pages,
        trace.layers,
        tuple(2 * count for count in counts.tolist()),
        trace.per_visit,
        trace.seq_id,
        trace.decode,
        trace.name,
        {**trace.metadata, "precisions": [str(high), str(low)]},
        places,
        remarks=(*trace.remarks, f"requests by precision: {told}"),
        gate_weights=trace.gate_weights[kept] if trace.gate_weights is not None else None,
    )
