"""The engine: illegal answers, sessions and steps, atomic visits, engines that agree, policies of users."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, note

from paging import (
    BYPASS,
    FREE,
    HIT,
    IllegalAnswerError,
    IllegalSequenceError,
    LayeredInstance,
    ModelError,
    Policy,
    RequestSequence,
    Session,
    UnsupportedModelError,
    generate,
    registered_policies,
    simulate,
    steps,
)
from paging.judge import judge
from paging.model import APPEARED, MISSING, SEVERAL, TOO_MANY, Frame, LabelArray
from paging.policies.recency import LRU, MRU
from paging.testing import instances, sequences
from tests.helpers.policies import PLAIN

ENGINES = ("labels", "compiled", "auto")


# Illegal answers


class Missing(Policy):
    """Does not cache page 2."""

    id, title, traits = "missing", "planted", frozenset({"deterministic"})

    @staticmethod
    def serve(labels, page, slot, frame):
        if page != 2:
            labels[page] = 1


class Appears(Policy):
    id, title, traits = "appears", "planted", frozenset({"deterministic"})

    @staticmethod
    def serve(labels, page, slot, frame):
        labels[page] = 1
        if page == 2:
            labels[0] = 0
            labels[3] = 1


class TooMany(Policy):
    id, title, traits = "too-many", "planted", frozenset({"deterministic"})

    @staticmethod
    def serve(labels, page, slot, frame):
        labels[page] = 1


class Remembering(Policy):
    """Evicts the page with the lowest id, and after it came back once never again."""

    id, title = "remembering", "labels of pages not cached"
    traits = frozenset({"deterministic", "online", "demand", "finite-state"})

    @staticmethod
    def serve(labels, page, slot, frame):
        if labels[page] > 0:
            return
        if np.count_nonzero(labels > 0) == frame.cache:
            victim = -1
            for q in range(len(labels)):
                if labels[q] > 0 and (victim < 0 or labels[q] < labels[victim]):
                    victim = q
            labels[victim] = -labels[victim]
        labels[page] = 1 if labels[page] == 0 else 2


ILLEGAL = [
    (Missing, "the requested page is missing afterwards"),
    (Appears, "a page that was not requested appeared in the cache"),
    (TooMany, "more than k pages are cached"),
]
SEQUENCE = RequestSequence(LayeredInstance(layers=1, pages=4, cache=2), [0, 1, 0, 2])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("policy", "problem"), ILLEGAL)
def test_illegal_answers_are_refused_in_every_engine(policy: type[Policy], problem: str, engine: Any) -> None:
    for record in (False, True):
        with pytest.raises(IllegalAnswerError) as caught:
            simulate(policy, SEQUENCE, engine=engine, record=record)
        assert str(caught.value) == (
            f"policy {policy.id}, request 3 (page 2): {problem}; the cache before was [0, 1]"
        )


@pytest.mark.parametrize(("policy", "problem"), ILLEGAL)
def test_illegal_answers_are_refused_step_by_step(policy: type[Policy], problem: str) -> None:
    session = Session(policy, SEQUENCE.instance)
    for page in (0, 1, 0):
        session.serve(page)
    with pytest.raises(IllegalAnswerError, match=rf"request 3 \(page 2\): {problem}; .* \[0, 1\]"):
        session.serve(2)
    # The session stays as it was.
    assert (session.time, session.faults, sorted(session.cache)) == (3, 2, [0, 1])


@pytest.mark.parametrize(("policy", "problem"), ILLEGAL)
def test_illegal_answers_are_refused_on_one_branch_of_a_randomised_policy(
    policy: type[Policy], problem: str
) -> None:
    class Sometimes(Policy):
        id, title, traits = "sometimes", "planted", frozenset({"online"})

        def outcomes(self, labels, page, slot, frame):
            good, bad = labels.copy(), labels.copy()
            LRU.serve(good, page, slot, frame)
            if page != 2:
                return [(Fraction(1), good)]
            policy.serve(bad, page, slot, frame)
            return [(Fraction(1, 2), good), (Fraction(1, 2), bad)]

    problems = set()
    for seed in range(20):
        try:
            simulate(Sometimes, SEQUENCE, seed=seed)
        except IllegalAnswerError as error:
            problems.add(str(error))
        else:
            problems.add("")
    refused = f"policy sometimes, request 3 (page 2): {problem}; the cache before was [0, 1]"
    assert problems == {"", refused}


@pytest.mark.parametrize(
    ("before", "after", "page", "bypassing", "verdict"),
    [
        ((1, 0, 0), (1, 1, 0), 1, False, FREE),
        ((1, 0, 0), (9, 0, 0), 0, False, HIT),
        ((1, 1, 0), (1, 0, 1), 2, False, 1),
        ((1, 1, 0), (0, 0, 1), 2, False, SEVERAL),
        ((1, 1, 0), (1, 0, 0), 0, False, SEVERAL - 1),
        ((1, 1, 0), (1, 1, 1), 2, False, TOO_MANY),
        ((1, 1, 0), (1, 1, 0), 2, False, MISSING),
        ((1, 1, 0), (1, 1, 0), 2, True, BYPASS),
        ((1, 1, 0), (2, 1, 0), 2, True, BYPASS),
        ((1, 1, 0), (1, 0, 0), 2, True, MISSING),  # a page leaves, and the requested one is not cached
        ((1, 1, 0), (0, 1, 0), 0, True, MISSING),  # a hit cannot be bypassed
        ((1, 0, 0), (0, 1, 1), 1, False, APPEARED),
        ((1, 1, 0), (1, -1, 2), 2, False, 1),  # gone, but remembered
        ((1, -1, 0), (1, 1, 0), 1, False, FREE),
        ((1, -1, 0), (1, 1, 1), 2, False, APPEARED),
    ],
)
def test_judge(before: Any, after: Any, page: int, bypassing: bool, verdict: int) -> None:
    assert judge(before, after, page, 2, bypassing) == verdict
    assert judge(np.array(before), np.array(after), page, 2, bypassing) == verdict


@pytest.mark.parametrize("engine", ["labels", "compiled"])
def test_negative_labels_remember_pages_that_are_not_cached(engine: Any) -> None:
    # 0 leaves for 2, comes back for 1 and is now worth 2; then 2 leaves for 1, which is worth 2 as well.
    run = simulate(
        Remembering, RequestSequence(SEQUENCE.instance, [0, 1, 2, 0, 1, 0]), engine=engine, record=True
    )
    assert run.schedule.entries.tolist() == [FREE, FREE, 0, 1, 2, HIT]
    session = Session(Remembering, SEQUENCE.instance)
    assert [session.serve(page).victims for page in (0, 1, 2)][2] == (0,)
    assert (session.cache, session.cached(0), session.labels[0]) == ({1, 2}, False, -1)


# Bypassing


class KeepsFirst(Policy):
    id, title, traits = "keeps-first", "keeps the first k pages", frozenset({"deterministic"})

    @staticmethod
    def serve(labels, page, slot, frame):
        if np.count_nonzero(labels) < frame.cache:
            labels[page] = 1


class MayKeep(Policy):
    id, title, traits = "may-keep", "the same, as a distribution", frozenset({"online"})

    def outcomes(self, labels, page, slot, frame):
        following = labels.copy()
        KeepsFirst.serve(following, page, slot, frame)
        return [(Fraction(1), following)]


@pytest.mark.parametrize("policy", [KeepsFirst, MayKeep])
def test_bypassing_is_recorded_where_allowed_and_refused_elsewhere(policy: type[Policy]) -> None:
    requests = [0, 1, 2, 0, 2]
    allowed = RequestSequence(LayeredInstance(1, 3, 2, bypassing=True), requests)
    run = simulate(policy, allowed, record=True)
    run.schedule.check()
    assert run.schedule.entries.tolist() == [FREE, FREE, BYPASS, HIT, BYPASS]
    assert run.faults == 4
    with pytest.raises(IllegalAnswerError, match=r"request 2 \(page 2\): the requested page is missing"):
        simulate(policy, RequestSequence(LayeredInstance(1, 3, 2), requests))


# Runs


def test_a_run_says_what_happened() -> None:
    run = simulate("lru", SEQUENCE, record=True)
    assert (run.policy, run.faults, run.hits, run.requests, run.seed) == ("lru", 3, 1, 4, None)
    assert run.fault_counts.tolist() == [1, 2, 2, 3]
    assert type(run.faults) is int
    run.schedule.check()
    assert simulate("mark", SEQUENCE, seed=0).seed == 0


def test_an_unrecorded_run_has_no_schedule() -> None:
    with pytest.raises(ModelError, match=r"not recorded; call simulate\(…, record=True\)"):
        _ = simulate("lru", SEQUENCE).schedule
    with pytest.raises(ModelError, match="not recorded"):
        _ = simulate("lru", SEQUENCE).fault_counts


def test_a_run_that_flushes_is_no_schedule_but_counts() -> None:
    run = simulate("fwf", SEQUENCE, record=True)
    assert run.fault_counts.tolist() == [1, 2, 2, 3]
    with pytest.raises(ModelError, match="policy fwf is not demand paging"):
        _ = run.schedule


class DropsOnHit(Policy):
    """LRU that drops the least recent page on every hit."""

    id, title, traits = "drops-on-hit", "planted", frozenset({"deterministic"})

    @staticmethod
    def serve(labels, page, slot, frame):
        hit = labels[page] > 0
        LRU.serve(labels, page, slot, frame)
        if hit and labels.max() > 1:
            labels[labels.argmax()] = 0


class DropsOnHitAtRandom(Policy):
    id, title, traits = "drops-at-random", "the same, as a distribution", frozenset({"online"})

    def outcomes(self, labels, page, slot, frame):
        following = labels.copy()
        DropsOnHit.serve(following, page, slot, frame)
        return [(Fraction(1), following)]


@pytest.mark.parametrize("policy", [DropsOnHit, DropsOnHitAtRandom])
def test_a_page_leaving_on_a_hit_is_recorded_and_is_no_fault(policy: type[Policy]) -> None:
    # 0 and 1 fault, 0 hits and 1 is dropped, 2 finds a free slot.
    run = simulate(policy, SEQUENCE, record=True)
    assert run.entries is not None
    assert run.entries.tolist() == [FREE, FREE, SEVERAL - 1, FREE]
    assert run.faults == 3
    assert run.fault_counts.tolist() == [1, 2, 2, 3]
    with pytest.raises(ModelError, match="is not demand paging"):
        _ = run.schedule


@pytest.mark.slow
@given(sequence=sequences(cache=(3, 6), per_visit=(1, 2), length=(0, 30)))
def test_steps_count_and_record_as_a_run_does(sequence: RequestSequence) -> None:
    for policy in sorted(set(PLAIN) - {"game-optimal"}):
        note(policy)
        run = simulate(policy, sequence, record=True, seed=5, engine="labels")
        seen = list(steps(policy, sequence, seed=5))
        assert run.entries is not None
        assert [step.page for step in seen] == list(sequence)
        assert sum(not step.hit for step in seen) == run.faults
        cache: set[int] = set()
        for step, entry in zip(seen, run.entries.tolist(), strict=True):
            assert step.hit == (step.page in cache)
            cache = cache - set(step.victims) | {step.page}
            assert step.cache == cache
            assert {q for q, label in enumerate(step.labels) if label > 0} == cache
            if entry >= 0:
                assert step.victims == (entry,)


def test_a_session_refuses_pages_of_another_layer() -> None:
    session = Session("lru", LayeredInstance(layers=2, pages=2, cache=2))
    with pytest.raises(IllegalSequenceError, match="request 0: page 2 is not in layer 0"):
        session.serve(2)
    session.serve(0)
    assert session.layer == 1
    assert session.cached(0)
    assert not session.cached(2)


def test_a_policy_cannot_change_the_labels_it_is_shown() -> None:
    class Cheats(Policy):
        id, title, traits = "cheats", "marks everything cached", frozenset({"online"})

        def outcomes(self, labels, page, slot, frame):
            following = labels.copy()
            LRU.serve(following, page, slot, frame)
            labels[:] = 1
            return [(Fraction(1), following)]

    assert simulate(Cheats, SEQUENCE).faults == simulate("lru", SEQUENCE).faults == 3


# Atomic visits

TOGETHER = {name for name, cls in registered_policies().items() if "atomic" in cls().traits}
ATOMIC = sorted(TOGETHER - {"partitioned"})  # which needs room for a visit in every layer


def test_a_visit_counts_as_one_visit_in_whatever_order_it_is_served() -> None:
    # Page 0 is a hit of the second visit and is served first. Were page 1 to open the visit once more, all
    # pages would seem equally old, and page 0 would leave before its visit ends.
    instance = LayeredInstance(layers=1, pages=4, cache=3, per_visit=3, visits="atomic")
    run = simulate("llru-lazy", RequestSequence(instance, [0, 2, 3, 1, 0]), record=True)
    assert run.entries is not None
    assert run.entries.tolist() == [FREE, FREE, FREE, 2, HIT]


@pytest.mark.slow
@given(
    sequence=sequences(
        instances(layers=(1, 3), pages=(1, 4), cache=(1, 6), per_visit=(1, 3), visits="atomic"),
        length=(0, 30),
    )
)
def test_atomic_visits_end_with_all_their_pages(sequence: RequestSequence) -> None:
    for policy in ATOMIC:
        note(policy)
        run = simulate(policy, sequence, record=True)
        assert simulate(policy, sequence).faults == run.faults
        if policy != "fwf":  # which lets several pages go, where a schedule has one victim
            run.schedule.check()  # which knows about atomic visits
            assert run.schedule.faults == run.faults


def test_lru_with_atomic_visits_by_hand() -> None:
    # k = 3, visits {0 1}, {2 0}, {3 1}. Second visit: 0 hits first, 2 takes the free slot. Third: 1 hits
    # first (it is still there), then 3 evicts the least recent of 0 and 2: 0, which was served before 2.
    instance = LayeredInstance(1, 4, 3, per_visit=2, visits="atomic")
    run = simulate("lru", RequestSequence(instance, [0, 1, 2, 0, 3, 1]), record=True)
    assert run.schedule.entries.tolist() == [FREE, FREE, FREE, HIT, 0, HIT]


@pytest.mark.parametrize("policy", sorted(set(registered_policies()) - TOGETHER))
def test_other_policies_refuse_atomic_visits(policy: str) -> None:
    instance = LayeredInstance(1, 4, 3, per_visit=2, visits="atomic")
    with pytest.raises(UnsupportedModelError, match=f"policy {policy} does not keep the pages of an atomic"):
        simulate(policy, RequestSequence(instance, [0, 1]))


class Heedless(LRU):
    """MRU that lets pages of the visit go, though it claims not to."""

    id = "heedless"
    atomic_kernel = False

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        MRU.serve(labels, page, slot, frame._replace(held=labels[:0] > 0))


def test_a_policy_that_claims_atomic_visits_wrongly_is_caught() -> None:
    instance = LayeredInstance(1, 4, 2, per_visit=2, visits="atomic")
    with pytest.raises(IllegalAnswerError, match=r"request 2 \(page 2\): the requested page is missing"):
        simulate(Heedless, RequestSequence(instance, [0, 1, 2, 3]))


def test_sessions_refuse_atomic_visits() -> None:
    with pytest.raises(
        UnsupportedModelError,
        match="serving step by step needs sequential visits; this instance has atomic visits",
    ):
        Session("lru", LayeredInstance(1, 4, 3, per_visit=2, visits="atomic"))


def test_an_atomic_visit_step_by_step_has_its_hits_first() -> None:
    instance = LayeredInstance(1, 4, 3, per_visit=2, visits="atomic")
    session = Session("lru", instance, hits_first=True)
    assert [session.serve(page).victims for page in (0, 1, 1, 2, 2, 3)] == [(), (), (), (), (), (0,)]
    requests = RequestSequence(instance, [0, 1, 2, 1, 3, 2])
    assert simulate("lru", requests, engine="labels").faults == session.faults
    session.serve(0)  # a fault: page 1 leaves, pages 2 and 3 are late
    with pytest.raises(
        IllegalSequenceError, match=r"request 7: page 3 was cached when .* at request 6; .* hits first"
    ):
        session.serve(3)
    with pytest.raises(IllegalSequenceError, match="page 1 was cached"):
        session.serve(1)

    session = Session(Heedless(), LayeredInstance(1, 3, 2, per_visit=2, visits="atomic"), hits_first=True)
    for page in (0, 1, 0):
        session.serve(page)
    with pytest.raises(IllegalAnswerError, match=r"request 2 \(page 0\): the requested page is missing"):
        session.serve(2)


# Engines


def test_engines_that_do_not_exist_are_refused() -> None:
    class Bare(LRU):
        kernel = Policy.kernel

    with pytest.raises(UnsupportedModelError, match="policy lru has no kernel for sequential visits"):
        simulate(Bare, SEQUENCE, engine="kernel")
    with pytest.raises(UnsupportedModelError, match="definition of policy partitioned does not compile"):
        simulate("partitioned", SEQUENCE, engine="compiled")
    atomic = RequestSequence(LayeredInstance(1, 3, 2, per_visit=2, visits="atomic"), [0, 1])

    class Sequential(LRU):
        atomic_kernel = False

    with pytest.raises(UnsupportedModelError, match="policy lru has no kernel for atomic visits"):
        simulate(Sequential, atomic, engine="kernel")


class Tabulated(Policy):
    """LRU, looked up in a dictionary: nothing numba could compile."""

    id, title = "tabulated", "LRU by dictionary"
    traits = LRU.traits
    table: dict[tuple[int, ...], dict[int, list[int]]] = {}  # noqa: RUF012

    @staticmethod
    def serve(labels, page, slot, frame):
        known = Tabulated.table.setdefault(tuple(labels.tolist()), {})
        if page not in known:
            following = labels.copy()
            LRU.serve(following, page, slot, frame)
            known[page] = following.tolist()
        labels[:] = known[page]


class Inherits(LRU):
    """LRU under another name, without its kernel: the definition is compiled all the same."""

    id = "inherits"
    kernel = Policy.kernel


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_a_policy_that_does_not_compile_runs_as_python_with_the_same_answers() -> None:
    sequence = generate("uniform", LayeredInstance(2, 3, 3), rounds=60)
    wanted = simulate("lru", sequence, record=True)
    run = simulate(Tabulated, sequence, record=True)
    assert run.engine == "labels"
    assert run.entries is not None
    assert wanted.entries is not None
    assert run.entries.tolist() == wanted.entries.tolist()
    with pytest.raises(UnsupportedModelError, match="policy tabulated does not compile"):
        simulate(Tabulated, sequence, engine="compiled")


@pytest.mark.slow
def test_auto_compiles_long_sequences_where_it_can() -> None:
    sequence = generate("uniform", LayeredInstance(4, 50, 20), rounds=2_600)
    assert simulate(Inherits, sequence).engine == "compiled"
    assert simulate(Inherits, sequence.prefix(100)).engine == "labels"
    assert simulate(Tabulated, sequence.prefix(100)).engine == "labels"
    assert simulate(Inherits, sequence).faults == simulate("lru", sequence).faults


def test_a_policy_that_calls_itself_deterministic_and_draws_is_caught() -> None:
    class Sly(LRU):
        def kernel(self, sequence: RequestSequence, entries: Any, rng: Any) -> int:
            return int(rng.integers(9))

    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])
    with pytest.raises(IllegalAnswerError, match=r"deterministic draws random numbers: rng\.integers"):
        simulate(Sly(), sequence, engine="kernel")


def test_a_policy_sees_plain_numbers() -> None:
    seen = set()

    class Looks(Policy):
        id, title, traits = "looks", "planted", frozenset({"deterministic"})

        @staticmethod
        def serve(labels, page, slot, frame):
            seen.add((type(page), type(slot)))
            LRU.serve(labels, page, slot, frame)

    simulate(Looks, SEQUENCE)
    list(steps(Looks, SEQUENCE))
    assert seen == {(int, int)}


def test_slots_are_places_in_the_round() -> None:
    seen = []

    class Looks(Policy):
        id, title, traits = "looks", "planted", frozenset({"deterministic"})

        @staticmethod
        def serve(labels, page, slot, frame):
            seen.append(slot)
            LRU.serve(labels, page, slot, frame)

    instance = LayeredInstance(2, 3, 4, per_visit=2)
    simulate(Looks, RequestSequence(instance, [0, 1, 3, 4, 1, 2, 5]))
    assert seen == [0, 1, 2, 3, 0, 1, 2]
