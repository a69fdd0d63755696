"""Registries that installed packages add to by entry points: one way to load what they bring."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, MutableMapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from paging.errors import LayeredPagingError

T = TypeVar("T")


def from_outside(
    group: str, what: str, fits: Callable[[object], bool], own: Container[str]
) -> dict[str, Any]:
    """Load what installed packages registered under an entry-point group, by id.

    Parameters
    ----------
    group : str
        The entry points' group. An entry's name is the id of what it names.
    what : str
        What it must be, in words.
    fits : callable
        Whether it is that.
    own : container of str
        Ids that are taken.

    Raises
    ------
    LayeredPagingError
        An entry cannot be loaded, is something else, or its id is not its name, or taken.
    """
    return {point.name: _load(point, what, fits, own) for point in entry_points(group=group)}


def _load(point: EntryPoint, what: str, fits: Callable[[object], bool], own: Container[str]) -> Any:
    where = f"entry point {point.name} = {point.value} (group {point.group})"
    try:
        found = point.load()
    except Exception as error:  # an outside package may fail in any way; say which one it was
        raise LayeredPagingError(f"{where} cannot be loaded: {error}") from error
    if not fits(found):
        raise LayeredPagingError(f"{where} is not {what}")
    if found.id != point.name or point.name in own:
        raise LayeredPagingError(f"{where}: it has the id {found.id!r}; it must equal the name and be new")
    return found


class Registry(MutableMapping[str, T]):
    """Entries by id, our own first; those of installed packages are loaded when somebody looks.

    Parameters
    ----------
    group : str
        The entry-point group under which packages register theirs.
    kind : type
        What an entry is.
    own : iterable
        Our own entries; each has an ``id``.

    Examples
    --------
    >>> from paging.workloads import WORKLOADS
    >>> "zipf" in WORKLOADS, next(iter(WORKLOADS))
    (True, 'uniform')
    """

    def __init__(self, group: str, kind: type[T], own: Iterable[Any] = ()) -> None:
        self.group, self.kind = group, kind
        self._own: dict[str, T] = {}
        self.add(own)

    def add(self, own: Iterable[Any]) -> None:
        """Add entries of our own, before anybody looks."""
        self._own |= {entry.id: entry for entry in own}

    @cached_property
    def _entries(self) -> dict[str, T]:
        what = f"a {self.kind.__module__.partition('.')[0]} {self.kind.__name__}"
        return self._own | from_outside(
            self.group, what, lambda found: isinstance(found, self.kind), self._own
        )

    def __getitem__(self, id: str) -> T:
        return self._entries[id]

    def __setitem__(self, id: str, entry: T) -> None:
        self._entries[id] = entry

    def __delitem__(self, id: str) -> None:
        del self._entries[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
