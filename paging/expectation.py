"""The cost of randomised policies: exactly as a Fraction on small inputs, sampled with an interval else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm, sqrt
from typing import NamedTuple

import numpy as np

from paging.arguments import checked
from paging.errors import LimitError, ModelError
from paging.model import LabelArray, RequestSequence, whole_number
from paging.policy import Policy, get_policy
from paging.simulate import NOTHING, judged, run_sequence

MAX_RUNS = 1_000_000
"""Most sampled runs."""


Answers = dict[tuple[tuple[int, ...], int, int, int], list[tuple[Fraction, tuple[int, ...]]]]
"""What a randomised policy does, by labels, page, slot and prediction: chances and the labels after."""


class ExpectedCost(NamedTuple):
    """Exact expected cost of all requests and of every single one."""

    total: Fraction
    per_request: tuple[Fraction, ...]


@checked
def expected_faults(
    policy: str | Policy | type[Policy], sequence: RequestSequence, *, max_states: int = 100_000
) -> Fraction:
    """Return the exact expected number of faults of a randomised policy.

    Parameters
    ----------
    policy : str, Policy or Policy class
        Any policy; for a deterministic one the result is its cost.
    sequence : RequestSequence
        Sequential visits only. Time is O(T · states · outcomes), so keep the instance small.
    max_states : int, default 100 000
        Largest number of label vectors with positive probability at one time.

    Raises
    ------
    LimitError
        More than ``max_states`` label vectors have positive probability.
    IllegalAnswerError
        An outcome breaks the rules, or the probabilities do not add up to 1.

    Guarantee
    ---------
    Exact: rational arithmetic throughout.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
    >>> expected_faults("mark", sequence)
    Fraction(7, 2)
    """
    return sum(_chances_of_faults(get_policy(policy), sequence, max_states), Fraction(0))


@checked
def expected_cost(
    policy: str | Policy | type[Policy],
    sequence: RequestSequence,
    *,
    max_states: int = 100_000,
    known: Answers | None = None,
) -> ExpectedCost:
    """Return the exact expected cost of every request and in total; see :func:`expected_faults`.

    At unit cost these are the expected faults. Who asks for many sequences of one policy and one instance
    passes the same ``known``, empty at first: what the policy answers is kept there and asked for once.
    """
    costs = _chances_of_faults(get_policy(policy), sequence, max_states, known)
    weights = sequence.instance.weights
    if weights is not None:
        costs = [chance * weights[page] for chance, page in zip(costs, sequence, strict=True)]
    return ExpectedCost(sum(costs, Fraction(0)), tuple(costs))


def _chances_of_faults(
    answer: Policy, sequence: RequestSequence, max_states: int, known: Answers | None = None
) -> list[Fraction]:
    """Return the chance that each request is a fault."""
    instance = sequence.instance
    answer.check_requests(sequence)
    instance.require("exact expected cost", visits="sequential")
    # Chances are whole numbers over one denominator: that is exact, and spares reducing every product.
    chances: dict[tuple[int, ...], int] = {(0,) * instance.total_pages: 1}
    denominator = 1
    moves: Answers = {} if known is None else known
    costs = []
    asked = zip(sequence, sequence.slots.tolist(), sequence.frames, strict=True)
    for time, (page, slot, frame) in enumerate(asked):
        request = page, slot, frame.prediction
        missing = sum(chance for labels, chance in chances.items() if labels[page] <= 0)
        costs.append(Fraction(missing, denominator))
        if len(moves) > max_states:
            moves.clear()
        for state in chances:
            if (state, *request) not in moves:
                labels: LabelArray = np.array(state, dtype=np.int64)
                outcomes = answer.outcomes(labels, page, slot, frame)
                moves[(state, *request)] = list(judged(outcomes, answer, state, time, page, instance))
        common = lcm(*(share.denominator for state in chances for share, _ in moves[(state, *request)]))
        following: dict[tuple[int, ...], int] = defaultdict(int)
        for state, chance in chances.items():
            for share, result in moves[(state, *request)]:
                following[result] += chance * share.numerator * (common // share.denominator)
        if len(following) > max_states:
            raise LimitError(
                f"request {time}: {len(following)} label vectors have positive probability, "
                f"more than max_states = {max_states}; use sample_faults"
            )
        denominator *= common
        shared = gcd(denominator, *following.values())
        denominator //= shared
        chances = {state: chance // shared for state, chance in following.items()}
    return costs


@dataclass(frozen=True)
class Estimate:
    """A sampled mean with its confidence interval (Student's t over independent runs)."""

    mean: float
    half_width: float
    runs: int
    confidence: float
    seed: int

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        return self.mean - self.half_width, self.mean + self.half_width

    def __str__(self) -> str:
        return f"{self.mean:.1f} ± {self.half_width:.1f}"


@checked
def sample_faults(
    policy: str | Policy | type[Policy],
    sequence: RequestSequence,
    *,
    runs: int = 20,
    seed: int = 0,
    confidence: float = 0.95,
    start: int = 0,
) -> Estimate:
    """Estimate the expected faults of a randomised policy from independent runs.

    What they cost is estimated by :func:`sample_costs`.

    Parameters
    ----------
    policy, sequence
        As for :func:`~paging.simulate.simulate`.
    runs : int, default 20
        Independent runs, at least 2; each has its own child stream of ``seed``.
    confidence : float, default 0.95
        Level of the interval.
    start : int, default 0
        The first request whose fault is counted; those before it warm the cache up.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0] * 50)
    >>> estimate = sample_faults("mark", sequence, runs=50)
    >>> estimate.interval[0] < expected_faults("mark", sequence) < estimate.interval[1]
    True
    """
    return sample_costs(policy, sequence, runs=runs, seed=seed, confidence=confidence, start=start)[0]


@checked
def sample_costs(
    policy: str | Policy | type[Policy],
    sequence: RequestSequence,
    *,
    runs: int = 20,
    seed: int = 0,
    confidence: float = 0.95,
    start: int = 0,
) -> tuple[Estimate, Estimate]:
    """Estimate the expected faults and the expected cost from the same runs, as :func:`sample_faults` does.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2, weights=[1, 1, 4])
    >>> faults, cost = sample_costs("mark", RequestSequence(instance, [0, 1, 2, 0] * 50))
    >>> faults.mean < cost.mean < 4 * faults.mean
    True
    """
    if not 0 < confidence < 1:
        raise ModelError(f"confidence must lie between 0 and 1, got {confidence}")
    answer = get_policy(policy)
    paid = [run_sequence(answer, sequence, NOTHING, rng, start=start) for rng in child_streams(seed, runs)]
    faults, costs = [run.faults for run in paid], [float(run.cost) for run in paid]
    return estimate_of(faults, seed, confidence), estimate_of(costs, seed, confidence)


def child_streams(seed: int, runs: int) -> list[np.random.Generator]:
    """Return the random streams of independent runs.

    Raises
    ------
    ModelError
        There are fewer than 2 runs or too many, or the seed is negative.
    """
    runs = whole_number(runs, "runs", 2, MAX_RUNS)
    seed = whole_number(seed, "seed", 0)
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(runs)]


def estimate_of(costs: Sequence[int | float], seed: int, confidence: float = 0.95) -> Estimate:
    """Return mean and interval of the costs of two or more independent runs."""
    from scipy.special import stdtrit

    runs = len(costs)
    spread = float(np.std(costs, ddof=1)) / sqrt(runs)
    quantile = float(stdtrit(runs - 1, (1 + float(confidence)) / 2))
    return Estimate(float(np.mean(costs)), quantile * spread, runs, confidence, seed)
