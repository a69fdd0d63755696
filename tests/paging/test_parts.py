"""Requests that come in parts: the same schedule as all at once, in memory that does not grow with them."""

from __future__ import annotations

import functools
import json
from itertools import product

import numpy as np
import pytest

from paging import (
    LayeredInstance,
    RequestSequence,
    WorkFunction,
    farthest_in_future,
    registered_policies,
    simulate,
)
from paging.cli.main import run
from paging.compare import moments_of
from paging.kernels import optimum, parts
from paging.policy import get_policy

IN_PARTS = [
    name
    for name, policy in registered_policies().items()
    if policy().parts(LayeredInstance(1, 2, 1), np.random.default_rng(0)) is not None
]


def drawn(instance: LayeredInstance, length: int, steep: float, rng: np.random.Generator) -> RequestSequence:
    """Requests by a power law; in the middle a few pages alone, so that others are idle for rounds."""
    requests: list[int] = []
    while len(requests) < length:
        layer = len(requests) // instance.per_visit % instance.layers
        own = np.array(instance.pages_of(layer))
        if length / 3 < len(requests) < length / 2:
            own = own[: instance.per_visit]
        law = np.arange(1.0, len(own) + 1) ** -steep
        requests += rng.choice(own, instance.per_visit, replace=False, p=law / law.sum()).tolist()
    return RequestSequence(instance, requests)


def in_parts(name: str, sequence: RequestSequence, size: int) -> tuple[int, list[int]]:
    at_work = get_policy(name).parts(sequence.instance, np.random.default_rng(0))
    assert at_work is not None
    entries = np.zeros(len(sequence), dtype=np.int32)
    for start in range(0, len(sequence), size):
        at_work.serve(sequence.requests[start : start + size], entries[start : start + size])
    return at_work.faults, entries.tolist()


def test_the_policies_asked_for_take_parts() -> None:
    asked = {"lru", "fifo", "clock", "lfu", "llru", "llru-lazy", "llru-token", "zrc", "mark"}
    assert asked | {"mark-lru", "mark-fifo", "mark-layer"} <= set(IN_PARTS)


@functools.cache
def small_cases() -> list[RequestSequence]:
    """Requests that every policy serves in parts and as a whole."""
    rng = np.random.default_rng(5)
    shapes = [((4,), 3, 1), ((3, 5, 4), 4, 1), ((3, 5, 4), 7, 2), ((6, 6), 9, 3), ((2, 2, 2, 2), 3, 1)]
    return [
        drawn(LayeredInstance(len(pages), pages, slots, group), 300, steep, rng)
        for (pages, slots, group), steep in product(shapes, (0.0, 1.5))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_PARTS)
def test_parts_give_the_schedule_of_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "WINDOW", 50)
    for sequence in small_cases():
        engine = "labels" if name in ("zrc", "far-lab") else "auto"
        whole = simulate(name, sequence, record=True, engine=engine)  # type: ignore[arg-type]
        assert whole.entries is not None
        for size in (1, 7, 4096):
            assert in_parts(name, sequence, size) == (whole.faults, whole.entries.tolist()), (
                sequence.instance,
                size,
            )


@pytest.mark.slow
def test_zrc_evicts_as_defined_on_all_small_sequences() -> None:
    for layers, pages, cache, length in ((1, 4, 2, 6), (1, 4, 3, 5), (2, 2, 2, 8), (2, 2, 3, 8)):
        instance = LayeredInstance(layers, pages, cache)
        for choice in product(range(pages), repeat=length):
            requests = [pages * (t % layers) + page for t, page in enumerate(choice)]
            sequence = RequestSequence(instance, requests)
            fast, defined = (
                simulate("zrc", sequence, record=True, engine=engine) for engine in ("kernel", "labels")
            )
            assert fast.entries is not None
            assert defined.entries is not None
            assert fast.entries.tolist() == defined.entries.tolist(), (instance, requests)


@pytest.mark.slow
def test_zrc_evicts_as_defined_on_long_runs() -> None:
    rng = np.random.default_rng(2)
    for pages, cache, steep in (
        ((40,), 12, 0.8), ((9, 20, 4, 7), 13, 0.5), ((5,) * 9, 11, 1.2), ((30, 30), 59, 0.0),
    ):  # fmt: skip
        sequence = drawn(LayeredInstance(len(pages), pages, cache), 3000, steep, rng)
        fast, defined = (
            simulate("zrc", sequence, record=True, engine=engine) for engine in ("kernel", "compiled")
        )
        assert fast.entries is not None
        assert defined.entries is not None
        assert fast.entries.tolist() == defined.entries.tolist(), pages


@pytest.mark.slow
def test_opt_so_far_is_the_work_function_and_the_optimum_of_every_prefix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "WINDOW", 40)
    rng = np.random.default_rng(1)
    for pages, cache in (((5,), 1), ((6,), 4), ((3, 4, 5), 5), ((3, 3), 9)):
        instance = LayeredInstance(len(pages), pages, cache)
        sequence = drawn(instance, 200, 0.5, rng)
        so_far, work = parts.OptSoFar(instance), WorkFunction(instance)
        increments, whole = np.zeros((2, len(sequence)), dtype=np.int32)
        for start in range(0, len(sequence), 7):
            so_far.serve(sequence.requests[start : start + 7], increments[start : start + 7])
            for page in sequence.requests[start : start + 7].tolist():
                work.serve(page)
            assert tuple(so_far.labels.tolist()) == work.labels
            assert so_far.cost == work.cost
        optimum(sequence.requests, instance.total_pages, cache, whole, False)
        assert increments.tolist() == whole.tolist()


def test_moments_are_prefixes() -> None:
    rng = np.random.default_rng(4)
    instance = LayeredInstance(2, (4, 5), 3)
    sequence = drawn(instance, 50, 0.5, rng)
    found = moments_of(sequence, ["zrc", "mark"], seed=3, moments=7)
    assert [moment.requests for moment in found] == [7, 14, 21, 28, 35, 42, 50]
    for moment in found:
        prefix = sequence.prefix(moment.requests)
        assert moment.optimum == farthest_in_future(prefix).faults
        assert moment.faults == {
            name: simulate(name, prefix, record=True, seed=3).faults for name in ("zrc", "mark")
        }


def test_opt_so_far_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "zrc", "--requests", "0 1 2 0 1 2", "-k", "2", "--opt-so-far"]
    assert run(asked) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[-7:][0].split() == ["requests", "so", "far", "opt", "so", "far", "zrc", "zrc", "/", "opt"]
    assert shown[-1].split()[:3] == ["6", "4", "5"]  # page 2 is hit at the end
    assert run([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["so_far"][-1] == {
        "requests": 6,
        "optimum": 4,
        "faults": {"zrc": 5},
    }
