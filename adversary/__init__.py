"""Hard inputs for (layered) paging, each with an offline schedule and a promise that can be checked."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from adversary.catalogue.uniform import expected_phase_length
from adversary.construction import (
    Adversary,
    BrokenPromiseError,
    Construction,
    Promise,
    constructions,
    get_construction,
)
from adversary.phases import phase_schedule
from adversary.sampling import RatioEstimate, sample_ratio

if TYPE_CHECKING:
    from adversary.cycles.cycle import construction_cycle, periodic_cycle
    from adversary.cycles.search import Search

HOME = {
    "Search": "adversary.cycles.search",
    "construction_cycle": "adversary.cycles.cycle",
    "periodic_cycle": "adversary.cycles.cycle",
}

__all__ = [
    "Adversary",
    "BrokenPromiseError",
    "Construction",
    "Promise",
    "RatioEstimate",
    "Search",
    "construction_cycle",
    "constructions",
    "expected_phase_length",
    "get_construction",
    "periodic_cycle",
    "phase_schedule",
    "sample_ratio",
]


def __getattr__(name: str) -> Any:
    """Import what needs numba when it is first asked for."""
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(HOME[name]), name)
