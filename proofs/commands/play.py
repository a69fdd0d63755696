"""``paging play``: the live page; ``paging show``: a run as one file that plays by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paging.cli.options import (
    NewFile,
    Source,
    WholeIn,
    cache_option,
    read,
    reading_options,
    source_options_with,
)
from paging.cli.terminal import progress, remark, requests_note
from paging.errors import ModelError
from paging.files import atomic_write

if TYPE_CHECKING:
    from paging.model import RequestSequence
    from paging.traces import TraceReading

DIGEST = 12
"""Digits of a trace's digest that a page shows."""


@click.command()
@click.option(
    "--port",
    type=WholeIn(0, 65535),
    default=0,
    metavar="PORT",
    help="Port on the loopback address.  [default: a free one]",
)
@click.option("--open/--no-open", "browser", default=True, show_default=True, help="Open the browser.")
@click.option(
    "-p",
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY",
    help="Offer this policy too, such as mymodule:MyPolicy; may be given several times.",
)
@click.option(
    "--trace",
    "traces",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Offer this routing trace too; may be given several times.",
)
@reading_options()
def play(
    port: int, browser: bool, policies: tuple[str, ...], traces: tuple[str, ...], reading: TraceReading
) -> None:
    """Open the live page: watch policies, be the adversary, be the algorithm.

    A local web app on the loopback address, reachable from this machine alone. Ctrl+C stops it; games are
    kept while it runs.

    \b
    Examples:
      paging play
      paging play --port 8000 --no-open
      paging play -p mymodule:MyPolicy --trace routing.npz
    """
    from paging.policy import get_policy
    from proofs.play.forms import Catalogue
    from proofs.play.server import serve

    for name in policies:
        get_policy(name)
    offered = {}
    for file in traces:
        with progress(f"reading {file}"):
            offered[Path(file).name] = read(file, reading)
    serve(
        Catalogue(policies, offered),
        port,
        opened=lambda address: click.echo(f"The live page is at {address} (Ctrl+C stops it)"),
        browser=browser,
    )


@click.command()
@click.argument("policies", nargs=-1, required=True, metavar="POLICY [POLICY]")
@cache_option()
@source_options_with(rounds=40)
@click.option("--from", "start", type=WholeIn(1), default=1, metavar="T", help="First request shown, from 1.")
@click.option("--first", type=WholeIn(1), metavar="N", help="Show N requests only.")
@click.option(
    "--beside-cache",
    type=WholeIn(1),
    metavar="K",
    help="Cache size of the second policy.  [default: k]",
)
@click.option("-o", "--output", required=True, type=NewFile(page=True), metavar="FILE", help="HTML file.")
def show(
    policies: tuple[str, ...],
    cache: int | None,
    source: Source,
    start: int,
    first: int | None,
    beside_cache: int | None,
    output: str,
) -> None:
    """Write a run as one HTML file that plays without a network or this package.

    All steps are precomputed, with the reason of every eviction, OPT's cache and the proven bounds beside
    them. Of two policies both caches are shown on the same requests, in step; an adaptive construction plays
    against the first. Requests before --from are served and counted, too.

    \b
    Examples:
      paging show lru --construction cyclic -o lesson.html
      paging show lru zrc --construction cyclic --rounds 100 -o two.html
      paging show fifo fifo --requests "0 1 2 3 0 1 4 0 1 2 3 4" -k 3 --beside-cache 4 -o anomaly.html
      paging show llru --construction cruel -l 2 -n 4 -k 7 --rounds 60 -o cruel.html
      paging show mark --workload zipf:alpha=1.2,rounds=50 -l 2 -n 6 -k 5 -o zipf.html
      paging show lru --trace routing.npz -k 128 --from 1001 --first 200 -o part.html
    """
    from paging.simulate import simulate
    from paging.viewer.film import film_of
    from paging.viewer.page import lesson_page

    if len(policies) > 2:
        raise ModelError(f"one or two policies are shown at a time, not {len(policies)}")
    if beside_cache is not None and len(policies) == 1:
        raise ModelError("--beside-cache is about a second policy, but one is named")
    with progress("serving"):
        sequence, opt_cache, note = _requests(policies, cache, source)
        if start > len(sequence):
            raise ModelError(f"--from {start}: there are only {len(sequence):,} requests")
        shown = sequence if first is None else sequence.prefix(min(start - 1 + first, len(sequence)))
        run = simulate(policies[0], shown, record=True, seed=source.seed)
        beside = None
        for policy in policies[1:]:
            theirs = shown if beside_cache is None else shown.with_cache(beside_cache)
            beside = simulate(policy, theirs, record=True, seed=source.seed)
        film = film_of(run, start=start - 1, opt_cache=opt_cache, remark=note, beside=beside)
        page = lesson_page(film)
    with atomic_write(output) as stream:
        stream.write(page)
    remark(f"{output}: {len(film.frames):,} requests; open it in any browser")


def _requests(policies: Sequence[str], cache: int | None, source: Source) -> tuple[RequestSequence, int, str]:
    """Return the requests, OPT's cache size, and where the requests come from."""
    from adversary.commands.requests import constructed

    if source.construction is not None:
        made = constructed(source, cache, policies[:1])
        size = made.offline.sequence.instance.cache
        return made.sequence, size, f"requests: construction {made.id}"
    sequence, origin = source.sequence(cache, policies)
    if "digest" in origin:
        origin = {**origin, "digest": f"{str(origin['digest'])[:DIGEST]}…"}
    return sequence, sequence.instance.cache, requests_note(origin)
