"""The figures of the report, in one house style: legible in black and white and to the colour-blind.

Every line has its own pair of marker and line style beside its colour (Okabe and Ito's palette). A figure is
the same, byte for byte, for the same numbers: no dates, fixed identifiers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, inf, isinf
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from proofs.studies import LRU_SPLIT, OPT_EQUAL, OPT_SPLIT

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#767676"

WIDTH, DPI = 4.7, 180

LEAST_SAVING = -15
"""Savings below this many percent are cut off: the figure is about the differences above."""

LONGEST_NAME = 28
"""Characters of a trace's name that a title holds."""

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
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
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Look:
    """How a policy's line looks in every figure; per-layer versions have open markers."""

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
    "mark": Look("MARK, mean", GREY, "P", ":"),
    "partitioned": Look("LRU, equal split", BLUE, "o", "--", hollow=True),
    LRU_SPLIT: Look("LRU, best split", BLUE, "s", ":", hollow=True),
    OPT_EQUAL: Look("OPT, equal split", BLACK, "v", ":", hollow=True),
    OPT_SPLIT: Look("OPT, best split", BLACK, "D", "--", hollow=True),
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
"""Looks for curves of a construction, in the order of its policies."""


@dataclass(frozen=True)
class Plan:
    """A figure that is to be drawn.

    Attributes
    ----------
    name : str
        File name without suffix.
    kind : str
        Key into :data:`KINDS`.
    data : mapping
        A panel of ``growth`` or an entry of ``studies`` of the report's document.
    alt : str
        The figure in words.
    """

    name: str
    kind: str
    data: Mapping[str, Any]
    alt: str


def plans(document: Mapping[str, Any]) -> Iterator[Plan]:
    """Yield the figures of a document in the order of the report."""
    for panel in document["growth"]:
        policies = ", ".join(curve["policy"] for curve in panel["curves"])
        yield Plan(
            f"growth-{panel['id']}",
            "growth",
            panel,
            f"Ratio of faults against sequence length on the construction {panel['id']} for {policies}",
        )
    for study in document["studies"]:
        for kind, words in (
            ("faults", "Faults per request"),
            ("ratio", "Faults relative to OPT"),
            ("saving", "Share of LRU's faults saved"),
        ):
            yield Plan(f"{kind}-{study['id']}", kind, study, f"{words} against cache size: {study['title']}")


def draw(plan: Plan, directory: Path) -> str:
    """Draw a figure as ``NAME.svg`` and ``NAME.png`` in a directory and return the SVG text."""
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": plan.name}):
        figure = Figure(figsize=(WIDTH, 4.3), layout="constrained")
        FigureCanvasAgg(figure)
        KINDS[plan.kind](figure, plan.data)
        target = directory / plan.name
        figure.savefig(target.with_name(f"{plan.name}.png"), dpi=DPI, metadata={"Software": None})
        svg = target.with_name(f"{plan.name}.svg")
        figure.savefig(svg, metadata={"Date": None, "Creator": None})
    return svg.read_text(encoding="utf-8")


def _legend(figure: Figure, axes: Axes, columns: int = 3, height: int = 0) -> None:
    """Set the legend below the plot, in columns read downwards; ``height`` is the least height in lines."""
    handles, labels = axes.get_legend_handles_labels()
    rows = ceil(len(labels) / columns)
    figure.set_size_inches(WIDTH, 3.2 + 0.22 * max(rows, height))
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        handlelength=2.6,
        handletextpad=0.5,
        columnspacing=1.0,
    )


# Ratio against growing sequence length.


def _growth(figure: Figure, panel: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    _offset_curves(axes, panel)
    limit = _number(panel["limit"])
    unbounded = isinf(limit)
    axes.set_xscale("log")
    if unbounded:
        axes.set_yscale("log")
        axes.text(0.03, 0.95, "limit ∞", transform=axes.transAxes, va="top", fontsize=10)
    else:
        axes.axhline(limit, color=BLACK, linewidth=1.2, linestyle=(0, (6, 2)))
        axes.set_ylim(0, 1.22 * max(limit, *_ratios(panel)))
        axes.annotate(
            _limit_text(panel),
            (0.0, limit),
            xycoords=("axes fraction", "data"),
            xytext=(4, 8 if "frac" in _limit_text(panel) else 4),
            textcoords="offset points",
        )
    axes.set_title(_growth_title(panel))
    axes.set_xlabel("requests T (log scale)")
    axes.set_ylabel("faults online / offline" + (" (log scale)" if unbounded else ""))
    _plain_ticks(axes)
    _legend(figure, axes, columns=2 if _longest_label(panel) > 16 else 3)


def _offset_curves(axes: Axes, panel: Mapping[str, Any]) -> None:
    """Draw the curves; markers of curves that coincide are set off against each other."""
    curves = panel["curves"]
    for place, (curve, look) in enumerate(zip(curves, cycle(OTHERS), strict=False)):
        points = [point for point in curve["points"] if point["offline"]]
        style = look.keywords() | {"label": policy_label(curve["policy"])}
        axes.plot(
            [point["requests"] for point in points],
            [point["ratio"] for point in points],
            **style,
            markevery=(place, max(4, len(curves) + 1)),
        )
    promised = _least_promised(curves)
    if promised:
        axes.plot(
            *zip(*promised, strict=True), color=GREY, linewidth=3.2, alpha=0.55, label="promised", zorder=1
        )


def _least_promised(curves: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """The ratio promised to every policy shown, where a period is complete."""
    least: dict[int, float] = {}
    for curve in curves:
        for point in curve["points"]:
            if point["promised"]:
                t = point["requests"]
                least[t] = min(least.get(t, inf), _number(point["promised"]))
    return sorted(least.items())


def _ratios(panel: Mapping[str, Any]) -> list[float]:
    return [point["ratio"] for curve in panel["curves"] for point in curve["points"] if point["offline"]]


def _limit_text(panel: Mapping[str, Any]) -> str:
    value = _number(panel["limit"])
    shown = f"{value:g}" if value == round(value, 3) else f"{value:.3f}"
    form = panel["limit_form"]
    return f"limit ${form} = {shown}$" if form else f"limit ${shown}$"


def _growth_title(panel: Mapping[str, Any]) -> str:
    size = f"ℓ = {panel['layers']}, n = {panel['pages']}, k = {panel['k']}"
    if panel["h"] != panel["k"]:
        size += f", h = {panel['h']}"
    return f"{panel['construction']}: {size}"


def _longest_label(panel: Mapping[str, Any]) -> int:
    return max(len(policy_label(curve["policy"])) for curve in panel["curves"])


def policy_label(policy: str) -> str:
    """Return how a policy is called in figures.

    >>> policy_label("lru"), policy_label("partitioned:policy=fifo")
    ('LRU', 'equal split, FIFO')
    """
    name, _, inner = policy.partition(":policy=")
    if name == "partitioned":
        return f"equal split, {(inner or 'lru').upper()}"
    return LOOKS[name].label.removesuffix(", mean") if name in LOOKS else name.upper()


# Faults against cache size.


def _faults(figure: Figure, study: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    names = ("lfu", "fifo", "lru", "mark", "partitioned", "llru", "llru-lazy", OPT_SPLIT, "opt", "compulsory")
    for name in names:
        _curve(axes, study, name, "fault_rate", 100)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("faults per request (%)")
    _finish_study(figure, axes, study, "Faults")


def _ratio(figure: Figure, study: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    names = (
        "lfu",
        "fifo",
        "lru",
        "mark",
        "partitioned",
        "llru",
        "llru-lazy",
        LRU_SPLIT,
        OPT_EQUAL,
        OPT_SPLIT,
    )
    for name in names:
        _curve(axes, study, name, "vs_opt", 1)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.95)
    _published(axes, 2.5, "reported: up to 2.5")
    axes.axhline(1, color=BLACK, linewidth=1.0)
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 1.5, 2, 3, 5, 7)))
    axes.set_ylabel("faults / faults of OPT (log scale)")
    _plain_ticks(axes)
    _finish_study(figure, axes, study, "Distance to OPT")


def _saving(figure: Figure, study: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    for name in ("llru", "llru-lazy", "llru-token", "partitioned", LRU_SPLIT):
        _curve(axes, study, name, "saving_over_lru", 100)
    _published(axes, 15, "reported: about 15 %")
    axes.axhline(0, color=BLUE, linewidth=1.0)
    axes.set_ylim(bottom=max(axes.get_ylim()[0], LEAST_SAVING), top=max(axes.get_ylim()[1], 18))
    axes.set_ylabel("fewer faults than LRU (%)")
    _finish_study(figure, axes, study, "Saving over LRU")


def _curve(axes: Axes, study: Mapping[str, Any], policy: str, key: str, factor: float) -> None:
    rows = [row for row in study["rows"] if row["policy"] == policy and row[key] is not None]
    if rows:
        values = [factor * row[key] for row in rows]
        axes.plot([row["k"] for row in rows], values, **LOOKS[policy].keywords())


def _published(axes: Axes, value: float, text: str) -> None:
    axes.axhline(value, color=GREY, linewidth=1.2, linestyle=(0, (6, 2)), zorder=1)
    axes.annotate(
        text,
        (0.0, value),
        xycoords=("axes fraction", "data"),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=9,
        color="#444444",
        zorder=1.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
    )


def _finish_study(figure: Figure, axes: Axes, study: Mapping[str, Any], what: str) -> None:
    axes.set_xlabel(f"cache size k (pages, of {study['total_pages']})")
    name = study["id"] if len(study["id"]) <= LONGEST_NAME else study["id"][: LONGEST_NAME - 1] + "…"
    axes.set_title(f"{what}: {name}")
    _legend(figure, axes, height=4)


def _plain_ticks(axes: Axes) -> None:
    """Write the ticks of logarithmic axes as plain numbers."""
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "log":
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
            axis.set_minor_formatter(NullFormatter())


def _number(value: object) -> float:
    """Return a number of the document, which may be an exact ``p/q`` or ``inf``, as a decimal."""
    top, _, bottom = str(value).partition("/")
    return float(top) / float(bottom or 1)


KINDS = {"growth": _growth, "faults": _faults, "ratio": _ratio, "saving": _saving}
"""What can be drawn."""
