"""Potentials of few features: what they prove is checked edge by edge, and by the checker."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from adversary.cycles.product_graph import ProductGraph
from paging import LayeredInstance, LimitError, ModelError, UnsupportedModelError, WorkFunction, get_policy
from paging.cli.main import run as paging_run
from proofs.checker import VERIFIED, verify
from proofs.ratio.deterministic import exact_ratio
from proofs.ratio.features import FEATURES, _columns, _rank, least_ratio


@pytest.mark.parametrize(
    ("policy", "families", "shape", "ratio"),
    [
        ("lru", ["counts"], (2, 2, 3), Fraction(3)),
        ("zrc", ["counts"], (2, 3, 3), Fraction(3)),
        ("zrc", ["profile"], (2, 3, 3), Fraction(2)),
        ("zrc", ["profile"], (3, 3, 4), Fraction(5, 2)),
        ("zrc", ["profile", "layers", "labels"], (3, 3, 4), Fraction(7, 3)),
        ("zrc", ["profile"], (4, 2, 6), Fraction(3)),
        ("zrc", ["labels"], (4, 2, 6), Fraction(400, 77)),
    ],
)
def test_the_least_ratio_of_features(
    policy: str, families: list[str], shape: tuple[int, int, int], ratio: Fraction
) -> None:
    layers, pages, cache = shape
    instance = LayeredInstance(layers, pages, cache)
    bound = least_ratio(policy, instance, families)
    assert bound.ratio == ratio
    assert abs(float(ratio) - bound.optimum) < 1e-6
    assert ratio >= exact_ratio(policy, instance).lower
    graph = ProductGraph(get_policy(policy), instance)
    graph.explore()
    columns = _columns(graph, families)
    value = [
        sum(c * int(columns[name][s]) for name, c in bound.coefficients.items()) for s in range(graph.states)
    ]
    for s, e in zip(*np.nonzero(graph.codes >= 0), strict=True):
        fault, pays = int(graph.codes[s, e]) & 1, int(graph.codes[s, e]) >> 1
        assert fault + value[graph.targets[s, e]] - value[s] <= ratio * pays
    assert verify(bound.certificate()).status == VERIFIED


def test_the_rank_of_missing_pages_is_that_of_the_optimal_caches() -> None:
    work = WorkFunction(LayeredInstance(2, 3, 3))
    rng = np.random.default_rng(5)
    for t in range(60):
        work.serve(int(rng.integers(3)) + 3 * (t % 2))
        if t < 6:
            continue
        chosen = rng.random(6) < 0.5
        caches = list(work.optimal_caches())
        most = max(sum(chosen[p] for p in cache) for cache in caches)
        labels = np.array([work.labels])
        assert _rank(chosen[None, :], labels, 3)[0] == most


def test_features_that_prove_nothing_are_refused_and_so_are_unknown_ones() -> None:
    instance = LayeredInstance(2, 2, 3)
    with pytest.raises(ModelError, match="no potential of these features"):
        least_ratio("lru", instance, ["ranks"])
    with pytest.raises(ModelError, match="no features 'rank'; there are counts"):
        least_ratio("lru", instance, ["rank"])
    with pytest.raises(UnsupportedModelError, match="one page a visit"):
        least_ratio("lru", LayeredInstance(2, 3, 4, 2), ["counts"])
    with pytest.raises(LimitError, match="more than 10 states"):
        least_ratio("lru", LayeredInstance(2, 3, 4), ["counts"], max_states=10)
    assert set(FEATURES) == {"counts", "layers", "ranks", "labels", "thresholds", "profile"}


def test_the_command_writes_a_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "zrc.json"
    asked = [
        "exact",
        "zrc",
        "-l",
        "2",
        "-n",
        "3",
        "-k",
        "3",
        "--features",
        "profile",
        "--certificate",
        str(target),
    ]
    assert paging_run([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["upper"] == "2"
    assert verify(json.loads(target.read_text())).status == VERIFIED
    assert paging_run(asked) == 0
    assert "faults ≤ 2·OPT" in capsys.readouterr().out
    assert paging_run([*asked, "--opt-cache", "2"]) == 2
