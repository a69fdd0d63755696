"""Exact expected cost against an independent enumeration of all runs; sampling; refusals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from paging import (
    IllegalAnswerError,
    LayeredInstance,
    LimitError,
    ModelError,
    Policy,
    RequestSequence,
    UnsupportedModelError,
    expected_cost,
    expected_faults,
    generate,
    sample_faults,
    simulate,
)
from paging.expectation import Answers
from paging.model import Frame, LabelArray
from paging.policies.randomized import Mark
from paging.policy import Outcomes
from paging.testing import sequences


def harmonic(m: int) -> Fraction:
    return sum((Fraction(1, i) for i in range(1, m + 1)), Fraction(0))


def runs_of_mark(requests: list[int], cache: int) -> Iterator[tuple[Fraction, int]]:
    """Enumerate every run of MARK by its textbook definition: (probability, faults)."""

    def run(
        time: int, inside: frozenset[int], marked: frozenset[int], chance: Fraction, faults: int
    ) -> Iterator[tuple[Fraction, int]]:
        if time == len(requests):
            yield chance, faults
            return
        page = requests[time]
        if page in inside:
            yield from run(time + 1, inside, marked | {page}, chance, faults)
        elif len(inside) < cache:
            yield from run(time + 1, inside | {page}, marked | {page}, chance, faults + 1)
        else:
            if marked == inside:
                marked = frozenset()
            unmarked = inside - marked
            for victim in unmarked:
                share = chance / len(unmarked)
                yield from run(time + 1, inside - {victim} | {page}, marked | {page}, share, faults + 1)

    return run(0, frozenset(), frozenset(), Fraction(1), 0)


@pytest.mark.slow
@given(sequences(layers=(1, 2), pages=(1, 3), cache=(1, 4), length=(0, 11)))
def test_expected_faults_of_mark_equal_all_runs_enumerated(sequence: RequestSequence) -> None:
    runs = list(runs_of_mark(list(sequence), sequence.instance.cache))
    assert sum(chance for chance, _ in runs) == 1
    assert expected_faults("mark", sequence) == sum(chance * faults for chance, faults in runs)


@given(sequences(per_visit=(1, 2), length=(0, 20)))
def test_a_deterministic_policy_costs_what_it_costs(sequence: RequestSequence) -> None:
    for policy in ("lru", "sieve", "fwf"):
        cost = expected_cost(policy, sequence)
        run = simulate(policy, sequence, record=True)
        assert cost.total == run.faults
        assert cost.per_request == tuple(np.diff([0, *run.fault_counts]).tolist())


@pytest.mark.parametrize("cache", [1, 2, 3, 4])
def test_a_phase_of_mark_with_k_plus_1_pages_costs_harmonic_number(cache: int) -> None:
    # After a phase with k marked pages the page left out begins the next one: 1 fault. With i pages marked
    # and requests to pages never requested in this phase, each faults with 1/(k + 1 − i): H_k a phase.
    instance = LayeredInstance(1, cache + 1, cache)
    rounds = []
    for phase in range(3):
        first = (cache + phase * cache) % (cache + 1)
        rounds += [(first + i) % (cache + 1) for i in range(cache)]
    sequence = RequestSequence(instance, [*range(cache), *rounds])
    cost = expected_cost("mark", sequence).per_request
    assert sum(cost[:cache]) == cache
    for phase in range(3):
        assert sum(cost[cache * (phase + 1) : cache * (phase + 2)]) == harmonic(cache)


def test_too_many_states_are_refused_with_the_time() -> None:
    sequence = generate("uniform:requests=60", LayeredInstance(1, 12, 6))
    with pytest.raises(
        LimitError, match=r"request \d+: \d+ label vectors .* max_states = 20; use sample_faults"
    ):
        expected_faults("random", sequence, max_states=20)


def test_atomic_visits_are_refused() -> None:
    instance = LayeredInstance(1, 3, 3, per_visit=2, visits="atomic")
    with pytest.raises(UnsupportedModelError, match=r"needs .*sequential visits; .* atomic visits"):
        expected_cost("lru", RequestSequence(instance, [0, 1]))


class Planted(Policy):
    """Answers with what a test plants."""

    id, title = "planted", "planted"
    traits = frozenset({"online"})

    def __init__(self, answers: list[tuple[Any, list[int]]]) -> None:
        self.answers = answers

    def outcomes(self, labels: Any, page: int, slot: int, frame: Any) -> Any:
        if not labels.any():
            return [(Fraction(1), np.array([1, 0, 0]))]
        return [(chance, np.array(after)) for chance, after in self.answers]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([(Fraction(1, 2), [1, 1, 0])], "the probabilities 1/2 are not positive Fractions that add up to 1"),
        ([(Fraction(2), [1, 1, 0]), (Fraction(-1), [0, 1, 0])], "the probabilities 2, -1 are not positive"),
        ([(0.5, [1, 1, 0]), (0.5, [0, 1, 0])], "the probabilities 0.5, 0.5 are not positive Fractions"),
        ([(Fraction(1), [1, 0, 0])], "the requested page is missing afterwards"),
        ([(Fraction(1), [0, 1, 1])], "a page that was not requested appeared"),
    ],
)
def test_illegal_outcomes_are_refused_exactly_and_sampled(
    answers: list[tuple[Any, list[int]]], message: str
) -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1])
    for serve in (expected_faults, simulate, sample_faults):
        with pytest.raises(
            IllegalAnswerError, match=f"policy planted, request 1 .page 1.: {message}"
        ) as caught:
            serve(Planted(answers), sequence)
        assert "the cache before was [0]" in str(caught.value)


def test_an_illegal_outcome_of_small_probability_is_found_exactly() -> None:
    answers = [(Fraction(999, 1000), [1, 1, 0]), (Fraction(1, 1000), [1, 0, 0])]
    with pytest.raises(IllegalAnswerError, match="missing afterwards"):
        expected_faults(Planted(answers), RequestSequence(LayeredInstance(1, 3, 2), [0, 1]))


# Sampling


def test_samples_repeat_with_the_seed_and_differ_between_seeds() -> None:
    sequence = generate("uniform:requests=200", LayeredInstance(2, 5, 5))
    first, again, other = (sample_faults("mark", sequence, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.mean != other.mean
    assert first.runs == 20


def test_half_width_is_that_of_students_t() -> None:
    # Two runs a and b: mean ± t₀.₉₇₅(1)·|a − b|/2, and t₀.₉₇₅(1) = 12.706.
    sequence = generate("uniform:requests=200", LayeredInstance(2, 5, 5))
    estimate = sample_faults("mark", sequence, runs=2)
    children = np.random.SeedSequence(0).spawn(2)
    one, two = (simulate_with(sequence, np.random.default_rng(child)) for child in children)
    assert estimate.mean == (one + two) / 2
    assert estimate.half_width == pytest.approx(12.706 * abs(one - two) / 2, rel=1e-4)
    assert estimate.interval == (estimate.mean - estimate.half_width, estimate.mean + estimate.half_width)


def simulate_with(sequence: RequestSequence, rng: np.random.Generator) -> int:
    from paging.policy import get_policy
    from paging.simulate import run_sequence

    return run_sequence(get_policy("mark"), sequence, np.zeros(0, dtype=np.int32), rng).faults


def test_what_a_policy_answers_is_kept_for_other_sequences() -> None:
    asked: list[tuple[bytes, int]] = []

    class Listening(Mark):
        id = "listening"

        def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
            asked.append((labels.tobytes(), page))
            return super().outcomes(labels, page, slot, frame)

    instance = LayeredInstance(2, 3, 4)
    known: Answers = {}
    for seed in range(3):
        sequence = generate("uniform:requests=40", instance, seed=seed)
        assert expected_cost(Listening, sequence, known=known) == expected_cost("mark", sequence)
    assert len(asked) == len(known) == len(set(asked))


def test_too_few_runs_are_refused() -> None:
    with pytest.raises(ModelError, match="runs must be an integer in 2 … 1000000, got 1"):
        sample_faults("mark", RequestSequence(LayeredInstance(1, 2, 1), [0]), runs=1)
