"""The atlas as pictures: a heat map per subject, and the subjects beside the bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import isinf
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from paging.files import slug
from paging.plotting import BLACK, DASHES, GREY, legend, looks, policy_label, save
from proofs.atlas.shades import SHADES, shade_of
from proofs.atlas.values import Value

CELL = 0.44
"""Inches a cell of a heat map takes."""

WIDEST = 30
"""Cells that stand side by side at most."""

ON_DARK = 0.45
"""From which shade on numbers are white."""


def write_figures(folder: str | Path, values: Sequence[Value]) -> list[Path]:
    """Write all figures of an atlas as SVG and PNG into its ``figures/``; return the files."""
    target = Path(folder) / "figures"
    target.mkdir(exist_ok=True)
    files: list[Path] = []
    by_subject: dict[tuple[str, str], list[Value]] = defaultdict(list)
    by_layers: dict[int, list[Value]] = defaultdict(list)
    for value in values:
        several = f"-g{value.per_visit}-{value.visits}" if value.per_visit > 1 else ""
        by_subject[value.subject, several].append(value)
        if not several:  # the bounds drawn beside are those of one page a visit
            by_layers[value.layers].append(value)
    for (subject, several), mine in by_subject.items():
        names = [target / f"heatmap-{slug(subject)}{several}.{end}" for end in ("svg", "png")]
        save(f"atlas-{subject}{several}", lambda figure, mine=mine: heat_map(figure, mine), names)  # type: ignore[misc]
        files += names
    for layers, there in by_layers.items():
        names = [target / f"comparison-l{layers}.{end}" for end in ("svg", "png")]
        save(f"atlas-l{layers}", lambda figure, there=there: comparison(figure, there), names)  # type: ignore[misc]
        files += names
    return files


def heat_map(figure: Figure, values: Sequence[Value]) -> None:
    """Draw one subject's values: a panel per ℓ, k across, n upwards, the number in every cell.

    The shade says how the value compares with k (:data:`proofs.atlas.shades.SHADES`); the legend has it.
    """
    layers = sorted({value.layers for value in values})
    width = {ell: max(v.cache for v in values if v.layers == ell) for ell in layers}
    height = {ell: max(v.pages for v in values if v.layers == ell) - 1 for ell in layers}
    rows = _rows(layers, width)
    tall = [max(height[ell] for ell in row) for row in rows]
    across = max(sum(width[ell] for ell in row) + 1.5 * len(row) for row in rows)
    figure.set_size_inches(max(5.6, CELL * across + 0.5), CELL * sum(tall) + 0.75 * len(rows) + 1.1)
    parts = figure.subfigures(len(rows), 1, height_ratios=[cells + 1.8 for cells in tall], squeeze=False)
    for part, row in zip(parts[:, 0], rows, strict=True):
        widths = [width[ell] for ell in row]
        spare = max(0.01, across - sum(widths) - 1.5 * len(row))
        panels = part.subplots(1, len(row) + 1, width_ratios=[*widths, spare], squeeze=False)[0]
        panels[-1].set_axis_off()  # what the row leaves free, so that all cells are equally large
        for axes, ell in zip(panels[:-1], row, strict=True):
            axes.grid(visible=False)
            for value in values:
                if value.layers == ell:
                    _cell(axes, value)
            axes.set(
                xlim=(0.5, width[ell] + 0.5),
                ylim=(1.5, height[ell] + 1.5),
                xticks=range(1, width[ell] + 1),
                yticks=range(2, height[ell] + 2),
                title=f"ℓ = {ell}",
            )
            axes.set_aspect("equal", anchor="SW")
            axes.tick_params(length=0)
    figure.supxlabel("cache size k (pages)", fontsize=10)
    figure.supylabel("pages per layer n", fontsize=10)
    shown = values[0]
    several = f", g = {shown.per_visit}, {shown.visits}" if shown.per_visit > 1 else ""
    figure.suptitle(
        f"{policy_label(shown.subject)}{several}: exact competitive ratio (· beyond the budget)\n",
        fontsize=11,
    )
    there = sorted({shade_of(value.number, value.cache) for value in values if value.number is not None})
    handles = [Patch(label=SHADES[place].words, edgecolor="#999999", **_fill(place)) for place in there]
    below_title = (0.5, 1 - 0.24 / figure.get_figheight())
    figure.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=below_title,
        ncols=len(handles),
        fontsize=8,
        columnspacing=1.0,
    )


def _rows(layers: Sequence[int], width: dict[int, int]) -> list[list[int]]:
    """Spread the panels over rows of at most :data:`WIDEST` cells, in their order.

    >>> _rows([1, 2, 3], {1: 20, 2: 15, 3: 10})
    [[1], [2, 3]]
    """
    rows: list[list[int]] = []
    for ell in layers:
        if not rows or sum(width[other] for other in rows[-1]) + width[ell] > WIDEST:
            rows.append([])
        rows[-1].append(ell)
    return rows


def _cell(axes: Axes, value: Value) -> None:
    ratio = value.number
    if ratio is None:
        axes.text(value.cache, value.pages, "·", ha="center", va="center", color=GREY)
        return
    place = shade_of(ratio, value.cache)
    corner = (value.cache - 0.5, value.pages - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, edgecolor="white", **_fill(place)))
    text = "∞" if isinf(ratio) else str(ratio)
    axes.text(
        value.cache,
        value.pages,
        text,
        ha="center",
        va="center",
        fontsize=9 if len(text) < 3 else 7 if len(text) < 5 else 5.5,
        color="white" if SHADES[place].dark > ON_DARK else BLACK,
        bbox={"facecolor": colour(place), "edgecolor": "none", "pad": 0.8} if SHADES[place].hatched else None,
    )


def _fill(place: int) -> dict[str, Any]:
    return {"facecolor": colour(place), "hatch": "////" if SHADES[place].hatched else None}


def colour(place: int) -> str:
    """Return the grey of a shade.

    >>> colour(0), colour(6)
    ('#f5f5f5', '#191919')
    """
    level = round(255 * (1 - SHADES[place].dark))
    return f"#{level:02x}{level:02x}{level:02x}"


def comparison(figure: Figure, values: Sequence[Value]) -> None:
    """Draw the subjects over k for one ℓ, at the largest n known of each, beside the bounds."""
    ell = values[0].layers
    largest: dict[tuple[str, int], Value] = {}
    for value in values:
        key = (value.subject, value.cache)
        finite = value.number is not None and not isinf(value.number)
        if finite and value.cache >= ell and (key not in largest or largest[key].pages < value.pages):
            largest[key] = value
    figure.set_figwidth(6.0)
    axes = figure.subplots()
    sizes = sorted({cache for _, cache in largest})
    for label, shift in (("k + ℓ − 1", ell - 1), ("k", 0), ("k − ℓ + 1", 1 - ell)):
        if shift or label == "k":
            axes.plot(sizes, [k + shift for k in sizes], linestyle=DASHES, color=GREY, linewidth=1)
        if shift and sizes:
            end = (sizes[-1], sizes[-1] + shift)
            axes.annotate(label, end, (8, -3), textcoords="offset points", fontsize=9, color="#444444")
    subjects = list(dict.fromkeys(value.subject for value in values))
    for subject, look in looks(subjects).items():
        points = sorted((cache, value) for (name, cache), value in largest.items() if name == subject)
        if points:
            ratios = [float(Fraction(value.value or 0)) for _, value in points]
            axes.plot([cache for cache, _ in points], ratios, **look)
    axes.set(
        title=f"Exact ratios at the largest n known, ℓ = {ell}",
        xlabel="cache size k (pages)",
        ylabel="competitive ratio (faults per OPT fault)",
        xticks=sizes,
    )
    legend(figure, axes, plot=4.2)
