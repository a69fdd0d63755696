"""``paging sweep``: every combination of a grid, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paging.cli.engines import EngineChoice, engine_options, tell_failures
from paging.cli.exits import Exit, leave
from paging.cli.options import json_option
from paging.cli.terminal import progress, remark, status, write_json, write_table
from paging.signals import stoppable

if TYPE_CHECKING:
    from paging.sweeps import Sweep

SHOWN = 24
"""Rows that are shown; the file holds all."""

SHOWN_ANYWAY = (
    "policy",
    "workload",
    "trace",
    "layers",
    "pages",
    "cache",
    "weights",
    "seed",
    "faults",
    "weighted_cost",
)
SHOWN_IF_DIFFERENT = (
    *("reading", "per_visit", "visits", "service", "warm_up"),
    *("requests", "measure", "problem"),
)
"""Columns of the table that the terminal shows."""


@click.command()
@click.argument("grid", type=click.Path(), metavar="GRID.toml")
@click.option(
    "-o", "--output", "folder", type=click.Path(), required=True, metavar="DIR", help="Folder of the results."
)
@engine_options
@json_option()
def sweep(grid: str, folder: str, engine: EngineChoice, as_json: bool) -> None:
    """Serve every combination of a grid: requests, instances, cache sizes, policies, seeds.

    GRID.toml holds the options of 'paging run', each a value or a list of values:

    \b
      workload = ["zipf:alpha=1.2,rounds=2000", "uniform:rounds=2000"]
      layers = 16
      pages = 8
      cache = "32:96:16"
      policy = ["lru", "llru", "mark", "opt"]
      seed = [0, 1, 2]

    Every combination is a job and a row of DIR/GRID.parquet, which pandas and DuckDB read. The jobs are done
    by processes of this machine, or by a running Dask cluster (--scheduler), with the same bytes as result.

    May be stopped or killed at any time, and run by several processes at the same time: called again with the
    same DIR it does what is missing and nothing twice. Ctrl-C stops with the table of what is done (exit code
    130); a job that gives no result is told, and the others are done (exit code 2).

    \b
    Examples:
      paging sweep grid.toml -o results
      paging sweep grid.toml -o results --workers 8
      paging sweep grid.toml -o results --scheduler tcp://10.0.0.1:8786
    """
    from paging.sweeps import read_grid
    from paging.sweeps import sweep as do

    with stoppable() as stopped:
        with progress("reading the grid", show=not as_json, stop=stopped) as watch:
            asked = read_grid(grid, watch)
        with engine.opened() as opened, status("sweep", show=not as_json, stop=stopped) as watch:
            found = do(asked, folder, opened, watch)
    others = {row["code"] for row in found.rows}
    if len(others) > 1:
        remark(f"the rows were computed by different code: {', '.join(sorted(others))} (column code)")
    failed = [(f"{job.policy}, k = {job.instance.cache}", reason) for job, reason in found.failed]
    if as_json:
        write_json(
            {
                "table": found.table,
                "jobs": found.jobs,
                "rows": len(found.rows),
                "computed": found.computed,
                "failed": [{"job": job.described, "reason": reason} for job, reason in found.failed],
            }
        )
    else:
        _show(found)
    tell_failures(failed)
    if not found.complete:
        leave(Exit.INTERRUPTED if stopped() else Exit.FAILED)


def _show(found: Sweep) -> None:
    from paging.sweeps.table import COLUMNS

    def differ(name: str) -> bool:
        return len({row[name] for row in found.rows}) > 1

    wanted = {*SHOWN_ANYWAY, *filter(differ, SHOWN_IF_DIFFERENT)}
    shown = [name for name in COLUMNS if name in wanted and any(row[name] is not None for row in found.rows)]
    write_table(
        f"{len(found.rows):,} of {found.jobs:,} jobs done",
        shown,
        [[row[name] for name in shown] for row in found.rows[:SHOWN]],
        left=[place for place, name in enumerate(shown) if COLUMNS[name] == "string" and name != "pages"],
        notes=[
            *([f"… and {len(found.rows) - SHOWN:,} more"] if len(found.rows) > SHOWN else []),
            f"{found.computed:,} jobs were done now. All rows with their origin: {found.table}",
        ],
    )
