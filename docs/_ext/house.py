"""The picture on the page *Architecture*: floors and rooms, drawn from the imports at every build.

A room is a folder of a package or a file beside them; it stands above every room that it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

from sphinx.application import Sphinx

FLOORS = (("proofs",), ("adversary", "lp"), ("paging",))
"""Packages from the top floor to the ground; what stands side by side does not know each other."""

PRESENTATION = {"atlas", "report", "diagnose", "plots", "play", "lessons", "commands"}
"""Rooms of proofs that show what the others compute."""

WIDTH, GAP, HEIGHT, HEAD = 960, 8, 30, 26
"""Pixels: of the picture, between rooms, of a room, of a package's name."""

FILL = {"paging": "#e8eef7", "adversary": "#f7eee3", "lp": "#e9f3e6", "proofs": "#efe9f5"}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.name{font-weight:600}.room{fill:#fff;stroke:#667}"
    ".show{stroke-dasharray:4 3}.floor{stroke:#99a}"
)

Rooms = dict[str, set[str]]


def rooms_of(root: Path, package: str) -> Rooms:
    """Return the rooms of a package, each with the rooms of the same package that it imports.

    Imports inside functions count; those for type checking alone do not.
    """
    folder = root / package
    homes = {path.stem if path.is_file() else path.name for path in folder.iterdir() if _is_room(path)}
    rooms: Rooms = {name: set() for name in homes}
    for path in sorted(folder.rglob("*.py")):
        room = path.relative_to(folder).parts[0].removesuffix(".py")
        if room in rooms:
            wanted = {name.split(".")[1] for name in imports(path) if name.startswith(f"{package}.")}
            rooms[room] |= wanted & homes - {room}
    return rooms


def _is_room(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").is_file()
    return path.suffix == ".py" and path.name != "__init__.py"


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file takes from a module when it runs.

    A registry that looks through a folder (``import paging.policies``) takes nothing by name: no arrow.
    """
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)


def levels(rooms: Rooms) -> list[list[str]]:
    """Sort rooms into rows from the ground up: a room stands above all that it imports.

    Raises
    ------
    ValueError
        Some rooms import each other in a circle.
    """
    rows: list[list[str]] = []
    placed: set[str] = set()
    while len(placed) < len(rooms):
        row = sorted(name for name in rooms if name not in placed and rooms[name] <= placed)
        if not row:
            raise ValueError(f"rooms import each other in a circle: {', '.join(sorted(set(rooms) - placed))}")
        rows.append(row)
        placed |= set(row)
    return rows


def house(root: Path) -> str:
    """Return the house as an SVG picture; a room's title says what it is for and which rooms it imports."""
    parts: list[str] = []
    y = 0
    for floor in FLOORS:
        width = (WIDTH - GAP * (len(floor) - 1)) // len(floor)
        drawn = [_package(root, name, width) for name in floor]
        tallest = max(height for _, height in drawn)
        for place, (name, (body, _)) in enumerate(zip(floor, drawn, strict=True)):
            frame = f'<rect class="floor" rx="6" width="{width}" height="{tallest}" fill="{FILL[name]}"/>'
            parts.append(f'<g transform="translate({place * (width + GAP)},{y})">{frame}{body}</g>')
        y += tallest + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {WIDTH + 2} {y}" role="img" '
        f'aria-label="Floors and rooms of the four packages"><style>{STYLE}</style>{"".join(parts)}</svg>\n'
    )


def _package(root: Path, name: str, width: int) -> tuple[str, int]:
    rooms = rooms_of(root, name)
    parts = [f'<text class="name" x="{GAP + 4}" y="{HEAD - 7}">{name}</text>']
    y = HEAD
    for row in reversed(levels(rooms)):
        for line in _wrapped(row, width - 2 * GAP):
            x = GAP
            for room in line:
                title = "\n".join([f"{name}.{room}: {_says(root / name, room)}", _imports_text(rooms[room])])
                parts.append(_room(room, title, x, y, name == "proofs" and room in PRESENTATION))
                x += _wide(room) + GAP
            y += HEIGHT + 4
        y += GAP
    return "".join(parts), y


def _says(package: Path, room: str) -> str:
    """Return the first line of a room's docstring."""
    path = package / room / "__init__.py"
    source = path if path.is_file() else package / f"{room}.py"
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def _imports_text(below: set[str]) -> str:
    return f"imports {', '.join(sorted(below))}" if below else "imports no room of its package"


def _room(name: str, title: str, x: int, y: int, shows: bool) -> str:
    kind = "room show" if shows else "room"
    return (
        f'<g><title>{escape(title)}</title><rect class="{kind}" x="{x}" y="{y}" rx="4" width="{_wide(name)}" '
        f'height="{HEIGHT}"/><text x="{x + 9}" y="{y + 20}">{escape(name)}</text></g>'
    )


def _wide(name: str) -> int:
    return 20 + 8 * len(name)


def _wrapped(row: list[str], width: int) -> Iterator[list[str]]:
    line: list[str] = []
    used = 0
    for name in row:
        if line and used + _wide(name) > width:
            yield line
            line, used = [], 0
        line.append(name)
        used += _wide(name) + GAP
    yield line


def write_picture(app: Sphinx) -> None:
    """Draw the house into ``docs/generated``."""
    target = Path(app.srcdir) / "generated" / "house.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(house(Path(app.srcdir).parent), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write_picture)
    return {"parallel_read_safe": True}
