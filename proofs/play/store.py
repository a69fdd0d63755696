"""The games of a server: kept apart by unguessable names, bounded in number."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from paging.errors import LayeredPagingError
from proofs.play.games import LiveGame

MAX_GAMES = 64
"""Games kept; a further one takes the place of the one that was idle longest."""


class UnknownGameError(LayeredPagingError, ValueError):
    """No game of this name: never started, or closed to make room."""


@dataclass
class Table:
    """One game and the lock that its moves take."""

    game: LiveGame
    lock: threading.Lock = field(default_factory=threading.Lock)


class Store:
    """Games by name, in the order in which they were last used.

    Parameters
    ----------
    room : int
        Most games kept.
    """

    def __init__(self, room: int = MAX_GAMES) -> None:
        self.room = room
        self._tables: OrderedDict[str, Table] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tables)

    def add(self, game: LiveGame) -> dict[str, Any]:
        """Keep a new game and return its state."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._tables[name] = Table(game)
            while len(self._tables) > self.room:
                self._tables.popitem(last=False)
        return _state(name, game)

    def state(self, name: str) -> dict[str, Any]:
        """Return what a page shows of a game."""
        table = self._table(name)
        with table.lock:
            return _state(name, table.game)

    def move(self, name: str, page: int, after: int) -> dict[str, Any]:
        """Choose a page in a game and return its state."""
        table = self._table(name)
        with table.lock:
            table.game.move(page, after)
            return _state(name, table.game)

    def take_back(self, name: str) -> dict[str, Any]:
        """Take the last move of a game back and return its state."""
        table = self._table(name)
        with table.lock:
            table.game = table.game.taken_back()
            return _state(name, table.game)

    def _table(self, name: str) -> Table:
        with self._lock:
            if name not in self._tables:
                raise UnknownGameError(
                    f"there is no such game (any more): the server keeps the {self.room} games used last and "
                    f"forgets all when it stops; start a new one"
                )
            self._tables.move_to_end(name)
            return self._tables[name]


def _state(name: str, game: LiveGame) -> dict[str, Any]:
    return {"id": name, "moves": len(game.moves), **game.state()}
