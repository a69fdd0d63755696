"""Traces in files: suffixes, gzip, writing without leaving halves behind, and errors that name the file."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import secrets
import shutil
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from paging.errors import TraceError
from paging.traces.draft import Draft
from paging.traces.formats import FOREIGN, FORMATS, Format, Writer
from paging.traces.trace import IllegalRequestError, Pages, Trace

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20

DAMAGE = (
    *(EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, SyntaxError),
    *(RuntimeError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tokenize.TokenError),
)
"""What gzip, zipfile and numpy raise when they are given a damaged file."""


def read_trace(
    path: str | os.PathLike[str],
    *,
    layers: int | None = None,
    pages: Pages | None = None,
    per_visit: int | None = None,
) -> Trace:
    """Read a trace from a file; the format is told by the suffix, gzip by ``.gz`` or by the first bytes.

    Parameters
    ----------
    path : path
        A ``.npz`` (with a ``.json`` of the same stem beside it, if there is one), ``.npy``, ``.jsonl``,
        ``.txt``, ``.csv`` or ``.oracleGeneral`` file, each also with ``.gz`` behind. See docs/traces.md for
        the formats. An ``.oracleGeneral`` file is classical (ℓ = 1) unless its shape is given.
    layers, pages, per_visit : optional
        What the file does not say: needed for page ids of several layers without a header, useful where
        the largest expert was never used. Where the file says it too, both must agree.

    Returns
    -------
    Trace
        Checked: every request is legal. Memory is a small multiple of 4 bytes a request in every format.

    Raises
    ------
    TraceError
        The file is missing, unreadable, damaged or not a legal trace. The message names the file and the
        line, or token, layer and slot.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "example.txt"
    >>> _ = path.write_text("0 3  1 3  # two tokens of two layers")
    >>> read_trace(path, layers=2, pages=3).experts.tolist()
    [[[0], [0]], [[1], [0]]]
    """
    path = Path(path)
    kind = _format_of(path)
    asked = {"layers": layers, "pages": pages, "per_visit": per_visit}
    with _naming(path):
        draft = _read_draft(path, kind)
        if kind.sidecar is not None:
            _read_sidecar(kind, path, draft)
        try:
            return draft.trace(asked, _stem(path))
        except IllegalRequestError as problem:
            raise TraceError(f"{_line_of(path, kind, problem)}{problem}") from None


def write_trace(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write a trace to a file in the format of its suffix, compressed if it ends in ``.gz``.

    A file of that name is replaced, and only once the new one is complete: on an error nothing changes. An
    ``.npz`` gets its ``.json`` beside it. ``.npz`` and ``.jsonl`` keep everything; ``.txt`` and ``.csv`` keep
    the requests and the shape; ``.npy`` keeps the expert indices only, ``.oracleGeneral`` the requests only.

    Raises
    ------
    TraceError
        The suffix is unknown, the file cannot be written, or the format holds whole rounds only and the
        trace's last round is incomplete (``.txt``, ``.csv`` and ``.oracleGeneral`` take it).

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "example.jsonl.gz"
    >>> trace = Trace.from_experts([[[0], [2]], [[1], [2]]])
    >>> write_trace(trace, path)
    >>> read_trace(path).digest == trace.digest
    True
    """
    path = Path(path)
    kind = _format_of(path)
    writers: dict[Path, tuple[Writer, bool]] = {path: (kind.write, kind.seeks)}
    if kind.sidecar is not None:
        writers[_beside(path, kind.sidecar.suffix)] = (kind.sidecar.write, False)
    staged = {target: target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp") for target in writers}
    with _naming(path):
        try:
            for target, (write, seeks) in writers.items():
                if target.is_dir():
                    raise IsADirectoryError(None, "is a directory", str(target))
                with _created(staged[target], target.suffix == ".gz", seeks) as stream:
                    write(trace, stream)
            for target, temporary in staged.items():
                temporary.replace(target)
        finally:
            for temporary in staged.values():
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)


def trace_suffixes() -> dict[str, str]:
    """Return the suffixes of formats that keep a trace's shape, with titles; ``.gz`` may stand behind."""
    return {suffix: kind.title for suffix, kind in FORMATS.items()}


def _format_of(path: Path) -> Format:
    suffix = _without_gz(path).suffix.lower()
    for ending, kind in FOREIGN.items():
        if _without_gz(path).name.lower().endswith(ending):
            return kind
    if suffix not in FORMATS:
        known = ", ".join([*FORMATS, ".oracleGeneral"])
        raise TraceError(f"{path}: unknown suffix {suffix!r}; known are {known}, each also with .gz behind")
    return FORMATS[suffix]


def _without_gz(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def _stem(path: Path) -> str:
    return _without_gz(path).stem


def _beside(path: Path, suffix: str) -> Path:
    return _without_gz(path).with_suffix(suffix)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in every TraceError, and make a TraceError of every OSError."""
    try:
        yield
    except TraceError as problem:
        raise TraceError(f"{path}: {problem}") from None
    except OSError as problem:
        other = f" ({problem.filename})" if problem.filename and str(problem.filename) != str(path) else ""
        raise TraceError(f"{path}: {problem.strerror or problem}{other}") from None


def _read_draft(path: Path, kind: Format) -> Draft:
    try:
        with _opened(path, kind) as stream:
            return kind.read(stream)
    except (TraceError, OSError):
        raise
    except DAMAGE as problem:
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise TraceError(f"damaged, or not a {_without_gz(path).suffix} file: {reason}") from None


@contextlib.contextmanager
def _opened(path: Path, kind: Format) -> Iterator[IO[bytes]]:
    """Open for reading, through gzip where the suffix or the first bytes say so."""
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        start = raw.peek(2)[:2]
        if not start:
            raise TraceError("the file is empty")
        if path.suffix.lower() != ".gz" and start != GZIP_MAGIC:
            yield raw
            return
        unpacked = stack.enter_context(io.BufferedReader(gzip.GzipFile(fileobj=raw), CHUNK))
        if not kind.seeks:
            yield unpacked
            return
        copy = stack.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(unpacked, copy, CHUNK)
        copy.seek(0)
        yield copy


@contextlib.contextmanager
def _created(path: Path, compressed: bool, seeks: bool) -> Iterator[IO[bytes]]:
    """Create a file for writing, through gzip (without name and time: equal traces give equal bytes)."""
    with contextlib.ExitStack() as stack:
        raw: IO[bytes] = stack.enter_context(path.open("xb"))
        if not compressed:
            yield raw
            return
        packed: Any = stack.enter_context(gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0))
        if not seeks:
            yield packed
            return
        copy = stack.enter_context(tempfile.TemporaryFile())
        yield copy
        copy.seek(0)
        shutil.copyfileobj(copy, packed, CHUNK)


def _read_sidecar(kind: Format, path: Path, draft: Draft) -> None:
    assert kind.sidecar is not None
    beside = _beside(path, kind.sidecar.suffix)
    try:
        stream = beside.open("rb")
    except FileNotFoundError:
        return
    with stream:
        try:
            kind.sidecar.read(stream, draft)
            draft.stated_in = f"sidecar {beside.name}"
        except TraceError as problem:
            raise TraceError(f"sidecar {beside.name}: {problem}") from None


def _line_of(path: Path, kind: Format, problem: IllegalRequestError) -> str:
    """Say on which line a request stands, for formats that have lines."""
    if kind.line_of is None:
        return ""
    with _opened(path, kind) as stream:
        return f"line {kind.line_of(stream, problem)}: "
