"""Policies that break a rule, and those of the registry that serve any plain instance."""

from __future__ import annotations

import numpy as np

from paging import Policy, RequestSequence, get_policy, registered_policies
from paging.testing.strategies import told

TOLD = [name for name in registered_policies() if get_policy(name).predictions]
"""The registered policies that take predictions."""

PLAIN = [name for name in registered_policies() if name not in ("pinned", "admit", *TOLD)]
"""All registered policies but those that need a profile, bypassing or predictions."""


def as_told(policy: str, sequence: RequestSequence) -> RequestSequence:
    """Return the requests with some predictions where a policy takes them."""
    return told(sequence, get_policy(policy).predictions)


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
