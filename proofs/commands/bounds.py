"""The command ``paging bounds``: the theorems as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import (
    bypassing_option,
    cache_option,
    json_option,
    layers_option,
    opt_cache_option,
    pages_option,
    per_visit_option,
    table_option,
    visits_option,
)
from paging.cli.terminal import write_json, write_table

VARIANT = (1, "sequential", False)
"""Pages a visit, visits and bypassing where nothing is said of them."""


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@layers_option(default=None)
@pages_option(default=None)
@cache_option(default=None)
@per_visit_option(default=1)
@visits_option()
@bypassing_option()
@click.option(
    "--counterexample",
    type=click.Path(),
    metavar="FILE",
    help="Serve a saved counterexample again; exit code 1 if it still violates the saved claim.",
)
@opt_cache_option()
@json_option()
@table_option()
def bounds(
    ids: tuple[str, ...],
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    cache: int | None,
    per_visit: int,
    visits: Literal["sequential", "atomic"],
    bypassing: bool,
    counterexample: str | None,
    opt_cache: int | None,
    as_json: bool,
) -> None:
    """List the known bounds, with their values at an instance if one is given.

    \b
    Examples:
      paging bounds
      paging bounds L2 L5 -l 3 -n 4 -k 8
      paging bounds marking-upper -n 4 -k 3 --bypassing
      paging bounds augmentation-upper -l 1 -n 12 -k 6 --opt-cache 3 --json
    """
    from adversary.formulas import Formula
    from paging.errors import ModelError
    from paging.model import LayeredInstance
    from proofs.bounds.bound import describe
    from proofs.bounds.registry import BOUNDS, get_bound

    variant = (per_visit, visits, bypassing)
    if counterexample is not None:
        if ids or (layers, pages, cache, opt_cache) != (None,) * 4 or variant != VARIANT:
            raise ModelError(
                "--counterexample repeats what its file says: no bounds and no instance beside it"
            )
        _replay(counterexample, as_json)
    chosen = [get_bound(name) for name in ids] or list(BOUNDS.values())
    instance = None
    if variant != VARIANT or any(value is not None for value in (layers, pages, cache)):
        if pages is None or cache is None:
            raise ModelError("values at an instance need --pages (-n) and --cache (-k)")
        instance = LayeredInstance(
            1 if layers is None else layers, pages, cache, per_visit, visits, bypassing
        )
    if opt_cache is not None and (instance is None or not 1 <= opt_cache <= instance.cache):
        raise ModelError(f"--opt-cache (h) must be in 1 … k of an instance (-n, -k), got {opt_cache}")
    rows = [describe(bound, instance, opt_cache) for bound in chosen]
    if as_json:
        write_json({"rows": rows})
        return
    header = ["id", "kind", "subject", "value", "conditions", "range", "status", "statement is"]
    if instance is not None:
        header.insert(4, "here")
    for row in rows:
        row["here"] = f"does not speak here: {row['silent_here']}" if row.get("silent_here") else None
        row["here"] = row["here"] or row.get("value_here")
        row["value"] = Formula(get_bound(str(row["id"])).form)
    keys = {"statement is": "origin"}
    write_table(
        "Bounds on the competitive ratio (upper: at most, lower: at least, tight: both)",
        header,
        [[row[keys.get(name, name)] for name in header] for row in rows],
        left=tuple(range(len(header))),
        notes=[line for row in rows for line in _explained(row)] if ids else (),
    )


def _explained(row: Mapping[str, object]) -> list[str]:
    """Say a bound in words: statement, whose it is, and where it is proved."""
    proof = [f"    proof: {row['proof']}"] if row["proof"] else []
    return [f"{row['id']}: {row['statement']}", f"    source: {row['reference']}", *proof]


def _replay(file: str, as_json: bool) -> None:
    """Serve a counterexample again, say what came of it, and exit."""
    from proofs.bounds.counterexample import replay_counterexample

    replay = replay_counterexample(file)
    word = "VIOLATED" if replay.violated else "NOT REPEATED"
    if as_json:
        write_json({"file": file, "verdict": word, "reason": replay.reason, "remark": replay.remark})
    else:
        click.echo(f"{word}: {replay.reason}\n  {replay.remark}")
    leave(Exit.REFUTED if replay.violated else Exit.DONE)
