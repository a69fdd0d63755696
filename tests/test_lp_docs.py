"""The code in docs/offline-optimum.md runs and says what is printed there."""

import doctest
from pathlib import Path


def test_documentation():
    path = Path(__file__).parents[1] / "docs" / "offline-optimum.md"
    result = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0
