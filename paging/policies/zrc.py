"""Policies that know the work function: which caches are optimal after the requests served so far."""

from __future__ import annotations

import numpy as np

from paging.kernels.jit import helper
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policies.recency import ORDINARY, visits_of
from paging.policy import Criterion, InParts, Policy, run_kernel, served_in_parts
from paging.work_function import update_work_function

_update = helper(update_work_function)


class ZRC(Policy):
    """ZRC: label zero first, revealed pages (label k) never, pages of the current layer before others.

    OPT's work function gives every page a label: 0 if it is in no optimal cache, k if it is in all of them
    (:class:`paging.WorkFunction`). On a fault a cached page of label 0 leaves; without one, a page of label
    below k. Among these the pages whose layer is served again last go first, those of the layer being served
    before all others; then the smallest work-function label, then the lowest id. Which of several label-0
    pages leaves, and the order beyond "layer being served first", are our choice: the rule leaves them open.
    A tie goes by page number, so renaming pages may change a fault; it never changes the ratio.

    Label
    -----
    Work-function label + 1 while cached, its negative while not.

    Guarantee
    ---------
    Exactly (k − ℓ + 1)-competitive for k ≥ min(2ℓ − 1, ℓ + 3), the best possible (``zrc-tight``); 10/3 for k
    = ℓ + 2 (``zrc-near``), 5/2 for k = ℓ + 1 (``zrc-next``), 2 − 1/ℓ for k = ℓ (``one-slot-each-upper``).

    Bad for
    -------
    ``missing-page``, as every deterministic policy (``L2``).

    References
    ----------
    here
    """

    id, title = "zrc", "work function: label 0 first, then the layer being served"
    traits = ORDINARY - {"symmetric"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        cache = frame.cache
        lacking = labels[page] <= 0
        if lacking and np.count_nonzero(labels > 0) < cache:
            labels[page] = cache + 1
            return
        work = np.where(labels > 0, labels - 1, -labels)
        _update(work, page, cache)
        victim = -1
        if lacking:
            # Visits until the page's layer is served again decide, after label 0 against all others.
            layer = slot // frame.per_visit
            best = -1
            for q in range(len(labels)):
                if labels[q] > 0 and work[q] < cache:
                    wait = (frame.layer_of[q] - layer - 1) % frame.layers
                    worth = ((1 if work[q] == 0 else 0) * frame.layers + wait) * cache + cache - 1 - work[q]
                    if worth > best:
                        victim, best = q, worth
        for q in range(len(labels)):
            cached = q == page or (labels[q] > 0 and q != victim)
            labels[q] = work[q] + 1 if cached else -work[q]

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        cache = frame.cache
        work = np.where(labels > 0, labels - 1, -labels)
        if page is not None:
            update_work_function(work, page, cache)
        wait = (frame.layer_of.astype(np.int64) - slot // frame.per_visit - 1) % frame.layers
        return _criteria(
            labels,
            work,
            frame.cache,
            Criterion(wait, "largest", "visits", "its layer is served again last", shown=False),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return self.parts(sequence.instance, rng).serve(sequence.requests, entries)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("ZrcInParts", instance)


def _criteria(labels: LabelArray, work: LabelArray, cache: int, order: Criterion) -> tuple[Criterion, ...]:
    """Return what decides: label 0, an order of pages below k, the smallest label, the lowest id."""
    kinds = np.where(work == 0, 0, np.where(work < cache, 1, 2))
    none = "in no optimal cache (label 0)" if (kinds[labels > 0] == 0).any() else "no label is 0"
    return (
        Criterion(kinds, "smallest", "kind", none, shown=False),
        order,
        Criterion(work, "smallest", "label of the work function", "smallest label, {value}"),
        Criterion(np.arange(len(labels)), "smallest", "number", "lowest page number", shown=False),
    )


@helper
def _known(labels: LabelArray, slot: int, frame: Frame) -> tuple[LabelArray, LabelArray]:
    """Return the work-function labels, and 1 for every page asked for before in the visit under way."""
    code = np.where(labels > 0, labels - 1, -labels)
    return code // 2, code % 2 * (1 if slot % frame.per_visit > 0 else 0)


@helper
def _write(
    labels: LabelArray, page: int, victim: int, work: LabelArray, asked: LabelArray, slot: int, frame: Frame
) -> None:
    """Write the labels after a request; what was asked for is forgotten with the visit."""
    goes_on = 1 if (slot + 1) % frame.per_visit > 0 else 0
    for q in range(len(labels)):
        code = 2 * work[q] + asked[q] * goes_on
        cached = q == page or (labels[q] > 0 and q != victim)
        labels[q] = code + 1 if cached else -code


class FarLab(Policy):
    """FAR-LAB: label zero first, then what can be asked for again latest, then the smallest label.

    OPT's work function gives every page a label: 0 if it is in no optimal cache, k if it is in all of them
    (:class:`paging.WorkFunction`). On a fault a cached page of label 0 leaves; without one, a page of label
    below k. Among these the pages go first that can be asked for again latest: those asked for in this visit
    of the layer, then those of the layer served before, and so on to the layer served next, and last those of
    the layer being served that this visit has not asked for; in the last place of a visit all pages of the
    layer being served go first. Then the smallest label, then the lowest id.

    Label
    -----
    Twice the work-function label, plus 1 if the page was asked for in the visit under way; plus 1 while
    cached, its negative while not.

    Guarantee
    ---------
    None is proved. With several pages a visit, served one by one, it attains the best deterministic ratio on
    most small instances (see docs/visits.md).

    Bad for
    -------
    ``missing-in-visit``, as every deterministic policy (``visits-lower``).

    References
    ----------
    here
    """

    id, title = "far-lab", "work function: label 0 first, then what can be asked for again latest"
    traits = ORDINARY - {"symmetric"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        cache = frame.cache
        full = labels[page] <= 0 and np.count_nonzero(labels > 0) == cache
        work, asked = _known(labels, slot, frame)
        _update(work, page, cache)
        asked[page] = 1
        victim = -1
        if full:
            layer = slot // frame.per_visit
            last = (slot + 1) % frame.per_visit == 0
            least = (frame.layers + 2) * (cache + 1)
            for q in range(len(labels)):
                if labels[q] > 0 and work[q] < cache:
                    ago = (layer - frame.layer_of[q]) % frame.layers
                    if frame.layer_of[q] == layer and not last and asked[q] == 0:
                        ago = frame.layers
                    rank = 0 if work[q] == 0 else 1 + ago * cache + work[q]
                    if rank < least:
                        victim, least = q, rank
        _write(labels, page, victim, work, asked, slot, frame)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        work, asked = _known(labels, slot, frame)
        if page is not None:
            update_work_function(work, page, frame.cache)
            asked[page] = 1
        layer, layer_of = slot // frame.per_visit, frame.layer_of.astype(np.int64)
        ago = (layer - layer_of) % frame.layers
        if (slot + 1) % frame.per_visit > 0:
            ago = np.where((layer_of == layer) & (asked == 0), frame.layers, ago)
        ago = np.where(work == 0, 0, ago)  # of several pages of label 0 the lowest leaves
        return _criteria(
            labels,
            work,
            frame.cache,
            Criterion(ago, "smallest", "visits", "it can be asked for again latest", shown=False),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        if sequence.places is not None and sequence.instance.per_visit > 1:
            return None
        return self.parts(sequence.instance, rng).serve(sequence.requests, entries)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("ZrcInParts", instance, True)


class ZRCAtomic(Policy):
    """ZRC for atomic visits: as ZRC, with the work function of visits; pages of the visit never leave.

    After every page of a visit OPT's labels are those after an atomic visit that asks for the pages so far:
    the work function serves them twice in turn (docs/visits.md). So they have label k, and never leave. With
    one page a visit this is ZRC.

    Label
    -----
    Twice the work-function label, plus 1 if the page was asked for in the visit under way; plus 1 while
    cached, its negative while not.

    Guarantee
    ---------
    In atomic visits exactly (k − ℓg + 1)-competitive for k ≥ (2ℓ − 1)g, the best possible (``zrc-atomic``);
    max(k − ℓg + 1, k/2 + 1) for k ≥ ℓg (``zrc-atomic-half``).

    Bad for
    -------
    ``missing-in-atomic-visit``, as every deterministic policy (``atomic-lower``).

    References
    ----------
    here
    """

    id, title = "zrc-atomic", "ZRC with the work function of atomic visits"
    traits = (ORDINARY - {"symmetric"}) | {"atomic"}
    atomic_kernel = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        cache = frame.cache
        full = labels[page] <= 0 and np.count_nonzero(labels > 0) == cache
        work, asked = _known(labels, slot, frame)
        _update(work, page, cache)
        for q in range(len(labels)):
            if asked[q] > 0:
                _update(work, q, cache)
        asked[page] = 1
        victim = -1
        if full:
            layer = slot // frame.per_visit
            best = -1
            for q in range(len(labels)):
                if labels[q] > 0:
                    # All are sure only where a visit has more pages than there are slots.
                    kind = 2 if work[q] == 0 else 1 if work[q] < cache else 0
                    wait = (frame.layer_of[q] - layer - 1) % frame.layers
                    worth = (kind * frame.layers + wait) * (cache + 1) + cache - work[q]
                    if worth > best:
                        victim, best = q, worth
        _write(labels, page, victim, work, asked, slot, frame)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        work, asked = _known(labels, slot, frame)
        if page is not None:
            for q in [page, *np.flatnonzero(asked)]:
                update_work_function(work, q, frame.cache)
        wait = (frame.layer_of.astype(np.int64) - slot // frame.per_visit - 1) % frame.layers
        return _criteria(
            labels,
            work,
            frame.cache,
            Criterion(wait, "largest", "visits", "its layer is served again last", shown=False),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        """With one page a visit it is ZRC; with more, every page is served again with each that follows."""
        instance = sequence.instance
        if instance.per_visit == 1:
            return served_in_parts("ZrcInParts", instance).serve(sequence.requests, entries)
        if self.scans(instance) or sequence.places is not None:
            return None
        first = np.asarray(instance.first_page, dtype=np.int32)
        return run_kernel("zrc_atomic", sequence, entries, instance.layer_of, first, *visits_of(instance))

    def scans(self, instance: LayeredInstance) -> bool:
        """Only where the cache does not hold a visit."""
        return instance.per_visit > 1 and instance.cache < instance.per_visit
