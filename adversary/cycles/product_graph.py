"""The product graph: a policy's labels beside OPT's work function, state by state, up to renaming of pages.

A state is one (policy label, work-function label) pair per page, and the layer to be served. A request
determines the next state, the policy's fault and OPT's increment, so the competitive ratio is the largest
Σ policy / Σ OPT over cycles. All arithmetic here is exact, in integers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import RATIO, Codes, GraphCycle, Numbers, Objective, best_cycle
from paging.errors import IllegalAnswerError, LimitError, ModelError
from paging.kernels.jit import helper
from paging.kernels.state_set import Rows, StateSet, sort_in
from paging.model import Frame, LayeredInstance, Serve, whole_number
from paging.policy import Policy, get_policy
from paging.work_function import update_work_function

LARGEST = 2**31 - 1
"""Largest entry of a row."""

LARGEST_STEP = 2**26
"""Most labels written at a time: successors × pages. It bounds memory, and the time between two looks."""

COMPILE_FROM = 2000
"""States to be expanded from which compiling a policy's definition costs less than running it as it is."""

ILLEGAL, TOO_LOW, TOO_LARGE = 1, 2, 3
"""What :func:`expand` says of answers it cannot go on with."""


class Symmetry(NamedTuple):
    """Which renamings of pages leave a policy's label transitions alone.

    Attributes
    ----------
    inside : bool
        Pages may be exchanged inside a layer.
    rotation : bool
        The layers may be turned, the layer being served with them.
    """

    inside: bool
    rotation: bool


def symmetry_of(
    policy: Policy,
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    steps: int = 100,
    seed: int = 0,
) -> Symmetry:
    """Return the symmetries of a policy beside OPT's work function, tried out on a random walk.

    Exchanging pages inside a layer, and turning the layers if all have equally many pages. Both must hold at
    every step of the walk: renaming pages, then serving, leads to the renamed state, up to pages of a layer
    that have both labels in common. (A policy whose ties go by page number may pass, though it is not
    ``symmetric``.) That is evidence and no proof; a cycle found with their help is replayed without them.
    """
    h = instance.cache if opt_cache is None else opt_cache
    found = Symmetry(True, len(set(instance.pages_by_layer)) == 1)
    rng = np.random.default_rng(seed)
    pairs = np.zeros((instance.total_pages, 2), dtype=np.int64)
    for t in range(steps):
        found, pairs = _tried(policy, instance, h, found, pairs, t % instance.layers, rng)
    return found


def _tried(
    policy: Policy,
    instance: LayeredInstance,
    cache: int,
    wanted: Symmetry,
    pairs: Numbers,
    layer: int,
    rng: np.random.Generator,
) -> tuple[Symmetry, Numbers]:
    """Serve a random page, with pages renamed and not; return the symmetries that hold, and what follows."""
    inside, rotation = wanted
    page = int(rng.choice(instance.pages_of(layer)))
    after = _after(policy, instance, cache, pairs, page, layer)
    if inside:
        order = _exchange(instance, rng)
        renamed = _after(policy, instance, cache, pairs[order], _place(order, page), layer)
        inside = _sorted(instance, renamed) == _sorted(instance, after)
    if rotation:
        shift = int(rng.integers(instance.layers))
        order = np.roll(np.arange(len(pairs)), -shift * instance.pages_by_layer[0])
        served = (layer - shift) % instance.layers
        turned = _after(policy, instance, cache, pairs[order], _place(order, page), served)
        rotation = np.array_equal(turned, after[order])
    return Symmetry(inside, rotation), after


def _after(
    policy: Policy, instance: LayeredInstance, cache: int, pairs: Numbers, page: int, layer: int
) -> Numbers:
    """Return the (policy label, work-function label) pairs after a request."""
    labels, work = pairs[:, 0].copy(), pairs[:, 1].copy()
    policy.serve(labels, page, layer, instance.frame)
    update_work_function(work, page, cache)
    return np.column_stack([labels, work])


def _sorted(instance: LayeredInstance, pairs: Numbers) -> list[list[list[int]]]:
    rows, starts = pairs.tolist(), instance.first_page.tolist()
    return [sorted(rows[start:end]) for start, end in pairwise(starts)]


def _exchange(instance: LayeredInstance, rng: np.random.Generator) -> Numbers:
    order = np.arange(instance.total_pages)
    for j in range(instance.layers):
        rng.shuffle(order[instance.first_page[j] : instance.first_page[j + 1]])
    return order


def _place(order: Numbers, page: int) -> int:
    return int(order.tolist().index(page))


def expand(
    serve: Serve,
    update: Callable[[Numbers, int, int], int],
    rows: Rows,
    frame: Frame,
    cache: int,
    low: int,
    inside: bool,
    rotation: bool,
    after: Rows,
    codes: Codes,
) -> int:
    """Fill the canonical successors and cost codes of every row; return 0 or what forbids it.

    Plain loops over integer arrays: the same text runs as Python and compiled.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + 1)
        Per page (policy label − low) · (h + 1) + work-function label; then the layer.
    cache : int
        OPT's cache h.
    low : int
        Lower bound on the policy's labels, ≤ 0.
    after : ndarray of int32, shape (S, R, N + 1)
        R is the largest number of pages of a layer.
    codes : ndarray of int8, shape (S, R)
        policy fault + 2·OPT increment; −1 where there is no such request, or an equivalent one came before.
    """
    pages = len(frame.layer_of)
    base = cache + 1
    before = np.zeros(pages, dtype=np.int64)
    known = np.zeros(pages, dtype=np.int64)
    labels = np.zeros(pages, dtype=np.int64)
    work = np.zeros(pages, dtype=np.int64)
    for s in range(len(rows)):
        layer = rows[s, pages]
        first, end = frame.first_page[layer], frame.first_page[layer + 1]
        following = (layer + 1) % frame.layers
        shift = frame.first_page[following] if rotation else 0
        for q in range(pages):
            before[q] = rows[s, q] // base + low
            known[q] = rows[s, q] % base
        for i in range(codes.shape[1]):
            page = first + i
            codes[s, i] = -1
            if page >= end or (inside and i > 0 and rows[s, page] == rows[s, page - 1]):
                continue
            labels[:] = before
            work[:] = known
            serve(labels, page, layer, frame)
            codes[s, i] = (1 if before[page] <= 0 else 0) + 2 * update(work, page, cache)
            problem = problem_of(before, labels, page, frame.cache, low, base)
            if problem:
                return problem
            for q in range(pages):
                place = q - shift if q >= shift else q - shift + pages
                after[s, i, place] = (labels[q] - low) * base + work[q]
            after[s, i, pages] = 0 if rotation else following
            if inside:
                row = after[s, i]
                for j in range(frame.layers):
                    for q in range(frame.first_page[j] + 1, frame.first_page[j + 1]):
                        sort_in(row, frame.first_page[j], q)
    return 0


@helper
def problem_of(before: Numbers, labels: Numbers, page: int, cache: int, low: int, base: int) -> int:
    """Return what forbids to go on from the labels after a request, or 0."""
    size = 0
    for q in range(len(labels)):
        if labels[q] > 0:
            size += 1
            if q != page and before[q] <= 0:
                return ILLEGAL
        if labels[q] < low:
            return TOO_LOW
        if labels[q] - low >= LARGEST // base:
            return TOO_LARGE
    return ILLEGAL if size > cache or labels[page] <= 0 else 0


Expander = Callable[[Rows, Rows, Codes], int]


@cache
def _compiled_expand() -> Callable[..., int]:
    from numba import types

    from paging.kernels.definitions import FRAME, SERVE, UPDATE, compile_as

    signature = types.int64(
        types.FunctionType(SERVE),
        types.FunctionType(UPDATE),
        types.int32[:, ::1],
        FRAME,
        types.int64,
        types.int64,
        types.boolean,
        types.boolean,
        types.int32[:, :, ::1],
        types.int8[:, ::1],
    )
    return compile_as(expand, signature)


class ProductGraph:
    """The product graph of a deterministic policy and the work function, grown state by state.

    Parameters
    ----------
    policy : str or Policy
        Deterministic.
    instance : LayeredInstance
        One page per visit, sequential visits, forced service, cold start.
    opt_cache : int, optional
        OPT's cache size h; default the instance's k.
    symmetry : Symmetry, optional
        Which states count as the same; default what :func:`symmetry_of` finds.

    Attributes
    ----------
    rows : ndarray of int32, shape (S, N + 1)
        The states found, the cold start first; see :func:`expand`.
    targets : ndarray of int32, shape (S, R)
        Successor of every state and request; −1 where the state is not expanded or there is no such edge.
    codes : ndarray of int8, shape (S, R)
        policy fault + 2·OPT increment of every edge.
    origin : ndarray of int32, shape (S, 2)
        By which state and request a state was first found; (−1, −1) for the start.

    Raises
    ------
    UnsupportedModelError, ModelError
        The model's variant has no such graph, or the policy is randomised.
    LimitError
        A single state has too many successors and pages.

    Examples
    --------
    >>> graph = ProductGraph("lru", LayeredInstance(layers=2, pages=2, cache=3))
    >>> graph.explore()
    >>> found = graph.best_cycle()
    >>> found.ratio, graph.states
    (Fraction(3, 1), 8)
    """

    def __init__(
        self,
        policy: str | Policy,
        instance: LayeredInstance,
        *,
        opt_cache: int | None = None,
        symmetry: Symmetry | None = None,
    ) -> None:
        self.policy = get_policy(policy)
        self.policy.check(instance)
        self.policy.check_predictions(None)
        if self.policy.randomized:
            raise ModelError(
                f"the product graph needs a deterministic policy; {self.policy.name} is randomised"
            )
        instance.require("the product graph", service="forced", visits="sequential", per_visit=1)
        self.instance = instance
        self.opt_cache = instance.cache if opt_cache is None else opt_cache
        whole_number(self.opt_cache, "opt_cache (h)", 1, instance.cache)
        self.degree = max(instance.pages_by_layer)
        self.width = instance.total_pages + 1
        if self.degree * self.width > LARGEST_STEP:
            raise LimitError(
                f"one state of the product graph has up to {self.degree:,} successors of {self.width - 1:,} "
                f"pages; at most {LARGEST_STEP:,} labels (successors × pages) are written at a time"
            )
        if symmetry is None:
            symmetry = symmetry_of(self.policy, instance, opt_cache=self.opt_cache)
        self.symmetry = symmetry
        self.low = 0
        self.expanded = 0
        start = np.zeros((1, self.width), dtype=np.int32)
        self._set = StateSet(start)
        self._targets = np.full((1, self.degree), -1, dtype=np.int32)
        self._codes = np.full((1, self.degree), -1, dtype=np.int8)
        self._origin = np.full((1, 2), -1, dtype=np.int32)

    @property
    def states(self) -> int:
        """Number of states found so far."""
        return len(self._set)

    @property
    def rows(self) -> Rows:
        """The states found, unpacked."""
        return self._set.rows()

    @property
    def targets(self) -> NDArray[np.int32]:
        """Successors of every state."""
        return self._targets[: self.states]

    @property
    def codes(self) -> Codes:
        """Cost codes of every edge."""
        return self._codes[: self.states]

    @property
    def origin(self) -> NDArray[np.int32]:
        """By which state and request every state was first found."""
        return self._origin[: self.states]

    @property
    def complete(self) -> bool:
        """Whether every state has been expanded breadth first, so that the graph is the whole one."""
        return self.expanded == self.states

    def explore(self, *, max_states: int = 1_000_000, chunk: int = 4096) -> None:
        """Expand breadth first until nothing new is found.

        Raises
        ------
        LimitError
            More than ``max_states`` states exist; those found so far stay.
        """
        while not self.complete:
            self.explore_chunk(chunk)
            if self.states > max_states:
                raise LimitError(
                    f"the product graph of {self.policy.name} has more than max_states = {max_states:,}"
                )

    def explore_chunk(self, chunk: int = 4096) -> None:
        """Expand the next states in the order they were found."""
        chunk = min(chunk, LARGEST_STEP // (self.degree * self.width))
        end = min(self.expanded + chunk, self.states)
        self.expand(np.arange(self.expanded, end))
        self.expanded = end

    def expand(self, states: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Expand the given states and return those found new, in ascending order."""
        after, codes = self._successors(states)
        known = self.states
        targets, at = self._set.add(after.reshape(-1, self.width), codes.ravel() >= 0)
        self._grow()
        self._targets[states] = targets.reshape(codes.shape)
        self._codes[states] = codes
        self._origin[known : self.states, 0] = np.asarray(states)[at // self.degree]
        self._origin[known : self.states, 1] = at % self.degree
        return np.arange(known, self.states)

    def _successors(self, states: NDArray[np.integer[Any]]) -> tuple[Rows, Codes]:
        while True:
            rows = self._set.rows(states)
            after = np.zeros((len(rows), self.degree, self.width), dtype=np.int32)
            codes = np.full((len(rows), self.degree), -1, dtype=np.int8)
            problem = self._expander()(rows, after, codes)
            if problem != TOO_LOW:
                self._refuse(problem)
                return after, codes
            self._lower()

    def _lower(self) -> None:
        """Make room for lower labels: those a policy remembers pages by that are not cached."""
        more = self.instance.cache - self.low
        rows = self._set.rows()
        rows[:, :-1] += more * (self.opt_cache + 1)
        self.low -= more
        if -self.low >= LARGEST // (2 * self.opt_cache + 2):
            self._refuse(TOO_LARGE)
        self._set = StateSet(rows)

    def best_cycle(self, objective: Objective | None = None) -> GraphCycle | None:
        """Return the cycle of largest ratio among the expanded states, or None where there is none > 0."""
        return best_cycle(self.targets, self.codes, objective or RATIO).cycle

    def keeps_symmetry(self, *, samples: int = 1000, seed: int = 0) -> bool:
        """Try the symmetries once more, on states from all over the graph; on each ten times if few."""
        rng = np.random.default_rng(seed)
        chosen = np.resize(rng.permutation(self.states), min(samples, 10 * self.states))
        labels, work, layers = self.label_rows(chosen)
        for pairs, layer in zip(np.stack([labels, work], axis=2), layers.tolist(), strict=True):
            found, _ = _tried(
                self.policy,
                self.instance,
                self.opt_cache,
                self.symmetry,
                pairs.astype(np.int64),
                layer,
                rng,
            )
            if found != self.symmetry:
                return False
        return True

    def path_to(self, state: int) -> list[tuple[int, int]]:
        """Return the (state, request) steps by which a state was first found from the cold start."""
        steps = []
        while self._origin[state, 0] >= 0:
            source, edge = (int(x) for x in self._origin[state])
            steps.append((source, edge))
            state = source
        return steps[::-1]

    def row(self, state: int) -> list[int]:
        """Return one state as plain numbers; see :func:`expand`."""
        return [int(x) for x in self._set.rows([state])[0]]

    def label_rows(self, states: Any = slice(None)) -> tuple[Rows, Rows, Rows]:
        """Return states (default all) as policy and work-function labels, shape (S, N), and layers (S,)."""
        rows = self._set.rows(states)
        labels, work = np.divmod(rows[:, :-1], self.opt_cache + 1)
        return labels + self.low, work, rows[:, -1]

    def key(self, state: int, edge: int) -> tuple[int, int]:
        """Return policy label and work-function label of the page that an edge requests."""
        row = self.row(state)
        label, work = divmod(row[int(self.instance.first_page[row[-1]]) + edge], self.opt_cache + 1)
        return label + self.low, work

    def _expander(self) -> Expander:
        serve: Serve = self.policy.serve
        run: Callable[..., int] = expand
        update: Callable[..., int] = update_work_function
        if self.states >= COMPILE_FROM and not inspect.ismethod(self.policy.serve):
            from paging.kernels.definitions import compiled_serve, compiled_update

            quick = compiled_serve(self.policy.serve)
            if quick is not None:
                run, serve, update = _compiled_expand(), quick, compiled_update()
        frame, (inside, rotation) = self.instance.frame, self.symmetry

        def expander(rows: Rows, after: Rows, codes: Codes) -> int:
            return run(serve, update, rows, frame, self.opt_cache, self.low, inside, rotation, after, codes)

        return expander

    def _refuse(self, problem: int) -> None:
        if problem == ILLEGAL:
            raise IllegalAnswerError(
                f"policy {self.policy.name} gave an illegal answer while its states were built"
            )
        if problem == TOO_LARGE:
            raise LimitError(
                f"labels of policy {self.policy.name} grow beyond {LARGEST // (self.opt_cache + 1):,}"
            )

    def _grow(self) -> None:
        """Make room for all states known, doubling so that growing stays cheap."""
        room = len(self._targets)
        if room >= self.states:
            return
        more = max(self.states, 2 * room) - room
        self._targets = np.concatenate([self._targets, np.full((more, self.degree), -1, np.int32)])
        self._codes = np.concatenate([self._codes, np.full((more, self.degree), -1, np.int8)])
        self._origin = np.concatenate([self._origin, np.full((more, 2), -1, np.int32)])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that :meth:`restore` needs."""
        return {
            "rows": self.rows,
            "targets": self.targets,
            "codes": self.codes,
            "origin": self.origin,
            "expanded": np.array([self.expanded]),
            "low": np.array([self.low]),
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from what :meth:`arrays` returned."""
        self._set = StateSet(np.asarray(arrays["rows"], dtype=np.int32))
        self._targets = np.array(arrays["targets"], dtype=np.int32)
        self._codes = np.array(arrays["codes"], dtype=np.int8)
        self._origin = np.array(arrays["origin"], dtype=np.int32)
        self.expanded, self.low = int(arrays["expanded"][0]), int(arrays["low"][0])
