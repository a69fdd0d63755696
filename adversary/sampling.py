"""The ratio that a random construction forces on a policy, estimated from independent samples."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversary.construction import Adversary, Construction, get_construction
from paging.arguments import checked
from paging.errors import ModelError
from paging.expectation import MAX_RUNS
from paging.model import LayeredInstance, whole_number
from paging.policy import Policy, get_policy


@dataclass(frozen=True)
class RatioEstimate:
    """An estimated ratio of expected costs, with its confidence interval.

    Attributes
    ----------
    ratio : float
        Policy faults over offline faults, both added up over all samples, in complete periods only.
    half_width : float
        Half the width of the interval (ratio estimator, linearised; Student's t over independent samples).
    limit : Fraction
        What the construction forces on every policy, exactly.
    runs, confidence, seed
        Number of samples, level of the interval, and where the random numbers come from.
    """

    ratio: float
    half_width: float
    limit: Fraction | float
    runs: int
    confidence: float
    seed: int

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        return self.ratio - self.half_width, self.ratio + self.half_width

    def __str__(self) -> str:
        return f"{self.ratio:.4f} ± {self.half_width:.4f}"


@checked
def sample_ratio(
    construction: str | Adversary,
    policy: str | Policy,
    instance: LayeredInstance | None = None,
    *,
    rounds: int = 1000,
    runs: int = 30,
    seed: int = 0,
    confidence: float = 0.95,
    **options: Any,
) -> RatioEstimate:
    """Estimate the ratio a random construction forces on a policy.

    Parameters
    ----------
    construction : str or Adversary
        One of kind ``random``.
    policy : str or Policy
        Any policy; a randomised one draws anew in every sample.
    instance : LayeredInstance, optional
        Default the construction's demonstration.
    rounds : int, default 1000
        Length of a sample; it must hold a complete period.
    runs : int, default 30
        Independent samples, at least 2; each has child streams of ``seed`` of its own.
    confidence : float, default 0.95
        Level of the interval.

    Raises
    ------
    ModelError
        The construction is not random, or the samples are too short.

    Examples
    --------
    >>> estimate = sample_ratio("marking-tree", "lru", rounds=2000)
    >>> estimate.limit, estimate.interval[0] < estimate.limit < estimate.interval[1]
    (Fraction(25, 12), True)
    """
    from scipy.special import stdtrit

    found = get_construction(construction) if isinstance(construction, str) else construction
    if found.kind != "random":
        raise ModelError(f"construction {found.id} is not random: there is nothing to sample")
    runs = whole_number(runs, "runs", 2, MAX_RUNS)
    seed = whole_number(seed, "seed", 0)
    if not 0 < confidence < 1:
        raise ModelError(f"confidence must lie between 0 and 1, got {confidence}")
    costs = np.zeros((runs, 2))
    for row, child in zip(costs, np.random.SeedSequence(seed).spawn(runs), strict=True):
        theirs, ours = (int(word) for word in child.generate_state(2))
        built = found(instance, rounds=rounds, policy=policy, seed=theirs, **options)
        row[:] = _complete(built, built.run(get_policy(policy), seed=ours).fault_counts)
    online, offline = costs.mean(axis=0)
    ratio = online / offline
    spread = float(np.std(costs[:, 0] - ratio * costs[:, 1], ddof=1)) / (offline * sqrt(runs))
    quantile = float(stdtrit(runs - 1, (1 + float(confidence)) / 2))
    return RatioEstimate(float(ratio), quantile * spread, built.limit, runs, confidence, seed)


def _complete(built: Construction, online: NDArray[np.int64]) -> tuple[int, int]:
    """Return policy and offline faults in the complete periods."""
    if built.periods == 0:
        raise ModelError(
            f"{len(built.sequence)} requests hold no complete period of {built.id}; more rounds are needed"
        )
    first, end = built.boundaries[0] - 1, built.boundaries[-1] - 1
    paid = built.offline.fault_counts
    return int(online[end] - online[first]), int(paid[end] - paid[first])
