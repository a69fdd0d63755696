"""Every request as hit or fault, with the k-phases: the numbers, and their drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from paging.errors import LimitError
from paging.model import RequestSequence, title_of
from paging.offline import farthest_in_future, phase_starts
from paging.plotting import BLACK, BLUE, GREY, VERMILLION, policy_label
from paging.policy import get_policy
from paging.simulate import simulate
from proofs.plots.document import Document

LONGEST_TIMELINE = 2000
"""Most requests of a picture of phases: more dots cannot be told apart."""


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
    >>> from paging import LayeredInstance
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
    requests, instance = sequence.requests.tolist(), sequence.instance
    return {
        "kind": "phases",
        "policy": policy,
        "seed": seed if get_policy(policy).randomized else None,
        "instance": instance.plain,
        "model": instance.model,
        "requests": requests,
        "names": {page: instance.page_name(page) for page in sorted(set(requests))},
        "faults": faults,
        "opt": optimal,
        "phases": _phase_rows(requests, phase_starts(requests, instance.cache), faults, optimal),
    }


def _phase_rows(
    requests: list[int], starts: Sequence[int], faults: list[int], optimal: list[int]
) -> list[dict[str, int]]:
    """Return where every phase begins and ends, its distinct and new pages, and what it costs."""
    rows = []
    before: set[int] = set()
    for start, end in pairwise([*starts, len(requests)]):
        pages = set(requests[start:end])
        rows.append(
            {
                "start": start,
                "end": end,
                "distinct": len(pages),
                "new": len(pages - before),
                "faults": sum(faults[start:end]),
                "opt": sum(optimal[start:end]),
            }
        )
        before = pages
    return rows


def _fault_marks(counts: NDArray[np.int64]) -> list[int]:
    return np.diff(counts, prepend=0).tolist()  # type: ignore[no-any-return]


def draw_phases(figure: Figure, document: Mapping[str, Any]) -> None:
    """Draw the requests above, and below them the faults of every phase."""
    label = policy_label(document["policy"])
    requests, faults = document["requests"], document["faults"]
    rows = {int(page): row for row, page in enumerate(document["names"])}
    width, height = min(14, 2 + 0.055 * len(requests)), 4.6 + 0.06 * min(60, len(rows))
    figure.set_size_inches(max(figure.get_figwidth(), width), height)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _request_dots(upper, [rows[page] for page in requests], faults, label)
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


def _request_dots(axes: Axes, rows: list[int], faults: list[int], label: str) -> None:
    """Draw every request in the row of its page: a ring for a hit, a cross for a fault."""
    size = 24 if len(rows) <= 300 else 9
    styles: tuple[tuple[int, str, dict[str, Any]], ...] = (
        (0, "hit", {"marker": "o", "facecolors": "white", "edgecolors": BLUE, "linewidths": 1.0}),
        (1, "fault", {"marker": "x", "color": VERMILLION, "linewidths": 1.4}),
    )
    for value, name, style in styles:
        times = [t for t, fault in enumerate(faults) if fault == value]
        axes.scatter(times, [rows[t] for t in times], s=size, label=f"{name} of {label}", **style)


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
