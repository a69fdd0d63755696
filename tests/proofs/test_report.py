"""The report: its numbers, its files, its page, and what happens when something is in the way."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from PIL import Image

import paging.parallel
import proofs.report.document
import proofs.report.writing
from adversary import constructions
from lp import optimum
from paging import (
    LayeredInstance,
    RequestSequence,
    Trace,
    farthest_in_future,
    read_weights,
    simulate,
    write_trace,
)
from paging.cli.main import run
from paging.errors import ModelError
from paging.files import slug
from paging.markdown import block
from paging.numbers import jsonable, read_exact
from paging.parallel import Pool
from paging.plotting import LOOKS, content_digest
from proofs.bounds.registry import BOUNDS
from proofs.bounds.verdicts import pairs, verdict_on
from proofs.report.cells import math
from proofs.report.claims import CLAIMS, faults_of, judge_claims
from proofs.report.docs import default_claims, default_workloads, published_numbers, reported_bounds
from proofs.report.document import UNJUDGED, Settings, _verdict_row, compute, environment, exact_value
from proofs.report.errors import POLICIES
from proofs.report.figures import draw, plans
from proofs.report.folder import SCHEMA, ReportError, check_target, staged
from proofs.report.growth import grow, growth_jobs, panels_of
from proofs.report.studies import ORDER, SYNTHETIC, StudySource, cache_sizes, read_source, study
from proofs.report.writing import data_tables, findings, planned, write_report
from tests.helpers.browser import Visit, expect
from tests.helpers.json_form import check_form

DOCS = Path(__file__).parents[2] / "docs" / "reproduce.md"
TRACES = Path(__file__).parents[3] / "shared" / "traces"
MIXTRAL, GPT_OSS = TRACES / "mixtral-8x7b-instruct-fp8.npz", TRACES / "gpt-oss-20b_mixed.npz"

TINY = Settings(
    seed=3,
    verdict_rounds=40,
    growth_requests=400,
    workload_rounds=60,
    points=3,
    runs=2,
    synthetic=SYNTHETIC[:2],
    exact_states=100,
    exact_weights=100,
    quick=True,
)

JUDGED = list({bound.id: (bound, policy) for bound, policy in reversed(pairs())}.values())[::-1]
"""Every bound with its first policy; tests/proofs/test_bounds.py judges them for all policies."""

HOSTILE = '\\1/x"><img src=x onerror=alert(1)><script>alert(2)</script>$\\frac{ [/red]\n' + "y" * 300
"""A name that breaks what pastes it: as a pattern, a path, a file name, HTML, a formula, terminal markup."""

needs_traces = pytest.mark.skipif(
    not (MIXTRAL.exists() and GPT_OSS.exists()), reason=f"the routing traces are not in {TRACES}"
)


pytestmark = pytest.mark.xdist_group("report")  # the tests share one computed document


@pytest.fixture(scope="module")
def trace_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    experts = rng.permuted(np.tile(np.arange(5), (40, 3, 1)), axis=2)[:, :, :2]
    path = tmp_path_factory.mktemp("trace") / "small.npz"
    write_trace(Trace.from_experts(experts, 5, name=HOSTILE), path)
    return path


@pytest.fixture(scope="module")
def document(trace_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("counterexamples")
    return compute(TINY, [read_source(trace_file)], directory=directory, judged=JUDGED)


@pytest.fixture(scope="module")
def folder(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    write_report(document, lambda: environment("paging reproduce", 1.0), path)
    return path


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    page = Page()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    page.close()
    return page


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``--quick`` tiny: a few bounds and constructions, empty figures, all in this process."""
    tiny = replace(TINY, growth_requests=20, exact_states=0, exact_weights=0, synthetic=(), quick=True)
    monkeypatch.setattr(Settings, "reduced", classmethod(lambda cls, seed=0: replace(tiny, seed=seed)))
    those = (("L5", "llru"), ("fifo-tight", "fifo"), ("fractional-upper", "fractional"))
    some = [(BOUNDS[id], policy) for id, policy in those]
    monkeypatch.setattr(proofs.report.document, "pairs", lambda: some)
    monkeypatch.setattr(paging.parallel, "cores", lambda: 1)
    monkeypatch.setattr(proofs.report.writing, "draw", lambda plan, directory, formats: "<svg></svg>")


VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Reads the page: tags must nest, tables yield their rows of exact values."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._table = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.attributes += [(tag, key, value) for key, value in found.items()]
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag == "table":
            self._table = found["id"]
            self.tables[self._table] = []
        if tag == "tr" and "tbody" in self.open:
            self.tables[self._table].append([])
        if tag == "data" and self._table and self.tables[self._table]:
            self.tables[self._table][-1].append(found["value"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag
        if tag == "table":
            self._table = ""


def values(*numbers: object) -> list[str]:
    return [str(number) for number in numbers if number is not None]


# The numbers.


def test_predictions_are_told_on_every_source_and_wrong_in_each_way(document: dict[str, Any]) -> None:
    panels = document["predictions"]
    sources = [study["id"] for study in document["studies"]]
    assert [panel["id"] for panel in panels] == [f"{id}-{kind}" for id in sources for kind in POLICIES]
    for panel in panels:
        assert len(panel["sweeps"]) == (1 if panel["kind"] == "next-arrival" else 3)
        for sweep, spared in zip(panel["sweeps"], (None, "eta1", "eta0"), strict=False):
            true, *others = sweep["points"]
            assert true["value"] == 0
            assert not any(true["errors"].values())
            assert all(point["errors"][spared] == 0 for point in others if spared)
            assert all(one["kept"] for point in (true, *others) for one in point["allowed"])


@pytest.mark.slow
def test_two_runs_and_processes_give_identical_numbers(trace_file: Path, tmp_path: Path) -> None:
    settings = replace(TINY, growth_requests=100, synthetic=SYNTHETIC[:1])
    some = list(
        {policy: (bound, policy) for bound, policy in JUDGED if policy in ("llru", "fifo", "mark")}.values()
    )
    with Pool(2) as pool:
        first, second = (
            compute(settings, [read_source(trace_file)], directory=tmp_path, judged=some, pool=place)
            for place in (None, pool)
        )
    assert first == second
    assert {row["policy"] for row in first["verdicts"]} == {"llru", "fifo", "mark"}


def test_another_seed_gives_other_numbers(document: dict[str, Any], tmp_path: Path) -> None:
    other = SYNTHETIC[0].draw(TINY.workload_rounds, seed=4)
    rows = study(other, points=3, runs=2, seed=4)["rows"]
    assert rows != document["studies"][0]["rows"]


@pytest.mark.slow
def test_every_bound_has_a_verdict_and_nothing_speaks_against_one(document: dict[str, Any]) -> None:
    assert [bound["id"] for bound in document["bounds"]] == list(BOUNDS)
    assert [(row["bound"], row["policy"]) for row in document["verdicts"]] == [
        (bound.id, policy or "–") for bound, policy in JUDGED
    ]
    outcomes = {"holds", "reached", "holds and reached", "not checked"}
    assert {row["verdict"] for row in document["verdicts"]} == outcomes
    assert all(row["why"] for row in document["verdicts"] if row["verdict"] == "not checked")


def test_exact_ratios_stand_beside_the_observed_ones_and_agree_with_the_bounds(
    document: dict[str, Any],
) -> None:
    rows = [row for row in document["verdicts"] if row["exact"] is not None]
    assert len({row["policy"] for row in rows}) > 5
    assert len(rows) > 12
    for row in rows:
        kind = BOUNDS[row["bound"]].kind
        exact, claim = (read_exact(row[key]) for key in ("exact", "claim"))
        assert kind == "upper" or exact >= claim, row
        assert kind == "lower" or exact <= claim, row


def test_a_bound_about_no_policy_that_exists_here_has_a_row() -> None:
    nobody = next(bound for bound in BOUNDS.values() if not bound.policies)
    row = _verdict_row(verdict_on(nobody, ""))
    assert (row["policy"], row["verdict"], row["sharing"]) == ("–", "not checked", "–")


def test_no_search_without_an_end() -> None:
    small, large = LayeredInstance(1, 4, 3), LayeredInstance(4, 4, 11)
    assert [exact_value(("lru", at, None, 10_000)) for at in (small, large)] == [3, None]
    assert [exact_value((name, small, None, 200)) for name in ("mark", "random")] == [Fraction(11, 6), None]


def test_growth_keeps_its_promise_and_ends_near_the_limit(document: dict[str, Any]) -> None:
    assert {panel["construction"] for panel in document["growth"]} == set(constructions())
    for panel in document["growth"]:
        for curve in panel["curves"]:
            for point in curve["points"]:
                if point["promised"] is not None and point["offline"]:
                    assert point["ratio"] >= float(read_exact(point["promised"]))
    cyclic = next(panel for panel in document["growth"] if panel["id"] == "cyclic")
    assert (cyclic["limit"], cyclic["limit_form"]) == ("7", "k")
    # after the first phase of 7 requests the other 393 begin 57 phases, one offline fault each
    assert cyclic["curves"][0]["points"][-1]["online"] == 400
    assert cyclic["curves"][0]["points"][-1]["offline"] == 7 + 57


def test_studies_hold_what_single_runs_give(document: dict[str, Any], trace_file: Path) -> None:
    small = document["studies"][-1]
    sequence = read_source(trace_file).sequence
    assert small["model"] == sequence.instance.model
    assert set(ORDER) == {row["policy"] for row in small["rows"]}
    for k in small["caches"]:
        assert faults_of(small, "llru")[k] == simulate("llru", sequence.with_cache(k)).faults
        assert faults_of(small, "opt")[k] == farthest_in_future(sequence.with_cache(k)).faults
        at = {row["policy"]: row["faults"] for row in small["rows"] if row["k"] == k}
        assert at["compulsory"] <= at["opt"] <= at["opt-best-split"] <= at["opt-equal-split"]
        assert at["opt"] <= min(at.values(), key=lambda v: v if v != at["compulsory"] else 10**9)
        assert at["lru-best-split"] <= at["partitioned"]


def test_a_trace_shorter_than_a_round_is_studied() -> None:
    sequence = RequestSequence(LayeredInstance(3, 4, 3), [1, 5])
    found = study(StudySource("short", "short", sequence, {}, "trace"), points=3, runs=2, seed=0)
    assert {row["faults"] for row in found["rows"] if row["policy"] != "mark"} == {2}


@pytest.mark.parametrize(
    ("shape", "points", "sizes"),
    [
        ((32, 8, 2), 6, (64, 96, 128, 160, 192, 224)),
        ((24, 32, 4), 6, (96, 216, 336, 456, 576, 696)),
        ((2, 3, 3), 5, (2, 3, 4, 5)),  # a round requests all pages: start at ℓ
        ((4, 1, 1), 5, (3,)),
        ((1, 1, 1), 5, (1,)),
    ],
)
def test_cache_sizes(shape: tuple[int, int, int], points: int, sizes: tuple[int, ...]) -> None:
    layers, pages, per_visit = shape
    assert cache_sizes(LayeredInstance(layers, pages, 99, per_visit), points) == sizes


def made_up_study(**faults: list[int]) -> dict[str, Any]:
    rows = [
        {"policy": policy.replace("_", "-"), "k": k, "faults": count}
        for policy, counts in faults.items()
        for k, count in zip((4, 6), counts, strict=True)
    ]
    shape = {"layers": 2, "pages": 4, "per_visit": 1}
    return {
        "id": "made-up", "kind": "workload", "zipf": True, "rows": rows, "requests": 500, "total_pages": 8,
        "instance": shape, "origin": {"repeat_rate": 0.5},
    }  # fmt: skip


def test_claims_are_judged_by_their_readings() -> None:
    found = made_up_study(
        lru=[200, 100],
        llru=[172, 100],
        lfu=[150, 130],
        opt=[100, 20],
        opt_equal_split=[150, 62],
        opt_best_split=[150, 40],
    )
    got = {
        row["reading"]: (round(row["value"], 3), row["k"], row["verdict"]) for row in judge_claims([found])
    }
    assert got == {
        "largest saving of LLRU over LRU": (0.14, 4, "reproduced"),
        "mean saving of LLRU over LRU": (0.07, None, "differs"),
        "largest ratio LRU / OPT": (5.0, 6, "differs"),
        "largest ratio best online policy / OPT": (5.0, 6, "differs"),
        "largest ratio OPT on an equal split / OPT": (3.1, 6, "reproduced"),
        "largest ratio OPT on the best fixed split / OPT": (2.0, 6, "differs"),
    }
    reasons = {row["reading"]: row["reason"] for row in judge_claims([found])}
    assert reasons["largest ratio LRU / OPT"] == (
        "larger: over all sizes 2.00 to 5.00; 2.5 is passed after k = 4 of 8 pages; "
        "at k = 6 OPT faults on 4.0 % of the requests"
    )
    assert "need unequal shares" in reasons["largest ratio OPT on the best fixed split / OPT"]


def test_a_violated_bound_is_a_verdict_with_a_counterexample(tmp_path: Path) -> None:
    false = replace(BOUNDS["L5"], value=sympy.Integer(1))
    verdict = verdict_on(false, "llru", rounds=40, directory=tmp_path)
    assert verdict.outcome == "violated"
    assert not verdict.good
    assert len(list(tmp_path.glob("counterexample-L5-llru-*.json"))) == 1


# The files.


@pytest.mark.slow
def test_all_files_are_there(document: dict[str, Any], folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.json", "data", "figures"}
    drawn = {path.name for path in (folder / "figures").iterdir()}
    assert drawn == {plan.name + ".svg" for plan in planned(document)}  # a quick report has no PNG
    assert {"growth-cyclic.svg", "ratio-zipf.svg"} < drawn < {plan.name + ".svg" for plan in plans(document)}
    whole = {**document, "provenance": {**document["provenance"], "settings": {"quick": False}}}
    assert [plan.name for plan in planned(whole)] == [plan.name for plan in plans(document)]
    assert {path.stem for path in (folder / "data").iterdir()} == set(data_tables(document))


def test_json_holds_the_document_and_the_environment_apart(document: dict[str, Any], folder: Path) -> None:
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert next(iter(found)) == "schema"
    assert found.pop("schema") == SCHEMA
    assert found.pop("environment")["command"] == "paging reproduce"
    assert found == {key: value for key, value in document.items() if key != "schema"}


@pytest.mark.slow
def test_the_json_has_one_spelling_of_every_number(folder: Path) -> None:
    check_form((folder / "report.json").read_text(encoding="utf-8"))


def test_csv_holds_the_numbers_of_the_json(document: dict[str, Any], folder: Path) -> None:
    for name, rows in data_tables(document).items():
        with (folder / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            read = list(csv.DictReader(stream))
        assert len(read) == len(rows) > 0
        for got, row in zip(read, rows, strict=True):
            for key, value in row.items():
                shown = " ".join(map(str, value)) if isinstance(value, list) else value
                assert got[key] == ("" if shown is None else str(shown))


def test_figures_are_the_same_every_time(document: dict[str, Any], tmp_path: Path) -> None:
    plan = next(plan for plan in plans(document) if plan.kind == "ratio")
    for folder in (tmp_path / "1", tmp_path / "2"):
        folder.mkdir()
        draw(plan, folder)
    for end in (".svg", ".png"):
        first, second = (tmp_path / number / (plan.name + end) for number in "12")
        assert first.read_bytes() == second.read_bytes()


def test_markers_say_their_values_and_coinciding_curves_all_their_names(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    cyclic = text.partition('aria-label="Ratio of faults against sequence length on the construction cyclic')[
        2
    ]
    titles = re.findall("<title>(.*?)</title>", cyclic.partition("</svg>")[0])
    assert titles[0] == "LRU = FIFO = CLOCK = FWF = MARK-FIFO: 7, 1"
    assert titles[-1].startswith("LRU = FIFO")


def test_lines_differ_without_colour() -> None:
    looks = [(look.marker, look.line, look.hollow) for look in LOOKS.values()]
    assert len(set(looks)) == len(looks)
    assert set(LOOKS) == {*ORDER, "zrc", "zrc-any-tie", "game"}


# The page.


def test_page_is_well_formed_and_needs_nothing_else(page: Page, folder: Path) -> None:
    assert page.open == []
    assert Counter(page.ids).most_common(1)[0][1] == 1
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\((?!#)", text)
    assert "<script>alert(2)" in HOSTILE  # as text it is there, cut and escaped
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    for tag, key, value in page.attributes:
        assert not key.startswith("on"), (tag, key)
        if key in ("src", "href", "xlink:href"):
            assert value.startswith("#"), (tag, value)
    assert str(folder) not in text


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_the_name_of_a_trace_runs_no_script_in_a_browser(folder: Path, visit: Visit, width: int) -> None:
    page = visit((folder / "report.html").as_uri(), width)
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.reload()
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("img, script").count() == 0
    assert asked == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("theorems", "claims-table"):  # on a phone each row is a card
        box = page.locator(f"#{name}").locator("xpath=..")
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1"), name
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True))) <= 10


def test_pictures_are_dark_where_the_page_is(folder: Path, visit: Visit) -> None:
    def corner(scheme: str) -> tuple[int, ...]:
        page = visit((folder / "report.html").as_uri(), color_scheme=scheme)
        shot = page.locator("figure svg").first.screenshot()
        return Image.open(io.BytesIO(shot)).convert("RGB").getpixel((12, 12))

    assert min(corner("light")) > 240
    assert max(corner("dark")) < 50


@pytest.mark.slow
def test_games_too_large_for_the_quick_report_are_too_large_for_the_whole_one(tmp_path: Path) -> None:
    quick = replace(Settings.reduced(), growth_requests=20, synthetic=(), weighted_requests=64)
    whole = replace(quick, solver_states=Settings().solver_states)
    assert quick.solver_states < whole.solver_states
    judged = [(bound, policy) for bound, policy in pairs() if policy == "discard-optimal"]
    one, other = (compute(given, directory=tmp_path, judged=judged) for given in (quick, whole))
    assert one["verdicts"] == other["verdicts"]
    assert {row["policy"] for row in one["verdicts"]} == {"discard-optimal"}
    assert {row["verdict"] for row in one["verdicts"]} == {"reached"}


def test_page_shows_the_verdicts_of_the_json(document: dict[str, Any], page: Page) -> None:
    expected = [
        values(
            row["claim"], row["limit"], row["online"], row.get("half_width"), row["offline"], row["ratio"],
            row["exact"], row["runs"],
        )
        for row in document["verdicts"]
    ]  # fmt: skip
    assert page.tables["verdicts"] == expected
    shown = [bound["shown"] for bound in document["bounds"]]
    assert page.tables["theorems"] == [
        values(row["ratio"], row["claim"], row["limit"], row["exact"]) for row in shown
    ]


@pytest.mark.parametrize(
    ("table", "keys"),
    [("faults", ("faults", "half_width")), ("ratio", ("vs_opt",)), ("saving", ("saving_over_lru",))],
)
def test_page_shows_the_studies_of_the_json(
    document: dict[str, Any], page: Page, table: str, keys: tuple[str, ...]
) -> None:
    for found in document["studies"]:
        for policy, cells in zip(ORDER, page.tables[f"{table}-{found['id']}"], strict=True):
            rows = [row for row in found["rows"] if row["policy"] == policy]
            assert cells == values(*(row.get(key) for row in rows for key in keys))


def test_the_first_screen_says_what_the_numbers_say(document: dict[str, Any], folder: Path) -> None:
    said = list(findings(document))
    judged = [row for row in document["verdicts"] if row["verdict"] not in UNJUDGED]
    assert len(JUDGED) - len(judged) < 5
    assert said[0].startswith(f"No run speaks against a bound: {len(judged)} verdicts from")
    savings = [
        1 - faults_of(found, "zrc")[k] / faults_of(found, "lru")[k]
        for found in document["studies"]
        for k in found["caches"]
    ]
    low, high = (f"{100 * end:.0f}".replace("-", "−") for end in (min(savings), max(savings)))
    assert said[1].endswith("and no deterministic policy less than k − ℓ + 1.")
    assert said[2].startswith(f"ZRC saves {low} to {high} % of the faults of LRU")
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert all(f"<li>{math(sentence)}</li>" in text for sentence in said)
    against = [{**document["verdicts"][0], "verdict": "violated"}]
    assert next(findings({**document, "verdicts": against})) == "1 of 1 verdicts speak against a bound."


def test_page_shows_the_claims_of_the_json(document: dict[str, Any], page: Page) -> None:
    expected = [values(claim["value"], claim["k"]) for claim in document["claims"]]
    assert [row for row in page.tables["claims-table"] if row] == expected  # an empty one opens a claim
    assert len(expected) == sum(
        len(claim.readings) * sum(map(claim.applies, document["studies"])) for claim in CLAIMS
    )


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("small", "small"),
        ("org/model", "org-model"),
        ("\\1", "1"),
        ("zipf", "zipf-2"),
        ("ZIPF", "ZIPF-2"),
        ("taken", "taken-2"),
        ("y" * 300, None),
        (HOSTILE, None),
        ("..", "unnamed"),
    ],
)
def test_the_name_of_a_trace_is_no_id(tmp_path: Path, name: str, id: str | None) -> None:
    file = tmp_path / "t.npz"
    write_trace(Trace.from_experts(np.array([[[0]], [[1]]]), 2, name=name), file)
    source = read_source(file, ["taken"])
    assert id is None or source.id == id
    assert re.fullmatch(r"[\w.-]{1,60}", source.id)
    assert source.facts["name"] == name.replace("\n", "�")
    assert len(source.title) < 160


def test_a_study_refuses_an_id_that_is_no_slug(trace_file: Path) -> None:
    with pytest.raises(ModelError, match="is a slug"):
        replace(read_source(trace_file), id="a/b")


# The folder.


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}


def test_a_new_report_replaces_an_old_one(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "report"
    for version in ("1", "2"):
        with staged(target) as building:
            (building / "report.json").write_text(json.dumps({"schema": SCHEMA}))
            (building / "report.html").write_text(version)
    assert (target / "report.html").read_text() == "2"
    assert names(tmp_path / "deep") == {"report"}


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    def interrupted() -> None:
        with staged(tmp_path / "report") as building:
            (building / "report.html").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == set()


@pytest.mark.parametrize("stranger", ["notes.txt", "report.json", "thesis"])
def test_a_folder_with_other_things_is_refused(tmp_path: Path, stranger: str) -> None:
    (tmp_path / stranger).write_text("mine")
    with pytest.raises(ReportError, match=f"holds {stranger}, which no report wrote"):
        check_target(tmp_path)
    assert (tmp_path / stranger).read_text() == "mine"


def test_other_things_beside_an_old_report_are_refused(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"schema": SCHEMA}))
    check_target(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match=r"holds notes\.txt"):
        check_target(tmp_path)


# The command.


def refused(capsys: pytest.CaptureFixture[str], *args: object) -> str:
    assert run(["reproduce", *map(str, args)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_bad_input_is_one_line_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report"
    assert "absent.npz" in refused(capsys, "-o", target, "--trace", tmp_path / "absent.npz")
    file = tmp_path / "file"
    file.write_text("mine")
    assert "is not a folder" in refused(capsys, "-o", file)
    assert "cannot be written: Not a directory" in refused(capsys, "-o", file / "report")
    assert "say where the report goes (-o DIR)" in refused(capsys)
    assert "leave out -o" in refused(capsys, "-o", target, "--claim", "L5")
    assert "--seed" in refused(capsys, "-o", target, "--seed", "-1")
    assert names(tmp_path) == {"file"}
    assert file.read_text() == "mine"


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_command_writes_the_report_and_a_summary(
    trace_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report"
    args = ["reproduce", "--quick", "--seed", "3", "-o", str(target), "--trace", str(trace_file)]
    assert run([*args, "--trace", str(trace_file), "--weights", "tier:1*1/2,4*3", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((target / "report.json").read_text(encoding="utf-8"))
    assert printed["report"] == str(target / "report.html")
    assert printed["rows"] == written["verdicts"]
    assert printed["model"] == LayeredInstance(1, 1, 1).model
    ids = [trace["id"] for trace in written["provenance"]["traces"]]
    assert len(set(ids)) == 2
    assert ids[1] == slug(f"{ids[0]}-2")
    assert [trace["name"] for trace in written["provenance"]["traces"]] == [HOSTILE.replace("\n", "�")] * 2
    assert len({trace["digest"] for trace in written["provenance"]["traces"]}) == 1
    assert "--weights 'tier:1*1/2,4*3'" in written["environment"]["command"]
    assert "--seed 3" in written["environment"]["command"]
    weighed = [row for row in written["weights"]["policies"] if row["on"].startswith("trace")]
    assert len({row["input"] for row in weighed}) == 2
    for row in weighed:
        sequence = read_source(trace_file).sequence.prefix(row["requests"]).with_cache(row["k"])
        costs = read_weights("tier:1*1/2,4*3", sequence.instance.pages_by_layer)
        assert Fraction(row["cost"]) == simulate(row["policy"], sequence.with_weights(costs)).cost
        assert Fraction(row["opt"]) == optimum(sequence.with_weights(costs)).value


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_command_ends_with_1_if_a_bound_does_not_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(BOUNDS, "L5", replace(BOUNDS["L5"], value=sympy.Integer(1)))
    assert run(["reproduce", "--quick", "-o", str(tmp_path / "report")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("L5")).count(" violated ") == 1
    assert any(name.startswith("counterexample-L5-llru-") for name in names(tmp_path / "report"))
    check_target(tmp_path / "report")
    assert "✗ violated" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_one_row_is_repeated_as_the_report_has_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["reproduce", "--quick", "--seed", "3", "--json"]
    assert run([*words, "--claim", "L5"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    whole = compute(Settings.reduced(3), directory=tmp_path)
    assert row == next(found for found in whole["verdicts"] if found["bound"] == "L5")
    assert run(["reproduce", "--quick", "--claim", "llru-saving"]) == 0  # of no workload, here


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--claim", "L55"], "unknown claim 'L55': known are "),
        (
            ["--weights", "layer:1,4", "-o", "report"],
            "--weights are those of the pages of traces in a report",
        ),
        (["--claim", "L5", "-o", "report"], "--claim prints one row and writes nothing: leave out -o"),
        ([], "say where the report goes (-o DIR), or which row"),
    ],
)
def test_which_row_is_said_once(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", *words]) == 2
    assert said in capsys.readouterr().err


def test_help_needs_no_drawing_library() -> None:
    code = (
        "import sys; from paging.cli.main import run; run(['reproduce', '--help']); "
        "sys.exit(any(name in sys.modules for name in ('matplotlib', 'jinja2', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


# The documentation. When it is out of date: python -m proofs.report.docs docs/reproduce.md TRACE TRACE


@pytest.mark.slow
@pytest.mark.parametrize("id", ["cyclic", "one-page-each"])
def test_the_gallery_shows_the_growth_of_the_constructions(id: str) -> None:
    settings = Settings()
    jobs = [job for job in growth_jobs(settings.growth_requests, settings.seed) if job[0] == id]
    panel = jsonable(panels_of([grow(job) for job in jobs]))[0]
    found = Image.open(DOCS.parent / "images" / "adversaries" / f"{id}.png").info["Content"]
    assert found == content_digest(panel), "python -m proofs.report.docs docs/reproduce.md draws it anew"


def test_every_construction_has_a_picture() -> None:
    folder = DOCS.parent / "images" / "adversaries"
    assert {path.stem for path in folder.iterdir()} == set(constructions())
    assert all("Content" in Image.open(path).info for path in folder.iterdir())


def test_docs_show_the_reported_bounds() -> None:
    assert block(DOCS.read_text(encoding="utf-8"), "bounds") == reported_bounds()


@pytest.mark.slow
def test_docs_show_the_published_numbers_on_workloads() -> None:
    claims = default_claims(default_workloads())
    assert block(DOCS.read_text(encoding="utf-8"), "workloads") == published_numbers(claims, "workload")


@pytest.mark.slow
@needs_traces
def test_docs_show_the_published_numbers_on_traces() -> None:
    claims = default_claims(read_source(path) for path in (MIXTRAL, GPT_OSS))
    assert block(DOCS.read_text(encoding="utf-8"), "traces") == published_numbers(claims, "trace")


@needs_traces
def test_llru_saves_on_a_real_trace_as_expected() -> None:
    found = study(read_source(MIXTRAL), points=6, runs=2, seed=0)
    saved = {
        (row["policy"], row["k"]): row["saving_over_lru"] for row in found["rows"] if 96 <= row["k"] <= 224
    }
    assert all(0.05 <= saved["llru", k] <= 0.15 for k in (96, 128, 160, 192, 224))
    assert all(0.08 <= saved["llru-lazy", k] <= 0.16 for k in (96, 128, 160, 192, 224))
