"""``paging workloads``: the synthetic workloads."""

from __future__ import annotations

import click

from paging.cli.options import json_option, table_option
from paging.cli.terminal import write_json, write_table


@click.command()
@json_option()
@table_option()
def workloads(as_json: bool) -> None:
    """List the synthetic workloads and their parameters.

    A SPEC is a name with parameters, name:key=value,key=value. Its length, rounds or requests, must be
    given; a/b/c gives a parameter one value per layer.

    \b
    Examples:
      paging workloads
      paging workloads --json
      paging run lru --workload sticky:p=0.8,alpha=1,rounds=1000 -l 4 -n 8 -k 12
    """
    from paging.workloads import LENGTHS, describe_workloads

    described = describe_workloads()
    if as_json:
        write_json({"workloads": described, "lengths": LENGTHS})
        return
    rows = [
        [
            entry["id"] if number == 0 else "",
            f"{parameter['name']}={parameter['default']:g}" if parameter else "",
            f"{parameter['low']:g} … {parameter['high']:g}" if parameter else "",
            parameter["meaning"] if parameter else entry["title"],
        ]
        for entry in described
        for number, parameter in enumerate([None, *entry["parameters"]])
    ]
    notes = [f"{name}: {meaning}" for name, meaning in LENGTHS.items()]
    header = ["workload", "default", "range", "meaning"]
    write_table("Workloads", header, rows, left=(0, 1, 2, 3), notes=notes)
