"""The plain formats ``.txt`` and ``.csv``: page ids separated by white space, commas or newlines.

A list has one row, or one page id a row. Several rows of several numbers are a table or rounds, and which of
the two nobody can tell who is not told: they are refused unless a header or the caller says it.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from paging.errors import ModelError, TraceError
from paging.model import pages_text
from paging.spec import parse_spec
from paging.traces.draft import Draft
from paging.traces.numbering import LARGEST, RequestList
from paging.traces.reading import TraceReading
from paging.traces.trace import IllegalRequestError, Trace, ids_kind

CHUNK = 1 << 20
LONGEST_LINE = 1 << 24
"""Bytes of the longest line, comment or number that is read; more is taken for a binary file."""

BOM = b"\xef\xbb\xbf"
HEADER = "layered-paging"
COMMENT = re.compile(rb"#[^\n]*")
SEPARATORS = b" \t\r\n\v\f,"
NUMBER_BYTES = b"0123456789-" + SEPARATORS
EMPTY_FIELD = re.compile(rb"(?:^|,)[ \t\r\v\f]*,", re.MULTILINE)
PRINT_POINT = re.compile(rb"^[ \t]*\*[ \t\r]*$", re.MULTILINE)
"""A line with nothing but a star, which LIRS's own traces hold between requests."""

HEADER_KEYS = {"layers", "pages", "per_visit", "requests", "ids"}
NUMBERS, WORDS = "numbers", "words"
TYPED = re.compile(r"[^\W\d][\w.:/@-]*")
"""A page's name as one may type it without saying that it is one."""

PLAIN_VALUE = re.compile(r"[0-9/]+|[A-Za-z]+")
SHOWN = 6
"""Columns of a row that a message shows."""


def read_text(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read page ids that are whole numbers, block by block."""
    return _read_list(stream, reading, NUMBERS)


def read_words(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read page ids that may be any words."""
    return _read_list(stream, reading, WORDS)


def read_typed(text: str, reading: TraceReading) -> Draft:
    """Read requests typed on a command line: names where all of them begin with a letter."""
    named = reading.format == "words" or all(map(TYPED.fullmatch, text.replace(",", " ").split()))
    return _read_list(io.BytesIO(text.encode() + b"\n"), reading, WORDS if named else NUMBERS)


def _read_list(stream: IO[bytes], reading: TraceReading, kind: str) -> Draft:
    stated: dict[str, Any] = {}
    requests, rows = RequestList(), _Rows()
    stars, block = 0, b""
    for line, block in _blocks(stream):
        if line == 1 and not rows.count:
            stated |= _header_of_text(block)
            kind = stated.pop("ids", kind)
        text, found = _without_comments(block, line)
        stars += found
        words = _numbers(text, line) if kind == NUMBERS else _words(text)
        requests.extend(words)
        rows.add(text)
    if not requests:
        raise TraceError("there is no page id in it")
    if "requests" in stated and not block.endswith(b"\n"):
        raise TraceError("the file does not end with a newline: its last number may be cut off (truncated?)")
    if not stated and not reading.names_rounds:
        rows.refuse_table(len(requests))
    remarks = (f"lines of nothing but '*' are print points: {stars:,} skipped",) if stars else ()
    return Draft(requests.values, stated, ids=requests.ids, remarks=remarks)


@dataclass
class _Rows:
    """How many rows there are, and what the first one holds."""

    count: int = 0
    first: tuple[str, ...] = ()
    is_open: bool = False

    def add(self, text: bytes) -> None:
        """Count the rows of a block, which may go on in the next one."""
        rows = text.split(b"\n")
        filled = [not row.isspace() for row in rows if row]
        begun = self.is_open and bool(rows[0].strip())
        self.count += sum(filled) - begun
        self.is_open = bool(rows[-1].strip()) or (self.is_open and len(rows) == 1)
        if not self.first and any(filled):
            row = next(row for row in rows if row.strip())
            self.first = tuple(row.replace(b",", b" ").decode(errors="replace").split())

    def refuse_table(self, words: int) -> None:
        """Raise a TraceError where several rows hold more than one number."""
        if self.count > 1 and words > self.count:
            width = len(self.first)
            shown = ", ".join(self.first[:SHOWN]) + (", …" if width > SHOWN else "")
            raise TraceError(
                f"{self.count:,} rows hold {words:,} numbers (the first row {width} columns: {shown}): is it "
                "a table, or rounds? --column N or NAME takes one column, --column all every number; -l, -n "
                "and -g say that rows are rounds; --format names a known layout"
            )


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
            for word in words[1:]:
                if not PLAIN_VALUE.fullmatch(word.partition("=")[2]):
                    raise TraceError(f"line {number}: {word!r} must give whole numbers in the digits 0 … 9")
            if stated.get("ids", NUMBERS) not in (NUMBERS, WORDS):
                raise TraceError(f"line {number}: ids must be {NUMBERS} or {WORDS}, got {stated['ids']!r}")
            if unknown := stated.keys() - HEADER_KEYS:
                known = ", ".join(sorted(HEADER_KEYS))
                raise TraceError(f"line {number}: the header's {min(unknown)} is not known, only {known}")
            return stated
    return {}


def _without_comments(block: bytes, line: int) -> tuple[bytes, int]:
    """Return the block without comments and print points, and how many of the latter it had."""
    if not block.isascii():
        _refuse_bad_encoding(block, line)
    text = COMMENT.sub(b"", block) if b"#" in block else block
    return PRINT_POINT.subn(b"", text) if b"*" in text else (text, 0)


def _numbers(text: bytes, line: int) -> list[int]:
    hint = "; --column names the column of a table, --format words takes any word for a page id"
    if {b"layer", b"expert"} <= set(re.split(rb"[\s,;]+", text.partition(b"\n")[0].lower())):
        hint = "; --format layer-expert reads columns of these names"
    if bad := text.translate(None, NUMBER_BYTES):
        _refuse_at(text, line, re.escape(bad[:1]), "{word} is not a page id" + hint)
    if b"," in text and EMPTY_FIELD.search(text):
        _refuse_at(text, line, EMPTY_FIELD.pattern, "there is nothing before a comma")
    words = text.replace(b",", b" ").split()
    numbers: list[int] | None = None
    with contextlib.suppress(ValueError):
        numbers = list(map(int, words))
    if numbers is None or (numbers and (min(numbers) < 0 or max(numbers) > LARGEST)):
        wrong = re.escape(next(word for word in words if not _fits(word)))
        _refuse_at(text, line, rb"(?<![^\s,])" + wrong, f"{{word}} is not a page id in 0 … {LARGEST}")
    return numbers


def _words(text: bytes) -> list[str]:
    return text.decode().replace(",", " ").split()


def _fits(word: bytes) -> bool:
    return re.fullmatch(rb"[0-9]{1,4000}", word) is not None and int(word) <= LARGEST


def _refuse_bad_encoding(block: bytes, line: int) -> None:
    try:
        block.decode()
    except UnicodeDecodeError as problem:
        number = line + block.count(b"\n", 0, problem.start)
        raise TraceError(f"line {number}: not UTF-8 text (byte {block[problem.start]:#04x})") from None


def _refuse_at(block: bytes, line: int, pattern: bytes, problem: str) -> NoReturn:
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
        rows = _without_comments(block, line)[0].replace(b",", b" ").split(b"\n")
        for number, row in enumerate(rows, line):
            request -= len(row.split())
            if request < 0:
                return number
    raise AssertionError("the request was read from this file")


def write_txt(trace: Trace, stream: IO[bytes], separator: bytes = b" ") -> None:
    """Write a header comment, then the page ids of one round per line."""
    if trace.places is not None:
        raise TraceError("text holds full visits only, and some visits are shorter: use .npz, .jsonl or .npy")
    shape = f"layers={trace.layers} per_visit={trace.per_visit}"
    ids = ids_kind(trace.ids)
    shape += f" pages={pages_text(trace.pages)}" if ids is None else f" ids={ids}"
    stream.write(f"# {HEADER} {shape} requests={trace.requests}\n".encode())
    names = None if trace.ids is None else [_as_word(name) for name in trace.ids]
    round_length = trace.layers * trace.per_visit
    step = max(1, (1 << 16) // round_length) * round_length
    for start in range(0, trace.requests, step):
        pages = trace.page_ids[start : start + step].tolist()
        words = [b"%d" % page for page in pages] if names is None else [names[page] for page in pages]
        stream.write(_rows(words, round_length, separator))


def _as_word(name: object) -> bytes:
    word = str(name)
    if word == "*" or not re.fullmatch(r"[^\s,#]+", word):
        raise TraceError(f"the page id {word!r} cannot be written as a word of text: use .npz or .jsonl")
    return word.encode()


def write_csv(trace: Trace, stream: IO[bytes]) -> None:
    """Write as `write_txt` does, with commas."""
    write_txt(trace, stream, b",")


def _rows(words: Sequence[bytes], width: int, separator: bytes) -> bytes:
    return b"".join(separator.join(words[i : i + width]) + b"\n" for i in range(0, len(words), width))
