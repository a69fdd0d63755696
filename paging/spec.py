"""The one mini-language of the command line: ``name:key=value,key=value``, lists with ``/``."""

from __future__ import annotations

from collections.abc import Sequence

from paging.errors import ModelError
from paging.numbers import in_digits

Value = int | float | str | tuple[int | float | str, ...]


def parse_spec(text: str, keys: Sequence[str] = ()) -> tuple[str, dict[str, Value]]:
    """Split ``name:key=value,…`` into the name and its parameters.

    Numbers become int or float, numbers ``1/2/3`` become a tuple, anything else stays text. ``keys`` are
    those of values that stand without one, in their order.

    Raises
    ------
    ModelError
        A parameter is not of the form key=value, or a key comes twice.

    Examples
    --------
    >>> parse_spec("zipf:alpha=1.2,rounds=1000")
    ('zipf', {'alpha': 1.2, 'rounds': 1000})
    >>> parse_spec("partitioned:policy=fifo,shares=3/2")
    ('partitioned', {'policy': 'fifo', 'shares': (3, 2)})
    >>> parse_spec("cheaper:fifo,lru", ("a", "b"))
    ('cheaper', {'a': 'fifo', 'b': 'lru'})
    """
    name, _, rest = text.strip().partition(":")
    parameters: dict[str, Value] = {}
    for number, item in enumerate(filter(None, rest.split(","))):
        if "=" not in item and number < len(keys):
            item = f"{keys[number]}={item}"
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise ModelError(f"{text!r}: expected key=value after the colon, got {item!r}")
        if key in parameters:
            raise ModelError(f"{text!r}: parameter {key} comes twice")
        parameters[key] = _value(value)
    return name, parameters


MAX_SIZES = 10_000
"""Most numbers one list may name, so that a typing error does not fill the memory."""


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read whole numbers: single ones and ranges FROM:TO:STEP with both ends, each once.

    Raises
    ------
    ModelError
        Says what is no number or an empty range.

    Examples
    --------
    >>> parse_sizes("8,64:256:64")
    (8, 64, 128, 192, 256)
    """
    sizes: list[int] = []
    for number, part in enumerate(text.split(","), start=1):
        try:
            sizes += _range(part)
        except ValueError as problem:
            if isinstance(problem, ModelError):
                raise
            wrong = f"{part!r} is" if part.strip() else f"part {number} of the list {text[:60]!r} is empty,"
            raise ModelError(f"{wrong} neither a whole number nor a range FROM:TO or FROM:TO:STEP") from None
    if len(sizes) > MAX_SIZES:
        raise ModelError(f"{text!r} names more than {MAX_SIZES:,} numbers")
    return tuple(dict.fromkeys(sizes))


def _range(part: str) -> range:
    first, *rest = (int(in_digits(number)) for number in part.split(":"))
    if not rest:
        return range(first, first + 1)
    last, step = (*rest, 1) if len(rest) == 1 else rest
    if step < 1:
        raise ModelError(f"the range {part!r} has the step {step}, which must be at least 1")
    if last < first:
        raise ModelError(f"the range {part!r} is empty: {last} is less than {first}")
    # One more than allowed is enough to be refused.
    return range(first, last + 1, step)[: MAX_SIZES + 1]


def parse_slice(text: object) -> slice:
    """Read a part of a list, as Python slices it.

    Raises
    ------
    ModelError
        It is not of the form FROM:TO, each a whole number or left out.

    Examples
    --------
    >>> parse_slice("100:"), parse_slice("2:5")
    (slice(100, None, None), slice(2, 5, None))
    """
    first, colon, end = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not colon or any(part and not (part.isascii() and part.isdigit()) for part in (first, end)):
        raise ModelError(f"{text!r} is no range of tokens such as 100:200, 100: or :200")
    return slice(int(first) if first else None, int(end) if end else None)


def value_text(value: object) -> str:
    """Write the value of a parameter as :func:`parse_spec` reads it.

    Examples
    --------
    >>> value_text((3, 2)), value_text(0.5), value_text("fifo")
    ('3/2', '0.5', 'fifo')
    """
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _value(text: str) -> Value:
    parts = tuple(_scalar(part) for part in text.split("/"))
    if len(parts) > 1 and not any(isinstance(part, str) for part in parts):
        return parts
    return _scalar(text)


def _scalar(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(in_digits(text))
        except ValueError:
            continue
    return text
