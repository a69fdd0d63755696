"""Policies, OPT and per-layer splits over many cache sizes, on one request sequence after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from lp.curves import fault_curve
from lp.split import best_static_split
from paging.compare import Comparison, Row, compare
from paging.errors import ModelError, UnsupportedModelError
from paging.files import slug
from paging.model import LayeredInstance, RequestSequence
from paging.policies.layered import Partitioned
from paging.signals import UNWATCHED, StoppedError, Watch
from paging.traces import Trace, read_trace, trace_info
from paging.weights import Weights
from paging.workloads import generate

POLICIES = ("lru", "llru", "llru-lazy", "llru-token", "zrc", "lfu", "fifo", "mark", "partitioned")
"""Online policies of every study; ``partitioned`` is LRU in each layer on an equal split."""

LRU_SPLIT, OPT_SPLIT, OPT_EQUAL = "lru-best-split", "opt-best-split", "opt-equal-split"
"""Per-layer references: the best fixed split in hindsight for LRU and for OPT, and OPT on the equal split."""

ORDER = (*POLICIES, LRU_SPLIT, OPT_EQUAL, OPT_SPLIT, "opt", "compulsory")

ONLINE = ("lru", "llru", "llru-lazy", "llru-token", "lfu", "fifo")
"""Deterministic online policies that share the cache; OPT is compared with the best of them."""

SPREAD = "/".join(f"{3 * layer / 31:.2f}" for layer in range(32))
"""Zipf exponents 0 … 3, one for each of 32 layers."""


@dataclass(frozen=True)
class StudySource:
    """Where the requests of a study come from.

    Attributes
    ----------
    id : str
        Name in tables, files and addresses: a slug (:func:`paging.files.slug`), whatever a file said.
    title : str
        In words; any text, to be escaped where it is shown.
    sequence : RequestSequence
        The requests; the cache size of its instance is not used.
    facts : mapping
        Origin (file and digest, or workload and seed) and what characterises the requests.
    kind : {"trace", "workload"}
        Recorded or synthetic.
    zipf : bool
        Whether the requests are independent draws from a Zipf law.
    weights : tuple of (str, Weights), optional
        For the section on weights: as they were given, and what they are. All else counts faults.
    """

    id: str
    title: str
    sequence: RequestSequence
    facts: Mapping[str, Any]
    kind: str
    zipf: bool = False
    weights: tuple[str, Weights] | None = None

    def __post_init__(self) -> None:
        """Keep what may stand in file names and identifiers apart from what may not."""
        if self.id != slug(self.id):
            raise ModelError(f"the id of a study is a slug such as {slug(self.id)!r}, got {self.id!r}")


@dataclass(frozen=True)
class Synthetic:
    """A synthetic source, before its requests are drawn."""

    id: str
    title: str
    spec: str
    per_visit: int = 1
    zipf: bool = False

    def draw(self, rounds: int, seed: int) -> StudySource:
        """Draw the requests: 32 layers of 8 pages, as many as Mixtral-8x7B has."""
        instance = LayeredInstance(32, 8, 32 * self.per_visit, per_visit=self.per_visit)
        sequence = generate(self.spec, instance, rounds=rounds, seed=seed)
        origin = {"workload": f"{self.spec},rounds={rounds}", "workload_seed": seed}
        return StudySource(self.id, self.title, sequence, origin | _features(sequence), "workload", self.zipf)


SYNTHETIC = (
    Synthetic("zipf", "Zipf, exponent 1 in every layer", "zipf:alpha=1", zipf=True),
    Synthetic("zipf-uneven", "Zipf, exponents 0 to 3 over the layers", f"zipf:alpha={SPREAD}", zipf=True),
    Synthetic("sticky", "sticky, repeats a page with probability 0.6", "sticky:p=0.6,alpha=1"),
    Synthetic("correlated", "correlated layers, top-2", "correlated:c=0.8,alpha=1", per_visit=2),
)


LONGEST_TITLE = 80
"""Characters of a trace's own name that are shown."""


def read_source(path: str | Path, taken: Iterable[str] = ()) -> StudySource:
    """Read a trace file as a source; an id that is already taken gets a number behind it."""
    return trace_source(read_trace(path), Path(path).name, taken)


def trace_source(
    trace: Trace,
    file: str,
    taken: Iterable[str] = (),
    reading: Mapping[str, object] | None = None,
    weights: str | None = None,
) -> StudySource:
    """Return a trace as a source; ``reading`` is how it was read, to be told beside it."""
    weighing = None if weights is None else (weights, trace.weights_as(weights, file))
    metadata = {
        key: str(trace.metadata[key])
        for key in ("model", "source_repo", "source_commit")
        if key in trace.metadata
    }
    facts = {"name": trace.name, "file": file, "digest": trace.digest, **(reading or {}), **metadata}
    sequence = trace.sequence(trace.layers * trace.per_visit)
    id = _unused(slug(trace.name), taken)
    shown = trace.name if len(trace.name) <= LONGEST_TITLE else trace.name[: LONGEST_TITLE - 1] + "…"
    title = f"trace {shown}" if id == trace.name else f"trace {shown} ({id})"
    return StudySource(id, title, sequence, facts | _features(sequence, trace), "trace", weights=weighing)


def _unused(id: str, taken: Iterable[str]) -> str:
    """Number an id if need be; some file systems do not tell upper from lower case."""
    used = {name.casefold() for name in (*taken, *(source.id for source in SYNTHETIC))}
    numbered = (slug(f"{id}-{number}") for number in count(2))
    return next(name for name in chain((id,), numbered) if name.casefold() not in used)


def _features(sequence: RequestSequence, trace: Trace | None = None) -> dict[str, Any]:
    info = trace_info(trace or Trace.from_sequence(sequence))
    return {
        "tokens": info["tokens"],
        "repeat_rate": info["repeat_rate"] and info["repeat_rate"]["mean"],
        "entropy_bits": info["entropy_bits"] and info["entropy_bits"]["mean"],
    }


def cache_sizes(instance: LayeredInstance, points: int) -> tuple[int, ...]:
    """Choose about ``points`` cache sizes from one page per slot of a round to most of the pages.

    Sizes go in steps that are a multiple or a divisor of ℓ, so that equal splits are as even as they can be.

    Examples
    --------
    >>> cache_sizes(LayeredInstance(layers=32, pages=8, cache=1, per_visit=2), points=6)
    (64, 96, 128, 160, 192, 224)
    """
    layers, total = instance.layers, instance.total_pages
    last = max(1, int(0.95 * total))
    first = next((size for size in (instance.round_length, layers) if size < last), min(layers, last))
    wanted = max(1.0, (last - first) / max(1, points - 1))
    if wanted >= layers:
        step = layers * round(wanted / layers)
    else:
        step = max(d for d in range(1, layers + 1) if layers % d == 0 and d <= wanted)
    return tuple(range(first, last + 1, step))


def study(
    source: StudySource,
    *,
    points: int,
    runs: int,
    seed: int,
    watch: Watch = UNWATCHED,
) -> dict[str, Any]:
    """Serve a source with all policies and references, and return the numbers as plain data.

    Parameters
    ----------
    source : StudySource
    points : int
        About how many cache sizes.
    runs : int
        Sampled runs of MARK.
    seed : int
        Seed of MARK.
    """
    caches = cache_sizes(source.sequence.instance, points)
    result = compare(source.sequence, caches, POLICIES, runs=runs, seed=seed, watch=watch)
    if result.stopped:
        raise StoppedError
    rows = sorted(
        [*result.rows, *_split_rows(source.sequence, result)],
        key=lambda row: (row.cache, ORDER.index(row.policy)),
    )
    instance = source.sequence.instance
    return {
        "id": source.id,
        "title": source.title,
        "kind": source.kind,
        "zipf": source.zipf,
        "origin": dict(source.facts),
        "instance": instance.plain,
        "model": instance.model,
        "requests": len(source.sequence),
        "distinct_pages": source.sequence.distinct_pages,
        "total_pages": instance.total_pages,
        "caches": caches,
        "rows": [row.as_dict() for row in rows],
        "skipped": [{"policy": s.policy, "k": s.cache, "reason": s.reason} for s in result.skipped],
    }


def _split_rows(sequence: RequestSequence, result: Comparison) -> Iterator[Row]:
    """Per-layer references: exact, from one fault curve per layer."""
    curves = {
        LRU_SPLIT: _best_split_curve(sequence, max(result.caches), "lru"),
        OPT_SPLIT: _best_split_curve(sequence, max(result.caches), "opt"),
        OPT_EQUAL: _equal_split_curve(sequence, result.caches),
    }
    for cache in result.caches:
        optimum, baseline = (_counted(result, name, cache) for name in ("opt", "lru"))
        for name, curve in curves.items():
            faults = curve.get(cache)
            if faults is not None:
                yield Row(name, cache, faults, len(sequence), "per-layer", None, optimum, baseline)


def _counted(result: Comparison, policy: str, cache: int) -> int | None:
    row = result.row(policy, cache)
    return None if row is None or not isinstance(row.faults, int) else row.faults


def _best_split_curve(sequence: RequestSequence, largest: int, policy: str) -> dict[int, int | None]:
    try:
        return dict(enumerate(best_static_split(sequence.with_cache(largest), policy).curve, start=1))
    except UnsupportedModelError:  # fewer slots than layers
        return {}


def _equal_split_curve(sequence: RequestSequence, caches: tuple[int, ...]) -> dict[int, int | None]:
    instance = sequence.instance
    parts = [sequence.of_layer(j, n) for j, n in enumerate(instance.pages_by_layer)]
    curves = [fault_curve(part, "opt") for part in parts]
    faults: dict[int, int | None] = {}
    for cache in caches:
        if cache >= instance.layers:
            shares = Partitioned().split(instance.with_cache(cache))
            faults[cache] = sum(
                curve[min(share, len(curve)) - 1] for curve, share in zip(curves, shares, strict=True)
            )
    return faults
