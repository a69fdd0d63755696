"""Certificates of the types ``game`` and ``rule``: files, lies with their reasons, mutations."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from paging import LayeredInstance
from proofs import checker
from proofs.certificate import read_certificate
from proofs.checker import INCOMPLETE, REFUTED, VERIFIED, verify, verify_file
from proofs.game.value import rule_ratio, solve
from tests.helpers.mutants import mutants

FOLDER = Path(__file__).parents[1] / "certificates" / "game"


def files(folder: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((FOLDER / folder).iterdir())]


@cache
def truth(
    kind: str, layers: int, pages: tuple[int, ...], cache: int, opt_cache: int, rule: str
) -> Fraction | float:
    instance = LayeredInstance(layers, pages, cache)
    if kind == "game":
        value = solve(instance, opt_cache=opt_cache, full=True).value
    else:
        value = rule_ratio(rule, instance, opt_cache=opt_cache).ratio  # type: ignore[assignment]
    assert value is not None
    return value


def true_claim(document: dict[str, Any]) -> bool:
    claim, shape = document["claim"], document["claim"]["instance"]
    pages = shape["pages"] if isinstance(shape["pages"], list) else [shape["pages"]] * shape["layers"]
    setting = (shape["layers"], tuple(pages), shape["cache"], claim["opt_cache"])
    value = truth(document["type"], *setting, claim.get("rule", ""))
    return Fraction(claim.get("lower", 0)) <= value <= Fraction(claim.get("upper", 10**9))


@pytest.mark.parametrize("path", files("valid"))
def test_valid(path: Path) -> None:
    verdict = verify_file(str(path))
    assert (verdict.status, verdict.exit_code) == (VERIFIED, 0)
    assert {"cold start", "forced service"} <= set(verdict.assumptions)
    document = read_certificate(path)
    assert true_claim(document)
    assert all(
        str(document["claim"][side]) in verdict.reason
        for side in ("lower", "upper")
        if side in document["claim"]
    )


REASONS = {
    "invalid": {
        "adversary-who-repeats-a-hit-for-ever": "costs nothing, and does not lead to fewer steps",
        "both-raised": "breaks the potential",
        "both-reduced": "breaks the potential",
        "cached-twice-over": "must say 1 for a cached page",
        "claimed-for-a-larger-cache": "a state that is not listed",
        "claimed-for-a-larger-opt": "a state that is not listed",
        "claimed-for-a-smaller-opt": "is outside 0 … 1",
        "claimed-for-layers-of-different-sizes": "is listed twice",
        "claimed-for-other-layers": "is listed twice",
        "label-beyond-h": "is outside 0 … 2",
        "label-negative": "is outside 0 … 2",
        "layer-out-of-range": "names a layer that does not exist",
        "lower-a-state-is-missing": "a state that is not listed if page",
        "lower-a-thousandth-too-large": "breaks the potential",
        "lower-against-one-victim-only": "a state that is not listed if page 3 leaves",
        "lower-negative": "claim.lower must be positive",
        "lower-potential-long": "11 potentials for 10 states",
        "lower-potential-too-high-at-one-state": "breaks the potential",
        "lower-without-the-cold-start": "the cold start is not among the states",
        "more-pages-cached-than-slots": "more than 2 cached pages",
        "no-victim-though-the-cache-is-full": "the victim -1 is not allowed",
        "request-negative": "page -1 is not in the layer",
        "request-of-another-layer": "page 3 is not in the layer",
        "request-out-of-range": "page 99 is not in the layer",
        "requests-too-few": "one request and one number of steps for every state",
        "row-too-short": "has 19 numbers instead of 5 times 4",
        "rule-a-state-is-missing": "a state that is not listed",
        "rule-of-another-name": "a state that is not listed if page",
        "rule-ratio-too-small": "breaks the potential",
        "rule-without-the-cold-start": "the cold start is not among the states",
        "rule-zrc-claimed-for-zero-first": "a state that is not listed if page",
        "state-twice-under-other-names": "is listed twice",
        "state-twice-with-the-layers-turned": "is listed twice",
        "steps-all-alike": "costs nothing, and does not lead to fewer steps",
        "steps-too-many": "one request and one number of steps for every state",
        "upper-a-state-is-missing": "a state that is not listed if page",
        "upper-a-thousandth-too-small": "breaks the potential",
        "upper-potential-short": "4 potentials for 5 states",
        "upper-potential-too-high-at-one-state": "breaks the potential",
        "upper-without-the-cold-start": "the cold start is not among the states",
        "upper-zero": "claim.upper must be positive",
        "victim-out-of-range": "the victim 4 is not allowed",
        "victim-where-a-slot-is-free": "the victim 0 is not allowed",
        "victims-too-few": "victims is too short",
        "victims-too-many": "victims is too long",
    },
    "malformed": {
        "all-pages-fit": "needs more pages than slots",
        "bound-is-a-decimal-text": "claim.upper must hold whole numbers or text",
        "bound-unbounded": "claim.lower must hold whole numbers or text",
        "bypassing": "forced service",
        "evidence-is-a-list": "evidence.upper is not an object",
        "evidence-without-claim": "unknown fields ['lower']",
        "game-with-a-rule": "unknown fields ['rule']",
        "lower-with-victims": "unknown fields ['victims']",
        "neither-side": "claim needs lower, upper or both",
        "no-opt-cache": "lacks ['opt_cache']",
        "opt-cache-above-k": "claim.opt_cache must be a whole number in 1 … 2",
        "potential-with-fractions": "evidence.upper.potential must hold whole numbers",
        "rule-missing": "lacks ['rule']",
        "rule-unknown": "claim.rule must be one of zrc, zero-first, any",
        "rule-with-lower": "unknown fields ['lower']",
        "rule-with-victims": "unknown fields ['victims']",
        "side-without-evidence": "lacks ['upper']",
        "split-cache": "one shared cache",
        "steps-missing": "lacks ['steps']",
        "two-pages-a-visit": "one page per visit",
        "value-instead-of-bounds": "unknown fields ['value']",
        "victims-missing": "lacks ['victims']",
    },
}


@pytest.mark.parametrize(("folder", "status"), [("invalid", REFUTED), ("malformed", INCOMPLETE)])
def test_lies_and_nonsense_are_refused_for_the_right_reason(folder: str, status: str) -> None:
    paths = sorted((FOLDER / folder).iterdir())
    assert [path.stem for path in paths] == sorted(REASONS[folder])
    for path in paths:
        verdict = verify_file(str(path))
        assert verdict.status == status, path.name
        assert REASONS[folder][path.stem] in verdict.reason, (path.name, verdict.reason)
        assert "\n" not in verdict.reason


@pytest.mark.parametrize("path", files("valid"))
def test_no_mutant_proves_a_false_claim(path: Path) -> None:
    document = read_certificate(path)
    count = passed = 0
    for place, mutant in mutants(document):
        count += 1
        mutant = json.loads(json.dumps(mutant))
        verdict = verify(mutant)
        if verdict.status == VERIFIED:
            passed += 1
            assert true_claim(mutant), place
        else:
            assert verdict.reason
    assert count > 200
    assert passed > 0


def every_changed_number(document: dict[str, Any]) -> Any:
    """Every number of the evidence one up and one down, one at a time."""
    evidence = document["evidence"]
    for part in [evidence] if "potential" in evidence else evidence.values():
        for name, numbers in part.items():
            for place, number in enumerate(numbers):
                for new in (number - 1, number + 1):
                    numbers[place] = new
                    yield name
                numbers[place] = number


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3), (1, 4, 3), (3, 1, 2)])
def test_bounds_of_changed_evidence_are_never_better(shape: tuple[int, int, int]) -> None:
    """With any number of the evidence changed, neither bound can be claimed a thousandth better."""
    instance = LayeredInstance(*shape)
    document = json.loads(json.dumps(solve(instance).certificate()))
    for side, step in (("lower", 1), ("upper", -1)):
        lie = copy.deepcopy(document)
        lie["claim"][side] = str(Fraction(lie["claim"][side]) + Fraction(step, 1000))
        assert verify(lie).status == REFUTED
        for name in every_changed_number(lie):
            assert verify(lie).status != VERIFIED, (side, name)


def test_the_checker_judges_a_game_by_itself() -> None:
    path = FOLDER / "valid" / "two-layers.json"
    command = [sys.executable, "-I", "-S", str(Path(checker.__file__).parent), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("VERIFIED: the best deterministic ratio is exactly 3/2; ")


@pytest.mark.parametrize("shape", [(3, 3, 6), (2, 4, 5), (3, (2, 3, 2), 4)])
@pytest.mark.parametrize("full", [False, True])
def test_packed_certificates(shape: tuple[int, Any, int], full: bool) -> None:
    instance = LayeredInstance(*shape)
    verdict = verify(json.loads(json.dumps(solve(instance, full=full).certificate())))
    assert verdict.status == VERIFIED
    assert "exactly" in verdict.reason
    assert verify(json.loads(json.dumps(rule_ratio("zrc", instance).certificate()))).status == VERIFIED
