"""Comparison of policies over cache sizes: rows, references, refusals, any number of threads."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lp import optimum
from paging import (
    LayeredInstance,
    ModelError,
    RequestSequence,
    UnknownNameError,
    farthest_in_future,
    generate,
    read_trace,
    registered_policies,
    sample_faults,
    simulate,
)
from paging.compare import Comparison, Row, compare
from paging.numbers import json_text
from paging.signals import Count, Watch
from tests.helpers.policies import PLAIN, TOLD

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"


def random_sequence(rounds: int = 60, cache: int = 5, **variant: object) -> RequestSequence:
    instance = LayeredInstance(layers=3, pages=4, cache=cache, **variant)  # type: ignore[arg-type]
    rng = np.random.default_rng(7)
    visits = [
        instance.first_page[j] + rng.choice(4, size=instance.per_visit, replace=False)
        for _ in range(rounds)
        for j in range(3)
    ]
    return RequestSequence(instance, np.concatenate(visits))


def row_of(result: Comparison, policy: str, cache: int) -> Row:
    row = result.row(policy, cache)
    assert row is not None
    return row


def test_rows_equal_single_runs() -> None:
    sequence = random_sequence()
    result = compare(sequence, [4, 7], ["lru", "fifo", "llru"])
    for cache in (4, 7):
        served = sequence.with_cache(cache)
        for policy in ("lru", "fifo", "llru"):
            assert row_of(result, policy, cache).faults == simulate(policy, served).faults
        assert row_of(result, "opt", cache).faults == farthest_in_future(served).faults
        assert row_of(result, "compulsory", cache).faults == sequence.distinct_pages
    assert [(row.cache, row.policy) for row in result.rows] == [
        (cache, policy) for cache in (4, 7) for policy in ("lru", "fifo", "llru", "opt", "compulsory")
    ]


@pytest.mark.slow
def test_opt_lies_between_compulsory_faults_and_every_policy() -> None:
    result = compare(random_sequence(), range(3, 13))
    for row in result.rows:
        if row.estimate is None and row.policy != "compulsory":
            assert row_of(result, "opt", row.cache).faults <= row.faults
        assert row_of(result, "compulsory", row.cache).faults <= row.faults
    # The game of an instance of this size is not tried.
    need_more = {*registered_policies()} - {*PLAIN, *TOLD}
    assert {skipped.policy for skipped in result.skipped} == {"game-optimal", *need_more}
    assert {*PLAIN, "opt", "compulsory"} <= set(result.policies)


def test_ratios_are_exact_fractions_of_the_counts() -> None:
    sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    result = compare(sequence, chosen=["lru", "mru"])
    row = row_of(result, "mru", 2)
    # By hand: LRU faults on all six requests, MRU and OPT on 0, 1, 2 and one more.
    assert (row.faults, row.vs_opt, row.saving, row.fault_rate) == (4, 1, Fraction(1, 3), Fraction(2, 3))
    assert row_of(result, "lru", 2).vs_opt == Fraction(3, 2)


def test_saving_needs_lru_and_the_ratio_needs_opt() -> None:
    row = row_of(compare(random_sequence(), chosen=["fifo"], optimum=False), "fifo", 5)
    assert (row.saving, row.vs_opt) == (None, None)


def test_randomised_rows_are_the_sampled_mean() -> None:
    sequence = random_sequence()
    row = row_of(compare(sequence, chosen=["mark"], runs=6, seed=3), "mark", 5)
    assert row.estimate == sample_faults("mark", sequence, runs=6, seed=3)
    assert row.faults == row.estimate.mean
    listed = row.as_dict()
    assert (listed["measure"], listed["runs"], listed["confidence"]) == ("sampled", 6, 0.95)
    assert isinstance(listed["half_width"], float)


@pytest.mark.slow
def test_result_does_not_depend_on_the_number_of_threads() -> None:
    sequence = random_sequence(rounds=300)
    one, three = (compare(sequence, [4, 6, 8], workers=workers) for workers in (1, 3))
    assert one == three
    assert json_text(one.as_dict()) == json_text(three.as_dict())


def test_what_a_variant_rules_out_is_left_out_with_its_reason() -> None:
    sequence = random_sequence(per_visit=2, visits="atomic", cache=8)
    result = compare(sequence, chosen=["lru", "zrc"])
    assert result.policies == ("lru", "opt", "compulsory")
    assert row_of(result, "opt", 8).faults == optimum(sequence).value
    assert {(skip.policy, skip.cache) for skip in result.skipped} == {("zrc", 8)}
    assert all(skip.reason for skip in result.skipped)
    late = compare(sequence, chosen=["lru"], warm_up=4)
    assert {skip.policy for skip in late.skipped} == {"opt"}


def test_a_split_is_left_out_where_the_cache_has_fewer_slots_than_layers() -> None:
    result = compare(random_sequence(), [2, 3], ["lru", "partitioned"])
    assert [(skip.policy, skip.cache) for skip in result.skipped] == [("partitioned", 2)]
    assert row_of(result, "partitioned", 3).sharing == "per-layer"
    assert row_of(result, "lru", 3).sharing == "shared"


def test_labels_of_the_model_go_with_the_numbers() -> None:
    listed = compare(random_sequence(bypassing=True), chosen=["lru"]).as_dict()
    assert listed["model"] == {
        "service": "bypassing",
        "visits": "sequential",
        "start": "cold",
        "sharing": "shared",
        "per_visit": 1,
    }


def test_repeated_names_and_sizes_count_once() -> None:
    result = compare(random_sequence(), [4, 4], ["lru", "lru", "LRU"])
    assert [row.policy for row in result.rows] == ["lru", "opt", "compulsory"]


def test_an_empty_sequence_has_no_rates() -> None:
    sequence = RequestSequence(LayeredInstance(layers=2, pages=2, cache=2), [])
    row = row_of(compare(sequence, chosen=["lru"]), "lru", 2)
    assert (row.faults, row.fault_rate, row.vs_opt) == (0, None, None)


def test_progress_counts_every_job() -> None:
    seen: list[Count] = []
    compare(random_sequence(), [4, 5], ["lru"], watch=Watch(seen.append))
    assert [(news.done, news.total) for news in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_looks_at_all_pages_is_served_on_long_sequences_by_name_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Where a visit does not fit into the cache ZRC for atomic visits has no kernel.
    sequence = generate("uniform:rounds=5", LayeredInstance(1, 12, 2, per_visit=3), seed=0)
    everything = compare(sequence, optimum=False, runs=2)
    assert row_of(everything, "zrc-atomic", 2)
    # The name paging.compare is that of the function.
    monkeypatch.setattr(sys.modules["paging.compare"], "LOOKS", 15 * 12 - 1)
    left_out = compare(sequence, optimum=False, runs=2)
    gone = {row.policy for row in everything.rows} - {row.policy for row in left_out.rows}
    assert gone == {"zrc-atomic"}
    reasons = {skip.policy: skip.reason for skip in left_out.skipped}
    assert "looks at all 12 pages at a request" in reasons["zrc-atomic"]
    assert row_of(compare(sequence, chosen=["zrc-atomic"]), "zrc-atomic", 2)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean lru"):
        compare(random_sequence(), chosen=["lruu"])
    with pytest.raises(ModelError, match="at least one cache size"):
        compare(random_sequence(), [])
    with pytest.raises(ModelError, match="cache"):
        compare(random_sequence(), [0])
    with pytest.raises(ModelError, match="runs"):
        compare(random_sequence(), chosen=["mark"], runs=1)


def test_layered_lru_saves_faults_on_a_real_trace() -> None:
    path = TRACES / "mixtral-8x7b-instruct-fp8.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this checkout")
    caches = range(96, 225, 32)
    result = compare(read_trace(path).sequence(96), caches, ["lru", "llru", "llru-lazy"])
    for cache in caches:
        llru, lazy = (float(row_of(result, name, cache).saving or 0) for name in ("llru", "llru-lazy"))
        assert 0.04 < llru < 0.16
        assert 0.07 < lazy < 0.17
