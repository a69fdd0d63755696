"""What stands beside the site's own pages: the player of the front page, the lessons, the atlas."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import paging.cli.main
from proofs.atlas.discard import read_rows
from proofs.atlas.explorer import document, read_cycles
from proofs.atlas.figures import ON_DARK, colour
from proofs.atlas.files import certificate_name, store_certificate
from proofs.atlas.shades import SHADES
from proofs.atlas.sweep import ValueJob, compute
from proofs.atlas.table import Row, read_table, shape_of, subjects_of
from proofs.lessons import lessons
from proofs.lessons.page import lesson_file

PLAYER = re.compile(r"^paging (show .* -o (\S+\.html))", re.MULTILINE)


def write_exhibits(app: Sphinx) -> None:
    """Write all of them into the site."""
    source, folder = Path(app.srcdir), Path(app.outdir)
    folder.mkdir(parents=True, exist_ok=True)
    write_player(source / "index.md", folder)
    write_atlas(source, folder)
    for lesson in lessons():
        (folder / f"lesson-{lesson.number}.html").write_text(lesson_file(lesson), encoding="utf-8")


def write_player(page: Path, folder: Path) -> None:
    """Run the command of a page that writes a film: the page shows what its command writes."""
    found = PLAYER.search(page.read_text(encoding="utf-8"))
    if found is None:
        raise ExtensionError(f"{page}: no command paging show … -o FILE.html")
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        if paging.cli.main.run(shlex.split(found[1])) != 0:
            raise ExtensionError(f"{page}: failed: paging {found[1]}")


MAX_STATES = 20_000
"""The budget of a value, as the table was made."""

CERTIFIED = 4
"""Pages of an instance up to which its certificates are files of the site; the others take longer to make."""


def write_certificates(rows: Sequence[Row], folder: Path) -> Iterator[str]:
    """Write the certificates of small instances, and yield their names."""
    for row, subject in product(rows, subjects_of(rows)):
        shape = shape_of(row)
        if not row[subject] or shape.layers * shape.pages > CERTIFIED:
            continue
        proved = compute(ValueJob(subject, shape, MAX_STATES))
        if proved is None or proved.value.value != row[subject]:
            raise ExtensionError(f"atlas.csv: {row[subject]} for {subject} at {shape}, computed {proved}")
        if proved.certificate is not None:
            name = certificate_name(subject, shape)
            store_certificate(folder, name, proved.certificate)
            yield name


def write_atlas(source: Path, folder: Path) -> None:
    """Write the atlas as JSON, and the part of a page that explores it."""
    data = source / "data"
    rows = list(read_table(data / "atlas.csv"))
    cycles, told = read_cycles(data / "cycles.csv"), read_rows(data / "discard.csv")
    atlas = document(rows, cycles, told, set(write_certificates(rows, folder)))
    text = json.dumps(atlas, ensure_ascii=False, separators=(",", ":"))
    (folder / "atlas.json").write_text(text, encoding="utf-8")
    (source / "generated").mkdir(exist_ok=True)
    (source / "generated" / "atlas.html").write_text(atlas_part(text), encoding="utf-8")


def atlas_part(text: str) -> str:
    """Return the part of a page that explores an atlas, given as JSON."""
    inside = text.replace("<", "\\u003c")
    return (
        f"<style>{_shades()}</style>\n"
        '<div id="atlas"><noscript>This is shown by a script, which is switched off here.</noscript></div>\n'
        f'<script type="application/json" id="atlas-data">{inside}</script>\n'
        '<script src="_static/atlas.js" defer></script>\n'
        '<p>All of it as one file: <a href="atlas.json" download>atlas.json</a>.</p>\n'
    )


def _shades() -> str:
    """Return the style of every shade."""
    rules = []
    for place, shade in enumerate(SHADES):
        ground, ink = colour(place), "#fff" if shade.dark > ON_DARK else "#000"
        rules.append(f"#atlas .shade-{place} {{ background: {ground}; color: {ink}; }}")
    stripes = "repeating-linear-gradient(45deg, #0000 0 4px, #fff8 4px 6px)"
    rules.append(f"#atlas .hatched {{ background-image: {stripes}; }}")
    rules.append(f"#atlas .hatched span {{ background: {colour(5)}; padding: 0 0.15em; }}")
    return "\n".join(rules)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write_exhibits)
    return {"parallel_read_safe": True}
