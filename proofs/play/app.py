"""The web app: routes, and a guard that trusts nothing a page or another site sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paging.errors import LayeredPagingError
from paging.files import without_repeats
from proofs.play.forms import Catalogue, Form, FormError
from proofs.play.games import GameOverError, StaleMoveError
from proofs.play.store import Store, UnknownGameError

MAX_BODY = 16 * 1024
"""Bytes of a form at most; the largest one the page sends has a few hundred."""

MAX_SECONDS = 10.0
"""How long a form may take to arrive."""

AT_ONCE = 2
"""Games computed at the same time; further ones wait."""

SECURITY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}

KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

PAGES = {
    "/": ("proofs.play", "index.html"),
    "/app.js": ("proofs.play", "app.js"),
    "/app.css": ("proofs.play", "app.css"),
    "/icon.svg": ("proofs.play", "icon.svg"),
    "/view.js": ("paging.viewer", "view.js"),
    "/view.css": ("paging.viewer", "view.css"),
}
"""Every file that is served, by its path; there is no other way to a file."""


class Guard:
    """Let only requests of the page itself through, and add the security headers to every answer.

    Parameters
    ----------
    app : ASGI application
    hosts : iterable of str
        What the Host header may be, with the port. A page of another site that has its own name resolved to
        this machine (DNS rebinding) still sends its own name.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY)
            await send(message)

        problem = self._problem(scope)
        await (problem or self.app)(scope, receive, guarded)

    def _problem(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.getlist("host") == [] or not set(headers.getlist("host")) <= self.hosts:
            return answer(421, {"error": "this server answers under its own address only"})
        origins = {f"http://{host}" for host in self.hosts}
        if not set(headers.getlist("origin")) <= origins:
            return answer(403, {"error": "requests of other sites are refused"})
        if scope["method"] == "POST" and headers.get("content-type") != "application/json":
            return answer(415, {"error": "a form is sent as application/json"})
        return None


def answer(status: int, value: object) -> Response:
    """Return a JSON response."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


async def read_form(request: Request) -> object:
    """Read a small JSON body, refusing a large or slow one before it is held."""
    too_large = HTTPException(413, f"a form has at most {MAX_BODY:,} bytes")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > MAX_BODY:
        raise too_large
    body = bytearray()
    try:
        with anyio.fail_after(MAX_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise too_large
    except TimeoutError:
        raise HTTPException(408, f"the form did not arrive within {MAX_SECONDS:.0f} seconds") from None
    try:
        return json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=without_repeats)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the form is not valid JSON") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)


STATUS: dict[type[LayeredPagingError], int] = {
    FormError: 400,
    UnknownGameError: 404,
    GameOverError: 409,
    StaleMoveError: 409,
}
"""Status of an error; every other one of ours means that a value cannot be used: 422."""


async def _refused(_: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
    return answer(status, {"error": " ".join(str(error).split())})


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = answer(error.status_code, {"error": error.detail})
    if error.status_code in (408, 413):
        response.headers["connection"] = "close"  # whatever is still on its way is not read
    return response


async def _failed(_request: Request, _error: Exception) -> Response:
    return answer(500, {"error": "the server made a mistake; its terminal shows which"})


async def _gone(_request: Request, _error: Exception) -> Response:
    return answer(400, {"error": "the form broke off"})


def _file_route(path: str, package: str, name: str) -> Route:
    content = (files(package) / "static" / name).read_bytes()
    kind = KINDS[name[name.rindex(".") :]]

    async def send_file(_: Request) -> Response:
        return Response(content, media_type=kind)

    return Route(path, send_file, methods=["GET"])


def make_app(catalogue: Catalogue, hosts: Iterable[str], store: Store | None = None) -> Starlette:
    """Return the web app.

    Parameters
    ----------
    catalogue : Catalogue
        What can be chosen.
    hosts : iterable of str
        Host headers that are answered, with the port.
    store : Store, optional
        Where games are kept; default a new one.
    """
    games = Store() if store is None else store
    limiter = anyio.CapacityLimiter(AT_ONCE)
    offered = answer(200, catalogue.describe()).body

    async def computed(work: Callable[[], dict[str, Any]], status: int = 200) -> Response:
        return await run_sync(lambda: answer(status, work()), limiter=limiter)

    async def list_choices(_: Request) -> Response:
        return Response(offered, media_type="application/json")

    async def start(request: Request) -> Response:
        form = await read_form(request)
        return await computed(lambda: games.add(catalogue.start(form)), 201)

    async def show(request: Request) -> Response:
        name = request.path_params["name"]
        return await computed(lambda: games.state(name))

    async def move(request: Request) -> Response:
        form = Form(await read_form(request))
        page, after = form.number("page", 0, 2**31), form.number("after", 0, 2**31)
        form.done()
        name = request.path_params["name"]
        return await computed(lambda: games.move(name, page, after))

    async def take_back(request: Request) -> Response:
        Form(await read_form(request)).done()
        name = request.path_params["name"]
        return await computed(lambda: games.take_back(name))

    app = Starlette(
        routes=[
            *(_file_route(path, package, name) for path, (package, name) in PAGES.items()),
            Route("/api/choices", list_choices, methods=["GET"]),
            Route("/api/games", start, methods=["POST"]),
            Route("/api/games/{name}", show, methods=["GET"]),
            Route("/api/games/{name}/moves", move, methods=["POST"]),
            Route("/api/games/{name}/back", take_back, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={
            LayeredPagingError: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False
    return app
