"""What the lessons check typed answers with."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

State = Literal["open", "right", "wrong"]

MARKS: dict[State, str] = {"open": "○ not answered yet", "right": "✓ right", "wrong": "✗ not yet"}

LONGEST = 10_000
"""Most requests that an answer may have."""


@dataclass(frozen=True)
class Feedback:
    """What a lesson says of an answer.

    Attributes
    ----------
    state : {"open", "right", "wrong"}
    message : str
        A hint, or what went wrong.
    expected : callable, optional
        Computes the right answer, where there is one.
    hint : str
        What is said of a wrong answer if there is nothing better to say.
    """

    state: State
    message: str = ""
    expected: Callable[[], object] | None = None
    hint: str = ""

    def __str__(self) -> str:
        return MARKS[self.state] + (f": {self.message}" if self.message else "")

    def _repr_html_(self) -> str:
        """Show it in a notebook; the mark in front says what the border's style repeats."""
        border = {"open": "1px dashed", "right": "3px solid", "wrong": "3px double"}[self.state]
        return _box(border, str(self))


@dataclass(frozen=True)
class Curtain:
    """What is shown only when some answers are right, since it tells them; see :func:`after`.

    Attributes
    ----------
    feedback : tuple of Feedback
        The answers that it waits for.
    show : callable
        Makes what is behind it.
    """

    feedback: tuple[Feedback, ...]
    show: Callable[[], object]

    def _repr_html_(self) -> str:
        return _box("1px dotted", "More is shown here when the questions above are answered.")


def check(answer: object, expected: Callable[[], object], hint: str = "") -> Feedback:
    """Compare an answer with what a computation gives.

    Parameters
    ----------
    answer : object
        What a field of a notebook holds: a text, a choice or a list of choices; nothing, ``""`` or ``[]``
        while there is none. Numbers may be typed as whole numbers, fractions (``3/2``) or decimals; a
        decimal is right if it is within 10⁻⁶. Several numbers or names are separated by commas or spaces,
        brackets or not: those of a list in its order, those of a set in any.
    expected : callable
        Computes the right answer; called only when there is something to compare.
    hint : str
        Shown with a wrong answer.

    Examples
    --------
    >>> from fractions import Fraction
    >>> print(check("", lambda: 3), check("3/2", lambda: Fraction(3, 2)), sep=", ")
    ○ not answered yet, ✓ right
    >>> print(check("3, 0", lambda: [3, 0]), check("2", lambda: 3, "count again"), sep=", ")
    ✓ right, ✗ not yet: count again
    """
    if _is_open(answer):
        return Feedback("open", expected=expected, hint=hint)
    if _same(answer, expected()):
        return Feedback("right", expected=expected, hint=hint)
    return Feedback("wrong", hint, expected=expected, hint=hint)


def check_that(
    answer: Any,
    holds: Callable[[Any], bool | str],
    hint: str = "",
    read: Callable[[str], object] | None = None,
) -> Feedback:
    """Put an answer of which there are many right ones to a test.

    Parameters
    ----------
    answer : object
        What a field of a notebook holds; nothing, ``""`` or ``[]`` while there is none.
    holds : callable
        Given the answer, True; or False, or a text that says what is missing. An exception counts as wrong
        and is shown.
    hint : str
        Shown if the test says False.
    read : callable, optional
        Turns the text into what the test takes: :func:`whole_numbers`, or :func:`code`.

    Examples
    --------
    >>> print(check_that("0 1", lambda pages: len(pages) > 2 or "too short", read=whole_numbers))
    ✗ not yet: too short
    """
    if _is_open(answer):
        return Feedback("open", hint=hint)
    try:
        verdict = holds(answer if read is None else read(answer))
    except Exception as error:  # an answer may fail in any way; the lesson goes on
        return Feedback("wrong", f"{type(error).__name__}: {error}", hint=hint)
    if isinstance(verdict, str):
        return Feedback("wrong", verdict, hint=hint)
    return Feedback("right", hint=hint) if verdict else Feedback("wrong", hint, hint=hint)


def after(feedback: Sequence[Feedback], show: Callable[[], object]) -> object:
    """Show something when all of these answers are right, and only say that there is more before.

    Parameters
    ----------
    feedback : sequence of Feedback
    show : callable
        Makes what a notebook is to show; not called before.

    Examples
    --------
    >>> after([Feedback("right"), Feedback("right")], lambda: "the picture")
    'the picture'
    >>> type(after([Feedback("right"), Feedback("wrong")], lambda: "the picture")).__name__
    'Curtain'
    """
    waiting = any(one.state != "right" for one in feedback)
    return Curtain(tuple(feedback), show) if waiting else show()


def whole_numbers(text: str) -> list[int]:
    """Read a list of whole numbers, which may be repeated.

    Parameters
    ----------
    text : str
        Numbers with commas or spaces between, brackets or not; ``* 10`` behind them says ten times.

    Raises
    ------
    ValueError
        Something is no whole number, or there are more than 10,000.

    Examples
    --------
    >>> whole_numbers("[3, 0]"), whole_numbers("0 1 * 3")
    ([3, 0], [0, 1, 0, 1, 0, 1])
    """
    listed, star, behind = text.replace("×", "*").partition("*")
    numbers = [_whole(word) for word in _words(listed)]
    times = [_whole(word) for word in _words(behind)] if star else [1]
    if len(times) != 1 or times[0] < 0:
        raise ValueError(f"behind * one number says how often, not {behind.strip()!r}")
    if len(numbers) * times[0] > LONGEST:
        raise ValueError(f"at most {LONGEST:,} numbers, not {len(numbers) * times[0]:,}")
    return numbers * times[0]


def code(**names: object) -> Callable[[str], object]:
    """Return a reader of answers that are Python code: it runs one and returns what it defines last.

    It runs whatever is typed: for people who may run programs here anyhow.

    Parameters
    ----------
    **names
        What the code may use beside Python's own.

    Returns
    -------
    callable
        Of the text; raises ValueError if it defines neither a function nor a class, and what the code raises.

    Examples
    --------
    >>> double = code(two=2)("def double(x):\\n    return two * x")
    >>> double(4)
    8
    """

    def read(text: str) -> object:
        defined = [
            node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        if not defined:
            raise ValueError("define a function or a class")
        space = {"__name__": "answer", **names}
        exec(compile(text, "<answer>", "exec"), space)
        return space[defined[-1]]

    return read


def score(feedback: Iterable[Feedback]) -> str:
    """Say how many answers are right.

    >>> score([Feedback("right"), Feedback("open")])
    '1 of 2 right, 1 not answered'
    """
    states = [one.state for one in feedback]
    waiting = states.count("open")
    return f"{states.count('right')} of {len(states)} right" + (
        f", {waiting} not answered" if waiting else ""
    )


def _box(border: str, text: str) -> str:
    return f'<div style="border:{border} currentColor; padding:0.4em 0.8em">{html.escape(text)}</div>'


def _is_open(answer: object) -> bool:
    return answer is None or answer == [] or (isinstance(answer, str) and not answer.strip())


def _words(text: str) -> list[str]:
    return re.findall(r"""[^\s,;"'()\[\]{}]+""", text)


def _whole(word: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", word):
        raise ValueError(f"{word!r} is no whole number: type a list such as 0 1 2, or 0 1 2 * 5")
    return int(word)


def _same(answer: Any, expected: Any) -> bool:
    if isinstance(expected, set | frozenset):
        return _same_set(_words(answer) if isinstance(answer, str) else answer, expected)
    if isinstance(expected, list | tuple):
        answer = _words(answer) if isinstance(answer, str) else answer
        alike = isinstance(answer, list | tuple) and len(answer) == len(expected)
        return alike and all(map(_same, answer, expected))
    if isinstance(expected, int | float | Fraction) and bool not in (type(answer), type(expected)):
        return _same_number(answer, expected)
    return bool(type(answer) is type(expected) and answer == expected)


def _same_set(answer: Iterable[Any], expected: Iterable[Any]) -> bool:
    given, wanted = list(answer), list(expected)
    found = [[place for place, one in enumerate(wanted) if _same(other, one)] for other in given]
    return all(found) and {place for places in found for place in places} == set(range(len(wanted)))


def _same_number(answer: Any, expected: int | float | Fraction) -> bool:
    try:
        if isinstance(answer, float) or isinstance(expected, float):
            return abs(float(answer) - float(expected)) <= 1e-6 or float(answer) == float(expected)
        return Fraction(answer) == expected
    except (TypeError, ValueError, ZeroDivisionError):
        return False
