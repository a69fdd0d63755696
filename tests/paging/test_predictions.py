"""Predictions: predicted requests as a type, predictors, counted errors, and the policies that are told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paging import (
    Errors,
    IllegalSequenceError,
    LayeredInstance,
    ModelError,
    PredictedSequence,
    RequestSequence,
    Schedule,
    Session,
    Trace,
    TraceError,
    UnknownNameError,
    UnsupportedModelError,
    expected_faults,
    farthest_in_future,
    generate,
    get_policy,
    phase_starts,
    predict,
    prediction_errors,
    read_trace,
    sample_faults,
    simulate,
    true_predictions,
    write_trace,
)
from paging.cli.main import run
from paging.compare import compare
from paging.model import HIT
from paging.predictors import PREDICTORS, get_predictor, reference_schedule
from paging.testing import check_policy, sequences
from paging.testing.strategies import told
from tests.helpers.policies import TOLD, as_told

CLASSICAL = LayeredInstance(1, 4, 2)


def predicted(requests: list[int], bits: list[int], cache: int = 2) -> PredictedSequence:
    return PredictedSequence(RequestSequence(LayeredInstance(1, 5, cache), requests), "discard", bits)


def small(instance: LayeredInstance, length: int) -> list[RequestSequence]:
    layers = [list(instance.pages_of(t % instance.layers)) for t in range(length)]
    return [RequestSequence(instance, list(pages)) for pages in product(*layers)]


# The type


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("discard", [0, 1, 2], "request 2: discard bit must be 0 or 1, got 2"),
        ("phase", [0, -1, 1], "request 1: phase bit must be 0 or 1, got -1"),
        ("next-arrival", [1, 1, 3], "request 1: next-arrival 1 lies in the past; it must be 2 or later"),
        ("next-arrival", [1, 2**62, 3], "request 1: next-arrival 4611686018427387904 is larger than"),
        ("discard", [0, 1], "one prediction is wanted for each of the 3 requests"),
        ("discard", [0.0, 1.0, 0.5], "predictions must be integers, got dtype float64"),
    ],
)
def test_what_predicts_nothing_is_refused(kind: str, values: list[float], message: str) -> None:
    sequence = RequestSequence(CLASSICAL, [0, 1, 2])
    with pytest.raises(IllegalSequenceError, match=message):
        PredictedSequence(sequence, kind, values)  # type: ignore[arg-type]


def test_predicted_and_plain_requests_are_never_taken_for_one_another() -> None:
    plain = RequestSequence(CLASSICAL, [0, 1, 2])
    told_bits = PredictedSequence(plain, "discard", [0, 1, 0])
    assert told_bits != plain
    assert plain != told_bits
    assert told_bits.plain == plain
    assert told_bits != PredictedSequence(plain, "phase", [0, 1, 0])
    assert told_bits != PredictedSequence(plain, "discard", [0, 1, 1])
    assert told_bits == PredictedSequence(plain, "discard", [0, 1, 0])
    for policy, sequence in (("lru", told_bits), ("mark", told_bits), ("flush-when-kept", plain)):
        for serve in (simulate, expected_faults, sample_faults):
            with pytest.raises(UnsupportedModelError, match="predictions"):
                serve(policy, sequence)  # type: ignore[operator]
    with pytest.raises(UnsupportedModelError, match="needs discard predictions; these requests have phase"):
        simulate("flush-when-kept", PredictedSequence(plain, "phase", [0, 1, 0]))
    for part in (lambda: told_bits.of_layer(0, 1), lambda: told_bits.picked(np.array([True] * 3), 1)):
        with pytest.raises(UnsupportedModelError):
            part()


def test_a_part_keeps_its_predictions() -> None:
    whole = predicted([0, 1, 2, 0], [0, 1, 1, 0])
    assert whole.prefix(2).predictions.tolist() == [0, 1]
    assert whole.with_cache(3).predictions.tolist() == whole.predictions.tolist()
    assert whole.with_cache(3).instance.cache == 3


def test_a_session_takes_the_prediction_with_the_request() -> None:
    session = Session("flush-when-kept", CLASSICAL)
    with pytest.raises(UnsupportedModelError, match="needs discard predictions"):
        session.serve(0)
    with pytest.raises(IllegalSequenceError, match="discard bit must be 0 or 1"):
        session.serve(0, prediction=2)
    assert session.serve(0, prediction=1).prediction == 1
    with pytest.raises(UnsupportedModelError, match="takes no predictions"):
        Session("lru", CLASSICAL).serve(0, prediction=1)


# Truth and errors, by definition


def errors_by_definition(sequence: PredictedSequence, reference: Schedule) -> Errors:
    """Count as the definitions say, carrying the reference run out page by page."""
    requests, given = sequence.requests.tolist(), sequence.predictions.tolist()
    if sequence.kind == "next-arrival":
        length = len(requests)
        away = 0
        for t, page in enumerate(requests):
            following = next((s for s in range(t + 1, length) if requests[s] == page), length)
            away += abs(given[t] - following)
        return Errors(eta=away)
    zeros = ones = 0
    if sequence.kind == "discard":
        cache: set[int] = set()
        for t, (page, entry) in enumerate(zip(requests, reference.entries.tolist(), strict=True)):
            bit_of = {q: given[s] for s, q in enumerate(requests[:t])}
            ones += page in cache and bit_of[page] == 1
            if entry >= 0:
                zeros += bit_of[entry] == 0
                cache.remove(entry)
            cache.add(page)
        return Errors(zeros, ones)
    ends = [*phase_starts(requests, sequence.instance.cache), len(requests)]
    phases = [range(a, b) for a, b in pairwise(ends)]
    for phase, following in pairwise(phases):
        for page in {requests[t] for t in phase}:
            bit = given[max(t for t in phase if requests[t] == page)]
            again = page in {requests[t] for t in following}
            zeros += bit == 0 and not again
            ones += bit == 1 and again
    return Errors(zeros, ones)


def lazy_schedule(sequence: RequestSequence, choice: int) -> Schedule:
    """Some schedule that evicts on faults alone, whichever pages the number says."""
    cache: list[int] = []
    entries = []
    for page in sequence:
        if page in cache:
            entries.append(HIT)
        elif len(cache) < sequence.instance.cache:
            entries.append(-1)
            cache.append(page)
        else:
            entries.append(cache.pop(choice % len(cache)))
            choice //= 2
            cache.append(page)
    schedule = Schedule(sequence, entries)
    schedule.check()
    return schedule


@given(sequences(layers=(1, 3), pages=(1, 4), cache=(1, 4), length=(0, 40)), st.integers(0, 2**20))
def test_errors_are_those_of_the_definition(sequence: RequestSequence, choice: int) -> None:
    for kind in ("discard", "phase", "next-arrival"):
        given_by = told(sequence, kind)  # type: ignore[arg-type]
        assert isinstance(given_by, PredictedSequence)
        own = reference_schedule(sequence)
        assert prediction_errors(given_by) == errors_by_definition(given_by, own)
        other = lazy_schedule(sequence, choice)
        assert prediction_errors(given_by, other) == errors_by_definition(given_by, other)
        for reference in (own, other):
            true = true_predictions(sequence, kind, reference)  # type: ignore[arg-type]
            assert not any(prediction_errors(true, reference).given.values())


def test_a_bit_that_is_not_asked_for_counts_nothing() -> None:
    # k = 2: OPT evicts 1 for 2, which is never asked for again.
    assert prediction_errors(predicted([0, 1, 2, 0], [0, 1, 0, 0])) == (0, 0, None)
    assert prediction_errors(predicted([0, 1, 2, 0], [0, 1, 1, 1])) == (0, 0, None)
    assert prediction_errors(predicted([0, 1, 2, 0], [1, 0, 1, 1])) == (1, 1, None)


# Predictors


def test_bits_are_flipped_as_often_as_said() -> None:
    sequence = generate("uniform:requests=20000", LayeredInstance(2, 5, 4), seed=1)
    truth = true_predictions(sequence, "discard").predictions
    for p0, p1 in ((0, 0), (1, 0), (0, 1), (0.25, 0.5)):
        bits = predict(sequence, f"discard:p0={p0},p1={p1}", seed=3).predictions
        wrong = bits != truth
        for value, chance in ((1, p0), (0, p1)):
            share = wrong[truth == value].mean()
            assert share == chance if chance in (0, 1) else abs(share - chance) < 0.03
    assert predict(sequence, "discard:p0=0.5", seed=3) == predict(sequence, "discard:p0=0.5", seed=3)
    assert predict(sequence, "discard:p0=0.5", seed=3) != predict(sequence, "discard:p0=0.5", seed=4)


def test_next_arrivals_stay_within_their_width() -> None:
    sequence = generate("zipf:requests=2000", LayeredInstance(1, 9, 4), seed=1)
    truth = true_predictions(sequence, "next-arrival").predictions
    moved = predict(sequence, "next-arrival:width=3", seed=2).predictions
    assert 0 < np.abs(moved - truth).max() <= 3
    noisy = predict(sequence, "next-arrival:sigma=1", seed=2).predictions
    factors = np.log((noisy - np.arange(2000)) / (truth - np.arange(2000)))[truth - np.arange(2000) > 20]
    assert abs(factors.mean()) < 0.3
    assert 0.7 < factors.std() < 1.3


def test_the_gate_has_its_recall_and_precision() -> None:
    sequence = generate("sticky:p=0.6,requests=30000", LayeredInstance(3, 5, 6), seed=1)
    following = true_predictions(sequence, "next-arrival").predictions
    soon = following == np.arange(len(sequence)) + 3  # one page a visit, so the layer's next visit
    guessed = predict(sequence, "gate:recall=0.7,precision=0.8", seed=1).predictions == 0
    assert abs(guessed[soon].mean() - 0.7) < 0.02
    assert abs(soon[guessed].mean() - 0.8) < 0.02
    with pytest.raises(ModelError, match="wrong guesses"):
        predict(sequence, "gate:recall=1,precision=0.1")


def test_frequency_learns_from_the_first_part_alone() -> None:
    instance = LayeredInstance(1, 3, 2)
    first, rest = [0, 1, 0, 2], [1, 1, 1, 1]
    taught = predict(RequestSequence(instance, first + rest), "frequency").predictions
    # 0 was asked for in 2 of 4 requests, 1 in one: they come again after 2 and 4.
    assert taught[4:].tolist() == [t + 4 for t in range(4, 8)]
    assert taught[:4].tolist() == [1, 3, 2 + 1, 3 + 4]
    for longer in ([*first, 0, 0], [*first, 1, 2]):
        other = predict(RequestSequence(instance, longer), f"frequency:train={4 / 6}").predictions
        assert other[:4].tolist() == taught[:4].tolist()


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("oracle", UnknownNameError, "oracle"),
        ("discard:p=1", ModelError, "predictor discard has no parameter 'p': its parameters are p0, p1"),
        ("discard:p0=1.5", ModelError, "p0 must be a number in 0 … 1, got 1.5"),
        ("next-arrival:width=0.5", ModelError, "width must be a whole number"),
        ("gate:recall=0.5,precision=0", ModelError, "precision 0 needs recall 0"),
    ],
)
def test_a_predictor_that_does_not_exist_is_refused(spec: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        get_predictor(spec)


def test_a_predictor_is_made_again_by_its_spec() -> None:
    for name in PREDICTORS:
        assert get_predictor(get_predictor(name).spec) == get_predictor(name)


# Policies


@pytest.mark.slow
@pytest.mark.parametrize("policy", [*TOLD, "guard:mark-predict", "guard:random", "cheaper:blind-oracle,mark"])
def test_the_battery(policy: str) -> None:
    check_policy(policy, examples=15)


def rest_of(sequence: PredictedSequence) -> Iterator[tuple[int, int]]:
    return zip(sequence, sequence.predictions.tolist(), strict=True)


def mark_predict_by_definition(sequence: PredictedSequence) -> int:
    cache: list[int] = []  # least recently requested first
    bits: dict[int, int] = {}
    marked: set[int] = set()
    faults = 0
    for page, bit in rest_of(sequence):
        if page not in cache:
            faults += 1
            if len(cache) == sequence.instance.cache:
                if marked >= set(cache):
                    marked.clear()
                free = [q for q in cache if q not in marked]
                cache.remove(([q for q in free if bits[q] == 1] or free)[0])
        else:
            cache.remove(page)
        cache.append(page)
        marked.add(page)
        bits[page] = bit
    return faults


def blind_oracle_by_definition(sequence: PredictedSequence) -> int:
    cache: dict[int, int] = {}
    faults = 0
    for page, arrival in rest_of(sequence):
        if page not in cache:
            faults += 1
            if len(cache) == sequence.instance.cache:
                del cache[max(cache, key=lambda q: (cache[q], -q))]
        cache[page] = arrival
    return faults


@given(sequences(layers=(1, 3), pages=(1, 4), cache=(1, 4), length=(0, 60)))
def test_deterministic_policies_are_their_definitions(sequence: RequestSequence) -> None:
    for policy, definition in (
        ("mark-predict-lru", mark_predict_by_definition),
        ("blind-oracle", blind_oracle_by_definition),
    ):
        bits = as_told(policy, sequence)
        assert isinstance(bits, PredictedSequence)
        for engine in ("labels", "auto"):
            assert simulate(policy, bits, engine=engine).faults == definition(bits)  # type: ignore[arg-type]


def test_true_predictions_make_them_optimal() -> None:
    for number in range(6):
        instance = LayeredInstance(1 + number % 3, 4, 3)
        sequence = generate("zipf:requests=80", instance, seed=number)
        optimum = farthest_in_future(sequence).faults
        for policy in ("flush-when-kept", "flush-when-kept-lazy", "mark0"):
            assert expected_faults(policy, true_predictions(sequence, "discard")) == optimum
        for policy in ("blind-oracle", "guard"):
            assert expected_faults(policy, true_predictions(sequence, "next-arrival")) == optimum


def test_with_nothing_to_tell_them_apart_they_are_the_classical_ones() -> None:
    sequence = generate("uniform:requests=60", LayeredInstance(1, 5, 3), seed=3)
    zeros = np.zeros(len(sequence), dtype=np.int64)
    keep, come = (PredictedSequence(sequence, kind, zeros) for kind in ("discard", "phase"))  # type: ignore[arg-type]
    assert expected_faults("mark0", keep) == expected_faults("mark", sequence)
    assert expected_faults("mark-predict", come) == expected_faults("mark", sequence)
    assert simulate("flush-when-kept", keep).faults == simulate("fwf", sequence).faults
    assert simulate("mark-predict-lru", come).faults == simulate("lru", sequence).faults


def test_predictive_marker_by_hand() -> None:
    # k = 3, so chains follow predictions ⌊H_3⌋ = 1 time: 3 is new and evicts 2, predicted last; 2 comes back
    # and evicts 0 or 1 by chance; whichever is asked for next is missing with probability 1/2.
    sequence = RequestSequence(LayeredInstance(1, 5, 3), [0, 1, 2, 3, 2, 0])
    told_so = PredictedSequence(sequence, "next-arrival", [5, 6, 9, 9, 9, 9])
    for policy in ("predictive-marker", "lmarker"):
        assert expected_faults(policy, told_so) == Fraction(11, 2)
    assert expected_faults("blind-oracle", told_so) == 5


def test_guard_by_hand() -> None:
    # 2 was evicted in the phase and comes back: it is guarded, though it is predicted last again.
    sequence = RequestSequence(LayeredInstance(1, 5, 3), [0, 1, 2, 3, 2, 4, 2])
    told_so = PredictedSequence(sequence, "next-arrival", [20, 21, 22, 8, 22, 9, 22])
    assert simulate("blind-oracle", told_so).faults == 7
    assert expected_faults("guard:blind-oracle", told_so) == 6


@pytest.mark.parametrize(
    ("policy", "kind"), [("mark0", "discard"), ("mark-predict", "phase"), ("guard", "next-arrival")]
)
def test_kernels_have_the_exact_mean(policy: str, kind: str) -> None:
    sequence = generate("uniform:requests=60", LayeredInstance(2, 3, 4), seed=5)
    told_so = predict(sequence, f"{kind}:p0=0.3,p1=0.3" if kind != "next-arrival" else "next-arrival:sigma=1")
    low, high = sample_faults(policy, told_so, runs=2000, confidence=0.99999).interval
    assert low <= expected_faults(policy, told_so) <= high
    assert simulate(policy, told_so).engine == "kernel"


@given(sequences(layers=(1, 2), pages=(1, 4), cache=(1, 4), length=(0, 60)))
def test_cheaper_keeps_to_its_bound(sequence: RequestSequence) -> None:
    told_so = told(sequence, "discard")
    assert isinstance(told_so, PredictedSequence)
    both = simulate("flush-when-kept-lazy", told_so).faults, simulate("mru", sequence).faults
    paid = simulate("cheaper:flush-when-kept-lazy,mru", told_so).faults
    assert paid <= 3 * min(both) + sequence.instance.cache * (log2(max(min(both), 1)) + 1)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("guard:lru", "guard does not go around policy lru, which must see all pages"),
        ("cheaper:flush-when-kept,blind-oracle", "take predictions of different kinds"),
        ("cheaper:lru,partitioned", "split the cache"),
        ("pinned:policy=mark0", "takes predictions"),
        ("admit:policy=mark-predict-lru", "takes predictions"),
        ("partitioned:policy=mark0", "takes predictions"),
        ("guard:blind-oracle,lru", "expected key=value"),
    ],
)
def test_policies_that_cannot_be_combined_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        get_policy(spec)


def test_parameters_stand_in_their_order() -> None:
    assert get_policy("guard:blind-oracle").name == "guard"
    assert get_policy("cheaper:mark0,mark").name == "cheaper:a=mark0,b=mark"


def flush_by_definition(sequence: PredictedSequence) -> int:
    """Sets of pages instead of labels."""
    bits: dict[int, int] = {}
    cache: list[int] = []  # least recently requested first
    faults = 0
    for page, bit in zip(sequence, sequence.predictions.tolist(), strict=True):
        if page not in cache:
            faults += 1
            if len(cache) == sequence.instance.cache:
                discarded = [q for q in cache if bits[q] == 1]
                cache = [q for q in cache if q != discarded[0]] if discarded else []
        cache = [q for q in cache if q != page] + [page]
        bits[page] = bit
    return faults


@given(sequences(layers=(1, 3), pages=(1, 4), cache=(1, 4), length=(0, 60)), st.integers(0, 2**20))
def test_flush_when_kept_is_its_definition(sequence: RequestSequence, choice: int) -> None:
    bits = told(sequence, "discard")
    assert isinstance(bits, PredictedSequence)
    eager, lazy = (simulate(f"flush-when-kept{form}", bits).faults for form in ("", "-lazy"))
    assert eager == flush_by_definition(bits)
    assert lazy <= eager
    other = lazy_schedule(sequence, choice)  # the theorem holds with any of them in OPT's place
    zeros, ones, _ = prediction_errors(bits, other)
    assert eager <= other.faults + (sequence.instance.cache - 1) * (zeros or 0) + (ones or 0)
    assert simulate("flush-when-kept", true_predictions(sequence, "discard")).faults == (
        farthest_in_future(sequence).faults
    )


def test_flush_when_kept_by_hand() -> None:
    # All to be kept: 2 flushes 0 and 1. Then 1 comes into a free slot, with bit 1, and leaves for 3.
    done = simulate("flush-when-kept", predicted([0, 1, 2, 1, 3, 2], [0, 0, 0, 1, 0, 0]), record=True)
    assert done.entries is not None
    assert done.entries.tolist() == [-1, -1, -4, -1, 1, HIT]
    # Lazily 1 is still there, and 0 makes place.
    done = simulate("flush-when-kept-lazy", predicted([0, 1, 2, 1, 3, 2], [0, 0, 0, 1, 0, 0]), record=True)
    assert done.entries is not None
    assert done.entries.tolist() == [-1, -1, 0, HIT, 1, HIT]


def test_faults_stay_below_opt_and_errors_on_every_small_input() -> None:
    for instance, length in ((LayeredInstance(1, 3, 2), 4), (LayeredInstance(2, 2, 2), 5)):
        for sequence in small(instance, length):
            own = reference_schedule(sequence)
            for code in range(2**length):
                bits = PredictedSequence(sequence, "discard", [code >> t & 1 for t in range(length)])
                errors = prediction_errors(bits, own)
                assert errors.eta0 is not None
                assert errors.eta1 is not None
                allowed = own.faults + (instance.cache - 1) * errors.eta0 + errors.eta1
                assert flush_by_definition(bits) <= allowed
    assert get_policy("flush-when-kept").predictions == "discard"


# Files, comparisons, commands


@pytest.mark.parametrize("suffix", [".npz", ".jsonl", ".jsonl.gz"])
@pytest.mark.parametrize("kind", ["discard", "phase", "next-arrival"])
def test_a_trace_keeps_its_predictions(suffix: str, kind: str, tmp_path: Path) -> None:
    sequence = generate("zipf:rounds=20", LayeredInstance(2, 4, 3, per_visit=2), seed=1)
    short = RequestSequence(LayeredInstance(1, 4, 2, per_visit=2), [0, 1, 2, 1, 3], [0, 1, 2, 4, 6])
    for requests in (sequence, short):
        given_by = predict(requests, kind, seed=1)
        path = tmp_path / f"predicted{suffix}"
        write_trace(Trace.from_sequence(given_by), path)
        again = read_trace(path)
        assert again.predicted_sequence(requests.instance.cache).predictions.tolist() == (
            given_by.predictions.tolist()
        )
        assert again.predicted == kind
        assert again.sequence(requests.instance.cache).kind is None
        assert again.digest == Trace.from_sequence(requests).digest
    for other in ("a.txt", "a.csv", "a.npy", "a.oracleGeneral"):
        with pytest.raises(TraceError, match="keeps no predictions"):
            write_trace(again, tmp_path / other)
    assert not list(tmp_path.glob("a.*"))


def test_predictions_of_tokens_are_taken_apart_only_where_they_stay_true(tmp_path: Path) -> None:
    sequence = generate("zipf:rounds=6", LayeredInstance(2, 4, 3), seed=1)
    for kind in ("discard", "next-arrival"):
        write_trace(Trace.from_sequence(predict(sequence, kind)), tmp_path / f"{kind}.npz")
    part = read_trace(tmp_path / "discard.npz", tokens=slice(2, 4))
    assert part.predictions is not None
    assert part.predictions.tolist() == predict(sequence, "discard").predictions[4:8].tolist()
    with pytest.raises(TraceError, match="next arrivals are numbers of requests of the whole trace"):
        read_trace(tmp_path / "next-arrival.npz", tokens=slice(2, 4))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"predictions": [0, 1]}, "nothing says of which kind"),
        ({"prediction_kind": "discard"}, "but it has none"),
        ({"predictions": [0, 1, 0], "prediction_kind": "discard"}, "one prediction is wanted for each"),
        ({"predictions": [0, 2], "prediction_kind": "discard"}, "request 1: discard bit must be 0 or 1"),
        ({"predictions": [1, 1], "prediction_kind": "next-arrival"}, "request 1: next-arrival 1 lies in the"),
        ({"predictions": [0, 1], "prediction_kind": "oracle"}, "predictions are of one of the kinds"),
        ({"predictions": [0.0, 1.0], "prediction_kind": "discard"}, "an array of integers is wanted"),
    ],
)
def test_damaged_predictions_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.npz"
    np.savez(path, experts=np.array([[[0]], [[1]]]), **arrays)
    with pytest.raises(TraceError, match=message):
        read_trace(path)


@pytest.mark.parametrize(
    ("told_here", "message"),
    [("[[0]]", "line 2"), ("[[0,1],[1]]", "line 2"), ('[["0"]]', "line 2"), ("1", "must be of type list")],
)
def test_damaged_records_are_refused(told_here: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.jsonl"
    header = '{"layered_paging": 1, "predictions": "discard"}\n'
    path.write_text(f'{header}{{"experts": [[0], [1]], "predictions": {told_here}}}\n')
    with pytest.raises(TraceError, match=message):
        read_trace(path)


def test_a_comparison_tells_everyone_what_they_take() -> None:
    sequence = generate("zipf:requests=2000", LayeredInstance(2, 6, 5), seed=1)
    found = compare(sequence, [3, 5], ["lru", "flush-when-kept"], predictors=["discard:p0=0.2"], seed=2)
    for cache in (3, 5):
        row = found.row("flush-when-kept", cache)
        assert row is not None
        alone = predict(sequence.with_cache(cache), "discard:p0=0.2", seed=2)
        assert row.faults == simulate("flush-when-kept", alone).faults
        assert row.errors == prediction_errors(alone)
        lru = found.row("lru", cache)
        assert lru is not None
        assert lru.errors is None
    assert (
        compare(sequence, chosen=["flush-when-kept"]).skipped[0].reason.endswith("these requests have none")
    )
    assert set(TOLD).isdisjoint(compare(sequence.prefix(50)).policies)
    with pytest.raises(ModelError, match="discard predictions already"):
        compare(sequence, chosen=["flush-when-kept"], predictors=["discard", "gate"])
    with pytest.raises(ModelError, match="cold start"):
        compare(sequence, chosen=["flush-when-kept"], predictors=["discard"], warm_up=10)


def test_a_run_says_errors_and_what_is_allowed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    workload = ["--workload", "zipf:requests=2000", "-l", "2", "-n", "6", "-k", "5"]
    told_so = [*workload, "--predictions", "discard:p0=0.2,p1=0.1"]
    assert run(["run", "flush-when-kept", "lru", *told_so, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    row, (claim,) = found["rows"][0], found["claims"]
    optimum = next(one["faults"] for one in found["rows"] if one["policy"] == "opt")
    allowed = optimum + 4 * row["eta0"] + row["eta1"]
    assert (claim["bound"], claim["allowed"], claim["verdict"]) == (
        "flush-when-kept-upper",
        str(allowed),
        "holds",
    )
    assert run(["run", "cheaper", *told_so]) == 0
    assert re.search(r"k·ln.* ≈ [\d,]+\.\d\d: holds \(cheaper-upper", capsys.readouterr().out)
    made = str(tmp_path / "predicted.npz")
    parameters = ["--p0", "0.2", "--p1", "0.1"]
    assert run(["predict", *workload, "--kind", "discard", *parameters, "-o", made]) == 0
    assert f"η0         {row['eta0']}" in capsys.readouterr().out
    assert run(["run", "flush-when-kept", "--trace", made, "-k", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["faults"] == row["faults"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "lru", "--predictions", "discard"], "none of lru takes any of that kind"),
        (["run", "flush-when-kept"], "needs discard predictions; these requests have none"),
        (["run", "flush-when-kept", "--predictions", "phase"], "there are phase predictions, but none of"),
        (["run", "flush-when-kept", "--predictions", "discard", "--bypassing"], "forced service"),
        (["predict", "--kind", "discard", "--p0", "2"], "p0 must be a number in 0 … 1"),
        (["predict", "--kind", "discard", "--sigma", "1"], "predictor discard has no parameter 'sigma'"),
        (["opt", "--predictions", "discard"], "No such option"),
    ],
)
def test_predictions_out_of_place_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    instance = ["--workload", "zipf:requests=100", "-l", "1", "-n", "6", "-k", "4"]
    assert run([*arguments, *instance]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert message in said.err


def test_errors_are_counted_against_a_schedule_of_the_same_requests() -> None:
    instance = LayeredInstance(1, 4, 2)
    one, other = RequestSequence(instance, [0, 1, 2, 0]), RequestSequence(instance, [0, 1, 2, 3])
    schedule = farthest_in_future(other, record=True).schedule
    with pytest.raises(ModelError, match="a schedule of other requests"):
        true_predictions(one, "discard", schedule)
    with pytest.raises(ModelError, match="a schedule of other requests"):
        prediction_errors(predict(one, "discard"), schedule)
