"""Every request in every state: it must lead to a listed state, and the potential must pay for it.

A *part* is what a state says of one layer. What a request makes of a part depends on the policy's labels, the
page, OPT's label of it, whether OPT has a free slot and the visit so far: worked out once, and looked up from
then on.

OPT serves an atomic visit as if its pages were asked for twice: the first time pays, and after the second all
of them are in every optimal cache. The second time is done with the last request of the visit.
"""

from __future__ import annotations

import operator
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from typing import NamedTuple

from .reading import Refuted, spend
from .states import ASKED, KEPT, LATE, UNASKED, Likeness, States, Visit, marked
from .work_function import moved

Labels = list[int]
Ask = Callable[[Labels, int, int], tuple[Labels, Fraction | int]]
"""The policy: labels, page and place of the request in its round → the labels that follow, and the cost."""

BATCH = 2**14
"""States that are looked at together."""

Vectors = tuple[int, ...]
Request = tuple[Vectors, int, int, int, bool, Visit]
"""Policy labels, layer, place of the page in it, its OPT label, whether OPT has no free slot, the visit."""

Table = tuple[int, ...]
"""What becomes of OPT's labels 0 … h."""

Ties = list[tuple[int, list[int]]]
"""Layers, and places of pages between which page numbers decided."""


class Following(dict[int, int]):
    """What becomes of a part: policy labels and marks are given, OPT's labels are looked up in a table.

    ``certain`` are the places of pages that are in every optimal cache afterwards.
    """

    def __init__(
        self,
        walk: Walk,
        after: tuple[int, ...],
        table: Table,
        certain: tuple[int, ...],
        marks: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.walk, self.certain = walk, certain
        kinds = walk.states.kinds
        self.table = [label * kinds for label in table]
        self.base = [label * walk.states.base * kinds for label in after]
        for place, mark in enumerate(marks):
            self.base[place] += mark

    def __missing__(self, part: int) -> int:
        states, table = self.walk.states, self.table
        codes = [label + table[opt] for label, opt in zip(self.base, states.parts[part].work, strict=True)]
        for place in self.certain:
            codes[place] = self.base[place] + self.walk.small * states.kinds
        self.walk.kept += 1
        self[part] = following = states.part(codes)
        return following

    def rest(self, place: int, opt: int) -> int:
        """Return what, beside the policy's label, becomes of a page with an OPT label: its code of both."""
        label = self.walk.small if place in self.certain else self.table[opt] // self.walk.states.kinds
        return label * self.walk.states.kinds + self.base[place] % self.walk.states.kinds


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
    ends: bool  # the visit ends
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
        self.maps: dict[tuple[tuple[int, ...], Table, tuple[int, ...], tuple[int, ...]], Following] = {}
        self.edges: dict[Request, Effect] = {}
        self.rises: dict[tuple[Fraction | int, int], Fraction | int] = {}

    def requests(self, numbers: list[int]) -> Iterator[tuple[Request, list[int]]]:
        """Yield the requests of some states, each with the states that have it."""
        listed, parts = self.states.listed, self.states.parts
        groups: dict[tuple[Vectors, int, bool, Visit], dict[int, list[int]]] = {}
        for s in numbers:
            state = listed[s]
            layer = state[-1]
            own = [parts[part] for part in state[:-1]]
            full = sum([part.positive for part in own]) >= self.small
            key = tuple([part.vector for part in own]), layer, full, own[layer].visit
            groups.setdefault(key, {}).setdefault(state[layer], []).append(s)
        for (vectors, layer, full, visit), group in groups.items():
            asked: dict[tuple[int, int], list[int]] = {}
            for part, some in group.items():
                for request in parts[part].requests:
                    asked.setdefault(request, []).extend(some)
            for (place, label), all_of_them in asked.items():
                yield (vectors, layer, place, label, full, visit), all_of_them

    def follow(self, numbers: list[int]) -> list[int]:
        """Return where all requests lead from some states, or refuse one."""
        within: tuple[list[int], list[Effect]] = [], []
        at_the_end: tuple[list[int], list[Effect]] = [], []
        for key, group in self.requests(numbers):
            edge = self.edges.get(key) or self.edge(key, group[0])
            if edge.ties:
                self.check_ties(group, edge)
            sources, edges = at_the_end if edge.ends else within
            sources += group
            edges += [edge] * len(group)
        return self.targets(*within, ends=False) + self.targets(*at_the_end, ends=True)

    def targets(self, sources: list[int], edges: list[Effect], *, ends: bool) -> list[int]:
        """Return where requests lead that all end their visit, or all do not; or refuse one."""
        if not sources:
            return []
        # One step for all requests at a time: what loops is the interpreter, not this file.
        columns = list(zip(*map(self.states.listed.__getitem__, sources), strict=True))
        maps = zip(*[edge.maps for edge in edges], strict=True)
        parts = [map(operator.getitem, *pair) for pair in zip(maps, columns, strict=False)]
        layers = columns[-1]
        if not ends:
            keys = zip(*parts, layers, strict=True)
        elif self.states.alike.layers:
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
        """Refuse a choice by page number between pages that end with different labels of OPT, or marks."""
        for s in group:
            for layer, places in edge.ties:
                following = edge.maps[layer]
                work = self.states.parts[self.states.listed[s][layer]].work
                if len({following.rest(q, work[q]) for q in places}) > 1:
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
        vectors, layer, place, label, full, visit = key
        states = self.states
        page = states.alike.bounds[layer] + place
        slot = layer * states.per_visit + len(visit.asked)
        known = self.answers.get((vectors, slot, place))
        if known is None:
            try:
                known = self.answer(vectors, slot, page)
            except Refuted as refuted:
                raise Refuted(f"state {state}, request of page {page}: {refuted}") from None
            self.answers[vectors, slot, place] = known
        ends = len(visit.asked) + 1 == states.per_visit
        table, certain = moved(label, full, self.small), [place]
        marks: tuple[int, ...] = ()
        if states.atomic:
            self.check_kept(visit, known.after[layer], state, page, states.alike.bounds[layer])
            if ends:
                table = second_time(table, [opt for _, opt in visit.asked], self.small)
                certain += [q for q, _ in visit.asked]
        if not ends:
            marks = self.marks(visit, states.vectors[vectors[layer]], place)
        maps = []
        for j, after in enumerate(known.after):
            at = after, table, *((tuple(sorted(certain)), marks) if j == layer else ((), ()))
            found = self.maps.get(at)
            if found is None:
                self.maps[at] = found = Following(self, *at)
            maps.append(found)
        paid = 0 if label else 1
        self.kept += 2
        self.edges[key] = made = Effect(
            page, known.cost, paid, self.spare(known.cost, paid), maps, ends, known.ties
        )
        return made

    def check_kept(self, visit: Visit, after: tuple[int, ...], state: int, page: int, first: int) -> None:
        """Refuse that a page of an atomic visit leaves before its end."""
        for q, _ in visit.asked:
            if after[q] <= 0:
                raise Refuted(
                    f"state {state}, request of page {page}: "
                    f"page {first + q} leaves before the end of its atomic visit"
                )

    def marks(self, visit: Visit, labels: tuple[int, ...], place: int) -> tuple[int, ...]:
        """Return the marks of a layer's pages after a request that does not end the visit."""
        before = [UNASKED] * len(labels)
        for q, _ in visit.asked:
            before[q] = ASKED
        for q in visit.late:
            before[q] = LATE
        return tuple(marked(before, labels, place, range(len(labels)), atomic=self.states.atomic))

    def spare(self, cost: Fraction | int, paid: int) -> Fraction | int:
        """Return by how much the potential may rise, times the unit."""
        if (cost, paid) not in self.rises:
            exact = self.bound * paid - self.unit * cost
            self.rises[cost, paid] = int(exact) if exact == int(exact) else exact
        return self.rises[cost, paid]

    def answer(self, vectors: Vectors, slot: int, page: int) -> Answer:
        """Ask the policy."""
        alike = self.states.alike
        labels = list(chain.from_iterable(map(self.states.vectors.__getitem__, vectors)))
        after, cost = self.ask(labels, page, slot)
        parts = [tuple(after[first:end]) for first, end in pairwise(alike.bounds)]
        return Answer(parts, cost, tied(labels, after, page, alike, staying=self.staying))


def second_time(table: Table, asked: list[int], small: int) -> Table:
    """Return what becomes of OPT's labels if the pages of an atomic visit are asked for once more.

    ``table`` says what the last request of the first time does; before it the pages asked for earlier had the
    labels ``asked``. The one asked for last is certain already.
    """
    waiting = [table[label] for label in asked]
    for i, label in enumerate(waiting):
        again = moved(label, True, small)
        waiting[i:] = [again[other] for other in waiting[i:]]
        table = tuple(again[other] for other in table)
    return table


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
