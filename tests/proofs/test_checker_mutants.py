"""Every refusal of the checker is needed: without it, a file of ``tests/certificates`` is judged otherwise.

A copy of the package is made in which every ``raise``, and every part of a condition "A or B" for one, asks
first whether it is the one left out. So one copy is every mutant, and a mutant need only be shown the files
that come to what it leaves out.
"""

from __future__ import annotations

import ast
import gzip
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proofs import checker
from tests.helpers.certificates import FOLDER, is_reason, name_of, reasons

SWITCH = """
left_out = None
reached = set()

def kept(place):
    reached.add(place)
    return place != left_out
"""


class Asking(ast.NodeTransformer):
    """Turns every ``raise`` into ``if kept(PLACE): raise``, and a part A before it into A and kept(PLACE)."""

    def __init__(self, file: str) -> None:
        self.file, self.places = file, list[str]()

    def kept(self, node: ast.stmt | ast.expr) -> ast.expr:
        """The question whether what stands here is kept."""
        self.places.append(f"{self.file}:{node.lineno}:{node.col_offset}")
        return ast.parse(f"kept({self.places[-1]!r})", mode="eval").body

    def visit_If(self, node: ast.If) -> ast.If:
        match node:
            case ast.If(test=ast.BoolOp(op=ast.Or(), values=parts), body=[ast.Raise()]):
                node.test.values = [ast.BoolOp(ast.And(), [part, self.kept(part)]) for part in parts]
        self.generic_visit(node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.If:
        return ast.If(self.kept(node), [node], [])


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, list[str]]]:
    """The copy of the checker, and the places of all refusals."""
    places: list[str] = []
    package = tmp_path / "asking_checker"
    package.mkdir()
    (package / "switch.py").write_text(SWITCH)
    for path in sorted(Path(checker.__file__).parent.glob("*.py")):
        asking = Asking(path.stem)
        tree = asking.visit(ast.parse(path.read_text(encoding="utf-8")))
        places += asking.places
        if asking.places:
            future = next(i for i, node in enumerate(tree.body) if isinstance(node, ast.ImportFrom))
            tree.body.insert(future + 1, ast.parse("from .switch import kept").body[0])
        (package / path.name).write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(package.name), places
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


@pytest.mark.slow
def test_every_refusal_is_needed_by_a_file(copy: tuple[Any, list[str]], tmp_path: Path) -> None:
    mutable, places = copy
    switch, expected = mutable.switch, reasons()
    assert len(places) > 150
    extra = []
    for content, reason, ending in (
        (gzip.compress(b" " * 10**8), "the file's text: more memory than this checker's limit…", ""),
        (b" " * 10**6, "the file has more than 100000 bytes, this checker's limit; --limit raises it", ""),
        (b" " * 10**6, "a line has more than 100000 bytes; --limit raises this limit", "l"),
    ):
        extra.append(tmp_path / "any" / "malformed" / f"large-{len(extra)}.json{ending}")
        extra[-1].parent.mkdir(parents=True, exist_ok=True)
        extra[-1].write_bytes(content)
        expected[name_of(extra[-1])] = reason
    mutable.reading.MAX_BYTES = mutable.reading.MAX_LINE = 10**5
    extra.append(tmp_path / "any" / "malformed" / "device.json")
    extra[-1].symlink_to("/dev/zero")
    expected[name_of(extra[-1])] = "the file cannot be read: …"

    def is_refused(path: Path) -> bool:
        try:
            verdict = mutable.verify_file(str(path))
        except Exception:  # whatever a mutant stumbles over: the test of the file would see it
            return False
        right = verdict.status == (checker.REFUTED if path.parent.name == "invalid" else checker.INCOMPLETE)
        return right and is_reason(expected[name_of(path)], verdict.reason)

    met: dict[str, list[Path]] = {place: [] for place in places}
    for path in (*FOLDER.glob("*/*/*"), *extra):
        switch.reached.clear()
        if path.parent.name in ("valid", "conditional"):
            assert mutable.verify_file(str(path)).exit_code in (0, 3)
            assert not switch.reached
        else:
            assert is_refused(path)
        for place in switch.reached:
            met[place].append(path)
    survivors = []
    for place, paths in met.items():
        switch.left_out = place
        if all(is_refused(path) for path in paths):
            survivors.append(place)
    assert not survivors, "\n".join(survivors)
