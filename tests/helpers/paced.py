"""A policy that does what a folder tells it: how long it takes, when it ends the process that it runs in."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np

from paging import Policy, RequestSequence
from paging.model import Frame, LabelArray, PageArray

FOLDER = "PACED"
"""Environment variable: the folder, in which ``log`` names every job that was begun, by its cache size."""


class Paced(Policy):
    """Answer with the cache size as the number of faults."""

    id, title = "paced", "as a folder tells"
    traits = frozenset({"deterministic", "online", "demand"})

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        labels[page] = 1

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int:
        folder, cache = Path(os.environ[FOLDER]), sequence.instance.cache
        with (folder / "log").open("a") as log:
            log.write(f"{cache}\n")
        if (folder / f"die-{cache}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if (folder / f"die-once-{cache}").exists():
            (folder / f"die-once-{cache}").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if (folder / f"memory-{cache}").exists():
            raise MemoryError
        if (folder / "seconds").exists():
            time.sleep(float((folder / "seconds").read_text()))
        return cache


def grid(caches: str, path: Path) -> Path:
    """Write a grid with one job for every cache size."""
    given = {
        "workload": "uniform:requests=2",
        "layers": 1,
        "pages": 2,
        "cache": caches,
        "policy": "tests.helpers.paced:Paced",
    }
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items()))
    return path
