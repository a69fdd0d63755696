"""The widget itself; importing it needs the extra ``notebook``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from paging.viewer.film import Film

STATIC = Path(__file__).parent / "static"


class Viewer(anywidget.AnyWidget):
    """A film with its controls.

    Attributes
    ----------
    film : dict
        The frames, precomputed; nothing is asked of the kernel while it plays.
    at : int
        The request shown, counted from 1; 0 is the cold start. Set it to jump.
    """

    _esm = STATIC / "view.js"
    _css = STATIC / "view.css"
    film = traitlets.Dict().tag(sync=True)
    at = traitlets.Int(0).tag(sync=True)

    def __init__(self, film: Film) -> None:
        super().__init__(film=film.as_dict())
        self._still = film._repr_html_()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Add a table for places that keep the page but run no script."""
        bundle = super()._repr_mimebundle_(**options)
        if isinstance(bundle, tuple):
            data, metadata = bundle
            return {"text/html": self._still, **data}, metadata
        return {"text/html": self._still, **bundle} if bundle else bundle
