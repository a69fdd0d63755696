"""A film as one self-contained HTML file that plays without a network."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from paging.html import content_policy
from paging.viewer.film import Film

STATIC = files("paging.viewer") / "static"

START = """
mount(document.getElementById("view"), { keys: document })
  .update({ film: JSON.parse(document.getElementById("film").textContent) });
"""
"""What a page does with the view's module: show the film in it."""


def player_script() -> str:
    """Return the one script that runs in a saved film."""
    return (STATIC / "view.js").read_text(encoding="utf-8") + START


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
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    script = player_script()
    return environment.get_template("lesson.html.j2").render(
        film=film,
        policy=content_policy(script),
        # our own texts; everything else is escaped
        script=Markup(script),
        style=Markup((STATIC / "view.css").read_text(encoding="utf-8")),
        still=Markup(film._repr_html_()),
    )
