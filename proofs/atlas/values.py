"""One exact value of an atlas."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Literal

from paging.numbers import read_exact
from proofs.atlas.shapes import Shape


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
    per_visit, visits
        Pages g of a visit, and how they are served.
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
    per_visit: int = 1
    visits: Literal["sequential", "atomic"] = "sequential"

    @property
    def shape(self) -> Shape:
        """The instance it is about."""
        return Shape(self.layers, self.pages, self.cache, self.per_visit, self.visits)

    @property
    def number(self) -> Fraction | float | None:
        """The value as a number; ``inf`` for unbounded."""
        return None if self.value is None else read_exact(self.value)

    @property
    def plain(self) -> dict[str, object]:
        """The value as plain data, the instance in its one form."""
        facts = asdict(self)
        for name in Shape._fields:
            del facts[name]
        return {"instance": self.shape.instance.plain, **facts}
