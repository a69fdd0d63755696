"""Reading a certificate strictly: what is not exactly of the form is refused. Nothing here judges a claim."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import math
import os
import re
import stat
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

STEPS, STEPS_PER_BYTE = 2 * 10**6, 100
"""Limit on work: so many steps, and so many more per byte of the file; a step is a number looked at."""

ROOM, ROOM_PER_BYTE = 2**26, 256
"""Limit on memory, in bytes: so many, and so many more per byte of the file."""

MAX_BYTES, MAX_DIGITS, MAX_SCALE, MAX_BITS = 2**30, 1000, 2**256, 8192
"""Limits: size of the file, digits of a number, common denominator of a dual, bits of a sum of fractions."""

LINES, MAX_LINE = ".jsonl", 2**23
"""The ending of a file in lines, and the bytes of a line at most, of which only one is in memory."""

TEXT, VALUE, OBJECT = 2, 100, 300
"""Room for a byte of text, for a value in it, and for an object, once read; generously."""

LONG = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
ITEM = {"int8": "b", "int16": "h", "int32": "i", "int64": "q"}
NAME = re.compile(r"[!-~]{1,200}")
RATIONAL = re.compile(r"-?(0|[1-9][0-9]*)/[1-9][0-9]*")

Json = Any
Integers = Sequence[int]


class Refuted(Exception):  # noqa: N818
    """The evidence does not prove the claim."""


class Incomplete(Exception):  # noqa: N818
    """The document cannot be judged."""


class Budget:
    """What judging a file may cost: work and memory, linear in the size of the file.

    Whoever is about to spend them says so first, so that no file, however small, costs more.
    """

    def __init__(self, size: int, factor: int = 1) -> None:
        self.factor, self.steps, self.room = factor, 0, 0
        self.most = {"work": STEPS + STEPS_PER_BYTE * size, "memory": ROOM + ROOM_PER_BYTE * size}

    def spend(self, what: str, steps: int = 0, room: int = 0) -> None:
        """Take steps and bytes, or refuse to go on."""
        self.steps += steps
        self.room += room
        for kind, spent in (("work", self.steps), ("memory", self.room)):
            if spent > self.factor * self.most[kind]:
                needed = -(-spent // self.most[kind])
                raise Incomplete(
                    f"{what}: more {kind} than this checker's limit for a file of this size; "
                    f"it needs --limit {needed} or more"
                )

    def left(self) -> int:
        """Return how many bytes may still be taken."""
        return self.factor * self.most["memory"] - self.room


BUDGET: ContextVar[Budget | None] = ContextVar("BUDGET", default=None)
"""Of the certificate that is being judged."""


def spend(what: str, steps: int = 0, room: int = 0) -> None:
    """Take steps and bytes off the budget of the certificate that is being judged."""
    budget = BUDGET.get()
    if budget is not None:
        budget.spend(what, steps, room)


@contextmanager
def within(budget: Budget | None) -> Iterator[None]:
    """Judge within a budget."""
    token = BUDGET.set(budget)
    try:
        yield
    finally:
        BUDGET.reset(token)


def load(path: str, limit: int = 1) -> tuple[Json, Budget]:
    """Read a file ("-": standard input) as strict JSON, no floats, no field twice. Return its budget, too.

    Of a file in lines (``.jsonl``) the first one is read; the others are its evidence, and come as they are
    asked for.
    """
    with refused():
        if path.endswith(LINES):
            return first_line(path, limit)
        packed = contents(path, limit * MAX_BYTES)
        budget = Budget(len(packed), limit)
        content = packed
        if packed[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(packed)) as unpacked:
                content = all_of(unpacked, budget.left() // TEXT)
        return parsed(content, budget), budget


@contextmanager
def refused() -> Iterator[None]:
    """Refuse what cannot be read, in the words of the system alone: whoever calls names the file."""
    try:
        yield
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError, RecursionError) as error:
        said = getattr(error, "strerror", None) or error
        raise Incomplete(f"the file cannot be read: {said}") from error


def parsed(content: bytes, budget: Budget) -> Json:
    """Return what JSON text holds."""
    budget.spend("the file's text", len(content) // 8, TEXT * len(content) * (1 if content.isascii() else 3))
    values, objects = sum(map(content.count, (b",", b"[", b"{"))), content.count(b"{")
    budget.spend("the file's values", values, VALUE * values + OBJECT * objects)
    if LONG.search(content):
        raise Incomplete(f"a number has more than {MAX_DIGITS} digits, this checker's limit")
    return json.loads(
        content.decode("utf-8"),
        parse_float=no_float,
        parse_constant=no_float,
        object_pairs_hook=no_field_twice,
    )


def first_line(path: str, limit: int) -> tuple[Json, Budget]:
    """Read the first line of a file in lines; its evidence are the others."""
    file = regular(path).open("rb")
    budget = Budget(os.fstat(file.fileno()).st_size, limit)
    budget.most["memory"] = ROOM + ROOM_PER_BYTE * MAX_LINE
    lines = Lines(file, budget)
    document = next(iter(lines), None)
    if not isinstance(document, dict) or document.get("evidence") != []:
        raise Incomplete("the first line must be a certificate with [] as evidence; the others are it")
    document["evidence"] = lines
    return document, budget


class Lines:
    """Evidence that stands on lines of its own, one after the other in memory."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self.file, self.budget = file, budget

    def __iter__(self) -> Iterator[Json]:
        room, most = self.budget.room, self.budget.factor * MAX_LINE
        with refused():
            while line := self.file.readline(most + 1):
                if len(line) > most:
                    raise Incomplete(f"a line has more than {most} bytes; --limit raises this limit")
                self.budget.room = room  # the line before is done with
                yield parsed(line, self.budget)


def contents(path: str, most: int) -> bytes:
    """Return the bytes of a file or of standard input; a pipe or device is not opened: it may never end."""
    if path == "-":
        content = all_of(sys.stdin.buffer, most)
    else:
        with regular(path).open("rb") as file:
            content = all_of(file, most)
    if len(content) > most:
        raise Incomplete(f"the file has more than {most} bytes, this checker's limit; --limit raises it")
    return content


def regular(path: str) -> Path:
    """Return the path of a file that ends."""
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode) and not os.path.samestat(found, os.fstat(0)):
        raise OSError(f"{path} is neither a regular file nor standard input")
    return Path(path)


def all_of(file: BinaryIO | gzip.GzipFile, most: int) -> bytes:
    """Return what a file holds, cut off soon after ``most`` bytes; room is made as the bytes come."""
    content = bytearray()
    while len(content) <= most and (block := file.read(2**20)):
        content += block
    return bytes(content)


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


def rationals(value: Json, where: str) -> Sequence[Fraction | int]:
    """Return a list of rationals, given as such or as an array of integers."""
    if isinstance(value, list):
        spend(where, 4 * len(value), 2 * VALUE * len(value))
        return [rational(item, where) for item in value]
    return integers(value, where)


def bounded(value: Fraction) -> Fraction:
    """Return a sum of fractions, or refuse one whose denominator has grown beyond the limit."""
    if value.denominator.bit_length() > MAX_BITS:
        raise Incomplete(f"a sum has a denominator of more than {MAX_BITS} bits, this checker's limit")
    return value


def common_denominator(values: Iterable[Fraction | int]) -> int:
    """Return the least common denominator, within the limit."""
    scale = 1
    for denominator in {value.denominator for value in values}:
        scale = math.lcm(scale, denominator)
        if scale > MAX_SCALE:
            raise Incomplete(f"the common denominator is beyond this checker's limit of {MAX_SCALE:.0e}")
    return scale


def integers(value: Json, where: str) -> array[int]:
    """Return an array of integers: a JSON list, or an object {"type", "length", "zlib"} that packs one."""
    if isinstance(value, list):
        spend(where, len(value), 8 * len(value))
        if not all(type(item) is int and abs(item) < 2**63 for item in value):
            raise Incomplete(f"{where} must hold whole numbers of at most 64 bits")
        return array("q", value)
    fields = members(value, where, ("type", "length", "zlib"))
    numbers = array(ITEM[choice(fields["type"], f"{where}.type", *ITEM)])
    length = whole(fields["length"], f"{where}.length", 0)
    spend(where, length, 2 * numbers.itemsize * length)
    size = length * numbers.itemsize
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


def as_int32(numbers: array[int]) -> bytes:
    """Return page ids as 32-bit integers, little-endian."""
    whole_words = array("i", numbers)
    if sys.byteorder == "big":
        whole_words.byteswap()
    return whole_words.tobytes()
