"""Faults against the cache size: one pass for all k = 1 … K where the algorithm has inclusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp.kernels.stack import layered_depths, opt_depths, recency_depths
from paging.arguments import checked
from paging.errors import UnsupportedModelError
from paging.model import RequestSequence, whole_number
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
    curve in O(T·K) time. Any other policy is served once per cache size.

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
        curve = _from_depths(_depths(sequence, name, useful))
    else:
        curve = _one_by_one(sequence, policy, useful)
    return curve + curve[-1:] * (limit - useful)


def _depths(sequence: RequestSequence, name: str, limit: int) -> NDArray[np.int64]:
    """Return how many requests were found at depth d of the stack, shape (K + 1,); entry 0: deeper or new."""
    instance = sequence.instance
    pages = instance.total_pages
    if name == "opt":
        return opt_depths(sequence.requests, pages, limit, instance.bypassing)
    if name == "lru":
        return recency_depths(sequence.requests, limit)
    get_policy(name).check(instance)
    sequence.require_full_visits(f"a curve of {name} in one pass")
    return layered_depths(
        sequence.requests, instance.layer_of, limit, instance.layers, instance.per_visit, VARIANTS[name]
    )


def _from_depths(depths: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple((depths.sum() - np.cumsum(depths[1:])).tolist())


def _one_by_one(
    sequence: RequestSequence, policy: str | Policy | type[Policy], limit: int
) -> tuple[int, ...]:
    answer = get_policy(policy)
    if answer.randomized:
        raise UnsupportedModelError(f"policy {answer.name} is randomised: it has no single fault curve")
    return tuple(simulate(answer, sequence.with_cache(k)).faults for k in range(1, limit + 1))
