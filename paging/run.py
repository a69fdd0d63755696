"""What serving a sequence gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError
from paging.html import facts_table, table
from paging.model import (
    FREE,
    HIT,
    LEFT_ON_HIT,
    SEVERAL,
    SHOWN,
    PageArray,
    RequestSequence,
    Schedule,
)
from paging.policy import Policy

WORDS = {HIT: "", FREE: "a free slot", SEVERAL: "several pages", LEFT_ON_HIT: "left on a hit"}
"""What a notebook says of an entry that names no page."""


def faulted(entries: PageArray) -> NDArray[np.bool_]:
    """Return which recorded entries are faults."""
    found: NDArray[np.bool_] = (entries != HIT) & (entries != LEFT_ON_HIT)
    return found


@dataclass(frozen=True, eq=False)
class Run:
    """The outcome of serving a sequence.

    Attributes
    ----------
    served_by : Policy or None
        The policy; None for farthest-in-future.
    sequence : RequestSequence
        What was served.
    faults : int
        Number of faults.
    seed : int or None
        Seed of a randomised policy; None for a deterministic one.
    engine : str
        ``kernel``, ``compiled`` or ``labels``: which route served the requests.
    entries : ndarray of int32 or None
        Schedule entry per request (see :class:`~paging.model.Schedule`) if recorded.
    weighted_cost : int, Fraction or None
        What the faults cost together where pages have weights; None at unit cost.
    """

    served_by: Policy | None
    sequence: RequestSequence
    faults: int
    seed: int | None = None
    engine: str = "labels"
    entries: PageArray | None = field(default=None, repr=False)
    weighted_cost: int | Fraction | None = None

    @property
    def policy(self) -> str:
        """Name of the algorithm, ``opt`` for farthest-in-future."""
        return "opt" if self.served_by is None else self.served_by.name

    @property
    def cost(self) -> int | Fraction:
        """What the faults cost together, exactly: their number at unit cost."""
        return self.faults if self.weighted_cost is None else self.weighted_cost

    @property
    def requests(self) -> int:
        """Number of requests."""
        return len(self.sequence)

    @property
    def hits(self) -> int:
        """Number of hits."""
        return self.requests - self.faults

    @property
    def schedule(self) -> Schedule:
        """The recorded run as a schedule.

        Raises
        ------
        ModelError
            The run was not recorded, or moved several pages in one step.
        """
        if self.entries is None:
            raise ModelError("the run was not recorded; call simulate(…, record=True)")
        if (self.entries <= SEVERAL).any():
            raise ModelError(
                f"policy {self.policy} is not demand paging: its run is no schedule of one victim"
            )
        return Schedule(self.sequence, self.entries)

    @property
    def fault_counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Faults after every request, shape (T,); needs a recorded run."""
        if self.entries is None:
            raise ModelError("the run was not recorded; call simulate(…, record=True)")
        return np.cumsum(faulted(self.entries))

    @property
    def costs_so_far(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """What was paid after every request, shape (T,), in units of 1/scale of the weights."""
        if self.entries is None:
            raise ModelError("the run was not recorded; call simulate(…, record=True)")
        return np.cumsum(faulted(self.entries) * self.sequence.instance.frame.weights[self.sequence.requests])

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {"requests": self.requests, "faults": self.faults, "hits": self.hits}
        if self.sequence.instance.weights is not None:
            facts["cost, weighted"] = self.cost
        if self.seed is not None:
            facts["one sampled run, seed"] = str(self.seed)
        top = facts_table(f"{self.policy} on {self.sequence.instance}", facts)
        if self.entries is None:
            return f"<div>{top}</div>"
        more = f"the first {SHOWN} of {self.requests:,} requests" if self.requests > SHOWN else "all requests"
        rows = [self._row(time) for time in range(min(self.requests, SHOWN))]
        return f"<div>{top}{table(more, ['request', 'page', '', 'takes the place of'], rows)}</div>"

    def _row(self, time: int) -> list[str]:
        assert self.entries is not None
        instance = self.sequence.instance
        entry = int(self.entries[time])
        left = instance.page_name(entry) if entry >= 0 else WORDS.get(entry, "bypassed")
        hit = entry in (HIT, LEFT_ON_HIT)
        return [
            str(time),
            instance.page_name(int(self.sequence.requests[time])),
            "hit" if hit else "fault",
            left,
        ]
