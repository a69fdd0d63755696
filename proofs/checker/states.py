"""Listed states of a policy and OPT, and which of them count as the same.

A *part* is what a state says of one layer: policy label, mark and OPT label of every page; its *face* is what
the policy and the rules of a visit see of it, labels and marks. Many states are made of few parts, so parts
are numbered, and what a request makes of a part is worked out once.

Marks say which pages of the layer being served may be asked for in the rest of a visit of several pages.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from operator import itemgetter, mul
from typing import NamedTuple

from .problem import Problem
from .reading import Incomplete, Json, Refuted, integers, items, spend

State = tuple[int, ...]
"""A state: the numbers of its parts in the order of the layers, then the layer to be served."""

UNASKED, ASKED, LATE = 0, 1, 2
"""Marks: a page may be asked for, was asked for in this visit, or was cached when its first fault came.

In the last case, of atomic visits, it is too late to ask for the page: hits are served first.
"""

STATE, PART, KEPT = 300, 500, 2**17
"""Room for a state and for a part; results that are remembered before all are forgotten."""


def kinds(per_visit: int, *, atomic: bool) -> int:
    """Return how many of the marks a visit needs."""
    return 1 if per_visit == 1 else 3 if atomic else 2


def marked(marks: list[int], labels: Sequence[int], page: int, own: range, *, atomic: bool) -> list[int]:
    """Return the marks after a page of the layer with the pages ``own`` was asked for, with these labels."""
    after = list(marks)
    if atomic and labels[page] <= 0:
        for q in own:
            if labels[q] > 0 and marks[q] == UNASKED:
                after[q] = LATE
    after[page] = ASKED
    return after


class Likeness(NamedTuple):
    """Which renamings turn states into states that count as the same."""

    bounds: tuple[int, ...]  # first page of every layer, then the number of pages
    pages: bool  # pages of a layer are alike
    layers: bool  # the layers are alike, seen from the one to be served


class Face(NamedTuple):
    """Policy labels and marks of a layer's pages, in ascending order where its pages are alike."""

    labels: tuple[int, ...]
    marks: tuple[int, ...]


class ListedPart(NamedTuple):
    """A face with OPT's labels; of pages with the same label and mark these are in ascending order, too."""

    face: int
    work: tuple[int, ...]
    requests: list[tuple[int, int]]  # places and OPT's labels of pages that may be asked for, one of alike
    positive: int  # pages of which OPT's label is not 0
    asked: tuple[int, ...]  # OPT's labels of the pages asked for in this visit, if it is atomic


class States:
    """The listed states by number, each once; the cold start is among them."""

    def __init__(self, alike: Likeness, small: int, per_visit: int = 1, *, atomic: bool = False) -> None:
        self.alike, self.base = alike, small + 1
        self.per_visit, self.atomic = per_visit, atomic
        self.kinds = kinds(per_visit, atomic=atomic)
        self.parts: list[ListedPart] = []
        self.faces: list[Face] = []
        self.listed: list[State] = []
        self.number: dict[int, int] = {}  # by key
        self.weights: list[int] = []  # of parts and layer in a key
        self.labels = self.work = self.layers = array("q")  # as listed, row after row
        self._part: dict[tuple[int, ...], int] = {}
        self._face: dict[Face, int] = {}

    def part(self, codes: list[int]) -> int:
        """Return the number of a part that is listed, given as a code per page, or raise KeyError.

        A code is (policy label · kinds of marks + mark) · (h + 1) + OPT's label.
        """
        if self.alike.pages:
            codes.sort()
        return self._part[tuple(codes)]

    def new(self, codes: list[int]) -> int:
        """Return the number of a part, which is listed from now on."""
        if self.alike.pages:
            codes.sort()
        found = tuple(codes)
        known = self._part.get(found)
        return self._add(found) if known is None else known

    def _add(self, codes: tuple[int, ...]) -> int:
        spend("the parts of states", 4 * len(codes), PART + 40 * len(codes))
        seen = [code // self.base for code in codes]
        work = tuple(code % self.base for code in codes)
        face = Face(tuple(pair // self.kinds for pair in seen), tuple(pair % self.kinds for pair in seen))
        number = self._face.setdefault(face, len(self.faces))
        if number == len(self.faces):
            self.faces.append(face)
        requests = [
            (place, label)
            for place, label in enumerate(work)
            if face.marks[place] == UNASKED
            and not (self.alike.pages and place and codes[place] == codes[place - 1])
        ]
        asked = [label for label, mark in zip(work, face.marks, strict=True) if mark == ASKED]
        positive = len(work) - work.count(0)
        self.parts.append(ListedPart(number, work, requests, positive, tuple(asked) if self.atomic else ()))
        self._part[codes] = len(self.parts) - 1
        return len(self.parts) - 1

    def turned(self, parts: Sequence[int], layer: int) -> State:
        """Return one and the same state for all that count as the same."""
        if self.alike.layers:
            return (*parts[layer:], *parts[:layer], 0)
        return (*parts, layer)

    def key(self, state: State) -> int:
        """Return a state as one number, by which it is found."""
        return sum(map(mul, state, self.weights))

    def weights_from(self, layer: int) -> list[int]:
        """Return the weight of every layer's part in the key of a state in which a layer is to be served."""
        first = len(self.alike.bounds) - 1 - layer if self.alike.layers else 0
        parts = self.weights[:-1]
        return parts[first:] + parts[:first]

    def row(self, s: int) -> tuple[list[int], list[int], int]:
        """Return a state as it was listed: policy labels, OPT's labels, layer."""
        width = self.alike.bounds[-1]
        here = slice(s * width, (s + 1) * width)
        return self.labels[here].tolist(), self.work[here].tolist(), self.layers[s]

    def find(self, codes: list[int], layer: int) -> int | None:
        """Return the number of a state, None if it is not listed."""
        parts = []
        for first, end in pairwise(self.alike.bounds):
            piece = codes[first:end]
            if self.alike.pages:
                piece.sort()
            parts.append(self._part.get(tuple(piece), -1))
        return None if -1 in parts else self.number.get(self.key(self.turned(parts, layer)))

    def views(self) -> list[State]:
        """Return the faces of every state instead of its parts: what the policy sees of it."""
        *columns, layers = zip(*self.listed, strict=True)
        faces = [part.face for part in self.parts]
        return list(zip(*[map(faces.__getitem__, own) for own in columns], layers, strict=True))

    def view(self, labels: list[int], marks: list[int], layer: int) -> State | None:
        """Return the faces of a state that says so, None if one is not listed."""
        pairs = list(zip(labels, marks, strict=True))
        faces = []
        for first, end in pairwise(self.alike.bounds):
            own = sorted(pairs[first:end]) if self.alike.pages else pairs[first:end]
            faces.append(self._face.get(Face(*zip(*own, strict=True)), -1))
        return None if -1 in faces else self.turned(faces, layer)

    def start(self) -> int:
        """Return the number of the cold start."""
        found = self.find([0] * self.alike.bounds[-1], 0)
        if found is None:
            raise Refuted("the cold start is not among the states")
        return found


def read_likeness(value: Json, problem: Problem) -> Likeness:
    """Read which renamings the states are listed up to: a list out of "pages" and "layers"."""
    words = items(value, "evidence.alike")
    if words not in ([], ["pages"], ["layers"], ["pages", "layers"]):
        raise Incomplete('evidence.alike must list "pages", "layers", both in this order, or nothing')
    if "layers" in words and len(set(problem.counts)) > 1:
        raise Refuted("layers of different sizes are not alike")
    return Likeness((0, *accumulate(problem.counts)), "pages" in words, "layers" in words)


def read_states(
    evidence: Json, problem: Problem, small: int, alike: Likeness, *, marks: bool = False
) -> States:
    """Read the states: labels of every page, ``marks`` of visits of several pages, the layer to be served."""
    width = alike.bounds[-1]
    layers = integers(evidence["layers"], "evidence.layers")
    if len(layers) and not 0 <= min(layers) <= max(layers) < problem.layers:
        raise Refuted("evidence.layers names a layer that does not exist")
    spend("the states", 2 * len(layers) * (problem.layers + 1), (STATE + 8 * problem.layers) * len(layers))
    found = States(alike, small, problem.per_visit if marks else 1, atomic=marks and problem.group > 1)
    names = ("labels", "work", "marks") if found.kinds > 1 else ("labels", "work")
    arrays = [array_of(evidence, name, len(layers), width) for name in names]
    for name, numbers, most in zip(names[1:], arrays[1:], (small, found.kinds - 1), strict=False):
        if len(numbers) and not 0 <= min(numbers) <= max(numbers) <= most:
            what = "label" if name == "work" else "mark"
            raise Refuted(f"a {what} of evidence.{name} is outside 0 … {most}")
    found.labels, found.work, found.layers = *arrays[:2], layers
    pieces = [end - first for first, end in pairwise(alike.bounds)]
    columns = [
        list(map(Reader(found, arrays).__getitem__, zip(*own, strict=True)))
        for own in zip(*[split(numbers, pieces) for numbers in arrays], strict=True)
    ]
    found.listed = list(zip(*columns, layers, strict=True))
    if alike.layers:
        found.listed = [found.turned(state[:-1], state[-1]) if state[-1] else state for state in found.listed]
    layers_of = len(pieces)
    found.weights = [layers_of * len(found.parts) ** j for j in range(layers_of)] + [1]
    weighed = [
        map(mul, map(itemgetter(j), found.listed), repeat(weight)) for j, weight in enumerate(found.weights)
    ]
    for s, key in enumerate(map(sum, zip(*weighed, strict=True))):
        if found.number.setdefault(key, s) != s:
            raise Refuted(f"state {s} is listed twice")
    found.start()
    return found


class Reader(dict[tuple[bytes, ...], int]):
    """Numbers of parts by their bytes, as long as there are not too many."""

    def __init__(self, states: States, arrays: Sequence[array[int]]) -> None:
        super().__init__()
        self.states, self.types = states, [numbers.typecode for numbers in arrays]

    def __missing__(self, raw: tuple[bytes, ...]) -> int:
        columns = [array(code, content) for code, content in zip(self.types, raw, strict=True)]
        base, kinds = self.states.base, self.states.kinds
        marks = columns[2] if kinds > 1 else [0] * len(columns[0])
        part = self.states.new(
            [
                (label * kinds + mark) * base + opt
                for label, opt, mark in zip(*columns[:2], marks, strict=True)
            ]
        )
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
