"""Bounds as objects, measurement against them, exact competitive analysis, and the report."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofs.bounds.bound import Bound
    from proofs.bounds.registry import BOUNDS, get_bound
    from proofs.game.value import solve_game
    from proofs.ratio.competitive import competitive_ratio

HOME = {
    "BOUNDS": "proofs.bounds.registry",
    "Bound": "proofs.bounds.bound",
    "get_bound": "proofs.bounds.registry",
    "competitive_ratio": "proofs.ratio.competitive",
    "solve_game": "proofs.game.value",
}

__all__ = ["BOUNDS", "Bound", "competitive_ratio", "get_bound", "solve_game"]


def __getattr__(name: str) -> Any:
    """Import what needs sympy or a solver when it is first asked for."""
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(HOME[name]), name)
