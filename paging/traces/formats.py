"""The table of trace formats: adding one means writing a reader and a writer, and one line here.

A reader takes an open binary stream and how the trace is to be read, and returns a `Draft`; a writer takes a
trace and an open binary stream. Neither knows of packing, of file names or of what makes a trace legal:
`paging.traces.opening`, `paging.traces.files` and `paging.traces.trace` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO

from paging.errors import TraceError
from paging.traces.answers import read_answer
from paging.traces.arrays import read_npy, read_npz, read_sidecar, write_npy, write_npz, write_sidecar
from paging.traces.draft import Draft
from paging.traces.oracle import read_oracle, read_vscsi, write_oracle
from paging.traces.parquet import read_parquet
from paging.traces.reading import ALL, TraceReading
from paging.traces.records import line_of_jsonl, read_jsonl, write_jsonl
from paging.traces.tables import (
    ARC,
    CLOUDPHYSICS,
    MSR,
    SPC,
    TWITTER,
    read_column,
    read_layout,
)
from paging.traces.text import line_of_text, read_text, read_words, write_csv, write_txt
from paging.traces.trace import IllegalRequestError, Trace
from paging.traces.visits import read_layer_expert, read_llama_cpp, read_route_trace, read_visits

Reader = Callable[[IO[bytes], TraceReading], Draft]
Writer = Callable[[Trace, IO[bytes]], None]


@dataclass(frozen=True)
class Sidecar:
    """A second file beside the first, of the same stem."""

    suffix: str
    read: Callable[[IO[bytes], Draft], None]
    write: Writer


@dataclass(frozen=True)
class Format:
    """A file format.

    Parameters
    ----------
    title : str
        What the format is, for help texts.
    read, write : callable
        Reader and writer; None where we do not write it.
    line_of : callable, optional
        Finds the line an illegal request stands on; None where the format has no lines.
    sidecar : Sidecar, optional
        The file beside it.
    seeks : bool
        Whether reader and writer move about in the stream, which a compressed one does not allow.
    predictions : bool
        Whether it keeps predictions.
    takes : tuple of str
        Options of `TraceReading` that only some formats know what to do with, and this one does.
    """

    title: str
    read: Reader
    write: Writer | None = None
    line_of: Callable[[IO[bytes], IllegalRequestError], int] | None = None
    sidecar: Sidecar | None = None
    seeks: bool = False
    predictions: bool = False
    takes: tuple[str, ...] = ()


TABLE = ("column", "delimiter")
ARRAY = ("scores", "layers_first")
SPECIAL = (*TABLE, *ARRAY, "fields", "block_size", "ignore_sizes")
"""Options that say something of some formats only."""


def _read_list_or_column(stream: IO[bytes], reading: TraceReading) -> Draft:
    if reading.column is None or reading.column == ALL:
        if reading.delimiter is not None:
            raise TraceError(
                "delimiter says what separates columns: --column N or NAME says which one to take"
            )
        return read_text(stream, reading)
    return read_column(stream, reading)


def _read_records(stream: IO[bytes], reading: TraceReading) -> Draft:
    return (read_visits if reading.fields else read_jsonl)(stream, reading)


FORMATS = {
    ".npz": Format(
        "numpy archive with experts (tokens, layers, top_k), seq_id, decode, weights; a .json beside it",
        read_npz,
        write_npz,
        sidecar=Sidecar(".json", read_sidecar, write_sidecar),
        seeks=True,
        predictions=True,
        takes=ARRAY,
    ),
    ".npy": Format("bare numpy array (tokens, layers, top_k)", read_npy, write_npy, takes=ARRAY),
    ".jsonl": Format(
        "one JSON record per token, or with fields one per token and layer",
        _read_records,
        write_jsonl,
        line_of_jsonl,
        predictions=True,
        takes=("fields",),
    ),
    ".txt": Format(
        "page ids separated by spaces, one round per line",
        _read_list_or_column,
        write_txt,
        line_of_text,
        seeks=True,
        takes=TABLE,
    ),
    ".csv": Format(
        "page ids separated by commas, one round per line",
        _read_list_or_column,
        write_csv,
        line_of_text,
        seeks=True,
        takes=TABLE,
    ),
}
"""What keeps a trace's shape, by suffix."""

PARQUET = Format(
    "Parquet table with a column experts of lists, or with ids in a --column",
    read_parquet,
    seeks=True,
    takes=("column",),
)
ORACLE = Format("libCacheSim's binary records", read_oracle, write_oracle, takes=("ignore_sizes",))
BLOCKS = ("block_size", "ignore_sizes")


def _read_cloudphysics(stream: IO[bytes], reading: TraceReading) -> Draft:
    binary = b"\0" in stream.read(8)
    stream.seek(0)
    return read_vscsi(stream, reading) if binary else read_layout(CLOUDPHYSICS, stream, reading)


ANSWER = Format("routed experts in a server's saved JSON answer", read_answer, takes=("layers_first",))

LAYOUTS = {
    "words": Format("page ids that are words", read_words, line_of=line_of_text),
    "arc": Format("rows of first block, number of blocks, and two more columns", partial(read_layout, ARC)),
    "spc": Format(
        "rows of unit, address in blocks of 512 bytes, size, operation, time",
        partial(read_layout, SPC),
        takes=BLOCKS,
    ),
    "msr": Format(
        "rows of time, host, disk, operation, offset, size, response time",
        partial(read_layout, MSR),
        takes=BLOCKS,
    ),
    "twitter": Format(
        "rows of time, key, sizes of key and value, client, operation, ttl",
        partial(read_layout, TWITTER),
        takes=("ignore_sizes",),
    ),
    "cloudphysics": Format(
        "rows of version, time, operation, size, block, or the same as binary records (vscsi)",
        _read_cloudphysics,
        seeks=True,
        takes=BLOCKS,
    ),
    "lirs": Format("one block number a line, and lines of '*'", read_text, line_of=line_of_text),
    "layer-expert": Format(
        "rows of layer and expert, of one token after the other or with a column of tokens",
        read_layer_expert,
        seeks=True,
        takes=("fields",),
    ),
    "llama.cpp": Format(
        "rows of layer and expert in the order of llama.cpp: single-token decoding",
        read_llama_cpp,
        seeks=True,
    ),
    "route_trace": Format("route_trace v1: comments and a table of experts", read_route_trace),
    "visits": Format("one JSON record per token and layer", read_visits, takes=("fields",)),
    "answer": ANSWER,
}
"""Layouts of other programs, by name."""

FOREIGN = {
    ".tsv": Format(
        "page ids separated by tabs", _read_list_or_column, line_of=line_of_text, seeks=True, takes=TABLE
    ),
    ".oraclegeneral": ORACLE,
    ".oraclegeneral.bin": ORACLE,
    ".vscsi": LAYOUTS["cloudphysics"],
    ".json": ANSWER,
    ".parquet": PARQUET,
}
"""Suffixes of other programs' files, in small letters."""

NAMED = (
    {suffix[1:]: kind for suffix, kind in FORMATS.items()}
    | {"oracleGeneral": ORACLE, "parquet": PARQUET}
    | LAYOUTS
)
"""Every format by the name that ``format`` takes."""
