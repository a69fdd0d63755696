"""Policies that break a rule, those of the registry that serve any plain instance, and trying them out."""

from __future__ import annotations

import functools

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from paging import Policy, RequestSequence, get_policy, registered_policies
from paging.testing import INVARIANTS
from paging.testing.battery import _Search
from paging.testing.strategies import told

TOLD = [name for name in registered_policies() if get_policy(name).predictions]
"""The registered policies that take predictions."""

PLAIN = [name for name in registered_policies() if name not in ("pinned", "admit", *TOLD)]
"""All registered policies but those that need a profile, bypassing or predictions."""


def as_told(policy: str, sequence: RequestSequence) -> RequestSequence:
    """Return the requests with some predictions where a policy takes them."""
    return told(sequence, get_policy(policy).predictions)


@functools.cache
def drawn(invariant: str, examples: int) -> list[RequestSequence]:
    """The sequences on which check_policy checks an invariant: the same ones whatever the policy is."""
    found: list[RequestSequence] = []

    @hypothesis.seed(0)
    @settings(
        max_examples=examples, database=None, derandomize=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(INVARIANTS[invariant].cases())
    def draw(sequence: RequestSequence) -> None:
        found.append(sequence)

    draw()
    return found


def attempt(policy: str | type[Policy], invariant: str, examples: int) -> None:
    """Check an invariant as check_policy does, but look for no smaller counterexample.

    Raises
    ------
    AssertionError
        It is broken.
    """
    search = _Search(get_policy(policy), INVARIANTS[invariant])
    for sequence in drawn(invariant, examples):
        search.attempt(sequence)


class Favourite(Policy):
    """LRU that never evicts page 0: it claims a symmetry it does not have."""

    id, title = "favourite", "LRU with a favourite page"
    traits = frozenset({"deterministic", "online", "demand", "symmetric", "finite-state"})

    @staticmethod
    def serve(labels: np.ndarray, page: int, slot: int, frame: object) -> None:
        cache = frame.cache  # type: ignore[attr-defined]
        if labels[page] == 0 and np.count_nonzero(labels) == cache:
            order = labels.copy()
            order[0] = 0
            labels[np.argmax(order)] = 0
        labels[labels > 0] += 1
        labels[page] = 1
        ranked = np.argsort(labels)
        labels[ranked[labels[ranked] > 0]] = np.arange(1, np.count_nonzero(labels) + 1)
