"""The atlas of discard and phase bits: docs/data/discard.csv, and its table in docs/wrong-bits.md.

``python -m proofs.atlas.discard`` computes the values anew (minutes) and writes both.
"""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from pathlib import Path

from paging.files import atomic_write
from paging.markdown import fill, markdown
from paging.model import Kind, LayeredInstance
from paging.numbers import exact_text, read_exact
from proofs.atlas.shapes import shapes
from proofs.game.predictions.trade_off import solve_trade_off
from proofs.ratio.trade_off import policy_trade_off

DATA = Path("docs") / "data" / "discard.csv"
PAGE = Path("docs") / "wrong-bits.md"

ALPHAS = ("1", "5/4", "3/2", "2")
FLUSHES = ("flush-when-kept", "flush-when-kept-lazy")
GAME = "game"

POLICIES: dict[str, tuple[Kind, int]] = {
    **dict.fromkeys(FLUSHES, ("discard", 1)),
    "mark0": ("discard", 1),
    "mark-predict-lru": ("phase", 2),
    "mark-predict": ("phase", 2),
}
"""Policies whose least β at γ = 1 is computed: what they are told, and the α, that of their theorems."""

HEADER = ("ℓ", "n", "k", *(f"α = {alpha}" for alpha in ALPHAS), *POLICIES)

MOST, MOST_OF_POLICY = 100_000, 20_000
"""States of a graph of the game, and of a policy; beyond that a cell stays empty."""

Row = dict[str, str]

INSTANCES = (
    *(shape.instance for shape in shapes(6, range(1, 4)) if shape.cache > 1),
    *(LayeredInstance(2, (3, 2), k) for k in (2, 3, 4)),
    *(LayeredInstance(2, (4, 2), k) for k in (3, 4, 5)),
    LayeredInstance(3, (2, 3, 1), 3),
)
"""All with at most six pages in equal layers and two slots or more, and some with uneven layers."""


def row_of(instance: LayeredInstance) -> Row:
    """Compute one row: the least β of any policy at γ = α, and those of the policies at γ = 1."""
    betas = [
        solve_trade_off(instance, alpha=Fraction(a), gamma=Fraction(a), max_states=MOST).value for a in ALPHAS
    ]
    betas += [
        policy_trade_off(policy, instance, alpha=alpha, gamma=1, max_states=MOST_OF_POLICY).value
        for policy, (_, alpha) in POLICIES.items()
    ]
    even = isinstance(instance.pages, int)
    pages = str(instance.pages) if even else "+".join(map(str, instance.pages_by_layer))
    shape = (str(instance.layers), pages, str(instance.cache))
    values = ("" if beta is None else str(exact_text(beta)) for beta in betas)
    return dict(zip(HEADER, (*shape, *values), strict=True))


def instance_of(row: Row) -> LayeredInstance:
    """Return the instance of a row."""
    pages = tuple(map(int, row["n"].split("+")))
    return LayeredInstance(int(row["ℓ"]), pages if len(pages) > 1 else pages[0], int(row["k"]))


def read_rows(path: Path) -> list[Row]:
    """Return the rows of the table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def table(rows: list[Row]) -> str:
    """Return the table as Markdown: by layers, then by how many pages more there are than slots."""
    others = [policy for policy in POLICIES if policy not in FLUSHES]
    header = (
        *("(ℓ, n, k)", "pages", *HEADER[3 : 3 + len(ALPHAS)], "the flushes, α = 1"),
        *(f"`{policy}`, α = {POLICIES[policy][1]}" for policy in others),
    )
    lines = []
    for row in sorted(rows, key=lambda row: (int(row["ℓ"]), beyond(row), int(row["k"]))):
        flushes = {row[policy] for policy in FLUSHES}
        values = [*(row[name] for name in HEADER[3 : 3 + len(ALPHAS)]), ", ".join(sorted(flushes))]
        values += [row[policy] for policy in others]
        shape = f"({row['ℓ']}, {row['n']}, {row['k']})"
        lines.append((shape, f"k + {beyond(row)}", *(value or "–" for value in values)))
    return markdown(header, lines)


def beyond(row: Row) -> int:
    """Return how many pages more there are than slots."""
    instance = instance_of(row)
    return instance.total_pages - instance.cache


def forced(instance: LayeredInstance, alpha: Fraction) -> Fraction:
    """Return the largest β that T3 and T4 prove to be needed at γ = α ≥ 1, as far as they speak."""
    ell, k = instance.layers, instance.cache
    best = Fraction(0)
    if ell <= k < instance.total_pages:
        best = max(best, k - ell + 1 - alpha)
    sizes = sorted(instance.pages_by_layer)
    if 2 <= ell <= k <= sizes[-1] and sizes[-2] >= k - ell + 2:
        best = max(best, k - ell + 3 - 2 * alpha)
    return best


def values_of(row: Row) -> dict[Fraction, Fraction | float]:
    """Return the least β of any policy by α, where they are known."""
    return {Fraction(a): read_exact(row[f"α = {a}"]) for a in ALPHAS if row[f"α = {a}"]}


def main() -> None:
    """Compute and write both."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    for instance in INSTANCES:
        writer.writerow(row_of(instance))
    with atomic_write(DATA) as out:
        out.write(stream.getvalue())
    fill(PAGE, values=table(read_rows(DATA)))


if __name__ == "__main__":
    main()
