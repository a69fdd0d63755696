"""Claims about the offline optimum of a request sequence: a schedule from above, a dual from below."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Sequence
from fractions import Fraction

from .problem import BYPASS, FREE, HIT, Problem, Proved, check_legal, read_problem
from .reading import (
    Integers,
    Json,
    Lines,
    Refuted,
    as_int32,
    integers,
    items,
    members,
    rational,
    rationals,
    whole,
)

# ------------------------------------------------------------------------------ type "schedule": OPT ≤


class ScheduleWalk:
    """A schedule that is carried out, at once or part by part; a part begins with a round."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.cached = bytearray(len(problem.layer_of))
        self.free = list(problem.capacity)
        self.faults = [0] * len(self.cached)
        self.begin = 0

    def serve(self, requests: Integers, entries: Integers) -> None:
        """Serve the next requests as their entries say."""
        problem, begin, cached, free, faults = self.problem, self.begin, self.cached, self.free, self.faults
        part_of, group, pages = problem.part_of, problem.group, len(cached)
        if len(entries) != len(requests):
            raise Refuted(f"the schedule has {len(entries)} entries for {len(requests)} requests")
        for t, (page, entry) in enumerate(zip(requests, entries, strict=True)):
            if entry == HIT:
                if not cached[page]:
                    raise Refuted(f"request {begin + t}: a hit is claimed, but page {page} is not cached")
            elif cached[page]:
                raise Refuted(f"request {begin + t}: a fault is claimed, but page {page} is cached")
            else:
                faults[page] += 1
                part = part_of[page]
                if 0 <= entry < pages:
                    if not cached[entry] or part_of[entry] != part:
                        raise Refuted(f"request {begin + t}: page {entry} cannot leave for page {page}")
                    cached[entry] = 0
                    cached[page] = 1
                elif entry == FREE:
                    if free[part] == 0:
                        raise Refuted(f"request {begin + t}: no slot is free")
                    free[part] -= 1
                    cached[page] = 1
                elif entry != BYPASS or not problem.bypassing:
                    raise Refuted(f"request {begin + t}: the entry {entry} is not allowed here")
            if group > 1 and ((t + 1) % group == 0 or t + 1 == len(requests)):
                visit = requests[t - t % group : t + 1]
                if not all(cached[q] for q in visit):
                    raise Refuted(f"request {begin + t}: an atomic visit ends without all of its pages")
        self.begin += len(requests)

    @property
    def cost(self) -> Fraction:
        """What the schedule has paid."""
        return Fraction(sum(map(operator.mul, self.faults, self.problem.cost)), self.problem.scale)


# ---------------------------------------------------------------------------------- type "dual": OPT ≥


class DualSum:
    """The lower bound on OPT that numbers y ≥ 0 at some steps prove, added up at once or part by part.

    A page can only be kept between two of its requests if it occupies a slot at every step in between. Let
    every slot of step u cost y_u. Whoever keeps gaps pays Σ slots·y for all slots at most, and a gap over
    steps of total price S saves at most max(0, w − S) beyond its price. So no schedule saves more than
    Σ slots·y + Σ_gaps max(0, w − S), and OPT is at least the cost of faulting always, less that.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        # level[part]: sum of y so far; since[page]: what it was when the page's last gap began. Before the
        # first request there is no gap: a price beyond every weight makes its contribution 0.
        self.level = [0] * len(problem.capacity)
        self.since = [-max(problem.cost)] * len(problem.cost)
        self.begin = self.total = self.paid = self.lost = 0

    def add(self, requests: Integers, steps: Integers, values: Integers) -> None:
        """Add the next requests, with the y times scale at their steps."""
        problem, level, since, begin = self.problem, self.level, self.since, self.begin
        cost, part_of, group = problem.cost, problem.part_of, problem.group
        own = 0 if problem.bypassing else 1
        count = -(-len(requests) // group)
        end = begin + count
        if len(steps) != len(values):
            raise Refuted(f"the dual names {len(steps)} steps but {len(values)} values")
        if any(map(operator.ge, steps, steps[1:])) or (len(steps) and (steps[0] < begin or steps[-1] >= end)):
            raise Refuted(f"the steps of the dual must be increasing, from {begin} to {end - 1}")
        if len(values) and min(values) < 0:
            raise Refuted("a value of the dual is negative")
        paid = lost = place = 0
        for step, value in zip((*steps, end - 1), (*values, 0), strict=True):
            stop = (step - begin + 1) * group
            for page in requests[place:stop]:
                covered = level[part_of[page]] - since[page]
                if covered < cost[page]:
                    lost += cost[page] - covered
                since[page] = level[part_of[page]]
            place = stop
            if value:
                visit = requests[stop - group : stop]
                part = part_of[visit[0]]
                level[part] += value
                paid += value * (problem.capacity[part] - own * len(visit))
                if own:
                    # Forced: a gap begins after the step of its own request; with bypassing it includes it.
                    for page in visit:
                        since[page] = level[part]
        total = sum(map(cost.__getitem__, requests))
        self.begin, self.total = end, self.total + total
        self.paid, self.lost = self.paid + paid, self.lost + lost

    @property
    def bound(self) -> Fraction:
        """What OPT is at least."""
        return Fraction(self.total - self.paid - self.lost, self.problem.scale)


def check_schedule(claim: Json, evidence: Json) -> Proved:
    """Check the type ``schedule``: OPT ≤ upper."""
    return check_optimum(claim, evidence, below=False)


def check_dual(claim: Json, evidence: Json) -> Proved:
    """Check the type ``dual``: OPT ≥ lower."""
    return check_optimum(claim, evidence, above=False)


def check_optimum(claim: Json, evidence: Json, *, above: bool = True, below: bool = True) -> Proved:
    """Check the type ``optimum``, lower ≤ OPT ≤ upper, or one side of it."""
    numbers = ("upper",) * above + ("lower",) * below
    members(claim, "claim", ("instance", "requests", *numbers), allowed=("weights",))
    members(evidence, "evidence", ("schedule",) * above + ("dual",) * below)
    stated = {name: rational(claim[name], f"claim.{name}") for name in numbers}
    values: Sequence[Fraction | int] = []
    if below:
        dual = members(evidence["dual"], "evidence.dual", ("steps", "values"))
        values = rationals(dual["values"], "evidence.dual.values")
    problem = read_problem(claim, values)
    found = {}
    if above:
        entries = integers(evidence["schedule"], "evidence.schedule")
        walk = ScheduleWalk(problem)
        walk.serve(problem.requests, entries)
        found["upper"] = walk.cost
    if below:
        steps = integers(dual["steps"], "evidence.dual.steps")
        scaled = [int(value * problem.scale) for value in values]
        added = DualSum(problem)
        added.add(problem.requests, steps, scaled)
        found["lower"] = added.bound
    return judged(stated, found, problem.model)


def judged(stated: dict[str, Fraction], found: dict[str, Fraction], model: tuple[str, ...]) -> Proved:
    """Compare the bounds that are stated with those that were found."""
    for name, value in found.items():
        what = "the schedule costs" if name == "upper" else "the dual proves"
        if value != stated[name]:
            raise Refuted(f"the claim says {name} = {stated[name]}, but {what} {value}")
    if len(found) == 1:
        return Proved(f"OPT ≤ {found['upper']}" if "upper" in found else f"OPT ≥ {found['lower']}", model)
    if found["lower"] == found["upper"]:
        return Proved(f"OPT = {found['upper']}: a schedule has this cost, and no schedule has less", model)
    return Proved(f"{found['lower']} ≤ OPT ≤ {found['upper']}", model)


# ------------------------------------------------------------------------------ type "optimum-in-parts"


def check_parts(claim: Json, evidence: Json) -> Proved:
    """Check the type ``optimum-in-parts``: requests, schedule and dual of a part, then those of the next."""
    members(claim, "claim", ("instance", "requests", "upper", "lower"))
    listed = members(claim["requests"], "claim.requests", ("length", "sha256"))
    length = whole(listed["length"], "claim.requests.length", 0)
    stated = {name: rational(claim[name], f"claim.{name}") for name in ("upper", "lower")}
    problem = read_problem({"instance": claim["instance"], "requests": []}, ())
    walk, added, digest = ScheduleWalk(problem), DualSum(problem), hashlib.sha256()
    for number, part in enumerate(evidence if isinstance(evidence, Lines) else items(evidence, "evidence")):
        where = f"part {number}"
        members(part, where, ("requests", "schedule", "steps", "values"))
        names = ("requests", "schedule", "steps", "values")
        requests, entries, steps, values = (integers(part[name], f"{where}.{name}") for name in names)
        if walk.begin % (problem.per_visit * problem.layers):
            raise Refuted(f"{where} begins within a round, at request {walk.begin}")
        check_legal(requests, problem.counts, problem.per_visit)
        walk.serve(requests, entries)
        added.add(requests, steps, values)
        digest.update(as_int32(requests))
    if walk.begin != length:
        raise Refuted(f"the claim is about {length} requests, but the parts hold {walk.begin}")
    if digest.hexdigest() != listed["sha256"]:
        raise Refuted("the requests of the parts are not those of the claim: their SHA-256 is another")
    model = (*problem.model[:-1], f"{length} requests as listed in the parts")
    return judged(stated, {"upper": walk.cost, "lower": added.bound}, model)
