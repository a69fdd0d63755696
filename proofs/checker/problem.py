"""What a claim is about: instance, requests and weights, and the limits within which they are judged."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate, chain
from typing import NamedTuple

from .reading import (
    NAME,
    Incomplete,
    Integers,
    Json,
    Refuted,
    choice,
    common_denominator,
    integers,
    items,
    members,
    rationals,
    spend,
    whole,
)

PAGE, LAYER = 64, 1024
"""Room for what is kept of a page."""

HIT, FREE, BYPASS = -2, -1, -3
"""Entries of a schedule beside page ids: a hit, a fault into a free slot, a fault that caches nothing."""


class Proved(NamedTuple):
    """What the evidence proves, and on what it rests."""

    reason: str
    assumptions: tuple[str, ...]  # the model that the claim is about, and theorems
    conditions: tuple[str, ...] = ()  # what nobody has checked: about a policy, or its symmetries


class Problem(NamedTuple):
    """The instance and requests of a claim about the offline optimum, with costs times ``scale``."""

    layers: int
    counts: list[int]  # pages of every layer
    layer_of: Integers  # of every page
    per_visit: int  # pages of a visit
    group: int  # requests served together: the pages of an atomic visit, else 1
    bypassing: bool
    capacity: Integers  # of every part of the cache
    part_of: Integers  # of every page
    requests: Integers
    cost: Integers  # of a fault on every page, times scale
    scale: int
    model: tuple[str, ...]


def read_problem(claim: Json, more: Iterable[Fraction | int]) -> Problem:
    """Read instance, requests and weights of a claim; ``more`` are further numbers to be scaled alike."""
    fields = members(
        claim["instance"],
        "claim.instance",
        needed=("layers", "pages", "cache", "per_visit", "visits", "service"),
        allowed=("shares",),
    )
    layers = whole(fields["layers"], "layers", 1)
    spend("claim.instance.layers", layers, LAYER * layers)
    pages = fields["pages"]
    if not isinstance(pages, list):
        pages = [pages] * layers
    if len(pages) != layers:
        raise Incomplete(f"claim.instance.pages lists {len(pages)} layers instead of {layers}")
    counts = [whole(n, "pages", 1) for n in pages]
    spend("claim.instance.pages", 2 * sum(counts), PAGE * sum(counts))
    cache = whole(fields["cache"], "cache", 1)
    per_visit = whole(fields["per_visit"], "per_visit", 1, min(counts))
    atomic = choice(fields["visits"], "visits", "sequential", "atomic") == "atomic"
    bypassing = choice(fields["service"], "service", "forced", "bypassing") == "bypassing"
    layer_of = [layer for layer, count in enumerate(counts) for _ in range(count)]
    if atomic and (bypassing or cache < per_visit or "shares" in fields):
        raise Incomplete("atomic visits need forced service, one shared cache, and cache ≥ per_visit")
    capacity, part_of = [cache], [0] * len(layer_of)
    if "shares" in fields:
        # Under forced service a layer without a slot has no schedule at all: nothing would be said of OPT.
        least = 0 if bypassing else 1
        capacity, part_of = [whole(s, "shares", least) for s in items(fields["shares"], "shares")], layer_of
        if len(capacity) != layers or sum(capacity) > cache:
            raise Incomplete(f"claim.instance.shares must name {layers} layers and sum to at most {cache}")
    requests = integers(claim["requests"], "claim.requests")
    check_legal(requests, counts, per_visit)
    weights = rationals(claim["weights"], "claim.weights") if "weights" in claim else [1] * len(layer_of)
    if len(weights) != len(layer_of) or min(weights) <= 0:
        raise Incomplete(f"claim.weights must be {len(layer_of)} positive numbers, one per page")
    scale = common_denominator(chain(weights, more))
    return Problem(
        layers,
        counts,
        layer_of,
        per_visit,
        per_visit if atomic else 1,
        bypassing,
        capacity,
        part_of,
        requests,
        [int(weight * scale) for weight in weights],
        scale,
        (
            "cold start",
            f"{fields['service']} service",
            f"{fields['visits']} visits",
            f"cache k = {cache}, " + (f"split {capacity}" if "shares" in fields else "shared"),
            "weighted faults" if "weights" in claim else "unit cost",
            f"{len(requests)} requests as listed in the claim",
        ),
    )


def check_legal(requests: Integers, counts: list[int], per_visit: int) -> None:
    """Refuse requests that do not follow the layers, or that name a page twice in one visit."""
    spend("claim.requests", 2 * len(requests))
    bounds = [0, *accumulate(counts)]
    length = per_visit * len(counts)
    for place in range(min(length, len(requests))):
        # Every round has the same layer at the same place: a slice is checked at once.
        served, layer = requests[place::length], place // per_visit
        if not (bounds[layer] <= min(served) and max(served) < bounds[layer + 1]):
            raise Refuted(f"a request at place {place} of its round is not a page of layer {layer}")
    if per_visit > 1:
        for first in range(0, len(requests), per_visit):
            visit = requests[first : first + per_visit]
            if len(set(visit)) < len(visit):
                raise Refuted("a page is requested twice in one visit")


# ----------------------------------------------------------------------------------- claims about ratios


def read_plain(claim: Json, requests: Iterable[int] = (), *, several: bool = False) -> Problem:
    """Read the instance of a claim about competitive ratios; ``several`` allows visits of more pages."""
    problem = read_problem({"instance": claim["instance"], "requests": list(requests)}, ())
    shape = claim["instance"]
    single = (shape["per_visit"], shape["visits"]) == (1, "sequential")
    if problem.bypassing or "shares" in shape or not (single or several):
        needed = "" if several else "one page per visit, sequential, "
        raise Incomplete(f"ratios need {needed}forced service and one shared cache")
    return problem


def spoken_of(problem: Problem, small: int) -> tuple[str, ...]:
    """Return the model that a claim about a ratio speaks of; OPT has ``small`` pages."""
    several = (f"{problem.per_visit} pages a visit",) if problem.per_visit > 1 else ()
    return (*problem.model[:5], *several, f"OPT has {small} pages")


def read_opt_cache(claim: Json, problem: Problem) -> int:
    """Read OPT's cache h."""
    return whole(claim["opt_cache"], "claim.opt_cache", problem.group, problem.capacity[0])


def read_setting(
    claim: Json, requests: Iterable[int] = (), *, several: bool = False
) -> tuple[Problem, str, int]:
    """Read the instance, the policy's name and OPT's cache h of a claim about a policy's ratio."""
    policy = claim["policy"]
    if not isinstance(policy, str) or not NAME.fullmatch(policy):
        raise Incomplete("claim.policy must be a name")
    problem = read_plain(claim, requests, several=several)
    return problem, policy, read_opt_cache(claim, problem)


def check_size(problem: Problem) -> None:
    """Refuse instances in which every page fits the cache."""
    if not problem.capacity[0] < len(problem.layer_of):
        raise Incomplete("a randomised ratio needs fewer slots than pages")
