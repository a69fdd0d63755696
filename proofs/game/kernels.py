"""Kernels of the paging game: successors of states, energy value iteration, closures of a decision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled
from paging.kernels.state_set import Rows, sort_in
from paging.work_function import update_work_function

Numbers = NDArray[np.int64]
Small = NDArray[np.uint8]
Index = NDArray[np.int32]

_update = compiled(update_work_function)

HUGE = 2**62


@compiled
def expand(
    rows: Rows,
    first_page: NDArray[Any],
    cache: int,
    opt_cache: int,
    rank: Numbers,
    rotation: bool,
    after: Rows,
    victims: Small,
    target_ends: Index,
    requested: Small,
    codes: Small,
    request_ends: Index,
) -> tuple[int, int]:
    """Write all successors of some states; return how many requests and how many successors there are.

    Parameters
    ----------
    rows : ndarray of int32, shape (S, N + 1)
        Per page (h + 1) · cached bit + work-function label, ascending inside each layer; then the layer.
    rank : ndarray of int64, shape (h + 1, 2)
        Of a cached page by its label after the request and by whether it is in the layer being served: a
        page of least rank leaves, and which of them is open.
    rotation : bool
        Turn the next layer to the front.
    after : ndarray of int32, shape (successors, N + 1)
        The successors, canonical; those of one request together, one for each kind of victim.
    victims : ndarray of uint8
        Per successor the place of the victim in its state; N where nothing leaves.
    target_ends, requested, codes : ndarray
        Per request: where its successors end, its page's place, policy fault + 2 · OPT increment.
    request_ends : ndarray
        Per state: where its requests end.
    """
    pages = rows.shape[1] - 1
    layers = len(first_page) - 1
    base = opt_cache + 1
    work = np.zeros(pages, dtype=np.int64)
    code = np.zeros(pages, dtype=np.int64)
    lacking = np.zeros(pages, dtype=np.int64)
    origin = np.zeros(pages, dtype=np.int64)
    requests = 0
    targets = 0
    for s in range(len(rows)):
        layer = rows[s, pages]
        following = (layer + 1) % layers
        shift = first_page[following] if rotation else 0
        size = 0
        for q in range(pages):
            if rows[s, q] >= base:
                size += 1
        for page in range(first_page[layer], first_page[layer + 1]):
            if page > first_page[layer] and rows[s, page] == rows[s, page - 1]:
                continue
            for q in range(pages):
                work[q] = rows[s, q] % base
            paid = _update(work, page, opt_cache)
            fault = rows[s, page] < base
            # The row with the page cached, sorted again inside each layer; origin says where pages were.
            for j in range(layers):
                for q in range(first_page[j], first_page[j + 1]):
                    code[q] = work[q] + (base if q == page or rows[s, q] >= base else 0)
                    place = sort_in(code, first_page[j], q)
                    for p in range(q, place, -1):
                        origin[p] = origin[p - 1]
                    origin[place] = q
            least = HUGE
            if fault and size == cache:
                for q in range(pages):
                    if code[q] >= base and origin[q] != page:
                        own = 1 if first_page[layer] <= q < first_page[layer + 1] else 0
                        least = min(least, rank[code[q] - base, own])
            if least == HUGE:
                for q in range(pages):
                    after[targets, (q - shift) % pages] = code[q]
                victims[targets] = pages
                targets += 1
            else:
                for j in range(layers):
                    own = 1 if j == layer else 0
                    last = -1
                    for q in range(first_page[j], first_page[j + 1]):
                        if code[q] < base or origin[q] == page or code[q] == last:
                            continue
                        if rank[code[q] - base, own] > least:
                            continue
                        last = code[q]
                        lacking[:] = code
                        lacking[q] -= base
                        sort_in(lacking, first_page[j], q)
                        for p in range(pages):
                            after[targets, (p - shift) % pages] = lacking[p]
                        victims[targets] = origin[q]
                        targets += 1
            for t in range(target_ends[requests - 1] if requests > 0 else 0, targets):
                after[t, pages] = 0 if rotation else following
            target_ends[requests] = targets
            requested[requests] = page
            codes[requests] = (1 if fault else 0) + 2 * paid
            requests += 1
        request_ends[s] = requests
    return requests, targets


@compiled
def improve(
    request_ends: Index,
    target_ends: Index,
    codes: Small,
    targets: Index,
    victims: Small,
    weights: Numbers,
    value: Numbers,
    choice: Numbers,
) -> int:
    """Raise every state's value to its best request against the best victim, in place; return how many rose.

    One sweep of energy value iteration for ``value[s] = max(0, max over requests of weight + min over victims
    of value[successor])``, last states first. ``choice[s]`` becomes the request that last raised s. The
    successor that settled a request is put first among them (``victims`` alike), where it is looked at first.
    """
    improved = 0
    for s in range(len(value) - 1, -1, -1):
        best = value[s]
        for r in range(request_ends[s - 1] if s > 0 else 0, request_ends[s]):
            need = best - weights[codes[r]]
            first = target_ends[r - 1] if r > 0 else 0
            least = HUGE
            for e in range(first, target_ends[r]):
                reached = value[targets[e]]
                if reached < least:
                    least = reached
                    if e > first:
                        targets[e], targets[first] = targets[first], targets[e]
                        victims[e], victims[first] = victims[first], victims[e]
                    if least <= need:
                        break
            if least > need:
                best = least + weights[codes[r]]
                choice[s] = r
        if best > value[s]:
            value[s] = best
            improved += 1
    return improved


@compiled
def decision_closure(
    start: int, target_ends: Index, targets: Index, choice: Numbers, place: Index, found: Index
) -> int:
    """Find all states reached from ``start`` by the adversary's choices, whatever leaves; return how many.

    ``place`` (−1 everywhere at first) receives each state's place among those found, ``found`` the states.
    The result is 0 if one of them has no choice; then ``place`` is as before.
    """
    place[start] = 0
    found[0] = start
    count = 1
    done = 0
    while done < count:
        r = choice[found[done]]
        if r < 0:
            for i in range(count):
                place[found[i]] = -1
            return 0
        for e in range(target_ends[r - 1] if r > 0 else 0, target_ends[r]):
            t = targets[e]
            if place[t] < 0:
                place[t] = count
                found[count] = t
                count += 1
        done += 1
    return count


@compiled
def policy_closure(
    start: int, request_ends: Index, target_ends: Index, targets: Index, place: Index, found: Index
) -> int:
    """Find all states reached from ``start`` by any request if each request's first successor is taken."""
    place[start] = 0
    found[0] = start
    count = 1
    done = 0
    while done < count:
        s = found[done]
        for r in range(request_ends[s - 1] if s > 0 else 0, request_ends[s]):
            t = targets[target_ends[r - 1] if r > 0 else 0]
            if place[t] < 0:
                place[t] = count
                found[count] = t
                count += 1
        done += 1
    return count


@compiled
def best_first(target_ends: Index, targets: Index, victims: Small, value: Numbers) -> None:
    """Put first, for every request, a successor of least value."""
    first = 0
    for r in range(len(target_ends)):
        for e in range(first + 1, target_ends[r]):
            if value[targets[e]] < value[targets[first]]:
                targets[e], targets[first] = targets[first], targets[e]
                victims[e], victims[first] = victims[first], victims[e]
        first = target_ends[r]


@compiled
def zero_steps(targets: Index, codes: NDArray[np.int8], steps: Numbers) -> bool:
    """Number states so that every edge without any cost leads to a smaller one; return whether that can be.

    ``targets`` and ``codes`` have shape (S, R), absent edges −1. ``steps`` starts with 0 everywhere and
    rises; a number as large as S shows a cycle without any cost.
    """
    changed = True
    while changed:
        changed = False
        for s in range(len(targets) - 1, -1, -1):
            for e in range(targets.shape[1]):
                t = targets[s, e]
                if t >= 0 and codes[s, e] == 0 and steps[s] <= steps[t]:
                    steps[s] = steps[t] + 1
                    changed = True
                    if steps[s] >= len(targets):
                        return False
    return True
