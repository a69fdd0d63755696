"""The game with discard bits at play: the optimal policy, and the adversary who forces its value."""

from fractions import Fraction

import pytest

from paging import LayeredInstance, ModelError, Session, UnsupportedModelError, get_policy
from proofs.game.predictions.players import DiscardAdversary, DiscardOptimal
from proofs.game.predictions.trade_off import solve_trade_off
from proofs.ratio.trade_off import policy_trade_off


def test_the_policy_has_the_least_coefficient_of_the_game() -> None:
    instance = LayeredInstance(1, 3, 2)
    for alpha in (Fraction(1), Fraction(5, 4)):
        best = solve_trade_off(instance, alpha=alpha, gamma=1)
        policy = DiscardOptimal(alpha=(alpha.numerator, alpha.denominator))
        assert policy_trade_off(policy, instance, alpha=alpha, gamma=1).value == best.value == 2 - alpha


@pytest.mark.parametrize("shape", [(1, 4, 3), (2, 2, 3), (2, (3, 2), 3)])
def test_the_players_meet_at_the_value(shape: tuple[int, int, int]) -> None:
    """Neither side gets more than the value: least cost of a reference beside the faults, at α = γ = 1."""
    instance = LayeredInstance(*shape)
    found = solve_trade_off(instance, alpha=1, gamma=1)
    assert isinstance(found.value, Fraction)
    for policy, exact in (
        ("discard-optimal", True),
        ("flush-when-kept-lazy", False),
        ("flush-when-kept", False),
    ):
        adversary, session = DiscardAdversary(found), Session(policy, instance)
        steps = []
        for _ in range(400):
            page, bit = adversary.next(session.cache)
            session.serve(page, prediction=bit)
            steps.append((page, bit))
        least = cheapest_reference(instance, steps, found.value)
        assert session.faults >= least - 10
        assert session.faults > 100
        if exact:
            assert session.faults <= least + 10


def cheapest_reference(instance: LayeredInstance, steps: list[tuple[int, int]], beta: Fraction) -> Fraction:
    """Return the least R + β·η0 + η1 of any lazy schedule, by trying all caches."""
    worth: dict[frozenset[int], Fraction] = {frozenset(): Fraction(0)}
    bits: dict[int, int] = {}
    for page, bit in steps:
        after: dict[frozenset[int], Fraction] = {}
        for cache, paid in worth.items():
            if page in cache:
                moves = [(cache, paid + bits[page])]
            elif len(cache) < instance.cache:
                moves = [(cache | {page}, paid + 1)]
            else:
                moves = [(cache - {q} | {page}, paid + 1 + beta * (1 - bits[q])) for q in cache]
            for following, cost in moves:
                after[following] = min(cost, after.get(following, cost))
        worth, bits[page] = after, bit
    return min(worth.values())


def test_where_policy_and_adversary_refuse() -> None:
    policy = get_policy("discard-optimal")
    for instance, why in (
        (LayeredInstance(2, 4, 4, per_visit=2), "g = 1"),
        (LayeredInstance(4, 4, 5), "16 pages, and it tries at most max_pages = 10"),
    ):
        with pytest.raises(UnsupportedModelError, match=why):
            policy.check(instance)
    with pytest.raises(UnsupportedModelError, match="more than 5 states"):
        DiscardOptimal(max_states=5).check(LayeredInstance(1, 3, 2))
    with pytest.raises(UnsupportedModelError, match="no β is large enough"):
        DiscardOptimal(alpha=0.5, gamma=0.5).check(LayeredInstance(1, 3, 2))
    for wrong, why in (
        ({"gamma": 2}, "at most alpha"),
        ({"alpha": "many"}, "must be a number such as"),
        ({"alpha": -1}, "must not be negative"),
        ({"alpha": (1, 0)}, "must be a number such as"),
    ):
        with pytest.raises(ModelError, match=why):
            DiscardOptimal(**wrong)  # type: ignore[arg-type]
    assert get_policy("discard-optimal:alpha=5/4").name == "discard-optimal:alpha=5/4"
    with pytest.raises(ModelError, match="beta may be 0"):
        DiscardAdversary(solve_trade_off(LayeredInstance(1, 3, 2), alpha=2, gamma=1))


@pytest.mark.parametrize(
    ("policy", "solver"),
    [
        ("discard-optimal", "proofs.game.predictions.trade_off.solve_trade_off"),
        ("game-optimal", "proofs.game.value.solve_game"),
    ],
)
def test_a_refusal_is_remembered(policy: str, solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = get_policy(f"{policy}:max_states=6")
    with pytest.raises(UnsupportedModelError, match="6") as first:
        refusing.check(LayeredInstance(1, 4, 3))
    monkeypatch.setattr(solver, None)  # asked again, it would fail in another way
    with pytest.raises(UnsupportedModelError) as second:
        refusing.check(LayeredInstance(1, 4, 3))
    assert str(second.value) == str(first.value)
