"""What the theorems say of a ratio before anything is computed, and what they make of an interval found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import Literal

from paging.errors import LayeredPagingError
from paging.model import LayeredInstance
from paging.numbers import exact_text
from paging.policy import Policy, get_policy
from proofs.bounds.bound import Bound, Half
from proofs.bounds.registry import BOUNDS

Number = Fraction | float


class TheoremViolationError(LayeredPagingError, RuntimeError):
    """A computed ratio contradicts a theorem: one of them is wrong."""


class _Anyone(Policy):
    """Stands for every policy of a class: what is proved of all of them is proved of it."""

    def __init__(self, *, randomized: bool) -> None:
        self.traits = frozenset({"online"} if randomized else {"online", "deterministic"})


@dataclass(frozen=True)
class Known:
    """An interval for a ratio, and which theorem stands behind each of its ends.

    Attributes
    ----------
    lower, upper : Fraction or float
        The ratio lies between them; ``inf`` above where nothing is known, on both sides for unbounded.
    below, above : Bound or None
        The theorem that an end comes from; None for what was computed, or is trivial.

    Examples
    --------
    >>> known = known_ratio("lru", LayeredInstance(layers=8, pages=8, cache=32))
    >>> known.lower, known.upper, known.below.id, known.above.id
    (Fraction(32, 1), Fraction(32, 1), 'L3-tight', 'L3-tight')
    """

    lower: Number = Fraction(0)
    upper: Number = inf
    below: Bound | None = None
    above: Bound | None = None

    @property
    def value(self) -> Number | None:
        """The ratio itself, where both ends meet."""
        return self.lower if self.lower == self.upper else None

    def narrowed(self, lower: Number, upper: Number | None) -> Known:
        """Return what a computation and the theorems say together; of equal ends the computed one counts.

        Raises
        ------
        TheoremViolationError
            They contradict each other.
        """
        computed = replace(self, lower=lower, below=None) if lower >= self.lower else self
        if upper is not None and upper <= self.upper:
            computed = replace(computed, upper=upper, above=None)
        if computed.lower > computed.upper:
            named = ", ".join(bound.id for bound in (computed.below, computed.above) if bound is not None)
            raise TheoremViolationError(
                f"computed {exact_text(lower)} … {exact_text(upper)}, but the theorems say "
                f"{exact_text(self.lower)} … {exact_text(self.upper)} ({named}): one of them is wrong"
            )
        return computed

    @property
    def plain(self) -> dict[str, object]:
        """The theorems behind the ends, as JSON shows them; None where an end is computed or trivial."""
        return {
            end: None if bound is None else _facts(bound, value)
            for end, value, bound in self._ends
        }  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """The theorems behind the ends, a sentence each."""
        words = {"lower": "At least", "upper": "At most"}
        if self.value is not None and self.below is self.above is not None:
            words = {"lower": "Exactly"}
        return [
            f"{'Unbounded' if value == inf else f'{words[end]} {exact_text(value)}'} "
            f"by the theorem {bound.id} ({bound.standing}; "
            f"{bound.source}: {bound.locator})."
            for end, value, bound in self._ends
            if bound is not None and end in words
        ]

    @property
    def _ends(self) -> tuple[tuple[str, Number, Bound | None], ...]:
        return ("lower", self.lower, self.below), ("upper", self.upper, self.above)


def _facts(bound: Bound, value: Number) -> dict[str, object]:
    return {
        "theorem": bound.id,
        "value": value,
        "statement": bound.statement,
        "status": bound.status,
        "machine_checked": bound.machine_checked or None,
        "source": f"{bound.source}: {bound.locator}",
    }


def best_bound(
    half: Half,
    instance: LayeredInstance,
    policy: Policy,
    opt_cache: int | None = None,
) -> Bound | None:
    """Return the smallest proved upper or largest proved lower bound on a policy's ratio, if any speaks."""
    return _best(half, instance, opt_cache, [b for b in BOUNDS.values() if b.subject.includes(policy)])


def _best(half: Half, instance: LayeredInstance, opt_cache: int | None, among: list[Bound]) -> Bound | None:
    found = [
        bound
        for bound in among
        if bound.kind in (half, "tight")
        and not bound.errors
        and bound.status != "conjecture"
        and bound.excluded(instance, opt_cache, half) is None
    ]
    choose = min if half == "upper" else max
    return choose(found, key=lambda bound: bound.at(instance, opt_cache), default=None)


def known_ratio(policy: str | Policy, instance: LayeredInstance, opt_cache: int | None = None) -> Known:
    """Return what the theorems say of a policy's competitive ratio; conjectures count for nothing."""
    subject = get_policy(policy)
    above = best_bound("upper", instance, subject, opt_cache)
    return _known(instance, opt_cache, best_bound("lower", instance, subject, opt_cache), above)


def known_value(
    of: Literal["deterministic", "randomized"], instance: LayeredInstance, opt_cache: int | None = None
) -> Known:
    """Return what the theorems say of the best ratio that any policy of a kind has.

    Examples
    --------
    >>> known = known_value("randomized", LayeredInstance(layers=1, pages=9, cache=3))
    >>> str(known.value), known.below.id, known.above.id
    ('11/6', 'L4-spread', 'equitable-upper')
    """
    randomized = of == "randomized"
    below = best_bound("lower", instance, _Anyone(randomized=randomized), opt_cache)
    some = [
        bound
        for bound in BOUNDS.values()
        if (randomized and bound.subject.exists)
        or any(randomized or not get_policy(policy).randomized for policy in bound.subject.policies)
    ]
    return _known(instance, opt_cache, below, _best("upper", instance, opt_cache, some))


def _known(
    instance: LayeredInstance, opt_cache: int | None, below: Bound | None, above: Bound | None
) -> Known:
    lower: Number = Fraction(0)
    if opt_cache in (None, instance.cache) and instance.cache < instance.total_pages:
        lower = Fraction(1)  # nobody pays less than OPT, which has to pay for ever
    if below is not None and below.at(instance, opt_cache) > lower:
        lower = below.at(instance, opt_cache)
    else:
        below = None
    upper = inf if above is None else above.at(instance, opt_cache)
    return Known(lower, max(upper, lower) if lower == inf else upper, below, above)
