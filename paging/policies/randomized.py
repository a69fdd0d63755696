"""Randomised policies, as exact distributions over label vectors: RANDOM and MARK."""

from fractions import Fraction

import numpy as np

from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policies.marking import unmarked_first
from paging.policy import Criterion, InParts, Outcomes, Policy, run_kernel, served_in_parts

RANDOMIZED = frozenset({"online", "demand", "symmetric", "finite-state"})


def _one_leaves(labels: LabelArray, candidates: LabelArray, page: int, label: int) -> Outcomes:
    """Evict one of the candidates, all equally likely, and give the requested page its label."""
    results = []
    for victim in candidates:
        following = labels.copy()
        following[victim], following[page] = 0, label
        results.append((Fraction(1, len(candidates)), following))
    return results


class Random(Policy):
    """RANDOM: evict a cached page chosen uniformly at random.

    Label
    -----
    1 = cached.

    Guarantee
    ---------
    k-competitive (``random-upper``).

    Bad for
    -------
    The cyclic sequence over k + 1 pages.

    References
    ----------
    RaghavanSnir1994
    """

    id, title = "random", "evict a uniformly random page"
    traits = RANDOMIZED
    separable = True

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        following = labels.copy()
        following[page] = 1
        if labels[page] or np.count_nonzero(labels) < frame.cache:
            return [(Fraction(1), following)]
        return _one_leaves(labels, np.flatnonzero(labels), page, 1)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return ()

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("random_eviction", sequence, entries, rng)


class Mark(Policy):
    """MARK, the randomised marking algorithm: evict an unmarked page chosen uniformly at random.

    Every request marks its page; a fault with all pages marked first unmarks all (a new k-phase).

    Label
    -----
    1 = cached, 2 = cached and marked.

    Guarantee
    ---------
    (2·H_k − 1)-competitive against oblivious adversaries (``mark-upper``), H_k when only k + 1 pages exist
    (``mark-small``).

    References
    ----------
    FKLMSY1991: the algorithm
    ACN2000: its exact ratio
    """

    id, title = "mark", "randomised marking"
    traits = RANDOMIZED | {"marking"}

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        following = labels.copy()
        if labels[page] or np.count_nonzero(labels) < frame.cache:
            following[page] = 2
            return [(Fraction(1), following)]
        if np.count_nonzero(labels == 2) == frame.cache:
            following[following == 2] = 1
        return _one_leaves(following, np.flatnonzero(following == 1), page, 2)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return (unmarked_first((labels == 2).astype(np.int64), np.flatnonzero(labels > 0)),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        return run_kernel("mark", sequence, entries, rng)

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("MarkInParts", instance, rng)
