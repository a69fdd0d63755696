"""The trusted part: checks a certificate by counting. Standard library only, and nothing of ours.

Read docs/certificates.md beside it. A certificate states a claim and brings evidence; this file decides
whether the evidence proves the claim. It never looks at who made the certificate, how, or how long it took.

    python checker.py FILE        exit code 0: VERIFIED, 1: REFUTED, 2: INCOMPLETE

REFUTED means that this evidence does not prove this claim (the claim may be true all the same). INCOMPLETE
means that the file could not be judged: it is no certificate of this format, or beyond this checker's limits.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import math
import operator
import re
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, NoReturn

FORMAT, VERSION = "layered-paging certificate", 1
VERIFIED, REFUTED, INCOMPLETE = "VERIFIED", "REFUTED", "INCOMPLETE"
EXIT_CODES = {VERIFIED: 0, REFUTED: 1, INCOMPLETE: 2}

HIT, FREE, BYPASS = -2, -1, -3
"""Entries of a schedule beside page ids: a hit, a fault into a free slot, a fault that caches nothing."""

MAX_BYTES, MAX_LENGTH, MAX_PAGES, MAX_SCALE = 2**31, 2**28, 10**7, 2**256
"""Limits: file size once unpacked, array length, number of pages, common denominator."""

ITEM = {"int8": "b", "int16": "h", "int32": "i", "int64": "q"}
NAME = re.compile(r"[!-~]{1,200}")
REPLAY = "paging verify --replay checks it"
RATIONAL = re.compile(r"-?(0|[1-9][0-9]*)/[1-9][0-9]*")

Json = Any
Integers = Sequence[int]


class Verdict(NamedTuple):
    """What the checker says about a certificate."""

    status: str
    reason: str
    assumptions: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 VERIFIED, 1 REFUTED, 2 INCOMPLETE."""
        return EXIT_CODES[self.status]


class Refuted(Exception):  # noqa: N818
    """The evidence does not prove the claim."""


class Incomplete(Exception):  # noqa: N818
    """The document cannot be judged."""


# ----------------------------------------------------------------------------------------- the problem


class Problem(NamedTuple):
    """The instance and requests of a claim about the offline optimum, with costs times ``scale``."""

    layers: int
    layer_of: Integers  # of every page
    group: int  # requests served together: the pages of an atomic visit, else 1
    bypassing: bool
    capacity: Integers  # of every part of the cache
    part_of: Integers  # of every page
    requests: Integers
    cost: Integers  # of a fault on every page, times scale
    scale: int
    model: tuple[str, ...]


def read_problem(claim: Json, more: Iterable[Fraction]) -> Problem:
    """Read instance, requests and weights of a claim; ``more`` are further numbers to be scaled alike."""
    fields = members(
        claim["instance"],
        "claim.instance",
        needed=("layers", "pages", "cache", "per_visit", "visits", "service"),
        allowed=("shares",),
    )
    layers = whole(fields["layers"], "layers", 1, MAX_PAGES)
    pages = fields["pages"]
    if not isinstance(pages, list):
        pages = [pages] * layers
    if len(pages) != layers:
        raise Incomplete(f"claim.instance.pages lists {len(pages)} layers instead of {layers}")
    counts = [whole(n, "pages", 1, MAX_PAGES) for n in pages]
    if sum(counts) > MAX_PAGES:
        raise Incomplete(f"{sum(counts)} pages are beyond this checker's limit of {MAX_PAGES}")
    cache = whole(fields["cache"], "cache", 1)
    per_visit = whole(fields["per_visit"], "per_visit", 1, min(counts))
    atomic = choice(fields["visits"], "visits", "sequential", "atomic") == "atomic"
    bypassing = choice(fields["service"], "service", "forced", "bypassing") == "bypassing"
    layer_of = [layer for layer, count in enumerate(counts) for _ in range(count)]
    if atomic and (bypassing or cache < per_visit or "shares" in fields):
        raise Incomplete("atomic visits need forced service, one shared cache, and cache ≥ per_visit")
    capacity, part_of = [cache], [0] * len(layer_of)
    if "shares" in fields:
        capacity, part_of = [whole(s, "shares", 0) for s in items(fields["shares"], "shares")], layer_of
        if len(capacity) != layers or sum(capacity) > cache:
            raise Incomplete(f"claim.instance.shares must name {layers} layers and sum to at most {cache}")
    requests = integers(claim["requests"], "claim.requests")
    check_legal(requests, counts, per_visit)
    weights = [Fraction(1)] * len(layer_of)
    if "weights" in claim:
        weights = rationals(claim["weights"], "claim.weights")
        if len(weights) != len(layer_of) or min(weights) <= 0:
            raise Incomplete(f"claim.weights must be {len(layer_of)} positive numbers, one per page")
    scale = common_denominator([*weights, *more])
    return Problem(
        layers,
        layer_of,
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
    first = 0
    for layer, count in enumerate(counts):
        for slot in range(layer * per_visit, (layer + 1) * per_visit):
            # Every round has the same layer at the same place: a slice is checked at once.
            served = requests[slot :: per_visit * len(counts)]
            if len(served) and not (first <= min(served) and max(served) < first + count):
                raise Refuted(f"a request at place {slot} of its round is not a page of layer {layer}")
        first += count
    for one in range(per_visit):
        for other in range(one + 1, per_visit):
            if any(map(operator.eq, requests[one::per_visit], requests[other::per_visit])):
                raise Refuted("a page is requested twice in one visit")


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


# --------------------------------------------------------------------- type "cycle": a policy's ratio ≥


def online_faults(problem: Problem, leaving: Integers, left: Integers, start: int) -> int:
    """Carry out what left a policy's cache; return its faults from ``start`` on. The cache must return."""
    if len(leaving) != len(problem.requests) or sum(leaving) != len(left) or min(leaving, default=0) < 0:
        raise Refuted("evidence.leaving must count the pages of evidence.left, request by request")
    cached: set[int] = set()
    before, faults, place = frozenset(cached), 0, 0
    for t, (page, count) in enumerate(zip(problem.requests, leaving, strict=True)):
        if t == start:
            before, faults = frozenset(cached), 0
        faults += page not in cached
        cached.add(page)
        for victim in left[place : place + count]:
            if victim not in cached or victim == page:
                raise Refuted(f"request {t}: page {victim} cannot leave the policy's cache")
            cached.remove(victim)
        place += count
        if len(cached) > problem.capacity[0]:
            raise Refuted(f"request {t}: the policy holds more than {problem.capacity[0]} pages")
    if cached != before:
        raise Refuted("the policy's cache after the cycle is not the one before")
    return faults


def returning_faults(cycle: Integers, entries: Integers, start: Integers, cache: int) -> int:
    """Carry out a schedule of repetitions from the cache ``start``; return its faults. It must end there."""
    cached = set(start)
    if len(cached) != len(start) or len(cached) > cache:
        raise Refuted(f"evidence.start must be at most {cache} distinct pages")
    faults = 0
    for t, entry in enumerate(entries):
        page = cycle[t % len(cycle)]
        if (entry == HIT) != (page in cached):
            raise Refuted(f"request {t} of the schedule: what is claimed is not what the cache says")
        if entry != HIT:
            faults += 1
            if entry >= 0 and entry in cached:
                cached.remove(entry)
            elif entry != FREE or len(cached) == cache:
                raise Refuted(f"request {t} of the schedule: the entry {entry} is not allowed here")
            cached.add(page)
    if cached != set(start):
        raise Refuted("the schedule does not return to the cache it started with")
    return faults


def check_cycle(kind: str, claim: Json, evidence: Json) -> tuple[str, tuple[str, ...]]:
    """Check the type ``cycle``: requests that can be repeated for ever force a ratio on a policy.

    After the prefix, every repetition of the cycle costs the policy the same if its state returns, and OPT no
    more than a schedule that returns to its cache. What the policy does is taken from the evidence.
    """
    numbers = ("online", "offline", "ratio")
    members(claim, "claim", ("instance", "policy", "opt_cache", "prefix", "cycle", *numbers))
    members(evidence, "evidence", ("leaving", "left", "start", "periods", "schedule"))
    policy = claim["policy"]
    if not isinstance(policy, str) or not NAME.fullmatch(policy):
        raise Incomplete("claim.policy must be a name")
    prefix, cycle = (integers(claim[name], f"claim.{name}") for name in ("prefix", "cycle"))
    problem = read_problem({"instance": claim["instance"], "requests": [*prefix, *cycle]}, ())
    shape = claim["instance"]
    plain = (shape["per_visit"], shape["visits"], shape["service"]) == (1, "sequential", "forced")
    if not plain or "shares" in shape:
        raise Incomplete("a cycle needs one page per visit, sequential, forced service and one shared cache")
    small = whole(claim["opt_cache"], "claim.opt_cache", 1, problem.capacity[0])
    if len(cycle) == 0 or len(cycle) % problem.layers:
        raise Refuted(f"the cycle has {len(cycle)} requests: no whole number of rounds")
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
    faults = returning_faults(cycle, entries, start, small)
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
    lower = "the ratio is unbounded" if endless else f"the ratio is at least {claim['ratio']}"
    reason = f"policy {policy}: {lower}; a repetition costs it {found['online']}, OPT {found['offline']}"
    assumptions = (
        *problem.model[:5],
        f"OPT has {small} pages",
        f"{policy} decides as listed, and its state after the cycle is the one before ({REPLAY})",
    )
    return reason, assumptions


# ---------------------------------------------------------------------------------- judging a document


def check_optimum(kind: str, claim: Json, evidence: Json) -> tuple[str, tuple[str, ...]]:
    """Check the types ``schedule`` (OPT ≤ upper), ``dual`` (OPT ≥ lower) and ``optimum`` (both)."""
    above, below = kind in ("schedule", "optimum"), kind in ("dual", "optimum")
    numbers = ("upper",) * above + ("lower",) * below
    members(claim, "claim", ("instance", "requests", *numbers), allowed=("weights",))
    members(evidence, "evidence", ("schedule",) * above + ("dual",) * below)
    stated = {name: rational(claim[name], f"claim.{name}") for name in numbers}
    values: list[Fraction] = []
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
    if len(set(found.values())) == 1 and kind == "optimum":
        return f"OPT = {found['upper']}: a schedule has this cost, and no schedule has less", problem.model
    if kind == "optimum":
        return f"{found['lower']} ≤ OPT ≤ {found['upper']}", problem.model
    return (f"OPT ≤ {found['upper']}" if above else f"OPT ≥ {found['lower']}"), problem.model


CHECKS: dict[str, Callable[[str, Json, Json], tuple[str, tuple[str, ...]]]] = {
    "schedule": check_optimum,
    "dual": check_optimum,
    "optimum": check_optimum,
    "cycle": check_cycle,
}
"""What checks a certificate, by type. Each returns what is proved and what is assumed, or raises."""


def verify(document: Json) -> Verdict:
    """Judge a certificate as it comes out of JSON."""
    try:
        members(
            document,
            "the certificate",
            ("format", "version", "type", "claim", "evidence"),
            allowed=("provenance",),  # never read
        )
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise Incomplete(f"not a {FORMAT!r} of version {VERSION}")
        whole(document["version"], "version", 1)
        kind = choice(document["type"], "type", *CHECKS)
        reason, assumptions = CHECKS[kind](kind, document["claim"], document["evidence"])
        return Verdict(VERIFIED, reason, assumptions)
    except Refuted as refuted:
        return Verdict(REFUTED, str(refuted))
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))


def verify_file(path: str) -> Verdict:
    """Judge a file, JSON or gzipped JSON."""
    try:
        return verify(load(path))
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))


# -------------------------------------------------------------------------------------- reading values


def load(path: str) -> Json:
    """Read a file as strict JSON: no floats, no field twice."""
    try:
        with open(path, "rb") as file:
            head = file.read(2)
            file.seek(0)
            if head == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    content = unpacked.read(MAX_BYTES + 1)
            else:
                content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Incomplete(f"the file unpacks to more than {MAX_BYTES} bytes")
        return json.loads(
            content.decode("utf-8"),
            parse_float=no_float,
            parse_constant=no_float,
            object_pairs_hook=no_field_twice,
        )
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Incomplete(f"the file cannot be read: {error}") from error


def no_float(text: str) -> NoReturn:
    """Refuse a number that is not whole."""
    raise Incomplete(f'{text[:30]} is a float; numbers are whole, or text such as "3/4"')


def no_field_twice(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Build an object, or refuse one that names a field twice."""
    built = dict(pairs)
    if len(built) != len(pairs):
        raise Incomplete(f"an object names a field twice: {[name for name, _ in pairs][:9]}")
    return built


def members(value: Json, where: str, needed: Iterable[str], allowed: Iterable[str] = ()) -> dict[str, Json]:
    """Return an object that has the needed fields, perhaps the allowed ones, and no others."""
    if not isinstance(value, dict):
        raise Incomplete(f"{where} is not an object")
    missing = [name for name in needed if name not in value]
    unknown = [name for name in value if name not in needed and name not in allowed]
    if missing or unknown:
        problem = f"lacks {missing}" if missing else f"has unknown fields {unknown[:9]}"
        raise Incomplete(f"{where} {problem}")
    return value


def whole(value: Json, where: str, low: int, high: int | None = None) -> int:
    """Return an int in low … high."""
    if type(value) is not int or value < low or (high is not None and value > high):
        allowed = f"≥ {low}" if high is None else f"in {low} … {high}"
        raise Incomplete(f"{where} must be a whole number {allowed}")
    return value


def choice(value: Json, where: str, *allowed: str) -> str:
    """Return one of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise Incomplete(f"{where} must be one of {', '.join(allowed)}")
    return value


def items(value: Json, where: str) -> list[Json]:
    """Return a list."""
    if not isinstance(value, list):
        raise Incomplete(f"{where} is not a list")
    return value


def rational(value: Json, where: str) -> Fraction:
    """Return a whole number or text "p/q" as a Fraction."""
    if type(value) is int:
        return Fraction(value)
    if not isinstance(value, str) or len(value) > 200 or not RATIONAL.fullmatch(value):
        raise Incomplete(f'{where} must hold whole numbers or text such as "3/4"')
    return Fraction(value)


def rationals(value: Json, where: str) -> list[Fraction]:
    """Return a list of rationals, given as such or as an array of integers."""
    if isinstance(value, list):
        return [rational(item, where) for item in value]
    return [Fraction(item) for item in integers(value, where)]


def common_denominator(values: Iterable[Fraction]) -> int:
    """Return the least common denominator, within the limit."""
    scale = 1
    for denominator in {value.denominator for value in values}:
        scale = math.lcm(scale, denominator)
        if scale > MAX_SCALE:
            raise Incomplete("the common denominator is beyond this checker's limit")
    return scale


def integers(value: Json, where: str) -> Integers:
    """Return an array of integers: a JSON list, or an object {"type", "length", "zlib"} that packs one."""
    if isinstance(value, list):
        if not all(type(item) is int and abs(item) < 2**63 for item in value):
            raise Incomplete(f"{where} must hold whole numbers of at most 64 bits")
        return array("q", value)
    fields = members(value, where, ("type", "length", "zlib"))
    numbers = array(ITEM[choice(fields["type"], f"{where}.type", *ITEM)])
    size = whole(fields["length"], f"{where}.length", 0, MAX_LENGTH) * numbers.itemsize
    if not isinstance(fields["zlib"], str):
        raise Incomplete(f"{where}.zlib is not text")
    try:
        unpacker = zlib.decompressobj()
        # One byte more than promised is asked for, so that a longer stream is noticed and not unpacked.
        content = unpacker.decompress(base64.b64decode(fields["zlib"], validate=True), size + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise Incomplete(f"{where}: {error}") from error
    if len(content) != size or not unpacker.eof or unpacker.unused_data:
        raise Incomplete(f"{where} does not unpack to {fields['length']} numbers")
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def main(arguments: list[str]) -> int:
    """Judge the file named on the command line."""
    if len(arguments) != 1:
        print("usage: checker.py FILE", file=sys.stderr)
        return 2
    verdict = verify_file(arguments[0])
    print(f"{verdict.status}: {verdict.reason}")
    for assumption in verdict.assumptions:
        print(f"  assuming {assumption}")
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
