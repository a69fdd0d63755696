"""Requests from a file or a construction: every command that asks for requests takes both."""

import json
from pathlib import Path
from typing import Any

import pytest

from adversary import get_construction
from paging import LayeredInstance
from paging.cli.main import run as paging_run

Capture = pytest.CaptureFixture[str]
REQUESTS = {"instance": {"layers": 1, "pages": 3, "cache": 2}, "requests": [0, 1, 2] * 9}

COMMANDS = {
    "run": ("run", "lru", "--json"),
    "compare": ("compare", "-p", "lru", "--json"),
    "opt": ("opt", "--json"),
    "curve": ("plot", "curve", "lru", "--json"),
    "ratio": ("plot", "ratio", "lru", "--json"),
    "phases": ("plot", "phases", "lru", "--json"),
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "requests.json"
    path.write_text(json.dumps(REQUESTS))
    return str(path)


def answer(capsys: Capture, *args: str) -> Any:
    assert paging_run(args) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refusal(capsys: Capture, *args: str) -> str:
    assert paging_run(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def film(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(
        text.partition('<script type="application/json" id="film">')[2].partition("</script>")[0]
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_requests_can_be_named_everywhere(command: str, file: str, capsys: Capture) -> None:
    origin = answer(capsys, *COMMANDS[command], "--sequence", file)["provenance"]
    assert origin["sequence"] == file
    smaller = answer(capsys, *COMMANDS[command], "--sequence", file, "-k", "1")
    assert "27" in json.dumps(smaller)  # with one slot every request is a fault
    assert "states its instance itself" in refusal(capsys, *COMMANDS[command], "--sequence", file, "-l", "1")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_construction_can_be_named_everywhere(command: str, capsys: Capture) -> None:
    source = ("--construction", "cyclic", "--rounds", "30")
    origin = answer(capsys, *COMMANDS[command], *source)["provenance"]
    assert (origin["construction"], origin["rounds"]) == ("cyclic", 30)
    assert "leave out --visits and" in refusal(capsys, *COMMANDS[command], *source, "--bypassing")
    assert "--option is about" in refusal(
        capsys, *COMMANDS[command], "--option", "depth=2", "--trace", "x.npz"
    )
    assert "did you mean cyclic" in refusal(capsys, *COMMANDS[command], "--construction", "cyclix")
    several = (
        "--construction",
        "missing-in-visit",
        "-l",
        "2",
        "-n",
        "5",
        "-k",
        "7",
        "-g",
        "2",
        "--rounds",
        "20",
    )
    assert answer(capsys, *COMMANDS[command], *several)["model"]["per_visit"] == 2


def test_the_requests_are_those_of_the_file_and_of_the_construction(file: str, capsys: Capture) -> None:
    rows = answer(capsys, "run", "lru", "--sequence", file, "--json")["rows"]
    assert [(row["policy"], row["faults"]) for row in rows] == [("lru", 27), ("opt", 15), ("compulsory", 3)]
    rows = answer(capsys, "run", "lru", "--construction", "cyclic", "--rounds", "30", "--json")["rows"]
    assert rows[0]["faults"] == len(get_construction("cyclic")(rounds=30).sequence)


def test_an_adaptive_construction_plays_against_one_policy(capsys: Capture) -> None:
    adaptive = ("--construction", "missing-page", "--rounds", "30", "--json")
    found = answer(capsys, "run", "llru", "opt", *adaptive)
    assert found["provenance"]["against"] == "llru"
    made = get_construction("missing-page")(rounds=30, policy="llru")
    assert found["rows"][0]["faults"] == made.run("llru").faults
    assert "plays against one policy, but 2 are named: lru, llru" in refusal(
        capsys, "run", "lru", "llru", *adaptive
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), LayeredInstance(2, 4, 7)),
        (("-k", "5"), LayeredInstance(2, 4, 5)),
        (("-l", "4"), LayeredInstance(4, 4, 7)),
        (("-n", "5,5"), LayeredInstance(2, (5, 5), 7)),
        (("-l", "1", "-n", "9"), LayeredInstance(1, 9, 7)),
    ],
)
def test_what_is_not_given_beside_a_construction_is_as_in_its_demonstration(
    given: tuple[str, ...], expected: LayeredInstance, tmp_path: Path, capsys: Capture
) -> None:
    shape = {"layers": expected.layers, "pages": expected.pages, "cache": expected.cache}
    given = (*given, "--rounds", "30")
    alone = answer(capsys, "adversary", "cyclic", *given, "-p", "lru", "--json")
    drawn = answer(capsys, "plot", "ratio", "lru", "--construction", "cyclic", *given, "--json")
    pages = list(expected.pages) if isinstance(expected.pages, tuple) else expected.pages
    for found in (alone["instance"], drawn["instance"]):
        assert {name: found[name] for name in shape} == {**shape, "pages": pages}
    shown = tmp_path / "show.html"
    command = ("show", "lru", "--construction", "cyclic", *given, "-o", str(shown))
    assert paging_run(command) == 0
    played = film(shown)
    assert (played["layers"], played["cache"]) == (expected.layers, expected.cache)
    assert played["pages_by_layer"] == list(expected.pages_by_layer)


@pytest.mark.parametrize("command", [("adversary",), ("plot", "ratio", "lru"), ("show", "lru")])
def test_an_instance_that_a_construction_does_not_cover_is_refused(
    command: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    name = ("cyclic",) if command == ("adversary",) else ("--construction", "cyclic")
    file = tmp_path / ("x.html" if command[0] == "show" else "x.svg")
    where = () if command == ("adversary",) else ("-o", str(file))
    assert "needs ℓ to divide k + 1" in refusal(capsys, *command, *name, "-k", "6", *where)


@pytest.mark.parametrize("option", ["seed=3", "rounds=3", "policy=lru", "instance=3"])
def test_what_is_no_option_of_a_construction_is_refused_as_one(option: str, capsys: Capture) -> None:
    said = refusal(capsys, "run", "lru", "--construction", "cyclic", "--option", option)
    assert f"construction cyclic has no option {option.partition('=')[0]!r}" in said
