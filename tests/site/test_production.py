"""The table of docs/production.md: what policies save on the recorded traces, and their exact ratios."""

from __future__ import annotations

from pathlib import Path

import pytest

from paging import LayeredInstance, Session, farthest_in_future, get_policy, read_trace, simulate
from paging.markdown import block
from paging.numbers import exact_text
from proofs.bounds.registry import BOUNDS
from proofs.ratio.deterministic import exact_ratio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "production.md"
TRACES = ("mixtral-8x7b-instruct-fp8", "granite-3.0-1b-a400m", "switch-base-8_encoder", "gpt-oss-20b_mixed")
SHAPES = (LayeredInstance(1, 4, 3), LayeredInstance(2, 3, 3))


def table() -> dict[str, list[str]]:
    lines = block(PAGE.read_text(encoding="utf-8"), "production").splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name.strip("`"): cells for name, *cells in rows}


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(TRACES)))
def test_savings_are_those_of_the_traces(place: int, trace_files: list[Path]) -> None:
    trace = read_trace(next(path for path in trace_files if path.stem == TRACES[place]))
    sequence = trace.sequence(trace.instance.total_pages // 4)
    lru = simulate("lru", sequence).faults
    for name, cells in table().items():
        faults = (farthest_in_future(sequence) if name == "opt" else simulate(name, sequence)).faults
        assert f"{100 * (lru - faults) / lru:+.1f}".replace("+0.0", "0.0") == cells[place], name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in table() if name not in ("opt", "sieve", "s3-fifo")])
def test_exact_ratios_of_the_table(name: str) -> None:
    stated = table()[name][len(TRACES)]
    assert (stated == "–") == ("finite-state" not in get_policy(name).traits)
    if stated == "–":
        return
    found = [exact_ratio(name, shape).lower for shape in SHAPES]
    assert "; ".join("unbounded" if r == float("inf") else str(r) for r in found) == stated


def test_bounds_of_the_table_speak_of_their_policies() -> None:
    for name, cells in table().items():
        for quoted in cells[-1].split("`")[1::2]:
            assert name in BOUNDS[quoted].policies or BOUNDS[quoted].subject.includes(get_policy(name)), (
                quoted
            )


def test_the_cycle_of_class_lru_returns() -> None:
    session, labels = Session("class-lru", LayeredInstance(1, 3, 2)), []
    for _ in range(5):
        before = session.faults
        for page in [0] * 1000 + [1, 2] * 20:
            session.serve(page)
        labels.append((session.faults - before, session.labels.tolist()))
    assert labels[-1] == labels[-2]
    assert labels[-1][0] == 19


@pytest.mark.slow
def test_the_ratios_of_atomic_visits_are_those_of_the_page() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Atomic visits")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    rows = [row for row in rows if len(row) == 5 and row[0].startswith("`")]
    assert len(rows) == 14
    instance = LayeredInstance(1, 4, 3, per_visit=2, visits="atomic")
    for names, _, together, *_ in rows:
        for name in names.replace("`", "").split(", "):
            found = exact_ratio(name, instance).ratio
            assert exact_text(found) == together, name
