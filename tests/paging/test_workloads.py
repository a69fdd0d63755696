"""Seeded workloads: legal, reproducible, and distributed as their descriptions say."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from paging.errors import ModelError, UnknownNameError
from paging.model import LayeredInstance, RequestSequence
from paging.workloads import LENGTHS, WORKLOADS, describe_workloads, generate, parse_workload
from tests.helpers.memory import PEAK

SPECS = [
    "uniform",
    "zipf",
    "zipf:alpha=10",
    "sticky",
    "sticky:p=1",
    "sticky:p=0.9,alpha=3",
    "correlated",
    "correlated:c=1",
    "correlated:c=0.8,alpha=10",
    "stack-distance",
    "stack-distance:alpha=0,ratio=0.001",
    "stack-distance:alpha=10",
]

RARE = 1e-6
"""A fixed seed either passes or not; a right law fails one in a million seeds."""


def visits(spec: str, instance: LayeredInstance, rounds: int, seed: int = 0) -> NDArray[np.int64]:
    """Indices inside the layers, shape (rounds, layers, g)."""
    sequence = generate(spec, instance, rounds=rounds, seed=seed)
    shape = (rounds, instance.layers, instance.per_visit)
    return sequence.requests.reshape(shape) - instance.first_page[:-1, np.newaxis].astype(np.int64)


def assert_law(observed: list[int] | NDArray[np.int64], shares: list[float] | NDArray[np.float64]) -> None:
    """Chi-square test of counts against probabilities."""
    counts, expected = np.asarray(observed), np.asarray(shares) * np.sum(observed)
    assert expected.min() > 5
    assert stats.chisquare(counts, expected).pvalue > RARE


def power_shares(n: int, alpha: float, ratio: float = 1.0) -> NDArray[np.float64]:
    weights = ratio ** np.arange(1, n + 1) * np.arange(1, n + 1) ** -float(alpha)
    return weights / weights.sum()


def successive(shares: NDArray[np.float64], count: int) -> dict[tuple[int, ...], float]:
    """Probability of every ordered choice when ``count`` are drawn one by one without replacement."""
    law = {}
    for choice in itertools.permutations(range(len(shares)), count):
        left, probability = 1.0, 1.0
        for i in choice:
            probability *= shares[i] / left
            left -= shares[i]
        law[choice] = probability
    return law


@st.composite
def instances(draw: st.DrawFn) -> LayeredInstance:
    pages = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    return LayeredInstance(len(pages), tuple(pages), 3, draw(st.integers(1, min(pages))))


# --- every workload ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPECS)
@settings(deadline=None, max_examples=30)
@given(instance=instances(), requests=st.integers(1, 200), seed=st.integers(0, 3))
def test_requests_are_legal_repeatable_and_extend_their_prefix(
    spec: str, instance: LayeredInstance, requests: int, seed: int
) -> None:
    text = spec + ("," if ":" in spec else ":") + f"requests={requests}"
    sequence = generate(text, instance, seed=seed)
    assert len(sequence) == requests
    RequestSequence(instance, sequence.requests.copy())  # raises where a request is illegal
    assert generate(text, instance, seed=seed) == sequence
    rounds = -(-requests // instance.round_length)
    assert generate(spec, instance, rounds=rounds + 2, seed=seed).prefix(requests) == sequence


@pytest.mark.parametrize("spec", SPECS)
def test_the_size_of_the_blocks_changes_nothing(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = LayeredInstance(3, (4, 5, 6), 3, 2)
    expected = generate(spec, instance, rounds=50, seed=9)
    for block in (1, 7, 100):
        monkeypatch.setattr("paging.workloads.registry.BLOCK", block)
        assert generate(spec, instance, rounds=50, seed=9) == expected


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec != "sticky:p=1"])
def test_seeds_matter_and_zero_is_one(spec: str) -> None:
    instance = LayeredInstance(4, 8, 3)
    drawn = [generate(spec, instance, rounds=100, seed=seed).requests.tobytes() for seed in (0, 1, 2)]
    assert len(set(drawn)) == 3
    assert generate(spec, instance, rounds=100).requests.tobytes() == drawn[0]


def test_a_generator_goes_on_from_where_it_stands() -> None:
    instance = LayeredInstance(2, 8, 3)
    rng = np.random.default_rng(4)
    first, second = (generate("zipf", instance, rounds=30, seed=rng) for _ in range(2))
    assert first == generate("zipf", instance, rounds=30, seed=4)
    assert first != second


@pytest.mark.parametrize("spec", SPECS)
def test_a_visit_of_all_pages_is_a_permutation(spec: str) -> None:
    drawn = visits(spec, LayeredInstance(3, 5, 3, 5), 40)
    assert (np.sort(drawn, axis=2) == np.arange(5)).all()


# --- the laws ----------------------------------------------------------------------------------------


def test_uniform_is_the_floor_of_the_uniform_numbers() -> None:
    pages = np.array([5, 3, 7])
    drawn = visits("uniform", LayeredInstance(3, tuple(pages), 3), 1000, seed=8)
    numbers = np.random.default_rng(8).random((1000, 3))
    assert (drawn[:, :, 0] == np.floor(numbers * pages)).mean() > 0.999  # rounding at the steps of the law


def test_uniform_pairs_are_equally_likely() -> None:
    drawn = visits("uniform", LayeredInstance(2, 4, 3, 2), 20_000)
    for layer in range(2):
        pairs = Counter(map(tuple, drawn[:, layer].tolist()))
        assert_law([pairs[pair] for pair in itertools.permutations(range(4), 2)], [1 / 12] * 12)


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0, 2.0])
def test_zipf_popularity(alpha: float) -> None:
    drawn = visits(f"zipf:alpha={alpha}", LayeredInstance(2, (6, 4), 3), 30_000)
    for layer, n in enumerate((6, 4)):
        counts = np.bincount(drawn[:, layer, 0], minlength=n)
        # The order is unknown but for alpha = 0 shows in the counts themselves.
        assert_law(counts if alpha == 0 else np.sort(counts)[::-1], power_shares(n, alpha))


def test_zipf_has_an_order_and_an_exponent_of_its_own_in_every_layer() -> None:
    drawn = visits("zipf:alpha=0/5/5/5/5/5", LayeredInstance(6, 8, 3), 5000)
    counts = [np.bincount(drawn[:, layer, 0], minlength=8) for layer in range(6)]
    assert counts[0].max() < 1000
    assert all(count.max() > 4500 for count in counts[1:])
    assert len({int(count.argmax()) for count in counts[1:]}) > 1


@pytest.mark.parametrize("group", [2, 3])
def test_zipf_visits_are_drawn_one_after_the_other_without_replacement(group: int) -> None:
    drawn = visits("zipf:alpha=1", LayeredInstance(1, 4, 3, group), 60_000)[:, 0]
    rank = np.argsort(np.argsort(-np.bincount(drawn[:, 0])))
    observed = Counter(map(tuple, rank[drawn].tolist()))
    law = successive(power_shares(4, 1), group)
    assert_law([observed[visit] for visit in law], list(law.values()))


def test_sticky_repeats_with_the_stated_probability() -> None:
    drawn = visits("sticky:p=0.7", LayeredInstance(2, 5, 3), 30_000)
    kept = (drawn[1:] == drawn[:-1]).sum(axis=(0, 2))
    for layer in range(2):
        assert_law([kept[layer], 29_999 - kept[layer]], [0.7 + 0.3 / 5, 0.3 * 4 / 5])
        assert_law(np.bincount(drawn[::20, layer, 0]), [0.2] * 5)


def test_sticky_slots_keep_their_pages_on_their_own() -> None:
    drawn = visits("sticky:p=0.5", LayeredInstance(1, 4, 3, 2), 40_000)[:, 0]
    same = drawn[1:] == drawn[:-1]
    # Not kept, a slot may redraw its page: 1 of 3 where the other slot is kept, 1 of 4 where neither is. Both
    # the same: both kept, one kept and the other redrawn, or both redrawn in order (1/4 · 1/3).
    one = 0.5 + 0.5 * (0.5 / 3 + 0.5 / 4)
    both = 0.25 + 2 * 0.25 / 3 + 0.25 / 12
    for slot in range(2):
        assert_law([same[:, slot].sum(), (~same[:, slot]).sum()], [one, 1 - one])
    assert_law([same.all(axis=1).sum(), (~same.all(axis=1)).sum()], [both, 1 - both])


def test_sticky_at_its_ends() -> None:
    instance = LayeredInstance(3, 6, 3, 2)
    always = visits("sticky:p=1", instance, 50)
    assert (always == always[0]).all()
    never = visits("sticky:p=0,alpha=10", instance, 3000)
    assert (np.bincount(never[:, 0, 0]).max()) > 2900


def image_of_layers(instance: LayeredInstance, seed: int) -> list[dict[int, int]]:
    """The maps of ``correlated``: with c = 1 they are there to be seen, and the seed fixes them."""
    drawn = visits("correlated:c=1", instance, 500, seed)[:, :, 0]
    maps = [
        dict(zip(drawn[:, j].tolist(), drawn[:, j + 1].tolist(), strict=True))
        for j in range(drawn.shape[1] - 1)
    ]
    for j, image in enumerate(maps):
        assert (np.vectorize(image.get)(drawn[:, j]) == drawn[:, j + 1]).all(), "not a function"
    return maps


def test_correlated_follows_a_fixed_bijection() -> None:
    instance = LayeredInstance(4, 6, 3)
    maps = image_of_layers(instance, 3)
    assert all(len(image) == len(set(image.values())) == 6 for image in maps)
    assert any(image != maps[0] for image in maps)
    drawn = visits("correlated:c=0.4", instance, 20_000, 3)[:, :, 0]
    for j, image in enumerate(maps):
        followed = int((np.vectorize(image.get)(drawn[:, j]) == drawn[:, j + 1]).sum())
        assert_law([followed, 20_000 - followed], [0.4 + 0.6 / 6, 0.6 * 5 / 6])
        assert_law(np.bincount(drawn[:, j + 1]), [1 / 6] * 6)
    assert_law(np.bincount(drawn[:, 0]), [1 / 6] * 6)


def test_correlated_maps_are_even_between_unequal_layers() -> None:
    for image in image_of_layers(LayeredInstance(3, (7, 3, 7), 3), 1):
        targets = Counter(image.values())
        assert max(targets.values()) - min(targets.values()) <= 1


def test_correlated_slots_follow_slot_by_slot() -> None:
    instance = LayeredInstance(2, 6, 3, 3)
    drawn = visits("correlated:c=1", instance, 300)
    pairs = {pair for now in drawn for pair in zip(now[0].tolist(), now[1].tolist(), strict=True)}
    assert len(pairs) == 6


def lru_depths(drawn: NDArray[np.int64], n: int) -> list[tuple[int, ...]]:
    """Depths (from 1) of every visit's pages in an LRU stack as it stands when the visit begins."""
    stack: list[int] = []
    depths = []
    for visit in drawn.tolist():
        if len(stack) == n:
            depths.append(tuple(stack.index(page) + 1 for page in visit))
        for page in visit:
            if page in stack:
                stack.remove(page)
            stack.insert(0, page)
    return depths


@pytest.mark.parametrize(("alpha", "ratio"), [(1.0, 1.0), (0.0, 0.5), (0.5, 0.8), (0.0, 1.0)])
def test_stack_distances(alpha: float, ratio: float) -> None:
    drawn = visits(f"stack-distance:alpha={alpha},ratio={ratio}", LayeredInstance(2, (5, 4), 3), 20_000)
    for layer, n in enumerate((5, 4)):
        depths = Counter(depth for (depth,) in lru_depths(drawn[:, layer], n))
        assert_law([depths[d] for d in range(1, n + 1)], power_shares(n, alpha, ratio))


def test_stack_distances_of_a_visit_are_drawn_one_after_the_other() -> None:
    drawn = visits("stack-distance:alpha=1", LayeredInstance(1, 4, 3, 2), 40_000)[:, 0]
    observed = Counter(lru_depths(drawn, 4))
    law = successive(power_shares(4, 1), 2)
    assert_law([observed[i + 1, j + 1] for i, j in law], list(law.values()))


def test_shares_too_small_for_a_float_still_give_distinct_pages() -> None:
    drawn = visits("stack-distance:alpha=10,ratio=0.001", LayeredInstance(2, 200, 3, 8), 200)
    assert all(len(set(visit)) == 8 for visit in drawn.reshape(-1, 8).tolist())


# --- parameters --------------------------------------------------------------------------------------

INSTANCE = LayeredInstance(2, 4, 3)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("zipf:alpha=-1,rounds=5", "alpha must be a number in 0 … 10, got -1"),
        ("zipf:alpha=10.5,rounds=5", "alpha must be a number in 0 … 10, got 10.5"),
        ("zipf:alpha=nan,rounds=5", "alpha must be a number in 0 … 10, got nan"),
        ("zipf:alpha=steep,rounds=5", "alpha must be a number in 0 … 10, got 'steep'"),
        ("zipf:alpha=1/2/3,rounds=5", "one for each of the 2 layers, got 3"),
        ("zipf:alpha=1/x,rounds=5", "got '1/x'"),
        ("sticky:p=1.01,rounds=5", "p must be a number in 0 … 1"),
        ("correlated:c=-0.1,rounds=5", "c must be a number in 0 … 1"),
        ("stack-distance:ratio=0,rounds=5", "ratio must be a number in 0.001 … 1"),
        ("uniform:alpha=1,rounds=5", "workload uniform has no parameter 'alpha'; known are requests, rounds"),
        ("sticky:q=1,rounds=5", "no parameter 'q'; known are alpha, p, requests, rounds"),
        ("uniform", "needs its length once.*got neither"),
        ("uniform:rounds=5,requests=5", "got both rounds and requests"),
        ("uniform:rounds=0", r"rounds must be an integer in 1 … 500000000, got 0"),
        ("uniform:requests=1000000001", r"requests must be an integer in 1 … 1000000000"),
        ("uniform:rounds=2.5", "rounds must be an integer"),
        ("uniform:rounds=1/2", "rounds must be an integer"),
        ("uniform:rounds", "expected key=value"),
    ],
)
def test_parameters_that_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        generate(spec, INSTANCE)


def test_lengths_and_seeds_that_are_refused() -> None:
    with pytest.raises(ModelError, match="got both rounds and rounds argument"):
        generate("uniform:rounds=5", INSTANCE, rounds=5)
    for seed in (-1, 1.5, "1", True, None):
        with pytest.raises(ModelError, match="seed must be an integer"):
            generate("uniform", INSTANCE, rounds=5, seed=seed)  # type: ignore[arg-type]


def test_unknown_workloads_get_a_hint() -> None:
    with pytest.raises(UnknownNameError, match="unknown workload 'zipff': did you mean zipf"):
        generate("zipff", INSTANCE, rounds=5)


def test_a_workload_object_is_as_good_as_its_spec() -> None:
    chosen = WORKLOADS["sticky"].with_values(alpha=2, p=0.1).with_values(alpha=(1, 2))
    assert generate(chosen, INSTANCE, rounds=9) == generate("sticky:p=0.1,alpha=1/2,rounds=9", INSTANCE)
    assert parse_workload("sticky:alpha=1/2,p=0.1,rounds=9") == (chosen, {"rounds": 9})
    assert WORKLOADS["sticky"].values == {}


def test_descriptions_are_complete_and_true() -> None:
    entries = {entry["id"]: entry for entry in describe_workloads()}
    assert list(entries) == list(WORKLOADS)
    for entry in entries.values():
        assert entry["title"]
        assert len(entry["meaning"]) > 60
        names = [parameter["name"] for parameter in entry["parameters"]]
        assert not set(names) & LENGTHS.keys()
        for parameter in entry["parameters"]:
            assert parameter["meaning"]
            assert parameter["low"] <= parameter["default"] <= parameter["high"]
            for value in (parameter["low"], parameter["default"], parameter["high"]):
                generate(f"{entry['id']}:{parameter['name']}={value},rounds=3", INSTANCE)


def test_importing_the_module_stays_light() -> None:
    # Under an empty parent package: what paging itself imports is not the workloads' affair.
    code = (
        "import sys, types; sys.modules['paging'] = parent = types.ModuleType('paging');"
        "parent.__path__ = sys.argv[1:]; import paging.workloads;"
        "print({'numba', 'scipy', 'matplotlib'} & set(sys.modules))"
    )
    folder = str(Path(__file__).resolve().parents[2] / "paging")
    ran = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


MEASURE = f"""
import sys
{PEAK}
from paging import LayeredInstance, generate
sequence = generate(sys.argv[1], LayeredInstance(32, 8, 16), rounds=312_500)
print(len(sequence), peak())
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(WORKLOADS))
def test_ten_million_requests_take_little_memory(name: str) -> None:
    ran = subprocess.run([sys.executable, "-c", MEASURE, name], capture_output=True, text=True, check=True)
    requests, peak = map(int, ran.stdout.split())
    assert requests == 10_000_000
    assert peak < 1000


def test_large_and_uneven_layers() -> None:
    instance = LayeredInstance(3, (1, 2000, 7), 5)
    for name in WORKLOADS:
        sequence = generate(name, instance, rounds=2000)
        assert set(sequence.requests[::3].tolist()) == {0}
        assert len(sequence) == 6000
