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
            name = info.name.rpartition(".")[2]
            if name.isidentifier() and name != "__main__":  # no notebook, and nothing that runs on import
                yield info.name


@pytest.mark.slow
@pytest.mark.parametrize("module", list(modules()))
def test_doctests(module: str) -> None:
    result = doctest.testmod(import_module(module))
    assert result.failed == 0
