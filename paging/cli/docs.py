"""The generated parts of docs/cli.md; ``python -m paging.cli.docs docs/cli.md`` renews them."""

from __future__ import annotations

import sys
from pathlib import Path

from paging.cli.exits import MEANINGS
from paging.cli.main import summaries


def commands_table() -> str:
    """Return all commands with the summaries that ``paging --help`` shows, as a Markdown table."""
    rows = [f"| `paging {name}` | {summary} |" for name, summary in summaries().items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows, ""])


def exits_table() -> str:
    """Return all exit codes as a Markdown table."""
    rows = [f"| {code:d} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows, ""])


def filled(manual: str) -> str:
    """Return the manual with its generated parts renewed."""
    for name, table in {"commands": commands_table(), "exits": exits_table()}.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, _, rest = manual.partition(begin)
        manual = before + begin + table + end + rest.partition(end)[2]
    return manual


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
