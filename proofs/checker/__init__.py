"""The trusted part: checks a certificate by counting. Standard library only, and nothing of ours.

Read docs/certificates.md beside it. A certificate states a claim and brings evidence; this package decides
whether the evidence proves the claim. It never looks at who made the certificate, how, or how long it took.

    python proofs/checker [--limit N] FILE    0: VERIFIED, 1: REFUTED, 2: INCOMPLETE, 3: CONDITIONAL

VERIFIED means that the evidence proves the claim, about a policy as rules.py states it. CONDITIONAL means
that it does so if something holds that nobody has checked, which is listed: what a policy does that this
checker has no rule for. REFUTED means that this evidence does not prove this claim (the claim may be true all
the same). INCOMPLETE means that the file could not be judged: it is no certificate of this format, or beyond
this checker's limits, which --limit multiplies.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .cycle import check_cycle
from .exact import check_exact
from .game import check_game, check_rule
from .offline import check_dual, check_optimum, check_parts, check_schedule
from .potential import check_potential
from .problem import Proved
from .randomized import check_expected
from .reading import ITEM, Budget, Incomplete, Json, Refuted, choice, integers, load, members, whole, within
from .trade_off import check_trade_off
from .trade_off_game import check_trade_off_game
from .value import check_value
from .weighted import check_weighted, check_weighted_game

__all__ = [
    "CONDITIONAL",
    "FORMAT",
    "INCOMPLETE",
    "ITEM",
    "REFUTED",
    "VERIFIED",
    "VERSION",
    "Budget",
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
    "within",
]

FORMAT, VERSION = "layered-paging certificate", 1
VERIFIED, REFUTED, INCOMPLETE, CONDITIONAL = "VERIFIED", "REFUTED", "INCOMPLETE", "CONDITIONAL"
EXIT_CODES = {VERIFIED: 0, REFUTED: 1, INCOMPLETE: 2, CONDITIONAL: 3}


class Verdict(NamedTuple):
    """What the checker says about a certificate."""

    status: str
    reason: str
    assumptions: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 VERIFIED, 1 REFUTED, 2 INCOMPLETE, 3 CONDITIONAL."""
        return EXIT_CODES[self.status]

    def lines(self) -> list[str]:
        """Return the verdict as text: status and reason, then what it assumes and on what it depends."""
        return [
            f"{self.status}: {self.reason}",
            *(f"  assuming {text}" for text in self.assumptions),
            *(f"  provided that {text}" for text in self.conditions),
        ]


CHECKS: dict[str, Callable[[Json, Json], Proved]] = {
    "schedule": check_schedule,
    "dual": check_dual,
    "optimum": check_optimum,
    "optimum-in-parts": check_parts,
    "cycle": check_cycle,
    "potential": check_potential,
    "exact": check_exact,
    "game": check_game,
    "rule": check_rule,
    "expected": check_expected,
    "randomized-value": check_value,
    "trade-off": check_trade_off,
    "trade-off-game": check_trade_off_game,
    "weighted-exact": check_weighted,
    "weighted-game": check_weighted_game,
}
"""What checks a certificate, by type. Each returns what is proved, or raises."""


def verify(document: Json, budget: Budget | None = None) -> Verdict:
    """Judge a certificate as it comes out of JSON, within the budget of a file that holds it."""
    try:
        with within(budget or Budget(size_of(document))), without_collector():
            proved = judged(document)
    except Refuted as refuted:
        return Verdict(REFUTED, str(refuted))
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))
    return Verdict(CONDITIONAL if proved.conditions else VERIFIED, *proved)


def size_of(document: Json) -> int:
    """Return how long claim and evidence are as JSON; 0 if they are no JSON."""
    try:
        return len(json.dumps([document["claim"], document["evidence"]]))
    except (TypeError, ValueError, KeyError, RecursionError):
        return 0


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the search for circular garbage: there is none, and it looks at every state again and again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def judged(document: Json) -> Proved:
    """Return what a certificate proves, or raise Refuted or Incomplete."""
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
    return CHECKS[kind](document["claim"], document["evidence"])


def verify_file(path: str, limit: int = 1) -> Verdict:
    """Judge a file, JSON or gzipped JSON ("-": standard input); ``limit`` multiplies the limits."""
    try:
        document, budget = load(path, limit)
    except Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))
    return verify(document, budget)


def main(arguments: list[str]) -> int:
    """Judge the file named on the command line."""
    limit = 1
    if len(arguments) == 3 and arguments[0] == "--limit" and arguments[1].isdecimal():
        limit, arguments = int(arguments[1]), arguments[2:]
    if len(arguments) != 1 or limit < 1:
        print("usage: python proofs/checker [--limit N] FILE", file=sys.stderr)
        return 2
    verdict = verify_file(arguments[0], limit)
    if sys.stdout is None:  # closed: the exit code says it all
        return verdict.exit_code
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # ≤ on an ASCII terminal
    try:
        print("\n".join(verdict.lines()), flush=True)
    except BrokenPipeError:  # whoever read has seen enough, as head has after its lines
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return verdict.exit_code
