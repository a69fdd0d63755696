"""What an answer did: a policy's labels before and after a request, judged by the problem's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from paging.errors import IllegalAnswerError
from paging.model import (
    APPEARED,
    BYPASS,
    FREE,
    HIT,
    LEFT_ON_HIT,
    MISSING,
    SEVERAL,
    TOO_MANY,
    Frame,
    LabelArray,
    PageArray,
    Serve,
)

Labels = LabelArray | Sequence[int]


def judge(before: Labels, after: Labels, page: int, cache: int, bypassing: bool) -> int:
    """Derive what an answer did: the page that left, or an :class:`~paging.model.Entry`."""
    size, left, victim = 0, 0, FREE
    for q in range(len(after)):
        if after[q] > 0:
            size += 1
            if before[q] <= 0 and q != page:
                return APPEARED
        elif before[q] > 0:
            left += 1
            victim = q
    if size > cache:
        return TOO_MANY
    if after[page] <= 0:
        return BYPASS if bypassing and before[page] <= 0 and left == 0 else MISSING
    if before[page] > 0:
        return HIT if left == 0 else LEFT_ON_HIT
    if left > 1:
        return SEVERAL
    return victim


def drive(
    serve: Serve,
    judge: Callable[[Labels, Labels, int, int, bool], int],
    requests: PageArray,
    slots: NDArray[np.int64],
    frame: Frame,
    predictions: NDArray[np.int64],
    atomic: bool,
    bypassing: bool,
    entries: PageArray,
    labels: LabelArray,
) -> tuple[int, int, int]:
    """Serve all requests; return (faults, time of an illegal answer or −1, its code).

    ``frame`` is that of :meth:`~paging.model.Frame.served_together` where visits are atomic.
    ``slots`` is the place of every request in its round, or empty where all visits are full; ``predictions``
    is empty where nothing is predicted.
    Plain loops over integer arrays: the same text runs as Python and compiled.
    """
    faults = 0
    group = frame.per_visit
    before = labels.copy()
    for start in range(0, len(requests), group):
        end = min(start + group, len(requests))
        served = np.zeros(group, dtype=np.bool_)
        slot = start % (frame.layers * group)
        # An atomic visit serves its hits first, so that none of its pages has to leave for another.
        for hits_first in range(2 if atomic else 1):
            for t in range(start, end):
                page = int(requests[t])
                if served[t - start] or (atomic and hits_first == 0 and labels[page] <= 0):
                    continue
                served[t - start] = True
                before[:] = labels
                if len(predictions) > 0:
                    frame = Frame(
                        frame.layers,
                        frame.cache,
                        frame.per_visit,
                        frame.layer_of,
                        frame.first_page,
                        frame.weights,
                        int(predictions[t]),
                        frame.held,
                    )
                serve(labels, page, slot if len(slots) == 0 else slots[t], frame)
                slot += 1
                if atomic:
                    frame.held[page] = True
                entry = judge(before, labels, page, frame.cache, bypassing)
                if entry <= MISSING:
                    labels[:] = before
                    return faults, t, entry
                if entry != HIT and entry != LEFT_ON_HIT:
                    faults += 1
                if len(entries) > 0:
                    entries[t] = entry
        if atomic:
            for t in range(start, end):
                if labels[requests[t]] <= 0:
                    return faults, t, MISSING
                frame.held[requests[t]] = False
    return faults, -1, 0


BREACHES = {
    MISSING: "the requested page is missing afterwards",
    APPEARED: "a page that was not requested appeared in the cache",
    TOO_MANY: "more than k pages are cached",
}
"""What an answer may not do, in words."""


def complaint(code: int, time: int, page: int, policy: str, cache: Iterable[int]) -> IllegalAnswerError:
    """Return the error that says which answer broke which rule."""
    where = f"policy {policy}, request {time} (page {page})"
    return IllegalAnswerError(f"{where}: {BREACHES[code]}; the cache before was {sorted(cache)}")


def breach(
    policy: str, serve: Serve, asked: Iterable[tuple[LabelArray, int, int]], frames: Iterable[Frame]
) -> IllegalAnswerError:
    """Return the error for the first illegal answer to one of some requests, of which no time is known.

    Parameters
    ----------
    policy : str
        Its name.
    serve : callable
    asked : iterable of (labels, page, slot)
    frames : iterable of Frame
        Each request is asked with each.
    """
    told = list(frames)
    for labels, page, slot in asked:
        for frame in told:
            after = labels.copy()
            serve(after, page, slot, frame)
            code = judge(labels, after, page, frame.cache, False)
            if code <= MISSING:
                where = f"policy {policy}, a request of page {page} where the labels are {labels.tolist()}"
                return IllegalAnswerError(f"{where}: {BREACHES[code]}; afterwards they are {after.tolist()}")
    return IllegalAnswerError(f"policy {policy} does not have all pages of an atomic visit at its end")
