"""The table of trace formats: adding one means writing a reader and a writer, and one line here.

A reader takes an open binary stream and returns a `Draft`; a writer takes a trace and an open binary
stream. Neither knows of gzip, of file names or of what makes a trace legal: `paging.traces.files` and
`paging.traces.trace` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from paging.traces.arrays import read_npy, read_npz, read_sidecar, write_npy, write_npz, write_sidecar
from paging.traces.draft import Draft
from paging.traces.oracle import SUFFIXES as ORACLE_SUFFIXES
from paging.traces.oracle import read_oracle, write_oracle
from paging.traces.records import line_of_jsonl, read_jsonl, write_jsonl
from paging.traces.text import line_of_text, read_text, write_csv, write_txt
from paging.traces.trace import IllegalRequestError, Trace

Reader = Callable[[IO[bytes]], Draft]
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
        Reader and writer.
    line_of : callable, optional
        Finds the line an illegal request stands on; None where the format has no lines.
    sidecar : Sidecar, optional
        The file beside it.
    seeks : bool
        Whether reader and writer move about in the stream, which a compressed one does not allow.
    """

    title: str
    read: Reader
    write: Writer
    line_of: Callable[[IO[bytes], IllegalRequestError], int] | None = None
    sidecar: Sidecar | None = None
    seeks: bool = False


FORMATS = {
    ".npz": Format(
        "numpy archive with experts (tokens, layers, top_k), seq_id and decode; a .json beside it",
        read_npz,
        write_npz,
        sidecar=Sidecar(".json", read_sidecar, write_sidecar),
        seeks=True,
    ),
    ".npy": Format("bare numpy array (tokens, layers, top_k)", read_npy, write_npy),
    ".jsonl": Format("one JSON record per token", read_jsonl, write_jsonl, line_of_jsonl),
    ".txt": Format("page ids separated by spaces, one round per line", read_text, write_txt, line_of_text),
    ".csv": Format("page ids separated by commas, one round per line", read_text, write_csv, line_of_text),
}

FOREIGN = {
    suffix: Format("libCacheSim's binary records: requests only, no shape", read_oracle, write_oracle)
    for suffix in ORACLE_SUFFIXES
}
"""Layouts of other programs, which do not say what shape the requests have."""
