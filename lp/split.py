"""The best fixed split of the cache over the layers, in hindsight: OPT-Dist, LRU-Dist and the like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp.curves import fault_curve
from paging.arguments import checked
from paging.errors import UnsupportedModelError
from paging.model import RequestSequence
from paging.policy import Policy, get_policy, plain_name


@dataclass(frozen=True)
class Split:
    """A best fixed split of the cache and what it costs.

    Attributes
    ----------
    policy : str
        What every layer runs on its own slots; ``"opt"`` is each layer's own offline optimum.
    shares : tuple of int
        Slots k_j per layer, Σ k_j ≤ k; 0 only for a layer that is never requested.
    faults : int
        Faults of all layers together.
    faults_by_layer : tuple of int
        Faults per layer under ``shares``.
    curve : tuple of (int or None), length k
        Entry ``c − 1``: faults of the best split of c slots; None where c slots do not go round.
    """

    policy: str
    shares: tuple[int, ...]
    faults: int
    faults_by_layer: tuple[int, ...]
    curve: tuple[int | None, ...]


@checked
def best_static_split(sequence: RequestSequence, policy: str | Policy | type[Policy] = "opt") -> Split:
    """Split the cache over the layers once and for all so that the faults of all layers are fewest.

    Parameters
    ----------
    sequence : RequestSequence
        The requests and the cache size k to be split.
    policy : str, Policy or Policy class, default "opt"
        What each layer runs on its slots: ``"opt"`` (OPT-Dist), ``"lru"`` (LRU-Dist), or any other
        deterministic policy.

    Returns
    -------
    Split
        Of the best splits the one that gives later layers the least.

    Raises
    ------
    UnsupportedModelError
        The requested layers are more than k, so that some would have no slot; or visits are atomic.

    Notes
    -----
    Exact for every policy: the fault curve of every layer (:func:`~lp.curves.fault_curve`) is followed by a
    dynamic program over layers, O(ℓ·k·n). Curves need not be convex, so no greedy rule is used.

    Examples
    --------
    >>> from paging.model import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(2, pages=3, cache=4), [0, 3, 1, 3, 2, 3, 0, 3, 1, 3])
    >>> split = best_static_split(sequence)
    >>> split.shares, split.faults, split.faults_by_layer
    ((3, 1), 4, (3, 1))
    """
    instance = sequence.instance
    name = plain_name(policy) if isinstance(policy, str) else get_policy(policy).name
    instance.require("the best split", visits="sequential", cost="unit")
    needed = [min(1, requests) for requests in _requests_by_layer(sequence)]
    if sum(needed) > instance.cache:
        raise UnsupportedModelError(
            f"a split of k = {instance.cache} leaves a layer without a slot; k ≥ {sum(needed)} is needed"
        )
    curves = [_layer_curve(sequence, j, policy) for j in range(instance.layers)]
    shares, totals = allocate(curves, needed, instance.cache)
    by_layer = tuple(curve[share] for curve, share in zip(curves, shares, strict=True))
    return Split(name, shares, sum(by_layer), by_layer, tuple(totals[1:]))


def allocate(
    curves: Sequence[Sequence[int]], needed: Sequence[int], slots: int
) -> tuple[tuple[int, ...], list[int | None]]:
    """Minimise Σ curve_j[k_j] over whole numbers k_j ≥ needed_j with Σ k_j ≤ slots, exactly.

    Parameters
    ----------
    curves : sequence of sequences of int
        Cost of layer j with m slots at entry m; beyond its end a curve is flat.
    needed : sequence of int
        Least slots of every layer.
    slots : int
        Slots to give away.

    Returns
    -------
    (shares, totals)
        An optimal allocation, and the optimum for every number of slots 0 … ``slots`` (None: too few).

    Examples
    --------
    >>> allocate([[9, 9, 1], [9, 5, 4]], needed=[1, 1], slots=3)
    ((2, 1), [None, None, 14, 6])
    """
    impossible = np.iinfo(np.int64).max // 4
    best = np.zeros(slots + 1, dtype=np.int64)
    choices: list[NDArray[np.int64]] = []
    for curve, low in zip(curves, needed, strict=True):
        combined = np.full(slots + 1, impossible)
        chosen = np.zeros(slots + 1, dtype=np.int64)
        for share in range(low, min(slots, max(low, len(curve) - 1)) + 1):
            candidate = best[: slots + 1 - share] + curve[min(share, len(curve) - 1)]
            better = candidate < combined[share:]
            combined[share:][better] = candidate[better]
            chosen[share:][better] = share
        best = np.minimum(combined, impossible)
        choices.append(chosen)
    shares, left = [0] * len(curves), slots
    for j in range(len(curves) - 1, -1, -1):
        shares[j] = int(choices[j][left])
        left -= shares[j]
    return tuple(shares), [None if total >= impossible else total for total in best.tolist()]


def _requests_by_layer(sequence: RequestSequence) -> list[int]:
    counts: list[int] = np.bincount(sequence.visit_layers, minlength=sequence.instance.layers).tolist()
    return counts


def _layer_curve(sequence: RequestSequence, layer: int, policy: str | Policy | type[Policy]) -> list[int]:
    """Faults of one layer with 0, 1, 2, … slots, up to where more slots change nothing."""
    part = sequence.of_layer(layer, sequence.instance.cache)
    if not len(part):
        return [0]
    return [len(part), *fault_curve(part, policy, min(sequence.instance.cache, part.distinct_pages))]
