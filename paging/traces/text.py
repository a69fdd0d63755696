"""The plain formats ``.txt`` and ``.csv``: page ids separated by white space, commas or newlines."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np

from paging.errors import ModelError, TraceError
from paging.model import MAX_PAGES
from paging.spec import parse_spec
from paging.traces.draft import Draft
from paging.traces.trace import IllegalRequestError, Trace

CHUNK = 1 << 20
LONGEST_LINE = 1 << 24
"""Bytes of the longest line, comment or number that is read; more is taken for a binary file."""

BOM = b"\xef\xbb\xbf"
HEADER = "layered-paging"
COMMENT = re.compile(rb"#[^\n]*")
SEPARATORS = b" \t\r\n,"
NUMBER_BYTES = b"0123456789-" + SEPARATORS
EMPTY_FIELD = re.compile(rb"(?:^|,)[ \t\r]*,", re.MULTILINE)
HEADER_KEYS = {"layers", "pages", "per_visit", "requests"}


def read_text(stream: IO[bytes]) -> Draft:
    """Read page ids, block by block."""
    stated: dict[str, Any] = {}
    values = array("i")
    block = b""
    for line, block in _blocks(stream):
        if line == 1:
            stated |= _header_of_text(block)
        _append_numbers(values, block, line)
    if not values:
        raise TraceError("there is no page id in it")
    if "requests" in stated and not block.endswith(b"\n"):
        raise TraceError("the file does not end with a newline: its last number may be cut off (truncated?)")
    return Draft(np.frombuffer(values, np.int32), stated)


def _blocks(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the text in blocks that cut neither a number nor a comment, with the line each begins on."""
    held, line = stream.read(len(BOM)).removeprefix(BOM), 1
    while True:
        more = stream.read(CHUNK)
        block = held + more
        last_line = block.rfind(b"\n") + 1
        if not more:
            cut = len(block)
        elif b"#" in block[last_line:]:
            cut = last_line
        else:
            cut = max(last_line, _start_of_last_word(block))
        held = block[cut:]
        if len(held) > LONGEST_LINE:
            raise TraceError(f"line {line}: a number or comment is longer than {LONGEST_LINE} bytes")
        if cut:
            yield line, block[:cut]
            line += block.count(b"\n", 0, cut)
        if not more:
            return


def _start_of_last_word(block: bytes) -> int:
    # The separators behind the last word stay with it: two commas must not be torn apart.
    end = len(block.rstrip(SEPARATORS))
    return 1 + max(block.rfind(bytes([separator]), 0, end) for separator in SEPARATORS)


def _header_of_text(block: bytes) -> dict[str, Any]:
    """Find ``# layered-paging key=value …`` among the comments before the first number."""
    for number, line in enumerate(block.split(b"\n"), 1):
        text = line.strip()
        if text and not text.startswith(b"#"):
            return {}
        words = text[1:].decode(errors="replace").split()
        if words[:1] == [HEADER]:
            try:
                stated = parse_spec(f"{HEADER}:{','.join(words[1:])}")[1]
            except ModelError as problem:
                raise TraceError(f"line {number}: {problem}") from None
            if unknown := stated.keys() - HEADER_KEYS:
                known = ", ".join(sorted(HEADER_KEYS))
                raise TraceError(f"line {number}: the header's {min(unknown)} is not known, only {known}")
            return stated
    return {}


def _append_numbers(values: array[int], block: bytes, line: int) -> None:
    if not block.isascii():
        _refuse_bad_encoding(block, line)
    if b"#" in block:
        block = COMMENT.sub(b"", block)
    if bad := block.translate(None, NUMBER_BYTES):
        _refuse_at(block, line, re.escape(bad[:1]), "{word} is not a page id")
    if b"," in block and EMPTY_FIELD.search(block):
        _refuse_at(block, line, EMPTY_FIELD.pattern, "there is nothing before a comma")
    words = block.replace(b",", b" ").split()
    try:
        values.extend(map(int, words))
    except (ValueError, OverflowError):
        wrong = re.escape(next(word for word in words if not _fits(word)))
        _refuse_at(block, line, rb"(?<![^\s,])" + wrong, f"{{word}} is not a page id in 0 … {MAX_PAGES - 1}")


def _fits(word: bytes) -> bool:
    return re.fullmatch(rb"-?[0-9]+", word) is not None and len(word) < 4000 and abs(int(word)) < 2**31


def _refuse_bad_encoding(block: bytes, line: int) -> None:
    try:
        block.decode()
    except UnicodeDecodeError as problem:
        number = line + block.count(b"\n", 0, problem.start)
        raise TraceError(f"line {number}: not UTF-8 text (byte {block[problem.start]:#04x})") from None


def _refuse_at(block: bytes, line: int, pattern: bytes, problem: str) -> None:
    """Raise a TraceError that names the line and the word at which a pattern ends for the first time."""
    found = re.search(pattern, block, re.MULTILINE)
    place = found.end() - 1 if found else 0
    start = 1 + max(block.rfind(bytes([separator]), 0, place) for separator in SEPARATORS)
    word = re.split(rb"[\s,]", block[start : start + 30], maxsplit=1)[0].decode(errors="replace")
    number = line + block.count(b"\n", 0, place)
    raise TraceError(f"line {number}: {problem.format(word=repr(word))}")


def line_of_text(stream: IO[bytes], problem: IllegalRequestError) -> int:
    """Return the line on which an illegal request stands."""
    request = problem.request
    for line, block in _blocks(stream):
        rows = COMMENT.sub(b"", block).replace(b",", b" ").split(b"\n")
        for number, row in enumerate(rows, line):
            request -= len(row.split())
            if request < 0:
                return number
    raise AssertionError("the request was read from this file")


def write_txt(trace: Trace, stream: IO[bytes], separator: bytes = b" ") -> None:
    """Write a header comment, then the page ids of one round per line."""
    pages = trace.pages if isinstance(trace.pages, tuple) else (trace.pages,)
    stream.write(
        f"# {HEADER} layers={trace.layers} pages={'/'.join(map(str, pages))} "
        f"per_visit={trace.per_visit} requests={trace.requests}\n".encode()
    )
    round_length = trace.layers * trace.per_visit
    step = max(1, (1 << 16) // round_length) * round_length
    for start in range(0, trace.requests, step):
        stream.write(_rows(trace.page_ids[start : start + step].tolist(), round_length, separator))


def write_csv(trace: Trace, stream: IO[bytes]) -> None:
    """Write as `write_txt` does, with commas."""
    write_txt(trace, stream, b",")


def _rows(numbers: Sequence[int], width: int, separator: bytes) -> bytes:
    words = [b"%d" % number for number in numbers]
    return b"".join(separator.join(words[i : i + width]) + b"\n" for i in range(0, len(words), width))
