"""Policies that know the work function: which caches are optimal after the requests served so far."""

from __future__ import annotations

import numpy as np

from paging.kernels.jit import helper
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policies.recency import ORDINARY
from paging.policy import Criterion, InParts, Policy, served_in_parts
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
        kinds = np.where(work == 0, 0, np.where(work < cache, 1, 2))
        wait = (frame.layer_of.astype(np.int64) - slot // frame.per_visit - 1) % frame.layers
        none = "in no optimal cache (label 0)" if (kinds[labels > 0] == 0).any() else "no label is 0"
        return (
            Criterion(kinds, "smallest", "kind", none, shown=False),
            Criterion(wait, "largest", "visits", "its layer is served again last", shown=False),
            Criterion(work, "smallest", "label of the work function", "smallest label, {value}"),
            Criterion(np.arange(len(labels)), "smallest", "number", "lowest page number", shown=False),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return self.parts(sequence.instance, rng).serve(sequence.requests, entries)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("ZrcInParts", instance)
