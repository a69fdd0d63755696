"""What commands that read a trace in chunks share: what they refuse, the instance, the digest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from paging.cli.options import SHAPE, Source
from paging.cli.terminal import remark
from paging.errors import ModelError

if TYPE_CHECKING:
    from paging.model import PageArray
    from paging.traces.streaming import TraceStream


def streams(source: Source, asked: bool, *, proved: bool = False) -> bool:
    """Whether a trace is to be read in chunks: it was asked for, or it is too large; then it is said."""
    if asked:
        return True
    from paging.traces.streaming import READING, SOLVING, too_large

    needed = SOLVING if proved else READING
    why = None if source.trace is None else too_large(source.trace, source.reading, needed)
    if why is not None:
        remark(f"{why}: it is read in chunks, as with --stream")
    return why is not None


class SourceInChunks:
    """A trace that is read in chunks, in the variant of the model asked for."""

    def __init__(self, source: Source, cache: int, trace: TraceStream) -> None:
        from paging.traces.trace import new_digest

        shape = trace.instance
        self.trace, self._source = trace, source
        self.instance = replace(shape, cache=cache, visits=source.visits, bypassing=source.bypassing)
        self._digest = new_digest(shape.layers, shape.per_visit)
        self._base = np.repeat(shape.first_page[:-1].astype(np.int32), shape.per_visit)
        self._layered = shape.layers > 1

    def add_to_digest(self, pages: PageArray) -> None:
        """Go on with the digest of the trace."""
        experts = pages - np.resize(self._base, len(pages)) if self._layered else pages
        self._digest.update(experts.data)

    def digested(self) -> Iterator[PageArray]:
        """Begin a pass that goes on with the digest by the way."""
        for pages in self.trace.chunks():
            self.add_to_digest(pages)
            yield pages

    @property
    def origin(self) -> dict[str, object]:
        """Where the requests come from; after a pass with the digest."""
        reading = self._source.reading
        told = {} if reading is None else reading.given(*SHAPE)
        return {"trace": self._source.trace, "digest": self._digest.hexdigest(), **told}


@contextmanager
def source_in_chunks(source: Source, cache: int | None) -> Iterator[SourceInChunks]:
    """Open the trace of a command.

    Raises
    ------
    ModelError
        The requests come from elsewhere, a part of them is to be left out, or the cache size is missing.
    TraceError
        As for :func:`~paging.traces.streaming.stream_trace`.
    """
    from paging.traces.streaming import stream_trace

    source.check()
    if source.trace is None or source.warm_up:
        raise ModelError("--stream reads a --trace, all of it: without --warm-up, and no other source")
    if cache is None:
        raise ModelError("the cache size is missing: --cache (-k)")
    with stream_trace(source.trace, source.reading) as trace:
        yield SourceInChunks(source, cache, trace)
