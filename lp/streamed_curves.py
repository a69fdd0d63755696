"""Fault curves of requests that do not fit in memory: exact in one pass, or from a sample of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lp.curves import Stack, stack_of
from lp.streaming import requests_on_disk
from paging.errors import ModelError, UnsupportedModelError
from paging.expectation import Estimate, estimate_of
from paging.kernels.parts import NOTHING
from paging.model import LayeredInstance, PageArray, whole_number
from paging.signals import UNWATCHED, Count, Watch

SAMPLED = ("opt", "lru")
"""Algorithms that see no layers: what they do with a part of the pages is a smaller run of the same kind."""

MOST_GROUPS = 10
"""Groups of pages that are followed; from their spread comes the interval."""

HALVED = 1 / (1 - 0.5**0.5)
"""What the error of scaling is, in parts of what is lost of it where groups are twice as large."""


class CurvePoint(NamedTuple):
    """Faults with k slots: counted, or estimated from a sample of the pages."""

    cache: int
    faults: int | float
    estimate: Estimate | None = None


def streamed_curves(
    instance: LayeredInstance,
    chunks: Iterable[PageArray],
    requests: int,
    names: Sequence[str],
    caches: Sequence[int],
    *,
    sample: int = 1,
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> dict[str, tuple[CurvePoint, ...]]:
    """Return the faults of stack algorithms for many cache sizes, from one pass over requests in chunks.

    Parameters
    ----------
    instance : LayeredInstance
        Sequential visits, unit cost; its cache size does not matter.
    chunks : iterable of ndarray of int32
        Legal requests, in their order; gone through once. OPT keeps them in temporary files, as
        :func:`~lp.streaming.streamed_optimum` does.
    requests : int
        How many there are.
    names : sequence of str
        ``opt``, ``lru``, ``llru``, ``llru-lazy`` or ``llru-token``; with a sample ``opt`` and ``lru``.
    caches : sequence of int
        Cache sizes k.
    sample : int, default 1
        1 counts. B > 1, an even number, spreads the pages over B groups of equal size, at random, and follows
        min(B, 10) of them, each with k/B slots; k must be a multiple of B.
    seed : int, default 0
        Of the groups.
    watch : Watch
        Told how much is done, and asked to stop.

    Returns
    -------
    dict
        For every name a point for every k: counted exactly, or B times the mean over the groups with its 95 %
        interval (Student's t between groups). ``compulsory`` is there, too: how many pages are requested.

    Raises
    ------
    UnsupportedModelError
        An algorithm has no curve in one pass, or none from a sample.
    ModelError
        A cache size or the sample is out of range.
    LimitError
        The temporary files do not fit.

    Guarantee
    ---------
    Counted curves are exact. The interval of a sampled one has two parts: which pages were drawn (95 %,
    Student's t between groups), and that a group has k/B slots of its own in place of its share of k. That
    is measured by serving the groups in pairs, too, and taken to shrink as the root of the slots (as the
    deviations of how many pages of a group are wanted at a time do): a rule of thumb, no theorem.

    Notes
    -----
    LRU takes O(log pages) per request, the others O(K) with K the largest k; a sample divides the requests by
    max(1, B/10) and K by B.

    References
    ----------
    Mattson et al. 1970; Waldspurger, Park, Garthwaite and Ahmad 2015 (SHARDS); Waldspurger et al. 2017.

    Examples
    --------
    >>> instance = LayeredInstance(layers=1, pages=3, cache=1)
    >>> parts = [np.array(part, dtype=np.int32) for part in ([0, 1], [2, 0, 1, 2])]
    >>> [point.faults for point in streamed_curves(instance, parts, 6, ["lru", "opt"], [2, 3])["opt"]]
    [4, 3]
    """
    instance.require("a fault curve of a stream", visits="sequential", cost="unit")
    sample = whole_number(sample, "sample (B)", 1, instance.total_pages // 2 or 1)
    sizes = [whole_number(k, "cache (k)", 1) for k in caches]
    if sample > 1 and sample % 2:
        raise ModelError(f"sample (B) must be even, as groups are also served in pairs, got {sample}")
    if wrong := [k for k in sizes if k % sample]:
        raise ModelError(
            f"of a sample of every {sample}th page k must be a multiple of {sample}, not {wrong[0]}"
        )
    if sample > 1 and (other := [name for name in names if name not in SAMPLED]):
        raise UnsupportedModelError(
            f"{other[0]} sees layers: a sample of the pages has {' and '.join(SAMPLED)}"
        )
    largest = min(max(sizes), instance.total_pages)
    groups = _groups(instance, sample, seed)
    stacks = {name: [_stack(name, instance, largest, group) for group in groups] for name in names}
    seen = np.zeros(instance.total_pages, dtype=np.bool_)
    done, passes = 0, 3 if "opt" in names else 1

    def told(count: int, label: str) -> None:
        nonlocal done
        done += count
        watch.look(Count(done, passes * requests, label))

    with ExitStack() as opened:
        parts: Iterator[tuple[NDArray[Any], NDArray[Any]]] = zip(chunks, repeat(NOTHING), strict=False)
        if "opt" in names:
            files = opened.enter_context(requests_on_disk(instance, chunks, requests, told))
            parts = ((pages, following) for _, pages, following in files.parts())
        for pages, following in parts:
            seen[pages] = True
            for place, group in enumerate(groups):
                chosen = group.of(pages, following)
                for name in names:
                    stacks[name][place].serve(*chosen)
            told(len(pages), "curves")
    distinct = int(np.count_nonzero(seen))
    curves = {name: _points(found, groups, sizes, sample, seed) for name, found in stacks.items()}
    return {**curves, "compulsory": tuple(CurvePoint(size, distinct) for size in sizes)}


class _Group(NamedTuple):
    """Pages that are followed."""

    share: int
    """One page in so many."""
    number: NDArray[np.int32] | None = None
    """Of every page among them, or −1, shape (pages,); None for all pages."""

    def of(self, pages: NDArray[Any], following: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the requests for these pages, with their next uses."""
        if self.number is None:
            return pages, following
        found = self.number[pages]
        chosen = found >= 0
        return found[chosen], following[chosen] if len(following) else following


def _groups(instance: LayeredInstance, sample: int, seed: int) -> list[_Group]:
    """Return the groups, then the same in pairs, twice as large."""
    if sample == 1:
        return [_Group(1)]
    order = np.random.default_rng(seed).permutation(instance.total_pages)
    dealt = np.array_split(order, sample)[:MOST_GROUPS]
    paired = [np.concatenate(pair) for pair in zip(dealt[::2], dealt[1::2], strict=False)]
    groups = []
    for share, members in [*((sample, group) for group in dealt), *((sample // 2, pair) for pair in paired)]:
        number = np.full(instance.total_pages, -1, dtype=np.int32)
        number[members] = np.arange(len(members))
        groups.append(_Group(share, number))
    return groups


def _stack(name: str, instance: LayeredInstance, largest: int, group: _Group) -> Stack:
    """Return the stack that serves a group, which has no layers."""
    if group.number is None:
        return stack_of(name, instance, largest)
    # Forced service takes one slot of k for the page being requested: of k/B slots less than one, so none.
    bypassing = name == "opt" or instance.bypassing
    pages = int(group.number.max()) + 1
    return stack_of(name, LayeredInstance(1, pages, 1, bypassing=bypassing), -(-largest // group.share))


def _points(
    stacks: Sequence[Stack], groups: Sequence[_Group], sizes: Sequence[int], sample: int, seed: int
) -> tuple[CurvePoint, ...]:
    curves = [stack.faults for stack in stacks]

    def faults(place: int, size: int) -> int:
        """Faults of all pages, if all were like those of one group; more slots than pages change nothing."""
        share, curve = groups[place].share, curves[place]
        return share * curve[min(size // share, len(curve)) - 1]

    if sample == 1:
        return tuple(CurvePoint(size, faults(0, size)) for size in sizes)
    singles = min(sample, MOST_GROUPS)
    points = []
    for size in sizes:
        found = [faults(place, size) for place in range(singles)]
        pairs = [faults(place, size) for place in range(singles, len(groups))]
        estimate = estimate_of(found, seed)
        # The same pages, once apart and once in pairs: what differs is the scale alone.
        scaling = HALVED * abs(np.mean(pairs) - np.mean(found[: 2 * len(pairs)]))
        points.append(
            CurvePoint(
                size, estimate.mean, replace(estimate, half_width=estimate.half_width + float(scaling))
            )
        )
    return tuple(points)
