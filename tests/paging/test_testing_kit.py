"""The kit itself, on planted bad policies: each must break exactly the invariants it is meant to break."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paging import (
    LayeredInstance,
    ModelError,
    Policy,
    RequestSequence,
    UnknownNameError,
    farthest_in_future,
    get_policy,
)
from paging.policies.frequency import LFU
from paging.policies.layered import LLRU
from paging.policies.randomized import Mark, Random
from paging.policies.recency import FIFO, LRU, Clock
from paging.policy import TRAITS
from paging.testing import (
    INVARIANTS,
    PolicyCheckError,
    applicable,
    check_policy,
    find_counterexample,
    instances,
    routing_traces,
    sequences,
)
from tests.helpers.policies import attempt

ORDINARY = frozenset({"deterministic", "online", "demand", "symmetric", "finite-state"})
PLANTED: list[tuple[type[Policy], set[str]]] = []


def breaks(*names: str) -> Any:
    """Plant a policy that breaks exactly the invariants named."""

    def plant(cls: type[Policy]) -> type[Policy]:
        cls.id = cls.id if "id" in vars(cls) else cls.__name__.lower()
        PLANTED.append((cls, set(names)))
        return cls

    return plant


def lru_without_kernel(labels: Any, page: int, slot: int, frame: Any) -> None:
    LRU.serve(labels, page, slot, frame)


class Bare(Policy):
    """LRU without a kernel, to be changed by the policies below."""

    traits = ORDINARY
    serve = staticmethod(lru_without_kernel)


@breaks("demand")
class EvictsTwo(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        full = np.count_nonzero(labels) == frame.cache
        fault = labels[page] == 0
        LRU.serve(labels, page, slot, frame)
        if fault and full and frame.cache > 1:
            labels[labels.argmax()] = 0


@breaks("demand")
class EvictsOnHit(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        hit = labels[page] > 0
        LRU.serve(labels, page, slot, frame)
        if hit and labels.max() > 1:
            labels[labels.argmax()] = 0


@breaks("demand")
class LeavesASlotEmpty(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        LRU.serve(labels, page, slot, frame._replace(cache=max(1, frame.cache - 1)))


@breaks("at-most-k")
class KeepsOneMore(Bare):
    traits = LRU.traits

    @staticmethod
    def serve(labels, page, slot, frame):
        LRU.serve(labels, page, slot, frame._replace(cache=frame.cache + 1))


@breaks("legal")
class LabelsFromNowhere(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        LRU.serve(labels, page, slot, frame)
        if np.count_nonzero(labels) < min(frame.cache, len(labels)):
            labels[labels == 0] = frame.cache


@breaks("legal")
class ForgetsTheRequest(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        if labels.any():
            return
        labels[page] = 1


@breaks("legal")
class Raises(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        labels[len(labels) + page] = 1


@breaks("legal")
class AnswersWithFloats(Random):
    def outcomes(self, labels, page, slot, frame):
        return [(chance, after * 0.5) for chance, after in super().outcomes(labels, page, slot, frame)]

    def kernel(self, sequence, entries, rng):
        return None


HIDDEN = {"served": 0}


@breaks("deterministic", "online")
class CountsInAGlobal(Bare):
    traits = frozenset({"deterministic", "online", "demand"})

    @staticmethod
    def serve(labels, page, slot, frame):
        HIDDEN["served"] += 1
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            labels[np.flatnonzero(labels)[HIDDEN["served"] // 3 % frame.cache]] = 0
        labels[page] = 1


@breaks("deterministic")
class RemembersThePageBefore(Bare):
    """Forgets it at every start, so equal prefixes still mean equal decisions."""

    traits = frozenset({"deterministic", "online", "demand"})

    def serve(self, labels, page, slot, frame):
        if not labels.any():
            self.before = page
        if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
            labels[self.before if labels[self.before] else labels.argmax()] = 0
        labels[page] = 1
        self.before = page


@breaks("online", "probabilities")
class UsesGlobalRandomness(Random):
    def outcomes(self, labels, page, slot, frame):
        outcomes = super().outcomes(labels, page, slot, frame)
        return [(Fraction(1), outcomes[np.random.randint(len(outcomes))][1])]  # noqa: NPY002

    traits = frozenset({"online", "demand"})
    kernel = Policy.kernel


@breaks("marking")
class FIFODeclaredMarking(FIFO):
    traits = FIFO.traits | {"marking"}


@breaks("marking", "phase-faults")
class RandomDeclaredMarking(Random):
    traits = Random.traits | {"marking"}


@breaks("stack")
class FIFODeclaredStack(FIFO):
    traits = FIFO.traits | {"stack"}


@breaks("stack")
class MarkDeclaredStack(Mark):
    traits = Mark.traits | {"stack"}


@breaks("symmetric")
class LowestPageDeclaredSymmetric(Bare):
    @staticmethod
    def serve(labels, page, slot, frame):
        if labels[page] == 0 and labels.sum() == frame.cache:
            labels[labels.argmax()] = 0
        labels[page] = 1


@breaks("finite-state")
class LFUDeclaredFinite(LFU):
    traits = LFU.traits | {"finite-state"}


@breaks("conservative", "phase-faults")
class ClockWithClearBit(Bare):
    traits = Clock.traits

    @staticmethod
    def serve(labels, page, slot, frame):
        fault = labels[page] == 0
        Clock.serve(labels, page, slot, frame)
        if fault:
            labels[page] -= 1


@breaks("deterministic")
class RandomDeclaredDeterministic(Random):
    traits = frozenset({"deterministic", "online", "demand"})


@breaks("atomic")
class FIFOForgetsTheVisit(FIFO):
    kernel = Policy.kernel

    def serve(self, labels, page, slot, frame):
        super().serve(labels, page, slot, frame._replace(held=np.zeros_like(frame.held)))


@breaks("atomic")
class LLRUForgetsTheVisit(LLRU):
    kernel = Policy.kernel

    def serve(self, labels, page, slot, frame):
        super().serve(labels, page, slot, frame._replace(held=np.zeros_like(frame.held)))


class Skewed(Random):
    """RANDOM with probabilities to be spoilt."""

    spoil: ClassVar[Any]

    def outcomes(self, labels, page, slot, frame):
        outcomes = super().outcomes(labels, page, slot, frame)
        if len(outcomes) == 1:
            return outcomes
        (first, after), *others = outcomes
        return [(type(self).spoil(first), after), *others]

    kernel = Policy.kernel


@breaks("probabilities")
class AddsUpToLess(Skewed):
    spoil = staticmethod(lambda chance: chance / 2)


@breaks("probabilities")
class AddsUpToMore(Skewed):
    spoil = staticmethod(lambda chance: chance * 2)


@breaks("probabilities")
class FloatProbabilities(Skewed):
    spoil = staticmethod(float)


@breaks("criteria")
class SaysTheYoungest(LRU):
    def criteria(self, labels, page, slot, frame):
        (rank,) = super().criteria(labels, page, slot, frame)
        return (replace(rank, leaves="smallest"),)


@breaks("probabilities")
class NegativeProbability(Random):
    def outcomes(self, labels, page, slot, frame):
        outcomes = super().outcomes(labels, page, slot, frame)
        return [*outcomes, (Fraction(1), outcomes[0][1]), (Fraction(-1), outcomes[0][1])]

    kernel = Policy.kernel


class Lying(LRU):
    """LRU whose kernel counts by itself."""

    def kernel(self, sequence, entries, rng):
        faults = LRU.kernel(self, sequence, entries, rng)
        return self.lie(sequence, faults)


@breaks("compulsory", "opt", "engines")
class KernelCountsNothing(Lying):
    lie = staticmethod(lambda sequence, faults: 0)


@breaks("opt", "engines")
class KernelCountsDistinctPages(Lying):
    lie = staticmethod(lambda sequence, faults: sequence.distinct_pages)


@breaks("engines")
class KernelLooksAhead(Lying):
    lie = staticmethod(lambda sequence, faults: farthest_in_future(sequence).faults)


@breaks("engines")
class KernelOfAnotherPolicy(LRU):
    def kernel(self, sequence, entries, rng):
        return FIFO().kernel(sequence, entries, rng)


@breaks("engines")
class KernelEvictsMarkedPages(Mark):
    def kernel(self, sequence, entries, rng):
        return Random().kernel(sequence, entries, rng)


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "expected"), PLANTED, ids=lambda value: getattr(value, "id", ""))
def test_a_planted_policy_breaks_exactly_what_it_should(policy: type[Policy], expected: set[str]) -> None:
    with pytest.raises(PolicyCheckError) as caught:
        check_policy(policy, sorted(expected), examples=60)
    assert set(caught.value.report.broken) == expected
    # Compiling takes seconds, so the definitions are compiled where a kernel is at stake only.
    for name in applicable(policy):
        if name not in {"engines", *expected}:
            attempt(policy, name, examples=15)


def test_every_invariant_is_broken_by_a_planted_policy() -> None:
    assert set().union(*(names for _, names in PLANTED)) == set(INVARIANTS)


def test_every_trait_has_an_invariant_of_its_name() -> None:
    for trait in TRAITS:
        assert INVARIANTS[trait].traits == {trait}
        assert INVARIANTS[trait].statement == TRAITS[trait]


def test_invariants_are_one_sentence_each() -> None:
    for name, invariant in INVARIANTS.items():
        assert invariant.name == name
        assert invariant.statement
        assert "\n" not in invariant.statement


@pytest.mark.slow
def test_counterexamples_are_small_and_readable() -> None:
    finding = find_counterexample(EvictsTwo, "demand")
    assert finding.sequence is not None
    # Two pages must be cached and a third requested.
    assert len(finding.sequence) == 3
    text = str(finding)
    assert "policy evictstwo breaks 'demand': nothing moves on a hit" in text
    assert "request 2" in text
    assert f"RequestSequence({finding.sequence.instance!r}, {finding.sequence.requests.tolist()})" in text
    assert text.count("\n") < 9
    found = find_counterexample(FIFODeclaredStack, "stack")
    assert found.sequence is not None
    assert len(found.sequence) <= 6


@pytest.mark.slow
def test_the_counterexample_reproduces_the_failure() -> None:
    finding = find_counterexample(FIFODeclaredMarking, "marking")
    assert finding.sequence is not None
    with pytest.raises(AssertionError, match="requested in the phase under way"):
        INVARIANTS["marking"].check(FIFODeclaredMarking(), finding.sequence)


def test_a_policy_that_raises_is_reported_with_its_exception() -> None:
    finding = find_counterexample(Raises, "legal")
    assert "the policy raised IndexError" in finding.problem
    assert find_counterexample(Raises, "demand").verdict == "unjudged"


@pytest.mark.slow
def test_the_same_seed_finds_the_same_counterexample() -> None:
    first, second = (find_counterexample(ClockWithClearBit, "conservative", seed=3) for _ in range(2))
    assert first.sequence == second.sequence


def test_a_sound_policy_passes_and_the_report_lists_everything() -> None:
    report = check_policy("lru", examples=10)
    assert [finding.invariant.name for finding in report.findings] == applicable("lru")
    assert not report.broken
    assert str(report).startswith(f"policy lru: {len(applicable('lru'))} of")


@pytest.mark.slow
def test_invariants_can_be_checked_that_a_policy_does_not_claim() -> None:
    assert "marking" not in applicable("fifo")
    with pytest.raises(PolicyCheckError, match="policy fifo breaks 'marking'"):
        check_policy("fifo", ["marking"])


def test_unknown_traits_and_invariants_are_refused() -> None:
    class Typo(LRU):
        id = "typo"
        traits = LRU.traits | {"conservativ"}

    with pytest.raises(ModelError, match="policy typo declares unknown traits conservativ; known are determ"):
        check_policy(Typo)
    with pytest.raises(UnknownNameError, match="unknown invariant 'stak': did you mean stack"):
        check_policy("lru", ["stak"])


@pytest.mark.slow
def test_a_bypassing_policy_is_checked_on_bypassing_instances() -> None:
    class KeepsFirst(Policy):
        id, title = "keeps-first", "keeps the first k pages for ever"
        traits = ORDINARY | {"conservative"}

        @staticmethod
        def serve(labels, page, slot, frame):
            if np.count_nonzero(labels) < frame.cache:
                labels[page] = 1

    with pytest.raises(PolicyCheckError) as caught:
        check_policy(KeepsFirst, ["legal", "demand"])
    assert set(caught.value.report.broken) == {"legal"}
    bypassing = sequences(bypassing=True)
    names = ["legal", "at-most-k", "compulsory", "opt", "deterministic", "online", "demand", "symmetric"]
    check_policy(KeepsFirst, names, sequences=bypassing)
    assert find_counterexample(KeepsFirst, "conservative", sequences=bypassing).verdict == "broken"


def test_a_policy_that_refuses_every_instance_is_unjudged() -> None:
    class Refuses(LRU):
        id = "refuses"

        def check(self, instance):
            get_policy("partitioned:shares=1/1/1/1/1/1/1").check(instance)

    assert find_counterexample(Refuses, "demand").verdict == "unjudged"


# Strategies


@given(instances(layers=(2, 3), pages=(2, 5), cache=4, per_visit=(1, 3), visits="atomic"))
def test_instances_keep_their_bounds(instance: LayeredInstance) -> None:
    assert 2 <= instance.layers <= 3
    assert all(max(2, instance.per_visit) <= n <= 5 for n in instance.pages_by_layer)
    assert instance.cache == 4
    assert instance.visits == "atomic"


@given(sequences(length=(3, 9), per_visit=(1, 2)))
def test_sequences_keep_their_bounds(sequence: RequestSequence) -> None:
    assert 3 <= len(sequence) <= 9
    assert RequestSequence(sequence.instance, sequence.requests.tolist()) == sequence


@given(sequences(LayeredInstance(2, (2, 3), 3), length=12))
def test_sequences_of_one_instance(sequence: RequestSequence) -> None:
    assert len(sequence) == 12
    assert sequence.instance == LayeredInstance(2, (2, 3), 3)


def test_bounds_beside_an_instance_are_refused() -> None:
    with pytest.raises(TypeError, match="bounds layers"):
        given(sequences(LayeredInstance(1, 2, 1), layers=2))(lambda sequence: None)()


def test_strategies_reach_every_kind_of_instance() -> None:
    seen: set[object] = set()

    @given(sequences(per_visit=(1, 2)))
    def collect(sequence: RequestSequence) -> None:
        instance = sequence.instance
        seen.add(("layers", instance.layers))
        seen.add(("unequal", isinstance(instance.pages, tuple)))
        seen.add(("visit", instance.per_visit))
        seen.add(("full", sequence.distinct_pages > instance.cache))
        seen.add(("long", len(sequence) > 20))

    collect()
    wanted = {("layers", 1), ("layers", 2), ("layers", 3), ("visit", 1), ("visit", 2)}
    wanted |= {(name, truth) for name in ("unequal", "full", "long") for truth in (True, False)}
    assert seen == wanted


@given(routing_traces(tokens=(2, 9), layers=3, experts=(3, 6), top_k=2), st.integers(2, 8))
def test_routing_traces_keep_their_bounds_and_are_legal(trace: Any, cache: int) -> None:
    assert 2 <= trace.tokens <= 9
    assert (trace.layers, trace.per_visit) == (3, 2)
    assert 3 <= trace.pages <= 6
    assert len(trace.sequence(cache)) == trace.tokens * 6


def test_routing_traces_repeat_and_are_skewed() -> None:
    repeats, low = [], []

    @given(routing_traces(tokens=(8, 12), layers=2, experts=8, top_k=1))
    def collect(trace: Any) -> None:
        experts = trace.experts
        repeats.append((experts[1:] == experts[:-1]).mean())
        low.append((experts < 4).mean())

    collect()
    assert np.mean(repeats) > 1 / 8
    assert np.mean(low) > 1 / 2


# Plugin

MODULE = """
from paging import Policy
from paging.policies.recency import FIFO

class Mine(FIFO):
    id, title = "mine", "FIFO that claims inclusion"
    traits = FIFO.traits | {"stack"}

class Fine(FIFO):
    id, title = "fine", "FIFO"

class Typo(FIFO):
    id, traits = "typo", frozenset({"onlin"})
"""


def run_pytest(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:benchmark", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mypkg.py").write_text(textwrap.dedent(MODULE))
    return tmp_path


@pytest.mark.slow
def test_plugin_reports_a_broken_invariant_without_a_traceback(folder: Path) -> None:
    select = ("-k", "stack or demand")
    result = run_pytest(folder, "--paging-policy", "mypkg:Mine", "--paging-policy", "fifo", *select)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 failed, 2 passed" in result.stdout
    assert "policy mine breaks 'stack': inclusion: the cache of size k" in result.stdout
    assert "what happened:" in result.stdout
    assert "Traceback" not in result.stdout
    assert len(result.stdout.splitlines()) < 35


@pytest.mark.slow
def test_plugin_adds_one_item_per_invariant_beside_the_tests_of_a_folder(folder: Path) -> None:
    (folder / "test_own.py").write_text("def test_own():\n    pass\n")
    result = run_pytest(folder, "--paging-policy", "mypkg:Fine", "--collect-only", "-q")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert "test_own.py::test_own" in lines
    assert [line for line in lines if line.startswith("paging-policy")] == [
        f"paging-policy[mypkg:Fine]::{name}" for name in applicable("fifo")
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fifoo", "--paging-policy fifoo: unknown policy 'fifoo': did you mean fifo"),
        ("mypkg:Nothing", "--paging-policy mypkg:Nothing: policy 'mypkg:Nothing' cannot be imported"),
        ("mypkg:Typo", "--paging-policy mypkg:Typo: policy typo declares unknown traits onlin"),
    ],
)
def test_plugin_refuses_what_is_no_policy_in_one_line(folder: Path, spec: str, message: str) -> None:
    result = run_pytest(folder, "--paging-policy", spec, "-q")
    assert result.returncode == 4
    assert result.stderr.startswith(f"ERROR: {message}")
    assert len(result.stderr.strip().splitlines()) == 1


def test_plugin_says_what_it_needs_where_hypothesis_is_missing(folder: Path) -> None:
    (folder / "hypothesis.py").write_text("raise ImportError('not installed')")
    result = run_pytest(folder, "-p", "no:hypothesispytest", "--paging-policy", "lru")
    assert result.returncode == 4
    assert result.stderr.startswith(
        "ERROR: --paging-policy needs hypothesis: pip install 'layered-paging[test]'"
    )


def test_plugin_loads_nothing_heavy_until_it_is_used(folder: Path) -> None:
    heavy = "{'numba', 'hypothesis', 'scipy'}"
    code = f"import sys, paging.testing.plugin; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
