"""Facts about the project itself that stand in one place."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("paging", "adversary", "lp", "proofs")


def test_the_version_stands_in_one_place() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    texts = [*ROOT.glob("*.cff"), *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.py")]
    texts += [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.])")
    assert [path.name for path in texts if found.search(path.read_text(encoding="utf-8"))] == []


def test_public_classes_have_names_of_their_own() -> None:
    names = Counter(
        node.name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_make_help_says_what_every_target_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert targets is not None
    try:
        done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("make is not installed")
    explained = {line.split()[0] for line in done.stdout.splitlines() if re.match(r"[a-z-]+  +\S", line)}
    assert explained == set(targets[1].split())


def test_the_bibtex_says_what_the_citation_file_says() -> None:
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "how-to-cite-a-value.md").read_text(encoding="utf-8")
    facts = re.findall(r"^ *(?:- )?(?:title|year|doi|family-names|given-names): (.+)$", cited, re.M)
    assert len(facts) == 12
    assert [fact for fact in facts if fact.strip('"') not in page] == []
    assert "authors:\n  - name: The layered-paging developers" in cited
    assert "{{The layered-paging developers}}" in page


@pytest.mark.xdist_group("project")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in one process")
def test_tests_that_share_something_dear_run_in_one_process(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("loadgroup"):
        assert request.node.nodeid.endswith("@project")
