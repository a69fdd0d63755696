"""The page *Architecture* is true: its picture shows every room above what it imports, its files exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("paging", "adversary", "lp", "proofs")


@pytest.fixture(scope="module")
def house() -> ModuleType:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs" / "_ext" / "house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_stands_above_what_it_imports(house: ModuleType, package: str) -> None:
    rooms = house.rooms_of(ROOT, package)
    row = {name: place for place, names in enumerate(house.levels(rooms)) for name in names}
    assert set(row) == set(rooms)
    assert all(row[name] > row[below] for name, wanted in rooms.items() for below in wanted)


def test_a_circle_of_rooms_is_noticed(house: ModuleType) -> None:
    with pytest.raises(ValueError, match="circle: b, c"):
        house.levels({"a": set(), "b": {"c"}, "c": {"a", "b"}})


def test_imports_inside_functions_count_and_those_for_type_checking_do_not(
    house: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from paging.run import Run\n"
        "def f():\n    from paging.judge import judge\n"
    )
    assert set(house.imports(path)) == {"typing.TYPE_CHECKING", "paging.judge.judge"}


@pytest.mark.slow
def test_the_picture_holds_every_room(house: ModuleType) -> None:
    picture = house.house(ROOT)
    for package in PACKAGES:
        for room in house.rooms_of(ROOT, package):
            assert f"<title>{package}.{room}: " in picture
    assert "<title>paging.judge: What an answer did" in picture


def test_the_files_that_the_page_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:paging|adversary|lp|proofs|tests)/[\w/.-]+)`", text))
    assert len(named) > 25
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]
