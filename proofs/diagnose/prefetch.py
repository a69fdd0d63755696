"""What predictive prefetching is worth: an event simulation of one link that loads and prefetches share.

Layers are computed one after the other, token by token. When the router of a layer speaks, which is when the
layer before it is finished,

1. the experts that it needs and that are cached or on their way are touched (LRU),
2. those that are missing are loaded, each as soon as the link is free, evicting the least recently used
   expert that this layer does not need; they overtake waiting prefetches, but interrupt none,
3. the prefetcher predicts experts of the layer ``ahead`` layers later, perhaps of the next token: what is
   cached is touched, what is not waits for the link.

Waiting prefetches begin, first come first served, whenever the link is free and no router is speaking; each
evicts the least recently used expert that the layer being computed does not need, and is given up when there
is none, or when the layer it was for has been reached. The layer is finished at

    max(spoken + computing, all its experts arrived + (1 − overlap) · computing)

What is later than ``spoken + computing`` is its stall. Without a prefetcher these are the times of
:class:`~proofs.diagnose.cost.CostModel` for LRU with atomic visits. Times are whole numbers of a tick that
divides all of them, so nothing is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError
from paging.model import RequestSequence, whole_number
from proofs.diagnose import kernels
from proofs.diagnose.cost import CostModel, read_share

TENTHS = tuple(Fraction(tenth, 10) for tenth in range(10, 0, -1))
"""Precisions that are tried to find where prefetching begins to hurt."""

FURTHEST = 1 << 12
"""Most layers that a prediction may be ahead."""

LONGEST = 1 << 62
"""Ticks that fit."""


@dataclass(frozen=True)
class Prefetcher:
    """Predicts which experts a later layer will need.

    Every expert that the layer needs is predicted with probability ``recall``, independently. Beside them so
    many others of the layer are predicted, uniformly, that a share ``precision`` of all predictions is right
    in expectation (as far as the layer has others). Or, with ``repeats``, the experts are predicted that the
    token before used in that layer: what a recorded router said one token earlier.

    Parameters
    ----------
    recall : Fraction, default 1
        In 0 … 1.
    precision : Fraction, default 1
        In 0 … 1, not 0.
    ahead : int, default 1
        Layers from the router that has spoken to the one predicted.
    seed : int, default 0
    repeats : bool, default False
        Predict the experts of the token before; recall and precision then say nothing.

    Raises
    ------
    ModelError
        A field is outside its range.
    """

    recall: Fraction = Fraction(1)
    precision: Fraction = Fraction(1)
    ahead: int = 1
    seed: int = 0
    repeats: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.recall <= 1:
            raise ModelError(f"the recall of a prefetcher must be in 0 … 1, got {self.recall}")
        if not 0 < self.precision <= 1:
            raise ModelError(
                f"the precision of a prefetcher must be above 0 and at most 1, got {self.precision}"
            )
        whole_number(self.ahead, "the layers that a prefetcher is ahead", 1, FURTHEST)
        whole_number(self.seed, "the seed of a prefetcher", 0)

    @property
    def text(self) -> str:
        """What it does, in words."""
        if self.repeats:
            what = "the experts of the token before"
        else:
            what = f"recall {_percent(self.recall)}, precision {_percent(self.precision)}"
        return f"{what}, {self.ahead} layer{'s' * (self.ahead > 1)} ahead"


def _percent(share: Fraction) -> str:
    return f"{100 * float(share):g} %"


@dataclass(frozen=True)
class Prefetched:
    """What came of serving a sequence, all tokens counted but for the times of tokens.

    Attributes
    ----------
    seconds : Fraction
        Until the last token is finished.
    stalls : Fraction
        Seconds in which a layer waited beyond its computation.
    token_seconds : Fraction
        Seconds of the tokens that were asked for.
    tokens : int
        How many these are.
    stalled_layers, demand_loads, prefetches : int
        Layers (of a token) that waited; loads that a router asked for; loads that were predicted.
    useful, late, wasted : int
        Prefetches whose expert was used while it stayed; those of them that had not arrived when it was
        needed; those evicted unused, or unused at the end.
    collisions : int
        Demand loads of experts that a prefetch had evicted.
    blocked : int
        Layers whose demand loads had to wait for a prefetch under way.
    dropped : int
        Prefetches given up because the layer being computed needs everything that is cached.
    bytes_moved, bytes_wasted : int
        All loads; wasted prefetches.
    """

    seconds: Fraction
    stalls: Fraction
    token_seconds: Fraction
    tokens: int
    stalled_layers: int
    demand_loads: int
    prefetches: int
    useful: int
    late: int
    wasted: int
    collisions: int
    blocked: int
    dropped: int
    bytes_moved: int
    bytes_wasted: int

    @property
    def ms_per_token(self) -> Fraction:
        """Mean milliseconds of the tokens asked for."""
        return 1000 * self.token_seconds / self.tokens

    @property
    def tokens_per_second(self) -> Fraction | None:
        """Tokens asked for per second; None if they take no time."""
        return self.tokens / self.token_seconds if self.token_seconds else None


def simulate_prefetching(
    sequence: RequestSequence,
    cost: CostModel,
    prefetcher: Prefetcher | None = None,
    counted: NDArray[np.bool_] | None = None,
) -> Prefetched:
    """Serve a sequence with LRU, loads and prefetches sharing one link.

    Parameters
    ----------
    sequence : RequestSequence
        Its cache size is the number of slots, its visits are atomic here.
    cost : CostModel
    prefetcher : Prefetcher, optional
        None loads on demand only.
    counted : ndarray of bool, shape (tokens,), optional
        Tokens whose times are asked for; all are served in any case.

    Raises
    ------
    ModelError
        The cache does not hold a visit, the cost model is of another number of layers, or its times have no
        common tick in which the whole fits 64 bits.

    Examples
    --------
    Two layers of two experts; loads take 2 s, computation 3 s. On demand every layer of the one token loads
    and computes; predicted, the second load is hidden behind the computation of the first layer:

    >>> from paging import LayeredInstance
    >>> from proofs.diagnose.cost import Tier
    >>> sequence = RequestSequence(LayeredInstance(2, 2, 2), [0, 2])
    >>> cost = CostModel((10,), (Tier(Fraction(5)),), Fraction(3))
    >>> simulate_prefetching(sequence, cost).seconds
    Fraction(10, 1)
    >>> simulate_prefetching(sequence, cost, Prefetcher()).seconds
    Fraction(8, 1)
    """
    instance = sequence.instance
    if instance.cache < instance.per_visit:
        raise ModelError(f"a cache of {instance.cache} does not hold a visit of {instance.per_visit} experts")
    sizes = cost.sizes(instance.layers)
    starts = _starts(sequence)
    tokens = -(-(len(starts) - 1) // instance.layers)
    chosen = prefetcher or Prefetcher()
    beside = cost.overlap * cost.computing
    loads = [cost.load_seconds(size) for size in sizes]
    tick = _tick([cost.computing, beside, *loads])
    most = max(len(instance.pages_of(layer)) for layer in range(instance.layers))
    bound = (len(starts) * cost.computing + (len(sequence) + len(starts) * most) * max(loads)) / tick
    if bound >= LONGEST:
        raise ModelError(
            f"the times of the cost model are multiples of {float(tick):.1g} s, too fine for a trace of this "
            "length: round sizes, bandwidths and latencies"
        )
    wrong = [_wrong(chosen, size) for size in range(instance.per_visit + 1)]
    scale = 1 << kernels.DRAW_BITS
    kind = kernels.NOBODY if prefetcher is None else kernels.REPEAT if chosen.repeats else kernels.RANDOM
    ends, counts = np.zeros(tokens, dtype=np.int64), np.zeros(kernels.COUNTS, dtype=np.int64)
    last = kernels.run_link(
        sequence.requests,
        starts,
        np.asarray(instance.first_page, dtype=np.int64),
        instance.cache,
        np.array([int(load / tick) for load in loads], dtype=np.int64),
        np.array(sizes, dtype=np.int64),
        int(cost.computing / tick),
        int(beside / tick),
        kind,
        chosen.ahead,
        int(chosen.recall * scale),
        np.array([int(number) for number in wrong], dtype=np.int64),
        np.array([int((number % 1) * scale) for number in wrong], dtype=np.int64),
        chosen.seed % (1 << 63),
        ends,
        counts,
    )
    lengths = np.diff(ends, prepend=0)
    asked = lengths if counted is None else lengths[counted]
    count = [int(number) for number in counts]
    return Prefetched(
        seconds=int(last) * tick,
        stalls=count[kernels.STALL] * tick,
        token_seconds=int(asked.sum()) * tick,
        tokens=len(asked),
        stalled_layers=count[kernels.STALLED],
        demand_loads=count[kernels.DEMAND],
        prefetches=count[kernels.PREFETCHED],
        useful=count[kernels.USEFUL],
        late=count[kernels.LATE],
        wasted=count[kernels.WASTED],
        collisions=count[kernels.COLLISIONS],
        blocked=count[kernels.BLOCKED],
        dropped=count[kernels.DROPPED],
        bytes_moved=count[kernels.MOVED],
        bytes_wasted=count[kernels.LOST],
    )


def _starts(sequence: RequestSequence) -> NDArray[np.int64]:
    """Return where the requests of every visit begin, and where the last one ends."""
    group = sequence.instance.per_visit
    if sequence.places is None:
        return np.append(np.arange(0, len(sequence), group), len(sequence)).astype(np.int64)
    visits = int(sequence.places[-1]) // group + 1
    return np.searchsorted(sequence.places, np.arange(visits + 1) * group).astype(np.int64)


def _tick(times: Sequence[Fraction]) -> Fraction:
    """Return a time of which all others are multiples."""
    return Fraction(1, math.lcm(*(time.denominator for time in times)))


def _wrong(prefetcher: Prefetcher, size: int) -> Fraction:
    """Return how many wrong experts are predicted for a visit, in expectation."""
    return size * prefetcher.recall * (1 - prefetcher.precision) / prefetcher.precision


def precisions(
    sequence: RequestSequence,
    cost: CostModel,
    prefetcher: Prefetcher,
    counted: NDArray[np.bool_] | None = None,
) -> dict[Fraction, Prefetched]:
    """Return what comes of the same recall at every precision of :data:`TENTHS`."""
    return {
        precision: simulate_prefetching(sequence, cost, replace(prefetcher, precision=precision), counted)
        for precision in TENTHS
    }


def read_prefetcher(text: str) -> Prefetcher:
    """Read ``recall=0.9,precision=0.8,ahead=1,seed=0`` in any order, or ``repeat,ahead=1``.

    >>> read_prefetcher("recall=90%,ahead=2")
    Prefetcher(recall=Fraction(9, 10), precision=Fraction(1, 1), ahead=2, seed=0, repeats=False)
    >>> read_prefetcher("repeat").repeats
    True
    """
    repeat, *others = (part.strip() for part in text.split(","))
    parts = others if repeat == "repeat" else [repeat, *others]
    given: dict[str, Fraction | int] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        known = ("ahead", "seed") if repeat == "repeat" else ("recall", "precision", "ahead", "seed")
        if not equals or name not in known or name in given:
            raise ModelError(
                f"prefetcher {text!r}: expected recall=0.9,precision=0.8,ahead=1,seed=0 (each at most once) "
                "or repeat,ahead=1"
            )
        if name in ("recall", "precision"):
            given[name] = read_share(value)
        elif value.isascii() and value.isdigit():
            given[name] = int(value)
        else:
            raise ModelError(f"prefetcher {text!r}: {name} must be a whole number, got {value!r}")
    return Prefetcher(**given, repeats=repeat == "repeat")  # type: ignore[arg-type]
