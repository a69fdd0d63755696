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
    plain: bool = True  # of one page a visit


def _lru(shape: Shape) -> Fraction | None:
    ell, _, k, *_ = shape
    if 1 < k < ell:
        return Fraction(ell - 1, ell - k)
    if k == ell:
        return 2 - Fraction(1, ell)
    return Fraction(min(k, 2 * (k - ell) + 1)) if k > ell else None


def _best(shape: Shape) -> Fraction | None:
    ell, _, k, *_ = shape
    if k == ell:
        return 2 - Fraction(1, ell)
    if k >= ell + 2 or (ell <= 2 and k > ell):
        return Fraction(k - ell + 1)
    return None


def _lru_of_visits(shape: Shape) -> Fraction | None:
    ell, n, k, g, visits = shape
    beyond = k - ell * g
    if n == g or beyond < 0:
        return None
    if visits == "atomic":
        return Fraction(min(beyond + ell, 2 * beyond + 1)) if beyond else 2 - Fraction(1, ell)
    if ell == 1:
        return Fraction(k)
    return Fraction(min(k, 2 * beyond + 2)) if beyond else g * (2 - Fraction(1, ell))


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
        plain=False,
    ),
)


class Evidence(NamedTuple):
    """A conjecture held against the atlas."""

    conjecture: Conjecture
    agree: tuple[Shape, ...]
    disagree: tuple[tuple[Shape, str], ...]


def evidence(values: Iterable[Value]) -> list[Evidence]:
    """Hold every conjecture against the values."""
    known = [(value.subject, value.shape, value.number) for value in values if value.number is not None]
    return [hold(conjecture, known) for conjecture in CONJECTURES]


def hold(conjecture: Conjecture, known: Iterable[tuple[str, Shape, Fraction | float]]) -> Evidence:
    """Hold one conjecture against exact values, given as subject, instance and number.

    Examples
    --------
    >>> hold(CONJECTURES[0], [("lru", Shape(2, 4, 3), Fraction(5, 2))]).disagree
    ((Shape(layers=2, pages=4, cache=3, per_visit=1, visits='sequential'), '5/2'),)
    """
    agree, disagree = [], []
    for subject, shape, number in known:
        speaks = subject == conjecture.subject and shape.plain == conjecture.plain
        expected = conjecture.value(shape) if speaks else None
        if expected is None:
            continue
        if number == expected:
            agree.append(shape)
        else:
            disagree.append((shape, str(exact_text(number))))
    return Evidence(conjecture, tuple(agree), tuple(disagree))
