"""Claims that a policy's ratio is exactly a number: a cycle from below, a potential from above."""

from __future__ import annotations

from .cycle import check_cycle
from .potential import check_potential
from .problem import Proved
from .reading import Json, Refuted, members


def check_exact(claim: Json, evidence: Json) -> Proved:
    """Check the type ``exact``: a cycle from below and a potential from above meet."""
    members(claim, "claim", ("instance", "policy", "opt_cache", "ratio", "additive"))
    members(evidence, "evidence", ("cycle", "potential"))
    parts = ("prefix", "cycle", "online", "offline")
    below = members(
        evidence["cycle"], "evidence.cycle", (*parts, "leaving", "left", "start", "periods", "schedule")
    )
    lower = {name: claim[name] for name in ("instance", "policy", "opt_cache", "ratio")}
    first = check_cycle(
        {**lower, **{name: below[name] for name in parts}},
        {name: below[name] for name in below if name not in parts},
    )
    if claim["ratio"] == "unbounded":
        raise Refuted("an unbounded ratio has no potential: a certificate of type cycle says it all")
    second = check_potential(claim, evidence["potential"])
    reason = (
        f"policy {claim['policy']}: the competitive ratio is exactly {claim['ratio']}; "
        f"faults ≤ {claim['ratio']}·OPT + {claim['additive']}, and a cycle reaches {claim['ratio']}"
    )
    assumptions = (
        *first.assumptions,
        *(text for text in second.assumptions if text not in first.assumptions),
    )
    return Proved(reason, assumptions, (*first.conditions, *second.conditions))
