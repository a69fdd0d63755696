"""The documentation is true: every code block of every page runs.

Blocks of a page run in order, share names and a folder; one below ``<!-- not run: REASON -->`` is not run. A
block of Python that opens with ``# NAME.py`` is also that file, for the commands after it.
"""

from __future__ import annotations

import doctest
import io
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from paging.cli.main import run as paging_run
from paging.traces import Trace, write_trace

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]

BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>]+) -->\n)?^```(?P<kind>[^\n`]*)\n(?P<code>.*?)^```$", re.M | re.S
)

TOOLS = ("make", "python", "python3", "ruff", ".venv/bin/pip", ".venv/bin/ruff", ".venv/bin/paging")
"""Commands that install or test the project: that they work is seen by whoever runs these tests."""

PROSE = ("", "text", "{image}", "{include}", "{raw}", "{toctree}")
"""Kinds of blocks that hold no code."""


class Block(NamedTuple):
    kind: str
    code: str
    reason: str | None
    line: int


def blocks(text: str) -> Iterator[Block]:
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(match["kind"].split(" ")[0], match["code"], match["reason"], line)


def run_python(code: str, names: dict[str, Any], where: str) -> None:
    if ">>>" not in code:
        exec(compile(code, where, "exec"), names)
        return
    examples = doctest.DocTestParser().get_doctest(code, names, where, where, 0)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(examples, out=report.write, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()
    names.update(examples.globs)


def run_shell(code: str, where: str) -> None:
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "paging":
            assert paging_run(words[1:]) == 0, f"{where}: {line}"
        elif words:
            assert words[0] in TOOLS, f"{where}: what is {words[0]!r}?"


def run_page(text: str, name: str) -> int:
    """Run the blocks of a page in the current folder; return how many ran."""
    module = ModuleType("page")
    names = vars(module)
    ran = 0
    for block in blocks(text):
        where = f"{name}:{block.line}"
        if block.reason is not None:
            continue
        if block.kind == "python":
            if named := re.match(r"# (\w+\.py)\n", block.code):
                Path(named[1]).write_text(block.code, encoding="utf-8")
            run_python(block.code, names, where)
        elif block.kind == "sh":
            run_shell(block.code, where)
        elif block.kind == "json":
            read_json(block.code)
        elif block.kind == "toml":
            tomllib.loads(block.code)
        else:
            assert block.kind in PROSE, f"{where}: blocks of kind {block.kind!r} are not run"
            assert not re.search(r"^(paging|from|import|>>>) ", block.code, re.M), (
                f"{where}: code without a kind"
            )
            continue
        ran += 1
    return ran


def read_json(code: str) -> None:
    try:
        json.loads(code)
    except json.JSONDecodeError:
        for line in code.splitlines():  # one document a line
            json.loads(line)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that examples read: a trace as if recorded from a model, and a table."""
    experts = np.random.default_rng(0).random((60, 32, 8)).argsort(axis=2)[:, :, :2]
    write_trace(Trace.from_experts(experts, pages=8), tmp_path / "routing.npz")
    (tmp_path / "ratios.csv").write_text("k,n,ratio\n2,3,3/2\n3,3,2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as the installed command finds modules in the current folder
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_code_block_runs(page: Path, folder: Path) -> None:
    text = page.read_text(encoding="utf-8")
    with redirect_stdout(io.StringIO()):
        run_page(text, page.name)
    fences = len(re.findall(r"^```", text, re.M))
    assert fences == 2 * len(list(blocks(text))), "a code block is not closed"


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert 1 == 2\n```",
        "```python\n>>> 1 + 1\n3\n\n```",
        "```sh\npaging run lru --workload uniform:rounds=5 -l 1 -n 3 -k 0\n```",
        "```sh\nrm -rf build\n```",
        "```json\n{\n```",
        "```toml\nkey = \n```",
        "```\npaging bounds\n```",
        "```ruby\nputs 1\n```",
    ],
)
def test_a_block_that_fails_is_noticed(text: str, folder: Path) -> None:
    with pytest.raises((AssertionError, ValueError)):
        run_page(text, "page")
    assert run_page(f"<!-- not run: on purpose -->\n{text}", "page") == 0


def test_blocks_share_their_names(folder: Path) -> None:
    codes = ("x = 1", ">>> x + 1\n2\n>>> y = 5\n", "assert y == 5")
    text = "\n\n".join(f"```python\n{code}\n```" for code in codes)
    assert run_page(text, "page") == 3
