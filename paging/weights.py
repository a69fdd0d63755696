"""What a fault on every page costs, exactly: whole numbers over one common denominator."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Rational
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError
from paging.files import regular_file, without_repeats
from paging.numbers import read_fraction

LARGEST = 2**62
"""Sums of scaled weights stay below this, so that no integer of the kernels overflows."""

HUGE_EXPONENT = re.compile(r"[eE][+-]?[0-9_]{4,}")
"""A few characters that would become a number of thousands of digits or more."""

SPELLINGS = (
    "a file, layer:W1,W2,… (one per layer), page:W1,W2,… (one per page) or tier:N1*W1,N2*W2,… "
    "(in every layer the first N1 pages cost W1, the next N2 cost W2, …)"
)
"""What :func:`read_weights` reads, in words."""


@dataclass(frozen=True, eq=False)
class Weights:
    """What a fault on every page costs: ``scaled[p] / scale``. Made by :func:`exact_weights`.

    Attributes
    ----------
    scaled : ndarray of int64, shape (total pages,)
        Positive whole numbers, read-only.
    scale : int
        Their common denominator; 1 for whole weights.
    """

    scaled: NDArray[np.int64] = field(repr=False)
    scale: int = 1

    def __post_init__(self) -> None:
        self.scaled.flags.writeable = False

    def __getitem__(self, page: int) -> Fraction:
        return Fraction(int(self.scaled[page]), self.scale)

    def __len__(self) -> int:
        return len(self.scaled)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Weights)
            and self.scale == other.scale
            and np.array_equal(self.scaled, other.scaled)
        )

    def __hash__(self) -> int:
        return hash((self.scale, self.scaled.tobytes()))

    @property
    def unit(self) -> bool:
        """Whether every fault costs 1."""
        return self.scale == 1 and bool((self.scaled == 1).all())

    @property
    def plain(self) -> list[int | str]:
        """The weights as JSON states them: whole numbers, and text ``"p/q"``.

        >>> exact_weights(["0.5", 2]).plain
        ['1/2', 2]
        """
        exact = (Fraction(value, self.scale) for value in self.scaled.tolist())
        return [value.numerator if value.denominator == 1 else str(value) for value in exact]

    def of_pages(self, pages: slice) -> Weights:
        """Return the weights of some pages alone."""
        return exact_weights(Fraction(value, self.scale) for value in self.scaled[pages].tolist())

    def unscaled(self, value: int) -> int | Fraction:
        """Return a sum of scaled weights as what it is worth, whole where it is whole.

        >>> exact_weights(["0.5", 2]).unscaled(5)
        Fraction(5, 2)
        """
        exact = Fraction(value, self.scale)
        return exact.numerator if exact.denominator == 1 else exact

    def cost_of(self, pages: NDArray[np.integer]) -> int | Fraction:
        """Return what faults on these pages cost together, exactly."""
        return self.unscaled(int(self.scaled[pages].sum()))

    def require_sums(self, requests: int) -> None:
        """Raise ModelError unless the cost of so many faults fits 62 bits after scaling."""
        most = int(self.scaled.max())
        if most * max(requests, 1) >= LARGEST:
            raise ModelError(
                f"weights scaled to whole numbers (factor {self.scale}) reach {most}: "
                f"the sum over {requests} requests does not fit 62 bits"
            )


@checked
def exact_weights(values: Iterable[object]) -> Weights:
    """Return weights as exact numbers, or refuse them.

    Parameters
    ----------
    values : iterable of int, Fraction or str
        One positive weight per page in the order of page ids; text as ``"3/4"`` or ``"0.75"``.

    Raises
    ------
    ModelError
        No weights; a weight that is not positive, or a float (whose decimal text is not its value); or
        numbers too large to be scaled exactly.

    Examples
    --------
    >>> weights = exact_weights(["0.5", 2, "1/3"])
    >>> weights.scaled.tolist(), weights.scale
    ([3, 12, 2], 6)
    """
    exact = [_exact(value, page) for page, value in enumerate(values)]
    if not exact:
        raise ModelError("there are no weights: one per page is needed")
    scale = math.lcm(*(value.denominator for value in exact))
    most = max(exact) * scale
    if most >= LARGEST:
        raise ModelError(
            f"weights scaled to whole numbers (factor {str(scale)[:30]}) reach {str(most)[:30]}, "
            "which does not fit 62 bits"
        )
    return Weights(np.array([int(value * scale) for value in exact], dtype=np.int64), scale)


@checked
def read_weights(source: str | Path, pages: Sequence[int]) -> Weights:
    """Read weights as people write them: in a file, or per layer, page or tier in one line.

    Parameters
    ----------
    source : str or Path
        ``layer:1,4`` (one weight per layer), ``page:1,1/2,0.3`` (one per page), ``tier:6*1,2*4`` (in every
        layer the first 6 pages cost 1 and the next 2 cost 4), or the name of a JSON file. A file holds a list
        with one number (or ``"p/q"``) per page, one list per layer, or an object
        ``{"tiers": {"memory": 1, "disk": 8}, "pages": ["memory", "disk", …]}`` that names a tier per page.
    pages : sequence of int
        Pages of every layer.

    Raises
    ------
    ModelError
        The text or the file cannot be read, weights are missing or too many, or :func:`exact_weights`
        refuses them.

    Notes
    -----
    Decimal numbers are taken as the decimals written: ``0.1`` is one tenth.

    Examples
    --------
    >>> read_weights("layer:1,4", (2, 1)).plain, read_weights("tier:1*0.5,2*3", (3,)).plain
    ([1, 1, 4], ['1/2', 3, 3])
    """
    kind, colon, rest = str(source).partition(":")
    if colon and kind in _SPELLED:
        where = f"weights {str(source)[:60]}"
        parts = [part.strip() for part in rest.split(",")]
    else:
        kind, where, parts = "file", f"weights {source}", []
    try:
        values = _from_file(source, pages) if kind == "file" else _SPELLED[kind](parts, tuple(pages))
        _refuse_other_number(values, sum(pages), "pages")
        return exact_weights(values)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error


def _refuse_other_number(values: Sequence[object], wanted: int, what: str) -> None:
    if len(values) != wanted:
        raise ModelError(f"{len(values)} weights are given for {wanted} {what}")


def _per_layer(parts: list[str], pages: Sequence[int]) -> list[object]:
    _refuse_other_number(parts, len(pages), "layers")
    return [part for part, count in zip(parts, pages, strict=True) for _ in range(count)]


def _per_page(parts: list[str], _pages: Sequence[int]) -> list[object]:
    return list(parts)


def _per_tier(parts: list[str], pages: Sequence[int]) -> list[object]:
    layer: list[object] = []
    for part in parts:
        count, star, weight = part.partition("*")
        if not star or not (count.isascii() and count.isdigit()):
            raise ModelError(f"{part!r} is not of the form N*W, such as 6*1")
        if int(count) > max(pages):
            raise ModelError(f"the tier {part!r} has more pages than a layer, which has {max(pages)}")
        layer += [weight.strip()] * int(count)
    for number, size in enumerate(pages):
        if len(layer) != size:
            raise ModelError(f"the tiers have {len(layer)} pages, but layer {number} has {size}")
    return layer * len(pages)


_SPELLED = {"layer": _per_layer, "page": _per_page, "tier": _per_tier}


def _from_file(source: str | Path, pages: Sequence[int]) -> list[object]:
    try:
        text = regular_file(source).read_text(encoding="utf-8")
        # Nothing passes through binary floating point: the decimal text itself is the number.
        values = json.loads(text, parse_float=str, parse_constant=str, object_pairs_hook=without_repeats)
    except OSError as error:
        raise ModelError(f"{error.strerror or error}; weights are {SPELLINGS}") from error
    except UnicodeDecodeError:
        raise ModelError("no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ModelError(f"not JSON at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise ModelError("lists are nested too deeply") from None
    except ValueError as error:  # a key twice, or more digits than Python reads
        raise ModelError(str(error).partition("; use sys.")[0]) from error
    tiers = None
    if isinstance(values, dict):
        if set(values) != {"tiers", "pages"} or not isinstance(values["tiers"], dict):
            raise ModelError('an object has the fields "tiers" (name: weight) and "pages" (a tier each)')
        tiers, values = values["tiers"], values["pages"]
    if not isinstance(values, list):
        raise ModelError(f"expected a list with one number per page; weights are {SPELLINGS}")
    if values and all(isinstance(layer, list) for layer in values):
        lengths = tuple(map(len, values))
        if lengths != tuple(pages):
            raise ModelError(f"lists of {lengths} for layers of {tuple(pages)}")
        values = [value for layer in values for value in layer]
    if tiers is None:
        return values
    unknown = next((name for name in values if not isinstance(name, str) or name not in tiers), None)
    if unknown is not None:
        raise ModelError(f"{unknown!r} is none of the tiers {', '.join(tiers)}")
    return [tiers[name] for name in values]


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
        exact = read_fraction(value) if isinstance(value, str) else Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ModelError(
            f"weight of page {page}: {str(value)[:30]!r} is not a number such as 2, 0.75 or 3/4"
        ) from None
    if exact <= 0:
        raise ModelError(f"weight of page {page}: {exact} is not positive")
    return exact
