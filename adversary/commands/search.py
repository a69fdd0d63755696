"""The command ``paging adversary search``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import (
    NewFile,
    Seconds,
    WholeIn,
    cache_option,
    certificate_option,
    json_option,
    layers_option,
    pages_option,
    per_visit_option,
    seed_option,
    table_option,
    visits_option,
)
from paging.cli.terminal import progress, provenance, remark, write_json, write_table
from paging.numbers import exact_text
from paging.signals import Count, Watch, stoppable

if TYPE_CHECKING:
    from adversary.cycles.search import Search

FIRST_REMARK, REMARK_EVERY = 1.0, 5.0
"""Seconds before the first remark, and between two; they replace the bar where there is no terminal."""


@click.command()
@click.argument("policy")
@layers_option(required=True)
@pages_option(required=True)
@cache_option(required=True)
@per_visit_option(default=1)
@visits_option()
@click.option(
    "--objective",
    type=click.Choice(["ratio", "gap"]),
    default="ratio",
    show_default=True,
    help="Policy faults per OPT fault, or faults beyond OPT's per request.",
)
@click.option(
    "--budget",
    type=Seconds(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for the whole search, sessions before a checkpoint included.",
)
@click.option("--steps", type=WholeIn(min=0), help="Number of steps for the whole search instead.")
@click.option(
    "--max-states",
    type=WholeIn(min=1),
    default=300_000,
    show_default=True,
    help="Largest product graph searched exhaustively.",
)
@click.option(
    "--no-symmetry",
    is_flag=True,
    help="Do not count states as one that differ by a renaming of pages.",
)
@seed_option()
@click.option(
    "--checkpoint",
    type=NewFile(),
    metavar="FILE",
    help="Save the state of the search there, and continue from it if it exists.",
)
@click.option(
    "--save-every",
    type=Seconds(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between two savings of the checkpoint; it is also saved at the end and when interrupted.",
)
@certificate_option(help="Write the best cycle (.json or .json.gz), for 'paging verify'.")
@json_option()
@table_option()
def search(
    policy: str,
    layers: int,
    pages: int | tuple[int, ...],
    cache: int,
    per_visit: int,
    visits: Literal["sequential", "atomic"],
    objective: str,
    budget: float,
    steps: int | None,
    max_states: int,
    no_symmetry: bool,
    seed: int,
    checkpoint: str | None,
    save_every: float,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Search for the worst cycle of a deterministic policy: a rigorous lower bound on its ratio.

    Small instances are searched exhaustively: the whole product graph of the policy's labels and OPT's work
    function is built, and no cycle in it is better than the one reported. Beyond --max-states a beam over
    that graph and local search on periodic sequences take turns until the budget is used up.

    The result is a cycle: labels and work function return after it, so repeating it forces its ratio.

    \b
    Examples:
      paging adversary search lru -l 2 -n 2 -k 3
      paging adversary search llru -l 2 -n 4 -k 7 --certificate llru.json
      paging adversary search fifo -l 2 -n 4 -k 6 -g 2 --budget 20
      paging adversary search mypackage:MyPolicy -l 2 -n 6 -k 8 --budget 600 --checkpoint my.npz
    """
    from adversary.cycles.search import Search
    from paging.model import LayeredInstance

    found = Search(
        policy,
        LayeredInstance(layers, pages, cache, per_visit, visits),
        objective=objective,
        seed=seed,
        max_states=max_states,
        symmetric=not no_symmetry,
    )
    if checkpoint is not None and Path(checkpoint).exists():
        found.restore(checkpoint)
    with stoppable() as stopped:
        save = None if checkpoint is None else partial(found.save, checkpoint)
        _run(found, steps, budget, stopped, save, save_every, quiet=as_json)
    _report(found, certificate, as_json)
    if stopped():
        leave(Exit.INTERRUPTED)


def _run(
    found: Search,
    steps: int | None,
    budget: float,
    stopped: Callable[[], bool],
    save: Callable[[], None] | None,
    save_every: float,
    quiet: bool,
) -> None:
    """Take steps, count the time, save now and then, and say how it goes: a bar on a terminal, else lines."""
    lines = not (quiet or sys.stderr.isatty())
    begun, earlier = time.monotonic(), found.progress.elapsed
    last = {"save": begun, "remark": begun}
    best = found.best

    def tell(_: Search) -> None:
        nonlocal best
        now = time.monotonic()
        found.progress.elapsed = earlier + now - begun
        if save is not None and now - last["save"] >= save_every:
            save()
            last["save"] = now
        done, total = (found.progress.elapsed, budget) if steps is None else (found.progress.steps, steps)
        bar.tell(Count(done, total, _brief(found)))
        if (
            lines
            and now - begun > FIRST_REMARK
            and (found.best is not best or now - last["remark"] > REMARK_EVERY)
        ):
            remark(_status(found))
            last["remark"], best = now, found.best

    def until() -> bool:
        return stopped() or (steps is None and found.progress.elapsed >= budget)

    with progress(_brief(found), show=not quiet) as bar:
        if not until():
            found.run(steps=steps, watch=Watch(tell, until))
    if save is not None:
        save()


def _status(found: Search) -> str:
    return (
        f"{found.progress.elapsed:.0f} s, step {found.progress.steps}, {_brief(found)}, "
        f"{found.progress.tried:,} sequences tried"
    )


def _brief(found: Search) -> str:
    best = "none yet" if found.best is None else exact_text(found.best.value(found.objective))
    return f"{found.progress.phase}: best {found.objective} {best}, {found.progress.states:,} states"


def _report(found: Search, certificate: str | None, as_json: bool) -> None:
    from paging.certificate import NoCertificateError, write_certificate

    best, progress = found.best, found.progress
    facts = provenance(seed=found.seed, search=progress.method, steps=progress.steps)
    document = found.certificate(facts)
    if certificate is not None:
        if document is None:
            raise NoCertificateError(f"no cycle was found within the budget, so {certificate} is not written")
        write_certificate(document, certificate)
    if as_json:
        write_json(_answer(found, document, certificate))
        return
    certain = "whole graph searched" if progress.exhausted else "a lower bound"
    rows: list[list[object]] = []
    if best is not None:
        rows = [[
            best.policy, best.ratio, best.gap, best.online, best.offline, len(best.prefix),
            len(best.requests), progress.method, certain,
        ]]  # fmt: skip
    write_table(
        f"Worst cycle found: {found.instance}; objective {found.objective}",
        ["policy", "ratio", "gap", "faults", "OPT", "prefix", "cycle", "found by", "this is"],
        rows,
        left=(0, 7, 8),
        notes=[
            f"{_status(found)}.",
            *([] if best is None else [f"Cycle: {best.instance.page_names(best.requests)}"]),
            *([f"Certificate written to {certificate}"] if certificate else []),
        ],
    )


def _answer(found: Search, document: dict[str, object] | None, certificate: str | None) -> dict[str, object]:
    best, progress = found.best, found.progress
    return {
        "policy": found.policy.name,
        "instance": found.instance.plain,
        "model": found.instance.model,
        "objective": found.objective,
        "ratio": None if best is None else best.ratio,
        "gap": None if best is None else best.gap,
        "online": None if best is None else best.online,
        "offline": None if best is None else best.offline,
        "exhausted": progress.exhausted,
        "method": progress.method,
        "symmetry": found.symmetry._asdict(),
        "prefix": None if best is None else best.prefix,
        "cycle": None if best is None else best.requests,
        "certificate": document,
        "output": certificate,
        "steps": progress.steps,
        "states": progress.states,
        "tried": progress.tried,
        "seconds": progress.elapsed,
        "provenance": provenance(seed=found.seed),
    }
