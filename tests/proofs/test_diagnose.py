"""The diagnosis of a trace: numbers by independent routes, costs by closed forms, the page, errors."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import product
from math import ceil
from pathlib import Path

import numpy as np
import pytest

from lp import optimum
from paging import LayeredInstance, ModelError, get_policy, registered_policies, simulate
from paging.cli.main import run as paging_run
from paging.model import HIT
from paging.traces import Trace, read_trace, write_trace
from proofs.bounds.registry import BOUNDS
from proofs.commands.diagnose import diagnose as command
from proofs.diagnose import CostModel, Prefetcher, Tier, diagnose
from proofs.diagnose.advice import guarantee
from proofs.diagnose.cost import cache_of, read_bytes, read_seconds, read_share, read_tier
from proofs.diagnose.figures import DETAILED
from proofs.diagnose.layers import layer_facts
from proofs.diagnose.page import render, write_page
from proofs.diagnose.serving import candidates, misses_of
from tests.helpers.offline import brute_force

CYCLE = Trace.from_experts([[[page]] for page in (0, 1, 2, 0, 1, 2)])


def drawn(seed: int = 0, layers: int = 2, per_visit: int = 1, tokens: int = 9) -> Trace:
    """A small trace of two sequences, the first half of each from the prompt."""
    rng = np.random.default_rng(seed)
    experts = rng.random((tokens, layers, 3)).argsort(axis=2)[:, :, :per_visit]
    seq_id = np.repeat([7, 3], [tokens // 3, tokens - tokens // 3])
    decode = np.arange(tokens) % 2 == 1
    return Trace.from_experts(experts, pages=3, seq_id=seq_id, decode=decode, name=f"drawn {seed}")


# The numbers, by hand and by the definitions.


def test_the_cycle_by_hand():
    # LRU with two slots misses all six requests of 012012. OPT keeps 0 over the first 2, then 1 over it:
    # it misses 0, 1, 2, not 0, and one of 1 and 2. So does MRU: it keeps 0 and drops 1 for 2, then 0 for 1.
    found = diagnose(CYCLE, [2, 3])
    two, three = found["sizes"]
    assert (two["lru"], two["opt"], two["compulsory"]) == (6, 4, 3)
    assert two["parts"] == {"compulsory": 0.5, "capacity": 1 / 6, "recovered": 1 / 3, "foresight": 0.0}
    assert (two["best_policy"], two["working_set_share"], two["policy_share"]) == ("mru", 4 / 6, 2 / 6)
    # Bypassing, 0 and 1 stay and only 2 is fetched twice; pinned, one page stays beside the slot to pass.
    assert (two["opt_bypassing"], two["best_static_pinning"]) == (4, 5)
    assert two["best_static_split"] == {"lru": 6, "opt": 4}
    assert two["misses_per_token"]["lru"] == {"mean": 1, "p50": 1, "p95": 1, "p99": 1, "max": 1}
    assert two["misses_per_token"]["opt"]["mean"] == Fraction(2, 3)
    assert "66.7 % of these misses are the working set's" in two["whose"]
    assert "33.3 % the policy's (mru, the best causal policy tried, recovers 33.3 %)" in two["whose"]
    assert (three["lru"], three["opt"], three["working_set_share"]) == (3, 3, 1.0)
    assert "everything fits" in three["recommendation"]["text"]
    warned = [
        sum("Warning: mru is not competitive" in s for s in at["recommendation"]["sentences"])
        for at in (two, three)
    ]
    assert warned == [1, 0]
    assert three["whose"].endswith("all of it is the working set's: OPT misses as often.")
    assert two["recommendation"]["lru_size_for_opt"] == three["recommendation"]["lru_size_for_opt"] == 3
    assert found["curves"] == {"opt": [6, 4, 3], "lru": [6, 6, 3]}


@pytest.mark.parametrize("visits", ["sequential", "atomic"])
@pytest.mark.parametrize(("seed", "layers", "per_visit"), [(0, 1, 1), (1, 2, 1), (2, 2, 2), (3, 3, 1)])
def test_every_number_of_a_size_by_the_definitions(seed, layers, per_visit, visits):
    trace = drawn(seed, layers, per_visit)
    for cache in range(max(2, per_visit), 5):
        (size,) = diagnose(trace, [cache], visits=visits)["sizes"]
        sequence = trace.sequence(cache, visits=visits)
        assert size["opt"] == brute_force(sequence)
        runs = {}
        for row in size["policies"]:
            run = simulate(row["policy"], sequence, record=True, engine="labels")
            assert row["faults"] == run.faults
            runs[row["policy"]] = np.reshape(run.entries != HIT, (trace.tokens, layers, per_visit)).sum(
                axis=2
            )
        best = min(size["policies"], key=lambda row: row["faults"])
        assert (size["best_policy"], size["best"]) == (best["policy"], best["faults"])
        first = size["compulsory"]
        assert size["parts"] == pytest.approx(
            {
                "compulsory": first / size["lru"],
                "capacity": (size["opt"] - first) / size["lru"],
                "recovered": (size["lru"] - size["best"]) / size["lru"],
                "foresight": (size["best"] - size["opt"]) / size["lru"],
            }
        )
        for name, policy in (("lru", "lru"), ("best", size["best_policy"])):
            check_misses(size, name, runs[policy], trace)
        if "llru" in runs:
            assert [row["llru"] for row in size["layers"]] == runs["llru"].sum(axis=0).tolist()
        for key in ("layers", "sequences", "phases", "over_time"):
            assert sum(row["opt"] for row in size[key]) == size["opt"]
        if visits == "sequential":
            assert size["opt_bypassing"] == brute_force(trace.sequence(cache, bypassing=True))
            check_splits(size, trace, cache)


def check_misses(size, name, misses, trace):
    """Everything said of one run, counted again from its misses by token and layer."""
    per_token = sorted(misses.sum(axis=1).tolist())
    said = size["misses_per_token"][name]
    assert said["mean"] == Fraction(sum(per_token), trace.tokens)
    for percent in (50, 95, 99):
        assert said[f"p{percent}"] == per_token[ceil(percent * trace.tokens / 100) - 1]
    assert [row[name] for row in size["layers"]] == misses.sum(axis=0).tolist()
    by_sequence = {row["seq_id"]: row[name] for row in size["sequences"]}
    assert list(by_sequence) == [7, 3]
    assert by_sequence == {i: int(misses[trace.seq_id == i].sum()) for i in (7, 3)}
    by_phase = {row["phase"]: row[name] for row in size["phases"]}
    assert by_phase == {"prompt": misses[~trace.decode].sum(), "decode": misses[trace.decode].sum()}
    for row in size["over_time"]:
        assert row[name] == misses[row["first_token"] :][: row["tokens"]].sum()


def check_splits(size, trace, cache):
    """The best static split against all splits."""
    splits = [s for s in product(range(1, cache + 1), repeat=trace.layers) if sum(s) <= cache]
    sequence = trace.sequence(cache)
    for inside, cost in (
        ("opt", lambda split: brute_force(sequence, shares=split)),
        ("lru", lambda split: sum(lru_alone(sequence, j, share) for j, share in enumerate(split))),
    ):
        assert size["best_static_split"][inside] == min(map(cost, splits), default=None)


def lru_alone(sequence, layer, share):
    return simulate("lru", sequence.of_layer(layer, share), engine="labels").faults


def test_layers_by_hand():
    # Layer 0: expert 0 three times (rounds 0, 1, 3), expert 1 once. Layer 1: 0, 1, 0, 1.
    facts = layer_facts(Trace.from_experts([[[0], [0]], [[0], [1]], [[1], [0]], [[0], [1]]]))
    assert facts[0]["entropy_bits"] == pytest.approx(0.75 * np.log2(4 / 3) + 0.25 * 2)
    assert (facts[0]["hottest_share"], facts[0]["distinct_pages"], facts[0]["repeat_rate"]) == (
        0.75,
        2,
        1 / 3,
    )
    assert (facts[0]["reuse_rounds_p50"], facts[0]["reuse_rounds_p95"]) == (1, 2)
    assert (facts[1]["entropy_bits"], facts[1]["repeat_rate"], facts[1]["reuse_rounds_p50"]) == (1.0, 0.0, 2)


def test_a_single_token_has_no_repeats_and_no_reuse():
    (facts,) = layer_facts(Trace.from_experts([[[0, 1]]]))
    assert (facts["repeat_rate"], facts["reuse_rounds_p50"]) == (None, None)
    assert diagnose(Trace.from_experts([[[0, 1]]]), [2])["sizes"][0]["lru"] == 2


def test_what_is_left_out_names_its_cache_sizes():
    found = diagnose(drawn(1, 3), [2, 3, 4])
    assert ("partitioned", [2]) in [(skip["what"], skip["k"]) for skip in found["skipped"]]
    assert [size["best_static_split"]["opt"] is None for size in found["sizes"]] == [True, False, False]


def test_a_cache_beyond_all_pages_takes_no_memory():
    trace = Trace.from_experts([[[0], [2]], [[1], [0]], [[0], [1]]], pages=(2, 3))
    fits, huge = diagnose(trace, [5, 2_000_000_000])["sizes"]
    assert huge["k"] == 2_000_000_000
    assert huge["lru"] == huge["opt"] == huge["best_static_split"]["lru"] == huge["compulsory"] == 5
    assert {row["faults"] for row in huge["policies"]} == {5}
    assert fits["best_static_split"] == huge["best_static_split"]


def test_an_incomplete_last_token_is_counted():
    instance = LayeredInstance(layers=2, pages=2, cache=1)
    assert misses_of(np.array([-1, 2, 0], np.int32), instance).tolist() == [[1, 1], [1, 0]]
    cut = Trace(np.array([0, 2, 1]), layers=2, pages=2)
    assert diagnose(cut, [2])["sizes"][0]["lru"] == 3


def test_candidates_are_causal_deterministic_and_have_kernels():
    names = [policy.name for policy in candidates()]
    assert names[0] == "lru"
    assert {"llru", "fifo", "clock", "partitioned", "zrc"} <= set(names) <= set(registered_policies())
    assert not {"mark", "random", "equitable", "game-optimal"} & set(names)


def test_candidates_need_no_predictions():
    told = {name for name, cls in registered_policies().items() if get_policy(cls).predictions is not None}
    assert {"flush-when-kept", "mark-predict-lru", "blind-oracle", "cheaper", "guard"} <= told
    assert not told & {policy.name for policy in candidates()}


def test_atomic_visits_say_what_is_left_out():
    found = diagnose(drawn(2, 2, 2), [4], visits="atomic")
    (size,) = found["sizes"]
    assert found["model"]["visits"] == "atomic"
    assert found["curves"] == {}
    assert size["best_static_split"] == {"lru": None, "opt": None}
    assert size["best_static_pinning"] is size["opt_bypassing"] is None
    left_out = {what: skip["k"] for skip in found["skipped"] for what in skip["what"].split(", ")}
    assert {"zrc", "best static pinning", "fault curve of opt", "OPT with bypassing"} <= set(left_out)
    assert set(map(tuple, left_out.values())) == {(4,)}
    assert all(row["llru"] > 0 for row in size["layers"])


def test_the_recommendation_saves_enough_and_says_what_is_proved():
    # Layer 0 repeats its expert, layer 1 runs through three: LLRU's order differs from LRU's.
    trace = drawn(5, 3, 1, 40)
    for size in diagnose(trace, range(2, 9))["sizes"]:
        chosen = size["recommendation"]["policy"]
        saves = Fraction(size["lru"] - size["best"], size["lru"]) >= Fraction(1, 100)
        assert chosen == (size["best_policy"] if saves else "lru")
        proved = size["recommendation"]["guarantee"]["upper"]
        if proved is not None:
            bound = BOUNDS[proved["id"]]
            assert bound.excluded(trace.sequence(size["k"]).instance, half="upper") is None
            assert chosen in bound.policies
    proved = guarantee("lru", LayeredInstance(2, 8, 5, per_visit=2))
    assert (proved["upper"]["value"], proved["lower"]["value"]) == (5, 5 - 2 * 2 + 2)
    assert proved["lower"]["id"] == "visits-lower"
    assert "no worst-case guarantee" in guarantee("lru", LayeredInstance(2, 8, 5, 2, "atomic"))["text"]


def test_a_phase_counts_its_own_tokens_and_serves_all():
    trace = drawn(1)
    all_tokens, prompt, decode = (
        diagnose(trace, [3], phase=phase)["sizes"][0] for phase in ("all", "prompt", "decode")
    )
    assert all_tokens["lru"] == prompt["lru"] == decode["lru"]
    means = {row["phase"]: Fraction(row["lru"], row["tokens"]) for row in all_tokens["phases"]}
    assert means == {
        "prompt": prompt["misses_per_token"]["lru"]["mean"],
        "decode": decode["misses_per_token"]["lru"]["mean"],
    }
    with pytest.raises(ModelError, match="does not mark generated tokens"):
        diagnose(CYCLE, [2], phase="decode")
    marked = Trace.from_experts([[[0]], [[1]]], decode=[True, True])
    with pytest.raises(ModelError, match="no prompt token"):
        diagnose(marked, [2], phase="prompt")


# The cost model.

MISSES = np.array([[2, 0], [1, 3], [0, 0]])
LINK = Tier(Fraction(100), Fraction(1, 10))
"""A tenth of a second and 100 bytes a second: an expert of 40 bytes takes half a second."""


def test_without_overlap_loads_and_computation_add_up():
    price = CostModel((40,), (LINK,), Fraction(1, 4)).price(MISSES)
    assert (price.tokens, price.bytes_moved) == (3, 6 * 40)
    assert (price.loading, price.computing) == (6 * Fraction(1, 2), 6 * Fraction(1, 4))
    assert price.seconds == price.loading + price.computing
    assert price.ms_per_token == 1500
    assert price.tokens_per_second == Fraction(2, 3)
    assert price.least_ms_per_token == 1000


def test_infinite_bandwidth_leaves_latency_and_computation():
    free = CostModel((40,), (Tier(None),), Fraction(1, 4)).price(MISSES)
    assert free.seconds == free.computing == Fraction(3, 2)
    late = CostModel((40,), (Tier(None, Fraction(2)),)).price(MISSES)
    assert late.seconds == 6 * 2
    assert CostModel((40,), (Tier(None),)).price(MISSES).tokens_per_second is None


def test_full_overlap_takes_the_longer_of_both_in_every_layer():
    model = CostModel((40,), (LINK,), Fraction(3, 4), Fraction(1))
    # Loads of 1, 0 | ½, 3/2 | 0, 0 seconds beside ¾ each.
    assert model.price(MISSES).seconds == 1 + Fraction(3, 4) + Fraction(3, 4) + Fraction(3, 2) + Fraction(
        3, 2
    )
    half = CostModel((40,), (LINK,), Fraction(3, 4), Fraction(1, 2))
    # Only ⅜ of the computation hides loads: ¾ + 5/8, ¾ | ¾ + 1/8, ¾ + 9/8 | ¾, ¾.
    assert half.price(MISSES).seconds == 6 * Fraction(3, 4) + Fraction(5 + 1 + 9, 8)


def test_tiers_share_the_misses_and_layers_have_sizes_of_their_own():
    slow = Tier(Fraction(10), Fraction(0), Fraction(1, 4))
    fast = Tier(Fraction(40), Fraction(0), Fraction(3, 4))
    model = CostModel((40, 80), (fast, slow))
    assert model.load_seconds(40) == Fraction(3, 4) * 1 + Fraction(1, 4) * 4
    price = model.price(MISSES)
    assert price.bytes_moved == 3 * 40 + 3 * 80
    assert price.seconds == 3 * model.load_seconds(40) + 3 * model.load_seconds(80)
    assert model.token_ms(MISSES).tolist() == pytest.approx([3500.0, 1750 + 3 * 3500.0, 0.0])
    assert model.token_ms(MISSES).sum() == pytest.approx(float(1000 * price.seconds))


def test_the_cost_of_a_size_is_the_price_of_its_misses():
    model = CostModel((40,), (LINK,), Fraction(1, 4))
    (size,) = diagnose(CYCLE, [2], cost=model)["sizes"]
    assert size["cost"]["lru"]["bytes_moved"] == 6 * 40
    assert size["cost"]["lru"]["ms_per_token"] == 750
    assert size["cost"]["opt"]["ms_per_token"] == pytest.approx((4 * 500 + 6 * 250) / 6)
    assert size["cost"]["opt"]["ms_p99"] == 750
    assert size["cost"]["lru"]["least_ms_per_token"] == 500


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tier(Fraction(0)), "bandwidth must be positive"),
        (lambda: Tier(Fraction(-5)), "bandwidth must be positive"),
        (lambda: Tier(None, Fraction(-1)), "latency"),
        (lambda: Tier(None, share=Fraction(2)), "share of a tier"),
        (lambda: CostModel((), (LINK,)), "expert_bytes"),
        (lambda: CostModel((0,), (LINK,)), "bytes of an expert"),
        (lambda: CostModel((1,), ()), "add up to 1"),
        (lambda: CostModel((1,), (LINK, LINK)), "add up to 1"),
        (lambda: CostModel((1,), (LINK,), Fraction(-1)), "at least 0 seconds"),
        (lambda: CostModel((1,), (LINK,), overlap=Fraction(2)), "overlap"),
        (lambda: CostModel((1, 2, 3), (LINK,)).price(MISSES), "3 sizes of experts for 2 layers"),
        (lambda: cache_of(10, (4, 5)), "several sizes"),
        (lambda: read_bytes("8 gigs"), "unit such as 352MB"),
        (lambda: read_bytes("0.3B"), "whole number of bytes"),
        (lambda: read_seconds("10"), "unit such as 10us"),
        (lambda: read_share("a half"), "such as 0.9"),
        (lambda: read_share("1/0"), "such as 0.9"),
        (lambda: read_tier("1GB/s,1us,1,1"), "BANDWIDTH,LATENCY,SHARE"),
    ],
)
def test_figures_out_of_range_are_refused(make, message):
    with pytest.raises(ModelError, match=message):
        make()


def test_memory_makes_slots():
    assert cache_of(read_bytes("8GB"), (read_bytes("352MB"),)) == 22
    assert cache_of(10, (5, 5)) == 2


# The command and the page.


@pytest.fixture
def trace_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_trace(drawn(2, 2, 2), "routing.npz")
    write_trace(CYCLE, "cycle.npz")
    return "routing.npz"


def call(capsys, *args):
    code = paging_run(["diagnose", *args])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_json_has_the_fields_of_the_question(trace_file, capsys):
    code, out, err = call(capsys, trace_file, "-k", "3,5", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert [size["k"] for size in document["sizes"]] == [3, 5]
    for size in document["sizes"]:
        assert {"k", "opt", "lru", "best_policy", "working_set_share"} <= set(size)
        assert size["working_set_share"] == pytest.approx(size["opt"] / size["lru"])
        assert size["compulsory"] <= size["opt"] <= size["best"] <= size["lru"]
    assert document["labels"]["opt"].startswith("exact")
    assert document["model"]["visits"] == "sequential"


def test_weights_say_what_misses_cost(trace_file, capsys):
    code, out, err = call(capsys, trace_file, "-k", "3,5", "--weights", "layer:1,4.5", "--json")
    assert (code, err) == (0, "")
    document, plain = json.loads(out), json.loads(call(capsys, trace_file, "-k", "3,5", "--json")[1])
    assert document["provenance"]["weights"] == "layer:1,4.5"
    for size, unit in zip(document["sizes"], plain["sizes"], strict=True):
        here = read_trace("routing.npz").sequence(size["k"]).with_weights([1] * 3 + ["4.5"] * 3)
        found = size.pop("weighted")
        assert unit.pop("weighted") is None
        assert size == unit  # all else counts misses
        assert Fraction(found["opt"]) == optimum(here).value
        costs = {row["policy"]: Fraction(row["cost"]) for row in found["policies"]}
        assert costs == {name: simulate(name, here).cost for name in costs}
        assert {"lru", "landlord", size["best_policy"]} <= set(costs)
        assert Fraction(found["best"]) == min(costs.values()) == costs[found["best_policy"]]
        assert Fraction(found["fewest_misses"]["cost"]) == costs[size["best_policy"]]
    out = call(capsys, trace_file, "-k", "3", "--weights", "layer:1,4.5", "-o", "page.html")[1]
    assert "what the misses cost · weighted" in out
    assert "OPT, weighted" in Path("page.html").read_text(encoding="utf-8")


def test_memory_and_size_of_an_expert_say_k(trace_file, capsys):
    by_size = call(capsys, trace_file, "-k", "3", "--json")[1]
    for size in (("--expert-bytes", "300MB"), ("--expert-parameters", "150M"),
                 ("--expert-parameters", "300M", "--bits", "8")):  # fmt: skip
        out = call(capsys, trace_file, "--memory", "1GB", *size, "--json")[1]
        assert json.loads(out)["sizes"] == json.loads(by_size)["sizes"]


def test_the_terminal_shows_every_part(trace_file, capsys):
    cost = ("--expert-bytes", "3MB", "--tier", "25GB/s,10us", "--computing", "0.3ms", "--overlap", "50%")
    code, out, err = call(capsys, trace_file, "-k", "3,5", *cost)
    assert (code, err) == (0, "")
    parts = ("certified", "exact, hindsight", "At k = 3 LRU misses", "At k = 5", "Worst case:", "tokens/s")
    for part in (*parts, "entropy", "prompt", "sequence 7", "forced · sequential · cold"):
        assert part in out
    atomic = call(capsys, trace_file, "-k", "4", "--visits", "atomic")[1]
    assert "forced · atomic · cold" in atomic
    assert re.search(
        r"left out: .* zrc, far-lab for k = 4: they do not keep the pages of an atomic visit", atomic
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("routing.npz", "-k", "1"), "does not hold one visit: k ≥ g = 2"),
        (("routing.npz", "-k", "5,1"), "does not hold one visit"),
        (("routing.npz", "-k", "1", "--visits", "atomic"), "does not hold one visit|atomic visits need"),
        (("routing.npz", "-k", "0"), "cache"),
        (("routing.npz",), "the memory is given once"),
        (("routing.npz", "-k", "3", "--memory", "8GB"), "the memory is given once"),
        (("routing.npz", "--memory", "8GB"), "needs the size of an expert"),
        (("routing.npz", "--memory", "1MB", "--expert-bytes", "2MB"), "does not hold one expert"),
        (("routing.npz", "--memory", "-8GB", "--expert-bytes", "2MB"), "expected a number ≥ 0"),
        (("routing.npz", "--memory", "1GB", "--expert-bytes", "0B"), "bytes of an expert"),
        (("routing.npz", "-k", "3", "--tier", "-5GB/s", "--expert-bytes", "2MB"), "bandwidth '-5GB/s'"),
        (("routing.npz", "-k", "3", "--tier", "0GB/s", "--expert-bytes", "2MB"), "must be positive"),
        (("routing.npz", "-k", "3", "--tier", "5GB/s"), "a --tier needs the size of an expert"),
        (("routing.npz", "-k", "3", "--computing", "1ms"), "times need a --tier"),
        (("routing.npz", "-k", "3", "--bits", "4"), "--bits is about --expert-parameters"),
        (
            ("routing.npz", "-k", "3", "--tier", "5GB/s", "--expert-bytes", "2MB,1MB,3MB"),
            "3 sizes of experts",
        ),
        (("routing.npz", "-k", "3", "--prefetch", "recall=0.9"), "--prefetch is about times"),
        (
            (
                *("routing.npz", "-k", "3", "--tier", "5GB/s", "--expert-bytes", "2MB"),
                "--prefetch",
                "recall=2",
            ),
            "share '2' is outside 0 … 1",
        ),
        (("routing.npz", "--memory", "3MB", "--expert-bytes", "2MB"), "does not hold one visit: k ≥ g = 2"),
        (("routing.npz", "-k", "3", "--weights", "layer:1,0"), "weights layer:1,0: "),
        (("routing.npz", "-k", "3", "--weights", "layer:1"), "1 weights are given for 2 layers"),
        (("routing.npz", "-k", "3", "--weights", "bytes"), "state neither page_bytes nor expert_bytes"),
        (("cycle.npz", "-k", "2", "--decode-only"), "does not say which tokens were generated"),
        (("cycle.npz", "-k", "2", "--phase", "decode"), "does not mark generated tokens"),
        (("routing.npz", "-k", "3", "-o", "page.pdf"), "ends in .html"),
        (("routing.npz", "-k", "3", "-o", "nowhere/page.html"), "there is no folder nowhere"),
        (("missing.npz", "-k", "3"), "missing.npz"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(args, message, trace_file, capsys):
    out = ("-o", "page.html") if "-o" not in args else ()
    before = sorted(Path().iterdir())
    code, printed, err = call(capsys, *args, *out)
    assert (code, printed) == (2, "")
    assert re.fullmatch(f"paging: error: .*({message}).*\n", err), err
    assert sorted(Path().iterdir()) == before


def page_of(trace: Trace, caches, **settings) -> str:
    document = {**diagnose(trace, caches, **settings), "provenance": {"versions": {}, "trace": trace.name}}
    return render(document, dict.fromkeys(pictures(caches), ""))


def pictures(caches):
    detailed = [f"{kind}-{k}" for kind in ("time", "layers") for k in caches[:DETAILED]]
    return ["curves", "parts", *detailed]


def test_what_a_trace_is_called_stays_text_on_the_page():
    evil = "<script>alert(1)</script>\" onload='x'"
    text = page_of(Trace.from_experts([[[0]], [[1]], [[0]]], name=evil), [2])
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


@pytest.mark.slow
@pytest.mark.parametrize("visits", ["sequential", "atomic"])
def test_the_page_shows_the_numbers_of_the_document(visits):
    trace = drawn(2, 2, 2)
    cost = CostModel((10**6,), (LINK,), Fraction(1, 4))
    text = page_of(trace, [3, 5], visits=visits, cost=cost, prefetcher=Prefetcher(Fraction(9, 10)))
    assert text.count("Prefetching (recall 90\u00a0%, precision 100\u00a0%, 1 layer ahead)") == 2
    for size in diagnose(trace, [3, 5], visits=visits)["sizes"]:
        for key in ("lru", "opt", "best", "compulsory"):
            assert f'<data value="{size[key]}">' in text
        assert f"k = {size['k']}: {size['recommendation']['policy']}" in text
    assert f"<li>{visits} visits</li>" in text


@pytest.mark.slow
def test_a_page_is_written_with_all_pictures_and_loads_nothing(tmp_path):
    trace = drawn(1)
    target = tmp_path / "page.html"
    for visits, caches in (("sequential", [2, 3, 4, 5, 6]), ("atomic", [2])):
        found = diagnose(trace, caches, visits=visits)
        write_page({**found, "provenance": {"versions": {}}}, str(target))
        text = target.read_text(encoding="utf-8")
        assert text.count("<svg") == len(pictures(caches)) == 2 + 2 * min(len(caches), DETAILED)
        assert "<script" not in text
        assert not re.search(r'(?:src|href)="(?!#)', text.replace("xlink:", ""))
        assert "default-src 'none'" in text
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.slow
def test_a_real_trace_of_a_million_and_a_half_requests(trace_files, capsys):
    path = next((str(path) for path in trace_files if path.stem == "gpt-oss-20b_mixed"), None)
    if path is None:
        pytest.skip("the longest of the recorded traces is not here")
    code, out, _ = call(capsys, path, "-k", "200", "--json")
    (size,) = json.loads(out)["sizes"]
    assert code == 0
    assert (size["lru"], size["opt"]) == (572_113, 256_688)  # as the comparison and the optimum alone say
    assert size["compulsory"] <= size["opt_bypassing"] <= size["opt"] <= size["best"] <= size["lru"]
    assert size["opt"] <= size["best_static_split"]["opt"] <= size["best_static_split"]["lru"]
    curves = json.loads(out)["curves"]
    assert (curves["opt"][199], curves["lru"][199]) == (size["opt"], size["lru"])


def test_every_option_is_explained():
    assert all(getattr(parameter, "help", "") for parameter in command.params if parameter.name != "trace")
