"""Closed forms as text: one spelling of every formula, in tables, documents and JSON."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from paging.numbers import UNBOUNDED


class _FieldStyle(StrPrinter):  # type: ignore[misc]
    """Prints sums as the field writes them: symbols first, negative ones after positive, numbers last."""

    def _print_Add(self, expr: Any, order: object = None) -> str:  # noqa: ARG002, N802
        terms = sorted(
            expr.args,
            key=lambda term: (term.is_number, term.could_extract_minus_sign(), str(term).replace("ell", "ℓ")),
        )
        parts = [self._print(terms[0])]
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            parts.append(f"{'−' if negative else '+'} {self.parenthesize(-term if negative else term, 30)}")
        return " ".join(parts)


def formula(form: Any) -> str:
    """Return a closed form as text with the field's letters.

    Examples
    --------
    >>> k, l = sympy.symbols("k ell")
    >>> formula(k - l + 1), formula(2 * sympy.harmonic(k) - 1)
    ('k − ℓ + 1', '2·H(k) − 1')
    """
    if form == sympy.oo:
        return UNBOUNDED
    text: str = _FieldStyle().doprint(form)
    return text.replace("ell", "ℓ").replace("harmonic", "H").replace("*", "·")
