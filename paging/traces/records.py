"""The record format ``.jsonl``: one JSON object per token."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from itertools import chain
from reprlib import repr as shorten
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.traces.draft import Draft
from paging.traces.text import BOM, LONGEST_LINE
from paging.traces.trace import IllegalRequestError, Trace

HEADER_KEY, VERSION = "layered_paging", 1


def read_jsonl(stream: IO[bytes]) -> Draft:
    """Read one JSON record per token, line by line."""
    header: dict[str, Any] = {}
    columns: _Columns | None = None
    for place, (number, line) in enumerate(_lines(stream)):
        record = _record(line, number)
        if place == 0 and HEADER_KEY in record:
            header = _header_of(record, number)
            continue
        if columns is None:
            columns = _Columns(record, number)
        columns.append(record, number)
    if columns is None:
        raise TraceError("there is no record in it")
    return columns.draft(header)


class _Columns:
    """All records so far as flat arrays, and the shape that the first one has and all others must share."""

    def __init__(self, first: dict[str, Any], number: int) -> None:
        experts = first.get("experts")
        if not (isinstance(experts, list) and experts and isinstance(experts[0], list) and experts[0]):
            raise TraceError(f'line {number}: "experts" must be a list of layers, each a list of integers')
        self.layers, self.per_visit = len(experts), len(experts[0])
        self.experts = array("i")
        self.seq_id = array("q") if "seq_id" in first else None
        self.decode = bytearray() if "decode" in first else None

    def append(self, record: dict[str, Any], number: int) -> None:
        """Check one record and take its numbers over."""
        try:
            self._check_experts(record.get("experts"))
            self.experts.extend(chain.from_iterable(record["experts"]))
            if self._wanted(self.seq_id is not None, record, "seq_id", int):
                self.seq_id.append(record["seq_id"])  # type: ignore[union-attr]
            if self._wanted(self.decode is not None, record, "decode", bool):
                self.decode.append(record["decode"])  # type: ignore[union-attr]
        except OverflowError:
            raise TraceError(f"line {number}: a number does not fit (experts int32, seq_id int64)") from None
        except TraceError as problem:
            raise TraceError(f"line {number}: {problem}") from None

    def draft(self, header: dict[str, Any]) -> Draft:
        """Return everything read."""
        return Draft(
            np.frombuffer(self.experts, np.int32).reshape(-1, self.layers, self.per_visit),
            {key: header.get(key) for key in ("layers", "pages", "per_visit", "tokens")},
            seq_id=None if self.seq_id is None else np.frombuffer(self.seq_id, np.int64),
            decode=None if self.decode is None else np.frombuffer(self.decode, np.bool_),
            name=text_or_none(header.get("name")),
            metadata=header.get("metadata", {}),
        )

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
                return f"layer {layer} must be a list of {self.per_visit} integers, got {shorten(visit)}"
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
    for place, (number, line) in enumerate(_lines(stream)):
        if place == 0 and HEADER_KEY in _record(line, number):
            token += 1
        if place == token:
            return number
    raise AssertionError("the request was read from this file")


def write_jsonl(trace: Trace, stream: IO[bytes]) -> None:
    """Write a header record, then one record per token."""
    kept = ("layers", "pages", "per_visit", "tokens", "name", "metadata")
    header = {HEADER_KEY: VERSION} | {key: getattr(trace, key) for key in kept}
    stream.write(json_line(header))
    for start, experts in _rounds(trace):
        columns = {"experts": experts, "seq_id": trace.seq_id, "decode": trace.decode}
        lists = {
            key: (values if key == "experts" else values[start : start + len(experts)]).tolist()
            for key, values in columns.items()
            if values is not None
        }
        rows = zip(*lists.values(), strict=True)
        stream.write(b"".join(json_line(dict(zip(lists, row, strict=True))) for row in rows))


def _rounds(trace: Trace) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Yield the number of a first token and the experts of some thousand tokens, (tokens, layers, top_k)."""
    trace.require_whole_rounds()
    round_length = trace.layers * trace.per_visit
    step = max(1, (1 << 16) // round_length)
    for token in range(0, trace.tokens, step):
        stop = min(token + step, trace.tokens)
        experts = trace.experts_of(token * round_length, stop * round_length)
        yield token, experts.reshape(-1, trace.layers, trace.per_visit)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
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
        return json.loads(text.decode())
    except UnicodeDecodeError as problem:
        raise TraceError(f"not UTF-8 text at byte {problem.start}") from None
    except json.JSONDecodeError as problem:
        raise TraceError(f"not JSON at character {problem.pos}: {problem.msg}") from None
    except (ValueError, RecursionError) as problem:
        raise TraceError(f"not JSON that can be read: {problem}") from None


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
