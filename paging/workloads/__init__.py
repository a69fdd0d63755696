"""Seeded synthetic workloads.

Examples
--------
>>> from paging.model import LayeredInstance
>>> instance = LayeredInstance(layers=2, pages=8, cache=4, per_visit=2)
>>> len(generate("sticky:p=0.8,rounds=100", instance, seed=7))
400
"""

from paging.workloads import laws
from paging.workloads.registry import (
    LENGTHS,
    WORKLOADS,
    Parameter,
    Workload,
    describe_workloads,
    generate,
    parse_workload,
    workload,
)

WORKLOADS.add(law for law in vars(laws).values() if isinstance(law, Workload))

__all__ = [
    "LENGTHS",
    "WORKLOADS",
    "Parameter",
    "Workload",
    "describe_workloads",
    "generate",
    "parse_workload",
    "workload",
]
