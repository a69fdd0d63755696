"""Serving the web app on this machine alone."""

from __future__ import annotations

import errno
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from paging.cli.terminal import remark
from paging.errors import ModelError
from proofs.play.app import make_app
from proofs.play.forms import Catalogue

ADDRESS = "127.0.0.1"
CONNECTIONS = 100


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
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
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
