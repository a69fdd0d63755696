"""Policies that are told a prediction with every request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction

import numpy as np

from paging.kernels.jit import helper
from paging.model import Frame, LabelArray, PageArray, RequestSequence
from paging.policies.marking import unmarked_first
from paging.policies.randomized import RANDOMIZED
from paging.policies.recency import LEAST_RECENT, ORDINARY
from paging.policy import Criterion, Outcomes, Policy, run_kernel


@helper
def _serve_by_bit(labels: LabelArray, page: int, bit: int, keep: int) -> None:
    """Label the requested page ``keep``, or ``keep`` + r as the r-th most recent of those to discard."""
    place = labels[page]
    labels[page] = 0
    for q in range(len(labels)):
        if labels[q] > place > keep:
            labels[q] -= 1
        if bit == 1 and labels[q] > keep:
            labels[q] += 1
    labels[page] = keep + bit


class FlushWhenKept(Policy):
    """With discard bits: evict a page to discard; where all cached pages are to be kept, evict them all.

    A page's bit is the one that came with its latest request. On a fault with a full cache the least recently
    requested page with bit 1 leaves; if there is none, some bit 0 was wrong, and the whole cache is flushed.

    Label
    -----
    1 = cached with bit 0; 1 + r = cached, the r-th most recent of the pages with bit 1.

    Guarantee
    ---------
    At most OPT + (k − 1)·η0 + η1 faults (bound ``flush-when-kept-upper``).

    Bad for
    -------
    Wrong bits 0: with all bits 0 it is ``fwf``.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "flush-when-kept", "evict a page to discard, flush where all are to be kept"
    traits = ORDINARY - {"demand"}
    predictions = "discard"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            least = labels.argmax()
            if labels[least] > 1:
                labels[least] = 0
            else:
                labels[:] = 0
        _serve_by_bit(labels, page, frame.prediction, 1)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        flush = labels.max() <= 1
        words = "all were to be kept, and the cache is flushed" if flush else f"to discard, {LEAST_RECENT}"
        return (Criterion(labels, "" if flush else "largest", "discard rank", words, shown=not flush),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("flush_when_kept", sequence, entries, sequence.predictions)


class FlushWhenKeptLazy(Policy):
    """``flush-when-kept``, where what is flushed stays until its slot is needed.

    A page's bit is the one that came with its latest request. On a fault with a full cache the least recently
    requested page leaves: of those flushed if there are any, otherwise of those with bit 1, otherwise of all,
    and the others count as flushed from then on.

    Label
    -----
    3·(recency rank, 1 = most recent) + class: 0 = to keep, 1 = to discard, 2 = flushed.

    Guarantee
    ---------
    Its cache always holds the one of ``flush-when-kept``, so its faults are at most those:
    OPT + (k − 1)·η0 + η1 (bound ``flush-when-kept-upper``).

    Bad for
    -------
    Wrong bits 0: with all bits 0 it marks, and ``cyclic`` forces k.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "flush-when-kept-lazy", "flush-when-kept, what is flushed leaves when its slot is needed"
    traits = ORDINARY
    predictions = "discard"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        place = labels[page] // 3
        if place == 0 and np.count_nonzero(labels) == frame.cache:
            victim = page
            best = 0
            for q in range(len(labels)):
                worth = labels[q] + 4 * frame.cache * (labels[q] % 3)
                if labels[q] > 0 and worth > best:
                    best = worth
                    victim = q
            if labels[victim] % 3 == 0:
                for q in range(len(labels)):
                    if labels[q] > 0:
                        labels[q] += 2
            place = labels[victim] // 3
            labels[victim] = 0
        labels[page] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (place == 0 or labels[q] // 3 < place):
                labels[q] += 3
        labels[page] = 3 + frame.prediction

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        words = {0: "all were to be kept", 1: "to discard", 2: "flushed"}
        return (
            _class_first(labels, words),
            Criterion(labels // 3, "largest", "recency rank", LEAST_RECENT),
        )

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("flush_when_kept_lazy", sequence, entries, sequence.predictions)


def _class_first(labels: LabelArray, words: dict[int, str]) -> Criterion:
    """Return the rule of policies whose labels are 3·rank + class: the largest class leaves first."""
    classes = labels % 3
    cached = labels > 0
    return Criterion(
        classes, "largest", "class", words[int(classes[cached].max())] if cached.any() else "", shown=False
    )


class Mark0(Policy):
    """MARK0, with discard bits: randomised marking among the pages to keep; pages to discard leave first.

    A page's bit is the one that came with its latest request. On a fault with a full cache the least recently
    requested page with bit 1 leaves. If there is none, an unmarked page chosen uniformly at random leaves;
    where all k pages are marked, they are unmarked first. Every request marks its page.

    Label
    -----
    1 = cached with bit 0, 2 = so and marked; 2 + r = cached, the r-th most recent of the pages with bit 1.

    Guarantee
    ---------
    At most OPT + 2H_k·η0 + η1 expected faults (bound ``mark0-upper``).

    Bad for
    -------
    Wrong bits 0: with all bits 0 it is ``mark``.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "mark0", "randomised marking among the pages to keep"
    traits = RANDOMIZED
    predictions = "discard"

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        following = labels.copy()
        victims = np.array([page])
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            if labels.max() > 2:
                victims = np.array([labels.argmax()])
            else:
                if (labels != 1).all():
                    following[following == 2] = 1
                victims = np.flatnonzero(following == 1)
        results = []
        for victim in victims:
            after = following.copy()
            if victim != page:
                after[victim] = 0
            _serve_by_bit(after, page, frame.prediction, 2)
            results.append((Fraction(1, len(victims)), after))
        return results

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        discard = np.maximum(labels - 2, 0)
        first = Criterion(discard, "largest", "discard rank", f"to discard, {LEAST_RECENT}")
        if discard.any():
            return (first,)
        return (unmarked_first((labels == 2).astype(np.int64), np.flatnonzero(labels > 0)),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("mark0", sequence, entries, sequence.predictions, rng)


class MarkPredict(Policy):
    """MARK-PREDICT, with phase bits: randomised marking, unmarked pages with bit 1 first.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase). An unmarked
    page with bit 1 chosen uniformly at random leaves; if there is none, any unmarked page.

    Label
    -----
    1 + bit + 2·mark.

    Guarantee
    ---------
    At most 2·OPT + H_k·η0 + η1 expected faults (bound ``mark-predict-upper``).

    Bad for
    -------
    Wrong bits.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "mark-predict", "randomised marking, pages that do not come in the next phase first"
    traits = RANDOMIZED | {"marking"}
    predictions = "phase"
    separable = True

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        following = labels.copy()
        marked = 3 + frame.prediction
        if labels[page] or np.count_nonzero(labels) < frame.cache:
            following[page] = marked
            return [(Fraction(1), following)]
        if np.count_nonzero(labels > 2) == frame.cache:
            following[following > 2] -= 2
        victims = np.flatnonzero(following == (2 if (following == 2).any() else 1))
        results = []
        for victim in victims:
            after = following.copy()
            after[victim], after[page] = 0, marked
            results.append((Fraction(1, len(victims)), after))
        return results

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _unmarked_by_bit((labels > 2).astype(np.int64), (labels - 1) & 1, labels)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("mark_predict", sequence, entries, sequence.predictions, rng)


def _unmarked_by_bit(marks: LabelArray, bits: LabelArray, labels: LabelArray) -> tuple[Criterion, ...]:
    words = "not expected in this phase" if (bits[(labels > 0) & (marks == 0)] == 1).any() else ""
    bit = Criterion(bits, "largest", "phase bit", words or "all are expected in this phase", shown=False)
    return unmarked_first(marks, np.flatnonzero(labels > 0)), bit


class MarkPredictLRU(Policy):
    """Marking with phase bits, of equals the least recently used page leaves: no randomness.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase). Of the
    unmarked pages with bit 1 the least recently used one leaves; if there is none, of all unmarked pages.

    Label
    -----
    4·(recency rank, 1 = most recent) + 2·mark + bit.

    Guarantee
    ---------
    At most 2·OPT + (k − 1)·η0 + η1 faults (bound ``mark-predict-lru-upper``), and k·OPT whatever the bits
    (bound ``mark-predict-lru-robust``).

    Bad for
    -------
    Wrong bits; with all bits equal it is ``lru``.

    References
    ----------
    AntoniadisEtAl2023
    """

    id, title = "mark-predict-lru", "marking, pages that do not come in the next phase first, ties to LRU"
    traits = ORDINARY | {"marking"}
    predictions = "phase"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        place = labels[page] // 4
        if place == 0 and np.count_nonzero(labels) == frame.cache:
            if np.count_nonzero(labels & 2) == frame.cache:
                labels &= ~2
            victim = page
            best = 0
            for q in range(len(labels)):
                worth = labels[q] + 8 * frame.cache * (labels[q] & 1)
                if labels[q] > 0 and labels[q] & 2 == 0 and worth > best:
                    best = worth
                    victim = q
            place = labels[victim] // 4
            labels[victim] = 0
        labels[page] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (place == 0 or labels[q] // 4 < place):
                labels[q] += 4
        labels[page] = 6 + frame.prediction

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        marks = labels >> 1 & 1
        if marks[labels > 0].all():  # a new phase begins, in which nothing is marked
            marks = np.zeros_like(marks)
        recency = Criterion(labels // 4, "largest", "recency rank", LEAST_RECENT)
        return *_unmarked_by_bit(labels >> 1 & 1, labels & 1, np.where(marks == 0, labels, 0)), recency

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("mark_predict_lru", sequence, entries, sequence.predictions)


FURTHEST = "predicted to come again last"
ARRIVING = frozenset({"online", "demand"})


class BlindOracle(Policy):
    """BLIND ORACLE, with next arrivals: evict the page that is predicted to come again last.

    A page's prediction is the one that came with its latest request, also when that time has passed. Of
    equals the page with the lowest id leaves.

    Label
    -----
    The predicted request number.

    Guarantee
    ---------
    At most OPT + 2η faults (bound ``blind-oracle-near``), and 2·OPT + 4η/(k − 1) (``blind-oracle-far``).

    Bad for
    -------
    Large errors: nothing bounds it without η.

    References
    ----------
    Wei2020
    """

    id, title = "blind-oracle", "evict the page predicted to come again last"
    traits = ARRIVING | {"deterministic"}
    predictions = "next-arrival"
    separable = True

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            labels[labels.argmax()] = 0
        labels[page] = frame.prediction

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _furthest(labels)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("blind_oracle", sequence, entries, sequence.predictions)


def _furthest(values: LabelArray) -> tuple[Criterion, ...]:
    return (
        Criterion(values, "largest", "predicted next request", FURTHEST),
        Criterion(np.arange(len(values)), "smallest", "page id", "of the lowest id", shown=False),
    )


class _Marker(Policy, ABC):
    """Marking with next arrivals: a chain of evictions follows predictions up to a length, then chance."""

    traits = ARRIVING | {"marking"}
    predictions = "next-arrival"

    @abstractmethod
    def followed(self, cache: int) -> int:
        """Return up to which length of a chain predictions are followed."""

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        following = labels.copy()
        marked = 2 * frame.prediction + 1
        cached = labels > 0
        if cached[page] or np.count_nonzero(cached) < frame.cache:
            following[page] = marked
            return [(Fraction(1), following)]
        if (labels[cached] & 1).all():
            following[cached] &= ~1
            following[~cached] = 0
        length = 1 - int(following[page])
        free = np.flatnonzero(cached & (following & 1 == 0))
        victims = free if length > self.followed(frame.cache) else free[[following[free].argmax()]]
        results = []
        for victim in victims:
            after = following.copy()
            after[victim], after[page] = -length, marked
            results.append((Fraction(1, len(victims)), after))
        return results

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        cached = labels > 0
        phase = bool(cached.any()) and bool((labels[cached] & 1).all())
        unmarked = unmarked_first(labels & 1, np.flatnonzero(cached))
        length = 1 if phase or page is None else 1 - int(min(labels[page], 0))
        follows = length <= self.followed(frame.cache)
        return (unmarked, *_furthest(labels // 2)) if follows else (unmarked,)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        followed = self.followed(sequence.instance.cache)
        return run_kernel("marker", sequence, entries, sequence.predictions, followed, rng)


class PredictiveMarker(_Marker):
    """PREDICTIVE MARKER: marking; a chain of evictions follows the predictions H_k times, then chance.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase). A fault on
    a page that was not cached when the phase began starts a chain of length 1; a fault on a page that a chain
    evicted makes that chain one longer. Up to length H_k the unmarked page predicted to come again last
    leaves (of equals the lowest id), afterwards an unmarked page chosen uniformly at random.

    Label
    -----
    2·(predicted request number) + mark; of a page evicted in the phase −(length of its chain).

    Guarantee
    ---------
    At most 2·OPT + 2√(5·η·OPT) expected faults (bound ``predictive-marker-upper``), and 4H_k·OPT whatever the
    predictions (``predictive-marker-robust``).

    References
    ----------
    LykourisVassilvitskii2021
    """

    id, title = "predictive-marker", "marking by predicted arrivals, by chance where they fail too often"

    def followed(self, cache: int) -> int:
        return int(sum(Fraction(1, i) for i in range(1, cache + 1)))


class LMarker(_Marker):
    """LMARKER: marking; a page new in the phase evicts by prediction, one that comes back by chance.

    As ``predictive-marker``, with predictions followed in chains of length 1 alone.

    Label
    -----
    2·(predicted request number) + mark; of a page evicted in the phase −(length of its chain).

    Guarantee
    ---------
    At most 2·OPT + (H_{k−1} + 1)·min(η, 2·OPT) expected faults (bound ``lmarker-upper``).
    O(1 + min(log(η/OPT), log k))·OPT is reported, with a constant that is not known here.

    References
    ----------
    Rohatgi2020
    """

    id, title = "lmarker", "marking by predicted arrivals for new pages, by chance for those that come back"

    def followed(self, cache: int) -> int:
        return 1
