"""The command ``paging plot curve``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from paging.cli.options import Source, caches_option, source_options
from paging.cli.terminal import progress
from paging.errors import ModelError
from proofs.commands.plot.picture import (
    Origin,
    means_option,
    picture,
    policies_argument,
    read_requests,
    show_option,
)
from proofs.plots.document import Document


@click.command()
@policies_argument
@caches_option()
@source_options
@means_option
@show_option("What is drawn", default="faults")
@picture
def curve(
    policies: Sequence[str], caches: Sequence[int] | None, source: Source, runs: int, show: str, quiet: bool
) -> tuple[Document, Origin]:
    """Draw faults over cache size for policies, OPT and the compulsory faults.

    \b
    Examples:
      paging plot curve lru llru --workload zipf:requests=20000 -l 8 -n 8 -k 8:56:8 -o curve.svg
      paging plot curve lru mark --workload sticky:requests=9000 -l 4 -n 8 -k 4:28:4 --show ratio -o r.png
    """
    from proofs.plots.curve import curve

    sequence, origin = read_requests(source, caches[0] if caches else None, policies, quiet)
    with progress("serving", show=not quiet) as watch:
        document = curve(
            sequence,
            caches or [sequence.instance.cache],
            policies,
            show=show,
            runs=runs,
            seed=source.seed,
            watch=watch,
        )
    _refuse_missing(document["rows"], document["skipped"])
    return document, origin


def _refuse_missing(rows: Sequence[dict[str, Any]], skipped: Sequence[dict[str, Any]]) -> None:
    """Refuse a picture in which a policy that was asked for has no point at all."""
    drawn = {row["policy"] for row in rows}
    for skip in skipped:
        if skip["policy"] not in {*drawn, "opt"}:
            raise ModelError(skip["reason"])
