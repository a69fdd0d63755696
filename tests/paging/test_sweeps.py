"""Sweeps: what a grid means, what is computed, and that nothing is lost, done twice or half-written."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lp import optimum
from paging import LayeredInstance, farthest_in_future, generate, read_weights, simulate
from paging.cli.main import run as paging_run
from paging.jobs import FolderError
from paging.parallel import Pool
from paging.signals import Watch
from paging.sweeps import GridError, TableError, read_grid, read_table, sweep
from paging.traces import Trace, write_trace
from tests.helpers.cluster import wait_for
from tests.helpers.paced import FOLDER, grid

ROOT = Path(__file__).resolve().parents[2]
Capture = pytest.CaptureFixture[str]

SMALL: dict[str, Any] = {
    "workload": ["zipf:rounds=20", "uniform:rounds=20"],
    "layers": 2,
    "pages": [4, "3/5"],
    "cache": "2:6:2",
    "policy": ["lru", "mark", "belady"],
    "seed": [0, 1],
}

COMMAND = [sys.executable, "-c", "from paging.cli.main import main; main()", "sweep"]


@pytest.fixture
def paced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that tells the policy what to do."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def begun(folder: Path) -> Counter[int]:
    """Return how often every job was begun."""
    log = folder / "log"
    return Counter(map(int, log.read_text().split())) if log.exists() else Counter()


def half_written(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


# ---------------------------------------------------------------- what is computed


def test_every_row_is_what_the_engine_counts(tmp_path: Path) -> None:
    found = sweep(SMALL, tmp_path / "out")
    assert found.complete
    assert len(found.rows) == found.jobs == found.computed == 2 * 2 * 3 * 3 * 2
    assert read_table(found.table) == list(found.rows)
    for row in found.rows:
        pages = tuple(map(int, row["pages"].split("/")))
        instance = LayeredInstance(row["layers"], pages * (2 if len(pages) == 1 else 1), row["cache"])
        sequence = generate(row["workload"], instance, seed=row["seed"])
        run = (
            farthest_in_future(sequence)
            if row["policy"] == "opt"
            else simulate(row["policy"], sequence, seed=row["seed"])
        )
        assert (row["faults"], row["requests"]) == (run.faults, len(sequence))
        assert row["digest"] == Trace.from_sequence(sequence).digest
        assert row["measure"] == ("sampled" if row["policy"] == "mark" else "counted")


def test_a_trace_needs_no_seed_but_for_randomised_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trace = Trace.from_experts(np.random.default_rng(0).integers(0, 6, (40, 3, 1)), pages=6)
    write_trace(trace, "t.npz")
    given = {"trace": "t.npz", "cache": 5, "policy": ["lru", "random"], "seed": "0:2", "tokens": "10:"}
    found = sweep({**given, "warm_up": 5}, "out")
    assert [(row["policy"], row["seed"]) for row in found.rows] == [
        ("lru", None),
        ("random", 0),
        ("random", 1),
        ("random", 2),
    ]
    for row in found.rows:
        assert (row["trace"], row["requests"], row["warm_up"]) == ("t.npz", 25 * 3, 5)
        assert row["reading"] == '{"tokens": "10:"}'
    job = read_grid(given).jobs[0]
    write_trace(trace.of_tokens(np.arange(40) < 20), "t.npz")
    with pytest.raises(ValueError, match="not the one that it was when the sweep began"):
        job.requests.read()


def test_weights_of_a_grid_are_what_faults_cost(tmp_path: Path) -> None:
    grid = {**SMALL, "pages": "3/5", "cache": 4, "seed": 0, "policy": ["lru", "landlord", "opt"]}
    grid |= {"weights": ["layer:1/2,4", "page:1,2,3,4,5,6,7,8"]}
    found = sweep(grid, tmp_path / "out")
    assert len(found.rows) == 2 * 2 * 3
    for row in found.rows:
        weights = read_weights(row["weights"], (3, 5))
        sequence = generate(row["workload"], LayeredInstance(2, (3, 5), 4, weights=weights), seed=0)
        opt = row["policy"] == "opt"
        cost = optimum(sequence).value if opt else simulate(row["policy"], sequence).cost
        assert row["weighted_cost"] == str(cost)
    plain = read_grid({key: value for key, value in grid.items() if key != "weights"})
    assert {job.address for job in plain.jobs}.isdisjoint(row["job"] for row in found.rows)


def test_bytes_of_a_trace_weigh_its_pages_in_a_grid(tmp_path: Path) -> None:
    trace = Trace([0, 2, 1, 2], 2, (2, 1), metadata={"expert_bytes": [10, 30]})
    write_trace(trace, tmp_path / "t.npz")
    grid = {"trace": str(tmp_path / "t.npz"), "cache": 1, "policy": ["lru", "opt"], "weights": "bytes"}
    assert [row["weighted_cost"] for row in sweep(grid, tmp_path / "out").rows] == ["80", "80"]


def test_what_a_policy_does_not_serve_is_a_row_that_says_why(tmp_path: Path) -> None:
    shape = {"workload": "uniform:rounds=5", "layers": 2, "pages": 4, "per_visit": 2, "cache": 4}
    grid = {**shape, "visits": "atomic", "warm_up": 1, "policy": ["lru", "opt", "2q"]}
    found = sweep(grid, tmp_path / "out")
    problems = {row["policy"]: row["problem"] for row in found.rows}
    assert "OPT after a warm-up needs sequential visits" in problems["opt"]
    assert problems["lru"] is None
    assert [row["faults"] is None for row in found.rows] == [row["problem"] is not None for row in found.rows]


def test_several_grids_share_what_stands_outside(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(
        'policy = "lru"\ncache = [2, 3]\nworkload = "uniform:rounds=5"\n'
        "[[grid]]\nlayers = 1\npages = 4\n[[grid]]\nlayers = 2\npages = [2, 3]\ncache = 2\n"
    )
    jobs = read_grid(path).jobs
    shapes = [(job.instance.layers, job.instance.pages, job.instance.cache) for job in jobs]
    assert shapes == [(1, 4, 2), (1, 4, 3), (2, 2, 2), (2, 3, 2)]


def test_only_what_is_missing_is_done(tmp_path: Path) -> None:
    shape = {"workload": "uniform:rounds=5", "layers": 1, "pages": 4, "policy": "lru"}
    assert sweep({**shape, "cache": [2, 3]}, tmp_path / "out").computed == 2
    wider = sweep({**shape, "cache": [1, 2, 3]}, tmp_path / "out")
    assert (wider.computed, [row["cache"] for row in wider.rows]) == (1, [1, 2, 3])
    before = wider.table.read_bytes()
    damaged = next((tmp_path / "out" / "jobs").rglob("*.json"))
    damaged.write_text('{"faults": "many"}')
    again = sweep({**shape, "cache": [1, 2, 3]}, tmp_path / "out")
    assert (again.computed, again.table.read_bytes()) == (1, before)


@pytest.mark.slow
def test_a_policy_that_was_edited_is_another_one(tmp_path: Path) -> None:
    text = "from tests.helpers.paced import Paced\nclass Mine(Paced):\n    pass\n"
    shape = {"workload": "uniform:rounds=5", "layers": 1, "pages": 4, "cache": 2, "policy": "mine:Mine"}
    show = f"from paging.sweeps import read_grid; print(read_grid({shape!r}).jobs[0].address)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", show]
    addresses = []
    for comment in ("", "", "# edited"):
        (tmp_path / "mine.py").write_text(text + comment)
        addresses.append(subprocess.check_output(command, env=environment))
    assert addresses[0] == addresses[1] != addresses[2]


def test_stopped_it_writes_what_is_done(tmp_path: Path) -> None:
    asked = iter([False] * 3 + [True] * 1000)
    found = sweep(SMALL, tmp_path / "out", watch=Watch(stop=lambda: next(asked)))
    assert not found.complete
    assert len(read_table(found.table)) == len(found.rows) == found.computed > 0
    assert sweep(SMALL, tmp_path / "out").computed == found.jobs - found.computed


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"polices": "lru"}, "unknown key 'polices': did you mean policy or pages?"),
        ({"cache": []}, "cache is an empty list, so that there is no job"),
        ({"cache": "9:3"}, "the range '9:3' is empty"),
        ({"cache": [[2, 3]]}, "a list in a list"),
        ({"cache": 2.5}, "cache must be an integer ≥ 1, got 2.5"),
        ({"cache": 0}, "cache must be an integer ≥ 1, got 0"),
        ({"cache": True}, "cache must be an integer ≥ 1, got True"),
        ({"seed": -1}, "seed must be an integer ≥ 0"),
        ({"cache": "1:1000", "seed": "0:1999"}, "4,000,000 combinations, but at most 1,000,000"),
        ({"policy": "lruu"}, "unknown policy 'lruu': did you mean"),
        ({"policy": 3}, "policy must be text, got 3"),
        ({"workload": "zipf"}, "a workload needs its length"),
        ({"workload": "zipf:alpha=-1,rounds=3"}, "alpha must be a number in"),
        ({"trace": "t.npz"}, "needs either workload or trace"),
        ({"tokens": "1:2"}, "tokens says how a trace is read"),
        ({"pages": "3/x"}, "'3/x' is neither a whole number nor one for each layer"),
        ({"pages": "3/4/5"}, "pages lists 3 layers, but layers (ℓ) is 2"),
        ({"per_visit": 9}, "per_visit (g) must be ≤ the pages of every layer"),
        ({"visits": "atomic", "per_visit": 2, "cache": 1}, "atomic visits need cache (k) ≥ per_visit (g)"),
        ({"weights": "layer:1"}, "1 weights are given for 2 layers"),
        ({"weights": "layer:1,0"}, "weight of page 4: 0 is not positive"),
        ({"weights": "layer:1,nan"}, "'nan' is not a number"),
        ({"weights": "bytes"}, "weights bytes takes the bytes of pages from a trace"),
        ({"weights": 3}, "weights must be text, got 3"),
        ({"bypassing": "yes"}, "bypassing must be true or false"),
        ({"grid": []}, "grid must be one or more tables"),
        ({"grid": [{"cache": 1}, {"cach": 1}]}, "[[grid]] 2: unknown key 'cach'"),
    ],
)
def test_a_grid_without_meaning_is_refused(change: dict[str, Any], complaint: str) -> None:
    given = {
        "workload": "uniform:rounds=2",
        "layers": 2,
        "pages": 4,
        "cache": [2, 3],
        "policy": ["lru", "opt"],
    }
    assert read_grid(given).jobs
    with pytest.raises(GridError) as error:
        read_grid({**given, **change})
    assert complaint in str(error.value)
    assert str(error.value).startswith("the grid: ") or "[[grid]]" in str(error.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"cache = [2,", "no TOML"),
        (b"\xff\xfe", "no text in UTF-8"),
        (b'policy = "lru"', "needs either workload or trace"),
        (b"workload = 'uniform:rounds=2'\nlayers=1\npages=2\npolicy='lru'", "the key cache is missing"),
        (b"trace = 'no.npz'\ncache = 2\npolicy = 'lru'", "no.npz"),
        (b"trace = 'no.npz'\ncache = 2\npolicy = 'lru'\ntokens = 1979-05-27", "text, numbers and lists"),
    ],
)
def test_a_bad_file_is_one_line(text: bytes, complaint: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "grid.toml"
    path.write_bytes(text)
    assert paging_run(["sweep", str(path), "-o", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"paging: error: {path}")
    assert complaint in err
    assert not (tmp_path / "out").exists()


def test_foreign_folders_and_tables_are_left_alone(tmp_path: Path, capsys: Capture) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    shape = {"workload": "uniform:rounds=5", "layers": 1, "pages": 4, "policy": "lru", "cache": 2}
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(FolderError, match="neither a layered-paging sweep nor an empty folder"):
        sweep(shape, tmp_path)
    table = sweep(shape, tmp_path / "out").table
    for content, complaint in (
        (pa.table({"faults": [1]}), "the column job is missing"),
        (pq.read_table(table).append_column("mine", pa.array([1])), "there is a column mine"),
        (
            pq.read_table(table).cast(pq.read_schema(table).set(9, pa.field("cache", pa.int64()))),
            "cache is int64",
        ),
    ):
        pq.write_table(content, table)
        before = table.read_bytes()
        with pytest.raises(TableError, match=complaint):
            sweep(shape, tmp_path / "out")
        assert table.read_bytes() == before
    table.write_text("mine")
    with pytest.raises(TableError, match="not the table of a sweep"):
        sweep(shape, tmp_path / "out")


def test_two_engines_are_refused(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["sweep", "g.toml", "-o", str(tmp_path), "--workers", "1", "--scheduler", "tcp://localhost:1"]
    assert paging_run(arguments) == 2
    assert "--workers and --scheduler" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_needs_no_cluster(tmp_path: Path) -> None:
    code = (
        f"import sys; from paging.sweeps import sweep; sweep({SMALL!r}, {str(tmp_path / 'out')!r})\n"
        "print(sorted({'dask', 'distributed', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ---------------------------------------------------------------- processes of this machine


@pytest.mark.slow
def test_workers_change_no_byte_and_one_that_dies_takes_nothing_with_it(paced: Path) -> None:
    asked = read_grid(grid("1:12", paced / "g.toml"))
    here = sweep(asked, paced / "here")
    (paced / "die-once-3").touch()
    (paced / "memory-7").touch()
    (paced / "log").unlink()
    with Pool(2) as pool:
        found = sweep(asked, paced / "two", pool)
        assert [(job.instance.cache, reason) for job, reason in found.failed] == [(7, "out of memory")]
        assert begun(paced)[7] == 2  # once beside others, once alone
        assert begun(paced)[3] == 2
        (paced / "memory-7").unlink()
        again = sweep(asked, paced / "two", pool)
    assert (again.computed, again.complete) == (1, True)
    assert again.table.read_bytes() == here.table.read_bytes()
    assert not half_written(paced)


@pytest.mark.slow
def test_a_job_that_always_kills_its_worker_is_told_and_the_others_are_done(
    paced: Path, capsys: Capture
) -> None:
    (paced / "die-2").touch()
    arguments = [
        "sweep",
        str(grid("1:4", paced / "g.toml")),
        "-o",
        str(paced / "out"),
        "--workers",
        "1",
        "--json",
    ]
    assert paging_run(arguments) == 2
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert (answer["rows"], answer["computed"], len(answer["failed"])) == (3, 3, 1)
    assert err.count("\n") == 1
    assert "Paced, k = 2: a worker process was killed, perhaps for lack of memory" in err


@pytest.mark.slow
def test_killed_and_shared_it_does_every_job_once(paced: Path) -> None:
    (paced / "seconds").write_text("0.1")
    command = [
        *COMMAND,
        str(grid("1:30", paced / "g.toml")),
        "-o",
        str(paced / "out"),
        "--workers",
        "1",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as first:
        wait_for(lambda: len(begun(paced)) > 3)
        os.killpg(first.pid, signal.SIGKILL)
    landed = len(list((paced / "out" / "jobs").rglob("*.json")))
    assert 0 < landed < 30
    cut_off = begun(paced)
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE) as two,
    ):
        answers = [json.loads(process.communicate()[0]) for process in (one, two)]
    assert [answer["rows"] for answer in answers] == [30, 30]
    assert sum(answer["computed"] for answer in answers) == 30 - landed
    again = begun(paced) - cut_off
    assert sum(again.values()) == 30 - landed  # what was under way when it was killed, and what had not begun
    assert not half_written(paced)


def test_the_terminal_shows_the_columns_that_differ(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "g.toml").write_text(
        'workload = "zipf:rounds=3"\nlayers = 2\npages = 4\ncache = 4\npolicy = "lru"\nper_visit = [1, 2]\n'
    )
    assert paging_run(["sweep", str(tmp_path / "g.toml"), "-o", str(tmp_path / "out")]) == 0
    header = capsys.readouterr().out.splitlines()[2].split()
    assert header[:4] == ["policy", "workload", "layers", "pages"]
    assert {"per_visit", "requests"} < set(header)
    assert "visits" not in header


@pytest.mark.slow
def test_ctrl_c_leaves_the_table_of_what_is_done(paced: Path) -> None:
    (paced / "seconds").write_text("0.3")
    command = [*COMMAND, str(grid("1:30", paced / "g.toml")), "-o", str(paced / "out"), "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        wait_for(lambda: len(list(paced.rglob("*.json"))) > 1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    assert child.returncode == 130, err
    assert "Traceback" not in err
    assert "leaked" not in err
    table = read_table(paced / "out" / "g.parquet")
    assert 1 < len(table) < 30
    assert f"{len(table)} of 30 jobs done" in out


@pytest.mark.slow
@pytest.mark.parametrize(("largest", "landed"), [(100, 0), (1000, 4)])
def test_a_full_disk_is_one_line_and_nothing_half_written(largest: int, landed: int, paced: Path) -> None:
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    (paced / "out").mkdir()
    (paced / "out" / "README.txt").write_text("layered-paging sweep\n")
    command = [
        *COMMAND,
        str(grid("1:4", paced / "g.toml")),
        "-o",
        str(paced / "out"),
        "--workers",
        "1",
        "--json",
    ]
    full = subprocess.run(command, capture_output=True, text=True, preexec_fn=fill)
    assert full.returncode == 2
    assert full.stderr.startswith("paging: error: ")
    assert full.stderr.count("\n") == 1
    assert "File too large" in full.stderr
    assert not half_written(paced)
    assert len(list((paced / "out").rglob("*.json"))) == landed
    assert list((paced / "out").glob("*.parquet")) == []
    found = sweep(paced / "g.toml", paced / "out")
    assert (found.complete, found.computed) == (True, 4 - landed)
