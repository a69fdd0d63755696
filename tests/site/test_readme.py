"""README is true: every block of the tour runs, and its test command is what continuous integration runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON, SHELL = (re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) for kind in ("python", "sh"))


@pytest.mark.slow
def test_the_python_tour_runs_and_prints_what_it_says() -> None:
    code = "\n".join(PYTHON)  # the blocks follow on one another
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    printed = done.stdout.split()
    assert printed[3:6] == ["2000", "292", "7"]
    assert printed[6] == "6"
    # LRU has ratio k here (L3-tight), ZRC and the best policy k − ℓ + 1 (zrc-tight).
    assert printed[-3:] == ["3", "2", "2"]


def test_the_tour_is_short() -> None:
    assert len([line for line in PYTHON[0].splitlines() if line.strip()]) <= 15


def test_continuous_integration_runs_the_readme_test_command() -> None:
    assert "make test" in SHELL[0]
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / target).exists(), target
