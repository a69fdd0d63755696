"""``paging randomized-value``: the best ratio of any randomised policy, for small instances."""

from __future__ import annotations

from fractions import Fraction

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import (
    WholeIn,
    cache_option,
    certificate_option,
    json_option,
    layers_option,
    max_states_option,
    pages_option,
    table_option,
)
from paging.cli.terminal import provenance, status, write_json, write_table
from paging.errors import LimitError
from paging.signals import stoppable


@click.command("randomized-value")
@layers_option(required=True)
@pages_option("--universe", required=True)
@cache_option(required=True)
@max_states_option(
    default=400,
    show_default=True,
    help="Leave instances with more work-function states up to renaming to the theorems.",
)
@click.option(
    "--max-columns",
    type=WholeIn(min=1),
    default=100_000,
    show_default=True,
    metavar="C",
    help="Largest linear program for the lower bound.",
)
@certificate_option(help="Write a certificate (.json or .json.gz) of both bounds, for 'paging verify'.")
@json_option()
@table_option()
def randomized_value(
    layers: int,
    pages: int | tuple[int, ...],
    cache: int,
    max_states: int,
    max_columns: int,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Compute the best competitive ratio of any randomised policy against an oblivious adversary.

    From above a policy: a distribution over caches for every work function, by a linear program. From below
    random requests that are hard for every policy (Yao's principle), by another one. Both are rounded to
    fractions and proved exactly. Where they meet the value is exact, else the result is an interval, narrowed
    by the theorems of 'paging bounds'.

    Ctrl-C stops and prints the interval known so far (exit code 130).

    \b
    Examples:
      paging randomized-value -l 2 -n 3 -k 3
      paging randomized-value -l 1 -n 5 -k 4 --certificate value.json
      paging randomized-value -l 2 -n 3,2 -k 4 --json
    """
    from paging.certificate import write_certificate
    from paging.model import LayeredInstance
    from proofs.bounds.known import known_value
    from proofs.game.randomized.value import RandomizedValue, shown
    from proofs.game.randomized.value import randomized_value as compute

    instance = LayeredInstance(layers, pages, cache)
    known = known_value("randomized", instance)
    too_large = None
    with stoppable() as stopped, status("randomized-value", show=not as_json, stop=stopped) as watch:
        try:
            found = compute(instance, max_states=max_states, max_columns=max_columns, watch=watch)
        except LimitError as error:
            if certificate is not None:
                raise
            found, too_large = RandomizedValue(instance, None, None, 0), str(error)
    columns = 0 if found.requests is None else found.requests.columns
    facts = provenance(states=found.states, columns=columns)
    if certificate is not None:
        write_certificate(found.certificate(facts), certificate)
    # Where nothing was computed the trivial ends are the theorems' as well.
    both = known.narrowed(found.lower, None if found.policy is None else found.upper)
    value = both.value
    if as_json:
        write_json(
            {
                "instance": found.instance.plain,
                "model": found.instance.model,
                "adversary": "oblivious",
                "value": value,
                "lower": both.lower,
                "upper": both.upper,
                "exact": value is not None,
                "theorems": both.plain,
                "additive": None if found.policy is None else found.policy.additive,
                "states": found.states,
                "columns": columns,
                "output": certificate,
                "provenance": facts,
            }
        )
    else:
        notes = both.notes
        if too_large is not None:
            notes.append(f"Nothing was computed: {too_large}.")
        elif found.requests is None and both.below is None:
            notes.append(
                "No lower bound but the trivial one: no cache has a page in every layer, or stopped."
            )
        if certificate is not None:
            notes.append(f"Certificate written to {certificate}")
        write_table(
            f"Best randomised ratio, oblivious adversary: {found.instance}",
            ["at least", "at most", "states", "columns", "this is"],
            [
                [
                    shown(Fraction(both.lower)),
                    shown(Fraction(both.upper), up=True),
                    found.states,
                    columns,
                    "exact" if value else "an interval",
                ]
            ],
            left=(4,),
            notes=notes,
        )
    if stopped():
        leave(Exit.INTERRUPTED)
