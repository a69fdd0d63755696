"""The command ``paging plot ratio``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import Source, cache_option, source_options
from paging.cli.terminal import progress
from proofs.commands.plot.picture import Origin, means_option, picture, policies_argument, read_requests
from proofs.plots.document import Document

if TYPE_CHECKING:
    pass


@click.command()
@policies_argument
@cache_option()
@source_options
@means_option
@picture
def ratio(
    policies: Sequence[str],
    cache: int | None,
    source: Source,
    runs: int,
    quiet: bool,
) -> tuple[Document, Origin]:
    """Draw faults so far / OPT so far over time, against the bounds that are proved.

    A construction is built against every policy. Dashed lines are the least proved upper bound of
    each policy and what the construction forces in the limit; finite runs may lie below that.
    With --weights it is cost over the weighted optimum of the requests so far, at 40 times at most.

    \b
    Examples:
      paging plot ratio lru llru --construction cyclic -l 2 -n 4 -k 7 -o ratio.svg
      paging plot ratio lru mark --workload zipf:requests=20000 -l 2 -n 4 -k 6 -o ratio.svg --json
      paging plot ratio landlord --workload zipf:requests=2000 -l 2 -n 4 -k 3 --weights layer:1,4 -o ratio.svg
    """
    from adversary.commands.requests import constructed
    from proofs.plots.ratio import forced_lower, ratio

    facts: dict[str, Any] = {}
    if source.construction is None:
        sequence, origin = read_requests(source, cache, policies, quiet)
        inputs = dict.fromkeys(policies, sequence)
    else:
        with progress("building", show=not quiet):
            built = {policy: constructed(source, cache, [policy]) for policy in policies}
        inputs = {policy: one.sequence for policy, one in built.items()}
        first = built[policies[0]]
        facts = {"opt_cache": first.offline.sequence.instance.cache, "forced": forced_lower(first)}
        origin = {"seed": source.seed, "construction": first.id, "rounds": source.rounds}
    with progress("serving", show=not quiet) as watch:
        document = ratio(inputs, **facts, runs=runs, seed=source.seed, watch=watch)
    return document, origin
