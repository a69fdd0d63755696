"""The atlas: a sweep that can be killed, what it stores, and conjectures held against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest
from PIL import Image

from paging import ModelError, RequestSequence, farthest_in_future, simulate
from paging.cli.main import run as paging_run
from paging.jobs import FolderError
from paging.markdown import block
from paging.parallel import Pool
from paging.plotting import content_digest
from paging.signals import Watch
from proofs.atlas.conjectures import CONJECTURES, evidence
from proofs.atlas.docs import drawn, findings, pictures
from proofs.atlas.explorer import document, read_cycles, visit_of
from proofs.atlas.files import AtlasError, open_atlas, read_values
from proofs.atlas.shapes import Shape, shapes
from proofs.atlas.subjects import check_subjects, serves
from proofs.atlas.sweep import ValueJob, compute, sweep
from proofs.atlas.table import asked_of, read_table, shape_of, subjects_of, value_of
from proofs.atlas.values import Value
from proofs.checker import VERIFIED, verify_file
from proofs.ratio.deterministic import exact_ratio

Capture = pytest.CaptureFixture[str]
SMALL = shapes(6, (1, 2, 3))


def test_places_are_all_small_instances() -> None:
    found = shapes(8, range(1, 9))
    assert len(found) == len(set(found))
    small = range(1, 9)
    by_hand = {(ell, n, k) for ell in small for n in small[1:] for k in small if k < ell * n <= 8}
    assert {shape[:3] for shape in found} == by_hand
    assert [p.layers * p.pages for p in found] == sorted(p.layers * p.pages for p in found)


pytestmark = pytest.mark.xdist_group("atlas")  # the tests share one computed atlas


def swept_by(workers: int, *arguments: Any, **settings: Any) -> int:
    with Pool(workers) as pool:
        return sweep(*arguments, **settings, engine=pool).computed


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = open_atlas(tmp_path_factory.mktemp("atlas") / "here")
    jobs = [(subject, shape) for shape in SMALL for subject in ("lru", "zrc", "lifo")]
    assert swept_by(2, root, ("lru", "zrc", "lifo"), SMALL, max_states=2000) == len(jobs)
    return root


@pytest.mark.slow
def test_every_value_is_that_of_the_solver_and_has_a_certificate_that_proves_it(swept: Path) -> None:
    values = read_values(swept)
    assert len(values) == 3 * len(SMALL)
    for value in values:
        found = exact_ratio(value.subject, value.shape.instance)
        assert value.number == found.ratio
        assert value.states == found.states
        assert value.certificate is not None
        verdict = verify_file(str(swept / value.certificate))
        assert verdict.status == VERIFIED
        assert f"policy {value.subject}: " in verdict.reason
        known = "the ratio is unbounded" if value.value == "unbounded" else f"exactly {value.value};"
        assert known in verdict.reason


def test_nothing_is_computed_twice(swept: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in swept.rglob("*") if path.is_file()}
    assert sweep(swept, ("lru", "zrc", "lifo"), SMALL, max_states=2000).computed == 0
    assert before == {path: path.stat().st_mtime_ns for path in swept.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_larger_budget_tries_again_what_failed(tmp_path: Path) -> None:
    root = open_atlas(tmp_path / "atlas")
    over = [Shape(1, n, 3) for n in range(4, 9)]
    assert sweep(root, ("clock",), over, max_states=5).computed < 5
    first = read_values(root)
    assert first  # the larger ones were not tried
    assert all(value.value is None and value.certificate is None for value in first)
    assert sweep(root, ("clock",), over, max_states=5).computed == 0
    assert sweep(root, ("clock",), over, max_states=5000).computed == 5
    assert [value.value for value in read_values(root)] == ["3"] * 5


@pytest.mark.slow
def test_a_sweep_stops_when_asked_and_goes_on(tmp_path: Path) -> None:
    root = open_atlas(tmp_path / "atlas")
    asked = iter([False] * 2 + [True] * 1000)
    first = sweep(root, ("lru",), SMALL, max_states=2000, watch=Watch(stop=lambda: next(asked))).computed
    assert first < len(SMALL)
    assert len(read_values(root)) == first
    assert sweep(root, ("lru",), SMALL, max_states=2000).computed == len(SMALL) - first


@pytest.mark.slow
def test_the_game_and_rules_are_subjects_too(tmp_path: Path) -> None:
    root = open_atlas(tmp_path / "atlas")
    over = shapes(6, (1, 2, 3))
    assert swept_by(2, root, ("zrc-any-tie", "game"), over, max_states=20_000) == 2 * len(over)
    values = read_values(root)
    for value in values:
        assert value.certificate is not None
        verdict = verify_file(str(root / value.certificate))
        assert verdict.status == VERIFIED
    by_id = {one.conjecture.id: one for one in evidence(values)}
    for one in (by_id["C2"], by_id["C3"]):
        assert len(one.agree) > 10
        assert not one.disagree


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_with_nothing_lost(tmp_path: Path) -> None:
    target = tmp_path / "atlas"
    arguments = ["-o", str(target), "--max-pages", "7", "--layers", "1:3", "--subject", "lru", "--json"]
    command = [sys.executable, "-c", "from paging.cli.main import main; main()", "atlas", *arguments]
    with subprocess.Popen(command, start_new_session=True, stdout=DEVNULL, stderr=DEVNULL) as process:
        while process.poll() is None and len(list(target.glob("values/*/*.json"))) < 5:
            pass
        os.killpg(process.pid, signal.SIGKILL)
    kept = {path: path.read_bytes() for path in target.glob("values/*/*.json")}
    assert 5 <= len(kept) < len(shapes(7, (1, 2, 3)))
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(again.stdout)
    assert answer["computed"] == len(shapes(7, (1, 2, 3))) - len(kept)
    assert {path: path.read_bytes() for path in kept} == kept
    assert len(answer["values"]) == len(shapes(7, (1, 2, 3)))


@pytest.mark.slow
def test_the_command_writes_tables_and_figures(swept: Path, capsys: Capture) -> None:
    arguments = ["atlas", "-o", str(swept), "--max-pages", "6", "--layers", "1:3", "--max-states", "2000"]
    arguments += ["--subject", "lru", "--subject", "zrc", "--subject", "lifo"]
    assert paging_run([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["computed"] == 0
    for one in answer["evidence"]:
        assert (one["agree"] > 0) == (one["id"] == "C1")
        assert not one["disagree"]
    names = {Path(path).name for path in answer["files"]}
    assert names >= {"atlas.json", "atlas.csv", "atlas.md", "heatmap-lru.svg", "comparison-l2.png"}
    assert all((Path(path)).stat().st_size for path in answer["files"])
    table = (swept / "atlas.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == "ℓ,n,k,k − ℓ + 1,lru,zrc,lifo,k + ℓ − 1"
    assert "2,3,3,2,3,2,unbounded,4" in table
    assert paging_run(arguments) == 0
    assert "C3" in capsys.readouterr().out


def test_conjectures_are_contradicted_by_other_values() -> None:
    lie = Value("zrc-any-tie", 2, 3, 3, "5/2", "5/2", "0", 1, 1, None)
    by_id = {one.conjecture.id: one for one in evidence([lie])}
    assert by_id["C3"].disagree == ((Shape(2, 3, 3), "5/2"),)
    assert not by_id["C3"].agree
    assert not by_id["C1"].disagree


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ((3, 2, 2), 2), ((4, 2, 2), Fraction(3, 2)), ((4, 2, 3), 3), ((4, 2, 4), Fraction(7, 4)),
        ((2, 9, 3), 3), ((3, 9, 4), 3), ((3, 9, 5), 5), ((3, 9, 9), 9), ((4, 2, 1), None),
    ],
)  # fmt: skip
def test_the_conjecture_about_lru_by_hand(shape: tuple[int, int, int], value: Fraction | int | None) -> None:
    conjecture = next(one for one in CONJECTURES if one.id == "C1")
    assert conjecture.value(Shape(*shape)) == value


def test_foreign_folders_and_damaged_files_are_refused(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(FolderError, match="neither a layered-paging atlas nor an empty folder"):
        open_atlas(tmp_path)
    assert paging_run(["atlas", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("paging: error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    root = open_atlas(tmp_path / "atlas")
    sweep(root, ("lru",), [Shape(1, 3, 2)], max_states=100)
    (root / "values" / "lru" / "l1-n3-k2.json").write_text("{")
    with pytest.raises(AtlasError, match=r"l1-n3-k2\.json: no value of an atlas"):
        read_values(root)


@pytest.mark.parametrize("subject", ["lfu", "random"])
def test_subjects_without_a_finite_graph_are_refused(subject: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no graph of finitely many states"):
        check_subjects([subject])
    assert paging_run(["atlas", "-o", str(tmp_path / "atlas"), "--subject", subject]) == 2
    assert not (tmp_path / "atlas").exists()


ROOT = Path(__file__).parents[2]


def test_the_page_says_what_its_table_says() -> None:
    rows = read_table(ROOT / "docs" / "data" / "atlas.csv")
    page = (ROOT / "docs" / "atlas.md").read_text(encoding="utf-8")
    assert block(page, "findings") == findings(rows)
    # The size that was asked for: 150 instances for the policies, 60 for the game.
    for subject in ("lru", "llru", "llru-lazy", "llru-token", "fifo", "clock", "fwf"):
        assert sum(value_of(row, subject) is not None for row in rows) >= 150
    assert sum(value_of(row, "game") is not None for row in rows) >= 60
    # And 60 of two pages a visit for every policy made for such visits whose graphs stay small; the game's
    # are in docs/data/visits.csv.
    for visits in ("sequential", "atomic"):
        two = [row for row in rows if row["g"] == "2" and row["visits"] == visits]
        for subject in subjects_of(two):
            elsewhere = subject in ("game", "zrc-any-tie", "heat-lru") or (subject, visits) == (
                "zrc-atomic",
                "sequential",
            )
            if serves(subject, visits) and not elsewhere:
                assert sum(value_of(row, subject) is not None for row in two) >= 60, (subject, visits)


def test_the_pictures_show_what_the_table_says() -> None:
    shown = pictures(read_table(ROOT / "docs" / "data" / "atlas.csv"))
    folder = ROOT / "docs" / "images" / "atlas"
    assert {path.stem for path in folder.iterdir()} == set(shown)
    for name, (_, values) in shown.items():
        found = Image.open(folder / f"{name}.png").info["Content"]
        assert found == content_digest(drawn(values)), "python -m proofs.atlas.docs draws it anew"


def test_the_explorer_has_every_value_and_cycles_that_force_it() -> None:
    rows = read_table(ROOT / "docs" / "data" / "atlas.csv")
    cycles = read_cycles(ROOT / "docs" / "data" / "cycles.csv")
    found = document(rows, cycles)
    assert len(found["values"]) == sum(bool(row[subject]) for row in rows for subject in subjects_of(rows))
    for (subject, shape), cycle in list(cycles.items())[::40]:
        value = next(
            one
            for one in found["values"]
            if (one["subject"], one["layers"], one["pages"], one["k"]) == (subject, *shape[:3])
            and one["visit"] == visit_of(shape)
        )
        costs = []
        for turns in (9, 10):
            requests = [*cycle.prefix, *cycle.requests * turns]
            sequence = RequestSequence(shape.instance, requests)
            costs.append((simulate(subject, sequence).faults, farthest_in_future(sequence).faults))
        (online, offline), (more, offline_more) = costs
        assert (more - online, offline_more - offline) == (cycle.online, cycle.offline)
        bounded = value["value"] != "unbounded"
        assert not bounded or Fraction(value["value"]) == Fraction(cycle.online, cycle.offline)


@pytest.mark.slow
def test_the_smaller_entries_of_the_table_are_found_again() -> None:
    rows = read_table(ROOT / "docs" / "data" / "atlas.csv")
    most = {1: 6, 2: 4}  # pages in all, by pages a visit
    small = [row for row in rows if int(row["ℓ"]) * int(row["n"]) <= most[shape_of(row).per_visit]]
    assert sum(shape_of(row).per_visit == 1 for row in small) == len(shapes(6, range(1, 8)))
    asked = asked_of(rows)
    assert set(subjects_of(rows)) == set().union(*asked.values())
    for row in small:
        shape = shape_of(row)
        for subject in sorted(asked[shape.per_visit, shape.visits]):
            found = compute(ValueJob(subject, shape, 20_000))
            assert found is not None
            assert found.value.number == value_of(row, subject), (row, subject)


@pytest.mark.slow
def test_an_atlas_of_several_pages_a_visit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = ["--layers", "1", "--max-pages", "4", "-g", "2", "--subject", "game", "--workers", "1", "--json"]
    for visits, value in (("sequential", "3"), ("atomic", "2")):
        assert paging_run(["atlas", "-o", str(tmp_path / "pairs"), *shape, "--visits", visits]) == 0
        found = json.loads(capsys.readouterr().out)
        at = next(
            v for v in found["values"] if v["instance"]["cache"] == 3 and v["instance"]["visits"] == visits
        )
        assert (at["value"], at["instance"]["per_visit"]) == (value, 2)
        assert verify_file(str(tmp_path / "pairs" / at["certificate"])).status == VERIFIED
        held = next(one for one in found["evidence"] if one["id"] == "visits")
        assert held["agree"] >= 3
        assert held["disagree"] == []
    header, *rows = (tmp_path / "pairs" / "atlas.csv").read_text(encoding="utf-8").splitlines()
    assert header == "ℓ,n,k,g,visits,game"
    assert len(rows) == 6
    assert (tmp_path / "pairs" / "figures" / "heatmap-game-g2-atomic.svg").exists()
