"""``paging atlas``: exact competitive ratios over all small instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from paging.cli.engines import EngineChoice, engine_options, tell_failures
from paging.cli.exits import Exit, leave
from paging.cli.options import (
    WholeIn,
    json_option,
    max_states_option,
    parse_caches,
    per_visit_option,
    table_option,
    visits_option,
)
from paging.cli.terminal import progress, status, write_json, write_table
from paging.signals import stoppable

if TYPE_CHECKING:
    from proofs.atlas.conjectures import Evidence
    from proofs.atlas.values import Value


@click.command()
@click.option(
    "-o", "--output", "folder", type=click.Path(), required=True, metavar="DIR", help="Folder of the atlas."
)
@max_states_option(
    default=300_000,
    help="Budget of one value: states of its graph. What needs more is left out.",
)
@click.option(
    "--max-pages",
    type=WholeIn(min=2),
    default=16,
    show_default=True,
    metavar="P",
    help="Largest number of pages ℓ·n of an instance.",
)
@click.option(
    "--layers",
    type=parse_caches,
    default="1:8",
    show_default=True,
    metavar="L1,L2,…",
    help="Numbers of layers ℓ: a list, ranges FROM:TO (both ends belong to it), or both.",
)
@per_visit_option(default=1)
@visits_option()
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="NAME",
    help="A policy, or 'game' for the best deterministic policy; may be given several times.  "
    "[default: the usual policies and the game]",
)
@engine_options
@json_option()
@table_option()
def atlas(
    folder: str,
    max_states: int,
    max_pages: int,
    layers: tuple[int, ...],
    per_visit: int,
    visits: Literal["sequential", "atomic"],
    subjects: tuple[str, ...],
    engine: EngineChoice,
    as_json: bool,
) -> None:
    """Compute exact competitive ratios over all small instances, each with its certificate.

    Takes all (ℓ, n, k) with n > g, ℓ·n ≤ --max-pages and g ≤ k < ℓ·n, smaller ones first. DIR gets a value
    and a certificate per subject and instance, a table (atlas.json, atlas.csv, atlas.md), a heat map per
    subject and, for g = 1, a comparison with k − ℓ + 1, k and k + ℓ − 1 per ℓ.

    May be stopped or killed at any time: called again with the same DIR it goes on where it was. Values that
    are there are never computed again, except those that failed with a smaller budget. Ctrl-C stops with the
    values so far and their table, without figures (exit code 130). The values are computed by processes of
    this machine, or by a running Dask cluster (--scheduler); the atlas is the same.

    \b
    Examples:
      paging atlas -o atlas
      paging atlas -o atlas --layers 2:3 --max-pages 10 --subject lru --subject zrc
      paging atlas -o atlas --max-states 3000000
      paging atlas -o pairs -g 2 --visits atomic --max-pages 8 --subject game --subject zrc-any-tie
      paging atlas -o atlas --scheduler tcp://10.0.0.1:8786
    """
    from proofs.atlas.conjectures import evidence
    from proofs.atlas.figures import write_figures
    from proofs.atlas.files import open_atlas, read_values
    from proofs.atlas.shapes import shapes
    from proofs.atlas.subjects import ALL_SUBJECTS, check_subjects, serves
    from proofs.atlas.sweep import sweep
    from proofs.atlas.table import write_tables

    chosen = subjects or tuple(subject for subject in ALL_SUBJECTS if serves(subject, visits))
    check_subjects(chosen, visits)
    with (
        stoppable() as stopped,
        engine.opened() as opened,
        status("atlas", show=not as_json, stop=stopped) as watch,
    ):
        root = open_atlas(folder)  # once there is somebody to compute
        over = shapes(max_pages, layers, per_visit, visits)
        tally = sweep(root, chosen, over, max_states=max_states, engine=opened, watch=watch)
    values = read_values(root)
    found = evidence(values)
    files = write_tables(root, values)
    if not stopped():
        with progress("drawing figures", show=not as_json):
            files += write_figures(root, values)
    if as_json:
        write_json(
            {
                "atlas": str(root),
                "computed": tally.computed,
                "failed": [{"job": str(job), "reason": reason} for job, reason in tally.failed],
                "values": [value.plain for value in values],
                "evidence": [_evidence(one) for one in found],
                "files": files,
            }
        )
    else:
        _report(values, found, tally.computed, str(root))
    tell_failures([(str(job), reason) for job, reason in tally.failed])
    if stopped() or tally.failed:
        leave(Exit.INTERRUPTED if stopped() else Exit.FAILED)


def _evidence(one: Evidence) -> dict[str, object]:
    return {
        "id": one.conjecture.id,
        "statement": one.conjecture.statement,
        "agree": len(one.agree),
        "disagree": [{"instance": shape.instance.plain, "value": value} for shape, value in one.disagree],
    }


def _report(values: Sequence[Value], found: Sequence[Evidence], computed: int, root: str) -> None:
    exact = Counter(value.subject for value in values if value.value is not None)
    beyond = Counter(value.subject for value in values if value.value is None)
    largest = {subject: max(v.states for v in values if v.subject == subject) for subject in exact}
    write_table(
        "The atlas: exact competitive ratios (forced, cold)",
        ["subject", "exact values", "beyond the budget", "largest graph (states)"],
        [[subject, exact[subject], beyond[subject], largest[subject]] for subject in exact],
    )
    write_table(
        "Conjectures on these instances",
        ["id", "agree", "disagree", "statement"],
        [[one.conjecture.id, len(one.agree), len(one.disagree), one.conjecture.statement] for one in found],
        left=(0, 3),
        notes=[
            *(
                f"{one.conjecture.id} disagrees at (ℓ, n, k) = "
                + ", ".join(
                    f"({', '.join(map(str, shape.numbers))}): {value}" for shape, value in one.disagree[:12]
                )
                for one in found
                if one.disagree
            ),
            f"{computed} values computed now. Table, figures and certificates: {root}",
        ],
    )
