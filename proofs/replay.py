"""Replaying the policy of a ``cycle`` certificate: what the checker by itself has to assume."""

from __future__ import annotations

from typing import Any

from paging.errors import LayeredPagingError
from paging.model import LayeredInstance
from paging.policy import get_policy
from paging.simulate import Session
from proofs import checker
from proofs.checker import REFUTED, Verdict


class ReplayError(LayeredPagingError, ValueError):
    """A certificate has no policy that could be replayed."""


def replay(document: dict[str, Any], verdict: Verdict) -> Verdict:
    """Serve the requests of a verified cycle with its policy, and hold every decision against the evidence.

    Parameters
    ----------
    document : dict
        A certificate of type ``cycle`` that the checker has verified.
    verdict : Verdict
        The checker's.

    Returns
    -------
    Verdict
        Without the assumption about the policy, or REFUTED.

    Raises
    ------
    ReplayError
        The certificate is of another type.
    UnknownNameError, ModelError
        The policy is not known here, or does not serve the instance.
    """
    if document["type"] != "cycle":
        raise ReplayError(f"--replay is for certificates of type cycle, not {document['type']}")
    claim, evidence = document["claim"], document["evidence"]
    shape = claim["instance"]
    pages = tuple(shape["pages"]) if isinstance(shape["pages"], list) else shape["pages"]
    policy = get_policy(claim["policy"])
    if policy.randomized:
        return Verdict(
            REFUTED, f"policy {policy.name} is randomised: its decisions are no function of the requests"
        )
    session = Session(policy, LayeredInstance(shape["layers"], pages, shape["cache"]))
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
            return Verdict(
                REFUTED, f"request {time}: policy {policy.name} evicts {list(gone)}, not what is listed"
            )
        place += leaving[time]
    if (session.labels != before).any():
        return Verdict(REFUTED, f"policy {policy.name}: its state after the cycle is not the one before")
    kept = tuple(text for text in verdict.assumptions if checker.REPLAY not in text)
    return Verdict(
        verdict.status, verdict.reason, (*kept, f"{policy.name} as installed here; it was replayed")
    )
