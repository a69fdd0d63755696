"""What OPT has paid so far, as one label per page: the work function of paging, with unit cost."""

from __future__ import annotations

from functools import lru_cache

OPT_SO_FAR = "OPT pays as its work-function labels say (theorem in docs/exact.md)"
ATOMIC = "an atomic visit is to OPT as if its pages were requested twice in turn (theorem in docs/visits.md)"


def opt_so_far(group: int) -> tuple[str, ...]:
    """Return the theorems that what OPT has paid rests on, if so many pages are requested together."""
    return (OPT_SO_FAR, ATOMIC) if group > 1 else (OPT_SO_FAR,)


@lru_cache(maxsize=1000)
def moved(label: int, full: bool, cache: int) -> tuple[int, ...]:
    """Return what becomes of every label 0 … h of another page when a page with this label is served.

    Label 0: in no optimal cache; label h: in every one. While fewer than h labels are positive OPT has a free
    slot (it is not ``full``), and no page has to leave.
    """
    labels = range(cache + 1)
    if label:
        return tuple(other - 1 if label <= other < cache else other for other in labels)
    return tuple(cache - 1 if other == cache and full else other for other in labels)


def update(work: list[int], page: int, cache: int) -> int:
    """Serve a page in the labels of OPT's work function, in place; return what OPT pays, 0 or 1."""
    label = work[page]
    if label < cache <= len(work):
        table = moved(label, len(work) - work.count(0) >= cache, cache)
        work[:] = [table[other] for other in work]
    work[page] = cache  # with more slots than pages, of which no table is made, that is all
    return 0 if label else 1
