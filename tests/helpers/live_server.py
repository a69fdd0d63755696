"""The installed command ``paging play`` as a process, for tests that talk to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("paging")


class LiveServer:
    """A running server: its address, and requests to it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.address = f"http://{self.host}/"

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=120)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, HTTPResponse]:
        """Return status, body (decoded if it is JSON) and the response."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
            kind = response.headers.get("content-type", "")
            return response.status, json.loads(content) if "json" in kind else content, response
        finally:
            connection.close()

    def post(self, path: str, value: object, **headers: str) -> tuple[int, Any]:
        """Send a form as the page does."""
        sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        status, answer, _ = self.send("POST", path, json.dumps(value).encode(), sent)
        return status, answer


@contextmanager
def running(*options: str, folder: Path | None = None) -> Iterator[LiveServer]:
    """Start ``paging play`` on a free port and stop it at the end."""
    command = [str(PROGRAM), "play", "--no-open", *options]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            assert found, f"no address in {line!r}"
            yield LiveServer(process, int(found[1]))
        finally:
            process.terminate()
