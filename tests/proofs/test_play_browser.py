"""The live page, a one-file lesson and the widget's module in a real browser.

They are skipped where there is no Chromium, no Playwright for Python, or (accessibility alone) no axe-core;
``make browser`` installs what it can. With CI=true in the environment a missing browser is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from paging import LayeredInstance, Trace, film_of, generate, simulate, write_trace
from paging.plotting import content_digest
from paging.viewer.page import START, STATIC, lesson_page
from tests.helpers.browser import Visit, expect, missing
from tests.helpers.live_server import LiveServer, running

AXE = Path(__file__).parents[1] / "browser" / "node_modules" / "axe-core" / "axe.min.js"
ORDER = ["minor", "moderate", "serious", "critical"]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]  # one server and one browser


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with running() as started:
        yield started


def counts(page: Any) -> dict[str, str]:
    """Return the numbers above the boards by their labels."""
    labels = page.locator(".lp-count dt").all_inner_texts()
    return dict(zip(labels, page.locator(".lp-count dd").all_inner_texts(), strict=True))


def fill(page: Any, mode: str, **fields: str) -> None:
    """Choose a mode and fill its form."""
    page.get_by_role("link", name={"watch": "Watch"}.get(mode, f"You are the {mode}")).click()
    marker = {"watch": "source", "adversary": "goal", "algorithm": "opponent"}[mode]
    page.locator(f"[name={marker}]").wait_for()
    for name, value in fields.items():
        field = page.locator(f"[name={name}]")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def start(page: Any, mode: str, **fields: str) -> None:
    """Choose a mode, fill its form and start."""
    fill(page, mode, **fields)
    before = page.url
    page.locator(".go").click()
    page.wait_for_url(lambda url: "#game=" in url and url != before)


def play_adversary(page: Any, choose: Callable[[int], str]) -> None:
    """Press digits until the game is over."""
    for turn in range(100):
        if page.locator(".lp-choice").count() == 0:
            break
        page.keyboard.press(choose(turn))
        expect(page.locator(".lp-count-time dd")).to_have_text(re.compile(rf"^{turn + 1} /"))
    assert re.search("won|lost", page.locator("#status").get_attribute("class"))


def play_algorithm(page: Any, choose: Callable[[Any], None]) -> None:
    """Choose victims until the game is over."""
    for _ in range(100):
        page.locator(".lp-choice, #outcome h2").first.wait_for()
        if page.locator("#outcome h2").count():
            break
        asked = page.locator("#status p").inner_text()
        choose(page)
        expect(page.locator("#status p")).not_to_have_text(asked)
    expect(page.locator("#outcome h2").first).to_be_visible()


def serious(page: Any) -> list[str]:
    """Return axe-core's serious and critical findings."""
    if not AXE.exists():
        missing("no axe-core")
    page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{entry['id']}: {entry['nodes'][0]['html'][:200]}"
        for entry in found
        if ORDER.index(entry["impact"]) >= ORDER.index("serious")
    ]


# Watch


def test_a_newcomer_sees_a_film_at_once_and_plays_it_to_the_end(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    expect(page.locator(".lp-board")).to_have_count(2)
    assert counts(page)["request"] == "0 / 80"
    page.get_by_label("speed").select_option("16")
    page.get_by_role("button", name="play").click()
    expect(page.get_by_role("button", name="pause")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("Which page leaves")
    expect(page.locator(".lp-count-time dd")).to_have_text("80 / 80")
    assert counts(page)["faults of lru"] == "80"
    assert float(counts(page)["ratio"]) > 2.7
    expect(page.locator("#status")).to_contain_text("the ratio goes to k = 3")
    page.get_by_role("button", name="With zrc beside it").click()
    expect(page.locator(".lp-board figcaption").nth(1)).to_contain_text("Cache of zrc")
    assert counts(page)["request"] == "0 / 80"
    expect(page.get_by_role("button", name="play")).to_be_visible()  # it stops by itself


@pytest.mark.parametrize("policy", ["llru", "mark", "fwf"])
def test_watching_by_keyboard_alone(server: LiveServer, visit: Visit, policy: str) -> None:
    page = visit(server.address)
    start(page, "watch", policy=policy, source="workload:zipf", rounds="12")
    expect(page.locator(".lp-board figcaption").first).to_contain_text(policy)
    moves = {"ArrowRight": 1, "PageDown": 3, "ArrowLeft": 2, "End": 24, "PageUp": 22, "Home": 0}
    for key, time in moves.items():
        page.keyboard.press(key)
        assert counts(page)["request"] == f"{time} / 24"
    page.keyboard.press("+")
    assert page.get_by_label("speed").input_value() == "4"
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="pause")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="play")).to_be_visible()


def test_other_requests_of_the_same_shape_are_named(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    for source, said in (("construction:cyclic", "construction cyclic"), ("workload:zipf", "workload zipf")):
        start(page, "watch", source=source, layers="2", pages="4", cache="7")
        expect(page.locator(".lp-model")).to_contain_text(f"requests: {said}")


def test_what_a_cell_says_is_what_it_shows(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    start(page, "watch")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    board = page.locator(".lp-board").first
    requested = board.locator(".lp-requested")
    expect(requested).to_contain_text("fault")
    expect(requested).to_contain_text(", cached, marked, requested, fault")
    expect(board.locator(".lp-victim")).to_contain_text("not cached, left")
    expect(board.locator("th.lp-now")).to_contain_text("layer 0 (being served)")
    said = page.locator(".lp-say").inner_text()
    victim = board.locator(".lp-victim")
    assert "Request 9, layer 0: page 0.0, a fault. Page" in said
    assert "Page 1.0 leaves: least recently used, last asked for at request 2." in said
    numbers = "cells => cells.map(cell => cell.dataset.number)"
    assert victim.locator(".lp-number").evaluate_all(numbers) == ["7"]
    expect(victim).to_contain_text("not cached, left, recency rank 7")
    ranks = board.locator("td.lp-cached .lp-number").evaluate_all(numbers)
    assert sorted(map(int, ranks)) == list(range(1, 8))
    assert board.locator("td.lp-cached").count() == 7


def test_two_policies_play_in_step(server: LiveServer, visit: Visit) -> None:
    page = visit(f"{server.address}#scene=anomaly")
    expect(page.locator(".lp-board figcaption").nth(1)).to_contain_text("Cache of fifo, k = 4")
    page.keyboard.press("End")
    assert counts(page)["faults of fifo, k = 3"] == "9"
    assert counts(page)["faults of fifo, k = 4"] == "10"
    expect(page.locator(".lp-say span")).to_have_count(3)
    expect(page.locator("#status")).to_contain_text("a larger cache can be worse")
    expect(page.locator("#scenes [aria-current]")).to_have_text("Belady's anomaly")
    page.locator("#status a").click()  # the next scene
    expect(page.locator(".lp-board figcaption").nth(1)).to_contain_text("Cache of zrc")


def test_typed_requests_and_a_clear_line_about_wrong_ones(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, refusals=True)
    page.locator(".lp-board").first.wait_for()
    fill(page, "watch", source="typed", layers="2", pages="3", cache="2", requests="0.0 0.1")
    page.locator(".go").click()
    expect(page.locator("#error")).to_contain_text("request 2, '0.1': layer 1 is served then")
    start(page, "watch", source="typed", layers="2", pages="3", cache="2", requests="0.0 1.2 0.1 1.2")
    page.keyboard.press("End")
    assert counts(page)["request"] == "4 / 4"
    expect(page.locator(".lp-say")).to_contain_text("page 1.2")
    expect(page.locator("#status")).to_contain_text("The end: lru 3 faults, ratio 1; OPT 3 faults.")


def test_the_curve_is_above_the_fold_of_a_projector(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, 1024, 768)
    page.locator(".lp-plot svg").wait_for()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    box = page.locator(".lp-plot svg").bounding_box()
    assert box["y"] + box["height"] <= 768
    page.keyboard.press("f")
    expect(page.locator("#stage:fullscreen")).to_have_count(1)


def test_something_is_seen_before_anything_is_computed(server: LiveServer, visit: Visit) -> None:
    held: list[Any] = []
    page = visit("about:blank")
    page.route("**/api/choices", lambda route: held.append(route))
    with page.expect_request("**/api/choices"):
        page.goto(server.address)
    expect(page.locator(".ghost").first).to_be_visible()
    held[0].continue_()
    page.locator(".lp-board").first.wait_for()
    expect(page.locator(".ghost").first).to_be_hidden()


# You are the adversary


@pytest.mark.parametrize("policy", ["lru", "llru", "mark"])
def test_the_adversary_plays_to_the_end(server: LiveServer, visit: Visit, policy: str) -> None:
    page = visit(server.address)
    start(page, "adversary", policy=policy, rounds="6", goal="9")
    play_adversary(page, lambda turn: str(turn // 2 % 3))
    expect(page.locator("#status")).to_contain_text("The rounds are over at ratio")
    expect(page.locator("#outcome")).to_contain_text("cruel adversary")


def test_the_adversary_wins_by_the_cycle_and_takes_back(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    start(page, "adversary", policy="lru", goal="3/2", rounds="20")
    play_adversary(page, lambda turn: str(turn // 2 % 2))  # two pages a layer, k = 3
    expect(page.locator("#status")).to_contain_text("Goal reached")
    time = counts(page)["request"]
    points = page.locator("polyline.lp-ratio").get_attribute("points").split()
    assert len(points) == int(time.split()[0])
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".lp-choice")).to_have_count(3)
    assert counts(page)["request"] != time


def test_the_picture_of_docs_is_the_game_that_it_shows(server: LiveServer, visit: Visit) -> None:
    pictures = pytest.importorskip("docs.pictures")
    page = visit(server.address + pictures.GAME, **pictures.GAME_SIZE)
    shown = Image.open(pictures.GAME_TARGET).info["Content"]
    assert shown == content_digest(pictures.won_game(page)), "python -m docs.pictures draws it anew"


# You are the algorithm


@pytest.mark.parametrize("opponent", ["cruel", "cruel-wide", "zipf"])
def test_the_algorithm_plays_to_the_end(server: LiveServer, visit: Visit, opponent: str) -> None:
    page = visit(server.address, reduced_motion="reduce")
    start(page, "algorithm", opponent=opponent, rounds="6", cache="3")
    expect(page.locator(".lp-board").nth(1)).to_have_class(re.compile("lp-closed"))
    play_algorithm(page, lambda page: page.locator(".lp-choice").first.click())
    lost = int(counts(page)["your faults"]) - int(counts(page)["OPT so far"])
    expect(page.locator("#outcome .wide tbody tr")).to_have_count(lost)
    expect(page.locator(".lp-board").nth(1)).not_to_have_class(re.compile("lp-closed"))
    if lost:
        page.locator("#outcome .wide button").first.click()
        request = page.locator("#outcome .wide button").first.inner_text().split()[1]
        assert counts(page)["request"].startswith(f"{request} /")


def test_the_algorithm_by_keyboard_alone(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, reduced_motion="reduce")
    for _ in range(12):  # to the link of the mode, and in the form to its button
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "You are the algorithm":
            break
    page.keyboard.press("Enter")
    page.locator("[name=opponent]").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "go":
            break
    page.keyboard.press("Enter")
    page.locator(".lp-choice").first.wait_for()
    assert page.evaluate("document.activeElement.className") == "lp-choice"  # no search for the first move

    def by_arrows(page: Any) -> None:
        first = page.evaluate("document.activeElement.dataset.page")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.className") == "lp-choice"
        assert page.locator(".lp-choice").count() == 1 or first is not None
        page.keyboard.press("Enter")

    play_algorithm(page, by_arrows)


def test_moves_between_choices_are_played_one_by_one(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    start(page, "algorithm", opponent="zipf", rounds="40", layers="3", pages="4", cache="6")
    seen = set()
    for _ in range(6):
        page.locator(".lp-choice").first.click()
        seen.add(counts(page)["request"])
        page.locator(".lp-choice").first.wait_for()
        seen.add(counts(page)["request"])
    assert len(seen) >= 6


# Sessions


def test_two_users_at_once_do_not_meet(server: LiveServer, visit: Visit) -> None:
    one, two = visit(server.address), visit(server.address)
    start(one, "adversary", policy="lru")
    start(two, "adversary", policy="fifo")
    for turn in range(6):
        one.keyboard.press(str(turn % 3))
        expect(one.locator(".lp-count-time dd")).to_have_text(f"{turn + 1} / 24")
        if turn % 2:
            two.keyboard.press("2")
            expect(two.locator(".lp-count-time dd")).to_have_text(f"{turn // 2 + 1} / 24")
    assert one.url != two.url
    expect(one.locator(".lp-board figcaption").first).to_contain_text("Cache of lru")
    expect(two.locator(".lp-board figcaption").first).to_contain_text("Cache of fifo")


def test_a_reload_in_mid_game_loses_nothing(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, reduced_motion="reduce")
    start(page, "algorithm", rounds="8")
    for _ in range(3):
        asked = page.locator("#status p").inner_text()
        page.locator(".lp-choice").last.click()
        expect(page.locator("#status p")).not_to_have_text(asked)
    before = (counts(page), page.locator("#status").inner_text())
    page.reload()
    page.locator(".lp-choice").first.wait_for()
    assert (counts(page), page.locator("#status").inner_text()) == before
    page.go_back()  # to the form, and forward to the game
    page.locator(".go").wait_for()
    page.go_forward()
    page.locator(".lp-choice").first.wait_for()
    assert counts(page) == before[0]


def test_a_link_makes_a_game_again_with_its_moves(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, permissions=["clipboard-read", "clipboard-write"])
    start(page, "adversary", policy="fifo")
    for turn in range(3):
        page.keyboard.press(str(turn))
        expect(page.locator(".lp-count-time dd")).to_have_text(f"{turn + 1} / 24")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#link")).to_contain_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    other = visit(link)
    expect(other.locator(".lp-count-time dd")).to_have_text("3 / 24")
    expect(other.locator(".lp-board figcaption").first).to_contain_text("Cache of fifo")
    assert other.url != page.url
    broken = visit(f"{server.address}#play=nonsense")
    expect(broken.locator("#error")).to_have_text("This link does not hold a game.")


def test_a_reload_survives_a_server_that_has_forgotten_the_game(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, refusals=True)
    start(page, "adversary")
    page.keyboard.press("1")
    expect(page.locator(".lp-count-time dd")).to_have_text("1 / 24")
    before = page.url
    gone = {"status": 404, "content_type": "application/json", "body": '{"error": "no such game"}'}
    page.route("**/api/games/*", lambda route: route.fulfill(**gone))
    page.reload()
    page.wait_for_url(lambda url: "#game=" in url and url != before)
    expect(page.locator(".lp-count-time dd")).to_have_text("1 / 24")


def test_the_question_waits_for_the_board(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)  # with motion: hits are played before the next question
    start(page, "algorithm", opponent="zipf", rounds="40", layers="3", pages="4", cache="6")
    expect(page.locator("#status")).to_contain_text("which page leaves?")
    page.get_by_role("button", name="back", exact=True).click()
    expect(page.locator("#status")).to_contain_text("You look back at request")
    page.get_by_role("button", name="To the question").click()
    expect(page.locator("#status")).to_contain_text("which page leaves?")
    expect(page.locator(".lp-pending")).to_have_count(1)


def test_the_focus_is_on_a_page_again_after_hits_were_played(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)  # with motion: what was served meanwhile is played before the next choice
    start(page, "algorithm")
    played = 0
    for _ in range(6):
        page.locator(".lp-choice, #outcome h2").first.wait_for()
        if page.locator("#outcome h2").count():
            break
        expect(page.locator(".lp-choice:focus")).to_have_count(1)
        before = int(counts(page)["request"].split()[0])
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator(".lp-count-time dd")).not_to_have_text(re.compile(rf"^{before} /"))
        page.locator(".lp-choice, #outcome h2").first.wait_for()
        played += int(counts(page)["request"].split()[0]) > before + 1
    assert played, "no hit was played"


def test_digits_name_layer_and_page(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, reduced_motion="reduce")
    start(page, "algorithm", opponent="cruel", layers="2", pages="3", cache="4")
    page.locator(".lp-choice").first.wait_for()
    named = page.locator(".lp-choice").first.get_attribute("aria-label")
    layer, number = re.search(r"(\d+)\.(\d+)", named).groups()
    asked = page.locator("#status p").inner_text()
    page.keyboard.press(layer)
    page.keyboard.press(number)
    expect(page.locator("#status p")).not_to_have_text(asked)


def test_a_move_in_a_second_window_is_not_lost_unnoticed(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address, refusals=True)
    start(page, "adversary")
    game = page.url.partition("#game=")[2]
    assert server.post(f"/api/games/{game}/moves", {"page": 0, "after": 0})[0] == 200
    page.keyboard.press("1")  # the page still believes that the cache is empty
    expect(page.locator("#error")).to_contain_text("but 1 are served")
    expect(page.locator(".lp-count-time dd")).to_have_text("1 / 24")


def test_a_late_answer_does_not_take_the_visitor_back(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    page.locator(".lp-board").first.wait_for()
    fill(page, "watch", policy="fifo")
    held: list[Any] = []
    page.route("**/api/games", lambda route: held.append(route))
    page.locator(".go").click()
    expect(page.locator(".go")).to_have_text("Computing …")
    fill(page, "adversary")
    with page.expect_response("**/api/games"):
        held[0].continue_()
    page.unroute("**/api/games")
    start(page, "algorithm")
    expect(page.locator(".lp-board figcaption").first).to_contain_text("Your cache")
    assert page.locator("nav [aria-current]").inner_text() == "You are the algorithm"


@pytest.mark.parametrize("mode", ["adversary", "algorithm"])
def test_a_link_followed_before_the_choices_have_come_is_not_lost(
    server: LiveServer, visit: Visit, mode: str
) -> None:
    held: list[Any] = []
    page = visit("about:blank")
    page.route("**/api/choices", lambda route: held.append(route))
    with page.expect_request("**/api/choices"):
        page.goto(server.address)
    page.get_by_role("link", name=f"You are the {mode}").click()
    assert page.url.endswith(f"#{mode}")
    held[0].continue_()
    start(page, mode)
    expect(page.locator(".lp-choice").first).to_be_visible()


@pytest.mark.parametrize(
    ("mode", "fields", "message"),
    [
        ("watch", {"cache": "6"}, "needs ℓ to divide k + 1"),
        ("adversary", {"pages": "40"}, "too large for a live optimum"),
        ("adversary", {"goal": "0"}, "a ratio above 1"),
        ("algorithm", {"layers": ""}, "layers must be a whole number"),
    ],
)
def test_a_refusal_is_shown_with_its_reason(
    server: LiveServer, visit: Visit, mode: str, fields: dict[str, str], message: str
) -> None:
    page = visit(server.address, refusals=True)
    fill(page, mode, **fields)
    page.locator(".go").click()
    expect(page.locator("#error")).to_contain_text(message)
    fill(page, "algorithm" if mode == "watch" else "watch")
    expect(page.locator("#error")).to_be_hidden()


# Everywhere


@pytest.mark.parametrize("width", [400, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_mode_fits_and_is_accessible(server: LiveServer, visit: Visit, width: int, scheme: str) -> None:
    page = visit(server.address, width, reduced_motion="reduce", color_scheme=scheme)

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []

    page.locator(".lp-board").first.wait_for()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Keys and signs").click()
    fits()
    start(page, "watch", source="workload:sticky", layers="12", pages="8", cache="40")
    page.keyboard.press("End")
    fits()
    start(page, "watch", policy="lru", beside="mark", source="construction:cyclic")
    page.keyboard.press("End")
    fits()
    start(page, "watch", source="workload:zipf", layers="6", pages="40", cache="60", rounds="20")
    page.keyboard.press("End")
    expect(page.locator(".lp-compact")).to_have_count(2)
    fits()
    start(page, "adversary", rounds="3")
    for turn in range(4):
        page.keyboard.press(str(turn // 2))
        expect(page.locator(".lp-count-time dd")).to_have_text(f"{turn + 1} / 6")
    fits()
    start(page, "algorithm", rounds="5")
    fits()
    play_algorithm(page, lambda page: page.locator(".lp-choice").first.click())
    fits()


def test_focus_is_visible_everywhere(server: LiveServer, visit: Visit) -> None:
    page = visit(server.address)
    page.locator(".lp-board").first.wait_for()
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.tagName + e.className + e.textContent, s.outlineStyle + s.outlineWidth] }"
        )
        if place.startswith("BODY"):
            continue
        seen.add(place)
        assert outline == "solid3px", place
    assert len(seen) >= 10


def test_a_lesson_plays_without_a_network(visit: Visit, tmp_path: Path) -> None:
    run = simulate("lru", generate("zipf:rounds=10", LayeredInstance(2, 4, 4), seed=1), record=True)
    target = tmp_path / "lesson.html"
    target.write_text(lesson_page(film_of(run)), encoding="utf-8")
    page = visit(target.as_uri(), offline=True)
    page.keyboard.press("End")
    assert counts(page)["request"] == "20 / 20"
    assert counts(page)["faults of lru"] == str(run.faults)
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(page.locator(".lp-count-time dd")).to_have_text("20 / 20")  # it plays to the end
    assert serious(page) == []


def test_a_lesson_shows_a_table_without_a_script(visit: Visit, tmp_path: Path) -> None:
    run = simulate("lru", generate("zipf:rounds=4", LayeredInstance(2, 4, 4), seed=1), record=True)
    target = tmp_path / "lesson.html"
    target.write_text(lesson_page(film_of(run)), encoding="utf-8")
    page = visit(target.as_uri(), java_script_enabled=False)
    expect(page.locator("noscript table tbody tr")).to_have_count(8)


def test_the_widgets_module_keeps_python_and_page_together(visit: Visit, tmp_path: Path) -> None:
    """Drive the module as anywidget does: a model with get, set, save_changes, on and off."""
    film = film_of(simulate("fifo", generate("zipf:rounds=6", LayeredInstance(2, 4, 4)), record=True))
    lesson = lesson_page(film)
    harness = """
const values = { film: JSON.parse(document.getElementById("film").textContent), at: 3 };
const listeners = {};
globalThis.model = {
  get: (k) => values[k], set: (k, v) => { values[k] = v; },
  save_changes: () => { globalThis.saved = values.at; },
  on: (k, f) => { listeners[k] = f; }, off: (k) => { delete listeners[k]; },
  change: (at) => { values.at = at; listeners["change:at"](); },
};
globalThis.stop = render({ model: globalThis.model, el: document.getElementById("view") });
"""
    target = tmp_path / "widget.html"
    assert START in lesson
    other = re.sub(r"sha256-[\w+/=]+", "unsafe-inline", lesson.replace(START, harness))
    target.write_text(other, encoding="utf-8")
    page = visit(target.as_uri())
    assert counts(page)["request"] == "3 / 12"
    page.get_by_role("button", name="forward").click()
    assert page.evaluate("saved") == 4
    page.evaluate("model.change(9)")
    assert counts(page)["request"] == "9 / 12"
    page.keyboard.press("End")  # the view has no focus: a notebook's own keys stay its own
    page.locator("#view").focus()
    page.keyboard.press("End")
    assert counts(page)["request"] == "12 / 12"
    # JupyterLab's own rules for lists of definitions in an output:
    page.add_style_tag(content="main dt { float: left; width: 20% } main dd { float: left }")
    assert page.evaluate("getComputedStyle(document.querySelector('.lp-count dt')).float") == "none"
    page.evaluate("stop()")
    expect(page.locator("#view *")).to_have_count(0)


HOSTILE = "x\"><img src=x onerror=alert(1)><script>alert(2)</script></script><!--'onload='alert(3)"


def test_names_of_strangers_are_text_in_a_lesson(visit: Visit, tmp_path: Path) -> None:
    film = film_of(simulate("lru", generate("zipf:rounds=3", LayeredInstance(2, 3, 3)), record=True))
    texts = dict.fromkeys(("policy", "title", "remark", "optimum_title"), HOSTILE)
    guides = [replace(guide, id=HOSTILE, formula=HOSTILE, statement=HOSTILE) for guide in film.guides]
    target = tmp_path / "lesson.html"
    target.write_text(lesson_page(replace(film, **texts, guides=guides)), encoding="utf-8")
    for settings in ({}, {"java_script_enabled": False}):
        page = visit(target.as_uri(), **settings)
        assert page.locator("img, [onerror], [onload]").count() == 0
        assert page.locator("h1").inner_text() == f"{HOSTILE}: {HOSTILE}"
    page = visit(target.as_uri())
    page.keyboard.press("End")
    assert counts(page)["request"] == "6 / 6"
    expect(page.locator(".lp-model")).to_contain_text(HOSTILE)


def test_a_script_that_got_into_a_lesson_does_not_run(visit: Visit, tmp_path: Path) -> None:
    lesson = lesson_page(
        film_of(simulate("lru", generate("zipf:rounds=3", LayeredInstance(1, 3, 2)), record=True))
    )
    target = tmp_path / "lesson.html"
    injected = "<script>document.title = 'run'</script><p onclick=\"document.title = 'run'\">here</p></main>"
    target.write_text(lesson.replace("</main>", injected), encoding="utf-8")
    page = visit(target.as_uri(), refused_scripts=True)
    page.get_by_text("here", exact=True).click()
    page.keyboard.press("End")
    assert counts(page)["request"] == "3 / 3"
    assert page.title() != "run"


def test_names_of_strangers_are_text_on_the_live_page(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / f"{HOSTILE.replace('/', '-')}.npz"
    write_trace(Trace([0, 1, 2], 1, 3), file)
    with running("--trace", str(file)) as server:
        page = visit(server.address)
        start(page, "watch", source=f"trace:{file.name}", rounds="2", cache="2")
        expect(page.locator(".lp-model")).to_contain_text(file.name)
        assert page.locator("img, [onerror], [onload]").count() == 0


def test_the_view_decides_nothing() -> None:
    """The front end may not contain a policy, a cost or an optimum: only what the server sent is drawn."""
    source = (STATIC / "view.js").read_text(encoding="utf-8")
    assert "fetch(" not in source
    assert "innerHTML" not in source
    assert "eval(" not in source
