"""Seeing a run: films of frames, the widget, one-file pages and tables that need no script."""

from __future__ import annotations

from typing import Any

from paging.arguments import checked
from paging.run import Run
from paging.viewer.film import Film, Guide, Picture, film_of, guides

__all__ = ["Film", "Guide", "Picture", "film_of", "guides", "show"]


@checked
def show(
    run: Run,
    *,
    first: int | None = None,
    start: int = 0,
    opt_cache: int | None = None,
    beside: Run | None = None,
) -> Any:
    """Return a widget that plays a run request by request, beside OPT's cache and the proven bounds.

    Parameters
    ----------
    run : Run
        From :func:`paging.simulate`, a construction's ``run``, or :func:`paging.farthest_in_future`.
    first : int, optional
        Show so many requests only.
    start : int, default 0
        Show none of the first so many requests, though all are served and counted.
    opt_cache : int, optional
        OPT's cache size h; default k.
    beside : Run, optional
        Another run on the same requests, shown in step instead of OPT's cache.

    Returns
    -------
    anywidget.AnyWidget
        For Jupyter, VS Code and marimo. ``at`` is the request shown.

    Raises
    ------
    LayeredPagingError
        anywidget is not installed: ``pip install 'layered-paging[notebook]'``.
    LimitError
        The run is too long to be shown request by request; see ``first``.

    Examples
    --------
    >>> from paging import LayeredInstance, generate, simulate
    >>> run = simulate("lru", generate("zipf:rounds=20", LayeredInstance(2, 4, 4)), record=True)
    >>> widget = show(run)  # in a notebook: the last line of a cell
    >>> len(widget.film["frames"])
    40
    """
    from paging.viewer.widget import viewer

    return viewer(film_of(run, first=first, start=start, opt_cache=opt_cache, beside=beside))
