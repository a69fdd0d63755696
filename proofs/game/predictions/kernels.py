"""Kernels of the game with predictions: canonical states, their successors, and who comes from where."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.kernels.state_set import Rows
from proofs.game.cache_values import NEVER, Values, normalise, serve_values
from proofs.game.kernels import Index, Numbers, Small

ROUNDS = 2
"""Times that what is known of a page is spread to the pages it shares a cache with."""

CACHED, WRONG_IF_HIT = 1, 2
"""Bits of a page's code: the policy has it cached; somebody worth asking has, and its bit is 1, "discard"."""


@compiled
def mixed(number: np.uint64) -> np.uint64:
    """Return a number well stirred."""
    number = (number ^ (number >> np.uint64(31))) * np.uint64(0x7FB5D329728EA185)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x81DADEF4BC2DD44D)
    return number ^ (number >> np.uint64(33))


@compiled
def spread(masks: NDArray[np.int64], values: Values, colour: NDArray[np.uint64]) -> None:
    """Let the colour of every page depend on values and colours of the caches that it is in, in place."""
    pages = len(colour)
    gathered = np.zeros(pages, dtype=np.uint64)
    for _ in range(ROUNDS):
        gathered[:] = np.uint64(0)
        for c in range(len(masks)):
            if values[c] < NEVER:
                total = np.uint64(0)
                for q in range(pages):
                    if masks[c] >> q & 1:
                        total += colour[q]
                weight = mixed(total + mixed(np.uint64(values[c] + 1)))
                for q in range(pages):
                    if masks[c] >> q & 1:
                        gathered[q] += weight
        for q in range(pages):
            if gathered[q] != 0:
                colour[q] = mixed(colour[q] + mixed(gathered[q]))


@compiled
def arrange(
    codes: Numbers,
    masks: NDArray[np.int64],
    values: Values,
    first_page: NDArray[Any],
    first: int,
    order: Numbers,
) -> None:
    """Write into ``order`` which page comes first, second, …: layers from ``first`` on, pages by colour.

    Pages that are alike in all they share are told apart one by one. Two states that differ by a renaming
    may still be arranged differently, in rare cases, and then count as two.
    """
    pages, layers = len(codes), len(first_page) - 1
    colour = np.zeros(pages, dtype=np.uint64)
    inside = np.int64(0)
    for c in range(len(masks)):
        if values[c] < NEVER:
            inside |= masks[c]
    for j in range(layers):
        for q in range(first_page[j], first_page[j + 1]):
            colour[q] = mixed(np.uint64((j - first) % layers * 8 + codes[q] + 1))
    spread(masks, values, colour)
    told = np.uint64(1)
    again = True
    while again:
        again = False
        chosen = -1
        for j in range(layers):
            for q in range(first_page[j], first_page[j + 1]):
                if not inside >> q & 1:
                    continue
                if chosen >= 0 and colour[q] >= colour[chosen]:
                    continue
                for p in range(first_page[j], first_page[j + 1]):
                    if p != q and colour[p] == colour[q]:
                        chosen = q
                        break
        if chosen >= 0:
            colour[chosen] = mixed(colour[chosen] + told)
            told += np.uint64(1)
            spread(masks, values, colour)
            again = True
    place = 0
    for step in range(layers):
        j = (first + step) % layers
        start = place
        for q in range(first_page[j], first_page[j + 1]):
            at = place
            while at > start and colour[order[at - 1]] > colour[q]:
                order[at] = order[at - 1]
                at -= 1
            order[at] = q
            place += 1


@compiled
def written(
    codes: Numbers,
    masks: NDArray[np.int64],
    index: Index,
    values: Values,
    order: Numbers,
    layer: int,
    row: Rows,
) -> None:
    """Write a state as a row, its pages in the given order."""
    pages = len(codes)
    for place in range(pages):
        row[place] = codes[order[place]]
    row[pages : pages + len(masks)] = 0
    for c in range(len(masks)):
        if values[c] < NEVER:
            mask = np.int64(0)
            for place in range(pages):
                if masks[c] >> order[place] & 1:
                    mask |= np.int64(1) << place
            row[pages + index[mask]] = values[c] + 1
    row[pages + len(masks)] = layer


@compiled
def expand(
    rows: Rows,
    first_page: NDArray[Any],
    cache: int,
    rotation: bool,
    masks: NDArray[np.int64],
    index: Index,
    alpha: int,
    beta: int,
    gamma: int,
    after: Rows,
    orders: NDArray[np.int8],
    victims: Small,
    target_ends: Index,
    requested: Small,
    faults: Small,
    growths: Numbers,
    request_ends: Index,
) -> tuple[int, int]:
    """Write all successors of some states; return how many requests and how many successors there are.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + M + 1)
        Per page its code; per cache its value + 1, or 0; the layer. While the policy has a slot free, whoever
        might be asked has cached what it has, and no cache has a value.
    alpha, beta, gamma : int
        What a fault of the reference costs, a page of bit 0 that it evicts, a request of one of bit 1 that it
        holds.
    after, orders : ndarray, shape (successors, N + M + 1), (successors, N)
        The successors, canonical, and which page stands at which place of it; those of one request together,
        one for every victim in ascending order.
    victims : ndarray of uint8
        Per successor the place of the victim in its state; N where nothing leaves.
    target_ends, requested, faults, growths : ndarray
        Per request: where its successors end, 2 · its page's place + its bit, the policy's fault, and what is
        added to the least value.
    request_ends : ndarray
        Per state: where its requests end.
    """
    sets = len(masks)
    pages = rows.shape[1] - sets - 1
    layers = len(first_page) - 1
    values = np.zeros(sets, dtype=np.int64)
    then = np.zeros(sets, dtype=np.int64)
    codes = np.zeros(pages, dtype=np.int64)
    left = np.zeros(pages, dtype=np.int64)
    swap = np.zeros(pages, dtype=np.int64)
    price = np.full(pages, alpha + beta, dtype=np.int64)
    order = np.zeros(pages, dtype=np.int64)
    requests = 0
    targets = 0
    for s in range(len(rows)):
        layer = rows[s, pages + sets]
        following = (layer + 1) % layers
        held = np.int64(0)
        size = 0
        for q in range(pages):
            if rows[s, q] & CACHED:
                size += 1
                held |= np.int64(1) << q
            swap[q] = alpha + (0 if rows[s, q] & WRONG_IF_HIT else beta)
        warm = size == cache
        for page in range(first_page[layer], first_page[layer + 1]):
            fault = 0 if rows[s, page] & CACHED else 1
            hit = gamma if rows[s, page] & WRONG_IF_HIT else 0
            now = held | np.int64(1) << page
            if warm:
                for c in range(sets):
                    values[c] = rows[s, pages + c] - 1 if rows[s, pages + c] else NEVER
                serve_values(masks, index, values, page, hit, swap, then)
                growth = normalise(masks, then, price)
            else:
                growth = alpha if fault else hit
                then[:] = NEVER
                if index[now] >= 0:
                    then[index[now]] = 0
            inside = np.int64(0) if warm else now
            for c in range(sets):
                if then[c] < NEVER:
                    inside |= masks[c]
            for bit in range(2):
                for q in range(pages):
                    own = bit if q == page else rows[s, q] >> 1
                    codes[q] = (now >> q & 1) + (2 if own and inside >> q & 1 else 0)
                for victim in range(pages + 1):
                    if warm and fault:
                        if victim in (pages, page) or not codes[victim] & CACHED:
                            continue
                    elif victim < pages:
                        continue
                    left[:] = codes
                    if victim < pages:
                        left[victim] -= CACHED
                    arrange(left, masks, then, first_page, following if rotation else 0, order)
                    written(left, masks, index, then, order, 0 if rotation else following, after[targets])
                    for q in range(pages):
                        orders[targets, q] = order[q]
                    victims[targets] = victim
                    targets += 1
                target_ends[requests] = targets
                requested[requests] = 2 * page + bit
                faults[requests] = fault
                growths[requests] = growth
                requests += 1
        request_ends[s] = requests
    return requests, targets


@compiled
def sources(
    rows: Rows,
    requested: Index,
    owner: Index,
    targets: Index,
    orders: NDArray[np.int8],
    first_pair: Index,
    cache: int,
    masks: NDArray[np.int64],
    index: Index,
    alpha: int,
    beta: int,
    gamma: int,
    free: int,
    found: Index,
) -> int:
    """Say for every move, and every cache after it, from which cache it comes; return how many there are.

    A *pair* is a state with one of its caches; pairs are numbered state by state.

    Parameters
    ----------
    requested : ndarray of int32, shape (S,)
        2 · place of the page requested in a state + its bit.
    owner, targets, orders : ndarray, shape (moves,), (moves,), (moves, N)
        From which state a move leads, to which, and which page stands at which place there.
    first_pair : ndarray of int32, shape (S,)
    free : int
        Which cost is avoided among equals: 0 a fault of the reference, 1 a wrong 0, 2 a wrong 1.
    found : ndarray of int32, shape (M · moves, 3)
        Receives source pair, target pair, and what was paid: policy fault + 2 · fault of the reference
        + 4 · wrong 0 + 8 · wrong 1.
    """
    sets = len(masks)
    pages = rows.shape[1] - sets - 1
    rank = np.zeros(sets, dtype=np.int64)
    count = 0
    for e in range(len(owner)):
        s, t = owner[e], targets[e]
        page = requested[s] // 2
        fault = 0 if rows[s, page] & CACHED else 1
        wrong = 1 if rows[s, page] & WRONG_IF_HIT else 0
        size = 0
        after = 0
        for q in range(pages):
            size += rows[s, q] & CACHED
            after += rows[t, q] & CACHED
        many = 0
        for c in range(sets):
            rank[c] = many
            many += 1 if rows[s, pages + c] else 0
        other = 0
        for c in range(sets if after == cache else 1):
            if after == cache and rows[t, pages + c] == 0:
                continue
            best, came, paid = NEVER, 0, 0
            if size < cache:  # nothing has left yet: whoever might be asked has cached what the policy has
                best = 0
                paid = 3 if fault else 8 * wrong
            else:
                mask = np.int64(0)
                for place in range(pages):
                    if masks[c] >> place & 1:
                        mask |= np.int64(1) << np.int64(orders[e, place])
                at = pages + index[mask]
                if rows[s, at]:
                    best = rows[s, at] - 1 + (gamma if wrong else 0)
                    came, paid = rank[at - pages], fault + 8 * wrong
                for q in range(pages):
                    if mask >> q & 1:
                        continue
                    at = pages + index[mask ^ (np.int64(1) << page) ^ (np.int64(1) << q)]
                    if rows[s, at] == 0:
                        continue
                    right = 1 if rows[s, q] & WRONG_IF_HIT else 0
                    cost = rows[s, at] - 1 + alpha + (0 if right else beta)
                    code = fault + 2 + (0 if right else 4)
                    if cost < best or (cost == best and (code >> (free + 1) & 1) < (paid >> (free + 1) & 1)):
                        best, came, paid = cost, rank[at - pages], code
            if best == NEVER:
                return -1
            found[count, 0] = first_pair[s] + came
            found[count, 1] = first_pair[t] + other
            found[count, 2] = paid
            other += 1
            count += 1
    return count
