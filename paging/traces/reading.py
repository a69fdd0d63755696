"""How a trace is to be read: what its file does not say, and which part of it counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Literal

import numpy as np

from paging.arguments import check_fields
from paging.errors import ModelError, TraceError
from paging.model import whole_number
from paging.traces.precisions import two_precisions
from paging.traces.trace import Pages, Trace

ALL = "all"
"""The column that means every number of a row."""

DENSE = "dense"
"""The layers that ask for one expert every time."""

FIELDS = ("token", "layer", "experts", "sequence", "decode", "weights")
"""What is known of a visit, by the names that ``fields`` gives other names for."""


@dataclass(frozen=True)
class TraceReading:
    """Options of :func:`~paging.read_trace`; on the command line each has the same name.

    Parameters
    ----------
    layers, pages, per_visit : optional
        Shape, where the file does not say it; where it does, both must agree. With ``pages`` the numbers of a
        list are page ids 0 … Σn − 1; without, they are names and are numbered in order of first appearance.
    format : str, optional
        Name of the format where the suffix does not tell it; see docs/traces.md.
    column : int, str or "all", optional
        Which column of a text table holds the page ids: a number from 1, a name of the header, or every one.
    delimiter : str, optional
        What separates the columns: one character, or ``tab``; when absent, a comma, semicolon or tab if the
        first row has one, otherwise white space.
    block_size : int, optional
        Bytes of a page: a row of a block trace asks for all pages that its address and size touch. When
        absent, a row is one request, named by its address.
    ignore_sizes : bool, default False
        Take objects of different sizes for pages of one size.
    unpack_limit : int, optional
        To how many MiB a packed file may unpack. When absent, to 4 MiB and 100 times its size.
    fields : mapping, optional
        What a table or JSON lines of visits call what we call token, layer, experts, sequence, decode
        and weights (of the gate).
    scores : bool, default False
        The array holds a router's scores (tokens, layers, experts), of which the ``per_visit`` largest count.
    layers_first : bool, default False
        The array's first axis is the layer, its second one the token.
    drop_layers : "dense" or tuple of int, optional
        Layers to leave out: those that ask for one expert every time, or these.
    decode_only : bool, default False
        Leave out the tokens that were read from a prompt.
    sequences : tuple of int, optional
        The sequences (``seq_id``) to keep.
    tokens : slice, optional
        The tokens to keep, counted from 0 in the file: ``slice(a, b)`` keeps a … b − 1.
    precisions : tuple of two Fraction, optional
        Ask for every expert in high or low precision, or skip it, by its gate weights: the limits of
        :func:`~paging.traces.two_precisions`.

    Raises
    ------
    TraceError
        An option is outside its range.
    """

    layers: int | None = None
    pages: Pages | None = None
    per_visit: int | None = None
    format: str | None = None
    column: int | str | None = None
    delimiter: str | None = None
    block_size: int | None = None
    ignore_sizes: bool = False
    unpack_limit: int | None = None
    fields: Mapping[str, str] | None = None
    scores: bool = False
    layers_first: bool = False
    drop_layers: Literal["dense"] | tuple[int, ...] | None = None
    decode_only: bool = False
    sequences: tuple[int, ...] | None = None
    tokens: slice | None = None
    precisions: tuple[Fraction, ...] | None = None

    def __post_init__(self) -> None:
        try:
            check_fields(self)
            if isinstance(self.column, int):
                whole_number(self.column, "column", 1)
            if self.block_size is not None:
                whole_number(self.block_size, "block_size (bytes)", 1, 1 << 40)
            if self.unpack_limit is not None:
                whole_number(self.unpack_limit, "unpack_limit (MiB)", 1, 1 << 30)
            for layer in self.drop_layers if isinstance(self.drop_layers, tuple) else ():
                whole_number(layer, "a layer to drop", 0)
            if self.tokens is not None:
                _check_slice(self.tokens)
            if self.precisions is not None and len(self.precisions) != 2:
                raise ModelError(f"precisions are two limits such as 0.6,0.9, got {len(self.precisions)}")
        except ModelError as problem:
            raise TraceError(str(problem)) from None
        if unknown := sorted(set(self.fields or ()) - set(FIELDS)):
            raise TraceError(f"fields name what is called {', '.join(FIELDS)}, got {unknown[0]!r}")
        if self.delimiter is not None and self.delimiter != "tab" and len(self.delimiter) != 1:
            raise TraceError(f"delimiter must be one character or 'tab', got {self.delimiter!r}")
        if self.delimiter is not None and self.delimiter in '#"\r\n':
            raise TraceError(f"delimiter {self.delimiter!r} begins a comment, a quotation or a line")

    @property
    def names_rounds(self) -> bool:
        """Whether the caller says that a row may hold several page ids: a round, or all of its numbers."""
        several = isinstance(self.pages, tuple) and len(self.pages) > 1
        return several or self.column == ALL or (self.layers or 1) * (self.per_visit or 1) > 1

    def given(self, *but: str) -> dict[str, object]:
        """Return the options that differ from their default, as plain values, to be told beside a result."""
        told = {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default and field.name not in but
        }
        if isinstance(told.get("tokens"), slice):
            start, stop = self.tokens.start, self.tokens.stop  # type: ignore[union-attr]
            told["tokens"] = f"{start or 0}:{'' if stop is None else stop}"
        if self.precisions is not None and "precisions" in told:
            told["precisions"] = tuple(map(str, self.precisions))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}

    def part_of(self, trace: Trace) -> Trace:
        """Return the tokens of a trace that count, in the precisions asked for."""
        part = self._tokens_of(trace)
        return part if self.precisions is None else two_precisions(part, *self.precisions)

    def _tokens_of(self, trace: Trace) -> Trace:
        if not self.decode_only and self.sequences is None and self.tokens is None:
            return trace
        kept = np.ones(trace.tokens, dtype=np.bool_)
        if self.tokens is not None:
            kept[:] = False
            kept[self.tokens] = True
        if self.decode_only:
            if trace.decode is None:
                raise TraceError("decode_only: the trace does not say which tokens were generated (decode)")
            kept &= trace.decode
        if self.sequences is not None:
            kept &= _of_sequences(trace, self.sequences)
        if not kept.any():
            raise TraceError(f"none of the {trace.tokens} tokens is left to serve")
        return trace.of_tokens(kept)


def _check_slice(tokens: slice) -> None:
    if tokens.step is not None:
        raise TraceError("tokens is a slice FROM:TO without a step")
    start = 0 if tokens.start is None else whole_number(tokens.start, "the first token", 0)
    if tokens.stop is not None:
        whole_number(tokens.stop, "the end of the tokens", start + 1)


def _of_sequences(trace: Trace, wanted: Collection[int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if trace.seq_id is None:
        raise TraceError("sequences: the trace does not say which sequence a token belongs to (seq_id)")
    known = set(np.unique(trace.seq_id).tolist())
    if missing := sorted(set(wanted) - known):
        raise TraceError(
            f"there is no sequence {missing[0]}; the {len(known)} sequences are numbered "
            f"{min(known)} … {max(known)}"
        )
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.isin(trace.seq_id, list(wanted))
    return found
