"""The table of a sweep: one row per job, as Parquet, which pandas, DuckDB and Arrow read."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paging.errors import LayeredPagingError
from paging.files import atomic_write, regular_file

COLUMNS = {
    "job": "string",
    "policy": "string",
    "workload": "string",
    "trace": "string",
    "reading": "string",
    "digest": "string",
    "layers": "int32",
    "pages": "string",
    "per_visit": "int32",
    "cache": "int32",
    "visits": "string",
    "service": "string",
    "weights": "string",
    "warm_up": "int64",
    "seed": "int64",
    "requests": "int64",
    "faults": "int64",
    "weighted_cost": "string",
    "measure": "string",
    "problem": "string",
    "code": "string",
    "numpy": "string",
}
"""Columns and their types."""

FOUND = ("digest", "requests", "faults", "weighted_cost", "measure", "problem", "code", "numpy")
"""Columns that only a job itself can say."""

MAY_BE_ABSENT = ("faults", "weighted_cost", "problem")
"""Those of them that may be absent."""

Row = Mapping[str, Any]


class TableError(LayeredPagingError, ValueError):
    """A file is no table of a sweep."""


def arrow() -> Any:
    """Return pyarrow, or say how to get it.

    Raises
    ------
    TableError
        It is not installed.
    """
    try:
        import pyarrow.json
        import pyarrow.parquet
    except ImportError as error:
        raise TableError(
            f"tables of sweeps are Parquet and need pyarrow ({error}): pip install 'layered-paging[parquet]'"
        ) from error
    return pyarrow


def is_found(content: object) -> bool:
    """Say whether something is what a job gave, and fits into the table."""
    if not (isinstance(content, dict) and (*content,) == FOUND):
        return False
    kinds = {name: str if COLUMNS[name] == "string" else int for name in FOUND}
    return all(
        type(content[name]) is kind or (content[name] is None and name in MAY_BE_ABSENT)
        for name, kind in kinds.items()
    )


def write_table(path: Path, rows: Sequence[Row], about: Mapping[str, object]) -> None:
    """Write rows completely or not at all; equal rows give equal bytes.

    Parameters
    ----------
    path : path
    rows : sequence of mapping
        Each with the columns of :data:`COLUMNS`.
    about : mapping
        Kept in the file's metadata under ``layered-paging``.
    """
    pa = arrow()
    schema = pa.schema(
        [pa.field(name, getattr(pa, kind)()) for name, kind in COLUMNS.items()],
        metadata={"layered-paging": json.dumps(about, sort_keys=True)},
    )
    # By way of JSON: every other way imports pandas where it is installed, for a second.
    lines = "\n".join(json.dumps({name: row[name] for name in COLUMNS}) for row in rows).encode()
    form = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    table = pa.json.read_json(io.BytesIO(lines), parse_options=form) if rows else schema.empty_table()
    table = table.replace_schema_metadata(schema.metadata).combine_chunks()
    with atomic_write(path, "wb") as stream:
        pa.parquet.write_table(table, stream, compression="zstd")


def read_table(path: str | Path) -> list[dict[str, Any]]:
    """Return the rows of the table of a sweep.

    Raises
    ------
    TableError
        It is no Parquet file, or has other columns.
    """
    pa = arrow()
    try:
        # Not through a file system of Arrow's own: the path is what was given, and no dataset or address.
        with regular_file(path).open("rb") as stream:
            file = pa.parquet.ParquetFile(stream)
            found = {field.name: str(field.type) for field in file.schema_arrow}
            if found != COLUMNS:
                raise TableError(f"{path}: not the table of a sweep: {_difference(found)}")
            rows: list[dict[str, Any]] = file.read().to_pylist()
            return rows
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from None
    except pa.ArrowException as error:
        raise TableError(f"{path}: not the table of a sweep: {str(error).splitlines()[0]}") from None


def _difference(found: Mapping[str, str]) -> str:
    missing = [name for name in COLUMNS if name not in found]
    more = [name for name in found if name not in COLUMNS]
    other = [name for name in COLUMNS if found.get(name, COLUMNS[name]) != COLUMNS[name]]
    if missing:
        return f"the column {missing[0]} is missing"
    if more:
        return f"there is a column {more[0]}"
    return f"the column {other[0]} is {found[other[0]]}, not {COLUMNS[other[0]]}" if other else "other order"
