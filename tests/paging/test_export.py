"""Constructions in files: what `paging run` and outside simulators read is what was built."""

import json
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from adversary import get_construction
from paging import LayeredInstance, RequestSequence, TraceError, farthest_in_future, simulate
from paging.cli.main import run as paging_run
from paging.traces import Trace, read_trace, write_trace
from paging.traces.oracle import RECORD

Capture = pytest.CaptureFixture[str]

PEER = """
import json, sys
import libcachesim as lcs
path, cache, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
faults = {}
for name in sys.argv[4:]:
    options = lcs.ReaderInitParam(ignore_obj_size=True)
    reader = lcs.TraceReader(path, lcs.TraceType.ORACLE_GENERAL_TRACE, options)
    peer = getattr(lcs, name)(cache, hashpower=12, consider_obj_metadata=False)
    faults[name] = round(peer.process_trace(reader)[0] * requests)
print(json.dumps(faults))
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".oracleGeneral", ".oracleGeneral.bin"])
@pytest.mark.parametrize(("layers", "pages", "cache"), [(2, 4, 7), (3, 4, 8), (1, 6, 5)])
def test_libcachesim_counts_what_we_count(
    layers: int, pages: int, cache: int, suffix: str, tmp_path: Path
) -> None:
    pytest.importorskip("libcachesim", reason="needs the extra `bench`: pip install layered-paging[bench]")
    built = get_construction("cyclic")(LayeredInstance(layers, pages, cache), rounds=700)
    path = tmp_path / f"l3{suffix}"
    write_trace(Trace.from_sequence(built.sequence, name="l3"), path)
    # In a process of its own: what foreign code does to this one is nobody's business.
    command = [sys.executable, "-c", PEER, str(path), str(cache), str(len(built.sequence)), "LRU", "Belady"]
    faults = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert faults["LRU"] == simulate("lru", built.sequence).faults == len(built.sequence)
    assert faults["Belady"] == farthest_in_future(built.sequence).faults == built.offline.faults


QUEUES = {"slru": "SLRU", "2q": "TwoQ", "arc": "ARC", "s3-fifo": "S3FIFO"}


def one_layer(kind: str, cache: int) -> RequestSequence:
    """Requests on which queues and ghosts are all used, or on which S3-FIFO never hits."""
    if kind == "outrun-sieve":
        return get_construction(kind)(LayeredInstance(1, 2 * cache, cache), rounds=3000).sequence
    rng = np.random.default_rng(cache)
    requests = np.minimum(rng.zipf(1.2, size=20_000), 400) - 1
    if kind == "loop":  # a cycle a little longer than the cache, disturbed
        cycle = np.arange(20_000) % (cache + cache // 8)
        requests = np.where(rng.random(20_000) < 0.7, cycle, requests)
    return RequestSequence(LayeredInstance(1, 400, cache), requests)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "cache", "policies"),
    [
        ("zipf", 20, QUEUES),
        ("loop", 100, QUEUES),
        # Where the number of segments does not divide k, libcachesim's SLRU drops pages on hits.
        ("loop", 33, ["2q", "arc", "s3-fifo"]),
        ("outrun-sieve", 37, ["s3-fifo"]),
    ],
)
def test_libcachesim_counts_what_our_queues_count(
    kind: str, cache: int, policies: Iterable[str], tmp_path: Path
) -> None:
    pytest.importorskip("libcachesim", reason="needs the extra `bench`: pip install layered-paging[bench]")
    sequence, path = one_layer(kind, cache), tmp_path / "t.oracleGeneral"
    write_trace(Trace.from_sequence(sequence, name=kind), path)
    names = [QUEUES[policy] for policy in policies]
    command = [sys.executable, "-c", PEER, str(path), str(cache), str(len(sequence)), *names]
    faults = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert faults == {QUEUES[policy]: simulate(policy, sequence).faults for policy in policies}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".oracleGeneral", ".oracleGeneral.bin", ".oracleGeneral.gz"])
def test_what_the_layout_carries_survives(suffix: str, tmp_path: Path) -> None:
    instance = LayeredInstance(3, (2, 5, 3), 4, 2)
    rng = np.random.default_rng(0)
    experts = [[rng.permutation(n)[:2].tolist() for n in (2, 5, 3)] for _ in range(40_000)]
    trace = Trace.from_experts(experts, pages=(2, 5, 3))
    path = tmp_path / f"t{suffix}"
    write_trace(trace, path)
    assert read_trace(path, layers=3, pages=(2, 5, 3), per_visit=2).digest == trace.digest
    classical = read_trace(path)
    assert (classical.layers, classical.per_visit) == (1, 1)
    assert np.asarray(classical.ids)[classical.page_ids].tolist() == trace.page_ids.tolist()
    assert classical.remarks == ()
    assert trace.instance.round_length == instance.round_length


def test_the_bytes_of_a_record(tmp_path: Path) -> None:
    path = tmp_path / "t.oracleGeneral"
    write_trace(Trace(np.array([0, 3, 1, 3, 0]), 2, 2), path)
    assert RECORD.itemsize == 24
    assert list(struct.iter_unpack("<IQIq", path.read_bytes())) == [
        (0, 0, 1, 5),
        (0, 3, 1, 4),
        (1, 1, 1, -1),
        (1, 3, 1, -1),
        (2, 0, 1, -1),
    ]


def records(*rows: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<IQIq", *row) for row in rows)


def test_large_ids_of_others_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "t.oracleGeneral"
    path.write_bytes(records((5, 2**63, 7, 2), (6, 9, 7, 2**63 - 1), (9, 2**63, 7, -1), (9, 3, 7, -1)))
    trace = read_trace(path)
    assert trace.page_ids.tolist() == [0, 1, 0, 2]
    assert np.asarray(trace.ids).tolist() == [2**63, 9, 3]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (records((0, 1, 1, -1))[:-1], "truncated"),
        (records((0, 1, 1, -1), (0, 2, 4096, -1)), "record 1 has size 4096, the first one 1"),
    ],
)
def test_damage_is_named(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "t.oracleGeneral"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=says) as caught:
        read_trace(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_truncated_cyclic_file_is_refused_or_remarked_on(tmp_path: Path) -> None:
    built = get_construction("cyclic")(LayeredInstance(2, 2, 3), rounds=10)
    path = tmp_path / "t.oracleGeneral"
    write_trace(Trace.from_sequence(built.sequence), path)
    content = path.read_bytes()
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        if length % RECORD.itemsize:
            with pytest.raises(TraceError, match="cut off"):
                read_trace(path)
        else:
            assert any("next access is not the one" in text for text in read_trace(path).remarks)


@pytest.mark.parametrize("suffix", [".txt", ".npz", ".oracleGeneral"])
def test_the_command_writes_what_run_reads(suffix: str, tmp_path: Path, capsys: Capture) -> None:
    path = str(tmp_path / f"hard{suffix}")
    shape = ["-l", "2", "-n", "4", "-k", "7"]
    assert paging_run(["adversary", "cyclic", *shape, "--rounds", "300", "-o", path, "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert paging_run(["run", "lru", "--trace", path, *shape, "--json"]) == 0
    served = json.loads(capsys.readouterr().out)
    faults = {row["policy"]: row["faults"] for row in served["rows"]}
    assert faults["lru"] == built["rows"][0]["faults"] == 600
    assert faults["opt"] == built["rows"][0]["opt"]
