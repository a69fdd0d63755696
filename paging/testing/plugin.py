"""Pytest plugin: ``--paging-policy POLICY`` adds one test item for every invariant that applies to POLICY.

Works in any directory, with or without tests of its own. ``-k`` selects items by policy or invariant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from paging.policy import Policy


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup("paging", "invariants of paging policies")
    group.addoption(
        "--paging-policy",
        action="append",
        default=[],
        metavar="POLICY",
        help="check a policy: mypackage:MyPolicy, a registry name or name:key=value (repeatable)",
    )
    group.addoption(
        "--paging-examples",
        type=int,
        default=100,
        metavar="N",
        help="request sequences tried per invariant (default: 100)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the items, before others select among them."""
    for spec in config.getoption("--paging-policy"):
        policy, invariants = _resolve(spec)
        node = PolicyNode.from_parent(
            session, name=spec, nodeid=f"paging-policy[{spec}]", policy=policy, invariants=invariants
        )
        report = node.ihook.pytest_make_collect_report(collector=node)
        node.ihook.pytest_collectreport(report=report)
        items.extend(report.result)


def _resolve(spec: str) -> tuple[Policy, list[str]]:
    """Return the policy and the invariants it claims, or stop pytest with one line."""
    try:
        from paging.testing.battery import applicable
    except ImportError as error:
        raise pytest.UsageError(
            f"--paging-policy needs hypothesis: pip install 'layered-paging[test]' ({error})"
        ) from error
    from paging.errors import LayeredPagingError
    from paging.policy import get_policy

    try:
        policy = get_policy(spec)
        return policy, applicable(policy)
    except LayeredPagingError as error:
        raise pytest.UsageError(f"--paging-policy {spec}: {error}") from error


class PolicyNode(pytest.Collector):
    """A policy: collects one item per invariant."""

    def __init__(self, *, policy: Policy, invariants: list[str], **others: Any) -> None:
        super().__init__(**others)
        self.policy, self.invariants = policy, invariants

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the items."""
        for name in self.invariants:
            yield InvariantItem.from_parent(self, name=name, policy=self.policy)


class InvariantItem(pytest.Item):
    """One invariant of one policy."""

    def __init__(self, *, policy: Policy, **others: Any) -> None:
        super().__init__(**others)
        self.policy = policy

    def runtest(self) -> None:
        """Check the invariant on random request sequences."""
        from paging.testing.battery import check_policy

        check_policy(self.policy, [self.name], examples=self.config.getoption("--paging-examples"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the counterexample instead of a traceback."""
        from paging.testing.battery import PolicyCheckError

        if isinstance(excinfo.value, PolicyCheckError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return path, line and heading of this item."""
        return self.path, None, f"{self.policy.name}: {self.name}"
