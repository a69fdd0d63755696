"""``paging diagnose``: the engineer's page about a routing trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from paging.cli.options import (
    NewFile,
    WholeIn,
    caches_option,
    json_option,
    read,
    reading_options,
    table_option,
    visits_option,
    weights_option,
)
from paging.cli.terminal import progress, provenance, remark, write_json, write_notes, write_table
from paging.errors import ModelError

if TYPE_CHECKING:
    from paging.traces import TraceReading
    from proofs.diagnose.cost import CostModel
    from proofs.diagnose.prefetch import Prefetcher

SEQUENCES = 5
"""Sequences that the terminal shows: those with the most misses per token."""

NAMES = {"lru": "LRU", "best": "best causal policy", "opt": "OPT"}


@click.command()
@click.argument("trace", type=click.Path())
@caches_option()
@click.option("--memory", metavar="BYTES", help="Memory for experts, such as 8GB, instead of -k.")
@click.option(
    "--expert-bytes", metavar="BYTES,…", help="Bytes of one expert, such as 352MB: one size, or one a layer."
)
@click.option(
    "--expert-parameters",
    metavar="COUNT",
    help="Its parameters instead, such as 176M; see --bits.",
)
@click.option("--bits", type=WholeIn(1, 64), metavar="BITS", help="Bits per parameter.  [default: 16]")
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    metavar="BANDWIDTH,LATENCY,SHARE",
    help="Where missing experts come from, such as 25GB/s,10us. Latency is 0 and the share of the misses 1 "
    "unless given; several tiers share the misses.",
)
@click.option("--computing", metavar="TIME", help="Computation per layer and token, such as 0.3ms.")
@click.option("--overlap", metavar="SHARE", help="Share of it that can run while experts are loaded.")
@click.option(
    "--prefetch",
    metavar="recall=R,precision=P,…",
    help="Simulate a prefetcher: recall=0.9,precision=0.8,ahead=1,seed=0, or repeat,ahead=1 for one that "
    "expects the experts of the token before. Needs a --tier.",
)
@weights_option(trace=True)
@visits_option()
@click.option(
    "--phase",
    type=click.Choice(["all", "prompt", "decode"]),
    default="all",
    show_default=True,
    help="Tokens that misses per token and times are about; all tokens are served.",
)
@reading_options()
@click.option(
    "-o",
    "--output",
    type=NewFile(page=True),
    metavar="FILE.html",
    help="Page to write, with pictures.",
)
@json_option()
@table_option()
def diagnose(
    trace: str,
    caches: tuple[int, ...] | None,
    memory: str | None,
    expert_bytes: str | None,
    expert_parameters: str | None,
    bits: int | None,
    tiers: tuple[str, ...],
    computing: str | None,
    overlap: str | None,
    prefetch: str | None,
    weights: str | None,
    visits: Literal["sequential", "atomic"],
    phase: Literal["all", "prompt", "decode"],
    reading: TraceReading,
    output: str | None,
    as_json: bool,
) -> None:
    """Diagnose a routing trace: whose the misses are, which policy to run, what it costs.

    Every cache size is served with LRU, all other causal policies that are fast enough, and the certified
    optimum. What OPT misses too is the working set's; the rest is the policy's. With the size of an expert
    and a tier, misses become bytes, milliseconds and tokens per second. With --weights a table tells what the
    misses cost, under policies that look at weights, too, and at least.

    \b
    Examples:
      paging diagnose routing.npz -k 64,96,128 -o page.html
      paging diagnose routing.npz --memory 8GB --expert-bytes 90MB --tier 25GB/s,10us --computing 0.3ms
      paging diagnose sample:tiny-mixtral -k 12 --expert-bytes 90MB --tier 25GB/s,10us --computing 3ms \\
        --prefetch recall=0.9,precision=0.8
      paging diagnose routing.npz -k 96 --visits atomic --json
      paging diagnose sample:tiny-mixtral -k 12 --weights tier:6*1,2*8
      paging diagnose answer.json -k 96
    """
    sizes_of_experts = _expert_bytes(expert_bytes, expert_parameters, bits)
    caches = _caches(caches, memory, sizes_of_experts)
    cost = _cost_model(sizes_of_experts, tiers, computing, overlap)
    prefetcher = _prefetcher(prefetch, cost)
    from proofs.diagnose.document import diagnose

    with progress("reading the trace", show=not as_json):
        requests = read(trace, reading)
    if requests.layers == 1 and requests.ids is not None:
        remark(f"{trace}: a list of page ids is one layer; requests that go round layers need -l and -n")
    weighing = None if weights is None else requests.weights_as(weights, trace)
    with progress("serving", show=not as_json) as watch:
        found = diagnose(
            requests,
            caches,
            visits=visits,
            phase=phase,
            cost=cost,
            prefetcher=prefetcher,
            weights=weighing,
            watch=watch,
        )
    said = {} if weights is None else {"weights": weights}
    document = {**found, "provenance": provenance(trace=trace, **said, **reading.given())}
    if output is not None:
        from proofs.diagnose.page import write_page

        with progress("drawing", show=not as_json) as watch:
            write_page(document, output, watch=watch)
    if as_json:
        write_json(document)
    else:
        _show(document)
        if output is not None:
            write_notes(f"written: {output}")


def _expert_bytes(text: str | None, parameters: str | None, bits: int | None) -> tuple[int, ...] | None:
    from proofs.diagnose.cost import bytes_of_parameters, read_bytes, read_count

    if parameters is None:
        if bits is not None:
            raise ModelError("--bits is about --expert-parameters, which is not given")
        return None if text is None else tuple(read_bytes(part) for part in text.split(","))
    if text is not None:
        raise ModelError("give the size of an expert once: --expert-bytes or --expert-parameters")
    return (bytes_of_parameters(read_count(parameters), 16 if bits is None else bits),)


def _caches(
    caches: tuple[int, ...] | None, memory: str | None, sizes: tuple[int, ...] | None
) -> tuple[int, ...]:
    from proofs.diagnose.cost import cache_of, read_bytes

    if (caches is None) == (memory is None):
        raise ModelError("the memory is given once: as cache sizes (-k) or as --memory with --expert-bytes")
    if caches is not None:
        return caches
    assert memory is not None
    if sizes is None:
        raise ModelError("--memory needs the size of an expert: --expert-bytes or --expert-parameters")
    return (cache_of(read_bytes(memory), sizes),)


def _cost_model(
    sizes: tuple[int, ...] | None, tiers: Sequence[str], computing: str | None, overlap: str | None
) -> CostModel | None:
    from proofs.diagnose.cost import CostModel, read_seconds, read_share, read_tier

    if not tiers:
        if computing is not None or overlap is not None:
            raise ModelError("times need a --tier: where missing experts come from, such as 25GB/s,10us")
        return None
    if sizes is None:
        raise ModelError("a --tier needs the size of an expert: --expert-bytes or --expert-parameters")
    return CostModel(
        sizes,
        tuple(read_tier(text) for text in tiers),
        read_seconds(computing or "0s"),
        read_share(overlap or "0"),
    )


def _prefetcher(text: str | None, cost: CostModel | None) -> Prefetcher | None:
    from proofs.diagnose.prefetch import read_prefetcher

    if text is None:
        return None
    if cost is None:
        raise ModelError("--prefetch is about times: they need a --tier and the size of an expert")
    return read_prefetcher(text)


# The page in the terminal: what every size says, then details of the first one.


def _show(document: Mapping[str, Any]) -> None:
    trace, model, sizes = document["trace"], document["model"], document["sizes"]
    pages = trace["pages"] if isinstance(trace["pages"], int) else "/".join(map(str, trace["pages"]))
    title = (
        f"{trace['name']}: misses on {trace['requests']:,} requests, {trace['tokens']:,} tokens, "
        f"ℓ = {trace['layers']}, n = {pages}, g = {trace['top_k']} · {model['service']} · "
        f"{model['visits']} · {model['start']}"
    )
    header = ["", "kind", *(f"k = {size['k']}" for size in sizes)]
    write_table(title, header, list(_summary(sizes)), left=(0, 1), notes=list(_verdicts(sizes)))
    if any(size["weighted"] for size in sizes):
        _show_weighted(sizes)
    _show_per_token(document)
    if document["prefetcher"] is not None:
        _show_prefetching(document)
    first = sizes[0]
    _show_layers(document["layers"], first)
    if first["phases"] or first["sequences"]:
        _show_time(first)
    for skip in document["skipped"]:
        write_notes(f"left out: {skip['what']} for k = {', '.join(map(str, skip['k']))}: {skip['reason']}")
    if len(sizes) > 1:
        write_notes(f"layers and time are shown for k = {first['k']}; --json and -o FILE.html hold all sizes")


def _summary(sizes: Sequence[Mapping[str, Any]]) -> Iterator[list[object]]:
    def row(name: str, kind: str, values: Iterator[object]) -> list[object]:
        return [name, kind, *values]

    yield row("LRU", "counted", (size["lru"] for size in sizes))
    yield row("best causal policy", "counted", (size["best"] for size in sizes))
    yield row("  which", "", (size["best_policy"] for size in sizes))
    yield row("OPT", "certified", (size["opt"] for size in sizes))
    yield row("OPT, bypassing", "certified", (size["opt_bypassing"] for size in sizes))
    for inside in ("lru", "opt"):
        values = (size["best_static_split"][inside] for size in sizes)
        yield row(f"best static split, {inside.upper()}", "exact, hindsight", values)
    yield row("best static pinning", "exact, hindsight", (size["best_static_pinning"] for size in sizes))
    yield row("compulsory", "exact", (size["compulsory"] for size in sizes))
    yield row("LRU's miss rate", "observed", (_percent(size["miss_rate"]) for size in sizes))
    yield row("  the working set's part", "observed", (_percent(size["working_set_share"]) for size in sizes))
    yield row("  the policy's part", "observed", (_percent(size["policy_share"]) for size in sizes))


def _verdicts(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for size in sizes:
        yield size["whose"]
        yield f"  {size['differ']['text']}"
        yield f"  {size['sharing']['text']}"
        yield from (f"  {sentence}" for sentence in size["recommendation"]["sentences"])


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _show_weighted(sizes: Sequence[Mapping[str, Any]]) -> None:
    """Show what misses cost where pages have weights; unit weights leave nothing to say."""
    names = dict.fromkeys(row["policy"] for size in sizes for row in size["weighted"]["policies"])
    costs = [{row["policy"]: row["cost"] for row in size["weighted"]["policies"]} for size in sizes]
    rows: list[list[object]] = [[name, "counted", *(cost.get(name) for cost in costs)] for name in names]
    rows.append(["OPT", "exact", *(size["weighted"]["opt"] for size in sizes)])
    header = ["cost, weighted", "kind", *(f"k = {size['k']}" for size in sizes)]
    notes = ["the tables around this one count misses, each as 1"]
    write_table("what the misses cost · weighted", header, rows, left=(0, 1), notes=notes)


def _show_per_token(document: Mapping[str, Any]) -> None:
    header = ["k", "", "mean", "p50", "p95", "p99", "max"]
    costs = document["cost_model"] is not None
    if costs:
        header += ["GB moved", "ms", "ms p95", "tokens/s"]
    rows = []
    for size in document["sizes"]:
        for name, label in NAMES.items():
            found = size["misses_per_token"][name]
            row = [
                size["k"],
                label,
                f"{float(found['mean']):.1f}",
                *(found[key] for key in ("p50", "p95", "p99", "max")),
            ]
            if costs:
                cost = size["cost"][name]
                rate = cost["tokens_per_second"]
                row += [
                    f"{cost['gigabytes_moved']:,.1f}",
                    f"{cost['ms_per_token']:,.2f}",
                    f"{cost['ms_p95']:,.2f}",
                    None if rate is None else f"{rate:,.2f}",
                ]
            rows.append(row)
    phase = "" if document["phase"] == "all" else f"{document['phase']} "
    title = f"misses per token, {document['tokens_counted']:,} {phase}tokens · counted"
    write_table(title + " · costs estimated" * costs, header, rows, left=(1,))


def _show_prefetching(document: Mapping[str, Any]) -> None:
    header = [
        "k",
        "",
        "ms",
        "tokens/s",
        "stall ms",
        "loads",
        "prefetches",
        "useful",
        "late",
        "wasted",
        "collisions",
    ]
    rows = []
    for size in document["sizes"]:
        for name, label in (("without", "on demand"), ("with", "prefetching")):
            run = size["prefetch"][name]
            rate = run["tokens_per_second"]
            counts = ("demand_loads", "prefetches", "useful", "late", "wasted", "collisions")
            rows.append(
                [
                    size["k"],
                    label,
                    f"{run['ms_per_token']:,.2f}",
                    None if rate is None else f"{rate:,.2f}",
                    f"{1000 * run['stall_seconds'] / document['trace']['tokens']:,.2f}",
                    *(run[count] for count in counts),
                ]
            )
    title = f"prefetching: {document['prefetcher']} · LRU, atomic visits, one link · estimated"
    notes = [f"k = {size['k']}: {size['prefetch']['text']}" for size in document["sizes"]]
    write_table(title, header, rows, left=(1,), notes=notes)


def _show_layers(layers: Sequence[Mapping[str, Any]], size: Mapping[str, Any]) -> None:
    header = ["layer", "entropy", "hottest", "repeats", "reuse p50", "p95", "LRU", "LLRU", "best", "OPT"]
    rows = [
        [
            facts["layer"],
            f"{facts['entropy_bits']:.2f}",
            _percent(facts["hottest_share"]),
            None if facts["repeat_rate"] is None else _percent(facts["repeat_rate"]),
            facts["reuse_rounds_p50"],
            facts["reuse_rounds_p95"],
            *(missed[name] for name in ("lru", "llru", "best", "opt")),
        ]
        for facts, missed in zip(layers, size["layers"], strict=True)
    ]
    title = f"layers at k = {size['k']}: entropy in bits, hottest expert, reuse in rounds; misses"
    write_table(title, header, rows)


def _show_time(size: Mapping[str, Any]) -> None:
    rows = [_time_row(row["phase"], row) for row in size["phases"]]
    ranked = sorted(size["sequences"], key=lambda row: -row["lru"] / row["tokens"])
    rows += [_time_row(f"sequence {row['seq_id']}", row) for row in ranked[:SEQUENCES]]
    title = f"misses per token over time at k = {size['k']}"
    if len(ranked) > SEQUENCES:
        title += f", the {SEQUENCES} of {len(ranked)} sequences that LRU misses most in"
    write_table(title, ["", "tokens", *NAMES.values()], rows)


def _time_row(name: str, row: Mapping[str, Any]) -> list[object]:
    return [name, row["tokens"], *(f"{row[key] / row['tokens']:.1f}" for key in NAMES)]
