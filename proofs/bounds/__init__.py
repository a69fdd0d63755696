"""Bounds as objects: the registry, where each speaks, and verdicts on runs."""

from proofs.bounds.bound import Bound
from proofs.bounds.registry import BOUNDS, get_bound

__all__ = ["BOUNDS", "Bound", "get_bound"]
