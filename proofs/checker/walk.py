"""Every request in every listed state: it must lead to a listed state, and the potential must pay for it.

States with the same faces are looked at together: the policy is asked once for all of them. What a request
makes of a part depends on what the policy answers, on OPT's label of the page, whether OPT has a free slot
and the visit so far: worked out once, and looked up from then on, as long as there is room.

The policy is asked about labels alone that it gets to from the cold start; states with others are refused.

OPT serves an atomic visit as if its pages were asked for twice: the first time pays, and after the second all
of them are in every optimal cache. The second time is done with the last request of the visit.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from operator import getitem
from typing import NamedTuple

from .reading import Refuted, spend
from .states import ASKED, KEPT, Likeness, State, States, marked
from .work_function import moved

Labels = list[int]
Ask = Callable[[Labels, int, int, Sequence[int]], tuple[Labels, Fraction | int]]
"""The policy: labels, page and place of the request in its round → the labels that follow, and the cost."""

Table = tuple[int, ...]
"""What becomes of OPT's labels 0 … h."""

Ties = list[tuple[int, list[int]]]
"""Layers, and places of pages between which page numbers decided."""


Request = tuple[int, int, bool, tuple[int, ...]]
"""Place of a page in its layer, its OPT label, whether OPT has no free slot, and, in atomic visits, OPT's
labels of the pages asked for earlier."""


class Answer(NamedTuple):
    """What the policy does with its labels."""

    after: list[tuple[int, ...]]  # layer by layer
    marks: tuple[int, ...]  # of the layer served, if the visit goes on
    cost: Fraction | int
    ties: Ties


class Following(dict[int, int]):
    """What becomes of a part, among those listed: policy labels and marks are given, OPT's are looked up.

    It is found as its share in the key of a state. ``certain`` are the places of pages that are in every
    optimal cache afterwards.
    """

    def __init__(
        self, walk: Walk, layer: int, seen: list[int], table: Table, certain: tuple[int, ...]
    ) -> None:
        super().__init__()
        states = walk.states
        self.walk, self.states, self.table, self.certain = walk, states, table, certain
        self.seen, self.weight = [code * states.base for code in seen], states.weights[layer]

    def __missing__(self, part: int) -> int:
        table = self.table
        work = self.states.parts[part].work
        codes = [code + table[label] for code, label in zip(self.seen, work, strict=True)]
        for place in self.certain:
            codes[place] = self.seen[place] + self.states.base - 1
        self.walk.kept += 1
        self[part] = share = self.states.part(codes) * self.weight
        return share

    def rest(self, place: int, label: int) -> tuple[int, int]:
        """Return what, beside the policy's label, becomes of a page with an OPT label: OPT's, and a mark."""
        opt = self.states.base - 1 if place in self.certain else self.table[label]
        return opt, self.seen[place] // self.states.base % self.states.kinds


class View:
    """All states with the same faces and layer to be served."""

    def __init__(self, states: States, faces: Sequence[int], layer: int, group: list[int]) -> None:
        self.layer, self.group = layer, group
        self.faces = [states.faces[face] for face in faces]
        self.own = self.faces[layer]
        self.asked = [q for q, mark in enumerate(self.own.marks) if mark == ASKED]
        self.first = states.alike.bounds[layer]
        self.slot = layer * states.per_visit + len(self.asked)
        self.ends = len(self.asked) + 1 == states.per_visit
        self.labels = [*chain.from_iterable([face.labels for face in self.faces])]


class Walk:
    """Works out what requests do, and remembers it while there is room."""

    def __init__(
        self,
        states: States,
        potential: list[Fraction | int],
        unit: int,
        bound: Fraction,
        ask: Ask,
        *,
        staying: bool,
    ) -> None:
        self.states, self.potential = states, potential
        self.unit, self.bound = unit, bound
        self.ask, self.staying = ask, staying
        self.kept = 0
        self.maps: dict[tuple[object, ...], dict[object, Following]] = {}
        self.rises: dict[tuple[Fraction | int, int], Fraction | int] = {}
        *columns, _ = zip(*states.listed, strict=True)
        positive = [part.positive for part in states.parts]
        counts = zip(*[map(positive.__getitem__, own) for own in columns], strict=True)
        self.full = [count >= states.base - 1 for count in map(sum, counts)]
        self.view = states.views()
        self.views: dict[State, list[int]] = {}
        for s, view in enumerate(self.view):
            self.views.setdefault(view, []).append(s)

    def check(self) -> None:
        """Refuse a request that breaks the rules, or a state with labels that the policy does not get to."""
        pending = [self.view[self.states.start()]]
        while pending:
            view = pending.pop()
            group = self.views.pop(view, None)
            if group:
                pending += self.follow(View(self.states, view[:-1], view[-1], group))
        if self.views:
            stray = min(group[0] for group in self.views.values())
            raise Refuted(f"state {stray} cannot be reached from the cold start")

    def follow(self, view: View) -> list[State]:
        """Check every request in the states of a view; return where the policy gets to."""
        answers: dict[int, Answer] = {}
        found = []
        for request, sources in self.requests(view).items():
            answer = answers.get(request[0])
            if answer is None:
                answer = answers[request[0]] = self.answer(view, request[0])
            maps = self.following(view, answer, request)
            if answer.ties:
                self.check_ties(view, answer, request, maps, sources)
            found.append(self.view[self.lead(view, answer, request, maps, sources)])
        return found

    def requests(self, view: View) -> dict[Request, list[int]]:
        """Return what may be requested in states of a view, each with the states where it may."""
        listed, layer = self.states.listed, view.layer
        alike: dict[tuple[int, bool], list[int]] = {}
        for s in view.group:
            alike.setdefault((listed[s][layer], self.full[s]), []).append(s)
        found: dict[Request, list[int]] = {}
        for (part, full), some in alike.items():
            own = self.states.parts[part]
            for place, label in own.requests:
                found.setdefault((place, label, full, own.asked), []).extend(some)
        return found

    def lead(
        self, view: View, answer: Answer, request: Request, maps: list[Following], sources: list[int]
    ) -> int:
        """Refuse a request that leads out of the list, or that the potential does not pay for."""
        listed, number, potential = self.states.listed, self.states.number, self.potential
        place, label, _, _ = request
        paid = 0 if label else 1
        spare = self.spare(answer.cost, paid)
        turns = view.ends and not self.states.alike.layers
        layer = (view.layer + 1) % len(maps) if turns else view.layer
        s = t = sources[0]
        try:
            for s in sources:
                t = number[sum(map(getitem, maps, listed[s]), layer)]
                if potential[t] - potential[s] > spare:
                    raise Refuted(
                        f"state {s}: a request of page {view.first + place} breaks the potential: "
                        f"{self.unit}·{answer.cost} + {potential[t]} − {potential[s]} > {self.bound}·{paid}"
                    )
        except KeyError:
            raise Refuted(
                f"state {s}: a request of page {view.first + place} leads to a state that is not listed"
            ) from None
        return t

    def check_ties(
        self, view: View, answer: Answer, request: Request, maps: list[Following], sources: list[int]
    ) -> None:
        """Refuse a choice by page number between pages that end with different labels of OPT, or marks."""
        for s in sources:
            for layer, places in answer.ties:
                work = self.states.parts[self.states.listed[s][layer]].work
                if len({maps[layer].rest(q, work[q]) for q in places}) > 1:
                    raise Refuted(
                        f"state {s}, request of page {view.first + request[0]}: "
                        "page numbers decide between pages that are not alike to OPT"
                    )

    def following(self, view: View, answer: Answer, request: Request) -> list[Following]:
        """Return what becomes of the parts, layer by layer."""
        place, *rest = request
        if self.kept > KEPT:
            self.kept = 0
            self.maps.clear()
        maps = self.maps.setdefault((view.ends, *rest), {})
        found = []
        for j, after in enumerate(answer.after):
            key = (j, after) if j != view.layer else (j, after, answer.marks, place, *view.asked)
            known = maps.get(key)
            if known is None:
                known = maps[key] = self.new(view, answer, request, j)
            found.append(known)
        return found

    def new(self, view: View, answer: Answer, request: Request, layer: int) -> Following:
        """Work out what becomes of parts of a layer that the policy leaves with some labels."""
        states = self.states
        place, label, full, asked = request
        table, certain = moved(label, full, states.base - 1), [place]
        if states.atomic and view.ends:
            table = second_time(table, asked, states.base - 1)
            certain += view.asked
        seen = [label * states.kinds for label in answer.after[layer]]
        if layer == view.layer:
            for q, mark in enumerate(answer.marks):
                seen[q] += mark
        else:
            certain = []
        # Of alike layers the one to be served stands first.
        target = (layer - 1) % len(answer.after) if view.ends and states.alike.layers else layer
        self.kept += 4
        return Following(self, target, seen, table, tuple(sorted(certain)))

    def spare(self, cost: Fraction | int, paid: int) -> Fraction | int:
        """Return by how much the potential may rise, times the unit."""
        if (cost, paid) not in self.rises:
            exact = self.bound * paid - self.unit * cost
            self.rises[cost, paid] = int(exact) if exact == int(exact) else exact
        return self.rises[cost, paid]

    def answer(self, view: View, place: int) -> Answer:
        """Ask the policy."""
        states, own = self.states, view.own
        bounds, page = states.alike.bounds, view.first + place
        held = [view.first + q for q in view.asked] if states.atomic else []
        try:
            after, cost = self.ask(view.labels, page, view.slot, held)
            if states.atomic:
                check_kept(view, after)
        except Refuted as refuted:
            raise Refuted(f"state {view.group[0]}, request of page {page}: {refuted}") from None
        marks: tuple[int, ...] = ()
        if not view.ends:
            pages = range(len(own.marks))
            marks = tuple(marked([*own.marks], own.labels, place, pages, atomic=states.atomic))
        ties = tied(view.labels, after, page, held, states.alike, staying=self.staying)
        return Answer([tuple(after[first:end]) for first, end in pairwise(bounds)], marks, cost, ties)


def check_kept(view: View, after: Labels) -> None:
    """Refuse that a page of an atomic visit leaves before its end."""
    for q in view.asked:
        if after[view.first + q] <= 0:
            raise Refuted(f"page {view.first + q} leaves before the end of its atomic visit")


def second_time(table: Table, asked: Sequence[int], small: int) -> Table:
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


def tied(
    labels: Labels, after: Labels, page: int, held: Sequence[int], alike: Likeness, *, staying: bool
) -> Ties:
    """Return between which pages, alike to the policy, page numbers decided: they end with different labels.

    Alike are pages of a layer with the same label, both held or neither; with ``staying`` labels are compared
    after the request instead, as they would be had the page stayed: c + 1 of a cached page becomes −c when it
    leaves.
    """
    if not alike.pages:
        return []
    if staying:
        return stayed(labels, after, alike)
    found: Ties = []
    for layer, (first, end) in enumerate(pairwise(alike.bounds)):
        groups: dict[tuple[int, bool], list[int]] = {}
        for q in range(first, end):
            groups.setdefault((labels[q], q in held), []).append(q)
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
    ask: Ask,
    *,
    staying: bool = False,
) -> None:
    """Refuse unless every request keeps unit·cost + Φ(next) − Φ(now) ≤ unit·ratio·paid."""
    bounds, count = states.alike.bounds, len(states.listed)
    if len(potential) != count:
        raise Refuted(f"{len(potential)} potentials for {count} states")
    widest = max(end - first for first, end in pairwise(bounds))
    spend("the requests of all states", bounds[-1] * widest * count)
    Walk(states, list(potential), unit, unit * ratio, ask, staying=staying).check()
