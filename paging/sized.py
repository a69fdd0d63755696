"""Caches counted in bytes: pages of different sizes, served by GreedyDual-Size and rules beside it.

This is no longer paging with k slots: several pages may have to leave for one, and the best schedule is hard
to find. So it stands beside the engine, with rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError, UnknownNameError
from paging.html import facts_table
from paging.model import HIT, PageArray, RequestSequence, whole_number
from paging.weights import LARGEST


@dataclass(frozen=True)
class ByteRule:
    """How a cache counted in bytes chooses who leaves.

    Attributes
    ----------
    title : str
        In words.
    weighs : bool
        Whether cost per byte counts.
    renews : bool
        Whether a hit renews a page's key and time.
    counts : bool
        Whether uses since loading multiply the cost per byte.
    """

    title: str
    weighs: bool
    renews: bool
    counts: bool = False


RULES = {
    "greedy-dual-size": ByteRule("least credit of cost per byte, renewed by a hit", weighs=True, renews=True),
    "greedy-dual-size-frequency": ByteRule(
        "the same, times the uses since it was loaded", weighs=True, renews=True, counts=True
    ),
    "lru": ByteRule("least recently used", weighs=False, renews=True),
    "fifo": ByteRule("first in, first out", weighs=False, renews=False),
}
"""Rules by name. At one size for all pages the first is ``landlord`` (and at unit cost LRU)."""


@dataclass(frozen=True, eq=False)
class SizedRun:
    """A sequence served by a cache counted in bytes.

    Attributes
    ----------
    rule : str
        Who was served by.
    sequence : RequestSequence
        The requests; their instance's weights are the costs, its cache size is not used.
    sizes : ndarray of int64, shape (n,)
        Bytes of every page.
    capacity : int
        Bytes of the cache.
    hits : ndarray of bool, shape (T,)
        Which requests were hits.
    most : int
        The most bytes it held.
    """

    rule: str
    sequence: RequestSequence
    sizes: NDArray[np.int64] = field(repr=False)
    capacity: int
    hits: NDArray[np.bool_] = field(repr=False)
    most: int

    @property
    def faults(self) -> int:
        """Number of faults."""
        return int(np.count_nonzero(~self.hits))

    @property
    def cost(self) -> int | Fraction:
        """What the faults cost together, exactly."""
        return self.sequence.instance.cost_of(self.sequence.requests[~self.hits])

    @property
    def bytes_loaded(self) -> int:
        """Bytes of the pages faulted on."""
        return int(self.sizes[self.sequence.requests[~self.hits]].sum())

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "faults": self.faults,
            "cost": self.cost,
            "bytes loaded": self.bytes_loaded,
        }
        return facts_table(f"{self.rule}, {self.capacity:,} bytes", facts)


@checked
def serve_sized(rule: str, sequence: RequestSequence, sizes: Iterable[int], capacity: int) -> SizedRun:
    """Serve a sequence with a cache of some bytes and pages of different sizes.

    Parameters
    ----------
    rule : str
        A name out of :data:`RULES`.
    sequence : RequestSequence
        The requests, sequential and forced; weights of its instance are the costs of faults.
    sizes : iterable of int
        Bytes of every page, at least 1.
    capacity : int
        Bytes of the cache, at least 1. A page that is larger is served past the cache.

    Returns
    -------
    SizedRun

    Raises
    ------
    UnknownNameError
        There is no such rule.
    ModelError, UnsupportedModelError
        Sizes or capacity are not allowed, or the variant of the model is another.

    Guarantee
    ---------
    GreedyDual-Size is Landlord: c/(c − d + 1)-competitive, where c and d bytes, in units that divide all
    sizes, are its cache and OPT's (Young 2002). Keys are floating point, costs are exact.

    References
    ----------
    CaoIrani1997, Young2002

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=1), [0, 2, 1, 0])
    >>> [serve_sized(rule, sequence, [1, 1, 4], capacity=5).faults for rule in ("greedy-dual-size", "lru")]
    [3, 4]
    """
    from paging.kernels.sized import sized

    if rule not in RULES:
        raise UnknownNameError("rule", rule, RULES)
    instance = sequence.instance
    instance.require("a cache counted in bytes", service="forced", visits="sequential")
    exact = [whole_number(size, f"bytes of page {page}", 1) for page, size in enumerate(sizes)]
    if len(exact) != instance.total_pages:
        raise ModelError(f"{len(exact)} sizes are given for {instance.total_pages} pages")
    if max(exact) * max(1, len(sequence)) >= LARGEST:
        raise ModelError(
            f"sizes reach {max(exact)}: the sum over {len(sequence)} requests does not fit 62 bits"
        )
    capacity = whole_number(capacity, "capacity (bytes)", 1, LARGEST)
    chosen = RULES[rule]
    held = np.array(exact, dtype=np.int64)
    costs = instance.frame.weights
    scale = 1 if instance.weights is None else instance.weights.scale
    density = costs / scale / held if chosen.weighs else np.zeros(len(held))
    entries: PageArray = np.zeros(len(sequence), dtype=np.int32)
    most = sized(sequence.requests, held, density, capacity, chosen.renews, chosen.counts, entries)
    return SizedRun(rule, sequence, held, capacity, entries == HIT, int(most))
