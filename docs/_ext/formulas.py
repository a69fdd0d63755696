"""Formulas are typeset while the site is built: no page runs a script or asks a network for them.

Pages and docstrings write formulas as they read in a terminal, ``k − ℓ + 1`` or ``H_k``. Whatever in running
text follows the small grammar below becomes mathematics; ``$…$`` says so of anything else. KaTeX sets them
(``npm ci --prefix docs``); where it is missing they stay readable as they are written.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

KATEX = Path(__file__).parents[1] / "node_modules" / "katex" / "dist"

SETTER = """
const katex = require(process.argv[1]);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { tex, display } = JSON.parse(line);
  let answer;
  const options = { displayMode: display, output: "html", strict: false };
  try { answer = { html: katex.renderToString(tex, options) }; }
  catch (error) { answer = { error: error.message }; }
  console.log(JSON.stringify(answer));
});
"""
"""A program for node that sets one formula a line."""

# The grammar

LETTER = re.compile(r"[A-Za-zΑ-Ωα-ωℓ](?![A-Za-z\d])|[ℓΑ-Ωα-ω](?=[a-z](?![A-Za-z]))")
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?![\w,.]*[A-Za-z]{2})")
NAME = re.compile(r"(OPT|LRU|LLRU|FIFO|ALG|lab)(?![A-Za-z])")
FUNCTION = re.compile(r"(max|min|log|ln|exp)(?=[ _({]*[({_])(?![A-Za-z])")
SCRIPT = re.compile(r"([_^])(?:\{([^{}]*)\}|(\w)(?!\w))|([₀-₉]+)|([⁰¹²³⁴-⁹]+)|(′+)")
OPERATOR = re.compile(r"\s*([+−·=<>≤≥≠≈∈∉∪∩⊆∖×→…]|mod(?!\w))\s*|([/·∖])(?=\S)")
SPECIAL = {
    "ℓ": r"\ell ", "−": "-", "·": r"\cdot ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ",
    "∈": r"\in ", "∉": r"\notin ", "∪": r"\cup ", "∩": r"\cap ", "⊆": r"\subseteq ", "∖": r"\setminus ",
    "×": r"\times ", "→": r"\to ", "…": r"\dots ", "mod": r"\bmod ", "Σ": r"\sum ", "Π": r"\prod ",
    "<": r"\lt ", ">": r"\gt ",
}  # fmt: skip
PAIRS = {"(": ("(", ")", r"\)"), "⌊": (r"\lfloor ", r"\rfloor ", "⌋"), "⌈": (r"\lceil ", r"\rceil ", "⌉"),
         "|": ("|", "|", r"\|"), "[": ("[", "]", r"\]"), "{": (r"\{", r"\}", r"\}")}  # fmt: skip
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹", "01234567890123456789")

WORDS = "aAI"
"""Letters that are words when they stand alone."""

AFTER = re.compile(r"$|[\s,;:?!)’\]—–]|\.(?!\w|\s\d)|-(?=[a-z]{2})")
"""What may follow a letter that stands alone: not the rest of a word or of an abbreviation."""

SHORT = 16
"""Characters up to which a formula is not broken over two lines."""

SILENT = (
    nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw, nodes.comment,
    addnodes.desc_signature, addnodes.index,
)  # fmt: skip
"""Where nothing is a formula: code, signatures, what is one already."""


class Piece(NamedTuple):
    """A part of a formula: where it ends in the text, in TeX, and how much of a formula it is."""

    end: int
    tex: str
    letters: int = 0
    signs: int = 0


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """Cut a text into plain parts and formulas; a formula comes with its TeX.

    >>> list(pieces("at most k − ℓ + 1, or 2 pages"))
    [('at most ', None), ('k − ℓ + 1', 'k-\\\\ell +1'), (', or 2 pages', None)]
    """
    done = at = 0
    while at < len(text):
        before = text[at - 1 : at]
        starts = not before or not (before.isalnum() or before in "._-’'/#$\\@")
        found = _sum(text, at) if starts else None
        if found is not None and _is_formula(text, at, found):
            if done < at:
                yield text[done:at], None
            yield text[at : found.end], found.tex.strip()
            done = at = found.end
        else:
            at += 1
    if done < len(text):
        yield text[done:], None


def _is_formula(text: str, start: int, found: Piece) -> bool:
    written = text[start : found.end]
    if len(written) == 1:
        unit = written in "shmg" and re.search(r"\d\s$", text[:start])
        alone = written.isalpha() and written not in WORDS and not unit
        return alone and AFTER.match(text, found.end) is not None
    if re.fullmatch(r"\d+\(\w\)|\d[A-Z]", written):  # a part of a theorem, the policy 2Q
        return False
    whole = not re.match(r"\w|[._-]\w|\(\w+\(", text[found.end :])
    bracketed = written[0] in "[|{" or (written[0] == "(" and "," not in written and written[-1] == ")")
    rich = found.letters + found.signs > (1 if bracketed else 0)
    return whole and rich and bool(found.letters or "/" in written)


def _sum(text: str, at: int) -> Piece | None:
    """Read terms with operators between them, as many as there are."""
    found = _term(text, at)
    while found is not None:
        sign = OPERATOR.match(text, found.end)
        if sign is None:
            break
        following = _term(text, sign.end())
        if following is None:
            break
        mark = sign[1] or sign[2]
        tex = found.tex + SPECIAL.get(mark, mark) + following.tex
        found = _joined(found, following, tex)
    return found


def _joined(first: Piece, second: Piece, tex: str) -> Piece:
    return Piece(second.end, tex, first.letters + second.letters, first.signs + second.signs + 1)


def _term(text: str, at: int) -> Piece | None:
    """Read factors that stand side by side, perhaps with a sign before them."""
    minus = text.startswith("−", at)
    found = _factor(text, at + minus)
    if found is None:
        return None
    found = found._replace(tex="-" * minus + found.tex, signs=found.signs + minus)
    while (following := _factor(text, found.end)) is not None:
        found = _joined(found, following, found.tex + following.tex)
    return found


def _factor(text: str, at: int) -> Piece | None:
    """Read a number, a letter, a name or a bracket, with its indices."""
    if number := NUMBER.match(text, at):
        found: Piece | None = Piece(number.end(), number[0].replace(",", "{,}"))
    elif function := FUNCTION.match(text, at):
        end = function.end() + len(text[function.end() :]) - len(text[function.end() :].lstrip(" "))
        found = Piece(end, rf"\{function[1]} ", 1, 1)
    elif name := NAME.match(text, at):
        found = Piece(name.end(), rf"\mathrm{{{name[1]}}}", 0)
    elif text.startswith("∞", at):
        found = Piece(at + 1, r"\infty ", 0)
    elif letter := LETTER.match(text, at):
        found = Piece(letter.end(), SPECIAL.get(letter[0], letter[0]), 1)
    else:
        found = _bracket(text, at)
    return found and _scripts(text, found)


def _bracket(text: str, at: int) -> Piece | None:
    pair = PAIRS.get(text[at : at + 1])
    inner = pair and _sum(text, at + 1)
    if not pair or inner is None:
        return None
    tex, letters, signs, end = pair[0] + inner.tex, inner.letters, inner.signs, inner.end
    while comma := re.compile(r",\s*").match(text, end):
        following = _sum(text, comma.end())
        if following is None:
            return None
        tex, end = f"{tex}, {following.tex}", following.end
        letters, signs = letters + following.letters, signs + following.signs
    closed = re.compile(pair[2]).match(text, end)
    return Piece(closed.end(), tex + pair[1], letters, signs) if closed else None


def _scripts(text: str, found: Piece) -> Piece:
    while script := SCRIPT.match(text, found.end):
        mark, group, letter, low, high, primes = script.groups()
        inside = group if group is not None else letter
        if mark:
            inner = _sum(inside, 0)
            tex = f"{mark}{{{inner.tex if inner and inner.end == len(inside) else inside}}}"
        else:
            tex = (
                "'" * len(primes) if primes else f"{'_' if low else '^'}{{{(low or high).translate(DIGITS)}}}"
            )
        found = found._replace(end=script.end(), tex=found.tex + tex, signs=found.signs + 1)
    return found


class FormulasInText(SphinxPostTransform):
    """Turn the formulas of running text into mathematics."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002 - the form of a transform
        """Go through every text of a page."""
        for text in list(self.document.findall(nodes.Text)):
            if _inside(text, SILENT):
                continue
            parts = list(pieces(text.astext()))
            if any(tex is not None for _, tex in parts):
                new = [
                    nodes.Text(part) if tex is None else nodes.math(part, tex, written=part)
                    for part, tex in parts
                ]
                text.parent.replace(text, new)


def _inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


# Setting


class Katex:
    """KaTeX in a process of its own, which is asked for one formula after the other."""

    def __init__(self) -> None:
        self._set: dict[tuple[str, bool], str] = {}
        self._process: subprocess.Popen[str] | None = None
        if KATEX.is_dir() and shutil.which("node"):
            command = ["node", "-e", SETTER, str(KATEX / "katex.js")]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )

    @property
    def there(self) -> bool:
        """Whether formulas can be set."""
        return self._process is not None

    def html(self, tex: str, display: bool) -> str:
        """Return a formula as HTML; ValueError says what KaTeX does not understand."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if (tex, display) not in self._set:
            print(json.dumps({"tex": tex, "display": display}), file=self._process.stdin, flush=True)
            answer = json.loads(self._process.stdout.readline())
            if "error" in answer:
                raise ValueError(answer["error"])
            self._set[tex, display] = answer["html"]
        return self._set[tex, display]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()


def _plain(written: str) -> str:
    """Return a formula as it is written, with its indices set low."""
    shown = re.sub(r"_(?:\{(.*?)\}|(\w))", r"<sub>\1\2</sub>", escape(written))
    return f'<span class="math">{shown}</span>'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    katex = Katex()
    if katex.there:
        app.connect("builder-inited", lambda app: app.config.html_static_path.append(_katex_files(app)))
        app.add_css_file("katex.min.css")
    else:
        print(
            "formulas stay as they are written: no KaTeX (npm ci --prefix docs installs it)", file=sys.stderr
        )

    def visit(translator: Any, node: nodes.Element) -> None:
        tex, written = node.astext(), node.get("written", node.astext())
        display = isinstance(node, nodes.math_block)
        shown = _plain(written)
        if katex.there:
            try:
                inner = katex.html(tex, display)
                kind = "math short" if len(written) <= SHORT else "math"
                shown = (
                    f'<span class="{kind}" role="math" aria-label="{escape(" ".join(written.split()))}">'
                    f'<span aria-hidden="true">{inner}</span></span>'
                )
            except ValueError as error:
                logging.getLogger(__name__).warning("%s", error, location=node)
        translator.body.append(f"<p>{shown}</p>" if display else shown)
        raise nodes.SkipNode

    app.add_html_math_renderer("formulas", (visit, None), (visit, None))
    app.add_post_transform(FormulasInText)
    app.connect("build-finished", lambda app, error: katex.close())
    return {"parallel_read_safe": True}


def _katex_files(app: Sphinx) -> str:
    """Gather what a page needs of KaTeX, its style and its fonts, in a folder; return it."""
    folder = Path(app.srcdir) / "generated" / "katex"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "fonts").mkdir(parents=True)
    shutil.copy(KATEX / "katex.min.css", folder)
    for font in KATEX.glob("fonts/*.woff2"):
        shutil.copy(font, folder / "fonts")
    return str(folder)
