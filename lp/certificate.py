"""Certificates about the offline optimum: a schedule from above, a dual from below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lp.dual import Dual
from lp.gaps import Gaps, gaps_of
from lp.result import Optimum
from paging.certificate import Certificate, certificate, packed
from paging.model import Schedule
from paging.numbers import number
from paging.weights import Weights


def optimum_certificate(found: Optimum, provenance: Mapping[str, object] | None = None) -> Certificate:
    """Return a certificate of type ``optimum``: a schedule of cost ``upper`` and a dual for ``lower``.

    Parameters
    ----------
    found : Optimum
        From :func:`lp.optimum`; an interval is certified as an interval.
    provenance : mapping, optional
        Where the numbers come from. For the reader only: no checker looks at it.

    Examples
    --------
    >>> from lp import optimum
    >>> from paging import LayeredInstance, RequestSequence
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> certificate = optimum_certificate(optimum(sequence))
    >>> certificate["claim"]["lower"], certificate["claim"]["upper"]
    (4, 4)
    """
    claim = {**_problem(found.gaps), "upper": number(found.upper), "lower": number(found.lower)}
    evidence = {
        "schedule": packed(found.schedule.entries),
        "dual": _dual(found.gaps, found.dual),
    }
    return certificate("optimum", claim, evidence, provenance)


def schedule_certificate(
    schedule: Schedule,
    *,
    weights: Weights | None = None,
    shares: Sequence[int] | None = None,
    provenance: Mapping[str, object] | None = None,
) -> Certificate:
    """Return a certificate of type ``schedule``: OPT is at most the cost of this schedule."""
    gaps = gaps_of(schedule.sequence, weights, shares)
    claim = {**_problem(gaps), "upper": number(Fraction(gaps.cost(schedule), gaps.scale))}
    return certificate("schedule", claim, {"schedule": packed(schedule.entries)}, provenance)


def dual_certificate(gaps: Gaps, dual: Dual, provenance: Mapping[str, object] | None = None) -> Certificate:
    """Return a certificate of type ``dual``: OPT is at least what this dual proves."""
    claim = {**_problem(gaps), "lower": number(Fraction(dual.bound(gaps), gaps.scale))}
    return certificate("dual", claim, {"dual": _dual(gaps, dual)}, provenance)


def _problem(gaps: Gaps) -> dict[str, object]:
    gaps.sequence.require_full_visits("a certificate")
    instance = gaps.sequence.instance
    # The weights stand beside the instance in a claim.
    shape = {name: value for name, value in instance.plain.items() if name != "weights"}
    if gaps.shares is not None:
        shape["shares"] = list(gaps.shares)
    problem: dict[str, object] = {"instance": shape, "requests": packed(gaps.sequence.requests)}
    if gaps.weights is not None:
        problem["weights"] = _rationals(gaps.weights.scaled, gaps.scale)
    return problem


def _dual(gaps: Gaps, dual: Dual) -> dict[str, object]:
    steps, values = dual.steps, dual.values
    if gaps.shares is not None:
        # Inside, the layers of a split lie one after the other; a certificate numbers requests as they come.
        order = np.argsort(gaps.sequence.visit_layers, kind="stable")
        place = np.argsort(order[steps])
        steps, values = order[steps][place], values[place]
    return {"steps": packed(steps), "values": _rationals(values, gaps.scale)}


def _rationals(scaled: NDArray[np.int64], scale: int) -> object:
    if scale == 1:
        return packed(scaled)
    return [number(Fraction(value, scale)) for value in scaled.tolist()]
