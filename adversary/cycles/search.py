"""Search for bad cycles of any deterministic policy: exhaustive where small, else beam and local search.

Work is cut into steps. What a search finds after so many steps depends on its parameters alone, so one that
was stopped and continued from its checkpoint gives the same answer as one that ran through.
"""

from __future__ import annotations

import inspect
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adversary.cycles.cycle import Cycle, NoCycleError, cycle_certificate, literal, periodic_cycle
from adversary.cycles.max_ratio import GAP, RATIO, Numbers, best_cycle
from adversary.cycles.product_graph import ProductGraph, Symmetry
from paging.arguments import checked
from paging.certificate import Certificate
from paging.errors import LimitError, ModelError
from paging.files import atomic_write
from paging.model import Frame, LayeredInstance, Serve, whole_number
from paging.policy import Policy, get_policy
from paging.signals import UNWATCHED, Watch
from paging.work_function import update_work_function

Phase = Literal["exhaustive", "beam", "local", "done"]

CHUNK = 4096
"""States expanded in one step of the exhaustive search."""
BATCH = 100
"""Periodic sequences tried in one step of the local search."""
PATIENCE = 8
"""Steps of the local search without an improvement after which it starts anew."""
RESTARTS = 6
"""Local searches between two beams."""
FIRST_WIDTH, DOUBLINGS, LEVELS = 64, 10, 60
"""Beam: states kept at each level in the first one, how often they are doubled, and rounds until it ends."""
LONGEST = 40
"""Rounds of the longest period that the local search varies."""
UNPAID = 10**9
"""What the local search takes a fault to be worth where OPT pays nothing."""
REPEATS = 24
"""Repetitions of a period within which it must close to count in the local search."""
NO_SYMMETRY = Symmetry(False, False)


@dataclass
class SearchProgress:
    """Where a search stands; numbers and text only, so that it can be saved."""

    phase: Phase = "exhaustive"
    steps: int = 0
    beams: int = 0
    restarts: int = 0
    states: int = 0
    tried: int = 0
    elapsed: float = 0.0
    exhausted: bool = False
    method: str = ""
    level: int = 0
    stale: int = 0


class Search:
    """A resumable search for the worst cycle of a policy.

    Parameters
    ----------
    policy : str or Policy
        Deterministic, built in or outside.
    instance : LayeredInstance
        Forced service, k < number of pages.
    objective : {"ratio", "gap"}, default "ratio"
        Policy faults per OPT fault, or faults beyond OPT's per request.
    seed : int, default 0
        For ties in the beam and for the local search.
    max_states : int, default 300 000
        Largest product graph that is searched exhaustively, and size of a beam's graph.
    symmetric : bool, default True
        Whether states that differ by a renaming of pages count as one, where the policy allows it
        (:func:`adversary.cycles.product_graph.symmetry_of`). Without, an exhaustive search assumes nothing.

    Attributes
    ----------
    best : Cycle or None
        The best cycle so far, closed literally and replayed.
    progress : SearchProgress
        ``exhausted`` says that no better cycle exists: the whole product graph was searched (states that
        differ by a symmetry counted as one, see :func:`~adversary.cycles.product_graph.symmetry_of`), or the
        ratio is ∞. Unlike the cycle itself this comes without a certificate.

    Raises
    ------
    ModelError, UnsupportedModelError
        The policy is randomised, or the instance has nothing to search.

    Examples
    --------
    >>> search = Search("lru", LayeredInstance(layers=1, pages=5, cache=4))
    >>> search.run(steps=100)
    >>> search.best.ratio, search.progress.exhausted
    (Fraction(4, 1), True)
    """

    @checked
    def __init__(
        self,
        policy: str | Policy,
        instance: LayeredInstance,
        *,
        objective: str = "ratio",
        seed: int = 0,
        max_states: int = 300_000,
        symmetric: bool = True,
    ) -> None:
        self.policy = get_policy(policy)
        self.instance = instance
        if instance.cache >= instance.total_pages:
            raise ModelError(
                f"a search needs k < number of pages; here k = {instance.cache} and all "
                f"{instance.total_pages} pages fit the cache"
            )
        if objective not in ("ratio", "gap"):
            raise ModelError(f"objective must be 'ratio' or 'gap', got {objective!r}")
        self.objective = objective
        self.seed = whole_number(seed, "seed", 0)
        self.max_states = whole_number(max_states, "max_states", 1)
        self.symmetric = symmetric
        self.best: Cycle | None = None
        self.progress = SearchProgress()
        self._graph = ProductGraph(self.policy, instance, symmetry=None if symmetric else NO_SYMMETRY)
        self._frontier: Numbers = np.zeros(1, dtype=np.int64)
        self._scores: Numbers = np.zeros(1, dtype=np.int64)
        self._period: list[int] = []
        self._worth = Fraction(-1)
        self._rng = self._stream(0)

    # Running

    def run(
        self,
        *,
        steps: int | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        """Take steps until the search is done, so many in all are taken, or whoever watches wants no more.

        Parameters
        ----------
        steps : int, optional
            Total number, those before a checkpoint included.
        watch : Watch
            Told this search after every step, then asked whether to stop.
        """
        while self.progress.phase != "done" and (steps is None or self.progress.steps < steps):
            self.step()
            watch.tell(self)
            if watch.stop():
                return

    def step(self) -> None:
        """Take one step."""
        {"exhaustive": self._explore, "beam": self._widen, "local": self._vary}[self.progress.phase]()
        self.progress.steps += 1

    def _explore(self) -> None:
        progress, graph = self.progress, self._graph
        try:
            graph.explore_chunk(CHUNK)
        except LimitError:
            self._solve("exhaustive, cut off")
            self._start_beam()
            return
        progress.states = graph.states
        if graph.complete and self._solve("exhaustive"):
            progress.exhausted, progress.phase = True, "done"
        elif graph.complete:
            self._graph = ProductGraph(self.policy, self.instance, symmetry=NO_SYMMETRY)
        elif graph.states > self.max_states:
            self._solve("exhaustive, cut off")
            self._start_beam()

    def _solve(self, method: str) -> bool:
        """Take the best cycle of the graph built so far; return False if it cannot be replayed.

        That happens where the policy lacks symmetries that the graph assumed.
        """
        graph = self._graph
        objective = RATIO if self.objective == "ratio" else GAP
        found = best_cycle(graph.targets, graph.codes, objective).cycle
        if found is not None:
            try:
                self._offer(literal(graph, found), method)
            except (NoCycleError, LimitError):
                return False
        return True

    def _offer(self, cycle: Cycle, method: str) -> bool:
        if self.best is not None and cycle.value(self.objective) <= self.best.value(self.objective):
            return False
        cycle.check(self.policy)
        self.best = cycle
        self.progress.method = method
        if cycle.offline == 0 and self.objective == "ratio":
            # Nothing is worse than faulting for ever where OPT pays nothing.
            self.progress.phase, self.progress.exhausted = "done", True
        return True

    # Beam over the product graph

    def _start_beam(self) -> None:
        if self.progress.phase == "done":
            return
        self.progress.phase, self.progress.level = "beam", 0
        self._graph = ProductGraph(self.policy, self.instance, symmetry=self._graph.symmetry)
        self._frontier = np.zeros(1, dtype=np.int64)
        self._scores = np.zeros(1, dtype=np.int64)
        self._rng = self._stream(1, self.progress.beams)

    def _widen(self) -> None:
        """Expand one level: the new states that are worth most at the best ratio known."""
        progress, graph = self.progress, self._graph
        width = FIRST_WIDTH << min(progress.beams, DOUBLINGS)
        try:
            new = graph.expand(self._frontier)
        except LimitError:
            new = np.zeros(0, dtype=np.int64)
        progress.level += 1
        progress.states = max(progress.states, graph.states)
        ended = progress.level >= LEVELS * self.instance.round_length or graph.states > self.max_states
        if ended or not len(new):
            self._end_beam()
            return
        source, edge = graph.origin[new].T
        fault, paid = graph.codes[source, edge] & 1, graph.codes[source, edge] >> 1
        price = self._price()
        scores = np.concatenate([self._scores, np.zeros(len(new), dtype=np.int64)])
        scores[new] = scores[source] + price.denominator * fault - price.numerator * paid.astype(np.int64)
        order = np.lexsort((self._rng.random(len(new)), -scores[new]))
        self._scores, self._frontier = scores, np.sort(new[order[:width]])

    def _end_beam(self) -> None:
        self._solve("beam")
        self.progress.beams += 1
        if self.progress.phase != "done":
            self._graph = ProductGraph(self.policy, self.instance, symmetry=self._graph.symmetry)
            self._start_local()

    def _price(self) -> Fraction:
        """What one OPT fault must bring: the best ratio known, or what every policy concedes."""
        if self.best is not None and self.best.offline:
            return Fraction(self.best.online, self.best.offline)
        return Fraction(max(1, self.instance.cache - self.instance.layers + 1))

    # Local search on periodic sequences

    def _start_local(self) -> None:
        progress = self.progress
        progress.phase, progress.stale = "local", 0
        self._rng = self._stream(2, progress.restarts)
        layers, cache, length = self.instance.layers, self.instance.cache, self.instance.round_length
        rounds = int(self._rng.integers(2, 2 * cache + 3))
        visits = [self._random_visit(v % layers) for v in range(rounds * layers)]
        self._period = [page for visit in visits for page in visit]
        # Every other search starts from the best cycle, where it is short enough to be varied.
        if progress.restarts % 2 and self.best is not None and len(self.best.requests) <= LONGEST * length:
            shift = -len(self.best.prefix) % length
            self._period = list(self.best.requests[shift:] + self.best.requests[:shift])
        self._worth = self._judge(self._period)

    def _vary(self) -> None:
        """Try a batch of small changes, keeping what is not worse."""
        progress = self.progress
        progress.stale += 1
        for _ in range(BATCH):
            candidate = self._changed(self._period)
            worth = self._judge(candidate)
            progress.tried += 1
            if worth > self._worth:
                progress.stale = 0
            if worth >= self._worth:
                self._period, self._worth = candidate, worth
        self._keep()
        if progress.phase == "local" and progress.stale >= PATIENCE:
            progress.restarts += 1
            if progress.restarts % RESTARTS:
                self._start_local()
            else:
                self._start_beam()

    def _keep(self) -> None:
        if self._worth > (-1 if self.best is None else self.best.value(self.objective)):
            try:
                self._offer(periodic_cycle(self.policy, self.instance, self._period), "local search")
            except LimitError:
                return

    def _changed(self, period: list[int]) -> list[int]:
        """Return a copy with one to three visits replaced, or a round inserted, removed or moved."""
        layers, group, rng = self.instance.layers, self.instance.per_visit, self._rng
        length = self.instance.round_length
        rounds = [period[i : i + length] for i in range(0, len(period), length)]
        kind, at = int(rng.integers(6)), int(rng.integers(len(rounds)))
        if kind == 0 and len(rounds) > 1:
            del rounds[at]
        elif kind == 1 and len(rounds) < LONGEST:
            rounds.insert(at, list(rounds[int(rng.integers(len(rounds)))]))
        elif kind == 2:
            rounds.insert(int(rng.integers(len(rounds))), rounds.pop(at))
        else:
            for _ in range(kind - 2):
                row = int(rng.integers(len(rounds)))
                layer = int(rng.integers(layers))
                rounds[row] = list(rounds[row])
                rounds[row][layer * group : (layer + 1) * group] = self._random_visit(layer)
        return [page for row in rounds for page in row]

    def _random_visit(self, layer: int) -> list[int]:
        pages = self.instance.pages_of(layer)
        if self.instance.per_visit == 1:
            return [int(self._rng.integers(pages.start, pages.stop))]
        return [int(page) for page in self._rng.choice(pages, self.instance.per_visit, replace=False)]

    def _judge(self, period: list[int]) -> Fraction:
        """Return the value of the cycle a period runs into; −1 where it does not close soon, large for ∞."""
        requests = np.array(period, dtype=np.int32)
        run, serve, update = _runner(self.policy)
        cache = self.instance.cache
        atomic = self.instance.visits == "atomic"
        frame = self.instance.frame.served_together() if atomic else self.instance.frame
        online, offline, span = run(serve, update, requests, frame, cache, atomic, REPEATS)
        if span == 0:
            return Fraction(-1)
        if self.objective == "gap":
            return Fraction(int(online - offline), int(span) * len(period))
        if offline == 0:
            return Fraction(int(online) * UNPAID - (online == 0))
        return Fraction(int(online), int(offline))

    def _stream(self, *place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=place))

    def certificate(self, provenance: Mapping[str, object] | None = None) -> Certificate | None:
        """Return the best cycle as a certificate of type ``cycle``, or None while there is none."""
        if self.best is None:
            return None
        return cycle_certificate(self.best, self.policy, provenance=provenance)

    # Checkpoints

    @property
    def symmetry(self) -> Symmetry:
        """Which states of the product graph count as the same."""
        return self._graph.symmetry

    @property
    def identity(self) -> dict[str, object]:
        """What a checkpoint must agree with."""
        return {
            "policy": self.policy.spec,
            "instance": self.instance.plain,
            "objective": self.objective,
            "seed": self.seed,
            "max_states": self.max_states,
            "symmetric": self.symmetric,
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything needed to continue; the file takes its name only when it is complete."""
        facts = {
            "search": self.identity,
            "progress": asdict(self.progress),
            "best": None if self.best is None else {**asdict(self.best), "instance": None},
            "symmetry": list(self.symmetry),
            "period": self._period,
            "worth": str(self._worth),
            "rng": self._rng.bit_generator.state,
        }
        arrays: dict[str, Any] = {
            "facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
            "frontier": self._frontier,
            "scores": self._scores,
            **self._graph.arrays(),
        }
        with atomic_write(path, "wb") as stream:
            np.savez(stream, **arrays)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Continue from a checkpoint of the same search.

        Raises
        ------
        ModelError
            The file is damaged, or belongs to another search.
        NoCycleError
            The policy does not behave as it did when the checkpoint was written.
        """
        try:
            with np.load(Path(path), allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
            facts = json.loads(arrays.pop("facts").tobytes())
            theirs = facts["search"]
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path}: no checkpoint of a search ({error})") from error
        for name, value in self.identity.items():
            if theirs.get(name) != value:
                raise ModelError(
                    f"{path}: the checkpoint is of another search: {name} is {theirs.get(name)}, not {value}"
                )
        self.progress = SearchProgress(**facts["progress"])
        if facts["best"] is not None:
            lists = {name: tuple(facts["best"][name]) for name in ("prefix", "requests")}
            self.best = Cycle(**{**facts["best"], **lists, "instance": self.instance})
            self.best.check(self.policy)
        self._frontier, self._scores = arrays.pop("frontier"), arrays.pop("scores")
        symmetry = Symmetry(*facts["symmetry"])
        self._graph = ProductGraph(self.policy, self.instance, symmetry=symmetry)
        self._graph.restore(arrays)
        self._period, self._worth = facts["period"], Fraction(facts["worth"])
        self._rng.bit_generator.state = facts["rng"]


def run_period(
    serve: Serve,
    update: Callable[[Numbers, int, int], int],
    requests: NDArray[np.int32],
    frame: Frame,
    cache: int,
    atomic: bool,
    repeats: int,
) -> tuple[int, int, int]:
    """Repeat a period until labels and work function return; return both costs in between, and the periods.

    A period has whole rounds. Plain loops over integer arrays: the same text runs as Python and compiled.
    All 0 if nothing returns.
    """
    pages, group = len(frame.layer_of), frame.per_visit
    waiting = np.zeros(group, dtype=np.bool_)
    labels = np.zeros(pages, dtype=np.int64)
    work = np.zeros(pages, dtype=np.int64)
    history = np.zeros((repeats + 1, 2 * pages + 2), dtype=np.int64)
    online = 0
    offline = 0
    for r in range(1, repeats + 1):
        for start in range(0, len(requests), group):
            slot = start % (frame.layers * group)
            waiting[:] = True
            # An atomic visit serves its hits first; OPT is asked for its pages twice.
            for hits in range(1 if atomic else 0, -1, -1):
                for i in range(group):
                    page = requests[start + i]
                    if not waiting[i] or (hits == 1 and labels[page] <= 0):
                        continue
                    waiting[i] = False
                    if labels[page] <= 0:
                        online += 1
                    serve(labels, page, slot, frame)
                    slot += 1
                    if atomic:
                        frame.held[page] = True
                    offline += update(work, page, cache)
            if atomic:
                for i in range(group):
                    update(work, requests[start + i], cache)
                    frame.held[requests[start + i]] = False
        history[r, :pages] = labels
        history[r, pages : 2 * pages] = work
        history[r, 2 * pages] = online
        history[r, 2 * pages + 1] = offline
        for earlier in range(r - 1, -1, -1):
            same = True
            for q in range(2 * pages):
                if history[earlier, q] != history[r, q]:
                    same = False
                    break
            if same:
                return (
                    online - history[earlier, 2 * pages],
                    offline - history[earlier, 2 * pages + 1],
                    r - earlier,
                )
    return 0, 0, 0


def _runner(policy: Policy) -> tuple[Any, Any, Any]:
    """Return ``run_period`` with its two functions, compiled if the policy's definition compiles."""
    if not inspect.ismethod(policy.serve):
        return _compiled_runner(policy.serve)
    return run_period, policy.serve, update_work_function


@lru_cache(maxsize=64)
def _compiled_runner(serve: Serve) -> tuple[Any, Any, Any]:
    import numba
    from numba.core.errors import NumbaError

    parts = numba.njit(run_period), numba.njit(serve), numba.njit(update_work_function)
    frame = LayeredInstance(1, 2, 1).frame
    try:
        parts[0](parts[1], parts[2], np.zeros(1, dtype=np.int32), frame, 1, False, 1)
    except NumbaError:
        return run_period, serve, update_work_function
    return parts
