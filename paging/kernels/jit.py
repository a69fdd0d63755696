"""One place that asks numba to compile: typed, and cached on disk."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numba.extending import register_jitable

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function with numba and keep the machine code on disk for the next start.

    With ``NUMBA_DISABLE_JIT=1`` it stays as it is, and its whole numbers go round as machine code's do.
    """
    if numba.config.DISABLE_JIT:
        return np.errstate(over="ignore")(function)
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # neither the package's folder nor one of the user's can be written
        return cast(F, numba.njit(nogil=True)(function))


def helper(function: F) -> F:
    """Let a plain function be called from compiled ones; called from Python it stays plain Python."""
    return cast(F, register_jitable(function))


def inlined(function: F) -> F:
    """Let a plain function be part of the compiled ones that call it, where a call would cost more."""
    return cast(F, register_jitable(inline="always")(function))


def merged(function: F) -> F:
    """Let a plain function become part of the compiled ones that call it once these are machine code.

    A call that passes many arrays costs more than many a function does.
    """
    return cast(F, register_jitable(forceinline=True)(function))
