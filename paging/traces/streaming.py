"""Traces that do not fit in memory: requests in chunks, as many passes over them as are asked for.

What decides the shape is read first: the header of an array, or all ids of a list, which are numbered in
order of first appearance. Standard input is copied to a temporary file, as everywhere; memory holds a few
chunks and what the different ids take.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.memory import machine_memory
from paging.model import LayeredInstance, PageArray
from paging.traces.arrays import SIDECAR_OF_STATED, experts_member, read_header
from paging.traces.files import DAMAGE, damaged, format_of, naming
from paging.traces.formats import FORMATS, ORACLE, PARQUET, Format
from paging.traces.opening import PACKED, archive_of, is_stream, opened, unpacked
from paging.traces.oracle import RECORD, SizeCheck, blocks_of
from paging.traces.parquet import ParquetTrace
from paging.traces.reading import TraceReading
from paging.traces.records import expert_blocks, parse_json
from paging.traces.samples import located
from paging.traces.trace import PADDING, illegal_request, instance_of

CHUNK = 1 << 20
"""Requests of a chunk, about."""

TAKEN = ("layers", "pages", "per_visit", "format", "unpack_limit")
"""Options of reading that a stream takes, beside those of its format …"""

WHOLE = ("scores", "layers_first", "fields")
"""… without these."""

IN_CHUNKS = "only .npz, .npy, .jsonl, .parquet and oracleGeneral (--format says what standard input holds)"

READING, SOLVING = 24, 120
"""Bytes of memory that a request takes while a trace is read and served at once, and while OPT is proved."""

SHARE = 0.75
"""Of the memory, so much may be taken."""

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
    """Open a trace to be read in chunks: ``.npz``, ``.npy``, ``.jsonl``, ``.parquet`` or ``.oracleGeneral``.

    Packed or not; standard input is copied to a temporary file.

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
        if kind not in BEGIN:
            raise TraceError(f"{IN_CHUNKS} are read in chunks; leave out --stream for other formats")
        taken = (*TAKEN, *kind.takes)
        if other := [option for option in wanted.given() if option not in taken or option in WHOLE]:
            known = [option for option in taken if option not in WHOLE]
            raise TraceError(f"{other[0]} needs the whole trace in memory; a stream takes {', '.join(known)}")
        with opened(name) as raw:
            yield _Source(name, kind, raw, wanted).stream()


def announced_requests(path: str | os.PathLike[str], reading: TraceReading | None = None) -> int | None:
    """Return how many requests a file has by its header or its size, None where only reading it tells.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "example.npy"
    >>> np.save(path, np.zeros((5, 3, 1), dtype=np.int16))
    >>> announced_requests(path), announced_requests("no such file")
    (15, None)
    """
    wanted, given = reading or TraceReading(), os.fspath(path)
    try:
        name = located(given)
        kind = format_of(name, wanted.format)
        if kind not in AT_ONCE or is_stream(name) or name.lower().endswith(PACKED) or wanted.scores:
            return None
        with opened(name) as raw:
            if kind is ORACLE:
                return raw.seek(0, os.SEEK_END) // RECORD.itemsize
            with _Source(name, kind, raw, wanted).begun() as begun:
                if isinstance(begun, _Ids) or begun.tokens is None:
                    return None
                return begun.tokens * begun.layers * begun.per_visit
    except (TraceError, OSError):  # whoever reads it will say so
        return None


def too_large(
    path: str | os.PathLike[str], reading: TraceReading | None = None, bytes_a_request: int = READING
) -> str | None:
    """Say that a trace would not fit in memory; None where it would, or nobody knows before reading it.

    Parameters
    ----------
    path, reading
        As for :func:`announced_requests`.
    bytes_a_request : int
        What the work takes.
    """
    count, there = announced_requests(path, reading) or 0, machine_memory()
    if count * bytes_a_request <= SHARE * there:
        return None
    need = count * bytes_a_request
    return (
        f"{os.fspath(path)}: {count:,} requests take about {need / 1e9:,.1f} GB at once, and there are "
        f"{there / 1e9:,.1f} GB of memory"
    )


class _Experts(NamedTuple):
    """A pass over expert indices: shape, as far as the start tells it, and blocks of whole rounds."""

    layers: int
    per_visit: int
    blocks: Blocks
    """Arrays of shape (rounds, ℓ·g)."""
    tokens: int | None = None
    pages: object = None


class _Ids(NamedTuple):
    """A pass over the ids of pages of one layer."""

    blocks: Blocks
    """Arrays of uint64."""


class _Source:
    """An open file, read as often as needed."""

    def __init__(self, name: str, kind: Format, raw: IO[bytes], reading: TraceReading) -> None:
        self._name, self._kind, self._raw, self._reading = name, kind, raw, reading

    @contextlib.contextmanager
    def begun(self) -> Iterator[_Experts | _Ids]:
        """Begin a pass over the contents."""
        try:
            unpacking = unpacked(self._raw, self._name, self._kind.seeks, self._reading.unpack_limit)
            with unpacking as stream:
                yield BEGIN[self._kind](stream, self._reading)
        except (TraceError, OSError):
            raise
        except DAMAGE as problem:
            raise damaged(self._kind, problem) from None

    def _blocks(self) -> Blocks:
        with self.begun() as begun:
            yield from begun.blocks

    def stream(self) -> TraceStream:
        """Return the contents as a stream."""
        with self.begun() as begun:
            return self._of_experts(begun) if isinstance(begun, _Experts) else self._of_ids()

    def _of_experts(self, begun: _Experts) -> TraceStream:
        layers, group, tokens = begun.layers, begun.per_visit, begun.tokens
        stated = {**self._beside(), "layers": layers, "per_visit": group}
        stated |= {} if begun.pages is None else {"pages": begun.pages}
        asked = {key: value for key, value in self._reading.given().items() if key in SIDECAR_OF_STATED}
        for key, value in asked.items():
            value = tuple(value) if isinstance(value, list) else value
            if stated.setdefault(key, value) != value:
                raise TraceError(f"{key} is {stated[key]} in the file, but {value} asked for")
        pages: Any = stated.get("pages")
        pages = tuple(pages) if isinstance(pages, list) else pages
        if pages is None or tokens is None:
            tokens, highest = 0, group - 1
            for block in self._blocks():
                tokens, highest = tokens + len(block), max(highest, int(block.max()))
            pages = highest + 1 if pages is None else pages
        instance = instance_of(layers, pages, group)
        requests = tokens * layers * group
        return TraceStream(instance, False, requests, lambda: self._page_ids(instance))

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

    def _page_ids(self, instance: LayeredInstance) -> Iterator[PageArray]:
        from paging.kernels.reading import to_pages

        first_page = np.asarray(instance.first_page, dtype=np.int64)
        begun = 0
        for block in self._blocks():
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

    def _of_ids(self) -> TraceStream:
        if self._reading.pages is not None or self._reading.layers not in (None, 1):
            raise TraceError("ids of objects are numbered as they appear: -l and -n say nothing of them")
        numbers, count = _Numbers(), 0
        for ids in self._blocks():
            numbers.learn(ids)
            count += len(ids)
        if not count:
            raise TraceError("there is no record in it")
        instance = instance_of(1, numbers.count, 1)
        return TraceStream(instance, True, count, lambda: map(numbers.of, self._blocks()))


# ------------------------------------------------------------------------------------ a pass, by format


def _begin_npz(stream: IO[bytes], reading: TraceReading) -> _Experts:
    archive = archive_of(stream, reading.unpack_limit)
    return _begin_npy(archive.open(f"{experts_member(archive.namelist())}.npy"), reading)


def _begin_npy(stream: IO[bytes], _reading: TraceReading) -> _Experts:
    shape, in_columns, dtype = read_header(stream)
    shape = (*shape, 1) if len(shape) == 2 else shape
    if len(shape) != 3 or 0 in shape:
        raise TraceError(f"experts must have shape (tokens, layers, top_k), none of them 0, got {shape}")
    if in_columns:
        raise TraceError("the array is stored column by column: a stream cannot be read token by token")
    tokens, layers, group = shape
    return _Experts(layers, group, _rounds(stream, tokens, layers * group, dtype), tokens)


def _rounds(stream: IO[bytes], tokens: int, length: int, dtype: np.dtype[Any]) -> Blocks:
    left = tokens
    while left:
        rounds = min(left, max(1, CHUNK // length))
        data = _exactly(stream, rounds * length * dtype.itemsize)
        yield np.frombuffer(data, dtype).reshape(rounds, length)
        left -= rounds
    if stream.read(1):
        raise TraceError(f"more follows after an array of {tokens} tokens")


def _begin_jsonl(stream: IO[bytes], _reading: TraceReading) -> _Experts:
    header, blocks = expert_blocks(stream, CHUNK)
    if header.get("ids") is not None:
        raise TraceError("the header names pages: read it without --stream")
    first = next(blocks)
    rows = (block.reshape(len(block), -1) for block in chain((first,), blocks))
    return _Experts(first.shape[1], first.shape[2], rows, pages=header.get("pages"))


def _begin_parquet(stream: IO[bytes], reading: TraceReading) -> _Experts | _Ids:
    table = ParquetTrace(stream, reading)
    if table.ids:
        return _Ids(table.numbers(CHUNK))
    blocks = table.experts(CHUNK)
    first = next(blocks)
    rows = (block.reshape(len(block), -1) for block in chain((first,), blocks))
    return _Experts(first.shape[1], first.shape[2], rows, table.rows)


def _begin_oracle(stream: IO[bytes], reading: TraceReading) -> _Ids:
    return _Ids(_object_ids(stream, SizeCheck(reading)))


def _object_ids(stream: IO[bytes], sizes: SizeCheck) -> Blocks:
    count = 0
    for records in blocks_of(stream, RECORD):
        sizes.compare(records, count)
        count += len(records)
        yield np.ascontiguousarray(records["id"])


BEGIN: dict[Format, Callable[[IO[bytes], TraceReading], _Experts | _Ids]] = {
    FORMATS[".npz"]: _begin_npz,
    FORMATS[".npy"]: _begin_npy,
    FORMATS[".jsonl"]: _begin_jsonl,
    PARQUET: _begin_parquet,
    ORACLE: _begin_oracle,
}
"""How a pass over the contents begins, by format."""

AT_ONCE = (FORMATS[".npz"], FORMATS[".npy"], PARQUET, ORACLE)
"""Formats that tell at once how long they are."""


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
