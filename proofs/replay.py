"""Replaying the policy that a certificate is about, against what its checker assumed or had a rule for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from paging.errors import LayeredPagingError
from paging.model import LayeredInstance
from paging.policy import Policy, get_policy
from paging.simulate import Session
from proofs import checker
from proofs.checker import REFUTED, Verdict
from proofs.checker.potential import read_moves
from proofs.checker.problem import read_setting
from proofs.checker.rules import RULES
from proofs.checker.states import read_likeness, read_states


class ReplayError(LayeredPagingError, ValueError):
    """A certificate has no policy that could be replayed."""


class _DisagreesError(Exception):
    """The policy does something else than the certificate says."""


def replay(document: dict[str, Any], verdict: Verdict) -> Verdict:
    """Hold what a verified certificate says a policy does against the policy as installed here.

    Parameters
    ----------
    document : dict
        A certificate of type ``cycle``, ``potential`` or ``exact`` that the checker has verified.
    verdict : Verdict
        The checker's.

    Returns
    -------
    Verdict
        Without the assumption about the policy's decisions, or REFUTED.

    Raises
    ------
    ReplayError
        The certificate is of another type.
    UnknownNameError, ModelError
        The policy is not known here, or does not serve the instance.
    """
    kind, claim, evidence = document["type"], document["claim"], document["evidence"]
    if kind not in ("cycle", "potential", "exact"):
        raise ReplayError(
            f"--replay is for certificates of a named deterministic policy (cycle, potential, exact), "
            f"not {kind}"
        )
    policy = get_policy(claim["policy"])
    if policy.randomized:
        return Verdict(
            REFUTED, f"policy {policy.name} is randomised: its decisions are no function of the requests"
        )
    instance = LayeredInstance.from_plain(claim["instance"])
    policy.check(instance)
    try:
        if kind == "exact":
            below, above = evidence["cycle"], evidence["potential"]
            _replay_cycle(policy, instance, below, below)
            _replay_states(policy, instance, claim, above)
        elif kind == "cycle":
            _replay_cycle(policy, instance, claim, evidence)
        else:
            _replay_states(policy, instance, claim, evidence)
    except _DisagreesError as problem:
        return Verdict(REFUTED, str(problem))
    kept = tuple(text for text in verdict.assumptions if checker.REPLAY not in text)
    return Verdict(
        verdict.status, verdict.reason, (*kept, f"{policy.name} as installed here; it was replayed")
    )


def _replay_cycle(
    policy: Policy, instance: LayeredInstance, claim: dict[str, Any], evidence: dict[str, Any]
) -> None:
    """Serve the requests; every decision must be the listed one, and the labels must return."""
    session = Session(policy, instance)
    prefix, cycle, leaving, left = (
        list(checker.integers(part[name], name))
        for part, name in ((claim, "prefix"), (claim, "cycle"), (evidence, "leaving"), (evidence, "left"))
    )
    before, place = session.labels.copy(), 0
    for time, page in enumerate(prefix + cycle):
        if time == len(prefix):
            before = session.labels.copy()
        gone = session.serve(page).victims
        if sorted(gone) != sorted(left[place : place + leaving[time]]):
            raise _DisagreesError(
                f"request {time}: policy {policy.name} evicts {list(gone)}, not what is listed"
            )
        place += leaving[time]
    if (session.labels != before).any():
        raise _DisagreesError(f"policy {policy.name}: its state after the cycle is not the one before")


def _replay_states(
    policy: Policy, instance: LayeredInstance, claim: dict[str, Any], evidence: dict[str, Any]
) -> None:
    """Ask the policy for every state and request; it must answer what the certificate's checker went by."""
    problem, name, small = read_setting(claim)
    alike = read_likeness(evidence["alike"], problem)
    states = read_states(evidence, problem, small, alike)
    serve: Callable[..., list[int]] = (
        RULES[name].serve if name in RULES else read_moves(evidence["moves"], problem, alike)
    )
    asked = {(tuple(labels), layer) for labels, layer in zip(states.labels, states.layers, strict=True)}
    for labels, layer in asked:
        for page in instance.pages_of(layer):
            answer = np.array(labels, dtype=np.int64)
            policy.serve(answer, page, layer, instance.frame)
            if answer.tolist() != serve(list(labels), page, layer, problem):
                raise _DisagreesError(
                    f"page {page} requested with labels {list(labels)}: policy {policy.name} goes on with "
                    f"{answer.tolist()}, not as the checker went by"
                )
