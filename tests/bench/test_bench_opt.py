"""Routes to the offline optimum side by side: the same requests, one run, growing T.

    python -m pytest tests/bench/test_bench_opt.py --benchmark-only -s

Nothing is asserted about seconds; that all routes agree and are proved optimal is.
"""

from __future__ import annotations

import importlib.util

import pytest

from lp import fault_curve, optimum
from lp.certificate import optimum_certificate
from paging.certificate import write_certificate
from proofs.checker import VERIFIED, verify_file
from tests.helpers.offline import zipf_sequence

LAYERS, PAGES, CACHE = 32, 8, 40
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
LONGEST = {
    "farthest": 1_000_000,
    "paths": 1_000_000,
    "flow-ortools": 100_000,
    "lp": 10_000,
    "ilp-highs": 1_000,
    "ilp": 1_000,
    "flow": 1_000,
}
"""Up to which T a route answers within about a minute."""
EXTRAS = {"flow-ortools": "ortools", "ilp-highs": "highspy"}


@pytest.fixture(autouse=True)
def label(benchmark):
    benchmark.extra_info["instance"] = f"Zipf 1, ℓ = {LAYERS}, n = {PAGES}, k = {CACHE}"


def requests(length):
    return zipf_sequence(length, LAYERS, PAGES, CACHE)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("route", LONGEST)
@pytest.mark.parametrize(
    "weights", [None, [1 + page % 9 for page in range(LAYERS * PAGES)]], ids=["unit", "weighted"]
)
def test_route(benchmark, route, length, weights):
    if length > LONGEST[route]:
        pytest.skip("too slow at this length")
    if weights is not None and route == "farthest":
        pytest.skip("unit cost only")
    if route in EXTRAS and importlib.util.find_spec(EXTRAS[route]) is None:
        pytest.skip(f"{EXTRAS[route]} is not installed")
    benchmark.group = f"{'unit cost' if weights is None else 'weighted'}, T = {length:,}"
    sequence = requests(length)
    optimum(sequence.prefix(50), route=route, weights=weights)  # compiles, and loads the solver
    found = benchmark.pedantic(
        optimum, (sequence,), {"route": route, "weights": weights}, rounds=1, iterations=1
    )
    assert found.value == optimum(sequence, weights=weights).value
    benchmark.extra_info["optimum"] = found.value


@pytest.mark.parametrize("length", LENGTHS)
def test_certified(benchmark, length, tmp_path):
    """Solve, write the certificate, read and verify it: everything between requests and a verdict."""
    benchmark.group = f"certified, T = {length:,}"
    sequence = requests(length)
    optimum(sequence.prefix(50))
    path = tmp_path / "c.json.gz"

    def everything():
        write_certificate(optimum_certificate(optimum(sequence)), path)
        return verify_file(str(path))

    assert benchmark.pedantic(everything, rounds=1, iterations=1).status == VERIFIED
    benchmark.extra_info["bytes"] = path.stat().st_size


@pytest.mark.parametrize("policy", ["opt", "lru", "llru"])
def test_curve(benchmark, policy):
    """All cache sizes up to 256 on a million requests."""
    benchmark.group = "curves, T = 1,000,000, k = 1 … 256"
    sequence = zipf_sequence(1_000_000, 32, 32, 256)
    fault_curve(sequence.prefix(50), policy)
    curve = benchmark.pedantic(fault_curve, (sequence, policy, 256), rounds=1, iterations=1)
    assert len(curve) == 256
