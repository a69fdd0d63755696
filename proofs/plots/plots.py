"""The pictures of ``paging plot``: each a document of plain numbers, and a drawing of such a document."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from paging.compare import COMPULSORY, OPT, compare
from paging.errors import LimitError, ModelError
from paging.model import LayeredInstance, RequestSequence
from paging.offline import farthest_in_future, optimum_so_far, phase_starts
from paging.plotting import (
    BLACK,
    BLUE,
    GREY,
    VERMILLION,
    legend,
    looks,
    note_line,
    number,
    plain_ticks,
    policy_label,
    save,
    title_of,
)
from paging.policy import get_policy
from paging.simulate import simulate
from proofs.bounds.bound import formula
from proofs.bounds.guides import best_bound

Document = dict[str, Any]
Progress = Callable[[int, int], None]

SIZE = (6.4, 4.0)
"""Width and height of a picture in inches; the legend adds to the height."""

POINTS = 300
"""Most points of a curve over time."""

LONGEST_TIMELINE = 2000
"""Most requests of a picture of phases: more dots cannot be told apart."""

MOST_CELLS = 10_000
"""Most cells of a heatmap."""

ANNOTATED = 200
"""Most cells of a heatmap that carry their number."""

FAR = 6
"""How many times the largest observed ratio a bound may be before the scale becomes logarithmic."""

SHOWN = {
    "faults": ("faults", 1, "faults"),
    "rate": ("fault_rate", 100, "faults per request (%)"),
    "ratio": ("vs_opt", 1, "faults / faults of OPT, observed"),
    "saving": ("saving_over_lru", 100, "fewer faults than LRU (%)"),
}
"""What a curve or a heatmap can show: key of a row, factor, axis label with unit."""


def nothing(done: int, total: int) -> None:
    """Report no progress."""


def draw(document: Mapping[str, Any], paths: Iterable[str | Path]) -> None:
    """Draw a document of this module into files ``.svg``, ``.png`` or ``.pdf``."""
    kind = document["kind"]
    save(f"plot-{kind}", lambda figure: DRAWINGS[kind](figure, document), paths, size=SIZE)


# Faults over cache size.


def curve(
    sequence: RequestSequence,
    caches: Sequence[int],
    policies: Sequence[str],
    *,
    show: str = "faults",
    runs: int = 10,
    seed: int = 0,
    progress: Progress = nothing,
) -> Document:
    """Return faults over cache size for policies, OPT and the compulsory faults.

    Parameters
    ----------
    sequence : RequestSequence
    caches : sequence of int
        Cache sizes k.
    policies : sequence of str
        ``opt`` and ``compulsory`` are there anyway, named or not.
    show : {"faults", "rate", "ratio", "saving"}, default "faults"
        What is drawn; the document holds all four.
    runs, seed : int
        Of randomised policies.
    progress : callable, optional
        Called with (done, total).

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> [row["faults"] for row in curve(sequence, [2, 3], ["lru"])["rows"]]
    [6, 4, 3, 3, 3, 3]
    """
    chosen = [policy for policy in policies if policy not in (OPT, COMPULSORY)]
    result = compare(sequence, sorted(caches), chosen, runs=runs, seed=seed, progress=progress)
    total = sequence.instance.total_pages
    facts = {"kind": "curve", "show": show, "requests": len(sequence), "total_pages": total}
    return {**facts, **result.as_dict()}


def _draw_curve(figure: Figure, document: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    key, factor, label = SHOWN[document["show"]]
    rows = [row for row in document["rows"] if row[key] is not None]
    if document["show"] in ("ratio", "saving"):
        rows = [row for row in rows if row["policy"] != "compulsory"]
    for policy, keywords in looks(row["policy"] for row in rows).items():
        here = [row for row in rows if row["policy"] == policy]
        bars = [factor * row[key] / row["faults"] * row.get("half_width", 0) for row in here if row["faults"]]
        points = [row["k"] for row in here], [factor * row[key] for row in here]
        axes.plot(*points, **keywords)
        if any(bars) and document["show"] != "saving":
            axes.errorbar(*points, yerr=bars, fmt="none", ecolor=keywords["color"], capsize=2.5)
    if document["show"] in ("faults", "rate"):
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.set_xlabel(f"cache size k (pages, of {document['total_pages']})")
    axes.set_ylabel(label)
    axes.set_title(f"{document['requests']:,} requests, {title_of(document['instance'])}")
    legend(figure, axes, columns=4, plot=3.6)


# Observed ratio over time, against what is proved.


def proven_upper(policy: str, instance: LayeredInstance, opt_cache: int) -> Document | None:
    """Return the least upper bound of the registry that speaks of a policy here, as plain data.

    Examples
    --------
    >>> proven_upper("lru", LayeredInstance(layers=2, pages=4, cache=7), 7)["value"]
    Fraction(7, 1)
    >>> proven_upper("lifo", LayeredInstance(layers=2, pages=4, cache=7), 7) is None
    True
    """
    least = best_bound("upper", instance, get_policy(policy), opt_cache)
    if least is None:
        return None
    return {
        "kind": "upper",
        "id": least.id,
        "formula": formula(least.value),
        "value": least.at(instance, opt_cache),
        "policies": [policy],
    }


def ratio(
    inputs: Mapping[str, RequestSequence],
    *,
    opt_cache: int | None = None,
    forced: Document | None = None,
    runs: int = 10,
    seed: int = 0,
    progress: Progress = nothing,
) -> Document:
    """Return faults so far / OPT so far over time, with the proved upper bounds of the policies.

    Parameters
    ----------
    inputs : mapping of str to RequestSequence
        The requests of every policy: the same for all, or those an adaptive construction made.
    opt_cache : int, optional
        OPT's cache h; default the instance's k.
    forced : mapping, optional
        A lower bound to draw beside: what a construction forces, as ``kind, id, formula, value, policies``.
    runs, seed : int
        Of randomised policies: the mean over so many sampled runs.
    progress : callable, optional
        Called with (done, total).

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> document = ratio({"lru": sequence})
    >>> [point["ratio"] for point in document["curves"][0]["points"]]
    [1.0, 1.0, 1.0, 1.3333333333333333, 1.25, 1.5]
    """
    curves, bounds = [], [] if forced is None else [forced]
    for done, (policy, sequence) in enumerate(inputs.items()):
        progress(done, len(inputs))
        small = sequence.instance.cache if opt_cache is None else opt_cache
        counts, sampled = _mean_counts(policy, sequence, runs, seed)
        optimum = optimum_so_far(sequence, small)
        points = [
            {
                "requests": t + 1,
                "faults": counts[t].item(),
                "opt": int(optimum[t]),
                "ratio": float(counts[t] / optimum[t]),
            }
            for t in _times(len(sequence))
        ]
        curves.append({"policy": policy, "runs": sampled, "points": points})
        upper = proven_upper(policy, sequence.instance, small)
        if upper is not None:
            bounds.append(upper)
    instance = next(iter(inputs.values())).instance
    return {
        "kind": "ratio",
        "instance": {"layers": instance.layers, "pages": instance.pages, "cache": instance.cache},
        "opt_cache": instance.cache if opt_cache is None else opt_cache,
        "model": instance.model,
        "curves": curves,
        "bounds": bounds,
    }


def _mean_counts(
    policy: str, sequence: RequestSequence, runs: int, seed: int
) -> tuple[NDArray[Any], int | None]:
    """Return the faults so far, counted, or the mean over sampled runs and how many."""
    if not get_policy(policy).randomized:
        return simulate(policy, sequence, record=True).fault_counts, None
    streams = np.random.SeedSequence(seed).generate_state(runs)
    counts = [simulate(policy, sequence, record=True, seed=int(s)).fault_counts for s in streams]
    return np.mean(counts, axis=0), runs


def _times(length: int) -> list[int]:
    """Choose at most :data:`POINTS` times, evenly on a logarithmic scale, the last one among them."""
    if length == 0:
        raise ModelError("a ratio over time needs at least one request")
    if length <= POINTS:
        return list(range(length))
    chosen: list[int] = np.unique(np.geomspace(1, length, POINTS).round().astype(int) - 1).tolist()
    return chosen


def _draw_ratio(figure: Figure, document: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    curves = document["curves"]
    for place, (policy, keywords) in enumerate(looks(c["policy"] for c in curves).items()):
        points = next(c["points"] for c in curves if c["policy"] == policy)
        label = keywords.pop("label").removesuffix(", mean")
        runs = next(c["runs"] for c in curves if c["policy"] == policy)
        # Markers of curves that coincide are set off against each other.
        every = max(1, len(points) // 12)
        offset = min(len(points) - 1, place * every // max(1, len(curves)))
        axes.plot(
            [point["requests"] for point in points],
            [point["ratio"] for point in points],
            **keywords,
            label=label if runs is None else f"{label}, mean of {runs}",
            markevery=(offset, every),
        )
    # The names of neighbouring bounds begin at different places, so that they do not meet.
    for place, (value, text) in enumerate(sorted(_merged(document["bounds"]))):
        note_line(axes, value, text, at=0.5 * (place % 2))
    _ratio_scale(axes, document)
    size = title_of(document["instance"], document["instance"]["cache"])
    small = "" if document["opt_cache"] == document["instance"]["cache"] else f", h = {document['opt_cache']}"
    axes.set_title(f"Observed ratio: {size}{small}")
    axes.set_xlabel("requests T (log scale)")
    legend(figure, axes, columns=4, plot=3.6)


def _ratio_scale(axes: Axes, document: Mapping[str, Any]) -> None:
    """Scale the axes; ratios that grow without bound, or are far from it, get a logarithmic one."""
    values = [number(bound["value"]) for bound in document["bounds"]]
    top = max(point["ratio"] for c in document["curves"] for point in c["points"])
    axes.set_xscale("log")
    unbounded = any(value == inf for value in values)
    logarithmic = unbounded or max(values, default=1) > FAR * top
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(0.9, 1.6 * max(top, *(value for value in values if isfinite(value)), 1))
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    if unbounded:
        axes.text(0.03, 0.95, "forced in the limit: ∞", transform=axes.transAxes, va="top", fontsize=9)
    if not logarithmic:
        axes.set_ylim(0, 1.15 * max(top, *values, 1))
    axes.set_ylabel("faults / faults of OPT so far" + (" (log scale)" if logarithmic else ""))
    plain_ticks(axes)


def _merged(bounds: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    """Join finite bounds of equal value into one line with one text."""
    texts: dict[float, list[str]] = {}
    for bound in bounds:
        value = number(bound["value"])
        if isfinite(value):
            sign = "forced:" if bound["kind"] == "lower" else "proved: ≤"
            names = ", ".join(policy_label(policy) for policy in bound["policies"])
            texts.setdefault(value, []).append(
                f"{sign} {bound['formula']}" + (f" for {names}" if names else "") + f" ({bound['id']})"
            )
    return [(value, "\n".join(dict.fromkeys(lines))) for value, lines in texts.items()]


# Phases of a sequence.


def phases(policy: str, sequence: RequestSequence, *, seed: int = 0) -> Document:
    """Return hits and faults of a policy and of OPT, request by request, with the k-phases.

    Parameters
    ----------
    policy : str
        A randomised policy is shown in one run.
    sequence : RequestSequence
        At most :data:`LONGEST_TIMELINE` requests.
    seed : int, default 0

    Raises
    ------
    LimitError
        The sequence is too long for a picture.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> [(phase["start"], phase["faults"], phase["new"]) for phase in phases("lru", sequence)["phases"]]
    [(0, 2, 2), (2, 2, 1), (4, 2, 1)]
    """
    if not 1 <= len(sequence) <= LONGEST_TIMELINE:
        raise LimitError(
            f"a picture of phases shows 1 … {LONGEST_TIMELINE:,} requests, got {len(sequence):,}; "
            "take the first ones with --first"
        )
    faults = _fault_marks(simulate(policy, sequence, record=True, seed=seed).fault_counts)
    optimal = _fault_marks(farthest_in_future(sequence, record=True).fault_counts)
    requests = sequence.requests.tolist()
    starts = phase_starts(requests, sequence.instance.cache)
    stretches = [(start, end) for start, end in pairwise([*starts, len(requests)])]
    sets = [set(requests[start:end]) for start, end in stretches]
    instance = sequence.instance
    return {
        "kind": "phases",
        "policy": policy,
        "seed": seed if get_policy(policy).randomized else None,
        "instance": {"layers": instance.layers, "pages": instance.pages, "cache": instance.cache},
        "model": instance.model,
        "requests": requests,
        "names": {page: instance.page_name(page) for page in sorted(set(requests))},
        "faults": faults,
        "opt": optimal,
        "phases": [
            {
                "start": start,
                "end": end,
                "distinct": len(pages),
                "new": len(pages - before),
                "faults": sum(faults[start:end]),
                "opt": sum(optimal[start:end]),
            }
            for (start, end), pages, before in zip(stretches, sets, [set(), *sets[:-1]], strict=True)
        ],
    }


def _fault_marks(counts: NDArray[np.int64]) -> list[int]:
    return np.diff(counts, prepend=0).tolist()  # type: ignore[no-any-return]


def _draw_phases(figure: Figure, document: Mapping[str, Any]) -> None:
    label = policy_label(document["policy"])
    requests, faults = document["requests"], document["faults"]
    rows = {int(page): place for place, page in enumerate(document["names"])}
    figure.set_size_inches(max(SIZE[0], min(14, 2 + 0.055 * len(requests))), 4.6 + 0.06 * min(60, len(rows)))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    size = 24 if len(requests) <= 300 else 9
    for value, name, style in (
        (0, "hit", {"marker": "o", "facecolors": "white", "edgecolors": BLUE, "linewidths": 1.0}),
        (1, "fault", {"marker": "x", "color": VERMILLION, "linewidths": 1.4}),
    ):
        times = [t for t, fault in enumerate(faults) if fault == value]
        upper.scatter(times, [rows[requests[t]] for t in times], s=size, label=f"{name} of {label}", **style)
    _page_ticks(upper, document["names"])
    _phase_bars(lower, document, label)
    for axes in (upper, lower):
        axes.grid(False)
        for phase in document["phases"][1:]:
            axes.axvline(phase["start"] - 0.5, color=GREY, linewidth=0.8, linestyle=":")
    shape = title_of(document["instance"], document["instance"]["cache"])
    upper.set_title(f"{len(document['phases'])} phases, {label}: {shape}")
    upper.set_ylabel("page (layer.index)")
    lower.set_xlabel("request number t")
    parts = (upper.get_legend_handles_labels(), lower.get_legend_handles_labels())
    handles, labels = ([*first, *second] for first, second in zip(*parts, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _page_ticks(axes: Axes, names: Mapping[Any, str]) -> None:
    step = max(1, len(names) // 24)
    axes.set_yticks(range(0, len(names), step), list(names.values())[::step], fontsize=8)
    axes.invert_yaxis()


def _phase_bars(axes: Axes, document: Mapping[str, Any], label: str) -> None:
    """Draw faults per phase: a bar for the policy, a line across it for OPT."""
    found = document["phases"]
    middles = [(phase["start"] + phase["end"] - 1) / 2 for phase in found]
    widths = [phase["end"] - phase["start"] - 0.3 for phase in found]
    axes.bar(
        middles,
        [phase["faults"] for phase in found],
        widths,
        facecolor="#dddddd",
        edgecolor=BLACK,
        hatch="///",
        linewidth=0.6,
        label=f"faults of {label} in the phase",
    )
    axes.hlines(
        [phase["opt"] for phase in found],
        [middle - width / 2 for middle, width in zip(middles, widths, strict=True)],
        [middle + width / 2 for middle, width in zip(middles, widths, strict=True)],
        colors=BLACK,
        linewidth=3,
        label="faults of OPT",
    )
    axes.set_ylabel("faults\nper phase")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))


# Heatmaps.


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
        number, or text such as ``3/2`` and ``inf``.
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
        except (ValueError, ZeroDivisionError):
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


def heatmap_of_table(path: str | Path, *, rows: str, columns: str, value: str) -> Document:
    """Read a heatmap from a table: CSV with a header, or JSON with a list of records (perhaps as ``rows``).

    Parameters
    ----------
    path : path
        A file ``.csv`` or ``.json``.
    rows, columns, value : str
        Names of the columns of the table that say row, column and value.

    Raises
    ------
    ModelError
        The file is no such table, lacks a column, or holds two values for one cell.
    """
    cells: dict[tuple[str, str], object] = {}
    for place, record in enumerate(_records(Path(path))):
        missing = [name for name in (rows, columns, value) if name not in record]
        if missing:
            has = ", ".join(map(str, record)) or "nothing"
            raise ModelError(f"{path}: record {place} has no {missing[0]!r}; it has {has}")
        key = (_label(record[rows]), _label(record[columns]))
        content = None if record[value] in ("", None) else record[value]
        if key in cells and cells[key] != content:
            raise ModelError(
                f"{path}: record {place}: a second value for {rows} {key[0]}, {columns} {key[1]}"
            )
        cells[key] = content
    ordered = sorted(cells, key=lambda key: (_natural(key[0]), _natural(key[1])))
    return heatmap({key: cells[key] for key in ordered}, rows=rows, columns=columns, value=value)


def _records(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    if path.suffix != ".json":
        raise ModelError(f"{path}: a table is a .csv or a .json file")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}: no JSON ({error})") from error
    records = found.get("rows") if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ModelError(
            f"{path}: a JSON table is a list of records, or an object with such a list as 'rows'"
        )
    return records


def _label(content: object) -> str:
    return "/".join(map(str, content)) if isinstance(content, list) else str(content)


def _natural(label: str) -> tuple[float, str]:
    """Sort numbers by value and before text."""
    try:
        return float(label), ""
    except ValueError:
        return inf, label


def _cell_number(content: object) -> float:
    if content is None:
        return float("nan")
    return inf if content == "unbounded" else number(content)


def _draw_heatmap(figure: Figure, document: Mapping[str, Any]) -> None:
    table = np.array([[_cell_number(content) for content in row] for row in document["values"]])
    down, across = table.shape
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
    for i in range(down):
        for j in range(across):
            dark = isfinite(table[i, j]) and _luminance(list(image.to_rgba(table[i, j]))) < 0.18
            if numbered or table[i, j] == inf:
                text = _cell_text(document["values"][i][j], table[i, j])
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


DRAWINGS = {"curve": _draw_curve, "ratio": _draw_ratio, "phases": _draw_phases, "heatmap": _draw_heatmap}
"""What can be drawn, by the kind of the document."""
