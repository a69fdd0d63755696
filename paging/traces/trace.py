"""A routing trace as an object: page ids with the shape of their instance, checked once when built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paging.errors import IllegalSequenceError, ModelError, TraceError
from paging.html import facts_table
from paging.model import (
    KINDS,
    MAX_PAGES,
    SHOWN,
    Kind,
    LayeredInstance,
    PageArray,
    RequestSequence,
    packed_places,
)
from paging.numbers import short_digest
from paging.predicted import PredictedSequence
from paging.weights import Weights, exact_weights, read_weights

Pages = int | tuple[int, ...]
Integers = NDArray[np.integer[Any]]

PADDING = -1
"""Expert index of a slot that asks for nothing, in arrays and records."""

BLOCK = 1 << 18
"""Requests looked at in one go: large enough for numpy, small enough to add nothing to the memory."""


LONGEST_ROUND = 1 << 24
"""Requests in a round that are believed; a header that claims more would only eat the memory."""


def new_digest(layers: int, per_visit: int) -> hashlib._Hash:
    """Return the beginning of a trace's digest, to which expert indices are added as ``<i4``."""
    return hashlib.sha256(f"layered-paging layers={layers} per_visit={per_visit}\n".encode())


class IllegalRequestError(TraceError):
    """A request of a trace is illegal; its number and token are kept so that a reader can name the line."""

    def __init__(self, request: int, token: int, message: str) -> None:
        super().__init__(message)
        self.request = request
        self.token = token


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests recorded from a model, or from any other source, in the order they were made.

    Build one from expert indices with `Trace.from_experts`, from a sequence with `Trace.from_sequence`,
    or from a file with `paging.traces.read_trace`; the constructor itself takes page ids.

    Parameters
    ----------
    page_ids : array_like of int, shape (T,)
        Page ids, T ≥ 1: expert ``i`` of layer ``j`` is page ``first_page[j] + i``. Stored as read-only int32.
        T need not be a whole number of rounds.
    layers : int
        Number of layers ℓ.
    pages : int or tuple of int
        Pages (experts) per layer n, or one number per layer.
    per_visit : int, default 1
        Pages g of one visit of a layer (top-g routing).
    seq_id : array_like of int, shape (tokens,), optional
        Which sequence (prompt) each token belongs to. Stored as int64.
    decode : array_like of bool, shape (tokens,), optional
        Whether each token was generated (True) or read from the prompt (False).
    name : str, default "trace"
        Shown beside every number.
    metadata : mapping, optional
        Anything else worth keeping; it must be possible to write it as JSON.
    places : array_like of int, shape (T,), optional
        Where some visits ask for fewer than g pages: as in :class:`~paging.RequestSequence`.
    ids : sequence of int or str, optional
        The page ids of the source, all different, by page id here: a list without a stated shape is numbered
        in order of first appearance (ℓ = 1 only).
    remarks : tuple of str
        What a reader noticed and a user should know; not kept in files.
    predicted : {"discard", "phase", "next-arrival"}, optional
        What is predicted with every request, if anything is; see :class:`~paging.PredictedSequence`.
    predictions : array_like of int, shape (T,), optional
        The predictions. Stored as read-only int64.
    gate_weights : array_like of float, shape (T,), optional
        How much the router gives every request's expert: finite and ≥ 0, of whatever scale. Stored as
        float32. (What a fault costs is another thing: weights of pages.)

    Raises
    ------
    TraceError
        There is no request, a page is out of range or in the wrong layer, a page comes twice in one visit,
        ``seq_id`` or ``decode`` do not fit the tokens, or ``gate_weights`` or predictions not the requests.
        The message names token, layer and slot.

    Notes
    -----
    Tokens are numbered from 0; slot s of a visit is its s-th request. The last token may be incomplete.

    Examples
    --------
    >>> trace = Trace.from_experts([[[0], [2]], [[1], [2]]], pages=3)
    >>> trace.page_ids.tolist(), trace.requests, trace.tokens
    ([0, 5, 1, 5], 4, 2)
    >>> trace.sequence(cache=2).instance
    LayeredInstance(layers=2, pages=3, cache=2, per_visit=1, visits='sequential', bypassing=False)
    >>> Trace.from_experts([[[0], [3]]], pages=3)
    Traceback (most recent call last):
        ...
    paging.traces.trace.IllegalRequestError: request 1 (token 0, layer 1, slot 0): \
expert 3 (page 6) is outside layer 1, which has experts 0 … 2 (pages 3 … 5)
    """

    page_ids: PageArray = field(repr=False)
    layers: int
    pages: Pages
    per_visit: int = 1
    seq_id: NDArray[np.int64] | None = field(default=None, repr=False)
    decode: NDArray[np.bool_] | None = field(default=None, repr=False)
    name: str = "trace"
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    places: NDArray[np.int64] | None = field(default=None, repr=False)
    ids: Sequence[object] | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = field(default=(), repr=False)
    gate_weights: NDArray[np.float32] | None = field(default=None, repr=False)
    predicted: Kind | None = None
    predictions: NDArray[np.int64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        instance = instance_of(self.layers, self.pages, self.per_visit, self.ids)
        given = np.asarray(self.page_ids)
        if given.ndim != 1 or given.size == 0:
            raise TraceError(f"a trace is a list of at least one request, got shape {given.shape}")
        _refuse_non_integers(given, "page ids")
        places = None if self.places is None else _packed(self.places, len(given), instance.per_visit)
        if places is None:
            _refuse_illegal_requests(given, instance)
        else:
            _refuse_illegal_in_short_visits(given, places, instance)
        assign = object.__setattr__
        assign(self, "places", places)
        assign(self, "layers", instance.layers)
        assign(self, "pages", instance.pages)
        assign(self, "per_visit", instance.per_visit)
        assign(self, "page_ids", _frozen(given, np.int32))
        assign(self, "seq_id", self._per_token("seq_id", self.seq_id, "iu", np.int64))
        assign(self, "decode", self._per_token("decode", self.decode, "b", np.bool_))
        assign(self, "predictions", self._per_request(self.predicted, self.predictions))
        if self.gate_weights is not None:
            assign(self, "gate_weights", self._checked_gate_weights(np.asarray(self.gate_weights)))

    def _per_token(self, name: str, values: ArrayLike | None, kinds: str, kind: type) -> NDArray[Any] | None:
        if values is None:
            return None
        array = np.asarray(values)
        if array.dtype.kind not in kinds or array.shape != (self.tokens,):
            wanted = "booleans" if kinds == "b" else "integers"
            raise TraceError(
                f"{name} must hold {wanted}, one for each of the {self.tokens} tokens, "
                f"got dtype {array.dtype} and shape {array.shape}"
            )
        if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
            raise TraceError(f"{name}: {array.max()} does not fit int64")
        return _frozen(array, kind)

    def _per_request(self, kind: Kind | None, values: ArrayLike | None) -> NDArray[np.int64] | None:
        if kind is None and values is None:
            return None
        if kind not in KINDS:
            raise TraceError(f"predictions are of one of the kinds {', '.join(KINDS)}, got {kind!r}")
        sequence = RequestSequence._sharing_requests(self.instance, self.page_ids, self.places)
        try:
            return PredictedSequence(sequence, kind, np.asarray(values)).predictions
        except IllegalSequenceError as problem:
            raise TraceError(str(problem)) from None

    def _checked_gate_weights(self, given: NDArray[Any]) -> NDArray[np.float32]:
        if given.dtype.kind not in "fiu" or given.shape != self.page_ids.shape:
            raise TraceError(
                f"gate weights must be numbers, one for each of the {self.requests} requests, "
                f"got dtype {given.dtype} and shape {given.shape}"
            )
        with np.errstate(over="ignore"):
            stored: NDArray[np.float32] = _frozen(given, np.float32)
        wrong = ~(np.isfinite(stored) & (stored >= 0))
        if wrong.any():
            request = int(wrong.argmax())
            place = request if self.places is None else int(self.places[request])
            token, rest = divmod(place, self.layers * self.per_visit)
            layer, slot = divmod(rest, self.per_visit)
            raise TraceError(
                f"request {request} (token {token}, layer {layer}, slot {slot}): a gate weight must be a "
                f"finite number ≥ 0, got {given[request]}"
            )
        return stored

    @classmethod
    def from_experts(
        cls,
        experts: ArrayLike,
        pages: Pages | None = None,
        *,
        seq_id: ArrayLike | None = None,
        decode: ArrayLike | None = None,
        name: str = "trace",
        metadata: Mapping[str, Any] | None = None,
        gate_weights: ArrayLike | None = None,
    ) -> Trace:
        """Build a trace from expert indices inside the layers.

        Parameters
        ----------
        experts : array_like of int, shape (tokens, layers, top_k) or (tokens, layers)
            Expert indices; the second shape means top_k = 1. Floats are refused, even whole ones. −1 fills
            the slots that a token did not use, and whole tokens that are none: these are left out.
        pages : int or tuple of int, optional
            Experts per layer; when absent, the largest index + 1 for every layer.
        gate_weights : array_like of float, shape of ``experts``, optional
            Gate weight of every expert; in slots that hold −1 anything.

        Raises
        ------
        TraceError
            As for `Trace`, or the array has another shape or type.
        """
        array = np.asarray(experts)
        if array.ndim == 2:
            array = array[:, :, np.newaxis]
        if array.ndim != 3 or array.size == 0:
            raise TraceError(
                "experts must have shape (tokens, layers, top_k) or (tokens, layers), none of them 0, "
                f"got {np.shape(experts)}"
            )
        _refuse_non_integers(array, "experts")
        weights = None if gate_weights is None else _shaped_like(gate_weights, array.shape)
        layers, per_visit = array.shape[1:]
        _refuse_huge_experts(array)
        _refuse_layers_of_zeros(array)
        used: NDArray[np.bool_] | None = None
        remarks: tuple[str, ...] = ()
        if array.dtype.kind == "i" and array.min() == PADDING:
            used = array != PADDING
            tokens = np.asarray(used.any(axis=(1, 2)))
            if not tokens.any():
                raise TraceError(f"all {len(array)} tokens hold nothing but −1: no expert was recorded")
            if not tokens.all():
                array, used, dropped = array[tokens], used[tokens], int(np.count_nonzero(~tokens))
                seq_id, decode = _kept(seq_id, tokens), _kept(decode, tokens)
                weights = None if weights is None else weights[tokens]
                remarks = (f"{dropped:,} of {tokens.size:,} tokens hold nothing but −1 and are left out",)
        if pages is None:
            # A visit's experts are distinct, so fewer than top_k different ones are a repeat, not a small n.
            pages = max(int(array.max()) + 1, per_visit)
        first_page = instance_of(layers, pages, per_visit).first_page
        # int64, so that an index which is far too large cannot wrap round into a legal page.
        wide = np.int64 if array.dtype.itemsize >= 4 else np.int32
        page_ids: NDArray[Any] = array.astype(wide)
        page_ids += first_page[:-1, np.newaxis]
        places = None
        if used is not None:
            places = np.flatnonzero(used.reshape(-1))
            page_ids = page_ids[used]
            weights = None if weights is None else weights[used]
        if weights is not None:
            weights = weights.reshape(-1)
        extra: Any = (seq_id, decode, name, metadata or {}, places, None, remarks, weights)
        return cls(page_ids.reshape(-1), layers, pages, per_visit, *extra)

    @classmethod
    def from_sequence(cls, sequence: RequestSequence, name: str = "sequence") -> Trace:
        """Return the requests of a sequence as a trace (cache size and variant are left behind)."""
        instance = sequence.instance
        return cls(
            sequence.requests,
            *(instance.layers, instance.pages, instance.per_visit),
            name=name,
            places=sequence.places,
            ids=instance.names if instance.layers == 1 else None,
            predicted=sequence.kind,
            predictions=None if sequence.kind is None else sequence.predictions,
        )

    @property
    def instance(self) -> LayeredInstance:
        """An instance of this shape, whose cache holds one visit."""
        return instance_of(self.layers, self.pages, self.per_visit, self.ids)

    def _repr_html_(self) -> str:
        names = LayeredInstance(self.layers, self.pages, 1).page_names(self.page_ids, SHOWN)
        facts: dict[str, object] = {
            "requests": self.requests,
            "tokens": self.tokens,
            "layers ℓ": self.layers,
            "pages per layer n": self.instance.pages_text,
            "pages per visit g": self.per_visit,
            "digest": short_digest(self.digest),
            "first" if self.requests > SHOWN else "all": names,
        }
        return facts_table(f"trace {self.name}", facts)

    @property
    def page_bytes(self) -> tuple[int, ...] | None:
        """Bytes of every page, as the metadata state them; None where they do not.

        ``page_bytes`` is a list by page id; ``expert_bytes`` one number, a list of one per layer, or a list
        of lists, one number for every expert of a layer.

        Raises
        ------
        TraceError
            What the metadata state does not fit the pages.

        Examples
        --------
        >>> Trace([0, 2], 2, (2, 1), metadata={"expert_bytes": [10, 30]}).page_bytes
        (10, 10, 30)
        """
        counts = self.instance.pages_by_layer
        if "page_bytes" in self.metadata:
            found, name = self.metadata["page_bytes"], "page_bytes"
        elif "expert_bytes" in self.metadata:
            found, name = self.metadata["expert_bytes"], "expert_bytes"
            if isinstance(found, int):
                found = [found] * len(counts)
            layers = found if isinstance(found, list) and len(found) == len(counts) else []
            each = [
                size if isinstance(size, list) else [size] * count
                for size, count in zip(layers, counts[: len(layers)], strict=True)
            ]
            fits = all(len(layer) == count for layer, count in zip(each, counts, strict=False))
            found = [size for layer in each for size in layer] if fits else None
        else:
            return None
        if (
            not isinstance(found, list)
            or len(found) != sum(counts)
            or any(type(size) is not int or size < 1 for size in found)
        ):
            raise TraceError(
                f"{self.name}: {name} in the metadata must be whole numbers ≥ 1 for all {sum(counts)} pages"
            )
        return tuple(found)

    def weights_as(self, spelled: str, file: str | None = None) -> Weights:
        """Return weights of the pages as people write them; ``bytes`` from the metadata.

        Parameters
        ----------
        spelled : str
            As for :func:`paging.read_weights`, or ``bytes`` (:attr:`page_bytes`).
        file : str, optional
            What an error calls the trace; default its name.

        Raises
        ------
        ModelError
            They are no weights of these pages, or the metadata do not state bytes.
        """
        if spelled != "bytes":
            return read_weights(spelled, self.instance.pages_by_layer)
        sizes = self.page_bytes
        if sizes is None:
            raise ModelError(
                f"weights bytes: the metadata of {file or self.name} "
                "state neither page_bytes nor expert_bytes"
            )
        return exact_weights(sizes)

    @property
    def requests(self) -> int:
        """Number of requests T."""
        return len(self.page_ids)

    @property
    def tokens(self) -> int:
        """Number of rounds begun."""
        end = self.requests if self.places is None else int(self.places[-1]) + 1
        return -(-end // (self.layers * self.per_visit))

    @property
    def all_places(self) -> int:
        """Number of places: requests, and slots that no token used."""
        return self.requests if self.places is None else self.tokens * self.layers * self.per_visit

    @property
    def whole_rounds(self) -> bool:
        """Whether the last round is complete."""
        return self.places is not None or self.requests % (self.layers * self.per_visit) == 0

    @property
    def experts(self) -> PageArray:
        """Expert indices inside the layers: int32 of shape (tokens, layers, top_k), computed anew.

        Where a visit is shorter, its last slots hold −1.

        Raises
        ------
        TraceError
            The last round is incomplete.
        """
        self.require_whole_rounds()
        return self.experts_of(0, self.all_places).reshape(-1, self.layers, self.per_visit)

    def require_whole_rounds(self) -> None:
        """Raise a TraceError if the last round is incomplete."""
        if not self.whole_rounds:
            raise TraceError(
                f"{self.requests} requests are not whole rounds of {self.layers} layers × {self.per_visit}, "
                "as an array or records need"
            )

    def experts_of(self, start: int, stop: int) -> PageArray:
        """Return the expert indices inside the layers at places ``start … stop − 1``, flat int32.

        A place is a request where all visits are full; a place without a request holds −1.
        """
        base = np.repeat(self.instance.first_page[:-1], self.per_visit)
        if self.places is None:
            experts: PageArray = self.page_ids[start:stop] - _cyclic(base, start, stop)
            return experts
        first, last = np.searchsorted(self.places, [start, stop])
        places = self.places[first:last]
        experts = np.full(stop - start, PADDING, dtype=np.int32)
        experts[places - start] = self.page_ids[first:last] - base[places % len(base)]
        return experts

    def gate_weights_of(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the gate weights at places ``start … stop − 1``; 0 at a place without a request.

        Raises
        ------
        TraceError
            The trace has none.
        """
        if self.gate_weights is None:
            raise TraceError("the trace holds no gate weights")
        if self.places is None:
            return self.gate_weights[start:stop]
        first, last = np.searchsorted(self.places, [start, stop])
        weights = np.zeros(stop - start, dtype=np.float32)
        weights[self.places[first:last] - start] = self.gate_weights[first:last]
        return weights

    def with_remarks(self, remarks: tuple[str, ...]) -> Trace:
        """Return the same trace with other remarks, without checking it again."""
        same = copy(self)
        object.__setattr__(same, "remarks", remarks)
        return same

    def of_tokens(self, kept: NDArray[np.bool_]) -> Trace:
        """Return the trace of the tokens where ``kept``, of shape (tokens,), is True."""
        round_length = self.layers * self.per_visit
        places = np.arange(self.requests) if self.places is None else self.places
        token = places // round_length
        chosen = kept[token]
        if self.predicted == "next-arrival" and not kept.all():
            raise TraceError(
                "next arrivals are numbers of requests of the whole trace: its tokens cannot be taken apart"
            )
        renumbered = (np.cumsum(kept) - 1)[token[chosen]] * round_length + places[chosen] % round_length
        return replace(
            self,
            page_ids=self.page_ids[chosen],
            places=renumbered,
            seq_id=None if self.seq_id is None else self.seq_id[kept],
            decode=None if self.decode is None else self.decode[kept],
            predictions=None if self.predictions is None else self.predictions[chosen],
            gate_weights=None if self.gate_weights is None else self.gate_weights[chosen],
        )

    @property
    def constant_layers(self) -> dict[int, int]:
        """The layers that ask for one expert every time, with that expert; none where there is one token."""
        if self.tokens < 2 or self.ids is not None:
            return {}
        instance = self.instance
        first = instance.first_page
        if instance.total_pages <= self.requests + BLOCK:
            used = np.flatnonzero(np.bincount(self.page_ids, minlength=instance.total_pages))
        else:
            used = np.unique(self.page_ids)
        begins = np.searchsorted(used, first)
        alone = np.flatnonzero(np.diff(begins) == 1)
        return {int(layer): int(used[begins[layer]] - first[layer]) for layer in alone}

    @cached_property
    def digest(self) -> str:
        """sha256, in hex, of the requests: equal for the same requests in whatever format they are stored.

        Hashed are the ASCII line ``layered-paging layers=ℓ per_visit=g`` with a newline, then for every
        request in order its expert index inside its layer as four little-endian bytes. The number of pages
        per layer is left out: a bare array does not know how many experts were never used. Where visits are
        shorter than g, −1 stands for every slot that a token did not use.
        """
        state = new_digest(self.layers, self.per_visit)
        for start, stop in _blocks(self.all_places):
            state.update(self.experts_of(start, stop).astype("<i4", copy=False).data)
        return state.hexdigest()

    def sequence(
        self, cache: int, visits: Literal["sequential", "atomic"] = "sequential", bypassing: bool = False
    ) -> RequestSequence:
        """Return the trace as a request sequence of an instance with ``cache`` pages, without predictions.

        Raises
        ------
        ModelError
            The cache is too small (atomic visits need cache ≥ per_visit), or another field is out of range.
        """
        shape = (self.layers, self.pages, cache, self.per_visit, visits, bypassing)
        return RequestSequence(LayeredInstance(*shape, self.ids), self.page_ids, self.places)

    def predicted_sequence(self, cache: int) -> PredictedSequence:
        """Return the trace with its predictions as a sequence of an instance with ``cache`` pages.

        Raises
        ------
        TraceError
            It has no predictions.
        """
        if self.predicted is None:
            raise TraceError(f"trace {self.name} has no predictions")
        assert self.predictions is not None
        return PredictedSequence(self.sequence(cache), self.predicted, self.predictions)

    def predictions_of(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the predictions at places ``start … stop − 1``, −1 where there is no request."""
        assert self.predictions is not None
        if self.places is None:
            return self.predictions[start:stop]
        first, last = np.searchsorted(self.places, [start, stop])
        found = np.full(stop - start, PADDING, dtype=np.int64)
        found[self.places[first:last] - start] = self.predictions[first:last]
        return found


def instance_of(
    layers: int, pages: Pages, per_visit: int, names: Sequence[object] | None = None
) -> LayeredInstance:
    """Return an instance of this shape, or raise a TraceError."""
    if isinstance(layers, int) and isinstance(per_visit, int) and layers * per_visit > LONGEST_ROUND:
        raise TraceError(f"a round of {layers} layers × {per_visit} is longer than {LONGEST_ROUND} requests")
    try:
        return LayeredInstance(layers, pages, per_visit, per_visit, names=names)
    except ModelError as problem:
        raise TraceError(str(problem)) from None


def _frozen(values: NDArray[Any], kind: type) -> NDArray[Any]:
    # A copy: what the caller does to its own array must not change the digest.
    array: NDArray[Any] = values.astype(kind)
    array.flags.writeable = False
    return array


def _blocks(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, BLOCK):
        yield start, min(start + BLOCK, length)


def _cyclic(values: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
    """Return ``values[t mod len(values)]`` for t = start … stop − 1."""
    at = start % len(values)
    return np.resize(np.concatenate((values[at:], values[:at])) if at else values, stop - start)


def _refuse_non_integers(values: NDArray[Any], what: str) -> None:
    if values.dtype.hasobject:
        raise TraceError(f"{what} must be integers, got an object array (those are never read)")
    if values.dtype.kind not in "iu":
        raise TraceError(f"{what} must be integers, got dtype {values.dtype}")


def _refuse_huge_experts(experts: Integers) -> None:
    """Refuse indices that no int32 page id can stand for, before they are computed with."""
    if experts.dtype.itemsize < 4 or (experts.min() >= PADDING and experts.max() < MAX_PAGES):
        return
    bad = (experts < PADDING) | (experts >= MAX_PAGES)
    token, layer, slot = (int(index) for index in np.unravel_index(bad.argmax(), experts.shape))
    request = (token * experts.shape[1] + layer) * experts.shape[2] + slot
    where = f"request {request} (token {token}, layer {layer}, slot {slot})"
    value = experts[token, layer, slot]
    raise IllegalRequestError(request, token, f"{where}: expert {value} is outside 0 … {MAX_PAGES - 1}")


def _refuse_illegal_requests(pages: Integers, instance: LayeredInstance) -> None:
    group = instance.per_visit
    low = np.repeat(instance.first_page[:-1], group)
    high = np.repeat(instance.first_page[1:], group)
    slots = np.tile(np.arange(group), instance.layers)
    for start, stop in _blocks(len(pages)):
        # A visit may begin in the block before this one: look back far enough to see all of it.
        start -= start % group
        block = pages[start:stop]
        outside = (block < _cyclic(low, start, stop)) | (block >= _cyclic(high, start, stop))
        if outside.any():
            raise illegal_request(start + int(outside.argmax()), pages, instance, "is outside layer")
        slot = _cyclic(slots, start, stop) if group > 1 else slots
        for gap in range(1, group):
            repeated = (block[gap:] == block[:-gap]) & (slot[gap:] >= gap)
            if repeated.any():
                request = start + gap + int(repeated.argmax())
                raise illegal_request(request, pages, instance, "comes twice in one visit of layer")


def _kept(column: ArrayLike | None, tokens: NDArray[np.bool_]) -> ArrayLike | None:
    array = np.asarray(column)
    return array[tokens] if column is not None and array.shape == tokens.shape else column


def _shaped_like(weights: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return gate weights as an array (tokens, layers, top_k), or refuse another shape than the experts'."""
    array = np.asarray(weights)
    if array.ndim == 2 and shape[2] == 1:
        array = array[:, :, np.newaxis]
    if array.shape != shape:
        raise TraceError(f"gate weights of shape {array.shape} do not fit experts of shape {shape}")
    return array


def _packed(places: ArrayLike, length: int, group: int) -> NDArray[np.int64] | None:
    given = np.asarray(places)
    if given.shape != (length,) or given.dtype.kind not in "iu":
        raise TraceError(f"places must be {length} integers, one for each request")
    wide = given.astype(np.int64)
    if wide[0] < 0 or (np.diff(wide) <= 0).any():
        raise TraceError("places must be ≥ 0 and strictly increasing")
    return packed_places(wide, group)


def _refuse_illegal_in_short_visits(
    pages: Integers, places: NDArray[np.int64], instance: LayeredInstance
) -> None:
    visits = places // instance.per_visit
    layer = visits % instance.layers
    outside = (pages < instance.first_page[layer]) | (pages >= instance.first_page[layer + 1])
    if outside.any():
        request = int(outside.argmax())
        raise illegal_request(request, pages, instance, "is outside layer", int(places[request]))
    for gap in range(1, instance.per_visit):
        repeated = (pages[gap:] == pages[:-gap]) & (visits[gap:] == visits[:-gap])
        if repeated.any():
            request = gap + int(repeated.argmax())
            raise illegal_request(
                request, pages, instance, "comes twice in one visit of layer", int(places[request])
            )


def _refuse_layers_of_zeros(experts: Integers) -> None:
    """Say what a layer of nothing but zeros is, before it is refused for asking twice for expert 0."""
    if experts.shape[2] == 1 or experts.min() > 0:
        return
    lowest = np.flatnonzero(experts.max(axis=(0, 2)) == 0)
    zeros = lowest[((experts[:, lowest] == 0).sum(axis=2) > 1).any(axis=0)]
    if len(zeros) == 0:
        return
    if len(zeros) == experts.shape[1]:
        raise TraceError(
            "every layer holds nothing but zeros: a capture that failed, or dense layers alone "
            "(--drop-layers leaves out dense ones)"
        )
    raise TraceError(
        f"{layers_text(zeros.tolist())} nothing but zeros: dense, or not captured; --drop-layers dense "
        f"(drop_layers) leaves such layers out"
    )


def layers_text(layers: Sequence[int], one: str = "holds", several: str = "hold") -> str:
    """Write layers as the subject of a sentence.

    >>> layers_text([3]), layers_text([0, 2], "is", "are")
    ('layer 3 holds', 'layers 0, 2 are')
    """
    shown = ", ".join(map(str, layers[:8])) + (", …" if len(layers) > 8 else "")
    return f"layer {shown} {one}" if len(layers) == 1 else f"layers {shown} {several}"


def illegal_request(
    request: int,
    pages: Integers | Mapping[int, int],
    instance: LayeredInstance,
    problem: str,
    place: int | None = None,
) -> IllegalRequestError:
    """Say what is wrong with a request, where it is, and what its layer allows."""
    token, rest = divmod(request if place is None else place, instance.round_length)
    layer, slot = divmod(rest, instance.per_visit)
    page, allowed = int(pages[request]), instance.pages_of(layer)
    return IllegalRequestError(
        request,
        token,
        f"request {request} (token {token}, layer {layer}, slot {slot}): "
        f"expert {page - allowed.start} (page {page}) {problem} {layer}, "
        f"which has experts 0 … {len(allowed) - 1} (pages {allowed.start} … {allowed.stop - 1})",
    )


def trace_info(trace: Trace) -> dict[str, Any]:
    """Describe a trace in numbers.

    Returns
    -------
    dict
        ``name``, ``tokens``, ``layers``, ``pages``, ``top_k``, ``requests``, ``whole_rounds``;
        ``distinct_pages`` of ``total_pages``; ``sequences`` and ``decode_tokens`` (None where the trace
        does not say); ``gate_weights`` (whether it holds some); ``ids`` (``numbers`` or ``words`` where the
        pages have ids of the source, otherwise None); ``short_visits``; ``predictions`` (their kind, or
        None); ``digest``; ``repeat_rate`` with ``mean``, ``min``, ``max`` over the layers: the share of a
        visit's pages requested in the same layer's previous visit too, counted inside each sequence and over
        whole rounds (None without a second visit); ``entropy_bits`` likewise: the entropy
        of how often each page of a layer is requested, at most log2 n;
        ``metadata``. All are plain Python numbers.

    Examples
    --------
    >>> info = trace_info(Trace.from_experts([[[0], [0]], [[0], [1]], [[0], [0]]]))
    >>> info["requests"], info["distinct_pages"], info["repeat_rate"]
    (6, 3, {'mean': 0.5, 'min': 0.0, 'max': 1.0})
    """
    # Not one counter per page: a file of page ids may hold a few enormous ones.
    used, counts = np.unique(trace.page_ids, return_counts=True)
    return {
        "name": trace.name,
        "tokens": trace.tokens,
        "layers": trace.layers,
        "pages": trace.pages,
        "top_k": trace.per_visit,
        "requests": trace.requests,
        "whole_rounds": trace.whole_rounds,
        "distinct_pages": len(used),
        "total_pages": trace.instance.total_pages,
        "ids": ids_kind(trace.ids),
        "short_visits": trace.places is not None,
        "predictions": trace.predicted,
        "sequences": None if trace.seq_id is None else len(np.unique(trace.seq_id)),
        "decode_tokens": None if trace.decode is None else int(np.count_nonzero(trace.decode)),
        "gate_weights": trace.gate_weights is not None,
        "digest": trace.digest,
        "repeat_rate": _spread(repeat_rates(trace)),
        "entropy_bits": _spread(_entropies(used, counts, trace.instance)),
        "metadata": dict(trace.metadata),
    }


def ids_kind(ids: Sequence[object] | None) -> str | None:
    """Say whether page names are numbers or words."""
    return None if ids is None else "words" if isinstance(ids[0], str) else "numbers"


def _spread(values: NDArray[np.float64]) -> dict[str, float] | None:
    if values.size == 0:
        return None
    return {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}


def _entropies(used: PageArray, counts: NDArray[np.int64], instance: LayeredInstance) -> NDArray[np.float64]:
    """Entropy in bits of how often the pages of a layer are requested, for every layer that is."""
    layers = np.split(counts, np.searchsorted(used, instance.first_page[1:-1]))
    shares = [layer / layer.sum() for layer in layers if layer.size]
    return np.array([(share * np.log2(1 / share)).sum() for share in shares])


def repeat_rates(trace: Trace) -> NDArray[np.float64]:
    """Return the share of a visit's pages that the same layer's previous visit requested too, layer by layer.

    Counted inside each sequence and over whole rounds; empty where no sequence has two of them.
    """
    round_length = trace.layers * trace.per_visit
    rounds = trace.experts_of(0, trace.all_places // round_length * round_length)
    visits = rounds.reshape(-1, trace.layers, trace.per_visit)
    step = max(1, BLOCK // (round_length * trace.per_visit))  # all pairs of a visit's pages are compared
    hits, pairs = np.zeros(trace.layers), np.zeros(trace.layers)
    for start in range(1, len(visits), step):
        now = visits[start : start + step]
        before = visits[start - 1 : start - 1 + len(now)]
        if trace.seq_id is not None:
            ids = trace.seq_id[start - 1 : start + len(now)]
            together = ids[1:] == ids[:-1]
            now, before = now[together], before[together]
        repeated = (now[:, :, :, np.newaxis] == before[:, :, np.newaxis, :]).any(axis=3)
        requested = now != PADDING
        hits += (repeated & requested).sum(axis=(0, 2))
        pairs += requested.sum(axis=(0, 2))
    return hits[pairs > 0] / pairs[pairs > 0]
