"""MARK pays for two new pages a phase, OPT for one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule

Phase = tuple[int, int, set[int]]
"""The two new pages that open a phase, in order, and all its pages."""


@construction(
    id="missing-pair",
    title="phases that open with the two pages the one before left out, of which OPT has kept one",
    bound="mark-lower",
    bad_for="MARK",
    source="ours for several layers; for one layer after Achlioptas, Chrobak and Noga 2000",
    status="proved in docs/randomized.md, Theorem 3",
    victims=("mark",),
    kind="cyclic",
    demo=LayeredInstance(layers=3, pages=2, cache=4),
)
def missing_pair(instance: LayeredInstance, rounds: int) -> Construction:
    """Play phases of k pages that open with two new ones; the second one is what OPT evicted before.

    A phase asks for its two new pages a, b, in layers that follow each other, then once for each of its k − 2
    other pages; while it waits for a layer it repeats a page of this phase other than a.

    Bad for whom
    ------------
    MARK: when a phase begins it holds the k pages of the phase before. Two of them leave for a and b, at
    random, and each of the k − 2 others is missing when its turn comes with twice the chance that one new
    page alone would have made: 2 + Σ 2/i for i = 3 … k, which is 2H_k − 1.

    Promise
    -------
    A phase costs MARK exactly 2H_k − 1 in expectation, whatever it drew before, and one fault offline.

    Offline schedule in words
    -------------------------
    On b evict a, which this phase and the next do not ask for again.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1 and n ≥ k + 2 ≥ 4; or ℓ ≥ 2, n ≥ 3 and 3ℓ − 2 ≤ k ≤ pages − 2; or ℓ ≥ 3, n ≥ 2 and
        ℓ < k ≤ pages − ℓ + 1.
    """
    require(instance, (TWO_NEW_PAGES, two_are_new(instance)))
    requests: list[int] = []
    entries: list[int] = []
    starts: list[int] = []
    evicted, served = FREE, set[int]()
    for number, (a, b, pages) in enumerate(_phases(instance)):
        while len(requests) % instance.layers != instance.locate(a).layer:
            requests.append(_of_layer(instance, requests, served))
            entries.append(HIT)
        if len(requests) >= rounds * instance.layers:
            break
        starts.append(len(requests))
        # The first phase loads its pages, the second meets an OPT that has kept neither of its new ones.
        requests += [a, b]
        entries += [evicted if number < 2 else HIT, a if number else FREE]
        evicted, served, left = a, {b}, pages - {a, b}
        while left:
            page = _of_layer(instance, requests, left, served)
            requests.append(page)
            entries.append(HIT if number or page in served else FREE)
            left.discard(page)
            served.add(page)
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(rounds * instance.layers)
    promise = Promise("a phase", 2 * sympy.harmonic(k) - 1, sympy.Integer(1), k + 2, in_expectation=True)
    shown = np.array(entries, dtype=np.int32)[: len(sequence)]
    boundaries = tuple(start for start in starts[2:] if start <= len(sequence))
    return Construction(sequence, Schedule(sequence, shown), promise, boundaries, {"k": instance.cache})


TWO_NEW_PAGES = (
    "ℓ = 1 and 2 ≤ k ≤ n − 2, or ℓ ≥ 2, n ≥ 3 and 3ℓ − 2 ≤ k ≤ pages − 2, "
    "or ℓ ≥ 3, n ≥ 2 and ℓ < k ≤ pages − ℓ + 1"
)
"""Where MARK is forced to 2H_k − 1, in words."""


def two_are_new(instance: LayeredInstance) -> bool:
    """Tell whether the construction exists."""
    return _with_k_plus_2_pages(instance) or _with_two_pages_in_every_layer(instance)


def _with_k_plus_2_pages(instance: LayeredInstance) -> bool:
    layers, least = instance.layers, min(instance.pages_by_layer)
    room = instance.cache + 2 <= instance.total_pages
    return room and (instance.cache >= 2 if layers == 1 else least >= 3 and instance.cache >= 3 * layers - 2)


def _with_two_pages_in_every_layer(instance: LayeredInstance) -> bool:
    layers, cache = instance.layers, instance.cache
    room = layers < cache <= instance.total_pages - layers + 1
    return layers >= 3 and min(instance.pages_by_layer) >= 2 and room


def _phases(instance: LayeredInstance) -> Iterator[Phase]:
    """Yield the phases without end; the first one has the pages that the second finds cached."""
    return _of_k_plus_2(instance) if _with_k_plus_2_pages(instance) else _of_pairs(instance)


def _of_k_plus_2(instance: LayeredInstance) -> Iterator[Phase]:
    """Leave out two of k + 2 pages a phase: the new page a of the next one, and the a of the one before.

    Two tracks of new pages take turns; each goes down through the layers, since b, two phases older than a,
    has to lie in the layer after a's. With one layer a track has two pages.
    """
    layers = instance.layers
    length = max(layers, 2)
    tracks = [
        [instance.page(-s % layers, index + (2 * s if layers == 1 else 0)) for s in range(length)]
        for index in (0, 1)
    ]
    moving = {page for track in tracks for page in track}
    fixed = [instance.page(j, 2) for j in range(layers)] if layers > 1 else []
    fixed += [p for p in range(instance.total_pages) if p not in moving and p not in fixed]
    played = moving | set(fixed[: instance.cache + 2 - len(moving)])
    number = 2 * length
    while True:
        before, b, a, after = (tracks[(number + i) % 2][(number + i) // 2 % length] for i in (-1, -2, 0, 1))
        yield a, b, played - {before, after}
        number += 1


def _of_pairs(instance: LayeredInstance) -> Iterator[Phase]:
    """Ask for one of two pages in every layer, and for both in the layer that opens the phase.

    The phases open in layer after layer. In its first two layers a phase asks for the page that the phase
    before did not ask for; at its end it returns to its first layer for the page asked for there before.
    """
    layers, cache = instance.layers, instance.cache
    pair = [(instance.page(j, 0), instance.page(j, 1)) for j in range(layers)]
    spare = [p for j in range(layers) for p in instance.pages_of(j)[2:]]
    last = [first for first, _ in pair]
    opening = 0
    while True:
        second = (opening + 1) % layers
        (a,) = set(pair[opening]) - {last[opening]}
        (last[second],) = set(pair[second]) - {last[second]}
        yield a, last[second], {a, *last, *spare[: cache - layers - 1]}
        opening = second


def _of_layer(instance: LayeredInstance, requests: list[int], *pages: set[int]) -> int:
    """Return a page of the layer served next, from the first of some sets that has one."""
    here = instance.pages_of(len(requests) % instance.layers)
    return next(page for wanted in pages for page in here if page in wanted)
