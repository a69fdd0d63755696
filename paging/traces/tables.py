"""Text tables: one request, or a range of blocks, a row; the known layouts of block and key traces."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from paging.errors import TraceError
from paging.traces.draft import Draft
from paging.traces.numbering import WHOLE, RequestList
from paging.traces.reading import TraceReading
from paging.traces.records import text_lines

LONGEST_RANGE = 1 << 24
"""Most pages that one row may ask for."""

SECTOR = 512
"""Bytes of a disk's block, in which addresses are counted where they are not counted in bytes."""

TABS = {"tab": "\t"}


@dataclass(frozen=True)
class Layout:
    """A table whose columns are known.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns in their order.
    page : tuple of str
        The columns that together name a page; the last one is an address where there is a unit.
    delimiter : str or None
        What separates columns; None for white space.
    size : str, optional
        The column of sizes in bytes, or of how many blocks are asked for (see ``count``).
    unit : int, optional
        Bytes from one address to the next.
    count : bool
        Whether ``size`` counts blocks: a row then asks for all of them.
    more : bool
        Whether further columns may follow.
    """

    columns: tuple[str, ...]
    page: tuple[str, ...]
    delimiter: str | None = ","
    size: str | None = None
    unit: int | None = None
    count: bool = False
    more: bool = False

    def places(self, names: Sequence[str]) -> list[int]:
        """Return the columns of some names, from 0."""
        return [self.columns.index(name) for name in names]


ARC = Layout(("start", "blocks", "ignored", "request"), ("start",), None, "blocks", count=True)
SPC = Layout(
    ("unit", "address", "size", "opcode", "time"), ("unit", "address"), ",", "size", SECTOR, more=True
)
MSR = Layout(
    ("Timestamp", "Hostname", "DiskNumber", "Type", "Offset", "Size", "ResponseTime"),
    ("Hostname", "DiskNumber", "Offset"),
    size="Size",
    unit=1,
)
TWITTER = Layout(("time", "key", "key size", "size", "client", "operation", "ttl"), ("key",), size="size")
CLOUDPHYSICS = Layout(("version", "time", "op", "size", "lbn"), ("lbn",), size="size", unit=SECTOR)


@dataclass
class TextTable:
    """The rows of a text table, read one after the other.

    Attributes
    ----------
    comments : list of str
        The comments before the first row.
    line : int
        Line of the row that was read last.
    """

    stream: IO[bytes]
    delimiter: str | None
    comments: list[str] = field(default_factory=list)
    line: int = 0

    @property
    def comment(self) -> str:
        """The last comment before the first row: perhaps the names of its columns."""
        return self.comments[-1] if self.comments else ""

    def __iter__(self) -> Iterator[list[str]]:
        texts = self._texts()
        if self.delimiter is None:
            for text in texts:
                yield text.split()
            return
        try:
            for row in csv.reader(texts, delimiter=self.delimiter, strict=True, skipinitialspace=True):
                yield [cell.strip() for cell in row]
        except csv.Error as problem:
            raise TraceError(f"line {self.line}: {problem}") from None

    def _texts(self) -> Iterator[str]:
        begun = False
        for line, raw in text_lines(self.stream):
            self.line = line
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                raise TraceError(f"line {self.line}: not UTF-8 text") from None
            if "\0" in text:
                raise TraceError(f"line {self.line}: a zero byte: this is no text")
            if not text.lstrip().startswith("#"):
                begun = True
                yield text.rstrip("\r\n")
            elif not begun:
                self.comments.append(text.strip().lstrip("# "))

    def split(self, text: str) -> list[str]:
        """Split a comment as a row is split."""
        return (
            text.split() if self.delimiter is None else [cell.strip() for cell in text.split(self.delimiter)]
        )


def read_layout(layout: Layout, stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read a table of a known layout.

    A first row without a single number is taken for names of the columns.
    """
    table = TextTable(stream, layout.delimiter)
    requests = RequestList()
    take = _Taking(layout, reading, requests)
    for number, row in enumerate(table):
        if len(row) < len(layout.columns) or (len(row) > len(layout.columns) and not layout.more):
            raise TraceError(
                f"line {table.line}: {len(layout.columns)} columns ({', '.join(layout.columns)}) are wanted, "
                f"got {len(row)}"
            )
        if number == 0 and not any(map(is_number, row)):
            continue
        try:
            take.row(row)
        except TraceError as problem:
            raise TraceError(f"line {table.line}: {problem}") from None
    if not requests:
        raise TraceError("there is no request in it")
    return Draft(requests.values, ids=requests.ids)


class _Taking:
    """Takes the requests of rows over."""

    def __init__(self, layout: Layout, reading: TraceReading, requests: RequestList) -> None:
        self._layout, self._reading, self._requests = layout, reading, requests
        self._page = layout.places(layout.page)
        self._size = None if layout.size is None else layout.places([layout.size])[0]
        self._first: int | None = None

    def row(self, row: Sequence[str]) -> None:
        """Take over what one row asks for."""
        layout = self._layout
        name = [row[place] for place in self._page]
        if not all(name):
            raise TraceError(f"{layout.page[name.index('')]} is empty")
        size = None if self._size is None else whole(row[self._size], layout.size or "")
        if layout.count or layout.unit is not None:
            address = whole(name.pop(), layout.page[-1])
            for block in self._blocks(address, size):
                self._requests.append(":".join([*name, str(block)]) if name else block)
            return
        self._compare(size)
        self._requests.append(":".join(name))

    def _blocks(self, address: int, size: int | None) -> range:
        unit, page = self._layout.unit, self._reading.block_size
        if size is not None and self._layout.count:
            if size < 1:
                raise TraceError(f"{self._layout.size} must be at least 1, got {size}")
            return bounded(address, address + size)
        if unit is None or page is None or size is None:
            self._compare(size)
            return range(address, address + 1)
        first = address * unit
        return bounded(first // page, (first + max(size, 1) - 1) // page + 1)

    def _compare(self, size: int | None) -> None:
        if size is None or self._reading.ignore_sizes:
            return
        if self._first is None:
            self._first = size
        if size != self._first:
            pages = "--block-size B cuts rows into pages, " if self._layout.unit is not None else ""
            raise TraceError(different_sizes(size, self._first, pages))


def different_sizes(size: int, first: int, also: str = "") -> str:
    """Say that objects have different sizes, and what can be done."""
    return (
        f"size {size}, the first one {first}: paging is about pages of one size; {also}--ignore-sizes takes "
        "every object for a page"
    )


def bounded(first: int, stop: int) -> range:
    """Return a range of pages, or raise a TraceError where a row asks for too much to be believed."""
    if stop - first > LONGEST_RANGE:
        raise TraceError(f"a range of {stop - first} pages is longer than {LONGEST_RANGE}")
    if stop > 2**64:
        raise TraceError(f"the address {stop - 1} does not fit 64 bits")
    return range(first, stop)


def whole(cell: str, name: str) -> int:
    """Read a whole number without sign, or raise a TraceError."""
    if not WHOLE.fullmatch(cell) or len(cell) > 20:
        raise TraceError(f"{name} must be a whole number, got {cell[:30]!r}")
    return int(cell)


def is_number(cell: str) -> bool:
    """Whether a cell can be read as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_column(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read one column of a table; whatever stands there is a page id.

    The column is named by the header (the first row, or the last comment before it) or by its number. By
    number, a first row is a header if it has text where the second one has a number.
    """
    delimiter = reading.delimiter
    table = TextTable(stream, TABS.get(delimiter, delimiter) if delimiter else delimiter_of(stream))
    requests, remarks = RequestList(), []
    header: list[str] | None = None
    place, width = -1, 0
    for number, row in enumerate(table):
        if number == 0:
            header, width = row, len(row)
            place, named_first = _place_of(reading.column, table, row)
            if isinstance(reading.column, str):
                header = None
            if not named_first:
                requests.append(_cell(row, place, table.line))
            continue
        if number == 1 and header is not None and _is_header(header, row):
            requests = RequestList()
            remarks = [f"the first row ({few(header)}) was taken for the names of the columns"]
        elif number == 1 and header is not None and not any(map(is_number, header)):
            remarks = [
                f"the first row ({few(header)}) counts as a request; if it names the columns, "
                f"--column {header[place]} says so"
            ]
        if len(row) != width:
            raise TraceError(f"line {table.line}: {len(row)} columns, but the first row has {width}")
        requests.append(_cell(row, place, table.line))
    if not requests:
        raise TraceError("there is no request in it")
    return Draft(requests.values, ids=requests.ids, remarks=tuple(remarks))


def _is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    return any(is_number(now) and not is_number(before) for now, before in zip(second, first, strict=False))


def _place_of(column: int | str | None, table: TextTable, row: list[str]) -> tuple[int, bool]:
    """Return where the column stands, from 0, and whether the first row holds the names of the columns."""
    if isinstance(column, int):
        if column > len(row):
            raise TraceError(
                f"line {table.line}: there is no column {column}; the row has {len(row)}: {few(row)}"
            )
        return column - 1, False
    above = table.split(table.comment)
    for names, in_row in ((row, True), (above, False)):
        if column in names:
            if names.count(column) > 1:
                raise TraceError(
                    f"several columns are called {column!r}: {few(names)}; --column N takes the N-th"
                )
            if len(names) != len(row):
                raise TraceError(f"the header names {len(names)} columns, but the first row has {len(row)}")
            return names.index(column), in_row
    also = f"; the comment above says {few(above)}" if table.comment else ""
    raise TraceError(f"line {table.line}: no column is called {column!r}; the first row has {few(row)}{also}")


def few(cells: Sequence[str]) -> str:
    """Write the first cells of a row, for messages."""
    return ", ".join(cell[:30] for cell in cells[:8]) + (", …" if len(cells) > 8 else "")


def _cell(row: Sequence[str], place: int, line: int) -> str:
    if not row[place]:
        raise TraceError(f"line {line}: column {place + 1} is empty")
    return row[place]


def delimiter_of(stream: IO[bytes]) -> str | None:
    """Return what separates the columns of the first row: comma, semicolon or tab; None for white space."""
    start = stream.tell()
    first = next((line for _, line in text_lines(stream) if not line.lstrip().startswith(b"#")), b"")
    stream.seek(start)
    return next((mark for mark in (",", ";", "\t") if mark.encode() in first), None)
