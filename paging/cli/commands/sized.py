"""``paging sized``: pages of different sizes in a cache counted in bytes."""

from __future__ import annotations

import click

from paging.cli.options import Source, WholeIn, json_option, source_options, table_option
from paging.cli.terminal import progress, provenance, remark, requests_note, write_json, write_table


@click.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option("--capacity", type=WholeIn(min=1), required=True, metavar="BYTES", help="Bytes of the cache.")
@click.option(
    "--sizes",
    required=True,
    metavar="FILE|SPEC",
    help="Bytes of every page, spelled as --weights: a file, layer:…, page:…, tier:…, or bytes.",
)
@source_options
@json_option()
@table_option()
def sized(rules: tuple[str, ...], capacity: int, sizes: str, source: Source, as_json: bool) -> None:
    """Serve requests for pages of different sizes with a cache counted in bytes.

    RULE is greedy-dual-size, greedy-dual-size-frequency, lru or fifo (default: all of them). What a fault
    costs is 1, or says --weights; with --weights bytes it is the page's size. A page larger than the cache is
    served past it, a fault every time.

    \b
    Examples:
      paging sized --workload zipf:requests=2000 -l 2 -n 8 --sizes layer:1,4 --capacity 12
      paging sized greedy-dual-size lru --trace web.oracleGeneral --ignore-sizes --sizes bytes --capacity 4096
    """
    import numpy as np

    from paging.sized import RULES, serve_sized

    with progress("reading requests", show=not as_json):
        sequence, origin, held = source.sized(sizes)
    if larger := sum(held[page] > capacity for page in np.unique(sequence.requests)):
        remark(
            f"{larger:,} of the pages requested are larger than {capacity:,} bytes: they are never cached, "
            "and every request of one is a fault"
        )
    with progress("serving", show=not as_json):
        runs = [serve_sized(rule, sequence, held, capacity) for rule in rules or RULES]
    instance = sequence.instance
    if as_json:
        rows = [
            {
                "rule": run.rule,
                "faults": run.faults,
                "cost": run.cost,
                "bytes_loaded": run.bytes_loaded,
                "most_bytes_held": run.most,
            }
            for run in runs
        ]
        facts = {"capacity": capacity, "requests": len(sequence), "instance": instance.plain, "rows": rows}
        write_json({**facts, "provenance": provenance(sizes=sizes, **origin)})
        return
    weighted = " · weighted" if instance.weights is not None else ""
    title = (
        f"{len(sequence):,} requests, ℓ = {instance.layers}, n = {instance.pages_text}, "
        f"{capacity:,} bytes{weighted}"
    )
    header = ["rule", "faults", "cost, weighted" if weighted else "cost", "bytes loaded"]
    shown = [[run.rule, run.faults, run.cost, run.bytes_loaded] for run in runs]
    write_table(title, header, shown, notes=[requests_note(origin), f"sizes {sizes}"])
