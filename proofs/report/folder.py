"""The folder of a report: checked first, built beside its place, moved there at the end."""

from __future__ import annotations

import glob
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paging.errors import LayeredPagingError
from paging.files import unfinished

SCHEMA = "layered-paging report 1"
"""First entry of every report.json; a folder with it may be replaced by a new report."""

HTML, JSON, DATA, FIGURES = "report.html", "report.json", "data", "figures"


class ReportError(LayeredPagingError, ValueError):
    """The report's folder cannot be written, or holds something else."""


def check_target(target: Path) -> None:
    """Raise ReportError unless a report may take this place: nothing, an empty folder or an old report."""
    if target.is_dir():
        stranger = _stranger(target)
        if stranger:
            raise ReportError(
                f"{target} holds {stranger}, which no report wrote; name a new or an empty folder"
            )
    elif os.path.lexists(target):
        raise ReportError(f"{target} is not a folder; name a new or an empty one")


def _stranger(folder: Path) -> str | None:
    """Return an entry of a folder that is no part of a report, or None."""
    names = sorted(path.name for path in folder.iterdir())
    if names and not _is_report(folder / JSON):
        return names[0]
    known = re.compile(rf"{HTML}|{JSON}|{DATA}|{FIGURES}|counterexample-[\w-]+\.json")
    return next((name for name in names if not known.fullmatch(name)), None)


def _is_report(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("schema") == SCHEMA


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``target`` if all goes well, and vanishes if not.

    An old report in that place is replaced as a whole.

    Raises
    ------
    ReportError
        The folder cannot be written, or ``target`` holds something that no report wrote.
    """
    check_target(target)
    place = target.resolve()
    near = next(parent for parent in place.parents if os.path.lexists(parent))
    try:
        _clear_replaced(place)
        with unfinished(near / place.name, folder=True) as building:
            yield building
            check_target(target)
            _move(building, place)
    except OSError as error:
        raise ReportError(f"{target} cannot be written: {error.strerror or error}") from error


def _clear_replaced(place: Path) -> None:
    """Put back, or remove, the old report of a run that was killed while a new one took its place."""
    for old in place.parent.glob(f".{glob.escape(place.name)}.old.{'[0-9a-f]' * 8}"):
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(place)


def _move(building: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    building.chmod(stat.S_IMODE(place.parent.stat().st_mode) & 0o755 | 0o700)
    old = place.with_name(f".{place.name}.old.{secrets.token_hex(4)}")
    replaced = place.exists()
    if replaced:
        place.rename(old)
    try:
        building.rename(place)
    except OSError:
        if replaced:
            old.rename(place)
        raise
    if replaced:
        shutil.rmtree(old, ignore_errors=True)
