"""Seeded workloads by name: what a workload is, which there are, and drawing requests from one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.arguments import checked
from paging.errors import ModelError, UnknownNameError
from paging.model import LayeredInstance, PageArray, RequestSequence, generator, whole_number
from paging.outside import Registry
from paging.spec import Value, parse_spec

Floats = NDArray[np.float64]
Fill = Callable[[PageArray, tuple[Floats, ...]], None]
"""Fills a block of requests (rounds, layers, g), given arrays of uniform numbers of the same shape."""

MAX_REQUESTS = 10**9
BLOCK = 1 << 17
"""Requests drawn in one go, so that the uniform numbers stay in the processor's cache."""

LENGTHS = {
    "rounds": "number of rounds (tokens); every layer is visited once in each",
    "requests": "number of requests, instead of rounds; the last round may be incomplete",
}
"""Parameters that every workload's spec may give."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a workload: one number, or one for each layer (``a/b/c`` in a spec).

    Parameters
    ----------
    name : str
        Key in a spec.
    default, low, high : float
        Default and allowed range, both ends included.
    meaning : str
        One line for help texts.
    """

    name: str
    default: float
    low: float
    high: float
    meaning: str

    def per_layer(self, value: Value, layers: int) -> Floats:
        """Return the value for every layer, shape (layers,), or raise a ModelError that names the range."""
        numbers = value if isinstance(value, tuple) else (value,) * layers
        if len(numbers) != layers:
            raise ModelError(
                f"{self.name} must be one number or one for each of the {layers} layers, got {len(numbers)}"
            )
        for number in numbers:
            known = isinstance(number, int | float) and not isinstance(number, bool)
            if not known or not self.low <= float(number) <= self.high:
                allowed = f"a number in {self.low:g} … {self.high:g}"
                raise ModelError(f"{self.name} must be {allowed}, got {number!r}")
        return np.array(numbers, dtype=np.float64)


@dataclass(frozen=True)
class Workload:
    """A seeded source of legal request sequences.

    Parameters
    ----------
    id, title, meaning : str
        Name in a spec; one line; the full description.
    parameters : tuple of Parameter
        What can be set.
    build : callable
        ``build(instance, rng, **parameters)`` with arrays of shape (layers,) makes the block filler.
    uniforms : int
        Uniform numbers used up by one request.
    values : mapping
        What has been set; the rest is at its default. Use `with_values`.

    Examples
    --------
    >>> steep = WORKLOADS["zipf"].with_values(alpha=2)
    >>> len(generate(steep, LayeredInstance(layers=2, pages=8, cache=4), rounds=5))
    10
    """

    id: str
    title: str
    meaning: str
    parameters: tuple[Parameter, ...]
    build: Callable[..., Fill] = field(repr=False)
    uniforms: int = 1
    values: Mapping[str, Value] = field(default_factory=dict)

    def with_values(self, **values: Value) -> Workload:
        """Return the workload with some parameters set.

        Raises
        ------
        ModelError
            There is no such parameter. Ranges are checked when requests are drawn: they may depend on ℓ.
        """
        known = {parameter.name for parameter in self.parameters}
        for name in values:
            if name not in known:
                listed = ", ".join(sorted(known | LENGTHS.keys()))
                raise ModelError(f"workload {self.id} has no parameter {name!r}; known are {listed}")
        return replace(self, values={**self.values, **values})

    def draw(self, instance: LayeredInstance, rounds: int, rng: np.random.Generator) -> PageArray:
        """Draw whole rounds: page ids, int32 of shape (rounds, layers, g)."""
        settings = {
            parameter.name: parameter.per_layer(
                self.values.get(parameter.name, parameter.default), instance.layers
            )
            for parameter in self.parameters
        }
        fill = self.build(instance, rng, **settings)
        requests = np.empty((rounds, instance.layers, instance.per_visit), dtype=np.int32)
        step = max(1, BLOCK // instance.round_length)
        for start in range(0, rounds, step):
            block = requests[start : start + step]
            # Round by round in the order of the requests, so that neither the length of the whole nor that
            # of the block changes any request.
            uniforms = rng.random((*block.shape, self.uniforms))
            fill(block, tuple(np.ascontiguousarray(uniforms[..., i]) for i in range(self.uniforms)))
        return requests


WORKLOADS: Registry[Workload] = Registry("paging.workloads", Workload)
"""Every workload by its id, at default parameters."""


def workload(
    name: str, title: str, *parameters: Parameter, uniforms: int = 1
) -> Callable[[Callable[..., Fill]], Workload]:
    """Make a workload of a builder; its docstring is the description."""

    def register(build: Callable[..., Fill]) -> Workload:
        return Workload(name, title, inspect.getdoc(build) or "", parameters, build, uniforms)

    return register


@checked
def generate(
    spec: str | Workload,
    instance: LayeredInstance,
    *,
    rounds: int | None = None,
    seed: int | np.random.Generator = 0,
) -> RequestSequence:
    """Draw a legal request sequence of an instance from a workload.

    Parameters
    ----------
    spec : str or Workload
        ``name:key=value,…`` with the workload's parameters and ``rounds`` or ``requests``; or a workload.
    instance : LayeredInstance
        Layers, pages, per_visit; unequal pages and g > 1 are served by every workload.
    rounds : int, optional
        Number of rounds, where the spec gives none. Exactly one of the two must say it.
    seed : int or numpy Generator, default 0
        The same seed gives the same requests whatever the length: a shorter sequence is a prefix of a
        longer one. A generator is used from where it stands.

    Raises
    ------
    UnknownNameError
        There is no such workload.
    ModelError
        A parameter is unknown or outside its range, or the length is missing or given twice.

    Examples
    --------
    >>> instance = LayeredInstance(layers=2, pages=4, cache=3)
    >>> sequence = generate("uniform:rounds=1000", instance, seed=1)
    >>> len(sequence), sequence.distinct_pages
    (2000, 8)
    >>> generate("uniform", instance, rounds=10, seed=1) == sequence.prefix(20)
    True
    """
    chosen, lengths = parse_workload(spec) if isinstance(spec, str) else (spec, {})
    requests = _number_of_requests(instance, {**lengths, "rounds argument": rounds})
    drawn = chosen.draw(instance, -(-requests // instance.round_length), generator(seed))
    return RequestSequence(instance, drawn.reshape(-1)[:requests])


def requests_of(spec: str, instance: LayeredInstance) -> int:
    """Return how many requests a spec asks for, without drawing one; raises what :func:`generate` would.

    >>> requests_of("uniform:rounds=10", LayeredInstance(layers=2, pages=4, cache=3))
    20
    """
    chosen, lengths = parse_workload(spec)
    requests = _number_of_requests(instance, lengths)
    chosen.draw(instance, 0, generator(0))
    return requests


def parse_workload(spec: str) -> tuple[Workload, dict[str, Value]]:
    """Split a spec into the workload with its parameters set and the lengths that it gives.

    >>> workload, lengths = parse_workload("zipf:alpha=1.2,rounds=10")
    >>> dict(workload.values), lengths
    ({'alpha': 1.2}, {'rounds': 10})
    """
    name, values = parse_spec(spec)
    if name not in WORKLOADS:
        raise UnknownNameError("workload", name, WORKLOADS)
    lengths = {key: values.pop(key) for key in LENGTHS if key in values}
    return WORKLOADS[name].with_values(**values), lengths


def _number_of_requests(instance: LayeredInstance, lengths: Mapping[str, object]) -> int:
    given = {name: value for name, value in lengths.items() if value is not None}
    if len(given) != 1:
        found = f"got both {' and '.join(given)}" if given else "got neither"
        raise ModelError(f"a workload needs its length once, as rounds=… or requests=…; {found}")
    ((name, value),) = given.items()
    unit = 1 if name == "requests" else instance.round_length
    return unit * whole_number(value, name, 1, MAX_REQUESTS // unit)


def describe_workloads() -> list[dict[str, Any]]:
    """Return id, title, meaning and parameters of every workload as plain data, for help texts and docs.

    >>> [entry["id"] for entry in describe_workloads()]
    ['uniform', 'zipf', 'sticky', 'correlated', 'stack-distance']
    """
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "meaning": entry.meaning,
            "parameters": [vars(parameter).copy() for parameter in entry.parameters],
        }
        for entry in WORKLOADS.values()
    ]
