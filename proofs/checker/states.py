"""Listed states of a policy and OPT, and which of them count as the same.

A *part* is what a state says of one layer: a (policy label, OPT label) pair per page. Many states are made of
few parts, so parts are numbered, and what a request makes of a part is worked out once.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import NamedTuple

from .problem import Problem
from .reading import Incomplete, Json, Refuted, integers, items, spend

Key = tuple[int, ...]
"""A state: its parts in the order of the layers, then the layer to be served."""

STATE, PART, KEPT = 300, 500, 2**17
"""Room for a state and for a part; results that are remembered before all are forgotten."""


class Likeness(NamedTuple):
    """Which renamings turn states into states that count as the same."""

    bounds: tuple[int, ...]  # first page of every layer, then the number of pages
    pages: bool  # pages of a layer are alike
    layers: bool  # the layers are alike, seen from the one to be served


class Piece(NamedTuple):
    """The pairs of a layer's pages, in ascending order where its pages are alike."""

    labels: tuple[int, ...]
    work: tuple[int, ...]
    vector: int  # number of the labels
    positive: int  # pages of which OPT's label is not 0
    asked: list[tuple[int, int]]  # places and OPT's labels of the pages to be requested, one of alike pages


class States:
    """The listed states by number, each once; the cold start is among them."""

    def __init__(self, alike: Likeness, small: int) -> None:
        self.alike, self.base = alike, small + 1
        self.parts: list[Piece] = []
        self.listed: list[Key] = []
        self.number: dict[Key, int] = {}
        self.vectors: list[tuple[int, ...]] = []
        self.labels = self.work = self.layers = array("q")  # as listed, row after row
        self._part: dict[tuple[int, ...], int] = {}
        self._vector: dict[tuple[int, ...], int] = {}

    def part(self, codes: list[int]) -> int:
        """Return the number of a part, given as a code per page: policy label · (h + 1) + OPT's label."""
        if self.alike.pages:
            codes.sort()
        found = tuple(codes)
        known = self._part.get(found)
        if known is None:
            self._part[found] = known = self._new(found)
        return known

    def _new(self, codes: tuple[int, ...]) -> int:
        spend("the parts of states", 4 * len(codes), PART + 40 * len(codes))
        labels = tuple(code // self.base for code in codes)
        work = tuple(code % self.base for code in codes)
        vector = self._vector.setdefault(labels, len(self.vectors))
        if vector == len(self.vectors):
            self.vectors.append(labels)
        asked = [
            (place, label)
            for place, label in enumerate(work)
            if not (self.alike.pages and place and codes[place] == codes[place - 1])
        ]
        self.parts.append(Piece(labels, work, vector, len(work) - work.count(0), asked))
        return len(self.parts) - 1

    def key(self, parts: Sequence[int], layer: int) -> Key:
        """Return one and the same value for all states that count as the same."""
        if self.alike.layers:
            return (*parts[layer:], *parts[:layer], 0)
        return (*parts, layer)

    def row(self, s: int) -> tuple[list[int], list[int], int]:
        """Return a state as it was listed: policy labels, OPT's labels, layer."""
        width = self.alike.bounds[-1]
        here = slice(s * width, (s + 1) * width)
        return self.labels[here].tolist(), self.work[here].tolist(), self.layers[s]

    def find(self, labels: list[int], work: list[int], layer: int) -> int | None:
        """Return the number of a state, None if it is not listed."""
        pieces = pairwise(self.alike.bounds)
        codes = [label * self.base + opt for label, opt in zip(labels, work, strict=True)]
        parts = [self.part(codes[first:end]) for first, end in pieces]
        return self.number.get(self.key(parts, layer))

    def vector_key(self, labels: list[int], layer: int) -> tuple[Key, int]:
        """Return policy labels by their numbers, and a layer: the same for all that count as the same."""
        order = sorted if self.alike.pages else list
        vectors = [
            self._vector.get(tuple(order(labels[first:end])), -1)
            for first, end in pairwise(self.alike.bounds)
        ]
        *vectors, layer = self.key(vectors, layer)
        return tuple(vectors), layer

    def start(self) -> Key:
        """Return the cold start."""
        return self.key([self.part([0] * (end - first)) for first, end in pairwise(self.alike.bounds)], 0)


def read_likeness(value: Json, problem: Problem) -> Likeness:
    """Read which renamings the states are listed up to: a list out of "pages" and "layers"."""
    words = items(value, "evidence.alike")
    if words not in ([], ["pages"], ["layers"], ["pages", "layers"]):
        raise Incomplete('evidence.alike must list "pages", "layers", both in this order, or nothing')
    if "layers" in words and len(set(problem.counts)) > 1:
        raise Refuted("layers of different sizes are not alike")
    return Likeness((0, *accumulate(problem.counts)), "pages" in words, "layers" in words)


def read_states(evidence: Json, problem: Problem, small: int, alike: Likeness) -> States:
    """Read the states: one label pair per page, and the layer to be served."""
    width = alike.bounds[-1]
    layers = integers(evidence["layers"], "evidence.layers")
    if len(layers) and not 0 <= min(layers) <= max(layers) < problem.layers:
        raise Refuted("evidence.layers names a layer that does not exist")
    spend("the states", 2 * len(layers) * (problem.layers + 1), (STATE + 8 * problem.layers) * len(layers))
    labels, work = (array_of(evidence, name, len(layers), width) for name in ("labels", "work"))
    if len(work) and not 0 <= min(work) <= max(work) <= small:
        raise Refuted(f"a label of evidence.work is outside 0 … {small}")
    found = States(alike, small)
    found.labels, found.work, found.layers = labels, work, layers
    pieces = [end - first for first, end in pairwise(alike.bounds)]
    columns = [
        list(map(Reader(found, labels, work).__getitem__, zip(ours, opt, strict=True)))
        for ours, opt in zip(split(labels, pieces), split(work, pieces), strict=True)
    ]
    found.listed = list(zip(*columns, layers, strict=True))
    if alike.layers:
        found.listed = [found.key(state[:-1], state[-1]) for state in found.listed]
    for s, state in enumerate(found.listed):
        if found.number.setdefault(state, s) != s:
            raise Refuted(f"state {s} is listed twice")
    if found.start() not in found.number:
        raise Refuted("the cold start is not among the states")
    return found


class Reader(dict[tuple[bytes, bytes], int]):
    """Numbers of parts by their bytes, as long as there are not too many."""

    def __init__(self, states: States, labels: array[int], work: array[int]) -> None:
        super().__init__()
        self.states, self.types = states, (labels.typecode, work.typecode)

    def __missing__(self, raw: tuple[bytes, bytes]) -> int:
        labels, work = (array(code, content) for code, content in zip(self.types, raw, strict=True))
        base = self.states.base
        part = self.states.part([label * base + opt for label, opt in zip(labels, work, strict=True)])
        if len(self) < KEPT:
            self[raw] = part
        return part


def split(rows: array[int], pieces: list[int]) -> list[Iterator[bytes]]:
    """Return for every layer the bytes of its pages, row by row."""
    form = struct.Struct("".join(f"{pages * rows.itemsize}s" for pages in pieces))
    return [map(itemgetter(j), form.iter_unpack(rows)) for j in range(len(pieces))]


def array_of(fields: Json, name: str, count: int, width: int, where: str = "evidence") -> array[int]:
    """Read an array of ``count`` rows."""
    flat = integers(fields[name], f"{where}.{name}")
    if len(flat) != count * width:
        raise Refuted(f"{where}.{name} has {len(flat)} numbers instead of {count} times {width}")
    return flat
