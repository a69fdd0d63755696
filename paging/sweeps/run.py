"""Doing the jobs of a grid: what has landed in the folder is not done again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paging.files import atomic_write, slug
from paging.jobs import Tally, carry_out, open_folder
from paging.parallel import Engine, Here
from paging.signals import UNWATCHED, Watch
from paging.sweeps.grid import Grid, read_grid
from paging.sweeps.job import Found, Job, serve
from paging.sweeps.table import Row, arrow, is_found, read_table, write_table

MARK = "layered-paging sweep"
"""What the README.txt says that makes a folder one for sweeps."""

ABOUT = "jobs/ holds what every job gave, by the digest of what it is; the tables are made from that."


@dataclass(frozen=True)
class Sweep:
    """What came of a grid.

    Attributes
    ----------
    table : Path
        The Parquet file, with a row for every job that is done.
    jobs, computed : int
        How many jobs the grid has, and how many were done now.
    rows : tuple of mapping
        The rows of the table, in the order of the grid.
    failed : tuple of (Job, str)
        The jobs without a result, and why; they are tried again when the sweep is.
    """

    table: Path
    jobs: int
    computed: int
    rows: tuple[Row, ...] = field(repr=False)
    failed: tuple[tuple[Job, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every job has its row."""
        return len(self.rows) == self.jobs


def sweep(
    grid: str | Path | Mapping[str, Any] | Grid,
    folder: str | Path,
    engine: Engine | None = None,
    watch: Watch = UNWATCHED,
) -> Sweep:
    """Do every job of a grid that has not been done in this folder, and write the table.

    May be stopped or killed at any time and called again, also from several processes at the same time: no
    job is done twice, and every file is complete or not there.

    Parameters
    ----------
    grid : path, mapping or Grid
        As :func:`read_grid` takes it. The table is called as the file, ``sweep.parquet`` for a mapping.
    folder : path
        An empty folder, or one of earlier sweeps, which may be of other grids.
    engine : Engine, optional
        ``Pool(2)`` of :mod:`paging.parallel` or ``Cluster(address)`` of :mod:`paging.cluster`, each used as a
        context; default this process. The results are the same to the byte.
    watch : Watch
        Told how many jobs are done; asked to stop, what is under way is given up and the table is written.

    Raises
    ------
    GridError, FolderError
        The grid has no meaning, or the folder holds something else.
    TableError
        There is no pyarrow, or a file with the name of the table that is none.
    ClusterError
        The scheduler went away and did not come back.

    Guarantee
    ---------
    Every number is that of :func:`paging.simulate` with the row's requests, policy and seed, or of
    :func:`paging.farthest_in_future`.

    Examples
    --------
    >>> import tempfile
    >>> shape = {"workload": "zipf:rounds=50", "layers": 2, "pages": 4}
    >>> grid = {**shape, "cache": [3, 4], "policy": ["lru", "opt"]}
    >>> found = sweep(grid, tempfile.mkdtemp())
    >>> found.computed, [(row["policy"], row["cache"], row["faults"]) for row in found.rows]
    (4, [('lru', 3, 61), ('opt', 3, 37), ('lru', 4, 36), ('opt', 4, 26)])
    """
    arrow()
    asked = grid if isinstance(grid, Grid) else read_grid(grid)
    root = open_folder(folder, MARK, ABOUT)
    table = root / f"{slug(asked.name)}.parquet"
    if table.exists():
        read_table(table)  # somebody else's file is not replaced
    results = _Results(root)
    tally: Tally[Job] = carry_out(asked.jobs, serve, results, engine or Here(), watch, len(asked.jobs))
    rows = [{**job.described, **results.of[job.address]} for job in asked.jobs if job.address in results.of]
    write_table(table, rows, {"grid": asked.name, "jobs": len(asked.jobs)})
    return Sweep(table, len(asked.jobs), tally.computed, tuple(rows), tuple(tally.failed))


class _Results:
    """What jobs gave: a file each, in 256 folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.of: dict[str, Found] = {}

    def address(self, job: Job) -> str:
        return job.address

    def known(self, job: Job) -> bool:
        if job.address in self.of:
            return True
        with suppress(OSError, ValueError):  # not there, or damaged: then it is computed anew
            content = json.loads(self._file(job).read_text(encoding="utf-8"))
            if is_found(content):
                self.of[job.address] = content
                return True
        return False

    def land(self, job: Job, result: Found) -> None:
        target = self._file(job)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as stream:
            stream.write(json.dumps(result) + "\n")
        self.of[job.address] = result

    def _file(self, job: Job) -> Path:
        return self.root / "jobs" / job.address[:2] / f"{job.address[2:]}.json"
