"""A policy of an outside package."""

import numpy as np

from paging import Policy


class ToyPolicy(Policy):
    """Evict the page requested last but one, or else the lowest page, but never the one requested last.

    The page requested last leaves only when no other is cached.

    Label
    -----
    3 = requested last, 2 = requested just before it, 1 = any other cached page.

    Guarantee
    ---------
    None.
    """

    id, title = "toy-policy", "a policy from outside"
    traits = frozenset({"deterministic", "online", "demand", "finite-state"})

    @staticmethod
    def serve(labels, page, slot, frame):
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            victim = -1
            for q in range(len(labels)):
                if labels[q] > 0 and (victim < 0 or labels[q] % 3 > labels[victim] % 3):
                    victim = q
            labels[victim] = 0
        for q in range(len(labels)):
            if labels[q] > 0:
                labels[q] = 2 if labels[q] == 3 else 1
        labels[page] = 3
