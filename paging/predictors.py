"""Where predictions come from: seeded predictors by name, the truth they spoil, and how errors are counted.

Truth is relative to a reference: OPT's own schedule for discard bits, the k-phases for phase bits, the
requests themselves for next arrivals.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError, UnknownNameError
from paging.model import Kind, RequestSequence, Schedule, generator
from paging.offline import farthest_in_future, optimum_so_far, phase_starts
from paging.predicted import LATEST, PredictedSequence
from paging.spec import parse_spec, value_text

Predictions = NDArray[np.int64]


def reference_schedule(sequence: RequestSequence) -> Schedule:
    """Return the optimal schedule that discard bits are about: farthest in future, ties as it breaks them.

    Raises
    ------
    UnsupportedModelError
        Service is not forced, visits are atomic, or pages have weights.

    Guarantee
    ---------
    Optimal: another route, packing kept gaps, must come to the same number of faults.
    """
    sequence.instance.require("an optimal run to predict", service="forced", visits="sequential", cost="unit")
    schedule = farthest_in_future(sequence, record=True).schedule
    if len(sequence) and schedule.faults != optimum_so_far(sequence)[-1]:
        raise AssertionError("two routes to the optimum disagree")
    return schedule


def _reference(sequence: RequestSequence, given: Schedule | None) -> Schedule:
    """Return a schedule of these requests, the default one where none is given."""
    if given is None:
        return reference_schedule(sequence)
    if not np.array_equal(given.sequence.requests, sequence.requests):
        raise ModelError("the reference is a schedule of other requests")
    given.check()
    return given


@checked
def true_predictions(
    sequence: RequestSequence, kind: Kind, reference: Schedule | None = None
) -> PredictedSequence:
    """Return the requests with predictions that are all true.

    Parameters
    ----------
    sequence : RequestSequence
        Forced service, sequential visits.
    kind : {"discard", "phase", "next-arrival"}
        ``discard``: 1 where ``reference`` evicts the page before its next request. ``phase``: 1 where the
        page is not requested in the next k-phase. ``next-arrival``: the page's next request, T if none.
    reference : Schedule, optional
        A schedule of these requests, of which discard bits tell; default :func:`reference_schedule`.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
    >>> [true_predictions(sequence, kind).predictions.tolist() for kind in ("discard", "next-arrival")]
    [[0, 1, 0, 0], [3, 4, 4, 4]]
    """
    from paging.kernels import discard_truth, next_use, phase_truth

    pages = sequence.instance.total_pages
    truth = np.zeros(len(sequence), dtype=np.int64)
    if kind == "discard":
        schedule = _reference(sequence, reference)
        discard_truth(sequence.requests, pages, schedule.entries, truth)
    elif kind == "phase":
        phase_truth(sequence.requests, _phases(sequence), pages, truth)
    else:
        truth = next_use(sequence.requests, pages).astype(np.int64)
    return PredictedSequence(sequence, kind, truth)


def _phases(sequence: RequestSequence) -> NDArray[np.int64]:
    """Return the starts of the k-phases, and the length."""
    return np.array([*phase_starts(sequence, sequence.instance.cache), len(sequence)], dtype=np.int64)


class Errors(NamedTuple):
    """The errors of predictions, by the kind they are of; None where a number means nothing for the kind.

    Attributes
    ----------
    eta0, eta1 : int or None
        Wrong bits 0, and wrong bits 1.
    eta : int or None
        Sum over all requests of ``|predicted − true next arrival|``, where never is request number T.
    """

    eta0: int | None = None
    eta1: int | None = None
    eta: int | None = None

    @property
    def given(self) -> dict[str, int]:
        """The numbers that there are, by name."""
        return {name: number for name, number in self._asdict().items() if number is not None}

    def __str__(self) -> str:
        words = {"eta0": "η0", "eta1": "η1", "eta": "η"}
        return ", ".join(f"{words[name]} = {number:,}" for name, number in self.given.items())


@checked
def prediction_errors(predicted: PredictedSequence, reference: Schedule | None = None) -> Errors:
    """Count the errors of predictions.

    Discard bits: η0 counts evictions of the reference run whose page has bit 0, η1 requests that it serves
    from its cache although the page has bit 1; a page has the bit of its latest request. Phase bits: one
    error for every page and k-phase, by its last bit in the phase: η0 if it is 0 and the page is not
    requested in the next phase, η1 if it is 1 and the page is; nothing follows the last phase, so its bits
    do not count. Next arrivals: η = Σ ``|predicted − true|``; a page that does not come again has number T.

    Parameters
    ----------
    predicted : PredictedSequence
    reference : Schedule, optional
        As for :func:`true_predictions`.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
    >>> print(prediction_errors(PredictedSequence(sequence, "discard", [1, 0, 0, 0])))
    η0 = 1, η1 = 1
    >>> print(prediction_errors(PredictedSequence(sequence, "next-arrival", [3, 2, 4, 9])))
    η = 7
    """
    from paging.kernels import discard_errors, phase_errors

    pages, given = predicted.instance.total_pages, predicted.predictions
    if predicted.kind == "next-arrival":
        truth = true_predictions(predicted.plain, "next-arrival").predictions
        return Errors(eta=sum(np.abs(given - truth).tolist()))
    if predicted.kind == "discard":
        schedule = _reference(predicted.plain, reference)
        zeros, ones = discard_errors(predicted.requests, pages, schedule.entries, given)
    else:
        zeros, ones = phase_errors(predicted.requests, _phases(predicted), pages, given)
    return Errors(int(zeros), int(ones))


class Predictor(ABC):
    """A source of predictions. A subclass is a dataclass whose fields are its parameters.

    Attributes
    ----------
    id, title : str
        Name in a spec, and one line.
    kind : str
        What it predicts.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    kind: Kind

    @abstractmethod
    def predictions(self, sequence: RequestSequence, rng: np.random.Generator) -> Predictions:
        """Return one prediction for every request."""

    @property
    def spec(self) -> str:
        """The text that makes it."""
        values = [f"{one.name}={value_text(getattr(self, one.name))}" for one in fields(self)]  # type: ignore[arg-type]
        return f"{self.id}:{','.join(values)}"


def _within(value: Any, name: str, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ModelError(f"{name} must be a number in {low:g} … {high:g}, got {value!r}")


@dataclass(frozen=True)
class _Flipped(Predictor):
    """True bits, of which 0s turn into 1s with probability p1 and 1s into 0s with probability p0.

    So p0 makes wrong bits 0 and p1 wrong bits 1.
    """

    p0: float = 0.0
    p1: float = 0.0

    def __post_init__(self) -> None:
        _within(self.p0, "p0", 0, 1)
        _within(self.p1, "p1", 0, 1)

    def predictions(self, sequence: RequestSequence, rng: np.random.Generator) -> Predictions:
        truth = true_predictions(sequence, self.kind).predictions
        flipped = rng.random(len(truth)) < np.where(truth == 1, self.p0, self.p1)
        bits: Predictions = truth ^ flipped
        return bits


@dataclass(frozen=True)
class DiscardBits(_Flipped):
    """What OPT does, told with errors: 1s come out as 0s with probability p0, 0s as 1s with p1."""

    id = "discard"
    title = "OPT's evictions; a true 1 is told as 0 with probability p0, a true 0 as 1 with p1"
    kind = "discard"


@dataclass(frozen=True)
class PhaseBits(_Flipped):
    """The next k-phase, told with errors: 1s come out as 0s with probability p0, 0s as 1s with p1."""

    id = "phase"
    title = "the pages of the next k-phase; a true 1 is told as 0 with probability p0, a true 0 as 1 with p1"
    kind = "phase"


@dataclass(frozen=True)
class NextArrival(Predictor):
    """The true next request, moved: its distance times e^(σN), N standard normal, then ± at most ``width``.

    Rounded to a whole request number, and at least the next request.
    """

    width: int = 0
    sigma: float = 0.0

    id = "next-arrival"
    title = "next requests; their distance is off by a log-normal factor (sigma) and by up to width requests"
    kind = "next-arrival"

    def __post_init__(self) -> None:
        _within(self.width, "width", 0, 10**9)
        _within(self.sigma, "sigma", 0, 10)
        if not isinstance(self.width, int):
            raise ModelError(f"width must be a whole number of requests, got {self.width!r}")

    def predictions(self, sequence: RequestSequence, rng: np.random.Generator) -> Predictions:
        times = np.arange(len(sequence))
        truth = true_predictions(sequence, "next-arrival").predictions
        away = (truth - times) * np.exp(self.sigma * rng.standard_normal(len(truth)))
        moved = np.rint(away).astype(np.int64) + rng.integers(-self.width, self.width + 1, len(truth))
        arrivals: Predictions = times + np.clip(moved, 1, LATEST // 2)
        return arrivals


@dataclass(frozen=True)
class EarlyGate(Predictor):
    """A gate applied one layer early: bit 0 for pages that the layer's next visit is guessed to ask for.

    A page that the next visit of its layer asks for is guessed with probability ``recall``; others so often
    that the expected share of right guesses is ``precision``.
    """

    recall: float = 0.9
    precision: float = 0.9

    id = "gate"
    title = "keep what the layer's next visit is guessed to ask for, with this recall and precision"
    kind = "discard"

    def __post_init__(self) -> None:
        _within(self.recall, "recall", 0, 1)
        _within(self.precision, "precision", 0, 1)
        if self.recall and not self.precision:
            raise ModelError(f"precision 0 needs recall 0, got recall {self.recall}")

    def predictions(self, sequence: RequestSequence, rng: np.random.Generator) -> Predictions:
        following = true_predictions(sequence, "next-arrival").predictions
        visits = np.append(sequence.visits, -1)  # a page that does not come again is in no visit
        soon = visits[following] == sequence.visits + sequence.instance.layers
        asked = int(np.count_nonzero(soon))
        others = len(soon) - asked
        wrong = self.recall * asked * (1 - self.precision) / self.precision if self.recall else 0.0
        if wrong > others:
            raise ModelError(
                f"gate: precision {self.precision:g} with recall {self.recall:g} needs {wrong:,.0f} wrong "
                f"guesses, but only {others:,} of {len(soon):,} requests could be guessed wrongly"
            )
        chance = np.where(soon, self.recall, wrong / others if others else 0.0)
        bits: Predictions = (rng.random(len(soon)) >= chance).astype(np.int64)
        return bits


@dataclass(frozen=True)
class Frequency(Predictor):
    """Each page's mean distance between requests, learnt on the first part and used on the rest.

    In the first part, the share ``train`` of the requests, a prediction knows the requests so far; afterwards
    nothing more is learnt. A page seen s times in t requests is predicted to come again after t/s requests.
    """

    train: float = 0.5

    id = "frequency"
    title = "the mean distance between a page's requests, learnt on the first part (share train) alone"
    kind = "next-arrival"

    def __post_init__(self) -> None:
        _within(self.train, "train", 0, 1)

    def predictions(self, sequence: RequestSequence, rng: np.random.Generator) -> Predictions:
        from paging.kernels import counts_so_far

        times = np.arange(len(sequence))
        learnt = int(self.train * len(sequence))
        counts = np.zeros(len(sequence), dtype=np.int64)
        counts_so_far(sequence.requests, sequence.instance.total_pages, learnt, counts)
        seen = np.minimum(times + 1, max(learnt, 1))
        arrivals: Predictions = times + np.maximum(seen // np.maximum(counts, 1), 1)
        return arrivals


PREDICTORS: dict[str, type[Predictor]] = {
    one.id: one for one in (DiscardBits, PhaseBits, NextArrival, EarlyGate, Frequency)
}
"""The predictors by name."""


def get_predictor(spec: str | Predictor) -> Predictor:
    """Return a predictor for ``name:key=value,…``, or the one given.

    Raises
    ------
    UnknownNameError
        No such name; near misses are listed.
    ModelError
        A parameter that it does not have, or a value outside its range.

    Examples
    --------
    >>> get_predictor("discard:p0=0.1")
    DiscardBits(p0=0.1, p1=0.0)
    """
    if isinstance(spec, Predictor):
        return spec
    if not isinstance(spec, str):
        raise ModelError(f"a predictor is a name or a Predictor object, got {spec!r}")
    name, values = parse_spec(spec)
    if name not in PREDICTORS:
        raise UnknownNameError("predictor", name, PREDICTORS)
    cls = PREDICTORS[name]
    known = [one.name for one in fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise ModelError(
                f"predictor {name} has no parameter {key!r}: its parameters are {', '.join(known)}"
            )
    return cls(**values)


@checked
def predict(
    sequence: RequestSequence, predictor: str | Predictor, *, seed: int | np.random.Generator = 0
) -> PredictedSequence:
    """Return the requests with the predictions of a predictor.

    Parameters
    ----------
    sequence : RequestSequence
        Forced service, sequential visits.
    predictor : str or Predictor
        A name of :data:`PREDICTORS` with parameters, such as ``discard:p0=0.1,p1=0.05``.
    seed : int, default 0
        Seed of the errors.

    Examples
    --------
    >>> from paging import LayeredInstance, generate, simulate
    >>> sequence = generate("zipf:requests=1000", LayeredInstance(layers=1, pages=20, cache=8))
    >>> simulate("flush-when-kept", predict(sequence, "discard")).faults, farthest_in_future(sequence).faults
    (204, 204)
    """
    source = get_predictor(predictor)
    sequence.instance.require("predicting", service="forced", visits="sequential", cost="unit")
    return PredictedSequence(sequence, source.kind, source.predictions(sequence, generator(seed)))
