"""Tables in Markdown, and the parts of a document that a program writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    Examples
    --------
    >>> print(markdown(["k", "faults"], [("2", "5")]), end="")
    | k | faults |
    | --- | --- |
    | 2 | 5 |
    """
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for row in rows:
        assert len(row) == len(header), row
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def block(text: str, name: str) -> str:
    """Return what stands between the marks of a generated part of a document.

    Examples
    --------
    >>> block("<!-- t: begin -->\\n| a |\\n<!-- t: end -->", "t")
    '| a |\\n'
    """
    begin, end = _marks(name)
    return text[text.index(begin) + len(begin) : text.index(end)]


def filled(text: str, name: str, part: str) -> str:
    """Return a document with a generated part replaced."""
    begin, end = _marks(name)
    head, rest = text.split(begin, 1)
    return head + begin + part + end + rest.split(end, 1)[1]


def fill(document: Path, **parts: str) -> None:
    """Write generated parts of a document anew, by name."""
    text = document.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = filled(text, name, part)
    document.write_text(text, encoding="utf-8")


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
