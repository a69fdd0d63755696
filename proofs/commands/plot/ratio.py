"""The command ``paging plot ratio``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import F, Source, cache_option, source_options
from paging.cli.terminal import progress
from paging.errors import ModelError
from proofs.commands.plot.picture import Origin, picture, policies_argument, read_requests, runs_option
from proofs.plots.document import Document

if TYPE_CHECKING:
    from adversary.construction import Construction
    from paging.model import LayeredInstance


def construction_options(command: F) -> F:
    """Give a command ``--construction``, ``--rounds`` and ``--option``."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--construction",
            metavar="NAME",
            help="Requests of a construction instead (see 'paging adversary list'); -l, -n and -k together "
            "give its instance.  [default: its demonstration]",
        ),
        click.option(
            "--rounds",
            type=click.IntRange(min=1),
            default=1000,
            show_default=True,
            help="Length of a construction in rounds of ℓ requests.",
        ),
        click.option(
            "--option",
            "options",
            multiple=True,
            metavar="KEY=VALUE",
            help="Option of the construction; may be given several times.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@policies_argument
@cache_option()
@source_options
@construction_options
@runs_option
@picture
def ratio(
    policies: Sequence[str],
    cache: int | None,
    source: Source,
    construction: str | None,
    rounds: int,
    options: Sequence[str],
    runs: int,
    quiet: bool,
) -> tuple[Document, Origin]:
    """Draw faults so far / OPT so far over time, against the bounds that are proved.

    Requests come from a trace, a workload or a construction. Dashed lines are the least proved upper bound of
    each policy and what the construction forces in the limit; finite runs may lie below that.

    \b
    Examples:
      paging plot ratio lru llru --construction cyclic -l 2 -n 4 -k 7 -o ratio.svg
      paging plot ratio lru mark --workload zipf:requests=20000 -l 2 -n 4 -k 6 -o ratio.svg --json
    """
    from proofs.plots.ratio import forced_lower, ratio

    facts: dict[str, Any] = {}
    if construction is None:
        if cache is None:
            raise ModelError("requests of a trace or workload need a cache size: --cache (-k)")
        sequence, origin = read_requests(source, cache, quiet)
        inputs = dict.fromkeys(policies, sequence)
    else:
        with progress("building", show=not quiet):
            built = _built(construction, policies, cache, source, rounds, options)
        inputs = {policy: one.sequence for policy, one in built.items()}
        first = built[policies[0]]
        facts = {"opt_cache": first.offline.sequence.instance.cache, "forced": forced_lower(first)}
        origin = {"seed": source.seed, "construction": construction, "rounds": rounds}
    with progress("serving", show=not quiet) as watch:
        document = ratio(inputs, **facts, runs=runs, seed=source.seed, watch=watch)
    return document, origin


def _built(
    name: str,
    policies: Sequence[str],
    cache: int | None,
    source: Source,
    rounds: int,
    options: Sequence[str],
) -> dict[str, Construction]:
    """Build a construction against every policy."""
    from adversary import get_construction
    from paging.spec import parse_spec

    if source.trace or source.workload:
        raise ModelError("requests come from one of --trace, --workload and --construction")
    found = get_construction(name)
    keywords = parse_spec(f"{name}:{','.join(options)}")[1]
    instance = _instance(found.demo, source, cache)
    return {
        policy: found(instance, rounds=rounds, policy=policy, seed=source.seed, **keywords)
        for policy in policies
    }


def _instance(demo: LayeredInstance, source: Source, cache: int | None) -> LayeredInstance:
    """Return the instance that the options give, or the construction's demonstration where they give none."""
    from paging.model import LayeredInstance

    if (source.layers, source.pages, cache) == (None, None, None):
        return demo
    if source.pages is None or cache is None:
        raise ModelError("an instance needs --pages (-n) and --cache (-k), beside --layers (-l)")
    layers = demo.layers if source.layers is None else source.layers
    return LayeredInstance(layers, source.pages, cache)
