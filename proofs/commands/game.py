"""``paging game``: the best competitive ratio of any deterministic algorithm."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import (
    cache_option,
    certificate_option,
    coefficient_options,
    json_option,
    layers_option,
    max_states_option,
    opt_cache_option,
    pages_option,
    per_visit_option,
    table_option,
    visits_option,
    weights_option,
    with_weights,
)
from paging.cli.terminal import provenance, status, write_json, write_table
from paging.errors import ModelError
from paging.signals import stoppable
from proofs.commands import trade_off

PROBED = 50_000
"""States up to which the game is solved though the theorems say its value."""

if TYPE_CHECKING:
    from paging.model import LayeredInstance
    from proofs.bounds.known import Known
    from proofs.game.value import GameSolution, RuleRatio
    from proofs.game.weighted import WeightedGame


@click.command()
@layers_option(required=True)
@pages_option("--universe", required=True)
@cache_option(required=True)
@per_visit_option(default=1)
@visits_option()
@opt_cache_option()
@weights_option()
@click.option(
    "--rule",
    metavar="RULE",
    help="Worst ratio of a rule over all ways to break its ties instead: zrc, far-lab, zero-first or any.",
)
@click.option(
    "--predictions",
    type=click.Choice(["discard"]),
    help="Requests come with predictions: the least third coefficient that any policy can have.",
)
@coefficient_options
@click.option("--full", is_flag=True, help="Solve the whole game even where cheaper bounds meet.")
@max_states_option(
    help="Give up a graph beyond this many states; the result may then be an interval. Default: what a "
    "quarter of the memory holds; fewer where theorems say the value."
)
@certificate_option(help="Write a certificate (.json or .json.gz) of what is proved, for 'paging verify'.")
@json_option()
@table_option()
def game(
    layers: int,
    pages: int | tuple[int, ...],
    cache: int,
    per_visit: int,
    visits: Literal["sequential", "atomic"],
    opt_cache: int | None,
    weights: str | None,
    rule: str | None,
    predictions: str | None,
    alpha: Fraction | None,
    beta: Fraction | None,
    gamma: Fraction | None,
    full: bool,
    max_states: int | None,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Compute the best competitive ratio that any deterministic algorithm can have, with a certificate.

    Paging as a game: the adversary requests a page, the algorithm chooses the victim. A choice of victims
    with a potential proves that an algorithm gets away with the value, a decision graph of an adversary that
    none gets away with less. All numbers are exact. The theorems of 'paging bounds' narrow an interval, and
    where they say the value a large game is left unsolved, unless --certificate, --full or --max-states asks
    for it.

    With --predictions discard every request carries a bit, and two of --alpha, --beta, --gamma are given: the
    least third one such that some policy's faults are at most α·R + β·η0 + γ·η1 + a constant, for every lazy
    offline schedule R (see 'What a wrong bit costs' in the documentation).

    Ctrl-C stops and prints the interval known so far (exit code 130); so does --max-states (exit code 0).
    The optimal algorithm can be run: paging run game-optimal …

    \b
    Examples:
      paging game -l 2 -n 3 -k 4
      paging game -l 3 -n 4 -k 5 --certificate game.json.gz
      paging game -l 1 -n 6 -k 5 --opt-cache 3 --json
      paging game -l 3 --universe 2,3,2 -k 4
      paging game -l 2 -n 4 -k 5 --rule zrc
      paging game --predictions discard -l 2 -n 3 -k 4 --alpha 1 --gamma 1
      paging game -l 2 -n 4 -k 4 -g 2
      paging game -l 2 -n 4 -k 5 -g 2 --visits atomic
      paging game -l 2 -n 2 -k 3 --weights layer:1,4
    """
    from paging.certificate import write_certificate
    from paging.model import LayeredInstance
    from proofs.bounds.known import known_value
    from proofs.game.value import RuleRatio, rule_ratio, solve_game
    from proofs.game.weighted import solve_weighted_game
    from proofs.ratio.estimate import affordable_states

    if rule is not None and full:
        raise ModelError("--full is about the game, not about a rule")
    instance = with_weights(LayeredInstance(layers, pages, cache, per_visit, visits), weights)
    if instance.weights is not None and (rule is not None or full or predictions is not None):
        raise ModelError("--rule, --full and --predictions are about the game at unit cost")
    coefficients = {"alpha": alpha, "beta": beta, "gamma": gamma}
    if predictions is not None:
        if rule is not None or full or opt_cache is not None:
            raise ModelError("--rule, --full and --opt-cache are about the game without predictions")
        _trade_off(instance, coefficients, max_states, certificate, as_json=as_json)
        return
    if any(value is not None for value in coefficients.values()):
        raise ModelError("--alpha, --beta and --gamma are about a game with predictions (--predictions)")
    known = known_value("deterministic", instance, opt_cache)
    limit = max_states or affordable_states(instance)
    if known.value is not None and not (rule or full or certificate or max_states):
        limit = min(limit, PROBED)
    found: GameSolution | RuleRatio | WeightedGame
    with stoppable() as stopped, status("game", show=not as_json, stop=stopped) as watch:
        limits: dict[str, Any] = {
            "opt_cache": opt_cache,
            "max_states": limit,
            "watch": watch,
        }
        if rule is not None:
            found = rule_ratio(rule.lower(), instance, **limits)
        elif instance.weights is not None:
            found = solve_weighted_game(instance, **limits)
        else:
            found = solve_game(instance, full=full, **limits)
    facts = provenance(states=found.states)
    if certificate is not None:
        write_certificate(found.certificate(facts), certificate)
    shown = found.answer()
    notes: list[str] = []
    if not isinstance(found, RuleRatio):
        both = known.narrowed(found.lower, found.upper)
        shown |= _ends(both)
        notes = both.notes
    if as_json:
        write_json({**shown, "max_states": limit, "output": certificate, "provenance": facts})
    else:
        _report(instance, shown, notes, certificate)
    if stopped():
        leave(Exit.INTERRUPTED)


def _trade_off(
    instance: LayeredInstance,
    coefficients: dict[str, Fraction | None],
    max_states: int | None,
    certificate: str | None,
    *,
    as_json: bool,
) -> None:
    """Compute the best trade-off with discard predictions, and show it."""
    from proofs.game.predictions.trade_off import affordable_states, solve_trade_off

    limit = max_states or affordable_states(instance)
    with stoppable() as stopped, status("game", show=not as_json, stop=stopped) as watch:
        found = solve_trade_off(instance, **coefficients, max_states=limit, watch=watch)
    title = f"Best deterministic trade-off with discard bits: {instance}"
    facts = provenance(states=found.states)
    trade_off.tell(title, found, facts, limit, certificate, as_json=as_json)
    if stopped():
        leave(Exit.INTERRUPTED)


def _ends(both: Known) -> dict[str, object]:
    """Return the value and its interval as JSON shows them, with the theorems behind it."""
    from paging.numbers import exact_text

    return {
        "value": exact_text(both.value),
        "lower": exact_text(both.lower),
        "upper": exact_text(both.upper),
        "exact": both.value is not None,
        "theorems": both.plain,
    }


def _report(
    instance: LayeredInstance, shown: dict[str, Any], by_theorem: list[str], certificate: str | None
) -> None:
    notes = []
    if "rule" in shown:
        title, known = f"Rule {shown['rule']}, ties to the adversary", shown["ratio"] or "?"
    else:
        title = "Best deterministic competitive ratio"
        known = shown["value"] or f"{shown['lower']} … {shown['upper']}"
        theorems = shown["theorems"]
        if shown["adversary_states"] and not theorems["lower"]:
            notes.append(
                f"An adversary with {shown['adversary_states']:,} decisions forces {shown['lower']}."
            )
        if shown["algorithm_states"] and not theorems["upper"]:
            notes.append(f"An algorithm with {shown['algorithm_states']:,} states has {shown['upper']}.")
        elif not theorems["upper"]:
            notes.append(f"LRU has {shown['upper']}; nothing better is known yet.")
        notes += by_theorem
    if certificate is not None:
        notes.append(f"Certificate written to {certificate}")
    write_table(
        f"{title}: {instance}",
        ["ratio", "OPT's cache", "states", "this is"],
        [[known, shown["opt_cache"], shown["states"], "exact" if shown["exact"] else "an interval"]],
        left=(0, 3),
        notes=notes,
    )
