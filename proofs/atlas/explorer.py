"""The atlas for a browser: one JSON document with every value, its cycle, and the command that repeats it."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from paging.numbers import decimal
from paging.plotting import policy_label
from paging.policy import spoken_name
from proofs.atlas.discard import GAME, POLICIES
from proofs.atlas.files import certificate_name
from proofs.atlas.shades import SHADES, shade_of
from proofs.atlas.shapes import Shape
from proofs.atlas.table import SHAPE, VISITS, Row, shape_of, subjects_of, value_of

LONGEST = 120
"""Requests of a cycle, with those that lead to it, up to which it is kept."""

COMMANDS = {"game": "paging game", "zrc-any-tie": "paging game --rule zrc"}
"""What repeats a value of a subject that is no policy."""

PROOFS = {
    "game": "a decision graph for the adversary, and a choice of victims with a potential for the algorithm",
    "zrc-any-tie": "a potential over all ways to break ties",
}
"""What a certificate holds; of a policy a cycle and a potential."""


TOLD = {GAME: ("discard", 1), **POLICIES}
"""Policies that are told predictions, by their column: of which kind, and at which α."""


def told_label(subject: str) -> str:
    """Return the name of a policy that is told predictions, and what it is told.

    >>> told_label("mark0"), told_label("game")
    ('mark0, told discard bits', 'best deterministic, told discard bits')
    """
    name = "best deterministic" if subject == GAME else spoken_name(subject)
    return f"{name}, told {TOLD[subject][0]} bits"


def beta_at(subject: str) -> str:
    """Return what the values of a policy that is told predictions are."""
    alpha = TOLD[subject][1]
    return "least β at α = γ = 1" if alpha == 1 else f"least β at α = {alpha}, γ = 1"


class ForcingCycle(NamedTuple):
    """Requests that force a ratio for ever: those that lead to the cycle, the cycle, and what it costs."""

    prefix: tuple[int, ...]
    requests: tuple[int, ...]
    online: int
    offline: int


Cycles = Mapping[tuple[str, Shape], ForcingCycle]

HEADER = ("subject", *SHAPE, *VISITS, "prefix", "cycle", "online", "offline")


def cycles_of(atlas: Path) -> dict[tuple[str, Shape], ForcingCycle]:
    """Return the cycles in an atlas' certificates, as far as they are short."""
    found = {}
    for path in sorted(atlas.glob("certificates/*/*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            document = json.load(stream)
        evidence = document["evidence"].get("cycle")
        if evidence and len(evidence["prefix"]) + len(evidence["cycle"]) <= LONGEST:
            instance, claim = document["claim"]["instance"], document["claim"]
            shape = Shape(*(instance[name] for name in Shape._fields))
            parts = tuple(evidence["prefix"]), tuple(evidence["cycle"])
            found[claim["policy"], shape] = ForcingCycle(*parts, evidence["online"], evidence["offline"])
    return found


def write_cycles(path: Path, cycles: Cycles) -> None:
    """Write cycles as a table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        for (subject, shape), cycle in sorted(cycles.items(), key=lambda item: (item[0][1][3:], item[0])):
            requests = (" ".join(map(str, part)) for part in (cycle.prefix, cycle.requests))
            writer.writerow([subject, *shape, *requests, cycle.online, cycle.offline])


def read_cycles(path: Path) -> dict[tuple[str, Shape], ForcingCycle]:
    """Return the cycles of a table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["subject"], shape_of(row)): ForcingCycle(
                tuple(map(int, row["prefix"].split())),
                tuple(map(int, row["cycle"].split())),
                int(row["online"]),
                int(row["offline"]),
            )
            for row in csv.DictReader(stream)
        }


def document(
    rows: Iterable[Row], cycles: Cycles, told: Iterable[Row] = (), files: Collection[str] = ()
) -> dict[str, Any]:
    """Return the atlas as plain data.

    Parameters
    ----------
    rows : iterable of mapping
        The table (:func:`proofs.atlas.table.read_table`).
    cycles : mapping
        Cycles by subject and instance, where they are known.
    told : iterable of mapping
        The table of policies that are told predictions (:mod:`proofs.atlas.discard`).
    files : collection of str
        The certificates that lie beside the atlas, by their names
        (:func:`proofs.atlas.files.certificate_name`).

    Returns
    -------
    dict
        ``subjects`` with what their values are, ``shades`` (words, darkness, hatching) and ``values``, each
        with its place among the shades, cycle, proof, command and file.
    """
    table = list(rows)
    subjects = subjects_of(table)
    values = [
        _value(row, subject, cycles.get((subject, shape_of(row))), files)
        for row in table
        for subject in subjects
        if row[subject]
    ]
    ratios = [{"id": one, "label": policy_label(one), "measure": "ratio"} for one in subjects]
    betas = [{"id": f"told-{one}", "label": told_label(one), "measure": beta_at(one)} for one in TOLD]
    values += [
        _told_value(row, one) for row in told if row["n"].isdecimal() for one in TOLD if row[_column(one)]
    ]
    return {
        "subjects": [*ratios, *betas],
        "shades": [{"words": one.words, "dark": one.dark, "hatched": one.hatched} for one in SHADES],
        "values": values,
    }


def _column(subject: str) -> str:
    return "α = 1" if subject == GAME else subject


def _told_value(row: Row, subject: str) -> dict[str, Any]:
    """Return the least β of a policy that is told predictions, at γ = 1 and its α."""
    value, (kind, alpha) = row[_column(subject)], TOLD[subject]
    shape = Shape(int(row["ℓ"]), int(row["n"]), int(row["k"]))
    file = f"{kind}-{subject}-{'-'.join(map(str, shape.numbers))}.json.gz"
    asked = (
        f"{COMMANDS.get(subject, f'paging exact {subject}')} --predictions {kind} --alpha {alpha} --gamma 1"
    )
    return {
        "subject": f"told-{subject}",
        **_place(shape),
        "value": value,
        "decimal": decimal(value),
        "shade": shade_of(Fraction(value), shape.cache),
        "proof": PROOFS.get(subject, "a cycle that forces the coefficient, and a potential that bounds it"),
        "command": f"{asked} -l {shape.layers} -n {shape.pages} -k {shape.cache} --certificate {file}",
        "verify": f"paging verify {file}",
    }


def _place(shape: Shape) -> dict[str, Any]:
    return {"layers": shape.layers, "pages": shape.pages, "k": shape.cache, "visit": visit_of(shape)}


def visit_of(shape: Shape) -> str:
    """Return in words what a visit is.

    >>> visit_of(Shape(2, 3, 4)), visit_of(Shape(2, 3, 4, 2))
    ('1 page', '2 pages, sequential')
    """
    return f"{shape.per_visit} pages, {shape.visits}" if shape.per_visit > 1 else "1 page"


def _value(row: Row, subject: str, cycle: ForcingCycle | None, files: Collection[str]) -> dict[str, Any]:
    shape, value = shape_of(row), value_of(row, subject)
    assert value is not None
    file = f"{subject}-{shape.layers}-{shape.pages}-{shape.cache}.json.gz"
    instance = f"-l {shape.layers} -n {shape.pages} -k {shape.cache}"
    if shape.per_visit > 1:
        file = f"{subject}-{shape.file}.json.gz"
        instance += f" -g {shape.per_visit} --visits {shape.visits}"
    command = f"{COMMANDS.get(subject, f'paging exact {subject}')} {instance} --certificate {file}"
    found: dict[str, Any] = {
        "subject": subject,
        **_place(shape),
        "value": row[subject],
        "decimal": None if row[subject] == "unbounded" else decimal(row[subject]),
        "shade": shade_of(value, shape.cache),
        "proof": PROOFS.get(subject, "a cycle that forces the ratio, and a potential that bounds it"),
        "command": command,
        "verify": f"paging verify {file}",
    }
    name = certificate_name(subject, shape)
    if name in files:
        found["file"] = name
    if cycle is not None:
        found["cycle"] = {
            "prefix": list(cycle.prefix),
            "requests": list(cycle.requests),
            "online": cycle.online,
            "offline": cycle.offline,
        }
    return found
