"""The command ``paging plot``: pictures in the house style, and their numbers as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import (
    F,
    Source,
    cache_option,
    caches_option,
    json_option,
    layers_option,
    parse_caches,
    seed_option,
    source_options,
)
from paging.cli.terminal import progress, provenance, remark, write_json
from paging.errors import ModelError

if TYPE_CHECKING:
    from paging.model import RequestSequence

policies_argument = click.argument("policies", nargs=-1, required=True, metavar="POLICY...")

output_option = click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Picture to write, .svg, .png or .pdf; may be given several times.",
)

runs_option = click.option(
    "--runs",
    type=click.IntRange(min=2),
    metavar="R",
    default=10,
    show_default=True,
    help="Sampled runs of each randomised policy; shown is their mean.",
)

show_option = click.option(
    "--show",
    type=click.Choice(["faults", "rate", "ratio", "saving"]),
    default="faults",
    show_default=True,
    help="What is drawn: faults, faults per request, ratio to OPT, saving over LRU.",
)


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


@click.group()
def plot() -> None:
    """Draw a picture: faults over cache size, ratio over time, phases, a heatmap.

    All are legible in black and white and to the colour-blind. --json writes the numbers that are drawn.

    \b
    Examples:
      paging plot curve lru llru --workload zipf:requests=20000 -l 8 -n 8 -k 8:56:8 -o curve.svg
      paging plot ratio lru llru --construction cyclic -l 2 -n 4 -k 7 -o ratio.svg -o ratio.png
      paging plot phases lru --workload zipf:requests=120 -l 2 -n 4 -k 4 -o phases.svg
      paging plot heatmap lru --workload zipf:requests=4000 -l 2 -n 2:8 -k 2:8 -o heatmap.svg
    """


@plot.command()
@policies_argument
@caches_option(required=True)
@source_options
@runs_option
@show_option
@output_option
@json_option()
def curve(
    policies: tuple[str, ...],
    caches: tuple[int, ...],
    source: Source,
    runs: int,
    show: str,
    outputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Draw faults over cache size for policies, OPT and the compulsory faults.

    \b
    Examples:
      paging plot curve lru llru --workload zipf:requests=20000 -l 8 -n 8 -k 8:56:8 -o curve.svg
      paging plot curve lru mark --workload sticky:requests=9000 -l 4 -n 8 -k 4:28:4 --show ratio -o r.png
    """
    _check(outputs, as_json)
    from proofs.plots import plots

    sequence, origin = _requests(source, caches[0], as_json)
    with progress("serving", show=not as_json) as report:
        document = plots.curve(
            sequence, caches, policies, show=show, runs=runs, seed=source.seed, progress=report
        )
    _refuse_missing(document)
    _deliver(document, outputs, as_json, seed=source.seed, **origin)


@plot.command()
@policies_argument
@cache_option()
@source_options
@construction_options
@runs_option
@output_option
@json_option()
def ratio(
    policies: tuple[str, ...],
    cache: int | None,
    source: Source,
    construction: str | None,
    rounds: int,
    options: tuple[str, ...],
    runs: int,
    outputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Draw faults so far / OPT so far over time, against the bounds that are proved.

    Requests come from a trace, a workload or a construction. Dashed lines are the least proved upper bound of
    each policy and what the construction forces in the limit; finite runs may lie below that.

    \b
    Examples:
      paging plot ratio lru llru --construction cyclic -l 2 -n 4 -k 7 -o ratio.svg
      paging plot ratio lru mark --workload zipf:requests=20000 -l 2 -n 4 -k 6 -o ratio.svg --json
    """
    _check(outputs, as_json)
    from proofs.plots import plots

    if construction is None:
        if cache is None:
            raise ModelError("requests of a trace or workload need a cache size: --cache (-k)")
        sequence, origin = _requests(source, cache, as_json)
        inputs = dict.fromkeys(policies, sequence)
        facts: dict[str, Any] = {}
    else:
        with progress("building", show=not as_json):
            inputs, facts = _built(construction, policies, cache, source, rounds, options)
        origin = {"construction": construction, "rounds": rounds}
    with progress("serving", show=not as_json) as report:
        document = plots.ratio(inputs, **facts, runs=runs, seed=source.seed, progress=report)
    _deliver(document, outputs, as_json, seed=source.seed, **origin)


@plot.command()
@click.argument("policy", metavar="POLICY")
@cache_option(required=True)
@source_options
@click.option(
    "--first", type=click.IntRange(min=1), metavar="T", default=200, show_default=True, help="Requests shown."
)
@output_option
@json_option()
def phases(
    policy: str, cache: int, source: Source, first: int, outputs: tuple[str, ...], as_json: bool
) -> None:
    """Draw every request as hit or fault, with the k-phases and the faults in each.

    \b
    Examples:
      paging plot phases lru --workload zipf:requests=120 -l 2 -n 4 -k 4 -o phases.svg
      paging plot phases llru --trace routing.npz -k 96 --first 400 -o phases.png
    """
    _check(outputs, as_json)
    from proofs.plots import plots

    sequence, origin = _requests(source, cache, as_json)
    if first < len(sequence):
        remark(f"shown are the first {first:,} of {len(sequence):,} requests; --first shows more")
    document = plots.phases(policy, sequence.prefix(first), seed=source.seed)
    _deliver(document, outputs, as_json, seed=source.seed, **origin)


@plot.command()
@click.argument("policies", nargs=-1, metavar="[POLICY]...")
@click.option(
    "--workload", "workloads", multiple=True, metavar="SPEC", help="Synthetic requests; may be repeated."
)
@layers_option(default=1)
@click.option(
    "-n",
    "--pages",
    type=parse_caches,
    metavar="N1,N2,…",
    help="Pages per layer n: one number, or a list with ranges as in -k.",
)
@caches_option()
@click.option(
    "--table", type=click.Path(dir_okay=False), metavar="FILE", help="Draw a .csv or .json table instead."
)
@click.option("--rows", metavar="COLUMN", help="Column of the table for the rows.  [default: k]")
@click.option("--columns", metavar="COLUMN", help="Column of the table for the columns.  [default: n]")
@click.option("--value", metavar="COLUMN", help="Column of the table for the values.  [default: ratio]")
@runs_option
@click.option(
    "--show",
    type=click.Choice(["faults", "rate", "ratio", "saving"]),
    default="ratio",
    show_default=True,
    help="What a cell holds: faults, faults per request, ratio to OPT, saving over LRU.",
)
@seed_option()
@output_option
@json_option()
def heatmap(
    policies: tuple[str, ...],
    workloads: tuple[str, ...],
    layers: int,
    pages: tuple[int, ...] | None,
    caches: tuple[int, ...] | None,
    table: str | None,
    rows: str | None,
    columns: str | None,
    value: str | None,
    runs: int,
    show: str,
    seed: int,
    outputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Draw a table of numbers as a heatmap: k × n of one policy, policies × workloads, or a file.

    With one policy and one workload the cells are cache sizes k against pages per layer n. With one k and one
    n they are policies against workloads. --table draws a file: a .csv with a header, or JSON records; values
    may be exact as 3/2, or inf.

    \b
    Examples:
      paging plot heatmap lru --workload zipf:requests=4000 -l 2 -n 2:8 -k 2:8 -o heatmap.svg
      paging plot heatmap lru llru --workload zipf:rounds=900 --workload sticky:rounds=900 -n 8 -k 3 -o h.png
      paging plot heatmap --table ratios.csv --rows k --columns n --value ratio -o heatmap.svg
    """
    _check(outputs, as_json)
    from proofs.plots import plots

    if table is not None:
        if policies or workloads:
            raise ModelError("a heatmap shows either --table or policies on workloads, but both are given")
        names = {"rows": rows or "k", "columns": columns or "n", "value": value or "ratio"}
        _deliver(plots.heatmap_of_table(table, **names), outputs, as_json, table=Path(table).name)
        return
    if rows or columns or value:
        raise ModelError("--rows, --columns and --value name columns of a --table")
    if not (policies and workloads and pages and caches):
        raise ModelError("a heatmap needs a --table, or policies, --workload, --pages (-n) and --cache (-k)")
    cells, labels = _grid(policies, workloads, layers, pages, caches, show, runs, seed, as_json)
    document = plots.heatmap(cells, value=plots.SHOWN[show][2], **labels)
    _deliver(document, outputs, as_json, seed=seed, policies=policies, workloads=workloads)


def _grid(
    policies: Sequence[str],
    workloads: Sequence[str],
    layers: int,
    pages: Sequence[int],
    caches: Sequence[int],
    show: str,
    runs: int,
    seed: int,
    quiet: bool,
) -> tuple[dict[tuple[str, str], float | None], dict[str, str]]:
    """Serve every workload, and return the cells of the heatmap with its labels."""
    from paging.policy import get_policy

    sizes = len(policies) == len(workloads) == 1
    if not sizes and not len(pages) == len(caches) == 1:
        raise ModelError(
            "a heatmap shows one policy and one workload over k and n, or policies and workloads at one k "
            f"and one n; got {len(policies)} policies, {len(workloads)} workloads, "
            f"{len(caches)} k, {len(pages)} n"
        )
    names = [get_policy(policy).name for policy in policies]
    served = _served(policies, workloads, layers, pages, caches, show, runs, seed, quiet)
    found = {(policy, spec, n, k): number for policy, spec, n, k, number in served if policy in names}
    if sizes:
        cells = {(str(k), str(n)): found.get((names[0], workloads[0], n, k)) for k in caches for n in pages}
        title = f"{policies[0]}, {workloads[0]}, ℓ = {layers}"
        return cells, {"rows": "cache size k (pages)", "columns": "pages per layer n", "title": title}
    n, k = pages[0], caches[0]
    cells = {(name, spec): found.get((name, spec, n, k)) for name in names for spec in workloads}
    return cells, {"rows": "policy", "columns": "workload", "title": f"ℓ = {layers}, n = {n}, k = {k}"}


def _served(
    policies: Sequence[str],
    workloads: Sequence[str],
    layers: int,
    pages: Sequence[int],
    caches: Sequence[int],
    show: str,
    runs: int,
    seed: int,
    quiet: bool,
) -> Iterator[tuple[str, str, int, int, float | None]]:
    """Yield policy, workload, n, k and what is shown; LRU is served too, for savings."""
    from paging.compare import compare
    from paging.model import LayeredInstance
    from paging.workloads import generate
    from proofs.plots.plots import SHOWN

    key, factor, _ = SHOWN[show]
    inputs = [(spec, n) for spec in workloads for n in pages]
    with progress("serving", show=not quiet) as report:
        for done, (spec, n) in enumerate(inputs):
            report(done, len(inputs))
            sequence = generate(spec, LayeredInstance(layers, n, caches[0]), seed=seed)
            for row in compare(sequence, caches, [*policies, "lru"], runs=runs, seed=seed).rows:
                number = row.as_dict()[key]
                shown = factor * number if isinstance(number, int | float) else None
                yield row.policy, spec, n, row.cache, shown


def _check(outputs: Sequence[str], as_json: bool) -> None:
    """Refuse before any work a picture that could not be written, or no output at all."""
    from paging.plotting import check_targets

    if not outputs and not as_json:
        raise ModelError(
            "name the picture with -o FILE (.svg, .png or .pdf), or ask for the numbers with --json"
        )
    check_targets(outputs)


def _requests(source: Source, cache: int, quiet: bool) -> tuple[RequestSequence, dict[str, object]]:
    with progress("reading requests", show=not quiet):
        return source.sequence(cache)


def _refuse_missing(document: Mapping[str, Any]) -> None:
    """Refuse a picture in which a policy that was asked for has no point at all."""
    drawn = {row["policy"] for row in document["rows"]}
    for skip in document["skipped"]:
        if skip["policy"] not in {*drawn, "opt"}:
            raise ModelError(skip["reason"])


def _built(
    name: str,
    policies: Sequence[str],
    cache: int | None,
    source: Source,
    rounds: int,
    options: Sequence[str],
) -> tuple[dict[str, RequestSequence], dict[str, Any]]:
    """Build a construction against every policy; return the requests, OPT's cache and what is forced."""
    from adversary import get_construction
    from paging.model import LayeredInstance
    from paging.spec import parse_spec
    from proofs.bounds.bound import formula

    if source.trace or source.workload:
        raise ModelError("requests come from one of --trace, --workload and --construction")
    found = get_construction(name)
    keywords = parse_spec(f"{name}:{','.join(options)}")[1]
    instance = found.demo
    if (source.layers, source.pages, cache) != (None, None, None):
        if source.pages is None or cache is None:
            raise ModelError("an instance needs --pages (-n) and --cache (-k), beside --layers (-l)")
        layers = found.demo.layers if source.layers is None else source.layers
        instance = LayeredInstance(layers, source.pages, cache)
    built = {
        policy: found(instance, rounds=rounds, policy=policy, seed=source.seed, **keywords)
        for policy in policies
    }
    first = next(iter(built.values()))
    form = formula(first.promise.limit)
    value = first.limit
    forced: dict[str, object] = {
        "kind": "lower",
        "id": first.bound,
        "formula": form if form == str(value) else f"{form} = {value}",
        "value": value,
        "policies": [],
    }
    facts = {"opt_cache": first.offline.sequence.instance.cache, "forced": forced}
    return {policy: one.sequence for policy, one in built.items()}, facts


def _deliver(document: Mapping[str, Any], outputs: Sequence[str], as_json: bool, **origin: object) -> None:
    """Write the pictures, and the numbers if asked for."""
    from paging.numbers import jsonable
    from proofs.plots.plots import draw

    numbers = jsonable(document)
    if outputs:
        with progress("drawing", show=not as_json):
            draw(numbers, outputs)
    if as_json:
        write_json({**numbers, "output": outputs, "provenance": provenance(**origin)})
    else:
        click.echo("\n".join(f"written: {path}" for path in outputs))
