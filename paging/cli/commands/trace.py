"""``paging trace``: describe, convert and record routing traces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from paging.cli.options import NewFile, RealIn, WholeIn, json_option, read, reading_options, seed_option
from paging.cli.terminal import progress, remark, write_json, write_table
from paging.model import pages_text
from paging.numbers import short_digest

if TYPE_CHECKING:
    from paging.traces import TraceReading

LONGEST = 100
"""Characters up to which an entry of a trace's metadata is shown below the table."""


@click.group()
def trace() -> None:
    """Describe, convert and record routing traces.

    \b
    Examples:
      paging trace samples
      paging trace info sample:tiny-mixtral
      paging trace convert answer.json routing.npz
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3
    """


@trace.command("info")
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@reading_options()
@json_option()
def trace_info(file: str, reading: TraceReading, as_json: bool) -> None:
    """Describe a trace: shape, digest, how often experts repeat.

    -l, -n and -g say what a file without a header does not; where the file says it too, both must agree. The
    other options are those of every command that reads a trace.

    \b
    Examples:
      paging trace info routing.npz
      paging trace info pages.txt -l 2 -n 3,5 --json
      paging trace info accesses.csv --column 2
    """
    from paging.traces import trace_info as describe

    with progress(f"reading {file}", show=not as_json):
        facts = describe(read(file, reading))
    if as_json:
        write_json({"file": file, **facts})
        return
    rows: list[list[object]] = []
    for key, value in facts.items():
        if key in ("metadata", "name"):
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {number:.4f}" for name, number in value.items())
        rows.append([key.replace("_", " "), _plain(value)])
    notes = [f"{key}: {value}" for key, value in facts["metadata"].items() if len(str(value)) <= LONGEST]
    longer = len(facts["metadata"]) - len(notes)
    if longer:
        notes.append(f"{longer} longer entries of its metadata: --json shows them")
    write_table(f"{file} ({facts['name']})", ["fact", "value"], rows, left=(0, 1), notes=notes)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return pages_text(value)
    return ("yes" if value else "no") if isinstance(value, bool) else value


@trace.command("convert")
@click.argument("source", metavar="FROM", type=click.Path(allow_dash=True))
@click.argument("target", metavar="TO", type=click.Path())
@reading_options()
def trace_convert(source: str, target: str, reading: TraceReading) -> None:
    """Write a trace in another format; the suffix of TO says which.

    Known are .npz (with a .json beside it), .npy, .jsonl, .txt, .csv and .oracleGeneral, each also with .gz
    or .zst behind. TO appears only when it is complete. The options say how to read FROM.

    \b
    Examples:
      paging trace convert routing.jsonl.gz routing.npz
      paging trace convert answer.json routing.npz
      paging trace convert pages.txt pages.npz -l 2 -n 3,5
      paging trace convert accesses.csv accesses.npz --column object --tokens 0:100000
    """
    from paging.traces import write_trace

    with progress(f"reading {source}"):
        converted = read(source, reading)
    with progress(f"writing {target}"):
        write_trace(converted, target)
    remark(f"{target}: {converted.requests:,} requests, digest {short_digest(converted.digest)}")


@trace.command("samples")
@json_option()
def trace_samples(as_json: bool) -> None:
    """List the routing traces that ship with the package; --trace sample:NAME opens one.

    They were recorded from tiny models that were trained for the purpose; drawn-gates was drawn, with gate
    weights.

    \b
    Examples:
      paging trace samples
      paging run lru opt --trace sample:tiny-mixtral -k 12
    """
    from paging.traces import read_trace, sample_names

    traces = {f"sample:{name}": read_trace(f"sample:{name}") for name in sample_names()}
    facts = [
        {
            "name": name,
            "tokens": sample.tokens,
            "layers": sample.layers,
            "pages": sample.pages,
            "top_k": sample.per_visit,
            "model": sample.metadata["model"],
        }
        for name, sample in traces.items()
    ]
    if as_json:
        write_json(facts)
        return
    rows = [list(row.values()) for row in facts]
    write_table("samples", ["name", "tokens", "ℓ", "n", "g", "model"], rows, left=(0, 5))


@trace.command("record")
@click.option("--model", required=True, metavar="DIR|NAME", help="Model of transformers, with its tokenizer.")
@click.option(
    "--prompts", required=True, type=click.Path(), metavar="FILE", help="Text, one prompt a line; - is stdin."
)
@click.option("-o", "--output", required=True, type=NewFile(), metavar="TO.npz", help="Trace to write.")
@click.option(
    "--new-tokens",
    type=WholeIn(min=1),
    default=64,
    show_default=True,
    metavar="N",
    help="Tokens to generate for each prompt, unless the model ends earlier.",
)
@click.option(
    "--temperature",
    type=RealIn(min=0),
    default=1.0,
    show_default=True,
    metavar="T",
    help="Of sampling; 0 takes the likeliest token.",
)
@seed_option()
def trace_record(
    model: str, prompts: str, output: str, new_tokens: int, temperature: float, seed: int
) -> None:
    """Record which experts a model uses while it answers prompts, one after the other.

    Needs the extra `record` (torch and transformers). Tokens of prompts and generated ones are marked, every
    prompt is a sequence, and gate weights are kept as the array `weights` of an .npz.

    \b
    Examples:
      paging trace record --model ./my-moe --prompts prompts.txt -o routing.npz
      paging trace record --model ./my-moe --prompts prompts.txt -o routing.npz --temperature 0
    """
    from paging.traces.generate import read_prompts, record_prompts

    texts = read_prompts(prompts)
    with progress("recording") as watch:
        recorder = record_prompts(model, texts, new_tokens, temperature, seed, watch=watch)
    metadata = {"new_tokens": new_tokens, "temperature": temperature, "seed": seed}
    name = Path(model).name
    recorded = recorder.trace(name, metadata)
    recorder.write(output, name, metadata)
    digest = short_digest(recorded.digest)
    remark(f"{output}: {recorded.tokens:,} tokens of {len(texts):,} prompts, digest {digest}")
