"""Statements about the values, and what an atlas says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from paging.numbers import exact_text
from proofs.atlas.shapes import Shape
from proofs.atlas.values import Value


class Conjecture(NamedTuple):
    """A statement about one subject's values, with what it says where."""

    id: str
    subject: str
    statement: str
    value: Callable[[Shape], Fraction | None]


def _lru(shape: Shape) -> Fraction | None:
    ell, _, k, group, _ = shape
    if group > 1:
        return None
    if 1 < k < ell:
        return Fraction(ell - 1, ell - k)
    if k == ell:
        return 2 - Fraction(1, ell)
    return Fraction(min(k, 2 * (k - ell) + 1)) if k > ell else None


def _best(shape: Shape) -> Fraction | None:
    ell, _, k, group, _ = shape
    if group > 1:
        return None
    if k == ell:
        return 2 - Fraction(1, ell)
    if k >= ell + 2 or (ell <= 2 and k > ell):
        return Fraction(k - ell + 1)
    return None


def _several(shape: Shape) -> Fraction | None:
    ell, n, k, group, visits = shape
    excess = k - ell * group
    if group == 1 or n <= group or excess < 0:
        return None
    if visits == "atomic":
        return Fraction(excess + 1) if ell == 1 or excess >= 2 else None
    if ell > 1 and group == 2 and excess == 0:
        return None
    roomy = n >= k + 1 - (ell - 1) * group
    return Fraction(excess + min(group, 4 if ell == 1 else 3 if roomy else 2))


def _lru_of_visits(shape: Shape) -> Fraction | None:
    ell, n, k, group, visits = shape
    excess = k - ell * group
    if group == 1 or n <= group or excess < 0:
        return None
    if visits == "atomic":
        return Fraction(min(excess + ell, 2 * excess + 1)) if excess else 2 - Fraction(1, ell)
    if ell == 1:
        return Fraction(k)
    return Fraction(min(k, 2 * excess + 2)) if excess else group * (2 - Fraction(1, ell))


CONJECTURES = (
    Conjecture(
        "C1",
        "lru",
        "LRU: (ℓ−1)/(ℓ−k) for 1 < k < ℓ, 2 − 1/ℓ for k = ℓ, min(k, 2(k−ℓ)+1) for k > ℓ, with n large enough",
        _lru,
    ),
    Conjecture(
        "C2",
        "game",
        "the best deterministic ratio is k − ℓ + 1 for k ≥ ℓ + 2 (k > ℓ if ℓ ≤ 2), and 2 − 1/ℓ for k = ℓ",
        _best,
    ),
    Conjecture("C3", "zrc-any-tie", "ZRC attains the value of C2, however its ties are broken", _best),
    Conjecture(
        "C6",
        "lru",
        "LRU, g ≥ 2 pages a visit, n > g, d = k − ℓg: sequential g(2 − 1/ℓ) for d = 0 and min(k, 2d+2) for "
        "d > 0 (k for ℓ = 1), atomic 2 − 1/ℓ for d = 0 and min(d+ℓ, 2d+1) for d > 0",
        _lru_of_visits,
    ),
)

VISITS = Conjecture("visits", "game", "several pages a visit: as in docs/visits.md, for k ≥ ℓg", _several)
"""What is held against atlases with several pages a visit."""


class Evidence(NamedTuple):
    """A conjecture held against the atlas."""

    conjecture: Conjecture
    agree: tuple[Shape, ...]
    disagree: tuple[tuple[Shape, str], ...]


def evidence(values: Iterable[Value]) -> list[Evidence]:
    """Hold every conjecture against the values."""
    known = [(value.subject, value.shape, value.number) for value in values if value.number is not None]
    several = any(shape.per_visit > 1 for _, shape, _ in known)
    return [hold(conjecture, known) for conjecture in (*CONJECTURES, *([VISITS] if several else []))]


def hold(conjecture: Conjecture, known: Iterable[tuple[str, Shape, Fraction | float]]) -> Evidence:
    """Hold one conjecture against exact values, given as subject, instance and number.

    Examples
    --------
    >>> hold(CONJECTURES[0], [("lru", Shape(2, 4, 3), Fraction(5, 2))]).disagree
    ((Shape(layers=2, pages=4, cache=3, per_visit=1, visits='sequential'), '5/2'),)
    """
    agree, disagree = [], []
    for subject, shape, number in known:
        expected = conjecture.value(shape) if subject == conjecture.subject else None
        if expected is None:
            continue
        if number == expected:
            agree.append(shape)
        else:
            disagree.append((shape, str(exact_text(number))))
    return Evidence(conjecture, tuple(agree), tuple(disagree))
