"""The command ``paging reproduce``: everything measured and judged, as one report."""

from __future__ import annotations

import shlex
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import json_option, reading_options, seed_option, table_option, told, weights_option
from paging.cli.terminal import progress, remark, write_json, write_table
from paging.model import title_of
from paging.numbers import decimal
from paging.signals import StoppedError, Watch, stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paging.traces import TraceReading
    from proofs.report.studies import StudySource

COLUMNS = {
    "bound": "",
    "ratio is": "",
    "value": "",
    "shown by": "the run of a policy that comes closest; the report has every policy and every run",
    "k": "",
    "value there": "the bound's value at that run's ℓ, n, k",
    "limit": "what the construction forces in the long run; a lower bound is reached if its value is no more",
    "observed": "cost of that finite run (faults, unless weighted) / that of OPT or the schedule",
    "exact": "the policy's competitive ratio there, from all states it and OPT can be in; – if not searched",
    "verdict": "",
    "statement is": "",
}
"""The columns of the table of bounds, and what is said of them below it."""

LONGEST = 12
"""Characters of an exact number that a column holds."""
BOUND_TABLE = "the run that shows it best, for every policy (forced, sequential, cold)"

VERDICT_HEADER = [
    "policy", "on", "instance", "offline is", "online cost", "offline cost",
    "observed", "exact", "value there", "verdict",
]  # fmt: skip


@click.command()
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(),
    metavar="DIR",
    help="Folder of the report.",
)
@click.option(
    "--claim",
    metavar="ID",
    help="Repeat one row of the report instead: a bound or a published number.",
)
@click.option(
    "--trace",
    "traces",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="Routing trace to compare policies on; may be given several times.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Shorter inputs for bounds and constructions, no exact ratios, pictures as SVG alone.",
)
@weights_option(trace=True)
@reading_options()
@seed_option()
@json_option()
@table_option()
def reproduce(
    directory: str | None,
    claim: str | None,
    traces: tuple[str, ...],
    quick: bool,
    weights: str | None,
    reading: TraceReading,
    seed: int,
    as_json: bool,
) -> None:
    """Judge all bounds, run all constructions, compare policies with OPT, and write a report.

    DIR gets report.html, which needs no other file, and the same as report.json, data/*.csv and figures as
    SVG and PNG. It appears when it is complete; an earlier report in its place is replaced, anything else
    is refused. Exit code 1 says that the report is there but a bound did not stand. Ctrl-C stops, says how
    far it came, and leaves what stood there before (exit code 130).

    --weights are those of the traces' pages, for the section on weights; all else counts faults.

    --claim ID shows one row and writes nothing: a bound, judged for every policy that it speaks of, or a
    published number, judged on every workload and trace. The report shows the ids.

    \b
    Examples:
      paging reproduce --claim L5
      paging reproduce --claim llru-saving --trace routing.npz
      paging reproduce -o report
      paging reproduce --quick -o report --trace routing.npz
      paging reproduce -o report --trace a.npz --trace b.jsonl.gz --seed 7 --json
      paging reproduce -o report --trace routing.npz --weights bytes
    """
    from paging.parallel import Pool, cores
    from proofs.report.folder import check_target, staged

    if directory is not None and claim is not None:
        raise click.UsageError("--claim prints one row and writes nothing: leave out -o")
    if directory is None and claim is None:
        raise click.UsageError("say where the report goes (-o DIR), or which row to repeat (--claim ID)")
    if weights is not None and (claim is not None or not traces):
        raise click.UsageError("--weights are those of the pages of traces in a report: give --trace and -o")
    if claim is not None:
        _repeat(claim, quick, seed, traces, reading, as_json)
        return
    assert directory is not None
    began = time.perf_counter()
    target = Path(directory)
    check_target(target)
    sources = _read(traces, reading, as_json, weights)
    stage = "reading traces"

    def begin(label: str) -> AbstractContextManager[Watch]:
        nonlocal stage
        stage = label
        return progress(label, show=not as_json, stop=stop)

    workers = Pool(cores()) if cores() > 1 else nullcontext()
    try:
        with staged(target) as folder, stoppable() as stop, workers as pool:
            stop.news = f"nothing was written to {directory}"
            if pool is not None:
                pool.prepare("proofs.report.writing")  # imports there while it imports here
            from proofs.report.document import Settings, compute, environment
            from proofs.report.writing import write_report

            settings = Settings.reduced(seed) if quick else Settings(seed)
            document = compute(settings, sources, directory=folder, stage=begin, pool=pool)
            command = _command(directory, traces, reading, weights, quick, seed)
            with begin("drawing figures") as watch:
                write_report(
                    document,
                    lambda: environment(command, time.perf_counter() - began),
                    folder,
                    pool=pool,
                    watch=watch,
                )
    except StoppedError:
        remark(f"stopped while {stage}; nothing was written to {directory}")
        leave(Exit.INTERRUPTED)
    _summarise(document, target, as_json)
    if any(row["verdict"] in ("violated", "not reached") for row in document["verdicts"]):
        leave(Exit.REFUTED)


def _repeat(
    claim: str, quick: bool, seed: int, traces: tuple[str, ...], reading: TraceReading, as_json: bool
) -> None:
    """Compute and show one row of the report."""
    from proofs.report.document import Settings, repeat

    settings = Settings.reduced(seed) if quick else Settings(seed)
    with stoppable() as stop, progress(f"repeating {claim}", show=not as_json, stop=stop) as watch:
        try:
            kind, rows = repeat(claim, settings, lambda: _read(traces, reading, as_json), watch)
        except StoppedError:
            remark(f"stopped while repeating {claim}")
            leave(Exit.INTERRUPTED)
    if as_json:
        write_json({"claim": claim, "rows": rows})
    elif kind == "bound":
        write_table(
            f"{claim}: {BOUND_TABLE}",
            VERDICT_HEADER,
            [_verdict_line(row) for row in rows],
            left=(0, 1, 2, 3, 9),
        )
    else:
        _write_claims(rows)
    if any(row["verdict"] in ("violated", "not reached") for row in rows):
        leave(Exit.REFUTED)


def _verdict_line(row: dict[str, Any]) -> list[object]:
    instance = title_of({**row, "per_visit": row.get("g", 1)}, row["k"]) if row["k"] else None
    if "weights" in row:
        instance = f"{instance}, weighted"
    return [
        row["policy"], row["on"].split(",")[0] or row["why"], instance,
        row["offline_is"] if row["k"] else None, row["online"], row["offline"],
        row["ratio"], row["exact"], _short(row["claim"]), row["verdict"],
    ]  # fmt: skip


def _read(
    traces: tuple[str, ...], reading: TraceReading, as_json: bool, weights: str | None = None
) -> list[StudySource]:
    from paging.traces import read_trace
    from proofs.report.studies import trace_source

    sources: list[StudySource] = []
    with progress("reading traces", show=not as_json):
        for file in traces:
            trace = told(file, read_trace(file, reading))
            taken = [source.id for source in sources]
            sources.append(trace_source(trace, Path(file).name, taken, reading.given(), weights))
    return sources


def _command(
    directory: str,
    traces: tuple[str, ...],
    reading: TraceReading,
    weights: str | None,
    quick: bool,
    seed: int,
) -> str:
    words = ["paging", "reproduce", "-o", directory]
    for file in traces:
        words += ["--trace", file]
    if weights is not None:
        words += ["--weights", weights]
    for name, value in reading.given().items():
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, list) else str(value))
    return shlex.join(words + ["--quick"] * quick + ["--seed", str(seed)])


def _summarise(document: dict[str, Any], target: Path, as_json: bool) -> None:
    page = target / "report.html"
    if as_json:
        write_json(
            {
                "report": str(page),
                "model": document["model"],
                "rows": document["verdicts"],
                "claims": document["claims"],
                "provenance": document["provenance"],
            }
        )
        return
    columns = [
        column
        for column in COLUMNS
        if column != "exact" or any(bound["shown"]["exact"] is not None for bound in document["bounds"])
    ]
    write_table(
        "Bounds on competitive ratios, held against runs (forced, sequential, cold)",
        columns,
        [[line[column] for column in columns] for line in map(_bound_line, document["bounds"])],
        left=(0, 1, 2, 3, columns.index("verdict"), columns.index("statement is")),
        notes=[f"{column}: {COLUMNS[column]}" for column in columns if COLUMNS[column]],
    )
    _write_claims(document["claims"], notes=[f"report: {page}"])


def _write_claims(claims: list[dict[str, Any]], notes: Sequence[str] = ()) -> None:
    write_table(
        "Published numbers, as third parties report them, on our requests",
        ["reported", "our reading", "requests", "ours", "at k", "verdict"],
        [_claim_line(claim) for claim in claims],
        left=(0, 1, 2, 5),
        notes=notes,
    )


def _bound_line(bound: dict[str, Any]) -> dict[str, object]:
    shown = bound["shown"]
    return {
        "bound": bound["id"],
        "ratio is": {"upper": "at most", "lower": "at least", "tight": "exactly"}[bound["kind"]],
        "value": bound["value"],
        "shown by": f"{shown['policy']}, {shown['on'].split(',')[0]}" if shown["k"] else None,
        "k": shown["k"],
        "value there": _short(shown["claim"]),
        "limit": _short(shown["limit"]),
        "observed": shown["ratio"],
        "exact": shown["exact"],
        "verdict": bound["verdict"],
        "statement is": bound["origin"],
    }


def _short(value: str | float | None) -> str | None:
    """Return an exact number, or one with a logarithm, for a narrow column; the report holds it in full."""
    if value is None or (isinstance(value, str) and len(value) <= LONGEST):
        return value
    return f"≈ {decimal(value):.4f}"


def _claim_line(claim: dict[str, Any]) -> list[object]:
    value, published = claim["value"], claim["published"]
    shown = f"{100 * value:.1f} %" if claim["percent"] else f"{value:.2f}×"
    reported = f"{100 * published:.0f} %" if claim["percent"] else f"{published:g}×"
    return [reported, claim["reading"], claim["study"], shown, claim["k"], claim["verdict"]]
