"""The optimum of requests in parts: the bounds of all at once, and a certificate that no lie survives."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from lp import optimum, streaming
from lp.streaming import streamed_optimum
from paging import LayeredInstance, RequestSequence, generate
from paging.cli.main import run
from paging.errors import LimitError, ModelError, UnsupportedModelError
from paging.signals import StoppedError, Watch
from paging.traces import Trace, write_trace
from proofs.checker import INCOMPLETE, REFUTED, VERIFIED, verify_file
from tests.helpers.chunks import in_chunks

SHAPES = [
    LayeredInstance(layers=1, pages=5, cache=3),
    LayeredInstance(layers=2, pages=4, cache=5),
    LayeredInstance(layers=2, pages=4, cache=3, per_visit=2),
    LayeredInstance(layers=2, pages=3, cache=2, bypassing=True),
    LayeredInstance(layers=1, pages=4, cache=1),
    LayeredInstance(layers=1, pages=4, cache=1, bypassing=True),
    LayeredInstance(layers=2, pages=3, cache=9),
]


def drawn(instance: LayeredInstance, length: int, seed: int) -> RequestSequence:
    return generate(f"zipf:alpha=0.7,requests={length}", instance, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("instance", SHAPES, ids=str)
@pytest.mark.parametrize(("part", "length"), [(1, 40), (7, 100), (1000, 1)])
def test_bounds_are_those_of_all_requests_at_once(
    instance: LayeredInstance, part: int, length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PART", part)
    for seed in range(3):
        sequence = drawn(instance, length, seed)
        whole = optimum(sequence)
        with streamed_optimum(instance, in_chunks(sequence, 3), length) as found:
            found.write_certificate(tmp_path / "opt.jsonl")
        assert (found.lower, found.upper) == (whole.lower, whole.upper) == (whole.value, whole.value)
        assert found.distinct_pages == sequence.distinct_pages
        assert found.dual.steps.tolist() == whole.dual.steps.tolist()
        verdict = verify_file(str(tmp_path / "opt.jsonl"))
        assert verdict.status == VERIFIED
        assert verdict.reason == f"OPT = {whole.value}: a schedule has this cost, and no schedule has less"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files of one's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


ONE = LayeredInstance(layers=1, pages=3, cache=2)


def test_temporary_files_are_gone_in_the_end(temporary: Path) -> None:
    stopped = Watch(stop=lambda: bool(list(temporary.glob("*/following"))))
    with pytest.raises(StoppedError), streamed_optimum(ONE, [np.array([0, 1, 2])], 3, watch=stopped):
        pass
    assert not list(temporary.iterdir())
    with streamed_optimum(ONE, [np.array([0, 1, 2])], 3):
        assert len(list(temporary.glob("*/*"))) == 3
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_is_removed(temporary: Path) -> None:
    left = temporary / ".paging-requests.0123abcd.tmp"
    left.mkdir()
    (left / "requests").write_bytes(b"half")
    with streamed_optimum(ONE, [np.array([0, 1, 2])], 3):
        (own,) = temporary.iterdir()
        assert own.stat().st_mode & 0o77 == 0
    assert own != left


def test_a_full_disk_is_known_before_the_start(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(temporary)._replace(free=7 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with (
        pytest.raises(
            LimitError, match=r"1,000,000,000 requests take 8.0 GB of temporary files.*7.0 GB free"
        ),
        streamed_optimum(ONE, [], 10**9),
    ):
        pass
    assert not list(temporary.iterdir())


def test_what_a_stream_cannot_do_is_refused(temporary: Path) -> None:
    atomic = LayeredInstance(layers=1, pages=3, cache=2, per_visit=2, visits="atomic")
    with pytest.raises(UnsupportedModelError, match="atomic"), streamed_optimum(atomic, [], 2):
        pass
    with (
        pytest.raises(ModelError, match="4 requests were announced, and 3 came"),
        streamed_optimum(ONE, [np.array([0, 1, 2])], 4),
    ):
        pass


@pytest.fixture
def trace(temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(streaming, "PART", 7)
    sequence = drawn(SHAPES[2], 400, 5)
    write_trace(Trace.from_sequence(sequence), "trace.npz")
    return tmp_path


def test_the_command_streams_what_it_would_read_at_once(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["opt", "--trace", "trace.npz", "-k", "3", "--json"]
    answers = []
    for more in ([], ["--stream", "--certificate", "opt.jsonl"]):
        assert run([*asked, *more]) == 0
        found = json.loads(capsys.readouterr().out)
        del found["seconds"]
        answers.append(found)
    assert answers[0] == answers[1]
    assert run(["verify", "opt.jsonl"]) == 0
    assert f"OPT = {answers[0]['upper']}" in capsys.readouterr().out
    assert run(["opt", "--trace", "trace.npz", "-k", "3", "--stream"]) == 0
    assert "cold · shared" in capsys.readouterr().out


def test_no_lie_in_a_certificate_survives(trace: Path) -> None:
    assert run(["opt", "--trace", "trace.npz", "-k", "3", "--stream", "--certificate", "opt.jsonl"]) == 0
    lines = [json.loads(line) for line in Path("opt.jsonl").read_text().splitlines()]
    parts = lines[1:]
    victim = next(n for n, part in enumerate(parts) if max(part["schedule"]) >= 0)
    priced = next(n for n, part in enumerate(parts) if part["steps"])

    def lie(number: int, field: str, change) -> list[dict]:  # type: ignore[no-untyped-def]
        changed = json.loads(json.dumps(lines))
        change(changed[number + 1][field])
        return changed

    lies = [
        lie(victim, "schedule", lambda entries: entries.__setitem__(entries.index(max(entries)), -2)),
        lie(priced, "values", lambda values: values.__setitem__(0, values[0] + 1)),
        lie(priced, "steps", lambda steps: steps.__setitem__(0, steps[0] - 14)),
        lie(5, "requests", lambda pages: pages.__setitem__(slice(0, 2), pages[1::-1])),
        lie(-1, "claim", lambda claim: claim.update(upper=claim["upper"] - 1, lower=claim["lower"] - 1)),
        lie(-1, "claim", lambda claim: claim["instance"].update(cache=4)),
        [*lines[:3], *lines[4:]],
        lines[:-1],
        [*lines, lines[-1]],
    ]
    for changed in lies:
        Path("lie.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
        assert verify_file("lie.jsonl").status == REFUTED
    Path("lie.jsonl").write_text(Path("opt.jsonl").read_text()[:-2])
    assert verify_file("lie.jsonl").status == INCOMPLETE


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--stream", "--certificate", "opt.json"], "opt.json: a certificate's name ends in .jsonl"),
        (["--certificate", "opt.jsonl"], "opt.jsonl: a certificate's name ends in .json or .json.gz"),
        (["--stream", "--route", "lp"], "no --route"),
        (["--stream", "--shares", "1/2"], "no --shares"),
        (["--stream", "--weights", "bytes"], "no --weights"),
        (["--stream", "--visits", "atomic"], "atomic"),
    ],
)
def test_refusals_are_one_line(
    trace: Path, more: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["opt", "--trace", "trace.npz", "-k", "3", *more]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error
    assert not list(trace.glob("opt.*"))
