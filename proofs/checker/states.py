"""Listed states of a policy and OPT, and which of them count as the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .problem import Problem
from .reading import Incomplete, Integers, Json, Refuted, integers, items

Key = tuple[tuple[tuple[int, int], ...] | int, ...]


class Likeness(NamedTuple):
    """Which renamings turn states into states that count as the same."""

    bounds: tuple[int, ...]  # first page of every layer, then the number of pages
    pages: bool  # pages of a layer are alike
    layers: bool  # the layers are alike, seen from the one to be served

    def key(self, labels: list[int], work: list[int], layer: int) -> Key:
        """Return one and the same value for all states that count as the same."""
        pairs = list(zip(labels, work, strict=True))
        parts: list[list[tuple[int, int]]] = [
            pairs[first:end] for first, end in zip(self.bounds, self.bounds[1:], strict=False)
        ]
        if self.pages:
            for part in parts:
                part.sort()
        if self.layers:
            parts, layer = parts[layer:] + parts[:layer], 0
        return (*map(tuple, parts), layer)


class States(NamedTuple):
    """The listed states, with their number by key."""

    labels: list[list[int]]
    work: list[list[int]]
    layers: Integers
    number: dict[Key, int]


def requests(labels: list[int], work: list[int], layer: int, alike: Likeness) -> Iterator[int]:
    """Yield the pages that may be requested; of pages that are alike only the first."""
    seen = set()
    for page in range(alike.bounds[layer], alike.bounds[layer + 1]):
        pair = (labels[page], work[page])
        if not (alike.pages and pair in seen):
            yield page
        seen.add(pair)


def read_likeness(value: Json, problem: Problem) -> Likeness:
    """Read which renamings the states are listed up to: a list out of "pages" and "layers"."""
    words = items(value, "evidence.alike")
    if words not in ([], ["pages"], ["layers"], ["pages", "layers"]):
        raise Incomplete('evidence.alike must list "pages", "layers", both in this order, or nothing')
    counts = [problem.layer_of.count(layer) for layer in range(problem.layers)]
    if "layers" in words and len(set(counts)) > 1:
        raise Refuted("layers of different sizes are not alike")
    bounds = [0]
    for count in counts:
        bounds.append(bounds[-1] + count)
    return Likeness(tuple(bounds), "pages" in words, "layers" in words)


def read_states(evidence: Json, problem: Problem, small: int, alike: Likeness) -> States:
    """Read the states: one label pair per page, and the layer to be served."""
    pages = alike.bounds[-1]
    layers = integers(evidence["layers"], "evidence.layers")
    if any(not 0 <= layer < problem.layers for layer in layers):
        raise Refuted("evidence.layers names a layer that does not exist")
    labels = rows(evidence["labels"], "evidence.labels", len(layers), pages)
    work = rows(evidence["work"], "evidence.work", len(layers), pages)
    if any(not 0 <= label <= small for row in work for label in row):
        raise Refuted(f"a label of evidence.work is outside 0 … {small}")
    number: dict[Key, int] = {}
    for s, layer in enumerate(layers):
        if number.setdefault(alike.key(labels[s], work[s], layer), s) != s:
            raise Refuted(f"state {s} is listed twice")
    return States(labels, work, layers, number)


def rows(value: Json, where: str, count: int, width: int) -> list[list[int]]:
    """Read an array of ``count`` rows."""
    flat = integers(value, where)
    if len(flat) != count * width:
        raise Refuted(f"{where} has {len(flat)} numbers instead of {count} times {width}")
    return [list(flat[i : i + width]) for i in range(0, len(flat), width)]
