"""Rules without the work function: the arena against the product graph of policies, refutations, tables."""

from __future__ import annotations

from fractions import Fraction

import pytest

from paging import LayeredInstance, LimitError
from proofs.ratio.deterministic import exact_ratio
from proofs.ratio.small_rules import Arena, Tables, follow, kept, rules


def arena(rule: tuple[str, ...], layers: int, pages: int, cache: int) -> Arena:
    return Arena(LayeredInstance(layers, pages, cache), *kept(rule))


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        ("lru", ("oldest",)),
        ("llru", ("oldest-in-rounds", "layer-last")),
        ("mark-lru", ("unmarked", "oldest")),
    ],
)
def test_rules_that_are_policies_have_their_ratio(policy: str, rule: tuple[str, ...]) -> None:
    for shape in [(2, 2, 2), (2, 3, 3), (3, 2, 4)]:
        cycle = arena(rule, *shape).play(follow(rule)).worst()
        assert cycle is not None
        assert cycle.ratio == exact_ratio(policy, LayeredInstance(*shape)).ratio


def test_ties_go_to_the_adversary() -> None:
    # Marks and layers fall short by 1 at (2, 3, 3), and whatever may leave at all is unbounded on one layer.
    rule = ("unmarked", "layer-served")
    cycle = arena(rule, 2, 3, 3).play(follow(rule)).worst()
    assert cycle is not None
    assert cycle.ratio == 3
    cycle = arena((), 1, 3, 2).play(follow(())).worst()
    assert cycle is not None
    assert cycle.ratio == float("inf")


@pytest.mark.parametrize("rule", [("oldest",), ("unmarked", "layer-served"), ("crowded-layer", "not-hit")])
def test_a_refutation_is_a_sequence_that_costs_what_it_says(rule: tuple[str, ...]) -> None:
    game = arena(rule, 2, 3, 3)
    played = game.play(follow(rule))
    cycle = played.worst(Fraction(2))
    assert cycle is not None
    lasso = game.lasso(played, cycle)
    faults, paid = lasso.costs(game.instance)
    assert faults > 2 * paid
    assert Fraction(faults, paid or 1) == (cycle.ratio if paid else faults)
    assert len(lasso.period) % game.instance.layers == 0
    assert played.worst(Fraction(10**6)) is None or paid == 0


def test_no_rule_of_two_criteria_attains_the_bound() -> None:
    alive = [rule for rule in rules(2) if len(rule) == 2]
    assert len(alive) == 148
    for shape in [(2, 2, 3), (2, 3, 3)]:
        known: dict[object, Arena] = {}
        alive = [
            rule
            for rule in alive
            if known.setdefault(kept(rule), arena(rule, *shape)).play(follow(rule)).worst(Fraction(2)) is None
        ]
        assert len(alive) == (4 if shape == (2, 2, 3) else 0)


def test_no_table_of_ranks_attains_the_bound_but_one_of_ranks_and_marks_does() -> None:
    instance = LayeredInstance(2, 2, 3)
    assert not Tables(Arena(instance, (), "ranks"), Fraction(2)).attained
    found = Tables(Arena(instance, ("marked",), "ranks"), Fraction(2))
    assert found.attained
    assert Tables(Arena(instance, (), "ranks"), Fraction(3)).attained
    assert not Tables(Arena(instance, ("marked",), "ranks"), Fraction(2) - Fraction(1, 100)).attained


def test_searches_end_where_they_are_told_to() -> None:
    instance = LayeredInstance(2, 3, 3)
    with pytest.raises(LimitError, match="more than 5 partial tables"):
        Tables(Arena(instance, (), "ranks"), Fraction(2), most=5)
    with pytest.raises(LimitError, match="more than 3 states"):
        Arena(instance, (), "ranks").play(follow(("oldest",)), most=3)
