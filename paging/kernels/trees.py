"""Ordered sets of small numbers: 64-ary trees of bits, searched from above and from below in O(log₆₄)."""

from __future__ import annotations

import numpy as np

from paging.kernels.bits import Words, bit, bits_below, bits_up_to, highest_bit, lowest_bit
from paging.kernels.jit import compiled, merged


@compiled
def empty_tree(numbers: int) -> tuple[Words, Words]:
    """Return a 64-ary tree over the numbers 0 … ``numbers`` − 1 as (words, first word of every level).

    Level 0 is a bitmap of the numbers; a bit of a level above says that its word below is not 0.
    """
    sizes = [numbers // 64 + 1]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 64 + 1)
    first = np.zeros(len(sizes), dtype=np.int64)
    for level in range(1, len(sizes)):
        first[level] = first[level - 1] + sizes[level - 1]
    return np.zeros(sum(sizes), dtype=np.int64), first


@merged
def insert(words: Words, first: Words, number: int) -> None:
    """Add a number to the tree."""
    for level in range(len(first)):
        word = first[level] + (number >> 6)
        known = words[word] != 0
        words[word] |= bit(number & 63)
        if known:
            return
        number >>= 6


@merged
def remove(words: Words, first: Words, number: int) -> None:
    """Take a number out of the tree."""
    for level in range(len(first)):
        word = first[level] + (number >> 6)
        words[word] &= ~bit(number & 63)
        if words[word] != 0:
            return
        number >>= 6


@compiled
def remove_last(words: Words, first: Words, number: int) -> int:
    """Remove the last number of the tree, given as ``number``, and return the one before it, or −1."""
    remove(words, first, number)
    return last_to(words, first, number)


@merged
def last_to(words: Words, first: Words, number: int) -> int:
    """Return the last number of the tree up to ``number``, or −1."""
    for level in range(len(first)):
        bits = words[first[level] + (number >> 6)] & bits_up_to(number & 63)
        if bits != 0:
            found = (number >> 6 << 6) + highest_bit(bits)
            while level > 0:
                level -= 1
                found = (found << 6) + highest_bit(words[first[level] + found])
            return int(found)
        # The word itself is done with; at the level above only those before it are of interest.
        number = (number >> 6) - 1
        if number < 0:
            return -1
    return -1


@merged
def first_from(words: Words, first: Words, number: int) -> int:
    """Return the first number of the tree from ``number`` on, or −1."""
    for level in range(len(first)):
        after = first[level + 1] if level + 1 < len(first) else len(words)
        word = first[level] + (number >> 6)
        if word >= after:
            return -1
        bits = words[word] & ~bits_below(number & 63)
        if bits != 0:
            found = (number >> 6 << 6) + lowest_bit(bits)
            while level > 0:
                level -= 1
                found = (found << 6) + lowest_bit(words[first[level] + found])
            return int(found)
        number = (number >> 6) + 1
    return -1
