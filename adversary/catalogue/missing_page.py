"""L2: keep asking for the page that the policy lacks, as far as the layers allow."""

from collections.abc import Sequence

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, l, require
from adversary.phases import phase_schedule
from paging.errors import ModelError
from paging.model import LayeredInstance, RequestSequence
from paging.policy import Policy
from paging.simulate import Session


@construction(
    id="missing-page",
    title="request the missing one of k + 1 pages whenever its layer is served",
    bound="L2",
    bad_for="every deterministic policy",
    source="for a bound reported of arXiv:2509.02408; ours",
    status="proved in docs/bounds.md",
    victims=("lru", "llru", "fifo", "clock", "mark-fifo"),
    kind="adaptive",
    demo=LayeredInstance(layers=3, pages=4, cache=8),
)
def missing_page(
    instance: LayeredInstance,
    rounds: int,
    policy: Policy,
    spread: tuple[int, ...] | None = None,
) -> Construction:
    """Play k + 1 pages, at least one per layer, against a deterministic policy.

    If a page the policy lacks lies in the layer being served it is requested (the lowest of several),
    otherwise the layer's last request is repeated.

    Bad for whom
    ------------
    Every deterministic policy: ratio at least k − ℓ + 1.

    Promise
    -------
    In every k-phase after the first the policy faults at least k − ℓ + 1 times and the offline schedule
    once; if phases stop ending, the policy still faults once a round while the offline schedule pays
    nothing more. A phase requests k distinct pages; at most one page a layer, and none in the layer that
    opens the phase, can come in as a repeat of the layer's last request; the others come in with a fault.

    Offline schedule in words
    -------------------------
    At the start of a phase evict the page that the phase leaves out.

    Parameters
    ----------
    instance : LayeredInstance
        ℓ ≤ k < ℓ·n (for unequal layers: k < number of pages).
    spread : tuple of int, optional
        How many of the k + 1 pages lie in each layer; default as even as possible.
    """
    require(
        instance,
        ("k ≥ ℓ", instance.cache >= instance.layers),
        ("k < number of pages", instance.cache < instance.total_pages),
    )
    counts = even_spread(instance, instance.cache + 1) if spread is None else checked_spread(instance, spread)
    sequence = missing_pages(instance, counts, rounds, policy)
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", k - l + 1, sympy.Integer(1), k)
    values = {"ell": instance.layers, "k": instance.cache}
    return Construction(sequence, offline, promise, starts[1:], values)


def missing_pages(
    instance: LayeredInstance,
    counts: Sequence[int],
    rounds: int,
    policy: Policy,
    prediction: int | None = None,
) -> RequestSequence:
    """Ask for the lowest page in play that a policy lacks, or for the layer's last one, told alike of all."""
    in_play = [instance.pages_of(j)[:count] for j, count in enumerate(counts)]
    session = Session(policy, instance)
    last = [pages[0] for pages in in_play]
    requests = []
    for _ in range(rounds):
        for layer, pages in enumerate(in_play):
            last[layer] = next((p for p in pages if not session.cached(p)), last[layer])
            requests.append(last[layer])
            session.serve(last[layer], prediction=prediction)
    return RequestSequence(instance, np.array(requests, dtype=np.int32))


def even_spread(instance: LayeredInstance, total: int) -> list[int]:
    """Distribute so many pages over the layers as evenly as their sizes allow, at least g each."""
    counts = [instance.per_visit] * instance.layers
    for _ in range(total - instance.round_length):
        room = [j for j, n in enumerate(instance.pages_by_layer) if counts[j] < n]
        counts[min(room, key=counts.__getitem__)] += 1
    return counts


def checked_spread(instance: LayeredInstance, spread: tuple[int, ...]) -> list[int]:
    """Return the counts of a given spread of k + 1 pages, or refuse it."""
    counts = list(spread)
    fits = len(counts) == instance.layers and sum(counts) == instance.cache + 1
    if not fits or any(not 1 <= c <= n for c, n in zip(counts, instance.pages_by_layer, strict=True)):
        raise ModelError(
            f"spread {'/'.join(map(str, counts))} must give every one of {instance.layers} layers between 1 "
            f"and its number of pages, {instance.cache + 1} = k + 1 in all"
        )
    return counts
