"""The generated parts of docs/cli.md; ``python -m paging.cli.docs docs/cli.md`` renews them."""

from __future__ import annotations

import sys
from pathlib import Path

from paging.cli.exits import MEANINGS
from paging.cli.main import summaries
from paging.markdown import fill, markdown


def commands_table() -> str:
    """Return all commands with the summaries that ``paging --help`` shows, as a Markdown table."""
    rows = [(f"`paging {name}`", summary) for name, summary in summaries().items()]
    return markdown(("command", "what it does"), rows)


def exits_table() -> str:
    """Return all exit codes as a Markdown table."""
    return markdown(("code", "meaning"), [(f"{code:d}", meaning) for code, meaning in MEANINGS.items()])


if __name__ == "__main__":
    fill(Path(sys.argv[1]), commands=commands_table(), exits=exits_table())
