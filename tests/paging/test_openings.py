"""Where a trace comes from: files packed or not, standard input, pipes; and what must not happen there."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from paging import TraceError
from paging.cli.main import run as paging_run
from paging.traces import Trace, read_trace, trace_suffixes, write_trace
from paging.traces.opening import FACTOR
from paging.traces.streaming import stream_trace

CLASSIC = "7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1"


def trace() -> Trace:
    experts = np.random.default_rng(1).permuted(np.tile(np.arange(5), (40, 3, 1)), axis=2)[:, :, :2]
    return Trace.from_experts(experts, 5)


# --- packing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [*trace_suffixes(), ".oracleGeneral"])
def test_zstandard_in_and_out(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}.zst"
    write_trace(trace(), path)
    assert path.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
    shape = {"layers": 3, "pages": 5, "per_visit": 2}
    assert read_trace(path, **shape).digest == trace().digest
    path.rename(tmp_path / f"u{suffix}")  # told by the first bytes
    if suffix == ".npz":
        (tmp_path / "t.json").unlink()
    assert read_trace(tmp_path / f"u{suffix}", **shape).digest == trace().digest


def test_frames_follow_one_another(tmp_path: Path) -> None:
    (tmp_path / "t.txt.zst").write_bytes(zstandard.compress(b"1 2 ") + zstandard.compress(b"1 3"))
    assert read_trace(tmp_path / "t.txt.zst").page_ids.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("suffix", [".txt", ".npy", ".npz", ".jsonl"])
def test_a_truncated_zstandard_file_is_never_taken_for_a_whole_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}.zst"
    write_trace(trace(), path)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(TraceError):
            read_trace(path)
    path.write_bytes(content[:-1])
    with pytest.raises(TraceError, match=rf"t{suffix}\.zst: damaged, or not a {suffix} file: .*truncated"):
        read_trace(path)
    path.write_bytes(content[:9] + bytes([content[9] ^ 64]) + content[10:])
    with pytest.raises(TraceError):
        read_trace(path)


@pytest.mark.parametrize("suffix", [".txt", ".npz"])
def test_a_bomb_is_not_unpacked(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paging.traces.opening.FREELY", 1000)
    path = tmp_path / f"t{suffix}.zst"
    packed = zstandard.compress(b"1 " * (1 << 22))
    assert len(packed) * FACTOR < 1 << 23
    path.write_bytes(packed)
    with pytest.raises(TraceError, match=r"zst: unpacks to more than [\d,]+ bytes, .*--unpack-limit MIB"):
        read_trace(path)
    with pytest.raises(TraceError, match="zst: unpacks to more than 1,048,576 bytes"):
        read_trace(path, unpack_limit=1)
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(b"1 " * (1 << 16), 9))
    with pytest.raises(TraceError, match="unpacks to more"):
        read_trace(tmp_path / "t.txt.gz")
    assert read_trace(tmp_path / "t.txt.gz", unpack_limit=1).requests == 1 << 16


def test_an_archive_is_no_bomb_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paging.traces.opening.FREELY", 1000)
    path = tmp_path / "t.npz"
    np.savez_compressed(path, experts=np.zeros((1 << 18, 2, 1), np.int16))
    with pytest.raises(TraceError, match=r"npz: unpacks to more than [\d,]+ bytes, .*--unpack-limit MIB"):
        read_trace(path)
    with pytest.raises(TraceError, match=r"npz: unpacks to more than [\d,]+ bytes"), stream_trace(path):
        pass
    assert read_trace(path, unpack_limit=2).requests == 1 << 19


# --- streams -----------------------------------------------------------------------------------------


class Standard:
    """Standard input that holds some bytes."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize("packed", [bytes, gzip.compress, zstandard.compress])
def test_standard_input_holds_text_packed_or_not(packed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Standard(packed(CLASSIC.encode())))
    read = read_trace("-")
    assert (read.requests, read.name) == (20, "standard input")


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".jsonl", ".csv"])
def test_standard_input_holds_what_the_format_says(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_trace(trace(), tmp_path / f"t{suffix}")
    monkeypatch.setattr("sys.stdin", Standard((tmp_path / f"t{suffix}").read_bytes()))
    assert read_trace("-", format=suffix[1:], pages=5).digest == trace().digest


def test_a_wrong_line_of_a_stream_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Standard(gzip.compress(b"0 2\n# c\n1 1\n")))
    with pytest.raises(TraceError, match=r"standard input: line 3: request 3 .token 1, layer 1"):
        read_trace("-", layers=2, pages=2)
    monkeypatch.setattr("sys.stdin", Standard(b""))
    with pytest.raises(TraceError, match="standard input: the file is empty"):
        read_trace("-")


@pytest.mark.slow
def test_process_substitution_and_the_installed_command(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(CLASSIC)
    code = "from paging.traces import read_trace; import sys; print(read_trace(sys.argv[1]).requests)"
    reader = f"{sys.executable} -c '{code}'"
    for way in (f"{reader} <(cat t.txt)", f"cat t.txt | {reader} /dev/stdin", f"{reader} - < t.txt"):
        done = subprocess.run(["bash", "-c", way], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "20"


@contextmanager
def pipe(folder: Path) -> Iterator[Path]:
    os.mkfifo(folder / "p.txt")
    yield folder / "p.txt"


def test_a_pipe_that_nobody_writes_to_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paging.traces.opening.PATIENCE", 0.05)
    with pipe(tmp_path) as path, pytest.raises(TraceError, match=r"p\.txt: is a pipe that nobody"):
        read_trace(path)


def test_a_pipe_with_a_slow_writer_is_read_to_its_end(tmp_path: Path) -> None:
    with pipe(tmp_path) as path:
        go_on = threading.Event()

        def write() -> None:
            with path.open("w") as stream:
                go_on.wait(10)
                stream.write(CLASSIC[:20])
                stream.flush()
                stream.write(CLASSIC[20:])

        writer = threading.Thread(target=write)
        writer.start()
        threading.Timer(0.1, go_on.set).start()
        assert read_trace(path).requests == 20
        writer.join()


def test_devices_and_folders_are_no_traces(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="/dev/zero: is a device, which may never end"):
        read_trace("/dev/zero", format="txt")
    with pytest.raises(TraceError, match="/dev/null: the file is empty"):
        read_trace("/dev/null", format="txt")
    with pytest.raises(TraceError, match="Is a directory"):
        read_trace(tmp_path, format="txt")


# --- writing -----------------------------------------------------------------------------------------


def test_an_error_while_writing_names_the_users_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.txt").write_text(CLASSIC)
    assert paging_run(["trace", "convert", str(tmp_path / "t.txt"), str(tmp_path / "gone" / "x.npz")]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/gone/x.npz: No such file or directory" in said
    assert ".tmp" not in said
