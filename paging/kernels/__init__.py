"""Compiled twins of the policies, for long sequences: plain arrays in, number of faults out."""

from paging.kernels.frequency import lfu
from paging.kernels.layered import llru
from paging.kernels.marking import mark_fifo, mark_layer
from paging.kernels.offline import farthest, next_use, optimum
from paging.kernels.randomized import mark, online_min, random_eviction
from paging.kernels.recency import clock, fifo, fwf, lifo, lru, mru, sieve

__all__ = [
    "clock",
    "farthest",
    "fifo",
    "fwf",
    "lfu",
    "lifo",
    "llru",
    "lru",
    "mark",
    "mark_fifo",
    "mark_layer",
    "mru",
    "next_use",
    "online_min",
    "optimum",
    "random_eviction",
    "sieve",
]
