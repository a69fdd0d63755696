"""Replaying the policy that a certificate is about, against what its checker went by."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from paging.errors import LayeredPagingError
from paging.model import Frame, LayeredInstance, Serve
from paging.policy import Policy, get_policy, is_registered
from paging.simulate import Session
from proofs import checker
from proofs.checker import CONDITIONAL, INCOMPLETE, REFUTED, VERIFIED, Verdict
from proofs.checker.bits import BESIDE, POLICIES
from proofs.checker.coefficients import read_trade_off
from proofs.checker.potential import policy_of
from proofs.checker.problem import read_setting
from proofs.checker.reading import spend, within
from proofs.checker.rules import RENAMED, REPLAY, rule_of
from proofs.checker.states import ASKED, UNASKED, Likeness, States, marked, read_likeness, read_states
from proofs.checker.trade_off import Distribution, served, walk_of

COMPILE_FROM = 20_000
"""Requests from which compiling a policy's definition costs less than running it as it is."""

RENAMINGS = 100_000
"""Questions at most by which it is found out whether pages and layers are alike to a policy."""

REPLAYED = ("cycle", "potential", "exact", "trade-off")
"""Types of certificates about a named policy whose decisions can be held against those of the checker."""


Seen = tuple[int, bool]
"""What a policy sees of a page: its label, and whether the atomic visit under way holds it."""


class ReplayError(LayeredPagingError, ValueError):
    """A certificate has no policy that could be replayed."""


class _DisagreesError(Exception):
    """The policy does something else than the certificate says."""


def verify_and_replay(path: str, policy: str | None = None, limit: int = 1) -> Verdict:
    """Judge a certificate, then replay the policy that it is about, if there is one and it is known here.

    Nothing is imported because a certificate names it.

    Parameters
    ----------
    path : str
        The certificate; "-" for standard input.
    policy : str, optional
        ``module:Class`` of a policy that is not registered, to be replayed where the certificate names it.
    limit : int
        Multiplies the checker's limits.

    Raises
    ------
    ReplayError
        ``policy`` is given, and the certificate is not about it.
    ModelError
        ``policy`` cannot be imported.
    """
    if policy is not None:
        get_policy(policy)
    try:
        document, budget = checker.load(path, limit)
    except checker.Incomplete as incomplete:
        return Verdict(INCOMPLETE, str(incomplete))
    verdict = checker.verify(document, budget)
    if verdict.status not in (VERIFIED, CONDITIONAL):
        return verdict
    name = document["claim"].get("policy") if document["type"] in REPLAYED else None
    if policy is not None and policy != name:
        about = f"policy {name}" if name else f"no named policy (type {document['type']})"
        raise ReplayError(f"{path}: the certificate is about {about}, not {policy}")
    if name is None or not (policy == name or is_registered(name)):
        return verdict
    budget.steps = 0  # replaying may cost as much again
    try:
        with within(budget):
            return replay(document, verdict)
    except (LayeredPagingError, checker.Incomplete) as error:
        kept = (
            *verdict.conditions,
            f"{name} does what the verdict goes by; it cannot be replayed here: {error}",
        )
        return verdict._replace(status=CONDITIONAL, conditions=kept)


def replay(document: dict[str, Any], verdict: Verdict) -> Verdict:
    """Hold what a verified certificate says a policy does against the policy as installed here.

    Parameters
    ----------
    document : dict
        A certificate of type ``cycle``, ``potential``, ``exact`` or ``trade-off`` that the checker has
        verified, perhaps under a condition. Its policy is imported: call it only if that is wanted.
    verdict : Verdict
        The checker's.

    Returns
    -------
    Verdict
        Without the conditions that the replay discharges, or REFUTED. That pages or layers are alike to a
        policy without a rule remains one where it has more than ``RENAMINGS`` questions to answer otherwise.

    Raises
    ------
    ReplayError
        The certificate is of another type.
    UnknownNameError, ModelError
        The policy is not known here, or does not serve the instance.
    """
    kind, claim, evidence = document["type"], document["claim"], document["evidence"]
    if kind not in REPLAYED:
        raise ReplayError(f"only certificates of type {', '.join(REPLAYED)} can be replayed, not {kind}")
    policy = get_policy(claim["policy"])
    if policy.randomized and kind != "trade-off":
        return Verdict(
            REFUTED, f"policy {policy.name} is randomised: its decisions are no function of the requests"
        )
    instance = LayeredInstance.from_plain(claim["instance"])
    policy.check(instance)
    asked_all = False
    try:
        if kind == "trade-off":
            policy.check_predictions(claim["predictions"])
            _replay_bits(policy, instance, claim, evidence)
        elif kind == "exact":
            below, above = evidence["cycle"], evidence["potential"]
            _replay_cycle(policy, instance, below, below)
            asked_all = _replay_states(policy, instance, claim, above)
        elif kind == "cycle":
            _replay_cycle(policy, instance, claim, evidence)
        else:
            asked_all = _replay_states(policy, instance, claim, evidence)
    except _DisagreesError as problem:
        return Verdict(REFUTED, str(problem))
    kept = tuple(
        text for text in verdict.conditions if REPLAY not in text and not (asked_all and RENAMED in text)
    )
    assumptions = (*verdict.assumptions, f"{policy.name} as installed here; it was replayed")
    return Verdict(CONDITIONAL if kept else VERIFIED, verdict.reason, assumptions, kept)


def _replay_cycle(
    policy: Policy, instance: LayeredInstance, claim: dict[str, Any], evidence: dict[str, Any]
) -> None:
    """Serve the requests; every decision must be the listed one, and the labels must return."""
    session = Session(policy, instance, hits_first=True)
    prefix, cycle, leaving, left = (
        list(checker.integers(part[name], name))
        for part, name in ((claim, "prefix"), (claim, "cycle"), (evidence, "leaving"), (evidence, "left"))
    )
    before, place = session.labels.copy(), 0
    for time, page in enumerate(prefix + cycle):
        spend("replaying the cycle", 50 + 4 * instance.total_pages)
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
) -> bool:
    """Ask the policy for all labels and requests; it must answer what the certificate's checker went by.

    Where the checker has no rule it is asked for all renamings, too, if they are not too many; return
    whether it was.
    """
    problem, _, small = read_setting(claim, several=True)
    alike = read_likeness(evidence["alike"], problem)
    states = read_states(evidence, problem, small, alike, marks=True)
    went_by = policy_of(claim, evidence, problem, alike)
    views = states.views()
    listed = set(views)
    questions = 0 if rule_of(claim["policy"], problem) else _renamed_questions(states, listed)
    renaming = 0 < questions <= RENAMINGS
    serve = _quick(policy, max(questions * renaming, len(listed) * max(instance.pages_by_layer)))
    # From the cold start on, so that the policy never sees labels that are not its own.
    pending = [views[states.start()]]
    listed -= set(pending)
    while pending:
        *numbers, layer = pending.pop()
        faces = [states.faces[number] for number in numbers]
        labels = [label for face in faces for label in face.labels]
        marks = [mark for face in faces for mark in face.marks]
        own, asked = instance.pages_of(layer), marks.count(ASKED)
        ends = asked + 1 == instance.per_visit
        frame = instance.frame
        if states.atomic:
            frame = frame._replace(held=np.array(marks) == ASKED)
        for page in own:
            if marks[page] != UNASKED:
                continue
            answer = np.array(labels, dtype=np.int64)
            slot = layer * instance.per_visit + asked
            serve(answer, page, slot, frame)
            after: list[int] = answer.tolist()
            if after != went_by(labels, page, slot, np.flatnonzero(frame.held).tolist()):
                raise _DisagreesError(
                    f"page {page} requested with labels {labels}: policy {policy.name} goes on with "
                    f"{after}, not as the checker went by"
                )
            if renaming:
                _ask_renamed(policy, serve, instance, frame, alike, (labels, page, slot, after))
            if ends:
                following = states.view(after, [UNASKED] * len(after), (layer + 1) % instance.layers)
            else:
                following = states.view(after, marked(marks, labels, page, own, atomic=states.atomic), layer)
            if following in listed:
                listed.remove(following)
                pending.append(following)
    return renaming


def _renamed_questions(states: States, views: set[tuple[int, ...]]) -> int:
    """Return how many requests there are in all labels that differ from those listed by a renaming."""
    found = 0
    for *faces, layer in views:
        renamings = len(faces) if states.alike.layers else 1
        if states.alike.pages:
            for labels, marks in (states.faces[face] for face in faces):
                own = [
                    (label, states.atomic and mark == ASKED)
                    for label, mark in zip(labels, marks, strict=True)
                ]
                repeated = math.prod(math.factorial(own.count(pair)) for pair in set(own))
                renamings *= math.factorial(len(own)) // repeated
        found += renamings * len(states.faces[faces[layer]].labels)
    return found


def _ask_renamed(
    policy: Policy,
    serve: Serve,
    instance: LayeredInstance,
    frame: Frame,
    alike: Likeness,
    known: tuple[list[int], int, int, list[int]],
) -> None:
    """Ask for a request with labels, pages and layers renamed; the answer must be the known one, renamed.

    What an atomic visit holds, as the frame says, is renamed with the labels. Of pages that the policy cannot
    tell apart by what it sees any may be served as any other: the checker saw to it that they are alike to
    OPT, too.
    """
    labels, page, slot, after = known
    rows = [instance.pages_of(layer) for layer in range(instance.layers)]

    def told(row: range, page: int, before: Sequence[Seen], after: list[int]) -> list[tuple[bool, Seen, int]]:
        triples = [(q == page, before[q], after[q]) for q in row]
        return sorted(triples) if alike.pages else triples

    seen = list(zip(labels, frame.held.tolist() or [False] * len(labels), strict=True))
    whole = [told(row, page, seen, after) for row in rows]
    kept = [[seen[q] for q in row] for row in rows]
    orders = [_arrangements(own) if alike.pages else [tuple(own)] for own in kept]
    served = slot // instance.per_visit
    for turn in range(instance.layers if alike.layers else 1):
        place = (slot + turn * instance.per_visit) % (instance.layers * instance.per_visit)
        own = rows[(served + turn) % instance.layers]
        for order in product(*orders):
            asked = [pair for layer in range(instance.layers) for pair in order[layer - turn]]
            held = np.array([holds for _, holds in asked])[: len(frame.held)]
            for renamed in own if alike.pages else [own[page - rows[served][0]]]:
                if asked[renamed] != seen[page]:
                    continue
                before = [label for label, _ in asked]
                answer = np.array(before, dtype=np.int64)
                serve(answer, renamed, place, frame._replace(held=held))
                found: list[int] = answer.tolist()
                for layer, wanted in enumerate(whole):
                    if told(rows[(layer + turn) % instance.layers], renamed, asked, found) != wanted:
                        raise _DisagreesError(
                            f"page {renamed} requested with labels {before}: policy {policy.name} goes on "
                            f"with {found}, not as with {labels}, which differ by a renaming"
                        )


def _arrangements(pages: list[Seen]) -> list[tuple[Seen, ...]]:
    """Return the different orders of pages; of many, which are counted before, this is slow."""
    if not pages:
        return [()]
    return [
        (first, *rest)
        for first in sorted(set(pages))
        for at in [pages.index(first)]
        for rest in _arrangements(pages[:at] + pages[at + 1 :])
    ]


def _replay_bits(
    policy: Policy, instance: LayeredInstance, claim: dict[str, Any], evidence: dict[str, Any]
) -> None:
    """Ask the policy for all labels, requests and bits; it must answer what the checker's own rule does."""
    setting = read_trade_off(claim, evidence, "policy", kinds=tuple(BESIDE))
    rule, asked = POLICIES[claim["policy"]], set[tuple[tuple[int, ...], int, int, int]]()

    def compare(labels: tuple[int, ...], page: int, layer: int, bit: int) -> None:
        if (labels, page, layer, bit) in asked:
            return
        asked.add((labels, page, layer, bit))
        spend("replaying the policy", 50 + 8 * len(labels))
        frame = instance.frame._replace(prediction=bit)
        answers = policy.outcomes(np.array(labels, dtype=np.int64), page, layer, frame)
        found = sorted((after.tolist(), chance) for chance, after in answers)
        went_by = rule.answered(list(labels), page, layer, bit, setting.problem)
        if found != sorted((after, chance) for chance, after in went_by):
            raise _DisagreesError(
                f"page {page} requested with bit {bit} and labels {list(labels)}: policy {policy.name} "
                f"goes on with {found[0][0]}, not as the checker's rule"
            )

    if "lower" in claim:
        below = evidence["lower"]
        requests, bits = (checker.integers(below[name], name) for name in ("requests", "bits"))
        ours: Distribution = {(0,) * instance.total_pages: Fraction(1)}
        for time, (page, bit) in enumerate(zip(requests, bits, strict=True)):
            layer = time % instance.layers
            for labels in ours:
                compare(labels, page, layer, bit)
            ours = served(rule, ours, page, layer, bit, setting.problem)
    if "upper" in claim:
        walk = walk_of(setting, rule, evidence["upper"])
        reached, pending = {walk.start}, [walk.start]
        while pending:
            s = pending.pop()
            layer, all_labels = walk.served(s)
            for labels in all_labels:
                for page in instance.pages_of(layer):
                    for bit in (0, 1):
                        compare(labels, page, layer, bit)
            following = {t for *_, t in walk.edges(s) if t is not None} - reached
            reached |= following
            pending += following


def _quick(policy: Policy, requests: int) -> Serve:
    """Return a policy's serve function, compiled where that pays."""
    if requests >= COMPILE_FROM and not inspect.ismethod(policy.serve):
        from paging.kernels.definitions import compiled_serve

        return compiled_serve(policy.serve) or policy.serve
    return policy.serve
