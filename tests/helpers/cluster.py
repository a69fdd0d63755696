"""A real Dask cluster on this machine: a scheduler and workers, each a process that can be killed."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import DEVNULL, Popen

ROOT = Path(__file__).resolve().parents[2]

STRICT = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
"""A job that loses its worker is not tried on another one by Dask itself."""


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class Processes:
    """A scheduler and its workers.

    Parameters
    ----------
    folder : Path
        Where the workers keep what they keep.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.started: list[Popen[bytes]] = []
        self.scheduler = self.start_scheduler()

    def _start(self, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Popen[bytes]:
        path = os.pathsep.join(filter(None, [(env or {}).get("PYTHONPATH"), str(ROOT)]))
        given = {**os.environ, **STRICT, **(env or {}), "PYTHONPATH": path}
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        process = Popen(command, cwd=self.folder, env=given, stdout=DEVNULL, stderr=DEVNULL)
        self.started.append(process)
        return process

    def start_scheduler(self) -> Popen[bytes]:
        """Start the scheduler, or start it again at the same address."""
        host = ("--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        return self._start("dask_scheduler", *host)

    def start_worker(self, *arguments: str, env: Mapping[str, str] | None = None) -> Popen[bytes]:
        """Start a worker that does one job at a time."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
        return self._start("dask_worker", self.address, *options, *arguments, env=env)

    def end(self) -> None:
        """Kill everything that was started."""
        for process in self.started:
            process.kill()
        for process in self.started:
            process.wait()


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
