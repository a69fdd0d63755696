"""Compiled twins of the policies, for long sequences: plain arrays in, number of faults out."""

from paging.kernels.engines import admit_lru, class_lru, heat_lru, hobbit, least_stale, lfru
from paging.kernels.frequency import lfu
from paging.kernels.layered import llru
from paging.kernels.marking import mark_fifo, mark_layer
from paging.kernels.offline import farthest, next_use, optimum
from paging.kernels.online_min import online_min
from paging.kernels.predictions import (
    blind_oracle,
    counts_so_far,
    discard_errors,
    discard_truth,
    flush_when_kept,
    flush_when_kept_lazy,
    follow_the_cheaper,
    guarded_oracle,
    mark0,
    mark_predict,
    mark_predict_lru,
    marker,
    phase_errors,
    phase_truth,
)
from paging.kernels.queues import arc, s3_fifo, slru, two_queues
from paging.kernels.randomized import mark, random_eviction
from paging.kernels.recency import by_time, clock, fifo, fwf, lifo, lru, mru, sieve
from paging.kernels.weighted import landlord, lfu_weighted, lru_weighted
from paging.kernels.zrc import zrc_atomic

__all__ = [
    "admit_lru",
    "arc",
    "blind_oracle",
    "by_time",
    "class_lru",
    "clock",
    "counts_so_far",
    "discard_errors",
    "discard_truth",
    "farthest",
    "fifo",
    "flush_when_kept",
    "flush_when_kept_lazy",
    "follow_the_cheaper",
    "fwf",
    "guarded_oracle",
    "heat_lru",
    "hobbit",
    "landlord",
    "least_stale",
    "lfru",
    "lfu",
    "lfu_weighted",
    "lifo",
    "llru",
    "lru",
    "lru_weighted",
    "mark",
    "mark0",
    "mark_fifo",
    "mark_layer",
    "mark_predict",
    "mark_predict_lru",
    "marker",
    "mru",
    "next_use",
    "online_min",
    "optimum",
    "phase_errors",
    "phase_truth",
    "random_eviction",
    "s3_fifo",
    "sieve",
    "slru",
    "two_queues",
    "zrc_atomic",
]
