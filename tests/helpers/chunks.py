"""Requests as they come from a stream."""

import numpy as np

from paging import RequestSequence


def in_chunks(sequence: RequestSequence, size: int) -> list[np.ndarray]:
    """Cut the requests into chunks of a size; the last one may be smaller."""
    return [sequence.requests[start : start + size] for start in range(0, len(sequence), size)]
