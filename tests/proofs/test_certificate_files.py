"""Every file in ``tests/certificates`` gets the verdict of its folder and the reason in ``reasons.json``."""

from pathlib import Path

import pytest

from proofs.certificates.reading import read_certificate
from proofs.checker import CHECKS, CONDITIONAL, INCOMPLETE, REFUTED, VERIFIED, verify_file
from tests.helpers.certificates import FOLDER, is_reason, name_of, reasons

STATUS = {"valid": VERIFIED, "conditional": CONDITIONAL, "invalid": REFUTED, "malformed": INCOMPLETE}
PROVED = ("valid", "conditional")
REASONS = reasons()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*/*")), ids=name_of)
def test_verdict_and_reason(path: Path) -> None:
    verdict = verify_file(str(path))
    assert verdict.status == STATUS[path.parent.name]
    assert "\n" not in verdict.reason
    assert is_reason(REASONS.get(name_of(path), verdict.reason), verdict.reason)
    if path.parent.name in PROVED:
        assert "cold start" in verdict.assumptions
    assert bool(verdict.conditions) == (path.parent.name == "conditional")


def test_no_lie_without_a_reason_and_no_reason_without_a_lie() -> None:
    assert set(REASONS) == {name_of(path) for path in FOLDER.glob("*/*/*") if path.parent.name not in PROVED}
    assert all(len(reason) > 10 for reason in REASONS.values())


def test_files_lie_in_the_folder_of_their_type() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*CHECKS, "any"}
    for path in FOLDER.glob("*/*/*"):
        if path.parent.parent.name != "any":
            assert read_certificate(path)["type"] == path.parent.parent.name
