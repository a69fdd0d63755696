"""Trace files: round trips, damage, messages, memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from paging.errors import ModelError, TraceError
from paging.model import LayeredInstance, RequestSequence
from paging.traces import Trace, read_trace, trace_info, trace_suffixes, write_trace
from paging.traces.streaming import stream_trace
from tests.helpers.memory import PEAK

SUFFIXES = [suffix + packed for suffix in trace_suffixes() for packed in ("", ".gz")]
REAL = Path(__file__).resolve().parents[3] / "shared" / "traces"
REAL_NAMES = [
    "gpt-oss-20b_mixed",
    "granite-3.0-1b-a400m",
    "mixtral-8x7b-instruct-fp8",
    "switch-base-8_encoder",
]


def real_trace(name: str) -> Path:
    path = REAL / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"the recorded trace {path} is not here")
    return path


def small_trace() -> Trace:
    rng = np.random.default_rng(5)
    experts = np.stack([np.stack([rng.permutation(n)[:2] for n in (3, 4, 5)]) for _ in range(7)])
    return Trace.from_experts(
        experts,
        (3, 4, 5),
        seq_id=[0, 0, 0, 1, 1, 2, 2],
        decode=[False, True, True] * 2 + [True],
        name="small",
        metadata={"model": "none", "nested": {"ℓ": [1, 2.5, None]}},
    )


@st.composite
def traces(draw: st.DrawFn, whole: bool = False) -> Trace:
    layers = draw(st.integers(1, 4))
    pages = draw(st.lists(st.integers(1, 6), min_size=layers, max_size=layers))
    group = draw(st.integers(1, min(pages)))
    tokens = draw(st.integers(1, 6))
    ids, first = [], np.cumsum([0, *pages])
    for _ in range(tokens):
        for layer, n in enumerate(pages):
            ids += [int(first[layer]) + i for i in draw(st.permutations(range(n)))[:group]]
    cut = 0 if whole else draw(st.integers(0, len(ids) - 1))
    tokens = -(-(len(ids) - cut) // (layers * group))
    column = {
        "seq_id": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=tokens, max_size=tokens),
        "decode": st.lists(st.booleans(), min_size=tokens, max_size=tokens),
    }
    extra: dict[str, Any] = {key: draw(st.none() | values) for key, values in column.items()}
    return Trace(np.array(ids[: len(ids) - cut]), layers, tuple(pages), group, **extra)


def is_legal(ids: list[int], layers: int, pages: tuple[int, ...], group: int) -> bool:
    """Say by the definition whether a list of page ids is a legal request sequence."""
    first = [sum(pages[:layer]) for layer in range(layers + 1)]
    for t, page in enumerate(ids):
        layer = t // group % layers
        if not first[layer] <= page < first[layer + 1] or page in ids[t - t % group : t]:
            return False
    return True


# --- the object --------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 3, 4, 1 << 18])
@given(ids=st.lists(st.integers(-1, 8), min_size=1, max_size=14), shape=st.integers(0, 3))
@example(ids=[0, 1, 0, 1], shape=1)
@example(ids=[0, 1, 3, 2, 4, 4], shape=2)
def test_legality_is_that_of_the_definition(block: int, ids: list[int], shape: int) -> None:
    layers, pages, group = [(1, (8,), 1), (1, (3,), 2), (2, (3, 5), 2), (2, (4, 4), 3)][shape]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paging.traces.trace.BLOCK", block)
        try:
            trace = Trace(np.array(ids), layers, pages, group)
        except TraceError:
            assert not is_legal(ids, layers, pages, group)
        else:
            assert is_legal(ids, layers, pages, group)
            assert trace.page_ids.tolist() == ids


@pytest.mark.parametrize("block", [2, 5, 1 << 18])
@given(trace=traces(whole=True))
def test_digest_is_the_documented_hash(block: int, trace: Trace) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paging.traces.trace.BLOCK", block)
        fresh = Trace.from_experts(trace.experts, trace.pages)
        text = f"layered-paging layers={trace.layers} per_visit={trace.per_visit}\n".encode()
        numbers = [e for token in trace.experts.tolist() for visit in token for e in visit]
        assert fresh.digest == hashlib.sha256(text + struct.pack(f"<{len(numbers)}i", *numbers)).hexdigest()


def test_digest_ignores_unused_experts_but_not_the_shape() -> None:
    experts = np.array([[[0, 1]], [[1, 0]]])
    assert Trace.from_experts(experts, 2).digest == Trace.from_experts(experts, 9).digest
    assert Trace.from_experts(experts).digest != Trace.from_experts(experts.reshape(2, 2, 1)).digest


def test_a_trace_keeps_nothing_of_the_callers_arrays() -> None:
    ids = np.zeros(3, dtype=np.int32)
    trace = Trace(ids, 1, 2)
    ids[0] = 1
    assert trace.page_ids.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        trace.page_ids[0] = 1


def test_sequence_and_back() -> None:
    trace = small_trace()
    sequence = trace.sequence(4, visits="atomic", bypassing=True)
    assert sequence.instance == LayeredInstance(3, (3, 4, 5), 4, 2, "atomic", True)
    assert sequence.requests.tolist() == trace.page_ids.tolist()
    assert Trace.from_sequence(sequence).digest == trace.digest
    with pytest.raises(ModelError, match="atomic"):
        trace.sequence(1, visits="atomic")


def test_experts_are_indices_inside_the_layers() -> None:
    instance = LayeredInstance(2, (2, 3), 4)
    trace = Trace.from_sequence(RequestSequence(instance, [1, 4, 0, 2]))
    assert trace.experts.tolist() == [[[1], [2]], [[0], [0]]]
    assert trace.experts.dtype == np.int32


def test_an_incomplete_round_has_no_experts_array() -> None:
    trace = Trace([0, 2, 1], 2, 2)  # type: ignore[arg-type]
    assert (trace.requests, trace.tokens, trace.whole_rounds) == (3, 2, False)
    with pytest.raises(TraceError, match="3 requests are not whole rounds of 2 layers × 1"):
        _ = trace.experts


@pytest.mark.parametrize(
    ("experts", "options", "message"),
    [
        (np.zeros((2, 2)), {}, "experts must be integers, got dtype float64"),
        (np.array([[[0.5]]]), {}, "got dtype float64"),
        (np.array([[[True]]]), {}, "got dtype bool"),
        (np.array([[[None]]]), {}, "object array"),
        (np.zeros(3, int), {}, r"must have shape \(tokens, layers, top_k\)"),
        (np.zeros((0, 2, 1), int), {}, "none of them 0"),
        ([[[0], [-2]]], {}, "request 1 .token 0, layer 1, slot 0.: expert -2 is outside"),
        ([[[-1, -1]]], {}, "all 1 tokens hold nothing but −1"),
        ([[[0], [0]], [[3], [0]]], {"pages": 3}, r"token 1, layer 0, slot 0\): expert 3 .* 0 … 2"),
        ([[[0], [1]], [[0], [3]]], {"pages": (1, 3)}, r"token 1, layer 1, slot 0\): expert 3 .*0 … 2"),
        ([[[0, 1], [2, 2]]], {}, r"request 3 \(token 0, layer 1, slot 1\): expert 2 .* comes twice"),
        ([[[1, 1]]], {}, "comes twice"),
        ([[[0, 0]]], {}, "every layer holds nothing but zeros: a capture that failed"),
        ([[[2**40]]], {}, rf"expert {2**40} is outside 0 … 2147483646"),
        (np.array([[[2**64 - 1]]], np.uint64), {}, "18446744073709551615 is outside"),
        (np.array([[[-(2**63)]]]), {"pages": 5}, "-9223372036854775808 is outside"),
        ([[[2**31 - 2], [2**31 - 2]]], {}, "fit int32"),
        ([[[0], [2**31 - 2]]], {"pages": 5}, r"expert 2147483646 \(page 2147483651\) is outside layer 1"),
        ([[[0], [0]]], {"pages": (1, 1, 1)}, "pages lists 3 layers, but layers"),
        ([[[0]]], {"pages": 0}, "pages .n. must be an integer in 1"),
        ([[[0]]], {"seq_id": [0, 1]}, "seq_id must hold integers, one for each of the 1 tokens"),
        ([[[0]]], {"seq_id": [0.0]}, "got dtype float64"),
        ([[[0]]], {"seq_id": np.array([2**64 - 1], np.uint64)}, "does not fit int64"),
        ([[[0]]], {"decode": [1]}, "decode must hold booleans"),
    ],
)
def test_experts_that_are_refused(experts: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        Trace.from_experts(experts, **options)


@pytest.mark.parametrize("ids", [[], [[0]], [0.0]])
def test_page_ids_that_are_refused(ids: list[Any]) -> None:
    with pytest.raises(TraceError):
        Trace(np.array(ids), 1, 3)


def test_claimed_rounds_beyond_all_reason_cost_no_memory() -> None:
    with pytest.raises(TraceError, match="longer than 16777216 requests"):
        Trace(np.array([0]), 2_000_000_000, 1)


# --- numbers -----------------------------------------------------------------------------------------


def test_info_of_a_trace_counted_by_hand() -> None:
    # Layer 0: visits {0,1} {1,0} | {0,2} {2,1}; layer 1: {0,1} {2,3} | {0,1} {0,1}; "|" parts two sequences.
    experts = [[[0, 1], [0, 1]], [[1, 0], [2, 3]], [[0, 2], [0, 1]], [[2, 1], [0, 1]]]
    info = trace_info(
        Trace.from_experts(experts, (3, 5), seq_id=[7, 7, 9, 9], decode=[False, True, True, True])
    )
    assert info["repeat_rate"] == {"mean": 0.625, "min": 0.5, "max": 0.75}
    # Layer 0 requests its pages 3, 3, 2 times, layer 1 its pages 3, 3, 1, 1, 0 times.
    entropy_0 = 3 - 0.75 * np.log2(3) - 0.25
    entropy_1 = 3 - 0.75 * np.log2(3)
    assert info["entropy_bits"]["min"] == pytest.approx(entropy_0)
    assert info["entropy_bits"]["max"] == pytest.approx(entropy_1)
    assert (info["requests"], info["distinct_pages"], info["total_pages"]) == (16, 7, 8)
    assert (info["sequences"], info["decode_tokens"], info["top_k"]) == (2, 3, 2)
    json.dumps(info)  # plain numbers only


@pytest.mark.parametrize("block", [1, 30, 1 << 18])
def test_repeat_rate_does_not_depend_on_the_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = small_trace()
    expected = trace_info(trace)["repeat_rate"]
    monkeypatch.setattr("paging.traces.trace.BLOCK", block)
    assert trace_info(trace)["repeat_rate"] == expected


def test_repeat_rate_needs_two_visits() -> None:
    assert trace_info(Trace.from_experts([[[0], [1]]]))["repeat_rate"] is None
    assert trace_info(Trace.from_experts([[[0]], [[0]]], seq_id=[0, 1]))["repeat_rate"] is None


def test_info_of_enormous_page_ids_stays_small() -> None:
    info = trace_info(Trace(np.array([0, 2**31 - 2]), 1, 2**31 - 1))
    assert info["distinct_pages"] == 2
    assert info["entropy_bits"]["mean"] == 1.0


# --- round trips -------------------------------------------------------------------------------------


def assert_same(read: Trace, written: Trace, suffix: str) -> None:
    assert read.digest == written.digest
    kind = suffix.removesuffix(".gz")
    if kind != ".npy":
        assert read.pages == written.pages
        assert read.page_ids.tolist() == written.page_ids.tolist()
    if kind in (".npz", ".jsonl"):
        assert (read.name, read.metadata) == (written.name, written.metadata)
        for column in ("seq_id", "decode"):
            np.testing.assert_array_equal(getattr(read, column), getattr(written, column))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(trace=traces(whole=True))
def test_whole_rounds_survive_every_format(suffix: str, trace: Trace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trace{suffix}"
        write_trace(trace, path)
        assert_same(read_trace(path), trace, suffix)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None, max_examples=40)
@given(trace=traces())
def test_incomplete_rounds_survive_or_are_refused(suffix: str, trace: Trace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trace{suffix}"
        if trace.whole_rounds or suffix.startswith((".txt", ".csv")):
            write_trace(trace, path)
            assert read_trace(path).digest == trace.digest
        else:
            with pytest.raises(TraceError, match="not whole rounds"):
                write_trace(trace, path)
            assert list(Path(folder).iterdir()) == []


def test_all_formats_in_a_chain_keep_the_digest(tmp_path: Path) -> None:
    trace = small_trace()
    current = trace
    for suffix in [*SUFFIXES, *reversed(SUFFIXES)]:
        path = tmp_path / f"trace{suffix}"
        pages = trace.pages if suffix.startswith(".npy") else None
        write_trace(current, path)
        current = read_trace(path, pages=pages)
        assert (current.digest, current.pages) == (trace.digest, trace.pages)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_traces_give_equal_files(suffix: str, tmp_path: Path) -> None:
    files = [tmp_path / "a" / f"t{suffix}", tmp_path / "b" / f"t{suffix}"]
    for path in files:
        path.parent.mkdir()
        write_trace(small_trace(), path)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_compressed_files_carry_no_time_and_no_name(tmp_path: Path) -> None:
    write_trace(small_trace(), tmp_path / "t.txt.gz")
    assert (tmp_path / "t.txt.gz").read_bytes()[3:8] == bytes(5)


@pytest.mark.parametrize("largest", [127, 128, 255, 32767, 32768, 65536, 2**31 - 2])
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".jsonl", ".txt"])
def test_large_experts_survive(suffix: str, largest: int, tmp_path: Path) -> None:
    write_trace(Trace.from_experts([[[0]], [[largest]]]), tmp_path / f"t{suffix}")
    assert read_trace(tmp_path / f"t{suffix}").experts.tolist() == [[[0]], [[largest]]]


@pytest.mark.slow
def test_many_blocks_survive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experts = np.random.default_rng(0).integers(0, 300, (40_000, 3, 1))
    trace = Trace.from_experts(experts, 70_000, seq_id=np.arange(40_000))
    for module in ("text", "arrays", "opening"):
        monkeypatch.setattr(f"paging.traces.{module}.CHUNK", 1 << 12)
    for suffix in SUFFIXES:
        write_trace(trace, tmp_path / f"t{suffix}")
        assert read_trace(tmp_path / f"t{suffix}").digest == trace.digest


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 4096])
def test_the_size_of_text_blocks_changes_nothing(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"\xef\xbb\xbf# a 1 comment\n 0 ,1\t,  12\r\n#7\n3# 4 5\n\n10,11,\n2 \n 9,6 # \xc3\xa9 8\n 5"
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    monkeypatch.setattr("paging.traces.text.CHUNK", size)
    trace = read_trace(path, column="all")
    assert trace.ids is not None
    assert [int(trace.ids[page]) for page in trace.page_ids] == [0, 1, 12, 3, 10, 11, 2, 9, 6, 5]
    with pytest.raises(TraceError, match="6 rows hold 10 numbers"):
        read_trace(path)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 4096])
def test_the_size_of_text_blocks_hides_no_error(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    monkeypatch.setattr("paging.traces.text.CHUNK", size)
    for text, message in [
        ("0 1 #x,\n2 , 3 , , 4", "line 2"),
        ("1\n2\n3-4 5", "line 3: '3-4'"),
        ("1\n2\n7 5 x", "line 3"),
    ]:
        path.write_text(text)
        with pytest.raises(TraceError, match=message):
            read_trace(path)
    path.write_text("0 1\n# c\n2 0\n1 2\n 3 3\n1 2")
    with pytest.raises(TraceError, match="line 5: request 7"):
        read_trace(path, pages=4, per_visit=2)


# --- real traces -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL_NAMES)
def test_recorded_traces_match_what_was_noted_when_they_were_recorded(name: str) -> None:
    path = real_trace(name)
    noted = json.loads(path.with_suffix(".json").read_text())
    trace = read_trace(path)
    info = trace_info(trace)
    for ours, theirs in [
        ("tokens", "tokens"),
        ("layers", "layers"),
        ("top_k", "top_k"),
        ("requests", "requests"),
    ]:
        assert info[ours] == noted[theirs]
    assert (info["name"], info["pages"]) == (noted["name"], noted["experts_per_layer"])
    assert (info["sequences"], info["decode_tokens"]) == (noted["sequences"], noted["decode_tokens"])
    sanity = noted.get("sanity")
    if sanity:
        rates, bits = info["repeat_rate"], info["entropy_bits"]
        assert rates["mean"] == pytest.approx(sanity["repeat"], abs=6e-5)
        assert rates["min"] == pytest.approx(sanity["repeat_layer_min"], abs=6e-5)
        assert rates["max"] == pytest.approx(sanity["repeat_layer_max"], abs=6e-5)
        for key in ("mean", "min", "max"):
            assert bits[key] == pytest.approx(sanity[f"entropy_{key}"], abs=6e-5)
    assert len(trace.sequence(10)) == noted["requests"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", REAL_NAMES[1:])
def test_recorded_traces_survive_every_format(name: str, suffix: str, tmp_path: Path) -> None:
    trace = read_trace(real_trace(name))
    write_trace(trace, tmp_path / f"{name}{suffix}")
    assert_same(read_trace(tmp_path / f"{name}{suffix}", pages=trace.pages), trace, suffix)


def test_a_recorded_trace_with_other_bytes_is_refused(tmp_path: Path) -> None:
    path = real_trace("switch-base-8_encoder")
    experts = np.load(path)["experts"].copy()
    experts[3, 2, 0] = (experts[3, 2, 0] + 1) % 8
    np.savez(tmp_path / "t.npz", experts=experts)
    (tmp_path / "t.json").write_bytes(path.with_suffix(".json").read_bytes())
    with pytest.raises(TraceError, match=r"sidecar t.json: experts_sha256 is '2789.*, but the array's bytes"):
        read_trace(tmp_path / "t.npz")


# --- what each format accepts ------------------------------------------------------------------------


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "u2", "<i4", ">i4", "u4", "<i8", ">i8", "u8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_integer_type(dtype: str, order: Any, tmp_path: Path) -> None:
    experts = np.array(np.arange(12).reshape(2, 3, 2), dtype=dtype, order=order)
    np.save(tmp_path / "t.npy", experts)
    npz(tmp_path / "u.npz", experts=experts)
    for name in ("t.npy", "u.npz"):
        assert read_trace(tmp_path / name).experts.tolist() == np.arange(12).reshape(2, 3, 2).tolist()


def test_a_two_dimensional_array_is_top_1(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array([[0, 4], [1, 2]]))
    trace = read_trace(tmp_path / "t.npy")
    assert (trace.experts.shape, trace.pages) == ((2, 2, 1), 5)


def test_an_archive_without_sidecar_and_with_other_arrays(tmp_path: Path) -> None:
    objects = np.array([{"pickled": 1}], dtype=object)
    path = npz(tmp_path / "t.npz", experts=[[[0]], [[2]]], weights=np.zeros((2, 1, 1)), other=objects)
    trace = read_trace(path)
    assert (trace.pages, trace.name, trace.seq_id) == (3, "t", None)
    assert read_trace(path, pages=7).pages == 7


def test_a_sidecar_gives_what_the_array_lacks(tmp_path: Path) -> None:
    path = npz(tmp_path / "t.npz", experts=[[[0], [0]], [[2], [1]]])
    (tmp_path / "t.json").write_text('{"experts_per_layer": [3, 8], "name": "given", "source": {"a": 1}}')
    trace = read_trace(path)
    assert (trace.pages, trace.name, trace.metadata) == ((3, 8), "given", {"source": {"a": 1}})


def test_gzip_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    for suffix in trace_suffixes():
        write_trace(small_trace(), tmp_path / f"t{suffix}.gz")
        (tmp_path / f"t{suffix}.gz").rename(tmp_path / f"t{suffix}")
        assert read_trace(tmp_path / f"t{suffix}", pages=(3, 4, 5)).digest == small_trace().digest


def test_records_with_other_keys_blank_lines_and_no_header(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        '\ufeff{"experts": [[0, 2], [1, 0]], "text": "é"}\n\n{"x": 1, "experts": [[2, 1], [0, 1]]}', "utf-8"
    )
    trace = read_trace(path)
    assert trace.experts.tolist() == [[[0, 2], [1, 0]], [[2, 1], [0, 1]]]
    assert (trace.pages, trace.seq_id, trace.decode) == (3, None, None)


@pytest.mark.parametrize(
    ("text", "options", "shape"),
    [
        ("0 5 2", {}, (1, 3, 1)),
        ("0 5 2", {"pages": 9}, (1, 9, 1)),
        ("0,3,1,4", {"layers": 2, "pages": 3}, (2, 3, 1)),
        ("0,3,1,4", {"pages": (3, 5)}, (2, (3, 5), 1)),
        ("0 1 2 3", {"layers": 2, "pages": (2, 2), "per_visit": 2}, (2, 2, 2)),
        ("# layered-paging layers=2 pages=3 per_visit=1\n0 3 1", {}, (2, 3, 1)),
        ("# hello\n\n#layered-paging layers=3 pages=1/2/3\n0 2 5", {}, (3, (1, 2, 3), 1)),
        (
            "# layered-paging layers=2 pages=3/3\n0 3 1",
            {"layers": 2, "pages": (3, 3), "per_visit": 1},
            (2, 3, 1),
        ),
        ("# layered-paging is not a header here: it has no = sign", {}, None),
        ("0 # layered-paging layers=2 pages=1", {}, (1, 1, 1)),
    ],
)
def test_the_shape_of_page_ids(text: str, options: dict[str, Any], shape: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text)
    if shape is None:
        with pytest.raises(TraceError, match=r"line 1: .*expected key=value"):
            read_trace(path, **options)
    else:
        trace = read_trace(path, **options)
        assert (trace.layers, trace.pages, trace.per_visit) == shape


# --- errors ------------------------------------------------------------------------------------------

RECORDS = '{"experts": [[0], [1]], "seq_id": 0}\n'

BAD_FILES = [
    ("t.txt", b"", "the file is empty"),
    ("t.txt", b"  \n# nothing\n", "there is no page id"),
    ("t.txt", b"0 1\n2 x3 4\n", "line 2: 'x3' is not a page id"),
    ("t.txt", b"0 1.5\n", "line 1: '1.5' is not a page id"),
    ("t.txt", b"0\nnan\n", "line 2: 'nan'"),
    ("t.txt", b"0 1e3\n", "'1e3'"),
    ("t.txt", b"0 1_0\n", "'1_0'"),
    ("t.txt", b"0 +1\n", "'[+]1'"),
    ("t.txt", "0\n1 ٣\n".encode(), "line 2: '٣'"),
    ("t.txt", b"0 -1\n", "line 1: '-1' is not a page id in 0 … 18446744073709551615"),
    ("t.txt", b"0 --1\n", "line 1: '--1' is not a page id in 0 … 18446744073709551615"),
    ("t.txt", b"5 1\n0 18446744073709551616", "line 2: '18446744073709551616' is not a page id in"),
    ("t.txt", b"5 3 \x0c x", "'x' is not a page id"),
    ("t.txt", b"5 3 \x01 4", r"'\\x01' is not a page id"),
    ("t.txt", b"5 99999999999999999999999999", "line 1: '99999"),
    ("t.txt", b"7" * 5000, "line 1: '7777"),
    ("t.txt", b"0 1 \xff\xfe", "line 1: not UTF-8 text"),
    ("t.txt", b"0 1\n# \xff\n", "line 2: not UTF-8 text"),
    ("t.txt", b"\x7fELF\x00\x01", "line 1: '.x7fELF"),
    ("t.csv", b"0,1\n2,,3\n", "line 2: there is nothing before a comma"),
    ("t.csv", b"0,1\n,3\n", "line 2: there is nothing before a comma"),
    ("t.csv", b"page\n1\n", "line 1: 'page' is not a page id"),
    ("t.txt", b"# layered-paging layers=2\n0 1\n", "need the pages of each layer"),
    (
        "t.txt",
        b"# layered-paging layers=2 pages=2\n0 2\n1 1\n",
        r"line 3: request 3 \(token 1, layer 1, slot 0\)",
    ),
    ("t.txt", b"# layered-paging layers=2 pages=2 requests=5\n0 2 1 3\n", "4 in the data, but 5 stated"),
    ("t.txt", b"# layered-paging pages=20 requests=2\n0 1", "does not end with a newline"),
    ("t.txt", b"# layered-paging layers=x pages=2\n0\n", "layers must be an integer ≥ 1, got 'x'"),
    ("t.txt", b"# layered-paging layers=2000000000 pages=1\n0\n", "longer than"),
    ("t.txt", b"# layered-paging layers=2 pages=1/2/3\n0\n", "pages lists 3 layers"),
    ("t.txt", b"# layered-paging k=3\n0\n", "line 1: the header's k is not known, only ids, layers"),
    ("t.txt", b"# layered-paging layers=1_0 pages=2\n0\n", "line 1: 'layers=1_0' must give whole numbers"),
    ("t.txt", "# layered-paging layers=٣ pages=2\n0\n".encode(), "must give whole numbers in the digits"),
    ("t.txt", b"# layered-paging ids=letters\n0\n", "ids must be numbers or words, got 'letters'"),
    ("t.jsonl", b'{"experts": [[0]], "experts": [[1]]}', "line 1: .*the key 'experts' comes twice"),
    (
        "t.jsonl",
        b'{"layered_paging": 1, "ids": [1, 1]}\n{"experts": [[0]]}',
        "ids must be a list of different",
    ),
    (
        "t.jsonl",
        b'{"layered_paging": 1, "ids": [1]}\n{"experts": [[1]]}',
        "names 1 pages, but asks for 1 … 1",
    ),
    ("t.jsonl", b"", "the file is empty"),
    ("t.jsonl", b"\n\n", "there is no record"),
    ("t.jsonl", b'{"layered_paging": 1}\n', "there is no record"),
    ("t.jsonl", b'{"layered_paging": 2}\n', "line 1: version 2 of the header is not known"),
    ("t.jsonl", b'{"layered_paging": true}\n', "version True"),
    ("t.jsonl", b'{"layered_paging": 1, "metadata": []}\n', "metadata must be a JSON object"),
    ("t.jsonl", b'{"layered_paging": 1, "name": 5}\n{"experts": [[0]]}', "name must be text"),
    (
        "t.jsonl",
        b'{"layered_paging": 1, "tokens": 2}\n{"experts": [[0]]}',
        "tokens is 1 .* but 2 stated.*truncated",
    ),
    ("t.jsonl", b'{"layered_paging": 1, "layers": 2}\n{"experts": [[0]]}', "layers is 1 in the data, but 2"),
    ("t.jsonl", b'{"layered_paging": 1, "per_visit": 2}\n{"experts": [[0]]}', "per_visit is 1 .*but 2"),
    ("t.jsonl", b'{"layered_paging": 1, "pages": 2}\n{"experts": [[2]]}', "line 2: request 0 .*expert 2"),
    ("t.jsonl", b'{"layered_paging": 1, "pages": 2.0}\n{"experts": [[0]]}', "pages must be an integer"),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0], [',
        "line 2: not JSON at .*the file ends in this line",
    ),
    ("t.jsonl", b"[1, 2]\n", "line 1: a JSON object is wanted, got list"),
    ("t.jsonl", b"{}\n", 'line 1: "experts" must be a list of layers'),
    ("t.jsonl", b'{"experts": []}', '"experts" must be a list of layers'),
    ("t.jsonl", b'{"experts": [0, 1]}', '"experts" must be a list of layers'),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0]], "seq_id": 0}',
        'line 2: "experts" must have 2 layers, got 1',
    ),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": "ab", "seq_id": 0}',
        "line 2: .*must have 2 layers, got 'ab'",
    ),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0], 1], "seq_id": 0}',
        "line 2: layer 1 must be a list of 1",
    ),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0], [1, 2]]}',
        "line 2: layer 1 must be a list of 1 integers",
    ),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0], [1.0]]}',
        "line 2: layer 1, slot 0: .*integer, got 1.0",
    ),
    ("t.jsonl", RECORDS.encode() + b'{"experts": [[true], [1]]}', "layer 0, slot 0: .*got True"),
    ("t.jsonl", RECORDS.encode() + b'{"experts": [[NaN], [1]]}', "layer 0, slot 0: .*got nan"),
    ("t.jsonl", RECORDS.encode() + b'{"experts": [["1"], [1]]}', "layer 0, slot 0: .*got '1'"),
    ("t.jsonl", RECORDS.encode() + b'{"experts": [[null], [1]]}', "layer 0, slot 0: .*got None"),
    ("t.jsonl", RECORDS.encode() + b'{"experts": [[0], [4294967296]]}', "line 2: a number does not fit"),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0], [' + b"9" * 5000 + b"]]}",
        "line 2: not JSON that can be read",
    ),
    ("t.jsonl", RECORDS.encode() + b'{"experts": [[0], [-2]], "seq_id": 0}', "line 2: request 3 .*expert -2"),
    (
        "t.jsonl",
        RECORDS.encode() + b'{"experts": [[0], [1]]}',
        'line 2: either every record has "seq_id" or none',
    ),
    (
        "t.jsonl",
        b'{"experts": [[0]]}\n{"experts": [[0]], "decode": true}',
        'line 2: either every record has "dec',
    ),
    ("t.jsonl", b'{"experts": [[0]], "seq_id": "a"}', 'line 1: "seq_id" must be of type int'),
    ("t.jsonl", b'{"experts": [[0]], "seq_id": 9223372036854775808}', "line 1: a number does not fit"),
    ("t.jsonl", b'{"experts": [[0]], "decode": 1}', 'line 1: "decode" must be of type bool'),
    ("t.jsonl", b'{"experts": [[0, 1]]}\n\n{"experts": [[1, 1]]}', r"line 3: request 3 .*comes twice"),
    ("t.jsonl", b'\xff{"experts": [[0]]}', "line 1: not UTF-8 text at byte 0"),
    ("t.jsonl", b"[" * 200_000, "line 1: not JSON that can be read"),
    ("t.npy", b"", "the file is empty"),
    ("t.npy", b"0 1 2 3", r"damaged, or not a \.np[yz] file"),
    ("t.npz", b"0 1 2 3", "damaged, or not a .npz file"),
    ("t.txt.gz", b"0 1 2 3", "Not a gzipped file"),
    ("t.txt.gz", b"\x1f\x8b", "damaged|gzip"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_bad_files_get_one_clear_line(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TraceError, match=message) as caught:
        read_trace(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert len(text) < 400 + len(str(path))


def saved(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (saved(np.array([[[1.0]]])), "an array of integers is wanted, got dtype float64"),
        (saved(np.array([[[np.nan]]])), "got dtype float64"),
        (saved(np.array([[[True]]])), "an array of integers is wanted, got dtype bool"),
        (
            saved(np.array([{"a": 1}], dtype=object), allow_pickle=True),
            "an object array, which is never read",
        ),
        (saved(np.array([["a"]])), "got dtype <U1"),
        (saved(np.zeros((2, 1, 1), [("a", "i4")])), "an array of integers"),
        (saved(np.zeros((2, 3, 4, 1), int)), r"must have shape .*got \(2, 3, 4, 1\)"),
        (saved(np.zeros((0, 3, 1), int)), r"got \(0, 3, 1\)"),
        (saved(np.zeros((2, 3, 1), int))[:-1], "takes 48 bytes, but only 47 are there"),
        (saved(np.zeros((2, 3, 1), int)) + b"x", "takes 48 bytes, but more follow"),
        (
            saved(np.zeros((2, 3, 1), "i2")).replace(b"(2, 3, 1)", b"(9, 9999999, 999999)"),
            "but only 23 are there",
        ),
        (pickle.dumps([1, 2]), r"damaged, or not a \.np[yz] file"),
    ],
)
def test_bad_arrays(content: bytes, message: str, tmp_path: Path) -> None:
    for name in ("t.npy", "t.npy.gz"):
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        with pytest.raises(TraceError, match=message):
            read_trace(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("experts.npy", content)
    with pytest.raises(TraceError, match=message):
        read_trace(tmp_path / "t.npz")


def test_a_huge_shape_without_data_costs_no_memory(tmp_path: Path) -> None:
    header = "{'descr': '<i8', 'fortran_order': False, 'shape': (99999999, 9999, 9), }".ljust(117) + "\n"
    (tmp_path / "t.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    with pytest.raises(TraceError, match="but only 0 are there"):
        read_trace(tmp_path / "t.npy")


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ("[]", "sidecar t.json: a JSON object is wanted, got list"),
        ("{", "sidecar t.json: not JSON at character 1"),
        ('{"tokens": 3}', "tokens is 2 in the data, but 3 stated in sidecar t.json"),
        ('{"layers": 1}', "layers is 2 in the data, but 1 stated in sidecar t.json"),
        ('{"top_k": 2}', "per_visit is 1 in the data, but 2 stated"),
        ('{"requests": 9}', "requests is 4 in the data, but 9 stated"),
        ('{"experts_per_layer": 2}', r"request 2 \(token 1, layer 0, slot 0\): expert 2"),
        ('{"experts_per_layer": [3]}', "pages lists 1 layers"),
        ('{"experts_per_layer": "3"}', "pages must be an integer ≥ 1, got '3'"),
        ('{"experts_per_layer": true}', "pages must be an integer ≥ 1, got True"),
        ('{"digest": "00"}', "digest is .* in the data, but 00 stated in sidecar"),
        ('{"name": ["x"]}', "name must be text"),
    ],
)
def test_bad_sidecars(sidecar: str, message: str, tmp_path: Path) -> None:
    path = npz(tmp_path / "t.npz", experts=[[[0], [0]], [[2], [1]]])
    (tmp_path / "t.json").write_text(sidecar)
    with pytest.raises(TraceError, match=message) as caught:
        read_trace(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_the_only_array_needs_no_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", np.array([[[0], [2]], [[1], [2]]]))
    assert read_trace(tmp_path / "t.npz").experts.tolist() == [[[0], [2]], [[1], [2]]]
    with stream_trace(tmp_path / "t.npz") as stream:
        assert stream.instance.layers == 2


def test_bad_archives(tmp_path: Path) -> None:
    experts = [[[0]], [[1]]]
    for arrays, message in [
        ({"pages": experts}, r"no array 'experts' in the archive, only \['pages'\]: numpy.savez"),
        (
            {"arr_0": experts, "arr_1": experts},
            r"no array 'experts' in the archive, only \['arr_0', 'arr_1'\]",
        ),
        ({"experts": experts, "seq_id": [0]}, "seq_id must hold integers, one for each of the 2 tokens"),
        ({"experts": experts, "seq_id": [0.5, 1]}, "array 'seq_id': an array of integers is wanted"),
        (
            {"experts": experts, "decode": [0, 1]},
            "array 'decode': an array of booleans is wanted, got dtype int",
        ),
    ]:
        with pytest.raises(TraceError, match=message):
            read_trace(npz(tmp_path / "t.npz", **arrays))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 3}, "layers is 2 stated in the file, but 3 asked for"),
        ({"pages": (3, 4)}, "pages is 3 stated in the file, but 3/4 asked for"),
        ({"per_visit": 2}, "per_visit is 1 stated in the file, but 2 asked for"),
        ({"pages": 0}, "pages must be an integer ≥ 1, got 0"),
    ],
)
def test_the_caller_must_agree_with_the_file(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("# layered-paging layers=2 pages=3 per_visit=1\n0 3 1")
    with pytest.raises(TraceError, match=message):
        read_trace(tmp_path / "t.txt", **options)
    np.save(tmp_path / "t.npy", np.zeros((2, 2, 1), int))
    with pytest.raises(TraceError, match="layers is 2 in the data, but 3 asked for"):
        read_trace(tmp_path / "t.npy", layers=3)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"t\.npz: No such file"):
        read_trace(tmp_path / "t.npz")
    (tmp_path / "d.txt").mkdir()
    with pytest.raises(TraceError, match=r"d\.txt: Is a directory"):
        read_trace(tmp_path / "d.txt")
    for name in ("t.xyz", "t", "t.gz", "t.npz.bz2"):
        with pytest.raises(TraceError, match=rf"{name}: No such file"):
            read_trace(tmp_path / name)
        (tmp_path / name).touch()
        with pytest.raises(TraceError, match=r"unknown suffix .* known are .npz, .npy, .jsonl, .txt, .csv"):
            read_trace(tmp_path / name)
        with pytest.raises(TraceError, match="unknown suffix"):
            write_trace(small_trace(), tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("0")
    path.chmod(0)
    with pytest.raises(TraceError, match="Permission denied"):
        read_trace(path)


# --- writing -----------------------------------------------------------------------------------------


def folder_contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_write_leaves_everything_as_it_was(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"t{suffix}"
    write_trace(small_trace(), path)
    before = folder_contents(tmp_path)
    halves = small_trace().experts_of

    def full_disk(self: Trace, start: int, stop: int) -> Any:
        raise OSError(28, "No space left on device")

    other = Trace.from_experts([[[0]], [[1]]])
    if suffix.startswith((".txt", ".csv")):
        monkeypatch.setattr("paging.traces.text._rows", lambda *_: full_disk(other, 0, 0))
    else:
        monkeypatch.setattr(Trace, "experts_of", full_disk)
    with pytest.raises(TraceError, match="No space left on device"):
        write_trace(other, path)
    monkeypatch.setattr(Trace, "experts_of", halves)
    assert folder_contents(tmp_path) == before


@pytest.mark.parametrize("suffix", [".txt", ".npz"])
def test_a_file_is_replaced_not_overwritten(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    write_trace(small_trace(), path)
    before = path.read_bytes()
    os.link(path, tmp_path / "the old file")
    write_trace(Trace.from_experts([[[0]]]), path)
    assert (tmp_path / "the old file").read_bytes() == before != path.read_bytes()


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("paging.traces.text._rows", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_trace(small_trace(), tmp_path / "t.txt.gz")
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_sidecar_that_cannot_be_written_stops_the_archive_too(tmp_path: Path) -> None:
    (tmp_path / "t.json").mkdir()
    with pytest.raises(TraceError, match=r"t\.npz: is a directory .*t\.json"):
        write_trace(small_trace(), tmp_path / "t.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]


@pytest.mark.parametrize("metadata", [{"a": object()}, {"a": float("nan")}, {"a": {1, 2}}])
@pytest.mark.parametrize("suffix", [".npz", ".jsonl"])
def test_metadata_that_is_not_json_is_refused(suffix: str, metadata: dict[str, Any], tmp_path: Path) -> None:
    trace = Trace.from_experts([[[0]]], metadata=metadata)
    with pytest.raises(TraceError, match="cannot be written as JSON"):
        write_trace(trace, tmp_path / f"t{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == []


def test_writing_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file or directory"):
        write_trace(small_trace(), tmp_path / "missing" / "t.txt")
    (tmp_path / "d.txt").mkdir()
    with pytest.raises(TraceError, match="is a directory"):
        write_trace(small_trace(), tmp_path / "d.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["d.txt"]


# --- damage ------------------------------------------------------------------------------------------


def damaged_reads(path: Path, content: bytes) -> Trace | None:
    """Read damaged content: None for a TraceError; anything else that is raised fails the test."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read_trace(path, pages=(3, 4, 5) if path.name.startswith("npy") else None)
        except TraceError as problem:
            message = str(problem)
    if not message.startswith(f"{path}: ") or "\n" in message:
        pytest.fail(f"not one clear line: {message!r}")
    return None


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_file_is_never_taken_for_a_whole_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    write_trace(small_trace(), path)
    content = path.read_bytes()
    for length in range(len(content)):
        trace = damaged_reads(path, content[:length])
        # Only the last newline of a text can go without a trace.
        assert trace is None or (trace.digest == small_trace().digest and length == len(content) - 1)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_flipped_bits_give_a_clear_error_or_a_legal_trace(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    write_trace(small_trace(), path)
    content = path.read_bytes()
    rng = np.random.default_rng(11)
    has_checksum = suffix.endswith(".gz") or suffix == ".npz"
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        trace = damaged_reads(path, bytes(flipped))
        assert trace is None or not has_checksum or trace.digest == small_trace().digest


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_arbitrary_damage(suffix: str, data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    write_trace(small_trace(), path)
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content)))
    removed = data.draw(st.integers(0, 20))
    inserted = data.draw(
        st.binary(max_size=20) | st.sampled_from([b"[", b"99", b",", b"\n", b"\x00", b"-1", b"1e9"])
    )
    trace = damaged_reads(path, content[:place] + inserted + content[place + removed :])
    if trace is not None:
        assert is_legal(trace.page_ids.tolist(), trace.layers, trace.instance.pages_by_layer, trace.per_visit)


# --- ten million requests ----------------------------------------------------------------------------

MEASURE = f"""
import sys
from paging.traces import read_trace
{PEAK}
before = peak()
trace = read_trace(sys.argv[1])
print(trace.requests, before, peak())
"""


def write_ten_million(path: Path, layers: int, tokens: int) -> None:
    """Write the same 2500 tokens over and over, so that the test spends its time on reading."""
    experts = np.random.default_rng(0).integers(0, 8, (2500, layers, 1))
    repeats = tokens // len(experts)
    if path.suffix in (".npz", ".npy"):
        whole = np.tile(experts, (repeats, 1, 1))  # int64, the widest there is
        np.save(path, whole) if path.suffix == ".npy" else np.savez_compressed(path, experts=whole)
        return
    header, separator = (
        "# layered-paging layers=32 pages=8 per_visit=1\n",
        "," if ".csv" in path.name else " ",
    )
    rows = [separator.join(map(str, row)) for row in (experts[:, :, 0] + 8 * np.arange(layers)).tolist()]
    if ".jsonl" in path.name:
        header, rows = "", [json.dumps({"experts": token, "decode": True}) for token in experts.tolist()]
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw) if path.suffix == ".gz" else raw as stream:
        stream.write(header.encode())
        for _ in range(repeats):
            stream.write("".join(f"{row}\n" for row in rows).encode())


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".jsonl.gz", ".txt", ".csv.gz"])
def test_ten_million_requests_take_little_memory(suffix: str, tmp_path: Path) -> None:
    path, layers, tokens = tmp_path / f"t{suffix}", 32, 312_500
    write_ten_million(path, layers, tokens)
    ran = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
    requests, before, after = map(int, ran.stdout.split())
    assert requests == layers * tokens
    assert after < 1000, f"{after} MiB in all"
    assert after - before < 350, f"{after - before} MiB for 10 million requests"


def test_the_reader_starts_without_heavy_imports() -> None:
    # Under an empty parent package: what paging itself imports is not the reader's affair.
    code = (
        "import sys, types; sys.modules['paging'] = parent = types.ModuleType('paging');"
        "parent.__path__ = sys.argv[1:]; import paging.traces.files;"
        "print({'numba', 'scipy', 'matplotlib'} & set(sys.modules))"
    )
    folder = str(Path(__file__).resolve().parents[2] / "paging")
    ran = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
