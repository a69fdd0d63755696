"""A grid: the options of ``paging run``, each a value or a list of values; every combination is a job."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from paging.errors import LayeredPagingError, UnknownNameError
from paging.files import regular_file
from paging.model import LayeredInstance, whole_number
from paging.policy import get_policy, plain_name
from paging.signals import UNWATCHED, Count, Watch
from paging.spec import parse_sizes
from paging.sweeps.job import OPT, Job, RequestSource
from paging.traces import TraceReading
from paging.weights import Weights, read_weights
from paging.workloads.registry import requests_of

T = TypeVar("T")

MAX_JOBS = 1_000_000
"""Most jobs of a grid, so that a typing error does not fill the memory."""

SHAPE = ("layers", "pages", "per_visit")
LISTED = ("workload", "trace", *SHAPE, "cache", "policy", "seed", "visits", "bypassing", "warm_up", "weights")
"""Keys that may be lists: the grid has every combination."""

READING = tuple(field.name for field in fields(TraceReading) if field.name not in SHAPE)
"""Keys that say how a trace is read: one value each."""

DEFAULTS = {
    "per_visit": 1,
    "seed": 0,
    "visits": "sequential",
    "bypassing": False,
    "warm_up": 0,
    "weights": None,
}
BLOCKS = "grid"
"""Key of several grids in one file; what stands outside of them holds for each."""


class GridError(LayeredPagingError, ValueError):
    """A grid cannot be read, or says something that has no meaning."""


@dataclass(frozen=True)
class Grid:
    """The jobs of a sweep, in the order of its table.

    Attributes
    ----------
    name : str
        Of its table.
    jobs : tuple of Job
        Each once.
    """

    name: str
    jobs: tuple[Job, ...]


def read_grid(grid: str | Path | Mapping[str, Any], watch: Watch = UNWATCHED) -> Grid:
    """Read a grid from a TOML file, or take it as a mapping.

    Parameters
    ----------
    grid : path or mapping
        Keys are ``workload`` or ``trace``; ``layers``, ``pages``, ``per_visit``, ``cache``, ``policy``,
        ``seed``, ``visits``, ``bypassing``, ``warm_up``, ``weights``, each a value or a list; and how a trace
        is read. Ranges of numbers may be written as text, ``"64:224:32"``, with both ends. ``[[grid]]`` makes
        several.
    watch : Watch
        Told how many traces have been read.

    Raises
    ------
    GridError
        It cannot be read, has unknown keys, or no job.
    LayeredPagingError
        A policy, a workload or an instance in it is not one.

    Examples
    --------
    >>> shape = {"workload": "zipf:rounds=9", "layers": 2, "pages": 4}
    >>> grid = {**shape, "cache": "2:4", "policy": ["lru", "opt"]}
    >>> [(job.policy, job.instance.cache) for job in read_grid(grid).jobs]
    [('lru', 2), ('opt', 2), ('lru', 3), ('opt', 3), ('lru', 4), ('opt', 4)]
    """
    if isinstance(grid, Mapping):
        name, where, content = "sweep", "the grid", grid
    else:
        name, where, content = Path(grid).stem, str(grid), _toml(grid)
    common = {key: value for key, value in content.items() if key != BLOCKS}
    tables = content.get(BLOCKS, [{}])
    if not (isinstance(tables, list) and tables and all(isinstance(table, Mapping) for table in tables)):
        raise GridError(f"{where}: {BLOCKS} must be one or more tables [[{BLOCKS}]]")
    parts = [f": [[{BLOCKS}]] {place}" for place in range(1, len(tables) + 1)] if BLOCKS in content else [""]
    blocks = [
        (where + part, _in(where + part, partial(_Block.read, {**common, **table})))
        for part, table in zip(parts, tables, strict=True)
    ]
    count = sum(block.count for _, block in blocks)
    if count > MAX_JOBS:
        raise GridError(f"{where}: {count:,} combinations, but at most {MAX_JOBS:,} are taken")
    found: dict[str, Job] = {}
    for place, (here, block) in enumerate(blocks):
        watch.look(Count(place, len(blocks)))
        jobs: list[Job] = _in(here, partial(list, block.jobs()))
        for job in jobs:
            found.setdefault(job.address, job)
    return Grid(name, tuple(found.values()))


def _in(where: str, read: Callable[[], T]) -> T:
    """Say where in a grid something is wrong."""
    try:
        return read()
    except OSError as problem:
        raise GridError(f"{where}: {problem.filename}: {problem.strerror}") from None
    except LayeredPagingError as problem:
        raise GridError(f"{where}: {problem}") from problem


def _toml(path: str | Path) -> dict[str, Any]:
    try:
        return tomllib.loads(regular_file(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise GridError(f"{path}: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise GridError(f"{path}: no text in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise GridError(f"{path}: no TOML: {problem}") from None


@dataclass(frozen=True)
class _Block:
    """One product of lists."""

    values: Mapping[str, tuple[Any, ...]]
    reading: Mapping[str, Any]

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> _Block:
        for key in given:
            if key not in (*LISTED, *READING):
                raise UnknownNameError("key", key, (*LISTED, *READING, BLOCKS))
        lists = {key: _several(key, given[key]) for key in LISTED if key in given}
        # A trace says its own g.
        defaults = {
            key: (value,) for key, value in DEFAULTS.items() if key != "per_visit" or "trace" not in lists
        }
        lists = defaults | lists
        reading = {key: given[key] for key in READING if key in given}
        if ("workload" in lists) == ("trace" in lists):
            raise GridError("needs either workload or trace")
        needed = ("cache", "policy") if "trace" in lists else ("cache", "policy", "layers", "pages")
        for key in needed:
            if key not in lists:
                raise GridError(f"the key {key} is missing")
        if reading and "workload" in lists:
            raise GridError(
                f"{next(iter(reading))} says how a trace is read, but requests come from a workload"
            )
        return cls(lists, reading)

    @property
    def count(self) -> int:
        """How many combinations there are."""
        number = 1
        for values in self.values.values():
            number *= len(values)
        return number

    def jobs(self) -> Iterator[Job]:
        """Yield a job for every combination, those with the same requests one after the other."""
        lists = self.values
        policies = [_policy(name) for name in lists["policy"]]
        variants = list(product(*(lists[key] for key in ("visits", "bypassing", "warm_up", "cache"))))
        for requests, shape, (spelled, weights) in self._requests():
            for visits, bypassing, warm_up, cache in variants:
                layers, pages, per_visit = shape
                instance = LayeredInstance(
                    layers, pages, cache, per_visit, visits, bypassing, weights=weights
                )
                for policy, randomized in policies:
                    # A workload's seed is its policies' too; a trace needs none but for them.
                    for seed in lists["seed"] if requests.seed is None else (requests.seed,):
                        yield Job(policy, requests, instance, seed if randomized else None, warm_up, spelled)

    def _requests(self) -> Iterator[tuple[RequestSource, tuple[Any, ...], tuple[str | None, Weights | None]]]:
        """Yield where requests come from, with ℓ, n and g, and with weights as spelled and as they are."""
        lists = self.values
        if "workload" in lists:
            for spec, *shape in product(*(lists[key] for key in ("workload", *SHAPE))):
                instance = LayeredInstance(shape[0], shape[1], shape[2], shape[2])
                requests_of(spec, instance)
                if "bytes" in lists["weights"]:
                    raise GridError("weights bytes takes the bytes of pages from a trace, but none is given")
                for spelled in lists["weights"]:
                    weights = None if spelled is None else read_weights(spelled, instance.pages_by_layer)
                    for seed in lists["seed"]:
                        yield RequestSource(workload=spec, seed=seed), tuple(shape), (spelled, weights)
            return
        for file, *shape in product(lists["trace"], *(lists.get(key, (None,)) for key in SHAPE)):
            given = {key: value for key, value in zip(SHAPE, shape, strict=True) if value is not None}
            path, reading = str(Path(file).absolute()), _json({**given, **self.reading})
            asked = RequestSource(trace=file, path=path, reading=reading)
            trace = asked.read()
            found = replace(asked, digest=trace.digest), (trace.layers, trace.pages, trace.per_visit)
            for spelled in lists["weights"]:
                yield *found, (spelled, None if spelled is None else trace.weights_as(spelled, file))


def _json(reading: Mapping[str, Any]) -> str:
    try:
        return json.dumps(reading, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise GridError(f"how a trace is read is said by text, numbers and lists: {problem}") from None


def _policy(name: str) -> tuple[str, bool]:
    """Return a policy's spec, and whether it is randomised."""
    if plain_name(name) == OPT:
        return OPT, False
    policy = get_policy(name)
    return policy.spec, policy.randomized


def _several(key: str, value: object) -> tuple[Any, ...]:
    """Return the values of a key, each once."""
    given = list(value) if isinstance(value, list) else [value]
    if not given:
        raise GridError(f"{key} is an empty list, so that there is no job")
    if any(isinstance(one, list) for one in given):
        raise GridError(f"{key}: a list in a list has no meaning; unequal layers are written '3/4/5'")
    found = [one for part in given for one in KINDS.get(key, _numbers)(key, part)]
    return tuple(dict.fromkeys(found))


def _numbers(key: str, value: object) -> Sequence[int]:
    if isinstance(value, str):
        return parse_sizes(value)
    return (whole_number(value, key, LEAST.get(key, 1)),)


def _pages(key: str, value: object) -> tuple[int | tuple[int, ...]]:
    if not isinstance(value, str):
        return (whole_number(value, key, 1),)
    try:
        counts = tuple(int(part) for part in value.split("/"))
    except ValueError:
        raise GridError(
            f"{key}: {value!r} is neither a whole number nor one for each layer such as '3/4/5'"
        ) from None
    return (counts[0] if len(counts) == 1 else counts,)


def _texts(key: str, value: object) -> tuple[str]:
    if not isinstance(value, str):
        raise GridError(f"{key} must be text, got {value!r}")
    return (value,)


def _switch(key: str, value: object) -> tuple[bool]:
    if not isinstance(value, bool):
        raise GridError(f"{key} must be true or false, got {value!r}")
    return (value,)


KINDS: Mapping[str, Callable[[str, object], Sequence[Any]]] = {
    **dict.fromkeys(("workload", "trace", "policy", "visits", "weights"), _texts),
    "pages": _pages,
    "bypassing": _switch,
}
"""What the values of a key are, where they are not whole numbers."""

LEAST = {"seed": 0, "warm_up": 0}
"""The least number that a key takes, where it is not 1."""
