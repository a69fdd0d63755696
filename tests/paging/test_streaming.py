"""Traces read in chunks: the numbers of reading them at once, and refusals in one line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from paging import TraceError
from paging.cli.main import run
from paging.traces import Trace, read_trace, streaming, write_trace
from paging.traces.reading import TraceReading
from paging.traces.streaming import stream_trace

RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])


def experts(tokens: int = 40, layers: int = 3, pages: int = 6, group: int = 2) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.argsort(rng.random((tokens, layers, pages)), axis=2)[:, :, :group].astype(np.int16)


def records(ids: list[int], sizes: int = 1) -> bytes:
    rows = np.zeros(len(ids), RECORD)
    rows["id"], rows["size"] = ids, sizes
    return rows.tobytes()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(streaming, "CHUNK", 50)
    write_trace(Trace.from_experts(experts(), pages=(6, 6, 7)), "whole.npz")
    np.save("bare.npy", experts())
    ids = (np.random.default_rng(1).zipf(1.4, 300) * 10**9).tolist()
    Path("objects.oracleGeneral").write_bytes(records(ids))
    write_trace(read_trace("bare.npy"), "packed.npz.gz")
    return tmp_path


@pytest.mark.parametrize("name", ["whole.npz", "bare.npy", "objects.oracleGeneral", "packed.npz.gz"])
def test_chunks_are_the_requests_of_the_trace(files: Path, name: str) -> None:
    whole = read_trace(files / name)
    with stream_trace(files / name) as stream:
        chunks = list(stream.chunks())
        again = list(stream.chunks())
    assert np.concatenate(chunks).tolist() == whole.page_ids.tolist()
    assert len(again) == len(chunks)
    assert (stream.requests, stream.instance.pages) == (whole.requests, whole.pages)
    assert name == "objects.oracleGeneral" or max(map(len, chunks)) <= 50


@pytest.mark.parametrize("name", ["whole.npz", "objects.oracleGeneral"])
def test_a_streamed_run_says_what_a_run_says(
    files: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["run", "lru", "llru", "zrc", "mark", "opt", "--trace", name, "-k", "7", "--json"]
    answers = []
    for more in ([], ["--stream"]):
        assert run([*asked, *more]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]


def test_standard_input_is_streamed_by_its_format(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Typed:
        buffer = io.BytesIO((files / "whole.npz").read_bytes())

    monkeypatch.setattr(sys, "stdin", Typed)
    assert run(["run", "lru", "--trace", "-", "--format", "npz", "-k", "7", "--stream"]) == 0
    assert "240 requests, ℓ = 3, n = 6, k = 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "contents", "complaint"),
    [
        ("cut.npy", lambda whole: whole[:-3], "the array ends 3 bytes too early"),
        ("more.npy", lambda whole: whole + b"x", "more follows after an array"),
        ("cut.oracleGeneral", lambda whole: records([1, 2])[:-1], "the last one is cut off"),
        ("none.oracleGeneral", lambda whole: b"", "the file is empty"),
        ("page.npy", lambda whole: whole[:-2] + b"\x3f\x00", "request 239 .*has experts 0 … 5"),
        ("twice.npy", lambda whole: whole[:-2] + whole[-4:-2], "request 239 .*comes twice in one visit"),
        ("short.npy", lambda whole: whole[:-2] + b"\xff\xff", "request 239 is −1: short visits"),
        ("text.txt", lambda whole: b"1 2 3", "only .npz, .npy and oracleGeneral are read in chunks"),
        ("zip.npz", lambda whole: whole, "damaged, or not a .npz file"),
    ],
)
def test_broken_streams_are_refused_in_a_line(files: Path, name: str, contents, complaint: str) -> None:  # type: ignore[no-untyped-def]
    (files / name).write_bytes(contents((files / "bare.npy").read_bytes()))
    with (
        pytest.raises(TraceError, match=complaint),
        stream_trace(files / name, TraceReading(pages=6) if name.endswith("npy") else None) as stream,
    ):
        list(stream.chunks())


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--trace", "bare.npy", "--tokens", "0:4"], "tokens needs the whole trace in memory"),
        (["--trace", "bare.npy", "--warm-up", "4"], "without --warm-up"),
        (["--trace", "bare.npy", "-n", "1"], "per_visit"),
        (["--trace", "bare.npy", "-l", "2"], "layers is 3 in the file, but 2 asked for"),
        (["--trace", "objects.oracleGeneral", "-n", "9"], "numbered as they appear"),
        (["--workload", "zipf", "-l", "1", "-n", "3"], "--stream reads a --trace"),
        (["--trace", "bare.npy", "--show"], "need the run, of which --stream keeps nothing"),
        (["--trace", "bare.npy", "--visits", "atomic"], "needs forced service, sequential visits|atomic"),
        (["sieve", "--trace", "bare.npy"], "policy sieve needs all requests at once; in parts serve lru"),
    ],
)
def test_what_a_stream_cannot_do_is_refused(
    files: Path, more: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "lru", "-k", "7", "--stream", *more]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert any(text in error for text in complaint.split("|")), error
