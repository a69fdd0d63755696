"""``paging run``: policies on one request sequence."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from paging.cli.comparison import (
    compared,
    decimal,
    notes_on,
    percent,
    sampled_option,
    streamed,
    write_result,
)
from paging.cli.exits import Exit, leave
from paging.cli.options import (
    REFERENCES,
    Source,
    cache_option,
    json_option,
    predictions_option,
    source_options,
    table_option,
)
from paging.cli.streaming import streams
from paging.cli.terminal import progress, refuse_form, write_marked, write_table
from paging.errors import ModelError, UnsupportedModelError

if TYPE_CHECKING:
    from paging.compare import Comparison, Moment
    from paging.expectation import Estimate
    from paging.model import RequestSequence

TIMELINE = {r"(?<=[ \-xFH])F": "bold red", r"(?<=[ \-xFH])x": "yellow"}
"""Colours of a timeline beside its letters."""


@click.command()
@click.argument("policies", nargs=-1, required=True, metavar="POLICY...")
@cache_option()
@source_options
@predictions_option()
@sampled_option
@click.option("--opt/--no-opt", "optimum", default=True, show_default=True, help="Compute OPT, offline.")
@click.option(
    "--show",
    is_flag=True,
    help="Draw the cache over time, as many requests as the screen is wide; name opt to see OPT's, too.",
)
@click.option(
    "--opt-so-far",
    "so_far",
    is_flag=True,
    help="Show at twenty moments what OPT of the requests so far has paid, beside the policies.",
)
@click.option(
    "--stream",
    is_flag=True,
    help="Read the trace in chunks, in one pass and in memory that does not grow with it (.npz, .npy, "
    ".jsonl, .parquet, oracleGeneral); a trace that would not fit otherwise is read so anyway.",
)
@json_option()
@table_option()
def run(
    policies: tuple[str, ...],
    cache: int | None,
    source: Source,
    predictors: tuple[str, ...],
    runs: int,
    optimum: bool,
    show: bool,
    so_far: bool,
    stream: bool,
    as_json: bool,
) -> None:
    """Serve one request sequence with policies, beside OPT and the compulsory faults.

    POLICY is a name ('paging policies' lists them), a name with parameters as in
    partitioned:policy=fifo, or a class of your own as mypackage:MyPolicy. The offline optimum may be named,
    too: opt, belady, min or optimal.

    \b
    Examples:
      paging run lru llru --workload zipf:alpha=1.2,requests=100000 -l 32 -n 8 -k 96
      paging run lru mark partitioned:policy=fifo --trace routing.npz -k 128 --runs 30
      paging run lru opt --trace pages.txt -l 2 -n 3,5 -k 4 --json
      paging run lru opt --workload zipf:requests=60 -l 2 -n 4 -k 4 --show
      paging run lru llru --construction cyclic -l 3
      paging run lru --sequence requests.json
      paging run zrc lru --workload zipf:requests=100000 -l 4 -n 8 -k 12 --opt-so-far
      paging run flush-when-kept --workload zipf:requests=10000 -l 4 -n 8 -k 16 --predictions discard:p0=0.1
      paging run lru llru zrc --trace routing.npz -k 128 --stream
    """
    from paging.compare import moments_of
    from paging.policy import plain_name

    stream = streams(source, stream)
    if so_far and not optimum:
        raise ModelError("--opt-so-far shows OPT, --no-opt leaves it out")
    if show and as_json:
        raise ModelError("--show draws in the terminal; with --json there is nothing to draw")
    if show and predictors:
        raise ModelError("--show draws what policies do without predictions")
    if show:
        refuse_form("what --show draws")
    if so_far and not as_json:
        refuse_form("the second table of --opt-so-far")
    if (so_far or stream) and (predictors or source.weights is not None):
        name = "--predictions" if predictors else "--weights"
        raise ModelError(
            f"--opt-so-far and --stream count faults at unit cost, without predictions: no {name}"
        )
    if so_far and source.warm_up:
        raise ModelError("--opt-so-far counts from the first request: leave out --warm-up")
    if stream:
        if show or so_far:
            raise ModelError("--show and --opt-so-far need the run, of which --stream keeps nothing")
        streamed(source, cache, policies, optimum, runs, as_json, _write_table)
        return
    caches = None if cache is None else (cache,)
    result, sequence, origin = compared(source, caches, policies, optimum, runs, as_json, predictors)
    refused = [skip for skip in result.skipped if skip.policy not in REFERENCES]
    if refused and not result.stopped:
        raise UnsupportedModelError(refused[0].reason)
    moments = []
    if so_far and not result.stopped:
        chosen = [name for name in map(plain_name, policies) if name not in REFERENCES]
        with progress("serving once more", show=not as_json):
            moments = moments_of(sequence, chosen, seed=source.seed)
    if as_json:
        write_result(result, origin, **({"so_far": [m._asdict() for m in moments]} if so_far else {}))
    else:
        if show and not result.stopped:
            _draw_timelines(policies, sequence, source.seed)
        _write_table(result, origin)
        if moments:
            _write_moments(moments)
    if result.stopped:
        leave(Exit.INTERRUPTED)


def _write_table(result: Comparison, origin: dict[str, object]) -> None:
    header = ["policy", "faults", "±", "cost, weighted", "±", "fault rate", "ratio to opt", "saving over lru"]
    rows = [
        [
            row.policy,
            *_with_half_width(row.faults, row.estimate),
            *_with_half_width(row.cost, row.cost_estimate),
            decimal(row.fault_rate),
            decimal(row.vs_opt),
            percent(row.saving),
        ]
        for row in result.rows
    ]
    sampled = any(row.estimate is not None for row in result.rows)
    absent = {2: not sampled, 3: not result.weighted, 4: not (sampled and result.weighted)}
    kept = [place for place in range(len(header)) if not absent.get(place)]
    header, rows = [header[place] for place in kept], [[line[place] for place in kept] for line in rows]
    write_table(result.title, header, rows, notes=notes_on(result, origin))


def _write_moments(moments: list[Moment]) -> None:
    names = list(moments[0].faults)
    rows = [
        [
            moment.requests,
            moment.optimum,
            *moment.faults.values(),
            *(found / moment.optimum for found in moment.faults.values()),
        ]
        for moment in moments
    ]
    header = ["requests so far", "opt so far", *names, *(f"{name} / opt" for name in names)]
    write_table("\nFaults so far", header, rows, left=())


def _with_half_width(number: object, estimate: Estimate | None) -> tuple[object, str | None]:
    """Return a counted number, or the mean of a sampled one and half the width of its interval."""
    return (number, None) if estimate is None else (f"{number:,.1f}", f"{estimate.half_width:,.1f}")


def _draw_timelines(policies: tuple[str, ...], sequence: RequestSequence, seed: int) -> None:
    """Draw the cache of every policy over time; ``compulsory`` names no cache."""
    from paging.policy import plain_name
    from paging.viewer.timeline import cache_timeline

    width = shutil.get_terminal_size().columns
    named = [policy for policy in policies if plain_name(policy) != "compulsory"]
    if sequence.instance.weights is not None and "opt" in map(plain_name, named):
        raise UnsupportedModelError("--show draws OPT at unit cost only; leave opt out")
    for policy in named:
        write_marked(cache_timeline(policy, sequence, width=width, seed=seed) + "\n\n", TIMELINE)
