"""The kinds of arguments of public functions, checked in one place: by their annotations."""

from __future__ import annotations

import functools
import inspect
import operator
import types
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError

F = TypeVar("F", bound=Callable[..., Any])

Test = Callable[[object], bool]
"""Whether a value is of a kind."""

Kinds = dict[str, tuple[Any, Test]]
"""Annotation and test of every argument or attribute."""

LONGEST = 60
"""Characters of a wrong argument that an error message holds."""


def checked(function: F) -> F:
    """Refuse arguments whose kind is not that of the annotation, before anything is done with them.

    Whether a number is in its range, and what is inside a collection, the function says itself.

    Raises
    ------
    ModelError
        Names the argument, what it may be, and what it is. Too many, too few and unknown arguments are a
        TypeError, as everywhere in Python.

    Examples
    --------
    >>> @checked
    ... def twice(number: int) -> int:
    ...     return 2 * number
    >>> twice(1.5)
    Traceback (most recent call last):
    paging.errors.ModelError: number must be an integer, got 1.5
    """
    parameters = inspect.signature(function).parameters
    by_place = [
        name for name, one in parameters.items()
        if one.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]  # fmt: skip

    @functools.cache
    def kinds() -> Kinds:
        try:
            hints = get_type_hints(function)
        except NameError:  # a name that only the type checker knows
            return {}
        named = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        return {
            name: (hints[name], _test(hints[name]))
            for name, parameter in parameters.items()
            if name in hints and parameter.kind not in named
        }

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        # What does not fit the signature the call refuses by itself: to bind it here would cost more.
        known = kinds()
        for name, value in (*zip(by_place, args, strict=False), *kwargs.items()):
            if name in known:
                _check(name, value, *known[name])
        return function(*args, **kwargs)

    return cast(F, call)


def check_fields(record: object) -> None:
    """Refuse an object whose attributes are not of the kinds that its class annotates.

    Raises
    ------
    ModelError
        Names the attribute, what it may be, and what it is.
    """
    for name, known in _fields(type(record)).items():  # type: ignore[arg-type]  # a class is hashable
        _check(name, getattr(record, name), *known)


@functools.cache
def _fields(record: type) -> Kinds:
    return {name: (kind, _test(kind)) for name, kind in get_type_hints(record).items()}


def _check(name: str, value: object, kind: Any, test: Test) -> None:
    if not test(value):
        shown = repr(value) if len(repr(value)) <= LONGEST else f"{repr(value)[:LONGEST]}…"
        raise ModelError(f"{name} must be {in_words(kind)}, got {shown}")


def array_of(values: Any, name: str) -> NDArray[Any]:
    """Return values as an array, or raise a ModelError where their shape has no meaning."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise ModelError(f"{name} make no array: {error}") from None


def is_kind(value: object, kind: Any) -> bool:
    """Say whether a value is of the kind that an annotation says, as far as that can be told by its type.

    >>> is_kind(np.int64(3), int), is_kind(True, int), is_kind(None, int | None), is_kind(2, float)
    (True, False, True, True)
    """
    return _test(kind)(value)


@functools.cache
def _test(kind: Any) -> Test:
    """Return the test of :func:`is_kind` for one annotation, taken apart only once."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        either = functools.reduce(_or, [_test(part) for part in parts if part is not types.NoneType])
        if types.NoneType not in parts:
            return either
        return lambda value: value is None or either(value)
    if origin is Literal:
        return lambda value: isinstance(value, str | int) and value in parts
    if origin is type:
        return lambda value: isinstance(value, type) and issubclass(value, parts[0])
    kind = origin or kind
    if kind in (None, types.NoneType):
        return lambda value: value is None
    if kind is bool:
        return lambda value: isinstance(value, bool | np.bool_)
    if kind in (Sequence, Iterable):
        return lambda value: value.ndim > 0 if isinstance(value, np.ndarray) else isinstance(value, kind)
    if kind is int:
        return _is_whole
    if kind is float:
        return _is_real
    if not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return lambda value: True
    return lambda value: isinstance(value, kind)


def _or(one: Test, other: Test) -> Test:
    return lambda value: one(value) or other(value)


def _is_whole(value: object) -> bool:
    if type(value) is int:
        return True
    try:
        operator.index(cast(Any, value))
    except TypeError:
        return False
    return not isinstance(value, bool) and np.ndim(cast(Any, value)) == 0


def _is_real(value: object) -> bool:
    return isinstance(value, Real | np.number) and not isinstance(value, bool | complex | np.complexfloating)


def in_words(kind: Any) -> str:
    """Say what an annotation allows.

    >>> in_words(int | None), in_words(Literal["auto", "labels"])
    ('an integer or None', "'auto' or 'labels'")
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(in_words(part) for part in get_args(kind)))
    if origin is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if origin is type:
        return f"a subclass of {get_args(kind)[0].__name__}"
    words = {int: "an integer", float: "a number", str: "text", types.NoneType: "None", None: "None"}
    kind = origin or kind
    return words.get(kind) or f"of type {getattr(kind, '__name__', kind)}"
