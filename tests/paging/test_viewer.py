"""Films, guides, hindsight, the widget and one-file pages: what they show is what happened."""

from __future__ import annotations

import json
import re
import shlex
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import paging
from adversary import constructions, get_construction
from adversary.formulas import Formula
from paging import (
    LayeredInstance,
    LimitError,
    ModelError,
    Policy,
    RequestSequence,
    UnsupportedModelError,
    farthest_in_future,
    film_of,
    generate,
    get_policy,
    mistakes,
    optimum_so_far,
    phase_starts,
    registered_policies,
    simulate,
    steps,
)
from paging.cli.main import run as paging_run
from paging.compare import compare
from paging.hindsight import optimum_from
from paging.model import SHOWN
from paging.testing import sequences
from paging.traces import Trace
from paging.viewer import guides
from paging.viewer.page import lesson_page
from proofs import competitive_ratio, get_bound, solve_game
from proofs.bounds.verdicts import check_lower, check_upper
from tests.helpers.policies import as_told

SMALL = LayeredInstance(layers=2, pages=3, cache=3)
REQUESTS = generate("zipf:alpha=1", SMALL, rounds=15, seed=4)
SERVING = sorted(set(registered_policies()) - {"pinned", "admit"})
"""Policies that serve SMALL as they are: not those that need a profile, or to bypass."""


def every_sequence(length: int) -> list[RequestSequence]:
    """All sequences of two layers with two pages each, k = 2, and of one layer with three pages."""
    layered, classical = LayeredInstance(2, 2, 2), LayeredInstance(1, 3, 2)
    return [
        *(
            RequestSequence(layered, [2 * (t % 2) + p for t, p in enumerate(choice)])
            for choice in product(range(2), repeat=length)
        ),
        *(RequestSequence(classical, list(choice)) for choice in product(range(3), repeat=length)),
    ]


# Films


@pytest.mark.parametrize("policy", SERVING)
@pytest.mark.parametrize("record", [True, False])
def test_a_film_shows_the_steps_of_the_policy(policy: str, record: bool) -> None:
    requests = as_told(policy, REQUESTS)
    run = simulate(policy, requests, record=record, engine="labels", seed=3)
    film = film_of(run)
    starts = phase_starts(REQUESTS, SMALL.cache)
    for time, (step, frame) in enumerate(zip(steps(policy, requests, seed=3), film.frames, strict=True)):
        start = max(begin for begin in starts if begin <= time)
        marked = step.cache & set(REQUESTS.requests[start : time + 1].tolist())
        assert (frame.page, frame.hit, frame.victims) == (step.page, step.hit, step.victims)
        assert {q for q, letter in enumerate(frame.cells) if letter != "-"} == step.cache
        assert {q for q, letter in enumerate(frame.cells) if letter == "m"} == marked
        assert frame.phase == 1 + starts.index(start)
    assert film.frames[-1].faults == run.faults


@given(sequences(layers=(1, 3), pages=(1, 4), cache=(1, 5), length=(1, 30)))
def test_the_opt_of_a_film_is_optimal_on_every_prefix(sequence: RequestSequence) -> None:
    film = film_of(simulate("fifo", sequence, record=True))
    assert [frame.optimum for frame in film.frames] == optimum_so_far(sequence).tolist()
    sizes = [frame.optimum_cells.count("c") for frame in film.frames]
    assert max(sizes) <= sequence.instance.cache
    assert all(frame.optimum_cells[frame.page] == "c" for frame in film.frames)


def test_a_film_can_show_a_smaller_opt() -> None:
    made = get_construction("sleator-tarjan")(rounds=30, opt_cache=3)
    film = film_of(made.run("lru"), opt_cache=made.offline.sequence.instance.cache)
    assert film.opt_cache == 3
    assert max(frame.optimum_cells.count("c") for frame in film.frames) == 3
    assert film.frames[-1].optimum <= made.offline.faults


def test_a_film_of_the_first_requests() -> None:
    film = film_of(simulate("lru", REQUESTS), first=7)
    assert len(film.frames) == 7
    assert film.frames[-1].faults == simulate("lru", REQUESTS.prefix(7)).faults
    assert (
        film_of(simulate("lru", REQUESTS), first=10**6).frames[-1].faults == simulate("lru", REQUESTS).faults
    )


def test_a_film_may_begin_later_and_counts_all_the_same() -> None:
    whole = film_of(simulate("mark", REQUESTS, record=True, seed=2))
    part = film_of(simulate("mark", REQUESTS, record=True, seed=2), start=11, first=9)
    assert (part.start, len(part.frames)) == (11, 9)
    end = film_of(simulate("mark", REQUESTS.prefix(20), record=True, seed=2))
    assert part.frames == end.frames[11:]
    assert [frame.faults for frame in part.frames] == [frame.faults for frame in whole.frames[11:20]]
    with pytest.raises(ModelError, match=r"start must be an integer in 0 … 29, got 30"):
        film_of(simulate("lru", REQUESTS), start=30)


def test_two_runs_are_shown_in_step() -> None:
    lru, zrc = (simulate(policy, REQUESTS, record=True) for policy in ("lru", "zrc"))
    film = film_of(lru, beside=zrc)
    assert film.beside is not None
    assert [frame.cells for frame in film.beside.frames] == [frame.cells for frame in film_of(zrc).frames]
    assert [frame.optimum for frame in film.beside.frames] == [frame.optimum for frame in film.frames]
    larger = simulate("lru", REQUESTS.with_cache(4), record=True)
    assert film_of(lru, beside=larger).beside.opt_cache == SMALL.cache  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="lru served other requests than lru: they cannot be shown in step"):
        film_of(lru, beside=simulate("lru", REQUESTS.prefix(7)))


def test_too_many_requests_are_refused_before_anything_is_drawn() -> None:
    long = generate("uniform", LayeredInstance(4, 100, 50), rounds=1000)
    with pytest.raises(LimitError, match=r"at most 400,000 cells; show at most 1,000 requests at a time"):
        film_of(simulate("lru", long))


def test_a_run_that_cannot_be_served_again_is_refused() -> None:
    run = simulate("mark", REQUESTS, seed=1)
    forged = paging.Run(paging.get_policy("lru"), REQUESTS, run.faults + 5)
    with pytest.raises(ModelError, match="record it with simulate"):
        film_of(forged)


def test_an_optimal_run_is_shown_whether_recorded_or_not() -> None:
    for record in (False, True):
        film = film_of(farthest_in_future(REQUESTS, record=record), first=7)
        assert (film.policy, film.title, len(film.frames)) == ("opt", "farthest in future", 7)
    assert film_of(farthest_in_future(REQUESTS)) == film_of(farthest_in_future(REQUESTS, record=True))


def test_a_policy_that_no_registry_knows_is_shown() -> None:
    class Newcomer(Policy):
        id, title = "newcomer", "evict everything at every request"
        traits = frozenset({"deterministic", "online"})

        @staticmethod
        def serve(labels: np.ndarray, page: int, slot: int, frame: object) -> None:
            labels[:] = 0
            labels[page] = 1

    run = simulate(Newcomer, REQUESTS, record=True, engine="labels")
    film = film_of(run)
    assert film.title == "evict everything at every request"
    assert all(frame.cells.count("-") == SMALL.total_pages - 1 for frame in film.frames)


# Guides


@pytest.mark.parametrize("policy", registered_policies())
def test_guides_are_bounds_that_hold_here(policy: str) -> None:
    for instance in (SMALL, LayeredInstance(1, 6, 4), LayeredInstance(3, 2, 5), LayeredInstance(2, 4, 7)):
        found = guides(instance, policy)
        assert [guide.kind for guide in found] in ([], ["upper"], ["lower"], ["upper", "lower"])
        for guide in found:
            bound = get_bound(guide.id)
            assert bound.excluded(instance) is None
            assert bound.at(instance) == guide.value
        values = [guide.value for guide in found]
        assert values == sorted(values, reverse=True)  # the lower bound is not above the upper one


def test_what_is_forced_against_k_slots_is_not_claimed_against_fewer() -> None:
    instance = LayeredInstance(1, 12, 6)
    against_k = {guide.kind: guide.value for guide in guides(instance, "lru")}
    against_h = {guide.kind: guide.value for guide in guides(instance, "lru", 3)}
    assert against_k == {"upper": 6, "lower": 6}
    assert against_h == {"upper": Fraction(3, 2), "lower": Fraction(3, 2)}


def test_where_everything_fits_the_ratio_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    roomy = LayeredInstance(2, 3, 100)
    for policy in ("lru", "zrc", "fwf", "mark", "you"):
        assert [(guide.id, guide.value) for guide in guides(roomy, policy)] == [("everything-fits", 1)]
    assert guides(roomy, "partitioned") == []  # its layers have slots of their own
    words = ("run", "lru", "--workload", "uniform:rounds=9", "-l", "2", "-n", "3", "-k")
    assert paging_run((*words, "6")) == 0
    assert "everything fits: all 6 pages find a slot" in capsys.readouterr().out
    assert paging_run((*words, "5")) == 0
    assert "everything fits" not in capsys.readouterr().out


def test_no_guide_outside_the_model_of_the_bounds() -> None:
    bypassing = LayeredInstance(2, 4, 5, bypassing=True)
    assert [guide.id for guide in guides(bypassing, "lru")] == ["bypassing-upper"]
    assert guides(bypassing, "llru") == []
    assert [guide.id for guide in guides(LayeredInstance(2, 4, 5, 2, "atomic"), "lru")] == ["atomic-lower"]
    assert [guide.id for guide in guides(LayeredInstance(2, 4, 5, 2), "lru")] == [
        "marking-upper",
        "visits-lower",
    ]
    assert guides(SMALL, "nobody") == guides(SMALL, "opt") == []
    assert [guide.id for guide in guides(SMALL, "you")] == ["L2"]


@pytest.mark.parametrize("name", constructions())
def test_no_ratio_of_a_film_exceeds_an_upper_guide(name: str) -> None:
    made = get_construction(name)(rounds=40)
    plain = RequestSequence(made.sequence.instance, made.sequence.requests)  # LRU is told nothing
    film = film_of(simulate("lru", plain, record=True), opt_cache=made.offline.sequence.instance.cache)
    upper = next((guide for guide in film.guides if guide.kind == "upper"), None)
    if upper is None:  # nothing is proved of LRU in atomic visits
        assert film.instance.visits == "atomic"
        return
    constant = {"0": 0, "k": film.instance.cache}[upper.additive or "not stated"]
    assert all(frame.faults <= upper.value * frame.optimum + constant for frame in film.frames)


# Hindsight


def cheapest(sequence: RequestSequence, start: int, cached: frozenset[int]) -> int:
    """Fewest faults from a cache on, by trying every victim."""

    @cache
    def cost(time: int, held: frozenset[int]) -> int:
        if time == len(sequence):
            return 0
        page = int(sequence.requests[time])
        if page in held:
            return cost(time + 1, held)
        if len(held) < sequence.instance.cache:
            return 1 + cost(time + 1, held | {page})
        return 1 + min(cost(time + 1, (held - {victim}) | {page}) for victim in held)

    return cost(start, cached)


@pytest.mark.slow
def test_optimum_from_a_cache_is_the_cheapest_way_on() -> None:
    for sequence in every_sequence(6):
        for start, cached in ((0, ()), (2, (0,)), (3, (0, 1)), (1, (1, 2)), (6, (2,))):
            assert optimum_from(sequence, start, cached) == cheapest(sequence, start, frozenset(cached))


@pytest.mark.parametrize(
    ("requests", "start", "cached", "faults"),
    [
        ([0, 1, 0, 1, 0], 0, [0], 2),  # page 1 is served past the cache, twice
        ([0, 1, 0, 1, 0], 0, [], 3),
        ([0, 1, 0, 1, 0], 1, [1], 2),
        ([0, 1, 0, 1, 0], 5, [2], 0),
    ],
)
def test_optimum_from_a_cache_with_bypassing_by_hand(
    requests: list[int], start: int, cached: list[int], faults: int
) -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 1, bypassing=True), requests)
    assert optimum_from(sequence, start, cached) == faults


@pytest.mark.parametrize(
    ("start", "cached", "reason"),
    [
        (0, [7], "a cached page must be an integer in 0 … 2, got 7"),
        (0, [-1], "got -1"),
        (0, [1, 1], "at most 2 distinct pages, got 2"),
        (0, [0, 1, 2], "at most 2 distinct pages, got 3"),
        (6, [], "start must be an integer in 0 … 5"),
        (-1, [], "start must be"),
        (0, 3, "cached must be of type Iterable, got 3"),
        (1.0, [], "start must be an integer, got 1.0"),
    ],
)
def test_optimum_from_what_is_no_cache_is_refused(start: Any, cached: Any, reason: str) -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 0, 1, 0])
    with pytest.raises(ModelError, match=re.escape(reason)):
        optimum_from(sequence, start, cached)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lru", "fifo", "mru", "lfu", "llru"])
def test_mistakes_add_up_to_what_was_lost(policy: str) -> None:
    for sequence in every_sequence(7):
        run = simulate(policy, sequence, record=True, engine="labels")
        assert len(mistakes(run)) == run.faults - farthest_in_future(sequence).faults


@given(sequences(layers=(1, 3), pages=(2, 4), cache=(1, 5), length=(0, 40)))
def test_mistakes_add_up_on_larger_instances_and_opt_makes_none(sequence: RequestSequence) -> None:
    best = farthest_in_future(sequence, record=True)
    assert mistakes(best) == []
    run = simulate("mru", sequence, record=True)
    found = mistakes(run)
    assert len(found) == run.faults - best.faults
    for mistake in found:
        assert mistake.victim_next is not None  # who is never asked for again is no loss
        assert mistake.best_next is None or mistake.best_next > mistake.victim_next


def test_mistakes_name_both_pages_and_their_next_requests() -> None:
    # k = 2: at time 2 the cache is {0, 1}; 0 comes back at once, 1 never.
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 0, 2])
    (mistake,) = mistakes(simulate("lru", sequence, record=True))
    assert (mistake.time, mistake.page, mistake.victim, mistake.best) == (2, 2, 0, 1)
    assert (mistake.victim_next, mistake.best_next) == (3, None)


def test_mistakes_need_a_recorded_run_in_the_forced_sequential_model() -> None:
    with pytest.raises(ModelError, match="not recorded"):
        mistakes(simulate("lru", REQUESTS))
    bypassing = generate("uniform", LayeredInstance(2, 3, 3, bypassing=True), rounds=3)
    with pytest.raises(UnsupportedModelError):
        mistakes(farthest_in_future(bypassing, record=True))


# Tables, pages, widget


def test_objects_show_themselves_without_a_script() -> None:
    made = get_construction("missing-page")(rounds=5)
    run = made.run()
    bound, small = get_bound("L2"), LayeredInstance(1, 3, 2)
    for thing in (
        SMALL,
        REQUESTS,
        REQUESTS.instance,
        Trace.from_sequence(REQUESTS),
        compare(REQUESTS, [3], ["lru", "mark"]),
        compare(REQUESTS, [2, 3], ["lru", "mark"]),
        get_policy("lru"),
        competitive_ratio("lru", small),
        competitive_ratio("mark", small),
        competitive_ratio("mru", small),
        solve_game(small),
        check_lower(bound, "lru", made),
        check_upper(get_bound("L5"), "lru", []),
        run,
        made,
        get_bound("L2"),
        film_of(run),
        simulate("lru", REQUESTS),
    ):
        text = thing._repr_html_()
        assert text.count("<table") == text.count("</table>") >= 1
        assert "<script" not in text
        assert " id=" not in text  # two outputs in one notebook must not clash
        assert re.search(r"\b(ell|inf|None|Fraction)\b", text) is None


def test_a_name_in_a_notebook_is_no_markup() -> None:
    class Hostile(Policy):
        """Refuse <b>everything</b>.

        Label
        -----
        <script>alert(1)</script>
        """

        id, title, traits = "<i>id</i>", "<img src=x>", frozenset({"online"})

    trace = Trace.from_sequence(REQUESTS, name="<b>name</b>")
    for text in (Hostile()._repr_html_(), trace._repr_html_()):
        assert re.search(r"<script|<img|<i>|<b>name", text) is None
        assert "&lt;" in text


def test_a_notebook_shows_tables_and_mathematics() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shown = formatters.DisplayFormatter()
    assert "<table" in shown.format(compare(REQUESTS, [3], ["lru"]))[0]["text/html"]
    assert shown.format(Formula(get_bound("L2").value))[0]["text/latex"] == r"$k - \ell + 1$"


def test_the_table_of_a_film_counts_requests_as_its_reasons_do() -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2])
    text = film_of(simulate("lru", sequence, record=True))._repr_html_()
    row = next(row for row in text.split("<tr") if "last asked for at request 1" in row)
    assert re.findall(r"<t[dh][^>]*>([^<]*)<", row)[0] == "3"


def test_a_run_shows_its_first_requests() -> None:
    run = simulate("lru", REQUESTS, record=True)
    text = run._repr_html_()
    assert f"the first {SHOWN} of 30 requests" in text
    assert text.count(">hit<") + text.count(">fault<") == SHOWN
    assert f">{run.faults}<" in text
    flushing = simulate("fwf", REQUESTS, record=True)
    assert "several pages" in flushing._repr_html_()


def embedded(page: str) -> dict[str, object]:
    (data,) = re.findall(r'<script type="application/json" id="film">(.*?)</script>', page, re.DOTALL)
    return json.loads(data)


def test_a_lesson_is_one_file_and_its_data_cannot_break_out() -> None:
    film = film_of(simulate("lru", REQUESTS), remark="</script><script>alert(1)</script><!--")
    page = lesson_page(film)
    assert embedded(page) == json.loads(json.dumps(film.as_dict()))
    assert "<script>alert" not in page
    assert not re.search(r"(?:src|href)\s*=|@import|url\(|https?://(?!www\.w3\.org/2000/svg)", page)


def test_paging_show_writes_a_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "lesson.html"
    cruel = ("--construction", "cruel", "-l", "2", "-n", "3", "-k", "3", "--rounds", "9")
    assert paging_run(("show", "llru", *cruel, "-o", str(target))) == 0
    film = embedded(target.read_text(encoding="utf-8"))
    made = get_construction("cruel")(LayeredInstance(2, 3, 3), rounds=9, policy="llru")
    assert [frame["page"] for frame in film["frames"]] == list(made.sequence)  # type: ignore[attr-defined]
    zipf = ("--workload", "zipf:rounds=9", "-l", "2", "-n", "3", "-k", "3", "--seed", "5", "--first", "4")
    assert paging_run(("show", "mark", *zipf, "-o", str(target))) == 0
    film = embedded(target.read_text(encoding="utf-8"))
    assert (len(film["frames"]), film["seed"]) == (4, 5)  # type: ignore[arg-type]


def test_paging_show_begins_later_and_shows_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "two.html"
    trace = tmp_path / "typed.npz"
    paging.write_trace(paging.Trace.from_sequence(REQUESTS), trace)
    words = ("show", "lru", "fifo", "--trace", str(trace), "-k", "3", "--from", "5", "--first", "6")
    assert paging_run((*words, "-o", str(target))) == 0
    film = embedded(target.read_text(encoding="utf-8"))
    assert (film["start"], len(film["frames"])) == (4, 6)  # type: ignore[arg-type]
    assert film["beside"]["policy"] == "fifo"  # type: ignore[index]
    anomaly = (
        "show",
        "fifo",
        "fifo",
        "--requests",
        "0 1 2 3 0 1 4 0 1 2 3 4",
        "-k",
        "3",
        "--beside-cache",
        "4",
    )
    assert paging_run((*anomaly, "-o", str(target))) == 0
    shown = embedded(target.read_text(encoding="utf-8"))
    assert [shown["frames"][-1]["faults"], shown["beside"]["frames"][-1]["faults"]] == [9, 10]  # type: ignore[index]
    assert re.search(r"digest [0-9a-f]{12}…$", str(film["remark"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("lru", "fifo", "zrc", "--construction", "cyclic"),
            "one or two policies are shown at a time, not 3",
        ),
        (
            ("lru", "--construction", "cyclic", "--beside-cache", "3"),
            "--beside-cache is about a second policy",
        ),
        (("lru", "--construction", "cyclic", "--from", "81"), "--from 81: there are only 80 requests"),
        (("lru", "--workload", "uniform:rounds=3"), "cache size is missing"),
        (("lru", "-k", "3"), "but none is given"),
        (
            ("lru", "-k", "3", "--construction", "cyclic", "--workload", "uniform:rounds=3"),
            "but --workload and --construction are given",
        ),
        (("lru", "--construction", "cyclix"), "did you mean cyclic"),
        (("lry", "--construction", "cyclic"), "did you mean lru"),
        (("lru", "--construction", "cyclic", "-k", "6"), "needs ℓ to divide k + 1"),
    ],
)
def test_paging_show_refuses_in_one_line(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "lesson.html"
    assert paging_run(("show", *words, "-o", str(target))) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not target.exists()


def test_the_widget_carries_the_film_and_a_table() -> None:
    pytest.importorskip("anywidget")
    run = simulate("lru", REQUESTS, record=True)
    widget = paging.show(run, first=10)
    assert widget.film == film_of(run, first=10).as_dict()
    assert widget.at == 0
    assert "export default" in widget._esm
    assert ".lp-view" in widget._css
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "<table" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_without_anywidget_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "paging.viewer.anywidget", raising=False)
    with pytest.raises(paging.LayeredPagingError, match=r"pip install 'layered-paging\[notebook\]'"):
        paging.show(simulate("lru", REQUESTS))


def test_the_examples_of_the_documentation_run(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "play.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    pytest.importorskip("anywidget")
    exec(code, {})
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
    ]
    assert commands[0] == "paging play"
    for number, line in enumerate(commands[1:]):
        words = shlex.split(line)[1:-1]
        assert paging_run((*words, str(tmp_path / f"{number}.html"))) == 0
        assert (tmp_path / f"{number}.html").stat().st_size > 20_000


def test_a_page_is_html_and_its_name_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "page.pdf"
    assert paging_run(("show", "lru", "--construction", "cyclic", "-o", str(target))) == 2
    assert "its name ends in .html" in capsys.readouterr().err
    assert not target.exists()
