"""Visits with fewer than g pages: which layer a request belongs to, and who can serve them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp import optimum
from lp.certificate import optimum_certificate
from paging import (
    IllegalSequenceError,
    LayeredInstance,
    ModelError,
    RequestSequence,
    UnsupportedModelError,
    expected_faults,
    farthest_in_future,
    simulate,
)
from paging.policy import registered_policies
from paging.viewer.film import film_of
from paging.viewer.timeline import cache_timeline

PAIRS = LayeredInstance(layers=2, pages=3, cache=3, per_visit=2)

# Visits {0.0 0.1} {1.1} {0.2} {1.0 1.1}: six requests, of which the second token's layer 0 and the first
# token's layer 1 ask for one page only.
SHORT = RequestSequence(PAIRS, [0, 1, 4, 2, 3, 4], places=[0, 1, 2, 4, 6, 7])


def test_requests_know_their_visit_by_place() -> None:
    assert SHORT.visits.tolist() == [0, 0, 1, 2, 3, 3]
    assert SHORT.visit_layers.tolist() == [0, 0, 1, 0, 1, 1]
    assert SHORT.slots.tolist() == [0, 1, 2, 0, 2, 3]
    assert [SHORT.requests_of_rounds(rounds) for rounds in (0, 1, 2, 9)] == [0, 3, 6, 6]
    alone = SHORT.of_layer(1, 2)
    assert (alone.requests.tolist(), alone.visits.tolist()) == ([1, 0, 1], [0, 1, 1])
    assert SHORT.prefix(4).visits.tolist() == [0, 0, 1, 2]
    assert SHORT.with_cache(2).visits.tolist() == SHORT.visits.tolist()


def test_requests_of_a_visit_take_its_first_places() -> None:
    late = RequestSequence(PAIRS, [0, 1, 4, 2, 3, 4], places=[0, 1, 3, 5, 6, 7])
    assert late == SHORT
    assert RequestSequence(PAIRS, [0, 1, 3, 4], places=[0, 1, 2, 3]).places is None


@pytest.mark.parametrize(
    ("requests", "places", "problem"),
    [
        ([0, 3], [0, 0], "strictly increasing"),
        ([0, 3], [-1, 2], "≥ 0 and strictly"),
        ([0, 3], [0], "2 integers, one for each"),
        ([0, 3], [0.0, 2.0], "2 integers"),
        ([0, 3], [0, 4], "request 1: page 3 is in layer 1, but layer 0 is served"),
        ([0, 0], [0, 1], "request 1: page 0 comes twice in visit 0"),
    ],
)
def test_wrong_places_are_refused(requests: list[int], places: list[float], problem: str) -> None:
    with pytest.raises(IllegalSequenceError, match=problem):
        RequestSequence(PAIRS, requests, places)


def test_what_cannot_serve_them_refuses_by_name() -> None:
    atomic = LayeredInstance(layers=2, pages=3, cache=3, per_visit=2, visits="atomic")
    with pytest.raises(UnsupportedModelError, match="atomic visits must all ask for g pages"):
        RequestSequence(atomic, SHORT.requests, SHORT.places)
    run = simulate("lru", SHORT)
    with pytest.raises(UnsupportedModelError, match="a film needs full visits of g = 2 pages"):
        film_of(run)
    with pytest.raises(UnsupportedModelError, match="a certificate needs full visits"):
        optimum_certificate(optimum(SHORT))


@pytest.mark.parametrize("policy", ["llru", "llru-lazy", "llru-token", "partitioned:policy=llru"])
def test_a_policy_that_counts_visits_refuses_empty_ones(policy: str) -> None:
    skipping = RequestSequence(PAIRS, [0, 1, 2], places=[0, 1, 4])
    with pytest.raises(UnsupportedModelError, match=re.escape(f"policy {policy}, which counts visits")):
        simulate(policy, skipping)
    with pytest.raises(UnsupportedModelError, match="counts visits"):
        expected_faults(policy, skipping)
    assert simulate(policy, SHORT).faults <= 6


@st.composite
def short_sequences(draw: st.DrawFn) -> RequestSequence:
    requests, places = [], []
    for visit in range(draw(st.integers(1, 8))):
        order = draw(st.permutations(range(3)))
        for slot, expert in enumerate(order[: draw(st.integers(1, 2))]):
            requests.append(3 * (visit % 2) + expert)
            places.append(2 * visit + slot)
    return RequestSequence(PAIRS, requests, places)


@given(sequence=short_sequences())
def test_every_engine_and_policy_serves_them_alike(sequence: RequestSequence) -> None:
    best = farthest_in_future(sequence).faults
    assert optimum(sequence).upper == best
    # Who does not look at slots sees the same requests as in classical paging.
    classical = RequestSequence(LayeredInstance(1, 6, 3), sequence.requests)
    assert simulate("lru", sequence).faults == simulate("lru", classical).faults
    for policy in registered_policies():
        if policy not in ("game-optimal", "random", "mark", "equitable", "online-min"):
            try:
                faults = simulate(policy, sequence).faults
                assert faults == simulate(policy, sequence, engine="labels").faults >= best
            except UnsupportedModelError:
                continue


def test_llru_counts_its_ages_in_visits() -> None:
    # k = 3, visits {0.0 0.1} {1.0} {0.0} {1.1}: at 1.1 the candidates are 0.1 (three visits ago, next in
    # one), 0.0 (one ago) and 1.0 (two ago, next in two visits): ages 4/2, 2/2 and 4/2, and of the two oldest
    # 1.0 comes up furthest ahead.
    sequence = RequestSequence(PAIRS, [0, 1, 3, 0, 4], places=[0, 1, 2, 4, 6])
    for engine in ("auto", "labels", "compiled"):
        run = simulate("llru", sequence, record=True, engine=engine)  # type: ignore[arg-type]
        assert run.entries is not None
        assert run.entries.tolist()[-1] == 3


def test_the_timeline_shows_the_layers_of_short_visits() -> None:
    assert "layer  001011" in cache_timeline("lru", SHORT)


def test_names_are_for_display_only() -> None:
    named = LayeredInstance(1, 3, 2, names=("x", 5000000000, "z"))
    assert [named.page_name(page) for page in range(3)] == ["x", "5000000000", "z"]
    assert named == LayeredInstance(1, 3, 2)
    assert named.with_cache(1).page_name(0) == "x"
    assert "names" not in named.plain
    sequence = RequestSequence(named, np.array([0, 1, 2]))
    assert "5000000000  " in cache_timeline("lru", sequence)
    with pytest.raises(ModelError, match="names must name all 3 pages, got 2"):
        LayeredInstance(1, 3, 2, names=("x", "y"))
