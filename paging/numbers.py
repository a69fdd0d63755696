"""Exact numbers as text: one spelling of every value, and one way to read it.

An exact number (a Fraction: a ratio, a gap, an additive constant) is text in lowest terms, ``"7"`` or
``"7/2"``, and an infinite one ``"unbounded"``: in JSON, CSV and tables alike. What is not known is null in
JSON and a dash in a table. Counts are JSON numbers, and so is what was only observed or estimated. A
certificate states a whole number as a number (:func:`number`), as docs/certificates.md wants it.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeVar, overload

LONG_DENOMINATOR = 10**18
"""Fractions with such denominators are shown in tables as decimals; JSON holds them in full."""

MAX_LENGTH = 100_000
"""Longest text that is read as an exact number; reading takes time quadratic in it."""

UNBOUNDED = "unbounded"
T = TypeVar("T")


def _in_full(convert: Callable[[], T]) -> T:
    """Write or read one of our own numbers in full; Python's limit on digits guards everything else."""
    try:
        return convert()
    except ValueError:
        most = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)
        try:
            return convert()
        finally:
            sys.set_int_max_str_digits(most)


@overload
def exact_text(value: int | Fraction | float) -> str: ...
@overload
def exact_text(value: int | Fraction | float | None) -> str | None: ...
def exact_text(value: int | Fraction | float | None) -> str | None:
    """Return an exact number as text; None where it is not known, or ``nan``.

    >>> exact_text(Fraction(13, 4)), exact_text(Fraction(7)), exact_text(float("inf")), exact_text(None)
    ('13/4', '7', 'unbounded', None)
    """
    if value is None or value != value:
        return None
    if value == -math.inf:
        return f"-{UNBOUNDED}"
    return UNBOUNDED if value == math.inf else _in_full(lambda: str(value))


def in_digits(text: str) -> str:
    """Return a text that is to become a number as it is, if it keeps to the digits 0 … 9.

    ``int``, ``float`` and ``Fraction`` take ``"٣"`` and ``"1_0"``, too.

    Raises
    ------
    ValueError
        It has other digits, or an underscore.
    """
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text[:30]!r} is no number in the digits 0 … 9")
    return text


def read_fraction(text: str) -> Fraction:
    """Return the number that a text states in the digits 0 … 9.

    Raises
    ------
    ValueError
        The text states no number.
    ZeroDivisionError
        The denominator is 0.

    Examples
    --------
    >>> read_fraction("0.75")
    Fraction(3, 4)
    """
    return Fraction(in_digits(text))


def read_exact(text: str) -> Fraction | float:
    """Return the number that a text states, ``inf`` for an unbounded one: the inverse of :func:`exact_text`.

    Raises
    ------
    ValueError
        The text states no number, or has more than 100,000 characters.

    Examples
    --------
    >>> read_exact("7/2"), read_exact("7"), read_exact("unbounded")
    (Fraction(7, 2), Fraction(7, 1), inf)
    """
    if text == UNBOUNDED:
        return math.inf
    if text == f"-{UNBOUNDED}":
        return -math.inf
    if len(text) > MAX_LENGTH or "e" in text.lower():
        raise ValueError(f"{text[:30]!r} is no exact number of at most {MAX_LENGTH:,} characters")
    try:
        return _in_full(lambda: read_fraction(text))
    except ZeroDivisionError as error:
        raise ValueError(f"{text!r} is no number") from error


def decimal(value: object) -> float:
    """Return a number as JSON holds it, exact text or not, as a decimal, for drawing.

    >>> decimal("3/2"), decimal(2), decimal("unbounded")
    (1.5, 2.0, inf)
    """
    return float(value) if isinstance(value, int | float) else float(read_exact(str(value)))


def number(value: int | Fraction | float) -> int | str:
    """Return an exact number as a certificate states it: a whole one as a number, any other as text.

    Raises
    ------
    ValueError
        The number is ``nan``.

    Examples
    --------

    >>> number(Fraction(6, 4)), number(Fraction(4, 2)), number(float("inf"))
    ('3/2', 2, 'unbounded')
    """
    return exact_text(value) if abs(value) == math.inf or value != int(value) else int(value)


def jsonable(value: object) -> Any:
    """Turn a value into what JSON can hold, without losing exactness.

    A Fraction and an infinite number become text (:func:`exact_text`), an undefined float None, numpy scalars
    and arrays plain numbers and lists, a mapping's keys text, and anything unknown its ``str``.

    Examples
    --------
    >>> jsonable({"ratio": Fraction(3, 2), "shares": (1, 2), "limit": float("inf"), "value": Fraction(7)})
    {'ratio': '3/2', 'shares': [1, 2], 'limit': 'unbounded', 'value': '7'}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Fraction) or (isinstance(value, float) and abs(value) == math.inf):
        return exact_text(value)
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [jsonable(item) for item in sorted(value)]
    if isinstance(value, list | tuple | range):
        return [jsonable(item) for item in value]
    if hasattr(value, "tolist"):  # numpy, without importing it
        return jsonable(value.tolist())
    return str(value)


def short_digest(digest: str) -> str:
    """Return the beginning of a digest, for people; files and JSON hold it in full.

    >>> short_digest("0123456789abcdef" * 4)
    '0123456789ab…'
    """
    return f"{digest[:12]}…"


def json_text(value: object) -> str:
    """Return a value as indented JSON, keys in the order given, ASCII only."""
    plain = jsonable(value)
    return _in_full(lambda: json.dumps(plain, indent=2, allow_nan=False))


def cell(value: object) -> str:
    """Return a value as table text: thousands grouped, a Fraction as p/q if short, an absent value as a dash.

    Examples
    --------
    >>> cell(12345), cell(12345.678), cell(0.25), cell(Fraction(3, 2)), cell(float("inf")), cell(None)
    ('12,345', '12,345.7', '0.2500', '3/2', 'unbounded', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float) and abs(value) != math.inf:
        if math.isnan(value):
            return "–"
        return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4f}"
    if isinstance(value, Fraction) and value.denominator >= LONG_DENOMINATOR:
        return f"≈ {float(value):.6f}"
    return exact_text(value) if isinstance(value, Fraction | float) else str(value)
