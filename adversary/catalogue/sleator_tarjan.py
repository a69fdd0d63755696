"""Sleator and Tarjan's adversary: k online slots against h ≤ k offline slots."""

import numpy as np

from adversary.construction import Construction, Promise, construction, h, k, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule, whole_number
from paging.policy import Policy
from paging.simulate import Session


@construction(
    id="sleator-tarjan",
    title="k − h + 1 new pages, then h − 1 pages the policy lacks",
    bound="augmentation-lower",
    bad_for="every deterministic policy, with OPT on h ≤ k pages",
    source="Sleator and Tarjan 1985, lower bound",
    status="proved in the source",
    victims=("lru", "fifo", "clock", "mark-fifo"),
    kind="adaptive",
    demo=LayeredInstance(layers=1, pages=12, cache=6),
)
def sleator_tarjan(
    instance: LayeredInstance, rounds: int, policy: Policy, opt_cache: int | None = None
) -> Construction:
    """Play classical paging in periods of k requests, each of them a fault online.

    A period first requests k − h + 1 pages that neither the policy nor the offline side holds; then h − 1
    times a page that the policy lacks among those and the h pages the offline side held at the start.

    Bad for whom
    ------------
    Every deterministic policy with k pages against OPT with h: ratio at least k/(k − h + 1).

    Promise
    -------
    k faults online and at most k − h + 1 offline in every period; the start loads k pages.

    Offline schedule in words
    -------------------------
    Fault on the new pages only; evict a page that the rest of the period does not request.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1 and n ≥ 2k (enough for new pages; n ≥ k + 1 when h = 1).
    opt_cache : int, optional
        h, between 1 and k; default k.
    """
    cache = instance.cache
    small = cache if opt_cache is None else whole_number(opt_cache, "opt_cache (h)", 1, cache)
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("n ≥ 2k", instance.total_pages >= 2 * cache),
    )
    session = Session(policy, instance)
    requests: list[int] = []
    entries: list[int] = []
    held: list[int] = []  # the offline cache

    def ask(page: int, entry: int) -> None:
        session.serve(page)
        requests.append(page)
        entries.append(entry)

    everything = range(instance.total_pages)
    for _ in range(cache):
        page = next(p for p in everything if not session.cached(p) and p not in requests)
        ask(page, FREE if len(held) < small else held.pop(0))
        held.append(page)
    while len(requests) + cache <= rounds:
        begin, start = len(requests), list(held)
        new: list[int] = []
        for _ in range(cache - small + 1):
            new.append(next(p for p in everything if not session.cached(p) and p not in start + new))
            ask(new[-1], HIT)
        for _ in range(small - 1):
            ask(next(p for p in start + new if not session.cached(p)), HIT)
        wanted = set(requests[begin + len(new) :])
        for t, page in enumerate(new, start=begin):
            entries[t] = next(p for p in held if p not in wanted)
            held[held.index(entries[t])] = page
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32))
    offline = Schedule(sequence.with_cache(small), entries)
    return Construction(
        sequence,
        offline,
        Promise("k requests", k, k - h + 1, k),
        tuple(range(cache, len(requests) + 1, cache)),
        {"k": cache, "h": small},
    )
