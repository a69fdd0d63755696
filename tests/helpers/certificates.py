"""What the tests of certificates share: the corpus of files, and every small change of a document."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "certificates"
"""``TYPE/{valid,invalid,malformed}/NAME.json``, and ``TYPE/reasons.json`` with why each lie is refused."""


def files(folder: str, *types: str) -> list[Any]:
    """Return the files of some types in ``valid``, ``invalid`` or ``malformed`` as parameters of a test."""
    found = sorted(path for kind in types for path in (FOLDER / kind / folder).iterdir())
    assert found
    return [pytest.param(path, id=name_of(path)) for path in found]


def name_of(path: Path) -> str:
    """Return ``TYPE/FOLDER/NAME``, without the ending."""
    return "/".join((*path.parts[-3:-1], path.name.partition(".")[0]))


def reasons() -> dict[str, str]:
    """Return the reason for which every invalid and every malformed file is refused, by name."""
    return {
        f"{path.parent.name}/{name}": reason
        for path in sorted(FOLDER.glob("*/reasons.json"))
        for name, reason in json.loads(path.read_text(encoding="utf-8")).items()
    }


def is_reason(expected: str, reason: str) -> bool:
    """Say whether a reason is the one expected; after "…" follow words of the standard library."""
    return reason.startswith(expected[:-1]) if expected.endswith("…") else reason == expected


def leaves(value, path=()):
    """Every place in a document, the containers among them."""
    yield path, value
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from leaves(child, (*path, key))


def changed(document, path, change):
    """A document with ``change(container, key)`` done at a place, sharing what does not lie on the way."""
    mutant = place = copy.copy(document)
    for key in path[:-1]:
        place[key] = copy.copy(place[key])
        place = place[key]
    change(place, path[-1])
    return mutant


def replacements(value):
    """Values to put in place of another one."""
    yield from (None, True, [], {}, "", "x", "1/2", "-1/2", -5, 7, 2**30, [value], {"a": value})
    if type(value) is int:
        yield from (value + 1, value - 1, -value, value * 2 + 1, str(value))
    if isinstance(value, str):
        yield from (value + "0", value[:-1], value[::-1], value.upper())
    if isinstance(value, list):
        yield from (value[:-1], value[1:], value[::-1], value + value[-1:], value + value, [*value, -7])


def mutants(document):
    """Every place replaced, dropped, renamed or doubled, one at a time; mutants share what is unchanged."""
    before = json.dumps(document)
    for path, value in leaves(document):
        if not path or path[0] == "provenance":
            continue
        for new in replacements(value):
            if new != value or type(new) is not type(value):
                yield path, changed(document, path, lambda box, key, new=new: box.__setitem__(key, new))
        yield path, changed(document, path, lambda box, key: box.pop(key))
        if isinstance(path[-1], str):
            yield path, changed(document, path, lambda box, key: box.__setitem__(key + "_", box.pop(key)))
            yield path, changed(document, path, lambda box, key: box.__setitem__("extra", box[key]))
    assert json.dumps(document) == before
