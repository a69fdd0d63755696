"""``paging compare``: policies over several cache sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paging.cli.comparison import (
    compared,
    decimal,
    notes_on,
    percent,
    sampled_option,
    write_result,
)
from paging.cli.exits import Exit, leave
from paging.cli.options import (
    REFERENCES,
    Source,
    caches_option,
    json_option,
    predictions_option,
    source_options,
    table_option,
)
from paging.cli.terminal import write_table
from paging.errors import UnsupportedModelError

if TYPE_CHECKING:
    from paging.compare import Comparison


@click.command()
@caches_option()
@source_options
@click.option(
    "-p",
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY",
    help="Policy to compare; may be given several times.  [default: all registered]",
)
@predictions_option()
@sampled_option
@click.option(
    "--show",
    type=click.Choice(["faults", "cost", "rate", "ratio", "saving"]),
    show_default="cost with --weights, else faults",
    help="What the table holds: faults, what they cost, faults per request, ratio to OPT, saving over LRU. "
    "JSON holds all.",
)
@json_option()
@table_option()
def compare(
    caches: tuple[int, ...] | None,
    source: Source,
    policies: tuple[str, ...],
    predictors: tuple[str, ...],
    runs: int,
    show: str | None,
    as_json: bool,
) -> None:
    """Compare policies over several cache sizes on one request sequence.

    Without -p all registered policies are compared and the table is sorted, best first. What does not serve
    the model's variant or a cache size is left out, with the reason below the table. Ctrl-C stops and shows
    what has been counted so far (exit code 130).

    \b
    Examples:
      paging compare --trace routing.npz -k 64,96,128
      paging compare --trace routing.npz -k 64:224:32 -p lru -p llru -p llru-lazy --show saving
      paging compare --workload zipf:alpha=1,rounds=5000 -l 16 -n 8 -k 32:96:16 --json
      paging compare --trace routing.npz -k 96 -p lru -p flush-when-kept --predictions gate:recall=0.9
    """
    result, _, origin = compared(source, caches, policies or None, True, runs, as_json, predictors)
    if not result.stopped:
        _refuse_unserved(result, policies)
    if as_json:
        write_result(result, origin)
    else:
        _write_table(result, bool(policies), show or ("cost" if result.weighted else "faults"), origin)
    if result.stopped:
        leave(Exit.INTERRUPTED)


def _write_table(result: Comparison, as_named: bool, show: str, origin: dict[str, object]) -> None:
    names = list(result.policies)
    if not as_named:
        names.sort(key=lambda name: _mean_cost(result, name))
    rows = [[name, *(_shown(result, name, cache, show) for cache in result.caches)] for name in names]
    header = ["policy", *(f"k = {cache}" for cache in result.caches)]
    paid = "weighted cost" if result.weighted else "faults"
    kinds = {
        "faults": "faults",
        "cost": paid,
        "rate": "faults per request",
        "ratio": f"{paid} / {paid} of OPT, observed",
        "saving": f"share of the {paid} of LRU that is saved",
    }
    title = f"{kinds[show]} · {result.title}"
    write_table(title, header, rows, notes=notes_on(result, origin))


def _refuse_unserved(result: Comparison, named: tuple[str, ...]) -> None:
    """Refuse a comparison in which a policy that was asked for has no row at all."""
    for skip in result.skipped:
        if named and skip.policy not in (*result.policies, *REFERENCES):
            raise UnsupportedModelError(skip.reason)


def _shown(result: Comparison, policy: str, cache: int, show: str) -> object:
    row = result.row(policy, cache)
    if row is None:
        return None
    if show == "saving":
        return percent(row.saving)
    if show == "faults":
        return row.faults if row.estimate is None else row.faults_text
    if show == "cost":
        return row.paid if row.estimate is None else row.cost_text
    return decimal(row.fault_rate if show == "rate" else row.vs_opt)


def _mean_cost(result: Comparison, policy: str) -> float:
    costs = [float(row.paid) for row in result.rows if row.policy == policy]
    return sum(costs) / len(costs)
