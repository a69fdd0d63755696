"""Published measurements, as third parties report them, held against our own numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from proofs.report.studies import ONLINE, OPT_EQUAL, OPT_SPLIT

TOLERANCE = 0.2
"""Our number reproduces a published one if it differs by at most this share of it."""

STICKY = 1.5
"""Layers are sticky that repeat pages this many times as often as uniform requests do."""

EVEN = 1.1
"""Equal splits cost less than this many times the best split where layers are alike."""

Curve = dict[int, float]
"""A quantity by cache size."""


@dataclass(frozen=True)
class Reading:
    """One way to read a claim as a number: a statistic of a quantity over cache sizes.

    Attributes
    ----------
    statistic : {"largest", "mean"}
        Over the cache sizes of a study.
    quantity : str
        The quantity in words.
    curve : callable
        Study → its values by cache size.
    reason : callable
        (study, curve, published value) → what our numbers say about the difference.
    """

    statistic: Literal["largest", "mean"]
    quantity: str
    curve: Callable[[Mapping[str, Any]], Curve]
    reason: Callable[[Mapping[str, Any], Curve, float], str]


@dataclass(frozen=True)
class Claim:
    """A published measurement.

    Attributes
    ----------
    id, statement : str
        Name, and the claim as it is reported.
    published : float
        Its number.
    percent : bool
        Whether the number is a share, shown in percent, or a ratio.
    measured_on : str
        The requests it was reported for.
    applies : callable
        Which of our studies it can be held against.
    readings : tuple of Reading
        The report leaves open what exactly was measured; every reading gets a verdict of its own.
    """

    id: str
    statement: str
    published: float
    percent: bool
    measured_on: str
    applies: Callable[[Mapping[str, Any]], bool]
    readings: tuple[Reading, ...]

    def show(self, value: float) -> str:
        """Write a value in the claim's unit."""
        return f"{100 * value:.1f} %" if self.percent else f"{value:.2f}×"


SAID_BY = "third parties about arXiv:2509.02408; the paper's text was not at hand"
"""Who states the claims."""


def faults_of(study: Mapping[str, Any], policy: str) -> Curve:
    """Return a policy's faults by cache size."""
    return {row["k"]: row["faults"] for row in study["rows"] if row["policy"] == policy}


def _ratio(study: Mapping[str, Any], policy: str) -> Curve:
    optimum = faults_of(study, "opt")
    return {k: faults / optimum[k] for k, faults in faults_of(study, policy).items() if optimum.get(k)}


def _saving(study: Mapping[str, Any], policy: str) -> Curve:
    lru = faults_of(study, "lru")
    return {k: 1 - faults / lru[k] for k, faults in faults_of(study, policy).items() if lru.get(k)}


def _best_online(study: Mapping[str, Any]) -> Curve:
    ratios = [_ratio(study, policy) for policy in ONLINE]
    return {k: min(ratio[k] for ratio in ratios if k in ratio) for k in _ratio(study, "lru")}


def _why_saving(study: Mapping[str, Any], curve: Curve, published: float) -> str:
    top = max(curve, key=curve.__getitem__)
    lru, llru, opt = (faults_of(study, name)[top] for name in ("lru", "llru", "opt"))
    low, high = (f"{100 * end:.1f}".replace("-", "−") for end in (min(curve.values()), max(curve.values())))
    texts = [f"over all sizes {low} to {high} %"]
    if lru > opt:
        texts.append(
            f"at k = {top} LLRU saves {100 * (lru - llru) / (lru - opt):.0f} % of what OPT saves over LRU "
            f"(OPT: {100 * (1 - opt / lru):.0f} %)"
        )
    repeats = study["origin"].get("repeat_rate")
    uniform = study["instance"]["per_visit"] * study["instance"]["layers"] / study["total_pages"]
    if repeats is not None and curve[top] < (1 - TOLERANCE) * published and repeats > STICKY * uniform:
        texts.append(
            f"layers repeat {100 * repeats:.0f} % of their last pages ({100 * uniform:.0f} % if uniform), "
            "which LRU profits from as well"
        )
    return "; ".join(texts)


def _why_ratio(study: Mapping[str, Any], curve: Curve, published: float) -> str:
    top = max(curve, key=curve.__getitem__)
    within = [k for k, value in curve.items() if value <= published]
    rate = faults_of(study, "opt")[top] / study["requests"]
    texts = [f"over all sizes {min(curve.values()):.2f} to {max(curve.values()):.2f}"]
    if len(within) == len(curve):
        texts.append(f"at most {published:g} at every size")
    elif within and max(within) < top:
        texts.append(f"{published:g} is passed after k = {max(within)} of {study['total_pages']} pages")
    texts.append(f"at k = {top} OPT faults on {100 * rate:.1f} % of the requests")
    return "; ".join(texts)


def _why_split(study: Mapping[str, Any], curve: Curve, _published: float) -> str:
    best = faults_of(study, OPT_SPLIT)
    uneven = {k: faults / best[k] for k, faults in faults_of(study, OPT_EQUAL).items() if best.get(k)}
    texts = [f"over all sizes {min(curve.values()):.2f} to {max(curve.values()):.2f}"]
    if uneven:
        most = max(uneven, key=uneven.__getitem__)
        need = "need unequal shares" if uneven[most] >= EVEN else "are alike"
        cost = f"{uneven[most]:.2f} times the best one (k = {most})"
        texts.append(f"the equal split costs up to {cost}: the layers {need}")
    return "; ".join(texts)


CLAIMS = (
    Claim(
        "llru-saving",
        "LLRU has about 15 % fewer faults than LRU",
        0.15,
        True,
        "Llama-MoE traces",
        lambda study: True,
        (
            Reading("largest", "saving of LLRU over LRU", lambda study: _saving(study, "llru"), _why_saving),
            Reading("mean", "saving of LLRU over LRU", lambda study: _saving(study, "llru"), _why_saving),
        ),
    ),
    Claim(
        "opt-online",
        "OPT is up to 2.5 times better than online policies",
        2.5,
        False,
        "traces of Mixtral-8x7B and Llama-MoE, perhaps synthetic requests too",
        lambda study: True,
        (
            Reading("largest", "ratio LRU / OPT", lambda study: _ratio(study, "lru"), _why_ratio),
            Reading("largest", "ratio best online policy / OPT", _best_online, _why_ratio),
        ),
    ),
    Claim(
        "opt-per-layer",
        "per-layer OPT has up to 3 times the faults of the shared OPT",
        3.0,
        False,
        "synthetic Zipf requests",
        lambda study: bool(study["zipf"]),
        (
            Reading(
                "largest",
                "ratio OPT on an equal split / OPT",
                lambda study: _ratio(study, OPT_EQUAL),
                _why_split,
            ),
            Reading(
                "largest",
                "ratio OPT on the best fixed split / OPT",
                lambda study: _ratio(study, OPT_SPLIT),
                _why_split,
            ),
        ),
    ),
)


def judge_claims(studies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for every claim, reading and study it applies to."""
    return [
        row
        for claim in CLAIMS
        for reading in claim.readings
        for study in studies
        if claim.applies(study)
        for row in _judged(claim, reading, study)
    ]


def _judged(claim: Claim, reading: Reading, study: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    curve = reading.curve(study)
    if not curve:
        return
    top = max(curve, key=curve.__getitem__)
    largest = reading.statistic == "largest"
    value = curve[top] if largest else fmean(curve.values())
    close = abs(value - claim.published) <= TOLERANCE * claim.published
    side = "" if close else ("smaller: " if value < claim.published else "larger: ")
    yield {
        "claim": claim.id,
        "statement": claim.statement,
        "published": claim.published,
        "percent": claim.percent,
        "published_on": claim.measured_on,
        "reading": f"{reading.statistic} {reading.quantity}",
        "study": study["id"],
        "kind": study["kind"],
        "value": value,
        "k": top if largest else None,
        "smallest": min(curve.values()),
        "largest": curve[top],
        "verdict": "reproduced" if close else "differs",
        "reason": side + reading.reason(study, curve, claim.published),
    }
