"""The theorems of ``proofs/formal``: Coq accepts them from clean, and they assume nothing.

The checker that is extracted from them agrees with the one in Python.

Without ``coqc`` the check is skipped; ``make formal`` installs it where it can. With CI=true in the
environment a missing ``coqc`` is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paging.cli.main import run
from paging.markdown import block
from proofs.certificates.formal import POLICIES, VARIABLE, FormalError, verify_formally
from proofs.checker import INCOMPLETE, VERIFIED, verify_file
from tests.helpers.certificates import FOLDER as FILES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "proofs" / "formal"
SOURCES = sorted(FOLDER.glob("*.v"))
CHECK = FOLDER / "check.sh"
CLOSED = "Closed under the global context"


def headlines() -> list[str]:
    """Return the theorems of the table in docs/formal.md, as FILE.NAME."""
    page = (ROOT / "docs" / "formal.md").read_text(encoding="utf-8")
    return re.findall(r"`(\w+\.\w+)`", block(page, "theorems"))


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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Compile everything once: the folder, and what was said."""
    if shutil.which("coqc") is None and os.environ.get("CI") != "true":
        pytest.skip("coqc is not installed; make formal installs it where it can")
    folder = tmp_path_factory.mktemp("formal") / "build"
    return folder, check(CHECK, folder)


@pytest.mark.slow
@pytest.mark.xdist_group("formal")
def test_the_theorems_are_checked_from_clean_and_assume_nothing(
    built: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    done = built[1]
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


UNSPOKEN = "the verified checker does not speak about "
SPOKEN_OF = {"optimum": 6, "cycle": 6, "potential": 4, "exact": 3, "game": 9}
"""Types that the verified checker knows, and how many of the valid files it speaks about."""


@pytest.mark.slow
@pytest.mark.xdist_group("formal")
def test_the_verified_checker_agrees_with_the_checker_on_every_file(
    built: tuple[Path, subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("ocamlopt") is None and os.environ.get("CI") != "true":
        pytest.skip("ocamlopt is not installed; make formal installs it where it can")
    monkeypatch.setenv(VARIABLE, str(built[0] / "certify"))
    for kind, valid in SPOKEN_OF.items():
        judged = 0
        for path in sorted((FILES / kind).glob("*/*.json*")):
            found, expected = verify_formally(str(path)), verify_file(str(path))
            if found.reason.startswith(UNSPOKEN):
                assert found.status == INCOMPLETE, path
                continue
            assert found.status == expected.status, (path, found, expected)
            judged += found.status == VERIFIED
        assert judged == valid, kind


@pytest.mark.slow
@pytest.mark.xdist_group("formal")
def test_the_claim_that_was_judged_is_printed(
    built: tuple[Path, subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not (built[0] / "certify").exists():
        pytest.skip("the verified checker is not built")
    monkeypatch.setenv(VARIABLE, str(built[0] / "certify"))
    assert run(["verify", str(FILES / "cycle/valid/lru-layered.json"), "--formal"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "VERIFIED: policy lru: the ratio is at least 3; a round costs it 12, OPT 4",
        "  assuming the model of Model.v",
        "  assuming pages layer by layer: 2 2; cache k = 3",
        "  assuming OPT has 3 pages",
        "  assuming once the requests 0 2 1 2 0",
        "  assuming again and again the requests 3 1 2 0 3 1 2 0 3 1 2 0",
    ]


def test_without_the_program_one_line_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "certify"))
    assert run(["verify", str(FILES / "optimum/valid/three-pages.json"), "--formal"]) == 2
    said = capsys.readouterr().err
    assert "make formal builds it" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("rule/valid/zrc.json", "the type rule"),
        ("game/valid/two-pages-a-visit.json", "per_visit = 2"),
        ("optimum/valid/weighted.json", "weights"),
        ("optimum/valid/split.json", "a split cache"),
        ("cycle/valid/llru-layered.json", "the policy llru"),
        ("potential/valid/zrc-smaller-opt.json", "the policy zrc"),
        ("potential/invalid/symmetry-not-used-in-the-list.json", "a list of states that tells the pages"),
    ],
)
def test_what_it_has_no_theorem_about_is_refused_by_name(
    name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)
    verdict = verify_formally(str(FILES / name))
    assert verdict.status == INCOMPLETE
    assert verdict.reason.startswith(UNSPOKEN + what)


def test_a_program_that_fails_gives_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, shutil.which("true") or "")
    with pytest.raises(FormalError, match="failed with exit code 0"):
        verify_formally(str(FILES / "optimum/valid/three-pages.json"))


def test_the_policies_are_those_of_the_rules() -> None:
    source = (FOLDER / "main.ml").read_text("utf-8").partition("let policies = [")[2].partition("]")[0]
    assert tuple(re.findall(r'"([a-z-]+)"', source)) == POLICIES
