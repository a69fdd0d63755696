"""The table of exact values with discard bits: shown on its page, right, and what it supports."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paging import LayeredInstance
from paging.cli.main import run
from paging.markdown import block
from paging.numbers import read_exact
from paging.plotting import content_digest
from proofs.atlas.discard import (
    DATA,
    FLUSHES,
    INSTANCES,
    PAGE,
    POLICIES,
    Row,
    forced,
    instance_of,
    read_rows,
    row_of,
    table,
    values_of,
)
from proofs.atlas.explorer import TOLD, beta_at, document
from proofs.atlas.table import read_table
from proofs.checker import VERIFIED, verify
from proofs.game.predictions.trade_off import solve_trade_off
from proofs.plots.surface import polygons, surface
from proofs.ratio.surface import trade_off_surface

ROOT = Path(__file__).resolve().parents[2]

ROWS = read_rows(ROOT / DATA)


def name(row: Row) -> str:
    return f"{row['ℓ']}-{row['n']}-{row['k']}"


def test_the_page_shows_the_table() -> None:
    assert block((ROOT / PAGE).read_text(encoding="utf-8"), "values") == table(ROWS)
    assert [instance_of(row) for row in ROWS] == list(INSTANCES)


@pytest.mark.parametrize("row", [row for row in ROWS if instance_of(row).total_pages < 5], ids=name)
def test_small_rows_are_computed_again(row: Row) -> None:
    assert row_of(instance_of(row)) == row


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if instance_of(row).total_pages >= 5], ids=name)
def test_every_value_of_the_best_policy_is_certified(row: Row) -> None:
    for alpha, value in values_of(row).items():
        found = solve_trade_off(instance_of(row), alpha=alpha, gamma=alpha)
        assert found.value == value
        assert verify(json.loads(json.dumps(found.certificate()))).status == VERIFIED


def test_the_table_supports_what_the_page_says() -> None:
    tight = 0
    for row in ROWS:
        instance, values = instance_of(row), values_of(row)
        k, ell, pages = instance.cache, instance.layers, instance.total_pages
        assert [read_exact(row[policy]) for policy in FLUSHES] == [k - 1, k - 1]  # T1, and the page
        assert values[Fraction(1)] <= k - 1
        mark0 = sum(Fraction(1, i) for i in range(1, k + 1)) - 1
        assert read_exact(row["mark0"]) == mark0 * (1 if pages == k + 1 else 2)
        for alpha, value in values.items():
            assert value >= forced(instance, alpha)
            tight += value == forced(instance, alpha) > 0
            if ell == 1:
                assert value == max(k - alpha, 0)
            if pages == k + 1 and k >= ell:
                assert value == max(k - ell + 1 - alpha, 0)
            if ell == 2 and max(instance.pages_by_layer) >= k:
                assert value == max(k + 1 - 2 * alpha, k - 1 - alpha, 0)
    assert tight > 50


def test_the_explorer_shows_what_repeats_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = read_table(ROOT / "docs" / "data" / "atlas.csv")
    found = document(plain, {}, ROWS)
    told = [value for value in found["values"] if value["subject"].startswith("told-")]
    even = [row for row in ROWS if row["n"].isdecimal()]
    known = sum(bool(row[policy]) for row in even for policy in POLICIES)
    assert len(told) == len(even) + known
    assert {one["measure"] for one in found["subjects"]} == {"ratio", *map(beta_at, TOLD)}
    for value in (told[0], *told[3:6]):
        assert run(value["command"].split()[1:]) == run(value["verify"].split()[1:]) == 0
        said = capsys.readouterr().out
        assert "VERIFIED" in said
        alpha = TOLD[value["subject"].removeprefix("told-")][1]
        assert any(
            line.split()[:4] == [str(alpha), value["value"], "1", "beta"] for line in said.splitlines()
        )


def test_the_surface_is_drawn_as_computed() -> None:
    found = trade_off_surface("flush-when-kept", LayeredInstance(2, 2, 3))
    document = surface(found)
    digest = Image.open(ROOT / "docs/images/predictions/surface.png").info["Content"]
    assert digest == content_digest(document), "python -m docs.pictures draws it anew"
    sides = [
        tuple(Fraction(side[part]) for part in ("reference", "wrong0", "wrong1", "faults"))
        for side in document["sides"]
    ]
    for side, polygon in zip(sides, polygons(sides, Fraction(4)), strict=True):  # type: ignore[arg-type]
        normal = np.array(side[:3], dtype=float)
        assert np.allclose(polygon @ normal, float(side[3]))
        ahead = np.roll(polygon, -1, axis=0) - polygon
        turns = np.cross(ahead, np.roll(ahead, -1, axis=0)) @ normal
        assert len(polygon) >= 4
        assert (turns > 0).all() or (turns < 0).all()
