"""Faults over cache size: the numbers, and their drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from lp.streamed_curves import streamed_curves
from paging.compare import BASELINE, COMPULSORY, OPT, Comparison, Row, compare
from paging.model import LayeredInstance, PageArray, RequestSequence, title_of
from paging.numbers import decimal
from paging.plotting import legend, looks
from paging.signals import UNWATCHED, Watch
from proofs.plots.document import SHOWN, WEIGHTED, Document


def curve(
    sequence: RequestSequence,
    caches: Sequence[int],
    policies: Sequence[str],
    *,
    show: str = "faults",
    runs: int = 10,
    seed: int = 0,
    watch: Watch = UNWATCHED,
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
        What is drawn; the document holds all four. Where pages have weights, ``"faults"`` draws what they
        cost, and the last two compare costs.
    runs, seed : int
        Of randomised policies.
    watch : Watch
        Told how much is done.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> [row["faults"] for row in curve(sequence, [2, 3], ["lru"])["rows"]]
    [6, 4, 3, 3, 3, 3]
    """
    chosen = [policy for policy in policies if policy not in (OPT, COMPULSORY)]
    result = compare(sequence, sorted(caches), chosen, runs=runs, seed=seed, watch=watch)
    total = sequence.instance.total_pages
    facts = {"kind": "curve", "show": show, "requests": len(sequence), "total_pages": total}
    return {**facts, **result.as_dict()}


def streamed_curve(
    instance: LayeredInstance,
    chunks: Iterable[PageArray],
    requests: int,
    caches: Sequence[int],
    policies: Sequence[str],
    *,
    show: str = "faults",
    sample: int = 1,
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> Document:
    """Return what :func:`curve` returns for requests that come in chunks.

    Parameters
    ----------
    instance, chunks, requests, sample
        As for :func:`~lp.streamed_curves.streamed_curves`; ``policies`` are those that it knows.
    caches, policies, show, seed, watch
        As for :func:`curve`; OPT is there only if it is named.

    Examples
    --------
    >>> import numpy as np
    >>> instance = LayeredInstance(layers=1, pages=3, cache=1)
    >>> found = streamed_curve(instance, [np.array([0, 1, 2, 0, 1, 2])], 6, [2, 3], ["lru"])
    >>> [(row["policy"], row["faults"]) for row in found["rows"]]
    [('lru', 6), ('compulsory', 3), ('lru', 3), ('compulsory', 3)]
    """
    named = list(dict.fromkeys(policy for policy in policies if policy != COMPULSORY))
    sizes = sorted(caches)
    found = streamed_curves(instance, chunks, requests, named, sizes, sample=sample, seed=seed, watch=watch)
    rows = []
    for points in zip(*found.values(), strict=True):
        counted = {name: p.faults for name, p in zip(found, points, strict=True) if p.estimate is None}
        known: Any = (counted.get(OPT), counted.get(BASELINE))
        for name, (cache, faults, estimate) in zip(found, points, strict=True):
            rows.append(Row(name, cache, faults, requests, "shared", estimate, *known))
    result = Comparison(instance.with_cache(sizes[0]), tuple(sizes), tuple(rows), (), seed)
    facts = {"kind": "curve", "show": show, "requests": requests, "total_pages": instance.total_pages}
    return {**facts, **({"sample": sample} if sample > 1 else {}), **result.as_dict()}


def draw_curve(figure: Figure, document: Mapping[str, Any]) -> None:
    """Draw a curve per policy over k, with error bars where runs were sampled."""
    axes = figure.add_subplot()
    weighted = "cost" in document["model"]
    key, factor, label = {**SHOWN, **(WEIGHTED if weighted else {})}[document["show"]]
    # What a half width is relative to.
    paid, half = ("cost", "cost_half_width") if weighted and key != "fault_rate" else ("faults", "half_width")
    rows = [row for row in document["rows"] if row[key] is not None]
    if document["show"] in ("ratio", "saving"):
        rows = [row for row in rows if row["policy"] != "compulsory"]
    for policy, keywords in looks(row["policy"] for row in rows).items():
        here = [row for row in rows if row["policy"] == policy]
        bars = [
            factor * decimal(row[key]) / decimal(row[paid]) * row.get(half, 0)
            for row in here
            if decimal(row[paid])
        ]
        points = [row["k"] for row in here], [factor * decimal(row[key]) for row in here]
        axes.plot(*points, **keywords)
        if any(bars) and document["show"] != "saving":
            axes.errorbar(*points, yerr=bars, fmt="none", ecolor=keywords["color"], capsize=2.5)
    if document["show"] in ("faults", "rate"):
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.set_xlabel(f"cache size k (pages, of {document['total_pages']})")
    axes.set_ylabel(label)
    sampled = f"\nsampled: one page in {document['sample']}, with intervals" if "sample" in document else ""
    axes.set_title(f"{document['requests']:,} requests, {title_of(document['instance'])}{sampled}")
    legend(figure, axes, columns=4, plot=3.6)
