"""Weights online: verdicts on Landlord and on fractional paging, the report's section, the command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from paging import LayeredInstance, RequestSequence, UnsupportedModelError, generate
from paging.cli.main import run
from proofs.bounds.bound import k
from proofs.bounds.counterexample import Case, replay_counterexample
from proofs.bounds.measuring import ALGORITHMS, online_cost, optimum
from proofs.bounds.registry import BOUNDS, get_bound
from proofs.bounds.verdicts import BoundViolationError, check_upper, pairs, verdict_on
from proofs.ratio.competitive import competitive_ratio
from proofs.report.weights import weights_study

ONLINE = [
    ("landlord-upper", "landlord"),
    ("landlord-upper", "landlord-fifo"),
    ("fractional-upper", "fractional"),
    ("fractional-augmented", "fractional"),
    ("unknown-weights-upper", "fractional unknown-weights"),
]
WEIGHTED = LayeredInstance(1, 4, 3).with_weights([1, 2, 4, 8])


@pytest.mark.parametrize(("bound", "algorithm"), ONLINE)
def test_bounds_for_any_weights_hold(bound: str, algorithm: str, tmp_path: Path) -> None:
    assert (BOUNDS[bound], algorithm) in pairs()
    assert get_bound(bound).excluded(WEIGHTED) is None
    verdict = verdict_on(BOUNDS[bound], algorithm, rounds=12, directory=tmp_path)
    assert verdict.outcome == "holds"
    assert verdict.runs > 200


def test_bounds_at_unit_cost_say_nothing_of_weights() -> None:
    unit = [bound for bound in BOUNDS.values() if bound.range.cost == "unit"]
    assert len(unit) > 50
    assert all(bound.excluded(WEIGHTED) is not None for bound in unit)
    assert get_bound("marking-upper").excluded(WEIGHTED) == "unit cost"


def test_a_false_bound_on_an_algorithm_is_saved_and_repeated(tmp_path: Path) -> None:
    lie = replace(get_bound("fractional-upper"), id="lie", value=sympy.log(1 + k) / 4)
    case = Case("uniform", generate("uniform:requests=60", WEIGHTED), 3)
    with pytest.raises(BoundViolationError) as found:
        check_upper(lie, "fractional", [case], directory=tmp_path)
    again = replay_counterexample(found.value.path)
    assert again.violated
    assert "no bound is called 'lie' today" in again.remark
    assert "differ" not in again.remark


def test_costs_of_verdicts_are_weighted() -> None:
    sequence = RequestSequence(WEIGHTED, [0, 1, 2, 3])
    assert online_cost("lru", sequence).value == optimum(sequence, 3) == 15
    assert online_cost("mark", sequence).value == 15
    assert online_cost("fractional", sequence).value == pytest.approx(1.5, abs=1)
    assert set(ALGORITHMS) == {algorithm for _, algorithm in ONLINE if "fractional" in algorithm}


def test_exact_ratios_of_landlord_keep_its_bound() -> None:
    for weights in ([1, 2, 4],):
        instance = LayeredInstance(1, 3, 2).with_weights(weights)
        try:
            found = competitive_ratio("landlord", instance)
        except UnsupportedModelError:
            pytest.skip("no exact ratios with weights")
        assert found.ratio <= 2


def test_the_section_of_the_report_holds() -> None:
    found = weights_study(400, 0)
    assert {row["verdict"] for part in found.values() for row in part} == {"holds", "not checked"}
    assert {row["policy"] for row in found["policies"] if row["bound"]} == {"landlord", "landlord-fifo"}
    assert all(row["lower_bound"] <= row["opt"] for row in found["fractional"])
    assert all(row["cost"] >= row["opt"] for row in found["policies"])
    requests = [row["requests"] for row in found["bandit"]]
    assert requests == [50, 400, 3200, 25600]
    most = 2 * math.sqrt(2 * math.log(4 * (9 * requests[-1]) ** 3))
    assert all(0 < row["doubt_over_root"] < most for row in found["bandit"])


def test_the_command_shows_bounds_and_certifies_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["fractional", "--workload", "zipf:requests=300", "-l", "2", "-n", "4", "-k", "5"]
    here += ["--weights", "layer:1,1/3"]
    proof = tmp_path / "bound.json"
    assert run([*here, "--unknown", "fixed", "--certificate", str(proof), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    below, best = (eval_text(shown[name]) for name in ("lower_bound_hindsight", "opt"))
    assert shown["lower_bound_online"] <= below <= best
    assert shown["fractional_cost"] <= shown["guarantee"] * shown["lower_bound_online"]
    assert eval_text(shown["rounded_loads"]) >= best
    assert shown["unknown_upper"] <= shown["unknown_limit"]
    assert shown["model"]["cost"] == "weighted"
    assert run(["verify", str(proof)]) == 0
    assert "weighted faults" in capsys.readouterr().out
    assert run([*here, "--opt-cache", "2"]) == 0
    text = capsys.readouterr().out
    assert "2 ln(1 + k/(k − h + 1))" in text
    assert "weighted" in text
    assert run([*here, "--opt-cache", "6"]) == 2
    assert "opt_cache (h) must be an integer in 1 … 5" in capsys.readouterr().err


def eval_text(text: str | int) -> float:
    """Return an exact number of JSON as a decimal."""
    above, _, below = str(text).partition("/")
    return int(above) / int(below or 1)
