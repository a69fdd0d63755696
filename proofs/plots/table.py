"""A heatmap read from a table of one's own."""

from __future__ import annotations

import csv
import json
from math import inf
from pathlib import Path
from typing import Any

from paging.errors import ModelError
from paging.files import regular_file
from proofs.plots.document import Document
from proofs.plots.heatmap import heatmap


def heatmap_of_table(path: str | Path, *, rows: str, columns: str, value: str) -> Document:
    """Read a heatmap from a table: CSV with a header, or JSON with a list of records (perhaps as ``rows``).

    Parameters
    ----------
    path : path
        A file ``.csv`` or ``.json``.
    rows, columns, value : str
        Names of the columns of the table that say row, column and value.

    Raises
    ------
    ModelError
        The file is no such table, lacks a column, or holds two values for one cell.
    """
    cells: dict[tuple[str, str], object] = {}
    for place, record in enumerate(_records(Path(path))):
        missing = [name for name in (rows, columns, value) if name not in record]
        if missing:
            has = ", ".join(map(str, record)) or "nothing"
            raise ModelError(f"{path}: record {place} has no {missing[0]!r}; it has {has}")
        key = (_label(record[rows]), _label(record[columns]))
        content = None if record[value] in ("", None) else record[value]
        if key in cells and cells[key] != content:
            raise ModelError(
                f"{path}: record {place}: a second value for {rows} {key[0]}, {columns} {key[1]}"
            )
        cells[key] = content
    ordered = sorted(cells, key=lambda key: (_natural(key[0]), _natural(key[1])))
    return heatmap({key: cells[key] for key in ordered}, rows=rows, columns=columns, value=value)


def _records(path: Path) -> list[dict[str, Any]]:
    text = regular_file(path).read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    if path.suffix != ".json":
        raise ModelError(f"{path}: a table is a .csv or a .json file")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}: no JSON ({error})") from error
    records = found.get("rows") if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ModelError(
            f"{path}: a JSON table is a list of records, or an object with such a list as 'rows'"
        )
    return records


def _label(content: object) -> str:
    return "/".join(map(str, content)) if isinstance(content, list) else str(content)


def _natural(label: str) -> tuple[float, str]:
    """Sort numbers by value and before text."""
    try:
        return float(label), ""
    except ValueError:
        return inf, label
