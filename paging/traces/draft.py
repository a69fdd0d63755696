"""What a reader found in a file, before it is a checked `Trace`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError, TraceError
from paging.model import KINDS, pages_text, whole_number
from paging.traces.numbering import as_page_ids
from paging.traces.reading import DENSE, TraceReading
from paging.traces.scores import refuse_other_routers
from paging.traces.trace import PADDING, Pages, Trace, layers_text

SHAPE = ("layers", "pages", "per_visit")

UNSHOWABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that steer a terminal, end a line or turn the direction of writing, and halves of characters."""

FEW, MANY = 2, 100
"""Fewer tokens than layers, from so many of each, are taken for layers and tokens in the wrong order."""


@dataclass
class Draft:
    """Unchecked contents of a file.

    Parameters
    ----------
    values : ndarray of int
        Expert indices of shape (tokens, layers, top_k) or (tokens, layers), or, where ``ids`` is given, the
        numbers of pages of a list, of shape (T,).
    ids : sequence of int or str, optional
        What the source calls the pages of a list, by number.
    stated : mapping
        What the file says of itself: any of layers, pages, per_visit, tokens, requests, digest.
    stated_in : str
        Where it says so, for messages.
    remarks : tuple of str
        What a user should know of how the file was read.
    seq_id, decode, name, metadata
        As in `Trace`; None where the file does not say.
    predicted : str, optional
        What is predicted with every request.
    predictions : ndarray of int, optional
        One for every request, or for every one of ``values``.
    gate_weights : ndarray of float, optional
        Of the shape of ``values``.
    """

    values: NDArray[Any]
    stated: Mapping[str, Any] = field(default_factory=dict)
    stated_in: str = "the file"
    seq_id: NDArray[Any] | None = None
    decode: NDArray[Any] | None = None
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    page_bytes: Sequence[int] | None = None
    ids: Sequence[object] | None = None
    remarks: tuple[str, ...] = ()
    predicted: Any = None
    predictions: NDArray[Any] | None = None
    gate_weights: NDArray[Any] | None = None

    def trace(self, reading: TraceReading, default_name: str) -> Trace:
        """Return the checked trace, of which only what the caller asks for is left."""
        if reading.scores:
            refuse_other_routers(self.metadata)
        asked = {key: getattr(reading, key) for key in SHAPE}
        claims = {key: self._claims(key, asked) for key in {**self.stated, **asked}}
        shape = {key: _agreed(key, claims[key]) for key in SHAPE}
        extra: dict[str, Any] = {"seq_id": self.seq_id, "decode": self.decode}
        name, odd = UNSHOWABLE.subn("�", self.name or default_name)
        extra |= {"name": name, "metadata": self.metadata}
        whole: NDArray[Any] | None = None
        dropped: tuple[int, ...] = ()
        if self.ids is not None:
            _refuse_unshowable(self.ids)
            if reading.drop_layers is not None:
                raise TraceError(
                    "drop_layers is for recorded experts; a list of page ids has no layers to drop"
                )
            if self.page_bytes is not None and shape["pages"] is None:
                extra["metadata"] = {**self.metadata, "page_bytes": list(self.page_bytes)}
            trace = Trace(**_list_of_pages(self.values, self.ids, **shape), **extra)
        elif reading.drop_layers is None:
            trace = Trace.from_experts(self.values, shape["pages"], gate_weights=self.gate_weights, **extra)
        else:
            whole, dropped = self.values, _dropped_layers(self.values, reading.drop_layers)
            kept = [layer for layer in range(whole.shape[1]) if layer not in dropped]
            pages = shape["pages"]
            if isinstance(pages, tuple) and len(pages) == whole.shape[1]:
                pages = tuple(pages[layer] for layer in kept)
            sizes = self.metadata.get("expert_bytes")
            if isinstance(sizes, list) and len(sizes) == whole.shape[1]:
                sizes = [sizes[layer] for layer in kept]
                extra["metadata"] = {**self.metadata, "expert_bytes": sizes}
            weights = self.gate_weights
            if weights is not None and weights.shape == whole.shape:
                weights = weights[:, kept]
            trace = Trace.from_experts(whole[:, kept], pages, gate_weights=weights, **extra)
        self._compare(trace, claims, whole)
        if self.predictions is not None or self.predicted is not None:
            trace = self._predicted(trace, whole)
        remarks = (*self.remarks, *self.turned(reading), *trace.remarks, *_dropped(dropped))
        remarks = (*remarks, *_constant(trace))
        if odd:
            remarks = (*remarks, f"{odd} of the characters of its name cannot be shown")
        if reading.drop_layers == DENSE and not dropped:
            remarks = (*remarks, "no layer is dense (asks for one expert every time): none was left out")
        return reading.part_of(trace.with_remarks(remarks))

    def turned(self, reading: TraceReading) -> list[str]:
        """Say so if an array seems to have its layers first: models have fewer layers than texts tokens."""
        if self.ids is not None or reading.layers_first or self.values.ndim < 2:
            return []
        tokens, layers = self.values.shape[:2]
        if not FEW <= tokens < layers or layers < MANY:
            return []
        return [
            f"read as {tokens:,} tokens of {layers:,} layers; if it is the other way round, say "
            "--layers-first (layers_first=True)"
        ]

    def _predicted(self, trace: Trace, whole: NDArray[Any] | None) -> Trace:
        """Return the trace with the predictions of the file."""
        if self.predictions is None:
            raise TraceError(f"the file says that it has {self.predicted} predictions, but it has none")
        if self.predicted is None:
            raise TraceError(
                f"there are predictions, but nothing says of which kind (prediction_kind): {', '.join(KINDS)}"
            )
        if whole is not None:
            raise TraceError("drop_layers would leave requests out, and predictions are made of all of them")
        values = self.predictions
        if values.ndim > 1 and values.shape == self.values.shape:
            values = values[self.values != PADDING]
        return replace(trace, predicted=self.predicted, predictions=values)

    def _claims(self, key: str, asked: Mapping[str, Any]) -> list[tuple[Any, str]]:
        origins = {f"stated in {self.stated_in}": self.stated.get(key), "asked for": asked.get(key)}
        return [(_plain(key, value), origin) for origin, value in origins.items() if value is not None]

    def _compare(
        self, trace: Trace, claims: Mapping[str, list[tuple[Any, str]]], whole: NDArray[Any] | None
    ) -> None:
        """Refuse claims that the data contradict; what was said before layers were dropped is about all."""
        found = {key: getattr(trace, key) for key in claims if key != "digest"}
        if whole is not None:
            found |= {"layers": whole.shape[1], "pages": None, "requests": None}
        padded = self.ids is None and len(self.values) != trace.tokens
        for key, said in claims.items():
            if not said or (key == "digest" and (whole is not None or padded)):
                continue
            here = trace.digest if key == "digest" else found[key]
            if padded and key in ("tokens", "requests"):
                # Whoever recorded padding may have counted it.
                size = self.values.size if key == "requests" else len(self.values)
                here = size if all(value == size for value, _ in said) else here
            if here is not None:
                _agreed(key, [(here, "in the data"), *said])


def _refuse_unshowable(ids: Sequence[object]) -> None:
    if isinstance(ids[0], str) and UNSHOWABLE.search("".join(map(str, ids))):
        odd = next(name for name in ids if UNSHOWABLE.search(str(name)))
        raise TraceError(f"page {odd!a} has a character that cannot be shown")


def _list_of_pages(
    values: NDArray[Any],
    ids: Sequence[object],
    layers: int | None,
    pages: Pages | None,
    per_visit: int | None,
) -> dict[str, Any]:
    """Return shape and requests of a list; one layer where nothing else is said."""
    if layers is None:
        layers = len(pages) if isinstance(pages, tuple) else 1
    shape: dict[str, Any] = {"layers": layers, "per_visit": per_visit or 1}
    if pages is not None:
        return {"page_ids": as_page_ids(values, ids), "pages": pages, **shape}
    if layers > 1:
        raise TraceError(f"page ids of {layers} layers need the pages of each layer: give pages (-n)")
    count = max(len(ids), per_visit or 1)
    return {"page_ids": values, "pages": count, "ids": ids if count == len(ids) else None, **shape}


def _dropped_layers(experts: NDArray[Any], asked: str | tuple[int, ...]) -> tuple[int, ...]:
    if experts.ndim not in (2, 3) or experts.size == 0:
        return ()  # refused for its shape
    layers = experts.shape[1]
    if asked == DENSE:
        by_layer = np.moveaxis(experts, 1, 0).reshape(layers, -1)
        lowest = by_layer.min(axis=1, where=by_layer >= 0, initial=np.iinfo(by_layer.dtype).max)
        dropped = tuple(np.flatnonzero(lowest >= by_layer.max(axis=1)).tolist())
    else:
        dropped = tuple(sorted(set(map(int, asked))))
        if dropped and dropped[-1] >= layers:
            raise TraceError(f"there is no layer {dropped[-1]} to drop: the layers are 0 … {layers - 1}")
    if len(dropped) == layers:
        failed = (
            "; every one asks for one expert every time: a capture that failed?" if asked == DENSE else ""
        )
        raise TraceError(f"no layer is left after dropping all {layers}{failed}")
    return dropped


def _dropped(layers: Sequence[int]) -> list[str]:
    return [f"{layers_text(layers, 'is', 'are')} left out; the others are numbered anew"] if layers else []


def _constant(trace: Trace) -> list[str]:
    found = trace.constant_layers
    if not found:
        return []
    asks = layers_text(list(found), "asks", "ask")
    experts = set(found.values())
    what = f"expert {experts.pop()} every time" if len(experts) == 1 else "one expert every time"
    if len(found) == trace.layers > 1:
        return [f"every layer asks for {what}: a capture that failed?"]
    return [f"{asks} for {what} (dense?); --drop-layers dense leaves out such layers"]


def _agreed(key: str, claims: Sequence[tuple[Any, str]]) -> Any:
    """Return the value that all claims agree on, None where there is no claim."""
    for value, origin in claims[1:]:
        if not _same(value, claims[0][0]):
            hint = " (a truncated file?)" if key in ("tokens", "requests") else ""
            raise TraceError(
                f"{key} is {_shown(claims[0][0])} {claims[0][1]}, but {_shown(value)} {origin}{hint}"
            )
    return claims[0][0] if claims else None


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
    return pages_text(value) if isinstance(value, int | tuple) else str(value)
