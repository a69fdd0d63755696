"""The table of docs/bounds.md; ``python -m proofs.bounds.docs docs/bounds.md`` writes it anew."""

from __future__ import annotations

import sys
from pathlib import Path

from adversary.formulas import formula
from paging.markdown import fill, markdown
from proofs.bounds.registry import BOUNDS

HEADER = (
    "id", "kind", "subject", "value", "additive", "conditions", "range", "statement is", "status", "source",
)  # fmt: skip


def bounds_table() -> str:
    """Return all bounds as a Markdown table."""
    rows = []
    for bound in BOUNDS.values():
        additive = "not stated" if bound.additive is None else formula(bound.additive)
        rows.append(
            (
                f"`{bound.id}`",
                bound.kind,
                bound.subject.words,
                formula(bound.form),
                "–" if bound.kind == "lower" else additive,
                bound.condition_text,
                bound.range_text,
                bound.origin,
                bound.standing,
                f"{bound.source}: {bound.locator}",
            )
        )
    return markdown(HEADER, rows)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), table=bounds_table())
