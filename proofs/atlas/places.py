"""The instances an atlas speaks about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from paging.model import LayeredInstance


class Place(NamedTuple):
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

        >>> Place(2, 3, 4).file
        'l2-n3-k4'
        """
        return f"l{self.layers}-n{self.pages}-k{self.cache}"


def places(max_pages: int, layers: Iterable[int]) -> list[Place]:
    """Return all instances with n ≥ 2, ℓ·n ≤ ``max_pages`` and 1 ≤ k < ℓ·n, smaller ones first.

    >>> places(4, (1, 2))[:3]
    [Place(layers=1, pages=2, cache=1), Place(layers=1, pages=3, cache=1), Place(layers=1, pages=3, cache=2)]
    """
    found = [
        Place(ell, n, k) for ell in layers for n in range(2, max_pages // ell + 1) for k in range(1, ell * n)
    ]
    return sorted(found, key=lambda place: (place.layers * place.pages, place))
