"""Writing the report: HTML, JSON, CSV and figures."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from paging.bibliography import SOURCES
from paging.files import slug
from paging.html import content_policy
from paging.numbers import json_text
from paging.parallel import Pool, each
from paging.plotting import LOOKS, policy_label
from paging.signals import UNWATCHED, Watch
from proofs.report.cells import math, number, percent
from proofs.report.document import UNJUDGED
from proofs.report.figures import FORMATS, LEAST_SAVING, Plan, draw, plans
from proofs.report.folder import DATA, FIGURES, HTML, JSON
from proofs.report.studies import ORDER, POLICIES


def write_report(
    document: Mapping[str, Any],
    environment: Callable[[], Mapping[str, Any]],
    folder: Path,
    *,
    pool: Pool | None = None,
    watch: Watch = UNWATCHED,
) -> None:
    """Write all files of a report into an existing folder.

    Parameters
    ----------
    document : mapping
        What :func:`proofs.report.document.compute` returned.
    environment : callable
        Returns what differs from run to run (:func:`proofs.report.document.environment`), asked at the end.
    folder : Path
    pool : Pool, optional
        Where figures are drawn; default in this process.
    watch : Watch
        Told how many of the figures are drawn.
    """
    drawn = draw_figures(document, folder / FIGURES, pool, watch)
    (folder / DATA).mkdir(exist_ok=True)
    for name, rows in data_tables(document).items():
        write_csv(folder / DATA / f"{name}.csv", rows)
    this_run = dict(environment())
    (folder / HTML).write_text(render(document, this_run, drawn), encoding="utf-8", errors="replace")
    (folder / JSON).write_text(
        json_text({**document, "environment": this_run}) + "\n", encoding="utf-8", errors="replace"
    )


def draw_figures(
    document: Mapping[str, Any],
    folder: Path,
    pool: Pool | None = None,
    watch: Watch = UNWATCHED,
) -> dict[str, Markup]:
    """Draw every figure as SVG, and as PNG unless the report is quick.

    Returns the SVGs by name, ready to stand inside an HTML page.
    """
    folder.mkdir(exist_ok=True)
    todo = list(planned(document))
    formats = ("svg",) if document["provenance"]["settings"]["quick"] else FORMATS
    jobs = [(plan, folder, formats) for plan in todo]
    drawn = dict(zip(todo, each(pool, _draw, jobs, watch), strict=True))
    figures = {plan.name: inline_svg(plan, svg) for plan, svg in drawn.items()}
    lead = _lead(todo)
    if lead is not None:
        figures[LEAD] = inline_svg(replace(lead, name=LEAD), drawn[lead])
    return figures


def planned(document: Mapping[str, Any]) -> Iterator[Plan]:
    """Yield the figures of a report: of a quick one's constructions those that the first screen speaks of."""
    quick, headline = document["provenance"]["settings"]["quick"], _headline(document)
    for plan in plans(document):
        if not quick or plan.kind != "growth" or plan.data["construction"] in headline:
            yield plan


LEAD = "lead"
"""Name of the figure on the first screen, which stands further down once more."""


def _lead(todo: Sequence[Plan]) -> Plan | None:
    """Choose the figure of the first screen: the distance to OPT, on a trace if there is one."""
    ratios = [plan for plan in todo if plan.kind == "ratio"]
    traces = [plan for plan in ratios if plan.data["kind"] == "trace"]
    return next(iter(traces or ratios), None)


def _draw(job: tuple[Plan, Path, tuple[str, ...]]) -> str:
    return draw(*job)


def inline_svg(plan: Plan, svg: str) -> Markup:
    """Return a drawn SVG for use inside HTML: no prologue, identifiers of its own, a text alternative."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    own = slug(plan.name)
    body = re.sub(r'(?<=\bid=")|(?<=href="#)|(?<=url\(#)', f"{own}-", body)
    # The drawing's own size would not let it shrink on a phone; the view box says what is needed.
    opening, rest = body.split(">", 1)
    opening = re.sub(r'\s(?:width|height)="[^"]*"', "", opening)
    label = Markup.escape(plan.alt)
    return Markup(f'{opening} role="img" aria-label="{label}">{rest.strip()}')


# Data as CSV: the rows of the document, flat.


def data_tables(document: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the document's numbers as flat tables by name, one CSV file each."""
    return {
        "bounds": [
            {key: value for key, value in bound.items() if key != "shown"} for bound in document["bounds"]
        ],
        "verdicts": list(document["verdicts"]),
        "growth": list(_growth_rows(document)),
        "faults": [{"study": study["id"], **row} for study in document["studies"] for row in study["rows"]],
        "claims": list(document["claims"]),
        "predictions": list(_told_rows(document)),
        "weights": [{"part": part, **row} for part, rows in document["weights"].items() for row in rows],
    }


def _growth_rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in document["growth"]:
        head = {key: panel[key] for key in ("construction", "bound", "layers", "pages", "k", "h")}
        for curve in panel["curves"]:
            whose = {"policy": curve["policy"], "sharing": curve["sharing"], "measure": curve["measure"]}
            for point in curve["points"]:
                yield {**head, **whose, **point, "limit": panel["limit"]}


def _told_rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in document["predictions"]:
        for sweep in panel["sweeps"]:
            for point in sweep["points"]:
                head = {
                    "panel": panel["id"],
                    "sweep": sweep["meaning"],
                    "predictor": point["predictor"],
                    "requests": panel["requests"],
                }
                allowed = {
                    one["policy"]: one for one in point["allowed"] if one["bound"].endswith("robust") is False
                }
                for row in point["rows"]:
                    least = allowed.get(row["policy"], {})
                    yield {**head, **row, "bound": least.get("bound"), "allowed": least.get("allowed")}


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the union of their columns; lists are joined with blanks, absent values empty."""
    header = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([_flat(row.get(key)) for key in header])


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else value


# The page.


def render(document: Mapping[str, Any], environment: Mapping[str, Any], drawn: Mapping[str, Markup]) -> str:
    """Return the whole page as one self-contained HTML text."""
    templates = Environment(
        loader=PackageLoader("proofs.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"number": number, "percent": percent, "policy": policy_label, "math": math}
    page = templates.get_template("report.html.j2")
    return page.render(
        content_policy=content_policy(),
        document=document,
        environment=environment,
        figures=drawn,
        sources=_cited(document),
        looks=LOOKS,
        order=ORDER,
        least_saving=LEAST_SAVING,
        badges=BADGES,
        repeat=_repeat(str(environment["command"])),
        counts=counts(document),
        headline=_headline(document),
        findings=list(map(math, findings(document))),
    )


def _repeat(command: str) -> str:
    """Return the command of a report without its folder: with ``--claim`` it repeats one row.

    >>> _repeat("paging reproduce -o report --seed 1")
    'paging reproduce --seed 1'
    """
    return re.sub(r" -o ('[^']*'|\S+)", "", command, count=1)


BADGES = {
    "holds": ("good", "✓"),
    "reached": ("good", "✓"),
    "holds and reached": ("good", "✓"),
    "reproduced": ("good", "✓"),
    "open": ("open", "○"),
    "not checked": ("open", "○"),
    "does not speak here": ("open", "○"),
    "differs": ("differs", "≠"),
    "not reached": ("bad", "✗"),
    "violated": ("bad", "✗"),
}
"""Verdict → colour class and sign, so that no meaning rests on colour alone."""


def counts(document: Mapping[str, Any]) -> dict[str, int]:
    """Count what the report is about, for its head and the summary."""
    verdicts = [row["verdict"] for row in document["verdicts"]]
    good = sum(BADGES[verdict][0] == "good" for verdict in verdicts)
    return {
        "bounds": len(document["bounds"]),
        "judged": sum(verdict not in UNJUDGED for verdict in verdicts),
        "good": good,
        "bad": sum(BADGES[verdict][0] == "bad" for verdict in verdicts),
        "not_checked": sum(verdict in UNJUDGED for verdict in verdicts),
        "open": sum(verdict == "open" for verdict in verdicts),
        "runs": sum(row["runs"] for row in document["verdicts"]),
        "constructions": len({panel["construction"] for panel in document["growth"]}),
        "studies": len(document["studies"]),
        "requests": sum(study["requests"] for study in document["studies"]),
        "claims": len(document["claims"]),
        "reproduced": sum(claim["verdict"] == "reproduced" for claim in document["claims"]),
    }


def findings(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what the numbers come to, in a few sentences for the first screen."""
    found = counts(document)
    if found["bad"]:
        yield f"{found['bad']} of {found['judged']} verdicts speak against a bound."
    else:
        yield f"No run speaks against a bound: {found['judged']} verdicts from {found['runs']:,} runs."
    yield from _in_the_worst_case(document)
    for policy in ("zrc", "llru"):
        savings = [
            row["saving_over_lru"]
            for study in document["studies"]
            for row in study["rows"]
            if row["policy"] == policy and row["saving_over_lru"] is not None
        ]
        if savings:
            low, high = (f"{round(100 * end)}".replace("-", "−") for end in (min(savings), max(savings)))
            yield (
                f"{policy_label(policy)} saves {low} to {high} % of the faults of LRU, over all requests and "
                "cache sizes compared."
            )
    for study in document["studies"]:
        means = _mean_ratios(study)
        if means:
            best = min(means, key=means.__getitem__)
            yield (
                f"Closest to OPT on {study['id']}: {policy_label(best)}, {means[best]:.2f} times its faults "
                "on average over the cache sizes."
            )
    if found["claims"]:
        yield (
            f"{found['reproduced']} of {found['claims']} readings of published numbers are reproduced on our "
            "requests."
        )


WORST_CASE = ("L1", "L3-tight", "L5", "zrc-tight", "L2")
"""The bounds of the first screen: a fixed split, LRU, LLRU, ZRC, and every deterministic policy."""


def _headline(document: Mapping[str, Any]) -> set[str]:
    """Return the constructions of the bounds of the first screen, which are shown in print too."""
    return {
        name for bound in document["bounds"] if bound["id"] in WORST_CASE for name in bound["constructions"]
    }


def _in_the_worst_case(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what the bounds come to, if all of them stand."""
    bounds = {bound["id"]: bound for bound in document["bounds"]}
    shown = [bounds[id] for id in WORST_CASE if id in bounds]
    if len(shown) == len(WORST_CASE) and all(BADGES[bound["verdict"]][0] == "good" for bound in shown):
        split, lru, llru, zrc, best = (bound["value"] for bound in shown)
        where = bounds["zrc-tight"]["conditions"].partition(", k <")[0]
        yield (
            f"In the worst case, proved: a fixed split of the cache is {split}, LRU pays up to {lru} times "
            f"OPT, LLRU at most {llru} times, ZRC {zrc} (for {where}), and no deterministic policy less than "
            f"{best}."
        )


def _mean_ratios(study: Mapping[str, Any]) -> dict[str, float]:
    """Return the mean observed ratio to OPT of every online policy that shares the cache."""
    ratios: dict[str, list[float]] = {}
    for row in study["rows"]:
        if row["policy"] in POLICIES and row["sharing"] == "shared" and row["vs_opt"] is not None:
            ratios.setdefault(row["policy"], []).append(row["vs_opt"])
    return {policy: fmean(values) for policy, values in ratios.items()}


def _cited(document: Mapping[str, Any]) -> dict[str, str]:
    """The bibliography entries that the shown bounds rest on."""
    shown = " ".join(bound["reference"] for bound in document["bounds"])
    return {key: text for key, text in SOURCES.items() if text in shown}
