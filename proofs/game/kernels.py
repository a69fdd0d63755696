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
def first_choice(count: int, chosen: Numbers) -> bool:
    """Choose the first ``len(chosen)`` of ``count`` places; return whether there are so many."""
    size = len(chosen)
    for i in range(size):
        chosen[i] = i
    return size <= count


@compiled
def next_choice(code: Numbers, pool: Numbers, count: int, chosen: Numbers) -> bool:
    """Go on to the next choice that takes of equal neighbours in ``pool`` the first ones; False at the end.

    ``chosen`` are ascending indices into ``pool``. Lexicographic order, by index and so by ``code``.
    """
    size = len(chosen)
    i = size - 1
    while i >= 0:
        # The next index with another code, beyond which there is room for the rest.
        following = chosen[i] + 1
        while following < count and code[pool[following]] == code[pool[chosen[i]]]:
            following += 1
        if following + size - i <= count:
            for j in range(i, size):
                chosen[j] = following + j - i
            return True
        i -= 1
    return False


@compiled
def expand(
    rows: Rows,
    first_page: NDArray[Any],
    cache: int,
    opt_cache: int,
    per_visit: int,
    together: int,
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
        Per page (h + 1) · (cached bit + 2 · asked bit) + work-function label, ascending inside each layer;
        then the layer.
    per_visit, together : int
        Pages g of a visit, and how many of them one request asks for: g where visits are atomic, else 1.
    rank : ndarray of int64, shape (h + 1, ℓ + 1)
        Of a cached page by its label after the request, and by how many visits ago its layer was served: 0
        for a page of the layer being served that cannot be asked for again in this visit, ℓ for one that
        can. Pages of least rank leave, and which of them is open.
    rotation : bool
        Turn the layer served next to the front.
    after : ndarray of int32, shape (successors, N + 1)
        The successors, canonical; those of one request together, one for each kind of victims.
    victims : ndarray of uint8, shape (successors, together)
        Per successor the places of the victims in its state, filled up with N.
    target_ends, requested, codes : ndarray
        Per request: where its successors end, the places of its pages, shape (requests, together), policy
        faults + (together + 1) · OPT increment.
    request_ends : ndarray
        Per state: where its requests end.
    """
    pages = rows.shape[1] - 1
    layers = len(first_page) - 1
    base = opt_cache + 1
    before = np.zeros(pages, dtype=np.int64)
    known = np.zeros(pages, dtype=np.int64)
    held = np.zeros(pages, dtype=np.bool_)
    told = np.zeros(pages, dtype=np.bool_)
    work = np.zeros(pages, dtype=np.int64)
    code = np.zeros(pages, dtype=np.int64)
    lacking = np.zeros(pages, dtype=np.int64)
    origin = np.zeros(pages, dtype=np.int64)
    being = np.zeros(pages, dtype=np.bool_)
    ranks = np.zeros(pages, dtype=np.int64)
    kind = np.zeros(pages, dtype=np.int64)
    askable = np.zeros(pages, dtype=np.int64)
    asking = np.zeros(together, dtype=np.int64)
    candidates = np.zeros(pages, dtype=np.int64)
    choosing = np.zeros(together, dtype=np.int64)
    requests = 0
    targets = 0
    for s in range(len(rows)):
        layer = rows[s, pages]
        size = 0
        asked = 0
        able = 0
        for q in range(pages):
            before[q] = rows[s, q]
            told[q] = before[q] >= 2 * base
            known[q] = before[q] - (2 * base if told[q] else 0)
            held[q] = known[q] >= base
            if held[q]:
                known[q] -= base
                size += 1
            if told[q]:
                asked += 1
            elif first_page[layer] <= q < first_page[layer + 1]:
                askable[able] = q
                able += 1
        ends = asked + together >= per_visit
        following = (layer + 1) % layers if ends else layer
        shift = first_page[following] if rotation else 0
        more = first_choice(able, asking)
        while more:
            fault = 0
            for q in range(pages):
                work[q] = known[q]
            for i in range(together):
                page = askable[asking[i]]
                being[page] = True
                requested[requests, i] = page
                if not held[page]:
                    fault += 1
            # An atomic visit is to OPT as if its pages were requested one by one, and once more.
            paid = 0
            for _ in range(1 if together == 1 else 2):
                for i in range(together):
                    paid += _update(work, askable[asking[i]], opt_cache)
            # The row with the pages cached, sorted again inside each layer; origin says where pages were.
            for j in range(layers):
                for q in range(first_page[j], first_page[j + 1]):
                    code[q] = work[q]
                    if being[q] or held[q]:
                        code[q] += base
                    if not ends and (being[q] or told[q]):
                        code[q] += 2 * base
                    place = sort_in(code, first_page[j], q)
                    for p in range(q, place, -1):
                        origin[p] = origin[p - 1]
                    origin[place] = q
            leaving = max(0, size + fault - cache)
            if leaving > 0:
                for j in range(layers):
                    for q in range(first_page[j], first_page[j + 1]):
                        ranks[q] = HUGE
                        if held[origin[q]] and not being[origin[q]]:
                            ago = (layer - j) % layers
                            if j == layer and not ends and code[q] < 2 * base:
                                ago = layers
                            ranks[q] = rank[work[origin[q]], ago]
                            kind[q] = code[q] + 4 * base * j
            # Of the last rank to leave there is a choice, pages of smaller rank leave in any case.
            worst = -1
            sure = 0
            count = 0
            while sure + count < leaving:
                sure += count
                count = 0
                least = HUGE
                for q in range(pages):
                    if worst < ranks[q] < least:
                        least = ranks[q]
                        count = 0
                    if ranks[q] == least:
                        candidates[count] = q
                        count += 1
                worst = least
            choice = choosing[: leaving - sure]
            open_ = first_choice(count, choice)
            while open_:
                lacking[:] = code
                left = 0
                at = 0
                for j in range(layers):
                    for q in range(first_page[j], first_page[j + 1]):
                        gone = leaving > 0 and ranks[q] < worst
                        if at < len(choice) and candidates[choice[at]] == q:
                            gone = True
                            at += 1
                        if gone:
                            lacking[q] -= base
                            sort_in(lacking, first_page[j], q)
                            victims[targets, left] = origin[q]
                            left += 1
                for i in range(left, together):
                    victims[targets, i] = pages
                for p in range(pages):
                    after[targets, (p - shift) % pages] = lacking[p]
                after[targets, pages] = 0 if rotation else following
                targets += 1
                open_ = next_choice(kind, candidates, count, choice)
            for i in range(together):
                being[askable[asking[i]]] = False
            target_ends[requests] = targets
            codes[requests] = fault + (together + 1) * paid
            requests += 1
            more = next_choice(before, askable, able, asking)
        request_ends[s] = requests
    return requests, targets


@compiled
def swap(rows: Small, one: int, other: int) -> None:
    """Let two rows of a table change places."""
    for i in range(rows.shape[1]):
        rows[one, i], rows[other, i] = rows[other, i], rows[one, i]


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
                        swap(victims, e, first)
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
                swap(victims, e, first)
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
