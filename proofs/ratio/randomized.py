"""Exact competitive ratios of randomised policies against an oblivious adversary.

A policy whose distribution over its label vectors takes finitely many values is a deterministic process on
those values; its cost for a request is the probability of a fault. With OPT's work function beside it that
is a finite graph, and the competitive ratio is the largest Σ expected faults / Σ OPT over cycles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.cycle import literal
from adversary.cycles.max_ratio import Codes, GraphCycle, Objective, best_cycle, longest_paths
from adversary.cycles.product_graph import ProductGraph
from paging.certificate import Certificate, NoCertificateError, certificate, packed
from paging.errors import LimitError
from paging.model import LabelArray, LayeredInstance, RequestSequence, whole_number
from paging.numbers import number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, StoppedError, Watch
from paging.simulate import Session, judged
from paging.work_function import update_work_function
from proofs.ratio.deterministic import CHUNK, FromBelow, RatioProgress, states_evidence
from proofs.ratio.distributions import PROCESSES, LabelProcess

Numbers = NDArray[np.int64]
Distribution = frozenset[tuple[tuple[int, ...], Fraction]]


@dataclass(frozen=True)
class ExpectedCycle:
    """Requests that can be repeated for ever at the same expected cost.

    Attributes
    ----------
    instance : LayeredInstance
        One page per visit, forced service, cold start.
    prefix, requests : tuple of int
        What comes once, and what is repeated. The cycle has whole rounds.
    online : Fraction
        Expected faults of the policy in one repetition.
    offline : int
        OPT's faults in one repetition.
    """

    instance: LayeredInstance
    prefix: tuple[int, ...]
    requests: tuple[int, ...]
    online: Fraction
    offline: int

    @property
    def ratio(self) -> Fraction | float:
        """Expected faults per OPT fault; ``inf`` where OPT pays nothing."""
        return self.online / self.offline if self.offline else float("inf")

    def sequence(self, repetitions: int = 1) -> RequestSequence:
        """Return the prefix and so many repetitions as a legal sequence."""
        return RequestSequence(self.instance, [*self.prefix, *self.requests * repetitions])


@dataclass(frozen=True)
class RandomizedRatio(FromBelow):
    """The competitive ratio of a randomised policy on an instance, or what is known of it.

    Attributes
    ----------
    policy : str
        Its name.
    instance : LayeredInstance
        One page per visit, forced service, cold start.
    opt_cache : int
        OPT's cache size h ≤ k.
    cycle : ExpectedCycle or None
        Requests that force ``lower`` when repeated for ever; None where none costs the policy anything.
    additive : Fraction or None
        The least b with E[faults] ≤ ratio·OPT + b on every sequence; None unless the ratio is finite and
        known.
    states, edges, iterations : int
        Size of the graph, and Newton steps.
    complete : bool
        Whether the whole graph was searched, so that ``ratio`` is exact.
    """

    policy: str
    instance: LayeredInstance
    opt_cache: int
    cycle: ExpectedCycle | None
    additive: Fraction | None
    states: int
    edges: int
    iterations: int
    complete: bool
    _graph: ProductGraph | None = field(repr=False)
    _potential: tuple[Numbers, int] | None = field(repr=False)

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return a certificate of type ``expected``, of both directions or of the lower bound alone.

        Raises
        ------
        NoCertificateError
            No cycle is known, the ratio is unbounded, or the checker does not know the policy.
        """
        if self._graph is None:
            raise NoCertificateError(
                f"the checker knows the distributions of {', '.join(PROCESSES)}, not of {self.policy}"
            )
        if self.cycle is None or not self.cycle.offline:
            raise NoCertificateError(f"no cycle of finite ratio is known for policy {self.policy}")
        claim: dict[str, object] = {
            "instance": self.instance.plain,
            "policy": self.policy,
            "opt_cache": self.opt_cache,
            "lower": number(self.lower),
        }
        evidence: dict[str, object] = {
            "cycle": {
                "prefix": list(self.cycle.prefix),
                "cycle": list(self.cycle.requests),
                "online": number(self.cycle.online),
                "offline": self.cycle.offline,
            }
        }
        if self._potential is not None:
            assert self.additive is not None
            claim |= {"upper": claim["lower"], "additive": number(self.additive)}
            evidence["potential"] = self._upper()
        return certificate("expected", claim, evidence, provenance)

    def _upper(self) -> dict[str, object]:
        assert self._graph is not None
        assert self._potential is not None
        distance, scale = self._potential
        left = distance.max() - distance
        return {
            **states_evidence(self._graph),
            "scale": scale,
            "potential": packed(left) if left.dtype == np.int64 else left.tolist(),
        }


def randomized_exact(
    policy: str | Policy,
    instance: LayeredInstance,
    *,
    opt_cache: int | None = None,
    max_states: int | None = None,
    generic: bool = False,
    watch: Watch = UNWATCHED,
) -> RandomizedRatio:
    """Return the exact competitive ratio of a randomised policy against an oblivious adversary.

    Parameters
    ----------
    policy : str or Policy
        Any policy whose distribution takes finitely many values. MARK and EQUITABLE are fast: they are known
        as labels, see :mod:`proofs.ratio.distributions`. Others are explored distribution by distribution.
    instance : LayeredInstance
        One page per visit, forced service, k < number of pages.
    opt_cache : int, optional
        OPT's cache size h ≤ k; default k.
    max_states : int, optional
        Give up beyond this many states, keeping the best cycle so far. Default: no limit for MARK and
        EQUITABLE; 20,000 for others, since a policy such as RANDOM has infinitely many distributions.
    generic : bool, default False
        Explore distribution by distribution even where labels are known: the reference, for small instances.
    watch : Watch
        Told the :class:`~proofs.ratio.deterministic.RatioProgress` now and then; asked to stop, the
        computation ends with what is known.

    Raises
    ------
    ModelError, UnsupportedModelError
        The instance is outside the range.

    Guarantee
    ---------
    Exact, in integers; costs are multiples of a common denominator, and where a distance could
    overflow 64 bits Python's integers are used.

    Examples
    --------
    >>> found = randomized_exact("mark", LayeredInstance(layers=1, pages=5, cache=3))
    >>> found.ratio, found.states
    (Fraction(8, 3), 25)
    """
    answer = get_policy(policy)
    answer.check(instance)
    answer.check_predictions(None)
    instance.require_evictions()
    instance.require(
        "the exact ratio of a randomised policy",
        service="forced",
        visits="sequential",
        per_visit=1,
        cost="unit",
    )
    small = (
        instance.cache if opt_cache is None else whole_number(opt_cache, "opt_cache (h)", 1, instance.cache)
    )
    if max_states is not None:
        whole_number(max_states, "max_states", 1)
    if answer.name in PROCESSES and not generic:
        graph: _LabelGraph | _DistributionGraph = _LabelGraph(PROCESSES[answer.name], instance, small)
    else:
        max_states = 20_000 if max_states is None else max_states
        graph = _DistributionGraph(answer, instance, small)
    return replace(_solve(graph, max_states, watch), policy=answer.name)


def _solve(
    graph: _LabelGraph | _DistributionGraph,
    max_states: int | None,
    watch: Watch,
) -> RandomizedRatio:
    """Explore a graph, then find its best cycle and potential; keep what is known when stopped."""
    lower: Fraction | None = None
    best: GraphCycle | None = None
    potential: tuple[Numbers, int] | None = None
    objective, unit, iterations, solving = Objective("", (), ()), 1, 0, False

    def look() -> None:
        watch.look(RatioProgress(graph.states, graph.states - graph.expanded, lower, solving))

    def look_at(ratio: Fraction) -> None:
        nonlocal lower
        lower = ratio / unit
        look()

    complete = False
    try:
        while graph.expanded < graph.states and (max_states is None or graph.states <= max_states):
            graph.explore_chunk()
            look()
        solving = True
        complete = graph.expanded == graph.states
    except (StoppedError, LimitError):
        pass
    targets, codes, costs = graph.edges()
    unit = lcm(*(cost.denominator for cost, _ in costs))
    objective = Objective(
        "expected", tuple(int(cost * unit) for cost, _ in costs), tuple(paid for _, paid in costs)
    )
    try:
        found = best_cycle(targets, codes, objective, watch=Watch(look_at))
        best, iterations = found.cycle, found.iterations
        if complete and (best is None or best.price):
            ratio = Fraction(0) if best is None else Fraction(best.gain, best.price)
            distance = longest_paths(targets, codes, ratio, objective, watch=Watch(look_at))
            potential = distance, ratio.denominator * unit
    except StoppedError:
        complete = False
    return RandomizedRatio(
        "",
        graph.instance,
        graph.opt_cache,
        None if best is None else graph.cycle(best, costs),
        None if potential is None else Fraction(int(potential[0].max()), potential[1]),
        graph.states,
        int(np.count_nonzero(codes >= 0)),
        iterations,
        complete,
        graph.graph if isinstance(graph, _LabelGraph) else None,
        potential,
    )


Costs = list[tuple[Fraction, int]]
"""Expected fault and OPT's increment, by cost code."""


class _LabelGraph:
    """The product graph of a distribution known as labels and the work function."""

    def __init__(self, process: LabelProcess, instance: LayeredInstance, opt_cache: int) -> None:
        self.process, self.instance, self.opt_cache = process, instance, opt_cache
        self.graph = ProductGraph(process, instance, opt_cache=opt_cache)

    @property
    def states(self) -> int:
        return self.graph.states

    @property
    def expanded(self) -> int:
        return self.graph.expanded

    def explore_chunk(self) -> None:
        self.graph.explore_chunk(CHUNK)

    def edges(self) -> tuple[NDArray[np.int32], Codes, Costs]:
        """Return targets, cost codes and what they stand for."""
        graph, cache = self.graph, self.instance.cache
        labels, _, _, layers = graph.label_rows()
        classes = self.process.classes(labels, cache)
        width = self.process.width(cache)
        counts = np.stack([np.count_nonzero(classes == c, axis=1) for c in range(width)], axis=1)
        radix = self.instance.total_pages + 1
        folded = np.zeros(len(counts), dtype=np.int64 if radix**width < 2**62 else object)
        for c in range(width):
            folded = folded * radix + counts[:, c]
        _, first, kind = np.unique(folded, return_index=True, return_inverse=True)
        raw = np.full(graph.codes.shape, -1, dtype=np.int64)
        starts = self.instance.frame.first_page[layers]
        for e in range(graph.degree):
            own = classes[np.arange(len(classes)), np.minimum(starts + e, classes.shape[1] - 1)]
            known = graph.codes[:, e] >= 0
            raw[:, e] = np.where(known, (kind * width + own) * 2 + graph.codes[:, e] // 2, -1)
        used, codes = np.unique(raw, return_inverse=True)
        costs: Costs = []
        for code in used[used >= 0].tolist():
            histogram, own = divmod(code // 2, width)
            costs.append((self._chance(counts[first[histogram]].tolist(), own), code % 2))
        shift = int(used[0] < 0)
        return graph.targets, (codes - shift).reshape(raw.shape).astype(np.int32), costs

    def _chance(self, counts: list[int], own: int) -> Fraction:
        return self.process.chance(counts, own, self.instance.cache)

    def cycle(self, best: GraphCycle, costs: Costs) -> ExpectedCycle:
        """Return the cycle literally, with its costs counted anew along the requests."""
        found = literal(self.graph, best)
        online = self._expected([*found.prefix, *found.requests]) - self._expected(list(found.prefix))
        return ExpectedCycle(self.instance, found.prefix, found.requests, online, found.offline)

    def _expected(self, requests: list[int]) -> Fraction:
        session = Session(self.process, self.instance)
        total = Fraction(0)
        for page in requests:
            classes = self.process.classes(session.labels.astype(np.int32), self.instance.cache)
            counts = np.bincount(classes, minlength=self.process.width(self.instance.cache)).tolist()
            total += self._chance(counts, int(classes[page]))
            session.serve(page)
        return total


class _DistributionGraph:
    """Distribution by distribution: (distribution over label vectors, work-function labels, layer)."""

    def __init__(self, policy: Policy, instance: LayeredInstance, opt_cache: int) -> None:
        self.policy, self.instance, self.opt_cache = policy, instance, opt_cache
        nothing = (0,) * instance.total_pages
        start = (frozenset({(nothing, Fraction(1))}), nothing, 0)
        self._number: dict[tuple[Distribution, tuple[int, ...], int], int] = {start: 0}
        self._states = [start]
        self._edges: list[list[tuple[int, int]]] = []
        self._costs: dict[tuple[Fraction, int], int] = {}
        self._origin: list[tuple[int, int]] = [(-1, -1)]

    @property
    def states(self) -> int:
        return len(self._states)

    @property
    def expanded(self) -> int:
        return len(self._edges)

    def explore_chunk(self) -> None:
        for _ in range(min(100, self.states - self.expanded)):
            s = self.expanded
            layer = self._states[s][2]
            self._edges.append([self._edge(s, page) for page in self.instance.pages_of(layer)])

    def _edge(self, state: int, page: int) -> tuple[int, int]:
        distribution, known, layer = self._states[state]
        work: LabelArray = np.array(known, dtype=np.int64)
        paid = int(update_work_function(work, page, self.opt_cache))
        cost = sum((chance for labels, chance in distribution if labels[page] <= 0), Fraction(0))
        following: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
        for labels, chance in distribution:
            outcomes = self.policy.outcomes(
                np.array(labels, dtype=np.int64), page, layer, self.instance.frame
            )
            for share, result in judged(outcomes, self.policy, labels, 0, page, self.instance):
                following[result] += chance * share
        key = (frozenset(following.items()), tuple(work.tolist()), (layer + 1) % self.instance.layers)
        target = self._number.setdefault(key, self.states)
        if target == self.states:
            self._states.append(key)
            self._origin.append((state, page))
        return target, self._costs.setdefault((cost, paid), len(self._costs))

    def edges(self) -> tuple[NDArray[np.int32], Codes, Costs]:
        shape = self.states, max(self.instance.pages_by_layer)
        targets, codes = np.full(shape, -1, dtype=np.int32), np.full(shape, -1, dtype=np.int32)
        for s, edges in enumerate(self._edges):
            for e, (target, code) in enumerate(edges):
                targets[s, e], codes[s, e] = target, code
        return targets, codes, list(self._costs)

    def cycle(self, best: GraphCycle, costs: Costs) -> ExpectedCycle:
        state = best.steps[0][0]
        prefix: list[int] = []
        while self._origin[state][0] >= 0:
            state, page = self._origin[state]
            prefix.append(page)
        requests = []
        online, offline = Fraction(0), 0
        for s, e in best.steps:
            requests.append(int(self.instance.frame.first_page[self._states[s][2]]) + e)
            cost, paid = costs[self._edges[s][e][1]]
            online, offline = online + cost, offline + paid
        return ExpectedCycle(self.instance, tuple(prefix[::-1]), tuple(requests), online, offline)
