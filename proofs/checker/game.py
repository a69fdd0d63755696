"""Claims about the best ratio of any deterministic algorithm, and about rules that leave their ties open.

A state says which pages are cached, OPT's work-function labels, and the layer to be served. Pages of a layer
are alike, and so are layers with equally many pages, seen from the one to be served. The adversary requests
a page; on a fault with a full cache the algorithm, which never evicts otherwise, chooses what leaves (any
other algorithm can be made to wait without faulting more, see docs/game.md).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from .problem import Problem, Proved, read_opt_cache, read_plain
from .reading import Incomplete, Integers, Json, Refuted, choice, integers, members, rational, spend
from .states import Likeness, States, read_states
from .work_function import OPT_SO_FAR, update

SIDES = ("lower", "upper")

OPEN: dict[str, Callable[[int, int, bool], int]] = {
    "zrc": lambda label, cache, own: 0 if label == 0 else 3 if label == cache else 1 if own else 2,
    "zero-first": lambda label, cache, own: 0 if label == 0 else 2 if label == cache else 1,
    "any": lambda label, cache, own: 0,
}
"""Rules: rank of a cached page by its label after the request, h, and whether its layer is being served.

Of the pages of least rank any may leave.
"""


class Setting(NamedTuple):
    """The instance of a claim."""

    problem: Problem
    small: int  # OPT's cache h
    alike: Likeness


class Side(NamedTuple):
    """Listed states with a potential."""

    states: States
    potential: Integers


class Move(NamedTuple):
    """What a request leads to, before it is known what leaves."""

    fault: int
    paid: int
    cached: list[int]  # 1 for every page cached, the requested one among them
    work: list[int]
    victims: list[int]  # pages that may leave; none if none must


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
    return Proved(reason, (*game.problem.model[:5], f"OPT has {game.small} pages", OPT_SO_FAR))


def check_rule(claim: Json, evidence: Json) -> Proved:
    """Check the type ``rule``: a rule has at most this ratio, however its ties are broken."""
    members(claim, "claim", ("instance", "opt_cache", "rule", "upper"))
    members(evidence, "evidence", ("cached", "work", "layers", "potential"))
    rule = choice(claim["rule"], "claim.rule", *OPEN)
    game, ratio = read_game(claim), read_ratio(claim, "upper")
    side = read_side(evidence, "evidence", game)
    for s in range(len(side.potential)):
        for page in requests(side, s):
            move = request(side, s, page, game)
            for victim in allowed(rule, side.states.layers[s], move, game):
                at_most(ratio, side, s, page, move, follow(side, s, move, victim, game))
    reason = f"rule {rule}, however its ties are broken: {additive(ratio, side, game)}"
    return Proved(reason, (*game.problem.model[:5], f"OPT has {game.small} pages", OPT_SO_FAR))


def allowed(rule: str, layer: int, move: Move, game: Setting) -> list[int | None]:
    """Return the victims of least rank."""
    rank = {q: OPEN[rule](move.work[q], game.small, game.problem.layer_of[q] == layer) for q in move.victims}
    least = min(rank.values(), default=0)
    return different([q for q in move.victims if rank[q] == least], move, game)


def check_upper(ratio: Fraction, evidence: Json, game: Setting) -> str:
    """Refuse unless the listed victims keep to the listed states and the potential, whatever is requested."""
    members(evidence, "evidence.upper", ("cached", "work", "layers", "potential", "victims"))
    side = read_side(evidence, "evidence.upper", game)
    victims = iter(integers(evidence["victims"], "evidence.upper.victims"))
    for s in range(len(side.potential)):
        for page in requests(side, s):
            move = request(side, s, page, game)
            victim = next(victims, None)
            if victim is None:
                raise Refuted("evidence.upper.victims is too short")
            if victim not in (move.victims or [-1]):
                raise Refuted(f"state {s}, request of page {page}: the victim {victim} is not allowed")
            at = follow(side, s, move, victim if move.victims else None, game)
            at_most(ratio, side, s, page, move, at)
    if next(victims, None) is not None:
        raise Refuted("evidence.upper.victims is too long")
    return additive(ratio, side, game)


def check_lower(ratio: Fraction, evidence: Json, game: Setting) -> str:
    """Refuse unless the listed requests keep to the listed states and the potential, whatever leaves.

    Adding up gives Q·faults ≥ P·OPT − constant. A move without cost leads to fewer steps, so faults or OPT
    grow for ever; as faults are few only if OPT is, faults grow for ever. So no ratio below P/Q is possible.
    """
    members(evidence, "evidence.lower", ("cached", "work", "layers", "potential", "requests", "steps"))
    side = read_side(evidence, "evidence.lower", game)
    listed, steps = (integers(evidence[name], f"evidence.lower.{name}") for name in ("requests", "steps"))
    if len(listed) != len(side.potential) or len(steps) != len(side.potential):
        raise Refuted("evidence.lower must have one request and one number of steps for every state")
    p, q = ratio.numerator, ratio.denominator
    for s, page in enumerate(listed):
        layer = side.states.layers[s]
        if not game.alike.bounds[layer] <= page < game.alike.bounds[layer + 1]:
            raise Refuted(f"state {s}: page {page} is not in the layer to be served")
        move = request(side, s, page, game)
        for victim in different(move.victims, move, game):
            t = follow(side, s, move, victim, game)
            if q * move.fault + side.potential[t] < p * move.paid + side.potential[s]:
                gone = "" if victim is None else f" if page {victim} leaves"
                raise Refuted(
                    f"state {s}: the request breaks the potential{gone}: "
                    f"{q}·{move.fault} + {side.potential[t]} < {p}·{move.paid} + {side.potential[s]}"
                )
            if not move.fault and not move.paid and steps[t] >= steps[s]:
                raise Refuted(f"state {s}: the request costs nothing, and does not lead to fewer steps")
    return f"an adversary forces {ratio} with {len(listed)} decisions"


# ------------------------------------------------------------------------------------------------- moves


def requests(side: Side, s: int) -> list[int]:
    """Return the pages that may be requested in a listed state; of those that are alike only the first."""
    labels, work, layer = side.states.row(s)
    bounds = side.states.alike.bounds
    seen: dict[tuple[int, int], int] = {}
    for page in range(bounds[layer], bounds[layer + 1]):
        seen.setdefault((labels[page], work[page]), page)
    return list(seen.values())


def request(side: Side, s: int, page: int, game: Setting) -> Move:
    """Return what a request in a listed state costs, and which victims there are."""
    cached, work, _ = side.states.row(s)
    paid = update(work, page, game.small)
    fault = 1 - cached[page]
    victims: list[int] = []
    if fault and sum(cached) == game.problem.capacity[0]:
        victims = [q for q, bit in enumerate(cached) if bit]
    cached[page] = 1
    return Move(fault, paid, cached, work, victims)


def different(victims: list[int], move: Move, game: Setting) -> list[int | None]:
    """Return victims, of those of a layer with the same label only the first; None if nothing must leave."""
    seen: dict[tuple[int, int], int] = {}
    for victim in victims:
        seen.setdefault((game.problem.layer_of[victim], move.work[victim]), victim)
    return [*seen.values()] or [None]


def follow(side: Side, s: int, move: Move, victim: int | None, game: Setting) -> int:
    """Return the number of the state after a move, or refuse one that is not listed."""
    cached = list(move.cached)
    if victim is not None:
        cached[victim] = 0
    layer = (side.states.layers[s] + 1) % game.problem.layers
    t = side.states.find(cached, move.work, layer)
    if t is None:
        gone = "" if victim is None else f" if page {victim} leaves"
        raise Refuted(f"state {s}: the request leads to a state that is not listed{gone}")
    return t


def at_most(ratio: Fraction, side: Side, s: int, page: int, move: Move, t: int) -> None:
    """Refuse a move that costs the algorithm more than the potential allows."""
    p, q = ratio.numerator, ratio.denominator
    if q * move.fault + side.potential[t] > p * move.paid + side.potential[s]:
        raise Refuted(
            f"state {s}: a request of page {page} breaks the potential: "
            f"{q}·{move.fault} + {side.potential[t]} > {p}·{move.paid} + {side.potential[s]}"
        )


def additive(ratio: Fraction, side: Side, game: Setting) -> str:
    """Return what the potential proves from the cold start on."""
    start = side.states.number[side.states.start()]
    spare = Fraction(side.potential[start] - min(side.potential), ratio.denominator)
    return f"faults ≤ {ratio}·OPT + {spare} on every request sequence"


# ----------------------------------------------------------------------------------------------- reading


def read_game(claim: Json) -> Setting:
    """Read the instance: fewer slots than pages, or every ratio is 0."""
    problem = read_plain(claim)
    small = read_opt_cache(claim, problem)
    if problem.capacity[0] >= len(problem.layer_of):
        raise Incomplete("a ratio needs more pages than slots")
    alike = len(set(problem.counts)) == 1
    return Setting(problem, small, Likeness((0, *accumulate(problem.counts)), True, alike))


def read_ratio(claim: Json, name: str) -> Fraction:
    """Read a bound, which is positive."""
    ratio = rational(claim[name], f"claim.{name}")
    if ratio <= 0:
        raise Refuted(f"claim.{name} must be positive")
    return ratio


def read_side(evidence: Json, where: str, game: Setting) -> Side:
    """Read listed states, the cold start among them, and their potential."""
    if any(bit not in (0, 1) for bit in integers(evidence["cached"], f"{where}.cached")):
        raise Refuted(f"{where}.cached must say 1 for a cached page and 0 for another")
    states = read_states({**evidence, "labels": evidence["cached"]}, game.problem, game.small, game.alike)
    potential = integers(evidence["potential"], f"{where}.potential")
    if len(potential) != len(states.layers):
        raise Refuted(f"{where}: {len(potential)} potentials for {len(states.layers)} states")
    width, slots = game.alike.bounds[-1], game.problem.capacity[0]
    if any(sum(states.labels[i : i + width]) > slots for i in range(0, len(states.labels), width)):
        raise Refuted(f"{where}: a state has more than {slots} cached pages")
    widest = max(game.problem.counts)
    spend(f"{where}: the moves of all states", len(potential) * widest * width * (2 + slots))
    return Side(states, potential)
