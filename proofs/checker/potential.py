"""Claims that a policy's competitive ratio is at most a number: a potential on the states of policy and OPT.

A state is one (policy label, work-function label) pair per page and the layer to be served; within a visit
of several pages also a mark per page that says whether it may still be asked for. The evidence lists states
and a potential Φ. For every listed state and every request, walk.py works out what the policy pays, what OPT
pays and where both get to, and checks Q·policy + Φ(next) − Φ(now) ≤ P·OPT for the claimed ratio P/Q. If no
request leads out of the list, adding up proves policy ≤ P/Q·OPT + (Φ(start) − min Φ)/Q on every request
sequence.

States that differ by a renaming of pages may count as one where the policy treats pages, or layers, alike.
The policy is asked about labels alone that it gets to from the cold start; a state with others is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from .problem import Problem, Proved, read_setting, spoken_of
from .reading import Json, Refuted, integers, members, rational, spend
from .rules import RENAMED, REPLAY, Follow, rule_of, serving
from .states import Likeness, array_of, read_likeness, read_states
from .walk import Labels, check_edges
from .work_function import opt_so_far


def check_potential(claim: Json, evidence: Json) -> Proved:
    """Check the type ``potential``."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    problem, policy, small = read_setting(claim, several=True)
    ratio, additive = (rational(claim[name], f"claim.{name}") for name in ("ratio", "additive"))
    rule = rule_of(policy, problem)
    marks = ("marks",) if problem.per_visit > 1 else ()
    listed = ("alike", "labels", "work", *marks, "layers", "potential")
    # Moves of a policy that has a rule are not looked at: the rule decides.
    members(evidence, "evidence", listed if rule else (*listed, "moves"), ("moves",))
    alike = read_likeness(evidence["alike"], problem)
    if rule and alike.layers and problem.layers > 1 and not rule.turns:
        raise Refuted(f"the layers are not alike to {policy}: it sees which layer is served")
    states = read_states(evidence, problem, small, alike, marks=True)
    potential = integers(evidence["potential"], "evidence.potential")
    serve = policy_of(claim, evidence, problem, alike)

    def ask(labels: Labels, page: int, slot: int, held: Sequence[int]) -> tuple[Labels, int]:
        after = serve(labels, page, slot, held)
        return after, step(labels, after, page, problem.capacity[0])

    staying = rule is not None and rule.ties
    check_edges(states, potential, ratio, ratio.denominator, ask, staying=staying)
    found = Fraction(potential[states.start()] - min(potential), ratio.denominator)
    if additive != found:
        raise Refuted(f"the claim says additive = {additive}, but the potential proves {found}")
    reason = f"policy {policy}: faults ≤ {ratio}·OPT + {found} on every request sequence"
    conditions = [] if rule else [f"{policy} moves as listed ({REPLAY})"]
    if not rule and (alike.pages or alike.layers):
        conditions.append(f"{named(alike)} are alike to {policy} ({RENAMED})")
    return Proved(reason, (*spoken_of(problem, small), *opt_so_far(problem.group)), tuple(conditions))


def policy_of(claim: Json, evidence: Json, problem: Problem, alike: Likeness) -> Follow:
    """Return what is taken for the policy: this checker's rule, or the moves that the evidence lists."""
    rule = rule_of(claim["policy"], problem)
    return serving(rule, problem) if rule else read_moves(evidence["moves"], problem, alike)


def step(before: Labels, after: Labels, page: int, cache: int) -> int:
    """Return the fault of a policy's answer, 0 or 1, or refuse an answer that is not legal."""
    if after[page] <= 0:
        raise Refuted("it is not cached afterwards")
    cached = [old for old, new in zip(before, after, strict=True) if new > 0]
    if len(cached) > cache:
        raise Refuted(f"more than {cache} pages are cached")
    fault = before[page] <= 0
    if len([old for old in cached if old <= 0]) > fault:
        raise Refuted("another page appears in the cache")
    return int(fault)


def read_moves(value: Json, problem: Problem, alike: Likeness) -> Follow:
    """Read what an unknown policy does: for label vectors and layers, the vector after every request.

    With several pages a visit ``asked`` says how many were asked for before in the visit. Vectors that differ
    by a renaming are one, as for states: the order is that in which states are kept.
    """
    several = problem.per_visit > 1
    fields = members(value, "evidence.moves", ("labels", "layers", *(("asked",) if several else ()), "after"))
    pages, widest = alike.bounds[-1], max(end - first for first, end in pairwise(alike.bounds))
    layers = integers(fields["layers"], "evidence.moves.layers")
    if any(not 0 <= layer < problem.layers for layer in layers):
        raise Refuted("evidence.moves.layers names a layer that does not exist")
    asked = array_of(fields, "asked", len(layers), 1, "evidence.moves") if several else [0] * len(layers)
    before = array_of(fields, "labels", len(layers), pages, "evidence.moves")
    after = array_of(fields, "after", len(layers) * widest, pages, "evidence.moves")
    spend("evidence.moves", 4 * len(before), 60 * len(before))
    known: dict[tuple[tuple[int, ...], int, int], tuple[int, list[int], int]] = {}
    for m, (layer, earlier) in enumerate(zip(layers, asked, strict=True)):
        row = before[m * pages : (m + 1) * pages]
        order = [list(range(first, end)) for first, end in pairwise(alike.bounds)]
        if alike.pages:
            for part in order:
                part.sort(key=row.__getitem__)
        first = layer if alike.layers else 0
        places = [q for part in (*order[first:], *order[:first]) for q in part]
        known[tuple([row[q] for q in places]), layer - first, earlier] = m, places, alike.bounds[layer]
    if len(known) != len(layers):
        raise Refuted("evidence.moves lists the same labels twice")

    def serve(labels: Labels, page: int, slot: int, held: Sequence[int] = ()) -> Labels:
        layer, earlier = divmod(slot, problem.per_visit)
        found = known.get((tuple(labels), layer, earlier))
        if found is None:
            raise Refuted(f"evidence.moves does not say what follows the labels {labels} in layer {layer}")
        m, places, first = found
        at = (m * widest + places[page] - first) * pages
        return [after[at + q] for q in places]

    return serve


def named(alike: Likeness) -> str:
    """Say which renamings are used."""
    words = ["the pages of a layer"] * alike.pages + [
        "the layers, seen from the one to be served,"
    ] * alike.layers
    return " and ".join(words)
