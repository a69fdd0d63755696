"""``paging opt``: the offline optimum with its proof. It lives here because it can write certificates."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import click

from paging.cli.options import (
    Seconds,
    Source,
    cache_option,
    certificate_option,
    json_option,
    source_options,
    table_option,
)
from paging.cli.streaming import source_in_chunks, streams
from paging.cli.terminal import (
    progress,
    provenance,
    remark,
    requests_note,
    tell_written,
    write_json,
    write_table,
)
from paging.errors import ModelError

if TYPE_CHECKING:
    from lp.result import BetweenBounds
    from paging.model import LayeredInstance

TOLD_FROM = 10**8
"""Bytes of temporary files from which a remark says so."""


@click.command()
@cache_option()
@source_options
@click.option(
    "--route",
    default="auto",
    show_default=True,
    metavar="ROUTE",
    help="How to solve: farthest, paths, lp, flow, flow-ortools, ilp, ilp-highs, ilp-time or ilp-time-highs.",
)
@click.option("--shares", metavar="K1/K2/…", help="Slots per layer: the optimum of this fixed split.")
@certificate_option(
    in_lines=True, help="Write the proof (.json or .json.gz; of a stream .jsonl), for 'paging verify'."
)
@click.option(
    "--time-limit",
    type=Seconds(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop the solver; the answer is an interval.",
)
@click.option(
    "--stream",
    is_flag=True,
    help="Read the trace in chunks and keep what is between them in temporary files (TMPDIR); "
    "a trace that would not fit otherwise is read so anyway.",
)
@json_option()
@table_option()
def opt(
    cache: int | None,
    source: Source,
    route: str,
    shares: str | None,
    certificate: str | None,
    time_limit: float | None,
    stream: bool,
    as_json: bool,
) -> None:
    """Compute the offline optimum of one request sequence, with a proof anyone can check.

    Whatever the route, the upper bound is counted from a schedule and the lower bound is added up from a
    dual, both in whole numbers; no solver is trusted. Where a limit stops the solver, the bounds may differ.

    \b
    Examples:
      paging opt --trace routing.npz -k 200 --certificate opt.json.gz
      paging opt --workload zipf:alpha=1,rounds=100 -l 4 -n 8 -k 12 --route ilp --time-limit 60
      paging opt --sequence requests.json --weights weights.json --json
      paging opt --trace routing.npz -k 200 --stream --certificate opt.jsonl
    """
    from lp import optimum
    from paging.certificate import IN_LINES, WHOLE, check_name, write_certificate

    stream = streams(source, stream, proved=True)
    if certificate is not None:
        check_name(certificate, IN_LINES if stream else WHOLE)
    if stream:
        refused = {"--route": route != "auto", "--shares": shares, "--time-limit": time_limit}
        refused["--weights"] = source.weights
        if other := [name for name, given in refused.items() if given]:
            raise ModelError(f"--stream takes farthest-in-future at unit cost: no {other[0]}")
        _streamed(source, cache, certificate, as_json)
        return
    with progress("reading requests", show=not as_json):
        sequence, origin = source.sequence(cache)
    with progress("solving", show=not as_json):
        found = optimum(sequence, route=route, shares=_shares(shares), time_limit=time_limit)
    if certificate is not None:
        from lp.certificate import optimum_certificate

        made = provenance(route=found.route, seconds=round(found.seconds, 3), **origin)
        write_certificate(optimum_certificate(found, made), certificate)
        tell_written(certificate)
    sharing = "shared" if found.gaps.shares is None else "split " + "/".join(map(str, found.gaps.shares))
    facts = (
        sequence.instance,
        len(sequence),
        sequence.distinct_pages,
        sharing,
        found.gaps.weights is not None,
    )
    _write(found, found.route, *facts, origin, as_json)


def _shares(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split("/"))
    except ValueError:
        raise ModelError(f"--shares {text}: expected one whole number per layer, such as 3/2/2") from None


def _streamed(source: Source, cache: int | None, certificate: str | None, as_json: bool) -> None:
    from lp.streaming import disk_need, gigabytes, streamed_optimum

    with progress("reading", show=not as_json) as watch, source_in_chunks(source, cache) as opened:
        need = disk_need(opened.instance, opened.trace.requests)
        if need > TOLD_FROM:
            remark(f"{gigabytes(need)} of temporary files in {tempfile.gettempdir()}, until the end")
        chunks = opened.digested()
        with streamed_optimum(opened.instance, chunks, opened.trace.requests, watch=watch) as found:
            if certificate is not None:
                made = provenance(route="farthest", seconds=round(found.seconds, 3), **opened.origin)
                found.write_certificate(certificate, made, watch)
                tell_written(certificate)
    facts = (opened.instance, found.requests, found.distinct_pages, "shared", False)
    _write(found, "farthest", *facts, opened.origin, as_json)


def _write(
    found: BetweenBounds,
    route: str,
    instance: LayeredInstance,
    requests: int,
    compulsory: int,
    sharing: str,
    weighted: bool,
    origin: dict[str, object],
    as_json: bool,
) -> None:
    model = {**instance.model, "sharing": sharing}
    if as_json:
        write_json(
            {
                "lower": found.lower,
                "upper": found.upper,
                "route": route,
                "status": found.status,
                "requests": requests,
                "instance": instance.plain,
                "compulsory": compulsory,
                "model": model,
                "weighted": weighted,
                "seconds": found.seconds,
                "provenance": provenance(**origin),
            }
        )
    else:
        title = (
            f"OPT · {requests:,} requests, k = {instance.cache}, "
            f"g = {model['per_visit']} · "
            + " · ".join(str(model[key]) for key in ("service", "visits", "start", "sharing"))
            + (" · weighted" if weighted else "")
        )
        header = ["route", "lower", "upper", "status", "seconds"]
        row = [route, found.lower, found.upper, found.status, f"{found.seconds:.2f}"]
        write_table(title, header, [row], left=(0, 3), notes=[requests_note(origin)])
    if not found.exact:
        remark(f"{found.status}: OPT is only known to lie in {found.lower} … {found.upper}")
    elif found.status != "optimal":
        remark(f"{found.status}; the bounds meet all the same")
