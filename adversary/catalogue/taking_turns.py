"""RANDOM keeps a useless page for as long as k faults, on average."""

from __future__ import annotations

from itertools import count

import numpy as np
import sympy

from adversary.catalogue.missing_page import even_spread
from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import phase_schedule
from paging.model import LayeredInstance, RequestSequence


@construction(
    id="taking-turns",
    title="two pages take turns beside k − 1 fixed ones, each turn longer than the one before",
    bound="random-lower",
    bad_for="RANDOM",
    source="for one layer after Raghavan and Snir 1994; ours for several",
    status="proved in docs/bounds.md",
    victims=("random",),
    kind="cyclic",
    demo=LayeredInstance(layers=2, pages=3, cache=4),
)
def taking_turns(instance: LayeredInstance, rounds: int) -> Construction:
    """Ask for k pages over and over, then exchange one of them for another of its layer, and so on.

    In turn i the k pages are asked for again and again, all of them i times at least; every layer goes
    through its own ones. Two pages of one layer take turns, the k − 1 others stay.

    Bad for whom
    ------------
    RANDOM. While it holds the page whose turn is over, it lacks one of the k that are asked for; every fault
    throws the useless page out with chance 1/k. So a turn costs k faults in expectation, were it endless.

    Promise
    -------
    In the long run k faults a turn in expectation online, as turns grow; one offline.

    Offline schedule in words
    -------------------------
    Exchange the two pages when the turn changes.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < number of pages.
    """
    layers, cache = instance.layers, instance.cache
    require(
        instance,
        ("k ≥ ℓ", cache >= layers),
        ("k < number of pages", cache < instance.total_pages),
    )
    shares = even_spread(instance, cache)
    turning = next(j for j in range(layers) if shares[j] < instance.pages_by_layer[j])
    asked = [[instance.page(j, i) for i in range(shares[j])] for j in range(layers)]
    pair = instance.page(turning, 0), instance.page(turning, shares[turning])
    requests: list[int] = []
    for turn in count():
        if len(requests) >= rounds * layers:
            break
        asked[turning][0] = pair[turn % 2]
        for number in range((turn + 1) * max(shares)):
            requests += [asked[j][number % shares[j]] for j in range(layers)]
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds * layers)
    offline, starts = phase_schedule(sequence)
    promise = Promise("a turn", k, sympy.Integer(1), k, in_expectation=True)
    return Construction(sequence, offline, promise, starts[1:], {"k": cache})
