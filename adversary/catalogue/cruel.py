"""The cruel adversary in general: always a page the policy lacks, chosen by what it costs OPT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from adversary.catalogue.missing_page import even_spread
from adversary.construction import Construction, Promise, construction, k, l, require
from paging.errors import ModelError
from paging.model import LabelArray, LayeredInstance, RequestSequence, whole_number
from paging.offline import farthest_in_future, phase_starts
from paging.policy import Policy
from paging.simulate import Session
from paging.work_function import update_work_function


@construction(
    id="cruel",
    title="request a page the policy lacks, chosen by the work function with look-ahead",
    bound="L2",
    bad_for="every deterministic policy",
    source="ours, after the cruel adversary of Sleator and Tarjan 1985",
    status="proved in docs/bounds.md for k + 1 pages",
    victims=("llru", "lru", "fifo", "clock"),
    kind="adaptive",
    demo=LayeredInstance(layers=2, pages=3, cache=4),
)
def cruel(
    instance: LayeredInstance,
    rounds: int,
    policy: Policy,
    depth: int = 1,
    in_play: int | None = None,
) -> Construction:
    """Fault the policy whenever the layer being served allows it, at the smallest cost for OPT.

    Among several pages that the policy lacks, and among hits when it lacks none, the next ``depth`` requests
    are tried out against the policy and the work function. The request that begins the best continuation is
    made: largest policy faults − (k − ℓ + 1)·OPT, then the page that most optimal caches hold. A hit is on a
    page already requested in the k-phase under way, if its layer has one.

    Bad for whom
    ------------
    Every deterministic policy: ratio at least k − ℓ + 1, like ``missing-page``, whose repeats it replaces by
    a choice.

    Promise
    -------
    With k + 1 pages in play: in every k-phase after the first the policy faults at least k − ℓ + 1 times and
    the offline schedule once. A phase requests k distinct pages; a page comes in without a fault only as the
    first one of its layer in the phase, and never in the layer that opens it. With more pages in play only
    this is proved: at least one fault a round, and offline at most one a request.

    Offline schedule in words
    -------------------------
    Farthest-in-future on the finished sequence; on k + 1 pages that is one fault a phase.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < number of pages.
    depth : int, default 1
        Requests tried out ahead; time grows as (pages of a layer)^depth.
    in_play : int, optional
        How many pages are used, spread evenly over the layers; default k + 1, at most all.
    """
    game = CruelGame(instance, in_play=in_play, depth=depth, policy=policy)
    session = Session(policy, instance)
    requests = []
    for _ in range(rounds * instance.layers):
        requests.append(game.request(session.labels))
        session.serve(requests[-1])
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32))
    offline = farthest_in_future(sequence, record=True).schedule
    values = {"ell": instance.layers, "k": instance.cache}
    if game.pages_in_play == instance.cache + 1:
        promise = Promise("a k-phase", k - l + 1, sympy.Integer(1), k)
        boundaries = tuple(phase_starts(sequence, instance.cache)[1:])
    else:
        promise = Promise("a round", sympy.Integer(1), l, sympy.Integer(0))
        boundaries = tuple(range(0, len(sequence) + 1, instance.layers))
    return Construction(sequence, offline, promise, boundaries, values)


@dataclass(frozen=True)
class _Position:
    """Both sides after some requests, and the pages of the k-phase under way."""

    time: int
    labels: LabelArray
    work: LabelArray
    phase: frozenset[int]


class CruelGame:
    """The cruel adversary request by request, against whoever policys: it is shown the labels only.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < number of pages.
    in_play : int, optional
        How many pages are used, spread evenly over the layers; default k + 1, at most all.
    depth : int, default 1
        Requests tried out ahead.
    policy : Policy, optional
        Who is tried out; needed for a depth above 1 alone.

    Examples
    --------
    >>> game, session = CruelGame(LayeredInstance(2, 3, 4)), Session("lru", LayeredInstance(2, 3, 4))
    >>> [session.serve(game.request(session.labels)).page for _ in range(6)]
    [0, 3, 1, 4, 2, 3]
    """

    def __init__(
        self,
        instance: LayeredInstance,
        *,
        in_play: int | None = None,
        depth: int = 1,
        policy: Policy | None = None,
    ) -> None:
        require(
            instance,
            ("k ≥ ℓ", instance.cache >= instance.layers),
            ("k < number of pages", instance.cache < instance.total_pages),
        )
        count = instance.cache + 1 if in_play is None else in_play
        self.pages_in_play = whole_number(count, "in_play", instance.cache + 1, instance.total_pages)
        self.instance, self.policy = instance, policy
        self.depth = whole_number(depth, "depth", 1, 12)
        if policy is None and self.depth > 1:
            raise ModelError(f"looking {depth} requests ahead needs the policy that is played against")
        counts = even_spread(instance, self.pages_in_play)
        self._in_play = [instance.pages_of(j)[:c] for j, c in enumerate(counts)]
        self._time = 0
        self._work = np.zeros(instance.total_pages, dtype=np.int64)
        self._phase: frozenset[int] = frozenset()

    def request(self, labels: LabelArray) -> int:
        """Make the next request, given the labels of whoever has to serve it."""
        at = _Position(self._time, labels, self._work, self._phase)
        page = self._choose(at)
        update_work_function(self._work, page, self.instance.cache)
        self._phase = self._phase_after(at, page)
        self._time += 1
        return page

    def _candidates(self, at: _Position) -> list[int]:
        """Return the pages it may request: lacking ones, else hits inside the phase, else any hit."""
        pages = self._in_play[at.time % self.instance.layers]
        return [p for p in pages if at.labels[p] <= 0] or [p for p in pages if p in at.phase] or list(pages)

    def _choose(self, at: _Position) -> int:
        candidates = self._candidates(at)
        if len(candidates) == 1:
            return candidates[0]
        return max(candidates, key=lambda page: (self._worth(at, page, self.depth), at.work[page], -page))

    def _worth(self, at: _Position, page: int, depth: int) -> int:
        """Return the best policy faults − (k − ℓ + 1)·OPT of the next requests that begin with ``page``."""
        work = at.work.copy()
        paid = update_work_function(work, page, self.instance.cache)
        worth = int(at.labels[page] <= 0) - (self.instance.cache - self.instance.layers + 1) * paid
        if depth == 1:
            return worth
        assert self.policy is not None  # refused at the start
        labels = at.labels.copy()
        self.policy.serve(labels, page, at.time % self.instance.layers, self.instance.frame)
        following = _Position(at.time + 1, labels, work, self._phase_after(at, page))
        return worth + max(self._worth(following, p, depth - 1) for p in self._candidates(following))

    def _phase_after(self, at: _Position, page: int) -> frozenset[int]:
        new_phase = page not in at.phase and len(at.phase) == self.instance.cache
        return frozenset({page}) if new_phase else at.phase | {page}
