"""Damaged files of every format: a TraceError, or exactly the requests that a simple second parser finds."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from paging import TraceError
from paging.traces import Trace, read_trace, write_trace

ALPHABET = b'0123456789,;\t\n #*"-.{}[]:x\0\xff='
PIECES = [
    b"-1",
    b"99999999999999999999",
    b"\n",
    b"1_0",
    b"#",
    b",",
    b'"',
    b"nan",
    b"\r\n",
    b"4294967296",
    b"[0]",
    b"*",
]


def text_rows(content: bytes) -> list[str]:
    """Lines without byte order mark, blank lines and comments."""
    lines = content.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    return [line.rstrip("\r") for line in lines if line.strip() and not line.lstrip().startswith("#")]


def cells(content: bytes, delimiter: str | None) -> list[list[str]]:
    rows = text_rows(content)
    if delimiter is None:
        return [row.split() for row in rows]
    return [
        [cell.strip() for cell in row] for row in csv.reader(rows, delimiter=delimiter, skipinitialspace=True)
    ]


def listed(content: bytes, trace: Trace) -> list[str]:
    text = "\n".join(
        line.partition("#")[0] for line in content.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    )
    rows = [row for row in text.split("\n") if row.strip() != "*"]
    return [word if word == "*" else str(int(word)) for word in " ".join(rows).replace(",", " ").split()]


def worded(content: bytes, trace: Trace) -> list[str]:
    text = "\n".join(
        line.partition("#")[0] for line in content.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    )
    return " ".join(row for row in text.split("\n") if row.strip() != "*").replace(",", " ").split()


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def without_header(rows: list[list[str]]) -> list[list[str]]:
    return rows if any(map(is_number, rows[0])) else rows[1:]


def column(content: bytes, trace: Trace) -> list[str]:
    rows = cells(content, next((mark for mark in ",;\t" if mark in text_rows(content)[0]), None))
    named = any("taken for the names" in text for text in trace.remarks)
    return [row[1] for row in rows[named:]]


def arc(content: bytes, trace: Trace) -> list[str]:
    rows = without_header(cells(content, None))
    return [str(int(row[0]) + block) for row in rows for block in range(int(row[1]))]


def joined(*places: int) -> Callable[[bytes, Trace], list[str]]:
    def expected(content: bytes, trace: Trace) -> list[str]:
        return [":".join(row[place] for place in places) for row in without_header(cells(content, ","))]

    return expected


def layer_expert(content: bytes, trace: Trace) -> list[str]:
    rows = without_header(cells(content, ","))
    layers = sorted({int(row[0]) for row in rows})
    return [f"{layers.index(int(row[0]))}.{int(row[1])}" for row in rows]


def llama_cpp(content: bytes, trace: Trace) -> list[str]:
    rows = without_header(cells(content, ","))
    assert len(rows) % (2 * trace.layers) == 0
    return [f"{place // 2 % trace.layers}.{int(row[1])}" for place, row in enumerate(rows)]


def route_trace(content: bytes, trace: Trace) -> list[str]:
    names, *rows = cells(content, ",")
    layer, expert = names.index("layer"), names.index("expert")
    layers = sorted({int(row[layer]) for row in rows})
    key = [names.index(name) for name in ("turn", "phase", "step")]
    tokens = list(dict.fromkeys(tuple(int(row[place]) for place in key) for row in rows))
    ordered = sorted(rows, key=lambda row: (tokens.index(tuple(int(row[p]) for p in key)), int(row[layer])))
    return [f"{layers.index(int(row[layer]))}.{int(row[expert])}" for row in ordered]


def visits(content: bytes, trace: Trace) -> list[str]:
    records = [
        json.loads(line) for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()
    ]
    layers = sorted({record["layer"] for record in records})
    tokens = list(dict.fromkeys(record["token"] for record in records))
    ordered = sorted(records, key=lambda one: (tokens.index(one["token"]), one["layer"]))
    return [f"{layers.index(one['layer'])}.{expert}" for one in ordered for expert in one["experts"]]


def answer(content: bytes, trace: Trace) -> list[str]:
    record = json.loads(content)
    (choice,) = record.get("choices", [record])
    tokens = [*(record.get("prompt_routed_experts") or []), *choice["routed_experts"]]
    return [f"{j}.{e}" for token in tokens for j, visit in enumerate(token) for e in visit if e >= 0]


def packed(form: str, place: int) -> Callable[[bytes, Trace], list[str]]:
    return lambda content, trace: [str(row[place]) for row in struct.iter_unpack(form, content)]


def jsonl(content: bytes, trace: Trace) -> list[str]:
    records = [
        json.loads(line) for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()
    ]
    tokens = [record["experts"] for record in records[1 if "layered_paging" in records[0] else 0 :]]
    return [f"{j}.{e}" for token in tokens for j, visit in enumerate(token) for e in visit if e >= 0]


def array(content: bytes, trace: Trace) -> list[str]:
    experts = np.load(io.BytesIO(content))
    experts = experts[:, :, None] if experts.ndim == 2 else experts
    return [
        f"{j}.{e}" for token in experts.tolist() for j, visit in enumerate(token) for e in visit if e >= 0
    ]


def same(content: bytes, trace: Trace) -> list[str] | None:
    """What has a checksum is damaged or as it was."""
    return None


@dataclass(frozen=True)
class Case:
    """A sound file, how it is read, and what it holds by a second reading."""

    suffix: str
    content: bytes
    expected: Callable[[bytes, Trace], list[str] | None]
    options: dict[str, Any] = field(default_factory=dict)


def written(suffix: str, trace: Trace, folder: Path) -> bytes:
    write_trace(trace, folder / f"w{suffix}")
    return (folder / f"w{suffix}").read_bytes()


CAPTURE = Trace.from_experts([[[0, 2], [1, 0]], [[1, 2], [0, 3]], [[2, 0], [3, 1]]], (3, 4))
LIST = b"5 1 5 9 1 5000000000 5 9\n"
TABLE = b"50,4,512\n51,5,512\n52,4,512\n53,6,512\n54,x4,512\n"


def cases(folder: Path) -> dict[str, Case]:
    """One case for every format and packing."""
    vscsi = b"".join(struct.pack("<IIIHHQQ", t, 512, 0, 42, 256, 900 + t % 3, t) for t in range(6))
    oracle = b"".join(struct.pack("<IQIq", t, 7 + t % 3, 1, -1) for t in range(6))
    return {
        "txt": Case(".txt", LIST, listed),
        "csv": Case(".csv", LIST.replace(b" ", b"\n"), listed),
        "rounds": Case(".txt", b"0 3\n2 4\n1 3\n", listed, {"layers": 2, "pages": 3}),
        "lirs": Case(".trc", b"0\n1\n*\n0\n2\n", listed, {"format": "lirs"}),
        "words": Case(".txt", b"a b a c b\n", worded, {"format": "words"}),
        "column": Case(".csv", TABLE, column, {"column": 2}),
        "spaces": Case(".txt", TABLE.replace(b",", b" "), column, {"column": 2}),
        "arc": Case(".lis", b"4 1 0 0\n5 2 0 1\n4 1 0 2\n", arc, {"format": "arc"}),
        "spc": Case(".spc", b"0,8,512,R,0.5\n1,8,512,W,0.6\n", joined(0, 1), {"format": "spc"}),
        "msr": Case(
            ".csv", b"1,usr,0,Read,70,4,1\n2,usr,1,Read,80,4,1\n", joined(1, 2, 4), {"format": "msr"}
        ),
        "twitter": Case(".csv", b"0,a:b,1,2,4,get,0\n1,c,1,2,4,get,0\n", joined(1), {"format": "twitter"}),
        "cloudphysics": Case(
            ".csv", b"1,33,2a,512,900\n1,33,2a,512,901\n", joined(4), {"format": "cloudphysics"}
        ),
        "layer-expert": Case(".csv", b"0,2\n1,0\n0,2\n1,1\n", layer_expert, {"format": "layer-expert"}),
        "llama.cpp": Case(
            ".csv",
            b"0,2\n0,1\n1,0\n1,3\n0,2\n0,3\n1,1\n1,0\n",
            llama_cpp,
            {"format": "llama.cpp", "per_visit": 2},
        ),
        "route_trace": Case(
            ".csv",
            b"# route_trace v1\n# n_expert=4 n_expert_used=1\nturn,phase,step,layer,slot,expert\n"
            b"0,0,0,0,0,2\n0,0,0,2,0,1\n0,1,0,0,0,3\n0,1,0,2,0,3\n",
            route_trace,
            {"format": "route_trace"},
        ),
        "visits": Case(
            ".jsonl",
            b'{"token": 0, "layer": 0, "experts": [1, 2]}\n{"token": 1, "layer": 0, "experts": [0, 2]}\n'
            b'{"token": 0, "layer": 1, "experts": [3, 2]}\n{"token": 1, "layer": 1, "experts": [0, 1]}\n',
            visits,
            {"format": "visits"},
        ),
        "answer": Case(
            ".json",
            b'{"prompt_routed_experts": [[[0, 1]], [[-1, -1]]], "choices": [{"routed_experts": [[[2, 1]]]}]}',
            answer,
        ),
        "vscsi": Case(".vscsi", vscsi, packed("<IIIHHQQ", 5), {"ignore_sizes": True}),
        "oracle": Case(".oracleGeneral", oracle, packed("<IQIq", 1), {"ignore_sizes": True}),
        "jsonl": Case(".jsonl", written(".jsonl", CAPTURE, folder), jsonl),
        "npy": Case(".npy", written(".npy", CAPTURE, folder), array),
        "npz": Case(".npz", written(".npz", CAPTURE, folder), same),
        "gz": Case(".txt.gz", gzip.compress(LIST), same),
        "zst": Case(".txt.zst", zstandard.ZstdCompressor(write_checksum=True).compress(LIST), same),
    }


def mutants(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    for kind in rng.integers(0, 5, count).tolist():
        place, other = (int(number) for number in rng.integers(0, len(content), 2))
        if kind == 0:
            yield content[:place] + bytes([ALPHABET[other % len(ALPHABET)]]) + content[place + 1 :]
        elif kind == 1:
            yield content[:place] + content[place + 1 + other % 4 :]
        elif kind == 2:
            yield content[:place] + PIECES[other % len(PIECES)] + content[place:]
        elif kind == 3:
            yield content[:place] + bytes([content[place] ^ 1 << other % 8]) + content[place + 1 :]
        else:
            low, high = sorted((place, other))
            yield content[:high] + content[low:high][:9] + content[high:]


class Disk:
    """Files that are read as if they stood in a folder: writing them would cost more than reading them."""

    def __init__(self, case: Case, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.case, self.path, self.content = case, path, case.content
        patch.setattr("paging.traces.files.opened", lambda name: nullcontext(self.stream()))
        self.digest = self.read(case.content).digest

    def stream(self) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self.content))

    def read(self, content: bytes) -> Trace:
        self.content = content
        return read_trace(self.path, **self.case.options)

    def accepts(self, content: bytes) -> bool:
        """Read one mutant; whether it was accepted."""
        try:
            trace = self.read(content)
        except TraceError as problem:
            text = str(problem)
            assert text.startswith(f"{self.path}: "), text
            assert "\n" not in text, text
            return False
        expected = self.case.expected(content, trace)
        if expected is None:
            assert trace.digest == self.digest, content
        elif trace.ids is not None:
            assert [str(trace.ids[page]) for page in trace.page_ids.tolist()] == expected, content
        elif self.case.expected is listed:
            assert trace.page_ids.tolist() == list(map(int, expected)), content
        else:
            name = trace.instance.page_name
            assert list(map(name, trace.page_ids.tolist())) == expected, content
        return True


def fuzz(name: str, count: int, folder: Path) -> int:
    case = cases(folder)[name]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        disk = Disk(case, folder / f"t{case.suffix}", patch)
        assert disk.accepts(case.content)
        return sum(map(disk.accepts, mutants(case.content, count, 1)))


NAMES = [
    *("txt", "csv", "rounds", "lirs", "words", "column", "spaces", "arc", "spc", "msr", "twitter"),
    *(
        "cloudphysics",
        "layer-expert",
        "llama.cpp",
        "route_trace",
        "visits",
        "answer",
        "vscsi",
        "oracle",
        "jsonl",
        "npy",
        "npz",
        "gz",
        "zst",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_some_damage(name: str, tmp_path: Path) -> None:
    assert list(cases(tmp_path)) == NAMES
    fuzz(name, 60, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_much_damage(name: str, tmp_path: Path) -> None:
    assert fuzz(name, 100_000 // len(NAMES), tmp_path) < 100_000 // len(NAMES)


TABLES = {
    "objects": TABLE.replace(b"x", b"") * 3,
    "arc": b"4 1 0 0\n5 2 0 1\n4 1 0 2\n9 1 0 3\n" * 3,
    "layer, expert": b"0,2\n1,0\n0,2\n1,1\n" * 3,
    "spc": b"0,8,512,0,5\n1,8,512,0,6\n1,9,512,0,7\n" * 3,
}


@pytest.mark.parametrize("name", TABLES)
def test_no_damaged_table_is_read_as_a_list(name: str, tmp_path: Path) -> None:
    for content in mutants(TABLES[name], 100, 2):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(TraceError):
            read_trace(tmp_path / "t.csv")
