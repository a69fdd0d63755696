"""One exact value of an atlas."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from proofs.atlas.places import Place


@dataclass(frozen=True)
class Value:
    """One exact value, or the interval known of it.

    Attributes
    ----------
    subject : str
        A policy, ``zrc-any-tie`` for the rule of ZRC with ties broken by the adversary, or ``game`` for the
        best deterministic policy.
    layers, pages, cache : int
        ℓ, n, k.
    value : str or None
        ``"p/q"`` or ``"unbounded"``; None where the budget did not suffice.
    lower : str or None
        What is proved from below.
    additive : str or None
        The least additive constant that goes with the value.
    states : int
        Size of the graph, or what was seen of it.
    max_states : int
        The budget.
    certificate : str or None
        File of the certificate, relative to the atlas.
    """

    subject: str
    layers: int
    pages: int
    cache: int
    value: str | None
    lower: str | None
    additive: str | None
    states: int
    max_states: int
    certificate: str | None

    @property
    def place(self) -> Place:
        """The instance it is about."""
        return Place(self.layers, self.pages, self.cache)

    @property
    def number(self) -> Fraction | float | None:
        """The value as a number; ``inf`` for unbounded."""
        return read_number(self.value)


def read_number(text: str | None) -> Fraction | float | None:
    """Return a value written by :func:`paging.numbers.ratio_text` as a number; None where it is not known.

    >>> read_number("3/2"), read_number("unbounded"), read_number("")
    (Fraction(3, 2), inf, None)
    """
    return None if not text else float("inf") if text == "unbounded" else Fraction(text)
