"""Small files that ask for much: each ends soon, in little memory, and nothing false is verified."""

from __future__ import annotations

import base64
import gzip
import json
import os
import resource
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from paging.cli.main import run as paging_run
from proofs import checker
from proofs.certificates.replay import verify_and_replay
from proofs.checker import CONDITIONAL, INCOMPLETE, REFUTED, Budget, reading, verify, verify_file
from proofs.checker.reading import ROOM, ROOM_PER_BYTE
from tests.helpers.certificates import FOLDER

SHARED = Path(__file__).parents[3] / "shared" / "cases"
SECONDS, MEGABYTES = 20, 300
"""What all hostile files together may take of the processor, and each of the memory."""


def document(kind: str, claim: dict[str, Any], evidence: dict[str, Any], **shape: Any) -> dict[str, Any]:
    instance = {
        "layers": 1,
        "pages": 2,
        "cache": 1,
        "per_visit": 1,
        "visits": "sequential",
        "service": "forced",
    }
    return {
        "format": checker.FORMAT,
        "version": checker.VERSION,
        "type": kind,
        "claim": {"instance": {**instance, **shape}, **claim},
        "evidence": evidence,
    }


@cache
def packed(length: int) -> str:
    return base64.b64encode(zlib.compress(bytes(length))).decode()


def zeros(length: int) -> dict[str, Any]:
    return {"type": "int8", "length": length, "zlib": packed(length)}


NOTHING: dict[str, Any] = {"labels": [], "work": [], "layers": [], "potential": []}
RATIO = {"policy": "lru", "opt_cache": 1, "ratio": 1, "additive": 0}
MANY = 1_000_000
HOSTILE = {
    "layers": document("potential", RATIO, {"alike": ["pages"], **NOTHING}, layers=10 * MANY, pages=1),
    "layers of a game": document(
        "game", {"opt_cache": 1, "upper": 1}, {"upper": {}}, layers=10 * MANY, pages=1
    ),
    "pages a visit": document(
        "schedule", {"requests": [], "upper": 0}, {"schedule": []}, pages=10 * MANY, per_visit=10 * MANY
    ),
    "requests unpacked": document(
        "schedule", {"requests": zeros(20 * MANY), "upper": 1}, {"schedule": zeros(20 * MANY)}
    ),
    "prices unpacked": document(
        "dual", {"requests": [0], "lower": 1}, {"dual": {"steps": [], "values": zeros(20 * MANY)}}
    ),
    "moves of many pages": document(
        "potential",
        {**RATIO, "opt_cache": 999},
        {
            "alike": [],
            "labels": zeros(MANY),
            "work": zeros(MANY),
            "layers": zeros(1000),
            "potential": zeros(1000),
        },
        pages=1000,
        cache=999,
    ),
    "a cycle on many pages": document(
        "cycle",
        {
            "policy": "lru",
            "opt_cache": 1,
            "prefix": [],
            "cycle": zeros(10_000),
            "online": 0,
            "offline": 0,
            "ratio": 1,
        },
        {"leaving": zeros(10_000), "left": [], "start": [0], "periods": 1, "schedule": []},
        pages=100_000,
    ),
    "a distribution over many caches": document(
        "expected",
        {"policy": "equitable", "opt_cache": 999, "lower": 1},
        {"cycle": {"prefix": [], "cycle": [*range(1000)] * 2, "online": 1, "offline": 1}},
        pages=1000,
        cache=999,
    ),
    "caches of many pages": document(
        "trade-off-game",
        {"predictions": "discard", "least": "beta", "alpha": 1, "gamma": 1, "upper": 1},
        {
            "upper": {
                **{name: zeros(20 * MANY) for name in ("cached", "bits", "layers", "counts", "caches")},
                **{name: zeros(20 * MANY) for name in ("values", "targets", "orders", "victims")},
            }
        },
        pages=60,
        cache=30,
    ),
    "requests with bits": document(
        "trade-off",
        {
            "policy": "flush-when-kept",
            "predictions": "discard",
            "least": "beta",
            "alpha": 1,
            "gamma": 1,
            "lower": 1,
        },
        {
            "lower": {
                "prefix": 0,
                **{name: zeros(100_000) for name in ("requests", "bits", "schedule")},
            }
        },
        pages=1000,
        cache=999,
    ),
    "types of many pages": document(
        "randomized-value",
        {"upper": 1},
        {"upper": [{"labels": [[0] * 999], "caches": [[[0], 1]], "potential": 0, "plans": []}] * 500},
        pages=999,
        cache=998,
    ),
}


LIES = {"moves of many pages", "a cycle on many pages", "types of many pages"}
"""Within the limits; refused for what they say."""


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20, MEGABYTES * 2**20))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def judged(paths: list[Path]) -> dict[str, str]:
    """Judge files in a process of their own, with little time and memory."""
    code = (
        "import json, sys; from checker import verify_file\n"
        "print(json.dumps({path: verify_file(path).status for path in sys.argv[1:]}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)],
        capture_output=True,
        text=True,
        cwd=Path(checker.__file__).parents[1],
        preexec_fn=limited,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


@pytest.mark.slow
def test_hostile_files_end_soon_and_in_little_memory(tmp_path: Path) -> None:
    paths = []
    for i, content in enumerate(HOSTILE.values()):
        paths.append(tmp_path / f"{i}.json")
        paths[-1].write_text(json.dumps(content))
    for name, text in (
        ("lists", b"[" + b"[]," * 7 * MANY + b"0]"),
        ("objects", b"[" + b'{"":0},' * MANY + b"0]"),
    ):
        paths.append(tmp_path / f"{name}.json.gz")
        paths[-1].write_bytes(gzip.compress(text, 1))
    statuses = judged(paths)
    assert {*statuses.values()} == {INCOMPLETE, REFUTED}
    assert len([status for status in statuses.values() if status == REFUTED]) == len(LIES)


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - LIES))
def test_the_limit_is_named_and_can_be_raised(name: str) -> None:
    verdict = verify(HOSTILE[name])
    assert verdict.status == INCOMPLETE
    assert "more work than this checker's limit" in verdict.reason or "more memory" in verdict.reason
    assert "; it needs --limit " in verdict.reason


def test_a_limit_named_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STEPS", 2000)
    path = tmp_path / "c.json"
    small = document("schedule", {"requests": [], "upper": 0}, {"schedule": []}, pages=90_000)
    path.write_text(json.dumps(small))
    assert paging_run(["verify", str(path)]) == 2
    limit = capsys.readouterr().out.partition("--limit ")[2].split()[0]
    assert verify_file(str(path), int(limit) - 1).status == INCOMPLETE
    assert paging_run(["verify", str(path), "--limit", str(int(limit) + 1)]) == 0


def test_a_budget_is_linear_in_the_size_of_the_file() -> None:
    assert Budget(0).left() == ROOM
    assert Budget(10**6).left() == ROOM + 10**6 * ROOM_PER_BYTE
    assert Budget(10**6, 3).left() == 3 * Budget(10**6).left()


def test_numbers_beyond_what_python_writes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    weights = [int("9" * 1001), 1]
    claim = {"requests": [0, 1], "weights": weights, "upper": sum(weights)}
    path.write_text(json.dumps(document("schedule", claim, {"schedule": [-1, 0]})))
    assert verify_file(str(path)).reason == "a number has more than 1000 digits, this checker's limit"
    claim["weights"] = [int("9" * 1000), 1]
    claim["upper"] = sum(claim["weights"]) - 1
    path.write_text(json.dumps(document("schedule", claim, {"schedule": [-1, 0]})))
    assert verify_file(str(path)).exit_code == 1


def test_a_replay_has_a_limit_of_its_own(tmp_path: Path) -> None:
    # True, and of a policy without a rule: to be replayed, but not for 500,000 pages a request.
    cycle = document(
        "cycle",
        {
            "policy": "lfu-fifo",
            "opt_cache": 1,
            "prefix": [0, 1],
            "cycle": [0, 1] * 100,
            "online": 0,
            "offline": 200,
            "ratio": 0,
        },
        {"leaving": [0] * 202, "left": [], "start": [1], "periods": 1, "schedule": [1, 0] * 100},
        pages=500_000,
        cache=3,
    )
    path = tmp_path / "wide.json"
    path.write_text(json.dumps(cycle))
    verdict = verify_and_replay(str(path))
    assert verdict.status == CONDITIONAL
    assert "more work than this checker's limit" in verdict.conditions[-1]


def test_a_reader_of_the_verdict_may_leave(tmp_path: Path) -> None:
    path = next((FOLDER / "cycle" / "valid").glob("*.json"))
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, str(Path(checker.__file__).parent), path],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_pipes_are_not_opened_and_standard_input_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert "neither a regular file nor standard input" in verify_file(str(tmp_path / "pipe.json")).reason
    content = (FOLDER / "optimum" / "valid" / "gzipped.json.gz").read_bytes()
    for name in ("-", "/dev/stdin"):
        command = [sys.executable, "-I", "-S", str(Path(checker.__file__).parent), name]
        run = subprocess.run(command, input=content, capture_output=True, check=False)
        assert run.returncode == 0, run.stdout
        assert run.stdout.startswith(b"VERIFIED")


def test_an_ascii_terminal_changes_no_exit_code() -> None:
    path = str(FOLDER / "potential" / "valid" / "llru-token.json")
    command = [sys.executable, str(Path(checker.__file__).parent), path]
    run = subprocess.run(
        command,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    assert b"faults ? " in run.stdout


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here")
def test_shared_cases() -> None:
    paths = [*SHARED.glob("attack/*.json"), *SHARED.glob("attack/*.json.gz"), *SHARED.glob("checker/*.json")]
    statuses = judged(paths)
    assert len(statuses) >= 10
    assert checker.VERIFIED not in statuses.values()
