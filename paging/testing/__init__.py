"""The trait battery as a public kit: strategies, invariants by name, and a check of a whole policy.

Needs hypothesis: ``pip install 'layered-paging[test]'``. The same checks run as
``python -m pytest --paging-policy mypackage:MyPolicy`` (:mod:`paging.testing.plugin`).

Examples
--------
>>> from paging.testing import check_policy
>>> print(check_policy("fifo", ["demand", "conservative"], examples=20))
policy fifo: 2 of 2 invariants hold
  demand              holds
  conservative        holds
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paging.testing.battery import (
        Finding,
        PolicyCheckError,
        Report,
        applicable,
        check_policy,
        find_counterexample,
    )
    from paging.testing.invariants import INVARIANTS, Invariant
    from paging.testing.strategies import instances, routing_traces, sequences

_HOME = {
    "battery": (
        "Finding",
        "PolicyCheckError",
        "Report",
        "applicable",
        "check_policy",
        "find_counterexample",
    ),
    "invariants": ("INVARIANTS", "Invariant"),
    "strategies": ("instances", "routing_traces", "sequences"),
}

__all__ = [
    "INVARIANTS",
    "Finding",
    "Invariant",
    "PolicyCheckError",
    "Report",
    "applicable",
    "check_policy",
    "find_counterexample",
    "instances",
    "routing_traces",
    "sequences",
]


def __getattr__(name: str) -> object:
    # The pytest plugin lives in this package and is imported at every start of pytest: hypothesis and the
    # engine are loaded only when they are asked for.
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"paging.testing.{module}"), name)
    raise AttributeError(f"module 'paging.testing' has no attribute {name!r}")
