"""The one mini-language of the command line: ``name:key=value,key=value``, lists with ``/``."""

from __future__ import annotations

from paging.errors import ModelError

Value = int | float | str | tuple[int | float | str, ...]


def parse_spec(text: str) -> tuple[str, dict[str, Value]]:
    """Split ``name:key=value,…`` into the name and its parameters.

    Numbers become int or float, numbers ``1/2/3`` become a tuple, anything else stays text.

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
    """
    name, _, rest = text.strip().partition(":")
    parameters: dict[str, Value] = {}
    for item in filter(None, rest.split(",")):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise ModelError(f"{text!r}: expected key=value after the colon, got {item!r}")
        if key in parameters:
            raise ModelError(f"{text!r}: parameter {key} comes twice")
        parameters[key] = _value(value)
    return name, parameters


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
            return kind(text)
        except ValueError:
            continue
    return text
