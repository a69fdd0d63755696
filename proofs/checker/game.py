"""Claims about the best ratio of any deterministic algorithm, and about rules that leave their ties open.

A state says which pages are cached, OPT's work-function labels, the layer to be served, and which of its
pages have been asked for in the visit under way. Pages of a layer are alike, and so are layers with equally
many pages, seen from the one to be served. The adversary requests another page of the layer, in atomic visits
all g together; on a fault with a full cache the algorithm, which never evicts otherwise, chooses what leaves
(any other algorithm can be made to wait without faulting more, see docs/game.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, combinations
from math import comb
from typing import NamedTuple

from .problem import Problem, Proved, read_problem, spoken_of
from .reading import (
    Incomplete,
    Integers,
    Json,
    Refuted,
    choice,
    integers,
    members,
    rational,
    spend,
    whole,
)
from .states import Likeness, States, read_states
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

Pages = tuple[int, ...]


class Setting(NamedTuple):
    """The instance of a claim."""

    problem: Problem
    small: int  # OPT's cache h
    alike: Likeness
    per_visit: int  # pages g of a visit
    group: int  # pages that one request asks for: g in an atomic visit, else 1


class Side(NamedTuple):
    """Listed states with a potential."""

    states: States
    potential: Integers


class Position(NamedTuple):
    """A listed state. A code is (cached + 2 · asked for in this visit) · (h + 1) + OPT's label."""

    s: int
    codes: list[int]
    cached: list[int]  # pages
    layer: int  # to be served


class Move(NamedTuple):
    """What a request leads to, before it is known what leaves."""

    fault: int
    paid: int
    codes: list[int]  # afterwards; the requested pages are cached
    victims: list[int]  # pages that may leave
    leaving: int  # how many must
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
    side = read_side(evidence, "evidence", game)
    for s in range(len(side.potential)):
        here = state(side, s)
        for pages in requests(here, game):
            move = request(here, pages, game)
            for victims in allowed(rule, move, game):
                at_most(ratio, side, s, pages, move, follow(side, s, move, victims, game))
    reason = f"rule {rule}, however its ties are broken: {additive(ratio, side, game)}"
    return Proved(reason, assumed(game))


def allowed(rule: str, move: Move, game: Setting) -> list[Pages]:
    """Return the victims of least rank: all of smaller rank than the last one, and any of its own."""
    base = game.small + 1
    ranks = {q: OPEN[rule](move.codes[q] % base, game.small, *standing(q, move, game)) for q in move.victims}
    if not move.leaving:
        return [()]
    last = sorted(ranks.values())[move.leaving - 1]
    sure = tuple(q for q in move.victims if ranks[q] < last)
    tied = [q for q in move.victims if ranks[q] == last]
    return [(*sure, *chosen) for chosen in different(tied, move.leaving - len(sure), move, game)]


def standing(page: int, move: Move, game: Setting) -> tuple[bool, int]:
    """Return whether a page's layer is being served, and after how many visits it may be asked for again."""
    ahead = (game.problem.layer_of[page] - move.layer) % game.problem.layers
    if ahead:
        return False, ahead
    asked = [code >= 2 * (game.small + 1) for code in move.codes]
    return True, 0 if any(asked) and not asked[page] else game.problem.layers


def check_upper(ratio: Fraction, evidence: Json, game: Setting) -> str:
    """Refuse unless the listed victims keep to the listed states and the potential, whatever is requested."""
    members(evidence, "evidence.upper", (*listing(game), "potential", "victims"))
    side = read_side(evidence, "evidence.upper", game)
    listed = groups(evidence["victims"], "evidence.upper.victims", game)
    for s in range(len(side.potential)):
        here = state(side, s)
        for pages in requests(here, game):
            move = request(here, pages, game)
            named = next(listed, None)
            if named is None:
                raise Refuted("evidence.upper.victims is too short")
            victims = named[: move.leaving]
            none = named[move.leaving :]
            if len({*victims} & {*move.victims}) < move.leaving or none != (-1,) * len(none):
                verb = "are" if len(named) > 1 else "is"
                raise Refuted(
                    f"state {s}, request of {said(pages)}: the {said(named, 'victim')} {verb} not allowed"
                )
            at_most(ratio, side, s, pages, move, follow(side, s, move, victims, game))
    if next(listed, None) is not None:
        raise Refuted("evidence.upper.victims is too long")
    return additive(ratio, side, game)


def check_lower(ratio: Fraction, evidence: Json, game: Setting) -> str:
    """Refuse unless the listed requests keep to the listed states and the potential, whatever leaves.

    Adding up gives Q·faults ≥ P·OPT − constant. A move without cost leads to fewer steps, so faults or OPT
    grow for ever; as faults are few only if OPT is, faults grow for ever. So no ratio below P/Q is possible.
    """
    members(evidence, "evidence.lower", (*listing(game), "potential", "requests", "steps"))
    side = read_side(evidence, "evidence.lower", game)
    listed = [*groups(evidence["requests"], "evidence.lower.requests", game)]
    steps = integers(evidence["steps"], "evidence.lower.steps")
    if len(listed) != len(side.potential) or len(steps) != len(side.potential):
        raise Refuted("evidence.lower must have one request and one number of steps for every state")
    p, q = ratio.numerator, ratio.denominator
    for s, pages in enumerate(listed):
        here = state(side, s)
        check_request(here, pages, game)
        move = request(here, pages, game)
        for victims in different(move.victims, move.leaving, move, game):
            t = follow(side, s, move, victims, game)
            if q * move.fault + side.potential[t] < p * move.paid + side.potential[s]:
                raise Refuted(
                    f"state {s}: the request breaks the potential{gone(victims)}: "
                    f"{q}·{move.fault} + {side.potential[t]} < {p}·{move.paid} + {side.potential[s]}"
                )
            if not move.fault and not move.paid and steps[t] >= steps[s]:
                raise Refuted(f"state {s}: the request costs nothing, and does not lead to fewer steps")
    return f"an adversary forces {ratio} with {len(listed)} decisions"


# ------------------------------------------------------------------------------------------------- moves


def state(side: Side, s: int) -> Position:
    """Return a listed state."""
    labels, work, layer = side.states.row(s)
    base = side.states.base
    codes = [label * base + opt for label, opt in zip(labels, work, strict=True)]
    return Position(s, codes, [q for q, label in enumerate(labels) if label % 2], layer)


def requests(here: Position, game: Setting) -> list[Pages]:
    """Return the pages that may be requested together in a listed state; of like ones the first."""
    codes, bounds = here.codes, game.alike.bounds
    own = range(bounds[here.layer], bounds[here.layer + 1])
    able = [page for page in own if codes[page] < 2 * (game.small + 1)]
    if game.group == 1:
        first: dict[int, int] = {}
        for page in able:
            first.setdefault(codes[page], page)
        return [(page,) for page in first.values()]
    seen: dict[tuple[int, ...], Pages] = {}
    for pages in combinations(able, game.group):
        seen.setdefault(tuple(sorted([codes[page] for page in pages])), pages)
    return list(seen.values())


def check_request(here: Position, pages: Pages, game: Setting) -> None:
    """Refuse a request of pages that may not be requested together in a listed state."""
    for page in pages:
        if not game.alike.bounds[here.layer] <= page < game.alike.bounds[here.layer + 1]:
            raise Refuted(f"state {here.s}: page {page} is not in the layer to be served")
        if here.codes[page] >= 2 * (game.small + 1):
            raise Refuted(f"state {here.s}: page {page} was asked for in this visit")
    if len({*pages}) < len(pages):
        raise Refuted(f"state {here.s}: a page is requested twice in one visit")


def request(here: Position, pages: Pages, game: Setting) -> Move:
    """Return what a request in a listed state costs, and which victims there are."""
    base, codes, paid = game.small + 1, here.codes, 0
    fault = len(pages) - len([page for page in pages if page in here.cached])
    leaving = max(0, len(here.cached) + fault - game.problem.capacity[0])
    victims = [q for q in here.cached if q not in pages] if leaving else []
    # An atomic visit is to OPT as if its pages were requested one by one, and once more (docs/visits.md).
    for page in pages if game.group == 1 else pages + pages:
        label = codes[page] % base
        full = label > 0 or len([code for code in codes if code % base]) >= game.small
        becomes = recoded(label, full, game.small)
        codes = [becomes[code] for code in codes]
        codes[page] = codes[page] - codes[page] % base + game.small
        paid += label == 0
    for page in pages:
        codes[page] = 3 * base + game.small  # cached and asked for
    following = here.layer
    if game.per_visit == game.group or len([1 for code in codes if code >= 2 * base]) >= game.per_visit:
        codes = [code % (2 * base) for code in codes]
        following = (here.layer + 1) % game.problem.layers
    return Move(fault, paid, codes, victims, leaving, here.layer, following)


@lru_cache(maxsize=1000)
def recoded(label: int, full: bool, small: int) -> list[int]:
    """Return what becomes of every code when a page with an OPT label is requested."""
    work = moved(label, full, small)
    return [first + new for first in range(0, 4 * (small + 1), small + 1) for new in work]


def different(victims: list[int], leaving: int, move: Move, game: Setting) -> list[Pages]:
    """Return the sets of so many victims, of those that are alike only the first."""
    if leaving == 1:
        return [(victim,) for victim in unlike(victims, move, game)]
    seen: dict[tuple[tuple[int, ...], ...], Pages] = {}
    for chosen in combinations(victims, leaving):
        seen.setdefault(tuple(sorted(kind(victim, move, game) for victim in chosen)), chosen)
    return list(seen.values())


def unlike(victims: list[int], move: Move, game: Setting) -> list[int]:
    """Return victims, of those that are alike only the first."""
    seen: dict[tuple[int, ...], int] = {}
    for victim in victims:
        seen.setdefault(kind(victim, move, game), victim)
    return list(seen.values())


def kind(victim: int, move: Move, game: Setting) -> tuple[int, ...]:
    """Return what of a cached page matters: its layer, OPT's label, whether this visit asked for it."""
    return game.problem.layer_of[victim], move.codes[victim]


def follow(side: Side, s: int, move: Move, victims: Pages, game: Setting) -> int:
    """Return the number of the state after a move, or refuse one that is not listed."""
    codes = list(move.codes)
    for victim in victims:
        codes[victim] -= side.states.base
    t = side.states.find(codes, move.following)
    if t is None:
        raise Refuted(f"state {s}: the request leads to a state that is not listed{gone(victims)}")
    return t


def at_most(ratio: Fraction, side: Side, s: int, pages: Pages, move: Move, t: int) -> None:
    """Refuse a move that costs the algorithm more than the potential allows."""
    p, q = ratio.numerator, ratio.denominator
    if q * move.fault + side.potential[t] > p * move.paid + side.potential[s]:
        raise Refuted(
            f"state {s}: a request of {said(pages)} breaks the potential: "
            f"{q}·{move.fault} + {side.potential[t]} > {p}·{move.paid} + {side.potential[s]}"
        )


def said(pages: Pages, word: str = "page") -> str:
    """Name pages."""
    return f"{word}{'s' if len(pages) > 1 else ''} {', '.join(map(str, pages))}"


def gone(victims: Pages) -> str:
    """Say what leaves."""
    return f" if {said(victims)} leave{'' if len(victims) > 1 else 's'}" if victims else ""


def additive(ratio: Fraction, side: Side, game: Setting) -> str:
    """Return what the potential proves from the cold start on."""
    start = side.states.start()
    spare = Fraction(side.potential[start] - min(side.potential), ratio.denominator)
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


def read_side(evidence: Json, where: str, game: Setting) -> Side:
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
    spend(f"{where}: the moves of all states", len(potential) * moves)
    return Side(states, potential)
