"""``paging opt``: the offline optimum with its proof. It lives here because it can write certificates."""

from __future__ import annotations

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
from paging.cli.terminal import progress, provenance, remark, requests_note, write_json, write_table
from paging.errors import ModelError

if TYPE_CHECKING:
    from lp import Optimum


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
@certificate_option(help="Write the proof (.json or .json.gz), for 'paging verify'.")
@click.option(
    "--time-limit",
    type=Seconds(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop the solver; the answer is an interval.",
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
    """
    from lp import optimum
    from paging.certificate import write_certificate

    with progress("reading requests", show=not as_json):
        sequence, origin = source.sequence(cache)
    with progress("solving", show=not as_json):
        found = optimum(sequence, route=route, shares=_shares(shares), time_limit=time_limit)
    if certificate is not None:
        from lp.certificate import optimum_certificate

        made = provenance(route=found.route, seconds=round(found.seconds, 3), **origin)
        write_certificate(optimum_certificate(found, made), certificate)
        remark(f"certificate written; check it with: paging verify {certificate}")
    _write(found, origin, as_json)


def _shares(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split("/"))
    except ValueError:
        raise ModelError(f"--shares {text}: expected one whole number per layer, such as 3/2/2") from None


def _write(found: Optimum, origin: dict[str, object], as_json: bool) -> None:
    sequence = found.sequence
    sharing = "shared" if found.gaps.shares is None else "split " + "/".join(map(str, found.gaps.shares))
    model = {**sequence.instance.model, "sharing": sharing}
    if as_json:
        write_json(
            {
                "lower": found.lower,
                "upper": found.upper,
                "route": found.route,
                "status": found.status,
                "requests": len(sequence),
                "instance": sequence.instance.plain,
                "compulsory": sequence.distinct_pages,
                "model": model,
                "weighted": found.gaps.weights is not None,
                "seconds": found.seconds,
                "provenance": provenance(**origin),
            }
        )
    else:
        title = (
            f"OPT · {len(sequence):,} requests, k = {sequence.instance.cache}, "
            f"g = {model['per_visit']} · "
            + " · ".join(str(model[key]) for key in ("service", "visits", "start", "sharing"))
            + (" · weighted" if found.gaps.weights is not None else "")
        )
        header = ["route", "lower", "upper", "status", "seconds"]
        row = [found.route, found.lower, found.upper, found.status, f"{found.seconds:.2f}"]
        write_table(title, header, [row], left=(0, 3), notes=[requests_note(origin)])
    if not found.exact:
        remark(f"{found.status}: OPT is only known to lie in {found.lower} … {found.upper}")
    elif found.status != "optimal":
        remark(f"{found.status}; the bounds meet all the same")
