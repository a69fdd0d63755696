"""The exact competitive ratio of a deterministic policy where a fault costs what its page weighs.

A state is the policy's labels, the number of OPT's work function over all caches (with weights one label per
page does not describe it) and the layer to be served. As at unit cost, a cycle forces the ratio for ever and
a potential bounds it; a certificate of type ``weighted-exact`` holds both. States are not counted up to
renaming, so instances must be small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from adversary.cycles.cycle import Cycle
from adversary.cycles.max_ratio import GraphCycle, Objective, best_cycle, longest_paths
from paging.certificate import Certificate, NoCertificateError, certificate, packed
from paging.errors import ModelError
from paging.judge import breach
from paging.model import HIT, LayeredInstance, whole_number
from paging.numbers import number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, StoppedError, Watch
from proofs.game.cache_values import NEVER, serve_values
from proofs.game.work_functions import WorkFunctions
from proofs.ratio.deterministic import FromBelow, RatioProgress

LOOK = 4096
"""States expanded between two looks at the clock and at whether to stop."""

Labels = tuple[int, ...]
State = tuple[int, int, int]
"""Number of the labels, number of the work function, layer to be served."""


class WeightedGraph:
    """The product graph of a policy and the work function over caches, grown state by state.

    Attributes
    ----------
    states : list of State
        Found so far, the cold start first.
    targets, codes : list of list of int
        Successor and cost code of every request, one per page of the layer.
    costs : list of (int, int)
        What a cost code stands for: policy and OPT, in units of 1/scale.
    """

    def __init__(self, policy: Policy, instance: LayeredInstance, opt_cache: int) -> None:
        self.policy, self.instance = policy, instance
        self.work = WorkFunctions(instance, opt_cache)
        self.vectors: list[Labels] = []
        self._vector: dict[Labels, int] = {}
        self._answers: dict[tuple[int, int], tuple[int, bool]] = {}
        self.states: list[State] = []
        self._state: dict[State, int] = {}
        self.targets: list[list[int]] = []
        self.codes: list[list[int]] = []
        self.costs: list[tuple[int, int]] = []
        self._code: dict[tuple[int, int], int] = {}
        self.origin: list[tuple[int, int]] = [(-1, -1)]
        self._known(self._labels((0,) * instance.total_pages), 0, 0)

    def _labels(self, labels: Labels) -> int:
        found = self._vector.setdefault(labels, len(self.vectors))
        if found == len(self.vectors):
            self.vectors.append(labels)
        return found

    def _known(self, labels: int, function: int, layer: int) -> int:
        state = labels, function, layer
        found = self._state.setdefault(state, len(self.states))
        if found == len(self.states):
            self.states.append(state)
        return found

    def answer(self, labels: int, page: int) -> tuple[int, bool]:
        """Return the policy's labels after a request, by number, and whether it was a fault."""
        found = self._answers.get((labels, page))
        if found is None:
            before = self.vectors[labels]
            after = np.array(before, dtype=np.int64)
            self.policy.serve(after, page, int(self.instance.layer_of[page]), self.instance.frame)
            now = tuple(after.tolist())
            new = [q for q, (old, label) in enumerate(zip(before, now, strict=True)) if old <= 0 < label]
            held = sum(label > 0 for label in now)
            if now[page] <= 0 or new not in ([], [page]) or held > self.instance.cache:
                asked = [(np.array(before, dtype=np.int64), page, int(self.instance.layer_of[page]))]
                raise breach(self.policy.name, self.policy.serve, asked, [self.instance.frame])
            self._answers[labels, page] = found = self._labels(now), before[page] <= 0
        return found

    def expand(self, state: int) -> None:
        """Find the successors of a state."""
        labels, function, layer = self.states[state]
        following = (layer + 1) % self.instance.layers
        targets, codes = [], []
        for edge, page in enumerate(self.instance.pages_of(layer)):
            after, fault = self.answer(labels, page)
            work, grown = self.work.serve(function, page)
            target = self._known(after, work, following)
            if target == len(self.origin):
                self.origin.append((state, edge))
            cost = int(self.work.weights[page]) if fault else 0, grown
            code = self._code.setdefault(cost, len(self.costs))
            if code == len(self.costs):
                self.costs.append(cost)
            targets.append(target)
            codes.append(code)
        self.targets.append(targets)
        self.codes.append(codes)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, Objective]:
        """Return the graph as :func:`adversary.cycles.max_ratio.best_cycle` takes it."""
        widest = max(self.instance.pages_by_layer)
        targets = np.full((len(self.states), widest), -1, dtype=np.int32)
        codes = np.full((len(self.states), widest), -1, dtype=np.int16)
        for s, (row, kinds) in enumerate(zip(self.targets, self.codes, strict=True)):
            targets[s, : len(row)], codes[s, : len(row)] = row, kinds
        gains, prices = zip(*self.costs, strict=True)
        return targets, codes, Objective("weighted ratio", gains, prices)

    def page(self, state: int, edge: int) -> int:
        """Return the page that an edge requests."""
        return int(self.instance.first_page[self.states[state][2]]) + edge

    def path_to(self, state: int) -> list[int]:
        """Return the requests by which a state was first found from the cold start."""
        pages = []
        while state:
            state, edge = self.origin[state]
            pages.append(self.page(state, edge))
        return pages[::-1]


@dataclass(frozen=True)
class WeightedRatio(FromBelow):
    """The competitive ratio of a policy on an instance with weights, or what is known of it.

    Attributes are those of :class:`proofs.ratio.deterministic.ExactRatio`; ``cycle`` costs what is paid, and
    ``additive`` is a constant b with cost ≤ ratio·OPT + b on every sequence, not always the least.
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
    _graph: WeightedGraph = field(repr=False)
    _potential: np.ndarray | None = field(repr=False)

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``weighted-exact``.

        Raises
        ------
        NoCertificateError
            The ratio is unbounded, or only an interval is known.
        """
        if self.cycle is None or self._potential is None or self.additive is None:
            raise NoCertificateError(f"the exact ratio of policy {self.policy} with weights is not known")
        graph = self._graph
        used = sorted({function for _, function, _ in graph.states})
        place = {function: i for i, function in enumerate(used)}
        evidence: dict[str, object] = {
            "functions": packed(graph.work.plain(used).ravel()),
            "labels": packed(np.array([graph.vectors[labels] for labels, _, _ in graph.states]).ravel()),
            "works": packed(np.array([place[function] for _, function, _ in graph.states])),
            "layers": packed(np.array([layer for _, _, layer in graph.states])),
            "potential": packed(self._potential.max() - self._potential),
            "prefix": list(self.cycle.prefix),
            "cycle": list(self.cycle.requests),
            **_returning(graph, self.cycle),
        }
        claim: dict[str, object] = {
            "instance": self.instance.plain,
            "policy": self.spec,
            "opt_cache": self.opt_cache,
            "ratio": number(self.lower),
            "additive": number(self.additive),
        }
        return certificate("weighted-exact", claim, evidence, provenance)


def weighted_ratio(
    policy: str | Policy,
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    max_states: int | None = None,
    watch: Watch = UNWATCHED,
) -> WeightedRatio:
    """Return the exact competitive ratio of a deterministic policy where faults cost what pages weigh.

    Parameters
    ----------
    policy : str or Policy
        Deterministic.
    instance : LayeredInstance
        One page per visit, sequential, forced service, with or without weights; k < number of pages.
    opt_cache : int, optional
        OPT's cache h ≤ k; default k.
    max_states : int, optional
        Give up beyond so many states, keeping the best cycle so far. Needed unless the policy declares the
        trait ``finite-state``.
    watch : Watch
        Told the progress now and then; asked to stop, the computation ends with what is known.

    Raises
    ------
    ModelError, UnsupportedModelError, LimitError
        The policy is randomised or may have infinitely many states, the instance is outside the range, or it
        has too many caches.

    Guarantee
    ---------
    Exact, in whole numbers; ``certificate()`` holds what the checker needs.

    Examples
    --------
    >>> weighted = LayeredInstance(layers=1, pages=3, cache=2, weights=[1, 2, 4])
    >>> found = weighted_ratio("landlord", weighted)
    >>> found.ratio, found.states
    (Fraction(2, 1), 21)
    """
    answer = get_policy(policy)
    answer.check(instance)
    instance.require("a ratio with weights", service="forced", visits="sequential", per_visit=1)
    if answer.randomized:
        raise ModelError(f"a ratio with weights is of a deterministic policy; {answer.name} is randomised")
    instance.require_evictions()
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    elif "finite-state" not in answer.traits:
        raise ModelError(
            f"policy {answer.name} does not declare the trait finite-state, so its product graph may be "
            f"infinite; with max_states that many states are explored, and the result is an interval"
        )
    small = instance.cache if opt_cache is None else opt_cache
    whole_number(small, "opt_cache (h)", 1, instance.cache)
    graph = WeightedGraph(answer, instance, small)
    complete = False
    best: GraphCycle | None = None
    iterations, potential = 0, None
    targets = codes = objective = None
    try:
        complete = _explore(graph, max_states, watch)
        graph.work.require_sums(len(graph.states))
        targets, codes, objective = _cut(graph)
        states = len(graph.states)
        sweeps = Watch(lambda ratio: watch.look(RatioProgress(states, 0, ratio, solving=True)))
        found = best_cycle(targets, codes, objective, watch=sweeps)
        best, iterations = found.cycle, found.iterations
        if complete and (best is None or best.price):
            exact = Fraction(0) if best is None else Fraction(best.gain, best.price)
            potential = longest_paths(targets, codes, exact, objective, watch=sweeps)
    except StoppedError:
        complete = False
    cycle = None if best is None else _literal(graph, best, small)
    additive = None
    if potential is not None:
        exact = Fraction(0) if best is None else Fraction(best.gain, best.price)
        additive = Fraction(int(potential.max()), exact.denominator * _scale(instance))
    edges = sum(map(len, graph.targets))
    return WeightedRatio(
        answer.name, answer.spec, instance, small, cycle, additive, len(graph.states), edges, iterations,
        complete, graph, potential,
    )  # fmt: skip


def _scale(instance: LayeredInstance) -> int:
    return 1 if instance.weights is None else instance.weights.scale


def _explore(graph: WeightedGraph, max_states: int | None, watch: Watch) -> bool:
    """Build the graph breadth first; return whether it is the whole one."""
    done = 0
    while done < len(graph.states):
        if done % LOOK == 0:
            watch.look(RatioProgress(len(graph.states), len(graph.states) - done, None, False))
        if max_states is not None and len(graph.states) > max_states:
            return False
        graph.expand(done)
        done += 1
    return True


def _cut(graph: WeightedGraph) -> tuple[np.ndarray, np.ndarray, Objective]:
    """Return the graph as arrays; states that were not expanded have no requests."""
    missing = len(graph.states) - len(graph.targets)
    graph.targets += [[] for _ in range(missing)]
    graph.codes += [[] for _ in range(missing)]
    return graph.arrays()


def _literal(graph: WeightedGraph, best: GraphCycle, small: int) -> Cycle:
    """Return a cycle of the graph as requests: states are not renamed, so it returns as it is."""
    weights = graph.instance.weights
    online, offline = (
        (best.gain, best.price)
        if weights is None
        else (weights.unscaled(best.gain), weights.unscaled(best.price))
    )
    pages = [graph.page(state, edge) for state, edge in best.steps]
    prefix = graph.path_to(best.steps[0][0])
    return Cycle(
        graph.instance, graph.policy.name, tuple(prefix), tuple(pages), online, offline, small  # type: ignore[arg-type]
    )  # fmt: skip


def _returning(graph: WeightedGraph, cycle: Cycle) -> dict[str, object]:
    """Return a cache and a schedule of some repetitions that costs what OPT pays and returns to it.

    At the cycle's boundary the work function is the same, so every cache that it has a value for was reached
    from another one at that price; going back from any of them, one comes round.
    """
    work, masks = graph.work, graph.work.tables.masks.tolist()
    function = 0
    for page in cycle.prefix:
        function, _ = work.serve(function, page)
    layers = [work.listed[function]]
    for page in cycle.requests:
        layers.append(_unreduced(work, layers[-1], page))
    boundary = work.listed[function]
    kept = [c for c, value in enumerate(boundary.tolist()) if value < NEVER]
    back = {c: _back(work, layers, cycle.requests, c) for c in kept}
    seen: dict[int, int] = {}
    walk: list[int] = []
    at = kept[0]
    while at not in seen:
        seen[at] = len(walk)
        walk.append(at)
        at = back[at][0]
    # The walk goes back in time: later repetitions come first.
    periods = walk[seen[at] :][::-1]
    entries = [entry for c in periods for entry in back[c][1]]
    start = [q for q in range(graph.instance.total_pages) if masks[at] >> q & 1]
    return {"start": start, "periods": len(periods), "schedule": packed(entries)}


def _unreduced(work: WorkFunctions, values: np.ndarray, page: int) -> np.ndarray:
    """Return what every cache costs at least after a request, nothing left out."""
    after = np.empty_like(values)
    swap = np.full(len(work.weights), work.weights[page])
    serve_values(work.tables.masks, work.tables.index, values, page, 0, swap, after)
    return after


def _back(
    work: WorkFunctions, layers: list[np.ndarray], requests: tuple[int, ...], cache: int
) -> tuple[int, list[int]]:
    """Return from which cache a cheapest schedule of the requests comes to a cache, and its entries."""
    masks, index = work.tables.masks.tolist(), work.tables.index
    entries: list[int] = []
    for t in range(len(requests) - 1, -1, -1):
        page, before, value = requests[t], layers[t], int(layers[t + 1][cache])
        if before[cache] < NEVER and int(before[cache]) == value:
            entries.append(HIT)
            continue
        rest = masks[cache] ^ (1 << page)
        for q in range(len(work.weights)):
            if q != page and not rest >> q & 1:
                origin = int(index[rest | 1 << q])
                if before[origin] < NEVER and int(before[origin]) + int(work.weights[page]) == value:
                    entries.append(q)
                    cache = origin
                    break
        else:
            raise AssertionError("the value of a cache comes from a cache")
    return cache, entries[::-1]
