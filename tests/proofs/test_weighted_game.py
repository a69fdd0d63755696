"""The game with weights: anchors, unit weights, policies that cannot be better, the command, the checker."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from paging import LayeredInstance, ModelError
from paging.certificate import NoCertificateError
from paging.cli.main import run as paging_run
from proofs.checker import VERIFIED, verify
from proofs.game.value import solve_game
from proofs.game.weighted import solve_weighted_game
from proofs.ratio.weighted import weighted_ratio

TWO = [1, 1, 4, 4]


@pytest.mark.parametrize("weights", [TWO, [1, 2, 3, 4], ["1/4", "1/4", 1, 1]], ids=str)
@pytest.mark.parametrize(("cache", "small"), [(2, 2), (3, 3), (3, 2)])
def test_no_algorithm_beats_k_over_k_minus_h_plus_1(cache: int, small: int, weights: list) -> None:
    found = solve_weighted_game(LayeredInstance(1, 4, cache, weights=weights), opt_cache=small)
    assert found.value == Fraction(cache, cache - small + 1)


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3), (2, 3, 3), (3, 2, 4), (2, (2, 1), 2)])
def test_unit_weights_give_the_values_at_unit_cost(shape: tuple) -> None:
    instance = LayeredInstance(*shape)
    assert solve_weighted_game(instance).value == solve_game(instance).value


@pytest.mark.parametrize(
    ("shape", "weights", "value"),
    [
        ((2, 2, 2), TWO, Fraction(9, 5)),
        ((2, 2, 3), TWO, Fraction(9, 4)),
        ((2, 2, 3), [1, 4, 1, 4], Fraction(13, 5)),
    ],
)
def test_layers_with_weights(shape: tuple, weights: list, value: Fraction) -> None:
    instance = LayeredInstance(*shape, weights=weights)
    found = solve_weighted_game(instance)
    assert found.value == value
    assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED
    for policy in ("landlord", "landlord-fifo", "lru"):
        assert weighted_ratio(policy, instance).ratio >= value


def test_what_has_no_game_with_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="k < number of pages"):
        solve_weighted_game(LayeredInstance(2, 2, 4, weights=TWO))
    with pytest.raises(ModelError, match=r"opt_cache .h. must be an integer in 1 … 3"):
        solve_weighted_game(LayeredInstance(2, 2, 3, weights=TWO), opt_cache=4)
    few = solve_weighted_game(LayeredInstance(2, 2, 3, weights=TWO), max_states=9)
    assert (few.value, few.lower, few.upper) == (None, 0, None)
    with pytest.raises(NoCertificateError):
        few.certificate()


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "proof.json"
    command = ["game", "-l", "2", "-n", "2", "-k", "3", "--weights", "layer:1,4"]
    assert paging_run([*command, "--certificate", str(proof)]) == 0
    assert "9/4" in capsys.readouterr().out
    assert paging_run(["verify", str(proof)]) == 0
    assert paging_run([*command, "--max-states", "5"]) == 0
    capsys.readouterr()
    assert paging_run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["value"], told["model"]["cost"]) == ("9/4", "weighted")
    assert paging_run([*command, "--rule", "zrc"]) == 2
    assert "about the game at unit cost" in capsys.readouterr().err
    assert paging_run([*command, "-g", "2"]) == 2
    assert "needs" in capsys.readouterr().err
