"""Kernels of fractional weighted paging: raising the missing fractions after a request."""

import math

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.model import PageArray

Reals = NDArray[np.float64]

STEPS = 200
"""Most steps of a search for the time; it needs about six."""


@compiled
def time_to_rise(missing: Reals, prices: Reals, eta: float, page: int, target: float) -> float:
    """Return for how long the missing fractions rise until those of all pages but one add up to ``target``.

    The fraction y of a page below 1 rises at speed (y + η)/price, so after time τ it is
    min(1, (y + η)·exp(τ/price) − η). Newton's method between two bounds, to double precision.
    """
    low, high, total = 0.0, 0.0, 0.0
    for q in range(len(missing)):
        if q != page:
            total += missing[q]
            if missing[q] < 1.0:
                high = max(high, prices[q] * math.log((1.0 + eta) / (missing[q] + eta)))
    if total >= target:
        return 0.0
    time = 0.0
    for _ in range(STEPS):
        total, speed = 0.0, 0.0
        for q in range(len(missing)):
            if q != page:
                grown = (missing[q] + eta) * math.exp(time / prices[q]) if missing[q] < 1.0 else 2.0
                if grown < 1.0 + eta:
                    total += grown - eta
                    speed += grown / prices[q]
                else:
                    total += 1.0
        if total < target:
            low = time
        else:
            high = time
        following = time + (target - total) / speed if speed > 0.0 else 0.5 * (low + high)
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - time) <= 1e-15 * high or abs(target - total) <= 1e-15 * target:
            break
        time = following
    return time


@compiled
def rise(missing: Reals, prices: Reals, eta: float, page: int, time: float) -> float:
    """Let the missing fractions of all pages but one rise for some time, and return what that costs."""
    cost = 0.0
    for q in range(len(missing)):
        if q != page and missing[q] < 1.0:
            risen = min(1.0, (missing[q] + eta) * math.exp(time / prices[q]) - eta)
            cost += prices[q] * (risen - missing[q])
            missing[q] = risen
    return cost


@compiled
def fractional(
    requests: PageArray,
    prices: Reals,
    cache: int,
    opt_cache: int,
    eta: float,
    missing: Reals,
    times: Reals,
    costs: Reals,
    bounds: Reals,
) -> float:
    """Serve a sequence fractionally and return the largest breach of an invariant.

    Parameters
    ----------
    requests : ndarray of int32, shape (T,)
        Page ids.
    prices : ndarray of float64, shape (n,)
        What evicting a whole page costs.
    cache, opt_cache : int
        Slots k here and h of the optimum that is bounded, h ≤ k < n.
    eta : float
        The η of the speed, (k − h + 1)/k.
    missing : ndarray of float64, shape (n,)
        Missing fractions, all 1 at the start; changed in place.
    times : ndarray of float64, shape (T,)
        Receives for how long the fractions rose at every request: the dual variables, times ln(1 + 1/η).
    costs, bounds : ndarray of float64, shape (T,)
        Receive the cost so far and the lower bound on OPT so far.

    Returns
    -------
    float
        The largest, over all requests, of how far the fractions' sum is from n − k, and of how far the cost
        is above 2·ln(1 + 1/η) times the lower bound, as a part of the latter.
    """
    pages = len(missing)
    scale = math.log(1.0 + 1.0 / eta)
    cost, bound, breach = 0.0, 0.0, 0.0
    for t in range(len(requests)):
        page = requests[t]
        missing[page] = 0.0
        time = time_to_rise(missing, prices, eta, page, float(pages - cache))
        if time > 0.0:
            value = (pages - opt_cache) * time
            for q in range(pages):
                if q != page:
                    if missing[q] >= 1.0:
                        value -= time
                    else:
                        whole = prices[q] * math.log((1.0 + eta) / (missing[q] + eta))
                        value -= max(0.0, time - whole)
            bound += value / scale
            cost += rise(missing, prices, eta, page, time)
        times[t] = time
        costs[t] = cost
        bounds[t] = bound
        total = missing.sum()
        if total < pages - cache or time > 0.0:
            breach = max(breach, abs(total - (pages - cache)))
        if cost > 2.0 * scale * bound:
            breach = max(breach, cost / (2.0 * scale * bound) - 1.0 if bound > 0.0 else 1.0)
    return breach
