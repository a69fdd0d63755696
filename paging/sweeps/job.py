"""One job of a sweep: one policy on one sequence of requests, with one cache size and one seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np

from paging.errors import ModelError, UnsupportedModelError
from paging.jobs import address_of
from paging.model import LayeredInstance, RequestSequence
from paging.offline import least_cost, optimum_from_warm
from paging.policy import get_policy
from paging.provenance import code, release, source_of
from paging.simulate import NOTHING, run_sequence
from paging.spec import parse_slice
from paging.traces import Trace, TraceReading, read_trace
from paging.workloads import generate
from paging.workloads.registry import parse_workload

OPT = "opt"

Found = dict[str, Any]
"""What a job gives: the columns of its row that are not known before."""


@dataclass(frozen=True)
class RequestSource:
    """Where requests come from: a workload with its seed, or a trace with its digest.

    Attributes
    ----------
    workload : str or None
        Spec of a workload.
    trace : str or None
        A file, as the grid names it.
    path : str or None
        Where every worker reads it.
    reading : str
        How the trace is read: the arguments of :class:`~paging.TraceReading` as JSON.
    digest : str or None
        Of the trace.
    seed : int or None
        Of the workload.
    """

    workload: str | None = None
    trace: str | None = None
    path: str | None = None
    reading: str = "{}"
    digest: str | None = None
    seed: int | None = None

    def sequence(self, instance: LayeredInstance) -> RequestSequence:
        """Return the requests on an instance."""
        if self.trace is None:
            assert self.workload is not None
            assert self.seed is not None
            return generate(self.workload, instance, seed=self.seed)
        sequence = self.read().sequence(instance.cache, instance.visits, instance.bypassing)
        return sequence.with_weights(instance.weights)

    def read(self) -> Trace:
        """Read the trace.

        Raises
        ------
        ModelError
            It is another one by now.
        """
        assert self.path is not None
        trace = read_trace(self.path, reading_of(json.loads(self.reading)))
        if self.digest is not None and trace.digest != self.digest:
            raise ModelError(f"{self.path}: the trace is not the one that it was when the sweep began")
        return trace


def reading_of(given: Mapping[str, Any]) -> TraceReading:
    """Return how a trace is read, from plain values."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    if "tokens" in values:
        values["tokens"] = parse_slice(values["tokens"])
    return TraceReading(**values)


@dataclass(frozen=True)
class Job:
    """One policy on one sequence of requests.

    Attributes
    ----------
    policy : str
        Its spec, or ``opt``.
    requests : RequestSource
    instance : LayeredInstance
    seed : int or None
        Of a randomised policy.
    warm_up : int
        Rounds that are served and not counted.
    weights : str or None
        How the grid spells the weights of the instance.
    """

    policy: str
    requests: RequestSource
    instance: LayeredInstance
    seed: int | None
    warm_up: int = 0
    weights: str | None = None

    @cached_property
    def address(self) -> str:
        """What it is, as one digest: the same requests, policy, instance and version have the same one.

        Of policies and workloads that are no part of this package the source text is counted in.
        """
        asked = self.requests
        return address_of(
            {
                "version": release(),
                "policy": [self.policy, _policy_source(self.policy)],
                "requests": asked.digest or [asked.workload, _workload_source(asked.workload), asked.seed],
                "instance": self.instance.plain,
                "seed": self.seed,
                "warm_up": self.warm_up,
            }
        )

    @property
    def described(self) -> Found:
        """The columns of its row that are known before it is done."""
        asked, instance = self.requests, self.instance
        return {
            "job": self.address,
            "policy": self.policy,
            "workload": asked.workload,
            "trace": asked.trace,
            "reading": None if asked.reading == "{}" else asked.reading,
            "layers": instance.layers,
            "pages": instance.pages_text,
            "per_visit": instance.per_visit,
            "cache": instance.cache,
            "visits": instance.visits,
            "service": instance.service,
            "weights": self.weights,
            "warm_up": self.warm_up,
            "seed": asked.seed if self.seed is None else self.seed,
        }


@lru_cache(maxsize=1)
def _latest(requests: RequestSource, instance: LayeredInstance) -> tuple[RequestSequence, str]:
    """Return requests with their digest; the next job is likely to be about the same ones."""
    sequence = requests.sequence(instance)
    return sequence, requests.digest or Trace.from_sequence(sequence).digest


def serve(job: Job) -> Found:
    """Do a job: pure, the same on every machine.

    Raises
    ------
    LayeredPagingError
        The trace cannot be read, or the policy's answer broke the rules.
    """
    smallest = job.instance.per_visit  # so that requests are not made anew for every cache size
    sequence, digest = _latest(job.requests, job.instance.with_cache(smallest))
    sequence = sequence.with_cache(job.instance.cache)
    start = sequence.requests_of_rounds(job.warm_up)
    found: Found = {
        "digest": digest,
        "requests": len(sequence) - start,
        "faults": None,
        "weighted_cost": None,
        "measure": "counted",
        "problem": None,
        "code": code(),
        "numpy": np.__version__,
    }
    if start and not found["requests"]:
        raise ModelError(f"warm_up = {job.warm_up} leaves none of the {len(sequence):,} requests to count")
    weighted = sequence.instance.weights is not None
    cost: int | Fraction
    try:
        if job.policy == OPT:
            if weighted:
                found["faults"], cost = least_cost(sequence, start)
            else:
                found["faults"] = cost = optimum_from_warm(sequence, start)
        else:
            policy = get_policy(job.policy)
            if policy.randomized:
                found["measure"] = "sampled"
            rng = np.random.default_rng(job.seed or 0)
            found["faults"], cost, _ = run_sequence(policy, sequence, NOTHING, rng, start=start)
        if weighted:
            found["weighted_cost"] = str(cost)
    except UnsupportedModelError as refusal:
        found["problem"] = str(refusal)
    return found


@cache
def _policy_source(spec: str) -> str | None:
    return None if spec == OPT else source_of(type(get_policy(spec)))


@cache
def _workload_source(spec: str | None) -> str | None:
    return None if spec is None else source_of(parse_workload(spec)[0].build)
