"""Docstrings read by their numpydoc sections."""

from __future__ import annotations

import inspect
import re


def sections(documented: object) -> dict[str, str]:
    """Return the sections of an object's docstring by title; what stands before the first under ``""``.

    A policy has the sections *Label*, *Guarantee*, perhaps *Bad for*, and *References*.

    Examples
    --------
    >>> from paging.policies.recency import FIFO
    >>> found = sections(FIFO)
    >>> found["Label"], found["References"]
    ('Arrival rank, 1 = newest, k = next victim.', 'SleatorTarjan1985')
    """
    before, *rest = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(documented) or "", flags=re.MULTILINE)
    return {"": before.strip(), **dict(zip(rest[::2], map(str.strip, rest[1::2]), strict=True))}


def references(documented: object) -> dict[str, str]:
    """Return the sources under *References*, keys of the bibliography, each with what it is cited for.

    Examples
    --------
    >>> from paging.policies.randomized import Mark
    >>> references(Mark)
    {'FKLMSY1991': 'the algorithm', 'ACN2000': 'its exact ratio'}
    """
    lines = sections(documented).get("References", "").splitlines()
    parts = (line.partition(": ") for line in lines)
    return {key: remark for key, _, remark in parts}
