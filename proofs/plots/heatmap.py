"""A table of numbers as a heatmap: the document, and its drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite, isnan
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from paging.errors import LimitError, ModelError
from paging.numbers import decimal
from paging.plotting import BLACK
from proofs.plots.document import Document

MOST_CELLS = 10_000
"""Most cells of a heatmap."""

ANNOTATED = 200
"""Most cells of a heatmap that carry their number."""


def heatmap(
    cells: Mapping[tuple[str, str], object],
    *,
    rows: str,
    columns: str,
    value: str,
    title: str = "",
) -> Document:
    """Return a table of numbers as a document.

    Parameters
    ----------
    cells : mapping of (str, str) to number
        Value by row and column, in the order they are to appear; what is missing stays empty. A value is a
        number, or text such as ``3/2`` and ``unbounded``.
    rows, columns, value : str
        What rows, columns and values are: the labels of the axes, with units.
    title : str, optional

    Raises
    ------
    LimitError
        More cells than :data:`MOST_CELLS`.
    ModelError
        A value that is no number.

    Examples
    --------
    >>> heatmap({("2", "3"): "3/2", ("2", "4"): 2}, rows="k", columns="n", value="ratio")["values"]
    [['3/2', 2]]
    """
    down = list(dict.fromkeys(row for row, _ in cells))
    across = list(dict.fromkeys(column for _, column in cells))
    if not 1 <= len(down) * len(across) <= MOST_CELLS:
        raise LimitError(f"a heatmap has 1 … {MOST_CELLS:,} cells, got {len(down)} × {len(across)}")
    for place, content in cells.items():
        try:
            _cell_number(content)
        except (ValueError, OverflowError):
            raise ModelError(
                f"heatmap, row {place[0]}, column {place[1]}: {content!r} is no number"
            ) from None
    return {
        "kind": "heatmap",
        "title": title,
        "row_label": rows,
        "column_label": columns,
        "value_label": value,
        "rows": down,
        "columns": across,
        "values": [[cells.get((row, column)) for column in across] for row in down],
    }


def _cell_number(content: object) -> float:
    return float("nan") if content is None else decimal(content)


def draw_heatmap(figure: Figure, document: Mapping[str, Any]) -> None:
    """Draw every cell, with its number where there are few."""
    table = np.array([[_cell_number(content) for content in row] for row in document["values"]])
    numbered = table.size <= ANNOTATED
    figure.set_size_inches(*_heatmap_size(document, numbered))
    axes = figure.add_subplot()
    axes.grid(False)
    finite = table[np.isfinite(table)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    # Light to dark in one direction only: a print in black and white keeps the order.
    image = axes.imshow(
        np.where(np.isfinite(table), table, np.nan), cmap="cividis_r", vmin=low, vmax=high, aspect="auto"
    )
    for (i, j), cell in np.ndenumerate(table):
        if numbered or cell == inf:
            dark = isfinite(cell) and _luminance(list(image.to_rgba(cell))) < 0.18
            text = _cell_text(document["values"][i][j], cell)
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else BLACK)
    axes.set_xticks(*_ticks(document["columns"]))
    axes.set_yticks(*_ticks(document["rows"]))
    if max(map(len, document["columns"])) > 6:
        for tick in axes.get_xticklabels():
            tick.set(rotation=20, ha="right", rotation_mode="anchor")
    axes.set_xlabel(document["column_label"])
    axes.set_ylabel(document["row_label"])
    axes.set_title(document["title"] or document["value_label"])
    figure.colorbar(image, ax=axes, label=document["value_label"])


def _luminance(colour: Sequence[float]) -> float:
    """Return the relative luminance of an sRGB colour; below 0.18 white text has more contrast than black."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _heatmap_size(document: Mapping[str, Any], numbered: bool) -> tuple[float, float]:
    cell = (0.62, 0.34) if numbered else (0.12, 0.12)
    margin = 0.075 * max(map(len, document["rows"]))
    width = 2.2 + margin + cell[0] * len(document["columns"])
    return min(14.0, max(4.7, width)), min(12.0, max(3.4, 1.6 + cell[1] * len(document["rows"])))


def _ticks(labels: Sequence[str]) -> tuple[list[int], list[str]]:
    step = max(1, len(labels) // 30)
    places = list(range(0, len(labels), step))
    return places, [labels[place] for place in places]


def _cell_text(content: object, value: float) -> str:
    if isnan(value):
        return "–"
    if value == inf:
        return "∞"
    return content if isinstance(content, str) and len(content) <= 7 else f"{value:.4g}"
