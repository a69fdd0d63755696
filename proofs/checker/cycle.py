"""Claims that a policy's competitive ratio is at least a number: requests that can be repeated for ever."""

from __future__ import annotations

from .problem import FREE, HIT, Problem, Proved, read_setting, spoken_of
from .reading import Integers, Json, Refuted, integers, members, rational, spend, whole
from .rules import REPLAY, Rule, rule_of, serving

# --------------------------------------------------------------------- type "cycle": a policy's ratio ≥


def online_faults(problem: Problem, leaving: Integers, left: Integers, start: int) -> int:
    """Carry out what left a policy's cache; return its faults from ``start`` on. The cache must return."""
    if len(leaving) != len(problem.requests) or sum(leaving) != len(left) or min(leaving, default=0) < 0:
        raise Refuted("evidence.leaving must count the pages of evidence.left, request by request")
    cached: set[int] = set()
    visit: list[int] = []  # of an atomic visit, the pages asked for
    late: frozenset[int] | None = None  # the pages cached at its first fault
    before, faults, place = frozenset(cached), 0, 0
    for t, (page, count) in enumerate(zip(problem.requests, leaving, strict=True)):
        if t == start:
            before, faults = frozenset(cached), 0
        if t % problem.group == 0:
            visit, late = [], None
        if late is not None and page in late:
            raise Refuted(f"request {t}: page {page} was cached when its atomic visit's first fault came")
        if page not in cached:
            faults += 1
            late = frozenset(cached) if late is None else late
        cached.add(page)
        visit.append(page)
        for victim in left[place : place + count]:
            if victim not in cached or victim in visit:
                raise Refuted(f"request {t}: page {victim} cannot leave the policy's cache")
            cached.remove(victim)
        place += count
        if len(cached) > problem.capacity[0]:
            raise Refuted(f"request {t}: the policy holds more than {problem.capacity[0]} pages")
    if cached != before:
        raise Refuted("the policy's cache after the cycle is not the one before")
    return faults


def returning_faults(cycle: Integers, entries: Integers, start: Integers, cache: int, group: int = 1) -> int:
    """Carry out a schedule of repetitions from the cache ``start``; return its faults. It must end there.

    ``group`` pages are asked for together: none of them leaves before all were.
    """
    cached = set(start)
    if len(cached) != len(start) or len(cached) > cache:
        raise Refuted(f"evidence.start must be at most {cache} distinct pages")
    faults = 0
    for t, entry in enumerate(entries):
        page = cycle[t % len(cycle)]
        visit = cycle[(t - t % group) % len(cycle) : t % len(cycle)]
        if (entry == HIT) != (page in cached):
            raise Refuted(f"request {t} of the schedule: what is claimed is not what the cache says")
        if entry != HIT:
            faults += 1
            if entry >= 0 and entry in cached and entry not in visit:
                cached.remove(entry)
            elif entry != FREE or len(cached) == cache:
                raise Refuted(f"request {t} of the schedule: the entry {entry} is not allowed here")
            cached.add(page)
    if cached != set(start):
        raise Refuted("the schedule does not return to the cache it started with")
    return faults


def follow_rule(
    policy: str, rule: Rule, problem: Problem, start: int, leaving: Integers, left: Integers
) -> None:
    """Refuse what this checker's own rule of a policy would not do, or labels that do not return."""
    spend(f"serving with {policy}", 2 * len(problem.layer_of) * len(problem.requests))
    serve, labels = serving(rule, problem), [0] * len(problem.layer_of)
    before, place = labels, 0
    for t, (page, count) in enumerate(zip(problem.requests, leaving, strict=True)):
        if t == start:
            before = labels
        begun = t - t % problem.group
        after = serve(labels, page, t % (problem.layers * problem.per_visit), problem.requests[begun:t])
        gone = [q for q, (old, new) in enumerate(zip(labels, after, strict=True)) if old > 0 >= new]
        if gone != sorted(left[place : place + count]):
            raise Refuted(f"request {t}: {policy} evicts {gone}, not what is listed")
        place += count
        labels = after
    if labels != before:
        raise Refuted(f"the state of {policy} after the cycle is not the one before")


def check_cycle(claim: Json, evidence: Json) -> Proved:
    """Check the type ``cycle``: requests that can be repeated for ever force a ratio on a policy.

    After the prefix, every repetition of the cycle costs the policy the same if its state returns, and OPT no
    more than a schedule that returns to its cache. What the policy does is taken from the evidence.
    """
    numbers = ("online", "offline", "ratio")
    members(claim, "claim", ("instance", "policy", "opt_cache", "prefix", "cycle", *numbers))
    members(evidence, "evidence", ("leaving", "left", "start", "periods", "schedule"))
    prefix, cycle = (integers(claim[name], f"claim.{name}") for name in ("prefix", "cycle"))
    problem, policy, small = read_setting(claim, [*prefix, *cycle], several=True)
    if len(cycle) == 0 or len(cycle) % (problem.layers * problem.per_visit):
        raise Refuted(f"the cycle has {len(cycle)} requests: no whole number of rounds")
    if len(prefix) % problem.per_visit:
        raise Refuted(f"the prefix has {len(prefix)} requests: it ends within a visit")
    found = {}
    leaving, left = (integers(evidence[name], f"evidence.{name}") for name in ("leaving", "left"))
    found["online"] = online_faults(problem, leaving, left, len(prefix))
    entries = integers(evidence["schedule"], "evidence.schedule")
    periods = whole(evidence["periods"], "evidence.periods", 1)
    if len(entries) != periods * len(cycle):
        raise Refuted(f"the schedule has {len(entries)} entries for {periods} repetitions of {len(cycle)}")
    start = integers(evidence["start"], "evidence.start")
    if any(not 0 <= page < len(problem.layer_of) for page in start):
        raise Refuted("evidence.start names a page that does not exist")
    faults = returning_faults(cycle, entries, start, small, problem.group)
    found["offline"], rest = divmod(faults, periods)
    if rest:
        raise Refuted(f"the schedule costs {faults} in {periods} repetitions: no whole number each")
    for name, value in found.items():
        if whole(claim[name], f"claim.{name}", 0) != value:
            raise Refuted(f"the claim says {name} = {claim[name]} a repetition, but the evidence {value}")
    endless = claim["ratio"] == "unbounded"
    if endless and (found["offline"] or not found["online"]):
        raise Refuted("a ratio is unbounded only if the schedule costs nothing and the policy faults")
    if not endless and rational(claim["ratio"], "claim.ratio") * found["offline"] != found["online"]:
        raise Refuted(f"the ratio is {found['online']} to {found['offline']}, not {claim['ratio']}")
    if not endless and not found["offline"]:
        raise Refuted("the schedule costs nothing: the ratio is no number")
    rule = rule_of(policy, problem)
    if rule:
        follow_rule(policy, rule, problem, len(prefix), leaving, left)
    lower = "the ratio is unbounded" if endless else f"the ratio is at least {claim['ratio']}"
    reason = f"policy {policy}: {lower}; a repetition costs it {found['online']}, OPT {found['offline']}"
    trusted = f"{policy} decides as listed, and its state after the cycle is the one before ({REPLAY})"
    return Proved(reason, spoken_of(problem, small), () if rule else (trusted,))
