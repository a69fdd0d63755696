"""Policies that know about layers: LLRU and its variants, and a fixed split of the cache."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from paging.errors import ModelError, UnsupportedModelError
from paging.kernels.jit import helper
from paging.kernels.visits import may_leave
from paging.model import Frame, LabelArray, LayeredInstance, PageArray, RequestSequence, whole_number
from paging.policies.recency import ORDINARY
from paging.policy import (
    Criterion,
    InParts,
    Outcomes,
    Policy,
    get_policy,
    refuse_told,
    run_kernel,
    served_in_parts,
)


@helper
def _shorten(labels: LabelArray, layers: int) -> None:
    """Cut gaps of 2ℓ or more between neighbouring ages down to ℓ … 2ℓ − 1, by multiples of ℓ.

    Over such a gap the older page precedes the younger in every layered order, now and later, and the
    position inside the round is kept: no decision changes, and finitely many labels remain.
    """
    previous, cut = 0, 0
    for q in np.argsort(labels):
        age = labels[q]
        if age > 0:
            if age - previous >= 2 * layers:
                cut += ((age - previous) // layers - 1) * layers
            labels[q] = age - cut
            previous = age


@helper
def _serve_by_age(labels: LabelArray, page: int, slot: int, frame: Frame, variant: int) -> None:
    """Serve with labels 1 + (visits since the last request); the variants differ in the victim's key."""
    layers = frame.layers
    layer = slot // frame.per_visit
    if slot % frame.per_visit == 0:
        for q in range(len(labels)):
            if labels[q] > 0:
                labels[q] += 1
    if labels[page] == 0 and np.count_nonzero(labels) == frame.cache:
        victim, oldest, furthest = -1, -1, -1
        for q in range(len(labels)):
            if labels[q] > 0 and may_leave(frame.held, q):
                since = labels[q] - 1
                wait = (frame.layer_of[q] - layer) % layers
                if wait == 0:
                    wait = layers
                if variant == 2:
                    # Tokens ago: the round under way began `layer` visits ago.
                    age = (since - layer + layers - 1) // layers
                else:
                    age = (wait + since) // layers
                    if variant == 1 and frame.layer_of[q] == layer:
                        age -= 1
                if age > oldest or (age == oldest and wait > furthest):
                    victim, oldest, furthest = q, age, wait
        labels[victim] = 0
    labels[page] = 1
    if labels.max() > 2 * layers:
        _shorten(labels, layers)


def _by_age(labels: LabelArray, slot: int, frame: Frame, variant: int) -> tuple[Criterion, ...]:
    """Return the keys of :func:`_serve_by_age`, before the request."""
    layers, layer = frame.layers, slot // frame.per_visit
    since = labels - (slot % frame.per_visit != 0)
    wait = (frame.layer_of.astype(np.int64) - layer - 1) % layers + 1
    if variant == 2:
        age = (since - layer + layers - 1) // layers
    else:
        age = (wait + since) // layers - (variant == 1) * (frame.layer_of == layer)
    oldest = ("oldest in rounds", "oldest in rounds", "oldest token")[variant]
    return (
        Criterion(age, "largest", "age in rounds", f"{oldest}, last asked for at request {{last}}"),
        Criterion(wait, "largest", "visits to its layer", "its layer comes up last"),
        Criterion(np.arange(len(labels)), "smallest", "number", "lowest page number", shown=False),
    )


class LLRU(Policy):
    """Layered LRU, our reading: oldest in rounds first, ties to the layer that comes up furthest ahead.

    For a cached page q of layer j let last(q) be its last visit and next(q) the next visit of layer j after
    the one under way; age(q) = (next(q) − last(q))/ℓ in rounds. Evict the largest (age(q), next(q)); ties
    that remain (several pages a visit) go to the lowest page id.

    Label
    -----
    1 + visits since the last request, with long gaps shortened so that finitely many labels occur.

    Guarantee
    ---------
    (k + ℓ − 1)-competitive with one page a visit (``L5``), and no better from k = 4ℓ − 1 on
    (``L5-lower``); it is not a marking algorithm and not k-competitive in general (``llru-lower``).

    Bad for
    -------
    ``second-faults``, ``llru-cycles``, and ``L2``, which holds for every deterministic policy.

    References
    ----------
    AMOS2025: our reconstruction; the full text was not at hand
    """

    id, title = "llru", "layered LRU (our reading)"
    traits = ORDINARY | {"stack", "atomic"}
    counts_visits = True
    atomic_kernel = True
    variant: ClassVar[int] = 0

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _serve_by_age(labels, page, slot, frame, 0)

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        return _by_age(labels, slot, frame, self.variant)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        instance = sequence.instance
        if sequence.places is not None:
            return None
        return run_kernel(
            "llru",
            sequence,
            entries,
            instance.layers,
            instance.per_visit,
            self.variant,
            instance.visits == "atomic",
        )

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts:
        return served_in_parts("LlruInParts", instance, self.variant)


class LLRULazy(LLRU):
    """LLRU that does not count the visit under way for pages of the layer being served.

    As ``llru``, but the age of a page of the layer being served is one smaller; its place in a tie stays.

    Label
    -----
    As for ``llru``.

    Guarantee
    ---------
    (k + max(ℓ − 2, 0))-competitive with one page a visit (``llru-lazy-upper``), and no better from
    k = 3ℓ − 1 on (``llru-lazy-lower``).

    Bad for
    -------
    ``second-faults-lazy``, and ``L2``, which holds for every deterministic policy.

    References
    ----------
    here: not the paper's rule
    """

    id, title = "llru-lazy", "layered LRU, the visit under way not counted"
    traits = ORDINARY | {"stack", "atomic"}
    variant = 1

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _serve_by_age(labels, page, slot, frame, 1)


class LLRUToken(LLRU):
    """LRU by tokens: the smallest token ⌊last(q)/ℓ⌋ leaves, ties to the largest next(q).

    Ties that remain go to the lowest page id.

    Label
    -----
    As for ``llru``.

    Guarantee
    ---------
    None proved here.

    References
    ----------
    here: not the paper's rule
    """

    id, title = "llru-token", "LRU by tokens, ties to the layer furthest ahead"
    traits = ORDINARY | {"stack", "atomic"}
    variant = 2

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        _serve_by_age(labels, page, slot, frame, 2)


class Partitioned(Policy):
    """A fixed split: layer j owns k_j slots and runs its own copy of a policy on them.

    Parameters
    ----------
    policy : str or Policy, default "lru"
        The policy of every layer; it sees one layer as a classical instance.
    shares : sequence of int, optional
        Slots k_j ≥ 1 per layer, Σ k_j ≤ k. Default: as equal as possible, earlier layers get the rest.

    Label
    -----
    Those of the inner policy, layer by layer.

    Guarantee
    ---------
    None: every fixed split is unboundedly bad for ℓ ≥ 2, k ≥ ℓ + 1, n > k/ℓ (``L1``).

    References
    ----------
    AMOS2025: Theorem 1
    """

    id, title = "partitioned", "fixed split of the cache over layers"
    traits = ORDINARY - {"demand"}
    per_layer = True
    atomic_kernel = True

    def __init__(self, policy: str | Policy = "lru", shares: object = None) -> None:
        self.policy = get_policy(policy)
        self.shares: tuple[int, ...] | None = None
        if shares is not None:
            listed = shares if isinstance(shares, tuple | list) else (shares,)
            self.shares = tuple(whole_number(s, f"share of layer {j}", 1) for j, s in enumerate(listed))
        if isinstance(self.policy, Partitioned):
            raise ModelError("a split of a split is not supported: give the shares of the layers at once")
        refuse_told(self.policy, "partitioned")
        # Traits about the whole cache, such as inclusion or k-phases, do not carry over to a split one.
        kept = {"deterministic", "online", "symmetric", "finite-state", "atomic"}
        self.traits = self.policy.traits & kept

    def split(self, instance: LayeredInstance | Frame) -> tuple[int, ...]:
        """Return the slots of every layer, or refuse an instance the split does not fit."""
        layers, cache = instance.layers, instance.cache
        if self.shares is None:
            if cache < layers:
                raise UnsupportedModelError(
                    f"a split of k = {cache} over ℓ = {layers} layers leaves a layer without a slot; "
                    f"k ≥ {layers} is needed"
                )
            return tuple(cache // layers + (j < cache % layers) for j in range(layers))
        if len(self.shares) != layers or sum(self.shares) > cache:
            listed = "/".join(map(str, self.shares))
            raise UnsupportedModelError(
                f"shares {listed} must name ℓ = {layers} layers and add up to at most k = {cache}"
            )
        return self.shares

    @property
    def counts_visits(self) -> bool:  # type: ignore[override]
        """As the inner policy does."""
        return self.policy.counts_visits

    def check(self, instance: LayeredInstance) -> None:
        least, group = min(self.split(instance)), instance.per_visit
        super().check(instance)
        if instance.visits == "atomic" and least < group:
            raise UnsupportedModelError(
                f"a split of k = {instance.cache} gives a layer {least} slots, "
                f"but an atomic visit needs {group}: k ≥ {instance.layers * group} in equal parts"
            )

    def serve(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> None:  # type: ignore[override]
        part, alone = self._part(slot // frame.per_visit, frame)
        self.policy.serve(labels[part], page - part.start, slot % frame.per_visit, alone)

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        part, alone = self._part(slot // frame.per_visit, frame)
        results = []
        for chance, inner in self.policy.outcomes(
            labels[part], page - part.start, slot % frame.per_visit, alone
        ):
            following = labels.copy()
            following[part] = inner
            results.append((chance, following))
        return results

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        served, inside = slot // frame.per_visit, slot % frame.per_visit
        layers = []
        for layer in range(frame.layers):
            part, alone = self._part(layer, frame)
            asked = page - part.start if page is not None and layer == served else None
            layers.append(self.policy.criteria(labels[part], asked, inside, alone))
        own = (frame.layer_of == served).astype(np.int64)
        full = Criterion(own, "largest", "layer", f"layer {served} has no free slot", shown=False)
        joined = (np.concatenate([one.values for one in same]) for same in zip(*layers, strict=True))
        return full, *(replace(mine, values=all_) for mine, all_ in zip(layers[served], joined, strict=True))

    def _part(self, layer: int, frame: Frame) -> tuple[slice, Frame]:
        """Return the page ids of a layer, and that layer as an instance of its own."""
        first, end = int(frame.first_page[layer]), int(frame.first_page[layer + 1])
        pages = np.zeros(end - first, dtype=np.int32)
        bounds = np.array([0, end - first], dtype=np.int32)
        part = slice(first, end)
        share, held = self.split(frame)[layer], frame.held[part] if len(frame.held) else frame.held
        alone = Frame(1, share, frame.per_visit, pages, bounds, frame.weights[part], held=held)
        return part, alone

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        """Serve every layer by itself with the inner policy's fastest engine."""
        from paging.simulate import run_sequence

        instance, faults = sequence.instance, 0
        for layer, share in enumerate(self.split(instance)):
            part = sequence.of_layer(layer, share)
            inner = np.zeros(len(part) if len(entries) else 0, dtype=np.int32)
            faults += run_sequence(self.policy, part, inner, rng).faults
            if len(entries):
                inner[inner >= 0] += instance.first_page[layer]
                entries[sequence.visit_layers == layer] = inner
        return faults
