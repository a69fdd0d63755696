"""Lower bounds on OPT that anyone can check by adding: duals of the gap problem."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lp.gaps import Flags, Gaps, Integers
from lp.kernels.dual import cut_bounds, latest_cuts, least_potential
from paging.arguments import checked
from paging.errors import InfeasibleScheduleError, ModelError

SAFE = 2**62
EFFORT = 2000
"""Looks per step after which the search for a weighted dual is given up."""


@dataclass(frozen=True, eq=False)
class Dual:
    """Integers y ≥ 0 at some steps; all other steps have y = 0.

    Any such y proves ``OPT ≥ Σ w(requests) − Σ slots·y − Σ_gaps max(0, w − Σ_{steps covered} y)``.

    Attributes
    ----------
    steps : ndarray of int64
        Steps with y > 0, increasing.
    values : ndarray of int64
        y there, in units of 1/scale.
    """

    steps: NDArray[np.int64] = field(repr=False)
    values: Integers = field(repr=False)

    def bound(self, gaps: Gaps) -> int:
        """Return the lower bound this proves, in units of 1/scale, by exact addition."""
        y = np.zeros(gaps.steps + 1, dtype=np.int64)
        y[self.steps + 1] = self.values
        prefix = np.cumsum(y)
        over = np.where(gaps.covering, prefix[gaps.last + 1] - prefix[np.minimum(gaps.first, gaps.steps)], 0)
        lost = int(np.maximum(0, gaps.saving - over).sum())
        slots = gaps.slots[self.steps]
        if slots.max(initial=0) * float(self.values.sum()) < SAFE:
            paid = int((slots * self.values).sum())
        else:
            paid = sum(s * v for s, v in zip(slots.tolist(), self.values.tolist(), strict=True))
        return gaps.total - paid - lost


def no_dual() -> Dual:
    """Return y = 0: it proves that every page must be loaded once."""
    return Dual(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def dual_of_levels(levels: Integers) -> Dual:
    """Return the dual whose prefix sums are ``levels``, shape (steps + 1,), nondecreasing."""
    y = np.diff(levels)
    steps = np.flatnonzero(y)
    return Dual(steps, y[steps])


def dual_of_cuts(cuts: Integers) -> Dual | None:
    """Return the dual whose steps are cuts; None where :func:`~lp.kernels.dual.latest_cuts` found none."""
    if len(cuts) and cuts[0] < 0:
        return None
    steps, values = np.unique(cuts, return_counts=True)
    return Dual(steps.astype(np.int64), values.astype(np.int64))


@checked
def dual_of_kept(gaps: Gaps, kept: Flags) -> Dual | None:
    """Return a dual that proves a choice of kept gaps optimal, or None where there is none.

    Parameters
    ----------
    gaps : Gaps
        The problem.
    kept : ndarray of bool, shape (m,)
        A feasible choice, from a schedule or a solver.

    Returns
    -------
    Dual or None
        The least dual by complementary slackness. At unit cost None means that the choice is not optimal;
        with weights the search may also have been given up.

    Notes
    -----
    No solver is involved. At unit cost O(T) to set up and, as measured, about one move per cut; see
    docs/offline-optimum.md for the proof that a dual exists if and only if the choice is optimal.
    """
    if kept.dtype != np.bool_ or kept.shape != gaps.ends.shape:
        raise ModelError(f"kept must be {len(gaps)} truth values, one for each gap, got {kept!r:.60}")
    load = gaps.load(kept)
    if (load > gaps.slots).any():
        raise InfeasibleScheduleError("more gaps are kept than there are slots")
    full = load == gaps.slots
    if gaps.weights is None:
        return dual_of_cuts(
            latest_cuts(*cut_bounds(gaps.first, gaps.last, kept, full), np.zeros(1, np.int64))
        )
    saving = gaps.saving
    limit = int(saving[~kept].sum())
    levels = least_potential(
        gaps.first, gaps.last, saving, kept, full, limit, EFFORT * (gaps.steps + len(gaps) + 1)
    )
    return dual_of_levels(levels) if len(levels) else None
