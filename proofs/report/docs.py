"""The generated tables of docs/reproduce.md, and the pictures of docs/adversaries.md.

``python -m proofs.report.docs docs/reproduce.md [TRACE]...`` writes them anew; without traces the table on
traces stays as it is.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adversary import Adversary, get_construction
from adversary.formulas import formula
from paging.markdown import fill, markdown
from paging.numbers import cell
from proofs.bounds.bound import Bound
from proofs.bounds.registry import BOUNDS
from proofs.bounds.verdicts import check_lower
from proofs.report.claims import CLAIMS, judge_claims
from proofs.report.document import Settings
from proofs.report.figures import draw, plans
from proofs.report.growth import growth_panels
from proofs.report.studies import StudySource, read_source, study

ROUNDS = 600
"""Length at which the constructions of the table are judged, in rounds."""


def reported_bounds() -> str:
    """Return the reported bounds as a Markdown table, each with every construction of ours."""
    header = (
        *("claim, in our reading", "said by", "what is reported, what is ours", "bound here"),
        *("our construction", "command", "our number", "verdict"),
    )
    rows = [
        _bound_row(bound, get_construction(name))
        for bound in BOUNDS.values()
        if bound.origin == "our reading"
        for name in bound.constructions
    ]
    return markdown(header, rows)


def _bound_row(bound: Bound, found: Adversary) -> tuple[str, ...]:
    instance = found.demo
    built = found(rounds=ROUNDS)
    policy = found.victims[0]
    verdict = check_lower(bound, policy, built)
    shape = f"-l {instance.layers} -n {instance.pages} -k {instance.cache}"
    limit, value = _exact(built.limit), _exact(verdict.claim)
    return (
        bound.statement,
        bound.locator if "third parties" in bound.locator else f"the paper's {bound.locator}",
        bound.evidence,
        f"`{bound.id}`: ≥ {formula(bound.value)} if {bound.condition_text}",
        f"`{found.id}`: {found.title}",
        f"`paging adversary {found.id} {shape} -p {policy} --rounds {ROUNDS}`",
        f"limit {limit}, bound {value}; observed {_decimal(verdict.ratio)} for {policy}",
        verdict.outcome,
    )


def _exact(number: object) -> str:
    text = cell(number)
    return text if len(text) <= 12 or "/" not in text else f"≈ {float(number):.3f}"  # type: ignore[arg-type]


def _decimal(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


def published_numbers(claims: Iterable[Mapping[str, Any]], kind: str) -> str:
    """Return judged claims on traces or workloads as a Markdown table.

    Parameters
    ----------
    claims : iterable of mapping
        Rows of :func:`proofs.report.claims.judge_claims`.
    kind : {"trace", "workload"}
        Which requests to show.
    """
    header = ("reported claim", "our reading", "our requests", "our number", "at k", "verdict", "reason")
    show = {claim.id: claim.show for claim in CLAIMS}
    rows = [
        (
            row["statement"],
            row["reading"],
            f"`{row['study']}`",
            show[row["claim"]](row["value"]),
            "–" if row["k"] is None else str(row["k"]),
            row["verdict"],
            row["reason"],
        )
        for row in claims
        if row["kind"] == kind
    ]
    return markdown(header, rows)


def default_claims(sources: Iterable[StudySource]) -> list[dict[str, Any]]:
    """Judge the published numbers on sources with default settings, as the document shows them."""
    settings = Settings()
    # MARK takes part in no claim: two runs are enough.
    return judge_claims(
        [study(source, points=settings.points, runs=2, seed=settings.seed) for source in sources]
    )


def default_workloads() -> list[StudySource]:
    """Return the synthetic workloads with default settings."""
    settings = Settings()
    return [source.draw(settings.workload_rounds, settings.seed) for source in settings.synthetic]


def draw_gallery(directory: Path) -> None:
    """Draw the growth of every construction as ``ID.png``, for docs/adversaries.md."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = Settings()
    panels = growth_panels(settings.growth_requests, settings.seed)
    drawn: set[str] = set()
    with TemporaryDirectory() as folder:
        for plan in plans({"growth": panels, "studies": [], "predictions": []}):
            name = plan.data["construction"]
            if name not in drawn:  # of several variants the first
                drawn.add(name)
                draw(plan, Path(folder))
                shutil.copyfile(Path(folder) / f"{plan.name}.png", directory / f"{name}.png")


def main(path: str, *traces: str) -> None:
    """Write the generated parts of the document anew, and the pictures of the constructions beside it."""
    document = Path(path)
    draw_gallery(document.parent / "images" / "adversaries")
    claims = default_claims(default_workloads())
    fill(document, bounds=reported_bounds(), workloads=published_numbers(claims, "workload"))
    if traces:
        claims = default_claims(map(read_source, traces))
        fill(document, traces=published_numbers(claims, "trace"))


if __name__ == "__main__":
    main(*sys.argv[1:])
