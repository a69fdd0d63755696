"""Numbers in JSON and in tables: one spelling of every exact value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

LONG_DENOMINATOR = 10**18
"""Fractions with such denominators are shown in tables as decimals; JSON holds them in full."""


def jsonable(value: object) -> Any:
    """Turn a value into what JSON can hold, without losing exactness.

    Numpy scalars and arrays become plain numbers and lists, a Fraction ``"p/q"``, an infinite or undefined
    float ``"inf"``, ``"-inf"`` or ``"nan"``, a mapping's keys text, and anything unknown its ``str``.

    Examples
    --------
    >>> jsonable({"ratio": Fraction(3, 2), "shares": (1, 2), "limit": float("inf")})
    {'ratio': '3/2', 'shares': [1, 2], 'limit': 'inf'}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [jsonable(item) for item in sorted(value)]
    if isinstance(value, list | tuple | range):
        return [jsonable(item) for item in value]
    if hasattr(value, "tolist"):  # numpy, without importing it
        return jsonable(value.tolist())
    return str(value)


def json_text(value: object) -> str:
    """Return a value as indented JSON, keys in the order given, ASCII only."""
    return json.dumps(jsonable(value), indent=2, allow_nan=False)


def cell(value: object) -> str:
    """Return a value as table text: thousands grouped, a Fraction as p/q if short, an absent value as a dash.

    Examples
    --------
    >>> cell(12345), cell(12345.678), cell(0.25), cell(Fraction(3, 2)), cell(None)
    ('12,345', '12,345.7', '0.2500', '3/2', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4f}"
    if isinstance(value, Fraction) and value.denominator >= LONG_DENOMINATOR:
        return f"≈ {float(value):.6f}"
    return str(value)


def number(value: int | Fraction | float) -> int | str:
    """Return an exact number for a certificate: whole ones as numbers, others as their text.

    >>> number(Fraction(6, 4)), number(Fraction(4, 2)), number(float("inf"))
    ('3/2', 2, 'unbounded')
    """
    return "unbounded" if value == float("inf") else int(value) if value == int(value) else str(value)


def ratio_text(value: int | Fraction | float | None) -> str | None:
    """Return a ratio for tables and JSON: ``"p/q"``, ``"unbounded"``, or None where it is not known.

    >>> ratio_text(Fraction(13, 4)), ratio_text(float("inf")), ratio_text(None)
    ('13/4', 'unbounded', None)
    """
    return "unbounded" if value == float("inf") else None if value is None else str(value)
