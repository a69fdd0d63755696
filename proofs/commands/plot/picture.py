"""What every command of ``paging plot`` does: check where the picture goes, draw it, write its numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import F, Source, json_option, runs_option
from paging.cli.terminal import progress, provenance, write_json
from paging.errors import ModelError
from proofs.plots.document import SHOWN, Document

if TYPE_CHECKING:
    from paging.model import RequestSequence

Origin = Mapping[str, object]
"""Where the numbers of a document come from, for its provenance."""

policies_argument = click.argument("policies", nargs=-1, required=True, metavar="POLICY...")

output_option = click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Picture to write, .svg, .png or .pdf; may be given several times.",
)

means_option = runs_option("is their mean")


def show_option(what: str, default: str) -> Callable[[F], F]:
    """``--show``; ``what`` begins the help text."""
    return click.option(
        "--show",
        type=click.Choice(list(SHOWN)),
        default=default,
        show_default=True,
        help=f"{what}: faults, faults per request, ratio to OPT, saving over LRU.",
    )


def picture(command: Callable[..., tuple[Document, Origin]]) -> Callable[..., None]:
    """Give a command ``-o`` and ``--json``, and draw and write the document it returns with its origin.

    The command is told whether it is ``quiet``, and is not called where the picture could not be written.
    """

    @functools.wraps(command)
    def drawn(outputs: Sequence[str], as_json: bool, **others: object) -> None:
        _check(outputs, as_json)
        document, origin = command(quiet=as_json, **others)
        _deliver(document, origin, outputs, as_json)

    return output_option(json_option()(drawn))


def _check(outputs: Sequence[str], as_json: bool) -> None:
    """Refuse before any work a picture that could not be written, or no output at all."""
    from paging.plotting import check_targets

    if not outputs and not as_json:
        raise ModelError(
            "name the picture with -o FILE (.svg, .png or .pdf), or ask for the numbers with --json"
        )
    check_targets(outputs)


def _deliver(document: Mapping[str, Any], origin: Origin, outputs: Sequence[str], as_json: bool) -> None:
    """Write the pictures, and the numbers if asked for."""
    from paging.numbers import jsonable
    from proofs.plots.draw import draw

    numbers = jsonable(document)
    if outputs:
        with progress("drawing", show=not as_json):
            draw(numbers, outputs)
    if as_json:
        write_json({**numbers, "output": outputs, "provenance": provenance(**origin)})
    else:
        click.echo("\n".join(f"written: {path}" for path in outputs))


def read_requests(
    source: Source, cache: int | None, policies: Sequence[str], quiet: bool
) -> tuple[RequestSequence, Origin]:
    """Read or generate the requests, and say where they come from; the seed belongs to that."""
    with progress("reading requests", show=not quiet):
        sequence, origin = source.sequence(cache, policies)
    return sequence, {"seed": source.seed, **origin}
