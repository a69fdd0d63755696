"""Fault curves of requests that do not fit in memory: exact in one pass, or from a sample of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
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
        1 counts. B > 1 spreads the pages over B groups of equal size, at random, and follows
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
    Counted curves are exact. A sampled one says so: its interval covers the choice of the pages; that a group
    sees k/B slots in place of k has an error of its own, which vanishes as k/B grows (Waldspurger et al.
    2015) and is of no account from some hundred slots a group on.

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
    slots = -(-largest // sample)
    stacks = {name: [stack_of(name, _shape(instance, sample, name), slots) for _ in groups] for name in names}
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
    curves = {name: _points(found, sizes, sample, seed) for name, found in stacks.items()}
    return {**curves, "compulsory": tuple(CurvePoint(size, distinct) for size in sizes)}


class _Group(NamedTuple):
    """Pages that are followed: the number of every page among them, or −1 (pages,)."""

    number: NDArray[np.int32]

    def of(self, pages: NDArray[Any], following: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the requests for these pages, with their next uses."""
        found = self.number[pages]
        chosen = found >= 0
        return found[chosen], following[chosen] if len(following) else following


class _All:
    """All pages."""

    @staticmethod
    def of(pages: NDArray[Any], following: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the requests."""
        return pages, following


def _groups(instance: LayeredInstance, sample: int, seed: int) -> list[_Group | _All]:
    if sample == 1:
        return [_All()]
    order = np.random.default_rng(seed).permutation(instance.total_pages)
    groups: list[_Group | _All] = []
    for group in np.array_split(order, sample)[:MOST_GROUPS]:
        number = np.full(instance.total_pages, -1, dtype=np.int32)
        number[group] = np.arange(len(group))
        groups.append(_Group(number))
    return groups


def _shape(instance: LayeredInstance, sample: int, name: str) -> LayeredInstance:
    """Return the instance that a group serves: one layer, and at most so many pages."""
    if sample == 1:
        return instance
    # Forced service takes one slot of k for the page being requested: of k/B slots less than one, so none.
    bypassing = name == "opt" or instance.bypassing
    return LayeredInstance(1, -(-instance.total_pages // sample), 1, bypassing=bypassing)


def _points(stacks: Sequence[Stack], sizes: Sequence[int], sample: int, seed: int) -> tuple[CurvePoint, ...]:
    curves = [stack.faults for stack in stacks]
    points = []
    for size in sizes:
        # More slots than pages change nothing.
        found = [sample * curve[min(size // sample, len(curve)) - 1] for curve in curves]
        if sample == 1:
            points.append(CurvePoint(size, found[0]))
        else:
            estimate = estimate_of(found, seed)
            points.append(CurvePoint(size, estimate.mean, estimate))
    return tuple(points)
