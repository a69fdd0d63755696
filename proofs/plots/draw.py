"""Draw a document into files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from paging.plotting import save
from proofs.plots.curve import draw_curve
from proofs.plots.heatmap import draw_heatmap
from proofs.plots.phases import draw_phases
from proofs.plots.ratio import draw_ratio
from proofs.plots.surface import draw_surface

SIZE = (6.4, 4.0)
"""Width and height of a picture in inches; the legend adds to the height."""

DRAWINGS = {
    "curve": draw_curve,
    "ratio": draw_ratio,
    "phases": draw_phases,
    "heatmap": draw_heatmap,
    "surface": draw_surface,
}
"""What can be drawn, by the kind of the document."""


def draw(document: Mapping[str, Any], paths: Iterable[str | Path]) -> None:
    """Draw a document of this package into files ``.svg``, ``.png`` or ``.pdf``."""
    kind = document["kind"]
    save(f"plot-{kind}", lambda figure: DRAWINGS[kind](figure, document), paths, size=SIZE, content=document)
