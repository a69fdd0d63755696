"""Parquet tables, row group by row group: a token a row with its experts, or a request a row with an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.traces.draft import Draft
from paging.traces.numbering import RequestList
from paging.traces.reading import TraceReading

EXPERTS = "experts"
"""The column of experts: lists of layers, each a list of integers."""

CHUNK = 1 << 20
"""Numbers read at once."""


class ParquetTrace:
    """An open Parquet file, of which one column is read.

    Attributes
    ----------
    rows : int
        How many there are.
    ids : bool
        Whether a row is a request with an id, and not a token with its experts.

    Raises
    ------
    TraceError
        There is no pyarrow, no such column, or it holds something else.
    """

    def __init__(self, stream: IO[bytes], reading: TraceReading) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise TraceError(
                f"Parquet needs pyarrow ({error}): pip install 'layered-paging[parquet]'"
            ) from error
        self._types = pyarrow.types
        try:
            self._file = pyarrow.parquet.ParquetFile(stream)
        except pyarrow.ArrowException as problem:
            raise ValueError(str(problem)) from None
        schema = self._file.schema_arrow
        self.rows = int(self._file.metadata.num_rows)
        self.ids = reading.column is not None
        self.name = self._named(schema.names, reading.column)
        self._kind = schema.field(self.name).type
        inner = self._kind
        for _ in range(0 if self.ids else 2):
            if not self._is_list(inner):
                raise TraceError(f"column {self.name!r} holds {self._kind}, not lists of lists of integers")
            inner = inner.value_type
        integers = self._types.is_integer(inner)
        self.text = self.ids and (self._types.is_string(inner) or self._types.is_large_string(inner))
        if not (integers or self.text):
            raise TraceError(
                f"column {self.name!r} holds {self._kind}, not "
                f"{'integers or text' if self.ids else 'lists of lists of integers'}"
            )
        if not self.rows:
            raise TraceError("there is no row in it")

    def _named(self, names: list[str], column: int | str | None) -> str:
        listed = ", ".join(map(repr, names[:9])) + (", …" if len(names) > 9 else "")
        if column is None and EXPERTS not in names:
            raise TraceError(
                f"a column {EXPERTS!r} is wanted, or --column with the ids of pages; its columns are {listed}"
            )
        if isinstance(column, int) and column <= len(names):
            return names[column - 1]
        name = EXPERTS if column is None else column
        if name not in names:
            raise TraceError(f"there is no column {name}; its columns are {listed}")
        return str(name)

    def _is_list(self, kind: Any) -> bool:
        types = self._types
        return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))

    def _columns(self, rows: int) -> Iterator[tuple[int, Any]]:
        """Yield the number of a first row and the column of the rows from there on."""
        begun = 0
        for batch in self._file.iter_batches(rows, columns=[self.name]):
            column = batch.column(0)
            if column.null_count:
                raise TraceError(f"column {self.name!r} lacks a value after row {begun}")
            yield begun, column
            begun += len(column)

    def experts(self, size: int) -> Iterator[NDArray[Any]]:
        """Yield the experts in blocks (tokens, layers, top_k) of about so many requests."""
        layers = per_visit = 0
        for begun, column in self._columns(max(1, size >> 9)):
            visits = column.flatten()
            counts = (column.value_lengths(), visits.value_lengths())
            lengths = [np.unique(count.to_numpy(zero_copy_only=False)) for count in counts]
            if not layers and all(len(found) == 1 and found[0] for found in lengths):
                layers, per_visit = (int(found[0]) for found in lengths)
            experts = visits.flatten()
            if any(found.tolist() != [n] for found, n in zip(lengths, (layers, per_visit), strict=True)):
                raise TraceError(
                    f"column {self.name!r}, among the {len(column)} rows from {begun} on: every token must "
                    "have as many layers, and every visit as many experts, −1 for none"
                )
            if visits.null_count or experts.null_count:
                raise TraceError(f"column {self.name!r} lacks a value after row {begun}")
            yield experts.to_numpy(zero_copy_only=False).reshape(-1, layers, per_visit)

    def numbers(self, size: int) -> Iterator[NDArray[np.uint64]]:
        """Yield ids that are whole numbers."""
        if self.text:
            raise TraceError(f"column {self.name!r} holds text: it is read without --stream")
        for begun, column in self._columns(size):
            found = column.to_numpy(zero_copy_only=False)
            if found.min() < 0:
                raise TraceError(f"column {self.name!r}: row {begun + int(found.argmin())} is negative")
            yield found.astype(np.uint64)

    def names(self, size: int) -> Iterator[list[Any]]:
        """Yield ids."""
        if not self.text:
            yield from (found.tolist() for found in self.numbers(size))
            return
        for _, column in self._columns(size):
            yield column.to_pylist()


def read_parquet(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read a table: experts of tokens, or ids of requests."""
    table = ParquetTrace(stream, reading)
    if not table.ids:
        blocks = [block.astype(np.int32, casting="same_kind") for block in table.experts(CHUNK)]
        return Draft(np.concatenate(blocks))
    requests = RequestList()
    for names in table.names(CHUNK):
        requests.extend(names)
    return Draft(requests.values, ids=requests.ids)
