"""Which tokens of a trace count, in Python and with every command that reads one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paging import TraceError, simulate
from paging.cli.main import run as paging_run
from paging.traces import Trace, TraceReading, read_trace, write_trace

Capture = pytest.CaptureFixture[str]

# Six tokens of three layers, of which layer 1 is dense; two prompts, whose first token was not generated.
EXPERTS = [[[i % 3], [0], [(i * i) % 4]] for i in range(6)]
DECODE = [False, True, True, False, True, True]
SEQUENCES = [5, 5, 5, 8, 8, 8]


@pytest.fixture
def path(tmp_path: Path) -> str:
    trace = Trace.from_experts(EXPERTS, (3, 2, 4), seq_id=SEQUENCES, decode=DECODE)
    write_trace(trace, tmp_path / "t.npz")
    return str(tmp_path / "t.npz")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"decode_only": True}, [1, 2, 4, 5]),
        ({"sequences": (8,)}, [3, 4, 5]),
        ({"sequences": (8, 5)}, [0, 1, 2, 3, 4, 5]),
        ({"tokens": slice(1, 4)}, [1, 2, 3]),
        ({"tokens": slice(4, None)}, [4, 5]),
        ({"tokens": slice(None, 2)}, [0, 1]),
        ({"tokens": slice(0, 99)}, [0, 1, 2, 3, 4, 5]),
        ({"tokens": slice(1, 5), "decode_only": True, "sequences": (8,)}, [4]),
    ],
)
def test_tokens_that_are_kept(options: dict[str, Any], kept: list[int], path: str) -> None:
    trace = read_trace(path, **options)
    assert trace.experts.tolist() == [EXPERTS[token] for token in kept]
    assert trace.seq_id is not None
    assert trace.seq_id.tolist() == [SEQUENCES[token] for token in kept]
    assert trace.decode is not None
    assert trace.decode.tolist() == [DECODE[token] for token in kept]
    thin = read_trace(path, drop_layers="dense", **options)
    assert thin.experts.tolist() == [[EXPERTS[token][0], EXPERTS[token][2]] for token in kept]
    assert thin.pages == (3, 4)


def test_parts_of_short_visits_and_of_a_cut_round() -> None:
    short = Trace.from_experts([[[0, 1], [1, -1]], [[2, -1], [0, 1]], [[0, 1], [2, 0]]])
    part = TraceReading(tokens=slice(1, None)).part_of(short)
    assert part.experts.tolist() == [[[2, -1], [0, 1]], [[0, 1], [2, 0]]]
    assert TraceReading(tokens=slice(2, None)).part_of(short).places is None
    cut = Trace(np.array([0, 2, 1]), 2, 2)
    assert TraceReading(tokens=slice(1, None)).part_of(cut).page_ids.tolist() == [1]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"sequences": (6,)}, "there is no sequence 6; the 2 sequences are numbered 5 … 8"),
        ({"tokens": slice(6, None)}, "none of the 6 tokens is left"),
        ({"tokens": slice(0, 1), "decode_only": True}, "none of the 6 tokens is left"),
        ({"tokens": slice(3, 3)}, "the end of the tokens must be an integer ≥ 4"),
        ({"tokens": slice(-2, None)}, "the first token must be an integer ≥ 0"),
        ({"tokens": slice(0, 4, 2)}, "without a step"),
        ({"drop_layers": (-1,)}, "a layer to drop must be"),
        ({"block_size": 0}, "block_size"),
    ],
)
def test_parts_that_are_not_there(options: dict[str, Any], problem: str, path: str) -> None:
    with pytest.raises(TraceError, match=problem):
        read_trace(path, **options)


PART = ["--drop-layers", "dense", "--decode-only", "--sequences", "5,8", "--tokens", "1:6"]
TOLD = {"drop_layers": "dense", "decode_only": True, "sequences": [5, 8], "tokens": "1:6"}


def part(path: str) -> Trace:
    return read_trace(path, drop_layers="dense", decode_only=True, sequences=(5, 8), tokens=slice(1, 6))


def answer(capsys: Capture, *args: str) -> Any:
    assert paging_run([*args, "--json"]) == 0
    out = capsys.readouterr()
    assert "note: " in out.err
    assert "layer 1 is left out" in out.err
    return json.loads(out.out)


def test_every_command_reads_the_same_part(path: str, tmp_path: Path, capsys: Capture) -> None:
    expected = part(path)
    faults = simulate("lru", expected.sequence(3)).faults
    for command in (["run", "lru"], ["compare", "-p", "lru"]):
        result = answer(capsys, *command, "--trace", path, "-k", "3", *PART)
        assert result["rows"][0]["faults"] == faults
        assert TOLD.items() <= result["provenance"].items()
    assert answer(capsys, "opt", "--trace", path, "-k", "3", *PART)["requests"] == expected.requests == 8
    assert answer(capsys, "trace", "info", path, *PART)["digest"] == expected.digest
    assert paging_run(["trace", "convert", path, str(tmp_path / "c.txt"), *PART]) == 0
    assert read_trace(tmp_path / "c.txt").digest == expected.digest
    assert paging_run(["show", "lru", "--trace", path, "-k", "3", *PART, "-o", str(tmp_path / "s.html")]) == 0
    assert "s.html: 8 requests" in capsys.readouterr().err


def test_the_report_and_the_pictures_take_them_too(path: str, tmp_path: Path, capsys: Capture) -> None:
    from proofs.commands.reproduce import _command, _read

    reading = TraceReading(drop_layers="dense", tokens=slice(1, 6))
    (source,) = _read((path,), reading, True)
    assert len(source.sequence) == 10
    assert source.facts["tokens"] == 5
    assert source.facts["drop_layers"] == "dense"
    words = _command("out", (path,), reading, None, True, 0)
    assert "--drop-layers dense --tokens 1:6" in words
    figure = str(tmp_path / "f.svg")
    assert paging_run(["plot", "phases", "lru", "--trace", path, "-k", "3", *PART, "-o", figure]) == 0


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--tokens", "5", "no range of tokens"),
        ("--tokens", "a:b", "no range of tokens"),
        ("--sequences", "1;2", "no list of whole numbers"),
        ("--drop-layers", "most", "no list of whole numbers"),
        ("--block-size", "0", "--block-size"),
        ("--format", "tar", "unknown format"),
    ],
)
def test_options_that_say_nothing(option: str, value: str, problem: str, path: str, capsys: Capture) -> None:
    assert paging_run(["run", "lru", "--trace", path, "-k", "3", option, value]) == 2
    assert problem in capsys.readouterr().err


def test_options_of_traces_are_for_traces(capsys: Capture) -> None:
    shape = ["-l", "2", "-n", "3", "-k", "4"]
    assert paging_run(["run", "lru", "--workload", "uniform:rounds=3", *shape, "--tokens", "0:2"]) == 2
    assert "--tokens is about a --trace, but none is given" in capsys.readouterr().err
    assert paging_run(["run", "lru", "--requests", "1 2", "--trace", "x.npz", "-k", "1"]) == 2
    assert "but --trace and --requests are given" in capsys.readouterr().err
