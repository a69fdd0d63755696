"""Belady's anomaly: FIFO with more cache faults more often, once and for ever."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, require
from paging.model import LayeredInstance, RequestSequence
from paging.simulate import simulate

SMALLEST = (0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4)
"""Twelve requests to five pages: FIFO faults 9 times with 3 slots and 10 times with 4."""

PREFIX = (0, 1, 2, 3, 0, 4, 1, 3)
"""Brings FIFO with 3 slots out of step, so that it has every second page of the cycle through five pages."""


@construction(
    id="belady-anomaly",
    title="FIFO with 4 slots faults twice as often as FIFO with 3, for ever",
    bound="fifo-anomaly",
    bad_for="FIFO",
    source="the anomaly: Belady, Nelson and Shedler 1969; without end: ours",
    status="proved in docs/adversaries.md",
    victims=("fifo",),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=5, cache=4),
)
def belady_anomaly(instance: LayeredInstance, rounds: int) -> Construction:
    """Eight requests, then five pages in turn: a fault every time with 4 slots, every second time with 3.

    The classical instance of twelve requests (Belady, Nelson and Shedler 1969), 9 faults against 10, is
    ``SMALLEST``. A search over all sequences shows that no shorter one has the anomaly, whatever the cache,
    and that none of this length does with another cache or fewer pages.

    Bad for whom
    ------------
    FIFO, which is no stack algorithm: here k = 4, and k − 1 = 3 slots would be better.

    Promise
    -------
    In every two requests after the first eight two faults with 4 slots and one with 3.

    Offline schedule in words
    -------------------------
    What FIFO itself does with 3 slots.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ = 1, k = 4, n ≥ 5.
    """
    require(
        instance,
        ("ℓ = 1", instance.layers == 1),
        ("k = 4", instance.cache == 4),
        ("n ≥ 5", instance.total_pages >= 5),
    )
    cycle = np.arange(max(0, rounds - len(PREFIX))) % 5
    sequence = RequestSequence(instance, np.concatenate([PREFIX, cycle])).prefix(rounds)
    smaller = simulate("fifo", sequence.with_cache(3), record=True).schedule
    return Construction(
        sequence,
        smaller,
        Promise("two requests", sympy.Integer(2), sympy.Integer(1), sympy.Integer(len(PREFIX))),
        tuple(range(len(PREFIX), len(sequence) + 1, 2)),
    )
