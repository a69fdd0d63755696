"""Hypothesis strategies: instances, legal request sequences, routing traces. All shrink to small ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from zlib import crc32

import numpy as np
from hypothesis import strategies as st

from paging.model import Kind, LayeredInstance, RequestSequence
from paging.predicted import PredictedSequence
from paging.traces import Trace

Bounds = int | tuple[int, int]
"""A number, or the lowest and the highest number allowed."""

Visits = Literal["sequential", "atomic"]


def _number(bounds: Bounds, least: int = 0) -> st.SearchStrategy[int]:
    """Draw a number within bounds, and at least ``least``."""
    low, high = (bounds, bounds) if isinstance(bounds, int) else bounds
    return st.integers(max(low, least), max(high, least))


@st.composite
def instances(
    draw: st.DrawFn,
    *,
    layers: Bounds = (1, 3),
    pages: Bounds = (1, 4),
    cache: Bounds = (1, 6),
    per_visit: Bounds = 1,
    visits: Visits = "sequential",
    bypassing: bool = False,
) -> LayeredInstance:
    """Draw instances, with equal and unequal numbers of pages per layer.

    Parameters
    ----------
    layers, pages, cache, per_visit : int or (int, int)
        A number, or lowest and highest. Raised where the model needs it: at least ``per_visit`` pages per
        layer, and for atomic visits a cache of at least ``per_visit`` pages.
    visits : {"sequential", "atomic"}, default "sequential"
    bypassing : bool, default False

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(instances(layers=2, per_visit=(1, 2)))
    ... def holds(instance):
    ...     assert instance.layers == 2 and instance.per_visit <= min(instance.pages_by_layer)
    >>> holds()
    """
    group = draw(_number(per_visit, 1))
    count = draw(_number(layers, 1))
    number = _number(pages, group)
    unequal = st.lists(number, min_size=count, max_size=count).map(tuple)
    per_layer = draw(st.one_of(number, unequal) if count > 1 else number)
    size = draw(_number(cache, group if visits == "atomic" else 1))
    return LayeredInstance(count, per_layer, size, group, visits, bypassing)


@st.composite
def sequences(
    draw: st.DrawFn,
    /,
    instance: LayeredInstance | st.SearchStrategy[LayeredInstance] | None = None,
    *,
    length: Bounds = (0, 30),
    **bounds: Any,
) -> RequestSequence:
    """Draw legal request sequences.

    Parameters
    ----------
    instance : LayeredInstance or strategy, optional
        The instance, or where to draw it from; default ``instances(**bounds)``.
    length : int or (int, int), default (0, 30)
        Number of requests T; the last round, and with several pages a visit the last visit, may be
        incomplete.
    **bounds
        As for :func:`instances`.

    Notes
    -----
    What is drawn is one place per request, taken modulo the pages left in the visit's layer. So deleting a
    request leaves a legal sequence, which is what makes counterexamples shrink.

    Examples
    --------
    >>> from hypothesis import given
    >>> from paging import simulate
    >>> @given(sequences(pages=(2, 3), cache=2))
    ... def a_larger_cache_never_hurts_lru(sequence):
    ...     assert simulate("lru", sequence.with_cache(3)).faults <= simulate("lru", sequence).faults
    >>> a_larger_cache_never_hurts_lru()
    """
    if instance is None:
        instance = instances(**bounds)
    elif bounds:
        raise TypeError(f"bounds {', '.join(bounds)} come with an instance that is already given")
    chosen = instance if isinstance(instance, LayeredInstance) else draw(instance)
    low, high = (length, length) if isinstance(length, int) else length
    return request_sequence(chosen, draw(_places(low, high)))


def _places(low: int, high: int) -> st.SearchStrategy[bytes]:
    """Draw ``low … high`` numbers, in pieces: hypothesis shrinks bytes and drops pieces, both quickly."""
    least = st.binary(min_size=low, max_size=low)
    if low == high:
        return least
    more = st.lists(st.binary(max_size=10), min_size=1, max_size=-(-(high - low) // 5))
    return st.builds(lambda first, rest: b"".join([first, *rest])[:high], least, more)


def request_sequence(instance: LayeredInstance, places: Sequence[int]) -> RequestSequence:
    """Turn places, each modulo the pages left in its visit's layer, into a legal sequence.

    Examples
    --------
    >>> list(request_sequence(LayeredInstance(layers=2, pages=3, cache=2, per_visit=2), [0, 0, 1, 1, 5]))
    [0, 1, 4, 5, 2]
    """
    requests, left = [], [0]
    for time, place in enumerate(places):
        if time % instance.per_visit == 0:
            left = list(instance.pages_of(instance.layer_at(time)))
        requests.append(left.pop(place % len(left)))
    return RequestSequence(instance, requests)


def told(sequence: RequestSequence, kind: Kind | None) -> RequestSequence:
    """Return the requests with some legal predictions of a kind; as they are where nothing is predicted.

    A prediction depends on the requests up to its own, so a prefix of the requests has the same ones.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
    >>> told(sequence, "discard").predictions.tolist(), told(sequence, "next-arrival").predictions.tolist()
    ([1, 0, 1, 0], [8, 9, 10, 6])
    """
    if kind is None or sequence.kind is not None:
        return sequence
    codes = [0]
    for page in sequence:
        codes.append(crc32(page.to_bytes(4, "little"), codes[-1]))
    drawn = np.array(codes[1:], dtype=np.int64) >> 9
    later = np.arange(len(drawn)) + 1 + drawn % 9
    return PredictedSequence(sequence, kind, later if kind == "next-arrival" else drawn % 2)


def places_of(sequence: RequestSequence) -> list[int]:
    """Return the places that :func:`request_sequence` turns into a sequence."""
    instance, places, left = sequence.instance, [], [0]
    for time, page in enumerate(sequence):
        if time % instance.per_visit == 0:
            left = list(instance.pages_of(instance.layer_at(time)))
        places.append(left.index(page))
        left.remove(page)
    return places


@st.composite
def routing_traces(
    draw: st.DrawFn,
    *,
    tokens: Bounds = (1, 12),
    layers: Bounds = (1, 4),
    experts: Bounds = (1, 8),
    top_k: Bounds = (1, 2),
) -> Trace:
    """Draw routing traces as models produce them: a few experts of a layer are popular, and many repeat.

    Parameters
    ----------
    tokens, layers, experts, top_k : int or (int, int)
        Shape of the trace: a number, or lowest and highest. There are at least ``top_k`` experts a layer.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(routing_traces(layers=3, top_k=2))
    ... def holds(trace):
    ...     assert trace.experts.shape == (trace.tokens, 3, 2)
    >>> holds()
    """
    group = draw(_number(top_k, 1))
    depth = draw(_number(layers, 1))
    wide = draw(_number(experts, group))
    choices = np.zeros((draw(_number(tokens, 1)), depth, group), dtype=np.int64)
    rank = st.integers(0, wide - 1)
    for token in range(len(choices)):
        for layer in range(depth):
            left = list(range(wide))
            for slot in range(group):
                before = int(choices[token - 1, layer, slot])
                if token > 0 and before in left and draw(st.booleans()):
                    left.remove(before)
                    choices[token, layer, slot] = before
                else:
                    # The smaller of two ranks: low ranks are popular.
                    choices[token, layer, slot] = left.pop(min(draw(rank), draw(rank)) % len(left))
    return Trace.from_experts(choices, wide)
