"""The house style of every picture: legible in black and white and to the colour-blind.

Every line has its own pair of marker and line style beside its colour (Okabe and Ito's palette). A picture is
the same, byte for byte, for the same numbers: no dates, fixed identifiers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from paging.errors import ModelError
from paging.files import atomic_write
from paging.numbers import json_text
from paging.policy import spoken_name

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#767676"

WIDTH, DPI = 4.7, 180
"""Width of a picture in inches unless it says otherwise, and the resolution of a PNG."""

DASHES = (0, (6, 2))
"""Line style of whatever was not measured: limits, bounds, reported numbers."""

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # nothing stands above the plot that a title would have to be moved past
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "path",
    "text.parse_math": False,  # names come from files: a $ in one is a $
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}

METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What may be written, by suffix, and what is left out of it so that equal pictures are equal files."""


@dataclass(frozen=True)
class Look:
    """How a policy's line looks in every picture; per-layer versions have open markers."""

    label: str
    colour: str
    marker: str
    line: str
    hollow: bool = False

    def keywords(self) -> dict[str, Any]:
        """Return the keywords for ``Axes.plot``."""
        return {
            "label": self.label,
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.line,
            "markerfacecolor": "white" if self.hollow else self.colour,
        }


LOOKS = {
    "lru": Look("LRU", BLUE, "o", "-"),
    "llru": Look("LLRU", VERMILLION, "s", "-"),
    "llru-lazy": Look("LLRU, lazy", ORANGE, "D", "--"),
    "llru-token": Look("LLRU, by token", PURPLE, "^", ":"),
    "lfu": Look("LFU", GREEN, "v", "-."),
    "fifo": Look("FIFO", SKY, "X", "--"),
    "zrc": Look("ZRC", BLACK, "D", "-", hollow=True),
    "zrc-any-tie": Look("ZRC, any tie", GREY, "X", "-.", hollow=True),
    "game": Look("best deterministic", BLACK, "*", "--"),
    "mark": Look("MARK, mean", GREY, "P", ":"),
    "partitioned": Look("LRU, equal split", BLUE, "o", "--", hollow=True),
    "lru-best-split": Look("LRU, best split", BLUE, "s", ":", hollow=True),
    "opt-equal-split": Look("OPT, equal split", BLACK, "v", ":", hollow=True),
    "opt-best-split": Look("OPT, best split", BLACK, "D", "--", hollow=True),
    "opt": Look("OPT", BLACK, "*", "-"),
    "compulsory": Look("compulsory", GREY, "", "-"),
}

OTHERS = (
    Look("", BLUE, "o", "-"),
    Look("", VERMILLION, "s", "--"),
    Look("", GREEN, "^", "-."),
    Look("", PURPLE, "D", ":"),
    Look("", ORANGE, "v", "-"),
    Look("", SKY, "X", "--"),
)
"""Looks for whatever has none of its own, in the order of its appearance."""


def policy_label(policy: str) -> str:
    """Return how a policy is called in pictures.

    >>> policy_label("lru"), policy_label("partitioned:policy=fifo"), policy_label("lfu-perfect")
    ('LRU', 'equal split, FIFO', 'LFU-perfect')
    """
    name, _, inner = policy.partition(":policy=")
    if name == "partitioned":
        return f"equal split, {spoken_name(inner or 'lru')}"
    return LOOKS[name].label.removesuffix(", mean") if name in LOOKS else spoken_name(policy)


def looks(policies: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return keywords for ``Axes.plot`` by policy: its own look, or one as unlike those as possible.

    >>> looks(["clock", "opt"])["opt"]["marker"]
    '*'
    """
    names = list(dict.fromkeys(policies))
    taken = {part for name in names if name in LOOKS for part in (LOOKS[name].marker, LOOKS[name].colour)}
    free = cycle(sorted(OTHERS, key=lambda look: (look.marker in taken) + (look.colour in taken)))
    return {
        name: LOOKS[name].keywords()
        if name in LOOKS
        else next(free).keywords() | {"label": policy_label(name)}
        for name in names
    }


def check_targets(paths: Iterable[str | Path]) -> None:
    """Raise ModelError for a file whose suffix is not that of a picture, or whose folder does not exist."""
    for path in paths:
        if not Path(path).parent.is_dir():
            raise ModelError(f"{path}: there is no folder {Path(path).parent}")
        if Path(path).suffix.lower()[1:] not in METADATA:
            raise ModelError(f"{path}: a picture's name ends in {', '.join('.' + end for end in METADATA)}")


def save(
    name: str,
    draw: Callable[[Figure], None],
    paths: Iterable[str | Path],
    *,
    size: tuple[float, float] = (WIDTH, 4.3),
    content: object = None,
) -> None:
    """Draw a picture in the house style and write it, complete or not at all.

    Parameters
    ----------
    name : str
        Identifies the picture; the same name and numbers give the same bytes.
    draw : callable
        Puts axes on the empty figure it is given; it may change the figure's size.
    paths : iterable of path
        Files to write; the suffix says the format: ``.svg``, ``.png`` or ``.pdf``.
    size : pair of float, optional
        Width and height in inches.
    content : object, optional
        What is drawn, as plain data; a PNG keeps its digest (:func:`content_digest`), by which it is told
        whether the picture is still the one of these numbers.

    Raises
    ------
    ModelError
        A suffix that is none of these.
    """
    targets = [Path(path) for path in paths]
    check_targets(targets)
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        layout = figure.get_layout_engine()
        assert layout is not None
        with _unlabelled_ticks_as_one(figure):
            layout.execute(figure)
        figure.set_layout_engine(None)  # once is enough: savefig would draw everything twice, in every format
        curves = _named_curves(figure)
        for target in targets:
            suffix = target.suffix.lower()[1:]
            picture = io.BytesIO()
            metadata: dict[str, str | None] = {**METADATA[suffix]}
            if content is not None and suffix == "png":
                metadata["Content"] = content_digest(content)
            figure.savefig(picture, format=suffix, dpi=DPI, metadata=metadata)
            drawn = picture.getvalue()
            if suffix == "svg":
                drawn = _with_values(drawn.decode(), figure, curves).encode()
            with atomic_write(target, "wb") as stream:
                stream.write(drawn)


@contextmanager
def _unlabelled_ticks_as_one(figure: Figure) -> Iterator[None]:
    """Place a picture without the ticks that have no label, then set those of an axis as one line.

    The minor ticks of logarithmic axes need no room, and each as an artist of its own they cost more than all
    else in a picture.
    """
    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    without = [axis for axis in axes if isinstance(axis.get_minor_formatter(), NullFormatter)]
    locators = [axis.get_minor_locator() for axis in without]
    for axis in without:
        axis.minor.locator = NullLocator()
    yield
    for axis, locator in zip(without, locators, strict=True):
        axis.minor.locator = locator
        places = axis.get_minorticklocs()
        axis.minor.locator = NullLocator()
        low, high = sorted(axis.get_view_interval())
        places = places[(low <= places) & (places <= high)]
        on_x = axis is axis.axes.xaxis
        ticks = Line2D(
            places if on_x else np.zeros_like(places),
            np.zeros_like(places) if on_x else places,
            transform=axis.axes.get_xaxis_transform() if on_x else axis.axes.get_yaxis_transform(),
            label="_ticks",
            color=BLACK,
            linestyle="none",
            marker=TICKDOWN if on_x else TICKLEFT,
            markersize=matplotlib.rcParams["xtick.minor.size"],
            markeredgewidth=matplotlib.rcParams["xtick.minor.width"],
            clip_on=False,
        )
        axis.axes.add_artist(ticks)


def content_digest(content: object) -> str:
    """Return what names the numbers of a picture: the SHA-256 of their JSON text.

    >>> content_digest({"k": 7})[:12]
    '0df55a14f6ac'
    """
    return sha256(json_text(content).encode()).hexdigest()


def _named_curves(figure: Figure) -> dict[str, Line2D]:
    """Give every curve with markers a name of its own in the drawing."""
    curves: dict[str, Line2D] = {}
    for axes in figure.axes:
        for line in axes.lines:
            if line.get_marker() not in ("", "None", None) and not str(line.get_label()).startswith("_"):
                name = f"curve{len(curves)}"
                line.set_gid(name)
                curves[name] = line
    return curves


def _with_values(svg: str, figure: Figure, curves: Mapping[str, Line2D]) -> str:
    """Let every marker of a drawn SVG say its curve and its values when it is pointed at."""
    scale, height = 72 / figure.dpi, 72 * figure.get_figheight()

    def titled(group: re.Match[str]) -> str:
        line = curves[group[1]]
        assert line.axes is not None
        points = np.column_stack(line.get_data()).astype(float)
        at = line.axes.transData.transform(points) * scale

        def marker(use: re.Match[str]) -> str:
            place = np.array([float(use[1]), height - float(use[2])])
            x, y = points[np.nanargmin(np.abs(at - place).sum(axis=1))]
            return f"{use[0][:-2]}><title>{escape(str(line.get_label()))}: {x:,.6g}, {y:,.4g}</title></use>"

        return re.sub(r'<use [^>]*?x="([-\d.]+)" y="([-\d.]+)"[^>]*?/>', marker, group[0])

    return re.sub(r'(?s)<g id="(curve\d+)">.*?</g>\s*</g>', titled, svg)


def legend(figure: Figure, axes: Axes, *, columns: int = 3, height: int = 0, plot: float = 3.2) -> None:
    """Set the legend below the plot, in columns read downwards; the figure grows by its lines.

    Parameters
    ----------
    figure, axes
        Where it goes, and whose lines it explains.
    columns : int, default 3
    height : int, default 0
        Least height in lines, so that neighbouring pictures are equally tall.
    plot : float, default 3.2
        Height in inches of the picture without its legend.
    """
    handles, labels = axes.get_legend_handles_labels()
    rows = max(ceil(len(labels) / columns), height)
    figure.set_size_inches(figure.get_figwidth(), plot + 0.22 * rows)
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        handlelength=2.6,
        handletextpad=0.5,
        columnspacing=1.0,
    )


def plain_ticks(axes: Axes) -> None:
    """Write the ticks of logarithmic axes as plain numbers."""
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "log":
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
            axis.set_minor_formatter(NullFormatter())


def note_line(axes: Axes, value: float, text: str, at: float = 0.0) -> None:
    """Draw a dashed line across the plot at a value that was not measured, with its name on it.

    Parameters
    ----------
    axes : Axes
    value : float
    text : str
    at : float, default 0
        Where the name begins, as a share of the width.
    """
    axes.axhline(value, color=GREY, linewidth=1.2, linestyle=DASHES, zorder=1)
    axes.annotate(
        text,
        (at, value),
        xycoords=("axes fraction", "data"),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=9,
        color="#444444",
        zorder=1.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
    )
