"""Sets of times as bitmaps: 64-bit words and the machine instructions that search them.

Words are int64 throughout: numba turns a mix of int64 and uint64 into a float. Bit 63 is then the sign,
which shifts, masks and counts of zeros do not mind. Only indices are made unsigned in hot loops: numba then
leaves out the test for a negative index. Constants are typed, so that without numba, where numbers of Python
have no sign bit, the words come out the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from paging.kernels.jit import compiled

Words = NDArray[np.int64]

unsigned = cast(Callable[[Any], int], np.uint32)
"""A number known not to be negative, an index of which no sign is asked; of a word, its lower half."""

signed = cast(Callable[[Any], int], np.int64)
"""A number of 64 bits."""

WORD = 2**64 - 1
"""All bits of a word."""


@intrinsic  # type: ignore[untyped-decorator]
def _leading_zeros(typingctx: Any, word: Any) -> Any:
    """Count the leading zeros of an int64 that is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Count the trailing zeros of an int64 that is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _population(typingctx: Any, word: Any) -> Any:
    """Count the set bits of an int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.int64), codegen


def highest_bit(word: int) -> int:
    """Return the number of the highest set bit, 0 … 63; undefined for 0."""
    return (int(word) & WORD).bit_length() - 1


def lowest_bit(word: int) -> int:
    """Return the number of the lowest set bit, 0 … 63; undefined for 0."""
    return (int(word) & -int(word)).bit_length() - 1


def bits_set(word: int) -> int:
    """Return how many bits are set."""
    return (int(word) & WORD).bit_count()


@overload(highest_bit, strict=False)  # type: ignore[untyped-decorator]
def _highest_bit(word: Any) -> Any:
    return lambda word: 63 - _leading_zeros(word)


@overload(lowest_bit, strict=False)  # type: ignore[untyped-decorator]
def _lowest_bit(word: Any) -> Any:
    return lambda word: _trailing_zeros(word)


@overload(bits_set, strict=False)  # type: ignore[untyped-decorator]
def _bits_set(word: Any) -> Any:
    return lambda word: _population(word)


@compiled
def bit(number: int) -> np.int64:
    """Return the word whose one set bit has a number in 0 … 63."""
    return np.int64(1) << np.int64(number)


@compiled
def bits_up_to(number: int) -> np.int64:
    """Return the word whose bits 0 … ``number`` are set, for a number in 0 … 63."""
    return ~(np.int64(-2) << np.int64(number))


@compiled
def bits_below(number: int) -> np.int64:
    """Return the word whose bits 0 … ``number`` − 1 are set, for a number in 0 … 63."""
    return ~(np.int64(-1) << np.int64(number))


@compiled
def empty_set(times: int) -> Words:
    """Return a bitmap of the times 0 … ``times`` − 1, none of them in the set."""
    return np.zeros((times + 63) // 64, dtype=np.int64)


@compiled
def flip(words: Words, time: int) -> None:
    """Put a time into the set, or take it out."""
    words[np.uint64(time >> 6)] ^= bit(time & 63)


@compiled
def contains(words: Words, time: int) -> bool:
    """Say whether a time is in the set."""
    return bool((words[time >> 6] >> (time & 63)) & 1)


@compiled
def last_up_to(words: Words, time: int) -> int:
    """Return the last time of the set up to ``time``; there must be one."""
    word = time >> 6
    bits = words[word] & bits_up_to(time & 63)
    while bits == 0:
        word -= 1
        bits = words[word]
    return (word << 6) + highest_bit(bits)


@compiled
def count_between(words: Words, after: int, before: int) -> int:
    """Return how many times of the set lie between two times, themselves not counted."""
    first, last = (after + 1) >> 6, before >> 6
    low = ~bits_below((after + 1) & 63)
    high = bits_below(before & 63)
    if first == last:
        return bits_set(words[first] & low & high)
    if first > last:
        return 0
    count = bits_set(words[first] & low) + bits_set(words[last] & high)
    for word in range(first + 1, last):
        count += bits_set(words[word])
    return count
