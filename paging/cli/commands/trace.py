"""``paging trace``: describe and convert routing traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paging.cli.options import json_option, layers_option, pages_option, per_visit_option
from paging.cli.terminal import progress, remark, write_json, write_table

if TYPE_CHECKING:
    from paging.traces import Trace

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
@click.argument("file", metavar="FILE", type=click.Path())
@layers_option()
@pages_option()
@per_visit_option()
@json_option()
def trace_info(
    file: str,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    per_visit: int | None,
    as_json: bool,
) -> None:
    """Describe a trace: shape, digest, how often experts repeat.

    -l, -n and -g say what a file without a header does not; where the file says it too, both must agree.

    \b
    Examples:
      paging trace info routing.npz
      paging trace info pages.txt -l 2 -n 3,5 --json
    """
    from paging.traces import trace_info as describe

    read = _read(file, layers, pages, per_visit, as_json)
    facts = describe(read)
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
        return "/".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else value


@trace.command("convert")
@click.argument("source", metavar="FROM", type=click.Path())
@click.argument("target", metavar="TO", type=click.Path())
@layers_option()
@pages_option()
@per_visit_option()
def trace_convert(
    source: str,
    target: str,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    per_visit: int | None,
) -> None:
    """Write a trace in another format; the suffix of TO says which.

    Known are .npz (with a .json beside it), .npy, .jsonl, .txt and .csv, each also with .gz behind. TO
    appears only when it is complete.

    \b
    Examples:
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3,5
    """
    from paging.traces import write_trace

    read = _read(source, layers, pages, per_visit)
    with progress(f"writing {target}"):
        write_trace(read, target)
    remark(f"{target}: {read.requests:,} requests, digest {read.digest}")


def _read(
    file: str,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    per_visit: int | None,
    as_json: bool = False,
) -> Trace:
    from paging.traces import read_trace

    with progress(f"reading {file}", show=not as_json):
        return read_trace(file, layers=layers, pages=pages, per_visit=per_visit)
