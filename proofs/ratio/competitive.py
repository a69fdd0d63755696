"""The exact competitive ratio of any policy: one entrance for deterministic and randomised ones."""

from __future__ import annotations

from paging.arguments import checked
from paging.model import LayeredInstance
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, Watch
from proofs.ratio.deterministic import ExactRatio, exact_ratio
from proofs.ratio.randomized import RandomizedRatio, randomized_exact
from proofs.ratio.weighted import WeightedRatio, weighted_ratio


@checked
def competitive_ratio(
    policy: str | Policy,
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    max_states: int | None = None,
    symmetric: bool = True,
    watch: Watch = UNWATCHED,
) -> ExactRatio | RandomizedRatio | WeightedRatio:
    """Return the exact competitive ratio of a policy, with what proves it.

    Parameters
    ----------
    policy : str or Policy
        Deterministic (:func:`~proofs.ratio.deterministic.exact_ratio`, with weights
        :func:`~proofs.ratio.weighted.weighted_ratio`), or randomised against an oblivious adversary
        (:func:`~proofs.ratio.randomized.randomized_exact`).
    instance, opt_cache, max_states, watch
        As there.
    symmetric : bool, default True
        As for a deterministic policy at unit cost; no matter otherwise.

    Examples
    --------
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2)
    >>> competitive_ratio("lru", instance).ratio, competitive_ratio("mark", instance).ratio
    (Fraction(2, 1), Fraction(3, 2))
    """
    answer = get_policy(policy)
    if answer.randomized:
        return randomized_exact(answer, instance, opt_cache=opt_cache, max_states=max_states, watch=watch)
    if instance.weights is not None:
        return weighted_ratio(answer, instance, opt_cache=opt_cache, max_states=max_states, watch=watch)
    return exact_ratio(
        answer,
        instance,
        opt_cache=opt_cache,
        max_states=max_states,
        symmetric=symmetric,
        watch=watch,
    )
