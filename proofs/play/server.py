"""Serving the web app on this machine alone."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from typing import ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from paging.cli.terminal import remark
from paging.errors import ModelError
from proofs.play.app import make_app
from proofs.play.forms import Catalogue

ADDRESS = "127.0.0.1"
CONNECTIONS = 100
"""Connections held at a time. All come from this machine, so there is no telling peers apart: a further one
takes the place of the one that has been idle longest."""


class Connection(H11Protocol):
    """A connection that is not kept for nothing.

    It is closed when the head of a request does not arrive in time, when an answer is not taken in time, and
    when it is the one that has been idle longest and another needs its place.
    """

    HEAD_SECONDS: ClassVar[float] = 30.0
    ANSWER_SECONDS: ClassVar[float] = 300.0

    since: float
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._idle()
        idle = [other for other in self.connections if isinstance(other, Connection) and not other.busy]
        if len(self.connections) > CONNECTIONS and idle:
            min(idle, key=lambda other: other.since).drop()

    @property
    def busy(self) -> bool:
        """Whether a whole request has arrived whose answer is not complete."""
        arrived = self.conn.their_state is not h11.SEND_BODY
        return arrived and self.cycle is not None and not self.cycle.response_complete

    def handle_events(self) -> None:
        super().handle_events()
        if self.busy:
            self._close_after(self.ANSWER_SECONDS)

    def on_response_complete(self) -> None:
        self._idle()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def drop(self) -> None:
        """Close the connection at once, whatever is under way."""
        self.connections.discard(self)
        self.transport.abort()

    def _idle(self) -> None:
        """Wait for the head of a request, from now."""
        self.since = self.loop.time()
        self._close_after(self.HEAD_SECONDS)

    def _close_after(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.drop)


def bind(port: int) -> socket.socket:
    """Return a socket on the loopback address, on a free port when ``port`` is 0.

    Raises
    ------
    ModelError
        The port is in use or not allowed.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two servers share a port
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((ADDRESS, port))
        opened.listen(CONNECTIONS)
    except OSError as error:
        opened.close()
        why = "in use" if error.errno == errno.EADDRINUSE else f"not available ({error.strerror})"
        raise ModelError(
            f"port {port} is {why}: name another one with --port, or none for a free one"
        ) from error
    return opened


def serve(catalogue: Catalogue, port: int, *, opened: Callable[[str], None], browser: bool) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    catalogue : Catalogue
        What can be chosen on the page.
    port : int
        0 takes a free one.
    opened : callable
        Told the address once connections are accepted.
    browser : bool
        Whether to open the page in the system's browser.
    """
    listening = bind(port)
    number = listening.getsockname()[1]
    hosts = (f"{ADDRESS}:{number}", f"localhost:{number}")
    config = uvicorn.Config(
        make_app(catalogue, hosts),
        http=Connection,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=2 * CONNECTIONS,  # of those that lost their place some are still ending
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=1,
    )
    address = f"http://{hosts[0]}/"
    opened(address)
    if browser:
        # A browser in the terminal would keep this thread; the server must not wait for it.
        threading.Thread(target=_open, args=(address,), daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        return
    finally:
        listening.close()


def _open(address: str) -> None:
    if not webbrowser.open(address):
        remark("no browser could be opened: open the address yourself")
