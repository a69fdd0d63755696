"""What commands write: JSON, tables, progress bars, one-line messages."""

from __future__ import annotations

import csv
import importlib.metadata
import math
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from typing import Any

import click

from paging.numbers import cell, json_text, jsonable, short_digest
from paging.signals import UNWATCHED, Count, Stop, Watch

TABLE_FORMS = ("text", "csv", "latex")
"""What a table can be written as."""

TABLE_FORM = "paging.cli.terminal.table"
"""Key in the meta of click's context: the form that was asked for, if it is not text."""

TABLE_BEFORE = "paging.cli.terminal.before"
"""Key in the meta of click's context: whether a table has been written."""

LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "#$%&_{}"},
        **{"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"},
        **{"ℓ": "$\\ell$", "≤": "$\\leq$", "≥": "$\\geq$", "≈": "$\\approx$", "∞": "$\\infty$"},
        **{"−": "$-$", "·": "$\\cdot$", "×": "$\\times$", "±": "$\\pm$", "→": "$\\to$"},
        **{"…": "\\dots{}", "–": "--", "\n": " "},
    }
)
"""Characters of our tables that LaTeX reads differently, or not at all."""

LONGEST_ORIGIN = 200
"""Characters of one fact about where requests come from."""

DELAY = 1.0
"""Seconds of work before progress is shown."""

SILENCE = 2.0
"""Seconds of silence after which compiling is told of."""

RENEW_EVERY, REMARK_EVERY = 0.2, 5.0
"""Seconds between two texts of :func:`status`, on a terminal and elsewhere."""


def write_json(value: object) -> None:
    """Write a value to standard output as JSON."""
    sys.stdout.write(json_text(value) + "\n")


def provenance(**facts: object) -> dict[str, object]:
    """Return what a number's origin is: versions of what computed it, and the given facts."""
    names = ("layered-paging", "numpy", "numba")
    return {"versions": {name: importlib.metadata.version(name) for name in names}, **facts}


def requests_note(origin: Mapping[str, object]) -> str:
    """Say where requests come from, as :meth:`paging.cli.options.Source.sequence` tells it.

    >>> requests_note({"workload": "zipf:rounds=9", "workload_seed": 0})
    'requests: workload zipf:rounds=9, workload seed 0'

    What is very long, as the weights of hundreds of pages, is cut off; JSON holds it in full.
    """
    shown = {
        key: short_digest(str(value)) if key == "digest" else str(value) for key, value in origin.items()
    }
    return "requests: " + ", ".join(
        f"{key.replace('_', ' ')} {text[:LONGEST_ORIGIN]}" + "…" * (len(text) > LONGEST_ORIGIN)
        for key, text in shown.items()
    )


def write_table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    left: Sequence[int] = (0,),
    notes: Sequence[str] = (),
) -> None:
    """Write a table to standard output: styled on a terminal, aligned plain text elsewhere; or as asked for.

    With ``--as csv`` it holds header and rows alone and the notes go to standard error, with
    ``--as latex`` title and notes are comments. A blank line parts it from a table before it.

    Parameters
    ----------
    title : str
        One line above it, with the labels of the model.
    header : sequence of str
        Column names.
    rows : sequence of sequences
        Values, turned into text by :func:`cell`, in CSV and LaTeX in full; what has a ``_repr_latex_`` is
        asked for it.
    left : sequence of int, default (0,)
        Columns set flush left; all others hold numbers and are set flush right.
    notes : sequence of str
        Lines below it.
    """
    form = _table_form()
    _part_from_the_table_before()
    if form == "csv":
        _write_csv(header, rows)
        for note in notes:
            remark(note)
        return
    if form == "latex":
        _write_latex(title, header, rows, left, notes)
        return
    cells = [[cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _write_styled(title, header, cells, left)
    else:
        sys.stdout.write("\n".join([title, "", *_aligned([list(header), *cells], left), ""]))
    for number, note in enumerate(notes):
        sys.stdout.write("\n" * (number == 0) + note + "\n")


def _table_form() -> object:
    context = click.get_current_context(silent=True)
    return context.meta.get(TABLE_FORM) if context else None


def _part_from_the_table_before() -> None:
    context = click.get_current_context(silent=True)
    if context is not None:
        if context.meta.get(TABLE_BEFORE):
            sys.stdout.write("\n")
        context.meta[TABLE_BEFORE] = True


def write_notes(*notes: str) -> None:
    """Write lines below the tables of a command; to standard error where these are CSV or LaTeX."""
    for note in notes:
        remark(note) if _table_form() else sys.stdout.write(note + "\n")


def tell_written(certificate: str) -> None:
    """Say that a certificate was written, and the command that checks it."""
    remark(f"certificate written; check it with: paging verify {shlex.quote(certificate)}")


def refuse_form(what: str) -> None:
    """Raise UsageError if a table was asked for in another form where what is written is none."""
    form = _table_form()
    if form is not None:
        raise click.UsageError(f"{what} is no table to be written as {form}", click.get_current_context())


def _write_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow("" if known is None else known for known in map(jsonable, row))


def _write_latex(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    left: Sequence[int],
    notes: Sequence[str],
) -> None:
    columns = "".join("l" if place in left else "r" for place in range(len(header)))
    lines = [
        f"% {title}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        _latex_row(header),
        "\\midrule",
        *map(_latex_row, rows),
        "\\bottomrule",
        "\\end{tabular}",
        *(f"% {line}" for note in notes for line in note.splitlines()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _latex_row(values: Sequence[object]) -> str:
    return " & ".join(map(_latex, values)) + " \\\\"


def _latex(value: object) -> str:
    """Return a value as it stands in a LaTeX table.

    >>> print(_latex("k ≥ ℓ_1 & 50 %"), _latex(Fraction(7, 2)), _latex(12345), _latex(float("inf")))
    k $\\geq$ $\\ell$\\_1 \\& 50 \\% $7/2$ 12345 $\\infty$
    """
    own = getattr(value, "_repr_latex_", None)
    if own is not None:
        return str(own())
    known = jsonable(value)
    if isinstance(value, Fraction | float) and value == math.inf:
        return "$\\infty$"
    if known is None:
        return "--"
    return f"${known}$" if isinstance(value, Fraction) and "/" in known else str(known).translate(LATEX)


def write_marked(text: str, styles: Mapping[str, str]) -> None:
    """Write text as it is; on a terminal, what matches a regular expression gets its style."""
    if not sys.stdout.isatty():
        sys.stdout.write(text)
        return
    from rich.console import Console
    from rich.text import Text

    marked = Text(text)
    for pattern, style in styles.items():
        marked.highlight_regex(pattern, style)
    Console(file=sys.stdout, highlight=False, soft_wrap=True).print(marked, end="")


def _aligned(lines: list[list[str]], left: Sequence[int]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (
            text.ljust(width) if place in left else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()


def _write_styled(title: str, header: Sequence[str], rows: list[list[str]], left: Sequence[int]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    console.print(Text(title))
    numeric = len(left) < 2
    columns = list(zip(header, *rows, strict=True))
    # Text may fold on a narrow screen, between its words; a number never does, and no digit gets lost.
    unfolded = [" ".join(column).split() if not numeric else column for column in columns]
    widths = [max(map(len, parts), default=0) for parts in unfolded]
    for block in _blocks(widths, console.width):
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for place in block:
            justify: Any = "left" if place in left else "right"
            least = min(widths[place], console.width - 2)
            table.add_column(
                Text(header[place]), justify=justify, overflow="fold", no_wrap=numeric, min_width=least
            )
        for row in rows:
            table.add_row(*(Text(row[place]) for place in block))
        console.print(table)


def _blocks(widths: Sequence[int], screen: int) -> list[list[int]]:
    """Spread columns over tables that fit the screen, each beginning with the first column.

    >>> _blocks([6, 8, 8, 8], screen=30)
    [[0, 1, 2], [0, 3]]
    """
    gap, edges = 3, 2
    blocks, room = [[0]], screen - edges - widths[0]
    for place, width in enumerate(widths[1:], start=1):
        if width + gap > room and len(blocks[-1]) > 1:
            blocks.append([0])
            room = screen - edges - widths[0]
        blocks[-1].append(place)
        room -= width + gap
    return blocks


@contextmanager
def progress(label: str, *, show: bool = True, stop: Callable[[], bool] = UNWATCHED.stop) -> Iterator[Watch]:
    """Show a bar on standard error once work takes longer than a second; gone when the work is done.

    Parameters
    ----------
    label : str
        What is being done.
    show : bool, default True
        Pass False for JSON output. Without a terminal nothing is shown in any case.
    stop : callable, optional
        Says whether the work shall stop, as :func:`~paging.signals.stoppable` yields it.

    Yields
    ------
    Watch
        To be told :class:`~paging.signals.Count`; it may be told from several threads.
    """
    if not (show and sys.stderr.isatty()):
        yield Watch(stop=stop)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=None)
    timer = threading.Timer(DELAY, bar.start)
    timer.daemon = True
    timer.start()

    def tell(news: Count) -> None:
        bar.update(task, completed=news.done, total=news.total, description=news.label)

    try:
        yield Watch(tell, stop)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


@contextmanager
def status(label: str, *, show: bool = True, stop: Callable[[], bool] = UNWATCHED.stop) -> Iterator[Watch]:
    """Say on standard error how long work of unknown length is coming along, once it takes over a second.

    On a terminal one line is renewed in place and gone in the end; elsewhere a note is written now and then.

    Parameters
    ----------
    label : str
        What is being done.
    show : bool, default True
        Pass False for JSON output.
    stop : callable, optional
        Says whether the work shall stop, as :func:`~paging.signals.stoppable` yields it.

    Yields
    ------
    Watch
        To be told anything that has a text, as often as one likes.
    """
    begun = last = time.monotonic()
    with ExitStack() as stack:
        live = None

        def tell(news: object) -> None:
            nonlocal live, last
            if isinstance(stop, Stop):
                stop.news = news
            now = time.monotonic()
            terminal = sys.stderr.isatty()
            if not show or now - begun < DELAY or now - last < (RENEW_EVERY if terminal else REMARK_EVERY):
                return
            last = now
            line = f"{label}: {now - begun:.0f} s, {news}"
            if not terminal:
                remark(line)
                return
            if live is None:
                from rich.console import Console

                live = stack.enter_context(Console(stderr=True).status(line))
            live.update(line)

        yield Watch(tell, stop)


def tell_of_compiling() -> None:
    """Say once that functions are compiled, where that goes on for long and no terminal shows a bar.

    Numba is not imported for it: a thread looks whether somebody did.
    """
    if not sys.stderr.isatty():
        threading.Thread(target=_listen_for_compiling, daemon=True).start()


def _listen_for_compiling() -> None:
    events: Any = None
    wait = SILENCE
    while not hasattr(events, "register"):
        time.sleep(wait)
        events, wait = sys.modules.get("numba.core.event"), RENEW_EVERY

    class Compiling(events.Listener):  # type: ignore[misc]
        """Hears of functions that are not in the cache on disk."""

        told = False

        def on_start(self, _event: object) -> None:
            if not self.told:
                self.told = True
                remark("compiling functions for the first use here; they are kept, later calls are fast")

        def on_end(self, _event: object) -> None:
            """Nothing to say."""

    events.register("numba:compile", Compiling())


def complain(message: str) -> None:
    """Write one line ``paging: error: …`` to standard error."""
    sys.stderr.write(f"paging: error: {' '.join(message.split())}\n")


def remark(message: str) -> None:
    """Write one line ``paging: note: …`` to standard error."""
    sys.stderr.write(f"paging: note: {' '.join(message.split())}\n")
