"""Pages that are written from the program: bounds, policies, commands, the interface, the pictures.

They are written into ``docs/generated`` at the start of every build, so they cannot be out of date.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from docutils import nodes
from numpydoc.docscrape import NumpyDocString
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer

import paging.cli.main
from adversary import constructions
from adversary.formulas import formula
from paging import TRAITS, LayeredInstance, get_policy, registered_policies
from paging.bibliography import SOURCES
from paging.docstrings import references, sections
from paging.numbers import exact_text
from proofs.bounds.bound import Bound, source_text
from proofs.bounds.registry import BOUNDS

INTERFACE = {
    "paging": ("compare", "viewer.timeline", "testing", "plotting", "lessons", "certificate", "numbers"),
    "adversary": ("cycles.search", "cycles.cycle"),
    "lp": ("relaxation", "certificate"),
    "proofs": (
        "bounds.verdicts",
        "ratio.deterministic",
        "atlas.sweep",
        "atlas.conjectures",
        "certificates.reading",
        "checker",
        "plots.curve",
        "plots.ratio",
        "plots.phases",
        "plots.heatmap",
    ),
}
"""Packages of the reference, each with modules whose public names are listed besides its own."""

BOUNDS_HEAD = """\
# All bounds

One entry for every bound in the registry. *Value* bounds the competitive ratio; ℓ is the number of
layers, n the pages per layer, k the cache size, h ≤ k that of OPT (k unless it is named), H_m the
m-th harmonic number. The proofs are in [bounds and proofs](../bounds.md); `paging bounds` shows the
table in the terminal, with values at an instance.
"""

POLICIES_HEAD = """\
# Policies

Every policy of the registry; `paging policies NAME` shows the same. A policy's state is one *label*
per page, 0 for a page that is not cached. Traits are claims, and the tests try to refute every one
of them; a policy of your own goes through the same tests, see [contributing](../contributing.md).
"""

COMMANDS_HEAD = """\
# All commands

What `--help` says of every command. [The command line](../cli.md) explains what they have in
common: where requests come from, JSON, errors and exit codes.
"""


# Bounds


def bounds_page() -> str:
    """Return every bound with its statement, conditions, value, source and constructions."""
    return "\n".join([BOUNDS_HEAD, *(_bound_entry(bound) for bound in BOUNDS.values())])


def _bound_entry(bound: Bound) -> str:
    kind = {"upper": "at most", "lower": "at least", "tight": "exactly"}[bound.kind]
    measure = "deterministic" if bound.measure == "deterministic" else "expected cost, oblivious adversary"
    additive = "not stated" if bound.additive is None else formula(bound.additive)
    lines = [
        f"## {bound.id}",
        "",
        f"**{bound.statement}**",
        "",
        f"- **Value.** {kind} {formula(bound.form)}, for {bound.subject.words} ({measure})",
        f"- **Conditions.** {bound.condition_text}",
        f"- **Range.** {bound.range_text}",
        *([] if bound.kind == "lower" else [f"- **Additive constant.** {additive}"]),
        f"- **Statement is** {bound.origin}; **status:** {bound.standing}",
        f"- **Source.** {source_text(bound)}",
        f"- **Here.** {bound.evidence}",
    ]
    for name in bound.constructions:
        value = _value_at(bound, constructions()[name].demo)
        lines.append(f"- **Construction.** [{name}](../adversaries.md#{name}){value}")
    if bound.policies:
        links = ", ".join(f"[{policy}](policies.md#{policy.partition(':')[0]})" for policy in bound.policies)
        lines.append(f"- **Measured on.** {links}")
    return "\n".join([*lines, ""])


def _value_at(bound: Bound, instance: LayeredInstance) -> str:
    if bound.excluded(instance) is not None:
        return ""
    shown = exact_text(bound.at(instance))
    return f"; at ℓ = {instance.layers}, n = {instance.pages}, k = {instance.cache} the value is {shown}"


# Policies


def policies_page() -> str:
    """Return every policy: rule, traits, parameters, what is proved, what hurts it."""
    traits = [f"| {name} | {meaning} |" for name, meaning in TRAITS.items()]
    entries = [_policy_entry(name) for name in registered_policies()]
    return "\n".join([POLICIES_HEAD, "| trait | meaning |", "| --- | --- |", *traits, "", *entries])


def _policy_entry(name: str) -> str:
    policy = get_policy(name)
    parameters = [p for p in inspect.signature(type(policy)).parameters if p not in ("args", "kwargs")]
    proved = [bound.id for bound in BOUNDS.values() if name in bound.policies]
    hurt = [found.id for found in constructions().values() if name in found.victims]
    facts = {
        "Traits": [trait for trait in TRAITS if trait in policy.traits],
        "Parameters": [f"`{parameter}`" for parameter in parameters],
        "Bounds": [f"[{bound}](bounds.md#{bound.lower()})" for bound in proved],
        "Constructions": [f"[{found}](../adversaries.md#{found})" for found in hurt],
    }
    listed = [f"- **{title}.** {', '.join(content)}" for title, content in facts.items() if content]
    return "\n".join([f"## {name}", "", _markdown(policy), "", *listed, ""])


def _markdown(policy: Any) -> str:
    """Return the docstring of a policy without its parameters and examples, which the reference shows."""
    found = sections(type(policy))
    parts = [found[""] or policy.title]
    parts += [f"**{title}.** {found[title]}" for title in ("Label", "Guarantee", "Bad for") if title in found]
    cited = "; ".join(
        SOURCES.get(key, key) + (f" ({remark})" if remark else "")
        for key, remark in references(type(policy)).items()
    )
    return "\n\n".join([*parts, *([f"**Source.** {cited}"] if cited else [])]).replace("``", "`")


# Commands


def commands_page() -> str:
    """Return the help of every command, as the command line shows it."""
    entries = [_command_entry(path, command) for path, command in _walk(("paging",), paging.cli.main.root)]
    return "\n".join([COMMANDS_HEAD, *entries])


def _walk(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _walk((*path, name), child)


def _command_entry(path: tuple[str, ...], command: click.Command) -> str:
    parent: click.Context | None = None
    for name in path[:-1]:
        parent = click.Context(click.Command(name), parent=parent, info_name=name)
    width = {"terminal_width": 86, "max_content_width": 86}
    context = click.Context(command, parent=parent, info_name=path[-1], **width)
    heading = "#" * max(2, len(path))
    return f"{heading} {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```\n"


# The interface


def interface_pages(package: str) -> dict[str, str]:
    """Return the pages in reStructuredText, by document: an overview of a package, and one for each module.

    A name stands on the page of the module that defines it, under the name that users import.
    """
    homes = _homes(package)
    overview = [_heading(package, "="), inspect.getdoc(importlib.import_module(package)) or "", ""]
    for home, owners in homes.items():
        overview += [_heading(f":doc:`{home} <api/{home}>`", "-"), _says(home), ""]
        overview += [line for owner, names in owners.items() for line in _summary(owner, names)]
    toctree = [".. toctree::", "   :hidden:", "", *(f"   api/{home}" for home in homes), ""]
    pages = {package: "\n".join([*overview, *toctree])}
    return pages | {f"api/{home}": _module_page(home, owners) for home, owners in homes.items()}


Owners = dict[ModuleType, list[str]]
"""Public names by the module from which they are imported."""


def _homes(package: str) -> dict[str, Owners]:
    """Return the names of the reference by the module that defines them, in the order of these modules."""
    whole = importlib.import_module(package)
    owners: Owners = {whole: _names(whole)}
    for name in INTERFACE[package]:
        module = importlib.import_module(f"{package}.{name}")
        owners[module] = [other for other in _names(module) if other not in whole.__all__]
    homes: dict[str, Owners] = {}
    for owner, names in owners.items():
        for name in names:
            homes.setdefault(_home(owner, name), {}).setdefault(owner, []).append(name)
    return dict(sorted(homes.items()))


def _home(owner: ModuleType, name: str) -> str:
    """Return the module that defines a public name: its own, or the one from which it was taken."""
    value = getattr(owner, name)
    home = getattr(value, "__module__", None)
    package = owner.__name__.partition(".")[0]
    if callable(value) and isinstance(home, str) and home.partition(".")[0] == package:
        return home
    holders = [
        module.__name__
        for module in list(sys.modules.values())
        if module.__name__.partition(".")[0] == package and _assigns(module, name)
    ]
    return min(holders, key=len, default=owner.__name__)


def _assigns(module: ModuleType, name: str) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and bool(_comment_in(Path(file), name))


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _comment_in(path: Path, name: str) -> str:
    """Return what stands below the assignment of a constant in a file, or nothing."""
    if name not in _text(path):  # to analyse a file takes long, and most do not have the name
        return ""
    found = ModuleAnalyzer.for_file(str(path), path.stem).find_attr_docs()
    return " ".join(" ".join(found.get(("", name), [])).split())


def _says(module: str) -> str:
    """Return the first paragraph of a module's docstring."""
    return (inspect.getdoc(importlib.import_module(module)) or "").partition("\n\n")[0]


def _module_page(home: str, owners: Owners) -> str:
    parts = [_heading(home, "="), inspect.getdoc(importlib.import_module(home)) or "", ""]
    for owner, names in owners.items():
        parts += _summary(owner, names)
        parts += [_interface_entry(owner, name) for name in names]
    return "\n".join(parts)


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def _names(module: ModuleType) -> list[str]:
    """Return the public names: those listed in ``__all__``, else what the module itself defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def _summary(module: ModuleType, names: Sequence[str]) -> list[str]:
    listed = [name for name in names if callable(getattr(module, name))]
    table = [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in listed), ""]
    return [f".. currentmodule:: {module.__name__}", "", *(table if listed else [])]


def _interface_entry(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    if isinstance(value, type):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        return f".. {kind}:: {name}\n   :members:\n"
    if callable(value):
        return f".. autofunction:: {name}\n"
    told = repr(value)  # of an object without a repr it is its address
    shown = f"   :value: {told}\n" if len(told) <= 60 and not told.startswith("<") else ""
    comment = _comment_on(module, name)
    if not (shown or comment):
        raise ExtensionError(f"{module.__name__}.{name} is public and says nowhere what it is")
    return f".. py:data:: {name}\n{shown}\n   {comment}\n"


def _comment_on(module: ModuleType, name: str) -> str:
    """Return what stands below the assignment of a constant, wherever in the package that is; or nothing."""
    package = module.__name__.partition(".")[0]
    files = sorted(Path(importlib.import_module(package).__path__[0]).rglob("*.py"))
    return next(filter(None, (_comment_in(path, name) for path in files)), "")


# The pictures


def draw_pictures(page: Path, folder: Path) -> None:
    """Run the commands of a page that draw a picture, so that the page shows what its commands draw."""
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for line in re.findall(
            r"^paging (plot .* -o \S+\.svg)$", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            if paging.cli.main.run(shlex.split(line)) != 0:
                raise ExtensionError(f"{page}: failed: paging {line}")


# Sphinx


def write_pages(app: Sphinx) -> None:
    """Write all pages."""
    folder = Path(app.srcdir) / "generated"
    (folder / "api").mkdir(parents=True, exist_ok=True)
    pages = {"bounds.md": bounds_page(), "policies.md": policies_page(), "commands.md": commands_page()}
    for package in INTERFACE:
        pages |= {f"{name}.rst": text for name, text in interface_pages(package).items()}
    for name, text in pages.items():
        target = folder / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    draw_pictures(Path(app.srcdir) / "pictures.md", folder)


PAGES = {
    r"\.\./proofs/bounds/registry\.py": "generated/bounds.md",
    r"\.\./paging/policies": "generated/policies.md",
}
"""What a link names that leads somewhere in the repository too, and the page that is written from it."""

LESSON = re.compile(r"\[([^\]]+)\]\(\.\./proofs/lessons/(\d)-[\w-]+\.py\)")


def link_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to what the site alone has: pages that it writes, the bound of a construction, lessons."""
    text = source[0]
    for named, page in PAGES.items():
        text = re.sub(rf"\]\({named}\)", f"]({page})", text)
    if docname == "adversaries":
        text = re.sub(
            r"(?<=proves )`([\w-]+)`",
            lambda match: f"[{match[1]}](generated/bounds.md#{match[1].lower()})",
            text,
        )
    if docname == "lessons":
        text = LESSON.sub(
            r'<a href="lesson-\2.html">\1</a> (<a href="lesson-\2.html" download>download</a>)', text
        )
    source[0] = text


def merge_guarantee(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Turn our section *Guarantee* into the section *Notes*, the nearest that numpydoc knows."""
    for place, line in enumerate(lines[:-1]):
        if line == "Guarantee" and set(lines[place + 1]) == {"-"}:
            lines[place : place + 2] = ["Notes", "-----", "**Guarantee.**"]


def resolve(app: Sphinx, env: BuildEnvironment, node: Any, contnode: nodes.Element) -> nodes.Element | None:
    """Link a name by its home module to the entry under its public name; types of others stay text."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    domain = env.get_domain("py")
    last = target.rpartition(".")[2]
    found = [full for full in domain.objects if full.rpartition(".")[2] == last]  # type: ignore[attr-defined]
    if len(found) == 1:
        link = domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, contnode)
        return link or contnode
    return contnode if _known(target) else None


def _known(target: str) -> bool:
    """Tell whether a name can be imported, or means something inside one of our modules."""
    with contextlib.suppress(ValueError, ImportError):
        if importlib.util.find_spec(target) is not None:
            return True
    first, *rest = target.split(".")
    homes = [module for name, module in sys.modules.items() if name.partition(".")[0] in INTERFACE]
    starts = [sys.modules.get(first), *(getattr(module, first, None) for module in homes)]
    return any(start is not None and _has(start, rest) for start in starts)


def _has(value: Any, names: Sequence[str]) -> bool:
    for name in names:
        if not hasattr(value, name):
            return False
        value = getattr(value, name)
    return True


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    NumpyDocString.sections["Guarantee"] = []
    app.connect("builder-inited", write_pages)
    app.connect("source-read", link_pages)
    app.connect("autodoc-process-docstring", merge_guarantee, priority=400)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}
