"""T2, T3 and T4: what wrong discard bits cost every deterministic policy that is told them."""

from __future__ import annotations

import numpy as np
import sympy

from adversary.catalogue.missing_page import even_spread, missing_pages
from adversary.construction import Construction, Promise, construction, k, l, require
from adversary.phases import phase_schedule
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule, whole_number
from paging.policy import Policy
from paging.predicted import PredictedSequence
from paging.simulate import Session

VICTIMS = ("flush-when-kept", "flush-when-kept-lazy")
ONE = sympy.Integer(1)


class _TwoSides:
    """A policy and the offline schedule R, served side by side.

    R keeps the first pages of layer 0, Z, and one page of each of the ``idle`` last layers, k in all. All
    others are visitors, of which the oldest leaves for the next page that R lacks. Where R has none, some
    page of Z leaves: which one is said later (:meth:`give`).
    """

    def __init__(self, instance: LayeredInstance, policy: Policy, idle: int = 0) -> None:
        self.instance, self.session = instance, Session(policy, instance)
        self.kept = range(instance.cache - idle)
        self.visited = range(1, instance.layers - idle)
        self.idle = [instance.first_page[layer] for layer in range(instance.layers - idle, instance.layers)]
        self.loaded: set[int] = set()
        self.visitors: list[int] = []
        self.owed: int | None = None
        self.steps: list[tuple[int, int]] = []
        self.entries: list[int] = []

    def ask(self, page: int, bit: int) -> None:
        """Serve a request on both sides."""
        self.session.serve(page, prediction=bit)
        self.steps.append((page, bit))
        self.entries.append(self._serve(page))

    def _serve(self, page: int) -> int:
        """Serve R; return its entry."""
        if page in self.loaded or page in self.visitors:
            return HIT
        entry = FREE
        if len(self.loaded) + len(self.visitors) >= self.instance.cache:
            if self.visitors:
                entry = self.visitors.pop(0)
            else:
                self.owed = len(self.steps) - 1  # a page of Z, still to be named
        if page in self.kept or page in self.idle:
            self.loaded.add(page)
        else:
            self.visitors.append(page)
        return entry

    def give(self, page: int) -> None:
        """Name the page of Z that R gave up for its visitor."""
        assert self.owed is not None
        self.entries[self.owed] = page
        self.loaded.remove(page)
        self.owed = None

    def lacking(self, avoid: set[int]) -> list[int]:
        """Return the pages of Z that the policy lacks, those first that are not to be avoided."""
        pages = [page for page in self.kept if not self.session.cached(page)]
        return sorted(pages, key=lambda page: (page in avoid, page))

    def new(self, layer: int) -> int:
        """Return a page of a layer that neither side has."""
        return next(
            page
            for page in self.instance.pages_of(layer)
            if page not in self.visitors and not self.session.cached(page)
        )

    def warm_up(self, bit: int) -> None:
        """Let R load what it keeps, and end with it right after a request in layer 0."""
        for page in self.kept:
            self.ask(page, bit)
            if page != self.kept[-1]:
                for layer in self.visited:
                    self.ask(self.instance.first_page[layer], 1)
                self.rest()

    def rest(self) -> None:
        """Ask for the pages of the idle layers."""
        for page in self.idle:
            self.ask(page, 0)

    def built(self, promise: Promise, boundaries: list[int]) -> Construction:
        """Return the construction, in whole rounds."""
        if self.owed is not None:
            asked = {page for page, _ in self.steps[self.owed :]}
            self.give(next(page for page in self.kept if page not in asked))
        whole = len(self.steps) // self.instance.layers * self.instance.layers
        pages, bits = np.array(self.steps[:whole], dtype=np.int64).T
        sequence = PredictedSequence(RequestSequence(self.instance, pages), "discard", bits)
        offline = Schedule(sequence.plain, np.array(self.entries[:whole], dtype=np.int32))
        values = {"ell": self.instance.layers, "k": self.instance.cache}
        periods = tuple(boundary for boundary in boundaries if boundary <= whole)
        return Construction(sequence, offline, promise, periods, values)


@construction(
    id="new-visitors",
    title="a page of Z that the policy lacks, and in every other layer a page that nobody has",
    bound="wrong-bits-visitors",
    bad_for="every deterministic policy told discard bits",
    source="ours",
    status="proved in docs/wrong-bits.md (T2)",
    victims=VICTIMS,
    kind="adaptive",
    demo=LayeredInstance(layers=3, pages=4, cache=3),
    told="discard",
)
def new_visitors(instance: LayeredInstance, rounds: int, policy: Policy, bit: int = 0) -> Construction:
    """Keep k pages Z of layer 0 in play with one bit, and let pages of bit 1 pass through in other layers.

    The policy has just served a page outside Z, so it lacks one of Z: that one is requested in layer 0, first
    of all one that has not been requested in the period. In every other layer a page that neither side has.

    Bad for whom
    ------------
    Every deterministic policy that is told discard bits: (k(ℓ − 1) + 1)·α + min(β, (k − 1)·γ) ≥ kℓ for α ≥ 1,
    so β ≥ k − 1 and γ ≥ 1 at α = 1.

    Promise
    -------
    A period goes on until R = Z again. It has at least k rounds, as the page that R lacks is requested last;
    the policy faults at every request, R in the other layers and once at the end. Every further round is one
    fault more for the policy than for R. One bit 0 is wrong in a period, or with Z of bit 1 one bit 1 for
    every request but the last in layer 0.

    Offline schedule in words
    -------------------------
    All of Z, or Z with one page of it replaced by the page asked for last outside Z: for the first such page
    after R = Z the page of Z leaves that is requested last, later the visitor before it.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ 2, k pages in layer 0 and k + 1 in every other.
    bit : int, default 0
        The bit of the pages of Z: 0 makes wrong bits 0, 1 wrong bits 1.
    """
    counts = instance.pages_by_layer
    require(
        instance,
        ("ℓ ≥ 2", instance.layers >= 2),
        ("k ≥ 2", instance.cache >= 2),
        ("k pages in layer 0", counts[0] >= instance.cache),
        ("k + 1 pages in every layer but the first", min(counts[1:], default=0) > instance.cache),
    )
    whole_number(bit, "bit", 0, 1)
    play = _TwoSides(instance, policy)
    play.warm_up(bit)
    boundaries, asked = [len(play.steps)], set[int]()
    for _ in range(rounds - len(play.kept)):
        for layer in play.visited:
            play.ask(play.new(layer), 1)
        page = play.lacking(asked)[0]
        asked.add(page)
        if len(asked) == len(play.kept):  # R lacks it: the others came before it
            play.give(page)
        play.ask(page, bit)
        if len(asked) == len(play.kept):
            boundaries.append(len(play.steps))
            asked = set()
    wrong = (sympy.S.Zero, k - 1) if bit else (ONE, sympy.S.Zero)
    besides = (l, l - 1, sympy.S.Zero, sympy.Integer(bit))
    promise = Promise("a time away from Z", k * l, k * (l - 1) + 1, k * l, wrong=wrong, besides=besides)
    return play.built(promise, boundaries)


@construction(
    id="one-visitor",
    title="pages of Z that the policy lacks, and in another layer one visitor again and again",
    bound="wrong-bits-visitor",
    bad_for="every deterministic policy told discard bits",
    source="ours",
    status="proved in docs/wrong-bits.md (T3)",
    victims=VICTIMS,
    kind="adaptive",
    demo=LayeredInstance(layers=2, pages=3, cache=3),
    told="discard",
)
def one_visitor(instance: LayeredInstance, rounds: int, policy: Policy, bit: int = 0) -> Construction:
    """Keep k − ℓ + 2 pages Z of layer 0 in play, one page at a time of layer 1, one for good of each other.

    A phase begins with R = Z − y + s beside the idle pages, and the policy without y: y, then a new page s′
    in layer 1, then in turn a page of Z that the policy lacks, or one asked for before if it lacks none, and
    s′ again, until only one page of Z has not been requested: that one R gave up for s′. The phase ends when
    the policy has s′ and lacks it.

    Bad for whom
    ------------
    Every deterministic policy told discard bits: 2·α + min(β, (k − ℓ + 1)·γ) ≥ k − ℓ + 3 for α ≥ 1.

    Promise
    -------
    In a phase the policy faults at least k − ℓ + 3 times and R twice: a page is missing among Z, s′ and the
    idle ones, and costs the policy alone in every round. Every further such round is one fault more. One bit
    0 is wrong in a phase, or with Z of bit 1 a bit 1 for every request of Z that R serves from its cache.

    Offline schedule in words
    -------------------------
    The idle pages, and all of Z, or Z with one page of it replaced by the visitor.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 2, k ≥ ℓ, at least k − ℓ + 2 pages in layer 0 and k in layer 1.
    bit : int, default 0
        The bit of the pages of Z: 0 makes wrong bits 0, 1 wrong bits 1.
    """
    require(
        instance,
        ("ℓ ≥ 2", instance.layers >= 2),
        ("k ≥ ℓ", instance.cache >= instance.layers),
        ("k − ℓ + 2 pages in layer 0", instance.pages_by_layer[0] >= instance.cache - instance.layers + 2),
        ("k pages in layer 1", instance.pages_by_layer[1:2] >= (instance.cache,)),
    )
    whole_number(bit, "bit", 0, 1)
    play = _TwoSides(instance, policy, idle=instance.layers - 2)
    play.warm_up(bit)
    boundaries, end = list[int](), rounds * instance.layers
    while len(play.steps) < end:
        visitor = play.new(1)
        play.ask(visitor, 0)
        play.rest()
        asked, gone, over = set[int](), -1, False
        while not over and len(play.steps) < end:
            missing = [page for page in play.lacking(asked) if page != gone]
            # Where the policy lacks nothing of Z that R has, a page that both have does no harm.
            page = next(iter(missing or sorted(asked) or play.kept))
            play.ask(page, bit)
            asked.add(page)
            if gone < 0 and len(asked) == len(play.kept) - 1:
                gone = next(page for page in play.kept if page not in asked)
                play.give(gone)
            over = gone >= 0 and not play.session.cached(gone) and play.session.cached(visitor)
            play.ask(visitor, int(over))
            play.rest()
        if over:
            boundaries.append(len(play.steps))
            play.ask(gone, bit)
    wrong = (sympy.S.Zero, k - l + 1) if bit else (ONE, sympy.S.Zero)
    besides = (ONE, sympy.S.Zero, sympy.S.Zero, sympy.Integer(bit))
    promise = Promise("a phase", k - l + 3, sympy.Integer(2), k + 2, wrong=wrong, besides=besides)
    return play.built(promise, boundaries)


@construction(
    id="missing-page-kept",
    title="missing-page, where every page is to be kept",
    bound="wrong-bits-phases",
    bad_for="every deterministic policy told discard bits",
    source="ours",
    status="proved in docs/wrong-bits.md (T4)",
    victims=VICTIMS,
    kind="adaptive",
    demo=LayeredInstance(layers=2, pages=3, cache=4),
    told="discard",
)
def missing_page_kept(instance: LayeredInstance, rounds: int, policy: Policy) -> Construction:
    """Play k + 1 pages as ``missing-page`` does, and tell of every one that it is to be kept.

    Bad for whom
    ------------
    Every deterministic policy that is told discard bits: α + β ≥ k − ℓ + 1.

    Promise
    -------
    That of ``missing-page``; once in a k-phase the offline schedule evicts a page, and its bit is wrong.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < ℓ·n (for unequal layers: k < number of pages).
    """
    require(
        instance,
        ("k ≥ ℓ", instance.cache >= instance.layers),
        ("k < number of pages", instance.cache < instance.total_pages),
    )
    plain = missing_pages(instance, even_spread(instance, instance.cache + 1), rounds, policy, 0)
    offline, starts = phase_schedule(plain)
    sequence = PredictedSequence(plain, "discard", np.zeros(len(plain), dtype=np.int64))
    promise = Promise("a k-phase", k - l + 1, ONE, k, wrong=(ONE, sympy.S.Zero))
    values = {"ell": instance.layers, "k": instance.cache}
    return Construction(sequence, offline, promise, starts[1:], values)
