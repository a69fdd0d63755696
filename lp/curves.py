"""Faults against the cache size: one pass for all k = 1 … K where the algorithm has inclusion."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lp.kernels.stack import counted, layered_depths, opt_depths, recency_depths
from paging.arguments import checked
from paging.errors import UnsupportedModelError
from paging.kernels import next_use
from paging.kernels.parts import NOTHING, Windows, bitmap_of, in_order
from paging.model import LayeredInstance, PageArray, RequestSequence, whole_number
from paging.policy import Policy, get_policy, plain_name
from paging.simulate import simulate

LONGEST_CURVE = 10_000_000
"""Most cache sizes of a curve."""

VARIANTS = {"llru": 0, "llru-lazy": 1, "llru-token": 2}
ONE_PASS = ("opt", "lru", *VARIANTS)
"""Algorithms whose eviction order at every time does not depend on k, so that one pass serves all k."""


@checked
def fault_curve(
    sequence: RequestSequence, policy: str | Policy | type[Policy] = "opt", max_cache: int | None = None
) -> tuple[int, ...]:
    """Return the faults of an algorithm for every cache size k = 1 … K.

    Parameters
    ----------
    sequence : RequestSequence
        The requests; the cache size of their instance is only the default of ``max_cache``.
    policy : str, Policy or Policy class, default "opt"
        ``"opt"`` for the offline optimum, or what :func:`paging.simulate` accepts (deterministic).
    max_cache : int, optional
        Largest cache size K ≥ 1; default the cache size of the instance.

    Returns
    -------
    tuple of int, length K
        Entry ``k − 1`` is the number of faults with k slots.

    Raises
    ------
    ModelError
        ``max_cache`` is below 1.
    UnsupportedModelError
        The policy is randomised, or visits are atomic (they need k ≥ g, so there is no curve from k = 1).

    Notes
    -----
    OPT, LRU and the LLRU family order the pages at every time in a way that does not depend on k. They are
    stack algorithms (Mattson et al. 1970): one pass that keeps the K best pages in a stack gives the whole
    curve in O(T·K) time; of LRU in O(T·log pages), by counting the pages requested since. Any other policy
    is served once per cache size.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=3), [0, 1, 2, 0, 1, 2])
    >>> fault_curve(sequence), fault_curve(sequence, "lru")
    ((6, 4, 3), (6, 6, 3))
    """
    limit = whole_number(
        sequence.instance.cache if max_cache is None else max_cache, "max_cache (K)", 1, LONGEST_CURVE
    )
    sequence.instance.require("a fault curve", visits="sequential", cost="unit")
    name = plain_name(policy) if isinstance(policy, str) else get_policy(policy).name
    # More slots than distinct pages change nothing: the tail of the curve is flat.
    useful = max(1, min(limit, sequence.distinct_pages))
    if name in ONE_PASS:
        stack = stack_of(name, sequence.instance, useful)
        if name in VARIANTS:
            sequence.require_full_visits(f"a curve of {name} in one pass")
        known = name == "opt"
        following = next_use(sequence.requests, sequence.instance.total_pages) if known else NOTHING
        stack.serve(sequence.requests, following)
        curve = stack.faults
    else:
        curve = _one_by_one(sequence, policy, useful)
    return curve + curve[-1:] * (limit - useful)


class Stack(Protocol):
    """The pages as an algorithm ranks them, for all cache sizes at once; requests come in parts.

    Attributes
    ----------
    faults : tuple of int
        Entry k − 1: faults so far with k slots.
    """

    @property
    def faults(self) -> tuple[int, ...]:
        """Faults so far for every k."""
        ...

    def serve(self, requests: NDArray[Any], following: NDArray[Any]) -> None:
        """Serve the next requests; ``following`` are their next uses, which only OPT looks at."""
        ...


def stack_of(name: str, instance: LayeredInstance, limit: int) -> Stack:
    """Return the stack of an algorithm, exact for k = 1 … limit.

    Raises
    ------
    UnsupportedModelError
        It has none, or does not serve this variant of the model.
    """
    if name not in ONE_PASS:
        raise UnsupportedModelError(
            f"{name} has no curve in one pass; those who have are {', '.join(ONE_PASS)}"
        )
    if name == "opt":
        return _OptStack(instance, limit)
    get_policy(name).check(instance)
    return _LruStack(instance, limit) if name == "lru" else _LayeredStack(instance, limit, VARIANTS[name])


class _OptStack:
    def __init__(self, instance: LayeredInstance, limit: int) -> None:
        self._bypassing, self._size = instance.bypassing, 0
        self._until = np.empty(instance.total_pages, dtype=np.int64)
        self._stack, self._depths = np.empty(limit, dtype=np.int32), np.zeros(limit + 1, dtype=np.int64)

    def serve(self, requests: NDArray[Any], following: NDArray[Any]) -> None:
        state: Any = (self._until, self._stack, self._depths, self._size)
        self._size = opt_depths(requests, following, self._bypassing, *state)

    @property
    def faults(self) -> tuple[int, ...]:
        return _from_depths(self._depths)


class _LayeredStack:
    def __init__(self, instance: LayeredInstance, limit: int, variant: int) -> None:
        self._given = (instance.layer_of, instance.layers, instance.per_visit, variant)
        self._begin = self._size = 0
        self._last_round = np.zeros(instance.total_pages, dtype=np.int64)
        self._stack, self._depths = np.empty(limit, dtype=np.int32), np.zeros(limit + 1, dtype=np.int64)

    def serve(self, requests: NDArray[Any], _following: NDArray[Any]) -> None:
        state: Any = (*self._given, self._last_round, self._stack, self._depths, self._size)
        self._size = layered_depths(requests, self._begin, *state)
        self._begin += len(requests)

    @property
    def faults(self) -> tuple[int, ...]:
        return _from_depths(self._depths)


class _LruStack:
    def __init__(self, instance: LayeredInstance, limit: int) -> None:
        self._windows = _LruWindows(instance, limit)

    def serve(self, requests: NDArray[Any], _following: NDArray[Any]) -> None:
        self._windows.serve(requests)

    @property
    def faults(self) -> tuple[int, ...]:
        return _from_depths(self._windows.depths)


class _LruWindows(Windows):
    """Depths of LRU's stack, with times that begin anew."""

    def __init__(self, instance: LayeredInstance, limit: int) -> None:
        super().__init__(instance)
        self.depths = np.zeros(limit + 1, dtype=np.int64)
        self._last = np.full(instance.total_pages, -1, dtype=np.int32)

    def _run(self, order: PageArray, begin: int, _entries: PageArray) -> None:
        live = bitmap_of(np.arange(begin), len(order))
        recency_depths(order, begin, self._last, live, counted(live), self.depths)

    def _carry(self) -> PageArray:
        pages = in_order(self._last)
        self._last[pages] = np.arange(len(pages))
        return pages.astype(np.int32)


def _from_depths(depths: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple((depths.sum() - np.cumsum(depths[1:])).tolist())


def _one_by_one(
    sequence: RequestSequence, policy: str | Policy | type[Policy], limit: int
) -> tuple[int, ...]:
    answer = get_policy(policy)
    if answer.randomized:
        raise UnsupportedModelError(f"policy {answer.name} is randomised: it has no single fault curve")
    return tuple(simulate(answer, sequence.with_cache(k)).faults for k in range(1, limit + 1))
