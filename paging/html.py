"""HTML for notebooks and saved pages: tables without script or style sheet, and what a page may load."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256

from markupsafe import escape

from paging.numbers import cell

_CELL = "padding:2px 9px;text-align:left;border-top:1px solid #8886"
_CAPTION = "padding:2px 9px;text-align:left;white-space:nowrap"


def content_policy(*scripts: str) -> str:
    """Return the Content-Security-Policy of a page that carries everything inside.

    Parameters
    ----------
    scripts : str
        The text of each script that may run, exactly as it stands in its element. No other script runs,
        whatever gets into the page, and nothing is loaded or sent.

    Examples
    --------
    >>> content_policy().split("; ")[:2]
    ["default-src 'none'", "style-src 'unsafe-inline'"]
    >>> "script-src 'sha256-" in content_policy("mount();")
    True
    """
    rules = ["default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'"]
    if scripts:
        rules.append("script-src " + " ".join(map(script_hash, scripts)))
    return "; ".join(rules)


def script_hash(script: str) -> str:
    """Return what names an inline script in a Content-Security-Policy."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return named values as an HTML table.

    Examples
    --------
    >>> "<td" in facts_table("a < b", {"faults": 1200}), "1,200" in facts_table("t", {"faults": 1200})
    (True, True)
    """
    return table(title, [], [[name, value] for name, value in facts.items()])


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as an HTML table with a caption; an empty header is left out.

    Values are written as :func:`~paging.numbers.cell` does and escaped; what knows its HTML
    (``__html__``) is asked for it.

    Examples
    --------
    >>> "<td" in table("a < b", ["faults"], [[1200]]), "1,200" in table("t", [], [[1200]])
    (True, True)
    """
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_safe(value)}</td>' for value in row) + "</tr>"
        for row in rows
    )
    return (
        '<table style="border-collapse:collapse;margin:0.5em 0">'
        f'<caption style="{_CAPTION}"><b>{escape(title)}</b></caption>'
        + (f"<thead><tr>{head}</tr></thead>" if header else "")
        + f"<tbody>{body}</tbody></table>"
    )


def _safe(value: object) -> str:
    return escape(value if hasattr(value, "__html__") else cell(value))
