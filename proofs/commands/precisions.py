"""``paging precisions``: experts in two precisions, under policies and in the optimum."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from paging.cli.comparison import decimal
from paging.cli.options import Seconds, WholeIn, json_option, parse_precisions, read, reading_options
from paging.cli.terminal import progress, provenance, write_json, write_table
from paging.errors import ModelError
from paging.numbers import read_fraction

if TYPE_CHECKING:
    from paging.model import RequestSequence
    from paging.traces import TraceReading


def _cost(_context: click.Context, _parameter: click.Parameter, value: str) -> Fraction:
    """Read a positive decimal or fraction."""
    try:
        number = read_fraction(value) if len(value) <= 20 else Fraction(0)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if number <= 0:
        raise click.BadParameter(f"{value[:30]!r} is not a positive number such as 0.25 or 1/4")
    return number


@click.command("precisions")
@click.argument("policies", nargs=-1, metavar="[POLICIES]...")
@click.option("--trace", "file", required=True, type=click.Path(allow_dash=True), metavar="FILE",
              help="Trace with gate weights.")  # fmt: skip
@click.option("-k", "--cache", required=True, type=WholeIn(min=2), metavar="K", help="Slots in all.")
@click.option("--low", required=True, type=WholeIn(min=1), metavar="N",
              help="Slots of the K that hold low precision.")  # fmt: skip
@click.option("--low-cost", callback=_cost, default="1/4", show_default=True, metavar="C",
              help="What a miss in low precision costs; one in high precision costs 1.")  # fmt: skip
@click.option("--size", type=WholeIn(min=1), default=4, show_default=True, metavar="S",
              help="Size of an expert in high precision; one in low precision has size 1.")  # fmt: skip
@click.option("--time-limit", type=Seconds(min=0, min_open=True), metavar="SECONDS",
              help="Stop the solver of the shared budget.")  # fmt: skip
@reading_options()
@json_option()
def precisions(
    policies: tuple[str, ...],
    file: str,
    cache: int,
    low: int,
    low_cost: Fraction,
    size: int,
    time_limit: float | None,
    reading: TraceReading,
    as_json: bool,
) -> None:
    """Serve experts in two precisions: misses and cost of policies, and of the optimum.

    Each request of a trace asks for an expert in high or low precision, or is skipped, by the gate weights
    ranked above it (--precisions; 0.6,0.9 where it is not given). Each precision has a cache of its own. The
    last row is the optimum of one budget of (K − N)·S + N units that both share: an interval where it is not
    known exactly.

    \b
    Examples:
      paging precisions hobbit lru --trace routing.npz -k 96 --low 32
      paging precisions hobbit:weights=2/1/1/1 --trace routing.npz -k 96 --low 32 --precisions 0.5,0.95
    """
    from dataclasses import replace

    from lp.precisions import two_caches_optimum

    if low >= cache:
        raise ModelError(f"--low must be in 1 … k − 1 = {cache - 1}, got {low}")
    if reading.precisions is None:
        reading = replace(reading, precisions=parse_precisions("0.6,0.9"))
    with progress(f"reading {file}", show=not as_json):
        sequence = read(file, reading).sequence(cache)
    rows = []
    for spec in policies or ("hobbit", "lru"):
        with progress(f"serving {spec}", show=not as_json):
            rows.append(_row(spec, *_misses(spec, sequence, low), low_cost))
    with progress("solving two caches", show=not as_json):
        best = two_caches_optimum(sequence, low, low_cost)
    rows.append(_row("optimum, two caches", int(best.high.value), int(best.low.value), low_cost))
    for row in rows:
        row["to_optimum"] = float(row["cost"] / best.cost) if best.cost else None
    with progress("solving one budget", show=not as_json):
        budget = _budget(sequence, low, low_cost, size, time_limit)
    if as_json:
        sharing = f"high {cache - low}, low {low}"
        write_json(
            {
                "model": {**sequence.instance.model, "sharing": sharing},
                "cost": "weighted",
                "low_cost": low_cost,
                "requests": len(sequence),
                "rows": rows,
                "budget": budget,
                "provenance": provenance(trace=file, **reading.given()),
            }
        )
        return
    table = [
        [row["policy"], row["high"], row["low"], row["cost"], decimal(row["to_optimum"])] for row in rows
    ]
    told = budget["lower"] if budget["lower"] == budget["upper"] else f"{budget['lower']} … {budget['upper']}"
    table.append([f"optimum, one budget of {budget['units']} units", None, None, told, None])
    sure = {
        "dual": "counted from schedules and duals",
        "solver": "the solver's word for the budget's optimum",
    }
    write_table(
        f"two precisions · {len(sequence):,} requests, k = {cache - low} + {low} · forced · cold start",
        ["policy", "high misses", "low misses", "cost, weighted", "to two caches"],
        table,
        notes=[
            f"a miss in low precision costs {low_cost}; sizes {size} and 1; optima: {sure[budget['proof']]}"
        ],
    )


def _misses(spec: str, sequence: RequestSequence, low: int) -> tuple[int, int]:
    """Return the misses in both caches; a policy that knows nothing of precisions serves each alone."""
    import numpy as np

    from lp.precisions import by_precision, cheap_pages
    from paging.model import HIT
    from paging.policies.engines import Hobbit
    from paging.policy import get_policy
    from paging.simulate import simulate

    policy = get_policy(spec)
    if isinstance(policy, Hobbit) and policy.low not in (0, low):
        raise ModelError(f"{spec} has {policy.low} slots of low precision, --low says {low}")
    if not isinstance(policy, Hobbit):
        high, cheap = (simulate(policy, part).faults for part in by_precision(sequence, low))
        return high, cheap
    run = simulate(Hobbit(policy.weights, low), sequence, record=True)
    missed = cheap_pages(sequence)[sequence.requests[run.schedule.entries != HIT]]
    return int(np.count_nonzero(~missed)), int(np.count_nonzero(missed))


def _row(policy: str, high: int | Fraction, low: int | Fraction, low_cost: Fraction) -> dict[str, Any]:
    return {"policy": policy, "high": high, "low": low, "cost": high + low_cost * low}


def _budget(
    sequence: RequestSequence, low: int, low_cost: Fraction, size: int, time_limit: float | None
) -> dict[str, Any]:
    from lp.precisions import budget_optimum, cheap_pages

    units = (sequence.instance.cache - low) * size + low
    cheap = cheap_pages(sequence).tolist()
    found = budget_optimum(
        sequence.with_cache(units),
        [1 if page else size for page in cheap],
        [low_cost if page else 1 for page in cheap],
        time_limit=time_limit,
    )
    return {"units": units, "lower": found.lower, "upper": found.upper, "proof": found.proof}
