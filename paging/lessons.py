"""What the lessons in docs/lessons check answers with."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

State = Literal["open", "right", "wrong"]

MARKS: dict[State, str] = {"open": "○ not answered yet", "right": "✓ right", "wrong": "✗ not yet"}


@dataclass(frozen=True)
class Feedback:
    """What a lesson says of an answer.

    Attributes
    ----------
    state : {"open", "right", "wrong"}
    message : str
        A hint, or what went wrong.
    """

    state: State
    message: str = ""

    def __str__(self) -> str:
        return MARKS[self.state] + (f": {self.message}" if self.message else "")

    def _repr_html_(self) -> str:
        """Show it in a notebook; the mark in front says what the border's style repeats."""
        border = {"open": "1px dashed", "right": "3px solid", "wrong": "3px double"}[self.state]
        return (
            f'<div style="border:{border} currentColor; padding:0.4em 0.8em">{html.escape(str(self))}</div>'
        )


def check(answer: object, expected: Callable[[], object], hint: str = "") -> Feedback:
    """Compare an answer with what a computation gives.

    Parameters
    ----------
    answer : object
        None while there is none. Numbers may be written as whole numbers, fractions or text such as
        ``"3/2"``; a decimal is right if it is within 10⁻⁶. A list is right in the same order, a set in any.
    expected : callable
        Computes the right answer; called only when there is something to compare.
    hint : str
        Shown with a wrong answer.

    Examples
    --------
    >>> from fractions import Fraction
    >>> print(check(None, lambda: 3), check("3/2", lambda: Fraction(3, 2)), sep=", ")
    ○ not answered yet, ✓ right
    >>> print(check(2, lambda: 3, "count again"))
    ✗ not yet: count again
    """
    if answer is None:
        return Feedback("open")
    return Feedback("right") if _same(answer, expected()) else Feedback("wrong", hint)


def check_that(answer: Any, holds: Callable[[Any], bool | str], hint: str = "") -> Feedback:
    """Put an answer of which there are many right ones to a test.

    Parameters
    ----------
    answer : object
        None while there is none; anything the test takes, a function or a policy too.
    holds : callable
        Given the answer, True; or False, or a text that says what is missing. An exception counts as wrong
        and is shown.
    hint : str
        Shown if the test says False.

    Examples
    --------
    >>> print(check_that([0, 1], lambda pages: len(pages) > 2 or "too short"))
    ✗ not yet: too short
    """
    if answer is None:
        return Feedback("open")
    try:
        verdict = holds(answer)
    except Exception as error:  # an answer may fail in any way; the lesson goes on
        return Feedback("wrong", f"{type(error).__name__}: {error}")
    if isinstance(verdict, str):
        return Feedback("wrong", verdict)
    return Feedback("right") if verdict else Feedback("wrong", hint)


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


def _same(answer: Any, expected: Any) -> bool:
    if isinstance(expected, set | frozenset):
        return not isinstance(answer, str) and set(answer) == expected
    if isinstance(expected, list | tuple):
        alike = isinstance(answer, list | tuple) and len(answer) == len(expected)
        return alike and all(map(_same, answer, expected))
    if isinstance(expected, int | float | Fraction) and bool not in (type(answer), type(expected)):
        return _same_number(answer, expected)
    return bool(type(answer) is type(expected) and answer == expected)


def _same_number(answer: Any, expected: int | float | Fraction) -> bool:
    try:
        if isinstance(answer, float) or isinstance(expected, float):
            return abs(float(answer) - float(expected)) <= 1e-6 or float(answer) == float(expected)
        return Fraction(answer) == expected
    except (TypeError, ValueError, ZeroDivisionError):
        return False
