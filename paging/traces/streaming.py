"""Traces that do not fit in memory: requests in chunks, as many passes over them as are asked for.

What decides the shape is read first: the header of an array, or all ids of a list, which are numbered in
order of first appearance. Standard input is copied to a temporary file, as everywhere; memory holds a few
chunks and what the different ids take.
"""

from __future__ import annotations

import contextlib
import math
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.model import LayeredInstance, PageArray
from paging.traces.arrays import SIDECAR_OF_STATED, read_header
from paging.traces.files import DAMAGE, damaged, format_of, naming
from paging.traces.formats import FORMATS, ORACLE, Format
from paging.traces.opening import is_stream, opened, unpacked
from paging.traces.oracle import RECORD, SizeCheck, blocks_of
from paging.traces.reading import TraceReading
from paging.traces.records import parse_json
from paging.traces.samples import located
from paging.traces.trace import PADDING, illegal_request, instance_of

CHUNK = 1 << 20
"""Requests of a chunk, about."""

TAKEN = ("layers", "pages", "per_visit", "format", "unpack_limit", "ignore_sizes")
"""Options of reading that a stream takes."""

Blocks = Iterator[NDArray[Any]]


class TraceStream:
    """A trace as chunks of legal requests.

    Parameters
    ----------
    instance : LayeredInstance
        Its shape, with a cache of one visit.
    ids : bool
        Whether the pages are numbered in order of first appearance.
    requests : int
        Number of requests.
    chunks : callable
        Begins a pass over the requests: arrays of int32 in their order.
    """

    def __init__(
        self, instance: LayeredInstance, ids: bool, requests: int, chunks: Callable[[], Iterator[PageArray]]
    ) -> None:
        self.instance, self.ids, self.requests, self.chunks = instance, ids, requests, chunks


@contextlib.contextmanager
def stream_trace(path: str | os.PathLike[str], reading: TraceReading | None = None) -> Iterator[TraceStream]:
    """Open a trace to be read in chunks: ``.npz``, ``.npy`` or ``.oracleGeneral``, packed or not.

    Parameters
    ----------
    path, reading
        As for :func:`~paging.traces.read_trace`; of the options, those about the shape, ``format``,
        ``unpack_limit`` and ``ignore_sizes``.

    Raises
    ------
    TraceError
        As for `read_trace`, also while chunks are read; the format or an option is not for streams; or
        visits are shorter than g.

    Examples
    --------
    >>> from paging.traces import Trace, write_trace
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "example.npz"
    >>> write_trace(Trace.from_experts([[[0], [2]], [[1], [2]]]), path)
    >>> with stream_trace(path) as stream:
    ...     [chunk.tolist() for chunk in stream.chunks()], stream.requests
    ([[0, 5, 1, 5]], 4)
    """
    wanted = reading or TraceReading()
    given = os.fspath(path)
    with naming(given):
        name = located(given)
        kind = format_of(name, wanted.format)
        if other := [option for option in wanted.given() if option not in TAKEN]:
            raise TraceError(f"{other[0]} needs the whole trace in memory; a stream takes {', '.join(TAKEN)}")
        if kind not in (FORMATS[".npz"], FORMATS[".npy"], ORACLE):
            raise TraceError(
                "only .npz, .npy and oracleGeneral are read in chunks (--format says what standard input "
                "holds); leave out --stream for other formats"
            )
        with opened(name) as raw:
            source = _Source(name, kind, raw, wanted)
            yield source.records() if kind is ORACLE else source.array()


class _Source:
    """An open file, read as often as needed."""

    def __init__(self, name: str, kind: Format, raw: IO[bytes], reading: TraceReading) -> None:
        self._name, self._kind, self._raw, self._reading = name, kind, raw, reading

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """Begin a pass over the contents, of an archive over its experts."""
        try:
            with contextlib.ExitStack() as stack:
                seeks = self._kind.seeks
                stream = stack.enter_context(
                    unpacked(self._raw, self._name, seeks, self._reading.unpack_limit)
                )
                if self._kind is FORMATS[".npz"]:
                    archive = stack.enter_context(zipfile.ZipFile(stream))
                    if "experts.npy" not in archive.namelist():
                        raise TraceError("no array 'experts' in the archive")
                    stream = stack.enter_context(archive.open("experts.npy"))
                yield stream
        except (TraceError, OSError):
            raise
        except DAMAGE as problem:
            raise damaged(self._kind, problem) from None

    def array(self) -> TraceStream:
        """Return an array of expert indices as a stream."""
        with self._opened() as stream:
            shape, in_columns, _ = read_header(stream)
        shape = (*shape, 1) if len(shape) == 2 else shape
        if len(shape) != 3 or 0 in shape:
            raise TraceError(f"experts must have shape (tokens, layers, top_k), none of them 0, got {shape}")
        if in_columns:
            raise TraceError("the array is stored column by column: a stream cannot be read token by token")
        _, layers, group = shape
        stated = {**self._beside(), "layers": layers, "per_visit": group}
        asked = {key: value for key, value in self._reading.given().items() if key in SIDECAR_OF_STATED}
        for key, value in asked.items():
            value = tuple(value) if isinstance(value, list) else value
            if stated.setdefault(key, value) != value:
                raise TraceError(f"{key} is {stated[key]} in the file, but {value} asked for")
        pages = stated.get("pages")
        pages = tuple(pages) if isinstance(pages, list) else pages
        if pages is None:
            pages = max(max(int(block.max()) for block in self._rounds(layers * group)) + 1, group)
        instance = instance_of(layers, pages, group)
        return TraceStream(instance, False, math.prod(shape), lambda: self._page_ids(instance))

    def _beside(self) -> dict[str, Any]:
        """Return what the JSON file beside an .npz says of the pages."""
        if self._kind is not FORMATS[".npz"] or is_stream(self._name):
            return {}
        try:
            record = parse_json(Path(self._name).with_suffix(".json").read_bytes())
        except FileNotFoundError:
            return {}
        if not isinstance(record, dict) or record.get("ids") is not None:
            raise TraceError("the .json beside it names pages or is no object: read it without --stream")
        return {"pages": record[SIDECAR_OF_STATED["pages"]]} if SIDECAR_OF_STATED["pages"] in record else {}

    def _rounds(self, length: int) -> Blocks:
        """Yield the array in blocks of whole rounds, shape (rounds, ℓ·g)."""
        with self._opened() as stream:
            shape, _, dtype = read_header(stream)
            left = shape[0]
            while left:
                rounds = min(left, max(1, CHUNK // length))
                data = _exactly(stream, rounds * length * dtype.itemsize)
                yield np.frombuffer(data, dtype).reshape(rounds, length)
                left -= rounds
            if stream.read(1):
                raise TraceError(f"more follows after an array of shape {shape}")

    def _page_ids(self, instance: LayeredInstance) -> Iterator[PageArray]:
        from paging.kernels.reading import to_pages

        first_page = np.asarray(instance.first_page, dtype=np.int64)
        begun = 0
        for block in self._rounds(instance.round_length):
            pages = np.empty(block.size, dtype=np.int32)
            place = to_pages(block, first_page, instance.per_visit, pages)
            if place >= 0:
                expert = int(block.reshape(-1)[place])
                if expert == PADDING:
                    raise TraceError(f"request {begun + place} is −1: short visits are read without --stream")
                layer = place % instance.round_length // instance.per_visit
                page = int(first_page[layer]) + expert
                twice = 0 <= expert < len(instance.pages_of(layer))
                problem = "comes twice in one visit of layer" if twice else "is outside layer"
                raise illegal_request(begun + place, {begun + place: page}, instance, problem)
            yield pages
            begun += len(pages)

    def records(self) -> TraceStream:
        """Return libCacheSim's records as a stream."""
        numbers, count = _Numbers(), 0
        for ids in self._ids():
            numbers.learn(ids)
            count += len(ids)
        if not count:
            raise TraceError("there is no record in it")
        pages = self._reading.pages
        if pages is not None or self._reading.layers not in (None, 1):
            raise TraceError("objects of records are numbered as they appear: -l and -n say nothing of them")
        instance = instance_of(1, numbers.count, 1)
        return TraceStream(instance, True, count, lambda: map(numbers.of, self._ids()))

    def _ids(self) -> Blocks:
        sizes, count = SizeCheck(self._reading), 0
        with self._opened() as stream:
            for records in blocks_of(stream, RECORD):
                sizes.compare(records, count)
                count += len(records)
                yield np.ascontiguousarray(records["id"])


def _exactly(stream: IO[bytes], count: int) -> bytes:
    """Read so many bytes; there are as many."""
    data = stream.read(count)
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            raise TraceError(f"the array ends {count - len(data):,} bytes too early (truncated?)")
        data += more
    return data


class _Numbers:
    """Ids, numbered in order of first appearance, in sorted arrays."""

    def __init__(self) -> None:
        self._known: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        self._number: PageArray = np.zeros(0, dtype=np.int32)

    @property
    def count(self) -> int:
        """How many ids there are."""
        return len(self._known)

    def learn(self, ids: NDArray[np.uint64]) -> None:
        """Number the ids that have none."""
        distinct, first = np.unique(ids, return_index=True)
        new = ~np.isin(distinct, self._known, assume_unique=True)
        distinct, first = distinct[new], first[new]
        number = np.empty(len(distinct), dtype=np.int32)
        number[np.argsort(first)] = np.arange(self.count, self.count + len(distinct))
        known = np.concatenate((self._known, distinct))
        order = np.argsort(known, kind="stable")
        self._known, self._number = known[order], np.concatenate((self._number, number))[order]

    def of(self, ids: NDArray[np.uint64]) -> PageArray:
        """Return the numbers of ids that were learnt."""
        return self._number[np.searchsorted(self._known, ids)]
