"""The rules of policies, once more and by themselves: what they do with one label per page.

Written for this checker and independent of the policies it is used on; labels mean what the policies'
docstrings say. A rule is asked by :func:`serving`, and cannot tell alike pages apart: it is given the pages
of each layer in the order of their labels, and the layers from the one being served on. So what it does to a
page depends on labels and on distances between layers, and renaming pages inside a layer, or turning the
layers, changes nothing. There are two exceptions. A rule with ``ties`` sees pages in the order of their
numbers; that ties do not matter is checked state by state. A rule that does not ``turn`` sees the number of
the layer being served; its layers are never alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple, Protocol

from .problem import Problem
from .work_function import moved, update

REPLAY = "paging verify replays registered policies, and others with --policy"
"""How a condition on a policy without a rule is discharged."""

RENAMED = "not needed with an empty list alike"
"""How one on pages or layers that are alike to it is done without."""

KEPT = 1000
"""Places of a round of which it is remembered what a rule is told."""

Labels = list[int]


class Told(NamedTuple):
    """What a rule knows beside labels and the requested page."""

    cache: int  # slots
    layers: int
    own: range  # pages of the layer being served
    wait: list[int]  # visits until a page's layer is served again; the layers for the one being served now
    served: int  # the layer being served: always 0 to a rule that turns
    place: int  # requests of the visit that were served before
    ends: bool  # the request is the last one of its visit
    held: frozenset[int] = frozenset()  # pages that the atomic visit has asked for: they do not leave

    def may_leave(self, pages: Iterable[int]) -> list[int]:
        """Return those of some cached pages that may leave, in their order."""
        return [q for q in pages if q not in self.held]


Serve = Callable[[Labels, int, Told], Labels]


class Follow(Protocol):
    """A policy: labels, page, place of the request in its round, pages held → the labels that follow."""

    def __call__(self, labels: Labels, page: int, slot: int, held: Sequence[int] = ()) -> Labels: ...


class Rule(NamedTuple):
    """What a policy does, and what it may see."""

    serve: Serve
    turns: bool = True  # it sees layers by their distance from the one being served alone
    ties: bool = False  # between cached pages of a layer it may choose by page number
    unit: bool = False  # it is the policy at unit cost alone


def frame(counts: Sequence[int], cache: int, served: int, place: int, *, ends: bool) -> Told:
    """Return what a rule is told when a layer is served, after so many requests of its visit."""
    layers, first = len(counts), sum(counts[:served])
    wait = [(own - served - 1) % layers + 1 for own, count in enumerate(counts) for _ in range(count)]
    return Told(cache, layers, range(first, first + counts[served]), wait, served, place, ends)


@lru_cache(maxsize=1000)
def turned(counts: tuple[int, ...], first: int) -> list[range]:
    """Return the pages of every layer, from a layer on."""
    layers = [range(start, end) for start, end in pairwise(accumulate(counts, initial=0))]
    return layers[first:] + layers[:first]


def in_order(labels: Labels, page: int, layers: list[range]) -> list[int]:
    """Return each layer's pages in the order of their labels, the requested one first among equals."""
    order: list[int] = []
    for own in layers:
        pages = [page, *(q for q in own if q != page)] if page in own else own
        order += sorted(pages, key=labels.__getitem__)
    return order


def serving(rule: Rule, problem: Problem) -> Follow:
    """Return a policy by its rule: labels, page, place of the request in its round → labels that follow.

    In an atomic visit the pages asked for before come as well. The rule sees no more of page and layer
    numbers than it may.
    """
    counts = tuple(problem.counts)
    known: dict[int, Told] = {}

    def serve(labels: Labels, page: int, slot: int, held: Sequence[int] = ()) -> Labels:
        layer, place = divmod(slot, problem.per_visit)
        first = layer if rule.turns else 0
        told = known.get(slot)
        if told is None:
            if len(known) == KEPT:
                known.clear()
            ahead = counts[first:] + counts[:first]
            ends = place + 1 == problem.per_visit
            told = known[slot] = frame(ahead, problem.capacity[0], layer - first, place, ends=ends)
        if rule.ties and first == 0:
            return rule.serve(labels, page, told._replace(held=frozenset(held)) if held else told)
        parts = turned(counts, first)
        order = [q for own in parts for q in own] if rule.ties else in_order(labels, page, parts)
        if held:
            told = told._replace(held=frozenset(order.index(q) for q in held))
        after = rule.serve([labels[q] for q in order], order.index(page), told)
        found = [0] * len(labels)
        for q, label in zip(order, after, strict=True):
            found[q] = label
        return found

    return serve


def put(labels: Labels, page: int, label: int, victim: int | None = None) -> Labels:
    """Return the labels with a page's label set, after another one has left."""
    after = list(labels)
    if victim is not None:
        after[victim] = 0
    after[page] = label
    return after


def full(labels: Labels, frame: Told) -> bool:
    """Say whether every slot is taken."""
    return len([label for label in labels if label > 0]) == frame.cache


def lru(labels: Labels, page: int, frame: Told) -> Labels:
    """Recency ranks: younger pages than the requested one age by one; rank k + 1 leaves."""
    rank = labels[page] or frame.cache + 1
    aged = [label + 1 if 0 < label < rank else label for label in labels]
    return [1 if q == page else label if label <= frame.cache else 0 for q, label in enumerate(aged)]


def fifo(labels: Labels, page: int, frame: Told) -> Labels:
    """Arrival ranks: a hit changes nothing, the highest leaves, and the new page has rank 1."""
    return labels if labels[page] else arrived(labels, page, frame, max)


def arrived(labels: Labels, page: int, frame: Told, choose: Callable[..., int]) -> Labels:
    """Load a page with rank 1; with a full cache the page of the chosen rank leaves and its gap closes."""
    gone, gap = None, frame.cache + 1
    if full(labels, frame):
        gone = choose(frame.may_leave(q for q in range(len(labels)) if labels[q]), key=labels.__getitem__)
        gap = labels[gone]
    return put([label + 1 if 0 < label < gap else label for label in labels], page, 1, gone)


def fwf(labels: Labels, page: int, frame: Told) -> Labels:
    """Flush when full: everything leaves that may."""
    if full(labels, frame) and not labels[page]:
        labels = [label if q in frame.held else 0 for q, label in enumerate(labels)]
    return put(labels, page, 1)


def clock(labels: Labels, page: int, frame: Told) -> Labels:
    """2·(place from the hand, 1 = next) + use bit; the hand clears bits until it finds a clear one."""
    return tick(labels, page, frame, loaded=1)


def clock_clear(labels: Labels, page: int, frame: Told) -> Labels:
    """As ``clock``, but a page that is loaded has its bit clear."""
    return tick(labels, page, frame, loaded=0)


def tick(labels: Labels, page: int, frame: Told, *, loaded: int) -> Labels:
    """Serve with a hand that passes over set bits; ``loaded`` is the bit of a page just loaded."""
    if labels[page]:
        return put(labels, page, labels[page] | 1)
    size = sum(label > 0 for label in labels)
    if size < frame.cache:
        return put(labels, page, 2 * (size + 1) + loaded)
    dial = sorted((q for q in range(len(labels)) if labels[q]), key=lambda q: labels[q])
    while labels[dial[0]] & 1 or dial[0] in frame.held:
        labels = put(labels, dial[0], labels[dial[0]] & ~1)
        dial.append(dial.pop(0))
    after = [0] * len(labels)
    for place, q in enumerate(dial[1:], start=1):
        after[q] = 2 * place + (labels[q] & 1)
    return put(after, page, 2 * size + loaded)


def mark_lru(labels: Labels, page: int, frame: Told) -> Labels:
    """2·(recency rank) + mark; a fault with all pages marked unmarks all, the oldest unmarked page leaves."""
    return marking(labels, page, frame, moves_on_hits=True)


def mark_fifo(labels: Labels, page: int, frame: Told) -> Labels:
    """2·(arrival rank) + mark; as ``mark-lru`` otherwise."""
    return marking(labels, page, frame, moves_on_hits=False)


def marking(
    labels: Labels, page: int, frame: Told, *, moves_on_hits: bool, own_first: bool = False
) -> Labels:
    """Serve with ranks and marks: the page that moves to the front leaves a gap that younger pages fill."""
    if labels[page] and not moves_on_hits:
        return put(labels, page, labels[page] | 1)
    gone = page
    if not labels[page] and full(labels, frame):
        if all(label & 1 for label in labels if label):
            labels = [label & ~1 for label in labels]
        unmarked = frame.may_leave(q for q in range(len(labels)) if labels[q] and not labels[q] & 1)
        gone = max(unmarked, key=lambda q: (own_first and q in frame.own, labels[q]))
    gap = labels[gone] // 2 or len(labels) + 1
    aged = [label + 2 if 0 < label // 2 < gap else label for label in labels]
    return put(aged, page, 3, gone)


def mark_layer(labels: Labels, page: int, frame: Told) -> Labels:
    """As ``mark-lru``, but unmarked pages of the layer being served leave before all others."""
    return marking(labels, page, frame, moves_on_hits=True, own_first=True)


def mru(labels: Labels, page: int, frame: Told) -> Labels:
    """Recency ranks; with a full cache the most recent page that may leaves."""
    if not labels[page]:
        return arrived(labels, page, frame, min)
    return put([label + 1 if 0 < label < labels[page] else label for label in labels], page, 1)


def lifo(labels: Labels, page: int, frame: Told) -> Labels:
    """Arrival ranks: as ``mru``, but a hit changes nothing."""
    return labels if labels[page] else arrived(labels, page, frame, min)


def sieve(labels: Labels, page: int, frame: Told) -> Labels:
    """4·(place, 1 = tail) + 2·(the hand rests here) + visited.

    The hand goes towards the head, clears visited bits, and rests on the page after the one that leaves.
    """
    if labels[page]:
        return put(labels, page, labels[page] | 1)
    queue = sorted((q for q in range(len(labels)) if labels[q]), key=lambda q: labels[q])
    bits = {q: labels[q] & 3 for q in queue}
    if len(queue) == frame.cache:
        hand = next((place for place, q in enumerate(queue) if bits[q] & 2), 0)
        bits[queue[hand]] &= 1
        while bits[queue[hand]] or queue[hand] in frame.held:
            bits[queue[hand]] = 0
            hand = (hand + 1) % len(queue)
        del queue[hand]
        if hand < len(queue):
            bits[queue[hand]] |= 2
    after = [0] * len(labels)
    for place, q in enumerate(queue, start=1):
        after[q] = 4 * place + bits[q]
    return put(after, page, 4 * (len(queue) + 1))


def lfu_capped(labels: Labels, page: int, frame: Told) -> Labels:
    """count·(k + 1) + recency rank, 1 = least recent: the least leaves; counts begin at 1 and stop at k."""
    base = frame.cache + 1
    count = min(labels[page] // base + 1, frame.cache)
    after = list(labels)
    if not labels[page] and full(labels, frame):
        gone = min(frame.may_leave(q for q in range(len(labels)) if labels[q]), key=lambda q: labels[q])
    else:
        gone = page
    if labels[gone]:
        after = [label - 1 if label % base > labels[gone] % base else label for label in labels]
        after[gone] = 0
    after[page] = count * base + sum(label > 0 for q, label in enumerate(after) if q != page) + 1
    return after


def llru(labels: Labels, page: int, frame: Told) -> Labels:
    """1 + visits since the last request: the most rounds until the next visit leave, then the later visit."""
    return by_age(labels, page, frame, lambda since, wait: (since + wait) // frame.layers)


def llru_lazy(labels: Labels, page: int, frame: Told) -> Labels:
    """As ``llru``, but the visit under way does not count for pages of its layer."""
    layers = frame.layers
    return by_age(labels, page, frame, lambda since, wait: (since + wait) // layers - (wait == layers))


def llru_token(labels: Labels, page: int, frame: Told) -> Labels:
    """As ``llru``, but rounds are counted by tokens: how many rounds began since the last request."""
    return by_age(labels, page, frame, lambda since, wait: -((frame.served - since) // frame.layers))


def by_age(labels: Labels, page: int, frame: Told, age: Callable[[int, int], int]) -> Labels:
    """Serve with visits since the last request, where gaps of 2ℓ or more are cut to ℓ … 2ℓ − 1."""
    layers = frame.layers
    now = [label + 1 if label and frame.place == 0 else label for label in labels]
    victim = None
    if not labels[page] and full(labels, frame):
        victim = max(
            frame.may_leave(q for q in range(len(now)) if now[q]),
            key=lambda q: (age(now[q] - 1, frame.wait[q]), frame.wait[q]),
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


def zrc(labels: Labels, page: int, frame: Told) -> Labels:
    """Work-function labels: cached c → c + 1, others c → −c. Label 0 leaves first, then labels below k.

    Among these the pages whose layer is served again last leave first: those of the layer being served.
    """
    cache, label = frame.cache, labels[page]
    if not full(labels, frame):
        return put(labels, page, cache + 1)
    becomes = relabelled(label - 1 if label > 0 else -label, cache)
    after = [becomes[label] for label in labels]
    if label <= 0:
        useless = [q for q, new in enumerate(after) if new == 1]
        useless = useless or [q for q, new in enumerate(after) if 0 < new <= cache]
        gone = max(useless, key=lambda q: (frame.wait[q], -after[q], -q))
        after[gone] = 1 - after[gone]
    after[page] = cache + 1
    return after


@lru_cache(maxsize=1000)
def relabelled(label: int, cache: int) -> dict[int, int]:
    """Return what becomes of labels c + 1 and −c when a page with the work-function label is served.

    A cache that is full has seen k pages: OPT has no free slot either.
    """
    work = moved(label, True, cache)
    return {c + 1: new + 1 for c, new in enumerate(work)} | {-c: -new for c, new in enumerate(work)}


def far_lab(labels: Labels, page: int, frame: Told) -> Labels:
    """2·(work-function label) + asked for in this visit; cached c → c + 1, others c → −c.

    Label 0 leaves first, then what can be asked for again latest, then the smallest label; label k never.
    """
    work, asked = told_apart(labels, frame)
    update(work, page, frame.cache)
    asked[page] = 1
    victim = None
    if labels[page] <= 0 and full(labels, frame):
        ago = [frame.layers - wait for wait in frame.wait]
        for q in frame.own:
            if not frame.ends and not asked[q]:
                ago[q] = frame.layers
        able = [q for q, label in enumerate(labels) if label > 0 and work[q] < frame.cache]
        victim = min(able, key=lambda q: (work[q] > 0, ago[q] if work[q] else 0, work[q], q))
    return told_together(labels, page, victim, work, asked, frame)


def zrc_atomic(labels: Labels, page: int, frame: Told) -> Labels:
    """Labels as ``far-lab``; the work function serves a visit's pages again and again. Else as ``zrc``."""
    work, asked = told_apart(labels, frame)
    for q in [page, *(q for q, bit in enumerate(asked) if bit)]:
        update(work, q, frame.cache)
    asked[page] = 1
    victim = None
    if labels[page] <= 0 and full(labels, frame):
        kind = [2 if label == 0 else int(label < frame.cache) for label in work]
        cached = [q for q, label in enumerate(labels) if label > 0]
        victim = max(cached, key=lambda q: (kind[q], frame.wait[q], -work[q], -q))
    return told_together(labels, page, victim, work, asked, frame)


def told_apart(labels: Labels, frame: Told) -> tuple[Labels, Labels]:
    """Return work-function labels, and 1 for every page asked for in the visit under way."""
    codes = [label - 1 if label > 0 else -label for label in labels]
    return [code // 2 for code in codes], [code % 2 if frame.place else 0 for code in codes]


def told_together(
    labels: Labels, page: int, victim: int | None, work: Labels, asked: Labels, frame: Told
) -> Labels:
    """Return the labels after a request; what was asked for is forgotten with the visit."""
    codes = [2 * label + (0 if frame.ends else bit) for label, bit in zip(work, asked, strict=True)]
    cached = [q == page or (label > 0 and q != victim) for q, label in enumerate(labels)]
    return [code + 1 if here else -code for code, here in zip(codes, cached, strict=True)]


def heat_lru(labels: Labels, page: int, frame: Told) -> Labels:
    """6·(recency rank) + hits up to 5; the least recent page with at most 4 leaves, else the least recent.

    Pages requested before in the visit leave last.
    """
    ranked = sorted((label, q) for q, label in enumerate(labels) if label)
    hits = {q: label % 6 for label, q in ranked}
    order = [q for _, q in ranked if q != page]
    if labels[page] == 0 and full(labels, frame):
        pool = order[frame.place :] or order
        order.remove(([q for q in pool if hits[q] < 5] or pool)[-1])
    after = [0] * len(labels)
    after[page] = 6 + (min(hits[page] + 1, 5) if page in hits else 0)
    for rank, q in enumerate(order, start=2):
        after[q] = 6 * rank + hits[q]
    return after


def least_stale(labels: Labels, page: int, frame: Told) -> Labels:
    """2·(arrival rank, 1 = newest) + touched in this round; untouched first, then those arrived first.

    Of the touched ones those of the layer being served leave last.
    """
    if frame.served == frame.place == 0:
        labels = [label // 2 * 2 for label in labels]
    if labels[page]:
        return put(labels, page, labels[page] | 1)
    gone, cached = None, [q for q, label in enumerate(labels) if label]
    if full(labels, frame):
        stale = {q: 2 if labels[q] % 2 == 0 else q not in frame.own for q in cached}
        gone = max(cached, key=lambda q: (stale[q], labels[q]))
    younger = labels[gone] // 2 if gone is not None else frame.cache + 1
    moved = [label + 2 if label and label // 2 < younger else label for label in labels]
    return put(moved, page, 3, gone)


def queues(labels: Labels, base: int) -> dict[int, Labels]:
    """Return the pages that stand in each queue, newest first; queue −1 is that of negative labels."""
    found: dict[int, list[tuple[int, int]]] = {}
    for q, label in enumerate(labels):
        if label:
            found.setdefault(label // base if label > 0 else -1, []).append((abs(label) % base, q))
    return {queue: [q for _, q in sorted(pages)] for queue, pages in found.items()}


def stood(standing: dict[int, Labels], pages: int, base: int) -> Labels:
    """Return the labels of pages in their queues."""
    after = [0] * pages
    for queue, own in standing.items():
        for rank, q in enumerate(own, start=1):
            after[q] = queue * base + rank if queue >= 0 else -rank
    return after


def slru(labels: Labels, page: int, frame: Told) -> Labels:
    """Segment·(k + 1) + rank, four segments or k; a hit climbs, overflow sinks, the lowest gives away."""
    base, count = frame.cache + 1, min(4, frame.cache)
    found = queues(labels, base)
    segments = [found.get(segment, []) for segment in range(count)]
    room = [frame.cache - (count - 1) * (frame.cache // count)] + [frame.cache // count] * (count - 1)
    if labels[page]:
        own = labels[page] // base
        above = min(own + 1, count - 1)
        segments[own].remove(page)
        segments[above].insert(0, page)
        if len(segments[above]) > room[above]:
            segments[above - 1].insert(0, segments[above].pop())
    else:
        if full(labels, frame):
            last = next(own for own in map(frame.may_leave, segments) if own)[-1]
            segments = [[q for q in segment if q != last] for segment in segments]
        free = [len(segment) < most for segment, most in zip(segments, room, strict=True)]
        segments[free.index(True)].insert(0, page)
    return stood(dict(enumerate(segments)), len(labels), base)


def two_queues(labels: Labels, page: int, frame: Told) -> Labels:
    """Rank in A1in, k + 1 + rank in Am, −rank in A1out; a quarter for A1in, half remembered."""
    base = frame.cache + 1
    found = queues(labels, base)
    young, old, ghosts = found.get(0, []), found.get(1, []), found.get(-1, [])
    if page in young:
        return labels
    known = page in ghosts
    for queue in (old, ghosts):
        if page in queue:
            queue.remove(page)
    if labels[page] <= 0 and full(labels, frame):
        waiting, kept = frame.may_leave(young), frame.may_leave(old)
        if waiting and (len(young) > frame.cache // 4 or not kept):
            young.remove(waiting[-1])
            ghosts = [waiting[-1], *ghosts][: frame.cache // 2]
        else:
            old.remove(kept[-1])
    (old if known or labels[page] > 0 else young).insert(0, page)
    return stood({0: young, 1: old, -1: ghosts}, len(labels), base)


def s3_fifo(labels: Labels, page: int, frame: Told) -> Labels:
    """4·(place in the small queue, or k + 1 + place in the main one) + hits up to 3; −place as a ghost."""
    if labels[page] > 0:
        return put(labels, page, labels[page] + (labels[page] % 4 < 3))
    cache, base = frame.cache, frame.cache + 1
    hits = {q: label % 4 for q, label in enumerate(labels) if label > 0}
    found = queues([label // 4 if label > 0 else label for label in labels], base)
    small, main, ghosts = found.get(0, []), found.get(1, []), found.get(-1, [])
    share, known = max(1, int(cache * 0.1)), page in ghosts
    if known:
        ghosts.remove(page)
    searching = filled = full(labels, frame)
    while searching:
        if len(small) < share or not frame.may_leave(small):
            while searching and frame.may_leave(main):
                q = frame.may_leave(main)[-1]
                main.remove(q)
                searching = hits[q] > 0
                if searching:
                    main.insert(0, q)
                    hits[q] -= 1
        while searching and frame.may_leave(small):
            q = frame.may_leave(small)[-1]
            small.remove(q)
            searching = hits[q] >= 2
            if searching:
                main.insert(0, q)
                hits[q] = 0
            else:
                ghosts = [q, *ghosts][: int(cache * 0.9)]
    (main if known or (not filled and len(small) >= share) else small).insert(0, page)
    hits[page] = 0
    placed = stood({0: small, 1: main, -1: ghosts}, len(labels), base)
    return [4 * label + hits[q] if label > 0 else label for q, label in enumerate(placed)]


def arc(labels: Labels, page: int, frame: Told) -> Labels:
    """Place in T1, or 2k + 1 + place in T2; negative in B1, B2. Place 1, requested last, carries T1's target.

    The target n/2^s, a binary floating-point number, is written as 53n + s.
    """
    cache, base, target = frame.cache, 2 * frame.cache + 1, 0.0
    labels = list(labels)
    for q, label in enumerate(labels):
        if label >= 2 * base:
            n, s = divmod((label - 2 * base) // 2, 53)
            target, labels[q] = n / 2**s, label % 2 * base + 1
    order = sorted(range(len(labels)), key=lambda q: abs(labels[q]))
    lists = [[q for q in order if labels[q] > 0 and labels[q] // base == i] for i in (0, 1)]
    ghosts = [[q for q in order if labels[q] < 0 and -labels[q] // base == i] for i in (0, 1)]
    sizes, first = [len(own) for own in ghosts], len(lists[0])
    if labels[page] > 0:
        lists[labels[page] // base].remove(page)
    else:
        known, second = labels[page] < 0, page in ghosts[1]
        if second:
            target = max(target - max(sizes[0] / sizes[1], 1.0), 0.0)
        elif known:
            target = min(target + max(sizes[1] / sizes[0], 1.0), float(cache))
        if known:
            ghosts[second].remove(page)
        if full(labels, frame):
            source = 0 if first == cache or (first and first + 0.5 * second > target) else 1
            remembered = known or first + sizes[0] < cache or sizes[0] > 0
            if not known and first + sizes[0] >= cache:
                source = source if remembered else 0
                del ghosts[0][-1:]
            elif not known and sum(sizes) >= cache:
                ghosts[1].pop()
            if not frame.may_leave(lists[source]):
                source = 1 - source
            gone = frame.may_leave(lists[source])[-1]
            lists[source].remove(gone)
            ghosts[source][:0] = [gone] * remembered
    lists[labels[page] != 0].insert(0, page)
    after = [0] * len(labels)
    for i in (0, 1):
        for rank, q in enumerate(lists[i], start=1):
            after[q] = i * base + rank
        for rank, q in enumerate(ghosts[i], start=1):
            after[q] = -i * base - rank
    n, power = target.as_integer_ratio()
    after[page] = 2 * base + 2 * (53 * n + power.bit_length() - 1) + (labels[page] != 0)
    return after


def landlord(labels: Labels, page: int, cache: int, cost: int, *, renews: bool) -> Labels:
    """credit·(k + 1) + rank, the longest since its renewal first; all pay the least credit, and it leaves."""
    line = sorted((q for q, label in enumerate(labels) if label), key=lambda q: labels[q] % (cache + 1))
    credit = {q: labels[q] // (cache + 1) for q in line}
    if page not in credit and len(line) == cache:
        poorest = min(line, key=credit.__getitem__)
        rent = credit[poorest]
        credit = {q: left - rent for q, left in credit.items()}
        line.remove(poorest)
    if page not in credit or renews:
        line = [*(q for q in line if q != page), page]
        credit[page] = cost
    after = [0] * len(labels)
    for rank, q in enumerate(line, start=1):
        after[q] = credit[q] * (cache + 1) + rank
    return after


def landlord_at_unit_cost(labels: Labels, page: int, frame: Told) -> Labels:
    """Serve with ``landlord``."""
    return landlord(labels, page, frame.cache, 1, renews=True)


def landlord_fifo_at_unit_cost(labels: Labels, page: int, frame: Told) -> Labels:
    """Serve with ``landlord`` whose credits only fall."""
    return landlord(labels, page, frame.cache, 1, renews=False)


RULES: dict[str, Rule] = {
    "lru": Rule(lru),
    "fifo": Rule(fifo),
    "lifo": Rule(lifo),
    "mru": Rule(mru),
    "clock": Rule(clock),
    "clock-clear": Rule(clock_clear),
    "sieve": Rule(sieve),
    "fwf": Rule(fwf),
    "lfu-capped": Rule(lfu_capped),
    "mark-lru": Rule(mark_lru),
    "mark-fifo": Rule(mark_fifo),
    "mark-layer": Rule(mark_layer),
    "llru": Rule(llru),
    "llru-lazy": Rule(llru_lazy),
    "llru-token": Rule(llru_token, turns=False),
    "heat-lru": Rule(heat_lru),
    "least-stale": Rule(least_stale, turns=False),
    "slru": Rule(slru),
    "2q": Rule(two_queues),
    "s3-fifo": Rule(s3_fifo),
    "arc": Rule(arc),
    "landlord": Rule(landlord_at_unit_cost, unit=True),
    "landlord-fifo": Rule(landlord_fifo_at_unit_cost, unit=True),
    "lru-weighted": Rule(lru, unit=True),
    "zrc": Rule(zrc, ties=True),
    "far-lab": Rule(far_lab, ties=True),
    "zrc-atomic": Rule(zrc_atomic, ties=True),
}
"""Rules by the policy's name."""

SPLIT = re.compile(r"partitioned(?::policy=([a-z0-9-]+))?(?:(?(1),|:)shares=([0-9]{1,9}(?:/[0-9]{1,9})*))?")


def rule_of(policy: str, problem: Problem) -> Rule | None:
    """Return the rule of a policy by its name, or None. A fixed split serves each layer by another rule."""
    split = SPLIT.fullmatch(policy)
    if split is None:
        return RULES.get(policy)
    inner, listed = RULES.get(split[1] or "lru"), split[2]
    layers, cache = problem.layers, problem.capacity[0]
    shares = [cache // layers + (layer < cache % layers) for layer in range(layers)]
    if listed:
        shares = [int(share) for share in listed.split("/")]
    if inner is None or len(shares) != layers or sum(shares) > cache or min(shares) < 1:
        return None

    def serve(labels: Labels, page: int, told: Told) -> Labels:
        own = told.own
        alone = frame((len(own),), shares[told.served], 0, told.place, ends=told.ends)
        alone = alone._replace(held=frozenset(q - own.start for q in told.held))
        part = inner.serve(labels[own.start : own.stop], page - own.start, alone)
        return [*labels[: own.start], *part, *labels[own.stop :]]

    return Rule(serve, turns=len(set(shares)) == 1, ties=inner.ties, unit=inner.unit)
