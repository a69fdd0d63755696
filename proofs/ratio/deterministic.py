"""The exact competitive ratio of a deterministic policy, from its product graph with the work function.

Two sides meet: a cycle forces the ratio for ever, and a potential on all states bounds it, with the least
additive constant. Both go into a certificate that :mod:`proofs.checker` judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.cycle import (
    Cycle,
    NoCycleError,
    cycle_certificate,
    cycle_claim,
    cycle_evidence,
    literal,
)
from adversary.cycles.max_ratio import GraphCycle, best_cycle, longest_paths
from adversary.cycles.product_graph import ASKED, ProductGraph, Symmetry
from paging.certificate import Certificate, NoCertificateError, certificate, packed
from paging.errors import LimitError, ModelError
from paging.html import facts_table
from paging.model import SHOWN, LayeredInstance, whole_number
from paging.numbers import number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, StoppedError, Watch
from proofs.checker.rules import RULES, SPLIT

CHUNK = 16384
"""States expanded between two looks at the clock and at whether to stop."""
FIRST_LOOK = 200_000
"""States from which bounds are computed on the way, each time the graph has doubled."""

NO_SYMMETRY = Symmetry(False, False)


@dataclass(frozen=True)
class RatioProgress:
    """How far a computation has come.

    Attributes
    ----------
    states, frontier : int
        States found, and those of them still to be expanded.
    lower : Fraction, float or None
        The largest ratio of a cycle found so far.
    solving : bool
        Whether the graph is complete, and the largest ratio is being determined.
    """

    states: int
    frontier: int
    lower: Fraction | float | None
    solving: bool

    def __str__(self) -> str:
        doing = "solving" if self.solving else f"{self.frontier:,} to be expanded"
        bound = "" if self.lower is None else f"; ratio ≥ {self.lower}"
        return f"{self.states:,} states, {doing}{bound}"


class FromBelow:
    """A ratio that a cycle proves from below, and that is exact once the whole graph was searched."""

    policy: str
    instance: LayeredInstance
    opt_cache: int
    cycle: Any
    additive: Fraction | None
    states: int
    complete: bool

    @property
    def lower(self) -> Fraction | float:
        """What the cycle proves; ``inf`` if OPT pays nothing in it."""
        return Fraction(0) if self.cycle is None else self.cycle.ratio

    @property
    def ratio(self) -> Fraction | float | None:
        """The exact competitive ratio, ``inf`` for none; None where only a lower bound is known."""
        return self.lower if self.complete or self.lower == float("inf") else None

    def _repr_html_(self) -> str:
        known = "ratio, exact" if self.ratio is not None else "ratio at least"
        facts: dict[str, object] = {known: self.lower, "OPT's cache": self.opt_cache}
        if self.additive is not None:
            facts["additive constant"] = self.additive
        if self.cycle is not None:
            pages = self.instance.page_names(self.cycle.requests, SHOWN)
            facts["forced by the cycle"] = f"{pages}: {self.cycle.online} faults, OPT {self.cycle.offline}"
        facts["states of the graph"] = self.states
        return facts_table(f"competitive ratio of {self.policy} on {self.instance}", facts)


@dataclass(frozen=True)
class ExactRatio(FromBelow):
    """The competitive ratio of a policy on an instance, or what is known of it.

    Attributes
    ----------
    policy, spec : str
        Name of the policy, and the text that makes it.
    instance : LayeredInstance
        Forced service, cold start.
    opt_cache : int
        OPT's cache size h ≤ k.
    cycle : Cycle or None
        Requests that force ``lower`` when repeated for ever; None where no cycle costs the policy anything.
    additive : Fraction or None
        The least b with faults ≤ ratio·OPT + b on every sequence; None unless the ratio is known and finite.
    states, edges, iterations : int
        Size of the product graph, and Newton steps.
    complete : bool
        Whether the whole graph was searched, so that ``ratio`` is exact.
    """

    policy: str
    spec: str
    instance: LayeredInstance
    opt_cache: int
    cycle: Cycle | None
    additive: Fraction | None
    states: int
    edges: int
    iterations: int
    complete: bool
    _graph: ProductGraph = field(repr=False)
    _potential: NDArray[np.int64] | None = field(repr=False)

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``exact``; of type ``cycle`` if the ratio is unbounded or not known.

        Raises
        ------
        NoCertificateError
            No cycle is known.
        """
        if self.cycle is None:
            raise NoCertificateError(f"no cycle is known in which policy {self.policy} faults")
        policy = self._graph.policy
        if self._potential is None:
            return cycle_certificate(self.cycle, policy, provenance=provenance)
        below = {**cycle_claim(self.cycle), **cycle_evidence(self.cycle, policy)}
        evidence = {"cycle": below, "potential": self._upper()}
        return certificate("exact", self._claim(), evidence, provenance)

    def potential_certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return the upper side alone, as a certificate of type ``potential``."""
        if self._potential is None:
            raise NoCertificateError(f"no finite upper bound on the ratio of policy {self.policy} is known")
        return certificate("potential", self._claim(), self._upper(), provenance)

    def _claim(self) -> dict[str, object]:
        assert self.additive is not None
        return {
            "instance": self.instance.plain,
            "policy": self.spec,
            "opt_cache": self.opt_cache,
            "ratio": number(self.lower),
            "additive": number(self.additive),
        }

    def _upper(self) -> dict[str, object]:
        assert self._potential is not None
        return potential_evidence(self._graph, self._potential.max() - self._potential)


def potential_evidence(graph: ProductGraph, potential: NDArray[np.int64]) -> dict[str, object]:
    """Return the evidence of a certificate of type ``potential``: the states, and a number ≥ 0 for each."""
    evidence = states_evidence(graph)
    evidence["potential"] = packed(potential)
    if graph.policy.spec not in RULES:
        evidence["moves"] = _moves(graph)
    return evidence


def states_evidence(graph: ProductGraph) -> dict[str, object]:
    """Return the states of a graph for a certificate: labels, work function, layer, and what is alike."""
    labels, work, marks, slots = graph.label_rows()
    return {
        "alike": [word for word, on in zip(("pages", "layers"), graph.symmetry, strict=True) if on],
        "labels": packed(labels.ravel()),
        "work": packed(work.ravel()),
        **({"marks": packed(marks.ravel())} if graph.kinds > 1 else {}),
        "layers": packed(slots // graph.instance.per_visit),
    }


def _refuse_moves_of_the_visit(
    policy: Policy, instance: LayeredInstance, states: NDArray[np.int64], held: NDArray[np.bool_]
) -> None:
    """Raise NoCertificateError if what a policy does depends on the pages that a visit has asked for."""
    for (*before, slot), together in zip(states.tolist(), held, strict=True):
        for page in instance.pages_of(slot // instance.per_visit):
            frames = instance.frame, instance.frame._replace(held=together)
            answers = []
            for frame in frames:
                answer = np.array(before, dtype=np.int64)
                policy.serve(answer, page, slot, frame)
                answers.append(answer.tolist())
            if not together[page] and answers[0] != answers[1]:
                raise NoCertificateError(
                    f"no certificate: the checker has no rule of policy {policy.spec}, and a list of moves "
                    f"does not say which pages an atomic visit holds"
                )


def _moves(graph: ProductGraph) -> dict[str, object]:
    """Return what a policy does on each of the label vectors, for a checker that does not know it."""
    policy, instance = graph.policy, graph.instance
    labels, _, marks, slots = graph.label_rows()
    held = marks == ASKED if instance.visits == "atomic" and graph.kinds > 1 else marks[:, :0] > 0
    seen = np.unique(np.column_stack([labels, slots, held]), axis=0)
    own, known = labels.shape[1] + 1, np.unique(np.column_stack([labels, slots]), axis=0)
    split = SPLIT.fullmatch(policy.spec)
    if held.any() and not (split and (split[1] or "lru") in RULES):
        _refuse_moves_of_the_visit(policy, instance, seen[:, :own], seen[:, own:].astype(np.bool_))
    widest = max(instance.pages_by_layer)
    after = np.zeros((len(known), widest, instance.total_pages), dtype=np.int64)
    for m, (*before, slot) in enumerate(known.tolist()):
        for place, page in enumerate(instance.pages_of(slot // instance.per_visit)):
            after[m, place] = before
            policy.serve(after[m, place], page, slot, instance.frame)
    layers, asked = np.divmod(known[:, -1], instance.per_visit)
    return {
        "labels": packed(known[:, :-1].ravel()),
        "layers": packed(layers),
        **({"asked": packed(asked)} if instance.per_visit > 1 else {}),
        "after": packed(after.ravel()),
    }


def exact_ratio(
    policy: str | Policy,
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    max_states: int | None = None,
    symmetric: bool = True,
    watch: Watch = UNWATCHED,
) -> ExactRatio:
    """Return the exact competitive ratio of a deterministic policy, with what proves it.

    Parameters
    ----------
    policy : str or Policy
        Deterministic, with finitely many states; built in or outside.
    instance : LayeredInstance
        Forced service, k < number of pages; layers may have different sizes, visits g pages, one after the
        other or together.
    opt_cache : int, optional
        OPT's cache size h ≤ k; default k.
    max_states : int, optional
        Give up beyond this many states of the product graph, keeping the best cycle so far. Needed for a
        policy that does not declare the trait ``finite-state``. Default: no limit.
    symmetric : bool, default True
        Whether states that differ by a renaming of pages count as one, where the policy allows it.
    watch : Watch
        Told the :class:`RatioProgress` now and then; asked to stop, the computation ends with what is known.

    Returns
    -------
    ExactRatio

    Raises
    ------
    ModelError, UnsupportedModelError
        The policy is randomised or has infinitely many states, or the instance is outside the range.

    Guarantee
    ---------
    Exact. The cycle is replayed with the policy itself; the potential is checked by
    ``certificate()`` and ``paging verify``. O(S·R·N) to build a graph of S states with R requests each and N
    pages; the largest cycle ratio by Newton steps of longest-path sweeps.

    Examples
    --------
    >>> found = exact_ratio("lru", LayeredInstance(layers=2, pages=3, cache=3))
    >>> found.ratio, found.additive, found.states
    (Fraction(3, 1), Fraction(0, 1), 24)
    """
    answer = get_policy(policy)
    instance.require_evictions()
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    elif not answer.randomized and "finite-state" not in answer.traits:
        raise ModelError(
            f"policy {answer.name} does not declare the trait finite-state, so its product graph may be "
            f"infinite; with max_states that many states are explored, and the result is an interval"
        )
    for symmetry in (None, NO_SYMMETRY) if symmetric else (NO_SYMMETRY,):
        graph = ProductGraph(answer, instance, opt_cache=opt_cache, symmetry=symmetry)
        if answer.spec in RULES and not RULES[answer.spec].turns:
            graph.symmetry = graph.symmetry._replace(rotation=False)
        try:
            found = _Solver(graph, max_states, watch).solve()
        except NoCycleError:
            if graph.symmetry == NO_SYMMETRY:
                raise
            continue
        if graph.keeps_symmetry():
            break
        # The policy lacks a symmetry that it showed on the walk by which it was tried.
    return found


class _Solver:
    """Builds the graph, then finds its best cycle and potential; keeps what is known when stopped."""

    def __init__(
        self,
        graph: ProductGraph,
        max_states: int | None,
        watch: Watch,
    ) -> None:
        self.graph, self.max_states = graph, max_states
        self.watch = watch
        self.sweeps = Watch(lambda ratio: self.look())
        self.best: GraphCycle | None = None
        self.iterations = 0
        self.potential: NDArray[np.int64] | None = None
        self.solving = False

    def solve(self) -> ExactRatio:
        complete = False
        try:
            complete = self.explore()
            self.solving = complete
            self.improve()
            if complete and (self.best is None or self.best.price):
                self.potential = longest_paths(
                    self.graph.targets, self.graph.codes, self.exact_lower, watch=self.sweeps
                )
        except StoppedError:
            complete = False
        return self.result(complete)

    def explore(self) -> bool:
        """Build the graph; return whether it is the whole one."""
        graph, next_look = self.graph, FIRST_LOOK
        while not graph.complete:
            try:
                graph.explore_chunk(CHUNK)
            except LimitError:
                return False
            self.look()
            if self.max_states is not None and graph.states > self.max_states:
                return False
            if graph.states >= next_look and not graph.complete:
                self.improve()
                next_look = 2 * graph.states
        return True

    def improve(self) -> None:
        """Find the best cycle among the states expanded so far."""
        found = best_cycle(self.graph.targets, self.graph.codes, start=self.best, watch=self.sweeps)
        self.iterations += found.iterations
        self.best = found.cycle

    @property
    def exact_lower(self) -> Fraction:
        return Fraction(0) if self.best is None else Fraction(self.best.gain, self.best.price)

    def look(self) -> None:
        lower = None if self.best is None else self.best.ratio
        frontier = self.graph.states - self.graph.expanded
        self.watch.look(RatioProgress(self.graph.states, frontier, lower, self.solving))

    def result(self, complete: bool) -> ExactRatio:
        graph = self.graph
        cycle = None if self.best is None else literal(graph, self.best)
        if cycle is not None:
            cycle.check(graph.policy)
            if self.best is not None and cycle.ratio != self.best.ratio:
                raise NoCycleError(f"{graph.policy.name}: replayed, the cycle has another ratio")
        additive = None
        if self.potential is not None:
            additive = Fraction(int(self.potential.max()), self.exact_lower.denominator)
        return ExactRatio(
            graph.policy.name,
            graph.policy.spec,
            graph.instance,
            graph.opt_cache,
            cycle,
            additive,
            graph.states,
            int(np.count_nonzero(graph.codes >= 0)),
            self.iterations,
            complete,
            graph,
            self.potential,
        )
