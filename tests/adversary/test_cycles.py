"""The product graph, its worst cycle, and the resumable search built on them."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from adversary.cycles.cycle import (
    Cycle,
    NoCycleError,
    cycle_certificate,
    literal,
    offline_return,
    periodic_cycle,
)
from adversary.cycles.max_ratio import GAP, RATIO, best_cycle
from adversary.cycles.product_graph import ProductGraph, Symmetry, symmetry_of
from adversary.cycles.search import Search
from paging import (
    HIT,
    IllegalSequenceError,
    LayeredInstance,
    LimitError,
    ModelError,
    Policy,
    UnsupportedModelError,
    farthest_in_future,
    get_policy,
    simulate,
)
from paging.cli.main import run as paging_run
from proofs.certificates.reading import read_certificate
from proofs.checker import VERIFIED, verify_file
from tests.helpers.policies import Favourite

PROGRAM = Path(sys.executable).with_name("paging")
Capture = pytest.CaptureFixture[str]

KNOWN = [
    *(((1, k + 1, k), policy, Fraction(k)) for k in (1, 2, 3, 4, 5) for policy in ("lru", "llru", "fifo")),
    *(((2, 2, 2), policy, Fraction(3, 2)) for policy in ("lru", "llru")),
    *(((2, 3, 3), policy, Fraction(3)) for policy in ("lru", "llru")),
    *(((2, 2, 3), policy, Fraction(3)) for policy in ("lru", "llru")),
    *(((3, 2, 3), policy, Fraction(5, 3)) for policy in ("lru", "llru")),
    *(((3, 2, 4), policy, Fraction(3)) for policy in ("lru", "llru")),
    *(((4, 2, 4), policy, Fraction(7, 4)) for policy in ("lru", "llru")),
    ((2, 4, 7), "llru", Fraction(8)),
]
"""(ℓ, n, k), policy, exact ratio: the table of known values, and LLRU beyond k."""


def graph_of(policy: str | Policy, *shape: int, **options: object) -> ProductGraph:
    graph = ProductGraph(policy, LayeredInstance(*shape), **options)  # type: ignore[arg-type]
    graph.explore(max_states=100_000)
    return graph


# The graph and its extremal cycle


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "policy", "ratio"), KNOWN)
def test_known_exact_ratios(shape: tuple[int, int, int], policy: str, ratio: Fraction) -> None:
    search = Search(policy, LayeredInstance(*shape))
    search.run()
    assert search.progress.exhausted
    assert search.best is not None
    assert search.best.ratio == ratio
    search.best.check()


@pytest.mark.parametrize("shape", [(1, 3, 2), (2, 2, 2), (2, 2, 3), (1, 4, 3)])
@pytest.mark.parametrize("policy", ["lru", "fifo", "llru", "mark-fifo", "fwf", "lifo"])
def test_the_best_cycle_is_the_best_of_all_simple_cycles(shape: tuple[int, int, int], policy: str) -> None:
    graph = graph_of(policy, *shape)
    best: Fraction | float = 0
    # A node in the middle of every edge keeps parallel edges apart.
    plain = nx.DiGraph()
    for number, (s, t, code) in enumerate(edges(graph)):
        plain.add_edge((s, -1), (number, code))
        plain.add_edge((number, code), (t, -1))
    for count, cycle in enumerate(nx.simple_cycles(plain)):
        if count > 20_000:
            pytest.skip("too many simple cycles to list")
        codes = [code for _, code in cycle if code >= 0]
        online, offline = sum(code & 1 for code in codes), sum(code >> 1 for code in codes)
        if online:
            best = max(best, Fraction(online, offline) if offline else float("inf"))
    found = graph.best_cycle()
    assert found is not None
    assert found.ratio == best


def edges(graph: ProductGraph) -> list[tuple[int, int, int]]:
    return [
        (s, int(t), int(code))
        for s in range(graph.states)
        for t, code in zip(graph.targets[s], graph.codes[s], strict=True)
        if t >= 0
    ]


@pytest.mark.parametrize("objective", [RATIO, GAP])
def test_the_potential_proves_that_no_cycle_is_better(objective: object) -> None:
    graph = graph_of("llru", 2, 3, 4)
    result = best_cycle(graph.targets, graph.codes, objective)  # type: ignore[arg-type]
    assert result.cycle is not None
    assert result.potential is not None
    ratio = Fraction(result.cycle.ratio)
    gain, price = (objective.gain, objective.price)  # type: ignore[attr-defined]
    for s, t, code in edges(graph):
        weight = ratio.denominator * gain[code] - ratio.numerator * price[code]
        assert weight + result.potential[s] <= result.potential[t]


@pytest.mark.parametrize(
    "policy", ["lru", "fifo", "clock", "sieve", "llru", "llru-token", "partitioned", "fwf"]
)
def test_symmetries_change_nothing_but_the_number_of_states(policy: str) -> None:
    reduced = graph_of(policy, 2, 2, 3)
    whole = graph_of(policy, 2, 2, 3, symmetry=Symmetry(False, False))
    assert reduced.states <= whole.states
    assert reduced.best_cycle().ratio == whole.best_cycle().ratio  # type: ignore[union-attr]


def test_symmetries_are_tried_out_and_not_believed() -> None:
    assert symmetry_of(get_policy("lru"), LayeredInstance(2, 3, 3)) == (True, True)
    assert symmetry_of(get_policy("lru"), LayeredInstance(2, (3, 2), 3)) == (True, False)
    assert symmetry_of(get_policy("llru-token"), LayeredInstance(2, 3, 3)) == (True, False)
    assert symmetry_of(get_policy("partitioned"), LayeredInstance(2, 3, 3)) == (True, False)
    assert symmetry_of(Favourite(), LayeredInstance(1, 4, 3)) == (False, True)
    assert symmetry_of(Favourite(), LayeredInstance(2, 3, 3)) == (False, False)


def test_a_false_symmetry_cannot_make_a_false_cycle() -> None:
    graph = graph_of(Favourite(), 1, 4, 3, symmetry=Symmetry(True, True))
    found = graph.best_cycle()
    assert found is not None
    try:
        cycle = literal(graph, found)
    except NoCycleError:
        return
    cycle.check(Favourite())


def test_the_graph_of_a_smaller_optimum() -> None:
    for opt_cache in (1, 2, 3):
        graph = graph_of("lru", 1, 6, 3, opt_cache=opt_cache)
        found = graph.best_cycle()
        assert found is not None
        assert found.ratio == Fraction(3, 3 - opt_cache + 1)
        cycle = literal(graph, found)
        assert cycle.opt_cache == opt_cache
        cycle.check()


def test_what_has_no_product_graph_is_refused() -> None:
    with pytest.raises(ModelError, match="mark is randomised"):
        ProductGraph("mark", LayeredInstance(1, 3, 2))
    with pytest.raises(UnsupportedModelError, match="needs forced service"):
        ProductGraph("lru", LayeredInstance(1, 3, 2, bypassing=True))
    with pytest.raises(LimitError, match="max_states = 50"):
        ProductGraph("fifo", LayeredInstance(2, 3, 3)).explore(max_states=50, chunk=20)


# Cycles


@pytest.mark.parametrize("policy", ["lru", "fifo", "sieve", "lifo", "fwf", "partitioned", "llru-token"])
def test_a_cycle_costs_what_it_says_for_ever(policy: str) -> None:
    graph = graph_of(policy, 2, 3, 4)
    cycle = literal(graph, graph.best_cycle())  # type: ignore[arg-type]
    cycle.check()
    few, many = cycle.sequence(3), cycle.sequence(10)
    assert simulate(policy, many).faults - simulate(policy, few).faults == 7 * cycle.online
    assert farthest_in_future(many).faults - farthest_in_future(few).faults == 7 * cycle.offline


@pytest.mark.parametrize(("shape", "policy"), [((2, 3, 4), "lru"), ((2, 4, 6), "llru"), ((3, 2, 3), "fifo")])
def test_the_offline_schedule_returns_to_its_cache(shape: tuple[int, int, int], policy: str) -> None:
    graph = graph_of(policy, *shape)
    cycle = literal(graph, graph.best_cycle())  # type: ignore[arg-type]
    back = offline_return(cycle)
    cache, faults = set(back.start), 0
    for page, entry in zip(cycle.requests * back.periods, back.entries, strict=True):
        assert (page in cache) == (entry == HIT)
        if entry != HIT:
            faults += 1
            cache = (cache - {entry}) | {page}
            assert len(cache) <= cycle.opt_cache
    assert cache == set(back.start)
    assert faults == back.periods * cycle.offline


def test_a_cycle_that_lies_is_refused() -> None:
    cycle = periodic_cycle("lru", LayeredInstance(1, 3, 2), [0, 1, 2])
    facts = vars(cycle)
    with pytest.raises(NoCycleError, match="costs"):
        Cycle(**{**facts, "offline": cycle.offline - 1}).check()
    with pytest.raises(NoCycleError, match="do not return"):
        Cycle(**{**facts, "requests": cycle.requests[:-1]}).check()
    with pytest.raises(NoCycleError):
        cycle.check("lifo")
    with pytest.raises(LimitError, match="no cycle within"):
        periodic_cycle("lfu", LayeredInstance(1, 3, 2), [0, 0, 1], repeats=20)


def test_an_exhaustive_search_that_assumes_nothing() -> None:
    for policy in ("lru", "sieve", "llru-token"):
        plain = Search(policy, LayeredInstance(2, 2, 3), symmetric=False)
        plain.run()
        usual = Search(policy, LayeredInstance(2, 2, 3))
        usual.run()
        assert plain.symmetry == (False, False)
        assert plain.progress.exhausted
        assert plain.progress.states > usual.progress.states
        assert plain.best is not None
        assert usual.best is not None
        assert plain.best.ratio == usual.best.ratio


def test_a_search_survives_a_symmetry_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "adversary.cycles.product_graph.symmetry_of", lambda policy, instance, **options: Symmetry(True, True)
    )
    search = Search(Favourite(), LayeredInstance(1, 4, 3))
    search.run()
    assert search.best is not None
    search.best.check(Favourite())
    search.save(tmp_path / "search.npz")
    again = Search(Favourite(), LayeredInstance(1, 4, 3))
    again.restore(tmp_path / "search.npz")
    assert (again.best, again.symmetry) == (search.best, search.symmetry)


def test_unequal_layers() -> None:
    search = Search("lru", LayeredInstance(2, (2, 3), 3))
    search.run()
    assert search.progress.exhausted
    assert search.best is not None
    assert search.best.ratio == 3
    assert len(search.best.requests) % 2 == 0


# The search


@pytest.mark.slow
def test_beam_and_local_search_find_what_is_known() -> None:
    for policy, ratio in (("lru", 3), ("llru", 3)):
        search = Search(policy, LayeredInstance(2, 3, 3), max_states=20)
        search.run(steps=150)
        assert not search.progress.exhausted
        assert search.best is not None
        assert search.best.ratio == ratio
        assert search.progress.beams >= 1
        assert search.progress.restarts >= 1


@pytest.mark.slow
def test_search_beats_k_for_llru_without_the_whole_graph() -> None:
    search = Search("llru", LayeredInstance(2, 4, 7), max_states=3000)
    search.run(steps=400)
    assert search.best is not None
    assert search.best.ratio > 7


def test_gap_objective() -> None:
    ratio, gap = (Search("llru", LayeredInstance(3, 2, 4), objective=o) for o in ("ratio", "gap"))
    ratio.run()
    gap.run()
    assert ratio.best is not None
    assert gap.best is not None
    assert gap.best.gap >= ratio.best.gap
    assert gap.best.ratio <= ratio.best.ratio


def test_an_unbounded_policy() -> None:
    for policy in ("lifo", "mru", "lfu", "lfu-capped"):
        search = Search(policy, LayeredInstance(1, 4, 3), max_states=2000)
        search.run(steps=300)
        assert search.best is not None
        assert search.best.ratio == float("inf")
        assert search.progress.exhausted
        assert cycle_certificate(search.best)["claim"]["ratio"] == "unbounded"  # type: ignore[index]


def test_a_policy_whose_definition_does_not_compile() -> None:
    search = Search("partitioned:policy=fifo,shares=2/1", LayeredInstance(2, 2, 3), max_states=10)
    search.run(steps=40)
    assert search.best is not None
    search.best.check()
    document = search.certificate()
    assert document is not None
    assert document["claim"]["policy"] == "partitioned:policy=fifo,shares=2/1"  # type: ignore[index]


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(ModelError, match="k < number of pages"):
        Search("lru", LayeredInstance(2, 2, 4))
    with pytest.raises(ModelError, match="randomised"):
        Search("mark", LayeredInstance(2, 2, 3))
    with pytest.raises(ModelError, match="objective"):
        Search("lru", LayeredInstance(2, 2, 3), objective="cost")


@pytest.mark.slow
@pytest.mark.parametrize("max_states", [300, 100_000])
def test_stopping_and_continuing_changes_nothing(max_states: int, tmp_path: Path) -> None:
    def fresh() -> Search:
        return Search("llru", LayeredInstance(2, 4, 5), max_states=max_states, seed=3)

    total = 180 if max_states == 300 else 60
    through = fresh()
    through.run(steps=total)
    path = tmp_path / "search.npz"
    part = fresh()
    for stop in [*range(1, total, 7), total]:
        part.run(steps=stop)
        part.save(path)
        part = fresh()
        part.restore(path)
    assert part.best == through.best
    for name, value in vars(through.progress).items():
        assert getattr(part.progress, name) == value, name


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "search.npz"
    search = Search("lru", LayeredInstance(2, 3, 3))
    search.run(steps=3)
    search.save(path)
    for other in (
        Search("fifo", LayeredInstance(2, 3, 3)),
        Search("lru", LayeredInstance(2, 3, 4)),
        Search("lru", LayeredInstance(2, 3, 3), seed=1),
    ):
        with pytest.raises(ModelError, match="another search"):
            other.restore(path)
    content = path.read_bytes()
    for damaged in (b"", content[:100], content[: len(content) // 2], b"PK" + content[2:90]):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match="no checkpoint"):
            Search("lru", LayeredInstance(2, 3, 3)).restore(path)


@pytest.mark.parametrize("visits", ["sequential", "atomic"])
def test_visits_of_two_pages(visits: Any) -> None:
    instance = LayeredInstance(2, 3, 5, 2, visits)
    whole = Search("lru", instance)
    whole.run()
    assert whole.progress.exhausted
    assert whole.best is not None
    assert whole.best.ratio == (4 if visits == "sequential" else 3)
    assert (len(whole.best.prefix) % 2, len(whole.best.requests) % 4) == (0, 0)
    # As the simulator serves it, and against farthest-in-future.
    few, many = whole.best.sequence(3), whole.best.sequence(10)
    assert simulate("lru", many).faults - simulate("lru", few).faults == 7 * whole.best.online
    assert farthest_in_future(many).faults - farthest_in_future(few).faults == 7 * whole.best.offline


@pytest.mark.slow
@pytest.mark.parametrize(("visits", "ratio"), [("sequential", 4), ("atomic", 3)])
def test_beam_and_local_search_on_visits_of_two_pages(visits: Any, ratio: int) -> None:
    search = Search("lru", LayeredInstance(2, 3, 5, 2, visits), max_states=8)
    search.run(steps=40)
    assert search.progress.tried > 0
    assert search.best is not None
    assert search.best.ratio == ratio


def test_a_period_of_atomic_visits() -> None:
    instance = LayeredInstance(1, 4, 3, 2, "atomic")
    # Hits are served first, in whatever order the pages of a visit are given.
    forth, back = ([(3, 0), (0, 1), (1, 2), (2, 3)], [(0, 3), (1, 0), (2, 1), (3, 2)])
    for visits in (forth, back):
        cycle = periodic_cycle("lru", instance, [page for visit in visits for page in visit])
        assert cycle.ratio == 2
        cycle.check()
    with pytest.raises(ModelError, match=r"a multiple of g = 2 requests, not 3"):
        periodic_cycle("lru", instance, [0, 1, 2])
    with pytest.raises(IllegalSequenceError, match="cannot be asked for any more in this visit"):
        periodic_cycle("lru", LayeredInstance(1, 4, 3, 2), [0, 0])


# The command


def answer(capsys: Capture, *args: str) -> dict[str, object]:
    code = paging_run(["adversary", "search", *args, "--json"])
    captured = capsys.readouterr()
    assert (code, captured.err) == (0, "")
    found: dict[str, object] = json.loads(captured.out)
    return found


def test_command_rediscovers_known_ratios(capsys: Capture) -> None:
    found = answer(capsys, "lru", "-l", "1", "-n", "5", "-k", "4")
    assert (found["ratio"], found["exhausted"], found["method"]) == ("4", True, "exhaustive")
    assert answer(capsys, "lru", "-l", "2", "-n", "2", "-k", "3")["ratio"] == "3"
    assert answer(capsys, "lru", "-l", "2", "-n", "2", "-k", "2")["ratio"] == "3/2"
    assert answer(capsys, "lifo", "-l", "1", "-n", "3", "-k", "2")["ratio"] == "unbounded"


def test_command_on_an_outside_policy(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs.py").write_text(
        "from paging.policies.recency import LRU\n"
        "class Theirs(LRU):\n"
        "    id, title = 'theirs', 'an outside policy'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = answer(capsys, "theirs:Theirs", "-l", "2", "-n", "2", "-k", "3")
    assert (found["policy"], found["ratio"]) == ("theirs", "3")


@pytest.mark.parametrize("name", ["lru.json", "lru.json.gz"])
def test_command_writes_text_and_certificate(name: str, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / name
    code = paging_run(
        ["adversary", "search", "lru", "-l", "2", "-n", "2", "-k", "3", "--certificate", str(path)]
    )
    out = capsys.readouterr().out
    assert code == 0
    assert "whole graph searched" in out
    assert verify_file(str(path)).status == VERIFIED
    document = read_certificate(path)
    assert document["type"] == "cycle"
    assert document["claim"]["ratio"] == 3


def test_command_refuses_a_missing_folder_before_it_searches(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "run", lambda *_, **__: pytest.fail("searched"))
    path = tmp_path / "missing" / "lru.json"
    shape = ["-l", "2", "-n", "2", "-k", "3"]
    assert paging_run(["adversary", "search", "lru", *shape, "--certificate", str(path)]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["lru", "-l", "2", "-n", "2", "-k", "4"], "k < number of pages"),
        (["lruu", "-l", "2", "-n", "2", "-k", "3"], "did you mean lru"),
        (["mark", "-l", "2", "-n", "2", "-k", "3"], "mark is randomised"),
        (["lru", "-l", "2", "-n", "2"], "--cache"),
        (
            ["lru", "-l", "2", "-n", "2", "-k", "3", "-g", "3"],
            "per_visit (g) must be ≤ the pages of every layer",
        ),
        (["zrc", "-l", "2", "-n", "2", "-k", "3", "-g", "2", "--visits", "atomic"], "the trait 'atomic'"),
        (["lru", "-l", "2", "-n", "2", "-k", "3", "--certificate", "x.txt"], "ends in .json or .json.gz"),
        (["lfu", "-l", "2", "-n", "2", "-k", "3", "--steps", "0", "--certificate", "x.json"], "no cycle"),
    ],
)
def test_command_errors_are_one_line(args: list[str], says: str, capsys: Capture) -> None:
    assert paging_run(["adversary", "search", *args]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert says in captured.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LONGER = [
    "adversary",
    "search",
    "fifo",
    "-l",
    "2",
    "-n",
    "3",
    "-k",
    "4",
    "--max-states",
    "500",
    "--steps",
    "60",
]


@pytest.mark.slow
def test_a_terminal_shows_a_bar(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paging.cli.terminal.DELAY", 0.0)
    monkeypatch.setattr("adversary.commands.search.FIRST_REMARK", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert paging_run(LONGER) == 0
    assert re.search(r"(beam|local): best ratio \d", screen.getvalue())
    assert "100%" in screen.getvalue()
    assert "paging: note" not in screen.getvalue()
    monkeypatch.setattr(sys, "stderr", silent := Terminal())
    assert paging_run([*LONGER, "--json"]) == 0
    assert silent.getvalue() == ""
    capsys.readouterr()


@pytest.mark.slow
def test_without_a_terminal_lines_say_how_it_goes(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adversary.commands.search.FIRST_REMARK", -1.0)
    assert paging_run(LONGER) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("paging: note: ") and "best ratio" in line for line in lines)
    assert paging_run([*LONGER, "--json"]) == 0
    assert capsys.readouterr().err == ""


FIFO_SEARCH = "adversary search fifo -l 2 -n 3 -k 4 --max-states 3000 --steps 400 --json --checkpoint"


def finished_search(path: Path) -> Any:
    """Run the search from its checkpoint, or from the start; return what depends on no clock."""
    args = [str(PROGRAM), *FIFO_SEARCH.split(), str(path)]
    result = json.loads(subprocess.run(args, capture_output=True, check=True).stdout)
    del result["seconds"], result["certificate"]
    return result


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return finished_search(tmp_path_factory.mktemp("through") / "search.npz")


@pytest.mark.slow
@pytest.mark.xdist_group("killed-search")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_search_continues_with_nothing_lost(
    how: signal.Signals, tmp_path: Path, through: Any
) -> None:
    path = tmp_path / "search.npz"
    args = [str(PROGRAM), *FIFO_SEARCH.split(), str(path), "--save-every", "0"]
    child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(how)
    child.communicate(timeout=60)
    assert child.returncode in (130, -how)
    assert len(list(tmp_path.iterdir())) <= 1 + (how == signal.SIGKILL)
    assert finished_search(path) == through


@pytest.mark.parametrize("option", ["--budget", "--save-every"])
def test_a_time_that_is_no_number_is_refused(option: str, capsys: Capture) -> None:
    assert paging_run(["adversary", "search", "lru", "-l", "1", "-n", "3", "-k", "2", option, "nan"]) == 2
    assert "'nan' is not a number of seconds" in capsys.readouterr().err
