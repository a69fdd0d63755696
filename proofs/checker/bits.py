"""Policies that are told a bit with every request, and what the bits are about, once more and independently.

Labels mean what the policies' docstrings say. Discard bits are about a reference, any lazy schedule; phase
bits about the k-phases, with OPT beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from .problem import FREE, HIT, Problem
from .rules import Labels, Rule, Told, frame, full, in_order, serving, turned
from .work_function import OPT_SO_FAR, update

Paid = tuple[int, int, int]
"""How often each kind of cost was paid: a fault of the reference, a wrong 0, a wrong 1."""

Known = list[int]
"""Per page what is known beside the policy."""

Outcomes = list[tuple[Fraction, Labels]]

Followers = Iterator[tuple[int, tuple[Known, Paid]]]

NOTHING, WITH_0, WITH_1 = 0, 1, 2
"""What a reference has of a page: nothing, the page with bit 0, the page with bit 1."""

NOW_0, NOW_1, BEFORE_0, BEFORE_1, SAID = 1, 2, 3, 4, 5
"""What k-phases say of a page: asked for in this one with bit 0 or 1, only in the one before so, or 0."""

# --------------------------------------------------------------------------------------- deterministic


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


def mark_predict_lru(labels: Labels, page: int, told: Told, *, bit: int) -> Labels:
    """4·(recency rank) + 2·mark + bit. An unmarked page leaves, first of bit 1, then the least recent."""
    order = sorted((q for q, label in enumerate(labels) if label and q != page), key=lambda q: labels[q])
    marks, bits = {q: labels[q] // 2 % 2 for q in order}, {q: labels[q] % 2 for q in order}
    if not labels[page] and full(labels, told):
        if all(marks.values()):
            marks = dict.fromkeys(order, 0)
        order.remove(max((q for q in order if not marks[q]), key=lambda q: (bits[q], labels[q])))
    after = [0] * len(labels)
    for rank, q in enumerate([page, *order], start=1):
        after[q] = 4 * rank + (2 + bit if q == page else 2 * marks[q] + bits[q])
    return after


# ------------------------------------------------------------------------------------------ randomised


def mark0(labels: Labels, page: int, told: Told, *, bit: int) -> Outcomes:
    """1: to keep; 2: so and marked; 2 + r: r-th most recent to discard.

    The least recent to discard leaves, else any unmarked page; where all are marked they are unmarked first.
    """
    keep = {q: label for q, label in enumerate(labels) if 0 < label < 3 and q != page}
    discard = [q for _, q in sorted((label, q) for q, label in enumerate(labels) if label > 2 and q != page)]
    ways = [keep]
    if not labels[page] and full(labels, told):
        if discard:
            discard.pop()
        else:
            if 1 not in keep.values():
                keep = dict.fromkeys(keep, 1)
            ways = [{q: keep[q] for q in keep if q != gone} for gone in keep if keep[gone] == 1]
    found = []
    for kept in ways:
        after = [kept.get(q, 0) for q in range(len(labels))]
        for rank, q in enumerate([page, *discard] if bit else discard, start=3):
            after[q] = rank
        if not bit:
            after[page] = 2
        found.append((Fraction(1, len(ways)), after))
    return found


def mark_predict(labels: Labels, page: int, told: Told, *, bit: int) -> Outcomes:
    """1 + bit + 2·mark. Any unmarked page of bit 1 leaves, else any unmarked one."""
    gone: list[int | None] = [None]
    if not labels[page] and full(labels, told):
        if all(label > 2 for label in labels if label):
            labels = [max(label - 2, 0) for label in labels]
        leaving = 2 if 2 in labels else 1
        gone = [q for q, label in enumerate(labels) if label == leaving]
    return [
        (
            Fraction(1, len(gone)),
            [3 + bit if q == page else 0 if q == left else label for q, label in enumerate(labels)],
        )
        for left in gone
    ]


class BitPolicy(NamedTuple):
    """What a policy is told, and what it does: labels, page, what a rule is told, and the bit."""

    kind: str
    serve: Callable[..., Labels] | None = None
    outcomes: Callable[..., Outcomes] | None = None

    def served(self, labels: Labels, page: int, layer: int, bit: int, problem: Problem) -> Labels:
        """Return the labels after a request of a deterministic policy."""
        assert self.serve is not None
        return serving(Rule(partial(self.serve, bit=bit)), problem)(labels, page, layer)

    def answered(self, labels: Labels, page: int, layer: int, bit: int, problem: Problem) -> Outcomes:
        """Return what may become of the labels after a request, with chances."""
        if self.outcomes is None:
            return [(Fraction(1), self.served(labels, page, layer, bit, problem))]
        return self.drawn(labels, page, layer, bit, problem)

    def drawn(self, labels: Labels, page: int, layer: int, bit: int, problem: Problem) -> Outcomes:
        """Return what may become of the labels, with chances; the rule cannot tell alike pages apart."""
        assert self.outcomes is not None
        counts = tuple(problem.counts)
        told = frame(counts[layer:] + counts[:layer], problem.capacity[0], 0, 0, ends=True)
        order = in_order(labels, page, turned(counts, layer))
        found = []
        for chance, after in self.outcomes([labels[q] for q in order], order.index(page), told, bit=bit):
            back = [0] * len(labels)
            for q, label in zip(order, after, strict=True):
                back[q] = label
            found.append((chance, back))
        return found


POLICIES = {
    "flush-when-kept": BitPolicy("discard", flush_when_kept),
    "flush-when-kept-lazy": BitPolicy("discard", flush_when_kept_lazy),
    "mark-predict-lru": BitPolicy("phase", mark_predict_lru),
    "mark0": BitPolicy("discard", outcomes=mark0),
    "mark-predict": BitPolicy("phase", outcomes=mark_predict),
}
"""Policies by name."""

# ---------------------------------------------------------------------------- what the bits are about


def schedules(held: Known, page: int, bit: int, slots: int) -> Followers:
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


def k_phases(known: Known, page: int, bit: int, slots: int) -> Followers:
    """Yield what OPT's labels and the k-phases are after a request, what OPT paid, which bits were wrong.

    Known of a page is 5 · (its label in the work function) + what the k-phases say.
    """
    work, said = [value // SAID for value in known], [value % SAID for value in known]
    paid, wrong0, wrong1 = update(work, page, slots), 0, 0
    if said[page] not in (NOW_0, NOW_1):
        if said.count(NOW_0) + said.count(NOW_1) == slots:
            wrong0 = said.count(BEFORE_0)
            said = [{NOW_0: BEFORE_0, NOW_1: BEFORE_1}.get(own, 0) for own in said]
        elif said[page] == BEFORE_1:
            wrong1 = 1
    said[page] = NOW_1 if bit else NOW_0
    yield HIT, ([SAID * label + own for label, own in zip(work, said, strict=True)], (paid, wrong0, wrong1))


class Beside(NamedTuple):
    """What bits are about, and what a claim about them takes for granted."""

    follow: Callable[[Known, int, int, int], Followers]
    model: tuple[str, ...]
    scheduled: bool  # whether the reference may choose

    def most(self, slots: int) -> int:
        """Return the largest number that is known of a page."""
        return WITH_1 if self.scheduled else SAID * slots + BEFORE_1


BESIDE = {
    "discard": Beside(
        schedules,
        (
            "the reference: any lazy schedule with k slots",
            "a page of bit 0 that the reference evicts is a wrong 0",
            "a page of bit 1 that is requested while the reference holds it is a wrong 1",
        ),
        True,
    ),
    "phase": Beside(
        k_phases,
        (
            "the reference: OPT with k slots",
            OPT_SO_FAR,
            "a page whose last bit in a k-phase is 0, and that the next does not ask for, is a wrong 0",
            "a page whose last bit in a k-phase is 1, and that the next asks for, is a wrong 1",
        ),
        False,
    ),
}
"""By the kind of the bits."""
