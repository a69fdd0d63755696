"""The product graph: a policy's labels beside OPT's work function, state by state, up to renaming of pages.

A state is one (policy label, work-function label) pair per page, and the slot of the round to be served. A
request determines the next state, the policy's fault and OPT's increment, so the competitive ratio is the
largest Σ policy / Σ OPT over cycles. All arithmetic here is exact, in integers.

With g > 1 pages a visit a state also marks the pages of the served layer that cannot be asked for any more in
the visit: those asked for already and, in an atomic visit, from its first fault on those that were cached,
because an atomic visit serves its hits first. So an atomic visit is g steps like any other, in every order in
which the simulator may serve it; OPT's labels take the set at its end.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.max_ratio import RATIO, Codes, GraphCycle, Numbers, Objective, best_cycle
from paging.errors import LimitError, ModelError
from paging.judge import breach
from paging.kernels.jit import helper
from paging.kernels.state_set import Grown, Rows, StateSet, sort_in
from paging.model import Frame, LabelArray, LayeredInstance, Serve, whole_number
from paging.policy import Policy, get_policy
from paging.work_function import update_work_function

LARGEST = 2**31 - 1
"""Largest entry of a row."""

LARGEST_STEP = 2**26
"""Most labels written at a time: successors × pages. It bounds memory, and the time between two looks."""

COMPILE_FROM = 2000
"""States to be expanded from which compiling a policy's definition costs less than running it as it is."""

FREE, ASKED, PASSED = 0, 1, 2
"""What a state says of a page in the visit: it may be asked for, was, or was cached at the first fault."""

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
    state, slot = cold_start(instance), 0
    for _ in range(steps):
        choice = askable(instance, state, slot)
        if not choice:  # a visit that cannot be completed: only the last of a sequence is like that
            state, slot = cold_start(instance), 0
            continue
        page = choice[rng.integers(len(choice))]
        found, state = _tried(policy, instance, h, found, state, slot, page, rng)
        slot = (slot + 1) % instance.round_length
    return found


def kinds_of_marks(instance: LayeredInstance) -> int:
    """Return how many of the marks FREE, ASKED and PASSED the states of an instance use."""
    if instance.per_visit == 1:
        return 1
    return 3 if instance.visits == "atomic" else 2


def cold_start(instance: LayeredInstance) -> Numbers:
    """Return the start: policy label, work-function label and mark of every page, shape (3, N)."""
    return np.zeros((3, instance.total_pages), dtype=np.int64)


def askable(instance: LayeredInstance, state: Numbers, slot: int) -> list[int]:
    """Return the pages that may be asked for in a state of policy labels, work-function labels and marks."""
    marks = state[2].tolist()
    return [page for page in instance.pages_of(slot // instance.per_visit) if marks[page] == FREE]


def served(
    policy: Policy, instance: LayeredInstance, cache: int, state: Numbers, page: int, slot: int
) -> Numbers:
    """Return policy labels, work-function labels and marks, shape (3, N), after a request."""
    labels, work, marks = after = state.copy()
    kinds, frame = kinds_of_marks(instance), instance.frame
    if kinds > 1:
        mark(marks, labels, page, slot, frame, kinds)
    if kinds > PASSED:
        frame = frame._replace(held=state[2] == ASKED)
    policy.serve(labels, page, slot, frame)
    update_work_function(work, page, cache)
    if kinds > 1 and (slot + 1) % instance.per_visit == 0:
        end_visit(update_work_function, marks, work, cache, kinds)
    return after


def _tried(
    policy: Policy,
    instance: LayeredInstance,
    cache: int,
    wanted: Symmetry,
    state: Numbers,
    slot: int,
    page: int,
    rng: np.random.Generator,
) -> tuple[Symmetry, Numbers]:
    """Serve a page, with pages renamed and not; return the symmetries that hold, and what follows."""
    inside, rotation = wanted
    after = served(policy, instance, cache, state, page, slot)
    if inside:
        order = _exchange(instance, rng)
        renamed = served(policy, instance, cache, state[:, order], order.tolist().index(page), slot)
        inside = _sorted(instance, renamed) == _sorted(instance, after)
    if rotation:
        shift, pages = int(rng.integers(instance.layers)), instance.total_pages
        by = shift * instance.pages_by_layer[0]
        order = np.arange(by, by + pages) % pages
        then = (slot - shift * instance.per_visit) % instance.round_length
        turned = served(policy, instance, cache, state[:, order], (page - by) % pages, then)
        rotation = turned.tolist() == after[:, order].tolist()
    return Symmetry(inside, rotation), after


def _sorted(instance: LayeredInstance, state: Numbers) -> list[list[tuple[int, ...]]]:
    columns = list(zip(*state.tolist(), strict=True))
    return [sorted(columns[start:end]) for start, end in pairwise(instance.first_page.tolist())]


def _exchange(instance: LayeredInstance, rng: np.random.Generator) -> Numbers:
    order = np.arange(instance.total_pages)
    for j in range(instance.layers):
        rng.shuffle(order[instance.first_page[j] : instance.first_page[j + 1]])
    return order


def expand(
    serve: Serve,
    update: Callable[[Numbers, int, int], int],
    rows: Rows,
    frame: Frame,
    cache: int,
    kinds: int,
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
        Per page ((policy label − low) · (h + 1) + work-function label) · kinds + mark; then the slot.
    cache : int
        OPT's cache h.
    kinds : int
        How many marks there are (:func:`kinds_of_marks`).
    low : int
        Lower bound on the policy's labels, ≤ 0.
    after : ndarray of int32, shape (S, R, N + 1)
        R is the largest number of pages of a layer.
    codes : ndarray of int8, shape (S, R)
        policy fault + 2·OPT increment; −1 where there is no such request, or an equivalent one came before.
    """
    pages, group = len(frame.layer_of), frame.per_visit
    base = (cache + 1) * kinds
    before = np.zeros(pages, dtype=np.int64)
    known = np.zeros(pages, dtype=np.int64)
    marked = np.zeros(pages, dtype=np.int64)
    labels = np.zeros(pages, dtype=np.int64)
    work = np.zeros(pages, dtype=np.int64)
    marks = np.zeros(pages, dtype=np.int64)
    held = np.zeros(pages if kinds > PASSED else 0, dtype=np.bool_)
    frame = Frame(
        frame.layers,
        frame.cache,
        group,
        frame.layer_of,
        frame.first_page,
        frame.weights,
        frame.prediction,
        held,
    )
    for s in range(len(rows)):
        slot = rows[s, pages]
        layer = slot // group
        first, end = frame.first_page[layer], frame.first_page[layer + 1]
        following = (slot + 1) % (frame.layers * group)
        if rotation and following % group == 0:
            following, shift = 0, frame.first_page[(layer + 1) % frame.layers]
        else:
            shift = 0
        for q in range(pages):
            code = rows[s, q]
            if kinds > 1:
                code, marked[q] = code // kinds, code % kinds
                if kinds > PASSED:
                    held[q] = marked[q] == ASKED
            before[q] = code // (cache + 1) + low
            known[q] = code % (cache + 1)
        for i in range(codes.shape[1]):
            page = first + i
            codes[s, i] = -1
            if page >= end or marked[page] != FREE:
                continue
            if inside and i > 0 and rows[s, page] == rows[s, page - 1]:
                continue
            labels[:] = before
            work[:] = known
            codes[s, i] = 1 if before[page] <= 0 else 0
            if kinds > 1:
                marks[:] = marked
                mark(marks, before, page, slot, frame, kinds)
            serve(labels, page, slot, frame)
            codes[s, i] += 2 * update(work, page, cache)
            if kinds > 1:
                if lacks(marks, labels, kinds):
                    return ILLEGAL
                if (slot + 1) % group == 0:
                    end_visit(update, marks, work, cache, kinds)
            problem = problem_of(before, labels, page, frame.cache, low, base)
            if problem:
                return problem
            for q in range(pages):
                place = q - shift if q >= shift else q - shift + pages
                code = (labels[q] - low) * (cache + 1) + work[q]
                after[s, i, place] = code if kinds == 1 else code * kinds + marks[q]
            after[s, i, pages] = following
            if inside:
                row = after[s, i]
                for j in range(frame.layers):
                    for q in range(frame.first_page[j] + 1, frame.first_page[j + 1]):
                        sort_in(row, frame.first_page[j], q)
    return 0


@helper
def mark(marks: Numbers, labels: Numbers, page: int, slot: int, frame: Frame, kinds: int) -> None:
    """Mark that a page is asked for in a visit, before the policy of these labels serves it."""
    layer = slot // frame.per_visit
    if kinds > PASSED and labels[page] <= 0:
        for q in range(frame.first_page[layer], frame.first_page[layer + 1]):
            if labels[q] > 0 and marks[q] == FREE:
                marks[q] = PASSED
    if kinds > ASKED:
        marks[page] = ASKED


@helper
def lacks(marks: Numbers, labels: Numbers, kinds: int) -> bool:
    """Say whether a page of an atomic visit has left before its end."""
    if kinds > PASSED:
        for q in range(len(marks)):
            if marks[q] == ASKED and labels[q] <= 0:
                return True
    return False


@helper
def end_visit(
    update: Callable[[Numbers, int, int], int], marks: Numbers, work: Numbers, cache: int, kinds: int
) -> None:
    """Clear the marks; OPT is asked for the pages of an atomic visit a second time."""
    for q in range(len(marks)):
        if kinds > PASSED and marks[q] == ASKED:
            update(work, q, cache)
        marks[q] = FREE


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


def requests_of(
    instance: LayeredInstance, labels: Rows, slots: Rows
) -> Iterator[tuple[LabelArray, int, int]]:
    """Yield (labels, page, slot) for every state and every page that may be requested there."""
    for state, slot in zip(labels.astype(np.int64), slots.tolist(), strict=True):
        for page in instance.pages_of(slot // instance.per_visit):
            yield state, page, slot


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
        types.int64,
        types.boolean,
        types.boolean,
        types.int32[:, :, ::1],
        types.int8[:, ::1],
    )
    return compile_as(expand, signature)


class ProductGraph(Grown):
    """The product graph of a deterministic policy and the work function, grown state by state.

    Parameters
    ----------
    policy : str or Policy
        Deterministic.
    instance : LayeredInstance
        Forced service, cold start.
    opt_cache : int, optional
        OPT's cache size h, at least g if visits are atomic; default the instance's k.
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
        instance.require("the product graph", service="forced", cost="unit")
        self.instance = instance
        self.opt_cache = instance.cache if opt_cache is None else opt_cache
        least = instance.per_visit if instance.visits == "atomic" else 1
        whole_number(self.opt_cache, "opt_cache (h)", least, instance.cache)
        self.kinds = kinds_of_marks(instance)
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
                self._refuse(problem, rows)
                return after, codes
            self._lower()

    def _lower(self) -> None:
        """Make room for lower labels: those a policy remembers pages by that are not cached."""
        more = self.instance.cache - self.low
        rows = self._set.rows()
        rows[:, :-1] += more * (self.opt_cache + 1) * self.kinds
        self.low -= more
        if -self.low >= LARGEST // (2 * (self.opt_cache + 1) * self.kinds):
            self._refuse(TOO_LARGE, rows)
        self._set = StateSet(rows)

    def best_cycle(self, objective: Objective | None = None) -> GraphCycle | None:
        """Return the cycle of largest ratio among the expanded states, or None where there is none > 0."""
        return best_cycle(self.targets, self.codes, objective or RATIO).cycle

    def keeps_symmetry(self, *, samples: int = 1000, seed: int = 0) -> bool:
        """Try the symmetries once more, on states from all over the graph; on each ten times if few."""
        rng = np.random.default_rng(seed)
        chosen = np.resize(rng.permutation(self.states), min(samples, 10 * self.states))
        *parts, slots = self.label_rows(chosen)
        for state, slot in zip(np.stack(parts, axis=1).astype(np.int64), slots.tolist(), strict=True):
            choice = askable(self.instance, state, slot)
            if not choice:
                continue
            page = choice[rng.integers(len(choice))]
            wanted = self.symmetry
            found, _ = _tried(self.policy, self.instance, self.opt_cache, wanted, state, slot, page, rng)
            if found != wanted:
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

    def label_rows(self, states: Any = slice(None)) -> tuple[Rows, Rows, Rows, Rows]:
        """Return policy labels, work-function labels, marks, shape (S, N), and slots (S,) of states.

        Default: of all.
        """
        rows = self._set.rows(states)
        codes, marks = np.divmod(rows[:, :-1], self.kinds)
        labels, work = np.divmod(codes, self.opt_cache + 1)
        return labels + self.low, work, marks, rows[:, -1]

    def key(self, state: int, edge: int) -> tuple[int, int, int]:
        """Return policy label, work-function label and mark of the page that an edge requests."""
        labels, work, marks, slots = self.label_rows([state])
        page = int(self.instance.first_page[int(slots[0]) // self.instance.per_visit]) + edge
        return int(labels[0, page]), int(work[0, page]), int(marks[0, page])

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
            sizes = self.opt_cache, self.kinds, self.low
            return run(serve, update, rows, frame, *sizes, inside, rotation, after, codes)

        return expander

    def _refuse(self, problem: int, rows: Rows) -> None:
        if problem == ILLEGAL:
            labels = rows[:, :-1] // ((self.opt_cache + 1) * self.kinds) + self.low
            asked = requests_of(self.instance, labels, rows[:, -1])
            raise breach(self.policy.name, self.policy.serve, asked, [self.instance.frame])
        if problem == TOO_LARGE:
            raise LimitError(
                f"labels of policy {self.policy.name} grow beyond "
                f"{LARGEST // ((self.opt_cache + 1) * self.kinds):,}"
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
