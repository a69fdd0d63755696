"""RANDOM keeps a useless page for as long as k faults, on average."""

from __future__ import annotations

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule


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
    shares = _shares(instance)
    turning = next(j for j in range(layers) if shares[j] < instance.pages_by_layer[j])
    first, last = instance.page(turning, 0), instance.page(turning, shares[turning])
    asked = [[instance.page(j, i) for i in range(shares[j])] for j in range(layers)]
    requests: list[int] = []
    boundaries: list[int] = []
    turn = 0
    while len(requests) < rounds * layers:
        boundaries.append(len(requests))
        asked[turning][0] = last if turn % 2 else first
        for number in range((turn + 1) * max(shares)):
            requests += [asked[j][number % shares[j]] for j in range(layers)]
        turn += 1
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds * layers)
    entries = np.full(len(sequence), HIT, dtype=np.int32)
    first_turn = sequence.requests[: [*boundaries, len(sequence)][1]]
    _, opening = np.unique(first_turn, return_index=True)
    entries[opening] = FREE
    for number, start in enumerate(boundaries[1:], start=1):
        change = start + turning
        if change < len(sequence):
            entries[change] = first if number % 2 else last
    promise = Promise("a turn", k, sympy.Integer(1), k, in_expectation=True)
    starts = tuple(start for start in boundaries[1:] if start <= len(sequence))
    return Construction(sequence, Schedule(sequence, entries), promise, starts, {"k": cache})


def _shares(instance: LayeredInstance) -> list[int]:
    """Spread k pages over the layers: one in each, then in turn where there is room."""
    shares = [1] * instance.layers
    while sum(shares) < instance.cache:
        room = [j for j in range(instance.layers) if shares[j] < instance.pages_by_layer[j]]
        shares[min(room, key=lambda j: shares[j])] += 1
    return shares
