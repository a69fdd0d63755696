"""Kernels against definitions written down from the rules, request by request and victim by victim."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache as cache_results
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from paging.kernels import (
    clock,
    farthest,
    fifo,
    fwf,
    lfru,
    lfu,
    lifo,
    llru,
    lru,
    mark,
    mark_fifo,
    mark_layer,
    mru,
    next_use,
    online_min,
    optimum,
    random_eviction,
    sieve,
)
from paging.model import BYPASS, FREE, HIT, SEVERAL
from paging.work_function import update_work_function
from tests.helpers.every_policy import every_answer, every_ratio

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT.parent / "shared" / "traces"


# ---------------------------------------------------------------- definitions


@dataclass
class Facts:
    """What the rules need to know about a cached page q."""

    page: int
    loaded: int
    last: int
    count: int = 1


class Shape(NamedTuple):
    """Layers, pages of every layer, requests per visit."""

    layers: int
    pages: tuple[int, ...]
    per_visit: int

    @property
    def total(self) -> int:
        return sum(self.pages)

    @property
    def layer_of(self) -> list[int]:
        return [layer for layer, pages in enumerate(self.pages) for _ in range(pages)]


Key = Callable[[Facts, int], tuple[int, ...]]


def defined(requests: list[int], cache: int, key: Key) -> list[int]:
    """Serve with "the cached page of smallest key leaves"; ``key`` sees a page's facts and the time."""
    cached: dict[int, Facts] = {}
    entries = []
    for t, page in enumerate(requests):
        if page in cached:
            entries.append(HIT)
            cached[page].last = t
            cached[page].count += 1
            continue
        entries.append(FREE)
        if len(cached) == cache:
            keys = {q: key(facts, t) for q, facts in cached.items()}
            assert len(set(keys.values())) == len(keys), "the rule must name one page"
            entries[-1] = min(keys, key=keys.__getitem__)
            del cached[entries[-1]]
        cached[page] = Facts(page, t, t)
    return entries


def defined_clock(requests: list[int], cache: int, loaded: int = 1) -> list[int]:
    dial: list[list[int]] = []  # [page, use bit], the hand points at the first
    entries = []
    for page in requests:
        standing = [place for place in dial if place[0] == page]
        if standing:
            standing[0][1] = 1
            entries.append(HIT)
            continue
        entries.append(FREE)
        if len(dial) == cache:
            while dial[0][1]:
                passed = dial.pop(0)
                dial.append([passed[0], 0])
            entries[-1] = dial.pop(0)[0]
        dial.append([page, loaded])
    return entries


def defined_sieve(requests: list[int], cache: int) -> list[int]:
    queue: list[int] = []  # the tail first
    visited: set[int] = set()
    hand: int | None = None
    entries = []
    for page in requests:
        if page in queue:
            visited.add(page)
            entries.append(HIT)
            continue
        entries.append(FREE)
        if len(queue) == cache:
            place = 0 if hand is None else queue.index(hand)
            while queue[place] in visited:
                visited.remove(queue[place])
                place = (place + 1) % cache
            entries[-1] = queue.pop(place)
            hand = queue[place] if place < len(queue) else None
        queue.append(page)
    return entries


def defined_fwf(requests: list[int], cache: int) -> list[int]:
    cached: list[int] = []
    entries = []
    for page in requests:
        if page in cached:
            entries.append(HIT)
            continue
        entries.append(FREE)
        if len(cached) == cache:
            entries[-1] = cached[0] if cache == 1 else SEVERAL
            cached = []
        cached.append(page)
    return entries


def defined_marking(
    requests: list[int], cache: int, key: Callable[[int, Facts], tuple[int, ...]]
) -> list[int]:
    """Mark what is requested; the unmarked page of smallest key leaves, given the page that is coming."""
    cached: dict[int, Facts] = {}
    marked: set[int] = set()
    entries = []
    for t, page in enumerate(requests):
        entry = HIT
        if page not in cached:
            entry = FREE
            if len(cached) == cache:
                if len(marked) == cache:
                    marked.clear()
                entry = min(set(cached) - marked, key=lambda q: key(page, cached[q]))
                del cached[entry]
            cached[page] = Facts(page, t, t)
        cached[page].last = t
        marked.add(page)
        entries.append(entry)
    return entries


def llru_key(shape: Shape, variant: int) -> Key:
    layer_of = shape.layer_of

    def key(q: Facts, t: int) -> tuple[int, ...]:
        visit, last = t // shape.per_visit, q.last // shape.per_visit
        layer, current = layer_of[q.page], visit % shape.layers
        # The first visit after this one that serves the page's layer.
        following = visit + 1
        while following % shape.layers != layer:
            following += 1
        age, remainder = divmod(following - last, shape.layers)
        assert remainder == 0
        assert age >= 1
        if variant == 2:
            return last // shape.layers, -following, q.page
        if variant == 1 and layer == current:
            age -= 1
        return -age, -following, q.page

    return key


def defined_next(requests: list[int]) -> list[int]:
    return [
        next((u for u in range(t + 1, len(requests)) if requests[u] == requests[t]), len(requests))
        for t in range(len(requests))
    ]


def defined_farthest(requests: list[int], cache: int, bypassing: bool) -> list[int]:
    following = defined_next(requests)
    cached: dict[int, int] = {}  # page -> time of its last request
    entries = []
    for t, page in enumerate(requests):
        entry = HIT
        if page not in cached:
            entry = FREE
            if len(cached) == cache:
                entry = max(cached, key=lambda q: (following[cached[q]], cached[q]))
                own, other = following[t], following[cached[entry]]
                if bypassing and (own == len(requests) or own > other):
                    entries.append(BYPASS)
                    continue
                del cached[entry]
        entries.append(entry)
        cached[page] = t
    return entries


def optimum_of_prefixes(requests: list[int], cache: int, bypassing: bool) -> list[int]:
    """OPT after every request, by trying all caches."""
    costs = {frozenset[int](): 0}
    optima = []
    for page in requests:
        after: dict[frozenset[int], int] = {}
        for held, cost in costs.items():
            if page in held:
                choices = [(held, cost)]
            else:
                choices = [(held | {page}, cost + 1)] if len(held) < cache else []
                choices += [(held - {q} | {page}, cost + 1) for q in held]
                choices += [(held, cost + 1)] if bypassing else []
            for choice, total in choices:
                after[choice] = min(total, after.get(choice, total))
        costs = after
        optima.append(min(costs.values()))
    return optima


# ---------------------------------------------------------------- sequences


def pages_of(shape: Shape, visit: int) -> range:
    layer = visit % shape.layers
    first = sum(shape.pages[:layer])
    return range(first, first + shape.pages[layer])


def frozen(requests: list[int]) -> np.ndarray:
    array = np.array(requests, dtype=np.int32)
    array.flags.writeable = False
    return array


def random_sequence(shape: Shape, length: int, rng: np.random.Generator) -> list[int]:
    """A legal sequence with some locality: the chances of pages differ, and they drift."""
    requests: list[int] = []
    while len(requests) < length:
        visit = len(requests) // shape.per_visit
        if visit % 40 == 0:
            weights = rng.exponential(size=shape.total)
        pages = list(pages_of(shape, visit))
        # The first g of an exponential race: distinct, and likelier the greater the weight.
        arrivals = rng.exponential(size=len(pages)) / weights[pages]
        requests += [pages[i] for i in arrivals.argsort()[: shape.per_visit]]
    return requests[:length]


SHAPES = [
    Shape(1, (1,), 1),
    Shape(1, (6,), 1),
    Shape(1, (40,), 1),
    Shape(1, (9,), 4),
    Shape(2, (3, 3), 1),
    Shape(3, (1, 5, 2), 1),
    Shape(4, (4, 4, 4, 4), 2),
    Shape(5, (3, 4, 3, 6, 3), 3),
    Shape(7, (2,) * 7, 1),
    Shape(24, (8,) * 24, 4),
    Shape(64, (2,) * 64, 1),
    Shape(70, (3,) * 70, 2),
    Shape(130, (2,) * 130, 1),
]


@cache_results
def cases(repetitions: int, longest: int) -> list[tuple[Shape, list[int], int]]:
    chosen = []
    rng = np.random.default_rng(20)
    for shape in SHAPES:
        for _ in range(repetitions):
            length = int(rng.integers(longest))
            cache = int(rng.choice([1, 2, 3, 4, 5, 8, shape.layers, shape.total // 2 + 1, shape.total]))
            chosen.append((shape, random_sequence(shape, length, rng), cache))
        chosen.append((shape, random_sequence(shape, longest, rng), shape.total + 1))
        chosen.append((shape, [], 1))
    return chosen


def exhaustive() -> Iterator[tuple[Shape, list[int], int]]:
    """All short sequences up to renaming: pages of a layer appear first in the order of their ids."""
    for shape in (Shape(1, (3,), 1), Shape(2, (2, 2), 1), Shape(2, (3, 3), 1), Shape(2, (1, 3), 1)):
        starts = {pages_of(shape, visit)[0] for visit in range(shape.layers)}
        for requests in product(*(pages_of(shape, visit) for visit in range(7))):
            first = list(dict.fromkeys(requests))
            if all(page - 1 in first[:i] for i, page in enumerate(first) if page not in starts):
                for cache in (1, 2, 3):
                    yield shape, list(requests), cache


# ---------------------------------------------------------------- deterministic policies

KERNELS = {
    "lru": (lambda shape: lru, lambda shape, r, k: defined(r, k, lambda q, t: (q.last,))),
    "fifo": (lambda shape: fifo, lambda shape, r, k: defined(r, k, lambda q, t: (q.loaded,))),
    "lfu": (lambda shape: lfu, lambda shape, r, k: defined(r, k, lambda q, t: (q.count, q.last))),
    "clock": (lambda shape: clock, lambda shape, r, k: defined_clock(r, k)),
    "clock-clear": (
        lambda shape: lambda *a: clock(*a, False),
        lambda shape, r, k: defined_clock(r, k, loaded=0),
    ),
    "lfu-fifo": (
        lambda shape: lambda *a: lfu(*a, 2**31 - 1, False),
        lambda shape, r, k: defined(r, k, lambda q, t: (q.count, q.loaded)),
    ),
    "mru": (lambda shape: mru, lambda shape, r, k: defined(r, k, lambda q, t: (-q.last,))),
    "lifo": (lambda shape: lifo, lambda shape, r, k: defined(r, k, lambda q, t: (-q.loaded,))),
    "sieve": (lambda shape: sieve, lambda shape, r, k: defined_sieve(r, k)),
    "fwf": (lambda shape: fwf, lambda shape, r, k: defined_fwf(r, k)),
    "lfu-capped": (
        lambda shape: lambda r, n, k, entries: lfu(r, n, k, entries, k),
        lambda shape, r, k: defined(r, k, lambda q, t: (min(q.count, k), q.last)),
    ),
    "mark-fifo": (
        lambda shape: mark_fifo,
        lambda shape, r, k: defined_marking(r, k, lambda page, q: (q.loaded,)),
    ),
    "mark-layer": (
        lambda shape: lambda *a: mark_layer(*a, frozen(shape.layer_of)),
        lambda shape, r, k: defined_marking(
            r, k, lambda page, q: (shape.layer_of[q.page] != shape.layer_of[page], q.last)
        ),
    ),
}
for number, name in enumerate(["llru", "llru-lazy", "llru-token"]):
    KERNELS[name] = (
        lambda shape, v=number: lambda *a: llru(*a, shape.layers, shape.per_visit, v),
        lambda shape, r, k, v=number: defined(r, k, llru_key(shape, v)),
    )


def check(name: str, shape: Shape, requests: list[int], cache: int) -> None:
    kernel = KERNELS[name][0](shape)
    expected = KERNELS[name][1](shape, requests, cache)
    entries = np.full(len(requests), -99, dtype=np.int32)
    faults = kernel(frozen(requests), shape.total, cache, entries)
    what = f"{name}, {shape}, k = {cache}, {requests}"
    assert entries.tolist() == expected, what
    assert faults == sum(entry != HIT for entry in expected), what
    # Without a record a kernel may take another route; the count must be the same.
    assert kernel(frozen(requests), shape.total, cache, np.zeros(0, dtype=np.int32)) == faults, what


@pytest.mark.slow
@pytest.mark.parametrize("name", KERNELS)
def test_kernel_follows_its_rule_on_all_small_sequences(name: str) -> None:
    for shape, requests, cache in exhaustive():
        check(name, shape, requests, cache)


@pytest.mark.slow
@pytest.mark.parametrize("name", KERNELS)
def test_kernel_follows_its_rule_on_random_sequences(name: str) -> None:
    for shape, requests, cache in cases(repetitions=40, longest=200):
        check(name, shape, requests, cache)


@pytest.mark.slow
@pytest.mark.parametrize("name", KERNELS)
def test_kernel_follows_its_rule_on_a_long_idle_stretch(name: str) -> None:
    # The bitmaps over time must cross many empty words, and LLRU's age class must catch up with it.
    shape = Shape(2, (6, 6), 1)
    rng = np.random.default_rng(5)
    busy = random_sequence(shape, 60, rng)
    check(name, shape, (busy + [0, 6] * 400) * 3 + busy, 5)


def defined_lfru(requests: list[int], pages: int, cache: int, per_visit: int) -> list[int]:
    """Serve with LFRU: exact quotients of all cached pages are compared, the present visit's go last."""
    last, uses = np.zeros(pages, dtype=np.int64), np.zeros(pages, dtype=np.int64)
    cached = np.zeros(pages, dtype=np.bool_)
    entries = []
    for t, page in enumerate(requests):
        entry = HIT
        if not cached[page]:
            entry = FREE
            if np.count_nonzero(cached) == cache:
                among = np.flatnonzero(cached)
                before = among[last[among] < t - t % per_visit]
                among = before if len(before) else among
                age, count = t + 1 - last[among], uses[among]
                best = np.argmax(age / count)
                equal = among[age * count[best] >= age[best] * count]
                entry = int(equal[np.argmin(last[equal])])
                cached[entry] = False
            cached[page] = True
        last[page] = t
        uses[page] += 1
        entries.append(entry)
    return entries


@pytest.mark.slow
def test_lfru_where_quotients_are_often_equal() -> None:
    # A page that is due one request too late is noticed only where few classes are near.
    for seed in range(24):
        rng = np.random.default_rng(seed)
        pages, per_visit, length = int(rng.integers(5, 30)), (1, 2, 5)[seed % 3], 400
        cache = int(rng.integers(3, pages))
        requests = (rng.zipf(1.3, length) % pages).astype(np.int32)
        entries = np.empty(length, dtype=np.int32)
        lfru(requests, pages, cache, entries, per_visit, False)
        assert entries.tolist() == defined_lfru(requests.tolist(), pages, cache, per_visit), seed


@pytest.mark.parametrize(("cache", "per_visit"), [(60, 1), (150, 3), (150, 70), (60, 300)])
def test_lfru_with_many_numbers_of_uses(cache: int, per_visit: int) -> None:
    # So many that the threshold rises and falls; favourites change, visits may be larger than the cache.
    rng = np.random.default_rng(cache + per_visit)
    pages, length = 200, 4000
    chances = np.cumsum(1 / np.arange(1, pages + 1))
    drawn = np.searchsorted(chances / chances[-1], rng.random(length))
    requests = ((drawn + np.arange(length) // 400 * 7) % pages).astype(np.int32)
    entries = np.empty(length, dtype=np.int32)
    lfru(requests, pages, cache, entries, per_visit, False)
    assert entries.tolist() == defined_lfru(requests.tolist(), pages, cache, per_visit)


@pytest.mark.slow
@pytest.mark.parametrize("name", KERNELS)
def test_kernel_follows_its_rule_with_a_large_cache(name: str) -> None:
    # More than two words of use bits, and LFU's heap several levels deep.
    rng = np.random.default_rng(6)
    for shape in (Shape(1, (200,), 1), Shape(10, (20,) * 10, 2)):
        for cache in (128, 150):
            check(name, shape, random_sequence(shape, 2500, rng), cache)


@pytest.mark.slow
@pytest.mark.parametrize("name", KERNELS)
def test_kernel_follows_its_rule_on_a_routing_trace(name: str) -> None:
    shape, requests = routing_trace()
    check(name, shape, requests, 2 * shape.layers)


def routing_trace() -> tuple[Shape, list[int]]:
    path = TRACES / "mixtral-8x7b-instruct-fp8.npz"
    if not path.exists():
        pytest.skip(f"no routing trace at {path}")
    experts = np.load(path)["experts"][:80].astype(np.int64)
    _, layers, per_visit = experts.shape
    pages = int(experts.max()) + 1
    ids = experts + pages * np.arange(layers)[None, :, None]
    return Shape(layers, (pages,) * layers, per_visit), ids.ravel().tolist()


def test_llru_of_one_layer_with_one_page_per_visit_is_lru() -> None:
    # Every age is then a different number of rounds: no tie is left for LLRU to break.
    rng = np.random.default_rng(3)
    for cache in (1, 2, 7):
        requests = frozen(rng.integers(12, size=3000).tolist())
        ours, lrus = np.zeros((2, 3000), dtype=np.int32)
        llru(requests, 12, cache, ours, 1, 1, 0)
        lru(requests, 12, cache, lrus)
        assert ours.tolist() == lrus.tolist()


# ---------------------------------------------------------------- randomised policies

RANDOMIZED = {"random": random_eviction, "mark": mark}


def run_randomized(name: str, requests: list[int], pages: int, cache: int, seed: int) -> list[int]:
    entries = np.full(len(requests), -99, dtype=np.int32)
    faults = RANDOMIZED[name](frozen(requests), pages, cache, entries, np.random.default_rng(seed))
    assert faults == np.count_nonzero(entries != HIT)
    unrecorded = np.zeros(0, dtype=np.int32)
    assert RANDOMIZED[name](frozen(requests), pages, cache, unrecorded, np.random.default_rng(seed)) == faults
    return entries.tolist()


def candidates_of_run(
    name: str, requests: list[int], cache: int, entries: list[int]
) -> Iterator[tuple[int, list[int]]]:
    """Replay a run and yield every victim with the sorted pages that could have left instead."""
    cached: set[int] = set()
    marked: set[int] = set()
    for page, entry in zip(requests, entries, strict=True):
        if page in cached:
            assert entry == HIT
        elif len(cached) < cache:
            assert entry == FREE
        else:
            if marked == cached:
                marked.clear()
            yield entry, sorted(cached - marked if name == "mark" else cached)
            cached.remove(entry)
        cached.add(page)
        marked.add(page)


@pytest.mark.parametrize("name", RANDOMIZED)
def test_randomized_victims_are_legal(name: str) -> None:
    for seed, (shape, requests, cache) in enumerate(cases(repetitions=40, longest=200)):
        entries = run_randomized(name, requests, shape.total, cache, seed)
        for victim, candidates in candidates_of_run(name, requests, cache, entries):
            assert victim in candidates


@pytest.mark.parametrize("name", RANDOMIZED)
def test_randomized_victims_are_uniform(name: str) -> None:
    cache = 7
    rng = np.random.default_rng(1)
    requests = rng.integers(12, size=60_000).tolist()
    entries = run_randomized(name, requests, 12, cache, seed=0)
    ranks: dict[int, Counter[int]] = {}
    for victim, candidates in candidates_of_run(name, requests, cache, entries):
        ranks.setdefault(len(candidates), Counter())[candidates.index(victim)] += 1
    assert set(ranks) == ({cache} if name == "random" else set(range(1, cache + 1)))
    for size, counts in ranks.items():
        draws = sum(counts.values())
        square = sum((counts[rank] - draws / size) ** 2 for rank in range(size)) / (draws / size)
        # 99.99 % of χ² with 6 degrees of freedom is 27.9; the seed is fixed, so this cannot flicker.
        assert draws > 1000
        assert square < 28, f"{name}: {size} candidates left {counts}"


@pytest.mark.parametrize("name", RANDOMIZED)
def test_seed_decides_the_run(name: str) -> None:
    requests = np.random.default_rng(2).integers(30, size=30_000).tolist()
    first, again, other = (run_randomized(name, requests, 30, 10, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def defined_online_min(requests: list[int], pages: int, cache: int, ranks: list[int]) -> list[int]:
    """Serve with OnlineMIN: the work function is :func:`update_work_function`, every page is looked at."""
    work = np.zeros(pages, dtype=np.int64)
    cached: set[int] = set()
    entries = []
    for page in requests:
        entry = HIT
        if page not in cached:
            entry = FREE
            if len(cached) == cache:
                label, last = work[page], cache
                if label > 0:
                    labels = np.sort(work[sorted(cached)])
                    last = next(
                        c for c in range(label, cache + 1) if np.searchsorted(labels, c, "right") == c
                    )
                entry = max((q for q in cached if work[q] <= last), key=ranks.__getitem__)
                cached.remove(entry)
            cached.add(page)
        update_work_function(work, page, cache)
        entries.append(entry)
    return entries


def check_online_min(requests: list[int], pages: int, cache: int, seed: int) -> None:
    ranks = np.random.default_rng(seed).permutation(pages).astype(np.int32)
    entries = np.full(len(requests), -99, dtype=np.int32)
    faults = online_min(frozen(requests), pages, cache, entries, ranks)
    assert entries.tolist() == defined_online_min(requests, pages, cache, ranks.tolist()), (cache, requests)
    assert faults == np.count_nonzero(entries != HIT)


def test_online_min_follows_its_rule() -> None:
    for seed, (shape, requests, cache) in enumerate(cases(repetitions=40, longest=200)):
        check_online_min(requests, shape.total, cache, seed)


@pytest.mark.slow
@pytest.mark.parametrize("cache", [70, 200])
def test_online_min_follows_its_rule_with_many_steps(cache: int) -> None:
    # Several groups of steps, which close up several times; the steps are few where pages come in a circle.
    pages, length = 3 * cache, 20 * cache
    rng = np.random.default_rng(cache)
    zipf = np.minimum(rng.zipf(1.2, length), pages) - 1
    circle = (np.arange(length) + (rng.random(length) < 0.1) * rng.integers(pages, size=length)) % pages
    for seed, requests in enumerate((zipf, rng.integers(pages, size=length), circle)):
        check_online_min(requests.tolist(), pages, cache, seed)


# ---------------------------------------------------------------- offline


def run_farthest(requests: list[int], pages: int, cache: int, bypassing: bool) -> list[int]:
    entries = np.full(len(requests), -99, dtype=np.int32)
    faults = farthest(frozen(requests), pages, cache, entries, bypassing)
    assert faults == np.count_nonzero(entries != HIT)
    assert farthest(frozen(requests), pages, cache, np.zeros(0, dtype=np.int32), bypassing) == faults
    return entries.tolist()


def run_optimum(requests: list[int], pages: int, cache: int, bypassing: bool) -> list[int]:
    increments = np.full(len(requests), -99, dtype=np.int32)
    faults = optimum(frozen(requests), pages, cache, increments, bypassing)
    assert faults == increments.sum()
    return np.cumsum(increments).tolist()


def test_next_use() -> None:
    assert next_use(frozen([]), 1).tolist() == []
    assert next_use(frozen([3, 0, 3, 3, 1, 0]), 5).tolist() == [2, 5, 3, 6, 6, 6]


@pytest.mark.slow
@pytest.mark.parametrize("bypassing", [False, True])
def test_farthest_is_optimal_on_all_small_sequences(bypassing: bool) -> None:
    for pages, length in ((3, 7), (4, 6)):
        for requests in map(list, product(range(pages), repeat=length)):
            for cache in range(1, pages + 1):
                optima = optimum_of_prefixes(requests, cache, bypassing)
                assert run_optimum(requests, pages, cache, bypassing) == optima, (requests, cache)
                entries = run_farthest(requests, pages, cache, bypassing)
                assert sum(entry != HIT for entry in entries) == optima[-1], (requests, cache)


@pytest.mark.parametrize("bypassing", [False, True])
def test_farthest_is_optimal_on_random_sequences(bypassing: bool) -> None:
    rng = np.random.default_rng(9)
    for _ in range(200):
        pages, length = int(rng.integers(2, 8)), int(rng.integers(30))
        requests, cache = rng.integers(pages, size=length).tolist(), int(rng.integers(1, 5))
        optima = optimum_of_prefixes(requests, cache, bypassing)
        assert run_optimum(requests, pages, cache, bypassing) == optima, (requests, cache)
        entries = run_farthest(requests, pages, cache, bypassing)
        assert sum(entry != HIT for entry in entries) == (optima or [0])[-1], (requests, cache)


@pytest.mark.parametrize("bypassing", [False, True])
def test_farthest_follows_its_rule(bypassing: bool) -> None:
    for shape, requests, cache in cases(repetitions=40, longest=200):
        entries = run_farthest(requests, shape.total, cache, bypassing)
        assert entries == defined_farthest(requests, cache, bypassing), (shape, cache, requests)


@pytest.mark.parametrize("bypassing", [False, True])
def test_farthest_follows_its_rule_on_long_sequences(bypassing: bool) -> None:
    # More than 64² requests: three levels of the tree, and far next uses.
    rng = np.random.default_rng(4)
    requests = (np.minimum(rng.zipf(1.3, size=9000), 600) - 1).tolist()
    for cache in (3, 70):
        entries = run_farthest(requests, 600, cache, bypassing)
        assert entries == defined_farthest(requests, cache, bypassing)


# ---------------------------------------------------------------- without numba


@pytest.mark.slow
def test_without_the_compiler_every_policy_and_opt_do_the_same() -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.helpers.every_policy"]
    plain = subprocess.run(
        command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=ROOT, capture_output=True, check=False
    )
    assert plain.stderr == b""
    assert json.loads(plain.stdout) == [every_answer(), every_ratio()]
