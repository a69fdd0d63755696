"""Policies around policies that may be badly wrong: guarding pages, and following the cheaper of two."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from paging.errors import LimitError, ModelError
from paging.model import Frame, Kind, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.policy import Criterion, Outcomes, Policy, get_policy, run_kernel


class Guarded(Policy):
    """GUARD: a policy with predictions, held back where it evicts what comes back in the same phase.

    A phase begins at a fault that finds no old page: the cached pages are old then, and stop being so when
    they are requested. A fault on a page that was evicted in the phase under way evicts an old page chosen
    uniformly at random, and guards the requested page until the phase ends. On every other fault the inner
    policy chooses among the pages that are not guarded.

    Parameters
    ----------
    policy : str or Policy, default "blind-oracle"
        Serves where it may. It must be able to leave some pages out of sight, as ``blind-oracle``,
        ``mark-predict`` and ``random`` can.

    Label
    -----
    4·(label of the inner policy) + 2·guarded + old; −1 for a page evicted in the phase.

    Guarantee
    ---------
    Around ``blind-oracle`` it pays OPT where all predictions are true (bound ``guard-consistent``), and
    2H_{k−1} + 2 times as much whatever they are (``guard-robust``).

    References
    ----------
    Guard2025
    """

    id, title = "guard", "a policy around which pages that came back are guarded"
    traits = frozenset({"online", "demand"})
    in_order = True

    def __init__(self, policy: str | Policy = "blind-oracle") -> None:
        self.policy = get_policy(policy)
        if not self.policy.separable:
            raise ModelError(f"guard does not go around policy {self.policy.name}, which must see all pages")

    @property
    def predictions(self) -> Kind | None:  # type: ignore[override]
        """Those of the inner policy."""
        return self.policy.predictions

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        cached = labels > 0
        inner, flags = np.where(cached, labels >> 2, 0), np.where(cached, labels & 3, 0)
        gone = labels < 0
        if cached[page] or np.count_nonzero(cached) < frame.cache:
            return self._served(inner, flags, gone, page, slot, frame, 0)
        if not (flags & 1).any():
            flags, gone = np.where(cached, 1, 0), np.zeros_like(gone)
        if not gone[page]:
            seen = np.where(flags & 2, 0, inner)
            fewer = frame._replace(cache=frame.cache - int(np.count_nonzero(flags & 2)))
            return self._served(seen, flags, gone, page, slot, fewer, 0, inner - seen)
        old = np.flatnonzero(flags & 1)
        results = []
        for victim in old:
            rest, left = inner.copy(), gone.copy()
            rest[victim], left[victim] = 0, True
            for chance, after in self._served(rest, flags, left, page, slot, frame, 2):
                results.append((chance / len(old), after))
        return results

    def _served(
        self,
        seen: LabelArray,
        flags: LabelArray,
        gone: np.ndarray[tuple[int], np.dtype[np.bool_]],
        page: int,
        slot: int,
        frame: Frame,
        guarded: int,
        unseen: LabelArray | int = 0,
    ) -> Outcomes:
        """Let the inner policy serve the pages that it sees, and put flags and the others back."""
        results = []
        for chance, served in self.policy.outcomes(seen.copy(), page, slot, frame):
            inner = served + unseen
            kept = flags.copy()
            kept[page] = (flags[page] | guarded) & 2
            left = gone | ((seen > 0) & (served <= 0))
            after = np.where(inner > 0, 4 * inner + kept, np.where(left, -1, 0))
            results.append((chance, after.astype(np.int64)))
        return results

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        cached = labels > 0
        old = labels & 1
        if not old[cached].any():
            guarded = np.zeros_like(labels)
        elif page is not None and labels[page] < 0:
            return (Criterion(old, "largest", "old", "not requested in this phase", shown=False),)
        else:
            guarded = labels >> 1 & 1
        free = Criterion(guarded, "smallest", "guard", "not guarded", shown=False)
        inner = np.where(cached, labels >> 2, 0)
        return free, *self.policy.criteria(inner, page, slot, frame)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        if self.policy.id != "blind-oracle":
            return None
        return run_kernel("guarded_oracle", sequence, entries, sequence.predictions, rng)


DIGIT = 20
"""Bits that ``cheaper`` has on a page for a label of either policy, and for a part of their costs."""

LARGEST = 1 << (DIGIT - 1)


class Cheaper(Policy):
    """Follow one of two policies, and change over when it has cost twice as much as the other.

    Both are simulated. The cache follows the one, lazily: a page is loaded when it is requested, in the place
    of a page that the followed policy does not hold (of these the one with the lowest id). At the start the
    first one is followed.

    Parameters
    ----------
    a, b : str or Policy
        The two, such as one with predictions and a robust one without.

    Label
    -----
    ± a packed number of the labels of both policies; the first two pages hold their costs as well, and the
    first one who is followed.

    Guarantee
    ---------
    At most 3·min(A, B) + k·(log₂ min(A, B) + 1) faults (docs/predictions.md; around the default two policies
    bound ``cheaper-upper``).

    References
    ----------
    FKLMSY1991: combining two policies, there with other constants
    """

    id, title = "cheaper", "follow one of two policies until it costs twice as much as the other"
    in_order = True

    def __init__(self, a: str | Policy = "flush-when-kept-lazy", b: str | Policy = "lru") -> None:
        self.a, self.b = get_policy(a), get_policy(b)
        kinds = {self.a.predictions, self.b.predictions} - {None}
        if len(kinds) > 1:
            raise ModelError(f"cheaper: {self.a.name} and {self.b.name} take predictions of different kinds")
        if self.a.per_layer or self.b.per_layer:
            raise ModelError("cheaper does not go around policies that split the cache")
        self._kind = next(iter(kinds), None)
        both = self.a.traits & self.b.traits
        self.traits = frozenset({"online", "demand"}) | (both & {"deterministic"})

    @property
    def predictions(self) -> Kind | None:  # type: ignore[override]
        """Those of the two policies."""
        return self._kind

    @property
    def counts_visits(self) -> bool:  # type: ignore[override]
        """As either of the two does."""
        return self.a.counts_visits or self.b.counts_visits

    def check(self, instance: LayeredInstance) -> None:
        super().check(instance)
        instance.require("policy cheaper", service="forced")
        self.a.check(instance)
        self.b.check(instance)

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        (_, after), *others = self.outcomes(labels, page, slot, frame)
        assert not others
        labels[:] = after

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        held = labels > 0
        both = [_unpacked(labels, DIGIT), _unpacked(labels, 2 * DIGIT)]
        digits = _unpacked(labels, 0)
        costs, follows = [int(digits[0]) >> 1, int(digits[1]) if len(labels) > 1 else 0], int(digits[0]) & 1
        costs = [cost + int(part[page] <= 0) for cost, part in zip(costs, both, strict=True)]
        if costs[follows] >= 2 * costs[1 - follows]:
            follows = 1 - follows
        results = []
        for chance, one in self.a.outcomes(both[0], page, slot, frame):
            for other_chance, other in self.b.outcomes(both[1], page, slot, frame):
                followed = (one, other)[follows]
                kept = held.copy()
                kept[page] = True
                if np.count_nonzero(kept) > frame.cache:
                    kept[int(np.flatnonzero(kept & (followed <= 0))[0])] = False
                digits = np.zeros_like(labels)
                if len(labels) > 1:
                    digits[:2] = 2 * costs[0] + follows, costs[1]
                results.append((chance * other_chance, _packed(kept, digits, one, other)))
        return _merged(results)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        words = "not held by the policy that is followed"
        return (Criterion(labels, "", "packed labels", words, shown=False),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        """Serve with both kernels, and follow what they did."""
        runs = []
        for policy in (self.a, self.b):
            told = sequence
            if policy.predictions is None and sequence.kind is not None:
                told = sequence.plain
            done = np.zeros(len(sequence), dtype=np.int32)
            faults = policy.kernel(told, done, rng)
            if faults is None or "demand" not in policy.traits:
                return None
            runs.append(done)
        return run_kernel("follow_the_cheaper", sequence, entries, *runs)


def _unpacked(labels: LabelArray, shift: int) -> LabelArray:
    """Return the parts of packed labels at a shift; signed but for the lowest."""
    code = np.where(labels > 0, labels - 1, -labels) >> shift & ((1 << DIGIT) - 1)
    return code if shift == 0 else (code ^ LARGEST) - LARGEST


def _packed(
    held: np.ndarray[tuple[int], np.dtype[np.bool_]], digits: LabelArray, *parts: LabelArray
) -> LabelArray:
    code = digits.copy()
    if digits.max() >= 2 * LARGEST or any(np.abs(part).max() >= LARGEST for part in parts):
        raise LimitError(
            "policy cheaper by its definition: labels and costs of the two policies must stay below "
            f"{LARGEST}; longer runs need kernels of both"
        )
    for number, part in enumerate(parts, 1):
        code |= (part & ((1 << DIGIT) - 1)) << (number * DIGIT)
    packed: LabelArray = np.where(held, code + 1, -code)
    return packed


def _merged(results: Outcomes) -> Outcomes:
    """Join outcomes with equal labels."""
    joined: dict[bytes, tuple[Fraction, LabelArray]] = {}
    for chance, labels in results:
        key = labels.tobytes()
        joined[key] = (joined[key][0] + chance if key in joined else chance, labels)
    return list(joined.values())
