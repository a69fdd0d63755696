"""Policies on requests that come in parts: what they know is carried from one part to the next.

What a kernel knows of the past is either a table of pages and slots, which stays as it is, or a set of times.
Of times only the order matters (for LLRU also how they lie in the rounds), so after every part the times that
are still needed are numbered anew from 0, and the next part follows them: memory depends on pages and k, and
not on how long the requests are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, empty_set, flip
from paging.kernels.frequency import ONCE, UNCAPPED, lfu_from
from paging.kernels.jit import compiled
from paging.kernels.layered import llru_from
from paging.kernels.marking import mark_fifo_from, mark_layer_from
from paging.kernels.randomized import BLOCK, mark_from
from paging.kernels.recency import clock_from, fifo_from, lru_from
from paging.kernels.trees import empty_tree
from paging.kernels.zrc import COST, FAULTS, FRONT, LISTED, LOW, STATE, TIME, TOP, opt_so_far, zrc
from paging.model import LayeredInstance, PageArray

WINDOW = 1 << 18
"""Requests served between two renumberings, or more where more times are carried on."""

NOTHING: PageArray = np.zeros(0, dtype=np.int32)


class FifoInParts:
    """FIFO in parts."""

    def __init__(self, instance: LayeredInstance) -> None:
        self.faults = 0
        self._cache = instance.cache
        # Numbers of loads, of which a long trace has more than fit into 32 bits.
        self._loaded = np.full(instance.total_pages, -1, dtype=np.int64)
        self._ring = np.empty(min(instance.cache, instance.total_pages), dtype=np.int32)

    def serve(self, requests: PageArray, entries: PageArray = NOTHING) -> int:
        before = self.faults
        self.faults = fifo_from(requests, self._cache, entries, self._loaded, self._ring, before)
        return self.faults - before


class ClockInParts:
    """CLOCK in parts."""

    def __init__(self, instance: LayeredInstance, set_on_loading: bool) -> None:
        self.faults = self._hand = 0
        slots = min(instance.cache, instance.total_pages)
        self._given = (instance.cache, set_on_loading)
        self._slot_of = np.full(instance.total_pages, -1, dtype=np.int32)
        self._dial = np.empty(slots, dtype=np.int32)
        self._used = np.full((slots + 63) // 64, -1, dtype=np.int64)

    def serve(self, requests: PageArray, entries: PageArray = NOTHING) -> int:
        before, (cache, loading) = self.faults, self._given
        state = (self._slot_of, self._dial, self._used, before, self._hand)
        self.faults, self._hand = clock_from(requests.copy(), cache, entries, loading, *state, 1, False)
        return self.faults - before


class MarkInParts:
    """MARK in parts: one sampled run."""

    def __init__(self, instance: LayeredInstance, rng: np.random.Generator) -> None:
        self.faults, self._marked, self._used = 0, 0, BLOCK
        self._given = (instance.cache, rng)
        self._place = np.full(instance.total_pages, -1, dtype=np.int32)
        self._slots = np.empty(min(instance.cache, instance.total_pages), dtype=np.int32)
        self._pool = np.empty(BLOCK, dtype=np.uint32)

    def serve(self, requests: PageArray, entries: PageArray = NOTHING) -> int:
        before, (cache, rng) = self.faults, self._given
        state = (self._place, self._slots, self._pool, before, self._marked, self._used)
        self.faults, self._marked, self._used = mark_from(requests, cache, entries, rng, *state)
        return self.faults - before


class MarkFifoInParts:
    """Marking, the page cached longest, in parts."""

    def __init__(self, instance: LayeredInstance) -> None:
        self.faults = 0
        self._cache = instance.cache
        self._pages = np.full((instance.total_pages, 2), -1, dtype=np.int32)
        self._queues = np.empty((2, min(instance.cache, instance.total_pages)), dtype=np.int32)
        self._counters = np.zeros(6, dtype=np.int64)

    def serve(self, requests: PageArray, entries: PageArray = NOTHING) -> int:
        before = self.faults
        self.faults = mark_fifo_from(
            requests.copy(), self._cache, entries, self._pages, self._queues, self._counters, 1, False
        )
        return self.faults - before


@compiled
def bitmap_of(times: NDArray[Any], length: int) -> Words:
    """Return a bitmap of ``length`` times, those given in the set."""
    words = empty_set(length)
    for time in times:
        flip(words, time)
    return words


def in_order(times: PageArray, least: int = 0) -> NDArray[np.int64]:
    """Return the pages whose time is at least so much, by their times."""
    pages = np.flatnonzero(times >= least)
    return pages[np.argsort(times[pages], kind="stable")]


class Windows(ABC):
    """A kernel whose times begin anew after every part.

    A subclass serves the requests of ``order`` from ``begin`` on, then says what the next part follows.
    """

    def __init__(self, instance: LayeredInstance) -> None:
        self.instance = instance
        self.faults = 0
        self._carried: PageArray = NOTHING

    def serve(self, requests: PageArray, entries: PageArray = NOTHING) -> int:
        before, start = self.faults, 0
        while start < len(requests):
            begin = len(self._carried)
            stop = start + max(WINDOW, 2 * begin)
            order = np.concatenate((self._carried, requests[start:stop]))
            self._run(order, begin, entries[start:stop])
            self._carried = self._carry()
            start = stop
        return self.faults - before

    @abstractmethod
    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        """Serve the requests of ``order`` from ``begin`` on."""

    @abstractmethod
    def _carry(self) -> PageArray:
        """Number anew the times that are still needed; return the requests at these times."""


class LruInParts(Windows):
    """LRU in parts."""

    def __init__(self, instance: LayeredInstance) -> None:
        super().__init__(instance)
        self._last = np.full(instance.total_pages, -1, dtype=np.int32)

    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        live = bitmap_of(np.arange(begin), len(order))
        self.faults = lru_from(
            order, begin, self.instance.cache, entries, 1, False, self._last, live, self.faults
        )

    def _carry(self) -> PageArray:
        pages = in_order(self._last)
        self._last[pages] = np.arange(len(pages))
        return pages.astype(np.int32)


class LlruInParts(Windows):
    """LLRU and its variants in parts. Times keep their places in the round."""

    def __init__(self, instance: LayeredInstance, variant: int) -> None:
        super().__init__(instance)
        self._variant = variant
        self._last = np.full(instance.total_pages, -1, dtype=np.int32)

    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        instance, group = self.instance, self.instance.per_visit
        live = bitmap_of(self._last[self._last >= 0], len(order) + group)
        given = (instance.cache, entries, instance.layers, group, self._variant, False)
        self.faults = llru_from(order, begin, *given, self._last, live, self.faults)

    def _carry(self) -> PageArray:
        """Shorten what lies between pages two rounds or more apart, by whole rounds, to less than two."""
        length = self.instance.round_length
        pages = in_order(self._last)
        end = int(self._last[pages[-1]]) + 1
        gaps = np.diff(self._last[pages], append=end).astype(np.int64)
        gaps = np.where(gaps < 2 * length, gaps, length + gaps % length)
        back = np.cumsum(gaps[::-1])[::-1]  # from every page to the next request
        begin = int(back[0]) + (end - int(back[0])) % length
        times = begin - back
        self._last[pages] = times
        carried = np.zeros(begin, dtype=np.int32)
        carried[times] = pages
        return carried


class LfuInParts(Windows):
    """LFU and its variants in parts."""

    def __init__(
        self, instance: LayeredInstance, most: int = UNCAPPED, renewed: bool = True, perfect: bool = False
    ) -> None:
        super().__init__(instance)
        self._given = (most, renewed, perfect)
        self._keys = np.zeros(instance.total_pages, dtype=np.int64)
        self._heap = np.empty(min(instance.cache, instance.total_pages), dtype=np.int64)

    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        repeated = np.sort(self._keys[self._keys >= 2 * ONCE])
        self._heap[: len(repeated)] = repeated
        state: Any = (self._keys, self._heap, len(repeated), self.faults, 1, False)
        self.faults = lfu_from(order, begin, self.instance.cache, entries, *self._given, *state)

    def _carry(self) -> PageArray:
        cached = np.flatnonzero(self._keys > 0)
        pages = cached[np.argsort(self._keys[cached] % ONCE, kind="stable")]
        self._keys[pages] = self._keys[pages] // ONCE * ONCE + np.arange(len(pages))
        return pages.astype(np.int32)


class MarkLayerInParts(Windows):
    """Marking, the layer being served first, in parts."""

    def __init__(self, instance: LayeredInstance) -> None:
        super().__init__(instance)
        self._last = np.full(instance.total_pages, -1, dtype=np.int32)
        self._marked = np.full(instance.total_pages, -1, dtype=np.int32)
        self._lists = np.full((2, min(instance.cache, instance.total_pages)), -1, dtype=np.int32)
        self._of_layers = np.full((3, instance.layers), -1, dtype=np.int32)
        self._counters = np.zeros(5, dtype=np.int64)

    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        state: Any = (self._last, self._marked, self._lists, self._of_layers, self._counters, 1, False)
        given: Any = (self.instance.cache, entries, self.instance.layer_of)
        self.faults = mark_layer_from(order, begin, *given, *state)

    def _carry(self) -> PageArray:
        pages = in_order(self._last)
        self._last[pages] = np.arange(len(pages))
        # When the phase ends all cached pages are marked; what else is carried on will have left by then.
        self._counters[0] = 0
        return pages.astype(np.int32)


class _Steps(Windows):
    """A work function in parts: heights of steps in time."""

    def __init__(self, instance: LayeredInstance, cache: int) -> None:
        super().__init__(instance)
        self.cache = cache
        self.counters = np.array([0, 0, -1, -1, 0, 0], dtype=np.int64)
        self._heights = np.zeros(0, dtype=np.int32)
        self.times: PageArray = NOTHING

    def _steps(self, length: int) -> tuple[PageArray, PageArray]:
        heights, under = np.zeros(length, dtype=np.int32), np.empty(length, dtype=np.int32)
        known = len(self._heights)
        heights[:known] = self._heights
        steps = np.where(self._heights > 0, np.arange(known), -1)
        under[:known] = np.concatenate(([-1], np.maximum.accumulate(steps)))[:known]
        return heights, under

    def _carry(self) -> PageArray:
        pages = in_order(self.times, self.counters[LOW])
        times = self.times[pages]
        steps = np.flatnonzero(self._heights)
        # A step between two pages is one at the later of them.
        heights = np.zeros(len(pages), dtype=np.int32)
        np.add.at(heights, np.searchsorted(times, steps), self._heights[steps])
        self._heights = heights
        self.counters[[TOP, LOW]] = np.searchsorted(times, self.counters[[TOP, LOW]])
        self.times[:] = -1
        self.times[pages] = np.arange(len(pages))
        return pages.astype(np.int32)

    @property
    def cost(self) -> int:
        """OPT so far."""
        return int(self.counters[COST])

    @property
    def labels(self) -> NDArray[np.int64]:
        """Label of every page in the work function, shape (pages,)."""
        level = np.concatenate(([0], np.cumsum(self._heights)))
        return np.asarray(level[self.times + 1], dtype=np.int64)


class OptSoFar(_Steps):
    """The work function in parts. Its faults are OPT's; what it writes down are increments."""

    def __init__(self, instance: LayeredInstance, cache: int | None = None) -> None:
        super().__init__(instance, instance.cache if cache is None else cache)
        self.times = np.full(instance.total_pages, -1, dtype=np.int32)

    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        self._heights, under = self._steps(len(order))
        opt_so_far(order, begin, self.cache, entries, self.times, self.counters, self._heights, under)
        self.faults = self.cost


class ZrcInParts(_Steps):
    """ZRC or FAR-LAB in parts."""

    def __init__(self, instance: LayeredInstance, far: bool = False) -> None:
        super().__init__(instance, instance.cache)
        self._far = far
        self._slot = 0
        self._asked = np.zeros(instance.per_visit, dtype=np.int32)
        self._pages = np.full((instance.total_pages, 4), -1, dtype=np.int32)
        self._pages[:, STATE] = 0
        self.times = self._pages[:, TIME]
        self._layers = np.full((instance.layers, 5), -1, dtype=np.int32)
        self._dead, self._of_pages = empty_tree(instance.total_pages)
        self._front = self._dead.copy()
        self._first_page = np.asarray(instance.first_page, dtype=np.int32)

    def _run(self, order: PageArray, begin: int, entries: PageArray) -> None:
        self._heights, under = self._steps(len(order))
        state = self._pages[:, STATE]
        live = bitmap_of(self.times[(state == LISTED) | (state == FRONT)], len(order))
        given: Any = (self.cache, entries, self.instance.layer_of, self._first_page)
        known: Any = (self._pages, self._layers, self.counters, live, self._heights, under)
        known += (self._dead, self._front, self._of_pages, self._asked, self._slot, self._far)
        zrc(order, begin, *given, *known)
        self._slot = (self._slot + len(order) - begin) % len(self._asked)
        self.faults = int(self.counters[FAULTS])

    def _carry(self) -> PageArray:
        self._layers[:, 3] = -1
        return super()._carry()
