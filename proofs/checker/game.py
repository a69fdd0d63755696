"""Claims about the best ratio of any deterministic algorithm, and about rules that leave their ties open.

A state says which pages are cached, OPT's work-function labels, the layer to be served, and which of its
pages have been asked for in the visit under way. Pages of a layer are alike, and so are layers with equally
many pages, seen from the one to be served. The adversary requests another page of the layer, in atomic visits
all g together; on a fault with a full cache the algorithm, which never evicts otherwise, chooses what leaves
(any other algorithm can be made to wait without faulting more, see docs/game.md).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import accumulate, combinations, pairwise
from math import comb
from operator import getitem, mul
from typing import NamedTuple

from .problem import Problem, Proved, read_problem, spoken_of
from .reading import (
    Incomplete,
    Json,
    Refuted,
    choice,
    integers,
    members,
    rational,
    spend,
    whole,
)
from .states import KEPT, Likeness, States, read_states, split
from .work_function import moved, opt_so_far

SIDES = ("lower", "upper")

OPEN: dict[str, Callable[[int, int, bool, int], tuple[int, ...]]] = {
    "zrc": lambda label, cache, own, _: (
        (0,) if label == 0 else (3,) if label == cache else (1 if own else 2,)
    ),
    "far-lab": lambda label, cache, _, wait: (
        (0,) if label == 0 else (2,) if label == cache else (1, -wait, label)
    ),
    "zero-first": lambda label, cache, *_: (0,) if label == 0 else (2,) if label == cache else (1,),
    "any": lambda *_: (0,),
}
"""Rules: rank of a cached page by its label after the request, h, whether its layer is being served, wait.

That is after how many visits it may be asked for again, 0 if still in this one. Of the pages of least rank
any may leave.
"""

MOST = 10
"""Limit: pages of an atomic visit."""

ROW = 100
"""Room for what is listed of a state, or of a layer."""

Pages = tuple[int, ...]


class Setting(NamedTuple):
    """The instance of a claim."""

    problem: Problem
    small: int  # OPT's cache h
    alike: Likeness
    per_visit: int  # pages g of a visit
    group: int  # pages that one request asks for: g in an atomic visit, else 1


class NotAble(Exception):  # noqa: N818
    """Pages are to leave that may not."""


class After(dict[Pages, int]):
    """What becomes of the pages of a layer: of which part they are then, by the places of those that leave.

    A code is (cached + 2 · asked for in this visit) · (h + 1) + OPT's label.
    """

    def __init__(self, board: Board, codes: list[int], able: list[int]) -> None:
        super().__init__()
        self.board, self.codes, self.able = board, codes, able  # able: places of pages that may leave
        board.kept += 4 + len(codes) // 8

    def __missing__(self, leaving: Pages) -> int:
        if len({*leaving} & {*self.able}) < len(leaving):
            raise NotAble
        codes = list(self.codes)
        for place in leaving:
            codes[place] -= self.board.base
        self[leaving] = part = self.board.states.part(codes)
        self.board.kept += 1
        return part


class Others(dict[int, After]):
    """What becomes of layers that are not served, by how they are listed, if OPT's labels become these."""

    def __init__(self, board: Board, table: tuple[int, ...]) -> None:
        super().__init__()
        self.board, self.table = board, table

    def __missing__(self, listed: int) -> After:
        board, base = self.board, self.board.base
        codes = [code - code % base + self.table[code % base] for code in board.codes[listed]]
        self[listed] = after = After(board, codes, board.cached[listed])
        return after


class Effect(NamedTuple):
    """What a request costs, and what becomes of the layers, before it is known what leaves."""

    places: Pages  # of the pages requested in their layer
    fault: int
    paid: int
    own: After
    others: Others
    ends: bool  # it is the last one of its visit


class Move(NamedTuple):
    """A request in a listed state."""

    s: int
    request: Effect
    layers: list[After]
    leaving: int  # how many pages must leave
    layer: int  # to be served before the request,
    following: int  # and after it


def check_game(claim: Json, evidence: Json) -> Proved:
    """Check the type ``game``: the best deterministic ratio is at least ``lower``, at most ``upper``."""
    members(claim, "claim", ("instance", "opt_cache"), SIDES)
    sides = [side for side in SIDES if side in claim]
    if not sides:
        raise Incomplete("claim needs lower, upper or both")
    members(evidence, "evidence", sides)
    game = read_game(claim)
    words = {}
    if "lower" in sides:
        words["lower"] = check_lower(read_ratio(claim, "lower"), evidence["lower"], game)
    if "upper" in sides:
        words["upper"] = check_upper(read_ratio(claim, "upper"), evidence["upper"], game)
    if len(sides) == 2 and rational(claim["lower"], "lower") == rational(claim["upper"], "upper"):
        text = f"exactly {claim['upper']}"
    else:
        text = " and ".join(f"{'at least' if s == 'lower' else 'at most'} {claim[s]}" for s in sides)
    reason = f"the best deterministic ratio is {text}; {'; '.join(words.values())}"
    return Proved(reason, assumed(game))


def check_rule(claim: Json, evidence: Json) -> Proved:
    """Check the type ``rule``: a rule has at most this ratio, however its ties are broken."""
    members(claim, "claim", ("instance", "opt_cache", "rule", "upper"))
    rule = choice(claim["rule"], "claim.rule", *OPEN)
    game, ratio = read_game(claim), read_ratio(claim, "upper")
    members(evidence, "evidence", (*listing(game), "potential"))
    board = read_side(evidence, "evidence", game)
    for s in range(len(board.potential)):
        for move in board.moves(s):
            for victims in allowed(rule, move, board):
                at_most(ratio, board, move, board.follow(move, victims))
    reason = f"rule {rule}, however its ties are broken: {additive(ratio, board)}"
    return Proved(reason, assumed(game))


def allowed(rule: str, move: Move, board: Board) -> list[Pages]:
    """Return the victims of least rank: all of smaller rank than the last one, and any of its own."""
    if not move.leaving:
        return [()]
    ranks = {q: rank(rule, q, move, board) for q in board.able(move)}
    last = sorted(ranks.values())[move.leaving - 1]
    sure = tuple(q for q in ranks if ranks[q] < last)
    tied = [q for q in ranks if ranks[q] == last]
    return [(*sure, *chosen) for chosen in different(tied, move, board, move.leaving - len(sure))]


def rank(rule: str, page: int, move: Move, board: Board) -> tuple[int, ...]:
    """Return the rank of a page that may leave."""
    (layer, place), small = board.place[page], board.game.small
    codes = move.layers[layer].codes
    asked = [code >= 2 * board.base for code in codes]
    wait = (layer - move.layer) % len(move.layers)
    if wait == 0 and (asked[place] or not any(asked)):  # in this visit it is not asked for any more
        wait = len(move.layers)
    return OPEN[rule](codes[place] % board.base, small, layer == move.layer, wait)


def check_upper(ratio: Fraction, evidence: Json, game: Setting) -> str:
    """Refuse unless the listed victims keep to the listed states and the potential, whatever is requested."""
    members(evidence, "evidence.upper", (*listing(game), "potential", "victims"))
    board = read_side(evidence, "evidence.upper", game)
    listed = groups(evidence["victims"], "evidence.upper.victims", game)
    for s in range(len(board.potential)):
        for move in board.moves(s):
            named = next(listed, None)
            if named is None:
                raise Refuted("evidence.upper.victims is too short")
            victims = named[: move.leaving]
            none = named[move.leaving :]
            try:
                if none != (-1,) * len(none):
                    raise NotAble
                at_most(ratio, board, move, board.follow(move, victims))
            except NotAble:
                verb = "are" if len(named) > 1 else "is"
                what = f"state {s}, request of {said(board.pages(move))}"
                raise Refuted(f"{what}: the {said(named, 'victim')} {verb} not allowed") from None
    if next(listed, None) is not None:
        raise Refuted("evidence.upper.victims is too long")
    return additive(ratio, board)


def check_lower(ratio: Fraction, evidence: Json, game: Setting) -> str:
    """Refuse unless the listed requests keep to the listed states and the potential, whatever leaves.

    Adding up gives Q·faults ≥ P·OPT − constant. A move without cost leads to fewer steps, so faults or OPT
    grow for ever; as faults are few only if OPT is, faults grow for ever. So no ratio below P/Q is possible.
    """
    members(evidence, "evidence.lower", (*listing(game), "potential", "requests", "steps"))
    board = read_side(evidence, "evidence.lower", game)
    listed = [*groups(evidence["requests"], "evidence.lower.requests", game)]
    steps, potential = integers(evidence["steps"], "evidence.lower.steps"), board.potential
    if len(listed) != len(potential) or len(steps) != len(potential):
        raise Refuted("evidence.lower must have one request and one number of steps for every state")
    p, q = ratio.numerator, ratio.denominator
    for s, pages in enumerate(listed):
        move = board.move(s, pages)
        fault, paid = move.request.fault, move.request.paid
        for victims in different(board.able(move), move, board, move.leaving):
            t = board.follow(move, victims)
            if q * fault + potential[t] < p * paid + potential[s]:
                raise Refuted(
                    f"state {s}: the request breaks the potential{gone(victims)}: "
                    f"{q}·{fault} + {potential[t]} < {p}·{paid} + {potential[s]}"
                )
            if not fault and not paid and steps[t] >= steps[s]:
                raise Refuted(f"state {s}: the request costs nothing, and does not lead to fewer steps")
    return f"an adversary forces {ratio} with {len(listed)} decisions"


# ------------------------------------------------------------------------------------------------- moves


class Board:
    """The listed states with their potential, and what requests make of them.

    Layers of many states are listed alike. What a request makes of a layer depends on how that is listed, and
    on what OPT knows of the layer that is served: worked out once, as long as there is room.
    """

    def __init__(self, states: States, potential: list[int], game: Setting) -> None:
        self.states, self.potential, self.game = states, potential, game
        self.base, self.kept = states.base, 0
        bounds, slots = states.alike.bounds, game.problem.capacity[0]
        pieces = [end - first for first, end in pairwise(bounds)]
        codes = array("q", [x * self.base + opt for x, opt in zip(states.labels, states.work, strict=True)])
        spend("the layers of states", 2 * len(codes), (ROW + 8 * len(pieces)) * len(states.layers))
        rows = Numbers()
        self.rows = list(zip(*[map(rows.__getitem__, own) for own in split(codes, pieces)], strict=True))
        self.codes = [array("q", content).tolist() for content in rows]
        self.cached = [
            [place for place, code in enumerate(own) if code // self.base % 2] for own in self.codes
        ]
        self.positive = [len([code for code in own if code % self.base]) for own in self.codes]
        self.free = [slots - sum(len(self.cached[listed]) for listed in row) for row in self.rows]
        self.place = {q: (j, q - bounds[j]) for j in range(len(pieces)) for q in range(*bounds[j : j + 2])}
        self.weights = [states.weights_from(layer) for layer in range(len(pieces))]
        self.added = [0 if states.alike.layers else layer for layer in range(len(pieces))]
        self.leaving: dict[Pages, list[Pages]] = {}
        self.others: dict[tuple[int, ...], Others] = {}
        self.requests: dict[tuple[int, int], list[Effect]] = {}
        self.request: dict[tuple[int, int, Pages], Effect] = {}

    def seen(self, s: int) -> tuple[int, int]:
        """Return what of a state matters to a request: the layer served, and how many pages OPT may have."""
        if self.kept > KEPT:
            self.kept = 0
            for known in (self.leaving, self.others, self.requests, self.request):
                known.clear()
        row = self.rows[s]
        positive = sum([self.positive[listed] for listed in row])
        return row[self.states.layers[s]], min(positive, self.game.small)

    def moves(self, s: int) -> list[Move]:
        """Return every request in a listed state; of sets of pages that are alike the first."""
        seen = self.seen(s)
        requests = self.requests.get(seen)
        if requests is None:
            codes, group = self.codes[seen[0]], self.game.group
            able = [place for place, code in enumerate(codes) if code < 2 * self.base]
            first: dict[tuple[int, ...], Pages] = {}
            for places in combinations(able, group):
                first.setdefault(tuple(sorted([codes[place] for place in places])), places)
            requests = self.requests[seen] = [self.asked(seen, places) for places in first.values()]
        return [self.moved(s, request) for request in requests]

    def move(self, s: int, pages: Pages) -> Move:
        """Return a listed request in a listed state, or refuse one of pages that may not be requested."""
        seen, layer = self.seen(s), self.states.layers[s]
        places = tuple([page - self.states.alike.bounds[layer] for page in pages])
        request = self.request.get((*seen, places))
        if request is None:
            codes = self.codes[seen[0]]
            for page, place in zip(pages, places, strict=True):
                if not 0 <= place < len(codes):
                    raise Refuted(f"state {s}: page {page} is not in the layer to be served")
                if codes[place] >= 2 * self.base:
                    raise Refuted(f"state {s}: page {page} was asked for in this visit")
            if len({*places}) < len(places):
                raise Refuted(f"state {s}: a page is requested twice in one visit")
            request = self.request[(*seen, places)] = self.asked(seen, places)
        return self.moved(s, request)

    def asked(self, seen: tuple[int, int], places: Pages) -> Effect:
        """Work out a request of the pages at some places of the layer served."""
        listed, positive = seen
        game, base, codes, paid = self.game, self.base, self.codes[listed], 0
        table = tuple(range(base))
        # An atomic visit is to OPT as if its pages were requested one by one, and once more (docs/visits.md).
        for place in places if game.group == 1 else places + places:
            label = codes[place] % base
            becomes = moved(label, positive >= game.small, game.small)
            codes = [code - code % base + becomes[code % base] for code in codes]
            codes[place] = codes[place] - codes[place] % base + game.small
            table = tuple([becomes[opt] for opt in table])
            positive += label == 0
            paid += label == 0
        codes = list(codes)
        for place in places:
            codes[place] = 3 * base + game.small  # cached and asked for
        ends = game.per_visit == game.group or len([1 for c in codes if c >= 2 * base]) >= game.per_visit
        if ends:
            codes = [code % (2 * base) for code in codes]
        cached = self.cached[listed]
        self.kept += 4
        return Effect(
            places,
            len([place for place in places if place not in cached]),
            paid,
            After(self, codes, [place for place in cached if place not in places]),
            self.others.setdefault(table, Others(self, table)),
            ends,
        )

    def moved(self, s: int, request: Effect) -> Move:
        """Return a request in a listed state."""
        layer = self.states.layers[s]
        layers = list(map(request.others.__getitem__, self.rows[s]))
        layers[layer] = request.own
        following = (layer + 1) % len(layers) if request.ends else layer
        leaving = request.fault - self.free[s]
        return Move(s, request, layers, leaving if leaving > 0 else 0, layer, following)

    def pages(self, move: Move) -> Pages:
        """Return the pages that are requested."""
        first = self.states.alike.bounds[move.layer]
        return tuple([first + place for place in move.request.places])

    def able(self, move: Move) -> list[int]:
        """Return the pages that may leave."""
        bounds = self.states.alike.bounds
        return [first + q for first, after in zip(bounds, move.layers, strict=False) for q in after.able]

    def kind(self, victim: int, move: Move) -> tuple[int, int]:
        """Return what of a cached page matters: its layer, OPT's label, whether this visit asked for it."""
        layer, place = self.place[victim]
        return layer, move.layers[layer].codes[place]

    def follow(self, move: Move, victims: Pages) -> int:
        """Return the number of the state after a move, or refuse one that is not listed."""
        leaving = self.leaving.get(victims)
        if leaving is None:
            leaving = self.leaving[victims] = self.apart(victims)
        parts = map(getitem, move.layers, leaving)
        try:
            return self.states.number[
                sum(map(mul, parts, self.weights[move.following]), self.added[move.following])
            ]
        except KeyError:
            raise Refuted(
                f"state {move.s}: the request leads to a state that is not listed{gone(victims)}"
            ) from None

    def apart(self, victims: Pages) -> list[Pages]:
        """Return the places of victims, layer by layer."""
        if not {*victims} <= {*self.place}:
            raise NotAble
        self.kept += 1
        places = [self.place[victim] for victim in victims]
        return [tuple([q for j, q in places if j == layer]) for layer in range(len(self.weights))]


class Numbers(dict[bytes, int]):
    """Numbers of listed layers, by their bytes, in the order in which they are met."""

    def __missing__(self, met: bytes) -> int:
        spend("the layers of states", len(met), 4 * (ROW + len(met)))
        self[met] = number = len(self)
        return number


def different(victims: list[int], move: Move, board: Board, leaving: int) -> list[Pages]:
    """Return the sets of so many victims, of those that are alike only the first."""
    seen: dict[tuple[tuple[int, int], ...], Pages] = {}
    for chosen in combinations(victims, leaving):
        seen.setdefault(tuple(sorted([board.kind(victim, move) for victim in chosen])), chosen)
    return list(seen.values())


def at_most(ratio: Fraction, board: Board, move: Move, t: int) -> None:
    """Refuse a move that costs the algorithm more than the potential allows."""
    p, q, potential, request = ratio.numerator, ratio.denominator, board.potential, move.request
    if q * request.fault + potential[t] > p * request.paid + potential[move.s]:
        raise Refuted(
            f"state {move.s}: a request of {said(board.pages(move))} breaks the potential: "
            f"{q}·{request.fault} + {potential[t]} > {p}·{request.paid} + {potential[move.s]}"
        )


def said(pages: Pages, word: str = "page") -> str:
    """Name pages."""
    return f"{word}{'s' if len(pages) > 1 else ''} {', '.join(map(str, pages))}"


def gone(victims: Pages) -> str:
    """Say what leaves."""
    return f" if {said(victims)} leave{'' if len(victims) > 1 else 's'}" if victims else ""


def additive(ratio: Fraction, board: Board) -> str:
    """Return what the potential proves from the cold start on."""
    start = board.states.start()
    spare = Fraction(board.potential[start] - min(board.potential), ratio.denominator)
    return f"faults ≤ {ratio}·OPT + {spare} on every request sequence"


# ----------------------------------------------------------------------------------------------- reading


def read_game(claim: Json) -> Setting:
    """Read the instance: fewer slots than pages, or every ratio is 0."""
    problem = read_problem({"instance": claim["instance"], "requests": []}, ())
    if problem.bypassing or "shares" in claim["instance"]:
        raise Incomplete("the game needs forced service and one shared cache")
    per_visit, group = claim["instance"]["per_visit"], problem.group
    if group > MOST:
        raise Incomplete(f"an atomic visit has more than {MOST} pages, this checker's limit")
    small = whole(claim["opt_cache"], "claim.opt_cache", group, problem.capacity[0])
    if problem.capacity[0] >= len(problem.layer_of):
        raise Incomplete("a ratio needs more pages than slots")
    alike = len(set(problem.counts)) == 1
    bounds = (0, *accumulate(problem.counts))
    return Setting(problem, small, Likeness(bounds, True, alike), per_visit, group)


def assumed(game: Setting) -> tuple[str, ...]:
    """Return what a proof rests on."""
    return (*spoken_of(game.problem, game.small), *opt_so_far(game.group))


def listing(game: Setting) -> tuple[str, ...]:
    """Return the fields that list states; what was asked for matters within a visit only."""
    return ("cached", *(("asked",) if game.per_visit > game.group else ()), "work", "layers")


def groups(value: Json, where: str, game: Setting) -> Iterator[Pages]:
    """Read pages, as many at a time as a request asks for."""
    flat = integers(value, where)
    if len(flat) % game.group:
        raise Refuted(f"{where}: {len(flat)} numbers are not {game.group} each")
    return zip(*[iter(flat)] * game.group, strict=True)


def read_ratio(claim: Json, name: str) -> Fraction:
    """Read a bound, which is positive."""
    ratio = rational(claim[name], f"claim.{name}")
    if ratio <= 0:
        raise Refuted(f"claim.{name} must be positive")
    return ratio


def read_side(evidence: Json, where: str, game: Setting) -> Board:
    """Read listed states, the cold start among them, and their potential."""
    width, slots = game.alike.bounds[-1], game.problem.capacity[0]
    cached = integers(evidence["cached"], f"{where}.cached")
    if any(bit not in (0, 1) for bit in cached):
        raise Refuted(f"{where}.cached must say 1 for a cached page and 0 for another")
    labels = evidence["cached"]
    if "asked" in evidence:
        asked = integers(evidence["asked"], f"{where}.asked")
        if any(bit not in (0, 1) for bit in asked) or len(asked) != len(cached):
            raise Refuted(f"{where}.asked must say 1 for a page asked for in the visit and 0 for another")
        if any(sum(asked[i : i + width]) >= game.per_visit for i in range(0, len(asked), width)):
            raise Refuted(f"{where}: {game.per_visit} pages or more were asked for in a visit that goes on")
        labels = [bit + 2 * more for bit, more in zip(cached, asked, strict=True)]
    states = read_states({**evidence, "labels": labels}, game.problem, game.small, game.alike)
    potential = integers(evidence["potential"], f"{where}.potential")
    if len(potential) != len(states.layers):
        raise Refuted(f"{where}: {len(potential)} potentials for {len(states.layers)} states")
    if any(sum(cached[i : i + width]) > slots for i in range(0, len(cached), width)):
        raise Refuted(f"{where}: a state has more than {slots} cached pages")
    requests = 1 if "requests" in evidence else comb(max(game.problem.counts), game.group)
    victims = 1 if "victims" in evidence else comb(slots, game.group)
    moves = requests * width * (1 + game.group + victims)
    room = requests * (10 * ROW + 16 * width)  # of the requests of a state
    spend(f"{where}: the moves of all states", len(potential) * moves, room)
    return Board(states, potential.tolist(), game)
