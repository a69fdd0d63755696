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
    def kinds() -> dict[str, Any]:
        try:
            hints = get_type_hints(function)
        except NameError:  # a name that only the type checker knows
            return {}
        named = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        return {
            name: hints[name]
            for name, parameter in parameters.items()
            if name in hints and parameter.kind not in named
        }

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        # What does not fit the signature the call refuses by itself: binding it here costs more than checking.
        for name, value in (*zip(by_place, args, strict=False), *kwargs.items()):
            if name in kinds():
                _check(name, value, kinds()[name])
        return function(*args, **kwargs)

    return cast(F, call)


def check_fields(record: object) -> None:
    """Refuse an object whose attributes are not of the kinds that its class annotates.

    Raises
    ------
    ModelError
        Names the attribute, what it may be, and what it is.
    """
    for name, kind in _fields(type(record)).items():  # type: ignore[arg-type]  # a class is hashable
        _check(name, getattr(record, name), kind)


@functools.cache
def _fields(record: type) -> dict[str, Any]:
    return get_type_hints(record)


def _check(name: str, value: object, kind: Any) -> None:
    if not is_kind(value, kind):
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
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return any(is_kind(value, part) for part in get_args(kind))
    if origin is Literal:
        return isinstance(value, str | int) and value in get_args(kind)
    if origin is type:
        return isinstance(value, type) and issubclass(value, get_args(kind)[0])
    kind = origin or kind
    if kind in (None, types.NoneType):
        return value is None
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if kind in (Sequence, Iterable) and isinstance(value, np.ndarray):
        return value.ndim > 0
    if kind is int:
        return _is_whole(value)
    if kind is float:
        return isinstance(value, Real | np.number) and not isinstance(
            value, bool | complex | np.complexfloating
        )
    if not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return True
    return isinstance(value, kind)


def _is_whole(value: object) -> bool:
    try:
        operator.index(cast(Any, value))
    except TypeError:
        return False
    return not isinstance(value, bool) and np.ndim(cast(Any, value)) == 0


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
