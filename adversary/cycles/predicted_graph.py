"""The graph of a policy that is given bits: its labels, beside everything that the bits may be about.

Discard bits are about a reference that the adversary owns: any lazy offline schedule with as many slots. A
state is, per page, the policy's label and whether the reference holds the page, with bit 0 or bit 1; and the
layer to be served. An edge is a request with a bit and, where the reference faults, what leaves it.

Phase bits are about the k-phases, whatever a schedule does: so the reference is OPT, known by its work
function. A state is, per page, the policy's label, the work function's, and what the k-phases say of it: that
it was requested in the present one, or in the one before and not since, with bit 0 or bit 1. An edge is a
request with a bit.

Four things are counted on an edge: the policy's fault, the reference's, wrong bits 0 and wrong bits 1. A
wrong 0 is a page of bit 0 that the reference evicts, or that a k-phase does not ask for after one that did. A
wrong 1 is a requested page of bit 1 that the reference holds, or that the k-phase before asked for as well.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import Codes, Objective
from adversary.cycles.product_graph import (
    ILLEGAL,
    LARGEST,
    TOO_LARGE,
    TOO_LOW,
    Symmetry,
    problem_of,
)
from paging.errors import IllegalAnswerError, LimitError, ModelError, UnsupportedModelError
from paging.kernels.jit import helper
from paging.kernels.state_set import Grown, Rows, StateSet, sort_in
from paging.model import Frame, Kind, LabelArray, LayeredInstance, Serve
from paging.policy import Policy, get_policy
from paging.work_function import update_work_function

Moves = NDArray[np.int8]
Update = Callable[[NDArray[np.int64], int, int], int]
Numbers = NDArray[np.int64]

HOLDS = 3
"""What the reference may have of a page: nothing, the page with bit 0, the page with bit 1."""

PHASES = 5
"""What the k-phases say of a page: nothing; asked for now with bit 0 or 1; only in the one before so."""

CODES = 16
"""Cost codes of a game with discard bits: fault + 2 · fault of the reference + 4 · wrong 0 + 8 · wrong 1."""

COUNTS = tuple(tuple(code >> place & 1 for code in range(CODES)) for place in range(4))
"""Per what is counted its number in every code of such a game."""

CHUNK = 2**22
"""Numbers written at a time."""

COMPILE_FROM = 5000
"""Edges written at a time from which compiling a policy's definition costs less than running it as it is."""

Counted = tuple[Fraction, int, int, int]
"""What an edge counts: the policy's (expected) fault, the reference's, wrong 0s, wrong 1s."""


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


def beyond(costs: Sequence[Counted], coefficients: Coefficients) -> tuple[tuple[int, ...], int]:
    """Return, per cost code, what the policy pays beyond the coefficients; and in units of what."""
    unit = lcm(coefficients.unit, *(fault.denominator for fault, *_ in costs))
    whole = [int(value * unit) for value in coefficients]
    return tuple(
        int(fault * unit) - sum(a * b for a, b in zip(whole, paid, strict=True)) for fault, *paid in costs
    ), unit


def objective(costs: Sequence[Counted], coefficients: Coefficients, free: int) -> tuple[Objective, int]:
    """Return what a cycle is judged by when one coefficient is to be found, and the unit of its ratio."""
    gain, unit = beyond(costs, coefficients.without(free))
    return Objective(coefficients._fields[free], gain, tuple(paid[free] for _, *paid in costs)), unit


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
        plain = policy.outcomes(labels, page, layer, frame)
        there = (page - by) % len(labels), (layer - shift) % instance.layers
        turned = policy.outcomes(np.roll(labels, -by), *there, frame)
        if _listed(plain, by) != _listed(turned, 0):
            return Symmetry(inside, False)
        labels = plain[int(rng.integers(len(plain)))][1]
    return Symmetry(inside, True)


def _listed(outcomes: Sequence[tuple[Fraction, LabelArray]], by: int) -> list[tuple[list[int], Fraction]]:
    return sorted((np.roll(labels, -by).tolist(), chance) for chance, labels in outcomes)


@helper
def follow(
    update: Update,
    held: Numbers,
    page: int,
    bit: int,
    phases: bool,
    slots: int,
    then: Numbers,
    paid: Numbers,
    leaves: Numbers,
) -> int:
    """Write all that a request may make of the reference and what is paid; return how many there are.

    Parameters
    ----------
    update : callable
        :func:`paging.work_function.update_work_function`.
    held : ndarray of int64, shape (N,)
        With discard bits what the reference has of every page; with phase bits 5 · (label of the work
        function) + what the k-phases say.
    then : ndarray of int64, shape (k, N)
        The same after the request.
    paid : ndarray of int64, shape (k,)
        Fault + 2 · wrong 1s + 4 · wrong 0s.
    leaves : ndarray of int64, shape (k,)
        The page that the reference evicts, −1 for none.
    """
    leaves[0] = -1
    if phases:
        work = then[0]
        for q in range(len(held)):
            work[q] = held[q] // PHASES
        paid[0] = update(work, page, slots)
        said = held[page] % PHASES
        now = 0
        for q in range(len(held)):
            if 0 < held[q] % PHASES < 3:
                now += 1
        begins = now == slots and (said == 0 or said > 2)
        if said == 4 and not begins:
            paid[0] += 2
        for q in range(len(held)):
            of_page = held[q] % PHASES
            if begins:
                if of_page == 3:
                    paid[0] += 4
                of_page = of_page + 2 if 0 < of_page < 3 else 0
            then[0, q] = work[q] * PHASES + (1 + bit if q == page else of_page)
        return 1
    size = 0
    for q in range(len(held)):
        then[0, q] = held[q]
        if held[q] > 0:
            size += 1
    then[0, page] = 1 + bit
    paid[0] = 0
    if held[page] > 0:
        if held[page] == 2:
            paid[0] = 2
        return 1
    paid[0] = 1
    if size < slots:
        return 1
    count = 0
    for victim in range(len(held)):
        if held[victim] > 0:
            for q in range(len(held)):
                then[count, q] = held[q]
            then[count, page] = 1 + bit
            then[count, victim] = 0
            paid[count] = 1 + (4 if held[victim] == 1 else 0)
            leaves[count] = victim
            count += 1
    return count


def expand(
    serve: Serve,
    update: Update,
    rows: Rows,
    keep: Frame,
    discard: Frame,
    low: int,
    phases: bool,
    inside: bool,
    rotation: bool,
    after: Rows,
    codes: NDArray[np.int16],
    moves: Moves,
) -> int:
    """Fill the canonical successors, cost codes and moves of every row; return 0 or what forbids it.

    Plain loops over integer arrays: the same text runs as Python and compiled.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + 1)
        Per page kinds · (policy label − low) + what is known beside the policy; then the layer.
    keep, discard : Frame
        With prediction 0 and with prediction 1.
    after : ndarray of int32, shape (S, E, N + 1)
    codes : ndarray of int16, shape (S, E)
        −1 beyond a state's last edge.
    moves : ndarray of int8, shape (S, E, 3)
        Place of the requested page, bit, place of the page that leaves the reference or −1.
    """
    pages = len(keep.layer_of)
    kinds = PHASES * (keep.cache + 1) if phases else HOLDS
    of_reference = 4 * (keep.cache + 1) if phases else 8
    before = np.zeros(pages, dtype=np.int64)
    held = np.zeros(pages, dtype=np.int64)
    labels = np.zeros(pages, dtype=np.int64)
    then = np.zeros((keep.cache, pages), dtype=np.int64)
    paid = np.zeros(keep.cache, dtype=np.int64)
    leaves = np.zeros(keep.cache, dtype=np.int64)
    for s in range(len(rows)):
        layer = rows[s, pages]
        first, end = keep.first_page[layer], keep.first_page[layer + 1]
        following = (layer + 1) % keep.layers
        shift = keep.first_page[following] if rotation else 0
        for q in range(pages):
            before[q] = rows[s, q] // kinds + low
            held[q] = rows[s, q] % kinds
        edge = 0
        for page in range(first, end):
            if inside and page > first and rows[s, page] == rows[s, page - 1]:
                continue
            fault = of_reference if before[page] <= 0 else 0
            for bit in range(2):
                labels[:] = before
                if bit == 0:
                    serve(labels, page, layer, keep)
                else:
                    serve(labels, page, layer, discard)
                problem = problem_of(before, labels, page, keep.cache, low, kinds)
                if problem:
                    return problem
                for c in range(follow(update, held, page, bit, phases, keep.cache, then, paid, leaves)):
                    victim = leaves[c]
                    alike = (
                        inside
                        and victim > 0
                        and keep.layer_of[victim] == keep.layer_of[victim - 1]
                        and labels[victim] == labels[victim - 1]
                        and held[victim] == held[victim - 1]
                    )
                    if alike:
                        continue
                    for q in range(pages):
                        place = q - shift if q >= shift else q - shift + pages
                        after[s, edge, place] = (labels[q] - low) * kinds + then[c, q]
                    after[s, edge, pages] = 0 if rotation else following
                    if inside:
                        for j in range(keep.layers):
                            for q in range(keep.first_page[j], keep.first_page[j + 1]):
                                sort_in(after[s, edge], keep.first_page[j], q)
                    codes[s, edge] = fault + paid[c]
                    moves[s, edge, 0] = page
                    moves[s, edge, 1] = bit
                    moves[s, edge, 2] = victim
                    edge += 1
        for e in range(edge, codes.shape[1]):
            codes[s, e] = -1
    return 0


@cache
def _compiled_expand() -> Callable[..., int]:
    from numba import types

    from paging.kernels.definitions import FRAME, SERVE, UPDATE, compile_as

    signature = types.int64(
        types.FunctionType(SERVE),
        types.FunctionType(UPDATE),
        types.int32[:, ::1],
        FRAME,
        FRAME,
        types.int64,
        types.boolean,
        types.boolean,
        types.boolean,
        types.int32[:, :, ::1],
        types.int16[:, ::1],
        types.int8[:, :, ::1],
    )
    return compile_as(expand, signature)


class GraphWithBits(Grown, ABC):
    """The graph of a policy that is given bits beside what they are about, grown from the cold start.

    Attributes
    ----------
    policy : Policy
    instance : LayeredInstance
    kind : {"discard", "phase"}
        What the policy is told.
    symmetry : Symmetry
        Which states count as the same.
    targets : ndarray of int32, shape (S, E)
    codes : ndarray of int16, shape (S, E)
        As in :class:`~adversary.cycles.product_graph.ProductGraph`.
    edges : int
    """

    policy: Policy
    instance: LayeredInstance
    kind: Kind
    symmetry: Symmetry

    def __init__(self, policy: Policy, instance: LayeredInstance, symmetry: Symmetry | None) -> None:
        policy.check(instance)
        if policy.predictions not in ("discard", "phase"):
            raise UnsupportedModelError(f"policy {policy.name} takes neither discard nor phase bits")
        self.kind = policy.predictions
        instance.require("a trade-off with predictions", service="forced", visits="sequential", per_visit=1)
        if instance.total_pages > 127:
            raise LimitError(
                f"a trade-off with predictions is for at most 127 pages, not {instance.total_pages}"
            )
        self.policy, self.instance = policy, instance
        self.symmetry = symmetry_with_bits(policy, instance) if symmetry is None else symmetry
        self.phases = self.kind == "phase"
        self.degree = 2 * max(instance.pages_by_layer) * (1 if self.phases else instance.cache)
        self.width = instance.total_pages + 1
        self.expanded = 0
        self._set = StateSet(np.zeros((1, self.width), dtype=np.int32))
        self._targets = np.full((1, self.degree), -1, dtype=np.int32)
        self._codes = np.full((1, self.degree), -1, dtype=np.int16)
        self._origin = np.full((1, 2), -1, dtype=np.int32)
        self.edges = 0
        self.used = 1

    @property
    @abstractmethod
    def chances(self) -> Sequence[Fraction]:
        """How likely a request is a fault of the policy: all values met so far, by number."""

    @abstractmethod
    def _successors(self, states: Any) -> tuple[Rows, NDArray[np.int16], Moves]:
        """Return rows, cost codes and moves of the successors of some states."""

    @property
    def paid_codes(self) -> int:
        """Codes of what the reference pays; a cost code is this · (number of a chance) + such a code."""
        return 4 * (self.instance.cache + 1) if self.phases else 8

    @property
    def costs(self) -> list[Counted]:
        """What every cost code stands for."""
        return [
            (chance, paid & 1, paid >> 2, paid >> 1 & 1)
            for chance in self.chances
            for paid in range(self.paid_codes)
        ]

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

    def _empty(self, states: int) -> tuple[Rows, NDArray[np.int16], Moves]:
        """Return room for the successors of so many states."""
        return (
            np.empty((states, self.degree, self.width), dtype=np.int32),
            np.empty((states, self.degree), dtype=np.int16),
            np.empty((states, self.degree, 3), dtype=np.int8),
        )

    def _make_room(self) -> None:
        """Make room for all states known, doubling so that growing stays cheap."""
        room = len(self._targets)
        if room >= self.states:
            return
        more = max(self.states, 2 * room) - room
        self._targets = np.concatenate([self._targets, np.full((more, self.degree), -1, np.int32)])
        self._codes = np.concatenate([self._codes, np.full((more, self.degree), -1, np.int16)])
        self._origin = np.concatenate([self._origin, np.full((more, 2), -1, np.int32)])


class PredictedGraph(GraphWithBits):
    """The graph of a deterministic policy that is given bits.

    Parameters
    ----------
    policy : str or Policy
        Deterministic, with finitely many labels, told ``discard`` or ``phase`` predictions.
    instance : LayeredInstance
        One page per visit, sequential visits, forced service, cold start, at most 127 pages.
    symmetry : Symmetry, optional
        Which states count as the same; default what :func:`symmetry_with_bits` finds.

    Examples
    --------
    >>> graph = PredictedGraph("flush-when-kept", LayeredInstance(layers=1, pages=3, cache=2))
    >>> while not graph.complete:
    ...     graph.grow()
    >>> graph.states
    16
    """

    chances = (Fraction(0), Fraction(1))

    def __init__(
        self, policy: str | Policy, instance: LayeredInstance, symmetry: Symmetry | None = None
    ) -> None:
        policy = get_policy(policy)
        super().__init__(policy, instance, symmetry)
        if policy.randomized or "finite-state" not in policy.traits:
            raise ModelError(f"policy {policy.name} is randomised, or has no finitely many states")
        self.kinds = PHASES * (instance.cache + 1) if self.phases else HOLDS
        self.low = 0

    def label_rows(self) -> tuple[Rows, Rows, Rows]:
        """Return all states: policy labels and what is known beside, shape (S, N), and layers (S,)."""
        rows = self._set.rows()
        labels, held = np.divmod(rows[:, :-1], self.kinds)
        return labels + self.low, held, rows[:, -1]

    def _successors(self, states: Any) -> tuple[Rows, NDArray[np.int16], Moves]:
        while True:
            rows = self._set.rows(states)
            after, codes, moves = self._empty(len(rows))
            run: Callable[..., int] = expand
            serve: Serve = self.policy.serve
            update: Update = update_work_function
            if len(rows) * self.degree >= COMPILE_FROM and not inspect.ismethod(self.policy.serve):
                from paging.kernels.definitions import compiled_serve, compiled_update

                quick = compiled_serve(self.policy.serve)
                if quick is not None:
                    run, serve, update = _compiled_expand(), quick, compiled_update()
            frame, (inside, rotation) = self.instance.frame, self.symmetry
            frames = (frame._replace(prediction=0), frame._replace(prediction=1))
            problem = run(
                serve, update, rows, *frames, self.low, self.phases, inside, rotation, after, codes, moves
            )
            if problem == ILLEGAL:
                raise IllegalAnswerError(
                    f"policy {self.policy.name} gave an illegal answer while its states were built"
                )
            if problem == TOO_LARGE:
                raise LimitError(f"labels of policy {self.policy.name} grow beyond {LARGEST // self.kinds:,}")
            if problem != TOO_LOW:
                return after, codes, moves
            self._lower()

    def _lower(self) -> None:
        """Make room for lower labels: those a policy remembers pages by that are not cached."""
        more = self.instance.cache - self.low
        rows = self._set.rows()
        rows[:, :-1] += more * self.kinds
        self.low -= more
        self._set = StateSet(rows)
