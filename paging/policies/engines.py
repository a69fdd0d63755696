"""Policies of today's inference engines, as their code and pull requests state them."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError, UnsupportedModelError
from paging.kernels.engines import ONE_USE, SPARED, class_of, decayed
from paging.kernels.jit import helper
from paging.model import (
    MAX_PAGES,
    Frame,
    LabelArray,
    LayeredInstance,
    PageArray,
    RequestSequence,
    Serve,
    whole_number,
)
from paging.policies.recency import LEAST_RECENT, LONGEST_CACHED, ORDINARY
from paging.policy import Criterion, Policy, run_kernel

USE = 1 << 32
"""Labels of policies that count: uses · 2³² + time since the last one, negative while the page is absent."""


@helper
def _age(labels: LabelArray) -> None:
    """Let time pass for all pages, cached or remembered."""
    for q in range(len(labels)):
        if labels[q] > 0:
            labels[q] += 1
        elif labels[q] < 0:
            labels[q] -= 1


def engine_kernel(name: str, sequence: RequestSequence, entries: PageArray, *more: object) -> int | None:
    """Serve a sequence with a kernel that spares the present visit; None where some visits are short."""
    instance = sequence.instance
    if sequence.places is not None:
        return None
    return run_kernel(name, sequence, entries, *more, instance.per_visit, instance.visits == "atomic")


def _present_last(present: NDArray[np.bool_], labels: LabelArray) -> Criterion:
    words = "not of the present visit" if present[labels > 0].any() else ""
    return Criterion(present.astype(np.int64), "smallest", "visit", words, shown=False)


class LFRU(Policy):
    """Least frequency over recency: evict the smallest uses/(now − last + 1); uses are never forgotten.

    *now* and *last* count requests. Ties go to the least recently used; pages of the present visit go after
    all others.

    Label
    -----
    uses·2³² + requests since the last use, it included; negative while the page is absent. Both grow without
    bound.

    Guarantee
    ---------
    None, not competitive (``popular-unbounded``).

    Bad for
    -------
    ``popular``: pages once requested often, then two others in turn.

    References
    ----------
    Engines2026: rule of a pull request; what a unit of time is there depends on the engine
    """

    id, title = "lfru", "least uses per time since the last one"
    traits = (ORDINARY - {"finite-state"}) | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _age(labels)
        if labels[page] <= 0 and np.count_nonzero(labels > 0) == frame.cache:
            victim, spare = -1, slot % frame.per_visit
            for q in range(len(labels)):
                if labels[q] > 0 and victim >= 0:
                    age, other = labels[q] % USE, labels[victim] % USE
                    ours, theirs = labels[q] // USE * other, labels[victim] // USE * age
                    lower = ours < theirs or (ours == theirs and age > other)
                    # Pages requested in this visit, the last `spare` requests, go after all others.
                    if (age > spare + 1 and (lower or other <= spare + 1)) or (lower and other <= spare + 1):
                        victim = q
                elif labels[q] > 0:
                    victim = q
            labels[victim] = -labels[victim]
        labels[page] = (abs(labels[page]) // USE + 1) * USE + 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        uses, age = labels // USE, labels % USE + 1
        rates = [Fraction(int(u), int(a)) if u > 0 else Fraction(0) for u, a in zip(uses, age, strict=True)]
        ordered = sorted(set(rates))
        place = {rate: number for number, rate in enumerate(ordered)}
        return (
            _present_last(age <= slot % frame.per_visit + 1, labels),
            Criterion(
                np.array([place[rate] for rate in rates]), "smallest", "uses per time since",
                "least uses per time since the last, {value}", text=lambda number: str(ordered[number]),
            ),
            Criterion(age, "largest", "time since", LEAST_RECENT, shown=False),
        )  # fmt: skip

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        return engine_kernel("lfru", sequence, entries)


class LeastStale(Policy):
    """Evict pages that the present token has not touched, and of these the one cached longest.

    A token is a round. When it has touched all cached pages, the one cached longest of them leaves, pages of
    the present visit after all others. We read "oldest" as cached longest; read as least recently used, the
    rule would be LRU.

    Label
    -----
    2·(arrival rank, 1 = newest) + whether the present token has touched the page.

    Guarantee
    ---------
    None proved here; exact ratios of small instances are in docs/production.md.

    References
    ----------
    Engines2026: rule of a pull request, our reading of "oldest"
    HJSC2026: the name, from its abstract
    """

    id, title = "least-stale", "pages not touched in this token first, then the one cached longest"
    traits = ORDINARY | {"atomic"}
    counts_visits = True
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if slot == 0:
            labels &= ~1
        if labels[page] > 0:
            labels[page] |= 1
            return
        place = 0
        if np.count_nonzero(labels) == frame.cache:
            victim, best = -1, 0
            for q in range(len(labels)):
                worth = labels[q] // 2
                if labels[q] & 1 == 0:
                    worth += 2 * frame.cache
                elif frame.layer_of[q] != slot // frame.per_visit:
                    worth += frame.cache
                if labels[q] > 0 and worth > best:
                    victim, best = q, worth
            place = labels[victim] // 2
            labels[victim] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (place == 0 or labels[q] // 2 < place):
                labels[q] += 2
        labels[page] = 3

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        touched = labels & 1 if slot else labels * 0
        own = frame.layer_of == slot // frame.per_visit
        words = "not touched by this token" if (touched[labels > 0] == 0).any() else "this token touched all"
        return (
            Criterion(touched, "smallest", "touched", words, shown=False),
            _present_last((touched == 1) & own, labels),
            Criterion(labels // 2, "largest", "arrival rank", LONGEST_CACHED),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        return engine_kernel("least_stale", sequence, entries, sequence.instance.round_length)


class ClassLRU(Policy):
    """LRU lists for eight classes of popularity; evict the largest age/2^class.

    A use counts half after 128 tokens (ℓ·g requests each, in steps of a token), in the cache or not. A page's
    class is min(7, ⌊log₂ uses⌋) at its last request, its age the requests since then. Pages of the present
    visit are spared unless there are no others; ties go to the lower class.

    Label
    -----
    uses·2³² in fixed point with 16 binary places, + age + 1; negative while the page is absent. Ages grow
    without bound.

    Guarantee
    ---------
    None proved here; a lower bound at k = 2 from a sequence that comes back is in docs/production.md.

    References
    ----------
    Engines2026: rule of a pull request; fixed point instead of floating point is ours
    """

    id, title = "class-lru", "LRU in classes of decayed uses, oldest per class weight"
    traits = (ORDINARY - {"finite-state"}) | {"atomic"}
    counts_visits = True
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _age(labels)
        if labels[page] <= 0 and np.count_nonzero(labels > 0) == frame.cache:
            victim, best = -1, -1
            for q in range(len(labels)):
                if labels[q] > 0:
                    rank, age = class_of(labels[q] // USE), labels[q] % USE - 1
                    spared = age <= slot % frame.per_visit
                    worth = (age << (7 - rank)) * 8 + 7 - rank + (0 if spared else SPARED)
                    if worth > best:
                        victim, best = q, worth
            labels[victim] = -labels[victim]
        known = abs(labels[page])
        left = 0
        if known > 0:
            left = decayed(known // USE, known % USE - 1, frame.layers * frame.per_visit)
        labels[page] = (left + ONE_USE) * USE + 1

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        rank = np.array([class_of(max(0, int(label) // USE)) for label in labels])
        age = labels % USE
        return (
            _present_last(age <= slot % frame.per_visit, labels),
            Criterion(
                age << (7 - rank), "largest", "age by class",
                "oldest for its class of uses, last asked for at request {last}",
                text=lambda weight: f"{weight / 128:g}",
            ),
            Criterion(rank, "smallest", "class", "of the lower class", shown=False),
        )  # fmt: skip

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        return engine_kernel("class_lru", sequence, entries, sequence.instance.round_length)


@cache
def _heat_lru(hits: int) -> Serve:
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        base = hits + 2
        heat = min(labels[page] % base + 1, hits + 1) if labels[page] > 0 else 0
        moved = page
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            best = -1
            for q in range(len(labels)):
                worth = labels[q] // base + (frame.cache if labels[q] % base <= hits else 0)
                if labels[q] // base > slot % frame.per_visit:
                    worth += 2 * frame.cache
                if labels[q] > 0 and worth > best:
                    moved, best = q, worth
        rank = labels[moved] // base
        labels[moved] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (rank == 0 or labels[q] // base < rank):
                labels[q] += base
        labels[page] = base + heat

    return serve


class HeatLRU(Policy):
    """LRU among the pages hit at most four times since they were loaded; plain LRU if there are none.

    Pages of the present visit, cold or hot, go after all others.

    Parameters
    ----------
    hits : int, default 4
        Most hits of a page that is not yet hot.

    Label
    -----
    (hits + 2)·(recency rank, 1 = most recent) + hits since loading, counted up to hits + 1.

    Guarantee
    ---------
    None for k ≥ 2, not competitive (``popular-unbounded``).

    Bad for
    -------
    ``popular``: k − 1 hot pages are never let go while a cold one comes and goes.

    References
    ----------
    Engines2026: rule of a pull request
    """

    id, title = "heat-lru", "LRU among pages hit at most four times"
    traits = ORDINARY | {"atomic"}
    atomic_kernel = True
    serve = staticmethod(_heat_lru(4))  # type: ignore[assignment]

    def __init__(self, hits: int = 4) -> None:
        self.hits = whole_number(hits, "hits of heat-lru", 0, 1000)
        self.serve = _heat_lru(self.hits)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        base = self.hits + 2
        rank, hot = labels // base, (labels % base > self.hits).astype(np.int64)
        words = (
            f"hit at most {self.hits} times since it came in"
            if (hot[labels > 0] == 0).any()
            else "all are hot"
        )
        return (
            _present_last(rank <= slot % frame.per_visit, labels),
            Criterion(hot, "smallest", "hot", words, shown=False),
            Criterion(rank, "largest", "recency rank", LEAST_RECENT),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        return engine_kernel("heat_lru", sequence, entries, self.hits)


@helper
def _twin(page: int, frame: Frame) -> int:
    """Return the other precision of an expert: a layer lists all in high, then all in low precision."""
    first = frame.first_page[frame.layer_of[page]]
    half = (frame.first_page[frame.layer_of[page] + 1] - first) // 2
    return int(page - half if page - first >= half else page + half)


@cache
def _hobbit(recent: int, uses: int, high: int, layer: int, low: int) -> Serve:
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        token = 1
        for q in range(len(labels)):
            token = max(token, abs(labels[q]) % USE + (slot == 0))
        cheap = low > 0 and _twin(page, frame) < page
        room = low if cheap else frame.cache - low
        now = slot // frame.per_visit
        victim, size, least, newest, furthest = -1, 0, 0, 0, 0
        for q in range(len(labels)):
            if labels[q] <= 0 or (low > 0 and (_twin(q, frame) < q) != cheap):
                continue
            size += 1
            last, all_uses, high_uses = labels[q] % USE, labels[q] // USE, labels[q] // USE
            if low > 0:
                twin = abs(labels[_twin(q, frame)])
                last, all_uses = max(last, twin % USE), all_uses + twin // USE
                if cheap:
                    high_uses = twin // USE
            ahead = (frame.layer_of[q] - now) % frame.layers
            worth = recent * last + uses * all_uses + high * high_uses
            worth = worth * frame.layers + layer * token * (frame.layers - ahead)
            if labels[q] % USE == token and ahead == 0:
                worth += SPARED
            # Of equals the least recent, then the layer furthest ahead, then the lowest page.
            older = last < newest or (last == newest and ahead > furthest)
            if victim < 0 or worth < least or (worth == least and older):
                victim, least, newest, furthest = q, worth, last, ahead
        if labels[page] <= 0 and size == room:
            labels[victim] = -labels[victim]
        labels[page] = (abs(labels[page]) // USE + 1) * USE + token

    return serve


class Hobbit(Policy):
    """HOBBIT's cache: evict the smallest weighted sum of recency, uses and nearness.

    The sum of an expert is w₁·(last token/T) + w₂·(uses/T) + w₃·(high-precision uses/T) + w₄·(1 − d/ℓ), where
    T is the present token, from 1, and its layer comes d layers after the present one (0 for the present
    one). Pages of the present visit go after all others; no predictions are masked, and records are kept from
    the first token on. Ties go to the expert least recent in tokens, then to the layer furthest ahead, then
    to the lowest page id.

    With one precision (low = 0) pages are experts, all uses are high-precision ones, and w₂ and w₃ count
    alike. With two, the first half of a layer's pages are experts in high precision and the second half the
    same in low precision (:func:`~paging.traces.two_precisions`). Each precision has a cache of its own, so
    that a page leaves for another of its precision; recency and uses are those of the expert in either.

    Parameters
    ----------
    weights : four int ≥ 0, default 1/1/1/1
        w₁ … w₄, in proportion. 1/0/0/0 is LRU by tokens, 0/0/0/1 evicts the furthest layer.
    low : int, default 0
        Slots of the k that are for low precision; 0: there is one precision.

    Label
    -----
    uses·2³² + token of the last use; negative while the page is absent. Both grow without bound. T is the
    latest of all, or one more at the first request of a round.

    Guarantee
    ---------
    None; with w₂ + w₃ > 0 as bad as counting (``popular-unbounded``).

    Bad for
    -------
    ``popular``.

    References
    ----------
    TLHPWHLG2024: the sum as stated there
    """

    id, title = "hobbit", "HOBBIT's weighted sum"
    traits = (ORDINARY - {"finite-state"}) | {"atomic"}
    counts_visits = True
    atomic_kernel = True
    serve = staticmethod(_hobbit(1, 1, 1, 1, 0))  # type: ignore[assignment]

    def __init__(self, weights: object = (1, 1, 1, 1), low: int = 0) -> None:
        listed = weights if isinstance(weights, tuple | list) else (weights,)
        self.weights = tuple(
            whole_number(w, f"weight {i + 1} of hobbit", 0, 1_000_000) for i, w in enumerate(listed)
        )
        if len(self.weights) != 4 or not any(self.weights):
            raise ModelError(f"hobbit has four weights such as 1/1/1/1, not all 0; got {weights!r}")
        self.low = whole_number(low, "low (slots of low precision) of hobbit", 0, MAX_PAGES)
        if self.low:
            # A page may leave while the other precision has a free slot, and twins are not alike.
            self.traits = self.traits - {"demand", "symmetric", "atomic"}
        recent, uses, high, layer = self.weights
        self.serve = _hobbit(recent, uses, high, layer, self.low)

    def check(self, instance: LayeredInstance) -> None:
        super().check(instance)
        if self.low and (self.low >= instance.cache or any(n % 2 for n in instance.pages_by_layer)):
            raise UnsupportedModelError(
                f"policy {self.name} needs layers of experts in two precisions (an even number of pages) and "
                f"1 … k − 1 slots for low precision; this instance has n = {instance.pages_text}, "
                f"k = {instance.cache}"
            )

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        recent, uses, high, layer = self.weights
        pages = np.arange(len(labels))
        known = np.abs(labels)
        last, all_uses, high_uses = known % USE, known // USE, known // USE
        token = max(1, int(last.max()) + (slot == 0))
        own_last = last
        kinds = []
        if self.low:
            twin = np.array([_twin(q, frame) for q in range(len(labels))])
            last, all_uses = np.maximum(last, last[twin]), all_uses + all_uses[twin]
            high_uses = np.where(twin < pages, high_uses[twin], high_uses)
            cheap = (twin < pages).astype(np.int64)
            if page is not None:
                other = (cheap != cheap[page]).astype(np.int64)
                kinds = [Criterion(other, "smallest", "other precision", "of this precision", shown=False)]
        ahead = (frame.layer_of.astype(np.int64) - slot // frame.per_visit) % frame.layers
        worth = (recent * last + uses * all_uses + high * high_uses) * frame.layers
        worth += layer * token * (frame.layers - ahead)
        return (
            *kinds,
            _present_last((own_last == token) & (ahead == 0), labels),
            Criterion(
                worth, "smallest", "weighted sum", "smallest sum, {value}",
                text=lambda whole: f"{whole / (token * frame.layers):.2f}",
            ),
            Criterion(token - last, "largest", "tokens", LEAST_RECENT, shown=False),
            Criterion(ahead, "largest", "layers ahead", "its layer comes up last", shown=False),
            Criterion(pages, "smallest", "number", "lowest page number", shown=False),
        )  # fmt: skip

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        if self.low:
            return None
        instance, (recent, uses, high, layer) = sequence.instance, self.weights
        sums = recent, uses + high, layer
        return engine_kernel("hobbit", sequence, entries, instance.frame.first_page, *sums)
