"""Fault costs per page, exactly: whole numbers over one common denominator."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Rational
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError
from paging.model import LayeredInstance

LARGEST = 2**62
"""Sums of scaled weights stay below this, so that no integer of the kernels overflows."""

HUGE_EXPONENT = re.compile(r"[eE][+-]?[0-9_]{4,}")
"""A few characters that would become a number of thousands of digits or more."""


@dataclass(frozen=True, eq=False)
class Weights:
    """What a fault on every page costs: ``scaled[p] / scale``.

    Attributes
    ----------
    scaled : ndarray of int64, shape (total pages,)
        Positive whole numbers.
    scale : int
        Their common denominator; 1 for whole weights.
    """

    scaled: NDArray[np.int64] = field(repr=False)
    scale: int = 1

    def __getitem__(self, page: int) -> Fraction:
        return Fraction(int(self.scaled[page]), self.scale)

    def __len__(self) -> int:
        return len(self.scaled)

    def refuse_other(self, instance: LayeredInstance) -> None:
        """Raise ModelError unless there is one weight for every page of an instance."""
        if len(self) != instance.total_pages:
            raise ModelError(f"{len(self)} weights are given for {instance.total_pages} pages")


@checked
def exact_weights(values: Iterable[object], instance: LayeredInstance, requests: int) -> Weights:
    """Return weights as exact numbers, or refuse them.

    Parameters
    ----------
    values : iterable of int, Fraction or str
        One positive weight per page in the order of page ids; text as ``"3/4"`` or ``"0.75"``.
    instance : LayeredInstance
        Whose pages they are for.
    requests : int
        Length of the sequence they are used on; all its faults together must fit 62 bits after scaling.

    Raises
    ------
    ModelError
        A wrong number of weights; a weight that is not positive, or a float (whose decimal text is not its
        value); or numbers too large to be scaled exactly.

    Examples
    --------
    >>> weights = exact_weights(["0.5", 2, "1/3"], LayeredInstance(1, 3, 2), requests=9)
    >>> weights.scaled.tolist(), weights.scale
    ([3, 12, 2], 6)
    """
    exact = [_exact(value, page) for page, value in enumerate(values)]
    if len(exact) != instance.total_pages:
        raise ModelError(f"{len(exact)} weights are given for {instance.total_pages} pages")
    scale = math.lcm(*(value.denominator for value in exact))
    scaled = [int(value * scale) for value in exact]
    if max(scaled) * max(requests, 1) >= LARGEST:
        raise ModelError(
            f"weights scaled to whole numbers (factor {scale}) reach {max(scaled)}: "
            f"the sum over {requests} requests does not fit 62 bits"
        )
    return Weights(np.array(scaled, dtype=np.int64), scale)


@checked
def read_weights(path: str | Path, instance: LayeredInstance, requests: int) -> Weights:
    """Read weights from a JSON file: a list with one number (or ``"p/q"``) per page, or one list per layer.

    Decimal numbers are taken as the decimals written: ``0.1`` is one tenth.

    Raises
    ------
    ModelError
        The file cannot be read, or the weights are refused by :func:`exact_weights`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        # Nothing passes through binary floating point: the decimal text itself is the number.
        values = json.loads(text, parse_float=str)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"weights {path}: {error}") from error
    if not isinstance(values, list):
        raise ModelError(f"weights {path}: expected a list with one number per page")
    if values and all(isinstance(layer, list) for layer in values):
        lengths = tuple(map(len, values))
        if lengths != instance.pages_by_layer:
            raise ModelError(f"weights {path}: lists of {lengths} for layers of {instance.pages_by_layer}")
        values = [value for layer in values for value in layer]
    try:
        return exact_weights(values, instance, requests)
    except ModelError as error:
        raise ModelError(f"weights {path}: {error}") from error


def _exact(value: object, page: int) -> Fraction:
    if isinstance(value, np.integer):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, Rational | str):
        raise ModelError(
            f"weight of page {page}: {value!r} is not exact; "
            f"give a whole number, a Fraction or text such as '3/4'"
        )
    if isinstance(value, str) and HUGE_EXPONENT.search(value):
        raise ModelError(f"weight of page {page}: the exponent of {value[:30]!r} is too large")
    try:
        exact = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ModelError(f"weight of page {page}: {value!r} is not a number such as 2, 0.75 or 3/4") from None
    if exact <= 0:
        raise ModelError(f"weight of page {page}: {exact} is not positive")
    return exact
