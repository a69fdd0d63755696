"""The record format ``.jsonl``: one JSON object per token."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from reprlib import repr as shorten
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.files import without_repeats
from paging.traces.draft import Draft
from paging.traces.numbering import LARGEST
from paging.traces.reading import TraceReading
from paging.traces.text import BOM, LONGEST_LINE
from paging.traces.trace import IllegalRequestError, Trace

HEADER_KEY, VERSION = "layered_paging", 1


def read_jsonl(stream: IO[bytes], _reading: TraceReading) -> Draft:
    """Read one JSON record per token, line by line."""
    header, records = _with_header(stream)
    columns: _Columns | None = None
    for number, record in records:
        if columns is None:
            columns = _Columns(record, number)
        columns.append(record, number)
    if columns is None:
        raise TraceError("there is no record in it")
    return columns.draft(header)


def expert_blocks(stream: IO[bytes], size: int) -> tuple[dict[str, Any], Iterator[NDArray[np.int32]]]:
    """Return the header and the experts in blocks (tokens, layers, top_k) of about so many requests.

    All records are checked as :func:`read_jsonl` checks them.
    """
    header, records = _with_header(stream)
    return header, _blocks(records, size)


def _blocks(records: Iterator[tuple[int, dict[str, Any]]], size: int) -> Iterator[NDArray[np.int32]]:
    begun = next(records, None)
    if begun is None:
        raise TraceError("there is no record in it")
    shape = _Columns(begun[1], begun[0])
    length = max(1, size // (shape.layers * shape.per_visit))
    records = chain((begun,), records)
    while part := list(islice(records, length)):
        columns = _Columns(begun[1], begun[0])
        for number, record in part:
            columns.append(record, number)
        yield np.frombuffer(columns.experts, np.int32).reshape(-1, columns.layers, columns.per_visit)


def _with_header(stream: IO[bytes]) -> tuple[dict[str, Any], Iterator[tuple[int, dict[str, Any]]]]:
    """Return the header, empty where there is none, and the numbered records of tokens."""
    records = json_records(stream)
    first = next(records, None)
    if first is None:
        return {}, iter(())
    number, record = first
    return (_header_of(record, number), records) if HEADER_KEY in record else ({}, chain((first,), records))


class _Columns:
    """All records so far as flat arrays, and the shape that the first one has and all others must share."""

    def __init__(self, first: dict[str, Any], number: int) -> None:
        experts = first.get("experts")
        if not (isinstance(experts, list) and experts and isinstance(experts[0], list) and experts[0]):
            raise TraceError(
                f'line {number}: "experts" must be a list of layers, each a list of integers '
                "(--fields reads one record per token and layer)"
            )
        self.layers, self.per_visit = len(experts), len(experts[0])
        self.experts = array("i")
        self.seq_id = array("q") if "seq_id" in first else None
        self.decode = bytearray() if "decode" in first else None
        self.predictions = array("q") if "predictions" in first else None
        self.weights = array("f") if "weights" in first else None

    def append(self, record: dict[str, Any], number: int) -> None:
        """Check one record and take its numbers over."""
        try:
            self._check_experts(record.get("experts"))
            self.experts.extend(chain.from_iterable(record["experts"]))
            if self._wanted(self.seq_id is not None, record, "seq_id", int):
                self.seq_id.append(record["seq_id"])  # type: ignore[union-attr]
            if self._wanted(self.decode is not None, record, "decode", bool):
                self.decode.append(record["decode"])  # type: ignore[union-attr]
            if self._wanted(self.weights is not None, record, "weights", list):
                self.weights.extend(self._weights_of(record["weights"]))  # type: ignore[union-attr]
            if self._wanted(self.predictions is not None, record, "predictions", list):
                self._check_predictions(record["predictions"])
                self.predictions.extend(chain.from_iterable(record["predictions"]))  # type: ignore[union-attr]
        except OverflowError:
            raise TraceError(
                f"line {number}: a number does not fit (experts int32, seq_id and predictions int64, "
                "weights float32)"
            ) from None
        except TraceError as problem:
            raise TraceError(f"line {number}: {problem}") from None

    def draft(self, header: dict[str, Any]) -> Draft:
        """Return everything read."""
        experts = np.frombuffer(self.experts, np.int32).reshape(-1, self.layers, self.per_visit)
        ids = ids_or_none(header.get("ids"))
        return Draft(
            experts if ids is None else flat_list(experts, ids),
            {
                key: None if key == "pages" and ids is not None else header.get(key)
                for key in ("layers", "pages", "per_visit", "tokens")
            },
            seq_id=None if self.seq_id is None else np.frombuffer(self.seq_id, np.int64),
            decode=None if self.decode is None else np.frombuffer(self.decode, np.bool_),
            name=text_or_none(header.get("name")),
            metadata=header.get("metadata", {}),
            ids=ids,
            gate_weights=None
            if self.weights is None
            else np.frombuffer(self.weights, np.float32).reshape(experts.shape),
            predicted=header.get("predictions"),
            predictions=self._told(ids is not None),
        )

    def _told(self, flat: bool) -> NDArray[np.int64] | None:
        if self.predictions is None:
            return None
        values = np.frombuffer(self.predictions, np.int64)
        return values if flat else values.reshape(-1, self.layers, self.per_visit)

    def _check_predictions(self, values: list[Any]) -> None:
        shaped = len(values) == self.layers and all(
            type(visit) is list and len(visit) == self.per_visit for visit in values
        )
        if not shaped or set(map(type, chain.from_iterable(values))) != {int}:
            raise TraceError(
                f'"predictions" must be {self.layers} lists of {self.per_visit} integers, '
                f"got {shorten(values)}"
            )

    def _weights_of(self, weights: list[Any]) -> list[float]:
        """Return the gate weights of a record as one list, or refuse them."""
        if set(map(type, weights)) != {list} or list(map(len, weights)) != [self.per_visit] * self.layers:
            raise TraceError(
                f'"weights" must have {self.layers} layers, each a list of {self.per_visit} numbers'
            )
        flat = list(chain.from_iterable(weights))
        for weight in flat:
            if type(weight) not in (int, float) or not 0 <= weight < math.inf:
                raise TraceError(f"a gate weight must be a finite number ≥ 0, got {shorten(weight)}")
        return flat

    def _check_experts(self, experts: Any) -> None:
        if type(experts) is not list or len(experts) != self.layers:
            found = f"{len(experts)} layers" if isinstance(experts, list) else shorten(experts)
            raise TraceError(f'"experts" must have {self.layers} layers, got {found}')
        if set(map(type, experts)) != {list} or set(map(len, experts)) != {self.per_visit}:
            raise TraceError(self._wrong_visit(experts))
        # By type, not by conversion: to Python True is an integer, and 1.0 is quietly cut down elsewhere.
        if set(map(type, chain.from_iterable(experts))) != {int}:
            raise TraceError(self._wrong_expert(experts))

    def _wrong_visit(self, experts: list[Any]) -> str:
        for layer, visit in enumerate(experts):
            if type(visit) is not list or len(visit) != self.per_visit:
                return (
                    f"layer {layer} must be a list of {self.per_visit} integers, got {shorten(visit)} "
                    "(−1 fills the slots that a token did not use)"
                )
        raise AssertionError("called only where a visit is wrong")

    def _wrong_expert(self, experts: list[list[Any]]) -> str:
        for place, expert in enumerate(chain.from_iterable(experts)):
            if type(expert) is not int:
                layer, slot = divmod(place, self.per_visit)
                return f"layer {layer}, slot {slot}: an expert must be an integer, got {shorten(expert)}"
        raise AssertionError("called only where an expert is wrong")

    @staticmethod
    def _wanted(wanted: bool, record: dict[str, Any], key: str, kind: type) -> bool:
        if wanted != (key in record):
            raise TraceError(f'either every record has "{key}" or none')
        if wanted and type(record[key]) is not kind:
            raise TraceError(f'"{key}" must be of type {kind.__name__}, got {shorten(record[key])}')
        return wanted


def line_of_jsonl(stream: IO[bytes], problem: IllegalRequestError) -> int:
    """Return the line on which the token of an illegal request stands."""
    token = problem.token
    for place, (number, line) in enumerate(text_lines(stream)):
        if place == 0 and HEADER_KEY in _record(line, number):
            token += 1
        if place == token:
            return number
    raise AssertionError("the request was read from this file")


def write_jsonl(trace: Trace, stream: IO[bytes]) -> None:
    """Write a header record, then one record per token."""
    kept = ("layers", "pages", "per_visit", "tokens", "name", "metadata")
    header = {HEADER_KEY: VERSION} | {key: getattr(trace, key) for key in kept} | plain_ids(trace)
    header |= {} if trace.predicted is None else {"predictions": trace.predicted}
    stream.write(json_line(header))
    for start, experts in _rounds(trace):
        columns = {"seq_id": trace.seq_id, "decode": trace.decode}
        lists = {"experts": experts.tolist()} | {
            key: values[start : start + len(experts)].tolist()
            for key, values in columns.items()
            if values is not None
        }
        if trace.predicted is not None:
            length = trace.layers * trace.per_visit
            told = trace.predictions_of(start * length, (start + len(experts)) * length)
            lists["predictions"] = told.reshape(experts.shape).tolist()
        if trace.gate_weights is not None:
            lists["weights"] = _shortest(trace, start, experts.shape)
        rows = zip(*lists.values(), strict=True)
        stream.write(b"".join(json_line(dict(zip(lists, row, strict=True))) for row in rows))


def _shortest(trace: Trace, token: int, shape: tuple[int, ...]) -> list[Any]:
    """Return gate weights of tokens as the shortest decimals that stand for the same float32."""
    first = token * shape[1] * shape[2]
    weights = trace.gate_weights_of(first, first + math.prod(shape))
    nested: list[Any] = weights.astype("U").astype(np.float64).reshape(shape).tolist()
    return nested


def _rounds(trace: Trace) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Yield the number of a first token and the experts of some thousand tokens, (tokens, layers, top_k)."""
    trace.require_whole_rounds()
    round_length = trace.layers * trace.per_visit
    step = max(1, (1 << 16) // round_length)
    for token in range(0, trace.tokens, step):
        stop = min(token + step, trace.tokens)
        experts = trace.experts_of(token * round_length, stop * round_length)
        yield token, experts.reshape(-1, trace.layers, trace.per_visit)


def text_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield number (from 1) and text of every line that is not blank."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise TraceError(f"line {number} is longer than {LONGEST_LINE} bytes")
        if number == 1 and line.startswith(BOM):
            line = line[len(BOM) :]
        if not line.isspace():
            yield number, line


def json_records(stream: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number (from 1) and contents of every line, each of which must be a JSON object."""
    for number, line in text_lines(stream):
        yield number, _record(line, number)


def _record(line: bytes, number: int) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except TraceError as problem:
        hint = "" if line.endswith(b"\n") else "; the file ends in this line (truncated?)"
        raise TraceError(f"line {number}: {problem}{hint}") from None
    if not isinstance(record, dict):
        raise TraceError(f"line {number}: a JSON object is wanted, got {type(record).__name__}")
    return record


def _header_of(record: dict[str, Any], number: int) -> dict[str, Any]:
    version = record[HEADER_KEY]
    if type(version) is not int or version != VERSION:
        raise TraceError(
            f"line {number}: version {shorten(version)} of the header is not known, only {VERSION}"
        )
    if not isinstance(record.get("metadata", {}), dict):
        raise TraceError(f"line {number}: metadata must be a JSON object")
    return record


def parse_json(text: bytes) -> Any:
    """Parse UTF-8 JSON; whatever is wrong becomes a TraceError with a byte offset where there is one."""
    try:
        return json.loads(text.decode(), object_pairs_hook=without_repeats)
    except UnicodeDecodeError as problem:
        raise TraceError(f"not UTF-8 text at byte {problem.start}") from None
    except json.JSONDecodeError as problem:
        raise TraceError(f"not JSON at character {problem.pos}: {problem.msg}") from None
    except (ValueError, RecursionError) as problem:
        raise TraceError(f"not JSON that can be read: {problem}") from None


def plain_ids(trace: Trace) -> dict[str, list[object]]:
    """Return the page ids of the source for JSON, if a trace has them."""
    if trace.ids is None:
        return {}
    return {"ids": list(trace.ids) if isinstance(trace.ids, tuple) else np.asarray(trace.ids).tolist()}


def ids_or_none(given: Any) -> Sequence[object] | None:
    """Return the page ids of the source that a file states, or raise a TraceError."""
    if given is None:
        return None
    kinds = set(map(type, given)) if isinstance(given, list) else set()
    if kinds == {int} and all(0 <= number <= LARGEST for number in given) and len(set(given)) == len(given):
        return np.array(given, dtype=np.uint64)  # type: ignore[return-value]
    if kinds == {str} and len(set(given)) == len(given):
        return tuple(given)
    raise TraceError(
        f"ids must be a list of different whole numbers in 0 … {LARGEST}, or of different texts, "
        f"got {shorten(given)}"
    )


def flat_list(experts: NDArray[Any], ids: Sequence[object]) -> NDArray[np.int32]:
    """Return an array of experts as the list of named pages that it was written from."""
    if experts.ndim not in (2, 3) or experts.shape[1] != 1 or experts.size == 0:
        raise TraceError(f"ids are for lists of pages, of one layer; the experts have shape {experts.shape}")
    if experts.min() < 0 or experts.max() >= len(ids):
        raise TraceError(f"the file names {len(ids)} pages, but asks for {experts.min()} … {experts.max()}")
    return experts.reshape(-1).astype(np.int32)


def json_line(record: object, indent: int | None = None) -> bytes:
    """Write one JSON value and a newline; what JSON does not know becomes a TraceError."""
    try:
        return json.dumps(record, indent=indent, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as problem:
        raise TraceError(f"metadata cannot be written as JSON: {problem}") from None


def text_or_none(value: Any) -> str | None:
    """Return a name from a file, or raise a TraceError if it is not text."""
    if value is not None and not isinstance(value, str):
        raise TraceError(f"name must be text, got {shorten(value)}")
    return value
