"""The lessons run from start to end, and tell right answers from wrong ones."""

from __future__ import annotations

import copy
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import paging.lessons
from lp.certificate import optimum_certificate
from paging import LayeredInstance, Policy, RequestSequence
from paging.lessons import Feedback, check, check_that, score

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "docs" / "lessons").glob("*.py"))

Answers = Mapping[str, Any]


# The helper


@pytest.mark.parametrize(
    ("answer", "expected", "state"),
    [
        (None, 3, "open"),
        (3, 3, "right"),
        (3.0, 3, "right"),
        ("3", 3, "right"),
        ("7/2", Fraction(7, 2), "right"),
        (3.5, Fraction(7, 2), "right"),
        (0.3333333, Fraction(1, 3), "right"),
        (10.9, 10.9, "right"),
        (float("inf"), float("inf"), "right"),
        (4, 3, "wrong"),
        (3.001, 3, "wrong"),
        (True, 1, "wrong"),
        ("three", 3, "wrong"),
        ("1/0", 3, "wrong"),
        ([], 3, "wrong"),
        ([3, 0], [3, 0], "right"),
        ((3, 0), [3, 0], "right"),
        ([0, 3], [3, 0], "wrong"),
        ([3], [3, 0], "wrong"),
        (3, [3], "wrong"),
        (["lru"], {"lru"}, "right"),
        ({"lru", "fifo"}, {"lru"}, "wrong"),
        ("l", {"l"}, "wrong"),
        ("VERIFIED", "VERIFIED", "right"),
        ("verified", "VERIFIED", "wrong"),
    ],
)
def test_answers_are_compared_as_a_reader_means_them(answer: object, expected: object, state: str) -> None:
    assert check(answer, lambda: expected).state == state


def test_nothing_is_computed_before_there_is_an_answer() -> None:
    assert check(None, lambda: pytest.fail("computed")).state == "open"
    assert check_that(None, lambda _: pytest.fail("tried")).state == "open"


def test_an_answer_that_breaks_is_wrong_and_says_how() -> None:
    feedback = check_that(0, lambda x: 1 / x > 0, "a hint")
    assert (feedback.state, feedback.message) == ("wrong", "ZeroDivisionError: division by zero")
    assert check_that(1, lambda x: x > 1, "a hint").message == "a hint"
    assert "&lt;b&gt;" in Feedback("wrong", "<b>")._repr_html_()
    assert score([Feedback("right"), Feedback("wrong")]) == "1 of 2 right"


# Answers to the questions that have many


class Lru(Policy):
    id, title = "lru-by-hand", "least recently used"
    traits = frozenset({"deterministic", "online", "demand", "marking", "stack"})

    @staticmethod
    def serve(labels, page, slot, frame):
        rank = labels[page] if labels[page] > 0 else frame.cache
        for q in range(len(labels)):
            if labels[page] == 0 and labels[q] == frame.cache:
                labels[q] = 0
            elif 0 < labels[q] < rank:
                labels[q] += 1
        labels[page] = 1


class SecondOldest(Policy):
    """LRU that spares the oldest page if it is of the layer being served."""

    id, title = "second-oldest", "the second oldest page if the oldest is of the layer served"
    traits = frozenset({"deterministic", "online", "demand"})

    @staticmethod
    def serve(labels, page, slot, frame):
        rank = labels[page]
        if rank == 0 and (labels > 0).sum() == frame.cache:
            rank = frame.cache
            for q in range(len(labels)):
                if labels[q] == frame.cache and frame.layer_of[q] == frame.layer_of[page] and rank > 1:
                    rank -= 1
            labels[labels == rank] = 0
        for q in range(len(labels)):
            if labels[q] > 0 and (rank == 0 or labels[q] < rank):
                labels[q] += 1
        labels[page] = 1


class Cheat(Lru):
    id = "cheat"

    @staticmethod
    def serve(labels, page, slot, frame):
        labels[page] = labels[(page + 1) % len(labels)] = 1


class MarkingLayer(Policy):
    id, title = "marking-layer", "an unmarked page, of the layer being served if there is one"
    traits = frozenset({"deterministic", "online", "demand", "marking"})

    @staticmethod
    def serve(labels, page, slot, frame):
        if labels[page] == 0 and (labels > 0).sum() == frame.cache:
            if (labels == 2).sum() == frame.cache:
                labels[labels == 2] = 1
            victim = -1
            for q in range(len(labels)):
                if labels[q] == 1 and (victim < 0 or frame.layer_of[q] == frame.layer_of[page]):
                    victim = q
            labels[victim] = 0
        labels[page] = 2


def missing(session: Any) -> int:
    return min(page for page in session.instance.pages_of(session.layer) if not session.cached(page))


def missing_or_repeat(session: Any, made: list[int]) -> int:
    candidates = [page for page in session.instance.pages_of(session.layer) if page <= 4]
    lacking = [page for page in candidates if not session.cached(page)]
    if lacking:
        return lacking[0]
    return made[-2] if len(made) > 1 else candidates[0]


def llru_victim(last: dict[int, int], time: int, layers: int) -> int:
    def key(page: int) -> tuple[int, int]:
        following = time + ((last[page] - time) % layers or layers)
        return (following - last[page], following)

    return max(last, key=key)


def changed(place: tuple[str, ...], value: object) -> dict[str, Any]:
    from lp import optimum

    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 0, 1, 2])
    document = copy.deepcopy(optimum_certificate(optimum(sequence)))
    part = document
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    return document


RIGHT: dict[str, dict[int, Any]] = {
    "1": {
        # 0 is loaded first but requested late: FIFO drops it for 3, LRU drops 1, which comes next.
        3: [0, 1, 2, 0, 3, 1, 1],
        4: [0, 1, 2, 0, 3, 0],
        7: [0, 1, 2, 3] * 3,
    },
    "2": {5: [0, 1, 2, 3, 4, 5] * 6, 7: [0, 1, 2, 3, 1, 4], 10: [0, 1, 2, 3] * 15},
    "3": {2: missing, 7: missing_or_repeat},
    "4": {7: lambda rng, length: rng.integers(4, size=length)},
    "5": {4: llru_victim},
    "6": {
        1: [-1, -1, 1, -2, 0, -2],
        4: [3],
        6: changed(("claim", "upper"), 3),
        7: changed(("claim", "more"), 3),
        10: [0, 1, 2, 3],
    },
    "7": {2: Cheat, 4: Lru, 5: SecondOldest, 7: MarkingLayer},
}

WRONG: dict[str, dict[int, Any]] = {
    "1": {3: [0, 1, 2, 0, 3, 0], 4: [0, 1, 2, 3], 7: [0, 1, 2, 3] * 2 + [3] * 4},
    "2": {5: [0, 1, 2, 3] * 5, 7: [0, 1, 2, 0, 1, 2], 10: [0, 1, 2, 3]},
    "3": {2: lambda session: 0, 7: lambda session, made: 3 * session.layer},
    "4": {7: lambda rng, length: [0, 1, 2] * 133 + [0]},
    "5": {4: lambda last, time, layers: min(last, key=lambda page: last[page])},
    "6": {
        1: [-1, -1, 1, -1, 0, -2],
        4: [1],
        6: changed(("provenance",), {}),
        7: changed(("provenance",), {}),
        10: [0, 1, 2],
    },
    "7": {2: Lru, 4: SecondOldest, 5: Lru, 7: Lru},
}


def run(lesson: Path, answers: Answers | None = None) -> Mapping[str, Any]:
    """Run a lesson with answers and return what it defines."""
    spec = importlib.util.spec_from_file_location(f"lesson_{lesson.stem[0]}", lesson)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, names = module.app.run(defs=dict(answers or {}))
    return names


def states(names: Mapping[str, Any]) -> dict[int, str]:
    return {int(name[7:]): feedback.state for name, feedback in names.items() if name.startswith("result_")}


def questions(lesson: Path) -> list[int]:
    return sorted(map(int, re.findall(r"^    answer_(\d+) = None", lesson.read_text(encoding="utf-8"), re.M)))


def unlike(value: object) -> object:
    """Return a wrong answer of the same kind."""
    if isinstance(value, str):
        return value + "?"
    if isinstance(value, set):
        return value | {"nobody"}
    if isinstance(value, list | tuple):
        return [*value, 0]
    return value + 1  # type: ignore[operator]


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the computations of a lesson give, in the order of its cells; nothing is compared."""
    found: list[object] = []

    def record(answer: object, compute: Callable[[], object], hint: str = "") -> Feedback:
        assert hint
        found.append(compute())
        return Feedback("open")

    monkeypatch.setattr(paging.lessons, "check", record)
    return found


def test_there_is_a_lesson_for_every_subject() -> None:
    assert [lesson.stem[0] for lesson in LESSONS] == list("1234567")
    for lesson in LESSONS:
        assert questions(lesson) == list(range(1, len(questions(lesson)) + 1))
        assert len(questions(lesson)) >= 8


@pytest.mark.slow
def test_a_lesson_is_a_script() -> None:
    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    done = subprocess.run([sys.executable, str(LESSONS[5])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_one_command_opens_a_lesson() -> None:
    for number, lesson in enumerate(LESSONS, start=1):
        command = ["make", "-n", "lesson", f"LESSON={number}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        assert f"marimo edit docs/lessons/{lesson.name}" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_judges_answers(
    lesson: Path, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    untouched = run(lesson)
    numbers = questions(lesson)
    assert states(untouched) == dict.fromkeys(numbers, "open")
    typed = RIGHT[lesson.stem[0]]
    computed = dict(zip([n for n in numbers if n not in typed], expected, strict=True))
    monkeypatch.undo()
    right = {f"answer_{n}": answer for n, answer in (computed | typed).items()}
    assert states(run(lesson, right)) == dict.fromkeys(numbers, "right")
    wrong = {n: unlike(answer) for n, answer in computed.items()} | WRONG[lesson.stem[0]]
    judged = run(lesson, {f"answer_{n}": answer for n, answer in wrong.items()})
    assert states(judged) == dict.fromkeys(numbers, "wrong")
    assert all(judged[f"result_{n}"].message for n in numbers)
