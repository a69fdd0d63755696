"""The instances an atlas speaks about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from paging.model import LayeredInstance


class Shape(NamedTuple):
    """An instance with equal layers: ℓ, n, k; pages g of a visit, and how they are served."""

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
    def file(self) -> str:
        """Its name in the folders of an atlas.

        >>> Shape(2, 3, 4).file, Shape(2, 3, 4, 2, "atomic").file
        ('l2-n3-k4', 'l2-n3-k4-g2-atomic')
        """
        several = f"-g{self.per_visit}" if self.per_visit > 1 else ""
        return f"l{self.layers}-n{self.pages}-k{self.cache}{several}{'-atomic' * (self.visits == 'atomic')}"

    def __str__(self) -> str:
        """Return it in words.

        >>> print(Shape(2, 3, 4), Shape(2, 3, 4, 2))
        (ℓ, n, k) = (2, 3, 4) (ℓ, n, k, g, visits) = (2, 3, 4, 2, sequential)
        """
        names = ("ℓ", "n", "k", "g", "visits")[: len(self.numbers)]
        return f"({', '.join(names)}) = ({', '.join(map(str, self.numbers))})"

    @property
    def numbers(self) -> tuple[int | str, ...]:
        """What tables show: ℓ, n, k, and with several pages a visit g and how they are served."""
        return self if self.per_visit > 1 else self[:3]


def shapes(
    max_pages: int,
    layers: Iterable[int],
    per_visit: int = 1,
    visits: Literal["sequential", "atomic"] = "sequential",
) -> list[Shape]:
    """Return all instances with n > g, ℓ·n ≤ ``max_pages`` and g ≤ k < ℓ·n, smaller ones first.

    >>> shapes(4, (1, 2))[:3]  # doctest: +NORMALIZE_WHITESPACE
    [Shape(layers=1, pages=2, cache=1, per_visit=1, visits='sequential'),
     Shape(layers=1, pages=3, cache=1, per_visit=1, visits='sequential'),
     Shape(layers=1, pages=3, cache=2, per_visit=1, visits='sequential')]
    """
    found = [
        Shape(ell, n, k, per_visit, visits)
        for ell in layers
        for n in range(per_visit + 1, max_pages // ell + 1)
        for k in range(per_visit, ell * n)
    ]
    return sorted(found, key=lambda shape: (shape.layers * shape.pages, shape))
