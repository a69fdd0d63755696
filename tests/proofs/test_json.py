"""The JSON of all commands: one spelling of exact numbers, one form of instances."""

import shlex
from pathlib import Path

import pytest

from paging import Trace, write_trace
from paging.cli.main import _points
from paging.cli.main import run as paging_run
from tests.helpers.json_form import check_form

SHAPE = "-l 1 -n 3 -k 2"
LAYERED = "-l 2 -n 2,3 -k 3"
SOURCE = "--workload uniform:requests=30"
RUNS = (
    f"run lru mark opt {SOURCE} {LAYERED}",
    f"compare -p lru -p mark {SOURCE} -l 2 -n 2,3 -k 2,3",
    "trace info {trace} -l 2 -n 2,3",
    "policies",
    "workloads",
    "bounds",
    f"bounds {SHAPE}",
    "bounds not-competitive -l 1 -n 5 -k 4",
    "adversary list",
    "adversary cyclic",
    "adversary alternating",
    "adversary fixed-split",
    f"adversary search lifo {SHAPE}",
    "adversary search lru -l 2 -n 2,3 -k 3",
    f"exact lifo {SHAPE}",
    f"exact lru {LAYERED}",
    f"exact mark {SHAPE}",
    f"game {SHAPE}",
    f"game {LAYERED}",
    "game -l 2 -n 2 -k 3 --rule any",
    f"randomized-value {SHAPE}",
    f"opt {SOURCE} {LAYERED}",
    "atlas -o {folder}/atlas --max-pages 4 --layers 1:2 --subject lru --subject game --workers 1",
    f"plot curve lru {SOURCE} -l 2 -n 2,3 -k 2,3",
    "plot ratio lru --construction missing-page --rounds 20",
    "plot ratio mru --construction alternating --rounds 20",
    f"plot phases lru {SOURCE} {LAYERED}",
    "plot heatmap --table {table} --rows k --columns n --value ratio",
    "verify {certificate}",
    f"predict {SOURCE} {LAYERED} --kind discard --p0 0.5",
    f"fractional {SOURCE} {LAYERED} --weights layer:1,4",
    f"sized {SOURCE} -l 2 -n 2,3 --sizes layer:1,4 --capacity 9",
    "precisions lru --trace {gates} --precisions 0.6,0.9 -k 4 --low 1",
    "sweep {grid} -o {folder}/sweep --workers 1",
    "diagnose {trace} -l 2 -n 2 -k 2",
)
ELSEWHERE = {
    "reproduce": "tests/proofs/test_report.py",
    "play": "no JSON",
    "show": "no JSON",
    "lesson": "no JSON",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("json")
    (folder / "pages.txt").write_text("0\n2\n1\n3\n")
    gates = Trace.from_experts([[[0, 1]], [[2, 0]]] * 4, 4, gate_weights=[[[0.7, 0.3]], [[0.65, 0.35]]] * 4)
    write_trace(gates, folder / "gates.npz")
    (folder / "grid.toml").write_text(
        'policy = ["lru", "opt"]\nworkload = "zipf:requests=30"\nlayers = 1\npages = 4\ncache = [2, 3]\n'
    )
    (folder / "table.csv").write_text("k,n,ratio\n2,2,unbounded\n2,3,3/2\n")
    certificate = Path(__file__).parents[1] / "certificates" / "cycle" / "valid" / "lru-layered.json"
    return {
        "folder": folder,
        "trace": folder / "pages.txt",
        "gates": folder / "gates.npz",
        "grid": folder / "grid.toml",
        "table": folder / "table.csv",
        "certificate": certificate,
    }


def test_every_command_is_tried() -> None:
    assert {line.split()[0] for line in RUNS} | set(ELSEWHERE) == set(_points())


@pytest.mark.slow
@pytest.mark.parametrize("line", RUNS)
def test_numbers_and_instances_have_one_form(
    line: str, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code = paging_run([*shlex.split(line.format(**files)), "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    check_form(out)
