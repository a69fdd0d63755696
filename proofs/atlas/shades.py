"""The shade of a value, on paper and in the browser: one meaning, the value beside the cache size k."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isinf
from typing import NamedTuple


class Shade(NamedTuple):
    """A class of values: up to which share of k, in words, how dark (0 to 1), and whether it is hatched."""

    share: Fraction | float
    words: str
    dark: float
    hatched: bool = False


SHADES = (
    Shade(Fraction(1, 4), "at most k/4", 0.04),
    Shade(Fraction(1, 2), "at most k/2", 0.16),
    Shade(Fraction(3, 4), "at most 3k/4", 0.28),
    Shade(Fraction(1), "below k", 0.4),
    Shade(Fraction(1), "k", 0.62),
    Shade(inf, "above k", 0.62, hatched=True),
    Shade(inf, "unbounded", 0.9),
)
"""From the best to the worst."""


def shade_of(value: Fraction | float, cache: int) -> int:
    """Return the place of a value's shade in :data:`SHADES`.

    >>> [SHADES[shade_of(value, 4)].words for value in (1, Fraction(7, 2), 4, Fraction(9, 2), inf)]
    ['at most k/4', 'below k', 'k', 'above k', 'unbounded']
    """
    if isinf(value):
        return 6
    if value >= cache:
        return 4 if value == cache else 5
    return next(place for place, shade in enumerate(SHADES) if value <= shade.share * cache)
