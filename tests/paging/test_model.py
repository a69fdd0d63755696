"""Instances, legal sequences, schedules; every refusal names what, where and the allowed range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paging import (
    BYPASS,
    FREE,
    HIT,
    Entry,
    IllegalSequenceError,
    InfeasibleScheduleError,
    LayeredInstance,
    LayeredPagingError,
    ModelError,
    RequestSequence,
    Schedule,
    UnsupportedModelError,
    farthest_in_future,
    model,
    simulate,
    steps,
)
from paging.testing import instances, sequences

# Instances


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": 0}, r"layers \(ℓ\) must be an integer in 1 … 1000000, got 0"),
        ({"layers": 1.0}, r"layers \(ℓ\) must be an integer in 1 … 1000000, got 1.0"),
        ({"layers": True}, r"layers \(ℓ\) must be an integer in 1 … 1000000, got True"),
        ({"layers": "2"}, r"layers \(ℓ\) must be an integer in 1 … 1000000, got '2'"),
        ({"cache": 0}, r"cache \(k\) must be an integer in 1 … 2147483647, got 0"),
        ({"pages": 0}, r"pages \(n\) must be an integer in 1 … 2147483647, got 0"),
        ({"pages": (3, 0)}, r"pages \(n\) of layer 1 must be an integer in 1 … 2147483647, got 0"),
        ({"pages": (3, 3, 3)}, r"pages lists 3 layers, but layers \(ℓ\) is 2"),
        ({"pages": 2**30}, r"2147483648 pages in all, but at most 2147483647 fit int32"),
        ({"per_visit": 0}, r"per_visit \(g\) must be an integer ≥ 1, got 0"),
        ({"per_visit": 4}, r"per_visit \(g\) must be ≤ the pages of every layer \(3\), got 4"),
        ({"pages": (5, 2), "per_visit": 3}, r"pages of every layer \(2\), got 3"),
        ({"visits": "both"}, "visits must be 'sequential' or 'atomic', got 'both'"),
        ({"visits": "atomic", "per_visit": 3, "cache": 2}, r"cache \(k\) ≥ per_visit \(g\): 2 < 3"),
        ({"bypassing": 1}, "bypassing must be True or False, got 1"),
    ],
)
def test_parameters_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        LayeredInstance(**{"layers": 2, "pages": 3, "cache": 2, **arguments})  # type: ignore[arg-type]
    assert isinstance(caught.value, LayeredPagingError)
    assert isinstance(caught.value, ValueError)


def test_numpy_integers_become_plain_ones() -> None:
    instance = LayeredInstance(np.int64(2), (np.int32(3), np.int32(4)), np.int8(5))  # type: ignore[arg-type]
    assert type(instance.layers) is int
    assert type(instance.cache) is int
    assert all(type(n) is int for n in instance.pages_by_layer)


def test_equal_instances_are_equal_however_they_are_written() -> None:
    assert LayeredInstance(2, (3, 3), 4) == LayeredInstance(2, 3, 4) == LayeredInstance(2, [3, 3], 4)  # type: ignore[arg-type]
    assert len({LayeredInstance(2, (3, 3), 4), LayeredInstance(2, 3, 4)}) == 1
    assert LayeredInstance(2, (3, 4), 4) != LayeredInstance(2, (4, 3), 4)


def test_page_ids_of_unequal_layers() -> None:
    instance = LayeredInstance(layers=3, pages=(2, 1, 3), cache=4, per_visit=1)
    assert instance.total_pages == 6
    assert instance.first_page.tolist() == [0, 2, 3, 6]
    assert instance.layer_of.tolist() == [0, 0, 1, 2, 2, 2]
    assert [list(instance.pages_of(j)) for j in range(3)] == [[0, 1], [2], [3, 4, 5]]
    assert [instance.page_name(p) for p in range(6)] == ["0.0", "0.1", "1.0", "2.0", "2.1", "2.2"]
    assert [instance.layer_at(t) for t in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_layers_of_requests_with_several_pages_a_visit() -> None:
    instance = LayeredInstance(layers=2, pages=3, cache=4, per_visit=2)
    assert [instance.layer_at(t) for t in range(9)] == [0, 0, 1, 1, 0, 0, 1, 1, 0]
    assert instance.round_length == 4


@given(instances(layers=(1, 4), pages=(1, 5), per_visit=(1, 2)))
def test_pages_and_places_are_inverse(instance: LayeredInstance) -> None:
    for page in range(instance.total_pages):
        layer, place = instance.locate(page)
        assert instance.page(layer, place) == page
        assert page in instance.pages_of(layer)
        assert instance.layer_of[page] == layer


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: i.page(2, 0), "layer must be an integer in 0 … 1, got 2"),
        (lambda i: i.page(0, 3), "index in layer 0 must be an integer in 0 … 2, got 3"),
        (lambda i: i.locate(5), "page must be an integer in 0 … 4, got 5"),
        (lambda i: i.locate(-1), "page must be an integer in 0 … 4, got -1"),
    ],
)
def test_pages_out_of_range_are_refused(call: Callable[[LayeredInstance], object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call(LayeredInstance(layers=2, pages=(3, 2), cache=2))


# Sequences


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([0, 3, 5], "request 2: page 5 is out of range 0 … 4"),
        ([0, -1], "request 1: page -1 is out of range 0 … 4"),
        ([2**40], "request 0: page 1099511627776 is out of range 0 … 4"),
        ([3], r"request 0: page 3 is in layer 1, but layer 0 is served \(pages 0 … 2\)"),
        ([0, 3, 1, 2], r"request 3: page 2 is in layer 0, but layer 1 is served \(pages 3 … 4\)"),
        ([[0, 3]], r"requests must be one-dimensional, got shape \(1, 2\)"),
        ([0.0, 3.0], "requests must be integer page ids, got dtype float64"),
        (["0"], "requests must be integer page ids, got dtype <U1"),
        ([True], "requests must be integer page ids, got dtype bool"),
    ],
)
def test_illegal_sequences_are_refused(requests: object, message: str) -> None:
    with pytest.raises(IllegalSequenceError, match=message):
        RequestSequence(LayeredInstance(layers=2, pages=(3, 2), cache=2), requests)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([0, 0], "request 1: page 0 comes twice in visit 0"),
        ([0, 1, 0], "request 2: page 0 comes twice in visit 0"),
        ([0, 1, 2, 3, 4, 3], "request 5: page 3 comes twice in visit 1"),
        ([0, 1, 2, 3, 4, 5, 2, 1, 2], "request 8: page 2 comes twice in visit 2"),
    ],
)
def test_a_page_twice_in_a_visit_is_refused(requests: list[int], message: str) -> None:
    instance = LayeredInstance(layers=2, pages=3, cache=2, per_visit=3)
    with pytest.raises(IllegalSequenceError, match=message):
        RequestSequence(instance, requests)


def test_a_page_may_end_a_visit_and_begin_the_next_of_its_layer() -> None:
    instance = LayeredInstance(layers=1, pages=3, cache=2, per_visit=3)
    assert list(RequestSequence(instance, [0, 1, 2, 2, 1, 0, 0])) == [0, 1, 2, 2, 1, 0, 0]


@given(sequences(per_visit=(1, 3), length=(1, 20)), st.data())
def test_one_wrong_page_anywhere_is_found(sequence: RequestSequence, data: st.DataObject) -> None:
    instance = sequence.instance
    time = data.draw(st.integers(0, len(sequence) - 1))
    others = [
        p for p in range(-1, instance.total_pages + 1) if p not in instance.pages_of(instance.layer_at(time))
    ]
    requests = sequence.requests.tolist()
    requests[time] = data.draw(st.sampled_from(others))
    with pytest.raises(IllegalSequenceError, match=f"request {time}: page {requests[time]}"):
        RequestSequence(instance, requests)


def test_sequences_are_read_only_copies() -> None:
    given_array = np.array([0, 1], dtype=np.int32)
    sequence = RequestSequence(LayeredInstance(1, 2, 1), given_array)
    given_array[0] = 1
    assert list(sequence) == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        sequence.requests[0] = 1
    assert all(type(page) is int for page in sequence)


def test_an_empty_sequence_is_legal() -> None:
    sequence = RequestSequence(LayeredInstance(2, 3, 4), [])
    assert len(sequence) == sequence.distinct_pages == simulate("lru", sequence).faults == 0


@given(sequences(per_visit=(1, 2), length=(0, 24)))
def test_parts_of_a_sequence(sequence: RequestSequence) -> None:
    instance = sequence.instance
    assert sequence.distinct_pages == len(set(sequence))
    assert sequence.visit_layers.tolist() == [instance.layer_at(t) for t in range(len(sequence))]
    assert list(sequence.prefix(5)) == list(sequence)[:5]
    assert sequence.with_cache(9).instance == instance.with_cache(9)
    for layer in range(instance.layers):
        part = sequence.of_layer(layer, 2)
        assert part.instance.layers == 1
        assert part.instance.cache == 2
        assert [p + instance.first_page[layer] for p in part] == [
            p for p in sequence if p in instance.pages_of(layer)
        ]
        assert RequestSequence(part.instance, part.requests) == part


@pytest.mark.parametrize(
    ("variant", "has"),
    [
        ({}, None),
        ({"bypassing": True}, "bypassing service"),
        ({"visits": "atomic"}, "atomic visits"),
        ({"per_visit": 2}, "g = 2"),
        ({"bypassing": True, "per_visit": 2}, "bypassing service and g = 2"),
        (
            {"bypassing": True, "visits": "atomic", "per_visit": 3},
            "bypassing service, atomic visits and g = 3",
        ),
    ],
)
def test_a_variant_that_something_needs_is_required(variant: dict[str, Any], has: str | None) -> None:
    instance = LayeredInstance(2, 3, 4, **variant)
    instance.require("nothing")
    if has is None:
        instance.require("it", service="forced", visits="sequential", per_visit=1)
        return
    needs = f"it needs forced service, sequential visits and g = 1; this instance has {has}"
    with pytest.raises(UnsupportedModelError, match=f"^{needs}$"):
        instance.require("it", service="forced", visits="sequential", per_visit=1)


# Schedules against lies


def schedule(entries: list[int], bypassing: bool = False) -> Schedule:
    instance = LayeredInstance(layers=1, pages=4, cache=2, bypassing=bypassing)
    return Schedule(RequestSequence(instance, [0, 1, 0, 2, 1]), entries)


def test_a_true_schedule_passes() -> None:
    true = schedule([FREE, FREE, HIT, 0, HIT])
    true.check()
    assert true.faults == 3
    assert true.fault_counts.tolist() == [1, 2, 2, 3, 3]
    schedule([FREE, FREE, HIT, BYPASS, HIT], bypassing=True).check()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [HIT, FREE, HIT, 0, HIT],
            r"request 0 \(page 0\): a hit is claimed, but the page is not cached; cache \[\]",
        ),
        ([FREE, FREE, FREE, 0, HIT], r"request 2 \(page 0\): a fault is claimed, but the page is cached"),
        ([FREE, FREE, HIT, FREE, HIT], r"request 3 \(page 2\): no free slot among 2; cache \[0, 1\]"),
        ([FREE, FREE, HIT, 3, HIT], r"request 3 \(page 2\): the victim 3 is not cached"),
        ([FREE, FREE, HIT, -7, HIT], r"request 3 \(page 2\): the victim -7 is not cached"),
        ([FREE, FREE, HIT, 99, HIT], r"the victim 99 is not cached"),
        ([FREE, FREE, HIT, 1, HIT], r"request 4 \(page 1\): a hit is claimed, but the page is not cached"),
        ([FREE, FREE, HIT, BYPASS, HIT], r"request 3 \(page 2\): bypassing in the forced model"),
        ([FREE, FREE, HIT, 0], r"one entry each, got shape \(4,\)"),
    ],
)
def test_lying_schedules_are_refused(entries: list[int], message: str) -> None:
    with pytest.raises(InfeasibleScheduleError, match=message):
        schedule(entries).check()


def test_an_atomic_visit_must_end_with_all_its_pages() -> None:
    instance = LayeredInstance(layers=1, pages=4, cache=3, per_visit=2, visits="atomic")
    sequence = RequestSequence(instance, [0, 1, 2, 3])
    Schedule(sequence, [FREE, FREE, FREE, 0]).check()
    with pytest.raises(
        InfeasibleScheduleError, match=r"request 3: an atomic visit ends without its pages \[2\]"
    ):
        Schedule(sequence, [FREE, FREE, FREE, 2]).check()


@given(sequences(per_visit=(1, 2), length=(1, 24), cache=(1, 3)), st.data())
def test_changing_one_entry_of_a_schedule_is_noticed(sequence: RequestSequence, data: st.DataObject) -> None:
    true = farthest_in_future(sequence, record=True).schedule
    true.check()
    time = data.draw(st.integers(0, len(sequence) - 1))
    entries = true.entries.tolist()
    # Another victim may well be legal; a hit for a fault, a fault for a hit, or a free slot never is.
    entries[time] = FREE if entries[time] == HIT else HIT
    with pytest.raises(InfeasibleScheduleError, match=f"request {time} "):
        Schedule(sequence, entries).check()


def test_a_schedule_is_carried_out_step_by_step() -> None:
    given = list(schedule([FREE, FREE, HIT, BYPASS, HIT], bypassing=True).steps())
    assert [(step.time, step.page, step.entry, step.hit, step.victims) for step in given] == [
        (0, 0, FREE, False, ()),
        (1, 1, FREE, False, ()),
        (2, 0, HIT, True, ()),
        (3, 2, BYPASS, False, ()),
        (4, 1, HIT, True, ()),
    ]
    assert [sorted(step.cache) for step in given] == [[0], [0, 1], [0, 1], [0, 1], [0, 1]]
    lie = schedule([FREE, FREE, HIT, 3, HIT]).steps()
    assert [next(lie).time for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InfeasibleScheduleError, match="request 3"):
        next(lie)


@given(sequences(per_visit=(1, 2), length=(0, 24), cache=(1, 3)), st.sampled_from(["lru", "mark", "fifo"]))
def test_a_recorded_run_is_replayed_as_it_was_served(sequence: RequestSequence, policy: str) -> None:
    run = simulate(policy, sequence, record=True, engine="labels")
    served = [step._replace(labels=()) for step in steps(policy, sequence)]
    assert list(run.schedule.steps()) == served


def test_the_plain_numbers_are_those_of_the_entries() -> None:
    assert {entry.name: getattr(model, entry.name) for entry in Entry} == {e.name: e.value for e in Entry}


@pytest.mark.parametrize(
    "entries", [[-1, -1, 0.9], [-1, -1, 2**32], [-13, -1, 0], ["a", "b", "c"], [None] * 3]
)
def test_entries_that_are_no_schedule_at_all_are_refused(entries: list[object]) -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])
    with pytest.raises(InfeasibleScheduleError, match="entries must be"):
        Schedule(sequence, entries)
