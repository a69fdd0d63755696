"""More than one page a visit: k + 1 pages, the missing one as soon as the layers allow, the new one late."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from adversary.catalogue.missing_page import even_spread
from adversary.construction import Construction, Promise, construction, g, k, l, m, require
from adversary.phases import phase_schedule, window_schedule
from paging.model import LayeredInstance, RequestSequence
from paging.policy import Policy
from paging.simulate import Session


@construction(
    id="missing-in-visit",
    title="request the missing one of k + 1 pages, and open phases in the first or the last place of a visit",
    bound="visits-lower",
    bad_for="every deterministic policy, g ≥ 2",
    source="ours",
    status="proved in docs/visits.md",
    victims=("lru", "llru", "fifo", "clock"),
    kind="adaptive",
    demo=LayeredInstance(layers=2, pages=5, cache=7, per_visit=3),
)
def missing_in_visit(instance: LayeredInstance, rounds: int, policy: Policy) -> Construction:
    """Play k + 1 pages, at least g per layer, against a deterministic policy, visits being sequential.

    A page that the policy lacks is requested as soon as its layer is served, except for the one page that
    the phase under way leaves out: it waits until nothing else is lacking, and then opens the next phase in
    the first place of a visit, or in the last one where that forces more; then it is requested again in its
    layer's next visit, in place min(g, 3) at the latest, or min(g, 4) if there is one layer. Other requests
    are to pages of the phase under way as far as the layer has them.

    Bad for whom
    ------------
    Every deterministic policy: ratio at least k − ℓg + m, m = 2; 3 if ℓ ≥ 2, g ≥ 3 and a layer has k + 1 −
    (ℓ − 1)g pages; min(g, 4) if ℓ = 1.

    Promise
    -------
    In every k-phase after the first a policy that evicts only when it must faults at least k − ℓg + m times
    and the offline schedule once.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        g ≥ 2, ℓg ≤ k < number of pages, sequential visits.
    """
    group, counts = instance.per_visit, instance.pages_by_layer
    require(
        instance,
        ("g ≥ 2 and sequential visits", group >= 2 and instance.visits == "sequential"),
        ("k ≥ ℓg", instance.cache >= instance.layers * group),
        ("k < number of pages", instance.cache < instance.total_pages),
    )
    excess = instance.cache + 1 - (instance.layers - 1) * group
    late = group >= 3 and max(counts) >= excess
    gain = min(group, 4 if instance.layers == 1 else 3) if late else 2
    spread = even_spread(instance, instance.cache + 1)
    if late:
        spread = [group] * instance.layers
        spread[counts.index(max(counts))] = excess
    adversary = _InVisits(instance, spread, late, gain)
    session = Session(policy, instance)
    for _ in range(rounds * instance.round_length):
        session.serve(adversary.request(session))
    sequence = RequestSequence(instance, np.array(adversary.requests, dtype=np.int32))
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", k - l * g + m, sympy.Integer(1), k)
    values = {"ell": instance.layers, "k": instance.cache, "g": group, "m": gain}
    return Construction(sequence, offline, promise, starts[1:], values)


class _InVisits:
    """The adversary request by request.

    ``phase`` are the pages of the k-phase under way, ``visit`` those of the visit under way; ``opened`` is
    the page that opened the phase until its layer has been visited in the phase from the first place on.
    """

    def __init__(self, instance: LayeredInstance, spread: Sequence[int], late: bool, gain: int) -> None:
        self.instance, self.gain = instance, gain
        self.in_play = [set(instance.pages_of(j)[:count]) for j, count in enumerate(spread)]
        self.opening = instance.per_visit - 1 if late else 0
        self.requests: list[int] = []
        self.phase: set[int] = set()
        self.visit: set[int] = set()
        self.opened: int | None = None

    def request(self, session: Session) -> int:
        """Make the next request."""
        time, group = len(self.requests), self.instance.per_visit
        place = time % group
        if place == 0:
            self.visit.clear()
        able = self.in_play[self.instance.layer_at(time)] - self.visit
        page = self._choose(able, place, {p for p in able if not session.cached(p)}, session)
        if page not in self.phase and len(self.phase) == self.instance.cache:
            self.phase, self.opened = set(), page if self.opening else None
        elif page == self.opened:
            self.opened = None
        self.phase.add(page)
        self.visit.add(page)
        self.requests.append(page)
        return page

    def _choose(self, able: set[int], place: int, lacking: set[int], session: Session) -> int:
        known = able & self.phase
        if len(self.phase) == self.instance.cache:
            if lacking & known:
                return min(lacking & known)
            left_out = set().union(*self.in_play) - self.phase
            settled = all(session.cached(page) for page in self.phase)
            if place == self.opening and settled and left_out <= able:
                return min(left_out)
            return min(known)
        if self.opened in able and (not lacking or place == self.gain - 1):
            return min({self.opened} & able)
        return min(lacking or known or able)


@construction(
    id="missing-in-atomic-visit",
    title="request the missing one of k + 1 pages, with pages of the phase, in atomic visits",
    bound="atomic-lower",
    bad_for="every deterministic policy, atomic visits",
    source="ours",
    status="proved in docs/visits.md",
    victims=("lru", "mark-lru", "zrc-atomic"),
    kind="adaptive",
    demo=LayeredInstance(layers=2, pages=4, cache=6, per_visit=2, visits="atomic"),
)
def missing_in_atomic_visit(instance: LayeredInstance, rounds: int, policy: Policy) -> Construction:
    """Play k + 1 pages, at least g per layer, against a deterministic policy, visits being atomic.

    A visit asks for the pages of the layer that the policy lacks, then for pages of the phase under way, then
    for others.

    Bad for whom
    ------------
    Every deterministic policy: ratio at least k − ℓg + 1.

    Promise
    -------
    In every k-phase after the first a policy that evicts only when it must faults at least k − ℓg + 1 times,
    the offline schedule once.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓg ≤ k < number of pages, atomic visits.
    """
    group = instance.per_visit
    require(
        instance,
        ("atomic visits", instance.visits == "atomic"),
        ("k ≥ ℓg", instance.cache >= instance.layers * group),
        ("k < number of pages", instance.cache < instance.total_pages),
    )
    counts = even_spread(instance, instance.cache + 1)
    in_play = [instance.pages_of(j)[:count] for j, count in enumerate(counts)]
    labels = np.zeros(instance.total_pages, dtype=np.int64)
    requests: list[int] = []
    phase: set[int] = set()
    for visit in range(rounds * instance.layers):
        layer = visit % instance.layers
        asked = sorted(in_play[layer], key=lambda p: (labels[p] > 0, p not in phase, p))[:group]
        requests += asked
        if len(phase | set(asked)) > instance.cache:
            phase = set()
        phase |= set(asked)
        hits_first = sorted(asked, key=lambda p: labels[p] <= 0)
        frame = instance.frame.served_together()
        for place, page in enumerate(hits_first):
            policy.serve(labels, page, layer * group + place, frame)
            frame.held[page] = True
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32))
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", k - l * g + 1, sympy.Integer(1), k)
    values = {"ell": instance.layers, "k": instance.cache, "g": group}
    return Construction(sequence, offline, promise, starts[1:], values)


@construction(
    id="missing-with-bypassing",
    title="request the missing one of k + 1 pages, and the new one last in a visit, with bypassing",
    bound="bypassing-lower",
    bad_for="every deterministic policy, bypassing",
    source="ours",
    status="proved in docs/visits.md",
    victims=("lru", "fifo", "clock"),
    kind="adaptive",
    demo=LayeredInstance(layers=1, pages=5, cache=4, per_visit=2, bypassing=True),
)
def missing_with_bypassing(instance: LayeredInstance, rounds: int, policy: Policy) -> Construction:
    """Play k + 1 pages of one layer against a deterministic policy, with bypassing, visits being sequential.

    Until k pages are requested in a window, an available page that the policy lacks is requested; then an old
    one of these, and the window ends with the last page in the last place of a visit if the policy lacks that
    page and no old one that is available. Available are pages that the visit has not asked for, old are those
    requested in the window.

    Bad for whom
    ------------
    Every deterministic policy: ratio at least k − g + 3. For g = 2 that is k + 1, which LRU has.

    Promise
    -------
    In every window after the first a policy that changes its cache on faults alone faults at least k − g + 3
    times, the offline schedule once.

    Offline schedule in words
    -------------------------
    At the end of a window load the page that ends it in place of the one that will end the next window.

    Parameters
    ----------
    instance : LayeredInstance
        One layer, 2 ≤ g ≤ k < number of pages, sequential visits, bypassing.
    """
    group, cache = instance.per_visit, instance.cache
    require(
        instance,
        ("bypassing", instance.bypassing),
        ("one layer", instance.layers == 1),
        ("g ≥ 2 and sequential visits", group >= 2 and instance.visits == "sequential"),
        ("k ≥ g", cache >= group),
        ("k < number of pages", cache < instance.total_pages),
    )
    session = Session(policy, instance)
    old: set[int] = set()
    requests: list[int] = []
    for place in [*range(group)] * rounds:
        available = set(range(cache + 1)) - set(requests[len(requests) - place :])
        lacking = {page for page in available if not session.cached(page)}
        full = len(old) == cache
        ripe = lacking & old if full else lacking
        closing = lacking if full and place == group - 1 else set()
        page = min(ripe or closing or available & old or available)
        session.serve(page)
        requests.append(page)
        old = old | {page} if len(old | {page}) <= cache else set()
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32))
    offline, starts = window_schedule(sequence)
    promise = Promise("a window of k + 1 pages", k - g + 3, sympy.Integer(1), k + 1)
    return Construction(sequence, offline, promise, starts[1:], {"k": cache, "g": group})
