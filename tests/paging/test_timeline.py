"""The picture of a run in the terminal: what its marks say is what happened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paging import (
    LayeredInstance,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    farthest_in_future,
    registered_policies,
    simulate,
)
from paging.cli.main import run as paging_run
from paging.testing import sequences
from paging.viewer.timeline import cache_timeline
from tests.helpers.policies import as_told

CLASSICAL = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
LAYERED = ["--workload", "zipf:requests=600", "-l", "2", "-n", "4", "-k", "4"]


def test_opt_by_hand() -> None:
    # Two slots: 0 1, then 2 replaces 1 (0 comes first), hit 0, then 1 replaces 0 (2 comes next), hit 2.
    assert cache_timeline("opt", CLASSICAL).splitlines()[3:] == [
        "0.0    F--Hx",
        "0.1     Fx F-",
        "0.2      F--H",
        "4 faults in 6 requests",
    ]


@given(
    sequences(layers=(1, 3), pages=(2, 4), cache=(1, 5), length=(1, 40)),
    st.sampled_from(["lru", "fwf", "opt"]),
)
def test_marks_agree_with_the_run(sequence: RequestSequence, policy: str) -> None:
    if sequence.instance.visits == "atomic":
        return
    answer = farthest_in_future if policy == "opt" else lambda given: simulate(policy, given)
    lines = cache_timeline(policy, sequence, width=60).splitlines()
    rows = {line.split()[0]: line[7:] for line in lines[3:-1]}
    faults = sum(row.count("F") for row in rows.values())
    hits = sum(row.count("H") for row in rows.values())
    assert (faults, hits) == (answer(sequence).faults, len(sequence) - faults)
    for page, row in rows.items():
        for before, now in zip(" " + row, row, strict=False):
            held = before in "FH-"
            # A page is hit, stays or leaves only if it was there, and comes in only if it was not.
            assert held == (now in "H-x"), (page, row)


def test_every_policy_can_be_watched() -> None:
    sequence = RequestSequence(LayeredInstance(2, 3, 3), np.tile([0, 3, 1, 4, 2, 5], 4))
    for policy in registered_policies():
        try:
            assert "requests" in cache_timeline(policy, as_told(policy, sequence))
        except UnsupportedModelError:
            assert policy in ("pinned", "admit")  # they need a profile, and bypassing


def test_a_long_sequence_is_cut_and_the_picture_says_so() -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2] * 1000)
    lines = cache_timeline("lru", sequence, width=50).splitlines()
    assert "the first 43 of 3,000 requests" in lines[0]
    assert max(map(len, lines[1:])) == 50


@pytest.mark.parametrize(("following", "victim"), [(0, 1), (1, 0)])
def test_opt_is_that_of_the_whole_sequence(following: int, victim: int) -> None:
    # At the last request shown page 2 needs a slot; what comes after the picture decides who leaves.
    requests = [0, 1] * 4 + [0, 2, following]
    sequence = RequestSequence(LayeredInstance(1, 3, 2), requests)
    rows = cache_timeline("opt", sequence, width=17).splitlines()[3:6]
    assert rows[victim].endswith("x")
    assert rows[1 - victim].endswith("-")


def test_a_narrow_screen_and_atomic_visits_are_refused() -> None:
    with pytest.raises(ModelError, match="at least 17 columns, the screen has 16"):
        cache_timeline("lru", CLASSICAL, width=16)
    atomic = LayeredInstance(1, 3, 2, per_visit=2, visits="atomic")
    with pytest.raises(UnsupportedModelError, match="sequential"):
        cache_timeline("lru", RequestSequence(atomic, [0, 1]))


def test_the_command_shows_the_cache_above_its_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert paging_run(["run", "lru", "opt", "mark", "compulsory", *LAYERED, "--show"]) == 0
    out = capsys.readouterr().out
    assert out.count("the first 53 of 600 requests") == 3
    assert "mark, one run with seed 0" in out
    assert out.index("53 requests") < out.index("ratio to opt")


def test_the_command_refuses_json_with_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert paging_run(["run", "lru", *LAYERED, "--show", "--json"]) == 2
    assert "nothing to draw" in capsys.readouterr().err
