"""Requests with a prediction each: a type of its own, never taken for a plain sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paging.arguments import array_of, checked
from paging.errors import IllegalSequenceError, UnsupportedModelError
from paging.html import facts_table
from paging.model import SHOWN, Frame, Kind, RequestSequence, whole_number
from paging.weights import Weights

LATEST = 2**61
"""Largest predicted request number: labels are made of it."""


def refuse_illegal(kind: Kind | None, prediction: int, time: int) -> None:
    """Raise IllegalSequenceError unless a prediction of this kind may come with request number ``time``."""
    low, high = (time + 1, LATEST) if kind == "next-arrival" else (0, 1)
    if not low <= prediction <= high:
        where = f"request {time}: {kind}"
        if kind != "next-arrival":
            raise IllegalSequenceError(f"{where} bit must be 0 or 1, got {prediction}")
        if prediction > high:
            raise IllegalSequenceError(f"{where} {prediction} is larger than {high}")
        raise IllegalSequenceError(f"{where} {prediction} lies in the past; it must be {low} or later")


class PredictedSequence(RequestSequence):
    """A legal request sequence with one prediction for every request.

    A policy whose :attr:`~paging.Policy.predictions` names the kind is told each prediction with its request,
    and nothing else of the future. All other policies refuse it; :attr:`plain` is what they serve.

    Parameters
    ----------
    sequence : RequestSequence
        The requests.
    kind : {"discard", "phase", "next-arrival"}
        What is predicted: see :data:`paging.model.KINDS`.
    predictions : array_like of int, shape (T,)
        Bits 0 or 1, or numbers of requests that lie after the one they come with. Stored as read-only int64.

    Raises
    ------
    IllegalSequenceError
        Another length, a bit that is neither 0 nor 1, or a next arrival in the past.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 0])
    >>> PredictedSequence(sequence, "discard", [0, 1, 0]).predictions.tolist()
    [0, 1, 0]
    >>> PredictedSequence(sequence, "next-arrival", [2, 9, 2])
    Traceback (most recent call last):
        ...
    paging.errors.IllegalSequenceError: request 2: next-arrival 2 lies in the past; it must be 3 or later
    """

    @checked
    def __init__(self, sequence: RequestSequence, kind: Kind, predictions: ArrayLike) -> None:
        given = array_of(predictions, "predictions")
        if given.shape != (len(sequence),):
            raise IllegalSequenceError(
                f"one prediction is wanted for each of the {len(sequence)} requests, got shape {given.shape}"
            )
        if given.size and given.dtype.kind not in "iu":
            raise IllegalSequenceError(f"predictions must be integers, got dtype {given.dtype}")
        times = np.arange(len(given))
        low, high = (times + 1, LATEST) if kind == "next-arrival" else (0, 1)
        wrong = (given < low) | (given > high)
        if wrong.any():
            time = int(wrong.argmax())
            refuse_illegal(kind, int(given[time]), time)
        stored = given.astype(np.int64)
        stored.flags.writeable = False
        self._fill(sequence, kind, stored)

    def _fill(self, sequence: RequestSequence, kind: Kind, predictions: NDArray[np.int64]) -> None:
        assign = object.__setattr__
        for name in ("instance", "requests", "places"):
            assign(self, name, getattr(sequence, name))
        assign(self, "_kind", kind)
        assign(self, "_predictions", predictions)

    _kind: Kind
    _predictions: NDArray[np.int64]

    @property
    def kind(self) -> Kind:
        """What is predicted."""
        return self._kind

    @property
    def predictions(self) -> NDArray[np.int64]:
        """One prediction for every request: read-only int64, shape (T,)."""
        return self._predictions

    @property
    def frames(self) -> Iterator[Frame]:
        """What a policy is told with every request beside page and slot."""
        frame = self.instance.frame
        return (frame._replace(prediction=prediction) for prediction in self._predictions.tolist())

    @property
    def plain(self) -> RequestSequence:
        """The requests without the predictions."""
        return RequestSequence._sharing_requests(self.instance, self.requests, self.places)

    def _with(self, sequence: RequestSequence, predictions: NDArray[np.int64]) -> Self:
        same = object.__new__(type(self))
        same._fill(sequence, self._kind, predictions)
        return same

    def with_cache(self, cache: int) -> Self:
        """Return the same requests and predictions with another cache size."""
        return self._with(self.plain.with_cache(cache), self._predictions)

    def with_weights(self, weights: Weights | Iterable[object] | None) -> Self:
        """Return the same requests and predictions with other fault costs, or at unit cost."""
        return self._with(self.plain.with_weights(weights), self._predictions)

    def prefix(self, length: int) -> Self:
        """Return the first ``length`` ≥ 0 requests with their predictions, or all of them."""
        length = whole_number(length, "length", 0)
        return self._with(self.plain.prefix(length), self._predictions[:length])

    def of_layer(self, layer: int, cache: int) -> RequestSequence:
        """Refuse: predictions are made of the shared cache."""
        raise UnsupportedModelError("predictions are made of the shared cache; a layer alone has none")

    def picked(self, chosen: NDArray[np.bool_], cache: int) -> RequestSequence:
        """Refuse: predictions are made of all requests."""
        raise UnsupportedModelError("predictions are made of all requests; some of them alone have none")

    def _repr_html_(self) -> str:
        shown = " ".join(map(str, self._predictions[:SHOWN].tolist()))
        facts: dict[str, object] = {
            "requests": len(self),
            "predicted": self._kind,
            "pages": self.instance.page_names(self, SHOWN),
            "predictions": shown + " …" * (len(self) > SHOWN),
        }
        return facts_table(f"requests with predictions on {self.instance}", facts)
