"""Fault curves of requests in chunks: the numbers of all at once; sampled ones cover them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lp import fault_curve, streaming
from lp.streamed_curves import streamed_curves
from paging import LayeredInstance, RequestSequence, generate
from paging.cli.main import run
from paging.traces import Trace, write_trace
from tests.helpers.chunks import in_chunks

INSTANCE = LayeredInstance(layers=3, pages=40, cache=1, per_visit=2)


@pytest.fixture(scope="module")
def sequence() -> RequestSequence:
    return generate("zipf:alpha=0.8,requests=6000", INSTANCE, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 250])
def test_curves_in_chunks_are_those_of_all_requests(
    sequence: RequestSequence, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PART", size)
    part = sequence.prefix(600)
    found = streamed_curves(INSTANCE, in_chunks(part, size), len(part), ["lru", "llru", "opt"], range(1, 131))
    for name in ("lru", "llru", "opt"):
        assert tuple(point.faults for point in found[name]) == fault_curve(part, name, 130)
        assert all(point.estimate is None for point in found[name])
    assert {point.faults for point in found["compulsory"]} == {part.distinct_pages}


def test_a_sample_covers_the_curve_about_as_often_as_it_says(sequence: RequestSequence) -> None:
    caches = range(40, 100, 4)
    exact = {name: fault_curve(sequence, name, 100) for name in ("lru", "opt")}
    covered = []
    for seed in range(8):
        chunks = in_chunks(sequence, 700)
        found = streamed_curves(INSTANCE, chunks, len(sequence), ["lru", "opt"], caches, sample=4, seed=seed)
        for name, curve in exact.items():
            for point in found[name]:
                assert point.estimate is not None
                assert point.estimate.confidence == 0.95
                low, high = point.estimate.interval
                covered.append(low <= curve[point.cache - 1] <= high)
                assert abs(point.faults - curve[point.cache - 1]) < 0.2 * curve[point.cache - 1]
    assert np.mean(covered) > 0.9


def test_the_command_draws_from_chunks(
    sequence: RequestSequence,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_trace(Trace.from_sequence(sequence.prefix(900)), "t.npz")
    asked = ["plot", "curve", "lru", "llru", "opt", "--trace", "t.npz", "-k", "4:40:12", "--json"]
    rows = []
    for more in ([], ["--stream"]):
        assert run([*asked, *more]) == 0
        rows.append(json.loads(capsys.readouterr().out)["rows"])
    assert rows[0] == rows[1]
    asked = ["plot", "curve", "lru", "--trace", "t.npz", "-k", "40,80", "--stream", "--sample", "4"]
    assert run([*asked, "-o", "sampled.svg", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["measure"] for row in document["rows"] if row["policy"] == "lru"} == {"sampled"}
    assert document["sample"] == 4
    assert "sampled: one page in 4" in Path("sampled.svg").read_text()


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["lru", "-k", "8", "--sample", "4"], "--sample estimates faults of a --stream"),
        (["lru", "-k", "8", "--stream", "--sample", "4", "--show", "ratio"], "--show faults or rate"),
        (["lru", "-k", "9", "--stream", "--sample", "4"], "multiple of 4, not 9"),
        (
            ["llru", "-k", "8", "--stream", "--sample", "4"],
            "llru sees layers: a sample of the pages has opt and lru",
        ),
        (["lru", "-k", "1000", "--stream", "--sample", "1000"], "sample (B)"),
        (["lru", "-k", "9", "--stream", "--sample", "3"], "sample (B) must be even"),
        (["fifo", "-k", "8", "--stream"], "fifo has no curve in one pass"),
        (["lru", "-k", "8", "--stream", "--weights", "bytes"], "no --weights"),
        (["lru", "--stream"], "cache size is missing"),
    ],
)
def test_refusals_are_one_line(
    sequence: RequestSequence,
    more: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_trace(Trace.from_sequence(sequence.prefix(60)), "t.npz")
    assert run(["plot", "curve", *more, "--trace", "t.npz", "--json"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error
