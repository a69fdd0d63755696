"""``paging policies``: the registered policies."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from paging.cli.options import json_option, table_option
from paging.cli.terminal import refuse_form, write_json, write_table

if TYPE_CHECKING:
    from paging.policy import Policy


@click.command()
@click.argument("names", nargs=-1, metavar="[POLICY]...")
@json_option()
@table_option()
def policies(names: tuple[str, ...], as_json: bool) -> None:
    """List the policies, or explain some: rule, traits, guarantee, source.

    Policies of installed packages (entry-point group paging.policies) are listed too.

    \b
    Examples:
      paging policies
      paging policies llru mark
      paging policies --json
    """
    from paging.policy import TRAITS, get_policy
    from paging.policy import registered_policies as registered

    known = registered()
    answers = [get_policy(name) for name in names or known]
    described = [_described(answer) for answer in answers]
    if as_json:
        write_json({"policies": described, "traits": TRAITS})
    elif names:
        refuse_form("the explanation of a policy")
        sys.stdout.write("\n\n".join(_explained(answer) for answer in answers) + "\n")
    else:
        rows = [[p["id"], p["title"], ", ".join(p["traits"]), _short(p["guarantee"])] for p in described]
        note = "'paging policies NAME' explains one; a guarantee in (…) names its bound, see 'paging bounds'"
        write_table("Policies", ["id", "title", "traits", "guarantee"], rows, left=(0, 1, 2, 3), notes=[note])


def _described(policy: Policy) -> dict[str, Any]:
    from paging.docstrings import sections

    text = " ".join(sections(type(policy)).get("Guarantee", "").split()).replace("``", "")
    guarantee = text.partition(". ")[0].rstrip(".")
    return {
        "id": policy.name,
        "title": policy.title,
        "traits": _traits(policy),
        "guarantee": guarantee or None,
        "parameters": [p for p in inspect.signature(type(policy)).parameters if p not in ("args", "kwargs")],
    }


def _short(guarantee: str | None) -> str | None:
    """Cut a guarantee before its first remark."""
    return guarantee and re.split(r"; |: |, which |, and ", guarantee)[0]


def _traits(policy: Policy) -> list[str]:
    from paging.policy import TRAITS

    return [trait for trait in TRAITS if trait in policy.traits]


def _explained(policy: Policy) -> str:
    text = (inspect.getdoc(type(policy)) or policy.title).replace("``", "")
    return f"{policy.name}\n\n{text}\n\nTraits: {', '.join(_traits(policy))}"
