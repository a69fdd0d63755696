"""Compiling policies as they are defined: one compiled driver for all, and one machine-code function each.

A driver that takes functions by their type signature is compiled once and kept on disk; a driver specialised
to each policy would be compiled again in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core.errors import NumbaError

from paging.judge import drive, judge
from paging.model import LayeredInstance, Serve
from paging.work_function import update_work_function

F = TypeVar("F", bound=Callable[..., object])

LABELS = types.int64[::1]
PAGES = types.Array(types.int32, 1, "C", readonly=True)
SLOTS = types.int64[::1]
PREDICTIONS = types.Array(types.int64, 1, "C", readonly=True)
ENTRIES = types.int32[::1]
FRAME = numba.typeof(LayeredInstance(1, 1, 1).frame)

SERVE = types.void(LABELS, types.int64, types.int64, FRAME)
UPDATE = types.int64(LABELS, types.int64, types.int64)
JUDGE = types.int64(LABELS, LABELS, types.int64, types.int64, types.boolean)
DRIVE = types.UniTuple(types.int64, 3)(
    types.FunctionType(SERVE),
    types.FunctionType(JUDGE),
    PAGES,
    SLOTS,
    FRAME,
    PREDICTIONS,
    types.boolean,
    types.boolean,
    ENTRIES,
    LABELS,
)


@cache
def compiled_drive() -> Callable[..., tuple[int, int, int]]:
    """Return :func:`paging.judge.drive`, compiled."""
    return compile_as(drive, DRIVE)


@cache
def compiled_judge() -> Callable[..., int]:
    """Return :func:`paging.judge.judge`, compiled."""
    return compile_as(judge, JUDGE)


@cache
def compiled_serve(serve: Serve) -> Serve | None:
    """Return a policy's serve function compiled, or None when it does not compile."""
    try:
        return compile_as(serve, SERVE)
    except NumbaError:
        return None


@cache
def compiled_update() -> Callable[..., int]:
    """Return :func:`paging.work_function.update_work_function`, compiled."""
    return compile_as(update_work_function, UPDATE)


def compile_as(function: F, signature: Any) -> F:
    """Compile a function for one signature and keep the machine code on disk where it has a file."""
    try:
        return cast(F, numba.njit(signature, cache=True, nogil=True)(function))
    except RuntimeError:
        # Code typed in at a prompt has no file beside which machine code could be kept.
        return cast(F, numba.njit(signature, nogil=True)(function))
