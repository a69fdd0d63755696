"""Speed of weighted paging: Landlord beside LRU on ten million requests, fractional paging, rounding.

Run with ``python -m pytest tests/bench/test_bench_weights.py --benchmark-only -s``; seconds are only shown.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from paging import LayeredInstance, generate, serve_fractionally, serve_rounded, simulate
from paging.kernels import lru

REQUESTS = 10_000_000
NOTHING = np.zeros(0, dtype=np.int32)


def zipf(pages: int, cache: int, requests: int):
    weights = [1 + page % 7 for page in range(pages)]
    return generate(f"zipf:requests={requests}", LayeredInstance(1, pages, cache).with_weights(weights))


@pytest.mark.parametrize(("pages", "cache"), [(1_000, 40), (1_000, 128), (100_000, 10_000)])
def test_landlord_beside_lru(benchmark, pages: int, cache: int) -> None:
    sequence = zipf(pages, cache, REQUESTS)
    requests = sequence.requests

    def serve() -> int:
        """Faults, and what they cost together."""
        return simulate("landlord", sequence).faults

    lru(requests[:1000], pages, cache, NOTHING)
    serve()
    began = time.process_time()
    lru(requests, pages, cache, NOTHING)
    plain = time.process_time() - began
    began = time.process_time()
    benchmark.pedantic(serve, rounds=1)
    ratio = (time.process_time() - began) / plain
    benchmark.extra_info["times LRU"] = round(ratio, 2)
    print(f"n = {pages:,}, k = {cache:,}: LRU {plain:.2f} s, Landlord {ratio:.2f} times as long")


def test_fractional(benchmark) -> None:
    sequence = zipf(256, 64, 100_000)
    serve_fractionally(sequence.prefix(10))
    benchmark.pedantic(lambda: serve_fractionally(sequence), rounds=1)


@pytest.mark.parametrize("known", [True, False])
def test_rounded(benchmark, known: bool) -> None:
    sequence = zipf(256, 64, 100_000)
    serve_rounded(sequence.prefix(10), known=known)
    benchmark.pedantic(lambda: serve_rounded(sequence, known=known), rounds=1)
