"""Exact competitive ratios: against plain brute force, known values, and policies from outside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from adversary.cycles.product_graph import ProductGraph
from paging import (
    IllegalAnswerError,
    LayeredInstance,
    LimitError,
    ModelError,
    Policy,
    RequestSequence,
    UnsupportedModelError,
    farthest_in_future,
    get_policy,
    registered_policies,
    simulate,
)
from paging.certificate import NoCertificateError
from paging.cli.main import run as paging_run
from paging.markdown import block
from paging.memory import machine_memory
from paging.model import Frame, LabelArray
from paging.numbers import exact_text
from paging.policies.recency import LRU, ORDINARY
from paging.signals import Watch
from proofs import checker
from proofs.certificates.reading import read_certificate
from proofs.certificates.replay import replay
from proofs.checker.problem import read_problem
from proofs.checker.rules import RULES, SPLIT, serving
from proofs.ratio.deterministic import ExactRatio, RatioProgress
from proofs.ratio.deterministic import exact_ratio as compute
from proofs.ratio.estimate import affordable_states, estimated_states
from tests.helpers.brute_graph import brute_graph
from tests.helpers.policies import PLAIN, Favourite

exact_ratio = cache(compute)
"""Many tests ask for the same ratio."""

pytestmark = pytest.mark.xdist_group("exact")  # so they share what they have computed

PROGRAM = Path(sys.executable).with_name("paging")
Capture = pytest.CaptureFixture[str]
INFINITE = float("inf")

FINITE = [
    name
    for name, cls in registered_policies().items()
    if {"deterministic", "finite-state"} <= cls().traits
    and cls.__module__.startswith("paging.")
    and name in PLAIN
]
TINY = [
    *(LayeredInstance(1, n, k) for n, k in ((2, 1), (3, 1), (3, 2), (4, 3))),
    *(LayeredInstance(2, 2, k) for k in (1, 2, 3)),
    LayeredInstance(2, (1, 2), 2),
    LayeredInstance(2, (3, 1), 3),
    LayeredInstance(3, (1, 2, 1), 3),
]


# An independent route: no labels for OPT, no symmetries, no Newton


def most_beyond(edges: list[list[tuple[int, int, int]]], ratio: Fraction) -> Fraction | None:
    """The most that faults exceed ratio·OPT by on any walk from the cold start; None if there is no most."""
    p, q = ratio.numerator, ratio.denominator
    most: list[int | None] = [0] + [None] * (len(edges) - 1)
    for _ in range(len(edges)):
        changed = False
        for s, out in enumerate(edges):
            for t, fault, increment in out:
                here = most[s]
                if here is not None:
                    reached = here + q * fault - p * increment
                    known = most[t]
                    if known is None or reached > known:
                        most[t], changed = reached, True
        if not changed:
            assert None not in most
            return Fraction(max(value for value in most if value is not None), q)
    return None


def repeated(found: ExactRatio, policy: str | Policy) -> tuple[int, int]:
    """Faults of the policy and of farthest-in-future that 100 more repetitions of the cycle cost."""
    assert found.cycle is not None
    few, many = found.cycle.sequence(20), found.cycle.sequence(120)
    online = simulate(policy, many).faults - simulate(policy, few).faults
    h = found.opt_cache
    offline = farthest_in_future(many.with_cache(h)).faults - farthest_in_future(few.with_cache(h)).faults
    return online, offline


def agrees(policy: str | Policy, instance: LayeredInstance, **options: object) -> ExactRatio:
    """Compute a ratio and hold both of its sides against what does not know how it was found."""
    found = exact_ratio(policy, instance, **options)  # type: ignore[arg-type]
    assert found.complete
    assert found.ratio is not None
    online, offline = repeated(found, policy)
    if found.ratio == INFINITE:
        assert online > 0 == offline
        assert found.additive is None
        return found
    assert Fraction(online, offline) == found.ratio
    edges = brute_graph(get_policy(policy), instance, found.opt_cache)
    assert edges is not None
    assert most_beyond(edges, Fraction(found.ratio)) == found.additive
    return found


@pytest.mark.slow
@pytest.mark.parametrize("policy", FINITE)
def test_ratio_and_constant_are_those_of_brute_force(policy: str) -> None:
    compared = 0
    for instance in TINY:
        try:
            agrees(policy, instance)
        except UnsupportedModelError:
            assert policy == "partitioned"
            continue
        compared += 1
    assert compared > 5


@pytest.mark.slow
@pytest.mark.parametrize("policy", FINITE)
def test_ratio_against_a_smaller_optimum_and_without_symmetries(policy: str) -> None:
    for instance, h in ((LayeredInstance(1, 3, 2), 1), (LayeredInstance(2, 2, 3), 2)):
        reduced = agrees(policy, instance, opt_cache=h)
        whole = agrees(policy, instance, opt_cache=h, symmetric=False)
        assert (reduced.ratio, reduced.additive) == (whole.ratio, whole.additive)
        assert reduced.states <= whole.states


@pytest.mark.slow
@pytest.mark.parametrize("policy", FINITE)
def test_ratio_and_constant_on_larger_instances(policy: str) -> None:
    for shape in ((3, 2, 3), (2, (2, 3), 3)):
        instance = LayeredInstance(*shape)  # type: ignore[arg-type]
        edges = brute_graph(get_policy(policy), instance, instance.cache, most=4000)
        for symmetric in (True, False):
            found = exact_ratio(policy, instance, symmetric=symmetric)
            if edges is not None and found.ratio != INFINITE:
                assert most_beyond(edges, Fraction(found.ratio or 0)) == found.additive
            online, offline = repeated(found, policy)
            assert found.ratio == (Fraction(online, offline) if offline else INFINITE)


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "shape"), [("lru", (1, 3, 2)), ("fifo", (1, 3, 2)), ("llru", (2, 2, 2))])
def test_no_smaller_constant_does_on_all_short_sequences(policy: str, shape: tuple[int, int, int]) -> None:
    instance = LayeredInstance(*shape)
    found = exact_ratio(policy, instance)
    assert isinstance(found.ratio, Fraction)
    most = Fraction(0)
    for choice in product(range(shape[1]), repeat=7):
        requests = [instance.page(t % instance.layers, i) for t, i in enumerate(choice)]
        sequence = RequestSequence(instance, requests)
        most = max(
            most, simulate(policy, sequence).faults - found.ratio * farthest_in_future(sequence).faults
        )
    assert most == found.additive


# Several pages a visit


VISITS = [
    LayeredInstance(1, 3, 2, 2),
    LayeredInstance(1, 4, 2, 3),
    *(LayeredInstance(2, 2, k, 2) for k in (1, 3)),
    LayeredInstance(2, (2, 3), 3, 2),
]
ATOMIC = [
    LayeredInstance(1, 3, 2, 2, "atomic"),
    LayeredInstance(1, 4, 3, 3, "atomic"),
    LayeredInstance(2, 2, 3, 2, "atomic"),
    LayeredInstance(2, (2, 3), 4, 2, "atomic"),
]


@pytest.mark.parametrize(
    ("policy", "instance"), [("zrc", VISITS[0]), ("llru", VISITS[3]), ("lru", ATOMIC[0])]
)
def test_the_graph_of_visits_is_that_of_brute_force(policy: str, instance: LayeredInstance) -> None:
    agrees(policy, instance)


@pytest.mark.slow
@pytest.mark.parametrize("policy", FINITE)
def test_the_graph_of_all_tiny_visits_is_that_of_brute_force(policy: str) -> None:
    chosen = [*VISITS, *(ATOMIC if "atomic" in get_policy(policy).traits else [])]
    for instance in chosen if policy != "partitioned" else VISITS[:2]:
        agrees(policy, instance)
    for instance in (VISITS[0], chosen[-1]):
        reduced, whole = (exact_ratio(policy, instance, symmetric=symmetric) for symmetric in (True, False))
        assert (whole.ratio, whole.additive) == (reduced.ratio, reduced.additive)


@pytest.mark.parametrize("instance", [VISITS[3], ATOMIC[3]], ids=str)
def test_no_sequence_of_visits_beats_the_ratio(instance: LayeredInstance) -> None:
    found = exact_ratio("lru", instance)
    assert isinstance(found.ratio, Fraction)
    rng, group = np.random.default_rng(0), instance.per_visit
    for _ in range(100):
        visits = [rng.permutation(instance.pages_of(v % instance.layers))[:group] for v in range(8)]
        sequence = RequestSequence(instance, np.concatenate(visits)[: rng.integers(1, 16)])
        least = farthest_in_future(sequence).faults
        assert simulate("lru", sequence).faults <= found.ratio * least + found.additive  # type: ignore[operator]


def test_ratios_of_visits_known_by_hand() -> None:
    # One layer, k + 1 pages: the page that LRU lacks left last but one visit or earlier, so it may be asked
    # for; OPT pays once in k faults.
    for k, g in ((2, 2), (3, 2), (4, 2), (4, 3)):
        assert exact_ratio("lru", LayeredInstance(1, k + 1, k, g)).ratio == k
    # All pages of a layer in every atomic visit: the adversary has no choice, and nobody can do better.
    for k in (2, 3):
        assert exact_ratio("lru", LayeredInstance(2, 2, k, 2, "atomic")).ratio == 1
    # One page a visit: an atomic visit is a sequential one.
    assert exact_ratio("lru", LayeredInstance(2, 3, 3, 1, "atomic")).ratio == 3


# Anchors


@pytest.mark.slow
@pytest.mark.parametrize("cache", [2, 3, 4])
def test_classical_values(cache: int) -> None:
    for more in (1, 2):
        instance = LayeredInstance(1, cache + more, cache)
        for policy in ("lru", "fifo", "fwf", "clock", "mark-fifo"):
            assert exact_ratio(policy, instance).ratio == cache
        for policy in ("lifo", "mru", "lfu-capped"):
            found = exact_ratio(policy, instance)
            assert found.ratio == INFINITE
            online, offline = repeated(found, policy)
            assert online > 0 == offline


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lru", "fifo", "fwf", "clock"])
def test_a_smaller_optimum(policy: str) -> None:
    for h in (1, 2, 3):
        found = exact_ratio(policy, LayeredInstance(1, 6, 3), opt_cache=h)
        assert found.ratio == Fraction(3, 3 - h + 1)
        online, offline = repeated(found, policy)
        assert Fraction(online, offline) == found.ratio


TABLE = {
    (2, 2, 2): Fraction(3, 2),
    (2, 3, 3): Fraction(3),
    (2, 2, 3): Fraction(3),
    (3, 2, 3): Fraction(5, 3),
    (3, 2, 4): Fraction(3),
    (4, 2, 4): Fraction(7, 4),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", TABLE)
def test_layered_values(shape: tuple[int, int, int]) -> None:
    for policy in ("lru", "llru"):
        found = exact_ratio(policy, LayeredInstance(*shape))
        assert found.ratio == TABLE[shape]
        online, offline = repeated(found, policy)
        assert Fraction(online, offline) == found.ratio


def documented() -> Iterator[tuple[tuple[int, int, int], str, str]]:
    """The table of docs/exact.md, cell by cell."""
    text = (Path(__file__).parents[2] / "docs" / "exact.md").read_text(encoding="utf-8")
    header, _, *rows = block(text, "table").splitlines()
    policies = [cell.strip() for cell in header.strip("|").split("|")][1:]
    for row in rows:
        shape, *values = [cell.strip() for cell in row.strip("|").split("|")]
        layers, pages, cache = map(int, shape.strip("()").split(","))
        for policy, value in zip(policies, values, strict=True):
            yield (layers, pages, cache), policy.strip("`"), value


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "policy", "value"), list(documented()))
def test_the_table_of_the_documentation(shape: tuple[int, int, int], policy: str, value: str) -> None:
    found = exact_ratio(policy, LayeredInstance(*shape))
    assert value == exact_text(found.ratio)
    if found.cycle is not None and found.states < 300:
        document = json.loads(json.dumps(found.certificate()))
        assert checker.verify(document).status == checker.VERIFIED


# Certificates of what was found


@pytest.mark.slow
@pytest.mark.parametrize("policy", FINITE)
def test_every_result_is_certified(policy: str) -> None:
    for instance in (*TINY[2:4], *TINY[5:]):
        if policy == "partitioned" and instance.cache < instance.layers:
            continue
        found = exact_ratio(policy, instance)
        document = json.loads(json.dumps(found.certificate()))
        verdict = checker.verify(document)
        # Without a rule in the checker the verdict rests on the policy's code, which a replay runs.
        ruled = policy in RULES or SPLIT.fullmatch(policy)
        assert verdict.status == (checker.VERIFIED if ruled else checker.CONDITIONAL), (instance, verdict)
        played = replay(document, verdict)
        assert played.status == checker.VERIFIED, (instance, played)
        if found.ratio == INFINITE:
            assert document["type"] == "cycle"
            with pytest.raises(NoCertificateError, match="no finite upper bound"):
                found.potential_certificate()
        else:
            assert verdict.reason.startswith(
                f"policy {policy}: the competitive ratio is exactly {found.ratio};"
            )
            assert checker.verify(found.potential_certificate()).status == verdict.status


@pytest.mark.slow
@pytest.mark.parametrize("opt_cache", [1, 2, 3])
def test_zrc_against_a_smaller_optimum_is_certified(opt_cache: int) -> None:
    # Its ties go by page number; against a smaller OPT that could matter.
    for shape in ((1, 5, 3), (2, 3, 3), (2, (2, 3), 3)):
        instance = LayeredInstance(*shape)  # type: ignore[arg-type]
        found = exact_ratio("zrc", instance, opt_cache=opt_cache)
        whole = exact_ratio("zrc", instance, opt_cache=opt_cache, symmetric=False)
        assert (found.ratio, found.additive) == (whole.ratio, whole.additive)
        for result in (found, whole):
            assert checker.verify(result.certificate()).status == checker.VERIFIED


@pytest.mark.slow
@pytest.mark.parametrize("policy", sorted(RULES))
def test_the_rules_of_the_checker_are_those_of_the_policies(policy: str) -> None:
    cls = get_policy(policy)
    larger = [LayeredInstance(1, 5, 3), LayeredInstance(2, 3, 4), LayeredInstance(3, 2, 4)]
    together = [
        LayeredInstance(layers, pages, cache, 2, visits="atomic")
        for layers, pages, cache in ((1, 4, 2), (1, 5, 4), (2, 3, 3))
        if "atomic" in cls.traits
    ]
    for instance in [*TINY, *larger, *VISITS, LayeredInstance(2, 3, 4, 2), *together]:
        serve = serving(RULES[policy], read_problem({"instance": instance.plain, "requests": []}, ()))
        seen = {((0,) * instance.total_pages, 0, frozenset[int]())}
        waiting = list(seen)
        while waiting:
            labels, slot, visit = waiting.pop()
            for page in set(instance.pages_of(slot // instance.per_visit)) - visit:
                served = np.array(labels, dtype=np.int64)
                frame, held = instance.frame, sorted(visit)
                if instance.visits == "atomic":
                    frame = frame.served_together()
                    frame.held[held] = True
                cls.serve(served, page, slot, frame)
                after = tuple(served.tolist())
                given = list(labels)
                assert tuple(serve(given, page, slot, held if len(frame.held) else ())) == after
                assert given == list(labels)
                then = (slot + 1) % instance.round_length
                state = (after, then, visit | {page} if then % instance.per_visit else frozenset[int]())
                if state not in seen and len(seen) < 3000:
                    seen.add(state)
                    waiting.append(state)


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("partitioned", (None, None)),
        ("partitioned:policy=zrc", ("zrc", None)),
        ("partitioned:shares=2/2", (None, "2/2")),
        ("partitioned:policy=fifo,shares=2/2", ("fifo", "2/2")),
        ("partitioned:policy=fifoshares=2/2", None),
        ("partitioned:,shares=2/2", None),
        ("partitioned:policy=fifo,", None),
        ("partitioned:", None),
    ],
)
def test_the_checker_reads_the_name_of_a_split_as_it_is_written(name: str, groups: object) -> None:
    found = SPLIT.fullmatch(name)
    assert (found and found.groups()) == groups


# Outside policies


class PlainLRU(Policy):
    """LRU in a way that no compiler takes."""

    id, title = "plain-lru", "LRU by sorting"
    traits = ORDINARY

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        order = sorted(
            (q for q in range(len(labels)) if labels[q] > 0 and q != page), key=lambda q: labels[q]
        )
        labels[:] = 0
        for rank, q in enumerate([page, *order][: frame.cache], start=1):
            labels[q] = rank


class Ghosts(Policy):
    """A page seen before enters in front, a new one last in line. Label: rank, or −1 = seen before."""

    id, title = "ghosts", "LRU that distrusts new pages"
    traits = ORDINARY - {"symmetric"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        size = int(np.count_nonzero(labels > 0))
        new = labels[page] == 0
        if labels[page] <= 0 and size == frame.cache:
            labels[labels == size] = -1
            size -= 1
        if labels[page] <= 0:
            labels[page] = size + 1
        if not new:
            labels[(labels > 0) & (labels < labels[page])] += 1
            labels[page] = 1


class RareFavourite(Policy):
    """LRU, but where page 0 would leave after a hit on page 1 alone, page 1 leaves: a rare asymmetry."""

    id, title = "rare-favourite", "LRU with a rare favourite"
    traits = ORDINARY

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if labels[page] == 0 and labels[0] == frame.cache and labels[1] == 1 and labels[2] == 2:
            labels[0], labels[1] = 1, frame.cache
        LRU.serve(labels, page, slot, frame)


class Illegal(Policy):
    """Forgets to load the fourth page."""

    id, title = "illegal", "forgetful LRU"
    traits = ORDINARY

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        if page != 3:
            LRU.serve(labels, page, slot, frame)


@pytest.mark.slow
@pytest.mark.parametrize("instance", [LayeredInstance(1, 4, 3), LayeredInstance(2, 2, 3)])
@pytest.mark.parametrize("policy", [PlainLRU, Ghosts, Favourite, RareFavourite])
def test_policies_from_outside(policy: type[Policy], instance: LayeredInstance) -> None:
    found = agrees(policy(), instance)
    whole = exact_ratio(policy(), instance, symmetric=False)
    assert (found.ratio, found.additive) == (whole.ratio, whole.additive)
    verdict = checker.verify(json.loads(json.dumps(found.certificate())))
    assert verdict.status == checker.CONDITIONAL
    assert verdict.conditions


def test_a_policy_that_does_not_compile_is_served_as_it_is() -> None:
    instance = LayeredInstance(2, 3, 4)
    plain, usual = (exact_ratio(policy, instance, symmetric=False) for policy in (PlainLRU(), "lru"))
    assert plain.states == usual.states > 2000  # where compiling sets in
    assert (plain.ratio, plain.additive) == (usual.ratio, usual.additive)


def test_the_toy_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "toy_package"))
    spec = "toy_policy:ToyPolicy"
    for instance in (LayeredInstance(1, 4, 3), LayeredInstance(2, 2, 2), LayeredInstance(2, (1, 3), 3)):
        agrees(spec, instance)
    path = tmp_path / "toy.json"
    assert paging_run(["exact", spec, "-l", "1", "-n", "4", "-k", "3", "--certificate", str(path)]) == 0
    assert read_certificate(path)["claim"]["policy"] == spec
    assert paging_run(["verify", str(path)]) == 3
    assert paging_run(["verify", str(path), "--policy", spec]) == 0
    assert "it was replayed" in capsys.readouterr().out


class Particular(Policy):
    """LRU, but a hit changes nothing where the first three pages stand in one of their orders."""

    id, title = "particular", "LRU that goes by names"
    traits = ORDINARY

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        before = labels.copy()
        LRU.serve(labels, page, slot, frame)
        if before[page] and before[:3].tolist() == [3, 2, 1]:
            labels[:] = before


def test_a_replay_asks_for_renamings() -> None:
    """Of labels that differ by a renaming one is listed; this policy does otherwise in another one."""
    found = exact_ratio("tests.proofs.test_exact:PlainLRU", LayeredInstance(2, 2, 3))
    document = json.loads(json.dumps(found.potential_certificate()))
    assert document["evidence"]["alike"] == ["pages", "layers"]
    verdict = checker.verify(document)
    assert replay(document, verdict).status == checker.VERIFIED
    document["claim"]["policy"] = "tests.proofs.test_exact:Particular"
    played = replay(document, checker.verify(document))
    assert played.status == checker.REFUTED
    assert "which differ by a renaming" in played.reason


class Bent(Policy):
    """LRU, but with a page held and labels that do not ascend a hit lets go of all that may leave."""

    id, title = "bent", "LRU that goes by names while pages are held"
    traits = ORDINARY | {"atomic"}

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        bends = labels[page] > 0 and frame.held.any() and sorted(labels.tolist()) != labels.tolist()
        LRU.serve(labels, page, slot, frame)
        if bends:
            labels[(labels > 0) & ~frame.held & (np.arange(len(labels)) != page)] = 0


class Straight(Policy):
    """LRU by another name."""

    id, title = "straight", "LRU"
    traits = ORDINARY | {"atomic"}
    serve = staticmethod(LRU.serve)  # type: ignore[assignment]


def test_a_replay_renames_what_is_held() -> None:
    """A policy that goes by names only while an atomic visit holds pages is not alike to all of them."""
    found = exact_ratio("tests.proofs.test_exact:Straight", LayeredInstance(1, 4, 3, 2, visits="atomic"))
    document = json.loads(json.dumps(found.potential_certificate()))
    assert document["evidence"]["alike"]
    assert replay(document, checker.verify(document)).status == checker.VERIFIED
    document["claim"]["policy"] = "tests.proofs.test_exact:Bent"
    played = replay(document, checker.verify(document))
    assert (played.status, "policy bent" in played.reason) == (checker.REFUTED, True)


def test_a_split_of_a_work_function_has_a_rule() -> None:
    """Its ties go by page number inside of every part."""
    policy = "partitioned:policy=zrc"
    found = exact_ratio(policy, LayeredInstance(1, 4, 3))
    document = json.loads(json.dumps(found.certificate()))
    verdict = checker.verify(document)
    assert (verdict.status, found.ratio) == (checker.VERIFIED, 3)
    assert replay(document, verdict).status == checker.VERIFIED


def test_a_replay_notices_another_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    found = exact_ratio("tests.proofs.test_exact:PlainLRU", LayeredInstance(1, 4, 3))
    document = json.loads(json.dumps(found.potential_certificate()))
    verdict = checker.verify(document)
    assert replay(document, verdict).conditions == ()
    monkeypatch.setattr("proofs.certificates.replay.RENAMINGS", 3)
    played = replay(document, verdict)
    assert len(played.conditions) == 1
    assert "alike" in played.conditions[0]
    document["claim"]["policy"] = "fifo"
    assert checker.verify(document).status == checker.REFUTED  # what fifo does is known, not what is listed
    document["claim"]["policy"] = "tests.proofs.test_exact:Ghosts"
    assert checker.verify(document).status == checker.CONDITIONAL
    played = replay(document, verdict)
    assert played.status == checker.REFUTED
    assert "policy ghosts goes on with" in played.reason


def test_an_illegal_policy_is_refused() -> None:
    with pytest.raises(IllegalAnswerError, match=r"page 3 where .* the requested page is missing"):
        exact_ratio(Illegal(), LayeredInstance(1, 4, 2))


def test_a_policy_with_infinitely_many_states() -> None:
    instance = LayeredInstance(1, 3, 2)
    with pytest.raises(ModelError, match="does not declare the trait finite-state"):
        exact_ratio("lfu", instance)
    seen: list[RatioProgress] = []
    found = exact_ratio("lfu", LayeredInstance(2, 3, 3), max_states=3000, watch=Watch(seen.append))
    assert found.ratio in (None, INFINITE)
    assert not found.complete
    assert found.states > 3000
    assert found.additive is None
    assert seen
    assert "states" in str(seen[-1])


def test_what_has_no_ratio_is_refused() -> None:
    with pytest.raises(ModelError, match="all 3 pages fit the cache"):
        exact_ratio("lru", LayeredInstance(1, 3, 3))
    with pytest.raises(ModelError, match="randomised"):
        exact_ratio("mark", LayeredInstance(1, 3, 2))
    with pytest.raises(ModelError, match="max_states"):
        exact_ratio("lru", LayeredInstance(1, 3, 2), max_states=0)
    with pytest.raises(ModelError, match="opt_cache"):
        exact_ratio("lru", LayeredInstance(1, 3, 2), opt_cache=3)
    with pytest.raises(UnsupportedModelError, match="forced service"):
        exact_ratio("lru", LayeredInstance(1, 3, 2, bypassing=True))
    with pytest.raises(UnsupportedModelError, match="trait 'atomic'"):
        exact_ratio("zrc", LayeredInstance(1, 3, 2, 2, "atomic"))
    with pytest.raises(ModelError, match=r"opt_cache \(h\) must be an integer in 2 … 3, got 1"):
        exact_ratio("lru", LayeredInstance(1, 4, 3, 2, "atomic"), opt_cache=1)


def test_a_stopped_computation_keeps_what_it_knows() -> None:
    asked = iter([False] * 3 + [True] * 10**6)
    found = exact_ratio("fifo", LayeredInstance(2, 4, 5), watch=Watch(stop=lambda: next(asked)))
    assert not found.complete
    assert found.ratio is None
    if found.cycle is not None:
        assert checker.verify(found.certificate()).status == checker.VERIFIED
    stopped = exact_ratio("lru", LayeredInstance(2, 2, 3), watch=Watch(stop=lambda: True))
    assert (stopped.ratio, stopped.lower) == (None, 0)
    with pytest.raises(NoCertificateError, match="no cycle is known"):
        stopped.certificate()


@pytest.mark.slow
def test_progress_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.ratio.deterministic.FIRST_LOOK", 100)
    monkeypatch.setattr("proofs.ratio.deterministic.CHUNK", 50)
    seen: list[RatioProgress] = []
    found = exact_ratio("fifo", LayeredInstance(2, 3, 4), watch=Watch(seen.append))
    assert [p.states for p in seen] == sorted(p.states for p in seen)
    lowers = [p.lower for p in seen if p.lower is not None]
    assert lowers == sorted(lowers)
    assert any(p.lower is not None and not p.solving for p in seen)
    assert seen[-1].solving
    assert seen[-1].frontier == 0
    assert found.ratio == exact_ratio("fifo", LayeredInstance(2, 3, 4), symmetric=False).ratio


# The command


def call(capsys: Capture, words: str, *more: str) -> tuple[int, str, str]:
    code = paging_run(["exact", *words.split(), *more])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_json(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "lru.json.gz"
    code, out, err = call(capsys, "lru -l 2 -n 2 -k 2 --json --certificate", str(path))
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert {**answer, "provenance": None} == {
        "policy": "lru",
        "instance": LayeredInstance(2, 2, 2).plain,
        "opt_cache": 2,
        "model": LayeredInstance(2, 2, 2).model,
        "ratio": "3/2",
        "lower": "3/2",
        "upper": "3/2",
        "additive": "0",
        "exact": True,
        "prefix": answer["prefix"],
        "cycle": answer["cycle"],
        "online": answer["online"],
        "offline": answer["offline"],
        "states": answer["states"],
        "edges": answer["edges"],
        "iterations": answer["iterations"],
        "theorems": {"lower": None, "upper": None},
        "complete": True,
        "max_states": answer["max_states"],
        "states_estimated": answer["states_estimated"],
        "output": str(path),
        "provenance": None,
    }
    assert Fraction(answer["online"], answer["offline"]) == Fraction(3, 2)
    assert checker.verify_file(str(path)).reason.startswith(
        "policy lru: the competitive ratio is exactly 3/2;"
    )


@pytest.mark.parametrize(("visits", "ratio"), [("sequential", "4"), ("atomic", "3")])
def test_visits_in_json(visits: str, ratio: str, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "visits.json"
    words = f"lru -l 2 -n 3 -k 5 -g 2 --visits {visits} --json --certificate"
    code, out, err = call(capsys, words, str(path))
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert (answer["ratio"], answer["exact"], answer["theorems"]["upper"]) == (ratio, True, None)
    assert answer["model"] == {**answer["model"], "per_visit": 2, "visits": visits}
    document = read_certificate(path)
    assert set(document["evidence"]) == {"cycle", "potential"}
    verdict = checker.verify(document)
    assert verdict.status == replay(document, verdict).status == checker.VERIFIED
    assert "2 pages a visit" in verdict.assumptions


def test_unbounded_and_unequal_layers_in_json(capsys: Capture) -> None:
    answer = json.loads(call(capsys, "lifo -l 1 -n 3 -k 2 --json")[1])
    assert (answer["ratio"], answer["lower"], answer["additive"]) == ("unbounded", "unbounded", None)
    assert answer["offline"] == 0 < answer["online"]
    answer = json.loads(call(capsys, "lru -l 2 -n 3,1 -k 3 --opt-cache 2 --no-symmetry --json")[1])
    assert answer["instance"]["pages"] == [3, 1]
    assert answer["opt_cache"] == 2
    assert answer["ratio"] == str(exact_ratio("lru", LayeredInstance(2, (3, 1), 3), opt_cache=2).ratio)


def test_table(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    code, out, _ = call(capsys, "fifo -l 1 -n 4 -k 3 --certificate", str(path))
    assert code == 0
    shown = " ".join(out.split())
    for text in ("exact", "faults ≤ 3·OPT + 0", "Cycle of", str(path.name)):
        assert text in shown


def test_a_class_of_ones_own_with_a_finite_ratio_gets_its_table(capsys: Capture) -> None:
    code, out, err = call(capsys, f"{PlainLRU.__module__}:{PlainLRU.__name__} -l 1 -n 4 -k 3")
    assert code == 0, err
    assert "Every sequence: faults ≤ 3·OPT + 0" in out


def test_max_states_gives_an_interval(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    words = "sieve -l 2 -n 3 -k 4 --max-states 300"  # no theorem bounds it from above here
    code, out, _ = call(capsys, words, "--json", "--certificate", str(path))
    answer = json.loads(out)
    assert code == 0
    assert (answer["exact"], answer["ratio"], answer["upper"]) == (False, None, None)
    assert Fraction(answer["lower"]) >= 3
    assert read_certificate(path)["type"] == "cycle"
    assert checker.verify_file(str(path)).status == checker.VERIFIED
    assert "a lower bound" in call(capsys, words)[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("lru -l 1 -n 3 -k 3", "all 3 pages fit the cache"),
        ("no-such -l 1 -n 3 -k 2", "unknown policy"),
        ("lfu -l 1 -n 3 -k 2", "finite-state"),
        ("lru -l 1 -n 3 -k 2 --opt-cache 3", "opt_cache"),
        ("lru -l 1 -n 3 -k 2 --max-states 0", "max"),
        ("lru -l 2 -n 3,2,1 -k 2", "pages"),
        ("partitioned -l 3 -n 2 -k 2", "without a slot"),
        ("lru -l 1 -n 3 -k 2 --certificate {}/c.txt", "ends in .json"),
        ("lru -l 1 -n 3 -k 2 --certificate {}/absent/c.json", "no folder"),
        ("lru -l 1 -n 3 -k 2 --max-states 1 --certificate {}/c.json", "no cycle is known in which"),
    ],
)
def test_errors_are_one_line(words: str, says: str, capsys: Capture, tmp_path: Path) -> None:
    code, out, err = call(capsys, words.format(tmp_path))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_interrupt_prints_the_interval_known_so_far() -> None:
    args = [str(PROGRAM), "exact", "sieve", "-l", "3", "-n", "5", "-k", "9"]
    child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    first = child.stderr.readline()
    assert "states" in first
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 130
    assert "a lower bound" in out


def test_limits_of_labels() -> None:
    class Deep(Policy):
        """A label that does not fit."""

        id, title = "deep", "LRU with a large label"
        traits = ORDINARY

        @staticmethod
        def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
            LRU.serve(labels, page, slot, frame)
            labels[page] = 2**31

    found = exact_ratio(Deep(), LayeredInstance(1, 3, 2))
    assert not found.complete
    with pytest.raises(LimitError, match="grow beyond"):
        ProductGraph(Deep(), LayeredInstance(1, 3, 2)).explore()


def test_theorems_say_what_is_too_large_to_search(capsys: Capture) -> None:
    code, out, _ = call(capsys, "lru -l 8 -n 8 -k 32 --json")
    found = json.loads(out)
    assert code == 0
    assert (found["ratio"], found["exact"], found["complete"]) == ("32", True, False)
    assert found["states"] <= 16384
    assert found["states_estimated"] > 200_000
    theorem = found["theorems"]["upper"]
    assert (theorem["theorem"], theorem["status"]) == ("L3-tight", "ours")
    assert call(capsys, "lru -l 8 -n 8 -k 32")[1].count("Exactly 32 by the theorem L3-tight (ours; ") == 1


def test_theorems_narrow_what_a_search_leaves_open(capsys: Capture) -> None:
    found = json.loads(call(capsys, "random -l 3 -n 2 -k 2 --max-states 100 --json")[1])
    assert (found["ratio"], found["lower"], found["upper"]) == (None, "1", "2")
    assert found["theorems"]["upper"]["theorem"] == "random-upper"
    table = call(capsys, "random -l 3 -n 2 -k 2 --max-states 100")[1]
    assert "1 … 2" in table
    assert "an interval" in table


def test_what_is_searched_to_the_end_needs_no_theorem(capsys: Capture) -> None:
    found = json.loads(call(capsys, "lru -l 2 -n 3 -k 3 --json")[1])
    assert found["complete"]
    assert found["theorems"] == {"lower": None, "upper": None}


@pytest.mark.parametrize(("policy", "shape"), [("lru", (2, 3, 4)), ("fifo", (3, 2, 4))])
def test_the_estimate_is_no_more_than_there_is(policy: str, shape: tuple[int, int, int]) -> None:
    instance = LayeredInstance(*shape)
    states = compute(policy, instance).states
    assert states / 20 < estimated_states(policy, instance) <= states


def test_the_limit_is_a_share_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.ratio.estimate.machine_memory", lambda: 4 * 3 * (9 + 15 + 16) * 1000)
    assert affordable_states(LayeredInstance(3, 3, 4)) == 1000
    assert machine_memory() > 2**20
