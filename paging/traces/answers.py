"""Saved JSON answers of inference servers that tell which experts every token was routed to."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from reprlib import repr as shorten
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.traces.arrays import read_array, tokens_first
from paging.traces.draft import Draft
from paging.traces.reading import TraceReading
from paging.traces.records import parse_json

EXPERTS, PROMPT = "routed_experts", "prompt_routed_experts"
"""The fields of what was generated (or of prompt and answer together), and of a prompt apart."""

PARTS = ("choices", "outputs")
"""Lists of the sequences that were generated from one prompt."""

INSIDE = ("sgl_ext", "meta_info")
"""Objects that hold further fields of an answer or of a sequence."""

COUNTS = ("usage", "meta_info")
"""Objects that count tokens: prompt_tokens, completion_tokens."""

NPY = b"\x93NUMPY"
FLAT = np.dtype("<i4")


@dataclass(frozen=True)
class _Sequence:
    """The experts of one sequence, (tokens, layers, top_k), and how many of its tokens were its prompt."""

    experts: NDArray[Any]
    prompt: int | None


def read_answer(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read the routed experts of one saved answer, a list of answers, or one answer a line.

    Every sequence (choice) is a sequence of the trace. An array is a nested list, a whole ``.npy`` file in
    base64, or flat int32 numbers in base64, which need ``layers`` and ``per_visit``.
    """
    found: list[_Sequence] = []
    remarks: list[str] = []
    models = set[str]()
    for where, answer in _answers(stream.read()):
        found += _sequences(answer, where, reading, remarks)
        if isinstance(answer.get("model"), str):
            models.add(answer["model"])
    shape = found[0].experts.shape[1:]
    for sequence in found:
        if sequence.experts.shape[1:] != shape:
            raise TraceError(
                f"all answers must have the same layers and top_k, got {shape} and "
                f"{sequence.experts.shape[1:]}"
            )
    experts = np.concatenate([sequence.experts for sequence in found])
    if experts.max() == 0:
        raise TraceError(
            "every expert is 0: a capture that failed (kernels that route and compute in one do not report "
            "their choice; older servers then return zeros)"
        )
    lengths = [len(sequence.experts) for sequence in found]
    decode = None
    if all(sequence.prompt is not None for sequence in found):
        parts = [np.arange(len(one.experts)) >= (one.prompt or 0) for one in found]
        decode = np.concatenate(parts)
    else:
        remarks.append("which tokens were generated is not said: there are no marks of decoding")
    return Draft(
        experts,
        seq_id=np.repeat(np.arange(len(found)), lengths),
        decode=decode,
        metadata={"model": models.pop()} if len(models) == 1 else {},
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _answers(text: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every answer of a file, and where it stands."""
    lines = [line for line in text.split(b"\n") if line.strip()]
    first = lines[0].strip() if lines else b""
    if len(lines) > 1 and first.startswith(b"{") and first.endswith(b"}"):
        items = [(f"line {number}: ", parse_json(line)) for number, line in enumerate(lines, start=1)]
    else:
        whole = parse_json(text)
        listed = isinstance(whole, list)
        items = [(f"[{n}].", item) for n, item in enumerate(whole)] if listed else [("", whole)]
    if not items:
        raise TraceError("there is no answer in it")
    for where, answer in items:
        if not isinstance(answer, dict):
            raise TraceError(
                f"{where.rstrip('.: ') or 'the file'}: an answer must be a JSON object such as "
                f'{{"{EXPERTS}": …}}, got {shorten(answer)}'
            )
        yield where, answer


def _sequences(
    answer: Mapping[str, Any], where: str, reading: TraceReading, remarks: list[str]
) -> list[_Sequence]:
    part = next((name for name in PARTS if isinstance(answer.get(name), list) and answer[name]), None)
    places = [(f"{where}{part}[{n}].", item) for n, item in enumerate(answer[part])] if part else []
    if len(places) <= 1:
        places.append((where, answer))  # what there is one of may stand beside it
    arrays = []
    for place, item in places:
        name, value = _field(item, EXPERTS)
        if value is not None:
            arrays.append(_array(value, f"{place}{name}", reading))
        elif part and len(places) > 1 and item is not answer and len(answer[part]) > 1:
            raise TraceError(f"{place}{EXPERTS} is missing, which other sequences have or should have")
    if not arrays:
        raise TraceError(
            f"{where}there is no {EXPERTS} in it, at the top or in {', '.join(PARTS)}, also inside "
            f"{', '.join(INSIDE)}: was the server started with --enable-return-routed-experts, and asked for "
            "them? It holds " + (", ".join(map(str, list(answer)[:8])) or "nothing")
        )
    name, value = _field(answer, PROMPT)
    if value is not None:
        prompt = _array(value, f"{where}{name}", reading)
        if prompt.shape[1:] != arrays[0].shape[1:]:
            raise TraceError(f"{where}{name} and {EXPERTS} have different layers and top_k")
        first = _Sequence(np.concatenate([prompt, arrays[0]]), len(prompt))
        return [first, *(_Sequence(array, 0) for array in arrays[1:])]
    length = _prompt_length(answer, arrays, remarks)
    if length is None or len(arrays) == 1:
        return [_Sequence(array, length) for array in arrays]
    remarks.append("the tokens of a prompt, which every answer to it repeats, are kept once")
    return [_Sequence(arrays[0], length), *(_Sequence(array[length:], 0) for array in arrays[1:])]


def _field(item: Any, name: str) -> tuple[str, Any]:
    """Return where a field of an object, or of the objects inside it, stands, and its value or None."""
    if isinstance(item, dict):
        for inside, fields in ((f"{key}.", item.get(key)) for key in INSIDE):
            if isinstance(fields, dict) and fields.get(name) is not None:
                return inside + name, fields[name]
        return name, item.get(name)
    return name, None


def _prompt_length(answer: Mapping[str, Any], arrays: list[NDArray[Any]], remarks: list[str]) -> int | None:
    """Return how many tokens at the beginning of every array are the prompt, where the counts agree.

    Prompt and answer together have a row for every token that was processed: for all but the last.
    """
    for counts in (answer.get(name) for name in COUNTS):
        if not isinstance(counts, dict):
            continue
        prompt, generated = counts.get("prompt_tokens"), counts.get("completion_tokens")
        if type(prompt) is int and type(generated) is int:
            rows = sum(map(len, arrays))
            same = all(np.array_equal(array[:prompt], arrays[0][:prompt]) for array in arrays)
            processed = len(arrays) * (prompt - 1) + generated
            if rows == processed and min(map(len, arrays)) >= prompt and same:
                return prompt
            if rows != processed:
                remarks.append(
                    f"its counts say that {processed:,} tokens were processed, its arrays have {rows:,} rows "
                    "(a part of them, or another shape?)"
                )
    return None


def _array(value: Any, where: str, reading: TraceReading) -> NDArray[Any]:
    """Return one array (tokens, layers, top_k) in whichever form an answer holds it."""
    try:
        array = _decoded(value, reading) if isinstance(value, str) else _nested(value)
    except TraceError as problem:
        raise TraceError(f"{where}: {problem}") from None
    if array.ndim != 3 or array.size == 0:
        raise TraceError(f"{where}: an array (tokens, layers, top_k) is wanted, got shape {array.shape}")
    return tokens_first(array, reading)


def _nested(value: Any) -> NDArray[Any]:
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        raise TraceError("the nested lists have different lengths or hold something else") from None
    if array.dtype.kind not in "iu" or _holds_bools(value):
        raise TraceError(f"nested lists of integers are wanted, got {shorten(value)}")
    return array


def _holds_bools(value: Any) -> bool:
    # numpy takes True for 1 where other numbers stand beside it.
    return any(map(_holds_bools, value)) if isinstance(value, list) else isinstance(value, bool)


def _decoded(text: str, reading: TraceReading) -> NDArray[Any]:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise TraceError(f"neither nested lists nor base64: {shorten(text)}") from None
    if data.startswith(NPY):
        return read_array(io.BytesIO(data))
    if reading.layers is None or reading.per_visit is None:
        raise TraceError(
            "flat numbers without a shape: -l L, the layers that the server counts (dense ones too, see "
            "--drop-layers), and -g G, the experts of a token and layer, are needed"
        )
    size = FLAT.itemsize * reading.layers * reading.per_visit
    if len(data) % size or not data:
        raise TraceError(
            f"{len(data)} bytes are not whole tokens of {reading.layers} layers × {reading.per_visit} int32"
        )
    return np.frombuffer(data, FLAT).reshape(-1, reading.layers, reading.per_visit)
