"""A film as one self-contained HTML file that plays without a network."""

from __future__ import annotations

import json
from importlib.resources import files

from jinja2 import Environment, PackageLoader

from paging.viewer.film import Film

STATIC = files("paging.viewer") / "static"


def lesson_page(film: Film) -> str:
    """Return a film as an HTML page with everything inside: data, script and style.

    Examples
    --------
    >>> from paging import LayeredInstance, generate, simulate
    >>> from paging.viewer import film_of
    >>> page = lesson_page(film_of(simulate("lru", generate("uniform:rounds=3", LayeredInstance(2, 2, 2)))))
    >>> page.startswith("<!doctype html>"), "src=" in page
    (True, False)
    """
    environment = Environment(loader=PackageLoader("paging.viewer", "static"), autoescape=True)
    # In a script element only "</" and "<!--" could end the data; an escaped "<" is the same JSON.
    data = json.dumps(film.as_dict(), separators=(",", ":")).replace("<", "\\u003c")
    return environment.get_template("lesson.html.j2").render(
        film=film,
        data=data,
        script=(STATIC / "view.js").read_text(encoding="utf-8"),
        style=(STATIC / "view.css").read_text(encoding="utf-8"),
        still=film._repr_html_(),
    )
