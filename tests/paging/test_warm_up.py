"""Faults counted from a warm cache on: the same run with its beginning left out, and the least possible."""

from __future__ import annotations

import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paging import LayeredInstance, ModelError, RequestSequence, simulate
from paging.cli.main import run as paging_run
from paging.compare import compare
from paging.hindsight import optimum_from
from paging.offline import optimum_from_warm

requests = st.lists(st.integers(0, 4), min_size=1, max_size=12)


@given(pages=requests, cache=st.integers(1, 4), data=st.data())
def test_opt_after_a_warm_up_is_the_best_over_all_beginnings(
    pages: list[int], cache: int, data: st.DataObject
) -> None:
    sequence = RequestSequence(LayeredInstance(1, 5, cache), pages)
    start = data.draw(st.integers(1, len(pages)))
    last, others = pages[start - 1], sorted(set(pages[:start]) - {pages[start - 1]})
    beginnings = [
        {last, *chosen} for size in range(cache) for chosen in combinations(others, min(size, len(others)))
    ]
    assert optimum_from_warm(sequence, start) == min(optimum_from(sequence, start, c) for c in beginnings)


def test_every_policy_counts_the_same_run_from_the_warm_up_on() -> None:
    sequence = RequestSequence(LayeredInstance(2, 4, 3), [0, 4, 1, 5, 2, 6, 0, 4, 3, 7, 1, 5] * 3)
    warm = compare(sequence, chosen=None, warm_up=8)
    assert warm.model["start"] == "warm"
    for row in warm.rows:
        assert row.requests == len(sequence) - 8
        if row.estimate is None and row.policy not in ("opt", "compulsory"):
            run = simulate(row.policy, sequence, record=True)
            assert row.faults == run.faults - int(run.fault_counts[7])
        assert row.optimum is not None
        assert row.policy == "compulsory" or row.faults >= row.optimum
    # Pages 3, 7 are the only ones that the first eight requests do not ask for.
    counted = warm.row("compulsory", 3)
    assert counted is not None
    assert counted.faults == 2
    with pytest.raises(ModelError, match="warm_up"):
        compare(sequence, warm_up=len(sequence) + 1)


def test_a_warm_up_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    # 1 2 3 | 1 2 3 with k = 3: cold LRU has 3 faults, all of them in the warm-up.
    typed = ["run", "lru", "--requests", "1 2 3 1 2 3", "-k", "3"]
    assert paging_run([*typed, "--warm-up", "3", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["faults"] for row in result["rows"]] == [0, 0, 0]
    assert (result["model"]["start"], result["warm_up"]) == ("warm", 3)
    assert paging_run([*typed, "--warm-up", "3"]) == 0
    assert "· warm" in capsys.readouterr().out
    assert paging_run([*typed, "--warm-up", "6"]) == 2
    assert "leaves none of the 6 requests" in capsys.readouterr().err
    assert paging_run(["opt", *typed[2:], "--warm-up", "3"]) == 2
    assert "--warm-up is for commands that count the faults of policies" in capsys.readouterr().err
