"""The graph of the game with discard predictions: what the policy has cached, bits, a value per cache.

The adversary requests a page with a bit, the policy answers with a victim, and the adversary owns a
reference: any lazy offline schedule with as many slots. A fault of the reference costs α, a page of bit 0
that it evicts β, a request of a page that it holds with bit 1 γ. What is kept of the past is the least such
cost for every cache the reference may end with (:mod:`proofs.game.cache_values`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.predicted_graph import Coefficients
from paging.errors import LimitError
from paging.kernels.state_set import Grown, Rows, StateSet
from paging.model import LayeredInstance
from proofs.game.cache_values import CacheTables
from proofs.game.game_graph import Frozen, alike, check_instance
from proofs.game.kernels import Index, Numbers, Small
from proofs.game.predictions import kernels

ROOM = 2**20
"""Numbers of successors for which room is made at once."""


class Successors(NamedTuple):
    """What :func:`proofs.game.predictions.kernels.expand` writes, cut to size."""

    rows: Rows
    orders: NDArray[np.int8]
    victims: Small
    target_ends: Index
    requested: Small
    faults: Small
    growths: Numbers
    request_ends: Index


class PredictionGraph(Grown):
    """The graph of the game at given coefficients, grown state by state from the cold start.

    Parameters
    ----------
    instance : LayeredInstance
        One page per visit, forced service, fewer slots than pages, at most 20 pages.
    coefficients : Coefficients
        Not negative. With γ > α a state's values may not be those of all references: caches are dropped that
        might have become cheaper, so that the game is kinder to the policy than it should be.
    rotation : bool, optional
        Whether to identify rotations of the layers; default whether all layers have equally many pages.

    Examples
    --------
    >>> from fractions import Fraction
    >>> one = Fraction(1)
    >>> graph = PredictionGraph(LayeredInstance(layers=1, pages=3, cache=2), Coefficients(one, one, one))
    >>> while not graph.complete:
    ...     graph.grow()
    >>> graph.states
    22
    """

    def __init__(
        self, instance: LayeredInstance, coefficients: Coefficients, rotation: bool | None = None
    ) -> None:
        check_instance(instance)
        self.instance, self.coefficients = instance, coefficients
        self.tables = CacheTables(instance.total_pages, instance.cache)
        self.rotation = alike(instance) if rotation is None else rotation
        self.width = instance.total_pages + len(self.tables.masks) + 1
        self.expanded = 0
        self._first_page = np.array(instance.first_page, dtype=np.int64)
        self._set = StateSet(np.zeros((1, self.width), dtype=np.int32))
        self._parts: list[tuple[Successors, Index]] = []
        self._targets = 0

    def rows(self, states: NDArray[np.integer[Any]]) -> Rows:
        """Return states as rows; see :func:`proofs.game.predictions.kernels.expand`."""
        return self._set.rows(states)

    def number(self, rows: Rows) -> Index:
        """Return the numbers of states that are known."""
        return self._set.add(rows)[0]

    def successors(self, rows: Rows) -> Successors:
        """Return all successors of some states."""
        pages, widest = self.instance.total_pages, max(self.instance.pages_by_layer)
        requests = 2 * widest * len(rows)
        most = requests * self.instance.cache
        made = Successors(
            np.empty((most, self.width), dtype=np.int32),
            np.empty((most, pages), dtype=np.int8),
            np.empty(most, dtype=np.uint8),
            np.empty(requests, dtype=np.int32),
            np.empty(requests, dtype=np.uint8),
            np.empty(requests, dtype=np.uint8),
            np.empty(requests, dtype=np.int64),
            np.empty(len(rows), dtype=np.int32),
        )
        alpha, beta, gamma = self.coefficients.scaled
        requests, targets = kernels.expand(
            rows, self._first_page, self.instance.cache, self.rotation, self.tables.masks,
            self.tables.index, alpha, beta, gamma, made.rows, made.orders, made.victims, made.target_ends,
            made.requested, made.faults, made.growths, made.request_ends,
        )  # fmt: skip
        return Successors(
            made.rows[:targets],
            made.orders[:targets],
            made.victims[:targets],
            made.target_ends[:requests],
            made.requested[:requests],
            made.faults[:requests],
            made.growths[:requests],
            made.request_ends,
        )

    def grow(self) -> None:
        """Expand the next states in the order they were found."""
        most = 2 * max(self.instance.pages_by_layer) * self.instance.cache * self.width
        found = self.successors(self._set.rows(slice(self.expanded, self.expanded + max(1, ROOM // most))))
        numbers, _ = self._set.add(found.rows)
        self._targets += len(numbers)
        if self._targets >= 2**31:
            raise LimitError("the game has more than 2³¹ moves")
        self._parts.append((found._replace(rows=found.rows[:0], orders=found.orders[:0]), numbers))
        self.expanded += len(found.request_ends)

    def freeze(self) -> tuple[Frozen, Numbers]:
        """Return the graph grown so far, and the payoffs, in units, that its codes stand for."""
        parts, self._parts = self._parts, []
        unit = self.coefficients.unit
        payoffs = np.concatenate([unit * part.faults.astype(np.int64) - part.growths for part, _ in parts])
        table, codes = np.unique(payoffs, return_inverse=True)
        frozen = Frozen(
            _laid([part.request_ends for part, _ in parts], [len(part.requested) for part, _ in parts]),
            _laid([part.target_ends for part, _ in parts], [len(numbers) for _, numbers in parts]),
            np.concatenate([part.requested for part, _ in parts]),
            codes.astype(np.uint8),
            np.concatenate([numbers for _, numbers in parts]),
            np.concatenate([part.victims for part, _ in parts])[:, None],
        )
        return frozen, table


def _laid(ends: list[Index], lengths: list[int]) -> Index:
    """Return where pieces end when the parts that they belong to are laid end to end."""
    before = np.cumsum([0, *lengths[:-1]])
    return np.concatenate([part + start for part, start in zip(ends, before, strict=True)]).astype(np.int32)
