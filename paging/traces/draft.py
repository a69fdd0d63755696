"""What a reader found in a file, before it is a checked `Trace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from paging.errors import ModelError, TraceError
from paging.model import whole_number
from paging.traces.trace import Pages, Trace

SHAPE = ("layers", "pages", "per_visit")


@dataclass
class Draft:
    """Unchecked contents of a file.

    Parameters
    ----------
    values : ndarray of int
        Expert indices of shape (tokens, layers, top_k) or (tokens, layers), or page ids of shape (T,).
    stated : mapping
        What the file says of itself: any of layers, pages, per_visit, tokens, requests, digest.
    stated_in : str
        Where it says so, for messages.
    seq_id, decode, name, metadata
        As in `Trace`; None where the file does not say.
    """

    values: NDArray[Any]
    stated: Mapping[str, Any] = field(default_factory=dict)
    stated_in: str = "the file"
    seq_id: NDArray[Any] | None = None
    decode: NDArray[Any] | None = None
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def trace(self, asked: Mapping[str, Any], default_name: str) -> Trace:
        """Return the checked trace; ``asked`` holds the caller's layers, pages and per_visit (or None)."""
        claims = {key: self._claims(key, asked) for key in {**self.stated, **asked}}
        shape = {key: _agreed(key, claims[key]) for key in SHAPE}
        extra: dict[str, Any] = {"seq_id": self.seq_id, "decode": self.decode}
        extra |= {"name": self.name or default_name, "metadata": self.metadata}
        if self.values.ndim == 1:
            trace = Trace(self.values, **_shape_of_page_ids(self.values, **shape), **extra)
        else:
            trace = Trace.from_experts(self.values, shape["pages"], **extra)
        for key, said in claims.items():
            if said:
                _agreed(key, [(getattr(trace, key), "in the data"), *said])
        return trace

    def _claims(self, key: str, asked: Mapping[str, Any]) -> list[tuple[Any, str]]:
        origins = {f"stated in {self.stated_in}": self.stated.get(key), "asked for": asked.get(key)}
        return [(_plain(key, value), origin) for origin, value in origins.items() if value is not None]


def _agreed(key: str, claims: Sequence[tuple[Any, str]]) -> Any:
    """Return the value that all claims agree on, None where there is no claim."""
    for value, origin in claims[1:]:
        if not _same(value, claims[0][0]):
            hint = " (a truncated file?)" if key in ("tokens", "requests") else ""
            raise TraceError(
                f"{key} is {_shown(claims[0][0])} {claims[0][1]}, but {_shown(value)} {origin}{hint}"
            )
    return claims[0][0] if claims else None


def _shape_of_page_ids(
    values: NDArray[Any], layers: int | None, pages: Pages | None, per_visit: int | None
) -> dict[str, Any]:
    """Complete the shape of a flat list of page ids; one layer where nothing else is said."""
    if layers is None:
        layers = len(pages) if isinstance(pages, tuple) else 1
    if pages is None:
        if layers > 1:
            raise TraceError(f"page ids of {layers} layers need the pages of each layer: give pages")
        pages = max(int(values.max(initial=0)) + 1, per_visit or 1)
    return {"layers": layers, "pages": pages, "per_visit": per_visit or 1}


def _plain(key: str, value: Any) -> Any:
    """Check one claim for being a number, or a tuple of them for pages."""
    if key == "digest":
        return value
    try:
        if key == "pages" and isinstance(value, list | tuple):
            return tuple(whole_number(n, f"pages of layer {layer}", 1) for layer, n in enumerate(value))
        return whole_number(value, key, 1)
    except ModelError as problem:
        raise TraceError(str(problem)) from None


def _same(one: Any, other: Any) -> bool:
    """Compare two claims; one number of pages is the same as a tuple of nothing but it."""
    if isinstance(one, tuple) != isinstance(other, tuple):
        many, single = (one, other) if isinstance(one, tuple) else (other, one)
        return set(many) == {single}
    return bool(one == other)


def _shown(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)
