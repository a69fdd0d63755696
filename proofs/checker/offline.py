"""Claims about the offline optimum of a request sequence: a schedule from above, a dual from below."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from fractions import Fraction

from .problem import BYPASS, FREE, HIT, Problem, Proved, read_problem
from .reading import Integers, Json, Refuted, integers, members, rational, rationals

# ------------------------------------------------------------------------------ type "schedule": OPT ≤


def schedule_cost(problem: Problem, entries: Integers) -> int:
    """Carry the schedule out and return its cost, times scale."""
    requests, part_of, group = problem.requests, problem.part_of, problem.group
    if len(entries) != len(requests):
        raise Refuted(f"the schedule has {len(entries)} entries for {len(requests)} requests")
    cached = bytearray(len(problem.layer_of))
    free = list(problem.capacity)
    pages = len(cached)
    faults = [0] * pages
    for t, (page, entry) in enumerate(zip(requests, entries, strict=True)):
        if entry == HIT:
            if not cached[page]:
                raise Refuted(f"request {t}: a hit is claimed, but page {page} is not cached")
        elif cached[page]:
            raise Refuted(f"request {t}: a fault is claimed, but page {page} is cached")
        else:
            faults[page] += 1
            part = part_of[page]
            if 0 <= entry < pages:
                if not cached[entry] or part_of[entry] != part:
                    raise Refuted(f"request {t}: page {entry} cannot leave for page {page}")
                cached[entry] = 0
                cached[page] = 1
            elif entry == FREE:
                if free[part] == 0:
                    raise Refuted(f"request {t}: no slot is free")
                free[part] -= 1
                cached[page] = 1
            elif entry != BYPASS or not problem.bypassing:
                raise Refuted(f"request {t}: the entry {entry} is not allowed here")
        if group > 1 and ((t + 1) % group == 0 or t + 1 == len(requests)):
            visit = requests[t - t % group : t + 1]
            if not all(cached[q] for q in visit):
                raise Refuted(f"request {t}: an atomic visit ends without all of its pages")
    return sum(map(operator.mul, faults, problem.cost))


# ---------------------------------------------------------------------------------- type "dual": OPT ≥


def dual_bound(problem: Problem, steps: Integers, values: Integers) -> int:
    """Return the lower bound on OPT that numbers y ≥ 0 at some steps prove, times scale.

    A page can only be kept between two of its requests if it occupies a slot at every step in between. Let
    every slot of step u cost y_u. Whoever keeps gaps pays Σ slots·y for all slots at most, and a gap over
    steps of total price S saves at most max(0, w − S) beyond its price. So no schedule saves more than
    Σ slots·y + Σ_gaps max(0, w − S), and OPT is at least the cost of faulting always, less that.
    """
    requests, cost, part_of, group = problem.requests, problem.cost, problem.part_of, problem.group
    own = 0 if problem.bypassing else 1
    count = -(-len(requests) // group)
    if len(steps) != len(values):
        raise Refuted(f"the dual names {len(steps)} steps but {len(values)} values")
    if any(map(operator.ge, steps, steps[1:])) or (len(steps) and (steps[0] < 0 or steps[-1] >= count)):
        raise Refuted(f"the steps of the dual must be increasing, from 0 to {count - 1}")
    if len(values) and min(values) < 0:
        raise Refuted("a value of the dual is negative")
    # level[part]: sum of y so far; since[page]: what it was when the page's last gap began. Before the first
    # request there is no gap: a price beyond every weight makes its contribution 0.
    level = [0] * len(problem.capacity)
    since = [-max(cost)] * len(cost)
    paid = lost = total = 0
    price = zip((*steps, count), (*values, 0), strict=True)
    step, value = next(price)
    for u in range(count):
        visit = requests[u * group : (u + 1) * group] if group > 1 else (requests[u],)
        for page in visit:
            part = part_of[page]
            weight = cost[page]
            total += weight
            covered = level[part] - since[page]
            if covered < weight:
                lost += weight - covered
            since[page] = level[part]
        if u == step:
            part = part_of[visit[0]]
            level[part] += value
            paid += value * (problem.capacity[part] - own * len(visit))
            if own:
                # Forced: a gap begins after the step of its own request; with bypassing it includes it.
                for page in visit:
                    since[page] = level[part]
            step, value = next(price)
    return total - paid - lost


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
        found["upper"] = Fraction(schedule_cost(problem, entries), problem.scale)
    if below:
        steps = integers(dual["steps"], "evidence.dual.steps")
        scaled = [int(value * problem.scale) for value in values]
        found["lower"] = Fraction(dual_bound(problem, steps, scaled), problem.scale)
    for name, value in found.items():
        what = "the schedule costs" if name == "upper" else "the dual proves"
        if value != stated[name]:
            raise Refuted(f"the claim says {name} = {stated[name]}, but {what} {value}")
    if not (above and below):
        return Proved(f"OPT ≤ {found['upper']}" if above else f"OPT ≥ {found['lower']}", problem.model)
    if found["lower"] == found["upper"]:
        reason = f"OPT = {found['upper']}: a schedule has this cost, and no schedule has less"
        return Proved(reason, problem.model)
    return Proved(f"{found['lower']} ≤ OPT ≤ {found['upper']}", problem.model)
