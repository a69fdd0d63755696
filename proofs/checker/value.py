"""Claims about the best competitive ratio of any randomised policy against an oblivious adversary.

A state is the work function up to renaming: for every layer, from the one served next on, the sorted labels
of its pages. Pages of a layer with equal labels form a *class*; how many pages of each class are cached is
the *type* of a cache. A distribution over types stands for one over caches that is uniform given the type.

From above (a policy): a distribution per state, and for every request a plan that moves the one before into
the one after, at a cost that a potential pays for. From below (Yao): random requests, against which every
deterministic policy pays at least so much in expectation. Proofs in docs/randomized.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import NamedTuple

from .problem import Problem, Proved, check_size, read_plain
from .reading import Incomplete, Json, Refuted, bounded, items, members, rational, spend, whole
from .work_function import OPT_SO_FAR

MAX_DEPTH = 200
"""Limit: requests from a cone to the next."""

State = tuple[tuple[int, ...], ...]
Counts = tuple[int, ...]
Chances = dict[Counts, Fraction]


class Class(NamedTuple):
    """Pages of a layer with equal labels; layer 0 is served next."""

    layer: int
    label: int
    size: int


class Part(NamedTuple):
    """A class before a request, or what is left of it beside the requested page; its class afterwards."""

    layer: int
    label: int
    size: int
    requested: bool
    following: int


class Request(NamedTuple):
    """What a request of a page with a given label does: next state, OPT's fault, parts of the classes."""

    after: State
    paid: int
    parts: tuple[Part, ...]


def classes(state: State) -> list[Class]:
    """Return the classes of a state in their order: by layer, then by label."""
    spend("the classes of a state", sum(len(labels) * len(set(labels)) for labels in state))
    return [
        Class(layer, label, labels.count(label))
        for layer, labels in enumerate(state)
        for label in sorted(set(labels))
    ]


def request(state: State, label: int, cache: int) -> Request:
    """Request a page with this label of layer 0."""
    positive = sum(other > 0 for labels in state for other in labels)

    def changed(other: int) -> int:
        """Say what becomes of the label of another page."""
        if label == 0:
            return cache - 1 if other == cache and positive >= cache else other
        return other - 1 if label <= other < cache else other

    first = list(state[0])
    first.remove(label)
    layers = [sorted([*map(changed, first), cache]), *(sorted(map(changed, labels)) for labels in state[1:])]
    after = tuple(map(tuple, (*layers[1:], layers[0])))
    place = {(found.layer, found.label): number for number, found in enumerate(classes(after))}
    parts = []
    for found in classes(state):
        chosen = (found.layer, found.label) == (0, label)
        layer = (found.layer - 1) % len(state)
        if chosen:
            parts.append(Part(0, label, 1, True, place[layer, cache]))
        if found.size > chosen:
            where = place[layer, changed(found.label)]
            parts.append(Part(found.layer, found.label, found.size - chosen, False, where))
    return Request(after, int(label == 0), tuple(parts))


def split_before(asked: Request, state: State, counts: Counts) -> Chances:
    """Return how a type is divided among the parts: the requested page is cached or not."""
    held = {(found.layer, found.label): number for found, number in zip(classes(state), counts, strict=True)}
    page = next(part for part in asked.parts if part.requested)
    number = held[page.layer, page.label]
    size = sum(part.size for part in asked.parts if (part.layer, part.label) == (page.layer, page.label))
    result: Chances = {}
    for cached, ways in ((1, number), (0, size - number)):
        if ways:
            held[page.layer, page.label] = number - cached
            split = tuple(cached if part.requested else held[part.layer, part.label] for part in asked.parts)
            result[split] = Fraction(ways, size)
    return result


def split_after(asked: Request, counts: Counts) -> Chances:
    """Return how a type after the request is divided among the parts of the classes before it."""
    result: Chances = {(0,) * len(asked.parts): Fraction(1)}
    for following, number in enumerate(counts):
        here = [i for i, part in enumerate(asked.parts) if part.following == following]
        choices: list[tuple[dict[int, int], int]] = []
        spend("the types of a state", prod(asked.parts[i].size + 1 for i in here))
        for some in product(*(range(asked.parts[i].size + 1) for i in here)):
            if sum(some) == number:
                ways = [comb(asked.parts[i].size, n) for i, n in zip(here, some, strict=True)]
                choices.append((dict(zip(here, some, strict=True)), prod(ways)))
        total = sum(ways for _, ways in choices)
        spend("the types of a state", 4 * len(result) * len(choices), 400 * len(result) * len(choices))
        result = {
            tuple(some.get(i, n) for i, n in enumerate(split)): chance * Fraction(ways, total)
            for split, chance in result.items()
            for some, ways in choices
        }
    return result


def merged(asked: Request, split: Counts, width: int) -> Counts:
    """Return the type after the request of a cache divided among the parts."""
    counts = [0] * width
    for part, number in zip(asked.parts, split, strict=True):
        counts[part.following] += number
    return tuple(counts)


def loads(before: Counts, after: Counts) -> int:
    """Return how many pages must be loaded."""
    return sum(max(0, new - old) for old, new in zip(before, after, strict=True))


def optimal(state: State, counts: Counts, cache: int) -> bool:
    """Say whether caches of this type are optimal: at most c pages of label ≤ c, for all c, and k pages."""
    held = [(found.label, number) for found, number in zip(classes(state), counts, strict=True)]
    return sum(counts) == cache and all(
        sum(number for label, number in held if label <= c) <= c for c in range(cache)
    )


def cone(state: State, counts: Counts, cache: int) -> State | None:
    """Return the state after a cache of this type has been requested over and over, seen from a fixed layer.

    None if the cache leaves a layer without a page.
    """
    held = [0] * len(state)
    for found, number in zip(classes(state), counts, strict=True):
        held[found.layer] += number
    if min(held) == 0:
        return None
    layers = [(0,) * (len(labels) - h) + (cache,) * h for labels, h in zip(state, held, strict=True)]
    return min(tuple(layers[i:] + layers[:i]) for i in range(len(layers)))


# ------------------------------------------------------------------------------ type "randomized-value"


def check_value(claim: Json, evidence: Json) -> Proved:
    """Check the type ``randomized-value``: a policy from above, random requests from below, or one."""
    sides = [name for name in ("lower", "upper") if isinstance(claim, dict) and name in claim]
    members(claim, "claim", ("instance", *sides))
    members(evidence, "evidence", sides)
    if not sides:
        raise Incomplete("claim has neither lower nor upper")
    problem = read_plain(claim)
    check_size(problem)
    value = {name: rational(claim[name], f"claim.{name}") for name in sides}
    proved = []
    if "lower" in sides:
        check_lower(value["lower"], evidence["lower"], problem)
        proved.append(f"every randomised policy has ratio at least {value['lower']}")
    if "upper" in sides:
        additive = check_upper(value["upper"], evidence["upper"], problem)
        proved.append(f"a randomised policy has E[faults] ≤ {value['upper']}·OPT + {additive}")
    if len(set(value.values())) == 1 < len(sides):
        proved.append(f"the best ratio is exactly {value['upper']}")
    return Proved("; ".join(proved), (*problem.model[:5], "the adversary is oblivious", OPT_SO_FAR))


def cold(problem: Problem) -> State:
    """Return the state at the start."""
    return tuple((0,) * count for count in problem.counts)


def read_state(value: Json, where: str, problem: Problem) -> State:
    """Read sorted labels layer by layer; the layers come in their cyclic order."""
    spend(where, problem.layers * (problem.layers + 2))
    rows = [items(row, where) for row in items(value, where)]
    state = tuple(tuple(whole(label, where, 0, problem.capacity[0]) for label in row) for row in rows)
    sizes = tuple(problem.counts)
    if tuple(map(len, state)) not in [sizes[i:] + sizes[:i] for i in range(len(sizes))]:
        raise Refuted(f"{where} does not have the layers of the instance")
    if any(tuple(sorted(row)) != row for row in state):
        raise Refuted(f"{where} is not sorted")
    return state


def read_counts(value: Json, where: str, sizes: list[int], cache: int) -> Counts:
    """Read how many pages of each class are cached."""
    counts = tuple(whole(number, where, 0) for number in items(value, where))
    if len(counts) != len(sizes) or any(n > size for n, size in zip(counts, sizes, strict=True)):
        raise Refuted(f"{where} must have {len(sizes)} entries, at most {sizes}")
    if sum(counts) > cache:
        raise Refuted(f"{where} has more than {cache} pages")
    return counts


# -------------------------------------------------------------------------------- from above: a policy


def check_upper(ratio: Fraction, value: Json, problem: Problem) -> Fraction:
    """Check distributions, plans and potential; return the additive constant they prove."""
    cache = problem.capacity[0]
    found: dict[State, tuple[Chances, Fraction, Json]] = {}
    for number, entry in enumerate(items(value, "evidence.upper")):
        where = f"state {number}"
        fields = members(entry, where, ("labels", "caches", "potential", "plans"))
        state = read_state(fields["labels"], f"{where}: labels", problem)
        if state in found:
            raise Refuted(f"{where} is listed twice")
        sizes = [c.size for c in classes(state)]
        chances = read_chances(fields["caches"], f"{where}: caches", sizes, cache)
        if added(chances.values()) != 1:
            raise Refuted(f"{where}: the chances of its caches do not add up to 1")
        found[state] = chances, rational(fields["potential"], f"{where}: potential"), fields["plans"]
    start = found.get(cold(problem))
    if start is None:
        raise Refuted("the cold start is not among the states")
    if any(map(any, start[0])):
        raise Refuted("the cache is empty at the start")
    for number, (state, (chances, potential, plans)) in enumerate(found.items()):
        labels = sorted(set(state[0]))
        if len(items(plans, f"state {number}: plans")) != len(labels):
            raise Refuted(f"state {number} needs {len(labels)} plans, one per label that can be requested")
        for label, plan in zip(labels, plans, strict=True):
            where = f"state {number}, a request of label {label}"
            asked = request(state, label, cache)
            if asked.after not in found:
                raise Refuted(f"{where} leads to a state that is not listed")
            following, then, _ = found[asked.after]
            cost = check_plan(plan, where, asked, state, chances, following, cache)
            if cost + then - potential > ratio * asked.paid:
                raise Refuted(
                    f"{where} breaks the potential: {cost} + {then} − {potential} > {ratio}·{asked.paid}"
                )
    return start[1] - min(potential for _, potential, _ in found.values())


def read_chances(value: Json, where: str, sizes: list[int], cache: int) -> Chances:
    """Read a list of [counts, chance]."""
    chances: Chances = {}
    for entry in items(value, where):
        pair = items(entry, where)
        if len(pair) != 2:
            raise Incomplete(f"{where} must hold pairs of counts and chance")
        counts = read_counts(pair[0], where, sizes, cache)
        if counts in chances:
            raise Refuted(f"{where} lists {list(counts)} twice")
        chances[counts] = rational(pair[1], where)
        if chances[counts] <= 0:
            raise Refuted(f"{where}: a chance is not positive")
    return chances


def check_plan(
    value: Json, where: str, asked: Request, state: State, before: Chances, after: Chances, cache: int
) -> Fraction:
    """Check that a plan moves one distribution into the other and caches the request; return its cost."""
    sizes = [part.size for part in asked.parts]
    given: Chances = {}
    taken: Chances = {}
    cost = Fraction(0)
    for entry in items(value, where):
        triple = items(entry, where)
        if len(triple) != 3:
            raise Incomplete(f"{where}: a plan must hold triples of counts, counts and chance")
        old, new = (read_counts(counts, where, sizes, cache) for counts in triple[:2])
        chance = rational(triple[2], where)
        if chance <= 0:
            raise Refuted(f"{where}: a chance is not positive")
        if not all(n for part, n in zip(asked.parts, new, strict=True) if part.requested):
            raise Refuted(f"{where}: the requested page is not cached afterwards")
        given[old] = bounded(given.get(old, Fraction(0)) + chance)
        taken[new] = bounded(taken.get(new, Fraction(0)) + chance)
        cost = bounded(cost + chance * loads(old, new))
    if given != mixture(before, lambda counts: split_before(asked, state, counts)):
        raise Refuted(f"{where}: the plan does not start from the distribution before")
    if taken != mixture(after, lambda counts: split_after(asked, counts)):
        raise Refuted(f"{where}: the plan does not lead to the distribution after")
    return cost


def mixture(chances: Chances, split: Callable[[Counts], Chances]) -> Chances:
    """Return the distribution over divided types."""
    total: Chances = {}
    for counts, chance in chances.items():
        for divided, share in split(counts).items():
            total[divided] = bounded(total.get(divided, Fraction(0)) + chance * share)
    return total


def added(values: Iterable[Fraction]) -> Fraction:
    """Add up."""
    total = Fraction(0)
    for value in values:
        total = bounded(total + value)
    return total


# ----------------------------------------------------------------------- from below: random requests


class Node(NamedTuple):
    """What is requested next: pages of a label, or the pages of a cache over and over, each with a chance."""

    branches: list[tuple[int, Fraction, int]]  # label, chance, node that follows
    sweeps: list[tuple[Json, Fraction]]  # type of an optimal cache, chance


def check_lower(ratio: Fraction, value: Json, problem: Problem) -> None:
    """Check the random requests."""
    fields = members(value, "evidence.lower", ("roots", "nodes"))
    nodes = read_nodes(items(fields["nodes"], "evidence.lower.nodes"))
    weight: dict[State, Fraction] = {}
    game = RandomRequests(nodes, problem.capacity[0])
    returns: dict[State, Fraction] = {}
    faults, paid = Fraction(0), Fraction(0)
    for number, entry in enumerate(items(fields["roots"], "evidence.lower.roots")):
        where = f"root {number}"
        root = members(entry, where, ("labels", "weight", "node"))
        state = read_state(root["labels"], where, problem)
        share = rational(root["weight"], f"{where}: weight")
        held = tuple(c.size if c.label else 0 for c in classes(state))
        if share <= 0 or cone(state, held, game.cache) != state or sum(held) != game.cache:
            raise Refuted(f"{where} must be a cone with a page in every layer, seen from its least side")
        if state in weight:
            raise Refuted(f"{where} is listed twice")
        weight[state] = share
        node = whole(root["node"], f"{where}: node", 0, len(nodes) - 1)
        faults = bounded(faults + share * game.faults(node, state, held))
        more, back = game.returns(node, state)
        paid = bounded(paid + share * more)
        for target, chance in back.items():
            returns[target] = bounded(returns.get(target, Fraction(0)) + share * chance)
    if not weight or returns != weight:
        raise Refuted("the weights of the roots are not those with which the requests return to them")
    if not paid:
        raise Refuted("the requests cost OPT nothing")
    if faults != ratio * paid:
        raise Refuted(f"the requests force {faults} faults where OPT pays {paid}: the ratio is not {ratio}")


def read_nodes(values: list[Json]) -> list[Node]:
    """Read the nodes; those that follow one come later in the list, so that there is an end."""
    nodes = []
    for number, value in enumerate(values):
        where = f"node {number}"
        fields = members(value, where, ("branches", "sweeps"))
        branches, sweeps = (
            [items(entry, f"{where}: {name}") for entry in items(fields[name], f"{where}: {name}")]
            for name in ("branches", "sweeps")
        )
        if any(len(entry) != 3 for entry in branches) or any(len(entry) != 2 for entry in sweeps):
            raise Incomplete(f"{where}: a branch has label, chance and node, a sweep has counts and chance")
        node = Node(
            [
                (
                    whole(label, f"{where}: label", 0),
                    rational(chance, f"{where}: chance"),
                    whole(child, f"{where}: what follows", number + 1, len(values) - 1),
                )
                for label, chance, child in branches
            ],
            [(counts, rational(chance, f"{where}: chance")) for counts, chance in sweeps],
        )
        chances = [*(chance for _, chance, _ in node.branches), *(chance for _, chance in node.sweeps)]
        if added(chances) != 1 or min(chances) <= 0:
            raise Refuted(f"{where}: the chances are not positive, or do not add up to 1")
        nodes.append(node)
    depth = [1] * len(nodes)
    for number in reversed(range(len(nodes))):
        depth[number] += max((depth[child] for _, _, child in nodes[number].branches), default=0)
    if max(depth, default=0) > MAX_DEPTH:
        raise Incomplete(f"more than {MAX_DEPTH} requests between two cones are beyond this checker's limit")
    return nodes


class RandomRequests:
    """Random requests against the best deterministic policy, which is told everything but the future."""

    def __init__(self, nodes: list[Node], cache: int) -> None:
        self.nodes, self.cache = nodes, cache
        self.known: dict[tuple[int, State, Counts], Fraction] = {}
        self.ends: dict[tuple[int, State], tuple[Fraction, dict[State, Fraction]]] = {}

    def asked(self, state: State, label: int, node: int) -> Request:
        """Request a page with a label."""
        if label not in state[0]:
            raise Refuted(f"node {node}: no page of the layer served has label {label}")
        return request(state, label, self.cache)

    def sweeps(self, node: int, state: State) -> Iterator[tuple[Counts, State, Fraction]]:
        """Yield the caches that may be swept, the cones that follow, and the chances."""
        sizes = [c.size for c in classes(state)]
        for value, chance in self.nodes[node].sweeps:
            counts = read_counts(value, f"node {node}: sweeps", sizes, self.cache)
            root = cone(state, counts, self.cache)
            if root is None or not optimal(state, counts, self.cache):
                raise Refuted(f"node {node}: {list(counts)} is no optimal cache with a page in every layer")
            yield counts, root, chance

    def faults(self, node: int, state: State, held: Counts) -> Fraction:
        """Return the least expected faults of a policy whose cache has this type."""
        key = node, state, held
        if key not in self.known:
            spend("the caches of a policy", 8 * len(held) * (len(held) + 1), 1000 + 100 * len(held))
            total = Fraction(0)
            found = classes(state)
            for label, chance, child in self.nodes[node].branches:
                asked = self.asked(state, label, node)
                for split, share in split_before(asked, state, held).items():
                    total = bounded(total + chance * share * self.best(asked, split, child))
            for counts, _, chance in self.sweeps(node, state):
                total = bounded(
                    total
                    + chance
                    * sum(
                        wanted * (1 - Fraction(have, c.size))
                        for wanted, have, c in zip(counts, held, found, strict=True)
                    )
                )
            self.known[key] = total
        return self.known[key]

    def best(self, asked: Request, split: Counts, child: int) -> Fraction:
        """Return the least faults from a request on, over all victims."""
        place = next(i for i, part in enumerate(asked.parts) if part.requested)
        width = len(classes(asked.after))
        if split[place]:
            return self.faults(child, asked.after, merged(asked, split, width))
        options = set()
        for victim, number in enumerate(split):
            if number:
                after = [n - (i == victim) + (i == place) for i, n in enumerate(split)]
                options.add(merged(asked, tuple(after), width))
        return 1 + min(self.faults(child, asked.after, counts) for counts in options)

    def returns(self, node: int, state: State) -> tuple[Fraction, dict[State, Fraction]]:
        """Return what OPT pays in expectation, and to which cones the requests come back, how likely."""
        if (node, state) not in self.ends:
            spend("the requests of a node", 100, 1000)
            paid = Fraction(0)
            total: dict[State, Fraction] = {}
            for _, root, chance in self.sweeps(node, state):
                total[root] = total.get(root, Fraction(0)) + chance
            for label, chance, child in self.nodes[node].branches:
                asked = self.asked(state, label, node)
                more, further = self.returns(child, asked.after)
                paid = bounded(paid + chance * (asked.paid + more))
                spend("the requests of a node", 4 * len(further), 200 * len(further))
                for root, share in further.items():
                    total[root] = bounded(total.get(root, Fraction(0)) + chance * share)
            self.ends[node, state] = paid, total
        return self.ends[node, state]
