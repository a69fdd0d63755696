"""What a job of a sweep costs beside its own work: jobs a second by engine, and two workers beside one.

Run with ``python -m pytest tests/bench/test_bench_sweep.py --benchmark-only -s``. Tables are compared,
seconds are only shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from paging import cluster
from paging.cluster import Cluster
from paging.parallel import Engine, Here, Pool
from paging.sweeps import read_grid, sweep
from tests.helpers.cluster import ROOT, Processes, wait_for
from tests.helpers.paced import FOLDER, grid

NOTHING, WORK = 500, 60
"""Jobs that do nothing, and jobs that take 50 ms each."""


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[Cluster]:
    processes = Processes(folder)
    try:
        for _ in range(workers):
            processes.start_worker()
        with Cluster(processes.address) as found:
            wait_for(lambda: found.threads == workers)
            yield found
    finally:
        processes.end()


@pytest.mark.benchmark
def test_jobs_a_second(benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(cluster, "CONNECT_WITHIN", 60.0)
    engines: dict[str, Callable[[], AbstractContextManager[Engine]]] = {
        "this process": lambda: nullcontext(Here()),
        "1 process": lambda: Pool(1),
        "2 processes": lambda: Pool(2),
        "cluster, 1 worker": lambda: dask(tmp_path, 1),
        "cluster, 2 workers": lambda: dask(tmp_path, 2),
    }
    empty = read_grid(grid(f"1:{NOTHING}", tmp_path / "empty.toml"))
    paced = read_grid(grid(f"1:{WORK}", tmp_path / "paced.toml"))
    warm = read_grid(grid(f"{NOTHING + 1}:{NOTHING + 8}", tmp_path / "warm.toml"))
    lines, tables = [], set()

    def measure() -> None:
        for name, opened in engines.items():
            folder = tmp_path / name.replace(" ", "-")
            with opened() as engine:
                (tmp_path / "seconds").unlink(missing_ok=True)
                sweep(warm, folder, engine)  # workers are started
                begun, used = time.perf_counter(), time.process_time()
                found = sweep(empty, folder, engine)
                each = (time.perf_counter() - begun) / NOTHING
                used = (time.process_time() - used) / NOTHING
                tables.add(found.table.read_bytes())
                (tmp_path / "seconds").write_text("0.05")
                begun = time.perf_counter()
                assert sweep(paced, folder / "paced", engine).computed == WORK
                rate = WORK / (time.perf_counter() - begun)
            lines.append(
                f"{name:20}{1000 * each:7.2f} ms a job, of which {1000 * used:.2f} ms processor time here; "
                f"of 50 ms: {rate:.1f} jobs/s"
            )

    benchmark.pedantic(measure, rounds=1, iterations=1)
    print("\n" + "\n".join(lines))
    assert len(tables) == 1
