"""The generated part of docs/adversaries.md."""

from __future__ import annotations

import re

from sympy import Expr, oo
from sympy.printing.str import StrPrinter

from adversary.construction import Adversary, constructions

SECTIONS = ("Bad for whom", "Promise", "Offline schedule in words")


def gallery() -> str:
    """Return all constructions as Markdown: the words of their docstrings, closed forms, and a command."""
    return "\n".join(_entry(found) for found in constructions().values())


def _entry(found: Adversary) -> str:
    built = found(rounds=400)
    promise, shape = built.promise, built.sequence.instance
    command = f"paging adversary {found.id} -l {shape.layers} -n {_pages(shape.pages)} -k {shape.cache}"
    conditions = found.description.partition("instance : LayeredInstance\n")[2].partition("\npolicy :")[0]
    lines = [
        f"## `{found.id}`",
        "",
        f"*{found.title}* · {found.kind} · proves `{found.bound}`",
        "",
        _text(found.description.partition("Bad for whom")[0].strip()),
        "",
        *(f"- **{name}.** {_section(found, name)}" for name in SECTIONS),
        f"- **Needs.** {_text(conditions.partition('.')[0].strip())}.",
        f"- **Source.** {found.source}; {found.status}.",
        f"- **Closed form.** Per {_unit(promise.period)}: online ≥ {_form(promise.online)}, "
        f"offline ≤ {_form(promise.offline)}; limit {_form(promise.limit)}.",
        f"- **Try it.** `{command}` (limit {'∞' if built.limit == float('inf') else built.limit})",
        "",
        f"![Ratio against sequence length on {found.id}](images/adversaries/{found.id}.png)",
        "",
    ]
    return "\n".join(lines)


def _section(found: Adversary, name: str) -> str:
    body = found.description.partition(f"{name}\n{'-' * len(name)}\n")[2]
    return _text(re.split(r"\n\n[^\n]+\n-{3,}\n", body)[0])


def _text(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _unit(period: str) -> str:
    return re.sub(r"^(a|one) ", "", period)


def _pages(pages: int | tuple[int, ...]) -> str:
    return str(pages) if isinstance(pages, int) else ",".join(map(str, pages))


def _form(form: Expr) -> str:
    if form == oo:
        return "∞"
    text: str = StrPrinter().doprint(form)
    return text.replace("ell", "ℓ").replace("harmonic", "H").replace("*", "·")
