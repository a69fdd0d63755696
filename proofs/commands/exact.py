"""``paging exact``: the exact competitive ratio of a policy."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, cast

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

if TYPE_CHECKING:
    from paging.model import Kind, LayeredInstance
    from proofs.bounds.known import Known
    from proofs.ratio.deterministic import ExactRatio
    from proofs.ratio.randomized import RandomizedRatio
    from proofs.ratio.weighted import WeightedRatio

PROBED = 200_000
"""States up to which a ratio is computed though the theorems say it."""

WEIGHTED = 500_000
"""States that are built at most where faults have weights: they are not counted up to renaming."""

SHOWN = 40
"""Requests of a cycle that the table shows; JSON and the certificate hold all."""


@click.command()
@click.argument("policy")
@layers_option(required=True)
@pages_option("--universe", required=True)
@cache_option(required=True)
@per_visit_option(default=1)
@visits_option()
@opt_cache_option()
@weights_option()
@max_states_option(
    help="Give up beyond this many states; the result is then an interval. Needed for a policy that may have "
    "infinitely many. Default: what a quarter of the memory holds; fewer where theorems say the ratio."
)
@click.option(
    "--no-symmetry",
    is_flag=True,
    help="Do not count states as one that differ by a renaming of pages.",
)
@click.option(
    "--predictions",
    type=click.Choice(["discard", "phase"]),
    help="Requests come with predictions: the least third coefficient, for a policy that takes them.",
)
@coefficient_options
@click.option(
    "--surface", is_flag=True, help="With --predictions: all least coefficients at once, by vertices."
)
@click.option(
    "-o",
    "--output",
    "pictures",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="With --surface: draw it, .svg, .png or .pdf; may be given several times.",
)
@click.option(
    "--features",
    metavar="NAMES",
    help="The least ratio that a potential of these features of a state proves: counts, layers, ranks, "
    "labels, thresholds, profile, or several with commas.",
)
@certificate_option(help="Write a certificate (.json or .json.gz) of both bounds, for 'paging verify'.")
@json_option()
@table_option()
def exact(
    policy: str,
    layers: int,
    pages: int | tuple[int, ...],
    cache: int,
    per_visit: int,
    visits: Literal["sequential", "atomic"],
    opt_cache: int | None,
    weights: str | None,
    max_states: int | None,
    no_symmetry: bool,
    predictions: str | None,
    alpha: Fraction | None,
    beta: Fraction | None,
    gamma: Fraction | None,
    surface: bool,
    pictures: tuple[str, ...],
    features: str | None,
    certificate: str | None,
    as_json: bool,
) -> None:
    """Compute the exact competitive ratio of a policy, with a certificate.

    Builds the product graph of the policy's labels and OPT's work function and finds the cycle of largest
    Σ faults / Σ OPT in exact arithmetic. The cycle proves that the policy is no better, a potential on all
    states that it is no worse: faults ≤ ratio·OPT + additive on every request sequence.

    POLICY is any policy with finitely many states, outside ones included; a randomised one is judged by its
    expected faults against an oblivious adversary. Ctrl-C stops and
    prints the interval known so far (exit code 130); so does --max-states (exit code 0). The theorems of
    'paging bounds' narrow an interval, and where they say the ratio a large graph is left unbuilt, unless
    --certificate or --max-states asks for it.

    With -g a visit asks for g distinct pages of its layer. With --visits atomic all of them must be cached at
    its end: hits are served first, in any order, as 'paging run' does.

    With --predictions discard every request carries a bit, and two of --alpha, --beta, --gamma are given: the
    least third one such that the policy's faults are at most α·R + β·η0 + γ·η1 + a constant, for every lazy
    offline schedule R (see 'What a wrong bit costs' in the documentation). With --predictions phase the bits
    are about the k-phases, and R is OPT. With --surface no coefficient is given.

    With --features the potential is a sum of features of a state instead of one number per state, and the
    answer is the least ratio that such a potential proves: an upper bound, with its certificate.

    \b
    Examples:
      paging exact lru -l 2 -n 3 -k 3
      paging exact llru -l 2 -n 4 -k 7 --certificate llru.json.gz
      paging exact fifo -l 1 -n 6 -k 5 --opt-cache 3 --json
      paging exact mark -l 1 -n 6 -k 4
      paging exact lru -l 3 -n 2,3,2 -k 4
      paging exact landlord -l 2 -n 2 -k 3 --weights layer:1,4
      paging exact lru -l 2 -n 3 -k 5 -g 2 --visits atomic
      paging exact flush-when-kept --predictions discard -l 1 -n 4 -k 3 --alpha 1 --gamma 1
      paging exact flush-when-kept --predictions discard -l 1 -n 4 -k 3 --surface -o surface.svg
      paging exact mark0 --predictions discard -l 1 -n 4 -k 3 --alpha 1 --gamma 1
      paging exact mark-predict --predictions phase -l 1 -n 4 -k 3 --surface
      paging exact zrc -l 4 -n 2 -k 6 --features profile
      paging exact mymodule:MyPolicy -l 2 -n 3 -k 4
    """
    from paging.certificate import write_certificate
    from paging.model import LayeredInstance
    from paging.policy import get_policy
    from proofs.bounds.known import known_ratio
    from proofs.ratio.competitive import competitive_ratio

    instance = with_weights(LayeredInstance(layers, pages, cache, per_visit, visits), weights)
    coefficients = {"alpha": alpha, "beta": beta, "gamma": gamma}
    if predictions is not None:
        if no_symmetry or opt_cache is not None:
            raise ModelError("--opt-cache and --no-symmetry are about ratios without predictions")
        instance.require("a trade-off with predictions", cost="unit")
        get_policy(policy).check_predictions(cast("Kind", predictions))
        if surface:
            _surface(policy, instance, coefficients, max_states, certificate, pictures, as_json=as_json)
        elif pictures:
            raise ModelError("-o draws a surface: it goes with --surface")
        else:
            _trade_off(policy, instance, coefficients, max_states, certificate, as_json=as_json)
        return
    if surface or pictures or any(value is not None for value in coefficients.values()):
        raise ModelError("--alpha, --beta, --gamma, --surface and -o are about predictions (--predictions)")
    get_policy(policy).check_predictions(None)
    if features is not None:
        if no_symmetry or opt_cache is not None or weights is not None:
            raise ModelError("--features is not for --opt-cache, --weights or --no-symmetry")
        _features(policy, instance, features.split(","), max_states, certificate, as_json=as_json)
        return
    known = known_ratio(policy, instance, opt_cache)
    limit = max_states
    estimate = None
    if limit is None:
        limit, estimate = _limit(
            policy, instance, opt_cache, said=known.value is not None and not certificate
        )
    with stoppable() as stopped, status(f"exact {policy}", show=not as_json, stop=stopped) as watch:
        found = competitive_ratio(
            policy,
            instance,
            opt_cache=opt_cache,
            max_states=limit,
            symmetric=not no_symmetry,
            watch=watch,
        )
    facts = provenance(states=found.states, edges=found.edges)
    if certificate is not None:
        write_certificate(found.certificate(facts), certificate)
    if as_json:
        sizes = {"max_states": limit, "states_estimated": estimate}
        write_json({**answer(found, known), **sizes, "output": certificate, "provenance": facts})
    else:
        _report(found, known, estimate, certificate)
    if stopped():
        leave(Exit.INTERRUPTED)


def _trade_off(
    policy: str,
    instance: LayeredInstance,
    coefficients: dict[str, Fraction | None],
    max_states: int | None,
    certificate: str | None,
    *,
    as_json: bool,
) -> None:
    """Compute the trade-off of a policy that is given bits, and show it."""
    from proofs.ratio.estimate import affordable_states
    from proofs.ratio.trade_off import policy_trade_off

    # Bit and the reference's victim make 2k edges of every request.
    max_states = max_states or affordable_states(instance) // (2 * instance.cache)
    with stoppable() as stopped, status(f"exact {policy}", show=not as_json, stop=stopped) as watch:
        found = policy_trade_off(policy, instance, **coefficients, max_states=max_states, watch=watch)
    facts = provenance(states=found.states, edges=found.edges)
    title = f"Trade-off of {found.policy} with {found.predictions} bits: {instance}"
    trade_off.tell(title, found, facts, max_states, certificate, as_json=as_json)
    if stopped():
        leave(Exit.INTERRUPTED)


def _surface(
    policy: str,
    instance: LayeredInstance,
    coefficients: dict[str, Fraction | None],
    max_states: int | None,
    certificate: str | None,
    pictures: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Compute all trade-offs of a policy that is given bits, and show them."""
    from proofs.ratio.surface import trade_off_surface

    if certificate is not None or any(value is not None for value in coefficients.values()):
        raise ModelError("--surface takes no coefficients and writes no certificate; its vertices have them")
    if pictures:
        from paging.plotting import check_targets

        check_targets(pictures)
    with stoppable() as stopped, status(f"surface {policy}", show=not as_json, stop=stopped) as watch:
        found = trade_off_surface(policy, instance, max_states=max_states, watch=watch)
    if pictures:
        from proofs.plots.draw import draw
        from proofs.plots.surface import surface as surface_document

        draw(surface_document(found), pictures)
    if as_json:
        drawn = list(pictures)
        write_json({**found.answer(), "output": drawn, "provenance": provenance(states=found.states)})
        return
    write_table(
        f"Trade-offs of {found.policy} with {found.predictions} bits: {instance}",
        ["α", "β", "γ"],
        found.vertices,
        left=(),
        notes=[
            f"{trade_off.promise(found.answer())}, for these, all between them, and all that are larger; for "
            "no others.",
            *(f"A cycle forces {cycle.inequality}." for cycle in found.cycles),
            *(f"written: {path}" for path in pictures),
        ],
    )


def _features(
    policy: str,
    instance: LayeredInstance,
    families: list[str],
    max_states: int | None,
    certificate: str | None,
    *,
    as_json: bool,
) -> None:
    """Find the least ratio that a potential of features proves, and show it."""
    from paging.certificate import write_certificate
    from proofs.ratio.features import least_ratio

    with status(f"features {policy}", show=not as_json) as watch:
        bound = least_ratio(policy, instance, families, max_states=max_states or PROBED, watch=watch)
    facts = provenance(states=bound.states, edges=bound.edges)
    if certificate is not None:
        write_certificate(bound.certificate(facts), certificate)
    if as_json:
        write_json({**bound.answer(), "output": certificate, "provenance": facts})
        return
    write_table(
        f"Potential of {', '.join(families)} for {bound.policy}: {instance}",
        ["feature", "coefficient"],
        sorted(bound.coefficients.items()),
        left=(0,),
        notes=[
            f"Every sequence: faults ≤ {bound.ratio}·OPT + {bound.additive}; proved on all "
            f"{bound.states:,} states.",
            *([f"Certificate written to {certificate}"] if certificate else []),
        ],
    )


def _limit(
    policy: str, instance: LayeredInstance, opt_cache: int | None, *, said: bool
) -> tuple[int | None, int | None]:
    """Return how many states to build at most and, where that can be told, about how many there are."""
    from paging.policy import get_policy
    from proofs.ratio.distributions import PROCESSES
    from proofs.ratio.estimate import affordable_states, estimated_states

    answer = get_policy(policy)
    if instance.cache >= instance.total_pages or (
        not answer.randomized and "finite-state" not in answer.traits
    ):
        return None, None  # refused, with the reason, where the work is done
    if instance.weights is not None:
        return WEIGHTED, None
    if answer.randomized:
        closes = answer.id in PROCESSES  # other distributions may be without end
        return ((PROBED if closes else 1) if said else None), None
    estimate = estimated_states(answer, instance, opt_cache=opt_cache)
    affordable = affordable_states(instance)
    if said:
        return (1 if estimate > PROBED else min(PROBED, affordable)), estimate
    if estimate > affordable:
        click.echo(
            f"At least about {estimate:,} states; stops beyond {affordable:,}, a quarter of the memory "
            f"(--max-states).",
            err=True,
        )
    return affordable, estimate


def answer(found: ExactRatio | RandomizedRatio | WeightedRatio, known: Known) -> dict[str, object]:
    """Return a result as JSON shows it, with what the theorems add."""
    cycle = found.cycle
    both = known.narrowed(found.lower, found.ratio)
    return {
        "policy": found.policy,
        "instance": found.instance.plain,
        "opt_cache": found.opt_cache,
        "model": found.instance.model,
        "ratio": both.value,
        "lower": both.lower,
        "upper": None if both.upper == float("inf") != both.lower else both.upper,
        "theorems": both.plain,
        "additive": found.additive,
        "exact": both.value is not None,
        "complete": found.complete,
        "prefix": None if cycle is None else cycle.prefix,
        "cycle": None if cycle is None else cycle.requests,
        "online": None if cycle is None else cycle.online,
        "offline": None if cycle is None else cycle.offline,
        "states": found.states,
        "edges": found.edges,
        "iterations": found.iterations,
    }


def _report(
    found: ExactRatio | RandomizedRatio | WeightedRatio,
    known: Known,
    estimate: int | None,
    certificate: str | None,
) -> None:
    from paging.numbers import exact_text
    from proofs.ratio.randomized import RandomizedRatio

    cycle = found.cycle
    both = known.narrowed(found.lower, found.ratio)
    unlimited = both.upper == float("inf") and both.value is None
    interval = f"≥ {exact_text(both.lower)}" if unlimited else f"{exact_text(both.lower)} … {both.upper}"
    shown_ratio = exact_text(both.value) or interval
    notes = both.notes
    if found.ratio is None and both.value is not None:
        size = f"; it has at least about {estimate:,} states" if (estimate or 0) > found.states else ""
        notes.append(f"The graph was not searched to its end{size} (--max-states builds more of it).")
    elif found.ratio is None:
        what = ": the ratio is at least this, or unbounded" if unlimited else ""
        notes.append(f"Stopped before the whole graph was searched{what}.")
    elif found.additive is not None:
        what = "expected faults" if isinstance(found, RandomizedRatio) else "faults"
        least = "no smaller constants do"
        if found.instance.weights is not None:
            what, least = "cost", "no smaller ratio does"
        notes.append(f"Every sequence: {what} ≤ {shown_ratio}·OPT + {found.additive}; {least}.")
    if cycle is not None:
        shown = found.instance.page_names(cycle.requests, SHOWN)
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
                shown_ratio,
                found.opt_cache,
                found.states,
                found.edges,
                _kind(found, both),
            ]
        ],
        left=(0, 5),
        notes=notes,
    )


def _kind(found: ExactRatio | RandomizedRatio | WeightedRatio, both: Known) -> str:
    if both.value is not None:
        return "exact" if found.ratio is not None else "exact, by theorems"
    return "a lower bound" if both.upper == float("inf") else "an interval"
