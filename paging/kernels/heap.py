"""A heap of (key, time) pairs in two arrays, the smallest first; the time names a request, and so a page."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.kernels.jit import compiled

Keys = NDArray[Any]
Times = NDArray[np.integer[Any]]


@compiled
def sift_down(keys: Keys, times: Times, size: int, key: float, time: int) -> None:
    """Put (key, time) at the root of a heap of ``size`` pairs and restore the order."""
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        other = child + 1
        if other < size and (
            keys[other] < keys[child] or (keys[other] == keys[child] and times[other] < times[child])
        ):
            child = other
        if keys[child] > key or (keys[child] == key and times[child] > time):
            break
        keys[place] = keys[child]
        times[place] = times[child]
        place = child
    keys[place] = key
    times[place] = time


@compiled
def push(keys: Keys, times: Times, size: int, key: float, time: int) -> None:
    """Add (key, time) to a heap of ``size`` pairs."""
    place = size
    while place > 0:
        above = (place - 1) // 2
        if keys[above] < key or (keys[above] == key and times[above] < time):
            break
        keys[place], times[place] = keys[above], times[above]
        place = above
    keys[place], times[place] = key, time
