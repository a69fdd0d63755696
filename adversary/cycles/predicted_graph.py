"""The graph of a policy that is given bits: its labels, beside a reference that the adversary owns.

The reference is any lazy offline schedule with as many slots. A state is, per page, the policy's label and
whether the reference holds the page, with bit 0 or bit 1; and the layer to be served. An edge is a request
with a bit and, where the reference faults, what leaves it. Four things are counted on it: the policy's fault,
the reference's, a bit 0 of a page that the reference evicts, a bit 1 of a requested page that it holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import Codes, Objective
from adversary.cycles.product_graph import (
    COMPILE_FROM,
    ILLEGAL,
    LARGEST,
    TOO_LARGE,
    TOO_LOW,
    Symmetry,
    problem_of,
    requests_of,
)
from paging.errors import LimitError, ModelError, UnsupportedModelError
from paging.judge import breach
from paging.kernels.state_set import Grown, Rows, StateSet, sort_in
from paging.model import Frame, LayeredInstance, Serve
from paging.policy import Policy, get_policy

Moves = NDArray[np.int8]

KINDS = 3
"""What the reference may have of a page: nothing, the page with bit 0, the page with bit 1."""

CODES = 16
"""Cost codes: policy fault + 2 · fault of the reference + 4 · wrong 0 + 8 · wrong 1."""

COUNTS = tuple(tuple(code >> place & 1 for code in range(CODES)) for place in range(4))
"""Per what is counted its number in every code."""

CHUNK = 2**22
"""Numbers written at a time."""


class Coefficients(NamedTuple):
    """(α, β, γ): faults ≤ α·reference + β·η0 + γ·η1 + a constant."""

    alpha: Fraction
    beta: Fraction
    gamma: Fraction

    @property
    def unit(self) -> int:
        """The least number that makes all of them whole."""
        return lcm(*(value.denominator for value in self))

    @property
    def scaled(self) -> tuple[int, int, int]:
        """All of them, times the unit."""
        alpha, beta, gamma = (int(value * self.unit) for value in self)
        return alpha, beta, gamma

    @property
    def payoff(self) -> tuple[int, ...]:
        """Per cost code, in units: what the policy pays beyond α·reference + β·η0 + γ·η1."""
        price = np.array([self.unit, *(-value for value in self.scaled)])
        return tuple((price @ np.array(COUNTS)).tolist())

    def without(self, free: int) -> Coefficients:
        """Return the same with 0 in one place."""
        return self._replace(**{self._fields[free]: Fraction(0)})

    def objective(self, free: int) -> Objective:
        """Return what a cycle is judged by when one of them, by its place, is to be found.

        Its ratio is the one to be found, times the unit of the others.
        """
        return Objective(self._fields[free], self.without(free).payoff, COUNTS[free + 1])


def symmetry_with_bits(
    policy: Policy, instance: LayeredInstance, *, steps: int = 200, seed: int = 0
) -> Symmetry:
    """Return the symmetries of a policy that is given bits, tried out on a random walk.

    Exchanging pages inside a layer is the trait ``symmetric``; turning the layers, if all have equally many
    pages, must lead to the turned labels at every step. That is evidence and no proof; a cycle found with
    their help is replayed without them.
    """
    inside = "symmetric" in policy.traits
    if len(set(instance.pages_by_layer)) > 1:
        return Symmetry(inside, False)
    rng = np.random.default_rng(seed)
    labels = np.zeros(instance.total_pages, dtype=np.int64)
    for t in range(steps):
        layer, shift, bit = t % instance.layers, int(rng.integers(instance.layers)), int(rng.integers(2))
        page, frame = int(rng.choice(instance.pages_of(layer))), instance.frame._replace(prediction=bit)
        by = shift * instance.pages_by_layer[0]
        turned = np.roll(labels, -by)
        policy.serve(labels, page, layer, frame)
        policy.serve(turned, (page - by) % len(labels), (layer - shift) % instance.layers, frame)
        if not np.array_equal(turned, np.roll(labels, -by)):
            return Symmetry(inside, False)
    return Symmetry(inside, True)


def expand(
    serve: Serve,
    rows: Rows,
    keep: Frame,
    discard: Frame,
    low: int,
    inside: bool,
    rotation: bool,
    after: Rows,
    codes: Codes,
    moves: Moves,
) -> int:
    """Fill the canonical successors, cost codes and moves of every row; return 0 or what forbids it.

    Plain loops over integer arrays: the same text runs as Python and compiled.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + 1)
        Per page 3 · (policy label − low) + what the reference has of it; then the layer.
    keep, discard : Frame
        With prediction 0 and with prediction 1.
    after : ndarray of int32, shape (S, E, N + 1)
    codes : ndarray of int8, shape (S, E)
        −1 beyond a state's last edge.
    moves : ndarray of int8, shape (S, E, 3)
        Place of the requested page, bit, place of the page that leaves the reference or −1.
    """
    pages = len(keep.layer_of)
    before = np.zeros(pages, dtype=np.int64)
    held = np.zeros(pages, dtype=np.int64)
    labels = np.zeros(pages, dtype=np.int64)
    for s in range(len(rows)):
        layer = rows[s, pages]
        first, end = keep.first_page[layer], keep.first_page[layer + 1]
        following = (layer + 1) % keep.layers
        shift = keep.first_page[following] if rotation else 0
        size = 0
        for q in range(pages):
            before[q] = rows[s, q] // KINDS + low
            held[q] = rows[s, q] % KINDS
            if held[q] > 0:
                size += 1
        edge = 0
        for page in range(first, end):
            if inside and page > first and rows[s, page] == rows[s, page - 1]:
                continue
            for bit in range(2):
                labels[:] = before
                if bit == 0:
                    serve(labels, page, layer, keep)
                else:
                    serve(labels, page, layer, discard)
                problem = problem_of(before, labels, page, keep.cache, low, KINDS)
                if problem:
                    return problem
                swaps = held[page] == 0 and size == keep.cache
                paid = (1 if before[page] <= 0 else 0) + (8 if held[page] == 2 else 0)
                for victim in range(pages):
                    if swaps:
                        if held[victim] == 0:
                            continue
                        alike = (
                            inside
                            and victim > 0
                            and keep.layer_of[victim] == keep.layer_of[victim - 1]
                            and labels[victim] == labels[victim - 1]
                            and held[victim] == held[victim - 1]
                        )
                        if alike:
                            continue
                    elif victim > 0:
                        break
                    code = paid
                    if held[page] == 0:
                        code += 2
                        if swaps and held[victim] == 1:
                            code += 4
                    for q in range(pages):
                        now = 1 + bit if q == page else 0 if swaps and q == victim else held[q]
                        place = q - shift if q >= shift else q - shift + pages
                        after[s, edge, place] = (labels[q] - low) * KINDS + now
                    after[s, edge, pages] = 0 if rotation else following
                    if inside:
                        for j in range(keep.layers):
                            for q in range(keep.first_page[j], keep.first_page[j + 1]):
                                sort_in(after[s, edge], keep.first_page[j], q)
                    codes[s, edge] = code
                    moves[s, edge, 0] = page
                    moves[s, edge, 1] = bit
                    moves[s, edge, 2] = victim if swaps else -1
                    edge += 1
        for e in range(edge, codes.shape[1]):
            codes[s, e] = -1
    return 0


@cache
def _compiled_expand() -> Callable[..., int]:
    from numba import types

    from paging.kernels.definitions import FRAME, SERVE, compile_as

    signature = types.int64(
        types.FunctionType(SERVE),
        types.int32[:, ::1],
        FRAME,
        FRAME,
        types.int64,
        types.boolean,
        types.boolean,
        types.int32[:, :, ::1],
        types.int8[:, ::1],
        types.int8[:, :, ::1],
    )
    return compile_as(expand, signature)


class PredictedGraph(Grown):
    """The graph of a deterministic policy that is given discard bits, and of every reference.

    Parameters
    ----------
    policy : str or Policy
        Deterministic, with finitely many labels, told ``discard`` predictions.
    instance : LayeredInstance
        One page per visit, sequential visits, forced service, cold start, at most 127 pages.
    symmetry : Symmetry, optional
        Which states count as the same; default what :func:`symmetry_with_bits` finds.

    Attributes
    ----------
    targets : ndarray of int32, shape (S, E)
    codes : ndarray of int8, shape (S, E)
        As in :class:`~adversary.cycles.product_graph.ProductGraph`.

    Examples
    --------
    >>> graph = PredictedGraph("flush-when-kept", LayeredInstance(layers=1, pages=3, cache=2))
    >>> while not graph.complete:
    ...     graph.grow()
    >>> graph.states
    16
    """

    def __init__(
        self, policy: str | Policy, instance: LayeredInstance, symmetry: Symmetry | None = None
    ) -> None:
        self.policy = get_policy(policy)
        self.policy.check(instance)
        if self.policy.predictions != "discard":
            raise UnsupportedModelError(f"policy {self.policy.name} takes no discard predictions")
        if self.policy.randomized or "finite-state" not in self.policy.traits:
            raise ModelError(f"policy {self.policy.name} is randomised, or has no finitely many states")
        instance.require("a trade-off with predictions", service="forced", visits="sequential", per_visit=1)
        if instance.total_pages > 127:
            raise LimitError(
                f"a trade-off with predictions is for at most 127 pages, not {instance.total_pages}"
            )
        self.instance = instance
        self.symmetry = symmetry_with_bits(self.policy, instance) if symmetry is None else symmetry
        self.degree = 2 * max(instance.pages_by_layer) * instance.cache
        self.width = instance.total_pages + 1
        self.low = 0
        self.expanded = 0
        self._set = StateSet(np.zeros((1, self.width), dtype=np.int32))
        self._targets = np.full((1, self.degree), -1, dtype=np.int32)
        self._codes = np.full((1, self.degree), -1, dtype=np.int8)
        self._origin = np.full((1, 2), -1, dtype=np.int32)
        self.edges = 0
        self.used = 1

    @property
    def targets(self) -> NDArray[np.int32]:
        """Successors of every state."""
        return np.ascontiguousarray(self._targets[: self.states, : self.used])

    @property
    def codes(self) -> Codes:
        """Cost codes of every edge."""
        return np.ascontiguousarray(self._codes[: self.states, : self.used])

    def grow(self) -> None:
        """Expand the next states in the order they were found."""
        states = slice(self.expanded, self.expanded + max(1, CHUNK // (self.degree * self.width)))
        after, codes, _ = self._successors(states)
        known = self.states
        place = np.flatnonzero(codes.ravel() >= 0)
        targets, first = self._set.add(after.reshape(-1, self.width)[place])
        at = place[first]
        self._make_room()
        self._targets[self.expanded : self.expanded + len(codes)].ravel()[place] = targets
        self._codes[self.expanded : self.expanded + len(codes)] = codes
        self._origin[known : self.states, 0] = self.expanded + at // self.degree
        self._origin[known : self.states, 1] = at % self.degree
        per_state = np.count_nonzero(codes >= 0, axis=1)
        self.edges += int(per_state.sum())
        self.used = max(self.used, int(per_state.max()))
        self.expanded += len(codes)

    def moves(self, state: int) -> Moves:
        """Return a state's edges: places of the requested page, bit, place of what leaves the reference."""
        found: Moves = self._successors([state])[2][0]
        return found

    def path_to(self, state: int) -> list[tuple[int, int]]:
        """Return the (state, edge) steps by which a state was first found from the cold start."""
        steps = []
        while self._origin[state, 0] >= 0:
            source, edge = (int(x) for x in self._origin[state])
            steps.append((source, edge))
            state = source
        return steps[::-1]

    def label_rows(self) -> tuple[Rows, Rows, Rows]:
        """Return all states: policy labels and what the reference has, shape (S, N), and layers (S,)."""
        rows = self._set.rows()
        labels, held = np.divmod(rows[:, :-1], KINDS)
        return labels + self.low, held, rows[:, -1]

    def _successors(self, states: Any) -> tuple[Rows, Codes, Moves]:
        while True:
            rows = self._set.rows(states)
            after = np.empty((len(rows), self.degree, self.width), dtype=np.int32)
            codes = np.empty((len(rows), self.degree), dtype=np.int8)
            moves = np.empty((len(rows), self.degree, 3), dtype=np.int8)
            run: Callable[..., int] = expand
            serve: Serve = self.policy.serve
            if self.states >= COMPILE_FROM and not inspect.ismethod(self.policy.serve):
                from paging.kernels.definitions import compiled_serve

                quick = compiled_serve(self.policy.serve)
                if quick is not None:
                    run, serve = _compiled_expand(), quick
            frame, (inside, rotation) = self.instance.frame, self.symmetry
            frames = (frame._replace(prediction=0), frame._replace(prediction=1))
            problem = run(serve, rows, *frames, self.low, inside, rotation, after, codes, moves)
            if problem == ILLEGAL:
                asked = requests_of(self.instance, rows[:, :-1] // KINDS + self.low, rows[:, -1])
                raise breach(self.policy.name, self.policy.serve, asked, frames)
            if problem == TOO_LARGE:
                raise LimitError(f"labels of policy {self.policy.name} grow beyond {LARGEST // KINDS:,}")
            if problem != TOO_LOW:
                return after, codes, moves
            self._lower()

    def _lower(self) -> None:
        """Make room for lower labels: those a policy remembers pages by that are not cached."""
        more = self.instance.cache - self.low
        rows = self._set.rows()
        rows[:, :-1] += more * KINDS
        self.low -= more
        self._set = StateSet(rows)

    def _make_room(self) -> None:
        """Make room for all states known, doubling so that growing stays cheap."""
        room = len(self._targets)
        if room >= self.states:
            return
        more = max(self.states, 2 * room) - room
        self._targets = np.concatenate([self._targets, np.full((more, self.degree), -1, np.int32)])
        self._codes = np.concatenate([self._codes, np.full((more, self.degree), -1, np.int8)])
        self._origin = np.concatenate([self._origin, np.full((more, 2), -1, np.int32)])
