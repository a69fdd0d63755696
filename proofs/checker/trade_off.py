"""Claims about what a given policy can do with discard predictions: α, β and γ (coefficients.py).

From below: requests with bits and a schedule of the reference, which can be repeated for ever. From above:
states of policy and reference with a potential Φ. From the cold start on, every request with every bit and
everything that the reference may evict must lead to a listed state, and keep
faults − α·reference − β·wrong 0 − γ·wrong 1 + Φ(next) − Φ(now) ≤ 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from .coefficients import NAMES, Paid, TradeOffClaim, prices_of, read_trade_off
from .problem import FREE, HIT, Problem, Proved, read_plain
from .reading import Json, Refuted, choice, integers, members, spend, whole
from .rules import Labels, Rule, Told, full, serving
from .states import States, read_likeness, read_states

NOTHING, WITH_0, WITH_1 = 0, 1, 2
"""What the reference has of a page: nothing, the page with bit 0, the page with bit 1."""

ANSWER = 400
"""Room for an answer of a rule that is kept."""


def flush_when_kept(labels: Labels, page: int, told: Told, *, bit: int) -> Labels:
    """1: to keep; 1 + r: r-th most recent to discard. The least recent to discard leaves, or all."""
    keep = [q for q, label in enumerate(labels) if label == 1 and q != page]
    discard = [q for _, q in sorted((label, q) for q, label in enumerate(labels) if label > 1 and q != page)]
    if not labels[page] and full(labels, told):
        if discard:
            discard.pop()
        else:
            keep.clear()
    after = [0] * len(labels)
    for q in keep:
        after[q] = 1
    for rank, q in enumerate([page, *discard] if bit else discard, start=2):
        after[q] = rank
    after[page] = 1 + bit
    return after


def flush_when_kept_lazy(labels: Labels, page: int, told: Told, *, bit: int) -> Labels:
    """3·(recency rank) + 0 to keep, 1 to discard, 2 flushed; the largest class leaves, then the least recent.

    Where all are to be kept, all count as flushed.
    """
    order = sorted((q for q, label in enumerate(labels) if label and q != page), key=lambda q: labels[q])
    kind = {q: labels[q] % 3 for q in order}
    if not labels[page] and full(labels, told):
        if not any(kind.values()):
            kind = dict.fromkeys(order, 2)
        order.remove(max(order, key=lambda q: (kind[q], labels[q])))
    after = [0] * len(labels)
    after[page] = 3 + bit
    for rank, q in enumerate(order, start=2):
        after[q] = 3 * rank + kind[q]
    return after


PREDICTED: dict[str, Callable[..., Labels]] = {
    "flush-when-kept": flush_when_kept,
    "flush-when-kept-lazy": flush_when_kept_lazy,
}
"""Rules by the policy's name: labels, page, what a rule is told, and the bit of the request → labels."""


def check_trade_off(claim: Json, evidence: Json) -> Proved:
    """Check the type ``trade-off``: the least third coefficient of a policy."""
    setting = read_trade_off(claim, evidence, "policy")
    policy = choice(claim["policy"], "claim.policy", *PREDICTED)
    rules = [Rule(partial(PREDICTED[policy], bit=bit)) for bit in (0, 1)]
    words = []
    if "lower" in claim:
        words.append(check_cycle(setting, rules, evidence["lower"]))
    if "upper" in claim:
        words.append(check_states(setting, rules, evidence["upper"]))
    return setting.proved(f"policy {policy}", words)


# ------------------------------------------------------------------------- from below: a cycle of requests


def check_cycle(setting: TradeOffClaim, rules: list[Rule], evidence: Json) -> str:
    """Refuse unless the requests can be repeated for ever, and prove the bound."""
    members(evidence, "evidence.lower", ("prefix", "requests", "bits", "schedule"))
    requests, bits, schedule = (
        integers(evidence[name], f"evidence.lower.{name}") for name in ("requests", "bits", "schedule")
    )
    prefix = whole(evidence["prefix"], "evidence.lower.prefix", 0)
    if len(requests) <= prefix or (len(requests) - prefix) % setting.problem.layers:
        raise Refuted("the cycle is no whole number of rounds")
    if len(bits) != len(requests) or len(schedule) != len(requests) or not {*bits} <= {0, 1}:
        raise Refuted("evidence.lower must have one bit and one entry of a schedule for every request")
    problem = read_plain(setting.claim, requests)
    spend("serving the requests", 8 * len(problem.layer_of) * len(requests), 100 * len(problem.layer_of))
    policies = [serving(rule, problem) for rule in rules]
    labels, held = [0] * len(problem.layer_of), [NOTHING] * len(problem.layer_of)
    before = (labels, held)
    faults, paid = 0, (0, 0, 0)
    for t, (page, bit, entry) in enumerate(zip(requests, bits, schedule, strict=True)):
        if t == prefix:
            before, faults, paid = (labels, held), 0, (0, 0, 0)
        faults += labels[page] <= 0
        labels = policies[bit](labels, page, t % problem.layers)
        choices = dict(followers(held, page, bit, problem.capacity[0]))
        if entry not in choices:
            raise Refuted(f"request {t}: the entry {entry} of the schedule is not allowed")
        held, more = choices[entry]
        paid = (paid[0] + more[0], paid[1] + more[1], paid[2] + more[2])
    if (labels, held) != before:
        raise Refuted("policy or reference are not after the cycle what they were before")
    prices, free = prices_of(setting.known("lower")), paid[NAMES.index(setting.least)]
    gain = prices.unit * faults - prices.of(paid)
    if not (gain > 0 == free if setting.endless else gain >= 0 < free):
        raise Refuted(f"{faults} faults, where the reference pays {paid}, do not prove the bound")
    wrong = f"{paid[1]} wrong 0s and {paid[2]} wrong 1s"
    return f"a repetition costs it {faults} faults, the reference {paid[0]}, with {wrong}"


def followers(
    held: list[int], page: int, bit: int, slots: int
) -> Iterator[tuple[int, tuple[list[int], Paid]]]:
    """Yield every entry that a schedule may have at a request, what the reference has then, what it paid."""
    after = list(held)
    after[page] = WITH_1 if bit else WITH_0
    if held[page]:
        yield HIT, (after, (0, 0, int(held[page] == WITH_1)))
    elif len(held) - held.count(NOTHING) < slots:
        yield FREE, (after, (1, 0, 0))
    else:
        for q, has in enumerate(held):
            if has:
                left = list(after)
                left[q] = NOTHING
                yield q, (left, (1, int(has == WITH_0), 0))


# -------------------------------------------------------------------------- from above: all of the states


def check_states(setting: TradeOffClaim, rules: list[Rule], evidence: Json) -> str:
    """Refuse unless every request keeps to the listed states and the potential."""
    problem = setting.problem
    members(evidence, "evidence.upper", ("alike", "labels", "reference", "layers", "potential"))
    alike = read_likeness(evidence["alike"], problem)
    states = read_states({**evidence, "work": evidence["reference"]}, problem, WITH_1, alike)
    potential = integers(evidence["potential"], "evidence.upper.potential")
    if len(potential) != len(states.listed):
        raise Refuted(f"evidence.upper has {len(potential)} potentials for {len(states.listed)} states")
    prices = prices_of(setting.known("upper"))
    walk = BitWalk(problem, states, rules)
    start = states.start()
    reached, pending = {start}, [start]
    while pending:
        s = pending.pop()
        for page, fault, paid, t in walk.edges(s):
            gain = prices.unit * fault - prices.of(paid)
            if t is None:
                raise Refuted(f"state {s}: a request of page {page} leads to a state that is not listed")
            if gain + potential[t] > potential[s]:
                raise Refuted(
                    f"state {s}: a request of page {page} breaks the potential: "
                    f"{gain} + {potential[t]} > {potential[s]}"
                )
            if t not in reached:
                reached.add(t)
                pending.append(t)
    return f"{len(states.listed)} states keep to a potential"


class BitWalk:
    """Works out what requests do, and remembers what the policy answers."""

    def __init__(self, problem: Problem, states: States, rules: list[Rule]) -> None:
        self.problem, self.states = problem, states
        self.policies = [serving(rule, problem) for rule in rules]
        self.known: dict[tuple[tuple[int, ...], int, int, int], Labels] = {}

    def edges(self, s: int) -> Iterator[tuple[int, int, Paid, int | None]]:
        """Yield page, fault, what the reference paid, and the next state, for every edge of a state."""
        states, problem = self.states, self.problem
        labels, held, layer = states.row(s)
        bounds = states.alike.bounds
        following = (layer + 1) % problem.layers
        seen = set()
        for page in range(bounds[layer], bounds[layer + 1]):
            if states.alike.pages and (labels[page], held[page]) in seen:
                continue
            seen.add((labels[page], held[page]))
            fault = int(labels[page] <= 0)
            for bit in (0, 1):
                after = [label * states.base for label in self.answer(tuple(labels), page, layer, bit)]
                for _, (left, paid) in followers(held, page, bit, problem.capacity[0]):
                    spend("the moves of all states", 4 * len(labels))
                    codes = [label + has for label, has in zip(after, left, strict=True)]
                    yield page, fault, paid, states.find(codes, following)

    def answer(self, labels: tuple[int, ...], page: int, layer: int, bit: int) -> Labels:
        """Return the policy's labels after a request."""
        key = labels, page, layer, bit
        if key not in self.known:
            spend("the policy's answers", 8 * len(labels), ANSWER + 20 * len(labels))
            self.known[key] = self.policies[bit](list(labels), page, layer)
        return self.known[key]
