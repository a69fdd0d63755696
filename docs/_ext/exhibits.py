"""What stands beside the site's own pages: the player of the front page, the lessons, the atlas."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import paging.cli.main
from proofs.atlas.discard import read_rows
from proofs.atlas.explorer import document, read_cycles
from proofs.atlas.figures import ON_DARK, colour
from proofs.atlas.shades import SHADES
from proofs.atlas.table import read_table
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


def write_atlas(source: Path, folder: Path) -> None:
    """Write the atlas as JSON, and the part of a page that explores it."""
    data = source / "data"
    cycles, told = read_cycles(data / "cycles.csv"), read_rows(data / "discard.csv")
    atlas = document(read_table(data / "atlas.csv"), cycles, told)
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
