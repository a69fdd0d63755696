"""The command ``paging``: finds sub-commands by entry point, and turns every error into one clear line."""

from __future__ import annotations

import ast
import errno
import gc
import importlib.util
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NoReturn

import click

from paging.cli.exits import Exit
from paging.cli.terminal import complain, tell_of_compiling
from paging.errors import LayeredPagingError, UnknownNameError
from paging.signals import StoppedError, interruptible

GROUP = "paging.commands"
COMPLETE = "_PAGING_COMPLETE"


@cache
def _points() -> dict[str, EntryPoint]:
    """Sub-commands by name; those of this distribution cannot be replaced by another one's."""

    def ours(point: EntryPoint) -> bool:
        return point.dist is not None and point.dist.name == "layered-paging"

    return {point.name: point for point in sorted(entry_points(group=GROUP), key=ours)}


def _load(point: EntryPoint) -> click.Command:
    where = f"the command {point.name!r} ({point.value})"
    try:
        command = point.load()
    except (ImportError, AttributeError) as error:
        raise LayeredPagingError(f"{where} cannot be loaded: {error}") from error
    if not isinstance(command, click.Command):
        raise LayeredPagingError(f"{where} is not a click command")
    return command


def summaries() -> dict[str, str]:
    """Return the first sentence of every command's help, by name."""
    return {name: _summary(point) for name, point in sorted(_points().items())}


def _summary(point: EntryPoint) -> str:
    """First sentence of a command's help, read from its source text: nothing is imported for a list."""
    try:
        tree = ast.parse(_source(point.module))
    except (OSError, SyntaxError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == point.attr:
            return (ast.get_docstring(node) or "").partition("\n")[0].rstrip(".")
    return ""


def _source(module: str) -> str:
    # Looking up the whole dotted name would import the package; looking up its first part does not.
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, *rest)
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(module)


class Root(click.Group):
    """The root command; a sub-command is imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_points())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        point = _points().get(name)
        return None if point is None else _load(point)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _points():
            raise UnknownNameError("command", args[0], _points())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(summaries().items()))


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'paging COMMAND --help' explains a command and shows examples.",
)
@click.version_option(package_name="layered-paging", prog_name="paging")
def root() -> None:
    """Serve layered request sequences with paging policies, and hold them against the offline optimum.

    \b
    Examples:
      paging compare --workload zipf:alpha=1,rounds=5000 -l 32 -n 8 -k 64:224:32
      paging run lru llru --trace routing.npz -k 96
      paging reproduce -o report/
    """


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; every expected failure is one line on stderr.

    Parameters
    ----------
    args : sequence of str
        The arguments, without the program's name.

    Returns
    -------
    int
        One of :class:`~paging.cli.exits.Exit`.
    """
    try:
        with interruptible(), root.make_context("paging", list(args) or ["--help"]) as context:
            root.invoke(context)
        sys.stdout.flush()
        return Exit.DONE
    except click.exceptions.Exit as stop:
        return _flushed(stop.exit_code)
    except click.ClickException as error:
        return _usage(error)
    except LayeredPagingError as error:
        return _failed(str(error))
    except (KeyboardInterrupt, StoppedError, click.Abort):
        sys.stderr.write("paging: interrupted\n")
        return Exit.INTERRUPTED
    except MemoryError:
        return _failed("out of memory")
    except (Exception, SystemExit) as error:
        from paging.policy import failed_policy

        if (message := failed_policy(error)) is not None:
            return _failed(message)
        if isinstance(error, OSError):
            return _broken(error)
        raise


def _failed(message: str) -> int:
    complain(message)
    return Exit.FAILED


def _usage(error: click.ClickException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # click ≥ 8.2: a group without a sub-command
        error.show()
        return Exit.FAILED
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context is not None else ""
    return _failed(error.format_message() + hint)


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        return _broken(error)
    return code


def _broken(error: OSError) -> int:
    """Handle a failed read or write: silently when nobody reads our output any more."""
    _abandon_stdout()
    if error.errno == errno.EPIPE:
        return Exit.PIPE_CLOSED
    where = f"{error.filename}: " if error.filename else ""
    return _failed(f"{where}{error.strerror or error}")


def _abandon_stdout() -> None:
    # What is still buffered cannot be written; without this the interpreter would complain at exit.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> NoReturn:
    """Run the command line of this process."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by who started us; what is opened next would take its number
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # ℓ on a Latin-1 terminal
    if instruction := os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(root, {}, "paging", COMPLETE, instruction))
    # So that mymodule:MyPolicy works in the folder of mymodule.py; last, so that it shadows nothing.
    sys.path.append(str(Path.cwd()))
    tell_of_compiling()
    code = run(sys.argv[1:])
    if code == Exit.INTERRUPTED:
        # Threads inside compiled code cannot be stopped; everything of ours has been cleaned up already, once
        # the semaphores of worker processes are gone.
        gc.collect()
        gc.collect()  # what the first round freed may have held more
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
