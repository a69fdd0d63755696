"""From misses to bytes, milliseconds and tokens per second: a cost model with every assumption a field.

A layer of a token is served in two parts. The *load* brings its missing experts from the slower memory, one
after the other; the *computation* takes the same time whatever was cached. Of the computation a share, the
*overlap*, can run beside the load (attention, or the experts that are cached)::

    load of f experts = f · Σ over tiers share · (latency + bytes / bandwidth)
    time of the layer = computation + max(0, load − overlap · computation)

Layers and tokens follow each other without a gap. Times are exact fractions of the figures given; the figures
are the user's, and what comes out is an estimate, not a measurement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError
from paging.model import whole_number
from paging.numbers import read_fraction

Misses = NDArray[np.int64]
"""Misses per token and layer, shape (tokens, layers)."""

BYTES = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", start=1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", start=1)},
}
SECONDS = {
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
COUNTS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}
RATES = {f"{unit}/s": factor for unit, factor in BYTES.items()}

QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([^\d\s.]*)", re.ASCII)


@dataclass(frozen=True)
class Tier:
    """A slower memory that missing experts come from.

    Parameters
    ----------
    bandwidth : Fraction or None
        Bytes per second; None for infinitely many.
    latency : Fraction, default 0
        Seconds before the first byte of every expert.
    share : Fraction, default 1
        Share of the misses that this tier serves.

    Raises
    ------
    ModelError
        The bandwidth is not positive, the latency negative, or the share not in 0 … 1.
    """

    bandwidth: Fraction | None
    latency: Fraction = Fraction(0)
    share: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.bandwidth is not None and self.bandwidth <= 0:
            raise ModelError(f"a bandwidth must be positive, got {self.bandwidth} bytes per second")
        if self.latency < 0:
            raise ModelError(f"a latency must be at least 0, got {self.latency} seconds")
        if not 0 <= self.share <= 1:
            raise ModelError(f"the share of a tier must be in 0 … 1, got {self.share}")

    def seconds(self, size: int) -> Fraction:
        """Return the time to load one expert of ``size`` bytes."""
        return self.latency + (Fraction(0) if self.bandwidth is None else size / self.bandwidth)


@dataclass(frozen=True)
class Price:
    """What a schedule costs under a cost model.

    Attributes
    ----------
    tokens : int
        Tokens it is about.
    bytes_moved : int
        Bytes loaded: exact for the experts' sizes.
    loading, computing, seconds : Fraction
        Time of all loads, of all computation, and of both with what overlaps counted once.
    """

    tokens: int
    bytes_moved: int
    loading: Fraction
    computing: Fraction
    seconds: Fraction

    @property
    def ms_per_token(self) -> Fraction:
        """Mean milliseconds per token."""
        return 1000 * self.seconds / self.tokens

    @property
    def tokens_per_second(self) -> Fraction | None:
        """Tokens per second; None if they take no time."""
        return self.tokens / self.seconds if self.seconds else None

    @property
    def least_ms_per_token(self) -> Fraction:
        """What no prefetching of the same loads can go below: the link or the processor is always busy."""
        return 1000 * max(self.loading, self.computing) / self.tokens


@dataclass(frozen=True)
class CostModel:
    """Sizes, links and computation of a model whose experts are loaded on demand.

    Parameters
    ----------
    expert_bytes : tuple of int
        Bytes of one expert: one number for all layers, or one per layer.
    tiers : tuple of Tier
        Where missing experts come from; their shares add up to 1.
    computing : Fraction, default 0
        Seconds of computation per layer and token.
    overlap : Fraction, default 0
        Share of the computation of a layer, in 0 … 1, that can run while its experts are loaded.

    Raises
    ------
    ModelError
        A field is outside its range.

    Examples
    --------
    Two layers, experts of 10 bytes over a link of 20 bytes per second, 0.25 s of computation per layer. The
    one token misses one expert of the first layer and none of the second:

    >>> link = Tier(Fraction(20))
    >>> price = CostModel((10,), (link,), Fraction(1, 4)).price(np.array([[1, 0]]))
    >>> price.bytes_moved, price.seconds, price.tokens_per_second
    (10, Fraction(1, 1), Fraction(1, 1))
    >>> CostModel((10,), (link,), Fraction(1, 4), Fraction(1)).price(np.array([[1, 0]])).seconds
    Fraction(3, 4)
    """

    expert_bytes: tuple[int, ...]
    tiers: tuple[Tier, ...]
    computing: Fraction = Fraction(0)
    overlap: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.expert_bytes:
            raise ModelError("expert_bytes must hold one number, or one per layer")
        for size in self.expert_bytes:
            whole_number(size, "the bytes of an expert", 1)
        total = sum((tier.share for tier in self.tiers), Fraction(0))
        if total != 1:
            raise ModelError(f"the shares of the tiers must add up to 1, got {total}")
        if self.computing < 0:
            raise ModelError(f"the computation must be at least 0 seconds, got {self.computing}")
        if not 0 <= self.overlap <= 1:
            raise ModelError(f"the overlap must be in 0 … 1, got {self.overlap}")

    def sizes(self, layers: int) -> tuple[int, ...]:
        """Return the bytes of an expert for every layer.

        Raises
        ------
        ModelError
            There are several sizes, but not one per layer.
        """
        if len(self.expert_bytes) not in (1, layers):
            raise ModelError(f"{len(self.expert_bytes)} sizes of experts for {layers} layers")
        return self.expert_bytes * (layers if len(self.expert_bytes) == 1 else 1)

    def load_seconds(self, size: int) -> Fraction:
        """Return the mean time to load one expert of ``size`` bytes."""
        return sum((tier.share * tier.seconds(size) for tier in self.tiers), Fraction(0))

    def layer_seconds(self, size: int, misses: int) -> Fraction:
        """Return the time of one layer of one token with so many misses."""
        return self.computing + max(
            Fraction(0), misses * self.load_seconds(size) - self.overlap * self.computing
        )

    def price(self, misses: Misses) -> Price:
        """Return what misses cost, exactly.

        Parameters
        ----------
        misses : ndarray of int, shape (tokens, layers)
            Misses of every token in every layer.
        """
        tokens, layers = misses.shape
        moved, loading, seconds = 0, Fraction(0), Fraction(0)
        for size, column in zip(self.sizes(layers), misses.T, strict=True):
            count = int(column.sum())
            moved += count * size
            loading += count * self.load_seconds(size)
            for number, visits in enumerate(np.bincount(column).tolist()):
                seconds += visits * self.layer_seconds(size, number)
        return Price(tokens, moved, loading, tokens * layers * self.computing, seconds)

    def token_ms(self, misses: Misses) -> NDArray[np.float64]:
        """Return the milliseconds of every token, rounded: for percentiles, not for sums."""
        most = int(misses.max(initial=0))
        total = np.zeros(len(misses))
        for size, column in zip(self.sizes(misses.shape[1]), misses.T, strict=True):
            table = [float(1000 * self.layer_seconds(size, number)) for number in range(most + 1)]
            total += np.array(table)[column]
        return total

    @property
    def plain(self) -> dict[str, object]:
        """The model as plain values, with units in the names."""
        return {
            "expert_bytes": list(self.expert_bytes),
            "tiers": [
                {
                    "bytes_per_second": None if tier.bandwidth is None else float(tier.bandwidth),
                    "latency_seconds": float(tier.latency),
                    "share": float(tier.share),
                }
                for tier in self.tiers
            ],
            "computing_seconds_per_layer": float(self.computing),
            "overlap": float(self.overlap),
        }


def _quantity(text: str, units: dict[str, int] | dict[str, Fraction], what: str, example: str) -> Fraction:
    match = QUANTITY.fullmatch(text.strip())
    if match is None or match[2] not in units:
        known = ", ".join(filter(None, units))
        raise ModelError(f"{what} {text!r}: expected a number ≥ 0 with a unit such as {example} ({known})")
    return Fraction(match[1]) * units[match[2]]


def read_bytes(text: str) -> int:
    """Read a size: ``352MB`` (10⁶ bytes), ``336MiB`` (2²⁰ bytes).

    >>> read_bytes("352MB"), read_bytes("1.5KiB")
    (352000000, 1536)
    """
    size = _quantity(text, BYTES, "size", "352MB")
    if size.denominator != 1:
        raise ModelError(f"size {text!r} is not a whole number of bytes")
    return size.numerator


def read_seconds(text: str) -> Fraction:
    """Read a duration.

    >>> read_seconds("0.3ms"), read_seconds("10us")
    (Fraction(3, 10000), Fraction(1, 100000))
    """
    return _quantity(text, SECONDS, "duration", "10us")


def read_count(text: str) -> int:
    """Read a number of parameters.

    >>> read_count("176M")
    176000000
    """
    count = _quantity(text, COUNTS, "number of parameters", "176M")
    if count.denominator != 1:
        raise ModelError(f"number of parameters {text!r} is not whole")
    return count.numerator


def read_share(text: str) -> Fraction:
    """Read a share in 0 … 1: ``0.9``, ``9/10`` or ``90%``.

    >>> read_share("90%"), read_share("0.25")
    (Fraction(9, 10), Fraction(1, 4))
    """
    try:
        share = read_fraction(text[:-1]) / 100 if text.endswith("%") else read_fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ModelError(f"share {text!r}: expected a number in 0 … 1 such as 0.9, 9/10 or 90%") from None
    if not 0 <= share <= 1:
        raise ModelError(f"share {text!r} is outside 0 … 1")
    return share


def read_tier(text: str) -> Tier:
    """Read ``BANDWIDTH[,LATENCY[,SHARE]]``; a bandwidth of ``inf`` is infinite.

    >>> read_tier("25GB/s,10us")
    Tier(bandwidth=Fraction(25000000000, 1), latency=Fraction(1, 100000), share=Fraction(1, 1))
    """
    bandwidth, *others = (part.strip() for part in text.split(","))
    if len(others) > 2:
        raise ModelError(f"tier {text!r}: expected BANDWIDTH,LATENCY,SHARE such as 25GB/s,10us,90%")
    return Tier(
        None if bandwidth == "inf" else _quantity(bandwidth, RATES, "bandwidth", "25GB/s"),
        read_seconds(others[0]) if others else Fraction(0),
        read_share(others[1]) if len(others) > 1 else Fraction(1),
    )


def bytes_of_parameters(parameters: int, bits: int) -> int:
    """Return the bytes of an expert of so many parameters with so many bits each.

    >>> bytes_of_parameters(176_000_000, 16)
    352000000

    Raises
    ------
    ModelError
        A number is below 1, or they are no whole number of bytes.
    """
    total = whole_number(parameters, "the parameters of an expert", 1) * whole_number(bits, "bits", 1)
    if total % 8:
        raise ModelError(f"{parameters} parameters of {bits} bits are no whole number of bytes")
    return total // 8


def cache_of(memory: int, expert_bytes: Sequence[int]) -> int:
    """Return how many experts fit into memory.

    Raises
    ------
    ModelError
        Not even one fits, a size is below 1, or there are several, so that no number of slots says it.

    Examples
    --------
    >>> cache_of(8_000_000_000, (352_000_000,))
    22
    """
    sizes = set(expert_bytes)
    if len(sizes) > 1:
        raise ModelError("experts of several sizes do not make a number of slots; give the cache size (-k)")
    (size,) = sizes
    whole_number(size, "the bytes of an expert", 1)
    if memory < size:
        raise ModelError(f"memory of {memory:,} bytes does not hold one expert of {size:,} bytes")
    return memory // size
