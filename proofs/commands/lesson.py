"""The command ``paging lesson``: lists the lessons, and opens one in the browser."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paging.cli.options import WholeIn
from paging.cli.terminal import progress, remark, write_table
from paging.errors import LayeredPagingError
from paging.files import atomic_write

if TYPE_CHECKING:
    from proofs.lessons import Lesson

RUN_ALL = "_MARIMO_CONFIG_OVERLOAD_RUNTIME_AUTO_INSTANTIATE"
"""Asks marimo to run a notebook when it is opened for editing, as pyproject.toml does in a checkout."""


@click.command()
@click.argument("number", required=False, type=WholeIn(min=1), metavar="[N]")
@click.option("--edit", is_flag=True, help="Open a copy in this folder with its code, to change.")
@click.option(
    "--port",
    type=WholeIn(1, 65535),
    metavar="PORT",
    help="Port on the loopback address.  [default: a free one]",
)
@click.option("--open/--no-open", "browser", default=True, show_default=True, help="Open the browser.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write it as one HTML file instead of opening it.",
)
def lesson(number: int | None, edit: bool, port: int | None, browser: bool, output: str | None) -> None:
    """List the lessons, or open one: text, experiments, and questions that are checked by computing.

    A lesson opens as a page with fields for the answers; nothing is written anywhere. With --edit, the
    notebook is copied into this folder and opens with its code; a copy that is there already is opened as it
    is, and never overwritten. With -o it becomes one file for a course page, which checks by itself what has
    one right answer. Needs marimo: pip install 'layered-paging[lessons]'. Ctrl+C stops it.

    \b
    Examples:
      paging lesson
      paging lesson 2
      paging lesson 7 --edit
      paging lesson 2 -o lesson-2.html
    """
    from proofs.lessons import lessons

    if edit and output:
        raise click.UsageError("--edit and --output exclude each other")
    if number is None and (edit or output):
        raise click.UsageError("which lesson? Say its number")
    found = lessons()
    if number is not None and number > len(found):
        raise click.BadParameter(f"{number} is not in the range 1<=x<={len(found)}.", param_hint="'[N]'")
    if number is None:
        write_table(
            "Lessons; paging lesson N opens one",
            ["lesson", "title", "minutes"],
            [[one.number, one.title, one.minutes] for one in found],
            left=(0, 1),
        )
        return
    if importlib.util.find_spec("marimo") is None:
        raise LayeredPagingError("lessons need marimo: pip install 'layered-paging[lessons]'")
    chosen = found[number - 1]
    if output:
        _write(chosen, output)
        return
    path = _copy(chosen) if edit else chosen.path
    os.environ[RUN_ALL] = "true"
    sys.argv = ["marimo", "edit" if edit else "run", str(path)]
    sys.argv += ["--port", str(port)] if port else []
    sys.argv += [] if browser else ["--headless"]
    runpy.run_module("marimo", run_name="__main__", alter_sys=True)


def _copy(chosen: Lesson) -> Path:
    """Return a copy in the current folder, the one that is there already if there is one."""
    target = Path(chosen.path.name)
    source = chosen.path.read_bytes()
    if not target.exists():
        with atomic_write(target, "wb") as stream:
            stream.write(source)
        remark(f"{target}: a copy to change")
    elif target.read_bytes() != source:
        remark(f"{target} has been changed: opened as it is (move it away for a fresh copy)")
    return target


def _write(chosen: Lesson, output: str) -> None:
    from proofs.lessons.page import lesson_file

    with progress(f"running lesson {chosen.number}"):
        page = lesson_file(chosen)
    with atomic_write(output) as stream:
        stream.write(page)
    remark(f"{output}: lesson {chosen.number}; open it in any browser")
