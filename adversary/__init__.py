"""Hard inputs for (layered) paging, each with an offline schedule and a promise that can be checked."""

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

__all__ = [
    "Adversary",
    "BrokenPromiseError",
    "Construction",
    "Promise",
    "RatioEstimate",
    "constructions",
    "expected_phase_length",
    "get_construction",
    "phase_schedule",
    "sample_ratio",
]
