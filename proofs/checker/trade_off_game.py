"""Claims about what deterministic policies can do with discard predictions: α, β and γ.

A reference is a lazy offline schedule, with as many slots as the policy. Every request carries a bit, 1 for
"discard". A fault of the reference costs α, a page of bit 0 that it evicts β, a request of a page that it
holds with bit 1 γ. Claimed is which third coefficient keeps the policy's faults below this cost, up to a
constant.

A listed state says what the policy has cached, the bits, the layer to be served, and for some caches of the
reference a value: its cost less the policy's faults. A move names the next state, and which page stands at
which place there: pages of a layer may be renamed, and all layers turned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .bits import Paid
from .coefficients import NAMES, Prices, TradeOffClaim, prices_of, read_trade_off
from .problem import Problem, Proved
from .reading import Incomplete, Integers, Json, Refuted, integers, members, spend
from .states import array_of

MAX_PAGES = 62
"""Pages of a cache that is written as one number."""

STATE, CACHE = 500, 200
"""Room for a listed state, and for a cache of it."""


class Renaming(dict[int, int]):
    """What becomes of sets of pages under new names: of single ones as told, of others worked out once."""

    def __missing__(self, mask: int) -> int:
        found, rest = 0, mask
        while rest:
            found |= self[rest & -rest]
            rest &= rest - 1
        spend("the renamings", 8, CACHE)
        self[mask] = found
        return found


class State(NamedTuple):
    """A listed state; sets of pages as bit masks."""

    cached: int
    bits: int
    layer: int
    values: dict[int, int]  # per cache of the reference
    known: int  # pages of these caches: others' bits are not looked at


class ListedMoves(NamedTuple):
    """What both sides list."""

    problem: Problem
    states: list[State]
    targets: Integers
    orders: Integers
    turns: dict[bytes, Renaming]  # of every renaming met: what becomes of a set


class BitRequest(NamedTuple):
    """A request, and what the policy has cached after it."""

    page: int
    bit: int
    cached: int


def check_trade_off_game(claim: Json, evidence: Json) -> Proved:
    """Check the type ``trade-off-game``: the least third coefficient of any deterministic policy."""
    setting = read_trade_off(claim, evidence)
    problem = setting.problem
    if len(problem.layer_of) > MAX_PAGES or problem.capacity[0] >= len(problem.layer_of):
        raise Incomplete(f"the claim must be about more pages than slots, and at most {MAX_PAGES} pages")
    words = []
    if "lower" in claim:
        words.append(check_lower(setting, evidence["lower"]))
    if "upper" in claim:
        words.append(check_upper(setting, evidence["upper"]))
    return setting.proved("a deterministic policy", words)


# ----------------------------------------------------------------------------- what a policy can do


def check_upper(setting: TradeOffClaim, evidence: Json) -> str:
    """Refuse unless the listed victims keep to the listed states and values, whatever is requested.

    A cache that is not listed is worth at least what a listed one is, and α + β more for every page that this
    one lacks: whoever holds that one can follow, at no greater cost (docs/wrong-bits.md). It takes γ ≤ α;
    with a larger γ the values are those of γ = α.
    """
    known, problem = setting.known("upper"), setting.problem
    prices = prices_of({**known, "gamma": min(known["gamma"], known["alpha"])})
    fields = ("cached", "bits", "layers", "counts", "caches", "values", "targets", "orders", "victims")
    members(evidence, "evidence.upper", fields)
    listed = read_listed(evidence, "evidence.upper", problem)
    victims = integers(evidence["victims"], "evidence.upper.victims")
    reached: dict[int, int] = {}
    where = [
        (s, page, bit)
        for s, state in enumerate(listed.states)
        for page in own_pages(problem, state.layer)
        for bit in (0, 1)
    ]
    spend("evidence.upper: the moves", 10 * len(where), 100 * len(where))
    check_sizes(listed, "evidence.upper", len(where))
    if len(victims) != len(where):
        raise Refuted(f"evidence.upper.victims has {len(victims)} entries for {len(where)} requests")
    for m, (s, page, bit) in enumerate(where):
        state, victim = listed.states[s], victims[m]
        if victim not in (possible(state, page, problem) or [-1]):
            raise Refuted(f"state {s}, request of page {page}: the victim {victim} is not allowed")
        cached = state.cached | 1 << page
        move = BitRequest(page, bit, cached & ~(1 << victim) if victim >= 0 else cached)
        target, renamed = follow(listed, s, m, move)
        fault = prices.unit * (1 - (state.cached >> page & 1))
        if bit == 0:  # what the reference does is the same with bit 1
            reached = reachable(state, page, prices, problem.capacity[0])
        spend("evidence.upper: the values", len(reached))
        for after, had in reached.items():
            mask = renamed[after]
            value = target.values.get(mask)
            if (value is None or value > had - fault) and worth(mask, target, prices) > had - fault:
                raise Refuted(
                    f"state {s}, request of page {page} with bit {bit}: a cache of the reference "
                    f"is worth {had} − {fault}, less than the {worth(mask, target, prices)} listed"
                )
    return f"a policy with {len(listed.states)} states has it"


def reachable(state: State, page: int, prices: Prices, slots: int) -> dict[int, int]:
    """Return the caches that a reference may have after a request, and the least value with its cost."""
    spend("evidence.upper: the values", (1 + slots) * len(state.values))
    found: dict[int, int] = {}
    for mask, value in state.values.items():
        for after, paid in followers(mask, state.bits, page, slots):
            had = value + prices.of(paid)
            if after not in found or had < found[after]:
                found[after] = had
    return found


def worth(mask: int, target: State, prices: Prices) -> int:
    """Return the value of a cache: listed, or by the cheapest listed one from which it can be had."""
    spend("evidence.upper: the values", len(target.values))
    load = prices.kinds[0] + prices.kinds[1]
    return min(value + load * (mask & ~other).bit_count() for other, value in target.values.items())


# ---------------------------------------------------------------------- what no policy can do better


def check_lower(setting: TradeOffClaim, evidence: Json) -> str:
    """Refuse unless the listed requests keep to the listed states and values, whatever leaves.

    Every cache listed after a move must come from one listed before, whose value, with the cost and less the
    policy's fault, is no larger. So there is a reference of bounded value at all times; where values do not
    rise, steps see to it that it pays the free coefficient again and again, so that no smaller one will do.
    If none will, values count what the free coefficient is paid for, and steps see to it that the faults
    exceed the other costs.
    """
    problem, endless = setting.problem, setting.endless
    prices = prices_of(setting.known("lower"))
    fields = ("cached", "bits", "layers", "counts", "caches", "values", "targets", "orders")
    members(evidence, "evidence.lower", (*fields, "requests", "request_bits", "steps"))
    listed = read_listed(evidence, "evidence.lower", problem)
    requests, bits = (
        integers(evidence[name], f"evidence.lower.{name}") for name in ("requests", "request_bits")
    )
    states = listed.states
    if len(requests) != len(states) or len(bits) != len(states) or not {*bits} <= {0, 1}:
        raise Refuted("evidence.lower must have one request and one bit for every state")
    steps = integers(evidence["steps"], "evidence.lower.steps")
    pairs = sum(len(state.values) for state in states)
    if len(steps) != pairs:
        raise Refuted(f"evidence.lower.steps has {len(steps)} numbers for {pairs} caches")
    numbers = iter(steps)
    stepped = [{mask: next(numbers) for mask in state.values} for state in states]
    choices: list[list[int]] = []
    for s, (state, page) in enumerate(zip(states, requests, strict=True)):
        if page not in own_pages(problem, state.layer):
            raise Refuted(f"state {s}: page {page} is not in the layer to be served")
        choices.append(possible(state, page, problem) or [-1])
    check_sizes(listed, "evidence.lower", sum(map(len, choices)))
    free = NAMES.index(setting.least)
    m = 0
    for s, victims in enumerate(choices):
        state, page = states[s], requests[s]
        fault = prices.unit * (1 - (state.cached >> page & 1))
        reached: dict[int, list[tuple[int, int]]] = {}
        for mask, value in state.values.items():
            for after, paid in followers(mask, state.bits, page, problem.capacity[0]):
                gain = fault - prices.of(paid)
                rise, growth = (paid[free], gain) if endless else (-gain, paid[free])
                reached.setdefault(after, []).append((value + rise, stepped[s][mask] + 1 - pairs * growth))
        for victim in victims:
            cached = state.cached | 1 << page
            move = BitRequest(page, bits[s], cached & ~(1 << victim) if victim >= 0 else cached)
            target, renamed = follow(listed, s, m, move)
            t = listed.targets[m]
            m += 1
            back = {renamed[after]: sources for after, sources in reached.items()}
            for mask, value in target.values.items():
                sources = back.get(mask, [])
                spend("evidence.lower: the values", 1 + len(sources))
                own = stepped[t][mask]
                if not any(v < value or (v == value and step <= own) for v, step in sources):
                    raise Refuted(
                        f"state {s}, request of page {page}: no cache before allows for a value of {value}"
                    )
    return f"an adversary with {len(states)} decisions forces it"


# ------------------------------------------------------------------------------------------------ moves


def own_pages(problem: Problem, layer: int) -> range:
    """Return the pages of a layer."""
    first = sum(problem.counts[:layer])
    return range(first, first + problem.counts[layer])


def possible(state: State, page: int, problem: Problem) -> list[int]:
    """Return the pages that may leave at a request, in ascending order; none if none must."""
    if state.cached >> page & 1 or state.cached.bit_count() < problem.capacity[0]:
        return []
    return [q for q in range(len(problem.layer_of)) if state.cached >> q & 1]


def followers(mask: int, bits: int, page: int, slots: int) -> Iterator[tuple[int, Paid]]:
    """Yield what a cache of the reference may become, and what is paid."""
    bit = 1 << page
    if mask & bit:
        yield mask, (0, 0, bits >> page & 1)
    elif mask.bit_count() < slots:
        yield mask | bit, (1, 0, 0)
    else:
        for q in range(mask.bit_length()):
            if mask >> q & 1:
                yield mask ^ bit ^ 1 << q, (1, 1 - (bits >> q & 1), 0)


def follow(listed: ListedMoves, s: int, m: int, move: BitRequest) -> tuple[State, Renaming]:
    """Return where a move leads and what becomes of sets of pages, or refuse: it must be what is listed."""
    state, problem, width = listed.states[s], listed.problem, len(listed.problem.layer_of)
    target = listed.states[listed.targets[m]]
    order = listed.orders[m * width : (m + 1) * width]
    turn = (target.layer - state.layer - 1) % problem.layers
    key = bytes([turn, *order])
    renamed = listed.turns.get(key)
    if renamed is None:
        fits = sorted(order) == list(range(width)) and all(
            problem.layer_of[place] == (problem.layer_of[q] + turn) % problem.layers
            for place, q in enumerate(order)
        )
        if not fits:
            raise Refuted(f"state {s}: move {m} renames pages that are not alike")
        spend("the renamings", 2 * width, CACHE + 100 * width)
        listed.turns[key] = renamed = Renaming({1 << q: 1 << place for place, q in enumerate(order)})
    if renamed[move.cached] != target.cached:
        raise Refuted(f"state {s}, request of page {move.page}: move {m} leads to another state")
    bits = state.bits & ~(1 << move.page) | move.bit << move.page
    known = renamed[state.known | 1 << move.page]
    if target.known & ~known or (renamed[bits] ^ target.bits) & target.known:
        raise Refuted(f"state {s}, request of page {move.page}: move {m} leads to other bits")
    return target, renamed


# ---------------------------------------------------------------------------------------------- reading


def read_listed(evidence: Json, where: str, problem: Problem) -> ListedMoves:
    """Read the listed states, the cold start first."""
    width, slots = len(problem.layer_of), problem.capacity[0]
    layers = integers(evidence["layers"], f"{where}.layers")
    if not len(layers) or not 0 <= min(layers) <= max(layers) < problem.layers:
        raise Refuted(f"{where}.layers is empty, or names a layer that does not exist")
    spend(f"{where}: the states", 4 * width * len(layers), STATE * len(layers))
    cached, bits = (sets_of(evidence, name, len(layers), width, where) for name in ("cached", "bits"))
    counts, caches, values = (
        integers(evidence[name], f"{where}.{name}") for name in ("counts", "caches", "values")
    )
    if (
        len(counts) != len(layers)
        or min(counts) < 1
        or sum(counts) != len(caches)
        or len(values) != len(caches)
    ):
        raise Refuted(f"{where} must have one count for every state, and so many caches and values")
    spend(f"{where}: the caches", 4 * len(caches), CACHE * len(caches))
    states, at = [], 0
    for s, count in enumerate(counts):
        own = dict(zip(caches[at : at + count], values[at : at + count], strict=True))
        at += count
        size = cached[s].bit_count()
        known = 0
        for mask in own:
            known |= mask
        if size > slots or not 0 <= known < 1 << width or any(mask.bit_count() != size for mask in own):
            raise Refuted(f"{where}: state {s} has caches of different sizes, or larger than {slots}")
        if len(own) != count or (size < slots and known != cached[s]):
            raise Refuted(f"{where}: state {s} lists a cache twice, or one that nothing can have left")
        states.append(State(cached[s], bits[s], layers[s], own, known))
    if states[0].cached or states[0].layer:
        raise Refuted(f"{where}: state 0 is not the cold start")
    targets = integers(evidence["targets"], f"{where}.targets")
    if any(not 0 <= t < len(states) for t in targets):
        raise Refuted(f"{where}.targets names a state that is not listed")
    orders = array_of(evidence, "orders", len(targets), width, where)
    if any(not 0 <= q < width for q in orders):
        raise Refuted(f"{where}.orders names a page that does not exist")
    return ListedMoves(problem, states, targets, orders, {})


def sets_of(evidence: Json, name: str, count: int, width: int, where: str) -> list[int]:
    """Read one set of pages per state, given as a 0 or 1 per page."""
    flat = array_of(evidence, name, count, width, where)
    if len(flat) and not 0 <= min(flat) <= max(flat) <= 1:
        raise Refuted(f"{where}.{name} must say 1 or 0 for every page")
    return [
        sum(1 << q for q, bit in enumerate(flat[first : first + width]) if bit)
        for first in range(0, len(flat), width)
    ]


def check_sizes(listed: ListedMoves, where: str, moves: int) -> None:
    """Refuse unless there is a target for every move."""
    if len(listed.targets) != moves:
        raise Refuted(f"{where}.targets has {len(listed.targets)} entries for {moves} moves")
