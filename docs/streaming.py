"""Measure runs on traces that are read in chunks, and draw the figure of the page on speed.

``python docs/streaming.py 7 8 9`` makes traces of about 10⁷, 10⁸ and 10⁹ requests (61 layers, 256 pages, 8 a
visit; two bytes a request in a temporary folder, and eleven more while OPT is certified), runs the installed
command on each, and keeps seconds, processor seconds and memory in ``docs/data/streaming.csv``, a row a run,
beside the rows of other lengths. Names of runs after the numbers, as in ``9 "lru, llru" zrc``, choose some.
Without a number it draws the figure from what is kept.
"""

from __future__ import annotations

import csv
import os
import platform
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure

from paging.plotting import WIDTH, save

DATA = Path(__file__).parent / "data" / "streaming.csv"
TARGET = Path(__file__).parent / "images" / "streaming.png"

LAYERS, PAGES, GROUP, CACHE = 61, 256, 8, 4000
LENGTH = LAYERS * GROUP
RUNS = {
    "lru, llru": ("run", "lru", "llru", "--no-opt"),
    "zrc": ("run", "zrc", "--no-opt"),
    "opt": ("run", "opt"),
    "opt, certified": ("opt", "--certificate", "opt.jsonl"),
    "verifying": ("verify", "opt.jsonl"),
}
"""What one run counts, and its arguments."""

FIELDS = ("run", "requests", "seconds", "processor seconds", "mebibytes", "machine")
BLOCK = 1 << 11
"""Tokens written in one go."""


def write_trace(path: Path, tokens: int) -> None:
    """Write experts of a Zipf law, in another order in every layer, a visit without repeats."""
    rng = np.random.default_rng(0)
    order = np.argsort(rng.random((LAYERS, PAGES)), axis=1).astype(np.int16)
    law = np.log(np.arange(1, PAGES + 1.0)).astype(np.float32)
    header = {"descr": "<i2", "fortran_order": False, "shape": (tokens, LAYERS, GROUP)}
    # The largest of weight + Gumbel noise are a draw without repeats; 4096 such tokens come again and again.
    drawn = []
    for _ in range(16):
        noise = rng.gumbel(size=(BLOCK // 8, LAYERS, PAGES)).astype(np.float32) - law
        ranks = np.argpartition(noise, -GROUP, axis=2)[:, :, -GROUP:]
        drawn.append(order[np.arange(LAYERS)[:, None], ranks])
    pool = np.concatenate(drawn)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, tokens, BLOCK):
            file.write(pool[rng.integers(len(pool), size=min(BLOCK, tokens - start))].tobytes())


def measured(trace: Path, arguments: tuple[str, ...]) -> tuple[float, float, float]:
    """Run the command; return seconds, processor seconds and the most memory in MiB."""
    command = [str(Path(sys.executable).with_name("paging")), *arguments, "--json"]
    if arguments[0] != "verify":
        command += ["--trace", str(trace), "-n", str(PAGES), "-k", str(CACHE), "--stream"]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=trace.parent)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def rows() -> list[dict[str, str]]:
    """Return what is kept."""
    with DATA.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def keep(new: list[dict[str, str]]) -> None:
    """Keep rows, in place of those of the same runs."""
    kept = {(row["run"], row["requests"]): row for row in [*(rows() if DATA.exists() else []), *new]}
    with DATA.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(kept.values(), key=lambda row: (row["run"], int(row["requests"]))))


def draw() -> None:
    """Draw seconds and memory over the number of requests."""
    found = rows()
    save("streaming", partial(draw_on, found), [TARGET], size=(1.5 * WIDTH, 3.0), content=found)


def draw_on(found: list[dict[str, str]], figure: Figure) -> None:
    """Draw on an empty figure."""
    axes = figure.subplots(1, 2)
    for number, name in enumerate(RUNS):
        here = [row for row in found if row["run"] == name]
        requests = [int(row["requests"]) for row in here]
        for panel, key in zip(axes, ("processor seconds", "mebibytes"), strict=True):
            values = [float(row[key]) for row in here]
            panel.plot(
                requests,
                values,
                marker="os^Dv"[number],
                linestyle=("-", "--", ":", "-.", "-")[number],
                label=name,
            )
    for panel, text in zip(axes, ("processor time (s)", "memory (MiB)"), strict=True):
        panel.set_xscale("log")
        panel.set_xlabel("requests T")
        panel.set_ylabel(text)
        panel.set_xticks([10**7, 10**8, 10**9], ["10⁷", "10⁸", "10⁹"])
        panel.minorticks_off()
    axes[0].set_yscale("log")
    axes[0].set_yticks([1, 10, 100], ["1", "10", "100"])
    axes[0].minorticks_off()
    axes[1].set_ylim(bottom=0)
    axes[0].legend(frameon=False)


def main(powers: list[int], chosen: list[str]) -> None:
    """Measure, keep and draw."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    for power in powers:
        tokens = -(-(10**power) // LENGTH)
        with TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.npy"
            write_trace(trace, tokens)
            for name in chosen or RUNS:
                arguments = RUNS[name]
                found = measured(trace, arguments)
                figures = dict(zip(FIELDS[2:5], (f"{value:.2f}" for value in found), strict=True))
                row = {"run": name, "requests": str(tokens * LENGTH), **figures, "machine": machine}
                sys.stdout.write(f"{row}\n")
                keep([row])
    draw()


if __name__ == "__main__":
    numbers = [word for word in sys.argv[1:] if word.isdecimal()]
    main(list(map(int, numbers)), sys.argv[1 + len(numbers) :])
