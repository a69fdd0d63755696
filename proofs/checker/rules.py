"""The rules of policies, once more and by themselves: what they do with one label per page.

Written for this checker and independent of the policies it is used on; labels mean what the policies'
docstrings say. A rule sees pages by label and layer alone, and no two cached pages of a layer share a label
where it has to choose between them: exchanging pages of a layer changes nothing. The one exception is a rule
with ``ties``, which go by page number; that these do not matter is checked state by state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .problem import Problem
from .work_function import update

REPLAY = "paging verify --replay checks it"
"""How the assumption about a policy without a rule is discharged."""

Labels = list[int]
Serve = Callable[[Labels, int, int, Problem], Labels]


class Rule(NamedTuple):
    """What a policy does, and which renamings of pages leave it alone."""

    serve: Serve
    turns: bool = True  # it sees layers by their distance from the one being served alone
    ties: bool = False  # two cached pages of a layer may have the label by which it chooses


def put(labels: Labels, page: int, label: int, victim: int | None = None) -> Labels:
    """Return the labels with a page's label set, after another one has left."""
    after = list(labels)
    if victim is not None:
        after[victim] = 0
    after[page] = label
    return after


def full(labels: Labels, problem: Problem) -> bool:
    """Say whether every slot is taken."""
    return sum(label > 0 for label in labels) == problem.capacity[0]


def lru(labels: Labels, page: int, _layer: int, problem: Problem) -> Labels:
    """Recency ranks: younger pages than the requested one age by one; rank k + 1 leaves."""
    rank = labels[page] or problem.capacity[0] + 1
    aged = [label + 1 if 0 < label < rank else label for label in labels]
    return [1 if q == page else label if label <= problem.capacity[0] else 0 for q, label in enumerate(aged)]


def fifo(labels: Labels, page: int, layer: int, problem: Problem) -> Labels:
    """Arrival ranks: as LRU, but a hit changes nothing."""
    return labels if labels[page] else lru(labels, page, layer, problem)


def fwf(labels: Labels, page: int, _layer: int, problem: Problem) -> Labels:
    """Flush when full: everything leaves."""
    flushed = [0] * len(labels) if full(labels, problem) and not labels[page] else labels
    return put(flushed, page, 1)


def clock(labels: Labels, page: int, _layer: int, problem: Problem) -> Labels:
    """2·(place from the hand, 1 = next) + use bit; the hand clears bits until it finds a clear one."""
    if labels[page]:
        return put(labels, page, labels[page] | 1)
    size = sum(label > 0 for label in labels)
    if size < problem.capacity[0]:
        return put(labels, page, 2 * (size + 1) + 1)
    dial = sorted((q for q in range(len(labels)) if labels[q]), key=lambda q: labels[q])
    while labels[dial[0]] & 1:
        labels = put(labels, dial[0], labels[dial[0]] - 1)
        dial.append(dial.pop(0))
    after = [0] * len(labels)
    for place, q in enumerate(dial[1:], start=1):
        after[q] = 2 * place + (labels[q] & 1)
    return put(after, page, 2 * size + 1)


def mark_lru(labels: Labels, page: int, _layer: int, problem: Problem) -> Labels:
    """2·(recency rank) + mark; a fault with all pages marked unmarks all, the oldest unmarked page leaves."""
    return marking(labels, page, problem, moves_on_hits=True)


def mark_fifo(labels: Labels, page: int, _layer: int, problem: Problem) -> Labels:
    """2·(arrival rank) + mark; as ``mark-lru`` otherwise."""
    return marking(labels, page, problem, moves_on_hits=False)


def marking(labels: Labels, page: int, problem: Problem, *, moves_on_hits: bool) -> Labels:
    """Serve with ranks and marks: the page that moves to the front leaves a gap that younger pages fill."""
    if labels[page] and not moves_on_hits:
        return put(labels, page, labels[page] | 1)
    gone = page
    if not labels[page] and full(labels, problem):
        if all(label & 1 for label in labels if label):
            labels = [label & ~1 for label in labels]
        gone = max(
            (q for q in range(len(labels)) if labels[q] and not labels[q] & 1), key=lambda q: labels[q]
        )
    gap = labels[gone] // 2 or len(labels) + 1
    aged = [label + 2 if 0 < label // 2 < gap else label for label in labels]
    return put(aged, page, 3, gone)


def llru(labels: Labels, page: int, layer: int, problem: Problem) -> Labels:
    """1 + visits since the last request: the most rounds until the next visit leave, then the later visit."""
    return by_age(labels, page, layer, problem, lambda since, wait: (since + wait) // problem.layers)


def llru_lazy(labels: Labels, page: int, layer: int, problem: Problem) -> Labels:
    """As ``llru``, but the visit under way does not count for pages of its layer."""
    layers = problem.layers
    return by_age(
        labels, page, layer, problem, lambda since, wait: (since + wait) // layers - (wait == layers)
    )


def llru_token(labels: Labels, page: int, layer: int, problem: Problem) -> Labels:
    """As ``llru``, but rounds are counted by tokens: how many rounds began since the last request."""
    return by_age(labels, page, layer, problem, lambda since, wait: -((layer - since) // problem.layers))


def by_age(labels: Labels, page: int, layer: int, problem: Problem, age: Callable[[int, int], int]) -> Labels:
    """Serve with visits since the last request, where gaps of 2ℓ or more are cut to ℓ … 2ℓ − 1."""
    layers = problem.layers
    now = [label + 1 if label else 0 for label in labels]
    victim = None
    if not labels[page] and full(labels, problem):
        wait = [(own - layer - 1) % layers + 1 for own in problem.layer_of]
        victim = max(
            (q for q in range(len(now)) if now[q]), key=lambda q: (age(now[q] - 1, wait[q]), wait[q])
        )
    after = put(now, page, 1, victim)
    previous = cut = 0
    for q in sorted(range(len(after)), key=lambda q: after[q]):
        if after[q]:
            gap = after[q] - previous
            previous = after[q]
            if gap >= 2 * layers:
                cut += (gap // layers - 1) * layers
            after[q] -= cut
    return after


def zrc(labels: Labels, page: int, layer: int, problem: Problem) -> Labels:
    """Work-function labels: cached c → c + 1, others c → −c. Label 0 leaves first, then labels below k.

    Among these the pages whose layer is served again last leave first: those of the layer being served.
    """
    cache = problem.capacity[0]
    if labels[page] <= 0 and not full(labels, problem):
        return put(labels, page, cache + 1)
    work = [label - 1 if label > 0 else -label for label in labels]
    update(work, page, cache)
    cached = {q for q, label in enumerate(labels) if label > 0}
    if page not in cached:
        wait = [(own - layer - 1) % problem.layers for own in problem.layer_of]
        useless = [q for q in cached if work[q] == 0] or [q for q in cached if work[q] < cache]
        cached.remove(max(useless, key=lambda q: (wait[q], -work[q], -q)))
        cached.add(page)
    return [label + 1 if q in cached else -label for q, label in enumerate(work)]


RULES: dict[str, Rule] = {
    "lru": Rule(lru),
    "fifo": Rule(fifo),
    "fwf": Rule(fwf),
    "clock": Rule(clock),
    "mark-lru": Rule(mark_lru),
    "mark-fifo": Rule(mark_fifo),
    "llru": Rule(llru),
    "llru-lazy": Rule(llru_lazy),
    "llru-token": Rule(llru_token, turns=False),
    "zrc": Rule(zrc, ties=True),
}
