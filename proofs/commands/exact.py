"""``paging exact``: the exact competitive ratio of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import (
    cache_option,
    certificate_option,
    json_option,
    layers_option,
    max_states_option,
    opt_cache_option,
    pages_option,
)
from paging.cli.terminal import provenance, status, write_json, write_table
from paging.signals import stoppable

if TYPE_CHECKING:
    from proofs.ratio.deterministic import ExactRatio
    from proofs.ratio.randomized import RandomizedRatio

SHOWN = 40
"""Requests of a cycle that the table shows; JSON and the certificate hold all."""


@click.command()
@click.argument("policy")
@layers_option(required=True)
@pages_option("--universe", required=True)
@cache_option(required=True)
@opt_cache_option()
@max_states_option(
    help="Give up beyond this many states; the result is then an interval. Needed for a policy that may have "
    "infinitely many."
)
@click.option(
    "--no-symmetry",
    is_flag=True,
    help="Do not count states as one that differ by a renaming of pages.",
)
@certificate_option(help="Write a certificate (.json or .json.gz) of both bounds, for 'paging verify'.")
@json_option()
def exact(
    policy: str,
    layers: int,
    pages: int | tuple[int, ...],
    cache: int,
    opt_cache: int | None,
    max_states: int | None,
    no_symmetry: bool,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Compute the exact competitive ratio of a policy, with a certificate.

    Builds the product graph of the policy's labels and OPT's work function and finds the cycle of largest
    Σ faults / Σ OPT in exact arithmetic. The cycle proves that the policy is no better, a potential on all
    states that it is no worse: faults ≤ ratio·OPT + additive on every request sequence.

    POLICY is any policy with finitely many states, outside ones included; a randomised one is judged by its
    expected faults against an oblivious adversary. Ctrl-C stops and
    prints the interval known so far (exit code 130); so does --max-states (exit code 0).

    \b
    Examples:
      paging exact lru -l 2 -n 3 -k 3
      paging exact llru -l 2 -n 4 -k 7 --certificate llru.json.gz
      paging exact fifo -l 1 -n 6 -k 5 --opt-cache 3 --json
      paging exact mark -l 1 -n 6 -k 4
      paging exact lru -l 3 -n 2,3,2 -k 4
      paging exact mymodule:MyPolicy -l 2 -n 3 -k 4
    """
    from paging.certificate import write_certificate
    from paging.model import LayeredInstance
    from proofs.ratio.competitive import competitive_ratio

    with stoppable() as stopped, status(f"exact {policy}", show=not as_json, stop=stopped) as watch:
        found = competitive_ratio(
            policy,
            LayeredInstance(layers, pages, cache),
            opt_cache=opt_cache,
            max_states=max_states,
            symmetric=not no_symmetry,
            watch=watch,
        )
    facts = provenance(states=found.states, edges=found.edges)
    if certificate is not None:
        write_certificate(found.certificate(facts), certificate)
    if as_json:
        write_json({**answer(found), "output": certificate, "provenance": facts})
    else:
        _report(found, certificate)
    if stopped():
        leave(Exit.INTERRUPTED)


def answer(found: ExactRatio | RandomizedRatio) -> dict[str, object]:
    """Return a result as JSON shows it."""
    cycle = found.cycle
    return {
        "policy": found.policy,
        "instance": found.instance.plain,
        "opt_cache": found.opt_cache,
        "model": found.instance.model,
        "ratio": found.ratio,
        "lower": found.lower,
        "upper": found.ratio,
        "additive": found.additive,
        "exact": found.ratio is not None,
        "prefix": None if cycle is None else cycle.prefix,
        "cycle": None if cycle is None else cycle.requests,
        "online": None if cycle is None else cycle.online,
        "offline": None if cycle is None else cycle.offline,
        "states": found.states,
        "edges": found.edges,
        "iterations": found.iterations,
    }


def _report(found: ExactRatio | RandomizedRatio, certificate: str | None) -> None:
    from paging.numbers import exact_text
    from paging.policy import get_policy

    cycle = found.cycle
    known = exact_text(found.ratio) or f"≥ {exact_text(found.lower)}"
    notes = []
    if found.ratio is None:
        notes.append("Stopped before the whole graph was searched: the ratio is at least this, or unbounded.")
    elif found.additive is not None:
        what = "expected faults" if get_policy(found.policy).randomized else "faults"
        notes.append(f"Every sequence: {what} ≤ {known}·OPT + {found.additive}; no smaller constants do.")
    if cycle is not None:
        shown = " ".join(map(str, cycle.requests[:SHOWN])) + " …" * (len(cycle.requests) > SHOWN)
        notes.append(
            f"Cycle of {len(cycle.requests)} requests: {shown} costs {cycle.online}, OPT {cycle.offline}"
            + (f" (after {len(cycle.prefix)} requests once)." if cycle.prefix else ".")
        )
    if certificate is not None:
        notes.append(f"Certificate written to {certificate}")
    write_table(
        f"Competitive ratio: {found.instance}",
        ["policy", "ratio", "OPT's cache", "states", "edges", "this is"],
        [
            [
                found.policy,
                known,
                found.opt_cache,
                found.states,
                found.edges,
                "a lower bound" if found.ratio is None else "exact",
            ]
        ],
        left=(0, 5),
        notes=notes,
    )
