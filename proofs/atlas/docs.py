"""The findings on docs/atlas.md, worked out from the table docs/data/atlas.csv, and its pictures.

``python -m proofs.atlas.docs [ATLAS]`` writes both anew; before that it takes over the atlas that is given.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from paging.markdown import fill, markdown
from paging.numbers import exact_text
from paging.plotting import save
from proofs.atlas.conjectures import CONJECTURES, hold
from proofs.atlas.explorer import cycles_of, write_cycles
from proofs.atlas.figures import comparison, heat_map
from proofs.atlas.shapes import Shape
from proofs.atlas.table import Row, read_table, shape_of, subjects_of, value_of
from proofs.atlas.values import Value


def findings(rows: list[Row]) -> str:
    """Return what the table says, as Markdown."""
    plain = [row for row in rows if shape_of(row).per_visit == 1]
    parts = [_coverage(plain), _tightness(plain), _beyond_k(plain), _best(plain)]
    return "\n".join([*parts, _visits([row for row in rows if row not in plain]), _conjectures(rows)])


def _coverage(rows: list[Row]) -> str:
    table = []
    for subject in subjects_of(rows):
        known = [row for row in rows if value_of(row, subject) is not None]
        if not known:
            continue
        layered = [row for row in known if int(row["ℓ"]) > 1]
        largest = max((shape_of(row) for row in known), key=lambda shape: (shape.layers * shape.pages, shape))
        table.append((f"`{subject}`", str(len(known)), str(len(layered)), str(largest.numbers)))
    header = ("subject", "instances with an exact value", "of them layered", "a largest one (ℓ, n, k)")
    return "## Coverage\n\n" + markdown(header, table)


def _named(rows: Iterable[Row], subject: str | None = None) -> str:
    texts = [str(shape_of(row).numbers) + (f" {row[subject]}" if subject else "") for row in rows]
    return ", ".join(texts) or "none"


def _share(rows: list[Row], subject: str, value: Callable[[Shape], Fraction | int]) -> tuple[list[Row], int]:
    known = [row for row in rows if value_of(row, subject) is not None]
    return [row for row in known if value_of(row, subject) == value(shape_of(row))], len(known)


def _tightness(rows: list[Row]) -> str:
    slots = [row for row in rows if int(row["k"]) >= int(row["ℓ"])]
    layered = [row for row in slots if int(row["ℓ"]) > 1]
    lower, of_lower = _share(layered, "game", lambda p: p.cache - p.layers + 1)
    lines = [
        "## Which bounds are tight where (k ≥ ℓ ≥ 2)",
        "",
        f"- **L2, k − ℓ + 1 for every deterministic policy**: the best policy attains it on {len(lower)} of "
        f"{of_lower} instances.",
    ]
    for subject in ("lru", "fifo", "clock", "fwf"):
        tight, total = _share(layered, subject, lambda p: p.cache)
        lines.append(f"- **k for `{subject}`**: attained on {len(tight)} of {total} instances.")
    tight, total = _share(layered, "llru", lambda p: p.cache + p.layers - 1)
    lines.append(
        f"- **L5, k + ℓ − 1 for LLRU (our reading)**: attained on {len(tight)} of {total}: {_named(tight)}."
    )
    return "\n".join(lines) + "\n"


def _beyond_k(rows: list[Row]) -> str:
    lines = ["## Where LLRU and its variants are worse than k", ""]
    for subject in ("llru", "llru-lazy", "llru-token"):
        worse = [
            row for row in rows if (ratio := value_of(row, subject)) is not None and ratio > int(row["k"])
        ]
        lines.append(f"- `{subject}` ({len(worse)}): {_named(worse, subject)}.")
    return "\n".join(lines) + "\n"


def _best(rows: list[Row]) -> str:
    known = [row for row in rows if value_of(row, "game") is not None]
    layered = [row for row in known if 1 < int(row["ℓ"]) <= int(row["k"])]
    above = [row for row in layered if value_of(row, "game") != int(row["k"]) - int(row["ℓ"]) + 1]
    equal = [row for row in above if row["k"] == row["ℓ"]]
    next_one = [row for row in above if int(row["k"]) == int(row["ℓ"]) + 1]
    others = [row for row in above if row not in equal and row not in next_one]
    better = [row for row in known if value_of(row, "zrc-any-tie") not in (None, value_of(row, "game"))]
    return "\n".join(
        [
            "## The best deterministic ratio",
            "",
            f"Known on {len(layered)} instances with k ≥ ℓ ≥ 2, and k − ℓ + 1 there except",
            "",
            f"- for k = ℓ: {_named(equal, 'game')};",
            f"- for k = ℓ + 1: {_named(next_one, 'game')};",
            f"- for k ≥ ℓ + 2: {_named(others, 'game')}.",
            "",
            f"ZRC with its ties broken by the adversary is worse than the best policy on {len(better)} of "
            f"{len(known)} instances: {_named(better, 'zrc-any-tie')}.",
            "",
        ]
    )


def _visits(rows: list[Row]) -> str:
    """Say how many values there are of several pages a visit, and how the policies compare."""
    header = ("subject", "sequential", "worst beyond k − ℓg", "atomic", "worst beyond k − ℓg")
    table = []
    for subject in subjects_of(rows):
        cells = [f"`{subject}`"]
        for visits in ("sequential", "atomic"):
            there = [(shape_of(row), value_of(row, subject)) for row in rows if row["visits"] == visits]
            known = [(shape, value) for shape, value in there if value is not None]
            beyond = [
                value - (shape.cache - shape.layers * shape.per_visit)
                for shape, value in known
                if shape.layers > 1 and shape.cache >= shape.layers * shape.per_visit
            ]
            cells += [str(len(known) or "–"), str(exact_text(max(beyond))) if beyond else "–"]
        if cells[1] != "–" or cells[3] != "–":
            table.append(tuple(cells))
    return (
        "## Two pages a visit\n\n"
        "Instances with an exact value, and by how much the worst of them with k ≥ ℓg and ℓ ≥ 2 exceeds\n"
        "k − ℓg.\n\n" + markdown(header, table)
    )


def _conjectures(rows: list[Row]) -> str:
    table = []
    for conjecture in CONJECTURES:
        subject = conjecture.subject
        values = [(shape_of(row), value_of(row, subject)) for row in rows]
        found = hold(conjecture, [(subject, shape, value) for shape, value in values if value is not None])
        table.append((conjecture.id, conjecture.statement, str(len(found.agree)), str(len(found.disagree))))
    header = ("id", "statement", "instances that agree", "that disagree")
    return "## The statements on this table\n\n" + markdown(header, table)


Drawing = Callable[[Figure, Sequence[Value]], None]


def pictures(rows: Iterable[Row]) -> dict[str, tuple[Drawing, list[Value]]]:
    """Return the pictures of the page by name: what draws them, and the values in them."""
    values = [
        Value(subject, *shape_of(row)[:3], row[subject], None, None, 0, 0, None)
        for row in rows
        for subject in subjects_of([row])
        if row[subject] and shape_of(row).per_visit == 1
    ]
    return {
        "heatmap-llru": (heat_map, [value for value in values if value.subject == "llru"]),
        "comparison-l2": (comparison, [value for value in values if value.layers == 2]),
    }


def draw_pictures(rows: Iterable[Row], folder: Path) -> None:
    """Draw the pictures of the page."""
    for name, (draw, values) in pictures(rows).items():
        save(name, partial(_on, draw, values), [folder / f"{name}.png"], content=drawn(values))


def _on(draw: Drawing, values: Sequence[Value], figure: Figure) -> None:
    draw(figure, values)


def drawn(values: Iterable[Value]) -> list[list[object]]:
    """Return the numbers of a picture."""
    return [[value.subject, *value.shape.numbers, value.value] for value in values]


def main(atlas: str | None = None) -> None:
    """Write the findings on docs/atlas.md and its pictures anew, perhaps from a new atlas."""
    docs = Path(__file__).resolve().parents[2] / "docs"
    table = docs / "data" / "atlas.csv"
    table.parent.mkdir(exist_ok=True)
    if atlas is not None:
        shutil.copyfile(Path(atlas) / "atlas.csv", table)
        write_cycles(table.with_name("cycles.csv"), cycles_of(Path(atlas)))
    draw_pictures(read_table(table), docs / "images" / "atlas")
    fill(docs / "atlas.md", findings=findings(read_table(table)))


if __name__ == "__main__":
    main(*sys.argv[1:])
