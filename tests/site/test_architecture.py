"""The house rules: who imports whom, no global randomness, what the registry holds, what docstrings say."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import networkx as nx
import pytest

from paging import registered_policies
from paging.bibliography import SOURCES
from paging.docstrings import references, sections
from paging.policy import TRAITS

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "paging": set(),
    "adversary": {"paging"},
    "lp": {"paging"},
    "proofs": {"paging", "adversary", "lp"},
}
POLICIES = (
    *(
        "lru",
        "fifo",
        "lifo",
        "mru",
        "clock",
        "clock-clear",
        "sieve",
        "lfu",
        "lfu-fifo",
        "fwf",
        "mark-lru",
        "mark-fifo",
    ),
    *("mark-layer", "lfu-capped", "llru", "llru-lazy", "llru-token", "partitioned", "zrc"),
    *("random", "mark", "equitable", "game-optimal"),
    *(
        "slru",
        "2q",
        "arc",
        "s3-fifo",
        "lfu-perfect",
        "lfru",
        "least-stale",
        "class-lru",
        "heat-lru",
        "hobbit",
    ),
    *("pinned", "admit"),
)
SEEDED = {"Generator", "SeedSequence", "default_rng", "BitGenerator", "PCG64"}
MODULES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the top-level name of every module imported, anywhere in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "import_module",
            "__import__",
        ):
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant):
                yield str(argument.value).partition(".")[0]


def forbidden_imports(source: str, package: str) -> set[str]:
    return set(imported(ast.parse(source), package)) & set(MAY_IMPORT) - MAY_IMPORT[package] - {package}


def test_there_are_modules_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(MAY_IMPORT)
    assert len(MODULES) > 40


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_packages_import_downwards_only(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert not forbidden_imports(path.read_text(encoding="utf-8"), package)


@pytest.mark.parametrize(
    ("source", "package", "found"),
    [
        ("import lp.dual", "paging", {"lp"}),
        ("def f():\n    from proofs.bounds import get_bound", "lp", {"proofs"}),
        ("from importlib import import_module\nimport_module('adversary.phases')", "paging", {"adversary"}),
        ("from lp import dual", "adversary", {"lp"}),
        ("from paging import simulate\nfrom . import phases", "adversary", set()),
        ("import lp, adversary, paging", "proofs", set()),
    ],
)
def test_the_import_rule_is_noticed_when_broken(source: str, package: str, found: set[str]) -> None:
    assert forbidden_imports(source, package) == found


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCE_OF = {module_name(path): path.read_text(encoding="utf-8") for path in MODULES}


class Imports(ast.NodeVisitor):
    """The modules that one module imports, function bodies included, imports for the type checker left out.

    Importing ``a.b.c`` counts as ``a.b.c`` alone: that Python runs ``a/__init__`` and ``a/b/__init__`` too is
    no dependence on what these hold. A module with a ``__getattr__`` hands out lazily what it imports for the
    type checker, so there these imports count.
    """

    def __init__(self, source: str, module: str, known: Collection[str], is_package: bool) -> None:
        self.known, self.found = known, set[str]()
        self.package = module if is_package else module.rpartition(".")[0]
        tree = ast.parse(source)
        self.lazy = any(
            isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body
        )
        self.visit(tree)

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING") and not self.lazy:
            node.body = []
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names} & set(self.known)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            above = self.package.split(".")
            base = ".".join([*above[: len(above) + 1 - node.level], *filter(None, [node.module])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            self.found |= {inner if inner in self.known else base} & set(self.known)

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) in ("import_module", "importlib.import_module", "__import__"):
            named = {str(part.value) for part in node.args[:1] if isinstance(part, ast.Constant)}
            self.found |= named & set(self.known)
        self.generic_visit(node)


def import_circles(sources: dict[str, str], packages: Collection[str]) -> list[set[str]]:
    """Return the sets of modules each of which imports, at last, all others of the set."""
    graph = nx.DiGraph()
    for module, source in sources.items():
        found = Imports(source, module, sources, module in packages).found
        graph.add_edges_from((module, other) for other in found - {module})
    return [part for part in nx.strongly_connected_components(graph) if len(part) > 1]


@pytest.mark.slow
def test_no_modules_import_each_other_in_a_circle() -> None:
    packages = {module_name(path) for path in MODULES if path.name == "__init__.py"}
    assert not [sorted(circle) for circle in import_circles(SOURCE_OF, packages)]


@pytest.mark.parametrize(
    ("sources", "circles"),
    [
        ({"a.b": "import a.c", "a.c": "def f():\n    from a.b import g"}, [{"a.b", "a.c"}]),
        ({"a.b": "from a import c", "a.c": "from . import b"}, [{"a.b", "a.c"}]),
        ({"a": "from .b import f", "a.b": "from a import g"}, [{"a", "a.b"}]),
        ({"a.r": "from a.r.s import f", "a.r.s": "from ..r import g"}, [{"a.r", "a.r.s"}]),
        ({"a.b": "import a.c", "a.c": "from .d import f", "a.d": "import a.b"}, [{"a.b", "a.c", "a.d"}]),
        ({"a.b": "import a.c", "a.c": "import importlib\nimportlib.import_module('a.b')"}, [{"a.b", "a.c"}]),
        ({"a": "import a.r.b", "a.r": "from .b import f", "a.r.b": "import a.c", "a.c": ""}, []),
        ({"a.b": "import a.c", "a.c": "if TYPE_CHECKING:\n    import a.b"}, []),
        (
            {"a": "if TYPE_CHECKING:\n import a.b\ndef __getattr__(name): ...", "a.b": "from a import f"},
            [{"a", "a.b"}],
        ),
        ({"a.b": "import a.c", "a.c": "if TYPE_CHECKING:\n pass\nelse:\n import a.b"}, [{"a.b", "a.c"}]),
    ],
)  # fmt: skip
def test_a_circle_is_noticed(sources: dict[str, str], circles: list[set[str]]) -> None:
    assert import_circles(sources, {"a", "a.r"}) == circles


CHECKER = sorted((ROOT / "proofs" / "checker").glob("*.py"))


@pytest.mark.parametrize("path", CHECKER, ids=name_of)
def test_the_checker_imports_itself_and_the_standard_library_only(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "checker"}


def global_randomness(source: str) -> list[str]:
    """Return the uses of random states that no seed of ours controls."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names):
            found.append("import random")
        elif isinstance(node, ast.ImportFrom) and node.module in ("random", "numpy.random"):
            found += [a.name for a in node.names if node.module == "random" or a.name not in SEEDED]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            owner = node.value
            numpy = isinstance(owner.value, ast.Name) and owner.value.id in ("np", "numpy")
            if numpy and owner.attr == "random" and node.attr not in SEEDED:
                found.append(f"np.random.{node.attr}")
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "default_rng"
            and not (node.args or node.keywords)
        ):
            found.append("default_rng() without a seed")
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_randomness_comes_from_a_seed(path: Path) -> None:
    assert not global_randomness(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from random import choice",
        "np.random.seed(0)",
        "x = numpy.random.rand(3)",
        "from numpy.random import randint",
        "rng = np.random.default_rng()",
    ],
)
def test_global_randomness_is_noticed(source: str) -> None:
    assert global_randomness(source)


def test_seeded_randomness_is_allowed() -> None:
    assert not global_randomness("rng: np.random.Generator = np.random.default_rng(seed)")


# Policies


def test_the_registry_holds_the_contract() -> None:
    assert set(POLICIES) <= set(registered_policies())


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_state_rule_guarantee_source_and_label(policy: str) -> None:
    cls = registered_policies()[policy]
    found = sections(cls)
    assert found[""].partition("\n")[0].endswith(".")
    for title in ("Label", "Guarantee", "References"):
        assert found.get(title), f"{policy} does not say {title}"
    assert set(references(cls)) <= set(SOURCES)
    assert cls.traits <= set(TRAITS)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_bounds_and_constructions_named_by_a_policy_exist(policy: str) -> None:
    from adversary import constructions
    from proofs import BOUNDS

    found = sections(registered_policies()[policy])
    named = set(re.findall(r"``([A-Za-z0-9-]+)``", found["Guarantee"] + found.get("Bad for", "")))
    assert named <= {*BOUNDS, *constructions(), *POLICIES}


# Rooms of proofs: theory knows nothing of its presentation; no test imports a test

PRESENTATION = {"atlas", "report", "diagnose", "plots", "play", "lessons", "commands"}
THEORY = sorted(
    path
    for path in (ROOT / "proofs").rglob("*.py")
    if path.relative_to(ROOT / "proofs").parts[0] not in PRESENTATION
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def modules_imported(source: str) -> Iterator[str]:
    """Yield the full name of everything imported, anywhere in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def presentation_imported(source: str) -> set[str]:
    parts = (name.split(".") for name in modules_imported(source))
    return {words[1] for words in parts if words[0] == "proofs" and len(words) > 1} & PRESENTATION


@pytest.mark.parametrize("path", THEORY, ids=name_of)
def test_theory_imports_no_presentation(path: Path) -> None:
    assert not presentation_imported(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from proofs.report.docs import reported_bounds", {"report"}),
        ("from proofs import atlas, game", {"atlas"}),
        ("def f():\n    import proofs.plots.draw", {"plots"}),
        ("from importlib import import_module\nimport_module('proofs.play.app')", {"play"}),
        ("from proofs.game.value import solve\nfrom paging.plotting import save", set()),
    ],
)
def test_theory_that_imports_presentation_is_noticed(source: str, found: set[str]) -> None:
    assert presentation_imported(source) == found


def test_proofs_has_few_rooms() -> None:
    entries = {path.name for path in (ROOT / "proofs").iterdir()} - {"__pycache__"}
    assert len(entries) <= 15, sorted(entries)


def imported_tests(source: str) -> list[str]:
    return [name for name in modules_imported(source) if re.search(r"(^|\.)test_\w+", name)]


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_no_test_imports_a_test(path: Path) -> None:
    assert not imported_tests(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "from tests.proofs.test_exact import brute_graph",
        "from tests.proofs import test_exact",
        "import tests.proofs.test_exact",
        "def f():\n    from .test_exact import brute_graph",
        "import test_exact",
    ],
)
def test_a_test_that_imports_a_test_is_noticed(source: str) -> None:
    assert imported_tests(source)


def test_helpers_may_be_imported() -> None:
    assert not imported_tests("from tests.helpers.certificates import mutants\nimport pytest")
