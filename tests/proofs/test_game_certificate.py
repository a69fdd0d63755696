"""Certificates of the types ``game`` and ``rule``: files, lies with their reasons, mutations."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from paging import LayeredInstance
from proofs import checker
from proofs.certificates.reading import read_certificate
from proofs.checker import REFUTED, VERIFIED, verify, verify_file
from proofs.checker.game import OPEN
from proofs.game.game_graph import RULES
from proofs.game.value import rule_ratio, solve_game
from tests.helpers.certificates import FOLDER, files, mutants

VALID = files("valid", "game", "rule")


@cache
def truth(kind: str, instance: LayeredInstance, opt_cache: int, rule: str) -> Fraction | float:
    if kind == "game":
        value = solve_game(instance, opt_cache=opt_cache, full=True).value
    else:
        value = rule_ratio(rule, instance, opt_cache=opt_cache).ratio  # type: ignore[assignment]
    assert value is not None
    return value


def true_claim(document: dict[str, Any]) -> bool:
    claim = document["claim"]
    instance = LayeredInstance.from_plain(claim["instance"])
    value = truth(document["type"], instance, claim["opt_cache"], claim.get("rule", ""))
    return Fraction(claim.get("lower", 0)) <= value <= Fraction(claim.get("upper", 10**9))


@pytest.mark.parametrize("path", VALID)
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


@pytest.mark.slow
@pytest.mark.parametrize("path", VALID)
def test_no_mutant_proves_a_false_claim(path: Path) -> None:
    document = read_certificate(path)
    count = passed = 0
    for place, mutant in mutants(document):
        count += 1
        verdict = verify(mutant)
        if verdict.status == VERIFIED:
            passed += 1
            assert true_claim(mutant), place
        else:
            assert verdict.reason
    assert count > 200
    assert passed > 0


def test_the_checker_ranks_victims_as_the_game_does() -> None:
    assert set(OPEN) == set(RULES)
    for name, rule in RULES.items():
        for h, layers in product(range(1, 5), range(1, 4)):
            places = list(product(range(h + 1), range(layers + 1)))
            ranks = [
                [rule(label, h, ago, layers) for label, ago in places],
                [OPEN[name](label, h, ago in (0, layers), layers - ago) for label, ago in places],
            ]
            for a, b in combinations(range(len(places)), 2):
                here, there = ((line[a] > line[b]) - (line[a] < line[b]) for line in ranks)
                assert here == there, (name, h, places[a], places[b])


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
    document = json.loads(json.dumps(solve_game(instance).certificate()))
    for side, step in (("lower", 1), ("upper", -1)):
        lie = copy.deepcopy(document)
        lie["claim"][side] = str(Fraction(lie["claim"][side]) + Fraction(step, 1000))
        assert verify(lie).status == REFUTED
        for name in every_changed_number(lie):
            assert verify(lie).status != VERIFIED, (side, name)


def test_the_checker_judges_a_game_by_itself() -> None:
    path = FOLDER / "game" / "valid" / "two-layers.json"
    command = [sys.executable, "-I", "-S", str(Path(checker.__file__).parent), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("VERIFIED: the best deterministic ratio is exactly 3/2; ")


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(3, 3, 6), (2, 4, 5), (3, (2, 3, 2), 4)])
@pytest.mark.parametrize("full", [False, True])
def test_packed_certificates(shape: tuple[int, Any, int], full: bool) -> None:
    instance = LayeredInstance(*shape)
    verdict = verify(json.loads(json.dumps(solve_game(instance, full=full).certificate())))
    assert verdict.status == VERIFIED
    assert "exactly" in verdict.reason
    assert verify(json.loads(json.dumps(rule_ratio("zrc", instance).certificate()))).status == VERIFIED
