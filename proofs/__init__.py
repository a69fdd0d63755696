"""Bounds as objects, measurement against them, and the report."""

from proofs.bounds import BOUNDS, Bound, get_bound

__all__ = ["BOUNDS", "Bound", "get_bound"]
