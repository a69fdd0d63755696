"""Whom an atlas speaks about, and what solves it: policies, a rule with any ties, the best policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from paging.certificate import Certificate
from paging.errors import ModelError
from paging.model import LayeredInstance
from paging.policy import get_policy
from paging.signals import Watch
from proofs.ratio.distributions import PROCESSES

DEFAULT_SUBJECTS = ("lru", "llru", "llru-lazy", "llru-token", "fifo", "clock", "fwf", "zrc")


class Found(NamedTuple):
    """What a solver says of a subject on an instance."""

    value: Fraction | float | None
    lower: Fraction | float | None
    additive: Fraction | None
    states: int
    certificate: Certificate | None


def _policy_value(policy: str, instance: LayeredInstance, max_states: int, watch: Watch) -> Found:
    from proofs.ratio.competitive import competitive_ratio

    found = competitive_ratio(policy, instance, max_states=max_states, watch=watch)
    proved = None if found.cycle is None else found.certificate()
    return Found(found.ratio, found.lower, found.additive, found.states, proved)


def _rule_value(rule: str, instance: LayeredInstance, max_states: int, watch: Watch) -> Found:
    from proofs.game.value import rule_ratio

    found = rule_ratio(rule, instance, max_states=max_states, watch=watch)
    proved = found.certificate() if isinstance(found.ratio, Fraction) else None
    return Found(found.ratio, found.ratio, None, found.states, proved)


def _game_value(instance: LayeredInstance, max_states: int, watch: Watch) -> Found:
    from proofs.game.value import solve_game

    found = solve_game(instance, max_states=max_states, watch=watch)
    proved = None if found.value is None else found.certificate()
    return Found(found.value, found.lower, None, found.states, proved)


Solver = Callable[[LayeredInstance, int, Watch], Found]

SOLVERS: dict[str, Solver] = {"zrc-any-tie": partial(_rule_value, "zrc"), "game": _game_value}
"""Subjects that are no policies, with what solves them."""

ALL_SUBJECTS = (*DEFAULT_SUBJECTS, *SOLVERS)
"""What an atlas holds if nothing else is asked for."""


def solver_of(subject: str) -> Solver:
    """Return what solves a subject."""
    return SOLVERS.get(subject) or partial(_policy_value, subject)


def serves(subject: str, visits: str) -> bool:
    """Say whether a subject serves visits of this kind."""
    return subject in SOLVERS or visits == "sequential" or "atomic" in get_policy(subject).traits


def check_subjects(subjects: Sequence[str], visits: str = "sequential") -> None:
    """Raise unless every subject is a game, a rule or a policy with finitely many states for such visits."""
    for subject in subjects:
        if subject in SOLVERS:
            continue
        policy = get_policy(subject)
        if "finite-state" not in policy.traits or (policy.randomized and policy.name not in PROCESSES):
            raise ModelError(f"policy {policy.name} has no graph of finitely many states")
        if not serves(subject, visits):
            raise ModelError(f"policy {policy.name} does not keep the pages of an atomic visit together")
