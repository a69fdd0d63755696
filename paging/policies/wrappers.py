"""Policies around a policy: some pages pinned, or few pages let in."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError, UnsupportedModelError
from paging.model import (
    FREE,
    HIT,
    Frame,
    LabelArray,
    LayeredInstance,
    PageArray,
    RequestSequence,
    whole_number,
)
from paging.policies.layered import Partitioned
from paging.policy import Criterion, Outcomes, Policy, get_policy, refuse_told, run_kernel


class Pinned(Policy):
    """The hottest pages of a profile never leave; a policy serves the others in the rest of the cache.

    The profile is another trace of the same model. Its most requested pages, of equals the lowest page ids,
    have slots of their own from the start and are loaded when first requested.

    Parameters
    ----------
    profile : str
        A trace file that the reader knows by its suffix.
    policy : str or Policy, default "lru"
        Serves the pages that are not pinned. It must not count visits, of which it does not see all.
    pins : int, optional
        Pages pinned, fewer than k. Default ⌊k/2⌋.

    Label
    -----
    1 for a pinned page in the cache; of the others that of the inner policy.

    Guarantee
    ---------
    None: with at least one page pinned, a cycle over one page more than the rest of the cache holds, without
    the pinned pages, faults always around LRU and fits into the cache of OPT.

    References
    ----------
    Engines2026: hot experts pinned from a profile, LRU beside them
    """

    id, title = "pinned", "the hottest pages of a profile pinned"

    def __init__(self, profile: object = None, policy: str | Policy = "lru", pins: int | None = None) -> None:
        self.profile = None if profile is None else str(profile)
        self.policy = get_policy(policy)
        self.pins = None if pins is None else whole_number(pins, "pins of pinned", 0)
        refuse_counting(self.policy, "pinned")
        self.traits = self.policy.traits & {"deterministic", "online", "finite-state"}

    @cached_property
    def _counts(self) -> tuple[LayeredInstance, NDArray[np.int64]]:
        """The profile's instance and how often it requests every page, or a refusal if there is none."""
        from paging.traces import read_trace

        if self.profile is None:
            raise UnsupportedModelError(
                "policy pinned needs a profile, another trace of the same model: pinned:profile=FILE"
            )
        trace = read_trace(self.profile)
        return trace.instance, np.bincount(trace.page_ids, minlength=trace.instance.total_pages)

    def pinned(self, instance: LayeredInstance | Frame) -> PageArray:
        """Return the pages that are pinned, hottest first."""
        _, counts = self._counts
        number = instance.cache // 2 if self.pins is None else self.pins
        return np.argsort(-counts, kind="stable")[:number].astype(np.int32)

    def check(self, instance: LayeredInstance) -> None:
        super().check(instance)
        profiled, _ = self._counts
        if (profiled.layers, profiled.pages) != (instance.layers, instance.pages):
            raise UnsupportedModelError(
                f"policy pinned: the profile {self.profile} is of another model: ℓ = {profiled.layers}, "
                f"n = {profiled.pages_text}, but ℓ = {instance.layers}, n = {instance.pages_text} is served"
            )
        if self.pins is not None and self.pins >= instance.cache:
            raise UnsupportedModelError(
                f"policy pinned: pins = {self.pins} leave no slot for other pages; "
                f"fewer than k = {instance.cache} are needed"
            )

    def _rest(self, labels: LabelArray, page: int, frame: Frame) -> tuple[bool, LabelArray, Frame]:
        """Return whether a page is pinned, the labels of the other pages, and their frame."""
        pins = self.pinned(frame)
        others = labels.copy()
        others[pins] = 0
        return page in pins, others, frame._replace(cache=frame.cache - len(pins))

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        pinned, others, rest = self._rest(labels, page, frame)
        if pinned:
            labels[page] = 1
            return
        kept = labels - others
        self.policy.serve(others, page, slot, rest)
        labels[:] = others + kept

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        if not self.policy.randomized or self._rest(labels, page, frame)[0]:
            return super().outcomes(labels, page, slot, frame)
        _, others, rest = self._rest(labels, page, frame)
        return [(p, after + labels - others) for p, after in self.policy.outcomes(others, page, slot, rest)]

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        pins = self.pinned(frame)
        _, others, rest = self._rest(labels, 0, frame)
        asked = None if page in pins else page
        held = np.isin(np.arange(len(labels)), pins).astype(np.int64)
        kept = Criterion(held, "smallest", "pin", "not pinned", shown=False)
        return kept, *self.policy.criteria(others, asked, slot, rest)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        """Serve the pages that are not pinned with the inner policy's kernel."""
        pins = self.pinned(sequence.instance)
        mask = np.zeros(sequence.instance.total_pages, dtype=np.bool_)
        mask[pins] = True
        pinned = mask[sequence.requests]
        rest = sequence.picked(~pinned, sequence.instance.cache - len(pins))
        inner = np.zeros(len(rest) if len(entries) else 0, dtype=np.int32)
        faults = self.policy.kernel(rest, inner, rng)
        if faults is None:
            return None
        asked = sequence.requests[pinned]
        first = np.unique(asked, return_index=True)[1]
        if len(entries):
            entries[~pinned] = inner
            found = np.full(len(asked), HIT, dtype=np.int32)
            found[first] = FREE
            entries[pinned] = found
        return faults + len(first)


class Admit(Policy):
    """Partial admission: at most so many loads per visit; other faults are served past the cache.

    A visit is one layer of one token. The inner policy sees hits and loads and no other faults.

    Parameters
    ----------
    policy : str or Policy, default "lru"
    loads : int, default 2
        Most loads per visit.

    Label
    -----
    The inner policy's times loads + 1, plus (minus, below 1) the loads of the visit so far at the page
    requested last.

    Guarantee
    ---------
    None proved here. Bypassing service is needed; with loads ≥ g it is the inner policy.

    References
    ----------
    Engines2026: at most so many loads per layer and token
    """

    id, title = "admit", "at most so many loads per visit, the rest bypassed"

    def __init__(self, policy: str | Policy = "lru", loads: int = 2) -> None:
        self.policy = get_policy(policy)
        self.loads = whole_number(loads, "loads of admit", 1, 1_000_000)
        if isinstance(self.policy, Partitioned | Admit) or self.policy.randomized:
            raise ModelError(f"admit does not go around policy {self.policy.name}")
        refuse_told(self.policy, "admit")
        self.traits = self.policy.traits & {"deterministic", "online", "symmetric", "finite-state"}

    @property
    def counts_visits(self) -> bool:  # type: ignore[override]
        """As the inner policy does; the first page of a visit is always let in."""
        return self.policy.counts_visits

    def check(self, instance: LayeredInstance) -> None:
        super().check(instance)
        if not instance.bypassing:
            raise UnsupportedModelError(
                f"policy {self.name} serves faults past the cache, which needs bypassing service; "
                f"this instance has forced service"
            )
        self.policy.check(instance)

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        base = self.loads + 1
        size = np.abs(labels)
        loaded = int((size % base).max()) if slot % frame.per_visit else 0
        inner = np.sign(labels) * (size // base)
        if inner[page] <= 0 and loaded == self.loads:
            labels[:] = inner * base
        else:
            loaded += int(inner[page] <= 0)
            self.policy.serve(inner, page, slot, frame)
            labels[:] = inner * base
        labels[page] += loaded if inner[page] > 0 else -loaded

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        inner = np.sign(labels) * (np.abs(labels) // (self.loads + 1))
        return self.policy.criteria(inner, page, slot, frame)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        if self.policy.name != "lru" or sequence.places is not None:
            return None
        return run_kernel("admit_lru", sequence, entries, sequence.instance.per_visit, self.loads)


def refuse_counting(policy: Policy, who: str) -> None:
    """Raise ModelError if a policy counts visits, of which ``who`` does not show it all."""
    refuse_told(policy, who)
    if policy.counts_visits or policy.per_layer:
        raise ModelError(
            f"{who} does not go around policy {policy.name}, which counts visits or splits the cache"
        )
