"""What the pictures of ``paging plot`` have in common: a document of plain numbers, and what it can show."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

SHOWN = {
    "faults": ("faults", 1, "faults"),
    "rate": ("fault_rate", 100, "faults per request (%)"),
    "ratio": ("vs_opt", 1, "faults / faults of OPT, observed"),
    "saving": ("saving_over_lru", 100, "fewer faults than LRU (%)"),
}
"""What a curve or a heatmap can show: key of a row, factor, axis label with unit."""

WEIGHTED = {
    "faults": ("cost", 1, "cost, weighted"),
    "ratio": ("vs_opt", 1, "weighted cost / weighted cost of OPT, observed"),
    "saving": ("saving_over_lru", 100, "less weighted cost than LRU (%)"),
}
"""The same where pages have weights; faults per request are counted in any case."""
