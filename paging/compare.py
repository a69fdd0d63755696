"""Several policies over several cache sizes on one request sequence, beside OPT and compulsory faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np

from paging.arguments import checked
from paging.errors import ModelError, UnsupportedModelError
from paging.expectation import Estimate, child_streams, estimate_of, sample_costs
from paging.html import table
from paging.model import Kind, LayeredInstance, PageArray, RequestSequence, whole_number
from paging.numbers import cell
from paging.offline import least_cost, optimum_from_warm, optimum_so_far
from paging.parallel import cores, in_threads
from paging.policy import InParts, Policy, get_policy, registered_policies, served_in_parts, takes_parts
from paging.predicted import PredictedSequence
from paging.predictors import Errors, Predictor, get_predictor, predict, prediction_errors
from paging.signals import UNWATCHED, Count, Watch
from paging.simulate import NOTHING, run_sequence, simulate

OPT, COMPULSORY, BASELINE = "opt", "compulsory", "lru"

UNFINISHED = "stopped before it was counted"

LOOKS = 10**10
"""Pages that one run may look at, requests × pages, where nobody asked for the policy by name: some seconds
of machine code."""

Number = Fraction | float


@dataclass(frozen=True)
class Row:
    """The faults of one algorithm with one cache size.

    Attributes
    ----------
    policy : str
        Name of a policy, ``"opt"`` or ``"compulsory"``.
    cache : int
        Cache size k.
    faults : int or float
        Counted faults, or the mean over the runs of a randomised policy.
    requests : int
        Length of the sequence, without a warm-up.
    sharing : {"shared", "per-layer"}
        Whether all layers share the cache or each owns a part of it.
    estimate : Estimate or None
        Mean and confidence interval of a randomised policy.
    optimum, baseline : int, Fraction or None
        Cost of OPT and of LRU on the same requests with the same cache, where they are known.
    cost : int, Fraction, float or None
        What the faults cost where pages have weights, counted or the mean; None at unit cost.
    cost_estimate : Estimate or None
        Its mean and confidence interval for a randomised policy.
    errors : Errors or None
        Errors of the predictions that the policy was told, if it takes any.
    """

    policy: str
    cache: int
    faults: int | float
    requests: int
    sharing: Literal["shared", "per-layer"] = "shared"
    estimate: Estimate | None = None
    optimum: int | Fraction | None = None
    baseline: int | Fraction | None = None
    cost: int | Fraction | float | None = None
    cost_estimate: Estimate | None = None
    errors: Errors | None = None

    @property
    def fault_rate(self) -> Number | None:
        """Faults per request; exact for a counted number, None without requests."""
        return _share(self.faults, self.requests)

    @property
    def paid(self) -> int | Fraction | float:
        """The cost: the number of faults at unit cost."""
        return self.faults if self.cost is None else self.cost

    @property
    def vs_opt(self) -> Number | None:
        """Observed ratio of the cost to OPT's: what this run shows, no bound."""
        return _share(self.paid, self.optimum)

    @property
    def saving(self) -> Number | None:
        """Share of LRU's cost that is saved; negative where it costs more."""
        ratio = _share(self.paid, self.baseline)
        return None if ratio is None else 1 - ratio

    @property
    def faults_text(self) -> str:
        """The faults for display, of a randomised policy with half the width of their interval."""
        if self.estimate is None:
            return f"{self.faults:,}"
        return f"{self.faults:,.1f} ± {self.estimate.half_width:,.1f}"

    @property
    def cost_text(self) -> str:
        """The cost for display, of a randomised policy with half the width of its interval."""
        if self.cost is None:
            return self.faults_text
        if self.cost_estimate is None:
            return cell(self.cost)
        return f"{self.cost:,.1f} ± {self.cost_estimate.half_width:,.1f}"

    def as_dict(self) -> dict[str, object]:
        """Return the row for JSON: counts as integers, costs exact, shares and ratios as decimals."""
        row: dict[str, object] = {
            "policy": self.policy,
            "k": self.cache,
            "faults": self.faults,
            **({} if self.cost is None else {"cost": self.cost}),
            "requests": self.requests,
            "fault_rate": _decimal(self.fault_rate),
            "vs_opt": _decimal(self.vs_opt),
            "saving_over_lru": _decimal(self.saving),
            "sharing": self.sharing,
            "measure": "counted" if self.estimate is None else "sampled",
        }
        if self.estimate is not None:
            row |= {
                "half_width": self.estimate.half_width,
                "confidence": self.estimate.confidence,
                "runs": self.estimate.runs,
            }
        if self.cost_estimate is not None:
            row["cost_half_width"] = self.cost_estimate.half_width
        return row | ({} if self.errors is None else self.errors.given)


class Skipped(NamedTuple):
    """An algorithm that does not serve an instance, and why."""

    policy: str
    cache: int
    reason: str


@dataclass(frozen=True)
class Comparison:
    """The rows of a comparison, cache size by cache size, and what was left out.

    Attributes
    ----------
    instance : LayeredInstance
        The instance, with the first cache size.
    caches : tuple of int
        Cache sizes, in the order given.
    rows : tuple of Row
        For every cache size: the policies in the order given, OPT, compulsory faults.
    skipped : tuple of Skipped
        What the model's variant or the cache size rules out.
    seed : int
        Seed of the randomised policies.
    warm_up : int
        Requests at the beginning that were served but not counted.
    stopped : bool
        Whether it was stopped before all was counted.
    """

    instance: LayeredInstance
    caches: tuple[int, ...]
    rows: tuple[Row, ...]
    skipped: tuple[Skipped, ...]
    seed: int
    warm_up: int = 0
    stopped: bool = False

    @property
    def model(self) -> dict[str, str | int]:
        """Labels of the model's variant, which say whether counting began with a warm cache."""
        return {**self.instance.model, "start": "warm" if self.warm_up else "cold"}

    @property
    def weighted(self) -> bool:
        """Whether pages have weights."""
        return self.instance.weights is not None

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the rows, each once, in their order."""
        return tuple(dict.fromkeys(row.policy for row in self.rows))

    def row(self, policy: str, cache: int) -> Row | None:
        """Return one row, or None where it was left out."""
        return next((row for row in self.rows if (row.policy, row.cache) == (policy, cache)), None)

    @property
    def title(self) -> str:
        """Instance and variant of the model, which every number is labelled with."""
        instance, model = self.instance, self.model
        size = f"k = {instance.cache}, " if len(self.caches) == 1 else ""
        shown = [key for key in ("service", "visits", "start", "cost") if key in model]
        variant = " · ".join(str(model[key]) for key in shown)
        return (
            f"{self.rows[0].requests:,} requests, ℓ = {instance.layers}, n = {instance.pages_text}, {size}"
            f"g = {instance.per_visit} · {variant}"
        )

    def _repr_html_(self) -> str:
        if len(self.caches) == 1:
            header = ["policy", "faults", "per request", "ratio to OPT, observed", "saving over LRU"]
            rows = [
                [row.policy, row.faults_text, *map(_decimal, (row.fault_rate, row.vs_opt, row.saving))]
                for row in self.rows
            ]
            if self.weighted:
                header.insert(2, "cost, weighted")
                for line, row in zip(rows, self.rows, strict=True):
                    line.insert(2, row.cost_text)
            return table(self.title, header, rows)
        what = "cost, weighted" if self.weighted else "faults"
        header = [what, *(f"k = {cache}" for cache in self.caches)]
        found = {(row.policy, row.cache): row.cost_text for row in self.rows}
        rows = [[name, *(found.get((name, cache)) for cache in self.caches)] for name in self.policies]
        return table(self.title, header, rows)

    def as_dict(self) -> dict[str, object]:
        """Return the comparison for JSON: ``model``, ``rows``, ``skipped``."""
        return {
            "model": self.model,
            **({"warm_up": self.warm_up} if self.warm_up else {}),
            "instance": self.instance.plain,
            "rows": [row.as_dict() for row in self.rows],
            "skipped": [{"policy": s.policy, "k": s.cache, "reason": s.reason} for s in self.skipped],
        }


@checked
def compare(
    sequence: RequestSequence,
    caches: Iterable[int] | None = None,
    chosen: Iterable[str | Policy | type[Policy]] | None = None,
    *,
    optimum: bool = True,
    runs: int = 10,
    seed: int = 0,
    warm_up: int = 0,
    predictors: Iterable[str | Predictor] = (),
    workers: int | None = None,
    watch: Watch = UNWATCHED,
) -> Comparison:
    """Serve one sequence with several policies and cache sizes, and set OPT and compulsory faults beside.

    Parameters
    ----------
    sequence : RequestSequence
        The requests, with the variant of the model.
    caches : iterable of int, optional
        Cache sizes k; default the one of the sequence's instance.
    chosen : iterable of str, Policy or Policy class, optional
        Policies; default all registered ones that serve these requests.
    optimum : bool, default True
        Whether to compute OPT where a route to it exists.
    runs : int, default 10
        Sampled runs of a randomised policy, at least 2.
    seed : int, default 0
        Seed of the randomised policies; each gets child streams of it.
    warm_up : int, default 0
        Requests at the beginning that are served but not counted. OPT is then the least number of faults on
        the others, whatever the cache holds after the warm-up.
    predictors : iterable of str or Predictor
        Where the policies that take predictions have them from, each kind from one (:data:`PREDICTORS`);
        drawn with ``seed``, for every cache size anew. Requests with predictions of their own bring those;
        policies that take none are served without them.
    workers : int, optional
        Threads; default one for every core this process may use. The result does not depend on it.
    watch : Watch
        Told how many of the runs are done; asked to stop, what is not counted yet is left out.

    Returns
    -------
    Comparison

    Raises
    ------
    UnknownNameError, ModelError
        An unknown policy, or a cache size out of range.
    IllegalAnswerError
        A policy's answer broke the rules.

    Guarantee
    ---------
    Counted faults are exact integers, costs exact numbers; OPT is farthest-in-future, exact at unit cost for
    sequential visits, and with weights the least cost by successive shortest paths.
    What a variant does not support is left out with its reason, never approximated.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> result = compare(sequence, [2, 3], ["lru", "mru"])
    >>> [row.faults for row in result.rows if row.cache == 2], result.policies
    ([6, 4, 4, 3], ('lru', 'mru', 'opt', 'compulsory'))
    >>> result.row("lru", 2).vs_opt
    Fraction(3, 2)
    """
    sources = [get_predictor(one) for one in predictors]
    sizes = tuple(dict.fromkeys((sequence.instance.cache,) if caches is None else caches))
    if not sizes:
        raise ModelError("a comparison needs at least one cache size")
    by_name = chosen is not None
    if chosen is None:
        told = {None, sequence.kind, *(source.kind for source in sources)}
        chosen = [one for one in map(get_policy, registered_policies()) if one.predictions in told]
    answers = list({p.name: p for p in map(get_policy, chosen)}.values())
    warm_up = whole_number(warm_up, "warm_up (requests)", 0, len(sequence))
    served = {cache: _with_predictions(sequence.with_cache(cache), sources, seed) for cache in sizes}
    if warm_up and any(len(kinds) > 1 for kinds in served.values()):
        raise ModelError("errors of predictions are counted from a cold start: no warm-up beside them")
    jobs = [
        _Job(served[cache], algorithm, runs, seed, warm_up, by_name)
        for cache in sizes
        for algorithm in [*answers, *([None] if optimum else [])]
    ]
    outcomes = [
        outcome or job.unfinished()
        for job, outcome in zip(jobs, in_threads(jobs, workers, watch), strict=True)
    ]
    rows, skipped = _assemble({cache: kinds[None] for cache, kinds in served.items()}, outcomes, warm_up)
    stopped = any(skip.reason == UNFINISHED for skip in skipped)
    instance = served[sizes[0]][None].instance
    return Comparison(instance, sizes, tuple(rows), tuple(skipped), seed, warm_up, stopped)


def _with_predictions(
    sequence: RequestSequence, sources: Iterable[Predictor], seed: int
) -> dict[Kind | None, RequestSequence]:
    """Return the requests as every policy is told them, by the kind of prediction, and plain under None."""
    told: dict[Kind | None, RequestSequence] = {None: sequence}
    if isinstance(sequence, PredictedSequence):
        told = {None: sequence.plain, sequence.kind: sequence}
    for source in sources:
        if source.kind in told:
            raise ModelError(f"there are {source.kind} predictions already; each kind comes from one source")
        told[source.kind] = predict(told[None], source, seed=seed)
    return told


@dataclass(frozen=True)
class _Job:
    """One algorithm on one sequence, by what is told with it; no policy means OPT."""

    told: dict[Kind | None, RequestSequence]
    policy: Policy | None
    runs: int
    seed: int
    warm_up: int
    by_name: bool

    @property
    def name(self) -> str:
        return OPT if self.policy is None else self.policy.name

    @property
    def sequence(self) -> RequestSequence:
        """The requests as the policy takes them; as they are where it will refuse them."""
        return self.told.get(None if self.policy is None else self.policy.predictions, self.told[None])

    def unfinished(self) -> Skipped:
        return Skipped(self.name, self.sequence.instance.cache, UNFINISHED)

    def __call__(self) -> Row | Skipped:
        cache, requests, name = self.sequence.instance.cache, len(self.sequence) - self.warm_up, self.name
        try:
            if self.policy is None:
                return self._optimum()
            self.policy.check(self.sequence.instance)
            self.policy.check_predictions(self.sequence.kind)
            if not self.by_name:
                self._refuse_long()
            errors = None
            if isinstance(self.sequence, PredictedSequence):
                errors = prediction_errors(self.sequence)
            sharing: Literal["shared", "per-layer"] = "per-layer" if self.policy.per_layer else "shared"
            if self.policy.randomized:
                estimate, cost = sample_costs(
                    self.policy, self.sequence, runs=self.runs, seed=self.seed, start=self.warm_up
                )
                row = Row(name, cache, estimate.mean, requests, sharing, estimate, errors=errors)
                return replace(row, cost=cost.mean, cost_estimate=cost) if self.weighted else row
            run = run_sequence(
                self.policy, self.sequence, NOTHING, np.random.default_rng(0), start=self.warm_up
            )
            cost_paid = run.cost if self.weighted else None
            return Row(name, cache, run.faults, requests, sharing, cost=cost_paid, errors=errors)
        except UnsupportedModelError as refusal:
            return Skipped(name, cache, str(refusal))

    def _refuse_long(self) -> None:
        """Raise UnsupportedModelError if the policy would look at too many pages."""
        assert self.policy is not None
        pages = self.sequence.instance.total_pages
        looks = len(self.sequence) * pages * (self.runs if self.policy.randomized else 1)
        if looks > LOOKS and self.policy.scans(self.sequence.instance):
            raise UnsupportedModelError(
                f"policy {self.name} looks at all {pages:,} pages at a request, {looks:.0e} times in all; "
                f"it is served where it is asked for by name"
            )

    @property
    def weighted(self) -> bool:
        return self.sequence.instance.weights is not None

    def _optimum(self) -> Row:
        cache, requests = self.sequence.instance.cache, len(self.sequence) - self.warm_up
        if not self.weighted:
            return Row(OPT, cache, optimum_from_warm(self.sequence, self.warm_up), requests)
        faults, cost = least_cost(self.sequence, self.warm_up)
        return Row(OPT, cache, faults, requests, cost=cost)


def _assemble(
    served: dict[int, RequestSequence], outcomes: list[Row | Skipped], warm_up: int
) -> tuple[list[Row], list[Skipped]]:
    """Put the rows in order, give each its references, and add compulsory faults."""
    rows: list[Row] = []
    some = next(iter(served.values()))
    new = np.setdiff1d(some.requests, some.requests[:warm_up])
    weighted = some.instance.weights is not None
    for cache, sequence in served.items():
        here = [outcome for outcome in outcomes if isinstance(outcome, Row) and outcome.cache == cache]
        cost = some.instance.cost_of(new) if weighted else None
        here.append(Row(COMPULSORY, cache, len(new), len(sequence) - warm_up, cost=cost))
        counted = {row.policy: row.paid for row in here if isinstance(row.paid, int | Fraction)}
        rows += _with_references(here, counted.get(OPT), counted.get(BASELINE))
    return rows, [outcome for outcome in outcomes if isinstance(outcome, Skipped)]


def _with_references(
    rows: list[Row], optimum: int | Fraction | None, baseline: int | Fraction | None
) -> Iterator[Row]:
    for row in rows:
        yield replace(row, optimum=optimum, baseline=baseline)


class Moment(NamedTuple):
    """What has been paid after some of the requests.

    Attributes
    ----------
    requests : int
        How many were served.
    optimum : int
        OPT of these requests.
    faults : dict
        Faults of every policy by name; of a randomised one in its first run.
    """

    requests: int
    optimum: int
    faults: dict[str, int]


def moments_of(
    sequence: RequestSequence,
    chosen: Iterable[str | Policy | type[Policy]],
    *,
    seed: int = 0,
    moments: int = 20,
) -> list[Moment]:
    """Return OPT so far and the policies' faults so far at moments evenly spread over the requests.

    Parameters
    ----------
    sequence : RequestSequence
        Sequential visits, at least one request.
    chosen : iterable of str, Policy or Policy class
        Policies.
    seed : int, default 0
        Of randomised policies: one sampled run each.
    moments : int, default 20
        How many, the last one at the end; fewer if there are fewer requests.

    Guarantee
    ---------
    Exact: OPT of every prefix.

    Examples
    --------
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> [(m.requests, m.optimum, m.faults) for m in moments_of(sequence, ["lru"], moments=2)]
    [(3, 3, {'lru': 3}), (6, 4, {'lru': 6})]
    """
    moments = min(whole_number(moments, "moments", 1), len(sequence))
    ends = [len(sequence) * (number + 1) // moments for number in range(moments)]
    last = np.array(ends, dtype=np.int64) - 1
    optimum = optimum_so_far(sequence)[last].tolist()
    counts = {
        policy.name: simulate(policy, sequence, record=True, seed=seed).fault_counts[last].tolist()
        for policy in map(get_policy, chosen)
    }
    return [
        Moment(end, best, {name: found[i] for name, found in counts.items()})
        for i, (end, best) in enumerate(zip(ends, optimum, strict=True))
    ]


@dataclass(frozen=True)
class _InParts:
    """An algorithm at work on requests that come in parts: several times, if it draws."""

    name: str
    sharing: Literal["shared", "per-layer"]
    at_work: tuple[InParts, ...]
    randomized: bool = False

    def __call__(self, requests: PageArray) -> None:
        for one in self.at_work:
            one.serve(requests)

    def row(self, cache: int, requests: int, seed: int) -> Row:
        costs = [one.faults for one in self.at_work]
        if not self.randomized:
            return Row(self.name, cache, costs[0], requests, self.sharing)
        estimate = estimate_of(costs, seed)
        return Row(self.name, cache, estimate.mean, requests, self.sharing, estimate)


def _at_work(policy: Policy, instance: LayeredInstance, runs: int, seed: int) -> _InParts:
    policy.check(instance)
    children = child_streams(seed, runs) if policy.randomized else [np.random.default_rng(0)]
    at_work = tuple(filter(None, (policy.parts(instance, rng) for rng in children)))
    if len(at_work) < len(children):
        takers = ", ".join(name for name, known in registered_policies().items() if takes_parts(known))
        raise UnsupportedModelError(
            f"policy {policy.name} needs all requests at once; in parts serve {takers}"
        )
    return _InParts(policy.name, "per-layer" if policy.per_layer else "shared", at_work, policy.randomized)


def compare_in_parts(
    instance: LayeredInstance,
    chunks: Iterable[PageArray],
    chosen: Iterable[str | Policy | type[Policy]],
    *,
    optimum: bool = True,
    runs: int = 10,
    seed: int = 0,
    also: Callable[[PageArray], object] | None = None,
    requests: int = 0,
    watch: Watch = UNWATCHED,
) -> Comparison:
    """Serve requests that come in chunks with several policies: as :func:`compare`, in one pass.

    Parameters
    ----------
    instance : LayeredInstance
        Sequential visits, forced service, with the cache size.
    chunks : iterable of ndarray of int32
        Legal requests, in their order; the next chunk is asked for while one is served.
    chosen : iterable of str, Policy or Policy class
        Policies that serve in parts (:meth:`Policy.parts`).
    optimum, runs, seed
        As for :func:`compare`; OPT comes from the work function.
    also : callable, optional
        Called with every chunk, too.
    requests : int, default 0
        How many there will be, for whoever watches.
    watch : Watch
        Told how many requests are served, and asked to stop.

    Returns
    -------
    Comparison
        The numbers of :func:`compare`. Memory depends on pages and k, not on the number of requests.

    Raises
    ------
    UnsupportedModelError
        A policy needs all requests at once, or the variant of the model is another.
    StoppedError
        Whoever watches wants no more.

    Examples
    --------
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2)
    >>> parts = [np.array(part, dtype=np.int32) for part in ([0, 1], [2, 0, 1, 2])]
    >>> [row.faults for row in compare_in_parts(instance, parts, ["lru", "fifo"]).rows]
    [6, 6, 4, 3]
    """
    instance.require("serving in parts", service="forced", visits="sequential")
    asked = list({policy.name: policy for policy in map(get_policy, chosen)}.values())
    jobs = [_at_work(policy, instance, runs, seed) for policy in asked]
    if optimum:
        jobs.append(_InParts(OPT, "shared", (served_in_parts("OptSoFar", instance),)))
    everyone: list[Callable[[PageArray], object]] = [*jobs, *([] if also is None else [also])]
    seen = np.zeros(instance.total_pages, dtype=np.bool_)
    served = 0
    passed = iter(chunks)
    with ThreadPoolExecutor(cores() + 1) as pool:
        coming = pool.submit(next, passed, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, passed, None)
            running = [pool.submit(job, chunk) for job in everyone]
            seen[chunk] = True
            for one in running:
                one.result()
            served += len(chunk)
            watch.look(Count(served, requests))
    rows = [job.row(instance.cache, served, seed) for job in jobs]
    rows.append(Row(COMPULSORY, instance.cache, int(np.count_nonzero(seen)), served))
    counted = {row.policy: row.faults for row in rows if isinstance(row.faults, int)}
    linked = tuple(_with_references(rows, counted.get(OPT), counted.get(BASELINE)))
    return Comparison(instance, (instance.cache,), linked, (), seed)


def _share(part: int | Fraction | float, whole: int | Fraction | None) -> Number | None:
    if not whole:
        return None
    return part / whole if isinstance(part, float) else Fraction(part) / whole


def _decimal(number: Number | None) -> float | None:
    return None if number is None else float(number)
