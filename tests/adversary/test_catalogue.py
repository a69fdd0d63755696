"""The constructions beyond the first ones: promises on a grid, minimality, exact rates, the docs page."""

import json
import re
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import sympy

from adversary import Construction, catalogue, constructions, expected_phase_length, get_construction
from adversary.catalogue.belady import SMALLEST
from adversary.catalogue.cruel import CruelGame
from adversary.catalogue.llru_cycles import FOUND
from adversary.catalogue.uniform import next_opening, phase_length_from, steady_phase_length
from adversary.cycles.cycle import construction_cycle, cycle_certificate, periodic_cycle
from adversary.cycles.search import Search
from adversary.docs import gallery, table
from paging import (
    LayeredInstance,
    LimitError,
    ModelError,
    RequestSequence,
    farthest_in_future,
    get_policy,
    phase_starts,
    simulate,
)
from paging.cli.main import run as paging_run
from paging.markdown import block
from paging.model import HIT
from paging.numbers import read_exact
from paging.traces import read_trace
from proofs.certificates.replay import replay
from proofs.checker import CONDITIONAL, VERIFIED, verify

ROOT = Path(__file__).parents[2]
GRID = [
    LayeredInstance(layers, pages, cache)
    for layers, pages in product((1, 2, 3), (2, 3, 4))
    for cache in range(1, layers * pages)
] + [LayeredInstance(3, (2, 5, 3), k) for k in range(2, 10)]


def built(name: str, instance: LayeredInstance, policy: str, **options: object) -> Construction | None:
    try:
        return get_construction(name)(instance, rounds=60, policy=policy, **options)
    except ModelError:
        return None


@pytest.mark.parametrize("policy", ["lifo", "mru", "lfu", "lfu-capped"])
def test_alternating_layered_is_unbounded(policy: str) -> None:
    applied = 0
    for instance in GRID:
        made = built("alternating-layered", instance, policy)
        covered = instance.layers >= 2 and instance.layers < instance.cache < instance.total_pages
        assert (made is not None) == (covered and max(instance.pages_by_layer) >= 3)
        if made is not None:
            made.check(made.run(policy))
            assert made.offline.faults == farthest_in_future(made.sequence).faults <= instance.cache + 1
            assert made.periods > 10
            applied += 1
    assert applied > 10


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lru", "llru", "fifo", "lifo", "clock", "fwf", "mark-fifo"])
def test_cruel_keeps_its_promise_wherever_l2_applies(policy: str) -> None:
    for instance in GRID:
        made = built("cruel", instance, policy)
        assert (made is not None) == (instance.layers <= instance.cache)
        if made is None:
            continue
        run = made.run()
        made.check(run)
        assert made.offline.faults == farthest_in_future(made.sequence).faults
        assert made.limit == instance.cache - instance.layers + 1
        assert run.faults >= 60


def test_cruel_with_look_ahead_and_more_pages() -> None:
    instance = LayeredInstance(2, 4, 4)
    for depth, in_play in product((1, 2, 4), (5, 6, 8)):
        made = get_construction("cruel")(instance, policy="lru", rounds=100, depth=depth, in_play=in_play)
        made.check(made.run())
        assert made.sequence.distinct_pages <= in_play
    for options in ({"depth": 0}, {"in_play": 4}, {"in_play": 9}):
        with pytest.raises(ModelError, match=next(iter(options))):
            get_construction("cruel")(instance, **options)


@pytest.mark.parametrize("seed", range(3))
def test_cruel_asks_for_a_missing_page_that_costs_opt_least(seed: int) -> None:
    instance = LayeredInstance(2, 4, 4)
    game, rng = CruelGame(instance, in_play=8), np.random.default_rng(seed)
    asked: list[int] = []
    choices = 0
    for time in range(60):
        labels = np.zeros(8, dtype=np.int64)
        labels[rng.choice(8, size=4, replace=False)] = 1  # whoever answers may hold anything
        missing = [p for p in instance.pages_of(time % 2) if not labels[p]]
        if missing:
            longer = {p: RequestSequence(instance, [*asked, p]) for p in missing}
            optima = {p: farthest_in_future(sequence).faults for p, sequence in longer.items()}
        asked.append(game.request(labels))
        if missing:
            assert optima[asked[-1]] == min(optima.values())
            choices += len(set(optima.values())) > 1
    assert choices > 5  # there was something to get wrong


def test_cruel_hits_only_inside_the_phase_once_its_layer_has_a_page() -> None:
    made = get_construction("cruel")(LayeredInstance(3, 3, 6), policy="llru", rounds=200)
    starts = set(phase_starts(made.sequence, 6))
    hits = made.run().schedule.entries == -2
    phase: set[int] = set()
    for t, page in enumerate(made.sequence):
        if t in starts:
            phase = set()
        layer = made.sequence.instance.locate(page).layer
        if hits[t] and page not in phase:
            assert all(made.sequence.instance.locate(p).layer != layer for p in phase)
        phase.add(page)


# Belady's anomaly


def test_belady_anomaly_for_ever() -> None:
    made = get_construction("belady-anomaly")(rounds=508)
    made.check(made.run("fifo"))
    assert made.limit == 2
    assert simulate("fifo", made.sequence).faults == 5 + 500
    assert simulate("fifo", made.sequence.with_cache(3)).faults == made.offline.faults == 8 + 250


def test_the_smallest_instance_of_the_anomaly() -> None:
    requests = RequestSequence(LayeredInstance(1, 5, 3), SMALLEST)
    faults = [simulate("fifo", requests.with_cache(k)).faults for k in (3, 4)]
    assert faults == [9, 10]


def test_no_shorter_sequence_has_the_anomaly() -> None:
    # In 12 requests k + 1 slots evict for k ≤ 10 only, and at most 12 pages occur.
    for cache in range(1, 11):
        found = shortest_anomaly(12, cache, 12)
        assert found == (12 if cache == 3 else None), cache
    assert shortest_anomaly(4, 3, 12) is None
    assert shortest_anomaly(5, 3, 12) == 12


def shortest_anomaly(pages: int, cache: int, longest: int) -> int | None:
    """Return the length of the shortest sequence on which FIFO is worse with cache + 1 slots.

    All sequences are covered: per pair of queues, up to renaming, only the largest difference counts.
    """
    level = {((), ()): 0}
    for length in range(1, longest + 1):
        following: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        for (small, large), ahead in level.items():
            known = set(small) | set(large)
            # Pages in neither queue are alike: trying one of them is enough.
            fresh = [min(set(range(pages)) - known)] if len(known) < pages else []
            for page in [*known, *fresh]:
                less = small if page in small else (*small, page)[-cache:]
                more = large if page in large else (*large, page)[-cache - 1 :]
                names: dict[int, int] = {}
                for q in less + more:
                    names.setdefault(q, len(names))
                state = (tuple(names[q] for q in less), tuple(names[q] for q in more))
                gain = ahead + (page not in large) - (page not in small)
                following[state] = max(gain, following.get(state, gain))
        level = following
        if max(level.values()) > 0:
            return length
    return None


# SIEVE


@pytest.mark.parametrize("cache", [3, 4, 7, 12])
def test_sieve_with_a_stuck_hand_faults_always(cache: int) -> None:
    made = get_construction("stuck-hand")(LayeredInstance(1, cache + 1, cache), rounds=800)
    run = made.run("sieve")
    made.check(run)
    assert run.faults == 800 - 1
    assert made.offline.faults == farthest_in_future(made.sequence).faults == cache + 1


def test_sieve_is_not_stuck_with_two_slots() -> None:
    search = Search("sieve", LayeredInstance(1, 3, 2))
    search.run()
    assert search.progress.exhausted
    assert search.best is not None
    assert search.best.ratio == 3


# LLRU


@pytest.mark.parametrize(("layers", "cache"), list(FOUND))
def test_llru_cycles_return_and_beat_k(layers: int, cache: int) -> None:
    found = FOUND[layers, cache]
    for pages in (found.pages, found.pages + 2):
        instance = LayeredInstance(layers, pages, cache)
        made = get_construction("llru-cycles")(instance, rounds=3000)
        made.check(made.run("llru"))
        start, length = -(-len(found.prefix) // layers) * layers, len(found.cycle)
        period = made.sequence.requests[start : start + length].tolist()
        again = periodic_cycle("llru", instance, period)
        assert again.ratio == made.limit == Fraction(found.online, found.offline) > cache
        assert made.limit <= cache + layers - 1


@pytest.mark.parametrize(
    ("name", "policy", "counts"),
    [
        *(("second-faults", "llru", [4] * layers) for layers in (2, 3, 5)),
        *(("second-faults-lazy", "llru-lazy", [3] * layers) for layers in (2, 3, 5)),
        ("second-faults", "llru", [4, 7, 4, 5]),
        ("second-faults-lazy", "llru-lazy", [3, 7, 4, 5]),
    ],
)
def test_every_fault_of_a_phase_evicts_the_page_that_faults_next(
    name: str, policy: str, counts: list[int]
) -> None:
    # This is the lemma of the proof; the number of faults is the bound, and not only at least it.
    instance = LayeredInstance(len(counts), tuple(counts), sum(counts) - 1)
    made = get_construction(name)(instance, rounds=40 * instance.cache)
    run = made.run(policy)
    made.check(run)
    entries = run.schedule.entries[made.boundaries[0] : made.boundaries[-1] + 1].tolist()
    faults = [t for t, entry in enumerate(entries, made.boundaries[0]) if entry != HIT]
    assert len(faults) == made.limit * made.periods + 1
    assert [entries[t - made.boundaries[0]] for t in faults[:-1]] == made.sequence.requests[
        faults[1:]
    ].tolist()
    twice = len(counts) - (1 if policy == "llru" else 2)
    assert construction_cycle(made, policy).ratio == made.limit == instance.cache + twice


# One slot per layer


@pytest.mark.parametrize(
    "policy", ["lru", "fifo", "clock", "zrc", "mark-lru", "lfu-capped", "mru", "game-optimal"]
)
def test_two_layers_force_three_faults_for_two(policy: str) -> None:
    for pages in (2, (3, 1, 2)):
        instance = LayeredInstance(3, pages, 3)
        made = get_construction("two-layers")(instance, rounds=60, policy=policy)
        run = made.run(policy)
        made.check(run)
        assert made.periods >= 8 or run.faults > 10 * made.offline.faults
    assert made.limit == Fraction(3, 2)


# Yao


@pytest.mark.parametrize("counts", [(3,), (2, 2), (3, 1), (1, 4), (3, 2), (2, 3, 2), (4, 1, 1)])
def test_phase_lengths_agree_with_sampled_ones(counts: tuple[int, ...]) -> None:
    layers = len(counts)
    instance = LayeredInstance(layers, max(counts), sum(counts) - 1)
    made = get_construction("uniform-spread")(instance, rounds=60_000 // layers, spread=counts, seed=2)
    made.check()
    lengths = np.diff(made.boundaries)
    error = lengths.std(ddof=1) / np.sqrt(len(lengths))
    assert abs(lengths.mean() - float(steady_phase_length(counts))) < 5 * error
    openings = np.array(made.boundaries[:-1]) % layers
    for layer in range(layers):
        assert sum(next_opening(counts, layer)) == 1
        after = lengths[openings == layer]
        if len(after) > 30:
            error = after.std(ddof=1) / np.sqrt(len(after))
            assert abs(after.mean() - float(phase_length_from(counts, layer))) < 5 * error


def test_even_spreads_agree_with_the_uniform_construction() -> None:
    for layers, share in product(range(1, 5), range(2, 5)):
        assert steady_phase_length((share,) * layers) == expected_phase_length(layers, share)


def test_spread_limits_are_at_least_the_closed_form() -> None:
    for instance in GRID:
        made = built("uniform-spread", instance, "lru")
        assert (made is not None) == (instance.layers <= instance.cache)
        if made is not None:
            most = min(min(instance.pages_by_layer) - 1, instance.cache - instance.layers + 1)
            assert made.limit >= sympy.harmonic(most)
    assert built("uniform-spread", LayeredInstance(3, 6, 6), "lru").limit > Fraction(2)  # type: ignore[union-attr]


def test_marking_tree_forces_exactly_h_k_in_every_phase() -> None:
    for cache in (1, 2, 3, 5):
        made = get_construction("marking-tree")(LayeredInstance(1, cache + 1, cache), rounds=4000, seed=1)
        made.check()
        assert made.limit == Fraction(str(sympy.harmonic(cache)))
        assert set(np.diff(made.boundaries)) <= {cache * (cache + 3) // 2}
        assert made.offline.faults == farthest_in_future(made.sequence).faults


# Every construction


@pytest.mark.slow
@pytest.mark.parametrize("name", list(constructions()))
def test_promise_and_offline_schedule_on_a_grid(name: str) -> None:
    adversary = get_construction(name)
    shapes = [
        adversary.demo,
        *GRID,
        LayeredInstance(1, 12, 6),
        LayeredInstance(4, 3, 5),
        LayeredInstance(2, 6, 9),
    ]
    covered = 0
    for instance, policy in product(shapes, adversary.victims):
        made = built(name, instance, policy)
        if made is None:
            continue
        run = made.run(policy)
        made.check(run)
        small = made.offline.sequence
        assert farthest_in_future(small).faults <= made.offline.faults
        assert small.instance.cache <= instance.cache
        covered += 1
    assert covered >= len(adversary.victims)


@pytest.mark.parametrize("name", list(constructions()))
def test_uncovered_instances_are_refused_with_the_condition(name: str) -> None:
    adversary = get_construction(name)
    outside = [
        LayeredInstance(3, 4, 2),  # k < ℓ
        LayeredInstance(2, 2, 4),  # k = ℓn
        LayeredInstance(2, 2, 9),  # k > ℓn
        LayeredInstance(3, 1, 2),  # n = 1
        LayeredInstance(1, 1, 1),
        LayeredInstance(1, 6, 4),  # ℓ = 1
    ]
    messages = []
    for instance in outside:
        try:
            made = adversary(instance, rounds=40)
        except ModelError as error:
            messages.append(str(error))
        else:
            made.check(None if made.promise.in_expectation else made.run(adversary.victims[0]))
    assert len(messages) >= 3
    for message in messages:
        assert f"construction {name} needs " in message
        assert "; here ℓ = " in message


CYCLIC = [
    name
    for name, adversary in constructions().items()
    if adversary.kind == "cyclic" and not all(get_policy(victim).randomized for victim in adversary.victims)
]
ADAPTIVE = [
    name
    for name, adversary in constructions().items()
    if adversary.kind == "adaptive" and not adversary.told and not adversary.demo.bypassing
]
"""Of those that tell bits, or bypass, no cycle is certified."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CYCLIC, *ADAPTIVE])
def test_the_certified_cycle_has_the_limit_of_the_promise(name: str) -> None:
    adversary = get_construction(name)
    certified = 0
    for policy in adversary.victims:
        answer = get_policy(policy)
        if answer.randomized:
            continue
        for instance in [adversary.demo, *GRID[::3]]:
            try:
                made = adversary(instance, policy=policy, rounds=150)
                cycle = construction_cycle(made, policy)
            except (ModelError, LimitError):
                continue  # not covered; or counters grow for ever, or it is too short to come back
            cycle.check()
            assert cycle.ratio == made.limit if name in CYCLIC else cycle.ratio >= made.limit
            if instance == adversary.demo:
                document = json.loads(json.dumps(cycle_certificate(cycle, policy)))
                verdict = verify(document)
                assert verdict.status in (VERIFIED, CONDITIONAL)
                assert replay(document, verdict).status == VERIFIED
                stated = document["claim"]["ratio"]
                assert (
                    (stated == "unbounded")
                    if cycle.ratio == float("inf")
                    else Fraction(stated) == cycle.ratio
                )
            certified += 1
    assert certified >= 1


def test_a_cycle_needs_a_deterministic_policy_that_returns() -> None:
    made = get_construction("alternating-layered")(rounds=300)
    with pytest.raises(LimitError, match="lfu: no cycle"):
        construction_cycle(made, "lfu")
    with pytest.raises(ModelError, match="mark is randomised"):
        construction_cycle(made, "mark")
    with pytest.raises(ModelError, match="name the policy"):
        construction_cycle(made)


def test_docs_page_lists_all_constructions() -> None:
    text = (ROOT / "docs" / "adversaries.md").read_text(encoding="utf-8")
    assert block(text, "gallery") == gallery()


def test_the_catalogue_opens_with_a_table_of_all_constructions() -> None:
    assert (catalogue.__doc__ or "").partition("\n\n")[2] == table() + "\n"


def test_every_construction_has_its_picture() -> None:
    pictures = {path.stem for path in (ROOT / "docs" / "images" / "adversaries").glob("*.png")}
    assert pictures == set(constructions())


# The command


def command(*args: str) -> int:
    return paging_run(["adversary", *args])


@pytest.mark.parametrize("name", list(constructions()))
def test_every_construction_runs_from_the_command_line(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = get_construction(name).told
    path = tmp_path / ("hard.npz" if told else "hard.oracleGeneral")  # the latter keeps no predictions
    assert command(name, "--rounds", "120", "-o", str(path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["construction"], found["predictions"]) == (name, told)
    assert all(row["promise"] in ("kept", "in expectation") for row in found["rows"])
    assert all(row["opt"] <= row["offline"] for row in found["rows"] if row["opt_k"] == row["k"])
    if told:
        assert read_trace(path).predicted == told
    else:
        assert path.stat().st_size == 24 * found["rows"][0]["requests"]
    assert command(name, "--help") == 0
    assert "Offline schedule in words" in capsys.readouterr().out


def test_certificate_of_a_construction(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "lru.json"
    assert command("rehearsed", "-p", "lru", "--certificate", str(path)) == 0
    assert f"Certificate written to {path}" in capsys.readouterr().out
    assert paging_run(["verify", str(path)]) == 0
    assert "the ratio is at least 4" in capsys.readouterr().out
    for args, says in (
        (("rehearsed", "-p", "lru", "-p", "mark-lru", "--certificate", str(path)), "name one policy with -p"),
        (("rehearsed", "-p", "lru", "--certificate", "lru.txt"), "ends in .json or .json.gz"),
        (("rehearsed", "-p", "lru", "--certificate", str(path / "x.json")), "there is no folder"),
        (("rehearsed", "-p", "lru", "--rounds", "5", "--certificate", str(path)), "no cycle"),
        (("uniform", "--certificate", str(path)), "--certificate"),
    ):
        assert command(*args) == 2
        assert says in capsys.readouterr().err


def test_what_is_no_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("seed=3", "policy=lru", "instance=1", "rounds=5", "spread=2/2"):
        assert command("cyclic", "--option", name) == 2
        assert f"has no option '{name.partition('=')[0]}'" in capsys.readouterr().err


@pytest.mark.slow
def test_very_short_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    for name in constructions():
        for rounds in ("1", "2", "3", "7"):
            runs = ("--runs", "0") if get_construction(name).kind == "random" else ()
            assert command(name, "--rounds", rounds, *runs) == 0, name
    capsys.readouterr()


def test_random_constructions_show_an_interval(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("uniform", "-p", "mark", "--runs", "5") == 0
    assert " ± " in capsys.readouterr().out
    assert command("uniform", "-p", "mark", "--runs", "5", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["estimate"]["runs"] == 5
    assert command("uniform", "--runs", "1") == 2
    assert "at least 2" in capsys.readouterr().err
    assert command("cyclic", "--runs", "5") == 2
    capsys.readouterr()


@pytest.mark.slow
def test_ratios_the_docs_report_are_found_again() -> None:
    text = (ROOT / "docs" / "adversaries.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (LLRU|SIEVE) \| \((\d), (\d), (\d)\) \| (\S+).*\| ([\d,]+) \|$", text, re.MULTILINE
    )
    tried = 0
    for title, layers, pages, cache, ratio, states in rows:
        if int(states.replace(",", "")) < 100_000:
            search = Search(title.lower(), LayeredInstance(int(layers), int(pages), int(cache)))
            search.run()
            assert search.progress.exhausted
            assert search.best is not None
            assert search.best.ratio == read_exact(ratio)
            assert f"{search.progress.states:,}" == states
            tried += 1
    assert tried == 8
