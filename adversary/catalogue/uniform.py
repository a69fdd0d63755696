"""L4: independent uniform requests over k + 1 pages; Yao's principle bounds every randomised policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np
import sympy

from adversary.catalogue.missing_page import checked_spread, even_spread
from adversary.construction import Construction, Promise, construction, m, require
from adversary.phases import phase_schedule
from paging.arguments import checked
from paging.model import LayeredInstance, RequestSequence, whole_number


@construction(
    id="uniform",
    title="independent uniform requests to (k + 1)/ℓ pages of every layer",
    bound="L4",
    bad_for="every policy, randomised ones included",
    source="reported of arXiv:2509.02408; rebuilt by us",
    status="proved in docs/bounds.md",
    victims=("mark", "random", "lru", "llru"),
    kind="random",
    demo=LayeredInstance(layers=2, pages=4, cache=7),
)
def uniform(instance: LayeredInstance, rounds: int, seed: int) -> Construction:
    """Request a uniformly random one of m = (k + 1)/ℓ pages in every layer, independently.

    Bad for whom
    ------------
    Every online policy, since no past helps: one of the k + 1 pages is always missing and its layer asks for
    it with probability 1/m. For ℓ = 1 this is the classical lower bound H_k.

    Promise
    -------
    In expectation at least 1/m faults a round online; offline one fault a phase, and a phase is as long as ℓ
    parallel coupon collectors take: its mean length is computed exactly.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ divides k + 1 and every layer has at least (k + 1)/ℓ pages, at least 2.
    """
    layers, cache = instance.layers, instance.cache
    share = (cache + 1) // layers
    require(
        instance,
        ("ℓ to divide k + 1", (cache + 1) % layers == 0),
        ("(k + 1)/ℓ ≥ 2", share >= 2),
        ("n ≥ (k + 1)/ℓ in every layer", min(instance.pages_by_layer) >= share),
    )
    rng = np.random.default_rng(seed)
    times = np.arange(rounds * layers)
    requests = instance.first_page[times % layers] + rng.integers(share, size=len(times))
    sequence = RequestSequence(instance, requests)
    offline, starts = phase_schedule(sequence)
    length = expected_phase_length(layers, share)
    rate = sympy.Rational(layers * length.denominator, length.numerator)
    promise = Promise("a round", 1 / m, rate, sympy.Integer(cache), in_expectation=True)
    return Construction(sequence, offline, promise, starts[1:], {"m": share})


@construction(
    id="uniform-spread",
    title="independent uniform requests to k + 1 pages, spread unevenly over the layers",
    bound="L4-spread",
    bad_for="every policy, randomised ones included",
    source="ours",
    status="proved in docs/adversaries.md",
    victims=("mark", "random", "lru", "llru"),
    kind="random",
    demo=LayeredInstance(layers=2, pages=4, cache=5),
)
def uniform_spread(
    instance: LayeredInstance,
    rounds: int,
    seed: int,
    spread: tuple[int, ...] | None = None,
) -> Construction:
    """Request a uniformly random one of c_j pages of every layer j, Σ c_j = k + 1, for any k.

    Bad for whom
    ------------
    Every online policy. It lacks one of the k + 1 pages at any time; what it lacks it chooses on a fault, at
    best a page of the layer just served if that has the most pages, m = max c_j. Then it waits m rounds on
    average for the next fault, and any other choice gives less.

    Promise
    -------
    In expectation at least 1/m faults a round online, exactly the best an online policy can do. Offline one
    fault a phase; which layer opens the next phase is a Markov chain, and the mean length of a phase in its
    steady state is computed exactly.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < number of pages.
    spread : tuple of int, optional
        How many of the k + 1 pages lie in each layer; default the one with the largest exact ratio among the
        even one and those that fill layer after layer up to a common height.
    """
    require(
        instance,
        ("k ≥ ℓ", instance.cache >= instance.layers),
        ("k < number of pages", instance.cache < instance.total_pages),
    )
    if spread is None:
        counts = max(_spreads(instance), key=lambda c: _forced_ratio(c))
    else:
        counts = tuple(checked_spread(instance, spread))
    rng = np.random.default_rng(seed)
    layer = np.arange(rounds * instance.layers) % instance.layers
    requests = instance.first_page[layer] + rng.integers(np.array(counts)[layer])
    sequence = RequestSequence(instance, requests)
    offline, starts = phase_schedule(sequence)
    length = steady_phase_length(counts)
    rate = sympy.Rational(instance.layers * length.denominator, length.numerator)
    promise = Promise("a round", 1 / m, rate, sympy.Integer(instance.cache), in_expectation=True)
    values = {"m": max(counts)}
    return Construction(sequence, offline, promise, starts[1:], values)


def _forced_ratio(counts: tuple[int, ...]) -> Fraction:
    return steady_phase_length(counts) / (len(counts) * max(counts))


def _spreads(instance: LayeredInstance) -> Iterator[tuple[int, ...]]:
    """Yield the even spread, and for every height the one that fills layer after layer up to it."""
    total = instance.cache + 1
    yield tuple(even_spread(instance, total))
    for height in range(2, max(instance.pages_by_layer) + 1):
        counts, left = [], total
        for layer, n in enumerate(instance.pages_by_layer):
            later = instance.layers - 1 - layer
            counts.append(min(height, n, left - later))
            left -= counts[-1]
        if left == 0:
            yield tuple(counts)


MOST = 1000
"""Most layers and pages of one for which a mean length is computed exactly."""


@checked
def expected_phase_length(layers: int, share: int) -> Fraction:
    """Return the exact mean number of requests in a k-phase of the uniform construction.

    Parameters
    ----------
    layers, share : int
        ℓ ≥ 1 and m ≥ 2.

    Examples
    --------
    >>> expected_phase_length(2, 2), expected_phase_length(1, 4)
    (Fraction(6, 1), Fraction(22, 3))
    """
    layers = whole_number(layers, "layers (ℓ)", 1, MOST)
    share = whole_number(share, "share (m)", 2, MOST)
    return phase_length_from((share,) * layers, 0)


@lru_cache(maxsize=4096)
def phase_length_from(counts: tuple[int, ...], opening: int) -> Fraction:
    """Return the exact mean length of a k-phase that a page of layer ``opening`` opens.

    The phase ends when all pages have been requested, the last of them opening the next. With F_j(v) the
    probability that v visits to layer j have shown all its c_j pages, the mean is the sum over s ≥ 0 of
    1 − ∏_j F_j(v_j(s)), v_j(s) the visits to layer j among the first s + 1 requests. By inclusion and
    exclusion F_j(v) = Σ_i (−1)^i C(c_j, i) (1 − i/c_j)^v, so the sum is over geometric series and rational.

    Parameters
    ----------
    counts : tuple of int
        Pages c_j in play per layer, at least 1 each.
    opening : int
        Layer of the first request.
    """
    total = Fraction(0)
    for served in range(1, len(counts) + 1):
        # After round r, `served` layers have been visited r + 1 times, the others r times.
        total -= _geometric(counts, _turned(len(counts), opening, served), None)
    return total


@lru_cache(maxsize=4096)
def next_opening(counts: tuple[int, ...], opening: int) -> tuple[Fraction, ...]:
    """Return, for every layer, the probability that it opens the phase after one opened by ``opening``.

    That is the chance that the layer's last missing page is the last of all: summed over its visits, that the
    layer becomes complete at this visit while all others are complete.
    """
    layers = len(counts)
    chances = [Fraction(0)] * layers
    for served in range(1, layers + 1):
        layer = (opening + served - 1) % layers
        chances[layer] = _geometric(counts, _turned(layers, opening, served), layer)
    return tuple(chances)


def _turned(layers: int, opening: int, served: int) -> tuple[bool, ...]:
    """Return for every layer whether it is among the first ``served`` layers from ``opening`` on."""
    return tuple((layer - opening) % layers < served for layer in range(layers))


def _geometric(counts: tuple[int, ...], ahead: tuple[bool, ...], fresh: int | None) -> Fraction:
    """Sum ∏_j F_j(r + ahead_j) over rounds r ≥ 0, less its limit 1.

    With ``fresh`` that layer's factor is F(r + 1) − F(r) instead, and the limit is 0. A base of 0 counts in
    round 0 alone (0^0 = 1), with weight zero where F(r + 1) is involved.
    """
    terms: dict[Fraction, Fraction] = {Fraction(1): Fraction(1)}
    for layer, count in enumerate(counts):
        following: dict[Fraction, Fraction] = defaultdict(Fraction)
        for i in range(count + 1):
            stay = Fraction(count - i, count)
            weight = (-1) ** i * comb(count, i) * (stay if ahead[layer] else 1)
            if layer == fresh:
                weight = (-1) ** i * comb(count, i) * (stay - 1)
            for base, sofar in terms.items():
                following[base * stay] += sofar * weight
        terms = following
    return sum((weight / (1 - base) for base, weight in terms.items() if base != 1), Fraction(0))


@lru_cache(maxsize=4096)
def steady_phase_length(counts: tuple[int, ...]) -> Fraction:
    """Return the exact mean length of a k-phase in the long run, over the layers that open phases.

    Examples
    --------
    >>> steady_phase_length((2, 2)), steady_phase_length((3, 1))
    (Fraction(6, 1), Fraction(9, 1))
    """
    layers = range(len(counts))
    # A layer with a single page opens no phase once it is cached; the layer with the most pages does.
    opening = sorted((o for o in layers if counts[o] > 1), key=lambda o: -counts[o])
    after = {o: next_opening(counts, o) for o in opening}
    shares = _stationary([[after[o][p] for p in opening] for o in opening])
    return sum(
        (share * phase_length_from(counts, o) for o, share in zip(opening, shares, strict=True)), Fraction(0)
    )


def _stationary(chain: list[list[Fraction]]) -> list[Fraction]:
    """Return the stationary distribution of a chain, exactly, by censoring one state after the other.

    All states must lead to state 0. (Grassmann, Taksar and Heyman 1985.)
    """
    for last in range(len(chain) - 1, 0, -1):
        back = sum(chain[last][:last])
        for i in range(last):
            chain[i][last] /= back
            for j in range(last):
                chain[i][j] += chain[i][last] * chain[last][j]
    weights = [Fraction(1)]
    for state in range(1, len(chain)):
        weights.append(sum((weights[i] * chain[i][state] for i in range(state)), Fraction(0)))
    return [weight / sum(weights) for weight in weights]
