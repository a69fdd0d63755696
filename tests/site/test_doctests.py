"""The examples in the docstrings run, and say what they print."""

from __future__ import annotations

import doctest
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest


def modules() -> Iterator[str]:
    for package in ("paging", "adversary", "lp", "proofs"):
        yield package
        for info in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not info.name.endswith("__main__"):  # importing it would run it
                yield info.name


@pytest.mark.slow
@pytest.mark.parametrize("module", list(modules()))
def test_doctests(module: str) -> None:
    result = doctest.testmod(import_module(module))
    assert result.failed == 0
