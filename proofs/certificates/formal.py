"""The checker written and proved sound in Coq (docs/formal.md): a certificate is handed to it as numbers.

What this module reads is not trusted: the program prints the claim that it has judged.
"""

from __future__ import annotations

import os
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from paging.errors import LayeredPagingError
from proofs.checker import (
    CHECKS,
    FORMAT,
    INCOMPLETE,
    REFUTED,
    VERIFIED,
    VERSION,
    Incomplete,
    Refuted,
    Verdict,
    choice,
    integers,
    load,
    members,
    within,
)
from proofs.checker.game import SIDES, listing, read_game, read_ratio
from proofs.checker.problem import Problem, read_plain, read_problem, read_setting
from proofs.checker.reading import common_denominator, rational, rationals, whole
from proofs.checker.states import array_of, read_likeness

VARIABLE = "PAGING_FORMAL"
BUILT = Path(__file__).resolve().parents[2] / "build" / "formal" / "certify"

Json = Any


class FormalError(LayeredPagingError, RuntimeError):
    """The verified checker cannot be run."""


def program() -> Path:
    """Return where the verified checker lies: ``$PAGING_FORMAL``, or what ``make formal`` builds."""
    path = Path(os.environ.get(VARIABLE) or BUILT)
    if not os.access(path, os.X_OK) or path.is_dir():
        raise FormalError(
            f"the verified checker is not built: no program {path}; make formal builds it, "
            f"or {VARIABLE} says where it lies"
        )
    return path


def verify_formally(path: str, limit: int = 1) -> Verdict:
    """Have a certificate judged by the verified checker.

    Parameters
    ----------
    path : str
        The certificate; "-" for standard input.
    limit : int
        Multiplies the limits on reading the file.

    Returns
    -------
    Verdict
        The claim as the program echoes it is the reason, and the lines below it its assumptions.
        INCOMPLETE also where the verified checker does not speak about the certificate.

    Raises
    ------
    FormalError
        The program is not built, or fails.
    """
    run = program()
    try:
        document, budget = load(path, limit)
        with within(budget):
            inputs = [b"".join(parts) for parts in inputs_of(document)]
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))
    except Refuted as refuted:
        return Verdict(REFUTED, str(refuted))
    verdicts = [judged(run, numbers) for numbers in inputs]
    for verdict in verdicts:
        if verdict.status != VERIFIED:
            return verdict
    printed = dict.fromkeys(text for verdict in verdicts for text in verdict.assumptions)
    return Verdict(VERIFIED, "; ".join(verdict.reason for verdict in verdicts), tuple(printed))


def judged(run: Path, numbers: bytes) -> Verdict:
    """Return what the program says."""
    done = subprocess.run([run], input=numbers, capture_output=True, check=False)
    first, *below = done.stdout.decode("ascii", "replace").splitlines() or [""]
    status, _, reason = first.partition(": ")
    if done.returncode != {VERIFIED: 0, REFUTED: 1, INCOMPLETE: 2}.get(status):
        raise FormalError(f"{run} failed with exit code {done.returncode}: {done.stderr[-200:].decode()!r}")
    return Verdict(status, reason, tuple(line.strip() for line in below))


# ------------------------------------------------------------------------------- what the program reads


def line(value: object) -> bytes:
    """Return a number or a word as the program reads it."""
    return f"{value}\n".encode("ascii")


def numbers(values: array[int]) -> bytes:
    """Return an array as the program reads it: width and length, then the numbers, little-endian."""
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return line(f"{values.itemsize} {len(values)}") + values.tobytes()


def naturals(value: Json, where: str) -> bytes:
    """Return an array of numbers that are not negative."""
    found = integers(value, where)
    if min(found, default=0) < 0:
        raise Refuted(f"{where} has a negative number")
    return numbers(found)


def beyond(what: str) -> Incomplete:
    """Return the refusal of what the verified checker has no theorem about."""
    return Incomplete(f"the verified checker does not speak about {what}")


def inputs_of(document: Json) -> list[Iterator[bytes]]:
    """Return what the program is to judge, or refuse a document that is not of the format."""
    members(
        document,
        "the certificate",
        ("format", "version", "type", "claim", "evidence"),
        allowed=("provenance",),
    )
    if document["format"] != FORMAT or document["version"] != VERSION:
        raise Incomplete(f"not a {FORMAT!r} of version {VERSION}")
    whole(document["version"], "version", 1)
    kind = choice(document["type"], "type", *CHECKS)
    if kind == "exact":
        return exact(document["claim"], document["evidence"])
    if kind not in SPOKEN:
        raise beyond(f"the type {kind}")
    return [SPOKEN[kind](document["claim"], document["evidence"])]


def exact(claim: Json, evidence: Json) -> list[Iterator[bytes]]:
    """Return a certificate of the type ``exact`` as its two parts, a cycle and a potential."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    members(evidence, "evidence", ("cycle", "potential"))
    named = ("prefix", "cycle", "online", "offline")
    below = members(
        evidence["cycle"], "evidence.cycle", (*named, "leaving", "left", "start", "periods", "schedule")
    )
    if claim["ratio"] == "unbounded":
        raise Refuted("an unbounded ratio has no potential: a certificate of type cycle says it all")
    lower = {name: claim[name] for name in ("instance", "policy", "opt_cache", "ratio")}
    return [
        cycle(
            {**lower, **{name: below[name] for name in named}},
            {name: below[name] for name in below if name not in named},
        ),
        potential(claim, evidence["potential"]),
    ]


def instance(claim: Json) -> bytes:
    """Return the instance of a claim in the model of ``Model.v``."""
    problem = read_problem({"instance": claim["instance"], "requests": []}, ())
    shape = claim["instance"]
    for name, spoken in (("per_visit", 1), ("visits", "sequential"), ("service", "forced")):
        if shape[name] != spoken:
            raise beyond(f"{name} = {shape[name]}, only {spoken}")
    if "shares" in shape:
        raise beyond("a split cache")
    return numbers(array("q", problem.counts)) + line(problem.capacity[0])


def optimum(claim: Json, evidence: Json) -> Iterator[bytes]:
    """Yield a certificate of the type ``optimum``."""
    members(claim, "claim", ("instance", "requests", "lower", "upper"), allowed=("weights",))
    members(evidence, "evidence", ("schedule", "dual"))
    dual = members(evidence["dual"], "evidence.dual", ("steps", "values"))
    if "weights" in claim:
        raise beyond("weights")
    yield line("optimum")
    yield instance(claim)
    yield naturals(claim["requests"], "claim.requests")
    values = rationals(dual["values"], "evidence.dual.values")
    bounds = [rational(claim[name], f"claim.{name}") for name in ("lower", "upper")]
    scale = common_denominator([*values, *bounds])
    yield from map(line, (scale, *(scale * bound for bound in bounds)))
    yield numbers(integers(evidence["schedule"], "evidence.schedule"))
    steps = integers(dual["steps"], "evidence.dual.steps")
    if len(values) != len(steps):
        raise Refuted(f"the dual names {len(steps)} steps but {len(values)} values")
    yield naturals(dual["steps"], "evidence.dual.steps")
    yield naturals([int(scale * value) for value in values], "evidence.dual.values")


def setting(claim: Json) -> Iterator[bytes]:
    """Yield instance, policy and OPT's cache of a claim about a policy's ratio."""
    yield instance(claim)
    _, policy, small = read_setting(claim)
    if policy not in POLICIES:
        raise beyond(f"the policy {policy}")
    yield from map(line, (policy, small))


def ratio(value: Fraction, where: str) -> Iterator[bytes]:
    """Yield numerator and denominator."""
    if value < 0:
        raise Refuted(f"{where} is negative")
    yield from map(line, (value.numerator, value.denominator))


def cycle(claim: Json, evidence: Json) -> Iterator[bytes]:
    """Yield a certificate of the type ``cycle``."""
    costs = ("online", "offline")
    members(claim, "claim", ("instance", "policy", "opt_cache", "prefix", "cycle", *costs, "ratio"))
    members(evidence, "evidence", ("leaving", "left", "start", "periods", "schedule"))
    yield line("cycle")
    yield from setting(claim)
    yield from (naturals(claim[name], f"claim.{name}") for name in ("prefix", "cycle"))
    yield from (line(whole(claim[name], f"claim.{name}", 0)) for name in costs)
    if claim["ratio"] == "unbounded":
        yield from map(line, (1, 0))
    else:
        yield from ratio(rational(claim["ratio"], "claim.ratio"), "claim.ratio")
    leaving, left = (integers(evidence[name], f"evidence.{name}") for name in ("leaving", "left"))
    if sum(leaving) != len(left) or min(leaving, default=0) < 0:
        raise Refuted("evidence.leaving must count the pages of evidence.left, request by request")
    ordered, place = array("q"), 0
    for count in leaving:
        ordered.extend(sorted(left[place : place + count]))
        place += count
    yield numbers(leaving)
    yield naturals(list(ordered), "evidence.left")
    yield naturals(evidence["start"], "evidence.start")
    yield line(whole(evidence["periods"], "evidence.periods", 1))
    yield numbers(integers(evidence["schedule"], "evidence.schedule"))


def potential(claim: Json, evidence: Json) -> Iterator[bytes]:
    """Yield a certificate of the type ``potential``."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    yield line("potential")
    yield from setting(claim)
    listed = ("alike", "labels", "work", "layers", "potential")
    members(evidence, "evidence", listed, allowed=("moves",))
    yield from ratio(rational(claim["ratio"], "claim.ratio"), "claim.ratio")
    additive = rational(claim["additive"], "claim.additive")
    yield from map(line, (additive.numerator, additive.denominator))
    problem = read_plain(claim)
    alike = read_likeness(evidence["alike"], problem)
    if not alike.pages:
        raise beyond("a list of states that tells the pages of a layer apart")
    yield line(int(alike.layers))
    yield from states(evidence, "evidence", problem, {"labels": None, "work": None})


def game(claim: Json, evidence: Json) -> Iterator[bytes]:
    """Yield a certificate of the type ``game``."""
    members(claim, "claim", ("instance", "opt_cache"), SIDES)
    sides = [side for side in SIDES if side in claim]
    if not sides:
        raise Incomplete("claim needs lower, upper or both")
    members(evidence, "evidence", sides)
    yield line("game")
    yield instance(claim)
    found = read_game(claim)
    yield from map(line, (found.small, int(found.alike.layers)))
    for side in SIDES:
        if side not in sides:
            yield line("none")
            continue
        where, own = f"evidence.{side}", LISTED[side]
        here = members(evidence[side], where, (*listing(found), "potential", *own))
        yield line(side)
        yield from ratio(read_ratio(claim, side), f"claim.{side}")
        yield from states(here, where, found.problem, {"cached": 1, "work": found.small})
        for name in own:
            listed = integers(here[name], f"{where}.{name}")
            if side == "lower" and len(listed) != len(here["layers"]):
                raise Refuted(f"{where} must have one request and one number of steps for every state")
            yield numbers(ranks(listed) if name == "steps" else listed)


def ranks(values: array[int]) -> array[int]:
    """Return for each number how many smaller ones there are, equal ones counted once."""
    rank = {value: place for place, value in enumerate(sorted({*values}))}
    return array("q", map(rank.__getitem__, values))


def states(evidence: Json, where: str, problem: Problem, most: dict[str, int | None]) -> Iterator[bytes]:
    """Yield the listed states: layers, labels, each with the largest one allowed, and potential."""
    layers = integers(evidence["layers"], f"{where}.layers")
    if not 0 <= min(layers, default=0) <= max(layers, default=0) < problem.layers:
        raise Refuted(f"{where}.layers names a layer that does not exist")
    yield numbers(layers)
    for name, largest in most.items():
        labels = array_of(evidence, name, len(layers), len(problem.layer_of), where)
        if min(labels, default=0) < 0:
            raise Refuted(f"{where}.{name} has a negative number")
        if largest is not None and max(labels, default=0) > largest:
            raise Refuted(f"{where}.{name} has a number above {largest}")
        yield numbers(labels)
    potential = integers(evidence["potential"], f"{where}.potential")
    if len(potential) != len(layers):
        raise Refuted(f"{where}: {len(potential)} potentials for {len(layers)} states")
    yield numbers(potential)


POLICIES = ("lru", "fifo", "lifo", "mru", "fwf", "mark-lru", "mark-fifo")
"""The policies that the verified checker has rules for (``Rules.v``)."""

LISTED = {"lower": ("requests", "steps"), "upper": ("victims",)}
"""What each side of the type ``game`` lists beside its states and potential."""

SPOKEN: dict[str, Callable[[Json, Json], Iterator[bytes]]] = {
    "optimum": optimum,
    "cycle": cycle,
    "potential": potential,
    "game": game,
}
"""The types of certificates that the verified checker speaks about."""
