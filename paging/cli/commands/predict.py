"""``paging predict``: predictions for the requests of a trace, with their errors counted."""

from __future__ import annotations

import click

from paging.cli.options import (
    NewFile,
    Real,
    Source,
    Whole,
    cache_option,
    json_option,
    source_options,
    table_option,
)
from paging.cli.terminal import progress, provenance, requests_note, write_json, write_table
from paging.errors import ModelError


@click.command()
@cache_option()
@source_options
@click.option("--kind", metavar="NAME", help="Where predictions come from; without it they are listed.")
@click.option("--p0", type=Real(), help="discard, phase: probability that a true 1 is told as 0.")
@click.option("--p1", type=Real(), help="discard, phase: probability that a true 0 is told as 1.")
@click.option("--width", type=Whole(), help="next-arrival: up to so many requests off.")
@click.option("--sigma", type=Real(), help="next-arrival: distances off by a log-normal factor.")
@click.option("--recall", type=Real(), help="gate: share of the coming pages that are guessed.")
@click.option("--precision", type=Real(), help="gate: share of the guesses that are right.")
@click.option("--train", type=Real(), help="frequency: share of the requests that is learnt from.")
@click.option("-o", "--output", type=NewFile(), metavar="FILE", help="Trace to write: .npz or .jsonl.")
@json_option()
@table_option()
def predict(
    cache: int | None,
    source: Source,
    kind: str | None,
    output: str | None,
    as_json: bool,
    **parameters: float | None,
) -> None:
    """Predict something with every request, count the errors, and write a trace with the predictions.

    Discard bits say which pages OPT evicts before their next request, phase bits which ones the next k-phase
    does not ask for, next arrivals when a page comes again. Policies that take predictions are told them one
    by one: paging run flush-when-kept --trace predicted.npz.

    \b
    Examples:
      paging predict
      paging predict --trace routing.npz -k 96 --kind discard --p0 0.1 --p1 0.05 --seed 1 -o predicted.npz
      paging predict --workload zipf:requests=10000 -l 4 -n 8 -k 16 --kind next-arrival --sigma 0.5 --json
    """
    from dataclasses import fields

    from paging.predictors import PREDICTORS, get_predictor, prediction_errors
    from paging.predictors import predict as predicted_by
    from paging.traces import Trace, write_trace

    if kind is None:
        rows = [
            [name, cls.kind, ", ".join(f"{one.name}={one.default}" for one in fields(cls)), cls.title]  # type: ignore[arg-type]
            for name, cls in PREDICTORS.items()
        ]
        header = ["predictor", "predicts", "parameters", "meaning"]
        if as_json:
            write_json({"predictors": [dict(zip(header, row, strict=True)) for row in rows]})
        else:
            write_table("Predictors", header, rows, left=(0, 1, 2, 3))
        return
    given = [f"{name}={value}" for name, value in parameters.items() if value is not None]
    predictor = get_predictor(f"{kind}:{','.join(given)}" if given else kind)
    if cache is None and source.trace is not None:
        raise ModelError("predictions are made for one cache size: --cache (-k)")
    with progress("reading requests", show=not as_json):
        sequence, origin = source.sequence(cache)
    with progress("predicting", show=not as_json):
        found = predicted_by(sequence, predictor, seed=source.seed)
        errors = prediction_errors(found)
    if output is not None:
        write_trace(Trace.from_sequence(found, name=f"predicted by {predictor.spec}"), output)
    facts = {"kind": found.kind, "predictor": predictor.spec, "requests": len(found), **errors.given}
    if as_json:
        made = provenance(seed=source.seed, **origin)
        write_json({"instance": found.instance.plain, **facts, "file": output, "provenance": made})
        return
    words = {"eta0": "η0", "eta1": "η1", "eta": "η"}
    numbers: list[list[object]] = [[words.get(name, name), value] for name, value in facts.items()]
    notes = [requests_note(origin)] + ([] if output is None else [f"written: {output}"])
    write_table(f"Predictions · {found.instance}", ["", ""], numbers, left=(0, 1), notes=notes)
