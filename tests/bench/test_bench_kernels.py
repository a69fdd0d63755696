"""Speed of the kernels beside libcachesim's bulk path, on the same sequences in the same run.

Run with ``python -m pytest tests/bench --benchmark-only -s``; ordinary test runs skip it and build nothing.
Fault counts are compared, seconds are only shown.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache as built_once
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from paging import (
    LayeredInstance,
    PredictedSequence,
    RequestSequence,
    get_policy,
    registered_policies,
    simulate,
    true_predictions,
)
from paging.kernels import (
    arc,
    clock,
    farthest,
    fifo,
    lfu,
    llru,
    lru,
    mark,
    next_use,
    random_eviction,
    s3_fifo,
    sieve,
    slru,
    two_queues,
)
from tests.helpers.policies import TOLD

REQUESTS = 10_000_000
REPETITIONS = 3
SETTINGS = [(1_000, 40), (1_000, 128), (100_000, 10_000)]
"""Pages and cache sizes."""

NOTHING = np.zeros(0, dtype=np.int32)
ORACLE_RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])

Kernel = Callable[[Any, int, int], int]


def record() -> Any:
    return np.empty(REQUESTS, dtype=np.int32)


OURS: dict[str, Kernel] = {
    "lru": lambda r, n, k: lru(r, n, k, NOTHING),
    "fifo": lambda r, n, k: fifo(r, n, k, NOTHING),
    "clock": lambda r, n, k: clock(r, n, k, NOTHING),
    "lfu": lambda r, n, k: lfu(r, n, k, NOTHING),
    "sieve": lambda r, n, k: sieve(r, n, k, NOTHING),
    "slru": lambda r, n, k: slru(r, n, k, NOTHING, 4),
    "2q": lambda r, n, k: two_queues(r, n, k, NOTHING, k // 4, k // 2),
    "arc": lambda r, n, k: arc(r, n, k, NOTHING),
    "s3-fifo": lambda r, n, k: s3_fifo(r, n, k, NOTHING, int(k * 0.1), int(k * 0.9), 2),
    "random": lambda r, n, k: random_eviction(r, n, k, NOTHING, np.random.default_rng(0)),
    "mark": lambda r, n, k: mark(r, n, k, NOTHING, np.random.default_rng(0)),
    "opt (faults)": lambda r, n, k: farthest(r, n, k, NOTHING, False),
    "opt (schedule)": lambda r, n, k: farthest(r, n, k, record(), False),
}
# Name there and its parameters; CLOCK there sets the use bit on loading only when told to.
PEERS: dict[str, tuple[str, dict[str, int]]] = {
    "lru": ("LRU", {}),
    "fifo": ("FIFO", {}),
    "clock": ("Clock", {"init_freq": 1}),
    "lfu": ("LFU", {}),
    "sieve": ("Sieve", {}),
    "slru": ("SLRU", {}),
    "2q": ("TwoQ", {}),
    "arc": ("ARC", {}),
    "s3-fifo": ("S3FIFO", {}),
    "random": ("Random", {}),
    "opt (faults)": ("Belady", {}),
    "opt (schedule)": ("Belady", {}),
}


def by_rank(weights: Any, count: int, rng: np.random.Generator) -> Any:
    chances = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(chances, rng.random(count)), len(weights) - 1).astype(np.int32)


@built_once
def zipf(pages: int) -> Any:
    """A Zipf sequence (exponent 1) over shuffled page ids."""
    rng = np.random.default_rng(0)
    requests = rng.permutation(pages).astype(np.int32)[by_rank(1 / np.arange(1, pages + 1), REQUESTS, rng)]
    requests.flags.writeable = False
    return requests


@built_once
def layered_zipf(layers: int, pages: int) -> Any:
    """A Zipf sequence (exponent 1) in every layer."""
    rng = np.random.default_rng(0)
    requests = by_rank(1 / np.arange(1, pages + 1), REQUESTS, rng)
    requests += (np.arange(REQUESTS) % layers * pages).astype(np.int32)
    requests.flags.writeable = False
    return requests


def write_oracle_trace(path: Path, requests: Any, pages: int) -> None:
    """Write libcachesim's fastest input that Belady can read: binary, mapped into memory, unit sizes."""
    following = next_use(requests, pages).astype(np.int64)
    records = np.zeros(len(requests), dtype=ORACLE_RECORD)
    records["time"] = np.arange(len(requests)) // 1000
    records["id"] = requests.astype(np.uint64) + 1
    records["size"] = 1
    records["next"] = np.where(following == len(requests), -1, following)
    records.tofile(path)


def peer_run(lcs: ModuleType, name: str, cache: int, trace: Path) -> tuple[float, int]:
    """Return processor seconds and faults of libcachesim, counting only the pass over the trace."""
    algorithm, parameters = PEERS[name]
    options = lcs.ReaderInitParam(ignore_obj_size=True)
    reader = lcs.TraceReader(str(trace), lcs.TraceType.ORACLE_GENERAL_TRACE, options)
    # Its hash table has 2²⁴ entries by default; a few times k is the fastest (tried: 8, 12, 16, 20, 24).
    power = max(12, cache.bit_length() + 2)
    peer = getattr(lcs, algorithm)(cache, hashpower=power, consider_obj_metadata=False, **parameters)
    begin = time.process_time()
    ratio, _ = peer.process_trace(reader)
    return time.process_time() - begin, round(ratio * REQUESTS)


def our_run(kernel: Callable[[], int]) -> tuple[float, int]:
    begin = time.process_time()
    faults = kernel()
    return time.process_time() - begin, faults


class Row(NamedTuple):
    name: str
    pages: int
    cache: int
    seconds: float
    faults: int
    other_seconds: float
    other_faults: int


def interleaved(*runs: Callable[[], tuple[float, int]]) -> list[tuple[float, int]]:
    """Return median seconds and faults of several runs, taken in turn so that noise hits all alike."""
    for run in runs:
        run()  # compiles, and fills the caches
    results = [[run() for run in runs] for _ in range(REPETITIONS)]
    return [
        (statistics.median(seconds for seconds, _ in column), column[0][1])
        for column in zip(*results, strict=True)
    ]


def peer_rows(lcs: ModuleType) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for pages, cache in SETTINGS:
            requests = zipf(pages)
            trace = Path(folder) / f"zipf{pages}.oracleGeneral.bin"
            if not trace.exists():
                write_oracle_trace(trace, requests, pages)
            for name in PEERS:
                ours, theirs = interleaved(
                    lambda n=name, r=requests, p=pages, k=cache: our_run(lambda: OURS[n](r, p, k)),
                    lambda n=name, k=cache, path=trace: peer_run(lcs, n, k, path),
                )
                yield Row(name, pages, cache, *ours, *theirs)


def layered_rows() -> Iterator[Row]:
    layers, pages = 32, 8
    requests = layered_zipf(layers, pages)
    for cache in (40, 100, 200):
        plain = (requests, layers * pages, cache, NOTHING)
        for variant, name in enumerate(["llru", "llru-lazy", "llru-token"]):
            ours, lrus = interleaved(
                lambda a=plain, v=variant: our_run(lambda: llru(*a, layers, 1, v)),
                lambda a=plain: our_run(lambda: lru(*a)),
            )
            yield Row(name, layers * pages, cache, *ours, *lrus)


SPECIAL = {"pinned", "admit", "game-optimal"}
"""Policies that need more than requests, or a small instance."""


def policy_rows() -> Iterator[Row]:
    """Every other policy beside LRU, as `paging compare` serves them, on one layer and on twenty."""
    pages, cache = SETTINGS[-1]
    for layers in (1, 20):
        sequence = RequestSequence(
            LayeredInstance(layers, pages // layers, cache), layered_zipf(layers, pages // layers)
        )
        for name in registered_policies():
            if name not in SPECIAL and name not in TOLD:
                ours, lrus = interleaved(
                    lambda p=name, s=sequence: our_run(lambda: simulate(p, s).faults),
                    lambda s=sequence: our_run(lambda: simulate("lru", s).faults),
                )
                yield Row(f"{name} ({layers})", pages, cache, *ours, *lrus)


def told_rows() -> Iterator[Row]:
    """Deterministic policies that are told bits, beside LRU: true bits of which every fifth is wrong."""
    pages, cache = SETTINGS[-1]
    instance = LayeredInstance(1, pages, cache)
    sequence = RequestSequence(instance, layered_zipf(1, pages))
    wrong = np.random.default_rng(0).random(len(sequence)) < 0.2
    for name in ("flush-when-kept", "flush-when-kept-lazy", "mark-predict-lru"):
        kind = get_policy(name).predictions
        assert kind is not None
        truth = true_predictions(sequence, kind).predictions if kind == "discard" else wrong.astype(np.int64)
        bits = PredictedSequence(sequence, kind, truth ^ wrong)
        ours, lrus = interleaved(
            lambda p=name, s=bits: our_run(lambda: simulate(p, s).faults),
            lambda s=sequence: our_run(lambda: simulate("lru", s).faults),
        )
        yield Row(name, pages, cache, *ours, *lrus)


def show(title: str, other: str, rows: list[Row]) -> None:
    print(f"\n\n{title}")
    print(
        f"{REQUESTS:,} requests, median of {REPETITIONS} interleaved runs, {platform.machine()}, "
        "one thread, processor time\n"
    )
    print(f"{'':15}{'pages':>8}{'k':>8}{'Mreq/s':>9}{other:>13}{'ratio':>8}{'faults':>12}{other:>13}")
    for row in rows:
        rates = REQUESTS / row.seconds / 1e6, REQUESTS / row.other_seconds / 1e6
        print(
            f"{row.name:15}{row.pages:8,}{row.cache:8,}{rates[0]:9.1f}{rates[1]:13.1f}"
            f"{rates[0] / rates[1]:7.1f}x{row.faults:12,}{row.other_faults:13,}"
        )


def test_against_libcachesim(benchmark: Any) -> None:
    lcs = pytest.importorskip(
        "libcachesim", reason="needs the extra `bench`: pip install layered-paging[bench]"
    )
    rows = benchmark.pedantic(lambda: list(peer_rows(lcs)), rounds=1)
    show("Zipf sequence, ours and libcachesim's process_trace", "libcachesim", rows)
    for row in rows:
        assert row.faults == row.other_faults or row.name == "random", row


def test_llru_against_lru(benchmark: Any) -> None:
    rows = benchmark.pedantic(lambda: list(layered_rows()), rounds=1)
    show("Layered Zipf sequence, LLRU and our LRU (its faults differ: it is another policy)", "lru", rows)


def test_every_policy_against_lru(benchmark: Any) -> None:
    rows = benchmark.pedantic(lambda: list(policy_rows()), rounds=1)
    show("Zipf sequence, every policy (layers) beside LRU", "lru", rows)


def test_policies_with_bits_against_lru(benchmark: Any) -> None:
    rows = benchmark.pedantic(lambda: list(told_rows()), rounds=1)
    show("Zipf sequence, policies that are told bits beside LRU", "lru", rows)


@pytest.mark.parametrize(("pages", "cache"), SETTINGS)
@pytest.mark.parametrize("name", OURS)
def test_kernel(benchmark: Any, name: str, pages: int, cache: int) -> None:
    requests = zipf(pages)
    benchmark.extra_info["requests"] = REQUESTS
    faults = benchmark.pedantic(lambda: OURS[name](requests, pages, cache), rounds=3, warmup_rounds=1)
    assert 0 < faults < REQUESTS
