"""The command ``paging plot phases``."""

from __future__ import annotations

import click

from paging.cli.options import Source, WholeIn, cache_option, source_options
from paging.cli.terminal import remark
from proofs.commands.plot.picture import Origin, picture, read_requests
from proofs.plots.document import Document


@click.command()
@click.argument("policy", metavar="POLICY")
@cache_option()
@source_options
@click.option(
    "--first", type=WholeIn(min=1), metavar="T", default=200, show_default=True, help="Requests shown."
)
@picture
def phases(
    policy: str, cache: int | None, source: Source, first: int, quiet: bool
) -> tuple[Document, Origin]:
    """Draw every request as hit or fault, with the k-phases and the faults in each.

    \b
    Examples:
      paging plot phases lru --workload zipf:requests=120 -l 2 -n 4 -k 4 -o phases.svg
      paging plot phases llru --trace routing.npz -k 96 --first 400 -o phases.png
    """
    from proofs.plots.phases import phases

    sequence, origin = read_requests(source, cache, [policy], quiet)
    if first < len(sequence):
        remark(f"shown are the first {first:,} of {len(sequence):,} requests; --first shows more")
    return phases(policy, sequence.prefix(first), seed=source.seed), origin
