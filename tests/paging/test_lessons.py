"""The lessons run from start to end, and tell right answers from wrong ones."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from paging.cli.main import run as paging_run
from paging.lessons import Curtain, Feedback, after, check, check_that, code, score, whole_numbers
from proofs.lessons import Lesson, lessons
from proofs.lessons.page import canonical, run_lesson

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lessons.md"
ANSWERS = ROOT / "docs" / "lessons-answers.md"
LESSONS = lessons()


# The helper


@pytest.mark.parametrize(
    ("answer", "expected", "state"),
    [
        (None, 3, "open"),
        (" ", 3, "open"),
        ([], {"lru"}, "open"),
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
        ("10.9", 10.9, "right"),
        ("[3, 0]", [3, 0], "right"),
        ("3 0", [3, 0], "right"),
        ("1, 3/2", [1, Fraction(3, 2)], "right"),
        ("0 3", [3, 0], "wrong"),
        ("8, 2", {2, 8}, "right"),
        ("2 2", {2, 8}, "wrong"),
        ("2 8 9", {2, 8}, "wrong"),
        ("{'lru'}", {"lru"}, "right"),
        ([3, 0], [3, 0], "right"),
        ((3, 0), [3, 0], "right"),
        ([0, 3], [3, 0], "wrong"),
        ([3], [3, 0], "wrong"),
        (3, [3], "wrong"),
        (["lru"], {"lru"}, "right"),
        ({"lru", "fifo"}, {"lru"}, "wrong"),
        (["0", "1"], {0, 1}, "right"),
        ("VERIFIED", "VERIFIED", "right"),
        ("verified", "VERIFIED", "wrong"),
    ],
)
def test_answers_are_compared_as_a_reader_means_them(answer: object, expected: object, state: str) -> None:
    assert check(answer, lambda: expected).state == state


def test_nothing_is_computed_before_there_is_an_answer() -> None:
    assert check(None, lambda: pytest.fail("computed")).state == "open"
    assert check_that("", lambda _: pytest.fail("tried")).state == "open"
    assert isinstance(after([Feedback("wrong")], lambda: pytest.fail("shown")), Curtain)
    assert after([Feedback("right")], lambda: "shown") == "shown"


def test_an_answer_that_breaks_is_wrong_and_says_how() -> None:
    feedback = check_that(0, lambda x: 1 / x > 0, "a hint")
    assert (feedback.state, feedback.message) == ("wrong", "ZeroDivisionError: division by zero")
    assert check_that(1, lambda x: x > 1, "a hint").message == "a hint"
    assert "&lt;b&gt;" in Feedback("wrong", "<b>")._repr_html_()
    assert score([Feedback("right"), Feedback("wrong")]) == "1 of 2 right"


@pytest.mark.parametrize(
    "text", ["0 1 x", "0.5", "0 1 * 5000000", "0 * 1 2", "0 * x", "0 * -1", "0 *", "0 * 1 * 2"]
)
def test_a_list_that_cannot_be_read_is_wrong_and_says_why(text: str) -> None:
    assert check_that(text, lambda _: True, read=whole_numbers).message.startswith("ValueError: ")


def test_code_that_defines_nothing_or_breaks_is_wrong_and_says_how() -> None:
    assert check_that("x = 1", lambda _: True, read=code()).message.endswith("define a function or a class")
    assert check_that("def f(:", lambda _: True, read=code()).message.startswith("SyntaxError: ")
    assert check_that("def f(): return y", lambda f: f(), read=code()).message.startswith("NameError: ")


# The lessons

WRONG: dict[int, dict[int, str]] = {
    1: {3: "0 1 2 0 3 0", 4: "0 1 2 3", 7: "0 1 2 3 0 1 2 3 3 3 3 3"},
    2: {5: "0 1 2 3 * 5", 7: "0 1 2 0 1 2", 10: "0 1 2 3"},
    3: {2: "def adversary(session): return 0", 7: "def adversary(session, made): return 3 * session.layer"},
    4: {7: "def draw(rng, length): return [0, 1, 2] * 133 + [0]"},
    5: {4: "def victim(last, time, layers): return min(last, key=lambda page: last[page])"},
    6: {
        1: "-1 -1 1 -1 0 -2",
        4: "1",
        6: "def lie(proof): proof['provenance'] = {}",
        7: "def lie(proof): proof['provenance'] = {}",
        10: "0 1 2",
    },
}
"""Answers to the questions of which there are many right ones; to lesson 7, answers to other questions."""


def chapter(lesson: int) -> str:
    page = ANSWERS.read_text(encoding="utf-8")
    found = re.search(rf"^## Lesson {lesson}:.*?(?=^## |\Z)", page, re.M | re.S)
    assert found is not None
    return found[0]


def exercises(lesson: int) -> list[str]:
    return re.findall(r"^\*\*(Exercise \d)\.\*\*", chapter(lesson), re.M)


def written(lesson: int) -> dict[int, str]:
    """Return the answers on the page for teachers as they are typed: code, or what is set as code."""
    parts = re.split(r"^(?:\*\*Question (\d+)\.\*\* |(?=\*\*))", chapter(lesson), flags=re.M)
    found = {}
    for number, text in zip(parts[1::2], parts[2::2], strict=True):
        if number is not None:
            block = re.search(r"^```python\n(.*?)^```", text, re.M | re.S) or re.match("`(.*?)`", text)
            assert block is not None, f"lesson {lesson}, question {number}"
            found[int(number)] = block[1]
    return found


def run(lesson: Lesson, fields: Mapping[str, object] | None = None) -> tuple[str, Mapping[str, Any]]:
    """Run a lesson, with these fields instead of its own; return what it shows and what it defines."""
    outputs, names = run_lesson(lesson, fields)
    return "\n".join(getattr(one, "text", None) or one._repr_html_() for one in outputs), names


def states(names: Mapping[str, Any]) -> dict[int, str]:
    return {int(name[7:]): feedback.state for name, feedback in names.items() if name.startswith("result_")}


def filled(names: Mapping[str, Any], answers: Mapping[int, str]) -> dict[str, object]:
    """Return fields that hold these answers, where there are several words in one of several choices."""
    fields = {}
    for number, text in answers.items():
        field = names[f"answer_{number}"]
        value = text.split() if type(field).__name__ == "multiselect" else text
        fields[f"answer_{number}"] = SimpleNamespace(value=value, options=getattr(field, "options", None))
    return fields


def unlike(field: Any, text: str) -> str:
    """Return a wrong answer of the same kind."""
    if hasattr(field, "options"):
        return next(option for option in field.options if option not in text.split() and option != text)
    *head, last = text.split()
    return " ".join([*head, str(Fraction(last) + 1)])


def test_there_is_a_lesson_for_every_subject() -> None:
    assert [lesson.number for lesson in LESSONS] == list(range(1, 9))
    page = PAGE.read_text(encoding="utf-8")
    for lesson in LESSONS:
        numbers = re.findall(r"\*\*Question (\d+)", lesson.path.read_text(encoding="utf-8"))
        assert list(map(int, numbers)) == list(range(1, len(numbers) + 1)) == list(written(lesson.number))
        assert len(numbers) >= 8
        assert f"| {lesson.number} | [{lesson.title}]" in page
        assert f"| {lesson.minutes} |" in page


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_the_guide_has_every_section_and_its_minutes(lesson: Lesson) -> None:
    text = PAGE.read_text(encoding="utf-8")
    guide = text.partition(f"### Lesson {lesson.number}: {lesson.title}\n")[2].partition("\n##")[0]
    planned = dict(re.findall(r"^\| (\d\. .*?) \| (\d+) \| .+ \|$", guide, re.M))
    sections = re.findall(r"^ +## (\d\. .*)$", lesson.path.read_text(encoding="utf-8"), re.M)
    assert list(planned) == sections
    assert sum(map(int, planned.values())) == lesson.minutes
    assert set(re.findall(r"\*(Exercise \d)\.\*", guide)) == set(exercises(lesson.number))


@pytest.mark.slow
def test_a_lesson_is_a_script() -> None:
    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    names = runpy.run_path(str(LESSONS[5].path), run_name="__main__")
    assert names["app"] is not None


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_a_lesson_judges_answers(lesson: Lesson) -> None:
    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    answers = written(lesson.number)
    shown, untouched = run(lesson)
    assert states(untouched) == dict.fromkeys(answers, "open")
    told = [
        number
        for number, text in answers.items()
        if text.isdigit()
        and untouched[f"result_{number}"].expected
        and re.search(rf"(?<!k = )\b{text} faults", shown)
    ]
    assert told == []
    _, right = run(lesson, filled(untouched, answers))
    assert states(right) == dict.fromkeys(answers, "right")
    wrong = WRONG.get(lesson.number, {}) | {
        number: unlike(untouched[f"answer_{number}"], text)
        for number, text in answers.items()
        if untouched[f"result_{number}"].expected is not None
    }
    if lesson.number == 7:
        wrong |= {2: answers[4], 4: answers[5], 5: answers[4], 7: answers[4]}
    _, judged = run(lesson, filled(untouched, wrong))
    assert states(judged) == dict.fromkeys(answers, "wrong")
    assert all(judged[f"result_{number}"].message for number in answers)


# The command


def test_the_command_lists_the_lessons(capsys: pytest.CaptureFixture[str]) -> None:
    assert paging_run(["lesson"]) == 0
    listed = capsys.readouterr().out
    assert all(
        re.search(rf"^{one.number} +{re.escape(one.title)} +{one.minutes}$", listed, re.M) for one in LESSONS
    )


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The command lines that marimo is started with, in a folder of its own; it is not started."""
    found: list[list[str]] = []
    monkeypatch.setattr(sys, "argv", ["paging"])
    monkeypatch.setattr("runpy.run_module", lambda module, **_: found.append([module, *sys.argv[1:]]))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.chdir(tmp_path)
    return found


def test_a_lesson_is_opened_where_it_is_installed(opened: list[list[str]], tmp_path: Path) -> None:
    assert paging_run(["lesson", "2", "--no-open", "--port", "8123"]) == 0
    assert opened == [["marimo", "run", str(LESSONS[1].path), "--port", "8123", "--headless"]]
    assert list(tmp_path.iterdir()) == []
    last = LESSONS[-1]
    assert paging_run(["lesson", str(last.number)]) == 0
    assert opened[-1] == ["marimo", "run", str(last.path)]
    assert paging_run(["lesson", str(last.number + 1)]) == 2


def test_a_changed_copy_is_never_overwritten(
    opened: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = LESSONS[6].path.name
    assert paging_run(["lesson", "7", "--edit"]) == 0
    assert (tmp_path / name).read_bytes() == LESSONS[6].path.read_bytes()
    assert "a copy" in capsys.readouterr().err
    (tmp_path / name).write_text("mine")
    assert paging_run(["lesson", "7", "--edit"]) == 0
    assert (tmp_path / name).read_text() == "mine"
    assert "has been changed" in capsys.readouterr().err
    assert opened == [["marimo", "edit", name]] * 2


def test_a_missing_marimo_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert paging_run(["lesson", "1"]) == 2
    assert capsys.readouterr().err == (
        "paging: error: lessons need marimo: pip install 'layered-paging[lessons]'\n"
    )


def test_make_opens_a_lesson() -> None:
    done = subprocess.run(
        ["make", "-n", "lesson", "LESSON=3"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "paging lesson 3" in done.stdout


# In a browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"no {what}")
    pytest.skip(f"no {what}: the browser tests need it ('make browser' installs it where it can)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing("Chromium")
    if importlib.util.find_spec("playwright") is None:
        missing("Playwright for Python")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=path, args=flags)
        yield started
        started.close()


@pytest.fixture
def address() -> Iterator[str]:
    """A lesson as the installed command opens it, without its code."""
    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    command = [str(Path(sys.executable).with_name("paging")), "lesson", "1", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            process.terminate()


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_reader_types_answers_and_is_told(browser: Any, address: str) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=120_000)
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    behind = page.get_by_text("Compare with the picture")
    expect(page.get_by_text("0 of 11 right, 11 not answered")).to_be_visible()
    for place, answer, verdict in (
        (0, "7", "✗ not yet: The first three requests"),
        (0, "8", "✓ right"),
        (1, "[1, 2, 3, 0, 1]", "2 of 11 right, 9 not answered"),
    ):
        expect(behind).to_have_count(0)
        field = page.get_by_role("textbox").nth(place)
        field.fill(answer)
        field.press("Enter")
        expect(page.get_by_text(verdict).first).to_be_visible()
    expect(behind).to_be_visible()


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_saved_lesson_checks_answers_without_a_network(browser: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    expect.set_options(timeout=60_000)
    target = tmp_path / "lesson.html"
    assert paging_run(["lesson", "1", "-o", str(target)]) == 0
    page = browser.new_page()
    page.set_default_timeout(60_000)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(target.as_uri())
    answers = written(1)
    behind = page.get_by_text("Compare with the picture")
    expect(behind).to_be_hidden()
    expect(page.get_by_text("More is shown here when questions 1 and 2 are answered.")).to_be_visible()
    forms = {int(form.get_attribute("data-number")): form for form in page.locator("form").all()}
    assert set(forms) == {1, 2, 5, 6, 8, 9, 10, 11}
    for box, verdict in (("mru", "✗ not yet: "), (answers[10], "✓ right")):
        forms[10].get_by_label(box).check()
        forms[10].get_by_role("button").click()
        expect(forms[10].locator("output")).to_contain_text(verdict)
        forms[10].get_by_label("mru").uncheck()
    for number, form in forms.items():
        field = form.get_by_role("textbox")
        tries = {" ": "○ not answered yet", f"{answers[number]} 0": "✗ not yet: ", answers[number]: "✓ right"}
        for text, verdict in tries.items() if number != 10 else ():
            field.fill(text)
            field.press("Enter")
            expect(form.locator("output")).to_contain_text(verdict)
    expect(page.get_by_text("8 of 8 right")).to_be_visible()
    assert page.get_by_text(re.compile(r"of \d+ right")).count() == 1
    expect(behind).to_be_visible()
    assert {url.partition(":")[0] for url in asked} <= {"file", "about", "data"}
    expect(page.frame_locator("iframe").first.get_by_role("button").first).to_be_visible()  # its player runs
    assert not said
    # No script but the page's own and the player's: neither in the page nor in a frame.
    for place in (page, page.frames[-1]):
        place.evaluate(
            """() => new Promise((done) => {
                const image = document.body.appendChild(new Image());
                image.setAttribute("onerror", "parent.hit = 1");
                image.addEventListener("error", done);
                image.src = "x:";
                const script = document.createElement("script");
                script.text = "parent.hit = 1";
                document.body.append(script);
            })"""
        )
    assert len([text for text in said if "Content Security Policy" in text]) >= 4
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize(
    ("expected", "spelling"),
    [
        (3, ("list", "3")),
        (Fraction(7, 2), ("list", "7/2")),
        (10.9, ("list", "109/10")),
        ([1, Fraction(3, 2)], ("list", "1,3/2")),
        ({8, 2}, ("set", "2,8")),
        ({"lru", "fifo"}, ("set", "fifo,lru")),
        ("0 3 1 5", ("text", "0 3 1 5")),
    ],
)
def test_a_right_answer_has_one_spelling(expected: object, spelling: tuple[str, str]) -> None:
    assert canonical(expected) == spelling
