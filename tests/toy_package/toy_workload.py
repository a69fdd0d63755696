"""A workload of an outside package."""

from itertools import count

import numpy as np

from paging.workloads import workload


@workload("toy-sweep", "every layer asks for its pages in turn")
def sweep(instance, rng):
    """The s-th request of a layer's visit in round r asks for its page r + s, modulo n."""
    rounds, sizes = count(), np.array(instance.pages_by_layer)[:, None]

    def fill(requests, uniforms):
        for visits in requests:
            turn = next(rounds) + np.arange(instance.per_visit)
            visits[:] = instance.first_page[:-1, None] + turn % sizes

    return fill
