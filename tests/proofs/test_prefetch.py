"""Prefetching: the event simulation against schedules by hand, closed forms and a second simulation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from paging import LayeredInstance, ModelError, RequestSequence, simulate
from paging.traces import Trace
from proofs.diagnose import CostModel, Prefetcher, Tier, diagnose, simulate_prefetching
from proofs.diagnose.prefetch import TENTHS, Prefetched, precisions, read_prefetcher
from proofs.diagnose.serving import misses_of

SECOND = Tier(Fraction(1))
"""A byte a second: the size of an expert is the time of its load."""


def cost(load: int, computing: int, overlap: Fraction = Fraction(0)) -> CostModel:
    return CostModel((load,), (SECOND,), Fraction(computing), overlap)


def routed(seed: int, tokens: int = 40, layers: int = 3, pages: int = 6, group: int = 2) -> Trace:
    rng = np.random.default_rng(seed)
    scores = rng.random((tokens, layers, pages)) + 2 * rng.random((layers, pages))
    return Trace.from_experts(scores.argsort(axis=2)[:, :, :group], pages)


def counted(run: Prefetched, *names: str) -> tuple[int, ...]:
    return tuple(getattr(run, name) for name in names)


def test_a_schedule_by_hand() -> None:
    # One layer of five experts, two slots, loads of 2 s, computation of 3 s; the experts of the token before
    # are prefetched one token ahead. Requests 0 1 0 2.
    #  t =  0  0 is loaded, till 2; computed till 5. Nothing is known of an earlier token.
    #  t =  5  1 is loaded, till 7; computed till 10. Predicted for the next token: 1, which is cached.
    #  t = 10  0 is there; computed till 13. Predicted: 0, cached.
    #  t = 13  2 is loaded till 15 in 1's place, computed till 18.
    instance = LayeredInstance(1, 5, 2)
    sequence = RequestSequence(instance, [0, 1, 0, 2])
    run = simulate_prefetching(sequence, cost(2, 3), Prefetcher(repeats=True))
    assert (run.seconds, run.stalls, run.demand_loads, run.prefetches) == (18, 6, 3, 0)


def test_a_collision_by_hand() -> None:
    # Two layers of two experts, two slots, loads of 2 s, computation of 3 s, requests 0|2 1|2 0|2; the
    # experts that the token before used in the next layer are prefetched.
    #  t =  0  layer 0: 0 is loaded, till 2; computed till 5.
    #  t =  5  layer 1: 2 is loaded, till 7; computed till 10. Predicted for the next layer 0: 0, cached.
    #  t = 10  layer 0: 1 is loaded in the place of 2 (touched before 0), till 12; computed till 15.
    #          Predicted for layer 1: 2, which waits for the link and evicts 0: 12 to 14.
    #  t = 15  layer 1: 2 is there; computed till 18. Predicted for layer 0: 1, cached.
    #  t = 18  layer 0: 0 is missing, evicted by a prefetch. It takes the place of 2, 18 to 20, till 23.
    #          Predicted for layer 1: 2, from 20 to 22 in the place of 1.
    #  t = 23  layer 1: 2 is there; computed till 26.
    sequence = RequestSequence(LayeredInstance(2, 2, 2), [0, 2, 1, 2, 0, 2])
    run = simulate_prefetching(sequence, cost(2, 3), Prefetcher(repeats=True))
    assert (run.seconds, run.stalls, run.stalled_layers) == (26, 8, 4)
    assert counted(run, "demand_loads", "prefetches", "useful", "late", "wasted") == (4, 2, 2, 0, 0)
    assert counted(run, "collisions", "blocked", "bytes_moved") == (1, 0, 12)
    assert run.tokens_per_second == Fraction(3, 26)


def test_a_wrong_prefetch_blocks_the_link() -> None:
    # The same with loads of 4 s and computation of 1 s, requests 0|2 1|3.
    #  t = 10  layer 0: 1 is loaded in the place of 2, till 14; computed till 15. Predicted for layer 1:
    #          2, which the link fetches from 14 to 18 in the place of 0.
    #  t = 15  layer 1: 3 is missing, and has to wait for the link: 18 to 22, in the place of 1; till 23.
    sequence = RequestSequence(LayeredInstance(2, 2, 2), [0, 2, 1, 3])
    run = simulate_prefetching(sequence, cost(4, 1), Prefetcher(repeats=True))
    assert (run.seconds, simulate_prefetching(sequence, cost(4, 1)).seconds) == (23, 20)
    assert counted(run, "blocked", "prefetches", "wasted", "bytes_wasted", "collisions") == (1, 1, 1, 4, 0)


@pytest.mark.parametrize("overlap", [Fraction(0), Fraction(1, 3), Fraction(1)])
@pytest.mark.parametrize("seed", range(4))
def test_on_demand_the_times_are_those_of_the_cost_model(seed: int, overlap: Fraction) -> None:
    sequence = routed(seed).sequence(5 + seed, visits="atomic")
    model = CostModel((3, 5, 7), (Tier(Fraction(2), Fraction(1, 7)),), Fraction(9, 4), overlap)
    served = simulate("lru", sequence, record=True)
    assert served.entries is not None
    misses = misses_of(served.entries, sequence.instance)
    price, run = model.price(misses), simulate_prefetching(sequence, model)
    assert (run.seconds, run.bytes_moved) == (price.seconds, price.bytes_moved)
    assert run.demand_loads == misses.sum()
    assert run.stalls == price.seconds - price.computing


def test_infinite_bandwidth_leaves_the_computation() -> None:
    model = CostModel((3,), (Tier(None),), Fraction(2))
    for prefetcher in (None, Prefetcher(Fraction(1, 2), Fraction(1, 3)), Prefetcher(repeats=True)):
        run = simulate_prefetching(routed(0).sequence(5), model, prefetcher)
        assert (run.seconds, run.stalls) == (40 * 3 * 2, 0)


@pytest.mark.parametrize(("load", "computing"), [(2, 3), (3, 3), (5, 3), (5, 0)])
def test_perfect_prefetching_takes_the_longer_of_link_and_processor(load: int, computing: int) -> None:
    steps = 24  # each of which asks for an expert that was never asked for before
    experts = np.arange(steps).reshape(8, 3)
    sequence = Trace.from_experts(experts // 3, 8).sequence(24)
    run = simulate_prefetching(sequence, cost(load, computing), Prefetcher())
    assert run.seconds == max(load + steps * computing, steps * load + computing)
    if computing:  # otherwise the next router speaks before a prefetch can begin
        assert counted(run, "demand_loads", "prefetches", "useful", "wasted") == (1, steps - 1, steps - 1, 0)
    none = simulate_prefetching(sequence, cost(load, computing), None)
    assert none.seconds == steps * (load + computing)


class Second:
    """The same rules a second time: lists of experts in order of use, and one queue."""

    def __init__(self, sequence: RequestSequence, model: CostModel, ahead: int) -> None:
        self.cache: list[int] = []
        self.arrival: dict[int, Fraction] = {}
        self.queue: list[tuple[Fraction, int, int]] = []
        self.free, self.clock = Fraction(0), Fraction(0)
        self.loads, self.prefetches = 0, 0
        instance = sequence.instance
        group, layers = instance.per_visit, instance.layers
        visits = [
            sequence.requests[start : start + group].tolist() for start in range(0, len(sequence), group)
        ]
        sizes = model.sizes(layers)
        for step, visit in enumerate(visits):
            last = visits[step - 1] if step else []
            while self.queue and max(self.free, self.queue[0][0]) < self.clock:
                issued, target, page = self.queue.pop(0)
                if target < step or page in self.cache:
                    continue
                if self.load(
                    page,
                    max(self.free, issued),
                    model.load_seconds(sizes[target % layers]),
                    instance.cache,
                    last,
                ):
                    self.prefetches += 1
            self.queue = [waiting for waiting in self.queue if waiting[1] > step]
            for page in visit:
                if page in self.cache:
                    self.touch(page)
            for page in visit:
                if page not in self.cache:
                    begin = max(self.free, self.clock)
                    assert self.load(
                        page, begin, model.load_seconds(sizes[step % layers]), instance.cache, visit
                    )
                    self.loads += 1
            target = step + ahead
            for page in visits[target - layers] if layers <= target < len(visits) else []:
                if page in self.cache:
                    self.touch(page)
                else:
                    self.queue.append((self.clock, target, page))
            ready = max(self.arrival[page] for page in visit)
            self.clock = max(self.clock + model.computing, ready + model.computing * (1 - model.overlap))

    def touch(self, page: int) -> None:
        self.cache.remove(page)
        self.cache.append(page)

    def load(self, page: int, begin: Fraction, seconds: Fraction, slots: int, needed: list[int]) -> bool:
        if len(self.cache) == slots:
            victims = [other for other in self.cache if other not in needed]
            if not victims:
                return False
            self.cache.remove(victims[0])
        self.cache.append(page)
        self.free = self.arrival[page] = begin + seconds
        return True


@pytest.mark.parametrize("ahead", [1, 2, 4])
@pytest.mark.parametrize("slots", [2, 4, 7, 12])
def test_a_second_simulation_agrees(slots: int, ahead: int) -> None:
    sequence = routed(slots, tokens=60).sequence(slots, visits="atomic")
    for overlap in (Fraction(0), Fraction(1, 2)):
        model = CostModel((3, 5, 7), (Tier(Fraction(2), Fraction(1, 3)),), Fraction(5, 2), overlap)
        run = simulate_prefetching(sequence, model, Prefetcher(repeats=True, ahead=ahead))
        second = Second(sequence, model, ahead)
        assert (run.seconds, run.demand_loads, run.prefetches) == (
            second.clock,
            second.loads,
            second.prefetches,
        )


def test_recall_and_precision_are_what_they_are_called() -> None:
    # Every expert is new, and all experts fit: every prediction is loaded, and none is predicted twice.
    experts = np.arange(3000).reshape(3000, 1, 1)
    sequence = Trace.from_experts(experts, 200_000).sequence(200_000)
    prefetcher = Prefetcher(Fraction(4, 5), Fraction(1, 4), seed=3)
    run = simulate_prefetching(sequence, cost(1, 100), prefetcher)
    assert run.useful / 3000 == pytest.approx(0.8, abs=0.03)
    assert run.useful / run.prefetches == pytest.approx(0.25, abs=0.03)
    assert run.useful + run.wasted == run.prefetches
    assert run == simulate_prefetching(sequence, cost(1, 100), prefetcher)
    assert run != simulate_prefetching(sequence, cost(1, 100), replace(prefetcher, seed=4))


def test_loads_add_up() -> None:
    sequence = routed(5, tokens=200).sequence(8, visits="atomic")
    model = CostModel((3, 5, 7), (SECOND,), Fraction(9))
    for precision, run in precisions(sequence, model, Prefetcher(Fraction(1, 2), ahead=2)).items():
        assert run.useful + run.wasted == run.prefetches, precision
        assert run.late <= run.useful
        assert run.collisions <= run.demand_loads
        assert run.stalls == run.seconds - 600 * 9
    tokens = np.arange(200) % 3 == 0
    part = simulate_prefetching(sequence, model, None, tokens)
    rest = simulate_prefetching(sequence, model, None, ~tokens)
    assert part.token_seconds + rest.token_seconds == part.seconds
    assert (part.tokens, rest.tokens) == (67, 133)


def test_a_prefetch_never_takes_what_the_layer_needs() -> None:
    sequence = routed(2).sequence(2, visits="atomic")  # every visit fills the cache
    run = simulate_prefetching(sequence, cost(1, 50), Prefetcher())
    assert (run.prefetches, run.seconds) == (0, simulate_prefetching(sequence, cost(1, 50)).seconds)
    assert run.dropped > 0


def test_short_visits_are_visits() -> None:
    trace = Trace.from_experts([[[0, 1], [1, -1]], [[-1, -1], [0, 1]], [[2, 0], [2, -1]]])
    run = simulate_prefetching(trace.sequence(6), cost(1, 10))
    assert (run.demand_loads, run.seconds) == (6, 60 + 2 + 1 + 1 + 1 + 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Prefetcher(Fraction(3, 2)), r"recall of a prefetcher must be in 0 … 1, got 3/2"),
        (lambda: Prefetcher(precision=Fraction(0)), "precision of a prefetcher must be above 0"),
        (lambda: Prefetcher(ahead=0), "the layers that a prefetcher is ahead"),
        (lambda: Prefetcher(seed=-1), "the seed of a prefetcher"),
        (lambda: read_prefetcher("recall"), "expected recall=0.9,precision=0.8"),
        (lambda: read_prefetcher("recall=1,recall=1"), "each at most once"),
        (lambda: read_prefetcher("repeat,recall=1"), "or repeat,ahead=1"),
        (lambda: read_prefetcher("ahead=x"), "ahead must be a whole number, got 'x'"),
        (lambda: read_prefetcher("recall=2"), "share '2' is outside 0 … 1"),
        (
            lambda: simulate_prefetching(
                routed(0).sequence(5),
                CostModel((1,), (Tier(Fraction(10**9 + 7, 10**15)),), Fraction(1, 10**15 + 37)),
            ),
            "too fine for a trace of this length",
        ),
        (lambda: simulate_prefetching(routed(0).sequence(1), cost(1, 1)), "does not hold a visit of 2"),
        (lambda: diagnose(routed(0), [6], prefetcher=Prefetcher()), "which need a cost model"),
    ],
)
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()


def test_the_diagnosis_says_where_it_begins_to_hurt() -> None:
    found = diagnose(routed(0), [6], cost=cost(4, 5), prefetcher=Prefetcher(Fraction(9, 10)))
    told = found["sizes"][0]["prefetch"]
    slower = [
        run["precision"]
        for run in told["precisions"]
        if run["ms_per_token"] > told["without"]["ms_per_token"]
    ]
    assert [run["precision"] for run in told["precisions"]] == [float(p) for p in TENTHS]
    assert slower
    assert told["hurts_at_precision"] == max(slower)
    assert f"begins to hurt at precision {100 * max(slower):g} %" in told["text"]
    assert told["precisions"][0] == {"precision": 1.0, **told["with"]}
    repeat = diagnose(routed(0), [6], cost=cost(4, 5), prefetcher=Prefetcher(repeats=True))["sizes"][0][
        "prefetch"
    ]
    assert (repeat["precisions"], repeat["hurts_at_precision"]) == ([], None)
