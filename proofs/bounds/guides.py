"""The bounds that are drawn beside an observed ratio: the best proven ones for a policy on an instance."""

from __future__ import annotations

from paging.errors import LayeredPagingError
from paging.model import LayeredInstance
from paging.policy import get_policy
from paging.viewer.film import Guide
from proofs.bounds.registry import BOUNDS, Bound, formula, h

ANY_DETERMINISTIC = "any deterministic policy"
HUMAN = "you"
"""Name under which a person plays: only bounds about any deterministic policy speak of them."""


def guides(instance: LayeredInstance, policy: str, opt_cache: int | None = None) -> list[Guide]:
    """Return the smallest upper and the largest lower bound on a policy's ratio, where there are any.

    The bounds speak of forced service; with g > 1 only the upper ones are kept, whose proofs do not depend on
    the order of requests.

    Examples
    --------
    >>> [(guide.id, str(guide.value)) for guide in guides(LayeredInstance(3, 4, 8), "llru")]
    [('L5', '10'), ('llru-lower', '17/2')]
    >>> [(guide.id, str(guide.value)) for guide in guides(LayeredInstance(1, 12, 6), "lru", opt_cache=3)]
    [('augmentation-upper', '3/2'), ('augmentation-lower', '3/2')]
    """
    if instance.bypassing or instance.visits == "atomic":
        return []
    known = [
        bound
        for bound in BOUNDS.values()
        if _speaks_of(bound, policy) and bound.violated_condition(instance, opt_cache) is None
    ]
    upper = [bound for bound in known if bound.kind in ("upper", "tight")]
    lower = [bound for bound in known if bound.kind in ("lower", "tight") and instance.per_visit == 1]
    if opt_cache is not None and opt_cache < instance.cache:
        # What can be forced against an OPT with k slots says nothing about one with fewer.
        lower = [bound for bound in lower if h in bound.value.free_symbols]
    best = [min(upper, key=lambda bound: bound.at(instance, opt_cache))] if upper else []
    worst = [max(lower, key=lambda bound: bound.at(instance, opt_cache))] if lower else []
    return [
        *(_guide(bound, "upper", instance, opt_cache) for bound in best),
        *(_guide(bound, "lower", instance, opt_cache) for bound in worst),
    ]


def _speaks_of(bound: Bound, policy: str) -> bool:
    if policy in bound.policies:
        return True
    return bound.subject == ANY_DETERMINISTIC and (policy == HUMAN or _deterministic(policy))


def _deterministic(policy: str) -> bool:
    try:
        return not get_policy(policy).randomized
    except LayeredPagingError:  # the optimum, or a class that no registry knows
        return False


def _guide(bound: Bound, kind: str, instance: LayeredInstance, opt_cache: int | None) -> Guide:
    return Guide(
        bound.id,
        "upper" if kind == "upper" else "lower",
        bound.at(instance, opt_cache),
        formula(bound.value),
        bound.statement,
        None if bound.additive is None else formula(bound.additive),
        bound.measure == "oblivious",
    )
