"""The best competitive ratio of any randomised policy against an oblivious adversary, for small instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from paging.certificate import Certificate, certificate
from paging.errors import ModelError
from paging.model import LayeredInstance, whole_number
from paging.numbers import number
from paging.signals import UNWATCHED, StoppedError, Watch
from proofs.game.randomized.policy_bound import PolicyBound, policy_bound, work_graph
from proofs.game.randomized.requests_bound import RequestsBound, requests_bound


@dataclass(frozen=True)
class ValueProgress:
    """How far a computation has come.

    Attributes
    ----------
    states, columns : int
        Work-function states, and the size of the last linear program from below.
    lower, upper : Fraction
        Bounds proved so far; 1 and k where nothing is known yet.
    """

    states: int
    columns: int
    lower: Fraction
    upper: Fraction

    def __str__(self) -> str:
        below = f", {self.columns:,} columns from below" if self.columns else ""
        interval = f"{shown(self.lower)} ≤ ratio ≤ {shown(self.upper, up=True)}"
        return f"{self.states:,} work-function states{below}; {interval}"


def shown(value: Fraction, *, up: bool = False) -> str:
    """Return a bound as text; long fractions in decimals, rounded down, or up.

    >>> long = Fraction(10**9, 3 * 10**9 + 1)
    >>> shown(Fraction(7, 4)), shown(long), shown(long, up=True)
    ('7/4', '0.333333333', '0.333333334')
    """
    if value.denominator < 10**6:
        return str(value)
    whole, rest = divmod(ceil(value * 10**9) if up else floor(value * 10**9), 10**9)
    return f"{whole}.{rest:09d}"


@dataclass(frozen=True)
class RandomizedValue:
    """The best competitive ratio of randomised policies on an instance, or an interval that holds it.

    Attributes
    ----------
    instance : LayeredInstance
        One page per visit, forced service, cold start.
    policy : PolicyBound or None
        The upper side: a policy. None if stopped before.
    requests : RequestsBound or None
        The lower side: random requests. None where k < ℓ (no cache has a page in every layer), or if stopped
        before.
    states : int
        Work-function states up to renaming.
    """

    instance: LayeredInstance
    policy: PolicyBound | None
    requests: RequestsBound | None
    states: int

    @property
    def lower(self) -> Fraction:
        """A proved lower bound; 1 where there is no other."""
        return Fraction(1) if self.requests is None else self.requests.ratio

    @property
    def upper(self) -> Fraction:
        """A proved upper bound; k, that of every marking algorithm, where there is no other."""
        return Fraction(self.instance.cache) if self.policy is None else self.policy.ratio

    @property
    def value(self) -> Fraction | None:
        """The exact value; None where the bounds differ."""
        return self.upper if self.lower == self.upper else None

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``randomized-value`` for both bounds, or those that are known.

        Raises
        ------
        ModelError
            Nothing is known.
        """
        if self.policy is None and self.requests is None:
            raise ModelError("no bound is known yet, so there is nothing to certify")
        claim: dict[str, object] = {"instance": self.instance.plain}
        evidence: dict[str, object] = {}
        if self.requests is not None:
            claim["lower"] = number(self.requests.ratio)
            evidence["lower"] = self.requests.evidence()
        if self.policy is not None:
            claim["upper"] = number(self.policy.ratio)
            evidence["upper"] = self.policy.evidence()
        return certificate("randomized-value", claim, evidence, provenance)


def randomized_value(
    instance: LayeredInstance,
    *,
    max_states: int = 400,
    max_columns: int = 100_000,
    watch: Watch = UNWATCHED,
) -> RandomizedValue:
    """Return the best competitive ratio of randomised policies against an oblivious adversary.

    Parameters
    ----------
    instance : LayeredInstance
        One page per visit, forced service, k < number of pages.
    max_states : int, default 400
        Most work-function states (up to renaming) of the linear program from above.
    max_columns : int, default 100 000
        Largest linear program from below.
    watch : Watch
        Told the :class:`ValueProgress` now and then; asked to stop, the computation ends with what is known.

    Raises
    ------
    LimitError
        There are more than ``max_states`` work-function states.
    ModelError, UnsupportedModelError
        The instance is outside the range.
    SolverError
        HiGHS fails.

    Guarantee
    ---------
    Both bounds are exact fractions with a proof each; only how close they are depends on the
    linear programs, which are solved in floating point.

    Examples
    --------
    >>> found = randomized_value(LayeredInstance(layers=2, pages=2, cache=3))
    >>> found.value
    Fraction(7, 4)
    """
    instance.require_evictions()
    instance.require("the best ratio", service="forced", visits="sequential", per_visit=1, cost="unit")
    whole_number(max_states, "max_states", 1)
    whole_number(max_columns, "max_columns", 1)
    policy: PolicyBound | None = None
    requests: RequestsBound | None = None
    graph = work_graph(instance, max_states)

    def look(better: RequestsBound | None = None, columns: int = 0) -> None:
        nonlocal requests
        requests = better or requests
        now = RandomizedValue(instance, policy, requests, len(graph.states))
        watch.look(ValueProgress(now.states, columns, now.lower, now.upper))

    try:
        look()
        goal, policy = policy_bound(graph, look)
        requests = requests_bound(instance, goal=goal, max_columns=max_columns, look=look)
    except StoppedError:
        pass
    return RandomizedValue(instance, policy, requests, len(graph.states))
