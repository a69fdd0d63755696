"""Tables of plain data as HTML that needs neither script nor style sheet: for notebooks and saved pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from paging.numbers import cell

_CELL = "padding:2px 9px;text-align:left;border-top:1px solid #8886"


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return named values as an HTML table.

    Examples
    --------
    >>> "<td" in facts_table("a < b", {"faults": 1200}), "1,200" in facts_table("t", {"faults": 1200})
    (True, True)
    """
    return table(title, [], [[name, cell(value)] for name, value in facts.items()])


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text as an HTML table with a caption; an empty header is left out."""
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
