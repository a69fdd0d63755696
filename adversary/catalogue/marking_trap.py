"""A lower bound for marking algorithms alone: they must keep a page that OPT drops."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule
from paging.policy import Policy
from paging.simulate import Session


@construction(
    id="marking-trap",
    title="two new pages in a k-phase of k = ℓ + 1 pages; OPT drops a marked page for the second",
    bound="marking-lower",
    bad_for="every deterministic marking algorithm",
    source="ours",
    status="proved in docs/bounds.md",
    victims=("lru", "mark-fifo", "mark-layer", "fwf"),
    kind="adaptive",
    demo=LayeredInstance(layers=3, pages=2, cache=4),
)
def marking_trap(instance: LayeredInstance, rounds: int, policy: Policy) -> Construction:
    """Play periods of two k-phases, k = ℓ + 1, that cost a marking algorithm 5 and OPT 2.

    At the start of a phase a marking algorithm has the k pages of the previous one: one per layer, and two in
    layer d. A new page opens the phase in layer d − 1, and the next ℓ − 1 layers request what the algorithm
    lacks, else what it has. If that is never a fault, a second new page comes in layer d − 2, and the rest
    depends on what the algorithm evicts (proof in docs/bounds.md).

    Bad for whom
    ------------
    Every deterministic marking algorithm: ratio at least 5/2, where every deterministic policy has at least
    k − ℓ + 1 = 2 (``missing-page``). Inside the phase it cannot evict a marked page; OPT can.

    Promise
    -------
    In every two k-phases at least 5 faults online and at most 2 offline.

    Offline schedule in words
    -------------------------
    For the new page that opens a phase evict a page that neither this phase nor the next requests; for the
    second new page one requested earlier in the phase, which the next phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≥ 3, k = ℓ + 1, n ≥ 2.
    policy : Policy
        Deterministic, with the trait ``marking``.
    """
    require(
        instance,
        ("ℓ ≥ 3", instance.layers >= 3),
        ("k = ℓ + 1", instance.cache == instance.layers + 1),
        ("n ≥ 2 in every layer", min(instance.pages_by_layer) >= 2),
        (f"a marking algorithm ({policy.name} is none)", "marking" in policy.traits),
    )
    duel = _Duel(policy, instance)
    boundaries = []
    while len(duel.requests) < rounds * instance.layers:
        duel.wait_for((duel.doubled - 1) % instance.layers, duel.pages)
        boundaries.append(len(duel.requests))
        duel.play_period()
    sequence = RequestSequence(instance, np.array(duel.requests, dtype=np.int32))
    shown = sequence.prefix(rounds * instance.layers)
    return Construction(
        shown,
        Schedule(shown, duel.entries[: len(shown)]),
        Promise("two k-phases", sympy.Integer(5), sympy.Integer(2), k),
        tuple(start for start in boundaries if start <= len(shown)),
        {"k": instance.cache},
    )


class _Duel:
    """The requests and offline entries so far, and the pages of the last k-phase, which both caches hold."""

    def __init__(self, policy: Policy, instance: LayeredInstance) -> None:
        self.session, self.instance = Session(policy, instance), instance
        self.requests: list[int] = []
        self.entries: list[int] = []
        self.opened = 0
        self.marked: list[int] = []
        opening = [instance.page(layer, 0) for layer in range(instance.layers)] + [instance.page(0, 1)]
        for page in opening:
            self.ask(page, FREE)
        self.pages = frozenset(opening)

    @property
    def doubled(self) -> int:
        """The layer with two pages of the last phase; all others have one."""
        return next(j for j in range(self.instance.layers) if len(self._of(j, self.pages)) == 2)

    def play_period(self) -> None:
        """Play two k-phases; the layer before the doubled one is served next."""
        if self._begin_phase(trap=True):
            return
        self._end_plain_phase()
        self.wait_for((self.doubled - 1) % self.instance.layers, self.pages)
        self._begin_phase(trap=False)
        self._end_plain_phase()

    def _begin_phase(self, *, trap: bool) -> bool:
        """Open a phase and serve all other layers once; or spring the trap, and return True."""
        opening = self.session.layer
        self.opened = len(self.requests)
        self.marked = [self._outside(opening)]
        self.ask(self.marked[0])
        before = self.session.faults
        for _ in range(self.instance.layers - 1):
            page = self._lacked_of(self._of(self.session.layer, self.pages))
            last = (self.session.layer + 1) % self.instance.layers == opening
            if trap and last and self.session.faults == before and self.session.cached(page):
                self._spring(page)
                return True
            self.marked.append(page)
            self.ask(page)
        return False

    def _end_plain_phase(self) -> None:
        """Of the two pages left request the one that the policy lacks, and leave out the other."""
        left = [page for page in sorted(self.pages) if page not in self.marked]
        wanted = self._lacked_of(left)
        self.wait_for(self.instance.locate(wanted).layer, self.marked)
        self.ask(wanted)
        (left_out,) = set(left) - {wanted}
        self.entries[self.opened] = left_out
        self.pages = frozenset([*self.marked, wanted])

    def _spring(self, dropped: int) -> None:
        """Finish this phase with a second new page instead of ``dropped``; play the next phase as well."""
        first = self.marked[0]
        self.entries[self.opened] = dropped
        second = len(self.requests)
        self.marked.append(self._outside(self.session.layer))
        self.ask(self.marked[-1])
        # The policy evicted it on the first new page: of all layers in between it has what was requested.
        (due,) = self._of(self.session.layer, self.pages)
        self.ask(due)
        phase = frozenset([*self.marked, due])
        # The next phase opens with the page that is left over in the doubled layer, which comes now.
        (opening,) = set(self._of(self.session.layer, self.pages)) - phase
        (beside,) = self._of(self.session.layer, phase)
        self.marked = [opening]
        self.ask(opening)
        before = self.session.faults
        for _ in range(self.instance.layers - 2):
            (page,) = self._of(self.session.layer, phase)
            self.marked.append(page)
            self.ask(page)
        if self.session.faults == before and not self.session.cached(first):
            left_out = beside
            self.marked.append(first)
            self.ask(first)
            self.wait_for(self.instance.locate(due).layer, self.marked)
            self.ask(due)
        else:
            left_out = first
            self.ask(due)
            self.ask(beside)
        self.entries[second] = left_out
        self.pages = (phase - {left_out}) | {opening}

    def ask(self, page: int, entry: int = HIT) -> None:
        """Request a page, with its offline entry; an eviction is filled in later."""
        self.session.serve(page)
        self.requests.append(page)
        self.entries.append(entry)

    def wait_for(self, layer: int, pages: Collection[int]) -> None:
        """Repeat pages until a layer is served."""
        while self.session.layer != layer:
            self.ask(self._of(self.session.layer, pages)[0])

    def _of(self, layer: int, pages: Collection[int]) -> list[int]:
        return [page for page in self.instance.pages_of(layer) if page in pages]

    def _outside(self, layer: int) -> int:
        return next(page for page in self.instance.pages_of(layer) if page not in self.pages)

    def _lacked_of(self, pages: list[int]) -> int:
        return next((page for page in pages if not self.session.cached(page)), pages[0])
