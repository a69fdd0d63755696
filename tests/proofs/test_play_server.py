"""The live page's server against other sites and hostile input, over real connections on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from paging import LayeredInstance, RequestSequence, Trace, write_trace
from paging.cli.main import run as paging_run
from proofs.play.app import MAX_BODY, SECURITY
from proofs.play.server import CONNECTIONS, Connection
from tests.helpers.live_server import LiveServer, running

JSON = {"content-type": "application/json"}
ADVERSARY = {
    "mode": "adversary",
    "policy": "lru",
    "layers": 2,
    "pages": 3,
    "cache": 3,
    "rounds": 6,
    "goal": "3/2",
    "seed": 0,
}


WATCH = {
    "mode": "watch",
    "policy": "lru",
    "source": "construction:cyclic",
    "layers": 2,
    "pages": 4,
    "cache": 7,
    "rounds": 10,
    "seed": 0,
}

COMPLETE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with running() as started:
        yield started
        started.process.terminate()
        assert started.process.communicate(timeout=60)[1] == ""  # no refusal is a traceback in the terminal


@pytest.fixture(autouse=True)
def _still_up(server: LiveServer) -> Iterator[None]:
    """After every test the server still answers."""
    yield
    assert server.send("GET", "/api/choices")[0] == 200
    assert server.process.poll() is None


def refused(status: int, answer: Any, expected: int) -> str:
    """Return the message of a refusal: one line of JSON."""
    assert status == expected, answer
    assert set(answer) == {"error"}
    assert "\n" not in answer["error"]
    assert len(answer["error"]) < 1200
    return str(answer["error"])


@pytest.mark.slow
def test_the_page_and_its_files_are_served_with_strict_headers(server: LiveServer) -> None:
    for path in (
        "/",
        "/app.js",
        "/app.css",
        "/view.js",
        "/view.css",
        "/icon.svg",
        "/api/choices",
        "/nowhere",
    ):
        _, _, response = server.send("GET", path)
        assert {name: response.headers[name] for name in SECURITY} == SECURITY
        assert response.headers["server"] is None
    policy = SECURITY["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_has_no_inline_script_or_style(server: LiveServer) -> None:
    page = server.send("GET", "/")[1].decode()
    assert page.count("<script") == 1
    assert "style=" not in page
    assert "<style" not in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.slow
def test_a_game_over_the_wire(server: LiveServer) -> None:
    status, game = server.post("/api/games", ADVERSARY)
    assert status == 201
    path = f"/api/games/{game['id']}"
    status, after = server.post(f"{path}/moves", {"page": 1, "after": 0})
    assert (status, after["moves"], after["film"]["frames"][0]["page"]) == (200, 1, 1)
    assert server.send("GET", path)[1] == after
    assert server.post(f"{path}/back", {})[1] == game


def test_two_games_do_not_touch_each_other(server: LiveServer) -> None:
    one, two = (server.post("/api/games", ADVERSARY)[1]["id"] for _ in range(2))
    assert one != two
    server.post(f"/api/games/{one}/moves", {"page": 0, "after": 0})
    assert server.send("GET", f"/api/games/{one}")[1]["moves"] == 1
    assert server.send("GET", f"/api/games/{two}")[1]["moves"] == 0


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example:{port}",
        "[::1]:{port}",
        "",
    ],
)
def test_another_host_name_is_refused(server: LiveServer, host: str) -> None:
    name = host.replace("{port}", str(server.port))
    for method, path in (("GET", "/"), ("GET", "/api/choices"), ("POST", "/api/games")):
        status, answer, _ = server.send(method, path, b"{}", {**JSON, "host": name})
        refused(status, answer, 421)


def test_localhost_is_the_same_server(server: LiveServer) -> None:
    assert server.send("GET", "/", headers={"host": f"localhost:{server.port}"})[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:1"],
)
def test_another_origin_is_refused(server: LiveServer, origin: str) -> None:
    name = origin.replace("{port}", str(server.port))
    refused(*server.post("/api/games", ADVERSARY, origin=name), 403)
    status, answer, _ = server.send("GET", "/api/choices", headers={"origin": name})
    refused(status, answer, 403)


def test_its_own_origin_is_accepted(server: LiveServer) -> None:
    assert server.post("/api/games", ADVERSARY, origin=f"http://{server.host}")[0] == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_forms_that_another_site_could_send_without_asking_are_refused(server: LiveServer, kind: str) -> None:
    body = json.dumps(ADVERSARY).encode()
    status, answer, _ = server.send("POST", "/api/games", body, {"content-type": kind})
    refused(status, answer, 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + json.dumps(ADVERSARY).encode(),
        json.dumps(ADVERSARY).encode()[:-1] + b', "mode": "watch"}',
        b'{"mode": NaN}',
        b'{"mode": Infinity}',
        b"[" * 8000,
        b'{"a":' * 2000,
        b'{"seed": ' + b"9" * 9000 + b"}",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
    ],
    ids=lambda body: repr(body[:14]),
)
def test_what_is_no_form_is_refused(server: LiveServer, body: bytes) -> None:
    for path in ("/api/games", "/api/games/nobody/moves"):
        status, answer, _ = server.send("POST", path, body, JSON)
        refused(status, answer, 400)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"layers": "2"}, 400),
        ({"layers": -1}, 422),
        ({"layers": 10**18}, 422),
        ({"cache": 1.5}, 400),
        ({"pages": None}, 400),
        ({"policy": "os:system"}, 422),
        ({"policy": "\u0000\ud800"}, 422),
        ({"policy": ["lru"]}, 400),
        ({"pages": 100}, 422),
        ({"rounds": 100_000}, 422),
        ({"goal": "9" * 100}, 422),
        ({"surplus": 1}, 400),
    ],
)
def test_values_out_of_range_are_refused(server: LiveServer, change: dict[str, Any], status: int) -> None:
    refused(*server.post("/api/games", {**ADVERSARY, **change}), status)


def test_moves_out_of_range_are_refused_and_change_nothing(server: LiveServer) -> None:
    path = f"/api/games/{server.post('/api/games', ADVERSARY)[1]['id']}"
    for page, after, status in (
        (4, 0, 422),
        (6, 0, 422),
        (-1, 0, 422),
        (10**12, 0, 422),
        (True, 0, 400),
        ("0", 0, 400),
        (0.0, 0, 400),
        (None, 0, 400),
        (0, 3, 409),
        (0, -1, 422),
    ):
        refused(*server.post(f"{path}/moves", {"page": page, "after": after}), status)
    refused(*server.post(f"{path}/moves", {"page": 0}), 400)
    refused(*server.post(f"{path}/back", {}), 409)
    refused(*server.post(f"{path}/back", {"by": 2}), 400)
    assert server.send("GET", path)[1]["moves"] == 0


def test_a_finished_game_takes_no_more_moves(server: LiveServer) -> None:
    path = f"/api/games/{server.post('/api/games', {**ADVERSARY, 'rounds': 1})[1]['id']}"
    server.post(f"{path}/moves", {"page": 0, "after": 0})
    assert server.post(f"{path}/moves", {"page": 3, "after": 1})[1]["over"]
    assert "the game is over" in refused(*server.post(f"{path}/moves", {"page": 0, "after": 2}), 409)


@pytest.mark.parametrize(
    "path", ["/api/games/nobody", "/api/games/..%2f..%2fetc", "/api/games/" + "x" * 5000]
)
def test_unknown_games_are_refused_with_the_reason(server: LiveServer, path: str) -> None:
    status, answer, _ = server.send("GET", path)
    assert status == 404
    assert set(answer) == {"error"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/../../pyproject.toml", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/%2e%2e/app.py", 404),
        ("GET", "/app.py", 404),
        ("GET", "/view.js/", 404),
        ("DELETE", "/api/choices", 405),
        ("PUT", "/", 405),
        ("GET", "/api/games", 405),
        ("OPTIONS", "/api/games", 405),
    ],
)
def test_there_is_no_other_way_in(server: LiveServer, method: str, path: str, status: int) -> None:
    found, answer, _ = server.send(method, path)
    refused(found, answer, status)


def opening(server: LiveServer) -> str:
    """Return the first lines of a form, to be sent byte by byte."""
    return f"POST /api/games HTTP/1.1\r\nhost: {server.host}\r\ncontent-type: application/json\r\n"


def memory_of(process: subprocess.Popen[str]) -> int:
    """Return the bytes of memory a process holds."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell the memory of a process")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return 1024 * int(line.split()[1])


def test_a_body_of_100_megabytes_is_refused_and_not_held(server: LiveServer) -> None:
    before = memory_of(server.process)
    size, chunk = 100 * 2**20, b" " * 2**16
    heads = (f"content-length: {size}", "transfer-encoding: chunked")
    for head in heads:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
            raw.sendall(f"{opening(server)}{head}\r\n\r\n".encode())
            sent = 0
            try:
                while sent < size:
                    raw.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk) if "chunked" in head else chunk)
                    sent += len(chunk)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the server has answered and hung up, as it should
            assert sent < size
    status, answer, _ = server.send("POST", "/api/games", b" " * (MAX_BODY + 1), JSON)
    assert f"at most {MAX_BODY:,} bytes" in refused(status, answer, 413)
    assert server.send("POST", "/api/games", b" " * MAX_BODY, JSON)[0] == 400
    assert memory_of(server.process) - before < 20 * 2**20


@pytest.mark.parametrize("length", ["-1", "x", "1" * 30, "1e3"])
def test_a_forged_length_is_refused(server: LiveServer, length: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(f"{opening(server)}content-length: {length}\r\n\r\n".encode())
        assert raw.recv(100).split()[1] in (b"400", b"413")


def test_a_form_that_breaks_off_harms_nobody(server: LiveServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(f"{opening(server)}content-length: 500\r\n\r\n{{".encode())
    assert server.post("/api/games", ADVERSARY)[0] == 201


def test_headers_without_end_are_refused(server: LiveServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(f"GET / HTTP/1.1\r\nhost: {server.host}\r\n".encode())
        answer = b""
        try:
            for _ in range(200):
                raw.sendall(b"x-more: " + b"y" * 4000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return
        answer = raw.recv(100)
        assert answer.split()[1] in (b"400", b"431")


SLOW_FORM = (
    "POST /api/games HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n"
    "content-type: application/json\r\ncontent-length: 200\r\n\r\n{{"
)


@pytest.mark.parametrize("begun", ["GET / HTTP/1.1\r\n", SLOW_FORM], ids=["head", "form"])
def test_idle_connections_take_nobodys_place(begun: str, server: LiveServer) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(2 * CONNECTIONS)]
    try:
        for raw in idle[-CONNECTIONS - 50 :]:  # begun, and never completed
            with contextlib.suppress(OSError):  # closed to make room
                raw.sendall(begun.format(host=server.host).encode())
        for _ in range(5):
            assert server.send("GET", "/view.css")[0] == 200
        assert idle[0].recv(1) == b""  # closed to make room
    finally:
        for raw in idle:
            raw.close()


@pytest.mark.parametrize(
    ("sent", "limit"),
    [(b"", "HEAD_SECONDS"), (b"GET / HTTP/1.1\r\n", "HEAD_SECONDS"), (COMPLETE, "ANSWER_SECONDS")],
)
def test_a_connection_is_not_kept_for_nothing(sent: bytes, limit: str) -> None:
    class Hasty(Connection):
        pass

    setattr(Hasty, limit, 0.01)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def talk() -> bytes:
        config = uvicorn.Config(never, http=Hasty, ws="none", lifespan="off")
        config.load()
        state = ServerState()
        served = await asyncio.get_running_loop().create_server(
            lambda: Hasty(config, state, {}), "127.0.0.1", 0
        )
        async with served:
            reader, writer = await asyncio.open_connection(*served.sockets[0].getsockname())
            writer.write(sent)
            try:
                answer = await reader.read()
            except ConnectionResetError:
                answer = b""
            writer.close()
            assert not state.connections
            for task in state.tasks:
                task.cancel()
            return answer

    assert asyncio.run(talk()) == b""


@pytest.mark.slow
def test_games_beyond_the_bound_close_the_longest_idle_one() -> None:
    from proofs.play.store import MAX_GAMES

    with running() as server:
        first = server.post("/api/games", ADVERSARY)[1]["id"]
        for _ in range(MAX_GAMES):
            assert server.post("/api/games", ADVERSARY)[0] == 201
        status, answer, _ = server.send("GET", f"/api/games/{first}")
        assert "start a new one" in refused(status, answer, 404)


# The command


def test_it_listens_on_loopback_alone(server: LiveServer) -> None:
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with pytest.raises(OSError, match=r"."):
            socket.create_connection((address, server.port), timeout=5).close()


def test_a_port_in_use_is_one_clear_line(server: LiveServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert paging_run(("play", "--no-open", "--port", str(server.port))) == 2
    error = capsys.readouterr().err
    assert f"port {server.port} is in use: name another one with --port" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--port", "70000"), "70000"),
        (("-p", "lry"), "did you mean lru"),
        (("--trace", "none.npz"), "none.npz"),
    ],
)
def test_the_command_refuses_in_one_line(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paging_run(("play", "--no-open", *words)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_ctrl_c_ends_it_quietly() -> None:
    with running() as server:
        server.send("GET", "/")
        server.process.send_signal(signal.SIGINT)
        out, err = server.process.communicate(timeout=60)
        assert (server.process.returncode, out, err) == (0, "", "")


def test_the_browser_is_opened_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    import uvicorn

    from proofs.play.forms import Catalogue
    from proofs.play.server import serve

    opened: list[str] = []
    done = threading.Event()
    monkeypatch.setattr("webbrowser.open", lambda address: (opened.append(address), done.set()))
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: done.wait(30))
    told: list[str] = []
    serve(Catalogue(), 0, opened=told.append, browser=True)
    assert opened == told


@pytest.mark.slow
def test_traces_and_policies_of_the_command_line_are_offered(tmp_path: Path) -> None:
    mine = "from paging.policies.recency import LRU\n\n\nclass Mine(LRU):\n    id, title = 'mine', 'my own'\n"
    (tmp_path / "mine.py").write_text(mine)
    requests = RequestSequence(LayeredInstance(2, 2, 2), [0, 2, 1, 3, 0, 3])
    write_trace(Trace.from_sequence(requests), tmp_path / "t.npz")
    form = {**WATCH, "policy": "mine:Mine", "source": "trace:t.npz", "cache": 2}
    with running("-p", "mine:Mine", "--trace", "t.npz", folder=tmp_path) as server:
        choices = server.send("GET", "/api/choices")[1]
        assert choices["policies"][0] == {"id": "mine:Mine", "title": "my own", "told": None}
        assert choices["traces"][0]["id"] == "t.npz"
        status, game = server.post("/api/games", form)
        assert status == 201
        assert [frame["page"] for frame in game["film"]["frames"]] == [0, 2, 1, 3, 0, 3]
        assert game["film"]["title"] == "my own"
