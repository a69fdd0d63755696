"""Binary records of other simulators: requests without a shape.

libCacheSim's ``oracleGeneral`` has 24 bytes a record, packed and little-endian: time (uint32), object id
(uint64), size (uint32) and the number of the request in which the object comes next (int64, counted from 1;
−1 if never). What it says of the future is advice: where it is wrong, we say so and go on.

CloudPhysics' ``vscsi`` has two versions of 32 and 40 bytes, which the high byte of their version tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.model import PageArray
from paging.traces.draft import Draft
from paging.traces.numbering import RequestList
from paging.traces.reading import TraceReading
from paging.traces.tables import SECTOR, bounded, different_sizes
from paging.traces.trace import Trace, ids_kind


def _record(fields: str) -> np.dtype[Any]:
    return np.dtype([(name, kind) for name, _, kind in (field.partition(":") for field in fields.split())])


RECORD = _record("time:<u4 id:<u8 size:<u4 next:<i8")
VSCSI = {
    1: _record("sn:<u4 size:<u4 nsg:<u4 cmd:<u2 ver:<u2 id:<u8 ts:<u8"),
    2: _record("cmd:<u2 ver:<u2 sn:<u4 size:<u4 nsg:<u4 id:<u8 ts:<u8 rt:<u8"),
}
NEVER = -1
SUFFIXES = (".oraclegeneral", ".oraclegeneral.bin")
BLOCK = 1 << 16
"""Records read or written in one go."""


def read_oracle(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read object ids; they are numbered in order of first appearance."""
    requests, sizes, following = RequestList(), SizeCheck(reading), []
    for records in blocks_of(stream, RECORD):
        sizes.compare(records, len(requests))
        sizes.keep(records)
        following.append(records["next"].copy())
        requests.extend(records["id"].tolist())
    if not requests:
        raise TraceError("there is no record in it")
    draft = Draft(requests.values, ids=requests.ids, page_bytes=sizes.of_pages(requests.names))
    said = np.concatenate(following)
    wrong = _wrong_futures(draft.values, said)
    if wrong:
        draft.remarks = (
            f"in {wrong:,} of {len(said):,} records the next access is not the one that follows, counted "
            "from 1 (a part of a longer file?); the requests count, not what is said of them",
        )
    return draft


def _wrong_futures(pages: PageArray, said: NDArray[np.int64]) -> int:
    never = (said == NEVER) | (said == np.iinfo(np.int64).max)
    right = next_request(pages)
    return int(np.count_nonzero(np.where(never, NEVER, said) != np.where(right == NEVER, NEVER, right + 1)))


class SizeCheck:
    """Refuses objects of different sizes, unless they are to be ignored."""

    def __init__(self, reading: TraceReading) -> None:
        self._ignored = reading.ignore_sizes
        self._first: int | None = None
        self._of: dict[int, int] = {}

    def keep(self, records: NDArray[Any]) -> None:
        """Remember the size of every object, as its first record states it, where sizes may differ."""
        if self._ignored:
            ids, first = np.unique(records["id"], return_index=True)
            for name, size in zip(ids.tolist(), records["size"][first].tolist(), strict=True):
                self._of.setdefault(name, max(1, size))

    def of_pages(self, names: Iterable[int]) -> list[int] | None:
        """Return the sizes of objects in order, or None where all are of one size."""
        found = [self._of[name] for name in names] if self._of else []
        return found if len(set(found)) > 1 else None

    def compare(self, records: NDArray[Any], count: int, also: str = "") -> None:
        if self._ignored:
            return
        if self._first is None:
            self._first = int(records["size"][0])
        other = np.flatnonzero(records["size"] != self._first)
        if len(other):
            size = int(records["size"][other[0]])
            raise TraceError(f"record {count + int(other[0])} has {different_sizes(size, self._first, also)}")


def blocks_of(stream: IO[bytes], record: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    while block := stream.read(BLOCK * record.itemsize):
        if len(block) % record.itemsize:
            raise TraceError(
                f"records have {record.itemsize} bytes each; the last one is cut off (truncated?)"
            )
        yield np.frombuffer(block, record)


def read_vscsi(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read block addresses, or with ``block_size`` all pages that a record touches."""
    start = stream.read(2 * VSCSI[2].itemsize)
    stream.seek(0)
    record = _version_of(start)
    requests, sizes = RequestList(), SizeCheck(reading)
    count = 0
    for records in blocks_of(stream, record):
        if (records["ver"] >> 8 != records["ver"][0] >> 8).any():
            raise TraceError("records of different versions follow one another: this is no vscsi file")
        if reading.block_size is None:
            sizes.compare(records, count, "--block-size B cuts rows into pages, ")
            requests.extend(records["id"].tolist())
        else:
            _extend_by_ranges(requests, records, reading.block_size)
        count += len(records)
    return Draft(requests.values, ids=requests.ids)


def _version_of(start: bytes) -> np.dtype[Any]:
    for version, record in VSCSI.items():
        whole = len(start) // record.itemsize
        versions = np.frombuffer(start[: whole * record.itemsize], record)["ver"] >> 8
        if whole and (versions == version).all():
            return record
    raise TraceError("the first records have neither version 1 nor version 2: this is no vscsi file")


def _extend_by_ranges(requests: RequestList, records: NDArray[Any], page: int) -> None:
    for address, size in zip(records["id"].tolist(), records["size"].tolist(), strict=True):
        first = address * SECTOR
        requests.extend(bounded(first // page, (first + max(size, 1) - 1) // page + 1))


def write_oracle(trace: Trace, stream: IO[bytes]) -> None:
    """Write the requests: size 1, the number of the round as time, and where every page comes next."""
    pages, following = trace.page_ids, next_request(trace.page_ids)
    names = np.asarray(trace.ids) if ids_kind(trace.ids) == "numbers" else None
    rounds = np.arange(trace.requests) if trace.places is None else trace.places
    for start in range(0, len(pages), BLOCK):
        stop = min(start + BLOCK, len(pages))
        records = np.zeros(stop - start, RECORD)
        records["time"] = rounds[start:stop] // trace.instance.round_length
        records["id"] = pages[start:stop] if names is None else names[pages[start:stop]]
        records["size"] = 1
        part = following[start:stop]
        records["next"] = np.where(part == NEVER, NEVER, part + 1)
        stream.write(records.tobytes())


def next_request(pages: PageArray) -> NDArray[np.int64]:
    """Return, for every request, the number of the next one to the same page, −1 if there is none.

    >>> next_request(np.array([4, 7, 4, 4], dtype=np.int32)).tolist()
    [2, -1, 3, -1]
    """
    order = np.argsort(pages, kind="stable")
    same = pages[order[1:]] == pages[order[:-1]]
    following = np.full(len(pages), NEVER, dtype=np.int64)
    following[order[:-1][same]] = order[1:][same]
    return following
