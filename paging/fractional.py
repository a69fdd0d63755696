"""Fractional weighted paging: pages are cached in parts, and the online algorithm bounds OPT from below.

The fractional algorithm of Bansal, Buchbinder and Naor keeps for every page p the fraction y_p that is
missing, Σ y = n − k. A request of q sets y_q to 0 and then raises every other y_p < 1 at speed (y_p + η)/w_p
until the sum is right again. How long that takes is a variable of the dual linear program: divided by
ln(1 + 1/η) these numbers are feasible, so their value is a lower bound on OPT that is known online.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import LayeredPagingError, ModelError
from paging.html import facts_table
from paging.model import RequestSequence, whole_number

TOLERANCE = 1e-9
"""How far the invariants of a fractional run may be from exact, in pages or as a part."""


class BrokenInvariantError(LayeredPagingError, RuntimeError):
    """An invariant of a fractional run does not hold: floating point did not suffice."""


@dataclass(frozen=True, eq=False)
class FractionalRun:
    """A sequence served fractionally.

    Attributes
    ----------
    sequence : RequestSequence
        What was served.
    opt_cache : int
        Slots h ≤ k of the optimum that is bounded.
    times : ndarray of float64, shape (T,)
        For how long the fractions rose at every request; divided by ``scale`` they are the dual variables.
    costs : ndarray of float64, shape (T,)
        Fractional cost so far: Σ w_p · (rises of y_p), which is what evicting costs.
    lower_bounds : ndarray of float64, shape (T,)
        The dual's value so far, a lower bound on what OPT with h slots has paid.
    missing : ndarray of float64, shape (n,)
        The missing fractions at the end.
    breach : float
        The largest breach of an invariant: Σ y = n − k, and cost ≤ 2·scale·lower bound.
    """

    sequence: RequestSequence
    opt_cache: int
    times: NDArray[np.float64] = field(repr=False)
    costs: NDArray[np.float64] = field(repr=False)
    lower_bounds: NDArray[np.float64] = field(repr=False)
    missing: NDArray[np.float64] = field(repr=False)
    breach: float

    @property
    def eta(self) -> float:
        """The η of the speed, (k − h + 1)/k."""
        cache = self.sequence.instance.cache
        return (cache - self.opt_cache + 1) / cache

    @property
    def scale(self) -> float:
        """By what the times are divided: ln(1 + 1/η)."""
        return math.log(1 + 1 / self.eta)

    @property
    def cost(self) -> float:
        """The fractional cost."""
        return float(self.costs[-1]) if len(self.costs) else 0.0

    @property
    def lower_bound(self) -> float:
        """The lower bound on OPT that was known online."""
        return float(self.lower_bounds[-1]) if len(self.lower_bounds) else 0.0

    @property
    def guarantee(self) -> float:
        """How many times OPT the cost is at most: 2·ln(1 + k/(k − h + 1))."""
        return 2 * self.scale

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "fractional cost": self.cost,
            f"OPT with h = {self.opt_cache} pays at least": self.lower_bound,
            "guarantee on their ratio": self.guarantee,
        }
        return facts_table(f"fractional paging on {self.sequence.instance}", facts)


@checked
def serve_fractionally(sequence: RequestSequence, *, opt_cache: int | None = None) -> FractionalRun:
    """Serve a sequence with the fractional primal–dual algorithm.

    Parameters
    ----------
    sequence : RequestSequence
        Forced, sequential service, with weights or at unit cost.
    opt_cache : int, optional
        Slots h of the optimum to compare with, 1 ≤ h ≤ k; default k. It sets η = (k − h + 1)/k.

    Returns
    -------
    FractionalRun

    Raises
    ------
    UnsupportedModelError
        Service is not forced or visits are atomic.
    BrokenInvariantError
        An invariant is off by more than :data:`TOLERANCE`.

    Guarantee
    ---------
    cost ≤ 2·ln(1 + k/(k − h + 1))·lower bound ≤ 2·ln(1 + k/(k − h + 1))·OPT (bounds ``fractional-upper``,
    ``fractional-augmented``). In floating point; :func:`lp.online_dual` turns the dual into whole numbers and
    counts the lower bound exactly.

    References
    ----------
    BBN2012

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2, weights=[1, 1, 4])
    >>> run = serve_fractionally(RequestSequence(instance, [0, 1, 2] * 4))
    >>> run.lower_bound < run.cost < run.guarantee * run.lower_bound
    True
    """
    from paging.kernels.fractional import fractional

    instance = sequence.instance
    instance.require("fractional paging", service="forced", visits="sequential")
    small = (
        instance.cache if opt_cache is None else whole_number(opt_cache, "opt_cache (h)", 1, instance.cache)
    )
    pages, length = instance.total_pages, len(sequence)
    times, costs, bounds = np.zeros(length), np.zeros(length), np.zeros(length)
    missing = np.ones(pages)
    cache = min(instance.cache, pages)
    eta = (instance.cache - small + 1) / instance.cache
    breach = fractional(
        sequence.requests, prices(sequence), cache, min(small, pages), eta, missing, times, costs, bounds
    )
    if not breach <= TOLERANCE:
        raise BrokenInvariantError(
            f"an invariant of the fractional run is off by {breach:.3g}, more than {TOLERANCE:g}"
        )
    return FractionalRun(sequence, small, times, costs, bounds, missing, float(breach))


def prices(sequence: RequestSequence) -> NDArray[np.float64]:
    """Return the weights of all pages as decimals, or raise ModelError where their range is too large."""
    weights = sequence.instance.weights
    if weights is None:
        return np.ones(sequence.instance.total_pages)
    values = weights.scaled / weights.scale
    if values.max() / values.min() > 1e12:
        raise ModelError(
            "the largest weight is more than 10¹² times the smallest: too much for floating point"
        )
    return values
