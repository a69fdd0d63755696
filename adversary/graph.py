"""The product graph of a policy's labels and OPT's work function, and its cycle of largest ratio.

A state is one (policy label, work-function label) pair per page, the work-function label of the empty slots
and the layer to be served. A request determines the next state, the policy's fault and OPT's increment, so
the competitive ratio is the largest Σ policy / Σ OPT over cycles. All arithmetic here is exact, in integers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paging.errors import IllegalAnswerError, LimitError, ModelError, UnsupportedModelError
from paging.kernels.jit import compiled
from paging.model import Frame, LabelArray, LayeredInstance, whole_number
from paging.offline import update_work_function
from paging.policy import Policy, Serve, get_policy

Rows = NDArray[np.int32]
Codes = NDArray[np.int8]
Numbers = NDArray[np.int64]

LARGEST = 2**31 - 1
COMPILE_FROM = 4000
"""States to be expanded from which compiling a policy's definition costs less than running it as it is."""

ILLEGAL, TOO_LARGE = 1, 2


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


def symmetry_of(policy: Policy, instance: LayeredInstance, *, steps: int = 400, seed: int = 0) -> Symmetry:
    """Return the symmetries of a policy on an instance, tried out on a random walk.

    Exchanging pages inside a layer is used only if the policy declares the trait ``symmetric``; turning the
    layers only if all have equally many pages. Both must hold for the labels themselves at every step of the
    walk, which is evidence and no proof; a cycle found with their help is replayed without them.
    """
    equal = len(set(instance.pages_by_layer)) == 1
    inside, rotation = "symmetric" in policy.traits, equal
    rng = np.random.default_rng(seed)
    frame, layers = instance.frame, instance.layers
    labels: LabelArray = np.zeros(instance.total_pages, dtype=np.int64)
    for t in range(steps):
        layer = t % layers
        page = int(rng.integers(frame.first_page[layer], frame.first_page[layer + 1]))
        after = _after(policy, labels, page, layer, frame)
        if inside:
            order = _exchange(instance, rng)
            inside = np.array_equal(
                _after(policy, labels[order], _place(order, page), layer, frame), after[order]
            )
        if rotation:
            shift = int(rng.integers(layers))
            order = np.roll(np.arange(len(labels)), -shift * instance.pages_by_layer[0])
            turned = _after(policy, labels[order], _place(order, page), (layer - shift) % layers, frame)
            rotation = np.array_equal(turned, after[order])
        labels = after
    return Symmetry(inside, rotation)


def _after(policy: Policy, labels: LabelArray, page: int, layer: int, frame: Frame) -> LabelArray:
    following = labels.copy()
    policy.serve(following, page, layer, frame)
    return following


def _exchange(instance: LayeredInstance, rng: np.random.Generator) -> NDArray[np.int64]:
    parts = [rng.permutation(np.array(instance.pages_of(j))) for j in range(instance.layers)]
    return np.concatenate(parts)


def _place(order: NDArray[np.int64], page: int) -> int:
    return int(np.flatnonzero(order == page)[0])


def expand(
    serve: Serve,
    update: Callable[[Numbers, int, int], int],
    rows: Rows,
    frame: Frame,
    cache: int,
    inside: bool,
    rotation: bool,
    after: Rows,
    codes: Codes,
) -> int:
    """Fill the canonical successors and cost codes of every row; return 0, ``ILLEGAL`` or ``TOO_LARGE``.

    Plain loops over integer arrays: the same text runs as Python and compiled.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + 2)
        Per page policy label · (h + 1) + work-function label; then the empty slots' label and the layer.
    cache : int
        OPT's cache h.
    after : ndarray of int32, shape (S, R, N + 2)
        R is the largest number of pages of a layer.
    codes : ndarray of int8, shape (S, R)
        policy fault + 2·OPT increment; −1 where there is no such request, or an equivalent one came before.
    """
    pages = len(frame.layer_of)
    base = cache + 1
    labels = np.zeros(pages, dtype=np.int64)
    work = np.zeros(pages + 1, dtype=np.int64)
    for s in range(len(rows)):
        layer = rows[s, pages + 1]
        first, end = frame.first_page[layer], frame.first_page[layer + 1]
        following = (layer + 1) % frame.layers
        shift = frame.first_page[following] if rotation else 0
        for i in range(codes.shape[1]):
            page = first + i
            codes[s, i] = -1
            if page >= end or (inside and i > 0 and rows[s, page] == rows[s, page - 1]):
                continue
            for q in range(pages):
                labels[q] = rows[s, q] // base
                work[q] = rows[s, q] % base
            work[pages] = rows[s, pages]
            fault = labels[page] == 0
            serve(labels, page, layer, frame)
            codes[s, i] = (1 if fault else 0) + 2 * update(work, page, cache)
            size = 0
            for q in range(pages):
                if labels[q] > 0:
                    size += 1
                    if q != page and rows[s, q] < base:
                        return 1
                if labels[q] < 0:
                    return 1
                if labels[q] >= 2147483647 // base:
                    return 2
                place = q - shift
                if place < 0:
                    place += pages
                after[s, i, place] = labels[q] * base + work[q]
            if size > frame.cache or labels[page] == 0:
                return 1
            after[s, i, pages] = work[pages]
            after[s, i, pages + 1] = 0 if rotation else following
            if inside:
                for j in range(frame.layers):
                    for q in range(frame.first_page[j] + 1, frame.first_page[j + 1]):
                        moving = after[s, i, q]
                        hole = q
                        while hole > frame.first_page[j] and after[s, i, hole - 1] > moving:
                            after[s, i, hole] = after[s, i, hole - 1]
                            hole -= 1
                        after[s, i, hole] = moving
    return 0


Expander = Callable[[Rows, Rows, Codes], int]


@lru_cache(maxsize=64)
def _compiled_parts(serve: Serve) -> tuple[Any, Any, Any]:
    import numba

    return numba.njit(expand), numba.njit(serve), numba.njit(update_work_function)


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
    rows : ndarray of int32, shape (S, N + 2)
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

    Examples
    --------
    >>> graph = ProductGraph("lru", LayeredInstance(layers=2, pages=2, cache=3))
    >>> graph.explore()
    >>> found = graph.best_cycle()
    >>> found.ratio, graph.states
    (Fraction(3, 1), 18)
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
        if self.policy.randomized:
            raise ModelError(
                f"the product graph needs a deterministic policy; {self.policy.name} is randomised"
            )
        if instance.per_visit > 1 or instance.bypassing or instance.visits == "atomic":
            raise UnsupportedModelError(
                "the product graph needs one page per visit (g = 1) and forced service"
            )
        self.instance = instance
        self.opt_cache = instance.cache if opt_cache is None else opt_cache
        whole_number(self.opt_cache, "opt_cache (h)", 1, instance.cache)
        self.symmetry = symmetry_of(self.policy, instance) if symmetry is None else symmetry
        self.degree = max(instance.pages_by_layer)
        self.width = instance.total_pages + 2
        self.expanded = 0
        start = np.zeros((1, self.width), dtype=np.int32)
        start[0, -2] = self.opt_cache
        self._index: dict[bytes, int] = {start.tobytes(): 0}
        self._rows = start
        self._targets = np.full((1, self.degree), -1, dtype=np.int32)
        self._codes = np.full((1, self.degree), -1, dtype=np.int8)
        self._origin = np.full((1, 2), -1, dtype=np.int32)

    @property
    def states(self) -> int:
        """Number of states found so far."""
        return len(self._index)

    @property
    def rows(self) -> Rows:
        """The states found."""
        return self._rows[: self.states]

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
        end = min(self.expanded + chunk, self.states)
        self.expand(np.arange(self.expanded, end))
        self.expanded = end

    def expand(self, states: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Expand the given states and return those found new, in ascending order."""
        rows = np.ascontiguousarray(self._rows[states])
        after = np.zeros((len(rows), self.degree, self.width), dtype=np.int32)
        codes = np.full((len(rows), self.degree), -1, dtype=np.int8)
        self._refuse(self._expander()(rows, after, codes))
        known = self.states
        content, size = after.tobytes(), 4 * self.width
        places = np.flatnonzero(codes.ravel() >= 0)
        index = self._index
        targets = np.full(codes.size, -1, dtype=np.int32)
        new: list[int] = []
        for place in places.tolist():
            key = content[place * size : (place + 1) * size]
            target = index.get(key)
            if target is None:
                target = index[key] = len(index)
                new.append(place)
            targets[place] = target
        self._grow()
        self._targets[states] = targets.reshape(codes.shape)
        self._codes[states] = codes
        if new:
            at = np.array(new)
            self._rows[known : self.states] = after.reshape(-1, self.width)[at]
            self._origin[known : self.states, 0] = np.asarray(states)[at // self.degree]
            self._origin[known : self.states, 1] = at % self.degree
        return np.arange(known, self.states)

    def best_cycle(self, objective: Objective | None = None) -> GraphCycle | None:
        """Return the cycle of largest ratio among the expanded states, or None where there is none > 0."""
        return best_cycle(self.targets, self.codes, objective or RATIO).cycle

    def path_to(self, state: int) -> list[tuple[int, int]]:
        """Return the (state, request) steps by which a state was first found from the cold start."""
        steps = []
        while self._origin[state, 0] >= 0:
            source, edge = (int(x) for x in self._origin[state])
            steps.append((source, edge))
            state = source
        return steps[::-1]

    def key(self, state: int, edge: int) -> int:
        """Return the label pair, as one number, of the page that an edge requests."""
        layer = int(self._rows[state, -1])
        return int(self._rows[state, int(self.instance.first_page[layer]) + edge])

    def _expander(self) -> Expander:
        serve, update, run = self.policy.serve, update_work_function, expand
        if self.states >= COMPILE_FROM and isinstance(
            inspect.getattr_static(self.policy, "serve"), staticmethod
        ):
            run, serve, update = self._compiled() or (run, serve, update)
        frame, (inside, rotation) = self.instance.frame, self.symmetry

        def expander(rows: Rows, after: Rows, codes: Codes) -> int:
            return run(serve, update, rows, frame, self.opt_cache, inside, rotation, after, codes)

        return expander

    def _compiled(self) -> tuple[Any, Any, Any] | None:
        from numba.core.errors import NumbaError

        run, serve, update = _compiled_parts(self.policy.serve)
        rows = np.zeros((0, self.width), dtype=np.int32)
        after = np.zeros((0, self.degree, self.width), dtype=np.int32)
        codes = np.zeros((0, self.degree), dtype=np.int8)
        try:
            run(serve, update, rows, self.instance.frame, self.opt_cache, *self.symmetry, after, codes)
        except NumbaError:
            return None
        return run, serve, update

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
        room = len(self._rows)
        if room >= self.states:
            return
        more = max(self.states, 2 * room) - room
        self._rows = np.concatenate([self._rows, np.zeros((more, self.width), np.int32)])
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
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from what :meth:`arrays` returned."""
        self._rows = np.ascontiguousarray(arrays["rows"], dtype=np.int32)
        self._targets = np.array(arrays["targets"], dtype=np.int32)
        self._codes = np.array(arrays["codes"], dtype=np.int8)
        self._origin = np.array(arrays["origin"], dtype=np.int32)
        self.expanded = int(arrays["expanded"][0])
        content, size = self._rows.tobytes(), 4 * self.width
        self._index = {content[s * size : (s + 1) * size]: s for s in range(len(self._rows))}


@dataclass(frozen=True)
class Objective:
    """What a cycle is judged by: Σ gain / Σ price over its edges, as tables over the cost codes of edges."""

    name: str
    gain: tuple[int, ...]
    price: tuple[int, ...]


RATIO = Objective("ratio", (0, 1, 0, 1), (0, 0, 1, 1))
"""Policy faults per OPT fault."""

GAP = Objective("gap", (0, 1, -1, 0), (1, 1, 1, 1))
"""Policy faults beyond OPT's, per request."""


@dataclass(frozen=True)
class GraphCycle:
    """A cycle of the graph as (state, request) steps, with the sums of its objective."""

    steps: tuple[tuple[int, int], ...]
    gain: int
    price: int

    @property
    def ratio(self) -> Fraction | float:
        """Gain per price, ``inf`` for a gain that costs nothing."""
        return Fraction(self.gain, self.price) if self.price else float("inf")


@dataclass(frozen=True)
class Extremum:
    """The largest cycle ratio of a graph: the cycle that has it and the potential that bounds all others.

    Attributes
    ----------
    cycle : GraphCycle or None
        None when no cycle has a positive gain.
    potential : ndarray of int64 or None
        With the cycle's ratio P/Q (0/1 without a cycle): Q·gain + potential[now] ≤ P·price + potential[next]
        on every edge. None when the ratio is infinite.
    iterations : int
        Newton steps.
    """

    cycle: GraphCycle | None
    potential: Numbers | None
    iterations: int


def best_cycle(
    targets: NDArray[np.int32],
    codes: Codes,
    objective: Objective = RATIO,
    *,
    start: GraphCycle | None = None,
    watch: Callable[[int, Fraction], None] = lambda iteration, ratio: None,
) -> Extremum:
    """Return the cycle of largest gain per price, by Newton's method on the ratio, exactly.

    At the best ratio P/Q known, edges weigh Q·gain − P·price. In-place longest-path sweeps either settle, and
    then no cycle is better and the distances are a potential, or the edges that last improved each state
    contain a cycle of positive weight: one of larger ratio.

    Parameters
    ----------
    targets, codes : ndarray, shape (S, R)
        As in :class:`ProductGraph`; edges with target −1 are absent.
    objective : Objective
        Prices must not be negative.
    start : GraphCycle, optional
        A cycle to improve on.
    watch : callable
        Told Newton step and ratio.
    """
    gain, price = (np.array(table, dtype=np.int64) for table in (objective.gain, objective.price))
    best = start
    iterations = 0
    while True:
        iterations += 1
        p, q = (best.gain, best.price) if best is not None else (0, 1)
        if q == 0:
            return Extremum(best, None, iterations)
        exact = Fraction(p, q)
        watch(iterations, exact)
        weights = exact.denominator * gain - exact.numerator * price
        distance = np.zeros(len(targets), dtype=np.int64)
        parent = np.full(len(targets), -1, dtype=np.int64)
        better = None
        while better is None and sweep(targets, codes, weights, distance, parent):
            better = _best_parent_cycle(parent, codes, objective)
        if better is None:
            return Extremum(best, distance, iterations)
        best = better


@compiled
def sweep(
    targets: NDArray[np.int32], codes: Codes, weights: Numbers, distance: Numbers, parent: Numbers
) -> int:
    """Relax every edge once for longest paths, in place; return how many states improved.

    ``parent[t]`` becomes s·R + edge of the last improvement.
    """
    degree = targets.shape[1]
    improved = 0
    for s in range(len(targets)):
        for e in range(degree):
            t = targets[s, e]
            if t >= 0:
                reached = distance[s] + weights[codes[s, e]]
                if reached > distance[t]:
                    distance[t] = reached
                    parent[t] = s * degree + e
                    improved += 1
    return improved


@compiled
def parent_cycles(parent: Numbers, degree: int) -> Numbers:
    """Return one state on every cycle of the parent graph."""
    colour = np.zeros(len(parent), dtype=np.int64)
    found = np.zeros(len(parent), dtype=np.int64)
    count = 0
    for start in range(len(parent)):
        s = start
        while colour[s] == 0 and parent[s] >= 0:
            colour[s] = start + 1
            s = parent[s] // degree
        if colour[s] == start + 1 and parent[s] >= 0:
            found[count] = s
            count += 1
        colour[s] = max(colour[s], 1)
    return found[:count]


def _best_parent_cycle(parent: Numbers, codes: Codes, objective: Objective) -> GraphCycle | None:
    """Return the best cycle among the edges that last improved each state."""
    degree = codes.shape[1]
    best: GraphCycle | None = None
    for state in parent_cycles(parent, degree).tolist():
        steps: list[tuple[int, int]] = []
        at = state
        while not steps or at != state:
            at, edge = divmod(int(parent[at]), degree)
            steps.append((at, edge))
        found = _measured(tuple(reversed(steps)), codes, objective)
        if best is None or found.ratio > best.ratio:
            best = found
    return best


def _measured(steps: tuple[tuple[int, int], ...], codes: Codes, objective: Objective) -> GraphCycle:
    passed = [int(codes[s, e]) for s, e in steps]
    return GraphCycle(steps, sum(objective.gain[c] for c in passed), sum(objective.price[c] for c in passed))
