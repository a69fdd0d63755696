"""What claims about trade-offs with discard predictions have in common: coefficients, and what they are of.

A reference is a lazy offline schedule, with as many slots as the policy. Every request carries a bit, 1 for
"discard". Claimed is which third coefficient keeps the policy's faults below α · faults of the reference
+ β · pages of bit 0 that it evicts + γ · requests of pages that it holds with bit 1, up to a constant.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from operator import mul
from typing import NamedTuple

from .problem import Problem, Proved, read_plain
from .reading import Incomplete, Json, Refuted, choice, members, rational

NAMES = ("alpha", "beta", "gamma")
SIDES = ("lower", "upper")

Paid = tuple[int, int, int]
"""How often a reference paid each kind of cost: a fault, a wrong 0, a wrong 1."""

MODEL = (
    "the reference: any lazy schedule with k slots",
    "a page of bit 0 that the reference evicts is a wrong 0",
    "a page of bit 1 that is requested while the reference holds it is a wrong 1",
)


class Prices(NamedTuple):
    """What a fault of the policy is worth, and what the three kinds of cost are, in whole numbers."""

    unit: int
    kinds: Paid

    def of(self, paid: Paid) -> int:
        """Return what was paid."""
        return sum(map(mul, self.kinds, paid))


class TradeOffClaim(NamedTuple):
    """The claim: two coefficients are given, and the least third one is bounded."""

    problem: Problem
    claim: Json
    given: dict[str, Fraction]
    least: str

    @property
    def endless(self) -> bool:
        """Say whether the claim is that no number will do."""
        return bool(self.claim.get("lower") == "unbounded")

    def known(self, side: str) -> dict[str, Fraction]:
        """Return all coefficients with a bound for the third; without it if no number will do."""
        if side == "lower" and self.endless:
            return self.given
        return {**self.given, self.least: read_coefficient(self.claim, side)}

    def proved(self, whose: str, words: list[str]) -> Proved:
        """Say what was proved."""
        sides = [side for side in SIDES if side in self.claim]
        bounds = {str(self.claim[side]) for side in sides}
        if len(sides) == 2 and len(bounds) == 1:
            text = f"exactly {self.claim['upper']}"
        elif self.endless:
            text = "unbounded"
        else:
            text = " and ".join(f"{'at least' if s == 'lower' else 'at most'} {self.claim[s]}" for s in sides)
        beside = ", ".join(f"{name} = {self.claim[name]}" for name in self.given)
        reason = f"with {beside} the least {self.least} of {whose} is {text}; {'; '.join(words)}"
        return Proved(reason, (*self.problem.model[:5], *MODEL))


def read_trade_off(claim: Json, evidence: Json, *more: str) -> TradeOffClaim:
    """Read the instance and the coefficients of a claim, which has ``more`` fields."""
    least = choice(members(claim, "claim", ("least",), claim)["least"], "claim.least", *NAMES)
    given = [name for name in NAMES if name != least]
    members(claim, "claim", ("instance", "predictions", "least", *given, *more), SIDES)
    choice(claim["predictions"], "claim.predictions", "discard")
    sides = [side for side in SIDES if side in claim]
    if not sides:
        raise Incomplete("claim needs lower, upper or both")
    members(evidence, "evidence", sides)
    return TradeOffClaim(
        read_plain(claim), claim, {name: read_coefficient(claim, name) for name in given}, least
    )


def read_coefficient(claim: Json, name: str) -> Fraction:
    """Read a coefficient, which is not negative."""
    value = rational(claim[name], f"claim.{name}")
    if value < 0:
        raise Refuted(f"claim.{name} must not be negative")
    return value


def prices_of(known: dict[str, Fraction]) -> Prices:
    """Return coefficients as whole numbers of a unit; 0 for one that is not there."""
    unit = lcm(*(value.denominator for value in known.values()))
    alpha, beta, gamma = (int(known.get(name, Fraction(0)) * unit) for name in NAMES)
    return Prices(unit, (alpha, beta, gamma))
