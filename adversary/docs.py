"""The generated parts of docs/adversaries.md and of ``adversary.catalogue``.

``python -m adversary.docs`` writes both anew, from the root of the repository.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap

from sympy import oo

from adversary.construction import Adversary, constructions
from adversary.formulas import formula
from paging.markdown import fill
from paging.numbers import exact_text

SECTIONS = ("Bad for whom", "Promise", "Offline schedule in words")
"""Headings that the docstring of every construction here has, before its parameters."""

WIDTHS = (23, 34, 21, 29)
"""Characters of the table's columns."""


def gallery() -> str:
    """Return all constructions as Markdown: the words of their docstrings, closed forms, and a command."""
    return "\n".join(_entry(found) for found in constructions().values())


def _entry(found: Adversary) -> str:
    built = found(rounds=400)
    promise, shape = built.promise, built.sequence.instance
    command = f"paging adversary {found.id} -l {shape.layers} -n {_pages(shape.pages)} -k {shape.cache}"
    command += f" -g {shape.per_visit}" if shape.per_visit > 1 else ""
    words = {name: _text(body) for name, body in found.sections.items()}
    lines = [
        f"## `{found.id}`",
        "",
        f"*{found.title}* · {found.kind} · proves `{found.bound}`",
        "",
        words[""],
        "",
        *(f"- **{name}.** {words[name]}" for name in SECTIONS),
        f"- **Needs.** {_text(conditions(found).partition('.')[0])}.",
        f"- **Source.** {found.source}; {found.status}.",
        f"- **Closed form.** Per {_unit(promise.period)}: {promise.words}; limit {formula(promise.limit)}.",
        f"- **Try it.** `{command}` (limit {exact_text(built.limit)})",
        "",
        f"![Ratio against sequence length on {found.id}](images/adversaries/{found.id}.png)",
        "",
    ]
    return "\n".join(lines)


def conditions(found: Adversary) -> str:
    """Return what a construction asks of the instance, and its options."""
    return found.sections.get("Parameters", "").removeprefix("instance : LayeredInstance\n")


def table() -> str:
    """Return all constructions as a table in reStructuredText: whom they hurt, ratio, source."""
    head = ("id", "hurts", "forces", "source")
    line = " ".join("=" * width for width in WIDTHS)
    rows = [_row(cells) for cells in (head, *map(_cells, constructions().values()))]
    return "\n".join([line, rows[0], line, *rows[1:], line])


def _cells(found: Adversary) -> tuple[str, ...]:
    built = found(rounds=40)
    shape, limit = built.sequence.instance, built.promise.limit
    # A number, or one of the construction's own m, is that of an instance.
    general = limit == oo or {"ell", "n", "k", "h"} >= {symbol.name for symbol in limit.free_symbols} != set()
    ratio = formula(limit) if general else f"{built.limit} at {(shape.layers, shape.pages, shape.cache)}"
    return found.id, found.bad_for, ratio, found.source


def _row(cells: tuple[str, ...]) -> str:
    columns = [wrap(cell, width) for cell, width in zip(cells, WIDTHS, strict=True)]
    lines = zip_longest(*columns, fillvalue="")
    return "\n".join(" ".join(map(str.ljust, line, WIDTHS)).rstrip() for line in lines)


def _text(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _unit(period: str) -> str:
    return re.sub(r"^(a|one) ", "", period)


def _pages(pages: int | tuple[int, ...]) -> str:
    return str(pages) if isinstance(pages, int) else ",".join(map(str, pages))


def main() -> None:
    """Write the generated parts anew."""
    fill(Path("docs/adversaries.md"), gallery=gallery())
    module, begin, end = Path("adversary/catalogue/__init__.py"), "registered by itself.\n\n", '"""\n'
    head, _, rest = module.read_text(encoding="utf-8").partition(begin)
    module.write_text(head + begin + table() + "\n" + end + rest.partition(end)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
