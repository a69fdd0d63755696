"""Every registered policy: declared traits, hand-made goldens, independent definitions, kernels."""

from __future__ import annotations

import json
import math
import pkgutil
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import paging.policies
from paging import (
    FREE,
    HIT,
    LayeredInstance,
    ModelError,
    Policy,
    RequestSequence,
    UnsupportedModelError,
    WorkFunction,
    expected_cost,
    expected_faults,
    farthest_in_future,
    generate,
    get_policy,
    phase_starts,
    read_trace,
    registered_policies,
    sample_faults,
    simulate,
    steps,
    write_trace,
)
from paging.cli.main import run
from paging.errors import TraceError
from paging.model import BYPASS, SEVERAL
from paging.policy import FAMILIES
from paging.testing import applicable, check_policy, sequences
from paging.traces import Trace
from tests.helpers.policies import PLAIN, TOLD, as_told, attempt

BELADY = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5]
"""Belady, Nelson and Shedler 1969: more cache, more faults of FIFO."""

BATTERY = [*registered_policies(), "partitioned:policy=mark", "partitioned:policy=llru"]
DETERMINISTIC = [id for id, cls in registered_policies().items() if not cls().randomized]


def classical(requests: Iterable[int], cache: int, pages: int = 6) -> RequestSequence:
    return RequestSequence(LayeredInstance(layers=1, pages=pages, cache=cache), list(requests))


def entries(policy: str, sequence: RequestSequence, engine: str = "labels") -> list[int]:
    run = simulate(policy, as_told(policy, sequence), record=True, engine=engine)  # type: ignore[arg-type]
    assert run.entries is not None
    return run.entries.tolist()


# Declared traits and invariants, by behaviour


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "invariant"), [(policy, name) for policy in BATTERY for name in applicable(policy)]
)
def test_invariant(policy: str, invariant: str) -> None:
    try:
        attempt(policy, invariant, examples=30)
    except AssertionError:
        check_policy(policy, [invariant], examples=30)  # shows the smallest sequence
        raise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "trait"),
    [
        *(("fifo", t) for t in ("marking", "stack")),
        *(("clock", t) for t in ("marking", "stack")),
        *(("sieve", t) for t in ("conservative", "marking", "stack")),
        *(("lfu", t) for t in ("conservative", "marking", "stack", "finite-state")),
        *(("clock-clear", t) for t in ("conservative", "marking", "stack")),
        *(("lfu-fifo", t) for t in ("conservative", "marking", "stack", "finite-state")),
        *(("lfu-capped", t) for t in ("conservative", "marking", "stack")),
        *(("zrc", t) for t in ("conservative", "marking", "stack", "symmetric")),
        *(("far-lab", t) for t in ("conservative", "marking", "stack", "symmetric", "atomic")),
        *(("zrc-atomic", t) for t in ("conservative", "marking", "stack", "symmetric")),
        *(("mru", t) for t in ("conservative", "marking")),
        *(("lifo", t) for t in ("conservative", "marking")),
        *(("fwf", t) for t in ("demand", "conservative", "stack")),
        *(("mark-fifo", t) for t in ("stack",)),
        *(("mark-layer", t) for t in ("conservative", "stack")),
        *(("llru", t) for t in ("conservative", "marking")),
        *(("llru-lazy", t) for t in ("conservative", "marking")),
        *(("llru-token", t) for t in ("conservative", "marking")),
        *(("random", t) for t in ("deterministic", "marking", "conservative")),
        *(("mark", t) for t in ("deterministic", "conservative")),
        *(("equitable", t) for t in ("deterministic", "conservative", "marking")),
        *(("partitioned", t) for t in ("demand", "conservative", "marking")),
    ],
)
def test_a_trait_that_is_not_declared_does_not_hold(policy: str, trait: str) -> None:
    assert trait not in get_policy(policy).traits
    with pytest.raises(AssertionError):
        attempt(policy, trait, examples=200)


# Goldens: published, or reasoned by hand


@pytest.mark.parametrize(
    ("policy", "three", "four"), [("fifo", 9, 10), ("lru", 10, 8), ("mark-lru", 10, 8), ("llru", 10, 8)]
)
def test_belady_anomaly(policy: str, three: int, four: int) -> None:
    for cache, faults in ((3, three), (4, four)):
        for engine in ("auto", "labels"):
            assert simulate(policy, classical(BELADY, cache), engine=engine).faults == faults  # type: ignore[arg-type]


def test_opt_on_the_anomaly() -> None:
    assert [farthest_in_future(classical(BELADY, cache)).faults for cache in (3, 4)] == [7, 6]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # 0 and 1 fill the cache, 0 hits, 2 faults: 1 is least recent; 0 hits; for 1 the older one, 2, leaves.
        ("lru", [FREE, FREE, HIT, 1, HIT, 2]),
        ("mark-lru", [FREE, FREE, HIT, 1, HIT, 2]),
        ("mark-layer", [FREE, FREE, HIT, 1, HIT, 2]),
        ("llru", [FREE, FREE, HIT, 1, HIT, 2]),
        # The hit does not count: 0 came first and leaves for 2, then 1 for 0, then 2 for 1.
        ("fifo", [FREE, FREE, HIT, 0, 1, 2]),
        # 1 came last and leaves for 2, which came last and leaves for 1.
        ("lifo", [FREE, FREE, HIT, 1, HIT, 2]),
        # 0 was requested last and leaves for 2, 2 leaves for 0, and 1 is still there.
        ("mru", [FREE, FREE, HIT, 0, 2, HIT]),
        # All bits are set: the hand clears 0 and 1, comes round and evicts 0. Then 1 is clear and leaves.
        # Then 2 and 0 are set; the hand clears both and evicts 2, where it stands again.
        ("clock", [FREE, FREE, HIT, 0, 1, 2]),
        # The bit of 0 alone is set: the hand clears it and evicts 1. 0 is hit again, spared, and 2 leaves.
        ("clock-clear", [FREE, FREE, HIT, 1, HIT, 2]),
        # 0 was visited and is spared, 1 leaves; the hand goes past the head, back to the tail. 0 is spared
        # again, 2 leaves.
        ("sieve", [FREE, FREE, HIT, 1, HIT, 2]),
        # Counts 2 and 1: 1 leaves for 2; counts 3 and 1: 2 leaves for 1.
        ("lfu", [FREE, FREE, HIT, 1, HIT, 2]),
        ("lfu-capped", [FREE, FREE, HIT, 1, HIT, 2]),
        ("lfu-fifo", [FREE, FREE, HIT, 1, HIT, 2]),
        # OPT may have kept 0 or 1 beside 2: a tie, and 0 has the lower number. The request of 0 shows that
        # OPT kept 0, so 1 is useless and leaves. Then OPT keeps 0 or 2 beside 1: a tie again.
        ("zrc", [FREE, FREE, HIT, 0, 1, 0]),
        ("far-lab", [FREE, FREE, HIT, 0, 1, 0]),
        ("zrc-atomic", [FREE, FREE, HIT, 0, 1, 0]),
        # 2 flushes both, 0 finds a free slot, 1 flushes both again.
        ("fwf", [FREE, FREE, HIT, SEVERAL, FREE, SEVERAL]),
        # 2 begins a phase: 0, cached longest, leaves; 2 is marked, so 1 leaves for 0; 1 begins a phase,
        # and 2 is cached longest.
        ("mark-fifo", [FREE, FREE, HIT, 0, 1, 2]),
    ],
)
def test_by_hand(policy: str, expected: list[int]) -> None:
    assert entries(policy, classical([0, 1, 0, 2, 0, 1], cache=2)) == expected


@pytest.mark.parametrize(
    ("policy", "victim"),
    # Pages 0 1 2 | 3 4 5, k = 3, requests 1 3 1 4 and then 2 (time 4, layer 0):
    #   page 1: last 2, next 6, so age (6 − 2)/2 = 2, token 1
    #   page 3: last 1, next 5, so age (5 − 1)/2 = 2, token 0
    #   page 4: last 3, next 5, so age (5 − 3)/2 = 1, token 1
    # LLRU: age 2 twice, page 1 comes up later. Lazy: page 1 is of the layer served, its age counts as 1.
    # ZRC: OPT may have kept any two of the three, and page 1 is of the layer served.
    [
        ("lru", 3),
        ("llru", 1),
        ("llru-lazy", 3),
        ("llru-token", 3),
        ("zrc", 1),
        ("far-lab", 1),
        ("zrc-atomic", 1),
    ],
)
def test_layered_by_hand(policy: str, victim: int) -> None:
    sequence = RequestSequence(LayeredInstance(layers=2, pages=3, cache=3), [1, 3, 1, 4, 2])
    assert entries(policy, sequence) == [FREE, FREE, HIT, FREE, victim]


def test_llru_breaks_ties_of_age_by_the_layer_furthest_ahead() -> None:
    # Pages 0 1 | 2 3, k = 3, requests 0 2 1 and then 3 (time 3): pages 0 and 2 both have age 2; layer 1 is
    # being served and comes up again last, so 2 leaves, where LRU evicts 0.
    sequence = RequestSequence(LayeredInstance(layers=2, pages=2, cache=3), [0, 2, 1, 3])
    assert [entries(p, sequence)[-1] for p in ("llru", "llru-token", "llru-lazy", "lru")] == [2, 2, 0, 0]


def test_capped_counts_forget_how_often() -> None:
    # k = 2, page 0 three times and page 1 twice: LFU lets 1 go; capped at 2 both count 2, and 0 is older.
    sequence = classical([0, 0, 0, 1, 1, 2], cache=2)
    assert [entries(policy, sequence)[-1] for policy in ("lfu", "lfu-capped")] == [1, 0]


def test_far_lab_and_zrc_atomic_by_hand() -> None:
    # Two pages a visit, k = 3: 0 1 | 4 5 | 2. For 5 OPT may have any two of 0 1 4 beside it; 0 and 1 are of
    # the layer that comes next, 4 of this visit: far-lab lets 4 go. In an atomic visit 4 stays, and 0 goes.
    # Then for 2 none of 0 1 5 is sure, 0 and 1 may be asked for at once, and 5 a visit later: it goes.
    sequence = RequestSequence(LayeredInstance(2, 4, 3, 2), [0, 1, 4, 5, 2])
    assert entries("far-lab", sequence) == [FREE, FREE, FREE, 4, 5]
    assert entries("zrc-atomic", sequence)[:4] == [FREE, FREE, FREE, 0]


def test_zrc_lets_useless_pages_go_before_those_of_the_layer_served() -> None:
    # Pages 0 1 | 2 3, k = 2, requests 0 2 1 3 0. For 1, OPT keeps 0 or 2; 0 is of the layer served
    # and leaves. For 3 OPT evicts 1 or what it kept: {0, 3}, {1, 3}, {2, 3} are optimal; ZRC holds 1 and 2
    # and lets 2 go, of the layer served. The request of 0 leaves {0, 3} alone as optimal: 1 is useless.
    sequence = RequestSequence(LayeredInstance(layers=2, pages=2, cache=2), [0, 2, 1, 3, 0])
    assert entries("zrc", sequence) == [FREE, FREE, 0, 2, 1]


def test_partitioned_keeps_layers_apart() -> None:
    # k = 3: layer 0 has two slots, layer 1 has one. Layer 1 alternates between 3 and 4: never a hit.
    sequence = RequestSequence(LayeredInstance(layers=2, pages=(3, 2), cache=3), [0, 3, 1, 4, 0, 3, 1, 4])
    assert entries("partitioned", sequence) == [FREE, FREE, FREE, 3, HIT, 4, HIT, 3]
    assert entries("partitioned:shares=1/2", sequence) == [FREE, FREE, 0, FREE, 1, HIT, 0, HIT]


def test_a_split_that_does_not_fit_is_refused() -> None:
    narrow = LayeredInstance(layers=3, pages=2, cache=2)
    with pytest.raises(UnsupportedModelError, match="k = 2 over ℓ = 3 layers leaves a layer without a slot"):
        get_policy("partitioned").check(narrow)
    with pytest.raises(UnsupportedModelError, match="shares 1/1 must name ℓ = 3 layers"):
        get_policy("partitioned:shares=1/1").check(narrow)
    with pytest.raises(ModelError, match="share of layer 1 must be an integer ≥ 1"):
        get_policy("partitioned:shares=1/0/1")


def profile_of(tmp_path: Path, experts: list[list[list[int]]]) -> str:
    path = tmp_path / "profile.npz"
    write_trace(Trace.from_experts(experts, 3), path)
    return str(path)


def test_pinned_pages_stay_and_the_rest_is_lru(tmp_path: Path) -> None:
    # The profile asks for 0.1 and 1.2 most: pages 1 and 5 are pinned, LRU has the other two of four slots.
    path = profile_of(tmp_path, [[[1], [2]], [[1], [2]], [[0], [1]]])
    spec = f"pinned:profile={path}"
    assert (get_policy(spec).spec, get_policy(f"{spec},policy=fifo").name) == (
        spec,
        f"{spec},policy=fifo",
    )
    sequence = RequestSequence(LayeredInstance(2, 3, 4), [1, 3, 0, 4, 2, 5, 1, 5, 0, 3])
    expected = [FREE, FREE, FREE, 3, 0, FREE, HIT, HIT, 4, 2]
    for engine in ("labels", "kernel"):
        assert entries(spec, sequence, engine) == expected
    check_policy(spec, ["legal", "at-most-k", "opt", "online", "engines"], examples=20, sequences=PROFILED)


PROFILED = sequences(layers=2, pages=3, cache=(2, 5), length=(0, 30))


def test_what_cannot_be_pinned_is_refused(tmp_path: Path) -> None:
    path = profile_of(tmp_path, [[[1], [2]]])
    with pytest.raises(UnsupportedModelError, match="pinned needs a profile, another trace"):
        get_policy("pinned").check(LayeredInstance(2, 3, 4))
    with pytest.raises(UnsupportedModelError, match="of another model: ℓ = 2, n = 3, but ℓ = 2, n = 4 is"):
        get_policy(f"pinned:profile={path}").check(LayeredInstance(2, 4, 4))
    with pytest.raises(UnsupportedModelError, match="pins = 4 leave no slot for other pages; fewer"):
        get_policy(f"pinned:profile={path},pins=4").check(LayeredInstance(2, 3, 4))
    with pytest.raises(ModelError, match="pinned does not go around policy llru, which counts visits"):
        get_policy(f"pinned:profile={path},policy=llru")
    with pytest.raises(TraceError, match=r"no\.npz"):
        get_policy("pinned:profile=some/no.npz").check(LayeredInstance(2, 3, 4))


BYPASSING = sequences(per_visit=(1, 3), pages=(1, 4), cache=(2, 5), bypassing=True, length=(0, 40))


@settings(max_examples=20)
@given(BYPASSING)
def test_admission_lets_in_so_many_pages_per_visit(sequence: RequestSequence) -> None:
    for policy in ("admit", "admit:loads=1", "admit:loads=1,policy=llru", "admit:policy=arc"):
        found = np.array(entries(policy, sequence))
        loads = (found != HIT) & (found != BYPASS)
        limit = get_policy(policy).loads  # type: ignore[attr-defined]
        assert np.bincount(sequence.visits[loads], minlength=1).max(initial=0) <= limit
        asked = np.bincount(sequence.visits[found != HIT], minlength=1)
        assert (
            np.bincount(sequence.visits[loads], minlength=len(asked)).tolist()
            == np.minimum(asked, limit).tolist()
        )
    assert entries("admit:loads=1", sequence, "kernel") == entries("admit:loads=1", sequence)
    for policy in ("lru", "2q", "lfu-perfect"):  # with room for a whole visit it is the policy itself
        assert entries(f"admit:loads=3,policy={policy}", sequence) == entries(policy, sequence)


def test_admission_needs_bypassing() -> None:
    with pytest.raises(UnsupportedModelError, match="needs bypassing service; this instance has forced"):
        get_policy("admit").check(LayeredInstance(2, 3, 4))
    with pytest.raises(ModelError, match="admit does not go around policy mark"):
        get_policy("admit:policy=mark")


def test_parameters_of_queues_have_their_range() -> None:
    for spec, message in {
        "slru:segments=0": "segments of slru must be an integer in 1 … 64",
        "2q:inside=1": "inside of 2q must be a number ≥ 0 and < 1, got 1",
        "s3-fifo:threshold=4": "threshold of s3-fifo must be an integer in 1 … 3",
        "heat-lru:hits=-1": "hits of heat-lru must be an integer in 0",
        "hobbit:weights=1/2/3": "hobbit has four weights such as 1/1/1/1",
        "hobbit:weights=0/0/0/0": "not all 0",
    }.items():
        with pytest.raises(ModelError, match=message):
            get_policy(spec)


@given(sequences(layers=(1, 3), pages=(1, 5), cache=(1, 6), length=50))
def test_special_cases_of_the_engines_policies(sequence: RequestSequence) -> None:
    # One segment is an LRU list, and so are pages of which none becomes hot.
    assert entries("slru:segments=1", sequence) == entries("lru", sequence)
    assert entries("heat-lru:hits=1000", sequence) == entries("lru", sequence)


# Independent definitions: plain Python, unbounded time stamps, no labels


class Reference(ABC):
    """An algorithm by its textbook definition: ``serve`` returns the victim of a fault with a full cache."""

    def __init__(self, sequence: RequestSequence) -> None:
        self.sequence, self.cache = sequence, sequence.instance.cache
        self.inside: set[int] = set()
        self.held: set[int] = set()  # pages of an atomic visit, which may not leave
        self.last: dict[int, int] = {}

    def first(self, pages: Iterable[int]) -> int | None:
        """Return the first page that may leave."""
        return next((q for q in pages if q not in self.held), None)

    def taken(self, *queues: Any) -> int:
        """Take the first page that may leave out of the first queue that has one, looked through in order."""
        for queue in queues:
            found = self.first(queue)
            if found is not None:
                queue.remove(found)
                return found
        raise AssertionError("every page is held")

    def hit(self, page: int, time: int) -> None:  # noqa: B027 — most references remember nothing here
        """Take note of a hit."""

    def loaded(self, page: int, time: int) -> None:  # noqa: B027
        """Take note of a load."""

    @abstractmethod
    def victim(self, page: int, time: int) -> int:
        """Choose who leaves."""

    def entries(self) -> list[int]:
        pages, group = list(self.sequence), self.sequence.instance.per_visit
        result = [0] * len(pages)
        for time, at in enumerate(self.in_order(pages, group)):
            page = pages[at]
            if time % group == 0:
                self.held.clear()
            if page in self.inside:
                self.hit(page, time)
                result[at] = HIT
            else:
                result[at] = FREE
                if len(self.inside) == self.cache:
                    result[at] = self.victim(page, time)
                    self.inside.remove(result[at])
                self.loaded(page, time)
                self.inside.add(page)
            self.last[page] = time
            if self.sequence.instance.visits == "atomic":
                self.held.add(page)
        return result

    def in_order(self, pages: list[int], group: int) -> Iterable[int]:
        """Yield the times of requests as they are served: of an atomic visit the hits first."""
        for start in range(0, len(pages), group):
            visit = list(range(start, min(start + group, len(pages))))
            if self.sequence.instance.visits == "atomic":
                visit.sort(key=lambda at: pages[at] not in self.inside)
            yield from visit


class ByKey(Reference):
    """Evict the page with the largest key, the lowest id among equals."""

    @abstractmethod
    def key(self, q: int, time: int) -> tuple[int, ...]:
        """Return what cached pages are compared by."""

    def victim(self, page: int, time: int) -> int:
        return max(sorted(self.inside - self.held), key=lambda q: self.key(q, time))

    def here(self, q: int, time: int) -> bool:
        """Return whether a page was requested in the present visit."""
        return self.last[q] >= time - time % self.sequence.instance.per_visit

    def times(self, q: int, time: int) -> tuple[int, int, bool]:
        """Return last(q) and next(q) as numbers of visits, and whether q's layer is being served."""
        instance = self.sequence.instance
        now, layer = time // instance.per_visit, instance.locate(q).layer
        following = now + 1
        while following % instance.layers != layer:
            following += 1
        return self.last[q] // instance.per_visit, following, now % instance.layers == layer


class ReferenceLRU(ByKey):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        return (-self.last[q],)


class ReferenceMRU(ByKey):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        return (self.last[q],)


class ReferenceLLRU(ByKey):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        last, following, _ = self.times(q, time)
        age = Fraction(following - last, self.sequence.instance.layers)
        assert age.denominator == 1
        assert age >= 1
        return int(age), following


class ReferenceLazy(ReferenceLLRU):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        age, following = super().key(q, time)
        return age - self.times(q, time)[2], following


class ReferenceToken(ByKey):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        last, following, _ = self.times(q, time)
        return -(last // self.sequence.instance.layers), following


class ReferenceFIFO(Reference):
    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.queue: deque[int] = deque()

    def loaded(self, page: int, time: int) -> None:
        self.queue.append(page)

    def victim(self, page: int, time: int) -> int:
        return self.taken(self.queue)


class ReferenceLIFO(ReferenceFIFO):
    def victim(self, page: int, time: int) -> int:
        self.queue.reverse()
        found = self.taken(self.queue)
        self.queue.reverse()
        return found


class ReferenceClock(ReferenceFIFO):
    """Second chance: the page at the front goes to the back if it was used."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.used: set[int] = set()

    def hit(self, page: int, time: int) -> None:
        self.used.add(page)

    def loaded(self, page: int, time: int) -> None:
        super().loaded(page, time)
        self.used.add(page)

    def victim(self, page: int, time: int) -> int:
        while self.queue[0] in self.used | self.held:
            self.used.discard(self.queue[0])
            self.queue.rotate(-1)
        return self.queue.popleft()


class ReferenceClockClear(ReferenceClock):
    """Second chance only for pages that were hit."""

    def loaded(self, page: int, time: int) -> None:
        super().loaded(page, time)
        self.used.discard(page)


class ReferenceSieve(Reference):
    """Zhang et al. 2024: a list from head to tail, a hand that is a page or nothing."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.queue: list[int] = []  # the head is first
        self.visited: set[int] = set()
        self.hand: int | None = None

    def hit(self, page: int, time: int) -> None:
        self.visited.add(page)

    def loaded(self, page: int, time: int) -> None:
        self.queue.insert(0, page)

    def before(self, page: int) -> int | None:
        place = self.queue.index(page)
        return self.queue[place - 1] if place else None

    def victim(self, page: int, time: int) -> int:
        at = self.queue[-1] if self.hand is None else self.hand
        while at in self.visited | self.held:
            self.visited.discard(at)
            previous = self.before(at)
            at = self.queue[-1] if previous is None else previous
        self.hand = self.before(at)
        self.queue.remove(at)
        return at


class ReferenceLFU(ByKey):
    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.count: dict[int, int] = {}

    def hit(self, page: int, time: int) -> None:
        self.count[page] += 1

    def loaded(self, page: int, time: int) -> None:
        self.count[page] = 1

    def key(self, q: int, time: int) -> tuple[int, ...]:
        return -self.count[q], -self.last[q]


class ReferenceLFUFirst(ReferenceLFU):
    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.since: dict[int, int] = {}

    def loaded(self, page: int, time: int) -> None:
        super().loaded(page, time)
        self.since[page] = time

    def key(self, q: int, time: int) -> tuple[int, ...]:
        return -self.count[q], -self.since[q]


class ReferenceLFUCapped(ReferenceLFU):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        return -min(self.count[q], self.cache), -self.last[q]


class ReferenceLFUPerfect(ReferenceLFU):
    def loaded(self, page: int, time: int) -> None:
        self.count[page] = self.count.get(page, 0) + 1


class ReferenceLFRU(ReferenceLFUPerfect):
    def key(self, q: int, time: int) -> tuple[Any, ...]:
        return not self.here(q, time), Fraction(-self.count[q], time - self.last[q] + 1), -self.last[q]


class ReferenceHeat(ReferenceLFU):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        # Cold: loaded once and hit at most four times.
        return not self.here(q, time), self.count[q] <= 5, -self.last[q]


class ReferenceHobbit(ReferenceLFUPerfect):
    def key(self, q: int, time: int) -> tuple[Any, ...]:
        instance = self.sequence.instance
        token, layer = time // instance.round_length, instance.layer_at(time)
        last = self.last[q] // instance.round_length
        ahead = (instance.locate(q).layer - layer) % instance.layers
        worth = Fraction(last + 1 + 2 * self.count[q], token + 1) + 1 - Fraction(ahead, instance.layers)
        return not self.here(q, time), -worth, -last, ahead


class ReferenceStale(ReferenceLFUFirst):
    def key(self, q: int, time: int) -> tuple[int, ...]:
        length = self.sequence.instance.round_length
        return not self.here(q, time), self.last[q] // length < time // length, -self.since[q]


class ReferenceClassLRU(ByKey):
    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.uses: dict[int, int] = {}

    def hit(self, page: int, time: int) -> None:
        before, left = self.last.get(page), 0
        if before is not None:
            halvings, rest = divmod((time - before) // self.sequence.instance.round_length, 128)
            left = self.uses[page] * round(2 ** (30 - rest / 128)) // 2 ** (30 + halvings)
        self.uses[page] = left + 2**16

    loaded = hit

    def key(self, q: int, time: int) -> tuple[Any, ...]:
        rank = min(7, int(math.log2(self.uses[q] / 2**16)))
        return not self.here(q, time), Fraction(time - self.last[q], 2**rank), -rank


class ReferenceSLRU(Reference):
    """Segments as lists, the head first."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        count = min(4, self.cache)
        self.segments: list[list[int]] = [[] for _ in range(count)]
        self.room = [self.cache - (count - 1) * (self.cache // count)] + [self.cache // count] * (count - 1)

    def hit(self, page: int, time: int) -> None:
        place = next(i for i, segment in enumerate(self.segments) if page in segment)
        self.segments[place].remove(page)
        above = min(place + 1, len(self.segments) - 1)
        self.segments[above].insert(0, page)
        if len(self.segments[above]) > self.room[above]:
            self.segments[above - 1].insert(0, self.segments[above].pop())

    def loaded(self, page: int, time: int) -> None:
        self.segments[[len(s) < r for s, r in zip(self.segments, self.room, strict=True)].index(True)].insert(
            0, page
        )

    def victim(self, page: int, time: int) -> int:
        for segment in self.segments:
            found = self.first(reversed(segment))
            if found is not None:
                segment.remove(found)
                return found
        raise AssertionError("every page is held")


class ReferenceTwoQ(Reference):
    """Johnson and Shasha 1994 with libCacheSim's sizes: lists, the oldest first."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.young, self.old, self.ghosts = (list[int]() for _ in range(3))
        self.known = False

    def hit(self, page: int, time: int) -> None:
        if page in self.old:
            self.old.remove(page)
            self.old.append(page)

    def loaded(self, page: int, time: int) -> None:
        (self.old if self.known else self.young).append(page)
        self.known = False

    def victim(self, page: int, time: int) -> int:
        self.known = page in self.ghosts
        if self.known:
            self.ghosts.remove(page)
        if self.first(self.young) is None or (
            len(self.young) <= self.cache // 4 and self.first(self.old) is not None
        ):
            return self.taken(self.old)
        self.ghosts.append(self.taken(self.young))
        left = self.ghosts[-1]
        self.ghosts = self.ghosts[-(self.cache // 2) :] if self.cache > 1 else []
        return left


class ReferenceARC(Reference):
    """Megiddo and Modha 2003, figure 4; lists have the most recent page first."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.t1, self.t2, self.b1, self.b2 = (list[int]() for _ in range(4))
        self.p = 0.0

    def hit(self, page: int, time: int) -> None:
        for pages in (self.t1, self.t2):
            if page in pages:
                pages.remove(page)
        self.t2.insert(0, page)

    def loaded(self, page: int, time: int) -> None:
        ghost = [pages for pages in (self.b1, self.b2) if page in pages]
        if ghost:
            ghost[0].remove(page)
            self.t2.insert(0, page)
        else:
            self.t1.insert(0, page)

    def victim(self, page: int, time: int) -> int:
        if page in self.b1:
            self.p = min(self.cache, self.p + max(1, len(self.b2) / len(self.b1)))
        elif page in self.b2:
            self.p = max(0, self.p - max(1, len(self.b1) / len(self.b2)))
        elif len(self.t1) + len(self.b1) == self.cache:
            if not self.b1:
                return self.last_of(self.t1)
            self.b1.pop()
        elif len(self.b1) + len(self.b2) == self.cache:
            self.b2.pop()
        big = len(self.t1) > self.p or (page in self.b2 and len(self.t1) == self.p)
        both = [(self.t1, self.b1), (self.t2, self.b2)]
        for source, ghosts in both if (self.t1 and big) or not self.t2 else reversed(both):
            if self.first(source) is not None:
                ghosts.insert(0, self.last_of(source))
                return ghosts[0]
        raise AssertionError("every page is held")

    def last_of(self, pages: list[int]) -> int:
        """Take out the last page of a list that may leave."""
        found = self.first(reversed(pages))
        assert found is not None
        pages.remove(found)
        return found


class ReferenceS3FIFO(Reference):
    """Yang et al. 2023 with libCacheSim's sizes: deques, the oldest on the left."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.small, self.main, self.ghosts = deque[int](), deque[int](), deque[int]()
        self.hits: dict[int, int] = {}
        self.known = self.full = False
        self.share = max(1, self.cache // 10)

    def hit(self, page: int, time: int) -> None:
        self.hits[page] = min(3, self.hits[page] + 1)

    def loaded(self, page: int, time: int) -> None:
        main = self.known or (not self.full and len(self.small) >= self.share)
        (self.main if main else self.small).append(page)
        self.hits[page] = 0
        self.known = self.full = False

    def victim(self, page: int, time: int) -> int:
        self.full, self.known = True, page in self.ghosts
        if self.known:
            self.ghosts.remove(page)
        sifting = len(self.small) >= self.share
        while True:
            sifting = sifting or self.first(self.main) is None
            if sifting and self.first(self.small) is not None:
                left = self.taken(self.small)
                if self.hits[left] < 2:
                    self.ghosts.append(left)
                    if len(self.ghosts) > self.cache * 9 // 10:
                        self.ghosts.popleft()
                    return left
                self.hits[left] = 0
                self.main.append(left)
            else:
                left = self.taken(self.main)
                if self.hits[left] == 0:
                    return left
                self.hits[left] -= 1
                self.main.append(left)


class ReferenceZRC(ByKey):
    """OPT's cost of every cache, one by one; a page is above another if it can always replace it."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.costs: dict[frozenset[int], int] = {frozenset(): 0}
        self.seen = -1

    def see(self, page: int, time: int) -> None:
        if self.seen == time:
            return
        self.seen = time
        self.serve(page)

    def serve(self, page: int) -> None:
        costs: dict[frozenset[int], int] = {}
        for cached, cost in self.costs.items():
            fault = page not in cached
            leaving = cached if fault and len(cached) == self.cache else {page}
            for q in leaving:
                after = cached - {q} | {page}
                costs[after] = min(cost + fault, costs.get(after, cost + fault))
        self.costs = costs

    def hit(self, page: int, time: int) -> None:
        self.see(page, time)

    def loaded(self, page: int, time: int) -> None:
        self.see(page, time)

    def victim(self, page: int, time: int) -> int:
        self.see(page, time)
        best = min(self.costs.values())
        self.optimal = {cached for cached, cost in self.costs.items() if cost == best}
        return super().victim(page, time)

    def key(self, q: int, time: int) -> tuple[int, ...]:
        instance = self.sequence.instance
        pages = range(instance.total_pages)
        useless = not any(q in cached for cached in self.optimal)
        needed = all(q in cached for cached in self.optimal)
        wait = (instance.locate(q).layer - time // instance.per_visit - 1) % instance.layers
        above = sum(self.replaces(other, q) and not self.replaces(q, other) for other in pages)
        return not needed, useless, wait, above

    def replaces(self, p: int, q: int) -> bool:
        return all(
            cached - {q} | {p} in self.optimal for cached in self.optimal if q in cached and p not in cached
        )


class ReferenceMarkFIFO(Reference):
    """Marks as a set, arrivals as an ordered dictionary."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.arrivals: OrderedDict[int, None] = OrderedDict()
        self.marked: set[int] = set()

    def hit(self, page: int, time: int) -> None:
        self.marked.add(page)

    def loaded(self, page: int, time: int) -> None:
        self.arrivals[page] = None
        self.marked.add(page)

    def victim(self, page: int, time: int) -> int:
        if self.marked == self.inside:
            self.marked.clear()
        chosen = next(q for q in self.arrivals if q not in self.marked | self.held)
        del self.arrivals[chosen]
        return chosen


class ReferenceMarkLayer(Reference):
    """Marks as a set; unmarked pages of the requested layer first, then the least recent."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.marked: set[int] = set()

    def hit(self, page: int, time: int) -> None:
        self.marked.add(page)

    def loaded(self, page: int, time: int) -> None:
        self.marked.add(page)

    def victim(self, page: int, time: int) -> int:
        if self.marked == self.inside:
            self.marked.clear()
        here = self.sequence.instance.locate(page).layer
        unmarked = self.inside - self.marked - self.held
        near = {q for q in unmarked if self.sequence.instance.locate(q).layer == here}
        return min(near or unmarked, key=self.last.__getitem__)


class ReferenceFarLab(ReferenceZRC):
    """As ZRC, but by when a page can be asked for again; of useless pages the lowest."""

    def key(self, q: int, time: int) -> tuple[int, ...]:
        instance, (needed, useless, _, above) = self.sequence.instance, super().key(q, time)
        if useless:
            return needed, useless, 0, 0
        layer, now = instance.locate(q).layer, time // instance.per_visit
        ahead = 0  # visits until it can be asked for again
        last = (time + 1) % instance.per_visit == 0
        if layer != now % instance.layers or self.here(q, time) or last:
            ahead = 1
            while (now + ahead) % instance.layers != layer:
                ahead += 1
        return needed, useless, ahead, above


class ReferenceZRCAtomic(ReferenceZRC):
    """As ZRC, but the pages of the visit so far are served once more after every request."""

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        self.visit: list[int] = []

    def see(self, page: int, time: int) -> None:
        if self.seen == time:
            return
        super().see(page, time)
        if time % self.sequence.instance.per_visit == 0:
            self.visit.clear()
        for earlier in sorted(self.visit):
            self.serve(earlier)
        self.visit.append(page)


class ReferenceLandlord(Reference):
    """Young: a credit per cached page, and rent taken from all of them at once."""

    renews = True

    def __init__(self, sequence: RequestSequence) -> None:
        super().__init__(sequence)
        weights = sequence.instance.weights
        pages = range(sequence.instance.total_pages)
        self.weights = {q: Fraction(1) if weights is None else weights[q] for q in pages}
        self.credit: dict[int, Fraction] = {}
        self.since: dict[int, int] = {}

    def loaded(self, page: int, time: int) -> None:
        self.credit[page], self.since[page] = self.weights[page], time

    def hit(self, page: int, time: int) -> None:
        if self.renews:
            self.loaded(page, time)

    def victim(self, page: int, time: int) -> int:
        rent = min(self.credit[q] for q in self.inside)
        for q in self.inside:
            self.credit[q] -= rent
        return min((q for q in self.inside if self.credit[q] == 0), key=self.since.__getitem__)


class ReferenceLandlordFIFO(ReferenceLandlord):
    renews = False


class ReferenceWeightedLRU(ReferenceLandlord):
    def victim(self, page: int, time: int) -> int:
        order = sorted(self.inside, key=self.last.__getitem__, reverse=True)
        ranks = {q: rank for rank, q in enumerate(order, start=1)}
        return max(self.inside, key=lambda q: (ranks[q] / self.weights[q], ranks[q]))


class ReferenceWeightedLFU(ReferenceLandlord):
    def loaded(self, page: int, time: int) -> None:
        self.credit[page] = self.weights[page]

    def hit(self, page: int, time: int) -> None:
        self.credit[page] += self.weights[page]

    def victim(self, page: int, time: int) -> int:
        return min(self.inside, key=lambda q: (self.credit[q], self.last[q]))


REFERENCES: dict[str, type[Reference]] = {
    "lru": ReferenceLRU,
    "mark-lru": ReferenceLRU,
    "mru": ReferenceMRU,
    "fifo": ReferenceFIFO,
    "lifo": ReferenceLIFO,
    "clock": ReferenceClock,
    "clock-clear": ReferenceClockClear,
    "sieve": ReferenceSieve,
    "lfu": ReferenceLFU,
    "lfu-fifo": ReferenceLFUFirst,
    "lfu-capped": ReferenceLFUCapped,
    "lfu-perfect": ReferenceLFUPerfect,
    "landlord": ReferenceLandlord,
    "landlord-fifo": ReferenceLandlordFIFO,
    "lru-weighted": ReferenceWeightedLRU,
    "lfu-weighted": ReferenceWeightedLFU,
    "lfru": ReferenceLFRU,
    "heat-lru": ReferenceHeat,
    "hobbit": ReferenceHobbit,
    "least-stale": ReferenceStale,
    "class-lru": ReferenceClassLRU,
    "slru": ReferenceSLRU,
    "2q": ReferenceTwoQ,
    "arc": ReferenceARC,
    "s3-fifo": ReferenceS3FIFO,
    "zrc": ReferenceZRC,
    "far-lab": ReferenceFarLab,
    "zrc-atomic": ReferenceZRCAtomic,
    "mark-fifo": ReferenceMarkFIFO,
    "mark-layer": ReferenceMarkLayer,
    "llru": ReferenceLLRU,
    "llru-lazy": ReferenceLazy,
    "llru-token": ReferenceToken,
}


def test_every_deterministic_policy_has_an_independent_definition() -> None:
    # fwf and policies around policies are defined by their goldens and parts; for game-optimal see test_game,
    # for policies with predictions test_predictions.
    around = {"partitioned", "pinned", "admit", *TOLD}
    assert set(REFERENCES) == set(DETERMINISTIC) - around - {"fwf", "game-optimal"}


def long_runs(runs: int, length: int) -> Iterable[RequestSequence]:
    """Long sequences on many shapes; pages come back after short times and after very long ones."""
    rng = np.random.default_rng(2025)
    for _ in range(runs):
        layers, group = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        pages = tuple(int(n) for n in rng.integers(group, group + 4, size=layers))
        cache = int(rng.integers(1, sum(pages) + 1))
        instance = LayeredInstance(layers, pages, cache, group)
        calm = rng.choice([0.0, 0.7, 0.95])
        order = [rng.permutation(instance.pages_of(j)) for j in range(layers)]
        requests: list[int] = []
        while len(requests) < length:
            layer = len(requests) // group % layers
            if rng.random() >= calm:
                order[layer] = rng.permutation(order[layer])
            requests += order[layer][:group].tolist()
        yield RequestSequence(instance, requests)


@pytest.mark.slow
@pytest.mark.parametrize("policy", REFERENCES)
def test_labels_decide_as_the_independent_definition(policy: str) -> None:
    for sequence in long_runs(runs=30, length=300):
        if issubclass(REFERENCES[policy], ReferenceZRC) and sequence.instance.total_pages > 9:
            continue  # there are too many caches to list
        expected = REFERENCES[policy](sequence).entries()
        assert entries(policy, sequence) == expected, sequence
        assert entries(policy, sequence, "auto") == expected, sequence


@pytest.mark.parametrize("policy", ["landlord", "landlord-fifo", "lru-weighted", "lfu-weighted"])
def test_weighted_policies_decide_as_the_independent_definition(policy: str) -> None:
    rng = np.random.default_rng(16)
    for sequence in long_runs(runs=12, length=120):
        weights = [
            Fraction(int(w), int(d)) for w, d in rng.integers(1, 5, (sequence.instance.total_pages, 2))
        ]
        weighted = sequence.with_weights(weights)
        expected = REFERENCES[policy](weighted).entries()
        assert entries(policy, weighted) == expected, weighted
        assert entries(policy, weighted, "auto") == expected, weighted


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["llru", "llru-lazy", "llru-token"])
def test_shortened_ages_never_change_a_decision_of_llru(policy: str) -> None:
    for sequence in long_runs(runs=60, length=2500):
        run = simulate(policy, sequence, record=True, engine="compiled")
        assert run.entries is not None
        assert run.entries.tolist() == REFERENCES[policy](sequence).entries(), sequence


def test_ages_of_llru_are_shortened_at_all() -> None:
    # Page 1 is not requested again for 500 rounds; its label stays below 4ℓ.
    sequence = RequestSequence(LayeredInstance(2, 2, 4), [1, 2] + [0, 2] * 500)
    assert max(max(step.labels) for step in steps("llru", sequence)) <= 8


# Theorems


@given(sequences(layers=1, pages=(1, 6), cache=(1, 5), length=50))
def test_llru_and_its_variants_are_lru_on_one_layer(sequence: RequestSequence) -> None:
    for policy in ("llru", "llru-lazy", "llru-token", "mark-lru", "partitioned"):
        assert entries(policy, sequence) == entries("lru", sequence)


@given(sequences(per_visit=(1, 2), pages=(1, 5), cache=(1, 6), length=50))
def test_marking_by_recency_is_lru(sequence: RequestSequence) -> None:
    assert entries("mark-lru", sequence) == entries("lru", sequence)


@given(sequences(per_visit=(1, 2), pages=(1, 5), cache=(1, 6), length=50))
def test_weighted_policies_at_unit_cost(sequence: RequestSequence) -> None:
    known = {"landlord": "lru", "landlord-fifo": "fifo", "lru-weighted": "lru", "lfu-weighted": "lfu"}
    for weighted, plain in known.items():
        assert entries(weighted, sequence) == entries(plain, sequence)


def most_faults_in_a_phase(policy: str, sequence: RequestSequence) -> int:
    cache = sequence.instance.cache
    counts = [0, *simulate(policy, sequence, record=True).fault_counts.tolist()]
    bounds = [*phase_starts(sequence, cache), len(sequence)]
    return max((counts[end] - counts[start] for start, end in pairwise(bounds)), default=0)


@given(sequences(layers=(1, 4), pages=(1, 5), cache=(1, 6), length=60))
def test_llru_faults_at_most_k_plus_layers_minus_1_times_in_a_phase(sequence: RequestSequence) -> None:
    instance = sequence.instance
    assert most_faults_in_a_phase("llru", sequence) <= instance.cache + instance.layers - 1


def test_llru_exceeds_k_faults_in_a_phase() -> None:
    # Why L5 needs its ℓ − 1: LLRU is no marking algorithm.
    instance = LayeredInstance(layers=2, pages=3, cache=3)
    sequence = generate("uniform", instance, rounds=2000)
    assert most_faults_in_a_phase("llru", sequence) == 4


@pytest.mark.slow
@pytest.mark.parametrize("policy", sorted(set(DETERMINISTIC) & set(PLAIN)))
@given(sequence=sequences(pages=(1, 3), cache=(6, 9), length=(3, 24)))
def test_a_cache_for_all_pages_costs_compulsory_faults_only(policy: str, sequence: RequestSequence) -> None:
    roomy = sequence.with_cache(sequence.instance.total_pages * sequence.instance.layers)
    assert simulate(policy, roomy).faults == sequence.distinct_pages


@given(sequences(per_visit=(1, 2), cache=(2, 6), length=(2, 30)))
def test_repeating_the_last_round_costs_lru_and_opt_nothing(sequence: RequestSequence) -> None:
    instance = sequence.instance
    size = instance.round_length
    whole = sequence.prefix(len(sequence) // size * size).with_cache(max(instance.cache, size))
    again = RequestSequence(whole.instance, [*whole, *whole.requests[-size:].tolist()])
    for policy in ("lru", "mark-lru", "llru-lazy"):
        assert simulate(policy, again).faults == simulate(policy, whole).faults
    assert farthest_in_future(again).faults == farthest_in_future(whole).faults


# Kernels: the same answer, fault for fault and victim for victim


WITH_KERNEL = [
    policy
    for policy in DETERMINISTIC
    if type(get_policy(policy)).kernel is not Policy.kernel and policy not in ("pinned", "admit")
]
"""The policies with a kernel of their own that serves every plain instance."""


def test_the_common_policies_have_kernels() -> None:
    assert {"lru", "fifo", "clock", "lfu", "llru", "llru-lazy", "llru-token"} <= set(WITH_KERNEL)


@pytest.mark.slow
@pytest.mark.parametrize("policy", WITH_KERNEL)
@given(sequence=sequences(layers=(1, 4), pages=(1, 6), cache=(4, 9), per_visit=(1, 3), length=(0, 80)))
def test_kernel_equals_labels(policy: str, sequence: RequestSequence) -> None:
    assert entries(policy, sequence, "kernel") == entries(policy, sequence)
    for cache in (1, 2, sequence.instance.total_pages):
        if policy == "zrc-atomic" and cache < sequence.instance.per_visit:
            continue  # its kernel needs room for a visit
        if policy != "partitioned":
            other = sequence.with_cache(cache)
            assert entries(policy, other, "kernel") == entries(policy, other)


@pytest.mark.parametrize("policy", WITH_KERNEL)
def test_kernel_equals_labels_on_cycles_over_one_page_too_many(policy: str) -> None:
    for layers, each in ((1, 4), (2, 3), (3, 2), (4, 4)):
        instance = LayeredInstance(layers, each + 1, layers * each - 1)
        requests = [instance.page(t % layers, t // layers % each) for t in range(300)]
        sequence = RequestSequence(instance, requests)
        assert entries(policy, sequence, "kernel") == entries(policy, sequence)


@pytest.mark.slow
@pytest.mark.parametrize("policy", WITH_KERNEL)
@pytest.mark.parametrize("cache", [63, 64, 65, 130])
def test_kernel_equals_labels_beyond_one_machine_word(policy: str, cache: int) -> None:
    instance = LayeredInstance(layers=3, pages=(60, 50, 40), cache=cache, per_visit=2)
    for workload in ("uniform:requests=700", "sticky:p=0.7,requests=700"):
        sequence = generate(workload, instance, seed=cache)
        assert entries(policy, sequence, "kernel") == entries(policy, sequence)


TOGETHER = {p for p in DETERMINISTIC if "atomic" in get_policy(p).traits}
ATOMIC = sorted(p for p in TOGETHER if get_policy(p).atomic_kernel and not get_policy(p).per_layer)


def together(sequence: RequestSequence, cache: int) -> RequestSequence:
    instance = replace(sequence.instance, visits="atomic", cache=max(cache, sequence.instance.per_visit))
    return RequestSequence(instance, sequence.requests)


@pytest.mark.parametrize("policy", ATOMIC)
def test_kernel_equals_labels_on_atomic_visits(policy: str) -> None:
    for sequence in long_runs(runs=8, length=100):
        for cache in (1, sequence.instance.per_visit + 1, sequence.instance.cache):
            atomic = together(sequence, cache)
            assert entries(policy, atomic, "kernel") == entries(policy, atomic)
            assert simulate(policy, atomic).faults == simulate(policy, atomic, engine="labels").faults
            assert simulate(policy, atomic).engine == "kernel"


@pytest.mark.parametrize("policy", sorted(set(ATOMIC) & set(REFERENCES)))
def test_atomic_visits_are_served_as_by_the_independent_definition(policy: str) -> None:
    for sequence in long_runs(runs=10, length=90):
        if issubclass(REFERENCES[policy], ReferenceZRC) and sequence.instance.total_pages > 9:
            continue  # there are too many caches to list
        for cache in (sequence.instance.per_visit, sequence.instance.per_visit + 2, sequence.instance.cache):
            atomic = together(sequence, cache)
            assert entries(policy, atomic, "auto") == REFERENCES[policy](atomic).entries(), atomic


def test_every_policy_that_keeps_a_visit_together_has_a_kernel_for_it() -> None:
    # A split is served by the kernels of its policy.
    assert {*ATOMIC, "partitioned"} == TOGETHER


@pytest.mark.parametrize("policy", ["partitioned", "partitioned:policy=fifo", "partitioned:policy=s3-fifo"])
def test_a_split_keeps_visits_together_where_every_layer_has_room_for_one(policy: str) -> None:
    for sequence in long_runs(runs=8, length=90):
        least = sequence.instance.round_length
        for cache in (least, least + 3):
            atomic = together(sequence, cache)
            assert entries(policy, atomic, "kernel") == entries(policy, atomic)
            simulate(policy, atomic, record=True).schedule.check()
        if least > sequence.instance.layers:
            with pytest.raises(UnsupportedModelError, match="but an atomic visit needs"):
                get_policy(policy).check(together(sequence, least - 1).instance)


def test_the_present_visit_is_spared_by_hand() -> None:
    # One layer, g = 2, k = 2. After the visit 0 1 the visit 0 2: 0 hits, and 1 leaves for 2, though 0 is the
    # first loaded and 1 is used as often as any. Then 1 3: both pages of the visit before leave, least
    # recent first; what the visit itself has loaded stays.
    sequence = RequestSequence(LayeredInstance(1, 4, 2, 2, visits="atomic"), [0, 1, 0, 2, 1, 3])
    for policy in ATOMIC:
        assert entries(policy, sequence)[:4] == [FREE, FREE, HIT, 1], policy
        both = {0, 2} if policy != "fwf" else {SEVERAL, FREE}  # both leave at once, then a slot is free
        assert set(entries(policy, sequence)[4:]) == both, policy


@pytest.mark.slow
@pytest.mark.parametrize("policy", WITH_KERNEL)
def test_kernel_equals_the_compiled_definition_on_real_traces(policy: str, trace_files: list[Path]) -> None:
    slow = "labels" if policy in ("partitioned", "cheaper") else "compiled"
    for path in trace_files:
        trace = read_trace(path)
        for share in (0.1, 0.5):
            cache = max(trace.layers, int(share * trace.instance.total_pages))
            sequence = trace.sequence(cache).prefix(3_000 if slow == "labels" else 60_000)
            assert entries(policy, sequence, "kernel") == entries(policy, sequence, slow), (path.name, cache)


@pytest.mark.slow
@pytest.mark.parametrize("policy", list(REFERENCES))
def test_compiled_definition_equals_labels(policy: str) -> None:
    for sequence in long_runs(runs=12, length=200):
        assert entries(policy, sequence, "compiled") == entries(policy, sequence)


# Randomised policies


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["random", "mark", "partitioned:policy=mark"])
@pytest.mark.parametrize(
    "instance", [LayeredInstance(1, 5, 3), LayeredInstance(2, 3, 4), LayeredInstance(2, (2, 3), 3, 2)]
)
def test_sampled_mean_lies_near_the_exact_expectation(policy: str, instance: LayeredInstance) -> None:
    sequence = generate("uniform:requests=40", instance)
    exact = expected_faults(policy, sequence)
    low, high = sample_faults(policy, sequence, runs=2000, confidence=0.9999).interval
    assert low <= exact <= high


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["random", "mark"])
def test_kernel_and_definition_have_the_same_mean(policy: str) -> None:
    sequence = generate("zipf:requests=60", LayeredInstance(2, 4, 4))
    exact = float(expected_faults(policy, sequence))
    faults = [simulate(policy, sequence, seed=seed, engine="labels").faults for seed in range(400)]
    spread = np.std(faults) / 20
    assert abs(np.mean(faults) - exact) < 4 * spread


def test_mark_on_k_plus_1_pages_by_hand() -> None:
    # k = 2, requests 0 1 2 0. The third begins a phase and evicts 0 or 1, each with 1/2; the fourth faults
    # if it was 0, and then evicts 1, since 2 is marked. Expected 3 + 1/2. Either way 1 has left by now, so
    # one more request to it faults for certain.
    assert expected_faults("mark", classical([0, 1, 2, 0], 2)) == Fraction(7, 2)
    assert expected_faults("mark", classical([0, 1, 2, 0, 1], 2)) == Fraction(9, 2)


def test_random_by_hand() -> None:
    # k = 2, requests 0 1 2 0 2. At the third 0 or 1 leaves. If 0 left (1/2), 0 faults and evicts 1 or 2
    # with 1/2 each, so 2 faults with 1/4 in all. Expected 3 + 1/2 + 1/4.
    assert expected_faults("random", classical([0, 1, 2, 0, 2], 2)) == Fraction(15, 4)


def preferred_cache(work: WorkFunction, ranking: tuple[int, ...]) -> frozenset[int]:
    """The optimal cache that comes first when caches are compared by their best pages first."""
    place = {page: rank for rank, page in enumerate(ranking)}
    return min(work.optimal_caches(), key=lambda cache: sorted(place[page] for page in cache))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 4, 2), (1, 5, 3), (2, 2, 2), (2, (2, 3), 3), (3, 2, 3)])
def test_equitable_holds_the_optimal_cache_that_a_random_ranking_prefers(
    shape: tuple[int, int | tuple[int, ...], int],
) -> None:
    # An independent definition: all rankings, all optimal caches. The ranking does not change in time, so its
    # faults on the way must also be those of the policy, which forgets it.
    instance = LayeredInstance(*shape)
    rankings = list(permutations(range(instance.total_pages)))
    known: dict[tuple[int, ...], list[frozenset[int]]] = {}
    for sequence in (generate("uniform:requests=14", instance, seed=seed) for seed in range(2)):
        work = WorkFunction(instance)
        faults = Fraction(0)
        caches = [frozenset[int]()] * len(rankings)
        for page in sequence:
            faults += Fraction(sum(page not in cache for cache in caches), len(rankings))
            work.serve(page)
            if work.labels not in known:
                known[work.labels] = [preferred_cache(work, ranking) for ranking in rankings]
            following = known[work.labels]
            assert all(
                before == after if page in before else len(before - after) <= 1 and page in after
                for before, after in zip(caches, following, strict=True)
            )
            caches = following
        assert expected_faults("equitable", sequence) == faults


def test_equitable_by_hand() -> None:
    # k = 2, requests 0 1 2: the optimal caches are {0, 2} and {1, 2}, each with 1/2. Page 3 is in none of
    # them: now those with 3 and one of 0, 1, 2 are, each with 1/3, so page 2 leaves with 2/3. MARK evicts
    # the unmarked page, and page 2 never.
    start = classical([0, 1, 2, 3, 2], 2, pages=4)
    assert expected_cost("equitable", start).per_request == (1, 1, 1, 1, Fraction(2, 3))
    assert expected_cost("mark", start).per_request == (1, 1, 1, 1, 0)


@pytest.mark.parametrize("policy", ["random", "mark", "equitable"])
def test_seeds_repeat_and_differ(policy: str) -> None:
    sequence = generate("uniform:requests=200", LayeredInstance(2, 6, 6))
    runs = [simulate(policy, sequence, seed=seed, record=True) for seed in (0, 0, 1)]
    same, again, other = (run.entries.tolist() for run in runs if run.entries is not None)
    assert same == again != other


def test_every_family_has_its_place_in_tables() -> None:
    assert set(FAMILIES) == {info.name for info in pkgutil.iter_modules(paging.policies.__path__)}


def test_policies_are_registered_under_their_own_id() -> None:
    for id, cls in registered_policies().items():
        assert cls.id == id
        assert cls.title


def test_the_textbook_sequence() -> None:
    # The reference string of the operating-systems textbooks, k = 3, variants as they are taught.
    requests = [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1]
    sequence = RequestSequence(LayeredInstance(1, 8, 3), requests)
    wanted = {"fifo": 15, "lru": 12, "clock": 14, "clock-clear": 11, "lfu-fifo": 13}
    assert {policy: simulate(policy, sequence).faults for policy in wanted} == wanted


@pytest.mark.parametrize("name", ["OPT", "belady", "Min", "optimal", "farthest-in-future"])
def test_the_optimum_has_many_names_and_is_no_policy(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1 1 2 1 2 2 2 1\n", encoding="utf-8")
    assert run(["run", name, "LRU", "--no-opt", "--trace", str(path), "-k", "1", "--json"]) == 0
    faults = {row["policy"]: row["faults"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert faults == {"lru": 5, "opt": 5, "compulsory": 2}
    assert run(["policies", name]) == 2
    assert "the offline optimum is no policy, 'paging run' shows it" in capsys.readouterr().err
