"""README is true: every block of the tour runs, and its test command is what continuous integration runs."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON, SHELL = (re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) for kind in ("python", "sh"))


@pytest.mark.slow
def test_the_python_blocks_print_what_they_say(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(PYTHON)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = re.findall(r"print\(.*\)  # ([\d ]+)", PYTHON[-1])
    assert len(said) == 4
    assert [line.strip() for line in done.stdout.splitlines()] == [line.strip() for line in said]


@pytest.mark.slow
def test_the_commands_say_what_is_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "median.py").write_text(PYTHON[0], encoding="utf-8")
    rows = [[[t % 5, 5], [6, t % 3]] for t in range(40)]  # as a server answers: tokens, layers, experts
    answer = {"choices": [{"routed_experts": rows}]}
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    printed = {command: shown(command) for command in re.findall(r"^(paging .*?)(?:  +#.*)?$", TEXT, re.M)}
    words = {name: text for command, text in printed.items() for name in [command.split()[1]]}
    assert "unbounded" in next(
        text for command, text in printed.items() if command.startswith("paging exact median")
    )
    assert "7/3" in words["exact"]
    assert words["verify"].startswith("VERIFIED")
    games = [text for command, text in printed.items() if command.startswith("paging game")]
    for text, row in zip(games, (r"^ *3 +4 ", r"^ *2 +5 ", r"^1 +2 +1 +beta"), strict=True):
        assert re.search(row, text, re.M)
    promised = next(block for block in re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL))
    (sample,) = (text for command, text in printed.items() if "sample:" in command)
    assert " ".join(promised.split()) in " ".join(sample.split())
    assert "misses on 160 requests, 40 tokens" in words["diagnose"]


def shown(command: str) -> str:
    words = shlex.split(command)
    if words[1] not in ("exact", "verify", "game", "diagnose"):
        return ""
    done = subprocess.run(
        [Path(sys.executable).with_name("paging"), *words[1:]], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_python_examples_are_short() -> None:
    for block in PYTHON:
        assert len([line for line in block.splitlines() if line.strip()]) <= 16


def test_continuous_integration_runs_the_readme_test_command() -> None:
    assert any("make test" in block for block in SHELL)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


WRITTEN = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_linked_files_exist(page: Path) -> None:
    """In the repository as it is: nothing that a build writes, which whoever reads it there does not have."""
    text = re.sub(r"^(```|:::).*?^\1$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:href|src)=\"([^\"#]+)", text):
        named = "".join(target)
        if "://" not in named and not named.startswith("mailto:"):
            assert (page.parent / named).exists(), named
            assert "generated" not in named
