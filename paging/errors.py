"""Every error this project raises on purpose, under one base class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LayeredPagingError(Exception):
    """Base of all errors raised on purpose; the command line turns it into one line and exit code 2."""


class ModelError(LayeredPagingError, ValueError):
    """A parameter of an instance, policy, workload or construction is outside its range."""


class IllegalSequenceError(LayeredPagingError, ValueError):
    """A request sequence does not fit its instance."""


class UnsupportedModelError(LayeredPagingError, ValueError):
    """A policy or route does not serve this variant of the model; it is refused, never approximated."""


class IllegalAnswerError(LayeredPagingError, RuntimeError):
    """A policy's answer broke the rules of the problem."""


class InfeasibleScheduleError(LayeredPagingError, ValueError):
    """An offline schedule cannot be carried out on its sequence."""


class TraceError(LayeredPagingError, ValueError):
    """A trace file cannot be read or written; the message names file and position."""


class LimitError(LayeredPagingError, RuntimeError):
    """A computation was stopped because it would exceed a stated limit."""


class UnknownNameError(LayeredPagingError, ValueError):
    """A name is not in a registry; the message lists near misses, or says what the name stands for."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
        if hint:
            hint += "; "
        elif near:
            hint = f"did you mean {' or '.join(near)}? "
        super().__init__(f"unknown {kind} {name!r}: {hint}known are {', '.join(names)}")
