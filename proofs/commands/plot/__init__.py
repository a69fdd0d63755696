"""The command ``paging plot``: pictures in the house style, and their numbers as JSON."""

from __future__ import annotations

import click

from proofs.commands.plot.curve import curve
from proofs.commands.plot.heatmap import heatmap
from proofs.commands.plot.phases import phases
from proofs.commands.plot.ratio import ratio


@click.group()
def plot() -> None:
    """Draw a picture: faults over cache size, ratio over time, phases, a heatmap.

    All are legible in black and white and to the colour-blind. --json writes the numbers that are drawn.

    \b
    Examples:
      paging plot curve lru llru --workload zipf:requests=20000 -l 8 -n 8 -k 8:56:8 -o curve.svg
      paging plot ratio lru llru --construction cyclic -l 2 -n 4 -k 7 -o ratio.svg -o ratio.png
      paging plot phases lru --workload zipf:requests=120 -l 2 -n 4 -k 4 -o phases.svg
      paging plot heatmap lru --workload zipf:requests=4000 -l 2 -n 2:8 -k 2:8 -o heatmap.svg
    """


for command in (curve, ratio, phases, heatmap):
    plot.add_command(command)
