"""What all tests share: a hypothesis profile, a browser, and the real routing traces if they are at hand."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.browser import chromium, visit  # noqa: F401 - fixtures for every test

settings.register_profile(
    "layered-paging",
    max_examples=60,
    deadline=None,  # the first call of a kernel compiles it
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("layered-paging")

SLOW = {"document", "swept"}
"""Fixtures that compute for long: whoever asks for one is slow, too."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if SLOW.intersection(getattr(item, "fixturenames", ())):
        item.add_marker("slow")


def pytest_collection_finish() -> None:
    # What was collected stays to the end: no later search for garbage need look through it.
    gc.collect()
    gc.freeze()


TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"


@pytest.fixture(scope="session")
def trace_files() -> list[Path]:
    """The real routing traces, or skip: they are no part of the repository."""
    found = sorted(TRACES.glob("*.npz"))
    if not found:
        pytest.skip(f"no routing traces (*.npz) in {TRACES}")
    return found
