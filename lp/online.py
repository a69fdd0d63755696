"""The lower bound on OPT that fractional paging knows online, as a dual of the gap problem: whole numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from lp.dual import Dual
from lp.gaps import Gaps, gaps_of
from paging.arguments import checked
from paging.fractional import FractionalRun
from paging.weights import LARGEST, Weights

PARTS = 16
"""Factors that are tried in hindsight: 1/16, 2/16, …, 1."""

FINEST = 2**30
"""Most parts into which a unit of the weights is cut for the dual's values."""


@checked
def online_dual(run: FractionalRun) -> tuple[Gaps, Dual]:
    """Return the dual that a fractional run has built up, and the problem that it is about.

    Parameters
    ----------
    run : FractionalRun
        From :func:`paging.serve_fractionally`; OPT has its ``opt_cache`` slots.

    Returns
    -------
    Gaps, Dual
        ``dual.bound(gaps)`` divided by ``gaps.scale`` is a lower bound on OPT, counted exactly
        (:func:`dual_value`); :func:`lp.certificate.dual_certificate` makes a certificate of it.

    Notes
    -----
    Any numbers y ≥ 0 prove a bound, so rounding the times down loses a little and risks nothing. The bound
    also counts loads that were never paid for by an eviction, and is at least the value known online, up to
    rounding.

    Examples
    --------
    >>> from paging import LayeredInstance, RequestSequence, serve_fractionally
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2, weights=[1, 1, 4])
    >>> run = serve_fractionally(RequestSequence(instance, [0, 1, 2] * 4))
    >>> run.lower_bound < dual_value(*online_dual(run)) <= 11
    True
    """
    sequence = run.sequence.with_cache(run.opt_cache)
    weights = sequence.instance.weights
    if weights is None:
        weights = Weights(np.ones(sequence.instance.total_pages, dtype=np.int64))
    room = LARGEST // (int(weights.scaled.max()) * 2 * PARTS * max(1, len(sequence)))
    parts = 1 << (max(1, min(FINEST, room)).bit_length() - 1)
    fine = Weights(weights.scaled * parts, weights.scale * parts)
    values = np.floor(run.times / run.scale * fine.scale).astype(np.int64)
    steps = np.flatnonzero(values)
    return gaps_of(sequence, fine), Dual(steps, values[steps])


@checked
def dual_value(gaps: Gaps, dual: Dual) -> Fraction:
    """Return the lower bound on OPT that a dual proves, exactly."""
    return Fraction(dual.bound(gaps), gaps.scale)


@checked
def best_dual(run: FractionalRun) -> tuple[Gaps, Dual]:
    """Return the online dual times the factor, of a few, that proves most; found in hindsight.

    The factor 1 is proved to be safe against every input. On others less is lost to gaps whose price is
    beyond their weight.
    """
    gaps, dual = online_dual(run)
    tried = [Dual(dual.steps, dual.values * part // PARTS) for part in range(PARTS, 0, -1)]
    return gaps, max(tried, key=lambda scaled: scaled.bound(gaps))
