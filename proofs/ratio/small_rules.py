"""Small rules without the work function: does one attain k − ℓ + 1? The product graph judges each of them.

A rule is a sequence of criteria. Of the cached pages those that are least by the first one remain, of these
those that are least by the second, and so on; if several remain the *adversary* says which of them leaves.
What a criterion may look at is in :data:`CRITERIA`: recency, marks, layers, and bits of the phase under way.

``python -m proofs.ratio.small_rules`` refutes rules one by one; docs/simple-rules.md says what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from typing import NamedTuple

import numpy as np

from adversary.cycles.max_ratio import RATIO, GraphCycle, best_cycle
from paging.errors import LimitError, ModelError
from paging.model import LayeredInstance, RequestSequence
from paging.offline import farthest_in_future
from paging.work_function import update_work_function


class PageState(NamedTuple):
    """What a rule and the adversary know of a page. Absent pages have age 0 and only the last three.

    Attributes
    ----------
    age : int
        1 + visits since the last request; 0 if the page is not cached.
    marked : int
        Requested since all cached pages were marked and another one came (the marks of marking algorithms).
    hit : int
        Requested since it was loaded.
    asked, before : int
        Requested in the k-phase under way, and in the one before.
    label : int
        OPT's work function; no criterion looks at it.
    """

    age: int = 0
    marked: int = 0
    hit: int = 0
    asked: int = 0
    before: int = 0
    label: int = 0


State = tuple[tuple[PageState, ...], ...]
"""The pages of each layer, the one to be served first; sorted inside every layer."""

Victim = tuple[int, PageState] | None
"""Layer and page that leave; None where a slot is free or nobody faults."""


def _wait(layers: Sequence[Sequence[PageState]], j: int) -> int:
    return j or len(layers)


def _held(pages: Sequence[PageState]) -> int:
    return sum(page.age > 0 for page in pages)


CRITERIA: dict[str, Callable[[Sequence[Sequence[PageState]], int, PageState], int]] = {
    "unmarked": lambda layers, j, page: page.marked,
    "not-in-phase": lambda layers, j, page: page.asked,
    "not-in-two-phases": lambda layers, j, page: page.asked or page.before,
    "not-hit": lambda layers, j, page: page.hit,
    "hit": lambda layers, j, page: -page.hit,
    "layer-served": lambda layers, j, page: j > 0,
    "layer-last": lambda layers, j, page: -_wait(layers, j),
    "layer-next": lambda layers, j, page: _wait(layers, j),
    "crowded-layer": lambda layers, j, page: -_held(layers[j]),
    "crowded-unmarked": lambda layers, j, page: -sum(q.age > 0 and not q.marked for q in layers[j]),
    "not-latest-of-layer": lambda layers, j, page: page.age == min(q.age for q in layers[j] if q.age),
    "oldest-in-rounds": lambda layers, j, page: -((_wait(layers, j) + page.age - 1) // len(layers)),
    "oldest": lambda layers, j, page: -page.age,
    "newest": lambda layers, j, page: page.age,
}
"""Criteria by name: the smallest number leaves first. Arguments: all layers, the page's layer, the page."""

LOOKS_AT = {
    "marked": ("unmarked", "crowded-unmarked"),
    "asked": ("not-in-phase", "not-in-two-phases"),
    "before": ("not-in-two-phases",),
    "hit": ("not-hit", "hit"),
}
"""Which criteria look at which bit; the state of a rule has no others."""

RANKS, TIMES = ("oldest", "newest", "not-latest-of-layer"), ("oldest-in-rounds",)
"""Criteria that look at the order of last requests, and at the times themselves."""

CLASSES = (("layer-served", "layer-last", "layer-next"), ("not-hit", "hit"), ("oldest", "newest"))
"""Criteria that are not used beside one another."""


def rules(longest: int) -> Iterator[tuple[str, ...]]:
    """Yield the rules of at most so many criteria, shorter ones first; what ends all ties comes last."""
    for length in range(1, longest + 1):
        for rule in permutations(CRITERIA, length):
            total = any(name in ("oldest", "newest") for name in rule[:-1])
            alike = any(sum(name in rule for name in names) > 1 for names in CLASSES)
            if not total and not alike:
                yield rule


class RequestMove(NamedTuple):
    """A request in a state: its place in the first layer, what OPT pays, and what may leave.

    ``options`` has the next state by the page that leaves (None: no page does), ``seen`` what is cached at
    the moment of the choice, layer by layer, without what only OPT and absent pages have.
    """

    place: int
    pays: int
    fault: int
    layers: tuple[tuple[PageState, ...], ...]
    options: dict[Victim, State]

    @property
    def seen(self) -> State:
        """What a policy without the work function may look at."""
        return tuple(
            tuple(sorted(page._replace(label=0) for page in pages if page.age)) for pages in self.layers
        )


class Arena:
    """The moves of all policies that keep certain bits, beside OPT's work function, found when asked for.

    Parameters
    ----------
    instance : LayeredInstance
        Equal layers, one page a visit, forced service, cold start.
    bits : collection of str
        Which of marked, hit, asked, before pages carry.
    order : {"none", "ranks", "times"}
        What is kept of last requests: nothing, their order, or the visits between them as well.
    """

    def __init__(self, instance: LayeredInstance, bits: Collection[str], order: str) -> None:
        self.instance, self.cache = instance, instance.cache
        self._order = ("none", "ranks", "times").index(order)
        self._drop = {bit: 0 for bit in LOOKS_AT if bit not in bits}
        self.start: State = ((PageState(),) * instance.pages_by_layer[0],) * instance.layers
        self._known: dict[State, list[RequestMove]] = {}

    def moves(self, state: State) -> list[RequestMove]:
        """Return what can be asked for in a state, each kind of page once."""
        if state not in self._known:
            self._known[state] = [
                self._move(state, place)
                for place, page in enumerate(state[0])
                if not place or page != state[0][place - 1]
            ]
        return self._known[state]

    def _move(self, state: State, place: int) -> RequestMove:
        layers = [[q._replace(age=q.age + (q.age > 0)) for q in pages] for pages in state]
        pays = self._phase(layers, place)
        choice = tuple(map(tuple, layers))
        page = layers[0][place]
        layers[0][place] = page._replace(age=1, marked=1, hit=int(page.age > 0))
        if page.age or sum(map(_held, choice)) < self.cache:
            return RequestMove(place, pays, int(not page.age), choice, {None: self._canonical(layers)})
        options: dict[Victim, State] = {}
        for j, pages in enumerate(choice):
            for i, victim in enumerate(pages):
                if victim.age and (j, victim) not in options:
                    layers[j][i] = victim._replace(age=0, marked=0, hit=0)
                    options[j, victim] = self._canonical(layers)
                    layers[j][i] = victim
        return RequestMove(place, pays, 1, choice, options)

    def _phase(self, layers: list[list[PageState]], place: int) -> int:
        """Tell phases and work function of the request; return what OPT pays."""
        pages = [page for one in layers for page in one]
        work = np.array([page.label for page in pages])
        pays = update_work_function(work, place, self.cache)
        phase_ends = not pages[place].asked and sum(page.asked for page in pages) == self.cache
        held = [page for page in pages if page.age]
        marks_end = not pages[place].age and len(held) == self.cache and all(page.marked for page in held)
        for j, one in enumerate(layers):
            for i, page in enumerate(one):
                asked, before = (0, page.asked) if phase_ends else (page.asked, page.before)
                asked = 1 if j == 0 and i == place else asked
                marked = 0 if marks_end else page.marked
                label = int(work[j * len(one) + i])
                one[i] = page._replace(asked=asked, before=before, marked=marked, label=label)
        return pays

    def _canonical(self, layers: list[list[PageState]]) -> State:
        return tuple(tuple(sorted(pages)) for pages in self._turned(layers))

    def _turned(self, layers: list[list[PageState]]) -> list[list[PageState]]:
        """Turn the layers by one and drop what is not kept."""
        ages = sorted({page.age for pages in layers for page in pages if page.age})
        short, previous, new = {0: 0}, 0, 0
        for rank, age in enumerate(ages, start=1):
            gap = age - previous
            new += gap if gap < 2 * len(layers) else len(layers) + gap % len(layers)
            short[age] = (1, rank, new)[self._order]
            previous = age
        return [
            [page._replace(age=short[page.age], **self._drop) for page in pages]
            for pages in layers[1:] + layers[:1]
        ]

    def play(self, choose: Callable[[RequestMove], Iterable[Victim]], most: int = 200_000) -> Played:
        """Return the graph that is left where a policy chooses, one of several victims if it says several.

        Raises
        ------
        LimitError
            It has more states than ``most``.
        """
        numbers, states, edges = {self.start: 0}, [self.start], []
        for state in states:
            found = []
            for move in self.moves(state):
                for victim in choose(move) if len(move.options) > 1 else move.options:
                    following = move.options[victim]
                    if following not in numbers:
                        numbers[following] = len(states)
                        states.append(following)
                    found.append((numbers[following], move, victim))
            edges.append(found)
            if len(states) > most:
                raise LimitError(f"more than {most} states")
        return Played(states, edges)

    def lasso(self, played: Played, cycle: GraphCycle) -> Lasso:
        """Return pages for a way to a cycle and the cycle, repeated until every page is where it was."""
        layers, n = self.instance.layers, self.instance.pages_by_layer[0]
        names = [[j * n + i for i in range(n)] for j in range(layers)]
        way = [self._step(played, step, names) for step in played.way_to(cycle.steps[0][0])]
        start = [list(one) for one in names]
        period: list[tuple[int, int | None]] = []
        while not period or names != start:
            period += [self._step(played, step, names) for step in cycle.steps]
        return Lasso(way, period)

    def _step(self, played: Played, step: tuple[int, int], names: list[list[int]]) -> tuple[int, int | None]:
        """Return the page asked for on an edge and the page that leaves; turn and sort the names."""
        state, edge = step
        _, move, victim = played.edges[state][edge]
        layers = [[q._replace(age=q.age + (q.age > 0)) for q in one] for one in played.states[state]]
        self._phase(layers, move.place)
        page, leaves = layers[0][move.place], None
        layers[0][move.place] = page._replace(age=1, marked=1, hit=int(page.age > 0))
        if victim is not None:
            i = move.layers[victim[0]].index(victim[1])
            leaves = names[victim[0]][i]
            layers[victim[0]][i] = victim[1]._replace(age=0, marked=0, hit=0)
        asked = names[0][move.place]
        names[:] = [
            [name for _, name in sorted(zip(one, ids, strict=True))]
            for one, ids in zip(self._turned(layers), names[1:] + names[:1], strict=True)
        ]
        return asked, leaves


class Lasso(NamedTuple):
    """Requests with what leaves (None: nothing), and a period after which everything is as before it."""

    way: list[tuple[int, int | None]]
    period: list[tuple[int, int | None]]

    def costs(self, instance: LayeredInstance) -> tuple[int, int]:
        """Return what the period costs policy and OPT, by serving it and by farthest-in-future."""
        held: set[int] = set()
        faults = []
        for page, leaves in self.way + 2 * self.period:
            faults.append(page not in held)
            held = (held - {leaves}) | {page}
            if len(held) > instance.cache:
                raise ModelError("more pages are held than fit the cache")
        requests = [page for page, _ in self.way + 3 * self.period]
        length = len(self.period)
        paid = [
            farthest_in_future(RequestSequence(instance, requests[: len(requests) - back])).faults
            for back in (0, length)
        ]
        return sum(faults[-length:]), paid[0] - paid[1]


class Played(NamedTuple):
    """The states that a policy can be led to, and per state its edges: next state, move, victim."""

    states: list[State]
    edges: list[list[tuple[int, RequestMove, Victim]]]

    def worst(self, beyond: Fraction | None = None) -> GraphCycle | None:
        """Return the cycle of largest ratio; with ``beyond``, None if none has a larger ratio than that."""
        degree = max(1, *map(len, self.edges))
        targets = np.full((len(self.states), degree), -1, dtype=np.int32)
        codes = np.zeros((len(self.states), degree), dtype=np.int8)
        for s, found in enumerate(self.edges):
            for e, (t, move, _) in enumerate(found):
                targets[s, e], codes[s, e] = t, move.fault + 2 * move.pays
        start = None if beyond is None else GraphCycle((), beyond.numerator, beyond.denominator)
        cycle = best_cycle(targets, codes, RATIO, start=start).cycle
        return cycle if cycle is not None and cycle.steps else None

    def way_to(self, state: int) -> list[tuple[int, int]]:
        """Return a shortest way from the start to a state, as (state, edge)."""
        came: dict[int, tuple[int, int]] = {}
        queue = [0]
        for s in queue:
            for e, (t, _, _) in enumerate(self.edges[s]):
                if t and t not in came:
                    came[t] = (s, e)
                    queue.append(t)
        way = []
        while state:
            way.append(came[state])
            state = came[state][0]
        return way[::-1]


def follow(rule: Sequence[str]) -> Callable[[RequestMove], list[Victim]]:
    """Return the choice of a rule: all that is least by its criteria."""

    def choose(move: RequestMove) -> list[Victim]:
        held = [victim for victim in move.options if victim is not None]
        for name in rule:
            keys = [CRITERIA[name](move.layers, j, page) for j, page in held]
            held = [victim for victim, key in zip(held, keys, strict=True) if key == min(keys)]
        return list(held)

    return choose


def kept(rule: Sequence[str]) -> tuple[frozenset[str], str]:
    """Return the bits and the order of last requests that a rule looks at."""
    bits = frozenset(bit for bit, names in LOOKS_AT.items() if set(names) & set(rule))
    return bits, "times" if set(TIMES) & set(rule) else "ranks" if set(RANKS) & set(rule) else "none"


class Tables:
    """Search of *all* policies that choose by what is seen of the cache, for one that attains a ratio.

    A policy is a table: what is seen → which page leaves. Entries are decided as play meets them; a cycle
    beyond the ratio refutes the entries on it and on the way there, whatever the others are.

    Parameters
    ----------
    arena : Arena
    ratio : Fraction
    most : int
        Partial tables after which the search ends without an answer.

    Raises
    ------
    LimitError
        That many have been tried.
    """

    def __init__(self, arena: Arena, ratio: Fraction, most: int = 100_000) -> None:
        self.arena, self.ratio, self.most, self.tried = arena, ratio, most, 0
        self.table: dict[State, tuple[int, PageState]] = {}
        self.attained = self._search() is None

    def _choose(self, move: RequestMove) -> list[Victim]:
        wanted = self.table.get(move.seen)
        return [victim for victim in move.options if victim is not None and _visible(victim) == wanted]

    def _search(self) -> set[State] | None:
        """Return entries that cannot all stay, or None: the table attains the ratio."""
        self.tried += 1
        if self.tried > self.most:
            raise LimitError(f"more than {self.most} partial tables")
        played = self.arena.play(self._choose)
        cycle = played.worst(self.ratio)
        if cycle is not None:
            steps = [*played.way_to(cycle.steps[0][0]), *cycle.steps]
            moves = [played.edges[s][e][1] for s, e in steps]
            return {move.seen for move in moves if len(move.options) > 1}
        open_move = next(
            (
                move
                for state in played.states
                for move in self.arena.moves(state)
                if len(move.options) > 1 and move.seen not in self.table
            ),
            None,
        )
        if open_move is None:
            return None
        seen, against = open_move.seen, set()
        for victim in dict.fromkeys(_visible(victim) for victim in open_move.options if victim is not None):
            self.table[seen] = victim
            conflict = self._search()
            if conflict is None:
                return None
            del self.table[seen]
            if seen not in conflict:
                return conflict
            against |= conflict
        return against - {seen}


def _visible(victim: tuple[int, PageState]) -> tuple[int, PageState]:
    return victim[0], victim[1]._replace(label=0)


RULES_ON = ((2, 2, 3), (2, 3, 3), (3, 2, 4), (2, 3, 4), (3, 2, 5))
"""Instances (ℓ, n, k) on which rules are tried, one after the other, until one refutes them."""

TABLES_ON = (
    ("ranks", (), (2, 2, 3)),
    ("times", (), (2, 2, 3)),
    ("none", ("marked",), (2, 3, 3)),
    ("none", ("asked", "before"), (2, 3, 3)),
    ("ranks", ("marked",), (2, 3, 3)),
    ("none", ("marked", "hit"), (2, 3, 3)),
)
"""What tables may look at, and where they are searched."""


def main(longest: int = 3) -> None:
    """Refute all rules of at most so many criteria, and search tables; print what became of them."""
    alive = list(rules(longest))
    print(f"{len(alive)} rules of at most {longest} of {len(CRITERIA)} criteria")
    for shape in RULES_ON:
        instance = LayeredInstance(*shape)
        best = Fraction(instance.cache - instance.layers + 1)
        arenas: dict[tuple[frozenset[str], str], Arena] = {}
        left = []
        for rule in alive:
            arena = arenas.setdefault(kept(rule), Arena(instance, *kept(rule)))
            played = arena.play(follow(rule))
            cycle = played.worst(best)
            if cycle is None:
                left.append(rule)
                continue
            faults, paid = arena.lasso(played, cycle).costs(instance)
            if not faults > best * paid:
                raise AssertionError(f"{rule}: a cycle of {faults} faults against {paid} refutes nothing")
        refuted = len(alive) - len(left)
        print(f"{shape}: a cycle refutes {refuted}, {len(left)} attain {best}", *left[:4], flush=True)
        alive = left
        if not alive:
            break
    for order, bits, shape in TABLES_ON:
        instance = LayeredInstance(*shape)
        best = Fraction(instance.cache - instance.layers + 1)
        found = Tables(Arena(instance, bits, order), best)
        answer = f"a table of {len(found.table)} entries attains" if found.attained else "none attains"
        looks = f"order {order}, bits {', '.join(bits) or 'none'}"
        print(f"{shape}: {looks}: {answer} {best} ({found.tried} partial tables)", flush=True)


if __name__ == "__main__":
    main()
