"""The work function as a set of times.

A page that is *sure* stays where it is when it is requested; every other request makes its page the newest.
Ordered by the time of that request, the pages have work-function labels that never rise towards older ones
(docs/zrc.md). So the labels are *steps* in time, each of a height: the label of a page is the height of all
steps up to its time, and a page older than all steps is dead. An increment makes a step at its own time; the
pages from the last step on are sure. A request changes two heights, and a step of height 0 is none.

Steps come at the end only and are never put back, so the last step up to a time is found as in a union of
disjoint sets: ``under`` leads from every time to an earlier one at or after that step, and every search
shortens the way.
"""

from __future__ import annotations

from paging.kernels.jit import merged
from paging.model import PageArray

NONE = -1


@merged
def step_up_to(time: int, height: PageArray, under: PageArray) -> int:
    """Return the last step up to a time that is not before the oldest step."""
    while height[time] == 0:
        below = under[time]
        if height[below] == 0:
            below = under[below]
            under[time] = below
        time = below
    return time


@merged
def advance(
    time: int,
    t: int,
    cache: int,
    full: bool,
    height: PageArray,
    under: PageArray,
    top: int,
    low: int,
) -> tuple[int, int, int, int]:
    """Serve at time t a page that is not sure and became the newest at ``time``.

    ``full`` says whether k distinct pages came before. Return OPT's increment, the newest and the oldest
    step, and the step that was lowered, or −1.
    """
    increment = 0
    lowered = NONE
    if top != NONE and time >= low:
        lowered = step_up_to(time, height, under)
        height[top] += 1
    else:
        increment = 1
        if full:
            lowered = top
            height[t] = 1
            top = t
        elif top == NONE:
            height[t] = cache
            top = low = t
    if lowered != NONE:
        height[lowered] -= 1
        if lowered == low:
            while height[low] == 0:
                low += 1
    under[t] = lowered if increment == 1 and lowered != NONE else top
    return increment, top, low, lowered
