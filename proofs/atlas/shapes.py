"""The instances an atlas speaks about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from paging.model import LayeredInstance


class Shape(NamedTuple):
    """An instance with equal layers: ℓ, n, k."""

    layers: int
    pages: int
    cache: int

    @property
    def instance(self) -> LayeredInstance:
        """The instance."""
        return LayeredInstance(self.layers, self.pages, self.cache)

    @property
    def file(self) -> str:
        """Its name in the folders of an atlas.

        >>> Shape(2, 3, 4).file
        'l2-n3-k4'
        """
        return f"l{self.layers}-n{self.pages}-k{self.cache}"


def shapes(max_pages: int, layers: Iterable[int]) -> list[Shape]:
    """Return all instances with n ≥ 2, ℓ·n ≤ ``max_pages`` and 1 ≤ k < ℓ·n, smaller ones first.

    >>> shapes(4, (1, 2))[:3]
    [Shape(layers=1, pages=2, cache=1), Shape(layers=1, pages=3, cache=1), Shape(layers=1, pages=3, cache=2)]
    """
    found = [
        Shape(ell, n, k) for ell in layers for n in range(2, max_pages // ell + 1) for k in range(1, ell * n)
    ]
    return sorted(found, key=lambda shape: (shape.layers * shape.pages, shape))
