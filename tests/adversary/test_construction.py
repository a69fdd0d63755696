"""Every construction keeps its promise on a grid of instances, for every policy it speaks about."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from adversary import (
    BrokenPromiseError,
    Construction,
    constructions,
    expected_phase_length,
    get_construction,
    phase_schedule,
)
from adversary.cycles.product_graph import ProductGraph
from adversary.docs import SECTIONS
from paging import (
    InfeasibleScheduleError,
    LayeredInstance,
    LimitError,
    ModelError,
    RequestSequence,
    Schedule,
    UnknownNameError,
    farthest_in_future,
    phase_starts,
    simulate,
)
from proofs.bounds.registry import get_bound

GRID = [
    LayeredInstance(layers, pages, cache)
    for layers, pages in product((1, 2, 3, 4), (2, 3, 4, 6))
    for cache in range(1, layers * pages + 1)
] + [LayeredInstance(3, (2, 5, 3), k) for k in range(2, 10)]

DETERMINISTIC = (
    "lru",
    "fifo",
    "lifo",
    "mru",
    "clock",
    "sieve",
    "lfu",
    "fwf",
    "mark-fifo",
    "llru",
    "llru-lazy",
)


def built(name: str, instance: LayeredInstance, policy: str, rounds: int = 60) -> Construction | None:
    """Build a construction, or return None where its conditions exclude the instance."""
    try:
        return get_construction(name)(instance, rounds=rounds, policy=policy)
    except ModelError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("policy", DETERMINISTIC)
def test_missing_page_keeps_its_promise_wherever_l2_applies(policy: str) -> None:
    endless = 0
    for instance in GRID:
        made = built("missing-page", instance, policy)
        applies = instance.layers <= instance.cache < instance.total_pages
        assert (made is not None) == applies
        if made is None:
            continue
        run = made.run()
        made.check(run)
        assert farthest_in_future(made.sequence).faults <= made.offline.faults
        assert made.limit == instance.cache - instance.layers + 1
        # A fault a round whatever happens; policies that cling to old pages never end a phase.
        assert run.faults >= 60
        endless += made.periods == 0 and made.offline.faults <= instance.cache + 1
    assert (endless > 20) == (policy in ("lifo", "mru"))


@pytest.mark.parametrize("spread", [(1, 8), (4, 5), (7, 2)])
def test_missing_page_with_any_distribution_of_its_pages(spread: tuple[int, ...]) -> None:
    made = get_construction("missing-page")(
        LayeredInstance(2, 8, 8), policy="llru", rounds=200, spread=spread
    )
    made.check(made.run())
    in_layer = [len({p for p in made.sequence if p // 8 == j}) for j in (0, 1)]
    assert tuple(in_layer) == spread


@pytest.mark.parametrize("policy", ["lru", "fifo", "clock", "fwf", "mark-lru", "mark-fifo"])
def test_cyclic_makes_every_request_a_fault(policy: str) -> None:
    for instance in GRID:
        made = built("cyclic", instance, policy)
        divides = (instance.cache + 1) % instance.layers == 0
        room = min(instance.pages_by_layer) * instance.layers >= instance.cache + 1
        assert (made is not None) == (divides and room)
        if made is not None:
            run = made.run(policy)
            made.check(run)
            assert run.faults == len(made.sequence)
            assert farthest_in_future(made.sequence).faults == made.offline.faults


@pytest.mark.parametrize("policy", ["lru", "mark-lru"])
def test_rehearsed_makes_lru_fault_k_times_a_phase(policy: str) -> None:
    applied = 0
    for instance in GRID:
        made = built("rehearsed", instance, policy, rounds=90)
        covered = instance.layers >= 2 and 2 * instance.layers - 1 <= instance.cache < instance.total_pages
        assert (made is not None) == covered
        if made is not None:
            made.check(made.run(policy))
            assert made.limit == instance.cache
            assert made.periods >= 2
            assert farthest_in_future(made.sequence).faults == made.offline.faults
            applied += 1
    assert applied > 50


@pytest.mark.parametrize("spread", [(2, 2, 6), (5, 3, 2), (2, 6, 2), (4, 3, 3)])
def test_rehearsed_with_any_distribution_of_its_pages(spread: tuple[int, ...]) -> None:
    made = get_construction("rehearsed")(LayeredInstance(3, 6, 9), rounds=300, spread=spread)
    made.check(made.run("lru"))
    assert tuple(len({p for p in made.sequence if p // 6 == j}) for j in range(3)) == spread
    with pytest.raises(ModelError, match="at least 2 pages"):
        get_construction("rehearsed")(LayeredInstance(3, 6, 9), spread=(1, 4, 5))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lru", "fifo", "clock", "fwf", "mark-lru", "mark-fifo"])
def test_one_page_each_with_fewer_slots_than_layers(policy: str) -> None:
    for instance in [*GRID, *(LayeredInstance(layers, 1, k) for layers in (5, 7) for k in range(1, layers))]:
        made = built("one-page-each", instance, policy)
        layers, cache = instance.layers, instance.cache
        assert (made is not None) == (cache < layers)
        if made is not None:
            made.check(made.run(policy))
            assert made.limit == Fraction(layers - 1, layers - cache)
            assert farthest_in_future(made.sequence).faults == made.offline.faults


def test_domino_makes_fifo_fault_k_times_for_every_page_replaced() -> None:
    applied = 0
    for instance in [*GRID, LayeredInstance(3, (2, 6, 3), 10), LayeredInstance(6, 2, 6)]:
        made = built("domino", instance, "fifo", rounds=120)
        assert (made is not None) == (instance.layers <= instance.cache < instance.total_pages)
        if made is not None:
            made.check(made.run("fifo"))
            assert made.limit == instance.cache
            assert made.periods >= 3
            assert farthest_in_future(made.sequence).faults == made.offline.faults
            applied += 1
    assert applied > 70


@pytest.mark.parametrize(
    "shape", [(2, 2, 2), (3, 2, 3), (3, 2, 4), (2, 3, 4), (4, 2, 4), (4, 2, 2), (5, 2, 3)]
)
def test_exact_ratio_of_fifo(shape: tuple[int, int, int]) -> None:
    layers, _, cache = shape
    graph = ProductGraph("fifo", LayeredInstance(*shape))
    graph.explore(max_states=3000)
    best = graph.best_cycle()
    assert best is not None
    assert best.ratio == (cache if cache >= layers else Fraction(layers - 1, layers - cache))


def lru_reaches_k(instance: LayeredInstance) -> bool:
    return instance.cache in (1, instance.layers - 1) or instance.cache >= 2 * instance.layers - 1


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_lru_reaches_k_exactly_where_the_theorem_says(layers: int) -> None:
    # The product graph gives the exact ratio, by exhaustion and without the proof.
    tried = 0
    for pages in (2, 3, 4):
        for cache in range(1, layers * pages):
            instance = LayeredInstance(layers, pages, cache)
            graph = ProductGraph("lru", instance)
            try:
                graph.explore(max_states=2600, chunk=500)
            except LimitError:
                continue
            best = graph.best_cycle()
            assert best is not None
            assert (best.ratio == cache) == lru_reaches_k(instance), instance
            if cache < layers:
                assert best.ratio == Fraction(layers - 1, layers - cache)
            tried += 1
    assert tried >= 6, layers


def test_some_construction_forces_k_wherever_lru_reaches_it() -> None:
    for instance in GRID:
        if instance.cache >= instance.total_pages or len(set(instance.pages_by_layer)) > 1:
            continue
        makers = [built(name, instance, "lru") for name in ("cyclic", "rehearsed", "one-page-each")]
        reached = any(made is not None and made.limit == instance.cache for made in makers)
        assert reached == lru_reaches_k(instance), instance
        assert (get_bound("L3-tight").excluded(instance) is None) == reached


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fixed-split", "fixed-split-cyclic"])
@pytest.mark.parametrize("inner", ["lru", "fifo", "lfu", "llru"])
def test_fixed_split_starves_every_split(name: str, inner: str) -> None:
    applied = 0
    for instance in GRID:
        made = built(name, instance, f"partitioned:policy={inner}")
        if made is None:
            continue
        made.check(made.run())
        assert made.offline.faults <= min(made.values["m"] + instance.layers, instance.cache)
        assert made.limit == float("inf")
        applied += 1
    assert applied > 10


@pytest.mark.slow
def test_fixed_split_against_uneven_shares() -> None:
    for shares in product(range(1, 8), repeat=3):
        if sum(shares) > 9:
            continue
        for name in ("fixed-split", "fixed-split-cyclic"):
            policy = f"partitioned:shares={'/'.join(map(str, shares))}"
            made = get_construction(name)(LayeredInstance(3, 6, 9), policy=policy, rounds=50)
            made.check(made.run(policy))
            assert made.values["m"] == min(shares)


def test_fixed_split_starves_the_poorest_layer_that_has_pages_enough() -> None:
    # Layer 0 has one page and one slot: nothing to starve. Layer 2 has 3 slots for 5 pages.
    made = get_construction("fixed-split")(
        LayeredInstance(3, (1, 4, 5), 8), policy="partitioned:shares=1/4/3", rounds=50
    )
    made.check(made.run())
    assert made.values["m"] == 3


@pytest.mark.parametrize("opt_cache", [1, 2, 3, 5])
@pytest.mark.parametrize("policy", DETERMINISTIC)
def test_sleator_tarjan_with_a_smaller_optimum(policy: str, opt_cache: int) -> None:
    for cache in (5, 7):
        made = get_construction("sleator-tarjan")(
            LayeredInstance(1, 2 * cache, cache), policy=policy, rounds=200, opt_cache=opt_cache
        )
        run = made.run()
        made.check(run)
        assert run.faults == len(made.sequence)
        assert made.limit == Fraction(cache, cache - opt_cache + 1)
        assert farthest_in_future(made.sequence.with_cache(opt_cache)).faults <= made.offline.faults


@pytest.mark.parametrize("policy", ["lifo", "mru", "lfu", "lfu-capped"])
@pytest.mark.parametrize("cache", [2, 3, 6])
def test_alternating_is_unbounded(policy: str, cache: int) -> None:
    made = get_construction("alternating")(LayeredInstance(1, cache + 1, cache), policy=policy, rounds=500)
    made.check(made.run(policy))
    assert made.offline.faults == farthest_in_future(made.sequence).faults == cache + 1
    with pytest.raises(BrokenPromiseError):
        made.check(simulate("lru", made.sequence, record=True))


@pytest.mark.parametrize(("layers", "share"), [(1, 2), (1, 5), (2, 2), (2, 4), (3, 2), (3, 3), (5, 2)])
def test_uniform_phases_have_the_exact_mean_length(layers: int, share: int) -> None:
    made = get_construction("uniform")(
        LayeredInstance(layers, share, layers * share - 1), rounds=60_000 // layers, seed=5
    )
    made.check()
    lengths = np.diff(made.boundaries)
    error = lengths.std(ddof=1) / np.sqrt(len(lengths))
    assert abs(lengths.mean() - float(expected_phase_length(layers, share))) < 5 * error


def test_uniform_phase_length_agrees_with_a_markov_chain() -> None:
    # Independent route: solve the absorbing chain on (pages seen per layer, layer served) exactly.
    for layers, share in [(1, 3), (2, 2), (2, 3), (3, 2)]:
        assert expected_phase_length(layers, share) == _by_markov_chain(layers, share)


def _by_markov_chain(layers: int, share: int) -> Fraction:
    seen = {}

    def symbol(state: tuple[tuple[int, ...], int]) -> sympy.Symbol:
        return seen.setdefault(state, sympy.Symbol(f"x{len(seen)}"))

    start = ((1, *[0] * (layers - 1)), 1 % layers)
    equations, todo, done = [], [start], set()
    while todo:
        state = todo.pop()
        if state in done:
            continue
        done.add(state)
        counts, layer = state
        value = sympy.Integer(1)
        missing = share - counts[layer]
        after = (*counts[:layer], counts[layer] + 1, *counts[layer + 1 :])
        for chance, following in ((share - missing, counts), (missing, after)):
            if chance and sum(following) < layers * share:
                target = (following, (layer + 1) % layers)
                value += sympy.Rational(chance, share) * symbol(target)
                todo.append(target)
        equations.append(sympy.Eq(symbol(state), value))
    solution = sympy.solve(equations, list(seen.values()))[symbol(start)]
    return Fraction(int(solution.p), int(solution.q))


def test_uniform_forces_at_least_both_closed_forms() -> None:
    for layers, share in product(range(2, 8), range(2, 7)):
        ratio = expected_phase_length(layers, share) / (layers * share)
        assert ratio >= sympy.harmonic(share)
        assert ratio >= ((share - 1) * sympy.harmonic(layers - 1) - 1) / share
    for share in range(2, 9):
        assert expected_phase_length(1, share) / share == sympy.harmonic(share - 1)
    assert expected_phase_length(2, 2) / 4 == Fraction(3, 2)


@pytest.mark.parametrize("policy", ["mark", "random", "lru", "llru", "fwf"])
def test_uniform_costs_every_policy_its_rate(policy: str) -> None:
    made = get_construction("uniform")(LayeredInstance(2, 3, 5), rounds=6000, seed=3)
    faults = made.run(policy, seed=1).faults
    assert faults > 2000 - 6 * 2000**0.5


def test_limits_are_derived_from_the_promise() -> None:
    ell, k, h = sympy.symbols("ell k h", integer=True, positive=True)
    limits = {name: adversary().promise.limit for name, adversary in constructions().items()}
    assert limits["missing-page"] == k - ell + 1
    assert limits["cyclic"] == k
    assert limits["sleator-tarjan"].equals(k / (k - h + 1))
    assert limits["fixed-split"] == limits["alternating"] == sympy.oo


@pytest.mark.parametrize(
    ("name", "instance", "policy", "condition"),
    [
        ("missing-page", LayeredInstance(3, 3, 2), "lru", "k ≥ ℓ"),
        ("missing-page", LayeredInstance(2, 2, 4), "lru", "k < number of pages"),
        ("missing-page", LayeredInstance(2, 2, 3), "mark", "deterministic"),
        ("cyclic", LayeredInstance(2, 4, 6), "lru", "ℓ to divide k + 1"),
        ("cyclic", LayeredInstance(2, 2, 5), "lru", "n ≥ (k + 1)/ℓ"),
        ("domino", LayeredInstance(3, 3, 2), "fifo", "k ≥ ℓ"),
        ("domino", LayeredInstance(2, 2, 4), "fifo", "k < number of pages"),
        ("domino", LayeredInstance(2, (1, 5), 4), "fifo", "n ≥ 2"),
        ("rehearsed", LayeredInstance(1, 5, 3), "lru", "ℓ ≥ 2"),
        ("rehearsed", LayeredInstance(3, 3, 4), "lru", "k ≥ 2ℓ − 1"),
        ("rehearsed", LayeredInstance(2, 2, 4), "lru", "k < number of pages"),
        ("rehearsed", LayeredInstance(2, (1, 5), 4), "lru", "n ≥ 2"),
        ("one-page-each", LayeredInstance(3, 2, 3), "lru", "k < ℓ"),
        ("fixed-split", LayeredInstance(1, 5, 3), "partitioned", "ℓ ≥ 2"),
        ("fixed-split", LayeredInstance(2, 5, 2), "partitioned", "k ≥ ℓ + 1"),
        ("fixed-split", LayeredInstance(2, 2, 4), "partitioned", "n > k/ℓ"),
        ("fixed-split", LayeredInstance(2, 4, 4), "lru", "fixed split"),
        ("fixed-split", LayeredInstance(2, 4, 4), "partitioned:policy=mark", "deterministic"),
        ("sleator-tarjan", LayeredInstance(2, 9, 4), "lru", "ℓ = 1"),
        ("sleator-tarjan", LayeredInstance(1, 7, 4), "lru", "n ≥ 2k"),
        ("alternating", LayeredInstance(1, 3, 1), "mru", "k ≥ 2"),
        ("uniform", LayeredInstance(2, 3, 1), "lru", "(k + 1)/ℓ ≥ 2"),
        ("uniform", LayeredInstance(1, 3, 2, bypassing=True), "lru", "forced service"),
        ("cyclic", LayeredInstance(2, 4, 7, per_visit=2), "lru", "g = 1"),
    ],
)
def test_a_violated_condition_is_named(
    name: str, instance: LayeredInstance, policy: str, condition: str
) -> None:
    with pytest.raises(ModelError) as caught:
        get_construction(name)(instance, policy=policy)
    assert condition in str(caught.value)


def test_unknown_names_and_options() -> None:
    with pytest.raises(UnknownNameError, match="did you mean cyclic"):
        get_construction("ciclic")
    with pytest.raises(ModelError, match="no option 'opt_cash'; its options: opt_cache"):
        get_construction("sleator-tarjan")(opt_cash=2)
    with pytest.raises(ModelError, match="opt_cache"):
        get_construction("sleator-tarjan")(opt_cache=7)
    with pytest.raises(ModelError, match="spread"):
        get_construction("missing-page")(spread=(1, 1, 1))


def test_what_a_construction_needs_is_said_by_its_entry() -> None:
    entries = constructions().values()
    assert [entry.id for entry in entries if entry.split_only] == ["fixed-split", "fixed-split-cyclic"]
    assert [entry.id for entry in entries if entry.smaller_opt] == ["sleator-tarjan"]
    for entry in entries:
        built = entry()
        assert (built.id, built.bound) == (entry.id, entry.bound)
        assert (built.seed == 0) == (entry.kind == "random")
        assert (built.policy is not None) == (entry.kind == "adaptive" or entry.split_only)


def test_a_false_offline_schedule_is_refused() -> None:
    made = get_construction("cyclic")(rounds=50)
    entries = made.offline.entries.copy()
    late = int(np.flatnonzero(entries >= 0)[2])
    entries[late] = -2
    lie = Construction(**{**vars(made), "offline": Schedule(made.sequence, entries)})
    with pytest.raises(InfeasibleScheduleError, match=f"request {late}"):
        lie.check()


def test_a_promise_too_good_is_refused() -> None:
    made = get_construction("missing-page")(rounds=100, policy="llru")
    promise = type(made.promise)(
        "a k-phase", made.promise.online + 1, made.promise.offline, made.promise.start
    )
    with pytest.raises(BrokenPromiseError, match="llru pays"):
        Construction(**{**vars(made), "promise": promise}).check(made.run())
    cheap = type(made.promise)("a k-phase", made.promise.online, sympy.Integer(0), made.promise.start)
    with pytest.raises(BrokenPromiseError, match="offline pays"):
        Construction(**{**vars(made), "promise": cheap}).check()


def test_phase_schedule_faults_once_a_phase() -> None:
    rng = np.random.default_rng(1)
    for cache in (1, 2, 5):
        sequence = RequestSequence(LayeredInstance(1, cache + 1, cache), rng.integers(cache + 1, size=300))
        schedule, starts = phase_schedule(sequence)
        schedule.check()
        assert list(starts) == phase_starts(sequence, cache)
        assert schedule.faults == cache + len(starts) - 1 == farthest_in_future(sequence).faults
    with pytest.raises(ModelError, match="distinct pages"):
        phase_schedule(RequestSequence(LayeredInstance(1, 4, 2), [0, 1, 2, 3]))


def test_adversaries_are_reproducible() -> None:
    uniform = get_construction("uniform")
    assert uniform(seed=4).sequence == uniform(seed=4).sequence
    assert uniform(seed=4).sequence != uniform(seed=5).sequence


def test_every_construction_documents_itself_and_runs_on_its_demo() -> None:
    for name, adversary in constructions().items():
        assert {"", *SECTIONS, "Parameters"} <= set(adversary.sections), name
        assert adversary.sections["Parameters"].startswith("instance : LayeredInstance\n"), name
        for policy in adversary.victims:
            made = adversary(policy=policy, rounds=120)
            made.check(made.run(policy))
            assert made.periods > 0
