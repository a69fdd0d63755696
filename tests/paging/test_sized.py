"""Caches counted in bytes, and the bytes that traces state."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paging import (
    LayeredInstance,
    ModelError,
    RequestSequence,
    Trace,
    TraceError,
    TraceReading,
    UnknownNameError,
    read_trace,
    serve_sized,
    simulate,
)
from paging.cli.main import run
from paging.sized import RULES
from paging.testing import sequences


def by_the_book(name, sequence, sizes, capacity):
    """The rules again with a dictionary, looking at every cached page; the hits."""
    rule, weights = RULES[name], sequence.instance.frame.weights.tolist()
    scale = 1 if sequence.instance.weights is None else sequence.instance.weights.scale
    cached, rent, hits = {}, 0.0, []
    for time, page in enumerate(sequence):
        hits.append(page in cached)
        uses = cached[page][2] + 1 if hits[-1] else 1
        density = weights[page] / scale / sizes[page] if rule.weighs else 0.0
        if hits[-1] and not rule.renews:
            continue
        if not hits[-1]:
            if sizes[page] > capacity:
                continue
            while sum(sizes[q] for q in cached) + sizes[page] > capacity:
                left = min(cached, key=cached.__getitem__)
                rent = cached.pop(left)[0]
        cached[page] = (rent + density * (uses if rule.counts else 1), time, uses)
    return hits


@given(
    sequences(layers=(1, 2), pages=(2, 5), length=(1, 60)),
    st.lists(st.integers(1, 7), min_size=10, max_size=10),
    st.lists(st.integers(1, 5), min_size=10, max_size=10),
    st.integers(1, 20),
)
def test_the_rules_by_the_book(sequence, sizes, weights, capacity):
    pages = sequence.instance.total_pages
    weighted = sequence.with_weights(weights[:pages])
    for rule in RULES:
        served = serve_sized(rule, weighted, sizes[:pages], capacity)
        assert served.hits.tolist() == by_the_book(rule, weighted, sizes, capacity)
        assert served.most <= capacity
        missed = [page for page, hit in zip(sequence, served.hits, strict=True) if not hit]
        assert served.cost == sum(
            weighted.instance.weights[p] if weighted.instance.weights else 1 for p in missed
        )
        assert served.bytes_loaded == sum(sizes[page] for page in missed)


@given(sequences(layers=(1, 2), pages=(2, 5), cache=(1, 6), length=60), st.sampled_from([1, 2, 4]))
def test_pages_of_one_size_are_paging(sequence, size):
    sizes, capacity = [size] * sequence.instance.total_pages, size * sequence.instance.cache + size - 1
    weighted = sequence.with_weights([1 + page % 3 for page in range(len(sizes))])
    for rule, policy in (("greedy-dual-size", "landlord"), ("lru", "lru"), ("fifo", "fifo")):
        assert serve_sized(rule, weighted, sizes, capacity).cost == simulate(policy, weighted).cost


def test_wrong_sizes_are_refused():
    sequence = RequestSequence(LayeredInstance(1, 3, 1), [0, 1, 2])
    with pytest.raises(UnknownNameError, match="rule 'lifo'"):
        serve_sized("lifo", sequence, [1, 1, 1], 2)
    for sizes in ([1, 2], [1, 2, 0], [1, 2, 1.5], [1, 2, 2**61]):
        with pytest.raises(ModelError):
            serve_sized("lru", sequence, sizes, 2)
    with pytest.raises(ModelError, match="capacity"):
        serve_sized("lru", sequence, [1, 1, 1], 0)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, None),
        ({"expert_bytes": 7}, (7, 7, 7)),
        ({"expert_bytes": [7, 2]}, (7, 7, 2)),
        ({"expert_bytes": [[7, 8], [2]]}, (7, 8, 2)),
        ({"page_bytes": [1, 2, 3]}, (1, 2, 3)),
    ],
)
def test_bytes_of_a_trace(metadata, expected):
    assert Trace([0, 2], 2, (2, 1), metadata=metadata).page_bytes == expected


@pytest.mark.parametrize("stated", [[7], [7, 2, 3], [7, 0], [7, True], "7", [[7], [2]], [7, [2, 3]]])
def test_bytes_that_do_not_fit_are_refused(stated):
    with pytest.raises(TraceError, match="whole numbers ≥ 1 for all 3 pages"):
        _ = Trace([0, 2], 2, (2, 1), metadata={"expert_bytes": stated}).page_bytes


@pytest.fixture
def oracle(tmp_path):
    """Objects of 10, 20 and 30 bytes: 5, 9, 5, 7, 9, 5."""
    path = tmp_path / "web.oracleGeneral"
    size = {5: 10, 9: 20, 7: 30}
    path.write_bytes(
        b"".join(struct.pack("<IQIq", t, p, size[p], -1) for t, p in enumerate([5, 9, 5, 7, 9, 5]))
    )
    return path


def test_sizes_of_objects_are_kept_where_they_differ(oracle):
    trace = read_trace(oracle, TraceReading(ignore_sizes=True))
    assert trace.page_bytes == (10, 20, 30)
    with pytest.raises(TraceError, match="ignore-sizes"):
        read_trace(oracle)


def test_a_route_trace_states_bytes_per_layer(tmp_path):
    path = tmp_path / "route.csv"
    rows = ["0,1,0,0,0,1", "0,1,0,1,0,0", "0,1,1,0,0,0", "0,1,1,1,0,1"]
    head = "# route_trace v1\n# n_layer=2 n_expert=2 n_expert_used=1\n# layer=0 expert_bytes=40\n"
    text = "# layer=1 expert_bytes=10\nturn,phase,step,layer,slot,expert\n" + "\n".join(rows) + "\n"
    path.write_text(head + text)
    reading = TraceReading(format="route_trace")
    assert read_trace(path, reading).page_bytes == (40, 40, 10, 10)
    path.write_text(head + text.partition("\n")[2])
    with pytest.raises(TraceError, match="for all 4 pages"):  # one layer says nothing
        _ = read_trace(path, reading).page_bytes


def test_weights_are_bytes_on_the_command_line(oracle, capsys):
    here = ("--trace", str(oracle), "--ignore-sizes")
    assert run(["run", "landlord", *here, "-k", "2", "--weights", "bytes", "--json"]) == 0
    rows = {row["policy"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["compulsory"]["cost"] == 60
    assert rows["opt"]["cost"] == 70  # 5 leaves for 7, and comes again for 10
    assert run(["sized", *here, "--sizes", "bytes", "--capacity", "40", "--weights", "bytes", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert all(row["cost"] == row["bytes_loaded"] >= 60 for row in shown["rows"])
    assert run(["sized", "lru", *here, "--sizes", "bytes", "--capacity", "15", "--json"]) == 0
    told = capsys.readouterr()
    assert "2 of the pages requested are larger than 15 bytes: they are never cached" in told.err
    assert json.loads(told.out)["rows"][0]["faults"] == 4  # 5 is hit twice, 9 and 7 never
    assert run(["run", "lru", "--requests", "0 1 0", "-k", "1", "--weights", "bytes"]) == 2
    assert "takes the bytes of pages from a --trace" in capsys.readouterr().err
    assert run(["sized", "--requests", "0 1 0", "--sizes", "page:1,1/2", "--capacity", "4"]) == 2
    assert "whole numbers of bytes" in capsys.readouterr().err
