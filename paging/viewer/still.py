"""Pictures of objects that need neither a script nor a style sheet: tables for notebooks and saved pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from paging.output import cell

if TYPE_CHECKING:
    from paging.model import LayeredInstance
    from paging.simulate import Run
    from paging.viewer.film import Film

SHOWN = 24
"""Requests shown of a run before the rest is summed up in one line."""

_CELL = "padding:2px 9px;text-align:left;border-top:1px solid #8886"


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return named values as an HTML table.

    Examples
    --------
    >>> "<td" in facts_table("a < b", {"faults": 1200}), "1,200" in facts_table("t", {"faults": 1200})
    (True, True)
    """
    return _table(title, [], [[name, cell(value)] for name, value in facts.items()])


def instance_text(instance: LayeredInstance) -> str:
    """Return an instance as one line: sizes and variant of the model."""
    pages = instance.pages if isinstance(instance.pages, int) else "/".join(map(str, instance.pages))
    service = "bypassing" if instance.bypassing else "forced"
    return (
        f"ℓ = {instance.layers}, n = {pages}, k = {instance.cache}, g = {instance.per_visit} · "
        f"{service} · {instance.visits} · cold start"
    )


def run_table(run: Run) -> str:
    """Return a run as HTML: its counts and, if it was recorded, its first requests."""
    from paging.model import FREE, HIT
    from paging.simulate import LEFT_ON_HIT, SEVERAL

    instance = run.sequence.instance
    facts: dict[str, object] = {"requests": run.requests, "faults": run.faults, "hits": run.hits}
    if run.seed is not None:
        facts["one sampled run, seed"] = str(run.seed)
    top = facts_table(f"{run.policy} on {instance_text(instance)}", facts)
    if run.entries is None:
        return f"<div>{top}</div>"
    words = {HIT: "", FREE: "a free slot", SEVERAL: "several pages", LEFT_ON_HIT: "left on a hit"}
    rows = []
    for time, page in enumerate(run.sequence.requests[:SHOWN].tolist()):
        entry = int(run.entries[time])
        left = instance.page_name(entry) if entry >= 0 else words.get(entry, "bypassed")
        hit = entry in (HIT, LEFT_ON_HIT)
        rows.append([str(time), instance.page_name(page), "hit" if hit else "fault", left])
    more = f"the first {SHOWN} of {run.requests:,} requests" if run.requests > SHOWN else "all requests"
    return f"<div>{top}{_table(more, ['request', 'page', '', 'takes the place of'], rows)}</div>"


def film_table(film: Film) -> str:
    """Return a film as HTML: one line per request with both caches, the first ones and the last."""
    instance = film.instance
    frames = list(enumerate(film.frames))
    shown = frames if len(frames) <= SHOWN else [*frames[: SHOWN - 1], frames[-1]]
    rows = [
        [
            str(time),
            instance.page_name(frame.page),
            "hit" if frame.hit else "fault",
            _names(instance, frame.victims),
            _names(instance, _held(frame.cells)),
            _names(instance, _held(frame.optimum_cells)),
            f"{frame.faults} / {frame.optimum}",
        ]
        for time, frame in shown
    ]
    header = [
        "request",
        "page",
        "",
        "leaves",
        f"cache of {film.policy}",
        "OPT's cache",
        "faults / OPT so far",
    ]
    note = "" if len(shown) == len(frames) else f" · {SHOWN - 1} of {len(frames):,} requests and the last"
    return _table(f"{film.policy} on {instance_text(instance)}{note}", header, rows)


def _held(cells: str) -> list[int]:
    return [page for page, letter in enumerate(cells) if letter in "cm"]


def _names(instance: LayeredInstance, pages: Iterable[int]) -> str:
    return " ".join(instance.page_name(page) for page in pages)


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(text)}</td>' for text in row) + "</tr>" for row in rows
    )
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0">'
        f'<caption style="text-align:left;padding:2px 9px"><b>{escape(title)}</b></caption>'
        + (f"<thead><tr>{head}</tr></thead>" if header else "")
        + f"<tbody>{body}</tbody></table>"
    )
