"""Kernel of LLRU and its variants."""

import numpy as np

from paging.kernels.bits import Words, contains, empty_set, flip, last_up_to, lowest_bit
from paging.kernels.jit import compiled
from paging.kernels.visits import hits_first
from paging.model import FREE, HIT, PageArray

LLRU, LAZY, TOKEN = 0, 1, 2
"""The variants ``llru``, ``llru-lazy`` and ``llru-token``."""


@compiled
def _lowest_of_visit(requests: PageArray, live: Words, time: int, per_visit: int) -> int:
    """Return the lowest cached page of the visit whose last cached page was requested at ``time``."""
    lowest = requests[time]
    for other in range(time // per_visit * per_visit, time):
        if contains(live, other):
            lowest = min(lowest, requests[other])
    return int(lowest)


@compiled
def llru(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    layers: int,
    per_visit: int,
    variant: int,
    atomic: bool = False,
) -> int:
    """Serve a sequence with LLRU or a variant; O(1) per hit, O(g + ℓ·g/64) amortised per fault.

    As for LRU the cached pages are a bitmap over time, a bit at the last request of each. The pages of one
    age were last requested in ℓ visits in a row, the last of them a visit of the layer c being served, and
    of these the latest comes up again furthest in the future. So the victim is the last bit in the age
    class of the first bit. The age classes of llru-lazy begin with a visit of layer c, which loses its pages
    before the others; those of llru-token are the rounds, where layers up to c come first. Both are the
    classes of llru cut in two, the visits after the cut belonging to the next class.

    Parameters
    ----------
    requests, pages_total, cache, entries
        As for :func:`~paging.kernels.recency.lru`; request t belongs to visit t // per_visit.
    layers, per_visit : int
        Layers ℓ and requests per visit g; visit v serves layer v mod ℓ.
    variant : int
        0 = llru, 1 = llru-lazy, 2 = llru-token.
    atomic : bool, default False
        Whether the hits of a visit are served first.

    Returns
    -------
    int
        Number of faults.
    """
    last = np.full(pages_total, -1, dtype=np.int32)
    live = empty_set(len(requests) + per_visit)
    return llru_from(requests.copy(), 0, cache, entries, layers, per_visit, variant, atomic, last, live, 0)


@compiled
def llru_from(
    order: PageArray,
    begin: int,
    cache: int,
    entries: PageArray,
    layers: int,
    per_visit: int,
    variant: int,
    atomic: bool,
    last: PageArray,
    live: Words,
    faults: int,
) -> int:
    """Serve the requests from time ``begin`` on with LLRU or a variant; return all faults.

    Parameters are those of :func:`~paging.kernels.recency.lru_from`; ``live`` has a visit more than there are
    requests. Times before ``begin`` may be wrong by whole rounds, as long as requests a round or more apart
    stay so.
    """
    place = np.zeros(per_visit, dtype=np.int64)
    length = layers * per_visit
    word = 0
    # The visit under way ends at time `end`; `served` requests of its round lie up to there.
    end = begin // per_visit * per_visit + per_visit - 1
    served = end % length + 1
    behind = 0
    for t in range(begin, len(order)):
        if atomic and t % per_visit == 0:
            hits_first(order, place, t, per_visit, last)
        if t > end:
            end += per_visit
            served = served + per_visit if served < length else per_visit
        page = order[t]
        gone = last[page]
        entry = HIT
        if gone < 0:
            faults += 1
            entry = FREE
            if faults > cache:
                while live[word] == 0:
                    word += 1
                first = (word << 6) + lowest_bit(live[word])
                # The class of `first` ends at end − behind, whole rounds before the visit under way.
                while end - behind < first:
                    behind -= length
                while end - behind >= first + length:
                    behind += length
                class_end = end - behind
                cut = class_end
                if variant == LAZY:
                    cut -= per_visit
                elif variant == TOKEN:
                    cut -= served
                latest = class_end if first > cut else cut
                if atomic:  # pages of the visit do not leave
                    latest = min(latest, end - per_visit)
                gone = last_up_to(live, latest)
                entry = order[gone]
                if per_visit > 1:
                    entry = _lowest_of_visit(order, live, gone, per_visit)
                    gone = last[entry]
                last[entry] = -1
        if gone >= 0:
            flip(live, gone)
        flip(live, t)
        last[page] = t
        if len(entries) > 0:
            entries[(place[t % per_visit] if atomic else t) - begin] = entry
    return faults
