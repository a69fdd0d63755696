"""Options that several commands share: one spelling, one meaning and one error message everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from paging.cli.terminal import TABLE_FORM, TABLE_FORMS, remark
from paging.errors import LimitError, ModelError
from paging.numbers import in_digits, read_exact
from paging.spec import parse_sizes, parse_slice

if TYPE_CHECKING:
    from paging.model import LayeredInstance, RequestSequence
    from paging.traces import Trace, TraceReading

F = TypeVar("F", bound=Callable[..., object])


class _InDigits(click.ParamType[Any]):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str):
            try:
                in_digits(value)
            except ValueError as problem:
                self.fail(f"{problem}.", param, ctx)
        return super().convert(value, param, ctx)


class Whole(_InDigits, click.types.IntParamType):
    """A whole number, whose range is checked where it is used."""


class WholeIn(_InDigits, click.IntRange):
    """A whole number in a range."""


class Real(_InDigits, click.types.FloatParamType):
    """A number, whose range is checked where it is used."""


class RealIn(_InDigits, click.FloatRange):
    """A number in a range."""


class Seconds(RealIn):
    """A duration; what is no number (``nan``) would pass every comparison."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number in the range."""
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return number


class NewFile(click.Path):
    """A file to be written: refused before any work where its folder is missing, or it is a folder.

    Parameters
    ----------
    page : bool
        Whether it becomes an HTML page, and its name has to say so.
    """

    def __init__(self, *, page: bool = False) -> None:
        super().__init__(dir_okay=False)
        self.page = page

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the name."""
        name = str(super().convert(value, param, ctx))
        if self.page and Path(name).suffix.lower() not in (".html", ".htm"):
            self.fail(f"{name}: the page is written as HTML, so its name ends in .html", param, ctx)
        if not Path(name).absolute().parent.is_dir():
            self.fail(f"{name}: there is no folder {Path(name).parent}", param, ctx)
        return name


def parse_pages(text: str | int | tuple[int, ...]) -> int | tuple[int, ...]:
    """Read pages per layer: ``8``, or one number per layer as ``3,4,5``.

    >>> parse_pages("8"), parse_pages("3,4,5")
    (8, (3, 4, 5))
    """
    if not isinstance(text, str):
        return text  # a default, which is no text
    try:
        counts = tuple(int(in_digits(part)) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a whole number nor one per layer such as 3,4,5"
        ) from None
    return counts[0] if len(counts) == 1 else counts


def parse_caches(text: str | tuple[int, ...]) -> tuple[int, ...]:
    """Read cache sizes: single ones and ranges with both ends.

    >>> parse_caches("8,64:256:64")
    (8, 64, 128, 192, 256)
    """
    if not isinstance(text, str):
        return text
    try:
        return parse_sizes(text)
    except ModelError as problem:
        raise click.BadParameter(str(problem)) from None


def layers_option(**settings: Any) -> Callable[[F], F]:
    """``-l/--layers``."""
    return _option("-l", "--layers", type=Whole(), metavar="L", help="Number of layers ℓ.", **settings)


def pages_option(*names: str, **settings: Any) -> Callable[[F], F]:
    """``-n/--pages`` and perhaps other names: one number, or one per layer."""
    text = "Pages (experts) per layer n, or one number per layer as 3,4,5."
    return _option("-n", "--pages", *names, "pages", type=parse_pages, metavar="N", help=text, **settings)


def cache_option(**settings: Any) -> Callable[[F], F]:
    """``-k/--cache``: one cache size."""
    text = "Cache size k in pages, shared by all layers."
    return _option("-k", "--cache", type=Whole(), metavar="K", help=text, **settings)


def caches_option(**settings: Any) -> Callable[[F], F]:
    """``-k/--cache``: several cache sizes."""
    text = "Cache sizes k: a list, ranges FROM:TO:STEP (both ends belong to it), or both: 16,64:256:32."
    return _option("-k", "--cache", "caches", type=parse_caches, metavar="K1,K2,…", help=text, **settings)


def per_visit_option(**settings: Any) -> Callable[[F], F]:
    """``-g/--per-visit``."""
    text = "Pages g requested in one visit of a layer (top-g routing)."
    return _option("-g", "--per-visit", type=Whole(), metavar="G", help=text, **settings)


def visits_option(**settings: Any) -> Callable[[F], F]:
    """``--visits sequential|atomic``."""
    text = "Whether the pages of a visit are served one after the other or must all be cached together."
    choice = click.Choice(["sequential", "atomic"])
    return _option("--visits", type=choice, default="sequential", help=text, **settings)


def bypassing_option(**settings: Any) -> Callable[[F], F]:
    """``--bypassing``."""
    text = "Allow a fault to be served without caching the page (default: forced)."
    return _option("--bypassing", is_flag=True, show_default=False, help=text, **settings)


def weights_option(*, trace: bool = False) -> Callable[[F], F]:
    """``--weights``; ``trace`` says whether the command may take them from one."""
    tiers = "tier:6*1,2*4 (first 6 pages of every layer, next 2)"
    return _option(
        "--weights",
        metavar="FILE|SPEC",
        help="What a fault costs: a JSON file, layer:1,4 (per layer), page:1,1/2,… (per page), "
        + (f"{tiers}, or bytes (from the trace)." if trace else f"{tiers}."),
    )


def with_weights(instance: LayeredInstance, weights: str | None) -> LayeredInstance:
    """Return an instance with the weights of ``--weights``, or as it is."""
    if weights is None:
        return instance
    from paging.weights import read_weights

    return instance.with_weights(read_weights(weights, instance.pages_by_layer))


def opt_cache_option(**settings: Any) -> Callable[[F], F]:
    """``--opt-cache``."""
    text = "OPT's cache size h, 1 ≤ h ≤ k.  [default: k]"
    return _option("--opt-cache", type=Whole(), metavar="H", help=text, **settings)


def max_states_option(**settings: Any) -> Callable[[F], F]:
    """``--max-states``; the help text says what happens beyond."""
    return _option("--max-states", type=WholeIn(min=1), metavar="S", **settings)


def certificate_option(*, in_lines: bool = False, **settings: Any) -> Callable[[F], F]:
    """``--certificate``; the help text says what is certified, ``in_lines`` whether it may come in lines.

    A name under which no certificate can be written is refused before any work is done.
    """

    def checked(_context: click.Context, _option: click.Parameter, path: str | None) -> str | None:
        if path is not None:
            from paging.certificate import IN_LINES, WHOLE, check_name

            check_name(path, (*WHOLE, *IN_LINES) if in_lines else WHOLE)
        return path

    kind = click.Path(dir_okay=False)
    return _option("--certificate", type=kind, callback=checked, metavar="FILE", **settings)


def seed_option(**settings: Any) -> Callable[[F], F]:
    """``--seed``."""
    text = "Seed of workloads and randomised policies."
    settings = {"default": 0, "type": WholeIn(min=0), "metavar": "SEED", **settings}
    return _option("--seed", help=text, **settings)


def parse_column(text: str) -> int | str:
    """Read a column: its number from 1, or its name.

    >>> parse_column("2"), parse_column("object")
    (2, 'object')
    """
    return int(text) if text.isascii() and text.isdigit() else text


def parse_tokens(text: str | slice) -> slice:
    """Read which tokens count, as Python slices them.

    >>> parse_tokens("100:"), parse_tokens("2:5")
    (slice(100, None, None), slice(2, 5, None))
    """
    if not isinstance(text, str):
        return text
    try:
        return parse_slice(text)
    except ModelError as problem:
        raise click.BadParameter(str(problem)) from None


def parse_numbers(text: str | tuple[int, ...]) -> tuple[int, ...]:
    """Read a list of whole numbers.

    >>> parse_numbers("0,3,7")
    (0, 3, 7)
    """
    if not isinstance(text, str):
        return text
    try:
        return tuple(int(in_digits(part)) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of whole numbers such as 0,3,7") from None


def parse_dropped(text: str | tuple[int, ...]) -> str | tuple[int, ...]:
    """Read which layers to leave out: ``dense``, or a list."""
    return text if text == "dense" else parse_numbers(text)


def parse_precisions(text: str | tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Read the limits of two precisions.

    >>> parse_precisions("0.6,9/10")
    (Fraction(3, 5), Fraction(9, 10))
    """
    if not isinstance(text, str):
        return text
    try:
        limits = tuple(Fraction(part) for part in text.split(",") if len(part) <= 20)
    except (ValueError, ZeroDivisionError):
        limits = ()
    if len(limits) != 2 or not 0 <= limits[0] <= limits[1]:
        raise click.BadParameter(f"{text[:60]!r} is no pair of limits 0 ≤ HIGH ≤ LOW such as 0.6,0.9")
    return limits


def parse_fields(text: str | dict[str, str]) -> dict[str, str]:
    """Read what fields are called.

    >>> parse_fields("layer=layer_idx,experts=topk")
    {'layer': 'layer_idx', 'experts': 'topk'}
    """
    if not isinstance(text, str):
        return text
    pairs = [part.partition("=") for part in text.split(",")]
    named = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
    if len(named) < len(pairs) or not all(named) or not all(named.values()):
        raise click.BadParameter(f"{text!r} is no list of different names such as layer=layer_idx,token=pos")
    return named


def _reading_options() -> list[Callable[[Any], Any]]:
    """Return how a trace is read, apart from its shape: one option for each field of ``TraceReading``."""

    def flag(name: str, text: str) -> Callable[[Any], Any]:
        return _option(name, is_flag=True, show_default=False, help=text)

    return [
        _option(
            "--format", metavar="NAME", help="Format of the trace; default by suffix. See docs/traces.md."
        ),
        _option(
            "--column",
            type=parse_column,
            metavar="N|NAME",
            help="Column of a text table that holds the page ids; 'all' takes every number.",
        ),
        _option("--delimiter", metavar="C", help="What separates columns: one character, or tab."),
        _option(
            "--block-size",
            type=WholeIn(min=1),
            metavar="B",
            help="Cut rows of a block trace into pages of B bytes.",
        ),
        _option(
            "--fields",
            type=parse_fields,
            metavar="OURS=THEIRS,…",
            help="What visits call token, layer, experts, sequence, decode: layer=layer_idx,experts=topk.",
        ),
        flag("--scores", "The array holds router scores, of which the -g largest count."),
        flag("--layers-first", "The array is (layers, tokens, …) instead of (tokens, layers, …)."),
        flag("--ignore-sizes", "Take objects of different sizes for pages of one size."),
        _option(
            "--unpack-limit",
            type=WholeIn(1, 1 << 30),
            metavar="MIB",
            help="Let a packed trace unpack to MIB MiB.  [default: 4 MiB and 100 times its size]",
        ),
        _option(
            "--drop-layers",
            type=parse_dropped,
            metavar="dense|J1,J2,…",
            help="Leave out layers: those that ask for one expert every time, or these.",
        ),
        flag("--decode-only", "Leave out tokens that were read from a prompt."),
        _option(
            "--sequences", type=parse_numbers, metavar="S1,S2,…", help="Keep these sequences of a trace."
        ),
        _option("--tokens", type=parse_tokens, metavar="A:B", help="Keep tokens A … B − 1, counted from 0."),
        _option(
            "--precisions",
            type=parse_precisions,
            metavar="HIGH,LOW",
            help="Ask for experts in two precisions by gate weight: 0.6,0.9. See docs/precisions.md.",
        ),
    ]


SHAPE = ("layers", "pages", "per_visit")


def reading_options() -> Callable[[F], F]:
    """Give a command that reads traces all options of reading, gathered as ``reading: TraceReading``."""

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def gathered(**given: Any) -> object:
            return command(reading=_gather(given), **given)

        for option in reversed([layers_option(), pages_option(), per_visit_option(), *_reading_options()]):
            gathered = option(gathered)
        return gathered  # type: ignore[return-value]

    return decorate


def _gather(given: dict[str, Any], keep: Sequence[str] = ()) -> TraceReading:
    """Take the options of how to read a trace out of those of a command; ``keep`` are left there, too."""
    from paging.traces import TraceReading

    names = [field.name for field in fields(TraceReading)]
    values = {name: given[name] if name in keep else given.pop(name) for name in names}
    return TraceReading(**values)


def read(file: str, reading: TraceReading) -> Trace:
    """Read a trace and tell what its reader noticed; refuse one that would not fit in memory."""
    from paging.traces import read_trace
    from paging.traces.streaming import too_large

    if why := too_large(file, reading):
        raise LimitError(f"{why}; in chunks it is read by paging run, opt and plot curve --stream")
    return told(file, read_trace(file, reading))


def told(file: str, trace: Trace) -> Trace:
    """Tell what a reader noticed of a trace."""
    for text in trace.remarks:
        remark(f"{file}: {text}")
    return trace


def runs_option(shown: str) -> Callable[[F], F]:
    """``--runs``; ``shown`` says what a table shows of them."""
    text = f"Sampled runs of each randomised policy; shown {shown}."
    return _option("--runs", type=WholeIn(min=2), metavar="R", default=10, help=text)


def predictions_option() -> Callable[[F], F]:
    """``--predictions``: where policies that take predictions have them from, passed as ``predictors``."""
    text = (
        "Predictions for the policies that take some, such as discard:p0=0.1,p1=0.05 (see 'paging predict'); "
        "may be given once for each kind."
    )
    return _option("--predictions", "predictors", multiple=True, metavar="SPEC", help=text)


def json_option(**settings: Any) -> Callable[[F], F]:
    """``--json``, passed as ``as_json``."""
    text = "Write JSON to standard output instead of a table."
    return _option(
        "--json", "as_json", is_flag=True, show_default=False, callback=_one_form, help=text, **settings
    )


def table_option() -> Callable[[F], F]:
    """``--as``: how :func:`~paging.cli.terminal.write_table` writes the command's table."""
    text = "Write the table as CSV or as LaTeX (booktabs), exact numbers in full."
    return _option(
        *("--as", "table_form"),
        type=click.Choice(TABLE_FORMS),
        default=TABLE_FORMS[0],
        expose_value=False,
        callback=_one_form,
        help=text,
    )


def _one_form(context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Keep in the context what standard output is to hold, and refuse two answers."""
    if value not in (False, TABLE_FORMS[0]):
        if TABLE_FORM in context.meta:
            raise click.UsageError("--json and --as: standard output holds one of them", context)
        context.meta[TABLE_FORM] = value
    return value


def _option(*names: str, **settings: Any) -> Callable[[F], F]:
    return click.option(*names, **{"show_default": True, **settings})


REFERENCES = ("opt", "compulsory")
"""What may be named like a policy: they are rows anyway."""

READERS = "paging.sources"
"""Entry points of the packages above that read requests: ``sequence`` and ``construction``."""


@dataclass(frozen=True)
class Source:
    """Where requests come from, and the variant of the model.

    Attributes
    ----------
    trace, typed, workload, file, construction : str or None
        A trace file, requests as typed, a workload SPEC, a JSON file of requests, or the name of a
        construction; exactly one of them is given.
    layers, pages, per_visit
        Shape of the instance of a workload or a construction, or of a text file without a header; None where
        not given.
    visits, bypassing
        Variant of the model.
    seed : int
        Seed of the workload or construction.
    rounds : int
        Length of a construction.
    options : tuple of str
        Further options of a construction, as KEY=VALUE.
    warm_up : int
        Rounds that are served and not counted.
    weights : str or None
        What a fault on every page costs, as :func:`paging.read_weights` reads it, or ``bytes``.
    reading : TraceReading, optional
        How a trace is read.
    """

    trace: str | None
    typed: str | None
    workload: str | None
    file: str | None
    construction: str | None
    layers: int | None = None
    pages: int | tuple[int, ...] | None = None
    per_visit: int | None = None
    visits: Literal["sequential", "atomic"] = "sequential"
    bypassing: bool = False
    seed: int = 0
    rounds: int = 1000
    options: tuple[str, ...] = ()
    warm_up: int = 0
    weights: str | None = None
    reading: TraceReading | None = field(default=None, kw_only=True)

    def check(self) -> None:
        """Raise unless exactly one source is given, with options that mean something for it.

        Raises
        ------
        ModelError
            In words of the command line.
        """
        sources = {
            "--trace": self.trace,
            "--requests": self.typed,
            "--workload": self.workload,
            "--sequence": self.file,
            "--construction": self.construction,
        }
        given = [name for name, value in sources.items() if value is not None]
        if len(given) != 1:
            raise ModelError(
                f"requests come from one of {', '.join(sources)}, but "
                f"{' and '.join(given) + ' are' if given else 'none is'} given"
            )
        shape = (self.layers, self.pages, self.per_visit)
        variant = self.per_visit not in (None, 1) or self.visits != "sequential" or self.bypassing
        if self.weights == "bytes" and self.trace is None:
            raise ModelError("--weights bytes takes the bytes of pages from a --trace, but none is given")
        if self.file is not None and (variant or shape != (None, None, None)):
            raise ModelError("--sequence states its instance itself; only the cache size (-k) can be changed")
        told = {} if self.reading is None else self.reading.given(*SHAPE)
        if told and self.trace is None and self.typed is None:
            raise ModelError(f"--{next(iter(told)).replace('_', '-')} is about a --trace, but none is given")
        if self.options and self.construction is None:
            raise ModelError("--option is about a --construction, but none is given")
        if self.construction is not None and (self.visits != "sequential" or self.bypassing):
            raise ModelError(
                "a construction states its visits and service itself: leave out --visits and --bypassing"
            )

    def sequence(
        self,
        cache: int | None,
        policies: Sequence[str] = (),
        *,
        warm: bool = False,
        predictions: bool = False,
    ) -> tuple[RequestSequence, dict[str, object]]:
        """Return the requests, and where they came from.

        Parameters
        ----------
        cache : int or None
            Cache size k; None where the requests bring their own.
        policies : sequence of str
            Who will serve them: an adaptive construction plays against the one policy named.
        warm : bool, default False
            Whether the caller counts from the end of the warm-up on.
        predictions : bool, default False
            Whether the caller knows what to do with those that a trace or a file brings.

        Raises
        ------
        ModelError
            Not exactly one source is given, a part of the instance is missing, or one is out of range.
        TraceError, CertificateError
            The file cannot be read.
        """
        self.check()
        if self.warm_up and not warm:
            raise ModelError("--warm-up is for commands that count the faults of policies: run and compare")
        sequence, origin = self._unweighted(cache, policies, predictions)
        if self.weights is None:
            return sequence, origin
        if self.weights != "bytes":
            from paging.weights import read_weights

            weights = read_weights(self.weights, sequence.instance.pages_by_layer)
            return sequence.with_weights(weights), {**origin, "weights": self.weights}
        return sequence, {**origin, "weights": "bytes"}

    def sized(self, sizes: str) -> tuple[RequestSequence, dict[str, object], tuple[int, ...]]:
        """Return the requests, where they came from, and the bytes of every page, spelled as weights are.

        Raises
        ------
        ModelError
            As for :meth:`sequence`; sizes are missing or not whole numbers.
        """
        from paging.weights import read_weights

        # The slots of an instance say nothing here: one visit has room.
        sequence, origin = replace(self, weights=sizes).sequence(self.per_visit or 1)
        weights = sequence.instance.weights
        held = [1] * sequence.instance.total_pages if weights is None else weights.plain
        if not all(isinstance(size, int) for size in held):
            raise ModelError(f"--sizes {sizes}: sizes are whole numbers of bytes")
        if self.weights is None:
            sequence = sequence.with_weights(None)
        elif self.weights != "bytes":
            sequence = sequence.with_weights(read_weights(self.weights, sequence.instance.pages_by_layer))
        elif sizes != "bytes":
            raise ModelError("--weights bytes needs --sizes bytes")
        del origin["weights"]
        said = {} if self.weights is None else {"weights": self.weights}
        return sequence, {**origin, **said}, tuple(map(int, held))

    def _unweighted(
        self, cache: int | None, policies: Sequence[str], predictions: bool
    ) -> tuple[RequestSequence, dict[str, object]]:
        if self.trace is None and self.typed is None:
            _tell_precisions(policies)
        if self.file is not None:
            found = _reader("sequence")(self.file, cache)
            if found.kind is not None and not predictions:
                remark(f"{self.file}: its {found.kind} predictions are not used here")
                found = found.plain
            return found, {"sequence": self.file}
        if self.construction is not None:
            served = [policy for policy in policies if policy not in REFERENCES]
            built = _reader("construction")(self, cache, served)
            facts = {"construction": built.id, "rounds": self.rounds, "against": built.policy}
            return built.sequence, {key: value for key, value in facts.items() if value is not None}
        if cache is None:
            raise ModelError("the cache size is missing: --cache (-k)")
        if self.workload is not None:
            return self._generate(cache)
        return self._read(cache, policies, predictions)

    def _read(
        self, cache: int, policies: Sequence[str], told_too: bool
    ) -> tuple[RequestSequence, dict[str, object]]:
        from paging.predicted import PredictedSequence
        from paging.traces import TraceReading, requests_trace

        reading = self.reading or TraceReading(layers=self.layers, pages=self.pages, per_visit=self.per_visit)
        origin: dict[str, object]
        if self.trace is not None:
            trace = read(self.trace, reading)
            origin = {"trace": self.trace}
        else:
            trace = told("--requests", requests_trace(self.typed or "", reading))
            origin = {"requests": "as typed"}
        if "precisions" not in trace.metadata:
            _tell_precisions(policies)
        sizes = trace.weights_as("bytes", self.trace) if self.weights == "bytes" else None
        sequence = trace.sequence(cache, visits=self.visits, bypassing=self.bypassing).with_weights(sizes)
        if trace.predicted is not None and told_too:
            assert trace.predictions is not None
            sequence = PredictedSequence(sequence, trace.predicted, trace.predictions)
            origin["predictions"] = f"{trace.predicted}, of the trace"
        elif trace.predicted is not None:
            remark(f"{self.trace}: its {trace.predicted} predictions are not used here")
        return sequence, {**origin, "digest": trace.digest, **reading.given(*SHAPE)}

    def _generate(self, cache: int) -> tuple[RequestSequence, dict[str, object]]:
        from paging.model import LayeredInstance
        from paging.workloads import generate

        if self.layers is None or self.pages is None:
            raise ModelError("a workload needs the instance: --layers (-l) and --pages (-n)")
        per_visit = 1 if self.per_visit is None else self.per_visit
        instance = LayeredInstance(self.layers, self.pages, cache, per_visit, self.visits, self.bypassing)
        assert self.workload is not None
        sequence = generate(self.workload, instance, seed=self.seed)
        return sequence, {"workload": self.workload, "workload_seed": self.seed}


def _tell_precisions(policies: Sequence[str]) -> None:
    """Tell, of requests that nobody put in two precisions, which policies take them to be."""
    from paging.policies.engines import Hobbit
    from paging.policy import get_policy

    for policy in policies:
        served = None if policy in REFERENCES else get_policy(policy)
        if isinstance(served, Hobbit) and served.low:
            remark(
                f"{policy} takes the second half of every layer's pages for experts in low precision; the "
                "requests do not say that they are in two precisions, as a trace with gate weights does "
                "(--precisions 0.6,0.9)"
            )


def _reader(name: str) -> Callable[..., Any]:
    (point,) = entry_points(group=READERS, name=name)
    return point.load()  # type: ignore[no-any-return]


def source_options_with(*, rounds: int) -> Callable[[F], F]:
    """Give a command all sources of requests, the instance's shape and variant, and ``--seed``.

    The command receives them gathered as ``source: Source``. ``rounds`` is how long a construction is.
    """

    def decorate(command: F) -> F:
        names = {field.name for field in fields(Source)} - {"reading"}

        @functools.wraps(command)
        def gathered(**given: Any) -> object:
            reading = _gather(given, keep=SHAPE)
            asked = {name: given.pop(name) for name in names}
            if asked["rounds"] is not None and asked["construction"] is None:
                raise ModelError(
                    "--rounds is about a --construction, but none is given; a workload's length stands in "
                    "its SPEC, as rounds=… or requests=…"
                )
            source = Source(**{**asked, "rounds": asked["rounds"] or rounds}, reading=reading)
            return command(source=source, **given)

        options: list[Callable[[Any], Any]] = [
            _option(
                "--trace",
                type=click.Path(allow_dash=True),
                metavar="FILE",
                help="Trace to serve; - is standard input.",
            ),
            _option("--requests", "typed", metavar="'P1 P2 …'", help="Page ids to serve, typed here."),
            _option("--workload", metavar="SPEC", help="Synthetic requests instead; see 'paging workloads'."),
            _option(
                *("--sequence", "file"),
                type=click.Path(),
                metavar="FILE",
                help="Requests as JSON with their instance instead, or those of a certificate.",
            ),
            _option(
                "--construction",
                metavar="NAME",
                help="A hard input instead, see 'paging adversary list'; what -l, -n and -k do not say is as "
                "in its demonstration.",
            ),
            _option(
                "--rounds",
                type=WholeIn(min=1),
                show_default=str(rounds),
                help="Length of a construction in rounds of ℓ requests.",
            ),
            _option(
                *("--option", "options"),
                multiple=True,
                metavar="KEY=VALUE",
                help="Option of a construction; may be given several times.",
            ),
            layers_option(),
            pages_option(),
            per_visit_option(),
            *_reading_options(),
            _option(
                "--warm-up",
                type=WholeIn(min=0),
                default=0,
                show_default=False,
                metavar="N",
                help="Serve the first N rounds (tokens) without counting their faults.",
            ),
            visits_option(),
            bypassing_option(),
            weights_option(trace=True),
            seed_option(),
        ]
        for option in reversed(options):
            gathered = option(gathered)
        return gathered  # type: ignore[return-value]

    return decorate


source_options = source_options_with(rounds=1000)


def parse_coefficient(text: str | Fraction) -> Fraction:
    """Read a coefficient: an exact number that is not negative.

    >>> parse_coefficient("3/2"), parse_coefficient("1.25")
    (Fraction(3, 2), Fraction(5, 4))
    """
    if not isinstance(text, str):
        return text
    try:
        value = read_exact(text)
    except ValueError:
        value = Fraction(-1)
    if not isinstance(value, Fraction) or value < 0:
        raise click.BadParameter(f"{text!r} is no number ≥ 0 such as 1, 3/2 or 1.5")
    return value


def coefficient_options(command: F) -> F:
    """``--alpha``, ``--beta``, ``--gamma``: which trade-off with predictions is asked for."""
    for name, of in (("gamma", "wrong 1s (η1)"), ("beta", "wrong 0s (η0)"), ("alpha", "OPT")):
        text = f"Coefficient of {of}; of the three, the one not given is computed."
        command = _option(f"--{name}", type=parse_coefficient, metavar="NUMBER", help=text)(command)
    return command
