"""Pictures: their numbers are those of the library, their bytes are always the same, errors are one line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lp import optimum
from paging import (
    LayeredInstance,
    LimitError,
    ModelError,
    RequestSequence,
    farthest_in_future,
    generate,
    optimum_so_far,
    simulate,
)
from paging.cli.main import run as paging_run
from paging.numbers import jsonable
from paging.plotting import LOOKS, looks, plain_ticks, save
from proofs.commands.plot import plot
from proofs.plots.curve import curve, draw_curve
from proofs.plots.draw import draw
from proofs.plots.heatmap import heatmap
from proofs.plots.phases import phases
from proofs.plots.ratio import draw_ratio, proven_upper, ratio
from proofs.plots.table import heatmap_of_table

ZIPF = ["--workload", "zipf:requests=300", "-l", "2", "-n", "4"]
SEQUENCE = generate("zipf:requests=300", LayeredInstance(2, 4, 5))

Capture = pytest.CaptureFixture[str]


def numbers(capsys: Capture, *args: str) -> Any:
    assert paging_run(["plot", *args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: Capture, *args: str) -> str:
    assert paging_run(["plot", *args]) == 2
    err = capsys.readouterr().err
    assert err.startswith("paging: error: ")
    assert err.count("\n") == 1
    return err


# Curves


def test_a_curve_holds_the_faults(capsys: Capture) -> None:
    found = numbers(capsys, "curve", "lru", *ZIPF, "-k", "5,3")
    faults = {(row["policy"], row["k"]): row["faults"] for row in found["rows"]}
    for cache in (3, 5):
        assert faults["lru", cache] == simulate("lru", SEQUENCE.with_cache(cache)).faults
        assert faults["opt", cache] == farthest_in_future(SEQUENCE.with_cache(cache)).faults
    assert [row["k"] for row in found["rows"]] == sorted(row["k"] for row in found["rows"])


@pytest.mark.slow
@pytest.mark.parametrize("show", ["faults", "rate", "ratio", "saving"])
def test_a_curve_is_drawn(show: str, tmp_path: Path, capsys: Capture) -> None:
    targets = [str(tmp_path / f"c.{end}") for end in ("svg", "png", "pdf")]
    outputs = [word for target in targets for word in ("-o", target)]
    args = ["plot", "curve", "lru", "mark", *ZIPF, "-k", "2:6", "--show", show, "--runs", "2", *outputs]
    assert paging_run(args) == 0
    assert capsys.readouterr().out == "".join(f"written: {target}\n" for target in targets)
    starts = [Path(target).read_bytes()[:4] for target in targets]
    assert starts == [b"<?xm", b"\x89PNG", b"%PDF"]
    before = [Path(target).read_bytes() for target in targets]
    assert paging_run(args) == 0
    assert [Path(target).read_bytes() for target in targets] == before


def test_no_two_lines_look_alike() -> None:
    drawn = looks(["lru", "llru", "opt", "clock", "sieve", "fwf", "random"])
    pairs = {(look["marker"], look["linestyle"], look["markerfacecolor"]) for look in drawn.values()}
    assert len(pairs) == len(drawn)
    own = {(look.marker, look.line, look.hollow) for look in LOOKS.values()}
    assert len(own) == len(LOOKS)


# Ratios


def test_a_ratio_is_faults_over_opt_at_every_time() -> None:
    found = ratio({"lru": SEQUENCE})
    counts = simulate("lru", SEQUENCE, record=True).fault_counts
    optimum = optimum_so_far(SEQUENCE)
    points = found["curves"][0]["points"]
    assert points[0]["requests"] == 1
    assert points[-1]["requests"] == 300
    for point in points:
        t = point["requests"] - 1
        assert (point["faults"], point["opt"]) == (counts[t], optimum[t])
        assert point["ratio"] == counts[t] / optimum[t]


def test_weighted_ratios_are_costs_over_the_weighted_optimum() -> None:
    weights = ["1/2", 4] * (SEQUENCE.instance.total_pages // 2)
    weighted = SEQUENCE.prefix(60).with_weights(weights)
    found = ratio({"landlord": weighted})
    points = found["curves"][0]["points"]
    assert points[-1]["requests"] == 60
    for point in points[::8]:
        so_far = weighted.prefix(point["requests"])
        assert point["opt"] == optimum(so_far).value
        assert point["cost"] == simulate("landlord", so_far).cost
        assert point["ratio"] == float(point["cost"] / point["opt"])
    curves = curve(weighted, [3, 4], ["landlord", "random"])
    for draw_it, document, label in (
        (draw_ratio, found, "cost / cost of OPT so far, weighted"),
        (draw_curve, curves, "cost, weighted"),
    ):
        figure = Figure()
        draw_it(figure, jsonable(document))
        assert figure.axes[0].get_ylabel() == label
    drawn = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_label() == "OPT"]
    assert drawn == [float(optimum(weighted.with_cache(3)).value)]


def test_the_bound_drawn_is_the_least_one_that_is_proved() -> None:
    instance = LayeredInstance(layers=2, pages=4, cache=7)
    expected = {
        **dict.fromkeys(["lru", "fifo", "clock", "fwf", "mark-lru", "mark-fifo", "random"], Fraction(7)),
        "llru": Fraction(8),  # k + ℓ − 1
        "mark": 2 * sum(Fraction(1, i) for i in range(1, 8)) - 1,  # 2·H_7 − 1
    }
    for policy, value in expected.items():
        found = proven_upper(policy, instance, 7)
        assert found is not None
        assert found["value"] == value, policy
    assert all(proven_upper(policy, instance, 7) is None for policy in ("lifo", "mru", "lfu", "sieve"))
    # of other variants of the model other things are proved, or nothing
    bypassing = proven_upper("lru", LayeredInstance(2, 4, 7, bypassing=True), 7)
    assert (bypassing["id"], bypassing["value"]) == ("bypassing-upper", 8)  # type: ignore[index]
    assert proven_upper("lru", LayeredInstance(2, 4, 7, per_visit=2, visits="atomic"), 7) is None
    # k/(k − h + 1) against OPT with three slots
    assert proven_upper("lru", instance, 3)["value"] == Fraction(7, 5)  # type: ignore[index]


def test_a_construction_brings_what_it_forces(capsys: Capture) -> None:
    found = numbers(capsys, "ratio", "lru", "llru", "--construction", "missing-page", "--rounds", "300")
    lower = next(bound for bound in found["bounds"] if bound["kind"] == "lower")
    assert (lower["id"], lower["value"]) == ("L2", "6")
    assert [curve["policy"] for curve in found["curves"]] == ["lru", "llru"]
    assert found["curves"][0]["points"][-1]["ratio"] > 5.5
    small = numbers(capsys, "ratio", "lru", "--construction", "sleator-tarjan", "--option", "opt_cache=3")
    assert small["opt_cache"] == 3
    assert all(point["faults"] >= point["opt"] for point in small["curves"][0]["points"])


@pytest.mark.parametrize(
    "args",
    [
        ["mark", "lru", *ZIPF, "-k", "5", "--runs", "2"],
        ["lifo", "mru", "--construction", "alternating", "--rounds", "50"],
        ["lru", "--construction", "cyclic", "-l", "3", "-n", "2", "-k", "5", "--rounds", "50"],
    ],
)
def test_ratios_are_drawn(args: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert paging_run(["plot", "ratio", *args, "-o", str(tmp_path / "r.svg")]) == 0
    assert (tmp_path / "r.svg").stat().st_size > 5000


# Phases


def test_phases_add_up() -> None:
    found = phases("lru", SEQUENCE)
    run, best = simulate("lru", SEQUENCE), farthest_in_future(SEQUENCE)
    assert sum(phase["faults"] for phase in found["phases"]) == sum(found["faults"]) == run.faults
    assert sum(phase["opt"] for phase in found["phases"]) == best.faults
    assert all(phase["distinct"] == 5 for phase in found["phases"][:-1])
    assert all(1 <= phase["new"] <= phase["faults"] <= 5 for phase in found["phases"])
    for phase in found["phases"]:
        assert phase["distinct"] == len(set(found["requests"][phase["start"] : phase["end"]]))


def test_phases_are_drawn_and_cut(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "p.svg"
    assert paging_run(["plot", "phases", "llru", *ZIPF, "-k", "5", "--first", "90", "-o", str(target)]) == 0
    assert "the first 90 of 300 requests" in capsys.readouterr().err
    assert target.exists()
    with pytest.raises(LimitError, match="--first"):
        phases("lru", generate("zipf:requests=2001", LayeredInstance(2, 4, 5)))


# Heatmaps


def test_a_grid_of_cache_sizes_and_pages(capsys: Capture) -> None:
    workload = ["--workload", "zipf:requests=200", "-l", "2"]
    found = numbers(capsys, "heatmap", "lru", *workload, "-n", "3:5", "-k", "2,4")
    assert (found["rows"], found["columns"]) == (["2", "4"], ["3", "4", "5"])
    sequence = generate("zipf:requests=200", LayeredInstance(2, 5, 4))
    expected = simulate("lru", sequence).faults / farthest_in_future(sequence).faults
    assert found["values"][1][2] == expected


def test_names_are_read_as_everywhere(capsys: Capture) -> None:
    found = numbers(capsys, "heatmap", "LRU", "FIFO", *ZIPF, "-k", "5")
    assert found["rows"] == ["lru", "fifo"]
    assert all(row[0] for row in found["values"])
    rows = numbers(capsys, "curve", "LRU", "opt", *ZIPF, "-k", "5")["rows"]
    assert [row["policy"] for row in rows] == ["lru", "opt", "compulsory"]


def test_policies_against_workloads(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "h.png"
    workloads = ["--workload", "zipf:requests=200", "--workload", "uniform:requests=200"]
    args = [
        "llru",
        "fifo",
        *workloads,
        "-l",
        "2",
        "-n",
        "4",
        "-k",
        "5",
        "--show",
        "faults",
        "-o",
        str(target),
    ]
    found = numbers(capsys, "heatmap", *args)
    assert found["rows"] == ["llru", "fifo"]
    assert (
        found["values"][1][1] == simulate("fifo", generate("uniform:requests=200", SEQUENCE.instance)).faults
    )
    assert target.exists()


def test_a_table_keeps_exact_numbers(tmp_path: Path) -> None:
    table = tmp_path / "ratios.csv"
    table.write_text("k,n,ratio\n10,2,3/2\n2,2,unbounded\n2,3,\n10,3,2\n")
    found = heatmap_of_table(table, rows="k", columns="n", value="ratio")
    assert found["rows"] == ["2", "10"]
    assert found["values"] == [["unbounded", None], ["3/2", "2"]]
    draw(found, [tmp_path / "t.svg"])
    records: list[Mapping[str, object]] = [{"k": 2, "n": [2, 3], "ratio": 1.5}]
    for content in (records, {"rows": records}):
        (tmp_path / "t.json").write_text(json.dumps(content))
        again = heatmap_of_table(tmp_path / "t.json", rows="k", columns="n", value="ratio")
        assert (again["columns"], again["values"]) == (["2/3"], [[1.5]])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("k,n\n2,2\n", "record 0 has no 'ratio'; it has k, n"),
        ("k,n,ratio\n2,2,1\n2,2,2\n", "record 1: a second value for k 2, n 2"),
        ("k,n,ratio\n2,2,many\n", "row 2, column 2: 'many' is no number"),
        ("k,n,ratio\n2,2,1/0\n", "'1/0' is no number"),
        ("k,n,ratio\n", "1 … 10,000 cells"),
    ],
)
def test_a_bad_table_is_refused(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises((ModelError, LimitError)) as error:
        heatmap_of_table(path, rows="k", columns="n", value="ratio")
    assert says in str(error.value)


def test_a_heatmap_of_infinities_is_drawn(tmp_path: Path) -> None:
    draw(heatmap({("1", "1"): "unbounded"}, rows="k", columns="n", value="ratio"), [tmp_path / "h.svg"])
    assert (tmp_path / "h.svg").exists()


# The command


@pytest.mark.parametrize("name", ["", *plot.commands])
def test_examples_parse(name: str) -> None:
    command = plot.commands[name] if name else plot
    lines = re.findall(r"^ *paging plot (.+)$", command.help or "", re.MULTILINE)
    assert lines
    for line in lines:
        kind, *words = shlex.split(line)
        plot.commands[kind].make_context(kind, words)


def test_help_needs_no_drawing_library() -> None:
    code = (
        "import sys; from paging.cli.main import run; run(['plot', 'curve', '--help']); "
        "sys.exit(any(name in sys.modules for name in ('matplotlib', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["curve", "lru", *ZIPF, "-k", "5"], "-o FILE"),
        (
            ["curve", "lru", *ZIPF, "-k", "5", "-o", "c.gif"],
            "c.gif: a picture's name ends in .svg, .png, .pdf",
        ),
        (["curve", "lru", *ZIPF, "-k", "5", "-o", "none/c.svg"], "there is no folder none"),
        (["curve", "lruu", *ZIPF, "-k", "5", "-o", "c.svg"], "did you mean lru"),
        (["curve", "partitioned", *ZIPF, "-k", "1", "-o", "c.svg"], "k ≥ 2"),
        (["curve", "lru", "--workload", "zipf:requests=9", "-k", "5", "-o", "c.svg"], "--layers (-l)"),
        (["ratio", "lru", *ZIPF, "-o", "c.svg"], "--cache (-k)"),
        (["ratio", "lru", *ZIPF, "-k", "5", "--construction", "cyclic", "-o", "c.svg"], "one of --trace"),
        (["ratio", "lru", "--construction", "cyclic", "-k", "6", "-o", "c.svg"], "needs ℓ to divide k + 1"),
        (["ratio", "lru", "--construction", "cylcic", "-o", "c.svg"], "did you mean cyclic"),
        (["phases", "lru", *ZIPF, "-k", "5", "--first", "0", "-o", "c.svg"], "--first"),
        (["heatmap", "lru", "-o", "c.svg"], "a --table, or policies"),
        (["heatmap", "lru", "--table", "x.csv", "-o", "c.svg"], "both are given"),
        (["heatmap", "--table", "missing.csv", "-o", "c.svg"], "missing.csv"),
        (["heatmap", "lru", "--rows", "k", *ZIPF, "-k", "5", "-o", "c.svg"], "--rows"),
        (["heatmap", "lru", "fifo", *ZIPF, "-k", "2:5", "-o", "c.svg"], "2 policies, 1 workloads, 4 k, 1 n"),
    ],
)
def test_bad_input_is_one_line(args: list[str], says: str, capsys: Capture, tmp_path: Path) -> None:
    assert says in refusal(capsys, *args)
    assert not Path("c.svg").exists()


def test_sequences_without_requests_are_refused() -> None:
    empty = RequestSequence(LayeredInstance(1, 2, 1), [])
    with pytest.raises(ModelError, match="at least one request"):
        ratio({"lru": empty})
    with pytest.raises(LimitError):
        phases("lru", empty)


def test_a_logarithmic_axis_has_its_small_ticks(tmp_path: Path) -> None:
    drawn: list[Figure] = []

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set(xscale="log", xlim=(1, 300), ylim=(0, 1))
        plain_ticks(axes)
        drawn.append(figure)

    save("ticks", draw, [tmp_path / "ticks.svg"])
    axes = drawn[0].axes[0]
    ticks = [line for line in axes.get_children() if isinstance(line, Line2D) and line.get_xdata().size]
    assert [round(x) for line in ticks for x in line.get_xdata()] == [
        *range(2, 10), *range(20, 100, 10), 200, 300,
    ]  # fmt: skip
    assert axes.get_xlim() == (1, 300)
    assert not axes.xaxis.get_minor_ticks()
