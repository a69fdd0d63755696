"""A lesson as one HTML file: text, pictures and players, and questions that the page itself checks.

A number, a list or a choice is checked against a digest of what the lesson computes when the file is made;
answers that are code, or of which there are many, are checked by the running lesson alone.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from fractions import Fraction
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader

from paging.html import content_policy
from paging.lessons import Curtain, Feedback
from paging.viewer.page import player_script
from proofs.lessons import Lesson

FIELD = re.compile(r"<marimo-ui-element(?:(?!<marimo-ui-element).)*?</marimo-ui-element>", re.S)
HANDLER = " onload='__resizeIframe(this)'"
"""What marimo writes at a frame; a page with a policy has no handlers in its text."""

QUESTION = re.compile(r"<strong>Question (\d+)")

SCORE = re.compile(r'<span class="paragraph">\d+ of \d+ right(, \d+ not answered)?</span>')
"""The count of the running lesson, which would stand still here; the page counts by itself."""


class Question(NamedTuple):
    """A question of which the page knows what is right."""

    number: int
    kind: str
    digest: str
    hint: str
    choices: list[str]
    several: bool


def run_lesson(
    lesson: Lesson, fields: Mapping[str, object] | None = None
) -> tuple[list[Any], dict[str, Any]]:
    """Run a lesson from start to end.

    Parameters
    ----------
    lesson : Lesson
    fields : mapping, optional
        Objects with a ``value`` that stand for the fields ``answer_1``, ``answer_2``, …; fields that nobody
        has touched where it says nothing.

    Returns
    -------
    list, dict
        What the cells show, in their order, and what they define.
    """
    spec = importlib.util.spec_from_file_location(f"lesson_{lesson.number}", lesson.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, names = module.app.run(defs=dict(fields or {}))
    return [shown for shown in outputs if shown is not None], dict(names)


def lesson_file(lesson: Lesson) -> str:
    """Return a lesson as an HTML page that needs neither a network nor this package."""
    shown, names = run_lesson(lesson)
    results = {id(value): int(name[7:]) for name, value in names.items() if name.startswith("result_")}
    questions = {number: _question(lesson, number, names) for number in results.values()}
    parts = [_part(one, results, questions) for one in shown if not isinstance(one, Feedback)]
    environment = Environment(loader=PackageLoader("proofs", "lessons"), autoescape=True)
    script = (files("proofs.lessons") / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        lesson=lesson,
        policy=content_policy(script, player_script()),  # the players' frames are held to it, too
        script=script,
        parts=parts,
        checked=sum(question is not None for question in questions.values()),
        total=len(questions),
    )


def digest(text: str) -> str:
    """Return the 64-bit FNV-1a hash of a text: it hides an answer from a reader, not from an attacker.

    >>> digest("")
    'cbf29ce484222325'
    """
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:x}"


def canonical(expected: object) -> tuple[str, str]:
    """Return the kind of an answer and its one spelling, which the page makes of what is typed as well.

    >>> canonical([3, Fraction(1, 2)]), canonical({"lru", "fifo"}), canonical(10.9), canonical("0 3 1 5")
    (('list', '3,1/2'), ('set', 'fifo,lru'), ('list', '109/10'), ('text', '0 3 1 5'))
    """
    if isinstance(expected, str):
        return "text", expected
    if isinstance(expected, set | frozenset):
        return "set", ",".join(sorted(map(_word, expected)))
    return "list", ",".join(map(_word, expected if isinstance(expected, list | tuple) else [expected]))


def _word(value: object) -> str:
    return value if isinstance(value, str) else str(Fraction(str(value)))


def _question(lesson: Lesson, number: int, names: Mapping[str, Any]) -> Question | None:
    feedback: Feedback = names[f"result_{number}"]
    if feedback.expected is None:
        return None
    kind, text = canonical(feedback.expected())
    field = names[f"answer_{number}"]
    options = getattr(field, "options", {})
    return Question(
        number,
        kind,
        digest(f"{lesson.number}.{number}:{text}"),
        feedback.hint,
        list(options),
        kind == "set" and bool(options),
    )


def _part(shown: Any, results: Mapping[int, int], questions: Mapping[int, Question | None]) -> str:
    if isinstance(shown, Curtain):
        return _behind(shown, results, questions)
    text: str = getattr(shown, "text", None) or shown._repr_html_()
    text = SCORE.sub("", text.replace(HANDLER, ""))
    asked = QUESTION.search(text)
    while FIELD.search(text):
        text = FIELD.sub("<!--field-->", text)
    if asked is None:
        return text.replace("<!--field-->", "")
    form = _form(questions[int(asked[1])])
    return text.replace("<!--field-->", form, 1).replace("<!--field-->", "")


def _behind(curtain: Curtain, results: Mapping[int, int], questions: Mapping[int, Question | None]) -> str:
    numbers = [results[id(one)] for one in curtain.feedback]
    content = _part(curtain.show(), results, questions)
    known = all(questions[number] is not None for number in numbers)
    named = (
        f"question {numbers[0]} is"
        if len(numbers) == 1
        else f"questions {' and '.join(map(str, numbers))} are"
    )
    if known:
        after = " ".join(map(str, numbers))
        return (
            f'<p class="wait" data-after="{after}">More is shown here when {named} answered.</p>'
            f'<section data-after="{after}" hidden>{content}</section>'
        )
    return f"<details><summary>More, for when {named} answered</summary>{content}</details>"


def _form(question: Question | None) -> str:
    if question is None:
        return '<p class="only">Many answers are right: the running lesson checks yours.</p>'
    facts = {
        "number": question.number,
        "kind": question.kind,
        "digest": question.digest,
        "hint": question.hint,
    }
    attributes = "".join(f' data-{name}="{escape(str(value))}"' for name, value in facts.items())
    return (
        f"<form{attributes}>{_entry(question)} <button>Check</button> "
        '<output aria-live="polite">○ not answered yet</output></form>'
    )


def _entry(question: Question) -> str:
    label = f"Answer to question {question.number}"
    if question.several:
        boxes = (
            f'<label><input type="checkbox" name="answer" value="{escape(choice)}"> {escape(choice)}</label>'
            for choice in question.choices
        )
        return f"<fieldset><legend>Answer</legend>{' '.join(boxes)}</fieldset>"
    if question.choices:
        options = "".join(f"<option>{escape(choice)}</option>" for choice in question.choices)
        return f'<select name="answer" aria-label="{label}"><option></option>{options}</select>'
    return f'<input name="answer" aria-label="{label}" autocomplete="off" spellcheck="false">'
