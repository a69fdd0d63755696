"""Which files of the checker, and how many lines of code, judge each type of certificate."""

import ast
from pathlib import Path

from paging.markdown import fill, markdown
from proofs import checker

FOLDER = Path(checker.__file__).parent
DOCUMENT = Path(__file__).parents[2] / "docs" / "certificates.md"


def imported(module: str) -> set[str]:
    """Return a module of the checker and all those that it imports, directly or not."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    own = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {module}.union(*(imported(name) for name in own if name))


def lines_of_code(module: str) -> int:
    """Count the lines of a module that are not blank, comment or docstring."""
    text = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(
        number not in prose and bool(line.strip()) and not line.strip().startswith("#")
        for number, line in enumerate(text.splitlines(), start=1)
    )


def trusted_table() -> str:
    """Return the table of docs/certificates.md."""
    rows = []
    for kind, check in checker.CHECKS.items():
        modules = sorted(imported(check.__module__.rpartition(".")[2]))
        count = sum(map(lines_of_code, ["__init__", *modules]))
        rows.append((f"`{kind}`", ", ".join(f"`{name}.py`" for name in modules), str(count)))
    return markdown(("type", "files", "lines of code"), rows)


if __name__ == "__main__":
    fill(DOCUMENT, trusted=trusted_table())
