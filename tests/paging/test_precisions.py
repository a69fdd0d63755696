"""Gate weights in traces, experts in two precisions, and HOBBIT's cache for them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paging import (
    LayeredInstance,
    RequestSequence,
    TraceError,
    UnsupportedModelError,
    generate,
    get_policy,
    simulate,
)
from paging.cli.main import run as paging_run
from paging.model import HIT
from paging.traces import Trace, read_trace, trace_info, two_precisions, write_trace

RNG = np.random.default_rng(5)
EXPERTS = RNG.random((40, 3, 6)).argsort(axis=2)[:, :, :3].astype(np.int32)
GATES = RNG.dirichlet([0.6] * 3, (40, 3)).astype(np.float32)
TRACE = Trace.from_experts(EXPERTS, pages=6, seq_id=np.arange(40) // 8, gate_weights=GATES)


@pytest.mark.parametrize("suffix", [".npz", ".jsonl", ".jsonl.gz"])
def test_gate_weights_are_kept(suffix: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / "b.jsonl"
    write_trace(TRACE, first)
    assert paging_run(["trace", "convert", str(first), str(second)]) == 0
    for path in (first, second):
        again = read_trace(path)
        assert again.digest == TRACE.digest
        np.testing.assert_array_equal(again.gate_weights, GATES.ravel())
        assert trace_info(again)["gate_weights"]
    part = read_trace(first, sequences=(1, 3), drop_layers=(1,))
    kept = np.isin(np.arange(40) // 8, (1, 3))
    np.testing.assert_array_equal(part.gate_weights, GATES[kept][:, [0, 2]].ravel())


def test_slots_without_a_request_have_no_weight(tmp_path: Path) -> None:
    experts, gates = EXPERTS.copy(), GATES.copy()
    experts[3] = -1
    experts[5, 1, 2] = -1
    gates[3], gates[5, 1, 2] = np.nan, -1
    trace = Trace.from_experts(experts, gate_weights=gates)
    assert trace.requests == 40 * 9 - 10 == len(trace.gate_weights)
    write_trace(trace, tmp_path / "t.npz")
    again = read_trace(tmp_path / "t.npz")
    np.testing.assert_array_equal(again.gate_weights, trace.gate_weights)
    assert again.gate_weights_of(0, 9 * 39).reshape(39, 3, 3)[4, 1, 2] == 0


def test_weights_of_other_programs(tmp_path: Path) -> None:
    visit = {"topk_ids": [2, 0], "topk_weights": [0.7, 1]}
    rows = [{"token": t, "layer_idx": j, **visit} for t in (0, 1) for j in (0, 1)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "b.csv").write_text("token,layer,expert,weight\n0,0,2,0.7\n0,0,0,1\n1,0,2,7e-1\n1,0,0,1\n")
    route = "# route_trace v1\nturn,phase,step,layer,slot,expert,weight\n0,1,0,0,0,2,0.7\n0,1,0,0,1,0,1\n"
    (tmp_path / "c.csv").write_text(route)
    for name, form in {"a.jsonl": "visits", "b.csv": "layer-expert", "c.csv": "route_trace"}.items():
        found = read_trace(tmp_path / name, format=form).gate_weights
        assert found is not None
        assert found.tolist()[:2] == [np.float32(0.7), 1]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"weights": [[0.5, -0.5]]}, "line 2: a gate weight must be a finite number ≥ 0, got -0.5"),
        ({"weights": [[0.5, float("nan")]]}, "line 2: a gate weight must be a finite number"),
        ({"weights": [[0.5, True]]}, "line 2: a gate weight must be a finite number"),
        ({"weights": [[0.5]]}, 'line 2: "weights" must have 1 layers, each a list of 2 numbers'),
        ({"weights": 1}, '"weights" must be of type list'),
        ({"weights": [[0.5, 1e300]]}, "request 3 .token 1, layer 0, slot 1.: a gate weight must be"),
        ({}, 'either every record has "weights" or none'),
    ],
)
def test_wrong_gate_weights_are_refused(record: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [{"experts": [[0, 1]], "weights": [[0.5, 0.5]]}, {"experts": [[0, 1]], **record}]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(TraceError, match=said):
        read_trace(path)


def test_gate_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", experts=EXPERTS, weights=GATES[:, :, :2])
    with pytest.raises(TraceError, match=r"shape \(40, 3, 2\) do not fit experts of shape \(40, 3, 3\)"):
        read_trace(tmp_path / "t.npz")
    with pytest.raises(TraceError, match="one for each of the 4 requests"):
        Trace([0, 1, 0, 1], 1, 2, gate_weights=[1.0])


def asked(experts: list[int], gates: list[float], high: float, low: float, count: int) -> list[int]:
    """One visit by the rule in words: in what precision each expert is asked for, as pages."""
    pages = []
    for expert, gate in zip(experts, gates, strict=True):
        above = sum(other for other in gates if other > gate) / sum(gates)
        if above <= low:
            pages.append(expert if above <= high else expert + count)
    return pages


@pytest.mark.parametrize(("high", "low"), [("3/5", "9/10"), ("0", "1/2"), ("1", "1"), ("1/4", "1/4")])
def test_precisions_by_importance(high: str, low: str) -> None:
    both = two_precisions(TRACE, Fraction(high), Fraction(low))
    found = [[[int(p) for p in visit if p >= 0] for visit in token] for token in both.experts]
    expected = [
        [asked(*visit, float(Fraction(high)), float(Fraction(low)), 6) for visit in zip(*token, strict=True)]
        for token in zip(EXPERTS.tolist(), GATES.astype(float).tolist(), strict=True)
    ]
    assert found == expected
    assert both.pages == 12
    assert f"{both.requests / TRACE.requests:.1%}"[:2].isdigit()


def test_precisions_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "a.npz", tmp_path / "b.npz"
    write_trace(TRACE, source)
    assert paging_run(["trace", "convert", str(source), str(target), "--precisions", "0.6,9/10"]) == 0
    assert read_trace(target).digest == two_precisions(TRACE).digest
    assert "by precision" in capsys.readouterr().err
    for file, told in ((source, True), (target, False)):
        assert paging_run(["run", "hobbit:low=3", "lru", "--trace", str(file), "-k", "9"]) == 0
        assert ("the requests do not say that they are in two precisions" in capsys.readouterr().err) is told
    command = ["run", "hobbit:low=3", "lru", "--trace", str(source), "--precisions", "0.6,0.9", "-k", "9"]
    assert paging_run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["precisions"] == ["3/5", "9/10"]
    for limits in ("0.6", "0.9,0.6", "a,b", "nan,1", "1/0,1"):
        assert paging_run([*command[:-3], limits, "-k", "9"]) == 2
        assert "is no pair of limits" in capsys.readouterr().err
    write_trace(Trace.from_experts(EXPERTS), source)
    assert paging_run(command) == 2
    assert "two precisions need gate weights" in capsys.readouterr().err


def two_caches(sequence: RequestSequence, low: int, worth: Any) -> int:
    """Faults of two caches, one a precision: the rule in words, with ``worth`` of an expert."""
    instance = sequence.instance
    count = instance.pages_by_layer[0] // 2
    caches: tuple[list[int], list[int]] = ([], [])
    last: dict[tuple[int, int], int] = {}
    uses: dict[tuple[int, int], list[int]] = {}
    page_last: dict[int, int] = {}
    faults = 0
    for page, visit in zip(sequence, sequence.visits.tolist(), strict=True):
        token, layer = divmod(visit, instance.layers)
        cheap = (page - instance.pages_of(layer).start) // count
        cache, room = caches[cheap], (instance.cache - low, low)[cheap]

        def key(q: int, token: int = token, layer: int = layer) -> tuple[Any, ...]:
            own, place = instance.locate(q)
            expert = own, place % count
            ahead = (own - layer) % instance.layers
            here = ahead == 0 and page_last[q] == token
            counted = last[expert] + 1, sum(uses[expert]), uses[expert][0], token + 1
            value = worth(*counted, ahead, instance.layers)
            return here, value, last[expert], -ahead, q

        if page not in cache:
            faults += 1
            if len(cache) == room:
                cache.remove(min(cache, key=key))
            cache.append(page)
        expert = layer, (page - instance.pages_of(layer).start) % count
        last[expert] = page_last[page] = token
        uses.setdefault(expert, [0, 0])[cheap] += 1
    return faults


SUMS = {
    (1, 0, 0, 0): lambda last, uses, high, token, ahead, layers: last,
    (0, 0, 0, 1): lambda last, uses, high, token, ahead, layers: -ahead,
    (0, 0, 1, 0): lambda last, uses, high, token, ahead, layers: high,
    (2, 1, 3, 1): lambda last, uses, high, token, ahead, layers: (
        Fraction(2 * last + uses + 3 * high, token) + 1 - Fraction(ahead, layers)
    ),
}


@pytest.mark.parametrize("weights", SUMS)
@pytest.mark.parametrize("low", [1, 4])
def test_hobbit_with_two_caches(weights: tuple[int, ...], low: int) -> None:
    sequence = two_precisions(TRACE, low=Fraction(4, 5)).sequence(9)
    spec = f"hobbit:weights={'/'.join(map(str, weights))},low={low}"
    assert simulate(spec, sequence).faults == two_caches(sequence, low, SUMS[weights])


def test_one_precision_is_a_special_case() -> None:
    everything = two_precisions(TRACE, Fraction(1), Fraction(1)).sequence(9)
    for spec in ("1/0/0/0", "1/2/3/4"):
        run = simulate(f"hobbit:weights={spec},low=2", everything, record=True)
        alone = simulate(f"hobbit:weights={spec}", TRACE.sequence(7), record=True)
        np.testing.assert_array_equal(run.schedule.entries == HIT, alone.schedule.entries == HIT)


def test_hobbit_with_two_caches_wants_two_precisions() -> None:
    for instance in (LayeredInstance(2, 3, 4), LayeredInstance(2, 4, 2)):
        with pytest.raises(UnsupportedModelError, match="needs layers of experts in two precisions"):
            get_policy("hobbit:low=2").check(instance)


@pytest.mark.parametrize("source", ["--workload", "--sequence", "--trace"])
def test_two_precisions_that_nobody_asked_for_are_told(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = generate("zipf:requests=40", LayeredInstance(2, 4, 3))
    (tmp_path / "s.json").write_text(
        json.dumps({"instance": sequence.instance.plain, "requests": sequence.requests.tolist()})
    )
    write_trace(Trace.from_sequence(sequence), tmp_path / "t.npz")
    given = {
        "--workload": ("zipf:requests=40", "-l", "2", "-n", "4", "-k", "3"),
        "--sequence": (str(tmp_path / "s.json"),),
        "--trace": (str(tmp_path / "t.npz"), "-k", "3"),
    }
    asked = (source, *given[source])
    assert paging_run(["run", "hobbit:low=1", *asked]) == 0
    assert "takes the second half of every layer's pages for experts in low" in capsys.readouterr().err
    assert paging_run(["run", "hobbit", *asked]) == 0
    assert "second half" not in capsys.readouterr().err
