"""What claims about trade-offs with predictions have in common: coefficients, and what they are of.

Every request carries a bit. Claimed is which third coefficient keeps the policy's faults below α · faults of
the reference + β · wrong bits 0 + γ · wrong bits 1, up to a constant; bits.py says what these are.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from operator import mul
from typing import NamedTuple

from .bits import BESIDE, Beside, Paid
from .problem import Problem, Proved, read_plain
from .reading import Incomplete, Json, Refuted, choice, members, rational

NAMES = ("alpha", "beta", "gamma")
SIDES = ("lower", "upper")


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
    beside: Beside  # what the bits are about

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
        return Proved(reason, (*self.problem.model[:5], *self.beside.model))


def read_trade_off(
    claim: Json, evidence: Json, *more: str, kinds: tuple[str, ...] = ("discard",)
) -> TradeOffClaim:
    """Read instance and coefficients of a claim, which has ``more`` fields and is about some kind of bits."""
    least = choice(members(claim, "claim", ("least",), claim)["least"], "claim.least", *NAMES)
    given = [name for name in NAMES if name != least]
    members(claim, "claim", ("instance", "predictions", "least", *given, *more), SIDES)
    kind = choice(claim["predictions"], "claim.predictions", *kinds)
    sides = [side for side in SIDES if side in claim]
    if not sides:
        raise Incomplete("claim needs lower, upper or both")
    members(evidence, "evidence", sides)
    coefficients = {name: read_coefficient(claim, name) for name in given}
    return TradeOffClaim(read_plain(claim), claim, coefficients, least, BESIDE[kind])


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
