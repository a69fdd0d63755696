"""Bounds as objects, measurement against them, exact competitive analysis, and the report."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofs.bounds import BOUNDS, Bound, get_bound

__all__ = ["BOUNDS", "Bound", "get_bound"]


def __getattr__(name: str) -> Any:
    """Import the bounds, which need sympy, when they are first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import proofs.bounds

    return getattr(proofs.bounds, name)
