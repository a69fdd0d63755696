"""Numbers and formulas for display on the page; the exact value goes along."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from paging.numbers import read_exact

LONGEST_FRACTION = 12
"""Characters up to which an exact fraction is shown beside its decimal value."""


def number(value: Any, digits: int = 3) -> Markup:
    """Return a number of the document for display; the exact one goes along in the ``value`` attribute.

    Examples
    --------
    >>> number(12345), number("25/12"), number("unbounded")  # doctest: +NORMALIZE_WHITESPACE
    (Markup('<data value="12345">12,345</data>'), Markup('<data value="25/12">25/12 ≈ 2.083</data>'),
     Markup('<data value="unbounded">unbounded</data>'))
    """
    if value is None:
        return Markup('<span class="none">–</span>')
    return Markup('<data value="{}">{}</data>').format(value, _shown(value, digits))


def _shown(value: Any, digits: int) -> str:
    if isinstance(value, str):
        exact = read_exact(value)
        if isinstance(exact, float):
            return value
        if exact.denominator == 1:
            return f"{exact.numerator:,}"
        decimal = f"{float(exact):.{digits}f}"
        return f"{value} ≈ {decimal}" if len(value) <= LONGEST_FRACTION else f"≈ {decimal}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.{digits}f}"


BESIDE = re.compile(r" (?=[−+·=<>≤≥≠∈])|(?<=[−+·=<>≤≥≠∈]) |(?<=,) (?=[^ ()]+( [−+·] [^ ()]+)*\))")
"""A blank inside a formula, such as those of min(2ℓ − 1, ℓ + 3)."""


def math(text: str) -> Markup:
    """Return text with its formulas unbroken and their subscripts set as such.

    >>> math("H_k, H_{ℓ−1} and k_1"), math("min(k, 2)")
    (Markup('H<sub>k</sub>, H<sub>ℓ−1</sub> and k<sub>1</sub>'), Markup('min(k,\xa02)'))
    """
    escaped = str(Markup.escape(BESIDE.sub("\u00a0", text)))
    return Markup(re.sub(r"(?<=\w)_(?:\{(.*?)\}|(\w))", r"<sub>\1\2</sub>", escaped))


def percent(value: Any) -> Markup:
    """Return a share as percent, with the exact value in the ``value`` attribute."""
    if value is None:
        return number(None)
    return Markup('<data value="{}">{}</data>').format(
        value, f"{100 * value:.1f}".replace("-", "−") + "\u00a0%"
    )
