"""The view as a widget for Jupyter, VS Code and marimo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paging.errors import LayeredPagingError

if TYPE_CHECKING:
    from paging.viewer.film import Film


def viewer(film: Film) -> Any:
    """Return a widget that plays a film.

    Raises
    ------
    LayeredPagingError
        The package anywidget is not installed.
    """
    try:
        from paging.viewer.anywidget import Viewer
    except ImportError as error:
        raise LayeredPagingError(
            f"the widget needs anywidget ({error}): pip install 'layered-paging[notebook]'"
        ) from error
    return Viewer(film)
