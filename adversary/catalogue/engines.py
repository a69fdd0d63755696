"""Policies of today's engines: pages once popular or protected stay, and two queues can be outrun."""

from collections.abc import Sequence
from math import isqrt

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import loads_once
from paging.model import LayeredInstance, RequestSequence
from paging.policies.queues import S3FIFO, SLRU, TwoQ


def _built(
    instance: LayeredInstance,
    rounds: int,
    opening: list[int],
    tail: list[int],
    victims: Sequence[int],
    start: sympy.Expr,
) -> Construction:
    """Return an opening and a tail that is to fault always, beside a schedule that loads every page once.

    ``victims`` are the pages that it evicts once k pages are loaded; they do not come again.
    """
    sequence = RequestSequence(instance, np.array(opening + tail, dtype=np.int32)).prefix(rounds)
    begin = len(opening) + len(set(tail))
    return Construction(
        sequence,
        loads_once(sequence, victims),
        Promise("one request", sympy.Integer(1), sympy.Integer(0), start),
        tuple(range(begin, len(sequence) + 1)),
        {"k": instance.cache},
    )


@construction(
    id="popular",
    title="k − 1 pages m times, then two new pages in turn, √m requests",
    bound="popular-unbounded",
    bad_for="whoever never forgets uses, or what was hot",
    source="ours",
    status="proved in docs/production.md",
    victims=("lfu-perfect", "lfru", "heat-lru", "hobbit"),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=3, cache=2),
)
def popular(instance: LayeredInstance, rounds: int) -> Construction:
    """Request k − 1 pages m times, in turn; then request two further pages in turn, ⌊√m⌋ requests in all.

    Bad for whom
    ------------
    Policies that value a page by all its uses, and those that never evict a hot page for a cold one: one of
    the two new pages leaves for the other at every request.

    Promise
    -------
    A fault at every request of the end; offline at most k + 1 in total. m grows with the number of rounds, so
    the ratio grows without bound.

    Offline schedule in words
    -------------------------
    Evict one of the k − 1 pages, which never comes again, and keep the two.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k ≥ 2, n ≥ k + 1.
    """
    cache = instance.cache
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k ≥ 2", cache >= 2),
        ("n ≥ k + 1", instance.total_pages >= cache + 1),
    )
    # The largest m whose requests fit, but at least what the proof needs.
    most = max(6, cache * cache, (rounds - isqrt(max(0, rounds // (cache - 1)))) // (cache - 1))
    tail = [cache - 1 + t % 2 for t in range(isqrt(most))]
    return _built(instance, rounds, list(range(cache - 1)) * most, tail, [0], k + 1)


@construction(
    id="protected",
    title="pages lifted out of the lowest segment, then a cycle one page longer than it",
    bound="slru-unbounded",
    bad_for="segmented LRU",
    source="ours",
    status="proved in docs/production.md",
    victims=("slru",),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=9, cache=8),
)
def protected(instance: LayeredInstance, rounds: int) -> Construction:
    """Fill all segments but the lowest with pages that never come again; then cycle over new pages.

    Bad for whom
    ------------
    Segmented LRU: pages of the upper segments leave only when hits push them down, and there are no hits.

    Promise
    -------
    A fault at every request of the cycle; offline at most k + 1 in total. The ratio grows without bound.

    Offline schedule in words
    -------------------------
    Evict one of the pages that never come again, and keep the cycle.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k ≥ 2, n ≥ k + 1.
    """
    cache = instance.cache
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k ≥ 2", cache >= 2),
        ("n ≥ k + 1", instance.total_pages >= cache + 1),
    )
    segments = min(SLRU().segments, cache)
    kept = (segments - 1) * (cache // segments)
    opening = [page for page in range(kept) for _ in range(segments)]
    tail = [kept + t % (cache + 1 - kept) for t in range(max(0, rounds - len(opening)))]
    return _built(instance, rounds, opening, tail, [0], k + 1)


@construction(
    id="outrun-ghosts",
    title="the main list filled, then a cycle that the ghosts forget just in time",
    bound="2q-unbounded",
    bad_for="2Q",
    source="ours",
    status="proved in docs/production.md",
    victims=("2q",),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=12, cache=5),
)
def outrun_ghosts(instance: LayeredInstance, rounds: int) -> Construction:
    """Bring pages into Am that never come again; then cycle over new pages, too many for A1in and A1out.

    Bad for whom
    ------------
    2Q: a page of the cycle has left A1in and is forgotten by A1out when it comes again, so nothing enters Am,
    and Am gives nothing away.

    Promise
    -------
    A fault at every request of the cycle; offline at most 2k + 1 in total. The ratio grows without bound.

    Offline schedule in words
    -------------------------
    Load every page once: the pages of the opening leave for those of the cycle, which all fit.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k = 3 or k ≥ 5, n ≥ 2k + 1.
    """
    cache, shares = instance.cache, TwoQ()
    inside, outside = int(cache * shares.inside), int(cache * shares.outside)
    cycle = inside + outside + 2
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k = 3 or k ≥ 5", cycle <= cache),
        ("n ≥ 2k + 1", instance.total_pages >= 2 * cache + 1),
    )
    opening = [*range(cache + 1), *range(cache - inside - 1)]
    tail = [cache + 1 + t % cycle for t in range(max(0, rounds - len(opening)))]
    return _built(instance, rounds, opening, tail, [cache - 1, cache, *range(cache)], 2 * k + 1)


@construction(
    id="outrun-sieve",
    title="k pages once, then k new pages in turn",
    bound="s3-fifo-unbounded",
    bad_for="S3-FIFO",
    source="ours",
    status="proved in docs/production.md",
    victims=("s3-fifo",),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=22, cache=11),
)
def outrun_sieve(instance: LayeredInstance, rounds: int) -> Construction:
    """Fill both queues with pages that never come again; then request k new pages in turn.

    Bad for whom
    ------------
    S3-FIFO, where small queue and ghosts together hold fewer than k pages, as 10 % and 90 % do, rounded
    down, unless 10 divides k: a page of the cycle has left the small queue and is forgotten when it comes
    again, so nothing enters the main queue, and it gives nothing away.

    Promise
    -------
    A fault at every request of the cycle; offline at most 2k in total. The ratio grows without bound.

    Offline schedule in words
    -------------------------
    Load every page once: the first k pages leave for the others.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k > 10 and not divisible by 10, n ≥ 2k.
    """
    cache, shares = instance.cache, S3FIFO()
    held = max(1, int(cache * shares.small)) + int(cache * shares.ghost)
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k > 10 and not divisible by 10", held < cache),
        ("n ≥ 2k", instance.total_pages >= 2 * cache),
    )
    tail = [cache + t % cache for t in range(max(0, rounds - cache))]
    return _built(instance, rounds, list(range(cache)), tail, range(cache), 2 * k)
