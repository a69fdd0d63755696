"""Reading a certificate strictly: what is not exactly of the form is refused. Nothing here judges a claim."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import math
import re
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

MAX_BYTES, MAX_LENGTH, MAX_SCALE = 2**31, 2**28, 2**256
"""Limits: file size once unpacked, array length, common denominator."""

ITEM = {"int8": "b", "int16": "h", "int32": "i", "int64": "q"}
NAME = re.compile(r"[!-~]{1,200}")
RATIONAL = re.compile(r"-?(0|[1-9][0-9]*)/[1-9][0-9]*")

Json = Any
Integers = Sequence[int]


class Refuted(Exception):  # noqa: N818
    """The evidence does not prove the claim."""


class Incomplete(Exception):  # noqa: N818
    """The document cannot be judged."""


def load(path: str) -> Json:
    """Read a file as strict JSON: no floats, no field twice."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(2)
            file.seek(0)
            if head == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    content = unpacked.read(MAX_BYTES + 1)
            else:
                content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Incomplete(f"the file unpacks to more than {MAX_BYTES} bytes")
        return json.loads(
            content.decode("utf-8"),
            parse_float=no_float,
            parse_constant=no_float,
            object_pairs_hook=no_field_twice,
        )
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Incomplete(f"the file cannot be read: {error}") from error


def no_float(text: str) -> NoReturn:
    """Refuse a number that is not whole."""
    raise Incomplete(f'{text[:30]} is a float; numbers are whole, or text such as "3/4"')


def no_field_twice(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Build an object, or refuse one that names a field twice."""
    built = dict(pairs)
    if len(built) != len(pairs):
        raise Incomplete(f"an object names a field twice: {[name for name, _ in pairs][:9]}")
    return built


def members(value: Json, where: str, needed: Iterable[str], allowed: Iterable[str] = ()) -> dict[str, Json]:
    """Return an object that has the needed fields, perhaps the allowed ones, and no others."""
    if not isinstance(value, dict):
        raise Incomplete(f"{where} is not an object")
    missing = [name for name in needed if name not in value]
    unknown = [name for name in value if name not in needed and name not in allowed]
    if missing or unknown:
        problem = f"lacks {missing}" if missing else f"has unknown fields {unknown[:9]}"
        raise Incomplete(f"{where} {problem}")
    return value


def whole(value: Json, where: str, low: int, high: int | None = None) -> int:
    """Return an int in low … high."""
    if type(value) is not int or value < low or (high is not None and value > high):
        allowed = f"≥ {low}" if high is None else f"in {low} … {high}"
        raise Incomplete(f"{where} must be a whole number {allowed}")
    return value


def choice(value: Json, where: str, *allowed: str) -> str:
    """Return one of the allowed words."""
    if value not in allowed:
        raise Incomplete(f"{where} must be one of {', '.join(allowed)}")
    return str(value)


def items(value: Json, where: str) -> list[Json]:
    """Return a list."""
    if not isinstance(value, list):
        raise Incomplete(f"{where} is not a list")
    return value


def rational(value: Json, where: str) -> Fraction:
    """Return a whole number or text "p/q" as a Fraction."""
    if type(value) is int:
        return Fraction(value)
    if not isinstance(value, str) or len(value) > 200 or not RATIONAL.fullmatch(value):
        raise Incomplete(f'{where} must hold whole numbers or text such as "3/4"')
    return Fraction(value)


def rationals(value: Json, where: str) -> list[Fraction]:
    """Return a list of rationals, given as such or as an array of integers."""
    if isinstance(value, list):
        return [rational(item, where) for item in value]
    return [Fraction(item) for item in integers(value, where)]


def common_denominator(values: Iterable[Fraction]) -> int:
    """Return the least common denominator, within the limit."""
    scale = 1
    for denominator in {value.denominator for value in values}:
        scale = math.lcm(scale, denominator)
        if scale > MAX_SCALE:
            raise Incomplete("the common denominator is beyond this checker's limit")
    return scale


def integers(value: Json, where: str) -> Integers:
    """Return an array of integers: a JSON list, or an object {"type", "length", "zlib"} that packs one."""
    if isinstance(value, list):
        if not all(type(item) is int and abs(item) < 2**63 for item in value):
            raise Incomplete(f"{where} must hold whole numbers of at most 64 bits")
        return array("q", value)
    fields = members(value, where, ("type", "length", "zlib"))
    numbers = array(ITEM[choice(fields["type"], f"{where}.type", *ITEM)])
    size = whole(fields["length"], f"{where}.length", 0, MAX_LENGTH) * numbers.itemsize
    if not isinstance(fields["zlib"], str):
        raise Incomplete(f"{where}.zlib is not text")
    try:
        unpacker = zlib.decompressobj()
        # One byte more than promised is asked for, so that a longer stream is noticed and not unpacked.
        content = unpacker.decompress(base64.b64decode(fields["zlib"], validate=True), size + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise Incomplete(f"{where}: {error}") from error
    if len(content) != size or not unpacker.eof or unpacker.unused_data:
        raise Incomplete(f"{where} does not unpack to {fields['length']} numbers")
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
