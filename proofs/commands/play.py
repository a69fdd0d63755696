"""``paging play``: the live page; ``paging show``: a run as one file that plays by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from paging.cli.options import (
    NewFile,
    Source,
    cache_option,
    read,
    reading_options,
    source_options_with,
)
from paging.cli.terminal import progress, remark, requests_note
from paging.files import atomic_write

if TYPE_CHECKING:
    from paging.run import Run
    from paging.traces import TraceReading


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
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
@click.argument("policy", metavar="POLICY")
@cache_option()
@source_options_with(rounds=40)
@click.option("--first", type=click.IntRange(1), metavar="T", help="Show the first T requests only.")
@click.option("-o", "--output", required=True, type=NewFile(page=True), metavar="FILE", help="HTML file.")
def show(
    policy: str,
    cache: int | None,
    source: Source,
    first: int | None,
    output: str,
) -> None:
    """Write a run as one HTML file that plays without a network or this package.

    All steps are precomputed, OPT's cache and
    the proven bounds beside them.

    \b
    Examples:
      paging show lru --construction cyclic -o lesson.html
      paging show llru --construction cruel -l 2 -n 4 -k 7 --rounds 60 -o cruel.html
      paging show mark --workload zipf:alpha=1.2,rounds=50 -l 2 -n 6 -k 5 -o zipf.html
    """
    from paging.viewer.film import film_of
    from paging.viewer.page import lesson_page

    with progress("serving"):
        run, opt_cache, note = _served(policy, cache, source)
        film = film_of(run, first=first, opt_cache=opt_cache, remark=note)
        page = lesson_page(film)
    with atomic_write(output) as stream:
        stream.write(page)
    remark(f"{output}: {len(film.frames):,} requests; open it in any browser")


def _served(policy: str, cache: int | None, source: Source) -> tuple[Run, int, str]:
    """Return the recorded run, OPT's cache size, and where the requests come from."""
    from adversary.commands.requests import constructed
    from paging.simulate import simulate

    if source.construction is not None:
        made = constructed(source, cache, [policy])
        size = made.offline.sequence.instance.cache
        return made.run(policy, seed=source.seed), size, f"requests: construction {made.id}"
    sequence, origin = source.sequence(cache)
    run = simulate(policy, sequence, record=True, seed=source.seed)
    return run, sequence.instance.cache, requests_note(origin)
