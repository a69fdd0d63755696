"""Offline schedules for few pages: one fault per k-phase, or one load per page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from paging.arguments import checked
from paging.errors import ModelError
from paging.model import BYPASS, FREE, HIT, RequestSequence, Schedule
from paging.offline import phase_starts


@checked
def phase_schedule(sequence: RequestSequence) -> tuple[Schedule, tuple[int, ...]]:
    """Return an offline schedule that faults once per k-phase on at most k + 1 distinct pages.

    A phase requests k of the k + 1 pages; the one left out opens the next phase. At the start of every phase
    after the first the schedule lacks exactly the requested page and evicts the page that this phase leaves
    out, so the next fault comes with the next phase. The first phase loads its k pages.

    Parameters
    ----------
    sequence : RequestSequence
        At most k + 1 distinct pages, k the cache of its instance.

    Returns
    -------
    schedule : Schedule
    starts : tuple of int
        Start times of the k-phases.

    Raises
    ------
    ModelError
        More than k + 1 distinct pages are requested.
    """
    cache = sequence.instance.cache
    requests = sequence.requests.tolist()
    pages = set(requests)
    if len(pages) > cache + 1:
        raise ModelError(f"{len(pages)} distinct pages are requested, one fault a phase needs ≤ k + 1")
    starts = phase_starts(requests, cache)
    entries = np.full(len(requests), HIT, dtype=np.int32)
    first_end = starts[1] if len(starts) > 1 else len(requests)
    loaded, opening = np.unique(sequence.requests[:first_end], return_index=True)
    entries[opening] = FREE
    present = set(loaded.tolist())
    for start, end in pairwise([*starts[1:], len(requests)]):
        left_out = min(present - set(requests[start:end]))
        entries[start] = left_out
        present = (present - {left_out}) | {requests[start]}
    return Schedule(sequence, entries), tuple(starts)


@checked
def window_schedule(sequence: RequestSequence) -> tuple[Schedule, tuple[int, ...]]:
    """Return an offline schedule with bypassing, one fault per window, on at most k + 1 distinct pages.

    A window ends with the request that makes it k + 1 distinct pages. The schedule holds all pages but that
    one; it loads it at the end of the window in place of the page that will end the next window, or
    bypasses it if that is the same. The first window loads its first k pages.

    Parameters
    ----------
    sequence : RequestSequence
        With bypassing; at most k + 1 distinct pages, k the cache of its instance.

    Returns
    -------
    schedule : Schedule
    starts : tuple of int
        Start times of the windows; the last one may be empty.

    Raises
    ------
    ModelError
        Bypassing is not allowed, or more than k + 1 distinct pages are requested.
    """
    cache, requests = sequence.instance.cache, sequence.requests.tolist()
    pages = set(requests)
    if not sequence.instance.bypassing or len(pages) > cache + 1:
        raise ModelError(f"one fault a window needs bypassing and ≤ k + 1 distinct pages, not {len(pages)}")
    starts, window = [0], set[int]()
    for time, page in enumerate(requests):
        window.add(page)
        if len(window) > cache:
            starts.append(time + 1)
            window = set()
    entries = np.full(len(requests), HIT, dtype=np.int32)
    filling = sequence.requests[: starts[1] - 1] if len(starts) > 1 else sequence.requests
    entries[np.unique(filling, return_index=True)[1]] = FREE
    for start, end in pairwise([*starts[1:], len(requests) + 1]):
        closing = requests[start - 1]
        left_out = min(pages - set(requests[start : end - 1]))
        entries[start - 1] = BYPASS if left_out == closing else left_out
    return Schedule(sequence, entries), tuple(starts)


def loads_once(sequence: RequestSequence, victims: Sequence[int]) -> Schedule:
    """Return the offline schedule that loads every page once, when it is first requested.

    Parameters
    ----------
    sequence : RequestSequence
    victims : sequence of int
        The pages that leave for those after the first k, in this order; they must not come again.
    """
    entries = np.full(len(sequence), HIT, dtype=np.int32)
    loads = np.sort(np.unique(sequence.requests, return_index=True)[1])
    entries[loads[: sequence.instance.cache]] = FREE
    later = loads[sequence.instance.cache :]
    entries[later] = victims[: len(later)]
    return Schedule(sequence, entries)
