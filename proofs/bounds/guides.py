"""The bounds that are drawn beside an observed ratio: the best proven ones for a policy on an instance."""

from __future__ import annotations

from adversary.formulas import formula
from paging.errors import LayeredPagingError
from paging.model import LayeredInstance
from paging.policy import Policy, get_policy
from paging.viewer.film import Guide
from proofs.bounds.bound import Bound, Half
from proofs.bounds.known import best_bound

HUMAN = "you"
"""Name under which a person plays, who is bound by what is proved for every deterministic online policy."""


class _Human(Policy):
    traits = frozenset({"deterministic", "online", "demand"})


def guides(instance: LayeredInstance, policy: str, opt_cache: int | None = None) -> list[Guide]:
    """Return the smallest upper and the largest lower bound on a policy's ratio, where there are any.

    Examples
    --------
    >>> [(guide.id, str(guide.value)) for guide in guides(LayeredInstance(3, 4, 8), "llru")]
    [('L5', '10'), ('llru-lower', '17/2')]
    >>> [(guide.id, str(guide.value)) for guide in guides(LayeredInstance(1, 12, 6), "lru", opt_cache=3)]
    [('augmentation-upper', '3/2'), ('augmentation-lower', '3/2')]
    """
    try:
        subject = _Human() if policy == HUMAN else get_policy(policy)
    except LayeredPagingError:  # the optimum, or a class that no registry knows
        return []
    found: list[Guide] = []
    for half in ("upper", "lower"):
        bound = best_bound(half, instance, subject, opt_cache)
        if bound is not None:
            found.append(_guide(bound, half, instance, opt_cache))
    return found


def _guide(bound: Bound, half: Half, instance: LayeredInstance, opt_cache: int | None) -> Guide:
    return Guide(
        bound.id,
        half,
        bound.at(instance, opt_cache),
        formula(bound.value),
        bound.statement,
        None if bound.additive is None else formula(bound.additive),
        bound.measure == "oblivious",
    )
