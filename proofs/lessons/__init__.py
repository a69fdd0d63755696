"""Eight lessons as marimo notebooks, whose questions are checked by computing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Lesson(NamedTuple):
    """A lesson: where it is, and what it says of itself."""

    number: int
    title: str
    minutes: int
    path: Path


def lessons() -> list[Lesson]:
    """Return the lessons in their order.

    Examples
    --------
    >>> [(lesson.number, lesson.title) for lesson in lessons()][:2]
    [(1, 'Paging and LRU'), (2, 'Marking and phases')]
    """
    return [_lesson(path) for path in sorted(Path(__file__).parent.glob("[0-9]-*.py"))]


def _lesson(path: Path) -> Lesson:
    text = path.read_text(encoding="utf-8")
    title = re.search(r'app_title="(.*)"', text)
    minutes = re.search(r"\*About (\d+) minutes", text)
    assert title is not None
    assert minutes is not None
    return Lesson(int(path.name[0]), title[1], int(minutes[1]), path)
