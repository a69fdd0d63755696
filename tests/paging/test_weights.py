"""What faults cost: weights as they are written, on instances, in runs, on the command line."""

import json
from fractions import Fraction
from importlib.metadata import entry_points

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp import optimum
from paging import (
    LayeredInstance,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    exact_weights,
    expected_cost,
    expected_faults,
    farthest_in_future,
    read_weights,
    sample_costs,
    simulate,
)
from paging.cli.main import run
from paging.compare import compare
from paging.testing import sequences
from paging.traces import Trace, write_trace

WEIGHTED = LayeredInstance(2, 3, 3, weights=[1, 1, 1, 4, 4, "1/2"])


def drawn(length=60, seed=0, instance=WEIGHTED):
    rng = np.random.default_rng(seed)
    first = instance.first_page
    return RequestSequence(
        instance, [int(rng.integers(first[t % 2], first[t % 2 + 1])) for t in range(length)]
    )


@pytest.mark.parametrize(
    ("text", "pages", "expected"),
    [
        ("layer:1,4", (2, 1), [1, 1, 4]),
        ("layer: 0.1 , 1/3", (1, 1), ["1/10", "1/3"]),
        ("page:1,0.5,2e1", (3,), [1, "1/2", 20]),
        ("tier:2*1,1*8", (3, 3), [1, 1, 8, 1, 1, 8]),
    ],
)
def test_weights_in_one_line(text, pages, expected):
    assert read_weights(text, pages).plain == expected


@pytest.mark.parametrize(
    ("text", "pages", "message"),
    [
        ("layer:1", (2, 1), "1 weights are given for 2 layers"),
        ("layer:1,2,3", (2, 1), "3 weights are given for 2 layers"),
        ("layer:", (2,), "'' is not a number"),
        ("page:1,2", (3,), "2 weights are given for 3 pages"),
        ("page:1,nan,2", (3,), "weight of page 1: 'nan' is not a number"),
        ("page:1,inf,2", (3,), "'inf' is not a number"),
        ("page:1,0,2", (3,), "weight of page 1: 0 is not positive"),
        ("page:1,-2,2", (3,), "weight of page 1: -2 is not positive"),
        ("page:1,1e-40,2", (3,), "62 bits"),
        ("tier:2*1", (3,), "the tiers have 2 pages, but layer 0 has 3"),
        ("tier:2*1,1*8", (3, 2), "the tiers have 3 pages, but layer 1 has 2"),
        ("tier:1,2", (2,), "'1' is not of the form N"),
        ("tier:9*1", (2,), "more pages than a layer"),
        ("layer:٣,1", (2, 1), "'٣' is not a number"),
        ("layer:1_0,1", (2, 1), "'1_0' is not a number"),
        ("/dev/zero", (2,), "neither a regular file nor standard input"),
        ("none.json", (2,), "No such file"),
    ],
)
def test_wrong_weights_are_refused_in_one_line(text, pages, message):
    with pytest.raises(ModelError, match=f"^weights {text.split(':', maxsplit=1)[0]}") as refusal:
        read_weights(text, pages)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_tiers_in_a_file(tmp_path):
    path = tmp_path / "w.json"
    path.write_text(
        json.dumps({"tiers": {"memory": 1, "disk": "2.5"}, "pages": [["memory", "disk"], ["disk"]]})
    )
    assert read_weights(path, (2, 1)).plain == [1, "5/2", "5/2"]
    for wrong, message in (
        ({"tiers": {"memory": 1}, "pages": ["memory", "disk", "memory"]}, "'disk' is none of the tiers"),
        ({"tiers": {}, "other": []}, "has the fields"),
        ({"tiers": [], "pages": []}, "has the fields"),
        ({"tiers": {"a": 1}, "pages": 3}, "expected a list"),
        ({"tiers": {"a": 1}, "pages": ["a"]}, "1 weights are given for 3 pages"),
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ModelError, match=message):
            read_weights(path, (2, 1))


def test_weights_belong_to_the_instance():
    assert WEIGHTED.plain["weights"] == [1, 1, 1, 4, 4, "1/2"]
    assert LayeredInstance.from_plain(WEIGHTED.plain) == WEIGHTED
    assert WEIGHTED.model["cost"] == "weighted"
    assert str(WEIGHTED).endswith("weighted")
    assert hash(WEIGHTED) == hash(LayeredInstance(2, 3, 3, weights=exact_weights([1, 1, 1, 4, 4, "0.5"])))
    assert WEIGHTED.with_weights([1, 1, 1, 4, 4, 1]) != WEIGHTED
    assert WEIGHTED.frame.weights.tolist() == [2, 2, 2, 8, 8, 1]
    assert drawn().of_layer(1, 2).instance.weights == exact_weights([4, 4, "1/2"])
    for wrong in ([1, 2], "111111", 3, [1, 1, 1, 1, 1, 0.5], [1] * 5 + [None]):
        with pytest.raises(ModelError):
            LayeredInstance(2, 3, 3, weights=wrong)
    with pytest.raises(ModelError, match="sum over 4 requests does not fit 62 bits"):
        RequestSequence(LayeredInstance(1, 2, 1, weights=[1, 2**60]), [0, 1, 0, 1])


def test_weights_of_1_are_unit_cost():
    assert LayeredInstance(2, 1, 1, weights=[1, "1"]) == LayeredInstance(2, 1, 1)
    sequence = drawn().with_weights([1] * 6)
    assert (
        farthest_in_future(sequence).cost
        == optimum(sequence).value
        == optimum(drawn().with_weights(None)).value
    )


@given(
    sequences(layers=(1, 2), pages=(2, 4), cache=(1, 4), length=40),
    st.fractions(min_value="1/9", max_value=9),
)
def test_equal_weights_scale_every_cost(sequence, weight):
    scaled = sequence.with_weights([weight] * sequence.instance.total_pages)
    for policy in ("landlord", "landlord-fifo", "lru", "fifo"):
        assert simulate(policy, scaled).cost == weight * simulate(policy, sequence).faults
    assert optimum(scaled).value == weight * farthest_in_future(sequence).faults


@given(
    sequences(layers=(1, 2), pages=(2, 3), cache=(1, 4), length=40),
    st.lists(st.fractions(min_value="1/5", max_value=8, max_denominator=5), min_size=6, max_size=6),
)
def test_nobody_pays_less_than_opt_and_landlord_at_most_k_times_as_much(sequence, weights):
    weighted = sequence.with_weights(weights[: sequence.instance.total_pages])
    best = optimum(weighted).value
    for policy in ("landlord", "landlord-fifo", "lru", "lfu"):
        played = simulate(policy, weighted, record=True)
        assert played.cost == played.schedule.cost >= best
        assert played.cost <= sequence.instance.cache * best or not policy.startswith("landlord")


def test_the_cost_of_randomised_policies():
    sequence = drawn(20)
    chances = expected_cost("mark", sequence.with_weights(None)).per_request
    weights = sequence.instance.weights
    expected = sum(chance * weights[page] for chance, page in zip(chances, sequence, strict=True))
    assert expected_cost("mark", sequence).total == expected
    assert expected_faults("mark", sequence) == sum(chances)
    faults, cost = sample_costs("mark", sequence, runs=200)
    assert abs(faults.mean - float(sum(chances))) < 3 * faults.half_width
    assert abs(cost.mean - float(expected)) < 3 * cost.half_width


def test_what_counts_faults_alone_refuses_weights():
    with pytest.raises(UnsupportedModelError, match=r"needs .*unit cost; .* weighted cost"):
        farthest_in_future(drawn())


def test_comparison_counts_costs():
    sequence = drawn(200)
    result = compare(sequence, [2, 3], ["landlord", "lru", "mark"], warm_up=20)
    assert result.weighted
    assert result.title.endswith("weighted")
    for row in result.rows:
        if row.policy in ("landlord", "lru"):
            later = simulate(row.policy, sequence.with_cache(row.cache), record=True)
            missed = sequence.requests[20:][later.entries[20:] != -2]
            assert row.cost == sequence.instance.cost_of(missed)
            assert row.vs_opt == Fraction(row.cost) / result.row("opt", row.cache).cost
    assert result.row("mark", 3).cost_estimate.half_width > 0
    plain = result.rows[0].as_dict()
    assert plain["cost"] == result.rows[0].cost
    cold = compare(sequence, None, ["lru"])
    assert cold.row("opt", 3).cost == optimum(sequence).value


def test_opt_after_a_warm_up_is_least_over_all_caches():
    # After 0 and 3, with two slots: 3 costs 4, so OPT keeps it, and 0 is loaded again for 1.
    sequence = RequestSequence(WEIGHTED.with_cache(2), [0, 3, 1, 3, 0, 3])
    row = compare(sequence, None, ["lru"], warm_up=2).row("opt", 2)
    assert (row.faults, row.cost) == (2, 2)


HERE = ("run", "landlord", "lru", "--workload", "zipf:requests=200", "-l", "2", "-n", "3", "-k", "3")


def test_the_command_line_counts_weighted_costs(capsys):
    assert run([*HERE, "--weights", "layer:1,4", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["model"]["cost"] == "weighted"
    assert shown["instance"]["weights"] == [1, 1, 1, 4, 4, 4]
    assert shown["provenance"]["weights"] == "layer:1,4"
    landlord, _, opt, _ = shown["rows"]
    assert opt["cost"] <= landlord["cost"] <= 3 * opt["cost"]
    assert run([*HERE, "--weights", "layer:1,4"]) == 0
    assert "cost, weighted" in capsys.readouterr().out
    assert run(["compare", "-p", "landlord", *HERE[3:], "--weights", "tier:2*1,1*0.5"]) == 0
    assert "weighted cost · 200 requests" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("layer:1", "1 weights are given for 2 layers"),
        ("page:1,2,3,4,5,0", "0 is not positive"),
        ("page:1,2,3,4,5,NaN", "'NaN' is not a number"),
        ("page:1,2,3,4,5,1e18", "does not fit 62 bits"),
        ("absent.json", "No such file"),
        ("bytes", "takes the bytes of pages from a --trace"),
    ],
)
def test_wrong_weights_end_a_command_in_one_line(weights, message, capsys):
    assert run([*HERE, "--weights", weights]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert message in said.err


def test_what_cannot_be_drawn_is_refused_before_anything_is_written(capsys):
    assert run([*HERE, "opt", "--show", "--weights", "layer:1,4"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "at unit cost only" in said.err


def test_atomic_visits_have_a_weighted_optimum():
    instance = LayeredInstance(1, 4, 2, 2, "atomic").with_weights([1, 2, 3, 4])
    sequence = RequestSequence(instance, [0, 1, 1, 2, 2, 3, 0, 1])
    assert compare(sequence, None, ["lru"]).row("opt", 2).cost == optimum(sequence).value


def every_command():
    """Yield the words and the command of everything that ``paging`` does."""
    for point in entry_points(group="paging.commands"):
        command = point.load()
        if isinstance(command, click.Group):
            yield from (((point.name, name), inner) for name, inner in command.commands.items())
        else:
            yield (point.name,), command


WITHOUT = {
    ("play",): "OPT so far, which the page shows after every request, is known at unit cost",
    ("plot", "heatmap"): "cells are faults on instances of many shapes",
    ("precisions",): "has two weights, 1 and --low-cost",
}
"""Commands that read requests and have no weights, and why (docs/weights.md)."""


def test_every_command_that_reads_requests_takes_weights():
    found = set()
    for words, command in every_command():
        names = {name for parameter in command.params for name in parameter.opts}
        reads = names & {"--trace", "--workload", "--sequence"}
        assert ("--weights" in names or words in WITHOUT) or not reads, words
        found |= {words} if reads and "--weights" not in names else set()
    assert found == set(WITHOUT)


SHAPE = ("-l", "2", "-n", "3", "-k", "3")
SOME = ("--workload", "zipf:requests=40", *SHAPE)
WEIGHED = {
    ("run",): ("landlord", *SOME),
    ("compare",): ("-p", "landlord", *SOME),
    ("opt",): SOME,
    ("fractional",): SOME,
    ("predict",): ("--kind", "discard", *SOME),
    ("show",): ("lru", *SOME, "-o", "OUT.html"),
    ("sized",): (*SOME[:-2], "--sizes", "layer:1,2", "--capacity", "5"),
    ("plot", "curve"): ("landlord", *SOME, "-o", "OUT.svg"),
    ("plot", "ratio"): ("landlord", *SOME, "-o", "OUT.svg"),
    ("plot", "phases"): ("lru", *SOME, "-o", "OUT.svg"),
    ("diagnose",): ("TRACE", "-k", "3"),
    ("exact",): ("landlord", *SHAPE),
    ("game",): SHAPE,
    ("reproduce",): ("-o", "OUT", "--trace", "TRACE"),
}
"""How every command with weights is called here, without them."""

WRONG = {
    "page:1,2,3,4,5": "5 weights are given for 6 pages",
    "layer:1,4,4": "3 weights are given for 2 layers",
    "tier:2*1": "the tiers have 2 pages, but layer 0 has 3",
    "page:1,2,3,4,5,0": "0 is not positive",
    "page:1,2,3,4,5,-1/2": "-1/2 is not positive",
    "page:1,2,3,4,5,nan": "'nan' is not a number",
    "page:1,2,3,4,5,1e999999": "the exponent of '1e999999' is too large",
    "page:1,2,3,4,5,1e19": "does not fit 62 bits",
    "MISSING": "No such file",
    "LAYOUT": "lists of (3, 2) for layers of (3, 3)",
    "ZERO": "weight of page 2: 0 is not positive",
    "NAN": "'NaN' is not a number",
    "bytes": "bytes",
}


def test_here_every_command_with_weights_is_called():
    assert set(WEIGHED) == {
        words for words, command in every_command() if any("--weights" in one.opts for one in command.params)
    }


@pytest.mark.parametrize("words", WEIGHED, ids=" ".join)
def test_wrong_weights_end_every_command_in_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "LAYOUT").write_text("[[1, 2, 3], [4, 5]]")
    (tmp_path / "ZERO").write_text('["1", 2, 0.0, 4, 5, 6]')
    (tmp_path / "NAN").write_text("[1, 2, NaN, 4, 5, 6]")
    write_trace(Trace([0, 3, 1, 4, 2, 5], 2, 3), tmp_path / "TRACE.npz")
    files = sorted(tmp_path.iterdir())
    arguments = [one.replace("TRACE", "TRACE.npz") for one in WEIGHED[words]]
    for weights, message in WRONG.items():
        assert run([*words, *arguments, "--weights", weights]) == 2, weights
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1), weights
        assert message in said.err
        assert sorted(tmp_path.iterdir()) == files


@pytest.mark.slow
@pytest.mark.parametrize("words", sorted(set(WEIGHED) - {("reproduce",)}), ids=" ".join)  # tests/proofs
def test_numbers_that_count_weights_say_so(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_trace(Trace([0, 3, 1, 4, 2, 5], 2, 3), tmp_path / "TRACE.npz")
    arguments = [one.replace("TRACE", "TRACE.npz") for one in WEIGHED[words]]
    code = run([*words, *arguments, "--weights", "layer:1,4"])
    said = capsys.readouterr()
    if code == 2:
        assert words in (("show",), ("plot", "phases"), ("predict",))
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "unit cost" in said.err
        return
    assert code == 0
    drawn = "".join(path.read_text() for path in tmp_path.glob("OUT.*"))
    assert "weight" in said.out + said.err + drawn


@pytest.mark.parametrize(
    ("text", "message"),
    [("[" * 100_000, "lists are nested too deeply"), (f"[{'9' * 5000}]", "value has 5000 digits")],
)
def test_a_file_of_weights_that_python_cannot_read_is_refused_in_its_own_words(text, message, tmp_path):
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=f"{message}$"):
        read_weights(path, (1,))
