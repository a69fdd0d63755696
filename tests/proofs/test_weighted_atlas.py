"""The table of exact values with weights: shown on its page, right in small rows, and what it supports."""

from fractions import Fraction
from pathlib import Path

import pytest

from paging.markdown import block
from paging.numbers import read_exact
from proofs.atlas.weighted import (
    DATA,
    HEADER,
    PAGE,
    POLICIES,
    SETTINGS,
    heavy_layer,
    read_rows,
    row_of,
    table,
)

ROOT = Path(__file__).resolve().parents[2]

ROWS = read_rows(ROOT / DATA)


def value(row, name):
    return read_exact(row[name]) if row[name] else None


def test_the_page_shows_the_table() -> None:
    assert block((ROOT / PAGE).read_text(encoding="utf-8"), "weighted") == table(ROWS)
    assert [row["weights"] for row in ROWS] == [setting.weights for setting in SETTINGS]
    assert sum(bool(row["game"]) for row in ROWS) > 30


@pytest.mark.parametrize(
    "place", [i for i, s in enumerate(SETTINGS) if s.pages == (2, 2) and s.weights[-2:] != "16"]
)
def test_small_rows_are_computed_again(place: int) -> None:
    assert row_of(SETTINGS[place]) == [ROWS[place][name] for name in HEADER]


def test_no_policy_is_better_than_the_best_and_landlord_keeps_its_bound() -> None:
    for row in ROWS:
        for policy in POLICIES:
            if row[policy] and row["game"]:
                assert value(row, policy) >= value(row, "game")
        assert all(value(row, p) <= int(row["k"]) for p in ("landlord", "landlord-fifo") if row[p])


def test_the_conjecture_about_a_heavy_layer() -> None:
    held = 0
    for row in ROWS:
        found = heavy_layer(row)
        if found is None or not row["game"]:
            continue
        k, pages, w = found
        if pages >= k:
            assert value(row, "game") >= k * w / (w + 1)  # the theorem
            assert value(row, "game") == max(value(row, "unit"), (k * w + 1) / (w + 1))
            held += 1
        elif w >= 3:
            assert value(row, "game") == 2 + Fraction(1) / w
    assert held >= 17
