"""Recordings of one visit, or one expert of it, a row: tables and JSON lines of other programs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from reprlib import repr as shorten
from typing import IO, Any

import numpy as np

from paging.errors import TraceError
from paging.traces.draft import Draft
from paging.traces.numbering import Numbering
from paging.traces.reading import TraceReading
from paging.traces.records import json_records
from paging.traces.tables import TextTable, delimiter_of, few, is_number, whole

LARGEST = 1 << 20
"""Numbers of layers and experts that are believed."""

MOST = 1 << 31

ALIASES = {
    "token": ("token", "token_idx", "token_index"),
    "layer": ("layer", "layer_idx", "layer_id", "layer_index"),
    "experts": (
        *("experts", "expert", "expert_ids", "expert_id", "expert_idx", "selected_experts", "selected_ids"),
        *("topk_experts", "topk_ids", "topk_idx"),
    ),
    "sequence": ("sequence", "seq_id", "sequence_id"),
    "decode": ("decode", "is_decode"),
    "weights": (
        *("weights", "weight", "gate_weights", "gate_weight", "expert_weights", "expert_weight"),
        *("topk_weights", "topk_weight", "routing_weights", "router_weights"),
    ),
}
"""What is known of a visit, and what it is called where the caller does not say (``fields``)."""

DECODE = {
    **dict.fromkeys((True, 1, "1", "true", "True", "decode"), True),
    **dict.fromkeys((False, 0, "0", "false", "False", "prefill", "prompt"), False),
}


class Visits:
    """Visits as they are read: by token and layer, tokens in the order in which they first appear.

    Parameters
    ----------
    per_visit : int, optional
        Most experts of a visit; the shape has so many slots, and at least as many as the longest visit.
    """

    def __init__(self, per_visit: int | None = None) -> None:
        self._per_visit = per_visit
        self._rounds: dict[object, dict[int, list[int]]] = {}
        self._weights: dict[tuple[object, int], list[float]] = {}
        self._sequences = Numbering()
        self._of_token: dict[object, tuple[int | None, bool | None]] = {}

    def __len__(self) -> int:
        return len(self._rounds)

    def add(
        self,
        token: object,
        layer: int,
        expert: int,
        sequence: object = None,
        decode: bool | None = None,
        weight: float | None = None,
    ) -> None:
        """Take one request over.

        Raises
        ------
        TraceError
            A number is too large to be believed, the expert is already in this visit or the visit is full,
            or the token was said to be of another sequence or phase.
        """
        if max(layer, expert) > LARGEST:
            raise TraceError(f"layer {layer}, expert {expert}: numbers up to {LARGEST} are believed")
        visit = self._rounds.setdefault(token, {}).setdefault(layer, [])
        if expert in visit:
            raise TraceError(
                f"expert {expert} comes twice in one visit of layer {layer}: only rows that say their token, "
                "or those of one token at a time (decoding), can be told apart"
            )
        if self._per_visit is not None and len(visit) == self._per_visit:
            raise TraceError(
                f"more than {self._per_visit} experts in one visit of layer {layer}: several tokens at a "
                "time (a prompt) cannot be told apart"
            )
        visit.append(expert)
        if weight is not None:
            self._weights.setdefault((token, layer), []).append(weight)
        said = (None if sequence is None else self._number(sequence), decode)
        if self._of_token.setdefault(token, said) != said:
            raise TraceError(f"token {token} is of two sequences or phases")

    def _number(self, sequence: object) -> int:
        return sequence if type(sequence) is int and abs(sequence) < 2**63 else self._sequences[sequence]

    def draft(self, stated: Mapping[str, Any] | None = None, **more: Any) -> Draft:
        """Return everything read."""
        if not self._rounds:
            raise TraceError("there is no request in it")
        rounds = self._rounds.values()
        layers = sorted(set().union(*rounds))
        group = max(max(map(len, visits.values())) for visits in rounds)
        group = max(group, self._per_visit or 1)
        place = {layer: number for number, layer in enumerate(layers)}
        if len(rounds) * len(layers) * group > MOST:
            raise TraceError(f"{len(rounds)} tokens of {len(layers)} layers × {group} are too many")
        experts = np.full((len(rounds), len(layers), group), -1, dtype=np.int32)
        weights = np.zeros(experts.shape, dtype=np.float32) if self._weights else None
        for number, (token, visits) in enumerate(self._rounds.items()):
            for layer, visit in visits.items():
                experts[number, place[layer], : len(visit)] = visit
                if weights is not None:
                    weights[number, place[layer], : len(visit)] = self._weights[token, layer]
        remarks = []
        if layers != list(range(len(layers))):
            remarks.append(
                f"layers {layers[0]} … {layers[-1]} of the file, {len(layers)} in all, are numbered from 0"
            )
        gaps = int(np.count_nonzero((experts < 0).all(axis=2)))
        if gaps:
            remarks.append(
                f"in {gaps:,} places a token leaves out a layer (a file cut in the middle of a token?)"
            )
        columns = self._columns() | {"gate_weights": weights}
        return Draft(experts, stated or {}, **columns, remarks=tuple(remarks), **more)

    def _columns(self) -> dict[str, Any]:
        sequences, decode = zip(*self._of_token.values(), strict=True)
        columns = {"seq_id": (sequences, np.int64), "decode": (decode, np.bool_)}
        return {
            name: None if values[0] is None else np.array(values, dtype=kind)
            for name, (values, kind) in columns.items()
        }


class _Fields:
    """Which fields of a record say what of a visit.

    Parameters
    ----------
    names : iterable of str
        The fields that a record has.
    asked : mapping
        Our name → theirs, from the caller.
    wanted : tuple of str
        What must be there, by our names.
    where : str
        Where the fields were found, for messages.
    """

    def __init__(
        self, names: Iterable[str], asked: Mapping[str, str], wanted: Sequence[str], where: str
    ) -> None:
        present = list(names)
        self.of: dict[str, str] = {}
        for ours, aliases in ALIASES.items():
            if ours in asked:
                known = [name for name in present if name == asked[ours]]
                if not known:
                    raise TraceError(f"{where}: there is no {asked[ours]!r}, only {few(present)}")
            else:
                known = [name for name in present if name in aliases and name not in asked.values()]
            if len(known) > 1:
                raise TraceError(
                    f"{where}: {' and '.join(known)} may both be the {ours}; --fields {ours}=NAME says which"
                )
            if known:
                self.of[ours] = known[0]
        if missing := [ours for ours in wanted if ours not in self.of]:
            raise TraceError(
                f"{where}: {', '.join(wanted)} are wanted, got {few(present)}; "
                f"--fields {missing[0]}=NAME says which one is the {missing[0]}"
            )

    def __contains__(self, ours: str) -> bool:
        return ours in self.of


def _decode(value: object) -> bool:
    if isinstance(value, str | int) and value in DECODE:
        return DECODE[value]
    raise TraceError(f"decode must be true or false, decode or prefill, got {shorten(value)}")


def read_layer_expert(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read rows of layer and expert; a token is what the column token says, or ends where the layer falls.

    Columns of other names are left unread if the first row names them. Without a column of tokens only
    single-token decoding can be read.
    """
    table = TextTable(stream, delimiter_of(stream))
    found = Visits()
    width = 2
    places: dict[str, int] = {"layer": 0, "experts": 1}
    token, last = -1, -1
    for number, row in enumerate(table):
        where = f"line {table.line}"
        if number == 0 and (reading.fields or not any(map(is_number, row))):
            names = _Fields(row, reading.fields or {}, ("layer", "experts"), where)
            places = {ours: row.index(theirs) for ours, theirs in names.of.items()}
            width = len(row)
            continue
        if len(row) != width:
            raise TraceError(f"{where}: {width} columns are wanted, got {len(row)}")
        cells = {ours: row[place] for ours, place in places.items()}
        try:
            layer, expert = whole(cells["layer"], "layer"), whole(cells["experts"], "expert")
            token += layer < last or token < 0
            last = layer
            key: object = token
            if "token" in cells:
                # Tokens are often counted anew in every sequence.
                key = (cells.get("sequence"), whole(cells["token"], "token"))
            decode = _decode(cells["decode"]) if "decode" in cells else None
            weight = _weight(cells["weights"]) if "weights" in cells else None
            found.add(key, layer, expert, _sequence(cells.get("sequence")), decode, weight)
        except TraceError as problem:
            raise TraceError(f"{where}: {problem}") from None
    draft = found.draft()
    sizes = (draft.values >= 0).sum(axis=2)
    least, most = int(sizes[sizes > 0].min()), int(sizes.max())
    if "token" not in places and least < most:
        draft.remarks += (
            f"visits have {least} … {most} experts: without a column of tokens a batch (a prompt) looks like "
            "one long visit; --format llama.cpp -g G refuses such rows",
        )
    return draft


def _weight(value: object) -> float:
    """Return a gate weight from a cell, or from JSON."""
    try:
        if (
            isinstance(value, str | int | float)
            and not isinstance(value, bool)
            and 0 <= float(value) < math.inf
        ):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise TraceError(f"a gate weight must be a finite number ≥ 0, got {shorten(value)}")


def _sequence(cell: str | None) -> object:
    return int(cell) if cell is not None and re.fullmatch(r"[0-9]{1,18}", cell) else cell


def read_llama_cpp(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read rows ``layer,expert`` that llama.cpp wrote batch by batch, if every batch was one token.

    A row does not name its token, and the rows of a batch go through its tokens in every layer before the
    next layer: what belongs to which token can only be said where each batch has one.
    """
    group = reading.per_visit
    if group is None:
        raise TraceError(
            "rows do not name their token: -g G, the experts that a token uses in a layer, is needed to tell "
            "single-token decoding from batches"
        )
    draft = read_layer_expert(stream, reading)
    rows = (draft.values >= 0).sum(axis=2)
    if (rows != group).any():
        token, layer = (int(place) for place in np.argwhere(rows != group)[0])
        raise TraceError(
            f"pass {token} over the layers has {rows[token, layer]} rows of layer {layer}, one token has "
            f"{group}: the rows of a batch (a prompt) are layer-major without a column of tokens, so only "
            "single-token decoding can be read back; record the prompt elsewhere, or leave its rows out"
        )
    return draft


ROUTE_TRACE = ("turn", "phase", "step", "layer", "slot", "expert")
"""Columns of a route_trace that must be there; weight is read, too, residency and expert_bytes may follow."""

STATED = re.compile(r"(\w+)=(\S+)")


def read_route_trace(stream: IO[bytes], _reading: TraceReading) -> Draft:
    """Read ``route_trace v1``: comments with the model's shape, then a row an expert, by name of column."""
    table = TextTable(stream, ",")
    found: Visits | None = None
    places: list[int] = []
    of_weight: int | None = None
    width, stated = 0, dict[str, str]()
    slots: dict[tuple[int, ...], int] = {}
    for row in table:
        where = f"line {table.line}"
        if found is None:
            stated = _stated_of(table.comments)
            if missing := [name for name in ROUTE_TRACE if name not in row]:
                raise TraceError(f"{where}: there is no column {missing[0]}, only {few(row)}")
            places, width = [row.index(name) for name in ROUTE_TRACE], len(row)
            of_weight = row.index("weight") if "weight" in row else None
            found = Visits(_number_of(stated, "n_expert_used"))
            continue
        if len(row) != width:
            raise TraceError(f"{where}: {width} columns are wanted, got {len(row)}")
        try:
            turn, phase, step, layer, slot, expert = (
                whole(row[place], name) for place, name in zip(places, ROUTE_TRACE, strict=True)
            )
            if phase > 1:
                raise TraceError(f"phase {phase} is neither 0 (prompt) nor 1 (decoding)")
            visit = (turn, phase, step, layer)
            if slot != slots.get(visit, 0):
                raise TraceError(
                    f"slot {slot} of layer {layer}, where slot {slots.get(visit, 0)} comes next (several "
                    "tokens in one step?)"
                )
            slots[visit] = slot + 1
            weight = None if of_weight is None else _weight(row[of_weight])
            found.add(visit[:3], layer, expert, turn, phase == 1, weight)
        except TraceError as problem:
            raise TraceError(f"{where}: {problem}") from None
    if found is None:
        raise TraceError("there is no request in it")
    model: dict[str, Any] = {key: value for key, value in stated.items() if key in ("model", "n_layer")}
    model |= _expert_bytes(table.comments)
    shape = {"pages": _number_of(stated, "n_expert"), "per_visit": _number_of(stated, "n_expert_used")}
    return found.draft(shape, metadata=model)


def _stated_of(comments: Sequence[str]) -> dict[str, str]:
    """Return what the comments say of the model as a whole."""
    if not comments or comments[0].split() != ["route_trace", "v1"]:
        shown = shorten(comments[0]) if comments else "none"
        raise TraceError(f"the first comment must be '# route_trace v1', got {shown}")
    whole_model = (comment for comment in comments[1:] if not comment.startswith("layer="))
    return {key: value for comment in whole_model for key, value in STATED.findall(comment)}


def _expert_bytes(comments: Sequence[str]) -> dict[str, list[int]]:
    """Return the bytes of an expert for every layer, where comments state them for all layers from 0 on."""
    said = [dict(STATED.findall(comment)) for comment in comments[1:] if comment.startswith("layer=")]
    of = {_number_of(one, "layer"): _number_of(one, "expert_bytes") for one in said}
    sizes = [size for layer in range(len(of)) if (size := of.get(layer))]
    return {"expert_bytes": sizes} if sizes and len(sizes) == len(of) else {}


def _number_of(stated: Mapping[str, str], key: str) -> int | None:
    try:
        return whole(stated[key], key) if key in stated else None
    except TraceError as problem:
        raise TraceError(f"in the comments {problem}") from None


def read_visits(stream: IO[bytes], reading: TraceReading) -> Draft:
    """Read JSON lines of one record per token and layer, under the names that ``fields`` gives them."""
    found = Visits()
    names: _Fields | None = None
    seen = set[tuple[object, ...]]()
    for line, record in json_records(stream):
        where = f"line {line}"
        names = names or _Fields(record, reading.fields or {}, ("token", "layer", "experts"), where)
        try:
            values = {ours: _of(record, theirs) for ours, theirs in names.of.items()}
            token, layer = (_integer(values[name], names.of[name]) for name in ("token", "layer"))
            sequence = values.get("sequence")
            if not isinstance(sequence, int | str | None):
                raise TraceError(f"{names.of['sequence']} must be a number or text, got {shorten(sequence)}")
            visit = (sequence, token, layer)
            if visit in seen:
                more = "" if "sequence" in names else "; --fields sequence=NAME if tokens are counted anew"
                raise TraceError(f"token {token} comes twice in layer {layer}{more}")
            seen.add(visit)
            experts = values["experts"]
            if not isinstance(experts, list) or not experts:
                raise TraceError(f"{names.of['experts']} must be a list of integers, got {shorten(experts)}")
            decode = _decode(values["decode"]) if "decode" in names else None
            weights: list[Any] = [None] * len(experts)
            if "weights" in names:
                weights = values["weights"]
                if not isinstance(weights, list) or len(weights) != len(experts):
                    raise TraceError(
                        f"{names.of['weights']} must be a list of {len(experts)} numbers, "
                        f"got {shorten(weights)}"
                    )
                weights = [_weight(weight) for weight in weights]
            for expert, weight in zip(experts, weights, strict=True):
                number = _integer(expert, names.of["experts"])
                found.add((sequence, token), layer, number, sequence, decode, weight)
        except TraceError as problem:
            raise TraceError(f"{where}: {problem}") from None
    return found.draft()


def _of(record: Mapping[str, Any], name: str) -> Any:
    if name not in record:
        raise TraceError(f"there is no {name!r}, which the first record has")
    return record[name]


def _integer(value: Any, name: str) -> int:
    if type(value) is not int or value < 0:
        raise TraceError(f"{name} must be a whole number ≥ 0, got {shorten(value)}")
    return value
