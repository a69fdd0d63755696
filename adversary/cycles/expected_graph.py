"""The graph of a randomised policy that is given bits: its distributions, beside what the bits are about.

A policy whose distribution over its label vectors takes finitely many values is a deterministic process on
these; what it pays for a request is the probability of a fault. Distributions are numbered up to renaming of
pages, and a state is such a number with, per page, what is known beside the policy (predicted_graph.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from itertools import groupby, permutations, product
from math import factorial, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.predicted_graph import COMPILE_FROM, GraphWithBits, Moves, Numbers, Update, follow
from adversary.cycles.product_graph import Symmetry
from paging.errors import LimitError
from paging.kernels.state_set import Rows, sort_in
from paging.model import LayeredInstance
from paging.policy import Policy, get_policy
from paging.simulate import judged
from paging.work_function import update_work_function

Labels = tuple[int, ...]
Distribution = frozenset[tuple[Labels, Fraction]]

MOST_ORDERS = 5000
"""Orders of pages that are tried to find the first of all; beyond it some states count as several."""

MOST_CODES = 2**15
"""Cost codes that there is room for."""


class DrawnStep(NamedTuple):
    """What a request with a bit makes of a distribution.

    Attributes
    ----------
    target : int
        Number of the next distribution.
    order : tuple of int
        Which page of the distribution before stands at every place of the next one.
    chance : Fraction
        How likely the request is a fault.
    """

    target: int
    order: tuple[int, ...]
    chance: Fraction


class Distributions:
    """The distributions of a policy over its labels, numbered up to renaming of pages as they are met.

    Attributes
    ----------
    layers : list of int
        Per number the layer to be served.
    listed : list of Distribution
    alike : list of tuple of int
        Per number and page the first page of those in a row that may be exchanged with it.
    """

    def __init__(self, policy: Policy, instance: LayeredInstance, symmetry: Symmetry) -> None:
        self.policy, self.instance, self.symmetry = policy, instance, symmetry
        self.layers: list[int] = []
        self.listed: list[Distribution] = []
        self.alike: list[tuple[int, ...]] = []
        self._number: dict[tuple[int, Distribution], int] = {}
        self._steps: dict[int, list[DrawnStep]] = {}
        self.placed(0, frozenset({((0,) * instance.total_pages, Fraction(1))}))

    def steps(self, number: int) -> list[DrawnStep]:
        """Return what every page of the layer to be served makes of a distribution, with bit 0 and 1."""
        if number not in self._steps:
            layer = self.layers[number]
            self._steps[number] = [
                self._step(number, page, bit) for page in self.instance.pages_of(layer) for bit in (0, 1)
            ]
        return self._steps[number]

    def _step(self, number: int, page: int, bit: int) -> DrawnStep:
        layer, distribution = self.layers[number], self.listed[number]
        chance = missing(distribution, page)
        after = served(self.policy, self.instance, distribution, page, layer, bit)
        target, order = self.placed((layer + 1) % self.instance.layers, after)
        return DrawnStep(target, order, chance)

    def placed(self, layer: int, distribution: Distribution) -> tuple[int, tuple[int, ...]]:
        """Return a distribution's number, and which of its pages stands at every place of the one listed."""
        order = list(range(self.instance.total_pages))
        if self.symmetry.rotation:
            shift = self.instance.first_page[layer]
            order, layer = order[shift:] + order[:shift], 0
        if self.symmetry.inside:
            order = self._first(order, distribution)
        found = renamed(distribution, order)
        number = self._number.setdefault((layer, found), len(self.listed))
        if number == len(self.listed):
            self.layers.append(layer)
            self.listed.append(found)
            self.alike.append(self._alike(found))
        return number, tuple(order)

    def _first(self, order: list[int], distribution: Distribution) -> list[int]:
        """Return the order of the pages, inside their layers, that all renamings of a distribution share."""
        ties: list[list[int]] = []
        for layer in range(self.instance.layers):
            own = [order[place] for place in self.instance.pages_of(layer)]
            seen = {
                q: sorted((labels[q], chance, sorted(labels)) for labels, chance in distribution) for q in own
            }
            own.sort(key=lambda q: seen[q])
            for _, tied in groupby(own, key=lambda q: seen[q]):
                ties.append(list(tied))
        free = [tied for tied in ties if not all(map(exchangeable(distribution), tied, tied[1:]))]
        if not free or prod(factorial(len(tied)) for tied in free) > MOST_ORDERS:
            return [q for tied in ties for q in tied]
        ways = product(*(permutations(tied) if tied in free else [tuple(tied)] for tied in ties))
        return min(
            ([q for tied in way for q in tied] for way in ways),
            key=lambda own: sorted(renamed(distribution, own)),
        )

    def _alike(self, distribution: Distribution) -> tuple[int, ...]:
        layer_of, same = self.instance.frame.layer_of, exchangeable(distribution)
        first = [0]
        for q in range(1, self.instance.total_pages):
            joined = self.symmetry.inside and layer_of[q] == layer_of[q - 1] and same(q - 1, q)
            first.append(first[-1] if joined else q)
        return tuple(first)


def missing(distribution: Distribution, page: int) -> Fraction:
    """Return how likely a page is not cached."""
    return sum((chance for labels, chance in distribution if labels[page] <= 0), Fraction(0))


def served(
    policy: Policy, instance: LayeredInstance, distribution: Distribution, page: int, layer: int, bit: int
) -> Distribution:
    """Return the distribution after a request with a bit."""
    frame = instance.frame._replace(prediction=bit)
    found: dict[Labels, Fraction] = defaultdict(Fraction)
    for labels, chance in distribution:
        outcomes = policy.outcomes(np.array(labels, dtype=np.int64), page, layer, frame)
        for share, after in judged(outcomes, policy, labels, 0, page, instance):
            found[after] += chance * share
    return frozenset(found.items())


def renamed(distribution: Distribution, order: Sequence[int]) -> Distribution:
    """Return a distribution with page ``order[q]`` at place q."""
    return frozenset((tuple(labels[q] for q in order), chance) for labels, chance in distribution)


def exchangeable(distribution: Distribution) -> Callable[[int, int], bool]:
    """Return what says whether two pages may be exchanged without changing a distribution."""
    pages = range(len(next(iter(distribution))[0]))

    def same(one: int, other: int) -> bool:
        swap = {one: other, other: one}
        return renamed(distribution, [swap.get(q, q) for q in pages]) == distribution

    return same


def expand(
    update: Update,
    rows: Rows,
    ends: Numbers,
    targets: Numbers,
    orders: Numbers,
    chances: Numbers,
    own: Numbers,
    alike: Numbers,
    slots: int,
    phases: bool,
    after: Rows,
    codes: NDArray[np.int16],
    moves: Moves,
) -> None:
    """Fill the canonical successors, cost codes and moves of every row.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + 1)
        Per page what is known beside the policy; then the place of its distribution in the tables.
    ends : ndarray of int64, shape (D, 2)
        First page of the layer to be served, and the one after its last.
    targets, chances : ndarray of int64, shape (D, 2n)
        Per page and bit number of the next distribution, number of the chance of a fault.
    orders : ndarray of int64, shape (D, 2n, N)
    own : ndarray of int64, shape (D, N)
        Per page the first of those in a row that may be exchanged with it.
    alike : ndarray of int64, shape (all distributions, N)
        The same for the next ones, by number.
    after, codes, moves
        As in :func:`adversary.cycles.predicted_graph.expand`.
    """
    pages = alike.shape[1]
    of_reference = 4 * (slots + 1) if phases else 8
    held = np.zeros(pages, dtype=np.int64)
    then = np.zeros((slots, pages), dtype=np.int64)
    paid = np.zeros(slots, dtype=np.int64)
    leaves = np.zeros(slots, dtype=np.int64)
    for s in range(len(rows)):
        number = rows[s, pages]
        for q in range(pages):
            held[q] = rows[s, q]
        edge = 0
        for page in range(ends[number, 0], ends[number, 1]):
            if own[number, page] != page and held[page] == held[page - 1]:
                continue
            for bit in range(2):
                step = 2 * (page - ends[number, 0]) + bit
                target = targets[number, step]
                for c in range(follow(update, held, page, bit, phases, slots, then, paid, leaves)):
                    for q in range(pages):
                        after[s, edge, q] = then[c, orders[number, step, q]]
                        sort_in(after[s, edge], alike[target, q], q)
                    after[s, edge, pages] = target
                    codes[s, edge] = chances[number, step] * of_reference + paid[c]
                    moves[s, edge, 0] = page
                    moves[s, edge, 1] = bit
                    moves[s, edge, 2] = leaves[c]
                    edge += 1
        for e in range(edge, codes.shape[1]):
            codes[s, e] = -1


@cache
def _compiled_expand() -> Any:
    from numba import types

    from paging.kernels.definitions import UPDATE, compile_as

    table = types.int64[:, ::1]
    signature = types.void(
        types.FunctionType(UPDATE),
        types.int32[:, ::1],
        table,
        table,
        types.int64[:, :, ::1],
        table,
        table,
        table,
        types.int64,
        types.boolean,
        types.int32[:, :, ::1],
        types.int16[:, ::1],
        types.int8[:, :, ::1],
    )
    return compile_as(expand, signature)


class ExpectedGraph(GraphWithBits):
    """The graph of a policy's distributions, beside what the bits are about.

    Parameters
    ----------
    policy : str or Policy
        Its distribution over labels takes finitely many values; told ``discard`` or ``phase`` predictions.
    instance, symmetry
        As in :class:`~adversary.cycles.predicted_graph.PredictedGraph`.

    Examples
    --------
    >>> graph = ExpectedGraph("mark0", LayeredInstance(layers=1, pages=3, cache=2))
    >>> while not graph.complete:
    ...     graph.grow()
    >>> graph.states, len(graph.distributions.listed)
    (20, 10)
    """

    def __init__(
        self, policy: str | Policy, instance: LayeredInstance, symmetry: Symmetry | None = None
    ) -> None:
        super().__init__(get_policy(policy), instance, symmetry)
        self.distributions = Distributions(self.policy, instance, self.symmetry)
        self._chances: dict[Fraction, int] = {Fraction(0): 0}
        self._tables: list[tuple[list[int], list[tuple[int, ...]], list[int]]] = []

    @property
    def chances(self) -> Sequence[Fraction]:
        return list(self._chances)

    def state_rows(self) -> tuple[Rows, Rows]:
        """Return all states: numbers of distributions (S,), and what is known beside, shape (S, N)."""
        rows = self._set.rows()
        return rows[:, -1], rows[:, :-1]

    def _successors(self, states: Any) -> tuple[Rows, NDArray[np.int16], Moves]:
        rows = self._set.rows(states)
        used = np.unique(rows[:, -1])
        rows[:, -1] = np.searchsorted(used, rows[:, -1])
        found, widest = self.distributions, 2 * max(self.instance.pages_by_layer)
        steps = [found.steps(number) for number in used.tolist()]
        targets = np.zeros((len(used), widest), dtype=np.int64)
        chances = np.zeros((len(used), widest), dtype=np.int64)
        orders = np.zeros((len(used), widest, self.instance.total_pages), dtype=np.int64)
        ends = np.zeros((len(used), 2), dtype=np.int64)
        for d, (number, own) in enumerate(zip(used.tolist(), steps, strict=True)):
            layer = found.layers[number]
            ends[d] = self.instance.first_page[layer], self.instance.first_page[layer + 1]
            for e, step in enumerate(own):
                targets[d, e], orders[d, e] = step.target, step.order
                chances[d, e] = self._chances.setdefault(step.chance, len(self._chances))
        if len(self._chances) * self.paid_codes > MOST_CODES:
            raise LimitError(
                f"policy {self.policy.name} has over {MOST_CODES // self.paid_codes:,} chances of a fault"
            )
        alike = np.array(found.alike, dtype=np.int64)
        after, codes, moves = self._empty(len(rows))
        run, update = expand, update_work_function
        if len(rows) * self.degree >= COMPILE_FROM:
            from paging.kernels.definitions import compiled_update

            run, update = _compiled_expand(), compiled_update()
        run(
            update, rows, ends, targets, orders, chances, alike[used], alike,
            self.instance.cache, self.phases, after, codes, moves,
        )  # fmt: skip
        return after, codes, moves
