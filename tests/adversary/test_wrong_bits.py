"""What wrong discard bits cost every deterministic policy, as constructions: promises and lower bounds."""

from fractions import Fraction

import numpy as np
import pytest

from adversary import BrokenPromiseError, Construction, get_construction
from adversary.construction import ConditionError
from paging import LayeredInstance, Policy, prediction_errors
from paging.model import Frame, LabelArray
from proofs import get_bound
from proofs.bounds.verdicts import check_lower, judge

IDS = ("missing-page-kept", "one-visitor", "new-visitors")


class Spiteful(Policy):
    """Evicts a page that looks random, but depends on all labels, the page and its bit."""

    id = title = "spiteful"
    traits = frozenset({"deterministic", "online", "demand"})
    predictions = "discard"

    def __init__(self, salt: int = 0) -> None:
        self.salt = salt

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        """Serve a request."""
        cached = np.flatnonzero(labels > 0)
        if labels[page] == 0 and len(cached) == frame.cache:
            mixed = int(labels @ np.arange(3, 3 + len(labels))) * 7919 + 31 * page + frame.prediction
            labels[cached[(mixed + self.salt * 104729) // 7 % len(cached)]] = 0
        labels[cached] = labels[cached] % 89 + (labels[cached] > 0)
        labels[page] = 1 + frame.prediction


def variants(name: str) -> list[dict[str, int]]:
    return [{}] if name == "missing-page-kept" else [{"bit": 0}, {"bit": 1}]


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize(
    "instance",
    [LayeredInstance(2, 3, 2), LayeredInstance(3, (3, 4, 4), 3), LayeredInstance(4, (3, 5, 5, 5), 4)],
)
def test_nobody_escapes(name: str, instance: LayeredInstance) -> None:
    found = get_construction(name)
    for salt in range(4):
        for options in variants(name):
            try:
                built = found(instance, rounds=120, policy=Spiteful(salt), **options)
            except ConditionError:
                continue
            run = built.run(Spiteful(salt))
            built.check(run)
            # Few periods only where the policy goes on paying alone.
            assert built.periods > 5 or run.faults > 3 * built.offline.faults


def test_the_gain_is_what_the_theorem_says_per_wrong_bit() -> None:
    """At α = 1: T2 and T3 force k − 1 faults more than R's per wrong bit 0, and one more per wrong bit 1."""
    for name, instance in (
        ("one-visitor", LayeredInstance(2, 4, 4)),
        ("new-visitors", LayeredInstance(3, (4, 5, 5), 4)),
    ):
        for bit, most in ((0, 3), (1, 1)):
            built = get_construction(name)(instance, rounds=400, policy="flush-when-kept-lazy", bit=bit)
            wrong = prediction_errors(built.sequence, built.offline)  # type: ignore[arg-type]
            gained = built.run().faults - built.offline.faults
            counted = (wrong.eta0, wrong.eta1)[bit] or 0
            start = 4 * instance.layers + 8
            assert counted > 50
            assert abs(gained - most * counted) <= start
            assert (wrong.eta1, wrong.eta0)[bit] in range(start)


def test_promises_about_wrong_bits_are_checked() -> None:
    built = get_construction("one-visitor")(rounds=60, policy="flush-when-kept-lazy")
    for bits, what in ((0, "wrong bits 0"), (1, "wrong bits 1")):
        told = type(built.sequence)(built.sequence.plain, "discard", np.full(len(built.sequence), bits))  # type: ignore
        lie = Construction(**{**vars(built), "sequence": told})
        with pytest.raises(BrokenPromiseError, match=f"offline has {what}"):
            lie.check(built.run())


def test_the_bounds_are_reached_and_say_what_they_force() -> None:
    bound = get_bound("wrong-bits-visitor")
    assert bound.subject.policies == ("flush-when-kept", "flush-when-kept-lazy", "cheaper", "discard-optimal")
    assert bound.excluded(LayeredInstance(3, (2, 3, 1), 3)) is None
    assert bound.excluded(LayeredInstance(3, (2, 2, 1), 3)) == "a layer has k − ℓ + 2 pages and another k"
    assert not bound.subject.includes(Policy())
    found = judge(bound, "flush-when-kept-lazy", rounds=60)
    assert (found.outcome, found.runs) == ("reached", 4)
    plain = get_construction("missing-page")(LayeredInstance(2, 3, 4), policy="lru", rounds=40)
    assert check_lower(bound, "lru", plain).outcome == "does not speak here"
    assert get_bound("wrong-bits-visitors").at(LayeredInstance(3, 6, 4)) == Fraction(12, 9)
