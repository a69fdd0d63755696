"""libCacheSim's binary layout ``oracleGeneral``, which other simulators read: requests without a shape.

A record has 24 bytes, packed and little-endian: time (uint32), object id (uint64), size (uint32) and the
number of the record in which the object comes next (int64, −1 if never).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError
from paging.model import MAX_PAGES, PageArray
from paging.traces.draft import Draft
from paging.traces.trace import Trace

RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])
NEVER = -1
SUFFIXES = (".oraclegeneral", ".oraclegeneral.bin")
BLOCK = 1 << 16
"""Records read or written in one go."""


def read_oracle(stream: IO[bytes]) -> Draft:
    """Read object ids as page ids; ids too large for that are numbered in order of first appearance."""
    ids: list[NDArray[np.uint64]] = []
    count, furthest = 0, (NEVER, 0)
    size: int | None = None
    for records in _blocks(stream):
        size = int(records["size"][0]) if size is None else size
        other = np.flatnonzero(records["size"] != size)
        if len(other):
            raise TraceError(
                f"record {count + int(other[0])} has size {records['size'][other[0]]}, the first one {size}: "
                f"paging is about pages of one size"
            )
        following = np.where(records["next"] == np.iinfo(np.int64).max, NEVER, records["next"])
        furthest = max(furthest, (int(following.max()), count + int(following.argmax())))
        ids.append(records["id"].copy())
        count += len(records)
    if not ids:
        raise TraceError("there is no record in it")
    if furthest[0] >= count:
        raise TraceError(
            f"record {furthest[1]} says that its page comes again in record {furthest[0]}, "
            f"but there are {count} records (a truncated file?)"
        )
    return Draft(_page_ids(np.concatenate(ids)))


def _blocks(stream: IO[bytes]) -> Iterator[NDArray[Any]]:
    while block := stream.read(BLOCK * RECORD.itemsize):
        if len(block) % RECORD.itemsize:
            raise TraceError(
                f"records have {RECORD.itemsize} bytes each; the last one is cut off (truncated?)"
            )
        yield np.frombuffer(block, RECORD)


def _page_ids(ids: NDArray[np.uint64]) -> PageArray:
    if ids.max() < MAX_PAGES:
        return ids.astype(np.int32)
    _, first, place = np.unique(ids, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[place].astype(np.int32)


def write_oracle(trace: Trace, stream: IO[bytes]) -> None:
    """Write the requests: size 1, the number of the round as time, and where every page comes next."""
    pages, following = trace.page_ids, next_request(trace.page_ids)
    for start in range(0, len(pages), BLOCK):
        stop = min(start + BLOCK, len(pages))
        records = np.zeros(stop - start, RECORD)
        records["time"] = np.arange(start, stop) // trace.instance.round_length
        records["id"] = pages[start:stop]
        records["size"] = 1
        records["next"] = following[start:stop]
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
