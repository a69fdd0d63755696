"""The least ratio that a potential of given features proves: a linear program over a product graph.

A potential of :mod:`proofs.ratio.deterministic` has a value per state and says little of other instances.
Here it is a sum of features of a state, such as how many open pages are missing, with a coefficient each: few
numbers, the same for states that look alike. What is printed is proved exactly on every edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from adversary.cycles.product_graph import ProductGraph
from paging.certificate import Certificate, certificate
from paging.errors import LimitError, ModelError, UnsupportedModelError
from paging.model import LayeredInstance
from paging.numbers import number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, Watch
from proofs.ratio.deterministic import RatioProgress, potential_evidence

Rows = NDArray[Any]
Columns = dict[str, NDArray[Any]]
DENOMINATORS = (1, 2, 3, 4, 6, 12, 60, 840, 27720)
"""Common denominators tried for the coefficients, in turn."""


def _classes(cached: Rows, work: Rows, opt_cache: int) -> Columns:
    """Return, page by page, whether it is sure and so on; sure and missing, dead and missing never matter."""
    opened = (work > 0) & (work < opt_cache)
    return {
        "sure": work == opt_cache,
        "open": opened,
        "open missing": opened & ~cached,
        "dead cached": (work == 0) & cached,
    }


def _rank(chosen: Rows, work: Rows, opt_cache: int) -> NDArray[np.int64]:
    """Return the most chosen pages that an optimal cache holds."""
    rank = np.zeros(len(work), dtype=np.int64)
    for label in range(1, opt_cache + 1):
        rank = np.minimum(rank + (chosen & (work == label)).sum(axis=1), label)
    return rank


def _counts(cached: Rows, work: Rows, _ahead: Rows, opt_cache: int) -> Columns:
    return {name: on.sum(axis=1) for name, on in _classes(cached, work, opt_cache).items()}


def _layers(cached: Rows, work: Rows, ahead: Rows, opt_cache: int) -> Columns:
    return {
        f"{name}, layer +{j}": (on & (ahead == j)).sum(axis=1)
        for name, on in _classes(cached, work, opt_cache).items()
        for j in range(int(ahead.max()) + 1)
    }


def _ranks(cached: Rows, work: Rows, ahead: Rows, opt_cache: int) -> Columns:
    missing = ~cached & (work > 0)
    return {
        f"r(missing, layers +0 … +{j})": _rank(missing & (ahead <= j), work, opt_cache)
        for j in range(int(ahead.max()) + 1)
    }


def _labels(cached: Rows, work: Rows, _ahead: Rows, opt_cache: int) -> Columns:
    return {
        f"{name} of label {label}": (on & (work == label)).sum(axis=1)
        for name, on in (("missing", ~cached), ("cached", cached))
        for label in range(1, opt_cache)
    }


def _profile(cached: Rows, work: Rows, ahead: Rows, opt_cache: int) -> Columns:
    """Say for every combination of sure pages and ranks of :func:`_ranks` whether it is this one."""
    ranks = _ranks(cached, work, ahead, opt_cache)
    joint = np.column_stack([(work == opt_cache).sum(axis=1), *ranks.values()])
    kinds, kind_of = np.unique(joint, axis=0, return_inverse=True)
    return {f"(sure, ranks) = {tuple(kind)}": kind_of == i for i, kind in enumerate(kinds.tolist())}


def _thresholds(cached: Rows, work: Rows, _ahead: Rows, opt_cache: int) -> Columns:
    """Say for every number whether r(missing) and how many are sure are at least that."""
    rank = _rank(~cached & (work > 0), work, opt_cache)
    sure = (work == opt_cache).sum(axis=1)
    return {f"r(missing) ≥ {r}": rank >= r for r in range(1, opt_cache)} | {
        f"sure ≥ {r}": sure >= r for r in range(2, opt_cache + 1)
    }


FEATURES: dict[str, Callable[[Rows, Rows, Rows, int], Columns]] = {
    "counts": _counts,
    "layers": _layers,
    "ranks": _ranks,
    "labels": _labels,
    "thresholds": _thresholds,
    "profile": _profile,
}
"""Families by name: from cached bits, work-function labels, visits until the layer is served, and h."""


@dataclass(frozen=True)
class FeatureBound:
    """A ratio that a potential of features proves.

    Attributes
    ----------
    policy : str
    instance : LayeredInstance
    ratio, additive : Fraction
        faults ≤ ratio·OPT + additive on every sequence: checked on every edge, exactly.
    coefficients : dict of str to Fraction
        The potential, without features of coefficient 0.
    optimum : float
        What the linear program says is least; the ratio is that, up to rounding.
    states, edges : int
        Size of the product graph.
    """

    policy: str
    instance: LayeredInstance
    ratio: Fraction
    additive: Fraction
    coefficients: dict[str, Fraction]
    optimum: float
    states: int
    edges: int
    _graph: ProductGraph = field(repr=False)
    _potential: NDArray[np.int64] = field(repr=False)

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate:
        """Return the bound as a certificate of type ``potential``."""
        claim = {
            "instance": self.instance.plain,
            "policy": self._graph.policy.spec,
            "opt_cache": self._graph.opt_cache,
            "ratio": number(self.ratio),
            "additive": number(self.additive),
        }
        evidence = potential_evidence(self._graph, self._potential)
        return certificate("potential", claim, evidence, provenance)

    def answer(self) -> dict[str, object]:
        """Return it as JSON shows it."""
        return {
            "policy": self.policy,
            "instance": self.instance.plain,
            "upper": self.ratio,
            "additive": self.additive,
            "optimum": self.optimum,
            "coefficients": self.coefficients,
            "states": self.states,
        }


def least_ratio(
    policy: str | Policy,
    instance: LayeredInstance,
    families: Iterable[str],
    *,
    max_states: int = 200_000,
    watch: Watch = UNWATCHED,
) -> FeatureBound:
    """Return the least ratio of a policy that a potential of features proves on an instance.

    Parameters
    ----------
    policy : str or Policy
        Deterministic, with finitely many labels.
    instance : LayeredInstance
        One page a visit, forced service, unit cost.
    families : iterable of str
        Names of :data:`FEATURES`.
    max_states : int, default 200,000
    watch : Watch
        Told how many states there are.

    Raises
    ------
    ModelError
        No such family, or no potential of these features proves any ratio.
    LimitError
        More states.

    Examples
    --------
    >>> found = least_ratio("lru", LayeredInstance(1, 3, 2), ["ranks"])
    >>> str(found.ratio), {name: str(value) for name, value in found.coefficients.items()}
    ('2', {'r(missing, layers +0 … +0)': '1'})
    """
    wanted = list(families)
    for name in wanted:
        if name not in FEATURES:
            raise ModelError(f"no features {name!r}; there are {', '.join(FEATURES)}")
    if instance.per_visit > 1:
        raise UnsupportedModelError("features are defined for one page a visit (g = 1)")
    graph = ProductGraph(get_policy(policy), instance)
    while not graph.complete:
        graph.explore_chunk()
        watch.look(RatioProgress(graph.states, graph.states - graph.expanded, None, solving=False))
        if graph.states > max_states:
            raise LimitError(f"more than {max_states:,} states; --max-states allows more")
    columns = _columns(graph, wanted)
    values = np.column_stack(list(columns.values())).astype(np.int64)
    states, edges = np.nonzero(graph.codes >= 0)
    codes = graph.codes[states, edges]
    change = values[graph.targets[states, edges]] - values[states]
    rows = np.unique(np.column_stack([codes & 1, codes >> 1, change]), axis=0)
    solved = linprog(
        np.array([1.0] + [0.0] * len(columns)),
        A_ub=np.column_stack([-rows[:, 1], rows[:, 2:]]),
        b_ub=-rows[:, 0],
        bounds=[(0, None)] + [(None, None)] * len(columns),
        method="highs",
    )
    if solved.x is None:
        raise ModelError(f"no potential of these features ({', '.join(wanted)}) proves a ratio")
    ratio, exact = _rounded(rows, solved.x[1:])
    potential = _whole(values, ratio, exact)
    return FeatureBound(
        graph.policy.name,
        instance,
        ratio,
        Fraction(int(potential[0]), ratio.denominator),
        {name: value for name, value in zip(columns, exact, strict=True) if value},
        float(solved.fun),
        graph.states,
        len(states),
        graph,
        potential,
    )


def _columns(graph: ProductGraph, families: Iterable[str]) -> Columns:
    """Return the features of all states."""
    labels, work, _, slots = graph.label_rows()
    layers = graph.instance.layers
    ahead = (graph.instance.frame.layer_of[None, :].astype(np.int64) - slots[:, None]) % layers
    found: Columns = {}
    for name in families:
        found |= FEATURES[name](labels > 0, work, ahead, graph.opt_cache)
    return found


def _rounded(rows: Rows, coefficients: NDArray[np.float64]) -> tuple[Fraction, list[Fraction]]:
    """Return fractions near the coefficients that hold on edges free for OPT, and the ratio they prove."""
    for denominator in DENOMINATORS:
        whole = np.rint(coefficients * denominator).astype(np.int64)
        gains = rows[:, 0] * denominator + rows[:, 2:] @ whole
        if gains[rows[:, 1] == 0].max(initial=0) <= 0:
            best = Fraction(int(gains[rows[:, 1] == 1].max(initial=0)), denominator)
            if float(best) <= _ratio_of(rows, coefficients) + 1e-6:
                return best, [Fraction(int(c), denominator) for c in whole]
    raise ModelError("the coefficients have no common denominator among those tried")


def _ratio_of(rows: Rows, coefficients: NDArray[np.float64]) -> float:
    gains = rows[:, 0] + rows[:, 2:] @ coefficients
    return float(gains[rows[:, 1] == 1].max(initial=0))


def _whole(values: NDArray[np.int64], ratio: Fraction, exact: list[Fraction]) -> NDArray[np.int64]:
    """Return the potential times the ratio's denominator Q in integers, rounded down, from 0 on.

    Q·fault + Φ(next) ≤ P·(OPT pays) + Φ(now), and all but Φ are integers: rounding Φ down keeps it.
    """
    common = lcm(*(c.denominator for c in exact), 1)
    whole = values @ np.array([int(c * common) for c in exact], dtype=np.int64)
    potential = whole * ratio.denominator // common
    return np.asarray(potential - potential.min(), dtype=np.int64)
