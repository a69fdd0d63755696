"""``paging fractional``: weighted paging in parts, a bound on OPT known online, and its rounding."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from paging.cli.options import (
    Source,
    WholeIn,
    cache_option,
    certificate_option,
    json_option,
    opt_cache_option,
    source_options,
    table_option,
)
from paging.cli.terminal import progress, provenance, requests_note, tell_written, write_json, write_table

if TYPE_CHECKING:
    from paging.fractional import FractionalRun
    from paging.rounding import RoundedRun


@click.command()
@cache_option()
@opt_cache_option()
@source_options
@click.option(
    "--unknown",
    type=click.Choice(["two-point", "uniform", "fixed"]),
    help="Besides, hide the weights: evicting a page shows one sample, which is half the weight or the "
    "largest one, uniform around the weight, or always the weight.",
)
@click.option(
    "--rows",
    type=WholeIn(2, 1 << 16),
    metavar="R",
    default=256,
    show_default=True,
    help="Equally likely caches to which the fractions are rounded.",
)
@click.option("--opt/--no-opt", "exact", default=True, show_default=True, help="Compute OPT, offline.")
@certificate_option(help="Write the lower bound (.json or .json.gz), for 'paging verify'.")
@json_option()
@table_option()
def fractional(
    cache: int | None,
    opt_cache: int | None,
    source: Source,
    unknown: str | None,
    rows: int,
    exact: bool,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Serve requests with pages cached in parts, and bound OPT from below while they are served.

    The fractional primal–dual algorithm of weighted paging pays at most 2 ln(1 + k/(k − h + 1)) times a
    lower bound on OPT with h slots that it knows at every moment. Rounded to equally likely caches it is a
    randomised policy, whose expected cost is counted exactly.

    \b
    Examples:
      paging fractional --workload zipf:requests=2000 -l 2 -n 8 -k 6 --weights layer:1,4
      paging fractional --requests "0 1 2 0 1 2" -n 3 -k 2 --opt-cache 1 --certificate bound.json
      paging fractional --workload uniform:requests=900 -l 1 -n 9 -k 8 --weights tier:8*1,1*2 --unknown fixed
    """
    from lp import best_dual, dual_value, online_dual, optimum
    from lp.certificate import dual_certificate
    from paging.certificate import write_certificate
    from paging.fractional import serve_fractionally
    from paging.rounding import serve_rounded

    with progress("reading requests", show=not as_json):
        sequence, origin = source.sequence(cache)
    with progress("serving", show=not as_json):
        run = serve_fractionally(sequence, opt_cache=opt_cache)
        rounded, hidden = None, None
        if sequence.instance.cache < sequence.instance.total_pages:
            rounded = serve_rounded(sequence, rows=rows, seed=source.seed)
            if unknown is not None:
                hidden = serve_rounded(
                    sequence,
                    known=False,
                    samples=unknown,  # type: ignore[arg-type]  # click.Choice
                    horizon=max(1, len(sequence)),
                    rows=rows,
                    seed=source.seed,
                )
    with progress("bounding OPT", show=not as_json):
        online, hindsight = dual_value(*online_dual(run)), best_dual(run)
        best = optimum(sequence.with_cache(run.opt_cache)).value if exact else None
    if certificate is not None:
        made = provenance(algorithm="fractional primal–dual", **origin)
        write_certificate(dual_certificate(*hindsight, made), certificate)
        tell_written(certificate)
    found = _numbers(run, rounded, hidden, online, dual_value(*hindsight), best)
    if as_json:
        model, instance = sequence.instance.model, sequence.instance.plain
        write_json(
            {
                **{name: value for name, _, value in found},
                "opt_cache": run.opt_cache,
                "requests": len(sequence),
                "instance": instance,
                "model": model,
                "tolerance": run.breach,
                "provenance": provenance(seed=source.seed, rows=rows, unknown=unknown, **origin),
            }
        )
        return
    title = f"fractional · {len(sequence):,} requests, {sequence.instance} · h = {run.opt_cache}"
    notes = [requests_note(origin)]
    if rounded is not None:
        notes.append(
            f"rounded to {rows} equally likely caches, which were consistent, balanced and valid after every "
            f"request; no fraction was further than {rounded.deviation:.2g} from its part of the caches"
        )
    shown = [[words, _shown(value)] for _, words, value in found]
    write_table(title, ["what", "value"], shown, left=(0,), notes=notes)


def _shown(value: object) -> object:
    """Return a number for the table: parts of caches and of a dual are easier read as decimals."""
    return float(value) if isinstance(value, Fraction) and value.denominator > 1 else value


def _numbers(
    run: FractionalRun,
    rounded: RoundedRun | None,
    hidden: RoundedRun | None,
    online: Fraction,
    hindsight: Fraction,
    best: int | Fraction | None,
) -> list[tuple[str, str, object]]:
    """Return what is shown: its name in JSON, its words, its value."""
    h = "k" if run.opt_cache == run.sequence.instance.cache else "h"
    guarantee = "2 ln(1 + k)" if h == "k" else "2 ln(1 + k/(k − h + 1))"
    found: list[tuple[str, str, object]] = [
        ("fractional_cost", "fractional cost of evictions", run.cost),
        ("guarantee", f"at most this many times the lower bound: {guarantee}", run.guarantee),
        ("lower_bound_online", "lower bound on OPT, known online", run.lower_bound),
        ("lower_bound_exact", "… counted in whole numbers, with loads", online),
        ("lower_bound_hindsight", "… times the best factor, in hindsight", hindsight),
    ]
    if best is not None:
        found.append(("opt", f"OPT with {h} slots", best))
    if rounded is not None:
        found += [
            ("rounded_evictions", "rounded to caches: expected cost of evictions", rounded.evicted_cost),
            ("rounded_loads", "… of loads, as policies are charged", rounded.expected_cost),
        ]
    if hidden is not None:
        cache = run.sequence.instance.cache
        found += [
            (
                "unknown_fractional",
                "unknown weights: fractional cost at the mean weights",
                hidden.fractional_cost,
            ),
            ("unknown_upper", "… at upper confidence bounds", hidden.fractional_upper),
            ("unknown_regret_bound", "… may exceed 2 ln(1 + k)·OPT by", hidden.regret_bound),
            ("unknown_evictions", "… rounded: expected cost of evictions", hidden.evicted_cost),
            ("unknown_loads", "… rounded: expected cost of loads", hidden.expected_cost),
            ("unknown_samples", "… samples asked for", hidden.samples),
        ]
        if best is not None and h == "k":
            limit = 2 * math.log(1 + cache) * float(best) + hidden.regret_bound
            found.append(("unknown_limit", "… limit on the cost at upper bounds", limit))
    return found
