"""The figures of the report, in the house style of :mod:`paging.plotting`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import inf, isinf
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from paging.model import title_of
from paging.numbers import decimal
from paging.plotting import (
    BLACK,
    BLUE,
    DASHES,
    GREY,
    LOOKS,
    OTHERS,
    legend,
    note_line,
    plain_ticks,
    policy_label,
    save,
)
from proofs.report.studies import LRU_SPLIT, OPT_EQUAL, OPT_SPLIT

LEAST_SAVING = -15
"""Savings below this many percent are cut off: the figure is about the differences above."""

SHOWN = ("lfu", "fifo", "lru", "mark", "partitioned", "llru", "llru-lazy", "zrc")
"""Policies whose faults are drawn; what lies below is drawn above."""

FORMATS = ("png", "svg")
"""Formats of a figure's files; the SVG stands in the page too."""

WIDEST_TITLE = 44
"""Letters of a construction's name and size that fit on one line over a figure."""

LONGEST_NAME = 28
"""Characters of a trace's name that a title holds."""


@dataclass(frozen=True, eq=False)
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
    for panel in document["predictions"]:
        yield Plan(
            f"told-{panel['id']}",
            "told",
            panel,
            f"Faults relative to OPT against the error of {panel['kind']} predictions: {panel['title']}",
        )


def draw(plan: Plan, directory: Path, formats: Iterable[str] = FORMATS) -> str:
    """Draw a figure as ``NAME.svg`` and perhaps other formats in a directory and return the SVG text."""
    svg = directory / f"{plan.name}.svg"
    others = [directory / f"{plan.name}.{end}" for end in formats if end != "svg"]
    save(plan.name, lambda figure: KINDS[plan.kind](figure, plan.data), [*others, svg], content=plan.data)
    return svg.read_text(encoding="utf-8")


# Ratio against growing sequence length.


def _growth(figure: Figure, panel: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    _offset_curves(axes, panel)
    axes.set_xscale("log")
    _mark_limit(axes, panel)
    axes.set_title(_growth_title(panel))
    axes.set_xlabel("requests T (log scale)")
    axes.set_ylabel("faults online / offline" + (" (log scale)" if axes.get_yscale() == "log" else ""))
    plain_ticks(axes)
    legend(figure, axes, columns=_columns(axes))


def _mark_limit(axes: Axes, panel: Mapping[str, Any]) -> None:
    """Draw the limit as a line with its value; towards ∞ the scale is logarithmic instead."""
    limit = decimal(panel["limit"])
    if isinf(limit):
        axes.set_yscale("log")
        axes.text(0.03, 0.95, "limit ∞", transform=axes.transAxes, va="top", fontsize=10)
        return
    text = _limit_text(panel)
    axes.axhline(limit, color=BLACK, linewidth=1.2, linestyle=DASHES)
    axes.set_ylim(0, 1.22 * max(limit, *_ratios(panel)))
    axes.annotate(
        text,
        (0.0, limit),
        xycoords=("axes fraction", "data"),
        xytext=(4, 8 if "frac" in text else 4),
        textcoords="offset points",
        parse_math=True,
    )


def _offset_curves(axes: Axes, panel: Mapping[str, Any]) -> None:
    """Draw the curves; markers of curves that coincide are set off against each other."""
    curves = panel["curves"]
    drawn = {
        policy_label(curve["policy"]): [(p["requests"], p["ratio"]) for p in curve["points"] if p["offline"]]
        for curve in curves
    }
    alike = _coinciding(drawn)
    for place, (labels, look) in enumerate(zip(alike, cycle(OTHERS), strict=False)):
        style = look.keywords() | {"label": " = ".join(labels)}
        axes.plot(*zip(*drawn[labels[0]], strict=True), **style, markevery=(place, max(4, len(alike) + 1)))
    promised = _least_promised(curves)
    if promised:
        axes.plot(
            *zip(*promised, strict=True), color=GREY, linewidth=3.2, alpha=0.55, label="promised", zorder=1
        )


def _coinciding(curves: Mapping[str, Sequence[tuple[float, float]]]) -> list[list[str]]:
    """Gather the names of curves that are the same at every point: they are drawn as one, with all names.

    >>> _coinciding({"LRU": [(1, 2.0)], "FIFO": [(1, 2.0)], "OPT": [(1, 1.0)]})
    [['LRU', 'FIFO'], ['OPT']]
    """
    alike: dict[tuple[tuple[float, float], ...], list[str]] = {}
    for name, points in curves.items():
        if points:
            alike.setdefault(tuple(points), []).append(name)
    return list(alike.values())


def _least_promised(curves: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """The ratio promised to every policy shown, where a period is complete."""
    least: dict[int, float] = {}
    for curve in curves:
        for point in curve["points"]:
            if point["promised"]:
                t = point["requests"]
                least[t] = min(least.get(t, inf), decimal(point["promised"]))
    return sorted(least.items())


def _ratios(panel: Mapping[str, Any]) -> list[float]:
    return [point["ratio"] for curve in panel["curves"] for point in curve["points"] if point["offline"]]


def _limit_text(panel: Mapping[str, Any]) -> str:
    value = decimal(panel["limit"])
    shown = f"{value:g}" if value == round(value, 3) else f"{value:.3f}"
    form = panel["limit_form"]
    return f"limit ${form} = {shown}$" if form else f"limit ${shown}$"


def _growth_title(panel: Mapping[str, Any]) -> str:
    size = title_of(panel, panel["k"])
    if panel["h"] != panel["k"]:
        size += f", h = {panel['h']}"
    between = " " if len(panel["construction"]) + len(size) <= WIDEST_TITLE else "\n"
    return f"{panel['construction']}:{between}{size}"


# Faults against cache size.


def _faults(figure: Figure, study: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    _curves(axes, study, (*SHOWN, OPT_SPLIT, "opt", "compulsory"), "fault_rate", 100)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("faults per request (%)")
    _finish_study(figure, axes, study, "Faults")


def _ratio(figure: Figure, study: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    _curves(axes, study, (*SHOWN, LRU_SPLIT, OPT_EQUAL, OPT_SPLIT), "vs_opt", 1)
    axes.set_yscale("log")
    axes.set_ylim(0.95, max(axes.get_ylim()[1], 2.8))  # with room for what was reported
    note_line(axes, 2.5, "reported: up to 2.5")
    axes.axhline(1, color=BLACK, linewidth=1.0)
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 1.5, 2, 3, 5, 7)))
    axes.set_ylabel("faults / faults of OPT (log scale)")
    plain_ticks(axes)
    _finish_study(figure, axes, study, "Distance to OPT")


def _saving(figure: Figure, study: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    compared = ("llru", "llru-lazy", "llru-token", "zrc", "partitioned", LRU_SPLIT)
    _curves(axes, study, compared, "saving_over_lru", 100)
    note_line(axes, 15, "reported: about 15 %")
    axes.axhline(0, color=BLUE, linewidth=1.0)
    axes.set_ylim(bottom=max(axes.get_ylim()[0], LEAST_SAVING), top=max(axes.get_ylim()[1], 18))
    axes.set_ylabel("fewer faults than LRU (%)")
    _finish_study(figure, axes, study, "Saving over LRU")


def _curves(axes: Axes, study: Mapping[str, Any], policies: Iterable[str], key: str, factor: float) -> None:
    """Draw a quantity of policies over cache sizes."""
    curves = {
        policy: [
            (row["k"], factor * row[key])
            for row in study["rows"]
            if row["policy"] == policy and row[key] is not None
        ]
        for policy in policies
    }
    for names in _coinciding(curves):
        label = " = ".join(LOOKS[name].label for name in names)
        axes.plot(*zip(*curves[names[0]], strict=True), **LOOKS[names[0]].keywords() | {"label": label})


def _columns(axes: Axes) -> int:
    """Return how many columns the legend has: as many as its longest label leaves room for."""
    longest = max(map(len, axes.get_legend_handles_labels()[1]), default=0)
    return 3 if longest <= 16 else 2 if longest <= 26 else 1


def _finish_study(figure: Figure, axes: Axes, study: Mapping[str, Any], what: str) -> None:
    axes.set_xlabel(f"cache size k (pages, of {study['total_pages']})")
    name = study["id"] if len(study["id"]) <= LONGEST_NAME else study["id"][: LONGEST_NAME - 1] + "…"
    axes.set_title(f"{what}: {name}")
    legend(figure, axes, columns=_columns(axes), height=4)


# Cost over error.


def _told(figure: Figure, panel: Mapping[str, Any]) -> None:
    """Draw the policies that are told predictions, those that are not as level lines, and what is proved.

    Every way to be wrong has axes of its own, side by side.
    """
    sweeps, width = panel["sweeps"], figure.get_figwidth()
    beside = {row["policy"]: row["vs_opt"] for row in panel["beside"] if row["policy"] in LEVEL}
    several = figure.subplots(1, len(sweeps), sharey=True, squeeze=False)[0]
    for axes, sweep in zip(several, sweeps, strict=True):
        _told_sweep(axes, sweep, beside)
    paid = [row["vs_opt"] for sweep in sweeps for point in sweep["points"] for row in point["rows"]]
    several[0].set_ylim(0.9, 1.15 * max([*paid, *beside.values()]))
    several[0].set_ylabel("faults / faults of OPT")
    name = panel["study"] if len(panel["study"]) <= LONGEST_NAME else panel["study"][: LONGEST_NAME - 1] + "…"
    several[0].set_title(f"{panel['kind']} predictions: {name}, k = {panel['k']}")
    figure.set_figwidth(width * (1 + 0.8 * (len(sweeps) - 1)))
    legend(figure, several[0], columns=_columns(several[0]) * len(sweeps), height=2)


LEVEL = ("lru", "llru", "mark")
"""Policies that are told nothing, and so have level lines."""


def _told_sweep(axes: Axes, sweep: Mapping[str, Any], beside: Mapping[str, float]) -> None:
    points = sweep["points"]
    policies = [row["policy"] for row in points[0]["rows"]]
    for policy, look in zip(policies, cycle(OTHERS), strict=False):
        curve = [
            (point["value"], row["vs_opt"])
            for point in points
            for row in point["rows"]
            if row["policy"] == policy
        ]
        label = policy_label(policy.replace(":a=", ":"))
        axes.plot(*zip(*curve, strict=True), **look.keywords() | {"label": label})
        bounds = [one["bound"] for one in points[0]["allowed"] if one["policy"] == policy]
        for bound in dict.fromkeys(bounds):
            line = [
                (point["value"], one["over_opt"])
                for point in points
                for one in point["allowed"]
                if (one["policy"], one["bound"]) == (policy, bound)
            ]
            axes.plot(*zip(*line, strict=True), color=look.colour, linewidth=3.0, alpha=0.35, zorder=1)
    for name in LEVEL:
        if beside.get(name) is not None:
            axes.axhline(beside[name], **LOOKS[name].keywords() | {"marker": "", "linewidth": 1.0})
    axes.axhline(1, color=BLACK, linewidth=1.0, label="OPT")
    axes.set_xlabel(sweep["meaning"])


KINDS = {"growth": _growth, "faults": _faults, "ratio": _ratio, "saving": _saving, "told": _told}
"""What can be drawn."""
