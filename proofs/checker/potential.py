"""Claims that a policy's competitive ratio is at most a number: a potential on the states of policy and OPT.

A state is one (policy label, work-function label) pair per page and the layer to be served. The evidence
lists states and a potential Φ. From the cold start on, for every state that is reached and every request,
this file works out what the policy pays, what OPT pays and where both get to, and checks
Q·policy + Φ(next) − Φ(now) ≤ P·OPT for the claimed ratio P/Q. If no request leads out of the list, adding up
proves policy ≤ P/Q·OPT + (Φ(start) − min Φ)/Q on every request sequence.

States that differ by a renaming of pages may count as one where the policy treats pages, or layers, alike.
Nothing is asked about a state that is not reached from the cold start: such a state is refused.
"""

from __future__ import annotations

from fractions import Fraction

from .problem import Problem, read_setting
from .reading import Integers, Json, Refuted, integers, members, rational
from .rules import REPLAY, RULES, Rule, Serve
from .states import Likeness, States, read_likeness, read_states, requests, rows
from .work_function import OPT_SO_FAR, update


def check_potential(claim: Json, evidence: Json) -> tuple[str, tuple[str, ...]]:
    """Check the type ``potential``."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    problem, policy, small = read_setting(claim)
    ratio, additive = (rational(claim[name], f"claim.{name}") for name in ("ratio", "additive"))
    ruled = policy in RULES
    needed = ("alike", "labels", "work", "layers", "potential") + (() if ruled else ("moves",))
    members(evidence, "evidence", needed)
    alike = read_likeness(evidence["alike"], problem)
    if ruled and alike.layers and problem.layers > 1 and not RULES[policy].turns:
        raise Refuted(f"the layers are not alike to {policy}: it counts rounds from layer 0")
    states = read_states(evidence, problem, small, alike)
    potential = integers(evidence["potential"], "evidence.potential")
    if len(potential) != len(states.layers):
        raise Refuted(f"{len(potential)} potentials for {len(states.layers)} states")
    start = states.number.get(alike.key([0] * alike.bounds[-1], [0] * alike.bounds[-1], 0))
    if start is None:
        raise Refuted("the cold start is not among the states")
    rule = RULES[policy] if ruled else Rule(read_moves(evidence["moves"], problem, alike))
    check_edges(states, start, potential, ratio, problem, small, alike, rule)
    found = Fraction(potential[start] - min(potential), ratio.denominator)
    if additive != found:
        raise Refuted(f"the claim says additive = {additive}, but the potential proves {found}")
    reason = f"policy {policy}: faults ≤ {ratio}·OPT + {found} on every request sequence"
    listed = (
        () if ruled else (f"{policy} moves as listed ({REPLAY})", f"{named(alike)} are alike to {policy}")
    )
    return reason, (*problem.model[:5], f"OPT has {small} pages", OPT_SO_FAR, *listed)


def check_edges(
    states: States,
    start: int,
    potential: Integers,
    ratio: Fraction,
    problem: Problem,
    small: int,
    alike: Likeness,
    rule: Rule,
) -> None:
    """Walk from the cold start; every request must lead to a listed state and keep the inequality."""
    p, q = ratio.numerator, ratio.denominator
    reached = {start}
    pending = [start]
    while pending:
        s = pending.pop()
        labels, work, layer = states.labels[s], states.work[s], states.layers[s]
        for page in requests(labels, work, layer, alike):
            after = rule.serve(labels, page, layer, problem)
            fault = step(labels, after, page, problem.capacity[0], f"state {s}, request of page {page}")
            following = list(work)
            paid = update(following, page, small)
            if rule.ties and alike.pages:
                check_ties(labels, after, following, page, alike, f"state {s}, request of page {page}")
            t = states.number.get(alike.key(after, following, (layer + 1) % problem.layers))
            if t is None:
                raise Refuted(f"state {s}: a request of page {page} leads to a state that is not listed")
            if q * fault + potential[t] - potential[s] > p * paid:
                raise Refuted(
                    f"state {s}: a request of page {page} breaks the potential: "
                    f"{q}·{fault} + {potential[t]} − {potential[s]} > {p}·{paid}"
                )
            if t not in reached:
                reached.add(t)
                pending.append(t)
    if len(reached) < len(potential):
        stray = next(s for s in range(len(potential)) if s not in reached)
        raise Refuted(f"state {stray} cannot be reached from the cold start")


def check_ties(
    labels: list[int], after: list[int], work: list[int], page: int, alike: Likeness, where: str
) -> None:
    """Refuse a choice by page number between pages alike to the policy that end with another label of OPT."""
    for first, end in zip(alike.bounds, alike.bounds[1:], strict=False):
        others = [q for q in range(first, end) if q != page]
        for label in {labels[q] for q in others}:
            tied = [q for q in others if labels[q] == label]
            if len({work[q] for q in tied}) > 1 and len({after[q] for q in tied}) > 1:
                raise Refuted(f"{where}: page numbers decide between pages that are not alike to OPT")


def step(before: list[int], after: list[int], page: int, cache: int, where: str) -> int:
    """Return the fault of a policy's answer, 0 or 1, or refuse an answer that is not legal."""
    if after[page] <= 0:
        raise Refuted(f"{where}: it is not cached afterwards")
    if any(new > 0 >= old and q != page for q, (old, new) in enumerate(zip(before, after, strict=True))):
        raise Refuted(f"{where}: another page appears in the cache")
    if sum(label > 0 for label in after) > cache:
        raise Refuted(f"{where}: more than {cache} pages are cached")
    return int(before[page] <= 0)


# ------------------------------------------------------------------------------------- reading evidence


def read_moves(value: Json, problem: Problem, alike: Likeness) -> Serve:
    """Read what an unknown policy does: for label vectors and layers, the vector after every request."""
    fields = members(value, "evidence.moves", ("labels", "layers", "after"))
    pages, widest = alike.bounds[-1], max(b - a for a, b in zip(alike.bounds, alike.bounds[1:], strict=False))
    layers = integers(fields["layers"], "evidence.moves.layers")
    if any(not 0 <= layer < problem.layers for layer in layers):
        raise Refuted("evidence.moves.layers names a layer that does not exist")
    before = rows(fields["labels"], "evidence.moves.labels", len(layers), pages)
    after = rows(fields["after"], "evidence.moves.after", len(layers) * widest, pages)
    known = {(tuple(row), layer): m for m, (row, layer) in enumerate(zip(before, layers, strict=True))}
    if len(known) != len(layers):
        raise Refuted("evidence.moves lists the same labels twice")

    def serve(labels: list[int], page: int, layer: int, _problem: Problem) -> list[int]:
        m = known.get((tuple(labels), layer))
        if m is None:
            raise Refuted(f"evidence.moves does not say what follows the labels {labels} in layer {layer}")
        return after[m * widest + page - alike.bounds[layer]]

    return serve


def named(alike: Likeness) -> str:
    """Say which renamings are used."""
    words = ["the pages of a layer"] * alike.pages + [
        "the layers, seen from the one to be served,"
    ] * alike.layers
    return " and ".join(words) or "no two pages"
