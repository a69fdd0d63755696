"""The commands of the ground floor: run, compare, trace, policies, workloads."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import (
    Source,
    cache_option,
    caches_option,
    json_option,
    layers_option,
    pages_option,
    per_visit_option,
    source_options,
)
from paging.cli.terminal import progress, provenance, remark, write_json, write_marked, write_table
from paging.errors import ModelError, UnsupportedModelError

if TYPE_CHECKING:
    from paging.compare import Comparison
    from paging.policy import Policy
    from paging.traces import Trace

REFERENCES = ("opt", "compulsory")

TIMELINE = {r"(?<=[ \-xFH])F": "bold red", r"(?<=[ \-xFH])x": "yellow"}
"""Colours of a timeline beside its letters."""

LONGEST = 100
"""Characters up to which an entry of a trace's metadata is shown below the table."""

runs_option = click.option(
    "--runs",
    type=click.IntRange(min=2),
    metavar="R",
    default=10,
    show_default=True,
    help="Sampled runs of each randomised policy; shown are their mean and its 95 % interval.",
)


@click.command()
@click.argument("policies", nargs=-1, required=True, metavar="POLICY...")
@cache_option(required=True)
@source_options
@runs_option
@click.option("--opt/--no-opt", "optimum", default=True, show_default=True, help="Compute OPT, offline.")
@click.option(
    "--show",
    is_flag=True,
    help="Draw the cache over time, as many requests as the screen is wide; name opt to see OPT's, too.",
)
@json_option()
def run(
    policies: tuple[str, ...],
    cache: int,
    source: Source,
    runs: int,
    optimum: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Serve one request sequence with policies, beside OPT and the compulsory faults.

    POLICY is a name ('paging policies' lists them), a name with parameters as in
    partitioned:policy=fifo, or a class of your own as mypackage:MyPolicy.

    \b
    Examples:
      paging run lru llru --workload zipf:alpha=1.2,requests=100000 -l 32 -n 8 -k 96
      paging run lru mark partitioned:policy=fifo --trace routing.npz -k 128 --runs 30
      paging run lru opt --trace pages.txt -l 2 -n 3,5 -k 4 --json
      paging run lru opt --workload zipf:requests=60 -l 2 -n 4 -k 4 --show
    """
    if show and as_json:
        raise ModelError("--show draws in the terminal; with --json there is nothing to draw")
    result, origin = _compared(source, (cache,), policies, optimum, runs, as_json)
    refused = [skip for skip in result.skipped if skip.policy not in REFERENCES]
    if refused:
        raise UnsupportedModelError(refused[0].reason)
    if as_json:
        _write_result(result, origin)
        return
    if show:
        _draw_timelines(policies, source, cache)
    header = ["policy", "faults", "±", "fault rate", "ratio to opt", "saving over lru"]
    rows = [
        [
            row.policy,
            row.faults if row.estimate is None else f"{row.faults:,.1f}",
            None if row.estimate is None else f"{row.estimate.half_width:,.1f}",
            _decimal(row.fault_rate),
            _decimal(row.vs_opt),
            _percent(row.saving),
        ]
        for row in result.rows
    ]
    if all(row.estimate is None for row in result.rows):
        header, rows = header[:2] + header[3:], [line[:2] + line[3:] for line in rows]
    write_table(_title(result), header, rows, notes=_notes(result, origin))


@click.command()
@caches_option(required=True)
@source_options
@click.option(
    "-p",
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY",
    help="Policy to compare; may be given several times.  [default: all registered]",
)
@runs_option
@click.option(
    "--show",
    type=click.Choice(["faults", "rate", "ratio", "saving"]),
    default="faults",
    show_default=True,
    help="What the table holds: faults, faults per request, ratio to OPT, saving over LRU. JSON holds all.",
)
@json_option()
def compare(
    caches: tuple[int, ...], source: Source, policies: tuple[str, ...], runs: int, show: str, as_json: bool
) -> None:
    """Compare policies over several cache sizes on one request sequence.

    Without -p all registered policies are compared and the table is sorted, best first. What does not serve
    the model's variant or a cache size is left out, with the reason below the table.

    \b
    Examples:
      paging compare --trace routing.npz -k 64,96,128
      paging compare --trace routing.npz -k 64:224:32 -p lru -p llru -p llru-lazy --show saving
      paging compare --workload zipf:alpha=1,rounds=5000 -l 16 -n 8 -k 32:96:16 --json
    """
    result, origin = _compared(source, caches, policies or None, True, runs, as_json)
    _refuse_unserved(result, policies)
    if as_json:
        _write_result(result, origin)
        return
    names = list(result.policies)
    if not policies:
        names.sort(key=lambda name: _mean_rate(result, name))
    rows = [[name, *(_shown(result, name, cache, show) for cache in result.caches)] for name in names]
    header = ["policy", *(f"k = {cache}" for cache in result.caches)]
    kinds = {"faults": "faults", "rate": "faults per request", "ratio": "faults / faults of OPT, observed"}
    title = f"{kinds.get(show, 'share of the faults of LRU that is saved')} · {_title(result)}"
    write_table(title, header, rows, notes=_notes(result, origin))


def _draw_timelines(policies: tuple[str, ...], source: Source, cache: int) -> None:
    """Draw the cache of every policy over time; ``compulsory`` names no cache."""
    from paging.viewer.timeline import cache_timeline

    sequence, _ = source.sequence(cache)
    width = shutil.get_terminal_size().columns
    for policy in policies:
        if policy != "compulsory":
            write_marked(cache_timeline(policy, sequence, width=width, seed=source.seed) + "\n\n", TIMELINE)


def _compared(
    source: Source,
    caches: tuple[int, ...],
    policies: tuple[str, ...] | None,
    optimum: bool,
    runs: int,
    as_json: bool,
) -> tuple[Comparison, dict[str, object]]:
    """Read or generate the requests and compare; ``opt`` and ``compulsory`` may be named as policies."""
    from paging.compare import compare
    from paging.policy import get_policy

    chosen = None
    if policies is not None:
        chosen = [get_policy(name) for name in policies if name not in REFERENCES]
        optimum = optimum or "opt" in policies
    with progress("reading requests", show=not as_json):
        sequence, origin = source.sequence(caches[0])
    with progress("serving", show=not as_json) as report:
        result = compare(
            sequence, caches, chosen, optimum=optimum, runs=runs, seed=source.seed, progress=report
        )
    return result, origin


def _refuse_unserved(result: Comparison, named: tuple[str, ...]) -> None:
    """Refuse a comparison in which a policy that was asked for has no row at all."""
    for skip in result.skipped:
        if named and skip.policy not in (*result.policies, *REFERENCES):
            raise UnsupportedModelError(skip.reason)


def _write_result(result: Comparison, origin: dict[str, object]) -> None:
    write_json({**result.as_dict(), "provenance": provenance(seed=result.seed, **origin)})


def _shown(result: Comparison, policy: str, cache: int, show: str) -> object:
    row = result.row(policy, cache)
    if row is None:
        return None
    if show == "saving":
        return _percent(row.saving)
    if show == "faults":
        return row.faults if row.estimate is None else f"{row.faults:,.1f} ± {row.estimate.half_width:,.1f}"
    return _decimal(row.fault_rate if show == "rate" else row.vs_opt)


def _mean_rate(result: Comparison, policy: str) -> float:
    rates = [float(row.fault_rate or 0) for row in result.rows if row.policy == policy]
    return sum(rates) / len(rates)


def _decimal(number: Any) -> float | None:
    return None if number is None else float(number)


def _percent(share: Any) -> str | None:
    return None if share is None else f"{100 * float(share):.2f} %"


def _title(result: Comparison) -> str:
    """Name the instance and the variant of the model, which every number is labelled with."""
    instance, model = result.instance, result.instance.model
    size = f"k = {instance.cache}, " if len(result.caches) == 1 else ""
    pages = instance.pages if isinstance(instance.pages, int) else "/".join(map(str, instance.pages))
    variant = " · ".join(str(model[key]) for key in ("service", "visits", "start"))
    return (
        f"{result.rows[0].requests:,} requests, ℓ = {instance.layers}, n = {pages}, {size}"
        f"g = {instance.per_visit} · {variant}"
    )


def _notes(result: Comparison, origin: dict[str, object]) -> list[str]:
    notes = ["requests: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in origin.items())]
    split = [row.policy for row in result.rows if row.sharing == "per-layer"]
    if split:
        names = ", ".join(dict.fromkeys(split))
        notes.append(f"per-layer, a fixed split of the cache: {names}; all others share it")
    estimate = next((row.estimate for row in result.rows if row.estimate is not None), None)
    if estimate is not None:
        notes.append(
            f"randomised policies: mean of {estimate.runs} sampled runs ± half the width of the "
            f"{estimate.confidence:.0%} interval, seed {result.seed}"
        )
    if any(row.vs_opt is not None for row in result.rows):
        notes.append("ratios to opt are observed on these requests; they bound nothing")
    reasons: dict[tuple[str, str], list[int]] = {}
    for skip in result.skipped:
        reasons.setdefault((skip.policy, skip.reason), []).append(skip.cache)
    for (policy, reason), caches in reasons.items():
        notes.append(f"left out: {policy} for k = {', '.join(map(str, caches))}: {reason}")
    return notes


@click.group()
def trace() -> None:
    """Describe and convert routing traces.

    \b
    Examples:
      paging trace info routing.npz
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3
    """


@trace.command("info")
@click.argument("file", metavar="FILE", type=click.Path())
@layers_option()
@pages_option()
@per_visit_option()
@json_option()
def trace_info(
    file: str,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    per_visit: int | None,
    as_json: bool,
) -> None:
    """Describe a trace: shape, digest, how often experts repeat.

    -l, -n and -g say what a file without a header does not; where the file says it too, both must agree.

    \b
    Examples:
      paging trace info routing.npz
      paging trace info pages.txt -l 2 -n 3,5 --json
    """
    from paging.traces import trace_info as describe

    read = _read(file, layers, pages, per_visit, as_json)
    facts = describe(read)
    if as_json:
        write_json({"file": file, **facts})
        return
    rows: list[list[object]] = []
    for key, value in facts.items():
        if key in ("metadata", "name"):
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {number:.4f}" for name, number in value.items())
        rows.append([key.replace("_", " "), _plain(value)])
    notes = [f"{key}: {value}" for key, value in facts["metadata"].items() if len(str(value)) <= LONGEST]
    longer = len(facts["metadata"]) - len(notes)
    if longer:
        notes.append(f"{longer} longer entries of its metadata: --json shows them")
    write_table(f"{file} ({facts['name']})", ["fact", "value"], rows, left=(0, 1), notes=notes)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return "/".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else value


@trace.command("convert")
@click.argument("source", metavar="FROM", type=click.Path())
@click.argument("target", metavar="TO", type=click.Path())
@layers_option()
@pages_option()
@per_visit_option()
def trace_convert(
    source: str,
    target: str,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    per_visit: int | None,
) -> None:
    """Write a trace in another format; the suffix of TO says which.

    Known are .npz (with a .json beside it), .npy, .jsonl, .txt and .csv, each also with .gz behind. TO
    appears only when it is complete.

    \b
    Examples:
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3,5
    """
    from paging.traces import write_trace

    read = _read(source, layers, pages, per_visit)
    with progress(f"writing {target}"):
        write_trace(read, target)
    remark(f"{target}: {read.requests:,} requests, digest {read.digest}")


def _read(
    file: str,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    per_visit: int | None,
    as_json: bool = False,
) -> Trace:
    from paging.traces import read_trace

    with progress(f"reading {file}", show=not as_json):
        return read_trace(file, layers=layers, pages=pages, per_visit=per_visit)


@click.command()
@click.argument("names", nargs=-1, metavar="[POLICY]...")
@json_option()
def policies(names: tuple[str, ...], as_json: bool) -> None:
    """List the policies, or explain some: rule, traits, guarantee, source.

    Policies of installed packages (entry-point group paging.policies) are listed too.

    \b
    Examples:
      paging policies
      paging policies llru mark
      paging policies --json
    """
    from paging.policy import TRAITS, get_policy
    from paging.policy import registered_policies as registered

    known = registered()
    answers = [get_policy(name) for name in names or known]
    described = [_described(answer) for answer in answers]
    if as_json:
        write_json({"policies": described, "traits": TRAITS})
    elif names:
        sys.stdout.write("\n\n".join(_explained(answer) for answer in answers) + "\n")
    else:
        rows = [[p["id"], p["title"], ", ".join(p["traits"]), _short(p["guarantee"])] for p in described]
        note = "'paging policies NAME' explains one; a guarantee in (…) names its bound, see 'paging bounds'"
        write_table("Policies", ["id", "title", "traits", "guarantee"], rows, left=(0, 1, 2, 3), notes=[note])


def _described(policy: Policy) -> dict[str, Any]:
    from paging.docstrings import sections

    text = " ".join(sections(type(policy)).get("Guarantee", "").split()).replace("``", "")
    guarantee = text.partition(". ")[0].rstrip(".")
    return {
        "id": policy.name,
        "title": policy.title,
        "traits": _traits(policy),
        "guarantee": guarantee or None,
        "parameters": [p for p in inspect.signature(type(policy)).parameters if p not in ("args", "kwargs")],
    }


def _short(guarantee: str | None) -> str | None:
    """Cut a guarantee before its first remark."""
    return guarantee and re.split(r"; |: |, which |, and ", guarantee)[0]


def _traits(policy: Policy) -> list[str]:
    from paging.policy import TRAITS

    return [trait for trait in TRAITS if trait in policy.traits]


def _explained(policy: Policy) -> str:
    text = (inspect.getdoc(type(policy)) or policy.title).replace("``", "")
    return f"{policy.name}\n\n{text}\n\nTraits: {', '.join(_traits(policy))}"


@click.command()
@json_option()
def workloads(as_json: bool) -> None:
    """List the synthetic workloads and their parameters.

    A SPEC is a name with parameters, name:key=value,key=value. Its length, rounds or requests, must be
    given; a/b/c gives a parameter one value per layer.

    \b
    Examples:
      paging workloads
      paging workloads --json
      paging run lru --workload sticky:p=0.8,alpha=1,rounds=1000 -l 4 -n 8 -k 12
    """
    from paging.workloads import LENGTHS, describe_workloads

    described = describe_workloads()
    if as_json:
        write_json({"workloads": described, "lengths": LENGTHS})
        return
    rows = [
        [
            entry["id"] if number == 0 else "",
            f"{parameter['name']}={parameter['default']:g}" if parameter else "",
            f"{parameter['low']:g} … {parameter['high']:g}" if parameter else "",
            parameter["meaning"] if parameter else entry["title"],
        ]
        for entry in described
        for number, parameter in enumerate([None, *entry["parameters"]])
    ]
    notes = [f"{name}: {meaning}" for name, meaning in LENGTHS.items()]
    header = ["workload", "default", "range", "meaning"]
    write_table("Workloads", header, rows, left=(0, 1, 2, 3), notes=notes)
