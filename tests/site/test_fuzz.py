"""Every public function, called with legal-looking nonsense: an error of ours or an answer."""

from __future__ import annotations

import inspect
import math
import os
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis.strategies import SearchStrategy

from adversary import Adversary, Construction, get_construction
from lp import Gaps, gaps_of
from paging import (
    LayeredInstance,
    LayeredPagingError,
    Policy,
    RequestSequence,
    Run,
    Trace,
    Weights,
    exact_weights,
    farthest_in_future,
    generate,
    registered_policies,
    simulate,
)
from paging.policies.recency import LRU

PACKAGES = ("paging", "adversary", "lp", "proofs", "paging.testing")
DATA = {
    "paging": "Entry Estimate Frame Mistake OfflineAlgorithm Page Predictor Run Step Trace "
    "Weights read_trace write_trace",
    "adversary": "Adversary Construction Promise RatioEstimate",
    "lp": "Dual Gaps Optimum Split",
    "proofs": "Bound",
    "paging.testing": "Finding Invariant Report",
}
"""What functions return, and whoever makes one by hand answers for; traces have tests of their own."""

COSTLY = ("examples",)
"""Parameters whose defaults mean more work than a call of this test may take."""

NONSENSE = (
    *(None, True, False, 0, 1, -1, 2, 3, 2**31, 2**63, -(10**30), 10**30, 10**400),
    *(1.5, 2.0, math.nan, math.inf, -math.inf, 1j, Fraction(1, 2), Decimal("NaN"), Decimal(2)),
    *("", "x", "ℓ", "lru ", "LRU", ":", ":X", ".x:Y", "a:b:c", "lru:x=1", "partitioned:shares=0/1", "\0"),
    *(
        "mark:",
        "partitioned:policy=partitioned",
        "partitioned:policy=:",
        "zipf:rounds=2,alpha=nan",
        "uniform:",
    ),
    *("zipf:alpha=x,rounds=1", "uniform:rounds=1e9", "uniform:requests=-1", b"lru", bytearray(b"1")),
    *((), [], {}, set(), [0], [0, 1, 0], (1, -1), [[0], [1, 2]], [None], ["0"], [0.5], {"a": 1}, range(3)),
    *(object(), object, int, LRU, Policy, len, np.int8(1), np.uint64(2**63), np.float32(2), np.bool_(True)),
    *(np.str_("lru"), np.array(3), np.array([1, 2]), np.array([]), np.array([1.5]), np.array(["0"])),
    *(np.datetime64("2020-01-01"), np.timedelta64(1), np.array([None]), np.array([2**63], dtype=np.uint64)),
)


def public() -> dict[str, Callable[..., Any]]:
    """Return every public function and every class that users make objects of, by full name."""
    found = {}
    for package in PACKAGES:
        module = import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            error = isinstance(thing, type) and issubclass(thing, Exception)
            if callable(thing) and not error and name not in DATA[package].split():
                found[f"{package}.{name}"] = thing
    return found


PUBLIC = public()


def instances() -> list[LayeredInstance]:
    return [
        LayeredInstance(1, 3, 2),
        LayeredInstance(1, 3, 1, bypassing=True),
        LayeredInstance(2, 2, 3),
        LayeredInstance(2, (2, 3), 9),
        LayeredInstance(2, 3, 4, per_visit=2),
        LayeredInstance(2, 3, 4, per_visit=2, visits="atomic"),
    ]


class Values:
    """Draws arguments: legal ones by annotation, or nonsense."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        sequences = [generate("uniform", i, rounds=6) for i in instances()]
        sequences += [RequestSequence(i, []) for i in instances()]
        served = [s for s in sequences if s.instance.visits == "sequential"]
        built = [get_construction(name)(rounds=8) for name in ("cyclic", "missing-page")]
        weights = exact_weights([1, 2, "1/3"])
        self.legal: dict[Any, Sequence[Any]] = {
            LayeredInstance: instances(),
            RequestSequence: sequences,
            Run: [simulate("lru", s, record=record) for s in served for record in (False, True)]
            + [farthest_in_future(s, record=True) for s in served],
            Policy: [LRU()],
            Trace: [Trace.from_sequence(sequences[2])],
            Construction: built,
            Adversary: [get_construction("cyclic"), get_construction("uniform")],
            Weights: [weights],
            Gaps: [gaps_of(sequences[0]), gaps_of(sequences[2], None, (1, 1))],
            int: [0, 1, 2, 3],
            float: [0.5, 1.0, 2],
            bool: [True, False],
            str: [
                "lru",
                "random",
                "opt",
                "cyclic",
                "uniform",
                "uniform:rounds=2",
                "demand",
                "L2",
                "ratio",
                "lp",
            ],
            types.NoneType: [None],
            Path: [folder / "a.npz", folder / "a.txt", folder / "none" / "a.json"],
        }

    def one(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def drawn(self, kind: Any) -> Any:
        """Return a value for an annotation."""
        if self.rng.random() < 0.25:
            return self.one(NONSENSE)
        origin, parts = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return self.drawn(self.one(parts))
        if origin is Literal:
            return self.one(parts)
        if origin is type:
            return self.one(list(registered_policies().values()))
        if kind in self.legal:
            return self.one(self.legal[kind])
        if (origin or kind) is os.PathLike:
            return self.one(self.legal[Path])
        if isinstance(origin, type) and issubclass(origin, tuple | list | Iterable) and parts:
            return [self.drawn(parts[0]) for _ in range(int(self.rng.integers(4)))]
        if origin is np.ndarray:
            return self.rng.integers(-1, 4, 6)
        return self.one([*NONSENSE, [0, 1, 2], [0, 0], (1, 1, 1)])


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    plain = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    try:
        return get_type_hints(plain)
    except NameError:  # a name for the type checker alone
        return {"sequences": SearchStrategy}


def call(name: str, values: Values) -> tuple[str, dict[str, Any]]:
    """Call a function with drawn arguments; return what came of it, and the arguments."""
    function = PUBLIC[name]
    hints, given = hints_of(function), {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.default is parameter.empty or parameter.name in COSTLY or values.rng.random() < 0.5:
            given[parameter.name] = values.drawn(hints.get(parameter.name, Any))
    try:
        answer = function(**given)
        if isinstance(answer, Iterator):
            list(islice(answer, 50))
    except LayeredPagingError:
        return "refused", given
    except Exception as error:
        error.add_note(f"{name}({', '.join(f'{key}={value!r:.200}' for key, value in given.items())})")
        raise
    return "answered", given


def fuzzed(name: str, seed: int, calls: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    values = Values(seed, folder)
    for _ in range(calls):
        call(name, values)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PUBLIC)
def test_nonsense_is_refused_or_answered(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzed(name, 1, 40, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PUBLIC)
def test_more_nonsense(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzed(name, 2, 600, tmp_path, monkeypatch)
