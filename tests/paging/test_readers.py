"""What users bring: tables, block traces, words, binary records, padded captures. All files are made here."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paging import TraceError, farthest_in_future, simulate
from paging.cli.main import run as paging_run
from paging.traces import Trace, read_trace, requests_trace, trace_formats, write_trace

Capture = pytest.CaptureFixture[str]

ACCESSES = (
    b"# time, object, size\n50,4,512\n51,5,512\n52,4,512\n53,6,512\n54,4,512\n55,5,512\n56,4,512\n57,6,512\n"
)
ARC = b"4 1 0 0\n5 2 0 1\n4 1 0 2\n7 2 0 3\n4 1 0 4\n"
SPC = b"0,8,8192,R,0.5\n0,16,8192,W,0.6\n1,8,8192,r,0.7\n0,8,8192,R,0.8,extra\n"
MSR = (
    b"Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\n"
    b"128166372003061629,usr,0,Read,7014609920,24576,41286\n"
    b"128166372016382155,usr,0,Write,1317441536,8192,1963\n"
    b"128166372016382156,usr,1,Read,7014609920,24576,41286\n"
)
TWITTER = b"0,q:1:8W,6,213,4,get,0\n0,yD:3q:1A,8,27,2,set,86400\n1,q:1:8W,6,213,9,get,0\n"
CLOUD = b"version,time,op,size,lbn\n1,33,2a,512,900\n1,33,2a,512,901\n1,34,28,512,900\n"


def file(folder: Path, content: bytes, name: str = "t.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def names(trace: Trace) -> list[str]:
    """Requests by the names that the source gives them."""
    return [trace.instance.page_name(page) for page in trace.page_ids.tolist()]


# --- tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
@pytest.mark.parametrize(
    "content",
    [
        ACCESSES,
        ARC,
        b"0,2\n1,0\n0,2\n1,1\n",
        b"0 0 3 5\n0 1 2 4\n1 0 3 1\n",
        b"1 2 3 4 5\n6 7 8 9 10\n3 4",
        b"1 2 3\n4 5\n",
        b"1\n2 3\n",
    ],
    ids=["accesses", "arc", "layer-expert", "token-layer-ids", "cut off", "ragged", "second row"],
)
def test_a_table_is_never_read_as_one_long_list(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = file(tmp_path, content, f"t{suffix}")
    with pytest.raises(
        TraceError, match=r"rows hold \d+ numbers .*: is it a table, or rounds\? --column N or NAME"
    ) as caught:
        read_trace(path)
    assert "--column all" in str(caught.value)
    numbers = re.sub(rb"#.*", b"", content).replace(b",", b" ").split()
    assert len(read_trace(path, column="all").page_ids) == len(numbers)


def test_the_refusal_shows_the_columns(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"8 rows hold 24 numbers .the first row 3 columns: 50, 4, 512"):
        read_trace(file(tmp_path, ACCESSES))


def test_a_table_with_tabs_by_its_suffix(tmp_path: Path) -> None:
    path = file(tmp_path, b"time\tobject id\n1\tx,y\n2\tz\n3\tx,y\n", "t.tsv")
    assert names(read_trace(path, column="object id")) == ["x,y", "z", "x,y"]
    with pytest.raises(TraceError, match="can be read, but not written"):
        write_trace(read_trace(path, column=2), path)


@pytest.mark.parametrize("column", [2, "object"])
def test_a_column_by_number_or_name(column: int | str, tmp_path: Path) -> None:
    trace = read_trace(file(tmp_path, ACCESSES), column=column)
    assert names(trace) == ["4", "5", "4", "6", "4", "5", "4", "6"]
    sequence = trace.sequence(2)
    assert (simulate("lru", sequence).faults, farthest_in_future(sequence).faults) == (5, 5)


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (b"time;key\n1;a b\n2;c\n3;a b\n", {"column": "key"}, ["a b", "c", "a b"]),
        (b"time;key\n1;a b\n2;c\n3;a b\n", {"column": 2}, ["a b", "c", "a b"]),
        (b'1,"x,y",3\n2,z,3\n', {"column": 2}, ["x,y", "z"]),
        (b"1\tx y\n2\tz\n", {"column": 2}, ["x y", "z"]),
        (b"1 x\n2   z\n", {"column": 2}, ["x", "z"]),
        (b"1|x\n2|z\n", {"column": 2, "delimiter": "|"}, ["x", "z"]),
        (b"1\tx,y\n2\tz,y\n", {"column": 2, "delimiter": "tab"}, ["x,y", "z,y"]),
        (b"5\n1\n5\n", {"column": 1}, ["5", "1", "5"]),
        (b"-5\n01\n1\n", {"column": 1}, ["-5", "01", "1"]),
        (b"\xef\xbb\xbfkey,n\r\na,1\r\n\r\n# gone\r\nb,1\r\n", {"column": "key"}, ["a", "b"]),
        (b"18446744073709551615,1\n0,1\n", {"column": 1}, ["18446744073709551615", "0"]),
        (b"0,0\n1,3\n0,1\n", {"column": 2, "layers": 2, "pages": 3}, ["0.0", "1.0", "0.1"]),
    ],
)
def test_columns_of_all_sorts(
    content: bytes, options: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    assert names(read_trace(file(tmp_path, content, "t.csv"), **options)) == expected


def test_a_header_that_was_not_asked_for_is_remarked_on(tmp_path: Path) -> None:
    path = file(tmp_path, b"time,object\n50,/a\n51,/b\n", "t.csv")
    assert any(
        "(time, object) was taken for the names" in text for text in read_trace(path, column=2).remarks
    )
    assert read_trace(path, column="object").remarks == ()


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        (b"1,2\n3\n", {"column": 2}, "line 2: 1 columns, but the first row has 2"),
        (b"1,2\n3,\n", {"column": 2}, "line 2: column 2 is empty"),
        (b"1,2\n", {"column": 3}, "line 1: there is no column 3; the row has 2: 1, 2"),
        (
            b"# a,b\n1,2\n",
            {"column": "c"},
            "no column is called 'c'; the first row has 1, 2; the comment .* a, b",
        ),
        (b"# a,b,c\n1,2\n", {"column": "c"}, "the header names 3 columns, but the first row has 2"),
        (b"a,a\n1,2\n", {"column": "a"}, "several columns are called 'a'"),
        (b'1,"2\n', {"column": 2}, "line 1: .*end of data"),
        (b"1,\xff\n", {"column": 1}, "line 1: not UTF-8"),
        (b"1,\0\n", {"column": 1}, "line 1: a zero byte"),
        (b"# nothing\n", {"column": 1}, "there is no request"),
        (b"a,b\n", {"column": "a"}, "there is no request"),
        (b"a\nb\n", {"column": 1, "pages": 3}, "'a' is not a page id in 0 … 2147483646, as pages"),
        (b"1,2\n", {"delimiter": ";"}, "delimiter says what separates columns"),
        (b"1,2\n", {"column": 0}, "column must be an integer ≥ 1"),
        (b"1,2\n", {"column": 1, "delimiter": "::"}, "one character or 'tab'"),
        (b"1,2\n", {"column": 1, "delimiter": "#"}, "begins a comment"),
        (
            b"1\n",
            {"block_size": 512},
            "--block-size says nothing about this format .* spc, msr, cloudphysics",
        ),
        (b"1\n", {"ignore_sizes": True}, "--ignore-sizes says nothing about this format"),
        (b"1\n", {"drop_layers": "dense"}, "a list of page ids has no layers to drop"),
        (b"1\n", {"decode_only": True}, "does not say which tokens were generated"),
        (b"1\n", {"sequences": (0,)}, "does not say which sequence"),
        (b"token,layer,expert\n0,0,1\n", {}, "'token' is not a page id; --format layer-expert reads"),
        (b"1\n", {"format": "tar"}, "unknown format 'tar'.*did you mean"),
    ],
)
def test_what_is_wrong_with_a_table(
    content: bytes, options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(TraceError, match=problem):
        read_trace(file(tmp_path, content, "t.csv"), **options)


def test_a_first_row_that_may_be_a_header_is_remarked_on(tmp_path: Path) -> None:
    path = file(tmp_path, b"user,obj\nu1,a\nu2,b\nu3,a\n", "t.csv")
    trace = read_trace(path, column=2)
    assert names(trace) == ["obj", "a", "b", "a"]
    assert trace.remarks == (
        "the first row (user, obj) counts as a request; if it names the columns, --column obj says so",
    )
    assert names(read_trace(path, column="obj")) == ["a", "b", "a"]


# --- known layouts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "content", "options", "expected"),
    [
        ("arc", ARC, {}, ["4", "5", "6", "4", "7", "8", "4"]),
        ("spc", SPC, {}, ["0:8", "0:16", "1:8", "0:8"]),
        # Sectors 8 … 23 are pages 1 and 2 of 4096 bytes, 16 … 31 are 2 and 3.
        ("spc", SPC, {"block_size": 4096}, ["0:1", "0:2", "0:2", "0:3", "1:1", "1:2", "0:1", "0:2"]),
        ("msr", MSR, {"ignore_sizes": True}, ["usr:0:7014609920", "usr:0:1317441536", "usr:1:7014609920"]),
        # 24576 bytes from 7014609920 = 1712551 · 4096 + 1024 touch seven pages.
        (
            "msr",
            MSR.split(b"\n")[1],
            {"block_size": 4096},
            [f"usr:0:{page}" for page in range(7014609920 // 4096, (7014609920 + 24575) // 4096 + 1)],
        ),
        ("twitter", TWITTER, {"ignore_sizes": True}, ["q:1:8W", "yD:3q:1A", "q:1:8W"]),
        ("cloudphysics", CLOUD, {}, ["900", "901", "900"]),
        ("cloudphysics", CLOUD, {"block_size": 1024}, ["450", "450", "450"]),
        ("lirs", b"0\n1\n*\n0\n2\n", {}, ["0", "1", "0", "2"]),
        ("layer-expert", b"0,2\n1,0\n0,2\n1,1\n", {}, ["0.2", "1.0", "0.2", "1.1"]),
        (
            "layer-expert",
            b"step,layer,expert\n0,1,2\n0,1,0\n0,3,1\n1,1,1\n1,3,0\n1,3,2\n",
            {},
            ["0.2", "0.0", "1.1", "0.1", "1.0", "1.2"],
        ),
        ("words", b"b a\n", {}, ["b", "a"]),
        ("txt", b"7 7 1", {}, ["7", "7", "1"]),
    ],
)
@pytest.mark.parametrize("name", ["t.dat", "t"])
def test_layouts_by_name(
    layout: str, content: bytes, options: dict[str, Any], expected: list[str], name: str, tmp_path: Path
) -> None:
    assert names(read_trace(file(tmp_path, content, name), format=layout, **options)) == expected


def test_arc_ranges_are_served_block_by_block() -> None:
    # 4 | 5 6 | 4 | 7 8 | 4 with k = 3: LRU holds {4 5 6} when 4 comes again, then {4 7 8}: two hits.
    trace = requests_trace("4 5 6 4 7 8 4")
    assert simulate("lru", trace.sequence(3)).faults == 5


@pytest.mark.parametrize(
    ("layout", "content", "problem"),
    [
        ("arc", b"4 1 0\n", "line 1: 4 columns .start, blocks, ignored, request. are wanted, got 3"),
        ("arc", b"4 0 0 0\n", "line 1: blocks must be at least 1, got 0"),
        ("arc", b"4 x 0 0\n", "line 1: blocks must be a whole number, got 'x'"),
        ("arc", b"4 99999999999 0 0\n", "line 1: a range of 99999999999 pages is longer than"),
        ("arc", b"18446744073709551615 2 0 0\n", "does not fit 64 bits"),
        (
            "spc",
            b"0,8,8192,R,0.5\n0,16,4096,W,0.6\n",
            "line 2: size 4096, the first one 8192: .*--block-size B",
        ),
        ("twitter", TWITTER, "line 2: size 27, the first one 213: .*; --ignore-sizes"),
        ("msr", b"1,usr,0,Read,-5,1,1\n", "Offset must be a whole number, got '-5'"),
        ("msr", b"1,,0,Read,5,1,1\n", "line 1: Hostname is empty"),
        ("layer-expert", b"0,1\n0,1\n", "line 2: expert 1 comes twice in one visit of layer 0"),
        ("layer-expert", b"layer,exp\n0,1\n", "layer, experts are wanted, got layer, exp"),
        ("layer-expert", b"0,1,2\n", "line 1: 2 columns are wanted, got 3"),
        ("layer-expert", b"0,9999999999\n", "expert 9999999999"),
        ("layer-expert", b"\n", "there is no request"),
    ],
)
def test_what_is_wrong_with_a_layout(layout: str, content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=problem):
        read_trace(file(tmp_path, content), format=layout)


def test_layer_expert_rows_with_gaps(tmp_path: Path) -> None:
    trace = read_trace(file(tmp_path, b"0,1\n2,0\n2,1\n0,0\n2,1\n0,1\n"), format="layer-expert")
    assert trace.experts.tolist() == [[[1, -1], [0, 1]], [[0, -1], [1, -1]], [[1, -1], [-1, -1]]]
    assert any("layers 0 … 2" in text for text in trace.remarks)
    assert any(
        "visits have 1 … 2 experts: without a column of tokens a batch" in text for text in trace.remarks
    )
    assert any("in 1 places a token leaves out a layer" in text for text in trace.remarks)


# --- vscsi and oracleGeneral -------------------------------------------------------------------------


def vscsi(version: int, rows: list[tuple[int, int]]) -> bytes:
    """Records of (block, size) in the layout of one of the two versions."""
    if version == 1:
        return b"".join(struct.pack("<IIIHHQQ", 0, size, 0, 0x2A, 1 << 8, block, 9) for block, size in rows)
    return b"".join(struct.pack("<HHIIIQQQ", 0x2A, 2 << 8, 0, size, 0, block, 9, 0) for block, size in rows)


@pytest.mark.parametrize("version", [1, 2])
def test_vscsi_records(version: int, tmp_path: Path) -> None:
    path = file(tmp_path, vscsi(version, [(900, 512), (901, 512), (900, 512)]), "t.vscsi")
    assert names(read_trace(path)) == ["900", "901", "900"]
    path.write_bytes(vscsi(version, [(900, 2048), (1, 512)]))
    with pytest.raises(TraceError, match=r"record 1 has size 512, the first one 2048: .*--block-size"):
        read_trace(path)
    assert names(read_trace(path, block_size=1024)) == ["450", "451", "0"]
    assert names(read_trace(path, ignore_sizes=True)) == ["900", "1"]
    path.write_bytes(vscsi(version, [(900, 512), (901, 512)])[:-1])
    with pytest.raises(TraceError, match="cut off"):
        read_trace(path)
    path.write_bytes(vscsi(3 - version, [(1, 1)] * 9)[:-8] + b"\0" * 8 + vscsi(version, [(1, 1)]))
    with pytest.raises(TraceError, match=r"vscsi|cut off"):
        read_trace(path)


PEER = """
import json, sys
import libcachesim as lcs
kind, path, cache, requests = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
kind = {"vscsi": lcs.TraceType.VSCSI_TRACE, "oracle": lcs.TraceType.ORACLE_GENERAL_TRACE}[kind]
faults = {}
for name in sys.argv[5:]:
    reader = lcs.TraceReader(path, kind, lcs.ReaderInitParam(ignore_obj_size=True))
    peer = getattr(lcs, name)(cache, hashpower=12, consider_obj_metadata=False)
    faults[name] = round(peer.process_trace(reader)[0] * requests)
print(json.dumps(faults))
"""


def peer(kind: str, path: Path, cache: int, requests: int, *policies: str) -> dict[str, int]:
    pytest.importorskip("libcachesim", reason="needs the extra `bench`: pip install layered-paging[bench]")
    command = [sys.executable, "-c", PEER, kind, str(path), str(cache), str(requests), *policies]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # type: ignore[no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("version", [1, 2])
def test_libcachesim_reads_vscsi_as_we_do(version: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    blocks = (rng.zipf(1.3, 4000) % 300 * 8 + 42_000_000).tolist()
    sizes = rng.choice([512, 4096, 57344], 4000).tolist()
    path = file(tmp_path, vscsi(version, list(zip(blocks, sizes, strict=True))), "t.vscsi")
    sequence = read_trace(path, ignore_sizes=True).sequence(40)
    ours = {"LRU": simulate("lru", sequence).faults, "FIFO": simulate("fifo", sequence).faults}
    assert peer("vscsi", path, 40, 4000, "LRU", "FIFO") == ours


@pytest.mark.slow
def test_libcachesim_finds_the_next_accesses_that_we_write(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    trace = requests_trace(" ".join(map(str, (rng.zipf(1.2, 3000) % 200 * 10**9).tolist())))
    path = tmp_path / "t.oracleGeneral"
    write_trace(trace, path)
    assert read_trace(path).remarks == ()
    sequence = trace.sequence(20)
    assert peer("oracle", path, 20, 3000, "LRU", "Belady") == {
        "LRU": simulate("lru", sequence).faults,
        "Belady": farthest_in_future(sequence).faults,
    }


def records(*rows: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<IQIq", *row) for row in rows)


def test_next_accesses_count_from_one_and_are_advice(tmp_path: Path) -> None:
    whole = records((1, 11, 1, 3), (2, 22, 1, -1), (3, 11, 1, -1))
    path = file(tmp_path, whole, "t.oracleGeneral")
    trace = read_trace(path)
    assert (names(trace), trace.remarks) == (["11", "22", "11"], ())
    assert simulate("lru", trace.sequence(2)).faults == 2
    path.write_bytes(whole[:48])  # a slice promises a request that it does not have
    part = read_trace(path)
    assert names(part) == ["11", "22"]
    assert any(text.startswith("in 1 of 2 records the next access is not the one") for text in part.remarks)
    path.write_bytes(records((1, 11, 1, 2), (2, 22, 1, -1), (3, 11, 1, -1)))  # counted from 0
    assert any(text.startswith("in 1 of 3 records") for text in read_trace(path).remarks)


def test_sizes_are_ignored_on_demand_and_the_result_says_so(tmp_path: Path, capsys: Capture) -> None:
    string = [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1]
    rows = [(t, page, (512, 4096)[t % 2], -1) for t, page in enumerate(string)]
    path = str(file(tmp_path, records(*rows), "t.oracleGeneral"))
    assert paging_run(["run", "lru", "fifo", "--trace", path, "-k", "3"]) == 2
    assert "record 1 has size 4096, the first one 512" in capsys.readouterr().err
    command = ["run", "lru", "fifo", "--trace", path, "-k", "3", "--ignore-sizes"]
    assert paging_run([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["faults"] for row in result["rows"]] == [12, 15, 9, 6]
    assert result["provenance"]["ignore_sizes"] is True
    assert paging_run(command) == 0
    assert "ignore sizes True" in capsys.readouterr().out


# --- ids of the source -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown", "faults"),
    [
        ("1 200000000 1 2 1", ["1", "200000000", "1", "2", "1"], 3),
        ("5000000000 1 5000000000", ["5000000000", "1", "5000000000"], 2),
        (f"{2**64 - 1},0,{2**64 - 1}", [str(2**64 - 1), "0", str(2**64 - 1)], 2),
        ("A B A C", ["A", "B", "A", "C"], 3),
    ],
)
def test_ids_are_numbered_and_kept(text: str, shown: list[str], faults: int) -> None:
    trace = requests_trace(text)
    assert names(trace) == shown
    assert trace.instance.total_pages == len(set(shown))
    assert simulate("lru", trace.sequence(2)).faults == faults


@pytest.mark.parametrize("suffix", [".npz", ".jsonl", ".txt", ".csv", ".txt.zst", ".jsonl.gz"])
@pytest.mark.parametrize("text", ["9 5000000000 9 1", "b a b ä"])
@pytest.mark.parametrize("options", [{}, {"per_visit": 2}])
def test_ids_survive_the_formats_that_keep_everything(
    suffix: str, text: str, options: dict[str, Any], tmp_path: Path
) -> None:
    trace = requests_trace(text, **options)
    write_trace(trace, tmp_path / f"t{suffix}")
    again = read_trace(tmp_path / f"t{suffix}")
    assert names(again) == names(trace)
    assert (again.digest, again.per_visit) == (trace.digest, trace.per_visit)


def test_ids_that_are_no_words_need_a_format_for_them(tmp_path: Path) -> None:
    trace = read_trace(file(tmp_path, b"a b;1\nc;2\n"), column=1, delimiter=";")
    with pytest.raises(TraceError, match=r"t\.txt\.gz: the page id 'a b' cannot be written as a word"):
        write_trace(trace, tmp_path / "t.txt.gz")
    write_trace(trace, tmp_path / "t.jsonl")
    assert names(read_trace(tmp_path / "t.jsonl")) == ["a b", "c"]


def test_stated_pages_are_taken_at_their_word() -> None:
    assert names(requests_trace("5 0", pages=6)) == ["0.5", "0.0"]
    with pytest.raises(TraceError, match=r"expert 5000000000 .* is outside layer 0"):
        requests_trace("5000000000 1", pages=6)
    with pytest.raises(TraceError, match="--requests: 'A' is not a page id in"):
        requests_trace("A B", pages=6)
    with pytest.raises(TraceError, match="neither columns nor a format other than words"):
        requests_trace("1 2", column=1)
    for text, wrong in (
        ("1 A", "A"),
        ("1.5 2", "1.5"),
        ("A;B;A", "A;B;A"),
        ("1;2;3", "1;2;3"),
        ("A 2B", "A"),
    ):
        with pytest.raises(TraceError, match=f"'{wrong}' is not a page id"):
            requests_trace(text)
        assert names(requests_trace(text, format="words")) == text.split()


def test_reports_and_pictures_show_the_ids(tmp_path: Path, capsys: Capture) -> None:
    path = str(file(tmp_path, b"1 20000000 1 2 1\n"))
    assert paging_run(["run", "lru", "--trace", path, "-k", "2", "--show", "--no-opt"]) == 0
    assert "20000000   F-x" in capsys.readouterr().out
    assert paging_run(["show", "lru", "--trace", path, "-k", "2", "-o", str(tmp_path / "x.html")]) == 0
    assert paging_run(["trace", "info", path, "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["ids"], info["pages"], info["distinct_pages"]) == ("numbers", 3, 3)


def test_a_form_feed_is_white_space_and_blames_nobody(tmp_path: Path) -> None:
    assert names(read_trace(file(tmp_path, b"3 \f 4\v 5\n"))) == ["3", "4", "5"]


# --- dense layers, padding ---------------------------------------------------------------------------

TOP_1 = [[[0], [1]], [[0], [2]], [[0], [1]], [[0], [2]]]


def saved(folder: Path, experts: Any, kind: str = "i2") -> Path:
    np.save(folder / "t.npy", np.array(experts, dtype=kind))
    return folder / "t.npy"


def test_a_layer_that_asks_for_one_expert_is_remarked_on_and_dropped(tmp_path: Path) -> None:
    path = saved(tmp_path, TOP_1, "u1")
    trace = read_trace(path)
    assert (trace.requests, simulate("lru", trace.sequence(2)).faults) == (8, 5)
    assert trace.remarks[0].startswith("layer 0 asks for expert 0 every time (dense?)")
    for layers in ("dense", (0,)):
        kept = read_trace(path, drop_layers=layers)
        assert kept.experts.tolist() == [[[1]], [[2]], [[1]], [[2]]]
        assert simulate("lru", kept.sequence(2)).faults == 2
        assert "layer 0 is left out; the others are numbered anew" in kept.remarks
    assert read_trace(path, drop_layers="dense", layers=2, pages=(1, 3)).pages == 3
    assert "none was left out" in read_trace(saved(tmp_path, [[[0]], [[1]]]), drop_layers="dense").remarks[-1]
    path = saved(tmp_path, TOP_1, "u1")
    with pytest.raises(TraceError, match="there is no layer 2 to drop"):
        read_trace(path, drop_layers=(2,))
    with pytest.raises(TraceError, match="no layer is left after dropping all 2"):
        read_trace(path, drop_layers=(0, 1))


def test_captures_of_zeros_are_called_so(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="every layer holds nothing but zeros: a capture that failed"):
        read_trace(saved(tmp_path, np.zeros((3, 2, 2))))
    with pytest.raises(TraceError, match=r"no layer is left .* a capture that failed"):
        read_trace(saved(tmp_path, np.zeros((3, 2, 2))), drop_layers="dense")
    path = saved(tmp_path, [[[0, 0], [1, 2]], [[0, 0], [2, 0]]])
    with pytest.raises(
        TraceError, match="layer 0 holds nothing but zeros: dense, or not captured; --drop-layers"
    ):
        read_trace(path)
    assert read_trace(path, drop_layers="dense").experts.tolist() == [[[1, 2]], [[2, 0]]]
    assert read_trace(saved(tmp_path, np.zeros((3, 2, 1)))).remarks == (
        "every layer asks for expert 0 every time: a capture that failed?",
    )


def test_padding_is_no_request(tmp_path: Path) -> None:
    padded = [[[0, 1], [1, 2]], [[2, 0], [0, 1]], [[-1, -1], [-1, -1]]]
    trace = read_trace(saved(tmp_path, padded))
    assert trace.remarks == ("1 of 3 tokens hold nothing but −1 and are left out",)
    assert (trace.tokens, trace.requests, trace.places) == (2, 8, None)
    short = read_trace(saved(tmp_path, [[[0, 1], [1, -1]], [[2, -1], [0, 1]]]))
    assert names(short) == ["0.0", "0.1", "1.1", "0.2", "1.0", "1.1"]
    assert simulate("lru", short.sequence(2)).faults == 6
    assert short.experts.tolist() == [[[0, 1], [1, -1]], [[2, -1], [0, 1]]]
    late = Trace.from_experts([[[0, 1], [-1, 1]], [[-1, 2], [0, 1]]])
    assert (late.digest, late.page_ids.tolist()) == (short.digest, short.page_ids.tolist())


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".jsonl", ".oracleGeneral"])
def test_short_visits_in_files(suffix: str, tmp_path: Path) -> None:
    short = Trace.from_experts([[[0, 1], [1, -1]], [[2, -1], [0, 1]]], seq_id=[4, 5])
    write_trace(short, tmp_path / f"t{suffix}")
    again = read_trace(tmp_path / f"t{suffix}")
    assert len(again.page_ids) == 6
    assert suffix == ".oracleGeneral" or (again.digest, again.experts.tolist()) == (
        short.digest,
        short.experts.tolist(),
    )
    with pytest.raises(TraceError, match="text holds full visits only"):
        write_trace(short, tmp_path / "t.txt")


def test_padding_in_archives_keeps_the_columns_of_the_tokens_that_are_left(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", experts=[[[0]], [[-1]], [[1]]], seq_id=[7, 8, 9])
    for counted in (2, 3):
        (tmp_path / "t.json").write_text(json.dumps({"tokens": counted}))
        trace = read_trace(tmp_path / "t.npz")
        assert trace.seq_id is not None
        assert trace.seq_id.tolist() == [7, 9]
    (tmp_path / "t.json").write_text('{"tokens": 4}')
    with pytest.raises(TraceError, match="tokens is 2 in the data, but 4 stated"):
        read_trace(tmp_path / "t.npz")


# --- what was read too kindly ------------------------------------------------------------------------


def test_a_one_dimensional_array_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"must have shape \(tokens, layers, top_k\).* got \(5,\)"):
        read_trace(saved(tmp_path, [0, 1, 2, 1, 0]))


def test_an_archive_with_two_members_of_one_name_is_refused(tmp_path: Path) -> None:
    import zipfile

    stream = io.BytesIO()
    np.save(stream, np.array([[[0]], [[1]]]))
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("experts.npy", stream.getvalue())
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("experts.npy", stream.getvalue())
    with pytest.raises(TraceError, match=r"the archive holds 'experts.npy' twice"):
        read_trace(tmp_path / "t.npz")


def test_a_sidecar_with_a_repeated_key_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", experts=[[[0]], [[1]]])
    (tmp_path / "t.json").write_text('{"tokens": 9, "tokens": 2}')
    with pytest.raises(TraceError, match="the key 'tokens' comes twice"):
        read_trace(tmp_path / "t.npz")


def test_every_format_has_a_name_and_a_title() -> None:
    manual = Path(__file__).parents[2] / "docs" / "traces.md"
    text = manual.read_text(encoding="utf-8")
    for name, title in trace_formats().items():
        assert title
        assert f"`{name}`" in text or f"`.{name}`" in text, name


# --- names that steer --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["\x1b]0;x\x07", "a\nb", "a\u202eb", "\ud800", "\x9b31m", "a\u2028b"])
def test_a_name_steers_no_terminal(name: str, tmp_path: Path, capsys: Capture) -> None:
    header = json.dumps({"layered_paging": 1, "name": f"x{name}", "pages": 3})
    path = file(tmp_path, f'{header}\n{{"experts":[[0],[1]]}}\n'.encode(), "t.jsonl")
    trace = read_trace(path)
    odd = sum(letter not in "ab]0;x31m" for letter in name)
    assert trace.name.count("�") == odd > 0
    assert trace.name.isprintable()
    assert f"{odd} of the characters of its name cannot be shown" in trace.remarks
    assert paging_run(["trace", "info", str(path)]) == 0
    assert set(name) & set(capsys.readouterr().out) <= set("ab]0;x31m\n")


def test_a_name_with_letters_of_every_script_is_kept(tmp_path: Path) -> None:
    name = "مدل\u200cها é 模型 👩\u200d🔬"
    header = json.dumps({"layered_paging": 1, "name": name, "pages": 3})
    trace = read_trace(file(tmp_path, f'{header}\n{{"experts":[[0],[1]]}}\n'.encode(), "t.jsonl"))
    assert (trace.name, any("shown" in remark for remark in trace.remarks)) == (name, False)


def test_page_ids_that_steer_are_refused(tmp_path: Path) -> None:
    path = file(tmp_path, b"50,/a,512\n51,/\x1b[31m,512\n")
    with pytest.raises(TraceError, match=r"page '/\\x1b\[31m' has a character that cannot be shown"):
        read_trace(path, column=2)


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names that are bytes")
def test_the_name_of_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = file(tmp_path, b"0 1 2 0\n", "a\udcffb.txt")
    assert read_trace(path).name == "a�b"
    assert paging_run(["show", "lru", "--trace", str(path), "-k", "2", "-o", str(tmp_path / "p.html")]) == 0
    command = ["diagnose", str(path), "-k", "2", "-o", str(tmp_path / "d.html"), "--json"]
    assert paging_run(command) == 0
