"""A kinetic tournament: which of many slots has the largest quotient age/uses, while time goes on.

Ages grow alike and uses do not, so that a slot with fewer uses overtakes. Every node of a binary tree knows
the winner of the slots below it, and until when that is so; as time goes on only what has run out is played
again. A slot's quotient may fall without being told: what stands here is then too large, and is put right
when the slot wins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled

Numbers = NDArray[np.int64]

NOBODY = -1

EVER = 1 << 62

USES, LAST = 0, 1
"""Columns of a slot: at least 1; the time from which its age is counted."""


@compiled
def empty_tournament(slots: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return winners and times of the nodes, nobody playing, and room for :func:`mend`.

    The root is node 1, the slots are the last nodes.
    """
    leaves = 1
    while leaves < slots:
        leaves *= 2
    winner = np.full(2 * leaves, NOBODY, dtype=np.int64)
    return winner, np.full(2 * leaves, EVER, dtype=np.int64), np.empty(leaves, dtype=np.int64)


@compiled
def _play(winner: Numbers, until: Numbers, known: Numbers, node: int, now: int) -> None:
    """Let the winners of the two halves of a node play at a time."""
    a, b = winner[2 * node], winner[2 * node + 1]
    end = min(until[2 * node], until[2 * node + 1])
    if a >= 0 and b >= 0:
        uses, last = known[a, USES], known[a, LAST]
        other_uses, other_last = known[b, USES], known[b, LAST]
        ahead = (now - last) * other_uses - (now - other_last) * uses
        if ahead < 0 or (ahead == 0 and other_last < last):
            a, uses, last, other_uses, other_last = b, other_uses, other_last, uses, last
        if uses > other_uses:
            # The other one, with fewer uses, draws level.
            level = (uses * other_last - other_uses * last) // (uses - other_uses)
            end = min(end, max(level, now + 1))
    elif a < 0:
        a = b
    winner[node] = a
    until[node] = end


@compiled
def mend(winner: Numbers, until: Numbers, known: Numbers, again: Numbers, now: int) -> None:
    """Play again what has run out; afterwards everything holds now. ``again`` is room for all games."""
    if until[1] > now:
        return
    again[0] = 1
    found, done = 1, 0
    while done < found:
        node = again[done]
        done += 1
        for below in (2 * node, 2 * node + 1):
            if until[below] <= now:
                again[found] = below
                found += 1
    for i in range(found - 1, -1, -1):
        _play(winner, until, known, again[i], now)


@compiled
def replay(winner: Numbers, until: Numbers, known: Numbers, slot: int, plays: bool, now: int) -> None:
    """Let a slot whose numbers changed play from now on, or no more, where all that is known holds now."""
    node = len(winner) // 2 + slot
    winner[node] = slot if plays else NOBODY
    while node > 1:
        node //= 2
        _play(winner, until, known, node, now)
