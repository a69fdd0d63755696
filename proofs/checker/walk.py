"""Every request in every state: it must lead to a listed state, and the potential must pay for it.

A *part* is what a state says of one layer. What a request makes of a part depends on the policy's labels, the
page, OPT's label of it and whether OPT has a free slot: worked out once, and looked up from then on.
"""

from __future__ import annotations

import operator
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from typing import NamedTuple

from .reading import Refuted, spend
from .states import KEPT, Likeness, States
from .work_function import moved

Labels = list[int]
Ask = Callable[[Labels, int, int], tuple[Labels, Fraction | int]]
"""The policy: labels, page and layer served → the labels that follow, and the cost."""

BATCH = 2**14
"""States that are looked at together."""

Vectors = tuple[int, ...]
Request = tuple[Vectors, int, int, int, bool]
"""Policy labels, layer, place of the page in it, OPT's label of the page, whether OPT has no free slot."""

Ties = list[tuple[int, list[int]]]
"""Layers, and places of pages between which page numbers decided."""


class Following(dict[int, int]):
    """What becomes of a part: the policy's labels are given, OPT's are looked up in a table."""

    def __init__(self, walk: Walk, after: tuple[int, ...], table: Sequence[int], place: int | None) -> None:
        super().__init__()
        self.walk, self.table, self.place = walk, table, place
        self.base = [label * walk.states.base for label in after]

    def __missing__(self, part: int) -> int:
        states, table = self.walk.states, self.table
        codes = [label + table[opt] for label, opt in zip(self.base, states.parts[part].work, strict=True)]
        if self.place is not None:
            codes[self.place] = self.base[self.place] + len(table) - 1
        self.walk.kept += 1
        self[part] = following = states.part(codes)
        return following


class Answer(NamedTuple):
    """What the policy does with its labels."""

    after: list[tuple[int, ...]]  # layer by layer
    cost: Fraction | int
    ties: Ties


class Effect(NamedTuple):
    """What a request does to every state with the same policy labels and the same OPT label of the page."""

    page: int
    cost: Fraction | int
    paid: int
    spare: Fraction | int  # by how much the potential may rise, times the unit
    maps: list[Following]  # layer by layer
    table: tuple[int, ...]  # what becomes of OPT's labels of other pages
    ties: Ties


class Walk:
    """Works out what requests do, and remembers it while there is room."""

    def __init__(
        self,
        states: States,
        potential: list[Fraction | int],
        unit: int,
        bound: Fraction,
        small: int,
        ask: Ask,
        *,
        staying: bool,
    ) -> None:
        self.states, self.potential = states, potential
        self.unit, self.bound, self.small = unit, bound, small
        self.ask, self.staying = ask, staying
        self.kept = 0
        self.answers: dict[tuple[Vectors, int, int], Answer] = {}
        self.maps: dict[tuple[tuple[int, ...], tuple[int, ...], int | None], Following] = {}
        self.edges: dict[Request, Effect] = {}
        self.rises: dict[tuple[Fraction | int, int], Fraction | int] = {}

    def requests(self, numbers: list[int]) -> Iterator[tuple[Request, list[int]]]:
        """Yield the requests of some states, each with the states that have it."""
        listed, parts = self.states.listed, self.states.parts
        groups: dict[tuple[Vectors, int, bool], dict[int, list[int]]] = {}
        for s in numbers:
            state = listed[s]
            layer = state[-1]
            own = [parts[part] for part in state[:-1]]
            full = sum([part.positive for part in own]) >= self.small
            group = groups.setdefault((tuple([part.vector for part in own]), layer, full), {})
            group.setdefault(state[layer], []).append(s)
        for (vectors, layer, full), group in groups.items():
            asked: dict[tuple[int, int], list[int]] = {}
            for part, some in group.items():
                for request in parts[part].asked:
                    asked.setdefault(request, []).extend(some)
            for (place, label), all_of_them in asked.items():
                yield (vectors, layer, place, label, full), all_of_them

    def follow(self, numbers: list[int]) -> list[int]:
        """Return where all requests lead from some states, or refuse one."""
        sources: list[int] = []
        edges: list[Effect] = []
        for key, group in self.requests(numbers):
            edge = self.edges.get(key) or self.edge(key, group[0])
            if edge.ties:
                self.check_ties(group, edge)
            sources += group
            edges += [edge] * len(group)
        # One step for all requests at a time: what loops is the interpreter, not this file.
        columns = list(zip(*map(self.states.listed.__getitem__, sources), strict=True))
        maps = zip(*[edge.maps for edge in edges], strict=True)
        parts = [map(operator.getitem, *pair) for pair in zip(maps, columns, strict=False)]
        layers = columns[-1]
        if self.states.alike.layers:
            keys = zip(*parts[1:], parts[0], layers, strict=True)
        else:
            keys = zip(*parts, [(layer + 1) % len(parts) for layer in layers], strict=True)
        targets = [self.states.number.get(key, -1) for key in keys]
        if -1 in targets:
            i = targets.index(-1)
            raise Refuted(
                f"state {sources[i]}: a request of page {edges[i].page} leads to a state that is not listed"
            )
        now, then = (list(map(self.potential.__getitem__, some)) for some in (sources, targets))
        spare = [edge.spare for edge in edges]
        if any(map(operator.gt, map(operator.sub, then, now), spare)):
            i = next(i for i in range(len(edges)) if then[i] - now[i] > spare[i])
            raise Refuted(
                f"state {sources[i]}: a request of page {edges[i].page} breaks the potential: "
                f"{self.unit}·{edges[i].cost} + {then[i]} − {now[i]} > {self.bound}·{edges[i].paid}"
            )
        return targets

    def check_ties(self, group: list[int], edge: Effect) -> None:
        """Refuse a choice by page number between pages that end with different labels of OPT."""
        for s in group:
            for layer, places in edge.ties:
                work = self.states.parts[self.states.listed[s][layer]].work
                if len({edge.table[work[q]] for q in places}) > 1:
                    raise Refuted(
                        f"state {s}, request of page {edge.page}: "
                        "page numbers decide between pages that are not alike to OPT"
                    )

    def edge(self, key: Request, state: int) -> Effect:
        """Return what a request does."""
        if self.kept > KEPT:
            self.kept = 0
            for remembered in (self.answers, self.maps, self.edges):
                remembered.clear()
        vectors, layer, place, label, full = key
        page = self.states.alike.bounds[layer] + place
        known = self.answers.get(key[:3])
        if known is None:
            try:
                known = self.answer(vectors, layer, page)
            except Refuted as refuted:
                raise Refuted(f"state {state}, request of page {page}: {refuted}") from None
            self.answers[key[:3]] = known
        table = moved(label, full, self.small)
        maps = []
        for j, after in enumerate(known.after):
            at = after, table, place if j == layer else None
            found = self.maps.get(at)
            if found is None:
                self.maps[at] = found = Following(self, *at)
            maps.append(found)
        paid = 0 if label else 1
        self.kept += 2
        self.edges[key] = made = Effect(
            page, known.cost, paid, self.spare(known.cost, paid), maps, table, known.ties
        )
        return made

    def spare(self, cost: Fraction | int, paid: int) -> Fraction | int:
        """Return by how much the potential may rise, times the unit."""
        if (cost, paid) not in self.rises:
            exact = self.bound * paid - self.unit * cost
            self.rises[cost, paid] = int(exact) if exact == int(exact) else exact
        return self.rises[cost, paid]

    def answer(self, vectors: Vectors, layer: int, page: int) -> Answer:
        """Ask the policy."""
        alike = self.states.alike
        labels = list(chain.from_iterable(map(self.states.vectors.__getitem__, vectors)))
        after, cost = self.ask(labels, page, layer)
        parts = [tuple(after[first:end]) for first, end in pairwise(alike.bounds)]
        return Answer(parts, cost, tied(labels, after, page, alike, staying=self.staying))


def tied(labels: Labels, after: Labels, page: int, alike: Likeness, *, staying: bool) -> Ties:
    """Return between which pages, alike to the policy, page numbers decided: they end with different labels.

    Alike are pages of a layer with the same label; with ``staying`` labels are compared after the request
    instead, as they would be had the page stayed: c + 1 of a cached page becomes −c when it leaves.
    """
    if not alike.pages:
        return []
    if staying:
        return stayed(labels, after, alike)
    found: Ties = []
    for layer, (first, end) in enumerate(pairwise(alike.bounds)):
        groups: dict[int, list[int]] = {}
        for q in range(first, end):
            groups.setdefault(labels[q], []).append(q)
        for group in groups.values():
            others = [q for q in group if q != page]
            if len(others) > 1 and len({after[q] for q in others}) > 1:
                found.append((layer, [q - first for q in others]))
    return found


def stayed(labels: Labels, after: Labels, alike: Likeness) -> Ties:
    """Return the pages among which one left that would end with the same label had it stayed.

    A label c > 0 of a page that stays is −(c − 1) of one that leaves.
    """
    found: Ties = []
    for gone in [q for q, label in enumerate(after) if label <= 0 < labels[q]]:
        layer = bisect(alike.bounds, gone) - 1
        first, end = alike.bounds[layer : layer + 2]
        same = [q for q in range(first, end) if labels[q] > 0 and after[q] == 1 - after[gone]]
        if same:
            found.append((layer, [q - first for q in (gone, *same)]))
    return found


def check_edges(
    states: States,
    potential: Sequence[Fraction | int],
    ratio: Fraction,
    unit: int,
    small: int,
    ask: Ask,
    *,
    staying: bool = False,
) -> None:
    """Walk from the cold start; every request must keep unit·cost + Φ(next) − Φ(now) ≤ unit·ratio·paid."""
    bounds, count = states.alike.bounds, len(states.listed)
    if len(potential) != count:
        raise Refuted(f"{len(potential)} potentials for {count} states")
    widest = max(end - first for first, end in pairwise(bounds))
    spend("the requests of all states", bounds[-1] * widest * count)
    walk = Walk(states, list(potential), unit, unit * ratio, small, ask, staying=staying)
    reached = {states.number[states.start()]}
    pending = list(reached)
    while pending:
        following: set[int] = set()
        for first in range(0, len(pending), BATCH):
            following.update(walk.follow(pending[first : first + BATCH]))
        pending = sorted(following - reached)
        reached |= following
    if len(reached) < count:
        stray = next(s for s in range(count) if s not in reached)
        raise Refuted(f"state {stray} cannot be reached from the cold start")
