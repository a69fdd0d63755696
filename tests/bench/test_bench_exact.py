"""Product graph and largest cycle ratio, beside the same in plain Python.

    python -m pytest tests/bench/test_bench_exact.py --benchmark-only -s

Nothing is asserted about seconds; that both routes find the same ratio is.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import networkx as nx
import pytest

from adversary.cycles.product_graph import ProductGraph
from paging import LayeredInstance, get_policy
from proofs import checker
from proofs.ratio.deterministic import exact_ratio
from tests.helpers.brute_graph import brute_graph

SMALL = LayeredInstance(2, 3, 3)
"""What plain Python without renamings answers within a minute."""
LARGE = LayeredInstance(2, 7, 7)


def ratio_by_networkx(policy: str, instance: LayeredInstance) -> Fraction:
    """Build the graph in plain Python; Newton steps with networkx's search for a negative cycle."""
    plain = nx.DiGraph()
    costs = {}
    for s, out in enumerate(brute_graph(get_policy(policy), instance, instance.cache) or []):
        for t, fault, increment in out:
            costs[s, t] = max(costs.get((s, t), (0, 1)), (fault, increment), key=lambda c: (c[0], -c[1]))
    ratio = Fraction(0)
    while True:
        for (s, t), (fault, increment) in costs.items():
            weight = ratio.numerator * increment - ratio.denominator * fault
            plain.add_edge(s, t, weight=weight)
        try:
            cycle = nx.find_negative_cycle(plain, 0)
        except nx.NetworkXError:
            return ratio
        passed = [costs[edge] for edge in pairwise(cycle)]
        ratio = Fraction(sum(fault for fault, _ in passed), sum(increment for _, increment in passed))


def test_plain_python(benchmark: object) -> None:
    benchmark.group = "exact ratio of LRU, (2, 3, 3)"  # type: ignore[attr-defined]
    found = benchmark.pedantic(ratio_by_networkx, ("lru", SMALL), rounds=1, iterations=1)  # type: ignore[attr-defined]
    assert found == exact_ratio("lru", SMALL).ratio == 3


@pytest.mark.parametrize("symmetric", [True, False])
def test_compiled(benchmark: object, symmetric: bool) -> None:
    benchmark.group = "exact ratio of LRU, (2, 3, 3)"  # type: ignore[attr-defined]
    found = benchmark(exact_ratio, "lru", SMALL, symmetric=symmetric)  # type: ignore[operator]
    assert found.ratio == 3


@pytest.mark.parametrize("policy", ["lru", "zrc"])
def test_graph(benchmark: object, policy: str) -> None:
    """The graph alone."""
    benchmark.group = "product graph, (2, 7, 7)"  # type: ignore[attr-defined]

    def build() -> int:
        graph = ProductGraph(policy, LARGE)
        graph.explore()
        return graph.states

    build()
    benchmark.extra_info["states"] = benchmark.pedantic(build, rounds=3, iterations=1)  # type: ignore[attr-defined]


@pytest.mark.parametrize("policy", ["lru", "zrc"])
def test_ratio(benchmark: object, policy: str) -> None:
    """Graph, Newton steps, potential and the replay of the cycle."""
    benchmark.group = "exact ratio, (2, 7, 7)"  # type: ignore[attr-defined]
    exact_ratio(policy, SMALL)
    found = benchmark.pedantic(exact_ratio, (policy, LARGE), rounds=3, iterations=1)  # type: ignore[attr-defined]
    assert found.ratio == (7 if policy == "lru" else 6)


def test_checker(benchmark: object) -> None:
    """The checker, plain Python, on a certificate of type exact."""
    benchmark.group = "checker, LRU, (2, 5, 5)"  # type: ignore[attr-defined]
    document = exact_ratio("lru", LayeredInstance(2, 5, 5)).certificate()
    verdict = benchmark.pedantic(checker.verify, (document,), rounds=1, iterations=1)  # type: ignore[attr-defined]
    assert verdict.status == checker.VERIFIED
