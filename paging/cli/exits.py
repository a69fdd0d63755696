"""The exit codes of all commands."""

from __future__ import annotations

from enum import IntEnum

import click

from paging.signals import INTERRUPTED


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUTED = 1
    FAILED = 2
    CONDITIONAL = 3
    INTERRUPTED = INTERRUPTED
    PIPE_CLOSED = 141


MEANINGS = {
    Exit.DONE: "done; of `paging verify`: VERIFIED",
    Exit.REFUTED: "of `paging reproduce`: a bound did not stand, the report says which; "
    "of `paging verify`: REFUTED; of `paging bounds --counterexample`: VIOLATED",
    Exit.FAILED: "wrong arguments, unreadable or illegal input, a variant that is not supported, "
    "a failed write; of `paging verify`: INCOMPLETE",
    Exit.CONDITIONAL: "of `paging verify`: CONDITIONAL, proved if what the verdict lists holds, which nobody "
    "has checked",
    Exit.INTERRUPTED: "interrupted; a command that keeps what it knows so far has shown it",
    Exit.PIPE_CLOSED: "the reader of standard output went away",
}
"""What every exit code says, in Markdown."""


def leave(code: Exit) -> None:
    """End the command that is running with an exit code."""
    click.get_current_context().exit(code)
