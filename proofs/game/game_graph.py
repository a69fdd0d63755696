"""The graph of the paging game: cached bit and work-function label of every page, all requests, all victims.

A state says which pages are cached, OPT's work function, the layer to be served, and which of its pages have
been asked for in the visit under way. The adversary moves by requesting another page of that layer, in atomic
visits all g at once; the algorithm moves, on a fault with a full cache, by choosing what leaves.
States that differ by a renaming of pages inside a layer are one, and so are, where all layers have equally
many pages, states that differ by a rotation of the layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paging.errors import LimitError
from paging.kernels.state_set import Grown, Rows, StateSet
from paging.model import LayeredInstance, whole_number
from proofs.game import kernels
from proofs.game.kernels import Index, Small

ROOM = 2**15
"""Successors for which room is made at once."""
MAX_PAGES, MAX_TOGETHER, MAX_MOVES = 255, 10, 2**22
"""Most pages, most of them in an atomic visit, and most moves of one state."""

Rule = Callable[[int, int, int, int], int]
"""(label after the request, h, visits since the page's layer was served, ℓ) → rank ≥ 0; least rank leaves.

For a page of the layer being served it is 0 visits if the page cannot be asked for again in this one, else ℓ.
"""


def any_victim(_label: int, _opt_cache: int, _ago: int, _layers: int) -> int:
    """Every cached page may leave: the game itself, or every lazy algorithm there is."""
    return 0


def zero_first(label: int, opt_cache: int, _ago: int, _layers: int) -> int:
    """Pages in no optimal cache leave first, then all others that are not in every one."""
    return 0 if label == 0 else 1 if label < opt_cache else 2


def zrc(label: int, opt_cache: int, ago: int, layers: int) -> int:
    """As ``zero_first``, but without a page of label 0 those of the layer being served leave first."""
    if 0 < label < opt_cache:
        return 1 if ago in (0, layers) else 2
    return 0 if label == 0 else 3


def far_lab(label: int, opt_cache: int, ago: int, layers: int) -> int:
    """As ``zero_first``, but what can be asked for again latest leaves first, ties by the least label."""
    if 0 < label < opt_cache:
        return ago * opt_cache + label
    return 0 if label == 0 else (layers + 1) * opt_cache


RULES: dict[str, Rule] = {"zrc": zrc, "far-lab": far_lab, "zero-first": zero_first, "any": any_victim}
"""Rules that leave ties open, by name."""


def guide(instance: LayeredInstance) -> str:
    """Return the rule tried first as an upper bound, and followed where no best victim is known."""
    return "far-lab" if instance.per_visit > 1 and instance.visits == "sequential" else "zrc"


class Frozen(NamedTuple):
    """The whole graph: per state its requests, per request its successors, each as where they end.

    Attributes
    ----------
    request_ends : ndarray of int32, shape (states,)
    target_ends : ndarray of int32, shape (requests,)
    requested : ndarray of uint8, shape (requests, m)
        Places of the pages asked for in their state: the g of an atomic visit, else one.
    codes : ndarray of uint8, shape (requests,)
        Policy faults + (m + 1) · OPT increment.
    targets : ndarray of int32, shape (successors,)
        Number of the next state.
    victims : ndarray of uint8, shape (successors, m)
        Places of the pages that leave, filled up with the number of pages.
    """

    request_ends: Index
    target_ends: Index
    requested: Small
    codes: Small
    targets: Index
    victims: Small


class GameGraph(Grown):
    """The graph of the game on an instance, grown state by state from the cold start.

    Parameters
    ----------
    instance : LayeredInstance
        Forced service, fewer cache slots than pages, at most 255 pages, at most 10 in an atomic visit.
    opt_cache : int, optional
        OPT's cache size h ≤ k; default k.
    rule : callable, optional
        Which victims are open to the algorithm; default all.
    rotation : bool, optional
        Whether to identify rotations; default whether all layers have equally many pages.

    Raises
    ------
    ModelError, UnsupportedModelError
        The instance is outside this range.

    Examples
    --------
    >>> graph = GameGraph(LayeredInstance(layers=2, pages=2, cache=3))
    >>> while not graph.complete:
    ...     graph.grow()
    >>> graph.states, graph.rows([0]).tolist()
    (13, [[0, 0, 0, 0, 0]])
    """

    def __init__(
        self,
        instance: LayeredInstance,
        opt_cache: int | None = None,
        rule: Rule = any_victim,
        rotation: bool | None = None,
    ) -> None:
        check_instance(instance)
        self.instance = instance
        self.opt_cache = instance.cache if opt_cache is None else opt_cache
        self.together = together(instance)
        whole_number(self.opt_cache, "opt_cache (h)", self.together, instance.cache)
        self.rotation = alike(instance) if rotation is None else rotation
        self.width = instance.total_pages + 1
        self.expanded = 0
        labels, agos = range(self.opt_cache + 1), range(instance.layers + 1)
        self._rank = np.array(
            [[rule(c, self.opt_cache, ago, instance.layers) for ago in agos] for c in labels]
        )
        self._first_page = np.array(instance.first_page, dtype=np.int64)
        self._set = StateSet(np.zeros((1, self.width), dtype=np.int32))
        self._parts: list[Frozen] = []
        self._requests = self._targets = 0

    def rows(self, states: NDArray[np.integer[Any]] | Sequence[int]) -> Rows:
        """Return states as rows: per page (h + 1) · bits + work-function label; then the layer.

        The bits are 1 for a cached page, and 2 more for one already asked for in the visit under way.
        """
        return self._set.rows(states)

    def grow(self) -> None:
        """Expand the next states in the order they were found."""
        group = self.together
        requests = comb(max(self.instance.pages_by_layer), group)
        most = requests * comb(self.instance.cache, group)
        if most > MAX_MOVES:
            raise LimitError(f"a state of the game may have {most:,} moves, more than {MAX_MOVES:,}")
        rows = self._set.rows(slice(self.expanded, self.expanded + max(1, ROOM // most)))
        count = len(rows)
        room = count * most
        after = np.empty((room, self.width), dtype=np.int32)
        part = Frozen(
            np.empty(count, dtype=np.int32),
            np.empty(count * requests, dtype=np.int32),
            np.empty((count * requests, group), dtype=np.uint8),
            np.empty(count * requests, dtype=np.uint8),
            np.empty(0, dtype=np.int32),
            np.empty((room, group), dtype=np.uint8),
        )
        requests, targets = kernels.expand(
            rows, self._first_page, self.instance.cache, self.opt_cache, self.instance.per_visit, group,
            self._rank, self.rotation,
            after, part.victims, part.target_ends, part.requested, part.codes, part.request_ends,
        )  # fmt: skip
        numbers, _ = self._set.add(after[:targets])
        if self._targets + targets >= 2**31:
            raise LimitError("the game has more than 2³¹ moves")
        self._parts.append(
            Frozen(
                part.request_ends + np.int32(self._requests),
                part.target_ends[:requests] + np.int32(self._targets),
                part.requested[:requests].copy(),
                part.codes[:requests].copy(),
                numbers,
                part.victims[:targets].copy(),
            )
        )
        self._requests += requests
        self._targets += targets
        self.expanded += count

    def freeze(self) -> Frozen:
        """Return the graph grown so far as arrays, and forget how it was grown."""
        pieces = [list(kind) for kind in zip(*self._parts, strict=True)]
        self._parts = []
        # One kind after the other, so that never more than one of them is there twice.
        return Frozen(*(np.concatenate(pieces.pop(0)) for _ in range(len(pieces))))

    def number(self, row: Rows) -> int | None:
        """Return the number of a state given as a row, or None if it was not found."""
        numbers, new = self._set.add(row[None, :])
        return None if len(new) or int(numbers[0]) >= self.expanded else int(numbers[0])


class Place(NamedTuple):
    """A situation of the game in canonical form: the row, and which page stands at each place."""

    row: Rows
    pages: tuple[int, ...]


def canonical(
    instance: LayeredInstance,
    opt_cache: int,
    cached: AbstractSet[int],
    labels: Sequence[int],
    layer: int,
    rotation: bool | None = None,
    asked: AbstractSet[int] = frozenset(),
    first: AbstractSet[int] = frozenset(),
) -> Place:
    """Return a situation in canonical form.

    ``asked`` are the pages asked for before in the visit under way; of pages that are alike, those in
    ``first`` get the first places.

    Examples
    --------
    >>> place = canonical(LayeredInstance(layers=2, pages=2, cache=2), 2, {0, 3}, [2, 0, 0, 2], 1)
    >>> place.row.tolist(), place.pages
    ([0, 5, 0, 5, 0], (2, 3, 1, 0))
    """
    turned = alike(instance) if rotation is None else rotation
    front = layer if turned else 0
    code = [
        label + (opt_cache + 1) * ((page in cached) + 2 * (page in asked))
        for page, label in enumerate(labels)
    ]
    pages: list[int] = []
    for step in range(instance.layers):
        pages += sorted(
            instance.pages_of((front + step) % instance.layers),
            key=lambda page: (code[page], page not in first, page),
        )
    row = np.array([*(code[page] for page in pages), 0 if turned else layer], dtype=np.int32)
    return Place(row, tuple(pages))


def alike(instance: LayeredInstance) -> bool:
    """Whether all layers have equally many pages, so that they may be rotated."""
    return len(set(instance.pages_by_layer)) == 1


def together(instance: LayeredInstance) -> int:
    """Return how many pages one request asks for: all of an atomic visit, else one."""
    return instance.per_visit if instance.visits == "atomic" else 1


def check_instance(instance: LayeredInstance) -> None:
    """Raise unless the game is defined on an instance, and small enough to be written down."""
    instance.require("the paging game", service="forced", cost="unit")
    instance.require_evictions()
    if instance.total_pages > MAX_PAGES:
        raise LimitError(f"the paging game is for at most {MAX_PAGES} pages, not {instance.total_pages}")
    if together(instance) > MAX_TOGETHER:
        raise LimitError(
            f"the paging game is for atomic visits of at most {MAX_TOGETHER} pages, not {instance.per_visit}"
        )
