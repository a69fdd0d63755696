"""Why this victim: the numbers and the words of a picture name the page that left, and are true of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from paging import (
    LayeredInstance,
    ModelError,
    Policy,
    RequestSequence,
    Trace,
    UnsupportedModelError,
    farthest_in_future,
    film_of,
    generate,
    get_policy,
    registered_policies,
    simulate,
    steps,
    write_trace,
)
from paging.model import Frame, LabelArray, Step
from paging.policy import Criterion
from paging.viewer.reasons import Reason, Reasons
from tests.helpers.policies import as_told

SHAPES = (LayeredInstance(1, 6, 3), LayeredInstance(2, 4, 4), LayeredInstance(3, 4, 5, per_visit=2))
PINNED = "pinned"
"""It needs a profile, which the tests write."""
POLICIES = (
    *registered_policies(),
    "partitioned:policy=fifo",
    "partitioned:policy=clock",
    "partitioned:policy=mark",
)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of profiles for pinned pages, one for every shape."""
    folder = tmp_path_factory.mktemp("profiles")
    for number, instance in enumerate(SHAPES):
        sequence = generate("zipf:rounds=20", instance, seed=9)
        write_trace(Trace.from_sequence(sequence), folder / f"{number}.npz")
    return folder


def evictions(
    policy: str, profile: Path
) -> Iterator[tuple[Policy, RequestSequence, LabelArray, Step, Reason]]:
    """Yield every step of a policy that evicts, with the labels before it and the reason given."""
    for number, shape in enumerate(SHAPES):
        instance = replace(shape, bypassing=policy == "admit")
        sequence = as_told(policy, generate("zipf:alpha=0.7,rounds=40", instance, seed=5))
        asked = f"pinned:profile={profile / f'{number}.npz'}" if policy == PINNED else policy
        reasons = Reasons(get_policy(asked), instance)
        try:
            for step in steps(asked, sequence, seed=3):
                before = reasons.labels
                reason = reasons.of(step)
                assert bool(reason.why) == bool(step.victims)
                if step.victims:
                    yield reasons.policy, sequence, before, step, reason
        except UnsupportedModelError:  # the optimal policy of the game serves one page per visit
            continue


@pytest.mark.parametrize("policy", POLICIES)
def test_the_criteria_single_out_the_victim(policy: str, profile: Path) -> None:
    """The page with the extreme numbers, compared in their order, is the one that left, and no other."""
    seen = 0
    for answer, sequence, before, step, _ in evictions(policy, profile):
        instance = sequence.instance
        criteria = answer.criteria(before, step.page, step.time % instance.round_length, instance.frame)
        best = np.flatnonzero(before > 0)
        for one in criteria:
            best = one.among(best)
        assert set(step.victims) <= set(best.tolist())
        if any(one.leaves for one in criteria) and not answer.randomized:
            assert best.tolist() == list(step.victims)
        seen += 1
    assert seen > 10


@pytest.mark.parametrize("policy", POLICIES)
def test_the_sentence_is_true_of_the_victim(policy: str, profile: Path) -> None:
    told = set()
    for _, sequence, before, step, reason in evictions(policy, profile):
        requests, victim = sequence.requests.tolist(), step.victims[0]
        earlier = [t for t in range(step.time) if requests[t] == victim]
        for last in re.findall(r"last asked for at request (\d+)", reason.why):
            assert int(last) == earlier[-1] + 1
            told.add("last")
        for chance in re.findall(r"drawn with chance (\S+)", reason.why):
            assert 0 < Fraction(chance) < 1
        for count in re.findall(r"since it came in, (\d+)×", reason.why):
            assert int(count) <= len(earlier)
        assert "{" not in reason.why
        words = reason.numbers.split()
        assert len(words) == len(before)
        named = {q for q, word in enumerate(words) if word != "-"}
        assert named <= step.cache | set(step.victims)
    if policy in ("lru", "mark-lru", "llru", "mru"):
        assert told == {"last"}


def test_every_reason_of_lru_by_hand() -> None:
    sequence = RequestSequence(LayeredInstance(1, 4, 2), [0, 1, 0, 2, 3])
    frames = film_of(simulate("lru", sequence)).frames
    assert [frame.numbers for frame in frames] == ["1 - - -", "2 1 - -", "1 2 - -", "2 2 1 -", "2 - 2 1"]
    assert [frame.why for frame in frames[3:]] == [
        "least recently used, last asked for at request 2",
        "least recently used, last asked for at request 3",
    ]
    assert [frame.optimum_numbers for frame in frames[:3]] == ["3 - - -", "3 ∞ - -", "∞ ∞ - -"]
    assert frames[3].optimum_why == "not asked for again"


def test_opt_evicts_the_page_with_the_largest_number() -> None:
    sequence = generate("uniform:rounds=40", LayeredInstance(2, 4, 4), seed=2)
    film = film_of(farthest_in_future(sequence, record=True))
    requests = sequence.requests.tolist()
    for time, frame in enumerate(film.frames):
        for victim in frame.victims:
            later = [t + 1 for t in range(time + 1, len(requests)) if requests[t] == victim]
            number = frame.numbers.split()[victim]
            assert number == (str(later[0]) if later else "∞")
            assert frame.why == (
                f"asked for again last, at request {number}" if later else "not asked for again"
            )


@pytest.mark.parametrize("policy", sorted(set(registered_policies()) - {"pinned", "admit"}))
def test_a_recorded_run_tells_the_same_as_one_served_again(policy: str) -> None:
    sequence = as_told(policy, generate("zipf:rounds=12", LayeredInstance(2, 3, 4), seed=1))
    told = [film_of(simulate(policy, sequence, record=record, engine="labels")) for record in (True, False)]
    assert told[0].frames == told[1].frames


def test_a_policy_without_a_word_about_its_labels_is_described_by_them() -> None:
    class Newest(Policy):
        id, title = "newest", "evict the page with the highest id"
        traits = frozenset({"deterministic", "online", "demand"})

        @staticmethod
        def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
            if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
                labels[labels.nonzero()[0][-1]] = 0
            labels[page] = page + 1

    sequence = RequestSequence(LayeredInstance(1, 4, 3), [0, 2, 1, 3, 0])
    frame = film_of(simulate(Newest, sequence)).frames[3]
    assert (frame.victims, frame.why) == ((2,), "label 3, the largest of 1 … 3")
    assert frame.numbers == "1 2 3 4"


def test_criteria_that_name_another_page_are_not_repeated() -> None:
    class Boaster(type(get_policy("lru"))):  # type: ignore[misc]
        id = "boaster"

        def criteria(
            self, labels: LabelArray, page: int | None, slot: int, frame: Frame
        ) -> tuple[Criterion, ...]:
            return (Criterion(labels, "smallest", "rank", "the one I said"),)

    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])
    frame = film_of(simulate(Boaster(), sequence, engine="labels")).frames[2]
    assert frame.why == "label 2, the largest of 1 … 2"


def test_a_definition_that_does_not_lead_to_the_run_is_refused() -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])
    reasons = Reasons(get_policy("mru"), sequence.instance)
    served = list(simulate("lru", sequence, record=True).schedule.steps())
    assert [reasons.of(step).numbers for step in served[:2]] == ["1 - -", "2 1 -"]
    with pytest.raises(ModelError, match="request 2: the definition of mru does not leave the cache"):
        reasons.of(served[2])
