"""The trusted part: checks a certificate by counting. Standard library only, and nothing of ours.

Read docs/certificates.md beside it. A certificate states a claim and brings evidence; this package decides
whether the evidence proves the claim. It never looks at who made the certificate, how, or how long it took.

    python proofs/checker FILE        exit code 0: VERIFIED, 1: REFUTED, 2: INCOMPLETE

REFUTED means that this evidence does not prove this claim (the claim may be true all the same). INCOMPLETE
means that the file could not be judged: it is no certificate of this format, or beyond this checker's limits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

from .cycle import check_cycle
from .exact import check_exact
from .game import check_game, check_rule
from .offline import check_dual, check_optimum, check_schedule
from .potential import check_potential
from .randomized import check_expected
from .reading import ITEM, Incomplete, Json, Refuted, choice, integers, load, members, whole
from .rules import REPLAY
from .value import check_value

__all__ = [
    "FORMAT",
    "INCOMPLETE",
    "ITEM",
    "REFUTED",
    "REPLAY",
    "VERIFIED",
    "VERSION",
    "Incomplete",
    "Refuted",
    "Verdict",
    "choice",
    "integers",
    "load",
    "main",
    "members",
    "verify",
    "verify_file",
]

FORMAT, VERSION = "layered-paging certificate", 1
VERIFIED, REFUTED, INCOMPLETE = "VERIFIED", "REFUTED", "INCOMPLETE"
EXIT_CODES = {VERIFIED: 0, REFUTED: 1, INCOMPLETE: 2}


class Verdict(NamedTuple):
    """What the checker says about a certificate."""

    status: str
    reason: str
    assumptions: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 VERIFIED, 1 REFUTED, 2 INCOMPLETE."""
        return EXIT_CODES[self.status]


CHECKS: dict[str, Callable[[Json, Json], tuple[str, tuple[str, ...]]]] = {
    "schedule": check_schedule,
    "dual": check_dual,
    "optimum": check_optimum,
    "cycle": check_cycle,
    "potential": check_potential,
    "exact": check_exact,
    "game": check_game,
    "rule": check_rule,
    "expected": check_expected,
    "randomized-value": check_value,
}
"""What checks a certificate, by type. Each returns what is proved and what is assumed, or raises."""


def verify(document: Json) -> Verdict:
    """Judge a certificate as it comes out of JSON."""
    try:
        members(
            document,
            "the certificate",
            ("format", "version", "type", "claim", "evidence"),
            allowed=("provenance",),  # never read
        )
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise Incomplete(f"not a {FORMAT!r} of version {VERSION}")
        whole(document["version"], "version", 1)
        kind = choice(document["type"], "type", *CHECKS)
        reason, assumptions = CHECKS[kind](document["claim"], document["evidence"])
        return Verdict(VERIFIED, reason, assumptions)
    except Refuted as refuted:
        return Verdict(REFUTED, str(refuted))
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))


def verify_file(path: str) -> Verdict:
    """Judge a file, JSON or gzipped JSON."""
    try:
        return verify(load(path))
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))


def main(arguments: list[str]) -> int:
    """Judge the file named on the command line."""
    if len(arguments) != 1:
        print("usage: python proofs/checker FILE", file=sys.stderr)
        return 2
    verdict = verify_file(arguments[0])
    print(f"{verdict.status}: {verdict.reason}")
    for assumption in verdict.assumptions:
        print(f"  assuming {assumption}")
    return verdict.exit_code
