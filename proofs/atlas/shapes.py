"""The instances an atlas speaks about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from paging.model import LayeredInstance, whole_number


class Shape(NamedTuple):
    """An instance with equal layers: ℓ, n, k, and g pages a visit, sequential or atomic."""

    layers: int
    pages: int
    cache: int
    per_visit: int = 1
    visits: Literal["sequential", "atomic"] = "sequential"

    @property
    def instance(self) -> LayeredInstance:
        """The instance."""
        return LayeredInstance(*self)

    @property
    def plain(self) -> bool:
        """Whether a visit is one page, so that the bounds and statements about g = 1 speak of it."""
        return self.per_visit == 1

    @property
    def sizes(self) -> str:
        """The instance as text; of visits nothing is said where they are one page.

        >>> str(Shape(2, 3, 4).sizes), Shape(2, 3, 4, 2, "atomic").sizes
        ('(2, 3, 4)', '(2, 3, 4), g = 2, atomic')
        """
        sizes = f"({self.layers}, {self.pages}, {self.cache})"
        return sizes if self.plain else f"{sizes}, g = {self.per_visit}, {self.visits}"

    @property
    def file(self) -> str:
        """Its name in the folders of an atlas.

        >>> Shape(2, 3, 4).file, Shape(2, 3, 4, 2, "atomic").file
        ('l2-n3-k4', 'l2-n3-k4-g2-atomic')
        """
        sizes = f"l{self.layers}-n{self.pages}-k{self.cache}"
        return sizes if self.plain else f"{sizes}-g{self.per_visit}-{self.visits}"


def shapes(
    max_pages: int,
    layers: Iterable[int],
    per_visit: int = 1,
    visits: Literal["sequential", "atomic"] = "sequential",
) -> list[Shape]:
    """Return all instances with n ≥ 2, ℓ·n ≤ ``max_pages`` and 1 ≤ k < ℓ·n, smaller ones first.

    With g > 1 pages a visit those with n ≥ g and, if visits are atomic, k ≥ g.

    >>> [tuple(shape) for shape in shapes(4, (1, 2), 2, "atomic")]
    [(1, 3, 2, 2, 'atomic'), (1, 4, 2, 2, 'atomic'), (1, 4, 3, 2, 'atomic'), (2, 2, 2, 2, 'atomic'), \
(2, 2, 3, 2, 'atomic')]
    """
    whole_number(per_visit, "per_visit (g)", 1, max_pages)
    least = per_visit if visits == "atomic" else 1
    found = [
        Shape(ell, n, k, per_visit, visits)
        for ell in layers
        for n in range(max(2, per_visit), max_pages // ell + 1)
        for k in range(least, ell * n)
    ]
    return sorted(found, key=lambda shape: (shape.layers * shape.pages, shape))
