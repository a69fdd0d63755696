"""More than one page a visit: OPT without labels, lemmas of docs/visits.md, bounds beside exact values."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterator
from fractions import Fraction
from functools import cache as remembered
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from adversary.construction import get_construction
from paging import (
    HIT,
    LayeredInstance,
    RequestSequence,
    WorkFunction,
    farthest_in_future,
    get_policy,
    simulate,
)
from paging.work_function import update_work_function
from proofs.bounds.registry import get_bound
from proofs.game.value import rule_ratio, solve_game

DOCS = Path(__file__).parents[2] / "docs"
LOWER = ("visits-lower", "visits-lower-late", "visits-lower-one-layer", "atomic-lower")


@pytest.mark.parametrize(
    ("pages", "cache", "group"),
    [
        ((5,), 3, 2),
        ((6,), 4, 3),
        ((5,), 2, 2),
        ((3, 3), 4, 2),
        ((3, 3), 3, 3),
        ((2, 3, 2), 5, 2),
        ((4,), 3, 3),
    ],
)
def test_labels_served_twice_are_the_work_function_of_atomic_visits(
    pages: tuple[int, ...], cache: int, group: int
) -> None:
    """Least costs of every cache, one by one, beside those that the labels say."""
    instance = LayeredInstance(len(pages), pages, cache, group, "atomic")
    every = range(instance.total_pages)
    caches = [frozenset(c) for size in range(cache + 1) for c in combinations(every, size)]
    rng = np.random.default_rng(5)
    for _ in range(4):
        costs = {c: len(c) for c in caches}  # to hold c at the start it has to be loaded
        work = WorkFunction(LayeredInstance(len(pages), pages, cache))
        for t in range(25):
            layer = instance.pages_of(t % instance.layers)
            # Few pages often, others now and then, so that labels differ.
            few = len(layer) if rng.random() < 0.4 else group
            asked = [layer[i] for i in rng.permutation(few)[:group]]
            old = min(costs.values())
            ending = {d: cost for d, cost in costs.items() if d >= set(asked)}
            ending = {d: min(cost + len(d - c) for c, cost in costs.items()) for d in ending}
            costs = {c: min(cost + len(c - d) for d, cost in ending.items()) for c in caches}
            first, second = (sum(map(work.serve, asked)) for _ in range(2))
            assert (first, second) == (min(costs.values()) - old, 0)
            assert all(work.labels[page] == cache for page in asked)
            best = set(work.optimal_caches())
            full = {c for c, cost in costs.items() if cost == work.cost and len(c) == len(next(iter(best)))}
            assert best == full
            near = {c: work.cost + min(len(c - b) for b in best) for c in caches}
            assert near == costs
        assert update_work_function(np.array(work.labels), asked[0], cache) == 0


# Exact values beside the theorems and conjectures


class Row(NamedTuple):
    """A line of docs/data/visits.csv."""

    instance: LayeredInstance
    lower: Fraction
    upper: Fraction
    rule: str
    ratio: Fraction | None

    @property
    def excess(self) -> int:
        return self.instance.cache - self.instance.round_length


@remembered
def rows() -> tuple[Row, ...]:
    with (DOCS / "data" / "visits.csv").open(encoding="utf-8") as file:
        return tuple(row_of(line) for line in csv.DictReader(file))


def row_of(line: dict[str, str]) -> Row:
    sizes = (int(line[name]) for name in ("layers", "pages", "cache", "per_visit"))
    ratio = Fraction(line["rule_ratio"]) if line["rule_ratio"] not in ("", "inf") else None
    instance = LayeredInstance(*sizes, line["visits"])  # type: ignore[arg-type]
    return Row(instance, Fraction(line["lower"]), Fraction(line["upper"]), line["rule"], ratio)


def law(instance: LayeredInstance) -> int:
    """Conjecture 1, and what Theorems 5 and 6 and Conjecture 2 say."""
    group, excess = instance.per_visit, instance.cache - instance.round_length
    if instance.visits == "atomic":
        return excess + 1
    roomy = min(instance.pages_by_layer) >= instance.cache + 1 - (instance.layers - 1) * group
    return excess + min(group, 4 if instance.layers == 1 else 3 if roomy else 2)


def test_theorems_and_exact_values_agree() -> None:
    spoken = dict.fromkeys((*LOWER, "zrc-atomic", "zrc-atomic-half"), 0)
    for row in rows():
        for name in LOWER:
            if get_bound(name).excluded(row.instance) is None:
                spoken[name] += 1
                assert get_bound(name).at(row.instance) <= row.upper
        for name in ("zrc-atomic", "zrc-atomic-half"):
            if get_bound(name).excluded(row.instance) is None:
                spoken[name] += 1
                assert get_bound(name).at(row.instance) >= (row.ratio or row.lower)
    assert min(spoken.values()) >= 10, spoken


def test_the_conjectures_hold_where_docs_say() -> None:
    text = (DOCS / "visits.md").read_text(encoding="utf-8").replace("\n", " ")
    known = [row for row in rows() if row.lower == row.upper and row.excess >= 0]
    above = sum(row.excess >= 0 for row in rows())
    assert f"on {len(rows())} instances" in text
    assert f"Of these {above} have k ≥ ℓg" in text
    first, open_, both, far = 0, 0, 0, []
    for row in known:
        instance = row.instance
        if instance.visits == "sequential":
            if row.ratio is not None:
                far.append(row.ratio == row.lower)
            if row.excess == 0 and instance.per_visit == 2 and instance.layers > 1:
                assert row.lower == {2: Fraction(5, 2), 3: Fraction(8, 3)}[instance.layers]
            else:
                first += 1
                assert row.lower == law(instance)
            continue
        both += row.ratio is not None
        assert row.ratio in (None, row.lower)
        if row.excess == 0:
            assert row.lower == 2 - Fraction(1, instance.layers)
        elif row.excess == 1 and row.lower != 2:
            assert (instance.layers, instance.pages, instance.cache) in {(3, 4, 7), (4, 3, 9)}
            assert row.lower == Fraction(7, 3)
        else:
            assert row.lower == law(instance)
            open_ += row.excess >= 2 and instance.cache < (2 * instance.layers - 1) * instance.per_visit
    assert f"It holds on {first} instances" in text
    assert f"It holds on {open_} such instances" in text
    assert f"on {sum(far)} of {len(far)} instances" in text
    assert f"on all {both} instances" in text


def test_some_values_are_what_the_table_says() -> None:
    for row in rows()[::12]:
        if row.instance.total_pages <= 7:
            found = solve_game(row.instance, full=True)
            assert (found.lower, found.upper) == (row.lower, row.upper)
            assert rule_ratio(row.rule, row.instance).ratio == row.ratio


# From below


@pytest.mark.parametrize("policy", ["lru", "far-lab"])
@pytest.mark.parametrize(
    ("layers", "pages", "cache", "group"),
    [
        (2, 4, 5, 2),
        (1, 6, 5, 2),
        (2, 5, 7, 3),
        (2, 4, 6, 3),
        (1, 5, 4, 3),
        (1, 7, 6, 5),
        (1, 5, 4, 4),
        (3, 4, 7, 2),
    ],
)
def test_free_entries_are_as_few_as_the_proofs_say(
    policy: str, layers: int, pages: int, cache: int, group: int
) -> None:
    """Phase by phase: k entries; free ones in a layer's first whole visit alone; faults as promised."""
    instance = LayeredInstance(layers, pages, cache, group)
    made = get_construction("missing-in-visit")(instance, policy=policy, rounds=120)
    requests, entries = made.sequence.requests.tolist(), made.run().entries
    assert entries is not None
    starts = [*made.boundaries]
    late = made.values["m"] > 2
    assert len(starts) > 4
    for start, end in pairwise(starts):
        assert start % group == (group - 1 if late else 0)
        old: set[int] = set()
        free, refaults, whole = 0, 0, set()
        for t in range(start, end):
            page, layer = requests[t], instance.layer_at(t)
            if page not in old and entries[t] == HIT:
                free += 1
                assert layer not in whole  # Lemma 1(a)
            refaults += page in old and entries[t] != HIT
            old.add(page)
            if t % group == group - 1 and t - group + 1 >= start:
                whole.add(layer)
            if len(old) == cache:
                missing = whole ^ set(range(layers))
                assert not missing or (late and cache == layers * group and len(missing) == 1)  # (b), (c)
        assert len(old) == cache
        faults = sum(entries[t] != HIT for t in range(start, end))
        assert faults == cache - free + refaults >= cache - layers * group + made.values["m"]


# Atomic visits from above: every step of Theorem 6, on all states with the history that it speaks of

Family = frozenset[frozenset[int]]


class Situation(NamedTuple):
    """What a visit finds: the family of optimal caches, the cache, and history.

    ``last`` is each layer's last visit, ``quiet`` how many visits ago the last one with an increment was (at
    most ℓ), both from the layer served next on.
    """

    family: Family
    cached: frozenset[int]
    last: tuple[frozenset[int], ...]
    quiet: int
    layer: int


def rank_of(family: Family, pages: frozenset[int]) -> int:
    return max(len(pages & best) for best in family)


def requested(family: Family, page: int) -> tuple[Family, int]:
    """Fact 1."""
    kept = frozenset(best for best in family if page in best)
    if kept:
        return kept, 0
    return frozenset(best - {x} | {page} for best in family for x in best), 1


def open_pages(family: Family) -> frozenset[int]:
    return frozenset().union(*family) - frozenset.intersection(*family)


def visited(instance: LayeredInstance, at: Situation, asked: tuple[int, ...]) -> Iterator[Situation]:
    """All situations after an atomic visit, for every tie; the lemmas are asserted on the way."""
    family, layers, group = at.family, instance.layers, instance.per_visit
    visit, before = frozenset(asked), open_pages(at.family) - at.cached
    faults = visit - at.cached
    increments = revealed = 0
    for page in asked:
        family, paid = requested(family, page)
        increments += paid
        revealed += page in faults and not paid
    assert increments == group - rank_of(at.family, visit)  # Theorem 1, step 2
    for page in asked:
        family, paid = requested(family, page)
        assert not paid
    assert all(visit <= best for best in family)
    assert len(faults) <= increments + revealed
    assert rank_of(family, before - visit) <= rank_of(at.family, before) - revealed  # Fact 4
    sure, alive = frozenset.intersection(*family), frozenset().union(*family)
    own = frozenset(instance.pages_of(at.layer))
    leaving = max(0, len(at.cached | visit) - instance.cache)
    others = (at.cached | visit) - visit
    gone: frozenset[int] = frozenset()
    tied = frozenset[int]()
    for kind in (others - alive, (others & alive & own) - sure, (others & alive) - own - sure):
        if len(gone | tied) >= leaving:
            break
        gone, tied = gone | tied, kind
    assert len(gone | tied) >= leaving  # there is a victim
    quiet = 0 if increments else min(layers, at.quiet + 1)
    for chosen in combinations(sorted(tied), max(0, leaving - len(gone))):
        victims = (gone if leaving else frozenset()) | set(chosen)
        assert len(victims) == leaving
        after = (at.cached | visit) - victims
        last = (*at.last[1:], visit)
        assert frozenset().union(*last) <= after  # (i)
        if quiet < layers:
            assert victims & alive <= own  # (ii)
        assert sure <= after
        missing = open_pages(family) - after
        assert rank_of(family, missing) <= rank_of(at.family, before) + increments  # (iv)
        yield Situation(family, after, last, quiet, (at.layer + 1) % layers)


def starts(instance: LayeredInstance) -> Iterator[Situation]:
    """Caches full of requested pages, the only optimal ones, after a round."""
    layers = [list(combinations(instance.pages_of(j), instance.per_visit)) for j in range(instance.layers)]
    last = tuple(frozenset(first[0]) for first in layers)
    rest = set(range(instance.total_pages)) - set().union(*last)
    for more in combinations(sorted(rest), instance.cache - instance.round_length):
        cached = frozenset().union(*last) | set(more)
        yield Situation(frozenset([cached]), cached, last, instance.layers, 0)


@pytest.mark.parametrize(
    ("layers", "pages", "cache", "group"), [(1, 4, 3, 2), (1, 5, 3, 3), (2, 3, 4, 2), (2, 3, 5, 2)]
)
def test_the_lemmas_hold_in_every_situation(layers: int, pages: int, cache: int, group: int) -> None:
    """All situations, all visits, all ties; and the ratio of Theorem 6 as a potential on them."""
    instance = LayeredInstance(layers, pages, cache, group, "atomic")
    todo, edges = list(starts(instance)), {}
    while todo:
        at = todo.pop()
        if at not in edges:
            edges[at] = [
                (len(set(asked) - at.cached), group - rank_of(at.family, frozenset(asked)), after)
                for asked in combinations(instance.pages_of(at.layer), group)
                for after in visited(instance, at, asked)
            ]
            todo += [after for _, _, after in edges[at]]
    assert len(edges) > 3
    bound = get_bound("zrc-atomic" if cache >= (2 * layers - 1) * group else "zrc-atomic-half").at(instance)
    # (iii) and the phases in one: no walk from a start gains faults over the bound times increments.
    gain = dict.fromkeys(edges, Fraction(0))
    for _ in range(len(edges) + 1):
        changed = False
        for at, out in edges.items():
            for faults, paid, after in out:
                better = faults - Fraction(bound) * paid + gain[after]
                if better > gain[at]:
                    gain[at], changed = better, True
        if not changed:
            break
    assert not changed
    assert all(gain[at] == 0 for at in starts(instance))


@pytest.mark.parametrize("shape", [(2, 4, 6, 2), (2, 4, 5, 2), (1, 5, 4, 3), (3, 3, 7, 2), (2, 5, 9, 3)])
def test_zrc_atomic_pays_at_most_what_theorem_6_says(shape: Any) -> None:
    layers, pages, cache, group = shape
    instance = LayeredInstance(layers, pages, cache, group, "atomic")
    name = "zrc-atomic" if get_bound("zrc-atomic").excluded(instance) is None else "zrc-atomic-half"
    bound = Fraction(get_bound(name).at(instance))
    rng = np.random.default_rng(3)
    sequence = get_construction("missing-in-atomic-visit")(instance, policy="zrc-atomic", rounds=60).sequence
    visits = [rng.permutation(instance.pages_of(t % layers))[:group] for t in range(200)]
    for requests in (sequence.requests, np.concatenate(visits)):
        made = RequestSequence(instance, requests)
        work = np.zeros(instance.total_pages, dtype=np.int64)
        optimum = 0
        for visit in np.split(made.requests, len(made) // group):
            optimum += sum(update_work_function(work, page, cache) for page in [*visit, *visit])
        assert optimum < simulate("zrc-atomic", made).faults <= bound * optimum


Pages = tuple[int, ...]


def least_faults(cache: int, group: int) -> int:
    """Return the fewest faults in a window of Theorem 8, over all policies and caches at its start."""
    pages = range(cache + 1)
    lacked = [m for size in range(1, cache + 2) for m in combinations(pages, size)]
    heap: list[tuple[int, Pages, Pages, Pages]] = [(0, missing, (), ()) for missing in lacked]
    done: set[tuple[Pages, Pages, Pages]] = set()
    while True:
        faults, missing, old, asked = heapq.heappop(heap)
        if (missing, old, asked) in done:
            continue
        done.add((missing, old, asked))
        if len(old) > cache:
            return faults
        free = [p for p in pages if p not in asked]
        last = len(asked) == group - 1
        ripe = [p for p in free if p in missing and (len(old) < cache or p in old or last)]
        ripe.sort(key=lambda p: len(old) == cache and p not in old)  # the last one after the old ones
        page = (ripe or [p for p in free if p in old] or free)[0]
        after = tuple(sorted({*old, page}))
        place = () if last else (*asked, page)
        if page not in missing:
            heapq.heappush(heap, (faults, missing, after, place))
            continue
        heapq.heappush(heap, (faults + 1, missing, after, place))  # not loaded
        rest = {*missing} - {page}
        for out in {*pages} - rest - {page}:
            heapq.heappush(heap, (faults + 1, tuple(sorted({*rest, out})), after, place))
        if rest:
            heapq.heappush(heap, (faults + 1, tuple(sorted(rest)), after, place))


@pytest.mark.parametrize(("cache", "group"), [(2, 2), (3, 2), (3, 3), (4, 2), (4, 3), (4, 4)])
def test_a_window_with_bypassing_has_as_many_faults_as_theorem_8_says(cache: int, group: int) -> None:
    assert least_faults(cache, group) == cache - group + 3


@pytest.mark.parametrize(("pages", "cache", "group"), [(3, 2, 2), (5, 4, 2), (6, 5, 3), (7, 4, 4), (8, 7, 4)])
@pytest.mark.parametrize("policy", ["lru", "fifo", "clock", "llru", "mark-lru"])
def test_the_adversary_of_theorem_8_keeps_its_promise(
    policy: str, pages: int, cache: int, group: int
) -> None:
    instance = LayeredInstance(1, pages, cache, group, bypassing=True)
    made = get_construction("missing-with-bypassing")(instance, policy=policy, rounds=60)
    run = made.run()
    made.check(run)
    assert made.periods > 3
    assert made.offline.faults == farthest_in_future(made.sequence).faults
    assert run.faults >= (cache - group + 3) * made.periods
    if group == 2 and get_bound("bypassing-upper").subject.includes(get_policy(policy)):
        assert run.faults <= (cache + 1) * made.offline.faults + cache
