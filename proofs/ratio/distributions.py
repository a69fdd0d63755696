"""Randomised policies as deterministic processes: labels per page that determine the whole distribution.

What such a process does is known at every moment, as for a deterministic policy; only its fault is a chance.
The labels are written so that positive ones mark pages cached for certain: the process is then a policy in
the sense of the engine, and its product graph with OPT's work function is built by the code that builds all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from paging.model import Frame, LabelArray
from paging.policy import Policy
from paging.work_function import update_work_function

TRAITS = frozenset({"deterministic", "online", "symmetric", "finite-state"})


class LabelProcess(Policy, ABC):
    """A randomised policy's distribution as labels on pages.

    Attributes
    ----------
    id : str
        The policy's.
    """

    traits = TRAITS

    @abstractmethod
    def classes(self, labels: NDArray[np.int32], cache: int) -> NDArray[np.int32]:
        """Return labels as small numbers from 0; how often each occurs is all that chances depend on."""

    @abstractmethod
    def width(self, cache: int) -> int:
        """Return the number of classes."""

    @abstractmethod
    def chance(self, counts: Sequence[int], own: int, cache: int) -> Fraction:
        """Return the probability that the requested page is not cached.

        Parameters
        ----------
        counts : sequence of int
            How many pages are in each class.
        own : int
            Class of the requested page.
        """


class Marks(LabelProcess):
    """MARK. Label: 1 = marked, −1 = unmarked and cached when the phase began, 0 = other.

    A phase begins with k old pages in the cache. Let s of them be still unmarked and m pages be marked. The
    marked ones are cached; of the s others k − m are, all choices equally likely, since every victim was
    drawn from them uniformly. So each is missing with probability 1 − (k − m)/s. Once m = k none is cached,
    and the label −1 says no more than 0.
    """

    id, title = "mark", "MARK by marks"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        marked = 0
        for q in range(len(labels)):
            if labels[q] == 1:
                marked += 1
        if labels[page] == 1:
            return
        if marked == frame.cache:
            for q in range(len(labels)):
                if labels[q] == 1:
                    labels[q] = -1
            marked = 0
        labels[page] = 1
        if marked + 1 == frame.cache:
            for q in range(len(labels)):
                if labels[q] == -1:
                    labels[q] = 0

    def classes(self, labels: NDArray[np.int32], cache: int) -> NDArray[np.int32]:
        return labels + 1

    def width(self, cache: int) -> int:
        return 3

    def chance(self, counts: Sequence[int], own: int, cache: int) -> Fraction:
        old, _, marked = counts
        return Fraction(2 - own) if own else Fraction(old + marked - cache, old)


class Preferences(LabelProcess):
    """EQUITABLE. With work-function label c: k + 1 if c = k, else −c.

    A ranking of all pages, uniformly random, prefers one optimal cache: going through the labels c = 1 … k,
    keep the c best pages among those kept so far and those of label c.
    """

    id, title = "equitable", "EQUITABLE by work-function labels"

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        for q in range(len(labels)):
            labels[q] = labels[q] - 1 if labels[q] > 0 else -labels[q]
        update_work_function(labels, page, frame.cache)
        for q in range(len(labels)):
            labels[q] = labels[q] + 1 if labels[q] == frame.cache else -labels[q]

    def classes(self, labels: NDArray[np.int32], cache: int) -> NDArray[np.int32]:
        return np.where(labels > 0, labels - 1, -labels)

    def width(self, cache: int) -> int:
        return cache + 1

    def chance(self, counts: Sequence[int], own: int, cache: int) -> Fraction:
        if own == 0:
            return Fraction(1)
        others = [count - (label == own) for label, count in enumerate(counts)]
        ways = {(0, 0): 1}  # (kept, better): in how many ways among the labels so far
        for label in range(1, cache + 1):
            following: dict[tuple[int, int], int] = {}
            for (kept, better), number in ways.items():
                for more in range(others[label] + 1):
                    held = min(kept + more, label)
                    if label < own or kept + more < label:
                        key = held, better + more
                        following[key] = following.get(key, 0) + number * comb(others[label], more)
            ways = following
        total = sum(others[1:])
        # That a given set of pages is what ranks better has probability 1/((total + 1)·C(total, better)).
        return 1 - sum(
            (Fraction(number, (total + 1) * comb(total, better)) for (_, better), number in ways.items()),
            Fraction(0),
        )


PROCESSES: dict[str, LabelProcess] = {process.id: process for process in (Marks(), Preferences())}
"""The policies whose distribution is known as labels, by id."""
