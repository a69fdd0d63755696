"""``paging trace``: describe and convert routing traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paging.cli.options import json_option, read, reading_options
from paging.cli.terminal import progress, remark, write_json, write_table
from paging.model import pages_text
from paging.numbers import short_digest

if TYPE_CHECKING:
    from paging.traces import TraceReading

LONGEST = 100
"""Characters up to which an entry of a trace's metadata is shown below the table."""


@click.group()
def trace() -> None:
    """Describe and convert routing traces.

    \b
    Examples:
      paging trace info routing.npz
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3
    """


@trace.command("info")
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@reading_options()
@json_option()
def trace_info(file: str, reading: TraceReading, as_json: bool) -> None:
    """Describe a trace: shape, digest, how often experts repeat.

    -l, -n and -g say what a file without a header does not; where the file says it too, both must agree. The
    other options are those of every command that reads a trace.

    \b
    Examples:
      paging trace info routing.npz
      paging trace info pages.txt -l 2 -n 3,5 --json
      paging trace info accesses.csv --column 2
    """
    from paging.traces import trace_info as describe

    with progress(f"reading {file}", show=not as_json):
        facts = describe(read(file, reading))
    if as_json:
        write_json({"file": file, **facts})
        return
    rows: list[list[object]] = []
    for key, value in facts.items():
        if key in ("metadata", "name"):
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {number:.4f}" for name, number in value.items())
        rows.append([key.replace("_", " "), _plain(value)])
    notes = [f"{key}: {value}" for key, value in facts["metadata"].items() if len(str(value)) <= LONGEST]
    longer = len(facts["metadata"]) - len(notes)
    if longer:
        notes.append(f"{longer} longer entries of its metadata: --json shows them")
    write_table(f"{file} ({facts['name']})", ["fact", "value"], rows, left=(0, 1), notes=notes)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return pages_text(value)
    return ("yes" if value else "no") if isinstance(value, bool) else value


@trace.command("convert")
@click.argument("source", metavar="FROM", type=click.Path(allow_dash=True))
@click.argument("target", metavar="TO", type=click.Path())
@reading_options()
def trace_convert(source: str, target: str, reading: TraceReading) -> None:
    """Write a trace in another format; the suffix of TO says which.

    Known are .npz (with a .json beside it), .npy, .jsonl, .txt, .csv and .oracleGeneral, each also with .gz
    or .zst behind. TO appears only when it is complete. The options say how to read FROM.

    \b
    Examples:
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3,5
      paging trace convert accesses.csv accesses.npz --column object --tokens 0:100000
    """
    from paging.traces import write_trace

    with progress(f"reading {source}"):
        converted = read(source, reading)
    with progress(f"writing {target}"):
        write_trace(converted, target)
    remark(f"{target}: {converted.requests:,} requests, digest {short_digest(converted.digest)}")
