"""Traces in files: formats by suffix or name, writing without leaving halves, errors that name the file."""

from __future__ import annotations

import contextlib
import lzma
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from paging.arguments import checked
from paging.errors import TraceError, UnknownNameError
from paging.files import atomic_write
from paging.traces.draft import Draft
from paging.traces.formats import FOREIGN, FORMATS, NAMED, SPECIAL, Format
from paging.traces.opening import PACKED, STANDARD_INPUT, is_stream, opened, packing, unpacked
from paging.traces.reading import ALL, TraceReading
from paging.traces.samples import located
from paging.traces.text import read_typed
from paging.traces.trace import IllegalRequestError, Trace

DAMAGE = (
    *(EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, SyntaxError),
    *(RuntimeError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tokenize.TokenError),
)
"""What gzip, zipfile and numpy raise when they are given a damaged file."""


@checked
def read_trace(path: str | os.PathLike[str], reading: TraceReading | None = None, **options: Any) -> Trace:
    """Read a trace from a file, from standard input or from a pipe.

    Parameters
    ----------
    path : path
        A ``.npz`` (with a ``.json`` of the same stem beside it, if there is one), ``.npy``, ``.jsonl``,
        ``.txt``, ``.csv``, ``.tsv``, ``.oracleGeneral`` or ``.vscsi`` file, each also with ``.gz`` or
        ``.zst`` behind; with ``format`` a file of any name. ``sample:NAME`` is one of the package's
        (:func:`~paging.traces.sample_names`). ``-`` is standard input, which like ``/dev/stdin`` and
        process substitutions holds text unless ``format`` says otherwise. See docs/traces.md for the
        formats.
    reading : TraceReading, optional
        How to read it, as one object.
    **options
        The same one by one: the fields of :class:`~paging.TraceReading`, such as ``layers``,
        ``pages``, ``column``, ``tokens``.

    Returns
    -------
    Trace
        Checked: every request is legal. Memory is a small multiple of 4 bytes a request in every format.

    Raises
    ------
    TraceError
        The file is missing, unreadable, damaged or not a legal trace, or an option says nothing about its
        format. The message names the file and the line, or token, layer and slot.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "example.txt"
    >>> _ = path.write_text("0 3  1 3  # two tokens of two layers")
    >>> read_trace(path, layers=2, pages=3).experts.tolist()
    [[[0], [0]], [[1], [0]]]
    >>> _ = path.with_suffix(".csv").write_text("50,/a,512\\n51,/b,512\\n52,/a,512\\n")
    >>> trace = read_trace(path.with_suffix(".csv"), column=2)
    >>> trace.page_ids.tolist(), trace.ids
    ([0, 1, 0], ('/a', '/b'))
    """
    wanted = TraceReading(**options) if reading is None else reading
    given = os.fspath(path)
    with naming(given):
        name = located(given)
        kind = format_of(name, wanted.format)
        _refuse_options(kind, wanted)
        with opened(name) as raw:
            draft = _read_draft(name, kind, raw, wanted)
            if kind.sidecar is not None and not is_stream(name):
                _read_sidecar(kind, Path(name), draft)
            try:
                return draft.trace(wanted, _stem(name))
            except IllegalRequestError as problem:
                hints = "".join(f"; {hint}" for hint in draft.turned(wanted))
                raise TraceError(f"{_line_of(name, kind, raw, wanted, problem)}{problem}{hints}") from None


@checked
def requests_trace(text: str, reading: TraceReading | None = None, **options: Any) -> Trace:
    """Return the trace of a reference string such as ``7 0 1 2 0 3``.

    Parameters
    ----------
    text : str
        Page ids separated by spaces or commas: whole numbers, or names that all begin with a letter.
    reading, options
        As for `read_trace`.

    Raises
    ------
    TraceError
        It is not a legal trace.

    Examples
    --------
    >>> requests_trace("A B A C").page_ids.tolist()
    [0, 1, 0, 2]
    """
    wanted = TraceReading(**options) if reading is None else reading
    with naming("--requests"):
        _refuse_options(FORMATS[".txt"], wanted)
        if wanted.format not in (None, "words") or wanted.column not in (None, ALL):
            raise TraceError("typed requests have neither columns nor a format other than words")
        return read_typed(text, wanted).trace(wanted, "requests")


@checked
def write_trace(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write a trace to a file in the format of its suffix, compressed if it ends in ``.gz`` or ``.zst``.

    A file of that name is replaced, and only once the new one is complete: on an error nothing changes. An
    ``.npz`` gets its ``.json`` beside it. ``.npz`` and ``.jsonl`` keep everything; ``.txt`` and ``.csv`` keep
    the requests, the shape and the page ids of the source; ``.npy`` keeps the expert indices only,
    ``.oracleGeneral`` the requests only.

    Parameters
    ----------
    trace : Trace
    path : path

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
    with naming(str(path)):
        kind = format_of(str(path), None)
        if kind.write is None:
            raise TraceError("this format can be read, but not written")
        if trace.predicted is not None and not kind.predictions:
            raise TraceError(
                f"this format keeps no predictions, and the trace has {trace.predicted} predictions: "
                "write .npz or .jsonl"
            )
        writers = {path: (kind.write, kind.seeks)}
        if kind.sidecar is not None:
            writers[_beside(path, kind.sidecar.suffix)] = (kind.sidecar.write, False)
        for target in writers:
            if target.is_dir():
                raise IsADirectoryError(None, "is a directory", str(target))
        with contextlib.ExitStack() as stack:
            for target, (write, seeks) in writers.items():
                stream = stack.enter_context(atomic_write(target, "wb"))
                with packing(stream, target.suffix.lower(), seeks) as packed:
                    write(trace, packed)


def trace_suffixes() -> dict[str, str]:
    """Return the suffixes of formats that keep a trace's shape, with titles; ``.gz`` may stand behind."""
    return {suffix: kind.title for suffix, kind in FORMATS.items()}


def trace_formats() -> dict[str, str]:
    """Return the formats by the name that ``format`` takes, with titles."""
    return {name: kind.title for name, kind in NAMED.items()}


def format_of(name: str, asked: str | None) -> Format:
    if asked is not None:
        by_name = {key.lower(): kind for key, kind in NAMED.items()}
        if asked.lower() not in by_name:
            raise TraceError(str(UnknownNameError("format", asked, NAMED)))
        return by_name[asked.lower()]
    if is_stream(name):
        return FORMATS[".txt"]
    bare = _unpacked_name(name)
    for ending, kind in FOREIGN.items():
        if bare.lower().endswith(ending):
            return kind
    suffix = Path(bare).suffix.lower()
    if suffix not in FORMATS:
        Path(name).stat()  # a file that is not there has no format
        known = ", ".join([*FORMATS, ".tsv", ".oracleGeneral", ".vscsi", ".json"])
        raise TraceError(
            f"unknown suffix {suffix!r}; known are {known}, each also with .gz or .zst behind; otherwise "
            f"--format says what it holds: {', '.join(NAMED)}"
        )
    return FORMATS[suffix]


def _refuse_options(kind: Format, reading: TraceReading) -> None:
    for option in reading.given():
        if option in SPECIAL and option not in kind.takes:
            known = [name for name, other in NAMED.items() if option in other.takes]
            raise TraceError(
                f"--{option.replace('_', '-')} says nothing about this format ({kind.title}); it is for "
                f"{', '.join(known)}"
            )


def _unpacked_name(name: str) -> str:
    path = Path(name)
    return str(path.with_suffix("")) if path.suffix.lower() in PACKED and path.stem else name


def _stem(name: str) -> str:
    return "standard input" if is_stream(name) else Path(_unpacked_name(name)).stem


def _beside(path: Path, suffix: str) -> Path:
    return Path(_unpacked_name(str(path))).with_suffix(suffix)


@contextlib.contextmanager
def naming(name: str) -> Iterator[None]:
    """Name the file in every TraceError, and make a TraceError of every OSError."""
    shown = "standard input" if name == STANDARD_INPUT else name
    try:
        yield
    except TraceError as problem:
        raise TraceError(f"{shown}: {problem}") from None
    except OSError as problem:
        other = f" ({problem.filename})" if problem.filename and str(problem.filename) != name else ""
        raise TraceError(f"{shown}: {problem.strerror or problem}{other}") from None


def _read_draft(name: str, kind: Format, raw: IO[bytes], reading: TraceReading) -> Draft:
    try:
        with unpacked(raw, name, kind.seeks, reading.unpack_limit) as stream:
            return kind.read(stream, reading)
    except (TraceError, OSError):
        raise
    except DAMAGE as problem:
        raise damaged(kind, problem) from None


def damaged(kind: Format, problem: BaseException) -> TraceError:
    """Return what to say of a file that cannot be read to its end."""
    reason = " ".join(str(problem).split()) or type(problem).__name__
    what = next(key for key, other in NAMED.items() if other is kind)
    return TraceError(f"damaged, or not a .{what} file: {reason}")


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


def _line_of(
    name: str, kind: Format, raw: IO[bytes], reading: TraceReading, problem: IllegalRequestError
) -> str:
    """Say on which line a request stands, for formats that have lines."""
    if kind.line_of is None:
        return ""
    with unpacked(raw, name, kind.seeks, reading.unpack_limit) as stream:
        return f"line {kind.line_of(stream, problem)}: "
