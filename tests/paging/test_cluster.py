"""Jobs on a real Dask cluster, whose processes are killed: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from paging import cluster as engine
from paging.cli.main import run as paging_run
from paging.cluster import Cluster, ClusterError
from paging.signals import Watch
from paging.sweeps import read_grid, sweep
from proofs.atlas.files import open_atlas
from proofs.atlas.shapes import shapes
from proofs.atlas.sweep import sweep as atlas
from tests.helpers.cluster import ROOT, Processes, wait_for
from tests.helpers.paced import FOLDER, grid

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]

COMMAND = [sys.executable, "-c", "from paging.cli.main import main; main()", "sweep"]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler and two workers, begun at once; the folder tells jobs how to behave."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(folder))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setattr(engine, "CONNECT_WITHIN", 120.0)
        started = Processes(folder)
        try:
            for _ in range(2):
                started.start_worker()
            yield started
        finally:
            started.end()


@pytest.fixture
def paced(processes: Processes) -> Iterator[Path]:
    """The folder that tells the policy what to do, with nothing told yet."""
    yield processes.folder
    for path in processes.folder.iterdir():
        if path.is_file():
            path.unlink()


@pytest.fixture
def connected(processes: Processes) -> Iterator[Cluster]:
    with Cluster(processes.address) as found:
        wait_for(lambda: found.threads == 2)
        yield found


def begun(folder: Path) -> Counter[int]:
    return Counter(map(int, (folder / "log").read_text().split()))


def half_written(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


def test_a_cluster_changes_no_byte(connected: Cluster, paced: Path, tmp_path: Path) -> None:
    asked = read_grid(grid("1:9", paced / "g.toml"))
    here, there = sweep(asked, tmp_path / "here"), sweep(asked, tmp_path / "there", connected)
    assert there.computed == 9
    assert there.table.read_bytes() == here.table.read_bytes()
    over = shapes(4, (1, 2))
    roots = [open_atlas(tmp_path / name) for name in ("one", "two")]
    for root, chosen in zip(roots, (None, connected), strict=True):
        assert not atlas(root, ("lru",), over, max_states=6, engine=chosen).failed
    files = [{path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")} for root in roots]
    assert files[0] == files[1]
    assert any(b'"value": null' in content for content in files[0].values())  # beyond the budget
    assert any(path.name.endswith(".json.gz") for path in files[0])


def test_a_job_whose_worker_is_killed_is_done_by_another(
    connected: Cluster, processes: Processes, paced: Path, tmp_path: Path
) -> None:
    (paced / "die-once-3").touch()
    (paced / "memory-5").touch()
    found = sweep(grid("1:6", paced / "g.toml"), tmp_path / "out", connected)
    assert [(job.instance.cache, reason) for job, reason in found.failed] == [(5, "out of memory")]
    assert [row["faults"] for row in found.rows] == [1, 2, 3, 4, 6]
    assert begun(paced)[3] == 2
    assert begun(paced)[5] in (
        1,
        2,
    )  # it may have waited at the worker that was killed, and is then alone at once
    (paced / "die-7").touch()
    processes.start_worker()
    wait_for(lambda: connected.threads == 2)
    found = sweep(grid("6:8", paced / "g.toml"), tmp_path / "out", connected)
    assert [(job.instance.cache, reason[:33]) for job, reason in found.failed] == [
        (7, "every worker that did it was kill")
    ]
    assert (found.computed, [row["faults"] for row in found.rows]) == (1, [6, 8])
    assert not half_written(tmp_path)
    for _ in range(2):
        processes.start_worker()


def test_a_scheduler_that_is_killed_and_started_again_is_waited_for(
    connected: Cluster, processes: Processes, paced: Path, tmp_path: Path
) -> None:
    (paced / "seconds").write_text("0.1")
    landed = tmp_path / "out" / "jobs"

    first = processes.scheduler

    def kill() -> bool:
        if first.poll() is None and len(list(landed.rglob("*.json"))) > 4:
            first.kill()
            first.wait()
            processes.scheduler = processes.start_scheduler()
            for _ in range(2):
                processes.start_worker()
        return False

    asked = read_grid(grid("1:20", paced / "g.toml"))
    found = sweep(asked, tmp_path / "out", connected, watch=Watch(stop=kill))
    assert (found.complete, found.computed) == (True, 20)
    assert sum(begun(paced).values()) <= 20 + 2 * engine.AHEAD  # only what was under way is begun again
    assert not half_written(tmp_path)


def test_killed_and_shared_every_job_is_done_once(processes: Processes, paced: Path, tmp_path: Path) -> None:
    (paced / "seconds").write_text("0.1")
    path = str(grid("1:20", paced / "g.toml"))
    command = [*COMMAND, path, "-o", str(tmp_path / "out"), "--scheduler", processes.address, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        wait_for(lambda: len(list((tmp_path / "out").rglob("*.json"))) > 3)
        first.kill()
    landed = len(list((tmp_path / "out" / "jobs").rglob("*.json")))
    assert 3 < landed < 20
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as two:  # type: ignore[call-overload]
        ends = [process.communicate() for process in (one, two)]
    answers = [json.loads(out) for out, _ in ends]
    assert [answer["rows"] for answer in answers] == [20, 20]
    assert sum(answer["computed"] for answer in answers) == 20 - landed
    assert all("dashboard http" in err for _, err in ends)
    assert not half_written(tmp_path)


def test_a_worker_with_other_code_is_refused(
    processes: Processes, paced: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = paced / "layered_paging-9.9.dist-info" / "METADATA"
    facts.parent.mkdir()
    facts.write_text("Metadata-Version: 2.1\nName: layered-paging\nVersion: 9.9\n")
    with Cluster(processes.address) as found:
        threads = found.threads
        stranger = processes.start_worker(env={"PYTHONPATH": str(paced)})
        wait_for(lambda: found.threads == threads + 1)
        outcomes = found.as_finished(abs, range(40), lambda: False)
        with pytest.raises(ClusterError, match=r"has layered-paging 9\.9\+"):  # it came after the first look
            list(outcomes)
    path = str(grid("1:4", paced / "g.toml"))
    arguments = ["sweep", path, "-o", str(tmp_path / "out"), "--scheduler", processes.address]
    assert paging_run(arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "has layered-paging 9.9+" in err
    assert not (tmp_path / "out").exists()
    stranger.kill()


def test_a_scheduler_that_nobody_hears_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "CONNECT_WITHIN", 0.2)
    path = str(grid("1:4", tmp_path / "g.toml"))
    for address in ("tcp://127.0.0.1:1", "nonsense", "ftp://x:1", "tcp://[", ""):
        assert paging_run(["sweep", path, "-o", str(tmp_path / "out"), "--scheduler", address]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1), address
        assert err.startswith("paging: error: "), address
    assert not (tmp_path / "out").exists()
