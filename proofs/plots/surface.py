"""All trade-offs of a policy with predicted bits as a picture: the sides and corners of what is attained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import count
from string import ascii_uppercase
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray

from paging.numbers import exact_text, read_exact
from paging.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from proofs.plots.document import Document
from proofs.ratio.surface import Side, TradeOffSurface, vertices_of

FILLS = (SKY, ORANGE, GREEN, PURPLE, BLUE, VERMILLION, GREY)
HATCHES = ("", "//", "..", "\\\\", "xx", "++", "--")
"""Looks of the sides, in their order; beyond their number they come again."""

BEYOND = Fraction(6, 5)
"""How far the axes go beyond the farthest corner, by the largest coordinate."""


def surface(found: TradeOffSurface) -> Document:
    """Return all trade-offs of a policy as a document.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> from proofs.ratio.surface import trade_off_surface
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2)
    >>> surface(trade_off_surface("flush-when-kept", instance))["vertices"]
    [['1', '1', '1'], ['2', '0', '1']]
    """
    instance = found.instance
    several = isinstance(instance.pages, tuple)
    pages = "/".join(map(str, instance.pages_by_layer)) if several else str(instance.pages)
    return {
        "kind": "surface",
        "title": f"{found.policy}, (ℓ, n, k) = ({instance.layers}, {pages}, {instance.cache})",
        "vertices": [[str(exact_text(value)) for value in vertex] for vertex in found.vertices],
        "sides": [
            {
                "faults": str(exact_text(cycle.faults)),
                "reference": str(exact_text(cycle.reference)),
                "wrong0": str(exact_text(cycle.wrong0)),
                "wrong1": str(exact_text(cycle.wrong1)),
                "inequality": cycle.inequality,
            }
            for cycle in found.cycles
        ],
    }


def draw_surface(figure: Figure, document: Mapping[str, Any]) -> None:
    """Draw the sides of what is attained, as far as the axes go, and its corners with their numbers."""
    corners = [[Fraction(read_exact(number)) for number in vertex] for vertex in document["vertices"]]
    reach = BEYOND * max(1, *(number for corner in corners for number in corner))
    sides = [_side(side) for side in document["sides"]]
    figure.set_layout_engine("none")  # it knows nothing of depth
    axes: Any = figure.add_axes((0.01, 0.0, 0.74, 0.94), projection="3d")
    looks = []
    for place, polygon in enumerate(polygons(sides, reach)):
        fill, hatch = FILLS[place % len(FILLS)], HATCHES[place % len(HATCHES)]
        axes.add_collection3d(
            Poly3DCollection(
                [polygon], facecolor=fill, edgecolor=BLACK, linewidth=0.8, alpha=0.55, hatch=hatch
            )
        )
        words = document["sides"][place]["inequality"]
        looks.append(Patch(facecolor=fill, edgecolor=BLACK, alpha=0.55, hatch=hatch, label=words))
    named = []
    for letter, corner in zip(letters(), corners, strict=False):
        point = [float(number) for number in corner]
        axes.plot(*([value] for value in point), marker="o", color=BLACK, linestyle="", zorder=9)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        axes.text(*point, f"  {letter}", ha="left", va="bottom", fontsize=9, zorder=10, bbox=box)
        text = f"{letter} = ({', '.join(str(exact_text(number)) for number in corner)})"
        named.append(Line2D([], [], marker="o", color=BLACK, linestyle="", label=text))
    for name, axis in zip(("α, per fault of R", "β, per wrong 0", "γ, per wrong 1"), "xyz", strict=True):
        getattr(axes, f"set_{axis}label")(name)
        getattr(axes, f"set_{axis}lim")(0, float(reach))
        getattr(axes, f"{axis}axis").set_major_locator(MaxNLocator(4, integer=True))
    axes.view_init(elev=24, azim=38)
    axes.set_box_aspect(None, zoom=0.88)
    figure.suptitle(document["title"], x=0.02, ha="left", fontsize=10.5, fontweight="bold")
    for handles, title, loc in (
        (looks, "attained: what keeps\nall of these", "upper right"),
        (named, "corners (α, β, γ)", "lower right"),
    ):
        figure.legend(handles=handles, loc=loc, title=title, title_fontsize=9, alignment="left")


def letters() -> Iterator[str]:
    """Yield names of corners: A, B, … Z, A2, B2, …"""
    for round_ in count(1):
        yield from (f"{letter}{round_ if round_ > 1 else ''}" for letter in ascii_uppercase)


def polygons(sides: list[Side], reach: Fraction) -> list[NDArray[np.float64]]:
    """Return the corners of every side, in order around it, inside 0 … reach."""
    none, one = Fraction(0), Fraction(1)
    walls: list[Side] = []
    for axis in range(3):
        unit = [one if at == axis else none for at in range(3)]
        walls += [(*unit, none), (*(-value for value in unit), -reach)]  # type: ignore[list-item]
    points = vertices_of([*sides, *walls])
    found = []
    for side in sides:
        on = [p for p in points if sum(a * x for a, x in zip(side, p, strict=False)) == side[3]]
        found.append(_around(np.array(on, dtype=np.float64), np.array(side[:3], dtype=np.float64)))
    return found


def _around(points: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of a convex polygon in order around its middle."""
    middle = points.mean(axis=0)
    across = points[0] - middle
    along = np.cross(normal, across)
    away = points - middle
    order = np.argsort(
        np.arctan2(away @ along / np.linalg.norm(along), away @ across / np.linalg.norm(across))
    )
    ordered: NDArray[np.float64] = points[order]
    return ordered


def _side(side: Mapping[str, Any]) -> Side:
    parts = (Fraction(side[name]) for name in ("reference", "wrong0", "wrong1", "faults"))
    one, two, three, least = parts
    return one, two, three, least
