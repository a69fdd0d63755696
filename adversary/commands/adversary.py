"""The command ``paging adversary``: list the constructions, build one, run policies on it, save it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import (
    F,
    NewFile,
    WholeIn,
    cache_option,
    certificate_option,
    json_option,
    layers_option,
    pages_option,
    per_visit_option,
    seed_option,
    table_option,
)
from paging.cli.terminal import provenance, write_json, write_table
from paging.errors import ModelError, UnknownNameError

if TYPE_CHECKING:
    from adversary.construction import Adversary, Construction


class Gallery(click.Group):
    """``list``, ``search``, and one sub-command for every registered construction."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from adversary import constructions

        return ["list", "search", *constructions()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in self.commands:
            return self.commands[name]
        if name == "search":
            from adversary.commands.search import search

            return search
        from adversary import constructions

        found = constructions().get(name.lower())
        return None if found is None else _command(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0].lower() not in known:
            raise UnknownNameError("construction", args[0], known)
        return super().resolve_command(ctx, args)


@click.group(cls=Gallery)
def adversary() -> None:
    """Build hard inputs: lower-bound constructions with a checked promise.

    \b
    Examples:
      paging adversary list
      paging adversary cyclic -l 2 -n 4 -k 7
      paging adversary missing-page -l 3 -n 4 -k 8 -p llru -p clock
      paging adversary sleator-tarjan -n 12 -k 6 --option opt_cache=3 -o hard.txt
      paging adversary search llru -l 2 -n 4 -k 7
    """


@adversary.command("list")
@json_option()
@table_option()
def list_constructions(as_json: bool) -> None:
    """List all constructions: whom they hurt and the bound they prove."""
    from adversary import constructions

    rows = [
        {
            "id": a.id,
            "bound": a.bound,
            "kind": a.kind,
            "bad_for": a.bad_for,
            "source": a.source,
            "status": a.status,
            "title": a.title,
            "victims": a.victims,
            "options": a.options,
        }
        for a in constructions().values()
    ]
    if as_json:
        write_json({"rows": rows})
        return
    write_table(
        "Constructions",
        ["id", "bound", "kind", "bad for", "what it does"],
        [[row["id"], row["bound"], row["kind"], row["bad_for"], row["title"]] for row in rows],
        left=(0, 1, 2, 3, 4),
        notes=["'paging adversary NAME --help' gives conditions, promise and offline schedule."],
    )


def _command(found: Adversary) -> click.Command:
    """Turn a registered construction into a sub-command; its help is the construction's docstring."""

    def command(**asked: Any) -> None:
        _run(found, **asked)

    for option in reversed(_options(found)):
        command = option(command)
    return click.command(found.id, short_help=found.title, help=_help(found))(command)


def _options(found: Adversary) -> list[Callable[[Any], Any]]:
    """Return the options of a construction's sub-command in the order of its help."""
    victims, options = ", ".join(found.victims), ", ".join(found.options) or "it has none"
    against = f"Policy to run on it; may be given several times.  [default: {victims}]"
    save = "Save the requests as a trace (suffix decides the format); one policy only if adaptive."
    return [
        layers_option(),
        pages_option(),
        cache_option(),
        *([per_visit_option()] if found.demo.per_visit > 1 else []),
        seed_option(),
        click.option(
            "--rounds",
            type=WholeIn(min=1),
            default=1000,
            show_default=True,
            help="Length in rounds of ℓ requests.",
        ),
        click.option("-p", "--policy", "policies", multiple=True, metavar="POLICY", help=against),
        click.option(
            "--option",
            "options",
            multiple=True,
            metavar="KEY=VALUE",
            help=f"Option of this construction: {options}.",
        ),
        click.option("-o", "--output", type=NewFile(), metavar="FILE", help=save),
        _runs_option(found),
        _certificate_option(found),
        json_option(),
        table_option(),
    ]


def _run(
    found: Adversary,
    layers: int | None,
    pages: int | tuple[int, ...] | None,
    cache: int | None,
    seed: int,
    rounds: int,
    policies: tuple[str, ...],
    options: tuple[str, ...],
    output: str | None,
    as_json: bool,
    runs: int = 0,
    certificate: str | None = None,
    per_visit: int | None = None,
) -> None:
    """Build a construction against every policy, save what is asked for and show what was measured."""
    if certificate or (output and found.kind == "adaptive"):
        chosen = _only_one(found, policies, "certify" if certificate else "save requests")
    else:
        chosen = policies or found.victims
    build = found.read_options(options)
    build |= {"instance": found.instance(layers, pages, cache, per_visit), "rounds": rounds, "seed": seed}
    built = [found(policy=policy, **build) for policy in chosen]
    rows = [_measured(one, policy, seed) for one, policy in zip(built, chosen, strict=True)]
    if runs:
        _estimate(found, rows, runs, build)
    if output:
        _save(built[0], output)
    if certificate:
        _write_certificate(built[0], chosen[0], certificate)
    if as_json:
        write_json(_document(built[0], rows, output, certificate))
    else:
        _show(built[0], rows, output, certificate)


def _runs_option(found: Adversary) -> Callable[[F], F]:
    """``--runs`` for random constructions; nothing for the others, which have nothing to sample."""
    if found.kind != "random":
        return lambda command: command
    text = "Independent samples for the ratio's 95 % confidence interval; 0 for none."
    return click.option("--runs", type=RUNS, default=20, show_default=True, help=text)


def _certificate_option(found: Adversary) -> Callable[[F], F]:
    """``--certificate`` for plain constructions that a deterministic policy runs round in cycles on."""
    if found.kind == "random" or found.told:
        return lambda command: command
    text = "Write the cycle that the policy runs into (.json or .json.gz), for 'paging verify'."
    return certificate_option(help=text)


def _write_certificate(built: Construction, policy: str, path: str) -> None:
    from adversary.cycles.cycle import construction_cycle, cycle_certificate
    from paging.certificate import write_certificate

    cycle, facts = construction_cycle(built, policy), provenance(construction=built.id)
    write_certificate(cycle_certificate(cycle, policy, provenance=facts), path)


class _Runs(WholeIn):
    """0, or at least 2: one sample has no interval."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if number == 1:
            self.fail("1 sample has no interval; give 0 or at least 2.", param, ctx)
        return number


RUNS = _Runs(min=0)


def _help(found: Adversary) -> str:
    from adversary.docs import SECTIONS, conditions

    parts = {name: found.sections.get(name) for name in SECTIONS} | {"Conditions": conditions(found)}
    blocks = [f"{name}\n{'-' * len(name)}\n{body}" for name, body in parts.items() if body]
    # click rewraps paragraphs; a line with \b keeps one as it is.
    return "\n\n".join([found.sections[""], *blocks]).replace("\n\n", "\n\n\b\n")


def _only_one(found: Adversary, policies: tuple[str, ...], purpose: str) -> tuple[str, ...]:
    if len(policies) > 1:
        raise ModelError(f"{found.id} with several policies: name one policy with -p to {purpose}")
    return policies or found.victims[:1]


def _measured(built: Construction, policy: str, seed: int) -> dict[str, Any]:
    """Run a policy on a construction and check what was promised."""
    from paging.offline import farthest_in_future

    run = built.run(policy, seed=seed)
    built.offline.check()
    offline = built.offline
    small = offline.sequence.instance.cache
    return {
        "policy": run.policy,
        "k": built.sequence.instance.cache,
        "opt_k": small,
        "requests": len(built.sequence),
        "periods": built.periods,
        "faults": run.faults,
        "offline": offline.faults,
        "opt": farthest_in_future(built.sequence.with_cache(small)).faults,
        "observed": run.faults / offline.faults if offline.faults else float("inf"),
        "limit": built.limit,
        "promise": _promise(built, run),
        **_wrong(built),
    }


def _wrong(built: Construction) -> dict[str, int]:
    """Count the errors of predictions, by the offline schedule."""
    from paging.predicted import PredictedSequence
    from paging.predictors import prediction_errors

    if not isinstance(built.sequence, PredictedSequence):
        return {}
    return prediction_errors(built.sequence, built.offline).given


def _promise(built: Construction, run: Any) -> str:
    from adversary.construction import BrokenPromiseError

    if built.promise.in_expectation:
        return "in expectation"
    try:
        built.check(run)
    except BrokenPromiseError:
        return "not kept"
    return "kept"


def _estimate(found: Adversary, rows: list[dict[str, Any]], runs: int, build: dict[str, Any]) -> None:
    """Add to every row the ratio estimated from independent samples."""
    from adversary.sampling import sample_ratio

    for row in rows:
        row["estimate"] = sample_ratio(found, row["policy"], runs=runs, **build)


def _save(built: Construction, path: str) -> None:
    from paging.traces import Trace, write_trace

    write_trace(Trace.from_sequence(built.sequence, name=built.id), path)


def _document(
    built: Construction, rows: list[dict[str, Any]], output: str | None, certificate: str | None
) -> dict[str, object]:
    """Return everything measured as plain values for JSON."""
    from adversary.formulas import formula

    promise, instance = built.promise, built.sequence.instance
    return {
        "construction": built.id,
        "bound": built.bound,
        "instance": instance.plain,
        "model": instance.model,
        "promise": {
            "period": promise.period,
            "online": formula(promise.online),
            "offline": formula(promise.offline),
            "start": formula(promise.start),
            "limit": formula(promise.limit),
            "in_expectation": promise.in_expectation,
            "wrong0": formula(promise.wrong[0]),
            "wrong1": formula(promise.wrong[1]),
            "besides": [formula(form) for form in promise.besides],
        },
        "predictions": built.sequence.kind,
        "rows": [_plain(row) for row in rows],
        "output": output,
        "certificate": certificate,
        "provenance": provenance(seed=built.seed),
    }


def _plain(row: dict[str, Any]) -> dict[str, object]:
    """Return a row for JSON: the estimate as plain numbers."""
    if "estimate" not in row:
        return row
    estimate = row["estimate"]
    numbers = {"ratio": estimate.ratio, "half_width": estimate.half_width, "runs": estimate.runs}
    return {**row, "estimate": numbers}


def _show(
    built: Construction, rows: list[dict[str, Any]], output: str | None, certificate: str | None
) -> None:
    """Write the table, and below it the promise and what was saved."""
    errors = {"eta0": "wrong bits 0", "eta1": "wrong bits 1"}
    told = tuple(name for name in errors if name in rows[0])
    columns = ("policy", "requests", "faults", "offline", *told, "opt", "observed", "limit", "promise")
    names = {"offline": "offline schedule", "opt": "OPT", "observed": "observed ratio", **errors}
    samples = [(row["policy"], row["estimate"]) for row in rows if "estimate" in row]
    write_table(
        f"{built.id}: {built.sequence.instance}; bound {built.bound}",
        [names.get(column, column) for column in columns],
        [[row[column] for column in columns] for row in rows],
        left=(0, len(columns) - 1),
        notes=[
            *(f"{policy}: ratio {found}, 95 % interval, {found.runs} samples." for policy, found in samples),
            _promised(built),
            *([f"Requests saved to {output}"] if output else []),
            *([f"Certificate written to {certificate}"] if certificate else []),
        ],
    )


def _promised(built: Construction) -> str:
    from adversary.construction import short_formula
    from adversary.formulas import formula

    promise = built.promise
    every = "in expectation, per" if promise.in_expectation else "per"
    return (
        f"Promise {every} {promise.period}: {promise.words}; offline start ≤ {formula(promise.start)}. "
        f"Limit: {short_formula(promise.limit)}."
    )
