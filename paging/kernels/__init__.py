"""Compiled twins of the policies, for long sequences: plain arrays in, number of faults out."""

from paging.kernels.frequency import lfu
from paging.kernels.layered import llru
from paging.kernels.offline import farthest, next_use, optimum
from paging.kernels.randomized import mark, online_min, random_eviction
from paging.kernels.recency import clock, fifo, lru

__all__ = [
    "clock",
    "farthest",
    "fifo",
    "lfu",
    "llru",
    "lru",
    "mark",
    "next_use",
    "online_min",
    "optimum",
    "random_eviction",
]
