"""The command ``paging plot heatmap``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from paging.cli.options import caches_option, layers_option, parse_caches, seed_option
from paging.cli.terminal import progress
from paging.errors import ModelError
from proofs.commands.plot.picture import Origin, means_option, picture, show_option
from proofs.plots.document import Document


@click.command()
@click.argument("policies", nargs=-1, metavar="[POLICY]...")
@click.option(
    "--workload", "workloads", multiple=True, metavar="SPEC", help="Synthetic requests; may be repeated."
)
@layers_option(default=1)
@click.option(
    "-n",
    "--pages",
    type=parse_caches,
    metavar="N1,N2,…",
    help="Pages per layer n: one number, or a list with ranges as in -k.",
)
@caches_option()
@click.option(
    "--table", type=click.Path(dir_okay=False), metavar="FILE", help="Draw a .csv or .json table instead."
)
@click.option("--rows", metavar="COLUMN", help="Column of the table for the rows.  [default: k]")
@click.option("--columns", metavar="COLUMN", help="Column of the table for the columns.  [default: n]")
@click.option("--value", metavar="COLUMN", help="Column of the table for the values.  [default: ratio]")
@means_option
@show_option("What a cell holds", default="ratio")
@seed_option()
@picture
def heatmap(
    policies: Sequence[str],
    workloads: Sequence[str],
    layers: int,
    pages: Sequence[int] | None,
    caches: Sequence[int] | None,
    table: str | None,
    rows: str | None,
    columns: str | None,
    value: str | None,
    runs: int,
    show: str,
    seed: int,
    quiet: bool,
) -> tuple[Document, Origin]:
    """Draw a table of numbers as a heatmap: k × n of one policy, policies × workloads, or a file.

    With one policy and one workload the cells are cache sizes k against pages per layer n. With one k and one
    n they are policies against workloads. --table draws a file: a .csv with a header, or JSON records; values
    may be exact as 3/2, or unbounded.

    \b
    Examples:
      paging plot heatmap lru --workload zipf:requests=4000 -l 2 -n 2:8 -k 2:8 -o heatmap.svg
      paging plot heatmap lru llru --workload zipf:rounds=900 --workload sticky:rounds=900 -n 8 -k 3 -o h.png
      paging plot heatmap --table ratios.csv --rows k --columns n --value ratio -o heatmap.svg
    """
    if table is not None:
        if policies or workloads:
            raise ModelError("a heatmap shows either --table or policies on workloads, but both are given")
        from proofs.plots.table import heatmap_of_table

        names = {"rows": rows or "k", "columns": columns or "n", "value": value or "ratio"}
        return heatmap_of_table(table, **names), {"table": Path(table).name}
    if rows or columns or value:
        raise ModelError("--rows, --columns and --value name columns of a --table")
    if not (policies and workloads and pages and caches):
        raise ModelError("a heatmap needs a --table, or policies, --workload, --pages (-n) and --cache (-k)")
    from proofs.plots.grid import heatmap_of_runs

    with progress("serving", show=not quiet) as watch:
        document = heatmap_of_runs(
            policies, workloads, layers, pages, caches, show=show, runs=runs, seed=seed, watch=watch
        )
    return document, {"seed": seed, "policies": policies, "workloads": workloads}
