"""Recordings of servers and other programs: one file per format, made here, and each trap of it."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paging import TraceError
from paging.cli.main import run as paging_run
from paging.traces import Trace, read_trace

PROMPT = np.array([[[0, 1], [2, 3]], [[1, 0], [3, 0]], [[2, 1], [0, 1]]], dtype=np.int16)
ANSWER = np.array([[[3, 1], [1, 2]], [[0, 2], [2, 0]]], dtype=np.int16)
BOTH = np.concatenate([PROMPT, ANSWER])
"""Three tokens of a prompt and two of an answer, two layers of four experts, two at a time."""

DENSE = np.insert(BOTH, 0, 0, axis=1)
"""The same in a model whose first layer is dense, and counted by the server."""


def npy(array: np.ndarray[Any, Any]) -> str:
    stream = io.BytesIO()
    np.save(stream, array)
    return base64.b64encode(stream.getvalue()).decode()


def flat(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.astype("<i4").tobytes()).decode()


def saved(folder: Path, contents: object, name: str = "answer.json") -> Path:
    path = folder / name
    if isinstance(contents, dict) and all(isinstance(value, np.ndarray) for value in contents.values()):
        np.savez(path, **contents)
    elif isinstance(contents, np.ndarray):
        np.save(path, contents)
    elif isinstance(contents, str):
        path.write_text(contents, encoding="utf-8")
    else:
        path.write_text(json.dumps(contents), encoding="utf-8")
    return path


def csv(rows: list[tuple[int, ...]], header: str) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def rows_of(experts: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    return [
        (layer, int(expert)) for token in experts for layer, visit in enumerate(token) for expert in visit
    ]


USAGE = {"usage": {"prompt_tokens": 3, "completion_tokens": 3}}
VLLM_021 = {
    "model": "ours",
    "prompt_routed_experts": PROMPT.tolist(),
    "choices": [{"index": 0, "routed_experts": ANSWER.tolist()}],
}
VLLM = {"choices": [{"routed_experts": npy(BOTH.astype(np.uint8))}], **USAGE}
SGLANG = {"choices": [{"index": 0, "sgl_ext": {"routed_experts": flat(BOTH)}}], **USAGE}
SGLANG_NATIVE = {
    "text": "…",
    "meta_info": {"routed_experts": flat(BOTH), "prompt_tokens": 3, "completion_tokens": 3},
}
TENSORRT = {"outputs": [{"routed_experts": BOTH.tolist()}], **USAGE}
ROUTE_TRACE = "# route_trace v1\n# model=ours n_layer=3 n_expert=4 n_expert_used=2\n" + csv(
    [
        (0, int(token >= 3), token % 3, layer + 1, slot, int(expert), 1, 0, 10)
        for token, visits in enumerate(BOTH)
        for layer, visit in enumerate(visits)
        for slot, expert in enumerate(visit)
    ],
    "# layer=1 expert_bytes=10\nturn,phase,step,layer,slot,expert,weight,residency,expert_bytes",
)
LINES = "".join(
    json.dumps({"layer_idx": layer, "token_idx": token, "topk_experts": visit, "weights": [0.5, 0.5]}) + "\n"
    for layer in range(2)  # layer by layer, as a hook on a whole batch writes them
    for token, visit in enumerate(BOTH[:, layer].tolist())
)
SHAPE = {"layers": 2, "per_visit": 2}


@pytest.mark.parametrize(
    ("contents", "name", "options", "decode"),
    [
        pytest.param(VLLM_021, "answer.json", {}, True, id="vLLM, nested lists"),
        pytest.param(VLLM, "answer.json", {}, True, id="vLLM, npy in base64"),
        pytest.param(SGLANG, "answer.json", SHAPE, True, id="SGLang"),
        pytest.param(SGLANG_NATIVE, "answer.json", SHAPE, True, id="SGLang, its own interface"),
        pytest.param(TENSORRT, "answer.json", {}, True, id="TensorRT-LLM, outputs"),
        pytest.param(BOTH, "routed_experts.npy", {}, False, id="TensorRT-LLM, array"),
        pytest.param(
            np.swapaxes(BOTH, 0, 1), "experts.npy", {"layers_first": True}, False, id="layers first"
        ),
        pytest.param(
            {"routed_experts": np.swapaxes(BOTH, 0, 1).tolist()},
            "answer.json",
            {"layers_first": True},
            False,
            id="layers first in an answer",
        ),
        pytest.param(
            csv(rows_of(BOTH), "layer,expert"),
            "experts.csv",
            {"format": "llama.cpp", "per_visit": 2},
            False,
            id="llama.cpp",
        ),
        pytest.param(ROUTE_TRACE, "route.csv", {"format": "route_trace"}, True, id="route_trace"),
        pytest.param(LINES, "lines.jsonl", {"format": "visits"}, False, id="JSON lines"),
        pytest.param(
            LINES.replace("topk_experts", "mine"),
            "lines.jsonl",
            {"fields": {"experts": "mine"}},
            False,
            id="JSON lines, fields named",
        ),
    ],
)
def test_every_format_holds_the_same_routing(
    contents: object, name: str, options: dict[str, Any], decode: bool, tmp_path: Path
) -> None:
    trace = read_trace(saved(tmp_path, contents, name), **options)
    assert trace.digest == Trace.from_experts(BOTH).digest
    assert trace.decode is not None if decode else trace.decode is None
    if trace.decode is not None:
        assert trace.decode.tolist() == [False] * 3 + [True] * 2


def test_an_answer_becomes_the_common_form_in_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = saved(tmp_path, VLLM_021), tmp_path / "common.npz"
    assert paging_run(["trace", "convert", str(source), str(target)]) == 0
    trace = read_trace(target)
    assert trace.digest == Trace.from_experts(BOTH).digest
    assert (trace.metadata["model"], trace.decode is not None) == ("ours", True)


def test_options_of_the_command_line(tmp_path: Path) -> None:
    lines = saved(tmp_path, LINES.replace("layer_idx", "depth"), "l.jsonl")
    assert paging_run(["trace", "info", str(lines), "--fields", "layer=depth", "--json"]) == 0
    scores = saved(tmp_path, np.random.default_rng(0).random((2, 9, 4)), "s.npy")
    assert paging_run(["trace", "info", str(scores), "--scores", "-g", "2", "--layers-first", "--json"]) == 0
    assert paging_run(["trace", "info", str(lines), "--fields", "layer"]) == 2
    assert paging_run(["trace", "info", str(lines), "--fields", "floor=depth"]) == 2
    assert paging_run(["trace", "info", str(scores), "--fields", "layer=depth"]) == 2


# --- answers of servers ------------------------------------------------------------------------------


def test_positions_of_a_prefix_cache_are_left_out_and_counted(tmp_path: Path) -> None:
    cached = PROMPT.copy()
    cached[:2] = -1
    trace = read_trace(saved(tmp_path, VLLM_021 | {"prompt_routed_experts": cached.tolist()}))
    assert trace.digest == Trace.from_experts(BOTH[2:]).digest
    assert trace.decode is not None
    assert trace.decode.tolist() == [False, True, True]
    assert any("2 of 5 tokens hold nothing but −1" in text for text in trace.remarks)


def test_several_choices_are_several_sequences_of_one_prompt(tmp_path: Path) -> None:
    apart = VLLM_021 | {"choices": [{"routed_experts": ANSWER.tolist()}] * 2}
    together = VLLM | {
        "choices": [{"routed_experts": npy(BOTH)}] * 2,
        "usage": {"prompt_tokens": 3, "completion_tokens": 6},
    }
    for contents in (apart, together):
        trace = read_trace(saved(tmp_path, contents))
        assert trace.seq_id is not None
        assert trace.seq_id.tolist() == [0] * 5 + [1] * 2
        assert trace.digest == Trace.from_experts(np.concatenate([BOTH, ANSWER])).digest
    assert any("kept once" in text for text in trace.remarks)


@pytest.mark.parametrize("lines", [False, True])
def test_several_answers_in_one_file(lines: bool, tmp_path: Path) -> None:
    contents: Any = "\n".join(map(json.dumps, [VLLM, VLLM])) if lines else [VLLM, VLLM]
    trace = read_trace(saved(tmp_path, contents))
    assert trace.seq_id is not None
    assert trace.seq_id.tolist() == [0] * 5 + [1] * 5


def test_marks_only_where_the_counts_agree(tmp_path: Path) -> None:
    for usage in ({}, {"usage": {"prompt_tokens": 2, "completion_tokens": 4}}):
        trace = read_trace(saved(tmp_path, {"choices": VLLM["choices"], **usage}))
        assert (trace.decode is None) == (not usage)
        assert any("no marks of decoding" in text for text in trace.remarks) == (not usage)
    wrong = {"choices": VLLM["choices"], "usage": {"prompt_tokens": 3, "completion_tokens": 9}}
    trace = read_trace(saved(tmp_path, wrong))
    assert trace.decode is None
    assert any("say that 11 tokens were processed, its arrays have 5 rows" in text for text in trace.remarks)


def test_dense_layers_of_sglang_need_a_mask(tmp_path: Path) -> None:
    contents = {"meta_info": {"routed_experts": flat(DENSE)}}
    path = saved(tmp_path, contents)
    with pytest.raises(TraceError, match=r"layer 0 holds nothing but zeros: .*--drop-layers dense"):
        read_trace(path, layers=3, per_visit=2)
    for mask in ("dense", (0,)):
        trace = read_trace(path, layers=3, per_visit=2, drop_layers=mask)
        assert trace.digest == Trace.from_experts(BOTH).digest
        assert any("layer 0 is left out" in text for text in trace.remarks)


@pytest.mark.parametrize(
    ("contents", "options", "problem"),
    [
        (VLLM | {"choices": [{"routed_experts": npy(BOTH * 0)}]}, {}, "every expert is 0: a capture that"),
        ({"routed_experts": (BOTH[:, :, :1] * 0).tolist()}, {}, "every expert is 0: a capture that"),
        (SGLANG, {}, r"choices\[0\].sgl_ext.routed_experts: flat numbers without a shape: -l L"),
        (SGLANG, {"layers": 3, "per_visit": 2}, "80 bytes are not whole tokens of 3 layers × 2"),
        ({"choices": [{"text": "hi"}]}, {}, "there is no routed_experts in it.*--enable-return-routed"),
        ({"choices": [{"routed_experts": None}]}, {}, "there is no routed_experts in it"),
        ({"choices": [*VLLM["choices"], {}]}, {}, r"choices\[1\].routed_experts is missing"),
        ({"routed_experts": "AAA"}, {}, "routed_experts: neither nested lists nor base64"),
        ({"routed_experts": [[[0, 1]], [[0]]]}, {}, "the nested lists have different lengths"),
        ({"routed_experts": [[[0, True]]]}, {}, "nested lists of integers are wanted"),
        ({"routed_experts": [[[0.0, 1.0]]]}, {}, "nested lists of integers are wanted"),
        ({"routed_experts": [[0, 1]]}, {}, r"an array \(tokens, layers, top_k\) is wanted, got shape \(1, 2"),
        ({"routed_experts": [[[3, 3], [1, 2]]]}, {}, "expert 3 .* comes twice in one visit"),
        ({"routed_experts": npy(BOTH.astype(float))}, {}, "an array of integers is wanted, got dtype float"),
        ({"routed_experts": npy(BOTH)[:-8]}, {}, "truncated"),
        (
            {"prompt_routed_experts": PROMPT[:, :1].tolist(), "routed_experts": ANSWER.tolist()},
            {},
            "have different layers",
        ),
        ([VLLM, {"routed_experts": BOTH[:, :1].tolist()}], {}, "all answers must have the same layers"),
        ([], {}, "there is no answer in it"),
        ([3], {}, r"\[0\]: an answer must be a JSON object such as .*, got 3"),
        ("{", {}, "not JSON at character 1"),
    ],
)
def test_what_is_wrong_with_an_answer(
    contents: object, options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(TraceError, match=problem):
        read_trace(saved(tmp_path, contents), **options)


# --- scores of routers -------------------------------------------------------------------------------


def scores_of(experts: np.ndarray[Any, Any], seed: int = 0) -> np.ndarray[Any, Any]:
    """Scores (tokens, layers, 4) whose largest are these experts, best first."""
    scores = np.random.default_rng(seed).random((*experts.shape[:2], 4)).astype(np.float32)
    np.put_along_axis(
        scores, experts.astype(int), np.arange(experts.shape[2], 0, -1, dtype=np.float32), axis=2
    )
    return scores


def layered(scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    """One array a layer, as numpy.savez writes the tuple of a model with more than ten layers."""
    return {f"arr_{layer}": scores[:, layer] for layer in reversed(range(scores.shape[1]))}


def test_scores_of_transformers(tmp_path: Path) -> None:
    path = saved(tmp_path, layered(scores_of(BOTH)), "logits.npz")
    trace = read_trace(path, scores=True, per_visit=2)
    assert trace.digest == Trace.from_experts(BOTH).digest
    assert trace.pages == 4
    experts = np.random.default_rng(1).permuted(np.tile(np.arange(4), (6, 12, 1)), axis=2)[:, :, :2]
    many = read_trace(saved(tmp_path, layered(scores_of(experts)), "many.npz"), scores=True, per_visit=2)
    assert many.digest == Trace.from_experts(experts).digest, "layers are ordered by number, not by name"
    stacked = saved(tmp_path, np.swapaxes(scores_of(BOTH), 0, 1), "stacked.npy")
    assert (
        read_trace(stacked, scores=True, per_visit=2, layers_first=True).digest
        == Trace.from_experts(BOTH).digest
    )


def test_padding_is_a_row_of_scores(tmp_path: Path) -> None:
    padded = np.insert(
        scores_of(BOTH), 0, 0.5, axis=0
    )  # two sequences of three, the first padded on the left
    mask = np.array([[0, 1, 1], [1, 1, 1]])
    path = saved(tmp_path, layered(padded) | {"attention_mask": mask}, "logits.npz")
    trace = read_trace(path, scores=True, per_visit=2)
    assert trace.digest == Trace.from_experts(BOTH).digest
    assert trace.seq_id is not None
    assert trace.seq_id.tolist() == [0, 0, 1, 1, 1]
    assert any("1 of 6 rows are padding" in text for text in trace.remarks)


@pytest.mark.parametrize(
    ("more", "sidecar", "options", "problem"),
    [
        ({}, {}, {"per_visit": None}, "how many experts the router takes: -g G"),
        ({}, {}, {"per_visit": 5}, "takes 1 … 4 experts, got -g 5"),
        (
            {"e_score_correction_bias": np.zeros(4)},
            {},
            {},
            "'e_score_correction_bias': .*paging trace record",
        ),
        ({}, {"model_type": "deepseek_v3"}, {}, "model_type deepseek_v3: its router has a correction bias"),
        (
            {},
            {"config": {"n_group": 8, "model_type": "mixtral"}},
            {},
            "n_group: the experts with the largest",
        ),
        ({"arr_1": np.zeros((4, 4))}, {}, {}, "of one shape are wanted"),
        ({"arr_01": np.zeros((5, 4))}, {}, {}, "one array per layer is wanted, numbered"),
        ({"arr_1": np.full((5, 4), np.nan)}, {}, {}, "expert 0 in layer 1 of token 0 is not a number"),
        ({"arr_1": np.zeros((5, 4), int)}, {}, {}, "'arr_1': an array of floats is wanted"),
        ({"attention_mask": np.ones((2, 3), int)}, {}, {}, r"attention_mask \(2, 3\) does not fit 5 rows"),
    ],
)
def test_what_is_wrong_with_scores(
    more: dict[str, Any], sidecar: dict[str, Any], options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    path = saved(tmp_path, layered(scores_of(BOTH)) | more, "logits.npz")
    saved(tmp_path, sidecar, "logits.json")
    with pytest.raises(TraceError, match=problem):
        read_trace(path, **{"scores": True, "per_visit": 2, **options})


def test_scores_that_do_not_decide_are_counted(tmp_path: Path) -> None:
    scores = scores_of(BOTH)
    scores[0, 0] = 0.5
    trace = read_trace(saved(tmp_path, scores, "s.npy"), scores=True, per_visit=2)
    assert trace.experts[0, 0].tolist() == [0, 1]
    assert any("in 1 of 10 visits the last score taken equals the next" in text for text in trace.remarks)


def test_scores_are_not_taken_for_experts(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="--scores takes scores of a router"):
        read_trace(saved(tmp_path, scores_of(BOTH), "s.npy"))
    with pytest.raises(TraceError, match=r"--scores says nothing about this format .*npz, npy"):
        read_trace(saved(tmp_path, VLLM), scores=True)


# --- rows and records --------------------------------------------------------------------------------


def test_a_batch_of_llama_cpp_is_refused_with_the_reason(tmp_path: Path) -> None:
    batch = [(layer, int(expert)) for layer in range(2) for expert in (0, 1, 2, 3)]
    text = csv(batch + rows_of(ANSWER), "layer,expert")
    path = saved(tmp_path, text, "experts.csv")
    with pytest.raises(
        TraceError, match=r"pass 0 over the layers has 4 rows of layer 0, one token has 2: .*only"
    ):
        read_trace(path, format="llama.cpp", per_visit=2)
    with pytest.raises(TraceError, match="rows do not name their token: -g G"):
        read_trace(path, format="llama.cpp")


def test_a_column_of_tokens_is_believed(tmp_path: Path) -> None:
    rows = [
        (token, layer, int(expert)) for layer in (0, 1) for token in range(5) for expert in BOTH[token, layer]
    ]
    path = saved(tmp_path, csv(rows, "token,layer,expert"), "experts.csv")
    assert read_trace(path, format="layer-expert").digest == Trace.from_experts(BOTH).digest
    path = saved(tmp_path, csv(rows, "position,floor,expert"), "named.csv")
    options = {"fields": {"token": "position", "layer": "floor"}}
    assert read_trace(path, format="layer-expert", **options).digest == Trace.from_experts(BOTH).digest


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("v1", "v2", "must be '# route_trace v1', got 'route_trace v2'"),
        ("slot,expert", "slot,page", "line 4: there is no column expert, only turn"),
        ("0,0,0,1,1,", "0,0,0,1,0,", r"line 6: slot 0 of layer 1, where slot 1 comes next \(several"),
        ("0,0,0,1,1,", "0,2,0,1,1,", "line 6: phase 2 is neither 0"),
        ("n_expert_used=2", "n_expert_used=1", "line 6: more than 1 experts in one visit"),
        ("n_expert=4", "n_expert=3", "expert 3 .* is outside layer"),
        ("n_expert=4", "n_expert=x", "in the comments n_expert must be a whole number"),
        ("0,0,0,1,1,1", "0,0,0,1,1,0", "line 6: expert 0 comes twice"),
        (",1,0,10\n", ",1,0\n", "line 5: 9 columns are wanted, got 8"),
    ],
)
def test_what_is_wrong_with_a_route_trace(old: str, new: str, problem: str, tmp_path: Path) -> None:
    assert old in ROUTE_TRACE
    with pytest.raises(TraceError, match=problem):
        read_trace(saved(tmp_path, ROUTE_TRACE.replace(old, new, 1), "r.csv"), format="route_trace")


def test_a_route_trace_keeps_what_it_says_of_the_model(tmp_path: Path) -> None:
    trace = read_trace(saved(tmp_path, ROUTE_TRACE, "r.csv"), format="route_trace")
    assert (trace.pages, trace.metadata) == (4, {"model": "ours", "n_layer": "3"})
    assert any("layers 1 … 2 of the file, 2 in all, are numbered from 0" in text for text in trace.remarks)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("layer_idx", "depth", "line 1: token, layer, experts are wanted, got depth"),
        ('"layer_idx"', '"layer": 0, "layer_idx"', "line 1: layer and layer_idx may both be the layer; --fi"),
        (
            '"token_idx": 1',
            '"token_idx": 0',
            "line 2: token 0 comes twice in layer 0; --fields sequence=NAME",
        ),
        ('"token_idx": 1', '"token": 1', "line 2: there is no 'token_idx', which the first record has"),
        ("[1, 0]", "[1, true]", "line 2: topk_experts must be a whole number"),
        ("[1, 0]", "[1, 1]", "line 2: expert 1 comes twice in one visit"),
        ("[1, 0]", "3", "line 2: topk_experts must be a list of integers, got 3"),
        ("[1, 0]", "[1, 9999999]", "line 2: layer 0, expert 9999999: numbers up to"),
    ],
)
def test_what_is_wrong_with_visits(old: str, new: str, problem: str, tmp_path: Path) -> None:
    assert old in LINES
    with pytest.raises(TraceError, match=problem):
        read_trace(saved(tmp_path, LINES.replace(old, new, 1), "l.jsonl"), format="visits")


def test_visits_of_several_sequences_and_phases(tmp_path: Path) -> None:
    record = {"token": 0, "layer": 0, "experts": [1, 0], "run": "a", "phase": "prefill"}
    records = [record, record | {"token": 1, "phase": "decode"}, record | {"run": "b"}]
    path = saved(tmp_path, "\n".join(map(json.dumps, records)), "l.jsonl")
    trace = read_trace(path, fields={"sequence": "run", "decode": "phase"})
    assert trace.seq_id is not None
    assert trace.decode is not None
    assert (trace.seq_id.tolist(), trace.decode.tolist()) == ([0, 0, 1], [False, True, False])
    path = saved(tmp_path, "\n".join(map(json.dumps, [record | {"phase": "warm"}])), "l.jsonl")
    with pytest.raises(TraceError, match="decode must be true or false, decode or prefill, got 'warm'"):
        read_trace(path, fields={"decode": "phase"})


def test_an_array_that_seems_turned_round_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "experts.npy"
    hint = "4 tokens of 120 layers; if it is the other way round, say --layers-first"
    np.save(path, np.arange(4 * 120 * 2).reshape(4, 120, 2) % 8)
    assert [text for text in read_trace(path).remarks if hint in text]
    assert not [text for text in read_trace(path, layers_first=True).remarks if "--layers-first" in text]
    np.save(path, np.ones((4, 120, 2), dtype=int))
    with pytest.raises(TraceError, match=hint):
        read_trace(path)
    np.save(path, np.arange(4 * 30 * 2).reshape(4, 30, 2) % 8)
    assert not read_trace(path).remarks
