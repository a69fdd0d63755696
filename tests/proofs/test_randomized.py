"""Randomised policies: exact ratios and the best one; independent routes, certificates, commands."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from adversary.cycles.max_ratio import Objective, best_cycle, longest_paths
from paging import (
    LayeredInstance,
    LimitError,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    WorkFunction,
    expected_cost,
    expected_faults,
    farthest_in_future,
    generate,
)
from paging.certificate import NoCertificateError
from paging.cli.main import run as paging_run
from paging.signals import Watch
from proofs.certificates.reading import read_certificate
from proofs.checker import REFUTED, VERIFIED, verify, verify_file
from proofs.checker.randomized import PROCESSES as CHECKED
from proofs.checker.value import classes
from proofs.game.randomized.value import RandomizedValue, ValueProgress, randomized_value
from proofs.ratio.deterministic import RatioProgress
from proofs.ratio.distributions import PROCESSES
from proofs.ratio.randomized import randomized_exact
from tests.helpers.certificates import FOLDER, files, mutants

Capture = pytest.CaptureFixture[str]
SMALL = [(1, 3, 2), (1, 4, 2), (1, 4, 3), (2, 2, 2), (2, 2, 3), (2, (1, 3), 2), (3, (1, 2, 1), 2), (3, 1, 2)]
Shape = tuple[int, int | tuple[int, ...], int]


def harmonic(k: int) -> Fraction:
    return sum((Fraction(1, i) for i in range(1, k + 1)), Fraction(0))


def plain(document: object) -> dict:
    return json.loads(json.dumps(document))


# Policies: values


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mark", "equitable"])
@pytest.mark.parametrize("shape", SMALL)
def test_labels_and_distributions_give_the_same_ratio(policy: str, shape: Shape) -> None:
    instance = LayeredInstance(*shape)
    for small in {1, instance.cache}:
        quick = randomized_exact(policy, instance, opt_cache=small)
        slow = randomized_exact(policy, instance, opt_cache=small, generic=True)
        assert (quick.ratio, quick.additive) == (slow.ratio, slow.additive)
        assert quick.complete
        assert slow.complete
        assert quick.states <= slow.states


@pytest.mark.parametrize("k", range(1, 8))
def test_k_plus_1_pages_give_the_harmonic_number(k: int) -> None:
    for policy in ("mark", "equitable"):
        found = randomized_exact(policy, LayeredInstance(1, k + 1, k))
        assert found.ratio == harmonic(k)
        assert found.additive == 0


@pytest.mark.parametrize(
    "shape", [(1, 4, 2), (1, 6, 4), (1, 7, 5), (2, 3, 3), (2, 3, 4), (2, 4, 5), (3, 2, 4)]
)
def test_mark_and_equitable_where_more_pages_exist(shape: Shape) -> None:
    assert randomized_exact("mark", LayeredInstance(*shape)).ratio == 2 * harmonic(shape[2]) - 1
    assert randomized_exact("equitable", LayeredInstance(*shape)).ratio == harmonic(shape[2])


def test_mark_by_hand_with_one_slot_less_than_layers_need() -> None:
    # One page per layer, two slots: every request is a fault of MARK and of OPT but for one hit each in three
    # requests: OPT keeps one page for a round, MARK keeps the marked pages and pays for each.
    found = randomized_exact("mark", LayeredInstance(3, 1, 2))
    assert found.ratio == randomized_exact("mark", LayeredInstance(3, 1, 2), generic=True).ratio
    assert found.cycle is not None
    assert set(found.cycle.requests) == {0, 1, 2}


@pytest.mark.parametrize("policy", ["mark", "equitable"])
@pytest.mark.parametrize("shape", [(1, 4, 2), (2, 2, 3), (2, 3, 3), (2, (1, 3), 2)])
def test_the_cycle_costs_what_it_says_by_the_engine(policy: str, shape: Shape) -> None:
    cycle = randomized_exact(policy, LayeredInstance(*shape)).cycle
    assert cycle is not None
    assert expected_faults(policy, cycle.sequence(3)) - expected_faults(policy, cycle.sequence(1)) == (
        2 * cycle.online
    )
    run = farthest_in_future(cycle.sequence(101), record=True)
    start = len(cycle.prefix) + len(cycle.requests)
    assert run.faults - farthest_in_future(cycle.sequence(101).prefix(start)).faults <= 100 * cycle.offline
    assert farthest_in_future(cycle.sequence(101)).faults >= 100 * cycle.offline


@pytest.mark.parametrize("policy", ["mark", "equitable"])
@pytest.mark.parametrize("shape", [(1, 5, 3), (2, 3, 4), (3, 2, 3)])
def test_labels_tell_the_chance_of_every_fault(policy: str, shape: Shape) -> None:
    instance = LayeredInstance(*shape)
    process, checked = PROCESSES[policy], CHECKED[policy]
    for seed in range(3):
        sequence = generate("uniform:requests=24", instance, seed=seed)
        labels = np.zeros(instance.total_pages, dtype=np.int64)
        for t, chance in enumerate(expected_cost(policy, sequence).per_request):
            page = int(sequence.requests[t])
            groups = process.classes(labels.astype(np.int32), instance.cache)
            counts = np.bincount(groups, minlength=process.width(instance.cache)).tolist()
            assert process.chance(counts, int(groups[page]), instance.cache) == chance
            assert checked.chance(labels.tolist(), page, instance.cache) == chance
            after = checked.serve(labels.tolist(), page, instance.cache)
            process.serve(labels, page, t % instance.layers, instance.frame)
            assert labels.tolist() == after


def test_no_sequence_costs_more_than_the_potential_says() -> None:
    instance = LayeredInstance(2, 2, 2)
    found = randomized_exact("mark", instance)
    assert isinstance(found.ratio, Fraction)
    assert found.additive is not None
    for requests in product(*(instance.pages_of(t % 2) for t in range(9))):
        sequence = RequestSequence(instance, requests)
        opt = farthest_in_future(sequence).faults
        assert expected_faults("mark", sequence) <= found.ratio * opt + found.additive


def test_a_policy_with_infinitely_many_distributions_is_given_up() -> None:
    # Distributions of RANDOM do not return, so no cycle is found either.
    found = randomized_exact("random", LayeredInstance(1, 3, 2), max_states=300)
    assert found.ratio is None
    assert not found.complete
    assert found.lower == 0
    with pytest.raises(NoCertificateError, match="not of random"):
        found.certificate()


def test_partitioned_randomised_marking_is_unbounded() -> None:
    found = randomized_exact("partitioned:policy=mark", LayeredInstance(2, 2, 3))
    assert found.ratio == float("inf")


def test_a_stopped_computation_keeps_what_is_known() -> None:
    seen: list[RatioProgress] = []
    found = randomized_exact(
        "mark",
        LayeredInstance(2, 4, 4),
        watch=Watch(seen.append, lambda: bool(seen and seen[-1].solving)),
    )
    assert found.ratio is None
    assert seen
    early = randomized_exact("mark", LayeredInstance(2, 4, 4), max_states=50)
    assert not early.complete
    assert early.additive is None
    assert Fraction(0) < early.lower <= 2 * harmonic(4) - 1


def test_wide_integers_change_nothing() -> None:
    # Costs times 2^80 do not fit 64 bits; the ratio and the potential are 2^80 times the others.
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 12, size=(12, 3)).astype(np.int32)
    targets[:, 0] = (np.arange(12) + 1) % 12  # one circle through all
    codes = rng.integers(0, 4, size=(12, 3)).astype(np.int32)
    narrow = Objective("narrow", (0, 3, 5, 7), (1, 1, 2, 3))
    wide = Objective("wide", tuple(g << 80 for g in narrow.gain), narrow.price)
    one, two = best_cycle(targets, codes, narrow), best_cycle(targets, codes, wide)
    assert one.cycle is not None
    assert two.cycle is not None
    assert two.cycle.ratio == one.cycle.ratio * 2**80
    assert isinstance(one.cycle.ratio, Fraction)
    assert isinstance(two.cycle.ratio, Fraction)
    scale = Fraction(two.cycle.ratio.denominator, one.cycle.ratio.denominator) * 2**80
    first = longest_paths(targets, codes, one.cycle.ratio, narrow)
    second = longest_paths(targets, codes, two.cycle.ratio, wide)
    assert [int(d) * scale for d in first] == [int(d) for d in second]


def test_costs_beyond_k_10() -> None:
    # lcm(1 … 13) = 360360; the ratio has a denominator of that size.
    found = randomized_exact("mark", LayeredInstance(1, 15, 13))
    assert found.ratio == 2 * harmonic(13) - 1


@pytest.mark.parametrize(
    ("instance", "error", "message"),
    [
        (LayeredInstance(1, 3, 3), ModelError, "needs k < number of pages"),
        (LayeredInstance(1, 3, 2, 2), UnsupportedModelError, "g = 1"),
        (LayeredInstance(1, 3, 2, 1, "sequential", True), UnsupportedModelError, "forced service"),
    ],
)
def test_what_is_outside_the_range_is_refused(
    instance: LayeredInstance, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        randomized_exact("mark", instance)
    with pytest.raises(error, match=message):
        randomized_value(instance)


# The best policy: values


@cache
def value(layers: int, pages: int | tuple[int, ...], k: int) -> RandomizedValue:
    return randomized_value(LayeredInstance(layers, pages, k), max_columns=3_000)


@pytest.mark.parametrize("k", range(1, 6))
def test_the_best_ratio_on_one_layer_is_the_harmonic_number(k: int) -> None:
    assert value(1, k + 1, k).value == harmonic(k)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 2, 3), harmonic(2) + Fraction(1, 4)),
        ((2, 3, 3), harmonic(2) + Fraction(1, 4)),
        ((2, 3, 5), harmonic(4) + Fraction(1, 6)),
        ((2, 3, 4), Fraction(93, 46)),
    ],
)
def test_layers_help(shape: tuple[int, int, int], expected: Fraction) -> None:
    assert value(*shape).value == expected < harmonic(shape[2])


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [(1, 4, 3), (2, 2, 2), (2, 2, 3), (2, 3, 3), (2, (2, 3), 3), (3, (1, 2, 1), 2)]
)
def test_no_policy_beats_the_best_one(shape: Shape) -> None:
    found = value(*shape)
    assert 1 <= found.lower <= found.upper
    for policy in ("mark", "equitable"):
        ratio = randomized_exact(policy, LayeredInstance(*shape)).ratio
        assert isinstance(ratio, Fraction)
        assert found.lower <= ratio


@pytest.mark.parametrize("shape", [(1, 4, 3), (2, 2, 2), (2, 2, 3), (2, 3, 3)])
def test_random_requests_cost_every_policy_so_much_page_by_page(shape: tuple[int, int, int]) -> None:
    """Independent: pages have names, caches are sets; nothing is a type or a class."""
    instance, found = LayeredInstance(*shape), value(*shape).requests
    assert found is not None
    k = instance.cache

    def fewest(held: frozenset[int], work: WorkFunction, layer: int, node: int) -> tuple[Fraction, Fraction]:
        """Faults of the best policy, and of OPT."""
        faults = paid = Fraction(0)
        for label, chance, child in found.nodes[node].branches:
            pages = [q for q in instance.pages_of(layer) if work.labels[q] == label]
            for page in pages:
                after = WorkFunction(instance)
                after._labels[:] = work.labels
                opt = after.serve(page)
                options = [held] if page in held else [held - {v} | {page} for v in held]
                ends = [fewest(cache, after, (layer + 1) % instance.layers, child) for cache in options]
                share = chance / len(pages)
                faults += share * ((page not in held) + min(cost for cost, _ in ends))
                paid += share * (opt + ends[0][1])
        for counts, chance in found.nodes[node].sweeps:
            drawn = [c for c in work.optimal_caches() if type_of(c, work, layer) == tuple(counts)]
            assert drawn
            faults += chance * Fraction(sum(len(c - held) for c in drawn), len(drawn))
        return faults, paid

    def type_of(caches: frozenset[int], work: WorkFunction, layer: int) -> tuple[int, ...]:
        counts = []
        for j in range(instance.layers):
            pages = instance.pages_of((layer + j) % instance.layers)
            labels = sorted({work.labels[q] for q in pages})
            counts += [sum(work.labels[q] == label and q in caches for q in pages) for label in labels]
        return tuple(counts)

    faults = paid = Fraction(0)
    for state, weight, node in found.roots:
        work = WorkFunction(instance)
        held = []
        for j, labels in enumerate(state):
            held += [q for q, label in zip(instance.pages_of(j), labels, strict=True) if label == k]
        work._labels[held] = k
        more, opt = fewest(frozenset(held), work, 0, node)
        faults, paid = faults + weight * more, paid + weight * opt
    assert faults / paid == found.ratio


@pytest.mark.parametrize("shape", [(1, 4, 3), (2, 2, 2), (2, 2, 3), (2, 3, 3), (3, (1, 2, 1), 2)])
def test_the_policy_moves_as_cheaply_as_it_says_page_by_page(shape: Shape) -> None:
    """Independent: along a random walk, distributions are spread over sets and moved by a flow."""
    instance, found = LayeredInstance(*shape), value(*shape).policy
    assert found is not None
    number = {state: s for s, state in enumerate(found.graph.states)}
    known = {(edge.source, edge.asked.after): edge for edge in found.graph.edges}
    assert known
    for seed in range(2):
        work = WorkFunction(instance)
        caches = {frozenset[int](): Fraction(1)}
        at = 0
        for t, page in enumerate(generate("uniform:requests=30", instance, seed=seed)):
            paid = work.serve(page)
            layer = (t + 1) % instance.layers
            order = [instance.pages_of((layer + j) % instance.layers) for j in range(instance.layers)]
            state = tuple(tuple(sorted(work.labels[q] for q in pages)) for pages in order)
            groups = [[q for q in order[c.layer] if work.labels[q] == c.label] for c in classes(state)]
            following: dict[frozenset[int], Fraction] = {}
            for counts, chance in found.distributions[number[state]].items():
                some = [
                    frozenset().union(*parts)
                    for parts in product(
                        *(combinations(group, n) for group, n in zip(groups, counts, strict=True))
                    )
                ]
                for chosen in some:
                    following[chosen] = following.get(chosen, Fraction(0)) + chance / len(some)
            assert sum(following.values()) == 1
            assert all(page in chosen and len(chosen) <= instance.cache for chosen in following)
            cost = transport(caches, following)
            target = number[state]
            assert cost + found.potential[target] - found.potential[at] <= found.ratio * paid
            caches, at = following, target


def transport(before: dict[frozenset[int], Fraction], after: dict[frozenset[int], Fraction]) -> Fraction:
    unit = int(np.lcm.reduce([c.denominator for c in (*before.values(), *after.values())]))
    network = nx.DiGraph()
    for cached, chance in before.items():
        network.add_node((0, cached), demand=-int(chance * unit))
    for cached, chance in after.items():
        network.add_node((1, cached), demand=int(chance * unit))
    network.add_edges_from(
        ((0, old), (1, new), {"weight": len(new - old)}) for old in before for new in after
    )
    return Fraction(nx.min_cost_flow_cost(network), unit)


def test_limits_of_the_best_ratio() -> None:
    with pytest.raises(LimitError, match="more than max_states = 10 work-function states"):
        randomized_value(LayeredInstance(2, 3, 3), max_states=10)
    assert randomized_value(LayeredInstance(3, 2, 2)).requests is None
    seen: list[ValueProgress] = []
    stopped = randomized_value(LayeredInstance(2, 3, 4), watch=Watch(seen.append, lambda: len(seen) > 3))
    assert stopped.value is None
    assert (stopped.lower, stopped.upper) == (1, 4)
    assert "26 work-function states" in str(seen[-1])
    with pytest.raises(ModelError, match="no bound is known yet"):
        stopped.certificate()


# Certificates


@pytest.mark.slow
@pytest.mark.parametrize("path", files("valid", "expected", "randomized-value"))
def test_valid(path: Path) -> None:
    document = read_certificate(path)
    assert verify_file(str(path)).status == VERIFIED
    assert true_claim(document)


@cache
def truth(policy: str | None, shape: Shape, opt_cache: int) -> tuple[Fraction, Fraction, Fraction]:
    """A lower and an upper bound on what is claimed, and the least additive constant."""
    if policy is None:
        found = value(*shape)
        return found.lower, found.upper, Fraction(0)
    exact = randomized_exact(policy, LayeredInstance(*shape), opt_cache=opt_cache, generic=True)
    assert isinstance(exact.ratio, Fraction)
    assert exact.additive is not None
    return exact.ratio, exact.ratio, exact.additive


def true_claim(document: dict) -> bool:
    """Whether the claim is true; the evidence is not looked at."""
    claim = document["claim"]
    pages = claim["instance"]["pages"]
    shape = (
        claim["instance"]["layers"],
        tuple(pages) if isinstance(pages, list) else pages,
        claim["instance"]["cache"],
    )
    assert claim["instance"]["cache"] < LayeredInstance(*shape).total_pages
    low, high, additive = truth(claim.get("policy"), shape, claim.get("opt_cache", 0))
    upper = Fraction(claim.get("upper", high))
    enough = Fraction(claim.get("additive", additive)) >= additive or upper > high
    return Fraction(claim.get("lower", 0)) <= high and upper >= low and enough


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        FOLDER / "expected" / "valid" / "mark-layered.json",
        FOLDER / "expected" / "valid" / "equitable-smaller-optimum.json",
        FOLDER / "randomized-value" / "valid" / "one-layer.json",
        FOLDER / "randomized-value" / "valid" / "lower-alone.json",
        pytest.param(FOLDER / "randomized-value" / "valid" / "interval.json", marks=pytest.mark.slow),
    ],
    ids=lambda path: path.stem,
)
def test_no_mutant_proves_a_false_claim(path: Path) -> None:
    document = read_certificate(path)
    count = passed = 0
    for place, mutant in mutants(document):
        count += 1
        verdict = verify(plain(mutant))
        if verdict.status == VERIFIED:
            passed += 1
            assert true_claim(mutant), place
        else:
            assert verdict.reason
            assert "\n" not in verdict.reason
    assert count > 200
    assert passed < count / 10


@pytest.mark.parametrize(
    ("policy", "shape"),
    [("mark", (2, 3, 3)), ("equitable", (2, 3, 4)), ("mark", (1, 6, 4)), ("mark", (3, 2, 4))],
)
def test_a_certificate_fails_once_the_ratio_is_lowered(policy: str, shape: Shape) -> None:
    document = plain(randomized_exact(policy, LayeredInstance(*shape)).certificate())
    assert "the ratio is exactly" in verify(document).reason
    document["claim"]["upper"] = str(Fraction(document["claim"]["upper"]) - Fraction(1, 1000))
    verdict = verify(document)
    assert verdict.status == REFUTED
    assert "breaks the potential" in verdict.reason


def test_every_changed_potential_that_breaks_an_edge_is_refused() -> None:
    document = plain(randomized_exact("mark", LayeredInstance(2, 2, 2)).certificate())
    potential = document["evidence"]["potential"]["potential"]
    for s in range(len(potential)):
        for step in (-1, 1, -100, 100):
            mutant = copy.deepcopy(document)
            mutant["evidence"]["potential"]["potential"][s] += step
            assert (verify(mutant).status == VERIFIED) == true_potential(mutant), (s, step)


def true_potential(document: dict) -> bool:
    """Follow MARK's exact expected costs along random walks that pass through all states."""
    claim, upper = document["claim"], document["evidence"]["potential"]
    instance = LayeredInstance(
        claim["instance"]["layers"], claim["instance"]["pages"], claim["instance"]["cache"]
    )
    size, scale = instance.total_pages, upper["scale"]
    rows = [
        sorted_state(upper["labels"][i * size :][:size], upper["work"][i * size :][:size], layer, instance)
        for i, layer in enumerate(upper["layers"])
    ]
    left = {row: Fraction(p, scale) for row, p in zip(rows, upper["potential"], strict=True)}
    for seed in range(6):
        sequence = generate("uniform:requests=60", instance, seed=seed)
        costs = expected_cost("mark", sequence).per_request
        work, labels = WorkFunction(instance), [0] * size
        for t, page in enumerate(sequence):
            before = left[sorted_state(labels, work.labels, t % instance.layers, instance)]
            paid = work.serve(page)
            labels = CHECKED["mark"].serve(labels, page, instance.cache)
            after = left[sorted_state(labels, work.labels, (t + 1) % instance.layers, instance)]
            if costs[t] + after - before > Fraction(claim["upper"]) * paid:
                return False
    start = left[sorted_state([0] * size, [0] * size, 0, instance)]
    return start - min(left.values()) == Fraction(claim["additive"])


def sorted_state(
    labels: list[int], work: list[int] | tuple[int, ...], layer: int, instance: LayeredInstance
) -> tuple[tuple[tuple[int, int], ...], ...]:
    pairs = list(zip(labels, work, strict=True))
    order = ((layer + j) % instance.layers for j in range(instance.layers))
    return tuple(tuple(sorted(pairs[q] for q in instance.pages_of(j))) for j in order)


# Commands


def test_the_command_writes_a_certificate_that_verifies(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "value.json.gz"
    arguments = ["randomized-value", "-l", "2", "-n", "2", "-k", "3", "--certificate", str(path)]
    assert paging_run([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["value"], answer["lower"], answer["upper"], answer["exact"]) == ("7/4", "7/4", "7/4", True)
    assert paging_run(["verify", str(path)]) == 0
    assert "the best ratio is exactly 7/4" in capsys.readouterr().out
    assert paging_run(arguments[:-2]) == 0
    assert "7/4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-n", "2", "-k", "4"], "needs k < number of pages"),
        (["-n", "3", "-k", "3", "--max-states", "5", "--certificate", "v.json"], "more than max_states = 5"),
        (["-n", "2", "-k", "3", "--certificate", "value.txt"], "ends in .json or .json.gz"),
    ],
)
def test_errors_of_the_command(arguments: list[str], message: str, capsys: Capture) -> None:
    assert paging_run(["randomized-value", "-l", "2", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_interval_is_called_one(capsys: Capture) -> None:
    assert paging_run(["randomized-value", "-l", "3", "-n", "2", "-k", "2"]) == 0
    shown = capsys.readouterr().out
    assert "an interval" in shown
    assert "No lower bound but the trivial one" in shown


def test_theorems_speak_where_nothing_is_computed(capsys: Capture) -> None:
    assert paging_run(["randomized-value", "-l", "1", "-n", "40", "-k", "20", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["value"] == str(sum(Fraction(1, i) for i in range(1, 21)))
    assert answer["theorems"]["upper"]["theorem"] == "equitable-upper"
    assert paging_run(["randomized-value", "-l", "2", "-n", "3", "-k", "3", "--max-states", "5"]) == 0
    shown = capsys.readouterr().out
    assert "At most 11/6 by the theorem equitable-upper (proved in the source; " in shown
    assert "Nothing was computed: there are more than max_states = 5" in shown
