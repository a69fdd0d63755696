"""The theorems of ``proofs/formal``: Coq accepts them from clean, and they assume nothing.

Without ``coqc`` the check is skipped; ``make formal`` installs it where it can. With CI=true in the
environment a missing ``coqc`` is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "proofs" / "formal"
SOURCES = sorted(FOLDER.glob("*.v"))
CHECK = FOLDER / "check.sh"
CLOSED = "Closed under the global context"


def headlines() -> list[str]:
    """Return the theorems of the table in docs/formal.md, as FILE.NAME."""
    page = (ROOT / "docs" / "formal.md").read_text(encoding="utf-8")
    table = page.partition("<!-- theorems: begin -->")[2].partition("<!-- theorems: end -->")[0]
    return re.findall(r"`(\w+\.\w+)`", table)


def without_comments(source: str) -> str:
    """Return a Coq source without its comments, which nest."""
    kept, depth = [], 0
    for part in re.split(r"(\(\*|\*\))", source):
        depth += (part == "(*") - (part == "*)")
        kept.append("" if depth or part == "*)" else part)
    return "".join(kept)


FORBIDDEN = (
    r"\b(Admitted|admit|give_up|Abort|Axioms?|Parameters?|Conjecture|Admit Obligations)\b"
    r"|bypass_check|Unset .*Checking"
)


def test_every_theorem_of_the_page_stands_in_its_file_and_in_the_list_of_assumptions() -> None:
    named = headlines()
    assert len(named) > 10
    for file, _, name in (theorem.partition(".") for theorem in named):
        source = (FOLDER / f"{file}.v").read_text(encoding="utf-8")
        assert re.search(rf"^(Theorem|Corollary|Lemma) {name}\b", source, re.M), f"{file}.{name}"
    listed = re.findall(r"^Print Assumptions (\w+)\.$", (FOLDER / "Assumptions.v").read_text("utf-8"), re.M)
    assert sorted(listed) == sorted(theorem.partition(".")[2] for theorem in named)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_is_admitted(path: Path) -> None:
    assert not re.search(FORBIDDEN, without_comments(path.read_text(encoding="utf-8")))


WORDS = ("Admitted.", "Axiom a : False.", "Parameter n : nat.", "admit.", "Unset Guard Checking.")


@pytest.mark.parametrize("word", WORDS)
def test_what_is_admitted_is_noticed(word: str) -> None:
    assert re.search(FORBIDDEN, without_comments(f"(* Proof. (* of *) *) {word}"))
    assert not re.search(FORBIDDEN, without_comments(f"(* {word} (* {word} *) {word} *) Qed."))


def test_every_file_is_compiled() -> None:
    project = (FOLDER / "_CoqProject").read_text(encoding="utf-8").split()
    assert {path.name for path in SOURCES} <= {*project, "Assumptions.v", "Extract.v"}


@pytest.fixture
def coq() -> None:
    """Skip where there is no Coq."""
    if shutil.which("coqc") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("coqc is missing; make formal installs it")
        pytest.skip("coqc is not installed; make formal installs it where it can")


def check(script: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(script), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
@pytest.mark.usefixtures("coq")
def test_the_theorems_are_checked_from_clean_and_assume_nothing(tmp_path: Path) -> None:
    done = check(CHECK, tmp_path / "build")
    assert done.returncode == 0, done.stdout + done.stderr
    for theorem in headlines():
        assert f"{theorem.partition('.')[2]}: {CLOSED}" in done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.usefixtures("coq")
@pytest.mark.parametrize(
    ("theorem", "said"),
    [
        ("Theorem t : 1 = 2. Proof. reflexivity. Qed.", "Unable to unify"),
        ("Axiom a : 1 = 2. Theorem t : 1 = 2. Proof. exact a. Qed.", "axioms: Formal.Only.a"),
        ("Theorem t : 1 = 2. Proof. Admitted.", "axioms: Formal.Only.t"),
    ],
)
def test_a_false_theorem_or_an_axiom_fails(tmp_path: Path, theorem: str, said: str) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    shutil.copy(CHECK, sources)
    (sources / "_CoqProject").write_text("-Q . Formal\nOnly.v\n")
    (sources / "Only.v").write_text(theorem)
    (sources / "Assumptions.v").write_text("From Formal Require Import Only.\nPrint Assumptions t.\n")
    done = check(sources / "check.sh", tmp_path / "build")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_a_machine_without_coq_says_so_and_ci_fails(tmp_path: Path) -> None:
    for name in ("sh", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    done = check(CHECK, tmp_path / "build", PATH=str(tmp_path), CI="")
    assert (done.returncode, "no coqc" in done.stdout) == (0, True)
    assert check(CHECK, tmp_path / "build", PATH=str(tmp_path), CI="true").returncode != 0
