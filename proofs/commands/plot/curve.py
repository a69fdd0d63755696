"""The command ``paging plot curve``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from paging.cli.options import Source, WholeIn, caches_option, source_options
from paging.cli.streaming import source_in_chunks
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
@click.option(
    "--stream",
    is_flag=True,
    help="Read the trace in chunks; all sizes come from one pass, for lru, llru and its variants, and opt.",
)
@click.option(
    "--sample",
    type=WholeIn(min=2),
    metavar="B",
    help="With --stream: from one page in B, at random, with intervals; B is even, and every k a multiple.",
)
@picture
def curve(
    policies: Sequence[str],
    caches: Sequence[int] | None,
    source: Source,
    runs: int,
    show: str,
    stream: bool,
    sample: int | None,
    quiet: bool,
) -> tuple[Document, Origin]:
    """Draw faults over cache size for policies, OPT and the compulsory faults.

    With --weights costs are drawn instead of faults, and OPT is the weighted optimum.

    \b
    Examples:
      paging plot curve lru llru --workload zipf:requests=20000 -l 8 -n 8 -k 8:56:8 -o curve.svg
      paging plot curve lru mark --workload sticky:requests=9000 -l 4 -n 8 -k 4:28:4 --show ratio -o r.png
      paging plot curve lru opt --trace routing.npz -k 20:60:20 --stream --sample 4 -o sampled.svg
    """
    from proofs.plots.curve import curve

    if sample is not None and (not stream or show not in ("faults", "rate")):
        raise ModelError("--sample estimates faults of a --stream, not ratios: --show faults or rate")
    if stream:
        return _streamed(policies, caches, source, show, sample or 1, quiet)
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


def _streamed(
    policies: Sequence[str], caches: Sequence[int] | None, source: Source, show: str, sample: int, quiet: bool
) -> tuple[Document, Origin]:
    from paging.policy import plain_name
    from proofs.plots.curve import streamed_curve

    if source.weights is not None:
        raise ModelError("--stream counts faults at unit cost: no --weights")
    with (
        progress("reading and counting", show=not quiet) as watch,
        source_in_chunks(source, caches[0] if caches else None) as opened,
    ):
        document = streamed_curve(
            opened.instance,
            opened.digested(),
            opened.trace.requests,
            caches or (),
            tuple(map(plain_name, policies)),
            show=show,
            sample=sample,
            seed=source.seed,
            watch=watch,
        )
    return document, {"seed": source.seed, **opened.origin}


def _refuse_missing(rows: Sequence[dict[str, Any]], skipped: Sequence[dict[str, Any]]) -> None:
    """Refuse a picture in which a policy that was asked for has no point at all."""
    drawn = {row["policy"] for row in rows}
    for skip in skipped:
        if skip["policy"] not in {*drawn, "opt"}:
            raise ModelError(skip["reason"])
