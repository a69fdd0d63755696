"""The atlas of small instances with weights: docs/data/weighted.csv, and its table in docs/exact-weights.md.

``python -m proofs.atlas.weighted`` computes the values anew (minutes) and writes both.
"""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from paging.files import atomic_write
from paging.markdown import fill, markdown
from paging.model import LayeredInstance
from paging.numbers import exact_text, read_exact
from paging.weights import read_weights
from proofs.game.weighted import solve_weighted_game
from proofs.ratio.weighted import weighted_ratio

DATA = Path("docs") / "data" / "weighted.csv"
PAGE = Path("docs") / "exact-weights.md"

POLICIES = ("landlord", "landlord-fifo", "lru")
HEADER = ("ℓ", "n", "k", "weights", "unit", "game", *POLICIES)

MOST = 250_000
"""States of a graph; beyond that a cell stays empty."""


class WeightedSetting(NamedTuple):
    """An instance with weights as people write them."""

    layers: int
    pages: tuple[int, ...]
    cache: int
    weights: str

    @property
    def instance(self) -> LayeredInstance:
        """The instance."""
        return LayeredInstance(
            self.layers, self.pages, self.cache, weights=read_weights(self.weights, self.pages)
        )


SETTINGS = [
    *(WeightedSetting(1, (4,), k, "page:1,1,4,4") for k in (2, 3)),
    *(WeightedSetting(2, (2, 2), k, f"layer:1,{w}") for k in (2, 3) for w in ("3/2", 2, 3, 4, 8, 16)),
    *(WeightedSetting(2, (2, 3), k, f"layer:1,{w}") for k in (2, 3) for w in (2, 3, 4)),
    *(WeightedSetting(2, (3, 2), k, "layer:1,4") for k in (2, 3)),
    *(WeightedSetting(2, (3, 3), k, "layer:1,4") for k in (2, 3)),
    *(WeightedSetting(2, (2, 4), 4, f"layer:1,{w}") for w in (2, 3, 4)),
    *(WeightedSetting(3, (2, 2, 2), k, w) for k in (2, 3, 4, 5) for w in ("layer:1,1,4", "layer:1,4,4")),
    *(WeightedSetting(2, (2, 2), k, "tier:1*1,1*1/4") for k in (2, 3)),
    *(WeightedSetting(2, (4, 4), k, "tier:2*1,2*1/4") for k in (2,)),
]
"""Two weights: a heavy page beside light ones, heavy layers, experts in two precisions."""


def row_of(setting: WeightedSetting) -> list[str]:
    """Compute one row: the best ratio at unit cost and with weights, and those of the policies."""
    instance = setting.instance
    unit = solve_weighted_game(instance.with_weights(None), max_states=MOST).value
    best = solve_weighted_game(instance, max_states=MOST).value
    ratios = [weighted_ratio(policy, instance, max_states=MOST).ratio for policy in POLICIES]
    pages = "/".join(map(str, setting.pages)) if len(set(setting.pages)) > 1 else str(setting.pages[0])
    values = ["" if value is None else str(exact_text(value)) for value in (unit, best, *ratios)]
    return [str(setting.layers), pages, str(setting.cache), setting.weights, *values]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of the table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def table(rows: list[dict[str, str]]) -> str:
    """Return the table as Markdown."""
    header = ["ℓ", "n", "k", "weights", "best, unit cost", "best", *(f"`{policy}`" for policy in POLICIES)]
    return markdown(header, [[f"`{row[k]}`" if k == "weights" else row[k] for k in HEADER] for row in rows])


def heavy_layer(row: dict[str, str]) -> tuple[int, int, Fraction] | None:
    """Return k, pages and weight of the heavy layer, where there are two layers of weights 1 and w ≥ 1."""
    kind, _, rest = row["weights"].partition(":")
    if kind != "layer" or row["ℓ"] != "2":
        return None
    pages = (row["n"].split("/") * 2)[:2]
    return int(row["k"]), int(pages[1]), Fraction(read_exact(rest.split(",")[1]))


def main() -> None:
    """Compute and write both."""
    rows = [row_of(setting) for setting in SETTINGS]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([HEADER, *rows])
    with atomic_write(DATA) as out:
        out.write(stream.getvalue())
    fill(PAGE, weighted=table(read_rows(DATA)))


if __name__ == "__main__":
    main()
