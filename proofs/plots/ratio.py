"""The observed ratio over time, against what is proved: the numbers, and their drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import inf, isfinite
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from adversary.construction import Construction
from adversary.formulas import formula
from lp.paths import least_cost
from paging.errors import ModelError
from paging.model import LayeredInstance, RequestSequence, title_of
from paging.numbers import decimal
from paging.offline import optimum_so_far
from paging.plotting import legend, looks, note_line, plain_ticks, policy_label
from paging.policy import get_policy
from paging.signals import UNWATCHED, Count, Watch
from paging.simulate import simulate
from proofs.bounds.known import best_bound
from proofs.plots.document import Document

POINTS = 300
"""Most points of a curve over time."""

WEIGHTED_POINTS = 40
"""The same where pages have weights: OPT of every one is then a problem of its own."""

FAR = 6
"""How many times the largest observed ratio a bound may be before the scale becomes logarithmic."""


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
    value = least.at(instance, opt_cache)
    return _bound("upper", least.id, formula(least.value), value, [policy])


def forced_lower(construction: Construction) -> Document:
    """Return what a construction forces in the limit, as plain data.

    Examples
    --------
    >>> from adversary import get_construction
    >>> forced_lower(get_construction("cyclic")(LayeredInstance(2, 4, 7), rounds=20))["formula"]
    'k = 7'
    """
    form, value = formula(construction.promise.limit), construction.limit
    shown = form if form == str(value) else f"{form} = {value}"
    return _bound("lower", construction.bound, shown, value, [])


def _bound(kind: str, name: str, text: str, value: Fraction | float, policies: list[str]) -> Document:
    return {"kind": kind, "id": name, "formula": text, "value": value, "policies": policies}


def ratio(
    inputs: Mapping[str, RequestSequence],
    *,
    opt_cache: int | None = None,
    forced: Document | None = None,
    runs: int = 10,
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> Document:
    """Return faults so far / OPT so far over time, with the proved upper bounds of the policies.

    Where pages have weights it is what the faults cost over the weighted optimum of the requests so far.

    Parameters
    ----------
    inputs : mapping of str to RequestSequence
        The requests of every policy: the same for all, or those an adaptive construction made.
    opt_cache : int, optional
        OPT's cache h; default the instance's k.
    forced : mapping, optional
        A lower bound to draw beside: what a construction forces (:func:`forced_lower`).
    runs, seed : int
        Of randomised policies: the mean over so many sampled runs.
    watch : Watch
        Told how much is done.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> document = ratio({"lru": sequence})
    >>> [point["ratio"] for point in document["curves"][0]["points"]]
    [1.0, 1.0, 1.0, 1.3333333333333333, 1.25, 1.5]
    """
    instance = next(iter(inputs.values())).instance
    small = instance.cache if opt_cache is None else opt_cache
    curves, bounds = [], [] if forced is None else [forced]
    for done, (policy, sequence) in enumerate(inputs.items()):
        watch.tell(Count(done, len(inputs)))
        curves.append(_curve(policy, sequence, small, runs, seed))
        upper = proven_upper(policy, instance, small)
        if upper is not None:
            bounds.append(upper)
    return {
        "kind": "ratio",
        "instance": instance.plain,
        "opt_cache": small,
        "model": instance.model,
        "curves": curves,
        "bounds": bounds,
    }


def _curve(policy: str, sequence: RequestSequence, opt_cache: int, runs: int, seed: int) -> Document:
    """Return the points of one policy, and over how many runs they are a mean."""
    counts, costs, sampled = _means(policy, sequence, runs, seed)
    times = _times(len(sequence), POINTS if sequence.instance.weights is None else WEIGHTED_POINTS)
    best = _optima(sequence, opt_cache, times)
    points: list[Document] = []
    for t, optimum in zip(times, best, strict=True):
        point: Document = {"requests": t + 1, "faults": counts[t].item(), "opt": optimum}
        if sequence.instance.weights is None:
            points.append({**point, "ratio": float(counts[t] / optimum)})
        else:
            cost = costs[t].item() / sequence.instance.weights.scale
            points.append({**point, "cost": cost, "ratio": cost / float(optimum)})
    return {"policy": policy, "runs": sampled, "points": points}


def _optima(sequence: RequestSequence, opt_cache: int, times: Sequence[int]) -> list[int | Fraction]:
    """Return OPT of the requests up to each of some times, weighted where pages have weights."""
    if sequence.instance.weights is None:
        found: list[int | Fraction] = optimum_so_far(sequence, opt_cache)[times].tolist()
        return found
    small = sequence.with_cache(opt_cache)
    return [least_cost(small.prefix(t + 1))[1] for t in times]


def _means(
    policy: str, sequence: RequestSequence, runs: int, seed: int
) -> tuple[NDArray[Any], NDArray[Any], int | None]:
    """Return faults and costs so far, counted, or their means over sampled runs and how many."""
    if not get_policy(policy).randomized:
        run = simulate(policy, sequence, record=True)
        return run.fault_counts, run.costs_so_far, None
    streams = np.random.SeedSequence(seed).generate_state(runs)
    served = [simulate(policy, sequence, record=True, seed=int(s)) for s in streams]
    counts, costs = [run.fault_counts for run in served], [run.costs_so_far for run in served]
    return np.mean(counts, axis=0), np.mean(costs, axis=0), runs


def _times(length: int, most: int) -> list[int]:
    """Choose at most ``most`` times, evenly on a logarithmic scale, the last one among them."""
    if length == 0:
        raise ModelError("a ratio over time needs at least one request")
    if length <= most:
        return list(range(length))
    chosen: list[int] = np.unique(np.geomspace(1, length, most).round().astype(int) - 1).tolist()
    return chosen


def draw_ratio(figure: Figure, document: Mapping[str, Any]) -> None:
    """Draw a curve per policy over time, and a dashed line per bound."""
    axes = figure.add_subplot()
    curves = document["curves"]
    styles = looks(curve["policy"] for curve in curves)
    for place, curve in enumerate(curves):
        points, runs, keywords = curve["points"], curve["runs"], styles[curve["policy"]]
        label = keywords.pop("label").removesuffix(", mean")
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
    texts = _merged(document["bounds"])
    for place, value in enumerate(sorted(texts)):
        note_line(axes, value, "\n".join(texts[value]), at=0.5 * (place % 2))
    _ratio_scale(axes, document, len(texts[max(texts)]) if texts else 0)
    size = title_of(document["instance"], document["instance"]["cache"])
    small = "" if document["opt_cache"] == document["instance"]["cache"] else f", h = {document['opt_cache']}"
    axes.set_title(f"Observed ratio: {size}{small}")
    axes.set_xlabel("requests T (log scale)")
    legend(figure, axes, columns=4, plot=3.6)


def _ratio_scale(axes: Axes, document: Mapping[str, Any], lines: int) -> None:
    """Scale the axes, with room for the lines of text over the topmost bound.

    Ratios that grow without bound, or are far from it, get a logarithmic scale.
    """
    values = [decimal(bound["value"]) for bound in document["bounds"]]
    top = max(point["ratio"] for c in document["curves"] for point in c["points"])
    axes.set_xscale("log")
    unbounded = any(value == inf for value in values)
    logarithmic = unbounded or max(values, default=1) > FAR * top
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(0.9, 1.2 * 1.35**lines * max(top, *(value for value in values if isfinite(value)), 1))
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    if unbounded:
        axes.text(0.03, 0.95, "forced in the limit: ∞", transform=axes.transAxes, va="top", fontsize=9)
    if not logarithmic:
        axes.set_ylim(0, (1.07 + 0.08 * lines) * max(top, *values, 1))
    weighted = "cost" in document["model"]
    what = "cost / cost of OPT so far, weighted" if weighted else "faults / faults of OPT so far"
    axes.set_ylabel(what + (" (log scale)" if logarithmic else ""))
    plain_ticks(axes)


def _merged(bounds: Sequence[Mapping[str, Any]]) -> dict[float, list[str]]:
    """Return the texts of finite bounds by value; policies that one theorem speaks of share its text."""
    merged: dict[float, dict[str, list[str]]] = {}
    for bound in bounds:
        value = decimal(bound["value"])
        if isfinite(value):
            sign = "forced:" if bound["kind"] == "lower" else "proved: ≤"
            text = f"{sign} {bound['formula']}{{}} ({bound['id']})"
            merged.setdefault(value, {}).setdefault(text, []).extend(map(policy_label, bound["policies"]))
    return {
        value: [
            text.format(f" for {', '.join(dict.fromkeys(names))}" if names else "")
            for text, names in texts.items()
        ]
        for value, texts in merged.items()
    }
