"""What OPT has paid so far, as one label per page: the work function of paging, with unit cost."""

from __future__ import annotations

OPT_SO_FAR = "OPT pays as its work-function labels say (theorem in docs/exact.md)"


def update(work: list[int], page: int, cache: int) -> int:
    """Serve a page in the labels of OPT's work function, in place; return what OPT pays, 0 or 1.

    Label 0: in no optimal cache; label h: in every one. While fewer than h labels are positive OPT has a free
    slot, and no page has to leave.
    """
    label = work[page]
    if label == cache:
        return 0
    if label:
        for q, other in enumerate(work):
            if label <= other < cache:
                work[q] = other - 1
    elif len(work) - work.count(0) >= cache:
        for q, other in enumerate(work):
            if other == cache:
                work[q] = cache - 1
    work[page] = cache
    return 0 if label else 1
