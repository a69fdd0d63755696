"""Routing traces that ship with the package, opened by the name ``sample:NAME``."""

from __future__ import annotations

from pathlib import Path

from paging.errors import TraceError, UnknownNameError

PREFIX = "sample:"

_FOLDER = Path(__file__).parent


def sample_names() -> tuple[str, ...]:
    """Return the names of the samples."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.npz")))


def located(name: str) -> str:
    """Return the file that a name stands for: ``sample:NAME`` is in the package, all others are themselves.

    Raises
    ------
    TraceError
        There is no such sample.
    """
    if not name.startswith(PREFIX):
        return name
    wanted = name.removeprefix(PREFIX)
    if wanted not in sample_names():
        raise TraceError(str(UnknownNameError("sample", wanted, sample_names())))
    return str(_FOLDER / f"{wanted}.npz")
