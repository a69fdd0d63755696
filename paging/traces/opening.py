"""Opening what a trace comes from: a file, standard input or a pipe, through gzip or zstandard."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import select
import shutil
import stat
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from paging.errors import TraceError

STANDARD_INPUT = "-"
STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Beginnings of names that stand for something already open; process substitution gives one of them."""

GZIP_MAGIC, ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED = (".gz", ".zst")

CHUNK = 1 << 20
ZSTD_CHUNK = 1 << 10
"""Bytes of zstandard unpacked in one go: at most 32 MiB come out."""

PATIENCE = 5.0
"""Seconds that a named pipe may be without anyone who writes to it."""

FREELY, FACTOR = 1 << 22, 100
"""A packed file may unpack to 4 MiB, and beyond to 100 times its size, unless the caller says more."""


def is_stream(name: str) -> bool:
    """Whether a name stands for something already open, which has no suffix and can be read only once."""
    return name == STANDARD_INPUT or name.startswith(STREAMS)


@contextlib.contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Open a file for reading; standard input, pipes and process substitutions are copied to one first.

    Raises
    ------
    TraceError
        It is a device, or a named pipe that nobody writes to.
    OSError
        It cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        kind = stat.S_IFIFO if name == STANDARD_INPUT else stat.S_IFMT(Path(name).stat().st_mode)
        if kind == stat.S_IFREG:
            yield stack.enter_context(Path(name).open("rb"))
            return
        copy = stack.enter_context(tempfile.TemporaryFile())
        if name == STANDARD_INPUT:
            shutil.copyfileobj(sys.stdin.buffer, copy, CHUNK)
        elif kind == stat.S_IFIFO:
            _copy_pipe(name, copy)
        else:
            raw = stack.enter_context(Path(name).open("rb"))
            if kind == stat.S_IFCHR and not raw.isatty() and name != os.devnull:
                raise TraceError("is a device, which may never end")
            shutil.copyfileobj(raw, copy, CHUNK)
        copy.seek(0)
        yield copy


def _copy_pipe(name: str, copy: IO[bytes]) -> None:
    """Copy what comes through a pipe, but do not wait for ever for somebody to open it for writing."""
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        ended = select.poll()
        ended.register(pipe, select.POLLHUP)
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(BlockingIOError):  # somebody writes, but has not written yet
            while not (begun := os.read(pipe.fileno(), CHUNK)) and not ended.poll(50):
                if time.monotonic() > deadline:
                    raise TraceError(
                        f"is a pipe that nobody has opened for writing in {PATIENCE:.0f} seconds"
                    )
            copy.write(begun)
        os.set_blocking(pipe.fileno(), True)
        shutil.copyfileobj(pipe, copy, CHUNK)


@contextlib.contextmanager
def unpacked(raw: IO[bytes], name: str, seeks: bool, mebibytes: int | None = None) -> Iterator[IO[bytes]]:
    """Yield the contents from the beginning, through gzip or zstandard where suffix or first bytes say so.

    Parameters
    ----------
    raw : binary stream
        Can be moved about in.
    name : str
        Of the file, for its suffix.
    seeks : bool
        Whether the contents must be a stream that can be moved about in.
    mebibytes : int, optional
        To how much it may unpack.
    """
    raw.seek(0, os.SEEK_END)
    size = raw.tell()
    raw.seek(0)
    start = raw.read(4)
    raw.seek(0)
    if not start:
        raise TraceError("the file is empty")
    suffix = Path(name).suffix.lower()
    if suffix == ".zst" or start == ZSTD_MAGIC:
        stream: io.RawIOBase = _Zstandard(raw)
    elif suffix == ".gz" or start.startswith(GZIP_MAGIC):
        stream = gzip.GzipFile(fileobj=raw)  # type: ignore[assignment]
    else:
        yield raw
        return
    with contextlib.ExitStack() as stack:
        bounded = _Bounded(stream, _most(size, mebibytes))
        contents: Any = stack.enter_context(io.BufferedReader(bounded, CHUNK))
        if seeks:
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(contents, copy, CHUNK)
            copy.seek(0)
            contents = copy
        yield contents


def archive_of(stream: IO[bytes], mebibytes: int | None = None) -> zipfile.ZipFile:
    """Open an archive, unless its members would unpack to too much.

    Parameters
    ----------
    stream : binary stream
        Can be moved about in.
    mebibytes : int, optional
        To how much it may unpack.
    """
    limit = _most(stream.seek(0, os.SEEK_END), mebibytes)
    archive = zipfile.ZipFile(stream)
    # No member gives more than its entry says: zipfile reads no further.
    if sum(member.file_size for member in archive.infolist()) > limit:
        raise _too_much(limit)
    return archive


def _most(size: int, mebibytes: int | None) -> int:
    return FREELY + FACTOR * size if mebibytes is None else mebibytes << 20


def _too_much(limit: int) -> TraceError:
    return TraceError(
        f"unpacks to more than {limit:,} bytes, the limit for a packed file of this size; "
        "if that is right, --unpack-limit MIB (unpack_limit) raises it"
    )


class _Bounded(io.RawIOBase):
    """A stream of which only so many bytes are read."""

    def __init__(self, stream: io.RawIOBase, limit: int) -> None:
        self._stream, self._left, self._limit = stream, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        if data is None:
            return 0
        self._left -= len(data)
        if self._left < 0:
            raise _too_much(self._limit)
        buffer[: len(data)] = data
        return len(data)


class _Zstandard(io.RawIOBase):
    """The contents of zstandard frames, with an error where the last one is cut off."""

    def __init__(self, raw: IO[bytes]) -> None:
        import zstandard

        self._raw = raw
        self._new = zstandard.ZstdDecompressor().decompressobj
        self._errors = zstandard.ZstdError
        self._frame = self._new()
        self._begun = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._raw.read(ZSTD_CHUNK)
            if not packed:
                if self._begun:
                    raise EOFError("the zstandard stream ends in the middle of a frame (truncated?)")
                return 0
            self._ready = memoryview(self._unpack(packed))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _unpack(self, packed: bytes) -> bytes:
        found = b""
        while packed:
            try:
                found += self._frame.decompress(packed)
            except self._errors as problem:
                raise ValueError(str(problem)) from None
            self._begun = not self._frame.eof
            if self._begun:
                break
            packed = self._frame.unused_data
            self._frame = self._new()
        return found


@contextlib.contextmanager
def packing(stream: IO[bytes], suffix: str, seeks: bool) -> Iterator[IO[bytes]]:
    """Yield what to write to: the stream, or a packer in front of it, without name and time of the file."""
    with contextlib.ExitStack() as stack:
        if suffix == ".gz":
            target: Any = gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0)
        elif suffix == ".zst":
            import zstandard

            target = zstandard.ZstdCompressor(level=6, write_checksum=True).stream_writer(
                stream, closefd=False
            )
        else:
            yield stream
            return
        packed = stack.enter_context(target)
        if not seeks:
            yield packed
            return
        copy = stack.enter_context(tempfile.TemporaryFile())
        yield copy
        copy.seek(0)
        shutil.copyfileobj(copy, packed, CHUNK)
