"""The tables of docs/play.md; ``python -m proofs.play.docs docs/play.md`` writes them anew."""

from __future__ import annotations

import sys
from pathlib import Path

from paging.markdown import fill, markdown
from proofs.play.opponents import OPPONENTS
from proofs.play.scenes import SCENES


def scenes_table() -> str:
    """Return the prepared scenes as a Markdown table."""
    return markdown(
        ("scene", "", "what to look at"), [(f"`{one.id}`", one.title, one.look) for one in SCENES]
    )


def opponents_table() -> str:
    """Return the opponents as a Markdown table."""
    rows = [
        (
            f"`{opponent.id}`",
            opponent.title,
            "looks at your cache" if opponent.adaptive else "fixed before the game",
        )
        for opponent in OPPONENTS.values()
    ]
    return markdown(("opponent", "what it asks for", ""), rows)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), scenes=scenes_table(), opponents=opponents_table())
