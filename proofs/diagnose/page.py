"""The diagnosis as one HTML file that needs neither a network nor a script."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from paging.files import atomic_write
from paging.html import content_policy
from paging.numbers import cell
from paging.parallel import each
from paging.signals import UNWATCHED, Watch
from proofs.diagnose.figures import DETAILED, draw, plans
from proofs.report.cells import number, percent
from proofs.report.writing import inline_svg


def write_page(document: Mapping[str, Any], path: str, *, watch: Watch = UNWATCHED) -> None:
    """Write the page, complete or not at all.

    Parameters
    ----------
    document : mapping
        What :func:`proofs.diagnose.document.diagnose` returned, with its ``provenance``.
    path : str
    watch : Watch
        Told how many of the pictures are drawn.
    """
    text = render(document, draw_pictures(document, watch))
    with atomic_write(path) as stream:
        stream.write(text)


def draw_pictures(document: Mapping[str, Any], watch: Watch = UNWATCHED) -> dict[str, Markup]:
    """Draw all pictures and return them by name, ready to stand inside the page."""
    todo = list(plans(document))
    with tempfile.TemporaryDirectory() as folder:
        drawn = each(None, lambda plan: draw(plan, Path(folder)), todo, watch)
        return {plan.name: inline_svg(plan, svg) for plan, svg in zip(todo, drawn, strict=True)}


def render(document: Mapping[str, Any], pictures: Mapping[str, Markup]) -> str:
    """Return the page as text; whatever a trace is called, it stays text."""
    templates = Environment(
        # The style sheet and the macros are the report's.
        loader=ChoiceLoader([PackageLoader("proofs.diagnose"), PackageLoader("proofs.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"number": number, "percent": percent, "cell": cell}
    page = templates.get_template("diagnose.html.j2")
    return page.render(
        document=document, pictures=pictures, detailed=DETAILED, content_policy=Markup(content_policy())
    )
