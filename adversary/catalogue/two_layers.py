"""k = ℓ: two layers change their pages, the others never; a policy that is caught off guard pays for free."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, require
from paging.model import FREE, HIT, LayeredInstance, RequestSequence, Schedule
from paging.policy import Policy
from paging.simulate import Session


@construction(
    id="two-layers",
    title="with one slot per layer: two new pages, and back to the first one",
    bound="one-slot-each-lower",
    bad_for="every deterministic policy",
    source="ours",
    status="proved in docs/open-corner.md",
    victims=("lru", "llru", "fifo", "clock", "zrc"),
    kind="adaptive",
    demo=LayeredInstance(layers=3, pages=2, cache=3),
)
def two_layers(instance: LayeredInstance, rounds: int, policy: Policy) -> Construction:
    """Repeat the page last requested in each layer until the policy holds all; then change two layers.

    A new page in the first layer, one in the second, and the old one in the first again; as soon as the
    policy lacks the last page of a layer, these are repeated instead until it has them.

    Bad for whom
    ------------
    Every deterministic policy with one slot per layer: it holds the last page of every layer, and then lacks
    the page that comes back; or it does not, and is asked for the one it lacks.

    Promise
    -------
    At least three faults in every period, offline two. If a policy never holds the last pages of all layers,
    it faults for ever while the offline schedule pays nothing.

    Offline schedule in words
    -------------------------
    Keep the pages that are in use when the period ends.

    Parameters
    ----------
    instance : LayeredInstance
        k = ℓ ≥ 2; two layers with two pages or more.
    """
    rich = [j for j, n in enumerate(instance.pages_by_layer) if n >= 2]
    require(
        instance,
        ("ℓ ≥ 2", instance.layers >= 2),
        ("k = ℓ", instance.cache == instance.layers),
        ("two layers with n ≥ 2", len(rich) >= 2),
    )
    x, y = rich[:2]
    session = Session(policy, instance)
    last = [int(instance.pages_of(j)[0]) for j in range(instance.layers)]
    requests: list[int] = []
    victims: dict[int, int] = {}
    boundaries: list[int] = []
    limit = rounds * instance.layers

    def ask(page: int) -> None:
        last[len(requests) % instance.layers] = page
        requests.append(page)
        session.serve(page)

    def holds_all() -> bool:
        return all(session.cached(page) for page in last)

    def repeat_until(layer: int) -> None:
        while len(requests) % instance.layers != layer:
            ask(last[len(requests) % instance.layers])

    def appease() -> None:
        """Repeat last pages, for a round at least, until the policy holds all of them."""
        asked = 0
        while len(requests) < limit and (asked < instance.layers or not holds_all()):
            ask(last[len(requests) % instance.layers])
            asked += 1

    def change(layer: int) -> tuple[int, int]:
        """Ask for another page of a layer than the last one; return when, and the page that was last."""
        repeat_until(layer)
        old = last[layer]
        first, second = map(int, instance.pages_of(layer)[:2])
        ask(second if old == first else first)
        return len(requests) - 1, old

    appease()
    while len(requests) < limit:
        boundaries.append(len(requests))
        start, old_x = change(x)
        if not holds_all():
            victims[start] = old_x
            appease()
            start, old_x = change(x)
            victims[start] = old_x
        else:
            new_x = last[x]
            later, old_y = change(y)
            victims[start], victims[later] = old_x, old_y
            if holds_all():
                change(x)
                victims[start], victims[later] = old_y, new_x
        appease()
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int32)).prefix(limit)
    entries = np.full(len(requests), HIT, dtype=np.int32)
    for page in set(requests[: instance.layers]):
        entries[requests.index(page)] = FREE
    for t, victim in victims.items():
        entries[t] = victim
    promise = Promise("a period", sympy.Integer(3), sympy.Integer(2), sympy.Integer(instance.layers))
    return Construction(sequence, Schedule(sequence, entries[:limit]), promise, tuple(boundaries))
