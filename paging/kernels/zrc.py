"""Kernels of the work function, of ZRC and of FAR-LAB, as steps in time (:mod:`paging.kernels.steps`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.kernels.bits import Words, bits_below, flip, lowest_bit, unsigned
from paging.kernels.jit import compiled, merged
from paging.kernels.steps import NONE, advance, step_up_to
from paging.kernels.trees import empty_tree, first_from, insert, last_to, remove
from paging.kernels.visits import hits_first, lock
from paging.model import FREE, HIT, PageArray

Table = NDArray[np.int32]
Numbers = NDArray[np.int64]

TIME, AFTER, BEFORE, STATE = 0, 1, 2, 3
"""Columns of a page: when it became the newest one, or −1; its neighbours in its layer's list; its state."""

ABSENT, LISTED, FRONT, DEAD = 0, 1, 2, 3
"""States: not cached; cached; cached and in the front of its layer; cached and dead."""

FIRST, LAST, EDGE, CLOSED, DOWN = 0, 1, 2, 3, 4
"""Columns of a layer. Its list, oldest page first, holds what is cached and not dead; ``EDGE`` is the oldest
page of it that is not in the front. ``CLOSED`` is the last step at which it had no open page, ``DOWN`` the
layer to look at instead."""

COST, KNOWN, TOP, LOW, FAULTS, DEADS = 0, 1, 2, 3, 4, 5
"""Counters: OPT so far, distinct pages so far up to k, the newest and the oldest step or −1; faults so far,
cached pages that are dead."""


@compiled
def opt_so_far(
    order: PageArray,
    begin: int,
    cache: int,
    increments: PageArray,
    times: PageArray,
    counters: Numbers,
    height: PageArray,
    under: PageArray,
) -> None:
    """Serve requests in a work function; O(log T) amortised per request, whatever k and the number of pages.

    Parameters
    ----------
    order : ndarray of int32, shape (T,)
        Page ids.
    begin : int
        Time of the first request to be served.
    cache : int
        OPT's cache size k ≥ 1.
    increments : ndarray of int32, shape (T − begin,) or (0,)
        Receives OPT of the requests up to t minus OPT of those before t, 0 or 1; left alone if empty.
    times : ndarray of int32, shape (pages,)
        When every page became the newest one, or −1.
    counters : ndarray of int64, shape (6,)
        The first four are used.
    height, under : ndarray of int32, shape (T,)
        Height of the step at every time, 0 where there is none, and where to look for the one before it.
        All of these are changed in place.
    """
    cost, known, top, low = counters[:FAULTS]
    for t in range(begin, len(order)):
        page = unsigned(order[t])
        time = times[page]
        increment = 0
        if time < top or top == NONE:
            full = known >= cache
            increment, top, low, _ = advance(time, t, cache, full, height, under, top, low)
            cost += increment
            known += not full and increment == 1
            times[page] = t
        if len(increments) > 0:
            increments[t - begin] = increment
    counters[:FAULTS] = (cost, known, top, low)


@merged
def _take_out(pages: Table, layers: Table, page: int, layer: int) -> None:
    """Take a cached page out of the list of its layer."""
    after, before = pages[page, AFTER], pages[page, BEFORE]
    if after != NONE:
        pages[after, BEFORE] = before
    else:
        layers[layer, LAST] = before
    if before != NONE:
        pages[before, AFTER] = after
    else:
        layers[layer, FIRST] = after
    if layers[layer, EDGE] == page:
        layers[layer, EDGE] = after


@merged
def _forget(
    pages: Table,
    layers: Table,
    page: int,
    layer: int,
    live: Words,
    dead: Words,
    front: Words,
    of_pages: Words,
) -> None:
    """Take a page, cached or not, out of what it stands in: it is about to become the newest."""
    state = pages[page, STATE]
    if state == DEAD:
        remove(dead, of_pages, page)
    elif state != ABSENT:
        _take_out(pages, layers, page, layer)
        if state == FRONT:
            remove(front, of_pages, page)
        flip(live, pages[page, TIME])


@merged
def _put_last(pages: Table, layers: Table, page: int, layer: int) -> None:
    """Put a page that was just requested at the end of the list of its layer."""
    last = layers[layer, LAST]
    pages[page, AFTER] = NONE
    pages[page, BEFORE] = last
    if last != NONE:
        pages[last, AFTER] = page
    else:
        layers[layer, FIRST] = page
    layers[layer, LAST] = page
    if layers[layer, EDGE] == NONE:
        layers[layer, EDGE] = page


@merged
def _open_layer(pages: Table, layers: Table, layer: int, top: int) -> int:
    """Return the layer itself or the next one below it, cyclically, that has a cached page which is open.

    Until the next increment layers only close: what was passed once is not looked at again.
    """
    found = layer
    while layers[found, FIRST] == NONE or pages[layers[found, FIRST], TIME] >= top:
        down = found - 1 if found > 0 else len(layers) - 1
        if layers[found, CLOSED] == top:
            down = layers[found, DOWN]
        layers[found, CLOSED] = top
        layers[found, DOWN] = down
        found = down
    while layer != found:
        down = layers[layer, DOWN]
        layers[layer, DOWN] = found
        layer = down
    return found


@compiled
def _least_open(
    pages: Table, asked: PageArray, slot: int, top: int, height: PageArray, under: PageArray
) -> int:
    """Return the open page of least label, then number, among those asked for in the visit, or −1."""
    oldest = least = NONE
    for i in range(slot):
        time = pages[asked[i], TIME]
        if ABSENT < pages[asked[i], STATE] < DEAD and time < top and (oldest == NONE or time < oldest):
            oldest = time
    if oldest == NONE:
        return NONE
    step = step_up_to(oldest, height, under)
    for i in range(slot):
        page = asked[i]
        time = pages[page, TIME]
        if ABSENT < pages[page, STATE] < DEAD and time < top and step_up_to(time, height, under) == step:
            least = page if least == NONE else min(least, page)
    return int(least)


@compiled
def _bury(
    order: PageArray,
    oldest: int,
    low: int,
    live: Words,
    pages: Table,
    layers: Table,
    layer_of: PageArray,
    dead: Words,
    front: Words,
    of_pages: Words,
) -> int:
    """Let the cached pages die that are older than the oldest step, which was ``oldest``; return how many."""
    deads = 0
    for word in range(oldest >> 6, (low >> 6) + 1):
        bits = live[word]
        if word == low >> 6:
            bits &= bits_below(low & 63)
        live[word] ^= bits
        while bits != 0:
            gone = order[(word << 6) + lowest_bit(bits)]
            bits &= bits - 1
            _take_out(pages, layers, gone, layer_of[gone])
            if pages[gone, STATE] == FRONT:
                remove(front, of_pages, gone)
            pages[gone, STATE] = DEAD
            insert(dead, of_pages, gone)
            deads += 1
    return deads


@merged
def _least_dead(layer: int, dead: Words, of_pages: Words, layer_of: PageArray, first_page: PageArray) -> int:
    """Take out and return the lowest dead page of the layer that comes up last, where ``layer`` is served."""
    entry = last_to(dead, of_pages, first_page[layer + 1] - 1)
    if entry < 0:
        entry = last_to(dead, of_pages, len(layer_of) - 1)
    entry = first_from(dead, of_pages, first_page[layer_of[entry]])
    remove(dead, of_pages, entry)
    return int(entry)


@merged
def _of_open(
    near: int,
    pages: Table,
    layers: Table,
    first_page: PageArray,
    live: Words,
    height: PageArray,
    under: PageArray,
    front: Words,
    of_pages: Words,
) -> int:
    """Take out and return the page of least label, then number, of a layer with an open page."""
    entry = layers[near, FIRST]
    step = step_up_to(pages[entry, TIME], height, under)
    edge = layers[near, EDGE]
    second = pages[entry, AFTER]
    # Mostly the oldest page is the only one of its label: no need to ask the front.
    if edge != entry or (second != NONE and step_up_to(pages[second, TIME], height, under) == step):
        while edge != NONE and step_up_to(pages[edge, TIME], height, under) == step:
            pages[edge, STATE] = FRONT
            insert(front, of_pages, edge)
            edge = pages[edge, AFTER]
        layers[near, EDGE] = edge
        entry = first_from(front, of_pages, first_page[near])
        remove(front, of_pages, entry)
    _take_out(pages, layers, entry, near)
    flip(live, pages[entry, TIME])
    return int(entry)


@compiled
def zrc(
    order: PageArray,
    begin: int,
    cache: int,
    entries: PageArray,
    layer_of: PageArray,
    first_page: PageArray,
    pages: Table,
    layers: Table,
    counters: Numbers,
    live: Words,
    height: PageArray,
    under: PageArray,
    dead: Words,
    front: Words,
    of_pages: Words,
    asked: PageArray,
    slot: int,
    far: bool,
) -> None:
    """Serve requests with ZRC or FAR-LAB; O(log₆₄ T) amortised per request, O(1) if the page is sure.

    The *front* of a layer are pages of its lowest label, a prefix of its list: of these the one with the
    lowest number leaves. They enter it when a victim is looked for, each once between two requests of it.

    Parameters
    ----------
    order : ndarray of int32, shape (T,)
        Page ids; those before ``begin`` only need to be right at the times of cached pages.
    begin, cache : int
        Time of the first request to be served; cache size k ≥ 1.
    entries : ndarray of int32, shape (T − begin,) or (0,)
        Receives HIT, FREE or the page that leaves, per request; left alone if empty.
    layer_of, first_page : ndarray of int32
        Layer of every page; first page of every layer, then the number of pages.
    pages, layers : ndarray of int32, shape (pages, 4), (layers, 5)
        What is known of every page and of every layer.
    counters, height, under
        As for :func:`opt_so_far`.
    live : ndarray of int64
        Bitmap of the times of cached pages that are not dead.
    dead, front, of_pages : ndarray of int64
        Trees over the pages: the cached ones that are dead, and those of the fronts.
    asked : ndarray of int32, shape (g,)
        Pages asked for in the visit under way. From ``pages`` on all arrays are changed in place.
    slot : int
        How many these are.
    far : bool
        Whether to serve with FAR-LAB; O(g) more per fault.
    """
    cost, _, top, low, faults, deads = counters
    for t in range(begin, len(order)):
        page = unsigned(order[t])
        time = pages[page, TIME]
        entry = HIT
        if time < top or top == NONE:
            layer = unsigned(layer_of[page])
            state = pages[page, STATE]
            deads -= state == DEAD
            _forget(pages, layers, page, layer, live, dead, front, of_pages)
            oldest = low
            full = faults >= cache
            increment, top, low, _ = advance(time, t, cache, full, height, under, top, low)
            cost += increment
            if oldest != low and oldest != NONE:
                deads += _bury(order, oldest, low, live, pages, layers, layer_of, dead, front, of_pages)
            if state == ABSENT:
                entry = FREE
                if full:
                    within = far and slot + 1 < len(asked)
                    again = NONE
                    if within:
                        again = _least_open(pages, asked, slot, top, height, under)
                    if deads > 0 and far:
                        entry = first_from(dead, of_pages, 0)
                        remove(dead, of_pages, entry)
                        deads -= 1
                    elif deads > 0:
                        entry = _least_dead(layer, dead, of_pages, layer_of, first_page)
                        deads -= 1
                    elif again != NONE:
                        entry = again
                        if pages[entry, STATE] == FRONT:
                            remove(front, of_pages, entry)
                        _take_out(pages, layers, entry, layer)
                        flip(live, pages[entry, TIME])
                    else:
                        near = layer
                        if within:
                            near = layer - 1 if layer > 0 else len(layers) - 1
                        near = _open_layer(pages, layers, near, top)
                        entry = _of_open(
                            near, pages, layers, first_page, live, height, under, front, of_pages
                        )
                    pages[entry, STATE] = ABSENT
                faults += 1
            pages[page, TIME] = t
            pages[page, STATE] = LISTED
            _put_last(pages, layers, page, layer)
            flip(live, t)
        if far:
            asked[slot] = page
            slot = slot + 1 if slot + 1 < len(asked) else 0
        if len(entries) > 0:
            entries[t - begin] = entry
    counters[:] = (cost, min(faults, cache), top, low, faults, deads)


@compiled
def zrc_atomic(
    requests: PageArray,
    pages_total: int,
    cache: int,
    entries: PageArray,
    layer_of: PageArray,
    first_page: PageArray,
    per_visit: int,
    atomic: bool,
) -> int:
    """Serve a sequence with ZRC-ATOMIC, k ≥ g; O(g log₆₄ T) amortised per request.

    To the work function each page of a visit is followed by those asked for before in the visit, in the order
    of their numbers. All of these are requests with times of their own; the victim is chosen after them.

    Parameters and result as for :func:`~paging.kernels.recency.lru`; ``layer_of`` and ``first_page`` as for
    :func:`zrc`.
    """
    asked_for = requests.copy()
    place, _ = lock(per_visit, 0, False)
    visits = (len(requests) + per_visit - 1) // per_visit
    length = visits * (per_visit * (per_visit + 1) // 2)
    order = np.empty(length, dtype=np.int32)
    height = np.zeros(length, dtype=np.int32)
    under = np.full(length, NONE, dtype=np.int32)
    live = np.zeros((length + 63) // 64 + 1, dtype=np.int64)
    pages = np.full((pages_total, 4), NONE, dtype=np.int32)
    pages[:, STATE] = ABSENT
    layers = np.full((len(first_page) - 1, 5), NONE, dtype=np.int32)
    dead, of_pages = empty_tree(pages_total)
    front = dead.copy()
    asked = np.zeros(per_visit + 1, dtype=np.int32)
    top = low = NONE
    faults = deads = now = count = 0
    for t in range(len(asked_for)):
        if t % per_visit == 0:
            count = 0
            if atomic:
                hits_first(asked_for, place, t, per_visit, pages[:, STATE], LISTED)
        entry = HIT
        requested = asked_for[t]
        fault = pages[requested, STATE] == ABSENT
        full = faults >= cache
        layer = unsigned(layer_of[requested])
        for i in range(count + 1):
            page = requested if i == 0 else asked[i - 1]
            time = pages[page, TIME]
            if time < top or top == NONE:
                state = pages[page, STATE]
                deads -= state == DEAD
                _forget(pages, layers, page, layer, live, dead, front, of_pages)
                oldest = low
                seen = faults + (fault and i > 0) >= cache
                _, top, low, _ = advance(time, now, cache, seen, height, under, top, low)
                if oldest != low and oldest != NONE:
                    deads += _bury(order, oldest, low, live, pages, layers, layer_of, dead, front, of_pages)
                order[now] = page
                pages[page, TIME] = now
                pages[page, STATE] = LISTED
                _put_last(pages, layers, page, layer)
                flip(live, now)
                now += 1
        if fault:
            entry = FREE
            if full:
                if deads > 0:
                    entry = _least_dead(layer, dead, of_pages, layer_of, first_page)
                    deads -= 1
                else:
                    near = _open_layer(pages, layers, layer, top)
                    entry = _of_open(near, pages, layers, first_page, live, height, under, front, of_pages)
                pages[entry, STATE] = ABSENT
            faults += 1
        # Those asked for stand in the order of their numbers.
        at = count
        while at > 0 and asked[at - 1] > requested:
            asked[at] = asked[at - 1]
            at -= 1
        asked[at] = requested
        count += 1
        if len(entries) > 0:
            entries[place[t % per_visit] if atomic else t] = entry
    return faults
