"""Kernel that turns expert indices into page ids and refuses illegal ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import PageArray


@compiled
def to_pages(experts: NDArray[Any], first_page: NDArray[np.int64], per_visit: int, pages: PageArray) -> int:
    """Write the page ids of whole rounds; return the place of the first illegal expert, or −1.

    Parameters
    ----------
    experts : ndarray of int, shape (rounds, ℓ·g)
        Expert indices inside the layers.
    first_page : ndarray of int64, shape (ℓ + 1,)
        First page of every layer, then the number of pages.
    per_visit : int
        Requests per visit g, which must differ.
    pages : ndarray of int32, shape (rounds·ℓ·g,)
        Receives the page ids.
    """
    place = 0
    for r in range(len(experts)):
        for layer in range(len(first_page) - 1):
            base = first_page[layer]
            count = first_page[layer + 1] - base
            for slot in range(layer * per_visit, (layer + 1) * per_visit):
                expert = np.int64(experts[r, slot])
                if expert < 0 or expert >= count:
                    return place
                page = base + expert
                for other in range(place - slot % per_visit, place):
                    if pages[other] == page:
                        return place
                pages[place] = page
                place += 1
    return -1
