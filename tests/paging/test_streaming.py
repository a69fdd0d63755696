"""Traces read in chunks: the numbers of reading them at once, and refusals in one line."""

from __future__ import annotations

import io
import json
import re
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
    write_trace(read_trace("whole.npz"), "lines.jsonl")
    write_trace(read_trace("bare.npy"), "packed.jsonl.zst")
    Path("bare.jsonl").write_text("".join(json.dumps({"experts": e}) + "\n" for e in experts().tolist()))
    write_parquet("table.parquet", experts=experts().tolist(), ids=ids[:40])
    return tmp_path


def write_parquet(name: str, **columns: list) -> None:
    table = pytest.importorskip("pyarrow").table(columns)
    pytest.importorskip("pyarrow.parquet").write_table(table, name, row_group_size=7)


TRACES = ("whole.npz", "bare.npy", "objects.oracleGeneral", "packed.npz.gz")
TRACES += ("lines.jsonl", "packed.jsonl.zst", "bare.jsonl", "table.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACES)
def test_chunks_are_the_requests_of_the_trace(files: Path, name: str) -> None:
    whole = read_trace(files / name)
    with stream_trace(files / name) as stream:
        chunks = list(stream.chunks())
        again = list(stream.chunks())
    assert np.concatenate(chunks).tolist() == whole.page_ids.tolist()
    assert len(again) == len(chunks)
    assert (stream.requests, stream.instance.pages) == (whole.requests, whole.pages)
    assert name == "objects.oracleGeneral" or max(map(len, chunks)) <= 50


def test_a_column_of_ids_is_read_as_any_list_of_ids(files: Path) -> None:
    whole = read_trace("table.parquet", column="ids")
    with stream_trace("table.parquet", TraceReading(column="ids")) as stream:
        assert np.concatenate(list(stream.chunks())).tolist() == whole.page_ids.tolist()
    assert (stream.instance.pages, stream.ids) == (whole.pages, True)
    write_parquet("words.parquet", key=["b", "a", "b"])
    assert read_trace("words.parquet", column=1).page_ids.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("columns", "column", "complaint"),
    [
        (
            {"page": [1], "time": [2]},
            None,
            "'experts' is wanted, or --column .*its columns are 'page', 'time'",
        ),
        ({"page": [1]}, "pages", "there is no column pages; its columns are 'page'"),
        ({"page": [1]}, 2, "there is no column 2"),
        ({"page": [1, None]}, "page", "column 'page' lacks a value after row 0"),
        ({"page": [1, -1]}, "page", "column 'page': row 1 is negative"),
        ({"page": [1.0]}, "page", "column 'page' holds double, not integers or text"),
        ({"experts": [[0, 1]]}, None, "not lists of lists of integers"),
        (
            {"experts": [[[0], [1]], [[0], [1, 0]]]},
            None,
            "every visit as many experts",
        ),
        ({"experts": [[[0], [None]]]}, None, "lacks a value"),
    ],
)
def test_parquet_of_other_columns_is_refused_in_a_line(
    files: Path,
    columns: dict[str, list],
    column: object,
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_parquet("other.parquet", **columns)
    asked = ["run", "lru", "-k", "1", "--trace", "other.parquet"]
    asked += [] if column is None else ["--column", str(column)]
    for more in ([], ["--stream"]):
        assert run([*asked, *more]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert re.search(complaint, error), error


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
        ("text.txt", lambda whole: b"1 2 3", "only .npz, .npy, .jsonl, .parquet and oracleGeneral"),
        (
            "cut.parquet",
            lambda whole: Path("table.parquet").read_bytes()[:-3],
            "damaged, or not a .parquet file",
        ),
        ("cut.jsonl", lambda whole: Path("bare.jsonl").read_bytes()[:-3], "line 40: not JSON"),
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
        (["--trace", "bare.npy", "--weights", "bytes"], "at unit cost, without predictions: no --weights"),
        (["--trace", "bare.npy", "--predictions", "discard"], "without predictions: no --predictions"),
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


def test_a_trace_that_would_not_fit_is_read_in_chunks_or_refused(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "machine_memory", lambda: 7000)
    for name, requests in (("bare.npy", 240), ("objects.oracleGeneral", 300), ("table.parquet", 240)):
        assert streaming.announced_requests(name) == requests
        assert run(["run", "lru", "opt", "--trace", name, "-k", "7", "--json"]) == 0
        told = capsys.readouterr()
        assert f"{name}: {requests} requests take about 0.0 GB at once, and there are 0.0 GB" in told.err
        assert told.err.endswith("it is read in chunks, as with --stream\n")
        assert run(["compare", "--trace", name, "-k", "7"]) == 2
        refusal = capsys.readouterr().err
        assert refusal.count("\n") == 1
        assert "in chunks it is read by paging run, opt" in refusal
    assert run(["run", "lru", "--trace", "lines.jsonl", "-k", "7"]) == 0  # how long it is nobody knows before
    assert streaming.announced_requests("missing.npy") is None
