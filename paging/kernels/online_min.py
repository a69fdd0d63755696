"""Kernel of EQUITABLE: OnlineMIN for one ranking of the pages.

With the work function as steps in time (:mod:`paging.kernels.steps`), a cache is optimal if, up to the end of
every step, no more pages are cached than the heights up to there add up to. What is lacking is the step's
*slack*; where it is 0 the step is tight. Two facts make a fault cheap:

- Of the cached pages up to a time the lowest ranking one is wanted, and pages come at the end of time
  only. They form a Cartesian tree: a search tree by time, a heap by rank. A page enters and leaves in O(1)
  amortised where ranks are random, and the page wanted lies on the way from the root to the left. Nodes are
  named by rank.
- A request moves one unit of height and one cached page to the end. With the victim in one step and the page
  requested in another the slack changes by 1 in all steps from the earlier one to the one before the later.
  So slacks stand in groups: what is added to a whole group is noted beside it, and a group whose least is
  above 0 is passed over when the next tight step is looked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import signed, unsigned
from paging.kernels.jit import compiled, merged
from paging.kernels.steps import NONE, advance, step_up_to
from paging.model import FREE, HIT, PageArray

Table = NDArray[np.int32]
Numbers = NDArray[np.int64]

EARLIER, LATER, ABOVE, TIME = 0, 1, 2, 3
"""Columns of a node: its children in the tree, its parent, or −1; when it became the newest page."""

ABSENT = -2
"""Stands for the parent of a page that is not cached."""

GROUP, BITS = 64, 6
"""Places of a group, and bits of their numbers in it."""

NO_SLACK = 1 << 60
"""Slack of a place where no step is, more than any."""

ADDED, LEAST = 0, 1
"""Rows of what is known of a group: what its places lack; a bound that none of them is below."""


@compiled
def _add(slacks: Numbers, groups: Numbers, begin: int, end: int, change: int) -> None:
    """Add 1 or −1 to the slacks of the places from ``begin`` to before ``end``."""
    first, last = begin >> BITS, end >> BITS
    if first == last:
        slacks[begin:end] += change
        groups[LEAST, first] += min(change, 0)
        return
    slacks[begin : (first + 1) << BITS] += change
    groups[LEAST, first] += min(change, 0)
    groups[ADDED, first + 1 : last] += change
    slacks[last << BITS : end] += change
    groups[LEAST, last] += min(change, 0)


@merged
def _put(slacks: Numbers, groups: Numbers, place: int, slack: int) -> None:
    """Give a place a slack."""
    group = place >> BITS
    slacks[place] = slack - groups[ADDED, group]
    groups[LEAST, group] = min(groups[LEAST, group], slacks[place])


@compiled
def _first_tight(slacks: Numbers, groups: Numbers, place: int) -> int:
    """Return the first place from ``place`` on that is tight; there must be one."""
    group = place >> BITS
    while True:
        wanted = -groups[ADDED, group]
        if groups[LEAST, group] <= wanted:
            end = (group + 1) << BITS
            least = slacks[place:end].min()
            if least == wanted:
                while slacks[place] != wanted:
                    place += 1
                return place
            if place == group << BITS:
                groups[LEAST, group] = least
        group += 1
        place = group << BITS


@compiled
def _close_up(slacks: Numbers, groups: Numbers, step_at: PageArray, place_of: PageArray) -> int:
    """Put the steps in the first places, in their order; return how many there are."""
    count = 0
    for place in range(len(step_at)):
        step = step_at[place]
        if step != NONE:
            slacks[count] = slacks[place] + groups[ADDED, place >> BITS]
            step_at[count] = step
            place_of[step] = count
            count += 1
    step_at[count:] = NONE
    slacks[count:] = NO_SLACK
    groups[ADDED] = 0
    for group in range(groups.shape[1]):
        groups[LEAST, group] = slacks[group << BITS : (group + 1) << BITS].min()
    return count


@merged
def _leave(nodes: Table, page: int, root: int) -> int:
    """Take a page out of the tree; return the root."""
    earlier, later, above = nodes[page, EARLIER], nodes[page, LATER], nodes[page, ABOVE]
    nodes[page, ABOVE] = ABSENT
    side = LATER if above != NONE and nodes[above, LATER] == page else EARLIER
    while True:
        child = max(earlier, later)  # where there is none it is −1
        if above == NONE:
            root = child
        else:
            nodes[above, side] = child
        if child == NONE:
            return root
        nodes[child, ABOVE] = above
        if later == NONE or earlier == NONE:
            return root
        above = child
        if child == earlier:
            side = LATER
            earlier = nodes[child, LATER]
        else:
            side = EARLIER
            later = nodes[child, EARLIER]


@merged
def _before(nodes: Table, page: int) -> int:
    """Return the page before the last one in the tree, or −1."""
    before = nodes[page, EARLIER]
    if before == NONE:
        return int(nodes[page, ABOVE])
    while nodes[before, LATER] != NONE:
        before = nodes[before, LATER]
    return int(before)


@merged
def _come_last(nodes: Table, page: int, last: int, root: int) -> int:
    """Put a page at the end of the tree, where ``last`` is the last one; return the root."""
    above, below = last, NONE
    while above != NONE and above < page:
        below = above
        above = nodes[above, ABOVE]
    nodes[page, EARLIER], nodes[page, LATER], nodes[page, ABOVE] = below, NONE, above
    if below != NONE:
        nodes[below, ABOVE] = page
    if above == NONE:
        return page
    nodes[above, LATER] = page
    return root


@compiled
def online_min(
    requests: PageArray, pages_total: int, cache: int, entries: PageArray, ranks: PageArray
) -> int:
    """Serve a sequence with OnlineMIN for one ranking of the pages; O(log k + k/64) expected per fault.

    Of the cached pages that may leave, so that the rest is part of an optimal cache, the lowest ranking one
    does. With a uniformly random ranking the cache has EQUITABLE's distribution after every request.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`.
    ranks : ndarray of int32, shape (pages,)
        A permutation; the largest number is the lowest rank.

    Returns
    -------
    int
        Number of faults.
    """
    height = np.zeros(len(requests), dtype=np.int32)
    under = np.empty(len(requests), dtype=np.int32)
    page_of = np.empty(pages_total, dtype=np.int32)
    for page in range(pages_total):
        page_of[ranks[page]] = page
    nodes = np.full((pages_total, 4), NONE, dtype=np.int32)
    nodes[:, ABOVE] = ABSENT
    places = (2 * min(cache, pages_total, len(requests)) // GROUP + 1) * GROUP
    slacks = np.full(places, NO_SLACK, dtype=np.int64)
    groups = np.zeros((2, places // GROUP), dtype=np.int64)
    groups[LEAST] = NO_SLACK
    step_at = np.full(places, NONE, dtype=np.int32)
    place_of = np.empty(len(requests), dtype=np.int32)
    root = last = top = low = NONE
    faults = count = 0
    for t in range(len(requests)):
        node = unsigned(ranks[unsigned(requests[t])])
        time = signed(nodes[node, TIME])
        entry = HIT
        if time < top or top == NONE:
            full = faults >= cache
            known = top != NONE and time >= low
            # Nothing is left of a last step of height 1 under a new one, nor of the slack before it.
            replaced = full and not known and height[top] == 1
            before = step_up_to(under[top], height, under) if replaced and low < top else top
            if nodes[node, ABOVE] != ABSENT:
                if node == last:
                    last = _before(nodes, node)
                root = _leave(nodes, node, root)
            else:
                entry = FREE
                faults += 1
                if full:
                    gone = root
                    own = before
                    if known:
                        own = step_up_to(time, height, under)
                        tight = _first_tight(slacks, groups, place_of[own]) + 1
                        while tight < count and step_at[tight] == NONE:
                            tight += 1
                        ended = step_at[tight] if tight < count else t
                        while nodes[gone, TIME] >= ended:
                            gone = signed(nodes[gone, EARLIER])
                    begin = place_of[step_up_to(nodes[gone, TIME], height, under)]
                    end = place_of[own]
                    if begin < end:
                        _add(slacks, groups, begin, end, 1)
                    elif end < begin and known:
                        _add(slacks, groups, end, begin, -1)
                    if gone == last:
                        last = _before(nodes, gone)
                    root = _leave(nodes, gone, root)
                    entry = signed(page_of[gone])
            oldest = low
            _, newest, low, lowered = advance(time, t, cache, full, height, under, top, low)
            if replaced:
                place_of[newest] = place_of[top]
                step_at[place_of[newest]] = newest
            elif newest != top:
                if count == places:
                    count = _close_up(slacks, groups, step_at, place_of)
                place_of[newest] = count
                step_at[count] = newest
                _put(slacks, groups, count, 0)
                count += 1
            elif lowered != NONE and height[lowered] == 0:
                # What is left of it belongs to the step before, up to where its own pages ended.
                free = place_of[lowered]
                if lowered != oldest:
                    before = step_up_to(lowered, height, under)
                    free = place_of[before]
                    place_of[before] = place_of[lowered]
                    step_at[place_of[before]] = before
                step_at[free] = NONE
                _put(slacks, groups, free, NO_SLACK)
            top = newest
            root = _come_last(nodes, node, last, root)
            nodes[node, TIME] = t
            last = node
        if len(entries) > 0:
            entries[t] = entry
    return faults
