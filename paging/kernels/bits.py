"""Sets of times as bitmaps: 64-bit words and the machine instructions that search them.

Words are int64 throughout: numba turns a mix of int64 and uint64 into a float. Bit 63 is then the sign,
which shifts, masks and counts of zeros do not mind. Only indices are made unsigned in hot loops: numba then
leaves out the test for a negative index.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from paging.kernels.jit import compiled

Words = NDArray[np.int64]


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


@compiled
def highest_bit(word: int) -> int:
    """Return the number of the highest set bit, 0 … 63; undefined for 0."""
    return 63 - int(_leading_zeros(word))


@compiled
def lowest_bit(word: int) -> int:
    """Return the number of the lowest set bit, 0 … 63; undefined for 0."""
    return int(_trailing_zeros(word))


@compiled
def bits_up_to(bit: int) -> int:
    """Return the word whose bits 0 … ``bit`` are set, for ``bit`` in 0 … 63."""
    return (2 << bit) - 1


@compiled
def empty_set(times: int) -> Words:
    """Return a bitmap of the times 0 … ``times`` − 1, none of them in the set."""
    return np.zeros((times + 63) // 64, dtype=np.int64)


@compiled
def flip(words: Words, time: int) -> None:
    """Put a time into the set, or take it out."""
    words[np.uint64(time >> 6)] ^= 1 << (time & 63)


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
