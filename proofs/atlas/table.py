"""The table of an atlas: per instance the value of every subject beside the bounds."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from paging.files import atomic_write
from paging.numbers import json_text, read_exact
from proofs.atlas.shapes import Shape
from proofs.atlas.subjects import ALL_SUBJECTS
from proofs.atlas.values import Value

Row = Mapping[str, str]

SHAPE, LOWER, UPPER = ("ℓ", "n", "k"), "k − ℓ + 1", "k + ℓ − 1"
"""The columns beside the subjects: the instance, and the bounds."""

VISITS = ("g", "visits")
"""Further columns of a table with several pages a visit, which has no bounds."""


def comparison(values: Iterable[Value]) -> tuple[list[str], list[list[object]]]:
    """Return header and rows of the table: per instance the value of every subject beside the bounds."""
    by_shape: dict[Shape, dict[str, str | None]] = defaultdict(dict)
    subjects: dict[str, None] = {}
    for value in values:
        subjects[value.subject] = None
        by_shape[value.shape][value.subject] = value.value
    order = [s for s in ALL_SUBJECTS if s in subjects]
    order += [s for s in subjects if s not in order]
    if any(shape.per_visit > 1 for shape in by_shape):
        return [*SHAPE, *VISITS, *order], [
            [*shape, *(found.get(s) for s in order)] for shape, found in sorted(by_shape.items())
        ]
    rows: list[list[object]] = [
        [
            *shape.numbers,
            shape.cache - shape.layers + 1,
            *(found.get(s) for s in order),
            shape.cache + shape.layers - 1,
        ]
        for shape, found in sorted(by_shape.items())
    ]
    return [*SHAPE, LOWER, *order, UPPER], rows


def write_tables(folder: str | Path, values: Sequence[Value]) -> list[Path]:
    """Write atlas.json, atlas.csv and atlas.md into an atlas; return the files."""
    root = Path(folder)
    header, rows = comparison(values)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    contents = {
        "atlas.json": json_text({"values": [value.plain for value in values]}) + "\n",
        "atlas.csv": stream.getvalue(),
        "atlas.md": "\n".join(lines) + "\n",
    }
    for name, content in contents.items():
        with atomic_write(root / name) as stream_out:
            stream_out.write(content)
    return [root / name for name in contents]


def read_table(path: str | Path) -> list[Row]:
    """Return the rows of an atlas.csv: per instance ℓ, n, k and every subject's exact value, or nothing."""
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def shape_of(row: Row) -> Shape:
    """Return the instance of a row."""
    sizes = int(row["ℓ"]), int(row["n"]), int(row["k"])
    return Shape(*sizes, int(row["g"]), row["visits"]) if "g" in row else Shape(*sizes)  # type: ignore[arg-type]


def value_of(row: Row, subject: str) -> Fraction | float | None:
    """Return a subject's value in a row; ``inf`` for unbounded, None where it is not known."""
    text = row.get(subject)
    return read_exact(text) if text else None


def asked_of(rows: Iterable[Row]) -> dict[tuple[int, str], set[str]]:
    """Return, per g and kind of visits, the subjects computed: their empty cells are beyond the budget.

    Other empty cells are those of subjects that were not asked, or do not serve such visits.
    """
    asked: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in rows:
        shape = shape_of(row)
        asked[shape.per_visit, shape.visits].update(name for name in subjects_of([row]) if row[name])
    return asked


def subjects_of(rows: Iterable[Row]) -> list[str]:
    """Return the subjects of a table."""
    return [name for name in next(iter(rows)) if name not in (*SHAPE, *VISITS, LOWER, UPPER)]
