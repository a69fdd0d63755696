"""The three modes without a browser: rules, costs, optimum, taking back, and what a form may ask for."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adversary import get_construction
from paging import (
    LayeredInstance,
    LayeredPagingError,
    LimitError,
    ModelError,
    RequestSequence,
    Trace,
    WorkFunction,
    farthest_in_future,
    get_policy,
    optimum_so_far,
    registered_policies,
    simulate,
)
from paging.markdown import block
from proofs.play.docs import opponents_table, scenes_table
from proofs.play.forms import Catalogue, FormError, typed_requests
from proofs.play.games import AdversaryGame, AlgorithmGame, GameOverError, LiveGame, StaleMoveError
from proofs.play.opponents import OPPONENTS
from proofs.play.scenes import SCENES
from proofs.play.store import Store, UnknownGameError

SMALL = LayeredInstance(layers=2, pages=3, cache=4)
CATALOGUE = Catalogue()
WATCH = {
    "mode": "watch",
    "policy": "lru",
    "source": "construction:cyclic",
    "layers": 2,
    "pages": 4,
    "cache": 7,
    "rounds": 10,
    "seed": 0,
}
ADVERSARY = {
    "mode": "adversary",
    "policy": "lru",
    "layers": 2,
    "pages": 3,
    "cache": 3,
    "rounds": 12,
    "goal": "3/2",
    "seed": 0,
}
ALGORITHM = {
    "mode": "algorithm",
    "opponent": "cruel",
    "layers": 2,
    "pages": 3,
    "cache": 4,
    "rounds": 8,
    "seed": 0,
}


def move(game: LiveGame, page: int) -> None:
    game.move(page, len(game.film.frames))


def played_at_random(game: LiveGame, seed: int) -> LiveGame:
    rng = np.random.default_rng(seed)
    while not game.over:
        move(game, int(rng.choice(game.turn()["choices"])))
    return game


WATCH_TOLD = {
    "mode": "watch", "policy": "flush-when-kept", "source": "workload:zipf", "parameters": {},
    "layers": 2, "pages": 4, "cache": 4, "rounds": 20, "seed": 0,
}  # fmt: skip


def test_predictions_are_shown_with_the_requests_of_a_film() -> None:
    plain = CATALOGUE.start({**WATCH_TOLD, "policy": "lru"}).film
    true = CATALOGUE.start(WATCH_TOLD).film
    wrong = CATALOGUE.start({**WATCH_TOLD, "predictions": "discard:p0=1,p1=1", "beside": "lru"}).film
    assert (plain.predicted, true.predicted, wrong.predicted) == ("", "discard", "discard")
    assert true.remark.endswith("; discard bits, all true")
    bits = [(a.prediction, b.prediction) for a, b in zip(true.frames, wrong.frames, strict=True)]
    assert {*bits} == {(0, 1), (1, 0)}
    assert true.frames[-1].faults == true.frames[-1].optimum < wrong.frames[-1].faults
    assert wrong.beside is not None
    assert wrong.beside.frames[-1].faults == plain.frames[-1].faults
    told = CATALOGUE.start({**WATCH_TOLD, "source": "construction:one-visitor", "pages": 3, "cache": 3}).film
    assert {frame.prediction for frame in told.frames} == {0, 1}
    for change, why in (
        ({"predictions": "phase"}, "needs discard predictions"),
        ({"predictions": "nothing"}, "unknown prediction"),
        ({"policy": "lru", "predictions": "discard"}, "takes no predictions"),
    ):
        with pytest.raises(LayeredPagingError, match=why):
            CATALOGUE.start({**WATCH_TOLD, **change})


def test_a_person_is_told_bits_by_who_solved_the_game() -> None:
    game = CATALOGUE.start({**ALGORITHM, "opponent": "discard-optimal"})
    assert game.turn()["bit"] in (0, 1)
    film = game.film.as_dict()
    assert (film["predicted"], film["numbers_title"]) == ("discard", "latest bit")
    played_at_random(game, 3)
    assert game.film.guides == []  # L2 is about those who are told nothing
    last = game.film.frames[-1]
    shown = {q: int(word) for q, word in enumerate(last.numbers.split(" ")) if word != "-"}
    latest = {frame.page: frame.prediction for frame in game.film.frames}
    assert shown == {q: latest[q] for q, letter in enumerate(last.cells) if letter != "-"}
    outcome = game.turn()["outcome"]
    assert outcome["others"][0]["policy"] == "flush-when-kept"
    wrong = outcome["errors"]
    assert outcome["others"][0]["faults"] <= outcome["optimum"] + 3 * wrong["eta0"] + wrong["eta1"]


def test_who_is_told_predictions_is_no_game_for_an_adversary() -> None:
    with pytest.raises(LayeredPagingError, match="needs discard predictions"):
        CATALOGUE.start({**ADVERSARY, "policy": "flush-when-kept"})


def requests_of(game: LiveGame) -> RequestSequence:
    return RequestSequence(game.film.instance, [frame.page for frame in game.film.frames])


# You are the adversary


@pytest.mark.parametrize("policy", [name for name in CATALOGUE.names if not get_policy(name).predictions])
def test_the_policy_answers_and_opt_is_the_optimum_of_what_was_asked(policy: str) -> None:
    game = AdversaryGame(get_policy(policy), SMALL, 9, Fraction(99), 7)
    played_at_random(game, 1)
    sequence = requests_of(game)
    assert len(sequence) == 18
    assert game.film.frames[-1].faults == simulate(policy, sequence, seed=7, engine="labels").faults
    assert [frame.optimum for frame in game.film.frames] == optimum_so_far(sequence).tolist()
    assert game.turn()["outcome"]["won"] is False


def test_opts_picture_is_every_some_or_no_optimal_cache() -> None:
    game = AdversaryGame(get_policy("fifo"), SMALL, 9, Fraction(99), 0)
    played_at_random(game, 2)
    work = WorkFunction(SMALL)
    for frame in game.film.frames:
        work.serve(frame.page)
        caches = list(work.optimal_caches())
        for page, letter in enumerate(frame.optimum_cells):
            held = sum(page in optimal for optimal in caches)
            assert letter == ("c" if held == len(caches) else "s" if held else "-")


def test_the_game_is_won_as_soon_as_the_ratio_is_reached() -> None:
    # ℓ = 2, k = 3: the first six requests are compulsory, then LRU lacks what the cycle asks for next.
    game = AdversaryGame(get_policy("lru"), LayeredInstance(2, 3, 3), 20, Fraction(3, 2), 0)
    cycle = [0, 3, 1, 4]
    while not game.over:
        move(game, cycle[len(game.film.frames) % 4])
    last, before = game.film.frames[-1], game.film.frames[-2]
    assert Fraction(last.faults, last.optimum) >= Fraction(3, 2) > Fraction(before.faults, before.optimum)
    assert game.turn()["outcome"]["won"]
    assert game.turn()["choices"] == []


def test_reaching_the_goal_exactly_is_enough() -> None:
    instance, cycle = LayeredInstance(2, 3, 3), [0, 3, 1, 4]
    long = AdversaryGame(get_policy("lru"), instance, 10, Fraction(99), 0)
    for time in range(20):
        move(long, cycle[time % 4])
    ratios = [Fraction(frame.faults, frame.optimum) for frame in long.film.frames]
    goal = max(ratios)
    assert goal > 1
    game = AdversaryGame(get_policy("lru"), instance, 10, goal, 0)
    while not game.over:
        move(game, cycle[len(game.film.frames) % 4])
    assert len(game.film.frames) == ratios.index(goal) + 1


def test_the_outcome_names_what_the_cruel_adversary_forces() -> None:
    game = AdversaryGame(get_policy("lru"), LayeredInstance(2, 3, 3), 6, Fraction(99), 0)
    cruel = played_at_random(game, 0).turn()["outcome"]["cruel"]
    made = get_construction("cruel")(game.instance, rounds=6, policy="lru")
    sequence = made.sequence.prefix(cruel["requests"])
    assert simulate("lru", sequence).faults == cruel["faults"]
    assert farthest_in_future(sequence).faults == cruel["optimum"]
    randomised = AdversaryGame(get_policy("mark"), LayeredInstance(2, 3, 3), 2, Fraction(99), 0)
    assert played_at_random(randomised, 0).turn()["outcome"]["cruel"] is None


def test_pages_that_cannot_be_asked_for_change_nothing() -> None:
    game = AdversaryGame(get_policy("lru"), SMALL, 9, Fraction(2), 0)
    for page in (3, 5, 6, -1, 10**30):  # layer 1, or out of range, while layer 0 is served
        with pytest.raises(LayeredPagingError):
            move(game, page)
    with pytest.raises(StaleMoveError):
        game.move(0, 1)
    assert (game.film.frames, game.moves) == ([], [])


# You are the algorithm


@pytest.mark.parametrize("opponent", OPPONENTS)
@pytest.mark.parametrize("seed", range(4))
def test_every_opponent_asks_legally_and_the_losses_add_up(opponent: str, seed: int) -> None:
    instance = LayeredInstance(layers=2, pages=3, cache=3)
    game = played_at_random(AlgorithmGame(OPPONENTS[opponent], instance, 10, seed), seed)
    sequence = requests_of(game)  # raises when a request is not legal
    result = game.turn()["outcome"]
    assert len(sequence) == 20
    assert result["optimum"] == farthest_in_future(sequence).faults == game.film.frames[-1].optimum
    assert result["faults"] == game.film.frames[-1].faults
    assert len(result["mistakes"]) == result["faults"] - result["optimum"]
    assert {row["policy"]: row["faults"] for row in result["others"]}["lru"] == simulate(
        "lru", sequence
    ).faults


def test_whoever_plays_farthest_in_future_loses_nothing() -> None:
    instance = LayeredInstance(layers=2, pages=4, cache=4)
    requests = list(requests_of(played_at_random(AlgorithmGame(OPPONENTS["zipf"], instance, 20, 5), 0)))
    game: LiveGame = AlgorithmGame(OPPONENTS["zipf"], instance, 20, 5)
    while not game.over:
        later = requests[len(game.film.frames) + 1 :]
        far = max(game.turn()["choices"], key=lambda q: later.index(q) if q in later else len(later))
        move(game, far)
    assert list(requests_of(game)) == requests  # an oblivious opponent does not look at the cache
    assert game.turn()["outcome"]["mistakes"] == []


@pytest.mark.parametrize("rule", ["lru", "llru", "fifo", "clock"])
def test_the_cruel_opponent_does_to_a_player_what_it_does_to_a_policy(rule: str) -> None:
    made = get_construction("cruel")(SMALL, rounds=15, policy=rule)
    run = made.run(rule)
    assert run.entries is not None
    game: LiveGame = AlgorithmGame(OPPONENTS["cruel"], SMALL, 15, 0)
    while not game.over:
        move(game, int(run.entries[len(game.film.frames)]))
    assert requests_of(game) == made.sequence
    assert game.film.frames[-1].faults == run.faults


def test_opts_cache_is_hidden_until_the_game_is_over() -> None:
    game = AlgorithmGame(OPPONENTS["cruel"], SMALL, 4, 0)
    while not game.over:
        assert all(frame.optimum_cells == "" for frame in game.film.frames)
        assert "outcome" not in game.turn()
        move(game, game.turn()["choices"][0])
    assert all(frame.optimum_cells for frame in game.film.frames)


def test_only_a_cached_page_can_leave() -> None:
    game = AlgorithmGame(OPPONENTS["cruel"], SMALL, 4, 0)
    choices = game.turn()["choices"]
    for page in sorted(set(range(-1, 7)) - set(choices)):
        with pytest.raises(ModelError):
            move(game, page)
    assert game.turn()["choices"] == choices
    assert len(choices) == SMALL.cache


def test_a_cache_that_is_never_full_leaves_nothing_to_choose() -> None:
    game = AlgorithmGame(OPPONENTS["uniform"], LayeredInstance(2, 2, 4), 6, 0)
    assert game.over
    assert game.turn()["outcome"]["mistakes"] == []
    with pytest.raises(GameOverError):
        move(game, 0)


# Both


@pytest.mark.parametrize("form", [ADVERSARY, {**ADVERSARY, "policy": "mark"}, ALGORITHM])
def test_taking_back_returns_to_the_moment_before(form: dict[str, Any]) -> None:
    game = CATALOGUE.start({**form, "goal": "99"} if "goal" in form else form)
    with pytest.raises(GameOverError):
        game.taken_back()
    states = [game.state()]
    for _ in range(5):
        move(game, game.turn()["choices"][-1])
        states.append(game.state())
    for state in reversed(states[:-1]):
        game = game.taken_back()
        assert game.state() == state
    assert played_at_random(game, 3).over


@pytest.mark.parametrize("form", [ADVERSARY, ALGORITHM])
def test_a_game_too_large_for_the_live_optimum_is_refused_with_the_reason(form: dict[str, Any]) -> None:
    with pytest.raises(LimitError, match=r"too large for a live optimum.* 60 pages and 24 requests"):
        CATALOGUE.start({**form, "pages": 30, "rounds": 12})
    with pytest.raises(LimitError, match=r"at most 48 pages and 400 requests.* 6 pages and 500 requests"):
        CATALOGUE.start({**form, "rounds": 250})


# Forms


def test_the_forms_of_the_page_start_games() -> None:
    assert len(CATALOGUE.start(WATCH).film.frames) == 20
    assert CATALOGUE.start(ADVERSARY).turn()["choices"] == [0, 1, 2]
    assert CATALOGUE.start(ALGORITHM).turn()["pending"] is not None
    zipf = {**WATCH, "source": "workload:zipf", "parameters": {"alpha": 2.5}, "policy": "mark", "seed": 3}
    film = CATALOGUE.start(zipf).film
    assert (film.seed, len(film.frames)) == (3, 20)


def test_every_construction_and_workload_of_the_page_can_be_watched() -> None:
    offered = CATALOGUE.describe()
    for entry in offered["constructions"]:
        size = {key: entry[key] for key in ("layers", "pages", "cache")}
        victim = entry["victims"][0].partition(":")[0]
        game = CATALOGUE.start({**WATCH, **size, "policy": victim, "source": f"construction:{entry['id']}"})
        assert game.film.frames
    for entry in offered["workloads"]:
        parameters = {parameter["name"]: parameter["default"] for parameter in entry["parameters"]}
        game = CATALOGUE.start({**WATCH, "source": f"workload:{entry['id']}", "parameters": parameters})
        assert len(game.film.frames) == 20


def test_traces_and_policies_of_the_command_line_are_offered() -> None:
    requests = RequestSequence(LayeredInstance(2, 2, 2), [0, 2, 1, 3, 0, 3])
    catalogue = Catalogue(("partitioned:policy=fifo",), {"t.npz": Trace.from_sequence(requests)})
    assert "partitioned:policy=fifo" in [policy["id"] for policy in catalogue.describe()["policies"]]
    game = catalogue.start(
        {**WATCH, "policy": "partitioned:policy=fifo", "source": "trace:t.npz", "cache": 2}
    )
    assert [frame.page for frame in game.film.frames] == [0, 2, 1, 3, 0, 3]


TYPED = {**WATCH, "source": "typed", "requests": "0.0 1.2, 0.3 1.2"}


def test_requests_are_typed_by_layer_and_page_or_by_id() -> None:
    film = CATALOGUE.start(TYPED).film
    assert [frame.page for frame in film.frames] == [0, 6, 3, 6]
    instance = LayeredInstance(2, (2, 3), 2)
    assert list(typed_requests("0 1.2\n1 2", instance)) == [0, 4, 1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "type 1 … 2,000 requests such as 0.0 1.2 0.1, got 0"),
        ("0.0 x", "request 2, 'x': a page is layer.number such as 0.1, or a plain id such as 5"),
        ("0.0 1.9", "request 2, '1.9': the page must be an integer in 0 … 3, got 9"),
        ("2.0", "request 1, '2.0': the layer must be an integer in 0 … 1, got 2"),
        ("0 8", "request 2, '8': a page id must be an integer in 0 … 7, got 8"),
        ("0.0 0.1", "request 2, '0.1': layer 1 is served then, so ask for one of 1.0 … 1.3, by id 4 … 7"),
        ("0 " * 2001, "type 1 … 2,000 requests such as 0.0 1.2 0.1, got 2,001"),
        ("-1", "request 1, '-1': a page is layer.number"),
        ("٣", "request 1, '٣': a page is layer.number"),
        ("1" * 5000, "a page is layer.number"),
    ],
)
def test_what_is_typed_wrongly_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ModelError, match=re.escape(message)) as refusal:
        CATALOGUE.start({**TYPED, "requests": text})
    assert len(str(refusal.value)) < 200
    assert "\n" not in str(refusal.value)


def test_a_second_policy_serves_the_same_requests() -> None:
    film = CATALOGUE.start({**WATCH, "beside": "zrc", "beside_cache": 5}).film
    assert film.beside is not None
    assert (film.beside.policy, film.beside.instance.cache) == ("zrc", 5)
    assert [frame.page for frame in film.beside.frames] == [frame.page for frame in film.frames]
    assert CATALOGUE.start({**WATCH, "beside": ""}).film.beside is None


@pytest.mark.parametrize("form", [ADVERSARY, ALGORITHM])
def test_a_game_is_made_again_from_its_form_and_moves(form: dict[str, Any]) -> None:
    game = CATALOGUE.start(form)
    for _ in range(4):
        move(game, game.turn()["choices"][-1])
    state = game.state()
    assert state["form"] == form
    assert CATALOGUE.start({**state["form"], "moves": state["made"]}).state() == state
    with pytest.raises(LayeredPagingError):
        CATALOGUE.start({**form, "moves": [*state["made"], -1]})


def ratios(id: str) -> list[float]:
    """Return the final ratios of a scene's one or two policies."""
    scene = next(scene for scene in SCENES if scene.id == id)
    film = CATALOGUE.start(scene.form).film
    runs = [film] if film.beside is None else [film, film.beside]
    return [run.frames[-1].faults / run.frames[-1].optimum for run in runs]


def test_the_scenes_show_what_they_say() -> None:
    assert ratios("lru-cycle")[0] > 2.7
    assert ratios("lower-bound")[0] >= 3
    llru, lru = ratios("llru-beaten")
    assert llru > 7 > lru
    lru, zrc = ratios("zrc-holds")
    assert lru > 2.8 > 2 >= zrc
    anomaly = CATALOGUE.start(next(scene.form for scene in SCENES if scene.id == "anomaly")).film
    assert anomaly.beside is not None
    assert (anomaly.frames[-1].faults, anomaly.beside.frames[-1].faults) == (9, 10)
    assert max(ratios("experts")) < 2
    for game in ("be-adversary", "be-algorithm"):
        assert not CATALOGUE.start(next(scene.form for scene in SCENES if scene.id == game)).over


BROKEN: list[dict[str, Any]] = [
    {"mode": "cheat"},
    {"mode": ["watch"]},
    {"policy": None},
    {"policy": {"a": 1}},
    {"policy": "x" * 300},
    {"layers": "2"},
    {"layers": 2.0},
    {"layers": True},
    {"layers": None},
    {"rounds": [1]},
    {"extra": 1},
    {"source": "file:/etc/passwd"},
    {"source": 7},
    {"moves": 3},
    {"moves": [1.5]},
    {"moves": [True]},
    {"moves": [0] * 500},
    {"beside": 4},
    {"beside_cache": "3"},
    {"source": "workload:zipf", "parameters": [1]},
    {"source": "workload:zipf", "parameters": {"alpha": "1"}},
    {"source": "workload:zipf", "parameters": {"alpha": 10**400}},
    {"source": "workload:zipf", "parameters": {str(key): 1 for key in range(30)}},
]
OUT_OF_RANGE: list[dict[str, Any]] = [
    {"policy": "os:system"},
    {"policy": "partitioned:policy=os:system"},
    {"policy": "nobody"},
    {"beside": "os:system"},
    {"beside_cache": 10**9},
    {"moves": [0]},
    {"layers": 0},
    {"layers": 10**30},
    {"pages": 10**9},
    {"cache": -1},
    {"cache": 10**400},
    {"rounds": 10**6},
    {"seed": -1},
    {"seed": 2**63},
    {"layers": 32, "pages": 256},
    {"cache": 6},
    {"source": "construction:nothing"},
    {"source": "construction:" + "x" * 150},
    {"source": "workload:nothing"},
    {"source": "trace:/etc/passwd"},
    {"source": "workload:zipf", "parameters": {"beta": 1}},
    {"source": "workload:zipf", "parameters": {"alpha": -5}},
    {"source": "construction:uniform-spread", "layers": 32, "pages": 8, "cache": 255},
]


@pytest.mark.parametrize("change", BROKEN)
def test_a_form_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FormError) as refusal:
        CATALOGUE.start({**WATCH, **change})
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("change", OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(LayeredPagingError) as refusal:
        CATALOGUE.start({**WATCH, **change})
    assert not isinstance(refusal.value, FormError)
    assert len(str(refusal.value)) < 1000


def test_policies_that_can_never_serve_here_are_not_offered() -> None:
    assert set(registered_policies()) - set(CATALOGUE.names) == {"pinned", "admit"}


def test_a_policy_named_by_the_page_is_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_by_a_page.py").write_text("from paging.policies.recency import LRU as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("imported_by_a_page:Mine", "partitioned:policy=imported_by_a_page:Mine"):
        with pytest.raises(LayeredPagingError, match="unknown policy"):
            CATALOGUE.start({**ADVERSARY, "policy": name})
    assert "imported_by_a_page" not in sys.modules


@pytest.mark.parametrize(
    "goal", ["1", "0.5", "-2", "1e9", "3/0", "1/3", "٣/٢x", "٢", "2.٥", "", "9" * 50, "1e99999999", "nan"]
)
def test_a_goal_is_a_small_ratio_above_one(goal: str) -> None:
    with pytest.raises(ModelError, match="a ratio above 1"):
        CATALOGUE.start({**ADVERSARY, "goal": goal})


@pytest.mark.parametrize("data", [None, [], 7, "watch", {}, {"mode": "watch"}])
def test_what_is_no_form_is_refused(data: object) -> None:
    with pytest.raises(FormError):
        CATALOGUE.start(data)


# Store


def test_games_are_kept_apart_and_the_longest_idle_one_makes_room() -> None:
    store = Store(room=2)
    first, second = (store.add(CATALOGUE.start(ADVERSARY))["id"] for _ in range(2))
    store.move(first, 1, 0)
    assert [store.state(name)["moves"] for name in (second, first)] == [0, 1]
    third = store.add(CATALOGUE.start(ADVERSARY))["id"]  # the second one was used before the first
    assert len(store) == 2
    assert store.state(first)["moves"] == 1
    assert store.state(third)["moves"] == 0
    with pytest.raises(UnknownGameError, match="keeps the 2 games used last"):
        store.state(second)


def test_names_of_games_are_long_and_new() -> None:
    store = Store()
    names = {store.add(CATALOGUE.start(ALGORITHM))["id"] for _ in range(20)}
    assert len(names) == 20
    assert min(map(len, names)) >= 22  # 128 bits


def test_docs_list_every_scene_and_opponent() -> None:
    """When they are out of date: make tables."""
    page = (Path(__file__).parents[2] / "docs" / "play.md").read_text(encoding="utf-8")
    assert (block(page, "scenes"), block(page, "opponents")) == (scenes_table(), opponents_table())
