"""The pictures of a diagnosis, in the house style of :mod:`paging.plotting`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from paging.plotting import GREEN, GREY, LOOKS, SKY, VERMILLION, legend, looks, save
from proofs.report.figures import Plan

DETAILED = 4
"""Cache sizes that get pictures of their own; JSON holds the numbers of all."""

PARTS = (
    ("compulsory", "first requests", GREY, "", "working set"),
    ("capacity", "beyond any policy at this size", SKY, "//", "working set"),
    ("recovered", "saved by the best policy tried", GREEN, "..", "policy"),
    ("foresight", "only with foresight", VERMILLION, "xx", "policy"),
)
"""Parts of LRU's misses: key, name, colour, hatch, whose they are."""


def plans(document: Mapping[str, Any]) -> Iterator[Plan]:
    """Yield what is to be drawn, in the order of the page."""
    sizes = ", ".join(str(size["k"]) for size in document["sizes"])
    yield Plan("curves", "curves", document, "Misses per request against the cache size, LRU and OPT")
    yield Plan("parts", "parts", document, f"What LRU's misses are made of at k = {sizes}")
    for size in document["sizes"][:DETAILED]:
        data = {**size, "tokens": document["trace"]["tokens"]}
        yield Plan(f"time-{size['k']}", "time", data, f"Misses per token over time at k = {size['k']}")
        yield Plan(f"layers-{size['k']}", "layers", data, f"Misses per token and layer at k = {size['k']}")


def draw(plan: Plan, directory: Path) -> str:
    """Draw a picture into a directory and return its SVG text."""
    target = directory / f"{plan.name}.svg"
    save(f"diagnose-{plan.name}", lambda figure: KINDS[plan.kind](figure, plan.data), [target])
    return target.read_text(encoding="utf-8")


def _curves(figure: Figure, document: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    requests, sizes = document["trace"]["requests"], document["sizes"]
    for name, curve in document["curves"].items():
        keywords = LOOKS[name].keywords() | {"marker": ""}
        axes.plot(range(1, len(curve) + 1), [faults / requests for faults in curve], **keywords)
    for key in ("lru", "opt"):
        points = [(size["k"], size[key] / requests) for size in sizes]
        label = None if document["curves"] else LOOKS[key].label
        axes.plot(*zip(*points, strict=True), **(LOOKS[key].keywords() | {"linestyle": "", "label": label}))
    points = [(size["k"], size["best"] / requests) for size in sizes]
    axes.plot(*zip(*points, strict=True), color=GREEN, marker="D", linestyle="", label="best causal policy")
    axes.axhline(sizes[0]["compulsory"] / requests, color=GREY, linewidth=1.0, label="compulsory")
    axes.set_ylim(0, None)
    axes.set_xlim(0, None)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"cache size k (experts, of {document['trace']['total_pages']:,})")
    axes.set_ylabel("misses per request")
    axes.set_title("Misses against memory")
    legend(figure, axes, columns=2)


def _parts(figure: Figure, document: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    sizes = document["sizes"]
    names = [f"k = {size['k']}" for size in sizes]
    left = [0.0] * len(sizes)
    for key, name, colour, hatch, owner in PARTS:
        shares = [size["parts"][key] for size in sizes]
        axes.barh(
            names,
            shares,
            left=left,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=f"{owner}: {name}",
            height=0.7,
        )
        left = [start + share for start, share in zip(left, shares, strict=True)]
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of LRU's misses")
    axes.set_title("Whose are LRU's misses?")
    legend(figure, axes, columns=1, plot=1.5 + 0.34 * len(sizes))


def _time(figure: Figure, size: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    windows = size["over_time"]
    for name, keywords in _shown(size).items():
        rates = [window[name] / window["tokens"] for window in windows]
        ends = [window["first_token"] for window in windows] + [size["tokens"]]
        axes.stairs(rates, ends, color=keywords["color"], linestyle=keywords["linestyle"],
                    label=keywords["label"], baseline=None, linewidth=1.4)  # fmt: skip
    axes.set_ylim(0, None)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("token")
    axes.set_ylabel("misses per token")
    axes.set_title(f"Over time, k = {size['k']}")
    legend(figure, axes)


def _layers(figure: Figure, size: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    rows = size["layers"]
    for name, keywords in _shown(size, "llru").items():
        points = [(row["layer"], row[name] / size["tokens"]) for row in rows if row[name] is not None]
        axes.plot(*zip(*points, strict=True), **keywords)
    axes.set_ylim(0, None)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _label_layers(axes, size)
    legend(figure, axes)


def _label_layers(axes: Axes, size: Mapping[str, Any]) -> None:
    axes.set_xlabel("layer")
    axes.set_ylabel("misses per token")
    axes.set_title(f"By layer, k = {size['k']}")


def _shown(size: Mapping[str, Any], *more: str) -> dict[str, dict[str, Any]]:
    """Return the look of every line by its key; the best policy is not drawn twice."""
    best = size["best_policy"]
    extra = [name for name in more if size["layers"][0][name] is not None]
    found = looks(["lru", *extra, "opt", *([] if best in ("lru", *extra) else [best])])
    return {"best" if name == best and name not in ("lru", *extra) else name: found[name] for name in found}


KINDS = {"curves": _curves, "parts": _parts, "time": _time, "layers": _layers}
"""What can be drawn."""
