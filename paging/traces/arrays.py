"""Array formats: a bare ``.npy``, and an ``.npz`` archive with a JSON sidecar."""

from __future__ import annotations

import hashlib
import math
import re
import zipfile
from collections.abc import Sequence
from reprlib import repr as shorten
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.traces.draft import Draft
from paging.traces.opening import archive_of
from paging.traces.reading import TraceReading
from paging.traces.records import flat_list, ids_or_none, json_line, parse_json, plain_ids, text_or_none
from paging.traces.scores import chosen, refuse_other_arrays
from paging.traces.trace import Trace

CHUNK = 1 << 20
INT16 = np.dtype("<i2")


def read_npy(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read a bare array (tokens, layers, top_k) or (tokens, layers), or scores (tokens, layers, experts)."""
    array = tokens_first(read_array(stream, "f" if reading.scores else "iu"), reading)
    return _from_scores(array, reading) if reading.scores else Draft(array)


def tokens_first(array: NDArray[Any], reading: TraceReading) -> NDArray[Any]:
    """Return an array whose first two axes are tokens and layers, from one with the order that is told."""
    return np.swapaxes(array, 0, 1) if reading.layers_first and array.ndim > 1 else array


def _from_scores(scores: NDArray[Any], reading: TraceReading, **columns: Any) -> Draft:
    experts, remarks = chosen(scores, reading.per_visit)
    remarks = (*columns.pop("remarks", ()), *remarks)
    return Draft(experts, {"pages": scores.shape[2]}, "the scores", remarks=remarks, **columns)


def write_npy(trace: Trace, stream: IO[bytes]) -> None:
    """Write the expert indices as int16 where they fit, otherwise int32; nothing else is kept."""
    np.lib.format.write_array(stream, _narrow_experts(trace), allow_pickle=False)


def read_npz(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read the arrays experts, seq_id, decode, weights and predictions of an archive, and no others."""
    with archive_of(stream, reading.unpack_limit) as archive:
        members = archive.namelist()
        if twice := sorted({name for name in members if members.count(name) > 1}):
            raise TraceError(f"the archive holds {twice[0]!r} twice")
        if reading.scores:
            return _read_scores(archive, [name.removesuffix(".npy") for name in members], reading)
        kinds = {experts_member(members): "iu"} | BESIDE_EXPERTS
        names = [name for name in kinds if f"{name}.npy" in members]
        found = {name: _read_member(archive, name, kinds[name]) for name in names}
    experts = tokens_first(found[names[0]], reading)
    weights, told = (
        tokens_first(found[name], reading) if name in found else None for name in ("weights", "predictions")
    )
    return Draft(
        experts,
        seq_id=found.get("seq_id"),
        decode=found.get("decode"),
        gate_weights=weights,
        predicted=str(found["prediction_kind"]) if "prediction_kind" in found else None,
        predictions=told,
    )


BESIDE_EXPERTS = {
    **{"seq_id": "iu", "decode": "b", "weights": "f"},
    **{"predictions": "iu", "prediction_kind": "U"},
}
"""Arrays that may stand beside the experts, and their kinds of numbers; weights are those of the gate."""

UNNAMED = "arr_0"
"""What numpy calls an array that was saved without a name."""


def experts_member(members: Sequence[str]) -> str:
    """Return which array of an archive holds the experts: that of this name, or the only one if it has none.

    Raises
    ------
    TraceError
        There is no such array.
    """
    names = [name.removesuffix(".npy") for name in members]
    if "experts" in names:
        return "experts"
    if names == [UNNAMED]:
        return UNNAMED
    only = shorten(sorted(names))
    raise TraceError(f"no array 'experts' in the archive, only {only}: numpy.savez(FILE, experts=…) names it")


BESIDE_SCORES = {"attention_mask": "iub", "seq_id": "iu", "decode": "b", "weights": "f", "experts": "iu"}
"""Arrays that may stand beside scores, and their kinds of numbers; the last two are left unread."""

NUMBERED = re.compile(r"\D*(\d+)\D*")


def _read_scores(archive: zipfile.ZipFile, names: list[str], reading: TraceReading) -> Draft:
    """Read scores of all layers, or one array (tokens, experts) a layer whose name ends in its number.

    ``attention_mask`` (batch, tokens) marks the rows that are tokens and not padding, and sequences.
    """
    refuse_other_arrays(names)
    layers = [name for name in names if name not in BESIDE_SCORES]
    if not layers:
        raise TraceError(f"no scores in the archive, only {shorten(sorted(names))}")
    if len(layers) == 1:
        scores = _read_member(archive, layers[0], "f")
        scores = tokens_first(scores, reading) if scores.ndim == 3 else scores[:, np.newaxis]
    else:
        numbers = [NUMBERED.fullmatch(name) for name in layers]
        if not all(numbers) or len({int(found[1]) for found in numbers if found}) < len(layers):
            raise TraceError(
                f"one array per layer is wanted, numbered in its name, got {shorten(sorted(layers))}"
            )
        ordered = [name for _, name in sorted((int(found[1]), found[0]) for found in numbers if found)]
        arrays = [_read_member(archive, name, "f") for name in ordered]
        if any(array.shape != arrays[0].shape or array.ndim != 2 for array in arrays):
            raise TraceError(f"arrays (tokens, experts) of one shape are wanted, got {arrays[0].shape}, …")
        scores = np.stack(arrays, axis=1)
    columns: dict[str, Any] = {
        name: _read_member(archive, name, BESIDE_SCORES[name])
        for name in ("seq_id", "decode")
        if name in names
    }
    if "attention_mask" in names:
        mask = _read_member(archive, "attention_mask", BESIDE_SCORES["attention_mask"]).astype(np.bool_)
        if mask.size != len(scores) or mask.ndim != 2:
            raise TraceError(f"attention_mask {mask.shape} does not fit {len(scores)} rows of scores")
        kept, rows = mask.reshape(-1), np.repeat(np.arange(len(mask)), mask.shape[1])
        columns = {"seq_id": rows} | columns
        columns = {name: values[kept] for name, values in columns.items() if len(values) == len(kept)}
        padding = int(np.count_nonzero(~kept))
        if padding:
            columns["remarks"] = (f"{padding:,} of {len(kept):,} rows are padding and are left out",)
        scores = scores[kept]
    return _from_scores(scores, reading, **columns)


def _read_member(archive: zipfile.ZipFile, name: str, kinds: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as stream:
        try:
            return read_array(stream, kinds)
        except TraceError as problem:
            raise TraceError(f"array {name!r}: {problem}") from None


def write_npz(trace: Trace, stream: IO[bytes]) -> None:
    """Write the arrays experts, seq_id, decode, weights and predictions, compressed."""
    experts = _narrow_experts(trace)
    weights = None
    if trace.gate_weights is not None:
        weights = trace.gate_weights_of(0, trace.all_places).reshape(experts.shape)
    optional = {"seq_id": trace.seq_id, "decode": trace.decode, "weights": weights}
    if trace.predicted is not None:
        told = trace.predictions_of(0, trace.all_places).reshape(experts.shape)
        optional |= {"predictions": told, "prediction_kind": np.array(trace.predicted)}
    given: dict[str, Any] = {key: values for key, values in optional.items() if values is not None}
    np.savez_compressed(stream, experts=experts, **given)


def _narrow_experts(trace: Trace) -> NDArray[Any]:
    experts = trace.experts
    return experts.astype("<i2" if experts.max() < 2**15 else "<i4", copy=False)


KINDS = {"iu": "integers", "b": "booleans", "U": "text", "f": "floats", "iub": "integers or booleans"}


def read_array(stream: IO[bytes], kinds: str = "iu") -> NDArray[Any]:
    """Read one array in numpy's format without trusting its header: no pickle, no memory before the data."""
    shape, in_columns, dtype = read_header(stream, kinds)
    wanted = math.prod(shape) * dtype.itemsize
    data = _read_up_to(stream, wanted + 1)
    if len(data) != wanted:
        problem = f"only {len(data)} are there (truncated?)" if len(data) < wanted else "more follow"
        raise TraceError(f"an array of shape {shape} and dtype {dtype} takes {wanted} bytes, but {problem}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if in_columns else "C")


def read_header(stream: IO[bytes], kinds: str = "iu") -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read what stands before an array in numpy's format: shape, whether it is stored in columns, dtype."""
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in header:
        raise TraceError(f"numpy's file format {version[0]}.{version[1]} is not one of plain integers")
    shape, in_columns, dtype = header[version](stream)
    if dtype.hasobject or dtype.kind not in kinds:
        kind = "an object array, which is never read" if dtype.hasobject else f"dtype {dtype}"
        hint = "; --scores takes scores of a router" if kinds == "iu" and dtype.kind == "f" else ""
        raise TraceError(f"an array of {KINDS[kinds]} is wanted, got {kind}{hint}")
    return shape, in_columns, dtype


def _read_up_to(stream: IO[bytes], count: int) -> bytearray:
    data = bytearray()
    while len(data) < count and (block := stream.read(min(CHUNK, count - len(data)))):
        data += block
    return data


SIDECAR_OF_STATED = {
    "tokens": "tokens",
    "layers": "layers",
    "per_visit": "top_k",
    "pages": "experts_per_layer",
    "requests": "requests",
    "digest": "digest",
}
"""Our name of a number → its key in the sidecar."""


def read_sidecar(stream: IO[bytes], draft: Draft) -> None:
    """Add to a draft what the JSON file beside an .npz says."""
    record = parse_json(stream.read())
    if not isinstance(record, dict):
        raise TraceError(f"a JSON object is wanted, got {type(record).__name__}")
    _refuse_other_bytes(draft.values, record.pop("experts_sha256", None))
    draft.name = text_or_none(record.pop("name", None))
    ids = ids_or_none(record.pop("ids", None))
    if ids is not None:
        draft.values, draft.ids = flat_list(draft.values, ids), ids
    draft.stated = {key: record.pop(theirs, None) for key, theirs in SIDECAR_OF_STATED.items()}
    if ids is not None:
        draft.stated["pages"] = None  # it would say that the ids are page ids of a stated shape
    draft.metadata = record


def _refuse_other_bytes(experts: NDArray[Any], wanted: Any) -> None:
    # Known to be the hash of the array's own bytes where those are int16; elsewhere it proves nothing.
    if wanted is None or experts.dtype != INT16:
        return
    found = _sha256(experts)
    if found != wanted:
        raise TraceError(f"experts_sha256 is {shorten(wanted)}, but the array's bytes have {found}")


def _sha256(experts: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(experts).data).hexdigest()


def write_sidecar(trace: Trace, stream: IO[bytes]) -> None:
    """Write the JSON file beside an .npz: the metadata, then what the array cannot say."""
    experts = _narrow_experts(trace)
    record: dict[str, Any] = {**trace.metadata, "name": trace.name}
    record |= {theirs: getattr(trace, key) for key, theirs in SIDECAR_OF_STATED.items()}
    record |= plain_ids(trace)
    if experts.dtype == INT16:
        record["experts_sha256"] = _sha256(experts)
    stream.write(json_line(record, indent=1))
