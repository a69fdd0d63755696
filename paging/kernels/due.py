"""Which of many pages has the largest quotient age/uses, while time goes on.

Pages of as many uses are a class, a list in the order of their last requests: its oldest page is the one to
look at. It reaches the quotient c at the time last + c·uses, whatever the others do. So classes below a
threshold c wait in a ring of times, a list for each; those that came due are *near*, and the largest quotient
is looked for among these alone. A class whose oldest page left it reaches c later than was noted: it is put
right when it comes due, or when it would win. To raise the threshold costs nothing, as all that wait come too
early then; where it has to fall, because nobody is near, all classes are looked at.

c has at most 20 bits, so that its product with a count is exact.
"""

from __future__ import annotations

from math import ceil, floor, frexp, inf, ldexp

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import signed, unsigned
from paging.kernels.jit import compiled, inlined
from paging.model import PageArray

Table = NDArray[np.int32]

LAST, USES, AFTER, BEFORE = 0, 1, 2, 3
"""Columns of a page: time of its last request; how often it was requested; 1 + the page after and before it
in its class, or 0."""

OLDEST, NEWEST, BESIDE, STATE = 0, 1, 2, 3
"""Columns of a class, which is a number of uses: 1 + its first and last page, or 0; the class that waits
for the same time, or 0; its state."""

UNKNOWN, KNOWN, PLAYS = 0, 1, 2
"""States: not listed; listed; listed, and near or waiting. The first two are empty."""

NEAR = 16
"""How many classes a new threshold lets be near."""

FAR = 2.0**32
"""Further away than any time."""


@compiled
def most_uses(requests: PageArray, pages_total: int) -> int:
    """Return how often the page is requested that is requested most often."""
    uses = np.zeros(pages_total, dtype=np.int32)
    most = 0
    for t in range(len(requests)):
        page = unsigned(requests[t])
        uses[page] += 1
        most = max(most, uses[page])
    return most


@compiled
def empty_ring(slots: int, per_visit: int) -> PageArray:
    """Return a ring where nobody waits, long enough for a visit, and for most ages among so many pages."""
    length = 1024
    while length < 4 * max(slots, per_visit):
        length *= 2
    return np.zeros(length, dtype=np.int32)


@compiled
def leave(pages: Table, classes: Table, page: int) -> None:
    """Take a page out of its class."""
    uses, after, before = pages[page, USES], pages[page, AFTER], pages[page, BEFORE]
    if after > 0:
        pages[after - 1, BEFORE] = before
    else:
        classes[uses, NEWEST] = before
    if before > 0:
        pages[before - 1, AFTER] = after
    else:
        classes[uses, OLDEST] = after


@inlined
def use(pages: Table, classes: Table, page: int, time: int) -> int:
    """Put a page that is in no class into the next one, as its newest page; return the class."""
    uses = pages[page, USES] + 1
    newest = classes[uses, NEWEST]
    pages[page, LAST], pages[page, USES], pages[page, AFTER], pages[page, BEFORE] = time, uses, 0, newest
    classes[uses, NEWEST] = page + 1
    if newest > 0:
        pages[newest - 1, AFTER] = page + 1
    else:
        classes[uses, OLDEST] = page + 1
    return int(uses)


@inlined
def wait(ring: PageArray, classes: Table, uses: int, last: int, threshold: float, earliest: int) -> None:
    """Let a class wait until it reaches the threshold, or for as long as the ring can tell.

    ``last`` is the time of its oldest page's last request. It waits until ``earliest`` at least, a time that
    is not over.
    """
    due = last + signed(ceil(min(threshold * uses, FAR)))
    place = signed(min(max(due, earliest), earliest + len(ring) - 2)) & (len(ring) - 1)
    classes[uses, BESIDE] = ring[place]
    ring[place] = uses


@compiled
def come(
    uses: int,
    near: Table,
    count: int,
    ring: PageArray,
    pages: Table,
    classes: Table,
    threshold: float,
    begun: int,
    per_visit: int,
    now: int,
) -> int:
    """Let a class be near where its oldest page was not requested since ``begun`` and is above the threshold.

    Otherwise it waits; an empty one plays no more. Return how many are near: so many rows of ``near``, each
    with the last request of the oldest page when the class came, and its uses.
    """
    oldest = classes[uses, OLDEST]
    if oldest == 0:
        classes[uses, STATE] = KNOWN
        return count
    last = signed(pages[oldest - 1, LAST])
    if last < begun and now - last >= threshold * uses:
        near[count, LAST], near[count, USES] = last, uses
        return count + 1
    earliest = begun + per_visit if last >= begun else now + 1
    wait(ring, classes, uses, last, threshold, max(earliest, now + 1))
    return count


@compiled
def threshold_of(
    listed: PageArray, pages: Table, classes: Table, now: int, begun: int, quotients: NDArray[np.float64]
) -> float:
    """Return a quotient that ``NEAR`` of the classes listed reach, or all where they are fewer.

    Pages requested since ``begun`` do not count; it is infinite where there are no others. ``quotients`` is
    room.
    """
    found = 0
    for uses in listed:
        oldest = classes[uses, OLDEST]
        if oldest > 0 and pages[oldest - 1, LAST] < begun:
            quotients[found] = (now - pages[oldest - 1, LAST]) / uses
            found += 1
    if found == 0:
        return inf
    least = quotients[:found].min()
    if found > NEAR:
        least = np.partition(quotients[:found], found - NEAR)[found - NEAR]
    fraction, exponent = frexp(least)
    return float(ldexp(floor(fraction * 2.0**20) / 2.0**20, exponent))


@compiled
def largest(near: Table, count: int, now: int) -> int:
    """Return the row of the largest quotient; of equals the one of the longest age."""
    best = 0
    last, uses = signed(near[0, LAST]), signed(near[0, USES])
    for i in range(1, count):
        other_last, other_uses = signed(near[i, LAST]), signed(near[i, USES])
        ahead = (now - other_last) * uses - (now - last) * other_uses
        if ahead > 0 or (ahead == 0 and other_last < last):
            best, last, uses = i, other_last, other_uses
    return best
