"""A hundred thousand changed certificates: no crash, and VERIFIED only what is true by other means."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from lp import optimum
from paging import LayeredInstance, RequestSequence, get_policy
from proofs.certificates.reading import read_certificate
from proofs.checker import CHECKS, CONDITIONAL, INCOMPLETE, REFUTED, VERIFIED, Budget, integers, verify
from proofs.checker.bits import POLICIES
from proofs.checker.coefficients import NAMES as NAMED
from proofs.checker.reading import RATIONAL
from proofs.checker.rules import RULES, SPLIT
from proofs.checker.weighted import LANDLORDS
from proofs.game.predictions.trade_off import solve_trade_off
from proofs.game.randomized.value import randomized_value
from proofs.game.value import rule_ratio, solve_game
from proofs.game.weighted import solve_weighted_game
from proofs.ratio.deterministic import exact_ratio
from proofs.ratio.randomized import randomized_exact
from proofs.ratio.trade_off import policy_trade_off
from proofs.ratio.weighted import weighted_ratio
from tests.helpers.certificates import FOLDER

SOURCES = [
    read_certificate(path)
    for folder in ("valid", "conditional")
    for path in sorted(FOLDER.glob(f"*/{folder}/*"))
    if path.stat().st_size < 2000 and path.suffix != ".jsonl"  # one JSON document each
]


def sides(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what proves one side of a claim about OPT, as the certificates that it is by itself."""
    claim, evidence = document["claim"], document["evidence"]
    return [
        {
            **document,
            "type": kind,
            "claim": {name: value for name, value in claim.items() if name != other},
            "evidence": {kind: evidence[kind]},
        }
        for kind, other in (("schedule", "lower"), ("dual", "upper"))
    ]


SOURCES += [side for source in SOURCES if source["type"] == "optimum" for side in sides(source)]
TEXTS = {kind: [json.dumps(source) for source in SOURCES if source["type"] == kind] for kind in CHECKS}
"""Sources of every type."""
NAMES = (
    *RULES,
    *LANDLORDS,
    *POLICIES,
    "partitioned",
    "partitioned:policy=fifo",
    "random",
    "mark",
    "equitable",
    "opt",
    "mypkg:Mine",
)
NAMES_JUDGED = (*RULES, *LANDLORDS, *POLICIES, "mark", "equitable")
NUMBERS = (-(2**63), -7, -3, -2, -1, 0, 1, 2, 3, 4, 5, 2**31, 2**70, 10**30)
ODD = (None, True, [], {}, "", "1/2", "0/1", "7/0", "unbounded", "pages", 1.5, "é")


def some_place(document: dict[str, Any], rng: random.Random) -> tuple[Any, Any, Any]:
    """Return a container somewhere in claim or evidence, a key, and what stands there."""
    box: Any = document
    key: Any = rng.choice([part for part in ("claim", "evidence") if part in document] or list(document))
    while isinstance(box[key], dict | list) and box[key] and rng.random() < 0.9:
        box = box[key]
        key = rng.choice(list(box)) if isinstance(box, dict) else rng.randrange(len(box))
    return box, key, box[key]


def changed(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One to three random changes: numbers, fields, lengths, names, whole parts of another certificate."""
    document.pop("provenance", None)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        box, last, value = some_place(document, rng)
        kind = rng.random()
        if last == "policy" or (kind < 0.03 and has_policy(document)):
            document["claim"]["policy"] = rng.choice(NAMES)
        elif type(value) is int and kind < 0.7:
            box[last] = rng.choice((value + 1, value - 1, -value, 2 * value, rng.choice(NUMBERS)))
        elif isinstance(value, str) and kind < 0.5 and RATIONAL.fullmatch(value):
            top, _, bottom = value.partition("/")
            box[last] = f"{int(top) + rng.choice((-1, 1))}/{bottom}"
        elif isinstance(value, list) and value and kind < 0.7:
            i = rng.randrange(len(value))
            box[last] = rng.choice(
                (
                    value + value,
                    value[:-1],
                    value[1:],
                    value[::-1],
                    [*value, value[i]],
                    value[:i] + value[i + 1 :],
                )
            )
        elif kind < 0.8:
            del box[last]
        elif kind < 0.9:
            box[last] = copy.deepcopy(rng.choice(ODD))
        else:
            box[last] = copy.deepcopy(some_place(rng.choice(SOURCES), rng)[2])
    return document


def is_true(document: dict[str, Any]) -> bool:
    """Whether a claim is true, computed without certificate and checker."""
    claim = document["claim"]
    shape = {name: value for name, value in claim["instance"].items() if name != "shares"}
    pages = shape["pages"] if isinstance(shape["pages"], list) else [shape["pages"]] * shape["layers"]
    most = sum(pages)  # further slots stay free
    instance = LayeredInstance.from_plain({**shape, "cache": min(shape["cache"], most)})
    h = min(claim.get("opt_cache", 1), most)
    if "requests" in claim:
        if "sha256" in claim["requests"]:
            listed = [part["requests"] for part in document["evidence"]]
        else:
            listed = [claim["requests"]]
        requests = [page for part in listed for page in integers(part, "")]
        weights = claim.get("weights")
        if weights is not None:
            weights = [Fraction(w) for w in (weights if isinstance(weights, list) else integers(weights, ""))]
        shares = claim["instance"].get("shares")
        found = optimum(RequestSequence(instance, requests), weights=weights, shares=shares)
        return Fraction(claim.get("lower", 0)) <= found.value <= Fraction(claim.get("upper", 10**40))
    if document["type"] in ("trade-off", "trade-off-game"):
        given = tuple((name, min(Fraction(claim[name]), 8)) for name in NAMED if name != claim["least"])
        least = least_coefficient(claim.get("policy"), instance, given)
        lower = float("inf") if claim.get("lower") == "unbounded" else Fraction(claim.get("lower", 0))
        upper = Fraction(claim["upper"]) if "upper" in claim else float("inf")
        return lower <= least <= upper
    policy = claim.get("policy")
    if policy is not None and instance.visits == "atomic" and "atomic" not in get_policy(policy).traits:
        # The checker follows such a policy as long as it keeps every visit together; the library refuses it.
        if document["type"] == "cycle":
            return claim["ratio"] != "unbounded" and Fraction(claim["ratio"]) <= instance.cache
        assert policy == "lru-weighted" or (policy, instance.layers) == ("partitioned", 1), claim
        policy = "lru"
    low, high, additive = bounds(document["type"], instance, h, policy, claim.get("rule"))
    if document["type"] == "cycle":
        return high == float("inf") if claim["ratio"] == "unbounded" else Fraction(claim["ratio"]) <= high
    upper = Fraction(claim.get("upper", claim.get("ratio", 10**40)))
    lower = Fraction(claim.get("lower", upper if document["type"] in ("exact", "weighted-exact") else 0))
    enough = "additive" not in claim or upper > low or Fraction(claim["additive"]) >= additive
    return lower <= high and low <= upper and enough


@cache
def least_coefficient(
    policy: str | None, instance: LayeredInstance, given: tuple[tuple[str, Fraction], ...]
) -> Any:
    """Return the least third coefficient of a policy, or of the best one."""
    if policy is None:
        return solve_trade_off(instance, **dict(given)).value
    return policy_trade_off(policy, instance, **dict(given)).value


@cache
def bounds(kind: str, instance: LayeredInstance, h: int, policy: str | None, rule: str | None) -> Any:
    """Return the true ratio as an interval, and the least constant."""
    if kind == "game":
        value = solve_game(instance, opt_cache=h, full=True).value
        return value, value, 0
    if kind == "rule":
        ratio = rule_ratio(rule, instance, opt_cache=h).ratio  # type: ignore[arg-type]
        return ratio, ratio, 0
    if kind == "randomized-value":
        found = randomized_value(instance)
        return found.lower, found.upper, 0
    if kind == "expected":
        known = randomized_exact(policy, instance, opt_cache=h)  # type: ignore[arg-type]
        return known.ratio, known.ratio, known.additive
    if kind == "weighted-game":
        value = solve_weighted_game(instance, opt_cache=h).value
        return value, value, 0
    if kind == "weighted-exact":
        ratio = weighted_ratio(policy, instance, opt_cache=h).ratio  # type: ignore[arg-type]
        return ratio, ratio, 0
    exact = exact_ratio(policy, instance, opt_cache=h, symmetric=False)  # type: ignore[arg-type]
    return exact.ratio, exact.ratio, exact.additive


def has_policy(document: dict[str, Any]) -> bool:
    """Whether there is a claim about a policy."""
    return isinstance(document.get("claim"), dict) and "policy" in document["claim"]


def judge(count: int, seed: int) -> Counter[tuple[str, str]]:
    """Judge changed certificates, of all types alike; return how many of each type came to each status."""
    rng, statuses = random.Random(seed), Counter[tuple[str, str]]()
    known: dict[str, bool] = {}
    for _ in range(count):
        kind = rng.choice(list(TEXTS))
        mutant = changed(json.loads(rng.choice(TEXTS[kind])), rng)
        verdict = verify(mutant, Budget(2000))
        statuses[kind, verdict.status] += 1
        assert verdict.reason
        assert "\n" not in verdict.reason
        assert (verdict.status == CONDITIONAL) == bool(verdict.conditions)
        name = mutant["claim"].get("policy") if isinstance(mutant.get("claim"), dict) else None
        if verdict.status == VERIFIED:
            assert name in (None, *NAMES_JUDGED) or SPLIT.fullmatch(name), name
            key = json.dumps([mutant["type"], mutant["claim"]], sort_keys=True)  # parts: their digest
            if key not in known:
                known[key] = is_true(mutant)
            assert known[key], key
        elif verdict.status == CONDITIONAL:
            assert name not in RULES
    return statuses


def test_a_few_changed_certificates() -> None:
    assert sum(judge(300, seed=1).values()) == 300


@pytest.mark.slow
def test_changed_certificates() -> None:
    # All in one process: what is true is compiled and computed once.
    statuses = judge(100_000, seed=0)
    assert min(statuses[kind, status] for kind in CHECKS for status in (VERIFIED, REFUTED, INCOMPLETE)) > 50
    assert sum(count for (_, status), count in statuses.items() if status == CONDITIONAL) > 50
