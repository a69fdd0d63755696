"""The offline problem as intervals: which pages to keep between two requests, within the slots left.

A *gap* lies between two consecutive requests of one page; keeping the page over it saves the second fault. A
gap covers the *steps* in between, and at every step only so many gaps can be kept. Every variant of the model
is the same problem with other steps and slots:

==================  ======================  =====================  ================================
variant             steps                   slots at a step        a gap from request s to t covers
==================  ======================  =====================  ================================
forced              requests                k − 1                  s + 1 … t − 1
bypassing           times between requests  k                      s … t − 1 (step s is after s)
atomic visits       visits                  k − pages of visit     visits strictly in between
fixed split         requests, by layers     k_j − 1 (k_j)          as above, inside the layer
==================  ======================  =====================  ================================

With weights w the optimum is Σ w(requests) − max Σ w(kept gaps).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lp.kernels.gaps import previous_requests, schedule_of_kept
from paging.arguments import checked
from paging.errors import InfeasibleScheduleError, ModelError
from paging.model import HIT, RequestSequence, Schedule, whole_number
from paging.weights import Weights

Indices = NDArray[np.int32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Gaps:
    """The gaps of a sequence, the steps they cover, and the slots at every step.

    Attributes
    ----------
    sequence : RequestSequence
        Where they come from.
    shares : tuple of int or None
        Slots per layer if the cache is split.
    ends : ndarray of int32, shape (m,)
        Request that ends gap i, increasing: it is a hit if the gap is kept.
    first, last : ndarray of int32, shape (m,)
        Steps covered, both inclusive; ``first > last`` for a gap that covers nothing and is always kept.
    slots : ndarray of int64, shape (steps,)
        How many gaps can be kept at every step.
    """

    sequence: RequestSequence
    shares: tuple[int, ...] | None
    ends: Indices = field(repr=False)
    first: Indices = field(repr=False)
    last: Indices = field(repr=False)
    slots: Integers = field(repr=False)

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.slots)

    @property
    def weights(self) -> Weights | None:
        """Fault costs per page; None for unit cost."""
        return self.sequence.instance.weights

    @cached_property
    def saving(self) -> Integers:
        """What keeping every gap saves, in units of 1/scale, shape (m,)."""
        if self.weights is None:
            return np.ones(len(self), dtype=np.int64)
        return self.weights.scaled[self.sequence.requests[self.ends]]

    @cached_property
    def total(self) -> int:
        """Cost of faulting at every request, in units of 1/scale."""
        if self.weights is None:
            return len(self.sequence)
        return int(self.weights.scaled[self.sequence.requests].sum())

    @property
    def scale(self) -> int:
        """Common denominator of the weights; 1 for unit cost."""
        return 1 if self.weights is None else self.weights.scale

    @cached_property
    def covering(self) -> Flags:
        """Which gaps cover a step at all, shape (m,)."""
        return self.first <= self.last

    def load(self, kept: Flags) -> Integers:
        """Return how many kept gaps cover every step, shape (steps,)."""
        chosen = kept & self.covering
        change = np.zeros(self.steps + 1, dtype=np.int64)
        change[: self.steps] += np.bincount(self.first[chosen], minlength=self.steps)[: self.steps]
        change[1:] -= np.bincount(self.last[chosen], minlength=self.steps)[: self.steps]
        return np.cumsum(change[:-1])

    def hits(self, schedule: Schedule) -> Flags:
        """Return which gaps a schedule keeps, shape (m,)."""
        kept: Flags = schedule.entries[self.ends] == HIT
        return kept

    def cost(self, schedule: Schedule) -> int:
        """Return the cost of a schedule, counted fault by fault, in units of 1/scale."""
        faulted = schedule.entries != HIT
        if self.weights is None:
            return int(np.count_nonzero(faulted))
        return int(self.weights.scaled[self.sequence.requests[faulted]].sum())

    def schedule(self, kept: Flags) -> Schedule:
        """Carry out a choice of kept gaps as a schedule; it may have fewer faults than the choice says.

        Raises
        ------
        InfeasibleScheduleError
            More gaps are kept at a step than there are slots.
        """
        instance = self.sequence.instance
        keep_after = np.zeros(len(self.sequence), dtype=np.bool_)
        previous = previous_requests(self.sequence.requests, instance.total_pages)
        keep_after[previous[self.ends[kept]]] = True
        shared = self.shares is None
        part_of = np.zeros(instance.total_pages, np.int32) if shared else instance.layer_of
        capacity = np.array([instance.cache] if self.shares is None else self.shares, dtype=np.int64)
        entries = np.empty(len(self.sequence), dtype=np.int32)
        group = instance.per_visit if instance.visits == "atomic" else 1
        time = schedule_of_kept(
            self.sequence.requests, keep_after, part_of, capacity, group, instance.bypassing, entries
        )
        if time >= 0:
            raise InfeasibleScheduleError(f"request {time}: more pages are to be kept than there are slots")
        return Schedule(self.sequence, entries)


@checked
def gaps_of(
    sequence: RequestSequence,
    weights: Weights | Iterable[object] | None = None,
    shares: Sequence[int] | None = None,
) -> Gaps:
    """Return the gaps of a sequence in its variant of the model.

    Parameters
    ----------
    sequence : RequestSequence
        The requests.
    weights : Weights or iterable of int, Fraction or str, optional
        Fault cost per page; default those of the instance.
    shares : sequence of int, optional
        Slots k_j of every layer (fixed split), Σ k_j ≤ k; default one shared cache.

    Raises
    ------
    UnsupportedModelError
        Visits are atomic together with bypassing or a fixed split.
    ModelError
        Weights or shares do not fit the instance.
    """
    if weights is not None:
        sequence = sequence.with_weights(weights)
    instance = sequence.instance
    if instance.visits == "atomic":
        instance.require("the optimum with atomic visits", service="forced")
    if shares is not None:
        instance.require("the optimum with a fixed split", visits="sequential")
    split = None if shares is None else _checked_shares(sequence, shares)
    previous = previous_requests(sequence.requests, instance.total_pages)
    ends = np.flatnonzero(previous >= 0).astype(np.int32)
    step = _steps(sequence, split is not None)
    lead = 0 if instance.bypassing else 1
    first, last = step[previous[ends]] + np.int32(lead), step[ends] - np.int32(1)
    return Gaps(sequence, split, ends, first, last, _slots(sequence, split))


def _checked_shares(sequence: RequestSequence, shares: Sequence[int]) -> tuple[int, ...]:
    instance = sequence.instance
    if len(shares) != instance.layers:
        raise ModelError(f"{len(shares)} shares for {instance.layers} layers")
    counts = np.bincount(sequence.visit_layers, minlength=instance.layers).tolist()
    checked = tuple(
        whole_number(share, f"share of layer {j}", min(1, counts[j])) for j, share in enumerate(shares)
    )
    if sum(checked) > instance.cache:
        raise ModelError(f"the shares add up to {sum(checked)}, more than cache (k) = {instance.cache}")
    return checked


def _steps(sequence: RequestSequence, by_layer: bool) -> Indices:
    """Return the step of every request, shape (T,)."""
    if by_layer:
        # Layer after layer on one line: no gap leads from one layer into another.
        order = np.argsort(sequence.visit_layers, kind="stable")
        step = np.empty(len(order), dtype=np.int32)
        step[order] = np.arange(len(order), dtype=np.int32)
        return step
    step = np.arange(len(sequence), dtype=np.int32)
    if sequence.instance.visits == "atomic":
        step //= np.int32(sequence.instance.per_visit)
    return step


def _slots(sequence: RequestSequence, shares: tuple[int, ...] | None) -> Integers:
    instance, length = sequence.instance, len(sequence)
    own = 0 if instance.bypassing else 1
    if shares is not None:
        return np.repeat(np.array(shares) - own, np.bincount(sequence.visit_layers, minlength=len(shares)))
    if instance.visits == "atomic":
        starts = np.arange(0, length, instance.per_visit)
        return instance.cache - np.minimum(instance.per_visit, length - starts)
    return np.full(length, instance.cache - own, dtype=np.int64)
