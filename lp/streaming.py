"""The offline optimum of requests that do not fit in memory, with its proof: passes over temporary files.

The requests are written to a file once. A pass from the end finds every next use; farthest-in-future serves
the parts in order and writes its schedule; another pass finds what the cuts of the dual must keep to, and the
last ones add up what schedule and dual prove. Memory holds a part, two bits a request (which of them are
hits), and what pages and cuts take.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp.dual import Dual, dual_of_cuts
from lp.kernels.dual import cut_bounds_from, latest_cuts, unit_bound_from
from lp.result import OPTIMAL, BetweenBounds
from paging.certificate import certificate, packed, write_in_lines
from paging.errors import InfeasibleScheduleError, LimitError, ModelError
from paging.files import unfinished
from paging.kernels.offline import farthest_from, next_use_to
from paging.kernels.trees import empty_tree
from paging.model import HIT, LayeredInstance, PageArray
from paging.signals import UNWATCHED, Count, Watch

PART = 1 << 19
"""Requests of a part, about; in a certificate a part is a line."""

SHARE_OF_DISK = 0.95
"""Of what is free, so much may be taken."""

PASSES = 5
"""Passes over the requests without a certificate."""

FAST = 1
"""How hard arrays are compressed: time counts more than bytes here."""


@dataclass(frozen=True, eq=False)
class StreamedOptimum(BetweenBounds):
    """The offline optimum of requests in temporary files, which are there as long as the context.

    Attributes
    ----------
    instance : LayeredInstance
        With the cache size.
    lower, upper : int
        OPT lies in between; equal, as both come from farthest-in-future.
    dual : Dual
        Proves ``lower``.
    seconds : float
        Wall-clock time from the requests to the bounds.
    """

    instance: LayeredInstance
    lower: int
    upper: int
    dual: Dual = field(repr=False)
    seconds: float
    _files: RequestsOnDisk = field(repr=False)
    status: str = OPTIMAL

    @property
    def requests(self) -> int:
        """How many there are."""
        return self._files.length

    @property
    def distinct_pages(self) -> int:
        """The compulsory faults."""
        return self._files.distinct_pages

    @property
    def found_by(self) -> str:
        """How the bounds were found."""
        return f"farthest-in-future, streamed: {self.status}"

    def write_certificate(
        self, path: str | Path, provenance: Mapping[str, object] | None = None, watch: Watch = UNWATCHED
    ) -> None:
        """Write a certificate of type ``optimum-in-parts``: a line with the claim, then a line a part.

        Raises
        ------
        CertificateError
            The name does not end in ``.jsonl``, or the file cannot be written.
        """
        shape = {name: value for name, value in self.instance.plain.items() if name != "weights"}
        listed = {"length": self.requests, "sha256": self._files.sha256}
        claim = {"instance": shape, "requests": listed, "upper": self.upper, "lower": self.lower}
        head = certificate("optimum-in-parts", claim, {}, provenance)
        write_in_lines(head, self._parts(watch), path)

    def _parts(self, watch: Watch) -> Iterator[dict[str, object]]:
        """Yield the evidence, a few parts ahead packed by other threads."""
        spans = list(self._files.spans)
        with ThreadPoolExecutor(ahead := os.cpu_count() or 1) as pool:
            coming = [pool.submit(self._part, *span) for span in spans[:ahead]]
            for place, (_, end) in enumerate(spans):
                yield coming.pop(0).result()
                if place + ahead < len(spans):
                    coming.append(pool.submit(self._part, *spans[place + ahead]))
                watch.look(Count(end, self.requests, "writing the certificate"))

    def _part(self, begin: int, end: int) -> dict[str, object]:
        first, last = np.searchsorted(self.dual.steps, (begin, end))
        return {
            "requests": packed(self._files.requests.part(begin, end), FAST),
            "schedule": packed(self._files.entries.part(begin, end), FAST),
            "steps": packed(self.dual.steps[first:last], FAST),
            "values": packed(self.dual.values[first:last], FAST),
        }


class _OnDisk:
    """An array in a file, of which parts are mapped into memory."""

    def __init__(self, path: Path, dtype: type[np.integer[Any]], length: int) -> None:
        self._path, self._dtype, self.length = path, np.dtype(dtype), length
        with path.open("wb") as file:
            # A mapped file that finds the disk full would kill the process.
            if length and sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, length * self._dtype.itemsize)
            else:
                file.truncate(length * self._dtype.itemsize)

    def part(self, begin: int, end: int, mode: Any = "r") -> NDArray[Any]:
        """Map a part."""
        offset = begin * self._dtype.itemsize
        return np.asarray(np.memmap(self._path, self._dtype, mode, offset, (end - begin,)))

    def fill(self, chunks: Iterable[NDArray[Any]], also: Callable[[NDArray[Any]], None]) -> None:
        """Write the array, chunk by chunk."""
        written = 0
        with self._path.open("r+b") as file:
            for chunk in chunks:
                also(chunk)
                file.write(chunk.astype(self._dtype, copy=False).data)
                written += len(chunk)
        if written != self.length:
            raise ModelError(f"{self.length:,} requests were announced, and {written:,} came")


class RequestsOnDisk:
    """Requests with their next uses in temporary files, and perhaps room for a schedule.

    Attributes
    ----------
    length : int
        How many requests there are.
    spans : list of (int, int)
        Beginnings and ends of the parts, of whole rounds.
    distinct_pages : int
    sha256 : str
        Of the requests as int32, little-endian.
    """

    def __init__(self, folder: Path, instance: LayeredInstance, length: int, schedule: bool) -> None:
        pages, times = widths(instance, length)
        self.length = length
        self.requests = _OnDisk(folder / "requests", pages, length)
        self.following = _OnDisk(folder / "following", times, length)
        self.entries = _OnDisk(folder / "entries", pages, length if schedule else 0)
        round_length = instance.round_length
        size = max(1, PART // round_length) * round_length
        self.spans = [(begin, min(begin + size, length)) for begin in range(0, length, size)]
        self._seen = np.full(instance.total_pages, length, dtype=np.int64)
        self._digest = hashlib.sha256()

    def fill(self, chunks: Iterable[PageArray], told: Callable[[int, str], None]) -> None:
        """Write the requests, then their next uses."""

        def read(chunk: NDArray[Any]) -> None:
            self._digest.update(chunk.astype("<i4", copy=False).data)
            told(len(chunk), "reading")

        self.requests.fill(chunks, read)
        for begin, end in reversed(self.spans):
            given = (begin, self._seen, self.following.part(begin, end, "r+"))
            next_use_to(self.requests.part(begin, end), *given)
            told(end - begin, "next uses")

    @property
    def distinct_pages(self) -> int:
        """How many pages are requested."""
        return int(np.count_nonzero(self._seen < self.length))

    @property
    def sha256(self) -> str:
        """Digest of the requests."""
        return self._digest.hexdigest()

    def parts(self) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
        """Yield the first time, the requests and the next uses of every part."""
        for begin, end in self.spans:
            yield begin, self.requests.part(begin, end), self.following.part(begin, end)


def widths(instance: LayeredInstance, length: int) -> tuple[type[np.integer[Any]], type[np.integer[Any]]]:
    """Return the smallest types of page ids and of times."""
    pages = np.int16 if instance.total_pages < 2**15 else np.int32
    return pages, np.int32 if length < 2**31 else np.int64


def disk_need(instance: LayeredInstance, length: int, schedule: bool = True) -> int:
    """Return the bytes of temporary files that :func:`streamed_optimum` takes, or less without a schedule.

    Examples
    --------
    >>> disk_need(LayeredInstance(layers=61, pages=256, cache=4000, per_visit=8), 10**9)
    8000000000
    """
    pages, times = widths(instance, length)
    return length * ((1 + schedule) * np.dtype(pages).itemsize + np.dtype(times).itemsize)


@contextmanager
def requests_on_disk(
    instance: LayeredInstance,
    chunks: Iterable[PageArray],
    requests: int,
    told: Callable[[int, str], None],
    *,
    schedule: bool = False,
) -> Iterator[RequestsOnDisk]:
    """Keep requests that come in chunks, and their next uses, in temporary files until the context ends.

    Raises
    ------
    LimitError
        The folder of temporary files (``TMPDIR``) has not enough room.
    """
    folder = tempfile.gettempdir()
    need, free = disk_need(instance, requests, schedule), shutil.disk_usage(folder).free
    if need > SHARE_OF_DISK * free:
        raise LimitError(
            f"{requests:,} requests take {gigabytes(need)} of temporary files, and {folder} has "
            f"{gigabytes(free)} free; TMPDIR names another folder"
        )
    # As a folder that a killed process leaves is gigabytes, the next one removes it.
    with unfinished(Path(folder, "paging-requests"), folder=True) as temporary:
        temporary.chmod(0o700)
        try:
            files = RequestsOnDisk(temporary, instance, requests, schedule)
        except OSError as error:
            raise LimitError(f"{folder}: {error.strerror}, {gigabytes(need)} are needed") from error
        files.fill(chunks, told)
        yield files


@contextmanager
def streamed_optimum(
    instance: LayeredInstance,
    chunks: Iterable[PageArray],
    requests: int,
    *,
    watch: Watch = UNWATCHED,
) -> Iterator[StreamedOptimum]:
    """Find the offline optimum of requests that come in chunks, at unit cost, with its proof.

    Parameters
    ----------
    instance : LayeredInstance
        Sequential visits, unit cost, one shared cache, with its size.
    chunks : iterable of ndarray of int
        Legal requests, in their order; gone through once.
    requests : int
        How many there are.
    watch : Watch
        Told how much is done, and asked to stop.

    Yields
    ------
    StreamedOptimum
        The bounds of :func:`lp.optimum`, equal. Its certificate can be written until the context ends, which
        removes the temporary files.

    Raises
    ------
    LimitError
        The folder of temporary files (``TMPDIR``) has not enough room.
    UnsupportedModelError
        Visits are atomic, or faults are weighted.
    StoppedError
        Whoever watches wants no more.

    Notes
    -----
    At most :func:`disk_need` bytes on disk, T/8 bytes and a part in memory; O(log₆₄ T) per request beside
    the search for cuts, which looks at few gaps (docs/offline-optimum.md).

    Examples
    --------
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2)
    >>> with streamed_optimum(instance, [np.array([0, 1, 2]), np.array([0, 1, 2])], 6) as found:
    ...     found.value, found.dual.steps.tolist()
    (4, [3])
    """
    instance.require("the optimum of a stream", visits="sequential", cost="unit")
    start, done = time.perf_counter(), 0

    def told(count: int, label: str) -> None:
        nonlocal done
        done += count
        watch.look(Count(done, PASSES * requests, label))

    with requests_on_disk(instance, chunks, requests, told, schedule=True) as files:
        facts = _solved(files, instance, told)
        yield StreamedOptimum(instance, *facts, seconds=time.perf_counter() - start, _files=files)


def gigabytes(count: int) -> str:
    """Return a number of bytes to be read."""
    return f"{count / 1e9:.1f} GB" if count >= 5e7 else f"{count / 1e6:.1f} MB"


def _solved(
    files: RequestsOnDisk, instance: LayeredInstance, told: Callable[[int, str], None]
) -> tuple[int, int, Dual]:
    length, pages, bypassing = files.length, instance.total_pages, instance.bypassing
    whole = files.requests.part(0, length)
    words, first = empty_tree(length)
    waiting, counters = np.empty(min(instance.cache, pages), dtype=np.int32), np.array([-1, 0, 0, 0])
    for begin, end in files.spans:
        following, entries = files.following.part(begin, end), files.entries.part(begin, end, "r+")
        given: Any = (following, instance.cache, entries, bypassing, words, first, waiting, counters)
        farthest_from(whole, begin, *given)
        told(end - begin, "schedule")
    hits = words[: first[1] if len(first) > 1 else 1]

    slots = instance.cache - (0 if bypassing else 1)
    last, state = np.full(pages, -1, dtype=np.int64), np.array([0, -1, -1, -1, 0, 0])
    found: list[NDArray[np.int64]] = []
    upper = 0
    for begin, end in files.spans:
        requests, following = files.requests.part(begin, end), files.following.part(begin, end)
        new = np.empty((4, end - begin), dtype=np.int64)
        if not cut_bounds_from(requests, begin, following, hits, slots, bypassing, last, state, new):
            raise InfeasibleScheduleError("more gaps are kept than there are slots")
        # Copies: what is not needed of a part shall be given back.
        found += [new[:2, : state[4]].copy(), new[2:, : state[5]].copy()]
        upper += int(np.count_nonzero(files.entries.part(begin, end) != HIT))
        told(end - begin, "dual")
    starts, ahead = np.concatenate(found[::2], axis=1)
    ends, behind = np.concatenate(found[1::2], axis=1)
    dual = dual_of_cuts(latest_cuts(starts, ahead, ends, behind, np.zeros(1, dtype=np.int64)))
    assert dual is not None, "farthest-in-future is optimal"

    since, sums = np.full(pages, -1, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for begin, end in files.spans:
        given = (dual.steps, dual.values, slots, bypassing, since, sums)
        unit_bound_from(files.requests.part(begin, end), begin, *given)
        told(end - begin, "bounds")
    return int(sums[2]), upper, dual
