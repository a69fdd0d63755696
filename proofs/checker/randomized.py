"""Claims about a randomised policy's competitive ratio against an oblivious adversary.

MARK and EQUITABLE are known here as labels on pages that determine the whole distribution over caches: what
the labels become is certain, and the cost of a request is the probability of a fault. States, renamings and
the potential are then as for a deterministic policy (see potential.py), with fractions for faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache as memoised
from math import comb
from typing import NamedTuple

from .problem import Problem, Proved, check_legal, check_size, read_setting
from .reading import Incomplete, Json, Refuted, bounded, integers, members, rational, rationals, spend, whole
from .states import read_likeness, read_states
from .walk import check_edges
from .work_function import OPT_SO_FAR, update

Labels = list[int]


class Process(NamedTuple):
    """A policy's distribution as labels: what a request makes of them, and how likely it is a fault."""

    serve: Callable[[Labels, int, int], Labels]
    chance: Callable[[Labels, int, int], Fraction]


def serve_marks(labels: Labels, page: int, cache: int) -> Labels:
    """MARK. 1: marked; −1: unmarked, and cached when the phase began; 0: other.

    A page not marked that is requested when k are begins a phase. When k are marked, nothing else is cached.
    """
    if labels[page] != 1 and labels.count(1) == cache:
        labels = [-1 if label == 1 else 0 for label in labels]
    after = [1 if q == page else label for q, label in enumerate(labels)]
    return [max(label, 0) for label in after] if after.count(1) == cache else after


def marks_chance(labels: Labels, page: int, cache: int) -> Fraction:
    """MARK. Of the old unmarked pages k − (marked pages) are cached, all choices equally likely."""
    if labels[page] == -1:
        return 1 - Fraction(cache - labels.count(1), labels.count(-1))
    return Fraction(labels[page] == 0)


def serve_preferences(labels: Labels, page: int, cache: int) -> Labels:
    """EQUITABLE. With work-function label c for k pages: k + 1 if c = k, else −c."""
    work = [label - 1 if label > 0 else -label for label in labels]
    update(work, page, cache)
    return [cache + 1 if label == cache else -label for label in work]


def preferences_chance(labels: Labels, page: int, cache: int) -> Fraction:
    """EQUITABLE. A random ranking prefers one optimal cache; the chance that the page is not in it."""
    work = [label - 1 if label > 0 else -label for label in labels]
    own = work.pop(page)
    return 1 - preferred(tuple(map(work.count, range(cache + 1))), own) if own else Fraction(1)


@memoised
def preferred(counts: tuple[int, ...], own: int) -> Fraction:
    """Return how likely a page of label ``own`` survives when, label by label, the c best pages are kept.

    ``counts[c]`` other pages have label c. Those that rank better than this page are followed: (how many are
    kept, how many there are in all) → number of ways to choose them.
    """
    ways = {(0, 0): 1}
    for label in range(1, len(counts)):
        following: dict[tuple[int, int], int] = {}
        for (kept, better), number in ways.items():
            spend("a distribution", counts[label] + 1)
            for more in range(counts[label] + 1):
                if label < own or kept + more < label:  # else ``label`` better ones leave no room for it
                    key = min(kept + more, label), better + more
                    following[key] = following.get(key, 0) + number * comb(counts[label], more)
        ways = following
    total = sum(counts[1:])
    # Given pages, and no others, rank better than this one with probability 1/((total + 1)·C(total, better)).
    return sum(
        (Fraction(number, (total + 1) * comb(total, better)) for (_, better), number in ways.items()),
        Fraction(),
    )


PROCESSES = {
    "mark": Process(serve_marks, marks_chance),
    "equitable": Process(serve_preferences, preferences_chance),
}

# ----------------------------------------------------------- type "expected": a randomised policy's ratio


def check_expected(claim: Json, evidence: Json) -> Proved:
    """Check the type ``expected``: a cycle from below and, if an upper bound is claimed, a potential."""
    both = isinstance(claim, dict) and ("upper" in claim or "additive" in claim)
    members(
        claim,
        "claim",
        ("instance", "policy", "opt_cache", "lower", *(("upper", "additive") if both else ())),
    )
    members(evidence, "evidence", ("cycle", *(("potential",) if both else ())))
    problem, policy, small = read_setting(claim)
    check_size(problem)
    if policy not in PROCESSES:
        raise Incomplete(f"the distributions of policy {policy} are not known to this checker")
    process = PROCESSES[policy]
    online, offline = check_cycle(evidence["cycle"], problem, small, process)
    lower = rational(claim["lower"], "claim.lower")
    if lower * offline != online:
        raise Refuted(f"the ratio is {online} to {offline}, not {lower}")
    reason = f"policy {policy}: a repetition costs it {online} in expectation, OPT {offline}"
    if both:
        reason += "; " + check_upper(claim, evidence["potential"], problem, small, process)
        reason += f"; the ratio is exactly {lower}" if claim["lower"] == claim["upper"] else ""
    model = (*problem.model[:5], f"OPT has {small} pages", "the adversary is oblivious", OPT_SO_FAR)
    return Proved(reason, (*model, f"the labels of {policy} determine its distribution (docs/randomized.md)"))


def check_cycle(value: Json, problem: Problem, small: int, process: Process) -> tuple[Fraction, int]:
    """Serve prefix and cycle; labels on both sides must return. Return what a repetition costs both."""
    fields = members(value, "evidence.cycle", ("prefix", "cycle", "online", "offline"))
    prefix, cycle = (integers(fields[name], f"evidence.cycle.{name}") for name in ("prefix", "cycle"))
    if len(cycle) == 0 or len(cycle) % problem.layers:
        raise Refuted(f"the cycle has {len(cycle)} requests: no whole number of rounds")
    served = [*prefix, *cycle]
    check_legal(served, problem.counts, 1)
    spend("evidence.cycle", 2 * len(served) * len(problem.layer_of))
    labels, work = [0] * len(problem.layer_of), [0] * len(problem.layer_of)
    before = labels, work
    online, offline = Fraction(0), 0
    for t, page in enumerate(served):
        if t == len(prefix):
            before, online, offline = (labels, list(work)), Fraction(0), 0
        online = bounded(online + process.chance(labels, page, problem.capacity[0]))
        labels = process.serve(labels, page, problem.capacity[0])
        offline += update(work, page, small)
    if (labels, work) != before:
        raise Refuted("the labels after the cycle are not those before")
    if rational(fields["online"], "evidence.cycle.online") != online:
        raise Refuted(f"the evidence says online = {fields['online']} a repetition, but it is {online}")
    if whole(fields["offline"], "evidence.cycle.offline", 0) != offline:
        raise Refuted(f"the evidence says offline = {fields['offline']} a repetition, but it is {offline}")
    if not offline:
        raise Refuted("a repetition costs OPT nothing: the ratio is no number")
    return online, offline


def check_upper(claim: Json, value: Json, problem: Problem, small: int, process: Process) -> str:
    """Check the potential; return what it proves."""
    fields = members(value, "evidence.potential", ("alike", "labels", "work", "layers", "scale", "potential"))
    ratio, additive = (rational(claim[name], f"claim.{name}") for name in ("upper", "additive"))
    alike = read_likeness(fields["alike"], problem)
    states = read_states(fields, problem, small, alike)
    scale = whole(fields["scale"], "evidence.potential.scale", 1)
    potential = rationals(fields["potential"], "evidence.potential.potential")
    cache = problem.capacity[0]

    def ask(labels: Labels, page: int, _layer: int, _held: Sequence[int]) -> tuple[Labels, Fraction]:
        return process.serve(labels, page, cache), process.chance(labels, page, cache)

    check_edges(states, potential, ratio, scale, ask)
    found = Fraction(potential[states.start()] - min(potential), scale)
    if additive != found:
        raise Refuted(f"the claim says additive = {additive}, but the potential proves {found}")
    return f"E[faults] ≤ {ratio}·OPT + {found} on every request sequence"
