"""Kernel of randomised weighted paging: a fractional solution, and equally likely caches that follow it.

The caches are the rows of a table ``absent``, a column for every page. Four things are kept up after every
request:

- *fractional*: the missing fractions add up to n − k;
- *consistent*: page p is absent from ``units[p]`` of the caches, the fraction y_p to the nearest whole
  numbers;
- *balanced*: from the classes ≥ j every cache misses ⌊Y⌋ or ⌈Y⌉ pages, Y the average, for every j;
- *valid*: no cache holds more than k pages, all hold the requested one.
"""

import math

import numpy as np
from numpy.typing import NDArray

from paging.kernels.fractional import Reals, time_to_rise
from paging.kernels.jit import compiled
from paging.model import PageArray

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

CLASSES = 24
"""Classes of weights, a factor of :data:`FACTOR` each; what is lighter still belongs to the lowest."""

FACTOR = 6.0

ABSENT, UNITS, BALANCE, HELD = 1, 2, 4, 8
"""Bits of the answer: a wrong table, units, balance, or a cache that is too full or misses the request."""


@compiled
def class_of(weight: float) -> int:
    """Return the class of a weight in (0, 1]: 23 from 1/1 on, 22 from 1/6 on, and so forth."""
    number = CLASSES - 1
    while weight < 1.0 and number > 0:
        weight *= FACTOR
        number -= 1
    return number


@compiled
def _count(counts: Integers, row: int, number: int, change: int) -> None:
    for j in range(number + 1):
        counts[row, j] += change


@compiled
def _evict(
    absent: Bytes, stored: Bytes, counts: Integers, evicted: Integers, classes: Integers, row: int, page: int
) -> None:
    absent[row, page] = 1
    stored[row, page] = 1
    evicted[page] += 1
    _count(counts, row, classes[page], 1)


@compiled
def _whole_rises(missing: Reals, units: Integers, rows: int, page: int, wanted: int, added: Integers) -> None:
    """Distribute ``wanted`` new absences over the pages, so that units follow the missing fractions."""
    pages = len(missing)
    rest = np.empty(pages)
    total = 0
    for q in range(pages):
        need = missing[q] * rows - units[q]
        added[q] = max(0, math.floor(need + 1e-9))
        rest[q] = need - added[q]
        if q == page:
            added[q] = 0
        total += added[q]
    order = np.argsort(rest)
    while total < wanted:
        before = total
        for i in range(pages - 1, -1, -1):
            q = order[i]
            if total < wanted and q != page and units[q] + added[q] < rows:
                added[q] += 1
                total += 1
        if total == before:
            return
    while total > wanted:
        for i in range(pages):
            q = order[i]
            if total > wanted and added[q] > 0:
                added[q] -= 1
                total -= 1


@compiled
def _move(
    absent: Bytes,
    stored: Bytes,
    counts: Integers,
    evicted: Integers,
    classes: Integers,
    fuller: int,
    emptier: int,
    number: int,
) -> bool:
    """Let the cache that misses more load a page of a class that the other one then drops."""
    for q in range(absent.shape[1]):
        if classes[q] == number and absent[fuller, q] == 1 and absent[emptier, q] == 0:
            absent[fuller, q] = 0
            _count(counts, fuller, number, -1)
            _evict(absent, stored, counts, evicted, classes, emptier, q)
            return True
    return False


@compiled
def _rebalance(
    absent: Bytes,
    stored: Bytes,
    counts: Integers,
    evicted: Integers,
    classes: Integers,
    units: Integers,
) -> bool:
    """Move pages between caches until every class prefix is balanced, from the heavy classes down.

    A cache that misses too many pages of the classes ≥ j has, as the classes above are balanced, a page of
    class j absent that one which misses fewer than the average holds: exchanging it brings both nearer.
    """
    rows = absent.shape[0]
    lowest = classes.min()
    for number in range(CLASSES - 1, lowest - 1, -1):
        total = 0
        for q in range(len(units)):
            if classes[q] >= number:
                total += units[q]
        low, high = total // rows, -(-total // rows)
        under, level = 0, 0
        for row in range(rows):
            while counts[row, number] > high:
                while under < rows and counts[under, number] >= low:
                    under += 1
                other = under
                if under == rows:
                    while counts[level, number] >= high:
                        level += 1
                    other = level
                if not _move(absent, stored, counts, evicted, classes, row, other, number):
                    return False
        level = 0
        for row in range(rows):
            while counts[row, number] < low:
                while counts[level, number] <= low:
                    level += 1
                if not _move(absent, stored, counts, evicted, classes, level, row, number):
                    return False
    return True


@compiled
def _follow(
    missing: Reals,
    absent: Bytes,
    stored: Bytes,
    counts: Integers,
    evicted: Integers,
    classes: Integers,
    units: Integers,
    added: Integers,
    page: int,
    cache: int,
) -> bool:
    """Let the caches follow the fractional solution after the fractions have risen."""
    rows, pages = absent.shape
    wanted = (pages - cache) * rows - units.sum()
    if wanted > 0:
        _whole_rises(missing, units, rows, page, wanted, added)
        begin = 0
        for q in range(pages):
            left = added[q]
            if left == 0:
                continue
            units[q] += left
            # First where a page is wanted anyway, then anywhere; rebalancing puts that right.
            while begin < rows and counts[begin, 0] >= pages - cache:
                begin += 1
            row = begin
            while left > 0 and row < rows:
                if counts[row, 0] < pages - cache and absent[row, q] == 0:
                    _evict(absent, stored, counts, evicted, classes, row, q)
                    left -= 1
                row += 1
            row = 0
            while left > 0 and row < rows:
                if absent[row, q] == 0:
                    _evict(absent, stored, counts, evicted, classes, row, q)
                    left -= 1
                row += 1
    return _rebalance(absent, stored, counts, evicted, classes, units)


@compiled
def broken(
    absent: Bytes, counts: Integers, classes: Integers, units: Integers, page: int, cache: int, whole: bool
) -> int:
    """Return which of the caches' invariants do not hold; ``whole`` counts the table anew."""
    rows, pages = absent.shape
    problem = 0
    if units[page] != 0 or units.sum() < (pages - cache) * rows:
        problem |= UNITS
    for number in range(classes.min(), CLASSES):
        total = 0
        for q in range(pages):
            if classes[q] >= number:
                total += units[q]
        low, high = total // rows, -(-total // rows)
        for row in range(rows):
            if not low <= counts[row, number] <= high:
                problem |= BALANCE
    for row in range(rows):
        if counts[row, 0] < pages - cache or absent[row, page] == 1:
            problem |= HELD
    if whole:
        for q in range(pages):
            if absent[:, q].astype(np.int64).sum() != units[q]:
                problem |= ABSENT
        for row in range(rows):
            for number in range(CLASSES):
                found = 0
                for q in range(pages):
                    if absent[row, q] == 1 and classes[q] >= number:
                        found += 1
                if found != counts[row, number]:
                    problem |= ABSENT
    return problem


@compiled
def sample_of(mean: float, uniform: float, kind: int) -> float:
    """Return a sample with a mean in (0, 1]: the mean (0), uniform around it (1), or its half or 1 (2)."""
    if kind == 1:
        width = min(mean, 1.0 - mean)
        return max(1e-300, mean + width * (2.0 * uniform - 1.0))
    if kind == 2:
        least = 0.5 * mean
        return 1.0 if uniform < (mean - least) / (1.0 - least) else least
    return mean


@compiled
def rounded(
    requests: PageArray,
    weights: Reals,
    cache: int,
    eta: float,
    known: bool,
    horizon: float,
    kind: int,
    uniforms: Reals,
    absent: Bytes,
    missing: Reals,
    row: int,
    hits: Bytes,
    costs: Reals,
    dropped: Integers,
    extra: Integers,
    whole: bool,
) -> tuple[int, int, float]:
    """Serve a stretch of requests from empty caches; return (problem, samples used, largest deviation).

    Parameters
    ----------
    requests : ndarray of int32, shape (T,)
        Page ids.
    weights : ndarray of float64, shape (n,)
        Mean weights in (0, 1].
    cache : int
        Slots k < n.
    eta : float
        Of the speed at which fractions rise, (y + η)/price.
    known : bool
        Whether prices are the weights; else bounds from samples, as evicting shows them.
    horizon : float
        Number of requests that the bounds are to hold for.
    kind : int
        How samples are distributed, see :func:`sample_of`; ``uniforms`` is what they are drawn from.
    absent : ndarray of uint8, shape (rows, n)
        All 1 at the start.
    missing : ndarray of float64, shape (n,)
        All 1 at the start.
    row : int
        Cache whose hits are recorded in ``hits``, shape (T,).
    costs : ndarray of float64, shape (2,)
        Added to: fractional cost at mean weights, and at the upper bounds.
    dropped, extra : ndarray of int64, shape (n,)
        Added to: evictions of every page in all caches, and those made only to see a sample.
    whole : bool
        Whether the table is counted anew after every request.
    """
    rows, pages = absent.shape
    stored = np.zeros((rows, pages), dtype=np.uint8)
    units = np.full(pages, rows, dtype=np.int64)
    added = np.zeros(pages, dtype=np.int64)
    evicted = np.zeros(pages, dtype=np.int64)
    classes = np.full(pages, CLASSES - 1, dtype=np.int64)
    prices, upper = weights.copy(), np.ones(pages)
    sums, seen, risen = np.zeros(pages), np.zeros(pages, dtype=np.int64), np.zeros(pages)
    if known:
        upper = weights
        for q in range(pages):
            classes[q] = class_of(weights[q])
    counts = np.zeros((rows, CLASSES), dtype=np.int64)
    for q in range(pages):
        for r in range(rows):
            _count(counts, r, classes[q], 1)
    log = math.log(4.0 * (float(pages) * horizon) ** 3)
    asked = np.zeros(pages, dtype=np.uint8)
    target = float(pages - cache)
    used, deviation = 0, 0.0
    for t in range(len(requests)):
        page = requests[t]
        hits[t] = 1 - absent[row, page]
        missing[page] = 0.0
        units[page] = 0
        for r in range(rows):
            if absent[r, page] == 1:
                absent[r, page] = 0
                _count(counts, r, classes[page], -1)
        if not known and seen[page] == 0:
            asked[page] = 1
        while True:
            for q in range(pages):
                if asked[q] == 1:
                    asked[q] = 0
                    sample = sample_of(weights[q], uniforms[used], kind)
                    used += 1
                    seen[q] += 1
                    sums[q] += sample
                    if seen[q] == 1:
                        prices[q] = sample / (2.0 * float(pages) ** 2 * horizon)
                    else:
                        mean, margin = sums[q] / seen[q], math.sqrt(log / (2.0 * seen[q]))
                        prices[q] = max(prices[q], mean - margin)
                        upper[q] = min(upper[q], mean + margin)
                    for r in range(rows):
                        if stored[r, q] == 0:
                            extra[q] += 1
                        stored[r, q] = 0
                    number = class_of(upper[q])
                    for r in range(rows):
                        if absent[r, q] == 1:
                            for j in range(number + 1, classes[q] + 1):
                                counts[r, j] -= 1
                    classes[q] = number
            time = time_to_rise(missing, prices, eta, page, target)
            if time <= 0.0:
                break
            event = -1
            if not known:
                for q in range(pages):
                    if q != page and missing[q] < 1.0:
                        goal = missing[q] + math.floor(risen[q]) + 1.0 - risen[q]
                        if goal <= 1.0:
                            when = prices[q] * math.log((goal + eta) / (missing[q] + eta))
                            if when <= time:
                                time, event = when, q
            for q in range(pages):
                if q != page and missing[q] < 1.0:
                    after = min(1.0, (missing[q] + eta) * math.exp(time / prices[q]) - eta)
                    if q == event:
                        after = min(1.0, missing[q] + math.floor(risen[q]) + 1.0 - risen[q])
                        risen[q] = math.floor(risen[q]) + 1.0
                        asked[q] = 1
                    else:
                        risen[q] += after - missing[q]
                    costs[0] += weights[q] * (after - missing[q])
                    costs[1] += upper[q] * (after - missing[q])
                    missing[q] = after
            if event < 0:
                break
        evicted[:] = 0
        if not _follow(missing, absent, stored, counts, evicted, classes, units, added, page, cache):
            return BALANCE, used, deviation
        for q in range(pages):
            dropped[q] += evicted[q]
            deviation = max(deviation, abs(missing[q] * rows - units[q]))
        problem = broken(absent, counts, classes, units, page, cache, whole)
        if problem != 0:
            return problem, used, deviation
    return 0, used, deviation
